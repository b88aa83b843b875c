//! What processes, activities and events take in and give out: in which sets, how much, and of which kind.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use super::Rule;
use super::findings::Findings;
use super::rule::define;
use super::subject::{World, element_label};
use crate::model::{ByElement, KnownElement, is_global_task};
use crate::xml::Element;

define! {
    SET_PART_UNLISTED = "io-set-part-unlisted", Error, "BPMN 2.0.2 §10.4.1",
        "What a set calls optional, or given while the activity runs, is one of its inputs or outputs.";
    IN_NO_SET = "io-data-in-no-set", Error, "BPMN 2.0.2 §10.4.1 Tables 10.59, 10.60",
        "A data input belongs to an input set, a data output to an output set.";
    SETS_ONE_WAY = "io-sets-one-way", Error, "BPMN 2.0.2 §10.4.1",
        "An input set and an output set that belong together name each other.";
    SEVERAL_SETS = "task-with-several-sets", Error, "BPMN 2.0.2 §10.3.3",
        "A send task has one input set, a receive task one output set, a service task with an operation one of each.";
    SEVERAL_RECEIVED = "receive-task-several-outputs", Error, "BPMN 2.0.2 §10.3.3",
        "A receive task has one data output, which is the message.";
    SEVERAL_SENT = "message-of-several-data", Warning, "BPMN 2.0.2 §10.3.3",
        "A send task has one data input, a service task with an operation one data input and one data output: the messages.";
    ITEM_DIFFERS = "item-differs", Warning, "BPMN 2.0.2 §10.3.3, §10.5.1",
        "Data that goes out or comes in is of the same item definition as the message, signal, error or escalation.";
    COLLECTION_DIFFERS = "collection-differs", Warning, "BPMN 2.0.2 §10.4.1",
        "Data is a collection where its item definition is one.";
    INTERFACE_UNBOUND = "interface-without-binding", Warning, "BPMN 2.0.2 §10.3.6",
        "A process that supports an interface binds its inputs and outputs to the operations.";
}

/// What is looked at for an element.
type Look = for<'a> fn(&World<'a>, Element<'a>, &mut Findings<'_>);

static LOOKS: LazyLock<ByElement<Option<Look>>> = LazyLock::new(|| {
    ByElement::new(|name| {
        let look: Look = match name {
            "inputSet" | "outputSet" => set,
            "dataInput" | "dataOutput" | "dataObject" | "inputDataItem" | "outputDataItem" => collection,
            "ioSpecification" => specification,
            "startEvent" | "intermediateCatchEvent" | "boundaryEvent" => |world, event, findings| {
                event_data(world, event, "dataOutput", findings);
            },
            "intermediateThrowEvent" | "endEvent" | "implicitThrowEvent" | "event" => |world, event, findings| {
                event_data(world, event, "dataInput", findings);
            },
            "process" => interfaces,
            name if is_global_task(name) => interfaces,
            _ => return None,
        };
        Some(look)
    })
});

pub(super) fn check<'a>(world: &World<'a>, element: Element<'a>, known: KnownElement, findings: &mut Findings<'_>) {
    if let Some(look) = LOOKS.get(known) {
        look(world, element, findings);
    }
}

fn named<'a>(world: &World<'a>, owner: Element<'a>, name: &str) -> impl Iterator<Item = Element<'a>> {
    world.parts(owner).filter(move |part| part.name() == name)
}

/// What an attribute refers to; some write it as an element.
fn referred<'a>(world: &World<'a>, owner: Element<'a>, name: &str) -> Option<Element<'a>> {
    let text = owner.attribute(name).or_else(|| named(world, owner, name).next().map(|part| part.text()))?;
    world.referred(text.trim())
}

/// The ids that parts of that name hold, each with and without a prefix.
fn listed<'a>(world: &World<'a>, owners: impl Iterator<Item = Element<'a>>, name: &str) -> BTreeSet<String> {
    let mut listed = BTreeSet::new();
    for part in owners.flat_map(|owner| named(world, owner, name)) {
        let text = part.text();
        let text = text.trim();
        listed.extend(text.split_once(':').map(|(_, local)| local.to_owned()));
        listed.insert(text.to_owned());
    }
    listed
}

fn set<'a>(world: &World<'a>, set: Element<'a>, findings: &mut Findings<'_>) {
    let (all, some) = if set.name() == "inputSet" {
        ("dataInputRefs", ["optionalInputRefs", "whileExecutingInputRefs"])
    } else {
        ("dataOutputRefs", ["optionalOutputRefs", "whileExecutingOutputRefs"])
    };
    let within = listed(world, std::iter::once(set), all);
    for part in world.parts(set) {
        let text = part.text();
        let text = text.trim();
        if some.contains(&part.name()) && !within.contains(text) {
            findings.add(
                &SET_PART_UNLISTED,
                part.index(),
                format!("`{}` of {} names `{text}`, which is not among its `{all}`", part.name(), element_label(set)),
                format!("add it as `{all}`, too"),
            );
        }
    }
}

