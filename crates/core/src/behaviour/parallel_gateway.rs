//! Parallel gateways: one token from each flow in, one token to each flow out (BPMN 2.0.2 §13.4.1).

use crate::dialect::Dialect;
use crate::instance::{NONE, Ordinal, ScopeId, TokenId};
use crate::step::{Event, Stage, Step};

/// A token has arrived: the last one takes the others in.
pub(crate) fn join(step: &mut Step<'_, '_>, token: TokenId, ordinal: Ordinal) {
    let node = step.graph.node(ordinal);
    if node.incoming <= 1 {
        return step.pass(token, ordinal);
    }
    let Some((scope, flow)) = step.instance.tokens.get(token).map(|token| (token.scope, token.flow)) else { return };
    let (position, incoming) = (position(step, flow), node.incoming);
    if step.instance.enqueue(token, position, incoming, false, true) {
        return step.events.list.push(Event::TokenJoined { token, position, incoming, upstream: false });
    }
    take_in(step, scope, ordinal, NONE);
    step.touch(scope);
    step.schedule(token, Stage::Complete);
}

/// Puts a token into the queue of the flow that it came by.
pub(crate) fn queue(step: &mut Step<'_, '_>, token: TokenId) -> Option<(ScopeId, Ordinal)> {
    let (scope, node, flow) = step.instance.tokens.get(token).map(|token| (token.scope, token.node, token.flow))?;
    let (position, incoming) = (position(step, flow), step.graph.node(node).incoming.max(1));
    step.emit(Event::TokenJoined { token, position, incoming, upstream: true });
    Some((scope, node))
}

pub(crate) fn position(step: &Step<'_, '_>, flow: Ordinal) -> u32 {
    step.graph.flows().get(flow as usize).map_or(0, |flow| flow.position)
}

/// The oldest token of each flow that has one become one token, which is still in its queue.
pub(crate) fn merge(step: &mut Step<'_, '_>, scope: ScopeId, node: Ordinal) -> TokenId {
    let survivor = step.instance.join(scope, node).and_then(|join| join.heads().last()).unwrap_or(NONE);
    take_in(step, scope, node, survivor);
    step.touch(scope);
    survivor
}

/// Uses up the oldest token of each flow that has one, but for the one that survives.
fn take_in(step: &mut Step<'_, '_>, scope: ScopeId, node: Ordinal, survivor: TokenId) {
    if step.graph.dialect() == Dialect::Camunda {
        return take_in_one_by_one(step, scope, node, survivor);
    }
    let events = &mut step.events.list;
    step.instance.consume_heads(scope, node, survivor, |token| {
        events.push(Event::TokenConsumed { token, cancelled: false });
    });
}

/// In Camunda 7's dialect each token that has come calls the end listeners.
fn take_in_one_by_one(step: &mut Step<'_, '_>, scope: ScopeId, node: Ordinal, survivor: TokenId) {
    let Some(join) = step.instance.join(scope, node) else { return };
    let heads: Vec<TokenId> = join.heads().filter(|token| *token != survivor).collect();
    for token in heads {
        // What fails fails again for the one that goes on.
        let _ = step.leave_early(token);
        if step.instance.join(scope, node).is_none_or(|join| join.heads().all(|head| head != token)) {
            continue; // It has ended meanwhile.
        }
        step.emit(Event::TokenConsumed { token, cancelled: false });
    }
}
