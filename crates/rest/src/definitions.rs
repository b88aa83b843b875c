//! `/definitions`: versions of processes, decisions, forms and calendars; `/decisions`: decisions that are asked.

use axum::http::StatusCode;
use axum::response::Response;
use potok::query::DefinitionQuery;
use potok::{Engine, Error, Selector, row};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::body::{Json, Path, Query};
use crate::caller::Caller;
use crate::deployments::{Removal, bytes_of};
use crate::problem::{Problem, Problems};
use crate::routes::{Routes, routes};
use crate::search::{self, ByAge, Found, Search, find};
use crate::value::{Id, Variables, names, text, words};

pub(crate) fn routes() -> Routes {
    Routes::new()
        .routes(routes!(search))
        .routes(routes!(startable))
        .routes(routes!(get, delete))
        .routes(routes!(file))
        .routes(routes!(start_form))
        .routes(routes!(suspend))
        .routes(routes!(resume))
        .routes(routes!(keep_history, keep_history_as_modelled))
        .routes(routes!(statistics))
        .routes(routes!(all_statistics))
        .routes(routes!(decide))
}

words! {
    /// What a definition is.
    DefinitionKind for row::DefinitionKind {
        /// A process.
        Process,
        /// A decision.
        Decision,
        /// A form.
        Form,
        /// A working calendar.
        Calendar,
    }
}

/// A version of something deployed.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Definition {
    id: Id,
    kind: DefinitionKind,
    /// The id in its file, the same for all versions.
    key: String,
    /// Counted from 1, for each kind, tenant and key.
    version: u32,
    /// The tag in its file.
    tag: Option<String>,
    /// The name in its file.
    name: Option<String>,
    tenant: Option<String>,
    deployment: Id,
    /// Its file in the deployment.
    file: String,
    /// No instances are started.
    suspended: bool,
    /// For how many days the histories of its ended instances are kept, if that was said beside its file.
    history_time_to_live: Option<i64>,
}

impl From<&row::Definition> for Definition {
    fn from(row: &row::Definition) -> Self {
        Self {
            id: row.key.into(),
            kind: row.kind.into(),
            key: row.id.to_string(),
            version: row.version,
            tag: text(row.tag.as_ref()),
            name: text(row.name.as_ref()),
            tenant: Some(row.tenant.to_string()).filter(|tenant| !tenant.is_empty()),
            deployment: row.deployment.into(),
            file: row.resource.to_string(),
            suspended: row.suspended,
            history_time_to_live: row.history_days,
        }
    }
}

/// Which definitions. All that is given must hold.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub(crate) struct DefinitionFilter {
    kind: Option<DefinitionKind>,
    #[serde(deserialize_with = "search::some")]
    #[schema(min_items = 1)]
    ids: Vec<Id>,
    /// With one of these ids in their files.
    #[serde(deserialize_with = "search::some")]
    #[schema(min_items = 1)]
    keys: Vec<String>,
    tenant: Option<String>,
    deployment: Option<Id>,
    tag: Option<String>,
    /// `%` stands for any text, `_` for one character.
    name_like: Option<String>,
    suspended: Option<bool>,
}

/// Searches definitions, in all their versions
#[utoipa::path(post, path = "/definitions/search", tag = "definitions", operation_id = "searchDefinitions",
    responses((status = 200, body = Found<Definition>, description = "A page of them"), Problems))]
async fn search(
    caller: Caller,
    Json(search): Json<Search<DefinitionFilter, ByAge>>,
) -> Result<Json<Found<Definition>>, Problem> {
    let search = search.without_variables()?;
    let page = search.paging()?;
    let filter = search.filter.unwrap_or_default();
    let query = DefinitionQuery {
        kind: filter.kind.map(Into::into),
        keys: filter.ids.into_iter().map(Id::key).collect(),
        ids: names(filter.keys),
        tenant: filter.tenant.map(Into::into),
        deployment: filter.deployment.map(Id::key),
        tag: filter.tag.map(Into::into),
        name_like: filter.name_like,
        suspended: filter.suspended,
        page,
        ..DefinitionQuery::default()
    };
    Ok(Json(find(&caller.engine, &query, search.count_only, |row| Definition::from(&row)).await?))
}

/// What kind of definition is meant, and whose.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(crate) struct Which {
    /// A process unless this is given.
    kind: Option<DefinitionKind>,
    /// Of that tenant.
    tenant: String,
}

