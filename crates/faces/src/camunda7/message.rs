//! `/message`, `/signal` and `/condition`: what comes from outside.

use axum::Router;
use axum::http::StatusCode;
use axum::routing::post;
use potok::{DefinitionId, Engine, Error, Instance, InstanceId, Name, Receiver, Viewpoint};
use potok_core::step::Command;
use serde_json::{Value as Json, json};

use super::answer::{Answer, json as answer, nothing};
use super::error::Fault;
use super::fields::{Fields, InBody};
use super::{execution, id, process_definition, process_instance, value};
use crate::acting::Acting;

pub(crate) fn routes() -> Router<Engine> {
    Router::new().route("/message", post(correlate)).route("/signal", post(signal)).route("/condition", post(evaluate))
}

/// No match, or too many.
fn mismatching(name: &str, error: &Error) -> Fault {
    let message = format!(
        "org.camunda.bpm.engine.MismatchingMessageCorrelationException: Cannot correlate message '{name}': {error}"
    );
    Fault::refused(StatusCode::BAD_REQUEST, message)
}

async fn correlate(Acting(engine): Acting, InBody(fields): InBody) -> Answer {
    let Some(name) = fields.text("messageName")? else { return Err(Fault::invalid("No message name supplied")) };
    let tenant = fields.text("tenantId")?;
    let untenanted = fields.is_set("withoutTenantId")?;
    let instance = fields.text("processInstanceId")?;
    if untenanted && tenant.is_some() {
        return Err(Fault::invalid("Parameter 'tenantId' cannot be used together with parameter 'withoutTenantId'."));
    }
    if untenanted && instance.is_some() {
        let message = "a process instance and withoutTenantId exclude each other";
        return Err(Fault::bad_request_of("BadUserRequestException", message));
    }
    let (with_result, with_variables) = (fields.is_set("resultEnabled")?, fields.is_set("variablesInResultEnabled")?);
    if with_variables && !with_result {
        return Err(Fault::invalid(
            "Parameter 'variablesInResultEnabled' cannot be used without 'resultEnabled' set to 'true'.",
        ));
    }
    if with_variables {
        // Who may see no instance is told before anything is sent.
        engine.variables_of([], &[]).await?;
    }
    let payload = value::variables(&fields, "processVariables")?;
    let mut local = value::variables(&fields, "processVariablesLocal")?;
    local.extend(value::variables(&fields, "processVariablesToTriggeredScope")?);
    let mut correlation = engine.correlate(name.clone());
    if let Some(key) = fields.text("businessKey")? {
        correlation = correlation.business_key(key);
    }
    if let Some(text) = &instance {
        // What is no instance waits for nothing.
        correlation = correlation.instance(id::parse(text).unwrap_or(InstanceId(0.into())));
    }
    if let Some(tenant) = tenant {
        correlation = correlation.tenant(tenant);
    } else if untenanted {
        correlation = correlation.tenant("");
    }
    for (name, value) in value::variables(&fields, "correlationKeys")? {
        correlation = correlation.where_variable(name, value);
    }
    for (name, value) in value::variables(&fields, "localCorrelationKeys")? {
        correlation = correlation.where_own_variable(name, value);
    }
    let correlation = correlation.variables(payload).local_variables(local);
    let receivers = if fields.is_set("all")? {
        correlation.send_to_all().await
    } else {
        correlation.send().await.map(|receiver| vec![receiver])
    };
    let receivers = receivers.map_err(|error| match error {
        error @ (Error::NobodyWaits(_) | Error::Ambiguous(_)) => mismatching(&name, &error),
        error @ Error::Stuck { .. } => Fault::refused(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()),
        error => error.into(),
    })?;
    if !with_result {
        return Ok(nothing());
    }
    let mut results = Vec::with_capacity(receivers.len());
    for receiver in receivers {
        results.push(result(&engine, receiver, with_variables).await?);
    }
    Ok(answer(&Json::Array(results)))
}

