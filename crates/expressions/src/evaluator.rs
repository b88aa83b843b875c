//! The one door for all languages.

use std::sync::Arc;

use potok_core::expressions::{
    Binding, CompileError, CompiledExpression, Evaluation, EvaluationError, Expressions, Language, Purpose,
};
use potok_core::value::Value;

use crate::{feel, template};

/// Compiles and evaluates what models compute with.
#[derive(Debug, Default)]
pub struct Evaluator {}

impl Evaluator {
    /// An evaluator without decisions.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl Expressions for Evaluator {
    fn compile(
        &self,
        language: &Language,
        purpose: Purpose,
        text: &str,
    ) -> Result<Arc<dyn CompiledExpression>, CompileError> {
        match language {
            Language::Feel => Ok(Arc::new(feel::compile(text, &[])?)),
            Language::Template => Ok(Arc::new(template::compile(text, purpose)?)),
            _ => Err(CompileError { message: "not available".into(), offset: None }),
        }
    }

    fn decide(&self, decision: &str, _: &Binding, _: &mut Evaluation<'_>) -> Result<Value, EvaluationError> {
        Err(EvaluationError::UnknownDecision(decision.into()))
    }
}
