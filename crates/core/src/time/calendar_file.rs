//! Working calendars as YAML files.

use std::collections::BTreeMap;
use std::fmt;

use jiff::civil::Date;
use serde::de::{self, Deserialize, Deserializer, MapAccess, Visitor};
use serde_saphyr::{Error, MessageFormatter as _, UserMessageFormatter};

use super::calendar::{Calendar, Hours, LONGEST_PAUSE_IN_DAYS};
use crate::Name;
use crate::diagnostic::{Diagnostic, Severity};
use crate::value::{Zone, parse_date};
use crate::xml::Span;

const HELP: &str = "a calendar has `name`, `zone`, `week` with hours such as monday: [\"09:00-13:00\", \"14:00-18:00\"], \
                    and may have `holidays` and `exceptions`";

impl Calendar {
    /// Reads a calendar's file.
    ///
    /// # Errors
    /// The first thing that is wrong with it, and where.
    pub fn from_yaml(text: &str) -> Result<Self, Diagnostic> {
        let file: File = serde_saphyr::from_str(text).map_err(|error| problem(&error))?;
        let mut calendar = Self {
            name: file.name.into(),
            zone: file.zone.0,
            week: file.week.into_days(),
            holidays: BTreeMap::new(),
            yearly_holidays: BTreeMap::new(),
            exceptions: BTreeMap::new(),
        };
        for Holiday { day, name } in file.holidays.unwrap_or_default() {
            match day {
                HolidayDay::Once(date) => calendar.holidays.insert(date, name),
                HolidayDay::Yearly(month, day) => calendar.yearly_holidays.insert((month, day), name),
            };
        }
        for (DateText(date), hours) in file.exceptions.unwrap_or_default() {
            calendar.exceptions.insert(date, hours.into_hours());
        }
        if calendar.works() {
            Ok(calendar)
        } else {
            Err(Diagnostic {
                code: "calendar-without-working-time",
                severity: Severity::Error,
                element: None,
                span: Span::default(),
                line: 1,
                column: 1,
                message: format!("nobody ever works by the calendar `{}`", calendar.name),
                help: "give at least one day of the week working hours".to_owned(),
            })
        }
    }

    /// Whether there is working time within ten years once all dated holidays and exceptions are past.
    fn works(&self) -> bool {
        let last = self.holidays.keys().chain(self.exceptions.keys()).max();
        let mut next = last.copied().unwrap_or(Date::constant(2000, 1, 1)).tomorrow().ok();
        for _ in 0..LONGEST_PAUSE_IN_DAYS {
            match next {
                Some(date) if !self.is_working_day(date) => next = date.tomorrow().ok(),
                // At the end of time only its own week can tell.
                None => return self.week.iter().any(|hours| !hours.is_empty()),
                Some(_) => return true,
            }
        }
        false
    }
}

fn problem(error: &Error) -> Diagnostic {
    let place = error.location();
    let number = |value: u64| u32::try_from(value).unwrap_or(u32::MAX);
    let (line, column) = place.map_or((1, 1), |place| (place.line(), place.column()));
    let start = place.and_then(|place| place.span().byte_offset()).map_or(0, number);
    // The place is said on its own.
    let message = match error.without_snippet() {
        Error::DuplicateMappingKey { key: Some(key), .. } => format!("`{key}` stands twice"),
        Error::Unexpected { expected: "mapping start", .. } => "names with values must stand here".to_owned(),
        Error::Unexpected { expected: "sequence start", .. } => "a list must stand here".to_owned(),
        Error::Unexpected { .. } => "a value must stand here".to_owned(),
        other => UserMessageFormatter.format_message(other).into_owned(),
    };
    Diagnostic {
        code: "calendar-invalid",
        severity: Severity::Error,
        element: None,
        span: Span { start, end: start },
        line: number(line),
        column: number(column),
        message,
        help: HELP.to_owned(),
    }
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    name: String,
    zone: ZoneText,
    week: Week,
    holidays: Option<Vec<Holiday>>,
    exceptions: Option<BTreeMap<DateText, Day>>,
}

