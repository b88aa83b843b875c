//! `/history/variable-instance`: variables as they are, or were in the end.

use std::collections::BTreeSet;

use axum::Router;
use axum::extract::Path;
use axum::routing::get;
use jiff::Timestamp;
use potok::query::VariableValue;
use potok::row::Definition;
use potok::{Engine, Error, Instance, InstanceId, Name, Value, What};
use potok_core::instance::Key;
use serde_json::{Value as Json, json};

use super::activity_instance::{Visit, visits};
use super::{instances, of_tenants, root};
use crate::acting::Acting;
use crate::camunda7::answer::{self, Answer, json as answer, nothing};
use crate::camunda7::condition::like;
use crate::camunda7::date::date;
use crate::camunda7::error::Fault;
use crate::camunda7::fields::{Fields, InQuery};
use crate::camunda7::list::{self, Asked, List};
use crate::camunda7::{id, process_definition, value, variables};

pub(crate) fn routes() -> Router<Engine> {
    Router::new()
        .merge(list::routes::<Variables>())
        .route("/history/variable-instance/{id}", get(one).delete(delete))
        .route("/history/process-instance/{id}/variable-instances", axum::routing::delete(delete_all))
        .route("/history/variable-instance/{id}/data", get(data))
}

/// A variable, with which one of its instance it is, and when it first was set.
struct Found {
    name: Name,
    value: Value,
    part: u32,
    since: Timestamp,
    /// What it is of: nothing if it is the process's.
    of: Option<Local>,
    /// Somebody has removed it, before its activity or process ended.
    is_deleted: bool,
}

/// What a variable of an activity's own is of.
#[derive(Clone)]
pub(super) struct Local {
    pub(super) activity_instance: String,
    pub(super) task: Option<Key>,
}

impl Local {
    /// What a variable of a visit is of, if that is known.
    pub(super) fn of(visits: &[Visit], number: u64, instance: &Instance) -> Option<Self> {
        let visit = visits.iter().find(|visit| visit.number == number)?;
        let task = visit.task.as_ref().map(|task| task.key);
        Some(Self { activity_instance: visit.id(instance), task })
    }
}

/// Which variable of its instance one is: a task's own have the same ids as long as it is open.
pub(super) fn part(visit: Option<u64>, of: Option<&Local>, name: &Name) -> u32 {
    let task = of.and_then(|of| of.task);
    id::variable(task.map_or(visit.map_or(0, |visit| visit + 1), u64::from), name)
}

/// A variable of the process or of a visit: when it first was set, what it was set to last, and whether it was removed then.
struct Set {
    visit: Option<u64>,
    name: Name,
    since: Timestamp,
    last: Value,
    is_deleted: bool,
}

/// The variables of an instance, those of its activities' own among them, as they are, or were in the end.
async fn of_instance(engine: &Engine, instance: &Instance) -> Result<Vec<Found>, Fault> {
    let case = engine.instance(instance.id());
    // In the order in which they first were set, with the last value. What is set again after it was removed is another.
    let mut set: Vec<Set> = Vec::new();
    for happening in case.happenings().await? {
        let (visit, name, value) = match happening.what {
            What::VariableSet { variable, value, visit } => (visit, variable, Some(value)),
            What::VariableRemoved { variable, visit } => (visit, variable, None),
            What::VariableErased { variable } => {
                set.retain(|set| set.name != variable);
                continue;
            }
            _ => continue,
        };
        let known = set.iter_mut().find(|set| set.visit == visit && set.name == name && !set.is_deleted);
        match (known, value) {
            (Some(set), Some(value)) => set.last = value,
            (Some(set), None) => set.is_deleted = true,
            (None, Some(last)) => set.push(Set { visit, name, since: happening.time, last, is_deleted: false }),
            (None, None) => {}
        }
    }
    let visits = if set.iter().any(|set| set.visit.is_some()) { visits(engine, instance).await? } else { Vec::new() };
    // What was erased is not in the log any more.
    let of_process: Vec<(Name, Value)> = case.variables().await?;
    let mut found = Vec::new();
    for Set { visit, name, since, last, is_deleted } in set {
        let (value, of) = match visit {
            None if is_deleted => (Some(last), None),
            None => (of_process.iter().find(|(other, _)| *other == name).map(|(_, value)| value.clone()), None),
            Some(number) => {
                let of = Local::of(&visits, number, instance);
                (Some(last).filter(|_| of.is_some()), of)
            }
        };
        let part = part(visit, of.as_ref(), &name);
        found.extend(value.map(|value| Found { name, value, part, since, of, is_deleted }));
    }
    Ok(found)
}

