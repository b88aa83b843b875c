//! Messages and signals between instances.

use std::collections::BTreeSet;

use super::matching::taken_by;
use super::work::Asked;
use super::{
    Brought, Correlated, Listeners, Message, Noted, Notice, Request, RunError, StartPoint, Taker, Work, World,
};
use crate::Name;
use crate::graph::MessageTarget;
use crate::instance::Key;
use crate::step::{Command, StartAt, ThrownMessage, ThrownSignal, check_values};
use crate::value::Value;

impl Work {
    /// Sends a message from outside: to the one subscription that takes it, else it starts a process, else it is kept.
    ///
    /// # Errors
    /// If the host must look something up first; or, inside, if several subscriptions take it, the one refuses, or a value
    /// is too large.
    pub fn correlate<W: World>(
        &mut self,
        world: &mut W,
        message: &Message,
    ) -> Result<Result<Correlated, RunError>, W::Missing> {
        if let Err(rejection) = check_values(&message.payload) {
            return Ok(Err(rejection.into()));
        }
        let takers = choose(world.takers(message)?);
        Ok(match &takers[..] {
            [] => match self.start_by_message(world, message, None)? {
                Some(correlated) => Ok(correlated),
                None => {
                    world.keep(message.clone(), None);
                    Ok(Correlated::Kept)
                }
            },
            [taker] => {
                let (instance, subscription) = (taker.instance, taker.subscription);
                if world.instance(instance)?.is_none() {
                    return Ok(Err(RunError::UnknownInstance(instance)));
                }
                let variables = message.payload.clone();
                match world.step(instance, Command::DeliverMessage { subscription, variables }) {
                    Ok(requests) => {
                        self.ask(instance, requests);
                        Ok(Correlated::Delivered(instance))
                    }
                    Err(rejection) => Err(rejection.into()),
                }
            }
            several => Err(RunError::Ambiguous(several.len())),
        })
    }

    /// A message thrown by an instance: to the instance that this one started or was started by, else to one with the same
    /// business key, else to the only one that waits, else it starts one, else it is kept. If a message flow leads it to a start
    /// event, it starts an instance.
    pub(super) fn route_message<W: World>(
        &mut self,
        world: &mut W,
        from: Key,
        thrown: &ThrownMessage,
        target: Option<&MessageTarget>,
    ) -> Result<(), W::Missing> {
        let message = Message {
            name: thrown.name.clone(),
            correlation_key: thrown.correlation_key.clone(),
            properties: thrown.properties.clone(),
            payload: thrown.payload.clone(),
            target: target.cloned(),
            business_key: None,
            variables: Vec::new(),
        };
        if message.target.as_ref().is_some_and(|target| target.process.is_none()) {
            world.notice(Notice::MessageSent { message });
            return Ok(());
        }
        let business_key = world.instance(from)?.and_then(|sender| sender.instance.business_key().cloned());
        let leads_to_node = message.target.as_ref().is_some_and(|target| target.node.is_some());
        let mut taker = taker_of(world, &message, from)?;
        // Whatever must be looked up is known before anything is counted or done.
        if taker.as_ref().is_none_or(|taker| leads_to_node && !taker.addressed)
            && let Some(start) = world.started_by(&message)?
        {
            world.noted(&start)?;
            taker = None;
        }
        if let Some(taker) = &taker {
            world.instance(taker.instance)?;
        }
        if !self.goes_on(world, from, message.name.as_ref()) {
            world.keep(message, Some(from));
            return Ok(());
        }
        if let Some(taker) = taker {
            let (instance, subscription) = (taker.instance, taker.subscription);
            return self.give(world, instance, || Command::DeliverMessage { subscription, variables: message.payload });
        }
        if self.start_by_message(world, &message, Some((from, business_key)))?.is_none() {
            world.keep(message, Some(from));
        }
        Ok(())
    }

