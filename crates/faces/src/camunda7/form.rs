//! Forms: of tasks, and of starts.

use std::sync::Arc;

use axum::extract::Path;
use axum::http::StatusCode;
use jiff::Timestamp;
use potok::query::DefinitionQuery;
use potok::row::{Definition, DefinitionKind};
use potok::{DefinitionId, DeploymentId, Engine, Error, Name, Selector, TaskId, Value, Version};
use potok_core::dialect::{FieldKind, FormField};
use potok_core::expressions::Given;
use potok_core::graph::{Form, ProcessGraph};
use serde_json::{Value as Json, json};

use super::answer::{Answer, bytes, json as answer};
use super::error::Fault;
use super::fields::InQuery;
use super::which::Which;
use super::{expression, id, rendered_form, value};
use crate::acting::Acting;

/// A text that stands in the model as it is.
fn literal(expression: Option<&potok_core::graph::Expression>) -> Option<String> {
    match expression?.as_literal()? {
        Value::String(text) => Some(text.to_string()),
        _ => None,
    }
}

/// `{key, camundaFormRef, contextPath}`; a form of fields is rendered by the server.
fn shown(form: Option<&Form>, key: Option<String>, reference: Option<&Selector>, rendered: &str) -> Json {
    let key = key.or_else(|| literal(form?.key.as_ref()));
    let rendered =
        form.filter(|form| !form.fields.is_empty() && key.is_none() && reference.is_none()).map(|_| rendered);
    json!({
        "key": key.or_else(|| Some(format!("embedded:engine://engine/:engine/{}", rendered?))),
        "camundaFormRef": reference.map(referred),
        "contextPath": null,
    })
}

/// A deployed form as it is referred to. Camunda 7 has no tags of forms, which are Camunda 8's.
fn referred(reference: &Selector) -> Json {
    let Selector::Version(key, version) = reference else { return Json::Null };
    let (binding, number) = match version {
        Version::Latest => ("latest", None),
        Version::Number(number) => ("version", Some(number)),
        Version::Tag(_) => ("versionTag", None),
        Version::Deployment(_) => ("deployment", None),
    };
    json!({"key": &**key, "binding": binding, "version": number})
}

/// The deployed form that a start event refers to, before there are any variables.
fn reference_of_start(graph: Option<&Arc<ProcessGraph>>) -> Result<Option<Selector>, Fault> {
    let Some((graph, form)) = graph.and_then(|graph| Some((graph, graph.start_form()?))) else { return Ok(None) };
    let found = Selector::of_form(form, graph.deployment(), &Given(&[]), Timestamp::now());
    found.map_err(|error| Fault::failed(error.to_string()))
}

/// What a task's model says of its form.
fn form_of<'g>(graph: Option<&'g Arc<ProcessGraph>>, task: &potok::Task) -> Option<&'g Form> {
    let graph = graph?;
    graph.get_node(graph.find(&task.node)?)?.details.form.as_deref()
}

/// The deployed form that a task's model refers to, as the task's variables give it now, or why they do not.
async fn reference_of_task(
    engine: &Engine,
    graph: Option<&Arc<ProcessGraph>>,
    task: &potok::Task,
) -> Result<Result<Option<Selector>, Fault>, Error> {
    let form = form_of(graph, task).filter(|form| form.reference.is_some());
    let Some((graph, form)) = graph.zip(form) else { return Ok(Ok(None)) };
    let seen = if form.is_computed() { engine.task_variables(task.id()).await? } else { Vec::new() };
    let found = Selector::of_form(form, graph.deployment(), &Given(&seen), Timestamp::now());
    Ok(found.map_err(|error| Fault::failed(error.to_string())))
}

pub(crate) async fn of_start(Acting(engine): Acting, Path(which): Path<Which>) -> Answer {
    let definition = which.look_up(&engine).await?.ok_or_else(|| {
        let message = "Cannot get start form data for process definition: there is none";
        Fault::bad_request_of("InvalidRequestException", message)
    })?;
    let graph = engine.graph(DefinitionId(definition.key)).await?;
    let form = graph.as_ref().and_then(|graph| graph.start_form());
    let reference = reference_of_start(graph.as_ref())?;
    let rendered = format!("process-definition/{}/rendered-form", id::definition(&definition));
    Ok(answer(&shown(form, None, reference.as_ref(), &rendered)))
}

