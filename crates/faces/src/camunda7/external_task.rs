//! `/external-task`: jobs, for workers elsewhere.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::Router;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::routing::{get, post, put};
use jiff::Timestamp;
use potok::query::{DefinitionQuery, JobQuery};
use potok::row::{Definition, DefinitionKind, Job as JobRow};
use potok::{Engine, Error, First, Job, JobFailure, JobId, Name, Wanted};
use potok_core::instance::Key;
use serde_json::{Map, Value as Json, json};

use super::answer::{self, Answer, json as answer, nothing};
use super::condition::equals;
use super::date::date;
use super::error::Fault;
use super::fields::{Fields, InBody, InQuery};
use super::list::{self, Asked, List};
use super::{external_task_query, id, value};
use crate::acting::Acting;

/// Longest that a worker may wait for work.
const PATIENCE: i64 = 1_800_000;

/// How long a worker waits here at most; after that it is answered that there is nothing, and asks again.
const WAIT: Duration = Duration::from_secs(60);

/// Characters of an error message that Camunda keeps.
const MESSAGE: usize = 666;

pub(crate) fn routes() -> Router<Engine> {
    Router::new()
        .merge(list::routes::<ExternalTasks>())
        .route("/external-task/topic-names", get(topic_names))
        .route("/external-task/fetchAndLock", post(fetch_and_lock))
        .route("/external-task/retries", put(set_retries_of_many))
        .route("/external-task/{id}", get(one))
        .route("/external-task/{id}/errorDetails", get(error_details))
        .route("/external-task/{id}/complete", post(complete))
        .route("/external-task/{id}/failure", post(failure))
        .route("/external-task/{id}/bpmnError", post(bpmn_error))
        .route("/external-task/{id}/extendLock", post(extend_lock))
        .route("/external-task/{id}/lock", post(lock))
        .route("/external-task/{id}/unlock", post(unlock))
        .route("/external-task/{id}/retries", put(set_retries))
        .route("/external-task/{id}/priority", put(set_priority))
}

fn milliseconds(number: i64) -> Duration {
    Duration::from_millis(u64::try_from(number).unwrap_or(0))
}

async fn fetch_and_lock(Acting(engine): Acting, InBody(fields): InBody) -> Answer {
    let patience = fields.number("asyncResponseTimeout")?.unwrap_or(0);
    if patience > PATIENCE {
        let message =
            format!("The asynchronous response timeout cannot be set to a value greater than {PATIENCE} milliseconds");
        return Err(Fault::invalid(message));
    }
    let limit = fields.number("maxTasks")?.unwrap_or(0);
    let topics = fields.objects("topics")?;
    let worker = fields.text("workerId")?;
    let order = answer::order(&fields, &["createTime"], &[]).map_err(|fault| Fault::invalid(fault.message()))?;
    if limit < 0 {
        return Err(Fault::failed("maxTasks must not be negative"));
    }
    let Some(worker) = worker else { return Err(Fault::failed_as("NullValueException", "workerId is null")) };
    let first = match (fields.flag("usePriority")?, order.first().map(|by| by.descending)) {
        (Some(true), Some(true)) => First::UrgentNewest,
        (Some(true), _) => First::Urgent,
        (_, Some(true)) => First::Newest,
        _ => First::Oldest,
    };
    let mut wanted = Vec::new();
    for topic in &topics {
        wanted.extend(of_topic(&engine, topic).await?);
    }
    let limit = usize::try_from(limit).unwrap_or(0);
    if wanted.is_empty() || limit == 0 {
        return Ok(answer(&json!([])));
    }
    let jobs = engine.fetch_wanted(worker, wanted, first, limit, milliseconds(patience).min(WAIT)).await?;
    let mut about = About::default();
    let mut tasks = Vec::with_capacity(jobs.len());
    for job in &jobs {
        let topic = topics.iter().find(|topic| topic.text("topicName").ok().flatten().as_ref() == Some(&job.topic));
        let definition = about.definition(&engine, job).await?;
        let mut task = of_row(job, definition.as_ref(), job.business_key());
        let topic = topic.cloned().unwrap_or_default();
        task.insert("errorDetails".into(), json!(job.details.as_deref()));
        task.insert("variables".into(), variables(job, &topic)?);
        let properties =
            if topic.is_set("includeExtensionProperties")? { properties(&engine, job).await? } else { json!({}) };
        task.insert("extensionProperties".into(), properties);
        tasks.push(Json::Object(task));
    }
    Ok(answer(&Json::Array(tasks)))
}

