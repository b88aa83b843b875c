//! The one place where an instance changes.

use super::join::{self, Queue};
use super::{
    Completed, Instance, Join, Key, LoopState, NONE, Ordinal, Owner, Phase, ROOT, Scope, ScopeId, ScopeKind, Slab,
    State, Token, TokenId, TokenState, WaitId,
};
use crate::Name;
use crate::step::{Event, Events};
use crate::value::Value;

impl Instance {
    /// Folds one event into the state. `events` gives the side tables that the event refers to.
    ///
    /// It evaluates nothing and asks no model, so that folding the events of an instance's history gives the instance. An
    /// event that does not follow from the state leaves it as it is.
    #[inline(always)]
    pub fn apply(&mut self, event: Event, events: &Events) {
        match event {
            Event::InstanceStarted { start } => {
                self.state = State::Active;
                self.now = self.now.max(events.now);
                if let Some(start) = events.starts.get(start as usize) {
                    self.business_key.clone_from(&start.business_key);
                    self.caller = start.caller.clone().map(Box::new);
                    self.started_by = start.started_by.unwrap_or_default();
                    self.caught = start.caught;
                }
                self.scopes.insert(Scope::new(ScopeKind::Process, NONE, NONE, NONE, NONE));
            }
            Event::TokenCreated { token, scope, node } => {
                self.create(token, scope, NONE, node);
            }
            Event::TokenMoved { token, flow, node } => {
                self.moved(token, flow, node);
            }
            Event::TokenWaited { token } => self.set_token_state(token, TokenState::Waiting),
            Event::TokenResumed { token } => {
                self.resumed(token);
            }
            Event::TokenJoined { token, position, incoming, upstream } => {
                self.enqueue(token, position, incoming, upstream, false);
            }
            Event::TokenConsumed { token, cancelled } => {
                if let Some(scope) = self.consume(token)
                    && cancelled
                    && let Some(repeat) = scope.repeat_mut()
                {
                    repeat.terminated += 1;
                }
            }
            Event::CompensationStarted { token, waiter } => {
                if let Some(token) = self.tokens.get_mut(token) {
                    token.compensates_for = waiter;
                }
            }
            Event::ComplexActivated { scope, node } => {
                if let Some(join) = self.join_mut(scope, node) {
                    join.received = Some(join.queues.iter().map(|queue| queue.first != NONE).collect());
                }
            }
            Event::ComplexReset { scope, node } => {
                if let Some(join) = self.join_mut(scope, node) {
                    join.received = None;
                }
                if let Some(scope) = self.scopes.get_mut(scope) {
                    self.upstream_joins -= drop_if_empty(scope, node);
                }
            }
            Event::ScopeOpened { scope: id, kind, token, round } => {
                if let Some(owner) = self.tokens.get_mut(token) {
                    owner.inside = id;
                    let (node, parent) = (owner.node, owner.scope);
                    self.scopes.insert_next(id, || Scope::new(kind, node, token, parent, round));
                }
            }
            Event::ScopePhase { scope, phase } => {
                if let Some(scope) = self.scopes.get_mut(scope) {
                    scope.phase = phase;
                }
            }
            Event::ScopeClosed { scope, cancelled: _ } => self.close_scope(scope),
            Event::ActivityCompensable { scope, node, kept } => {
                if let Some(scope) = self.scopes.get_mut(scope) {
                    scope.more_mut().completed.push(Completed { node, scope: kept, after: self.created });
                }
                self.detach_scope(kept, scope);
            }
            Event::CompensationTaken { scope, index } => {
                if let Some(scope) = self.scopes.get_mut(scope)
                    && (index as usize) < scope.completed().len()
                {
                    scope.more_mut().completed.remove(index as usize);
                }
            }
            Event::ScopeReopened { scope, token } => {
                if let Some(reopened) = self.scopes.get_mut(scope) {
                    reopened.owner = token;
                    reopened.phase = Phase::Compensating;
                }
                if let Some(token) = self.tokens.get_mut(token) {
                    token.inside = scope;
                }
            }
            Event::LoopStarted { scope, total, items } => {
                let items = events.values.get(items as usize).cloned().unwrap_or_default();
                if let Some(scope) = self.scopes.get_mut(scope) {
                    let (started, completed, terminated, results) = (0, 0, 0, Vec::new());
                    scope.more_mut().repeat = Some(LoopState { total, started, completed, terminated, items, results });
                }
            }
            Event::RoundPassed { scope, round: _ } => {
                if let Some(repeat) = self.scopes.get_mut(scope).and_then(|scope| scope.repeat_mut()) {
                    repeat.started += 1;
                    repeat.completed += 1;
                }
            }
            Event::RoundEnded { token, round, result } => {
                let Some(repeat) = self.consume(token).and_then(Scope::repeat_mut) else { return };
                repeat.completed += 1;
                if let Some(result) = events.values.get(result as usize) {
                    let index = round as usize;
                    if repeat.results.len() <= index {
                        repeat.results.resize(index + 1, Value::Null);
                    }
                    repeat.results[index] = result.clone();
                }
            }
            Event::VariableSet { scope, variable } => {
                if let Some((name, value)) = events.variables.get(variable as usize)
                    && let Some(scope) = self.scopes.get_mut(scope)
                {
                    scope.set(name, value);
                }
            }
            Event::VariableRemoved { scope, name } => {
                if let Some(name) = text(events, name)
                    && let Some(scope) = self.scopes.get_mut(scope)
                {
                    scope.unset(&name);
                }
            }
            Event::WaitOpened { details } => {
                self.now = self.now.max(events.now);
                if let Some(details) = events.waits.get(details as usize) {
                    self.open_wait(details.clone().into_wait());
                }
            }
            Event::WaitClosed { key, kind: _, reason: _ } => {
                self.now = self.now.max(events.now);
                self.close_wait(key);
            }
            Event::WaitChanged { key, change } => {
                if let Some(change) = events.changes.get(change as usize)
                    && let Some(wait) = self.waits.find(key).and_then(|id| self.waits.get_mut(id))
                {
                    wait.kind = change.clone();
                }
            }
            Event::CorrelationSet { property } => {
                if let Some(property) = events.variables.get(property as usize) {
                    self.correlation.push(property.clone());
                }
            }
            Event::MessageThrown { .. }
            | Event::SignalThrown { .. }
            | Event::EscalationThrown { .. }
            | Event::CallersEnded { .. } => {}
            Event::Migrated { migration } => {
                if let Some(migration) = events.migrations.get(migration as usize) {
                    self.migrate(migration);
                }
            }
            Event::InstanceCompleted => self.end(State::Completed),
            Event::InstanceFailed { code, message, .. } => self.end(State::Failed {
                code: text(events, code).unwrap_or_else(|| "".into()),
                message: text(events, message),
            }),
            Event::InstanceCancelled { reason } => self.end(State::Cancelled { reason: text(events, reason) }),
        }
    }