/// The variables that a form's fields begin with, where such variables are seen.
fn of_fields(
    fields: &[FormField],
    names: Option<&[Name]>,
    seen: &[(Name, Value)],
) -> Result<serde_json::Map<String, Json>, Fault> {
    let mut variables = serde_json::Map::new();
    for field in fields {
        let name = field.variable.as_ref().unwrap_or(&field.id);
        if names.is_some_and(|names| !names.contains(name)) {
            continue;
        }
        let text = match field.default.as_ref().map(|default| &*default.text) {
            Some(text) if expression::is_computed(text) => {
                let computed = expression::evaluate(text, seen, Timestamp::now());
                Some(computed.map_err(Fault::failed)?.to_string())
            }
            text => text.map(str::to_owned),
        };
        // Dates are shown as their pattern writes them.
        let kind = if field.holds() == FieldKind::Date { "String" } else { kind(field) };
        let typed = json!({"type": kind, "value": text});
        let shown = match value::read(name, &typed) {
            Ok(value) => value::write(&value, true),
            Err(_) => json!({"type": kind, "value": text, "valueInfo": {}}),
        };
        variables.insert(name.to_string(), shown);
    }
    Ok(variables)
}

/// The fields of a task's form, as far as its model describes them.
pub(crate) async fn fields_of_task(engine: &Engine, task: &potok::Task) -> Result<Vec<FormField>, Fault> {
    let graph = engine.graph(task.definition.into()).await?;
    Ok(form_of(graph.as_ref(), task).map(|form| form.fields.clone()).unwrap_or_default())
}

/// Those of a start form.
pub(crate) async fn fields_of_start(engine: &Engine, definition: &Definition) -> Result<Vec<FormField>, Fault> {
    let graph = engine.graph(DefinitionId(definition.key)).await?;
    Ok(graph.as_ref().and_then(|graph| graph.start_form()).map(|form| form.fields.clone()).unwrap_or_default())
}

fn kind(field: &FormField) -> &'static str {
    match &*field.kind {
        "boolean" => "Boolean",
        "long" => "Long",
        "date" => "Date",
        _ => "String",
    }
}

pub(crate) async fn start_variables(
    Acting(engine): Acting,
    Path(which): Path<Which>,
    InQuery(fields): InQuery,
) -> Answer {
    let definition = which.find(&engine).await?;
    let names = fields.list("variableNames")?;
    let variables = of_fields(&fields_of_start(&engine, &definition).await?, names.as_deref(), &[])?;
    Ok(answer(&Json::Object(variables)))
}

pub(crate) async fn rendered_start(Acting(engine): Acting, Path(which): Path<Which>) -> Answer {
    let definition = which.look_up(&engine).await?.ok_or_else(|| match &which.id {
        Some(id) => Fault::bad_request_of("NotFoundException", format!("Process definition '{id}' not found")),
        None => which.missing("process"),
    })?;
    let graph = engine.graph(DefinitionId(definition.key)).await?;
    let form = graph.as_ref().and_then(|graph| graph.start_form());
    rendered(form, None, || format!("start form for process definition with the id {}", id::definition(&definition)))
}

/// A form of fields as HTML; other forms are none.
fn rendered(form: Option<&Form>, key: Option<&str>, what: impl Fn() -> String) -> Answer {
    let is_generated = |form: &&Form| {
        let has_other = key.is_some() || form.key.is_some() || form.reference.is_some();
        !form.fields.is_empty() && !has_other
    };
    match form.filter(is_generated) {
        Some(form) => Ok(bytes("application/xhtml+xml", rendered_form::html(&form.fields).into_bytes())),
        None => Err(Fault::missing(format!("No matching rendered {} found.", what()))),
    }
}

pub(crate) async fn deployed_start(Acting(engine): Acting, Path(which): Path<Which>) -> Answer {
    let definition = which.find(&engine).await?;
    let graph = engine.graph(DefinitionId(definition.key)).await?;
    let form = graph.as_ref().and_then(|graph| graph.start_form());
    let key = form.and_then(|form| literal(form.key.as_ref()));
    deployed(&engine, &definition, reference_of_start(graph.as_ref())?, key.as_deref()).await
}

