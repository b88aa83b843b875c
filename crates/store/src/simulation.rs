//! Several nodes on one database in memory, with faults that come from a seed: the same seed, the same faults.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use potok_core::time::Timestamp;

use crate::Store;
use crate::clock::Clock;
use crate::memory::{Data, Memory};

/// How often what goes wrong, in calls of a thousand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    /// The connection breaks; nothing is changed.
    pub broken: u32,
    /// The connection breaks before the commit; the caller cannot know.
    pub lost_before_commit: u32,
    /// The connection breaks after the commit; the caller cannot know.
    pub lost_after_commit: u32,
    /// What a unit needs seems to be locked by somebody else.
    pub busy: u32,
    /// How many times others may go first at each call.
    pub pauses: u32,
}

impl Faults {
    /// A bit of everything.
    #[must_use]
    pub fn some() -> Self {
        Self { broken: 5, lost_before_commit: 20, lost_after_commit: 20, busy: 50, pauses: 3 }
    }
}

/// A simulated database.
#[derive(Debug)]
pub struct Simulation {
    data: Arc<tokio::sync::Mutex<Data>>,
    time: Arc<AtomicI64>,
    trouble: Trouble,
}

impl Simulation {
    /// An empty database, at that time.
    #[must_use]
    pub fn new(seed: u64, faults: Faults, now: Timestamp) -> Self {
        Self {
            data: Arc::default(),
            time: Arc::new(AtomicI64::new(now.as_microsecond())),
            trouble: Trouble { faults, random: Arc::new(Mutex::new(Random(seed))) },
        }
    }

    /// A node: a store of its own on the same data.
    #[must_use]
    pub fn node(&self) -> Store {
        self.store(Some(self.trouble.clone()))
    }

    /// A store on the same data that nothing ever happens to: what tests look with.
    #[must_use]
    pub fn witness(&self) -> Store {
        self.store(None)
    }

    /// Lets time pass on the database's clock.
    pub fn advance(&self, microseconds: i64) {
        self.time.fetch_add(microseconds, Ordering::SeqCst);
    }

    /// A random number below a bound, from the same seed: so that a test's own choices belong to it.
    #[must_use]
    pub fn random(&self, below: u64) -> u64 {
        self.trouble.random(below)
    }

    fn store(&self, trouble: Option<Trouble>) -> Store {
        let time = self.time.clone();
        let clock =
            Clock::new(move || Timestamp::from_microsecond(time.load(Ordering::SeqCst)).unwrap_or(Timestamp::MAX));
        Store::on(Memory { data: self.data.clone(), clock, trouble })
    }
}

/// What decides when something goes wrong.
#[derive(Clone, Debug)]
pub(crate) struct Trouble {
    faults: Faults,
    random: Arc<Mutex<Random>>,
}

impl Trouble {
    pub(crate) fn breaks(&self) -> bool {
        self.strikes(self.faults.broken)
    }

    pub(crate) fn loses_before_commit(&self) -> bool {
        self.strikes(self.faults.lost_before_commit)
    }

    pub(crate) fn loses_after_commit(&self) -> bool {
        self.strikes(self.faults.lost_after_commit)
    }

    pub(crate) fn is_busy(&self) -> bool {
        self.strikes(self.faults.busy)
    }

    /// Lets others go first.
    pub(crate) async fn pause(&self) {
        for _ in 0..self.random(u64::from(self.faults.pauses) + 1) {
            tokio::task::yield_now().await;
        }
    }

    fn strikes(&self, often: u32) -> bool {
        self.random(1000) < u64::from(often)
    }

    fn random(&self, below: u64) -> u64 {
        self.random.lock().unwrap_or_else(PoisonError::into_inner).next() % below.max(1)
    }
}

/// SplitMix64: a small generator that gives the same numbers on every machine.
#[derive(Debug)]
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}
