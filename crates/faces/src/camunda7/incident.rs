//! `/incident`: what is stuck.

use std::collections::BTreeMap;

use axum::Router;
use axum::extract::Path;
use axum::routing::{get, put};
use potok::query::IncidentQuery;
use potok::row::Incident;
use potok::{Engine, Error, IncidentId, InstanceId, Name};
use potok_core::instance::{IncidentKind, IncidentStage, Key, WaitKind};
use serde_json::{Value as Json, json};

use super::answer::{self, Answer, json as answer, nothing};
use super::condition::like;
use super::date::{date, is_after};
use super::error::Fault;
use super::fields::{Fields, InBody};
use super::job_definition::Kind;
use super::list::{self, Asked, List};
use super::{id, job_definition, process_definition};
use crate::acting::Acting;

pub(crate) fn routes() -> Router<Engine> {
    Router::new()
        .merge(list::routes::<Incidents>())
        .route("/incident/{id}", get(one).delete(resolve))
        .route("/incident/{id}/annotation", put(annotate).delete(clear_annotation))
}

async fn annotate(Acting(engine): Acting, Path(text): Path<String>, InBody(fields): InBody) -> Answer {
    set_annotation(&engine, &text, fields.text("annotation")?).await
}

async fn clear_annotation(Acting(engine): Acting, Path(text): Path<String>) -> Answer {
    set_annotation(&engine, &text, None).await
}

async fn set_annotation(engine: &Engine, text: &str, annotation: Option<Name>) -> Answer {
    let missing = || Fault::bad_request_of("BadUserRequestException", "incident is null");
    let id = id::parse::<IncidentId>(text).ok_or_else(missing)?;
    match engine.annotate_incident(id, annotation).await {
        Ok(()) => Ok(nothing()),
        Err(Error::UnknownIncident(_)) => Err(missing()),
        Err(error) => Err(error.into()),
    }
}

/// Camunda's word for what is stuck: a job that a worker has failed, or what the engine would have done itself.
pub(crate) fn kind(incident: &Incident) -> &'static str {
    if &*incident.code == OF_JOB { "failedExternalTask" } else { "failedJob" }
}

/// What a worker's incident has as its code.
const OF_JOB: &str = "job-failed";

/// Narrows a search to incidents of such a kind; says whether there can be any.
pub(crate) fn of_kind(query: &mut IncidentQuery, kind: &str) -> bool {
    match kind {
        "failedExternalTask" => query.codes.push(OF_JOB.into()),
        "failedJob" => query.not_codes.push(OF_JOB.into()),
        _ => return false,
    }
    true
}

/// Whether an incident is shown as a job of its own: it is none of a worker's, nor of a savepoint or timer.
pub(crate) fn is_a_job(incident: &Incident) -> bool {
    kind(incident) == "failedJob" && !is_of_a_try(incident)
}

/// Whether it stands beside a savepoint or timer that has no tries left.
pub(crate) fn is_of_a_try(incident: &Incident) -> bool {
    &*incident.code == IncidentKind::Retries.code()
}

/// The job that an incident is of, the flow node that failed, and which of its flow node's jobs it is. What is stuck in the engine itself
/// is a job under the incident's own key; a worker fails by itself.
async fn job_of(engine: &Engine, incident: &Incident) -> Result<(Key, Option<Name>, Kind), Fault> {
    let own = (incident.key, Some(incident.node.clone()), Kind::Before);
    let Ok(state) = engine.instance(InstanceId(incident.instance)).state().await else { return Ok(own) };
    let Some(wait) = state.wait(incident.key) else { return Ok(own) };
    let stage = if let WaitKind::Incident(incident) = &wait.kind { incident.stage } else { return Ok(own) };
    let owner = wait.owner;
    Ok(match stage {
        IncidentStage::Job => {
            let job = state.waits().find(|wait| wait.owner == owner && matches!(wait.kind, WaitKind::Job(_)));
            (job.map_or(incident.key, |job| job.key), None, Kind::Before)
        }
        IncidentStage::Retry(job) => {
            let wait = state.wait(job).map(|wait| &wait.kind);
            let failure = wait.and_then(|wait| wait.retry()?.failure.clone());
            (job, failure.map(|failure| failure.element), wait.map_or(Kind::Before, Kind::of))
        }
        _ => own,
    })
}

