//! Decision tables (DMN 1.3 §8).

use std::cmp::Ordering;
use std::sync::Arc;

use potok_core::Name;
use potok_core::expressions::{CompiledExpression, Decided, Evaluation, EvaluationError};
use potok_core::value::Value;

use super::file::Scope;
use super::kind::Kind;
use crate::feel::{self, INPUT};

type Compiled = Arc<dyn CompiledExpression>;

/// What happens with the rules that match.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum HitPolicy {
    Unique,
    First,
    Priority,
    Any,
    Collect(Option<Aggregation>),
    RuleOrder,
    OutputOrder,
}

/// How collected values become one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Aggregation {
    Sum,
    Count,
    Min,
    Max,
}

/// A decision table.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) hit_policy: HitPolicy,
    pub(crate) inputs: Vec<Input>,
    pub(crate) outputs: Vec<Output>,
    pub(crate) rules: Vec<Rule>,
}

#[derive(Debug)]
pub(crate) struct Input {
    pub(crate) expression: Option<Compiled>,
    /// The name that the cells may call the tested value by, besides `?`.
    pub(crate) variable: Name,
    pub(crate) kind: Kind,
}

#[derive(Debug)]
pub(crate) struct Output {
    pub(crate) name: Name,
    pub(crate) kind: Kind,
    /// The allowed values, in the order of their priority.
    pub(crate) values: Option<Compiled>,
    pub(crate) default: Option<Compiled>,
}

#[derive(Debug)]
pub(crate) struct Rule {
    /// Per input; nothing means that every value fits.
    pub(crate) tests: Vec<Option<Compiled>>,
    pub(crate) entries: Vec<Option<Compiled>>,
}

impl Output {
    /// A result of the column as its declared type.
    fn typed(&self, value: Value) -> Result<Value, EvaluationError> {
        let (kind, shown) = (value.kind(), shortened(&value));
        self.kind.result(value).ok_or_else(|| {
            failed(format!(
                "the column `{}` is declared to give {}, but gives the {kind} {shown}; change the cell, or the column's type",
                self.name,
                self.kind.word()
            ))
        })
    }
}

impl Input {
    /// What is tested, as the column's declared type. Only of moments and lengths of time it is certain that another
    /// kind of value is never meant.
    fn typed(&self, place: usize, value: Value) -> Result<Value, EvaluationError> {
        match self.kind {
            Kind::Text => return Ok(self.kind.result(value.clone()).unwrap_or(value)),
            kind if !kind.is_of_time() => return Ok(kind.convert(value)),
            _ => {}
        }
        let (kind, shown) = (value.kind(), shortened(&value));
        self.kind.tested(value).ok_or_else(|| {
            failed(format!(
                "input column {} is declared to be {}, but is the {kind} {shown}; give another value, or change the \
                 column's type",
                place + 1,
                self.kind.word()
            ))
        })
    }
}

fn shortened(value: &Value) -> String {
    value.to_string().chars().take(60).collect()
}

fn failed(message: String) -> EvaluationError {
    EvaluationError::Failed(message)
}

impl Table {
    /// All expressions in it.
    pub(super) fn expressions(&self) -> impl Iterator<Item = &Compiled> {
        let inputs = self.inputs.iter().map(|input| &input.expression);
        let outputs = self.outputs.iter().flat_map(|output| [&output.values, &output.default]);
        let rules = self.rules.iter().flat_map(|rule| rule.tests.iter().chain(&rule.entries));
        inputs.chain(outputs).chain(rules).flatten()
    }

