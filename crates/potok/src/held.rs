//! Jobs by the names of the workers that have them, for workers that know no leases: programs written for other engines.

use std::collections::HashMap;
use std::time::Duration;

use potok_core::Name;
use potok_core::instance::{Instance, Key, ROOT, ScopeId, WaitKind};
use potok_core::routing::{Work, World as _};
use potok_core::step::{Command, Rejection, Variables};
use potok_store::Guard;
use potok_store::query::JobQuery;
use potok_store::row::Job as JobRow;

use crate::access::Access;
use crate::attempt::{Attempt, Missing};
use crate::engine::{Engine, Inner};
use crate::envelope::Act;
use crate::{Action, Error, IntoVariables, Job, JobFailure, JobId};

impl Inner {
    /// Jobs by their keys and the instances that have them, as far as those are known.
    async fn rows_of_jobs(&self, jobs: Vec<(Key, Option<Key>)>) -> Result<Vec<Option<JobRow>>, Error> {
        let (keys, instances): (Vec<Key>, Vec<Option<Key>>) = jobs.into_iter().unzip();
        let instances = instances.into_iter().collect::<Option<_>>().unwrap_or_default();
        let query = JobQuery { keys: keys.clone(), instances, ..JobQuery::default() };
        let rows = self.store.list(&query).await?.rows;
        let rows: HashMap<Key, JobRow> = rows.into_iter().map(|row| (row.key, row)).collect();
        // Several may have asked for the same one.
        Ok(keys.iter().map(|key| rows.get(key).cloned()).collect())
    }
}

impl Engine {
    /// A job, whoever has it.
    ///
    /// # Errors
    /// If there is no such job.
    pub async fn job(&self, job: JobId) -> Result<JobRow, Error> {
        self.job_for(Action::SeeJobs, job).await
    }

    /// A job that something is to be done with.
    async fn job_for(&self, action: Action, job: JobId) -> Result<JobRow, Error> {
        let access = self.access(action, &job).await?;
        self.job_in_sight(&access, job).await
    }

    pub(crate) async fn job_in_sight(&self, access: &Access, job: JobId) -> Result<JobRow, Error> {
        let inner = &self.inner;
        let sought = (job.0, inner.cache.owner(job.0));
        // Workers are done with many jobs of a moment.
        let row = match inner.store.is_shared() {
            true => inner.job_rows.ask(sought, |jobs| inner.rows_of_jobs(jobs)).await?,
            false => inner.rows_of_jobs(vec![sought]).await?.pop().flatten(),
        };
        row.filter(|row| access.admits(row.tenant.as_ref())).ok_or(Error::UnknownJob(job))
    }

    /// A job that a worker of that name has, or had last if nobody has taken it since. It comes without variables and headers.
    ///
    /// # Errors
    /// If there is no such job, or it is not the worker's.
    pub async fn job_of(&self, job: JobId, worker: &str) -> Result<Job, Error> {
        let row = self.job_for(Action::DoJobs, job).await?;
        let is_theirs = row.lease != 0 && row.worker.as_deref() == Some(worker);
        if is_theirs { Ok(Job::bare(row)) } else { Err(Error::LeaseLost(job)) }
    }

    /// Hands a job out to a worker that asks for this one: if nobody has it, or the worker has it already.
    ///
    /// # Errors
    /// If there is no such job, or another worker has it.
    pub async fn lease_job(&self, job: JobId, worker: impl Into<Name>, lease: Duration) -> Result<(), Error> {
        let row = self.job_for(Action::DoJobs, job).await?;
        let (id, number) = ((row.instance, row.key), self.inner.random());
        let leased = self.inner.store.lease_job(id, &worker.into(), number, lease).await?;
        if leased { Ok(()) } else { Err(Error::LeaseLost(job)) }
    }

    /// Takes a job out of the hands of whoever has it.
    ///
    /// # Errors
    /// If there is no such job.
    pub async fn free_job(&self, job: JobId) -> Result<(), Error> {
        let row = self.job_for(Action::DoJobs, job).await?;
        self.inner.store.free_job((row.instance, row.key)).await?;
        self.inner.wake.jobs();
        Ok(())
    }

    /// Completes a job with variables for its process, and others for its flow node alone, which its output mappings see.
    ///
    /// # Errors
    /// As [`complete_job`](Self::complete_job).
    pub async fn complete_job_with(
        &self,
        job: &Job,
        variables: impl IntoVariables,
        local_variables: impl IntoVariables,
    ) -> Result<(), Error> {
        let (variables, local_variables) = (self.inner.given(variables)?, self.inner.given(local_variables)?);
        self.check_job(job).await?;
        self.inner.complete_job(&self.envelope(), job, variables, local_variables).await
    }

