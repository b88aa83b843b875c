//! `/execution`: whatever waits in an instance, by ids of its own.

use axum::Router;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::routing::{get, post};
use potok::query::{InstanceQuery, SubscriptionQuery};
use potok::row::{InstanceState, SubscriptionKind};
use potok::{Engine, Error, InstanceId, Viewpoint};
use potok_core::instance::{NONE, Owner as WaitOwner, WaitKind};
use serde_json::{Value as Json, json};

use super::answer::{self, Answer, json as answer};
use super::condition::Conditions;
use super::date::date;
use super::error::Fault;
use super::fields::{Fields, InBody};
use super::list::{self, Asked, List};
use super::variables::{self, Holder, Owner};
use super::{id, incident, message, process_instance, variable_instance};
use crate::acting::Acting;

pub(crate) fn routes() -> Router<Engine> {
    Router::new()
        .merge(list::routes::<Executions>())
        .merge(list::routes::<Subscriptions>())
        .route("/execution/{id}", get(one))
        .route("/execution/{id}/signal", post(trigger))
        .route("/execution/{id}/messageSubscriptions/{name}", get(subscription))
        .route("/execution/{id}/messageSubscriptions/{name}/trigger", post(deliver))
        .merge(variables::routes::<Local>())
}

/// The variables of an execution itself.
struct Local;

impl Holder for Local {
    const PATH: &'static str = "/execution/{id}/localVariables";
    const OWN: bool = true;
    const WORD: &'static str = "execution";

    async fn owner(engine: &Engine, text: &str) -> Result<Option<Owner>, Fault> {
        find(engine, text).await
    }
}

