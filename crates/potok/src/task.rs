//! User tasks: found, claimed, completed.

use std::ops::Deref;

use potok_core::Name;
use potok_core::instance::{Key, Owner, Wait, WaitKind};
use potok_core::routing::{Running, Work, World as _};
use potok_core::step::{Command, Rejection, Variables};
use potok_core::time::Timestamp;
use potok_store::query::{Cursor, Page, TaskOrder, TaskQuery, VariableFilter};
use potok_store::row::{Delegation, Task as TaskRow, TaskState};
use serde::{Deserialize, Serialize};

use crate::access::Access;
use crate::attempt::{Attempt, Missing};
use crate::engine::Engine;
use crate::envelope::Act;
use crate::{Action, Error, InstanceId, IntoVariables, Right, Role, TaskId};

/// A user task, as it was when it was looked at. It derefs to its row.
#[derive(Clone, Debug, PartialEq)]
pub struct Task {
    row: TaskRow,
}

impl Deref for Task {
    type Target = TaskRow;

    fn deref(&self) -> &TaskRow {
        &self.row
    }
}

impl Task {
    /// Its id.
    #[must_use]
    pub fn id(&self) -> TaskId {
        TaskId(self.row.key)
    }

    /// The id of its process; none if it [belongs to no process](Engine::create_task).
    #[must_use]
    pub fn process_id(&self) -> Option<&Name> {
        Some(&self.row.process).filter(|process| !process.is_empty())
    }

    /// Its instance; that of a task that belongs to no process holds its variables and its history.
    #[must_use]
    pub fn instance_id(&self) -> InstanceId {
        InstanceId(self.row.instance)
    }
}

/// What can be changed of a task, as it stands after a change.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Assignment {
    /// The user who works on it.
    pub assignee: Option<Name>,
    /// The user who is responsible for it.
    pub owner: Option<Name>,
    /// Whether the owner waits for the assignee.
    pub delegated: bool,
    /// The assignee has given it back to its owner.
    pub resolved: bool,
    /// Users who may claim it.
    pub candidate_users: Vec<Name>,
    /// Groups whose members may claim it.
    pub candidate_groups: Vec<Name>,
    /// The higher, the sooner.
    pub priority: i64,
    /// When it is due.
    pub due: Option<Timestamp>,
    /// When it should be looked at again.
    pub follow_up: Option<Timestamp>,
}

impl Assignment {
    /// That of a task as it is.
    #[must_use]
    pub fn of(task: &TaskRow) -> Self {
        Self {
            assignee: task.assignee.clone(),
            owner: task.owner.clone(),
            delegated: task.delegation == Delegation::Pending,
            resolved: task.delegation == Delegation::Resolved,
            candidate_users: task.candidate_users.clone(),
            candidate_groups: task.candidate_groups.clone(),
            priority: task.priority,
            due: task.due,
            follow_up: task.follow_up,
        }
    }

    /// The task with this assignment.
    pub(crate) fn of_task(self, task: TaskRow) -> TaskRow {
        let delegation = match (self.delegated, self.resolved) {
            (true, _) => Delegation::Pending,
            (false, true) => Delegation::Resolved,
            (false, false) => Delegation::None,
        };
        TaskRow {
            assignee: self.assignee,
            owner: self.owner,
            delegation,
            candidate_users: self.candidate_users,
            candidate_groups: self.candidate_groups,
            priority: self.priority,
            due: self.due,
            follow_up: self.follow_up,
            ..task
        }
    }
}

/// Tasks that are searched for. All filters that are given must hold.
#[derive(Clone, Debug)]
#[must_use = "nothing is searched for until `list`, `page` or `count`"]
pub struct Tasks<'e> {
    engine: &'e Engine,
    query: TaskQuery,
}

