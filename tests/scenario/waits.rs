//! Where tokens wait, by the ids of their elements.

use potok_core::graph::ProcessGraph;
use potok_core::instance::{IncidentKind, Instance, Key, Owner, Token, TokenId, TokenState, Wait, WaitKind};

use super::Scenario;
use super::host::Host;

/// The ids of the elements where tokens of an instance wait for something outside, sorted. Not the activities that wait for
/// what runs inside of them, not tokens at joins, and not the throwers of a compensation that still runs.
pub(super) fn places(instance: &Instance, graph: &ProcessGraph) -> Vec<String> {
    let waiting =
        instance.tokens().filter(|(id, token)| token.state == TokenState::Waiting && is_leaf(instance, *id, token));
    let mut places: Vec<_> = waiting.map(|(_, token)| Host::id(graph, token.node).to_string()).collect();
    places.sort();
    places
}

fn is_leaf(instance: &Instance, id: TokenId, token: &Token) -> bool {
    let runs_inside = instance.scope(token.inside).is_some_and(|inside| inside.token_count > 0);
    let compensates =
        instance.waits().any(|wait| wait.owner == Owner::Token(id) && matches!(wait.kind, WaitKind::Compensation(_)));
    !runs_inside && !compensates
}

/// The ids of the elements where tokens queue at a join, sorted.
pub(super) fn queues(instance: &Instance, graph: &ProcessGraph) -> Vec<String> {
    let queued = instance.tokens().filter(|(_, token)| matches!(token.state, TokenState::Joined { .. }));
    let mut queues: Vec<_> = queued.map(|(_, token)| Host::id(graph, token.node).to_string()).collect();
    queues.sort();
    queues
}

/// Incidents of an instance: (element, kind, message).
pub(super) fn incidents(instance: &Instance, graph: &ProcessGraph) -> Vec<(String, IncidentKind, String)> {
    let incident = |wait: &Wait| match &wait.kind {
        WaitKind::Incident(incident) => {
            Some((Host::id(graph, wait.node).to_string(), incident.kind, incident.message.to_string()))
        }
        _ => None,
    };
    instance.waits().filter_map(incident).collect()
}

impl Scenario {
    /// What waits at an element: in the instance in focus, else in any other; the oldest first.
    pub(super) fn waits_of(&self, element: &str, is_meant: impl Fn(&WaitKind) -> bool) -> Vec<Key> {
        let found = |focused: bool| {
            let waits = self.host.runner.waits().filter(move |(running, wait)| {
                (Some(running.instance.key()) == self.focus) == focused
                    && *Host::id(&running.graph, wait.node) == *element
            });
            waits.filter(|(_, wait)| is_meant(&wait.kind)).map(|(_, wait)| wait.key).collect::<Vec<_>>()
        };
        let focused = found(true);
        if focused.is_empty() { found(false) } else { focused }
    }

    /// The oldest of what waits at an element.
    #[track_caller]
    pub(super) fn wait_of(&self, element: &str, word: &str, is_meant: impl Fn(&WaitKind) -> bool) -> Key {
        self.waits_of(element, is_meant)
            .first()
            .copied()
            .unwrap_or_else(|| self.fail(format!("no {word} waits at `{element}`")))
    }
}
