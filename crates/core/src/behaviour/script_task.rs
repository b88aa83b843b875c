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
    let value = step.evaluate(expression, scope, node)?;
    if let Some(name) = &step.graph.node(node).details.result_variable {
        step.receive_one(token, name.clone(), value);
    }
    step.pass(token, node);
    Ok(())
}
