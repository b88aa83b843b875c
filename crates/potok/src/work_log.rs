//! What became of an instance's jobs, timers and savepoints, as its history tells.

use std::collections::HashMap;

use potok_core::Name;
use potok_core::instance::{IncidentStage, Key, TRIES, WaitKind};
use potok_core::step::{Closed, Event};
use potok_core::time::Timestamp;

use crate::envelope::Act;
use crate::instance::Entry;
use crate::{Case, DefinitionId, Error};

/// Rows of the log that are read at once.
const PAGE: usize = 200;

/// What was to be done.
#[derive(Clone, Debug, PartialEq)]
pub enum WorkKind {
    /// A job for a worker.
    Job {
        /// The kind of work.
        topic: Name,
        /// The higher, the sooner.
        priority: i64,
        /// Tries left.
        retries: i64,
        /// Somebody has said how many since its model did.
        counted: bool,
    },
    /// A timer.
    Timer {
        /// When it is due.
        due: Timestamp,
        /// Tries left.
        retries: i64,
        /// The higher, the more urgent.
        priority: i64,
    },
    /// The next unit of work.
    Savepoint {
        /// After the activity rather than before.
        after: bool,
        /// When it is tried again; none if it is due at once.
        due: Option<Timestamp>,
        /// Tries left.
        retries: i64,
        /// The higher, the more urgent.
        priority: i64,
    },
    /// What the engine could not do, and does once its incident is resolved.
    Stuck,
}

/// What became of it.
#[derive(Clone, Debug, PartialEq)]
pub enum WorkEvent {
    /// It is to be done.
    Opened,
    /// It failed.
    Failed {
        /// What went wrong.
        message: Name,
        /// The same at length.
        details: Option<Name>,
        /// Whose try it was.
        worker: Option<Name>,
    },
    /// It is done.
    Completed,
    /// It need not be done any more.
    Cancelled,
}

/// An entry of a work log.
#[derive(Clone, Debug, PartialEq)]
pub struct WorkEntry {
    /// The row of the instance's history, from 1.
    pub seq: u64,
    /// When.
    pub time: Timestamp,
    /// The key of the job, timer, savepoint or incident.
    pub key: Key,
    /// The definition that the instance ran.
    pub definition: DefinitionId,
    /// The id of the flow node.
    pub node: Name,
    /// What was to be done, as it was before.
    pub kind: WorkKind,
    /// What became of it.
    pub event: WorkEvent,
    /// The id of the flow node that got stuck the last time that the engine tried it; it may be one of another instance.
    pub failed: Option<Name>,
}

impl Case {
    /// What became of its jobs, timers and savepoints, the oldest first.
    ///
    /// # Errors
    /// If there is no such instance, or its history cannot be read.
    pub async fn work_log(&self) -> Result<Vec<WorkEntry>, Error> {
        let mut telling = Telling::default();
        let mut after = 0;
        loop {
            let entries = self.history(after, PAGE).await?;
            for entry in &entries {
                let graph = self.engine().graph(entry.definition).await?;
                let node = |ordinal| {
                    let node = graph.as_ref().and_then(|graph| graph.get_node(ordinal));
                    node.map(|node| node.id.clone()).unwrap_or_default()
                };
                telling.note(entry, node);
                after = entry.seq;
            }
            if entries.len() < PAGE {
                return Ok(telling.told);
            }
        }
    }
}

/// What is to be done.
#[derive(Clone)]
struct Open {
    node: Name,
    kind: WorkKind,
    /// When a timer would fire if it were tried for the first time.
    fires: Option<Timestamp>,
    failed: Option<Name>,
}

/// What is open, and what has been told.
#[derive(Default)]
struct Telling {
    open: HashMap<Key, Open>,
    told: Vec<WorkEntry>,
}

impl Telling {
    fn note(&mut self, entry: &Entry, node: impl Fn(u32) -> Name) {
        for event in &entry.events.list {
            match *event {
                Event::WaitOpened { details } => {
                    let Some(wait) = entry.events.waits.get(details as usize) else { continue };
                    let Some(kind) = kind(&wait.kind) else { continue };
                    let node = node(wait.node);
                    if kind == WorkKind::Stuck {
                        self.has_failed(entry.seq, &node);
                    }
                    let event = match &wait.kind {
                        WaitKind::Incident(incident) => {
                            let message = incident.message.clone();
                            WorkEvent::Failed { message, details: None, worker: None }
                        }
                        _ => WorkEvent::Opened,
                    };
                    let failed = Some(node.clone()).filter(|_| kind == WorkKind::Stuck);
                    self.open.insert(wait.key, Open { node, kind, fires: fires(&wait.kind), failed });
                    self.tell(entry, wait.key, event);
                }
                Event::WaitChanged { key, change } => {
                    if let Some(changed) = entry.events.changes.get(change as usize) {
                        self.changed(entry, key, changed);
                    }
                }
                Event::WaitClosed { key, reason, .. } => {
                    let event = match reason {
                        Closed::Completed => WorkEvent::Completed,
                        Closed::Cancelled => WorkEvent::Cancelled,
                    };
                    self.tell(entry, key, event);
                    self.open.remove(&key);
                }
                _ => {}
            }
        }
    }

