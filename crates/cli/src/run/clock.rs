//! Moments as people write and read them.

use jiff::tz::TimeZone;
use potok_core::time::{TimeError, Timestamp};
use potok_core::value::{DateTime, Period, Zone};

use crate::failure::Failure;

/// Whose clock is read.
#[derive(Clone, Debug)]
pub(crate) struct Clock {
    zone: TimeZone,
}

impl Clock {
    pub(crate) fn new(zone: TimeZone) -> Self {
        Self { zone }
    }

    /// The moment that a text means, and a clock that shows its offset if it names one.
    pub(crate) fn read(&self, text: &str) -> Result<(Timestamp, Option<Self>), Failure> {
        let what = format!("`{text}` is no point in time");
        let invalid = |error: TimeError| match error.code {
            "date-time-invalid" => Failure::new(&*what).help("write ISO 8601, e.g. 2026-11-24T10:15:00+03:00"),
            _ => Failure::new(format!("{what}: {}", error.message)).help(error.help),
        };
        // A date alone is its first moment.
        let whole = if text.trim().len() == 10 { format!("{}T00:00:00", text.trim()) } else { text.trim().to_owned() };
        let date_time: DateTime = whole.parse().map_err(invalid)?;
        match &date_time.zone {
            Some(zone) => {
                let moment = date_time.timestamp(zone).map_err(invalid)?;
                // `Z` says nothing about where people are.
                let clock = match zone {
                    Zone::Offset(0) => None,
                    zone => zone.rules().ok().map(Self::new),
                };
                Ok((moment, clock))
            }
            None => {
                let moment = self.zone.to_timestamp(date_time.local);
                let moment = moment.map_err(|error| Failure::new(format!("{what}: {error}")))?;
                Ok((moment, None))
            }
        }
    }

    /// The moment a duration after another.
    pub(crate) fn after(&self, now: Timestamp, text: &str) -> Result<Timestamp, Failure> {
        let what = format!("`{text}` is no duration");
        let help = "write ISO 8601, e.g. PT2H or P1D";
        let period = text.trim().to_uppercase().parse::<Period>().map_err(|_| Failure::new(&*what).help(help))?;
        let invalid = |reason: &str| Failure::new(format!("{what}: {reason}")).help(help);
        if !period.is_positive() {
            return Err(invalid("time goes only forward"));
        }
        period.after(now, 1, &self.zone).ok_or_else(|| invalid("it ends beyond the year 9999"))
    }

    /// `Tue 24 Nov 2026 10:15`
    pub(crate) fn full(&self, moment: Timestamp) -> String {
        let zoned = self.zone.to_datetime(moment);
        format!("{}{}", zoned.strftime("%a %-d %b %Y %H:%M"), seconds(&zoned))
    }

    /// `Tue 24 Nov 2026`
    pub(crate) fn day(&self, moment: Timestamp) -> String {
        self.zone.to_datetime(moment).strftime("%a %-d %b %Y").to_string()
    }

    /// `10:15`
    pub(crate) fn time(&self, moment: Timestamp) -> String {
        let zoned = self.zone.to_datetime(moment);
        format!("{}{}", zoned.strftime("%H:%M"), seconds(&zoned))
    }

    /// `10:15` of the same day, else `Wed 25 Nov 10:15`.
    pub(crate) fn short(&self, moment: Timestamp, now: Timestamp) -> String {
        let (zoned, today) = (self.zone.to_datetime(moment), self.zone.to_datetime(now));
        if zoned.date() == today.date() {
            self.time(moment)
        } else if zoned.year() == today.year() {
            format!("{} {}", zoned.strftime("%a %-d %b"), self.time(moment))
        } else {
            self.full(moment)
        }
    }
}

fn seconds(moment: &jiff::civil::DateTime) -> String {
    if moment.second() == 0 { String::new() } else { format!(":{:02}", moment.second()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_shown_as_short_as_they_are_clear() {
        let clock = Clock::new(TimeZone::UTC);
        let (now, zone) = clock.read("2026-11-24T10:15:00+03:00").expect("a moment");
        let clock = zone.expect("an offset");
        assert_eq!(clock.full(now), "Tue 24 Nov 2026 10:15");
        let later = clock.after(now, "PT2H0M5S").expect("a duration");
        assert_eq!(clock.short(later, now), "12:15:05");
        let later = clock.after(now, "p1d").expect("a duration");
        assert_eq!(clock.short(later, now), "Wed 25 Nov 10:15");
    }

    #[test]
    fn what_is_no_time_is_refused() {
        let clock = Clock::new(TimeZone::UTC);
        assert!(clock.read("tomorrow").is_err());
        assert!(clock.after(Timestamp::UNIX_EPOCH, "-P1D").is_err());
    }
}