/// What is wanted of a topic; nothing if no job can be meant.
async fn of_topic(engine: &Engine, topic: &Fields) -> Result<Option<Wanted>, Fault> {
    let name = topic.text("topicName")?.ok_or_else(|| Fault::failed_as("NullValueException", "topicName is null"))?;
    let lease = topic.number("lockDuration")?.unwrap_or(0);
    if lease <= 0 {
        return Err(Fault::failed("lockDuration must be greater than 0"));
    }
    let mut wanted = Wanted::topic(name, milliseconds(lease));
    wanted.business_key = topic.text("businessKey")?;
    wanted.processes = topic.list("processDefinitionKeyIn")?.unwrap_or_default();
    wanted.processes.extend(topic.text("processDefinitionKey")?);
    let mut ids = topic.list("processDefinitionIdIn")?.unwrap_or_default();
    ids.extend(topic.text("processDefinitionId")?);
    let known: Vec<_> = ids.iter().filter_map(|text| id::parse_definition(text)).collect();
    if known.is_empty() && !ids.is_empty() {
        return Ok(None);
    }
    wanted.definitions = known;
    if let Some(tag) = topic.text("processDefinitionVersionTag")? {
        let query =
            DefinitionQuery { kind: Some(DefinitionKind::Process), tag: Some(tag), ..DefinitionQuery::default() };
        let tagged: Vec<_> = engine.definitions(&query).await?.into_iter().map(|row| row.key).collect();
        wanted.definitions = match wanted.definitions.as_slice() {
            [] => tagged,
            known => tagged.into_iter().filter(|key| known.contains(key)).collect(),
        };
        if wanted.definitions.is_empty() {
            return Ok(None);
        }
    }
    wanted.tenants = topic.list("tenantIdIn")?.unwrap_or_default();
    if topic.is_set("withoutTenantId")? {
        wanted.tenants.push(Name::new());
    }
    for (name, value) in topic.map("processVariables")? {
        wanted.variables.push(equals(&name, &value::read_plain(&name, &value)?));
    }
    Ok(Some(wanted))
}

/// The variables that a topic asks for: none by an empty list, all by none.
fn variables(job: &Job, topic: &Fields) -> Result<Json, Fault> {
    let all = if topic.is_set("localVariables")? { job.own_variables() } else { job.variables() };
    let deserialise = topic.is_set("deserializeValues")?;
    Ok(match topic.array("variables")? {
        None => value::map(all, deserialise),
        Some(names) => {
            let chosen: Vec<_> = all.iter().filter(|(name, _)| names.contains(name)).cloned().collect();
            value::map(&chosen, deserialise)
        }
    })
}

async fn properties(engine: &Engine, job: &JobRow) -> Result<Json, Fault> {
    let graph = engine.graph(job.definition.into()).await?;
    let properties = graph.and_then(|graph| {
        let node = graph.get_node(graph.find(&job.node)?)?;
        Some(node.details.properties.iter().map(|(name, value)| (name.to_string(), json!(&**value))).collect())
    });
    Ok(Json::Object(properties.unwrap_or_default()))
}

/// What several tasks have in common.
#[derive(Default)]
struct About(BTreeMap<u64, Option<Definition>>);

impl About {
    async fn definition(&mut self, engine: &Engine, job: &JobRow) -> Result<Option<Definition>, Fault> {
        let key = job.definition.into();
        if let Some(known) = self.0.get(&key) {
            return Ok(known.clone());
        }
        let found = engine.versions([job.definition.into()]).await?.pop();
        self.0.insert(key, found.clone());
        Ok(found)
    }
}

/// A task's members without variables.
fn of_row(job: &JobRow, definition: Option<&Definition>, business_key: Option<&Name>) -> Map<String, Json> {
    // After a failure the worker stays, and the lock lasts until the next try.
    let locked_until = match (&job.worker, job.lease) {
        (None, _) => None,
        (Some(_), 0) => Some(job.available),
        (Some(_), _) => Some(job.leased_until),
    };
    let task = json!({
        "id": id::id(job.key),
        "topicName": &*job.topic,
        "workerId": job.worker.as_deref(),
        "lockExpirationTime": locked_until.map(date),
        "createTime": date(JobId(job.key).created()),
        "retries": job.counted.then_some(job.retries),
        "priority": job.priority,
        "suspended": job.suspended,
        "activityId": &*job.node,
        "activityInstanceId": id::activity_instance(&job.node, job.key, id::ACTIVITY),
        "executionId": id::part(job.key, id::EXECUTION),
        "processInstanceId": id::id(job.instance),
        "processDefinitionId": definition.map_or_else(|| id::id(job.definition), id::definition),
        "processDefinitionKey": &*job.process,
        "processDefinitionVersionTag": definition.and_then(|definition| definition.tag.as_deref()),
        "tenantId": job.tenant.as_deref(),
        "businessKey": business_key.map(|key| &**key),
        "errorMessage": job.error.as_deref(),
    });
    match task {
        Json::Object(members) => members,
        _ => Map::new(),
    }
}

