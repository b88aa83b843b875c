//! `/tasks`: user tasks, and tasks that belong to no process.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use potok::query::{TaskOrder, TaskQuery};
use potok::{Assignment, Engine, Error, Name, TaskId, row};
use potok_core::value::Value;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::body::{Json, Path, Query};
use crate::caller::Caller;
use crate::problem::{Problem, Problems};
use crate::routes::{Routes, routes};
use crate::search::{self, Found, Search, VariableFilters, find, meant, variables};
use crate::tag::{Expected, Tagged, tag};
use crate::value::{Created, Id, Local, Variables, names, text, words};

pub(crate) fn routes() -> Routes {
    Routes::new()
        .routes(routes!(create))
        .routes(routes!(search))
        .routes(routes!(get, change, delete))
        .routes(routes!(claim))
        .routes(routes!(unclaim))
        .routes(routes!(assign))
        .routes(routes!(delegate))
        .routes(routes!(resolve))
        .routes(routes!(complete))
        .routes(routes!(throw_error))
        .routes(routes!(cancel))
        .routes(routes!(get_variables, set_variables))
}

words! {
    /// Whether a task is open.
    TaskState for row::TaskState {
        /// Open.
        Open,
        /// Completed.
        Completed,
        /// Cancelled with its instance, or by an event.
        Cancelled,
    }
    /// Whether a task's owner has asked somebody else to work on it.
    Delegation for row::Delegation {
        /// Not delegated.
        None,
        /// Delegated.
        Pending,
        /// Worked on, back with its owner.
        Resolved,
    }
    /// How tasks are sorted; by age among equals.
    TaskSort for TaskOrder {
        /// By age.
        Created,
        /// By when they are due; those without a date last.
        Due,
        /// By when they should be looked at again; those without a date last.
        FollowUp,
        /// By priority.
        Priority,
        /// By name.
        Name,
        /// By assignee.
        Assignee,
        /// By when they ended; open ones last.
        Ended,
        /// By instance.
        Instance,
        /// By description.
        Description,
        /// By when who works on them, or how, was changed last; those of which nothing was changed last.
        Changed,
        /// By tenant.
        Tenant,
    }
}

/// A user task.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Task {
    id: Id,
    /// Its instance; that of a task that belongs to no process holds its variables and its history.
    instance: Id,
    /// The id of its process; none if it belongs to no process.
    process: Option<String>,
    /// The version of the process.
    definition: Id,
    /// The id of its flow node.
    node: String,
    name: Option<String>,
    /// What is to be done, of a task that belongs to no process.
    description: Option<String>,
    /// The user who works on it.
    assignee: Option<String>,
    /// The user who is responsible for it.
    owner: Option<String>,
    delegation: Delegation,
    /// Users who may claim it.
    candidate_users: Vec<String>,
    /// Groups whose members may claim it.
    candidate_groups: Vec<String>,
    /// The higher, the sooner.
    priority: i64,
    #[schema(value_type = Option<String>, format = DateTime)]
    due: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    follow_up: Option<Timestamp>,
    /// The key of its form.
    form: Option<String>,
    /// Its lane.
    lane: Option<String>,
    tenant: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    created: Timestamp,
    state: TaskState,
    #[schema(value_type = Option<String>, format = DateTime)]
    ended: Option<Timestamp>,
    /// The chosen variables of its process, if any were asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    variables: Option<Variables>,
}

impl From<&row::Task> for Task {
    fn from(task: &row::Task) -> Self {
        let texts = |names: &[Name]| names.iter().map(Name::to_string).collect();
        Self {
            id: task.key.into(),
            instance: task.instance.into(),
            process: Some(task.process.to_string()).filter(|process| !process.is_empty()),
            definition: task.definition.into(),
            node: task.node.to_string(),
            name: text(task.name.as_ref()),
            description: text(task.description.as_ref()),
            assignee: text(task.assignee.as_ref()),
            owner: text(task.owner.as_ref()),
            delegation: task.delegation.into(),
            candidate_users: texts(&task.candidate_users),
            candidate_groups: texts(&task.candidate_groups),
            priority: task.priority,
            due: task.due,
            follow_up: task.follow_up,
            form: text(task.form.as_ref()),
            lane: text(task.lane.as_ref()),
            tenant: text(task.tenant.as_ref()),
            created: task.created,
            state: task.state.into(),
            ended: task.ended,
            variables: None,
        }
    }
}

