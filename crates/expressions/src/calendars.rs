//! Working calendars in FEEL: `add working hours(now(), 4, "office")` and the like.
//!
//! The calendar may be left out where one named `default`, or only one, is there. A date and time without a zone is
//! meant by the calendar's clock, and results are given in the calendar's zone.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use dsntk_feel::values::Value as FeelValue;
use jiff::{SignedDuration, Timestamp};
use potok_core::Name;
use potok_core::time::{Calendar, TimeError};
use potok_core::value::{DateTime, Value, Zone};

use crate::feel::{Signature, fail, inward, key, native, outward};

/// The functions' names and parameters.
pub(crate) const SIGNATURES: &[Signature] = &[
    ("next working morning", &["from"]),
    ("next working morning", &["from", "calendar"]),
    ("next working moment", &["from"]),
    ("next working moment", &["from", "calendar"]),
    ("add working hours", &["from", "hours"]),
    ("add working hours", &["from", "hours", "calendar"]),
    ("add working days", &["from", "days"]),
    ("add working days", &["from", "days", "calendar"]),
    ("is working time", &["at"]),
    ("is working time", &["at", "calendar"]),
    ("working hours between", &["from", "to"]),
    ("working hours between", &["from", "to", "calendar"]),
];

/// The calendars that were added, by name.
#[derive(Debug, Default)]
pub(crate) struct Calendars(RwLock<BTreeMap<Name, Arc<Calendar>>>);

impl Calendars {
    /// Adds a calendar; one of the same name is replaced.
    pub(crate) fn add(&self, name: Name, calendar: Calendar) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).insert(name, Arc::new(calendar));
    }

    fn find(&self, name: Option<&str>) -> Result<Arc<Calendar>, String> {
        let calendars = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let found = match name {
            Some(name) => calendars.get(name),
            None if calendars.len() == 1 => calendars.values().next(),
            None => calendars.get("default"),
        };
        found.cloned().ok_or_else(|| match name {
            Some(name) => format!("there is no working calendar `{name}`; deploy it"),
            None => "there is not one working calendar, and none named `default`; name the calendar".to_owned(),
        })
    }
}

/// The function by its key, if it is one of these.
pub(crate) fn function(wanted: &str, calendars: &Arc<Calendars>) -> Option<FeelValue> {
    let (name, parameters) =
        SIGNATURES.iter().copied().find(|(name, parameters)| key(name, parameters.len()) == wanted)?;
    let calendars = calendars.clone();
    Some(native(
        parameters,
        Box::new(move |arguments| {
            call(name, parameters, arguments, &calendars)
                .and_then(|value| inward(&value).map_err(|error| error.to_string()))
                .unwrap_or_else(|message| fail(format!("`{name}`: {message}")))
        }),
    ))
}

fn call(name: &str, parameters: &[&str], arguments: &[FeelValue], calendars: &Calendars) -> Result<Value, String> {
    let mut values = Vec::new();
    for argument in arguments {
        values.push(outward(argument.clone()).map_err(|error| error.to_string())?);
    }
    let named = parameters.last() == Some(&"calendar");
    let chosen = match values.last().filter(|_| named) {
        Some(name) => Some(name.as_str().ok_or("the calendar is given by its name, a text")?),
        None => None,
    };
    let calendar = calendars.find(chosen)?;
    let Some(first) = values.first() else { return Err("something is missing".to_owned()) };
    // Null stays null, as everywhere in FEEL.
    if values[..values.len() - usize::from(named)].iter().any(Value::is_null) {
        return Ok(Value::Null);
    }
    let start = moment(first, &calendar)?;
    let told = |error: TimeError| error.to_string();
    let second = values.get(1).unwrap_or(&Value::Null);
    match name {
        "next working morning" => at(calendar.next_working_morning(start).map_err(told)?, &calendar),
        "next working moment" => at(calendar.next_working_moment(start).map_err(told)?, &calendar),
        "add working hours" => at(calendar.add_working_time(start, hours(second)?).map_err(told)?, &calendar),
        "add working days" => {
            let days = second.as_i64().and_then(|days| i32::try_from(days).ok()).ok_or("days are a whole number")?;
            at(calendar.add_working_days(start, days).map_err(told)?, &calendar)
        }
        "is working time" => Ok(calendar.is_working_time(start).into()),
        _ => {
            let time = calendar.working_time_between(start, moment(second, &calendar)?).map_err(told)?;
            let hours = time.as_secs_f64() / 3_600.0;
            Ok(Value::Number(hours))
        }
    }
}

fn moment(value: &Value, calendar: &Calendar) -> Result<Timestamp, String> {
    let far = |_| "the date is out of range".to_owned();
    match value.plain() {
        Value::DateTime(moment) => match &moment.zone {
            Some(zone) => moment.timestamp(zone).map_err(|error| error.to_string()),
            None => calendar.zone().to_timestamp(moment.local).map_err(far),
        },
        Value::Date(date) => calendar.zone().to_timestamp(date.to_datetime(jiff::civil::Time::midnight())).map_err(far),
        other => Err(format!("a {} is no date and time", other.kind())),
    }
}

fn at(moment: Timestamp, calendar: &Calendar) -> Result<Value, String> {
    let zone = match calendar.zone().iana_name() {
        Some(name) => Zone::Named(name.into()),
        None => Zone::Offset(calendar.zone().to_offset(moment).seconds()),
    };
    DateTime::in_zone(moment, zone).map(Value::from).map_err(|error| error.to_string())
}

