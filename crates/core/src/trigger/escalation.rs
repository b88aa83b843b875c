//! Escalations: thrown outwards; the thrower goes on unless what catches them interrupts (BPMN 2.0.2 §10.5.7).

use super::error::Catcher;
use crate::graph::{Catch, NodeKind};
use crate::instance::TokenId;
use crate::step::{Event, Step, Variables};
use crate::{Name, value::Value};

impl Step<'_, '_> {
    /// What catches an escalation that is thrown at a token.
    pub(super) fn escalation_catcher(&self, token: TokenId, code: &Name) -> Option<(Catcher, usize)> {
        self.find_catcher(token, |catch| match catch {
            Catch::Escalation { code: None, .. } => Some(false),
            Catch::Escalation { code: Some(caught), .. } => (caught == code).then_some(true),
            _ => None,
        })
    }

    /// Throws an escalation at a token. What nothing catches goes to the caller, and is else without effect.
    pub(crate) fn throw_escalation(&mut self, token: TokenId, code: Name, mut payload: Variables) {
        let Some((catcher, definition)) = self.escalation_catcher(token, &code) else {
            let node = self.node_of(token);
            let code = self.keep(Value::String(code));
            return self.emit(Event::EscalationThrown { node, code });
        };
        let event = match catcher {
            Catcher::Boundary { event, .. } => event,
            Catcher::EventSubProcess { start, .. } => start,
        };
        if let Some(Catch::Escalation { code_variable: Some(name), .. }) = self.graph.catches(event).get(definition) {
            payload.push((name.clone(), Value::String(code)));
        }
        match catcher {
            Catcher::Boundary { token, event } => {
                let interrupting =
                    matches!(&self.graph.node(event).kind, NodeKind::BoundaryEvent(boundary) if boundary.interrupting);
                if interrupting {
                    self.interrupt(token, event, payload);
                } else if let Some(scope) = self.instance.tokens.get(token).map(|token| token.scope) {
                    let born = self.born(scope, event);
                    self.arrive(born, payload);
                }
            }
            Catcher::EventSubProcess { scope, start } => self.begin_event_sub_process(scope, start, payload),
        }
    }
}
