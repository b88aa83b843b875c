//! Repeating intervals as ISO 8601 writes them: `R3/PT10M`, `R/2026-01-01T09:00:00+03:00/P1D`.

use super::{TimeError, Timestamp};
use crate::value::{DateTime, Period, Zone, parse_date, shorten};

/// A repeating interval.
#[derive(Debug, PartialEq)]
pub(super) struct Cycle {
    /// How often it occurs; none if without end.
    pub(super) times: Option<u32>,
    /// Its first occurrence and the zone on whose calendar it counts; none if it begins one period from now.
    pub(super) start: Option<(Timestamp, Zone)>,
    /// From one occurrence to the next.
    pub(super) period: Period,
    /// No occurrence after this.
    pub(super) end: Option<Timestamp>,
}

/// A part between two slashes.
enum Part {
    Moment(Timestamp, Zone),
    Period(Period),
}

impl Cycle {
    /// Reads a cycle. A bare duration repeats without end.
    pub(super) fn parse(text: &str, zone: &Zone) -> Result<Self, TimeError> {
        let invalid = |why: &str| {
            let help = "write R, how often (nothing: without end), and the duration between, e.g. R3/PT10M; a start may \
                        stand before the duration, an end behind it";
            TimeError::new("timer-cycle-invalid", format!("`{}` is no cycle: {why}", shorten(text)), help)
        };
        if text.len() > 400 {
            return Err(invalid("it is too long"));
        }
        let pieces: Vec<&str> = text.split('/').map(str::trim).collect();
        let (times, pieces) = match pieces.split_first() {
            Some((first, rest)) if first.starts_with(['R', 'r']) => (read_times(&first[1..]).map_err(invalid)?, rest),
            _ if pieces.len() == 1 => (None, pieces.as_slice()),
            _ => return Err(invalid("it does not begin with R")),
        };
        let parts = read_parts(pieces, zone)?;
        let (start, period, end) = match parts.as_slice() {
            [Part::Period(period)] => (None, *period, None),
            [Part::Moment(start, zone), Part::Period(period)] => (Some((*start, zone.clone())), *period, None),
            [Part::Period(period), Part::Moment(end, _)] => (None, *period, Some(*end)),
            [Part::Moment(start, zone), Part::Period(period), Part::Moment(end, _)] => {
                (Some((*start, zone.clone())), *period, Some(*end))
            }
            // Start and end of the first interval: the length between them repeats.
            [Part::Moment(start, zone), Part::Moment(end, _)] => {
                let length = end.duration_since(*start);
                let (seconds, nanoseconds) = (length.as_secs(), length.subsec_nanos());
                let period = Period { seconds, nanoseconds, ..Period::default() };
                (Some((*start, zone.clone())), period, None)
            }
            _ => return Err(invalid("it takes a start, a duration and an end, in this order, and not all are needed")),
        };
        if !period.is_positive() {
            return Err(invalid("the duration must be longer than nothing"));
        }
        Ok(Self { times, start, period, end })
    }
}

/// What stands behind the R. `-1` is what some engines write for no end.
fn read_times(text: &str) -> Result<Option<u32>, &'static str> {
    match text {
        "" | "-1" => Ok(None),
        _ => match text.parse::<u32>() {
            Ok(0) => Err("R0 never occurs"),
            Ok(times) if !text.starts_with('+') => Ok(Some(times)),
            _ => Err("what stands behind R is no number"),
        },
    }
}

/// Reads the parts, of which a date may hold slashes itself: `2026-01-01T09:00:00@America/Argentina/Salta`.
fn read_parts(pieces: &[&str], zone: &Zone) -> Result<Vec<Part>, TimeError> {
    let mut parts = Vec::new();
    let mut rest = pieces;
    while let Some(first) = rest.first() {
        if first.starts_with(['P', 'p', '-', '+']) {
            parts.push(Part::Period(first.parse()?));
            rest = &rest[1..];
            continue;
        }
        let longest = if first.contains(['@', '[']) { rest.len().min(3) } else { 1 };
        let read = |length: usize| read_moment(&rest[..length].join("/"), zone);
        let (length, (moment, zone)) = match (1..=longest).find_map(|length| Some((length, read(length).ok()?))) {
            Some(found) => found,
            None => (1, read(1)?),
        };
        parts.push(Part::Moment(moment, zone));
        rest = &rest[length..];
    }
    Ok(parts)
}

/// A date and time, or a date alone, which means its first moment; with the zone that it is meant in.
pub(super) fn read_moment(text: &str, default: &Zone) -> Result<(Timestamp, Zone), TimeError> {
    let date_time = match parse_date(text) {
        Ok(date) => DateTime { local: date.to_datetime(jiff::civil::Time::midnight()), zone: None },
        Err(_) => text.parse::<DateTime>()?,
    };
    let moment = date_time.timestamp(default)?;
    Ok((moment, date_time.zone.unwrap_or_else(|| default.clone())))
}