async fn found(engine: &Engine, text: &str) -> Result<Option<JobRow>, Fault> {
    let Some(id) = id::parse::<JobId>(text) else { return Ok(None) };
    match engine.job(id).await {
        Ok(row) => Ok(Some(row)),
        Err(Error::UnknownJob(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// For reading.
fn missing(text: &str) -> Fault {
    Fault::refused_by_rest(StatusCode::NOT_FOUND, format!("External task with id {text} does not exist"))
}

/// For verbs.
fn unknown(text: &str) -> Fault {
    Fault::refused(StatusCode::NOT_FOUND, format!("Cannot find external task with id {text}"))
}

async fn shown(engine: &Engine, rows: &[JobRow]) -> Result<Vec<Json>, Fault> {
    let mut about = About::default();
    let business_keys = engine.business_keys_of(rows).await?;
    let mut tasks = Vec::with_capacity(rows.len());
    for row in rows {
        let definition = about.definition(engine, row).await?;
        let business_key = business_keys.get(&row.instance.into());
        tasks.push(Json::Object(of_row(row, definition.as_ref(), business_key)));
    }
    Ok(tasks)
}

async fn one(Acting(engine): Acting, Path(text): Path<String>) -> Answer {
    let row = found(&engine, &text).await?.ok_or_else(|| missing(&text))?;
    let task = shown(&engine, &[row]).await?.pop().unwrap_or_default();
    Ok(answer(&task))
}

async fn error_details(Acting(engine): Acting, Path(text): Path<String>) -> Answer {
    let row = found(&engine, &text).await?;
    let row =
        row.ok_or_else(|| Fault::failed_as("NullValueException", format!("Cannot find external task with id {text}")))?;
    Ok(row.details.map_or_else(nothing, |details| answer::text(details.to_string())))
}

/// A task that the worker in the body has.
async fn theirs(engine: &Engine, text: &str, fields: &Fields) -> Result<Job, Fault> {
    let worker = fields.text("workerId")?.ok_or_else(|| Fault::failed_as("NullValueException", "workerId is null"))?;
    let id = id::parse::<JobId>(text).ok_or_else(|| unknown(text))?;
    let job = match engine.job_of(id, &worker).await {
        Err(Error::LeaseLost(_)) => again_theirs(engine, id, &worker).await,
        found => found,
    };
    match job {
        Ok(job) => Ok(job),
        Err(Error::UnknownJob(_)) => Err(unknown(text)),
        Err(Error::LeaseLost(_)) => Err(not_theirs(text, &worker)),
        Err(error) => Err(error.into()),
    }
}

/// A task that a worker has failed stays the worker's as long as nobody else has fetched it: locked until its next try.
async fn again_theirs(engine: &Engine, id: JobId, worker: &Name) -> Result<Job, Error> {
    let row = engine.job(id).await?;
    if row.lease != 0 || row.worker.as_ref() != Some(worker) {
        return Err(Error::LeaseLost(id));
    }
    let left = row.available.duration_since(Timestamp::now());
    engine.lease_job(id, worker.clone(), Duration::try_from(left).unwrap_or_default()).await?;
    engine.job_of(id, worker).await
}

fn not_theirs(text: &str, worker: &str) -> Fault {
    let message = format!(
        "External Task {text} cannot be completed by worker '{worker}'. It is locked by another worker, or by nobody"
    );
    Fault::refused(StatusCode::BAD_REQUEST, message)
}

/// What became of a task, in Camunda's words.
fn answered(text: &str, done: Result<(), Error>) -> Answer {
    match done {
        Ok(()) => Ok(nothing()),
        Err(Error::UnknownJob(_)) => Err(unknown(text)),
        Err(error @ Error::LeaseLost(_)) => Err(Fault::refused(StatusCode::BAD_REQUEST, error.to_string())),
        Err(error @ Error::InstanceSuspended(_)) => Err(Fault::refused(StatusCode::BAD_REQUEST, error.to_string())),
        Err(error) => Err(error.into()),
    }
}

async fn complete(Acting(engine): Acting, Path(text): Path<String>, InBody(fields): InBody) -> Answer {
    let (variables, local) = (
        value::variables_of_known_types(&fields, "variables")?,
        value::variables_of_known_types(&fields, "localVariables")?,
    );
    if let (Some(worker), Some(id)) = (fields.text("workerId")?, id::parse::<JobId>(&text))
        && engine.complete_as_handed_out(id, &worker, variables.clone(), local.clone()).await?
    {
        return Ok(nothing());
    }
    let job = theirs(&engine, &text, &fields).await?;
    if job.suspended {
        return answered(&text, Err(Error::InstanceSuspended(job.instance_id())));
    }
    answered(&text, engine.complete_job_with(&job, variables, local).await)
}

async fn failure(Acting(engine): Acting, Path(text): Path<String>, InBody(fields): InBody) -> Answer {
    let (variables, local) = (
        value::variables_of_known_types(&fields, "variables")?,
        value::variables_of_known_types(&fields, "localVariables")?,
    );
    let (retries, pause) = (fields.number("retries")?.unwrap_or(0), fields.number("retryTimeout")?.unwrap_or(0));
    let job = theirs(&engine, &text, &fields).await?;
    if retries < 0 || pause < 0 {
        return Err(Fault::failed("retries and retryTimeout must not be negative"));
    }
    let message = fields.text("errorMessage")?.unwrap_or_default();
    let failure = JobFailure {
        message: message.chars().take(MESSAGE).collect::<String>().into(),
        details: fields.text("errorDetails")?,
        retries: Some(retries),
        pause: Some(milliseconds(pause)),
    };
    answered(&text, engine.fail_job_with(&job, &failure, variables, local).await)
}

async fn bpmn_error(Acting(engine): Acting, Path(text): Path<String>, InBody(fields): InBody) -> Answer {
    let variables = value::variables_of_known_types(&fields, "variables")?;
    let job = theirs(&engine, &text, &fields).await?;
    let code = fields.text("errorCode")?.ok_or_else(|| Fault::failed_as("NullValueException", "errorCode is null"))?;
    let message = fields.text("errorMessage")?;
    if code.is_empty() || message.as_ref().is_some_and(|message| message.is_empty()) {
        return Err(Fault::failed("errorCode and errorMessage must not be empty"));
    }
    if job.suspended {
        return answered(&text, Err(Error::InstanceSuspended(job.instance_id())));
    }
    answered(&text, engine.throw_job_error(&job, code, message, variables).await)
}

async fn extend_lock(Acting(engine): Acting, Path(text): Path<String>, InBody(fields): InBody) -> Answer {
    let job = theirs(&engine, &text, &fields).await?;
    let duration = fields.number("newDuration")?.unwrap_or(0);
    if duration <= 0 {
        return Err(Fault::refused(StatusCode::BAD_REQUEST, "newDuration must be greater than 0"));
    }
    if job.leased_until <= Timestamp::now() {
        return answered(&text, Err(Error::LeaseLost(job.id())));
    }
    answered(&text, engine.extend_job(&job, milliseconds(duration)).await)
}

async fn lock(Acting(engine): Acting, Path(text): Path<String>, InBody(fields): InBody) -> Answer {
    let worker = fields.text("workerId")?.ok_or_else(|| Fault::failed_as("NullValueException", "workerId is null"))?;
    let duration = fields.number("lockDuration")?.unwrap_or(0);
    if duration <= 0 {
        return Err(Fault::refused(StatusCode::BAD_REQUEST, "lockDuration must be greater than 0"));
    }
    let id = id::parse::<JobId>(&text).ok_or_else(|| unknown(&text))?;
    answered(&text, engine.lease_job(id, worker, milliseconds(duration)).await)
}

/// With any body, or none: the JavaScript client sends an empty one without a content type.
async fn unlock(Acting(engine): Acting, Path(text): Path<String>) -> Answer {
    let id = id::parse::<JobId>(&text).ok_or_else(|| unknown(&text))?;
    answered(&text, engine.free_job(id).await)
}

/// A number of tries left.
pub(crate) fn tries(fields: &Fields) -> Result<u32, Fault> {
    let retries = fields.number("retries")?.ok_or_else(|| Fault::invalid("The number of retries cannot be null"))?;
    u32::try_from(retries).map_err(|_| Fault::bad_request_of("BadUserRequestException", "retries must not be negative"))
}

async fn set_retries(Acting(engine): Acting, Path(text): Path<String>, InBody(fields): InBody) -> Answer {
    let retries = tries(&fields)?;
    let id = id::parse::<JobId>(&text).ok_or_else(|| unknown(&text))?;
    answered(&text, engine.set_job_retries(id, retries).await)
}

async fn set_priority(Acting(engine): Acting, Path(text): Path<String>, InBody(fields): InBody) -> Answer {
    let priority = fields.number("priority")?;
    let priority = priority.ok_or_else(|| Fault::broken_as("NullPointerException", "`priority` is needed"))?;
    let id = id::parse::<JobId>(&text).ok_or_else(|| unknown(&text))?;
    answered(&text, engine.set_job_priority(id, priority).await)
}

async fn set_retries_of_many(Acting(engine): Acting, InBody(fields): InBody) -> Answer {
    // Here Camunda's REST layer looks at it before its engine does.
    let retries = tries(&fields).map_err(|fault| Fault::invalid(fault.message()))?;
    let jobs = chosen(&engine, &fields).await?;
    if jobs.is_empty() {
        return Err(Fault::invalid("externalTaskIds is empty"));
    }
    for key in jobs.into_keys() {
        engine.set_job_retries(JobId(key), retries).await?;
    }
    Ok(nothing())
}

/// The tasks that a body names, those of instances that it names, and those that its queries find.
pub(crate) async fn chosen(engine: &Engine, fields: &Fields) -> Result<BTreeMap<Key, JobRow>, Fault> {
    let mut rows = Vec::new();
    for text in fields.list("externalTaskIds")?.unwrap_or_default() {
        rows.push(found(engine, &text).await?.ok_or_else(|| unknown(&text))?);
    }
    if let Some(query) = fields.get("externalTaskQuery") {
        rows.extend(list::all::<ExternalTasks>(engine, &Fields::of(query)?).await?);
    }
    let instances = super::batch::instances(engine, fields, "processInstanceIds").await?;
    if !instances.is_empty() {
        let instances = instances.into_iter().map(|id| id.0).collect();
        rows.extend(engine.jobs(&JobQuery { instances, ..JobQuery::default() }).await?);
    }
    Ok(rows.into_iter().map(|row| (row.key, row)).collect())
}

async fn topic_names(Acting(engine): Acting, InQuery(fields): InQuery) -> Answer {
    let mut rows = engine.jobs(&JobQuery::default()).await?;
    let now = Timestamp::now();
    if fields.is_set("withLockedTasks")? {
        rows.retain(|row| is_locked(row, now));
    }
    if fields.is_set("withUnlockedTasks")? {
        rows.retain(|row| !is_locked(row, now));
    }
    if fields.is_set("withRetriesLeft")? {
        rows.retain(|row| row.retries > 0);
    }
    let names: std::collections::BTreeSet<&str> = rows.iter().map(|row| &*row.topic).collect();
    Ok(answer(&json!(names)))
}

pub(crate) fn is_locked(row: &JobRow, now: Timestamp) -> bool {
    match row.lease {
        0 => row.worker.is_some() && row.available > now,
        _ => row.leased_until > now,
    }
}

/// The list of external tasks.
struct ExternalTasks;

impl List for ExternalTasks {
    const PATH: &'static str = "/external-task";
    const FLAGS: &'static [&'static str] = &["variableNamesIgnoreCase", "variableValuesIgnoreCase"];
    const SORTED_BY: &'static [&'static str] = &[
        "id",
        "lockExpirationTime",
        "processInstanceId",
        "processDefinitionId",
        "processDefinitionKey",
        "taskPriority",
        "tenantId",
        "createTime",
    ];
    type Row = JobRow;

    async fn find(engine: &Engine, asked: &Asked<'_>) -> Result<Vec<JobRow>, Fault> {
        external_task_query::search(engine, asked).await
    }

    async fn count(engine: &Engine, asked: &Asked<'_>) -> Result<u64, Fault> {
        external_task_query::count(engine, asked).await
    }

    async fn shown(engine: &Engine, rows: Vec<JobRow>, _: &Fields) -> Result<Vec<Json>, Fault> {
        shown(engine, &rows).await
    }
}
