//! Which subscription a message is for.

use std::borrow::Cow;

use super::{Running, Taker};
use crate::dialect::Dialect;
use crate::expressions::{Evaluation, Variables};
use crate::graph::{Catch, MessageTarget, ProcessGraph};
use crate::instance::{Instance, Key, Ordinal, Wait, WaitKind};
use crate::trigger::message::readable;
use crate::{Name, value::Value};

/// A message on its way.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Message {
    /// Its name.
    pub name: Option<Name>,
    /// The pool or flow node that it is addressed to.
    pub target: Option<MessageTarget>,
    /// The key that a subscription with a key must have.
    pub correlation_key: Option<Value>,
    /// The values of its correlation properties.
    pub properties: Vec<(Name, Value)>,
    /// Only an instance with this business key.
    pub business_key: Option<Name>,
    /// Only an instance whose variables have these values.
    pub variables: Vec<(Name, Value)>,
    /// What it carries.
    pub payload: Vec<(Name, Value)>,
}

/// Whether a subscription of an instance takes a message, apart from who sent it.
///
/// A subscription with a key takes only messages with that key; expected correlation properties must have the values that they have in
/// one of the instance's conversations (BPMN 2.0.2 §8.4.2).
#[must_use]
pub fn matches(graph: &ProcessGraph, instance: &Instance, wait: &Wait, message: &Message) -> bool {
    let WaitKind::Message(subscription) = &wait.kind else { return false };
    if !is_for(graph, wait.node, &subscription.name, message) {
        return false;
    }
    if let Some(expected) = &subscription.correlation_key
        && !message.correlation_key.as_ref().is_some_and(|key| is_key(graph.dialect(), key, expected))
    {
        return false;
    }
    if message.business_key.is_some() && message.business_key.as_ref() != instance.business_key() {
        return false;
    }
    let scope = instance.scope_of(wait);
    let has =
        |(name, value): &(Name, Value)| instance.visible(scope, name).is_some_and(|found| found.loosely_equal(value));
    let fits = |(name, expected): &(Name, Value)| {
        expected.is_null()
            || property(graph, instance, wait, message, name).is_some_and(|value| value.loosely_equal(expected))
    };
    message.variables.iter().all(has)
        && (subscription.properties.is_empty()
            || subscription.conversations().any(|expected| expected.iter().all(fits)))
}

/// Whether a message flow leads a message to this very flow node.
#[must_use]
pub(super) fn is_addressed(graph: &ProcessGraph, node: Ordinal, message: &Message) -> bool {
    message.target.as_ref().is_some_and(|target| {
        let id = graph.get_node(node).map(|node| &node.id);
        target.process.as_ref() == Some(graph.id()) && target.node.is_some() && target.node.as_ref() == id
    })
}

/// Whether a message may be for what waits for one of that name on a flow node. Where its message flow leads that need not be its
/// name: if the flow node waits for one message only, or names none here.
fn is_for(graph: &ProcessGraph, node: Ordinal, name: &Name, message: &Message) -> bool {
    if message.target.as_ref().is_some_and(|target| target.process.as_ref() != Some(graph.id())) {
        return false;
    }
    let is_only = || {
        let messages = graph.catches(node).iter().filter(|catch| matches!(catch, Catch::Message { .. }));
        messages.take(2).count() == 1
    };
    message.name.as_ref() == Some(name)
        || (is_addressed(graph, node, message) && (*name == graph.node(node).id || is_only()))
}

/// Whether a message's correlation key is the one that is expected. In Camunda 8 keys are texts: numbers are told as theirs.
#[must_use]
pub fn is_key(dialect: Dialect, key: &Value, expected: &Value) -> bool {
    let is_told_by = |text: &Value, number: &Value| {
        let whole = number.as_i64().map(|whole| whole.to_string());
        text.as_str() == Some(&whole.unwrap_or_else(|| number.to_string()))
    };
    match (key.plain(), expected.plain()) {
        (text @ Value::String(_), number @ (Value::Integer(_) | Value::Number(_)))
        | (number @ (Value::Integer(_) | Value::Number(_)), text @ Value::String(_)) => {
            dialect == Dialect::Zeebe && is_told_by(text, number)
        }
        (key, expected) => key.loosely_equal(expected),
    }
}

