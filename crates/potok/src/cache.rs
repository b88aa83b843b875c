//! Instances in memory: each in a slot with a lock of its own.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use potok_core::Name;
use potok_core::instance::Key;
use potok_core::routing::Running;
use potok_store::row::{Job, Task};
use tokio::sync::{Mutex as Lock, Notify};

use crate::Error;
use crate::engine::Inner;
use crate::follow::Apart;
use crate::remembered::Remembered;
use crate::trace::TraceContext;

/// An instance as it is after its last row, which may not be durable yet.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) running: Running,
    /// The definition that it runs.
    pub(crate) definition: Key,
    pub(crate) tenant: Option<Name>,
    pub(crate) suspended: bool,
    /// It has its business key for itself while it runs.
    pub(crate) unique: bool,
    /// The trace in which it was started.
    pub(crate) trace: Option<TraceContext>,
    /// Its tokens that have a row.
    pub(crate) apart: Apart,
    /// Its last row.
    pub(crate) seq: u64,
    /// The unit of work that wrote it.
    pub(crate) unit: u64,
    /// Bytes of its rows since its last snapshot.
    pub(crate) tail: usize,
    /// Bytes of its last snapshot.
    pub(crate) snapshot: usize,
}

/// What a slot's lock guards.
#[derive(Debug, Default)]
pub(crate) struct Resident {
    /// The slot's generation in which it was loaded.
    pub(crate) generation: u64,
    /// Nothing if it must be loaded first.
    pub(crate) loaded: Option<Loaded>,
}

/// The place of one instance.
#[derive(Debug)]
pub(crate) struct Slot {
    pub(crate) key: Key,
    pub(crate) resident: Arc<Lock<Resident>>,
    /// Counts how often what was stepped on turned out not to become durable.
    generation: AtomicU64,
    /// Units of work that are being committed.
    in_flight: AtomicU64,
    settled: Notify,
    /// Looked at since the cache last asked.
    used: AtomicBool,
}

impl Slot {
    fn new(key: Key) -> Self {
        Self {
            key,
            resident: Arc::default(),
            generation: AtomicU64::new(0),
            in_flight: AtomicU64::new(0),
            settled: Notify::new(),
            used: AtomicBool::new(true),
        }
    }

    pub(crate) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    pub(crate) fn is_in_flight(&self) -> bool {
        self.in_flight.load(Ordering::Acquire) > 0
    }

    /// A unit of work with this instance goes to be committed.
    pub(crate) fn depart(&self) {
        self.in_flight.fetch_add(1, Ordering::AcqRel);
    }

    /// It is back: what it was stepped on in that generation has become durable, or not.
    pub(crate) fn arrive(&self, generation: u64, durable: bool) {
        if !durable {
            // Only the first of several that failed together: what was loaded since then is fresh.
            let next = generation + 1;
            let _ = self.generation.compare_exchange(generation, next, Ordering::AcqRel, Ordering::Acquire);
        }
        self.in_flight.fetch_sub(1, Ordering::AcqRel);
        self.settled.notify_waiters();
    }

    /// Waits until nothing of it is being committed.
    pub(crate) async fn settle(&self) {
        loop {
            let settled = self.settled.notified();
            if !self.is_in_flight() {
                return;
            }
            settled.await;
        }
    }
}

/// When an instance was looked at without having it.
#[derive(Debug)]
pub(crate) struct Glimpse {
    slot: Arc<Slot>,
    generation: u64,
    seq: u64,
}

impl Glimpse {
    /// Whether what was seen is durable, and all there is.
    pub(crate) async fn is_so(&self, engine: &Inner) -> Result<bool, Error> {
        self.slot.settle().await;
        let is_shared = engine.store.is_shared() || engine.cache.is_shared();
        Ok(self.slot.generation() == self.generation
            && (!is_shared || engine.ends_with(self.slot.key, self.seq).await?))
    }
}

/// The instances in memory, and who waits under which key.
#[derive(Debug)]
pub(crate) struct Cache {
    capacity: usize,
    /// Transactions of the program that may write what is in memory.
    transactions: AtomicU64,
    table: Mutex<Table>,
    /// Open tasks whose rows were read or changed a while ago, each with the row of its instance's log as of which it is so: who works on
    /// a task need not be looked up for each thing that they do.
    tasks: Remembered<(LogEnd, Task)>,
    /// Jobs as they were handed out here to workers elsewhere.
    handed_out: Remembered<Job>,
}

/// Where an instance's log ends: the last row, and the unit that wrote it.
pub(crate) type LogEnd = (u64, u64);

#[derive(Debug, Default)]
struct Table {
    slots: HashMap<Key, Arc<Slot>>,
    /// Slots in the order in which they are asked whether they are still used.
    order: VecDeque<Key>,
    /// The instance that waits under a key.
    owners: HashMap<Key, Key>,
}

impl Cache {
    pub(crate) fn new(capacity: usize) -> Self {
        let (tasks, handed_out) = (Remembered::default(), Remembered::default());
        Self { capacity, transactions: AtomicU64::new(0), table: Mutex::default(), tasks, handed_out }
    }

