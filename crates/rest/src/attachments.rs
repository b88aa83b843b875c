//! `/instances/{id}/attachments` and `/tasks/{id}/attachments`: files on instances and tasks, which come and go bit by bit, and links to what is
//! kept elsewhere.

use std::sync::atomic::{AtomicBool, Ordering};

use axum::body::{Body, Bytes};
use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use potok::{Engine, InstanceId, Subject, TaskId, row};
use serde::{Deserialize, Serialize};
use tokio_stream::StreamExt;
use utoipa::{IntoParams, ToSchema};

use crate::body::{Json, Path, Query, media_type};
use crate::caller::Caller;
use crate::pieces;
use crate::problem::{Problem, Problems};
use crate::routes::{Routes, routes};
use crate::value::{Id, text};

pub(crate) fn routes() -> Routes {
    Routes::new()
        .routes(routes!(of_instance, to_instance))
        .routes(routes!(of_task, to_task))
        .routes(routes!(read_of_instance, remove_of_instance))
        .routes(routes!(read_of_task, remove_of_task))
        // The engine counts what comes, and no file is ever in memory whole.
        .body_limit(DefaultBodyLimit::disable())
        .routes(routes!(link_to_instance))
        .routes(routes!(link_to_task))
}

/// A file on an instance or task, or a link.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Attachment {
    id: Id,
    instance: Id,
    /// The task, if it is on one.
    task: Option<Id>,
    author: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    attached: Timestamp,
    name: String,
    /// What it is, in words.
    description: Option<String>,
    /// Where it is, if it is kept elsewhere: then it has no bytes here.
    url: Option<String>,
    media_type: Option<String>,
    /// Bytes.
    size: u64,
    /// The SHA-256 of its bytes, in hexadecimal digits; of a link none.
    sha256: Option<String>,
}

impl From<&row::Attachment> for Attachment {
    fn from(row: &row::Attachment) -> Self {
        Self {
            id: row.key.into(),
            instance: row.instance.into(),
            task: row.task.map(Id::from),
            author: text(row.author.as_ref()),
            attached: row.attached,
            name: row.name.to_string(),
            description: text(row.description.as_ref()),
            url: text(row.url.as_ref()),
            media_type: text(row.media_type.as_ref()),
            size: row.size,
            sha256: row.url.is_none().then(|| crate::once::hex(&row.content)),
        }
    }
}

/// How a file is called.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Named {
    /// The file's name.
    name: String,
}

/// What is kept elsewhere.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct NewLink {
    /// How it is called.
    #[schema(min_length = 1)]
    name: String,
    /// Where it is, by `http` or `https`.
    #[schema(format = "uri", pattern = "^[Hh][Tt][Tt][Pp][Ss]?://")]
    url: String,
    /// What it is, in words.
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    media_type: Option<String>,
}

async fn list(engine: &Engine, of: impl Into<Subject>) -> Result<Json<Vec<Attachment>>, Problem> {
    Ok(Json(engine.attachments(of).await?.iter().map(Attachment::from).collect()))
}

async fn attach(
    caller: &Caller,
    to: impl Into<Subject> + Send,
    name: String,
    headers: &HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<Attachment>), Problem> {
    let to: Subject = to.into();
    let kind = Some(media_type(headers).to_owned()).filter(|kind| !kind.is_empty());
    // What breaks off on the way is the caller's, and none of the engine's errors.
    let broken = &AtomicBool::new(false);
    let attached = caller.once(|engine| async move {
        let mut attaching = engine.attach(to, name).await?;
        if let Some(kind) = kind {
            attaching = attaching.media_type(kind);
        }
        let mut pieces = body.into_data_stream();
        while let Some(piece) = pieces.next().await {
            let Ok(piece) = piece else {
                broken.store(true, Ordering::Relaxed);
                attaching.discard().await?;
                return Err(potok::Error::NothingToDo);
            };
            attaching.write(&piece).await?;
        }
        Ok(Attachment::from(&attaching.finish().await?))
    });
    let attached = attached.await;
    if broken.load(Ordering::Relaxed) {
        return Err(Problem::malformed("body-incomplete", "the body did not arrive whole"));
    }
    Ok((StatusCode::CREATED, Json(attached?)))
}

