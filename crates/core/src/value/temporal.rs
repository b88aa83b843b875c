//! Dates and times as variables hold them, and as ISO 8601 and FEEL write them.

use std::fmt;
use std::str::FromStr;

use jiff::civil;
use jiff::tz::{AmbiguousOffset, Offset, TimeZone};
use serde::{Deserialize, Serialize};

use crate::Name;
use crate::time::{TimeError, Timestamp};

/// Where on Earth a time is meant.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Zone {
    /// Seconds east of UTC.
    Offset(i32),
    /// A name of the time zone database, e.g. `Europe/Volgograd`.
    Named(Name),
}

impl Zone {
    /// Coordinated universal time, written `Z`.
    pub const UTC: Self = Self::Offset(0);

    /// The zone's rules, out of the database that is built in.
    ///
    /// # Errors
    /// If the database does not know the name, or the offset is longer than a day.
    pub fn rules(&self) -> Result<TimeZone, TimeError> {
        match self {
            Self::Offset(seconds) => Offset::from_seconds(*seconds).map(TimeZone::fixed).ok(),
            Self::Named(name) => TimeZone::get(name).ok().filter(|rules| !rules.is_unknown()),
        }
        .ok_or_else(|| {
            let help = "write an offset such as +03:00, or a name such as Europe/Volgograd";
            TimeError::new("time-zone-unknown", format!("`{self}` is no time zone"), help)
        })
    }
}

impl FromStr for Zone {
    type Err = TimeError;

    fn from_str(text: &str) -> Result<Self, TimeError> {
        let zone = match text.as_bytes().first() {
            Some(b'+' | b'-') => read_offset(text).map(Self::Offset),
            _ if text.eq_ignore_ascii_case("z") => Some(Self::UTC),
            _ => None,
        };
        match zone {
            Some(zone) => Ok(zone),
            // The database's own spelling, so that equal zones are equal.
            None => {
                let rules = Self::Named(text.into()).rules()?;
                Ok(Self::Named(rules.iana_name().unwrap_or(text).into()))
            }
        }
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Offset(0) => f.write_str("Z"),
            Self::Offset(seconds) => {
                let (sign, length) = (if *seconds < 0 { '-' } else { '+' }, seconds.unsigned_abs());
                write!(f, "{sign}{:02}:{:02}", length / 3_600, length / 60 % 60)?;
                if length % 60 == 0 { Ok(()) } else { write!(f, ":{:02}", length % 60) }
            }
            Self::Named(name) => f.write_str(name),
        }
    }
}

/// A time of day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimeOfDay {
    /// The time on the clock.
    pub time: civil::Time,
    /// Its zone, if it has one.
    pub zone: Option<Zone>,
}

impl FromStr for TimeOfDay {
    type Err = TimeError;

    fn from_str(text: &str) -> Result<Self, TimeError> {
        let invalid = || {
            let help = "write ISO 8601, e.g. 09:30:00, 09:30:00+03:00 or 09:30:00@Europe/Volgograd";
            TimeError::new("time-of-day-invalid", format!("`{}` is no time of day", shorten(text)), help)
        };
        let parts = split_zone(text.trim());
        let clock = parts.clock.strip_prefix(['T', 't']).unwrap_or(parts.clock);
        let midnight = || is_midnight(clock).then(civil::Time::midnight);
        let time = read_time(clock).or_else(midnight).ok_or_else(invalid)?;
        let zone = match (parts.offset, parts.name) {
            (None, None) => None,
            (Some(zone), None) | (None, Some(zone)) => Some(zone.parse()?),
            (Some(_), Some(_)) => return Err(invalid()),
        };
        Ok(Self { time, zone })
    }
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.zone {
            None => write!(f, "{}", self.time),
            Some(zone @ Zone::Offset(_)) => write!(f, "{}{zone}", self.time),
            Some(zone @ Zone::Named(_)) => write!(f, "{}@{zone}", self.time),
        }
    }
}

