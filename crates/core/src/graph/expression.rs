//! Expressions, ready to be evaluated in a scope.

use std::borrow::Cow;
use std::sync::Arc;

use crate::Name;
use crate::expressions::{CompiledExpression, Evaluation, EvaluationError};
use crate::value::Value;

/// An expression of a model.
#[derive(Clone, Debug)]
pub struct Expression {
    /// Its text.
    pub text: Name,
    /// What it is.
    pub kind: ExpressionKind,
}

/// What an expression is.
#[derive(Clone, Debug)]
pub enum ExpressionKind {
    /// Always the same value.
    Literal(Value),
    /// A variable; null if there is none.
    Variable,
    /// To be evaluated.
    Compiled(Arc<dyn CompiledExpression>),
}

impl Expression {
    /// An expression that is a literal text.
    #[must_use]
    pub fn literal(text: Name) -> Self {
        Self { kind: ExpressionKind::Literal(Value::String(text.clone())), text }
    }

    /// An expression that is always the same value.
    #[must_use]
    pub fn constant(value: Value) -> Self {
        Self { text: value.to_string().into(), kind: ExpressionKind::Literal(value) }
    }

    /// An expression that reads a variable.
    #[must_use]
    pub fn variable(name: Name) -> Self {
        Self { text: name, kind: ExpressionKind::Variable }
    }

    /// The value, if it is always the same.
    #[must_use]
    pub fn as_literal(&self) -> Option<&Value> {
        match &self.kind {
            ExpressionKind::Literal(value) => Some(value),
            _ => None,
        }
    }

    /// Evaluates.
    ///
    /// # Errors
    /// What the expression's language calls an error.
    #[inline]
    pub fn evaluate(&self, evaluation: &mut Evaluation<'_>) -> Result<Value, EvaluationError> {
        match &self.kind {
            ExpressionKind::Literal(value) => Ok(value.clone()),
            ExpressionKind::Variable => Ok(evaluation.variables.get(&self.text).map_or(Value::Null, Cow::into_owned)),
            ExpressionKind::Compiled(compiled) => compiled.evaluate(evaluation),
        }
    }
}
