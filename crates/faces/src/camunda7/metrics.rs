//! `/metrics`: how much of something there has been, as far as histories are kept. `/telemetry`: nothing is told to anybody.

use axum::Router;
use axum::extract::Path;
use axum::routing::{any, get};
use jiff::Timestamp;
use potok::Engine;
use potok::query::InstanceQuery;
use serde_json::json;

use super::answer::{Answer, json as answer, nothing};
use super::error::Fault;
use super::fields::{InBody, InQuery};
use super::history;
use crate::acting::Acting;

/// What Camunda counts and this does not.
const NOT_COUNTED: [&str; 15] = [
    "decision-instances",
    "executed-decision-elements",
    "executed-decision-instances",
    "history-cleanup-removed-batch-operations",
    "history-cleanup-removed-case-instances",
    "history-cleanup-removed-decision-instances",
    "history-cleanup-removed-process-instances",
    "history-cleanup-removed-task-metrics",
    "job-acquired-failure",
    "job-acquired-success",
    "job-acquisition-attempt",
    "job-execution-rejected",
    "job-failed",
    "job-locked-exclusive",
    "job-successful",
];

pub(crate) fn routes() -> Router<Engine> {
    let by_interval = async || -> Answer { Err(Fault::not_offered("metrics by interval; ask for sums")) };
    let workers = async || -> Answer { Err(Fault::not_offered("metrics of who works on tasks")) };
    Router::new()
        .route("/metrics", any(by_interval))
        .route("/metrics/task-worker", any(workers))
        .route("/metrics/{name}/sum", get(sum))
        .route("/telemetry/configuration", get(telemetry).post(set_telemetry))
}

async fn sum(Acting(engine): Acting, Path(name): Path<String>, InQuery(fields): InQuery) -> Answer {
    let (from, before) = (fields.date("startDate")?, fields.date("endDate")?);
    let is_within = |time: Timestamp| from.is_none_or(|from| time >= from) && before.is_none_or(|before| time < before);
    let all = InstanceQuery { has_process: Some(true), ..InstanceQuery::default() };
    let result = match &*name {
        "process-instances" | "root-process-instance-start" => {
            let roots = InstanceQuery { called: Some(false), started_from: from, started_before: before, ..all };
            engine.count(&roots).await?
        }
        // The histories are read one after the other.
        "flow-node-instances" | "activity-instance-start" | "activity-instance-end" => {
            let mut visits = 0;
            for instance in engine.instances(&all).await? {
                for (since, until) in history::visited(&engine, &instance).await? {
                    let time = if name == "activity-instance-end" { until } else { Some(since) };
                    visits += u64::from(time.is_some_and(is_within));
                }
            }
            visits
        }
        "task-users" | "unique-task-workers" => return Err(Fault::not_offered("counting who works on tasks")),
        name if NOT_COUNTED.contains(&name) => return Err(Fault::not_offered(&format!("counting `{name}`"))),
        _ => 0,
    };
    Ok(answer(&json!({"result": result})))
}

async fn telemetry(Acting(_): Acting) -> Answer {
    Ok(answer(&json!({"enableTelemetry": false})))
}

/// It stays switched off, as in Camunda 7.24.
async fn set_telemetry(Acting(_): Acting, InBody(fields): InBody) -> Answer {
    let null = || Fault::broken_as("NullPointerException", "`enableTelemetry` is needed");
    fields.flag("enableTelemetry")?.map(|_| nothing()).ok_or_else(null)
}
