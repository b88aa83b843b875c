//! `/job`: timers and savepoints, and what got stuck in the engine itself elsewhere, which is a job without tries left.

use std::collections::BTreeSet;

use axum::Router;
use axum::extract::Path;
use axum::routing::{get, post, put};
use jiff::Timestamp;
use potok::query::IncidentQuery;
use potok::row::{Definition, Incident};
use potok::{Due, DueKind, DueQuery, Engine, Error, IncidentId, InstanceId, JobId, TimerId};
use potok_core::instance::Key;
use serde_json::{Value as Json, json};

use super::answer::{self, Answer, json as answer, nothing, text as plain};
use super::date::date;
use super::error::Fault;
use super::fields::{Fields, InBody, InQuery};
use super::job_definition::Kind;
use super::list::{self, Asked, List};
use super::{id, incident, job_definition, process_definition};
use crate::acting::Acting;

pub(crate) fn routes() -> Router<Engine> {
    Router::new()
        .merge(list::routes::<Jobs>())
        .route("/job/suspended", put(suspend_many))
        .route("/job/{id}", get(one).delete(delete))
        .route("/job/{id}/retries", put(set_retries))
        .route("/job-definition/{id}/retries", put(set_retries_of_spent))
        .route("/job/{id}/execute", post(execute))
        .route("/job/{id}/stacktrace", get(stack_trace))
        .route("/job/{id}/duedate", put(set_due_date))
        .route("/job/{id}/duedate/recalculate", post(recalculate))
        .route("/job/{id}/priority", put(set_priority))
        .route("/job/{id}/suspended", put(suspend))
}

/// A job.
enum Job {
    /// It is done when it is due.
    Due(Due),
    /// It got stuck, and nothing that followed was undone.
    Stuck(Incident),
}

impl Job {
    fn key(&self) -> Key {
        match self {
            Self::Due(due) => due.key,
            Self::Stuck(incident) => incident.key,
        }
    }

    fn node(&self) -> &str {
        match self {
            Self::Due(due) => &due.node,
            Self::Stuck(incident) => &incident.node,
        }
    }

    fn process(&self) -> &str {
        match self {
            Self::Due(due) => &due.process,
            Self::Stuck(incident) => &incident.process,
        }
    }

    fn definition(&self) -> Key {
        match self {
            Self::Due(due) => due.definition.0,
            Self::Stuck(incident) => incident.definition,
        }
    }

    fn instance(&self) -> Option<Key> {
        match self {
            Self::Due(due) => due.instance.map(|id| id.0),
            Self::Stuck(incident) => Some(incident.instance),
        }
    }

    fn tenant(&self) -> Option<&str> {
        match self {
            Self::Due(due) => due.tenant.as_deref(),
            Self::Stuck(incident) => incident.tenant.as_deref(),
        }
    }

    /// When it is due; none if at once.
    fn due(&self) -> Option<Timestamp> {
        match self {
            Self::Due(due) => due.due,
            Self::Stuck(_) => None,
        }
    }

    fn retries(&self) -> i64 {
        match self {
            Self::Due(due) => due.retries,
            Self::Stuck(_) => 0,
        }
    }

    fn priority(&self) -> i64 {
        match self {
            Self::Due(due) => due.priority,
            Self::Stuck(_) => 0,
        }
    }

    /// Where and how it has failed.
    fn failure(&self) -> Option<(&str, &str)> {
        match self {
            Self::Due(due) => due.failure.as_ref().map(|failure| (&*failure.element, &*failure.message)),
            Self::Stuck(incident) => Some((&incident.node, &incident.message)),
        }
    }

    fn is_suspended(&self) -> bool {
        matches!(self, Self::Due(due) if due.suspended)
    }

    /// The id of what the flow node's jobs of its kind have in common.
    async fn job_definition(&self, engine: &Engine) -> Result<String, Fault> {
        let kind = match self {
            Self::Due(Due { kind: DueKind::Timer | DueKind::StartTimer, .. }) => Kind::Timer,
            Self::Due(Due { kind: DueKind::Savepoint { after: true }, .. }) => Kind::After,
            _ => Kind::Before,
        };
        job_definition::id_by_node(engine, self.definition(), self.node(), kind).await
    }