    /// An open task as it is where its instance's log ends there, if that is remembered.
    pub(crate) fn task(&self, task: Key, end: LogEnd) -> Option<Task> {
        self.tasks.get(task).filter(|(of, _)| *of == end).map(|(_, row)| row)
    }

    /// Remembers an open task as it is where its instance's log ends there.
    pub(crate) fn remember_task(&self, row: Task, end: LogEnd) {
        self.tasks.put(row.key, (end, row));
    }

    /// A job as it was handed out here, if that is remembered.
    pub(crate) fn handed_out(&self, job: Key) -> Option<Job> {
        self.handed_out.get(job)
    }

    /// Remembers a job as it was handed out here.
    pub(crate) fn remember_job(&self, row: Job) {
        self.handed_out.put(row.key, row);
    }

    /// A job is no longer as it was handed out.
    pub(crate) fn forget_job(&self, job: Key) {
        self.handed_out.forget(job);
    }

    /// A transaction begins that may write what is in memory, or has ended.
    pub(crate) fn share(&self, begins: bool) {
        if begins {
            self.transactions.fetch_add(1, Ordering::AcqRel);
        } else {
            self.transactions.fetch_sub(1, Ordering::AcqRel);
        }
    }

    /// Whether somebody else in this process may write what is in memory.
    pub(crate) fn is_shared(&self) -> bool {
        self.transactions.load(Ordering::Acquire) > 0
    }

    /// The instances that it has or had in memory.
    pub(crate) fn touched(&self) -> Vec<Key> {
        self.table().order.iter().copied().collect()
    }

    /// What is in memory of an instance is no longer what the database has.
    pub(crate) fn outdate(&self, key: Key) {
        if let Some(slot) = self.table().slots.get(&key) {
            slot.generation.fetch_add(1, Ordering::AcqRel);
        }
    }

    /// The same of all that is in memory.
    pub(crate) fn outdate_all(&self) {
        for slot in self.table().slots.values() {
            slot.generation.fetch_add(1, Ordering::AcqRel);
        }
    }

    fn table(&self) -> std::sync::MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The slot of an instance, loaded or not.
    pub(crate) fn slot(&self, key: Key) -> Arc<Slot> {
        let mut table = self.table();
        if let Some(slot) = table.slots.get(&key) {
            slot.used.store(true, Ordering::Relaxed);
            return slot.clone();
        }
        let slot = Arc::new(Slot::new(key));
        table.slots.insert(key, slot.clone());
        table.order.push_back(key);
        table.make_room(self.capacity);
        slot
    }

    /// An instance as it was last seen here, if it is in memory and nobody has it: that may be long past, or not durable yet. See
    /// [`Glimpse::is_so`].
    pub(crate) fn glimpse<T>(&self, key: Key, look: impl FnOnce(&Loaded) -> T) -> Option<(T, Glimpse)> {
        let slot = self.table().slots.get(&key).cloned()?;
        let resident = slot.resident.try_lock().ok()?;
        let loaded = resident.loaded.as_ref()?;
        let (generation, seq) = (resident.generation, loaded.seq);
        let seen = look(loaded);
        drop(resident);
        Some((seen, Glimpse { slot, generation, seq }))
    }

    /// The instance in memory that waits under a key.
    pub(crate) fn owner(&self, wait: Key) -> Option<Key> {
        self.table().owners.get(&wait).copied()
    }

    /// Notes what an instance waits for from now on, and no longer.
    pub(crate) fn note(
        &self,
        instance: Key,
        opened: impl IntoIterator<Item = Key>,
        closed: impl IntoIterator<Item = Key>,
    ) {
        let mut table = self.table();
        table.owners.extend(opened.into_iter().map(|wait| (wait, instance)));
        for wait in closed {
            table.owners.remove(&wait);
            self.tasks.forget(wait);
            self.handed_out.forget(wait);
        }
    }

    /// Lets go of an instance that has ended or never came to be.
    pub(crate) fn forget(&self, key: Key) {
        self.table().slots.remove(&key);
    }
}

impl Table {
    /// Lets go of instances that nobody has looked at for long and that nobody holds.
    fn make_room(&mut self, capacity: usize) {
        let mut tries = self.order.len();
        while self.slots.len() > capacity && tries > 0 {
            tries -= 1;
            let Some(key) = self.order.pop_front() else { return };
            let Some(slot) = self.slots.get(&key) else { continue };
            if slot.used.swap(false, Ordering::Relaxed) || Arc::strong_count(slot) > 1 {
                self.order.push_back(key);
                continue;
            }
            let resident = slot.resident.clone();
            self.slots.remove(&key);
            // Nobody else has the slot, so that nobody has locked it.
            if let Ok(resident) = resident.try_lock()
                && let Some(loaded) = &resident.loaded
            {
                for wait in loaded.running.instance.waits() {
                    self.owners.remove(&wait.key);
                }
            }
        }
    }
}