impl Tasks<'_> {
    /// Open to one of the members of this group; of several groups, to any.
    pub fn candidate_group(mut self, group: impl Into<Name>) -> Self {
        self.query.candidate_groups.push(group.into());
        self
    }

    /// Open to this user; with groups as well, to any of them.
    pub fn candidate_user(mut self, user: impl Into<Name>) -> Self {
        self.query.candidate_users.push(user.into());
        self
    }

    /// Assigned to this user.
    pub fn assignee(mut self, user: impl Into<Name>) -> Self {
        self.query.assignee = Some(user.into());
        self
    }

    /// Assigned to nobody.
    pub fn unassigned(mut self) -> Self {
        self.query.assigned = Some(false);
        self
    }

    /// Of this instance; of several, of any.
    pub fn instance(mut self, instance: InstanceId) -> Self {
        self.query.instances.push(instance.0);
        self
    }

    /// Of this process; of several, of any.
    pub fn process(mut self, process: impl Into<Name>) -> Self {
        self.query.processes.push(process.into());
        self
    }

    /// [Of no process](Engine::create_task).
    pub fn without_process(mut self) -> Self {
        self.query.has_process = Some(false);
        self
    }

    /// On this flow node; of several, on any.
    pub fn node(mut self, node: impl Into<Name>) -> Self {
        self.query.nodes.push(node.into());
        self
    }

    /// In this lane.
    pub fn lane(mut self, lane: impl Into<Name>) -> Self {
        self.query.lane = Some(lane.into());
        self
    }

    /// Due before then.
    pub fn due_before(mut self, time: Timestamp) -> Self {
        self.query.due_before = Some(time);
        self
    }

    /// Whose instance has such a variable.
    pub fn variable(mut self, variable: VariableFilter) -> Self {
        self.query.variables.push(variable);
        self
    }

    /// Also those that have ended.
    pub fn and_ended(mut self) -> Self {
        self.query.states.clear();
        self
    }

    /// In that order rather than by age.
    pub fn order(mut self, order: TaskOrder) -> Self {
        self.query.order = order;
        self
    }

    /// The last first.
    pub fn descending(mut self) -> Self {
        self.query.page.descending = true;
        self
    }

    /// At most so many on a page.
    pub fn limit(mut self, limit: usize) -> Self {
        self.query.page.limit = Some(limit);
        self
    }

    /// From where another page ended.
    pub fn after(mut self, cursor: Cursor) -> Self {
        self.query.page.after = Some(cursor);
        self
    }

    /// Any other filter.
    pub fn filter(mut self, change: impl FnOnce(&mut TaskQuery)) -> Self {
        change(&mut self.query);
        self
    }

    /// The tasks.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn list(self) -> Result<Vec<Task>, Error> {
        Ok(self.page().await?.rows)
    }

    /// A page of them, and where the next one begins.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn page(self) -> Result<Page<Task>, Error> {
        let mut query = self.query;
        self.engine.access(Action::SeeTasks, &"").await?.narrow(&mut query.sight);
        let page = self.engine.inner.store.list(&query).await?;
        Ok(Page { rows: page.rows.into_iter().map(|row| Task { row }).collect(), next: page.next })
    }

    /// How many there are, on all pages.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn count(self) -> Result<u64, Error> {
        let mut query = self.query;
        self.engine.access(Action::SeeTasks, &"").await?.narrow(&mut query.sight);
        Ok(self.engine.inner.store.count(&query).await?)
    }
}

