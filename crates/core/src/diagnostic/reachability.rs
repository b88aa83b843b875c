//! What can be reached, and what can come to an end.

use std::collections::VecDeque;

use super::findings::Findings;
use super::links::links;
use super::rule::define;
use super::sub_processes::says_by_event;
use super::subject::{
    ScopeKind, Subject, activity, event, gateway, has_definition, is_boundary, is_catch_link, is_compensation_boundary,
    is_compensation_handler, is_end, is_event_sub_process, is_start, is_throw_link, label,
};
use crate::dialect::Dialect;
use crate::model::{ActivityKind, EventDefinition, EventPosition, FlowNode, Gateway, NodeIndex};

define! {
    CANNOT_START = "nothing-to-start-with", Error, "BPMN 2.0.2 §10.5.2, §13.2",
        "A process or sub-process with flow nodes has a start event or a node without incoming flows.";
    EVENT_WITHOUT_INCOMING = "event-without-incoming", Error, "BPMN 2.0.2 §10.5.3, §10.5.4",
        "In plain BPMN, a flow leads to each end event and intermediate event.";
    // Beside a start event this is a MUST of BPMN, yet a warning: engines run the rest, and nothing ever comes here.
    NODE_UNREACHABLE = "node-unreachable", Warning, "BPMN 2.0.2 §10.5.2",
        "Every node can be reached from a start.";
    NO_WAY_TO_END = "no-way-to-end", Warning, "unusual",
        "From every node an end can be reached.";
    // Beside an end event this is a MUST of BPMN, yet a warning: engines agree that the path ends there.
    IMPLICIT_END = "path-without-end-event", Warning, "BPMN 2.0.2 §10.5.3",
        "Where a level has start or end events, every path of it ends with an end event.";
}

pub(super) fn check(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    let ways = Ways::new(subject);
    for scope in subject.scopes() {
        cannot_start(subject, scope, &ways, findings);
        implicit_end(subject, scope, findings);
    }
    let reached = unreachable(subject, &ways, findings);
    no_way_to_end(subject, &ways, &reached, findings);
}

/// Where a token can go from each node, and where it enters each scope.
struct Ways {
    /// Within the node's level: by flows, links, and boundary events.
    next: Vec<Vec<NodeIndex>>,
    /// Where a scope begins: slot 0 for the process, then the sub-processes by index.
    entries: Vec<Vec<NodeIndex>>,
}

impl Ways {
    fn new(subject: &Subject<'_>) -> Self {
        let mut next = vec![Vec::new(); subject.process.flow_nodes.len()];
        for flow in &subject.process.sequence_flows {
            if let (Some(source), Some(target)) = (flow.source.target, flow.target.target)
                && let Some(list) = next.get_mut(source.0 as usize)
            {
                list.push(target);
            }
        }
        for link in links(subject).values() {
            for throw in &link.throws {
                if let Some(list) = next.get_mut(throw.0 as usize) {
                    list.extend(link.catches.first());
                }
            }
        }
        for (index, _) in subject.nodes() {
            if let Some(list) = next.get_mut(index.0 as usize) {
                list.extend(subject.boundaries(index));
            }
        }
        for association in &subject.process.associations {
            let from_boundary =
                association.source.target.and_then(|index| subject.node(index)).is_some_and(is_compensation_boundary);
            if let (true, Some(source), Some(target)) =
                (from_boundary, association.source.target, association.target.target)
                && let Some(list) = next.get_mut(source.0 as usize)
            {
                list.push(target);
            }
        }
        let mut entries = vec![Vec::new(); subject.process.flow_nodes.len() + 1];
        for scope in subject.scopes() {
            if let Some(list) = entries.get_mut(scope.map_or(0, |index| index.0 as usize + 1)) {
                *list = entry_nodes(subject, scope);
            }
        }
        Self { next, entries }
    }

    fn next(&self, node: NodeIndex) -> &[NodeIndex] {
        self.next.get(node.0 as usize).map_or(&[], Vec::as_slice)
    }

    fn entries(&self, scope: Option<NodeIndex>) -> &[NodeIndex] {
        self.entries.get(scope.map_or(0, |index| index.0 as usize + 1)).map_or(&[], Vec::as_slice)
    }

