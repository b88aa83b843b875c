//! Evaluating the tree.

use std::borrow::Cow;

use potok_core::Name;
use potok_core::expressions::{Evaluation, EvaluationError, Quick, Sight};
use potok_core::value::{DateTime, Value};

use super::coerce::{self, failed};
use super::method;
use super::node::{Comparison, Function, Node};
use crate::variables::{has, read};

type Outcome = Result<Value, EvaluationError>;

fn variable(evaluation: &Evaluation<'_>, name: &Name) -> Outcome {
    read(evaluation, name).map(Cow::into_owned).ok_or_else(|| EvaluationError::UnknownVariable(name.clone()))
}

impl Node {
    /// The value, or the error that Camunda would raise, too.
    pub(crate) fn evaluate(&self, evaluation: &mut Evaluation<'_>) -> Outcome {
        match self {
            Self::Constant(value) => Ok(value.clone()),
            Self::Variable(name) => variable(evaluation, name),
            Self::Property { base, index, written } => {
                let base = base.evaluate(evaluation)?;
                // As in the Unified Expression Language, a property of null is null; only calling a method of null is an error.
                if base.is_null() {
                    return Ok(Value::Null);
                }
                let index = index.evaluate(evaluation)?;
                property(&base, &index, written)
            }
            Self::Call { base: called_on, method, arguments, written } => {
                let base = called_on.evaluate(evaluation)?;
                if base.is_null() {
                    // What a method has given is a null of JSON, such as `S(json).prop('x')`, and not Java's.
                    let of_json = matches!(**called_on, Self::Call { .. });
                    let answer = method::call_on_json_null(*method).filter(|_| of_json);
                    return answer.ok_or_else(|| null_base(written));
                }
                let arguments = all(arguments, evaluation)?;
                method::call(*method, &base, &arguments)
            }
            Self::Context { member, arguments } => {
                let arguments = all(arguments, evaluation)?;
                member.evaluate(&arguments, evaluation)
            }
            Self::Function { function, arguments } => {
                let arguments = all(arguments, evaluation)?;
                call(*function, &arguments, evaluation)
            }
            Self::Negate(inner) => {
                let value = inner.evaluate(evaluation)?;
                match coerce::number(&value)? {
                    coerce::Number::Integer(number) => {
                        number.checked_neg().map(Value::Integer).ok_or_else(|| failed("the number is too large"))
                    }
                    coerce::Number::Float(number) => Ok(Value::Number(-number)),
                }
            }
            Self::Arithmetic(operator, sides) => {
                let left = sides.0.evaluate(evaluation)?;
                let right = sides.1.evaluate(evaluation)?;
                coerce::arithmetic(*operator, &left, &right)
            }
            Self::Choice(parts) => {
                let chosen = if parts.0.condition(evaluation)? { &parts.1 } else { &parts.2 };
                chosen.evaluate(evaluation)
            }
            _ => Ok(Value::Boolean(self.condition(evaluation)?)),
        }
    }

    /// The value of a variable or constant that is a whole number.
    fn integer(&self, sight: Sight<'_>) -> Option<i64> {
        match self {
            Self::Constant(Value::Integer(value)) => Some(*value),
            Self::Variable(name) => match sight.lend(name) {
                Some(Value::Integer(value)) => Some(*value),
                _ => None,
            },
            _ => None,
        }
    }

    /// Whether a comparison of a variable with a constant holds.
    fn holds_at_once(&self, sight: Sight<'_>) -> Option<bool> {
        match self {
            Self::CompareInteger(comparison, name, number) => match sight.lend(name) {
                Some(Value::Integer(value)) => Some(coerce::holds(*comparison, value.cmp(number))),
                _ => None,
            },
            Self::EqualsText { name, text, equal } => match sight.lend(name) {
                Some(Value::String(value)) => Some((value == text) == *equal),
                _ => None,
            },
            Self::Not(inner) => inner.holds_at_once(sight).map(|holds| !holds),
            Self::And(sides) => Some(sides.0.holds_at_once(sight)? && sides.1.holds_at_once(sight)?),
            Self::Or(sides) => Some(sides.0.holds_at_once(sight)? || sides.1.holds_at_once(sight)?),
            _ => None,
        }
    }

    /// The value, if it is a plain condition or a sum.
    pub(crate) fn quick(&self, sight: Sight<'_>) -> Option<Quick> {
        match self {
            Self::Arithmetic(operator, sides) => {
                let (left, right) = (sides.0.integer(sight)?, sides.1.integer(sight)?);
                operator.of_integers(left, right).map(Quick::Integer)
            }
            condition => condition.holds_at_once(sight).map(Quick::Boolean),
        }
    }

