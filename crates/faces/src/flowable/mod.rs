//! Flowable's API for external workers: nine routes. Its variables are a list, its times ISO 8601, and who does not have a job's lock is
//! answered 403.

mod variable;

use std::collections::BTreeSet;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, Query};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use jiff::Timestamp;
use potok::query::{DefinitionQuery, JobQuery};
use potok::row::{Definition, Job as Row};
use potok::{Engine, Error, First, Job, JobFailure, JobId, Name, Wanted};
use potok_core::instance::Key;
use potok_core::time::Timer;
use potok_core::value::{Value, Zone};
use serde_json::{Map, Value as Json, json};

use crate::acting::Acting;
use crate::camunda7::{condition, id};
use crate::json::answer;

/// What a list can be sorted by.
const SORTED_BY: [&str; 8] =
    ["id", "dueDate", "createTime", "executionId", "processInstanceId", "processDefinitionId", "retries", "tenantId"];

/// Jobs on a page of a list.
const PAGE: usize = 10;

/// The routes, to be nested under `/external-job-api`.
pub fn router(engine: Engine) -> Router {
    Router::new()
        .route("/jobs", get(list))
        .route("/jobs/{id}", get(one))
        .route("/acquire/jobs", post(acquire))
        .route("/acquire/jobs/{id}/complete", post(complete))
        .route("/acquire/jobs/{id}/bpmnError", post(bpmn_error))
        .route("/acquire/jobs/{id}/cmmnTerminate", post(cmmn_terminate))
        .route("/acquire/jobs/{id}/fail", post(fail))
        .route("/unacquire/jobs", post(release_all))
        .route("/unacquire/jobs/{id}", post(release))
        .fallback(async || Fault::new(StatusCode::NOT_FOUND, "Not found", "there is nothing under this path"))
        .method_not_allowed_fallback(async || {
            Fault::new(StatusCode::METHOD_NOT_ALLOWED, "Method not allowed", "nothing is done with this method here")
        })
        .with_state(engine)
}

/// Why a request is not let in.
pub fn refuse(status: StatusCode, _code: &str, detail: &str) -> Response {
    let message = match status {
        StatusCode::UNAUTHORIZED => "Unauthorized",
        StatusCode::FORBIDDEN => "Forbidden",
        StatusCode::TOO_MANY_REQUESTS => "Too many requests",
        status if status.is_client_error() => "Bad request",
        _ => "Internal server error",
    };
    Fault::new(status, message, detail).into_response()
}

/// Why something was not done: `{message, exception}`.
#[derive(Debug)]
struct Fault {
    status: StatusCode,
    message: &'static str,
    exception: String,
}

impl Fault {
    fn new(status: StatusCode, message: &'static str, exception: impl Into<String>) -> Self {
        Self { status, message, exception: exception.into() }
    }

    fn bad(exception: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "Bad request", exception)
    }

    fn unknown(id: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "Not found", format!("Could not find external worker job with id '{id}'."))
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        let text = error.to_string();
        match error {
            Error::UnknownJob(_) => Self::new(StatusCode::NOT_FOUND, "Not found", text),
            Error::LeaseLost(_) | Error::Forbidden { .. } | Error::ForeignTenant(_) => {
                Self::new(StatusCode::FORBIDDEN, "Forbidden", text)
            }
            Error::Variable { .. } | Error::NoVariables => Self::bad(text),
            Error::InstanceSuspended(_) => Self::new(StatusCode::CONFLICT, "Conflict", text),
            _ => Self::new(StatusCode::INTERNAL_SERVER_ERROR, "Internal server error", text),
        }
    }
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        let body = json!({"message": self.message, "exception": self.exception});
        (self.status, [(header::CONTENT_TYPE, "application/json")], body.to_string()).into_response()
    }
}

type Answer = Result<Response, Fault>;

/// The members of a body; what it does not know it ignores, and null is absent.
struct Body(Map<String, Json>);

impl Body {
    fn read(bytes: &Bytes) -> Result<Self, Fault> {
        match serde_json::from_slice(bytes) {
            Ok(Json::Object(members)) => Ok(Self(members)),
            Ok(_) => Err(Fault::bad("the body must be a JSON object")),
            Err(error) => Err(Fault::bad(format!("the body is no JSON: {error}"))),
        }
    }

