//! Events occur: a catching event goes on, a boundary event leaves its activity, an event sub-process begins, an
//! event-based gateway is decided.

use std::sync::Arc;

use crate::behaviour::user_task;
use crate::dialect::{Dialect, ListenerStage};
use crate::expressions::EvaluationError;
use crate::graph::{Catch, Container, NodeKind};
use crate::instance::{
    IncidentKind, IncidentStage, NONE, OccurredWait, Ordinal, Owner, Phase, ScopeId, ScopeKind, TimerWait, TokenId,
    Wait, WaitId, WaitKind,
};
use crate::step::{Closed, Event, Stage, Step, Variables, WayOut};
use crate::trigger::timer;
use crate::{Name, value::Value};

impl Step<'_, '_> {
    /// What a wait was for has happened.
    pub(crate) fn occurred(&mut self, wait: WaitId, mut payload: Variables) {
        let Some((owner, node, definition, kind)) =
            self.instance.waits.get(wait).map(|wait| (wait.owner, wait.node, wait.definition, wait.kind.clone()))
        else {
            return;
        };
        self.graph.take_item(node, definition, &mut payload);
        let graph = self.graph;
        let needs_all = graph.node(node).kind.needs_all() && self.is_at(owner, node);
        if needs_all {
            match self.all_occurred(wait, payload) {
                Some(all) => payload = all,
                None => return,
            }
        }
        match (owner, &graph.node(node).kind) {
            (Owner::Token(token), NodeKind::BoundaryEvent(event)) => {
                if event.interrupting {
                    if !needs_all {
                        self.close(wait, Closed::Completed);
                    }
                    self.interrupt(token, node, payload);
                } else {
                    let scope = self.instance.tokens.get(token).map_or(NONE, |token| token.scope);
                    if !needs_all {
                        self.reopened(wait, &kind);
                    }
                    if graph.dialect() == Dialect::Camunda {
                        self.set_all(self.variable_scope(token), std::mem::take(&mut payload));
                    }
                    let born = self.born(scope, node);
                    self.arrive(born, payload);
                }
            }
            (Owner::Scope(scope), NodeKind::StartEvent(event)) => {
                match event.interrupting {
                    _ if needs_all => {}
                    true => self.close(wait, Closed::Completed),
                    false => self.reopened(wait, &kind),
                }
                self.begin_event_sub_process(scope, node, payload);
            }
            (Owner::Token(token), NodeKind::UserTask(_)) => {
                let listener = self.instance.waits.get(wait).map_or(NONE, |wait| wait.definition);
                self.reopened(wait, &kind);
                if self.stands(token) {
                    user_task::tell_one(self, token, listener);
                }
            }
            (Owner::Token(token), _) => {
                if !needs_all {
                    self.close(wait, Closed::Completed);
                }
                let here = self.node_of(token);
                if here == node {
                    self.close_event_waits(owner, node);
                    self.receive_from(token, node, payload);
                    if self.outlives_conditions(token) {
                        self.resume(token, Stage::Complete);
                    }
                    return;
                }
                // An event-based gateway is decided (BPMN 2.0.2 §13.4.4): the token goes to the event that occurred.
                self.close_waits(owner, Closed::Cancelled);
                let flow = graph.node(here).outgoing.iter().find(|flow| graph.flow(**flow).target == node);
                if let Some(flow) = flow {
                    let (left, payload) = self.leave_event_gateway(token, node, payload);
                    self.emit(Event::TokenMoved { token, flow: *flow, node });
                    match left {
                        Ok(()) => self.arrive(token, payload),
                        Err(_) => {
                            self.receive_from(token, node, payload);
                            self.leave_event_after(token, left);
                        }
                    }
                }
            }
            (Owner::Scope(_), _) => {}
        }
    }

