//! Telling webhooks what happens: what they are to be told is taken from the feed and kept until they have been told.
//!
//! The place in the feed and what is to be told as far as there are written together, so that nothing is left out; what has been told is
//! removed afterwards, so that a crash in between tells it twice, under the same id.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use potok_core::Name;
use potok_core::instance::Key;
use potok_core::time::Timestamp;
use potok_store::query::{DeliveryQuery, InstanceQuery, Paging, WebhookQuery};
use potok_store::row::{Delivery, DeliveryState, Instance as InstanceRow, Webhook as WebhookRow};
use potok_store::{Changes, Position};
use serde::Serialize;
use tokio::sync::Notify;
use tokio::task::{AbortHandle, JoinSet};

use crate::engine::Inner;
use crate::feed::{News, Occurrence};
use crate::webhook::{hears, keys};
use crate::{DefinitionId, Error, InstanceId, outgoing};

/// How long it waits after each try that failed. After the last one nothing is tried any more.
const PAUSES: [Duration; 10] = [
    Duration::from_secs(5),
    Duration::from_secs(30),
    Duration::from_secs(2 * 60),
    Duration::from_secs(10 * 60),
    Duration::from_secs(30 * 60),
    Duration::from_secs(3600),
    Duration::from_secs(3 * 3600),
    Duration::from_secs(6 * 3600),
    Duration::from_secs(24 * 3600),
    Duration::from_secs(24 * 3600),
];

/// For how long a node has a webhook to itself.
const LEASE: Duration = Duration::from_secs(30);

/// How long it sleeps at most: another node may have written, and something may be due.
const NAP: Duration = Duration::from_millis(500);

/// What happens in such a time is looked at together.
const BREATH: Duration = Duration::from_millis(20);

/// Rows of the feed that are looked at together.
const PAGE: usize = 500;

/// Deliveries of a webhook that are under way at a time.
const AT_ONCE: usize = 8;

/// Characters of an error that are kept.
const WORDS: usize = 500;

/// What all who tell share.
pub(crate) struct Couriers {
    woken: Notify,
    client: OnceLock<reqwest::Client>,
    allowed: Arc<[Name]>,
    /// The webhooks that this node has where others share the database, and until when.
    own: Mutex<BTreeMap<Key, Instant>>,
}

impl fmt::Debug for Couriers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Couriers")
    }
}

impl Couriers {
    pub(crate) fn new(allowed: &[Name]) -> Self {
        Self { woken: Notify::new(), client: OnceLock::new(), allowed: allowed.into(), own: Mutex::default() }
    }

    /// Webhooks have come or gone, or there is something to be told.
    pub(crate) fn wake(&self) {
        self.woken.notify_waiters();
    }

    fn own(&self) -> MutexGuard<'_, BTreeMap<Key, Instant>> {
        self.own.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The client, which is only made when there is something to tell.
    fn client(&self) -> Result<&reqwest::Client, reqwest::Error> {
        if let Some(client) = self.client.get() {
            return Ok(client);
        }
        let client = outgoing::client(&self.allowed)?;
        Ok(self.client.get_or_init(|| client))
    }
}

/// A message.
#[derive(Serialize)]
struct Message<'a> {
    /// The kind of event.
    r#type: &'a str,
    timestamp: Timestamp,
    data: Data<'a>,
}

/// What happened, and where.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Data<'a> {
    #[serde(serialize_with = "crate::feed::as_text")]
    instance: InstanceId,
    #[serde(serialize_with = "crate::feed::as_text")]
    definition: DefinitionId,
    process: Option<&'a Name>,
    business_key: Option<&'a Name>,
    tenant: Option<&'a Name>,
    /// The row of its history.
    seq: u64,
    by: Option<&'a Name>,
    #[serde(flatten)]
    event: &'a Occurrence,
}

/// Sees to it that each webhook is told by somebody.
pub(crate) async fn tell_all(inner: Weak<Inner>) {
    let mut under_way: BTreeMap<Key, AbortHandle> = BTreeMap::new();
    let mut couriers = JoinSet::new();
    loop {
        let Some(engine) = inner.upgrade() else { return };
        let woken = engine.couriers.woken.notified();
        match engine.own_webhooks().await {
            Ok(webhooks) => {
                let there: BTreeSet<Key> = keys(&webhooks).into_iter().collect();
                under_way.retain(|key, courier| {
                    let stays = there.contains(key) && !courier.is_finished();
                    if !stays {
                        courier.abort();
                    }
                    stays
                });
                for webhook in webhooks {
                    let key = webhook.key;
                    under_way.entry(key).or_insert_with(|| couriers.spawn(tell(inner.clone(), webhook)));
                }
            }
            Err(error) => tracing::warn!(%error, "webhooks wait for the database"),
        }
        while couriers.try_join_next().is_some() {}
        tokio::select! {
            () = woken => {}
            () = tokio::time::sleep(NAP) => {}
        }
    }
}

