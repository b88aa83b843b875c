//! Who works on a task, and what else is changed of it while it is open.

use potok_core::Name;
use potok_core::routing::{Running, Work, World as _};
use potok_core::step::{Command, Rejection};
use potok_core::time::Timestamp;
use potok_store::row::{Delegation, Task as TaskRow};
use serde::{Deserialize, Serialize};

use super::{forbidden, may_claim, out_of_reach};
use crate::access::Access;
use crate::attempt::{Attempt, Missing};
use crate::engine::Engine;
use crate::envelope::Act;
use crate::{Action, Error, Right, TaskId};

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
    /// Another name, or none if it is empty; what it is anyway if nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<Name>,
    /// The same for what is to be done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<Name>,
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
            name: task.name.clone(),
            description: task.description.clone(),
        }
    }

    /// The task with this assignment.
    pub(crate) fn of_task(self, task: TaskRow) -> TaskRow {
        let delegation = match (self.delegated, self.resolved) {
            (true, _) => Delegation::Pending,
            (false, true) => Delegation::Resolved,
            (false, false) => Delegation::None,
        };
        let said = |said: Option<Name>, own: Option<Name>| match said {
            Some(said) => Some(said).filter(|said| !said.is_empty()),
            None => own,
        };
        TaskRow {
            name: said(self.name, task.name),
            description: said(self.description, task.description),
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

impl Engine {
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

    /// Changes what can be changed of a task: dates, priority, candidates, what it is called.
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

    /// Counts a task as changed, by what is about to be left beside it: its listeners to changes hear of it.
    ///
    /// # Errors
    /// If the task is not open, or out of sight.
    pub async fn touch_task(&self, task: TaskId) -> Result<(), Error> {
        let access = self.access(Action::Remark, &task).await?;
        self.task_in_sight(&access, task).await?;
        self.change_task(Action::Remark, task, |_, row| Ok(Some(Assignment::of(row)))).await
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
            Ok(attempt.change_task(work, row, assignment)?.map_err(Error::from))
        });
        match changed.await {
            Err(error @ Error::Forbidden { .. }) => Err(self.kept_from(action, &access, task, error).await),
            changed => changed,
        }
    }
}

impl Attempt<'_> {
    /// A task stands so from now on.
    pub(crate) fn assign(&mut self, row: TaskRow, assignment: Assignment) {
        let now = self.loaded(row.instance).map_or(self.now, |it| self.now.max(it.running.instance.now()));
        self.envelope.act = Some(Act::TaskChanged { task: row.key, assignment: assignment.clone() });
        self.put_task(assignment.of_task(TaskRow { changed: Some(now), ..row }));
    }

    /// The same; its listeners hear of it.
    pub(crate) fn change_task(
        &mut self,
        work: &mut Work,
        row: TaskRow,
        assignment: Assignment,
    ) -> Result<Result<(), Rejection>, Missing> {
        let (instance, task) = (row.instance, row.key);
        let assignee = assignment.assignee.clone();
        self.assign(row, assignment);
        let follows = |running: &Running| {
            let wait = running.instance.wait(task);
            let node = wait.and_then(|wait| running.graph.get_node(wait.node));
            node.is_some_and(|node| node.details.follows_task())
        };
        if !self.instance(instance)?.is_some_and(follows) {
            return Ok(Ok(()));
        }
        Ok(self.step(instance, Command::ChangeUserTask { task, assignee }).map(|requests| work.ask(instance, requests)))
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