    /// Marks everything that can be reached from a node, going into sub-processes.
    fn flood(&self, from: impl IntoIterator<Item = NodeIndex>, reached: &mut [bool]) {
        let mut waiting: VecDeque<NodeIndex> = from.into_iter().collect();
        while let Some(node) = waiting.pop_front() {
            match reached.get_mut(node.0 as usize) {
                Some(mark) if !*mark => *mark = true,
                _ => continue,
            }
            waiting.extend(self.next(node));
            waiting.extend(self.entries(Some(node)));
        }
    }
}

/// Where tokens appear when the scope starts: its start events and instantiating nodes, or, without any start event,
/// all nodes without incoming flows; and the event sub-processes, which wait from then on.
fn entry_nodes(subject: &Subject<'_>, scope: Option<NodeIndex>) -> Vec<NodeIndex> {
    let has_start = subject.nodes_in(scope).any(|(_, node)| is_start(node));
    subject
        .nodes_in(scope)
        .filter(|(_, node)| {
            is_start(node)
                || says_by_event(subject, node)
                || instantiates(node)
                || (!has_start && begins_without_start(node))
        })
        .map(|(index, _)| index)
        .collect()
}

fn begins_without_start(node: &FlowNode) -> bool {
    node.incoming.is_empty() && !is_boundary(node) && !is_catch_link(node) && !is_compensation_handler(node)
}

fn instantiates(node: &FlowNode) -> bool {
    let gateway = matches!(gateway(node), Some(Gateway::EventBased { instantiate: true, .. }));
    let receive = activity(node)
        .is_some_and(|activity| matches!(activity.kind, ActivityKind::ReceiveTask { instantiate: true, .. }));
    (gateway || receive) && node.incoming.is_empty()
}

fn cannot_start(subject: &Subject<'_>, scope: Option<NodeIndex>, ways: &Ways, findings: &mut Findings<'_>) {
    // An event sub-process without a start event has a finding of its own.
    if subject.children(scope).is_empty() || subject.scope_kind(scope) == ScopeKind::EventSubProcess {
        return;
    }
    let starts = |index: &NodeIndex| subject.node(*index).is_some_and(|node| !says_by_event(subject, node));
    if !ways.entries(scope).iter().any(starts) {
        let element = scope.and_then(|index| subject.node(index)).map_or(subject.process.element, |node| node.element);
        findings.add(
            &CANNOT_START,
            element,
            format!("{} has no start event, and no node in it is without incoming flows", subject.scope_label(scope)),
            "add a start event and lead a sequence flow from it to the first node",
        );
    }
}

fn is_intermediate(node: &FlowNode) -> bool {
    event(node).is_some_and(|event| {
        matches!(event.position, EventPosition::IntermediateCatch | EventPosition::IntermediateThrow)
    })
}

fn implicit_end(subject: &Subject<'_>, scope: Option<NodeIndex>, findings: &mut Findings<'_>) {
    // With either, everything else leads somewhere (§10.5.2, §10.5.3); intermediate events always do (§10.5.4).
    let has_either = subject.nodes_in(scope).any(|(_, node)| is_end(node) || is_start(node));
    for (index, node) in subject.nodes_in(scope) {
        let may_end = is_end(node)
            || is_throw_link(node)
            || is_boundary(node)
            || says_by_event(subject, node)
            || is_compensation_handler(node)
            // A choice without a way out has a finding of its own.
            || gateway(node).is_some_and(|gateway| !matches!(gateway, Gateway::Parallel));
        let ends_here = node.outgoing.is_empty() && !may_end && (has_either || is_intermediate(node));
        if ends_here && !subject.is_hidden(index, node) {
            findings.add(
                &IMPLICIT_END,
                node.element,
                format!("{} has no outgoing flow: the path ends here", label(node)),
                "lead a sequence flow to an end event, so that it can be seen that the end is meant",
            );
        }
    }
}

