//! Units of work: tried until they are durable, and what comes after each.

use std::collections::BTreeSet;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::Ordering;

use potok_core::instance::{Key, WaitKind};
use potok_core::routing::{Message, Running, Work, World as _, matches};
use potok_core::step::Command;
use potok_store::query::MessageQuery;
use potok_store::row::{ClaimKind, Message as KeptMessage};
use potok_store::{Changes, Guard, Outcome, Unit};

use crate::attempt::{After, Attempt, Missing, Stop};
use crate::cache::Loaded;
use crate::engine::Inner;
use crate::envelope::Envelope;
use crate::{Error, InstanceId};

/// How often a unit of work is tried while others are faster.
pub(crate) const TRIES: u32 = 100;

/// Subscriptions, kept messages and signals that are looked after before the caller is answered; more are left to the
/// background.
const AT_ONCE: usize = 100;

impl Inner {
    /// Looks at an instance, if it is there.
    pub(crate) async fn look<T>(&self, key: Key, look: impl FnOnce(Option<&Running>) -> T) -> Result<T, Error> {
        self.look_around(key, |loaded| look(loaded.map(|loaded| &loaded.running))).await
    }

    /// The same, with what is known of it beside its state.
    async fn look_around<T>(&self, key: Key, look: impl FnOnce(Option<&Loaded>) -> T) -> Result<T, Error> {
        let mut attempt = Attempt::new(self, Envelope::default());
        let mut held = attempt.hold(key).await;
        if held.is_ok() && !attempt.is_fresh(true).await? {
            attempt = Attempt::new(self, Envelope::default());
            held = attempt.hold(key).await;
        }
        match held {
            Ok(()) => Ok(look(attempt.loaded(key))),
            // The only lock is in order.
            Err(Stop::Contended(key)) => Err(Error::Contended(InstanceId(key))),
            Err(Stop::Error(error)) => Err(error),
        }
    }

    /// Writes what belongs to no instance's history.
    pub(crate) async fn write(&self, changes: Changes) -> Result<(), Error> {
        let unit = Unit { id: self.random(), changes, ..Unit::default() };
        match self.committer.send(unit, Vec::new()).await.map_err(|_| Error::OutcomeUnknown)?? {
            Outcome::Committed => Ok(()),
            _ => Err(Error::NothingToDo),
        }
    }

