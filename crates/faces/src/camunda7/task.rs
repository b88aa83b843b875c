//! `/task`: user tasks, and tasks that belong to no process.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::routing::{get, post};
use potok::row::{Delegation, Task as TaskRow, TaskState};
use potok::{Assignment, Engine, Error, Name, Task, TaskId, Value, Viewpoint};
use potok_core::step::Variables;
use serde_json::{Value as Json, json};

use super::answer::{Answer, json as answer, nothing};
use super::date::date;
use super::error::Fault;
use super::fields::{Fields, InBody, InQuery};
use super::list::{self, Asked, List};
use super::model::Model;
use super::variables::{self, Holder, Owner};
use super::{comment, form, id, identity_link, process_definition, submission, task_query, value};
use crate::acting::Acting;

pub(crate) fn routes() -> Router<Engine> {
    Router::new()
        .merge(list::routes::<Tasks>())
        .route("/task/create", post(create))
        .route("/task/report/candidate-group-count", get(by_candidate_group))
        .route("/task/{id}", get(one).put(update).delete(delete))
        .route("/task/{id}/claim", post(claim))
        .route("/task/{id}/unclaim", post(unclaim))
        .route("/task/{id}/assignee", post(assign))
        .route("/task/{id}/delegate", post(delegate))
        .route("/task/{id}/resolve", post(resolve))
        .route("/task/{id}/complete", post(complete))
        .route("/task/{id}/submit-form", post(submit_form))
        .route("/task/{id}/bpmnError", post(bpmn_error))
        .route("/task/{id}/bpmnEscalation", post(bpmn_escalation))
        .route("/task/{id}/form", get(form::task_form))
        .route("/task/{id}/form-variables", get(form::task_variables))
        .route("/task/{id}/deployed-form", get(form::task_deployed))
        .route("/task/{id}/rendered-form", get(form::task_rendered))
        .route("/task/{id}/comment", get(comment::of_task).put(comment::change_of_task).delete(comment::remove_all))
        .route("/task/{id}/comment/create", post(comment::create))
        .route("/task/{id}/comment/{comment}", get(comment::one).delete(comment::remove))
        .route("/task/{id}/identity-links", get(identity_link::list).post(identity_link::add))
        .route("/task/{id}/identity-links/delete", post(identity_link::remove))
        .merge(variables::routes::<Seen>())
        .merge(variables::routes::<Own>())
}

/// The variables that a task sees.
struct Seen;

/// Those of its own.
struct Own;

impl Holder for Seen {
    const PATH: &'static str = "/task/{id}/variables";
    const OWN: bool = false;
    const OF_TASK: bool = true;
    const WORD: &'static str = "task";

    async fn owner(engine: &Engine, text: &str) -> Result<Option<Owner>, Fault> {
        Ok(open(engine, text)
            .await?
            .map(|task| Owner { instance: task.instance_id(), from: Viewpoint::Wait(task.key) }))
    }
}

impl Holder for Own {
    const PATH: &'static str = "/task/{id}/localVariables";
    const OWN: bool = true;
    const OF_TASK: bool = true;
    const WORD: &'static str = "task";

    async fn owner(engine: &Engine, text: &str) -> Result<Option<Owner>, Fault> {
        Seen::owner(engine, text).await
    }
}

