//! How `${...}` turns one type into another (Jakarta Expression Language 2.2 §1.18, as Camunda and Flowable have it).

use std::cmp::Ordering;

use potok_core::expressions::EvaluationError;
use potok_core::value::{Value, Zone};

use super::node::{Arithmetic, Comparison};

pub(crate) fn failed(message: impl Into<String>) -> EvaluationError {
    EvaluationError::Failed(message.into())
}

/// The value as text; null is empty.
pub(crate) fn text(value: &Value) -> String {
    match value.plain() {
        Value::Null => String::new(),
        Value::Number(number) => float_text(*number),
        other => other.to_string(),
    }
}

/// A floating point number as Java writes it: always with a point, huge and tiny ones with an exponent.
fn float_text(number: f64) -> String {
    if number == 0.0 || (1e-3..1e7).contains(&number.abs()) {
        return format!("{number:?}");
    }
    let text = format!("{number:E}");
    match text.split_once('E') {
        Some((digits, exponent)) if !digits.contains('.') => format!("{digits}.0E{exponent}"),
        _ => text,
    }
}

/// The value as a condition; null and empty text are false.
pub(crate) fn boolean(value: &Value) -> Result<bool, EvaluationError> {
    match value.plain() {
        Value::Boolean(value) => Ok(*value),
        Value::Null => Ok(false),
        Value::String(text) => Ok(text.eq_ignore_ascii_case("true")),
        other => Err(failed(format!("a {} is no condition; compare it with something", other.kind()))),
    }
}

/// A number on its way through arithmetic.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Number {
    Integer(i64),
    Float(f64),
}

impl Number {
    #[expect(clippy::cast_precision_loss, reason = "that is what mixing whole and floating numbers means")]
    pub(crate) fn float(self) -> f64 {
        match self {
            Self::Integer(value) => value as f64,
            Self::Float(value) => value,
        }
    }

    pub(crate) fn value(self) -> Value {
        match self {
            Self::Integer(value) => Value::Integer(value),
            Self::Float(value) => value.into(),
        }
    }
}

/// The value as a number; null and empty text are zero.
pub(crate) fn number(value: &Value) -> Result<Number, EvaluationError> {
    match value.plain() {
        Value::Null => Ok(Number::Integer(0)),
        Value::Integer(value) => Ok(Number::Integer(*value)),
        Value::Number(value) => Ok(Number::Float(*value)),
        Value::String(text) => number_in(text)
            .ok_or_else(|| failed(format!("`{text}` is no number; join texts by writing ${{a}}${{b}}, without `+`"))),
        other => Err(failed(format!("a {} is no number", other.kind()))),
    }
}

fn number_in(text: &str) -> Option<Number> {
    if text.is_empty() {
        return Some(Number::Integer(0));
    }
    if text.contains(['.', 'e', 'E']) {
        return text.trim().parse().ok().filter(|number: &f64| number.is_finite()).map(Number::Float);
    }
    text.parse().ok().map(Number::Integer)
}

fn is_float(value: &Value) -> bool {
    matches!(value.plain(), Value::Number(_))
}

fn is_integer(value: &Value) -> bool {
    matches!(value.plain(), Value::Integer(_))
}

fn is_text(value: &Value) -> bool {
    matches!(value.plain(), Value::String(_))
}

/// An arithmetic operator on two values.
pub(crate) fn arithmetic(operator: Arithmetic, left: &Value, right: &Value) -> Result<Value, EvaluationError> {
    if left.is_null() && right.is_null() {
        return Ok(Value::Integer(0));
    }
    let (left, right) = (number(left)?, number(right)?);
    let overflow = || failed("the number is too large");
    if let (Number::Integer(left), Number::Integer(right)) = (left, right) {
        let result = match operator {
            Arithmetic::Add => left.checked_add(right),
            Arithmetic::Subtract => left.checked_sub(right),
            Arithmetic::Multiply => left.checked_mul(right),
            Arithmetic::Remainder if right == 0 => return Err(failed("nothing can be divided by zero")),
            Arithmetic::Remainder => left.checked_rem(right),
            // Division is always one of floating numbers: 4 / 2 is 2.0.
            Arithmetic::Divide => {
                let quotient = Number::Integer(left).float() / Number::Integer(right).float();
                return finite(quotient);
            }
        };
        return result.map(Value::Integer).ok_or_else(overflow);
    }
    let (left, right) = (left.float(), right.float());
    finite(match operator {
        Arithmetic::Add => left + right,
        Arithmetic::Subtract => left - right,
        Arithmetic::Multiply => left * right,
        Arithmetic::Divide => left / right,
        Arithmetic::Remainder => left % right,
    })
}

