//! Which flow nodes the tokens of an instance went through.

use potok_core::Name;
use potok_core::graph::ProcessGraph;
use potok_core::instance::{Instance, NONE, ScopeKind, TokenId, TokenState};
use potok_core::step::Event;

use super::host::Host;

/// Flow nodes in the order in which tokens entered them. A repeated activity stands for each of its rounds, and for
/// itself only if there is none.
#[derive(Default)]
pub(super) struct Trace {
    entered: Vec<(TokenId, Name)>,
}

impl Trace {
    /// Notes the first of the events that come, before it is applied.
    pub(super) fn note(&mut self, instance: &Instance, events: &[Event], graph: &ProcessGraph) {
        match events {
            [Event::TokenCreated { token, scope, node }, next, ..]
                if is_fork(instance, *next, *token, *scope, *node) => {}
            [Event::TokenCreated { token, node, .. } | Event::TokenMoved { token, node, .. }, ..] => {
                self.entered.push((*token, Host::id(graph, *node)));
            }
            [Event::ScopeOpened { kind: ScopeKind::Loop, .. }, Event::LoopStarted { total: 0, .. }, ..] => {}
            [Event::ScopeOpened { kind: ScopeKind::Loop, token, .. }, ..] => {
                if let Some(index) = self.entered.iter().rposition(|(entered, _)| entered == token) {
                    self.entered.remove(index);
                }
            }
            _ => {}
        }
    }

    pub(super) fn ids(&self) -> Vec<&str> {
        self.entered.iter().map(|(_, node)| &**node).collect()
    }
}

/// Whether a token is made to take another flow out of the flow node that its twin leaves: it does not enter that node.
fn is_fork(instance: &Instance, next: Event, token: TokenId, scope: u32, node: u32) -> bool {
    let leaves = matches!(next, Event::TokenMoved { token: moved, flow, .. } if moved == token && flow != NONE);
    leaves
        && instance
            .tokens()
            .any(|(_, other)| other.scope == scope && other.node == node && other.state == TokenState::Moving)
}
