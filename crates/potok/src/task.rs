//! User tasks: one of them, and whose it is.

use std::collections::{BTreeSet, HashMap};
use std::ops::Deref;

use potok_core::Name;
use potok_core::instance::{Key, WaitKind};
use potok_store::query::{InstanceQuery, Page, Paging, Sight, TaskQuery};
use potok_store::row::{Task as TaskRow, TaskState};

use crate::access::Access;
use crate::cache::Loaded;
use crate::engine::{Engine, Inner};
use crate::{Action, Error, InstanceId, Role, TaskId};

mod assignment;
mod list;
mod work;

pub use assignment::Assignment;
pub(crate) use assignment::check_is_theirs;
pub use list::Tasks;

/// A user task, as it was when it was looked at. It derefs to its row.
#[derive(Clone, Debug)]
pub struct Task {
    row: TaskRow,
    /// Whether its instance was suspended, if that was seen, too.
    suspended: Option<bool>,
}

/// The same task is the same, whether its instance was looked at or not.
impl PartialEq for Task {
    fn eq(&self, other: &Self) -> bool {
        self.row == other.row
    }
}

impl From<TaskRow> for Task {
    fn from(row: TaskRow) -> Self {
        Self { row, suspended: None }
    }
}

impl Task {
    pub(crate) fn into_row(self) -> TaskRow {
        self.row
    }
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

impl Inner {
    async fn rows_of_tasks(&self, keys: Vec<Key>) -> Result<Vec<Option<TaskRow>>, Error> {
        let rows = self.store.list(&TaskQuery { keys: keys.clone(), ..TaskQuery::default() }).await?.rows;
        let rows: HashMap<Key, TaskRow> = rows.into_iter().map(|row| (row.key, row)).collect();
        // Several may have asked for the same one.
        Ok(keys.iter().map(|key| rows.get(key).cloned()).collect())
    }
}

impl Inner {
    /// The open tasks of an instance in memory, if nothing else is asked for and all their rows are remembered as they are by now.
    pub(crate) async fn remembered_tasks(&self, query: &TaskQuery) -> Result<Option<Page<Task>>, Error> {
        let Some(instance) = only_of_instance(query) else { return Ok(None) };
        let most = query.page.limit.unwrap_or(usize::MAX);
        let remembered = |loaded: &Loaded| {
            let end = (loaded.seq, loaded.unit);
            let waits = loaded.running.instance.waits().filter(|wait| matches!(wait.kind, WaitKind::UserTask(_)));
            let keys: Vec<Key> = waits.map(|wait| wait.key).take(most.saturating_add(1)).collect();
            let task = |key| Some(Task { row: self.cache.task(key, end)?, suspended: Some(loaded.suspended) });
            (keys.len() <= most).then(|| keys.into_iter().map(task).collect::<Option<Vec<_>>>()).flatten()
        };
        let Some((Some(mut rows), glimpse)) = self.cache.glimpse(instance, remembered) else { return Ok(None) };
        if !glimpse.is_so(self).await? {
            return Ok(None);
        }
        rows.sort_unstable_by_key(|task| task.row.key);
        Ok(Some(Page { rows, next: None }))
    }
}

/// The instance, if nothing is asked for but its open tasks, from the oldest on.
fn only_of_instance(query: &TaskQuery) -> Option<Key> {
    let [instance] = *query.instances else { return None };
    let page = Paging { limit: query.page.limit, ..Paging::default() };
    let (states, instances) = (vec![TaskState::Open], vec![instance]);
    (*query == TaskQuery { states, instances, page, ..TaskQuery::default() }).then_some(instance)
}

impl Engine {
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
        let inner = &self.inner;
        let row = match inner.store.is_shared() && query.sight == Sight::default() {
            true => inner.task_rows.ask(task.0, |tasks| inner.rows_of_tasks(tasks)).await?,
            false => inner.store.list(&query).await?.rows.pop(),
        };
        row.map(Task::from).ok_or(Error::UnknownTask(task))
    }

    /// Whether the instances of tasks are suspended, in the tasks' order. Those of which it was not seen with the task are looked up together.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn are_suspended(&self, tasks: &[Task]) -> Result<Vec<bool>, Error> {
        self.access(Action::SeeTasks, &"").await?;
        let keys: Vec<Key> =
            tasks.iter().filter(|task| task.suspended.is_none()).map(|task| task.row.instance).collect();
        let mut suspended = BTreeSet::new();
        if !keys.is_empty() {
            let found = self.instances(&InstanceQuery { keys, ..InstanceQuery::default() }).await?;
            suspended.extend(found.iter().filter(|instance| instance.suspended).map(|instance| instance.key));
        }
        let is_suspended = |task: &Task| task.suspended.unwrap_or_else(|| suspended.contains(&task.row.instance));
        Ok(tasks.iter().map(is_suspended).collect())
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

/// A task of another tenant: whoever asks is told that there is none.
fn out_of_reach(task: TaskId) -> Error {
    forbidden(&Name::new(), format!("reach task {task}"), "it is another tenant's")
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
