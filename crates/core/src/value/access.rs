//! Looking into values. A declared type never stands in the way.

use std::collections::BTreeMap;

use super::Value;
use crate::Name;

/// Whole numbers up to here are exact as floating point, and from here on neighbours share one.
const EXACT: f64 = 9_007_199_254_740_992.0;

impl Value {
    /// Whether it is nothing.
    #[must_use]
    pub fn is_null(&self) -> bool {
        matches!(self.plain(), Self::Null)
    }

    /// The text, if it is text.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match self.plain() {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// The truth value, if it is one.
    #[must_use]
    pub fn as_bool(&self) -> Option<bool> {
        match self.plain() {
            Self::Boolean(value) => Some(*value),
            _ => None,
        }
    }

    /// The whole number, if it is one; `2.0` is.
    #[must_use]
    pub fn as_i64(&self) -> Option<i64> {
        match self.plain() {
            Self::Integer(value) => Some(*value),
            #[expect(clippy::cast_possible_truncation, reason = "whole, and within the exact range")]
            Self::Number(value) if value.fract() == 0.0 && value.abs() <= EXACT => Some(*value as i64),
            _ => None,
        }
    }

    /// The number, if it is one.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "this is what asking for a float means")]
    pub fn as_f64(&self) -> Option<f64> {
        match self.plain() {
            Self::Integer(value) => Some(*value as f64),
            Self::Number(value) => Some(*value),
            _ => None,
        }
    }

    /// The list's values, if it is a list.
    #[must_use]
    pub fn as_list(&self) -> Option<&[Value]> {
        match self.plain() {
            Self::List(values) => Some(values),
            _ => None,
        }
    }

    /// The map's entries, if it is a map.
    #[must_use]
    pub fn as_map(&self) -> Option<&BTreeMap<Name, Value>> {
        match self.plain() {
            Self::Map(entries) => Some(entries),
            _ => None,
        }
    }

    /// The bytes, if it is binary.
    #[must_use]
    pub fn as_bytes(&self) -> Option<&[u8]> {
        match self.plain() {
            Self::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// The entry of that name, if it is a map that has one.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&Value> {
        self.as_map()?.get(name)
    }

    /// What stands at a path: names and list places (from 0) between dots.
    ///
    /// ```
    /// use potok_core::value::Value;
    ///
    /// let order: Value = [("lines", Value::from(vec![[("price", 5)].into_iter().collect()]))].into_iter().collect();
    /// assert_eq!(order.get("lines.0.price"), Some(&Value::Integer(5)));
    /// assert_eq!(order.get("lines.1.price"), None);
    /// ```
    #[must_use]
    pub fn get(&self, path: &str) -> Option<&Value> {
        path.split('.').try_fold(self, |value, step| match value.plain() {
            Self::Map(entries) => entries.get(step),
            Self::List(values) => values.get(step.parse::<usize>().ok()?),
            _ => None,
        })
    }
}
