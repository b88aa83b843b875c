//! Subscriptions open: what an event waits for becomes waits of its token or scope.

use crate::expressions::EvaluationError;
use crate::graph::{Catch, NodeKind};
use crate::instance::{NONE, Ordinal, Owner, ScopeId, TokenId, WaitKind};
use crate::step::Step;
use crate::trigger::{message, signal, timer};

impl Step<'_, '_> {
    /// Subscribes to all that an event catches. `scope` is where its expressions are evaluated.
    pub(crate) fn subscribe(
        &mut self,
        owner: Owner,
        node: Ordinal,
        scope: ScopeId,
        catches: &[Catch],
    ) -> Result<(), EvaluationError> {
        for (definition, catch) in (0..).zip(catches) {
            self.subscribe_to(owner, node, scope, definition, catch)?;
        }
        Ok(())
    }

    /// Subscribes to one of the things that an event catches.
    pub(crate) fn subscribe_to(
        &mut self,
        owner: Owner,
        node: Ordinal,
        scope: ScopeId,
        definition: u32,
        catch: &Catch,
    ) -> Result<(), EvaluationError> {
        if let Some(kind) = self.subscription(node, scope, catch)? {
            self.open(owner, node, definition, kind);
        }
        Ok(())
    }

    /// What an event waits for; none if its catcher is found when it is thrown.
    pub(crate) fn subscription(
        &mut self,
        node: Ordinal,
        scope: ScopeId,
        catch: &Catch,
    ) -> Result<Option<WaitKind>, EvaluationError> {
        Ok(Some(match catch {
            Catch::Message { name, correlation_key, properties } => {
                message::subscription(self, node, scope, name.as_ref(), correlation_key.as_ref(), properties)?
            }
            Catch::Timer { kind, expression, end } => {
                timer::subscription(self, node, scope, *kind, expression, end.as_ref())?
            }
            Catch::Signal { name } => signal::subscription(self, node, scope, name)?,
            // Asked for the first time when the agenda is empty: what holds already occurs at once.
            Catch::Condition { .. } => WaitKind::Condition { satisfied: false },
            // Errors, escalations, compensations and cancels find their catcher when they are thrown.
            Catch::Error { .. } | Catch::Escalation { .. } | Catch::Compensation | Catch::Cancel | Catch::Link => {
                return Ok(None);
            }
        }))
    }

    /// Subscribes the boundary events of the activity that a token stands on.
    pub(crate) fn subscribe_boundary_events(&mut self, token: TokenId) -> Result<(), EvaluationError> {
        let graph = self.graph;
        for boundary in &self.node(token).details.boundary {
            if let NodeKind::BoundaryEvent(event) = &graph.node(*boundary).kind {
                self.subscribe(Owner::Token(token), *boundary, self.variable_scope(token), &event.catches)?;
            }
        }
        Ok(())
    }

    /// Subscribes the event sub-processes of a scope.
    pub(crate) fn subscribe_event_sub_processes(&mut self, scope: ScopeId) -> Result<(), EvaluationError> {
        let graph = self.graph;
        let node = self.instance.scopes.get(scope).map_or(NONE, |scope| scope.node);
        for event_sub_process in &graph.container(node).event_sub_processes {
            if let Some(start) = graph.container(*event_sub_process).trigger
                && let NodeKind::StartEvent(event) = &graph.node(start).kind
            {
                self.subscribe(Owner::Scope(scope), start, scope, &event.catches)?;
            }
        }
        Ok(())
    }
}
