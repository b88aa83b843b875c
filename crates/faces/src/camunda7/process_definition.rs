//! `/process-definition`: versions of processes.

use std::collections::BTreeMap;

use axum::Router;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::routing::{get, put};
use jiff::Timestamp;
use potok::query::{DefinitionQuery, IncidentQuery, InstanceQuery};
use potok::row::{Definition, DefinitionKind, InstanceState};
use potok::{DefinitionId, Engine, Error, InstanceId, Name, Selector, Version};
use potok_core::graph::{Expression, ExpressionKind, NodeKind, VersionBinding};
use potok_core::xml::Document;
use serde_json::{Value as Json, json};

use super::answer::{Answer, json as answer, nothing};
use super::error::Fault;
use super::fields::{Fields, InBody, InQuery};
use super::list::{self, Asked, List};
use super::process_instance_query::{self, Stuck};
use super::which::{Which, by_id_and_key};
use super::{definition_query, deployment, form, id, job_definition, model, process_instance};
use crate::acting::Acting;

const BPMN: &str = "http://www.omg.org/spec/BPMN/20100524/MODEL";
const CAMUNDA: &str = "http://camunda.org/schema/1.0/bpmn";

pub(crate) fn routes() -> Router<Engine> {
    let mut routes = Router::new()
        .merge(list::routes::<Definitions>())
        .route("/process-definition/statistics", get(statistics))
        .route("/process-definition/suspended", put(suspend_by_key));
    by_id_and_key!(routes, "/process-definition", "", get(one).delete(delete));
    routes = routes
        .route("/process-definition/key/{key}/delete", axum::routing::delete(delete_all))
        .route("/process-definition/key/{key}/tenant-id/{tenant}/delete", axum::routing::delete(delete_all));
    by_id_and_key!(routes, "/process-definition", "/xml", get(xml));
    by_id_and_key!(routes, "/process-definition", "/diagram", get(diagram));
    by_id_and_key!(routes, "/process-definition", "/suspended", put(suspend));
    by_id_and_key!(routes, "/process-definition", "/statistics", get(activity_statistics));
    by_id_and_key!(routes, "/process-definition", "/startForm", get(form::of_start));
    by_id_and_key!(routes, "/process-definition", "/form-variables", get(form::start_variables));
    by_id_and_key!(routes, "/process-definition", "/rendered-form", get(form::rendered_start));
    by_id_and_key!(routes, "/process-definition", "/deployed-start-form", get(form::deployed_start));
    by_id_and_key!(routes, "/process-definition", "/history-time-to-live", put(keep));
    by_id_and_key!(routes, "/process-definition", "/static-called-process-definitions", get(called));
    routes
}

/// The tenant, if there is one.
pub(crate) fn tenant(definition: &Definition) -> Option<&str> {
    Some(&*definition.tenant).filter(|tenant| !tenant.is_empty())
}

/// Whether Camunda would have a definition of it: it has none of a process that is not meant to be executed.
pub(crate) async fn is_executable(engine: &Engine, definition: &Definition) -> Result<bool, Fault> {
    let bytes = deployment::file_of(engine, definition).await?;
    let Ok(document) = Document::parse(&bytes) else { return Ok(true) };
    let process = document
        .elements()
        .find(|element| element.is(BPMN, "process") && element.attribute("id").as_deref() == Some(&*definition.id));
    Ok(process.and_then(|process| process.attribute("isExecutable")).as_deref() == Some("true"))
}

/// For how many days the history of its instances is kept; none if for ever.
pub(crate) async fn kept_for(engine: &Engine, definition: &Definition) -> Result<Option<i64>, Fault> {
    let graph = engine.graph(definition.key.into()).await?;
    let kept = graph.and_then(|graph| graph.history_ends(Timestamp::UNIX_EPOCH));
    Ok(definition.history_days.or(kept.map(|kept| kept.as_second() / 86_400)))
}

/// How many days a request says.
pub(crate) fn days(days: Option<i64>) -> Result<u32, Fault> {
    let days = days
        .ok_or_else(|| Fault::bad_request_of("NotAllowedException", "Null historyTimeToLive values are not allowed"))?;
    u32::try_from(days).map_err(|_| {
        Fault::bad_request_of("BadUserRequestException", "historyTimeToLive is not greater than or equal to 0")
    })
}