    /// The value as a condition.
    fn condition(&self, evaluation: &mut Evaluation<'_>) -> Result<bool, EvaluationError> {
        match self {
            Self::CompareInteger(comparison, name, number) => match read(evaluation, name).as_deref() {
                Some(Value::Integer(value)) => Ok(coerce::holds(*comparison, value.cmp(number))),
                Some(value) => coerce::compare(*comparison, value, &Value::Integer(*number)),
                None => variable(evaluation, name).map(|_| false),
            },
            Self::EqualsText { name, text, equal } => match read(evaluation, name).as_deref() {
                Some(Value::String(value)) => Ok((value == text) == *equal),
                Some(value) => Ok(coerce::equal(value, &Value::String(text.clone()))? == *equal),
                None => variable(evaluation, name).map(|_| false),
            },
            Self::Not(inner) => Ok(!inner.condition(evaluation)?),
            Self::And(sides) => Ok(sides.0.condition(evaluation)? && sides.1.condition(evaluation)?),
            Self::Or(sides) => Ok(sides.0.condition(evaluation)? || sides.1.condition(evaluation)?),
            Self::Empty(inner) => Ok(coerce::empty(&inner.evaluate(evaluation)?)),
            Self::Compare(comparison, sides) => {
                let left = sides.0.evaluate(evaluation)?;
                let right = sides.1.evaluate(evaluation)?;
                coerce::compare(*comparison, &left, &right)
            }
            other => coerce::boolean(&other.evaluate(evaluation)?),
        }
    }
}

fn all(nodes: &[Node], evaluation: &mut Evaluation<'_>) -> Result<Vec<Value>, EvaluationError> {
    nodes.iter().map(|node| node.evaluate(evaluation)).collect()
}

fn null_base(written: &str) -> EvaluationError {
    failed(format!("`{written}` is null, so that it has no methods; ask before: ${{{written} != null && ...}}"))
}

fn property(base: &Value, index: &Value, written: &str) -> Outcome {
    match base.plain() {
        Value::Map(entries) => Ok(entries.get(&*coerce::text(index)).cloned().unwrap_or_default()),
        Value::List(items) => match (index.plain(), coerce::number(index)) {
            // A number's fraction is cut off; a text must be a whole number.
            (Value::Number(_), _) | (_, Ok(coerce::Number::Integer(_))) => {
                let place = method::integer(index)?;
                Ok(usize::try_from(place).ok().and_then(|place| items.get(place)).cloned().unwrap_or_default())
            }
            _ => Err(failed(format!(
                "`{written}` is a list; an element is written {written}[0], its length {written}.size()"
            ))),
        },
        Value::String(text) if index.as_str() == Some("empty") => Ok(text.is_empty().into()),
        Value::DateTime(_) if index.as_str() == Some("time") => method::call(method::Method::Milliseconds, base, &[]),
        other => Err(failed(format!(
            "Could not find property {} in {}: `{written}` is a {}",
            coerce::text(index),
            written,
            other.kind()
        ))),
    }
}

fn call(function: Function, arguments: &[Value], evaluation: &mut Evaluation<'_>) -> Outcome {
    let first = arguments.first().cloned().unwrap_or_default();
    let named = || read(evaluation, &coerce::text(&first)).map(Cow::into_owned);
    let rest = arguments.get(1..).unwrap_or_default();
    let contains = |wanted: &Value| match named() {
        Some(value) if value.as_list().is_some() || value.as_str().is_some() => {
            method::call(method::Method::Contains, &value, std::slice::from_ref(wanted))
        }
        _ => Ok(false.into()),
    };
    match function {
        Function::Now => Ok(DateTime::utc(evaluation.now).into()),
        Function::Json => match first.plain() {
            Value::String(text) => method::parse_json(text),
            _ => Ok(first),
        },
        Function::Exists => Ok(has(evaluation, &coerce::text(&first)).into()),
        Function::Get => Ok(named().unwrap_or_default()),
        Function::GetOrDefault => {
            Ok(named().filter(|value| !value.is_null()).or(rest.first().cloned()).unwrap_or_default())
        }
        Function::IsEmpty => Ok(coerce::empty(&named().unwrap_or_default()).into()),
        Function::IsNotEmpty => Ok((!coerce::empty(&named().unwrap_or_default())).into()),
        Function::Compare(comparison) => {
            let (value, other) = (named().unwrap_or_default(), rest.first().cloned().unwrap_or_default());
            let null = value.is_null() && comparison != Comparison::NotEqual && !other.is_null();
            Ok((!null && coerce::compare(comparison, &value, &other)?).into())
        }
        Function::ContainsAll => {
            for wanted in rest {
                if contains(wanted)? != Value::Boolean(true) {
                    return Ok(false.into());
                }
            }
            Ok(true.into())
        }
        Function::ContainsAny => {
            for wanted in rest {
                if contains(wanted)? == Value::Boolean(true) {
                    return Ok(true.into());
                }
            }
            Ok(false.into())
        }
    }
}
