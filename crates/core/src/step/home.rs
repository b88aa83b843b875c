//! Where a token may begin that an operator starts, and what must begin around it.

use super::{Position, Rejection, Step};
use crate::Name;
use crate::behaviour::{ad_hoc, compensation};
use crate::dialect::ListenerStage;
use crate::graph::{Catch, ListenerAction, NodeKind};
use crate::instance::{IncidentStage, Ordinal, Owner, Phase, ROOT, ScopeId, ScopeKind, Token, TokenId, Wait, WaitKind};

/// Where a token is to begin, all that can be refused being checked.
pub(super) struct Home {
    /// The innermost scope around it that there is.
    pub(super) scope: ScopeId,
    /// The sub-processes that begin around it, outermost first.
    pub(super) missing: Vec<Ordinal>,
}

impl Step<'_, '_> {
    /// The flow node that a position is at, if a token can begin there at all.
    pub(super) fn place(&self, position: &Position) -> Result<Ordinal, Rejection> {
        let graph = self.graph;
        let refused = |element: &Name, why| Err(Rejection::NotStartable { element: element.clone(), why });
        match position {
            Position::Before(element) => {
                let node = self.find_node(element)?;
                if matches!(graph.node(node).kind, NodeKind::EventSubProcess(_))
                    && graph.container(node).trigger.is_none_or(|_| compensation::is_handler(graph, node))
                {
                    return refused(element, "it begins only when something is compensated");
                }
                if matches!(graph.node(node).kind, NodeKind::BoundaryEvent(_))
                    && graph.catches(node).iter().any(|catch| matches!(catch, Catch::Compensation))
                {
                    return refused(element, "it only leads to what compensates its activity: start before that");
                }
                Ok(node)
            }
            Position::After(element) => {
                let node = self.find_node(element)?;
                if graph.node(node).outgoing.is_empty() {
                    return refused(element, "no sequence flow leads out of it");
                }
                if matches!(graph.node(node).kind, NodeKind::EventBasedGateway { .. }) {
                    return refused(
                        element,
                        "an event decides which way is taken: start before the gateway, or after the event",
                    );
                }
                Ok(node)
            }
            Position::On(element) => {
                let flow = graph.find_flow(element).ok_or_else(|| Rejection::UnknownElement {
                    process: graph.id().clone(),
                    element: element.clone(),
                    needed: "is a sequence flow",
                })?;
                let source = graph.flow(flow).source;
                if matches!(graph.node(source).kind, NodeKind::EventBasedGateway { .. }) {
                    return refused(
                        element,
                        "it is taken when its event has occurred: start before or after that event",
                    );
                }
                Ok(source)
            }
        }
    }

    /// The scope in which a token on a flow node begins, and what must begin around it first.
    pub(super) fn home(&self, node: Ordinal, within: Option<ScopeId>) -> Result<Home, Rejection> {
        let graph = self.graph;
        let element = || graph.node(node).id.clone();
        if let Some(scope) = within.filter(|scope| self.instance.scopes.get(*scope).is_none()) {
            return Err(Rejection::UnknownScope(self.instance.key, scope));
        }
        let mut missing = Vec::new();
        let mut around = graph.node(node).parent;
        loop {
            let found = match (around, within) {
                (None, None | Some(ROOT)) => Some(ROOT),
                (None, Some(scope)) => return Err(Rejection::OutsideScope { element: element(), scope }),
                (Some(around), Some(scope)) => Some(scope).filter(|scope| self.is_open_for(*scope, around)),
                (Some(around), None) => {
                    let mut scopes = self.instance.scopes.iter().map(|(scope, _)| scope);
                    let first = scopes.find(|scope| self.is_open_for(*scope, around));
                    if scopes.any(|scope| self.is_open_for(scope, around)) {
                        let around = graph.node(around).id.clone();
                        return Err(Rejection::AmbiguousScope { element: element(), around });
                    }
                    first
                }
            };
            if let Some(scope) = found {
                missing.reverse();
                return Ok(Home { scope, missing });
            }
            let Some(container) = around else { return Err(Rejection::NotActive(self.instance.key)) };
            if graph.node(container).details.repeat.is_some() {
                let around = graph.node(container).id.clone();
                return Err(Rejection::InsideLoop { element: element(), around });
            }
            missing.push(container);
            around = graph.node(container).parent;
        }
    }

