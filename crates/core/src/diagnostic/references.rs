//! References to what is declared elsewhere in the file, for all elements alike.
//!
//! References that have an effect of their own (to messages, flows, flow nodes, data and the like) have rules of their
//! own beside the rest of their subject.

use std::sync::LazyLock;

use super::Rule;
use super::findings::Findings;
use super::rule::define;
use super::structures::SCHEMA_TYPES;
use super::subject::{World, article, element_label};
use crate::dialect::{Dialect, flowable_kind};
use crate::model::{ByElement, KnownElement};
use crate::xml::Element;

define! {
    ITEM_UNKNOWN = "item-definition-unknown", Error, "BPMN 2.0.2 §8.4.10",
        "An item definition that is referred to is declared.";
    SET_DATA_UNKNOWN = "io-set-data-unknown", Error, "BPMN 2.0.2 §10.4.1",
        "An input or output set names inputs or outputs that are declared beside it.";
    RESOURCE_UNKNOWN = "resource-unknown", Error, "BPMN 2.0.2 §8.4.12",
        "A resource that is referred to is declared.";
    REFERENCE_UNKNOWN = "reference-unknown", Error, "BPMN 2.0.2 Semantic.xsd",
        "A reference names what exists, and what is of the right kind.";
    RESOURCE_PARAMETERS = "resource-parameters", Warning, "BPMN 2.0.2 §10.3.1",
        "A resource is one group or user, whatever its parameters: nothing is looked up with them.";
}

/// A reference by attribute or child element.
struct Row {
    /// The elements that have it, separated by spaces.
    owners: &'static str,
    /// The attributes or child elements that hold it, separated by spaces.
    names: &'static str,
    /// What it may refer to, separated by spaces; anything if empty.
    kinds: &'static str,
    rule: &'static Rule,
}

const fn row(owners: &'static str, names: &'static str, kinds: &'static str, rule: &'static Rule) -> Row {
    Row { owners, names, kinds, rule }
}

const ITEM_OWNERS: &str = "dataObject dataObjectReference dataStore dataStoreReference dataInput dataOutput property inputDataItem outputDataItem";
const FLOW_ELEMENTS: &str = "task userTask manualTask serviceTask sendTask receiveTask businessRuleTask scriptTask \
    callActivity subProcess transaction adHocSubProcess startEvent intermediateCatchEvent intermediateThrowEvent \
    boundaryEvent endEvent exclusiveGateway parallelGateway inclusiveGateway complexGateway eventBasedGateway \
    sequenceFlow dataObject dataObjectReference dataStoreReference group";
const CALLABLES: &str = "process globalTask globalUserTask globalManualTask globalScriptTask globalBusinessRuleTask";
const INPUT_NAMES: &str = "dataInputRefs optionalInputRefs whileExecutingInputRefs";
const OUTPUT_NAMES: &str = "dataOutputRefs optionalOutputRefs whileExecutingOutputRefs";
const CONVERSATIONS: &str = "conversation subConversation callConversation";
const CHOREOGRAPHIES: &str = "choreographyTask subChoreography callChoreography";
const COLLABORATIONS: &str = "collaboration choreography globalConversation globalChoreographyTask conversation";

const ROWS: &[Row] = &[
    row(ITEM_OWNERS, "itemSubjectRef", "itemDefinition", &ITEM_UNKNOWN),
    row("message", "itemRef", "itemDefinition", &ITEM_UNKNOWN),
    row("error escalation signal", "structureRef", "itemDefinition", &ITEM_UNKNOWN),
    row("inputSet", INPUT_NAMES, "dataInput", &SET_DATA_UNKNOWN),
    row("inputSet", "outputSetRefs", "outputSet", &SET_DATA_UNKNOWN),
    row("outputSet", OUTPUT_NAMES, "dataOutput", &SET_DATA_UNKNOWN),
    row("outputSet", "inputSetRefs", "inputSet", &SET_DATA_UNKNOWN),
    row("ioBinding", "operationRef", "operation", &REFERENCE_UNKNOWN),
    row("ioBinding", "inputDataRef", "inputSet dataInput", &REFERENCE_UNKNOWN),
    row("ioBinding", "outputDataRef", "outputSet dataOutput", &REFERENCE_UNKNOWN),
    row(
        "multiInstanceLoopCharacteristics",
        "oneBehaviorEventRef noneBehaviorEventRef",
        // Which of them may stand there is a rule of its own.
        "signalEventDefinition messageEventDefinition errorEventDefinition escalationEventDefinition \
         compensateEventDefinition cancelEventDefinition terminateEventDefinition timerEventDefinition \
         conditionalEventDefinition linkEventDefinition",
        &REFERENCE_UNKNOWN,
    ),
    row(CALLABLES, "supportedInterfaceRef", "interface", &REFERENCE_UNKNOWN),
    row("process", "supports", "process", &REFERENCE_UNKNOWN),
    row("process", "definitionalCollaborationRef", COLLABORATIONS, &REFERENCE_UNKNOWN),
    row("participant", "interfaceRef", "interface", &REFERENCE_UNKNOWN),
    row("participant", "endPointRef", "endPoint", &REFERENCE_UNKNOWN),
    row("partnerEntity partnerRole", "participantRef", "participant", &REFERENCE_UNKNOWN),
    row("resourceRole performer humanPerformer potentialOwner", "resourceRef", "resource", &RESOURCE_UNKNOWN),
    row("resourceParameterBinding", "parameterRef", "resourceParameter", &REFERENCE_UNKNOWN),
    row("lane", "partitionElementRef", "", &REFERENCE_UNKNOWN),
    row(FLOW_ELEMENTS, "categoryValueRef", "categoryValue", &REFERENCE_UNKNOWN),
    row("association conversationLink", "sourceRef targetRef", "", &REFERENCE_UNKNOWN),
    row("linkEventDefinition", "source target", "", &REFERENCE_UNKNOWN),
    row("collaboration", "choreographyRef", "choreography globalChoreographyTask", &REFERENCE_UNKNOWN),
    row("messageFlowAssociation", "innerMessageFlowRef outerMessageFlowRef", "messageFlow", &REFERENCE_UNKNOWN),
    row("participantAssociation", "innerParticipantRef outerParticipantRef", "participant", &REFERENCE_UNKNOWN),
    row(
        "conversationAssociation",
        "innerConversationNodeRef outerConversationNodeRef",
        CONVERSATIONS,
        &REFERENCE_UNKNOWN,
    ),
    row(CONVERSATIONS, "participantRef", "participant", &REFERENCE_UNKNOWN),
    row(CONVERSATIONS, "messageFlowRef", "messageFlow", &REFERENCE_UNKNOWN),
    row("callConversation", "calledCollaborationRef", COLLABORATIONS, &REFERENCE_UNKNOWN),
    row(CHOREOGRAPHIES, "participantRef initiatingParticipantRef", "participant", &REFERENCE_UNKNOWN),
    row("choreographyTask", "messageFlowRef", "messageFlow", &REFERENCE_UNKNOWN),
    row("callChoreography", "calledChoreographyRef", "choreography globalChoreographyTask", &REFERENCE_UNKNOWN),
];

