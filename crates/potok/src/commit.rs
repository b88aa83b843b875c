//! Group commit: units of one moment share a transaction.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use potok_core::instance::Key;
use potok_store::{Outcome, Patience, Store, StoreError, Unit};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;

use crate::cache::Slot;
use crate::engine::Engine;
use crate::{Action, Error};

/// Units that one transaction takes at most.
const MOST: usize = 512;

/// Transactions under way at a time, where the database takes several.
const LANES: usize = 4;

/// So many units are worth a transaction of their own while another is under way; fewer wait for it and share the next.
const WORTHWHILE: usize = 128;

/// How long a transaction waits at most, after the last one, for those who were just answered and may come again; only where nodes may
/// share the database. One for all costs that less than one for each half of them.
const LINGER: Duration = Duration::from_millis(1);

/// How long a lost database is asked what became of a commit.
const PATIENCE: Duration = Duration::from_secs(60);

/// What has come of the units of work of this engine since it was started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Commits {
    /// Units of work that became durable.
    pub durable: u64,
    /// Tries that came to nothing because somebody else was faster: most are tried again.
    pub lost: u64,
    /// Units of work that wait for the database.
    pub waiting: u64,
    /// Transactions that were tried.
    pub transactions: u64,
    /// Those that the database could not do, or of which it was not known at first whether it had.
    pub failed: u64,
    /// How long the transactions took, all together.
    pub taken: Duration,
}

/// The same, as it is counted.
#[derive(Debug, Default)]
struct Counts {
    sent: AtomicU64,
    durable: AtomicU64,
    settled: AtomicU64,
    transactions: AtomicU64,
    failed: AtomicU64,
    nanoseconds: AtomicU64,
}

impl Counts {
    fn transaction(&self, begun: Instant, has_failed: bool) {
        self.transactions.fetch_add(1, Ordering::Relaxed);
        self.failed.fetch_add(has_failed.into(), Ordering::Relaxed);
        let taken = u64::try_from(begun.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.nanoseconds.fetch_add(taken, Ordering::Relaxed);
    }

    fn settled(&self, is_durable: bool) {
        self.durable.fetch_add(is_durable.into(), Ordering::Relaxed);
        self.settled.fetch_add(1, Ordering::Relaxed);
    }

    fn so_far(&self) -> Commits {
        // What has been settled was sent before: so none waits less than not at all.
        let (durable, settled) = (self.durable.load(Ordering::Relaxed), self.settled.load(Ordering::Relaxed));
        Commits {
            durable,
            lost: settled.saturating_sub(durable),
            waiting: self.sent.load(Ordering::Relaxed).saturating_sub(settled),
            transactions: self.transactions.load(Ordering::Relaxed),
            failed: self.failed.load(Ordering::Relaxed),
            taken: Duration::from_nanos(self.nanoseconds.load(Ordering::Relaxed)),
        }
    }
}

impl Engine {
    /// What has come of the units of work of this engine since it was started; other nodes have counts of their own. Nothing for who keeps to
    /// some tenants: they are all tenants' units.
    ///
    /// # Errors
    /// If that is forbidden, or the database cannot be read.
    pub async fn commits(&self) -> Result<Option<Commits>, Error> {
        let access = self.access(Action::SeeAll, &"").await?;
        Ok(access.tenants().is_none().then(|| self.inner.committer.counts.so_far()))
    }
}

/// A slot, the generation that the unit was stepped in, and whether its instance ends with it.
pub(crate) type Touched = (Arc<Slot>, u64, bool);

/// A unit that is being committed.
pub(crate) type Pending = oneshot::Receiver<Result<Outcome, Error>>;

/// A unit that has been committed or not.
type Settled = (Departed, Result<Outcome, Error>);

struct Departed {
    unit: Unit,
    slots: Vec<Touched>,
    reply: oneshot::Sender<Result<Outcome, Error>>,
    counts: Arc<Counts>,
}

impl Departed {
    fn arrive(self, outcome: Result<Outcome, Error>, ended: &impl Fn(&Slot)) {
        let durable = matches!(outcome, Ok(Outcome::Committed));
        self.counts.settled(durable);
        for (slot, generation, has_ended) in &self.slots {
            slot.arrive(*generation, durable);
            if *has_ended && durable {
                ended(slot);
            }
        }
        // Whoever no longer waits for the answer has gone.
        let _ = self.reply.send(outcome);
    }
}

/// Takes units and commits them, in the order in which they come.
#[derive(Debug)]
pub(crate) struct Committer {
    queue: mpsc::UnboundedSender<Departed>,
    counts: Arc<Counts>,
}

/// The other end of a [`Committer`]'s queue.
pub(crate) struct Queue(mpsc::UnboundedReceiver<Departed>, Arc<Counts>);

impl Committer {
    pub(crate) fn new() -> (Self, Queue) {
        let (queue, receiver) = mpsc::unbounded_channel();
        let counts = Arc::<Counts>::default();
        (Self { queue, counts: counts.clone() }, Queue(receiver, counts))
    }