fn finite(number: f64) -> Result<Value, EvaluationError> {
    if number.is_finite() {
        Ok(Value::Number(number))
    } else {
        Err(failed("the result is no finite number; is something divided by zero?"))
    }
}

/// A comparison of two values.
pub(crate) fn compare(comparison: Comparison, left: &Value, right: &Value) -> Result<bool, EvaluationError> {
    match comparison {
        Comparison::Equal => equal(left, right),
        Comparison::NotEqual => Ok(!equal(left, right)?),
        // Nothing is smaller or greater than null; null is only equal to itself.
        _ if left.is_null() && right.is_null() => {
            Ok(matches!(comparison, Comparison::LessOrEqual | Comparison::GreaterOrEqual))
        }
        _ if left.is_null() || right.is_null() => Ok(false),
        _ => Ok(holds(comparison, order(left, right)?)),
    }
}

/// Whether a comparison holds for an ordering.
#[inline]
pub(crate) fn holds(comparison: Comparison, ordering: Ordering) -> bool {
    match comparison {
        Comparison::Equal => ordering == Ordering::Equal,
        Comparison::NotEqual => ordering != Ordering::Equal,
        Comparison::Less => ordering == Ordering::Less,
        Comparison::LessOrEqual => ordering != Ordering::Greater,
        Comparison::Greater => ordering == Ordering::Greater,
        Comparison::GreaterOrEqual => ordering != Ordering::Less,
    }
}

/// Equality with the language's conversions.
pub(crate) fn equal(left: &Value, right: &Value) -> Result<bool, EvaluationError> {
    if left.is_null() || right.is_null() {
        return Ok(left.is_null() && right.is_null());
    }
    if is_float(left) || is_float(right) || is_integer(left) || is_integer(right) {
        return Ok(numeric_order(left, right)? == Ordering::Equal);
    }
    match (left.plain(), right.plain()) {
        (Value::Boolean(value), other) | (other, Value::Boolean(value)) => Ok(*value == boolean(other)?),
        _ if is_text(left) || is_text(right) => Ok(text(left) == text(right)),
        _ => Ok(left.loosely_equal(right)),
    }
}

fn numeric_order(left: &Value, right: &Value) -> Result<Ordering, EvaluationError> {
    // Beside a whole number, text must be one, too.
    if !is_float(left) && !is_float(right) {
        for side in [left, right] {
            if let Some(text) = side.as_str().filter(|text| !text.is_empty() && text.parse::<i64>().is_err()) {
                return Err(failed(format!("`{text}` is no whole number, as which it is compared here")));
            }
        }
    }
    match (number(left)?, number(right)?) {
        (Number::Integer(left), Number::Integer(right)) => Ok(left.cmp(&right)),
        (left, right) => Ok(left.float().total_cmp(&right.float())),
    }
}

fn order(left: &Value, right: &Value) -> Result<Ordering, EvaluationError> {
    if is_float(left) || is_float(right) || is_integer(left) || is_integer(right) {
        return numeric_order(left, right);
    }
    if is_text(left) || is_text(right) {
        return Ok(text(left).cmp(&text(right)));
    }
    match (left.plain(), right.plain()) {
        (Value::Boolean(left), Value::Boolean(right)) => Ok(left.cmp(right)),
        (Value::Date(left), Value::Date(right)) => Ok(left.cmp(right)),
        (Value::DateTime(left), Value::DateTime(right)) => {
            match (left.timestamp(&Zone::UTC), right.timestamp(&Zone::UTC)) {
                (Ok(left), Ok(right)) => Ok(left.cmp(&right)),
                _ => Ok(left.local.cmp(&right.local)),
            }
        }
        (left, right) => Err(failed(format!("a {} cannot be compared with a {}", left.kind(), right.kind()))),
    }
}

/// What `empty` says.
pub(crate) fn empty(value: &Value) -> bool {
    match value.plain() {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::List(items) => items.is_empty(),
        Value::Map(entries) => entries.is_empty(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_are_written_as_java_writes_them() {
        for (number, text) in [(5.0, "5.0"), (0.5, "0.5"), (1e7, "1.0E7"), (1.25e-4, "1.25E-4"), (0.0, "0.0")] {
            assert_eq!(float_text(number), text);
        }
    }
}
