//! Handlers: functions of the program that do the jobs of a topic.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::time::Duration;

use potok_core::Name;
use potok_core::step::Variables;
use potok_store::{First, Wanted};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;

use crate::engine::Inner;
use crate::envelope::Envelope;
use crate::job::{Job, JobFailure};
use crate::{Error, IntoVariables, Transaction};

/// How long a handler's loop sleeps at most: another node may have opened a job.
const NAP: Duration = Duration::from_millis(500);

/// How often what a handler gave is offered to a database that cannot be reached; after that the job's lease runs out, and it is
/// done again.
const OFFERS: u32 = 5;

/// Handlers that may run at a time in all.
const ALL: u32 = 1_000_000;

/// Transactions that handlers work in at a time: each has a connection to itself, of which there are few.
const TRANSACTIONS: usize = 6;

/// Why a handler did not complete its job.
#[derive(Clone, Debug)]
pub enum JobError {
    /// It failed: it is tried again, and without tries left becomes an incident.
    Failed(JobFailure),
    /// A BPMN error that the process catches.
    BpmnError {
        /// Its code.
        code: Name,
        /// What went wrong, for people.
        message: Option<Name>,
        /// What comes with it.
        variables: Variables,
    },
    /// A BPMN escalation. Unless an interrupting event catches it, the job stays and is done again.
    Escalation {
        /// Its code.
        code: Name,
        /// What comes with it.
        variables: Variables,
    },
}

impl JobError {
    /// It failed, and is tried again as its model says.
    #[must_use]
    pub fn failed(message: impl fmt::Display) -> Self {
        Self::Failed(JobFailure { message: message.to_string().into(), ..JobFailure::default() })
    }

    /// A BPMN error.
    #[must_use]
    pub fn bpmn(code: impl Into<Name>) -> Self {
        Self::BpmnError { code: code.into(), message: None, variables: Variables::new() }
    }
}

impl<E: std::error::Error> From<E> for JobError {
    fn from(error: E) -> Self {
        Self::failed(error)
    }
}

/// What a handler may return: variables in any form, or a result with them.
pub trait IntoResult: Send {
    /// The variables that complete the job, or why it is not completed.
    ///
    /// # Errors
    /// If the handler failed, or what it gave are no variables.
    fn into_result(self) -> Result<Variables, JobError>;
}

impl<V: IntoVariables + Send, E: Into<JobError> + Send> IntoResult for Result<V, E> {
    fn into_result(self) -> Result<Variables, JobError> {
        self.map_err(Into::into)?.into_variables().map_err(JobError::failed)
    }
}

impl IntoResult for () {
    fn into_result(self) -> Result<Variables, JobError> {
        Ok(Variables::new())
    }
}

/// A handler at work.
type Running = Pin<Box<dyn Future<Output = Result<Variables, JobError>> + Send>>;

/// A handler, by where it does its work.
enum Handler {
    /// By itself: its job is completed after that.
    Apart(Box<dyn Fn(Job) -> Running + Send + Sync>),
    /// In the transaction in which its job is completed.
    InTransaction(Box<dyn Fn(Job, Arc<Transaction>) -> Running + Send + Sync>),
}

impl Handler {
    /// How many of its jobs may run at a time: a database with one writer has one such transaction at a time.
    fn concurrency(&self, inner: &Inner) -> usize {
        match self {
            Self::InTransaction(_) if !inner.store.is_shared() => 1,
            _ => inner.handlers.concurrency,
        }
    }
}

/// The handlers of an engine.
pub(crate) struct Handlers {
    handlers: BTreeMap<Name, Arc<Handler>>,
    pub(crate) concurrency: usize,
    pub(crate) lease: Duration,
    /// For those that work in a transaction.
    transactions: Semaphore,
    /// Closed when the engine stops.
    permits: Arc<Semaphore>,
}

impl Default for Handlers {
    fn default() -> Self {
        Self {
            handlers: BTreeMap::new(),
            concurrency: 16,
            lease: Duration::from_secs(300),
            transactions: Semaphore::new(TRANSACTIONS),
            permits: Arc::new(Semaphore::new(ALL as usize)),
        }
    }
}

impl fmt::Debug for Handlers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.handlers.keys()).finish()
    }
}