    fn end(&mut self, state: State) {
        self.state = state;
    }

    fn set_token_state(&mut self, token: TokenId, state: TokenState) {
        if let Some(token) = self.tokens.get_mut(token) {
            token.state = state;
        }
    }

    /// A token goes by a flow to a flow node; gives its serial.
    #[inline(always)]
    pub(crate) fn moved(&mut self, id: TokenId, flow: Ordinal, node: Ordinal) -> Option<u32> {
        let token = self.tokens.get_mut(id)?;
        token.flow = flow;
        token.node = node;
        token.state = TokenState::Moving;
        Some(token.serial)
    }

    /// A token moves again; gives its serial.
    #[inline]
    pub(crate) fn resumed(&mut self, id: TokenId) -> Option<u32> {
        let token = self.tokens.get_mut(id)?;
        let serial = token.serial;
        if let TokenState::Joined { position } = std::mem::replace(&mut token.state, TokenState::Moving) {
            self.leave_queue(id, position);
        }
        Some(serial)
    }

    /// A new token on a flow node, which it has come to by a flow or not, last in its scope's list; gives its serial.
    #[inline]
    pub(crate) fn create(&mut self, id: TokenId, scope_id: ScopeId, flow: Ordinal, node: Ordinal) -> u32 {
        let serial = self.created;
        self.created = serial.wrapping_add(1);
        let mut previous = NONE;
        if let Some(scope) = self.scopes.get_mut(scope_id) {
            scope.token_count += 1;
            if let Some(repeat) = scope.repeat_mut() {
                repeat.started += 1;
            }
            previous = std::mem::replace(&mut scope.last_token, id);
            match self.tokens.get_mut(previous) {
                Some(previous) => previous.next = id,
                None => scope.first_token = id,
            }
        }
        self.tokens.insert_next(id, || Token { flow, previous, ..Token::new(serial, scope_id, node) });
        serial
    }

