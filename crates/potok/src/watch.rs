//! Who waits for jobs: woken by one look at the database for all of them, however many they are, and only as many as there are jobs for.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use potok_core::Name;
use tokio::sync::Notify;

use crate::Error;
use crate::engine::{Engine, Inner};

/// How long it sleeps at most: another node may have opened a job, another's lease may have run out.
const NAP: Duration = Duration::from_millis(500);

/// What happens in such a time is looked at together.
const BREATH: Duration = Duration::from_millis(10);

/// Topics that are looked for in one statement.
const TOPICS: usize = 500;

/// Those who wait for jobs, by topic, the longest waiting first.
#[derive(Debug, Default)]
pub(crate) struct Watchers {
    waiting: Mutex<BTreeMap<Name, VecDeque<Weak<Notify>>>>,
    /// Somebody has begun to wait.
    begun: Notify,
}

impl Watchers {
    fn waiting(&self) -> MutexGuard<'_, BTreeMap<Name, VecDeque<Weak<Notify>>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The topics that somebody waits for.
    fn topics(&self) -> Vec<Name> {
        let mut waiting = self.waiting();
        waiting.retain(|_, watchers| {
            watchers.retain(|watcher| watcher.strong_count() > 0);
            !watchers.is_empty()
        });
        waiting.keys().cloned().collect()
    }

    /// Whether others than one wait for each of these topics.
    fn are_several(&self, topics: &[Name]) -> bool {
        let waiting = self.waiting();
        topics.iter().all(|topic| waiting.get(topic).is_some_and(|watchers| watchers.len() > 1))
    }

    /// Wakes as many as there are jobs for. They go to the end: others are woken by the next ones.
    fn wake(&self, topic: &Name, jobs: u64) {
        let mut waiting = self.waiting();
        let Some(watchers) = waiting.get_mut(topic) else { return };
        let count = usize::try_from(jobs).unwrap_or(usize::MAX).min(watchers.len());
        for watcher in watchers.iter().take(count).filter_map(Weak::upgrade) {
            watcher.notify_one();
        }
        watchers.rotate_left(count);
    }
}

/// Somebody who waits for jobs, as long as this is kept.
#[derive(Debug)]
pub struct JobWatch {
    woken: Arc<Notify>,
    inner: Weak<Inner>,
}

impl JobWatch {
    /// Waits until it is worth asking for jobs again, at most so long.
    pub async fn woken(&self, patience: Duration) {
        if let Some(inner) = self.inner.upgrade() {
            inner.watchers.begun.notify_one();
        }
        // Whoever stops in the middle has taken nothing.
        let _ = tokio::time::timeout(patience, self.woken.notified()).await;
    }
}

/// A time, or up to an eighth less: what many begin to wait for together does not end together then.
#[must_use]
pub fn staggered(time: Duration) -> Duration {
    time - time / 4096 * fastrand::u32(..512)
}

impl Engine {
    /// Watches for jobs of these topics from now on: first watch, then ask for jobs without patience, and then wait. Unlike asking with
    /// patience this can be given up at any moment, with no job on its way.
    #[must_use]
    pub fn watch_jobs(&self, topics: impl IntoIterator<Item = Name>) -> JobWatch {
        let woken = Arc::new(Notify::new());
        let mut waiting = self.inner.watchers.waiting();
        for topic in topics {
            waiting.entry(topic).or_default().push_back(Arc::downgrade(&woken));
        }
        JobWatch { woken, inner: Arc::downgrade(&self.inner) }
    }
}

/// Looks for jobs that somebody waits for, as long as somebody does.
pub(crate) async fn look(inner: Weak<Inner>) {
    loop {
        let Some(engine) = inner.upgrade() else { return };
        let woken = engine.wake.until_jobs();
        match engine.wake_watchers().await {
            Ok(true) => tokio::select! {
                () = woken => tokio::time::sleep(BREATH).await,
                () = tokio::time::sleep(NAP) => {}
            },
            // Whoever begins to wait has asked by themselves after they began to watch.
            Ok(false) => engine.watchers.begun.notified().await,
            Err(error) => {
                tracing::warn!(%error, "workers wait for the database");
                tokio::time::sleep(NAP).await;
            }
        }
    }
}

impl Inner {
    /// Whether it is worth asking for jobs of these topics. Where others wait already there were none a moment ago: then it is looked once for
    /// all who come, as all do whose patience ended together.
    pub(crate) async fn may_have_jobs(&self, topics: Vec<Name>) -> Result<bool, Error> {
        if !self.watchers.are_several(&topics) {
            return Ok(true);
        }
        self.open_topics.ask(topics, |asked| self.have_jobs(asked)).await
    }

    /// Which of several askers there are jobs for, by the topics that each wants.
    async fn have_jobs(&self, asked: Vec<Vec<Name>>) -> Result<Vec<bool>, Error> {
        let topics: Vec<Name> = asked.iter().flatten().collect::<BTreeSet<_>>().into_iter().cloned().collect();
        let mut open = BTreeSet::new();
        for some in topics.chunks(TOPICS) {
            let available = self.store.available_jobs(some, self.clock.now()).await?;
            open.extend(available.into_iter().filter(|(_, jobs)| *jobs > 0).map(|(topic, _)| topic));
        }
        Ok(asked.iter().map(|topics| topics.iter().any(|topic| open.contains(topic))).collect())
    }

    /// Wakes those who wait for jobs that are there; says whether anybody waits.
    async fn wake_watchers(&self) -> Result<bool, Error> {
        let topics = self.watchers.topics();
        for some in topics.chunks(TOPICS) {
            for (topic, jobs) in self.store.available_jobs(some, self.clock.now()).await? {
                self.watchers.wake(&topic, jobs);
            }
        }
        Ok(!topics.is_empty())
    }
}
