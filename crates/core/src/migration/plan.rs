//! Plans: which flow node becomes which.

use std::collections::BTreeMap;
use std::mem::discriminant;

use serde::{Deserialize, Serialize};

use super::{MigrationProblem, MigrationProblemKind as Kind};
use crate::Name;
use crate::graph::{Catch, FlowNode, Loop, NodeKind, ProcessGraph};
use crate::instance::Ordinal;

/// What a flow node becomes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mapping {
    /// The id of the flow node that it becomes.
    pub target: Name,
    /// What the event waits for is computed anew: its timer, message or signal.
    pub update_event_trigger: bool,
}

/// Which flow node of one process becomes which of another, by their ids.
///
/// Only what something stands on must have a mapping. An event that has none is no longer waited for; one that nothing is
/// mapped to is waited for from then on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MigrationPlan {
    mappings: BTreeMap<Name, Mapping>,
}

impl MigrationPlan {
    /// A plan without mappings.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A plan that maps all flow nodes which have the same id in both, and fit.
    #[must_use]
    pub fn generate(source: &ProcessGraph, target: &ProcessGraph) -> Self {
        let same = source.nodes().filter(|node| target.find(&node.id).is_some());
        let mut plan = same.fold(Self::new(), |plan, node| plan.map(node.id.clone(), node.id.clone()));
        // What is left out may take others with it.
        loop {
            let problems = plan.check(source, target);
            if problems.is_empty() {
                return plan;
            }
            for problem in problems {
                plan.mappings.remove(&problem.from);
            }
        }
    }

    /// One flow node becomes another.
    #[must_use]
    pub fn map(mut self, source: impl Into<Name>, target: impl Into<Name>) -> Self {
        self.mappings.insert(source.into(), Mapping { target: target.into(), update_event_trigger: false });
        self
    }

    /// A flow node becomes none.
    #[must_use]
    pub fn leave_out(mut self, source: &str) -> Self {
        self.mappings.remove(source);
        self
    }

    /// What a mapped event waits for is computed anew.
    #[must_use]
    pub fn update_event_trigger(mut self, source: &str) -> Self {
        if let Some(mapping) = self.mappings.get_mut(source) {
            mapping.update_event_trigger = true;
        }
        self
    }

    /// What all mapped events wait for is computed anew.
    #[must_use]
    pub fn update_event_triggers(mut self) -> Self {
        self.mappings.values_mut().for_each(|mapping| mapping.update_event_trigger = true);
        self
    }

    /// All mappings, by the id of what is mapped.
    pub fn mappings(&self) -> impl Iterator<Item = (&Name, &Mapping)> {
        self.mappings.iter()
    }

    /// What becomes of a flow node.
    #[must_use]
    pub fn mapping(&self, source: &str) -> Option<&Mapping> {
        self.mappings.get(source)
    }

    /// All that is wrong with it, whatever the instance.
    #[must_use]
    pub fn check(&self, source: &ProcessGraph, target: &ProcessGraph) -> Vec<MigrationProblem> {
        let mut problems = Vec::new();
        for (id, mapping) in &self.mappings {
            let problem = |kind| MigrationProblem::new(kind, id, Some(&mapping.target));
            match (source.find(id), target.find(&mapping.target)) {
                (Some(one), Some(other)) => {
                    let check = Check { plan: self, source, target, one, other };
                    problems.extend(check.kinds().map(problem));
                }
                (None, _) => problems.push(problem(Kind::SourceUnknown)),
                (Some(_), None) => problems.push(problem(Kind::TargetUnknown)),
            }
        }
        problems
    }
}

/// Two flow nodes, of which the one is to become the other.
struct Check<'a> {
    plan: &'a MigrationPlan,
    source: &'a ProcessGraph,
    target: &'a ProcessGraph,
    one: Ordinal,
    other: Ordinal,
}

impl Check<'_> {
    fn kinds(&self) -> impl Iterator<Item = Kind> {
        let (one, other) = (self.source.node(self.one), self.target.node(self.other));
        let same_kind = discriminant(&one.kind) == discriminant(&other.kind);
        let same_scope = match (one.parent, other.parent) {
            (None, None) => true,
            (Some(one), Some(other)) => self.becomes(one, other),
            _ => false,
        };
        let same_activity = match (&one.kind, &other.kind) {
            (NodeKind::BoundaryEvent(one), NodeKind::BoundaryEvent(other)) => {
                self.becomes(one.attached_to, other.attached_to)
            }
            _ => true,
        };
        let same_events =
            catches_alike(self.source.catches(self.one), self.target.catches(self.other)) && same_throws(one, other);
        let checks = [
            (same_kind, Kind::KindDiffers),
            (!same_kind || loops_alike(one, other), Kind::LoopDiffers),
            (same_scope, Kind::ScopeDiffers),
            (same_activity, Kind::ActivityDiffers),
            (!same_kind || same_events, Kind::EventDiffers),
        ];
        checks.into_iter().filter(|(fits, _)| !fits).map(|(_, kind)| kind)
    }

    fn becomes(&self, one: Ordinal, other: Ordinal) -> bool {
        let mapping = self.plan.mapping(&self.source.node(one).id);
        mapping.is_some_and(|mapping| mapping.target == self.target.node(other).id)
    }
}

/// Whether two activities repeat in the same way, or both not at all. Rounds keep their numbers.
fn loops_alike(one: &FlowNode, other: &FlowNode) -> bool {
    match (&one.details.repeat, &other.details.repeat) {
        (None, None) | (Some(Loop::Standard { .. }), Some(Loop::Standard { .. })) => true,
        (Some(Loop::MultiInstance(one)), Some(Loop::MultiInstance(other))) => {
            one.sequential == other.sequential && one.first_counter == other.first_counter
        }
        _ => false,
    }
}

/// Whether two events wait for the same kinds of things, in the same order.
fn catches_alike(one: &[Catch], other: &[Catch]) -> bool {
    one.len() == other.len() && one.iter().zip(other).all(|(one, other)| discriminant(one) == discriminant(other))
}

/// Whether two events that throw do so in the same manner: a token may wait there for a compensation.
fn same_throws(one: &FlowNode, other: &FlowNode) -> bool {
    match (&one.kind, &other.kind) {
        (NodeKind::ThrowEvent(one), NodeKind::ThrowEvent(other))
        | (NodeKind::EndEvent(one), NodeKind::EndEvent(other)) => {
            one.len() == other.len()
                && one.iter().zip(other.iter()).all(|(one, other)| discriminant(one) == discriminant(other))
        }
        _ => true,
    }
}
