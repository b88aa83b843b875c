//! Work on tasks: what is seen of their instances, what is written down meanwhile, and how they end.

use potok_core::Name;
use potok_core::instance::{Key, Wait, WaitKind};
use potok_core::routing::{Running, Work, World as _};
use potok_core::step::{Command, Rejection, Variables};
use potok_core::value::Value;

use super::{Assignment, forbidden, may_claim, out_of_reach};
use crate::attempt::{Attempt, Missing};
use crate::engine::Engine;
use crate::own_variables::own;
use crate::{Action, Error, InstanceId, IntoVariables, Right, TaskId, Viewpoint, scoped};

impl Engine {
    /// Completes a task with what it gave.
    ///
    /// # Errors
    /// If the task is not open, its instance is suspended, or (for an engine that acts as a user) it is not the user's.
    pub async fn complete(&self, task: TaskId, variables: impl IntoVariables) -> Result<(), Error> {
        let variables = self.inner.given(variables)?;
        self.answer_task(task, "complete", || Command::CompleteUserTask { task: task.0, variables: variables.clone() })
            .await
    }

    /// Reports a BPMN error from a task.
    ///
    /// # Errors
    /// As [`complete`](Self::complete).
    pub async fn throw_task_error(
        &self,
        task: TaskId,
        code: impl Into<Name>,
        message: Option<Name>,
        variables: impl IntoVariables,
    ) -> Result<(), Error> {
        let (code, variables) = (code.into(), self.inner.given(variables)?);
        self.answer_task(task, "complete", || Command::ThrowError {
            wait: task.0,
            code: code.clone(),
            message: message.clone(),
            variables: variables.clone(),
        })
        .await
    }

    /// The variables that a task sees, in the names' order: its own, and those around it that its own do not hide.
    ///
    /// # Errors
    /// If the task is not open.
    pub async fn task_variables(&self, task: TaskId) -> Result<Variables, Error> {
        self.look_at_task(task, visible).await
    }

    /// The variables that are a task's own, in the names' order: what was set with
    /// [`set_local_task_variables`](Self::set_local_task_variables), and what its model computes for it.
    ///
    /// # Errors
    /// If the task is not open.
    pub async fn local_task_variables(&self, task: TaskId) -> Result<Variables, Error> {
        self.look_at_task(task, |running, wait| own(&running.instance, wait).to_vec()).await
    }

    /// Sets variables while a task is being worked on: each in the innermost scope around the task that has it, the task's own
    /// first, else in the process. So does [`complete`](Self::complete) with what it is given.
    ///
    /// # Errors
    /// As [`complete`](Self::complete).
    pub async fn set_task_variables(&self, task: TaskId, variables: impl IntoVariables) -> Result<(), Error> {
        self.set_task_variables_if(task, |_| true, variables).await
    }

    /// The same, if [those that the task sees](Self::task_variables) are what its caller takes them for.
    ///
    /// # Errors
    /// As [`complete`](Self::complete); and [`Error::VariablesChanged`] if they are not.
    pub async fn set_task_variables_if(
        &self,
        task: TaskId,
        is_expected: impl Fn(&[(Name, Value)]) -> bool + Send + Sync,
        variables: impl IntoVariables,
    ) -> Result<(), Error> {
        let variables = self.inner.given(variables)?;
        let command = || Command::SetTaskVariables {
            task: task.0,
            variables: variables.clone(),
            local_variables: Variables::new(),
        };
        let is_expected = |running: &Running, wait: &Wait| is_expected(&visible(running, wait));
        self.answer_task_if(task, "set variables of", is_expected, command).await
    }

