//! Migration of a running instance: checked whole, tried on a copy, then carried out.
//!
//! What waits keeps its key: a task stays claimed, a called instance finds its caller. Boundary events, event sub-processes and
//! events after a gateway that are gone are no longer waited for, new ones are. Tokens at joins come to them once more, so that
//! the target's flows count.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{Closed, Event, Rejection, Stage, Step, index_of};
use crate::expressions::EvaluationError;
use crate::graph::{NodeKind, ProcessGraph};
use crate::instance::{
    IncidentStage, Instance, NONE, Ordinal, Owner, Phase, ROOT, Scope, ScopeId, ScopeKind, Token, TokenId, TokenState,
    Wait, WaitId, WaitKind,
};
use crate::migration::{Migration, MigrationPlan, MigrationProblem, MigrationProblemKind as Kind};

/// The process that an instance goes over to.
#[derive(Clone, Debug)]
pub struct MigrateTo(pub Arc<ProcessGraph>);

impl PartialEq for MigrateTo {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Step<'_, '_> {
    /// Goes over to another process.
    pub(super) fn migrate(&mut self, to: &MigrateTo, plan: &MigrationPlan) -> Result<(), Rejection> {
        let (source, target) = (self.graph, &*to.0);
        let problems = plan.check(source, target);
        if !problems.is_empty() {
            return Err(Rejection::Migration(problems));
        }
        let migration = Migration::new(plan, source, target);
        let problems = Look { source, target, migration: &migration, instance: self.instance }.problems();
        if !problems.is_empty() {
            return Err(Rejection::Migration(problems));
        }
        let ids = plan.mappings().filter(|(_, mapping)| mapping.update_event_trigger);
        let updated: BTreeSet<Ordinal> = ids.filter_map(|(_, mapping)| target.find(&mapping.target)).collect();
        // What cannot be computed of new events is found out before the first event.
        self.try_on_copy(|tried| tried.go_over(target, &migration, &updated))?;
        self.go_over(target, &migration, &updated)
    }

    fn go_over(
        &mut self,
        target: &ProcessGraph,
        migration: &Migration,
        updated: &BTreeSet<Ordinal>,
    ) -> Result<(), Rejection> {
        let graph = self.graph;
        let goes = |wait: &Wait| migration.node(wait.node) == NONE && is_event(graph, wait, self.instance);
        let gone: Vec<WaitId> = self
            .instance
            .waits()
            .filter(|wait| goes(wait))
            .filter_map(|wait| self.instance.waits.find(wait.key))
            .collect();
        for wait in gone {
            self.close(wait, Closed::Cancelled);
        }
        let queued: Vec<TokenId> =
            self.instance.scopes.iter().flat_map(|(_, scope)| queued(self.instance, scope)).collect();
        for token in &queued {
            self.emit(Event::TokenResumed { token: *token });
        }
        let index = index_of(self.events.migrations.len());
        self.events.migrations.push(migration.clone());
        self.emit(Event::Migrated { migration: index });
        let image: BTreeSet<Ordinal> = migration.nodes.iter().copied().collect();
        let mut there = Step::new(target, self.instance, self.context, self.events);
        there.settle(&image, updated)?;
        for token in queued {
            // It may have waited for others of its own flow before an activity, or for other flows at a gateway.
            let joins = there.node(token).kind.joins();
            there.schedule(token, if joins { Stage::Execute } else { Stage::Enter });
        }
        there.run();
        Ok(())
    }

    /// Waits for what is new, and as it is said there. `image` is all that something was mapped to.
    fn settle(&mut self, image: &BTreeSet<Ordinal>, updated: &BTreeSet<Ordinal>) -> Result<(), Rejection> {
        let waits: Vec<(WaitId, Ordinal, usize)> = self
            .instance
            .waits()
            .filter(|wait| updated.contains(&wait.node))
            .filter_map(|wait| Some((self.instance.waits.find(wait.key)?, wait.node, wait.definition as usize)))
            .collect();
        for (wait, node, definition) in waits {
            self.update(wait, node, definition).map_err(|error| self.fails(node, &error))?;
        }
        let tokens: Vec<TokenId> = self.instance.tokens.iter().map(|(token, _)| token).collect();
        let is_new = |node: &Ordinal| !image.contains(node);
        let graph = self.graph;
        for token in tokens {
            let scope = self.variable_scope(token);
            if self.is_armed(token) {
                for boundary in graph.node(self.node_of(token)).details.boundary.iter().copied().filter(is_new) {
                    self.wait_for(Owner::Token(token), boundary, scope)?;
                }
            }
            if matches!(self.node(token).kind, NodeKind::EventBasedGateway { .. }) && self.awaits_events(token) {
                let targets = self.node(token).outgoing.iter().map(|flow| graph.flow(*flow).target);
                for event in targets.filter(is_new).collect::<Vec<_>>() {
                    self.wait_for(Owner::Token(token), event, scope)?;
                }
                if self.instance.tokens.get(token).is_some_and(|token| token.first_wait == NONE) {
                    let problem = MigrationProblem::new(Kind::EventsMissing, &self.node(token).id, None);
                    return Err(Rejection::Migration(vec![problem]));
                }
            }
        }
        let scopes: Vec<ScopeId> = self.instance.scopes.iter().map(|(scope, _)| scope).collect();
        for scope in scopes.into_iter().filter(|scope| self.is_set_up(*scope)).collect::<Vec<_>>() {
            let node = self.instance.scopes.get(scope).map_or(NONE, |scope| scope.node);
            let starts = graph.container(node).event_sub_processes.iter();
            let starts = starts.filter_map(|event_sub_process| graph.container(*event_sub_process).trigger);
            for start in starts.filter(is_new).collect::<Vec<_>>() {
                self.wait_for(Owner::Scope(scope), start, scope)?;
            }
        }
        Ok(())
    }