    pub(crate) fn send(&self, unit: Unit, slots: Vec<Touched>) -> Pending {
        let (reply, pending) = oneshot::channel();
        let counts = self.counts.clone();
        counts.sent.fetch_add(1, Ordering::Relaxed);
        if let Err(error) = unit.check() {
            Departed { unit, slots, reply, counts }.arrive(Err(error.into()), &|_| {});
            return pending;
        }
        if let Err(mpsc::error::SendError(departed)) = self.queue.send(Departed { unit, slots, reply, counts }) {
            departed.arrive(Err(Error::Stopped), &|_| {});
        }
        pending
    }
}

impl Queue {
    /// Commits what comes until the engine is dropped or stopped. Where others write to the database, too, several
    /// transactions are under way at a time, each with instances of its own: what was stepped on a unit follows it.
    pub(crate) async fn work_off<E>(mut self, store: Store, ended: E)
    where
        E: Fn(&Slot) + Clone + Send + Sync + 'static,
    {
        let lanes = if store.is_shared() { LANES } else { 1 };
        let mut waiting: Vec<Departed> = Vec::new();
        let mut under_way: JoinSet<Vec<Settled>> = JoinSet::new();
        // Those that another node holds up.
        let mut held_up: JoinSet<Vec<Settled>> = JoinSet::new();
        let mut busy: HashSet<Key> = HashSet::new();
        let mut settled: Vec<Settled> = Vec::new();
        // So many may be there soon, counted from then.
        let (mut expected, mut since) = (0, tokio::time::Instant::now());
        loop {
            let is_soon = tokio::time::Instant::now() < since + LINGER;
            if is_soon && under_way.is_empty() && held_up.is_empty() && (1..expected).contains(&waiting.len()) {
                settled.drain(..).for_each(|(departed, outcome)| departed.arrive(outcome, &ended));
                let all = async { while waiting.len() < expected && self.0.recv_many(&mut waiting, MOST).await > 0 {} };
                // Who does not come goes with the next.
                let _ = tokio::time::timeout_at(since + LINGER, all).await;
            }
            let is_worthwhile = under_way.is_empty() || (under_way.len() < lanes && waiting.len() >= WORTHWHILE);
            let batch = if is_worthwhile { next_batch(&mut waiting, &mut busy) } else { Vec::new() };
            if !batch.is_empty() {
                under_way.spawn(commit_all(batch, store.clone(), self.1.clone()));
            }
            // Only now, so that the database does not wait until all who are answered have gone on.
            settled.drain(..).for_each(|(departed, outcome)| departed.arrive(outcome, &ended));
            tokio::select! {
                biased;
                Some(done) = under_way.join_next() => {
                    settled = done.unwrap_or_default();
                    for (departed, _) in settled.extract_if(.., |(_, outcome)| matches!(outcome, Ok(Outcome::Busy))) {
                        held_up.spawn(alone(departed, store.clone(), self.1.clone()));
                    }
                }
                Some(done) = held_up.join_next() => settled = done.unwrap_or_default(),
                count = self.0.recv_many(&mut waiting, MOST) => {
                    if count == 0 {
                        break;
                    }
                    continue;
                }
            }
            for (slot, ..) in settled.iter().flat_map(|(departed, _)| &departed.slots) {
                busy.remove(&slot.key);
            }
            // What has come meanwhile goes along.
            while waiting.len() < MOST
                && let Ok(departed) = self.0.try_recv()
            {
                waiting.push(departed);
            }
            if lanes > 1 {
                (expected, since) = ((settled.len() + waiting.len()).min(WORTHWHILE), tokio::time::Instant::now());
            }
        }
        for mut rest in [under_way, held_up] {
            while let Some(done) = rest.join_next().await {
                done.unwrap_or_default().into_iter().for_each(|(departed, outcome)| departed.arrive(outcome, &ended));
            }
        }
    }
}

/// Those that wait and touch no instance of a transaction under way, nor of one before them that has to wait.
fn next_batch(waiting: &mut Vec<Departed>, busy: &mut HashSet<Key>) -> Vec<Departed> {
    let mut batch = Vec::new();
    let mut own: HashSet<Key> = HashSet::new();
    let mut held_up: HashSet<Key> = HashSet::new();
    let mut rest = Vec::new();
    for departed in waiting.drain(..) {
        let is_held_up = batch.len() >= MOST
            || departed.slots.iter().any(|(slot, ..)| busy.contains(&slot.key) || held_up.contains(&slot.key));
        let keys = departed.slots.iter().map(|(slot, ..)| slot.key);
        if is_held_up {
            held_up.extend(keys);
            rest.push(departed);
        } else {
            own.extend(keys);
            batch.push(departed);
        }
    }
    *waiting = rest;
    busy.extend(own);
    batch
}

/// Commits a batch; says what became of each.
async fn commit_all(mut batch: Vec<Departed>, store: Store, counts: Arc<Counts>) -> Vec<Settled> {
    let units: Vec<Unit> = batch.iter_mut().map(|departed| std::mem::take(&mut departed.unit)).collect();
    let outcomes = match commit(&store, &units, Patience::Try, &counts).await {
        Ok(outcomes) => outcomes.into_iter().map(Ok).collect(),
        Err(error) => vec![Err(error); units.len()],
    };
    let settle = |((departed, unit), outcome)| (Departed { unit, ..departed }, outcome);
    batch.into_iter().zip(units).zip(outcomes).map(settle).collect()
}

/// Another node is writing what this unit would: it waits for it, alone.
async fn alone(departed: Departed, store: Store, counts: Arc<Counts>) -> Vec<Settled> {
    let outcomes = commit(&store, std::slice::from_ref(&departed.unit), Patience::Wait, &counts).await;
    let outcome = outcomes.map(|mut outcomes| outcomes.pop().unwrap_or(Outcome::Busy));
    vec![(departed, outcome)]
}

/// Commits; if the answer is lost, asks again until it is known.
async fn commit(store: &Store, units: &[Unit], patience: Patience, counts: &Counts) -> Result<Vec<Outcome>, Error> {
    let begun = Instant::now();
    let committed = store.commit(units, patience).await;
    counts.transaction(begun, committed.is_err());
    let mut error = match committed {
        Ok(outcomes) => return Ok(outcomes),
        Err(error) => error,
    };
    if !matches!(error, StoreError::OutcomeUnknown(_)) {
        return Err(error.into());
    }
    let (mut pause, mut waited) = (Duration::from_millis(10), Duration::ZERO);
    while waited < PATIENCE {
        tracing::warn!(%error, "asking again what became of a commit");
        match store.commit(units, Patience::Wait).await {
            Ok(outcomes) => return Ok(outcomes),
            // Still unknown, whatever this one error says.
            Err(again) => error = again,
        }
        tokio::time::sleep(pause).await;
        waited += pause;
        pause = (pause * 2).min(Duration::from_secs(2));
    }
    Err(Error::OutcomeUnknown)
}

#[cfg(test)]
mod tests {
    use potok_store::row::LogRow;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn nobody_is_waited_for_who_was_answered_long_ago() {
        let (committer, queue) = Committer::new();
        tokio::spawn(queue.work_off(Store::memory(), |_| {}));
        let send = |number: u64| {
            let row = LogRow { instance: Key(number), seq: 1, ..LogRow::default() };
            committer.send(Unit { id: number, log: vec![row], ..Unit::default() }, Vec::new())
        };
        // How long it takes, where nothing but waiting takes time.
        let taken = async |number: u64| {
            let begun = tokio::time::Instant::now();
            assert_eq!(send(number).await.unwrap().unwrap(), Outcome::Committed);
            begun.elapsed()
        };
        let both = [send(1), send(2)];
        for pending in both {
            assert_eq!(pending.await.unwrap().unwrap(), Outcome::Committed);
        }
        assert!(taken(3).await >= LINGER, "the other one may come again");
        let both = [send(4), send(5)];
        for pending in both {
            assert_eq!(pending.await.unwrap().unwrap(), Outcome::Committed);
        }
        tokio::time::advance(LINGER * 2).await;
        assert_eq!(taken(6).await, Duration::ZERO, "the other one would have come by now");
    }
}
