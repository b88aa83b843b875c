//! Points in time, durations, cycles and working calendars; always with a given `now`.

mod error;

pub use error::TimeError;
pub use jiff::Timestamp;
