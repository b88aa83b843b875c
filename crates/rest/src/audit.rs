//! `/audit`: what was refused, and what was done to others or to the whole.

use axum::http::StatusCode;
use jiff::Timestamp;
use potok::query::AuditQuery;
use potok::{Name, row};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::body::{Json, Path};
use crate::caller::Caller;
use crate::incidents::Annotation;
use crate::problem::{Problem, Problems};
use crate::routes::{Routes, routes};
use crate::search::{self, ByAge, Found, Search, find};
use crate::value::{Id, names, text};

pub(crate) fn routes() -> Routes {
    Routes::new().routes(routes!(search)).routes(routes!(annotate, clear_annotation))
}

/// Which records. All that is given must hold.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct AuditFilter {
    /// Asked for by one of these users.
    #[serde(deserialize_with = "search::some")]
    #[schema(min_items = 1)]
    users: Vec<String>,
    /// One of these actions, such as `sign in`.
    #[serde(deserialize_with = "search::some")]
    #[schema(min_items = 1)]
    actions: Vec<String>,
    /// Asked of one of these.
    #[serde(deserialize_with = "search::some")]
    #[schema(min_items = 1)]
    subjects: Vec<String>,
    /// Allowed, or refused.
    allowed: Option<bool>,
    #[schema(value_type = Option<String>, format = DateTime)]
    from: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    before: Option<Timestamp>,
}

/// Something that was refused or done.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Record {
    id: Id,
    #[schema(value_type = String, format = DateTime)]
    time: Timestamp,
    /// Who asked for it; nobody if the server itself.
    user: Option<String>,
    /// The name of the token that they asked with.
    token: Option<String>,
    /// What was asked for.
    action: String,
    /// What it was asked of.
    subject: Option<String>,
    /// The tenant that it was asked for within.
    tenant: Option<String>,
    /// Whether it was allowed.
    allowed: bool,
    /// More, in words.
    detail: Option<String>,
    /// What somebody has noted on it.
    annotation: Option<String>,
}

impl From<row::Audit> for Record {
    fn from(row: row::Audit) -> Self {
        Self {
            id: row.key.into(),
            time: row.time,
            user: text(row.author.as_ref()),
            token: text(row.token.as_ref()),
            action: row.action.to_string(),
            subject: text(row.subject.as_ref()),
            tenant: text(row.tenant.as_ref()),
            allowed: row.allowed,
            detail: text(row.detail.as_ref()),
            annotation: text(row.annotation.as_ref()),
        }
    }
}

/// Searches what was refused and what was done to others or to the whole
#[utoipa::path(post, path = "/audit/search", tag = "people", operation_id = "searchAudit",
    responses((status = 200, body = Found<Record>, description = "A page of records"), Problems))]
async fn search(
    caller: Caller,
    Json(search): Json<Search<AuditFilter, ByAge>>,
) -> Result<Json<Found<Record>>, Problem> {
    let search = search.without_variables()?;
    let page = search.paging()?;
    let filter = search.filter.unwrap_or_default();
    let query = AuditQuery {
        authors: names(filter.users),
        actions: names(filter.actions),
        subjects: names(filter.subjects),
        allowed: filter.allowed,
        from: filter.from,
        before: filter.before,
        page,
        ..AuditQuery::default()
    };
    Ok(Json(find(&caller.engine, &query, search.count_only, Record::from).await?))
}

async fn note(caller: &Caller, id: Id, annotation: Option<Name>) -> Result<StatusCode, Problem> {
    match caller.once(|engine| async move { engine.annotate_audit(id.key(), annotation).await }).await? {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(Problem::new(StatusCode::NOT_FOUND, "record-unknown", format!("there is no record {id}"))),
    }
}

/// Notes something on a record, in place of what was noted before
///
/// The record itself stays as it is.
#[utoipa::path(put, path = "/audit/{id}/annotation", tag = "people", operation_id = "annotateAudit",
    params(("id" = Id, Path, description = "Its id")),
    responses((status = 204, description = "It is noted"), Problems))]
async fn annotate(caller: Caller, Path(id): Path<Id>, Json(body): Json<Annotation>) -> Result<StatusCode, Problem> {
    note(&caller, id, Some(body.annotation.into())).await
}

/// Takes away what was noted on a record
#[utoipa::path(delete, path = "/audit/{id}/annotation", tag = "people", operation_id = "clearAuditAnnotation",
    params(("id" = Id, Path, description = "Its id")),
    responses((status = 204, description = "Nothing is noted"), Problems))]
async fn clear_annotation(caller: Caller, Path(id): Path<Id>) -> Result<StatusCode, Problem> {
    note(&caller, id, None).await
}
