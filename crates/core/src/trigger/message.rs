//! Messages: subscriptions, throws and correlation (BPMN 2.0.2 §8.4.2, §10.5.1).

use std::borrow::Cow;
use std::sync::Arc;

use crate::expressions::EvaluationError;
use crate::graph::{Catch, CorrelationProperty, Expression, Throw};
use crate::instance::{Key, MessageWait, NONE, Ordinal, ScopeId, TokenId, WaitKind};
use crate::step::{Event, Step, ThrownMessage, index_of};
use crate::{Name, value::Value};

/// What a message subscription waits for.
pub(crate) fn subscription(
    step: &mut Step<'_, '_>,
    node: Ordinal,
    scope: ScopeId,
    name: Option<&Expression>,
    correlation_key: Option<&Expression>,
    properties: &[CorrelationProperty],
) -> Result<WaitKind, EvaluationError> {
    let name = match name {
        Some(name) => Some(step.name(name, scope, node)?),
        None => None,
    };
    // Where only a message flow leads here, the flow node itself is the address.
    let name = name.unwrap_or_else(|| step.graph.node(node).id.clone());
    let correlation_key = key(step, node, scope, correlation_key)?;
    let properties = expected(step, node, scope, properties)?;
    Ok(WaitKind::Message(Arc::new(MessageWait { name, correlation_key, properties })))
}

/// Computes a correlation key. Without a value nothing could ever match.
fn key(
    step: &mut Step<'_, '_>,
    node: Ordinal,
    scope: ScopeId,
    expression: Option<&Expression>,
) -> Result<Option<Value>, EvaluationError> {
    let Some(expression) = expression else { return Ok(None) };
    match step.evaluate(expression, scope, node)? {
        Value::Null => Err(EvaluationError::Failed(format!(
            "the correlation key `{}` has no value; set the variables that it is computed from",
            expression.text
        ))),
        key => Ok(Some(key)),
    }
}

/// What the correlation properties must be for a message to belong to one of the instance's conversations: what the process's data
/// say of them, else what earlier messages of that conversation carried. Empty if any message may.
fn expected(
    step: &mut Step<'_, '_>,
    node: Ordinal,
    scope: ScopeId,
    properties: &[CorrelationProperty],
) -> Result<Vec<(Name, Value)>, EvaluationError> {
    let bound = bound(step, node, scope, properties)?;
    let mut conversations = Vec::new();
    let known = step.instance.conversations();
    for conversation in if known.is_empty() { vec![Vec::new()] } else { known } {
        let value = |property: &CorrelationProperty| {
            let known = || conversation.iter().find(|(name, _)| **name == property.name).map(|(_, value)| *value);
            let of_data = bound.iter().find(|(name, _)| *name == property.name).map(|(_, value)| value);
            // What is bound is told by the data alone.
            if property.binding.is_some() { of_data } else { known() }
        };
        let values: Vec<_> = properties.iter().map(|property| value(property).cloned().unwrap_or_default()).collect();
        if values.iter().all(Value::is_null) {
            return Ok(Vec::new());
        }
        if !conversations.contains(&values) {
            conversations.push(values);
        }
    }
    let says = |place: &usize| conversations.iter().any(|values| !values[*place].is_null());
    let places: Vec<usize> = (0..properties.len()).filter(says).collect();
    let each = |values: &Vec<Value>| -> Vec<_> {
        places.iter().map(|place| (properties[*place].name.clone(), values[*place].clone())).collect()
    };
    Ok(conversations.iter().flat_map(each).collect())
}

/// The correlation properties that the process's data give.
fn bound(
    step: &mut Step<'_, '_>,
    node: Ordinal,
    scope: ScopeId,
    properties: &[CorrelationProperty],
) -> Result<Vec<(Name, Value)>, EvaluationError> {
    let mut bound = Vec::new();
    for property in properties {
        if let Some(binding) = &property.binding {
            let value = step.evaluate(binding, scope, node)?;
            // A property without a value yet restricts nothing.
            if !value.is_null() {
                bound.push((property.name.clone(), value));
            }
        }
    }
    Ok(bound)
}

/// What the paths of correlation properties are read in. A message of one value is that value, whatever its thrower calls it (BPMN 2.0.2
/// §8.4.2, §10.4.1): what that holds is there by itself.
pub(crate) fn readable(payload: &[(Name, Value)]) -> Cow<'_, [(Name, Value)]> {
    let [(name, value)] = payload else { return Cow::Borrowed(payload) };
    let Value::Map(held) = value.plain() else { return Cow::Borrowed(payload) };
    let mut readable: Vec<_> = held.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
    if held.get(name).is_none() {
        readable.push((name.clone(), value.clone()));
    }
    Cow::Owned(readable)
}