    /// Completes a job that was handed out here to a worker of that name, without looking it up; says whether that could be done. Not if
    /// nothing is remembered of it, or it is no longer as it was then, or its instance is suspended: [`job_of`](Self::job_of) says more.
    ///
    /// # Errors
    /// If the variables are none, or what comes of it is refused.
    pub async fn complete_as_handed_out(
        &self,
        job: JobId,
        worker: &str,
        variables: impl IntoVariables,
        local_variables: impl IntoVariables,
    ) -> Result<bool, Error> {
        let access = self.access(Action::DoJobs, &job).await?;
        let is_theirs = |row: &JobRow| row.worker.as_deref() == Some(worker) && access.admits(row.tenant.as_ref());
        let Some(row) = self.inner.cache.handed_out(job.0).filter(is_theirs) else { return Ok(false) };
        let (variables, local_variables) = (self.inner.given(variables)?, self.inner.given(local_variables)?);
        let (envelope, row) = (self.envelope(), Job::bare(row));
        match self.inner.complete_unless_suspended(&envelope, &row, variables, local_variables).await {
            Ok(()) => Ok(true),
            Err(Error::LeaseLost(_) | Error::UnknownJob(_) | Error::InstanceSuspended(_)) => {
                self.inner.cache.forget_job(job.0);
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    /// Says that a job failed, and sets variables meanwhile: each in the innermost scope around the job that has it, else in the
    /// process; local ones in the scope of its flow node, if that has one.
    ///
    /// # Errors
    /// As [`fail_job`](Self::fail_job).
    pub async fn fail_job_with(
        &self,
        job: &Job,
        failure: &JobFailure,
        variables: impl IntoVariables,
        local_variables: impl IntoVariables,
    ) -> Result<(), Error> {
        let (variables, local_variables) = (self.inner.given(variables)?, self.inner.given(local_variables)?);
        self.check_job(job).await?;
        let set = |attempt: &mut Attempt<'_>| set_around(attempt, job, &variables, &local_variables);
        self.inner.fail_job(&self.envelope(), job, failure, set).await
    }

    /// Says how many tries a job has left, whoever has it: none is an incident, and some resolve that.
    ///
    /// # Errors
    /// If there is no such job.
    pub async fn set_job_retries(&self, job: JobId, retries: u32) -> Result<(), Error> {
        let row = self.job_for(Action::SetRetries, job).await?;
        let of = (row.instance, job);
        self.inner.transact(self.envelope(), |attempt, work| set_retries(attempt, work, of, retries)).await?;
        self.inner.wake.jobs();
        Ok(())
    }
}

impl Engine {
    /// Makes a job more urgent, or less, whoever has it: the higher, the sooner it is handed out.
    ///
    /// # Errors
    /// If there is no such job.
    pub async fn set_job_priority(&self, job: JobId, priority: i64) -> Result<(), Error> {
        let instance = self.job_for(Action::SetRetries, job).await?.instance;
        let change = |attempt: &mut Attempt<'_>, work: &mut Work| {
            if attempt.instance(instance)?.is_none() {
                return Ok(Err(Error::UnknownJob(job)));
            }
            match attempt.step(instance, Command::ChangePriority { wait: job.0, priority }) {
                Ok(requests) => work.ask(instance, requests),
                Err(Rejection::Unknown(_) | Rejection::NotActive(_)) => return Ok(Err(Error::UnknownJob(job))),
                Err(rejection) => return Ok(Err(rejection.into())),
            }
            (attempt.subject, attempt.envelope.act) = (Some(instance), Some(Act::JobPrioritised { job: job.0 }));
            Ok(Ok(()))
        };
        self.inner.transact(self.envelope(), change).await
    }
}

/// Says how many tries a job of an instance has left.
pub(crate) fn set_retries(
    attempt: &mut Attempt<'_>,
    work: &mut Work,
    (instance, job): (Key, JobId),
    retries: u32,
) -> Result<Result<(), Error>, Missing> {
    let Some(standing) = attempt.rows(instance)?.job(job.0).cloned() else {
        return Ok(Err(Error::UnknownJob(job)));
    };
    let incident = attempt.instance(instance)?.and_then(|running| incident_of(&running.instance, job));
    let resolve = incident.filter(|_| retries > 0).map(|incident| Command::ResolveIncident { incident });
    let message: Name = standing.error.clone().unwrap_or_default();
    let count = Command::FailJob { job: job.0, retries: Some(retries.into()), message };
    for command in resolve.into_iter().chain([count]) {
        match attempt.step(instance, command) {
            Ok(requests) => work.ask(instance, requests),
            Err(Rejection::Unknown(_) | Rejection::NotActive(_)) => return Ok(Err(Error::UnknownJob(job))),
            Err(rejection) => return Ok(Err(rejection.into())),
        }
    }
    // Whoever has it goes on having it.
    attempt.guards.push(Guard::Lease { instance, job: job.0, lease: standing.lease });
    attempt.changes.put(JobRow { retries: retries.into(), counted: true, ..standing });
    Ok(Ok(()))
}

/// The incident that a job has left.
fn incident_of(instance: &Instance, job: JobId) -> Option<Key> {
    use potok_core::instance::IncidentStage;
    let owner = instance.wait(job.0)?.owner;
    let is_its = |kind: &WaitKind| matches!(kind, WaitKind::Incident(it) if it.stage == IncidentStage::Job);
    instance.waits().find(|wait| wait.owner == owner && is_its(&wait.kind)).map(|wait| wait.key)
}

/// What sets variables around a job.
fn set_around(
    attempt: &mut Attempt<'_>,
    job: &Job,
    variables: &Variables,
    local_variables: &Variables,
) -> Result<Vec<Command>, Missing> {
    let Some(running) = attempt.instance(job.instance)? else { return Ok(Vec::new()) };
    let instance = &running.instance;
    let Some(wait) = instance.wait(job.key) else { return Ok(Vec::new()) };
    let own = instance.scope_of(wait);
    let mut commands: Vec<Command> = variables
        .iter()
        .map(|(name, value)| {
            let scope = scope_with(instance, own, name);
            Command::SetVariables { scope, variables: vec![(name.clone(), value.clone())] }
        })
        .collect();
    if !local_variables.is_empty() {
        commands.push(Command::SetTaskVariables {
            task: job.key,
            variables: Variables::new(),
            local_variables: local_variables.clone(),
        });
    }
    Ok(commands)
}

/// The innermost scope from there outwards that has a variable, else the process.
pub(crate) fn scope_with(instance: &Instance, from: ScopeId, name: &str) -> ScopeId {
    let mut next = from;
    while let Some(scope) = instance.scope(next) {
        if scope.variable(name).is_some() {
            return next;
        }
        next = scope.parent;
    }
    ROOT
}
