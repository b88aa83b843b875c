//! Working calendars: when people work, and how long something takes that only goes on while they do.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use jiff::civil::{Date, Time};
use jiff::tz::{AmbiguousOffset, TimeZone};

use super::{TimeError, Timestamp};
use crate::Name;

/// The longest search for working time with none in it: ten years.
pub(super) const LONGEST_PAUSE_IN_DAYS: usize = 3_653;
/// The longest stretch of time that is computed with: a hundred years.
const LONGEST_STRETCH_IN_DAYS: usize = 36_525;

/// When people work: hours by day of the week, holidays, and days that are unlike others of their kind.
///
/// ```
/// use potok_core::time::{Calendar, Timestamp};
///
/// let calendar = Calendar::from_yaml(r#"
/// name: office
/// zone: Europe/Volgograd
/// week:
///   monday: ["09:00-13:00", "14:00-18:00"]
///   tuesday: ["09:00-13:00", "14:00-18:00"]
/// holidays: [2026-03-09]
/// "#).map_err(|problem| problem.to_string())?;
/// let friday: Timestamp = "2026-03-06T12:00:00Z".parse()?;
/// // Monday is a holiday; the office opens on Tuesday at nine in its own zone.
/// assert_eq!(calendar.next_working_morning(friday)?.to_string(), "2026-03-10T06:00:00Z");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Calendar {
    pub(super) name: Name,
    pub(super) zone: TimeZone,
    /// From Monday.
    pub(super) week: [Vec<Hours>; 7],
    pub(super) holidays: BTreeMap<Date, Option<Name>>,
    /// Month and day of holidays that come every year.
    pub(super) yearly_holidays: BTreeMap<(i8, i8), Option<Name>>,
    pub(super) exceptions: BTreeMap<Date, Vec<Hours>>,
}

/// From opening to closing, in minutes since midnight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Hours {
    pub(super) open: u16,
    pub(super) close: u16,
}

/// A stretch of working time.
#[derive(Clone, Copy, Debug)]
struct Stretch {
    open: Timestamp,
    close: Timestamp,
}

impl Calendar {
    /// What models call it.
    #[must_use]
    pub fn name(&self) -> &Name {
        &self.name
    }

    /// The zone whose clock its hours mean.
    #[must_use]
    pub fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// Whether anyone works on that day: not if the clock skips all its hours.
    #[must_use]
    pub fn is_working_day(&self, date: Date) -> bool {
        !self.stretches(date).is_empty()
    }

    /// The holiday on that day and its name, if it is one.
    #[must_use]
    pub fn holiday(&self, date: Date) -> Option<Option<&Name>> {
        let yearly = || self.yearly_holidays.get(&(date.month(), date.day()));
        self.holidays.get(&date).or_else(yearly).map(Option::as_ref)
    }

    /// Whether people work at that moment. They do at opening time, and no longer do at closing time.
    #[must_use]
    pub fn is_working_time(&self, moment: Timestamp) -> bool {
        self.forward(moment, 3).next().is_some_and(|stretch| stretch.open <= moment)
    }

    /// That moment if people work then, otherwise the next opening.
    ///
    /// # Errors
    /// If nobody works within ten years.
    pub fn next_working_moment(&self, moment: Timestamp) -> Result<Timestamp, TimeError> {
        let stretch = self.forward(moment, LONGEST_PAUSE_IN_DAYS).next();
        stretch.map(|stretch| stretch.open.max(moment)).ok_or_else(|| self.too_far())
    }

    /// When a day's work next begins, strictly after that moment: the same day's opening if it is still to come,
    /// otherwise the opening of the next working day.
    ///
    /// # Errors
    /// If nobody works within ten years.
    pub fn next_working_morning(&self, moment: Timestamp) -> Result<Timestamp, TimeError> {
        let mut mornings = self.days(moment, 1).take(LONGEST_PAUSE_IN_DAYS).filter_map(|date| {
            let first = self.stretches(date).into_iter().next()?;
            Some(first.open).filter(|open| *open > moment)
        });
        mornings.next().ok_or_else(|| self.too_far())
    }

    /// The moment at which so much working time has passed since the given one; for a negative length, from which on
    /// so much passes until it. What ends with the working day ends at closing time, not at the next opening.
    ///
    /// # Errors
    /// If there is not so much working time within a hundred years.
    pub fn add_working_time(&self, moment: Timestamp, length: SignedDuration) -> Result<Timestamp, TimeError> {
        if length.is_zero() {
            return Ok(moment);
        }
        let mut left = length.as_nanos().unsigned_abs();
        if length.is_negative() {
            for stretch in self.backward(moment, LONGEST_STRETCH_IN_DAYS) {
                let end = stretch.close.min(moment);
                let available = nanoseconds(stretch.open, end);
                if left <= available {
                    return shift(end, left, -1).ok_or_else(|| self.too_far());
                }
                left -= available;
            }
        } else {
            for stretch in self.forward(moment, LONGEST_STRETCH_IN_DAYS) {
                let begin = stretch.open.max(moment);
                let available = nanoseconds(begin, stretch.close);
                if left <= available {
                    return shift(begin, left, 1).ok_or_else(|| self.too_far());
                }
                left -= available;
            }
        }
        Err(self.too_far())
    }

