//! `/incidents`: what is stuck.

use axum::http::StatusCode;
use jiff::Timestamp;
use potok::query::IncidentQuery;
use potok::row;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::body::{Json, Path};
use crate::caller::Caller;
use crate::problem::{Problem, Problems};
use crate::routes::{Routes, routes};
use crate::search::{self, ByAge, Found, Search, find, meant};
use crate::value::{Id, names, text};

pub(crate) fn routes() -> Routes {
    Routes::new().routes(routes!(search)).routes(routes!(resolve)).routes(routes!(annotate, clear_annotation))
}

/// Which incidents. All that is given must hold.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct IncidentFilter {
    /// Still open, or resolved.
    open: Option<bool>,
    #[serde(deserialize_with = "search::some")]
    #[schema(min_items = 1)]
    ids: Vec<Id>,
    #[serde(deserialize_with = "search::some")]
    #[schema(min_items = 1)]
    instances: Vec<Id>,
    /// Its key (the newest version), `key@version`, `key@tag` or id.
    definition: Option<String>,
    /// In one of these processes.
    #[serde(deserialize_with = "search::some")]
    #[schema(min_items = 1)]
    processes: Vec<String>,
    /// On one of these flow nodes.
    #[serde(deserialize_with = "search::some")]
    #[schema(min_items = 1)]
    nodes: Vec<String>,
    /// With one of these codes.
    #[serde(deserialize_with = "search::some")]
    #[schema(min_items = 1)]
    codes: Vec<String>,
    tenant: Option<String>,
}

/// Something that is, or was, stuck.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Incident {
    id: Id,
    instance: Id,
    definition: Id,
    process: String,
    /// The id of the flow node.
    node: String,
    /// The stable code of what went wrong.
    code: String,
    /// In words, with how to mend it.
    message: String,
    tenant: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    raised: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    resolved: Option<Timestamp>,
    /// What an operator has noted on it.
    annotation: Option<String>,
}

/// Searches incidents, open and resolved
#[utoipa::path(post, path = "/incidents/search", tag = "incidents", operation_id = "searchIncidents",
    responses((status = 200, body = Found<Incident>, description = "A page of them"), Problems))]
async fn search(
    caller: Caller,
    Json(search): Json<Search<IncidentFilter, ByAge>>,
) -> Result<Json<Found<Incident>>, Problem> {
    let search = search.without_variables()?;
    let page = search.paging()?;
    let filter = search.filter.unwrap_or_default();
    let query = IncidentQuery {
        open: filter.open,
        keys: filter.ids.into_iter().map(Id::key).collect(),
        instances: filter.instances.into_iter().map(Id::key).collect(),
        definition: meant(&caller.engine, filter.definition.as_deref(), filter.tenant.as_deref()).await?,
        processes: names(filter.processes),
        nodes: names(filter.nodes),
        codes: names(filter.codes),
        tenant: filter.tenant.map(Into::into),
        page,
        ..IncidentQuery::default()
    };
    let view = |row: row::Incident| Incident {
        id: row.key.into(),
        instance: row.instance.into(),
        definition: row.definition.into(),
        process: row.process.to_string(),
        node: row.node.to_string(),
        code: row.code.to_string(),
        message: row.message.to_string(),
        tenant: text(row.tenant.as_ref()),
        raised: row.raised,
        resolved: row.resolved,
        annotation: text(row.annotation.as_ref()),
    };
    Ok(Json(find(&caller.engine, &query, search.count_only, view).await?))
}

/// Tries again what is stuck
#[utoipa::path(post, path = "/incidents/{id}/resolve", tag = "incidents", operation_id = "resolveIncident",
    params(("id" = Id, Path, description = "Its id")),
    responses((status = 204, description = "It goes on, or is stuck under another id"), Problems))]
async fn resolve(caller: Caller, Path(id): Path<Id>) -> Result<StatusCode, Problem> {
    caller.once(|engine| async move { engine.resolve_incident(id.into()).await }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Something noted.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Annotation {
    /// At most 4,000 bytes.
    pub(crate) annotation: String,
}

/// Notes something on an open incident, in place of what was noted before
#[utoipa::path(put, path = "/incidents/{id}/annotation", tag = "incidents", operation_id = "annotateIncident",
    params(("id" = Id, Path, description = "Its id")),
    responses((status = 204, description = "It is noted"), Problems))]
async fn annotate(caller: Caller, Path(id): Path<Id>, Json(body): Json<Annotation>) -> Result<StatusCode, Problem> {
    let note = Some(body.annotation.into());
    caller.once(|engine| async move { engine.annotate_incident(id.into(), note).await }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Takes away what was noted on an open incident
#[utoipa::path(delete, path = "/incidents/{id}/annotation", tag = "incidents", operation_id = "clearIncidentAnnotation",
    params(("id" = Id, Path, description = "Its id")),
    responses((status = 204, description = "Nothing is noted"), Problems))]
async fn clear_annotation(caller: Caller, Path(id): Path<Id>) -> Result<StatusCode, Problem> {
    caller.once(|engine| async move { engine.annotate_incident(id.into(), None).await }).await?;
    Ok(StatusCode::NO_CONTENT)
}
