//! Group commit: units of one moment share a transaction.

use std::sync::Arc;
use std::time::Duration;

use potok_store::{Outcome, Patience, Store, StoreError, Unit};
use tokio::sync::{mpsc, oneshot};

use crate::Error;
use crate::cache::Slot;

/// Units that one transaction takes at most.
const MOST: usize = 512;

/// How long a lost database is asked what became of a commit.
const PATIENCE: Duration = Duration::from_secs(60);

/// A slot, the generation that the unit was stepped in, and whether its instance ends with it.
pub(crate) type Touched = (Arc<Slot>, u64, bool);

/// A unit that is being committed.
pub(crate) type Pending = oneshot::Receiver<Result<Outcome, Error>>;

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
        if let Err(mpsc::error::SendError(departed)) = self.queue.send(Departed { unit, slots, reply }) {
            departed.arrive(Err(Error::Stopped), &|_| {});
        }
        pending
    }
}

impl Queue {
    /// Commits what comes until the engine is dropped or stopped.
    pub(crate) async fn work_off(mut self, store: Store, ended: impl Fn(&Slot)) {
        let mut batch: Vec<Departed> = Vec::new();
        while self.0.recv_many(&mut batch, MOST).await > 0 {
            let units: Vec<Unit> = batch.iter_mut().map(|departed| std::mem::take(&mut departed.unit)).collect();
            match commit(&store, &units, Patience::Try).await {
                Ok(outcomes) => {
                    for ((departed, unit), outcome) in batch.drain(..).zip(units).zip(outcomes) {
                        // Another node is writing what this one would: it waits for it, alone.
                        let outcome = match outcome {
                            Outcome::Busy => alone(&store, unit).await,
                            outcome => Ok(outcome),
                        };
                        departed.arrive(outcome, &ended);
                    }
                }
                Err(error) => batch.drain(..).for_each(|departed| departed.arrive(Err(error.clone()), &ended)),
            }
        }
    }
}

async fn alone(store: &Store, unit: Unit) -> Result<Outcome, Error> {
    let mut outcomes = commit(store, &[unit], Patience::Wait).await?;
    Ok(outcomes.pop().unwrap_or(Outcome::Busy))
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
