//! Jobs: work for handlers and for workers elsewhere.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Deref;
use std::time::Duration;

use futures_util::future::try_join_all;
use potok_core::Name;
use potok_core::instance::{Instance as State, Key, Owner, Wait, WaitKind};
use potok_core::routing::{Running, World as _};
use potok_core::step::{Command, Rejection, Variables};
use potok_core::time::{Timestamp, next_try};
use potok_core::value::Value;
use potok_store::query::{InstanceQuery, JobQuery};
use potok_store::row::Job as JobRow;
use potok_store::{Fetch, First, Guard, Wanted};

use crate::attempt::{Attempt, Missing};
use crate::engine::{Engine, Inner};
use crate::envelope::{Act, Envelope};
use crate::trace::TraceContext;
use crate::watch::staggered;
use crate::{Action, Error, InstanceId, IntoVariables, JobId};

/// Time between tries where neither the model nor the worker says.
const PAUSE: Duration = Duration::from_secs(10);

/// A job in a worker's hands. It derefs to its row.
#[derive(Clone, Debug)]
pub struct Job {
    row: JobRow,
    business_key: Option<Name>,
    headers: Vec<(Name, Value)>,
    variables: Variables,
    own: Variables,
}

impl Deref for Job {
    type Target = JobRow;

    fn deref(&self) -> &JobRow {
        &self.row
    }
}

impl Job {
    /// Without variables and headers.
    pub(crate) fn bare(row: JobRow) -> Self {
        let (headers, variables, own) = Default::default();
        Self { row, business_key: None, headers, variables, own }
    }

    /// Its id: the same however often it is handed out, so that work can be done once.
    #[must_use]
    pub fn id(&self) -> JobId {
        JobId(self.row.key)
    }

    /// Its instance.
    #[must_use]
    pub fn instance_id(&self) -> InstanceId {
        InstanceId(self.row.instance)
    }

    /// Its instance's business key.
    #[must_use]
    pub fn business_key(&self) -> Option<&Name> {
        self.business_key.as_ref()
    }

    /// The variables that its flow node sees, in the names' order.
    #[must_use]
    pub fn variables(&self) -> &[(Name, Value)] {
        &self.variables
    }

    /// The variables that are its flow node's own, in the names' order: what its input mappings give.
    #[must_use]
    pub fn own_variables(&self) -> &[(Name, Value)] {
        &self.own
    }

    /// A variable that its flow node sees, as JSON; null if there is none.
    #[must_use]
    pub fn variable(&self, name: &str) -> serde_json::Value {
        let found = self.variables.iter().find(|(other, _)| other == name);
        found.map_or(serde_json::Value::Null, |(_, value)| value.to_json())
    }

    /// The trace that it is part of: what it leads a worker to do elsewhere goes on in it.
    #[must_use]
    pub fn trace(&self) -> Option<TraceContext> {
        TraceContext::of_row(self.row.trace.as_ref())
    }

    /// What the model configures for it.
    #[must_use]
    pub fn headers(&self) -> &[(Name, Value)] {
        &self.headers
    }
}

/// How a job failed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct JobFailure {
    /// What went wrong.
    pub message: Name,
    /// The same at length, e.g. a stack trace.
    pub details: Option<Name>,
    /// Tries left; one less than before if not given. None left: an incident.
    pub retries: Option<i64>,
    /// Time until it is handed out again; as the model says if not given, else ten seconds.
    pub pause: Option<Duration>,
}

impl Engine {
    /// Hands out jobs of these topics that nobody has, the most urgent first. If there are none, waits for some: at most as long as
    /// `patience`, and up to an eighth less, so that workers who asked at one moment do not all ask again at one moment.
    ///
    /// # Errors
    /// If the database cannot be reached.
    pub async fn fetch_jobs(
        &self,
        worker: impl Into<Name>,
        topics: &[Name],
        limit: usize,
        lease: Duration,
        patience: Duration,
    ) -> Result<Vec<Job>, Error> {
        let wanted = topics.iter().map(|topic| Wanted::topic(topic.clone(), lease));
        self.fetch_wanted(worker, wanted.collect(), First::Urgent, limit, patience).await
    }

