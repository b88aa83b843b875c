//! `/instances`: process instances, started, looked at, moved and ended.

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use potok::query::{InstanceOrder, InstanceQuery};
use potok::row::{self, DefinitionKind};
use potok::{Engine, Error, InstanceId, Name, Selector, Version};
use potok_core::value::Value;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::App;
use crate::body::{Json, Path};
use crate::caller::Caller;
use crate::jobs::patience;
use crate::problem::{Problem, Problems};
use crate::routes::{Routes, routes};
use crate::search::{self, Found, Search, VariableFilters, find, meant, variables};
use crate::tag::{Expected, Tagged};
use crate::tasks::Reason;
use crate::value::{Id, Variables, names, text, words};

pub(crate) fn routes() -> Routes {
    Routes::new()
        .routes(routes!(start))
        .routes(routes!(search))
        .routes(routes!(get, delete))
        .routes(routes!(get_variables, set_variables))
        .routes(routes!(set_variables_in))
        .routes(routes!(remove_variable))
        .routes(routes!(erase_variable))
        .routes(routes!(cancel))
        .routes(routes!(suspend))
        .routes(routes!(resume))
        .routes(routes!(activate))
}

words! {
    /// Whether an instance still runs, and if not, how it ended.
    InstanceState for row::InstanceState {
        /// Running.
        Active,
        /// Ended as its model says.
        Completed,
        /// Ended by an error that nothing caught.
        Failed,
        /// Ended from outside.
        Cancelled,
    }
    /// How instances are sorted; by age among equals.
    InstanceSort for InstanceOrder {
        /// By age.
        Started,
        /// By business key.
        BusinessKey,
        /// By when they ended; running ones last.
        Ended,
        /// By process.
        Process,
        /// By definition.
        Definition,
        /// By tenant.
        Tenant,
    }
}

/// A process instance.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Instance {
    id: Id,
    /// The id of its process.
    process: String,
    /// The version of its process.
    definition: Id,
    business_key: Option<String>,
    tenant: Option<String>,
    /// The instance that called it.
    parent: Option<Id>,
    /// Who started it.
    initiator: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    started: Timestamp,
    state: InstanceState,
    /// Nothing goes on in it until it is resumed.
    suspended: bool,
    #[schema(value_type = Option<String>, format = DateTime)]
    ended: Option<Timestamp>,
    /// The chosen variables of the process, if any were asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    variables: Option<Variables>,
}

impl From<&row::Instance> for Instance {
    fn from(row: &row::Instance) -> Self {
        Self {
            id: row.key.into(),
            process: row.process.to_string(),
            definition: row.definition.into(),
            business_key: text(row.business_key.as_ref()),
            tenant: text(row.tenant.as_ref()),
            parent: row.parent.map(Id::from),
            initiator: text(row.initiator.as_ref()),
            started: row.started,
            state: row.state.into(),
            suspended: row.suspended,
            ended: row.ended,
            variables: None,
        }
    }
}

/// Which instances. All that is given must hold.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub(crate) struct InstanceFilter {
    /// In one of these states; in any unless this is given.
    #[serde(deserialize_with = "search::some")]
    #[schema(min_items = 1)]
    states: Vec<InstanceState>,
    #[serde(deserialize_with = "search::some")]
    #[schema(min_items = 1)]
    ids: Vec<Id>,
    /// Of one of these processes.
    #[serde(deserialize_with = "search::some")]
    #[schema(min_items = 1)]
    processes: Vec<String>,
    /// Its key (the newest version), `key@version`, `key@tag` or id.
    definition: Option<String>,
    tenant: Option<String>,
    business_key: Option<String>,
    /// `%` stands for any text, `_` for one character.
    business_key_like: Option<String>,
    /// Called by this instance.
    parent: Option<Id>,
    /// Called by another, or not.
    called: Option<bool>,
    suspended: Option<bool>,
    #[schema(value_type = Option<String>, format = DateTime)]
    started_from: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    started_before: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    ended_from: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    ended_before: Option<Timestamp>,
    /// With such variables of the process.
    variables: VariableFilters,
}

