//! Joins: tokens that wait for others, one queue for each flow in. A scope has those of its flow nodes.

use serde::{Deserialize, Serialize};

use super::{NONE, Ordinal, TokenId};

/// First and last token of a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Queue {
    pub(crate) first: TokenId,
    pub(crate) last: TokenId,
}

impl Queue {
    pub(crate) const EMPTY: Self = Self { first: NONE, last: NONE };
}

/// The state of one joining flow node in one scope.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Join {
    /// The flow node.
    pub(crate) node: Ordinal,
    /// It looks upstream for tokens that can still arrive (inclusive, complex).
    pub(crate) upstream: bool,
    /// By position of the incoming flow.
    pub(crate) queues: Vec<Queue>,
    /// Queues that hold a token.
    pub(crate) present: u32,
    /// Tokens in all queues.
    pub(crate) tokens: u32,
    /// A complex gateway that has fired and waits for the rest (BPMN 2.0.2 §13.4.5): which positions had a token when it
    /// fired.
    pub(crate) received: Option<Vec<bool>>,
}

/// The place of a flow node's join among those of a scope, or where it would be. Most scopes have one.
#[inline(always)]
pub(crate) fn place(joins: &[Join], node: Ordinal) -> Result<usize, usize> {
    match joins {
        [only] if only.node == node => Ok(0),
        _ => joins.binary_search_by_key(&node, |join| join.node),
    }
}

impl Join {
    pub(crate) fn new(node: Ordinal, upstream: bool, incoming: u32) -> Self {
        let queues = vec![Queue::EMPTY; incoming as usize];
        Self { node, upstream, queues, present: 0, tokens: 0, received: None }
    }

    /// Whether every flow has a token but the one of that position.
    #[inline]
    pub(crate) fn lacks_only(&self, position: u32, incoming: u32) -> bool {
        self.present + 1 == incoming && !self.has(position)
    }

    pub(crate) fn has(&self, position: u32) -> bool {
        self.queues.get(position as usize).is_some_and(|queue| queue.first != NONE)
    }

    /// The oldest token of each flow that has one.
    pub(crate) fn heads(&self) -> impl Iterator<Item = TokenId> {
        self.queues.iter().map(|queue| queue.first).filter(|token| *token != NONE)
    }
}
