//! `/jobs`: work for workers, which ask for it, and say what came of it.

use std::time::{Duration, Instant};

use axum::extract::State;
use axum::http::StatusCode;
use jiff::Timestamp;
use potok::query::JobQuery;
use potok::{JobFailure, JobId, row};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::App;
use crate::body::{Json, Path};
use crate::caller::Caller;
use crate::problem::{Problem, Problems};
use crate::routes::{Routes, routes};
use crate::search::{self, ByAge, Found, Search, find, meant};
use crate::timers::{Priority, Retries};
use crate::value::{Id, Variables, names, text};

pub(crate) fn routes() -> Routes {
    Routes::new()
        .routes(routes!(fetch))
        .routes(routes!(search))
        .routes(routes!(complete))
        .routes(routes!(fail))
        .routes(routes!(throw_error))
        .routes(routes!(throw_escalation))
        .routes(routes!(extend))
        .routes(routes!(release))
        .routes(routes!(set_retries))
        .routes(routes!(set_priority))
}

/// A job, whoever has it.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Job {
    /// The same however often it is handed out, so that work can be done once.
    id: Id,
    instance: Id,
    process: String,
    definition: Id,
    /// The id of its flow node.
    node: String,
    /// The kind of work, by which workers ask for it.
    topic: String,
    tenant: Option<String>,
    /// The higher, the sooner.
    priority: i64,
    /// Tries left; at 0 it is not handed out.
    retries: i64,
    /// What went wrong at the last try.
    error: Option<String>,
    /// Not handed out while its instance is suspended.
    suspended: bool,
    /// Not handed out before.
    #[schema(value_type = String, format = DateTime)]
    available: Timestamp,
    /// Who has it, or had it last.
    worker: Option<String>,
    /// When the lease runs out, if somebody has it.
    #[schema(value_type = Option<String>, format = DateTime)]
    leased_until: Option<Timestamp>,
}

impl From<&row::Job> for Job {
    fn from(row: &row::Job) -> Self {
        Self {
            id: row.key.into(),
            instance: row.instance.into(),
            process: row.process.to_string(),
            definition: row.definition.into(),
            node: row.node.to_string(),
            topic: row.topic.to_string(),
            tenant: text(row.tenant.as_ref()),
            priority: row.priority,
            retries: row.retries,
            error: text(row.error.as_ref()),
            suspended: row.suspended,
            available: row.available,
            worker: text(row.worker.as_ref()),
            leased_until: Some(row.leased_until).filter(|_| row.lease != 0),
        }
    }
}

/// A job that a worker has from now on.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LeasedJob {
    #[serde(flatten)]
    job: Job,
    /// What the worker gives back with what came of it.
    lease: Id,
    business_key: Option<String>,
    /// What the model configures for it.
    headers: Variables,
    /// What its flow node sees.
    variables: Variables,
    /// The trace that it is part of, as a `traceparent` of W3C Trace Context: to be sent with what the worker asks of others, and with what
    /// came of the job.
    traceparent: Option<String>,
}

/// What a worker asks for.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Fetch {
    /// The worker's name, for people.
    worker: String,
    /// The kinds of work that it does.
    #[schema(min_items = 1, max_items = 100)]
    topics: Vec<String>,
    /// How many jobs at most.
    #[serde(default = "one")]
    #[schema(minimum = 1, maximum = 1000, default = 1)]
    limit: usize,
    /// For how long it has them to itself.
    #[serde(default = "minutes")]
    #[schema(minimum = 1, maximum = 86400, default = 300)]
    lease_seconds: u64,
    /// How long it waits if there are none.
    #[serde(default)]
    #[schema(maximum = 60)]
    wait_seconds: u64,
}

fn one() -> usize {
    1
}

fn minutes() -> u64 {
    300
}

fn lease(seconds: u64) -> Result<Duration, Problem> {
    if (1..=86_400).contains(&seconds) {
        return Ok(Duration::from_secs(seconds));
    }
    Err(Problem::malformed("body-invalid", "`leaseSeconds`: a lease lasts from a second to a day"))
}

/// How long somebody waits for an answer.
pub(crate) fn patience(seconds: u64, app: &App) -> Result<Duration, Problem> {
    if seconds > 60 {
        return Err(Problem::malformed("body-invalid", "`waitSeconds`: the longest wait is a minute; ask again then"));
    }
    Ok(Duration::from_secs(seconds).min(app.timeout))
}

/// Hands out jobs that nobody has, the most urgent first
///
/// With `waitSeconds` the answer comes as soon as there are some, or, empty, when that time is over; up to an eighth sooner, so that workers
/// who ask together do not all ask again together.
#[utoipa::path(post, path = "/jobs/fetch", tag = "jobs", operation_id = "fetchJobs",
    responses((status = 200, body = Vec<LeasedJob>, description = "Those that the worker has from now on"), Problems))]
