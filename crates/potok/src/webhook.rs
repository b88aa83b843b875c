//! Webhooks: programs elsewhere that are told by HTTP what happens.

use std::ops::Deref;

use potok_core::Name;
use potok_core::instance::Key;
use potok_store::query::{DeliveryQuery, WebhookQuery};
use potok_store::row::{Delivery, DeliveryState, Webhook as WebhookRow};
use potok_store::{Changes, Page};

use crate::engine::Engine;
use crate::secret::Secret;
use crate::{Action, DeliveryId, Error, Occurrence, WebhookId, outgoing};

/// Somebody who is told what happens. It derefs to its row, but for the secret.
#[derive(Clone, Debug, PartialEq)]
pub struct Webhook {
    row: WebhookRow,
}

impl Webhook {
    fn of(row: WebhookRow) -> Self {
        Self { row: WebhookRow { secret: Default::default(), ..row } }
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> WebhookId {
        WebhookId(self.row.key)
    }
}

impl Deref for Webhook {
    type Target = WebhookRow;

    fn deref(&self) -> &WebhookRow {
        &self.row
    }
}

/// A webhook about to be made.
#[derive(Debug)]
#[must_use = "nothing is made until `send`"]
pub struct NewWebhook<'e> {
    engine: &'e Engine,
    url: Name,
    events: Vec<Name>,
    processes: Vec<Name>,
    tenant: Option<Name>,
}

impl NewWebhook<'_> {
    /// Tells only events of this kind (see [`Occurrence::KINDS`]), and of others that are named.
    pub fn event(mut self, kind: impl Into<Name>) -> Self {
        self.events.push(kind.into());
        self
    }

    /// Tells only what happens in this process, and in others that are named.
    pub fn process(mut self, id: impl Into<Name>) -> Self {
        self.processes.push(id.into());
        self
    }

    /// Tells only what belongs to that tenant.
    pub fn tenant(self, tenant: impl Into<Name>) -> Self {
        Self { tenant: Some(tenant.into()), ..self }
    }

    /// Makes it: what happens from now on is told. The secret with which messages are signed cannot be had again.
    ///
    /// # Errors
    /// If that is forbidden, there is no such kind of event, or nothing may be sent to that address.
    pub async fn send(self) -> Result<(Webhook, Secret), Error> {
        let (engine, inner) = (self.engine, &self.engine.inner);
        engine.access(Action::ChangeWebhooks, &self.url).await?;
        outgoing::check(&self.url, &inner.limits.webhook_hosts)
            .map_err(|reason| Error::UnfitAddress { url: self.url.clone(), reason })?;
        if let Some(unknown) = self.events.iter().find(|kind| !Occurrence::KINDS.contains(&kind.as_str())) {
            return Err(Error::UnknownEvent(unknown.clone()));
        }
        let now = inner.clock.now();
        let secret = outgoing::new_secret()?;
        let row = WebhookRow {
            key: inner.next_key(now),
            url: self.url,
            secret: secret.reveal().as_bytes().into(),
            events: self.events,
            processes: self.processes,
            tenant: self.tenant,
            author: engine.user.clone(),
            created: now,
            place: inner.store.feed_end().await?.to_string().into(),
            leased_until: potok_core::time::Timestamp::UNIX_EPOCH,
        };
        let mut changes = Changes::default();
        changes.add(row.clone());
        inner.write(changes).await?;
        inner.couriers.wake();
        Ok((Webhook::of(row), secret))
    }
}

