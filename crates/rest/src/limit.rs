//! How often a caller may call.

use std::num::NonZeroU32;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};
use potok::Name;

/// How often each caller may call: a user, a token, or an address from which nobody has signed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Calls in a minute, evenly.
    pub per_minute: NonZeroU32,
    /// Calls that may come at once after a pause.
    pub burst: NonZeroU32,
}

/// Whose calls are counted together.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Counted {
    User(Name, Option<Name>),
    Source(Option<Name>),
}

/// From so many callers on those that have not called for a while are forgotten.
const CAPACITY: usize = 10_000;

/// The engine's clock, as the limiter reads it: from the epoch.
#[derive(Clone, Debug)]
struct EngineClock(potok::Clock);

impl Clock for EngineClock {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        let since = self.0.now().as_nanosecond();
        u64::try_from(since).unwrap_or_default().into()
    }
}

/// Counts calls.
#[derive(Debug)]
pub(crate) struct Limiter {
    rate: Rate,
    counted: RateLimiter<Counted, HashMapStateStore<Counted>, EngineClock, NoOpMiddleware<Nanos>>,
    /// With how many that is done next: twice as many as were left, so that whoever comes from many places makes it no work for each call.
    full: AtomicUsize,
}

impl Limiter {
    pub(crate) fn new(rate: Rate, clock: potok::Clock) -> Self {
        let quota = Quota::per_minute(rate.per_minute).allow_burst(rate.burst);
        let counted = RateLimiter::new(quota, HashMapStateStore::default(), EngineClock(clock));
        Self { rate, counted, full: AtomicUsize::new(CAPACITY) }
    }

    /// Counts a call.
    ///
    /// # Errors
    /// If it is one too many: how long to wait.
    pub(crate) fn count(&self, caller: &Counted) -> Result<(), Duration> {
        if self.counted.len() >= self.full.load(Ordering::Relaxed) {
            self.counted.retain_recent();
            self.full.store(CAPACITY.max(2 * self.counted.len()), Ordering::Relaxed);
        }
        self.counted.check_key(caller).map_err(|until| until.wait_time_from(self.counted.clock().now()))
    }

    /// What is allowed, in words.
    pub(crate) fn allowed(&self) -> String {
        format!("{} calls a minute, {} at once", self.rate.per_minute, self.rate.burst)
    }
}