async fn fetch(
    caller: Caller,
    State(app): State<App>,
    Json(body): Json<Fetch>,
) -> Result<Json<Vec<LeasedJob>>, Problem> {
    if body.topics.is_empty() || body.topics.len() > 100 {
        return Err(Problem::malformed("body-invalid", "`topics`: name 1 to 100 kinds of work"));
    }
    if !(1..=1000).contains(&body.limit) {
        return Err(Problem::malformed("body-invalid", "`limit`: 1 to 1000 jobs are handed out at once"));
    }
    let lease = lease(body.lease_seconds)?;
    let until = Instant::now() + potok::staggered(patience(body.wait_seconds, &app)?);
    let topics = names(body.topics);
    let watch = caller.engine.watch_jobs(topics.iter().cloned());
    let jobs = loop {
        let jobs = caller.engine.fetch_jobs(body.worker.as_str(), &topics, body.limit, lease, Duration::ZERO).await?;
        let left = until.saturating_duration_since(Instant::now());
        if !jobs.is_empty() || left.is_zero() || app.stop.is_told() {
            break jobs;
        }
        // Only this is given up when the server is to stop: what is being handed out need not be taken back.
        tokio::select! {
            () = watch.woken(left) => {}
            () = app.stop.told() => {}
        }
    };
    let leased = |job: &potok::Job| LeasedJob {
        job: Job::from(&**job),
        lease: Id(job.lease),
        business_key: text(job.business_key()),
        headers: job.headers().into(),
        variables: job.variables().into(),
        traceparent: job.trace().map(|trace| trace.to_string()),
    };
    Ok(Json(jobs.iter().map(leased).collect()))
}

/// Which jobs. All that is given must hold.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub(crate) struct JobFilter {
    #[serde(deserialize_with = "search::some")]
    #[schema(min_items = 1)]
    ids: Vec<Id>,
    #[serde(deserialize_with = "search::some")]
    #[schema(min_items = 1)]
    instances: Vec<Id>,
    /// Its key (the newest version), `key@version`, `key@tag` or id.
    definition: Option<String>,
    /// Of one of these processes.
    #[serde(deserialize_with = "search::some")]
    #[schema(min_items = 1)]
    processes: Vec<String>,
    /// On one of these flow nodes.
    #[serde(deserialize_with = "search::some")]
    #[schema(min_items = 1)]
    nodes: Vec<String>,
    #[serde(deserialize_with = "search::some")]
    #[schema(min_items = 1)]
    topics: Vec<String>,
    tenant: Option<String>,
    /// Handed out to this worker.
    worker: Option<String>,
    /// With tries left, or without.
    has_retries: Option<bool>,
}

/// Searches jobs, whoever has them
#[utoipa::path(post, path = "/jobs/search", tag = "jobs", operation_id = "searchJobs",
    responses((status = 200, body = Found<Job>, description = "A page of them"), Problems))]
async fn search(caller: Caller, Json(search): Json<Search<JobFilter, ByAge>>) -> Result<Json<Found<Job>>, Problem> {
    let search = search.without_variables()?;
    let page = search.paging()?;
    let filter = search.filter.unwrap_or_default();
    let query = JobQuery {
        keys: filter.ids.into_iter().map(Id::key).collect(),
        instances: filter.instances.into_iter().map(Id::key).collect(),
        definition: meant(&caller.engine, filter.definition.as_deref(), filter.tenant.as_deref()).await?,
        processes: names(filter.processes),
        nodes: names(filter.nodes),
        topics: names(filter.topics),
        tenant: filter.tenant.map(Into::into),
        worker: filter.worker.map(Into::into),
        has_retries: filter.has_retries,
        page,
        ..JobQuery::default()
    };
    Ok(Json(find(&caller.engine, &query, search.count_only, |row| Job::from(&row)).await?))
}

/// That a job is done.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct JobCompletion {
    /// As it came with the job.
    lease: Id,
    /// What the work gave.
    #[serde(default)]
    variables: Variables,
}

/// Completes a job
#[utoipa::path(post, path = "/jobs/{id}/complete", tag = "jobs", operation_id = "completeJob",
    params(("id" = Id, Path, description = "Its id")),
    responses((status = 204, description = "It is done, and its process has gone on as far as it can"), Problems))]
async fn complete(caller: Caller, Path(id): Path<Id>, Json(body): Json<JobCompletion>) -> Result<StatusCode, Problem> {
    let completed = caller.once(|engine| async move {
        let job = engine.leased_job(id.into(), body.lease.0).await?;
        engine.complete_job(&job, body.variables).await
    });
    completed.await?;
    Ok(StatusCode::NO_CONTENT)
}

/// That a job failed.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Failed {
    /// As it came with the job.
    lease: Id,
    /// What went wrong.
    message: String,
    /// Tries left; one less than before unless this is given. None left: an incident.
    #[serde(default)]
    retries: Option<i64>,
    /// Time until it is handed out again; as the model says unless this is given, else ten seconds.
    #[serde(default)]
    #[schema(value_type = Option<u64>, maximum = 4_294_967_295_u64)]
    pause_seconds: Option<u32>,
}

/// Says that a job failed
///
/// It is handed out again; without tries left it becomes an incident.
#[utoipa::path(post, path = "/jobs/{id}/fail", tag = "jobs", operation_id = "failJob",
    params(("id" = Id, Path, description = "Its id")),
    responses((status = 204, description = "It is known"), Problems))]
