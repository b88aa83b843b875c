//! The feed: what happens to all instances, told to whoever follows it, who misses nothing.

use std::fmt;
use std::time::Duration;

use potok_core::Name;
use potok_core::graph::ProcessGraph;
use potok_core::instance::{WaitKind, WaitType};
use potok_core::step::{Closed, Event, Events, OpenedWait};
use potok_core::time::Timestamp;
use potok_core::value::Value;
use potok_store::Position;
use potok_store::row::LogRow;
use serde::{Serialize, Serializer};

use crate::engine::{Engine, Inner};
use crate::envelope::{Act, Envelope};
use crate::{Action, DefinitionId, Error, IncidentId, InstanceId, JobId, TaskId};

/// How long it waits at most before it looks again: another node may have written, and not have been heard.
const PAUSE: Duration = Duration::from_millis(500);

/// What one command did to one instance.
#[derive(Clone, Debug, PartialEq)]
pub struct News {
    /// Its place in the feed: what comes after it is news for whoever has read so far.
    pub position: Position,
    /// The instance.
    pub instance: InstanceId,
    /// The version of its process.
    pub definition: DefinitionId,
    /// The id of its process; none if it is a task that belongs to no process.
    pub process: Option<Name>,
    /// The row of its history.
    pub seq: u64,
    /// When it happened.
    pub time: Timestamp,
    /// Who asked for it.
    pub by: Option<Name>,
    /// What happened, in order.
    pub events: Vec<Occurrence>,
}

/// A piece of the feed.
#[derive(Clone, Debug, PartialEq)]
pub struct Feed {
    /// What whoever reads may see of it.
    pub news: Vec<News>,
    /// Where it ends, and the next one begins.
    pub end: Position,
}

/// Something that others may want to know.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case", rename_all_fields = "camelCase")]
#[non_exhaustive]
pub enum Occurrence {
    /// The instance began.
    InstanceStarted {
        /// Its business key.
        business_key: Option<Name>,
    },
    /// The instance ended as its model says.
    InstanceCompleted,
    /// The instance ended by an error that nothing caught.
    InstanceFailed {
        /// The error's code.
        code: Option<Name>,
    },
    /// The instance was ended from outside.
    InstanceCancelled,
    /// Nothing goes on in the instance until it is resumed.
    InstanceSuspended,
    /// The instance goes on.
    InstanceResumed,
    /// The instance went over to another definition.
    InstanceMigrated,
    /// A task opened.
    TaskCreated {
        /// The task.
        #[serde(serialize_with = "as_text")]
        task: TaskId,
        /// The id of its flow node.
        node: Name,
    },
    /// Who works on a task, or how, was changed.
    TaskChanged {
        /// The task.
        #[serde(serialize_with = "as_text")]
        task: TaskId,
        /// Who has it now.
        assignee: Option<Name>,
    },
    /// A task was completed.
    TaskCompleted {
        /// The task.
        #[serde(serialize_with = "as_text")]
        task: TaskId,
    },
    /// A task was cancelled.
    TaskCancelled {
        /// The task.
        #[serde(serialize_with = "as_text")]
        task: TaskId,
    },
    /// There is work for a worker.
    JobCreated {
        /// The job.
        #[serde(serialize_with = "as_text")]
        job: JobId,
        /// The id of its flow node.
        node: Name,
        /// The kind of work.
        topic: Name,
    },
    /// A job was done.
    JobCompleted {
        /// The job.
        #[serde(serialize_with = "as_text")]
        job: JobId,
    },
    /// A job failed, and is tried again if it has tries left.
    JobFailed {
        /// The job.
        #[serde(serialize_with = "as_text")]
        job: JobId,
        /// What went wrong.
        error: Name,
    },
    /// A job was cancelled.
    JobCancelled {
        /// The job.
        #[serde(serialize_with = "as_text")]
        job: JobId,
    },
    /// Something got stuck.
    IncidentRaised {
        /// The incident.
        #[serde(serialize_with = "as_text")]
        incident: IncidentId,
        /// The id of its flow node.
        node: Name,
        /// The stable code of what went wrong.
        code: Name,
    },
    /// It goes on, or has gone.
    IncidentResolved {
        /// The incident.
        #[serde(serialize_with = "as_text")]
        incident: IncidentId,
    },
    /// A variable was set, in the process or in a scope.
    VariableSet {
        /// Its name.
        name: Name,
    },
}