#[derive(serde::Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct Week {
    monday: Day,
    tuesday: Day,
    wednesday: Day,
    thursday: Day,
    friday: Day,
    saturday: Day,
    sunday: Day,
}

impl Week {
    fn into_days(self) -> [Vec<Hours>; 7] {
        let days = [self.monday, self.tuesday, self.wednesday, self.thursday, self.friday, self.saturday, self.sunday];
        days.map(Day::into_hours)
    }
}

/// A text that is read by one of the functions below.
macro_rules! read_from_text {
    ($type:ty, $read:expr) => {
        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                $read(&text).map_err(de::Error::custom)
            }
        }
    };
}

struct ZoneText(jiff::tz::TimeZone);
read_from_text!(ZoneText, |text: &str| text.parse::<Zone>().and_then(|zone| zone.rules()).map(Self));

#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct DateText(Date);
read_from_text!(DateText, |text: &str| parse_date(text).map(Self));

read_from_text!(Hours, read_hours);

fn read_hours(text: &str) -> Result<Hours, String> {
    let minutes = |text: &str| {
        let (hour, minute) = text.trim().split_once(':')?;
        let is_number = |text: &str| text.len() == 2 && text.bytes().all(|digit| digit.is_ascii_digit());
        let part = |text: &str| if is_number(text) { text.parse::<u16>().ok() } else { None };
        let (hour, minute) = (part(hour)?, part(minute)?);
        Some(hour * 60 + minute).filter(|minutes| minute < 60 && *minutes <= 24 * 60)
    };
    let hours = text.split_once(['-', '–']).and_then(|(open, close)| Some((minutes(open)?, minutes(close)?)));
    match hours {
        Some((open, close)) if open < close => Ok(Hours { open, close }),
        Some(_) => Err(format!(
            "`{text}` closes before it opens; write hours across midnight as two, e.g. 22:00-24:00 \
                                on one day and 00:00-06:00 on the next"
        )),
        None => Err(format!("`{text}` is not from one time to another; write e.g. 09:00-18:00")),
    }
}

/// A day's hours, in order and apart.
#[derive(Default)]
struct Day(Vec<Hours>);

impl Day {
    fn into_hours(self) -> Vec<Hours> {
        self.0
    }
}

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut hours = Option::<Vec<Hours>>::deserialize(deserializer)?.unwrap_or_default();
        hours.sort_unstable();
        match hours.windows(2).any(|pair| pair[1].open < pair[0].close) {
            true => Err(de::Error::custom("the hours of this day overlap; write each hour once")),
            false => Ok(Self(hours)),
        }
    }
}

enum HolidayDay {
    Once(Date),
    Yearly(i8, i8),
}

struct Holiday {
    day: HolidayDay,
    name: Option<Name>,
}

fn read_holiday(text: &str) -> Result<HolidayDay, String> {
    // A leap year, so that 29 February can be one.
    let yearly = (text.len() == 5).then(|| parse_date(&format!("2024-{text}")).ok()).flatten();
    match yearly {
        Some(date) => Ok(HolidayDay::Yearly(date.month(), date.day())),
        None => parse_date(text)
            .map(HolidayDay::Once)
            .map_err(|_| format!("`{text}` is no day; write 2026-01-07, or 01-07 for every year")),
    }
}

impl<'de> Deserialize<'de> for Holiday {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(HolidayVisitor)
    }
}

struct HolidayVisitor;

impl<'de> Visitor<'de> for HolidayVisitor {
    type Value = Holiday;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a day, or `date` and `name`")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Holiday, E> {
        let day = read_holiday(text).map_err(E::custom)?;
        Ok(Holiday { day, name: None })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Holiday, A::Error> {
        let (mut day, mut name) = (None, None);
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "date" => day = Some(read_holiday(&map.next_value::<String>()?).map_err(de::Error::custom)?),
                "name" => name = Some(map.next_value::<String>()?.into()),
                _ => return Err(de::Error::unknown_field(&key, &["date", "name"])),
            }
        }
        Ok(Holiday { day: day.ok_or_else(|| de::Error::missing_field("date"))?, name })
    }
}