    fn text(&self, name: &str) -> Result<Option<Name>, Fault> {
        match self.0.get(name) {
            None | Some(Json::Null) => Ok(None),
            Some(Json::String(text)) => Ok(Some(text.as_str().into())),
            Some(other) => Err(Fault::bad(format!("`{name}` must be text, and is {other}"))),
        }
    }

    fn needed(&self, name: &str) -> Result<Name, Fault> {
        self.text(name)?.ok_or_else(|| Fault::bad(format!("{name} is required")))
    }

    fn number(&self, name: &str) -> Result<Option<i64>, Fault> {
        match self.0.get(name) {
            None | Some(Json::Null) => Ok(None),
            Some(number) if number.is_i64() => Ok(number.as_i64()),
            Some(other) => Err(Fault::bad(format!("`{name}` must be a whole number, and is {other}"))),
        }
    }

    /// A length of time, e.g. `PT1M`.
    fn duration(&self, name: &str) -> Result<Option<Duration>, Fault> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        let now = Timestamp::UNIX_EPOCH;
        let wrong = || Fault::bad(format!("`{name}` must be an ISO 8601 duration such as PT1M, and is {text}"));
        let kind = potok_core::model::TimerKind::Duration;
        let timer = Timer::parse(kind, &Value::String(text.clone()), now, &Zone::UTC).map_err(|_| wrong())?;
        Duration::try_from(timer.first_due().duration_since(now)).map(Some).map_err(|_| wrong())
    }

    fn variables(&self) -> Result<potok_core::step::Variables, Fault> {
        variable::read(self.0.get("variables").unwrap_or(&Json::Null)).map_err(Fault::bad)
    }
}

