//! What has been done, as one unit on its way to be committed, and what is left to do after that.

use potok_core::encoding::FORMAT;
use potok_core::instance::{Failure, Key, WaitKind};
use potok_core::routing::Running;
use potok_core::step::{Event, Events};
use potok_store::row::{Claim, Instance as InstanceRow, LogRow, Snapshot, Work as WorkRow};
use potok_store::{Changes, Guard, Unit};

use super::Attempt;
use crate::background::NAP;
use crate::cache::{Loaded, Resident};
use crate::commit::Pending;
use crate::engine::Inner;
use crate::envelope::Envelope;
use crate::follow::{self, Around, follow};
use crate::instance::claim;
use crate::told::{self, Told};
use crate::trace::TraceContext;

/// A snapshot is written when the rows since the last one outweigh it, and at least this many bytes.
const SNAPSHOT_FROM: usize = 16 * 1024;

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

impl Attempt<'_> {
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
            let held_back = match self.engine.catalog.policies(loaded.definition) {
                Some(policies) => follow::held_back(&policies, &loaded.running.graph, &held.events),
                None => Vec::new(),
            };
            let has_ended = !loaded.running.instance.is_active();
            let history_days = self.engine.catalog.history_days(loaded.definition).filter(|_| has_ended);
            let rest = Envelope::default();
            let envelope = Envelope { by, key: asked, trace, act, held: held_back, history_days, ..rest };
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
            held.submitted = true;
            slots.push((held.slot.clone(), *generation, !instance.is_active()));
            self.after.note(self.engine, key, &held.events);
        }
        for task in changes.new_tasks() {
            let loaded = self.held.get(&task.instance).and_then(|held| held.resident.loaded.as_ref());
            if let Some(loaded) = loaded.filter(|loaded| loaded.running.instance.wait(task.key).is_some()) {
                self.engine.cache.remember_task(task, (loaded.seq, loaded.unit));
            }
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
