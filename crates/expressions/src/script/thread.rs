//! Threads for scripts. The engine for JavaScript looks at the clock only where a script turns round or calls, not inside what is
//! built in; a thread that is not waited for any more is the one sure way to hold a script to its time.

use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use potok_core::expressions::EvaluationError;

/// What a script came to, as JSON.
pub(super) type Answer = Result<serde_json::Value, EvaluationError>;
type Work = Box<dyn FnOnce() -> Answer + Send>;

/// How many threads wait for the next script; where more are needed at once, they are made and end again.
const MOST_IDLE: usize = 8;

/// Threads that run one script after the other, and those that were let go because a script did not end in time.
#[derive(Debug)]
pub(super) struct Threads {
    /// How many that were let go may still be running before no more scripts are begun.
    most_let_go: usize,
    known: Mutex<Known>,
}

#[derive(Debug)]
struct Known {
    idle: Vec<Worker>,
    let_go: Vec<JoinHandle<()>>,
}

/// A thread and the two ends by which it is spoken to. It ends by itself once they are gone.
#[derive(Debug)]
struct Worker {
    work: Sender<Work>,
    answers: Receiver<Answer>,
    thread: JoinHandle<()>,
}

impl Threads {
    pub(super) const fn new(most_let_go: usize) -> Self {
        Self { most_let_go, known: Mutex::new(Known { idle: Vec::new(), let_go: Vec::new() }) }
    }

    /// Does the work on a thread and waits for its answer, but not longer than that: then the thread is let go.
    pub(super) fn run(&self, patience: Duration, work: impl FnOnce() -> Answer + Send + 'static) -> Answer {
        let worker = self.take()?;
        let broken = || EvaluationError::Failed("the script has brought its engine down; please report it".into());
        worker.work.send(Box::new(work)).map_err(|_| broken())?;
        match worker.answers.recv_timeout(patience) {
            Ok(answer) => {
                self.keep(worker);
                answer
            }
            Err(RecvTimeoutError::Timeout) => {
                self.known().let_go.push(worker.thread);
                Err(too_long())
            }
            Err(RecvTimeoutError::Disconnected) => Err(broken()),
        }
    }

    fn take(&self) -> Result<Worker, EvaluationError> {
        let mut known = self.known();
        known.let_go.retain(|thread| !thread.is_finished());
        if known.let_go.len() >= self.most_let_go {
            return Err(EvaluationError::Limit(format!(
                "the script is not begun: {} others that ran longer than a second cannot be ended and are still \
                 running; try again once they have ended, or restart the program",
                known.let_go.len()
            )));
        }
        if let Some(worker) = known.idle.pop() {
            return Ok(worker);
        }
        drop(known);
        Worker::start()
            .map_err(|error| EvaluationError::Failed(format!("no thread can be had for the script: {error}")))
    }

    fn keep(&self, worker: Worker) {
        let mut known = self.known();
        if known.idle.len() < MOST_IDLE {
            known.idle.push(worker);
        }
    }

    /// No panic leaves what is known half changed.
    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Worker {
    fn start() -> std::io::Result<Self> {
        let (work, to_do) = mpsc::channel::<Work>();
        let (done, answers) = mpsc::channel();
        let thread = Builder::new().name("script".into()).spawn(move || {
            for work in to_do {
                if done.send(work()).is_err() {
                    break;
                }
            }
        })?;
        Ok(Self { work, answers, thread })
    }
}

/// What is said of a script that is cut off, wherever that happens.
pub(super) fn too_long() -> EvaluationError {
    EvaluationError::Limit("the script runs longer than a second; make it shorter".into())
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;
    use std::time::Instant;

    use super::*;

    const MOMENT: Duration = Duration::from_millis(20);
    const LONG: Duration = Duration::from_secs(60);
    const FEW: usize = 4;

    fn name() -> Answer {
        Ok(format!("{:?}", std::thread::current().id()).into())
    }

    #[test]
    fn one_thread_runs_one_script_after_the_other() {
        let threads = Threads::new(FEW);
        let first = threads.run(LONG, name);
        assert!(first.is_ok());
        assert_ne!(first, name());
        assert_eq!(threads.run(LONG, name), first);
    }

    #[test]
    fn who_does_not_answer_is_let_go_and_four_of_them_are_the_most() {
        let threads = Threads::new(FEW);
        let mut ends = Vec::new();
        for _ in 0..FEW {
            let (end, ended) = mpsc::channel::<()>();
            ends.push(end);
            let start = Instant::now();
            let answer = threads.run(MOMENT, move || {
                let _ = ended.recv();
                name()
            });
            assert_eq!(answer, Err(too_long()));
            assert!(start.elapsed() < LONG);
        }
        let refused = threads.run(LONG, name).expect_err("no fifth").to_string();
        assert!(refused.contains("not begun: 4 others"), "{refused}");
        ends.pop();
        let start = Instant::now();
        while threads.run(LONG, name).is_err() {
            assert!(start.elapsed() < LONG, "a thread that has ended makes room");
            std::thread::yield_now();
        }
    }

    #[test]
    fn a_panic_is_an_error_and_no_thread_that_is_used_again() {
        let threads = Threads::new(FEW);
        let error = threads.run(LONG, || panic!("as the test wants")).expect_err("no answer").to_string();
        assert!(error.contains("brought its engine down"), "{error}");
        assert!(threads.run(LONG, name).is_ok());
    }

    #[test]
    fn as_many_run_at_once_as_are_asked_for_and_few_are_kept() {
        let threads = Threads::new(FEW);
        let all = std::sync::Arc::new(Barrier::new(MOST_IDLE + 5));
        std::thread::scope(|scope| {
            for _ in 0..MOST_IDLE + 5 {
                scope.spawn(|| {
                    let all = all.clone();
                    let answer = threads.run(LONG, move || {
                        all.wait();
                        name()
                    });
                    assert!(answer.is_ok());
                });
            }
        });
        assert_eq!(threads.known().idle.len(), MOST_IDLE);
    }

    #[test]
    fn what_is_dropped_waits_for_nobody() {
        let threads = Threads::new(FEW);
        let (end, ended) = mpsc::channel::<()>();
        let answer = threads.run(MOMENT, move || {
            let _ = ended.recv();
            name()
        });
        assert_eq!(answer, Err(too_long()));
        drop(threads);
        drop(end);
    }
}
