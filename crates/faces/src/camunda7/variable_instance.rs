//! `/variable-instance`: the variables of instances that run, wherever they stand.

use axum::Router;
use axum::extract::Path;
use axum::routing::get;
use potok::query::InstanceQuery;
use potok::row::{Definition, InstanceState};
use potok::{Engine, Instance, InstanceId, Name, Value};
use potok_core::graph::ProcessGraph;
use potok_core::instance::{Instance as Running, Key, ROOT, Scope, ScopeKind, WaitKind};
use serde_json::{Value as Json, json};

use super::answer::{self, Answer, json as answer};
use super::condition::{Conditions, like};
use super::error::Fault;
use super::fields::{Fields, InQuery};
use super::list::{self, Asked, List};
use super::{id, process_definition, value, variables};
use crate::acting::Acting;

pub(crate) fn routes() -> Router<Engine> {
    Router::new()
        .merge(list::routes::<Variables>())
        .route("/variable-instance/{id}", get(one))
        .route("/variable-instance/{id}/data", get(data))
}

/// A variable, and what it belongs to.
struct Found {
    name: Name,
    value: Value,
    part: u32,
    execution: String,
    activity_instance: String,
    task: Option<String>,
}

/// The executions of an instance, with the variables of each one's own.
pub(crate) fn executions<'s>(
    state: &'s Running,
    graph: Option<&ProcessGraph>,
) -> impl Iterator<Item = (String, &'s [(Name, Value)])> {
    state.scopes().map(move |(number, scope)| {
        let execution = if number == ROOT { id::id(state.key()) } else { of_scope(state, graph, scope).0.0 };
        (execution, scope.variables())
    })
}

fn of_instance(state: &Running, graph: Option<&ProcessGraph>) -> Vec<Found> {
    let own = id::id(state.key());
    let mut found = Vec::new();
    for (number, scope) in state.scopes() {
        let ((execution, activity_instance, task), of) =
            if number == ROOT { ((own.clone(), own.clone(), None), 0) } else { of_scope(state, graph, scope) };
        for (name, value) in scope.variables() {
            let part = id::variable(of, name);
            let (execution, activity_instance, task) = (execution.clone(), activity_instance.clone(), task.clone());
            found.push(Found { name: name.clone(), value: value.clone(), part, execution, activity_instance, task });
        }
    }
    found
}

/// The execution, activity instance and task that a scope belongs to, and a number for it that no other has.
fn of_scope(state: &Running, graph: Option<&ProcessGraph>, scope: &Scope) -> ((String, String, Option<String>), u64) {
    let node = graph.and_then(|graph| graph.get_node(scope.node)).map(|node| node.id.clone()).unwrap_or_default();
    let of_loop = if scope.kind == ScopeKind::Loop { "#multiInstanceBody" } else { "" };
    let node = format!("{node}{of_loop}");
    let work = state.waits_of(scope.owner).find(|wait| matches!(wait.kind, WaitKind::UserTask(_) | WaitKind::Job(_)));
    match work {
        Some(wait) => {
            let task = matches!(wait.kind, WaitKind::UserTask(_)).then(|| id::id(wait.key));
            let activity_instance = id::activity_instance(&node, wait.key, id::ACTIVITY);
            ((id::part(wait.key, id::EXECUTION), activity_instance, task), wait.key.into())
        }
        None => {
            let serial = state.token(scope.owner).map_or(0, |token| token.serial);
            let activity_instance = id::activity_instance(&node, state.key(), id::token(serial));
            ((id::part(state.key(), id::token(serial)), activity_instance, None), u64::from(serial) + 1)
        }
    }
}

fn shown(found: &Found, instance: &Instance, definition: Option<&Definition>, deserialise: bool) -> Json {
    let mut body = value::write_listed(&found.value, deserialise);
    let more = json!({
        "id": id::part(instance.key, found.part),
        "name": &*found.name,
        "processDefinitionId": definition.map_or_else(|| id::id(instance.definition), id::definition),
        "processInstanceId": id::id(instance.key),
        "executionId": found.execution,
        "caseInstanceId": null,
        "caseExecutionId": null,
        "taskId": found.task,
        "batchId": null,
        "activityInstanceId": found.activity_instance,
        "errorMessage": null,
        "tenantId": instance.tenant.as_deref(),
    });
    if let (Some(body), Json::Object(more)) = (body.as_object_mut(), more) {
        body.extend(more);
    }
    body
}