impl Engine {
    /// Tells a program elsewhere what happens, by a `POST` for each event, at least once and until it answers with a status of 2xx: as
    /// [Standard Webhooks](https://www.standardwebhooks.com) has it, with an id and a signature. After ten tries in two and a half days it
    /// is given up, and kept until somebody [tries it again](Self::retry_delivery).
    ///
    /// Only public addresses are told, by HTTPS, unless [`Builder::webhook_host`](crate::Builder::webhook_host) names others.
    ///
    /// ```no_run
    /// # async fn example(engine: potok::Engine) -> Result<(), potok::Error> {
    /// let hook = engine.webhook("https://example.com/potok").event("instance-completed").process("order");
    /// let (hook, secret) = hook.send().await?;
    /// println!("{} signs with {}", hook.id(), secret.reveal());
    /// # Ok(())
    /// # }
    /// ```
    pub fn webhook(&self, url: impl Into<Name>) -> NewWebhook<'_> {
        NewWebhook { engine: self, url: url.into(), events: Vec::new(), processes: Vec::new(), tenant: None }
    }

    /// A page of webhooks.
    ///
    /// # Errors
    /// If that is forbidden, or the database cannot be read.
    pub async fn webhooks(&self, query: &WebhookQuery) -> Result<Page<Webhook>, Error> {
        self.access(Action::SeeWebhooks, &"").await?;
        let page = self.inner.store.list(query).await?;
        Ok(Page { rows: page.rows.into_iter().map(Webhook::of).collect(), next: page.next })
    }

    /// Tells a webhook nothing more, and forgets what it has not been told.
    ///
    /// # Errors
    /// If that is forbidden, or there is no such webhook.
    pub async fn remove_webhook(&self, webhook: WebhookId) -> Result<(), Error> {
        self.access(Action::ChangeWebhooks, &webhook).await?;
        if self.inner.store.get::<WebhookRow>(webhook.0).await?.is_none() {
            return Err(Error::UnknownWebhook(webhook));
        }
        let mut changes = Changes::default();
        changes.remove::<WebhookRow>(webhook.0);
        changes.remove_of::<Delivery>(webhook.0);
        self.inner.write(changes).await?;
        self.inner.couriers.wake();
        Ok(())
    }

    /// Tries a delivery again now, also one that was given up, with as many tries as in the beginning.
    ///
    /// # Errors
    /// If that is forbidden, or it is not there: it has been delivered.
    pub async fn retry_delivery(&self, delivery: DeliveryId) -> Result<(), Error> {
        self.access(Action::ChangeWebhooks, &delivery).await?;
        let row = self.delivery(delivery).await?;
        let mut changes = Changes::default();
        let due = self.inner.clock.now();
        changes.change_delivery(&Delivery { state: DeliveryState::Waiting, tries: 0, due, ..row });
        self.inner.write(changes).await?;
        self.inner.couriers.wake();
        Ok(())
    }

    /// Gives a delivery up for good.
    ///
    /// # Errors
    /// If that is forbidden, or it is not there: it has been delivered.
    pub async fn discard_delivery(&self, delivery: DeliveryId) -> Result<(), Error> {
        self.access(Action::ChangeWebhooks, &delivery).await?;
        let row = self.delivery(delivery).await?;
        let mut changes = Changes::default();
        changes.remove::<Delivery>((row.webhook, row.key));
        self.inner.write(changes).await
    }

    async fn delivery(&self, DeliveryId(key): DeliveryId) -> Result<Delivery, Error> {
        let query = DeliveryQuery { keys: vec![key], ..DeliveryQuery::default() };
        self.inner.store.list(&query).await?.rows.pop().ok_or(Error::UnknownDelivery(DeliveryId(key)))
    }
}

/// Whether a webhook is told what happens in a process, as far as its row says.
pub(crate) fn hears(webhook: &WebhookRow, process: Option<&Name>, kind: &str) -> bool {
    let is_of = |process: &Name| webhook.processes.contains(process);
    (webhook.processes.is_empty() || process.is_some_and(is_of))
        && (webhook.events.is_empty() || webhook.events.iter().any(|it| it == kind))
}

/// The keys of webhooks.
pub(crate) fn keys(rows: &[WebhookRow]) -> Vec<Key> {
    rows.iter().map(|row| row.key).collect()
}