impl Engine {
    /// Open tasks to be searched for; a user finds those that they may see.
    pub fn tasks(&self) -> Tasks<'_> {
        let query = TaskQuery { states: vec![TaskState::Open], ..TaskQuery::default() };
        Tasks { engine: self, query }
    }

    /// A task, open or ended.
    ///
    /// # Errors
    /// If there is no such task.
    pub async fn task(&self, task: TaskId) -> Result<Task, Error> {
        let access = self.access(Action::SeeTasks, &task).await?;
        self.task_in_sight(&access, task).await
    }

    pub(crate) async fn task_in_sight(&self, access: &Access, task: TaskId) -> Result<Task, Error> {
        let mut query = TaskQuery { keys: vec![task.0], ..TaskQuery::default() };
        access.narrow(&mut query.sight);
        let row = self.inner.store.list(&query).await?.rows.pop();
        row.map(|row| Task { row }).ok_or(Error::UnknownTask(task))
    }

    /// Takes a task into work for a user: nobody else can take it then. To claim what one has already does nothing.
    ///
    /// # Errors
    /// If the task is not open, somebody else has it, or (for an engine that acts as a user) it is not open to the user.
    pub async fn claim(&self, task: TaskId, user: impl Into<Name>) -> Result<(), Error> {
        let user = user.into();
        let groups = match &self.user {
            Some(_) => self.standing_of(&user).await?.groups.clone(),
            None => Vec::new(),
        };
        self.change_task(Action::ClaimTask, task, |access, row| {
            if let Some((own, _)) = access.user() {
                let for_others = *own != user && !access.may(Right::Assign);
                if for_others || !(row.assignee.as_ref() == Some(&user) || may_claim(row, &user, &groups)) {
                    return Err(forbidden(own, format!("claim task {task} for {user}"), "it is open to others"));
                }
            }
            match &row.assignee {
                Some(assignee) if *assignee == user => return Ok(None),
                Some(assignee) => return Err(Error::TaskClaimed { task, assignee: assignee.clone() }),
                None => {}
            }
            Ok(Some(Assignment { assignee: Some(user.clone()), ..Assignment::of(row) }))
        })
        .await
    }

    /// Gives a task back to those who may claim it.
    ///
    /// # Errors
    /// If the task is not open, or (for an engine that acts as a user) another has it.
    pub async fn unclaim(&self, task: TaskId) -> Result<(), Error> {
        self.change_task(Action::GiveTask, task, |access, row| {
            check_is_theirs(access, row, "give back")?;
            Ok(Some(Assignment { assignee: None, ..Assignment::of(row) }))
        })
        .await
    }

    /// Assigns a task to a user, whoever has it.
    ///
    /// # Errors
    /// If the task is not open.
    pub async fn assign(&self, task: TaskId, user: impl Into<Name>) -> Result<(), Error> {
        let user = user.into();
        self.change_task(Action::GiveTask, task, |access, row| {
            check_is_theirs(access, row, "assign")?;
            Ok(Some(Assignment { assignee: Some(user.clone()), ..Assignment::of(row) }))
        })
        .await
    }

    /// Asks another user to work on a task; it comes back when that one resolves it.
    ///
    /// # Errors
    /// If the task is not open, or (for an engine that acts as a user) another has it.
    pub async fn delegate(&self, task: TaskId, user: impl Into<Name>) -> Result<(), Error> {
        let user = user.into();
        self.change_task(Action::GiveTask, task, |access, row| {
            check_is_theirs(access, row, "delegate")?;
            let owner = row.owner.clone().or_else(|| row.assignee.clone());
            let assignee = Some(user.clone());
            Ok(Some(Assignment { assignee, owner, delegated: true, resolved: false, ..Assignment::of(row) }))
        })
        .await
    }

    /// Gives a delegated task back to its owner, worked on.
    ///
    /// # Errors
    /// If the task is not open, or (for an engine that acts as a user) another has it.
    pub async fn resolve(&self, task: TaskId) -> Result<(), Error> {
        self.change_task(Action::GiveTask, task, |access, row| {
            check_is_theirs(access, row, "resolve")?;
            let assignee = row.owner.clone();
            Ok(Some(Assignment { assignee, delegated: false, resolved: true, ..Assignment::of(row) }))
        })
        .await
    }

    /// Changes what can be changed of a task: dates, priority, candidates.
    ///
    /// # Errors
    /// If the task is not open.
    pub async fn update_task(&self, task: TaskId, change: impl Fn(&mut Assignment) + Send + Sync) -> Result<(), Error> {
        self.update_task_if(task, |_| true, change).await
    }

    /// The same, if the task is what its caller takes it for.
    ///
    /// # Errors
    /// As [`update_task`](Self::update_task); and [`Error::TaskChanged`] if it is not.
    pub async fn update_task_if(
        &self,
        task: TaskId,
        is_expected: impl Fn(&Assignment) -> bool + Send + Sync,
        change: impl Fn(&mut Assignment) + Send + Sync,
    ) -> Result<(), Error> {
        self.change_task(Action::GiveTask, task, |access, row| {
            check_is_theirs(access, row, "change")?;
            let mut assignment = Assignment::of(row);
            if !is_expected(&assignment) {
                return Err(Error::TaskChanged(task));
            }
            change(&mut assignment);
            Ok(Some(assignment))
        })
        .await
    }

    /// Completes a task with what it gave.
    ///
    /// # Errors
    /// If the task is not open, its instance is suspended, or (for an engine that acts as a user) it is not the user's.
    pub async fn complete(&self, task: TaskId, variables: impl IntoVariables) -> Result<(), Error> {
        let variables = variables.into_variables()?;
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
        let (code, variables) = (code.into(), variables.into_variables()?);
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
        self.look_at_task(task, |running, wait| {
            let scope = running.instance.scope_of(wait);
            running.instance.all_visible(scope, running.graph.dialect().counters())
        })
        .await
    }

    /// The variables that are a task's own, in the names' order: what was set with
    /// [`set_local_task_variables`](Self::set_local_task_variables), and what its model computes for it.
    ///
    /// # Errors
    /// If the task is not open.
    pub async fn local_task_variables(&self, task: TaskId) -> Result<Variables, Error> {
        self.look_at_task(task, |running, wait| {
            let instance = &running.instance;
            let scope = instance.scope(instance.scope_of(wait));
            let own = scope.filter(|scope| wait.owner == Owner::Token(scope.owner));
            own.map_or_else(Variables::new, |scope| scope.variables().to_vec())
        })
        .await
    }

    /// Sets variables while a task is being worked on: each in the innermost scope around the task that has it, the task's own
    /// first, else in the process. So does [`complete`](Self::complete) with what it is given.
    ///
    /// # Errors
    /// As [`complete`](Self::complete).
    pub async fn set_task_variables(&self, task: TaskId, variables: impl IntoVariables) -> Result<(), Error> {
        let variables = variables.into_variables()?;
        let command = || Command::SetTaskVariables {
            task: task.0,
            variables: variables.clone(),
            local_variables: Variables::new(),
        };
        self.answer_task(task, "set variables of", command).await
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
        let variables = variables.into_variables()?;
        let command = || Command::SetTaskVariables {
            task: task.0,
            variables: Variables::new(),
            local_variables: variables.clone(),
        };
        self.answer_task(task, "set variables of", command).await
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
            answer(attempt, work, instance, task, command())
        });
        match answered.await {
            Err(error @ Error::Forbidden { .. }) => Err(self.kept_from(Action::WorkOnTask, &access, task, error).await),
            answered => answered,
        }
    }

    /// Changes a task, if `change` gives another assignment for it as it is.
    async fn change_task(
        &self,
        action: Action,
        task: TaskId,
        change: impl Fn(&Access, &TaskRow) -> Result<Option<Assignment>, Error> + Send + Sync,
    ) -> Result<(), Error> {
        let access = self.access(action, &task).await?;
        let instance = self.instance_of(task).await?;
        let changed = self.inner.transact(self.envelope(), |attempt, work| {
            let Some(row) = attempt.task(instance, task.0)?.cloned() else {
                return Ok(Err(Error::UnknownTask(task)));
            };
            if !access.admits(row.tenant.as_ref()) {
                return Ok(Err(out_of_reach(task)));
            }
            let assignment = match change(&access, &row) {
                Ok(Some(assignment)) => assignment,
                Ok(None) => return Ok(Ok(())),
                Err(error) => return Ok(Err(error)),
            };
            let now = attempt.loaded(instance).map_or(attempt.now, |it| attempt.now.max(it.running.instance.now()));
            let row = TaskRow { changed: Some(now), ..row };
            let assignee = assignment.assignee.clone();
            attempt.put_task(assignment.clone().of_task(row));
            attempt.envelope.act = Some(Act::TaskChanged { task: task.0, assignment });
            let follows = |running: &Running| {
                let wait = running.instance.wait(task.0);
                let node = wait.and_then(|wait| running.graph.get_node(wait.node));
                node.is_some_and(|node| node.details.follows_task())
            };
            if !attempt.instance(instance)?.is_some_and(follows) {
                return Ok(Ok(()));
            }
            Ok(match attempt.step(instance, Command::ChangeUserTask { task: task.0, assignee }) {
                Ok(requests) => {
                    work.ask(instance, requests);
                    Ok(())
                }
                Err(rejection) => Err(rejection.into()),
            })
        });
        match changed.await {
            Err(error @ Error::Forbidden { .. }) => Err(self.kept_from(action, &access, task, error).await),
            changed => changed,
        }
    }

    /// The instance of an open task.
    async fn instance_of(&self, task: TaskId) -> Result<Key, Error> {
        if let Some(instance) = self.inner.cache.owner(task.0) {
            return Ok(instance);
        }
        let query = TaskQuery { keys: vec![task.0], states: vec![TaskState::Open], ..TaskQuery::default() };
        let row = self.inner.store.list(&query).await?.rows.pop();
        row.map(|row| row.instance).ok_or(Error::UnknownTask(task))
    }
}