/// A time in milliseconds.
fn date(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

/// Jobs as Flowable shows them.
async fn shown(engine: &Engine, rows: &[&Row]) -> Result<Vec<Json>, Fault> {
    let keys: BTreeSet<u64> = rows.iter().map(|row| row.definition.into()).collect();
    let keys: Vec<Key> = keys.into_iter().map(Key).collect();
    let definitions = match keys.as_slice() {
        [] => Vec::new(),
        _ => engine.definitions(&DefinitionQuery { keys, ..DefinitionQuery::default() }).await?,
    };
    let of = |row: &Row| definitions.iter().find(|definition| definition.key == row.definition);
    let mut all = Vec::with_capacity(rows.len());
    for row in rows {
        let name = element_name(engine, row).await?;
        all.push(one_shown(row, of(row), name.as_deref()));
    }
    Ok(all)
}

/// Whether the model says which variables a worker is given; else it is given all.
async fn has_parameters(engine: &Engine, row: &Row) -> Result<bool, Fault> {
    let graph = engine.graph(row.definition.into()).await?;
    let node = graph.as_ref().and_then(|graph| graph.get_node(graph.find(&row.node)?));
    Ok(node.is_some_and(|node| !node.details.inputs.is_empty()))
}

/// The name of the flow node that a job is of.
async fn element_name(engine: &Engine, row: &Row) -> Result<Option<Name>, Fault> {
    let graph = engine.graph(row.definition.into()).await?;
    Ok(graph.and_then(|graph| graph.get_node(graph.find(&row.node)?)?.name.clone()))
}

fn one_shown(row: &Row, definition: Option<&Definition>, name: Option<&str>) -> Json {
    let id = id::id(row.key);
    let lock = match row.lease {
        // It is not handed out before its next try.
        0 => row.error.as_ref().map(|_| row.available),
        _ => Some(row.leased_until),
    };
    json!({
        "id": id,
        "url": format!("/external-job-api/jobs/{id}"),
        "correlationId": id::part(row.key, id::ACTIVITY),
        "processInstanceId": id::id(row.instance),
        "processDefinitionId": definition.map_or_else(|| id::id(row.definition), id::definition),
        "executionId": id::part(row.key, id::EXECUTION),
        "scopeId": null,
        "subScopeId": null,
        "scopeDefinitionId": null,
        "scopeType": null,
        "elementId": &*row.node,
        "elementName": name,
        "retries": row.retries,
        "exceptionMessage": row.error.as_deref(),
        "dueDate": null,
        "createTime": date(JobId(row.key).created()),
        "tenantId": row.tenant.as_deref().unwrap_or_default(),
        "lockOwner": row.worker.as_deref().filter(|_| row.lease != 0),
        "lockExpirationTime": lock.map(date),
    })
}

fn parse(text: &str) -> Result<JobId, Fault> {
    id::parse(text).ok_or_else(|| Fault::unknown(text))
}

async fn list(Acting(engine): Acting, Query(asked): Query<Vec<(String, String)>>) -> Answer {
    let value = |name: &str| asked.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str());
    let number = |name: &str, other: usize| match value(name).map(str::parse) {
        None => Ok(other),
        Some(number) => number.map_err(|_| Fault::bad(format!("`{name}` must be a number"))),
    };
    let (start, size) = (number("start", 0)?, number("size", PAGE)?);
    // What is no id is nothing's; neither are there jobs of cases.
    let (ids, instances) = (value("id").map(id::parse::<Key>), value("processInstanceId").map(id::parse::<Key>));
    let definition = value("processDefinitionId").map(id::parse_definition);
    let is_of_a_case = value("scopeId").is_some() || value("scopeType").is_some_and(|scope| scope != "bpmn");
    if [ids, instances, definition].contains(&Some(None)) || is_of_a_case {
        return Ok(answer(&json!({"data": [], "total": 0, "start": start, "sort": "id", "order": "asc", "size": 0})));
    }
    let key = |key: Option<Option<Key>>| key.flatten().into_iter().collect();
    let names = |name: &str| value(name).map(Name::from).into_iter().collect();
    let query = JobQuery {
        keys: key(ids),
        instances: key(instances),
        definition: definition.flatten(),
        nodes: names("elementId"),
        topics: names("topic"),
        ..JobQuery::default()
    };
    let mut rows = engine.jobs(&query).await?;
    if let Some(owner) = value("lockOwner") {
        rows.retain(|row| row.lease != 0 && row.worker.as_deref() == Some(owner));
    }
    let is_set = |name: &str| value(name) == Some("true");
    let (locked, unlocked) = (is_set("locked"), is_set("unlocked"));
    let (failed, untenanted) = (is_set("withException"), is_set("withoutTenantId"));
    let pattern = |name: &str, own: Option<&str>| {
        value(name).is_none_or(|pattern| own.is_some_and(|own| condition::like(pattern, own)))
    };
    rows.retain(|row| {
        let is = |name: &str, own: Option<&str>| value(name).is_none_or(|value| own == Some(value));
        (!locked || row.lease != 0)
            && (!unlocked || row.lease == 0)
            && (!failed || row.error.is_some())
            && (!untenanted || row.tenant.is_none())
            && is("exceptionMessage", row.error.as_deref())
            && is("tenantId", row.tenant.as_deref())
            && pattern("tenantIdLike", row.tenant.as_deref())
            && is("executionId", Some(&id::part(row.key, id::EXECUTION)))
    });
    if let Some(name) = value("elementName") {
        let mut named = Vec::new();
        for row in rows {
            if element_name(&engine, &row).await?.as_deref() == Some(name) {
                named.push(row);
            }
        }
        rows = named;
    }
    let total = rows.len();
    let (sort, order) = (value("sort").unwrap_or("id"), value("order").unwrap_or("asc"));
    rows.sort_by(|left, right| match sort {
        "processInstanceId" => left.instance.cmp(&right.instance),
        "processDefinitionId" => left.definition.cmp(&right.definition),
        "executionId" | "createTime" | "dueDate" | "id" => left.key.cmp(&right.key),
        "retries" => left.retries.cmp(&right.retries),
        "tenantId" => left.tenant.cmp(&right.tenant),
        _ => std::cmp::Ordering::Equal,
    });
    match order {
        "asc" => {}
        "desc" => rows.reverse(),
        other => return Err(Fault::bad(format!("`order` must be asc or desc, and is {other}"))),
    }
    if !SORTED_BY.contains(&sort) {
        return Err(Fault::bad(format!("nothing is sorted by `{sort}`; there are {}", SORTED_BY.join(", "))));
    }
    let page: Vec<&Row> = rows.iter().skip(start).take(size).collect();
    let data = shown(&engine, &page).await?;
    let count = data.len();
    Ok(answer(&json!({"data": data, "total": total, "start": start, "sort": sort, "order": order, "size": count})))
}

async fn one(Acting(engine): Acting, Path(text): Path<String>) -> Answer {
    let row = engine.job(parse(&text)?).await?;
    Ok(answer(&shown(&engine, &[&row]).await?.pop().unwrap_or_default()))
}

