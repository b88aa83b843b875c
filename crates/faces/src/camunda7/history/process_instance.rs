//! `/history/process-instance`: instances, running and ended.

use std::collections::{BTreeMap, BTreeSet};

use axum::Router;
use axum::extract::Path;
use axum::routing::get;
use potok::query::IncidentQuery;
use potok::row::{Definition, InstanceState};
use potok::{Engine, Error, Instance, InstanceId, Name};
use potok_core::step::Event;
use serde_json::{Value as Json, json};

use super::activity_instance::visits;
use super::{instances, is_between, job_log, milliseconds, root};
use crate::acting::Acting;
use crate::camunda7::answer::{self, Answer, json as answer, nothing};
use crate::camunda7::condition::{Conditions, like};
use crate::camunda7::date::date;
use crate::camunda7::error::Fault;
use crate::camunda7::fields::Fields;
use crate::camunda7::list::{self, Asked, List};
use crate::camunda7::{id, incident, job, process_definition, process_instance_query};

pub(crate) fn routes() -> Router<Engine> {
    Router::new().merge(list::routes::<Instances>()).route("/history/process-instance/{id}", get(one).delete(delete))
}

/// Camunda's word for how an instance stands.
fn state(instance: &Instance) -> &'static str {
    match (instance.state, instance.suspended) {
        (InstanceState::Active, false) => "ACTIVE",
        (InstanceState::Active, true) => "SUSPENDED",
        (InstanceState::Completed, _) => "COMPLETED",
        (InstanceState::Failed, _) => "INTERNALLY_TERMINATED",
        // What is called is ended by its caller.
        (InstanceState::Cancelled, _) if instance.parent.is_some() => "INTERNALLY_TERMINATED",
        (InstanceState::Cancelled, _) => "EXTERNALLY_TERMINATED",
    }
}

async fn shown(engine: &Engine, instance: &Instance, definition: Option<&Definition>) -> Result<Json, Fault> {
    Ok(json!({
        "id": id::id(instance.key),
        "businessKey": instance.business_key.as_deref(),
        "processDefinitionId": definition.map_or_else(|| id::id(instance.definition), id::definition),
        "processDefinitionKey": &*instance.process,
        "processDefinitionName": definition.and_then(|definition| definition.name.as_deref()),
        "processDefinitionVersion": definition.map(|definition| definition.version),
        "startTime": date(instance.started),
        "endTime": instance.ended.map(date),
        "removalTime": instance.expires.map(date),
        "durationInMillis": milliseconds(instance.started, instance.ended),
        "startUserId": instance.initiator.as_deref(),
        "startActivityId": begun_at(engine, instance).await?,
        "deleteReason": null,
        "rootProcessInstanceId": id::id(root(engine, instance).await?),
        "superProcessInstanceId": instance.parent.map(id::id),
        "superCaseInstanceId": null,
        "caseInstanceId": null,
        "tenantId": instance.tenant.as_deref(),
        "state": state(instance),
        "restartedProcessInstanceId": null,
    }))
}

/// The flow node on which its first token was born.
async fn begun_at(engine: &Engine, instance: &Instance) -> Result<Option<String>, Fault> {
    let Some(first) = engine.instance(instance.id()).history(0, 1).await?.into_iter().next() else { return Ok(None) };
    let node = first.events.list.iter().find_map(|event| match *event {
        Event::TokenCreated { node, .. } => Some(node),
        _ => None,
    });
    let graph = engine.graph(instance.definition_id()).await?;
    Ok(node.and_then(|node| Some(graph?.get_node(node)?.id.to_string())))
}

async fn found(engine: &Engine, text: &str) -> Result<Instance, Fault> {
    let missing = || Fault::missing(format!("Historic process instance with id {text} does not exist"));
    let id = id::parse::<InstanceId>(text).ok_or_else(missing)?;
    match engine.instance(id).get().await {
        Ok(instance) if !instance.process.is_empty() => Ok(instance),
        Ok(_) | Err(Error::UnknownInstance(_)) => Err(missing()),
        Err(error) => Err(error.into()),
    }
}

async fn one(Acting(engine): Acting, Path(text): Path<String>) -> Answer {
    let instance = found(&engine, &text).await?;
    let definitions = process_definition::of_keys(&engine, [instance.definition]).await?;
    Ok(answer(&shown(&engine, &instance, definitions.get(&instance.definition.into())).await?))
}

