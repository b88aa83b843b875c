//! Data: what flows from where to where.

use std::collections::{BTreeMap, BTreeSet};

use super::findings::Findings;
use super::rule::define;
use super::subject::{Named, Subject, activity, article, element_label, event, label, named};
use crate::Name;
use crate::dialect::Dialect;
use crate::model::{
    DataAssociation, Event, FlowNode, InputOutputSpecification, LoopCharacteristics, NodeIndex, Property,
};
use crate::xml::Element;

define! {
    SOURCE_UNKNOWN = "data-source-unknown", Error, "BPMN 2.0.2 §10.4.1",
        "What a data association reads exists.";
    TARGET_UNKNOWN = "data-target-unknown", Error, "BPMN 2.0.2 §10.4.1",
        "What a data association writes exists.";
    OUT_OF_REACH = "data-end-out-of-reach", Error, "BPMN 2.0.2 §10.4.1",
        "What a data association reads or writes belongs to its own element, or to what is around that.";
    NOT_DATA = "data-end-not-data", Warning, "BPMN 2.0.2 §10.4.1",
        "A data association connects data.";
    DIRECTION = "data-association-direction", Error, "BPMN 2.0.2 §10.4.1",
        "A data input association ends at a data input of its own element, a data output association begins at a data output.";
    PROCESS_DATA = "process-data-direction", Error, "BPMN 2.0.2 §10.4.1",
        "Nothing flows into a data input of the process itself, and nothing out of a data output.";
    WITHOUT_TARGET = "data-association-without-target", Error, "BPMN 2.0.2 §10.4.1",
        "A data association writes something.";
    WITHOUT_SOURCE = "data-association-without-source", Warning, "BPMN 2.0.2 §10.4.1",
        "A data association reads something.";
    SEVERAL_SOURCES = "data-association-several-sources", Warning, "BPMN 2.0.2 §10.4.1",
        "A data association with several sources says how they become one value.";
    DATA_OBJECT_UNKNOWN = "data-object-unknown", Error, "BPMN 2.0.2 §10.4.1",
        "The data object that a reference shows exists.";
    REFERENCE_WITHOUT_OBJECT = "data-object-reference-without-object", Warning, "BPMN 2.0.2 §10.4.1",
        "A data object reference says which data object it shows.";
    DATA_STORE_UNKNOWN = "data-store-unknown", Error, "BPMN 2.0.2 §10.4.1",
        "The data store that a reference shows exists.";
    DATA_STORE_LOCAL = "data-store-of-instance", Warning, "BPMN 2.0.2 §10.4.1",
        "A data store outlives the process; here it is a variable of the instance. What is to outlive it is a job's.";
    COLLECTION_UNKNOWN = "multi-instance-data-unknown", Error, "BPMN 2.0.2 §10.3.8",
        "The data that a multi-instance activity reads or writes exists. (Flowable names variables there.)";
    EVENT_DATA_NUMBER = "event-data-number", Error, "BPMN 2.0.2 §10.4.1",
        "An event of several definitions that has data inputs or outputs has one for each: their order says which belong together.";
    DATA_NAME_TWICE = "data-name-twice", Warning, "unusual",
        "Data objects of one level have different names: they are variables.";
}

pub(super) fn check(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    let known = known_data(subject);
    let is_known = |id: &str| known.contains(id) || subject.world.has_data_store(id);
    let stores = subject.process.data_store_references.iter().map(|store| &*store.id);
    let stores: BTreeSet<&str> = stores.collect();
    let is_store = |id: &str| stores.contains(id) || subject.world.has_data_store(id);
    for (_, node) in subject.nodes() {
        let placeholders = placeholders(node);
        let (owner, element) = (label(node), subject.definitions.document.element(node.element));
        let flows =
            activity(node).into_iter().flat_map(|activity| activity.data_inputs.iter().chain(&activity.data_outputs));
        let flows = flows.chain(event(node).into_iter().flat_map(|event| &event.data_associations));
        for association in flows {
            data_association(subject, owner, association, is_known, findings);
            if !is_drawn_only(&placeholders, association) {
                data_store(is_store, owner, association, findings);
            }
            ends(subject, (owner, element), association, findings);
        }
        if let Some(event) = event(node) {
            event_data(owner, node, event, findings);
        }
        if let Some(LoopCharacteristics::MultiInstance(multi)) =
            activity(node).and_then(|activity| activity.loop_characteristics.as_ref())
        {
            for (attribute, reference) in
                [("loopDataInputRef", &multi.data_input), ("loopDataOutputRef", &multi.data_output)]
            {
                let unknown = |text: &&str| !is_known(text) && subject.definitions.dialect != Dialect::Flowable;
                if let Some(text) = reference.as_deref().filter(unknown) {
                    findings.add(
                        &COLLECTION_UNKNOWN,
                        multi.element,
                        format!("{owner} has the {attribute} `{text}`, which is no data of the model"),
                        "let it name a data object, data input or data output; potok:collection names a variable",
                    );
                }
            }
        }
    }
    references(subject, findings);
    names(subject, findings);
}

