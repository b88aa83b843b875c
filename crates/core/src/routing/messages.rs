//! Messages and signals between the instances of a runner.

use std::borrow::Cow;
use std::sync::Arc;

use super::matching::{matches, starts};
use super::runner::{Agenda, Noted};
use super::{Correlated, Message, Notice, RunError, Runner, StartOptions, start_triggers};
use crate::Name;
use crate::expressions::{Evaluation, Variables};
use crate::graph::{Catch, MessageTarget, ProcessGraph};
use crate::instance::{Key, Wait, WaitKind};
use crate::step::{Command, StartAt, ThrownMessage};
use crate::time::Timestamp;
use crate::value::Value;

/// How long a message that nobody waits for is kept.
const TIME_TO_LIVE: jiff::SignedDuration = jiff::SignedDuration::from_hours(1);

/// A message that nobody waits for yet.
pub(super) struct Buffered {
    pub(super) message: Message,
    from: Option<Key>,
    until: Timestamp,
}

impl Runner {
    /// Sends a message from outside: to the one subscription that takes it, else it starts a process, else it is kept for an
    /// hour.
    ///
    /// # Errors
    /// If several subscriptions take it.
    pub fn correlate(&mut self, message: Message) -> Result<Correlated, RunError> {
        let found = self.subscriptions(&message);
        let mut agenda = Agenda::new();
        let correlated = match &found[..] {
            [] => match self.start_by_message(&message, None, &mut agenda) {
                Some(correlated) => correlated,
                None => {
                    self.keep(message, None);
                    Correlated::Kept
                }
            },
            [(instance, subscription)] => {
                let command = Command::DeliverMessage { subscription: *subscription, variables: message.payload };
                self.one(*instance, command, &mut agenda)?;
                Correlated::Delivered(*instance)
            }
            several => return Err(RunError::Ambiguous(several.len())),
        };
        self.work_off(agenda);
        Ok(correlated)
    }

    /// Sends a signal from outside: to everybody who listens, and to processes that it starts.
    pub fn signal(&mut self, name: &str, payload: &[(Name, Value)]) {
        let mut agenda = Agenda::new();
        self.spread_signal(None, name, payload, &mut agenda);
        self.work_off(agenda);
    }

    /// Tells the processes with conditional start events of data from outside: those whose condition holds start with it.
    pub fn evaluate_conditions(&mut self, variables: &[(Name, Value)]) {
        let view = Given(variables);
        let mut found = Vec::new();
        for graph in self.processes.values().filter_map(|versions| versions.last()) {
            for trigger in start_triggers(graph) {
                if let Catch::Condition { condition, .. } = trigger.catch
                    && let Ok(value) = condition.evaluate(&mut Evaluation::new(&view, self.now))
                    && *value.plain() == Value::Boolean(true)
                {
                    found.push((graph.clone(), trigger.node, trigger.definition, trigger.parallel));
                }
            }
        }
        let mut agenda = Agenda::new();
        for (graph, node, definition, parallel) in found {
            self.triggered(&graph, (node, definition, parallel), variables, (None, None), &mut agenda);
        }
        self.work_off(agenda);
    }

    /// All subscriptions that take a message, one of each instance and there the oldest. Where some expect that very key, those
    /// that would take any do not count.
    fn subscriptions(&self, message: &Message) -> Vec<(Key, Key)> {
        let taking = self.waits().filter_map(|(running, wait)| match &wait.kind {
            WaitKind::Message(expected) if matches(&running.graph, &running.instance, wait, message) => {
                let keyed = expected.correlation_key.is_some() || !expected.properties.is_empty();
                Some((running.instance.key(), wait.key, keyed))
            }
            _ => None,
        });
        let taking: Vec<_> = taking.collect();
        let any_keyed = taking.iter().any(|(.., keyed)| *keyed);
        let mut found: Vec<(Key, Key)> = Vec::new();
        for (instance, subscription, keyed) in taking {
            if keyed == any_keyed && !found.iter().any(|(other, _)| *other == instance) {
                found.push((instance, subscription));
            }
        }
        found
    }

    /// A message thrown by an instance: to the instance that this one started or was started by, else to one with the same
    /// business key, else to the only one that waits, else it starts one, else it is kept.
    pub(super) fn route_message(
        &mut self,
        from: Key,
        thrown: ThrownMessage,
        target: Option<MessageTarget>,
        agenda: &mut Agenda,
    ) {
        let message = Message {
            name: thrown.name,
            correlation_key: thrown.correlation_key,
            properties: thrown.properties,
            payload: thrown.payload,
            target,
            business_key: None,
            variables: Vec::new(),
        };
        if message.target.as_ref().is_some_and(|target| target.process.is_none()) {
            return self.notices.push(Notice::MessageSent { message });
        }
        if !self.goes_on(from, message.name.as_ref()) {
            return self.keep(message, Some(from));
        }
        // A message goes from one participant to another: never back to its sender.
        let mut found = self.subscriptions(&message);
        found.retain(|(instance, _)| *instance != from);
        let business_key = self.instance(from).and_then(|sender| sender.instance.business_key().cloned());
        let related = found.iter().find(|(instance, _)| self.are_related(from, *instance));
        let same_key = found.iter().find(|(instance, _)| {
            business_key.is_some()
                && self.instance(*instance).and_then(|other| other.instance.business_key()) == business_key.as_ref()
        });
        let only = match &found[..] {
            [only] => Some(only),
            _ => None,
        };
        if let Some((instance, subscription)) = related.or(same_key).or(only).copied() {
            let command = Command::DeliverMessage { subscription, variables: message.payload };
            // The subscription was found a moment ago in this very unit of work.
            let _ = self.one(instance, command, agenda);
        } else if self.start_by_message(&message, Some(from), agenda).is_none() {
            self.keep(message, Some(from));
        }
    }

