//! The instances of a unit of work: locked, and as they are by now.

use std::sync::Arc;

use potok_core::graph::ProcessGraph;
use potok_core::instance::{Key, Wait};
use potok_core::step::Events;
use tokio::sync::OwnedMutexGuard;

use super::{Attempt, Stop};
use crate::Error;
use crate::cache::{Loaded, Resident, Slot};
use crate::engine::Inner;

/// An instance that is held.
pub(super) struct Held {
    pub(super) slot: Arc<Slot>,
    pub(super) resident: OwnedMutexGuard<Resident>,
    /// What happened to it in this unit of work.
    pub(super) events: Events,
    /// It refused something: that is only to be believed if nobody else has written it meanwhile.
    pub(super) refused: bool,
    /// Something of it beside its state was changed.
    changed: bool,
    /// What happened to it is on its way to the database.
    pub(super) submitted: bool,
}

impl Drop for Held {
    /// What was given up, however that came (an error, or a caller who has gone), is loaded anew by whoever is next.
    fn drop(&mut self) {
        if !self.submitted && (self.changed || !self.events.list.is_empty()) {
            self.resident.loaded = None;
        }
    }
}

impl Held {
    pub(super) fn new(slot: Arc<Slot>, resident: OwnedMutexGuard<Resident>) -> Self {
        Self { slot, resident, events: Events::new(), refused: false, changed: false, submitted: false }
    }

    pub(super) fn graph(&self) -> Option<&Arc<ProcessGraph>> {
        self.resident.loaded.as_ref().map(|loaded| &loaded.running.graph)
    }

    pub(super) fn wait(&self, key: Key) -> Option<&Wait> {
        self.resident.loaded.as_ref()?.running.instance.wait(key)
    }

    /// Whether it is not what the database has by now: then it is loaded anew by whoever is next.
    pub(super) async fn is_stale(&mut self, engine: &Inner) -> Result<bool, Error> {
        // What it was stepped on is durable from then on, or has failed.
        self.slot.settle().await;
        let seq = self.resident.loaded.as_ref().map_or(0, |loaded| loaded.seq);
        let failed = self.slot.generation() != self.resident.generation;
        let is_shared = engine.store.is_shared() || engine.cache.is_shared();
        if failed || (is_shared && !engine.ends_with(self.slot.key, seq).await?) {
            self.resident.loaded = None;
            return Ok(true);
        }
        Ok(false)
    }
}

impl Attempt<'_> {
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

    pub(super) fn keep_hold(&mut self, held: Held) {
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
    pub(super) async fn lock(&self, key: Key) -> Result<Held, Stop> {
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
        Ok(Held::new(slot, resident))
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

    pub(crate) fn loaded(&self, key: Key) -> Option<&Loaded> {
        self.held.get(&key)?.resident.loaded.as_ref()
    }

    pub(crate) fn loaded_mut(&mut self, key: Key) -> Option<&mut Loaded> {
        let held = self.held.get_mut(&key)?;
        held.changed = true;
        held.resident.loaded.as_mut()
    }

    /// Waits until nothing of an instance that is held is being committed: then the database says all about it.
    pub(crate) async fn settle(&self, key: Key) {
        if let Some(held) = self.held.get(&key) {
            held.slot.settle().await;
        }
    }
}
