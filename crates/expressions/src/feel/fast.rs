//! The plain conditions and sums that most models are made of, evaluated without the library.
//!
//! The library decides what is valid; this only evaluates a tree that it has parsed. Whatever it would do differently,
//! or what is not plain (dates, lists, rounding), gives [`Fallback`] and goes to the library. A property test compares
//! both.

use std::borrow::Cow;
use std::cmp::Ordering;

use potok_core::Name;
use potok_core::expressions::{Evaluation, Quick, Sight};
use potok_core::value::Value;

use super::exact::Exact;
use crate::variables::{has, read};

/// The library has to evaluate this one.
#[derive(Debug)]
pub(crate) struct Fallback;

/// Whole numbers below this add and multiply exactly, whoever computes.
const SMALL: u64 = 1_000_000_000;

type Outcome<T> = Result<T, Fallback>;

/// A plain expression.
#[derive(Debug)]
pub(crate) enum Fast {
    Constant(Constant),
    /// A variable; it is left to the library if absent and `built_in`, for then its name means a function.
    Variable {
        name: Name,
        built_in: bool,
    },
    Path(Name, Vec<Name>),
    Has(Name),
    Arithmetic(Arithmetic, Box<(Fast, Fast)>),
    Negate(Box<Fast>),
    Compare(Comparison, Box<(Fast, Fast)>),
    /// `variable < 5`: the most common condition of all.
    CompareInteger {
        comparison: Comparison,
        name: Name,
        built_in: bool,
        number: i64,
    },
    /// `variable = "text"`, and not equal.
    EqualsText {
        name: Name,
        built_in: bool,
        text: Name,
        equal: bool,
    },
    And(Box<(Fast, Fast)>),
    Or(Box<(Fast, Fast)>),
    Not(Box<Fast>),
    If(Box<(Fast, Fast, Fast)>),
    In {
        value: Box<Fast>,
        tests: Vec<Test>,
        single: bool,
    },
}

#[derive(Debug)]
pub(crate) enum Constant {
    Null,
    Boolean(bool),
    Number(Exact),
    Text(Name),
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
}

impl Arithmetic {
    #[inline]
    fn of_integers(self, left: i64, right: i64) -> Option<i64> {
        match self {
            Self::Add => left.checked_add(right),
            Self::Subtract => left.checked_sub(right),
            Self::Multiply => left.checked_mul(right),
            Self::Divide => None,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// One of the tests right of `in`.
#[derive(Debug)]
pub(crate) enum Test {
    Equal(Constant),
    Compare(Comparison, Constant),
    Between { start: Constant, start_closed: bool, end: Constant, end_closed: bool },
}

/// A value on its way through an expression.
enum Term<'a> {
    Null,
    Boolean(bool),
    Number(Exact),
    Text(Name),
    Literal(&'a str),
    Other(Value),
}

impl Term<'_> {
    fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Literal(text) => Some(text),
            _ => None,
        }
    }
}

impl Constant {
    #[inline]
    fn term(&self) -> Term<'_> {
        match self {
            Self::Null => Term::Null,
            Self::Boolean(value) => Term::Boolean(*value),
            Self::Number(value) => Term::Number(*value),
            Self::Text(text) => Term::Literal(text),
        }
    }
}

#[inline]
fn term(value: Option<Cow<'_, Value>>) -> Outcome<Term<'_>> {
    match value {
        None => Ok(Term::Null),
        Some(Cow::Borrowed(value)) => borrowed(value.plain()),
        Some(Cow::Owned(Value::String(text))) => Ok(Term::Text(text)),
        Some(Cow::Owned(value)) => Ok(match borrowed(value.plain())? {
            Term::Null => Term::Null,
            Term::Boolean(value) => Term::Boolean(value),
            Term::Number(number) => Term::Number(number),
            Term::Text(text) => Term::Text(text),
            Term::Literal(text) => Term::Text(text.into()),
            Term::Other(value) => Term::Other(value),
        }),
    }
}

#[inline]
fn borrowed(value: &Value) -> Outcome<Term<'_>> {
    Ok(match value {
        Value::Integer(value) => Term::Number((*value).into()),
        Value::Boolean(value) => Term::Boolean(*value),
        Value::String(text) => Term::Literal(text),
        Value::Null => Term::Null,
        Value::Number(value) => Term::Number(Exact::from_float(*value).ok_or(Fallback)?),
        other => Term::Other(other.clone()),
    })
}

impl Comparison {
    #[inline]
    fn holds(self, ordering: Ordering) -> bool {
        match self {
            Self::Equal => ordering == Ordering::Equal,
            Self::NotEqual => ordering != Ordering::Equal,
            Self::Less => ordering == Ordering::Less,
            Self::LessOrEqual => ordering != Ordering::Greater,
            Self::Greater => ordering == Ordering::Greater,
            Self::GreaterOrEqual => ordering != Ordering::Less,
        }
    }

