//! Correlation: keys, properties, and how they are read.

use std::collections::{BTreeMap, BTreeSet};

use super::findings::Findings;
use super::rule::define;
use super::subject::{Named, ScopeKind, Subject, World, activity, event, gateway, is_catching, is_start, label, named};
use crate::dialect::Dialect;
use crate::model::{ActivityKind, EventDefinition, FlowNode, Gateway, Reference};
use crate::xml::ElementIndex;

define! {
    KEY_UNKNOWN = "correlation-key-unknown", Error, "BPMN 2.0.2 §8.4.2",
        "The key of a correlation subscription is declared in a collaboration.";
    KEY_WITHOUT_PROPERTY = "correlation-key-without-property", Warning, "BPMN 2.0.2 §8.4.2",
        "A correlation key has properties.";
    PROPERTY_UNKNOWN = "correlation-property-unknown", Error, "BPMN 2.0.2 §8.4.2",
        "A correlation property that is referred to is declared.";
    RETRIEVAL_INCOMPLETE = "correlation-retrieval-incomplete", Error, "BPMN 2.0.2 §8.4.2",
        "A correlation property says from which message it is read, and how.";
    WITHOUT_KEY = "message-without-correlation-key", Error, "Camunda 8",
        "In a model of Camunda 8, a message that an instance waits for has a correlation key.";
    BINDING_NOT_OF_KEY = "correlation-binding-not-of-key", Warning, "BPMN 2.0.2 §8.4.2",
        "A correlation subscription binds the properties of its key.";
    BOUND_TWICE = "correlation-property-bound-twice", Error, "BPMN 2.0.2 §8.4.2",
        "A process computes a correlation property in one way.";
    BINDING_WITHOUT_PATH = "correlation-binding-without-path", Error, "BPMN 2.0.2 §8.4.2",
        "A correlation subscription says how each property is computed.";
}

/// Keys and properties, which stand beside the processes.
pub(super) fn declared(world: &World<'_>, findings: &mut Findings<'_>) {
    let keys = world.definitions.collaborations.iter().flat_map(|collaboration| &collaboration.correlation_keys);
    for key in keys {
        let owner = named("correlation key", &key.id, key.name.as_deref());
        if key.properties.is_empty() {
            let help = "add correlationPropertyRef elements, or delete the key";
            findings.add(
                &KEY_WITHOUT_PROPERTY,
                key.element,
                format!("{owner} has no properties: it tells nothing apart"),
                help,
            );
        }
        for property in &key.properties {
            property_known(owner, key.element, Some(property), findings);
        }
    }
    for property in &world.definitions.correlation_properties {
        let owner = named("correlation property", &property.id, property.name.as_deref());
        if property.retrievals.is_empty() {
            findings.add(
                &RETRIEVAL_INCOMPLETE,
                property.element,
                format!("{owner} is read from no message"),
                "add a correlationPropertyRetrievalExpression with a messageRef and a messagePath",
            );
        }
        for retrieval in &property.retrievals {
            let missing = match (&retrieval.message, &retrieval.path) {
                (None, _) => "does not say from which message it is read".to_owned(),
                (Some(message), _) if message.target.is_none() => {
                    format!("is read from the message `{}`, which is not declared", message.text)
                }
                (_, None) => "does not say how it is read from the message".to_owned(),
                _ => continue,
            };
            findings.add(
                &RETRIEVAL_INCOMPLETE,
                property.element,
                format!("{owner} {missing}"),
                "give its correlationPropertyRetrievalExpression a messageRef and a messagePath",
            );
        }
    }
}

/// Camunda 8 finds the instance that waits by the key alone.
fn without_key(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    if subject.definitions.dialect != Dialect::Zeebe {
        return;
    }
    let mut told = BTreeSet::new();
    for (_, node) in subject.nodes() {
        for message in awaited(subject, node) {
            let Some(declared) = subject.definitions.messages.get(message) else { continue };
            if declared.extension.correlation_key.is_none() && told.insert(message) {
                findings.add(
                    &WITHOUT_KEY,
                    declared.element,
                    format!("{} waits for message `{}`, which has no correlation key", label(node), declared.id),
                    "add a zeebe:subscription with a correlationKey to the message, e.g. `=order.id`",
                );
            }
        }
    }
}

