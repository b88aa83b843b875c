//! User tasks: wait for a person (BPMN 2.0.2 §10.3.4).

use std::sync::Arc;

use crate::Name;
use crate::behaviour::job;
use crate::dialect::{Dialect, ListenerStage};
use crate::expressions::EvaluationError;
use crate::graph::{Expression, ListenerAction, NodeKind, UserTask, names};
use crate::instance::{IncidentStage, NONE, Ordinal, Owner, ScopeId, TokenId, UserTaskWait, WaitId, WaitKind};
use crate::model::TimerKind;
use crate::step::{Problem, StandingTask, Step, Told, Variables};
use crate::time::{Timer, Timestamp};
use crate::value::{Value, Zone};

/// Creates the task, once its listeners have been called.
pub(crate) fn create(step: &mut Step<'_, '_>, token: TokenId, task: &UserTask) -> Result<(), Problem> {
    if step.node(token).details.listeners.is_empty() {
        return stand(step, token, task);
    }
    let is_first = step.graph.dialect() == Dialect::Flowable && is_assigned(step, token, task);
    announce(step, token, if is_first { ListenerStage::Assignment } else { ListenerStage::Create }, 0);
    Ok(())
}

/// Calls the listeners of a stage from the given one on, and those of the stages after it; then the task stands. Flowable assigns a task
/// before it says that it is there.
pub(crate) fn announce(step: &mut Step<'_, '_>, token: TokenId, stage: ListenerStage, from: u32) {
    let NodeKind::UserTask(task) = &step.node(token).kind else { return };
    if !step.call_listeners(token, stage, from) {
        return;
    }
    match (stage, step.graph.dialect()) {
        (ListenerStage::Assignment, Dialect::Flowable) => return announce(step, token, ListenerStage::Create, 0),
        (ListenerStage::Assignment, _) | (_, Dialect::Flowable) => {}
        _ if is_assigned(step, token, task) => return announce(step, token, ListenerStage::Assignment, 0),
        _ => {}
    }
    if let Err(problem) = stand(step, token, task) {
        step.stuck(token, problem, IncidentStage::Execute);
    }
}

/// Whether the model gives the task to anybody; what cannot be told yet fails when the task is to stand.
fn is_assigned(step: &mut Step<'_, '_>, token: TokenId, task: &UserTask) -> bool {
    let Some(assignee) = &task.assignee else { return false };
    let assignee = step.text(assignee, step.variable_scope(token), step.node_of(token));
    matches!(assignee, Ok(Some(assignee)) if !assignee.is_empty())
}

fn stand(step: &mut Step<'_, '_>, token: TokenId, task: &UserTask) -> Result<(), Problem> {
    let wait = match &task.fixed {
        Some(fixed) => fixed.clone(),
        None => Arc::new(assign(step, token, task)?),
    };
    step.wait(token, WaitKind::UserTask(wait));
    for (index, listener) in (0..).zip(&step.node(token).details.listeners) {
        if let Some(timer) = &listener.timer {
            let (node, scope) = (step.node_of(token), step.variable_scope(token));
            step.subscribe_to(Owner::Token(token), node, scope, index, timer)?;
        }
    }
    Ok(())
}

/// Somebody has changed the task, perhaps also who has it: its listeners are told.
pub(crate) fn changed(step: &mut Step<'_, '_>, wait: WaitId, token: TokenId, assignee: Option<Name>) {
    let Some(WaitKind::UserTask(task)) = step.instance.waits.get(wait).map(|wait| &wait.kind) else { return };
    let given = task.assignee != assignee;
    if given {
        let task = UserTaskWait { assignee, ..(**task).clone() };
        step.change(wait, WaitKind::UserTask(Arc::new(task)));
    }
    tell(step, token, ListenerStage::Update);
    if given {
        tell(step, token, ListenerStage::Assignment);
    }
}

