//! The world that the instances of a unit of work go round in, as the core asks for it.

use std::sync::Arc;

use potok_core::Name;
use potok_core::expressions::{Binding, Deployment};
use potok_core::graph::ProcessGraph;
use potok_core::instance::{Instance, Key};
use potok_core::routing::{
    Listeners, Message, Noted, Notice, Request, Running, StartPoint, Taker, World, requests, stuck,
};
use potok_core::step::{Command, Context, Rejection, step};
use potok_core::time::Timestamp;
use potok_core::value::Value;
use potok_store::Guard;
use potok_store::row::Message as KeptMessage;

use super::hearing::{Hearing, opened};
use super::{Asked, Attempt, Held, Missing};
use crate::InstanceId;
use crate::cache::Loaded;
use crate::engine::Inner;
use crate::follow::{Apart, correlation};
use crate::work::{Chore, Occurred};

/// How long a message that an instance throws is kept if nobody waits for it.
const TIME_TO_LIVE: jiff::SignedDuration = jiff::SignedDuration::from_hours(1);

impl World for Attempt<'_> {
    type Missing = Missing;

    fn instance(&mut self, key: Key) -> Result<Option<&Running>, Missing> {
        let held = self.held.get(&key).ok_or(Missing::Instance(key))?;
        let Some(loaded) = &held.resident.loaded else { return Ok(None) };
        // What it asks of others stays within its tenant: in one unit of work there may be instances of several.
        let tenant = loaded.tenant.as_deref().unwrap_or_default();
        if *self.tenant != *tenant {
            self.tenant = tenant.into();
            (self.takers, self.start) = (None, None);
        }
        Ok(Some(&loaded.running))
    }

    fn step(&mut self, instance: Key, command: Command) -> Result<Vec<Request>, Rejection> {
        // What an instance goes over to must be known as a definition.
        let after = match command.graph_after() {
            Some(graph) => Some(self.deployed(graph).cloned().ok_or(Rejection::NotActive(instance))?),
            None => None,
        };
        let held = self.held.get_mut(&instance).ok_or(Rejection::NotActive(instance))?;
        let loaded = held.resident.loaded.as_mut().ok_or(Rejection::NotActive(instance))?;
        let command = match (command.tries(&loaded.running.graph), &self.failed) {
            (Some(wait), Some((tried, failure))) if *tried == (instance, wait) => {
                Command::FailTry { wait, failure: failure.clone() }
            }
            (Some(wait), _) => {
                self.tried = Some((instance, wait));
                command
            }
            (None, _) => command,
        };
        let key = instance;
        let Running { graph, instance } = &mut loaded.running;
        let from = held.events.list.len();
        let keys = Numbers { engine: self.engine, now: self.now };
        let policies = self.engine.catalog.policies(loaded.definition);
        let mut context = Context::new(self.now, self.engine.catalog.evaluator(), &keys);
        context.policies = policies.as_deref();
        (context.time, context.room) = (self.time, self.room);
        if let Err(rejection) = step(graph, instance, command, &mut context, &mut held.events) {
            held.refused = true;
            return Err(rejection);
        }
        self.time = self.time.saturating_sub(context.took);
        self.room = self.room.saturating_sub(context.written);
        if self.tried.is_some() && self.stuck.is_none() && graph.dialect().tries_again() {
            self.stuck = stuck(graph, &held.events, from);
        }
        if let Some(after) = after {
            (*graph, loaded.definition) = (after.graph.clone(), after.definition.key);
        }
        self.takers = None;
        self.start = None;
        self.listeners = None;
        self.kept_before = None;
        self.noted.clear();
        self.opened.extend(opened(instance, &held.events, from).map(|wait| (key, wait)));
        Ok(requests(graph, instance, &held.events, from))
    }

    fn begin(
        &mut self,
        key: Option<Key>,
        graph: Arc<ProcessGraph>,
        command: Command,
    ) -> Result<(Key, Vec<Request>), Rejection> {
        let key = key.unwrap_or_else(|| self.engine.next_key(self.now));
        let Some(deployed) = self.deployed(&graph).cloned() else { return Err(Rejection::NotActive(key)) };
        let definition = &deployed.definition;
        let slot = self.engine.cache.slot(key);
        // Nobody else knows a key that has just been given out; the call of a called instance is known to its caller alone.
        let Ok(mut resident) = slot.resident.clone().try_lock_owned() else {
            return Err(Rejection::AlreadyStarted(key));
        };
        resident.generation = slot.generation();
        resident.loaded = Some(Loaded {
            running: Running { graph, instance: Instance::new(key) },
            apart: Apart::default(),
            definition: definition.key,
            tenant: Some(definition.tenant.clone()).filter(|tenant| !tenant.is_empty()),
            suspended: false,
            unique: false,
            trace: self.envelope.trace(),
            seq: 0,
            unit: 0,
            tail: 0,
            snapshot: 0,
        });
        self.tenant.clone_from(&definition.tenant);
        self.held.insert(key, Held::new(slot, resident));
        match self.step(key, command) {
            Ok(requests) => Ok((key, requests)),
            Err(rejection) => {
                if let Some(mut held) = self.held.remove(&key) {
                    held.resident.loaded = None;
                }
                self.engine.cache.forget(key);
                Err(rejection)
            }
        }
    }

    fn process(
        &mut self,
        id: &str,
        binding: &Binding,
        deployment: Option<Deployment>,
    ) -> Result<Option<Arc<ProcessGraph>>, Missing> {
        let is_it = |(of, _): &&(Asked, _)| of.0 == id && of.1 == *binding && of.2 == deployment;
        match self.processes.iter().find(is_it) {
            Some((_, found)) => Ok(found.as_ref().map(|deployed| deployed.graph.clone())),
            None => Err(Missing::Process(id.into(), binding.clone(), deployment)),
        }
    }

    fn takers(&mut self, message: &Message) -> Result<Vec<Taker>, Missing> {
        match &self.takers {
            Some((of, takers)) if of == message => Ok(takers.clone()),
            _ => Err(Missing::Takers(Box::new(message.clone()))),
        }
    }

    fn started_by(&mut self, message: &Message) -> Result<Option<StartPoint>, Missing> {
        match &self.start {
            Some((of, start)) if of == message => Ok(start.clone()),
            _ => Err(Missing::Start(Box::new(message.clone()))),
        }
    }

    fn listeners(&mut self, signal: &Name, payload: &[(Name, Value)], from: Option<Key>) -> Result<Listeners, Missing> {
        // It is heard within the thrower's tenant, whose instance need not be the last that was asked for.
        if let Some(thrower) = from {
            self.instance(thrower)?;
        }
        let asked = (signal.clone(), from);
        let Some((_, hearing)) = self.listeners.as_ref().filter(|(of, _)| *of == asked) else {
            return Err(Missing::Listeners(asked.0, from));
        };
        let Hearing { listeners, others } = hearing.clone();
        if let Some(before) = others {
            self.tell_others_later(signal, payload, from, listeners.instances.clone(), before);
        }
        Ok(listeners)
    }

    fn noted(&mut self, start: &StartPoint) -> Result<Vec<Noted>, Missing> {
        let Some(deployed) = self.deployed(&start.graph) else { return Ok(Vec::new()) };
        let event = (deployed.definition.key, start.node);
        match self.noted.get(&event) {
            Some(noted) => Ok(noted.iter().map(|(_, noted)| noted.clone()).collect()),
            None => Err(Missing::Noted(event.0, event.1)),
        }
    }

    fn note(&mut self, start: &StartPoint, noted: Noted) {
        let Some(definition) = self.deployed(&start.graph).map(|deployed| deployed.definition.key) else { return };
        // Another definition may occur in this very moment, and neither know of the other: so this is looked at again once it is kept.
        let due = if self.looked_at.is_some() { Timestamp::MAX } else { self.now };
        self.later(definition, Chore::OCCURRED, due, Occurred { node: start.node, noted }.encode());
    }

    fn take_noted(&mut self, start: &StartPoint, places: &[usize]) {
        let Some(definition) = self.deployed(&start.graph).map(|deployed| deployed.definition.key) else { return };
        let noted = self.noted.get(&(definition, start.node));
        let taken = places.iter().filter_map(|place| noted?.get(*place));
        self.guards.extend(taken.map(|(key, _)| Guard::Work { instance: definition, work: *key }));
    }

    fn keep(&mut self, message: Message, from: Option<Key>) {
        let key = self.engine.next_key(self.now);
        let an_hour = self.now.checked_add(TIME_TO_LIVE).unwrap_or(Timestamp::MAX);
        let row = KeptMessage {
            key,
            tenant: Some(self.tenant.clone()).filter(|tenant| !tenant.is_empty()),
            name: message.name.clone().unwrap_or_default(),
            correlation: message.correlation_key.as_ref().and_then(correlation),
            business_key: message.business_key.clone(),
            sender: from,
            payload: message.encode().into(),
            created: self.now,
            expires: self.keep_until.unwrap_or(an_hour),
        };
        self.kept.push((row, message));
    }

    /// What was kept before this unit of work is given later: others may keep a message and open a subscription for it at the same
    /// time, so that both look again after their commits in any case. What it keeps itself is given now, if nothing older is kept.
    fn kept_for(&mut self, instance: Key, subscription: Key) -> Result<Option<Message>, Missing> {
        let message = match self.place_of_kept(instance, subscription) {
            Some(place) => match self.kept_before.take_if(|(of, _)| *of == subscription) {
                Some((_, Some((key, message)))) => {
                    self.guards.push(Guard::Message(key));
                    Some(message)
                }
                Some((_, None)) => Some(self.kept.remove(place).1),
                None => return Err(Missing::Kept(instance, subscription)),
            },
            None => None,
        };
        self.after.opened.push((instance, subscription));
        Ok(message)
    }

    fn notice(&mut self, notice: Notice) {
        if let Notice::ChainTooLong { from, name } = notice {
            self.after.is_endless = true;
            let name = name.unwrap_or_default();
            tracing::warn!(instance = %InstanceId(from), %name, "instances answer each other without end: this is not carried on");
        }
    }
}

/// The keys of a node at one moment.
struct Numbers<'e> {
    engine: &'e Inner,
    now: Timestamp,
}

impl potok_core::step::Keys for Numbers<'_> {
    fn next(&self) -> Key {
        self.engine.next_key(self.now)
    }
}
