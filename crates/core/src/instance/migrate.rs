//! What a migration does to the state: every ordinal becomes another.

use std::sync::Arc;

use super::{IncidentStage, Instance, WaitKind};
use crate::migration::Migration;

impl Instance {
    pub(super) fn migrate(&mut self, migration: &Migration) {
        for token in self.tokens.iter_mut() {
            token.node = migration.node(token.node);
            token.flow = migration.flow(token.flow);
        }
        for scope in self.scopes.iter_mut() {
            scope.node = migration.node(scope.node);
            let Some(more) = &mut scope.more else { continue };
            for completed in &mut more.completed {
                completed.node = migration.node(completed.node);
            }
            for join in &mut more.joins {
                join.node = migration.node(join.node);
            }
            more.joins.sort_by_key(|join| join.node);
        }
        for wait in self.waits.iter_mut() {
            wait.node = migration.node(wait.node);
            match &mut wait.kind {
                WaitKind::Compensation(wait) => wait.activity = migration.node(wait.activity),
                WaitKind::Incident(incident) => {
                    if let IncidentStage::Take { flow, listener } = incident.stage {
                        Arc::make_mut(incident).stage = IncidentStage::Take { flow: migration.flow(flow), listener };
                    }
                }
                _ => {}
            }
        }
    }
}
