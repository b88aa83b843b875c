//! Tokens: where the instance is.

use serde::{Deserialize, Serialize};

use super::{NONE, Ordinal, ScopeId, TokenId, WaitId};

/// What a token is doing. A step ends only when no token is moving.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TokenState {
    /// On its way, within a step.
    Moving,
    /// On a flow node that waits for something, or has a scope inside that still runs.
    Waiting,
    /// In the queue of a join, under the position of the flow that it came by.
    Joined {
        /// Position of the flow among the node's incoming ones.
        position: u32,
    },
}

/// A token.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Token {
    /// Counts all tokens of the instance; never used again.
    pub serial: u32,
    /// The flow node it stands on.
    pub node: Ordinal,
    /// The sequence flow it came by, [`NONE`] if it was born here.
    pub flow: Ordinal,
    /// The scope it belongs to.
    pub scope: ScopeId,
    /// The scope that its flow node has opened for it, or [`NONE`].
    pub inside: ScopeId,
    /// What it is doing.
    pub state: TokenState,
    /// For a compensation handler: the token that waits for the compensation, or [`NONE`].
    pub compensates_for: TokenId,
    pub(crate) first_wait: WaitId,
    pub(crate) previous: TokenId,
    pub(crate) next: TokenId,
}

impl Token {
    pub(crate) fn new(serial: u32, scope: ScopeId, node: Ordinal) -> Self {
        Self {
            serial,
            node,
            flow: NONE,
            scope,
            inside: NONE,
            state: TokenState::Moving,
            compensates_for: NONE,
            first_wait: NONE,
            previous: NONE,
            next: NONE,
        }
    }

    /// The scope whose variables its flow node sees first.
    #[must_use]
    pub fn variable_scope(&self) -> ScopeId {
        if self.inside == NONE { self.scope } else { self.inside }
    }
}
