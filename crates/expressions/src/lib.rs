//! What BPMN models compute with.
//!
//! [`Evaluator`] implements the core's [`Expressions`](potok_core::expressions::Expressions):
//!
//! - **FEEL**, the DMN standard's language, by a library that is contained here: limits on size, depth, steps and time, no
//!   calls out of the process, no recursion, `now()` and `today()` as the step's own time. Plain conditions and sums are
//!   evaluated directly and take tens of nanoseconds.
//! - **`${...}`**, as models for Camunda 7 and Flowable write it, with their conversions and their errors.
//! - **Decisions** (DMN): [`Evaluator::add_decisions`].
//! - **Working calendars** in FEEL: [`Evaluator::add_calendar`].
//! - **JavaScript** for scripts, with the cargo feature `javascript`.
//!
//! ```
//! use std::collections::BTreeMap;
//!
//! use std::borrow::Cow;
//!
//! use potok_core::Name;
//! use potok_core::expressions::{Evaluation, Expressions, Language, Purpose, Variables};
//! use potok_core::value::Value;
//! use potok_expressions::Evaluator;
//!
//! struct Order(BTreeMap<Name, Value>);
//!
//! impl Variables for Order {
//!     fn get(&self, name: &str) -> Option<Cow<'_, Value>> {
//!         self.0.get(name).map(Cow::Borrowed)
//!     }
//!     fn names(&self) -> Vec<Name> {
//!         self.0.keys().cloned().collect()
//!     }
//! }
//!
//! let order = Order(BTreeMap::from([("amount".into(), 1_500.into()), ("region".into(), "south".into())]));
//! let mut evaluation = Evaluation::new(&order, "2026-11-03T09:30:00Z".parse()?);
//! let evaluator = Evaluator::new();
//!
//! let condition = evaluator.compile(&Language::Feel, Purpose::Expression, "amount > 1000 and region = \"south\"")?;
//! assert_eq!(condition.evaluate(&mut evaluation)?, Value::Boolean(true));
//!
//! let subject = evaluator.compile(&Language::Template, Purpose::Expression, "Order over ${amount}")?;
//! assert_eq!(subject.evaluate(&mut evaluation)?, "Order over 1500".into());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod calendars;
mod decision;
mod evaluator;
mod feel;
#[cfg(feature = "javascript")]
mod script;
mod template;
mod variables;

use std::time::Instant;

use potok_core::expressions::Evaluation;

pub use decision::Added;
pub use evaluator::Evaluator;

/// Takes down how long an evaluation takes that may take long.
fn timed<'v, T>(evaluation: &mut Evaluation<'v>, evaluate: impl FnOnce(&mut Evaluation<'v>) -> T) -> T {
    let start = Instant::now();
    let value = evaluate(evaluation);
    evaluation.took += start.elapsed();
    value
}