async fn link(
    caller: &Caller,
    to: impl Into<Subject> + Send,
    body: NewLink,
) -> Result<(StatusCode, Json<Attachment>), Problem> {
    let to: Subject = to.into();
    if body.name.is_empty() {
        return Err(Problem::malformed("body-invalid", "`name`: a link has a name"));
    }
    // Pages make links of it: nothing is to run when somebody follows one.
    let scheme = body.url.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase());
    if !matches!(scheme.as_deref(), Some("http" | "https")) {
        let detail = "`url`: a link leads to what is kept elsewhere, by `http://` or `https://`";
        return Err(Problem::malformed("body-invalid", detail));
    }
    let attached = caller.once(|engine| async move {
        let (description, media_type) = (body.description.map(Into::into), body.media_type.map(Into::into));
        Ok(Attachment::from(&engine.attach_link(to, body.name, body.url, description, media_type).await?))
    });
    Ok((StatusCode::CREATED, Json(attached.await?)))
}

async fn find(engine: &Engine, of: impl Into<Subject>, id: Id) -> Result<Option<row::Attachment>, Problem> {
    Ok(engine.attachments(of).await?.into_iter().find(|found| found.key == id.key()))
}

async fn read(engine: Engine, of: impl Into<Subject>, id: Id) -> Result<Response, Problem> {
    let missing = || Problem::new(StatusCode::NOT_FOUND, "attachment-unknown", format!("there is no attachment {id}"));
    let attachment = find(&engine, of, id).await?.ok_or_else(missing)?;
    if let Some(url) = &attachment.url {
        let detail = format!("attachment {id} has no bytes here: it is kept elsewhere, at {url}");
        return Err(Problem::new(StatusCode::NOT_FOUND, "attachment-elsewhere", detail));
    }
    let size = attachment.size;
    let body = pieces::body(|sender| async move {
        let mut reading = engine.read_attachment(&attachment);
        while let Some(chunk) = reading.chunk().await? {
            if sender.send(Bytes::copy_from_slice(&chunk)).await.is_err() {
                break;
            }
        }
        Ok(())
    });
    let body = body.await?;
    let headers = [
        // Never as what it says it is: it would be a page of this server's.
        (header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream")),
        (header::CONTENT_DISPOSITION, HeaderValue::from_static("attachment")),
        (header::CONTENT_LENGTH, HeaderValue::from(size)),
    ];
    Ok((headers, body).into_response())
}

async fn remove(caller: &Caller, of: impl Into<Subject> + Send, id: Id) -> Result<StatusCode, Problem> {
    // One that is gone already is as it should be.
    if let Some(found) = find(&caller.engine, of, id).await? {
        caller.once(|engine| async move { engine.remove_attachment(&found).await }).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}

/// The attachments of an instance and its tasks, the oldest first
#[utoipa::path(get, path = "/instances/{id}/attachments", tag = "attachments", operation_id = "getInstanceAttachments",
    params(("id" = Id, Path, description = "Its id")),
    responses((status = 200, body = Vec<Attachment>, description = "The attachments"), Problems))]
async fn of_instance(caller: Caller, Path(id): Path<Id>) -> Result<Json<Vec<Attachment>>, Problem> {
    list(&caller.engine, InstanceId::from(id.key())).await
}

/// The attachments of a task, the oldest first
#[utoipa::path(get, path = "/tasks/{id}/attachments", tag = "attachments", operation_id = "getTaskAttachments",
    params(("id" = Id, Path, description = "Its id")),
    responses((status = 200, body = Vec<Attachment>, description = "The attachments"), Problems))]
async fn of_task(caller: Caller, Path(id): Path<Id>) -> Result<Json<Vec<Attachment>>, Problem> {
    list(&caller.engine, TaskId::from(id.key())).await
}

/// Attaches a file to an instance: the body is the file
#[utoipa::path(post, path = "/instances/{id}/attachments", tag = "attachments", operation_id = "attachToInstance",
    params(("id" = Id, Path, description = "Its id"), Named), request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 201, body = Attachment, description = "It is attached"), Problems))]
