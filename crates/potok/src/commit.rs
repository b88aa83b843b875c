//! Group commit: units of one moment share a transaction.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use potok_core::instance::Key;
use potok_store::{Outcome, Patience, Store, StoreError, Unit};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;

use crate::Error;
use crate::cache::Slot;

/// Units that one transaction takes at most.
const MOST: usize = 512;

/// Transactions under way at a time, where the database takes several.
const LANES: usize = 4;

/// So many units are worth a transaction of their own while another is under way; fewer wait for it and share the next.
const WORTHWHILE: usize = 128;

/// How long a lost database is asked what became of a commit.
const PATIENCE: Duration = Duration::from_secs(60);

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
}

impl Departed {
    fn arrive(self, outcome: Result<Outcome, Error>, ended: &impl Fn(&Slot)) {
        let durable = matches!(outcome, Ok(Outcome::Committed));
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
}

/// The other end of a [`Committer`]'s queue.
pub(crate) struct Queue(mpsc::UnboundedReceiver<Departed>);

impl Committer {
    pub(crate) fn new() -> (Self, Queue) {
        let (queue, receiver) = mpsc::unbounded_channel();
        (Self { queue }, Queue(receiver))
    }

    pub(crate) fn send(&self, unit: Unit, slots: Vec<Touched>) -> Pending {
        let (reply, pending) = oneshot::channel();
        if let Err(error) = unit.check() {
            Departed { unit, slots, reply }.arrive(Err(error.into()), &|_| {});
            return pending;
        }
        if let Err(mpsc::error::SendError(departed)) = self.queue.send(Departed { unit, slots, reply }) {
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
        loop {
            let is_worthwhile = under_way.is_empty() || (under_way.len() < lanes && waiting.len() >= WORTHWHILE);
            let batch = if is_worthwhile { next_batch(&mut waiting, &mut busy) } else { Vec::new() };
            if !batch.is_empty() {
                under_way.spawn(commit_all(batch, store.clone()));
            }
            // Only now, so that the database does not wait until all who are answered have gone on.
            settled.drain(..).for_each(|(departed, outcome)| departed.arrive(outcome, &ended));
            tokio::select! {
                biased;
                Some(done) = under_way.join_next() => {
                    settled = done.unwrap_or_default();
                    for (departed, _) in settled.extract_if(.., |(_, outcome)| matches!(outcome, Ok(Outcome::Busy))) {
                        held_up.spawn(alone(departed, store.clone()));
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
async fn commit_all(mut batch: Vec<Departed>, store: Store) -> Vec<Settled> {
    let units: Vec<Unit> = batch.iter_mut().map(|departed| std::mem::take(&mut departed.unit)).collect();
    let outcomes = match commit(&store, &units, Patience::Try).await {
        Ok(outcomes) => outcomes.into_iter().map(Ok).collect(),
        Err(error) => vec![Err(error); units.len()],
    };
    let settle = |((departed, unit), outcome)| (Departed { unit, ..departed }, outcome);
    batch.into_iter().zip(units).zip(outcomes).map(settle).collect()
}

/// Another node is writing what this unit would: it waits for it, alone.
async fn alone(departed: Departed, store: Store) -> Vec<Settled> {
    let outcomes = commit(&store, std::slice::from_ref(&departed.unit), Patience::Wait).await;
    let outcome = outcomes.map(|mut outcomes| outcomes.pop().unwrap_or(Outcome::Busy));
    vec![(departed, outcome)]
}

/// Commits; if the answer is lost, asks again until it is known.
async fn commit(store: &Store, units: &[Unit], patience: Patience) -> Result<Vec<Outcome>, Error> {
    let mut error = match store.commit(units, patience).await {
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
