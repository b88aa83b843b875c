//! Ending what still runs.

use super::{Closed, Event, Step, Told};
use crate::dialect::ListenerStage;
use crate::graph::ListenerAction;
use crate::graph::NodeKind;
use crate::instance::{NONE, Owner, ROOT, ScopeId, Token, TokenId, Wait, WaitId, WaitKind};
use crate::{Name, value::Value};

impl Step<'_, '_> {
    /// Ends the instance from outside.
    pub(super) fn cancel_instance(&mut self, reason: Option<Name>) {
        self.way_out_of_process();
        self.cancel_scope(ROOT);
        let reason = reason.map_or(NONE, |reason| self.keep(Value::String(reason)));
        self.emit(Event::InstanceCancelled { reason });
    }

    /// Ends a token and everything inside its flow node.
    pub(crate) fn cancel_token(&mut self, token: TokenId) {
        let Some(scope) = self.instance.tokens.get(token).map(|token| token.scope) else { return };
        let compensates = self.compensates(token);
        self.close_waits(Owner::Token(token), Closed::Cancelled);
        // Only now: a listener may have opened it.
        let inside = self.instance.tokens.get(token).map_or(NONE, |token| token.inside);
        if inside != NONE {
            self.cancel_scope(inside);
        }
        self.emit(Event::TokenConsumed { token, cancelled: true });
        self.touch(scope);
        if compensates {
            // Its handlers run elsewhere, and for nobody from now on.
            let runs_for_it = |(_, other): &(TokenId, &Token)| other.compensates_for == token;
            let handlers = self.instance.tokens.iter().filter(runs_for_it).map(|(handler, _)| handler);
            for handler in handlers.collect::<Vec<_>>() {
                self.cancel_token(handler);
            }
        }
    }

    fn compensates(&self, token: TokenId) -> bool {
        let first = self.instance.tokens.get(token).map_or(NONE, |token| token.first_wait);
        matches!(self.instance.waits.get(first), Some(Wait { kind: WaitKind::Compensation(_), .. }))
    }

    /// Ends everything in a scope, and the scope: innermost scopes first, so that however deep they nest, none is ended from
    /// within the end of another.
    pub(crate) fn cancel_scope(&mut self, scope: ScopeId) {
        let mut nested = vec![scope];
        let mut next = 0;
        while let Some(outer) = nested.get(next).copied() {
            let mut token = self.instance.scopes.get(outer).map_or(NONE, |scope| scope.first_token);
            while let Some(current) = self.instance.tokens.get(token) {
                nested.extend(Some(current.inside).filter(|inside| *inside != NONE));
                token = current.next;
            }
            next += 1;
        }
        while let Some(scope) = nested.pop() {
            if self.instance.scopes.get(scope).is_some() {
                self.cancel_one_scope(scope);
            }
        }
    }

    fn cancel_one_scope(&mut self, scope: ScopeId) {
        self.cancel_contents(scope, NONE);
        self.close_waits(Owner::Scope(scope), Closed::Cancelled);
        self.discard_kept(scope);
        if scope != ROOT {
            self.emit(Event::ScopeClosed { scope, cancelled: true });
        }
    }

    /// Ends every token of a scope but one.
    pub(crate) fn cancel_contents(&mut self, scope: ScopeId, but: TokenId) {
        loop {
            // Looked up anew each time: one token's end can end others.
            let first = self.instance.scopes.get(scope).map_or(NONE, |scope| scope.first_token);
            let next = self.instance.tokens.get(first).map_or(NONE, |token| token.next);
            let token = if first == but { next } else { first };
            if token == NONE {
                break;
            }
            self.cancel_token(token);
        }
        while let Some(here) = self.instance.scopes.get(scope)
            && let Some(token) = here.joins().iter().find_map(|join| join.heads().next())
        {
            self.cancel_token(token);
        }
    }

    /// The latest of what a token or scope waits for.
    #[inline]
    fn first_wait(&self, owner: Owner) -> WaitId {
        match owner {
            Owner::Token(token) => self.instance.tokens.get(token).map_or(NONE, |token| token.first_wait),
            Owner::Scope(scope) => self.instance.scopes.get(scope).map_or(NONE, |scope| scope.first_wait),
        }
    }

    /// Closes all that a token or scope waits for.
    #[inline]
    pub(crate) fn close_waits(&mut self, owner: Owner, reason: Closed) {
        if self.first_wait(owner) != NONE {
            self.close_all(owner, reason);
        }
    }

    /// What a token waits for is over, apart from the boundary events of its activity.
    pub(super) fn close_work(&mut self, token: TokenId) {
        let mut next = self.first_wait(Owner::Token(token));
        while let Some(wait) = self.instance.waits.get(next) {
            let (current, node) = (next, wait.node);
            next = wait.next;
            if !matches!(self.graph.node(node).kind, NodeKind::BoundaryEvent(_)) {
                self.close(current, Closed::Cancelled);
            }
        }
    }

    fn close_all(&mut self, owner: Owner, reason: Closed) {
        loop {
            let first = self.first_wait(owner);
            let Some(wait) = self.instance.waits.get(first) else { return };
            if matches!(wait.kind, WaitKind::UserTask(_)) && reason == Closed::Cancelled {
                self.call_delete_listeners(first);
            }
            self.close(first, reason);
        }
    }

    /// Task listeners on deletion only watch: nothing can be held up any more, so a failure changes nothing.
    fn call_delete_listeners(&mut self, wait: WaitId) {
        let Some(wait) = self.instance.waits.get(wait) else { return };
        let node = wait.node;
        let (Owner::Token(token), WaitKind::UserTask(task)) = (wait.owner, &wait.kind) else { return };
        let told = Told { stage: ListenerStage::Delete, task: Some((&**task).into()) };
        let graph = self.graph;
        for listener in graph.node(node).details.listeners.iter().filter(|l| l.stage == ListenerStage::Delete) {
            if let ListenerAction::Evaluate(expression) = &listener.action {
                // An error here has no token left to wait on; what the listener had set before it stays.
                let _ = self.call_listener_at(token, expression, told.clone());
            }
        }
    }
}
