//! `/searches`: searches for tasks that people keep, to ask them again.

use axum::http::StatusCode;
use potok::{Engine, Error, row};
use serde::{Deserialize, Deserializer, Serialize, de};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::body::{Json, Path};
use crate::caller::Caller;
use crate::problem::{Problem, Problems};
use crate::routes::{Routes, routes};
use crate::search::{Found, Search};
use crate::tag::{Expected, Tagged};
use crate::tasks::{self, Task, TaskFilter, TaskSort};
use crate::value::{Created, Id, text};

pub(crate) fn routes() -> Routes {
    Routes::new().routes(routes!(list, create)).routes(routes!(get, put, delete)).routes(routes!(ask))
}

/// What is searched for. Searches of another name are others': Camunda's filters have words of their own.
const TASKS: &str = "tasks";

/// What is asked, as `POST /tasks/search` takes it. It is kept as it was given.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
#[serde(transparent)]
#[schema(value_type = Search<TaskFilter, TaskSort>)]
pub(crate) struct Query(Map<String, Value>);

impl<'de> Deserialize<'de> for Query {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let query = Self(Map::deserialize(deserializer)?);
        query.read().map_err(de::Error::custom)?;
        Ok(query)
    }
}

impl Query {
    fn read(&self) -> Result<Search<TaskFilter, TaskSort>, String> {
        serde_path_to_error::deserialize(Value::Object(self.0.clone())).map_err(|error| {
            match error.path().to_string() {
                path if path == "." => error.inner().to_string(),
                path => format!("`{path}`: {}", error.inner()),
            }
        })
    }

    /// This query with what another says beside it or in its place.
    fn with(mut self, other: Self) -> Self {
        for (name, value) in other.0 {
            match (self.0.get_mut(&name), value) {
                (Some(Value::Object(filter)), Value::Object(more)) if name == "filter" => filter.extend(more),
                (_, value) => {
                    self.0.insert(name, value);
                }
            }
        }
        self
    }
}

/// A search for tasks that is kept.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct SavedSearch {
    id: Id,
    name: String,
    /// The user whose it is; everybody's if it is nobody's.
    owner: Option<String>,
    tenant: Option<String>,
    query: Query,
    /// How it is shown: whatever its users' program makes of it.
    properties: Map<String, Value>,
}

impl From<&row::SavedSearch> for SavedSearch {
    fn from(row: &row::SavedSearch) -> Self {
        let object = |text: &str| serde_json::from_str(text).unwrap_or_default();
        Self {
            id: row.key.into(),
            name: row.name.to_string(),
            owner: text(row.owner.as_ref()),
            tenant: text(row.tenant.as_ref()),
            query: Query(object(&row.query)),
            properties: object(&row.properties),
        }
    }
}

/// A search for tasks that is to be kept.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SearchData {
    #[schema(min_length = 1)]
    name: String,
    /// The user whose it is; everybody's if it is nobody's. Whoever may not give tasks to others keeps only their own.
    #[serde(default)]
    owner: Option<String>,
    query: Query,
    /// How it is shown: whatever its users' program makes of it.
    #[serde(default)]
    properties: Map<String, Value>,
}

impl SearchData {
    fn row(self, id: Id) -> Result<row::SavedSearch, Problem> {
        if self.name.trim().is_empty() {
            return Err(Problem::malformed("body-invalid", "`name`: a search has a name"));
        }
        if self.query.0.contains_key("cursor") {
            return Err(Problem::malformed("body-invalid", "`query.cursor`: name the page when the search is asked"));
        }
        if let Ok(query) = self.query.read() {
            query.paging()?;
        }
        Ok(row::SavedSearch {
            key: id.key(),
            resource: TASKS.into(),
            name: self.name.into(),
            owner: self.owner.map(Into::into),
            query: Value::Object(self.query.0).to_string().into(),
            properties: Value::Object(self.properties).to_string().into(),
            ..row::SavedSearch::default()
        })
    }
}

/// A search that is kept here, for whoever may see it.
async fn kept(engine: &Engine, id: Id) -> Result<row::SavedSearch, Error> {
    let found = engine.saved_search(id.key()).await?;
    if &*found.resource == TASKS { Ok(found) } else { Err(Error::UnknownSearch(id.key())) }
}