/// Keeps the histories of instances that end from now on for so many days.
async fn keep(Acting(engine): Acting, Path(which): Path<Which>, InBody(fields): InBody) -> Answer {
    let days = fields.number("historyTimeToLive")?;
    let Some(definition) = which.look_up(&engine).await? else {
        return Err(match &which.id {
            Some(id) => Fault::broken_as("NullPointerException", format!("there is no process definition {id}")),
            None => which.missing("process"),
        });
    };
    engine.keep_history(DefinitionId(definition.key), Some(self::days(days)?)).await?;
    Ok(nothing())
}

/// A definition as Camunda shows it.
pub(crate) async fn shown(engine: &Engine, definition: &Definition) -> Result<Json, Fault> {
    let bytes = deployment::file_of(engine, definition).await?;
    let document = Document::parse(&bytes).ok();
    let process = document.as_ref().and_then(|document| {
        document
            .elements()
            .find(|element| element.is(BPMN, "process") && element.attribute("id").as_deref() == Some(&*definition.id))
    });
    let root = document.as_ref().map(Document::root);
    let description = process.and_then(|process| {
        process.children().find(|child| child.is(BPMN, "documentation")).map(|child| child.text().trim().to_owned())
    });
    let startable = process.and_then(|process| process.attribute_in(CAMUNDA, "isStartableInTasklist"));
    let kept = kept_for(engine, definition).await?;
    Ok(json!({
        "id": id::definition(definition),
        "key": &*definition.id,
        "category": root.and_then(|root| root.attribute("targetNamespace")),
        "description": description,
        "name": definition.name.as_deref(),
        "version": definition.version,
        "resource": &*definition.resource,
        "deploymentId": id::id(definition.deployment),
        "diagram": null,
        "suspended": definition.suspended,
        "tenantId": tenant(definition),
        "versionTag": definition.tag.as_deref(),
        "historyTimeToLive": kept,
        "startableInTasklist": startable.as_deref() != Some("false"),
    }))
}

async fn one(Acting(engine): Acting, Path(which): Path<Which>) -> Answer {
    Ok(answer(&shown(&engine, &which.find(&engine).await?).await?))
}

/// One version; by a key the newest.
async fn delete(Acting(engine): Acting, Path(which): Path<Which>, InQuery(fields): InQuery) -> Answer {
    let missing = || match &which.id {
        Some(id) => Fault::missing_in_engine(format!("No process definition found with id '{id}'")),
        None => which.missing("process"),
    };
    let id = DefinitionId(which.look_up(&engine).await?.ok_or_else(missing)?.key);
    if fields.is_set("cascade")? {
        engine.delete_definition_with_instances(id, "").await?;
    } else {
        engine.delete_definition(id).await?;
    }
    Ok(StatusCode::OK.into_response())
}

/// All versions.
async fn delete_all(Acting(engine): Acting, Path(which): Path<Which>, InQuery(fields): InQuery) -> Answer {
    let key = which.key.clone().unwrap_or_default();
    let missing = || Fault::missing(format!("No process definition found with key '{key}'"));
    let newest = which.look_up(&engine).await?.ok_or_else(missing)?;
    let all = versions(&engine, &newest.id, Some(&newest.tenant)).await?;
    if fields.is_set("cascade")? {
        for definition in &all {
            engine.delete_definition_with_instances(DefinitionId(definition.key), "").await?;
        }
        return Ok(nothing());
    }
    // All of them or none.
    for definition in &all {
        let query = InstanceQuery { definition: Some(definition.key), ..InstanceQuery::default() };
        let instances = engine.count(&query).await?;
        if instances > 0 {
            let message = format!("ENGINE-03076 {instances} instances stand on {}", id::definition(definition));
            return Err(Fault::failed(message));
        }
    }
    for definition in &all {
        engine.delete_definition(DefinitionId(definition.key)).await?;
    }
    Ok(nothing())
}

async fn xml(Acting(engine): Acting, Path(which): Path<Which>) -> Answer {
    let Some(definition) = which.look_up(&engine).await? else {
        let message = "No matching process definition";
        return Err(if which.id.is_some() {
            Fault::missing_in_engine(message)
        } else {
            Fault::refused_by_rest(StatusCode::NOT_FOUND, message)
        });
    };
    let bytes = deployment::file_of(&engine, &definition).await?;
    let text = String::from_utf8_lossy(&bytes);
    Ok(answer(&json!({"id": id::definition(&definition), "bpmn20Xml": text})))
}