/// A task that is open, if there is one with that id.
pub(crate) async fn open(engine: &Engine, text: &str) -> Result<Option<Task>, Fault> {
    let Some(id) = id::parse::<TaskId>(text) else { return Ok(None) };
    match engine.task(id).await {
        Ok(task) if task.state == TaskState::Open => Ok(Some(task)),
        Ok(_) | Err(Error::UnknownTask(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// What is about to be left beside a task, or taken away there, changes it; one that is over stays as it was.
pub(crate) async fn touch(engine: &Engine, id: TaskId) -> Result<(), Fault> {
    match engine.touch_task(id).await {
        Ok(()) | Err(Error::UnknownTask(_)) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Tasks as Camunda shows them.
async fn shown(engine: &Engine, tasks: &[Task], fields: &Fields) -> Result<Vec<Json>, Fault> {
    let definitions = process_definition::of_keys(engine, tasks.iter().map(|task| task.definition)).await?;
    let models = Model::of_all(engine, &definitions).await?;
    let suspended = engine.are_suspended(tasks).await?;
    let with_remarks = fields.is_set("withCommentAttachmentInfo")?;
    let (with_own, with_all) =
        (fields.is_set("withTaskLocalVariablesInReturn")?, fields.is_set("withTaskVariablesInReturn")?);
    let mut all = Vec::with_capacity(tasks.len());
    for (task, suspended) in tasks.iter().zip(suspended) {
        let belongs = task.process_id().is_some();
        let definition = definitions.get(&task.definition.into());
        let definition = definition.map_or_else(|| id::id(task.definition), id::definition);
        let delegation = match task.delegation {
            Delegation::None => None,
            Delegation::Pending => Some("PENDING"),
            Delegation::Resolved => Some("RESOLVED"),
        };
        let mut body = json!({
            "id": id::id(task.key),
            "name": task.name.as_deref(),
            "assignee": task.assignee.as_deref(),
            "owner": task.owner.as_deref(),
            "created": date(task.created),
            "due": task.due.map(date),
            "followUp": task.follow_up.map(date),
            "lastUpdated": task.changed.map(date),
            "delegationState": delegation,
            "description": description(task, &models),
            "executionId": belongs.then(|| id::part(task.key, id::EXECUTION)),
            "parentTaskId": null,
            "priority": task.priority,
            "processDefinitionId": belongs.then_some(definition),
            "processInstanceId": belongs.then(|| id::id(task.instance)),
            "taskDefinitionKey": belongs.then_some(&*task.node),
            "caseExecutionId": null,
            "caseInstanceId": null,
            "caseDefinitionId": null,
            "suspended": suspended,
            "formKey": task.form.as_deref(),
            "camundaFormRef": form::reference(engine, task).await?,
            "tenantId": task.tenant.as_deref(),
            "taskState": if task.changed.is_some() { "Updated" } else { "Created" },
        });
        if with_remarks {
            body["comment"] = (!engine.comments(task.id()).await?.is_empty()).into();
            body["attachment"] = (!engine.attachments(task.id()).await?.is_empty()).into();
        }
        if with_own || with_all {
            let variables = match with_all {
                true => engine.task_variables(task.id()).await?,
                false => engine.local_task_variables(task.id()).await?,
            };
            // Who has none of its own says nothing of them.
            if with_all || !variables.is_empty() {
                body["variables"] = value::map(&variables, true);
            }
        }
        all.push(body);
    }
    Ok(all)
}

async fn one(Acting(engine): Acting, Path(text): Path<String>, InQuery(fields): InQuery) -> Answer {
    let task = open(&engine, &text).await?;
    let task = task.ok_or_else(|| Fault::missing(format!("No matching task with id {text}")))?;
    Ok(answer(&shown(&engine, &[task], &fields).await?.pop().unwrap_or_default()))
}

fn absent(text: &str) -> Fault {
    Fault::failed_as("NullValueException", format!("Cannot find task with id {text}: task is null"))
}

fn not_found(text: &str) -> Fault {
    Fault::bad_request_of("NotFoundException", format!("No task found for id '{text}'."))
}

/// What became of a verb that changes a task.
fn changed(task: &Task, done: Result<(), Error>) -> Answer {
    match done {
        Ok(()) => Ok(nothing()),
        Err(error @ Error::UnknownTask(_)) => Err(Fault::failed_as("NullValueException", error.to_string())),
        Err(Error::InstanceSuspended(_)) => Err(suspended(task)),
        Err(error) => Err(error.into()),
    }
}

fn suspended(task: &Task) -> Fault {
    let message = format!("task {} is suspended with its instance", id::id(task.key));
    Fault::bad_request_of("SuspendedEntityInteractionException", message)
}

/// Camunda lets nobody change the task of a suspended instance.
pub(crate) async fn check_is_not_suspended(engine: &Engine, task: &Task) -> Result<(), Fault> {
    let instance = engine.instance(task.instance_id()).get().await?;
    if instance.suspended { Err(suspended(task)) } else { Ok(()) }
}

async fn claim(Acting(engine): Acting, Path(text): Path<String>, InBody(fields): InBody) -> Answer {
    let task = open(&engine, &text).await?.ok_or_else(|| absent(&text))?;
    check_is_not_suspended(&engine, &task).await?;
    let done = match fields.text("userId")? {
        // For somebody else it is no claim here, but a task that is given to them, as long as nobody has it.
        Some(user) if engine.user().is_some_and(|own| *own != user) => {
            let is_free = |own: &Assignment| own.assignee.as_ref().is_none_or(|other| *other == user);
            let give = |own: &mut Assignment| own.assignee = Some(user.clone());
            match engine.update_task_if(task.id(), is_free, give).await {
                Err(error @ Error::TaskChanged(_)) => {
                    return Err(Fault::failed_as("TaskAlreadyClaimedException", error.to_string()));
                }
                done => done,
            }
        }
        Some(user) => engine.claim(task.id(), user).await,
        None => engine.update_task(task.id(), |assignment| assignment.assignee = None).await,
    };
    changed(&task, done)
}

async fn unclaim(Acting(engine): Acting, Path(text): Path<String>) -> Answer {
    let task = open(&engine, &text).await?.ok_or_else(|| not_found(&text))?;
    check_is_not_suspended(&engine, &task).await?;
    let done = engine.unclaim(task.id()).await;
    changed(&task, done)
}

async fn assign(Acting(engine): Acting, Path(text): Path<String>, InBody(fields): InBody) -> Answer {
    let task = open(&engine, &text).await?.ok_or_else(|| not_found(&text))?;
    check_is_not_suspended(&engine, &task).await?;
    let user = fields.text("userId")?;
    let done = engine.update_task(task.id(), |assignment| assignment.assignee.clone_from(&user)).await;
    changed(&task, done)
}

async fn delegate(Acting(engine): Acting, Path(text): Path<String>, InBody(fields): InBody) -> Answer {
    let task = open(&engine, &text).await?.ok_or_else(|| absent(&text))?;
    check_is_not_suspended(&engine, &task).await?;
    let user = fields.text("userId")?.unwrap_or_default();
    let done = engine.delegate(task.id(), user).await;
    changed(&task, done)
}

async fn resolve(Acting(engine): Acting, Path(text): Path<String>, InBody(fields): InBody) -> Answer {
    let variables = value::variables(&fields, "variables")?;
    let task = open(&engine, &text).await?.ok_or_else(|| absent(&text))?;
    check_is_not_suspended(&engine, &task).await?;
    give(&engine, &task, variables).await?;
    let done = engine.resolve(task.id()).await;
    changed(&task, done)
}

/// Sets what a task gives where it is seen after the task: past what is only the task's own, such as a draft.
async fn give(engine: &Engine, task: &Task, variables: Variables) -> Result<(), Fault> {
    if variables.is_empty() {
        return Ok(());
    }
    let own = engine.local_task_variables(task.id()).await?;
    let is_own = |(name, _): &(Name, Value)| own.iter().any(|(other, _)| other == name);
    let (past, seen): (Variables, Variables) = variables.into_iter().partition(is_own);
    if !past.is_empty() {
        engine.instance(task.instance_id()).change_variables_from(Viewpoint::Process, false, past, []).await?;
    }
    if !seen.is_empty() {
        engine.set_task_variables(task.id(), seen).await?;
    }
    Ok(())
}

/// What is given is held against the form that the model describes. A task that was delegated goes back to its owner.
async fn submit_form(Acting(engine): Acting, Path(text): Path<String>, InBody(fields): InBody) -> Answer {
    let cannot = format!("Cannot submit task form {text}");
    let given = value::variables(&fields, "variables")
        .map_err(|fault| Fault::invalid(format!("{cannot}: {}", fault.message())))?;
    let refused = |why: &str| Fault::refused(StatusCode::INTERNAL_SERVER_ERROR, format!("{cannot}: {why}"));
    let task = open(&engine, &text).await?.ok_or_else(|| refused("there is no such task, or it is done"))?;
    let form = form::fields_of_task(&engine, &task).await?;
    let variables = if form.is_empty() {
        given
    } else {
        let seen = engine.task_variables(task.id()).await?;
        submission::variables(&form, given, &seen).map_err(|unfit| unfit.into_fault(refused))?
    };
    if task.delegation == Delegation::Pending {
        check_is_not_suspended(&engine, &task).await?;
        give(&engine, &task, variables).await?;
        let done = engine.resolve(task.id()).await;
        return changed(&task, done);
    }
    finish(&engine, task.id(), &fields, variables, &cannot).await
}

async fn complete(Acting(engine): Acting, Path(text): Path<String>, InBody(fields): InBody) -> Answer {
    let cannot = format!("Cannot complete task {text}");
    let variables = value::variables(&fields, "variables")
        .map_err(|fault| Fault::invalid(format!("{cannot}: {}", fault.message())))?;
    let absent = || {
        let message = format!("{cannot}: there is no such task, or it is done");
        Fault::refused(StatusCode::INTERNAL_SERVER_ERROR, message)
    };
    let task = id::parse::<TaskId>(&text).ok_or_else(absent)?;
    finish(&engine, task, &fields, variables, &cannot).await
}

/// Completes a task; `cannot` says what is refused if it is.
async fn finish(engine: &Engine, task: TaskId, fields: &Fields, variables: Variables, cannot: &str) -> Answer {
    let refused = |error| Fault::in_words(error, |error| format!("{cannot}: {error}"));
    let with_variables = fields.is_set("withVariablesInReturn")?;
    // What the task saw, with what it gives, is what is there afterwards if the instance ends with it.
    let mut seen: BTreeMap<Name, _> = BTreeMap::new();
    if with_variables {
        seen.extend(engine.task_variables(task).await.map_err(refused)?);
        seen.extend(variables.iter().cloned());
    }
    engine.complete(task, variables).await.map_err(refused)?;
    if !with_variables {
        return Ok(nothing());
    }
    let variables: Vec<_> = seen.into_iter().collect();
    Ok(answer(&value::map(&variables, false)))
}

async fn bpmn_error(Acting(engine): Acting, Path(text): Path<String>, InBody(fields): InBody) -> Answer {
    let variables = value::variables(&fields, "variables")?;
    let Some(code) = fields.text("errorCode")?.filter(|code| !code.is_empty()) else {
        return Err(Fault::refused(StatusCode::BAD_REQUEST, "errorCode is null or empty"));
    };
    let task = open(&engine, &text).await?;
    let task = task.ok_or_else(|| Fault::refused(StatusCode::NOT_FOUND, format!("Cannot find task with id {text}")))?;
    let done = engine.throw_task_error(task.id(), code, fields.text("errorMessage")?, variables).await;
    changed(&task, done)
}

async fn bpmn_escalation(Acting(engine): Acting, Path(text): Path<String>, InBody(fields): InBody) -> Answer {
    let variables = value::variables(&fields, "variables")?;
    let Some(code) = fields.text("escalationCode")?.filter(|code| !code.is_empty()) else {
        return Err(Fault::refused(StatusCode::BAD_REQUEST, "escalationCode is null or empty"));
    };
    let task = open(&engine, &text).await?;
    let task = task.ok_or_else(|| Fault::refused(StatusCode::NOT_FOUND, format!("Cannot find task with id {text}")))?;
    let command = potok_core::step::Command::ThrowEscalation { wait: task.key, code, variables };
    let done = engine.instance(task.instance_id()).command(command).await;
    changed(&task, done)
}

/// What is to be done, as somebody has written it, else as the model documents it.
pub(crate) fn description<'a>(task: &'a TaskRow, models: &'a BTreeMap<u64, Arc<Model>>) -> Option<&'a str> {
    let documented = || models.get(&task.definition.into())?.documentation(&task.node);
    task.description.as_deref().or_else(documented)
}

/// What a body says of a task's assignment.
fn assignment(fields: &Fields) -> Result<Assignment, Fault> {
    let delegation = fields.text("delegationState")?;
    if let Some(other) = delegation.as_deref().filter(|state| !matches!(*state, "PENDING" | "RESOLVED")) {
        return Err(Fault::invalid(format!("delegationState `{other}` is unknown: PENDING or RESOLVED")));
    }
    Ok(Assignment {
        assignee: fields.text("assignee")?,
        owner: fields.text("owner")?,
        delegated: delegation.as_deref() == Some("PENDING"),
        resolved: delegation.as_deref() == Some("RESOLVED"),
        priority: fields.number("priority")?.unwrap_or(0),
        due: fields.date("due")?,
        follow_up: fields.date("followUp")?,
        ..Assignment::default()
    })
}

/// How many open tasks that nobody has name each group, and how many name none.
async fn by_candidate_group(Acting(engine): Acting) -> Answer {
    let mut counts: BTreeMap<Name, u64> = BTreeMap::new();
    let mut without = 0;
    let unassigned = Fields::of(&json!({"unassigned": true}))?;
    for task in list::all::<Tasks>(&engine, &unassigned).await? {
        for group in &task.candidate_groups {
            *counts.entry(group.clone()).or_default() += 1;
        }
        without += u64::from(task.candidate_groups.is_empty());
    }
    let mut all: Vec<Json> =
        counts.iter().map(|(group, count)| json!({"groupName": &**group, "taskCount": count})).collect();
    if without > 0 {
        all.push(json!({"groupName": null, "taskCount": without}));
    }
    Ok(answer(&Json::Array(all)))
}

async fn create(Acting(engine): Acting, InBody(fields): InBody) -> Answer {
    for unsupported in ["id", "parentTaskId", "caseInstanceId", "tenantId"] {
        if fields.has(unsupported) {
            return Err(Fault::not_offered(&format!("`{unsupported}` of a task that belongs to no process")));
        }
    }
    let said = assignment(&fields)?;
    let mut task = engine.create_task(fields.text("name")?.unwrap_or_default()).priority(said.priority);
    if let Some(description) = fields.text("description")? {
        task = task.description(description);
    }
    if let Some(user) = said.assignee {
        task = task.assignee(user);
    }
    if let Some(user) = said.owner {
        task = task.owner(user);
    }
    if let Some(due) = said.due {
        task = task.due(due);
    }
    if let Some(follow_up) = said.follow_up {
        task = task.follow_up(follow_up);
    }
    task.send().await?;
    Ok(nothing())
}

/// All that stands in the body is what the task has from then on.
async fn update(Acting(engine): Acting, Path(text): Path<String>, InBody(fields): InBody) -> Answer {
    let task = open(&engine, &text).await?;
    let task = task.ok_or_else(|| Fault::missing(format!("No matching task with id {text}")))?;
    // Programs send back all that they were shown: what is only documented stays so.
    let shown = shown(&engine, std::slice::from_ref(&task), &Fields::default()).await?.pop().unwrap_or_default();
    let given = |name: &str| {
        let given = fields.text(name)?.unwrap_or_default();
        Ok::<_, Fault>(Some(given).filter(|given| shown[name].as_str() != Some(&**given)))
    };
    let (name, description) = (given("name")?, given("description")?);
    check_is_not_suspended(&engine, &task).await?;
    let said = Assignment { name, description, ..assignment(&fields)? };
    let change = |own: &mut Assignment| {
        let (users, groups) = (own.candidate_users.clone(), own.candidate_groups.clone());
        *own = Assignment { candidate_users: users, candidate_groups: groups, ..said.clone() };
    };
    let done = engine.update_task(task.id(), change).await;
    changed(&task, done)
}

async fn delete(Acting(engine): Acting, Path(text): Path<String>) -> Answer {
    let Some(task) = open(&engine, &text).await? else { return Ok(nothing()) };
    match engine.cancel_task(task.id(), "").await {
        Ok(()) | Err(Error::UnknownTask(_)) => Ok(nothing()),
        Err(error) => Err(error.into()),
    }
}

/// The list of open tasks.
pub(crate) struct Tasks;

impl List for Tasks {
    const PATH: &'static str = "/task";
    const FILTERS: &'static [&'static str] = &[
        "active",
        "activityInstanceIdIn",
        "assigned",
        "assignee",
        "assigneeExpression",
        "assigneeIn",
        "assigneeLike",
        "assigneeLikeExpression",
        "assigneeNotIn",
        "candidateGroup",
        "candidateGroupExpression",
        "candidateGroupLike",
        "candidateGroups",
        "candidateGroupsExpression",
        "candidateUser",
        "candidateUserExpression",
        "caseDefinitionId",
        "caseDefinitionKey",
        "caseDefinitionName",
        "caseDefinitionNameLike",
        "caseExecutionId",
        "caseInstanceBusinessKey",
        "caseInstanceBusinessKeyLike",
        "caseInstanceId",
        "caseInstanceVariables",
        "created",
        "createdAfter",
        "createdAfterExpression",
        "createdBefore",
        "createdBeforeExpression",
        "createdOn",
        "createdOnExpression",
        "delegationState",
        "description",
        "descriptionLike",
        "due",
        "dueAfter",
        "dueAfterExpression",
        "dueBefore",
        "dueBeforeExpression",
        "dueDate",
        "dueDateExpression",
        "executionId",
        "followUp",
        "followUpAfter",
        "followUpAfterExpression",
        "followUpBefore",
        "followUpBeforeExpression",
        "followUpBeforeOrNotExistent",
        "followUpBeforeOrNotExistentExpression",
        "followUpDate",
        "followUpDateExpression",
        "involvedUser",
        "involvedUserExpression",
        "maxPriority",
        "minPriority",
        "name",
        "nameLike",
        "nameNotEqual",
        "nameNotLike",
        "orQueries",
        "owner",
        "ownerExpression",
        "parentTaskId",
        "priority",
        "processDefinitionId",
        "processDefinitionKey",
        "processDefinitionKeyIn",
        "processDefinitionName",
        "processDefinitionNameLike",
        "processInstanceBusinessKey",
        "processInstanceBusinessKeyExpression",
        "processInstanceBusinessKeyIn",
        "processInstanceBusinessKeyLike",
        "processInstanceBusinessKeyLikeExpression",
        "processInstanceId",
        "processInstanceIdIn",
        "processVariables",
        "suspended",
        "taskDefinitionKey",
        "taskDefinitionKeyIn",
        "taskDefinitionKeyLike",
        "taskDefinitionKeyNotIn",
        "taskId",
        "taskIdIn",
        "taskVariables",
        "tenantIdIn",
        "unassigned",
        "updatedAfter",
        "updatedAfterExpression",
        "withCandidateGroups",
        "withCandidateUsers",
        "withCommentAttachmentInfo",
        "withTaskLocalVariablesInReturn",
        "withTaskVariablesInReturn",
        "withoutCandidateGroups",
        "withoutCandidateUsers",
        "withoutDueDate",
        "withoutTenantId",
    ];
    const NEVER: &'static [&'static str] = &[
        "caseDefinitionId",
        "caseDefinitionKey",
        "caseDefinitionName",
        "caseDefinitionNameLike",
        "caseExecutionId",
        "caseInstanceBusinessKey",
        "caseInstanceBusinessKeyLike",
        "caseInstanceId",
        "caseInstanceVariables",
        "parentTaskId",
    ];
    const SORTED_BY: &'static [&'static str] = &[
        "instanceId",
        "caseInstanceId",
        "dueDate",
        "executionId",
        "caseExecutionId",
        "assignee",
        "created",
        "lastUpdated",
        "followUpDate",
        "description",
        "id",
        "name",
        "nameCaseInsensitive",
        "priority",
        "tenantId",
    ];
    const SORTED_BY_VARIABLE: &'static [&'static str] =
        &["processVariable", "executionVariable", "taskVariable", "caseExecutionVariable", "caseInstanceVariable"];
    type Row = Task;

    async fn find(engine: &Engine, asked: &Asked<'_>) -> Result<Vec<Task>, Fault> {
        task_query::search(engine, asked).await
    }

    async fn shown(engine: &Engine, rows: Vec<Task>, fields: &Fields) -> Result<Vec<Json>, Fault> {
        shown(engine, &rows, fields).await
    }

    async fn count(engine: &Engine, asked: &Asked<'_>) -> Result<u64, Fault> {
        task_query::count(engine, asked).await
    }
}