/// What an execution's id means: the instance itself, a token of it, or what waits under a key.
pub(crate) async fn find(engine: &Engine, text: &str) -> Result<Option<Owner>, Fault> {
    let Some((key, part)) = id::parse_part(text) else { return Ok(None) };
    if part == 0 {
        let instance = process_instance::running(engine, text).await?.map(|instance| instance.id());
        return Ok(instance.map(|instance| Owner { instance, from: Viewpoint::Process }));
    }
    if part == id::EXECUTION {
        let instance = engine.instance_of_wait(key).await?;
        return Ok(instance.map(|instance| Owner { instance, from: Viewpoint::Wait(key) }));
    }
    let Some(serial) = id::serial(part) else { return Ok(None) };
    let instance = InstanceId(key);
    let state = match engine.instance(instance).state().await {
        Ok(state) => state,
        Err(Error::UnknownInstance(_)) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let Some((number, token)) = state.tokens().find(|(_, token)| token.serial == serial) else { return Ok(None) };
    let own = state.waits_of(number).find(|wait| wait.node == token.node).map(|wait| wait.key);
    Ok(Some(match own {
        Some(key) => Owner { instance, from: Viewpoint::Wait(key) },
        None if token.inside != NONE => Owner { instance, from: Viewpoint::Scope(token.inside) },
        None => Owner { instance, from: Viewpoint::Scope(token.scope) },
    }))
}

/// Whether an execution waits for a signal.
pub(crate) async fn waits_for_signal(engine: &Engine, owner: Owner, name: &str) -> Result<bool, Fault> {
    let state = engine.instance(owner.instance).state().await?;
    let place = match owner.from {
        Viewpoint::Wait(key) => state.wait(key).map(|wait| wait.owner),
        _ => None,
    };
    Ok(state.waits().any(|wait| {
        matches!(&wait.kind, WaitKind::Signal(signal) if &*signal.name == name)
            && place.is_none_or(|place| wait.owner == place)
    }))
}

fn missing(text: &str) -> Fault {
    Fault::missing(format!("Execution with id {text} does not exist"))
}

async fn one(Acting(engine): Acting, Path(text): Path<String>) -> Answer {
    let owner = find(&engine, &text).await?.ok_or_else(|| missing(&text))?;
    let instance = engine.instance(owner.instance).get().await?;
    Ok(answer(&json!({
        "id": text,
        "processInstanceId": id::id(owner.instance),
        "ended": false,
        "tenantId": instance.tenant.as_deref(),
    })))
}

/// Lets a receive task without a message go on, or one with a message that waits there.
async fn trigger(Acting(engine): Acting, Path(text): Path<String>, InBody(fields): InBody) -> Answer {
    let absent = || {
        Fault::refused(StatusCode::INTERNAL_SERVER_ERROR, format!("Cannot signal execution {text}: execution is null"))
    };
    let owner = find(&engine, &text).await?.ok_or_else(absent)?;
    let state = engine.instance(owner.instance).state().await?;
    let place = match owner.from {
        Viewpoint::Wait(key) => state.wait(key).map(|wait| wait.owner),
        _ => None,
    };
    let waits = state.waits().find_map(|wait| match &wait.kind {
        WaitKind::Message(message) if place.is_none_or(|place| wait.owner == place) => {
            matches!(wait.owner, WaitOwner::Token(_)).then(|| (wait.key, message.name.clone()))
        }
        _ => None,
    });
    let (key, name) = waits.ok_or_else(|| {
        Fault::refused(
            StatusCode::INTERNAL_SERVER_ERROR,
            format!("execution {text} waits for nothing that could be signalled"),
        )
    })?;
    message::deliver(&engine, (owner.instance, Viewpoint::Wait(key)), &name, &fields).await
}

async fn deliver(Acting(engine): Acting, Path((text, name)): Path<(String, String)>, InBody(fields): InBody) -> Answer {
    let owner = find(&engine, &text).await?.ok_or_else(|| {
        Fault::refused(StatusCode::INTERNAL_SERVER_ERROR, format!("Cannot trigger message {name} for execution {text}"))
    })?;
    message::deliver(&engine, (owner.instance, owner.from), &name, &fields).await
}

async fn subscription(Acting(engine): Acting, Path((text, name)): Path<(String, String)>) -> Answer {
    let none =
        || Fault::missing(format!("Message event subscription for execution {text} named {name} does not exist"));
    let owner = find(&engine, &text).await?.ok_or_else(none)?;
    let query = SubscriptionQuery {
        kind: Some(SubscriptionKind::Message),
        instances: vec![owner.instance.0],
        names: vec![name.as_str().into()],
        ..SubscriptionQuery::default()
    };
    let row = engine.search(&query).await?.rows.into_iter().next().ok_or_else(none)?;
    Ok(answer(&of_subscription(&row)))
}

fn of_subscription(row: &potok::row::Subscription) -> Json {
    let kind = match row.kind {
        SubscriptionKind::Message => "message",
        SubscriptionKind::Signal => "signal",
        SubscriptionKind::Condition => "conditional",
    };
    json!({
        "id": id::id(row.key),
        "eventType": kind,
        "eventName": &*row.name,
        "executionId": (!row.starts).then(|| id::part(row.key, id::EXECUTION)),
        "processInstanceId": (!row.starts).then(|| id::id(row.instance)),
        "activityId": &*row.node,
        "createdDate": date(potok::JobId(row.key).created()),
        "tenantId": row.tenant.as_deref(),
    })
}

async fn search_subscriptions(engine: &Engine, asked: &Asked<'_>) -> Result<Vec<potok::row::Subscription>, Fault> {
    let Asked { fields, order, .. } = asked;
    let mut query = SubscriptionQuery { starts: Some(false), ..SubscriptionQuery::default() };
    if fields.is_set("includeEventSubscriptionsWithoutTenantId")? {
        query.starts = None;
    }
    query.names = fields.text("eventName")?.into_iter().collect();
    query.node = fields.text("activityId")?;
    if let Some(text) = fields.text("processInstanceId")? {
        match id::parse(&text) {
            Some(key) => query.instances.push(key),
            None => return Ok(Vec::new()),
        }
    }
    query.kind = match fields.text("eventType")?.as_deref() {
        None => None,
        Some("message") => Some(SubscriptionKind::Message),
        Some("signal") => Some(SubscriptionKind::Signal),
        Some(_) => return Ok(Vec::new()),
    };
    let mut rows = engine.search(&query).await?.rows;
    if let Some(own) = fields.text("eventSubscriptionId")? {
        rows.retain(|row| id::id(row.key) == *own);
    }
    if let Some(own) = fields.text("executionId")? {
        rows.retain(|row| id::part(row.key, id::EXECUTION) == *own || id::id(row.instance) == *own);
    }
    if let Some(tenants) = fields.list("tenantIdIn")? {
        let or_untenanted = fields.is_set("includeEventSubscriptionsWithoutTenantId")?;
        rows.retain(|row| row.tenant.as_ref().map_or(or_untenanted, |own| tenants.contains(own)));
    }
    if fields.is_set("withoutTenantId")? {
        rows.retain(|row| row.tenant.is_none());
    }
    answer::sort(&mut rows, order, |by, left, right| match by {
        "tenantId" => left.tenant.cmp(&right.tenant),
        _ => left.key.cmp(&right.key),
    });
    Ok(rows)
}

/// The list of what is waited for.
struct Subscriptions;

impl List for Subscriptions {
    const PATH: &'static str = "/event-subscription";
    const BY_BODY: bool = false;
    const SORTED_BY: &'static [&'static str] = &["created", "tenantId"];
    type Row = potok::row::Subscription;

    async fn find(engine: &Engine, asked: &Asked<'_>) -> Result<Vec<potok::row::Subscription>, Fault> {
        search_subscriptions(engine, asked).await
    }

    async fn shown(_: &Engine, rows: Vec<Self::Row>, _: &Fields) -> Result<Vec<Json>, Fault> {
        Ok(rows.iter().map(of_subscription).collect())
    }
}

