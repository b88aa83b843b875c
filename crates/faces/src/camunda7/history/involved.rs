//! Who had to do with tasks at some time, as the instances' logs tell it: what Camunda 7 writes down as links.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use potok::row::Task;
use potok::{Act, Assignment, Engine, InstanceId, Name};
use potok_core::instance::{Key, UserTaskWait, WaitKind};
use potok_core::step::Event;

use crate::camunda7::error::Fault;
use crate::camunda7::fields::Fields;

/// Rows of a log that are read at once.
const PAGE: usize = 1000;

/// By what tasks are narrowed, as far as it is said of those who had to do with them.
#[derive(Debug)]
pub(super) struct Asked {
    candidate_user: Option<Name>,
    candidate_group: Option<Name>,
    user: Option<Name>,
    group: Option<Name>,
    with_groups: bool,
    without_groups: bool,
}

impl Asked {
    pub(super) fn of(fields: &Fields) -> Result<Option<Self>, Fault> {
        let asked = Self {
            candidate_user: fields.text("taskHadCandidateUser")?,
            candidate_group: fields.text("taskHadCandidateGroup")?,
            user: fields.text("taskInvolvedUser")?,
            group: fields.text("taskInvolvedGroup")?,
            // These are asked for as soon as they are there, whatever they say.
            with_groups: fields.flag("withCandidateGroups")?.is_some(),
            without_groups: fields.flag("withoutCandidateGroups")?.is_some(),
        };
        let names = [&asked.candidate_user, &asked.candidate_group, &asked.user, &asked.group];
        let is_none = names.iter().all(|name| name.is_none()) && !asked.with_groups && !asked.without_groups;
        Ok(Some(asked).filter(|_| !is_none))
    }

    /// Those of some tasks that are meant.
    pub(super) async fn narrow(&self, engine: &Engine, mut rows: Vec<Task>) -> Result<Vec<Task>, Fault> {
        let mut all: BTreeMap<u64, Involved> = BTreeMap::new();
        let instances: BTreeSet<u64> = rows.iter().map(|row| row.instance.into()).collect();
        for instance in instances {
            of_instance(engine, Key::from(instance), &mut all).await?;
        }
        let nobody = Involved::default();
        rows.retain(|row| self.means(all.get(&row.key.into()).unwrap_or(&nobody)));
        Ok(rows)
    }

    fn means(&self, Involved { users, candidates, groups }: &Involved) -> bool {
        let is_one = |asked: &Option<Name>, of: &BTreeSet<Name>| asked.as_ref().is_none_or(|name| of.contains(name));
        is_one(&self.candidate_user, candidates)
            && is_one(&self.candidate_group, groups)
            && self.user.as_ref().is_none_or(|user| users.contains(user) || candidates.contains(user))
            && is_one(&self.group, groups)
            && (!self.with_groups || !groups.is_empty())
            && (!self.without_groups || groups.is_empty())
    }
}

/// Who had to do with a task.
#[derive(Debug, Default)]
struct Involved {
    /// Assignees and owners.
    users: BTreeSet<Name>,
    candidates: BTreeSet<Name>,
    groups: BTreeSet<Name>,
}

async fn of_instance(engine: &Engine, instance: Key, all: &mut BTreeMap<u64, Involved>) -> Result<(), Fault> {
    for stand in stands(engine, InstanceId(instance)).await? {
        let involved = all.entry(stand.task.into()).or_default();
        involved.users.extend(stand.who.assignee.into_iter().chain(stand.who.owner));
        involved.candidates.extend(stand.who.candidate_users);
        involved.groups.extend(stand.who.candidate_groups);
    }
    Ok(())
}

/// How a task stood from some time on.
pub(super) struct Stand {
    pub(super) task: Key,
    pub(super) time: Timestamp,
    /// Who has changed it.
    pub(super) by: Option<Name>,
    /// Who had to do with it.
    pub(super) who: Assignment,
    /// It is no more than what the model says of it.
    pub(super) is_of_model: bool,
}

/// How the tasks of an instance stood, from their beginning on.
pub(super) async fn stands(engine: &Engine, instance: InstanceId) -> Result<Vec<Stand>, Fault> {
    let case = engine.instance(instance);
    let (mut after, mut all) = (0, Vec::new());
    loop {
        let entries = case.history(after, PAGE).await?;
        let is_last = entries.len() < PAGE;
        for entry in entries {
            after = entry.seq;
            let stand = |task: Key, who: Assignment, is_of_model: bool| {
                let (time, by) = (entry.time, entry.envelope.by.clone());
                Stand { task, time, by, who, is_of_model }
            };
            let mut opened = Vec::new();
            for event in &entry.events.list {
                let (key, kind, is_of_model) = match *event {
                    Event::WaitOpened { details } => match entry.events.waits.get(details as usize) {
                        Some(wait) => (wait.key, &wait.kind, false),
                        None => continue,
                    },
                    Event::WaitChanged { key, change } => match entry.events.changes.get(change as usize) {
                        Some(kind) => (key, kind, true),
                        None => continue,
                    },
                    _ => continue,
                };
                if let WaitKind::UserTask(task) = kind {
                    all.push(stand(key, by_model(task), is_of_model));
                    opened.push(key);
                }
            }
            match &entry.envelope.act {
                Some(Act::TaskChanged { task, assignment }) => all.push(stand(*task, assignment.clone(), false)),
                Some(Act::TaskCreated { assignment, .. }) => {
                    all.extend(opened.iter().map(|task| stand(*task, assignment.clone(), false)));
                }
                _ => {}
            }
        }
        if is_last {
            return Ok(all);
        }
    }
}

/// Who has to do with a task as its model says.
fn by_model(task: &UserTaskWait) -> Assignment {
    Assignment {
        assignee: task.assignee.clone(),
        owner: task.owner.clone(),
        candidate_users: task.candidate_users.clone(),
        candidate_groups: task.candidate_groups.clone(),
        ..Assignment::default()
    }
}
