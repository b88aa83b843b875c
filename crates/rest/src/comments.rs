//! `/instances/{id}/comments` and `/tasks/{id}/comments`: what people write on instances and tasks.

use axum::http::StatusCode;
use jiff::Timestamp;
use potok::{Engine, Error, InstanceId, Subject, TaskId, row};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::body::{Json, Path};
use crate::caller::Caller;
use crate::problem::{Problem, Problems};
use crate::routes::{Routes, routes};
use crate::tag::{Expected, Tagged};
use crate::value::{Id, text};

pub(crate) fn routes() -> Routes {
    Routes::new()
        .routes(routes!(of_instance, on_instance))
        .routes(routes!(of_task, on_task))
        .routes(routes!(get_of_instance, change_of_instance, remove_of_instance))
        .routes(routes!(get_of_task, change_of_task, remove_of_task))
}

/// What somebody wrote.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Comment {
    id: Id,
    instance: Id,
    /// The task, if it is on one.
    task: Option<Id>,
    author: Option<String>,
    /// When it was written, or last changed.
    #[schema(value_type = String, format = DateTime)]
    written: Timestamp,
    text: String,
}

impl From<&row::Comment> for Comment {
    fn from(row: &row::Comment) -> Self {
        Self {
            id: row.key.into(),
            instance: row.instance.into(),
            task: row.task.map(Id::from),
            author: text(row.author.as_ref()),
            written: row.written,
            text: row.text.to_string(),
        }
    }
}

/// What is to be written.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewComment {
    /// At most 64 KiB.
    text: String,
}

async fn list(engine: &Engine, of: impl Into<Subject>) -> Result<Json<Vec<Comment>>, Problem> {
    Ok(Json(engine.comments(of).await?.iter().map(Comment::from).collect()))
}

async fn write(
    caller: &Caller,
    on: impl Into<Subject> + Send,
    body: NewComment,
) -> Result<(StatusCode, Json<Comment>), Problem> {
    let on: Subject = on.into();
    let written = caller.once(|engine| async move { engine.comment(on, body.text).await }).await?;
    Ok((StatusCode::CREATED, Json(Comment::from(&written))))
}

async fn find(engine: &Engine, of: Subject, comment: Id) -> Result<Option<row::Comment>, Error> {
    Ok(engine.comments(of).await?.into_iter().find(|found| found.key == comment.key()))
}

fn missing(comment: Id) -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "comment-unknown", format!("there is no comment {comment}"))
}

async fn get(caller: &Caller, of: impl Into<Subject> + Send, comment: Id) -> Result<Tagged<Comment>, Problem> {
    let found = find(&caller.engine, of.into(), comment).await?.ok_or_else(|| missing(comment))?;
    Ok(Tagged(Comment::from(&found)))
}

async fn change(
    caller: &Caller,
    of: impl Into<Subject> + Send,
    comment: Id,
    expected: Expected,
    body: NewComment,
) -> Result<StatusCode, Problem> {
    let of: Subject = of.into();
    let changed = caller.once(|engine| async move {
        let Some(found) = find(&engine, of, comment).await? else { return Ok(None) };
        if !expected.is(|| Some(Comment::from(&found))) {
            return Err(Error::CommentChanged(found.key));
        }
        engine.change_comment(&found, body.text).await
    });
    changed.await?.ok_or_else(|| missing(comment))?;
    Ok(StatusCode::NO_CONTENT)
}

async fn remove(
    caller: &Caller,
    of: impl Into<Subject> + Send,
    comment: Id,
    expected: Expected,
) -> Result<StatusCode, Problem> {
    let of: Subject = of.into();
    let found = find(&caller.engine, of, comment).await?;
    // One that is gone already is as it should be.
    if let Some(found) = found {
        let is_expected = move |now: &row::Comment| expected.is(|| Some(Comment::from(now)));
        caller.once(|engine| async move { engine.remove_comment_if(&found, is_expected).await }).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}

/// The comments on an instance and its tasks, the oldest first
#[utoipa::path(get, path = "/instances/{id}/comments", tag = "comments", operation_id = "getInstanceComments",
    params(("id" = Id, Path, description = "Its id")),
    responses((status = 200, body = Vec<Comment>, description = "The comments"), Problems))]
async fn of_instance(caller: Caller, Path(id): Path<Id>) -> Result<Json<Vec<Comment>>, Problem> {
    list(&caller.engine, InstanceId::from(id.key())).await
}

/// The comments on a task, the oldest first
#[utoipa::path(get, path = "/tasks/{id}/comments", tag = "comments", operation_id = "getTaskComments",
    params(("id" = Id, Path, description = "Its id")),
    responses((status = 200, body = Vec<Comment>, description = "The comments"), Problems))]
async fn of_task(caller: Caller, Path(id): Path<Id>) -> Result<Json<Vec<Comment>>, Problem> {
    list(&caller.engine, TaskId::from(id.key())).await
}

