//! Conditions on data: a conditional event occurs when its condition begins to hold (BPMN 2.0.2 Table 10.89).

use crate::graph::Catch;
use crate::instance::{IncidentKind, IncidentStage, Owner, WaitId, WaitKind};
use crate::step::Step;
use crate::trigger::message;

impl Step<'_, '_> {
    /// After variables have changed, asks all conditions that are waited for, oldest first; triggers the first that has
    /// begun to hold.
    pub(crate) fn trigger_a_condition(&mut self) -> bool {
        if !self.variables_changed {
            return false;
        }
        if self.graph.binds_subscriptions() {
            message::rebind(self);
        }
        let waiting: Vec<WaitId> = self.instance.waits.conditions().collect();
        for id in waiting {
            if self.begins_to_hold(id) {
                self.occurred(id, Vec::new());
                return true;
            }
        }
        self.variables_changed = false;
        false
    }

    fn begins_to_hold(&mut self, id: WaitId) -> bool {
        let Some(wait) = self.instance.waits.get(id) else { return false };
        let WaitKind::Condition { satisfied: before } = wait.kind else { return false };
        let (owner, node, definition, scope) = (wait.owner, wait.node, wait.definition, self.instance.scope_of(wait));
        let graph = self.graph;
        let Some(Catch::Condition { condition, .. }) = graph.catches(node).get(definition as usize) else {
            return false;
        };
        let now = match self.holds(condition, scope, node, &[]) {
            Ok(now) => now,
            Err(error) => {
                // Asked again after the next change; a token's condition that cannot be evaluated is an incident.
                if let Owner::Token(token) = owner
                    && self.node_of(token) == node
                {
                    self.close(id, crate::step::Closed::Cancelled);
                    self.incident(token, IncidentKind::Expression, &error.to_string(), IncidentStage::Enter);
                }
                return false;
            }
        };
        if now != before {
            self.change(id, WaitKind::Condition { satisfied: now });
        }
        now && !before
    }
}