/// Tells one webhook.
async fn tell(inner: Weak<Inner>, mut webhook: WebhookRow) {
    loop {
        let Some(engine) = inner.upgrade() else { return };
        let written = engine.wake.until_written();
        let woken = engine.couriers.woken.notified();
        match engine.tell_once(&mut webhook).await {
            Ok(0) => {}
            Ok(_) => continue,
            Err(error) => tracing::warn!(%error, webhook = %webhook.key, "a webhook waits for the database"),
        }
        tokio::select! {
            () = written => {}
            () = woken => {}
            () = tokio::time::sleep(NAP) => {}
        }
        tokio::time::sleep(BREATH).await;
    }
}

impl Inner {
    /// Tells once what is to be told; says how much there was.
    pub(crate) async fn tell_due(&self) -> Result<usize, Error> {
        let mut told = 0;
        for mut webhook in self.own_webhooks().await? {
            told += self.tell_once(&mut webhook).await?;
        }
        Ok(told)
    }

    /// The webhooks that this node tells: all of them, or, where others share the database, those that it could take.
    async fn own_webhooks(&self) -> Result<Vec<WebhookRow>, Error> {
        let webhooks = self.store.list(&WebhookQuery::default()).await?.rows;
        if !self.store.is_shared() || webhooks.is_empty() {
            return Ok(webhooks);
        }
        let now = Instant::now();
        let (mut free, mut soon) = (Vec::new(), Vec::new());
        {
            let mut own = self.couriers.own();
            own.retain(|_, until| *until > now);
            for key in keys(&webhooks) {
                match own.get(&key) {
                    None => free.push(key),
                    Some(until) if until.duration_since(now) < LEASE / 3 => soon.push(key),
                    Some(_) => {}
                }
            }
        }
        if !free.is_empty() || !soon.is_empty() {
            let taken = self.store.take_webhooks(free, soon, LEASE).await?;
            // Somewhat earlier than the database says, so that two are never at one.
            let until = now + LEASE * 2 / 3;
            self.couriers.own().extend(taken.iter().map(|webhook| (webhook.key, until)));
        }
        let own = self.couriers.own();
        Ok(webhooks.into_iter().filter(|webhook| own.contains_key(&webhook.key)).collect())
    }

    /// Leaves the webhooks that this node has to others.
    pub(crate) async fn leave_webhooks(&self) -> Result<(), Error> {
        let own: Vec<Key> = std::mem::take(&mut *self.couriers.own()).into_keys().collect();
        if !own.is_empty() {
            self.store.take_webhooks(Vec::new(), own, Duration::ZERO).await?;
        }
        Ok(())
    }

    /// Takes from the feed what a webhook is to be told, and tells what is due; says how much there was.
    async fn tell_once(&self, webhook: &mut WebhookRow) -> Result<usize, Error> {
        let seen = self.gather(webhook).await?;
        Ok(seen + self.deliver_due(webhook).await?)
    }

    async fn gather(&self, webhook: &mut WebhookRow) -> Result<usize, Error> {
        let after: Position = webhook.place.parse()?;
        let rows = self.store.feed(after, PAGE).await?;
        let Some(end) = rows.last().map(Position::from) else { return Ok(0) };
        let mut heard = Vec::new();
        for row in &rows {
            let news = self.news(row).await?;
            let process = news.process.as_ref();
            if news.events.iter().any(|event| hears(webhook, process, event.kind())) {
                heard.push(news);
            }
        }
        let instances = heard.iter().map(|news| news.instance.0).collect::<BTreeSet<_>>();
        let instances = self.of_whom(instances).await?;
        let now = self.clock.now();
        let mut changes = Changes::default();
        for news in &heard {
            let instance = instances.get(&news.instance.0);
            let tenant = instance.and_then(|row| row.tenant.as_ref());
            if webhook.tenant.is_some() && webhook.tenant.as_ref() != tenant {
                continue;
            }
            for (number, event) in news.events.iter().enumerate() {
                if hears(webhook, news.process.as_ref(), event.kind()) {
                    let key = self.next_key(now);
                    changes.add(delivery(webhook.key, key, news, (number, event), instance, now));
                }
            }
        }
        // A place that nothing hangs on need not be written each time.
        if !changes.is_empty() || rows.len() == PAGE {
            changes.advance_webhook(webhook.key, end);
            self.write(changes).await?;
        }
        webhook.place = end.to_string().into();
        // A full page leaves more for the next time.
        Ok(heard.len() + usize::from(rows.len() == PAGE))
    }

