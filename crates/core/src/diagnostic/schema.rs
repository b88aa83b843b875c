//! What the schema demands of every element: attributes, parts, and the words that an attribute may hold.
//!
//! Only what no other rule looks at stands in these tables.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use super::findings::Findings;
use super::rule::define;
use super::subject::{World, element_label};
use crate::model::{ByElement, KnownElement};
use crate::xml::{Element, NamespaceId, is_name};

define! {
    ATTRIBUTE_MISSING = "attribute-missing", Error, "BPMN 2.0.2 Semantic.xsd",
        "An element has the attributes that it needs.";
    PART_MISSING = "part-missing", Error, "BPMN 2.0.2 Semantic.xsd",
        "An element has the parts that it needs: an ioSpecification input and output sets, an interface operations.";
    PART_REPEATED = "part-repeated", Error, "BPMN 2.0.2 Semantic.xsd",
        "What an element can have once stands in it once.";
    NOT_OF_TYPE = "value-not-of-type", Error, "BPMN 2.0.2 Semantic.xsd",
        "Numbers are whole and not negative, and flags are `true` or `false`.";
    ID_MALFORMED = "id-malformed", Warning, "BPMN 2.0.2 Semantic.xsd",
        "An id begins with a letter or `_`, and holds only letters, digits, `_`, `-` and `.`.";
    VALUE_UNKNOWN = "value-unknown", Error, "BPMN 2.0.2 Semantic.xsd",
        "An attribute that takes one of several words has one of them.";
}

/// Elements (separated by spaces), and the attributes that each of them must have.
const ATTRIBUTES: &[(&str, &[&str])] = &[
    ("interface operation resource", &["name"]),
    ("association conversationLink", &["sourceRef", "targetRef"]),
    ("ioBinding", &["operationRef", "inputDataRef", "outputDataRef"]),
    ("resourceParameterBinding", &["parameterRef"]),
    ("conversationAssociation", &["innerConversationNodeRef", "outerConversationNodeRef"]),
    ("messageFlowAssociation", &["innerMessageFlowRef", "outerMessageFlowRef"]),
    ("choreographyTask subChoreography callChoreography", &["initiatingParticipantRef"]),
    ("relationship", &["type"]),
    ("import", &["importType", "location", "namespace"]),
];

/// Elements, and the parts that each of them must have; several names for one part are separated by spaces.
const PARTS: &[(&str, &[&str])] = &[
    ("ioSpecification", &["inputSet", "outputSet"]),
    ("interface", &["operation"]),
    ("assignment", &["from", "to"]),
    ("complexBehaviorDefinition", &["condition"]),
    ("resourceAssignmentExpression resourceParameterBinding", &["expression formalExpression"]),
    ("participantAssociation", &["innerParticipantRef", "outerParticipantRef"]),
    ("choreographyTask", &["participantRef", "messageFlowRef"]),
    ("subChoreography callChoreography", &["participantRef"]),
    ("relationship", &["source", "target"]),
];

/// What no element has twice.
const ONCE: &[&str] = &[
    "activationCondition",
    "auditing",
    "childLaneSet",
    "completionCondition",
    "condition",
    "dataPath",
    "dataState",
    "extensionElements",
    "from",
    "inMessageRef",
    "innerParticipantRef",
    "inputDataItem",
    "ioSpecification",
    "loopCardinality",
    "loopCondition",
    "loopDataInputRef",
    "loopDataOutputRef",
    "messagePath",
    "monitoring",
    "operationRef",
    "outMessageRef",
    "outerParticipantRef",
    "outputDataItem",
    "participantMultiplicity",
    "partitionElement",
    "resourceAssignmentExpression",
    "resourceRef",
    "script",
    "targetRef",
    "text",
    "to",
    "transformation",
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
enum Kind {
    Word(&'static [&'static str]),
    Flag,
    Number,
}

static KINDS: LazyLock<BTreeMap<&str, Kind>> = LazyLock::new(|| {
    let words = VALUES.iter().map(|(name, words)| (*name, Kind::Word(words)));
    let flags = FLAGS.iter().map(|name| (*name, Kind::Flag));
    let numbers = NUMBERS.iter().map(|name| (*name, Kind::Number));
    words.chain(flags).chain(numbers).collect()
});

