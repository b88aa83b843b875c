//! `/task/{id}/attachment`: files and links that people leave on tasks.

use axum::Router;
use axum::extract::multipart::{Field, MultipartError};
use axum::extract::{FromRequest, Multipart, Path, Request};
use axum::http::header;
use axum::routing::{get, post};
use potok::row::Attachment;
use potok::{Engine, Error, Name, TaskId};
use serde_json::{Value as Json, json};

use super::answer::{Answer, bytes, json as answer, nothing};
use super::date::date;
use super::error::Fault;
use super::link::Here;
use super::{id, task};
use crate::acting::Acting;

pub(crate) fn routes() -> Router<Engine> {
    Router::new()
        .route("/task/{id}/attachment", get(list))
        .route("/task/{id}/attachment/create", post(create))
        .route("/task/{id}/attachment/{attachment}", get(one).delete(remove))
        .route("/task/{id}/attachment/{attachment}/data", get(data))
}

fn shown(attachment: &Attachment) -> Json {
    json!({
        "links": [],
        "id": id::id(attachment.key),
        "name": &*attachment.name,
        "description": attachment.description.as_deref(),
        "taskId": attachment.task.map(id::id),
        "type": attachment.media_type.as_deref(),
        "url": attachment.url.as_deref(),
        "createTime": date(attachment.attached),
        "removalTime": null,
        "rootProcessInstanceId": id::id(attachment.instance),
    })
}

async fn all(engine: &Engine, task: &str) -> Result<Option<Vec<Attachment>>, Fault> {
    let Some(task) = id::parse::<TaskId>(task) else { return Ok(None) };
    match engine.attachments(task).await {
        Ok(attachments) => Ok(Some(attachments)),
        Err(Error::UnknownTask(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

async fn found(engine: &Engine, task: &str, text: &str) -> Result<Option<Attachment>, Fault> {
    let attachments = all(engine, task).await?.unwrap_or_default();
    Ok(attachments.into_iter().find(|attachment| id::id(attachment.key) == text))
}

async fn list(Acting(engine): Acting, Path(task): Path<String>) -> Answer {
    let attachments = all(&engine, &task).await?;
    let attachments = attachments.ok_or_else(|| Fault::missing(format!("No task found for task id {task}")))?;
    Ok(answer(&attachments.iter().map(shown).collect()))
}

async fn one(Acting(engine): Acting, Path((task, text)): Path<(String, String)>) -> Answer {
    let missing = || Fault::missing(format!("Task attachment with id {text} does not exist for task id '{task}'."));
    Ok(answer(&shown(&found(&engine, &task, &text).await?.ok_or_else(missing)?)))
}

async fn data(Acting(engine): Acting, Path((task, text)): Path<(String, String)>) -> Answer {
    let missing = || {
        let message =
            format!("Attachment content for attachment with id '{text}' does not exist for task id '{task}'.");
        Fault::missing(message)
    };
    let attachment = found(&engine, &task, &text).await?.filter(|attachment| attachment.url.is_none());
    let attachment = attachment.ok_or_else(missing)?;
    let mut reading = engine.read_attachment(&attachment);
    let mut content = Vec::new();
    while let Some(chunk) = reading.chunk().await? {
        content.extend_from_slice(&chunk);
    }
    Ok(bytes("application/octet-stream", content))
}

async fn remove(Acting(engine): Acting, Path((task, text)): Path<(String, String)>) -> Answer {
    let missing = || {
        let none = format!("No attachment exists for task id '{task}' and attachment id '{text}'.");
        Fault::missing(format!("Deletion is not possible. {none}"))
    };
    let attachment = found(&engine, &task, &text).await?.ok_or_else(missing)?;
    if let Some(task) = attachment.task {
        task::touch(&engine, TaskId(task)).await?;
    }
    engine.remove_attachment(&attachment).await?;
    Ok(nothing())
}

/// What stands in the parts of a form before its file.
#[derive(Default)]
struct Parts {
    name: Option<String>,
    description: Option<String>,
    kind: Option<String>,
    url: Option<String>,
}

async fn create(Acting(engine): Acting, here: Here, Path(task): Path<String>, request: Request) -> Answer {
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if !kind.starts_with("multipart/form-data") {
        return Err(Fault::wrong_media_type());
    }
    let unknown = || Fault::invalid(format!("No task found for task id {task}"));
    let id = id::parse::<TaskId>(&task).ok_or_else(unknown)?;
    if all(&engine, &task).await?.is_none() {
        return Err(unknown());
    }
    let multipart = Multipart::from_request(request, &()).await;
    let mut multipart = multipart.map_err(|rejection| Fault::invalid(rejection.body_text()))?;
    let unreadable = |error: MultipartError| Fault::invalid(error.body_text());
    let mut parts = Parts::default();
    let mut content = None;
    while let Some(field) = multipart.next_field().await.map_err(unreadable)? {
        let place = match field.name() {
            Some("content") => {
                content = Some(file(field).await?);
                continue;
            }
            Some("attachment-name") => &mut parts.name,
            Some("attachment-description") => &mut parts.description,
            Some("attachment-type") => &mut parts.kind,
            Some("url") => &mut parts.url,
            _ => continue,
        };
        *place = Some(field.text().await.map_err(unreadable)?);
    }
    let attachment = attach(&engine, id, parts, content).await?;
    let mut body = shown(&attachment);
    body["links"] = here.own(&format!("task/{task}/attachment"), &id::id(attachment.key));
    Ok(answer(&body))
}

/// A file's name, and its bytes.
async fn file(field: Field<'_>) -> Result<(String, axum::body::Bytes), Fault> {
    let name = field.file_name().unwrap_or_default().to_owned();
    let content = field.bytes().await.map_err(|error| Fault::invalid(error.body_text()))?;
    Ok((name, content))
}

async fn attach(
    engine: &Engine,
    to: TaskId,
    parts: Parts,
    content: Option<(String, axum::body::Bytes)>,
) -> Result<Attachment, Fault> {
    let Parts { name, description, kind, url } = parts;
    let (description, kind) = (description.map(Name::from), kind.map(Name::from));
    if content.is_some() || url.is_some() {
        task::touch(engine, to).await?;
    }
    match (content, url) {
        (Some((file, content)), _) => {
            let mut attaching = engine.attach(to, name.unwrap_or(file)).await?;
            if let Some(description) = description {
                attaching = attaching.description(description);
            }
            if let Some(kind) = kind {
                attaching = attaching.media_type(kind);
            }
            attaching.write(&content).await?;
            Ok(attaching.finish().await?)
        }
        (None, Some(url)) => Ok(engine.attach_link(to, name.unwrap_or_default(), url, description, kind).await?),
        (None, None) => {
            Err(Fault::invalid("No content or url to remote content exists to create the task attachment."))
        }
    }
}
