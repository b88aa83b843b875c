//! Cron patterns: five fields as Unix has them, six or seven (with seconds in front) as Quartz and Spring do.

use std::cmp::Ordering;

use croner::errors::CronError;
use croner::parser::CronParser;
use croner::time::{CivilDateTime, CronDateTime, Resolution, Weekday};
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{SignedDuration, ZonedDateTime, civil};

use super::{TimeError, Timestamp};

/// A pattern that was understood.
pub(super) struct Cron {
    pattern: croner::Cron,
    /// So many days before the last of the month (`L-3`): the pattern has all days that this can be.
    before_last: Option<i8>,
}

/// So many days that are not so many before the last of their month are passed over before it is given up: those of some decades.
const PASSED_OVER: usize = 500;

/// Whether a text is meant as a cron pattern, well formed or not.
pub(super) fn looks_like_cron(text: &str) -> bool {
    text.starts_with('@') || text.split_whitespace().nth(2).is_some()
}

impl Cron {
    /// The three dialects differ in two points. A `?` marks Quartz, which counts the days of the week from 1 = Sunday;
    /// the others count from 0 = Sunday. Where both the day of the month and the day of the week are given, Unix fires
    /// on either, Spring on days that are both.
    pub(super) fn parse(text: &str) -> Result<Self, TimeError> {
        let invalid = |why: String| {
            let message = format!("`{}` is no cron pattern: {why}", crate::value::shorten(text));
            let help =
                "write `minute hour day month weekday`, with seconds in front if need be, e.g. `0 0 9 * * MON-FRI`";
            TimeError::new("timer-cron-invalid", message, help)
        };
        if text.len() > 400 {
            return Err(invalid("it is too long".to_owned()));
        }
        let with_seconds = text.split_whitespace().count() > 5;
        let is_quartz = with_seconds && text.contains('?');
        let text = &*unrolled(text, with_seconds, u8::from(is_quartz));
        let parser =
            CronParser::builder().sloppy_ranges(true).alternative_weekdays(is_quartz).dom_and_dow(with_seconds).build();
        let before_last = before_last(text);
        let pattern = parser.parse(before_last.as_ref().map_or(text, |(text, _)| text));
        let before_last = before_last.map(|(_, days)| days);
        pattern.map(|pattern| Self { pattern, before_last }).map_err(|error| invalid(error.to_string()))
    }

    /// The first moment strictly after the given one. A time that the clock skips fires as soon as it has skipped it;
    /// of a time that comes twice the first fires, unless the pattern repeats within the hour.
    pub(super) fn next(&self, after: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let mut start = Local::new(after.to_zoned_datetime(zone.clone()))?;
        for _ in 0..PASSED_OVER {
            let next = self.pattern.find_next_occurrence(&start, false).ok()?.moment;
            if self.before_last.is_none_or(|days| next.day() + days == next.days_in_month()) {
                return Some(next.timestamp());
            }
            let midnight = next.tomorrow().and_then(|tomorrow| tomorrow.start_of_day()).ok()?;
            start = Local::new(midnight.checked_sub(SignedDuration::from_secs(1)).ok()?)?;
        }
        None
    }
}

/// A pattern without ranges that go over the end of their field (`22-6`, `FRI-SUN`), as Quartz has them: their values stand one by one.
fn unrolled(text: &str, with_seconds: bool, sunday: u8) -> String {
    let fields = text.split_whitespace().zip(usize::from(!with_seconds)..).map(|(field, place)| {
        let parts = field.split(',').map(|part| around(part, place, sunday).unwrap_or_else(|| part.to_owned()));
        parts.collect::<Vec<_>>().join(",")
    });
    fields.collect::<Vec<_>>().join(" ")
}