    /// The same, where the worker says of each topic which of its jobs it wants, and for how long.
    ///
    /// # Errors
    /// If the database cannot be reached.
    pub async fn fetch_wanted(
        &self,
        worker: impl Into<Name>,
        wanted: Vec<Wanted>,
        first: First,
        limit: usize,
        patience: Duration,
    ) -> Result<Vec<Job>, Error> {
        let worker = worker.into();
        let tenants = self.access(Action::DoJobs, &"").await?.tenants();
        let patience = staggered(patience);
        let until = tokio::time::Instant::now().checked_add(patience);
        // Whoever does not wait need not be woken.
        let topics = wanted.iter().map(|wanted| wanted.topic.clone());
        let watch = (!patience.is_zero()).then(|| self.watch_jobs(topics));
        loop {
            let topics = wanted.iter().map(|wanted| wanted.topic.clone()).collect();
            let jobs = match self.inner.may_have_jobs(topics).await? {
                true => self.inner.fetch(&worker, wanted.clone(), first, limit, tenants.clone()).await?,
                false => Vec::new(),
            };
            let left = until.map_or(patience, |until| until.saturating_duration_since(tokio::time::Instant::now()));
            match &watch {
                Some(watch) if jobs.is_empty() && !left.is_zero() => watch.woken(left).await,
                _ => {
                    // What it failed with before may be large, and is not needed to complete it.
                    let bare = |row: &JobRow| JobRow { error: None, details: None, ..row.clone() };
                    jobs.iter().for_each(|job| self.inner.cache.remember_job(bare(&job.row)));
                    return Ok(jobs);
                }
            }
        }
    }

    /// Jobs, whoever has them.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn jobs(&self, query: &JobQuery) -> Result<Vec<JobRow>, Error> {
        let mut query = query.clone();
        self.access(Action::SeeJobs, &"").await?.narrow_to_tenants(&mut query.sight);
        Ok(self.inner.store.list(&query).await?.rows)
    }

    /// The business keys of the instances that jobs belong to, by the instances' keys.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn business_keys_of(&self, jobs: &[JobRow]) -> Result<BTreeMap<u64, Name>, Error> {
        let access = self.access(Action::SeeJobs, &"").await?;
        let instances: BTreeSet<u64> = jobs.iter().map(|job| job.instance.into()).collect();
        if instances.is_empty() {
            return Ok(BTreeMap::new());
        }
        let mut query =
            InstanceQuery { keys: instances.into_iter().map(Key::from).collect(), ..InstanceQuery::default() };
        access.narrow_to_tenants(&mut query.sight);
        let rows = self.inner.store.list(&query).await?.rows;
        Ok(rows.into_iter().filter_map(|row| Some((row.key.into(), row.business_key?))).collect())
    }

    /// A job that a worker elsewhere has in its hands, by its id and the number of its lease: to complete it, or to say what came of
    /// it. It comes without variables and headers.
    ///
    /// # Errors
    /// If the lease is no longer the worker's, or the job is gone.
    pub async fn leased_job(&self, job: JobId, lease: u64) -> Result<Job, Error> {
        let access = self.access(Action::DoJobs, &job).await?;
        let row = self.job_in_sight(&access, job).await?;
        if row.lease != lease || lease == 0 {
            return Err(Error::LeaseLost(job));
        }
        Ok(Job::bare(row))
    }

    /// Gives a worker more time for a job.
    ///
    /// # Errors
    /// If the lease is no longer the worker's.
    pub async fn extend_job(&self, job: &Job, lease: Duration) -> Result<(), Error> {
        self.check_job(job).await?;
        let extended = self.inner.store.extend_job(job.instance, job.key, job.lease, lease).await?;
        if extended { Ok(()) } else { Err(Error::LeaseLost(job.id())) }
    }

    /// Gives a job back undone.
    ///
    /// # Errors
    /// If the lease is no longer the worker's.
    pub async fn release_job(&self, job: &Job) -> Result<(), Error> {
        self.check_job(job).await?;
        let released = self.inner.store.release_job(job.instance, job.key, job.lease).await?;
        self.inner.wake.jobs();
        if released { Ok(()) } else { Err(Error::LeaseLost(job.id())) }
    }

    /// Completes a job.
    ///
    /// # Errors
    /// If the lease is no longer the worker's, the job is gone, or the variables are none.
    pub async fn complete_job(&self, job: &Job, variables: impl IntoVariables) -> Result<(), Error> {
        let variables = self.inner.given(variables)?;
        self.check_job(job).await?;
        self.inner.complete_job(&self.envelope(), job, variables, Variables::new()).await
    }

    /// Says that a job failed.
    ///
    /// # Errors
    /// If the lease is no longer the worker's, or the job is gone.
    pub async fn fail_job(&self, job: &Job, failure: &JobFailure) -> Result<(), Error> {
        self.check_job(job).await?;
        self.inner.fail_job(&self.envelope(), job, failure, |_| Ok(Vec::new())).await
    }

    /// Reports a BPMN error from a job.
    ///
    /// # Errors
    /// If the lease is no longer the worker's, or the job is gone.
    pub async fn throw_job_error(
        &self,
        job: &Job,
        code: impl Into<Name>,
        message: Option<Name>,
        variables: impl IntoVariables,
    ) -> Result<(), Error> {
        let variables = self.inner.given(variables)?;
        self.check_job(job).await?;
        self.inner.throw_error(&self.envelope(), job, code.into(), message, variables).await
    }

    /// Reports a BPMN escalation from a job.
    ///
    /// # Errors
    /// If the lease is no longer the worker's, or the job is gone.
    pub async fn throw_job_escalation(
        &self,
        job: &Job,
        code: impl Into<Name>,
        variables: impl IntoVariables,
    ) -> Result<(), Error> {
        let variables = self.inner.given(variables)?;
        self.check_job(job).await?;
        self.inner.throw_escalation(&self.envelope(), job, code.into(), variables).await
    }
}