    fn shown(&self, definition: Option<&Definition>, job_definition: &str) -> Json {
        let (failed, message) = self.failure().unzip();
        json!({
            "id": id::id(self.key()),
            "jobDefinitionId": job_definition,
            "processInstanceId": self.instance().map(id::id),
            "executionId": self.instance().map(|_| id::part(self.key(), id::EXECUTION)),
            "processDefinitionId": definition.map_or_else(|| id::id(self.definition()), id::definition),
            "processDefinitionKey": self.process(),
            "retries": self.retries(),
            "exceptionMessage": message,
            "failedActivityId": failed,
            "dueDate": self.due().map(date),
            "suspended": self.is_suspended(),
            "priority": self.priority(),
            "tenantId": self.tenant(),
            "createTime": date(JobId(self.key()).created()),
            "batchId": null,
        })
    }
}

/// Whether it waits for a time of its own.
fn is_timer(due: &Due) -> bool {
    matches!(due.kind, DueKind::Timer | DueKind::StartTimer)
}

fn missing(text: &str) -> Fault {
    Fault::missing(format!("Job with id '{text}' does not exist."))
}

async fn find(engine: &Engine, text: &str) -> Result<Option<Job>, Fault> {
    let Some(key) = id::parse::<Key>(text) else { return Ok(None) };
    let due = engine.due(&DueQuery { keys: vec![key], ..DueQuery::default() }).await?.pop();
    if let Some(due) = due {
        return Ok(Some(Job::Due(due)));
    }
    let query = IncidentQuery { open: Some(true), keys: vec![key], ..IncidentQuery::default() };
    let stuck = engine.incidents(&query).await?.pop().filter(incident::is_a_job);
    Ok(stuck.map(Job::Stuck))
}

async fn one(Acting(engine): Acting, Path(text): Path<String>) -> Answer {
    let job = find(&engine, &text).await?.ok_or_else(|| missing(&text))?;
    let definitions = process_definition::of_keys(&engine, [job.definition()]).await?;
    let own = job.job_definition(&engine).await?;
    Ok(answer(&job.shown(definitions.get(&job.definition().into()), &own)))
}

/// What waits for it stays where it is, as there.
async fn delete(Acting(engine): Acting, Path(text): Path<String>) -> Answer {
    let missing = || Fault::missing(format!("No job found with id '{text}'"));
    match find(&engine, &text).await?.ok_or_else(missing)? {
        Job::Due(due) => match engine.forget_due(&due).await {
            Ok(()) => Ok(nothing()),
            Err(Error::UnknownTimer(_)) => Err(missing()),
            Err(error) => Err(error.into()),
        },
        Job::Stuck(_) => Err(Fault::not_offered("deleting what is stuck; modify or cancel its process instance")),
    }
}

async fn execute(Acting(engine): Acting, Path(text): Path<String>) -> Answer {
    let job = find(&engine, &text).await?.ok_or_else(|| Fault::missing(format!("No job found with id '{text}'")))?;
    let done = match &job {
        Job::Due(due) => engine.execute(due).await,
        Job::Stuck(row) => engine.resolve_incident(IncidentId(row.key)).await,
    };
    match done {
        Ok(()) => Ok(nothing()),
        Err(Error::UnknownTimer(_) | Error::UnknownIncident(_)) => {
            Err(Fault::missing(format!("No job found with id '{text}'")))
        }
        Err(error @ Error::Stuck { .. }) => Err(Fault::missing(error.to_string())),
        Err(error) => Err(error.into()),
    }
}

async fn stack_trace(Acting(engine): Acting, Path(text): Path<String>) -> Answer {
    match find(&engine, &text).await? {
        Some(job) => Ok(job.failure().map_or_else(nothing, |(_, message)| plain(message.to_owned()))),
        None => Err(Fault::missing(format!("No job found with id {text}"))),
    }
}

