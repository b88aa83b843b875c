//! Which flows into a join can still be reached from where (BPMN 2.0.2 §13.4.3).

use std::sync::OnceLock;

use fixedbitset::FixedBitSet;
use petgraph::Direction;
use petgraph::graph::EdgeReference;
use petgraph::visit::EdgeRef;

use super::{NodeKind, ProcessGraph, Topology, Way};
use crate::instance::Ordinal;

/// For one joining gateway: from each flow node, the positions of the incoming flows that can be reached by paths that do
/// not visit the gateway. Computed when first asked.
#[derive(Debug, Default)]
pub struct Upstream(OnceLock<Reach>);

#[derive(Debug)]
struct Reach {
    /// By any way, also out of boundary events on it: a token may still come from there.
    by_any_way: Vec<FixedBitSet>,
    /// By sequence flows and links alone, where that is less: what the token itself takes.
    by_flows: Option<Vec<FixedBitSet>>,
}

impl Upstream {
    /// The positions that a token on `node` can still reach, or an event on the boundary of an activity on its way.
    pub(crate) fn reachable<'a>(&'a self, graph: &ProcessGraph, join: Ordinal, node: Ordinal) -> &'a FixedBitSet {
        row(&self.reach(graph, join).by_any_way, node)
    }

    /// The positions that a token on `node` can reach itself: "a directed path formed by sequence flows".
    pub(crate) fn reachable_by_flows<'a>(
        &'a self,
        graph: &ProcessGraph,
        join: Ordinal,
        node: Ordinal,
    ) -> &'a FixedBitSet {
        let reach = self.reach(graph, join);
        row(reach.by_flows.as_ref().unwrap_or(&reach.by_any_way), node)
    }

    fn reach(&self, graph: &ProcessGraph, join: Ordinal) -> &Reach {
        self.0.get_or_init(|| {
            let topology = graph.topology();
            let has_boundary = topology.node_weights().any(|node| matches!(node.kind, NodeKind::BoundaryEvent(_)));
            Reach {
                by_any_way: compute(graph, join, |_| true),
                by_flows: has_boundary.then(|| {
                    compute(graph, join, |way| !matches!(topology[way.target()].kind, NodeKind::BoundaryEvent(_)))
                }),
            }
        })
    }
}

fn row(rows: &[FixedBitSet], node: Ordinal) -> &FixedBitSet {
    static NOTHING: FixedBitSet = FixedBitSet::new();
    rows.get(node as usize).unwrap_or(&NOTHING)
}

/// Walks backwards from each flow in, along the ways that count.
fn compute(
    graph: &ProcessGraph,
    join: Ordinal,
    counts: impl Fn(&EdgeReference<'_, Way, u32>) -> bool,
) -> Vec<FixedBitSet> {
    let topology: &Topology = graph.topology();
    let positions = graph.node(join).incoming as usize;
    let mut reach = vec![FixedBitSet::with_capacity(positions); topology.node_count()];
    let mut agenda = Vec::new();
    for edge in topology.edges_directed(join.into(), Direction::Incoming) {
        let Some(flow) = edge.weight().flow else { continue };
        let position = graph.flow(flow).position as usize;
        agenda.clear();
        agenda.push(edge.source());
        while let Some(node) = agenda.pop() {
            if node.index() == join as usize || reach[node.index()].put(position) {
                continue;
            }
            let ways = topology.edges_directed(node, Direction::Incoming).filter(&counts);
            agenda.extend(ways.map(|way| way.source()));
        }
    }
    reach
}
