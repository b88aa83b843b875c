//! Who hears what is thrown: as the database says, and as the instances of this unit of work have it by now.

use std::collections::BTreeSet;
use std::sync::Arc;

use potok_core::Name;
use potok_core::graph::{Catch, ProcessGraph};
use potok_core::instance::{Instance, Key, Wait, WaitKind};
use potok_core::routing::{
    Listeners, Message, Running, StartPoint, Taker, awaited_name, matches, start_triggers, starts,
};
use potok_core::step::{Event, Events, ThrownSignal};
use potok_core::value::Value;
use potok_store::Guard;
use potok_store::query::{MessageQuery, Paging, SubscriptionQuery};
use potok_store::row::{Message as KeptMessage, Subscription, SubscriptionKind};

use super::{Attempt, Held, Stop};
use crate::follow::correlation;
use crate::work::{Chore, Spread};

/// So many subscriptions to a signal are few: whoever has them hears it in the unit of work in which it is thrown.
const FEW: usize = 100;

/// Who hears a signal in the unit of work in which it is thrown.
#[derive(Clone)]
pub(super) struct Hearing {
    pub(super) listeners: Listeners,
    /// Others hear it later, if they listen under a key before this one; none if there are no others.
    pub(super) others: Option<Key>,
}

/// The waits for messages and signals that events of an instance have opened or changed, from that one of the list on.
pub(super) fn opened(instance: &Instance, events: &Events, from: usize) -> impl Iterator<Item = Key> {
    let listens = |kind: &WaitKind| matches!(kind, WaitKind::Message(_) | WaitKind::Signal(_));
    events.list.get(from..).unwrap_or_default().iter().filter_map(move |event| match *event {
        Event::WaitOpened { details } => {
            events.waits.get(details as usize).filter(|wait| listens(&wait.kind)).map(|wait| wait.key)
        }
        Event::WaitChanged { key, .. } => instance.wait(key).filter(|wait| listens(&wait.kind)).map(|wait| wait.key),
        _ => None,
    })
}

/// The start events of a process that a signal triggers.
pub(crate) fn signal_starts(graph: &Arc<ProcessGraph>, signal: &Name) -> Vec<StartPoint> {
    let caught = Value::String(signal.clone());
    let is_caught = |catch: &Catch| matches!(catch, Catch::Signal { name } if name.as_literal() == Some(&caught));
    let triggers = start_triggers(graph).filter(|trigger| is_caught(trigger.catch));
    triggers.map(|trigger| StartPoint::of(graph, &trigger)).collect()
}

impl Held {
    /// What it waits for there, if that takes a message.
    fn taker(&self, subscription: Key, message: &Message) -> Option<Taker> {
        let running = &self.resident.loaded.as_ref()?.running;
        Taker::of(running, running.instance.wait(subscription)?, message)
    }
}

