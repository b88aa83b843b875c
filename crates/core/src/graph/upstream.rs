//! Which flows into a join can still be reached from where (BPMN 2.0.2 §13.4.3).

use std::sync::OnceLock;

use fixedbitset::FixedBitSet;
use petgraph::Direction;
use petgraph::visit::EdgeRef;

use super::{ProcessGraph, Topology};
use crate::instance::Ordinal;

/// For one joining gateway: from each flow node, the positions of the incoming flows that can be reached by paths that do
/// not visit the gateway. Computed when first asked.
#[derive(Debug, Default)]
pub struct Upstream(OnceLock<Vec<FixedBitSet>>);

impl Upstream {
    /// The positions that a token on `node` can still reach.
    pub(crate) fn reachable<'a>(&'a self, graph: &ProcessGraph, join: Ordinal, node: Ordinal) -> &'a FixedBitSet {
        static NOTHING: FixedBitSet = FixedBitSet::new();
        self.0.get_or_init(|| compute(graph, join)).get(node as usize).unwrap_or(&NOTHING)
    }
}

/// Walks backwards from each flow in.
fn compute(graph: &ProcessGraph, join: Ordinal) -> Vec<FixedBitSet> {
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
            agenda.extend(topology.neighbors_directed(node, Direction::Incoming));
        }
    }
    reach
}