/// Removes the history of an instance that has ended, for good.
async fn delete(Acting(engine): Acting, Path(text): Path<String>) -> Answer {
    let instance = found(&engine, &text).await?;
    match engine.instance(instance.id()).delete().await {
        Ok(()) => Ok(nothing()),
        Err(error @ Error::InstanceRuns(_)) => Err(Fault::bad_request_of("BadUserRequestException", error.to_string())),
        Err(error) => Err(error.into()),
    }
}

async fn search(engine: &Engine, asked: &Asked<'_>) -> Result<Vec<Instance>, Fault> {
    let Asked { fields, order, .. } = asked;
    let mut rows = narrow(engine, fields).await?;
    for any in fields.objects("orQueries")? {
        let mut found = BTreeSet::new();
        let each = any.each::<Instances>();
        if each.is_empty() {
            continue;
        }
        for one in each {
            found.extend(narrow(engine, &one).await?.into_iter().map(|row| u64::from(row.key)));
        }
        rows.retain(|row| found.contains(&row.key.into()));
    }
    let definitions = match order.iter().any(|by| matches!(&*by.name, "definitionName" | "definitionVersion")) {
        true => process_definition::of_keys(engine, rows.iter().map(|row| row.definition)).await?,
        false => BTreeMap::new(),
    };
    let name = |row: &Instance| definitions.get(&row.definition.into()).and_then(|definition| definition.name.as_ref());
    let version = |row: &Instance| definitions.get(&row.definition.into()).map(|definition| definition.version);
    answer::sort(&mut rows, order, |by, left, right| match by {
        "definitionId" => left.definition.cmp(&right.definition),
        "definitionKey" => left.process.cmp(&right.process),
        "definitionName" => name(left).cmp(&name(right)),
        "definitionVersion" => version(left).cmp(&version(right)),
        "businessKey" => left.business_key.cmp(&right.business_key),
        "startTime" => left.started.cmp(&right.started),
        "endTime" => left.ended.cmp(&right.ended),
        "duration" => milliseconds(left.started, left.ended).cmp(&milliseconds(right.started, right.ended)),
        "tenantId" => left.tenant.cmp(&right.tenant),
        _ => left.key.cmp(&right.key),
    });
    Ok(rows)
}