    /// The same time of day so many working days later (earlier, if negative), moved into the day's hours: before
    /// opening to opening, in a break to its end, after closing to closing. Zero days later is the same day, or the
    /// next working day if nobody works on it.
    ///
    /// # Errors
    /// If there are not so many working days within a hundred years.
    pub fn add_working_days(&self, moment: Timestamp, days: i32) -> Result<Timestamp, TimeError> {
        let local = self.zone.to_datetime(moment);
        let today = local.date();
        let nth = usize::try_from(days.unsigned_abs()).map_err(|_| self.too_far())?;
        let direction = if days < 0 { -1 } else { 1 };
        let skipped = usize::from(days != 0);
        // Counted from one, so that the first working day after today is at place 0; today itself if nothing is added.
        let mut working = steps(today, direction)
            .skip(skipped)
            .take(LONGEST_STRETCH_IN_DAYS)
            .filter(|date| self.is_working_day(*date));
        let date = working.nth(nth.saturating_sub(1)).ok_or_else(|| self.too_far())?;
        let stretches = self.stretches(date);
        let wanted = self.moment(date, local.time()).ok_or_else(|| self.too_far())?;
        let fitting = stretches.iter().find(|stretch| wanted < stretch.close);
        match (fitting, stretches.last()) {
            (Some(stretch), _) => Ok(wanted.max(stretch.open)),
            (None, Some(last)) => Ok(last.close),
            (None, None) => Err(self.too_far()),
        }
    }

    /// How much working time lies between two moments; negative if the second is earlier.
    ///
    /// # Errors
    /// If more than a hundred years lie between them.
    pub fn working_time_between(&self, from: Timestamp, to: Timestamp) -> Result<SignedDuration, TimeError> {
        if to < from {
            return Ok(-self.working_time_between(to, from)?);
        }
        // Neither leap days nor the days at both ends make a difference to a limit of this kind.
        if to.duration_since(from).as_hours() / 24 >= 36_500 {
            return Err(self.too_far());
        }
        let until = self.forward(from, LONGEST_STRETCH_IN_DAYS + 2).take_while(|stretch| stretch.open < to);
        let lengths = until.map(|stretch| stretch.close.min(to).duration_since(stretch.open.max(from)));
        Ok(lengths.fold(SignedDuration::ZERO, SignedDuration::saturating_add))
    }

    /// The hours of a day.
    pub(super) fn hours(&self, date: Date) -> &[Hours] {
        match self.exceptions.get(&date) {
            Some(hours) => hours,
            None if self.holiday(date).is_some() => &[],
            None => {
                let place = usize::from(date.weekday().to_monday_zero_offset().unsigned_abs());
                self.week.get(place).map_or(&[], Vec::as_slice)
            }
        }
    }

    /// A day's stretches of working time, in order. One that the clock skips altogether is none.
    fn stretches(&self, date: Date) -> Vec<Stretch> {
        let minute = |minutes: u16| {
            let (hour, minute) = (i8::try_from(minutes / 60).ok()?, i8::try_from(minutes % 60).ok()?);
            match hour {
                24 => self.moment(date.tomorrow().ok()?, Time::midnight()),
                _ => self.moment(date, Time::new(hour, minute, 0, 0).ok()?),
            }
        };
        let stretches = self.hours(date).iter().filter_map(|hours| {
            let (open, close) = (minute(hours.open)?, minute(hours.close)?);
            if open < close { Some(Stretch { open, close }) } else { None }
        });
        stretches.collect()
    }

    /// When the clock shows this. Of a time that it shows twice the first; for a time that it skips the moment of the
    /// skip, so that hours never overlap.
    fn moment(&self, date: Date, time: Time) -> Option<Timestamp> {
        let ambiguous = self.zone.to_ambiguous_timestamp(date.to_datetime(time));
        if let AmbiguousOffset::Gap { .. } = ambiguous.offset() {
            let before = ambiguous.earlier().ok()?;
            return self.zone.following(before).next().map(|transition| transition.timestamp());
        }
        ambiguous.earlier().ok()
    }

    /// The local days from just before a moment on, or backwards from just after it: clocks are sometimes set back
    /// over midnight.
    fn days(&self, moment: Timestamp, direction: i32) -> impl Iterator<Item = Date> {
        let today = self.zone.to_datetime(moment).date();
        let first = today.checked_sub(jiff::Span::new().days(direction)).unwrap_or(today);
        steps(first, direction)
    }

    /// The stretches that close after a moment.
    fn forward(&self, moment: Timestamp, days: usize) -> impl Iterator<Item = Stretch> {
        let stretches = self.days(moment, 1).take(days).flat_map(|date| self.stretches(date));
        stretches.filter(move |stretch| stretch.close > moment)
    }

    /// The stretches that open before a moment, the latest first.
    fn backward(&self, moment: Timestamp, days: usize) -> impl Iterator<Item = Stretch> {
        let stretches = self.days(moment, -1).take(days).flat_map(|date| self.stretches(date).into_iter().rev());
        stretches.filter(move |stretch| stretch.open < moment)
    }

    fn too_far(&self) -> TimeError {
        let message = format!("calendar `{}` has not so much working time within reach", self.name);
        TimeError::new("calendar-too-far", message, "use a shorter time, or add working hours to the calendar")
    }
}

/// Day by day, forward or backward.
fn steps(first: Date, direction: i32) -> impl Iterator<Item = Date> {
    std::iter::successors(Some(first), move |date| date.checked_add(jiff::Span::new().days(direction)).ok())
}

/// The length between two moments; zero if there is none.
fn nanoseconds(from: Timestamp, to: Timestamp) -> u128 {
    u128::try_from(to.duration_since(from).as_nanos()).unwrap_or(0)
}

fn shift(moment: Timestamp, nanoseconds: u128, direction: i128) -> Option<Timestamp> {
    let length = direction.checked_mul(i128::try_from(nanoseconds).ok()?)?;
    Timestamp::from_nanosecond(moment.as_nanosecond().checked_add(length)?).ok()
}