fn event_data(owner: Named<'_>, node: &FlowNode, event: &Event, findings: &mut Findings<'_>) {
    let definitions = event.definitions.len();
    for (kind, data) in [("inputs", event.data_inputs.len()), ("outputs", event.data_outputs.len())] {
        if definitions > 1 && data > 0 && data != definitions {
            findings.add(
                &EVENT_DATA_NUMBER,
                node.element,
                format!("{owner} has {definitions} event definitions and {data} data {kind}"),
                format!("give it {definitions} data {kind}, in the order of the definitions that they belong to"),
            );
        }
    }
}

/// The properties that bpmn.io lets associations end at, and that nobody reads.
fn placeholders(node: &FlowNode) -> BTreeSet<&Name> {
    let properties = activity(node).map_or(&[][..], |activity| &activity.properties);
    let is_placeholder = |property: &&Property| property.name.as_deref() == Some("__targetRef_placeholder");
    properties.iter().filter(is_placeholder).map(|property| &property.id).collect()
}

/// Whether an association carries nothing: bpmn.io leaves out the source, or lets it end at a placeholder.
fn is_drawn_only(placeholders: &BTreeSet<&Name>, association: &DataAssociation) -> bool {
    association.sources.is_empty() || association.target.as_ref().is_none_or(|target| placeholders.contains(target))
}

fn data_store(
    is_store: impl Fn(&str) -> bool,
    owner: Named<'_>,
    association: &DataAssociation,
    findings: &mut Findings<'_>,
) {
    let ends = association.sources.iter().chain(&association.target);
    for store in ends.filter(|end| is_store(end)) {
        findings.add(
            &DATA_STORE_LOCAL,
            association.element,
            format!("the data store `{store}` of {owner} is a variable of the instance: no other instance sees it"),
            "let a job read or write what is to outlive the process",
        );
    }
}

/// The ids of everything in the process that holds data.
fn known_data<'a>(subject: &Subject<'a>) -> BTreeSet<&'a str> {
    let process = subject.process;
    let mut known: BTreeSet<&str> = BTreeSet::new();
    known.extend(process.data_objects.iter().map(|data| &*data.id));
    known.extend(process.data_object_references.iter().map(|data| &*data.id));
    known.extend(process.data_store_references.iter().map(|data| &*data.id));
    let properties = |properties: &'a [Property]| properties.iter().map(|property| &*property.id);
    let io = |io: &'a Option<InputOutputSpecification>| {
        let io = io.as_ref();
        let inputs = io.into_iter().flat_map(|io| &io.inputs).map(|input| &*input.id);
        inputs.chain(io.into_iter().flat_map(|io| &io.outputs).map(|output| &*output.id))
    };
    known.extend(properties(&process.properties));
    known.extend(io(&process.io));
    for node in &process.flow_nodes {
        if let Some(activity) = activity(node) {
            known.extend(properties(&activity.properties));
            known.extend(io(&activity.io));
            if let Some(LoopCharacteristics::MultiInstance(multi)) = &activity.loop_characteristics {
                known.extend(multi.input_item.as_ref().map(|item| &*item.id));
                known.extend(multi.output_item.as_ref().map(|item| &*item.id));
            }
        }
        if let Some(event) = event(node) {
            known.extend(properties(&event.properties));
            known.extend(event.data_inputs.iter().map(|input| &*input.id));
            known.extend(event.data_outputs.iter().map(|output| &*output.id));
        }
    }
    known
}

fn data_association(
    subject: &Subject<'_>,
    owner: Named<'_>,
    association: &DataAssociation,
    is_known: impl Fn(&str) -> bool,
    findings: &mut Findings<'_>,
) {
    let ends = association.sources.iter().map(|source| (&SOURCE_UNKNOWN, "reads", source));
    for (rule, verb, end) in ends.chain(association.target.iter().map(|target| (&TARGET_UNKNOWN, "writes", target))) {
        if is_known(end) {
            continue;
        }
        match subject.world.element(end).map(|element| element.name()) {
            // Data of another process is data all the same.
            Some(kind)
                if kind.starts_with("data") || matches!(kind, "property" | "inputDataItem" | "outputDataItem") => {}
            Some(kind) => findings.add(
                &NOT_DATA,
                association.element,
                format!(
                    "a data association of {owner} {verb} `{end}`, {} {kind}, which holds no data: it has no effect",
                    article(kind)
                ),
                "let it name a data object reference, data store reference, property, data input or data output",
            ),
            None => findings.add(
                rule,
                association.element,
                format!("a data association of {owner} {verb} `{end}`, but nothing has that id"),
                "let it name a data object reference, data store reference, property, data input or data output",
            ),
        }
    }
    if association.target.is_none() && association.assignments.is_empty() {
        findings.add(
            &WITHOUT_TARGET,
            association.element,
            format!("a data association of {owner} writes nothing"),
            "add a targetRef, or delete the association",
        );
    }
    if association.sources.is_empty() && association.transformation.is_none() && association.assignments.is_empty() {
        findings.add(
            &WITHOUT_SOURCE,
            association.element,
            format!("a data association of {owner} reads nothing"),
            "add a sourceRef, or delete the association",
        );
    }
    if association.sources.len() > 1 && association.transformation.is_none() && association.assignments.is_empty() {
        findings.add(
            &SEVERAL_SOURCES,
            association.element,
            format!("a data association of {owner} has {} sources and no transformation", association.sources.len()),
            "add a transformation, or keep one sourceRef",
        );
    }
}

