//! Jobs: wait for a worker.

use std::sync::Arc;

use super::user_task::{number, priority};
use crate::expressions::EvaluationError;
use crate::graph::Job;
use crate::instance::{JobWait, TRIES, TokenId, WaitKind};
use crate::step::Step;
use crate::time::tries;
use crate::value::Value;

/// Opens a job: the flow node's work, of an event this one of its definitions, or one of its listeners.
pub(crate) fn open(
    step: &mut Step<'_, '_>,
    token: TokenId,
    definition: u32,
    job: &Job,
    listener: Option<u32>,
) -> Result<(), EvaluationError> {
    let (scope, node) = (step.variable_scope(token), step.node_of(token));
    let kind = step.name(&job.kind, scope, node)?;
    let retry_cycle = match &job.retry_cycle {
        Some(cycle) => step.text(cycle, scope, node)?,
        None => None,
    };
    let retries = match &job.retries {
        Some(retries) => Some(self::retries(&step.evaluate(retries, scope, node)?, &retries.text)?),
        None => retry_cycle.as_deref().and_then(tries),
    };
    let priority = priority(step, job.priority.as_ref(), scope, node)?;
    let mut headers = Vec::with_capacity(job.headers.len());
    for (name, value) in &job.headers {
        headers.push((name.clone(), step.evaluate(value, scope, node)?));
    }
    let wait = JobWait {
        kind,
        retries: retries.unwrap_or(TRIES),
        retry_cycle,
        priority: priority.unwrap_or(0),
        headers,
        listener,
        mapped_only: job.mapped_only,
    };
    step.wait_of(token, definition, WaitKind::Job(Arc::new(wait)));
    Ok(())
}

fn retries(value: &Value, text: &str) -> Result<i64, EvaluationError> {
    number(value).filter(|retries| *retries > 0).ok_or_else(|| {
        EvaluationError::Failed(format!(
            "`{text}` gives {value} tries, but a job has one at least; set what it is computed from"
        ))
    })
}
