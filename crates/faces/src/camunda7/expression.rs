//! Expressions outside of models' flow: in searches that people keep, and in what forms begin with.

use std::borrow::Cow;

use jiff::Timestamp;
use potok::{Name, Value};
use potok_core::expressions::{Evaluation, Expressions as _, Language, Purpose, Variables};
use potok_expressions::Evaluator;

/// The variables that an expression sees.
struct Seen<'a>(&'a [(Name, Value)]);

impl Variables for Seen<'_> {
    fn get(&self, name: &str) -> Option<Cow<'_, Value>> {
        self.0.iter().find(|(own, _)| own == name).map(|(_, value)| Cow::Borrowed(value))
    }

    fn names(&self) -> Vec<Name> {
        let mut names: Vec<Name> = self.0.iter().map(|(name, _)| name.clone()).collect();
        names.sort();
        names.dedup();
        names
    }
}

/// Whether there is something to be computed in a text.
pub(crate) fn is_computed(text: &str) -> bool {
    text.contains("${") || text.contains("#{")
}

/// What a text with `${...}` in it gives.
pub(crate) fn evaluate(text: &str, seen: &[(Name, Value)], now: Timestamp) -> Result<Value, String> {
    let compiled = Evaluator::new().compile(&Language::Template, Purpose::Expression, text);
    let compiled = compiled.map_err(|error| error.to_string())?;
    compiled.evaluate(&mut Evaluation::new(&Seen(seen), now)).map_err(|error| error.to_string())
}