    fn fails(&self, node: Ordinal, error: &EvaluationError) -> Rejection {
        let problem = MigrationProblem::new(Kind::EventFails, &self.graph.node(node).id, None);
        Rejection::Migration(vec![MigrationProblem { detail: Some(error.to_string().into()), ..problem }])
    }

    fn wait_for(&mut self, owner: Owner, event: Ordinal, scope: ScopeId) -> Result<(), Rejection> {
        let graph = self.graph;
        self.subscribe(owner, event, scope, graph.catches(event)).map_err(|error| self.fails(event, &error))
    }

    /// Computes anew what an event waits for.
    fn update(&mut self, wait: WaitId, node: Ordinal, definition: usize) -> Result<(), EvaluationError> {
        let Some((kind, scope)) =
            self.instance.waits.get(wait).map(|wait| (wait.kind.clone(), self.instance.scope_of(wait)))
        else {
            return Ok(());
        };
        if kind.retry().is_some_and(|retry| retry.failure.is_some()) {
            return Ok(()); // It has occurred, and what follows is to be tried again.
        }
        let graph = self.graph;
        if let Some(catch) = graph.catches(node).get(definition)
            && matches!(kind, WaitKind::Message(_) | WaitKind::Timer(_) | WaitKind::Signal(_))
            && let Some(new) = self.subscription(node, scope, catch)?
            && new != kind
        {
            self.change(wait, new);
        }
        Ok(())
    }

    /// Whether the activity of a token is at work, so that its boundary events are waited for.
    fn is_armed(&self, token: TokenId) -> bool {
        let Some(here) = self.instance.tokens.get(token).filter(|here| here.state == TokenState::Waiting) else {
            return false;
        };
        if self.is_round(token) || here.compensates_for != NONE && self.is_reopened(here) {
            return false;
        }
        let runs_inside = self.instance.scopes.get(here.inside).is_some_and(|inside| inside.token_count > 0);
        runs_inside
            || waits_of(self.instance, here).any(|wait| {
                wait.node == here.node
                    && match &wait.kind {
                        WaitKind::Continuation { .. } | WaitKind::Compensation(_) => false,
                        WaitKind::Incident(incident) => matches!(
                            incident.stage,
                            IncidentStage::Execute
                                | IncidentStage::Listener(_)
                                | IncidentStage::Complete
                                | IncidentStage::Job
                                | IncidentStage::AdHoc
                        ),
                        _ => true,
                    }
            })
    }

    fn is_reopened(&self, token: &Token) -> bool {
        self.instance.scopes.get(token.inside).is_some_and(|inside| inside.phase == Phase::Compensating)
    }

    /// Whether a token on an event-based gateway waits for its events: for nothing else.
    fn awaits_events(&self, token: TokenId) -> bool {
        let Some(here) = self.instance.tokens.get(token) else { return false };
        here.state == TokenState::Waiting && waits_of(self.instance, here).all(|wait| wait.node != here.node)
    }

    /// Whether the event sub-processes of a scope are waited for.
    fn is_set_up(&self, id: ScopeId) -> bool {
        let Some(scope) = self.instance.scopes.get(id) else { return false };
        let contains = id == ROOT
            || self.graph.get_node(scope.node).is_some_and(|node| {
                matches!(
                    node.kind,
                    NodeKind::SubProcess(_)
                        | NodeKind::Transaction(_)
                        | NodeKind::EventSubProcess(_)
                        | NodeKind::AdHoc(_)
                )
            });
        let is_open = |wait: &Wait| match (&wait.kind, wait.owner) {
            (WaitKind::Incident(incident), Owner::Token(token)) => {
                let inside = self.instance.tokens.get(token).is_some_and(|token| token.scope == id);
                !(inside && incident.stage == IncidentStage::Open)
            }
            _ => true,
        };
        let runs =
            scope.token_count > 0
                || self.instance.tokens.get(scope.owner).is_some_and(|owner| {
                    waits_of(self.instance, owner).any(|wait| matches!(wait.kind, WaitKind::AdHoc))
                });
        contains
            && scope.phase == Phase::Active
            && scope.kind != ScopeKind::Loop
            && runs
            && self.instance.waits().all(is_open)
    }
}

fn waits_of<'i>(instance: &'i Instance, token: &Token) -> impl Iterator<Item = &'i Wait> {
    std::iter::successors(instance.waits.get(token.first_wait), |wait| instance.waits.get(wait.next))
}