    /// Sets variables of a task's own: a draft, a tick on a list. The task sees them before those of the same name around it; its
    /// listeners, output mappings and boundary events see them too, nobody else does, and they go with the task. What the task is completed
    /// with goes past them: that is for what comes after it.
    ///
    /// ```
    /// # async fn example(engine: potok::Engine, task: potok::TaskId) -> Result<(), potok::Error> {
    /// use serde_json::json;
    ///
    /// engine.set_local_task_variables(task, json!({"draft": "Dear Anna, ..."})).await?;
    /// let draft = engine.local_task_variables(task).await?;
    /// engine.complete(task, json!({"sent": true})).await?; // of the process; the draft is gone
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`complete`](Self::complete).
    pub async fn set_local_task_variables(&self, task: TaskId, variables: impl IntoVariables) -> Result<(), Error> {
        self.set_local_task_variables_if(task, |_| true, variables).await
    }

    /// The same, if [its own](Self::local_task_variables) are what its caller takes them for.
    ///
    /// # Errors
    /// As [`complete`](Self::complete); and [`Error::VariablesChanged`] if they are not.
    pub async fn set_local_task_variables_if(
        &self,
        task: TaskId,
        is_expected: impl Fn(&[(Name, Value)]) -> bool + Send + Sync,
        variables: impl IntoVariables,
    ) -> Result<(), Error> {
        let variables = self.inner.given(variables)?;
        let command = || Command::SetTaskVariables {
            task: task.0,
            variables: Variables::new(),
            local_variables: variables.clone(),
        };
        let is_expected = |running: &Running, wait: &Wait| is_expected(own(&running.instance, wait));
        self.answer_task_if(task, "set variables of", is_expected, command).await
    }

    /// Sets and removes variables that a task sees, or with `own` those of its own, in one step. A task for which something of its own is
    /// set counts as changed. It may be one of a suspended instance.
    ///
    /// # Errors
    /// If the task is not open, or (for an engine that acts as a user) it is not the user's.
    pub async fn change_task_variables(
        &self,
        task: TaskId,
        own: bool,
        set: impl IntoVariables,
        remove: impl IntoIterator<Item = Name>,
    ) -> Result<(), Error> {
        let (set, remove): (Variables, Vec<Name>) = (self.inner.given(set)?, remove.into_iter().collect());
        let from = (Viewpoint::Wait(task.0), own);
        let is_changed = own && set.iter().any(|(name, _)| !remove.contains(name));
        self.work_on_task(task, "change variables of", |attempt, work, instance| {
            let Some(row) = attempt.task(instance, task.0)?.cloned() else { return Ok(Err(Error::UnknownTask(task))) };
            let done = scoped::change(attempt, work, instance, from, (&set, &remove))?;
            if is_changed && done.is_ok() {
                let assignment = Assignment::of(&row);
                attempt.assign(row, assignment);
            }
            Ok(done)
        })
        .await
    }

    async fn look_at_task(
        &self,
        task: TaskId,
        look: impl Fn(&Running, &Wait) -> Variables + Send + Sync,
    ) -> Result<Variables, Error> {
        let access = self.access(Action::SeeTasks, &task).await?;
        if !access.is_unlimited() {
            self.task_in_sight(&access, task).await?;
        }
        let instance = self.instance_of(task).await?;
        let variables = |running: Option<&Running>| {
            let running = running?;
            Some(look(running, running.instance.wait(task.0)?))
        };
        self.inner.look(instance, variables).await?.ok_or(Error::UnknownTask(task))
    }

    async fn answer_task(
        &self,
        task: TaskId,
        what: &str,
        command: impl Fn() -> Command + Send + Sync,
    ) -> Result<(), Error> {
        self.answer_task_if(task, what, |_, _| true, command).await
    }

    async fn answer_task_if(
        &self,
        task: TaskId,
        what: &str,
        is_expected: impl Fn(&Running, &Wait) -> bool + Send + Sync,
        command: impl Fn() -> Command + Send + Sync,
    ) -> Result<(), Error> {
        let answered = |attempt: &mut Attempt<'_>, work: &mut Work, instance| {
            answer(attempt, work, instance, task, &is_expected, command())
        };
        self.work_on_task(task, what, answered).await
    }

    /// Does something to a task, for whoever may work on it.
    async fn work_on_task(
        &self,
        task: TaskId,
        what: &str,
        done: impl Fn(&mut Attempt<'_>, &mut Work, Key) -> Result<Result<(), Error>, Missing> + Send + Sync,
    ) -> Result<(), Error> {
        let access = self.access(Action::WorkOnTask, &task).await?;
        let instance = self.instance_of(task).await?;
        let answered = self.inner.transact(self.envelope(), |attempt, work| {
            if let Some((user, groups)) = access.user()
                && !access.may(Right::Operate)
            {
                let Some(row) = attempt.task(instance, task.0)? else { return Ok(Err(Error::UnknownTask(task))) };
                let is_theirs = match &row.assignee {
                    Some(assignee) => assignee == user,
                    None => may_claim(row, user, groups),
                };
                if !is_theirs {
                    return Ok(Err(forbidden(user, format!("{what} task {task}"), "it is not theirs")));
                }
            }
            if attempt.instance(instance)?.is_some()
                && !attempt.loaded(instance).is_some_and(|loaded| access.admits(loaded.tenant.as_ref()))
            {
                return Ok(Err(out_of_reach(task)));
            }
            done(attempt, work, instance)
        });
        match answered.await {
            Err(error @ Error::Forbidden { .. }) => Err(self.kept_from(Action::WorkOnTask, &access, task, error).await),
            answered => answered,
        }
    }
}

/// The variables that a task sees.
fn visible(running: &Running, wait: &Wait) -> Variables {
    let scope = running.instance.scope_of(wait);
    running.instance.all_visible(scope, running.graph.dialect().counters())
}

fn answer(
    attempt: &mut Attempt<'_>,
    work: &mut Work,
    instance: Key,
    task: TaskId,
    is_expected: &dyn Fn(&Running, &Wait) -> bool,
    command: Command,
) -> Result<Result<(), Error>, Missing> {
    let Some(running) = attempt.instance(instance)? else { return Ok(Err(Error::UnknownTask(task))) };
    let is_task = |kind: &WaitKind| matches!(kind, WaitKind::UserTask(_));
    let wait = running.instance.wait(task.0).filter(|wait| is_task(&wait.kind));
    let Some(wait) = wait else { return Ok(Err(Error::UnknownTask(task))) };
    if !is_expected(running, wait) {
        return Ok(Err(Error::VariablesChanged(InstanceId(instance))));
    }
    if attempt.loaded(instance).is_some_and(|loaded| loaded.suspended) {
        return Ok(Err(Error::InstanceSuspended(InstanceId(instance))));
    }
    Ok(match attempt.step(instance, command) {
        Ok(requests) => {
            work.ask(instance, requests);
            Ok(())
        }
        Err(Rejection::Unknown(_) | Rejection::NotActive(_)) => Err(Error::UnknownTask(task)),
        Err(rejection) => Err(rejection.into()),
    })
}
