//! Conditions on data: a conditional event occurs when its condition begins to hold (BPMN 2.0.2 Table 10.89). In Camunda 7's
//! dialect one that stays occurs with each change of a variable while its condition holds.

use crate::graph::{Catch, ChangeFilter};
use crate::instance::{IncidentKind, IncidentStage, Key, Owner, ScopeId, WaitId, WaitKind};
use crate::step::{Change, Step, UNASKED};
use crate::trigger::message;

impl Step<'_, '_> {
    /// After variables have changed, asks the conditions that are waited for, oldest first, and triggers the first that
    /// occurs; the next call goes on from there. Without a change only those are asked that have just begun to wait. To ask
    /// weighs on the budget, so that what goes round in a circle comes to its end.
    pub(crate) fn trigger_a_condition(&mut self) -> bool {
        if std::mem::take(&mut self.variables_changed) {
            if self.graph.binds_subscriptions() {
                message::rebind(self);
            }
            self.next_condition = Key(0);
        }
        while let Some((key, id)) = self.instance.waits.condition_from(self.next_condition) {
            self.next_condition = key;
            self.budget = self.budget.saturating_sub(1);
            if self.occurs(id) {
                self.occurred(id, Vec::new());
                return true;
            }
            self.next_condition = Key(key.0.saturating_add(1));
        }
        self.next_condition = UNASKED;
        self.changes.clear();
        self.asked.clear();
        self.unasked = UNASKED;
        false
    }

    /// Whether something has changed that a condition looks at, where its scope sees it. It is always asked when it begins to wait.
    /// One that occurs with each change is asked after one at a time.
    fn has_changed(&mut self, filter: &ChangeFilter, key: Key, scope: ScopeId) -> bool {
        let is_new = key >= self.unasked;
        let asked = match self.asked.get(&key) {
            Some(asked) => *asked,
            None if is_new && filter.each => {
                self.asked.insert(key, self.changes.len());
                return true;
            }
            None => 0,
        };
        let counts = |change: &Change| {
            (if change.created { filter.on_create } else { filter.on_update })
                && (filter.variables.is_empty() || filter.variables.contains(&change.name))
        };
        let sees = |change: &Change| {
            let around = |scope: &ScopeId| self.instance.scopes.get(*scope).map(|scope| scope.parent);
            std::iter::successors(Some(scope), around).any(|scope| scope == change.scope)
        };
        let found = self.changes.iter().skip(asked).position(|change| counts(change) && sees(change));
        if filter.each {
            self.asked.insert(key, found.map_or(self.changes.len(), |index| asked + index + 1));
            return found.is_some();
        }
        is_new || found.is_some()
    }

    fn occurs(&mut self, id: WaitId) -> bool {
        let Some(wait) = self.instance.waits.get(id) else { return false };
        let WaitKind::Condition { satisfied: before } = wait.kind else { return false };
        let (key, owner, node, definition) = (wait.key, wait.owner, wait.node, wait.definition);
        let scope = self.instance.scope_of(wait);
        let graph = self.graph;
        let Some(Catch::Condition { condition, filter }) = graph.catches(node).get(definition as usize) else {
            return false;
        };
        if filter.as_ref().is_some_and(|filter| !self.has_changed(filter, key, scope)) {
            return false;
        }
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
        if filter.as_ref().is_some_and(|filter| filter.each) {
            return now;
        }
        if now != before {
            self.change(id, WaitKind::Condition { satisfied: now });
        }
        now && !before
    }
}