/// A date and time.
///
/// ```
/// use potok_core::value::{DateTime, Zone};
///
/// let written: DateTime = "2026-03-02T09:00:00@Europe/Volgograd".parse()?;
/// assert_eq!(written.to_string(), "2026-03-02T09:00:00+03:00[Europe/Volgograd]");
/// assert_eq!(written.timestamp(&Zone::UTC)?.to_string(), "2026-03-02T06:00:00Z");
/// # Ok::<(), potok_core::time::TimeError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DateTime {
    /// The date and the time on the clock.
    pub local: civil::DateTime,
    /// Its zone, if it has one.
    pub zone: Option<Zone>,
}

impl DateTime {
    /// What the clock shows in UTC at a moment.
    #[must_use]
    pub fn utc(moment: Timestamp) -> Self {
        Self { local: TimeZone::UTC.to_datetime(moment), zone: Some(Zone::UTC) }
    }

    /// What the clock shows in a zone at a moment. In the hour after it is set back only the offset tells which of the two is meant:
    /// the later is given with it instead of the zone's name.
    ///
    /// # Errors
    /// If the zone is unknown.
    pub fn in_zone(moment: Timestamp, zone: Zone) -> Result<Self, TimeError> {
        let rules = zone.rules()?;
        let shown = Self { local: rules.to_datetime(moment), zone: Some(zone) };
        // A moment at the end of time, which leads back to none, is shown as it is.
        Ok(match rules.to_timestamp(shown.local) {
            Ok(first) if first != moment => {
                let offset = rules.to_offset(moment);
                Self { local: shown.local, zone: Some(Zone::Offset(offset.seconds())) }
            }
            _ => shown,
        })
    }

    /// The moment that is meant; `default` is the zone of a date and time that names none. Where the clock was set
    /// forward over the time it is the moment as if it had not been, where it was set back the earlier of the two.
    ///
    /// # Errors
    /// If the zone is unknown, or the moment beyond the year 9999.
    pub fn timestamp(&self, default: &Zone) -> Result<Timestamp, TimeError> {
        let rules = self.zone.as_ref().unwrap_or(default).rules()?;
        rules.to_timestamp(self.local).map_err(|_| TimeError::out_of_range("the date and time"))
    }
}

impl FromStr for DateTime {
    type Err = TimeError;

    fn from_str(text: &str) -> Result<Self, TimeError> {
        let invalid = || {
            let help = "write ISO 8601, e.g. 2026-03-02T09:00:00, with +03:00 or @Europe/Volgograd if the zone matters";
            TimeError::new("date-time-invalid", format!("`{}` is no date and time", shorten(text)), help)
        };
        let (date, time) = text.trim().split_once(['T', 't', ' ']).ok_or_else(invalid)?;
        let parts = split_zone(time);
        let date = read_date(date).ok_or_else(invalid)?;
        let local = match read_time(parts.clock) {
            Some(time) => date.to_datetime(time),
            // The end of a day is the beginning of the next (ISO 8601-1 §5.3.2).
            None if is_midnight(parts.clock) => date.tomorrow().map_err(|_| invalid())?.at(0, 0, 0, 0),
            None => return Err(invalid()),
        };
        let zone = |text: Option<&str>| text.map(str::parse::<Zone>).transpose();
        match (zone(parts.offset)?, zone(parts.name)?) {
            (Some(offset @ Zone::Offset(_)), Some(named @ Zone::Named(_))) => {
                // The offset says which moment is meant, the name where it is to be shown (RFC 9557).
                let moment = Self { local, zone: Some(offset) }.timestamp(&Zone::UTC)?;
                Self::in_zone(moment, named)
            }
            (Some(_), Some(_)) => Err(invalid()),
            (offset, name) => Ok(Self { local, zone: offset.or(name) }),
        }
    }
}

impl fmt::Display for DateTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.local)?;
        match &self.zone {
            None => Ok(()),
            Some(zone @ Zone::Offset(_)) => write!(f, "{zone}"),
            Some(zone @ Zone::Named(name)) => {
                let offset = zone.rules().ok().map(|rules| rules.to_ambiguous_timestamp(self.local).offset());
                match offset {
                    Some(AmbiguousOffset::Unambiguous { offset } | AmbiguousOffset::Fold { before: offset, .. }) => {
                        write!(f, "{}[{name}]", Zone::Offset(offset.seconds()))
                    }
                    // A time that the clock skips has no offset.
                    Some(AmbiguousOffset::Gap { .. }) | None => write!(f, "[{name}]"),
                }
            }
        }
    }
}

