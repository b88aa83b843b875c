//! Values as plain JSON and back.

use std::collections::BTreeMap;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Number, Value as Json};

use super::Value;
use super::limit::{MAXIMUM_BYTES, MAXIMUM_DEPTH, MAXIMUM_PARTS, ValueError};

impl Value {
    /// Takes a value out of JSON. Whole numbers of 64 bits stay exact, other numbers are floating point; text stays
    /// text, whatever it looks like.
    ///
    /// ```
    /// use potok_core::value::Value;
    ///
    /// let value = Value::from_json(serde_json::json!({"amount": 12, "rate": 0.5}))?;
    /// assert_eq!(value.get("amount"), Some(&Value::Integer(12)));
    /// assert_eq!(value.to_string(), r#"{"amount": 12, "rate": 0.5}"#);
    /// # Ok::<(), potok_core::value::ValueError>(())
    /// ```
    ///
    /// # Errors
    /// If it is nested deeper than [`super::MAXIMUM_DEPTH`] levels, or has too many parts.
    pub fn from_json(json: Json) -> Result<Self, ValueError> {
        // Measured before anything is made of it: what is too deep must not even be dropped by recursion.
        match measure(&json) {
            Ok(()) => Ok(from_json(json)),
            Err(error) => {
                dismantle(json);
                Err(error)
            }
        }
    }

    /// The value as JSON: dates, times and durations as ISO 8601 text, bytes as base64 text, without declared types.
    /// What lies deeper than [`super::MAXIMUM_DEPTH`] levels is left out.
    #[must_use]
    pub fn to_json(&self) -> Json {
        to_json(self, MAXIMUM_DEPTH)
    }
}

fn measure(json: &Json) -> Result<(), ValueError> {
    let mut open = vec![(json, 0)];
    let mut parts = 0_usize;
    while let Some((json, depth)) = open.pop() {
        parts += 1;
        if depth == MAXIMUM_DEPTH && (json.is_array() || json.is_object()) {
            return Err(ValueError::TooDeep { limit: MAXIMUM_DEPTH });
        }
        match json {
            Json::Array(values) => open.extend(values.iter().map(|value| (value, depth + 1))),
            Json::Object(entries) => open.extend(entries.values().map(|value| (value, depth + 1))),
            _ => {}
        }
        if parts > MAXIMUM_PARTS {
            return Err(ValueError::TooLarge { limit: MAXIMUM_BYTES });
        }
    }
    Ok(())
}

/// Drops JSON level by level.
fn dismantle(json: Json) {
    let mut open = vec![json];
    while let Some(json) = open.pop() {
        match json {
            Json::Array(values) => open.extend(values),
            Json::Object(entries) => open.extend(entries.into_iter().map(|(_, value)| value)),
            _ => {}
        }
    }
}

fn from_json(json: Json) -> Value {
    match json {
        Json::Null => Value::Null,
        Json::Bool(value) => Value::Boolean(value),
        Json::Number(number) => match number.as_i64() {
            Some(whole) => Value::Integer(whole),
            None => number.as_f64().into(),
        },
        Json::String(text) => text.into(),
        Json::Array(values) => values.into_iter().map(from_json).collect(),
        Json::Object(entries) => {
            let entries = entries.into_iter().map(|(name, value)| (name.into(), from_json(value)));
            Value::Map(Arc::new(entries.collect::<BTreeMap<_, _>>()))
        }
    }
}

fn to_json(value: &Value, levels: usize) -> Json {
    match value.plain() {
        Value::Boolean(value) => Json::Bool(*value),
        Value::Integer(value) => Json::Number((*value).into()),
        Value::Number(value) => Number::from_f64(*value).map_or(Json::Null, Json::Number),
        Value::String(text) => Json::String(text.to_string()),
        Value::Date(date) => Json::String(date.to_string()),
        Value::Time(time) => Json::String(time.to_string()),
        Value::DateTime(date_time) => Json::String(date_time.to_string()),
        Value::Duration(duration) => Json::String(duration.to_string()),
        Value::Bytes(bytes) => Json::String(STANDARD.encode(bytes)),
        Value::List(values) if levels > 0 => {
            Json::Array(values.iter().map(|value| to_json(value, levels - 1)).collect())
        }
        Value::Map(entries) if levels > 0 => {
            let entries = entries.iter().map(|(name, value)| (name.to_string(), to_json(value, levels - 1)));
            Json::Object(entries.collect::<Map<_, _>>())
        }
        Value::Null | Value::List(_) | Value::Map(_) | Value::Declared(_) => Json::Null,
    }
}
