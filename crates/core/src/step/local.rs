//! What is set locally at a flow node (`setVariableLocal`): the scope of its own is opened for it, where it has one.

use super::{Step, Told};
use crate::dialect::ListenerStage;
use crate::expressions::EvaluationError;
use crate::graph::Expression;
use crate::instance::{NONE, TokenId};
use crate::value::Value;

impl Step<'_, '_> {
    /// Evaluates what belongs to the work of a token's flow node, where it sees its variables.
    pub(crate) fn evaluate_at(&mut self, token: TokenId, expression: &Expression) -> Result<Value, EvaluationError> {
        if let Some(value) = expression.as_literal() {
            return Ok(value.clone());
        }
        let unopened = self.has_unopened_scope(token);
        let (scope, node) = (self.variable_scope(token), self.node_of(token));
        let (result, assigned) = self.compute(expression, scope, node, &[], unopened);
        if !assigned.is_empty() {
            let opens = unopened && assigned.iter().any(|assignment| assignment.local);
            let scope = if opens { self.own_scope(token) } else { scope };
            self.assign(scope, assigned)?;
        }
        result
    }

    /// Evaluates what a listener of a token's flow node does.
    pub(crate) fn call_listener_at(
        &mut self,
        token: TokenId,
        expression: &Expression,
        told: impl Into<Told>,
    ) -> Result<(), EvaluationError> {
        self.listening = Some(told.into());
        let result = self.evaluate_at(token, expression);
        self.listening = None;
        result.map(drop)
    }

    /// Whether what is set locally now needs a scope that is not open yet. A user task has variables of its own for its listeners,
    /// whatever its activity has.
    fn has_unopened_scope(&self, token: TokenId) -> bool {
        let is_of_task =
            |told: &Told| !matches!(told.stage, ListenerStage::Start | ListenerStage::End | ListenerStage::Take);
        self.instance.tokens.get(token).is_some_and(|token| token.inside == NONE)
            && (self.node(token).details.local_scope || self.listening.as_ref().is_some_and(is_of_task))
    }
}
