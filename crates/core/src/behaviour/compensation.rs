//! Compensation: undoing completed activities, the latest first (BPMN 2.0.2 §10.7, §13.5.5).
//!
//! A token waits for the compensation; the handlers run one after the other, each with a token of its own in the scope in
//! which its activity had completed. A sub-process without a handler of its own is compensated by its compensation event
//! sub-process, else by compensating what had completed in it.

use crate::graph::{Catch, NodeKind, ProcessGraph};
use crate::instance::{CompensationWait, Completed, NONE, Owner, Phase, Scope, ScopeId, ScopeKind, TokenId, WaitKind};
use crate::step::{Closed, Event, Stage, Step};

/// Whether an event sub-process is a compensation handler.
pub(crate) fn is_handler(graph: &ProcessGraph, event_sub_process: u32) -> bool {
    let start = graph.container(event_sub_process).trigger;
    matches!(start.map(|start| &graph.node(start).kind), Some(NodeKind::StartEvent(event))
        if event.catches.iter().any(|catch| matches!(catch, Catch::Compensation)))
}

/// A throw event asks for compensation, with this one of its definitions. Gives whether its token waits.
pub(crate) fn throw(
    step: &mut Step<'_, '_>,
    token: TokenId,
    definition: u32,
    activity: Option<u32>,
    wait: bool,
) -> bool {
    let Some(scope) = step.instance.tokens.get(token).map(|token| token.scope) else { return false };
    let activity = activity.unwrap_or(NONE);
    let scope = visible_scope(step, scope, activity);
    if wait {
        throw_in(step, token, definition, scope, activity);
        return true;
    }
    // Nobody waits: a token of its own does.
    let Some((home, node)) = step.instance.tokens.get(token).map(|token| (token.scope, token.node)) else {
        return false;
    };
    let home = match step.instance.scopes.get(home) {
        // What a round of a loop throws goes on beside the loop.
        Some(scope) if scope.kind == ScopeKind::Loop => scope.parent,
        _ => home,
    };
    let wait = everything_until_now(step, scope, activity);
    let waiter = step.born(home, node);
    step.emit(Event::CompensationStarted { token: waiter, waiter: NONE });
    step.emit(Event::TokenWaited { token: waiter });
    step.open(Owner::Token(waiter), node, NONE, wait);
    go_on(step, waiter);
    false
}

/// Compensation is of what has completed when it is thrown (BPMN 2.0.2 §13.5.5), not of what completes while it is under way.
fn everything_until_now(step: &Step<'_, '_>, scope: ScopeId, activity: u32) -> WaitKind {
    WaitKind::Compensation(CompensationWait { scope, activity, until: Some(step.instance.created) })
}

/// What is thrown in an event sub-process or by a loop compensates the activities of the scope around it, where those are meant
/// (BPMN 2.0.2 §10.7.1).
fn visible_scope(step: &Step<'_, '_>, scope: ScopeId, activity: u32) -> ScopeId {
    let mut current = scope;
    loop {
        let Some(here) = step.instance.scopes.get(current) else { return scope };
        let holds = if activity == NONE {
            !here.completed().is_empty()
        } else {
            here.completed().iter().any(|completed| completed.node == activity)
        };
        if holds || (!is_event_sub_process(step, here) && here.kind != ScopeKind::Loop) {
            return current;
        }
        current = here.parent;
    }
}

/// Compensates what has completed in a scope; the token waits.
pub(crate) fn throw_in(step: &mut Step<'_, '_>, token: TokenId, definition: u32, scope: ScopeId, activity: u32) {
    let wait = everything_until_now(step, scope, activity);
    step.wait_of(token, definition, wait);
    go_on(step, token);
}

/// Starts the next handler that a token waits for; when there is none left, the token goes on.
pub(crate) fn go_on(step: &mut Step<'_, '_>, waiter: TokenId) {
    let Some(wait) = step.instance.tokens.get(waiter).map(|token| token.first_wait) else { return };
    let Some(WaitKind::Compensation(what)) = step.instance.waits.get(wait).map(|wait| wait.kind.clone()) else {
        // It waited for the compensation event sub-process of its own sub-process.
        return compensated(step, waiter);
    };
    while let Some((scope, index, completed)) = next(step, what) {
        step.emit(Event::CompensationTaken { scope, index: crate::step::index_of(index) });
        if start_handler(step, waiter, scope, completed) {
            return;
        }
    }
    done(step, waiter, wait, what.scope);
}

