//! User tasks.

use potok_core::Name;
use potok_core::instance::Key;
use potok_core::time::Timestamp;

use super::{Variable, VariableKind};
use crate::cell::codes;
use crate::record::record;

codes! {
    /// Whether a task is open.
    TaskState {
        /// Open.
        #[default]
        Open = 0,
        /// Completed.
        Completed = 1,
        /// Cancelled with its instance, or by an event.
        Cancelled = 2,
    }
}

codes! {
    /// Whether a task's owner has asked somebody else to work on it.
    Delegation {
        /// Not delegated.
        #[default]
        None = 0,
        /// Delegated.
        Pending = 1,
        /// Worked on, back with its owner.
        Resolved = 2,
    }
}

record! {
    /// A user task. It is closed, not removed, when it ends.
    pub struct Task in "tasks" by (Key, Key) {
        /// Its instance.
        instance: Key,
        /// Its key.
        key: Key,
        /// The instance's definition.
        definition: Key,
        /// The id of the instance's process; empty if it belongs to none.
        process: Name,
        /// The id of its flow node.
        node: Name,
        /// Its name.
        name: Option<Name>,
        /// What is to be done, as somebody has written it.
        description: Option<Name>,
        /// The user who works on it.
        assignee: Option<Name>,
        /// The user who is responsible for it.
        owner: Option<Name>,
        /// Whether the owner has asked the assignee.
        delegation: Delegation,
        /// Users who may claim it.
        candidate_users: Vec<Name>,
        /// Groups whose members may claim it.
        candidate_groups: Vec<Name>,
        /// The higher, the sooner.
        priority: i64,
        /// When it is due.
        due: Option<Timestamp>,
        /// When it should be looked at again.
        follow_up: Option<Timestamp>,
        /// The key of its form.
        form: Option<Name>,
        /// Its lane.
        lane: Option<Name>,
        /// The tenant.
        tenant: Option<Name>,
        /// When it opened.
        created: Timestamp,
        /// When who works on it, or how, was changed last.
        changed: Option<Timestamp>,
        /// Whether it is open.
        state: TaskState,
        /// When it ended.
        ended: Option<Timestamp>,
    }
}

codes! {
    /// Who may claim a task.
    CandidateKind {
        /// A user.
        #[default]
        User = 0,
        /// The members of a group.
        Group = 1,
    }
}

record! {
    /// Who may claim an open task: for searching. Written and removed with the task.
    pub(crate) struct Candidate in "candidates" by (Key, Key, CandidateKind, Name) {
        /// The task's instance.
        instance: Key,
        /// The task.
        task: Key,
        /// A user or a group.
        kind: CandidateKind,
        /// The user or group.
        name: Name,
    }
}

record! {
    /// A variable of an open task's own, small enough to be searched. Removed when the task ends.
    pub struct TaskVariable in "task_variables" by (Key, Key, Name) {
        /// The task's instance.
        instance: Key,
        /// The task.
        task: Key,
        /// Its name.
        name: Name,
        /// What it holds.
        kind: VariableKind,
        /// The number; 0 if it holds none.
        number: f64,
        /// The text; empty if it holds none.
        text: Name,
    }
}

impl TaskVariable {
    /// A variable as one of a task's own.
    #[must_use]
    pub fn of(task: Key, variable: Variable) -> Self {
        let Variable { instance, name, kind, number, text } = variable;
        Self { instance, task, name, kind, number, text }
    }
}

impl Task {
    pub(crate) fn candidates(&self) -> impl Iterator<Item = Candidate> {
        let users = self.candidate_users.iter().map(|name| (CandidateKind::User, name));
        let groups = self.candidate_groups.iter().map(|name| (CandidateKind::Group, name));
        users.chain(groups).map(|(kind, name)| Candidate {
            instance: self.instance,
            task: self.key,
            kind,
            name: name.clone(),
        })
    }
}