/// The messages that a flow node waits for inside an instance.
fn awaited(subject: &Subject<'_>, node: &FlowNode) -> Vec<usize> {
    let named = |message: &Option<Reference<usize>>| message.as_ref().and_then(|message| message.target);
    let starts_process = is_start(node) && subject.scope_kind(node.parent) != ScopeKind::EventSubProcess;
    let starts_process = starts_process || follows_instantiating(subject, node);
    let by_event = event(node).filter(|event| is_catching(event) && !starts_process);
    let by_event =
        by_event.into_iter().flat_map(|event| &event.definitions).filter_map(|definition| match definition {
            EventDefinition::Message { message, .. } => named(message),
            _ => None,
        });
    let by_task = activity(node).and_then(|task| match &task.kind {
        ActivityKind::ReceiveTask { message, instantiate: false, .. } if !starts_process => named(message),
        _ => None,
    });
    by_event.chain(by_task).collect()
}

/// What comes after an event-based gateway that starts the process starts it.
fn follows_instantiating(subject: &Subject<'_>, node: &FlowNode) -> bool {
    let sources = node.incoming.iter().filter_map(|flow| subject.node(subject.flow(*flow)?.source.target?));
    sources.filter_map(gateway).any(|gateway| matches!(gateway, Gateway::EventBased { instantiate: true, .. }))
}

/// The subscriptions of one process.
pub(super) fn check(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    without_key(subject, findings);
    let owner = subject.scope_label(None);
    let mut bound = BTreeMap::new();
    for subscription in &subject.process.correlation_subscriptions {
        let text = subscription.key.as_deref().unwrap_or_default();
        let key = subject.world.correlation_key(text);
        if key.is_none() {
            findings.add(
                &KEY_UNKNOWN,
                subscription.element,
                format!("{owner} subscribes to the correlation key `{text}`, which no collaboration declares"),
                "declare a correlationKey with that id in the collaboration or a conversation, or correct correlationKeyRef",
            );
        }
        for binding in &subscription.bindings {
            property_known(owner, subscription.element, binding.property.as_ref(), findings);
            let property = binding.property.as_ref().and_then(|property| Some((&property.text, property.target?)));
            if let Some((name, property)) = property {
                if key.is_some_and(|key| !key.contains(&property)) {
                    findings.add(
                        &BINDING_NOT_OF_KEY,
                        subscription.element,
                        format!("{owner} binds `{name}`, which is no property of the correlation key `{text}`"),
                        "name it as a correlationPropertyRef of the key, or remove the correlationPropertyBinding",
                    );
                }
                // A property of two keys may be bound for each of them.
                let binding = (subscription.element, binding.path.as_ref().map(|path| &*path.text));
                if let Some(other) = bound.insert(property, binding)
                    && (other.0 == binding.0 || other.1 != binding.1)
                {
                    findings.add(
                        &BOUND_TWICE,
                        subscription.element,
                        format!("{owner} binds the correlation property `{name}` a second time: the first counts"),
                        "keep one correlationPropertyBinding, or bind it in the same way for each key",
                    );
                }
            }
            if binding.path.is_none() {
                findings.add(
                    &BINDING_WITHOUT_PATH,
                    subscription.element,
                    format!("a correlation subscription of {owner} does not say how a property is computed"),
                    "add a dataPath to each correlationPropertyBinding",
                );
            }
        }
    }
}

fn property_known(
    owner: Named<'_>,
    element: ElementIndex,
    property: Option<&Reference<usize>>,
    findings: &mut Findings<'_>,
) {
    if property.is_some_and(|property| property.target.is_some()) {
        return;
    }
    let text = property.map(|property| &*property.text).unwrap_or_default();
    findings.add(
        &PROPERTY_UNKNOWN,
        element,
        format!("{owner} refers to the correlation property `{text}`, which is not declared"),
        "declare a correlationProperty with that id beside the processes, or correct correlationPropertyRef",
    );
}
