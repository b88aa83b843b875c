//! Operations and messages, which stand beside the processes. (Ids that are given twice are found when the file is read.)

use std::collections::BTreeMap;

use super::findings::Findings;
use super::rule::{Rule, define};
use super::subject::{World, named};
use crate::Name;
use crate::model::{Definitions, Expression};
use crate::xml::ElementIndex;

define! {
    OPERATION_MESSAGE_UNKNOWN = "operation-message-unknown", Error, "BPMN 2.0.2 §8.5",
        "The messages of an operation are declared.";
    OPERATION_ERROR_UNKNOWN = "operation-error-unknown", Error, "BPMN 2.0.2 §8.5",
        "The errors that an operation may throw are declared.";
    OPERATION_WITHOUT_MESSAGE = "operation-without-message", Warning, "BPMN 2.0.2 §8.5",
        "An operation says which message it takes.";
    MESSAGE_NAME_TWICE = "message-name-twice", Warning, "unusual",
        "Different messages have different names.";
    SIGNAL_NAME_TWICE = "signal-name-twice", Warning, "unusual",
        "Different signals have different names.";
    EXTENSION_NOT_UNDERSTOOD = "extension-not-understood", Error, "BPMN 2.0.2 §8.2.3",
        "An extension that must be understood is one that the engine knows.";
}

pub(super) fn check(world: &World<'_>, findings: &mut Findings<'_>) {
    operations(world, findings);
    let Definitions { messages, signals, .. } = world.definitions;
    let messages = messages.iter().map(|message| (&message.id, message.name.as_ref(), message.element));
    names(&MESSAGE_NAME_TWICE, "message", messages, findings);
    let signals = signals.iter().map(|signal| (&signal.id, signal.name.as_ref(), signal.element));
    names(&SIGNAL_NAME_TWICE, "signal", signals, findings);
    extensions(world, findings);
}

/// Whoever writes a file says so of what it cannot be understood without.
fn extensions(world: &World<'_>, findings: &mut Findings<'_>) {
    let root = world.definitions.document.root();
    let declared = root.children().filter(|child| child.namespace_id() == root.namespace_id());
    for extension in declared.filter(|child| child.name() == "extension") {
        if extension.attribute("mustUnderstand").is_some_and(|value| matches!(value.trim(), "true" | "1")) {
            let definition = extension.attribute("definition").unwrap_or_default();
            findings.add(
                &EXTENSION_NOT_UNDERSTOOD,
                extension.index(),
                format!("the extension `{definition}` must be understood, and is not known here"),
                "if the model means the same without it, set mustUnderstand=\"false\"",
            );
        }
    }
}

fn operations(world: &World<'_>, findings: &mut Findings<'_>) {
    for operation in world.definitions.interfaces.iter().flat_map(|interface| &interface.operations) {
        let owner = named("operation", &operation.id, operation.name.as_deref());
        // Modelers lose it when they write what they have read; a service task does without.
        if operation.in_message.is_none() {
            findings.add(
                &OPERATION_WITHOUT_MESSAGE,
                operation.element,
                format!("{owner} has no `inMessageRef`"),
                "let `inMessageRef` name the message that the operation takes",
            );
        }
        for message in [&operation.in_message, &operation.out_message].into_iter().flatten() {
            if message.target.is_none() {
                findings.add(
                    &OPERATION_MESSAGE_UNKNOWN,
                    operation.element,
                    format!("{owner} refers to the message `{}`, which is not declared", message.text),
                    "declare a `message` with that id beside the processes, or correct the reference",
                );
            }
        }
        for error in operation.errors.iter().filter(|error| error.target.is_none()) {
            findings.add(
                &OPERATION_ERROR_UNKNOWN,
                operation.element,
                format!("{owner} may throw the error `{}`, which is not declared", error.text),
                "declare an `error` with that id, or remove the errorRef",
            );
        }
    }
}

/// What has the name of another is matched as if it were that one.
fn names<'n>(
    rule: &Rule,
    kind: &str,
    declared: impl Iterator<Item = (&'n Name, Option<&'n Expression>, ElementIndex)>,
    findings: &mut Findings<'_>,
) {
    let mut seen = BTreeMap::new();
    for (id, name, element) in declared {
        let Some(name) = name.map(|name| &*name.text).filter(|name| !name.is_empty()) else { continue };
        if let Some(first) = seen.insert(name, id) {
            findings.add(
                rule,
                element,
                format!("{kind}s `{first}` and `{id}` are both called “{name}”: they are matched as one"),
                format!("give them different names, or declare the {kind} once"),
            );
        }
    }
}