/// The file of a form that was deployed: by its key `embedded:deployment:form.html`, or by the id of a `.form`.
async fn deployed(engine: &Engine, definition: &Definition, reference: Option<Selector>, key: Option<&str>) -> Answer {
    if let Some(reference) = reference {
        let found = engine.definition(DefinitionKind::Form, &definition.tenant, &reference).await;
        let found = found.map_err(|_| {
            Fault::missing(format!("No Camunda Form Definition was found for Camunda Form Ref {reference}"))
        })?;
        let content = super::deployment::file_of(engine, &found).await?;
        return Ok(bytes("application/json", content));
    }
    let file = key.and_then(|key| key.split_once("deployment:")).map(|(_, file)| file);
    let Some(file) = file else {
        return Err(Fault::invalid("The form key is not set, or does not mean a deployed form"));
    };
    let content = engine.resource(DeploymentId(definition.deployment), file).await?;
    let content =
        content.ok_or_else(|| Fault::missing(format!("The form with the resource name '{file}' cannot be found.")))?;
    let media_type = if file.ends_with(".form") { "application/json" } else { "application/xhtml+xml" };
    Ok(bytes(media_type, content))
}

/// The deployed form that a task's model refers to, if it does. In lists one that cannot be told does not keep the others from being shown.
pub(crate) async fn reference(engine: &Engine, task: &potok::Task) -> Result<Option<Json>, Fault> {
    let graph = engine.graph(task.definition.into()).await?;
    let found = reference_of_task(engine, graph.as_ref(), task).await?;
    Ok(found.ok().flatten().as_ref().map(referred))
}

/// The definition of a task, and what its model says of its form.
async fn of_task(engine: &Engine, text: &str, missing: Fault) -> Result<(potok::Task, Option<Definition>), Fault> {
    let Some(id) = id::parse::<TaskId>(text) else { return Err(missing) };
    let task = match engine.task(id).await {
        Ok(task) if task.state == potok::row::TaskState::Open => task,
        Ok(_) | Err(Error::UnknownTask(_)) => return Err(missing),
        Err(error) => return Err(error.into()),
    };
    let query = DefinitionQuery { keys: vec![task.definition], ..DefinitionQuery::default() };
    let definition = engine.definitions(&query).await?.pop();
    Ok((task, definition))
}

pub(crate) async fn task_form(Acting(engine): Acting, Path(text): Path<String>) -> Answer {
    let missing = Fault::refused(StatusCode::BAD_REQUEST, format!("Cannot get form for task {text}"));
    let (task, _) = of_task(&engine, &text, missing).await?;
    let graph = engine.graph(task.definition.into()).await?;
    let form = form_of(graph.as_ref(), &task);
    let key = task.form.as_ref().map(|key| key.to_string());
    let reference = reference_of_task(&engine, graph.as_ref(), &task).await??;
    Ok(answer(&shown(form, key, reference.as_ref(), &format!("task/{text}/rendered-form"))))
}

pub(crate) async fn task_variables(
    Acting(engine): Acting,
    Path(text): Path<String>,
    InQuery(fields): InQuery,
) -> Answer {
    let missing = Fault::bad_request_of("BadUserRequestException", format!("Cannot find task with id '{text}'."));
    let (task, _) = of_task(&engine, &text, missing).await?;
    let names = fields.list("variableNames")?;
    let deserialise = fields.flag("deserializeValues")? != Some(false);
    let seen = engine.task_variables(task.id()).await?;
    let mut variables = of_fields(&fields_of_task(&engine, &task).await?, names.as_deref(), &seen)?;
    for (name, value) in seen {
        if names.as_ref().is_none_or(|names| names.contains(&name)) {
            variables.insert(name.to_string(), value::write(&value, deserialise));
        }
    }
    Ok(answer(&Json::Object(variables)))
}

pub(crate) async fn task_deployed(Acting(engine): Acting, Path(text): Path<String>) -> Answer {
    let missing = Fault::invalid(format!("No task found for taskId '{text}'"));
    let (task, definition) = of_task(&engine, &text, missing).await?;
    let definition =
        definition.ok_or_else(|| Fault::invalid("the task belongs to no process: it has no deployed form"))?;
    let graph = engine.graph(task.definition.into()).await?;
    let reference = reference_of_task(&engine, graph.as_ref(), &task).await??;
    deployed(&engine, &definition, reference, task.form.as_deref()).await
}

pub(crate) async fn task_rendered(Acting(engine): Acting, Path(text): Path<String>) -> Answer {
    let missing = Fault::failed_as("NullValueException", format!("Task '{text}' not found: task is null"));
    let (task, _) = of_task(&engine, &text, missing).await?;
    let graph = engine.graph(task.definition.into()).await?;
    rendered(form_of(graph.as_ref(), &task), task.form.as_deref(), || format!("form for task with the id {text}"))
}
