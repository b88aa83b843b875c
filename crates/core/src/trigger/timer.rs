//! Timers (BPMN 2.0.2 Table 10.101): a date, a duration or a cycle.

use std::sync::Arc;

use crate::expressions::EvaluationError;
use crate::graph::{Catch, Expression};
use crate::instance::{Ordinal, Owner, Retry, ScopeId, TimerWait, WaitId, WaitKind};
use crate::model::TimerKind;
use crate::step::{Closed, DueType, Rejection, Step};
use crate::time::{Timer, Timestamp};
use crate::value::Zone;

/// What a timer waits for.
pub(crate) fn subscription(
    step: &mut Step<'_, '_>,
    node: Ordinal,
    scope: ScopeId,
    kind: TimerKind,
    expression: &Expression,
    end: Option<&Expression>,
) -> Result<WaitKind, EvaluationError> {
    let now = step.context.now;
    let timer = computed(step, (node, scope), (kind, expression, end), now)?;
    let (cycle, priority) = (step.graph.node(node).details.retry_cycle.as_ref(), step.graph.own_priority(node, false));
    let retry = step.retry(cycle, priority, scope, (node, DueType::Timer))?;
    Ok(WaitKind::Timer(Arc::new(TimerWait { timer, occurred: false, retry })))
}

/// What a timer says, counted from a moment.
fn computed(
    step: &mut Step<'_, '_>,
    (node, scope): (Ordinal, ScopeId),
    (kind, expression, end): (TimerKind, &Expression, Option<&Expression>),
    from: Timestamp,
) -> Result<Timer, EvaluationError> {
    let value = step.evaluate(expression, scope, node)?;
    let end = end.map(|end| step.evaluate(end, scope, node)).transpose()?.unwrap_or_default();
    let timer = Timer::parse(kind, &value, from, &Zone::UTC).and_then(|timer| timer.until(&end, from, &Zone::UTC));
    timer.map_err(|error| {
        EvaluationError::Failed(format!(
            "the timer `{}` of `{}` cannot be read: {error}",
            expression.text,
            step.graph.node(node).id
        ))
    })
}

/// When a timer that is waited for would be due by what the data say now, counted from a moment.
pub(crate) fn due_anew(step: &mut Step<'_, '_>, wait: WaitId, from: Timestamp) -> Result<Timestamp, Rejection> {
    let graph = step.graph;
    let found = step.instance.waits.get(wait).map(|wait| (wait.key, wait.owner, wait.node, wait.definition));
    let (key, owner, node, definition) = found.ok_or(Rejection::NotActive(step.instance.key()))?;
    let scope = match owner {
        Owner::Token(token) => step.variable_scope(token),
        Owner::Scope(scope) => scope,
    };
    let Some(Catch::Timer { kind, expression, end }) = graph.catches(node).get(definition as usize) else {
        let (expected, found) = ("timer of an event", "timer of a listener");
        return Err(Rejection::WrongKind { key, expected, found });
    };
    let timer = computed(step, (node, scope), (*kind, expression, end.as_ref()), from);
    timer.map(|timer| timer.due).map_err(|error| Rejection::NotComputed(graph.node(node).id.clone(), error.to_string()))
}

/// A timer has fired and its event stays: a cycle's next time is set, anything else is over. `occurred` tells whether its event
/// waits for other definitions.
pub(crate) fn go_on(step: &mut Step<'_, '_>, wait: WaitId, timer: &TimerWait, occurred: bool) {
    let retry = Retry::anew(timer.retry.as_ref());
    match timer.timer.next_due(timer.timer.due) {
        Some(timer) => {
            step.change(wait, WaitKind::Timer(Arc::new(TimerWait { timer, occurred, retry })));
        }
        None => step.close(wait, Closed::Completed),
    }
}