/// Which tasks. All that is given must hold.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub(crate) struct TaskFilter {
    /// In one of these states; open ones unless this is given.
    #[serde(deserialize_with = "search::some_or_null")]
    #[schema(min_items = 1)]
    states: Option<Vec<TaskState>>,
    #[serde(deserialize_with = "search::some")]
    #[schema(min_items = 1)]
    ids: Vec<Id>,
    #[serde(deserialize_with = "search::some")]
    #[schema(min_items = 1)]
    instances: Vec<Id>,
    /// Of one of these processes.
    #[serde(deserialize_with = "search::some")]
    #[schema(min_items = 1)]
    processes: Vec<String>,
    /// Of any process, or of none.
    has_process: Option<bool>,
    /// On one of these flow nodes.
    #[serde(deserialize_with = "search::some")]
    #[schema(min_items = 1)]
    nodes: Vec<String>,
    /// Its key (the newest version), `key@version`, `key@tag` or id.
    definition: Option<String>,
    tenant: Option<String>,
    lane: Option<String>,
    assignee: Option<String>,
    /// Assigned to anybody, or to nobody.
    assigned: Option<bool>,
    owner: Option<String>,
    /// Open for one of these users to claim; with groups as well, for any of them.
    #[serde(deserialize_with = "search::some")]
    #[schema(min_items = 1)]
    candidate_users: Vec<String>,
    /// Open for the members of one of these groups to claim.
    #[serde(deserialize_with = "search::some")]
    #[schema(min_items = 1)]
    candidate_groups: Vec<String>,
    /// `%` stands for any text, `_` for one character.
    name_like: Option<String>,
    priority_from: Option<i64>,
    #[schema(value_type = Option<String>, format = DateTime)]
    due_from: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    due_before: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    follow_up_before: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    created_from: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    created_before: Option<Timestamp>,
    /// Whose process has such variables.
    variables: VariableFilters,
    /// With such variables of their own, which only open ones have.
    own_variables: VariableFilters,
}

impl TaskFilter {
    async fn query(self, engine: &Engine) -> Result<TaskQuery, Error> {
        let keys = |ids: Vec<Id>| ids.into_iter().map(Id::key).collect();
        let states = self.states.unwrap_or_else(|| vec![TaskState::Open]);
        Ok(TaskQuery {
            states: states.into_iter().map(Into::into).collect(),
            keys: keys(self.ids),
            instances: keys(self.instances),
            processes: names(self.processes),
            has_process: self.has_process,
            nodes: names(self.nodes),
            definition: meant(engine, self.definition.as_deref(), self.tenant.as_deref()).await?,
            tenant: self.tenant.map(Into::into),
            lane: self.lane.map(Into::into),
            assignee: self.assignee.map(Into::into),
            assigned: self.assigned,
            owner: self.owner.map(Into::into),
            candidate_users: names(self.candidate_users),
            candidate_groups: names(self.candidate_groups),
            name_like: self.name_like,
            priority_from: self.priority_from,
            due_from: self.due_from,
            due_before: self.due_before,
            follow_up_before: self.follow_up_before,
            created_from: self.created_from,
            created_before: self.created_before,
            variables: variables(self.variables),
            own_variables: variables(self.own_variables),
            ..TaskQuery::default()
        })
    }
}

/// Searches tasks
///
/// Open ones, the oldest first, unless other ones are asked for.
#[utoipa::path(post, path = "/tasks/search", tag = "tasks", operation_id = "searchTasks",
    responses((status = 200, body = Found<Task>, description = "A page of them"), Problems))]
async fn search(
    caller: Caller,
    Json(search): Json<Search<TaskFilter, TaskSort>>,
) -> Result<Json<Found<Task>>, Problem> {
    found(&caller.engine, search).await.map(Json)
}