    /// Does a unit of work: `action` gives the first command, and what others are asked for follows. It is tried again from
    /// fresh state if somebody else was faster.
    pub(crate) async fn transact<T: Send>(
        &self,
        envelope: Envelope,
        action: impl Fn(&mut Attempt<'_>, &mut Work) -> Result<Result<T, Error>, Missing> + Send + Sync,
    ) -> Result<T, Error> {
        self.transact_and(envelope, action, |_, value| value).await
    }

    /// The same; `finish` looks at what has become of it all, just before it is made durable.
    pub(crate) async fn transact_and<T: Send, U: Send>(
        &self,
        envelope: Envelope,
        action: impl Fn(&mut Attempt<'_>, &mut Work) -> Result<Result<T, Error>, Missing> + Send + Sync,
        finish: impl Fn(&Attempt<'_>, T) -> U + Send + Sync,
    ) -> Result<U, Error> {
        let mut order = BTreeSet::new();
        for _ in 0..TRIES {
            let Some((value, attempt)) = self.step(&envelope, &mut order, &action).await? else { continue };
            let value = finish(&attempt, value);
            let (pending, after) = attempt.submit();
            if let Some(pending) = pending {
                match pending.await.map_err(|_| Error::OutcomeUnknown)?? {
                    Outcome::Committed => {}
                    Outcome::Missed { standing: Some(standing), .. } if standing.kind == ClaimKind::MessageId => {
                        return Err(Error::MessageRepeated(standing.value));
                    }
                    Outcome::Missed { standing: Some(standing), .. } if standing.kind == ClaimKind::BusinessKey => {
                        let key = standing.value.split('\n').next_back().unwrap_or_default().into();
                        return Err(Error::BusinessKeyTaken { key, instance: InstanceId(standing.owner) });
                    }
                    _ => continue,
                }
            }
            self.afterwards(after).await;
            return Ok(value);
        }
        Err(Error::Contended(InstanceId(order.first().copied().unwrap_or_default())))
    }

    /// Does what a guard allows once; `action` says whether there is anything to do. If the guard does not hold, somebody else
    /// has done it.
    pub(crate) async fn transact_once(
        &self,
        guard: &Guard,
        action: impl Fn(&mut Attempt<'_>, &mut Work) -> Result<bool, Missing> + Send + Sync,
    ) -> Result<(), Error> {
        let or_nothing = |attempt: &mut Attempt<'_>, work: &mut Work| {
            let to_do = action(attempt, work)?;
            Ok(if to_do { Ok(()) } else { Err(Error::NothingToDo) })
        };
        match self.transact_guarded(Envelope::default(), guard, or_nothing).await {
            Ok(_) | Err(Error::NothingToDo) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Does a unit of work if a guard holds; nothing if it does not.
    pub(crate) async fn transact_guarded<T: Send>(
        &self,
        envelope: Envelope,
        guard: &Guard,
        action: impl Fn(&mut Attempt<'_>, &mut Work) -> Result<Result<T, Error>, Missing> + Send + Sync,
    ) -> Result<Option<T>, Error> {
        let mut order = BTreeSet::new();
        let guarded = |attempt: &mut Attempt<'_>, work: &mut Work| {
            let value = action(attempt, work)?;
            attempt.guards.insert(0, guard.clone());
            Ok(value)
        };
        for _ in 0..TRIES {
            let Some((value, attempt)) = self.step(&envelope, &mut order, &guarded).await? else { continue };
            let (pending, after) = attempt.submit();
            let Some(pending) = pending else { return Ok(Some(value)) };
            match pending.await.map_err(|_| Error::OutcomeUnknown)?? {
                Outcome::Committed => {
                    self.afterwards(after).await;
                    return Ok(Some(value));
                }
                Outcome::Missed { guard: 0, .. } => return Ok(None),
                _ => {}
            }
        }
        Err(Error::Contended(InstanceId(order.first().copied().unwrap_or_default())))
    }

    /// Steps the instances of a unit of work; nothing if somebody else has one of them: then all are locked in order next time.
    async fn step<T: Send>(
        &self,
        envelope: &Envelope,
        order: &mut BTreeSet<Key>,
        action: &(impl Fn(&mut Attempt<'_>, &mut Work) -> Result<Result<T, Error>, Missing> + Send + Sync),
    ) -> Result<Option<(T, Attempt<'_>)>, Error> {
        let mut attempt = Attempt::new(self, envelope.clone());
        match run(&mut attempt, order, action).await {
            Ok(value) => {
                if attempt.is_fresh(false).await? {
                    return Ok(Some((value, attempt)));
                }
                attempt.discard();
                Ok(None)
            }
            Err(Stop::Contended(key)) => {
                order.extend(attempt.shared());
                order.insert(key);
                attempt.discard();
                Ok(None)
            }
            Err(Stop::Error(error)) => {
                let fresh = attempt.is_fresh(true).await?;
                attempt.discard();
                if fresh { Err(error) } else { Ok(None) }
            }
        }
    }

    /// What a durable unit of work leads to, before its caller is answered.
    fn afterwards(&self, after: After) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(async move {
            if after.wake {
                self.wake.notify_waiters();
            }
            // The unit itself is durable: what fails here is left to the background.
            if after.opened.len().max(after.kept.len()) > AT_ONCE {
                self.look_again();
            }
            for (instance, subscription) in after.opened.into_iter().take(AT_ONCE) {
                if let Err(error) = self.deliver_kept(instance, subscription).await {
                    tracing::warn!(%error, instance = %InstanceId(instance), "a kept message was not delivered");
                    self.look_again();
                }
            }
            for key in after.kept.into_iter().take(AT_ONCE) {
                if let Err(error) = self.deliver_again(key).await {
                    tracing::warn!(%error, message = %key, "a kept message was not delivered");
                    self.look_again();
                }
            }
            for work in after.spread.into_iter().take(AT_ONCE) {
                if let Err(error) = self.do_chore(&work).await {
                    tracing::warn!(%error, "a signal is spread later");
                }
            }
        })
    }

    /// A new subscription takes the oldest message that was kept for it.
    async fn deliver_kept(&self, instance: Key, subscription: Key) -> Result<(), Error> {
        let waits_for = |loaded: Option<&Loaded>| match &loaded?.running.instance.wait(subscription)?.kind {
            WaitKind::Message(message) => Some((message.name.clone(), loaded?.tenant.clone().unwrap_or_default())),
            _ => None,
        };
        let Some((name, tenant)) = self.look_around(instance, waits_for).await? else { return Ok(()) };
        let (name, tenant, kept_at) = (Some(name), Some(tenant), Some(self.clock.now()));
        let query = MessageQuery { name, tenant, kept_at, ..MessageQuery::default() };
        for row in self.store.list(&query).await?.rows {
            if row.sender == Some(instance) {
                continue;
            }
            let Ok(message) = Message::decode(&row.payload) else { continue };
            let taken = self.give(instance, subscription, &row, &message).await?;
            if taken {
                break;
            }
        }
        Ok(())
    }

    /// Gives a kept message to a subscription, if that takes it and still can.
    async fn give(
        &self,
        instance: Key,
        subscription: Key,
        row: &KeptMessage,
        message: &Message,
    ) -> Result<bool, Error> {
        let takes = |running: Option<&Running>| {
            running.is_some_and(|Running { graph, instance }| {
                instance.wait(subscription).is_some_and(|wait| matches(graph, instance, wait, message))
            })
        };
        if !self.look(instance, takes).await? {
            return Ok(false);
        }
        self.transact_once(&Guard::Message(row.key), |attempt, work| {
            if attempt.instance(instance)?.is_none() {
                return Ok(false);
            }
            let command = Command::DeliverMessage { subscription, variables: message.payload.clone() };
            let delivered = attempt.step(instance, command);
            let is_delivered = delivered.is_ok();
            work.ask(instance, delivered.unwrap_or_default());
            Ok(is_delivered)
        })
        .await?;
        Ok(true)
    }

    /// Looks again for whoever takes the messages that are kept, if somebody may not have got to it.
    pub(crate) async fn deliver_all_again(&self) -> Result<(), Error> {
        if !self.look_again.swap(false, Ordering::AcqRel) {
            return Ok(());
        }
        let now = self.clock.now();
        let mut query = MessageQuery { kept_at: Some(now), ..MessageQuery::default() };
        query.page.limit = Some(AT_ONCE);
        loop {
            let looked = async {
                let page = self.store.list(&query).await?;
                for row in &page.rows {
                    self.deliver_again(row.key).await?;
                }
                Ok(page.next)
            };
            match looked.await {
                Ok(Some(next)) => query.page.after = Some(next),
                Ok(None) => return Ok(()),
                Err(error) => {
                    self.look_again();
                    return Err(error);
                }
            }
        }
    }

    /// Somebody may have written that it waits for a message, or keeps one, and not have got to look for the other.
    pub(crate) fn look_again(&self) {
        self.look_again.store(true, Ordering::Release);
    }

    /// Looks again for whoever takes a message that was kept.
    pub(crate) async fn deliver_again(&self, key: Key) -> Result<(), Error> {
        let Some(row) = self.store.get::<KeptMessage>(key).await? else { return Ok(()) };
        let Ok(message) = Message::decode(&row.payload) else { return Ok(()) };
        let tenant = row.tenant.unwrap_or_default();
        self.transact_once(&Guard::Message(key), |attempt, work| {
            attempt.within(&tenant);
            work.deliver_again(attempt, &message, row.sender)
        })
        .await
    }
}

async fn run<T>(
    attempt: &mut Attempt<'_>,
    order: &BTreeSet<Key>,
    action: &(impl Fn(&mut Attempt<'_>, &mut Work) -> Result<Result<T, Error>, Missing> + Send + Sync),
) -> Result<T, Stop> {
    for key in order {
        attempt.hold(*key).await?;
    }
    let mut work = Work::new();
    let value = loop {
        match action(attempt, &mut work) {
            Ok(value) => break value?,
            Err(missing) => attempt.find(missing).await?,
        }
    };
    while let Err(missing) = work.run(attempt) {
        attempt.find(missing).await?;
    }
    Ok(value)
}