/// Reports what cannot be reached; of what hangs together only the first. Returns what can be reached from the start.
fn unreachable(subject: &Subject<'_>, ways: &Ways, findings: &mut Findings<'_>) -> Vec<bool> {
    let mut reached = vec![false; subject.process.flow_nodes.len()];
    ways.flood(ways.entries(None).iter().copied(), &mut reached);
    let from_start = reached.clone();
    // What cannot start at all has a finding already.
    for scope in subject.scopes().filter(|scope| ways.entries(*scope).is_empty()) {
        ways.flood(subject.children(scope).iter().copied(), &mut reached);
    }
    for roots_only in [true, false] {
        for (index, node) in subject.nodes() {
            let seen = reached.get(index.0 as usize).copied().unwrap_or(true);
            // Boundary events without a host, links without a throw, and handlers without an event are reported as such.
            let reported_elsewhere = is_boundary(node) || is_catch_link(node) || is_compensation_handler(node);
            if seen || (roots_only && !node.incoming.is_empty()) {
                continue;
            }
            if !reported_elsewhere && !subject.is_hidden(index, node) {
                let why =
                    if node.incoming.is_empty() { "no flow leads to it" } else { "no path from a start leads to it" };
                findings.add(
                    if must_be_reached(subject, node) { &EVENT_WITHOUT_INCOMING } else { &NODE_UNREACHABLE },
                    node.element,
                    format!("{} is never reached: {why}", label(node)),
                    "connect it with a sequence flow from a reachable node, or delete it",
                );
            }
            ways.flood([index], &mut reached);
        }
    }
    from_start
}

/// An event that BPMN wants to be the target of a flow. The engines of the other dialects pass over one that is not.
fn must_be_reached(subject: &Subject<'_>, node: &FlowNode) -> bool {
    let plain = subject.definitions.dialect == Dialect::Standard;
    plain && node.incoming.is_empty() && (is_end(node) || is_intermediate(node))
}

/// Reports loops without an exit, once each.
fn no_way_to_end(subject: &Subject<'_>, ways: &Ways, reached: &[bool], findings: &mut Findings<'_>) {
    let mut back: Vec<Vec<NodeIndex>> = vec![Vec::new(); subject.process.flow_nodes.len()];
    let mut waiting = VecDeque::new();
    let mut ends = vec![false; subject.process.flow_nodes.len()];
    for (index, _) in subject.nodes() {
        if ways.next(index).is_empty() {
            waiting.push_back(index);
        }
        for next in ways.next(index) {
            if let Some(list) = back.get_mut(next.0 as usize) {
                list.push(index);
            }
        }
    }
    while let Some(node) = waiting.pop_front() {
        match ends.get_mut(node.0 as usize) {
            Some(mark) if !*mark => *mark = true,
            _ => continue,
        }
        waiting.extend(back.get(node.0 as usize).into_iter().flatten());
    }
    let interrupted = interrupted_scopes(subject);
    for (index, node) in subject.nodes() {
        let slot = index.0 as usize;
        let is_interrupted =
            interrupted.get(node.parent.map_or(0, |parent| parent.0 as usize + 1)).copied().unwrap_or(false);
        if ends.get(slot).copied().unwrap_or(true) || !reached.get(slot).copied().unwrap_or(false) || is_interrupted {
            continue;
        }
        findings.add(
            &NO_WAY_TO_END,
            node.element,
            format!("from {} no end can be reached: {} never completes", label(node), subject.scope_label(node.parent)),
            "lead a sequence flow out of the loop, e.g. from an exclusive gateway to an end event",
        );
        // Everything that follows belongs to the same finding.
        ways.flood([index], &mut ends);
    }
}

/// Scopes that something may end from outside their flow: an event sub-process, a boundary event, a terminating end.
fn interrupted_scopes(subject: &Subject<'_>) -> Vec<bool> {
    let mut interrupted = vec![false; subject.process.flow_nodes.len() + 1];
    for scope in subject.scopes() {
        let by_own = subject.nodes_in(scope).any(|(index, node)| {
            has_definition(node, |definition| matches!(definition, EventDefinition::Terminate { .. }))
                || (is_event_sub_process(node) && subject.nodes_in(Some(index)).any(|(_, start)| interrupts(start)))
        });
        let by_host = scope.is_some_and(|host| {
            subject.boundaries(host).iter().filter_map(|index| subject.node(*index)).any(interrupts)
        });
        // A sub-process stands after its parent, so that the parent's slot is already filled.
        let by_outer = scope.is_some()
            && interrupted.get(subject.outer(scope).map_or(0, |outer| outer.0 as usize + 1)).copied().unwrap_or(false);
        if let Some(mark) = interrupted.get_mut(scope.map_or(0, |index| index.0 as usize + 1)) {
            *mark = by_own || by_host || by_outer;
        }
    }
    interrupted
}

fn interrupts(node: &FlowNode) -> bool {
    let position = event(node).map(|event| &event.position);
    match position {
        Some(EventPosition::Start { interrupting }) => *interrupting,
        Some(EventPosition::Boundary { cancel_activity, .. }) => *cancel_activity && !is_compensation_boundary(node),
        _ => false,
    }
}