/// The correlation property of a subscription for which what a message carries has another value than in any conversation, and that
/// value.
#[must_use]
pub fn contradicts(
    graph: &ProcessGraph,
    instance: &Instance,
    wait: &Wait,
    payload: &[(Name, Value)],
) -> Option<(Name, Value)> {
    let WaitKind::Message(subscription) = &wait.kind else { return None };
    let message = Message { payload: payload.to_vec(), ..Message::default() };
    let other = |(name, expected): &(Name, Value)| {
        let value = property(graph, instance, wait, &message, name).filter(|value| !value.is_null())?;
        (!expected.is_null() && !value.loosely_equal(expected)).then(|| (name.clone(), value))
    };
    let others: Option<Vec<_>> = subscription.conversations().map(|expected| expected.iter().find_map(other)).collect();
    others?.into_iter().next()
}

/// The value of a correlation property of a message: as the message says, or as the model reads it from what it carries.
fn property(graph: &ProcessGraph, instance: &Instance, wait: &Wait, message: &Message, name: &str) -> Option<Value> {
    if let Some((_, value)) = message.properties.iter().find(|(other, _)| &**other == name) {
        return Some(value.clone());
    }
    let Some(Catch::Message { properties, .. }) = graph.catches(wait.node).get(wait.definition as usize) else {
        return None;
    };
    let property = properties.iter().find(|property| &*property.name == name)?;
    let payload = readable(&message.payload);
    property.retrieval.evaluate(&mut Evaluation::new(&Given(&payload), instance.now())).ok()
}

impl Taker {
    /// A subscription of an instance, if that takes a message.
    #[must_use]
    pub fn of(running: &Running, wait: &Wait, message: &Message) -> Option<Self> {
        let Running { graph, instance } = running;
        let WaitKind::Message(expected) = &wait.kind else { return None };
        matches(graph, instance, wait, message).then(|| Self {
            instance: instance.key(),
            subscription: wait.key,
            addressed: is_addressed(graph, wait.node, message),
            keyed: expected.correlation_key.is_some() || !expected.properties.is_empty(),
            business_key: instance.business_key().cloned(),
            started_by: instance.started_by(),
        })
    }
}

/// Which subscription of an instance takes a message that this one would: the one that its message flow leads to, if that is open as
/// well.
pub(super) fn taken_by(running: &Running, subscription: Key, message: &Message) -> Key {
    let takers = || running.instance.waits().filter_map(|wait| Taker::of(running, wait, message));
    let leads_to_node = message.target.as_ref().is_some_and(|target| target.node.is_some());
    let addressed =
        leads_to_node.then(|| takers().filter(|taker| taker.addressed).map(|taker| taker.subscription).min());
    addressed.flatten().unwrap_or(subscription)
}

/// The name of the messages that a subscription takes; none if only message flows tell which.
#[must_use]
pub fn awaited_name<'w>(graph: &ProcessGraph, wait: &'w Wait) -> Option<&'w Name> {
    let WaitKind::Message(expected) = &wait.kind else { return None };
    let catch = graph.catches(wait.node).get(wait.definition as usize);
    (!matches!(catch, Some(Catch::Message { name: None, .. }))).then_some(&expected.name)
}

/// Whether a start event with this catch takes a message.
#[must_use]
pub fn starts(graph: &ProcessGraph, node: u32, catch: &Catch, message: &Message) -> bool {
    let Catch::Message { name, .. } = catch else { return false };
    let leads_elsewhere = message.target.as_ref().is_some_and(|target| target.node.is_some());
    if leads_elsewhere && !is_addressed(graph, node, message) {
        return false;
    }
    let name = match name.as_ref().and_then(|name| name.as_literal()) {
        Some(Value::String(name)) => name,
        _ => &graph.node(node).id,
    };
    is_for(graph, node, name, message)
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
