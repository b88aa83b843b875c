//! Values as text for people.

use std::fmt::{self, Write as _};

use super::{Value, limit::MAXIMUM_DEPTH};

/// Text as it is, everything else as JSON would show it, dates and the like without quotation marks.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.plain() {
            Self::String(text) => f.write_str(text),
            other => write(other, f, MAXIMUM_DEPTH),
        }
    }
}

fn write(value: &Value, f: &mut fmt::Formatter<'_>, levels: usize) -> fmt::Result {
    match value.plain() {
        Value::Boolean(value) => write!(f, "{value}"),
        Value::Integer(value) => write!(f, "{value}"),
        Value::Number(value) => write!(f, "{value}"),
        Value::String(text) => quoted(text, f),
        Value::Date(date) => write!(f, "{date}"),
        Value::Time(time) => write!(f, "{time}"),
        Value::DateTime(date_time) => write!(f, "{date_time}"),
        Value::Duration(duration) => write!(f, "{duration}"),
        Value::Bytes(bytes) => write!(f, "({} bytes)", bytes.len()),
        Value::List(_) | Value::Map(_) if levels == 0 => f.write_char('…'),
        Value::List(values) => {
            f.write_char('[')?;
            for (place, value) in values.iter().enumerate() {
                f.write_str(if place > 0 { ", " } else { "" })?;
                write(value, f, levels - 1)?;
            }
            f.write_char(']')
        }
        Value::Map(entries) => {
            f.write_char('{')?;
            for (place, (name, value)) in entries.iter().enumerate() {
                f.write_str(if place > 0 { ", " } else { "" })?;
                quoted(name, f)?;
                f.write_str(": ")?;
                write(value, f, levels - 1)?;
            }
            f.write_char('}')
        }
        Value::Null | Value::Declared(_) => f.write_str("null"),
    }
}

fn quoted(text: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.write_str(&serde_json::to_string(text).map_err(|_| fmt::Error)?)
}