/// The tasks that a search finds.
pub(crate) async fn found(engine: &Engine, search: Search<TaskFilter, TaskSort>) -> Result<Found<Task>, Problem> {
    let page = search.paging()?;
    let order = search.sort_by.map(Into::into).unwrap_or_default();
    let query = TaskQuery { order, page, ..search.filter.unwrap_or_default().query(engine).await? };
    let mut found = find(engine, &query, search.count_only, |row| Task::from(&row)).await?;
    if !search.include_variables.is_empty() {
        let instances = found.items.iter().map(|task| task.instance.into());
        let mut variables = engine.variables_of(instances, &names(search.include_variables)).await?;
        let mut seen = std::collections::BTreeMap::new();
        for task in &mut found.items {
            let of = seen
                .entry(task.instance.0)
                .or_insert_with(|| Variables::from(variables.remove(&task.instance.into()).unwrap_or_default()));
            task.variables = Some(of.clone());
        }
    }
    Ok(found)
}

/// A task, open or ended
///
/// Its `ETag` stands for what can be changed of it.
#[utoipa::path(get, path = "/tasks/{id}", tag = "tasks", operation_id = "getTask",
    params(("id" = Id, Path, description = "Its id")),
    responses((status = 200, body = Task, description = "The task", headers(("etag" = String))), Problems))]
async fn get(caller: Caller, Path(id): Path<Id>) -> Result<Response, Problem> {
    let task = caller.engine.task(id.into()).await?;
    let tag = tag(&Assignment::of(&task));
    Ok(([(header::ETAG, tag)], Json(Task::from(&*task))).into_response())
}

/// A task that belongs to no process.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct NewTask {
    name: String,
    /// What is to be done.
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    assignee: Option<String>,
    #[serde(default)]
    owner: Option<String>,
    #[serde(default)]
    candidate_users: Vec<String>,
    #[serde(default)]
    candidate_groups: Vec<String>,
    /// The higher, the sooner; 50 unless this is given.
    #[serde(default)]
    priority: Option<i64>,
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    due: Option<Timestamp>,
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    follow_up: Option<Timestamp>,
    /// The key of its form.
    #[serde(default)]
    form: Option<String>,
    #[serde(default)]
    variables: Variables,
}

/// Creates a task that belongs to no process
#[utoipa::path(post, path = "/tasks", tag = "tasks", operation_id = "createTask",
    responses((status = 201, body = Created, description = "It is open"), Problems))]
async fn create(caller: Caller, Json(given): Json<NewTask>) -> Result<Created, Problem> {
    let id: TaskId = caller
        .once(|engine| async move {
            let mut task = engine.create_task(given.name).variables(given.variables);
            if let Some(description) = given.description {
                task = task.description(description);
            }
            if let Some(assignee) = given.assignee {
                task = task.assignee(assignee);
            }
            if let Some(owner) = given.owner {
                task = task.owner(owner);
            }
            task = given.candidate_users.into_iter().fold(task, potok::NewTask::candidate_user);
            task = given.candidate_groups.into_iter().fold(task, potok::NewTask::candidate_group);
            if let Some(priority) = given.priority {
                task = task.priority(priority);
            }
            if let Some(due) = given.due {
                task = task.due(due);
            }
            if let Some(follow_up) = given.follow_up {
                task = task.follow_up(follow_up);
            }
            if let Some(form) = given.form {
                task = task.form(form);
            }
            Ok(task.send().await?.id())
        })
        .await?;
    Ok(Created { id: id.into(), place: "tasks" })
}

/// What is to be changed of a task. What is not given stays; `null` takes away.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub(crate) struct TaskChange {
    /// The user who is responsible for it.
    #[serde(deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    owner: Option<Option<String>>,
    candidate_users: Option<Vec<String>>,
    candidate_groups: Option<Vec<String>>,
    priority: Option<i64>,
    #[serde(deserialize_with = "given")]
    #[schema(value_type = Option<String>, format = DateTime)]
    due: Option<Option<Timestamp>>,
    #[serde(deserialize_with = "given")]
    #[schema(value_type = Option<String>, format = DateTime)]
    follow_up: Option<Option<Timestamp>>,
}