/// An execution for each instance, and for what waits in it. Programs look here for who waits for a message or signal.
async fn search(engine: &Engine, asked: &Asked<'_>) -> Result<Vec<Json>, Fault> {
    let fields = asked.fields;
    let mut query = InstanceQuery { states: vec![InstanceState::Active], ..InstanceQuery::default() };
    if let Some(text) = fields.text("processInstanceId")? {
        match id::parse(&text) {
            Some(key) => query.keys.push(key),
            None => return Ok(Vec::new()),
        }
    }
    query.processes = fields.text("processDefinitionKey")?.into_iter().collect();
    query.business_key = fields.text("businessKey")?;
    query.tenants = fields.list("tenantIdIn")?.unwrap_or_default();
    if fields.is_set("active")? {
        query.suspended = Some(false);
    }
    if fields.is_set("suspended")? {
        query.suspended = Some(true);
    }
    let conditions = Conditions::of(fields, "processVariables")?;
    query.variables = conditions.in_database();
    if let Some(text) = fields.text("processDefinitionId")? {
        query.definition = id::parse_definition(&text);
        if query.definition.is_none() {
            return Ok(Vec::new());
        }
    }
    let (message, signal) = (fields.text("messageEventSubscriptionName")?, fields.text("signalEventSubscriptionName")?);
    let node = fields.text("activityId")?;
    let plain = message.is_none() && signal.is_none() && node.is_none();
    let own = Conditions::of(fields, "variables")?;
    let of_incident = fields.only(&["incidentId", "incidentMessage", "incidentMessageLike", "incidentType"]);
    let stuck = match of_incident.members().is_empty() {
        true => None,
        false => Some(incident::executions(engine, &of_incident).await?),
    };
    let mut instances = engine.instances(&query).await?;
    answer::sort(&mut instances, &asked.order, |by, left, right| match by {
        "definitionKey" => left.process.cmp(&right.process),
        "definitionId" => left.definition.cmp(&right.definition),
        "tenantId" => left.tenant.cmp(&right.tenant),
        _ => left.key.cmp(&right.key),
    });
    let mut all = Vec::new();
    for instance in instances {
        if conditions.need_a_look() && !conditions.hold(&engine.instance(instance.id()).variables().await?) {
            continue;
        }
        let shown = |id: String| {
            json!({
                "id": id,
                "processInstanceId": id::id(instance.key),
                "ended": false,
                "tenantId": instance.tenant.as_deref(),
            })
        };
        let graph = engine.graph(instance.definition_id()).await?;
        let state = engine.instance(instance.id()).state().await?;
        // Those that have such variables themselves, and are stuck so, where that is asked for.
        let mut named: Option<Vec<String>> =
            stuck.as_ref().map(|stuck| stuck.get(&instance.key).cloned().unwrap_or_default());
        if !own.is_empty() {
            let found = variable_instance::executions(&state, graph.as_deref())
                .filter(|(execution, variables)| {
                    own.hold(variables) && named.as_ref().is_none_or(|named| named.contains(execution))
                })
                .map(|(execution, _)| execution);
            named = Some(found.collect());
        }
        if plain {
            all.extend(named.clone().unwrap_or_else(|| vec![id::id(instance.key)]).into_iter().map(shown));
        }
        for wait in state.waits() {
            let fits = match &wait.kind {
                WaitKind::Message(own) => message.as_ref().is_some_and(|name| own.name == *name),
                WaitKind::Signal(own) => signal.as_ref().is_some_and(|name| own.name == *name),
                _ => false,
            };
            let stands = node.as_ref().is_some_and(|node| {
                graph.as_ref().and_then(|graph| graph.get_node(wait.node)).is_some_and(|own| own.id == *node)
            });
            let is_heard = (message.is_none() && signal.is_none()) || fits;
            // What got stuck beside what is waited for is the same execution.
            let is_beside = matches!(wait.kind, WaitKind::Incident(_))
                && state.waits().any(|other| other.key != wait.key && other.owner == wait.owner);
            let execution = id::part(wait.key, id::EXECUTION);
            let is_named = named.as_ref().is_none_or(|named| named.contains(&execution));
            if !plain && is_named && is_heard && (node.is_none() || stands) && !is_beside {
                all.push(shown(execution));
            }
        }
    }
    Ok(all)
}

/// The list of executions.
struct Executions;

impl List for Executions {
    const PATH: &'static str = "/execution";
    const SORTED_BY: &'static [&'static str] = &["instanceId", "definitionKey", "definitionId", "tenantId"];
    type Row = Json;

    async fn find(engine: &Engine, asked: &Asked<'_>) -> Result<Vec<Json>, Fault> {
        search(engine, asked).await
    }

    async fn shown(_: &Engine, rows: Vec<Json>, _: &Fields) -> Result<Vec<Json>, Fault> {
        Ok(rows)
    }
}
