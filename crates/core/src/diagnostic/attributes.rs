//! Which attributes an element may have, and what they may hold: as its type in the schema says.
//!
//! Attributes in another namespace may stand anywhere (`anyAttribute namespace="##other"`); without one, a misspelt attribute would
//! leave its default in force without a word.

use std::sync::LazyLock;

use super::findings::Findings;
use super::rule::define;
use super::similar;
use super::subject::element_label;
use crate::dialect::{self, Dialect};
use crate::model::{ByElement, KnownElement, is_flow_node};
use crate::xml::{Attribute, Element, NamespaceId, is_name};

define! {
    ATTRIBUTE_UNKNOWN = "attribute-unknown", Warning, "BPMN 2.0.2 Semantic.xsd",
        "Attributes without a vendor's namespace are BPMN's; others are skipped.";
    NOT_OF_TYPE = "value-not-of-type", Error, "BPMN 2.0.2 Semantic.xsd",
        "Numbers are whole and not negative, and flags are `true` or `false`.";
    ID_MALFORMED = "id-malformed", Warning, "BPMN 2.0.2 Semantic.xsd",
        "An id begins with a letter or `_`, and holds only letters, digits, `_`, `-` and `.`.";
    VALUE_UNKNOWN = "value-unknown", Error, "BPMN 2.0.2 Semantic.xsd",
        "An attribute that takes one of several words has one of them.";
    NOT_IMMEDIATE = "flow-not-immediate", Warning, "BPMN 2.0.2 §8.4.13",
        "In a process that is to run, nothing that is not drawn happens while a sequence flow is taken.";
    PREFIX_UNBOUND = "reference-prefix-unbound", Warning, "BPMN 2.0.2 Semantic.xsd",
        "The prefix of a reference is declared.";
}

/// Elements that have no attributes at all: they hold a reference, or what is free.
const BARE: &str = "categoryValueRef choreographyRef correlationPropertyRef dataInputRefs dataOutputRefs endPointRef \
    errorRef eventDefinitionRef extensionElements flowNodeRef inMessageRef incoming innerParticipantRef inputSetRefs \
    interfaceRef loopDataInputRef loopDataOutputRef messageFlowRef operationRef optionalInputRefs optionalOutputRefs \
    outMessageRef outerParticipantRef outgoing outputSetRefs participantRef resourceRef script source sourceRef \
    supportedInterfaceRef supports target targetRef text whileExecutingInputRefs whileExecutingOutputRefs";