async fn narrow(engine: &Engine, fields: &Fields) -> Result<Vec<Instance>, Fault> {
    if list::is_never::<Instances>(fields) {
        return Ok(Vec::new());
    }
    let Some(mut query) = instances(fields)? else { return Ok(Vec::new()) };
    query.business_key = fields.text("processInstanceBusinessKey")?;
    query.business_key_like = fields.text("processInstanceBusinessKeyLike")?.map(|pattern| pattern.to_string());
    let ended = [InstanceState::Completed, InstanceState::Failed, InstanceState::Cancelled];
    if fields.is_set("finished")? {
        query.states = ended.to_vec();
    }
    if fields.is_set("finished")? && fields.is_set("unfinished")? {
        return Ok(Vec::new());
    }
    if fields.is_set("unfinished")? || fields.is_set("active")? || fields.is_set("suspended")? {
        query.states = vec![InstanceState::Active];
    }
    if fields.is_set("active")? {
        query.suspended = Some(false);
    }
    if fields.is_set("suspended")? {
        query.suspended = Some(true);
    }
    if let Some(text) = fields.text("superProcessInstanceId")? {
        query.parent = id::parse(&text);
        if query.parent.is_none() {
            return Ok(Vec::new());
        }
    }
    if fields.is_set("rootProcessInstances")? {
        query.called = Some(false);
    }
    let conditions = Conditions::of(fields, "variables")?;
    query.variables = conditions.in_database();
    if let Some(text) = fields.text("subProcessInstanceId")? {
        let parent = match id::parse::<InstanceId>(&text) {
            Some(called) => engine.instance(called).get().await.ok().and_then(|called| called.parent),
            None => None,
        };
        let Some(parent) = parent.filter(|parent| query.keys.is_empty() || query.keys.contains(parent)) else {
            return Ok(Vec::new());
        };
        query.keys = vec![parent];
    }
    let mut rows = engine.instances(&query).await?;
    let (after, before) = (fields.date("startedAfter")?, fields.date("startedBefore")?);
    let (ended_after, ended_before) = (fields.date("finishedAfter")?, fields.date("finishedBefore")?);
    let by = fields.text("startedBy")?;
    let keys = fields.list("processInstanceBusinessKeyIn")?;
    let not = fields.list("processDefinitionKeyNotIn")?.unwrap_or_default();
    let states = [
        ("completed", "COMPLETED"),
        ("externallyTerminated", "EXTERNALLY_TERMINATED"),
        ("internallyTerminated", "INTERNALLY_TERMINATED"),
    ];
    let mut wanted = Vec::new();
    for (name, word) in states {
        if fields.is_set(name)? {
            wanted.push(word);
        }
    }
    if wanted.len() > 1 {
        let message = format!("an instance cannot be {} at once", wanted.join(" and "));
        return Err(Fault::bad_request_of("BadUserRequestException", message));
    }
    let others = fields.list("processInstanceIdNotIn")?.unwrap_or_default();
    let tenants = fields.list("tenantIdIn")?;
    let untenanted = fields.is_set("withoutTenantId")?;
    rows.retain(|row| {
        is_between((after, before), Some(row.started))
            && is_between((ended_after, ended_before), row.ended)
            && by.as_ref().is_none_or(|by| row.initiator.as_ref() == Some(by))
            && keys.as_ref().is_none_or(|keys| row.business_key.as_ref().is_some_and(|own| keys.contains(own)))
            && !not.iter().any(|pattern| like(pattern, &row.process))
            && !others.iter().any(|text| id::parse::<InstanceId>(text) == Some(row.id()))
            && wanted.iter().all(|word| state(row) == *word)
            && (!untenanted || row.tenant.is_none())
            && tenants.as_ref().is_none_or(|tenants| row.tenant.as_ref().is_some_and(|own| tenants.contains(own)))
    });
    let (name, pattern) = (fields.text("processDefinitionName")?, fields.text("processDefinitionNameLike")?);
    if name.is_some() || pattern.is_some() {
        let definitions = process_definition::of_keys(engine, rows.iter().map(|row| row.definition)).await?;
        rows.retain(|row| {
            definitions.get(&row.definition.into()).is_some_and(|definition| {
                name.as_ref().is_none_or(|name| definition.name.as_ref() == Some(name))
                    && pattern
                        .as_ref()
                        .is_none_or(|pattern| definition.name.as_ref().is_some_and(|own| like(pattern, own)))
            })
        });
    }
    if fields.is_set("withJobsRetrying")? {
        let retried = job::retried(engine).await?;
        rows.retain(|row| retried.contains(&row.key.into()));
    }
    rows = look(engine, fields, &conditions, rows).await?;
    with_incidents(engine, fields, rows).await
}

/// What is looked at one by one: variables, who called, and which flow nodes were visited.
async fn look(
    engine: &Engine,
    fields: &Fields,
    conditions: &Conditions,
    rows: Vec<Instance>,
) -> Result<Vec<Instance>, Fault> {
    let top = fields.text("rootProcessInstanceId")?;
    let (executed, active) = (fields.list("executedActivityIdIn")?, fields.list("activeActivityIdIn")?);
    let executed_at = (fields.date("executedActivityAfter")?, fields.date("executedActivityBefore")?);
    let worked_at = (fields.date("executedJobAfter")?, fields.date("executedJobBefore")?);
    let waits_at = fields.list("activityIdIn")?;
    let mut found = Vec::new();
    for row in rows {
        if let Some(top) = &top
            && id::id(root(engine, &row).await?) != **top
        {
            continue;
        }
        if conditions.need_a_look() && !conditions.hold(&engine.instance(row.id()).variables().await?) {
            continue;
        }
        if executed.is_some() || active.is_some() || executed_at != (None, None) {
            let visits = visits(engine, &row).await?;
            let has = |nodes: &Option<Vec<Name>>, ended: bool| {
                nodes.as_ref().is_none_or(|nodes| {
                    visits.iter().any(|visit| visit.is_of(nodes) && visit.until().is_some() == ended)
                })
            };
            let has_then =
                executed_at == (None, None) || visits.iter().any(|visit| is_between(executed_at, visit.until()));
            if !has(&executed, true) || !has(&active, false) || !has_then {
                continue;
            }
        }
        if worked_at != (None, None) && !job_log::has_entry(engine, &row, worked_at).await? {
            continue;
        }
        if let Some(nodes) = &waits_at
            && !(row.is_active() && process_instance_query::stands_at(engine, &row, nodes).await?)
        {
            continue;
        }
        found.push(row);
    }
    Ok(found)
}

