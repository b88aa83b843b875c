//! User tasks: wait for a person (BPMN 2.0.2 §10.3.4).

use std::sync::Arc;

use crate::Name;
use crate::dialect::ListenerStage;
use crate::expressions::EvaluationError;
use crate::graph::{Expression, NodeKind, UserTask, names};
use crate::instance::{IncidentStage, TokenId, UserTaskWait, WaitKind};
use crate::model::TimerKind;
use crate::step::{Problem, Step};
use crate::time::{Timer, Timestamp};
use crate::value::{Value, Zone};

/// Creates the task, once its listeners have been called.
pub(crate) fn create(step: &mut Step<'_, '_>, token: TokenId, task: &UserTask) -> Result<(), Problem> {
    if step.node(token).details.listeners.is_empty() {
        return stand(step, token, task);
    }
    announce(step, token, ListenerStage::Create, 0);
    Ok(())
}

/// Calls the listeners of a stage from the given one on, and those of the stages after it; then the task stands.
pub(crate) fn announce(step: &mut Step<'_, '_>, token: TokenId, stage: ListenerStage, from: u32) {
    let NodeKind::UserTask(task) = &step.node(token).kind else { return };
    if !step.call_listeners(token, stage, from) {
        return;
    }
    if stage == ListenerStage::Create && task.assignee.is_some() {
        return announce(step, token, ListenerStage::Assignment, 0);
    }
    if let Err(problem) = stand(step, token, task) {
        step.stuck(token, problem, IncidentStage::Execute);
    }
}

fn stand(step: &mut Step<'_, '_>, token: TokenId, task: &UserTask) -> Result<(), Problem> {
    let wait = match &task.fixed {
        Some(fixed) => fixed.clone(),
        None => Arc::new(assign(step, token, task)?),
    };
    step.wait(token, WaitKind::UserTask(wait));
    Ok(())
}

fn assign(step: &mut Step<'_, '_>, token: TokenId, task: &UserTask) -> Result<UserTaskWait, EvaluationError> {
    let (scope, node) = (step.variable_scope(token), step.node_of(token));
    let form = step.graph.node(node).details.form.as_ref().and_then(|form| form.key.as_ref());
    let form_key = match form {
        Some(key) => step.text(key, scope, node)?,
        None => None,
    };
    let name = match &task.name {
        Some(name) => step.text(name, scope, node)?,
        None => None,
    };
    let assignee = match &task.assignee {
        Some(assignee) => step.text(assignee, scope, node)?.filter(|assignee| !assignee.is_empty()),
        None => None,
    };
    let mut all = |expressions: &[Expression]| -> Result<Vec<Name>, EvaluationError> {
        let mut all = Vec::new();
        for expression in expressions {
            all.extend(names(&step.evaluate(expression, scope, node)?));
        }
        Ok(all)
    };
    let candidate_users = all(&task.candidate_users)?;
    let candidate_groups = all(&task.candidate_groups)?;
    let mut wait = UserTaskWait {
        assignee,
        candidate_users,
        candidate_groups,
        due: moment(step, token, task.due_date.as_ref())?,
        follow_up: moment(step, token, task.follow_up_date.as_ref())?,
        priority: match &task.priority {
            Some(priority) => number(&step.evaluate(priority, scope, node)?),
            None => None,
        },
        form_key,
        name,
    };
    task.fall_to_lane(&mut wait);
    Ok(wait)
}

/// A whole number out of a value, also out of text.
pub(crate) fn number(value: &Value) -> Option<i64> {
    match value.plain() {
        Value::Integer(number) => Some(*number),
        Value::Number(number) => number.round().to_string().parse().ok(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// A due date is a date, a point in time, or a duration from now.
fn moment(
    step: &mut Step<'_, '_>,
    token: TokenId,
    expression: Option<&Expression>,
) -> Result<Option<Timestamp>, EvaluationError> {
    let Some(expression) = expression else { return Ok(None) };
    let value = step.evaluate(expression, step.variable_scope(token), step.node_of(token))?;
    let kind = match value.plain() {
        Value::Null => return Ok(None),
        Value::Duration(_) => TimerKind::Duration,
        Value::String(text) if text.trim().is_empty() => return Ok(None),
        Value::String(text) if text.trim_start_matches('-').starts_with('P') => TimerKind::Duration,
        _ => TimerKind::Date,
    };
    match Timer::parse(kind, &value, step.context.now, &Zone::UTC) {
        Ok(timer) => Ok(Some(timer.due)),
        Err(error) => Err(EvaluationError::Failed(format!("the date `{}` cannot be read: {error}", expression.text))),
    }
}