/// Elements (separated by spaces), and attributes that they may have beside an id.
const ATTRIBUTES: &[(&str, &[&str])] = &[
    (
        "adHocSubProcess boundaryEvent businessRuleTask callActivity callChoreography callConversation category \
         choreography choreographyTask collaboration complexGateway conversation conversationLink correlationKey \
         correlationProperty dataInput dataObject dataObjectReference dataOutput dataState dataStore dataStoreReference \
         definitions endEvent error escalation event eventBasedGateway exclusiveGateway globalBusinessRuleTask \
         globalChoreographyTask globalConversation globalManualTask globalScriptTask globalTask globalUserTask \
         humanPerformer implicitThrowEvent inclusiveGateway inputDataItem inputSet interface intermediateCatchEvent \
         intermediateThrowEvent lane laneSet childLaneSet linkEventDefinition manualTask message messageFlow operation \
         outputDataItem outputSet parallelGateway participant partnerEntity partnerRole performer potentialOwner \
         process property receiveTask resource resourceParameter resourceRole scriptTask sendTask sequenceFlow \
         serviceTask signal startEvent subChoreography subConversation subProcess task transaction userTask",
        &["name"],
    ),
    (
        "adHocSubProcess businessRuleTask callActivity manualTask receiveTask scriptTask sendTask serviceTask subProcess \
         task transaction userTask",
        &["isForCompensation", "startQuantity", "completionQuantity", "default"],
    ),
    ("subProcess adHocSubProcess transaction", &["triggeredByEvent"]),
    ("adHocSubProcess", &["cancelRemainingInstances", "ordering"]),
    ("transaction", &["method"]),
    (
        "businessRuleTask globalBusinessRuleTask globalUserTask receiveTask sendTask serviceTask userTask",
        &["implementation"],
    ),
    ("sendTask receiveTask", &["messageRef"]),
    ("sendTask receiveTask serviceTask", &["operationRef"]),
    ("receiveTask eventBasedGateway", &["instantiate"]),
    ("scriptTask", &["scriptFormat"]),
    ("globalScriptTask", &["scriptLanguage"]),
    ("callActivity", &["calledElement"]),
    ("startEvent intermediateCatchEvent boundaryEvent", &["parallelMultiple"]),
    ("startEvent", &["isInterrupting"]),
    ("boundaryEvent", &["attachedToRef", "cancelActivity"]),
    ("complexGateway eventBasedGateway exclusiveGateway inclusiveGateway parallelGateway", &["gatewayDirection"]),
    ("complexGateway exclusiveGateway inclusiveGateway", &["default"]),
    ("eventBasedGateway", &["eventGatewayType"]),
    ("sequenceFlow", &["sourceRef", "targetRef", "isImmediate"]),
    ("association conversationLink messageFlow", &["sourceRef", "targetRef"]),
    ("association", &["associationDirection"]),
    ("messageFlow", &["messageRef"]),
    ("compensateEventDefinition", &["activityRef", "waitForCompletion"]),
    ("errorEventDefinition", &["errorRef"]),
    ("escalationEventDefinition", &["escalationRef"]),
    ("messageEventDefinition", &["messageRef"]),
    ("signalEventDefinition", &["signalRef"]),
    ("standardLoopCharacteristics", &["testBefore", "loopMaximum"]),
    ("multiInstanceLoopCharacteristics", &["isSequential", "behavior", "oneBehaviorEventRef", "noneBehaviorEventRef"]),
    // The schema gives these to formal expressions, which an expression's `xsi:type` may say it is.
    (
        "activationCondition completionCondition condition conditionExpression dataPath expression formalExpression from \
         loopCardinality loopCondition messagePath timeCycle timeDate timeDuration to transformation",
        &["language", "evaluatesToTypeRef"],
    ),
    ("process", &["processType", "isClosed", "isExecutable", "definitionalCollaborationRef"]),
    ("choreography collaboration conversation globalChoreographyTask globalConversation", &["isClosed"]),
    ("callChoreography choreographyTask globalChoreographyTask subChoreography", &["initiatingParticipantRef"]),
    ("callChoreography choreographyTask subChoreography", &["loopType"]),
    ("callChoreography", &["calledChoreographyRef"]),
    ("callConversation", &["calledCollaborationRef"]),
    ("conversationAssociation", &["innerConversationNodeRef", "outerConversationNodeRef"]),
    ("messageFlowAssociation", &["innerMessageFlowRef", "outerMessageFlowRef"]),
    ("participant", &["processRef"]),
    ("participantMultiplicity", &["minimum", "maximum"]),
    ("lane", &["partitionElementRef"]),
    ("categoryValue", &["value"]),
    ("group", &["categoryValueRef"]),
    ("documentation textAnnotation", &["textFormat"]),
    ("dataInput dataObject dataOutput inputDataItem outputDataItem", &["itemSubjectRef", "isCollection"]),
    ("dataObjectReference dataStore dataStoreReference property", &["itemSubjectRef"]),
    ("dataObjectReference", &["dataObjectRef"]),
    ("dataStoreReference", &["dataStoreRef"]),
    ("dataStore", &["capacity", "isUnlimited"]),
    ("ioBinding", &["operationRef", "inputDataRef", "outputDataRef"]),
    ("correlationProperty resourceParameter relationship", &["type"]),
    ("correlationPropertyBinding", &["correlationPropertyRef"]),
    ("correlationPropertyRetrievalExpression", &["messageRef"]),
    ("correlationSubscription", &["correlationKeyRef"]),
    ("interface operation", &["implementationRef"]),
    ("message", &["itemRef"]),
    ("error", &["errorCode"]),
    ("escalation", &["escalationCode"]),
    ("error escalation signal itemDefinition", &["structureRef"]),
    ("itemDefinition", &["isCollection", "itemKind"]),
    ("resourceParameter", &["isRequired"]),
    ("resourceParameterBinding", &["parameterRef"]),
    ("relationship", &["direction"]),
    ("import", &["importType", "location", "namespace"]),
    ("extension", &["definition", "mustUnderstand"]),
    ("definitions", &["targetNamespace", "expressionLanguage", "typeLanguage", "exporter", "exporterVersion"]),
];

