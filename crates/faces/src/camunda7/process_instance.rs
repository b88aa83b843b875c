//! `/process-instance`: instances that run.

use axum::Router;
use axum::extract::Path;
use axum::routing::{get, post, put};
use potok::query::{IncidentQuery, InstanceQuery};
use potok::row::{Definition, Instance as Row, InstanceState};
use potok::{Engine, Error, Instance, InstanceId, Viewpoint};
use potok_core::step::Position;
use serde_json::{Value as Json, json};

use super::answer::{Answer, json as answer, nothing};
use super::error::Fault;
use super::fields::{Fields, InBody, InQuery};
use super::list::{self, Asked, List};
use super::model::Model;
use super::variables::{self, Holder, Owner};
use super::{comment, id, process_definition, process_instance_query, start, tree, value};
use crate::acting::Acting;

pub(crate) fn routes() -> Router<Engine> {
    Router::new()
        .merge(list::routes::<Instances>())
        .route("/process-instance/suspended", put(suspend_many))
        .route("/process-instance/{id}", get(one).delete(delete))
        .route("/process-instance/{id}/suspended", put(suspend))
        .route("/process-instance/{id}/activity-instances", get(activity_instances))
        .route("/process-instance/{id}/modification", post(modify))
        .route(
            "/process-instance/{id}/comment",
            get(comment::of_instance).put(comment::change_of_instance).delete(comment::remove_all),
        )
        .route("/process-instance/{id}/comment/{comment}", axum::routing::delete(comment::remove))
        .merge(variables::routes::<Process>())
}

/// The variables of a process itself.
struct Process;

impl Holder for Process {
    const PATH: &'static str = "/process-instance/{id}/variables";
    const OWN: bool = true;
    const WORD: &'static str = "process instance";

    async fn owner(engine: &Engine, text: &str) -> Result<Option<Owner>, Fault> {
        let instance = running(engine, text).await?.map(|instance| instance.id());
        Ok(instance.map(|instance| Owner { instance, from: Viewpoint::Process }))
    }
}

/// An instance as Camunda shows it.
pub(crate) fn shown(instance: &Row, definition: Option<&Definition>) -> Json {
    json!({
        "links": [],
        "id": id::id(instance.key),
        "definitionId": definition.map_or_else(|| id::id(instance.definition), id::definition),
        "definitionKey": &*instance.process,
        "businessKey": instance.business_key.as_deref(),
        "caseInstanceId": null,
        "ended": instance.state != InstanceState::Active,
        "suspended": instance.suspended,
        "tenantId": instance.tenant.as_deref(),
    })
}