impl Attempt<'_> {
    /// Who waits for a message.
    pub(super) async fn find_takers(&mut self, message: &Message) -> Result<Vec<Taker>, Stop> {
        let mut query = SubscriptionQuery {
            kind: Some(SubscriptionKind::Message),
            starts: Some(false),
            tenant: Some(self.tenant.clone()),
            takes: message.correlation_key.as_ref().and_then(correlation),
            business_key: message.business_key.clone(),
            ..SubscriptionQuery::default()
        };
        self.settle_all().await;
        let mut rows = Vec::new();
        if let Some(name) = &message.name {
            query.names = vec![name.clone()];
            rows = self.engine.store.list(&query).await?.rows;
        }
        if let Some(target) = &message.target {
            // A message flow leads there whatever the name.
            let by_flow = SubscriptionQuery {
                names: Vec::new(),
                process: target.process.clone(),
                node: target.node.clone(),
                ..query
            };
            if by_flow.node.is_some() {
                rows.extend(self.engine.store.list(&by_flow).await?.rows);
            }
        }
        let mut waits: Vec<_> = rows.iter().map(|row| (row.key, row.instance)).collect();
        waits.extend(self.opened_here().map(|(instance, wait)| (wait.key, instance)));
        waits.sort_unstable();
        waits.dedup();
        let mut takers = Vec::new();
        for (subscription, instance) in waits {
            takers.extend(self.taker(instance, subscription, message).await?);
        }
        Ok(takers)
    }

    async fn taker(&self, instance: Key, subscription: Key, message: &Message) -> Result<Option<Taker>, Stop> {
        match self.held.get(&instance) {
            Some(held) => Ok(held.taker(subscription, message)),
            None => Ok(self.lock_waiting(instance, subscription).await?.taker(subscription, message)),
        }
    }

    /// Who takes a message was found without being held. An instance that is held by now, and has gone on in between, would refuse it: then
    /// all are looked for again.
    pub(super) fn check_taker(&mut self, instance: Key) {
        let (Some((message, takers)), Some(held)) = (&self.takers, self.held.get(&instance)) else { return };
        let mut its_own = takers.iter().filter(|taker| taker.instance == instance);
        if !its_own.all(|taker| held.taker(taker.subscription, message).as_ref() == Some(taker)) {
            self.takers = None;
        }
    }

    /// Locks an instance that waits there, as the database says.
    async fn lock_waiting(&self, instance: Key, wait: Key) -> Result<Held, Stop> {
        let mut locked = self.lock(instance).await?;
        // If it does not, that may be news.
        if locked.wait(wait).is_none() && locked.is_stale(self.engine).await? {
            drop(locked);
            locked = self.lock(instance).await?;
        }
        Ok(locked)
    }

    /// The start event of a newest version that takes a message.
    pub(super) async fn find_start(&mut self, message: &Message) -> Result<Option<StartPoint>, Stop> {
        let query = SubscriptionQuery {
            kind: Some(SubscriptionKind::Message),
            starts: Some(true),
            tenant: Some(self.tenant.clone()),
            ..SubscriptionQuery::default()
        };
        let target = message.target.as_ref();
        let query = match (target.and_then(|target| target.node.clone()), &message.name) {
            (Some(node), _) => {
                let process = target.and_then(|target| target.process.clone());
                SubscriptionQuery { node: Some(node), process, ..query }
            }
            (None, Some(name)) => SubscriptionQuery { names: vec![name.clone()], ..query },
            (None, None) => return Ok(None),
        };
        for row in self.engine.store.list(&query).await?.rows {
            let Some(deployed) = self.engine.catalog.current(row.instance).await? else { continue };
            if deployed.definition.suspended {
                continue;
            }
            let graph = &deployed.graph;
            let trigger = start_triggers(graph).find(|trigger| {
                graph.node(trigger.node).id == row.node && starts(graph, trigger.node, trigger.catch, message)
            });
            let point = trigger.map(|trigger| StartPoint::of(graph, &trigger));
            if let Some(point) = point {
                self.known(deployed);
                return Ok(Some(point));
            }
        }
        Ok(None)
    }

    /// Who hears a signal of that instance or from outside. If they are many, only those whom the thrower has come from or who are in
    /// this unit of work anyway: what follows in it may end them.
    pub(super) async fn find_listeners(&mut self, signal: &Name, from: Option<Key>) -> Result<Hearing, Stop> {
        self.settle_all().await;
        let query = SubscriptionQuery {
            kind: Some(SubscriptionKind::Signal),
            names: vec![signal.clone()],
            tenant: Some(self.tenant.clone()),
            page: Paging { limit: Some(FEW), ..Paging::default() },
            ..SubscriptionQuery::default()
        };
        let page = self.engine.store.list(&query).await?;
        let others = match page.next {
            Some(_) => Some(self.after_all(query).await?),
            None => None,
        };
        let (starting, waiting): (Vec<_>, Vec<_>) = page.rows.into_iter().partition(|row| row.starts);
        let (waits, starts) = if others.is_none() {
            let here = self.opened_here().map(|(instance, wait)| (instance, wait.key));
            let waits: Vec<_> = waiting.iter().map(|row| (row.instance, row.key)).chain(here).collect();
            (waits, self.find_signal_starts(&starting, signal).await?)
        } else {
            self.hold_callers(from).await?;
            let running = self.held.values().filter_map(|held| Some(&held.resident.loaded.as_ref()?.running.instance));
            let waits = running.flat_map(|instance| instance.waits().map(|wait| (instance.key(), wait.key)));
            (waits.collect(), Vec::new())
        };
        let instances = self.hold_listeners(signal, waits, from).await?;
        Ok(Hearing { listeners: Listeners { instances, starts }, others })
    }

    /// A key behind those of all these subscriptions. Whoever listens on another node may have a key that is ahead of this node's clock.
    async fn after_all(&self, query: SubscriptionQuery) -> Result<Key, Stop> {
        let last = Paging { descending: true, limit: Some(1), ..Paging::default() };
        let last = self.engine.store.list(&SubscriptionQuery { page: last, ..query }).await?.rows.pop();
        let own = self.engine.next_key(self.now);
        Ok(last.map_or(own, |last| own.max(Key(last.key.0 + 1))))
    }

    /// Holds those who listen to a signal under these keys, in their order, but the one that throws it.
    async fn hold_listeners(
        &mut self,
        signal: &Name,
        mut waits: Vec<(Key, Key)>,
        from: Option<Key>,
    ) -> Result<Vec<Key>, Stop> {
        waits.sort_unstable();
        let mut listening: Vec<Key> = Vec::new();
        for (instance, wait) in waits {
            if Some(instance) == from || listening.last() == Some(&instance) {
                continue;
            }
            if !self.held.contains_key(&instance) {
                let locked = self.lock_waiting(instance, wait).await?;
                self.keep_hold(locked);
            }
            let wait = self.held.get(&instance).and_then(|held| held.wait(wait));
            if wait.is_some_and(|wait| matches!(&wait.kind, WaitKind::Signal(expected) if expected.name == *signal)) {
                listening.push(instance);
            }
        }
        Ok(listening)
    }

    /// Holds whoever has called an instance, and whoever has called that one.
    async fn hold_callers(&mut self, called: Option<Key>) -> Result<(), Stop> {
        let caller_of = |attempt: &Self, key: Key| Some(attempt.loaded(key)?.running.instance.caller()?.instance);
        let mut caller = called.and_then(|key| caller_of(self, key));
        while let Some(key) = caller {
            self.hold(key).await?;
            caller = caller_of(self, key);
        }
        Ok(())
    }

    /// The start events that a signal triggers, process by process.
    async fn find_signal_starts(&mut self, rows: &[Subscription], signal: &Name) -> Result<Vec<StartPoint>, Stop> {
        let definitions: BTreeSet<Key> = rows.iter().map(|row| row.instance).collect();
        let mut starts = Vec::new();
        for definition in definitions {
            let Some(deployed) = self.engine.catalog.current(definition).await? else { continue };
            if !deployed.definition.suspended {
                starts.extend(signal_starts(&deployed.graph, signal));
                self.known(deployed);
            }
        }
        starts.sort_by(|one, other| one.graph.id().cmp(other.graph.id()));
        Ok(starts)
    }

    /// Those who hear a signal, but have not been told in this unit of work, are told in others.
    pub(super) fn tell_others_later(
        &mut self,
        signal: &Name,
        payload: &[(Name, Value)],
        from: Option<Key>,
        told: Vec<Key>,
        before: Key,
    ) {
        let signal = ThrownSignal { name: signal.clone(), instance_only: false, payload: payload.to_vec() };
        let tenant = self.tenant.clone();
        let spread = Spread { from, tenant, before, after: None, told, signal };
        let work = self.later(Key(0), Chore::SPREAD, self.now, spread.encode());
        self.after.spread.push(work);
    }

    /// Which of the messages that are kept from this unit of work on a subscription takes.
    pub(super) fn place_of_kept(&self, instance: Key, subscription: Key) -> Option<usize> {
        let Running { graph, instance } = &self.loaded(instance)?.running;
        let wait = instance.wait(subscription)?;
        self.kept
            .iter()
            .position(|(row, message)| row.sender != Some(instance.key()) && matches(graph, instance, wait, message))
    }

    /// The oldest message that was kept for a subscription before this unit of work.
    pub(super) async fn find_kept(&self, instance: Key, subscription: Key) -> Result<Option<(Key, Message)>, Stop> {
        let Some(loaded) = self.loaded(instance) else { return Ok(None) };
        let Running { graph, instance } = &loaded.running;
        let Some(wait) = instance.wait(subscription) else { return Ok(None) };
        let (name, tenant) = (awaited_name(graph, wait).cloned(), Some(loaded.tenant.clone().unwrap_or_default()));
        let query = MessageQuery { name, tenant, kept_at: Some(self.now), ..MessageQuery::default() };
        let rows = self.engine.store.list(&query).await?.rows;
        let can_take =
            |row: &KeptMessage| row.sender != Some(instance.key()) && !self.guards.contains(&Guard::Message(row.key));
        let mut messages =
            rows.into_iter().filter(can_take).filter_map(|row| Some((row.key, Message::decode(&row.payload).ok()?)));
        Ok(messages.find(|(_, message)| matches(graph, instance, wait, message)))
    }

    /// Waits until the database knows all that was opened before this unit of work, and forgets what has been closed in it.
    async fn settle_all(&mut self) {
        for key in std::mem::take(&mut self.unsettled) {
            self.settle(key).await;
        }
        let held = &self.held;
        self.opened.retain(|(instance, wait)| held.get(instance).is_some_and(|held| held.wait(*wait).is_some()));
    }

    /// What was opened in this unit of work, in the tenant that it is about.
    fn opened_here(&self) -> impl Iterator<Item = (Key, &Wait)> {
        self.opened.iter().filter_map(|(instance, wait)| {
            let held = self.held.get(instance)?;
            let tenant = held.resident.loaded.as_ref()?.tenant.as_deref().unwrap_or_default();
            (*tenant == *self.tenant).then_some((*instance, held.wait(*wait)?))
        })
    }
}
