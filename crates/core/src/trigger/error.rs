//! Errors: thrown outwards until something catches them (BPMN 2.0.2 §10.5.7, §13.5.3).

use std::cell::RefCell;

use crate::behaviour::repeat;
use crate::dialect::Dialect;
use crate::graph::{Catch, Container, FlowNode, NodeKind, StartEvent};
use crate::instance::{Caught, IncidentKind, IncidentStage, NONE, Owner, ROOT, ScopeId, ScopeKind, TokenId};
use crate::step::{Closed, Event, Step, Variables, index_of};
use crate::{Name, value::Value};

/// Who throws an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Thrower {
    /// An error end event.
    EndEvent,
    /// A worker, a person or a script.
    Work,
    /// What stands around the work: an input or output mapping, or an end listener.
    Mapping,
    /// A flow out: its condition or a listener, at this stage. The flow node is complete, and what stands at its boundary waits no
    /// longer.
    Flow(IncidentStage),
}

/// What catches.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Catcher {
    /// A boundary event of the activity that a token stands on.
    Boundary { token: TokenId, event: u32 },
    /// An event sub-process of a scope, by its start event.
    EventSubProcess { scope: ScopeId, start: u32 },
}

impl Step<'_, '_> {
    /// What catches an error that is thrown at a token.
    pub(super) fn error_catcher(&self, token: TokenId, code: &Name, thrower: Thrower) -> Option<(Catcher, usize)> {
        self.find_catcher(token, matches!(thrower, Thrower::Flow(_)), |catch| match catch {
            Catch::Error { code: None, .. } => Some(false),
            Catch::Error { code: Some(caught), .. } => (caught == code).then_some(true),
            _ => None,
        })
    }

    /// Throws an error at a token.
    pub(crate) fn throw_error(
        &mut self,
        token: TokenId,
        code: Name,
        message: Option<Name>,
        mut payload: Variables,
        thrower: Thrower,
    ) {
        let Some((catcher, definition)) = self.error_catcher(token, &code, thrower) else {
            return self.uncaught(token, code, message, payload, thrower);
        };
        if self.graph.dialect() == Dialect::Camunda {
            // There, what a worker gives is set where it works: output mappings of what is interrupted see it.
            self.set_all(self.variable_scope(token), std::mem::take(&mut payload));
        }
        let event = match catcher {
            Catcher::Boundary { event, .. } => event,
            Catcher::EventSubProcess { start, .. } => start,
        };
        if let Some(Catch::Error { code_variable, message_variable, .. }) = self.graph.catches(event).get(definition) {
            payload.extend(code_variable.clone().map(|name| (name, Value::String(code))));
            payload.extend(message_variable.clone().map(|name| (name, message.map_or(Value::Null, Value::String))));
        }
        self.graph.take_item(event, index_of(definition), &mut payload);
        self.thrower = Some((token, matches!(thrower, Thrower::EndEvent | Thrower::Work)));
        match catcher {
            Catcher::Boundary { token, event } => self.interrupt(token, event, payload),
            Catcher::EventSubProcess { scope, start } => self.begin_event_sub_process(scope, start, payload),
        }
        self.thrower = None;
    }

    fn uncaught(&mut self, token: TokenId, code: Name, message: Option<Name>, payload: Variables, thrower: Thrower) {
        let is_camunda = self.graph.dialect() == Dialect::Camunda;
        if self.instance.caller.as_ref().is_some_and(|caller| caller.caught.error(&code)) {
            if !is_camunda {
                return self.fail(code, message, payload);
            }
            // The caller maps it out of the called process, before anything is left there.
            self.set_all(self.variable_scope(token), payload);
            let variables = self.instance.variables().to_vec();
            self.thrower = Some((token, matches!(thrower, Thrower::EndEvent | Thrower::Work)));
            self.way_out_of_process();
            self.thrower = None;
            return self.fail(code, message, variables);
        }
        // There, who makes the token go on is refused then, and the token stays where it is.
        if is_camunda && !matches!(thrower, Thrower::Flow(_)) {
            self.set_all(self.variable_scope(token), payload);
            if matches!(thrower, Thrower::EndEvent | Thrower::Work)
                && let Err(error) = self.leave_early(token)
            {
                return self.stuck(token, error.into(), IncidentStage::Execute);
            }
            return self.end_path_at(token);
        }
        if thrower != Thrower::EndEvent {
            let text = match &message {
                Some(message) => {
                    format!("error `{code}` ({message}) is caught by no boundary event or event sub-process")
                }
                None => format!("error `{code}` is caught by no boundary event or event sub-process"),
            };
            let stage = if let Thrower::Flow(stage) = thrower { stage } else { IncidentStage::Execute };
            return self.incident(token, IncidentKind::UncaughtError, &text, stage);
        }
        self.fail(code, message, Vec::new());
    }