    /// The end listeners of an event-based gateway are called when an event has occurred; in Camunda 7 they see what came with it.
    /// What fails there is told by the event, for the gateway is decided. Gives what is still to be received, too.
    fn leave_event_gateway(&mut self, token: TokenId, event: Ordinal, mut payload: Variables) -> (WayOut, Variables) {
        let gateway = self.node(token);
        if gateway.plain {
            return (Ok(()), payload);
        }
        if self.graph.dialect() == Dialect::Camunda {
            self.receive_from(token, event, std::mem::take(&mut payload));
        }
        let left = self.leave_early(token).map_err(|error| {
            format!("the end listeners and outputs of `{}` are not all done: {error}; set what is missing", gateway.id)
        });
        let inside = self.instance.tokens.get(token).map_or(NONE, |token| token.inside);
        if inside != NONE {
            self.discard(inside);
        }
        (left, payload)
    }

    /// A non-interrupting event has occurred and stays: a message or signal subscription stands, a cycle's next time is set.
    fn reopened(&mut self, wait: WaitId, kind: &WaitKind) {
        match kind {
            WaitKind::Timer(timer) => timer::go_on(self, wait, timer, false),
            WaitKind::Condition { .. } | WaitKind::Message(_) | WaitKind::Signal(_) => {}
            _ => self.close(wait, Closed::Completed),
        }
    }

    /// Whether the event is what the owner waits for, rather than one behind its event-based gateway, which only one thing decides.
    fn is_at(&self, owner: Owner, node: Ordinal) -> bool {
        match (owner, &self.graph.node(node).kind) {
            (Owner::Token(token), NodeKind::CatchEvent(_)) => self.node_of(token) == node,
            _ => true,
        }
    }

    /// One of the definitions of an event that needs all of them has occurred. What came with each is kept until the last one has
    /// (BPMN 2.0.2 §10.5.1: parallel multiple); then gives all of it, in the order in which it came.
    fn all_occurred(&mut self, wait: WaitId, payload: Variables) -> Option<Variables> {
        let Wait { owner, node, definition, ref kind, .. } = *self.instance.waits.get(wait)?;
        let kind = kind.clone();
        let stays = match &self.graph.node(node).kind {
            NodeKind::BoundaryEvent(event) => !event.interrupting,
            NodeKind::StartEvent(event) => !event.interrupting,
            _ => false,
        };
        match &kind {
            // A timer goes on counting meanwhile.
            WaitKind::Timer(timer) if stays => timer::go_on(self, wait, timer, true),
            _ => self.close(wait, Closed::Completed),
        }
        if self.still_waits(owner, node) {
            if !payload.is_empty() {
                self.open(owner, node, definition, WaitKind::Occurred(OccurredWait { payload }.into()));
            }
            return None;
        }
        let occurred: Vec<(WaitId, Arc<OccurredWait>)> = self
            .waits_of(owner)
            .filter_map(|(id, wait)| match &wait.kind {
                WaitKind::Occurred(occurred) if wait.node == node => Some((id, occurred.clone())),
                _ => None,
            })
            .collect();
        let mut all = Variables::new();
        for (wait, occurred) in occurred {
            self.close(wait, Closed::Completed);
            all.extend(occurred.payload.iter().cloned());
        }
        all.extend(payload);
        if stays {
            self.begin_anew(owner, node);
        }
        Some(all)
    }

    /// A non-interrupting event that needs all of its definitions has occurred, and waits for them again. What has no next time ends
    /// the event as a whole.
    fn begin_anew(&mut self, owner: Owner, node: Ordinal) {
        let scope = match owner {
            Owner::Scope(scope) => scope,
            Owner::Token(token) => self.variable_scope(token),
        };
        let catches = self.graph.catches(node);
        let timers: Vec<(WaitId, TimerWait)> = self
            .waits_of(owner)
            .filter(|(_, wait)| wait.node == node)
            .filter_map(|(id, wait)| match &wait.kind {
                WaitKind::Timer(timer) => Some((id, TimerWait { occurred: false, ..(**timer).clone() })),
                _ => None,
            })
            .collect();
        if catches.iter().filter(|catch| matches!(catch, Catch::Timer { .. })).count() > timers.len() {
            return self.close_event_waits(owner, node);
        }
        for (wait, timer) in timers {
            self.change(wait, WaitKind::Timer(Arc::new(timer)));
        }
        for (definition, catch) in (0..).zip(catches).filter(|(_, catch)| !matches!(catch, Catch::Timer { .. })) {
            if let Err(error) = self.subscribe_to(owner, node, scope, definition, catch)
                && let Owner::Token(token) = owner
            {
                self.stuck(token, error.into(), IncidentStage::Enter);
                break;
            }
        }
    }

