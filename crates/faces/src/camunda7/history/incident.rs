//! `/history/incident`: what got stuck, resolved or not.

use axum::Router;
use potok::query::IncidentQuery;
use potok::row::{Incident, InstanceState};
use potok::{Engine, InstanceId, Name};
use potok_core::instance::{Key, WaitKind};
use potok_core::step::Event;
use serde_json::{Value as Json, json};

use super::{root, work};
use crate::camunda7::answer;
use crate::camunda7::condition::like;
use crate::camunda7::date::{date, is_after};
use crate::camunda7::error::Fault;
use crate::camunda7::fields::Fields;
use crate::camunda7::incident::{among, is_a_job, is_among, kind};
use crate::camunda7::job_definition::{self, Kind};
use crate::camunda7::list::{self, Asked, List};
use crate::camunda7::{id, process_definition};

pub(crate) fn routes() -> Router<Engine> {
    list::routes::<Incidents>()
}

/// How an incident ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Open,
    Resolved,
    /// With its instance.
    Deleted,
}

pub(super) async fn end(engine: &Engine, row: &Incident) -> Result<End, Fault> {
    let Some(resolved) = row.resolved else { return Ok(End::Open) };
    let instance = engine.instance(InstanceId(row.instance)).get().await?;
    let went_along = instance.state == InstanceState::Cancelled && instance.ended == Some(resolved);
    Ok(if went_along { End::Deleted } else { End::Resolved })
}

/// The job that an incident is or was of, as the instance's history tells, the flow node that failed, unless a worker did, and which of its
/// flow node's jobs it is.
async fn job_of(engine: &Engine, row: &Incident) -> Result<(Key, Option<Name>, Kind), Fault> {
    let own = (row.key, Some(row.node.clone()), Kind::Before);
    if is_a_job(row) {
        return Ok(own);
    }
    let mut after = 0;
    loop {
        let entries = engine.instance(InstanceId(row.instance)).history(after, 100).await?;
        let Some(last) = entries.last() else { return Ok(own) };
        after = last.seq;
        for entry in &entries {
            // The command that raised it has changed its job just before.
            let mut job = own.clone();
            for event in &entry.events.list {
                match *event {
                    Event::WaitChanged { key, change } => {
                        let wait = entry.events.changes.get(change as usize);
                        let failure = wait.and_then(WaitKind::retry).and_then(|retry| retry.failure.as_ref());
                        let failed = failure.map(|failure| failure.element.clone());
                        job = (key, failed, wait.map_or(Kind::Before, Kind::of));
                    }
                    Event::WaitOpened { details }
                        if entry.events.waits.get(details as usize).is_some_and(|wait| wait.key == row.key) =>
                    {
                        return Ok(job);
                    }
                    _ => {}
                }
            }
        }
    }
}

async fn shown(engine: &Engine, rows: &[(Incident, End)]) -> Result<Vec<Json>, Fault> {
    let definitions = process_definition::of_keys(engine, rows.iter().map(|(row, _)| row.definition)).await?;
    let mut all = Vec::with_capacity(rows.len());
    for (row, end) in rows {
        let own = id::id(row.key);
        let instance = engine.instance(InstanceId(row.instance)).get().await?;
        let (job, failed, of) = job_of(engine, row).await?;
        let definition = definitions.get(&row.definition.into());
        let job_definition = match kind(row) {
            "failedJob" => Some(job_definition::id_by_node(engine, row.definition, &row.node, of).await?),
            _ => None,
        };
        all.push(json!({
            "id": own,
            "processDefinitionKey": &*row.process,
            "processDefinitionId": definition.map_or_else(|| id::id(row.definition), id::definition),
            "processInstanceId": id::id(row.instance),
            "executionId": id::part(job, id::EXECUTION),
            "rootProcessInstanceId": id::id(root(engine, &instance).await?),
            "createTime": date(row.raised),
            "endTime": row.resolved.map(date),
            "removalTime": instance.expires.map(date),
            "incidentType": kind(row),
            "activityId": &*row.node,
            "failedActivityId": failed.as_deref(),
            "causeIncidentId": own,
            "rootCauseIncidentId": own,
            "configuration": id::id(job),
            "historyConfiguration": work::failure_before(engine, row, job).await?,
            "incidentMessage": Some(&*row.message).filter(|message| !message.is_empty()),
            "tenantId": row.tenant.as_deref(),
            "jobDefinitionId": job_definition,
            "annotation": row.annotation.as_deref(),
            "open": *end == End::Open,
            "deleted": *end == End::Deleted,
            "resolved": *end == End::Resolved,
        }));
    }
    Ok(all)
}

