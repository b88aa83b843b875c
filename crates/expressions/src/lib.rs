//! What models compute with.
//!
//! [`Evaluator`] implements the core's [`Expressions`] for FEEL (and, with the next slices, for `${...}`, decisions and
//! scripts).

mod calendars;
mod decision;
mod evaluator;
mod feel;
mod template;
mod variables;

pub use evaluator::Evaluator;
