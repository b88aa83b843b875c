//! When two values mean the same.

use super::{Value, limit::MAXIMUM_DEPTH};

impl Value {
    /// Whether both mean the same, whatever way they came: `1` and `1.0` do, a value and the same value with a
    /// declared type, and dates and times with zones that name the same moment. This is how correlation compares.
    #[must_use]
    pub fn loosely_equal(&self, other: &Self) -> bool {
        equal(self, other, MAXIMUM_DEPTH)
    }
}

fn equal(left: &Value, right: &Value, levels: usize) -> bool {
    match (left.plain(), right.plain()) {
        (Value::Integer(whole), number @ Value::Number(_)) | (number @ Value::Number(_), Value::Integer(whole)) => {
            number.as_i64() == Some(*whole)
        }
        (Value::DateTime(left), Value::DateTime(right)) => match (&left.zone, &right.zone) {
            (Some(left_zone), Some(right_zone)) => match (left.timestamp(left_zone), right.timestamp(right_zone)) {
                (Ok(left), Ok(right)) => left == right,
                _ => left == right,
            },
            _ => left == right,
        },
        (Value::List(left), Value::List(right)) => {
            let mut pairs = left.iter().zip(right.iter());
            left.len() == right.len() && levels > 0 && pairs.all(|(left, right)| equal(left, right, levels - 1))
        }
        (Value::Map(left), Value::Map(right)) => {
            let mut pairs = left.iter().zip(right.iter());
            left.len() == right.len()
                && levels > 0
                && pairs.all(|(left, right)| left.0 == right.0 && equal(left.1, right.1, levels - 1))
        }
        (left, right) => left == right,
    }
}
