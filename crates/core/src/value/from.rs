//! Rust's types as values.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{DateTime, Duration, TimeOfDay, Value};
use crate::Name;
use crate::time::Timestamp;

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Boolean(value)
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Integer(value)
    }
}

impl From<i32> for Value {
    fn from(value: i32) -> Self {
        Self::Integer(value.into())
    }
}

impl From<u32> for Value {
    fn from(value: u32) -> Self {
        Self::Integer(value.into())
    }
}

/// What is not finite becomes null.
impl From<f64> for Value {
    fn from(value: f64) -> Self {
        if value.is_finite() { Self::Number(value) } else { Self::Null }
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::String(value.into())
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::String(value.into())
    }
}

impl From<Name> for Value {
    fn from(value: Name) -> Self {
        Self::String(value)
    }
}

impl From<jiff::civil::Date> for Value {
    fn from(value: jiff::civil::Date) -> Self {
        Self::Date(value)
    }
}

impl From<TimeOfDay> for Value {
    fn from(value: TimeOfDay) -> Self {
        Self::Time(Arc::new(value))
    }
}

impl From<DateTime> for Value {
    fn from(value: DateTime) -> Self {
        Self::DateTime(Arc::new(value))
    }
}

/// The moment's date and time in UTC.
impl From<Timestamp> for Value {
    fn from(value: Timestamp) -> Self {
        DateTime::utc(value).into()
    }
}

impl From<Duration> for Value {
    fn from(value: Duration) -> Self {
        Self::Duration(value)
    }
}

impl From<Vec<Value>> for Value {
    fn from(value: Vec<Value>) -> Self {
        Self::List(Arc::new(value))
    }
}

impl From<BTreeMap<Name, Value>> for Value {
    fn from(value: BTreeMap<Name, Value>) -> Self {
        Self::Map(Arc::new(value))
    }
}

/// Nothing becomes null.
impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

impl FromIterator<Value> for Value {
    fn from_iter<I: IntoIterator<Item = Value>>(values: I) -> Self {
        values.into_iter().collect::<Vec<_>>().into()
    }
}

impl<N: Into<Name>, V: Into<Value>> FromIterator<(N, V)> for Value {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(entries: I) -> Self {
        let entries = entries.into_iter().map(|(name, value)| (name.into(), value.into()));
        entries.collect::<BTreeMap<_, _>>().into()
    }
}