    /// Evaluates the table.
    pub(super) fn evaluate(&self, scope: &mut Scope<'_>) -> Result<Decided, EvaluationError> {
        let now = scope.outer.now;
        let mut inputs = Vec::with_capacity(self.inputs.len());
        for (place, input) in self.inputs.iter().enumerate() {
            let value = match &input.expression {
                Some(expression) => expression.evaluate(&mut Evaluation::new(&*scope, now))?,
                None => Value::Null,
            };
            inputs.push(input.typed(place, value)?);
        }
        let mut matched = Vec::new();
        for (number, rule) in self.rules.iter().enumerate() {
            if self.matches(rule, &inputs, scope)? {
                matched.push(number);
                if self.hit_policy == HitPolicy::First {
                    break;
                }
            }
        }
        for name in self.inputs.iter().map(|input| &input.variable).chain([&INPUT.into()]) {
            scope.own.remove(name);
        }
        let mut results = Vec::with_capacity(matched.len());
        for number in &matched {
            results.push(self.entries(&self.rules[*number], scope)?);
        }
        self.choose(&matched, results, scope)
    }

    fn matches(&self, rule: &Rule, inputs: &[Value], scope: &mut Scope<'_>) -> Result<bool, EvaluationError> {
        let now = scope.outer.now;
        for ((test, input), value) in rule.tests.iter().zip(&self.inputs).zip(inputs) {
            let Some(test) = test else { continue };
            scope.own.insert(INPUT.into(), value.clone());
            scope.own.insert(input.variable.clone(), value.clone());
            let outcome = test.evaluate(&mut Evaluation::new(&*scope, now))?;
            if outcome != Value::Boolean(true) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// A rule's outputs; an empty cell gives none.
    fn entries(&self, rule: &Rule, scope: &Scope<'_>) -> Result<Vec<Option<Value>>, EvaluationError> {
        let entries = rule.entries.iter().map(Option::as_ref);
        self.typed(entries, scope)
    }

    fn typed<'a>(
        &self,
        entries: impl Iterator<Item = Option<&'a Compiled>>,
        scope: &Scope<'_>,
    ) -> Result<Vec<Option<Value>>, EvaluationError> {
        let value = |(entry, output): (Option<&Compiled>, &Output)| match entry {
            Some(_) => output.typed(optional(entry, scope)?).map(Some),
            None => Ok(None),
        };
        entries.zip(&self.outputs).map(value).collect()
    }

    fn choose(
        &self,
        matched: &[usize],
        mut results: Vec<Vec<Option<Value>>>,
        scope: &Scope<'_>,
    ) -> Result<Decided, EvaluationError> {
        let numbers = || {
            let numbers: Vec<String> = matched.iter().map(|number| (number + 1).to_string()).collect();
            numbers.join(", ")
        };
        if results.is_empty() && self.outputs.iter().any(|output| output.default.is_some()) {
            let defaults = self.typed(self.outputs.iter().map(|output| output.default.as_ref()), scope)?;
            return Ok(Decided {
                value: self.shape(&defaults),
                rules: vec![self.named(defaults)],
                is_collected: false,
            });
        }
        match self.hit_policy {
            HitPolicy::Unique if results.len() > 1 => Err(failed(format!(
                "the table's hit policy is UNIQUE, but rules {} match at once; change the rules or the hit policy",
                numbers()
            ))),
            HitPolicy::Any if results.windows(2).any(|pair| !same(&pair[0], &pair[1])) => Err(failed(format!(
                "the table's hit policy is ANY, but rules {} match with different results",
                numbers()
            ))),
            HitPolicy::Unique | HitPolicy::First | HitPolicy::Any | HitPolicy::Priority => {
                if self.hit_policy == HitPolicy::Priority {
                    self.sort(&mut results, scope)?;
                }
                results.truncate(1);
                let value = results.first().map_or(Value::Null, |values| self.shape(values));
                let rules = results.into_iter().map(|values| self.named(values)).collect();
                Ok(Decided { value, rules, is_collected: false })
            }
            HitPolicy::RuleOrder | HitPolicy::OutputOrder | HitPolicy::Collect(None) => {
                if self.hit_policy == HitPolicy::OutputOrder {
                    self.sort(&mut results, scope)?;
                }
                let value = results.iter().map(|values| self.shape(values)).collect();
                let rules = results.into_iter().map(|values| self.named(values)).collect();
                Ok(Decided { value, rules, is_collected: true })
            }
            HitPolicy::Collect(Some(aggregation)) => {
                let first = |values: Vec<Option<Value>>| values.into_iter().next().map(Option::unwrap_or_default);
                let values: Vec<Value> = results.into_iter().filter_map(first).collect();
                let value = match aggregation {
                    Aggregation::Sum | Aggregation::Min | Aggregation::Max if values.is_empty() => Value::Null,
                    _ => aggregate(aggregation, values)?,
                };
                let has_value = !value.is_null();
                let rules = has_value.then(|| self.named(vec![Some(value.clone())])).into_iter().collect();
                Ok(Decided { value, rules, is_collected: false })
            }
        }
    }

    /// By the order of the outputs' allowed values, the first output first.
    fn sort(&self, results: &mut [Vec<Option<Value>>], scope: &Scope<'_>) -> Result<(), EvaluationError> {
        let mut orders = Vec::new();
        for output in &self.outputs {
            let values = optional(output.values.as_ref(), scope)?;
            orders.push(values.as_list().unwrap_or_default().to_vec());
        }
        let rank = |order: &[Value], value: &Option<Value>| {
            let value = value.as_ref().unwrap_or(&Value::Null);
            order.iter().position(|allowed| allowed.loosely_equal(value)).unwrap_or(usize::MAX)
        };
        results.sort_by(|left, right| {
            let ranks = orders.iter().zip(left).zip(right);
            ranks
                .map(|((order, left), right)| rank(order, left).cmp(&rank(order, right)))
                .find(|ordering| *ordering != Ordering::Equal)
                .unwrap_or(Ordering::Equal)
        });
        Ok(())
    }

    /// A rule's outputs as DMN gives them.
    fn shape(&self, values: &[Option<Value>]) -> Value {
        let mut values = values.iter().map(|value| value.clone().unwrap_or_default());
        if self.outputs.len() == 1 {
            return values.next().unwrap_or_default();
        }
        self.outputs.iter().map(|output| output.name.clone()).zip(values).collect()
    }

    /// A rule's outputs by name.
    fn named(&self, values: Vec<Option<Value>>) -> Vec<(Name, Value)> {
        let outputs = self.outputs.iter().zip(values);
        outputs.filter_map(|(output, value)| Some((output.name.clone(), value?))).collect()
    }

    /// The result by the names of the outputs.
    pub(super) fn by_output(&self, result: &Value) -> Vec<(Name, Value)> {
        let single = self.outputs.len() == 1;
        let list = matches!(self.hit_policy, HitPolicy::Collect(None) | HitPolicy::RuleOrder | HitPolicy::OutputOrder);
        let outputs = self.outputs.iter().filter(|output| !output.name.is_empty());
        outputs
            .map(|output| {
                let field = |value: &Value| value.field(&output.name).cloned().unwrap_or_default();
                let value = match result.as_list() {
                    _ if single => result.clone(),
                    Some(items) if list => items.iter().map(field).collect(),
                    _ => field(result),
                };
                (output.name.clone(), value)
            })
            .collect()
    }
}

fn optional(expression: Option<&Compiled>, scope: &Scope<'_>) -> Result<Value, EvaluationError> {
    match expression {
        Some(expression) => expression.evaluate(&mut Evaluation::new(scope, scope.outer.now)),
        None => Ok(Value::Null),
    }
}

fn same(left: &[Option<Value>], right: &[Option<Value>]) -> bool {
    let value = |value: &Option<Value>| value.clone().unwrap_or_default();
    left.iter().zip(right).all(|(left, right)| value(left).loosely_equal(&value(right)))
}

fn aggregate(aggregation: Aggregation, values: Vec<Value>) -> Result<Value, EvaluationError> {
    match aggregation {
        Aggregation::Count => Ok(i64::try_from(values.len()).map_or(Value::Null, Value::Integer)),
        Aggregation::Sum => feel::aggregate(dsntk_feel_evaluator::evaluate_sum, &values),
        Aggregation::Min => feel::aggregate(dsntk_feel_evaluator::evaluate_min, &values),
        Aggregation::Max => feel::aggregate(dsntk_feel_evaluator::evaluate_max, &values),
    }
}