/// Attributes, and the words that each of them takes.
const VALUES: &[(&str, &[&str])] = &[
    ("associationDirection", &["None", "One", "Both"]),
    ("behavior", &["None", "One", "All", "Complex"]),
    ("eventGatewayType", &["Exclusive", "Parallel"]),
    ("gatewayDirection", &["Unspecified", "Converging", "Diverging", "Mixed"]),
    ("itemKind", &["Information", "Physical"]),
    ("loopType", &["None", "Standard", "MultiInstanceSequential", "MultiInstanceParallel"]),
    ("ordering", &["Parallel", "Sequential"]),
    ("processType", &["None", "Public", "Private"]),
];

/// Attributes that are `true` or `false`.
const FLAGS: &[&str] = &[
    "cancelActivity",
    "cancelRemainingInstances",
    "instantiate",
    "isClosed",
    "isCollection",
    "isExecutable",
    "isForCompensation",
    "isImmediate",
    "isInterrupting",
    "isRequired",
    "isSequential",
    "isUnlimited",
    "parallelMultiple",
    "testBefore",
    "triggeredByEvent",
    "waitForCompletion",
];

/// Attributes that count something.
const NUMBERS: &[&str] = &["capacity", "completionQuantity", "loopMaximum", "startQuantity"];

/// What an attribute's value may be.
#[derive(Clone, Copy)]
enum Kind {
    Free,
    Id,
    Word(&'static [&'static str]),
    Flag,
    Number,
    /// A qualified name: its prefix stands for a namespace.
    Reference,
}

impl Kind {
    fn of(name: &str) -> Self {
        let words = VALUES.iter().find(|(named, _)| *named == name);
        match words {
            Some((_, words)) => Self::Word(words),
            None if name == "id" => Self::Id,
            None if FLAGS.contains(&name) => Self::Flag,
            None if NUMBERS.contains(&name) => Self::Number,
            // Types may be of schemas that stand elsewhere.
            None if name.ends_with("Ref") && name != "structureRef" => Self::Reference,
            None => Self::Free,
        }
    }
}

