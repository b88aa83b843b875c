//! Variables of processes, executions and tasks: one set of routes for what is alike in them.

use std::future::Future;

use axum::Router;
use axum::extract::{FromRequest, Multipart, Path, Request};
use axum::http::{StatusCode, header};
use axum::response::Response;
use axum::routing::get;
use potok::{Engine, Error, InstanceId, Name, Value, Viewpoint};
use serde_json::json;

use super::answer::{self, Answer, json as answer, nothing};
use super::error::Fault;
use super::fields::{InBody, InQuery};
use super::value;
use crate::acting::Acting;

/// Whose variables they are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Owner {
    pub(crate) instance: InstanceId,
    pub(crate) from: Viewpoint,
}

/// What has variables.
pub(crate) trait Holder: Send + Sync + 'static {
    /// Under which path they stand.
    const PATH: &'static str;
    /// Only what is its own is meant.
    const OWN: bool;
    /// It is a task.
    const OF_TASK: bool = false;
    /// The word for it in messages.
    const WORD: &'static str;

    /// Whose variables a path's id means; nothing if there is nothing under that id.
    fn owner(engine: &Engine, id: &str) -> impl Future<Output = Result<Option<Owner>, Fault>> + Send;
}

/// The routes for the variables of a holder.
pub(crate) fn routes<H: Holder>() -> Router<Engine> {
    let all = H::PATH;
    Router::new()
        .route(all, get(list::<H>).post(modify::<H>))
        .route(&format!("{all}/{{name}}"), get(one::<H>).put(set::<H>).delete(remove::<H>))
        .route(&format!("{all}/{{name}}/data"), get(data::<H>).post(upload::<H>))
}

async fn owner<H: Holder>(engine: &Engine, id: &str) -> Result<Owner, Fault> {
    H::owner(engine, id)
        .await?
        .ok_or_else(|| Fault::refused(StatusCode::INTERNAL_SERVER_ERROR, format!("{} {id} doesn't exist", H::WORD)))
}

/// For what has gone between being found and being looked at.
fn of_error(error: Error) -> Fault {
    match error {
        Error::UnknownInstance(_) | Error::UnknownTask(_) => Fault::failed_as("NullValueException", error.to_string()),
        error @ Error::Rejected(_) => Fault::refused(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()),
        error => error.into(),
    }
}

async fn all<H: Holder>(engine: &Engine, owner: Owner) -> Result<Vec<(Name, Value)>, Fault> {
    engine.instance(owner.instance).variables_from(owner.from, H::OWN).await.map_err(of_error)
}

async fn list<H: Holder>(Acting(engine): Acting, Path(id): Path<String>, InQuery(fields): InQuery) -> Answer {
    let deserialise = fields.flag("deserializeValues")? != Some(false);
    let owner = H::owner(&engine, &id).await?;
    let owner =
        owner.ok_or_else(|| Fault::failed_as("NullValueException", format!("{} {id} doesn't exist", H::WORD)))?;
    Ok(answer(&value::map(&all::<H>(&engine, owner).await?, deserialise)))
}

async fn found<H: Holder>(engine: &Engine, id: &str, name: &str) -> Result<Value, Fault> {
    let owner = owner::<H>(engine, id).await?;
    let found = all::<H>(engine, owner).await?.into_iter().find(|(other, _)| other == name);
    found
        .map(|(_, value)| value)
        .ok_or_else(|| Fault::missing(format!("{} variable with name {name} does not exist", H::WORD)))
}

async fn one<H: Holder>(
    Acting(engine): Acting,
    Path((id, name)): Path<(String, String)>,
    InQuery(fields): InQuery,
) -> Answer {
    let deserialise = fields.flag("deserializeValue")? != Some(false);
    Ok(answer(&value::write(&found::<H>(&engine, &id, &name).await?, deserialise)))
}

/// The bytes of a value.
pub(crate) fn bytes_of(value: &Value, name: &str) -> Result<Response, Fault> {
    let binary = value::binary(value);
    let (media_type, filename, content) =
        binary.ok_or_else(|| Fault::invalid(format!("Value of variable with name {name} is not a binary value.")))?;
    Ok(match filename {
        Some(filename) => answer::file(&media_type, content, filename),
        None => answer::bytes(&media_type, content),
    })
}

async fn data<H: Holder>(Acting(engine): Acting, Path((id, name)): Path<(String, String)>) -> Answer {
    bytes_of(&found::<H>(&engine, &id, &name).await?, &name)
}

async fn change<H: Holder>(engine: &Engine, id: &str, set: Vec<(Name, Value)>, remove: Vec<Name>) -> Answer {
    let owner = owner::<H>(engine, id).await?;
    let changed = match owner.from {
        // Whoever may work on a task may change them.
        Viewpoint::Wait(task) if H::OF_TASK => engine.change_task_variables(task.into(), H::OWN, set, remove).await,
        from => engine.instance(owner.instance).change_variables_from(from, H::OWN, set, remove).await,
    };
    changed.map_err(of_error)?;
    Ok(nothing())
}

async fn set<H: Holder>(
    Acting(engine): Acting,
    Path((id, name)): Path<(String, String)>,
    InBody(fields): InBody,
) -> Answer {
    let body = json!({"value": fields.get("value"), "type": fields.get("type"), "valueInfo": fields.get("valueInfo")});
    let value = value::read(&name, &body)?;
    change::<H>(&engine, &id, vec![(name.into(), value)], Vec::new()).await
}

async fn remove<H: Holder>(Acting(engine): Acting, Path((id, name)): Path<(String, String)>) -> Answer {
    change::<H>(&engine, &id, Vec::new(), vec![name.into()]).await
}

async fn modify<H: Holder>(Acting(engine): Acting, Path(id): Path<String>, InBody(fields): InBody) -> Answer {
    let set = value::variables(&fields, "modifications")?;
    change::<H>(&engine, &id, set, fields.list("deletions")?.unwrap_or_default()).await
}

/// A binary value, as a file of a form.
async fn upload<H: Holder>(
    Acting(engine): Acting,
    Path((id, name)): Path<(String, String)>,
    request: Request,
) -> Answer {
    let is_form = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    if !is_form.is_some_and(|kind| kind.starts_with("multipart/form-data")) {
        return Err(Fault::wrong_media_type());
    }
    let unreadable = |error: axum::extract::multipart::MultipartError| Fault::invalid(error.body_text());
    let multipart = Multipart::from_request(request, &()).await;
    let mut multipart = multipart.map_err(|rejection| Fault::invalid(rejection.body_text()))?;
    let mut kind = None;
    let mut file = None;
    while let Some(field) = multipart.next_field().await.map_err(unreadable)? {
        match field.name() {
            Some("valueType") => kind = Some(field.text().await.map_err(unreadable)?),
            Some("data") => {
                let (filename, media_type) =
                    (field.file_name().map(str::to_owned), field.content_type().map(str::to_owned));
                file = Some((filename, media_type, field.bytes().await.map_err(unreadable)?));
            }
            _ => {}
        }
    }
    let (filename, media_type, content) =
        file.ok_or_else(|| Fault::invalid("No 'data' part is in the form: there is nothing to set"))?;
    let kind = kind.as_deref().unwrap_or("Bytes");
    if kind.eq_ignore_ascii_case("file") && filename.is_none() {
        let message = "Cannot create file without filename! The part `data` needs one";
        return Err(Fault::broken_as("IllegalArgumentException", message));
    }
    let value = value::of_file(kind, filename, media_type, &content).map_err(Fault::unsupported)?;
    change::<H>(&engine, &id, vec![(name.into(), value)], Vec::new()).await
}