/// What is given, be it `null`.
fn given<'de, T: Deserialize<'de>, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// Changes dates, priority, owner and candidates of a task
///
/// With `If-Match`, only if it is as its caller has seen it.
#[utoipa::path(patch, path = "/tasks/{id}", tag = "tasks", operation_id = "changeTask",
    params(("id" = Id, Path, description = "Its id"), Expected),
    responses((status = 204, description = "It is changed"), Problems))]
async fn change(
    caller: Caller,
    Path(id): Path<Id>,
    expected: Expected,
    Json(change): Json<TaskChange>,
) -> Result<StatusCode, Problem> {
    let is_expected = |now: &Assignment| expected.is(|| Some(now));
    let apply = |assignment: &mut Assignment| {
        let TaskChange { owner, candidate_users, candidate_groups, priority, due, follow_up } = change.clone();
        if let Some(owner) = owner {
            assignment.owner = owner.map(Into::into);
        }
        if let Some(users) = candidate_users {
            assignment.candidate_users = names(users);
        }
        if let Some(groups) = candidate_groups {
            assignment.candidate_groups = names(groups);
        }
        assignment.priority = priority.unwrap_or(assignment.priority);
        assignment.due = due.unwrap_or(assignment.due);
        assignment.follow_up = follow_up.unwrap_or(assignment.follow_up);
    };
    caller.once(|engine| async move { engine.update_task_if(id.into(), is_expected, apply).await }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Removes a task that belongs to no process, with its history, comments and attachments
///
/// With `If-Match`, only if it is as its caller has seen it.
#[utoipa::path(delete, path = "/tasks/{id}", tag = "tasks", operation_id = "deleteTask",
    params(("id" = Id, Path, description = "Its id"), Expected),
    responses((status = 204, description = "It is gone"), Problems))]
async fn delete(caller: Caller, Path(id): Path<Id>, expected: Expected) -> Result<StatusCode, Problem> {
    let is_expected = |now: &Assignment| expected.is(|| Some(now));
    caller.once(|engine| async move { engine.delete_task_if(id.into(), is_expected).await }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A user.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct OfUser {
    user: String,
}

/// Takes a task into work for a user
///
/// Nobody else can take it then. To claim what one has already does nothing.
#[utoipa::path(post, path = "/tasks/{id}/claim", tag = "tasks", operation_id = "claimTask",
    params(("id" = Id, Path, description = "Its id")),
    responses((status = 204, description = "The user has it"), Problems))]
async fn claim(caller: Caller, Path(id): Path<Id>, Json(body): Json<OfUser>) -> Result<StatusCode, Problem> {
    caller.once(|engine| async move { engine.claim(id.into(), body.user).await }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Gives a task back to those who may claim it
#[utoipa::path(post, path = "/tasks/{id}/unclaim", tag = "tasks", operation_id = "unclaimTask",
    params(("id" = Id, Path, description = "Its id")),
    responses((status = 204, description = "Nobody has it"), Problems))]
async fn unclaim(caller: Caller, Path(id): Path<Id>) -> Result<StatusCode, Problem> {
    caller.once(|engine| async move { engine.unclaim(id.into()).await }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Assigns a task to a user, whoever has it
#[utoipa::path(post, path = "/tasks/{id}/assign", tag = "tasks", operation_id = "assignTask",
    params(("id" = Id, Path, description = "Its id")),
    responses((status = 204, description = "The user has it"), Problems))]
async fn assign(caller: Caller, Path(id): Path<Id>, Json(body): Json<OfUser>) -> Result<StatusCode, Problem> {
    caller.once(|engine| async move { engine.assign(id.into(), body.user).await }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Asks another user to work on a task
///
/// It comes back when that one resolves it.
#[utoipa::path(post, path = "/tasks/{id}/delegate", tag = "tasks", operation_id = "delegateTask",
    params(("id" = Id, Path, description = "Its id")),
    responses((status = 204, description = "The other has it"), Problems))]
async fn delegate(caller: Caller, Path(id): Path<Id>, Json(body): Json<OfUser>) -> Result<StatusCode, Problem> {
    caller.once(|engine| async move { engine.delegate(id.into(), body.user).await }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Gives a delegated task back to its owner, worked on
#[utoipa::path(post, path = "/tasks/{id}/resolve", tag = "tasks", operation_id = "resolveTask",
    params(("id" = Id, Path, description = "Its id")),
    responses((status = 204, description = "Its owner has it"), Problems))]