/// Calls all listeners of a stage while the task stands: it waits for none of them, and one that fails does not keep the others.
pub(crate) fn tell(step: &mut Step<'_, '_>, token: TokenId, stage: ListenerStage) {
    for (index, listener) in (0..).zip(&step.node(token).details.listeners) {
        if listener.stage == stage && step.stands(token) {
            tell_one(step, token, index);
        }
    }
}

/// Calls one listener while the task stands.
pub(crate) fn tell_one(step: &mut Step<'_, '_>, token: TokenId, index: u32) {
    let Some(listener) = step.node(token).details.listeners.get(index as usize) else { return };
    let called = match &listener.action {
        ListenerAction::Job(job) => job::open(step, token, 0, job, Some(index)),
        ListenerAction::Evaluate(expression) => {
            let told = Told { stage: listener.stage, task: step.standing_task(token) };
            step.call_listener_at(token, expression, told)
        }
    };
    if let Err(error) = called {
        step.stuck(token, error.into(), IncidentStage::Listener(index));
    }
}

/// What a person gives with a task goes past what is only the task's own, such as a draft: that ends with it. What the model gives the
/// task is changed where it stands, for the task's outputs or its loop may ask for it; so is everything in Camunda 8's dialect.
pub(crate) fn receive(step: &mut Step<'_, '_>, token: TokenId, variables: Variables) {
    let own = step.instance.tokens.get(token).map_or(NONE, |token| token.inside);
    let node = step.node(token);
    for (name, value) in variables {
        let has_it = step.instance.scopes.get(own).filter(|scope| scope.variable(&name).is_some());
        match has_it.map(|scope| scope.parent) {
            Some(around) if step.graph.dialect() != Dialect::Zeebe && !node.gives(&name) => {
                // What comes after the work is to see what was given, not the draft of it.
                if !node.details.outputs.is_empty() || !node.details.listeners.is_empty() {
                    step.remove_local(own, name.clone());
                }
                step.set_nearest(around, name, value);
            }
            _ => step.receive_one(token, name, value),
        }
    }
}

impl Step<'_, '_> {
    /// The user task that stands where a token is.
    fn user_task(&self, token: TokenId) -> Option<&UserTaskWait> {
        self.waits_of(Owner::Token(token)).find_map(|(_, wait)| match &wait.kind {
            WaitKind::UserTask(task) => Some(task.as_ref()),
            _ => None,
        })
    }

    /// Whether a user task stands where a token is: its creation has been announced, and nobody has completed it.
    pub(crate) fn stands(&self, token: TokenId) -> bool {
        self.user_task(token).is_some()
    }

    /// The user task on which a token is; none before it stands.
    pub(crate) fn standing_task(&self, token: TokenId) -> Option<StandingTask> {
        match &self.completing {
            Some((completing, task)) if *completing == token => Some(task.clone()),
            _ => self.user_task(token).map(StandingTask::from),
        }
    }
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
    let mut user = |expression: &Option<Expression>| -> Result<Option<Name>, EvaluationError> {
        let Some(user) = expression else { return Ok(None) };
        Ok(step.text(user, scope, node)?.filter(|user| !user.is_empty()))
    };
    let (assignee, owner) = (user(&task.assignee)?, user(&task.owner)?);
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
        priority: priority(step, task.priority.as_ref(), scope, node)?,
        form_key,
        name,
        owner,
    };
    task.fall_to_lane(&mut wait);
    Ok(wait)
}

/// How urgent something is; null says nothing of it.
pub(crate) fn priority(
    step: &mut Step<'_, '_>,
    expression: Option<&Expression>,
    scope: ScopeId,
    node: Ordinal,
) -> Result<Option<i64>, EvaluationError> {
    let Some(priority) = expression else { return Ok(None) };
    let value = step.evaluate(priority, scope, node)?;
    if value.is_null() {
        return Ok(None);
    }
    let number = number(&value).ok_or_else(|| {
        EvaluationError::Failed(format!(
            "`{}` gives {value}, but a priority is a whole number; set what it is computed from",
            priority.text
        ))
    });
    number.map(Some)
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