impl Engine {
    /// A job in a worker's hands is the worker's, but not one of another tenant's.
    pub(crate) async fn check_job(&self, job: &Job) -> Result<(), Error> {
        let access = self.access(Action::DoJobs, &job.id()).await?;
        if access.admits(job.tenant.as_ref()) { Ok(()) } else { Err(Error::UnknownJob(job.id())) }
    }
}

/// What a job's instance is told, and what stands in its history beside that.
type Commands = (Vec<Command>, Option<Act>);

impl Inner {
    /// The name under which this engine's handlers take jobs.
    pub(crate) fn worker(&self) -> Name {
        self.node.lock().unwrap_or_else(std::sync::PoisonError::into_inner).name.clone()
    }

    pub(crate) async fn fetch(
        &self,
        worker: &Name,
        wanted: Vec<Wanted>,
        first: First,
        limit: usize,
        tenants: Option<Vec<Name>>,
    ) -> Result<Vec<Job>, Error> {
        let (worker, most) = (worker.clone(), self.limits.topics.clone());
        let fetch = Fetch { worker, wanted, limit, first, number: self.random(), most, tenants };
        let rows = self.store.fetch_jobs(&fetch, self.clock.now()).await?;
        // All at once, so that what the database is asked for them is one question.
        let jobs = rows.into_iter().map(|row| async move {
            let described = self.look(row.instance, |running| describe(running?, row.key)).await?;
            let job = |(business_key, headers, variables, own)| Job { row, business_key, headers, variables, own };
            Ok::<_, Error>(described.map(job))
        });
        // One that has gone meanwhile is nobody's work.
        Ok(try_join_all(jobs).await?.into_iter().flatten().collect())
    }

    /// Gives a job's instance a command, if the job is still in this worker's hands.
    async fn answer(
        &self,
        by: &Envelope,
        job: &Job,
        commands: impl Fn(&mut Attempt<'_>) -> Result<Result<Commands, Error>, Missing> + Send + Sync,
    ) -> Result<(), Error> {
        let guard = Guard::Lease { instance: job.instance, job: job.key, lease: job.lease };
        let lost = || Error::LeaseLost(job.id());
        let envelope = Envelope { trace: by.trace.or_else(|| job.trace()), ..by.clone() };
        let answered = self.transact_guarded(envelope, &guard, |attempt, work| {
            if attempt.instance(job.instance)?.is_none() {
                return Ok(Err(Error::UnknownJob(job.id())));
            }
            let (commands, act) = match commands(attempt)? {
                Ok(commands) => commands,
                Err(error) => return Ok(Err(error)),
            };
            for command in commands {
                match attempt.step(job.instance, command) {
                    Ok(requests) => work.ask(job.instance, requests),
                    Err(Rejection::Unknown(_) | Rejection::NotActive(_)) => {
                        return Ok(Err(Error::UnknownJob(job.id())));
                    }
                    Err(rejection) => return Ok(Err(rejection.into())),
                }
            }
            (attempt.subject, attempt.envelope.act) = (Some(job.instance), act);
            Ok(Ok(()))
        });
        answered.await?.ok_or_else(lost)
    }

    pub(crate) async fn complete_job(
        &self,
        by: &Envelope,
        job: &Job,
        variables: Variables,
        local_variables: Variables,
    ) -> Result<(), Error> {
        self.answer(by, job, |_| Ok(Ok(completion(job, &variables, &local_variables)))).await
    }

    /// The same, unless its instance is suspended.
    pub(crate) async fn complete_unless_suspended(
        &self,
        by: &Envelope,
        job: &Job,
        variables: Variables,
        local_variables: Variables,
    ) -> Result<(), Error> {
        let command = |attempt: &mut Attempt<'_>| {
            if attempt.loaded(job.instance).is_some_and(|loaded| loaded.suspended) {
                return Ok(Err(Error::InstanceSuspended(job.instance_id())));
            }
            Ok(Ok(completion(job, &variables, &local_variables)))
        };
        self.answer(by, job, command).await
    }

