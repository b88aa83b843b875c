//! What variables hold.

mod access;
mod display;
mod duration;
mod equality;
mod from;
mod json;
mod limit;
mod temporal;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::Name;

pub use duration::{Duration, Period};
pub use limit::{MAXIMUM_BYTES, MAXIMUM_DEPTH, MAXIMUM_PARTS, ValueError, ValueLimits};
pub(crate) use temporal::shorten;
pub use temporal::{DateTime, TimeOfDay, Zone, parse_date};

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
        let mut value = self;
        while let Self::Declared(declared) = value {
            value = &declared.value;
        }
        value
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
