//! Tasks that belong to no process. Each is an instance of a small process that the engine carries in itself: so the log, guards,
//! history, search and the doctor know nothing of them. It is deployed nowhere, and its rows name no process.

use potok_core::Name;
use potok_core::instance::{Key, WaitKind};
use potok_core::routing::Work;
use potok_core::step::{Command, Rejection, StartAt, Variables};
use potok_core::time::Timestamp;
use potok_store::query::InstanceQuery;
use potok_store::row::{Definition, DefinitionKind, TaskState};

use crate::access::Access;
use crate::attempt::Attempt;
use crate::engine::Engine;
use crate::envelope::{Act, Envelope};
use crate::follow::PRIORITY;
use crate::instance::{begin, give};
use crate::task::check_is_theirs;
use crate::{Action, Assignment, Error, IntoVariables, Right, Task, TaskId};

/// The definition of the process that such a task runs on. Keys that are given out begin far behind it.
pub(crate) const ALONE: Key = Key(1);

/// Its model.
pub(crate) const MODEL: &[u8] = include_bytes!("alone.bpmn");

/// Its definition.
pub(crate) fn definition() -> Definition {
    Definition {
        key: ALONE,
        kind: DefinitionKind::Process,
        id: "task_alone".into(),
        version: 1,
        ..Definition::default()
    }
}

/// Instances of processes only, unless others are asked for.
pub(crate) fn of_processes(query: InstanceQuery) -> InstanceQuery {
    let has_process = query.has_process.or_else(|| query.keys.is_empty().then_some(true));
    InstanceQuery { has_process, ..query }
}

/// A task that belongs to no process, about to be created.
#[derive(Debug)]
#[must_use = "nothing is created until `send`"]
pub struct NewTask<'e> {
    engine: &'e Engine,
    name: Name,
    description: Option<Name>,
    form: Option<Name>,
    tenant: Option<Name>,
    assignment: Assignment,
    variables: Result<Variables, Error>,
}

impl NewTask<'_> {
    /// What is to be done.
    pub fn description(self, description: impl Into<Name>) -> Self {
        Self { description: Some(description.into()), ..self }
    }

    /// For this user, who need not claim it.
    pub fn assignee(mut self, user: impl Into<Name>) -> Self {
        self.assignment.assignee = Some(user.into());
        self
    }

    /// This user is responsible for it.
    pub fn owner(mut self, user: impl Into<Name>) -> Self {
        self.assignment.owner = Some(user.into());
        self
    }

    /// This user may claim it; with several, any of them.
    pub fn candidate_user(mut self, user: impl Into<Name>) -> Self {
        self.assignment.candidate_users.push(user.into());
        self
    }

    /// The members of this group may claim it; with several, those of any.
    pub fn candidate_group(mut self, group: impl Into<Name>) -> Self {
        self.assignment.candidate_groups.push(group.into());
        self
    }

    /// Due then.
    pub fn due(mut self, time: Timestamp) -> Self {
        self.assignment.due = Some(time);
        self
    }

    /// To be looked at again then.
    pub fn follow_up(mut self, time: Timestamp) -> Self {
        self.assignment.follow_up = Some(time);
        self
    }

    /// The higher, the sooner; 50 unless this is set.
    pub fn priority(mut self, priority: i64) -> Self {
        self.assignment.priority = priority;
        self
    }

    /// With the form of that key.
    pub fn form(self, key: impl Into<Name>) -> Self {
        Self { form: Some(key.into()), ..self }
    }

    /// For that tenant.
    pub fn tenant(self, tenant: impl Into<Name>) -> Self {
        Self { tenant: Some(tenant.into()), ..self }
    }

    /// With these variables.
    pub fn variables(self, variables: impl IntoVariables) -> Self {
        Self { variables: self.engine.inner.given(variables), ..self }
    }

    /// Creates it: it is open, and that is durable.
    ///
    /// # Errors
    /// If a variable is refused, or the database cannot be written.
    pub async fn send(self) -> Result<Task, Error> {
        let engine = self.engine;
        let variables = self.variables?;
        let access = engine.access(Action::CreateTask, &self.name).await?;
        let tenant = Some(access.home(self.tenant.as_ref())?).filter(|tenant| !tenant.is_empty());
        let deployed = engine.inner.catalog.get(ALONE).await?.ok_or(Error::NothingToDo)?;
        let act = Act::TaskCreated {
            name: self.name,
            description: self.description,
            form: self.form,
            tenant: tenant.clone(),
            assignment: self.assignment,
        };
        let envelope = Envelope { act: Some(act), ..engine.envelope() };
        let by = &engine.user;
        let action = |attempt: &mut Attempt<'_>, work: &mut Work| {
            let command = Command::Start {
                at: StartAt::None,
                business_key: None,
                variables: variables.clone(),
                caller: None,
                started_by: None,
                initiator: by.clone(),
            };
            Ok(begin(attempt, work, &deployed, command).inspect(|&key| {
                if let Some(loaded) = attempt.loaded_mut(key) {
                    loaded.tenant.clone_from(&tenant);
                }
            }))
        };
        let task = |attempt: &Attempt<'_>, instance: Key| {
            let running = &attempt.loaded(instance)?.running;
            running
                .instance
                .waits()
                .find(|wait| matches!(wait.kind, WaitKind::UserTask(_)))
                .map(|wait| TaskId(wait.key))
        };
        let task = engine.inner.transact_and(envelope, action, task).await?.ok_or(Error::NothingToDo)?;
        engine.task_in_sight(&Access::default(), task).await
    }
}

