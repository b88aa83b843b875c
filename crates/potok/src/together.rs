//! Questions of one moment, asked as one: where a database is shared, each look at it has its price.

use std::sync::{Mutex, PoisonError};

use tokio::sync::oneshot;

use crate::Error;

/// Questions of many callers. Whoever has its turn asks for all who wait, so that what an answer says is never older than its question.
#[derive(Debug)]
pub(crate) struct Together<Q, A> {
    waiting: Mutex<Vec<Waiting<Q, A>>>,
    turn: tokio::sync::Mutex<()>,
}

type Waiting<Q, A> = (Q, oneshot::Sender<Result<A, Error>>);

impl<Q, A> Default for Together<Q, A> {
    fn default() -> Self {
        Self { waiting: Mutex::default(), turn: tokio::sync::Mutex::default() }
    }
}

impl<Q: Clone, A: Clone> Together<Q, A> {
    /// Asks; `ask` asks for several, and gives the answers in their order.
    pub(crate) async fn ask<F>(&self, question: Q, ask: impl Fn(Vec<Q>) -> F) -> Result<A, Error>
    where
        F: Future<Output = Result<Vec<A>, Error>>,
    {
        loop {
            let (reply, mut answer) = oneshot::channel();
            self.waiting().push((question.clone(), reply));
            let _turn = tokio::select! {
                biased;
                Ok(answer) = &mut answer => return answer,
                turn = self.turn.lock() => turn,
            };
            // Those who are about to ask, as all are that one commit has woken, come along.
            tokio::task::yield_now().await;
            // The one before may have asked for this one, too.
            if let Ok(answer) = answer.try_recv() {
                return answer;
            }
            let (questions, replies): (Vec<Q>, Vec<_>) = std::mem::take(&mut *self.waiting()).into_iter().unzip();
            if questions.is_empty() {
                // One who was asking for this one, too, was cut off.
                continue;
            }
            match ask(questions).await {
                Ok(answers) => {
                    replies.into_iter().zip(answers).for_each(|(reply, answer)| drop(reply.send(Ok(answer))))
                }
                Err(error) => replies.into_iter().for_each(|reply| drop(reply.send(Err(error.clone())))),
            }
            // Nothing only if one who asked for this one, too, was cut off.
            if let Ok(answer) = answer.try_recv() {
                return answer;
            }
        }
    }

    fn waiting(&self) -> std::sync::MutexGuard<'_, Vec<Waiting<Q, A>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