async fn shown(engine: &Engine, rows: &[Incident]) -> Result<Vec<Json>, Fault> {
    let definitions = process_definition::of_keys(engine, rows.iter().map(|row| row.definition)).await?;
    let mut all = Vec::with_capacity(rows.len());
    for row in rows {
        let own = id::id(row.key);
        let (job, failed, of) = job_of(engine, row).await?;
        let kind = kind(row);
        let job_definition = match kind {
            "failedJob" => Some(job_definition::id_by_node(engine, row.definition, &row.node, of).await?),
            _ => None,
        };
        let definition = definitions.get(&row.definition.into());
        all.push(json!({
            "id": own,
            "processDefinitionId": definition.map_or_else(|| id::id(row.definition), id::definition),
            "processInstanceId": id::id(row.instance),
            "executionId": id::part(job, id::EXECUTION),
            "incidentTimestamp": date(row.raised),
            "incidentType": kind,
            "activityId": &*row.node,
            "failedActivityId": failed.as_deref(),
            "causeIncidentId": own,
            "rootCauseIncidentId": own,
            "configuration": id::id(job),
            "tenantId": row.tenant.as_deref(),
            "incidentMessage": Some(&*row.message).filter(|message| !message.is_empty()),
            "jobDefinitionId": job_definition,
            "annotation": row.annotation.as_deref(),
        }));
    }
    Ok(all)
}

/// The executions that are stuck as fields say, by their instances.
pub(crate) async fn executions(engine: &Engine, fields: &Fields) -> Result<BTreeMap<Key, Vec<String>>, Fault> {
    let mut all: BTreeMap<Key, Vec<String>> = BTreeMap::new();
    for row in list::all::<Incidents>(engine, fields).await? {
        let (job, ..) = job_of(engine, &row).await?;
        all.entry(row.instance).or_default().push(id::part(job, id::EXECUTION));
    }
    Ok(all)
}

async fn found(engine: &Engine, text: &str) -> Result<Incident, Fault> {
    let missing = || Fault::missing(format!("No matching incident with id {text}"));
    let key = id::parse::<Key>(text).ok_or_else(missing)?;
    let query = IncidentQuery { open: Some(true), keys: vec![key], ..IncidentQuery::default() };
    engine.incidents(&query).await?.pop().ok_or_else(missing)
}

async fn one(Acting(engine): Acting, Path(text): Path<String>) -> Answer {
    let row = found(&engine, &text).await?;
    Ok(answer(&shown(&engine, &[row]).await?.pop().unwrap_or_default()))
}

/// Camunda resolves only incidents that programs have created themselves.
async fn resolve(Acting(engine): Acting, Path(text): Path<String>) -> Answer {
    let row = found(&engine, &text).await?;
    let message = format!(
        "Cannot resolve an incident of type {}: set the retries of what it is of ({})",
        kind(&row),
        IncidentId(row.key),
    );
    Err(Fault::invalid(message))
}

/// The members by which incidents are narrowed as they are shown, with the values that each may have.
pub(crate) fn among(fields: &Fields) -> Result<Vec<(&'static str, Vec<Name>)>, Fault> {
    let mut all = Vec::new();
    for name in ["executionId", "failedActivityId"] {
        all.extend(fields.text(name)?.map(|value| (name, vec![value])));
    }
    all.extend(fields.list("jobDefinitionIdIn")?.map(|values| ("jobDefinitionId", values)));
    Ok(all)
}

