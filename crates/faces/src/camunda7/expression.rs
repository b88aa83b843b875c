//! Expressions outside of models' flow: in searches that people keep, and in what forms begin with.

use jiff::Timestamp;
use potok::{Name, Value};
use potok_core::expressions::{Evaluation, Expressions as _, Given, Language, Purpose};
use potok_expressions::Evaluator;

/// Whether there is something to be computed in a text.
pub(crate) fn is_computed(text: &str) -> bool {
    text.contains("${") || text.contains("#{")
}

/// What a text with `${...}` in it gives.
pub(crate) fn evaluate(text: &str, seen: &[(Name, Value)], now: Timestamp) -> Result<Value, String> {
    let compiled = Evaluator::new().compile(&Language::Template, Purpose::Expression, text);
    let compiled = compiled.map_err(|error| error.to_string())?;
    compiled.evaluate(&mut Evaluation::new(&Given(seen), now)).map_err(|error| error.to_string())
}