impl Which {
    async fn find(&self, engine: &Engine, selector: &str) -> Result<row::Definition, Problem> {
        Ok(self.found(engine, selector).await?)
    }

    async fn found(&self, engine: &Engine, selector: &str) -> Result<row::Definition, Error> {
        let selector: Selector = selector.parse().unwrap_or_else(|never| match never {});
        let kind = self.kind.map_or(row::DefinitionKind::Process, Into::into);
        engine.definition(kind, &self.tenant, &selector).await
    }
}

/// A definition
///
/// It is named by its key, which means its newest version, `key@version`, `key@tag`, or its id.
#[utoipa::path(get, path = "/definitions/{definition}", tag = "definitions", operation_id = "getDefinition",
    params(("definition" = String, Path, description = "Its key, `key@version`, `key@tag` or id"), Which),
    responses((status = 200, body = Definition, description = "The definition"), Problems))]
async fn get(
    caller: Caller,
    Path(definition): Path<String>,
    Query(which): Query<Which>,
) -> Result<Json<Definition>, Problem> {
    Ok(Json(Definition::from(&which.find(&caller.engine, &definition).await?)))
}

/// Removes a version of something deployed
///
/// Unless `withInstances` is given, only if no instances, running or ended, stand on it. What it was the newest version of is started by the
/// version before from then on.
#[utoipa::path(delete, path = "/definitions/{definition}", tag = "definitions", operation_id = "deleteDefinition",
    params(("definition" = String, Path, description = "`key@version`, `key@tag` or its id"), Which, Removal),
    responses((status = 204, description = "It is gone"), Problems))]
async fn delete(
    caller: Caller,
    Path(definition): Path<String>,
    Query(which): Query<Which>,
    Query(removal): Query<Removal>,
) -> Result<StatusCode, Problem> {
    // Whoever sends that once more, not knowing what became of it, would remove the version before, too.
    if !definition.contains('@') && definition.parse::<u64>().is_err() {
        let detail = "say which version is to be removed: `key@version`, `key@tag` or its id";
        return Err(Problem::malformed("version-unsaid", detail));
    }
    let delete = |engine: Engine| async move {
        let found = which.found(&engine, &definition).await?.key.into();
        match removal.with_instances {
            true => engine.delete_definition_with_instances(found, removal.reason).await,
            false => engine.delete_definition(found).await,
        }
    };
    caller.once(delete).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The newest versions of the processes that the caller may start
#[utoipa::path(get, path = "/startable", tag = "definitions", operation_id = "getStartable",
    responses((status = 200, body = Vec<Definition>, description = "The processes"), Problems))]
async fn startable(caller: Caller) -> Result<Json<Vec<Definition>>, Problem> {
    let startable = caller.engine.startable().await?;
    Ok(Json(startable.iter().map(Definition::from).collect()))
}

/// The file of a definition, as it was deployed, byte for byte
#[utoipa::path(get, path = "/definitions/{definition}/file", tag = "definitions", operation_id = "getDefinitionFile",
    params(("definition" = String, Path, description = "Its key, `key@version`, `key@tag` or id"), Which),
    responses((status = 200, body = Vec<u8>, content_type = "application/octet-stream", description = "Its bytes"), Problems))]
async fn file(caller: Caller, Path(definition): Path<String>, Query(which): Query<Which>) -> Result<Response, Problem> {
    let found = which.find(&caller.engine, &definition).await?;
    let bytes = caller.engine.resource(found.deployment.into(), &found.resource).await?;
    Ok(bytes_of(bytes.ok_or(potok::Error::UnknownDeployment(found.deployment.into()))?))
}

/// The form with which people start a process.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct StartForm {
    /// The key of a form that a user interface brings along.
    key: Option<String>,
    /// A form that was deployed or stands in the model, as form-js reads it.
    form: Option<serde_json::Value>,
    /// The fields that the model describes.
    fields: Vec<Field>,
}

/// A field of a form.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Field {
    /// The variable's name.
    id: String,
    label: Option<String>,
    /// `string`, `long`, `boolean`, `date`, `enum`, or another.
    #[serde(rename = "type")]
    kind: String,
    required: bool,
    /// The values of an enumeration.
    values: Vec<Choice>,
}