async fn to_instance(
    caller: Caller,
    Path(id): Path<Id>,
    Query(Named { name }): Query<Named>,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<Attachment>), Problem> {
    attach(&caller, InstanceId::from(id.key()), name, &headers, body).await
}

/// Attaches a file to a task: the body is the file
#[utoipa::path(post, path = "/tasks/{id}/attachments", tag = "attachments", operation_id = "attachToTask",
    params(("id" = Id, Path, description = "Its id"), Named), request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 201, body = Attachment, description = "It is attached"), Problems))]
async fn to_task(
    caller: Caller,
    Path(id): Path<Id>,
    Query(Named { name }): Query<Named>,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<Attachment>), Problem> {
    attach(&caller, TaskId::from(id.key()), name, &headers, body).await
}

/// Attaches a link to an instance: to what is kept elsewhere
#[utoipa::path(post, path = "/instances/{id}/attachments/link", tag = "attachments", operation_id = "attachLinkToInstance",
    params(("id" = Id, Path, description = "Its id")),
    responses((status = 201, body = Attachment, description = "It is attached"), Problems))]
async fn link_to_instance(
    caller: Caller,
    Path(id): Path<Id>,
    Json(body): Json<NewLink>,
) -> Result<(StatusCode, Json<Attachment>), Problem> {
    link(&caller, InstanceId::from(id.key()), body).await
}

/// Attaches a link to a task: to what is kept elsewhere
#[utoipa::path(post, path = "/tasks/{id}/attachments/link", tag = "attachments", operation_id = "attachLinkToTask",
    params(("id" = Id, Path, description = "Its id")),
    responses((status = 201, body = Attachment, description = "It is attached"), Problems))]
async fn link_to_task(
    caller: Caller,
    Path(id): Path<Id>,
    Json(body): Json<NewLink>,
) -> Result<(StatusCode, Json<Attachment>), Problem> {
    link(&caller, TaskId::from(id.key()), body).await
}

/// The bytes of an instance's attachment
#[utoipa::path(get, path = "/instances/{id}/attachments/{attachment}", tag = "attachments",
    operation_id = "readInstanceAttachment", params(("id" = Id, Path), ("attachment" = Id, Path)),
    responses((status = 200, body = Vec<u8>, content_type = "application/octet-stream", description = "Its bytes"), Problems))]
async fn read_of_instance(caller: Caller, Path((id, attachment)): Path<(Id, Id)>) -> Result<Response, Problem> {
    read(caller.engine, InstanceId::from(id.key()), attachment).await
}

/// The bytes of a task's attachment
#[utoipa::path(get, path = "/tasks/{id}/attachments/{attachment}", tag = "attachments",
    operation_id = "readTaskAttachment", params(("id" = Id, Path), ("attachment" = Id, Path)),
    responses((status = 200, body = Vec<u8>, content_type = "application/octet-stream", description = "Its bytes"), Problems))]
async fn read_of_task(caller: Caller, Path((id, attachment)): Path<(Id, Id)>) -> Result<Response, Problem> {
    read(caller.engine, TaskId::from(id.key()), attachment).await
}

/// Removes an attachment of an instance, if it is still there
#[utoipa::path(delete, path = "/instances/{id}/attachments/{attachment}", tag = "attachments",
    operation_id = "deleteInstanceAttachment", params(("id" = Id, Path), ("attachment" = Id, Path)),
    responses((status = 204, description = "It is gone"), Problems))]
async fn remove_of_instance(caller: Caller, Path((id, attachment)): Path<(Id, Id)>) -> Result<StatusCode, Problem> {
    remove(&caller, InstanceId::from(id.key()), attachment).await
}

/// Removes an attachment of a task, if it is still there
#[utoipa::path(delete, path = "/tasks/{id}/attachments/{attachment}", tag = "attachments",
    operation_id = "deleteTaskAttachment", params(("id" = Id, Path), ("attachment" = Id, Path)),
    responses((status = 204, description = "It is gone"), Problems))]
async fn remove_of_task(caller: Caller, Path((id, attachment)): Path<(Id, Id)>) -> Result<StatusCode, Problem> {
    remove(&caller, TaskId::from(id.key()), attachment).await
}