/// The searches for tasks that the caller keeps, and those that everybody sees
///
/// Whoever may give tasks to others sees all of them.
#[utoipa::path(get, path = "/searches", tag = "tasks", operation_id = "getSavedSearches",
    responses((status = 200, body = Vec<SavedSearch>, description = "The searches, the oldest first"), Problems))]
async fn list(caller: Caller) -> Result<Json<Vec<SavedSearch>>, Problem> {
    let searches = caller.engine.saved_searches().await?;
    Ok(Json(searches.iter().filter(|row| &*row.resource == TASKS).map(SavedSearch::from).collect()))
}

/// Keeps a search for tasks
#[utoipa::path(post, path = "/searches", tag = "tasks", operation_id = "createSavedSearch",
    responses((status = 201, body = Created, description = "It is kept"), Problems))]
async fn create(caller: Caller, Json(data): Json<SearchData>) -> Result<Created, Problem> {
    let row = data.row(Id(0))?;
    let kept = caller.once(|engine| async move { engine.save_search(row).await }).await?;
    Ok(Created { id: kept.key.into(), place: "searches" })
}

/// A search that is kept
///
/// Its `ETag` stands for what can be changed of it.
#[utoipa::path(get, path = "/searches/{id}", tag = "tasks", operation_id = "getSavedSearch",
    params(("id" = Id, Path, description = "Its id")),
    responses((status = 200, body = SavedSearch, description = "The search", headers(("etag" = String))), Problems))]
async fn get(caller: Caller, Path(id): Path<Id>) -> Result<Tagged<SavedSearch>, Problem> {
    Ok(Tagged(SavedSearch::from(&kept(&caller.engine, id).await?)))
}

/// Puts another search in the place of one that is kept
///
/// With `If-Match`, only if it is as its caller has seen it.
#[utoipa::path(put, path = "/searches/{id}", tag = "tasks", operation_id = "putSavedSearch",
    params(("id" = Id, Path, description = "Its id"), Expected),
    responses((status = 204, description = "It is changed"), Problems))]
async fn put(
    caller: Caller,
    Path(id): Path<Id>,
    expected: Expected,
    Json(data): Json<SearchData>,
) -> Result<StatusCode, Problem> {
    let row = data.row(id)?;
    let is_expected = |now: &row::SavedSearch| expected.is(|| Some(SavedSearch::from(now)));
    let change = |engine: Engine| async move {
        kept(&engine, id).await?;
        engine.save_search_if(row, is_expected).await
    };
    caller.once(change).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Keeps a search no longer
///
/// With `If-Match`, only if it is as its caller has seen it.
#[utoipa::path(delete, path = "/searches/{id}", tag = "tasks", operation_id = "deleteSavedSearch",
    params(("id" = Id, Path, description = "Its id"), Expected),
    responses((status = 204, description = "It is gone"), Problems))]
async fn delete(caller: Caller, Path(id): Path<Id>, expected: Expected) -> Result<StatusCode, Problem> {
    let is_expected = |now: &row::SavedSearch| expected.is(|| Some(SavedSearch::from(now)));
    let forget = |engine: Engine| async move {
        kept(&engine, id).await?;
        engine.forget_search_if(id.key(), is_expected).await
    };
    caller.once(forget).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Asks a search that is kept
///
/// It finds what whoever asks may see. What the body says, of its filter each member, stands in the place of what is kept, or beside it: a
/// page, or what else must hold.
#[utoipa::path(post, path = "/searches/{id}/tasks", tag = "tasks", operation_id = "askSavedSearch",
    params(("id" = Id, Path, description = "Its id")), request_body = Query,
    responses((status = 200, body = Found<Task>, description = "A page of tasks"), Problems))]
async fn ask(caller: Caller, Path(id): Path<Id>, Json(more): Json<Query>) -> Result<Json<Found<Task>>, Problem> {
    let row = kept(&caller.engine, id).await?;
    let unreadable = |why: String| {
        let detail = format!("what is kept as search {id} cannot be asked: {why}; keep it anew");
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "search-unreadable", detail)
    };
    let query: Query = serde_json::from_str(&row.query).map_err(|error| unreadable(error.to_string()))?;
    tasks::found(&caller.engine, query.with(more).read().map_err(unreadable)?).await.map(Json)
}
