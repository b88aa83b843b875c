//! One try of a unit of work: the world that its instances go round in, with locks on all that it has touched.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use potok_core::Name;
use potok_core::encoding::FORMAT;
use potok_core::expressions::{Binding, Deployment};
use potok_core::graph::ProcessGraph;
use potok_core::instance::{Failure, Instance, Key, Wait, WaitKind};
use potok_core::routing::{
    Listeners, Message, Noted, Notice, Request, Running, StartPoint, Taker, World, requests, stuck,
};
use potok_core::step::{Command, Context, DATA_BYTES, Event, Events, Rejection, step};
use potok_core::time::Timestamp;
use potok_core::value::Value;
use potok_store::row::{
    Claim, Instance as InstanceRow, Job, LogRow, Message as KeptMessage, Snapshot, Task, TaskState, Timer,
    Work as WorkRow,
};
use potok_store::{Changes, Guard, Store, Unit};
use tokio::sync::OwnedMutexGuard;

use crate::background::NAP;
use crate::cache::{Loaded, Resident, Slot};
use crate::catalog::Deployed;
use crate::commit::Pending;
use crate::engine::Inner;
use crate::envelope::Envelope;
use crate::follow::{self, Apart, Around, correlation, follow};
use crate::instance::claim;
use crate::told::{self, Told};
use crate::trace::TraceContext;
use crate::work::{Chore, Occurred};
use crate::{Error, InstanceId};

pub(crate) mod hearing;

use hearing::{Hearing, opened};

/// A snapshot is written when the rows since the last one outweigh it, and at least this many bytes.
const SNAPSHOT_FROM: usize = 16 * 1024;

/// How long a message that an instance throws is kept if nobody waits for it.
const TIME_TO_LIVE: jiff::SignedDuration = jiff::SignedDuration::from_hours(1);

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

struct Held {
    slot: Arc<Slot>,
    resident: OwnedMutexGuard<Resident>,
    /// What happened to it in this unit of work.
    events: Events,
    /// It refused something: that is only to be believed if nobody else has written it meanwhile.
    refused: bool,
}

impl Held {
    fn graph(&self) -> Option<&Arc<ProcessGraph>> {
        self.resident.loaded.as_ref().map(|loaded| &loaded.running.graph)
    }

    fn wait(&self, key: Key) -> Option<&Wait> {
        self.resident.loaded.as_ref()?.running.instance.wait(key)
    }

    /// Whether it is not what the database has by now: then it is loaded anew by whoever is next.
    async fn is_stale(&mut self, engine: &Inner) -> Result<bool, Error> {
        // What it was stepped on is durable from then on, or has failed.
        self.slot.settle().await;
        let seq = self.resident.loaded.as_ref().map_or(0, |loaded| loaded.seq);
        let failed = self.slot.generation() != self.resident.generation;
        let is_shared = engine.store.is_shared() || engine.cache.is_shared();
        if failed || (is_shared && engine.goes_on_after(self.slot.key, seq).await?) {
            self.resident.loaded = None;
            return Ok(true);
        }
        Ok(false)
    }
}

/// What must be done once the unit is durable, and before its caller is answered.
#[derive(Debug, Default)]
pub(crate) struct After {
    /// Subscriptions that were opened: a kept message may be for them.
    pub(crate) opened: Vec<(Key, Key)>,
    /// Messages that were kept: somebody may have begun to wait.
    pub(crate) kept: Vec<Key>,
    /// Signals to be spread.
    pub(crate) spread: Vec<WorkRow>,
    /// What the log says of it.
    pub(crate) told: Vec<Told>,
    /// Timers or follow-up work may be due now.
    pub(crate) due: bool,
    /// Jobs may be there for workers.
    pub(crate) jobs: bool,
    /// Instances answer each other without end in it.
    pub(crate) is_endless: bool,
    /// How a start by a timer has failed that is undone.
    pub(crate) failed: Option<Failure>,
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