    /// Whether a definition of an event has not occurred yet.
    fn still_waits(&self, owner: Owner, node: Ordinal) -> bool {
        let is_awaited = |kind: &WaitKind| match kind {
            WaitKind::Timer(timer) => !timer.occurred,
            WaitKind::Incident(_) | WaitKind::Occurred(_) => false,
            _ => true,
        };
        self.waits_of(owner).any(|(_, wait)| wait.node == node && is_awaited(&wait.kind))
    }

    /// Closes what else an event waits for.
    fn close_event_waits(&mut self, owner: Owner, node: Ordinal) {
        let others: Vec<WaitId> =
            self.waits_of(owner).filter(|(_, wait)| wait.node == node).map(|(id, _)| id).collect();
        for wait in others {
            self.close(wait, Closed::Cancelled);
        }
    }

    pub(crate) fn waits_of(&self, owner: Owner) -> impl Iterator<Item = (WaitId, &crate::instance::Wait)> {
        let first = match owner {
            Owner::Token(token) => self.instance.tokens.get(token).map_or(NONE, |token| token.first_wait),
            Owner::Scope(scope) => self.instance.scopes.get(scope).map_or(NONE, |scope| scope.first_wait),
        };
        std::iter::successors(self.instance.waits.get(first).map(|wait| (first, wait)), |(_, wait)| {
            self.instance.waits.get(wait.next).map(|next| (wait.next, next))
        })
    }

    /// A token is born.
    pub(crate) fn born(&mut self, scope: ScopeId, node: Ordinal) -> TokenId {
        let token = self.instance.tokens.next();
        self.emit(Event::TokenCreated { token, scope, node });
        token
    }

    /// An interrupting boundary event ends its activity; a token goes on from the event (BPMN 2.0.2 §13.5.3).
    pub(crate) fn interrupt(&mut self, token: TokenId, boundary: Ordinal, mut payload: Variables) {
        let Some((scope, waiter)) = self.instance.tokens.get(token).map(|token| (token.scope, token.compensates_for))
        else {
            return;
        };
        if self.graph.dialect() == Dialect::Camunda {
            self.set_all(self.variable_scope(token), std::mem::take(&mut payload));
        }
        let left = self.way_out_of(token);
        self.cancel_token(token);
        let born = self.born(scope, boundary);
        if waiter != NONE {
            self.emit(Event::CompensationStarted { token: born, waiter });
        }
        self.receive_from(born, boundary, payload);
        self.leave_event_after(born, left);
    }

    /// A token stands on an event that has just occurred, and leaves it.
    pub(crate) fn arrive(&mut self, token: TokenId, payload: Variables) {
        if self.node(token).details.repeat.is_some() {
            return self.begin_rounds(token, payload);
        }
        self.receive_from(token, self.node_of(token), payload);
        self.leave_event(token);
    }

