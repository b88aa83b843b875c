//! Values of the engine as the FEEL library knows them, and back.

use std::collections::BTreeMap;
use std::sync::Arc;

use dsntk_feel::context::FeelContext;
use dsntk_feel::values::Value as FeelValue;
use dsntk_feel::{FeelNumber, Name as FeelName};
use dsntk_feel_temporal::{
    FeelDate, FeelDateTime, FeelDaysAndTimeDuration, FeelTime, FeelYearsAndMonthsDuration, FeelZone,
};
use jiff::Timestamp;
use jiff::civil::{Date, Time};
use potok_core::expressions::EvaluationError;
use potok_core::value::{DateTime, Duration, TimeOfDay, Value, Zone};

/// How many elements the values of one evaluation may hold together.
pub(crate) const MAX_ELEMENTS: usize = 100_000;
/// How deep values may be nested.
const MAX_NESTING: usize = 100;

fn failed(message: impl Into<String>) -> EvaluationError {
    EvaluationError::Failed(message.into())
}

/// Turns values of the engine into values of the library, counting their elements.
#[derive(Debug)]
pub(crate) struct Inward {
    left: usize,
}

impl Inward {
    /// A conversion of at most `elements` elements.
    pub(crate) fn new(elements: usize) -> Self {
        Self { left: elements }
    }

    /// Converts a value.
    pub(crate) fn value(&mut self, value: &Value) -> Result<FeelValue, EvaluationError> {
        self.nested(value, 0)
    }

    fn nested(&mut self, value: &Value, depth: usize) -> Result<FeelValue, EvaluationError> {
        let limit = |what: &str| EvaluationError::Limit(format!("a value has too {what} to be computed with in FEEL"));
        self.left = self.left.checked_sub(1).ok_or_else(|| limit("many elements"))?;
        if depth > MAX_NESTING {
            return Err(limit("many levels"));
        }
        Ok(match value {
            Value::Null => FeelValue::Null(None),
            Value::Boolean(value) => FeelValue::Boolean(*value),
            Value::Integer(value) => FeelValue::Number((*value).into()),
            Value::Number(value) => FeelValue::Number(number(*value)?),
            Value::String(text) => FeelValue::String(text.to_string()),
            Value::Date(value) => FeelValue::Date(date(*value)?),
            Value::Time(value) => FeelValue::Time(time(value.time, value.zone.as_ref())?),
            Value::DateTime(value) => FeelValue::DateTime(FeelDateTime::new(
                date(value.local.date())?,
                time(value.local.time(), value.zone.as_ref())?,
            )),
            Value::Duration(value) => duration(*value)?,
            Value::List(items) => {
                let items: Result<_, _> = items.iter().map(|item| self.nested(item, depth + 1)).collect();
                FeelValue::List(items?)
            }
            Value::Map(entries) => {
                let mut context = FeelContext::default();
                for (name, value) in entries.iter() {
                    context.set_entry(&FeelName::from(&**name), self.nested(value, depth + 1)?);
                }
                FeelValue::Context(context)
            }
            Value::Bytes(bytes) => FeelValue::String(base64(bytes)),
            Value::Declared(declared) => self.nested(&declared.value, depth + 1)?,
        })
    }
}

fn number(value: f64) -> Result<FeelNumber, EvaluationError> {
    // The shortest digits that read back as the same number: 0.1 is a tenth, not its binary neighbour.
    format!("{value:e}").parse().map_err(|_| failed(format!("{value} is no number that FEEL can compute with")))
}

fn date(value: Date) -> Result<FeelDate, EvaluationError> {
    FeelDate::new(value.year().into(), unsigned(value.month()), unsigned(value.day()))
        .ok_or_else(|| failed(format!("{value} is no date that FEEL can compute with")))
}

fn unsigned<T: TryInto<u32>>(value: T) -> u32 {
    value.try_into().unwrap_or_default()
}

fn small<T: TryInto<u8>>(value: T) -> u8 {
    value.try_into().unwrap_or_default()
}

