//! `/batches`: one thing done to many instances.

use axum::http::StatusCode;
use jiff::Timestamp;
use potok::query::{BatchQuery, Cursor, Paging};
use potok::{BatchId, Engine, Error, Operation, row};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::body::{Json, Path, Query};
use crate::caller::Caller;
use crate::instances::InstanceFilter;
use crate::operations::{Migration, Modification, Restart};
use crate::problem::{Problem, Problems};
use crate::routes::{Routes, routes};
use crate::search::{self, ByAge, Found, Search, find};
use crate::value::{Created, Id, Variables, text, words};

pub(crate) fn routes() -> Routes {
    Routes::new()
        .routes(routes!(begin))
        .routes(routes!(search))
        .routes(routes!(get, delete))
        .routes(routes!(failures))
        .routes(routes!(pause))
        .routes(routes!(resume))
        .routes(routes!(cancel))
}

words! {
    /// How far a batch is.
    BatchState for row::BatchState {
        /// At work.
        Running,
        /// Held back until it is resumed.
        Paused,
        /// Given up.
        Cancelled,
        /// Nothing is left to do.
        Completed,
    }
}

/// One thing to be done to many instances.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewBatch {
    operation: BatchOperation,
    /// On these.
    #[serde(default, deserialize_with = "search::some")]
    #[schema(min_items = 1)]
    instances: Vec<Id>,
    /// And on those that are found now: see `/instances/search`, which with `countOnly` says how many they are.
    #[serde(default)]
    filter: Option<InstanceFilter>,
}

/// What is done to each.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum BatchOperation {
    /// Ends it from outside.
    Cancel {
        /// Why.
        #[serde(default)]
        reason: Option<String>,
    },
    /// Lets nothing go on in it until it is resumed.
    Suspend {},
    /// Lets it go on.
    Resume {},
    /// Sets variables of the process.
    SetVariables {
        /// By name.
        variables: Variables,
    },
    /// Tries again what is stuck.
    RetryIncidents {},
    /// Removes it for good once it has ended.
    Delete {},
    /// Starts, moves and cancels tokens in it.
    Modify(Modification),
    /// Lets it go over to another definition.
    Migrate(Migration),
    /// Starts a new instance in its place once it has ended.
    Restart(Restart),
}

impl BatchOperation {
    async fn operation(self, engine: &Engine) -> Result<Operation, Error> {
        Ok(match self {
            Self::Cancel { reason } => Operation::Cancel { reason: reason.map(Into::into) },
            Self::Suspend {} => Operation::Suspend,
            Self::Resume {} => Operation::Resume,
            Self::SetVariables { variables } => {
                Operation::SetVariables(potok::IntoVariables::into_variables(variables)?)
            }
            Self::RetryIncidents {} => Operation::RetryIncidents,
            Self::Delete {} => Operation::Delete,
            Self::Modify(modification) => modification.add_to(potok::Modification::new()).operation()?,
            Self::Migrate(migration) => {
                let reason = migration.reason.clone().map(Into::into);
                migration.plan(engine, None).await?.operation(reason)
            }
            Self::Restart(restart) => restart.add_to(potok::Restart::new()).operation()?,
        })
    }
}

/// How far a batch is.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Batch {
    id: Id,
    state: BatchState,
    /// Who asked for it.
    author: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    created: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    ended: Option<Timestamp>,
    /// How far it has got, where only one is looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    progress: Option<Progress>,
}

/// What has become of a batch's instances.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub(crate) struct Progress {
    /// On which the work is not done yet.
    open: u64,
    /// On which it is done.
    done: u64,
    /// On which it could not be done: see `failures`.
    failed: u64,
}

impl From<&row::Batch> for Batch {
    fn from(row: &row::Batch) -> Self {
        Self {
            id: row.key.into(),
            state: row.state.into(),
            author: text(row.author.as_ref()),
            created: row.created,
            ended: row.ended,
            progress: None,
        }
    }
}

/// Does one thing to many instances
///
/// In the background, each instance by itself: those that refuse are listed with the reason and hold up none of the others.
#[utoipa::path(post, path = "/batches", tag = "batches", operation_id = "beginBatch",
    responses((status = 201, body = Created, description = "It has begun"), Problems))]
async fn begin(caller: Caller, Json(body): Json<NewBatch>) -> Result<Created, Problem> {
    if body.instances.is_empty() && body.filter.is_none() {
        return Err(Problem::malformed(
            "body-invalid",
            "`instances` or `filter`: say on which instances it is to be done",
        ));
    }
    let id: BatchId = caller
        .once(|engine| async move {
            let operation = body.operation.operation(&engine).await?;
            let batch = engine.batch(operation).instances(body.instances.into_iter().map(Id::into));
            match body.filter {
                Some(filter) => batch.matching(filter.query(&engine).await?),
                None => batch,
            }
            .send()
            .await
        })
        .await?;
    Ok(Created { id: id.into(), place: "batches" })
}