/// A value of an enumeration.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Choice {
    id: String,
    label: String,
}

/// The form with which people start a process
#[utoipa::path(get, path = "/definitions/{definition}/start-form", tag = "definitions", operation_id = "getStartForm",
    params(("definition" = String, Path, description = "Its key, `key@version`, `key@tag` or id"), Which),
    responses((status = 200, body = StartForm, description = "The form"), Problems))]
async fn start_form(
    caller: Caller,
    Path(definition): Path<String>,
    Query(which): Query<Which>,
) -> Result<Json<StartForm>, Problem> {
    let engine = &caller.engine;
    let found = which.find(engine, &definition).await?;
    let graph = engine.graph(found.key.into()).await?;
    let form = graph.as_ref().and_then(|graph| graph.start_form());
    let missing = || Problem::new(StatusCode::NOT_FOUND, "form-unknown", "nothing is filled in to start this process");
    let form = form.ok_or_else(missing)?;
    let literal = |expression: Option<&potok_core::graph::Expression>| match expression?.as_literal() {
        Some(potok::Value::String(text)) => Some(text.clone()),
        _ => None,
    };
    let mut json = form.embedded.as_ref().and_then(|text| serde_json::from_str(text).ok());
    // There is no instance yet: what needs its variables cannot be told.
    let deployment = graph.as_ref().map(|graph| graph.deployment()).unwrap_or_default();
    if let Ok(Some(selector)) =
        Selector::of_form(form, deployment, &potok_core::expressions::Given(&[]), engine.clock().now())
    {
        let deployed = engine.definition(row::DefinitionKind::Form, &found.tenant, &selector).await?;
        let bytes = engine.resource(deployed.deployment.into(), &deployed.resource).await?;
        json = bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    }
    let fields = form.fields.iter().map(|field| Field {
        id: field.variable.as_ref().unwrap_or(&field.id).to_string(),
        label: text(field.label.as_ref()),
        kind: field.kind.to_string(),
        required: field.required,
        values: field
            .values
            .iter()
            .map(|(id, label)| Choice { id: id.to_string(), label: label.to_string() })
            .collect(),
    });
    Ok(Json(StartForm { key: text(literal(form.key.as_ref()).as_ref()), form: json, fields: fields.collect() }))
}

/// Starts no more instances of a definition until it is resumed
#[utoipa::path(post, path = "/definitions/{definition}/suspend", tag = "definitions", operation_id = "suspendDefinition",
    params(("definition" = String, Path, description = "Its key, `key@version`, `key@tag` or id"), Which),
    responses((status = 204, description = "It is suspended"), Problems))]
async fn suspend(
    caller: Caller,
    Path(definition): Path<String>,
    Query(which): Query<Which>,
) -> Result<StatusCode, Problem> {
    let found = which.find(&caller.engine, &definition).await?;
    caller.once(|engine| async move { engine.suspend_definition(found.key.into()).await.map(|_| ()) }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Lets instances of a definition be started again
#[utoipa::path(post, path = "/definitions/{definition}/resume", tag = "definitions", operation_id = "resumeDefinition",
    params(("definition" = String, Path, description = "Its key, `key@version`, `key@tag` or id"), Which),
    responses((status = 204, description = "It can be started"), Problems))]
async fn resume(
    caller: Caller,
    Path(definition): Path<String>,
    Query(which): Query<Which>,
) -> Result<StatusCode, Problem> {
    let found = which.find(&caller.engine, &definition).await?;
    caller.once(|engine| async move { engine.resume_definition(found.key.into()).await.map(|_| ()) }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// For how long histories are kept.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct HistoryTimeToLive {
    /// Days from the end of an instance.
    #[schema(value_type = u64, maximum = 4_294_967_295_u64)]
    history_time_to_live: u32,
}

/// Says for how many days histories are kept, whatever the file says
///
/// Of instances of this version that end from now on.
#[utoipa::path(put, path = "/definitions/{definition}/history-time-to-live", tag = "definitions",
    operation_id = "setHistoryTimeToLive",
    params(("definition" = String, Path, description = "Its key, `key@version`, `key@tag` or id"), Which),
    responses((status = 204, description = "They are kept so long"), Problems))]
async fn keep_history(
    caller: Caller,
    Path(definition): Path<String>,
    Query(which): Query<Which>,
    Json(body): Json<HistoryTimeToLive>,
) -> Result<StatusCode, Problem> {
    keep(&caller, &which, &definition, Some(body.history_time_to_live)).await
}