/// What each element refers by, and the row that says so.
static ROWS_OF: LazyLock<ByElement<Vec<(&str, &Row)>>> = LazyLock::new(|| {
    ByElement::new(|owner| {
        let rows = ROWS.iter().filter(|row| is_one_of(row.owners, owner));
        rows.flat_map(|row| row.names.split_ascii_whitespace().map(move |name| (name, row))).collect()
    })
});

pub(super) fn check<'a>(world: &World<'a>, element: Element<'a>, known: KnownElement, findings: &mut Findings<'_>) {
    if element.name() == "resourceParameterBinding" {
        findings.add(
            &RESOURCE_PARAMETERS,
            element.index(),
            format!("{} has no effect: the resource is one group or user of its name", element_label(element)),
            "compute who it is in a resourceAssignmentExpression instead of the resourceRef",
        );
    }
    let rows = ROWS_OF.get(known);
    if rows.is_empty() {
        return;
    }
    for (name, row) in rows {
        if let Some(text) = element.attribute(name) {
            reference(world, element, row, name, &text, findings);
        }
    }
    for part in world.parts(element) {
        for (name, row) in rows.iter().filter(|(name, _)| *name == part.name()) {
            reference(world, element, row, name, &part.text(), findings);
        }
    }
}

fn is_one_of(names: &str, name: &str) -> bool {
    names.split_ascii_whitespace().any(|one| one == name)
}

fn reference(world: &World<'_>, owner: Element<'_>, row: &Row, name: &str, text: &str, findings: &mut Findings<'_>) {
    let text = text.trim();
    if text.is_empty() || may_be_elsewhere(world, row, text) {
        return;
    }
    let label = element_label(owner);
    let found = world.referred(text);
    let kinds = || row.kinds.split_ascii_whitespace().next().unwrap_or("an element");
    let (message, help) = match found {
        None => (
            format!("`{name}` of {label} names `{text}`, but nothing has that id"),
            format!("let it name {} that exists, or remove it", with_article(kinds())),
        ),
        Some(found) if !row.kinds.is_empty() && !is_one_of(row.kinds, found.name()) => (
            format!("`{name}` of {label} names `{text}`, which is {}", with_article(found.name())),
            format!("let it name {}, or remove it", with_article(kinds())),
        ),
        // An input set names inputs of its own specification.
        Some(found) if *row.rule == SET_DATA_UNKNOWN && found.parent() != owner.parent() => (
            format!("`{name}` of {label} names `{text}`, which belongs to another element"),
            format!("let it name {} that stands beside it", with_article(kinds())),
        ),
        Some(_) => return,
    };
    findings.add(row.rule, owner.index(), message, help);
}

fn with_article(word: &str) -> String {
    if word.starts_with("an ") { word.to_owned() } else { format!("{} `{word}`", article(word)) }
}

/// Types may be those of XML Schema, or of Flowable in its dialect, and a qualified name may be one of another file that this one imports.
fn may_be_elsewhere(world: &World<'_>, row: &Row, text: &str) -> bool {
    let qualified = text.split_once(':');
    let local = qualified.map_or(text, |(_, local)| local);
    let is_flowable = world.definitions.dialect == Dialect::Flowable;
    let is_type = SCHEMA_TYPES.contains(&local) || is_flowable && flowable_kind(local).is_some();
    *row.rule == ITEM_UNKNOWN && is_type || qualified.is_some() && world.imports
}
