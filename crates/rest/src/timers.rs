//! `/timers/{id}`: timers and savepoints, which go on by themselves when they are due, seen to by hand.

use axum::http::StatusCode;
use jiff::Timestamp;
use potok::{DueQuery, Error};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::body::{Json, Path};
use crate::caller::Caller;
use crate::problem::{Problem, Problems};
use crate::routes::{Routes, routes};
use crate::value::{Id, text};

pub(crate) fn routes() -> Routes {
    Routes::new()
        .routes(routes!(due))
        .routes(routes!(reschedule))
        .routes(routes!(recalculate))
        .routes(routes!(set_retries))
        .routes(routes!(set_priority))
        .routes(routes!(suspend))
        .routes(routes!(resume))
        .routes(routes!(execute))
}

/// What an instance waits for before it goes on by itself.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum DueKind {
    /// A point in time.
    Timer,
    /// A savepoint before an activity.
    SavepointBefore,
    /// A savepoint after an activity.
    SavepointAfter,
}

/// A timer or savepoint of an instance.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Due {
    id: Id,
    kind: DueKind,
    /// The id of the flow node.
    node: String,
    /// When it is due; null if at once.
    #[schema(value_type = Option<String>, format = DateTime)]
    due: Option<Timestamp>,
    /// Tries left. Without any it is done only by hand.
    retries: i64,
    /// What went wrong at the last try.
    error: Option<String>,
    /// How urgent the model says it is.
    priority: i64,
    /// Held back, by itself or with its instance.
    suspended: bool,
}

/// The timers and savepoints of an instance, the oldest first
#[utoipa::path(get, path = "/instances/{id}/due", tag = "instances", operation_id = "getDue",
    params(("id" = Id, Path, description = "Its id")),
    responses((status = 200, body = Vec<Due>, description = "What it goes on with by itself"), Problems))]
async fn due(caller: Caller, Path(id): Path<Id>) -> Result<Json<Vec<Due>>, Problem> {
    caller.engine.instance(id.into()).get().await?;
    let query = DueQuery { instances: vec![id.key()], ..DueQuery::default() };
    let due = caller.engine.due(&query).await?.into_iter().filter_map(|due| {
        let kind = match due.kind {
            potok::DueKind::Timer => DueKind::Timer,
            potok::DueKind::Savepoint { after: false } => DueKind::SavepointBefore,
            potok::DueKind::Savepoint { after: true } => DueKind::SavepointAfter,
            potok::DueKind::StartTimer => return None,
        };
        Some(Due {
            id: due.key.into(),
            kind,
            node: due.node.to_string(),
            due: due.due,
            retries: due.retries,
            error: due.failure.and_then(|failure| text(Some(&failure.message))),
            priority: due.priority,
            suspended: due.suspended,
        })
    });
    Ok(Json(due.collect()))
}

/// A point in time.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rescheduling {
    /// When it is due.
    #[schema(value_type = String, format = DateTime)]
    due: Timestamp,
}

/// Lets a timer or savepoint be due at another time
///
/// A timer that repeats is due after that as it would have been.
#[utoipa::path(post, path = "/timers/{id}/reschedule", tag = "instances", operation_id = "rescheduleTimer",
    params(("id" = Id, Path, description = "Its id")),
    responses((status = 204, description = "It is due then"), Problems))]
async fn reschedule(caller: Caller, Path(id): Path<Id>, Json(body): Json<Rescheduling>) -> Result<StatusCode, Problem> {
    caller.once(|engine| async move { engine.reschedule(id.into(), body.due).await }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// From when on a timer is counted.
#[derive(Clone, Copy, Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Recalculation {
    /// That moment; the one in which it began to be waited for unless this is given.
    #[schema(value_type = Option<String>, format = DateTime)]
    from: Option<Timestamp>,
}

/// Lets a timer be due when its event says by the data as they are now
#[utoipa::path(post, path = "/timers/{id}/recalculate", tag = "instances", operation_id = "recalculateTimer",
    params(("id" = Id, Path, description = "Its id")),
    responses((status = 204, description = "It is due then"), Problems))]
async fn recalculate(
    caller: Caller,
    Path(id): Path<Id>,
    Json(body): Json<Recalculation>,
) -> Result<StatusCode, Problem> {
    caller.once(|engine| async move { engine.recalculate(id.into(), body.from).await }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Tries left.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Retries {
    /// None left is an incident, and some resolve that.
    pub(crate) retries: u32,
}

/// Says how many tries a timer or savepoint has left
#[utoipa::path(post, path = "/timers/{id}/retries", tag = "instances", operation_id = "setTimerRetries",
    params(("id" = Id, Path, description = "Its id")),
    responses((status = 204, description = "It has them"), Problems))]
async fn set_retries(caller: Caller, Path(id): Path<Id>, Json(body): Json<Retries>) -> Result<StatusCode, Problem> {
    let set = caller.once(|engine| async move {
        let found = engine.due(&DueQuery { keys: vec![id.key()], ..DueQuery::default() }).await?.pop();
        let instance = found.and_then(|due| due.instance).ok_or(Error::UnknownTimer(id.into()))?;
        engine.set_retries(instance, id.into(), body.retries).await
    });
    set.await?;
    Ok(StatusCode::NO_CONTENT)
}

/// How urgent something is.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Priority {
    /// The higher, the sooner.
    pub(crate) priority: i64,
}

/// Makes a timer or savepoint more urgent, or less
///
/// It is shown; what is due is done in its turn.
#[utoipa::path(post, path = "/timers/{id}/priority", tag = "instances", operation_id = "setTimerPriority",
    params(("id" = Id, Path, description = "Its id")),
    responses((status = 204, description = "It is"), Problems))]
async fn set_priority(caller: Caller, Path(id): Path<Id>, Json(body): Json<Priority>) -> Result<StatusCode, Problem> {
    caller.once(|engine| async move { engine.set_timer_priority(id.into(), body.priority).await }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Holds a timer or savepoint back
#[utoipa::path(post, path = "/timers/{id}/suspend", tag = "instances", operation_id = "suspendTimer",
    params(("id" = Id, Path, description = "Its id")),
    responses((status = 204, description = "It is held back until it, or its instance, is resumed"), Problems))]
async fn suspend(caller: Caller, Path(id): Path<Id>) -> Result<StatusCode, Problem> {
    caller.once(|engine| async move { engine.suspend_timer(id.into(), true).await }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Lets a timer or savepoint go on
#[utoipa::path(post, path = "/timers/{id}/resume", tag = "instances", operation_id = "resumeTimer",
    params(("id" = Id, Path, description = "Its id")),
    responses((status = 204, description = "It goes on"), Problems))]
async fn resume(caller: Caller, Path(id): Path<Id>) -> Result<StatusCode, Problem> {
    caller.once(|engine| async move { engine.suspend_timer(id.into(), false).await }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Does now what a timer or savepoint waits for
///
/// Whether it is due or not, and also if its instance is suspended, or it has no tries left.
#[utoipa::path(post, path = "/timers/{id}/execute", tag = "instances", operation_id = "executeTimer",
    params(("id" = Id, Path, description = "Its id")),
    responses((status = 204, description = "Its instance has gone on as far as it can"), Problems))]
async fn execute(caller: Caller, Path(id): Path<Id>) -> Result<StatusCode, Problem> {
    let executed = caller.once(|engine| async move {
        let found = engine.due(&DueQuery { keys: vec![id.key()], ..DueQuery::default() }).await?.pop();
        engine.execute(&found.ok_or(Error::UnknownTimer(id.into()))?).await
    });
    executed.await?;
    Ok(StatusCode::NO_CONTENT)
}
