//! Time zones for the FEEL library, out of the database that all of Potok uses: what the library takes of the crate chrono-tz, in whose place
//! this one stands (`[patch.crates-io]`).
//!
//! That crate has tables of its own: other years' rules than the rest of the program, and 47,000 addresses that each process writes down anew
//! when it starts, in 3 MB of memory.

use std::str::FromStr;

use chrono::offset::{MappedLocalTime, Offset, TimeZone};
use chrono::{Datelike as _, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, Timelike as _, Utc};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{self, AmbiguousOffset};

/// A time zone of the IANA's database.
#[derive(Clone, Debug)]
pub struct Tz(tz::TimeZone);

/// There is no time zone of that name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParseError;

impl FromStr for Tz {
    type Err = ParseError;

    /// By its name, letter for letter.
    fn from_str(name: &str) -> Result<Self, ParseError> {
        let found = tz::TimeZone::get(name).ok();
        found.filter(|zone| !zone.is_unknown() && zone.iana_name() == Some(name)).map(Self).ok_or(ParseError)
    }
}

/// How far a time zone is from UTC at some time.
#[derive(Clone, Debug)]
pub struct TzOffset {
    zone: Tz,
    fixed: FixedOffset,
}

impl Offset for TzOffset {
    fn fix(&self) -> FixedOffset {
        self.fixed
    }
}

impl Tz {
    fn offset(&self, offset: tz::Offset) -> TzOffset {
        // No zone is a day away.
        let fixed = FixedOffset::east_opt(offset.seconds()).unwrap_or(Utc.fix());
        TzOffset { zone: self.clone(), fixed }
    }
}

impl TimeZone for Tz {
    type Offset = TzOffset;

    fn from_offset(offset: &TzOffset) -> Self {
        offset.zone.clone()
    }

    fn offset_from_local_date(&self, local: &NaiveDate) -> MappedLocalTime<TzOffset> {
        self.offset_from_local_datetime(&local.and_time(NaiveTime::MIN))
    }

    fn offset_from_local_datetime(&self, local: &NaiveDateTime) -> MappedLocalTime<TzOffset> {
        match self.0.to_ambiguous_timestamp(civil(local)).offset() {
            AmbiguousOffset::Unambiguous { offset } => MappedLocalTime::Single(self.offset(offset)),
            AmbiguousOffset::Gap { .. } => MappedLocalTime::None,
            AmbiguousOffset::Fold { before, after } => {
                MappedLocalTime::Ambiguous(self.offset(before), self.offset(after))
            }
        }
    }

    fn offset_from_utc_date(&self, utc: &NaiveDate) -> TzOffset {
        self.offset_from_utc_datetime(&utc.and_time(NaiveTime::MIN))
    }

    fn offset_from_utc_datetime(&self, utc: &NaiveDateTime) -> TzOffset {
        let time = tz::Offset::UTC.to_timestamp(civil(utc));
        let time = time.unwrap_or(if utc.year() < 0 { Timestamp::MIN } else { Timestamp::MAX });
        self.offset(self.0.to_offset(time))
    }
}

/// A date and time as jiff has it; beyond its years, its first or last one.
fn civil(time: &NaiveDateTime) -> DateTime {
    let small = |number: u32| i8::try_from(number).ok();
    // A leap second is the nanoseconds behind the last one.
    let read = || {
        let date = jiff::civil::Date::new(i16::try_from(time.year()).ok()?, small(time.month())?, small(time.day())?);
        let nanosecond = i32::try_from(time.nanosecond().min(999_999_999)).ok()?;
        let of_day =
            jiff::civil::Time::new(small(time.hour())?, small(time.minute())?, small(time.second())?, nanosecond);
        Some(date.ok()?.to_datetime(of_day.ok()?))
    };
    read().unwrap_or(if time.year() < 0 { DateTime::MIN } else { DateTime::MAX })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

    use super::*;

    fn zone(name: &str) -> Tz {
        name.parse().unwrap()
    }

    /// Hours from UTC that a local time may be.
    fn hours(zone_name: &str, local: &str) -> Vec<i32> {
        let hours = |offset: &TzOffset| offset.fix().local_minus_utc() / 3600;
        match zone(zone_name).offset_from_local_datetime(&local.parse().unwrap()) {
            MappedLocalTime::Single(only) => vec![hours(&only)],
            MappedLocalTime::Ambiguous(first, second) => vec![hours(&first), hours(&second)],
            MappedLocalTime::None => Vec::new(),
        }
    }

    #[test]
    fn local_times_are_once_twice_or_never() {
        assert_eq!(hours("Europe/Berlin", "2026-01-15T12:00:00"), [1]);
        assert_eq!(hours("Europe/Berlin", "2026-07-15T12:00:00"), [2]);
        assert_eq!(hours("Europe/Berlin", "2026-03-29T02:30:00"), []);
        assert_eq!(hours("Europe/Berlin", "2026-10-25T02:30:00"), [2, 1]);
        assert_eq!(hours("Europe/Volgograd", "2020-12-26T12:00:00"), [4]);
        assert_eq!(hours("Europe/Volgograd", "2026-07-15T12:00:00"), [3]);
        // Rules go on for ever.
        assert_eq!(hours("Europe/Berlin", "2150-07-15T12:00:00"), [2]);
    }

    #[test]
    fn moments_have_one_offset() {
        let at = |name: &str, utc: &str| {
            zone(name).offset_from_utc_datetime(&utc.parse().unwrap()).fix().local_minus_utc() / 3600
        };
        assert_eq!(at("America/New_York", "2026-07-15T12:00:00"), -4);
        assert_eq!(at("Etc/GMT+5", "2026-07-15T12:00:00"), -5);
        assert_eq!(at("UTC", "2026-07-15T12:00:00"), 0);
        // Years that jiff does not have: as in its last and first ones.
        assert_eq!(at("Asia/Tokyo", "+20000-07-15T12:00:00"), 9);
        assert_eq!(at("Asia/Tokyo", "-20000-07-15T12:00:00"), 9);
        assert_eq!(hours("Asia/Tokyo", "+20000-07-15T12:00:00"), [9]);
    }

    #[test]
    fn names_are_those_of_the_database_letter_for_letter() {
        for name in ["Europe/Moscow", "US/Pacific", "EST5EDT", "GMT", "UTC"] {
            assert!(name.parse::<Tz>().is_ok(), "{name}");
        }
        for name in ["", "europe/moscow", "Europe/Atlantis", "Etc/Unknown", "+03:00"] {
            assert!(name.parse::<Tz>().is_err(), "{name}");
        }
    }
}