impl InstanceFilter {
    pub(crate) async fn query(self, engine: &Engine) -> Result<InstanceQuery, Error> {
        Ok(InstanceQuery {
            states: self.states.into_iter().map(Into::into).collect(),
            keys: self.ids.into_iter().map(Id::key).collect(),
            processes: names(self.processes),
            definition: meant(engine, self.definition.as_deref(), self.tenant.as_deref()).await?,
            tenant: self.tenant.map(Into::into),
            business_key: self.business_key.map(Into::into),
            business_key_like: self.business_key_like,
            parent: self.parent.map(Id::key),
            called: self.called,
            suspended: self.suspended,
            started_from: self.started_from,
            started_before: self.started_before,
            ended_from: self.ended_from,
            ended_before: self.ended_before,
            variables: variables(self.variables),
            ..InstanceQuery::default()
        })
    }
}

/// Searches instances, running and ended
#[utoipa::path(post, path = "/instances/search", tag = "instances", operation_id = "searchInstances",
    responses((status = 200, body = Found<Instance>, description = "A page of them"), Problems))]
async fn search(
    caller: Caller,
    Json(search): Json<Search<InstanceFilter, InstanceSort>>,
) -> Result<Json<Found<Instance>>, Problem> {
    let page = search.paging()?;
    let order = search.sort_by.map(Into::into).unwrap_or_default();
    let query = InstanceQuery { order, page, ..search.filter.unwrap_or_default().query(&caller.engine).await? };
    let mut found = find(&caller.engine, &query, search.count_only, |row| Instance::from(&row)).await?;
    if !search.include_variables.is_empty() {
        let ids = found.items.iter().map(|instance| instance.id.into());
        let mut variables = caller.engine.variables_of(ids, &names(search.include_variables)).await?;
        for instance in &mut found.items {
            instance.variables = Some(variables.remove(&instance.id.into()).unwrap_or_default().into());
        }
    }
    Ok(Json(found))
}

/// An instance about to be started.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct NewInstance {
    /// Of which process: `order`, the newest version; `order@3`; `order@spring`, the newest with that tag; or a definition's id.
    #[schema(examples("order"))]
    definition: String,
    #[serde(default)]
    tenant: Option<String>,
    #[serde(default)]
    business_key: Option<String>,
    /// Whether it has its business key for itself while it runs.
    #[serde(default)]
    unique_business_key: bool,
    #[serde(default)]
    variables: Variables,
    /// Before these flow nodes rather than at its start events.
    #[serde(default)]
    start_before: Vec<String>,
    /// At this start event, whatever it waits for.
    #[serde(default)]
    start_event: Option<String>,
    /// Waits for so many seconds until it has ended, and answers with its variables.
    #[serde(default)]
    #[schema(maximum = 60)]
    wait_seconds: u64,
}

/// Starts an instance
///
/// It has run as far as it can. With `waitSeconds` the answer comes when it has ended, or when that time is over.
#[utoipa::path(post, path = "/instances", tag = "instances", operation_id = "startInstance",
    responses((status = 201, body = Instance, description = "It has begun"), Problems))]