/// The values of a range that goes over the end of its field. Fields count from that of the seconds.
fn around(part: &str, place: usize, sunday: u8) -> Option<String> {
    let (range, step) = part.split_once('/').unwrap_or((part, "1"));
    let (from, to) = range.split_once('-')?;
    let (least, most, names): (u8, u8, &[&str]) = match place {
        0 | 1 => (0, 59, &[]),
        2 => (0, 23, &[]),
        3 => (1, 31, &[]),
        4 => (1, 12, &MONTHS),
        5 => (sunday, sunday + 6, &WEEKDAYS),
        _ => return None,
    };
    let value = |text: &str| match (least..).zip(names).find(|(_, name)| name.eq_ignore_ascii_case(text)) {
        Some((value, _)) => Some(value),
        None => text.parse().ok().filter(|value| (least..=most).contains(value)),
    };
    let (from, to, step) = (value(from)?, value(to)?, step.parse::<usize>().ok().filter(|step| *step > 0)?);
    let values = (from..=most).chain(least..=to).step_by(step).map(|value| value.to_string());
    (to < from).then(|| values.collect::<Vec<_>>().join(","))
}

const MONTHS: [&str; 12] = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const WEEKDAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

/// A pattern whose day of the month is so many days before the last, as Quartz and Spring write it, with all days that this can be
/// in its place; and how many.
fn before_last(text: &str) -> Option<(String, i8)> {
    let mut fields: Vec<&str> = text.split_whitespace().collect();
    let day = fields.get_mut(3)?;
    let written = day.strip_prefix(['L', 'l'])?.strip_prefix('-')?;
    let days = written.parse().ok().filter(|days: &i8| (0..=30).contains(days) && !written.starts_with('+'))?;
    let candidates = format!("{}-{}", (28 - days).max(1), 31 - days);
    *day = &candidates;
    (fields.len() > 5).then(|| (fields.join(" "), days))
}

/// A moment, and what a zone's clock shows then, for the pattern to be searched in.
#[derive(Clone)]
struct Local {
    moment: ZonedDateTime,
    shown: CivilDateTime,
}

impl Local {
    fn new(moment: ZonedDateTime) -> Option<Self> {
        let local = moment.datetime();
        let part = |value: i8| u32::from(value.unsigned_abs());
        let shown = CivilDateTime::from_ymd_hms_opt(
            local.year().into(),
            part(local.month()),
            part(local.day()),
            part(local.hour()),
            part(local.minute()),
            part(local.second()),
        )?;
        Some(Self { moment, shown })
    }
}

impl CronDateTime for Local {
    fn to_civil(&self) -> CivilDateTime {
        self.shown
    }

    fn civil_weekday(&self) -> Weekday {
        match self.moment.weekday() {
            civil::Weekday::Monday => Weekday::Monday,
            civil::Weekday::Tuesday => Weekday::Tuesday,
            civil::Weekday::Wednesday => Weekday::Wednesday,
            civil::Weekday::Thursday => Weekday::Thursday,
            civil::Weekday::Friday => Weekday::Friday,
            civil::Weekday::Saturday => Weekday::Saturday,
            civil::Weekday::Sunday => Weekday::Sunday,
        }
    }

    fn resolve_civil(&self, shown: CivilDateTime) -> Result<Resolution<Self>, CronError> {
        let part = |value: u32| i8::try_from(value).map_err(|_| CronError::InvalidDate);
        let local = civil::DateTime::new(
            i16::try_from(shown.year()).map_err(|_| CronError::InvalidDate)?,
            part(shown.month())?,
            part(shown.day())?,
            part(shown.hour())?,
            part(shown.minute())?,
            part(shown.second())?,
            0,
        )
        .map_err(|_| CronError::InvalidDate)?;
        let ambiguous = self.moment.time_zone().to_ambiguous_zoned_datetime(local);
        let resolved = |moment: Result<ZonedDateTime, jiff::Error>| {
            moment.ok().map(|moment| Self { moment, shown }).ok_or(CronError::InvalidTime)
        };
        Ok(match ambiguous.offset() {
            AmbiguousOffset::Unambiguous { .. } => Resolution::Single(resolved(ambiguous.unambiguous())?),
            AmbiguousOffset::Gap { .. } => Resolution::Gap,
            AmbiguousOffset::Fold { .. } => {
                Resolution::Ambiguous(resolved(ambiguous.clone().earlier())?, resolved(ambiguous.later())?)
            }
        })
    }

    fn checked_add_seconds(&self, seconds: i64) -> Option<Self> {
        Self::new(self.moment.checked_add(SignedDuration::from_secs(seconds)).ok()?)
    }

    fn cmp_instant(&self, other: &Self) -> Ordering {
        self.moment.timestamp().cmp(&other.moment.timestamp())
    }
}