/// Ids are too large for JavaScript's numbers.
pub(crate) fn as_text<T: fmt::Display, S: Serializer>(id: &T, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(id)
}

impl Occurrence {
    /// All kinds there are.
    pub const KINDS: [&'static str; 18] = [
        "instance-started",
        "instance-completed",
        "instance-failed",
        "instance-cancelled",
        "instance-suspended",
        "instance-resumed",
        "instance-migrated",
        "task-created",
        "task-changed",
        "task-completed",
        "task-cancelled",
        "job-created",
        "job-completed",
        "job-failed",
        "job-cancelled",
        "incident-raised",
        "incident-resolved",
        "variable-set",
    ];

    /// Its kind, as `event` has it.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::InstanceStarted { .. } => "instance-started",
            Self::InstanceCompleted => "instance-completed",
            Self::InstanceFailed { .. } => "instance-failed",
            Self::InstanceCancelled => "instance-cancelled",
            Self::InstanceSuspended => "instance-suspended",
            Self::InstanceResumed => "instance-resumed",
            Self::InstanceMigrated => "instance-migrated",
            Self::TaskCreated { .. } => "task-created",
            Self::TaskChanged { .. } => "task-changed",
            Self::TaskCompleted { .. } => "task-completed",
            Self::TaskCancelled { .. } => "task-cancelled",
            Self::JobCreated { .. } => "job-created",
            Self::JobCompleted { .. } => "job-completed",
            Self::JobFailed { .. } => "job-failed",
            Self::JobCancelled { .. } => "job-cancelled",
            Self::IncidentRaised { .. } => "incident-raised",
            Self::IncidentResolved { .. } => "incident-resolved",
            Self::VariableSet { .. } => "variable-set",
        }
    }

    /// The job that it is about.
    #[must_use]
    pub fn job(&self) -> Option<JobId> {
        match self {
            Self::JobCreated { job, .. }
            | Self::JobCompleted { job }
            | Self::JobFailed { job, .. }
            | Self::JobCancelled { job } => Some(*job),
            _ => None,
        }
    }

    /// The task that it is about.
    #[must_use]
    pub fn task(&self) -> Option<TaskId> {
        match self {
            Self::TaskCreated { task, .. }
            | Self::TaskChanged { task, .. }
            | Self::TaskCompleted { task }
            | Self::TaskCancelled { task } => Some(*task),
            _ => None,
        }
    }
}

impl Engine {
    /// Where the feed ends now: whoever begins there hears only what is still to come.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn feed_end(&self) -> Result<Position, Error> {
        self.access(Action::SeeInstances, &"").await?;
        Ok(self.inner.store.feed_end().await?)
    }

    /// What happened after a place in the feed, at most so many rows of the log; waits for some as long as `patience` if there are none.
    /// What is durable comes once, in an order in which nothing is skipped. What happens to instances that whoever acts cannot see is
    /// left out.
    ///
    /// ```
    /// # use potok::{Engine, Occurrence};
    /// # use std::time::Duration;
    /// # tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap().block_on(async {
    /// # let engine = Engine::builder().start().await?;
    /// let end = engine.feed_end().await?;
    /// let task = engine.create_task("Call back").send().await?.id();
    /// let feed = engine.feed(end, 100, Duration::ZERO).await?;
    /// assert!(feed.news[0].events.iter().any(|event| event.task() == Some(task)));
    /// assert!(engine.feed(feed.end, 100, Duration::ZERO).await?.news.is_empty());
    /// # engine.stop().await;
    /// # Ok::<(), potok::Error>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// If that is forbidden, the database cannot be read, or what stands there cannot.
    pub async fn feed(&self, after: Position, limit: usize, patience: Duration) -> Result<Feed, Error> {
        let access = self.access(Action::SeeInstances, &"").await?;
        let until = tokio::time::Instant::now().checked_add(patience);
        loop {
            let written = self.inner.wake.until_written();
            let rows = self.inner.store.feed(after, limit).await?;
            let left = until.map_or(patience, |until| until.saturating_duration_since(tokio::time::Instant::now()));
            if !rows.is_empty() || left.is_zero() {
                let end = rows.last().map_or(after, Position::from);
                let instances = rows.iter().map(|row| row.instance).collect();
                let seen = self.in_sight(&access, instances).await?;
                let mut news = Vec::with_capacity(rows.len());
                for row in rows.iter().filter(|row| seen.contains(&row.instance)) {
                    news.push(self.inner.news(row).await?);
                }
                return Ok(Feed { news, end });
            }
            tokio::select! {
                () = written => {}
                () = tokio::time::sleep(left.min(PAUSE)) => {}
            }
        }
    }
}

