//! Script tasks, and service tasks whose work is an expression.

use crate::dialect::Dialect;
use crate::graph::{Expression, NodeKind};
use crate::instance::{Ordinal, TokenId};
use crate::step::{Problem, Step};

/// Runs the script; its result goes into the result variable, if there is one.
pub(crate) fn run(
    step: &mut Step<'_, '_>,
    token: TokenId,
    node: Ordinal,
    expression: &Expression,
) -> Result<(), Problem> {
    let scope = step.variable_scope(token);
    let details = &step.graph.node(node).details;
    if let (Some(name), false) = (&details.result_variable, details.isolated)
        && let Some(value) = step.quick(expression, scope)
    {
        step.set_quick(scope, name, value);
        if step.outlives_conditions(token) {
            step.pass(token, node);
        }
        return Ok(());
    }
    run_out(step, token, node, expression)
}

/// The same for what takes longer.
#[inline(never)]
fn run_out(step: &mut Step<'_, '_>, token: TokenId, node: Ordinal, expression: &Expression) -> Result<(), Problem> {
    let details = &step.graph.node(node).details;
    let value = step.evaluate_at(token, expression)?;
    // A script without a result leaves what the variable held, in Camunda 7 (its `ScriptTaskActivityBehavior`).
    let keeps = value.is_null()
        && step.graph.dialect() == Dialect::Camunda
        && matches!(step.graph.node(node).kind, NodeKind::Script(_));
    if let (Some(name), false) = (&details.result_variable, keeps) {
        step.receive_one(token, name.clone(), value);
    }
    if step.outlives_conditions(token) {
        step.pass(token, node);
    }
    Ok(())
}