/// Writes a comment on an instance
#[utoipa::path(post, path = "/instances/{id}/comments", tag = "comments", operation_id = "commentOnInstance",
    params(("id" = Id, Path, description = "Its id")),
    responses((status = 201, body = Comment, description = "It is written"), Problems))]
async fn on_instance(
    caller: Caller,
    Path(id): Path<Id>,
    Json(body): Json<NewComment>,
) -> Result<(StatusCode, Json<Comment>), Problem> {
    write(&caller, InstanceId::from(id.key()), body).await
}

/// Writes a comment on a task
#[utoipa::path(post, path = "/tasks/{id}/comments", tag = "comments", operation_id = "commentOnTask",
    params(("id" = Id, Path, description = "Its id")),
    responses((status = 201, body = Comment, description = "It is written"), Problems))]
async fn on_task(
    caller: Caller,
    Path(id): Path<Id>,
    Json(body): Json<NewComment>,
) -> Result<(StatusCode, Json<Comment>), Problem> {
    write(&caller, TaskId::from(id.key()), body).await
}

/// A comment on an instance
///
/// Its `ETag` stands for what it says.
#[utoipa::path(get, path = "/instances/{id}/comments/{comment}", tag = "comments", operation_id = "getInstanceComment",
    params(("id" = Id, Path), ("comment" = Id, Path)),
    responses((status = 200, body = Comment, description = "The comment", headers(("etag" = String))), Problems))]
async fn get_of_instance(caller: Caller, Path((id, comment)): Path<(Id, Id)>) -> Result<Tagged<Comment>, Problem> {
    get(&caller, InstanceId::from(id.key()), comment).await
}

/// A comment on a task
///
/// Its `ETag` stands for what it says.
#[utoipa::path(get, path = "/tasks/{id}/comments/{comment}", tag = "comments", operation_id = "getTaskComment",
    params(("id" = Id, Path), ("comment" = Id, Path)),
    responses((status = 200, body = Comment, description = "The comment", headers(("etag" = String))), Problems))]
async fn get_of_task(caller: Caller, Path((id, comment)): Path<(Id, Id)>) -> Result<Tagged<Comment>, Problem> {
    get(&caller, TaskId::from(id.key()), comment).await
}

/// Puts other words into a comment on an instance
///
/// Whoever has written it may, and operators. With `If-Match`, only if it is as its caller has seen it.
#[utoipa::path(put, path = "/instances/{id}/comments/{comment}", tag = "comments", operation_id = "putInstanceComment",
    params(("id" = Id, Path), ("comment" = Id, Path), Expected),
    responses((status = 204, description = "It is changed"), Problems))]
async fn change_of_instance(
    caller: Caller,
    Path((id, comment)): Path<(Id, Id)>,
    expected: Expected,
    Json(body): Json<NewComment>,
) -> Result<StatusCode, Problem> {
    change(&caller, InstanceId::from(id.key()), comment, expected, body).await
}

/// Puts other words into a comment on a task
///
/// Whoever has written it may, and operators. With `If-Match`, only if it is as its caller has seen it.
#[utoipa::path(put, path = "/tasks/{id}/comments/{comment}", tag = "comments", operation_id = "putTaskComment",
    params(("id" = Id, Path), ("comment" = Id, Path), Expected),
    responses((status = 204, description = "It is changed"), Problems))]
async fn change_of_task(
    caller: Caller,
    Path((id, comment)): Path<(Id, Id)>,
    expected: Expected,
    Json(body): Json<NewComment>,
) -> Result<StatusCode, Problem> {
    change(&caller, TaskId::from(id.key()), comment, expected, body).await
}

/// Removes a comment on an instance, if it is still there
///
/// Whoever has written it may, and operators. With `If-Match`, only if it is as its caller has seen it.
#[utoipa::path(delete, path = "/instances/{id}/comments/{comment}", tag = "comments", operation_id = "deleteInstanceComment",
    params(("id" = Id, Path), ("comment" = Id, Path), Expected),
    responses((status = 204, description = "It is gone"), Problems))]
async fn remove_of_instance(
    caller: Caller,
    Path((id, comment)): Path<(Id, Id)>,
    expected: Expected,
) -> Result<StatusCode, Problem> {
    remove(&caller, InstanceId::from(id.key()), comment, expected).await
}

/// Removes a comment on a task, if it is still there
///
/// Whoever has written it may, and operators. With `If-Match`, only if it is as its caller has seen it.
#[utoipa::path(delete, path = "/tasks/{id}/comments/{comment}", tag = "comments", operation_id = "deleteTaskComment",
    params(("id" = Id, Path), ("comment" = Id, Path), Expected),
    responses((status = 204, description = "It is gone"), Problems))]
async fn remove_of_task(
    caller: Caller,
    Path((id, comment)): Path<(Id, Id)>,
    expected: Expected,
) -> Result<StatusCode, Problem> {
    remove(&caller, TaskId::from(id.key()), comment, expected).await
}