    fn changed(&mut self, entry: &Entry, key: Key, wait: &WaitKind) {
        let (Some(mut changed), Some(open)) = (kind(wait), self.open.get_mut(&key)) else { return };
        let act = entry.envelope.act.as_ref();
        if let (WorkKind::Job { counted: was, .. }, WorkKind::Job { counted, .. }) = (&open.kind, &mut changed) {
            *counted = *was || act != Some(&Act::JobPrioritised { job: key });
        }
        let is_due_again = open.fires != fires(wait) && act != Some(&Act::TimerRescheduled { timer: key });
        open.fires = fires(wait);
        let failure = wait.retry().and_then(|retry| retry.failure.as_ref());
        let has_failed = changed.tries() == open.kind.tries().map(|left| left - 1);
        match (act, failure) {
            (Some(Act::JobFailed { job, error, details, worker, .. }), _) if *job == key => {
                let (message, details, worker) = (error.clone(), details.clone(), worker.clone());
                self.tell(entry, key, WorkEvent::Failed { message, details, worker });
            }
            (_, Some(failure)) if has_failed => {
                open.failed = Some(failure.element.clone());
                let message = failure.message.clone();
                self.tell(entry, key, WorkEvent::Failed { message, details: None, worker: None });
            }
            _ if is_due_again => self.tell(entry, key, WorkEvent::Completed),
            _ => {}
        }
        if let Some(open) = self.open.get_mut(&key) {
            open.kind = changed;
        }
        if is_due_again {
            self.tell(entry, key, WorkEvent::Opened);
        }
    }

    /// The savepoint that a token has just left was not done: what followed is stuck.
    fn has_failed(&mut self, seq: u64, node: &Name) {
        let is_it = |told: &WorkEntry| {
            told.seq == seq
                && told.node == *node
                && told.event == WorkEvent::Completed
                && matches!(told.kind, WorkKind::Savepoint { .. })
        };
        if let Some(place) = self.told.iter().rposition(is_it) {
            self.told.remove(place);
        }
    }

    /// Tells what became of something that is open.
    fn tell(&mut self, entry: &Entry, key: Key, event: WorkEvent) {
        let Some(Open { node, kind, failed, .. }) = self.open.get(&key).cloned() else { return };
        let Entry { seq, time, definition, .. } = *entry;
        self.told.push(WorkEntry { seq, time, key, definition, node, kind, event, failed });
    }
}

impl WorkKind {
    /// Tries left of what the engine tries.
    fn tries(&self) -> Option<i64> {
        match *self {
            Self::Timer { retries, .. } | Self::Savepoint { retries, .. } => Some(retries),
            Self::Job { .. } | Self::Stuck => None,
        }
    }
}

fn fires(wait: &WaitKind) -> Option<Timestamp> {
    match wait {
        WaitKind::Timer(timer) => Some(timer.timer.due),
        _ => None,
    }
}

/// What is to be done, if that is work.
fn kind(wait: &WaitKind) -> Option<WorkKind> {
    let retry = wait.retry();
    let (retries, due) = (retry.map_or(TRIES, |retry| retry.left), retry.and_then(|retry| retry.due));
    let priority = retry.map_or(0, |retry| retry.priority);
    Some(match wait {
        WaitKind::Job(job) => {
            let (topic, priority, retries) = (job.kind.clone(), job.priority, job.retries);
            WorkKind::Job { topic, priority, retries, counted: false }
        }
        WaitKind::Timer(timer) => WorkKind::Timer { due: due.unwrap_or(timer.timer.due), retries, priority },
        WaitKind::Continuation { after, .. } => WorkKind::Savepoint { after: *after, due, retries, priority },
        // That of a job, timer or savepoint stands with it.
        WaitKind::Incident(incident) if !matches!(incident.stage, IncidentStage::Job | IncidentStage::Retry(_)) => {
            WorkKind::Stuck
        }
        _ => return None,
    })
}
