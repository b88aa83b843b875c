//! Escalations: thrown outwards; the thrower goes on unless what catches them interrupts (BPMN 2.0.2 §10.5.7).

use std::cell::RefCell;
use std::collections::BTreeSet;

use super::error::Catcher;
use crate::dialect::Dialect;
use crate::graph::{Catch, NodeKind};
use crate::instance::{Caught, NONE, ROOT, TokenId};
use crate::step::{Event, Step, Variables, index_of};
use crate::{Name, value::Value};

impl Step<'_, '_> {
    /// Whether something catches an escalation that is thrown at a token.
    pub(crate) fn catches_escalation(&self, token: TokenId, code: &Name) -> bool {
        self.escalation_catcher(token, Some(code)).is_some()
    }

    /// What nothing here catches. What catches it at the call and interrupts ends this instance at once, so that nothing behind the
    /// throwing event happens any more (BPMN 2.0.2 §13.5.3).
    fn escalate_to_caller(&mut self, token: TokenId, code: Name) {
        let caller = self.instance.caller.as_ref();
        let caught = caller.and_then(|caller| caller.caught.escalation(Some(&code)));
        let interrupts = caught.unwrap_or(false);
        let reason = format!("the call was interrupted by escalation `{code}`");
        let node = self.node_of(token);
        let code = self.keep(Value::String(code));
        let caught = caught.is_some() && self.graph.dialect() == Dialect::Camunda;
        // There, the caller maps it out as it is thrown, before anything else happens.
        let variables = if caught { self.keep_map(self.instance.variables().to_vec()) } else { NONE };
        self.emit(Event::EscalationThrown { node, code, variables });
        if interrupts {
            self.thrower = Some((token, true));
            self.way_out_of_process();
            self.thrower = None;
            self.cancel_scope(ROOT);
            let reason = self.keep(Value::String(reason.into()));
            self.emit(Event::InstanceCancelled { reason });
        }
    }

    /// The escalations that are caught at a token or further out, and whether what catches them interrupts.
    pub(super) fn caught_escalations(&self, token: TokenId, caller: &Caught) -> Vec<(Option<Name>, bool)> {
        let codes = RefCell::new(BTreeSet::from([None]));
        self.find_catcher(token, false, |catch| {
            if let Catch::Escalation { code, .. } = catch {
                codes.borrow_mut().insert(code.clone());
            }
            None
        });
        let mut codes = codes.into_inner();
        codes.extend(caller.escalations.iter().map(|(code, _)| code.clone()));
        let interrupts = |code: Option<Name>| {
            let interrupts = match self.escalation_catcher(token, code.as_ref()) {
                Some((catcher, _)) => self.interrupts(catcher),
                None => caller.escalation(code.as_deref())?,
            };
            Some((code, interrupts))
        };
        codes.into_iter().filter_map(interrupts).collect()
    }

    fn interrupts(&self, catcher: Catcher) -> bool {
        match catcher {
            Catcher::Boundary { event, .. } => {
                matches!(&self.graph.node(event).kind, NodeKind::BoundaryEvent(event) if event.interrupting)
            }
            Catcher::EventSubProcess { start, .. } => {
                matches!(&self.graph.node(start).kind, NodeKind::StartEvent(event) if event.interrupting)
            }
        }
    }

    /// What catches an escalation that is thrown at a token; without a code, one that no event names.
    pub(super) fn escalation_catcher(&self, token: TokenId, code: Option<&Name>) -> Option<(Catcher, usize)> {
        self.find_catcher(token, false, |catch| match catch {
            Catch::Escalation { code: None, .. } => Some(false),
            Catch::Escalation { code: caught, .. } => (caught.as_ref() == code).then_some(true),
            _ => None,
        })
    }

    /// Throws an escalation at a token. What nothing catches goes to the caller, and is else without effect.
    pub(crate) fn throw_escalation(&mut self, token: TokenId, code: Name, mut payload: Variables) {
        let Some((catcher, definition)) = self.escalation_catcher(token, Some(&code)) else {
            return self.escalate_to_caller(token, code);
        };
        let event = match catcher {
            Catcher::Boundary { event, .. } => event,
            Catcher::EventSubProcess { start, .. } => start,
        };
        if let Some(Catch::Escalation { code_variable: Some(name), .. }) = self.graph.catches(event).get(definition) {
            payload.push((name.clone(), Value::String(code)));
        }
        self.graph.take_item(event, index_of(definition), &mut payload);
        self.thrower = Some((token, true));
        match catcher {
            Catcher::Boundary { token, event } => {
                if self.interrupts(catcher) {
                    self.interrupt(token, event, payload);
                } else if let Some(scope) = self.instance.tokens.get(token).map(|token| token.scope) {
                    let born = self.born(scope, event);
                    self.arrive(born, payload);
                }
            }
            Catcher::EventSubProcess { scope, start } => self.begin_event_sub_process(scope, start, payload),
        }
        self.thrower = None;
    }
}
