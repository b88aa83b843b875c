//! What a runner is asked for, and what it tells.

use std::sync::Arc;

use crate::Name;
use crate::expressions::Binding;
use crate::graph::ProcessGraph;
use crate::instance::Key;
use crate::routing::Message;
use crate::step::{Events, Rejection, StartAt};
use crate::time::Timestamp;
use crate::value::Value;

/// What one command did to one instance.
#[derive(Debug)]
pub struct Stepped {
    /// The instance.
    pub instance: Key,
    /// Its process.
    pub graph: Arc<ProcessGraph>,
    /// What happened.
    pub events: Events,
}

/// Something that happened between instances or outside them.
#[derive(Clone, Debug, PartialEq)]
pub enum Notice {
    /// A message is kept until then: no instance waits for it, apart from perhaps the one that threw it, which never gets its own.
    MessageKept {
        /// The instance that threw it.
        from: Option<Key>,
        /// The message.
        message: Message,
        /// When it is dropped.
        until: Timestamp,
    },
    /// A message for a pool without a process: the outside world's.
    MessageSent {
        /// The message.
        message: Message,
    },
    /// A message or signal was not carried any further: instances answer each other without end. The message is kept.
    ChainTooLong {
        /// The instance that threw it.
        from: Key,
        /// Its name.
        name: Option<Name>,
    },
    /// A timer start event could not start its process.
    TimerStartFailed {
        /// The process's id.
        process: Name,
        /// What is wrong.
        message: String,
    },
}

/// How a process is started.
#[derive(Clone, Debug, Default)]
pub struct StartOptions {
    /// Where.
    pub at: StartAt,
    /// Which version.
    pub binding: Binding,
    /// The business key.
    pub business_key: Option<Name>,
    /// The first variables.
    pub variables: Vec<(Name, Value)>,
    /// The user who starts it.
    pub initiator: Option<Name>,
}

/// Where a message went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Correlated {
    /// To an instance that waited.
    Delivered(Key),
    /// It started an instance.
    Started(Key),
    /// One of several start events that must all occur has occurred.
    Noted,
    /// Nobody waits: it is kept for a while.
    Kept,
}

/// Why the runner did not do as asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RunError {
    /// The instance refused the command.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// No such process.
    #[error("no process `{0}` is deployed in the version that is asked for")]
    UnknownProcess(Name),
    /// No such instance.
    #[error("there is no instance {0}")]
    UnknownInstance(Key),
    /// Nothing is waited for under that key.
    #[error("no instance waits for anything under key {0}")]
    UnknownKey(Key),
    /// Several instances wait for the message.
    #[error("{0} subscriptions match the message: narrow it by business key, correlation key or variables")]
    Ambiguous(usize),
    /// The condition of a start event cannot be computed.
    #[error("nothing was started, for the condition of `{event}` in process `{process}` cannot be computed: {reason}")]
    ConditionFailed {
        /// The process's id.
        process: Name,
        /// The start event's id.
        event: Name,
        /// What is wrong, and how to mend it.
        reason: Name,
    },
    /// Timers set each other off without any time passing.
    #[error("timers fire without end at {0}: a loop takes no time; give its timer a duration, or a way out")]
    EndlessTimers(Timestamp),
}
