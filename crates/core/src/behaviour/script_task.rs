//! Script tasks, and service tasks whose work is an expression.

use crate::graph::Expression;
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
        && let Some(value) = step.quick(expression, scope, node, &[])
    {
        step.set_nearest(scope, name.clone(), value.into());
        if step.outlives_conditions(token) {
            step.pass(token, node);
        }
        return Ok(());
    }
    let value = step.evaluate(expression, scope, node)?;
    if let Some(name) = &details.result_variable {
        step.receive_one(token, name.clone(), value);
    }
    if step.outlives_conditions(token) {
        step.pass(token, node);
    }
    Ok(())
}
