//! Between instances: what the events of one ask of others.
//!
//! [`requests`] is pure: it turns events into requests. [`Work`] answers them with commands, in order, until nothing is left,
//! and asks its host, the [`World`], for what it must know. [`Runner`] is the host in memory; a durable engine is another.

mod answers;
mod clock;
mod conditions;
mod deployed;
mod failure;
mod index;
mod matching;
mod memory;
mod messages;
mod request;
mod runner;
mod starts;
mod told;
mod undo;
mod work;
mod world;

pub use failure::stuck;
pub use matching::{Message, awaited_name, contradicts, is_key, matches, starts};
pub use request::{Request, requests};
pub use runner::Runner;
pub use starts::{StartTimer, StartTrigger, TimedStart, start_timers, start_triggers};
pub use told::{Correlated, Notice, RunError, StartOptions, Stepped};
pub use work::Work;
pub use world::{Brought, Listeners, Noted, Running, StartPoint, Taker, World};