/// Reads a date as ISO 8601 writes it, e.g. `2026-03-02`.
///
/// # Errors
/// If it is none.
pub fn parse_date(text: &str) -> Result<civil::Date, TimeError> {
    read_date(text.trim()).ok_or_else(|| {
        let message = format!("`{}` is no date", shorten(text));
        TimeError::new("date-invalid", message, "write year, month and day, e.g. 2026-03-02")
    })
}

fn read_date(text: &str) -> Option<civil::Date> {
    // Only what ISO 8601 allows in a date: the library would also take a date out of longer texts.
    let plain = text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'-' | b'+' | b'W'));
    if !plain {
        return None;
    }
    let by_week = || text.parse::<civil::ISOWeekDate>().ok().map(civil::ISOWeekDate::date);
    text.parse().ok().or_else(by_week).or_else(|| read_ordinal(text))
}

/// A year and the day in it: `2026-033`, `2026033` (ISO 8601-1 §5.2.3).
fn read_ordinal(text: &str) -> Option<civil::Date> {
    let (year, day) = text.split_at_checked(4)?;
    let day = day.strip_prefix('-').unwrap_or(day);
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if day.len() != 3 || !digits(year) || !digits(day) {
        return None;
    }
    civil::Date::new(year.parse().ok()?, 1, 1).ok()?.with().day_of_year(day.parse().ok()?).build().ok()
}

fn read_time(text: &str) -> Option<civil::Time> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b':' | b'.' | b','));
    if plain { text.parse().ok() } else { None }
}

/// `24:00` in all its spellings.
fn is_midnight(text: &str) -> bool {
    let (clock, fraction) = text.split_once(['.', ',']).unwrap_or((text, "0"));
    let whole = matches!(clock, "24" | "24:00" | "2400" | "24:00:00" | "240000");
    whole && !fraction.is_empty() && fraction.bytes().all(|digit| digit == b'0')
}

/// `+03`, `+0300`, `+03:00` or `+03:00:00`.
fn read_offset(text: &str) -> Option<i32> {
    let digits: String = text.get(1..)?.chars().filter(|c| *c != ':').collect();
    let colons = text.matches(':').count();
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit());
    if !plain || !matches!(digits.len(), 2 | 4 | 6) || (colons > 0 && colons + 1 != digits.len() / 2) {
        return None;
    }
    let part = |at: usize| digits.get(at..at + 2).map_or(Some(0), |text| text.parse::<i32>().ok());
    let (hours, minutes, seconds) = (part(0)?, part(2)?, part(4)?);
    if minutes > 59 || seconds > 59 {
        return None;
    }
    let length = hours * 3_600 + minutes * 60 + seconds;
    let offset = Offset::from_seconds(if text.starts_with('-') { -length } else { length }).ok()?;
    Some(offset.seconds())
}

/// A time and what stands behind it.
struct ZoneParts<'t> {
    clock: &'t str,
    offset: Option<&'t str>,
    name: Option<&'t str>,
}

/// `09:00+03:00[Europe/Volgograd]` or `09:00@Europe/Volgograd` into its parts.
fn split_zone(text: &str) -> ZoneParts<'_> {
    let (rest, name) = match (text.split_once('@'), text.strip_suffix(']').and_then(|text| text.split_once('['))) {
        (Some((rest, name)), _) | (None, Some((rest, name))) => (rest, Some(name)),
        (None, None) => (text, None),
    };
    match rest.find(['+', '-', 'Z', 'z']) {
        Some(at) => ZoneParts { clock: &rest[..at], offset: Some(&rest[at..]), name },
        None => ZoneParts { clock: rest, offset: None, name },
    }
}

/// The beginning of a text, for a message.
pub(crate) fn shorten(text: &str) -> String {
    text.chars().take(60).collect()
}
