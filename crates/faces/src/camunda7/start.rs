//! `/process-definition/.../start` and `/submit-form`: instances begin.

use axum::Router;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::routing::post;
use potok::row::Definition;
use potok::{Engine, Error};
use potok_core::step::{Position, StartAt};

use super::answer::{Answer, json as answer};
use super::error::Fault;
use super::fields::{Fields, InBody};
use super::link::Here;
use super::which::{Which, by_id_and_key};
use super::{form, id, process_instance, submission, value};
use crate::acting::Acting;

pub(crate) fn routes() -> Router<Engine> {
    let mut routes = Router::new();
    by_id_and_key!(routes, "/process-definition", "/start", post(start));
    by_id_and_key!(routes, "/process-definition", "/submit-form", post(submit_form));
    routes
}

/// Begins an instance, in all the forms that a request may ask for.
async fn start(Acting(engine): Acting, here: Here, Path(which): Path<Which>, InBody(fields): InBody) -> Answer {
    let definition = which.look_up(&engine).await?.ok_or_else(|| unknown(&which))?;
    let variables = value::variables(&fields, "variables")?;
    begin(&engine, &here, &definition, &fields, variables).await
}

fn unknown(which: &Which) -> Fault {
    match &which.id {
        None => which.missing("process"),
        Some(id) => {
            let message = format!("Cannot instantiate process definition {id}: there is none");
            Fault::refused(StatusCode::INTERNAL_SERVER_ERROR, message)
        }
    }
}

async fn begin(
    engine: &Engine,
    here: &Here,
    definition: &Definition,
    fields: &Fields,
    variables: potok_core::step::Variables,
) -> Answer {
    let mut start = engine.start(definition.id.clone()).definition(definition.clone()).variables(variables);
    if fields.has("caseInstanceId") {
        return Err(Fault::not_offered("starting for a case (caseInstanceId)"));
    }
    if let Some(key) = fields.text("businessKey")? {
        start = start.business_key(key);
    }
    process_instance::check_what_is_skipped(fields)?;
    let instructions = fields.objects("startInstructions")?;
    let mut positions = Vec::new();
    for instruction in &instructions {
        if !instruction.map("variables")?.is_empty() {
            return Err(Fault::not_offered("variables of a start instruction; set them for the whole instance"));
        }
        positions.push(position(instruction)?);
    }
    if positions.is_empty() && (fields.is_set("skipCustomListeners")? || fields.is_set("skipIoMappings")?) {
        let message = format!(
            "Cannot instantiate process definition {}: ENGINE-13024 Cannot skip custom listeners or input/output mappings when \
             it begins at its own start event; give startInstructions",
            id::definition(definition)
        );
        return Err(Fault::refused(StatusCode::INTERNAL_SERVER_ERROR, message));
    }
    if !positions.is_empty() {
        start = start.at(StartAt::Positions(positions));
    }
    let begun = start.send().await.map_err(|error| match error {
        error @ Error::Variable { .. } => Fault::from(error),
        error => Fault::in_words(error, |error| {
            format!("Cannot instantiate process definition {}: {error}", id::definition(definition))
        }),
    })?;
    let mut body = process_instance::shown(&begun, Some(definition));
    body["links"] = here.own("process-instance", &id::id(begun.id()));
    if fields.is_set("withVariablesInReturn")? {
        let variables = engine.instance(begun.id()).variables().await?;
        body["variables"] = value::map(&variables, false);
    }
    Ok(answer(&body))
}

/// Where an instruction lets a token begin.
pub(crate) fn position(instruction: &Fields) -> Result<Position, Fault> {
    let kind = instruction.text("type")?.unwrap_or_default();
    if instruction.has("ancestorActivityInstanceId") {
        return Err(Fault::not_offered("starting inside of a given activity instance (ancestorActivityInstanceId)"));
    }
    let id = |name: &str| {
        instruction
            .text(name)?
            .ok_or_else(|| Fault::invalid(format!("For instruction type '{kind}': '{name}' must be set")))
    };
    match &*kind {
        "startBeforeActivity" => Ok(Position::Before(id("activityId")?)),
        "startAfterActivity" => Ok(Position::After(id("activityId")?)),
        "startTransition" => Ok(Position::On(id("transitionId")?)),
        other => Err(Fault::invalid(format!("'{other}' is no instruction that starts something"))),
    }
}

async fn submit_form(Acting(engine): Acting, here: Here, Path(which): Path<Which>, InBody(fields): InBody) -> Answer {
    let definition = which.look_up(&engine).await?.ok_or_else(|| unknown(&which))?;
    let given = value::variables(&fields, "variables")?;
    let form = form::fields_of_start(&engine, &definition).await?;
    let variables = submission::variables(&form, given, &[]).map_err(|unfit| {
        let cannot = format!("Cannot instantiate process definition {}", id::definition(&definition));
        unfit.into_fault(|why| Fault::refused(StatusCode::INTERNAL_SERVER_ERROR, format!("{cannot}: {why}")))
    })?;
    begin(&engine, &here, &definition, &fields, variables).await
}
