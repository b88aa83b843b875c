//! Script tasks, and service tasks whose work is an expression.

use crate::graph::Expression;
use crate::instance::TokenId;
use crate::step::{Problem, Step};

/// Runs the script; its result goes into the result variable, if there is one.
pub(crate) fn run(step: &mut Step<'_, '_>, token: TokenId, expression: &Expression) -> Result<(), Problem> {
    let (scope, node) = (step.variable_scope(token), step.node_of(token));
    let value = step.evaluate(expression, scope, node)?;
    if let Some(name) = &step.graph.node(node).details.result_variable {
        step.receive_one(token, name.clone(), value);
    }
    step.pass(token);
    Ok(())
}