    /// Takes a token away; gives the scope that it was in.
    #[inline]
    fn consume(&mut self, id: TokenId) -> Option<&mut Scope> {
        let told = |token: &Token| (token.scope, token.node, token.state, (token.previous, token.next));
        let (scope, node, state, neighbours) = self.tokens.release(id, told)?;
        let scope = self.scopes.get_mut(scope)?;
        scope.token_count -= 1;
        match state {
            TokenState::Joined { position } => {
                self.upstream_joins -= unqueue(scope, &mut self.tokens, node, position, neighbours);
            }
            TokenState::Moving | TokenState::Waiting => unlink(scope, &mut self.tokens, neighbours),
        }
        Some(scope)
    }

    /// Moves a token from the queue of its flow node to the end of its scope's list.
    fn leave_queue(&mut self, id: TokenId, position: u32) {
        let Some(token) = self.tokens.get(id) else { return };
        let (node, neighbours) = (token.node, (token.previous, token.next));
        let Some(scope) = self.scopes.get_mut(token.scope) else { return };
        self.upstream_joins -= unqueue(scope, &mut self.tokens, node, position, neighbours);
        let last = std::mem::replace(&mut scope.last_token, id);
        if last == NONE {
            scope.first_token = id;
        } else if let Some(last) = self.tokens.get_mut(last) {
            last.next = id;
        }
        if let Some(token) = self.tokens.get_mut(id) {
            token.previous = last;
            token.next = NONE;
        }
    }

    /// Moves a token from its scope's list to the queue of its flow node; or, if that is asked for, leaves it where it is if it
    /// is the last that the join lacks. Says whether it was moved.
    #[inline(always)]
    pub(crate) fn enqueue(
        &mut self,
        id: TokenId,
        position: u32,
        incoming: u32,
        upstream: bool,
        unless_last: bool,
    ) -> bool {
        let Some(token) = self.tokens.get_mut(id).filter(|_| position < incoming) else { return true };
        let Some(scope) = self.scopes.get_mut(token.scope) else { return true };
        let (node, neighbours) = (token.node, (token.previous, token.next));
        if unless_last && scope.join_mut(node).is_some_and(|join| join.lacks_only(position, incoming)) {
            return false;
        }
        token.state = TokenState::Joined { position };
        (token.previous, token.next) = (NONE, NONE);
        unlink(scope, &mut self.tokens, neighbours);
        let joins = &mut scope.more_mut().joins;
        let index = match join::place(joins, node) {
            Ok(index) => index,
            Err(index) => {
                self.upstream_joins += u32::from(upstream);
                joins.insert(index, Join::new(node, upstream, incoming));
                index
            }
        };
        let Some(join) = joins.get_mut(index) else { return true };
        let Some(queue) = join.queues.get_mut(position as usize) else { return true };
        let last = std::mem::replace(&mut queue.last, id);
        join.tokens += 1;
        if last == NONE {
            queue.first = id;
            join.present += 1;
            return true;
        }
        if let Some(last) = self.tokens.get_mut(last) {
            last.next = id;
        }
        if let Some(token) = self.tokens.get_mut(id) {
            token.previous = last;
        }
        true
    }

    /// The oldest token of each queue of a join is used up, but for the one that survives: what folding
    /// [`Event::TokenConsumed`] of each gives, with the join looked up once. Tells of each.
    pub(crate) fn consume_heads(
        &mut self,
        id: ScopeId,
        node: Ordinal,
        survivor: TokenId,
        mut consumed: impl FnMut(TokenId),
    ) {
        let Some(scope) = self.scopes.get_mut(id) else { return };
        let Some(join) = scope.join_mut(node) else { return };
        let before = join.tokens;
        for queue in &mut join.queues {
            let head = queue.first;
            if head == survivor {
                continue;
            }
            let Some(next) = self.tokens.release(head, |token| token.next) else { continue };
            match self.tokens.get_mut(next) {
                Some(next) => next.previous = NONE,
                None => {
                    queue.last = NONE;
                    join.present -= 1;
                }
            }
            queue.first = next;
            join.tokens -= 1;
            consumed(head);
        }
        let left = join.tokens;
        scope.token_count -= before - left;
        if left == 0 {
            self.upstream_joins -= drop_if_empty(scope, node);
        }
    }

