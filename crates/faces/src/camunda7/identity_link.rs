//! Who has to do with a task: its assignee, its owner, its candidates.

use axum::extract::Path;
use axum::http::StatusCode;
use potok::{Assignment, Engine, Name};
use serde_json::{Value as Json, json};

use super::answer::{Answer, json as answer, nothing};
use super::error::Fault;
use super::fields::{Fields, InBody, InQuery};
use super::task;
use crate::acting::Acting;

fn link(user: Option<&Name>, group: Option<&Name>, kind: &str) -> Json {
    json!({"userId": user.map(|user| &**user), "groupId": group.map(|group| &**group), "type": kind})
}

pub(crate) async fn list(Acting(engine): Acting, Path(text): Path<String>, InQuery(fields): InQuery) -> Answer {
    let task = task::open(&engine, &text).await?;
    let task =
        task.ok_or_else(|| Fault::failed_as("NullValueException", format!("Cannot find task with id {text}")))?;
    let mut links: Vec<Json> = task.assignee.iter().map(|user| link(Some(user), None, "assignee")).collect();
    links.extend(task.owner.iter().map(|user| link(Some(user), None, "owner")));
    links.extend(task.candidate_users.iter().map(|user| link(Some(user), None, "candidate")));
    links.extend(task.candidate_groups.iter().map(|group| link(None, Some(group), "candidate")));
    if let Some(kind) = fields.text("type")? {
        links.retain(|link| link["type"] == *kind);
    }
    Ok(answer(&Json::Array(links)))
}

/// Changes a task by a link: `change` says how.
async fn change(
    engine: &Engine,
    text: &str,
    fields: &Fields,
    change: fn(&mut Assignment, &str, Option<&Name>, Option<&Name>),
) -> Answer {
    let (user, group, kind) = (fields.text("userId")?, fields.text("groupId")?, fields.text("type")?);
    let (user, group) = match (user, group) {
        (Some(_), Some(_)) => {
            return Err(Fault::invalid("Identity Link requires userId or groupId, but not both."));
        }
        (None, None) => return Err(Fault::invalid("Identity Link requires userId or groupId, but not both.")),
        one => one,
    };
    let kind = kind.unwrap_or_default();
    match &*kind {
        "candidate" => {}
        "assignee" | "owner" if user.is_some() => {}
        "assignee" | "owner" => {
            return Err(Fault::failed(format!("a group cannot be the {kind} of a task")));
        }
        "" => return Err(Fault::refused(StatusCode::BAD_REQUEST, "type is required when adding a new identity link")),
        _ => return Err(Fault::not_offered("identity links of types other than assignee, owner and candidate")),
    }
    let task = task::open(engine, text).await?;
    let task =
        task.ok_or_else(|| Fault::bad_request_of("NotFoundException", format!("No task found for id '{text}'.")))?;
    task::check_is_not_suspended(engine, &task).await?;
    engine.update_task(task.id(), |own| change(own, &kind, user.as_ref(), group.as_ref())).await?;
    Ok(nothing())
}

pub(crate) async fn add(Acting(engine): Acting, Path(text): Path<String>, InBody(fields): InBody) -> Answer {
    change(&engine, &text, &fields, |own, kind, user, group| match kind {
        "assignee" => own.assignee = user.cloned(),
        "owner" => own.owner = user.cloned(),
        _ => {
            let (names, name) = match (user, group) {
                (Some(user), _) => (&mut own.candidate_users, user),
                (None, Some(group)) => (&mut own.candidate_groups, group),
                (None, None) => return,
            };
            if !names.contains(name) {
                names.push(name.clone());
            }
        }
    })
    .await
}

pub(crate) async fn remove(Acting(engine): Acting, Path(text): Path<String>, InBody(fields): InBody) -> Answer {
    change(&engine, &text, &fields, |own, kind, user, group| match kind {
        "assignee" => own.assignee = None,
        "owner" => own.owner = None,
        _ => {
            own.candidate_users.retain(|other| Some(other) != user);
            own.candidate_groups.retain(|other| Some(other) != group);
        }
    })
    .await
}