fn specification<'a>(world: &World<'a>, specification: Element<'a>, findings: &mut Findings<'_>) {
    in_no_set(world, specification, "dataInput", findings);
    in_no_set(world, specification, "dataOutput", findings);
    sets_one_way(world, specification, findings);
    task(world, specification, findings);
}

/// Sets that belong together name each other.
fn sets_one_way<'a>(world: &World<'a>, specification: Element<'a>, findings: &mut Findings<'_>) {
    let mut named_by = BTreeSet::new();
    let mut references = Vec::new();
    for set in world.parts(specification) {
        let others = match set.name() {
            "inputSet" => "outputSetRefs",
            "outputSet" => "inputSetRefs",
            _ => continue,
        };
        for part in named(world, set, others) {
            let other = world.referred(part.text().trim());
            if let Some(other) = other.filter(|other| other.parent() == Some(specification) && *other != set) {
                named_by.insert((other.index(), set.index()));
                references.push((set, part, other));
            }
        }
    }
    for (set, part, other) in references {
        if !named_by.contains(&(set.index(), other.index())) {
            let back = if set.name() == "inputSet" { "inputSetRefs" } else { "outputSetRefs" };
            findings.add(
                &SETS_ONE_WAY,
                part.index(),
                format!("{} belongs to {}, which does not name it", element_label(set), element_label(other)),
                format!("add it to `{}` as `{back}`, or remove `{}`", part.text().trim(), part.name()),
            );
        }
    }
}

/// The data of an event: what it throws, or what it has caught.
fn event_data<'a>(world: &World<'a>, event: Element<'a>, name: &str, findings: &mut Findings<'_>) {
    if named(world, event, name).next().is_some() {
        in_no_set(world, event, name, findings);
        carried_by_event(world, event, name, findings);
    }
}

fn in_no_set<'a>(world: &World<'a>, holder: Element<'a>, name: &str, findings: &mut Findings<'_>) {
    let (set, [refs, optional, late]) = if name == "dataInput" {
        ("inputSet", ["dataInputRefs", "optionalInputRefs", "whileExecutingInputRefs"])
    } else {
        ("outputSet", ["dataOutputRefs", "optionalOutputRefs", "whileExecutingOutputRefs"])
    };
    // An ioSpecification without sets has a finding of its own.
    if holder.name() == "ioSpecification" && named(world, holder, set).next().is_none() {
        return;
    }
    let mut within = listed(world, named(world, holder, set), refs);
    // What a set has only there has a finding of its own, too.
    within.extend([optional, late].iter().flat_map(|refs| listed(world, named(world, holder, set), refs)));
    for data in named(world, holder, name) {
        if !data.attribute("id").is_some_and(|id| within.contains(&*id)) {
            findings.add(
                &IN_NO_SET,
                data.index(),
                format!("{} is in no `{set}`", element_label(data)),
                format!("name it as `{refs}` of the `{set}`, or delete it"),
            );
        }
    }
}

/// What an event throws or catches, and its data, go together in their order.
fn carried_by_event<'a>(world: &World<'a>, event: Element<'a>, name: &str, findings: &mut Findings<'_>) {
    let definitions = world.parts(event).filter_map(|part| match part.name() {
        "eventDefinitionRef" => world.referred(part.text().trim()),
        name => name.ends_with("EventDefinition").then_some(part),
    });
    let definitions: Vec<_> = definitions.collect();
    let data: Vec<_> = named(world, event, name).collect();
    if definitions.len() != data.len() {
        return;
    }
    for (definition, data) in definitions.into_iter().zip(data) {
        let references = ["messageRef", "signalRef", "errorRef", "escalationRef"];
        if let Some(carried) = references.iter().find_map(|name| referred(world, definition, name)) {
            items(world, &[data], carried, findings);
        }
    }
}

/// What stands only once in the ioSpecification of a task; of a service task if it has an operation.
const ONCE: &[(&str, &str, &Rule)] = &[
    ("sendTask", "inputSet", &SEVERAL_SETS),
    ("sendTask", "dataInput", &SEVERAL_SENT),
    ("receiveTask", "outputSet", &SEVERAL_SETS),
    ("receiveTask", "dataOutput", &SEVERAL_RECEIVED),
    ("serviceTask", "inputSet", &SEVERAL_SETS),
    ("serviceTask", "outputSet", &SEVERAL_SETS),
    ("serviceTask", "dataInput", &SEVERAL_SENT),
    ("serviceTask", "dataOutput", &SEVERAL_SENT),
];