/// Some tries for what has none: it is tried again when it is due, and what is stuck elsewhere at once.
async fn set_retries(Acting(engine): Acting, Path(text): Path<String>, InBody(fields): InBody) -> Answer {
    let retries = retries(&fields)?;
    let job = find(&engine, &text).await?;
    let job = job.ok_or_else(|| Fault::broken(format!("No job found with id '{text}'.")))?;
    again(&engine, &job, retries, &fields).await?;
    Ok(nothing())
}

/// The same of all jobs of a savepoint or timer that have none.
async fn set_retries_of_spent(Acting(engine): Acting, Path(text): Path<String>, InBody(fields): InBody) -> Answer {
    let retries = retries(&fields)?;
    let spent = Fields::of(&json!({"jobDefinitionId": text, "noRetriesLeft": true}))?;
    for job in list::all::<Jobs>(&engine, &spent).await? {
        again(&engine, &job, retries, &fields).await?;
    }
    Ok(nothing())
}

fn retries(fields: &Fields) -> Result<i64, Fault> {
    let retries = fields.number("retries")?;
    let retries = retries.ok_or_else(|| Fault::broken_as("NullPointerException", "`retries` is needed"))?;
    // What is no date is said before anything is done.
    fields.date("dueDate")?;
    match retries {
        0.. => Ok(retries),
        _ => Err(Fault::broken("The number of job retries must be a non-negative Integer")),
    }
}

async fn again(engine: &Engine, job: &Job, retries: i64, fields: &Fields) -> Result<(), Fault> {
    let row = match job {
        Job::Stuck(row) if retries > 0 => {
            return match engine.resolve_incident(IncidentId(row.key)).await {
                // It stays stuck: the tries are used up.
                Ok(()) | Err(Error::UnknownIncident(_) | Error::Stuck { .. }) => Ok(()),
                Err(error) => Err(error.into()),
            };
        }
        Job::Stuck(_) => return Ok(()),
        Job::Due(row) => row,
    };
    match row.instance {
        Some(instance) => {
            let retries = u32::try_from(retries).unwrap_or(u32::MAX);
            match engine.set_retries(instance, TimerId(row.key), retries).await {
                Ok(()) => {}
                // It has been done meanwhile.
                Err(Error::UnknownTimer(_)) => return Ok(()),
                Err(error) => return Err(error.into()),
            }
        }
        None if retries > 0 => {}
        None => return Err(Fault::not_offered("taking the tries of a start timer away; suspend its definition")),
    }
    // Null is a date, too: at once.
    match fields.says("dueDate") {
        true => set_due(engine, row, fields.date("dueDate")?).await,
        false => Ok(()),
    }
}

/// The jobs of instances that fields ask for, with their instances: what starts instances has no tries to be counted.
pub(crate) async fn asked_for(engine: &Engine, fields: &Fields) -> Result<Vec<(Key, InstanceId)>, Fault> {
    let jobs = list::all::<Jobs>(engine, fields).await?;
    Ok(jobs.iter().filter_map(|job| Some((job.key(), job.instance()?.into()))).collect())
}

/// All jobs of some instances.
pub(crate) async fn of_instances(engine: &Engine, instances: &[InstanceId]) -> Result<Vec<(Key, InstanceId)>, Fault> {
    let ids: Vec<String> = instances.iter().map(|instance| id::id(*instance)).collect();
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    asked_for(engine, &Fields::of(&json!({"processInstanceIds": ids}))?).await
}

/// The timers and savepoints of a job definition, of an instance, of a version of a process, or of all its versions.
async fn suspend_many(Acting(engine): Acting, InBody(fields): InBody) -> Answer {
    let suspended = fields.is_set("suspended")?;
    let by = ["jobDefinitionId", "processInstanceId", "processDefinitionId", "processDefinitionKey"];
    if !by.iter().any(|name| fields.has(name)) {
        let message = "Either jobId, jobDefinitionId, processInstanceId, processDefinitionId or processDefinitionKey should be set to update the suspension state.";
        return Err(Fault::invalid(message));
    }
    for job in list::all::<Jobs>(&engine, &fields.only(&by)).await? {
        hold(&engine, &job, suspended).await?;
    }
    Ok(nothing())
}

