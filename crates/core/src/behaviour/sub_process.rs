//! Sub-processes, transactions, and the process itself: scopes that contain flow nodes (BPMN 2.0.2 §13.3.4).

use crate::expressions::EvaluationError;
use crate::graph::Container;
use crate::instance::{Ordinal, ScopeId, TokenId};
use crate::step::{Event, Problem, Stage, Step};
use crate::value::Value;

/// Opens a sub-process in which nothing is to be prepared.
pub(crate) fn open(step: &mut Step<'_, '_>, token: TokenId, node: Ordinal) {
    step.emit(Event::TokenWaited { token });
    let scope = step.own_scope(token);
    start(step, scope, step.graph.container(node));
}

/// Begins a sub-process: its scope is open already.
#[inline(never)]
pub(crate) fn begin(step: &mut Step<'_, '_>, token: TokenId, container: &Container) -> Result<(), Problem> {
    step.emit(Event::TokenWaited { token });
    let scope = step.own_scope(token);
    if !container.data.is_empty() || !container.event_sub_processes.is_empty() {
        open_scope(step, scope)?;
    }
    start(step, scope, container);
    Ok(())
}

/// Gives a scope its data and subscribes its event sub-processes.
pub(crate) fn open_scope(step: &mut Step<'_, '_>, scope: ScopeId) -> Result<(), EvaluationError> {
    let graph = step.graph;
    let node = step.instance.scopes.get(scope).map_or(crate::instance::NONE, |scope| scope.node);
    for (name, initial) in &graph.container(node).data {
        let value = match initial {
            Some(initial) => step.evaluate(initial, scope, node)?,
            None => Value::Null,
        };
        if step.instance.scopes.get(scope).is_some_and(|scope| scope.variable(name).is_none()) {
            step.set_local(scope, name.clone(), value);
        }
    }
    step.subscribe_event_sub_processes(scope)
}

/// Tokens are born where a scope begins; an empty one is done at once.
#[inline(always)]
fn start(step: &mut Step<'_, '_>, scope: ScopeId, container: &Container) {
    match container.starts[..] {
        [] => step.emptied(scope),
        [node] => {
            let token = step.born(scope, node);
            step.set_out(token, node);
        }
        ref nodes => {
            for node in nodes {
                let token = step.born(scope, *node);
                step.schedule(token, Stage::Enter);
            }
        }
    }
}