async fn fail(caller: Caller, Path(id): Path<Id>, Json(body): Json<Failed>) -> Result<StatusCode, Problem> {
    let failed = caller.once(|engine| async move {
        let job = engine.leased_job(id.into(), body.lease.0).await?;
        let failure = JobFailure {
            message: body.message.into(),
            retries: body.retries,
            details: None,
            pause: body.pause_seconds.map(|seconds| Duration::from_secs(seconds.into())),
        };
        engine.fail_job(&job, &failure).await
    });
    failed.await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A BPMN error of a job.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct JobError {
    /// As it came with the job.
    lease: Id,
    /// The error's code.
    code: String,
    /// What went wrong, for people.
    #[serde(default)]
    message: Option<String>,
    /// What comes with it.
    #[serde(default)]
    variables: Variables,
}

/// Reports a BPMN error from a job
#[utoipa::path(post, path = "/jobs/{id}/error", tag = "jobs", operation_id = "throwJobError",
    params(("id" = Id, Path, description = "Its id")),
    responses((status = 204, description = "The process has it"), Problems))]
async fn throw_error(caller: Caller, Path(id): Path<Id>, Json(body): Json<JobError>) -> Result<StatusCode, Problem> {
    let thrown = caller.once(|engine| async move {
        let job = engine.leased_job(id.into(), body.lease.0).await?;
        engine.throw_job_error(&job, body.code, body.message.map(Into::into), body.variables).await
    });
    thrown.await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A BPMN escalation of a job.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct JobEscalation {
    /// As it came with the job.
    lease: Id,
    /// The escalation's code.
    code: String,
    /// What comes with it.
    #[serde(default)]
    variables: Variables,
}

/// Reports a BPMN escalation from a job
///
/// Unless an interrupting event catches it, the job stays.
#[utoipa::path(post, path = "/jobs/{id}/escalation", tag = "jobs", operation_id = "throwJobEscalation",
    params(("id" = Id, Path, description = "Its id")),
    responses((status = 204, description = "The process has it"), Problems))]
async fn throw_escalation(
    caller: Caller,
    Path(id): Path<Id>,
    Json(body): Json<JobEscalation>,
) -> Result<StatusCode, Problem> {
    let thrown = caller.once(|engine| async move {
        let job = engine.leased_job(id.into(), body.lease.0).await?;
        engine.throw_job_escalation(&job, body.code, body.variables).await
    });
    thrown.await?;
    Ok(StatusCode::NO_CONTENT)
}

/// More time.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Extension {
    /// As it came with the job.
    lease: Id,
    /// For how long the worker has it to itself, from now on.
    #[schema(minimum = 1, maximum = 86400)]
    lease_seconds: u64,
}

/// Gives a worker more time for a job
#[utoipa::path(post, path = "/jobs/{id}/extend", tag = "jobs", operation_id = "extendJob",
    params(("id" = Id, Path, description = "Its id")),
    responses((status = 204, description = "It has that time"), Problems))]
async fn extend(caller: Caller, Path(id): Path<Id>, Json(body): Json<Extension>) -> Result<StatusCode, Problem> {
    let time = lease(body.lease_seconds)?;
    let extended = caller.once(|engine| async move {
        let job = engine.leased_job(JobId::from(id.key()), body.lease.0).await?;
        engine.extend_job(&job, time).await
    });
    extended.await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A lease.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Lease {
    /// As it came with the job.
    lease: Id,
}

/// Gives a job back undone
#[utoipa::path(post, path = "/jobs/{id}/release", tag = "jobs", operation_id = "releaseJob",
    params(("id" = Id, Path, description = "Its id")),
    responses((status = 204, description = "Others may have it"), Problems))]
async fn release(caller: Caller, Path(id): Path<Id>, Json(body): Json<Lease>) -> Result<StatusCode, Problem> {
    let released = caller.once(|engine| async move {
        let job = engine.leased_job(id.into(), body.lease.0).await?;
        engine.release_job(&job).await
    });
    released.await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Says how many tries a job has left, whoever has it
#[utoipa::path(post, path = "/jobs/{id}/retries", tag = "jobs", operation_id = "setJobRetries",
    params(("id" = Id, Path, description = "Its id")),
    responses((status = 204, description = "It has them"), Problems))]
async fn set_retries(caller: Caller, Path(id): Path<Id>, Json(body): Json<Retries>) -> Result<StatusCode, Problem> {
    caller.once(|engine| async move { engine.set_job_retries(id.into(), body.retries).await }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Makes a job more urgent, or less, whoever has it
#[utoipa::path(post, path = "/jobs/{id}/priority", tag = "jobs", operation_id = "setJobPriority",
    params(("id" = Id, Path, description = "Its id")),
    responses((status = 204, description = "It is"), Problems))]
async fn set_priority(caller: Caller, Path(id): Path<Id>, Json(body): Json<Priority>) -> Result<StatusCode, Problem> {
    caller.once(|engine| async move { engine.set_job_priority(id.into(), body.priority).await }).await?;
    Ok(StatusCode::NO_CONTENT)
}
