//! Reading variables during an evaluation.

use potok_core::expressions::Evaluation;
use potok_core::value::Value;

/// The variable's value: what the evaluation has set itself, else what it was given.
#[inline]
pub(crate) fn read(evaluation: &Evaluation<'_>, name: &str) -> Option<Value> {
    if !evaluation.assigned.is_empty()
        && let Some(assignment) = evaluation.assigned.iter().rev().find(|assignment| &*assignment.name == name)
    {
        return Some(assignment.value.clone());
    }
    evaluation.variables.get(name)
}

/// Whether there is a variable of that name.
pub(crate) fn has(evaluation: &Evaluation<'_>, name: &str) -> bool {
    evaluation.assigned.iter().any(|assignment| &*assignment.name == name) || evaluation.variables.has(name)
}
