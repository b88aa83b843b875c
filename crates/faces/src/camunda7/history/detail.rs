//! `/history/detail`: what variables have been set to.

use axum::Router;
use axum::extract::Path;
use axum::routing::get;
use jiff::Timestamp;
use potok::row::Definition;
use potok::{Engine, Instance, Name, Value, What};
use serde_json::{Value as Json, json};

use super::activity_instance::visits;
use super::variable_instance::{Local, part};
use super::{instances, is_between, of_tenants, root};
use crate::acting::Acting;
use crate::camunda7::answer::{self, Answer, json as answer};
use crate::camunda7::condition::like;
use crate::camunda7::date::date;
use crate::camunda7::error::Fault;
use crate::camunda7::fields::{Fields, InQuery};
use crate::camunda7::list::{self, Asked, List};
use crate::camunda7::{id, process_definition, value, variables};

pub(crate) fn routes() -> Router<Engine> {
    Router::new()
        .merge(list::routes::<Updates>())
        .route("/history/detail/{id}", get(one))
        .route("/history/detail/{id}/data", get(data))
}

/// A variable was set or removed.
struct Update {
    /// Which one of its instance's updates it is.
    number: u32,
    time: Timestamp,
    name: Name,
    /// None if it was removed.
    value: Option<Value>,
    /// What it is or was: of what is removed the type is still told.
    kind: String,
    /// Which one of the variable's updates it is.
    revision: u32,
    /// The instance was started with it.
    is_initial: bool,
    variable: String,
    of: Option<Local>,
}

/// A variable that is there, as its updates go by.
struct Known {
    visit: Option<u64>,
    name: Name,
    kind: String,
    revision: u32,
}

async fn of_instance(engine: &Engine, instance: &Instance) -> Result<Vec<Update>, Fault> {
    let happenings = engine.instance(instance.id()).happenings().await?;
    let is_own = |what: &What| matches!(what, What::VariableSet { visit: Some(_), .. });
    let visits = match happenings.iter().any(|happening| is_own(&happening.what)) {
        true => visits(engine, instance).await?,
        false => Vec::new(),
    };
    let mut known: Vec<Known> = Vec::new();
    let mut updates = Vec::new();
    let (mut count, mut has_begun) = (0_u32, false);
    for happening in happenings {
        let (visit, name, value) = match happening.what {
            What::VariableSet { variable, value, visit } => (visit, variable, Some(value)),
            What::VariableRemoved { variable, visit } => (visit, variable, None),
            What::VariableErased { variable } => {
                known.retain(|known: &Known| known.name != variable);
                updates.retain(|update: &Update| update.name != variable);
                continue;
            }
            What::Element { .. } => {
                has_begun = true;
                continue;
            }
            _ => continue,
        };
        let of = visit.and_then(|number| Local::of(&visits, number, instance));
        if visit.is_some() && of.is_none() {
            continue;
        }
        let at = known.iter().position(|known| known.visit == visit && known.name == name);
        let kind = value.as_ref().map(value::kind);
        let (kind, revision) = match (at, kind) {
            (Some(at), kind) => {
                let own = &mut known[at];
                own.revision += 1;
                own.kind = kind.unwrap_or_else(|| own.kind.clone());
                (own.kind.clone(), own.revision)
            }
            (None, Some(kind)) => {
                known.push(Known { visit, name: name.clone(), kind: kind.clone(), revision: 0 });
                (kind, 0)
            }
            // What was never set is removed.
            (None, None) => continue,
        };
        // Set again it is another.
        if let (None, Some(at)) = (&value, at) {
            known.remove(at);
        }
        let variable = id::part(instance.key, part(visit, of.as_ref(), &name));
        count += 1;
        let number = count - 1;
        let is_initial = !has_begun && visit.is_none();
        updates.push(Update { number, time: happening.time, name, value, kind, revision, is_initial, variable, of });
    }
    Ok(updates)
}

fn shown(update: &Update, instance: &Instance, of: (Option<&Definition>, &str), deserialise: bool) -> Json {
    let mut body = match &update.value {
        Some(value) => value::write_listed(value, deserialise),
        None => json!({"value": null, "valueInfo": {}}),
    };
    let own = id::id(instance.key);
    let task = update.of.as_ref().and_then(|of| of.task);
    let more = json!({
        "type": "variableUpdate",
        "id": id::part(instance.key, id::token(update.number)),
        "processDefinitionKey": &*instance.process,
        "processDefinitionId": of.0.map_or_else(|| id::id(instance.definition), id::definition),
        "processInstanceId": own,
        "activityInstanceId": update.of.as_ref().map_or(&*own, |of| &of.activity_instance),
        "executionId": task.map_or_else(|| own.clone(), |task| id::part(task, id::EXECUTION)),
        "caseDefinitionKey": null,
        "caseDefinitionId": null,
        "caseInstanceId": null,
        "caseExecutionId": null,
        "taskId": task.map(id::id),
        "tenantId": instance.tenant.as_deref(),
        "userOperationId": null,
        "time": date(update.time),
        "removalTime": instance.expires.map(date),
        "rootProcessInstanceId": of.1,
        "variableName": &*update.name,
        "variableInstanceId": update.variable,
        "variableType": update.kind,
        "initial": update.is_initial,
        "revision": update.revision,
        "errorMessage": null,
    });
    if let (Some(body), Json::Object(more)) = (body.as_object_mut(), more) {
        body.extend(more);
    }
    body
}

