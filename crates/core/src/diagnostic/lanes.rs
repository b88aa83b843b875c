//! Lanes: what they name.

use std::collections::{BTreeMap, BTreeSet};

use super::findings::Findings;
use super::rule::define;
use super::subject::{Named, Subject, activity, article, label, named};
use crate::dialect::Dialect;
use crate::model::{ActivityKind, FlowNode, Lane, LaneIndex, NodeIndex};
use crate::xml::ElementIndex;

define! {
    NODE_UNKNOWN = "lane-node-unknown", Error, "BPMN 2.0.2 §10.8",
        "What a lane names exists.";
    NODE_ELSEWHERE = "lane-node-elsewhere", Error, "BPMN 2.0.2 §10.8",
        "A lane names nodes of its own process.";
    NOT_A_NODE = "lane-names-no-node", Warning, "BPMN 2.0.2 §10.8",
        "A lane names flow nodes only.";
    NAMES_LANE = "lane-names-lane", Error, "BPMN 2.0.2 §10.8",
        "A lane holds other lanes in a childLaneSet; a flowNodeRef names none.";
    NODE_TWICE = "node-in-two-lanes", Warning, "BPMN 2.0.2 §10.8",
        "A node stands in one lane of a lane set.";
    WITHOUT_GROUP = "lane-without-group", Warning, "unusual",
        "A lane that user tasks fall to has a name, or a lane around it has one: that is the group that gets them.";
}

pub(super) fn check(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    let mut seen: BTreeMap<(ElementIndex, NodeIndex), (LaneIndex, &Lane)> = BTreeMap::new();
    for (index, lane) in (0..).map(LaneIndex).zip(&subject.process.lanes) {
        let set = lane_set(subject, outermost(subject, lane));
        for reference in &lane.flow_nodes {
            let Some(node) = reference.target else {
                unknown(subject, lane, &reference.text, findings);
                continue;
            };
            // Outer lanes stand before inner ones: an earlier lane than the last one is around this one, too, or it has been told.
            match seen.insert((set, node), (index, lane)) {
                Some((other, other_lane))
                    if other != index && around(subject, lane).all(|(outer, _)| outer != other) =>
                {
                    let Some(node) = subject.node(node) else { continue };
                    findings.add(
                        &NODE_TWICE,
                        lane.element,
                        format!("{} stands in {} and in {}", label(node), lane_label(lane), lane_label(other_lane)),
                        "leave it in one of them: its tasks go to one group",
                    );
                }
                _ => {}
            }
        }
    }
    without_group(subject, findings);
}

/// Lanes give tasks to groups, but not in foreign dialects.
fn without_group(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    if subject.definitions.dialect != Dialect::Standard {
        return;
    }
    let mut told = BTreeSet::new();
    for (_, node) in subject.nodes().filter(|(_, node)| falls_to_lane(node)) {
        let mut lanes = subject.process.lanes_of(node).peekable();
        let Some(innermost) = lanes.peek().copied() else { continue };
        if lanes.all(|lane| lane.group.is_none()) && told.insert(innermost.element) {
            findings.add(
                &WITHOUT_GROUP,
                innermost.element,
                format!(
                    "{} has no name, nor has a lane around it: {} goes to nobody",
                    lane_label(innermost),
                    label(node)
                ),
                "give the lane the name of the group whose work it is",
            );
        }
    }
}

/// A user task that is not said to be anybody's.
fn falls_to_lane(node: &FlowNode) -> bool {
    let is_user_task = |kind: &ActivityKind| matches!(kind, ActivityKind::UserTask);
    let is_open = activity(node).is_some_and(|task| is_user_task(&task.kind) && task.performers.is_empty());
    let assigned = node
        .extension
        .assignment
        .as_ref()
        .is_some_and(|to| to.assignee.is_some() || to.candidate_users.is_some() || to.candidate_groups.is_some());
    is_open && !assigned
}

fn lane_label(lane: &Lane) -> Named<'_> {
    named("lane", lane.id.as_deref().unwrap_or_default(), lane.name.as_deref())
}

/// The lanes around a lane, from the inside out.
fn around<'a>(subject: &Subject<'a>, lane: &Lane) -> impl Iterator<Item = (LaneIndex, &'a Lane)> + use<'a> {
    let process = subject.process;
    let outer = |lane: &Lane| lane.parent.and_then(|index| Some((index, process.lanes.get(index.0 as usize)?)));
    std::iter::successors(outer(lane), move |(_, lane)| outer(lane))
}

fn outermost<'a>(subject: &Subject<'a>, lane: &'a Lane) -> &'a Lane {
    around(subject, lane).last().map_or(lane, |(_, lane)| lane)
}

/// The `laneSet` around an outermost lane.
fn lane_set(subject: &Subject<'_>, lane: &Lane) -> ElementIndex {
    let element = subject.definitions.document.element(lane.element);
    element.parent().map_or(lane.element, |set| set.index())
}

fn unknown(subject: &Subject<'_>, lane: &Lane, text: &str, findings: &mut Findings<'_>) {
    let owner = lane_label(lane);
    if let Some((process, _)) = subject.world.node(text) {
        let process = subject.definitions.processes.get(process.0 as usize).map_or("", |process| &*process.id);
        findings.add(
            &NODE_ELSEWHERE,
            lane.element,
            format!("{owner} names `{text}`, which stands in another process, `{process}`"),
            "remove the flowNodeRef; that process has lanes of its own",
        );
    } else if subject.world.element(text).is_some_and(|element| element.name() == "lane") {
        findings.add(
            &NAMES_LANE,
            lane.element,
            format!("{owner} names the lane `{text}`, which is no flow node"),
            "put that lane into a childLaneSet of this one",
        );
    } else if let Some(element) = subject.world.element(text) {
        findings.add(
            &NOT_A_NODE,
            lane.element,
            format!("{owner} names `{text}`, {} {}, which is no flow node", article(element.name()), element.name()),
            "remove the flowNodeRef; it has no effect",
        );
    } else {
        findings.add(
            &NODE_UNKNOWN,
            lane.element,
            format!("{owner} names `{text}`, but no flow node has that id"),
            "correct the flowNodeRef, or remove it",
        );
    }
}
