//! `/history/job-log`: what became of timers and savepoints, and what got stuck in the engine itself.

use axum::Router;
use axum::extract::Path;
use axum::routing::get;
use jiff::Timestamp;
use potok::{Engine, Instance, WorkEntry, WorkKind};
use serde_json::{Value as Json, json};

use super::is_between;
use super::work::{self, Logged};
use crate::acting::Acting;
use crate::camunda7::answer::{Answer, json as answer, nothing, text as plain};
use crate::camunda7::date::date;
use crate::camunda7::error::Fault;
use crate::camunda7::fields::Fields;
use crate::camunda7::id;
use crate::camunda7::list::{self, Asked, List};
use crate::camunda7::model::Model;

pub(crate) fn routes() -> Router<Engine> {
    Router::new()
        .merge(list::routes::<Entries>())
        .route("/history/job-log/{id}", get(one))
        .route("/history/job-log/{id}/stacktrace", get(stack_trace))
}

/// What an entry says of its job, if it is of one.
fn particular(entry: &WorkEntry, model: &Model, definition: &str) -> Option<Json> {
    let (due, retries, priority, (kind, configuration)) = match &entry.kind {
        WorkKind::Job { .. } => return None,
        WorkKind::Timer { due, retries, priority } => (Some(*due), *retries, *priority, model.timer(&entry.node)),
        WorkKind::Savepoint { after, due, retries, priority } => {
            let configuration = if *after { "async-after" } else { "async-before" };
            (*due, *retries, *priority, ("async-continuation", Some(configuration.to_owned())))
        }
        WorkKind::Stuck => (None, 0, 0, ("async-continuation", None)),
    };
    Some(json!({
        "jobId": id::id(entry.key),
        "jobDueDate": due.map(date),
        "jobRetries": retries,
        "jobPriority": priority,
        "jobExceptionMessage": work::failure(entry).0,
        "jobDefinitionId": definition,
        "jobDefinitionType": kind,
        "jobDefinitionConfiguration": configuration,
        "failedActivityId": entry.failed.as_deref(),
        "hostname": "potok",
        "batchId": null,
    }))
}

/// Whether the log of an instance has an entry of then.
pub(super) async fn has_entry(
    engine: &Engine,
    instance: &Instance,
    times: (Option<Timestamp>, Option<Timestamp>),
) -> Result<bool, Fault> {
    let entries = engine.instance(instance.id()).work_log().await?;
    let is_meant =
        |entry: &WorkEntry| !matches!(entry.kind, WorkKind::Job { .. }) && is_between(times, Some(entry.time));
    Ok(entries.iter().any(is_meant))
}

async fn found(engine: &Engine, text: &str) -> Result<Logged, Fault> {
    let found = work::one(engine, text, particular).await?;
    found.ok_or_else(|| Fault::missing(format!("Historic job log with id {text} does not exist")))
}

async fn one(Acting(engine): Acting, Path(text): Path<String>) -> Answer {
    Ok(answer(&found(&engine, &text).await?.shown))
}

async fn stack_trace(Acting(engine): Acting, Path(text): Path<String>) -> Answer {
    let logged = found(&engine, &text).await?;
    Ok(work::failure(&logged.entry).0.map_or_else(nothing, |message| plain(message.to_owned())))
}

/// The list.
struct Entries;

impl List for Entries {
    const PATH: &'static str = "/history/job-log";
    const SORTED_BY: &'static [&'static str] = &[
        "timestamp",
        "jobId",
        "jobDefinitionId",
        "jobDueDate",
        "jobRetries",
        "jobPriority",
        "activityId",
        "executionId",
        "processInstanceId",
        "processDefinitionId",
        "processDefinitionKey",
        "deploymentId",
        "hostname",
        "occurrence",
        "tenantId",
    ];
    type Row = Logged;

    async fn find(engine: &Engine, asked: &Asked<'_>) -> Result<Vec<Logged>, Fault> {
        work::find(engine, asked, particular).await
    }

    async fn shown(_: &Engine, rows: Vec<Logged>, _: &Fields) -> Result<Vec<Json>, Fault> {
        Ok(rows.into_iter().map(|logged| logged.shown).collect())
    }
}