async fn search(engine: &Engine, asked: &Asked<'_>) -> Result<Vec<(Incident, End)>, Fault> {
    let Asked { fields, order, .. } = asked;
    let mut query = IncidentQuery::default();
    for (name, keys) in [("incidentId", &mut query.keys), ("processInstanceId", &mut query.instances)] {
        if let Some(text) = fields.text(name)? {
            match id::parse(&text) {
                Some(key) => keys.push(key),
                None => return Ok(Vec::new()),
            }
        }
    }
    if let Some(text) = fields.text("processDefinitionId")? {
        query.definition = id::parse_definition(&text);
        if query.definition.is_none() {
            return Ok(Vec::new());
        }
    }
    query.processes = fields.text("processDefinitionKey")?.into_iter().collect();
    query.nodes = fields.text("activityId")?.into_iter().collect();
    let of = fields.text("incidentType")?;
    let message = fields.text("incidentMessage")?;
    let pattern = fields.text("incidentMessageLike")?;
    query.processes.extend(fields.list("processDefinitionKeyIn")?.unwrap_or_default());
    let (after, before) = (fields.date("createTimeAfter")?, fields.date("createTimeBefore")?);
    let (end_after, end_before) = (fields.date("endTimeAfter")?, fields.date("endTimeBefore")?);
    let (tenants, untenanted) = (fields.list("tenantIdIn")?, fields.is_set("withoutTenantId")?);
    let mut among = among(fields)?;
    for name in ["causeIncidentId", "rootCauseIncidentId", "configuration", "historyConfiguration"] {
        among.extend(fields.text(name)?.map(|value| (name, vec![value])));
    }
    let (open, resolved, deleted) = (fields.is_set("open")?, fields.is_set("resolved")?, fields.is_set("deleted")?);
    let mut rows = Vec::new();
    for row in engine.incidents(&query).await? {
        let end = end(engine, &row).await?;
        let fits = of.as_deref().is_none_or(|of| kind(&row) == of)
            && message.as_ref().is_none_or(|message| row.message == *message)
            && (!open || end == End::Open)
            && (!resolved || end == End::Resolved)
            && (!deleted || end == End::Deleted)
            && pattern.as_ref().is_none_or(|pattern| like(pattern, &row.message))
            && after.is_none_or(|time| is_after(row.raised, time))
            && before.is_none_or(|time| row.raised < time)
            && end_after.is_none_or(|time| row.resolved.is_some_and(|own| is_after(own, time)))
            && end_before.is_none_or(|time| row.resolved.is_some_and(|own| own < time))
            && (!untenanted || row.tenant.is_none())
            && tenants.as_ref().is_none_or(|tenants| row.tenant.as_ref().is_some_and(|own| tenants.contains(own)));
        if !fits {
            continue;
        }
        let found = [(row, end)];
        if among.is_empty() || shown(engine, &found).await?.iter().all(|shown| is_among(shown, &among)) {
            rows.extend(found);
        }
    }
    answer::sort(&mut rows, order, |by, (left, _), (right, _)| match by {
        "createTime" => left.raised.cmp(&right.raised),
        "endTime" => left.resolved.cmp(&right.resolved),
        "incidentMessage" => left.message.cmp(&right.message),
        "incidentState" => left.resolved.is_some().cmp(&right.resolved.is_some()),
        "processDefinitionKey" => left.process.cmp(&right.process),
        "incidentType" => kind(left).cmp(kind(right)),
        "activityId" => left.node.cmp(&right.node),
        "processInstanceId" => left.instance.cmp(&right.instance),
        "processDefinitionId" => left.definition.cmp(&right.definition),
        "tenantId" => left.tenant.cmp(&right.tenant),
        _ => left.key.cmp(&right.key),
    });
    Ok(rows)
}

/// The list.
struct Incidents;

impl List for Incidents {
    const PATH: &'static str = "/history/incident";
    const BY_BODY: bool = false;
    const SORTED_BY: &'static [&'static str] = &[
        "incidentId",
        "incidentMessage",
        "createTime",
        "endTime",
        "incidentType",
        "executionId",
        "activityId",
        "processDefinitionKey",
        "causeIncidentId",
        "rootCauseIncidentId",
        "configuration",
        "historyConfiguration",
        "incidentState",
        "processInstanceId",
        "processDefinitionId",
        "tenantId",
    ];
    type Row = (Incident, End);

    async fn find(engine: &Engine, asked: &Asked<'_>) -> Result<Vec<(Incident, End)>, Fault> {
        search(engine, asked).await
    }

    async fn shown(engine: &Engine, rows: Vec<(Incident, End)>, _: &Fields) -> Result<Vec<Json>, Fault> {
        shown(engine, &rows).await
    }
}