/// The value of a correlation property that what a message carries gives by itself: it says which conversation the message
/// belongs to, also where its thrower takes part in several (BPMN 2.0.2 §8.4.2). Null if it gives none.
fn content(step: &mut Step<'_, '_>, node: Ordinal, property: &CorrelationProperty, payload: &[(Name, Value)]) -> Value {
    step.evaluate_with(&property.retrieval, NONE, node, payload).unwrap_or_default()
}

/// What subscriptions expect follows the data that their properties are bound to (BPMN 2.0.2 §8.4.2, context-based correlation), and
/// the conversations.
pub(crate) fn rebind(step: &mut Step<'_, '_>) {
    let graph = step.graph;
    step.charge_look();
    let waiting: Vec<Key> = step.instance.waits().map(|wait| wait.key).collect();
    for key in waiting {
        let Some(id) = step.instance.waits.find(key) else { continue };
        let Some(wait) = step.instance.waits.get(id) else { continue };
        let (node, scope) = (wait.node, step.instance.scope_of(wait));
        let WaitKind::Message(before) = wait.kind.clone() else { continue };
        let Some(Catch::Message { properties, .. }) = graph.catches(node).get(wait.definition as usize) else {
            continue;
        };
        // A binding that cannot be evaluated now leaves what was expected before.
        if let Ok(properties) = expected(step, node, scope, properties)
            && properties != before.properties
        {
            step.change(id, WaitKind::Message(Arc::new(MessageWait { properties, ..(*before).clone() })));
        }
    }
}

/// Throws a message, the throwing element's one of this number. It carries what that element's inputs have computed.
pub(crate) fn throw(
    step: &mut Step<'_, '_>,
    token: TokenId,
    number: u32,
    throw: &Throw,
) -> Result<(), EvaluationError> {
    let Throw::Message { name, correlation_key, properties } = throw else { return Ok(()) };
    let scope = step.variable_scope(token);
    let node = step.node_of(token);
    let name = match name {
        Some(name) => Some(step.name(name, scope, node)?),
        None => None,
    };
    let correlation_key = key(step, node, scope, correlation_key.as_ref())?;
    let payload = step.carried(token, number);
    let read = readable(&payload);
    let bound = bound(step, node, scope, properties)?;
    let mut said = Vec::new();
    for property in properties.iter() {
        let value = content(step, node, property, &read);
        if !value.is_null() {
            said.push((property.name.clone(), value));
        }
    }
    let conversation = match said.is_empty() {
        true => step.instance.conversations().into_iter().next(),
        false => step.instance.conversation_of(&said),
    };
    let known: Vec<_> = conversation.into_iter().flatten().map(|(name, value)| (name.clone(), value.clone())).collect();
    let mut carried = Vec::new();
    for property in properties.iter() {
        let of = |values: &[(Name, Value)]| {
            values.iter().find(|(name, _)| *name == property.name).map(|(_, value)| value.clone())
        };
        let remembered = || if property.binding.is_some() { of(&bound) } else { of(&known) };
        let value = match of(&said).or_else(remembered) {
            Some(value) => value,
            None => step.evaluate_with(&property.retrieval, scope, node, &read)?,
        };
        if !value.is_null() {
            carried.push((property.name.clone(), value));
        }
    }
    remember(step, &carried);
    let message = index_of(step.events.messages.len());
    // Whatever it is called, it may go along all message flows.
    step.charge_throw(&payload, step.graph.node(node).details.message_flows.count().max(1));
    step.events.messages.push(ThrownMessage { name, correlation_key, properties: carried, payload });
    step.emit(Event::MessageThrown { node, message });
    Ok(())
}

/// A message that was received binds the conversation's correlation properties (key-based correlation).
pub(crate) fn received(
    step: &mut Step<'_, '_>,
    node: Ordinal,
    scope: ScopeId,
    properties: &[CorrelationProperty],
    payload: &[(Name, Value)],
) {
    let mut carried = Vec::new();
    let payload = readable(payload);
    for property in properties {
        if let Ok(value) = step.evaluate_with(&property.retrieval, scope, node, &payload)
            && value != Value::Null
        {
            carried.push((property.name.clone(), value));
        }
    }
    remember(step, &carried);
}

/// The instance takes part in the conversation of a message; who waits already expects it from now on.
fn remember(step: &mut Step<'_, '_>, properties: &[(Name, Value)]) {
    let learned = step.instance.learned(properties);
    if learned.is_empty() {
        return;
    }
    for known in learned {
        let property = index_of(step.events.variables.len());
        step.events.variables.push(known);
        step.emit(Event::CorrelationSet { property });
    }
    rebind(step);
}