    /// Says that a job failed, after other commands.
    pub(crate) async fn fail_job(
        &self,
        by: &Envelope,
        job: &Job,
        failure: &JobFailure,
        before: impl Fn(&mut Attempt<'_>) -> Result<Vec<Command>, Missing> + Send + Sync,
    ) -> Result<(), Error> {
        let JobFailure { message, details, retries, pause } = failure;
        let cycle = |running: Option<&Running>| match &running?.instance.wait(job.key)?.kind {
            WaitKind::Job(job) => Some((job.retry_cycle.clone()?, job.retries)),
            _ => None,
        };
        let cycle = self.look(job.instance, cycle).await?;
        let commands = |attempt: &mut Attempt<'_>| {
            let mut commands = before(attempt)?;
            commands.push(Command::FailJob { job: job.key, retries: *retries, message: message.clone() });
            let available = again(attempt.now, *pause, cycle.as_ref());
            let (error, details, worker) = (message.clone(), details.clone(), job.worker.clone());
            Ok(Ok((commands, Some(Act::JobFailed { job: job.key, error, details, worker, available }))))
        };
        self.answer(by, job, commands).await
    }

    pub(crate) async fn throw_error(
        &self,
        by: &Envelope,
        job: &Job,
        code: Name,
        message: Option<Name>,
        variables: Variables,
    ) -> Result<(), Error> {
        let command = |_: &mut Attempt<'_>| {
            let (code, message, variables) = (code.clone(), message.clone(), variables.clone());
            Ok(Ok((vec![Command::ThrowError { wait: job.key, code, message, variables }], None)))
        };
        self.answer(by, job, command).await
    }

    pub(crate) async fn throw_escalation(
        &self,
        by: &Envelope,
        job: &Job,
        code: Name,
        variables: Variables,
    ) -> Result<(), Error> {
        let command = |_: &mut Attempt<'_>| {
            let (code, variables) = (code.clone(), variables.clone());
            Ok(Ok((vec![Command::ThrowEscalation { wait: job.key, code, variables }], None)))
        };
        self.answer(by, job, command).await
    }
}

fn completion(job: &Job, variables: &Variables, local_variables: &Variables) -> Commands {
    let (variables, local_variables) = (variables.clone(), local_variables.clone());
    (vec![Command::CompleteJob { job: job.key, variables, local_variables }], None)
}

/// When a job that has failed is handed out again, by a retry cycle and the tries that were left.
fn again(now: Timestamp, pause: Option<Duration>, cycle: Option<&(Name, i64)>) -> Timestamp {
    let after = |pause: Duration| now.checked_add(pause).unwrap_or(Timestamp::MAX);
    match pause {
        Some(pause) => after(pause),
        None => cycle.and_then(|(cycle, left)| next_try(cycle, *left, now)).unwrap_or_else(|| after(PAUSE)),
    }
}

/// The variables of a job's own flow node, which its input mappings give.
fn mapped(instance: &State, wait: &Wait) -> Variables {
    let Owner::Token(token) = wait.owner else { return Variables::new() };
    let inside = instance.token(token).and_then(|token| instance.scope(token.inside));
    inside.map(|scope| scope.variables().to_vec()).unwrap_or_default()
}

/// What a worker is told of a job beside its row.
type Described = (Option<Name>, Vec<(Name, Value)>, Variables, Variables);

fn describe(running: &Running, job: Key) -> Option<Described> {
    let instance = &running.instance;
    let wait = instance.wait(job)?;
    let WaitKind::Job(kind) = &wait.kind else { return None };
    let own = mapped(instance, wait);
    let variables = if kind.mapped_only {
        own.clone()
    } else {
        instance.all_visible(instance.scope_of(wait), running.graph.dialect().counters())
    };
    Some((instance.business_key().cloned(), kind.headers.clone(), variables, own))
}
