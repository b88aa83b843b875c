//! A runner as the world that its instances go round in: it knows everything at once.

use std::convert::Infallible;
use std::sync::Arc;

use super::matching::{matches, starts};
use super::runner::Buffered;
use super::{
    Listeners, Message, Noted, Notice, Request, Runner, Running, StartPoint, Stepped, Taker, World, requests,
    start_triggers,
};
use crate::Name;
use crate::expressions::{Binding, Deployment};
use crate::graph::{Catch, ProcessGraph};
use crate::instance::{Instance, Key, WaitKind};
use crate::step::{Command, Context, Events, Keys, Rejection, step};
use crate::time::Timestamp;
use crate::value::Value;

/// How long a message that nobody waits for is kept.
const TIME_TO_LIVE: jiff::SignedDuration = jiff::SignedDuration::from_hours(1);

impl World for Runner {
    type Missing = Infallible;

    fn instance(&mut self, key: Key) -> Result<Option<&Running>, Infallible> {
        Ok(self.instances.get(&key))
    }

    fn step(&mut self, instance: Key, command: Command) -> Result<Vec<Request>, Rejection> {
        self.remember(instance);
        let running = self.instances.get_mut(&instance).ok_or(Rejection::NotActive(instance))?;
        let mut events = Events::new();
        let mut context = Context::new(self.now, &*self.expressions, &self.keys);
        (context.budget, context.time, context.room) = (self.budget, self.time_left, self.room);
        let after = command.graph_after().cloned();
        step(&running.graph, &mut running.instance, command, &mut context, &mut events)?;
        self.time_left = self.time_left.saturating_sub(context.took);
        self.room = self.room.saturating_sub(context.written);
        running.graph = after.unwrap_or_else(|| running.graph.clone());
        let asked = requests(&running.graph, &running.instance, &events, 0);
        let graph = running.graph.clone();
        self.index(instance, &events);
        self.log.push(Stepped { instance, graph, events });
        Ok(asked)
    }

    fn begin(
        &mut self,
        key: Option<Key>,
        graph: Arc<ProcessGraph>,
        command: Command,
    ) -> Result<(Key, Vec<Request>), Rejection> {
        let key = key.unwrap_or_else(|| self.keys.next());
        self.remember(key);
        self.instances.insert(key, Running { graph, instance: Instance::new(key) });
        match self.step(key, command) {
            Ok(requests) => Ok((key, requests)),
            Err(rejection) => {
                self.instances.remove(&key);
                Err(rejection)
            }
        }
    }

    fn process(
        &mut self,
        id: &str,
        binding: &Binding,
        deployment: Option<Deployment>,
    ) -> Result<Option<Arc<ProcessGraph>>, Infallible> {
        Ok(self.bound(id, binding, deployment))
    }

    fn takers(&mut self, message: &Message) -> Result<Vec<Taker>, Infallible> {
        Ok(self.waits().filter_map(|(running, wait)| Taker::of(running, wait, message)).collect())
    }

    fn started_by(&mut self, message: &Message) -> Result<Option<StartPoint>, Infallible> {
        let newest = self.processes.values().filter_map(|versions| versions.last());
        Ok(newest.into_iter().find_map(|graph| {
            let trigger = start_triggers(graph).find(|trigger| starts(graph, trigger.node, trigger.catch, message))?;
            Some(StartPoint::of(graph, &trigger))
        }))
    }

    fn listeners(&mut self, name: &Name, _: &[(Name, Value)], from: Option<Key>) -> Result<Listeners, Infallible> {
        let listening = self.waits().filter(|(running, wait)| {
            let listens = matches!(&wait.kind, WaitKind::Signal(signal) if signal.name == *name);
            listens && Some(running.instance.key()) != from
        });
        let mut instances: Vec<Key> = listening.map(|(running, _)| running.instance.key()).collect();
        instances.sort_unstable();
        instances.dedup();
        let caught = Value::String(name.clone());
        let catches = |catch: &Catch| matches!(catch, Catch::Signal { name } if name.as_literal() == Some(&caught));
        let newest = self.processes.values().filter_map(|versions| versions.last());
        let starts = newest.flat_map(|graph| {
            let triggers = start_triggers(graph).filter(|trigger| catches(trigger.catch));
            triggers.map(|trigger| StartPoint::of(graph, &trigger))
        });
        Ok(Listeners { instances, starts: starts.collect() })
    }

    fn noted(&mut self, start: &StartPoint) -> Result<Vec<Noted>, Infallible> {
        Ok(self.noted.get(&(start.graph.id().clone(), start.node)).cloned().unwrap_or_default())
    }

    fn note(&mut self, start: &StartPoint, noted: Noted) {
        self.noted.entry((start.graph.id().clone(), start.node)).or_default().push(noted);
    }

    fn take_noted(&mut self, start: &StartPoint, places: &[usize]) {
        let noted = self.noted.entry((start.graph.id().clone(), start.node)).or_default();
        let mut place = 0..;
        noted.retain(|_| place.next().is_none_or(|place| !places.contains(&place)));
    }

    fn keep(&mut self, message: Message, from: Option<Key>) {
        let until = self.now.checked_add(TIME_TO_LIVE).unwrap_or(Timestamp::MAX);
        self.notices.push(Notice::MessageKept { from, message: message.clone(), until });
        self.buffered.push(Buffered { message, from, until });
    }

    fn kept_for(&mut self, instance: Key, subscription: Key) -> Result<Option<Message>, Infallible> {
        let found = self.instances.get(&instance).and_then(|running| {
            let wait = running.instance.wait(subscription)?;
            self.buffered.iter().position(|buffered| {
                // An instance never gets its own message.
                buffered.from != Some(instance) && matches(&running.graph, &running.instance, wait, &buffered.message)
            })
        });
        Ok(found.map(|place| self.buffered.remove(place).message))
    }

    fn notice(&mut self, notice: Notice) {
        self.notices.push(notice);
    }
}

impl Runner {
    pub(super) fn drop_expired(&mut self) {
        let now = self.now;
        self.buffered.retain(|buffered| buffered.until > now);
    }
}
