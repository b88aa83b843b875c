//! What an engine does by itself: commits, timers, follow-up work, jobs with handlers, leases.

use std::sync::{Arc, PoisonError, Weak};
use std::time::{Duration, Instant};

use potok_core::step::Command;
use potok_core::time::Timestamp;
use potok_store::row::Timer;

use crate::builder::NODE_LEASE;
use crate::cache::Slot;
use crate::commit::Queue;
use crate::engine::{Background, Engine, Inner};
use crate::envelope::Envelope;
use crate::{Action, Error, TimerId, courier, neighbours, watch};

/// How long a node has a due timer or piece of work to itself.
pub(crate) const LEASE: Duration = Duration::from_secs(30);

/// Timers and pieces of work that are taken at once.
const AT_ONCE: usize = 256;

/// How long it sleeps at most: another node may have left something that is due.
pub(crate) const NAP: Duration = Duration::from_millis(500);

/// How long history that was kept long enough may stay on top of that.
const CLEAN_UP: Duration = Duration::from_secs(300);

/// How long it waits after the database could not be reached.
const AFTER_TROUBLE: Duration = Duration::from_secs(1);

pub(crate) fn start(running: &Background, inner: &Arc<Inner>, queue: Queue, executes: bool) {
    commit(running, inner, queue);
    let mut tasks = running.tasks.lock().unwrap_or_else(PoisonError::into_inner);
    tasks.spawn(keep_house(Arc::downgrade(inner)));
    tasks.spawn(watch::look(Arc::downgrade(inner)));
    tasks.spawn(catch_up(Arc::downgrade(inner)));
    if inner.store.is_shared() {
        tasks.spawn(neighbours::hear(Arc::downgrade(inner)));
        tasks.spawn(neighbours::tell(Arc::downgrade(inner), executes));
    }
    if executes {
        tasks.spawn(execute(Arc::downgrade(inner)));
        tasks.spawn(work_on_batches(Arc::downgrade(inner)));
        tasks.spawn(courier::tell_all(Arc::downgrade(inner)));
        inner.handlers.start(&mut tasks, inner);
    }
}

/// Commits what comes.
pub(crate) fn commit(running: &Background, inner: &Arc<Inner>, queue: Queue) {
    let weak = Arc::downgrade(inner);
    let ended = move |slot: &Slot| {
        if let Some(inner) = weak.upgrade() {
            inner.cache.forget(slot.key);
            inner.wake.ended();
        }
    };
    let mut tasks = running.tasks.lock().unwrap_or_else(PoisonError::into_inner);
    tasks.spawn(queue.work_off(inner.store.clone(), ended));
}

/// Renews the node's lease, sweeps up what has expired, and looks for what other nodes have deployed.
async fn keep_house(inner: Weak<Inner>) {
    let mut cleaned = Instant::now();
    loop {
        tokio::time::sleep(NODE_LEASE / 3).await;
        let Some(inner) = inner.upgrade() else { return };
        let house = async {
            inner.renew(NODE_LEASE).await?;
            inner.look_for_neighbours().await?;
            inner.catalog.discover().await?;
            inner.catalog.learn().await?;
            if inner.store.bury().await? > 0 {
                inner.look_again();
                inner.wake.all();
            }
            inner.sweep().await?;
            // A full bite leaves more for the next time.
            if cleaned.elapsed() >= CLEAN_UP && inner.clean_up().await? == 0 {
                cleaned = Instant::now();
            }
            Ok::<_, Error>(())
        };
        if let Err(error) = house.await {
            tracing::warn!(%error, "housekeeping is tried again");
        }
    }
}

/// Writes what a version before did not, a bite at a time, so that others come in between.
async fn catch_up(inner: Weak<Inner>) {
    loop {
        let Some(inner) = inner.upgrade() else { return };
        match inner.catch_up_on_task_variables().await {
            Ok(true) => return,
            Ok(false) => {}
            Err(error) => {
                tracing::warn!(%error, "rows that a version before did not write wait for the database");
                drop(inner);
                tokio::time::sleep(AFTER_TROUBLE).await;
            }
        }
    }
}

