//! The way out of what is interrupted, in Camunda 7's dialect: there an activity that a boundary event or an event
//! sub-process ends still calls its end listeners and does its output mappings: one branch after the other, and of each the
//! innermost first.

use super::Step;
use crate::dialect::{Dialect, ListenerStage};
use crate::expressions::EvaluationError;
use crate::graph::{ListenerAction, NodeKind};
use crate::instance::{IncidentStage, NONE, ROOT, ScopeId, ScopeKind, TokenId, TokenState, WaitKind};

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

    fn way_out(&mut self, tokens: Vec<TokenId>) -> WayOut {
        let on_stack = |tokens: Vec<TokenId>| tokens.into_iter().rev().map(|token| (token, false));
        let mut stack: Vec<(TokenId, bool)> = on_stack(tokens).collect();
        let mut outcome = Ok(());
        while let Some((token, is_left_within)) = stack.pop() {
            if !is_left_within {
                stack.push((token, true));
                let inside = self.instance.tokens.get(token).map_or(NONE, |token| token.inside);
                stack.extend(on_stack(self.tokens_in(inside)));
                continue;
            }
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

    /// The tokens of a scope, also those at its joins, as their branches began there: what comes to a fork goes on by
    /// the last of its flows here, and by the first in Camunda, so that the oldest has the newest one's place. Event sub-processes
    /// keep their own.
    fn tokens_in(&self, scope: ScopeId) -> Vec<TokenId> {
        let Some(scope) = self.instance.scopes.get(scope) else { return Vec::new() };
        let mut tokens = Vec::new();
        let queues = scope.joins().iter().flat_map(|join| join.heads());
        for mut next in queues.chain([scope.first_token]) {
            while let Some(token) = self.instance.tokens.get(next) {
                tokens.push((token.serial, next));
                next = token.next;
            }
        }
        tokens.sort_unstable();
        if scope.kind != ScopeKind::Loop {
            let is_own = |token| !matches!(self.node(token).kind, NodeKind::EventSubProcess(_));
            let own: Vec<usize> = (0..tokens.len()).filter(|&place| is_own(tokens[place].1)).collect();
            for places in own.windows(2) {
                tokens.swap(places[0], places[1]);
            }
        }
        tokens.into_iter().map(|(_, token)| token).collect()
    }

    /// Whether a token is at its flow node's work: neither before it nor already on the way out.
    fn has_begun(&self, token: TokenId) -> bool {
        let Some(here) = self.instance.tokens.get(token) else { return false };
        let node = self.node(token);
        // The start event of an event sub-process may wait for the listeners of that.
        if node.plain
            || matches!(node.kind, NodeKind::StartEvent(_))
            || (node.details.repeat.is_some() && !self.is_round(token))
        {
            return false;
        }
        if matches!(here.state, TokenState::Joined { .. }) {
            return matches!(node.kind, NodeKind::ParallelGateway | NodeKind::InclusiveGateway(_));
        }
        if let Some((_, at_work)) = self.thrower.filter(|(thrower, _)| *thrower == token) {
            return at_work;
        }
        let at_work = |kind: &WaitKind| match kind {
            WaitKind::Continuation { .. } => false,
            WaitKind::Incident(incident) => {
                matches!(
                    incident.stage,
                    IncidentStage::Execute | IncidentStage::Throw(_) | IncidentStage::Job | IncidentStage::Retry(_)
                )
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
        let outside = self.instance.tokens.get(token).map_or(NONE, |token| token.scope);
        for listener in node.details.listeners.iter().filter(|listener| listener.stage == ListenerStage::End) {
            // A worker's listener cannot be waited for; `check` says so.
            if let ListenerAction::Evaluate(expression) = &listener.action {
                self.call_listener_at(token, expression, ListenerStage::End)?;
            }
        }
        for output in &node.details.outputs {
            self.put_out(token, outside, output)?;
        }
        Ok(())
    }
}