    /// The message that decided an event-based gateway is for a receive task that repeats: it is its first round's.
    fn begin_rounds(&mut self, token: TokenId, payload: Variables) {
        let ordinal = self.node_of(token);
        if self.budget == 0 {
            self.set_all(self.variable_scope(token), payload);
            return self.out_of_budget(token, IncidentStage::Enter);
        }
        self.budget -= 1;
        self.begin(token, ordinal);
        let details = &self.node(token).details;
        let inside = self.instance.tokens.get(token).map_or(NONE, |token| token.inside);
        let first = self.instance.scopes.get(inside).map_or(NONE, |scope| scope.first_token);
        match self.instance.tokens.get(first).map(|round| round.inside) {
            Some(round) => {
                for (name, value) in payload {
                    if details.isolated || details.locals.contains(&name) {
                        self.set_local(round, name, value);
                    } else {
                        self.set_nearest(round, name, value);
                    }
                }
            }
            None => self.set_all(self.variable_scope(token), payload),
        }
    }

    /// A token leaves the event that it stands on, once what comes before it is done: its savepoint, inputs and start listeners. It may have come by no flow, and
    /// what it sets may let the event occur again: so it weighs on the budget here.
    pub(crate) fn leave_event(&mut self, token: TokenId) {
        self.leave_event_after(token, Ok(()));
    }

    /// A token leaves the event that it stands on; what the event interrupts has been left with that outcome.
    fn leave_event_after(&mut self, token: TokenId, left: WayOut) {
        let details = &self.node(token).details;
        let (stage, again) = match self.first_start_listener(token) {
            _ if details.repeat.is_some() => (Stage::Begin, IncidentStage::Enter),
            _ if details.continuation.before || !details.inputs.is_empty() => (Stage::Enter, IncidentStage::Arrive),
            Some(index) => (Stage::Listen(index), IncidentStage::Listener(index)),
            None => (Stage::Complete, IncidentStage::Complete),
        };
        if let Err(message) = left {
            return self.incident(token, IncidentKind::Expression, &message, again);
        }
        if self.budget == 0 {
            return self.out_of_budget(token, again);
        }
        self.budget -= 1;
        self.charge_token(token);
        self.schedule(token, stage);
    }

    /// What came with an event is set at a token.
    pub(crate) fn receive_from(&mut self, token: TokenId, event: Ordinal, payload: Variables) {
        for (name, value) in payload {
            if self.keeps_to_itself(event, &name) && !self.node(token).details.isolated {
                self.set_local(self.variable_scope(token), name, value);
            } else {
                self.receive_one(token, name, value);
            }
        }
    }

    /// Whether an event sets this variable of a caught error in its own scope only.
    fn keeps_to_itself(&self, event: Ordinal, name: &Name) -> bool {
        self.graph.catches(event).iter().any(|catch| {
            matches!(catch, Catch::Error { code_variable, message_variable, local: true, .. }
                if [code_variable, message_variable].into_iter().any(|variable| variable.as_ref() == Some(name)))
        })
    }

    /// What came with an event or work is set: in a scope of its own where output mappings choose from it.
    pub(crate) fn receive(&mut self, token: TokenId, payload: impl IntoIterator<Item = (Name, Value)>) {
        for (name, value) in payload {
            self.receive_one(token, name, value);
        }
    }

    /// One variable that came with an event or work.
    #[inline]
    pub(crate) fn receive_one(&mut self, token: TokenId, name: Name, value: Value) {
        if self.node(token).details.isolated {
            let scope = self.own_scope(token);
            self.set_local(scope, name, value);
        } else {
            self.set_nearest(self.variable_scope(token), name, value);
        }
    }

    /// An event sub-process begins (BPMN 2.0.2 §13.5.4): if interrupting, everything else in its scope ends.
    pub(crate) fn begin_event_sub_process(&mut self, scope: ScopeId, start: Ordinal, payload: Variables) {
        if let Some((token, left)) = self.token_for_event_sub_process(scope, start) {
            self.begin_event_sub_process_with(token, start, payload, left);
        }
    }

