//! Collaborations: pools and the messages between them.

use super::{Expression, Name, NodeIndex, ProcessIndex, Reference};
use crate::xml::ElementIndex;

/// A collaboration.
#[derive(Clone, Debug)]
pub struct Collaboration {
    /// Its id.
    pub id: Option<Name>,
    /// Its name.
    pub name: Option<Name>,
    /// Its element.
    pub element: ElementIndex,
    /// The pools.
    pub participants: Vec<Participant>,
    /// The messages between them.
    pub message_flows: Vec<MessageFlow>,
    /// The keys by which conversations are told apart.
    pub correlation_keys: Vec<CorrelationKey>,
}

/// A pool.
#[derive(Clone, Debug)]
pub struct Participant {
    /// Its id.
    pub id: Name,
    /// Its name.
    pub name: Option<Name>,
    /// Its element.
    pub element: ElementIndex,
    /// The process inside; none for a black box.
    pub process: Option<Reference<ProcessIndex>>,
}

/// A message flow.
#[derive(Clone, Debug)]
pub struct MessageFlow {
    /// Its id.
    pub id: Option<Name>,
    /// Its name.
    pub name: Option<Name>,
    /// Its element.
    pub element: ElementIndex,
    /// Where it begins.
    pub source: Reference<MessageFlowEnd>,
    /// Where it ends.
    pub target: Reference<MessageFlowEnd>,
    /// The message; index into [`super::Definitions::messages`].
    pub message: Option<Reference<usize>>,
}

/// What a message flow connects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageFlowEnd {
    /// A pool; index into [`Collaboration::participants`].
    Participant(usize),
    /// A flow node of a process.
    FlowNode(ProcessIndex, NodeIndex),
}

/// A correlation key: several properties that together tell conversations apart.
#[derive(Clone, Debug)]
pub struct CorrelationKey {
    /// Its id.
    pub id: Name,
    /// Its name.
    pub name: Option<Name>,
    /// Its element.
    pub element: ElementIndex,
    /// Its properties; indices into [`super::Definitions::correlation_properties`].
    pub properties: Vec<Reference<usize>>,
}

/// A correlation property: how its value is read from each message.
#[derive(Clone, Debug)]
pub struct CorrelationProperty {
    /// Its id.
    pub id: Name,
    /// Its name.
    pub name: Option<Name>,
    /// Its element.
    pub element: ElementIndex,
    /// How its value is read from messages.
    pub retrievals: Vec<CorrelationRetrieval>,
}

/// How a correlation property is read from one message.
#[derive(Clone, Debug)]
pub struct CorrelationRetrieval {
    /// The message; index into [`super::Definitions::messages`].
    pub message: Option<Reference<usize>>,
    /// Reads the value from the message's payload.
    pub path: Option<Expression>,
}

/// A process's subscription to a correlation key (context-based correlation).
#[derive(Clone, Debug)]
pub struct CorrelationSubscription {
    /// Its element.
    pub element: ElementIndex,
    /// The id of the correlation key.
    pub key: Option<Name>,
    /// How each property is computed from the process's data.
    pub bindings: Vec<CorrelationPropertyBinding>,
}

/// How a correlation property is computed from the process's data.
#[derive(Clone, Debug)]
pub struct CorrelationPropertyBinding {
    /// The property; index into [`super::Definitions::correlation_properties`].
    pub property: Option<Reference<usize>>,
    /// Reads the value from the process's data.
    pub path: Option<Expression>,
}
