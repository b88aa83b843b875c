//! When a timer is due, and when again.

use serde::{Deserialize, Serialize};

use super::cron::{Cron, looks_like_cron};
use super::cycle::{Cycle, read_moment};
use super::{TimeError, Timestamp};
use crate::Name;
use crate::model::TimerKind;
use crate::value::{DateTime, Duration, Period, Value, Zone};

/// A timer that waits: its next due moment and how it goes on. Small, and all that needs to be kept of it.
///
/// ```
/// use potok_core::model::TimerKind;
/// use potok_core::time::{Timer, Timestamp};
/// use potok_core::value::Zone;
///
/// let now: Timestamp = "2026-03-02T09:00:00Z".parse()?;
/// let first = Timer::parse(TimerKind::Cycle, &"R2/PT10M".into(), now, &Zone::UTC)?;
/// assert_eq!(first.due.to_string(), "2026-03-02T09:10:00Z");
/// let second = first.next_due(first.due).expect("it repeats once");
/// assert_eq!(second.due.to_string(), "2026-03-02T09:20:00Z");
/// assert_eq!(second.next_due(second.due), None);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timer {
    /// When it is due. May lie in the past: then it is due at once.
    pub due: Timestamp,
    /// How often it is due again after that; none if without end.
    pub remaining: Option<u32>,
    /// How it goes on.
    pub repeat: Repeat,
}

/// How a timer goes on after it was due.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Repeat {
    /// Not at all.
    Never,
    /// In even steps from a fixed start, so that a late firing delays none of the following ones.
    Every(Box<Every>),
    /// As a cron pattern says.
    Cron {
        /// The pattern.
        pattern: Name,
        /// Whose clock it reads.
        zone: Zone,
        /// Nothing is due after this.
        end: Option<Timestamp>,
    },
}

/// Even steps from a fixed start.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Every {
    /// Where the count begins.
    pub start: Timestamp,
    /// How many periods after the start the timer is due now.
    pub count: i64,
    /// From one due moment to the next.
    pub period: Period,
    /// On whose calendar days and months are counted.
    pub zone: Zone,
    /// Nothing is due after this.
    pub end: Option<Timestamp>,
}

impl Timer {
    /// Reads what a timer's expression gave: ISO 8601 text, a cron pattern for a cycle, or a date or duration that was
    /// computed. `zone` is meant where the value names none; on its calendar days and months are counted.
    ///
    /// A cycle whose start is past begins with its first occurrence that is not; if all are past, with the last of
    /// them, which is then due at once, as a date in the past is.
    ///
    /// # Errors
    /// If the value is not what this kind of timer takes.
    pub fn parse(kind: TimerKind, value: &Value, now: Timestamp, zone: &Zone) -> Result<Self, TimeError> {
        match (kind, value.plain()) {
            (_, Value::String(text)) if text.trim().is_empty() => Err(unfit(kind, "an empty text")),
            (TimerKind::Date, Value::String(text)) => match read_moment(text, zone) {
                Ok((due, _)) => Ok(Self::once(due)),
                Err(_) if text.parse::<Duration>().is_ok() => Err(unfit(kind, "a duration")),
                Err(error) => Err(error),
            },
            (TimerKind::Date, Value::DateTime(date_time)) => Ok(Self::once(date_time.timestamp(zone)?)),
            (TimerKind::Date, Value::Date(date)) => {
                let local = date.to_datetime(jiff::civil::Time::midnight());
                Ok(Self::once(DateTime { local, zone: None }.timestamp(zone)?))
            }
            (TimerKind::Duration, Value::String(text)) => match text.parse::<Period>() {
                Ok(period) => Self::after(period, now, zone),
                Err(_) if read_moment(text, zone).is_ok() => Err(unfit(kind, "a date")),
                Err(_) if text.starts_with('R') => Err(unfit(kind, "a cycle")),
                Err(error) => Err(error),
            },
            (TimerKind::Duration, Value::Duration(duration)) => Self::after((*duration).into(), now, zone),
            (TimerKind::Cycle, Value::String(text)) => Self::cycle(text.trim(), now, zone),
            (TimerKind::Cycle, Value::Duration(duration)) => Self::cycle(&duration.to_string(), now, zone),
            (_, other) => Err(unfit(kind, &format!("a value of the kind {}", other.kind()))),
        }
    }

    /// Checks a timer's text when there is no time yet to count from, as at deployment.
    ///
    /// # Errors
    /// If the text is not what this kind of timer takes.
    pub fn check(kind: TimerKind, text: &str) -> Result<(), TimeError> {
        Self::parse(kind, &text.into(), Timestamp::UNIX_EPOCH, &Zone::UTC).map(|_| ())
    }

    /// The same timer, but that nothing is due after the given moment: a date as [`Timer::parse`] takes it, null for none.
    ///
    /// # Errors
    /// If the value is no date, or nothing at all would be due.
    pub fn until(mut self, end: &Value, now: Timestamp, zone: &Zone) -> Result<Self, TimeError> {
        if matches!(end.plain(), Value::Null) {
            return Ok(self);
        }
        let moment = Self::parse(TimerKind::Date, end, now, zone)?.due;
        if self.due > moment {
            let message = format!("the cycle ends at {moment}, before it is due for the first time");
            return Err(TimeError::new("timer-cycle-over", message, "move its end behind its start, or leave it out"));
        }
        let earlier = |end: Option<Timestamp>| Some(end.map_or(moment, |end| end.min(moment)));
        match &mut self.repeat {
            Repeat::Never => {}
            Repeat::Every(every) => every.end = earlier(every.end),
            Repeat::Cron { end, .. } => *end = earlier(*end),
        }
        Ok(self)
    }

