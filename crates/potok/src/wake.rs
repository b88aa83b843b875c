//! Who sleeps until there is something to do.

use tokio::sync::Notify;
use tokio::sync::futures::Notified;

/// Wakes those who sleep until there is something to do: only those whom it concerns, for each looks into the database.
#[derive(Debug, Default)]
pub(crate) struct Wake {
    due: Notify,
    jobs: Notify,
}

impl Wake {
    /// A timer or follow-up work may be due.
    pub(crate) fn due(&self) {
        self.due.notify_waiters();
    }

    /// Jobs may be there for workers.
    pub(crate) fn jobs(&self) {
        self.jobs.notify_waiters();
    }

    /// Anything may be there.
    pub(crate) fn all(&self) {
        self.due();
        self.jobs();
    }

    /// Waits until timers or follow-up work may be due.
    pub(crate) fn until_due(&self) -> Notified<'_> {
        self.due.notified()
    }

    /// Waits until jobs may be there.
    pub(crate) fn until_jobs(&self) -> Notified<'_> {
        self.jobs.notified()
    }
}
