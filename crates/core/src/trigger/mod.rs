//! What starts, catches and interrupts: each trigger once, used alike by start events, catching events, boundary events,
//! event sub-processes and event-based gateways.

pub(crate) mod condition;
pub(crate) mod error;
pub(crate) mod escalation;
pub(crate) mod message;
pub(crate) mod occurrence;
pub(crate) mod order;
pub(crate) mod signal;
pub(crate) mod subscription;
pub(crate) mod timer;
