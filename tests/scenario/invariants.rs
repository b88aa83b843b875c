//! What holds of every instance between two steps.

use potok_core::graph::ProcessGraph;
use potok_core::instance::{Instance, NONE, Owner, Phase, ROOT, State, TokenState, WaitKind};

use super::host::Host;

/// What of it does not hold of an instance between two steps, in words.
#[must_use]
pub fn broken(instance: &Instance, graph: &ProcessGraph) -> Vec<String> {
    let mut broken = Vec::new();
    if instance.state() == &State::Created {
        return broken;
    }
    if !instance.is_active() {
        ended(instance, &mut broken);
    } else if instance.tokens().next().is_none() {
        broken.push("it is active, but has no token".to_owned());
    }
    tokens(instance, graph, &mut broken);
    scopes(instance, graph, &mut broken);
    for wait in instance.waits() {
        let has_owner = match wait.owner {
            Owner::Token(token) => instance.token(token).is_some(),
            Owner::Scope(scope) => instance.scope(scope).is_some(),
        };
        if !has_owner {
            broken.push(format!("nobody waits for the {} of `{}`", wait.kind.word(), Host::id(graph, wait.node)));
        }
    }
    broken
}

fn ended(instance: &Instance, broken: &mut Vec<String>) {
    let (tokens, waits) = (instance.tokens().count(), instance.waits().count());
    let scopes = instance.scopes().filter(|(id, _)| *id != ROOT).count();
    if (tokens, waits, scopes) != (0, 0, 0) {
        broken.push(format!("it has ended, but has {tokens} tokens, {waits} waits and {scopes} inner scopes"));
    }
}

fn tokens(instance: &Instance, graph: &ProcessGraph, broken: &mut Vec<String>) {
    for (id, token) in instance.tokens() {
        let node = Host::id(graph, token.node);
        if instance.scope(token.scope).is_none() {
            broken.push(format!("token {id} on `{node}` is in a scope that does not exist"));
        }
        let inside = instance.scope(token.inside);
        if token.inside != NONE && inside.is_none_or(|inside| inside.owner != id) {
            broken.push(format!("the inner scope of token {id} on `{node}` is not its own"));
        }
        match token.state {
            TokenState::Moving => broken.push(format!("token {id} on `{node}` moves, but the step is over")),
            TokenState::Joined { .. } => {}
            TokenState::Waiting => {
                let waits = instance.waits().any(|wait| wait.owner == Owner::Token(id) && wait.node == token.node)
                    || instance
                        .waits()
                        .any(|wait| wait.owner == Owner::Token(id) && is_gateway_event(graph, token.node));
                if !waits && inside.is_none_or(|inside| inside.token_count == 0) {
                    broken.push(format!("token {id} on `{node}` waits for nothing"));
                }
            }
        }
    }
}

/// An event-based gateway waits for events that stand on other flow nodes.
fn is_gateway_event(graph: &ProcessGraph, node: u32) -> bool {
    matches!(graph.get_node(node).map(|node| &node.kind), Some(potok_core::graph::NodeKind::EventBasedGateway { .. }))
}

fn scopes(instance: &Instance, graph: &ProcessGraph, broken: &mut Vec<String>) {
    for (id, scope) in instance.scopes() {
        let node = Host::id(graph, scope.node);
        let tokens = instance.tokens().filter(|(_, token)| token.scope == id).count();
        if tokens != scope.token_count as usize {
            broken.push(format!("scope {id} of `{node}` counts {} tokens, but has {tokens}", scope.token_count));
        }
        if id == ROOT {
            continue;
        }
        let is_kept = scope.phase == Phase::Kept;
        let is_remembered = instance.scopes().any(|(_, around)| around.completed().iter().any(|done| done.scope == id));
        let is_owned = instance.token(scope.owner).is_some_and(|owner| owner.inside == id);
        if is_kept != is_remembered || is_kept == is_owned {
            broken.push(format!(
                "scope {id} of `{node}` is {:?}; remembered for compensation: {is_remembered}; owned by a token: {is_owned}",
                scope.phase
            ));
        }
        if let Some(repeat) = scope.repeat()
            && repeat.active() != scope.token_count
        {
            broken.push(format!("loop `{node}` counts {} rounds, but has {}", repeat.active(), scope.token_count));
        }
    }
    let compensations = instance.waits().filter(|wait| matches!(wait.kind, WaitKind::Compensation(_)));
    for wait in compensations {
        let Owner::Token(waiter) = wait.owner else { continue };
        if !instance.tokens().any(|(_, token)| token.compensates_for == waiter) {
            broken.push(format!("`{}` waits for a compensation that does not run", Host::id(graph, wait.node)));
        }
    }
}
