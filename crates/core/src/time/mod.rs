//! Points in time, durations, cycles and working calendars; always with a given `now`.

mod cron;
mod cycle;
mod error;
mod timer;
#[cfg(test)]
mod timer_tests;

pub use error::TimeError;
pub use jiff::Timestamp;
pub use timer::{Every, Repeat, Timer};
