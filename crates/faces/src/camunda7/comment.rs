//! Comments on tasks and instances.

use axum::extract::Path;
use potok::row::Comment;
use potok::{Engine, Error, InstanceId, Name, TaskId};
use potok_core::instance::Key;
use serde_json::{Value as Json, json};

use super::answer::{Answer, json as answer, nothing};
use super::date::date;
use super::error::Fault;
use super::fields::{Fields, InBody};
use super::link::Here;
use super::{id, task};
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

/// Removes one of a task's or of an instance's; nothing is said of one that is not there.
pub(crate) async fn remove(Acting(engine): Acting, Path((of, text)): Path<(String, String)>) -> Answer {
    remove_those(&engine, &of, |comment| id::id(comment.key) == text).await
}

/// Removes all of them.
pub(crate) async fn remove_all(Acting(engine): Acting, Path(of): Path<String>) -> Answer {
    remove_those(&engine, &of, |_| true).await
}

async fn remove_those(engine: &Engine, of: &str, is_meant: impl Fn(&Comment) -> bool + Send) -> Answer {
    let Some(key) = id::parse::<Key>(of) else { return Err(missing(of)) };
    let comments = match engine.comments(TaskId(key)).await {
        Err(Error::UnknownTask(_)) => engine.comments(InstanceId(key)).await,
        found => found,
    };
    let comments = comments.map_err(|error| match error {
        Error::UnknownInstance(_) => missing(of),
        error => error.into(),
    })?;
    let comments: Vec<&Comment> = comments.iter().filter(|comment| is_meant(comment)).collect();
    if let Some(task) = comments.first().and_then(|comment| comment.task) {
        task::touch(engine, TaskId(task)).await?;
    }
    for comment in comments {
        engine.remove_comment(comment).await?;
    }
    Ok(nothing())
}

/// Puts other words into a task's comment.
pub(crate) async fn change_of_task(Acting(engine): Acting, Path(of): Path<String>, InBody(fields): InBody) -> Answer {
    let (own, message) = change_asked(&fields)?;
    let unknown = || Fault::missing(format!("No task found for task id {of}"));
    let id = id::parse::<TaskId>(&of).ok_or_else(unknown)?;
    let comments = match engine.comments(id).await {
        Err(Error::UnknownTask(_)) => return Err(unknown()),
        comments => comments?,
    };
    change(&engine, &comments, (&*own, &message), &format!("taskId: {of}")).await
}

/// The same of an instance's own.
pub(crate) async fn change_of_instance(
    Acting(engine): Acting,
    Path(of): Path<String>,
    InBody(fields): InBody,
) -> Answer {
    let (own, message) = change_asked(&fields)?;
    let unknown = || Fault::missing(format!("No process instance found for id {of}"));
    let id = id::parse::<InstanceId>(&of).ok_or_else(unknown)?;
    let mut comments = match engine.comments(id).await {
        Err(Error::UnknownInstance(_)) => return Err(unknown()),
        comments => comments?,
    };
    comments.retain(|comment| comment.task.is_none());
    change(&engine, &comments, (&*own, &message), &format!("processInstanceId: {of}")).await
}

/// Which comment is changed, and its new text.
fn change_asked(fields: &Fields) -> Result<(Name, Name), Fault> {
    let needed = |name: &str, word: &str| {
        fields.text(name)?.ok_or_else(|| Fault::invalid(format!("{word} is null: `{name}` is needed")))
    };
    Ok((needed("id", "commentId")?, needed("message", "message")?))
}

async fn change(engine: &Engine, comments: &[Comment], (own, message): (&str, &Name), of: &str) -> Answer {
    let missing = || Fault::invalid(format!("No comment exists with commentId: {own} and {of}: comment is null"));
    let found = comments.iter().find(|comment| id::id(comment.key) == *own).ok_or_else(missing)?;
    engine.change_comment(found, message.clone()).await?.map(|_| nothing()).ok_or_else(missing)
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
    // It stands on the task, of whichever process.
    fields.text("processInstanceId")?;
    task::touch(&engine, id).await?;
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