/// What is compensated next: what has completed last, at its place in a scope. Behind what an event sub-process has done comes what was
/// done around it (BPMN 2.0.2 §10.7.1).
fn next(step: &Step<'_, '_>, what: CompensationWait) -> Option<(ScopeId, usize, Completed)> {
    let matches = |completed: &Completed| {
        (what.activity == NONE || completed.node == what.activity)
            && what.until.is_none_or(|until| completed.after <= until)
    };
    let mut current = what.scope;
    loop {
        let here = step.instance.scopes.get(current)?;
        if let Some(index) = here.completed().iter().rposition(matches) {
            return Some((current, index, here.completed()[index]));
        }
        if what.activity != NONE || here.phase == Phase::Compensating || !is_event_sub_process(step, here) {
            return None;
        }
        current = here.parent;
    }
}

fn is_event_sub_process(step: &Step<'_, '_>, scope: &Scope) -> bool {
    matches!(step.graph.get_node(scope.node).map(|node| &node.kind), Some(NodeKind::EventSubProcess(_)))
}

/// Starts one handler; gives whether there was one.
fn start_handler(step: &mut Step<'_, '_>, waiter: TokenId, scope: ScopeId, completed: Completed) -> bool {
    let graph = step.graph;
    let node = graph.node(completed.node);
    if let Some(handler) = node.details.compensation_handler {
        let token = step.born(scope, handler);
        step.emit(Event::CompensationStarted { token, waiter });
        if completed.scope != NONE {
            // The handler sees the activity's own variables as they were when it completed.
            let kept = step.instance.scopes.get(completed.scope);
            let variables = kept.map_or_else(Vec::new, |scope| scope.variables().to_vec());
            step.discard(completed.scope);
            if !variables.is_empty() {
                let own = step.own_scope(token);
                for (name, value) in variables {
                    step.set_local(own, name, value);
                }
            }
        }
        step.schedule(token, Stage::Enter);
        return true;
    }
    if completed.scope == NONE {
        return false;
    }
    let token = step.born(scope, completed.node);
    step.emit(Event::CompensationStarted { token, waiter });
    step.emit(Event::ScopeReopened { scope: completed.scope, token });
    let handler = graph.container(completed.node).event_sub_processes.iter().find(|event| is_handler(graph, **event));
    match handler.and_then(|handler| Some((*handler, graph.container(*handler).trigger?))) {
        Some((handler, start)) => {
            step.emit(Event::TokenWaited { token });
            let born = step.born(completed.scope, handler);
            step.emit(Event::CompensationStarted { token: born, waiter: token });
            step.begin_event_sub_process_with(born, start, Vec::new(), Ok(()));
        }
        None => throw_in(step, token, 0, completed.scope, NONE),
    }
    true
}

/// Everything is compensated.
fn done(step: &mut Step<'_, '_>, waiter: TokenId, wait: u32, scope: ScopeId) {
    let definition = step.instance.waits.get(wait).map_or(NONE, |wait| wait.definition);
    step.close(wait, Closed::Completed);
    if definition == NONE {
        // Its thrower has gone on long ago.
        return step.end_path(waiter);
    }
    let Some(inside) = step.instance.tokens.get(waiter).map(|token| token.inside) else {
        return;
    };
    if inside == scope && step.instance.scopes.get(scope).is_some_and(|scope| scope.phase == Phase::Compensating) {
        return compensated(step, waiter);
    }
    if step.instance.scopes.get(scope).is_some_and(|scope| scope.phase == Phase::Cancelling) {
        return leave_transaction(step, scope);
    }
    step.resume(waiter, Stage::Throw(definition + 1));
}

/// A sub-process has been compensated as a whole, once nothing runs in it any more.
pub(crate) fn compensated(step: &mut Step<'_, '_>, owner: TokenId) {
    let Some(inside) = step.instance.tokens.get(owner).map(|token| token.inside) else { return };
    let is_over = |scope: &Scope| scope.phase == Phase::Compensating && scope.token_count == 0;
    if step.instance.scopes.get(inside).is_some_and(is_over) {
        step.discard(inside);
        step.end_path(owner);
    }
}

/// A cancelled transaction leaves by its cancel boundary event; one that is repeated takes its other instances with it.
fn leave_transaction(step: &mut Step<'_, '_>, scope: ScopeId) {
    let Some(mut owner) = step.instance.scopes.get(scope).map(|scope| scope.owner) else { return };
    if step.is_round(owner) {
        let around = step.instance.tokens.get(owner).and_then(|token| step.instance.scopes.get(token.scope));
        owner = around.map_or(owner, |around| around.owner);
    }
    let graph = step.graph;
    let boundary = step.node(owner).details.boundary.iter().copied().find(|boundary| {
        matches!(&graph.node(*boundary).kind, NodeKind::BoundaryEvent(event)
            if event.catches.iter().any(|catch| matches!(catch, Catch::Cancel)))
    });
    match boundary {
        Some(boundary) => step.interrupt(owner, boundary, Vec::new()),
        None => {
            step.cancel_contents(scope, NONE);
            step.end_scope(scope);
        }
    }
}