impl Inner {
    /// What a row of the log says.
    pub(crate) async fn news(&self, row: &LogRow) -> Result<News, Error> {
        let instance = InstanceId(row.instance);
        let events = Events::decode(&row.events).map_err(|error| Error::Damaged { instance, error })?;
        let envelope = Envelope::decode(&row.envelope);
        let deployed = self.catalog.get(row.definition).await?;
        let graph = deployed.as_ref().map(|deployed| &*deployed.graph);
        let told = told(&events, &envelope, graph);
        Ok(News {
            position: row.into(),
            instance,
            definition: DefinitionId(row.definition),
            process: graph.map(|graph| graph.id().clone()).filter(|_| row.definition != crate::alone::ALONE),
            seq: row.seq,
            time: row.time,
            by: envelope.by.clone(),
            events: told.collect(),
        })
    }
}

/// What the events of a row of the log say, and what stands beside them.
pub(crate) fn told<'a>(
    events: &'a Events,
    envelope: &'a Envelope,
    graph: Option<&'a ProcessGraph>,
) -> impl Iterator<Item = Occurrence> + 'a {
    events.list.iter().filter_map(move |event| tell(*event, events, graph)).chain(beside(envelope))
}

fn tell(event: Event, events: &Events, graph: Option<&ProcessGraph>) -> Option<Occurrence> {
    let at = |place: u32| usize::try_from(place).ok();
    let text = |place: u32| match events.values.get(at(place)?)? {
        Value::String(text) => Some(text.clone()),
        _ => None,
    };
    Some(match event {
        Event::InstanceStarted { start } => Occurrence::InstanceStarted {
            business_key: at(start).and_then(|place| events.starts.get(place)).and_then(|it| it.business_key.clone()),
        },
        Event::InstanceCompleted => Occurrence::InstanceCompleted,
        Event::InstanceFailed { code, .. } => Occurrence::InstanceFailed { code: text(code) },
        Event::InstanceCancelled { .. } => Occurrence::InstanceCancelled,
        Event::Migrated { .. } => Occurrence::InstanceMigrated,
        Event::VariableSet { variable, .. } => {
            Occurrence::VariableSet { name: events.variables.get(at(variable)?)?.0.clone() }
        }
        Event::WaitOpened { details } => return opened(events.waits.get(at(details)?)?, graph),
        Event::WaitClosed { key, kind, reason } => {
            let is_done = reason == Closed::Completed;
            match (kind, is_done) {
                (WaitType::UserTask, true) => Occurrence::TaskCompleted { task: TaskId(key) },
                (WaitType::UserTask, false) => Occurrence::TaskCancelled { task: TaskId(key) },
                (WaitType::Job, true) => Occurrence::JobCompleted { job: JobId(key) },
                (WaitType::Job, false) => Occurrence::JobCancelled { job: JobId(key) },
                (WaitType::Incident, _) => Occurrence::IncidentResolved { incident: IncidentId(key) },
                _ => return None,
            }
        }
        _ => return None,
    })
}

fn opened(wait: &OpenedWait, graph: Option<&ProcessGraph>) -> Option<Occurrence> {
    let ordinal = usize::try_from(wait.node).ok()?;
    let node = graph.and_then(|graph| graph.nodes().nth(ordinal)).map(|node| node.id.clone()).unwrap_or_default();
    Some(match &wait.kind {
        WaitKind::UserTask(_) => Occurrence::TaskCreated { task: TaskId(wait.key), node },
        WaitKind::Job(job) => Occurrence::JobCreated { job: JobId(wait.key), node, topic: job.kind.clone() },
        WaitKind::Incident(incident) => {
            Occurrence::IncidentRaised { incident: IncidentId(wait.key), node, code: incident.kind.code().into() }
        }
        _ => return None,
    })
}

/// What is no event of the process.
fn beside(envelope: &Envelope) -> Option<Occurrence> {
    Some(match envelope.act.as_ref()? {
        Act::TaskChanged { task, assignment } => {
            Occurrence::TaskChanged { task: TaskId(*task), assignee: assignment.assignee.clone() }
        }
        Act::JobFailed { job, error, .. } => Occurrence::JobFailed { job: JobId(*job), error: error.clone() },
        Act::Suspended => Occurrence::InstanceSuspended,
        Act::Resumed => Occurrence::InstanceResumed,
        _ => return None,
    })
}