/// Nobody draws here: there is never a picture.
async fn diagram(Acting(engine): Acting, Path(which): Path<Which>) -> Answer {
    which.find(&engine).await?;
    Ok(nothing())
}

/// Which definitions a version would call now, as far as its model says which without being run.
async fn called(Acting(engine): Acting, Path(which): Path<Which>) -> Answer {
    let definition = match (which.look_up(&engine).await?, &which.id) {
        (Some(definition), _) => definition,
        (None, Some(id)) => {
            return Err(Fault::missing(format!("no deployed process definition found with id '{id}'")));
        }
        (None, None) => return Err(which.missing("process")),
    };
    let mut called: BTreeMap<u64, (Definition, Vec<Name>)> = BTreeMap::new();
    let graph = engine.graph(definition.key.into()).await?;
    for node in graph.iter().flat_map(|graph| graph.nodes()) {
        let Some(selector) = is_called(&definition, &node.kind) else { continue };
        match engine.definition(DefinitionKind::Process, &definition.tenant, &selector).await {
            Ok(found) => {
                called.entry(found.key.into()).or_insert_with(|| (found, Vec::new())).1.push(node.id.clone());
            }
            Err(Error::NotDeployed(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let mut all = Vec::with_capacity(called.len());
    for (found, nodes) in called.into_values() {
        let mut body = shown(&engine, &found).await?;
        body["calledFromActivityIds"] = nodes.iter().map(|node| &**node).collect();
        body["callingProcessDefinitionId"] = id::definition(&definition).into();
        all.push(body);
    }
    Ok(answer(&Json::Array(all)))
}

/// What a flow node calls, if it does and its model says what.
fn is_called(definition: &Definition, kind: &NodeKind) -> Option<Selector> {
    let NodeKind::Call(call) = kind else { return None };
    let text = |expression: &Expression| match &expression.kind {
        ExpressionKind::Literal(value) => Some(Name::from(value.to_string())),
        _ => None,
    };
    let version = match &call.binding {
        VersionBinding::Latest => Version::Latest,
        VersionBinding::Deployment => Version::Deployment(definition.deployment),
        VersionBinding::Version(version) => Version::Number(text(version)?.trim().parse().ok()?),
        VersionBinding::VersionTag(tag) => Version::Tag(text(tag)?),
    };
    Some(Selector::Version(text(&call.process)?, version))
}

/// Suspends versions, or lets them go on, with their instances if that is asked for.
async fn set_suspended(engine: &Engine, definitions: &[Definition], fields: &Fields) -> Answer {
    if fields.has("executionDate") {
        return Err(Fault::not_offered("suspending a definition at a later time (executionDate)"));
    }
    let suspended = fields.is_set("suspended")?;
    let with_instances = fields.is_set("includeProcessInstances")?;
    for definition in definitions {
        let id = DefinitionId(definition.key);
        let found = if suspended { engine.suspend_definition(id).await? } else { engine.resume_definition(id).await? };
        if !suspended {
            job_definition::let_go(engine, definition).await?;
        }
        if found && with_instances {
            let query = InstanceQuery {
                definition: Some(definition.key),
                states: vec![InstanceState::Active],
                suspended: Some(!suspended),
                ..InstanceQuery::default()
            };
            for instance in engine.instances(&query).await? {
                process_instance::set_suspended(engine, instance.id(), suspended).await?;
            }
        }
    }
    Ok(nothing())
}

async fn suspend(Acting(engine): Acting, Path(which): Path<Which>, InBody(fields): InBody) -> Answer {
    if fields.has("processDefinitionId") || fields.has("processDefinitionKey") {
        return Err(Fault::invalid(
            "Which definition is meant stands in the path: neither its id nor its key is said again",
        ));
    }
    match which.look_up(&engine).await? {
        // By its key all versions are meant.
        Some(definition) if which.id.is_none() => {
            let all = versions(&engine, &definition.id, Some(&definition.tenant)).await?;
            set_suspended(&engine, &all, &fields).await
        }
        Some(definition) => set_suspended(&engine, &[definition], &fields).await,
        // Camunda says nothing if there is none.
        None => Ok(nothing()),
    }
}

async fn versions(engine: &Engine, key: &Name, tenant: Option<&Name>) -> Result<Vec<Definition>, Fault> {
    let query = DefinitionQuery {
        kind: Some(DefinitionKind::Process),
        ids: vec![key.clone()],
        tenant: tenant.cloned(),
        ..DefinitionQuery::default()
    };
    Ok(engine.definitions(&query).await?)
}

async fn suspend_by_key(Acting(engine): Acting, InBody(fields): InBody) -> Answer {
    let by_id = fields.has("processDefinitionId");
    let definitions = match fields.text("processDefinitionKey")? {
        _ if by_id => {
            return Err(Fault::invalid("Only processDefinitionKey can be set to update the suspension state."));
        }
        None => {
            return Err(Fault::invalid(
                "Either processDefinitionId or processDefinitionKey must be set to update the suspension state.",
            ));
        }
        Some(key) => versions(&engine, &key, None).await?,
    };
    set_suspended(&engine, &definitions, &fields).await
}

/// What is counted beside instances.
struct Counted {
    failed_jobs: bool,
    incidents: bool,
    /// Only those of that type.
    of: Option<Name>,
}

impl Counted {
    fn asked(fields: &Fields) -> Result<Self, Fault> {
        let (all, of) = (fields.is_set("incidents")?, fields.text("incidentsForType")?);
        let root = fields.is_set("rootIncidents")?;
        if [all, of.is_some(), root].into_iter().filter(|is_asked| *is_asked).count() > 1 {
            return Err(Fault::invalid(
                "Only one of the query parameter incidents, incidentsForType and rootIncidents can be set.",
            ));
        }
        // What is stuck is so by itself: each incident is its own root.
        Ok(Self { failed_jobs: fields.is_set("failedJobs")?, incidents: all || of.is_some() || root, of })
    }

    /// Failed jobs, and incidents by type, of a version or of one of its flow nodes.
    async fn count(&self, engine: &Engine, definition: &Definition, node: Option<&Name>) -> Result<(u64, Json), Fault> {
        if !self.failed_jobs && !self.incidents {
            return Ok((0, json!([])));
        }
        let query = IncidentQuery {
            open: Some(true),
            definition: Some(definition.key),
            nodes: node.into_iter().cloned().collect(),
            ..IncidentQuery::default()
        };
        let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
        for incident in engine.incidents(&query).await? {
            *counts.entry(super::incident::kind(&incident)).or_default() += 1;
        }
        let failed = counts.get("failedJob").copied().filter(|_| self.failed_jobs).unwrap_or(0);
        counts.retain(|kind, _| self.incidents && self.of.as_deref().is_none_or(|of| of == *kind));
        let incidents =
            counts.into_iter().map(|(kind, count)| json!({"incidentType": kind, "incidentCount": count})).collect();
        Ok((failed, incidents))
    }
}

/// Instances and incidents of each version.
async fn statistics(Acting(engine): Acting, InQuery(fields): InQuery) -> Answer {
    let counts: BTreeMap<_, _> = engine
        .definition_statistics()
        .await?
        .into_iter()
        .map(|counts| (u64::from(counts.definition.0), counts))
        .collect();
    let asked = Counted::asked(&fields)?;
    let mut all = Vec::new();
    for definition in deployment::definitions(&engine, DefinitionKind::Process).await? {
        let counted = counts.get(&definition.key.into());
        let (failed_jobs, incidents) = asked.count(&engine, &definition, None).await?;
        all.push(json!({
            "@class": "org.camunda.bpm.engine.rest.dto.repository.ProcessDefinitionStatisticsResultDto",
            "id": id::definition(&definition),
            "instances": counted.map_or(0, |counted| counted.instances),
            "failedJobs": failed_jobs,
            "incidents": incidents,
            "definition": shown(&engine, &definition).await?,
        }));
    }
    Ok(answer(&Json::Array(all)))
}

/// What stands on each flow node of a version.
async fn activity_statistics(Acting(engine): Acting, Path(which): Path<Which>, InQuery(fields): InQuery) -> Answer {
    let definition = match which.look_up(&engine).await? {
        Some(definition) => definition,
        None if which.id.is_some() => return Ok(answer(&json!([]))),
        None => return Err(which.missing("process")),
    };
    let asked = Counted::asked(&fields)?;
    let graph = engine.graph(definition.key.into()).await?;
    let is_around_others = |node: &str| {
        graph.as_ref().is_some_and(|graph| graph.find(node).is_some_and(|node| model::is_around_others(graph, node)))
    };
    let is_repeated = |node: &str| {
        let node = graph.as_ref().and_then(|graph| graph.get_node(graph.find(node)?));
        node.is_some_and(|node| node.details.repeat.is_some())
    };
    let mut all = Vec::new();
    for counted in engine.statistics(DefinitionId(definition.key)).await? {
        if counted.incidents == 0 && (counted.tokens == 0 || is_around_others(&counted.node)) {
            continue;
        }
        let (failed_jobs, incidents) = asked.count(&engine, &definition, Some(&counted.node)).await?;
        // The loop itself is no activity instance beside its rounds.
        let work = counted.tasks + counted.jobs;
        let instances = if work > 0 && is_repeated(&counted.node) { work } else { counted.tokens };
        all.push(json!({
            "@class": "org.camunda.bpm.engine.rest.dto.repository.ActivityStatisticsResultDto",
            "id": &*counted.node,
            "instances": instances,
            "failedJobs": failed_jobs,
            "incidents": incidents,
        }));
    }
    Ok(answer(&Json::Array(all)))
}

/// Those of which a user, or a group that the user is in, is named as one who may start them.
async fn startable_by(engine: &Engine, user: Name, rows: Vec<Definition>) -> Result<Vec<Definition>, Fault> {
    let groups = engine.people().groups_of(user.clone()).await?;
    let mut found = Vec::new();
    for row in rows {
        let Some(graph) = engine.graph(row.key.into()).await? else { continue };
        let is_named = graph.candidate_starter_users().contains(&user)
            || graph.candidate_starter_groups().iter().any(|group| groups.contains(group));
        if is_named {
            found.push(row);
        }
    }
    Ok(found)
}

/// The definitions of instances, by their keys.
pub(crate) async fn of_keys(
    engine: &Engine,
    keys: impl IntoIterator<Item = potok_core::instance::Key>,
) -> Result<BTreeMap<u64, Definition>, Fault> {
    let keys: std::collections::BTreeSet<u64> = keys.into_iter().map(u64::from).collect();
    let versions = engine.versions(keys.into_iter().map(|key| DefinitionId(key.into()))).await?;
    Ok(versions.into_iter().map(|row| (row.key.into(), row)).collect())
}

/// The definition that an instance runs.
pub(crate) async fn of_instance(engine: &Engine, id: InstanceId) -> Result<Option<Definition>, Fault> {
    let instance = engine.instance(id).get().await?;
    Ok(of_keys(engine, [instance.definition]).await?.into_values().next())
}

/// The list of versions.
struct Definitions;

impl List for Definitions {
    const PATH: &'static str = "/process-definition";
    const BY_BODY: bool = false;
    const SORTED_BY: &'static [&'static str] =
        &["category", "key", "id", "name", "version", "deploymentId", "deployTime", "tenantId", "versionTag"];
    type Row = Definition;

    async fn find(engine: &Engine, asked: &Asked<'_>) -> Result<Vec<Definition>, Fault> {
        let fields = asked.fields;
        if fields.is_set("latestVersion")? && (fields.has("version") || fields.has("deploymentId")) {
            return Err(Fault::failed("latestVersion cannot be used together with version or deploymentId"));
        }
        let mut rows = definition_query::search(engine, asked, DefinitionKind::Process).await?;
        let (active, suspended) = (fields.is_set("active")?, fields.is_set("suspended")?);
        rows.retain(|row| (!active || !row.suspended) && (!suspended || row.suspended));
        match process_instance_query::stuck(fields)? {
            Stuck::Whatever => {}
            Stuck::By(query) => {
                let stuck = engine.incidents(&query).await?;
                rows.retain(|row| stuck.iter().any(|incident| incident.definition == row.key));
            }
            Stuck::Never => rows.clear(),
        }
        match fields.text("startableBy")? {
            Some(user) => startable_by(engine, user, rows).await,
            None => Ok(rows),
        }
    }

    async fn shown(engine: &Engine, rows: Vec<Definition>, _: &Fields) -> Result<Vec<Json>, Fault> {
        let mut all = Vec::with_capacity(rows.len());
        for row in &rows {
            all.push(shown(engine, row).await?);
        }
        Ok(all)
    }
}
