//! `/history`: what has happened.

mod activity_instance;
mod incident;
mod process_instance;
mod task;
mod variable_instance;

use axum::Router;
use axum::routing::any;
use jiff::Timestamp;
use potok::Engine;
use potok::query::InstanceQuery;
use potok::row::Instance;
use potok_core::instance::Key;

use super::answer::Answer;
use super::error::Fault;
use super::fields::Fields;
use super::id;

pub(crate) fn routes() -> Router<Engine> {
    let not_offered = [
        "batch",
        "cleanup",
        "decision-definition",
        "decision-instance",
        "decision-requirements-definition",
        "detail",
        "external-task-log",
        "identity-link-log",
        "job-log",
        "process-definition",
        "user-operation",
    ];
    let mut routes = Router::new()
        .merge(activity_instance::routes())
        .merge(incident::routes())
        .merge(process_instance::routes())
        .merge(task::routes())
        .merge(variable_instance::routes());
    for name in not_offered {
        let refuse = async move || -> Answer { Err(Fault::not_offered(&format!("/history/{name}"))) };
        routes = routes
            .route(&format!("/history/{name}"), any(refuse))
            .route(&format!("/history/{name}/{{*rest}}"), any(refuse));
    }
    routes
}

/// Milliseconds between two times.
fn milliseconds(from: Timestamp, until: Option<Timestamp>) -> Option<i64> {
    until.map(|until| until.as_millisecond() - from.as_millisecond())
}

/// The instances whose histories fields mean, as far as these tell instances: none if an id is no id.
fn instances(fields: &Fields) -> Result<Option<InstanceQuery>, Fault> {
    let mut query = InstanceQuery { has_process: Some(true), ..InstanceQuery::default() };
    let mut ids = fields.list("processInstanceIds")?.unwrap_or_default();
    ids.extend(fields.list("processInstanceIdIn")?.unwrap_or_default());
    ids.extend(fields.text("processInstanceId")?);
    query.keys = ids.iter().filter_map(|text| id::parse::<Key>(text)).collect();
    if query.keys.is_empty() && !ids.is_empty() {
        return Ok(None);
    }
    if let Some(text) = fields.text("processDefinitionId")? {
        query.definition = id::parse_definition(&text);
        if query.definition.is_none() {
            return Ok(None);
        }
    }
    query.processes = fields.list("processDefinitionKeyIn")?.unwrap_or_default();
    query.processes.extend(fields.text("processDefinitionKey")?);
    Ok(Some(query))
}

/// The instance that an instance was called for, at the end of all callers.
async fn root(engine: &Engine, instance: &Instance) -> Result<Key, Fault> {
    let (mut root, mut parent) = (instance.key, instance.parent);
    while let Some(caller) = parent {
        root = caller;
        parent = match engine.instance(caller.into()).get().await {
            Ok(row) => row.parent,
            Err(_) => None,
        };
    }
    Ok(root)
}
