//! Declared types of columns.

use potok_core::value::{DateTime, Duration, TimeOfDay, Value, Zone, parse_date};

/// The declared type, as far as values are converted to it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Kind {
    Any,
    Text,
    Integer,
    Number,
    Boolean,
    Date,
    /// Camunda 7's `date`, which is its only type for moments.
    DateOrMoment,
    Moment,
    Time,
    DaysAndTime,
    YearsAndMonths,
}

impl Kind {
    /// The kind by the name of its type.
    pub(crate) fn of(name: &str, camunda: bool) -> Self {
        match name.rsplit(':').next().unwrap_or(name).to_ascii_lowercase().as_str() {
            "string" => Self::Text,
            "integer" | "long" | "short" => Self::Integer,
            "number" | "double" | "float" | "decimal" => Self::Number,
            "boolean" => Self::Boolean,
            "date" if camunda => Self::DateOrMoment,
            "date" => Self::Date,
            "date and time" | "datetime" => Self::Moment,
            "time" => Self::Time,
            "days and time duration" | "daytimeduration" => Self::DaysAndTime,
            "years and months duration" | "yearmonthduration" => Self::YearsAndMonths,
            _ => Self::Any,
        }
    }

    /// The kind of what an input column tests. Modelers write `string` where nobody has chosen a type; only Camunda 7 then
    /// takes a number for its text.
    pub(crate) fn of_input(name: &str, camunda: bool) -> Self {
        match Self::of(name, camunda) {
            Self::Text if !camunda => Self::Any,
            kind => kind,
        }
    }

    /// Whether it is a moment or a length of time.
    pub(super) fn is_of_time(self) -> bool {
        !matches!(self, Self::Any | Self::Text | Self::Integer | Self::Number | Self::Boolean)
    }

    /// Text as the declared type, if it is one.
    pub(super) fn convert(self, value: Value) -> Value {
        let Some(text) = value.as_str() else { return value };
        let text = text.trim();
        match self {
            Self::Any | Self::Text => None,
            Self::Integer | Self::Number => match text.parse::<i64>() {
                Ok(number) => Some(Value::Integer(number)),
                Err(_) => text.parse::<f64>().ok().filter(|number| number.is_finite()).map(Value::Number),
            },
            Self::Boolean => match text {
                "true" => Some(Value::Boolean(true)),
                "false" => Some(Value::Boolean(false)),
                _ => None,
            },
            Self::Date | Self::DateOrMoment | Self::Moment => match text.parse::<DateTime>() {
                Ok(moment) => Some(moment.into()),
                Err(_) => parse_date(text).ok().map(Value::Date),
            },
            Self::Time => text.parse::<TimeOfDay>().ok().map(|time| Value::Time(time.into())),
            Self::DaysAndTime | Self::YearsAndMonths => text.parse().ok().map(Value::Duration),
        }
        .unwrap_or(value)
    }

    /// A value as the declared type; none if it cannot be one. (Camunda 7 refuses it, too.)
    pub(super) fn result(self, value: Value) -> Option<Value> {
        let value = self.convert(value);
        match (self, value.plain()) {
            (Self::Any, _) | (_, Value::Null) => Some(value),
            (Self::Text, Value::List(_) | Value::Map(_) | Value::Bytes(_)) => None,
            (Self::Text, Value::String(_)) => Some(value),
            (Self::Text, other) => Some(other.to_string().into()),
            (Self::Integer | Self::Number, Value::Integer(_)) | (Self::Number, Value::Number(_)) => Some(value),
            (Self::Integer, Value::Number(number)) => {
                (number.fract() == 0.0).then(|| format!("{number:.0}").parse().ok().map(Value::Integer)).flatten()
            }
            (Self::Boolean, Value::Boolean(_)) => Some(value),
            (Self::Date | Self::DateOrMoment, Value::Date(_)) => Some(value),
            (Self::DateOrMoment | Self::Moment, Value::DateTime(_)) => Some(value),
            (Self::Date, Value::DateTime(moment)) => Some(Value::Date(moment.local.date())),
            // Midnight in UTC (DMN 1.3 §10.3.2.9.4).
            (Self::Moment, Value::Date(date)) => {
                Some(DateTime { local: date.at(0, 0, 0, 0), zone: Some(Zone::UTC) }.into())
            }
            (Self::Time, Value::Time(_)) => Some(value),
            (Self::Time, Value::DateTime(moment)) => {
                let time = TimeOfDay { time: moment.local.time(), zone: moment.zone.clone() };
                Some(Value::Time(time.into()))
            }
            (Self::DaysAndTime, Value::Duration(Duration { months: 0, .. }))
            | (Self::YearsAndMonths, Value::Duration(Duration { seconds: 0, nanoseconds: 0, .. })) => Some(value),
            _ => None,
        }
    }

    /// A tested value as the declared type. Cells of Camunda 7 compare with a `date and time`, and a date is its midnight there.
    pub(super) fn tested(self, value: Value) -> Option<Value> {
        let value = self.result(value)?;
        Some(match (self, value.plain()) {
            (Self::DateOrMoment, Value::Date(date)) => DateTime { local: date.at(0, 0, 0, 0), zone: None }.into(),
            _ => value,
        })
    }

    /// What it is called in messages.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Any => "anything",
            Self::Text => "a string",
            Self::Integer => "a whole number",
            Self::Number => "a number",
            Self::Boolean => "a boolean",
            Self::Date | Self::DateOrMoment => "a date",
            Self::Moment => "a date and time",
            Self::Time => "a time",
            Self::DaysAndTime => "a duration of days and time",
            Self::YearsAndMonths => "a duration of years and months",
        }
    }
}