/// Which batches.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct BatchFilter {
    /// In one of these states.
    #[serde(deserialize_with = "search::some")]
    #[schema(min_items = 1)]
    states: Vec<BatchState>,
}

/// Searches batches
#[utoipa::path(post, path = "/batches/search", tag = "batches", operation_id = "searchBatches",
    responses((status = 200, body = Found<Batch>, description = "A page of them"), Problems))]
async fn search(caller: Caller, Json(search): Json<Search<BatchFilter, ByAge>>) -> Result<Json<Found<Batch>>, Problem> {
    let search = search.without_variables()?;
    let page = search.paging()?;
    let states = search.filter.unwrap_or_default().states.into_iter().map(Into::into).collect();
    let query = BatchQuery { states, page, ..BatchQuery::default() };
    Ok(Json(find(&caller.engine, &query, search.count_only, |row| Batch::from(&row)).await?))
}

/// How far a batch is
#[utoipa::path(get, path = "/batches/{id}", tag = "batches", operation_id = "getBatch",
    params(("id" = Id, Path, description = "Its id")),
    responses((status = 200, body = Batch, description = "The batch"), Problems))]
async fn get(caller: Caller, Path(id): Path<Id>) -> Result<Json<Batch>, Problem> {
    let batch = caller.engine.progress(id.into()).await?;
    let progress = Progress { open: batch.open, done: batch.done, failed: batch.failed };
    Ok(Json(Batch { progress: Some(progress), ..Batch::from(&*batch) }))
}

/// Which page.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct PageQuery {
    /// `next` of the page before.
    cursor: Option<String>,
}

/// An instance on which a batch could not do its work.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Failure {
    instance: Id,
    /// The stable code of what went wrong.
    code: Option<String>,
    /// In words.
    message: Option<String>,
}

/// The instances on which a batch could not do its work, with the reasons
#[utoipa::path(get, path = "/batches/{id}/failures", tag = "batches", operation_id = "getBatchFailures",
    params(("id" = Id, Path, description = "Its id"), PageQuery),
    responses((status = 200, body = Found<Failure>, description = "A page of them"), Problems))]
async fn failures(
    caller: Caller,
    Path(id): Path<Id>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Found<Failure>>, Problem> {
    caller.engine.progress(id.into()).await?;
    let after = page.cursor.map(|cursor| cursor.parse::<Cursor>()).transpose().map_err(Error::from)?;
    let page = Paging { limit: Some(1000), after, descending: false };
    let page = caller.engine.batch_failures(id.into(), page).await?;
    let failure = |item: row::BatchItem| Failure {
        instance: item.instance.into(),
        code: text(item.code.as_ref()),
        message: text(item.message.as_ref()),
    };
    Ok(Json(Found::page(page, failure)))
}

/// Holds a batch back until it is resumed
#[utoipa::path(post, path = "/batches/{id}/pause", tag = "batches", operation_id = "pauseBatch",
    params(("id" = Id, Path, description = "Its id")),
    responses((status = 204, description = "It is paused"), Problems))]
async fn pause(caller: Caller, Path(id): Path<Id>) -> Result<StatusCode, Problem> {
    caller.once(|engine| async move { engine.pause_batch(id.into()).await }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Lets a batch go on
#[utoipa::path(post, path = "/batches/{id}/resume", tag = "batches", operation_id = "resumeBatch",
    params(("id" = Id, Path, description = "Its id")),
    responses((status = 204, description = "It goes on"), Problems))]
async fn resume(caller: Caller, Path(id): Path<Id>) -> Result<StatusCode, Problem> {
    caller.once(|engine| async move { engine.resume_batch(id.into()).await }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Gives a batch up
///
/// What was done stays done.
#[utoipa::path(post, path = "/batches/{id}/cancel", tag = "batches", operation_id = "cancelBatch",
    params(("id" = Id, Path, description = "Its id")),
    responses((status = 204, description = "It is given up"), Problems))]
async fn cancel(caller: Caller, Path(id): Path<Id>) -> Result<StatusCode, Problem> {
    caller.once(|engine| async move { engine.cancel_batch(id.into()).await }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Forgets a batch that has ended
#[utoipa::path(delete, path = "/batches/{id}", tag = "batches", operation_id = "deleteBatch",
    params(("id" = Id, Path, description = "Its id")),
    responses((status = 204, description = "It is gone"), Problems))]
async fn delete(caller: Caller, Path(id): Path<Id>) -> Result<StatusCode, Problem> {
    caller.once(|engine| async move { engine.delete_batch(id.into()).await }).await?;
    Ok(StatusCode::NO_CONTENT)
}
