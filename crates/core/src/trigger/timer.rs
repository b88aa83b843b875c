//! Timers (BPMN 2.0.2 Table 10.101): a date, a duration or a cycle.

use std::sync::Arc;

use crate::expressions::EvaluationError;
use crate::graph::Expression;
use crate::instance::{Ordinal, Retry, ScopeId, TimerWait, WaitId, WaitKind};
use crate::model::TimerKind;
use crate::step::{Closed, Step};
use crate::time::Timer;
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
    let value = step.evaluate(expression, scope, node)?;
    let end = end.map(|end| step.evaluate(end, scope, node)).transpose()?.unwrap_or_default();
    let now = step.context.now;
    let timer = Timer::parse(kind, &value, now, &Zone::UTC).and_then(|timer| timer.until(&end, now, &Zone::UTC));
    let timer = timer.map_err(|error| {
        EvaluationError::Failed(format!(
            "the timer `{}` of `{}` cannot be read: {error}",
            expression.text,
            step.graph.node(node).id
        ))
    })?;
    let (cycle, priority) = (step.graph.node(node).details.retry_cycle.as_ref(), step.graph.own_priority(node, false));
    let retry = step.retry(cycle, priority, scope, node)?;
    Ok(WaitKind::Timer(Arc::new(TimerWait { timer, occurred: false, retry })))
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