    /// The token of an event sub-process that is about to begin, and how what it interrupts was left.
    pub(crate) fn token_for_event_sub_process(&mut self, scope: ScopeId, start: Ordinal) -> Option<(TokenId, WayOut)> {
        let graph = self.graph;
        let event_sub_process = graph.node(start).parent?;
        let mut left = Ok(());
        if let NodeKind::StartEvent(event) = &graph.node(start).kind
            && event.interrupting
        {
            left = self.way_out_within(scope);
            self.cancel_contents(scope, NONE);
            self.close_waits(Owner::Scope(scope), Closed::Cancelled);
            self.emit(Event::ScopePhase { scope, phase: Phase::Ending });
        }
        Some((self.born(scope, event_sub_process), left))
    }

    /// Gives an event sub-process its inputs and data.
    pub(crate) fn begin_scope(&mut self, scope: ScopeId) -> Result<(), EvaluationError> {
        let graph = self.graph;
        let node = self.instance.scopes.get(scope).map_or(NONE, |scope| scope.node);
        if let NodeKind::EventSubProcess(_) = graph.node(node).kind {
            self.set_inputs(scope, node, &graph.node(node).details.inputs)?;
        }
        crate::behaviour::sub_process::open_scope(self, scope)
    }

    /// An event sub-process begins with a token that stands on it.
    pub(crate) fn begin_event_sub_process_with(
        &mut self,
        token: TokenId,
        start: Ordinal,
        payload: Variables,
        left: WayOut,
    ) {
        let (inside, opened) = self.open_event_sub_process(token);
        let born = self.born(inside, start);
        self.receive_from(born, start, payload);
        match opened {
            Ok(()) => self.listen_before_event(token, born, left),
            Err(error) => self.stuck(born, error.into(), IncidentStage::Open),
        }
    }

    /// The start listeners of an event sub-process are called; its start event waits for them.
    fn listen_before_event(&mut self, token: TokenId, event: TokenId, left: WayOut) {
        let Some(first) = self.first_start_listener(token) else { return self.leave_event_after(event, left) };
        self.wait_for_listeners(event);
        match left {
            Ok(()) => self.resume(token, Stage::Listen(first)),
            Err(message) => {
                self.incident(token, IncidentKind::Expression, &message, IncidentStage::Listener(first));
            }
        }
    }

    /// A token waits until the start listeners of the event sub-process around it have been called.
    pub(crate) fn wait_for_listeners(&mut self, token: TokenId) {
        self.wait(token, WaitKind::Occurred(OccurredWait { payload: Variables::new() }.into()));
    }

    pub(crate) fn first_start_listener(&self, token: TokenId) -> Option<u32> {
        let listeners = &self.node(token).details.listeners;
        let first = (0..).zip(listeners).find(|(_, listener)| listener.stage == ListenerStage::Start);
        first.map(|(index, _)| index)
    }

    /// The start listeners of an event sub-process have been called: what waits in it for that begins. Where a listener has
    /// failed as an operator began something in it, nothing does, and the event occurs.
    pub(crate) fn begin_after_listeners(&mut self, token: TokenId, container: &Container) {
        self.emit(Event::TokenWaited { token });
        let inside = self.own_scope(token);
        let mut next = self.instance.scopes.get(inside).map_or(NONE, |scope| scope.first_token);
        if next == NONE
            && let Some(start) = container.trigger
        {
            let born = self.born(inside, start);
            return self.schedule(born, Stage::Enter);
        }
        while let Some(waiting) = self.instance.tokens.get(next) {
            let current = std::mem::replace(&mut next, waiting.next);
            self.close_waits(Owner::Token(current), Closed::Completed);
            self.resume(current, Stage::Enter);
        }
    }

    /// Opens the scope of an event sub-process, and says whether that succeeded.
    pub(crate) fn open_event_sub_process(&mut self, token: TokenId) -> (ScopeId, Result<(), EvaluationError>) {
        let inside = self.instance.scopes.next();
        self.emit(Event::ScopeOpened { scope: inside, kind: ScopeKind::Activity, token, round: NONE });
        self.emit(Event::TokenWaited { token });
        (inside, self.begin_scope(inside))
    }
}
