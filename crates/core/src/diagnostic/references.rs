//! References that belong to no single process. (Ids that are given twice are found when the file is read.)

use super::findings::Findings;
use super::rule::define;
use super::subject::{World, named};
use super::triggers::message_known;

define! {
    ITEM_UNKNOWN = "item-definition-unknown", Warning, "BPMN 2.0.2 §8.4.10",
        "An item definition that is referred to is declared.";
    OPERATION_ERROR_UNKNOWN = "operation-error-unknown", Warning, "BPMN 2.0.2 §8.5",
        "The errors that an operation may throw are declared.";
    MESSAGE_NAME_TWICE = "message-name-twice", Warning, "unusual",
        "Different messages have different names.";
}

pub(super) fn check(world: &World<'_>, findings: &mut Findings<'_>) {
    items(world, findings);
    operations(world, findings);
    message_names(world, findings);
}

fn items(world: &World<'_>, findings: &mut Findings<'_>) {
    let messages = world
        .definitions
        .messages
        .iter()
        .map(|message| ("message", &message.id, message.element, message.item.as_ref()));
    let objects = world.definitions.processes.iter().flat_map(|process| &process.data_objects);
    let objects = objects.map(|object| ("data object", &object.id, object.element, object.item.as_ref()));
    for (word, id, element, item) in messages.chain(objects) {
        if let Some(item) = item.filter(|item| item.target.is_none() && !is_type_name(&item.text)) {
            findings.add(
                &ITEM_UNKNOWN,
                element,
                format!(
                    "{} refers to the item definition `{}`, which is not declared",
                    named(word, id, None),
                    item.text
                ),
                "declare an itemDefinition with that id, or remove the reference; it has no effect at run time",
            );
        }
    }
}

/// Some modelers write an XML schema type where the id of an item definition should be.
fn is_type_name(text: &str) -> bool {
    matches!(
        text,
        "string"
            | "boolean"
            | "integer"
            | "int"
            | "long"
            | "float"
            | "double"
            | "date"
            | "dateTime"
            | "any"
            | "anyType"
    )
}

fn operations(world: &World<'_>, findings: &mut Findings<'_>) {
    for operation in world.definitions.interfaces.iter().flat_map(|interface| &interface.operations) {
        let owner = named("operation", &operation.id, operation.name.as_deref());
        for message in [&operation.in_message, &operation.out_message] {
            message_known(world.definitions, &owner, operation.element, message.as_ref(), findings);
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

fn message_names(world: &World<'_>, findings: &mut Findings<'_>) {
    let mut seen = std::collections::BTreeMap::new();
    for message in &world.definitions.messages {
        let Some(name) = message.name.as_ref().map(|name| &*name.text).filter(|name| !name.is_empty()) else {
            continue;
        };
        if let Some(first) = seen.insert(name, &message.id) {
            findings.add(
                &MESSAGE_NAME_TWICE,
                message.element,
                format!("messages `{first}` and `{}` are both called “{name}”: they are matched as one", message.id),
                "give them different names, or declare the message once",
            );
        }
    }
}