async fn resolve(caller: Caller, Path(id): Path<Id>) -> Result<StatusCode, Problem> {
    caller.once(|engine| async move { engine.resolve(id.into()).await }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What a task gave.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Completion {
    variables: Variables,
}

/// Completes a task with what it gave
#[utoipa::path(post, path = "/tasks/{id}/complete", tag = "tasks", operation_id = "completeTask",
    params(("id" = Id, Path, description = "Its id")),
    responses((status = 204, description = "It is completed, and its process has gone on as far as it can"), Problems))]
async fn complete(caller: Caller, Path(id): Path<Id>, Json(body): Json<Completion>) -> Result<StatusCode, Problem> {
    caller.once(|engine| async move { engine.complete(id.into(), body.variables).await }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A BPMN error.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct BpmnError {
    /// The error's code.
    pub(crate) code: String,
    /// What went wrong, for people.
    #[serde(default)]
    pub(crate) message: Option<String>,
    /// What comes with it.
    #[serde(default)]
    pub(crate) variables: Variables,
}

/// Reports a BPMN error from a task
#[utoipa::path(post, path = "/tasks/{id}/error", tag = "tasks", operation_id = "throwTaskError",
    params(("id" = Id, Path, description = "Its id")),
    responses((status = 204, description = "The process has it"), Problems))]
async fn throw_error(caller: Caller, Path(id): Path<Id>, Json(body): Json<BpmnError>) -> Result<StatusCode, Problem> {
    let BpmnError { code, message, variables } = body;
    let thrown = caller.once(|engine| async move {
        engine.throw_task_error(id.into(), code, message.map(Into::into), variables).await
    });
    thrown.await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Why.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Reason {
    pub(crate) reason: String,
}

/// Ends a task that belongs to no process and is not done
#[utoipa::path(post, path = "/tasks/{id}/cancel", tag = "tasks", operation_id = "cancelTask",
    params(("id" = Id, Path, description = "Its id")),
    responses((status = 204, description = "It is cancelled"), Problems))]
async fn cancel(caller: Caller, Path(id): Path<Id>, Json(body): Json<Reason>) -> Result<StatusCode, Problem> {
    caller.once(|engine| async move { engine.cancel_task(id.into(), body.reason).await }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The variables that an open task sees
///
/// Their `ETag` stands for them all.
#[utoipa::path(get, path = "/tasks/{id}/variables", tag = "tasks", operation_id = "getTaskVariables",
    params(("id" = Id, Path, description = "Its id"), Local),
    responses((status = 200, body = Variables, description = "By name", headers(("etag" = String))), Problems))]
async fn get_variables(
    caller: Caller,
    Path(id): Path<Id>,
    Query(Local { local }): Query<Local>,
) -> Result<Tagged<Variables>, Problem> {
    let variables = match local {
        true => caller.engine.local_task_variables(id.into()).await?,
        false => caller.engine.task_variables(id.into()).await?,
    };
    Ok(Tagged(variables.into()))
}

/// Sets variables while a task is being worked on
///
/// Each in the innermost scope around the task that has it, else in the process; or with `local` in the task's own. With `If-Match`, only if they
/// all are as its caller has seen them, with `local` or without.
#[utoipa::path(patch, path = "/tasks/{id}/variables", tag = "tasks", operation_id = "setTaskVariables",
    params(("id" = Id, Path, description = "Its id"), Local, Expected),
    responses((status = 204, description = "They are set"), Problems))]
async fn set_variables(
    caller: Caller,
    Path(id): Path<Id>,
    Query(Local { local }): Query<Local>,
    expected: Expected,
    Json(variables): Json<Variables>,
) -> Result<StatusCode, Problem> {
    let is_expected = |now: &[(Name, Value)]| expected.is(|| Some(Variables::from(now)));
    let set = caller.once(|engine| async move {
        match local {
            true => engine.set_local_task_variables_if(id.into(), is_expected, variables).await,
            false => engine.set_task_variables_if(id.into(), is_expected, variables).await,
        }
    });
    set.await?;
    Ok(StatusCode::NO_CONTENT)
}