    /// Looks again for whoever takes a message that was kept: perhaps somebody has begun to wait meanwhile. Says whether
    /// somebody took it.
    ///
    /// # Errors
    /// If the host must look something up first.
    pub fn deliver_again<W: World>(
        &mut self,
        world: &mut W,
        message: &Message,
        from: Option<Key>,
    ) -> Result<bool, W::Missing> {
        let taker = match from {
            Some(from) => taker_of(world, message, from)?,
            None => <[Taker; 1]>::try_from(choose(world.takers(message)?)).ok().map(|[only]| only),
        };
        let Some(Taker { instance, subscription, .. }) = taker else { return Ok(false) };
        self.deliver(world, instance, subscription, message)
    }

    /// Gives a message that was kept to a subscription that takes it, or to the one of its instance that its message flow leads to.
    /// Says whether it was taken.
    ///
    /// # Errors
    /// If the host must look something up first.
    pub fn deliver<W: World>(
        &mut self,
        world: &mut W,
        instance: Key,
        subscription: Key,
        message: &Message,
    ) -> Result<bool, W::Missing> {
        let Some(running) = world.instance(instance)? else { return Ok(false) };
        let taken_by = taken_by(running, subscription, message);
        let command = Command::DeliverMessage { subscription: taken_by, variables: message.payload.clone() };
        let delivered = world.step(instance, command);
        let taken = delivered.is_ok();
        if taken && taken_by != subscription {
            // There may be another one for this subscription.
            self.ask_first(vec![Asked::Request(instance, Request::Subscribed { subscription })]);
        }
        self.ask(instance, delivered.unwrap_or_default());
        Ok(taken)
    }

    fn start_by_message<W: World>(
        &mut self,
        world: &mut W,
        message: &Message,
        from: Option<(Key, Option<Name>)>,
    ) -> Result<Option<Correlated>, W::Missing> {
        let Some(start) = world.started_by(message)? else { return Ok(None) };
        let (started_by, sender_key) = from.unzip();
        let business_key = message.business_key.clone().or(sender_key.flatten());
        let payload = message.payload.clone();
        let brought = Brought { payload, business_key, started_by, ..Brought::default() };
        self.trigger(world, &start, &brought).map(Some)
    }

    /// A definition of a start event has occurred: the process starts, if the event needs no others or has them all. What comes
    /// with it has been checked (`Value::check`).
    ///
    /// # Errors
    /// If the host must look something up first.
    pub fn trigger<W: World>(
        &mut self,
        world: &mut W,
        start: &StartPoint,
        brought: &Brought,
    ) -> Result<Correlated, W::Missing> {
        let of = |definition: u32, mut payload: Vec<(Name, Value)>| {
            if start.graph.catches(start.node).len() > 1 {
                start.graph.take_item(start.node, definition, &mut payload);
            }
            payload
        };
        let mut variables = brought.payload.clone();
        if start.parallel {
            let earlier = world.noted(start)?;
            let Some(places) = start.completed_by(&earlier, &brought.payload) else {
                if start.counts_again(&earlier) {
                    world.note(start, Noted { definition: start.definition, payload: variables });
                }
                return Ok(Correlated::Noted);
            };
            let before = places.iter().map(|place| &earlier[*place]);
            let before = before.flat_map(|noted| of(noted.definition, noted.payload.clone()));
            variables = before.chain(of(start.definition, variables)).collect();
            world.take_noted(start, &places);
        } else {
            variables = of(start.definition, variables);
        }
        let command = Command::Start {
            at: StartAt::Event(start.graph.node(start.node).id.clone()),
            business_key: brought.business_key.clone(),
            variables,
            caller: None,
            started_by: brought.started_by,
            initiator: brought.initiator.clone(),
        };
        Ok(match world.begin(None, start.graph.clone(), command) {
            Ok((key, requests)) => {
                self.ask(key, requests);
                Correlated::Started(key)
            }
            // A start event of its own graph is never refused, and what came has been checked.
            Err(_) => Correlated::Noted,
        })
    }

    /// A new subscription takes the oldest message that was kept for it.
    pub(super) fn deliver_kept<W: World>(
        &mut self,
        world: &mut W,
        instance: Key,
        subscription: Key,
    ) -> Result<(), W::Missing> {
        if self.stopped {
            return Ok(());
        }
        if world.instance(instance)?.is_none_or(|running| running.instance.wait(subscription).is_none()) {
            return Ok(());
        }
        let Some(message) = world.kept_for(instance, subscription)? else { return Ok(()) };
        self.deliver(world, instance, subscription, &message).map(|_| ())
    }

