//! Dates, times and durations as variables hold them.

use serde::{Deserialize, Serialize};

use crate::Name;

/// Where on Earth a time is meant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Zone {
    /// Seconds east of UTC.
    Offset(i32),
    /// A name of the time zone database, e.g. `Europe/Volgograd`.
    Named(Name),
}

/// A time of day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimeOfDay {
    /// The time on the clock.
    pub time: jiff::civil::Time,
    /// Its zone, if it has one.
    pub zone: Option<Zone>,
}

/// A date and time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DateTime {
    /// The date and the time on the clock.
    pub local: jiff::civil::DateTime,
    /// Its zone, if it has one.
    pub zone: Option<Zone>,
}

/// A length of time. Months have no fixed number of seconds, so both stand side by side; they carry the same sign.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Duration {
    /// Whole months (a year is twelve).
    pub months: i32,
    /// Nanoseconds below a second.
    pub nanoseconds: i32,
    /// Whole seconds (a day is 86,400, a week seven days).
    pub seconds: i64,
}