async fn with_incidents(engine: &Engine, fields: &Fields, mut rows: Vec<Instance>) -> Result<Vec<Instance>, Fault> {
    let with = fields.is_set("withIncidents")? || fields.is_set("withRootIncidents")?;
    let open = match fields.text("incidentStatus")?.as_deref() {
        Some("open") => Some(true),
        Some("resolved") => Some(false),
        Some(_) => return Ok(Vec::new()),
        None => None,
    };
    let mut query = IncidentQuery { open, ..IncidentQuery::default() };
    let (ids, of) = (fields.list("incidentIdIn")?, fields.text("incidentType")?);
    query.message = fields.text("incidentMessage")?;
    query.message_like = fields.text("incidentMessageLike")?.map(|pattern| pattern.to_string());
    let asks = with || open.is_some() || ids.is_some() || of.is_some();
    if !asks && query.message.is_none() && query.message_like.is_none() {
        return Ok(rows);
    }
    if let Some(ids) = ids {
        query.keys = ids.iter().filter_map(|text| id::parse(text)).collect();
        if query.keys.is_empty() {
            return Ok(Vec::new());
        }
    }
    if let Some(of) = of
        && !incident::of_kind(&mut query, &of)
    {
        return Ok(Vec::new());
    }
    let stuck: BTreeSet<u64> = engine.incidents(&query).await?.iter().map(|row| row.instance.into()).collect();
    rows.retain(|row| stuck.contains(&row.key.into()));
    Ok(rows)
}

/// The list.
pub(crate) struct Instances;

impl List for Instances {
    const PATH: &'static str = "/history/process-instance";
    const FILTERS: &'static [&'static str] = &[
        "active",
        "activeActivityIdIn",
        "activityIdIn",
        "caseInstanceId",
        "completed",
        "executedActivityAfter",
        "executedActivityBefore",
        "executedActivityIdIn",
        "executedJobAfter",
        "executedJobBefore",
        "externallyTerminated",
        "finished",
        "finishedAfter",
        "finishedBefore",
        "incidentIdIn",
        "incidentMessage",
        "incidentMessageLike",
        "incidentStatus",
        "incidentType",
        "internallyTerminated",
        "orQueries",
        "processDefinitionId",
        "processDefinitionKey",
        "processDefinitionKeyIn",
        "processDefinitionKeyNotIn",
        "processDefinitionName",
        "processDefinitionNameLike",
        "processInstanceBusinessKey",
        "processInstanceBusinessKeyIn",
        "processInstanceBusinessKeyLike",
        "processInstanceId",
        "processInstanceIdNotIn",
        "processInstanceIds",
        "rootProcessInstanceId",
        "rootProcessInstances",
        "startedAfter",
        "startedBefore",
        "startedBy",
        "subCaseInstanceId",
        "subProcessInstanceId",
        "superCaseInstanceId",
        "superProcessInstanceId",
        "suspended",
        "tenantIdIn",
        "unfinished",
        "variables",
        "withIncidents",
        "withJobsRetrying",
        "withRootIncidents",
        "withoutTenantId",
    ];
    const NEVER: &'static [&'static str] = &["caseInstanceId", "subCaseInstanceId", "superCaseInstanceId"];
    const SORTED_BY: &'static [&'static str] = &[
        "instanceId",
        "definitionId",
        "definitionKey",
        "definitionName",
        "definitionVersion",
        "businessKey",
        "startTime",
        "endTime",
        "duration",
        "tenantId",
    ];
    type Row = Instance;

    async fn find(engine: &Engine, asked: &Asked<'_>) -> Result<Vec<Instance>, Fault> {
        search(engine, asked).await
    }

    async fn shown(engine: &Engine, rows: Vec<Instance>, _: &Fields) -> Result<Vec<Json>, Fault> {
        let definitions = process_definition::of_keys(engine, rows.iter().map(|row| row.definition)).await?;
        let mut all = Vec::with_capacity(rows.len());
        for row in &rows {
            all.push(shown(engine, row, definitions.get(&row.definition.into())).await?);
        }
        Ok(all)
    }
}