pub(super) fn check<'a>(world: &World<'a>, element: Element<'a>, known: KnownElement, findings: &mut Findings<'_>) {
    attributes(element, known, findings);
    parts(world, element, known, findings);
    repeated(world, element, findings);
    values(element, findings);
    id(element, findings);
}

/// An id is an XML name without a colon (xsd:ID). Nothing here depends on it, but other tools do.
fn id(element: Element<'_>, findings: &mut Findings<'_>) {
    let Some(id) = element.attribute("id").filter(|id| !id.is_empty() && !is_name(id)) else { return };
    findings.add(
        &ID_MALFORMED,
        element.index(),
        format!("the id `{id}` is not formed as ids are"),
        "begin it with a letter or `_`, and use only letters, digits, `_`, `-` and `.`",
    );
}

fn is_one_of(names: &str, name: &str) -> bool {
    names.split(' ').any(|one| one == name)
}

/// Names by element.
type Names = LazyLock<ByElement<Vec<&'static str>>>;

static ATTRIBUTES_OF: Names = LazyLock::new(|| ByElement::new(|name| named(ATTRIBUTES, name)));
static PARTS_OF: Names = LazyLock::new(|| ByElement::new(|name| named(PARTS, name)));

fn named(rows: &[(&str, &[&'static str])], owner: &str) -> Vec<&'static str> {
    rows.iter().filter(|(owners, _)| is_one_of(owners, owner)).flat_map(|(_, names)| *names).copied().collect()
}

fn attributes(element: Element<'_>, known: KnownElement, findings: &mut Findings<'_>) {
    for name in ATTRIBUTES_OF.get(known) {
        // Some write as an element what should be an attribute; it is read all the same.
        let is_given = element.attribute(name).is_some_and(|value| !value.trim().is_empty())
            || element.children().any(|child| child.name() == *name);
        if !is_given {
            findings.add(
                &ATTRIBUTE_MISSING,
                element.index(),
                format!("{} has no `{name}`", element_label(element)),
                format!("add the attribute `{name}`"),
            );
        }
    }
}

fn parts<'a>(world: &World<'a>, element: Element<'a>, known: KnownElement, findings: &mut Findings<'_>) {
    for names in PARTS_OF.get(known) {
        if !world.parts(element).any(|part| is_one_of(names, part.name())) {
            let name = names.split(' ').next().unwrap_or(names);
            findings.add(
                &PART_MISSING,
                element.index(),
                format!("{} has no `{name}`", element_label(element)),
                format!("add a `{name}` to it, or delete it"),
            );
        }
    }
}

fn repeated<'a>(world: &World<'a>, element: Element<'a>, findings: &mut Findings<'_>) {
    let mut seen = BTreeSet::new();
    for part in world.parts(element).filter(|part| ONCE.binary_search(&part.name()).is_ok()) {
        if !seen.insert(part.name()) {
            findings.add(
                &PART_REPEATED,
                part.index(),
                format!("{} has a second `{}`", element_label(element), part.name()),
                "keep one of them",
            );
        }
    }
}

fn values(element: Element<'_>, findings: &mut Findings<'_>) {
    for attribute in element.attributes().filter(|attribute| attribute.namespace_id() == NamespaceId::NONE) {
        let name = attribute.name();
        let Some(kind) = KINDS.get(name) else { continue };
        let value = attribute.value();
        let value = value.trim();
        let (rule, help) = match kind {
            _ if value.is_empty() => continue,
            Kind::Word(words) if !words.contains(&value) => (&VALUE_UNKNOWN, format!("write {}", words.join(", "))),
            // Capital letters are no flags in the schema, but are read as such.
            Kind::Flag if !matches!(value, "1" | "0" | "true" | "false" | "True" | "False" | "TRUE" | "FALSE") => {
                (&NOT_OF_TYPE, "write `true` or `false`".to_owned())
            }
            Kind::Number if value.parse::<u32>().is_err() => {
                (&NOT_OF_TYPE, "write a whole number that is not negative".to_owned())
            }
            _ => continue,
        };
        let message = format!("{} has {name}=\"{value}\", which means nothing there", element_label(element));
        findings.add(rule, element.index(), message, help);
    }
}
