//! What an operator asks of a running instance: the instructions of a modification.

use serde::{Deserialize, Serialize};

use super::Variables;
use crate::Name;
use crate::instance::{Key, ScopeId};

/// One instruction of a [`Command::Modify`](super::Command::Modify).
///
/// Instructions are carried out in their order, each on what the ones before it have left; what they start sets out when all
/// of them are done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Instruction {
    /// A token begins.
    Start {
        /// Where.
        at: Position,
        /// The scope around it in which it begins: all scopes between the two are opened anew. Without one it is the
        /// innermost that there is around the flow node; there must be exactly one.
        within: Option<ScopeId>,
        /// Set where they are visible from there, else in the process.
        variables: Variables,
        /// Set in the innermost scope that is opened for the token, else in its activity's own scope.
        local_variables: Variables,
    },
    /// What runs there ends. A scope in which nothing is left then ends with it.
    Cancel(Target),
    /// What runs there ends, and for each of its tokens one begins before a flow node, in the innermost of the scopes around
    /// both, which stay with their variables.
    Move {
        /// Where from.
        from: Target,
        /// The flow node.
        to: Name,
        /// Set where they are visible from there, else in the process.
        variables: Variables,
        /// Set in the innermost scope that is opened for the token, else in its activity's own scope.
        local_variables: Variables,
    },
}

/// Where a token begins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Position {
    /// Before a flow node: it is entered. What an event waits for before which a token begins has not occurred, apart
    /// from boundary events and event sub-processes, which begin.
    Before(Name),
    /// After a flow node: it is left by its flows out.
    After(Name),
    /// On a sequence flow.
    On(Name),
}

/// What runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Target {
    /// Everything on a flow node: all its instances, also tokens that queue there.
    All(Name),
    /// The token that waits under a key: that of a task, job, call, incident or other wait.
    Wait(Key),
    /// A token, by its [serial](crate::instance::Token::serial).
    Token(u32),
    /// What has opened a scope: one instance of a sub-process or one of a loop's rounds, or the loop as a whole.
    Scope(ScopeId),
}