    /// When it is due.
    #[must_use]
    pub fn first_due(&self) -> Timestamp {
        self.due
    }

    /// The timer's next occurrence that is due after the given moment; none if it is over. Given [`Self::due`] it is
    /// the very next one; given the present moment, those missed meanwhile are passed over, and count as occurred.
    #[must_use]
    pub fn next_due(&self, after: Timestamp) -> Option<Self> {
        if self.remaining == Some(0) {
            return None;
        }
        let after = after.max(self.due);
        match &self.repeat {
            Repeat::Never => None,
            Repeat::Every(every) => {
                let (count, due) = every.first_after(after)?;
                let passed = u32::try_from(count - every.count);
                let remaining = match self.remaining {
                    None => None,
                    Some(remaining) => Some(remaining.checked_sub(passed.ok()?)?),
                };
                Some(Self {
                    due: due?,
                    remaining,
                    repeat: Repeat::Every(Box::new(Every { count, ..(**every).clone() })),
                })
            }
            Repeat::Cron { pattern, zone, end } => {
                let due = Cron::parse(pattern).ok()?.next(after, &zone.rules().ok()?)?;
                if end.is_some_and(|end| due > end) {
                    return None;
                }
                let remaining = self.remaining.map(|remaining| remaining.saturating_sub(1));
                Some(Self { due, remaining, repeat: self.repeat.clone() })
            }
        }
    }

    fn once(due: Timestamp) -> Self {
        Self { due, remaining: Some(0), repeat: Repeat::Never }
    }

    fn after(period: Period, now: Timestamp, zone: &Zone) -> Result<Self, TimeError> {
        let due = period.after(now, 1, &zone.rules()?);
        due.map(Self::once).ok_or_else(|| TimeError::out_of_range("the end of the duration"))
    }

    fn cycle(text: &str, now: Timestamp, zone: &Zone) -> Result<Self, TimeError> {
        if looks_like_cron(text) {
            let due = Cron::parse(text)?.next(now, &zone.rules()?).ok_or_else(|| {
                let message = format!("the cron pattern `{text}` never occurs again");
                TimeError::new("timer-cycle-over", message, "check its day, month and year")
            })?;
            return Ok(Self {
                due,
                remaining: None,
                repeat: Repeat::Cron { pattern: text.into(), zone: zone.clone(), end: None },
            });
        }
        let Cycle { times, start, period, end } = Cycle::parse(text, zone)?;
        // Without a start it begins one period from now.
        let (start, zone, first) = match start {
            Some((start, zone)) => (start, zone, 0),
            None => (now, zone.clone(), 1),
        };
        let mut every = Every { start, count: first, period, zone, end };
        let over = || {
            let message = format!("the cycle `{text}` ends before it begins");
            TimeError::new("timer-cycle-over", message, "move its end behind its start, or leave it out")
        };
        let mut due = every.occurrence(first, &every.zone.rules()?).ok_or_else(over)?;
        let mut remaining = times.map(|times| times - 1);
        if due < now {
            let last = remaining.map_or(i64::MAX, i64::from);
            let before_now = now.checked_sub(jiff::SignedDuration::from_nanos(1)).unwrap_or(now);
            let (count, _) = every.first_after(before_now).ok_or_else(over)?;
            // The first that is not past, or else the last there is.
            let rules = every.zone.rules()?;
            let count =
                if count <= last && every.occurrence(count, &rules).is_some() { count } else { last.min(count - 1) };
            due = every.occurrence(count, &rules).ok_or_else(over)?;
            every.count = count;
            remaining = remaining.map(|remaining| remaining.saturating_sub(u32::try_from(count).unwrap_or(u32::MAX)));
        }
        Ok(Self { due, remaining, repeat: Repeat::Every(Box::new(every)) })
    }
}

impl Every {
    /// The moment `count` periods after the start, if there is one.
    fn occurrence(&self, count: i64, rules: &jiff::tz::TimeZone) -> Option<Timestamp> {
        let due = self.period.after(self.start, count, rules)?;
        if self.end.is_some_and(|end| due > end) { None } else { Some(due) }
    }

    /// The first count beyond the present one that is due after the given moment, or at which it is over.
    fn first_after(&self, after: Timestamp) -> Option<(i64, Option<Timestamp>)> {
        let rules = self.zone.rules().ok()?;
        let beyond = |count: i64| self.occurrence(count, &rules).is_none_or(|due| due > after);
        // Doubling steps until beyond, then halving between: the moment may be years after short periods.
        let (mut low, mut step) = (self.count, 1_i64);
        let mut high = low.checked_add(step)?;
        while !beyond(high) {
            low = high;
            step = step.checked_mul(2)?;
            high = low.checked_add(step)?;
        }
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            if beyond(middle) {
                high = middle;
            } else {
                low = middle;
            }
        }
        Some((high, self.occurrence(high, &rules)))
    }
}

fn unfit(kind: TimerKind, what: &str) -> TimeError {
    let (code, name, help) = match kind {
        TimerKind::Date => ("timer-date-invalid", "timeDate", "a date and time, e.g. 2026-03-02T09:00:00+03:00"),
        TimerKind::Duration => ("timer-duration-invalid", "timeDuration", "a duration, e.g. PT30M or P3D"),
        TimerKind::Cycle => {
            ("timer-cycle-invalid", "timeCycle", "a cycle, e.g. R3/PT10M, or cron, e.g. 0 0 9 * * MON-FRI")
        }
    };
    TimeError::new(code, format!("the timer's {name} is {what}"), format!("give it {help}"))
}