async fn result(engine: &Engine, receiver: Receiver, with_variables: bool) -> Result<Json, Fault> {
    let mut result = match &receiver {
        Receiver::Waiting { id, tenant } => json!({
            "resultType": "Execution",
            "execution": {
                "id": id::part(*id, id::EXECUTION),
                "processInstanceId": id::id(*id),
                "ended": true,
                "tenantId": tenant.as_deref(),
            },
            "processInstance": null,
        }),
        Receiver::Started(instance) => {
            let definitions = process_definition::of_keys(engine, [instance.definition]).await?;
            json!({
                "resultType": "ProcessDefinition",
                "execution": null,
                "processInstance": process_instance::shown(instance, definitions.get(&instance.definition.into())),
            })
        }
    };
    if with_variables {
        let case = engine.instance(receiver.instance_id());
        result["variables"] = value::map(&case.variables().await?, false);
    }
    Ok(result)
}

async fn signal(Acting(engine): Acting, InBody(fields): InBody) -> Answer {
    let Some(name) = fields.text("name")? else { return Err(Fault::invalid("No signal name given")) };
    let variables = value::variables(&fields, "variables")?;
    fields.flag("withoutTenantId")?;
    if let Some(tenant) = fields.text("tenantId")?
        && !tenant.is_empty()
    {
        return Err(Fault::not_offered("a signal for one tenant only"));
    }
    match fields.text("executionId")? {
        None => engine.signal(name, variables).await?,
        Some(text) => {
            let unknown = || {
                let message = format!("Cannot find execution with id '{text}' that waits for signal '{name}'");
                Fault::failed_as("NullValueException", message)
            };
            let owner = execution::find(&engine, &text).await?.ok_or_else(unknown)?;
            if !execution::waits_for_signal(&engine, owner, &name).await? {
                return Err(unknown());
            }
            let command = Command::DeliverSignal { name: name.clone(), variables };
            engine.instance(owner.instance).command(command).await?;
        }
    }
    Ok(nothing())
}

async fn evaluate(Acting(engine): Acting, InBody(fields): InBody) -> Answer {
    let (tenant, untenanted) = (fields.text("tenantId")?, fields.is_set("withoutTenantId")?);
    if untenanted && tenant.is_some() {
        return Err(Fault::invalid("Parameter 'tenantId' cannot be used together with parameter 'withoutTenantId'."));
    }
    let mut told = engine.evaluate_conditions(value::variables_of_known_types(&fields, "variables")?);
    if let Some(key) = fields.text("businessKey")? {
        told = told.business_key(key);
    }
    if untenanted {
        told = told.tenant("");
    } else if let Some(tenant) = tenant {
        told = told.tenant(tenant);
    }
    let definition = fields.text("processDefinitionId")?;
    if let Some(text) = &definition {
        // What is no definition has no conditions.
        told = told.definition(DefinitionId(id::parse_definition(text).unwrap_or(0.into())));
    }
    let begun = told.send().await.map_err(|error| match (error, &definition) {
        (Error::UnknownDefinition(_), Some(text)) => {
            let message = format!("no deployed process definition found with id '{text}': processDefinition is null");
            Fault::bad_request_of("NotFoundException", message)
        }
        (error @ Error::NoConditions, None) => Fault::failed(format!("ENGINE-13043 {error}")),
        (error @ Error::NoConditions, Some(_)) => Fault::failed(format!("ENGINE-13042 {error}")),
        (error, _) => error.into(),
    })?;
    let definitions = process_definition::of_keys(&engine, begun.iter().map(|instance| instance.definition)).await?;
    let shown = |instance: &Instance| process_instance::shown(instance, definitions.get(&instance.definition.into()));
    Ok(answer(&Json::Array(begun.iter().map(shown).collect())))
}

/// Gives a message to what one execution waits for.
pub(crate) async fn deliver(engine: &Engine, owner: (InstanceId, Viewpoint), name: &str, fields: &Fields) -> Answer {
    let variables = value::variables(fields, "variables")?;
    match engine.deliver_message(owner.0, owner.1, name, variables).await {
        Ok(()) => Ok(nothing()),
        Err(error @ Error::NobodyWaits(_)) => {
            let name: Name = name.into();
            Err(Fault::refused(
                StatusCode::INTERNAL_SERVER_ERROR,
                format!("Execution does not wait for message '{name}': {error}"),
            ))
        }
        Err(error) => Err(error.into()),
    }
}
