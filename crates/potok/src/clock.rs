//! The engine's time: the machine's, or what a test says.

use std::sync::{Arc, Mutex, PoisonError};

use potok_core::time::Timestamp;
use tokio::sync::Notify;

/// Where an engine reads the time. A clock that is set by hand lets tests and simulations travel in time.
#[derive(Clone, Debug)]
pub struct Clock {
    set: Option<Arc<Mutex<Timestamp>>>,
    pub(crate) moved: Arc<Notify>,
}

impl Clock {
    /// The machine's clock.
    #[must_use]
    pub fn system() -> Self {
        Self { set: None, moved: Arc::default() }
    }

    /// A clock that stands until it is moved.
    #[must_use]
    pub fn standing_at(now: Timestamp) -> Self {
        Self { set: Some(Arc::new(Mutex::new(now))), moved: Arc::default() }
    }

    /// The time, in microseconds: more than databases keep would make what is read differ from what was written.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        let now = match &self.set {
            Some(now) => *now.lock().unwrap_or_else(PoisonError::into_inner),
            None => Timestamp::now(),
        };
        Timestamp::from_microsecond(now.as_microsecond()).unwrap_or(now)
    }

    /// Moves a clock that stands forward to that time; a clock never goes back, and the machine's is left alone.
    pub fn advance(&self, to: Timestamp) {
        if let Some(now) = &self.set {
            let mut now = now.lock().unwrap_or_else(PoisonError::into_inner);
            *now = now.max(to);
            self.moved.notify_waiters();
        }
    }

    /// Whether it stands still until it is moved.
    #[must_use]
    pub fn is_set_by_hand(&self) -> bool {
        self.set.is_some()
    }
}