/// Lets histories be kept for as long as the file says
///
/// Of instances of this version that end from now on.
#[utoipa::path(delete, path = "/definitions/{definition}/history-time-to-live", tag = "definitions",
    operation_id = "clearHistoryTimeToLive",
    params(("definition" = String, Path, description = "Its key, `key@version`, `key@tag` or id"), Which),
    responses((status = 204, description = "They are kept so long"), Problems))]
async fn keep_history_as_modelled(
    caller: Caller,
    Path(definition): Path<String>,
    Query(which): Query<Which>,
) -> Result<StatusCode, Problem> {
    keep(&caller, &which, &definition, None).await
}

async fn keep(caller: &Caller, which: &Which, definition: &str, days: Option<u32>) -> Result<StatusCode, Problem> {
    let found = which.find(&caller.engine, definition).await?;
    caller.once(|engine| async move { engine.keep_history(found.key.into(), days).await.map(|_| ()) }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What there is now on one flow node, in all instances of a definition.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct ElementStatistics {
    /// The id of the flow node.
    node: String,
    /// Tokens that stand on it.
    tokens: u64,
    /// Open tasks.
    tasks: u64,
    /// Jobs that are not done.
    jobs: u64,
    /// Timers that wait.
    timers: u64,
    /// Messages and signals that are waited for.
    subscriptions: u64,
    /// Open incidents.
    incidents: u64,
}

/// What stands on each flow node of a definition
#[utoipa::path(get, path = "/definitions/{definition}/statistics", tag = "definitions",
    operation_id = "getElementStatistics", params(("definition" = String, Path, description = "Its key, `key@version`, `key@tag` or id"), Which),
    responses((status = 200, body = Vec<ElementStatistics>, description = "Flow nodes with nothing on them are left out"),
        Problems))]
async fn statistics(
    caller: Caller,
    Path(definition): Path<String>,
    Query(which): Query<Which>,
) -> Result<Json<Vec<ElementStatistics>>, Problem> {
    let found = which.find(&caller.engine, &definition).await?;
    let nodes = caller.engine.statistics(found.key.into()).await?;
    let shown = nodes.into_iter().map(|node| ElementStatistics {
        node: node.node.to_string(),
        tokens: node.tokens,
        tasks: node.tasks,
        jobs: node.jobs,
        timers: node.timers,
        subscriptions: node.subscriptions,
        incidents: node.incidents,
    });
    Ok(Json(shown.collect()))
}

/// What runs of one definition.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct DefinitionStatistics {
    definition: Id,
    /// Running instances.
    instances: u64,
    /// Open incidents in them.
    incidents: u64,
}

/// What runs of each definition
#[utoipa::path(get, path = "/statistics", tag = "definitions", operation_id = "getStatistics",
    responses((status = 200, body = Vec<DefinitionStatistics>, description = "Those of which nothing runs are left out"),
        Problems))]
async fn all_statistics(caller: Caller) -> Result<Json<Vec<DefinitionStatistics>>, Problem> {
    let all = caller.engine.definition_statistics().await?;
    let shown = all.into_iter().map(|one| DefinitionStatistics {
        definition: one.definition.into(),
        instances: one.instances,
        incidents: one.incidents,
    });
    Ok(Json(shown.collect()))
}

/// What a decision is given.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Given {
    variables: Variables,
    tenant: String,
}

/// What a decision gave.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Decided {
    /// The value of its only output, an object of several, a list of either where several rules may match.
    result: serde_json::Value,
}

/// Asks a decision
#[utoipa::path(post, path = "/decisions/{decision}/evaluate", tag = "definitions", operation_id = "evaluateDecision",
    params(("decision" = String, Path, description = "Its key, `key@version`, `key@tag` or id")),
    responses((status = 200, body = Decided, description = "What it gave"), Problems))]
async fn decide(
    caller: Caller,
    Path(decision): Path<String>,
    Json(given): Json<Given>,
) -> Result<Json<Decided>, Problem> {
    let selector: Selector = decision.parse().unwrap_or_else(|never| match never {});
    let value = caller.engine.decide(&given.tenant, &selector, given.variables).await?;
    Ok(Json(Decided { result: value.to_json() }))
}
