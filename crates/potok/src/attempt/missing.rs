//! What a unit of work must know, and does not: it is looked up, and the work goes on where it was.

use potok_core::Name;
use potok_core::expressions::{Binding, Deployment};
use potok_core::instance::Key;
use potok_core::routing::Message;
use potok_store::row::{Instance as InstanceRow, Job, Task, TaskState, Timer, Work as WorkRow};
use potok_store::{Changes, Store};

use super::{Attempt, Stop};
use crate::Error;
use crate::work::{Chore, Occurred};

/// What must be looked up first.
#[derive(Debug)]
pub(crate) enum Missing {
    Instance(Key),
    Process(Name, Binding, Option<Deployment>),
    Takers(Box<Message>),
    Start(Box<Message>),
    Listeners(Name, Option<Key>),
    /// What has been kept for a subscription of an instance before this unit of work.
    Kept(Key, Key),
    Noted(Key, u32),
    /// An open task, as the database has it once nothing of its instance is being committed.
    Task(Key, Key),
    /// What of an instance is handed out or fires, likewise.
    Rows(Key),
}

/// What of an instance is handed out or fires.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rows {
    instance: Option<InstanceRow>,
    jobs: Vec<Job>,
    timers: Vec<Timer>,
    savepoints: Vec<WorkRow>,
}

impl Rows {
    pub(crate) async fn read(store: &Store, instance: Key) -> Result<Self, Error> {
        let mut savepoints: Vec<WorkRow> = store.of_instance(instance).await?;
        savepoints.retain(|work| work.kind == Chore::CONTINUE);
        Ok(Self {
            savepoints,
            instance: store.get(instance).await?,
            jobs: store.of_instance(instance).await?,
            timers: store.of_instance(instance).await?,
        })
    }

    /// A job of it.
    pub(crate) fn job(&self, key: Key) -> Option<&Job> {
        self.jobs.iter().find(|job| job.key == key)
    }

    /// Holds it back, or no longer.
    pub(crate) fn suspend(self, changes: &mut Changes, suspended: bool) {
        self.instance.into_iter().for_each(|row| changes.put(InstanceRow { suspended, ..row }));
        self.jobs.into_iter().for_each(|row| changes.put(Job { suspended, ..row }));
        self.timers.into_iter().for_each(|row| changes.put(Timer { suspended, ..row }));
        self.savepoints.into_iter().for_each(|row| changes.put(WorkRow { suspended, ..row }));
    }
}

impl Attempt<'_> {
    /// Finds out what was missing.
    pub(crate) async fn find(&mut self, missing: Missing) -> Result<(), Stop> {
        match missing {
            Missing::Instance(key) => {
                self.hold(key).await?;
                self.check_taker(key);
            }
            Missing::Process(id, binding, deployment) => {
                let found = self.engine.catalog.find(&self.tenant, &id, &binding, deployment).await?;
                self.processes.push(((id, binding, deployment), found));
            }
            Missing::Takers(message) => {
                let takers = self.find_takers(&message).await?;
                self.takers = Some((*message, takers));
            }
            Missing::Start(message) => {
                let start = self.find_start(&message).await?;
                self.start = Some((*message, start));
            }
            Missing::Listeners(signal, from) => {
                let hearing = self.find_listeners(&signal, from).await?;
                self.listeners = Some(((signal, from), hearing));
            }
            Missing::Kept(instance, subscription) => {
                let message = self.find_kept(instance, subscription).await?;
                self.kept_before = Some((subscription, message));
            }
            Missing::Noted(definition, node) => {
                let rows: Vec<WorkRow> = self.engine.store.of_instance(definition).await?;
                let noted = |row: WorkRow| match Occurred::decode(&row)? {
                    Occurred { node: other, noted } if other == node => Some((row.key, noted)),
                    _ => None,
                };
                let others = rows.into_iter().filter(|row| Some(row.key) != self.looked_at);
                self.noted.insert((definition, node), others.filter_map(noted).collect());
            }
            Missing::Task(instance, task) => {
                self.hold(instance).await?;
                let end = self.loaded(instance).map(|loaded| (loaded.seq, loaded.unit));
                let mut row = end.and_then(|end| self.engine.cache.task(task, end));
                if row.is_none() {
                    self.settle(instance).await;
                    row = self.engine.store.get::<Task>((instance, task)).await?;
                    row = row.filter(|row| row.state == TaskState::Open);
                    if let (Some(row), Some(end)) = (&row, end) {
                        self.engine.cache.remember_task(row.clone(), end);
                    }
                }
                self.tasks.insert(task, row);
            }
            Missing::Rows(instance) => {
                self.hold(instance).await?;
                self.settle(instance).await;
                self.rows = Some(Rows::read(&self.engine.store, instance).await?);
            }
        }
        Ok(())
    }

    /// An open task.
    pub(crate) fn task(&self, instance: Key, task: Key) -> Result<Option<&Task>, Missing> {
        self.tasks.get(&task).map(Option::as_ref).ok_or(Missing::Task(instance, task))
    }

    /// What of an instance is handed out or fires.
    pub(crate) fn rows(&self, instance: Key) -> Result<&Rows, Missing> {
        self.rows.as_ref().ok_or(Missing::Rows(instance))
    }
}
