//! Ends of paths and of scopes.

use super::{Closed, Event, Stage, Step};
use crate::behaviour;
use crate::dialect::ListenerStage;
use crate::graph::NodeKind;
use crate::instance::{IncidentStage, NONE, Owner, Phase, ROOT, ScopeId, ScopeKind, TokenId};

impl Step<'_, '_> {
    /// A token has come to the end of its path.
    pub(crate) fn end_path(&mut self, token: TokenId) {
        let Some(at) = self.instance.tokens.get(token) else { return };
        let (scope, waiter) = (at.scope, at.compensates_for);
        self.ended_at = at.node;
        self.emit(Event::TokenConsumed { token, cancelled: false });
        self.touch(scope);
        if waiter != NONE {
            return behaviour::compensation::go_on(self, waiter);
        }
        self.emptied(scope);
    }

    /// Completes a scope if nothing runs in it any more (BPMN 2.0.2 §13.3.4, §13.5.6).
    pub(crate) fn emptied(&mut self, id: ScopeId) {
        let Some(scope) = self.instance.scopes.get(id) else { return };
        if scope.token_count > 0 || scope.kind == ScopeKind::Loop {
            return;
        }
        if let Some(node) = self.graph.get_node(scope.node) {
            if node.plain && scope.first_wait == NONE && scope.more.is_none() {
                return self.end_plain_scope(id, scope.owner);
            }
            if let NodeKind::AdHoc(ad_hoc) = &node.kind {
                return behaviour::ad_hoc::went_on(self, id, ad_hoc);
            }
        }
        if scope.phase == Phase::Kept || (!scope.joins().is_empty() && behaviour::complex_gateway::reset_last(self, id))
        {
            return;
        }
        self.end_scope(id);
    }

    /// What contained tokens is done: its activity completes.
    #[inline(always)]
    pub(crate) fn end_scope(&mut self, id: ScopeId) {
        let Some(scope) = self.instance.scopes.get(id) else { return };
        let (owner, node, phase) = (scope.owner, scope.node, scope.phase);
        if scope.first_wait != NONE {
            self.close_waits(Owner::Scope(id), Closed::Cancelled);
        }
        if id == ROOT {
            return self.end_process(None, 0);
        }
        let node = self.graph.node(node);
        if node.plain {
            return self.end_plain_scope(id, owner);
        }
        if phase == Phase::Compensating {
            return behaviour::compensation::compensated(self, owner);
        }
        if matches!(node.kind, NodeKind::EventSubProcess(_)) {
            // The scope around an event sub-process goes on, or completes with it.
            self.close_waits(Owner::Token(owner), Closed::Cancelled);
            let details = &node.details;
            if !details.listeners.is_empty() || !details.outputs.is_empty() || details.continuation.after {
                return self.resume(owner, Stage::Complete);
            }
            self.retire(owner);
            return self.resume(owner, Stage::End);
        }
        self.resume(owner, Stage::Complete);
    }

    /// A sub-process is done that nothing surrounds and in which nothing waits.
    #[inline(always)]
    fn end_plain_scope(&mut self, id: ScopeId, owner: TokenId) {
        self.emit(Event::ScopeClosed { scope: id, cancelled: false });
        self.resume(owner, Stage::Leave);
    }

    /// Calls the end listeners of the process from the given one on; then it has ended. Where one fails, a token waits for help
    /// where the last one has ended.
    pub(super) fn end_process(&mut self, waiting: Option<TokenId>, from: u32) {
        if let Err((listener, error)) = self.call_process_listeners(ListenerStage::End, from) {
            let token = waiting.unwrap_or_else(|| self.born(ROOT, self.ended_at));
            return self.stuck(token, error.into(), IncidentStage::ProcessEnd(listener));
        }
        if let Some(token) = waiting {
            self.emit(Event::TokenConsumed { token, cancelled: false });
        }
        self.discard_kept(ROOT);
        self.emit(Event::InstanceCompleted);
    }

    /// Closes a scope that nothing runs in, and what was kept in it.
    pub(crate) fn discard(&mut self, id: ScopeId) {
        self.close_waits(Owner::Scope(id), Closed::Cancelled);
        self.discard_kept(id);
        self.emit(Event::ScopeClosed { scope: id, cancelled: false });
    }

    /// Closes the scopes that were kept for compensation in a scope, innermost first.
    #[inline]
    pub(crate) fn discard_kept(&mut self, id: ScopeId) {
        if self.instance.scopes.get(id).is_some_and(|scope| !scope.completed().is_empty()) {
            self.discard_all_kept(id);
        }
    }

    fn discard_all_kept(&mut self, id: ScopeId) {
        let mut agenda = vec![id];
        let mut kept = Vec::new();
        while let Some(scope) = agenda.pop() {
            let Some(scope) = self.instance.scopes.get(scope) else { continue };
            let inner = scope.completed().iter().map(|completed| completed.scope).filter(|scope| *scope != NONE);
            agenda.extend(inner.clone());
            kept.extend(inner);
        }
        while let Some(scope) = kept.pop() {
            self.emit(Event::ScopeClosed { scope, cancelled: false });
        }
    }
}
