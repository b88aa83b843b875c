//! Who sleeps until there is something to do.

use std::sync::atomic::{AtomicU8, Ordering};

use tokio::sync::Notify;
use tokio::sync::futures::Notified;

/// What may have happened: several things as one number, as nodes tell it each other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct News(pub(crate) u8);

impl News {
    /// A timer or follow-up work may be due.
    pub(crate) const DUE: Self = Self(1);
    /// Jobs may be there for workers.
    pub(crate) const JOBS: Self = Self(2);
    /// Something has happened to an instance.
    pub(crate) const WRITTEN: Self = Self(4);
    /// An instance has ended.
    pub(crate) const ENDED: Self = Self(8);
    /// Anything.
    pub(crate) const ALL: Self = Self(15);

    pub(crate) fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

/// Wakes those who sleep until there is something to do: only those whom it concerns, for each looks into the database.
#[derive(Debug, Default)]
pub(crate) struct Wake {
    due: Notify,
    jobs: Notify,
    written: Notify,
    ended: Notify,
    /// What has happened here, and other nodes have not been told.
    untold: AtomicU8,
    /// There is something to tell.
    news: Notify,
}

impl Wake {
    /// A timer or follow-up work may be due.
    pub(crate) fn due(&self) {
        self.here(News::DUE);
    }

    /// Jobs may be there for workers.
    pub(crate) fn jobs(&self) {
        self.here(News::JOBS);
    }

    /// Something has happened to an instance.
    pub(crate) fn written(&self) {
        self.here(News::WRITTEN);
    }

    /// An instance has ended.
    pub(crate) fn ended(&self) {
        self.here(News::ENDED);
    }

    /// Anything may be there.
    pub(crate) fn all(&self) {
        self.here(News::ALL);
    }

    /// It has happened on this node.
    fn here(&self, news: News) {
        self.hear(news);
        self.untold.fetch_or(news.0, Ordering::AcqRel);
        self.news.notify_one();
    }

    /// It has happened, on whatever node.
    pub(crate) fn hear(&self, news: News) {
        let all = [
            (News::DUE, &self.due),
            (News::JOBS, &self.jobs),
            (News::WRITTEN, &self.written),
            (News::ENDED, &self.ended),
        ];
        all.into_iter().filter(|(what, _)| news.has(*what)).for_each(|(_, sleepers)| sleepers.notify_waiters());
    }

    /// Waits until something has happened here, and takes what others have not been told.
    pub(crate) async fn untold(&self) -> News {
        self.news.notified().await;
        News(self.untold.swap(0, Ordering::AcqRel))
    }

    /// Waits until timers or follow-up work may be due.
    pub(crate) fn until_due(&self) -> Notified<'_> {
        self.due.notified()
    }

    /// Waits until jobs may be there.
    pub(crate) fn until_jobs(&self) -> Notified<'_> {
        self.jobs.notified()
    }

    /// Waits until something has happened to an instance.
    pub(crate) fn until_written(&self) -> Notified<'_> {
        self.written.notified()
    }

    /// Waits until an instance has ended.
    pub(crate) fn until_ended(&self) -> Notified<'_> {
        self.ended.notified()
    }
}