fn time(value: Time, zone: Option<&Zone>) -> Result<FeelTime, EvaluationError> {
    let zone = match zone {
        None => FeelZone::Local,
        Some(Zone::Offset(0)) => FeelZone::Utc,
        Some(Zone::Offset(seconds)) => FeelZone::Offset(*seconds),
        Some(Zone::Named(name)) => FeelZone::Zone(name.to_string()),
    };
    let nanoseconds = u64::from(unsigned(value.subsec_nanosecond()));
    FeelTime::zone_opt(small(value.hour()), small(value.minute()), small(value.second()), nanoseconds, zone)
        .ok_or_else(|| failed(format!("{value} is no time that FEEL can compute with")))
}

fn duration(value: Duration) -> Result<FeelValue, EvaluationError> {
    let days = value.seconds != 0 || value.nanoseconds != 0;
    if value.months != 0 && days {
        return Err(failed("FEEL cannot compute with a duration that has both months and days; use one of them"));
    }
    if value.months != 0 {
        return Ok(FeelValue::YearsAndMonthsDuration(FeelYearsAndMonthsDuration::from_m(value.months.into())));
    }
    let nanoseconds = value
        .seconds
        .checked_mul(1_000_000_000)
        .and_then(|nanoseconds| nanoseconds.checked_add(value.nanoseconds.into()))
        .ok_or_else(|| failed("a duration of more than 292 years of days is too long for FEEL"))?;
    Ok(FeelValue::DaysAndTimeDuration(FeelDaysAndTimeDuration::from_n(nanoseconds)))
}

/// The moment as a FEEL date and time in UTC.
pub(crate) fn moment(now: Timestamp) -> FeelValue {
    let utc = jiff::tz::Offset::UTC.to_datetime(now);
    match (date(utc.date()), time(utc.time(), Some(&Zone::Offset(0)))) {
        (Ok(date), Ok(time)) => FeelValue::DateTime(FeelDateTime::new(date, time)),
        _ => FeelValue::Null(None),
    }
}

/// The moment's date in UTC.
pub(crate) fn day(now: Timestamp) -> FeelValue {
    date(jiff::tz::Offset::UTC.to_datetime(now).date()).map_or(FeelValue::Null(None), FeelValue::Date)
}

/// Turns a value of the library into one of the engine.
pub(crate) fn outward(value: FeelValue) -> Result<Value, EvaluationError> {
    nested(value, 0)
}

fn nested(value: FeelValue, depth: usize) -> Result<Value, EvaluationError> {
    if depth > MAX_NESTING {
        return Err(EvaluationError::Limit("the expression's value is nested too deeply".into()));
    }
    Ok(match value {
        FeelValue::Null(_) => Value::Null,
        FeelValue::Boolean(value) => Value::Boolean(value),
        FeelValue::Number(value) => from_number(&value)?,
        FeelValue::String(text) => text.into(),
        FeelValue::Date(value) => Value::Date(from_date(&value)?),
        FeelValue::Time(value) => {
            let (time, zone) = from_time(&value)?;
            Value::Time(Arc::new(TimeOfDay { time, zone }))
        }
        FeelValue::DateTime(value) => Value::DateTime(Arc::new(from_date_time(&value)?)),
        FeelValue::DaysAndTimeDuration(value) => Value::Duration(Duration {
            months: 0,
            seconds: value.as_nanos() / 1_000_000_000,
            nanoseconds: i32::try_from(value.as_nanos() % 1_000_000_000).unwrap_or_default(),
        }),
        FeelValue::YearsAndMonthsDuration(value) => Value::Duration(Duration {
            months: i32::try_from(value.as_months()).map_err(|_| failed("the duration has too many months"))?,
            ..Duration::default()
        }),
        FeelValue::List(items) | FeelValue::ExpressionList(items) => {
            let items: Result<Vec<_>, _> = items.into_iter().map(|item| nested(item, depth + 1)).collect();
            items?.into()
        }
        FeelValue::Context(context) => {
            let mut entries = BTreeMap::new();
            for (name, value) in context.iter() {
                entries.insert(name.as_str().into(), nested(value.clone(), depth + 1)?);
            }
            Value::Map(Arc::new(entries))
        }
        FeelValue::Transparent(value) => nested(*value, depth + 1)?,
        range @ FeelValue::Range(..) => range.to_string().into(),
        FeelValue::FunctionDefinition(..) | FeelValue::BuiltInFunction(_) => {
            return Err(failed("the expression gives a function; call it with `(...)` to get a value"));
        }
        other => return Err(failed(format!("the expression gives no value but {other}"))),
    })
}