    /// Camunda 7 ends the path of what threw an uncaught error as a none end event would.
    fn end_path_at(&mut self, token: TokenId) {
        self.close_waits(Owner::Token(token), Closed::Cancelled);
        if self.is_round(token) {
            // A round that ends by an error throws nothing as it ends: the error may be what it throws.
            return repeat::round_completed(self, token, u32::MAX);
        }
        let inside = self.instance.tokens.get(token).map_or(NONE, |token| token.inside);
        if inside != NONE {
            self.cancel_scope(inside);
        }
        self.end_path(token);
    }

    /// What is caught at a token or further out, also by what called this instance.
    pub(crate) fn caught_around(&self, token: TokenId) -> Caught {
        let caller = self.instance.caller.as_ref().map(|caller| caller.caught.clone()).unwrap_or_default();
        Caught {
            errors: self.caught_errors(token, caller.errors.clone()),
            escalations: self.caught_escalations(token, &caller),
        }
    }

    fn caught_errors(&self, token: TokenId, caller: Vec<Option<Name>>) -> Vec<Option<Name>> {
        let codes = RefCell::new(caller);
        self.find_catcher(token, false, |catch| {
            if let Catch::Error { code, .. } = catch {
                codes.borrow_mut().push(code.clone());
            }
            None
        });
        let mut codes = codes.into_inner();
        codes.sort();
        codes.dedup();
        codes
    }

    /// The instance fails; the payload is for a caller that catches it.
    fn fail(&mut self, code: Name, message: Option<Name>, payload: Variables) {
        self.cancel_scope(ROOT);
        let code = self.keep(Value::String(code));
        let message = message.map_or(NONE, |message| self.keep(Value::String(message)));
        let payload = if payload.is_empty() { NONE } else { self.keep_map(payload) };
        self.emit(Event::InstanceFailed { code, message, payload });
    }

    /// Looks outwards from a token for what catches: boundary events of the activity it stands on, event sub-processes of its
    /// scope, then the same for the scope's own activity. At a flow node that `is_left` nothing waits any more. `matches` gives whether a catch is exact (`true`) or takes
    /// anything (`false`); exact ones win at the same level.
    pub(crate) fn find_catcher(
        &self,
        token: TokenId,
        is_left: bool,
        matches: impl Fn(&Catch) -> Option<bool>,
    ) -> Option<(Catcher, usize)> {
        let best = |events: &mut dyn Iterator<Item = u32>| -> Option<(u32, usize)> {
            let mut any = None;
            for event in events {
                for (definition, catch) in self.graph.catches(event).iter().enumerate() {
                    match matches(catch) {
                        Some(true) => return Some((event, definition)),
                        Some(false) => any = any.or(Some((event, definition))),
                        None => {}
                    }
                }
            }
            any
        };
        let mut current = token;
        loop {
            let here = self.instance.tokens.get(current)?;
            let node = self.graph.node(here.node);
            if !self.is_round(current)
                && (current != token || !is_left)
                && let Some((event, definition)) = best(&mut node.details.boundary.iter().copied())
            {
                return Some((Catcher::Boundary { token: current, event }, definition));
            }
            let scope = self.instance.scopes.get(here.scope)?;
            // What an event sub-process throws itself goes past it. Its siblings may catch it, unless it has interrupted
            // the scope: then none begins any more (§13.5.4).
            if scope.kind != ScopeKind::Loop && !self.interrupts_scope(node) {
                let container = self.graph.container(scope.node);
                let others = container.event_sub_processes.iter().filter(|handler| **handler != here.node);
                let mut starts = others.filter_map(|handler| self.graph.container(*handler).trigger);
                if let Some((start, definition)) = best(&mut starts) {
                    return Some((Catcher::EventSubProcess { scope: here.scope, start }, definition));
                }
            }
            current = scope.owner;
        }
    }
    /// Whether a flow node is an event sub-process that ends what else runs around it.
    fn interrupts_scope(&self, node: &FlowNode) -> bool {
        let NodeKind::EventSubProcess(Container { trigger: Some(start), .. }) = &node.kind else { return false };
        matches!(&self.graph.node(*start).kind, NodeKind::StartEvent(StartEvent { interrupting: true, .. }))
    }
}