    /// Whether a scope is one of a sub-process, or of one of its rounds, in which something runs.
    fn is_open_for(&self, scope: ScopeId, container: Ordinal) -> bool {
        self.instance.scopes.get(scope).is_some_and(|scope| {
            scope.kind == ScopeKind::Activity
                && scope.node == container
                && !matches!(scope.phase, Phase::Kept | Phase::Compensating)
        })
    }

    /// Whether something may begin in a scope now, and around the token.
    pub(super) fn check_home(&self, node: Ordinal, home: &Home) -> Result<(), Rejection> {
        let graph = self.graph;
        let Some(scope) = self.instance.scopes.get(home.scope) else { return Ok(()) };
        if let Some(container) = graph.get_node(scope.node)
            && let NodeKind::AdHoc(ad_hoc) = &container.kind
        {
            if scope.phase == Phase::Ending {
                return Err(Rejection::AdHocEnding(container.id.clone()));
            }
            if ad_hoc::is_busy(self, home.scope, ad_hoc) {
                return Err(Rejection::AdHocBusy(container.id.clone()));
            }
        }
        let is_closing = matches!(scope.phase, Phase::Cancelling | Phase::Compensating | Phase::Kept);
        // Its activity has not begun or is stuck; or its data and event sub-processes could not be set up.
        let mut waits = self.instance.waits();
        let hinders = |wait: &Wait| match wait.kind {
            WaitKind::Job(_) | WaitKind::Continuation { .. } => wait.owner == Owner::Token(scope.owner),
            WaitKind::Incident(ref incident) => match wait.owner {
                _ if matches!(incident.stage, IncidentStage::Retry(_)) => false,
                Owner::Token(token) if incident.stage == IncidentStage::Open => {
                    self.instance.tokens.get(token).is_some_and(|token| token.scope == home.scope)
                }
                owner => owner == Owner::Token(scope.owner),
            },
            _ => false,
        };
        if is_closing || waits.any(hinders) {
            return Err(Rejection::ScopeNotOpen(home.scope));
        }
        for container in &home.missing {
            let container = graph.node(*container);
            let waits_for_worker = container.details.listeners.iter().any(|listener| {
                listener.stage == ListenerStage::Start && matches!(listener.action, ListenerAction::Job(_))
            });
            let why = if waits_for_worker {
                "a worker must do the start listener of what begins around it: start before that"
            } else if home.missing.iter().any(|around| compensation::is_handler(graph, *around)) {
                "what stands around it begins only when something is compensated"
            } else {
                continue;
            };
            return Err(Rejection::NotStartable { element: graph.node(node).id.clone(), why });
        }
        Ok(())
    }

    /// The token whose activity a boundary event interrupts, if it runs.
    pub(super) fn attached(
        &self,
        boundary: Ordinal,
        activity: Ordinal,
        home: &Home,
    ) -> Result<Option<TokenId>, Rejection> {
        let stands = |token: &TokenId| {
            let is_there = |token: &Token| token.node == activity && token.scope == home.scope;
            home.missing.is_empty() && self.instance.tokens.get(*token).is_some_and(is_there)
        };
        let mut tokens = self.instance.tokens.iter().map(|(token, _)| token).filter(stands);
        match (tokens.next(), tokens.next()) {
            (Some(_), Some(_)) => Err(Rejection::AmbiguousScope {
                element: self.graph.node(boundary).id.clone(),
                around: self.graph.node(activity).id.clone(),
            }),
            (token, _) => Ok(token),
        }
    }
}