/// A user changes what is their own: what they have, or are responsible for. Others' tasks are for those who may assign them.
pub(crate) fn check_is_theirs(access: &Access, row: &TaskRow, what: &str) -> Result<(), Error> {
    match access.user() {
        Some((user, _))
            if ![&row.assignee, &row.owner].contains(&&Some(user.clone())) && !access.may(Right::Assign) =>
        {
            Err(forbidden(user, format!("{what} task {}", row.key), "it is not theirs"))
        }
        _ => Ok(()),
    }
}

/// A task of another tenant: whoever asks is told that there is none.
fn out_of_reach(task: TaskId) -> Error {
    forbidden(&Name::new(), format!("reach task {task}"), "it is another tenant's")
}

fn answer(
    attempt: &mut Attempt<'_>,
    work: &mut Work,
    instance: Key,
    task: TaskId,
    command: Command,
) -> Result<Result<(), Error>, Missing> {
    let Some(running) = attempt.instance(instance)? else { return Ok(Err(Error::UnknownTask(task))) };
    let is_task = |kind: &WaitKind| matches!(kind, WaitKind::UserTask(_));
    if !running.instance.wait(task.0).is_some_and(|wait| is_task(&wait.kind)) {
        return Ok(Err(Error::UnknownTask(task)));
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

/// A task without candidates is open to all.
fn may_claim(row: &TaskRow, user: &Name, groups: &[Name]) -> bool {
    let is_open = row.candidate_users.is_empty() && row.candidate_groups.is_empty();
    is_open || row.candidate_users.contains(user) || row.candidate_groups.iter().any(|group| groups.contains(group))
}

fn forbidden(user: &Name, what: String, why: &str) -> Error {
    let how = format!("{why}; whoever has it can give it to them, and so can a {}", Role::Supervisor.name());
    Error::Forbidden { user: user.clone(), what, how }
}