    pub(super) fn mirrored(self) -> Self {
        match self {
            Self::Less => Self::Greater,
            Self::LessOrEqual => Self::GreaterOrEqual,
            Self::Greater => Self::Less,
            Self::GreaterOrEqual => Self::LessOrEqual,
            same => same,
        }
    }

    /// FEEL's comparison; `None` is null.
    #[inline]
    fn compare(self, left: &Term<'_>, right: &Term<'_>) -> Outcome<Option<bool>> {
        if let (Term::Number(left), Term::Number(right)) = (left, right) {
            return Ok(Some(self.holds(left.compare(*right))));
        }
        if let (Some(left), Some(right)) = (left.text(), right.text()) {
            return Ok(Some(self.holds(left.cmp(right))));
        }
        let equality = matches!(self, Self::Equal | Self::NotEqual);
        Ok(match (left, right) {
            (Term::Other(_), Term::Other(_)) => return Err(Fallback),
            _ if !equality => None,
            (Term::Boolean(left), Term::Boolean(right)) => Some(self.holds(left.cmp(right))),
            (Term::Null, Term::Null) => Some(self == Self::Equal),
            (Term::Null, _) | (_, Term::Null) => Some(self == Self::NotEqual),
            _ => None,
        })
    }
}

fn logical(value: Option<bool>) -> Term<'static> {
    value.map_or(Term::Null, Term::Boolean)
}

impl Fast {
    /// The expression's value.
    pub(crate) fn value(&self, evaluation: &Evaluation<'_>) -> Outcome<Value> {
        match self {
            Self::Variable { name, built_in } => match read(evaluation, name) {
                None if *built_in => Err(Fallback),
                value => Ok(value.map_or(Value::Null, Cow::into_owned)),
            },
            Self::Path(name, entries) => path(evaluation, name, entries),
            Self::If(parts) => match parts.0.term(evaluation)? {
                Term::Boolean(true) => parts.1.value(evaluation),
                Term::Boolean(false) | Term::Null => parts.2.value(evaluation),
                _ => Ok(Value::Null),
            },
            _ => Ok(match self.term(evaluation)? {
                Term::Null => Value::Null,
                Term::Boolean(value) => Value::Boolean(value),
                Term::Number(number) => number.value().ok_or(Fallback)?,
                Term::Text(text) => Value::String(text),
                Term::Literal(text) => text.into(),
                Term::Other(value) => value,
            }),
        }
    }

    /// The value of a variable or constant that is a small whole number.
    fn integer(&self, sight: Sight<'_>) -> Option<i64> {
        let value = match self {
            Self::Constant(Constant::Number(number)) => number.integer()?,
            Self::Variable { name, .. } => match sight.lend(name) {
                Some(Value::Integer(value)) => *value,
                _ => return None,
            },
            _ => return None,
        };
        (value.unsigned_abs() < SMALL).then_some(value)
    }

    /// Whether a condition of the most common kinds holds.
    fn holds_at_once(&self, sight: Sight<'_>) -> Option<bool> {
        match self {
            Self::CompareInteger { comparison, name, number, .. } => match sight.lend(name) {
                Some(Value::Integer(value)) => Some(comparison.holds(value.cmp(number))),
                _ => None,
            },
            Self::EqualsText { name, text, equal, .. } => match sight.lend(name) {
                Some(Value::String(value)) => Some((value == text) == *equal),
                _ => None,
            },
            Self::Not(inner) => inner.holds_at_once(sight).map(|holds| !holds),
            Self::And(sides) => Some(sides.0.holds_at_once(sight)? && sides.1.holds_at_once(sight)?),
            Self::Or(sides) => Some(sides.0.holds_at_once(sight)? || sides.1.holds_at_once(sight)?),
            _ => None,
        }
    }

    /// The value, if it is a plain condition or a small sum.
    pub(crate) fn quick(&self, sight: Sight<'_>) -> Option<Quick> {
        match self {
            Self::Arithmetic(operator, sides) => {
                let (left, right) = (sides.0.integer(sight)?, sides.1.integer(sight)?);
                operator.of_integers(left, right).map(Quick::Integer)
            }
            condition => condition.holds_at_once(sight).map(Quick::Boolean),
        }
    }

    #[inline]
    fn boolean(&self, evaluation: &Evaluation<'_>) -> Outcome<Option<bool>> {
        Ok(match self.term(evaluation)? {
            Term::Boolean(value) => Some(value),
            _ => None,
        })
    }