    /// Finds out what was missing.
    pub(crate) async fn find(&mut self, missing: Missing) -> Result<(), Stop> {
        match missing {
            Missing::Instance(key) => self.hold(key).await?,
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

    /// Changes a task, which is what the envelope's act is about.
    pub(crate) fn put_task(&mut self, row: Task) {
        self.subject = Some(row.instance);
        self.changed = Some(row);
    }

    /// What of an instance is handed out or fires.
    pub(crate) fn rows(&self, instance: Key) -> Result<&Rows, Missing> {
        self.rows.as_ref().ok_or(Missing::Rows(instance))
    }

    /// The instances that others may hold, too.
    pub(crate) fn shared(&self) -> impl Iterator<Item = Key> {
        let is_shared = |held: &&Held| held.resident.loaded.as_ref().is_none_or(|loaded| loaded.seq > 0);
        self.held.values().filter(is_shared).map(|held| held.slot.key)
    }

    /// Locks an instance and loads it, if it is there.
    pub(crate) async fn hold(&mut self, key: Key) -> Result<(), Stop> {
        if !self.held.contains_key(&key) {
            let held = self.lock(key).await?;
            self.keep_hold(held);
        }
        Ok(())
    }

    fn keep_hold(&mut self, held: Held) {
        if let Some(loaded) = &held.resident.loaded {
            self.tenant = loaded.tenant.clone().unwrap_or_default();
            if self.envelope.trace.is_none() {
                self.envelope.trace = loaded.trace;
            }
        }
        self.unsettled.push(held.slot.key);
        self.held.insert(held.slot.key, held);
    }

    /// Locks in the order of keys may wait, so that no two wait for each other; out of order it is only tried.
    async fn lock(&self, key: Key) -> Result<Held, Stop> {
        let slot = self.engine.cache.slot(key);
        let in_order = self.held.last_key_value().is_none_or(|(last, _)| *last < key);
        let mut resident = if in_order {
            slot.resident.clone().lock_owned().await
        } else {
            slot.resident.clone().try_lock_owned().map_err(|_| Stop::Contended(key))?
        };
        let generation = slot.generation();
        if resident.generation != generation {
            *resident = Resident { generation, loaded: None };
        }
        if resident.loaded.is_none() {
            slot.settle().await;
            resident.generation = slot.generation();
            resident.loaded = self.engine.load(key).await?;
        }
        Ok(Held { slot, resident, events: Events::new(), refused: false })
    }

    /// Whether what was decided was decided on instances as they are. What is written is checked by the commit; what was only
    /// looked at, or refused, is checked here.
    pub(crate) async fn is_fresh(&mut self, all: bool) -> Result<bool, Error> {
        let mut fresh = true;
        for held in self.held.values_mut() {
            if all || held.refused || held.events.list.is_empty() {
                fresh &= !held.is_stale(self.engine).await?;
            }
        }
        Ok(fresh)
    }

    /// The row of an instance that was begun in this unit of work.
    pub(crate) fn row(&self, key: Key) -> Option<InstanceRow> {
        let loaded = self.loaded(key)?;
        let Running { graph, instance } = &loaded.running;
        let (definition, tenant, suspended) = (loaded.definition, &loaded.tenant, loaded.suspended);
        let row = follow::row(&Around { graph, definition, tenant, suspended }, instance);
        let (initiator, unique) = (self.envelope.by.clone(), loaded.unique);
        let trace = TraceContext::text(self.envelope.trace());
        Some(InstanceRow { initiator, started: self.now, unique, trace, ..row })
    }

    /// The rows of the instances that were begun in this unit of work, the oldest first, without those that others have begun.
    pub(crate) fn begun(&self) -> impl Iterator<Item = InstanceRow> {
        let is_its_own = |loaded: &Loaded| {
            let instance = &loaded.running.instance;
            loaded.seq == 0 && instance.caller().is_none() && instance.started_by().is_none()
        };
        let own = self.held.keys().filter(move |key| self.loaded(**key).is_some_and(is_its_own));
        own.filter_map(|key| self.row(*key))
    }

    pub(crate) fn loaded(&self, key: Key) -> Option<&Loaded> {
        self.held.get(&key)?.resident.loaded.as_ref()
    }

    pub(crate) fn loaded_mut(&mut self, key: Key) -> Option<&mut Loaded> {
        self.held.get_mut(&key)?.resident.loaded.as_mut()
    }

    /// Waits until nothing of an instance that is held is being committed: then the database says all about it.
    pub(crate) async fn settle(&self, key: Key) {
        if let Some(held) = self.held.get(&key) {
            held.slot.settle().await;
        }
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

    /// Gives up: what was touched is loaded anew by whoever is next.
    pub(crate) fn discard(self) {
        for mut held in self.held.into_values() {
            if !held.events.list.is_empty() {
                held.resident.loaded = None;
            }
        }
    }

    /// Everything as one unit, on its way to be committed. The locks are let go of: others step on, and fail with it.
    pub(crate) fn submit(mut self) -> (Option<Pending>, After) {
        let id = self.engine.random();
        let mut log = Vec::new();
        let mut slots = Vec::new();
        let mut changes = Changes::default();
        for held in self.held.values_mut() {
            let Resident { generation, loaded } = &mut *held.resident;
            let Some(loaded) = loaded else { continue };
            let key = held.slot.key;
            let is_subject = self.subject == Some(key);
            if held.events.list.is_empty() && !is_subject {
                continue;
            }
            if held.events.list.is_empty() {
                held.events.now = self.now.max(loaded.running.instance.now());
            }
            let act = self.envelope.act.clone().filter(|_| is_subject);
            let by = self.envelope.by.clone();
            let asked = self.envelope.once.as_ref().map(|once| once.key().clone());
            let trace = self.envelope.trace();
            let envelope = Envelope { by, key: asked, trace, act, ..Envelope::default() };
            if held.slot.is_in_flight() && loaded.seq > 0 {
                self.guards.push(Guard::Row { instance: key, seq: loaded.seq, unit: loaded.unit });
            }
            let Running { graph, instance } = &loaded.running;
            let around =
                Around { graph, definition: loaded.definition, tenant: &loaded.tenant, suspended: loaded.suspended };
            if let Some(row) = self.changed.as_ref().filter(|row| row.instance == key) {
                // Before what its listeners lead to, which may end it.
                changes.put_task(row.clone());
            }
            follow(&mut changes, &around, instance, &held.events, &envelope, &mut loaded.apart);
            self.after.told.extend(told::of(key, graph, &held.events, &envelope));
            if loaded.unique
                && !instance.is_active()
                && let Some(claim) = claim(graph.id(), loaded.tenant.as_ref(), instance.business_key(), key)
            {
                changes.remove::<Claim>((claim.tenant, claim.kind, claim.value));
            }
            loaded.seq += 1;
            loaded.unit = id;
            if let Some(row) = self.changed.take_if(|row| row.instance == key && held.events.list.is_empty()) {
                self.engine.cache.remember_task(row, (loaded.seq, id));
            }
            let events = held.events.encode();
            loaded.tail += events.len();
            if loaded.tail >= SNAPSHOT_FROM.max(loaded.snapshot) && instance.is_active() {
                let bytes = instance.encode();
                (loaded.tail, loaded.snapshot) = (0, bytes.len());
                changes.put(Snapshot {
                    instance: key,
                    seq: loaded.seq,
                    definition: loaded.definition,
                    format: FORMAT.into(),
                    bytes: bytes.into(),
                });
            }
            log.push(LogRow {
                instance: key,
                seq: loaded.seq,
                time: held.events.now,
                definition: loaded.definition,
                format: FORMAT.into(),
                events: events.into(),
                envelope: envelope.encode(),
                ..LogRow::default()
            });
            held.slot.depart();
            slots.push((held.slot.clone(), *generation, !instance.is_active()));
            self.after.note(self.engine, key, &held.events);
        }
        for (row, _) in self.kept {
            self.after.kept.push(row.key);
            changes.add(row);
        }
        changes.append(self.changes);
        let (guards, after) = (self.guards, self.after);
        if log.is_empty() && guards.is_empty() && changes.is_empty() {
            return (None, after);
        }
        (Some(self.engine.committer.send(Unit { id, log, guards, changes }, slots)), after)
    }
}

impl After {
    /// Notes who waits under which key, and who may have something to do now.
    fn note(&mut self, engine: &Inner, instance: Key, events: &Events) {
        let opened = events.list.iter().filter_map(|event| match *event {
            Event::WaitOpened { details } => events.waits.get(details as usize),
            _ => None,
        });
        let opened: Vec<Key> = opened
            .inspect(|wait| match &wait.kind {
                WaitKind::Job(_) => self.jobs = true,
                WaitKind::Continuation { .. } => self.due = true,
                // What is due later is found by whoever wakes from a nap.
                WaitKind::Timer(timer) => self.due |= timer.timer.due <= events.now + NAP,
                _ => {}
            })
            .map(|wait| wait.key)
            .collect();
        if events.list.iter().any(|event| matches!(event, Event::WaitChanged { .. })) {
            (self.due, self.jobs) = (true, true);
        }
        let closed = events.list.iter().filter_map(|event| match *event {
            Event::WaitClosed { key, .. } => Some(key),
            _ => None,
        });
        engine.cache.note(instance, opened, closed);
    }
}

impl World for Attempt<'_> {
    type Missing = Missing;

    fn instance(&mut self, key: Key) -> Result<Option<&Running>, Missing> {
        let held = self.held.get(&key).ok_or(Missing::Instance(key))?;
        let Some(loaded) = &held.resident.loaded else { return Ok(None) };
        // What it asks of others stays within its tenant: in one unit of work there may be instances of several.
        let tenant = loaded.tenant.as_deref().unwrap_or_default();
        if *self.tenant != *tenant {
            self.tenant = tenant.into();
            (self.takers, self.start) = (None, None);
        }
        Ok(Some(&loaded.running))
    }

    fn step(&mut self, instance: Key, command: Command) -> Result<Vec<Request>, Rejection> {
        // What an instance goes over to must be known as a definition.
        let after = match command.graph_after() {
            Some(graph) => Some(self.deployed(graph).cloned().ok_or(Rejection::NotActive(instance))?),
            None => None,
        };
        let held = self.held.get_mut(&instance).ok_or(Rejection::NotActive(instance))?;
        let loaded = held.resident.loaded.as_mut().ok_or(Rejection::NotActive(instance))?;
        let command = match (command.tries(&loaded.running.graph), &self.failed) {
            (Some(wait), Some((tried, failure))) if *tried == (instance, wait) => {
                Command::FailTry { wait, failure: failure.clone() }
            }
            (Some(wait), _) => {
                self.tried = Some((instance, wait));
                command
            }
            (None, _) => command,
        };
        let key = instance;
        let Running { graph, instance } = &mut loaded.running;
        let from = held.events.list.len();
        let keys = Numbers { engine: self.engine, now: self.now };
        let mut context = Context::new(self.now, &*self.engine.catalog.evaluator, &keys);
        (context.time, context.room) = (self.time, self.room);
        if let Err(rejection) = step(graph, instance, command, &mut context, &mut held.events) {
            held.refused = true;
            return Err(rejection);
        }
        self.time = self.time.saturating_sub(context.took);
        self.room = self.room.saturating_sub(context.written);
        if self.tried.is_some() && self.stuck.is_none() && graph.dialect().tries_again() {
            self.stuck = stuck(graph, &held.events, from);
        }
        if let Some(after) = after {
            (*graph, loaded.definition) = (after.graph.clone(), after.definition.key);
        }
        self.takers = None;
        self.start = None;
        self.listeners = None;
        self.kept_before = None;
        self.noted.clear();
        self.opened.extend(opened(instance, &held.events, from).map(|wait| (key, wait)));
        Ok(requests(graph, instance, &held.events, from))
    }

    fn begin(
        &mut self,
        key: Option<Key>,
        graph: Arc<ProcessGraph>,
        command: Command,
    ) -> Result<(Key, Vec<Request>), Rejection> {
        let key = key.unwrap_or_else(|| self.engine.next_key(self.now));
        let Some(deployed) = self.deployed(&graph).cloned() else { return Err(Rejection::NotActive(key)) };
        let definition = &deployed.definition;
        let slot = self.engine.cache.slot(key);
        // Nobody else knows a key that has just been given out; the call of a called instance is known to its caller alone.
        let Ok(mut resident) = slot.resident.clone().try_lock_owned() else {
            return Err(Rejection::AlreadyStarted(key));
        };
        resident.generation = slot.generation();
        resident.loaded = Some(Loaded {
            running: Running { graph, instance: Instance::new(key) },
            apart: Apart::default(),
            definition: definition.key,
            tenant: Some(definition.tenant.clone()).filter(|tenant| !tenant.is_empty()),
            suspended: false,
            unique: false,
            trace: self.envelope.trace(),
            seq: 0,
            unit: 0,
            tail: 0,
            snapshot: 0,
        });
        self.tenant.clone_from(&definition.tenant);
        self.held.insert(key, Held { slot, resident, events: Events::new(), refused: false });
        match self.step(key, command) {
            Ok(requests) => Ok((key, requests)),
            Err(rejection) => {
                if let Some(mut held) = self.held.remove(&key) {
                    held.resident.loaded = None;
                }
                self.engine.cache.forget(key);
                Err(rejection)
            }
        }
    }

    fn process(
        &mut self,
        id: &str,
        binding: &Binding,
        deployment: Option<Deployment>,
    ) -> Result<Option<Arc<ProcessGraph>>, Missing> {
        let is_it = |(of, _): &&(Asked, _)| of.0 == id && of.1 == *binding && of.2 == deployment;
        match self.processes.iter().find(is_it) {
            Some((_, found)) => Ok(found.as_ref().map(|deployed| deployed.graph.clone())),
            None => Err(Missing::Process(id.into(), binding.clone(), deployment)),
        }
    }

    fn takers(&mut self, message: &Message) -> Result<Vec<Taker>, Missing> {
        match &self.takers {
            Some((of, takers)) if of == message => Ok(takers.clone()),
            _ => Err(Missing::Takers(Box::new(message.clone()))),
        }
    }

    fn started_by(&mut self, message: &Message) -> Result<Option<StartPoint>, Missing> {
        match &self.start {
            Some((of, start)) if of == message => Ok(start.clone()),
            _ => Err(Missing::Start(Box::new(message.clone()))),
        }
    }

    fn listeners(&mut self, signal: &Name, payload: &[(Name, Value)], from: Option<Key>) -> Result<Listeners, Missing> {
        let asked = (signal.clone(), from);
        let Some((_, hearing)) = self.listeners.as_ref().filter(|(of, _)| *of == asked) else {
            return Err(Missing::Listeners(asked.0, from));
        };
        let Hearing { listeners, is_all } = hearing.clone();
        if !is_all {
            self.tell_others_later(signal, payload, from, listeners.instances.clone());
        }
        Ok(listeners)
    }

    fn noted(&mut self, start: &StartPoint) -> Result<Vec<Noted>, Missing> {
        let Some(deployed) = self.deployed(&start.graph) else { return Ok(Vec::new()) };
        let event = (deployed.definition.key, start.node);
        match self.noted.get(&event) {
            Some(noted) => Ok(noted.iter().map(|(_, noted)| noted.clone()).collect()),
            None => Err(Missing::Noted(event.0, event.1)),
        }
    }

    fn note(&mut self, start: &StartPoint, noted: Noted) {
        let Some(definition) = self.deployed(&start.graph).map(|deployed| deployed.definition.key) else { return };
        // Another definition may occur in this very moment, and neither know of the other: so this is looked at again once it is kept.
        let due = if self.looked_at.is_some() { Timestamp::MAX } else { self.now };
        self.later(definition, Chore::OCCURRED, due, Occurred { node: start.node, noted }.encode());
    }

    fn take_noted(&mut self, start: &StartPoint, places: &[usize]) {
        let Some(definition) = self.deployed(&start.graph).map(|deployed| deployed.definition.key) else { return };
        let noted = self.noted.get(&(definition, start.node));
        let taken = places.iter().filter_map(|place| noted?.get(*place));
        self.guards.extend(taken.map(|(key, _)| Guard::Work { instance: definition, work: *key }));
    }

    fn keep(&mut self, message: Message, from: Option<Key>) {
        let key = self.engine.next_key(self.now);
        let an_hour = self.now.checked_add(TIME_TO_LIVE).unwrap_or(Timestamp::MAX);
        let row = KeptMessage {
            key,
            tenant: Some(self.tenant.clone()).filter(|tenant| !tenant.is_empty()),
            name: message.name.clone().unwrap_or_default(),
            correlation: message.correlation_key.as_ref().and_then(correlation),
            business_key: message.business_key.clone(),
            sender: from,
            payload: message.encode().into(),
            created: self.now,
            expires: self.keep_until.unwrap_or(an_hour),
        };
        self.kept.push((row, message));
    }

    /// What was kept before this unit of work is given later: others may keep a message and open a subscription for it at the same
    /// time, so that both look again after their commits in any case. What it keeps itself is given now, if nothing older is kept.
    fn kept_for(&mut self, instance: Key, subscription: Key) -> Result<Option<Message>, Missing> {
        let message = match self.place_of_kept(instance, subscription) {
            Some(place) => match self.kept_before.take_if(|(of, _)| *of == subscription) {
                Some((_, Some((key, message)))) => {
                    self.guards.push(Guard::Message(key));
                    Some(message)
                }
                Some((_, None)) => Some(self.kept.remove(place).1),
                None => return Err(Missing::Kept(instance, subscription)),
            },
            None => None,
        };
        self.after.opened.push((instance, subscription));
        Ok(message)
    }

    fn notice(&mut self, notice: Notice) {
        if let Notice::ChainTooLong { from, name } = notice {
            self.after.is_endless = true;
            let name = name.unwrap_or_default();
            tracing::warn!(instance = %InstanceId(from), %name, "instances answer each other without end: this is not carried on");
        }
    }
}

/// The keys of a node at one moment.
struct Numbers<'e> {
    engine: &'e Inner,
    now: Timestamp,
}

impl potok_core::step::Keys for Numbers<'_> {
    fn next(&self) -> Key {
        self.engine.next_key(self.now)
    }
}
