//! `/history/external-task-log`: what became of jobs for workers elsewhere.

use axum::Router;
use axum::extract::Path;
use axum::routing::get;
use potok::{Engine, WorkEntry, WorkEvent, WorkKind};
use serde_json::{Value as Json, json};

use super::work::{self, Logged};
use crate::acting::Acting;
use crate::camunda7::answer::{Answer, json as answer, nothing, text as plain};
use crate::camunda7::error::Fault;
use crate::camunda7::fields::Fields;
use crate::camunda7::id;
use crate::camunda7::list::{self, Asked, List};
use crate::camunda7::model::Model;

pub(crate) fn routes() -> Router<Engine> {
    Router::new()
        .merge(list::routes::<Entries>())
        .route("/history/external-task-log/{id}", get(one))
        .route("/history/external-task-log/{id}/error-details", get(error_details))
}

/// What an entry says of its external task, if it is of one.
fn particular(entry: &WorkEntry, _: &Model, _: &str) -> Option<Json> {
    let WorkKind::Job { topic, priority, retries, counted } = &entry.kind else { return None };
    let worker = match &entry.event {
        WorkEvent::Failed { worker, .. } => worker.as_deref(),
        _ => None,
    };
    Some(json!({
        "externalTaskId": id::id(entry.key),
        "topicName": &**topic,
        "workerId": worker,
        "priority": priority,
        "retries": counted.then_some(retries),
        "errorMessage": work::failure(entry).0.filter(|message| !message.is_empty()),
        "activityInstanceId": id::activity_instance(&entry.node, entry.key, id::ACTIVITY),
    }))
}

async fn one(Acting(engine): Acting, Path(text): Path<String>) -> Answer {
    let found = work::one(&engine, &text, particular).await?;
    let missing = || Fault::missing(format!("Historic external task log with id {text} does not exist"));
    Ok(answer(&found.ok_or_else(missing)?.shown))
}

async fn error_details(Acting(engine): Acting, Path(text): Path<String>) -> Answer {
    let found = work::one(&engine, &text, particular).await?;
    let missing = || Fault::missing(format!("No historic external task log found with id {text}"));
    let logged = found.ok_or_else(missing)?;
    Ok(work::failure(&logged.entry).1.map_or_else(nothing, |details| plain(details.to_owned())))
}

/// The list.
struct Entries;

impl List for Entries {
    const PATH: &'static str = "/history/external-task-log";
    const SORTED_BY: &'static [&'static str] = &[
        "timestamp",
        "externalTaskId",
        "retries",
        "priority",
        "topicName",
        "workerId",
        "activityId",
        "activityInstanceId",
        "executionId",
        "processInstanceId",
        "processDefinitionId",
        "processDefinitionKey",
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