    fn term<'e>(&'e self, evaluation: &'e Evaluation<'_>) -> Outcome<Term<'e>> {
        match self {
            Self::CompareInteger { comparison, name, built_in, number } => match read(evaluation, name) {
                None if *built_in => Err(Fallback),
                value => comparison.compare(&term(value)?, &Term::Number((*number).into())).map(logical),
            },
            Self::EqualsText { name, built_in, text, equal } => match read(evaluation, name) {
                None if *built_in => Err(Fallback),
                value => {
                    let comparison = if *equal { Comparison::Equal } else { Comparison::NotEqual };
                    comparison.compare(&term(value)?, &Term::Literal(text)).map(logical)
                }
            },
            Self::Constant(constant) => Ok(constant.term()),
            Self::Variable { name, built_in } => match read(evaluation, name) {
                None if *built_in => Err(Fallback),
                value => term(value),
            },
            Self::Path(name, entries) => term(Some(Cow::Owned(path(evaluation, name, entries)?))),
            Self::Has(name) => Ok(Term::Boolean(has(evaluation, name))),
            Self::Arithmetic(operator, sides) => {
                arithmetic(*operator, sides.0.term(evaluation)?, sides.1.term(evaluation)?)
            }
            Self::Negate(inner) => match inner.term(evaluation)? {
                Term::Number(number) => number.negate().map(Term::Number).ok_or(Fallback),
                Term::Other(_) => Err(Fallback),
                _ => Ok(Term::Null),
            },
            Self::Compare(comparison, sides) => {
                comparison.compare(&sides.0.term(evaluation)?, &sides.1.term(evaluation)?).map(logical)
            }
            Self::And(sides) => match sides.0.boolean(evaluation)? {
                Some(false) => Ok(Term::Boolean(false)),
                left => match sides.1.boolean(evaluation)? {
                    Some(false) => Ok(Term::Boolean(false)),
                    right => Ok(logical(left.and(right))),
                },
            },
            Self::Or(sides) => match sides.0.boolean(evaluation)? {
                Some(true) => Ok(Term::Boolean(true)),
                left => match sides.1.boolean(evaluation)? {
                    Some(true) => Ok(Term::Boolean(true)),
                    right => Ok(logical(left.and(right))),
                },
            },
            Self::Not(inner) => Ok(logical(inner.boolean(evaluation)?.map(|value| !value))),
            Self::If(parts) => match parts.0.term(evaluation)? {
                Term::Boolean(true) => parts.1.term(evaluation),
                Term::Boolean(false) | Term::Null => parts.2.term(evaluation),
                _ => Ok(Term::Null),
            },
            Self::In { value, tests, single } => contained(&value.term(evaluation)?, tests, *single),
        }
    }
}

fn path(evaluation: &Evaluation<'_>, name: &Name, entries: &[Name]) -> Outcome<Value> {
    let Some(root) = read(evaluation, name) else { return Ok(Value::Null) };
    let mut value = &*root;
    for entry in entries {
        match value.plain() {
            Value::Map(map) => match map.get(entry) {
                Some(inner) => value = inner,
                None => return Ok(Value::Null),
            },
            Value::Null => return Ok(Value::Null),
            // Lists give a list, dates have properties.
            _ => return Err(Fallback),
        }
    }
    Ok(value.clone())
}

fn arithmetic<'a>(operator: Arithmetic, left: Term<'a>, right: Term<'a>) -> Outcome<Term<'a>> {
    if let (Term::Number(left), Term::Number(right)) = (&left, &right) {
        let result = match operator {
            Arithmetic::Add => left.add(*right),
            Arithmetic::Subtract => left.subtract(*right),
            Arithmetic::Multiply => left.multiply(*right),
            Arithmetic::Divide if right.is_zero() => return Ok(Term::Null),
            Arithmetic::Divide => left.divide(*right),
        };
        return result.map(Term::Number).ok_or(Fallback);
    }
    match (operator, &left, &right) {
        (_, Term::Other(_), _) | (_, _, Term::Other(_)) => Err(Fallback),
        (Arithmetic::Add, left, right) => Ok(match (left.text(), right.text()) {
            (Some(left), Some(right)) => Term::Text([left, right].concat().into()),
            _ => Term::Null,
        }),
        _ => Ok(Term::Null),
    }
}

fn contained<'a>(value: &Term<'_>, tests: &[Test], single: bool) -> Outcome<Term<'a>> {
    if matches!(value, Term::Other(_)) {
        return Err(Fallback);
    }
    for test in tests {
        let outcome = match test {
            Test::Equal(constant) => Some(Comparison::Equal.compare(value, &constant.term())? == Some(true)),
            Test::Compare(comparison, constant) => comparison.compare(value, &constant.term())?,
            Test::Between { start, start_closed, end, end_closed } => {
                let low = if *start_closed { Comparison::GreaterOrEqual } else { Comparison::Greater };
                let high = if *end_closed { Comparison::LessOrEqual } else { Comparison::Less };
                match (low.compare(value, &start.term())?, high.compare(value, &end.term())?) {
                    (Some(low), Some(high)) => Some(low && high),
                    _ => None,
                }
            }
        };
        if single {
            return Ok(logical(outcome));
        }
        if outcome == Some(true) {
            return Ok(Term::Boolean(true));
        }
    }
    Ok(Term::Boolean(false))
}
