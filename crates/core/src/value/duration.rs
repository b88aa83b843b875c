//! Lengths of time, as ISO 8601 writes them: `P1Y2M3DT4H5M6.7S`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::temporal::shorten;
use crate::time::{TimeError, Timestamp};

const DAY: i64 = 86_400;
const NANOSECONDS: i128 = 1_000_000_000;

/// A length of time. Months have no fixed number of seconds, so both stand side by side; they carry the same sign.
///
/// ```
/// use potok_core::value::Duration;
///
/// let duration: Duration = "P1Y2M3DT4H5M6.7S".parse()?;
/// assert_eq!(duration.months, 14);
/// assert_eq!(duration.seconds, 3 * 86_400 + 4 * 3_600 + 5 * 60 + 6);
/// assert_eq!(duration.to_string(), "P1Y2M3DT4H5M6.7S");
/// assert_eq!("-P2W".parse::<Duration>()?.to_string(), "-P14D");
/// # Ok::<(), potok_core::time::TimeError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Duration {
    /// Whole months (a year is twelve).
    pub months: i32,
    /// Nanoseconds below a second.
    pub nanoseconds: i32,
    /// Whole seconds (a day is 86,400, a week seven days).
    pub seconds: i64,
}

impl Duration {
    /// A duration of whole months.
    #[must_use]
    pub fn from_months(months: i32) -> Self {
        Self { months, ..Self::default() }
    }

    /// A duration of whole seconds.
    #[must_use]
    pub fn from_seconds(seconds: i64) -> Self {
        Self { seconds, ..Self::default() }
    }

    /// No time at all.
    #[must_use]
    pub fn is_zero(&self) -> bool {
        *self == Self::default()
    }

    /// Back in time.
    #[must_use]
    pub fn is_negative(&self) -> bool {
        self.months < 0 || self.seconds < 0 || self.nanoseconds < 0
    }

    /// Its exact length; none if it counts months, which have no exact length.
    #[must_use]
    pub fn exact(&self) -> Option<jiff::SignedDuration> {
        if self.months != 0 || self.nanoseconds.unsigned_abs() >= 1_000_000_000 {
            return None;
        }
        // `new` only panics on more than a second's nanoseconds, which the check above rules out.
        Some(jiff::SignedDuration::new(self.seconds, self.nanoseconds))
    }
}

impl FromStr for Duration {
    type Err = TimeError;

    fn from_str(text: &str) -> Result<Self, TimeError> {
        let period: Period = text.parse()?;
        let seconds = period.days.checked_mul(DAY).and_then(|days| days.checked_add(period.seconds));
        match (i32::try_from(period.months), seconds) {
            (Ok(months), Some(seconds)) => Ok(Self { months, seconds, nanoseconds: period.nanoseconds }),
            _ => Err(invalid(text)),
        }
    }
}

impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Period::from(*self).fmt(f)
    }
}

/// A length of time on the calendar: `P1D` keeps the clock's time across daylight saving, `PT24H` does not. All parts
/// carry the same sign.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Period {
    /// Whole months.
    pub months: i64,
    /// Whole days.
    pub days: i64,
    /// Seconds, as the hours, minutes and seconds make them up.
    pub seconds: i64,
    /// Nanoseconds below a second.
    pub nanoseconds: i32,
}

impl Period {
    /// Neither zero nor back in time.
    #[must_use]
    pub fn is_positive(&self) -> bool {
        let parts = [self.months, self.days, self.seconds, self.nanoseconds.into()];
        parts.iter().all(|part| *part >= 0) && parts.iter().any(|part| *part > 0)
    }

    /// The moment `count` periods after `start`: months and days are counted on the calendar of the zone, all at once
    /// (three months after 30 November is the last day of February, six months after it 30 May), then the exact time
    /// is added. None if it cannot be computed with.
    #[must_use]
    pub fn after(&self, start: Timestamp, count: i64, zone: &jiff::tz::TimeZone) -> Option<Timestamp> {
        let (months, days) = (self.months.checked_mul(count)?, self.days.checked_mul(count)?);
        let nanoseconds =
            (i128::from(self.seconds) * NANOSECONDS + i128::from(self.nanoseconds)).checked_mul(count.into())?;
        let on_calendar = if months == 0 && days == 0 {
            start
        } else {
            let span = jiff::Span::new().try_months(months).ok()?.try_days(days).ok()?;
            start.to_zoned_datetime(zone.clone()).checked_add(span).ok()?.timestamp()
        };
        Timestamp::from_nanosecond(on_calendar.as_nanosecond().checked_add(nanoseconds)?).ok()
    }
}

impl From<Duration> for Period {
    fn from(duration: Duration) -> Self {
        Self {
            months: duration.months.into(),
            days: duration.seconds / DAY,
            seconds: duration.seconds % DAY,
            nanoseconds: duration.nanoseconds,
        }
    }
}

