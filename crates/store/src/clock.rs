//! The clock of databases that have none of their own. It can be given, so that tests travel in time.

use std::sync::Arc;
use std::time::SystemTime;

use potok_core::time::Timestamp;

/// Gives the time.
#[derive(Clone)]
pub(crate) struct Clock(Arc<dyn Fn() -> Timestamp + Send + Sync>);

impl Clock {
    pub(crate) fn new(now: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    pub(crate) fn system() -> Self {
        Self::new(|| Timestamp::try_from(SystemTime::now()).unwrap_or(Timestamp::MAX))
    }

    pub(crate) fn now(&self) -> Timestamp {
        // As exact as databases keep it.
        Timestamp::from_microsecond((self.0)().as_microsecond()).unwrap_or(Timestamp::MAX)
    }
}

impl std::fmt::Debug for Clock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Clock")
    }
}
