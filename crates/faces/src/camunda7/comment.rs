//! Comments on tasks and instances.

use axum::extract::Path;
use potok::row::Comment;
use potok::{Error, InstanceId, TaskId};
use serde_json::{Value as Json, json};

use super::answer::{Answer, json as answer};
use super::date::date;
use super::error::Fault;
use super::fields::InBody;
use super::id;
use super::link::Here;
use crate::acting::Acting;

fn shown(comment: &Comment) -> Json {
    json!({
        "links": [],
        "id": id::id(comment.key),
        "userId": comment.author.as_deref(),
        "taskId": comment.task.map(id::id),
        "processInstanceId": comment.task.is_none().then(|| id::id(comment.instance)),
        "rootProcessInstanceId": id::id(comment.instance),
        "time": date(comment.written),
        "message": &*comment.text,
        "removalTime": null,
    })
}

fn missing(text: &str) -> Fault {
    Fault::missing(format!("No task or process instance found for id {text}"))
}

/// Those of an instance itself.
pub(crate) async fn of_instance(Acting(engine): Acting, Path(text): Path<String>) -> Answer {
    let Some(id) = id::parse::<InstanceId>(&text) else { return Err(missing(&text)) };
    match engine.comments(id).await {
        Ok(comments) => Ok(answer(&comments.iter().filter(|comment| comment.task.is_none()).map(shown).collect())),
        Err(Error::UnknownInstance(_)) => Err(missing(&text)),
        Err(error) => Err(error.into()),
    }
}

/// Those of a task, the newest first.
pub(crate) async fn of_task(Acting(engine): Acting, Path(text): Path<String>) -> Answer {
    let Some(id) = id::parse::<TaskId>(&text) else { return Err(missing(&text)) };
    match engine.comments(id).await {
        Ok(comments) => Ok(answer(&comments.iter().rev().map(shown).collect())),
        Err(Error::UnknownTask(_)) => Err(missing(&text)),
        Err(error) => Err(error.into()),
    }
}

pub(crate) async fn one(Acting(engine): Acting, Path((task, text)): Path<(String, String)>) -> Answer {
    let missing = || Fault::missing(format!("Task comment with id {text} does not exist for task id '{task}'."));
    let id = id::parse::<TaskId>(&task).ok_or_else(missing)?;
    let comments = engine.comments(id).await.map_err(|_| missing())?;
    let found = comments.iter().find(|comment| id::id(comment.key) == text).ok_or_else(missing)?;
    Ok(answer(&shown(found)))
}

pub(crate) async fn create(
    Acting(engine): Acting,
    here: Here,
    Path(text): Path<String>,
    InBody(fields): InBody,
) -> Answer {
    let unknown = || Fault::invalid(format!("No task found for task id '{text}'"));
    let id = id::parse::<TaskId>(&text).ok_or_else(unknown)?;
    let message =
        fields.text("message")?.ok_or_else(|| Fault::bad_request_of("InvalidRequestException", "Message is null"))?;
    match engine.comment(id, message).await {
        Ok(comment) => {
            let mut body = shown(&comment);
            body["links"] = here.own(&format!("task/{text}/comment"), &id::id(comment.key));
            Ok(answer(&body))
        }
        Err(Error::UnknownTask(_)) => Err(unknown()),
        Err(error) => Err(error.into()),
    }
}