impl Handlers {
    pub(crate) fn add<F, R>(&mut self, topic: Name, handler: F)
    where
        F: Fn(Job) -> R + Send + Sync + 'static,
        R: Future + Send + 'static,
        R::Output: IntoResult,
    {
        let run = move |job| -> Running {
            let running = handler(job);
            Box::pin(async move { running.await.into_result() })
        };
        self.handlers.insert(topic, Arc::new(Handler::Apart(Box::new(run))));
    }

    pub(crate) fn add_in_transaction<F, R>(&mut self, topic: Name, handler: F)
    where
        F: Fn(Job, Arc<Transaction>) -> R + Send + Sync + 'static,
        R: Future + Send + 'static,
        R::Output: IntoResult,
    {
        let run = move |job, transaction| -> Running {
            let running = handler(job, transaction);
            Box::pin(async move { running.await.into_result() })
        };
        self.handlers.insert(topic, Arc::new(Handler::InTransaction(Box::new(run))));
    }

    /// One loop for each topic.
    pub(crate) fn start(&self, tasks: &mut JoinSet<()>, inner: &Arc<Inner>) {
        for (topic, handler) in &self.handlers {
            let concurrency = handler.concurrency(inner);
            tasks.spawn(work(Arc::downgrade(inner), topic.clone(), handler.clone(), concurrency));
        }
    }

    /// Waits until the handlers that run have come to their end, and begins no more.
    pub(crate) async fn stop(&self) {
        // All are free once nothing runs.
        let all = self.permits.clone().acquire_many_owned(ALL).await;
        self.permits.close();
        drop(all);
    }

    /// Does the jobs that are available now, one after the other; says how many.
    pub(crate) async fn execute_due(&self, inner: &Arc<Inner>) -> Result<usize, Error> {
        let mut done = 0;
        for (topic, handler) in &self.handlers {
            let wanted = vec![Wanted::topic(topic.clone(), self.lease)];
            for job in inner.fetch(&inner.worker(), wanted, First::Urgent, self.concurrency, None).await? {
                done += 1;
                run(inner, handler, job).await;
            }
        }
        Ok(done)
    }
}

async fn work(inner: Weak<Inner>, topic: Name, handler: Arc<Handler>, concurrency: usize) {
    let slots = Arc::new(Semaphore::new(concurrency));
    loop {
        let Ok(slot) = slots.clone().acquire_owned().await else { return };
        let Some(engine) = inner.upgrade() else { return };
        let woken = engine.wake.until_jobs();
        let free = slots.available_permits() + 1;
        let wanted = vec![Wanted::topic(topic.clone(), engine.handlers.lease)];
        let jobs = match engine.fetch(&engine.worker(), wanted, First::Urgent, free, None).await {
            Ok(jobs) => jobs,
            Err(error) => {
                tracing::warn!(%error, %topic, "jobs wait for the database");
                Vec::new()
            }
        };
        if jobs.is_empty() {
            drop(slot);
            tokio::select! {
                () = woken => {}
                () = engine.clock.moved.notified() => {}
                () = tokio::time::sleep(NAP) => {}
            }
            continue;
        }
        let mut slot = Some(slot);
        for job in jobs {
            let slot: Option<OwnedSemaphorePermit> = match slot.take() {
                Some(slot) => Some(slot),
                None => slots.clone().acquire_owned().await.ok(),
            };
            let Ok(running) = engine.handlers.permits.clone().try_acquire_owned() else { return };
            let (handler, engine) = (handler.clone(), engine.clone());
            tokio::spawn(async move {
                run(&engine, &handler, job).await;
                drop((slot, running));
            });
        }
    }
}

/// Runs a handler, and tells the engine what came of it.
async fn run(inner: &Arc<Inner>, handler: &Handler, job: Job) {
    match handler {
        Handler::Apart(run) => {
            let result = caught(run(job.clone())).await;
            finish(inner, &job, result).await;
        }
        Handler::InTransaction(run) => {
            let failed = match run_in_transaction(inner, run, &job).await {
                Ok(None) => return,
                Ok(Some(failed)) => failed,
                Err(error) => {
                    tracing::warn!(%error, job = %job.id(), "a job is done again");
                    tokio::time::sleep(NAP).await;
                    // If that cannot be done either, the lease runs out. What has been completed after all is nobody's.
                    let _ = inner.store.release_job(job.instance, job.key, job.lease).await;
                    return;
                }
            };
            finish(inner, &job, Err(failed)).await;
        }
    }
}

