//! Between instances: what the events of one ask of others.
//!
//! [`requests`] is pure: it turns events into requests. A host answers them with commands, in order, until nothing is left;
//! [`Runner`] is the host in memory, a durable engine does the same in one transaction.

mod answers;
mod clock;
mod deployed;
mod index;
mod matching;
mod messages;
mod request;
mod runner;
mod starts;
mod told;

pub use matching::{Message, matches};
pub use request::{Request, requests};
pub use runner::{Runner, Running};
pub use starts::{StartTrigger, start_triggers};
pub use told::{Correlated, Notice, RunError, StartOptions, Stepped};
