//! `/history/variable-instance`: the variables of processes as they are, or were in the end. Those of activities' own are gone with them.

use axum::Router;
use axum::extract::Path;
use axum::routing::get;
use jiff::Timestamp;
use potok::row::Definition;
use potok::{Engine, Instance, InstanceId, Name, Value, What};
use serde_json::{Value as Json, json};

use super::{instances, root};
use crate::acting::Acting;
use crate::camunda7::answer::{self, Answer, Slice, json as answer};
use crate::camunda7::date::date;
use crate::camunda7::error::Fault;
use crate::camunda7::fields::{Fields, InBody, InQuery};
use crate::camunda7::filter::like;
use crate::camunda7::{id, process_definition, value, variables};

/// From there on, an instance's variables in the order in which they first were set.
const VARIABLES: u32 = 1 << 30;

pub(crate) fn routes() -> Router<Engine> {
    Router::new()
        .route("/history/variable-instance", get(list).post(list_by_body))
        .route("/history/variable-instance/count", get(count).post(count_by_body))
        .route("/history/variable-instance/{id}", get(one))
        .route("/history/variable-instance/{id}/data", get(data))
}

/// A variable, with which one of its instance it is, and when it first was set.
struct Found {
    name: Name,
    value: Value,
    part: u32,
    since: Timestamp,
}

async fn of_instance(engine: &Engine, instance: &Instance) -> Result<Vec<Found>, Fault> {
    let case = engine.instance(instance.id());
    let mut first: Vec<(Name, Timestamp)> = Vec::new();
    for happening in case.happenings().await? {
        if let What::VariableSet { variable, .. } = happening.what
            && !first.iter().any(|(name, _)| *name == variable)
        {
            first.push((variable, happening.time));
        }
    }
    let variable = |(name, value): (Name, Value)| {
        let place = first.iter().position(|(other, _)| *other == name);
        let since = place.map_or(instance.started, |place| first[place].1);
        let part = VARIABLES + u32::try_from(place.unwrap_or(first.len())).unwrap_or(0);
        Found { name, value, part, since }
    };
    Ok(case.variables().await?.into_iter().map(variable).collect())
}

fn shown(found: &Found, instance: &Instance, of: (Option<&Definition>, &str), deserialise: bool) -> Json {
    let mut body = value::write(&found.value, deserialise);
    let own = id::id(instance.key);
    let more = json!({
        "id": id::part(instance.key, found.part),
        "name": &*found.name,
        "processDefinitionKey": &*instance.process,
        "processDefinitionId": of.0.map_or_else(|| id::id(instance.definition), id::definition),
        "processInstanceId": own,
        "executionId": own,
        "activityInstanceId": own,
        "caseDefinitionKey": null,
        "caseDefinitionId": null,
        "caseInstanceId": null,
        "caseExecutionId": null,
        "taskId": null,
        "tenantId": instance.tenant.as_deref(),
        "errorMessage": null,
        "state": "CREATED",
        "createTime": date(found.since),
        "removalTime": instance.expires.map(date),
        "rootProcessInstanceId": of.1,
    });
    if let (Some(body), Json::Object(more)) = (body.as_object_mut(), more) {
        body.extend(more);
    }
    body
}

async fn search(engine: &Engine, fields: &Fields) -> Result<Vec<Json>, Fault> {
    let order = answer::order(fields, &["instanceId", "variableName", "tenantId"])?;
    let deserialise = fields.flag("deserializeValues")? != Some(false);
    let Some(query) = instances(fields)? else { return Ok(Vec::new()) };
    let names = (fields.text("variableName")?, fields.text("variableNameLike")?, fields.list("variableNameIn")?);
    let wanted = match fields.get("variableValue") {
        Some(wanted) => Some(value::searched(&value::read_plain("variableValue", wanted)?)),
        None => None,
    };
    let kinds = fields.list("variableTypeIn")?;
    // Of activities and tasks there are none.
    let of_activity = fields.list("activityInstanceIdIn")?;
    if fields.has("taskIdIn") {
        return Ok(Vec::new());
    }
    let rows = engine.instances(&query).await?;
    let definitions = process_definition::of_keys(engine, rows.iter().map(|row| row.definition)).await?;
    let mut all = Vec::new();
    for row in &rows {
        if of_activity.as_ref().is_some_and(|ids| !ids.contains(&id::id(row.key).into())) {
            continue;
        }
        let root = id::id(root(engine, row).await?);
        for found in of_instance(engine, row).await? {
            let fits = names.0.as_ref().is_none_or(|name| found.name == *name)
                && names.1.as_ref().is_none_or(|pattern| like(pattern, &found.name))
                && names.2.as_ref().is_none_or(|names| names.contains(&found.name))
                && wanted.as_ref().is_none_or(|wanted| value::searched(&found.value) == *wanted)
                && kinds
                    .as_ref()
                    .is_none_or(|kinds| kinds.iter().any(|kind| kind.eq_ignore_ascii_case(&value::kind(&found.value))));
            if fits {
                let definition = definitions.get(&row.definition.into());
                all.push(shown(&found, row, (definition, &root), deserialise));
            }
        }
    }
    answer::sort(&mut all, &order, |by, left, right| {
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
    let found = of_instance(engine, &instance).await?.into_iter().find(|found| found.part == part);
    Ok((instance, found.ok_or_else(missing)?))
}

async fn one(Acting(engine): Acting, Path(text): Path<String>, InQuery(fields): InQuery) -> Answer {
    let (instance, found) = found(&engine, &text).await?;
    let definitions = process_definition::of_keys(&engine, [instance.definition]).await?;
    let root = id::id(root(&engine, &instance).await?);
    let deserialise = fields.flag("deserializeValue")? != Some(false);
    Ok(answer(&shown(&found, &instance, (definitions.get(&instance.definition.into()), &root), deserialise)))
}

async fn data(Acting(engine): Acting, Path(text): Path<String>) -> Answer {
    let (_, found) = found(&engine, &text).await?;
    variables::bytes_of(&found.value, &found.name)
}

async fn listed(engine: &Engine, slice: &Fields, fields: &Fields) -> Answer {
    let found = search(engine, fields).await?;
    Ok(answer(&Slice::of(slice)?.cut(found).collect()))
}

async fn list(Acting(engine): Acting, InQuery(fields): InQuery) -> Answer {
    listed(&engine, &fields, &fields).await
}

async fn list_by_body(Acting(engine): Acting, InQuery(slice): InQuery, InBody(fields): InBody) -> Answer {
    listed(&engine, &slice, &fields).await
}

async fn count(Acting(engine): Acting, InQuery(fields): InQuery) -> Answer {
    Ok(answer::count(search(&engine, &fields).await?.len()))
}

async fn count_by_body(Acting(engine): Acting, InBody(fields): InBody) -> Answer {
    Ok(answer::count(search(&engine, &fields).await?.len()))
}
