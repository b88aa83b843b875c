//! `/history`: what has happened.

mod activity_instance;
mod detail;
mod external_task_log;
mod identity_link_log;
mod incident;
mod involved;
mod job_log;
mod process_instance;
mod report;
mod statistics;
mod task;
mod user_operation;
mod variable_instance;
mod work;

use axum::Router;
use jiff::Timestamp;
use potok::Engine;
use potok::query::InstanceQuery;
use potok::row::Instance;
use potok_core::instance::Key;

use super::error::Fault;
use super::fields::Fields;
use super::id;
pub(crate) use activity_instance::visited;
pub(crate) use process_instance::Instances;

pub(crate) fn routes() -> Router<Engine> {
    Router::new()
        .merge(activity_instance::routes())
        .merge(detail::routes())
        .merge(external_task_log::routes())
        .merge(identity_link_log::routes())
        .merge(incident::routes())
        .merge(job_log::routes())
        .merge(process_instance::routes())
        .merge(report::routes())
        .merge(statistics::routes())
        .merge(task::routes())
        .merge(user_operation::routes())
        .merge(variable_instance::routes())
}

/// Milliseconds between two times.
fn milliseconds(from: Timestamp, until: Option<Timestamp>) -> Option<i64> {
    until.map(|until| until.as_millisecond() - from.as_millisecond())
}

/// Whether a time is not before one and not after another, in milliseconds: as it is shown.
fn is_between((after, before): (Option<Timestamp>, Option<Timestamp>), own: Option<Timestamp>) -> bool {
    let compared = |time: Option<Timestamp>, fits: fn(i64, i64) -> bool| {
        time.is_none_or(|time| own.is_some_and(|own| fits(own.as_millisecond(), time.as_millisecond())))
    };
    compared(after, |own, after| own >= after) && compared(before, |own, before| own <= before)
}

/// The instances that a query finds, of the tenants that fields tell.
async fn of_tenants(engine: &Engine, fields: &Fields, query: &InstanceQuery) -> Result<Vec<potok::Instance>, Fault> {
    let (tenants, untenanted) = (fields.list("tenantIdIn")?, fields.is_set("withoutTenantId")?);
    let mut rows = engine.instances(query).await?;
    rows.retain(|row| {
        (!untenanted || row.tenant.is_none())
            && tenants.as_ref().is_none_or(|tenants| row.tenant.as_ref().is_some_and(|own| tenants.contains(own)))
    });
    Ok(rows)
}

/// The instances whose histories fields mean, as far as these tell instances: none if an id is no id.
fn instances(fields: &Fields) -> Result<Option<InstanceQuery>, Fault> {
    let mut query = InstanceQuery { has_process: Some(true), ..InstanceQuery::default() };
    let mut ids = fields.list("processInstanceIds")?.unwrap_or_default();
    if fields.has("processInstanceIds") && ids.is_empty() {
        return Err(Fault::failed("Set of process instance ids is empty"));
    }
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
pub(crate) async fn root(engine: &Engine, instance: &Instance) -> Result<Key, Fault> {
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
