//! One try of a unit of work: the world that its instances go round in, with locks on all that it has touched.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use potok_core::Name;
use potok_core::expressions::{Binding, Deployment};
use potok_core::graph::ProcessGraph;
use potok_core::instance::{Failure, Key};
use potok_core::routing::{Message, Noted, StartPoint, Taker, stuck};
use potok_core::step::DATA_BYTES;
use potok_core::time::Timestamp;
use potok_store::row::{Message as KeptMessage, Task, Work as WorkRow};
use potok_store::{Changes, Guard};

use crate::Error;
use crate::catalog::Deployed;
use crate::engine::Inner;
use crate::envelope::Envelope;

mod hearing;
mod held;
mod missing;
mod submit;
mod world;

use hearing::Hearing;
pub(crate) use hearing::signal_starts;
use held::Held;
pub(crate) use missing::{Missing, Rows};
pub(crate) use submit::After;

/// Why a try ends before its end.
pub(crate) enum Stop {
    /// Somebody else has that instance; lock all in order and begin anew.
    Contended(Key),
    Error(Error),
}

impl<E: Into<Error>> From<E> for Stop {
    fn from(error: E) -> Self {
        Self::Error(error.into())
    }
}

/// Which version of a process: its id, a binding, and the deployment of the model that asks.
type Asked = (Name, Binding, Option<Deployment>);

pub(crate) struct Attempt<'e> {
    pub(crate) engine: &'e Inner,
    pub(crate) now: Timestamp,
    tenant: Name,
    held: BTreeMap<Key, Held>,
    processes: Vec<(Asked, Option<Arc<Deployed>>)>,
    takers: Option<(Message, Vec<Taker>)>,
    start: Option<(Message, Option<StartPoint>)>,
    listeners: Option<((Name, Option<Key>), Hearing)>,
    /// Instances that are held, but may still be being committed.
    unsettled: Vec<Key>,
    /// Waits for messages and signals that were opened in this unit of work, by their instances: the database does not know them yet.
    opened: Vec<(Key, Key)>,
    /// Messages that are kept from this unit of work on.
    kept: Vec<(KeptMessage, Message)>,
    /// The message that has been kept for a subscription for longer than those.
    kept_before: Option<(Key, Option<(Key, Message)>)>,
    /// What has occurred of start events, by definition and flow node, with the keys under which it is kept.
    noted: BTreeMap<(Key, u32), Vec<(Key, Noted)>>,
    /// Which of it this attempt is about: it is looked at whether it is the last that was missing.
    looked_at: Option<Key>,
    pub(crate) guards: Vec<Guard>,
    pub(crate) changes: Changes,
    pub(crate) envelope: Envelope,
    /// The instance that the envelope's act is about.
    pub(crate) subject: Option<Key>,
    tasks: BTreeMap<Key, Option<Task>>,
    /// The task that is changed.
    changed: Option<Task>,
    rows: Option<Rows>,
    keep_until: Option<Timestamp>,
    after: After,
    /// What scripts and expressions may still take.
    pub(crate) time: Duration,
    /// How many bytes may still be set in variables.
    room: usize,
    /// What is undone if something gets stuck behind it.
    tried: Option<Tried>,
    /// What got stuck behind it first.
    stuck: Option<Failure>,
    /// What is known to fail: that is taken down instead of trying it.
    failed: Option<Failed>,
}

/// A savepoint or timer that an instance goes on from, or that starts one of a definition.
pub(crate) type Tried = (Key, Key);

/// The same, and how it has failed.
pub(crate) type Failed = (Tried, Failure);

impl<'e> Attempt<'e> {
    pub(crate) fn new(engine: &'e Inner, envelope: Envelope) -> Self {
        Self {
            engine,
            now: engine.clock.now(),
            tenant: Name::new(),
            held: BTreeMap::new(),
            processes: Vec::new(),
            takers: None,
            start: None,
            listeners: None,
            unsettled: Vec::new(),
            opened: Vec::new(),
            kept: Vec::new(),
            kept_before: None,
            noted: BTreeMap::new(),
            looked_at: None,
            guards: Vec::new(),
            changes: Changes::default(),
            envelope,
            subject: None,
            tasks: BTreeMap::new(),
            changed: None,
            rows: None,
            keep_until: None,
            after: After::default(),
            time: engine.limits.script_time,
            room: DATA_BYTES,
            tried: None,
            stuck: None,
            failed: None,
        }
    }

    /// The same, where a try is known to fail.
    pub(crate) fn after(self, failed: Option<Failed>) -> Self {
        Self { failed, ..self }
    }

    /// Changes a task, which is what the envelope's act is about.
    pub(crate) fn put_task(&mut self, row: Task) {
        self.subject = Some(row.instance);
        self.changed = Some(row);
    }

    /// A version that instances may be begun of.
    pub(crate) fn known(&mut self, deployed: Arc<Deployed>) {
        let of = (deployed.graph.id().clone(), Binding::Latest, Some(deployed.graph.deployment()));
        self.processes.push((of, Some(deployed)));
    }

    fn deployed(&self, graph: &Arc<ProcessGraph>) -> Option<&Arc<Deployed>> {
        let deployed = self.processes.iter().filter_map(|(_, found)| found.as_ref());
        deployed.into_iter().find(|deployed| Arc::ptr_eq(&deployed.graph, graph))
    }

    /// Until when a message is kept that nobody waits for; an hour unless this is set.
    pub(crate) fn keep_until(&mut self, until: Timestamp) {
        self.keep_until = Some(until);
    }

    /// What is sent from outside is sent within that tenant.
    pub(crate) fn within(&mut self, tenant: &Name) {
        self.tenant.clone_from(tenant);
    }

    /// Follow-up work that is to be done soon.
    pub(crate) fn later(&mut self, instance: Key, kind: u32, due: Timestamp, payload: Vec<u8>) -> WorkRow {
        let key = self.engine.next_key(self.now);
        let work = WorkRow { instance, key, kind, due, payload: payload.into(), ..WorkRow::default() };
        self.changes.add(work.clone());
        self.after.due = true;
        work
    }

    /// This attempt looks again whether what was noted under that key is the last that was missing.
    pub(crate) fn looks_at(&mut self, noted: Key) {
        self.looked_at = Some(noted);
    }

    /// All is undone if something gets stuck.
    pub(crate) fn undoes(&mut self, tried: Tried) {
        self.tried = Some(tried);
    }

    /// What was asked for has failed so, and is undone.
    pub(crate) fn has_undone(&mut self, failure: Failure) {
        self.after.failed = Some(failure);
    }

    /// Where a token got stuck, unless that is a job without tries left.
    pub(crate) fn stuck(&self) -> Option<Error> {
        self.held.values().find_map(|held| stuck(held.graph()?, &held.events, 0)).map(Error::from)
    }

    /// What is undone: a try behind which something got stuck, in an instance of a dialect that undoes it.
    pub(crate) fn has_failed(&self) -> Option<Failed> {
        self.tried.zip(self.stuck.clone())
    }

    /// How what was asked for has failed, if that is what is taken down.
    pub(crate) fn failure(&self) -> Option<&Failure> {
        self.failed.as_ref().map(|(_, failure)| failure)
    }
}