pub(crate) fn is_among(shown: &Json, among: &[(&'static str, Vec<Name>)]) -> bool {
    among.iter().all(|(member, values)| shown[*member].as_str().is_some_and(|own| values.iter().any(|it| it == own)))
}

async fn search(engine: &Engine, asked: &Asked<'_>) -> Result<Vec<Incident>, Fault> {
    let Asked { fields, order, .. } = asked;
    let mut query = IncidentQuery { open: Some(true), ..IncidentQuery::default() };
    for (name, keys) in [("incidentId", &mut query.keys), ("processInstanceId", &mut query.instances)] {
        if let Some(text) = fields.text(name)? {
            match id::parse(&text) {
                Some(key) => keys.push(key),
                None => return Ok(Vec::new()),
            }
        }
    }
    if let Some(ids) = fields.list("processInstanceIdIn")? {
        query.instances.extend(ids.iter().filter_map(|text| id::parse::<Key>(text)));
        if query.instances.is_empty() {
            return Ok(Vec::new());
        }
    }
    if let Some(text) = fields.text("processDefinitionId")? {
        query.definition = id::parse_definition(&text);
        if query.definition.is_none() {
            return Ok(Vec::new());
        }
    }
    query.processes = fields.list("processDefinitionKeyIn")?.unwrap_or_default();
    query.nodes = fields.text("activityId")?.into_iter().collect();
    let mut rows = engine.incidents(&query).await?;
    let (of, message, pattern) =
        (fields.text("incidentType")?, fields.text("incidentMessage")?, fields.text("incidentMessageLike")?);
    let (after, before) = (fields.date("incidentTimestampAfter")?, fields.date("incidentTimestampBefore")?);
    let (cause, root) = (fields.text("causeIncidentId")?, fields.text("rootCauseIncidentId")?);
    let tenants = fields.list("tenantIdIn")?;
    rows.retain(|row| {
        of.as_ref().is_none_or(|of| kind(row) == &**of)
            && message.as_ref().is_none_or(|message| row.message == *message)
            && pattern.as_ref().is_none_or(|pattern| like(pattern, &row.message))
            && after.is_none_or(|after| is_after(row.raised, after))
            && before.is_none_or(|before| row.raised < before)
            && [&cause, &root].into_iter().all(|of| of.as_ref().is_none_or(|of| id::id(row.key) == **of))
            && tenants.as_ref().is_none_or(|tenants| row.tenant.as_ref().is_some_and(|own| tenants.contains(own)))
    });
    if let Some(configuration) = fields.text("configuration")? {
        let mut configured = Vec::new();
        for row in rows {
            let (job, ..) = job_of(engine, &row).await?;
            if id::id(job) == *configuration {
                configured.push(row);
            }
        }
        rows = configured;
    }
    let among = among(fields)?;
    if !among.is_empty() {
        let mut found = Vec::new();
        for row in rows {
            let shown = shown(engine, std::slice::from_ref(&row)).await?;
            if shown.iter().all(|shown| is_among(shown, &among)) {
                found.push(row);
            }
        }
        rows = found;
    }
    answer::sort(&mut rows, order, |by, left, right| match by {
        "incidentMessage" => left.message.cmp(&right.message),
        "incidentTimestamp" => left.raised.cmp(&right.raised),
        "incidentType" => kind(left).cmp(kind(right)),
        "activityId" => left.node.cmp(&right.node),
        "processInstanceId" => left.instance.cmp(&right.instance),
        "processDefinitionId" => left.definition.cmp(&right.definition),
        "tenantId" => left.tenant.cmp(&right.tenant),
        _ => left.key.cmp(&right.key),
    });
    Ok(rows)
}

/// The list of incidents.
struct Incidents;

impl List for Incidents {
    const PATH: &'static str = "/incident";
    const BY_BODY: bool = false;
    const SORTED_BY: &'static [&'static str] = &[
        "incidentId",
        "incidentMessage",
        "incidentTimestamp",
        "incidentType",
        "executionId",
        "activityId",
        "processInstanceId",
        "processDefinitionId",
        "causeIncidentId",
        "rootCauseIncidentId",
        "configuration",
        "tenantId",
    ];
    type Row = Incident;

    async fn find(engine: &Engine, asked: &Asked<'_>) -> Result<Vec<Incident>, Fault> {
        search(engine, asked).await
    }

    async fn shown(engine: &Engine, rows: Vec<Incident>, _: &Fields) -> Result<Vec<Json>, Fault> {
        shown(engine, &rows).await
    }
}
