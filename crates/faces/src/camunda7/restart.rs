//! `/process-definition/{id}/restart`: new instances in the place of those that have ended.

use axum::Router;
use axum::extract::Path;
use axum::routing::post;
use potok::{Engine, Error, InstanceId, Restart};
use potok_core::step::Position;

use super::answer::{Answer, nothing};
use super::error::Fault;
use super::fields::{Fields, InBody};
use super::which::{Which, by_id_and_key};
use super::{batch, id, start};
use crate::acting::Acting;

const INSTANCES: &str = "processInstanceIds";

pub(crate) fn routes() -> Router<Engine> {
    let mut routes = Router::new();
    by_id_and_key!(routes, "/process-definition", "/restart", post(now));
    by_id_and_key!(routes, "/process-definition", "/restart-async", post(later));
    routes
}

/// Which instances of a definition are meant.
async fn chosen(engine: &Engine, which: &Which, fields: &Fields) -> Result<Vec<InstanceId>, Fault> {
    let definition = match which.look_up(engine).await? {
        Some(definition) => definition,
        None if which.id.is_none() => return Err(which.missing("process")),
        None => return Err(Fault::invalid("no deployed process definition found: processDefinition is null")),
    };
    let missing = || Fault::invalid("Historic process instance cannot be found: historicProcessInstanceId is null");
    let named = fields.list(INSTANCES)?.unwrap_or_default();
    if named.iter().any(|text| id::parse::<InstanceId>(text).is_none()) {
        return Err(missing());
    }
    let instances = batch::instances(engine, fields, INSTANCES).await?;
    if instances.is_empty() {
        return Err(Fault::invalid("processInstanceIds is empty"));
    }
    for instance in &instances {
        let old = match engine.instance(*instance).get().await {
            Err(Error::UnknownInstance(_)) => return Err(missing()),
            old => old?,
        };
        if old.definition != definition.key {
            let (own, given) = (id::id(*instance), id::definition(&definition));
            return Err(Fault::failed(format!(
                "ENGINE-13039 Historic process instance '{own}' cannot be restarted. It did not run {given}"
            )));
        }
    }
    Ok(instances)
}

/// Where a request lets a token begin. What it cancels is not there.
fn positions(fields: &Fields) -> Result<Vec<Position>, Fault> {
    if !fields.has("instructions") {
        return Err(Fault::broken_as("NullPointerException", "`instructions` is needed"));
    }
    let mut positions = Vec::new();
    for instruction in fields.objects("instructions")? {
        if instruction.text("type")?.as_deref() != Some("cancel") {
            positions.push(start::position(&instruction)?);
        }
    }
    match positions.is_empty() {
        true => Err(Fault::invalid("Restart instructions cannot be empty: instructions is empty")),
        false => Ok(positions),
    }
}

/// How a request lets something be restarted.
fn planned<Of>(restart: Restart<Of>, fields: &Fields, positions: &[Position]) -> Result<Restart<Of>, Fault> {
    let mut restart = positions.iter().fold(restart, |restart, position| match position.clone() {
        Position::Before(node) => restart.start_before(node),
        Position::After(node) => restart.start_after(node),
        Position::On(flow) => restart.start_transition(flow),
    });
    if fields.is_set("initialVariables")? {
        restart = restart.initial_variables();
    }
    Ok(if fields.is_set("withoutBusinessKey")? { restart.without_business_key() } else { restart })
}

/// One after the other: the first that cannot be restarted is the last.
async fn now(Acting(engine): Acting, Path(which): Path<Which>, InBody(fields): InBody) -> Answer {
    let positions = positions(&fields)?;
    for instance in chosen(&engine, &which, &fields).await? {
        let restart = planned(engine.restart(instance), &fields, &positions)?;
        restart.send().await.map_err(|error| match error {
            error @ Error::InstanceActive(_) => Fault::failed(format!("ENGINE-13040 {error}")),
            error @ Error::Rejected(_) => Fault::invalid(error.to_string()),
            error => error.into(),
        })?;
    }
    Ok(nothing())
}

async fn later(Acting(engine): Acting, Path(which): Path<Which>, InBody(fields): InBody) -> Answer {
    let positions = positions(&fields)?;
    let instances = chosen(&engine, &which, &fields).await?;
    let operation = planned(Restart::new(), &fields, &positions)?.operation()?;
    batch::begin(&engine, operation, instances, INSTANCES).await
}