/// An instance that runs, if there is one with that id.
pub(crate) async fn running(engine: &Engine, text: &str) -> Result<Option<Instance>, Fault> {
    let Some(id) = id::parse::<InstanceId>(text) else { return Ok(None) };
    match engine.instance(id).get().await {
        Ok(instance) if instance.is_active() && !instance.process.is_empty() => Ok(Some(instance)),
        Ok(_) | Err(Error::UnknownInstance(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn missing(text: &str) -> Fault {
    Fault::missing(format!("Process instance with id {text} does not exist"))
}

async fn one(Acting(engine): Acting, Path(text): Path<String>) -> Answer {
    let instance = running(&engine, &text).await?.ok_or_else(|| missing(&text))?;
    let definitions = process_definition::of_keys(&engine, [instance.definition]).await?;
    Ok(answer(&shown(&instance, definitions.get(&instance.definition.into()))))
}

async fn delete(Acting(engine): Acting, Path(text): Path<String>, InQuery(fields): InQuery) -> Answer {
    let Some(instance) = running(&engine, &text).await? else {
        return if fields.flag("failIfNotExists")? == Some(false) {
            Ok(nothing())
        } else {
            Err(Fault::missing_in_engine(format!("Process instance with id {text} does not exist")))
        };
    };
    let root = root_of(&engine, &instance).await?;
    if fields.is_set("skipSubprocesses")? {
        let active = vec![InstanceState::Active];
        let called = InstanceQuery { states: active, parent: Some(root.0), ..InstanceQuery::default() };
        if engine.count(&called).await? > 0 {
            return Err(Fault::not_offered(
                "leaving called instances behind (skipSubprocesses): they end with their caller",
            ));
        }
    }
    match engine.instance(root).cancel("").await {
        Ok(()) | Err(Error::Rejected(_)) => Ok(nothing()),
        Err(error) => Err(error.into()),
    }
}

/// The instance that called it, or the one that called that...: what is called ends with its caller.
async fn root_of(engine: &Engine, instance: &Row) -> Result<InstanceId, Fault> {
    let (mut root, mut parent) = (instance.key, instance.parent);
    while let Some(caller) = parent {
        root = caller;
        parent = engine.instance(caller.into()).get().await?.parent;
    }
    Ok(root.into())
}

/// Suspends an instance that runs, or lets it go on; one that has ended meanwhile is left alone.
pub(crate) async fn set_suspended(engine: &Engine, id: InstanceId, suspended: bool) -> Result<(), Fault> {
    let case = engine.instance(id);
    match if suspended { case.suspend().await } else { case.resume().await } {
        Ok(()) | Err(Error::Rejected(_) | Error::UnknownInstance(_)) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

async fn suspend(Acting(engine): Acting, Path(text): Path<String>, InBody(fields): InBody) -> Answer {
    if let Some(instance) = running(&engine, &text).await? {
        set_suspended(&engine, instance.id(), fields.is_set("suspended")?).await?;
    }
    Ok(nothing())
}

async fn suspend_many(Acting(engine): Acting, InBody(fields): InBody) -> Answer {
    let suspended = fields.is_set("suspended")?;
    let by = ["processDefinitionId", "processDefinitionKey"];
    if by.iter().all(|name| fields.has(name)) {
        return Err(Fault::invalid(
            "Only one of processDefinitionId and processDefinitionKey says which instances are meant",
        ));
    }
    let mut query = InstanceQuery { states: vec![InstanceState::Active], ..InstanceQuery::default() };
    if let Some(ids) = fields.array("processInstanceIds")? {
        query.keys = ids.iter().filter_map(|text| id::parse(text)).collect();
        if query.keys.is_empty() {
            return match ids.is_empty() {
                true => Err(Fault::bad_request_of("BadUserRequestException", "no process instance is named")),
                false => Ok(nothing()),
            };
        }
    } else if let Some(key) = fields.text("processDefinitionKey")? {
        query.processes.push(key);
    } else if let Some(text) = fields.text("processDefinitionId")? {
        query.definition =
            Some(id::parse_definition(&text).ok_or_else(|| Fault::failed("there is no such definition"))?);
    } else if fields.has("processInstanceQuery") || fields.has("historicProcessInstanceQuery") {
        let of = fields
            .get("processInstanceQuery")
            .ok_or_else(|| Fault::not_offered("historicProcessInstanceQuery here"))?;
        for row in list::all::<Instances>(&engine, &Fields::of(of)?).await? {
            set_suspended(&engine, row.id(), suspended).await?;
        }
        return Ok(nothing());
    } else {
        return Err(Fault::invalid(
            "Either processInstanceId, processDefinitionId or processDefinitionKey must be set to update the suspension state.",
        ));
    }
    for instance in engine.instances(&query).await? {
        set_suspended(&engine, instance.id(), suspended).await?;
    }
    Ok(nothing())
}

async fn activity_instances(Acting(engine): Acting, Path(text): Path<String>) -> Answer {
    let unknown = || Fault::missing(format!("Process instance with id {text} does not exist"));
    let instance = running(&engine, &text).await?.ok_or_else(unknown)?;
    Ok(answer(&tree_of(&engine, &instance).await?))
}

/// Where an instance stands.
pub(crate) async fn tree_of(engine: &Engine, instance: &Instance) -> Result<Json, Fault> {
    let unknown = || missing(&id::id(instance.key));
    let definition = process_definition::of_instance(engine, instance.id()).await?.ok_or_else(unknown)?;
    let graph = engine.graph(instance.definition_id()).await?.ok_or_else(unknown)?;
    let model = Model::of(engine, &definition).await?;
    let open = IncidentQuery { open: Some(true), instances: vec![instance.key], ..IncidentQuery::default() };
    let incidents = engine.incidents(&open).await?;
    let state = engine.instance(instance.id()).state().await?;
    let around = tree::Around { definition: &definition, graph: &graph, model: &model, incidents: &incidents };
    Ok(tree::tree(&state, &around))
}

/// Whoever moves or ends instances says whether listeners and mappings are to be left out; that is a flag or nothing.
pub(crate) fn check_what_is_skipped(fields: &Fields) -> Result<(), Fault> {
    for name in ["skipCustomListeners", "skipIoMappings"] {
        fields.flag(name)?;
    }
    Ok(())
}

async fn modify(Acting(engine): Acting, Path(text): Path<String>, InBody(fields): InBody) -> Answer {
    check_what_is_skipped(&fields)?;
    let instance = running(&engine, &text)
        .await?
        .ok_or_else(|| Fault::failed(format!("Process instance with id {text} does not exist")))?;
    let graph = engine.graph(instance.definition_id()).await?;
    let mut instructions = fields.objects("instructions")?;
    // To cancel what is not in the model is to cancel nothing.
    instructions.retain(|instruction| {
        let is_named = |name: &str| instruction.get(name).and_then(Json::as_str);
        let activity = is_named("activityId").filter(|_| is_named("type") == Some("cancel"));
        activity.is_none_or(|activity| graph.as_ref().is_none_or(|graph| graph.find(activity).is_some()))
    });
    if instructions.is_empty() {
        return Ok(nothing());
    }
    let mut modification = modification(engine.modify(instance.id()), &instructions)?;
    if let Some(annotation) = fields.text("annotation")? {
        modification = modification.reason(annotation);
    }
    match modification.send().await {
        Ok(()) => Ok(nothing()),
        Err(error @ Error::Rejected(_)) => Err(Fault::bad_request_of("NotValidException", error.to_string())),
        Err(error) => Err(error.into()),
    }
}

/// A modification with these instructions.
pub(crate) fn modification<On>(
    mut modification: potok::Modification<On>,
    instructions: &[Fields],
) -> Result<potok::Modification<On>, Fault> {
    for instruction in instructions {
        modification = match instruction.text("type")?.as_deref() {
            Some("cancel") => {
                match (instruction.text("activityInstanceId")?, instruction.text("transitionInstanceId")?) {
                    (Some(of), _) | (None, Some(of)) => {
                        let of = of.rsplit(':').next().unwrap_or_default();
                        match id::parse_part(of) {
                            Some((key, id::ACTIVITY)) => modification.cancel(key),
                            Some((_, part)) if id::serial(part).is_some() => {
                                modification.cancel_token(id::serial(part).unwrap_or_default())
                            }
                            _ => {
                                return Err(Fault::bad_request_of(
                                    "NotValidException",
                                    format!("there is no activity instance {of}"),
                                ));
                            }
                        }
                    }
                    (None, None) => {
                        let activity = instruction.text("activityId")?;
                        modification.cancel_all(activity.ok_or_else(|| Fault::invalid("For instruction type 'cancel': exactly one of 'activityId', 'activityInstanceId' and 'transitionInstanceId' must be set"))?)
                    }
                }
            }
            _ => {
                let begun = match start::position(instruction)? {
                    Position::Before(node) => modification.start_before(node),
                    Position::After(node) => modification.start_after(node),
                    Position::On(flow) => modification.start_transition(flow),
                };
                with_variables(begun, instruction)?
            }
        };
    }
    Ok(modification)
}

/// An instruction's variables: local ones, and others.
fn with_variables<On>(
    modification: potok::Modification<On>,
    instruction: &Fields,
) -> Result<potok::Modification<On>, Fault> {
    let (mut local, mut others) = (Vec::new(), Vec::new());
    for (name, variable) in instruction.map("variables")? {
        let is_local = variable.get("local").and_then(Json::as_bool) == Some(true);
        let value = value::read(&name, &variable)?;
        if is_local { &mut local } else { &mut others }.push((name.into(), value));
    }
    let modification = if others.is_empty() { modification } else { modification.variables(others) };
    Ok(if local.is_empty() { modification } else { modification.local_variables(local) })
}

/// The list of instances that run.
pub(crate) struct Instances;

impl List for Instances {
    const PATH: &'static str = "/process-instance";
    const FILTERS: &'static [&'static str] = &[
        "active",
        "activityIdIn",
        "businessKey",
        "businessKeyLike",
        "caseInstanceId",
        "deploymentId",
        "incidentId",
        "incidentMessage",
        "incidentMessageLike",
        "incidentType",
        "leafProcessInstances",
        "orQueries",
        "processDefinitionId",
        "processDefinitionKey",
        "processDefinitionKeyIn",
        "processDefinitionKeyNotIn",
        "processDefinitionWithoutTenantId",
        "processInstanceIds",
        "rootProcessInstanceId",
        "rootProcessInstances",
        "subCaseInstance",
        "subProcessInstance",
        "superCaseInstance",
        "superProcessInstance",
        "suspended",
        "tenantIdIn",
        "variables",
        "withIncident",
        "withoutTenantId",
    ];
    const NEVER: &'static [&'static str] = &["caseInstanceId", "subCaseInstance", "superCaseInstance"];
    const SORTED_BY: &'static [&'static str] =
        &["instanceId", "definitionKey", "definitionId", "tenantId", "businessKey"];
    type Row = Instance;

    async fn find(engine: &Engine, asked: &Asked<'_>) -> Result<Vec<Instance>, Fault> {
        process_instance_query::search(engine, asked).await
    }

    async fn count(engine: &Engine, asked: &Asked<'_>) -> Result<u64, Fault> {
        process_instance_query::count(engine, asked).await
    }

    async fn shown(engine: &Engine, rows: Vec<Instance>, _: &Fields) -> Result<Vec<Json>, Fault> {
        let definitions = process_definition::of_keys(engine, rows.iter().map(|row| row.definition)).await?;
        Ok(rows.iter().map(|row| shown(row, definitions.get(&row.definition.into()))).collect())
    }
}
