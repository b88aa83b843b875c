//! What variables hold.

mod json;
mod temporal;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::Name;

pub use temporal::{DateTime, Duration, TimeOfDay, Zone};

/// A value: what a variable holds and what an expression gives. Cheap to clone.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub enum Value {
    /// Nothing.
    #[default]
    Null,
    /// True or false.
    Boolean(bool),
    /// A whole number of 64 bits.
    Integer(i64),
    /// A number; always finite.
    Number(f64),
    /// Text.
    String(Name),
    /// A calendar date.
    Date(jiff::civil::Date),
    /// A time of day, with or without a zone.
    Time(Arc<TimeOfDay>),
    /// A date and time, with or without a zone.
    DateTime(Arc<DateTime>),
    /// A length of time in months and seconds.
    Duration(Duration),
    /// Values in order.
    List(Arc<Vec<Value>>),
    /// Values by name, in the names' order.
    Map(Arc<BTreeMap<Name, Value>>),
    /// Binary data.
    Bytes(Arc<[u8]>),
    /// A value with the type that its sender declared, kept so that the sender gets back what it gave.
    Declared(Arc<Declared>),
}

/// A value together with its declared type.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Declared {
    /// The plain value.
    pub value: Value,
    /// The type's name as its dialect writes it, e.g. `Short`, `File`, `Object`.
    pub type_name: Name,
    /// What else the sender said about it, e.g. a file's name and media type.
    pub info: BTreeMap<Name, Name>,
}

impl Value {
    /// The value without its declared type.
    #[must_use]
    pub fn plain(&self) -> &Self {
        match self {
            Self::Declared(declared) => declared.value.plain(),
            other => other,
        }
    }

    /// The word for the kind of value, as error messages use it.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self.plain() {
            Self::Null => "null",
            Self::Boolean(_) => "boolean",
            Self::Integer(_) => "integer",
            Self::Number(_) => "number",
            Self::String(_) => "string",
            Self::Date(_) => "date",
            Self::Time(_) => "time",
            Self::DateTime(_) => "date and time",
            Self::Duration(_) => "duration",
            Self::List(_) => "list",
            Self::Map(_) => "map",
            Self::Bytes(_) => "bytes",
            Self::Declared(_) => "value",
        }
    }
}

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

impl From<Vec<Value>> for Value {
    fn from(value: Vec<Value>) -> Self {
        Self::List(Arc::new(value))
    }
}