/// Runs a handler in a transaction, which is durable together with what comes of the job. If it has failed, all of it is undone, and how it
/// has failed remains to be told. What is no fault of the handler's is an error.
async fn run_in_transaction(
    inner: &Arc<Inner>,
    run: &(dyn Fn(Job, Arc<Transaction>) -> Running + Send + Sync),
    job: &Job,
) -> Result<Option<JobError>, Error> {
    let turn = inner.handlers.transactions.acquire().await;
    // Compiled outside, it is there for all jobs to come. What is wrong with it the transaction finds out.
    let _ = inner.catalog.get(job.definition).await;
    let transaction = Arc::new(Transaction::begin(inner).await?);
    let result = match caught(run(job.clone(), transaction.clone())).await {
        Err(failed @ JobError::Failed(_)) => return Ok(Some(failed)),
        result => result,
    };
    let Some(transaction) = Arc::into_inner(transaction) else {
        return Ok(Some(JobError::failed(
            "the handler has kept its transaction: let go of it before the handler ends",
        )));
    };
    let told = tell(&transaction.engine().inner, job, &result).await;
    let committed = match told {
        Ok(()) => transaction.commit().await,
        Err(error) => Err(error),
    };
    drop(turn);
    match committed {
        Ok(()) => Ok(None),
        Err(error @ (Error::OutcomeUnknown | Error::Contended(_))) => Err(error),
        Err(error) => Ok(Some(JobError::failed(error))),
    }
}

/// What a handler gives. One that panics has failed.
async fn caught(running: Running) -> Result<Variables, JobError> {
    tokio::spawn(running).await.unwrap_or_else(|error| {
        let message = match error.try_into_panic() {
            Ok(panic) => panic
                .downcast_ref::<&str>()
                .map(|text| (*text).to_owned())
                .or_else(|| panic.downcast_ref::<String>().cloned())
                .unwrap_or_else(|| "the handler panicked".into()),
            Err(_) => "the handler was cut off".into(),
        };
        Err(JobError::failed(format!("the handler panicked: {message}")))
    })
}

/// Tells the engine what came of a job, as long as the database cannot be reached.
async fn finish(inner: &Inner, job: &Job, mut result: Result<Variables, JobError>) {
    let mut pause = Duration::from_millis(100);
    for _ in 0..OFFERS {
        match tell(inner, job, &result).await {
            Ok(()) => return,
            Err(error @ (Error::Store(_) | Error::OutcomeUnknown)) => {
                tracing::warn!(%error, job = %job.id(), "what a handler gave is offered again");
                tokio::time::sleep(pause).await;
                pause *= 4;
            }
            // What it gave cannot be taken, and will not be the next time either.
            Err(refused @ (Error::Rejected(_) | Error::Variable { .. }))
                if !matches!(result, Err(JobError::Failed(_))) =>
            {
                result = Err(JobError::failed(refused));
            }
            Err(error) => return tracing::warn!(%error, job = %job.id(), "what a handler gave came too late"),
        }
    }
}

/// Tells the engine what came of a job.
async fn tell(inner: &Inner, job: &Job, result: &Result<Variables, JobError>) -> Result<(), Error> {
    let by = Envelope::default();
    if let Ok(given)
    | Err(JobError::BpmnError { variables: given, .. } | JobError::Escalation { variables: given, .. }) = result
    {
        inner.check_given(given)?;
    }
    match result {
        Ok(variables) => inner.complete_job(&by, job, variables.clone(), Variables::new()).await,
        Err(JobError::Failed(failure)) => inner.fail_job(&by, job, failure, |_| Ok(Vec::new())).await,
        Err(JobError::BpmnError { code, message, variables }) => {
            inner.throw_error(&by, job, code.clone(), message.clone(), variables.clone()).await
        }
        Err(JobError::Escalation { code, variables }) => {
            inner.throw_escalation(&by, job, code.clone(), variables.clone()).await
        }
    }
}