async fn start(caller: Caller, State(app): State<App>, Json(given): Json<NewInstance>) -> Result<Response, Problem> {
    if given.unique_business_key && given.business_key.is_none() {
        return Err(Problem::malformed("body-invalid", "`uniqueBusinessKey`: give a `businessKey`, too"));
    }
    if given.start_event.is_some() && !given.start_before.is_empty() {
        return Err(Problem::malformed("body-invalid", "`startEvent` and `startBefore` cannot both be given"));
    }
    let wait = patience(given.wait_seconds, &app)?;
    if !wait.is_zero() {
        // Who may see no instance is told before one is started.
        caller.engine.variables_of([], &[]).await?;
    }
    let started = caller.once(|engine| async move {
        let tenant = given.tenant.filter(|tenant| !tenant.is_empty());
        let selector: Selector = given.definition.parse().unwrap_or_else(|never| match never {});
        let mut start = match selector {
            Selector::Version(process, version) => {
                let start = engine.start(process);
                let start = match tenant {
                    Some(tenant) => start.tenant(tenant),
                    None => start,
                };
                match version {
                    Version::Number(number) => start.version(number),
                    Version::Tag(tag) => start.tag(tag),
                    Version::Latest | Version::Deployment(_) => start,
                }
            }
            Selector::Id(_) => {
                let found = engine.definition(DefinitionKind::Process, "", &selector).await?;
                engine.start(found.id).version(found.version).tenant(found.tenant)
            }
        };
        start = match (given.business_key, given.unique_business_key) {
            (Some(key), true) => start.unique_business_key(key),
            (Some(key), false) => start.business_key(key),
            (None, _) => start,
        };
        if let Some(event) = given.start_event {
            start = start.at_event(event);
        }
        if !given.start_before.is_empty() {
            start = start.before(given.start_before);
        }
        start.variables(given.variables).send().await
    });
    let mut instance = started.await?;
    let mut variables = None;
    if !wait.is_zero() {
        let case = caller.engine.instance(instance.id());
        tokio::select! {
            ended = case.ended() => {
                instance = ended?;
                variables = Some(case.variables().await?.into());
            }
            () = tokio::time::sleep(wait) => {}
            // It has begun, and the server that goes on with it is another.
            () = app.stop.told() => {}
        }
    }
    Ok(created(Instance { variables, ..Instance::from(&*instance) }))
}

pub(crate) fn created(instance: Instance) -> Response {
    let location = format!("/api/v1/instances/{}", instance.id);
    (StatusCode::CREATED, [(header::LOCATION, location)], Json(instance)).into_response()
}

/// An instance, running or ended
#[utoipa::path(get, path = "/instances/{id}", tag = "instances", operation_id = "getInstance",
    params(("id" = Id, Path, description = "Its id")),
    responses((status = 200, body = Instance, description = "The instance"), Problems))]
async fn get(caller: Caller, Path(id): Path<Id>) -> Result<Json<Instance>, Problem> {
    let instance = caller.engine.instance(id.into()).get().await?;
    Ok(Json(Instance::from(&*instance)))
}

/// Removes an instance that has ended, for good
///
/// Its history, comments and attachments go with it, and so do the instances that it called.
#[utoipa::path(delete, path = "/instances/{id}", tag = "instances", operation_id = "deleteInstance",
    params(("id" = Id, Path, description = "Its id")),
    responses((status = 204, description = "It is gone"), Problems))]
async fn delete(caller: Caller, Path(id): Path<Id>) -> Result<StatusCode, Problem> {
    caller.once(|engine| async move { engine.instance(id.into()).delete().await }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The variables of an instance's process
///
/// Their `ETag` stands for them all.
#[utoipa::path(get, path = "/instances/{id}/variables", tag = "instances", operation_id = "getVariables",
    params(("id" = Id, Path, description = "Its id")),
    responses((status = 200, body = Variables, description = "By name", headers(("etag" = String))), Problems))]
async fn get_variables(caller: Caller, Path(id): Path<Id>) -> Result<Tagged<Variables>, Problem> {
    Ok(Tagged(caller.engine.instance(id.into()).variables().await?.into()))
}

/// Sets variables of an instance's process
///
/// With `If-Match`, only if they all are as its caller has seen them.
#[utoipa::path(patch, path = "/instances/{id}/variables", tag = "instances", operation_id = "setVariables",
    params(("id" = Id, Path, description = "Its id"), Expected),
    responses((status = 204, description = "They are set"), Problems))]
async fn set_variables(
    caller: Caller,
    Path(id): Path<Id>,
    expected: Expected,
    Json(variables): Json<Variables>,
) -> Result<StatusCode, Problem> {
    let is_expected = |now: &[(Name, Value)]| expected.is(|| Some(Variables::from(now)));
    let set =
        caller.once(|engine| async move { engine.instance(id.into()).set_variables_if(is_expected, variables).await });
    set.await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Sets variables of a scope of an instance
///
/// That of the process is 0; those of activities and loops, with what stands in each, are in the instance's `state`.
#[utoipa::path(patch, path = "/instances/{id}/scopes/{scope}/variables", tag = "instances", operation_id = "setScopeVariables",
    params(("id" = Id, Path), ("scope" = u32, Path, description = "`scope` in the instance's `state`")),
    responses((status = 204, description = "They are set"), Problems))]