    fn are_related(&self, one: Key, other: Key) -> bool {
        let started_by = |key: Key| self.instance(key).and_then(|running| running.started_by);
        started_by(one) == Some(other) || started_by(other) == Some(one)
    }

    fn start_by_message(&mut self, message: &Message, from: Option<Key>, agenda: &mut Agenda) -> Option<Correlated> {
        let (graph, node, definition, parallel) =
            self.processes.values().filter_map(|versions| versions.last()).find_map(|graph| {
                let trigger =
                    start_triggers(graph).find(|trigger| starts(graph, trigger.node, trigger.catch, message))?;
                Some((graph.clone(), trigger.node, trigger.definition, trigger.parallel))
            })?;
        let business_key = message.business_key.clone().or_else(|| {
            from.and_then(|from| self.instance(from)).and_then(|sender| sender.instance.business_key().cloned())
        });
        Some(self.triggered(&graph, (node, definition, parallel), &message.payload, (business_key, from), agenda))
    }

    /// One definition of a start event has occurred: the process starts, if the event needs no others or has them all.
    fn triggered(
        &mut self,
        graph: &Arc<ProcessGraph>,
        (node, definition, parallel): (u32, u32, bool),
        payload: &[(Name, Value)],
        (business_key, started_by): (Option<Name>, Option<Key>),
        agenda: &mut Agenda,
    ) -> Correlated {
        let mut variables = payload.to_vec();
        if parallel {
            let is_it = |noted: &Noted| noted.process == *graph.id() && noted.node == node;
            let mut definitions: Vec<u32> =
                self.noted.iter().filter(|noted| is_it(noted)).map(|noted| noted.definition).collect();
            definitions.push(definition);
            definitions.sort_unstable();
            definitions.dedup();
            if definitions.len() < graph.catches(node).len() {
                self.noted.push(Noted { process: graph.id().clone(), node, definition, payload: variables });
                return Correlated::Noted;
            }
            let earlier = self.noted.iter().filter(|noted| is_it(noted)).flat_map(|noted| noted.payload.clone());
            variables = earlier.chain(variables).collect();
            self.noted.retain(|noted| !is_it(noted));
        }
        let at = StartAt::Event(graph.node(node).id.clone());
        let options = StartOptions { at, business_key, variables, ..StartOptions::default() };
        match self.begin(graph.clone(), options, started_by, agenda) {
            Ok(key) => Correlated::Started(key),
            // A start event of its own graph is never refused.
            Err(_) => Correlated::Noted,
        }
    }

    fn keep(&mut self, message: Message, from: Option<Key>) {
        let until = self.now.checked_add(TIME_TO_LIVE).unwrap_or(Timestamp::MAX);
        self.notices.push(Notice::MessageKept { from, message: message.clone(), until });
        self.buffered.push(Buffered { message, from, until });
    }

    /// A new subscription takes the oldest message that was kept for it.
    pub(super) fn deliver_kept(&mut self, subscription: Key, agenda: &mut Agenda) {
        if self.stopped {
            return;
        }
        let Some(instance) = self.owner(subscription) else { return };
        let Some(running) = self.instances.get(&instance) else { return };
        let Some(wait) = running.instance.wait(subscription) else { return };
        let takes = |buffered: &Buffered, wait: &Wait| {
            buffered.from != Some(instance) && matches(&running.graph, &running.instance, wait, &buffered.message)
        };
        let Some(index) = self.buffered.iter().position(|buffered| takes(buffered, wait)) else { return };
        let variables = self.buffered.remove(index).message.payload;
        let _ = self.one(instance, Command::DeliverMessage { subscription, variables }, agenda);
    }

    pub(super) fn drop_expired(&mut self) {
        let now = self.now;
        self.buffered.retain(|buffered| buffered.until > now);
    }

    pub(super) fn spread_signal(
        &mut self,
        from: Option<Key>,
        name: &str,
        payload: &[(Name, Value)],
        agenda: &mut Agenda,
    ) {
        let listens = |wait: &Wait| matches!(&wait.kind, WaitKind::Signal(signal) if &*signal.name == name);
        let mut listening: Vec<Key> = self
            .waits()
            .filter(|(running, wait)| Some(running.instance.key()) != from && listens(wait))
            .map(|(running, _)| running.instance.key())
            .collect();
        listening.sort_unstable();
        listening.dedup();
        let mut starting = Vec::new();
        for graph in self.processes.values().filter_map(|versions| versions.last()) {
            for trigger in start_triggers(graph) {
                if let Catch::Signal { name: caught } = trigger.catch
                    && caught.as_literal() == Some(&Value::String(name.into()))
                {
                    starting.push((graph.clone(), trigger.node, trigger.definition, trigger.parallel));
                }
            }
        }
        for instance in listening {
            let command = Command::DeliverSignal { name: name.into(), variables: payload.to_vec() };
            // One that has ended meanwhile no longer listens.
            let _ = self.one(instance, command, agenda);
        }
        for (graph, node, definition, parallel) in starting {
            self.triggered(&graph, (node, definition, parallel), payload, (None, from), agenda);
        }
    }
}

/// Variables that are given, without an instance.
pub(super) struct Given<'a>(pub(super) &'a [(Name, Value)]);

impl Variables for Given<'_> {
    fn get(&self, name: &str) -> Option<Cow<'_, Value>> {
        self.0.iter().find(|(other, _)| &**other == name).map(|(_, value)| Cow::Borrowed(value))
    }

    fn names(&self) -> Vec<Name> {
        self.0.iter().map(|(name, _)| name.clone()).collect()
    }
}