/// Data lives and is seen where it is declared: in a process, sub-process, activity or event, and in what that contains. An
/// association leads into an element's own inputs, or out of its own outputs.
fn ends(
    subject: &Subject<'_>,
    (owner, element): (Named<'_>, Element<'_>),
    association: &DataAssociation,
    findings: &mut Findings<'_>,
) {
    let is_input = subject.definitions.document.element(association.element).name() == "dataInputAssociation";
    let sources = association.sources.iter().map(|end| (end, true));
    for (end, is_source) in sources.chain(association.target.iter().map(|end| (end, false))) {
        let Some(data) = subject.world.element(end) else { continue };
        let kind = data.name();
        // Other ends have a rule of their own. (bpmn.io lets an association end at a property of its activity.)
        let is_data = kind.starts_with("data") || matches!(kind, "inputDataItem" | "outputDataItem");
        if !is_data && kind != "property" {
            continue;
        }
        let mut place = data.parent();
        let is_part = |name: &str| matches!(name, "ioSpecification" | "multiInstanceLoopCharacteristics" | "event");
        while let Some(around) = place.filter(|around| is_part(around.name())) {
            place = around.parent();
        }
        let Some(place) = place else { continue };
        // A data store is seen everywhere.
        let has_place = !kind.starts_with("dataStore");
        if has_place && !(place.index()..place.end()).contains(&element.index()) {
            findings.add(
                &OUT_OF_REACH,
                association.element,
                format!("a data association of {owner} refers to `{end}`, which belongs to {}", element_label(place)),
                "let it name data of its own or of what is around it",
            );
            continue;
        }
        let (inner, verb) = if is_input { ("dataInput", "ends") } else { ("dataOutput", "begins") };
        if is_input != is_source && is_data && (kind != inner || place != element) {
            findings.add(
                &DIRECTION,
                association.element,
                format!("a data association of {owner} {verb} at `{end}`, which is no `{inner}` of its own"),
                format!("let it name a `{inner}` in the `ioSpecification` of its element, or turn it round"),
            );
        } else if place.name() == "process" && kind == if is_source { "dataOutput" } else { "dataInput" } {
            let verb = if is_source { "reads" } else { "writes" };
            findings.add(
                &PROCESS_DATA,
                association.element,
                format!("a data association of {owner} {verb} `{end}`, a `{kind}` of the process itself"),
                "what a process is given only flows out of its inputs, and what it gives only into its outputs",
            );
        }
    }
}

fn references(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    for reference in &subject.process.data_object_references {
        if reference.data_object.is_none() {
            let shown = named("data object reference", &reference.id, reference.name.as_deref());
            findings.add(
                &REFERENCE_WITHOUT_OBJECT,
                reference.element,
                format!("{shown} does not say which data object it shows: it is data of its own"),
                "declare a dataObject in the process, and let dataObjectRef name it",
            );
        }
        if let Some(object) = reference.data_object.as_ref().filter(|object| object.target.is_none()) {
            findings.add(
                &DATA_OBJECT_UNKNOWN,
                reference.element,
                format!(
                    "{} shows the data object `{}`, which does not exist",
                    named("data object reference", &reference.id, reference.name.as_deref()),
                    object.text
                ),
                "let dataObjectRef name a dataObject of the process",
            );
        }
    }
    for reference in &subject.process.data_store_references {
        if let Some(store) = reference.data_store.as_ref().filter(|store| store.target.is_none()) {
            findings.add(
                &DATA_STORE_UNKNOWN,
                reference.element,
                format!(
                    "{} shows the data store `{}`, which does not exist",
                    named("data store reference", &reference.id, reference.name.as_deref()),
                    store.text
                ),
                "declare a dataStore with that id beside the processes, or remove dataStoreRef",
            );
        }
    }
}

fn names(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    let mut seen: BTreeMap<(Option<NodeIndex>, &str), &str> = BTreeMap::new();
    for object in &subject.process.data_objects {
        let Some(name) = object.name.as_deref().filter(|name| !name.is_empty()) else { continue };
        if let Some(first) = seen.insert((object.parent, name), &object.id) {
            findings.add(
                &DATA_NAME_TWICE,
                object.element,
                format!("data objects `{first}` and `{}` are both called “{name}”: they are one variable", object.id),
                "give them different names, or show one data object by several references",
            );
        }
    }
}