async fn set_due_date(Acting(engine): Acting, Path(text): Path<String>, InBody(fields): InBody) -> Answer {
    let refused = || Fault::broken(format!("No job found with id '{text}'."));
    let due = fields.date("duedate")?;
    let job = find(&engine, &text).await?.ok_or_else(refused)?;
    if fields.is_set("cascade")? {
        return Err(Fault::not_offered("another due date of all that a timer repeats (cascade)"));
    }
    match &job {
        Job::Due(row) => set_due(&engine, row, due).await?,
        Job::Stuck(_) => return Err(Fault::not_offered("a due date of what is stuck; give it retries")),
    }
    Ok(nothing())
}

async fn set_priority(Acting(engine): Acting, Path(text): Path<String>, InBody(fields): InBody) -> Answer {
    let priority = fields.number("priority")?;
    let priority = priority.ok_or_else(|| Fault::unsupported(format!("Priority for job '{text}' cannot be null.")))?;
    let job = find(&engine, &text).await?;
    let job = job.ok_or_else(|| Fault::missing(format!("No job found with id '{text}'")))?;
    prioritise(&engine, &job, priority).await?;
    Ok(nothing())
}

async fn prioritise(engine: &Engine, job: &Job, priority: i64) -> Result<(), Fault> {
    match job {
        job if job.priority() == priority => Ok(()),
        Job::Due(row) if row.kind != DueKind::StartTimer => {
            match engine.set_timer_priority(TimerId(row.key), priority).await {
                // It has been done meanwhile.
                Ok(()) | Err(Error::UnknownTimer(_)) => Ok(()),
                Err(error) => Err(error.into()),
            }
        }
        _ => Err(Fault::not_offered("a priority of what is no timer or savepoint of an instance")),
    }
}

/// Without a due date it is due at once.
async fn set_due(engine: &Engine, row: &Due, due: Option<Timestamp>) -> Result<(), Fault> {
    match (row.kind, due) {
        (DueKind::StartTimer, _) => Err(Fault::not_offered("another due date of a timer that starts a process")),
        (DueKind::Savepoint { .. }, None) if row.due.is_none() => Ok(()),
        (_, due) => Ok(engine.reschedule(TimerId(row.key), due.unwrap_or_else(|| engine.clock().now())).await?),
    }
}

/// By its event, counted from when it began to be waited for unless that is switched off.
async fn recalculate(Acting(engine): Acting, Path(text): Path<String>, InQuery(fields): InQuery) -> Answer {
    let since_creation = fields.flag("creationDateBased")?.unwrap_or(true);
    let job = find(&engine, &text).await?;
    match job.ok_or_else(|| Fault::missing_in_engine(format!("No job found with id '{text}'.")))? {
        Job::Due(row) if row.kind == DueKind::Timer => {
            let from = (!since_creation).then(|| engine.clock().now());
            match engine.recalculate(TimerId(row.key), from).await {
                Ok(()) => Ok(nothing()),
                Err(error @ Error::Rejected(_)) => Err(Fault::broken(error.to_string())),
                Err(error) => Err(error.into()),
            }
        }
        Job::Due(row) if row.kind == DueKind::StartTimer => {
            Err(Fault::not_offered("computing the due date of a timer that starts a process once more"))
        }
        _ => {
            let message = format!("Only timer jobs can be recalculated, and the job with id '{text}' is none.");
            Err(Fault::broken(message))
        }
    }
}

/// What got stuck does not go on by itself anyway.
async fn suspend(Acting(engine): Acting, Path(text): Path<String>, InBody(fields): InBody) -> Answer {
    let suspended = fields.is_set("suspended")?;
    if let Some(job) = find(&engine, &text).await? {
        hold(&engine, &job, suspended).await?;
    }
    Ok(nothing())
}

async fn hold(engine: &Engine, job: &Job, suspended: bool) -> Result<(), Fault> {
    match job {
        job if job.is_suspended() == suspended => Ok(()),
        Job::Due(row) => Ok(engine.suspend_timer(TimerId(row.key), suspended).await?),
        Job::Stuck(_) => Err(Fault::not_offered("suspending what is stuck; suspend its process instance")),
    }
}

