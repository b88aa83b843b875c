//! What a durable unit of work leads to: kept messages that somebody waits for now, and signals that spread to many.

use std::collections::VecDeque;
use std::sync::atomic::Ordering;

use potok_core::instance::Key;
use potok_core::routing::{Message, Running, awaited_name, matches};
use potok_store::Guard;
use potok_store::query::MessageQuery;
use potok_store::row::{Message as KeptMessage, Work as WorkRow};

use crate::attempt::After;
use crate::cache::Loaded;
use crate::engine::Inner;
use crate::told::Told;
use crate::{Boxed, Error};

/// How much is looked after before the caller is answered; more is left to the background.
const AT_ONCE: usize = 256;

/// One thing to look after.
enum Next {
    /// A subscription was opened: a kept message may be for it.
    Opened { instance: Key, subscription: Key },
    /// A message was kept: somebody may have begun to wait.
    Kept(Key),
    /// A signal is to be spread, or to be given to one who listens.
    Work(WorkRow),
}

impl Inner {
    /// Looks after what a durable unit of work leads to, and what that leads to, before its caller is answered.
    pub(crate) async fn afterwards(&self, after: After) {
        let mut todo = VecDeque::new();
        self.queue(after, &mut todo);
        if !todo.is_empty() {
            self.look_after_all(todo).await;
        }
    }

    fn look_after_all(&self, mut todo: VecDeque<Next>) -> Boxed<'_, ()> {
        Box::pin(async move {
            for _ in 0..AT_ONCE {
                let Some(next) = todo.pop_front() else { return };
                // The unit itself is durable: what fails here is left to the background.
                match self.look_after(&next).await {
                    Ok(after) => self.queue(after, &mut todo),
                    Err(error) => {
                        tracing::warn!(%error, "what follows from a commit is done later");
                        self.leave(&next);
                    }
                }
            }
            todo.iter().for_each(|next| self.leave(next));
        })
    }

    fn queue(&self, after: After, todo: &mut VecDeque<Next>) {
        after.told.iter().for_each(Told::tell);
        if after.due {
            self.wake.due();
        }
        if after.jobs {
            self.wake.jobs();
        }
        todo.extend(after.spread.into_iter().map(Next::Work));
        // Instances that answer each other without end are not set going again: the last message waits for another subscription.
        if !after.is_endless {
            let opened = after.opened.into_iter();
            todo.extend(opened.map(|(instance, subscription)| Next::Opened { instance, subscription }));
            todo.extend(after.kept.into_iter().map(Next::Kept));
        }
    }

    async fn look_after(&self, next: &Next) -> Result<After, Error> {
        match next {
            Next::Opened { instance, subscription } => self.deliver_kept(*instance, *subscription).await,
            Next::Kept(message) => self.deliver_again(*message).await,
            Next::Work(work) => self.do_chore(work).await,
        }
    }

    /// Work is found by who does work; the rest must be said.
    fn leave(&self, next: &Next) {
        if !matches!(next, Next::Work(_)) {
            self.look_again();
        }
    }

    /// A new subscription takes the oldest message that was kept for it.
    async fn deliver_kept(&self, instance: Key, subscription: Key) -> Result<After, Error> {
        let waits_for = |loaded: Option<&Loaded>| {
            let Running { graph, instance } = &loaded?.running;
            let wait = instance.wait(subscription)?;
            Some((awaited_name(graph, wait).cloned(), loaded?.tenant.clone().unwrap_or_default()))
        };
        let Some((name, tenant)) = self.look_around(instance, waits_for).await? else { return Ok(After::default()) };
        let (tenant, kept_at) = (Some(tenant), Some(self.clock.now()));
        let query = MessageQuery { name, tenant, kept_at, ..MessageQuery::default() };
        for row in self.store.list(&query).await?.rows {
            if row.sender == Some(instance) {
                continue;
            }
            let Ok(message) = Message::decode(&row.payload) else { continue };
            if let Some(after) = self.give(instance, subscription, &row, &message).await? {
                return Ok(after);
            }
        }
        Ok(After::default())
    }

    /// Gives a kept message to a subscription, if that takes it and still can; or to the one of its instance that the message's flow
    /// leads to.
    async fn give(
        &self,
        instance: Key,
        subscription: Key,
        row: &KeptMessage,
        message: &Message,
    ) -> Result<Option<After>, Error> {
        let takes = |running: Option<&Running>| {
            running.is_some_and(|Running { graph, instance }| {
                instance.wait(subscription).is_some_and(|wait| matches(graph, instance, wait, message))
            })
        };
        if !self.look(instance, takes).await? {
            return Ok(None);
        }
        let guard = Guard::Message(row.key);
        let given = self.transact_once(&guard, |attempt, work| work.deliver(attempt, instance, subscription, message));
        given.await.map(Some)
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
                    let after = self.deliver_again(row.key).await?;
                    self.afterwards(after).await;
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
    async fn deliver_again(&self, key: Key) -> Result<After, Error> {
        let Some(row) = self.store.get::<KeptMessage>(key).await? else { return Ok(After::default()) };
        let Ok(message) = Message::decode(&row.payload) else { return Ok(After::default()) };
        let tenant = row.tenant.unwrap_or_default();
        self.transact_once(&Guard::Message(key), |attempt, work| {
            attempt.within(&tenant);
            work.deliver_again(attempt, &message, row.sender)
        })
        .await
    }
}