/// What is found, with when it happened.
struct Found {
    shown: Json,
    time: Timestamp,
}

/// The histories of the instances that fields mean are read one after the other: narrow them by instance.
async fn search(engine: &Engine, asked: &Asked<'_>) -> Result<Vec<Found>, Fault> {
    let Asked { fields, order, .. } = asked;
    let deserialise = fields.flag("deserializeValues")? != Some(false);
    let Some(query) = instances(fields)? else { return Ok(Vec::new()) };
    let (form_fields, updates) = (fields.is_set("formFields")?, fields.is_set("variableUpdates")?);
    // Fields of forms are variables here.
    if form_fields && !updates {
        return Ok(Vec::new());
    }
    let is = [
        ("activityInstanceId", fields.text("activityInstanceId")?),
        ("executionId", fields.text("executionId")?),
        ("taskId", fields.text("taskId")?),
        ("variableInstanceId", fields.text("variableInstanceId")?),
    ];
    let (pattern, kinds) = (fields.text("variableNameLike")?, fields.list("variableTypeIn")?);
    let (without_tasks, initial) = (fields.is_set("excludeTaskDetails")?, fields.is_set("initial")?);
    let occurred = (fields.date("occurredAfter")?, fields.date("occurredBefore")?);
    let rows = of_tenants(engine, fields, &query).await?;
    let definitions = process_definition::of_keys(engine, rows.iter().map(|row| row.definition)).await?;
    let mut all = Vec::new();
    for row in &rows {
        let root = id::id(root(engine, row).await?);
        for update in of_instance(engine, row).await? {
            let fits = pattern.as_ref().is_none_or(|pattern| like(pattern, &update.name))
                && kinds.as_ref().is_none_or(|kinds| kinds.iter().any(|kind| kind.eq_ignore_ascii_case(&update.kind)))
                && (!without_tasks || update.of.as_ref().is_none_or(|of| of.task.is_none()))
                && (!initial || update.is_initial)
                && is_between(occurred, Some(update.time));
            if fits {
                let shown = shown(&update, row, (definitions.get(&row.definition.into()), &root), deserialise);
                let is_it = |(member, asked): &(&str, Option<Name>)| {
                    asked.as_ref().is_none_or(|asked| shown[member].as_str() == Some(&**asked))
                };
                if is.iter().all(is_it) {
                    all.push(Found { shown, time: update.time });
                }
            }
        }
    }
    answer::sort(&mut all, order, |by, left, right| {
        let text = |name: &str| left.shown[name].as_str().cmp(&right.shown[name].as_str());
        match by {
            "time" | "occurrence" => left.time.cmp(&right.time),
            "variableRevision" => left.shown["revision"].as_u64().cmp(&right.shown["revision"].as_u64()),
            "formPropertyId" => std::cmp::Ordering::Equal,
            "processInstanceId" => text("processInstanceId"),
            by => text(by),
        }
    });
    Ok(all)
}

async fn found(engine: &Engine, text: &str) -> Result<(Instance, Update), Fault> {
    let missing = || Fault::missing(format!("Historic detail with Id '{text}' does not exist."));
    let (key, part) = id::parse_part(text).ok_or_else(missing)?;
    let instance = engine.instance(key.into()).get().await.map_err(|_| missing())?;
    let updates = of_instance(engine, &instance).await?;
    let found = updates.into_iter().find(|update| Some(update.number) == id::serial(part));
    Ok((instance, found.ok_or_else(missing)?))
}

async fn one(Acting(engine): Acting, Path(text): Path<String>, InQuery(fields): InQuery) -> Answer {
    let (instance, update) = found(&engine, &text).await?;
    let definitions = process_definition::of_keys(&engine, [instance.definition]).await?;
    let root = id::id(root(&engine, &instance).await?);
    let deserialise = fields.flag("deserializeValue")? != Some(false);
    Ok(answer(&shown(&update, &instance, (definitions.get(&instance.definition.into()), &root), deserialise)))
}

async fn data(Acting(engine): Acting, Path(text): Path<String>) -> Answer {
    let (_, update) = found(&engine, &text).await?;
    variables::bytes_of(&update.value.unwrap_or(Value::Null), &update.name)
}

/// The list.
struct Updates;

impl List for Updates {
    const PATH: &'static str = "/history/detail";
    const NEVER: &'static [&'static str] = &["caseExecutionId", "caseInstanceId", "userOperationId"];
    const SORTED_BY: &'static [&'static str] = &[
        "processInstanceId",
        "variableName",
        "variableType",
        "variableRevision",
        "formPropertyId",
        "time",
        "occurrence",
        "tenantId",
    ];
    type Row = Found;

    async fn find(engine: &Engine, asked: &Asked<'_>) -> Result<Vec<Found>, Fault> {
        search(engine, asked).await
    }

    async fn shown(_: &Engine, rows: Vec<Found>, _: &Fields) -> Result<Vec<Json>, Fault> {
        Ok(rows.into_iter().map(|found| found.shown).collect())
    }
}