fn hours(value: &Value) -> Result<SignedDuration, String> {
    match value.plain() {
        Value::Duration(length) => length.exact().ok_or_else(|| "a length in months is no working time".to_owned()),
        number => {
            let hours = number.as_f64().ok_or("hours are a number or a duration")?;
            SignedDuration::try_from_secs_f64(hours * 3_600.0).map_err(|_| "there are too many hours".to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use potok_core::expressions::{Evaluation, Expressions, Language, Purpose, Variables};

    use super::*;
    use crate::Evaluator;

    struct Nothing;

    impl Variables for Nothing {
        fn get(&self, _: &str) -> Option<std::borrow::Cow<'_, Value>> {
            None
        }

        fn names(&self) -> Vec<Name> {
            Vec::new()
        }
    }

    fn calendar(name: &str, hours: &str) -> Calendar {
        let yaml = format!(
            "name: {name}\nzone: Europe/Volgograd\nweek:\n  monday: [\"{hours}\"]\n  tuesday: [\"{hours}\"]\n  \
             wednesday: [\"{hours}\"]\n  thursday: [\"{hours}\"]\n  friday: [\"{hours}\"]\n"
        );
        Calendar::from_yaml(&yaml).expect("calendar")
    }

    fn evaluate(evaluator: &Evaluator, text: &str) -> Result<Value, String> {
        let feel = evaluator.compile(&Language::Feel, Purpose::Expression, text).map_err(|error| error.to_string())?;
        // A Tuesday, half past twelve in Volgograd.
        let now = "2026-11-03T09:30:00Z".parse().expect("timestamp");
        feel.evaluate(&mut Evaluation::new(&Nothing, now)).map_err(|error| error.to_string())
    }

    #[test]
    fn working_time_in_feel() {
        let evaluator = Evaluator::new();
        evaluator.add_calendar("office", calendar("office", "09:00-18:00"));
        for (text, expected) in [
            ("string(next working morning(now(), \"office\"))", "2026-11-04T09:00:00@Europe/Volgograd"),
            ("string(add working hours(now(), 6.5))", "2026-11-04T10:00:00@Europe/Volgograd"),
            ("string(add working hours(now(), duration(\"PT30M\")))", "2026-11-03T13:00:00@Europe/Volgograd"),
            (
                "string(add working days(from: now(), days: 4, calendar: \"office\"))",
                "2026-11-09T12:30:00@Europe/Volgograd",
            ),
            ("string(is working time(now()))", "true"),
            ("string(is working time(date(\"2026-11-07\")))", "false"),
            ("string(working hours between(now(), add working hours(now(), 12)))", "12"),
            ("string(next working moment(@\"2026-11-03T12:00:00\"))", "2026-11-03T12:00:00@Europe/Volgograd"),
            ("string(add working hours(now(), 4) > now())", "true"),
            ("string(is working time(null) = null)", "true"),
        ] {
            assert_eq!(evaluate(&evaluator, text), Ok(expected.into()), "{text}");
        }
    }

    #[test]
    fn working_time_goes_on_while_the_clock_is_set_back() {
        let evaluator = Evaluator::new();
        let night = "name: night\nzone: Europe/Berlin\nweek:\n  sunday: [\"01:00-04:00\"]\n";
        evaluator.add_calendar("night", Calendar::from_yaml(night).expect("calendar"));
        let midnight = "@\"2026-10-25T00:00:00@Europe/Berlin\"";
        let end = "@\"2026-10-25T04:00:00@Europe/Berlin\"";
        for (text, expected) in [
            (format!("add working hours({midnight}, 1.5)"), "2026-10-25T02:30:00+02:00[Europe/Berlin]"),
            (format!("add working hours({midnight}, 2)"), "2026-10-25T02:00:00+01:00"),
            (format!("add working hours({midnight}, 2.5)"), "2026-10-25T02:30:00+01:00"),
            (format!("add working hours({midnight}, 3)"), "2026-10-25T03:00:00+01:00[Europe/Berlin]"),
            (format!("add working hours({end}, -2)"), "2026-10-25T02:00:00+01:00"),
            (format!("add working hours({end}, -3)"), "2026-10-25T02:00:00+02:00[Europe/Berlin]"),
            ("next working moment(@\"2026-10-25T02:15:00+01:00\")".into(), "2026-10-25T02:15:00+01:00"),
            ("next working moment(@\"2026-10-25T02:15:00+02:00\")".into(), "2026-10-25T02:15:00+02:00[Europe/Berlin]"),
        ] {
            assert_eq!(evaluate(&evaluator, &text).map(|value| value.to_string()).as_deref(), Ok(expected), "{text}");
        }
        for hours in ["0.5", "1", "1.5", "2", "2.5", "3", "4"] {
            let between =
                format!("working hours between({midnight}, add working hours({midnight}, {hours})) = {hours}");
            assert_eq!(evaluate(&evaluator, &between), Ok(true.into()), "{between}");
        }
    }

    #[test]
    fn the_calendar_must_be_clear() {
        let evaluator = Evaluator::new();
        let unclear = evaluate(&evaluator, "is working time(now())").expect_err("none");
        assert!(unclear.contains("name the calendar"), "{unclear}");
        evaluator.add_calendar("office", calendar("office", "09:00-18:00"));
        evaluator.add_calendar("night", calendar("night", "20:00-23:00"));
        assert!(evaluate(&evaluator, "is working time(now())").is_err());
        assert_eq!(evaluate(&evaluator, "is working time(now(), \"night\")"), Ok(false.into()));
        evaluator.add_calendar("default", calendar("default", "09:00-18:00"));
        assert_eq!(evaluate(&evaluator, "is working time(now())"), Ok(true.into()));
        let unknown = evaluate(&evaluator, "is working time(now(), \"day\")").expect_err("unknown");
        assert!(unknown.contains("no working calendar `day`"), "{unknown}");
        let wrong = evaluate(&evaluator, "add working days(now(), 1.5)").expect_err("half a day");
        assert!(wrong.contains("whole number"), "{wrong}");
    }
}