fn from_number(value: &FeelNumber) -> Result<Value, EvaluationError> {
    if value.is_integer()
        && let Ok(integer) = i64::try_from(value)
    {
        return Ok(Value::Integer(integer));
    }
    // Debug is the library's scientific notation, e.g. `+15E-1`; it stays short for huge numbers.
    let number: f64 = format!("{value:?}").parse().map_err(|_| failed("the expression gives no finite number"))?;
    if number.is_finite() { Ok(Value::Number(number)) } else { Err(failed("the number is too large")) }
}

fn from_date(value: &FeelDate) -> Result<Date, EvaluationError> {
    let fields = (i16::try_from(value.year()), i8::try_from(value.month()), i8::try_from(value.day()));
    match fields {
        (Ok(year), Ok(month), Ok(day)) => Date::new(year, month, day).ok(),
        _ => None,
    }
    .ok_or_else(|| failed(format!("the date {value} is out of range")))
}

fn from_time(value: &FeelTime) -> Result<(Time, Option<Zone>), EvaluationError> {
    let signed = |field: u8| i8::try_from(field).unwrap_or_default();
    let nanoseconds = i32::try_from(value.nanos()).unwrap_or_default();
    // The library adds a duration to a time without coming round at midnight.
    let time = Time::new(signed(value.hour() % 24), signed(value.minute()), signed(value.second()), nanoseconds)
        .map_err(|_| failed(format!("the time {value} is out of range")))?;
    let zone = match value.zone() {
        FeelZone::Local => None,
        FeelZone::Utc => Some(Zone::Offset(0)),
        FeelZone::Offset(seconds) => Some(Zone::Offset(*seconds)),
        FeelZone::Zone(name) => Some(Zone::Named(name.as_str().into())),
    };
    Ok((time, zone))
}

/// A FEEL date and time as the engine has it.
pub(crate) fn from_date_time(value: &FeelDateTime) -> Result<DateTime, EvaluationError> {
    let (time, zone) = from_time(&value.time())?;
    Ok(DateTime { local: from_date(&value.date())?.to_datetime(time), zone })
}

/// The moment that a date and time means; without a zone it is taken as UTC, so that nothing depends on the machine.
pub(crate) fn instant(value: &DateTime) -> Option<Timestamp> {
    value.timestamp(&Zone::UTC).ok()
}

/// Bytes as text, as JSON has them.
pub(crate) fn base64(bytes: &[u8]) -> String {
    match Value::Bytes(bytes.into()).to_json() {
        serde_json::Value::String(text) => text,
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn there_and_back(value: &Value) -> Value {
        outward(Inward::new(MAX_ELEMENTS).value(value).expect("inward")).expect("outward")
    }

    #[test]
    fn values_survive_the_way() {
        let zone = Some(Zone::Named("Europe/Volgograd".into()));
        let local = jiff::civil::date(2026, 11, 3).at(10, 20, 30, 500);
        for value in [
            Value::Null,
            Value::Boolean(true),
            Value::Integer(i64::MAX),
            Value::Integer(i64::MIN),
            Value::Number(0.1),
            Value::Number(1.7976931348623157e308),
            Value::Number(5e-324),
            "text".into(),
            Value::Date(local.date()),
            Value::Time(Arc::new(TimeOfDay { time: local.time(), zone: Some(Zone::Offset(10_800)) })),
            Value::DateTime(Arc::new(DateTime { local, zone })),
            Value::DateTime(Arc::new(DateTime { local, zone: None })),
            Value::Duration(Duration { months: -14, seconds: 0, nanoseconds: 0 }),
            Value::Duration(Duration { months: 0, seconds: -90, nanoseconds: -5 }),
            vec![Value::Integer(1), "b".into()].into(),
            Value::Map(Arc::new(BTreeMap::from([("a b".into(), Value::Null)]))),
        ] {
            assert_eq!(there_and_back(&value), value);
        }
    }

    #[test]
    fn bytes_become_base64() {
        assert_eq!(base64(b"potok"), "cG90b2s=");
        assert_eq!(base64(b""), "");
    }

    #[test]
    fn elements_are_counted() {
        let list: Value = vec![Value::Null; 10].into();
        assert!(matches!(Inward::new(10).value(&list), Err(EvaluationError::Limit(_))));
        assert!(Inward::new(11).value(&list).is_ok());
    }
}