async fn search(engine: &Engine, asked: &Asked<'_>) -> Result<Vec<Json>, Fault> {
    let Asked { fields, order, .. } = asked;
    let deserialise = fields.flag("deserializeValues")? != Some(false);
    let mut query = InstanceQuery { states: vec![InstanceState::Active], ..InstanceQuery::default() };
    if let Some(ids) = fields.list("processInstanceIdIn")? {
        query.keys = ids.iter().filter_map(|text| id::parse::<Key>(text)).collect();
        if query.keys.is_empty() {
            return Ok(Vec::new());
        }
    }
    let (name, pattern) = (fields.text("variableName")?, fields.text("variableNameLike")?);
    let (executions, tasks) = (fields.list("executionIdIn")?, fields.list("taskIdIn")?);
    let scopes = fields.list("variableScopeIdIn")?;
    let activities = fields.list("activityInstanceIdIn")?;
    let conditions = Conditions::of(fields, "variableValues")?;
    query.tenants = fields.list("tenantIdIn")?.unwrap_or_default();
    let rows = engine.instances(&query).await?;
    let definitions = process_definition::of_keys(engine, rows.iter().map(|row| row.definition)).await?;
    let mut all = Vec::new();
    for row in &rows {
        let state = engine.instance(row.id()).state().await?;
        let graph = engine.graph(row.definition_id()).await?;
        for found in of_instance(&state, graph.as_deref()) {
            let within = |names: &Option<Vec<Name>>, own: &str| {
                names.as_ref().is_none_or(|names| names.iter().any(|name| &**name == own))
            };
            let fits = name.as_ref().is_none_or(|name| found.name == *name)
                && pattern.as_ref().is_none_or(|pattern| like(pattern, &found.name))
                && within(&executions, &found.execution)
                && within(&activities, &found.activity_instance)
                && tasks.as_ref().is_none_or(|_| found.task.as_ref().is_some_and(|task| within(&tasks, task)))
                && scopes.as_ref().is_none_or(|_| {
                    within(&scopes, found.task.as_deref().unwrap_or(&found.execution))
                        || within(&scopes, &found.execution)
                })
                && (conditions.is_empty() || conditions.hold_for(&found.name, &found.value));
            if fits {
                all.push(shown(&found, row, definitions.get(&row.definition.into()), deserialise));
            }
        }
    }
    answer::sort(&mut all, order, |by, left, right| {
        let member = match by {
            "variableType" => "type",
            "activityInstanceId" => "activityInstanceId",
            "tenantId" => "tenantId",
            _ => "name",
        };
        left[member].as_str().cmp(&right[member].as_str())
    });
    Ok(all)
}

async fn find(engine: &Engine, text: &str) -> Result<(Instance, Found), Fault> {
    let missing = || Fault::missing(format!("Variable instance with Id '{text}' does not exist."));
    let (key, part) = id::parse_part(text).ok_or_else(missing)?;
    let instance = engine.instance(InstanceId(key)).get().await.map_err(|_| missing())?;
    let state = engine.instance(InstanceId(key)).state().await?;
    let graph = engine.graph(instance.definition_id()).await?;
    let found =
        of_instance(&state, graph.as_deref()).into_iter().find(|found| found.part == part && instance.is_active());
    Ok((instance, found.ok_or_else(missing)?))
}

async fn one(Acting(engine): Acting, Path(text): Path<String>, InQuery(fields): InQuery) -> Answer {
    let (instance, found) = find(&engine, &text).await?;
    let definitions = process_definition::of_keys(&engine, [instance.definition]).await?;
    let deserialise = fields.flag("deserializeValue")? != Some(false);
    Ok(answer(&shown(&found, &instance, definitions.get(&instance.definition.into()), deserialise)))
}

async fn data(Acting(engine): Acting, Path(text): Path<String>) -> Answer {
    let (_, found) = find(&engine, &text).await?;
    variables::bytes_of(&found.value, &found.name)
}

/// The list of variables.
struct Variables;

impl List for Variables {
    const PATH: &'static str = "/variable-instance";
    const NEVER: &'static [&'static str] = &["batchIdIn", "caseExecutionIdIn", "caseInstanceIdIn"];
    const SORTED_BY: &'static [&'static str] = &["variableName", "variableType", "activityInstanceId", "tenantId"];
    type Row = Json;

    async fn find(engine: &Engine, asked: &Asked<'_>) -> Result<Vec<Json>, Fault> {
        search(engine, asked).await
    }

    async fn shown(_: &Engine, rows: Vec<Json>, _: &Fields) -> Result<Vec<Json>, Fault> {
        Ok(rows)
    }
}