/// The instances in which something has failed and is tried again.
pub(crate) async fn retried(engine: &Engine) -> Result<BTreeSet<u64>, Fault> {
    let due = engine.due(&DueQuery::default()).await?;
    let fails = due.iter().filter(|due| due.failure.is_some() && due.retries > 0);
    Ok(fails.filter_map(|due| due.instance).map(|instance| instance.0.into()).collect())
}

async fn search(engine: &Engine, asked: &Asked<'_>) -> Result<Vec<Job>, Fault> {
    let Asked { fields, order, .. } = asked;
    let mut ids = fields.list("jobIds")?.unwrap_or_default();
    ids.extend(fields.text("jobId")?);
    let keys: Vec<Key> = ids.iter().filter_map(|text| id::parse(text)).collect();
    let mut instances = fields.list("processInstanceIds")?.unwrap_or_default();
    instances.extend(fields.text("processInstanceId")?);
    let of: Vec<Key> = instances.iter().filter_map(|text| id::parse(text)).collect();
    if (keys.is_empty() && !ids.is_empty()) || (of.is_empty() && !instances.is_empty()) {
        return Ok(Vec::new());
    }
    let due = engine.due(&DueQuery { keys: keys.clone(), instances: of.clone() }).await?;
    let mut rows: Vec<Job> = due.into_iter().map(Job::Due).collect();
    let stuck = IncidentQuery { open: Some(true), keys, instances: of, ..IncidentQuery::default() };
    let stuck = engine.incidents(&stuck).await?.into_iter();
    rows.extend(stuck.filter(incident::is_a_job).map(Job::Stuck));
    if let Some(of) = fields.text("jobDefinitionId")? {
        let mut some = Vec::new();
        for row in rows {
            if row.job_definition(engine).await? == *of {
                some.push(row);
            }
        }
        rows = some;
    }
    let definition = fields.text("processDefinitionId")?;
    let of_definition = definition.as_ref().map(|text| id::parse_definition(text));
    let (process, node) = (fields.text("processDefinitionKey")?, fields.text("activityId")?);
    let failed_node = fields.text("failedActivityId")?;
    let execution = fields.text("executionId")?;
    let (timers, messages) = (fields.is_set("timers")?, fields.is_set("messages")?);
    if timers && messages {
        return Err(Fault::invalid("Parameter timers cannot be used together with parameter messages."));
    }
    let (executable, with_retries) = (fields.is_set("executable")?, fields.is_set("withRetriesLeft")?);
    let (without_retries, with_exception) = (fields.is_set("noRetriesLeft")?, fields.is_set("withException")?);
    let exception = fields.text("exceptionMessage")?;
    let (active, suspended) = (fields.is_set("active")?, fields.is_set("suspended")?);
    let (due_from, due_until) = times(fields, "dueDates")?;
    let (created_from, created_until) = times(fields, "createTimes")?;
    let or_untenanted = fields.is_set("includeJobsWithoutTenantId")?;
    let (least, most) = (fields.number("priorityHigherThanOrEquals")?, fields.number("priorityLowerThanOrEquals")?);
    let tenants = fields.list("tenantIdIn")?;
    let untenanted = fields.is_set("withoutTenantId")?;
    let now = engine.clock().now();
    rows.retain(|row| {
        let is_timer = matches!(row, Job::Due(due) if is_timer(due));
        let (is_spent, failure) = (row.retries() <= 0, row.failure());
        of_definition.is_none_or(|of| Some(row.definition()) == of)
            && process.as_deref().is_none_or(|process| row.process() == process)
            && node.as_deref().is_none_or(|node| row.node() == node)
            && failed_node.as_deref().is_none_or(|node| failure.is_some_and(|(failed, _)| failed == node))
            && execution.as_deref().is_none_or(|text| id::part(row.key(), id::EXECUTION) == text)
            && (!timers || is_timer)
            && (!messages || !is_timer)
            && (!executable || (!is_spent && row.due().is_none_or(|due| due <= now)))
            && (!with_retries || !is_spent)
            && (!without_retries || is_spent)
            && (!with_exception || failure.is_some())
            && exception.as_deref().is_none_or(|text| failure.is_some_and(|(_, message)| message == text))
            && (!active || !row.is_suspended())
            && (!suspended || row.is_suspended())
            && due_from.is_none_or(|time| row.due().is_some_and(|due| super::date::is_after(due, time)))
            && due_until.is_none_or(|time| row.due().is_some_and(|due| due < time))
            && (!untenanted || row.tenant().is_none())
            && created_from.is_none_or(|time| super::date::is_after(JobId(row.key()).created(), time))
            && created_until.is_none_or(|time| JobId(row.key()).created() < time)
            && least.is_none_or(|least| row.priority() >= least)
            && most.is_none_or(|most| row.priority() <= most)
            && tenants.as_ref().is_none_or(|tenants| match row.tenant() {
                Some(own) => tenants.contains(&own.into()),
                None => or_untenanted,
            })
    });
    answer::sort(&mut rows, order, |by, left, right| match by {
        "processInstanceId" => left.instance().cmp(&right.instance()),
        "processDefinitionId" => left.definition().cmp(&right.definition()),
        "processDefinitionKey" => left.process().cmp(right.process()),
        "jobPriority" => left.priority().cmp(&right.priority()),
        "jobRetries" => left.retries().cmp(&right.retries()),
        "jobDueDate" => left.due().cmp(&right.due()),
        "tenantId" => left.tenant().cmp(&right.tenant()),
        _ => left.key().cmp(&right.key()),
    });
    Ok(rows)
}

