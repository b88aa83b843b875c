//! Who had to do with tasks at some time, as the instances' logs tell it: what Camunda 7 writes down as links.

use std::collections::{BTreeMap, BTreeSet};

use potok::row::Task;
use potok::{Act, Assignment, Engine, InstanceId, Name};
use potok_core::instance::{Key, WaitKind};
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

impl Involved {
    fn add(&mut self, assignment: &Assignment) {
        self.users.extend(assignment.assignee.iter().chain(&assignment.owner).cloned());
        self.candidates.extend(assignment.candidate_users.iter().cloned());
        self.groups.extend(assignment.candidate_groups.iter().cloned());
    }
}

async fn of_instance(engine: &Engine, instance: Key, all: &mut BTreeMap<u64, Involved>) -> Result<(), Fault> {
    let case = engine.instance(InstanceId(instance));
    let mut after = 0;
    loop {
        let entries = case.history(after, PAGE).await?;
        let is_last = entries.len() < PAGE;
        for entry in entries {
            after = entry.seq;
            let mut opened = Vec::new();
            for event in &entry.events.list {
                let (key, kind) = match *event {
                    Event::WaitOpened { details } => match entry.events.waits.get(details as usize) {
                        Some(wait) => (wait.key, &wait.kind),
                        None => continue,
                    },
                    Event::WaitChanged { key, change } => match entry.events.changes.get(change as usize) {
                        Some(kind) => (key, kind),
                        None => continue,
                    },
                    _ => continue,
                };
                let WaitKind::UserTask(task) = kind else { continue };
                let involved = all.entry(key.into()).or_default();
                involved.users.extend(task.assignee.iter().cloned());
                involved.candidates.extend(task.candidate_users.iter().cloned());
                involved.groups.extend(task.candidate_groups.iter().cloned());
                opened.push(key);
            }
            match &entry.envelope.act {
                Some(Act::TaskChanged { task, assignment }) => {
                    all.entry((*task).into()).or_default().add(assignment);
                }
                Some(Act::TaskCreated { assignment, .. }) => {
                    opened.iter().for_each(|task| all.entry((*task).into()).or_default().add(assignment));
                }
                _ => {}
            }
        }
        if is_last {
            return Ok(());
        }
    }
}