/// Fires timers and does follow-up work when they are due.
async fn execute(inner: Weak<Inner>) {
    loop {
        let Some(inner) = inner.upgrade() else { return };
        let woken = inner.wake.until_due();
        let nap = match inner.execute_due().await {
            Ok(0) => match inner.until_next().await {
                Ok(nap) => nap,
                Err(_) => AFTER_TROUBLE,
            },
            Ok(_) => continue,
            Err(error) => {
                tracing::warn!(%error, "timers and follow-up work wait for the database");
                AFTER_TROUBLE
            }
        };
        tokio::select! {
            () = woken => {}
            () = inner.clock.moved.notified() => {}
            () = tokio::time::sleep(nap) => {}
        }
    }
}

/// Works on batches as long as there is something to do.
async fn work_on_batches(inner: Weak<Inner>) {
    loop {
        let Some(inner) = inner.upgrade() else { return };
        let nap = match inner.execute_batches().await {
            Ok(0) => NAP,
            Ok(_) => continue,
            Err(error) => {
                tracing::warn!(%error, "batches wait for the database");
                AFTER_TROUBLE
            }
        };
        tokio::select! {
            () = inner.batches.notified() => {}
            () = tokio::time::sleep(nap) => {}
        }
    }
}

impl Inner {
    /// How long until the next timer is due, at most a nap.
    async fn until_next(&self) -> Result<Duration, Error> {
        let Some(due) = self.store.next_due().await? else { return Ok(NAP) };
        let wait = Duration::try_from(due.duration_since(self.clock.now())).unwrap_or_default();
        // A clock that is set by hand does not bring it any nearer.
        Ok(if self.clock.is_set_by_hand() { NAP } else { wait.clamp(Duration::from_millis(1), NAP) })
    }

    /// Does once what is due: timers and follow-up work; says how much there was.
    pub(crate) async fn execute_due(&self) -> Result<usize, Error> {
        let now = self.clock.now();
        let work = self.store.take_work(now, AT_ONCE, LEASE).await?;
        for chore in &work {
            match self.do_chore(chore).await {
                Ok(after) => self.afterwards(after).await,
                Err(error) => tracing::warn!(%error, work = %chore.key, "follow-up work is tried again"),
            }
        }
        let timers = self.store.take_timers(now, AT_ONCE, LEASE).await?;
        for timer in &timers {
            if let Err(error) = self.fire(timer, now).await {
                tracing::warn!(%error, timer = %TimerId(timer.key), "a timer is tried again");
            }
        }
        self.deliver_all_again().await?;
        Ok(work.len() + timers.len())
    }

    /// Fires a timer that is due; one that is gone by now, or due later, has been fired by another.
    async fn fire(&self, timer: &Timer, now: Timestamp) -> Result<(), Error> {
        use potok_core::instance::WaitKind;
        use potok_core::routing::World as _;
        self.transact(Envelope::default(), |attempt, work| {
            let Some(running) = attempt.instance(timer.instance)? else { return Ok(Ok(())) };
            let is_due = running.instance.wait(timer.key).is_some_and(|wait| {
                matches!(wait.kind, WaitKind::Timer(_)) && wait.kind.goes_on(now).is_some_and(|due| due <= now)
            });
            if is_due && attempt.loaded(timer.instance).is_some_and(|loaded| !loaded.suspended) {
                match attempt.step(timer.instance, Command::FireTimer { timer: timer.key }) {
                    Ok(requests) => work.ask(timer.instance, requests),
                    Err(rejection) => return Ok(Err(rejection.into())),
                }
            }
            Ok(Ok(()))
        })
        .await
    }
}

impl Engine {
    /// Executes by hand what is due now: timers, savepoints, signals on their way, batches, jobs with handlers, and what webhooks are to be
    /// told, until nothing is left.
    /// Says how much there was.
    ///
    /// # Errors
    /// If the database cannot be reached.
    pub async fn execute_due(&self) -> Result<usize, Error> {
        self.access(Action::LookAfter, &"execute").await?;
        let mut all = 0;
        loop {
            let done = self.inner.execute_due().await?
                + self.inner.execute_batches().await?
                // Of what an HTTP client is made of is much: not all who call this should carry it.
                + Box::pin(self.inner.tell_due()).await?
                + self.inner.handlers.execute_due(&self.inner).await?;
            if done == 0 {
                return Ok(all);
            }
            all += done;
        }
    }
}