    /// Sends a signal from outside: to everybody who listens, and to the processes that it starts.
    ///
    /// # Errors
    /// If the host must look something up first; or, inside, if a value is too large.
    pub fn signal<W: World>(
        &mut self,
        world: &mut W,
        name: &Name,
        payload: &[(Name, Value)],
    ) -> Result<Result<(), RunError>, W::Missing> {
        if let Err(rejection) = check_values(payload) {
            return Ok(Err(rejection.into()));
        }
        let listeners = world.listeners(name, payload, None)?;
        self.tell(name, payload, None, listeners);
        Ok(Ok(()))
    }

    pub(super) fn spread_signal<W: World>(
        &mut self,
        world: &mut W,
        from: Key,
        signal: &ThrownSignal,
    ) -> Result<(), W::Missing> {
        let listeners = world.listeners(&signal.name, &signal.payload, Some(from))?;
        if self.goes_on(world, from, Some(&signal.name)) {
            self.tell(&signal.name, &signal.payload, Some(from), listeners);
        }
        Ok(())
    }

    /// Tells all listeners of a signal of that instance or from outside next, each on its own: so that what must be looked up for
    /// one does not tell another twice.
    pub fn tell(&mut self, name: &Name, payload: &[(Name, Value)], from: Option<Key>, listeners: Listeners) {
        let instances = listeners.instances.into_iter().map(|to| {
            let command = Command::DeliverSignal { name: name.clone(), variables: payload.to_vec() };
            Asked::Command(to, command)
        });
        let brought = Brought { payload: payload.to_vec(), started_by: from, ..Brought::default() };
        let starts = listeners.starts.into_iter().map(|start| Asked::Start(start, brought.clone()));
        self.ask_first(instances.chain(starts).collect());
    }

    /// Definitions of start events occur next, each on its own, likewise.
    pub(super) fn start(&mut self, starts: Vec<StartPoint>, brought: &Brought) {
        self.ask_first(starts.into_iter().map(|start| Asked::Start(start, brought.clone())).collect());
    }
}

/// Who takes a message that an instance throws. It goes from one participant to another, never back to its sender.
fn taker_of<W: World>(world: &mut W, message: &Message, from: Key) -> Result<Option<Taker>, W::Missing> {
    let sender = world.instance(from)?.map(|sender| &sender.instance);
    let business_key = sender.and_then(|sender| sender.business_key().cloned());
    let sender_started_by = sender.and_then(|sender| sender.started_by());
    let mut takers = world.takers(message)?;
    takers.retain(|taker| taker.instance != from);
    let mut takers = choose(takers);
    let is_related = |taker: &Taker| taker.started_by == Some(from) || sender_started_by == Some(taker.instance);
    let has_key = |taker: &Taker| business_key.is_some() && taker.business_key == business_key;
    let chosen = takers.iter().position(is_related).or_else(|| takers.iter().position(has_key));
    let is_only = match &takers[..] {
        [first, second, ..] => first.addressed && !second.addressed,
        few => !few.is_empty(),
    };
    Ok(chosen.or(is_only.then_some(0)).map(|place| takers.swap_remove(place)))
}

/// Of those that take a message one for each instance: the one that its message flow leads to, else the oldest; those that it leads
/// to first. Where some expect that very key, instances that would take any do not count.
fn choose(mut takers: Vec<Taker>) -> Vec<Taker> {
    let keyed: BTreeSet<Key> = takers.iter().filter(|taker| taker.keyed).map(|taker| taker.instance).collect();
    takers.retain(|taker| keyed.is_empty() || keyed.contains(&taker.instance));
    takers.sort_by_key(|taker| (taker.instance, !taker.addressed, !taker.keyed, taker.subscription));
    takers.dedup_by_key(|taker| taker.instance);
    takers.sort_by_key(|taker| (!taker.addressed, taker.subscription));
    takers
}
