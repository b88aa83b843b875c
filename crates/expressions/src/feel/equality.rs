//! `=` and `!=` as the standard has them (DMN 1.5 §10.3.2.13, Table 53): null equals null and nothing else, on whichever side it stands.
//! The library knows that only of the right side, and compares with a null on the left to null.

use dsntk_feel::values::Value as FeelValue;
use dsntk_feel_evaluator::evaluate_equals;

use super::natives::null;

/// Whether two values are equal.
pub(crate) fn equal(arguments: &[FeelValue]) -> FeelValue {
    logical(compare(&arguments[0], &arguments[1]))
}

/// Whether they are not.
pub(crate) fn unequal(arguments: &[FeelValue]) -> FeelValue {
    logical(compare(&arguments[0], &arguments[1]).map(|equal| !equal))
}

fn logical(answer: Option<bool>) -> FeelValue {
    answer.map_or_else(|| null("values of different types cannot be compared"), FeelValue::Boolean)
}

/// None for values that cannot be compared.
fn compare(left: &FeelValue, right: &FeelValue) -> Option<bool> {
    use FeelValue as V;
    match (left, right) {
        // An argument that is not of its parameter's type has become a null of its own kind (DMN 1.5 §10.3.2.9.4).
        (V::Null(_), V::Null(_)) => (left.is_invalid_coercion() == right.is_invalid_coercion()).then_some(true),
        (V::Null(_), _) | (_, V::Null(_)) => Some(false),
        (V::List(left), V::List(right)) => {
            let same = left.len() == right.len();
            Some(same && left.iter().zip(right).all(|(left, right)| compare(left, right) == Some(true)))
        }
        (V::Context(left), V::Context(right)) => {
            if left.len() != right.len() {
                return Some(false);
            }
            for (key, value) in left.iter() {
                let answer = right.get_entry(key).map_or(Some(false), |other| compare(value, other));
                if answer != Some(true) {
                    return answer;
                }
            }
            Some(true)
        }
        (left, right) if is_plain(left) && std::mem::discriminant(left) == std::mem::discriminant(right) => {
            Some(evaluate_equals(left, right))
        }
        // The library writes one range in several ways.
        (left, right) => (is_range(left) && is_range(right)).then(|| evaluate_equals(left, right)),
    }
}

fn is_plain(value: &FeelValue) -> bool {
    use FeelValue as V;
    matches!(
        value,
        V::Boolean(_)
            | V::Number(_)
            | V::String(_)
            | V::Date(_)
            | V::Time(_)
            | V::DateTime(_)
            | V::DaysAndTimeDuration(_)
            | V::YearsAndMonthsDuration(_)
    )
}

fn is_range(value: &FeelValue) -> bool {
    use FeelValue as V;
    matches!(
        value,
        V::Range(..)
            | V::UnaryEqual(_)
            | V::UnaryNotEqual(_)
            | V::UnaryLess(_)
            | V::UnaryLessOrEqual(_)
            | V::UnaryGreater(_)
            | V::UnaryGreaterOrEqual(_)
    )
}