/// From when and until when: `gt_2035-...,lt_2036-...`, or an array of `{operator, value}`.
fn times(fields: &Fields, name: &str) -> Result<(Option<Timestamp>, Option<Timestamp>), Fault> {
    let mut conditions: Vec<(String, String)> = Vec::new();
    if fields.in_query() {
        for condition in fields.list(name)?.unwrap_or_default() {
            let (operator, value) = condition.split_once('_').unwrap_or_default();
            conditions.push((operator.into(), value.into()));
        }
    } else {
        for condition in fields.objects(name)? {
            let text = |name| Ok::<_, Fault>(condition.text(name)?.unwrap_or_default().to_string());
            conditions.push((text("operator")?, text("value")?));
        }
    }
    let (mut from, mut until) = (None, None);
    for (operator, value) in conditions {
        let time = super::date::parse(&value).ok_or_else(|| Fault::invalid(format!("`{value}` is no date")))?;
        match &*operator {
            "gt" => from = Some(time),
            "lt" => until = Some(time),
            other => return Err(Fault::invalid(format!("Invalid {name} comparator specified: {other}"))),
        }
    }
    Ok((from, until))
}

/// The list of jobs.
struct Jobs;

impl List for Jobs {
    const PATH: &'static str = "/job";
    /// Whatever does a job here, it does at once.
    const NEVER: &'static [&'static str] = &["acquired"];
    const FLAGS: &'static [&'static str] = &["acquired"];
    const SORTED_BY: &'static [&'static str] = &[
        "jobId",
        "executionId",
        "processInstanceId",
        "processDefinitionId",
        "processDefinitionKey",
        "jobPriority",
        "jobRetries",
        "jobDueDate",
        "tenantId",
    ];
    type Row = Job;

    async fn find(engine: &Engine, asked: &Asked<'_>) -> Result<Vec<Job>, Fault> {
        search(engine, asked).await
    }

    async fn shown(engine: &Engine, rows: Vec<Job>, _: &Fields) -> Result<Vec<Json>, Fault> {
        let definitions = process_definition::of_keys(engine, rows.iter().map(Job::definition)).await?;
        let mut all = Vec::with_capacity(rows.len());
        for row in &rows {
            all.push(row.shown(definitions.get(&row.definition().into()), &row.job_definition(engine).await?));
        }
        Ok(all)
    }
}
