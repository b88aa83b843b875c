//! Points in time, durations, cycles and working calendars; always with a given `now`.

mod calendar;
mod calendar_file;
#[cfg(test)]
mod calendar_tests;
mod cron;
mod cycle;
mod error;
mod retry;
mod timer;
#[cfg(test)]
mod timer_tests;

pub use calendar::Calendar;
pub use error::TimeError;
pub use jiff::Timestamp;
pub use retry::{next_try, tries};
pub use timer::{Every, Repeat, Timer};