    fn join_mut(&mut self, scope: ScopeId, node: u32) -> Option<&mut Join> {
        self.scopes.get_mut(scope)?.join_mut(node)
    }

    /// Takes a scope away from its token, to be kept for compensation.
    fn detach_scope(&mut self, kept: ScopeId, parent: ScopeId) {
        let Some(scope) = self.scopes.get_mut(kept) else { return };
        let owner = std::mem::replace(&mut scope.owner, NONE);
        scope.phase = Phase::Kept;
        scope.parent = parent;
        if let Some(token) = self.tokens.get_mut(owner) {
            token.inside = NONE;
        }
    }

    fn close_scope(&mut self, id: ScopeId) {
        if id == ROOT {
            return;
        }
        let told =
            |scope: &Scope| (scope.owner, scope.joins().iter().map(|join| u32::from(join.upstream)).sum::<u32>());
        let Some((owner, upstream_joins)) = self.scopes.release(id, told) else { return };
        self.upstream_joins -= upstream_joins;
        if let Some(owner) = self.tokens.get_mut(owner)
            && owner.inside == id
        {
            owner.inside = NONE;
        }
    }

    fn first_wait_mut(&mut self, owner: Owner) -> Option<&mut WaitId> {
        match owner {
            Owner::Token(token) => self.tokens.get_mut(token).map(|token| &mut token.first_wait),
            Owner::Scope(scope) => self.scopes.get_mut(scope).map(|scope| &mut scope.first_wait),
        }
    }

    fn open_wait(&mut self, mut wait: super::Wait) {
        let id = self.waits.next();
        if let Some(first) = self.first_wait_mut(wait.owner) {
            wait.next = std::mem::replace(first, id);
        }
        if let Some(next) = self.waits.get_mut(wait.next) {
            next.previous = id;
        }
        self.waits.insert(wait);
    }

    fn close_wait(&mut self, key: Key) {
        let Some((_, wait)) = self.waits.remove(key) else { return };
        if let Some(previous) = self.waits.get_mut(wait.previous) {
            previous.next = wait.next;
        } else if let Some(first) = self.first_wait_mut(wait.owner) {
            *first = wait.next;
        }
        if let Some(next) = self.waits.get_mut(wait.next) {
            next.previous = wait.previous;
        }
    }
}

fn text(events: &Events, index: u32) -> Option<Name> {
    match events.values.get(index as usize) {
        Some(Value::String(text)) => Some(text.clone()),
        _ => None,
    }
}

/// Joins the neighbours, before and after, of a token that leaves its scope's list.
#[inline]
fn unlink(scope: &mut Scope, tokens: &mut Slab<Token>, (previous, next): (TokenId, TokenId)) {
    match tokens.get_mut(previous) {
        Some(before) => before.next = next,
        None => scope.first_token = next,
    }
    match tokens.get_mut(next) {
        Some(after) => after.previous = previous,
        None => scope.last_token = previous,
    }
}

/// Takes a token, between its neighbours, out of its join's queue. Gives how many joins that look upstream are gone with it.
#[inline(always)]
fn unqueue(
    scope: &mut Scope,
    tokens: &mut Slab<Token>,
    node: u32,
    position: u32,
    (previous, next): (TokenId, TokenId),
) -> u32 {
    let Some(join) = scope.join_mut(node) else { return 0 };
    let Some(queue) = join.queues.get_mut(position as usize) else { return 0 };
    if (previous, next) == (NONE, NONE) {
        // The only one, which is most common.
        *queue = Queue::EMPTY;
        join.present -= 1;
    } else {
        match tokens.get_mut(previous) {
            Some(previous) => previous.next = next,
            None => queue.first = next,
        }
        match tokens.get_mut(next) {
            Some(next) => next.previous = previous,
            None => queue.last = previous,
        }
    }
    join.tokens -= 1;
    if join.tokens == 0 { drop_if_empty(scope, node) } else { 0 }
}

/// Forgets a join in which nothing waits. Gives how many joins that look upstream are gone with it.
fn drop_if_empty(scope: &mut Scope, node: u32) -> u32 {
    let joins = &mut scope.more_mut().joins;
    match join::place(joins, node) {
        Ok(index) if joins[index].tokens == 0 && joins[index].received.is_none() => {
            u32::from(joins.remove(index).upstream)
        }
        _ => 0,
    }
}
