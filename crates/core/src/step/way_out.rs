//! The way out of what is interrupted, in Camunda 7's dialect: there an activity that a boundary event or an event
//! sub-process ends still calls its end listeners and does its output mappings, the innermost first.

use super::Step;
use crate::dialect::{Dialect, ListenerStage};
use crate::expressions::EvaluationError;
use crate::graph::ListenerAction;
use crate::instance::{IncidentStage, NONE, ROOT, ScopeId, TokenId, TokenState, WaitKind};

/// What went wrong on the way out: what is left is gone by then, so that the event that interrupts it tells.
pub(crate) type WayOut = Result<(), String>;

impl Step<'_, '_> {
    /// An activity and all within is about to be interrupted.
    pub(crate) fn way_out_of(&mut self, token: TokenId) -> WayOut {
        if self.graph.dialect() == Dialect::Camunda { self.way_out(vec![token]) } else { Ok(()) }
    }

    /// All that runs in a scope is about to be interrupted.
    pub(crate) fn way_out_within(&mut self, scope: ScopeId) -> WayOut {
        if self.graph.dialect() == Dialect::Camunda { self.way_out(self.tokens_in(scope)) } else { Ok(()) }
    }

    /// All that runs in a scope is about to end, and nothing is left that could wait until a failure is mended: it changes nothing.
    pub(crate) fn way_out_for_good(&mut self, scope: ScopeId) {
        let _ = self.way_out_within(scope);
    }

    /// The instance is about to end from outside, or by what it throws at its caller: the process has end listeners, too.
    pub(crate) fn way_out_of_process(&mut self) {
        self.way_out_for_good(ROOT);
        if self.graph.dialect() == Dialect::Camunda {
            let _ = self.call_process_listeners(ListenerStage::End, 0);
        }
    }

    fn way_out(&mut self, mut tokens: Vec<TokenId>) -> WayOut {
        let mut next = 0;
        while let Some(outer) = tokens.get(next) {
            let inside = self.instance.tokens.get(*outer).map_or(NONE, |token| token.inside);
            tokens.extend(self.tokens_in(inside));
            next += 1;
        }
        let mut outcome = Ok(());
        while let Some(token) = tokens.pop() {
            if !self.has_begun(token) {
                continue;
            }
            if let Err(error) = self.leave_early(token) {
                let name = &self.node(token).id;
                outcome = outcome.and(Err(format!(
                    "`{name}` was interrupted, and its end listeners and outputs are not all done: {error}; set what is missing"
                )));
            }
        }
        outcome
    }

    fn tokens_in(&self, scope: ScopeId) -> Vec<TokenId> {
        let mut tokens = Vec::new();
        let mut next = self.instance.scopes.get(scope).map_or(NONE, |scope| scope.first_token);
        while let Some(token) = self.instance.tokens.get(next) {
            tokens.push(next);
            next = token.next;
        }
        tokens
    }

    /// Whether a token is at its flow node's work: neither before it nor already on the way out.
    fn has_begun(&self, token: TokenId) -> bool {
        let Some(here) = self.instance.tokens.get(token) else { return false };
        let node = self.node(token);
        if node.plain || (node.details.repeat.is_some() && !self.is_round(token)) {
            return false;
        }
        if let Some((_, at_work)) = self.thrower.filter(|(thrower, _)| *thrower == token) {
            return at_work;
        }
        let at_work = |kind: &WaitKind| match kind {
            WaitKind::Continuation { .. } => false,
            WaitKind::Incident(incident) => {
                matches!(incident.stage, IncidentStage::Execute | IncidentStage::Throw(_) | IncidentStage::Job)
            }
            WaitKind::Job(job) => job.listener.is_none_or(|listener| {
                let listener = node.details.listeners.get(listener as usize);
                listener.is_some_and(|listener| !matches!(listener.stage, ListenerStage::Start | ListenerStage::End))
            }),
            _ => true,
        };
        let mut wait = here.first_wait;
        while let Some(current) = self.instance.waits.get(wait) {
            if !at_work(&current.kind) {
                return false;
            }
            wait = current.next;
        }
        here.state == TokenState::Waiting
    }

    pub(crate) fn leave_early(&mut self, token: TokenId) -> Result<(), EvaluationError> {
        let node = self.node(token);
        let ordinal = self.node_of(token);
        let outside = self.instance.tokens.get(token).map_or(NONE, |token| token.scope);
        for listener in node.details.listeners.iter().filter(|listener| listener.stage == ListenerStage::End) {
            // A worker's listener cannot be waited for; `check` says so.
            if let ListenerAction::Evaluate(expression) = &listener.action {
                self.evaluate(expression, self.variable_scope(token), ordinal)?;
            }
        }
        for output in &node.details.outputs {
            self.put_out(token, outside, output)?;
        }
        Ok(())
    }
}