async fn set_variables_in(
    caller: Caller,
    Path((id, scope)): Path<(Id, u32)>,
    Json(variables): Json<Variables>,
) -> Result<StatusCode, Problem> {
    caller.once(|engine| async move { engine.instance(id.into()).set_variables_in(scope, variables).await }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Removes a variable of an instance's process, if it is there
///
/// With `If-Match`, only if all of them are as its caller has seen them: the `ETag` is that of `/instances/{id}/variables`.
#[utoipa::path(delete, path = "/instances/{id}/variables/{name}", tag = "instances", operation_id = "removeVariable",
    params(("id" = Id, Path), ("name" = String, Path), Expected),
    responses((status = 204, description = "It is not there"), Problems))]
async fn remove_variable(
    caller: Caller,
    Path((id, name)): Path<(Id, String)>,
    expected: Expected,
) -> Result<StatusCode, Problem> {
    let is_expected = |now: &[(Name, Value)]| expected.is(|| Some(Variables::from(now)));
    let remove = |engine: potok::Engine| async move {
        engine.instance(id.into()).remove_variables_if(is_expected, [name.into()]).await
    };
    caller.once(remove).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Erases what a variable has held, from the first day on
///
/// It is null from then on, also in the past. What was computed from it stays.
#[utoipa::path(post, path = "/instances/{id}/variables/{name}/erase", tag = "instances", operation_id = "eraseVariable",
    params(("id" = Id, Path), ("name" = String, Path)),
    responses((status = 204, description = "It is erased"), Problems))]
async fn erase_variable(caller: Caller, Path((id, name)): Path<(Id, String)>) -> Result<StatusCode, Problem> {
    caller.once(|engine| async move { engine.instance(id.into()).erase_variable(name).await }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Ends an instance from outside
#[utoipa::path(post, path = "/instances/{id}/cancel", tag = "instances", operation_id = "cancelInstance",
    params(("id" = Id, Path, description = "Its id")),
    responses((status = 204, description = "It has ended"), Problems))]
async fn cancel(caller: Caller, Path(id): Path<Id>, Json(body): Json<Reason>) -> Result<StatusCode, Problem> {
    caller.once(|engine| async move { engine.instance(id.into()).cancel(body.reason).await }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Lets nothing go on in an instance until it is resumed
#[utoipa::path(post, path = "/instances/{id}/suspend", tag = "instances", operation_id = "suspendInstance",
    params(("id" = Id, Path, description = "Its id")),
    responses((status = 204, description = "It is suspended"), Problems))]
async fn suspend(caller: Caller, Path(id): Path<Id>) -> Result<StatusCode, Problem> {
    caller.once(|engine| async move { engine.instance(id.into()).suspend().await }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Lets an instance go on
#[utoipa::path(post, path = "/instances/{id}/resume", tag = "instances", operation_id = "resumeInstance",
    params(("id" = Id, Path, description = "Its id")),
    responses((status = 204, description = "It goes on"), Problems))]
async fn resume(caller: Caller, Path(id): Path<Id>) -> Result<StatusCode, Problem> {
    caller.once(|engine| async move { engine.instance(id.into()).resume().await }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Activities of an ad-hoc sub-process.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Activation {
    /// What waits: see `waits` of the instance's state, those of the kind `ad-hoc`.
    wait: Id,
    /// The ids of the activities that begin.
    elements: Vec<String>,
}

/// Begins activities of an ad-hoc sub-process
#[utoipa::path(post, path = "/instances/{id}/activate", tag = "instances", operation_id = "activateElements",
    params(("id" = Id, Path, description = "Its id")),
    responses((status = 204, description = "They have begun"), Problems))]
async fn activate(caller: Caller, Path(id): Path<Id>, Json(body): Json<Activation>) -> Result<StatusCode, Problem> {
    let Activation { wait, elements } = body;
    let instance: InstanceId = id.into();
    caller.once(|engine| async move { engine.instance(instance).activate(wait.key(), elements).await }).await?;
    Ok(StatusCode::NO_CONTENT)
}