/// The variables of an instance's tasks' own.
pub(super) async fn of_tasks(engine: &Engine, instance: &Instance) -> Result<Vec<(Key, Name, Value)>, Fault> {
    let found = of_instance(engine, instance).await?.into_iter().filter(|found| !found.is_deleted);
    Ok(found.filter_map(|found| Some((found.of?.task?, found.name, found.value))).collect())
}

fn shown(found: &Found, instance: &Instance, of: (Option<&Definition>, &str), deserialise: bool) -> Json {
    let mut body = value::write_listed(&found.value, deserialise);
    let own = id::id(instance.key);
    let task = found.of.as_ref().and_then(|of| of.task);
    let more = json!({
        "id": id::part(instance.key, found.part),
        "name": &*found.name,
        "processDefinitionKey": &*instance.process,
        "processDefinitionId": of.0.map_or_else(|| id::id(instance.definition), id::definition),
        "processInstanceId": own,
        "executionId": task.map_or_else(|| own.clone(), |task| id::part(task, id::EXECUTION)),
        "activityInstanceId": found.of.as_ref().map_or(&*own, |of| &of.activity_instance),
        "caseDefinitionKey": null,
        "caseDefinitionId": null,
        "caseInstanceId": null,
        "caseExecutionId": null,
        "taskId": task.map(id::id),
        "tenantId": instance.tenant.as_deref(),
        "errorMessage": null,
        "state": if found.is_deleted { "DELETED" } else { "CREATED" },
        "createTime": date(found.since),
        "removalTime": instance.expires.map(date),
        "rootProcessInstanceId": of.1,
    });
    if let (Some(body), Json::Object(more)) = (body.as_object_mut(), more) {
        body.extend(more);
    }
    body
}

async fn search(engine: &Engine, asked: &Asked<'_>) -> Result<Vec<Json>, Fault> {
    let Asked { fields, order, .. } = asked;
    let deserialise = fields.flag("deserializeValues")? != Some(false);
    let Some(query) = instances(fields)? else { return Ok(Vec::new()) };
    let names = (fields.text("variableName")?, fields.text("variableNameLike")?, fields.list("variableNameIn")?);
    if fields.has("variableValue") && names.0.is_none() {
        return Err(Fault::invalid(
            "Only a single variable value parameter specified: variable name and value are required",
        ));
    }
    let (any_name, any_value) = (fields.is_set("variableNamesIgnoreCase")?, fields.is_set("variableValuesIgnoreCase")?);
    let fold = |name: &Name| if any_name { name.to_lowercase() } else { name.clone() };
    let searched = |value: &Value| match value::searched(value) {
        VariableValue::Text(text) if any_value => VariableValue::Text(text.to_lowercase()),
        other => other,
    };
    let names = (names.0.as_ref().map(fold), names.1.as_ref().map(fold), names.2);
    let wanted = match fields.get("variableValue") {
        Some(Json::Array(_) | Json::Object(_)) => return Err(Fault::failed("Object values cannot be used to query")),
        Some(wanted) => Some(searched(&value::read_plain("variableValue", wanted)?)),
        None => None,
    };
    let kinds = fields.list("variableTypeIn")?;
    let with_deleted = fields.is_set("includeDeleted")?;
    let among = [
        ("activityInstanceId", fields.list("activityInstanceIdIn")?),
        ("executionId", fields.list("executionIdIn")?),
        ("taskId", fields.list("taskIdIn")?),
    ];
    let rows = of_tenants(engine, fields, &query).await?;
    let definitions = process_definition::of_keys(engine, rows.iter().map(|row| row.definition)).await?;
    let mut all = Vec::new();
    for row in &rows {
        let root = id::id(root(engine, row).await?);
        for found in of_instance(engine, row).await? {
            let fits = (with_deleted || !found.is_deleted)
                && names.0.as_ref().is_none_or(|name| fold(&found.name) == *name)
                && names.1.as_ref().is_none_or(|pattern| like(pattern, &fold(&found.name)))
                && names.2.as_ref().is_none_or(|names| names.contains(&found.name))
                && wanted.as_ref().is_none_or(|wanted| searched(&found.value) == *wanted)
                && kinds
                    .as_ref()
                    .is_none_or(|kinds| kinds.iter().any(|kind| kind.eq_ignore_ascii_case(&value::kind(&found.value))));
            if fits {
                let definition = definitions.get(&row.definition.into());
                let shown = shown(&found, row, (definition, &root), deserialise);
                let is_among = |(member, ids): &(&str, Option<Vec<Name>>)| {
                    ids.as_ref()
                        .is_none_or(|ids| shown[member].as_str().is_some_and(|own| ids.iter().any(|id| id == own)))
                };
                if among.iter().all(is_among) {
                    all.push(shown);
                }
            }
        }
    }
    answer::sort(&mut all, order, |by, left, right| {
        let member = match by {
            "variableName" => "name",
            "tenantId" => "tenantId",
            _ => "processInstanceId",
        };
        left[member].as_str().cmp(&right[member].as_str())
    });
    Ok(all)
}