/// Attributes of an element, each with what it may hold.
type Own = Vec<(&'static str, Kind)>;

static ATTRIBUTES_OF: LazyLock<ByElement<Own>> = LazyLock::new(|| {
    let is_one_of = |names: &str, name: &str| names.split_ascii_whitespace().any(|one| one == name);
    ByElement::new(|element| {
        let rows = ATTRIBUTES.iter().filter(|(elements, _)| is_one_of(elements, element));
        let id = Some("id").filter(|_| !is_one_of(BARE, element));
        let names = id.into_iter().chain(rows.flat_map(|(_, names)| *names).copied());
        names.map(|name| (name, Kind::of(name))).collect()
    })
});

pub(super) fn check(element: Element<'_>, known: KnownElement, dialect: Dialect, findings: &mut Findings<'_>) {
    let own = ATTRIBUTES_OF.get(known);
    for attribute in element.attributes() {
        let name = attribute.name();
        let (message, help) = if attribute.namespace_id() == NamespaceId::NONE {
            if let Some((_, kind)) = own.iter().find(|(own, _)| *own == name) {
                value(element, attribute, *kind, findings);
                continue;
            }
            // A `default` where there is no choice breaks a rule of its own.
            let is_default = name == "default" && is_flow_node(element.name());
            if is_default || dialect == Dialect::Flowable && dialect::is_bare(element.name(), name) {
                continue;
            }
            let label = element_label(element);
            (format!("BPMN has no attribute `{name}` for {label}; it is skipped"), help(element, name, own, dialect))
        } else if attribute.namespace_id() == element.namespace_id() {
            let label = element_label(element);
            let help = "BPMN's attributes have no prefix: take it away".to_owned();
            (format!("`{name}` of {label} has the prefix of BPMN's elements; it is skipped"), help)
        } else {
            continue;
        };
        findings.add_at(&ATTRIBUTE_UNKNOWN, element.index(), attribute.span(), message, help);
    }
}

fn value(element: Element<'_>, attribute: Attribute<'_>, kind: Kind, findings: &mut Findings<'_>) {
    let given = attribute.value();
    let value = given.trim();
    let (rule, help) = match kind {
        Kind::Free => return,
        // An id is an XML name without a colon (xsd:ID). Nothing here depends on it, but other tools do.
        Kind::Id if !given.is_empty() && !is_name(&given) => {
            let message = format!("the id `{given}` is not formed as ids are");
            let help = "begin it with a letter or `_`, and use only letters, digits, `_`, `-` and `.`";
            return findings.add(&ID_MALFORMED, element.index(), message, help);
        }
        Kind::Reference => return prefix(element, attribute, value, findings),
        _ if value.is_empty() => return,
        Kind::Word(words) if !words.contains(&value) => (&VALUE_UNKNOWN, format!("write {}", words.join(", "))),
        // Capital letters are no flags in the schema, but are read as such.
        Kind::Flag if !matches!(value, "1" | "0" | "true" | "false" | "True" | "False" | "TRUE" | "FALSE") => {
            (&NOT_OF_TYPE, "write `true` or `false`".to_owned())
        }
        Kind::Flag if attribute.name() == "isImmediate" && value != "1" && !value.eq_ignore_ascii_case("true") => {
            if !findings.are_of_drawing() {
                let message =
                    format!("{} has isImmediate=\"{value}\"; it is taken at once all the same", element_label(element));
                findings.add(
                    &NOT_IMMEDIATE,
                    element.index(),
                    message,
                    "delete isImmediate, and draw what happens between",
                );
            }
            return;
        }
        Kind::Number if value.parse::<u32>().is_err() => {
            (&NOT_OF_TYPE, "write a whole number that is not negative".to_owned())
        }
        _ => return,
    };
    let name = attribute.name();
    let message = format!("{} has {name}=\"{value}\", which means nothing there", element_label(element));
    findings.add(rule, element.index(), message, help);
}

fn prefix(element: Element<'_>, attribute: Attribute<'_>, value: &str, findings: &mut Findings<'_>) {
    if let Some((prefix, _)) = value.split_once(':')
        && element.namespace_of(prefix).is_none()
    {
        let (name, label) = (attribute.name(), element_label(element));
        findings.add(
            &PREFIX_UNBOUND,
            element.index(),
            format!("`{name}` of {label} is `{value}`, but no namespace has the prefix `{prefix}`"),
            format!("remove `{prefix}:`, or declare it with `xmlns:{prefix}`"),
        );
    }
}

fn help(element: Element<'_>, name: &str, own: &Own, dialect: Dialect) -> String {
    if let Some(word) = dialect::qualified(dialect, element.name(), name) {
        return format!("did you mean `{word}`? Write its prefix, too");
    }
    match similar(name, own.iter().map(|(name, _)| *name)) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => "delete it; what a vendor adds stands in the vendor's own namespace".to_owned(),
    }
}