/// Whether a wait is for an event beside or after what its owner stands on.
fn is_event(graph: &ProcessGraph, wait: &Wait, instance: &Instance) -> bool {
    match wait.owner {
        Owner::Scope(_) => true,
        Owner::Token(token) => {
            let stands_on = instance.tokens.get(token).map_or(NONE, |token| token.node);
            wait.node != stands_on && !graph.catches(wait.node).is_empty()
        }
    }
}

/// The tokens at the joins of a scope, each flow's in their order.
fn queued(instance: &Instance, scope: &Scope) -> Vec<TokenId> {
    let mut tokens = Vec::new();
    for queue in scope.joins().iter().flat_map(|join| &join.queues) {
        let mut token = queue.first;
        while let Some(here) = instance.tokens.get(token) {
            tokens.push(token);
            token = here.next;
        }
    }
    tokens
}

/// An instance that is about to go over.
struct Look<'a> {
    source: &'a ProcessGraph,
    target: &'a ProcessGraph,
    migration: &'a Migration,
    instance: &'a Instance,
}

impl Look<'_> {
    /// Why it cannot, all of it.
    fn problems(&self) -> Vec<MigrationProblem> {
        let mut found: Vec<(Ordinal, Kind)> = Vec::new();
        for (_, token) in self.instance.tokens.iter() {
            found.extend(self.token(token).map(|kind| (token.node, kind)));
        }
        for (_, scope) in self.instance.scopes.iter() {
            if scope.node != NONE && self.migration.node(scope.node) == NONE {
                found.push((scope.node, Kind::NotMapped));
            }
            for completed in scope.completed() {
                found.extend(self.completed(completed.node).map(|kind| (completed.node, kind)));
            }
            let waiting = scope.joins().iter().filter(|join| join.received.is_some());
            found.extend(waiting.map(|join| (join.node, Kind::GatewayWaits)));
        }
        for wait in self.instance.waits() {
            found.extend(self.wait(wait).map(|kind| (wait.node, kind)));
        }
        found.sort_by_key(|(node, kind)| (*node, kind.code()));
        found.dedup();
        found.into_iter().map(|(node, kind)| self.problem(node, kind)).collect()
    }

    fn problem(&self, node: Ordinal, kind: Kind) -> MigrationProblem {
        let id = self.source.get_node(node).map_or_else(|| self.source.id(), |node| &node.id);
        let target = self.target.get_node(self.migration.node(node)).map(|node| &node.id);
        MigrationProblem::new(kind, id, target)
    }

    fn token(&self, token: &Token) -> Option<Kind> {
        let to = self.migration.node(token.node);
        if to == NONE {
            return Some(Kind::NotMapped);
        }
        let joins = matches!(token.state, TokenState::Joined { .. }) && self.source.node(token.node).incoming > 1;
        (joins && token.flow != NONE && self.migration.flow(token.flow) == NONE).then_some(Kind::FlowMissing)
    }

    /// What has completed must be compensated as it would have been.
    fn completed(&self, node: Ordinal) -> Option<Kind> {
        let to = self.migration.node(node);
        let Some(there) = self.target.get_node(to) else { return Some(Kind::NotMapped) };
        let has_handler = |node: &crate::graph::FlowNode| node.details.compensation_handler.is_some();
        (has_handler(self.source.node(node)) != has_handler(there)).then_some(Kind::CompensationDiffers)
    }

    fn wait(&self, wait: &Wait) -> Option<Kind> {
        let listener = match &wait.kind {
            WaitKind::Job(job) => job.listener,
            WaitKind::Timer(_) if matches!(self.source.node(wait.node).kind, NodeKind::UserTask(_)) => {
                Some(wait.definition)
            }
            WaitKind::Compensation(wait) if wait.activity != NONE && self.migration.node(wait.activity) == NONE => {
                return Some(Kind::NotMapped);
            }
            WaitKind::Incident(incident) => match incident.stage {
                IncidentStage::Listener(listener) => Some(listener),
                IncidentStage::Take { flow, .. } if self.migration.flow(flow) == NONE => {
                    return Some(Kind::FlowMissing);
                }
                _ => None,
            },
            _ => None,
        }?;
        let listeners = |graph: &ProcessGraph, node| {
            let node = graph.get_node(node)?;
            let listener = node.details.listeners.get(listener as usize)?;
            Some((listener.stage, std::mem::discriminant(&listener.action)))
        };
        let (one, other) = (listeners(self.source, wait.node), listeners(self.target, self.migration.node(wait.node)));
        (one != other).then_some(Kind::ListenerMissing)
    }
}
