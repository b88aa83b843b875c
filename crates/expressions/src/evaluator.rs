//! The one door for all languages.

use std::sync::Arc;

use potok_core::Name;
use potok_core::diagnostic::Diagnostic;
use potok_core::expressions::{
    Binding, CompileError, CompiledExpression, Evaluation, EvaluationError, Expressions, Language, Purpose,
};
use potok_core::value::Value;

use crate::decision::{Compiler, Registry};
use crate::{feel, template};

/// Compiles and evaluates what models compute with.
#[derive(Debug, Default)]
pub struct Evaluator {
    decisions: Registry,
}

impl Evaluator {
    /// An evaluator without decisions.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the decisions of a DMN file, each as the newest version of its id. Gives their ids.
    ///
    /// # Errors
    /// All that is wrong with the file; then none of its decisions is added.
    pub fn add_decisions(&self, bytes: &[u8]) -> Result<Vec<Name>, Vec<Diagnostic>> {
        let compiler = Compiler {
            expression: &|language, text, known| match language {
                Language::Feel => Ok(Arc::new(feel::compile(text, known)?)),
                other => self.compile(other, Purpose::Expression, text),
            },
            tests: &|text, known, input| Ok(Arc::new(feel::compile_tests(text, known, input)?)),
        };
        self.decisions.add(bytes, &compiler)
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

    fn decide(
        &self,
        decision: &str,
        binding: &Binding,
        evaluation: &mut Evaluation<'_>,
    ) -> Result<Value, EvaluationError> {
        self.decisions.decide(decision, binding, evaluation)
    }
}
