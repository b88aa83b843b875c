//! Reading variables during an evaluation.

use std::borrow::Cow;

use potok_core::expressions::Evaluation;
use potok_core::value::Value;

/// The variable's value: what the evaluation has set itself, else what it was given.
#[inline]
pub(crate) fn read<'e>(evaluation: &'e Evaluation<'_>, name: &str) -> Option<Cow<'e, Value>> {
    if !evaluation.assigned.is_empty()
        && let Some(assignment) = evaluation.assigned.iter().rev().find(|assignment| &*assignment.name == name)
    {
        return Some(Cow::Borrowed(&assignment.value));
    }
    evaluation.variables.get(name)
}

/// Whether there is a variable of that name.
pub(crate) fn has(evaluation: &Evaluation<'_>, name: &str) -> bool {
    evaluation.assigned.iter().any(|assignment| &*assignment.name == name) || evaluation.variables.has(name)
}

/// Whether a variable that there is belongs to the innermost scope.
pub(crate) fn is_local(evaluation: &Evaluation<'_>, name: &str) -> bool {
    evaluation.assigned.iter().any(|assignment| assignment.local && &*assignment.name == name)
        || evaluation.variables.is_local(name)
}