async fn found(engine: &Engine, text: &str) -> Result<(Instance, Found), Fault> {
    let missing = || Fault::missing(format!("Historic variable instance with id {text} does not exist"));
    let (key, part) = id::parse_part(text).ok_or_else(missing)?;
    let instance = engine.instance(InstanceId(key)).get().await.map_err(|_| missing())?;
    let mut found = of_instance(engine, &instance).await?;
    found.retain(|found| found.part == part && !found.is_deleted);
    Ok((instance, found.pop().ok_or_else(missing)?))
}

async fn one(Acting(engine): Acting, Path(text): Path<String>, InQuery(fields): InQuery) -> Answer {
    let (instance, found) = found(&engine, &text).await?;
    let definitions = process_definition::of_keys(&engine, [instance.definition]).await?;
    let root = id::id(root(&engine, &instance).await?);
    let deserialise = fields.flag("deserializeValue")? != Some(false);
    Ok(answer(&shown(&found, &instance, (definitions.get(&instance.definition.into()), &root), deserialise)))
}

/// What an ended instance has held. As long as it runs its past is what it works with.
async fn erase(engine: &Engine, instance: &Instance, names: &BTreeSet<Name>) -> Answer {
    if instance.is_active() {
        return Err(Fault::not_offered("deleting the past of variables whose process instance runs"));
    }
    for name in names {
        engine.instance(instance.id()).erase_variable(name.clone()).await?;
    }
    Ok(nothing())
}

/// Erases a variable for good.
async fn delete(Acting(engine): Acting, Path(text): Path<String>) -> Answer {
    let missing = || Fault::missing_in_engine(format!("No historic variable instance found with id: {text}"));
    let (key, part) = id::parse_part(&text).ok_or_else(missing)?;
    let instance = engine.instance(InstanceId(key)).get().await.map_err(|_| missing())?;
    let all = of_instance(&engine, &instance).await?;
    let found = all.iter().find(|found| found.part == part).ok_or_else(missing)?;
    // What is erased is erased by its name.
    if all.iter().filter(|other| other.name == found.name).count() > 1 {
        let what = "deleting one of several variables that have the same name; delete all of the process instance's";
        return Err(Fault::not_offered(what));
    }
    erase(&engine, &instance, &BTreeSet::from([found.name.clone()])).await
}

/// Erases all variables of an instance.
async fn delete_all(Acting(engine): Acting, Path(text): Path<String>) -> Answer {
    let missing = || Fault::missing(format!("No historic process instance found with id: {text}"));
    let id = id::parse::<InstanceId>(&text).ok_or_else(missing)?;
    let instance = match engine.instance(id).get().await {
        Err(Error::UnknownInstance(_)) => return Err(missing()),
        instance => instance?,
    };
    let names = of_instance(&engine, &instance).await?.into_iter().map(|found| found.name).collect();
    erase(&engine, &instance, &names).await
}

async fn data(Acting(engine): Acting, Path(text): Path<String>) -> Answer {
    let (_, found) = found(&engine, &text).await?;
    variables::bytes_of(&found.value, &found.name)
}

/// The list.
struct Variables;

impl List for Variables {
    const PATH: &'static str = "/history/variable-instance";
    const NEVER: &'static [&'static str] = &["caseActivityIdIn", "caseExecutionIdIn", "caseInstanceId"];
    const SORTED_BY: &'static [&'static str] = &["instanceId", "variableName", "tenantId"];
    type Row = Json;

    async fn find(engine: &Engine, asked: &Asked<'_>) -> Result<Vec<Json>, Fault> {
        search(engine, asked).await
    }

    async fn shown(_: &Engine, rows: Vec<Json>, _: &Fields) -> Result<Vec<Json>, Fault> {
        Ok(rows)
    }
}
