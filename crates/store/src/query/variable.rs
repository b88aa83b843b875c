//! Filters on variables.

use potok_core::Name;

use crate::cell::Field;
use crate::record::{Record, Table};
use crate::row::{TaskVariable, Variable, VariableKind};
use crate::select::{Filter, Operator};

/// What a variable is compared with.
#[derive(Clone, Debug, PartialEq)]
pub enum VariableValue {
    /// Nothing.
    Null,
    /// A boolean.
    Boolean(bool),
    /// A number.
    Number(f64),
    /// Text, or a date, time or duration in ISO 8601.
    Text(Name),
}

/// How a variable is compared. A variable of another kind than the value is neither less nor greater.
#[derive(Clone, Debug, PartialEq)]
pub enum Comparison {
    /// It is this.
    Equal(VariableValue),
    /// It is there and not this.
    NotEqual(VariableValue),
    /// It is less.
    Less(VariableValue),
    /// It is less, or this.
    LessOrEqual(VariableValue),
    /// It is greater.
    Greater(VariableValue),
    /// It is greater, or this.
    GreaterOrEqual(VariableValue),
    /// It is text that matches: `%` stands for any text, `_` for one character, `\` takes the next one literally.
    Like(String),
    /// It is one of these.
    In(Vec<VariableValue>),
}

/// A filter on a variable.
#[derive(Clone, Debug, PartialEq)]
pub struct VariableFilter {
    /// The variable's name.
    pub name: Name,
    /// How it is compared.
    pub comparison: Comparison,
}

impl VariableFilter {
    /// Instances in a column have such a variable.
    pub(crate) fn filter(&self, on: &'static [(&'static str, &'static str)]) -> Filter {
        self.filter_in(Variable::TABLE, on)
    }

    /// Tasks have such a variable of their own.
    pub(crate) fn filter_of_task(&self) -> Filter {
        self.filter_in(TaskVariable::TABLE, &[("instance", "instance"), ("task", "key")])
    }

    fn filter_in(&self, table: &'static Table, on: &'static [(&'static str, &'static str)]) -> Filter {
        let mut filters = vec![Filter::equal("name", self.name.to_cell())];
        match &self.comparison {
            Comparison::Equal(value) => filters.extend(compared(value, Operator::Equal)),
            Comparison::NotEqual(value) => {
                filters.push(Filter::Not(Box::new(Filter::All(compared(value, Operator::Equal)))))
            }
            Comparison::Less(value) => filters.extend(compared(value, Operator::Less)),
            Comparison::LessOrEqual(value) => filters.extend(compared(value, Operator::LessOrEqual)),
            Comparison::Greater(value) => filters.extend(compared(value, Operator::Greater)),
            Comparison::GreaterOrEqual(value) => filters.extend(compared(value, Operator::GreaterOrEqual)),
            Comparison::Like(pattern) => {
                filters.push(Filter::equal("kind", VariableKind::Text.to_cell()));
                filters.push(Filter::like("text", pattern));
            }
            Comparison::In(values) => {
                filters.push(Filter::Any(
                    values.iter().map(|value| Filter::All(compared(value, Operator::Equal))).collect(),
                ));
            }
        }
        Filter::Exists(table, on, filters)
    }
}

/// The kind is the same, and so is what the kind has no part in: then one index serves numbers and text alike.
fn compared(value: &VariableValue, operator: Operator) -> Vec<Filter> {
    let kind = |kind: VariableKind| Filter::equal("kind", kind.to_cell());
    match value {
        VariableValue::Null => vec![kind(VariableKind::Null)],
        VariableValue::Boolean(value) => {
            let number = f64::from(u8::from(*value));
            vec![kind(VariableKind::Boolean), Filter::Compare("number", operator, number.to_cell())]
        }
        VariableValue::Number(value) => {
            vec![kind(VariableKind::Number), Filter::Compare("number", operator, value.to_cell())]
        }
        VariableValue::Text(value) => vec![
            kind(VariableKind::Text),
            Filter::equal("number", 0.0_f64.to_cell()),
            Filter::Compare("text", operator, value.to_cell()),
        ],
    }
}