/// The inputs and outputs of a task that sends or receives messages.
fn task<'a>(world: &World<'a>, specification: Element<'a>, findings: &mut Findings<'_>) {
    let Some(task) = specification.parent() else { return };
    if !matches!(task.name(), "sendTask" | "receiveTask" | "serviceTask") {
        return;
    }
    let operation = referred(world, task, "operationRef");
    if task.name() == "serviceTask" && operation.is_none() {
        return;
    }
    // The collections of a multi-instance task are not the messages'.
    let loops = || named(world, task, "multiInstanceLoopCharacteristics");
    let mut collections = listed(world, loops(), "loopDataInputRef");
    collections.extend(listed(world, loops(), "loopDataOutputRef"));
    let of_each = |name: &str| {
        let parts = named(world, specification, name);
        let parts = parts.filter(|part| part.attribute("id").is_none_or(|id| !collections.contains(&*id)));
        parts.collect::<Vec<_>>()
    };
    for (_, name, rule) in ONCE.iter().filter(|(owner, ..)| *owner == task.name()) {
        if let Some(second) = of_each(name).get(1) {
            findings.add(
                rule,
                second.index(),
                format!("{} has a second `{name}`: {}", element_label(task), element_label(*second)),
                "keep one of them: a message is one value, which may have many fields",
            );
        }
    }
    let message = |name| operation.and_then(|operation| referred(world, operation, name));
    let own = referred(world, task, "messageRef");
    let (sent, received) = match task.name() {
        "sendTask" => (own.or_else(|| message("inMessageRef")), None),
        "receiveTask" => (None, own.or_else(|| message("inMessageRef"))),
        _ => (message("inMessageRef"), message("outMessageRef")),
    };
    for (name, message) in [("dataInput", sent), ("dataOutput", received)] {
        if let Some(message) = message {
            items(world, &of_each(name), message, findings);
        }
    }
}

/// One of the data is what is carried. Definitions that say the same are the same.
fn items<'a>(world: &World<'a>, data: &[Element<'a>], carried: Element<'a>, findings: &mut Findings<'_>) {
    let item = |owner, names: &[&str]| {
        let named = names.iter().find_map(|name| referred(world, owner, name));
        named.filter(|item| item.name() == "itemDefinition")
    };
    let Some(expected) = item(carried, &["itemRef", "structureRef"]) else { return };
    let structure = |item: Element<'a>| item.attribute("structureRef");
    let is_same = |item: Element<'a>| item == expected || structure(item) == structure(expected);
    let mut different = None;
    for data in data {
        match item(*data, &["itemSubjectRef"]) {
            Some(item) if !is_same(item) => different = different.or(Some((*data, item))),
            _ => return,
        }
    }
    if let Some((data, item)) = different {
        findings.add(
            &ITEM_DIFFERS,
            data.index(),
            format!(
                "{} is of {}, but {} is of {}",
                element_label(data),
                element_label(item),
                element_label(carried),
                element_label(expected)
            ),
            "let both name the same item definition, or remove the itemSubjectRef",
        );
    }
}

fn collection<'a>(world: &World<'a>, data: Element<'a>, findings: &mut Findings<'_>) {
    let Some(item) = data.attribute("itemSubjectRef") else { return };
    let Some(item) = world.referred(item.trim()).filter(|item| item.name() == "itemDefinition") else { return };
    let is_one =
        |element: Element<'_>| element.attribute("isCollection").is_some_and(|is| matches!(is.trim(), "true" | "1"));
    if is_one(data) != is_one(item) {
        let (is, other) = if is_one(data) { ("a collection", "one value") } else { ("one value", "a collection") };
        findings.add(
            &COLLECTION_DIFFERS,
            data.index(),
            format!("{} is {is}, but {} is {other}", element_label(data), element_label(item)),
            "give both the same isCollection",
        );
    }
}

fn interfaces<'a>(world: &World<'a>, callable: Element<'a>, findings: &mut Findings<'_>) {
    if named(world, callable, "ioBinding").next().is_some() {
        return;
    }
    for reference in named(world, callable, "supportedInterfaceRef") {
        findings.add(
            &INTERFACE_UNBOUND,
            reference.index(),
            format!("{} supports an interface, but has no `ioBinding`", element_label(callable)),
            "add an `ioBinding` for each operation, or remove the `supportedInterfaceRef`: nothing is called by it here",
        );
    }
}