    async fn of_whom(&self, instances: BTreeSet<Key>) -> Result<BTreeMap<Key, InstanceRow>, Error> {
        if instances.is_empty() {
            return Ok(BTreeMap::new());
        }
        let query = InstanceQuery { keys: instances.into_iter().collect(), ..InstanceQuery::default() };
        Ok(self.store.list(&query).await?.rows.into_iter().map(|row| (row.key, row)).collect())
    }

    async fn deliver_due(&self, webhook: &WebhookRow) -> Result<usize, Error> {
        let now = self.clock.now();
        let query = DeliveryQuery {
            webhooks: vec![webhook.key],
            states: vec![DeliveryState::Waiting],
            due: Some(now),
            page: Paging { limit: Some(AT_ONCE), ..Paging::default() },
            ..DeliveryQuery::default()
        };
        let due = self.store.list(&query).await?.rows;
        if due.is_empty() {
            return Ok(0);
        }
        let count = due.len();
        let sending = due.into_iter().map(|delivery| async move {
            let error = Box::pin(self.send(webhook, &delivery)).await.err();
            (delivery, error)
        });
        let sent: Vec<_> = futures_util::stream::iter(sending).buffer_unordered(AT_ONCE).collect().await;
        let mut changes = Changes::default();
        for (delivery, error) in sent {
            match error {
                None => changes.remove::<Delivery>((delivery.webhook, delivery.key)),
                Some(error) => changes.change_delivery(&after_failure(delivery, error, now)),
            }
        }
        self.write(changes).await?;
        Ok(count)
    }

    async fn send(&self, webhook: &WebhookRow, delivery: &Delivery) -> Result<(), String> {
        outgoing::check(&webhook.url, &self.limits.webhook_hosts)?;
        let client = self.couriers.client().map_err(|error| words(&error))?;
        let seconds = self.clock.now().as_second();
        let sending = client
            .post(webhook.url.as_str())
            .header("content-type", "application/json")
            .header("webhook-id", delivery.event.as_str())
            .header("webhook-timestamp", seconds)
            .header("webhook-signature", outgoing::sign(&webhook.secret, &delivery.event, seconds, &delivery.payload))
            .body(delivery.payload.to_vec());
        let answer = sending.send().await.map_err(|error| words(&error))?;
        if answer.status().is_success() { Ok(()) } else { Err(format!("it answered {}", answer.status())) }
    }
}

fn delivery(
    webhook: Key,
    key: Key,
    news: &News,
    (number, event): (usize, &Occurrence),
    instance: Option<&InstanceRow>,
    now: Timestamp,
) -> Delivery {
    let data = Data {
        instance: news.instance,
        definition: news.definition,
        process: news.process.as_ref(),
        business_key: instance.and_then(|row| row.business_key.as_ref()),
        tenant: instance.and_then(|row| row.tenant.as_ref()),
        seq: news.seq,
        by: news.by.as_ref(),
        event,
    };
    let message = Message { r#type: event.kind(), timestamp: news.time, data };
    Delivery {
        webhook,
        key,
        event: format!("{}-{}-{number}", news.instance, news.seq).into(),
        kind: event.kind().into(),
        instance: news.instance.0,
        // Names, keys and times are always JSON.
        payload: serde_json::to_vec(&message).unwrap_or_default().into(),
        created: news.time,
        state: DeliveryState::Waiting,
        tries: 0,
        due: now,
        error: None,
    }
}

/// A delivery that was not taken.
fn after_failure(delivery: Delivery, error: String, now: Timestamp) -> Delivery {
    let pause = usize::try_from(delivery.tries).ok().and_then(|tries| PAUSES.get(tries));
    let tries = delivery.tries + 1;
    let is_last = usize::try_from(tries).is_ok_and(|tries| tries >= PAUSES.len());
    let state = if is_last { DeliveryState::Dead } else { DeliveryState::Waiting };
    let due = pause.and_then(|pause| now.checked_add(*pause).ok()).unwrap_or(now);
    if is_last {
        tracing::warn!(webhook = %delivery.webhook, event = %delivery.event, %error, "an event could not be delivered");
    }
    let error: String = error.chars().take(WORDS).collect();
    Delivery { state, tries, due, error: Some(error.into()), ..delivery }
}

/// An error with what it comes from.
fn words(error: &(dyn std::error::Error + 'static)) -> String {
    let mut all = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        all = format!("{all}: {error}");
        source = error.source();
    }
    all
}
