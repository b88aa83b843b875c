//! What flow nodes say of their flows: `incoming` and `outgoing` repeat the ends of sequence flows.

use std::cell::LazyCell;
use std::collections::BTreeMap;

use super::findings::Findings;
use super::rule::define;
use super::subject::{Subject, article, flow_label, label};
use crate::model::{FlowNode, NodeIndex, SequenceFlow};
use crate::xml::Element;

define! {
    UNKNOWN = "flow-list-unknown", Error, "BPMN 2.0.2 §8.4.13",
        "What a flow node calls its incoming or outgoing flow is a sequence flow of its process.";
    CONTRADICTS = "flow-list-contradicts", Error, "BPMN 2.0.2 §8.4.13",
        "What a flow node calls its incoming flow ends at it, its outgoing flow begins at it.";
}

pub(super) fn check(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    let by_id = || subject.process.sequence_flows.iter().map(|flow| (&*flow.id, flow)).collect();
    let flows = LazyCell::new(by_id);
    for (index, node) in subject.nodes() {
        let element = subject.definitions.document.element(node.element);
        let (mut incoming, mut outgoing) = (node.incoming.iter(), node.outgoing.iter());
        for part in subject.world.parts(element) {
            let own = match part.name() {
                "incoming" => incoming.next(),
                "outgoing" => outgoing.next(),
                _ => continue,
            };
            // Nearly always listed in the order of the flows themselves: then nothing is to be looked up.
            let own = own.and_then(|flow| subject.process.sequence_flows.get(flow.0 as usize));
            if own.is_none_or(|flow| *flow.id != *part.text().trim()) {
                listed(subject, &flows, (index, node), part, findings);
            }
        }
    }
}

fn listed(
    subject: &Subject<'_>,
    flows: &BTreeMap<&str, &SequenceFlow>,
    (index, node): (NodeIndex, &FlowNode),
    part: Element<'_>,
    findings: &mut Findings<'_>,
) {
    let text = part.text();
    let text = text.trim();
    if text.is_empty() {
        return;
    }
    let name = part.name();
    let local = text.split_once(':').map_or(text, |(_, local)| local);
    let Some(flow) = flows.get(text).or_else(|| flows.get(local)) else {
        let what = match subject.world.referred(text) {
            None => "nothing has that id".to_owned(),
            Some(other) if other.name() == "sequenceFlow" => "that flow is one of another process".to_owned(),
            Some(other) => format!("that is {} `{}`", article(other.name()), other.name()),
        };
        let message = format!("{} has the {name} flow `{text}`, but {what}", label(node));
        let help = format!("delete the `{name}` element, or draw the flow again");
        return findings.add(&UNKNOWN, part.index(), message, help);
    };
    let (end, attribute, verb) = match name {
        "incoming" => (&flow.target, "targetRef", "ends"),
        _ => (&flow.source, "sourceRef", "begins"),
    };
    // A flow whose end is unknown is told where it stands.
    if end.target.is_some_and(|end| end != index) {
        findings.add(
            &CONTRADICTS,
            part.index(),
            format!("{} has the {name} flow `{text}`, but {} {verb} at `{}`", label(node), flow_label(flow), end.text),
            format!("delete the `{name}` element, or correct the flow's `{attribute}`"),
        );
    }
}
