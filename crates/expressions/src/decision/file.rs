//! A file's decisions and how they are evaluated: what is required first.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use potok_core::Name;
use potok_core::diagnostic::Diagnostic;
use potok_core::expressions::{CompiledExpression, Decided, Evaluation, EvaluationError, Execution, Variables};
use potok_core::value::Value;

use super::table::Table;
use crate::variables::{has, read};

/// What one DMN file defines.
#[derive(Debug)]
pub(crate) struct File {
    pub(crate) decisions: Vec<Decision>,
    /// What is unusual about it.
    pub(crate) warnings: Vec<Diagnostic>,
}

/// One decision.
#[derive(Debug)]
pub(crate) struct Decision {
    pub(crate) id: Name,
    pub(crate) name: Name,
    /// The name of its result for those that require it.
    pub(crate) variable: Name,
    pub(crate) tag: Option<Name>,
    pub(crate) logic: Logic,
    /// The decisions that it needs, itself last, each after those that it requires.
    pub(crate) order: Vec<usize>,
}

/// How a decision comes to its result.
#[derive(Debug)]
pub(crate) enum Logic {
    Table(Box<Table>),
    Expression(Arc<dyn CompiledExpression>),
    /// A boxed expression.
    Boxed(Arc<dyn CompiledExpression>),
    /// Nothing is defined.
    None,
}

/// Variables of the evaluation and, before them, results.
pub(super) struct Scope<'a> {
    pub(super) outer: &'a Evaluation<'a>,
    pub(super) own: BTreeMap<Name, Value>,
}

impl Variables for Scope<'_> {
    fn get(&self, name: &str) -> Option<Cow<'_, Value>> {
        self.own.get(name).map(Cow::Borrowed).or_else(|| read(self.outer, name))
    }

    fn has(&self, name: &str) -> bool {
        self.own.contains_key(name) || has(self.outer, name)
    }

    fn names(&self) -> Vec<Name> {
        let mut names = self.outer.variables.names();
        names.extend(self.outer.assigned.iter().map(|assignment| assignment.name.clone()));
        names.extend(self.own.keys().cloned());
        names.sort();
        names.dedup();
        names
    }

    fn execution(&self) -> Option<Execution> {
        self.outer.variables.execution()
    }
}

impl File {
    /// Evaluates one of the file's decisions.
    pub(crate) fn evaluate(&self, index: usize, evaluation: &Evaluation<'_>) -> Result<Decided, EvaluationError> {
        let mut scope = Scope { outer: evaluation, own: BTreeMap::new() };
        let mut decided = Decided { value: Value::Null, rules: Vec::new(), is_collected: false };
        for index in &self.decisions[index].order {
            let decision = &self.decisions[*index];
            let explain = |error: EvaluationError| match error {
                EvaluationError::Failed(message) => {
                    EvaluationError::Failed(format!("decision `{}`: {message}", decision.id))
                }
                other => other,
            };
            decided = match &decision.logic {
                Logic::Table(table) => table.evaluate(&mut scope).map_err(explain)?,
                Logic::Expression(expression) => {
                    let value = expression.evaluate(&mut Evaluation::new(&scope, evaluation.now)).map_err(explain)?;
                    // Camunda's literal expressions give their result under the name of the variable.
                    let rules = vec![vec![(decision.variable.clone(), value.clone())]];
                    Decided { value, rules, is_collected: false }
                }
                Logic::Boxed(expression) => {
                    let value = expression.evaluate(&mut Evaluation::new(&scope, evaluation.now)).map_err(explain)?;
                    let rules = |value: &Value| match value {
                        Value::Map(outputs) => {
                            outputs.iter().map(|(name, value)| (name.clone(), value.clone())).collect()
                        }
                        value => vec![(decision.variable.clone(), value.clone())],
                    };
                    match &value {
                        Value::Null => Decided { value, rules: Vec::new(), is_collected: false },
                        Value::List(items) => {
                            Decided { rules: items.iter().map(rules).collect(), is_collected: true, value }
                        }
                        _ => Decided { rules: vec![rules(&value)], is_collected: false, value },
                    }
                }
                Logic::None => Decided { value: Value::Null, rules: Vec::new(), is_collected: false },
            };
            // Camunda gives required results by their outputs' names, the standard by the decision's variable.
            if let Logic::Table(table) = &decision.logic {
                for (name, value) in table.by_output(&decided.value) {
                    scope.own.insert(name, value);
                }
            }
            for name in [&decision.id, &decision.name, &decision.variable] {
                scope.own.insert(name.clone(), decided.value.clone());
            }
        }
        Ok(decided)
    }
}
