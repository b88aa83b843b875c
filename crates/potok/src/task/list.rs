//! Tasks that are searched for.

use potok_core::Name;
use potok_core::time::Timestamp;
use potok_store::query::{Cursor, Page, TaskOrder, TaskQuery, VariableFilter};
use potok_store::row::TaskState;

use super::Task;
use crate::engine::Engine;
use crate::{Action, Error, InstanceId};

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

    /// With such a variable of its own: a draft, a round's element, what its model computes for it. Ended tasks have none any more.
    pub fn own_variable(mut self, variable: VariableFilter) -> Self {
        self.query.own_variables.push(variable);
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
        if let Some(page) = self.engine.inner.remembered_tasks(&query).await? {
            return Ok(page);
        }
        let page = self.engine.inner.store.list(&query).await?;
        Ok(Page { rows: page.rows.into_iter().map(Task::from).collect(), next: page.next })
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
}
