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
use crate::{Error, IntoVariables};

/// How long a handler's loop sleeps at most: another node may have opened a job.
const NAP: Duration = Duration::from_millis(500);

/// How often what a handler gave is offered to a database that cannot be reached; after that the job's lease runs out, and it is
/// done again.
const OFFERS: u32 = 5;

/// Handlers that may run at a time in all.
const ALL: u32 = 1_000_000;

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

type Run = dyn Fn(Job) -> Pin<Box<dyn Future<Output = Result<Variables, JobError>> + Send>> + Send + Sync;

/// The handlers of an engine.
pub(crate) struct Handlers {
    handlers: BTreeMap<Name, Arc<Run>>,
    pub(crate) concurrency: usize,
    pub(crate) lease: Duration,
    /// Closed when the engine stops.
    permits: Arc<Semaphore>,
}

impl Default for Handlers {
    fn default() -> Self {
        Self {
            handlers: BTreeMap::new(),
            concurrency: 16,
            lease: Duration::from_secs(300),
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
        let run = move |job| -> Pin<Box<dyn Future<Output = Result<Variables, JobError>> + Send>> {
            let running = handler(job);
            Box::pin(async move { running.await.into_result() })
        };
        self.handlers.insert(topic, Arc::new(run));
    }

    /// One loop for each topic.
    pub(crate) fn start(&self, tasks: &mut JoinSet<()>, inner: &Arc<Inner>) {
        for (topic, run) in &self.handlers {
            tasks.spawn(work(Arc::downgrade(inner), topic.clone(), run.clone(), self.concurrency));
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
    pub(crate) async fn execute_due(&self, inner: &Inner) -> Result<usize, Error> {
        let mut done = 0;
        for (topic, run) in &self.handlers {
            let wanted = vec![Wanted::topic(topic.clone(), self.lease)];
            for job in inner.fetch(&inner.worker(), wanted, First::Urgent, self.concurrency, None).await? {
                done += 1;
                finish(inner, run, job).await;
            }
        }
        Ok(done)
    }
}

async fn work(inner: Weak<Inner>, topic: Name, run: Arc<Run>, concurrency: usize) {
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
            let (run, engine) = (run.clone(), engine.clone());
            tokio::spawn(async move {
                finish(&engine, &run, job).await;
                drop((slot, running));
            });
        }
    }
}

/// Runs a handler and tells the engine what came of it. A handler that panics has failed.
async fn finish(inner: &Inner, run: &Arc<Run>, job: Job) {
    let result = match tokio::spawn(run(job.clone())).await {
        Ok(result) => result,
        Err(error) => {
            let message = match error.try_into_panic() {
                Ok(panic) => panic
                    .downcast_ref::<&str>()
                    .map(|text| (*text).to_owned())
                    .or_else(|| panic.downcast_ref::<String>().cloned())
                    .unwrap_or_else(|| "the handler panicked".into()),
                Err(_) => "the handler was cut off".into(),
            };
            Err(JobError::failed(format!("the handler panicked: {message}")))
        }
    };
    let mut pause = Duration::from_millis(100);
    for _ in 0..OFFERS {
        let by = Envelope::default();
        let told = match &result {
            Ok(variables) => inner.complete_job(&by, &job, variables.clone(), Variables::new()).await,
            Err(JobError::Failed(failure)) => inner.fail_job(&by, &job, failure, |_| Ok(Vec::new())).await,
            Err(JobError::BpmnError { code, message, variables }) => {
                inner.throw_error(&by, &job, code.clone(), message.clone(), variables.clone()).await
            }
            Err(JobError::Escalation { code, variables }) => {
                inner.throw_escalation(&by, &job, code.clone(), variables.clone()).await
            }
        };
        match told {
            Ok(()) => return,
            Err(error @ (Error::Store(_) | Error::OutcomeUnknown)) => {
                tracing::warn!(%error, job = %job.id(), "what a handler gave is offered again");
                tokio::time::sleep(pause).await;
                pause *= 4;
            }
            Err(error) => return tracing::warn!(%error, job = %job.id(), "what a handler gave came too late"),
        }
    }
}
