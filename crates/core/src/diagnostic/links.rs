//! Link events: pairs by name within one level of a process.

use std::collections::BTreeMap;

use super::findings::Findings;
use super::rule::define;
use super::subject::{Subject, event, is_catching, label};
use crate::model::{EventDefinition, EventPosition, FlowNode, NodeIndex};

define! {
    LINK_WITHOUT_NAME = "link-without-name", Error, "BPMN 2.0.2 §10.5.5 Table 10.98",
        "A link event has a name, by which it finds its other end.";
    LINK_WITHOUT_CATCH = "link-without-catch", Error, "BPMN 2.0.2 §10.5.5",
        "For each throwing link there is a catching link of the same name at the same level.";
    LINK_SEVERAL_CATCHES = "link-several-catches", Error, "BPMN 2.0.2 §10.5.5",
        "There is only one catching link of a name at a level.";
    LINK_WITHOUT_THROW = "link-without-throw", Warning, "BPMN 2.0.2 §10.5.5",
        "For each catching link there is a throwing link of the same name at the same level.";
}

/// The ends of one link.
#[derive(Default)]
pub(super) struct Link {
    pub(super) throws: Vec<NodeIndex>,
    pub(super) catches: Vec<NodeIndex>,
}

/// All links, by level and name.
pub(super) fn links<'a>(subject: &Subject<'a>) -> BTreeMap<(Option<NodeIndex>, &'a str), Link> {
    let mut links: BTreeMap<_, Link> = BTreeMap::new();
    for (index, node) in subject.nodes() {
        let Some(event) = event(node) else { continue };
        let Some(name) = event.definitions.iter().find_map(link_name) else { continue };
        let link = links.entry((node.parent, name)).or_default();
        match event.position {
            EventPosition::IntermediateCatch => link.catches.push(index),
            EventPosition::IntermediateThrow => link.throws.push(index),
            _ => {}
        }
    }
    links
}

fn link_name(definition: &EventDefinition) -> Option<&str> {
    match definition {
        EventDefinition::Link { name, .. } => name.as_deref().filter(|name| !name.trim().is_empty()),
        _ => None,
    }
}

pub(super) fn check(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    for (_, node) in subject.nodes() {
        without_name(node, findings);
    }
    let links = links(subject);
    for ((scope, name), link) in &links {
        let catches: Vec<_> = link.catches.iter().filter_map(|index| subject.node(*index)).collect();
        let throws: Vec<_> = link.throws.iter().filter_map(|index| subject.node(*index)).collect();
        if let (None, [..]) = (catches.first(), throws.as_slice()) {
            let elsewhere = links.iter().any(|((_, other), link)| other == name && !link.catches.is_empty());
            for throw in &throws {
                without_catch(subject, *scope, name, throw, elsewhere, findings);
            }
        }
        for catch in catches.iter().skip(1) {
            findings.add(
                &LINK_SEVERAL_CATCHES,
                catch.element,
                format!(
                    "{} catches the link `{name}`, which another event at the same level catches already",
                    label(catch)
                ),
                "give one of them, and the throwing events that belong to it, another link name",
            );
        }
        if throws.is_empty() {
            for catch in &catches {
                findings.add(
                    &LINK_WITHOUT_THROW,
                    catch.element,
                    format!(
                        "{} catches the link `{name}`, but no event in {} throws it",
                        label(catch),
                        subject.scope_label(*scope)
                    ),
                    "add a throwing link event of that name, or delete this one",
                );
            }
        }
    }
}

fn without_name(node: &FlowNode, findings: &mut Findings<'_>) {
    let Some(event) = event(node) else { return };
    for definition in &event.definitions {
        if matches!(definition, EventDefinition::Link { .. }) && link_name(definition).is_none() {
            let end = if is_catching(event) { "throwing" } else { "catching" };
            findings.add(
                &LINK_WITHOUT_NAME,
                definition.element(),
                format!("the link of {} has no name", label(node)),
                format!("give the linkEventDefinition the `name` that its {end} end has"),
            );
        }
    }
}

fn without_catch(
    subject: &Subject<'_>,
    scope: Option<NodeIndex>,
    name: &str,
    throw: &FlowNode,
    elsewhere: bool,
    findings: &mut Findings<'_>,
) {
    let place = if elsewhere { "; the one elsewhere is out of reach, a link does not leave its level" } else { "" };
    findings.add(
        &LINK_WITHOUT_CATCH,
        throw.element,
        format!(
            "{} throws the link `{name}`, but no event in {} catches it{place}",
            label(throw),
            subject.scope_label(scope)
        ),
        "add a catching link event of that name at the same level",
    );
}
