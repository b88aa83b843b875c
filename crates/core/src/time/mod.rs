//! Points in time, durations, cycles and working calendars; always with a given `now`.

pub use jiff::Timestamp;