impl Engine {
    /// A task that belongs to no process. Everything that is done with tasks is done with it too; its variables are those of its
    /// instance, which is among no lists of instances.
    ///
    /// ```
    /// use potok::Engine;
    /// use serde_json::json;
    ///
    /// # tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap().block_on(async {
    /// # let engine = Engine::builder().sqlite_in_memory().start().await?;
    /// let task = engine
    ///     .create_task("Call the customer back")
    ///     .description("She asked for the contract's number.")
    ///     .candidate_group("sales")
    ///     .variables(json!({"phone": "+7 8442 000000"}))
    ///     .send()
    ///     .await?;
    /// assert_eq!(task.process_id(), None);
    /// engine.claim(task.id(), "anna").await?;
    /// engine.complete(task.id(), json!({"reached": true})).await?;
    /// # engine.stop().await;
    /// # Ok::<(), potok::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn create_task(&self, name: impl Into<Name>) -> NewTask<'_> {
        NewTask {
            engine: self,
            name: name.into(),
            description: None,
            form: None,
            tenant: None,
            assignment: Assignment { priority: PRIORITY, ..Assignment::default() },
            variables: Ok(Variables::new()),
        }
    }

    /// Ends a task that belongs to no process and is not done. It stays in the history, as cancelled.
    ///
    /// # Errors
    /// If the task is not open or belongs to a process, or (for an engine that acts as a user) the user neither has it, nor is
    /// responsible for it, nor has created it.
    pub async fn cancel_task(&self, task: TaskId, reason: impl Into<Name>) -> Result<(), Error> {
        let found = self.own_alone(task, "cancel").await?;
        match self.instance(found.instance_id()).end(reason.into()).await {
            Err(Error::Rejected(Rejection::NotActive(_))) => Err(Error::UnknownTask(task)),
            done => done,
        }
    }

    /// Removes a task that belongs to no process for good, done or not, with its history, comments and attachments.
    ///
    /// # Errors
    /// If there is no such task, or as [`cancel_task`](Self::cancel_task).
    pub async fn delete_task(&self, task: TaskId) -> Result<(), Error> {
        self.delete_task_if(task, |_| true).await
    }

    /// The same, if the task is what its caller takes it for.
    ///
    /// # Errors
    /// As [`delete_task`](Self::delete_task); and [`Error::TaskChanged`] if it is not.
    pub async fn delete_task_if(
        &self,
        task: TaskId,
        is_expected: impl Fn(&Assignment) -> bool + Send + Sync,
    ) -> Result<(), Error> {
        let mut found = self.own_alone(task, "delete").await?;
        let instance = found.instance_id();
        if found.state == TaskState::Open {
            let end = |attempt: &mut Attempt<'_>, work: &mut Work| {
                if attempt.task(instance.0, task.0)?.is_some_and(|row| !is_expected(&Assignment::of(row))) {
                    return Ok(Err(Error::TaskChanged(task)));
                }
                give(attempt, work, instance, Command::Cancel { reason: None })
            };
            match self.inner.transact(self.envelope(), end).await {
                Ok(()) => return self.instance(instance).remove().await,
                // It has been done meanwhile, and nobody changes it any more.
                Err(Error::Rejected(Rejection::NotActive(_))) => found = self.own_alone(task, "delete").await?,
                Err(error) => return Err(error),
            }
        }
        if !is_expected(&Assignment::of(&found)) {
            return Err(Error::TaskChanged(task));
        }
        self.instance(instance).remove().await
    }

    /// A task that belongs to no process, and is the user's or was created by the user.
    async fn own_alone(&self, task: TaskId, what: &str) -> Result<Task, Error> {
        let access = self.access(Action::EndTask, &task).await?;
        let found = self.task_in_sight(&access, task).await?;
        if found.process_id().is_some() {
            return Err(Error::TaskOfProcess(task));
        }
        if let Some(user) = &self.user
            && !access.may(Right::Operate)
            && self.instance(found.instance_id()).row().await?.initiator.as_ref() != Some(user)
            && let Err(error) = check_is_theirs(&access, &found, what)
        {
            return Err(self.kept_from(Action::EndTask, &access, task, error).await);
        }
        Ok(found)
    }
}