async fn acquire(Acting(engine): Acting, bytes: Bytes) -> Answer {
    let body = Body::read(&bytes)?;
    let (topic, worker) = (body.needed("topic")?, body.needed("workerId")?);
    if topic.is_empty() || worker.is_empty() {
        return Err(Fault::bad("topic and workerId must not be empty"));
    }
    let lease = body.duration("lockDuration")?.ok_or_else(|| Fault::bad("lockDuration is required"))?;
    let limit = body.number("numberOfTasks")?.unwrap_or(1);
    let limit = usize::try_from(limit).ok().filter(|limit| *limit > 0);
    let limit = limit.ok_or_else(|| Fault::bad("numberOfTasks must be greater than 0"))?;
    if body.text("scopeType")?.is_some_and(|scope| &*scope != "bpmn") {
        return Ok(answer(&json!([])));
    }
    let wanted = vec![Wanted::topic(topic, lease)];
    let jobs = engine.fetch_wanted(worker, wanted, First::Urgent, limit, Duration::ZERO).await?;
    let rows: Vec<&Row> = jobs.iter().map(|job| &**job).collect();
    let mut acquired = shown(&engine, &rows).await?;
    for (body, job) in acquired.iter_mut().zip(&jobs) {
        let given = if has_parameters(&engine, job).await? { job.own_variables() } else { job.variables() };
        body["variables"] = variable::write(given);
    }
    Ok(answer(&Json::Array(acquired)))
}

/// A job that the worker in the body has.
async fn theirs(engine: &Engine, id: &str, body: &Body) -> Result<Job, Fault> {
    let worker = body.needed("workerId")?;
    match engine.job_of(parse(id)?, &worker).await {
        Err(Error::LeaseLost(_)) => {
            let text = format!("worker '{worker}' does not hold a lock on the requested job");
            Err(Fault::new(StatusCode::FORBIDDEN, "Forbidden", text))
        }
        found => Ok(found?),
    }
}

async fn complete(Acting(engine): Acting, Path(id): Path<String>, bytes: Bytes) -> Answer {
    let body = Body::read(&bytes)?;
    let job = theirs(&engine, &id, &body).await?;
    engine.complete_job(&job, body.variables()?).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn bpmn_error(Acting(engine): Acting, Path(id): Path<String>, bytes: Bytes) -> Answer {
    let body = Body::read(&bytes)?;
    let job = theirs(&engine, &id, &body).await?;
    let code = body.text("errorCode")?.unwrap_or_default();
    engine.throw_job_error(&job, code, body.text("errorMessage")?, body.variables()?).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn cmmn_terminate(Acting(engine): Acting, Path(id): Path<String>, bytes: Bytes) -> Answer {
    let body = Body::read(&bytes)?;
    theirs(&engine, &id, &body).await?;
    Err(Fault::bad("this is a job of a BPMN process; only those of CMMN cases can be terminated"))
}

async fn fail(Acting(engine): Acting, Path(id): Path<String>, bytes: Bytes) -> Answer {
    let body = Body::read(&bytes)?;
    let job = theirs(&engine, &id, &body).await?;
    let failure = JobFailure {
        message: body.text("errorMessage")?.unwrap_or_default(),
        details: body.text("errorDetails")?,
        retries: body.number("retries")?.map(|retries| retries.max(0)),
        pause: body.duration("retryTimeout")?,
    };
    engine.fail_job(&job, &failure).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn release(Acting(engine): Acting, Path(id): Path<String>, bytes: Bytes) -> Answer {
    let body = Body::read(&bytes)?;
    let job = theirs(&engine, &id, &body).await?;
    engine.free_job(job.id()).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn release_all(Acting(engine): Acting, bytes: Bytes) -> Answer {
    let body = Body::read(&bytes)?;
    let (worker, tenant) = (body.needed("workerId")?, body.text("tenantId")?);
    let query = JobQuery { worker: Some(worker.clone()), tenant, ..JobQuery::default() };
    for row in engine.jobs(&query).await? {
        // What the worker has lost meanwhile is another's.
        match engine.job_of(JobId(row.key), &worker).await {
            Ok(job) => engine.free_job(job.id()).await?,
            Err(Error::LeaseLost(_) | Error::UnknownJob(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(StatusCode::NO_CONTENT.into_response())
}
