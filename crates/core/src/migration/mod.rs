//! Migration: an instance goes over to another version of its process, or to another process.
//!
//! A [`MigrationPlan`] says which flow node becomes which. It is checked against both graphs, and then at the instance: what
//! stands where must have a place to go to. The event carries a [`Migration`]: what becomes of every ordinal, so that folding
//! it needs no graph.

mod plan;
mod problem;

use crate::graph::ProcessGraph;
use crate::instance::{NONE, Ordinal};

pub use plan::{Mapping, MigrationPlan};
pub use problem::{MigrationProblem, MigrationProblemKind};

/// What becomes of every ordinal of an instance.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Migration {
    /// By the ordinal of each flow node: its ordinal from now on, or [`NONE`].
    pub nodes: Vec<Ordinal>,
    /// The same for sequence flows.
    pub flows: Vec<Ordinal>,
}

impl Migration {
    /// What becomes of a flow node.
    #[must_use]
    pub fn node(&self, node: Ordinal) -> Ordinal {
        self.nodes.get(node as usize).copied().unwrap_or(NONE)
    }

    /// What becomes of a sequence flow.
    #[must_use]
    pub fn flow(&self, flow: Ordinal) -> Ordinal {
        self.flows.get(flow as usize).copied().unwrap_or(NONE)
    }

    /// What a plan that has been checked means: flows go with their flow nodes.
    pub(crate) fn new(plan: &MigrationPlan, source: &ProcessGraph, target: &ProcessGraph) -> Self {
        let node = |id| plan.mapping(id).and_then(|mapping| target.find(&mapping.target)).unwrap_or(NONE);
        let nodes: Vec<Ordinal> = source.nodes().map(|found| node(&found.id)).collect();
        let migration = Self { nodes, flows: Vec::new() };
        let flow = |found: &crate::graph::SequenceFlow| {
            let (from, to) = (migration.node(found.source), migration.node(found.target));
            let same = target.find_flow(&found.id).filter(|same| {
                let same = target.flow(*same);
                same.target == to && (from == NONE || same.source == from)
            });
            let mut others =
                (0u32..).zip(target.flows()).filter(|(_, other)| other.source == from && other.target == to);
            let only = match (others.next(), others.next()) {
                (Some((only, _)), None) => Some(only),
                _ => None,
            };
            same.or(only).unwrap_or(NONE)
        };
        let flows = source.flows().iter().map(flow).collect();
        Self { flows, ..migration }
    }
}