impl FromStr for Period {
    type Err = TimeError;

    fn from_str(text: &str) -> Result<Self, TimeError> {
        read(text).ok_or_else(|| invalid(text))
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let negative = self.months < 0 || self.days < 0 || self.seconds < 0 || self.nanoseconds < 0;
        f.write_str(if negative { "-P" } else { "P" })?;
        let (months, seconds) = (self.months.unsigned_abs(), self.seconds.unsigned_abs());
        for (count, unit) in [(months / 12, 'Y'), (months % 12, 'M'), (self.days.unsigned_abs(), 'D')] {
            if count > 0 {
                write!(f, "{count}{unit}")?;
            }
        }
        let nanoseconds = self.nanoseconds.unsigned_abs();
        if seconds == 0 && nanoseconds == 0 {
            return f.write_str(if months == 0 && self.days == 0 { "T0S" } else { "" });
        }
        f.write_str("T")?;
        for (count, unit) in [(seconds / 3_600, 'H'), (seconds / 60 % 60, 'M')] {
            if count > 0 {
                write!(f, "{count}{unit}")?;
            }
        }
        match (seconds % 60, nanoseconds) {
            (0, 0) => Ok(()),
            (seconds, 0) => write!(f, "{seconds}S"),
            (seconds, nanoseconds) => {
                let fraction = format!("{nanoseconds:09}");
                write!(f, "{seconds}.{}S", fraction.trim_end_matches('0'))
            }
        }
    }
}

fn invalid(text: &str) -> TimeError {
    let shown = shorten(text);
    TimeError::new(
        "duration-invalid",
        format!("`{shown}` is no duration"),
        "write ISO 8601, e.g. PT30M for half an hour, P3D for three days, P1M for a month",
    )
}

/// A number in front of its unit.
#[derive(Clone, Copy, Default)]
struct Count {
    given: bool,
    whole: i64,
    /// What stands behind the decimal point.
    billionths: i128,
}

fn read(text: &str) -> Option<Period> {
    // The longest that can be printed is well below this.
    if text.len() > 160 || !text.is_ascii() {
        return None;
    }
    let text = text.trim().to_ascii_uppercase();
    let (sign, text) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(&text)),
    };
    let text = text.strip_prefix('P')?;
    let (date, time) = text.split_once('T').unwrap_or((text, ""));
    if text.is_empty() || text.ends_with('T') {
        return None;
    }
    let date = read_counts(date, ['Y', 'M', 'W', 'D'])?;
    let time = read_counts(time, ['H', 'M', 'S'])?;
    // Only the last part may have a fraction, and only one of exact length.
    let fractional = |count: &Count| count.billionths != 0;
    let mut rest = date.iter().chain(&time).rev().skip_while(|count| !count.given).skip(1);
    if rest.any(fractional) || date[..2].iter().any(fractional) {
        return None;
    }
    let [years, months, weeks, days] = date;
    let [hours, minutes, seconds] = time;
    let of_days = (weeks.billionths * 7 + days.billionths) * i128::from(DAY);
    let exact = of_days + hours.exact() * 3_600 + minutes.exact() * 60 + seconds.exact();
    Some(Period {
        months: sign * years.whole.checked_mul(12)?.checked_add(months.whole)?,
        days: sign * weeks.whole.checked_mul(7)?.checked_add(days.whole)?,
        seconds: sign * i64::try_from(exact / NANOSECONDS).ok()?,
        nanoseconds: i32::try_from(i128::from(sign) * (exact % NANOSECONDS)).ok()?,
    })
}

/// The counts of these units, each at most once and in this order; zero where one is left out.
fn read_counts<const N: usize>(text: &str, units: [char; N]) -> Option<[Count; N]> {
    let mut counts = [Count::default(); N];
    let (mut rest, mut from) = (text, 0);
    while !rest.is_empty() {
        let end = rest.find(|c: char| c.is_ascii_alphabetic())?;
        let place = from + units[from..].iter().position(|unit| rest[end..].starts_with(*unit))?;
        counts[place] = read_count(&rest[..end])?;
        (rest, from) = (&rest[end + 1..], place + 1);
    }
    Some(counts)
}

impl Count {
    /// In billionths of its unit; 64 bits times a billion times an hour fits 128 bits by far.
    fn exact(&self) -> i128 {
        i128::from(self.whole) * NANOSECONDS + self.billionths
    }
}

fn read_count(text: &str) -> Option<Count> {
    let (whole, fraction) = match text.split_once(['.', ',']) {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (text, None),
    };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || fraction.is_some_and(|fraction| !digits(fraction)) {
        return None;
    }
    let mut billionths = fraction.unwrap_or_default().to_owned();
    billionths.truncate(9);
    let billionths = format!("{billionths:0<9}").parse().ok()?;
    Some(Count { given: true, whole: whole.parse().ok()?, billionths })
}
