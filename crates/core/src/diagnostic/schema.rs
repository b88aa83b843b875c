//! What the schema demands of every element: attributes and parts.
//!
//! Only what no other rule looks at stands in these tables.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use super::findings::Findings;
use super::rule::define;
use super::subject::{World, element_label};
use crate::model::{ByElement, KnownElement};
use crate::xml::Element;

define! {
    ATTRIBUTE_MISSING = "attribute-missing", Error, "BPMN 2.0.2 Semantic.xsd",
        "An element has the attributes that it needs.";
    PART_MISSING = "part-missing", Error, "BPMN 2.0.2 Semantic.xsd",
        "An element has the parts that it needs: an ioSpecification input and output sets, an interface operations.";
    PART_REPEATED = "part-repeated", Error, "BPMN 2.0.2 Semantic.xsd",
        "What an element can have once stands in it once.";
    PARTS_EXCLUSIVE = "parts-exclusive", Error, "BPMN 2.0.2 §10.3.1, Semantic.xsd",
        "A resource role names a resource or computes who it is, not both.";
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

pub(super) fn check<'a>(world: &World<'a>, element: Element<'a>, known: KnownElement, findings: &mut Findings<'_>) {
    attributes(element, known, findings);
    parts(world, element, known, findings);
    repeated(world, element, findings);
    exclusive(world, element, findings);
}

fn is_one_of(names: &str, name: &str) -> bool {
    names.split(' ').any(|one| one == name)
}

/// Names by element.
type Names = LazyLock<ByElement<Vec<&'static str>>>;

static ATTRIBUTES_OF: Names = LazyLock::new(|| ByElement::new(|name| named(ATTRIBUTES, name)));
static PARTS_OF: Names = LazyLock::new(|| ByElement::new(|name| named(PARTS, name)));

static IS_ONCE: LazyLock<ByElement<bool>> = LazyLock::new(|| ByElement::new(|name| ONCE.contains(&name)));

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

/// A resource, with what it is looked up by, or an expression.
fn exclusive<'a>(world: &World<'a>, element: Element<'a>, findings: &mut Findings<'_>) {
    if !matches!(element.name(), "resourceRole" | "performer" | "humanPerformer" | "potentialOwner") {
        return;
    }
    let part = |names: &[&str]| world.parts(element).find(|part| names.contains(&part.name()));
    let named = part(&["resourceRef", "resourceParameterBinding"]);
    if let (Some(named), Some(computed)) = (named, part(&["resourceAssignmentExpression"])) {
        findings.add(
            &PARTS_EXCLUSIVE,
            computed.index(),
            format!("{} has a `{}` and a `{}`", element_label(element), named.name(), computed.name()),
            "keep one of them",
        );
    }
}

fn repeated<'a>(world: &World<'a>, element: Element<'a>, findings: &mut Findings<'_>) {
    let mut seen = BTreeSet::new();
    let is_once = |part: &Element<'_>| KnownElement::of(part.name()).is_some_and(|known| *IS_ONCE.get(known));
    for part in world.parts(element).filter(is_once) {
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
