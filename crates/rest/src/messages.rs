//! `/messages`, `/signals`, `/conditions`: what comes from outside; `/subscriptions`, `/timers`: what is waited for.

use std::time::Duration;

use axum::http::StatusCode;
use jiff::Timestamp;
use potok::query::{MessageQuery, SubscriptionQuery, TimerQuery};
use potok::{Delivery, Receiver, Value, row};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::body::Json;
use crate::caller::Caller;
use crate::instances::Instance;
use crate::problem::{Problem, Problems};
use crate::routes::{Routes, routes};
use crate::search::{self, ByAge, Found, Search, find, meant};
use crate::value::{Id, Variables, names, text, words};

pub(crate) fn routes() -> Routes {
    Routes::new()
        .routes(routes!(send))
        .routes(routes!(send_to_all))
        .routes(routes!(search))
        .routes(routes!(signal))
        .routes(routes!(evaluate))
        .routes(routes!(subscriptions))
        .routes(routes!(timers))
}

/// A message.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct NewMessage {
    name: String,
    /// Only to an instance with this business key; a process that it starts gets it.
    #[serde(default)]
    business_key: Option<String>,
    /// The key that subscriptions with a key must have.
    #[serde(default)]
    correlation_key: Option<serde_json::Value>,
    /// The values of correlation properties.
    #[serde(default)]
    properties: Variables,
    /// Only to an instance whose variables have these values.
    #[serde(default)]
    where_variables: Variables,
    /// What it carries.
    #[serde(default)]
    variables: Variables,
    /// A message that is sent twice with one id is delivered once; the second time is refused.
    #[serde(default)]
    id: Option<String>,
    /// Kept for so long if nobody waits for it; an hour unless this is given.
    #[serde(default)]
    #[schema(value_type = Option<u64>, maximum = 4_294_967_295_u64)]
    time_to_live_seconds: Option<u32>,
}

/// What became of a message.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Sent {
    outcome: Outcome,
    /// The instance that has it.
    instance: Option<Id>,
}

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Outcome {
    /// An instance that waited has it.
    Delivered,
    /// It started an instance.
    Started,
    /// It is one of several events that a process starts with; others are still to come.
    Noted,
    /// Nobody waits for it: it is kept for a while.
    Kept,
}

fn values(variables: Variables) -> Result<Vec<(potok::Name, Value)>, potok::Error> {
    potok::IntoVariables::into_variables(variables)
}

/// Sends a message
///
/// To the one subscription that takes it; else it starts a process; else it is kept for a while.
#[utoipa::path(post, path = "/messages", tag = "messages", operation_id = "sendMessage",
    responses((status = 200, body = Sent, description = "What became of it"), Problems))]
async fn send(caller: Caller, Json(body): Json<NewMessage>) -> Result<Json<Sent>, Problem> {
    let delivery = caller.once(|engine| async move {
        let mut message = engine.message(body.name).variables(body.variables);
        if let Some(key) = body.business_key {
            message = message.business_key(key);
        }
        if let Some(key) = body.correlation_key {
            let key = Value::from_json(key);
            let wrong = |error| potok::Error::Variable { name: "correlationKey".into(), error };
            message = message.correlation_key(key.map_err(wrong)?);
        }
        for (name, value) in values(body.properties)? {
            message = message.property(name, value);
        }
        for (name, value) in values(body.where_variables)? {
            message = message.where_variable(name, value);
        }
        if let Some(id) = body.id {
            message = message.id(id);
        }
        if let Some(seconds) = body.time_to_live_seconds {
            message = message.time_to_live(Duration::from_secs(seconds.into()));
        }
        message.send().await
    });
    let (outcome, instance) = match delivery.await? {
        Delivery::Delivered(instance) => (Outcome::Delivered, Some(instance.into())),
        Delivery::Started(instance) => (Outcome::Started, Some(instance.into())),
        Delivery::Noted => (Outcome::Noted, None),
        Delivery::Kept => (Outcome::Kept, None),
    };
    Ok(Json(Sent { outcome, instance }))
}

/// A message to all who take it.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct NewMessageToAll {
    name: String,
    /// Only to this instance.
    #[serde(default)]
    instance: Option<Id>,
    /// Only to instances with this business key; processes that it starts get it.
    #[serde(default)]
    business_key: Option<String>,
    /// Only to instances and processes of this tenant, or of none if it is empty; to all within reach unless it is given.
    #[serde(default)]
    tenant: Option<String>,
    /// Only to instances whose variables have these values. Processes that it starts have none yet, and need not.
    #[serde(default)]
    where_variables: Variables,
    /// Only to instances that wait (false), or only to processes that it starts (true).
    #[serde(default)]
    starts: Option<bool>,
    /// What it carries.
    #[serde(default)]
    variables: Variables,
    /// What it carries for the events and receive tasks alone that wait for it: gone once those have been left.
    #[serde(default)]
    local_variables: Variables,
}

/// Sends a message to all who take it
///
/// To all subscriptions, and to all processes that it starts, in one transaction. It is not kept for whoever waits for it later.
#[utoipa::path(post, path = "/messages/all", tag = "messages", operation_id = "sendMessageToAll",
    responses((status = 200, body = Vec<Sent>, description = "Who has it; perhaps nobody"), Problems))]
async fn send_to_all(caller: Caller, Json(body): Json<NewMessageToAll>) -> Result<Json<Vec<Sent>>, Problem> {
    let sent = caller.once(|engine| async move {
        let mut message = engine.correlate(body.name).variables(body.variables).local_variables(body.local_variables);
        if let Some(instance) = body.instance {
            message = message.instance(instance.into());
        }
        if let Some(key) = body.business_key {
            message = message.business_key(key);
        }
        if let Some(tenant) = body.tenant {
            message = message.tenant(tenant);
        }
        for (name, value) in values(body.where_variables)? {
            message = message.where_variable(name, value);
        }
        if let Some(starts) = body.starts {
            message = message.starts(starts);
        }
        message.send_to_all().await
    });
    let shown = |receiver: &Receiver| Sent {
        outcome: match receiver {
            Receiver::Waiting { .. } => Outcome::Delivered,
            Receiver::Started(_) => Outcome::Started,
        },
        instance: Some(receiver.instance_id().into()),
    };
    Ok(Json(sent.await?.iter().map(shown).collect()))
}

/// Which kept messages. All that is given must hold.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub(crate) struct MessageFilter {
    name: Option<String>,
    tenant: Option<String>,
    #[schema(value_type = Option<String>, format = DateTime)]
    kept_at: Option<Timestamp>,
}

/// A message that nobody has waited for yet.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Message {
    id: Id,
    name: String,
    tenant: Option<String>,
    correlation_key: Option<String>,
    business_key: Option<String>,
    /// The instance that threw it.
    sender: Option<Id>,
    #[schema(value_type = String, format = DateTime)]
    created: Timestamp,
    /// When it is dropped.
    #[schema(value_type = String, format = DateTime)]
    expires: Timestamp,
}

/// Searches messages that are kept because nobody waits for them yet
#[utoipa::path(post, path = "/messages/search", tag = "messages", operation_id = "searchMessages",
    responses((status = 200, body = Found<Message>, description = "A page of them"), Problems))]
async fn search(
    caller: Caller,
    Json(search): Json<Search<MessageFilter, ByAge>>,
) -> Result<Json<Found<Message>>, Problem> {
    let search = search.without_variables()?;
    let page = search.paging()?;
    let filter = search.filter.unwrap_or_default();
    let query = MessageQuery {
        name: filter.name.map(Into::into),
        tenant: filter.tenant.map(Into::into),
        kept_at: Some(filter.kept_at.unwrap_or_else(|| caller.engine.clock().now())),
        page,
        ..MessageQuery::default()
    };
    let view = |row: row::Message| Message {
        id: row.key.into(),
        name: row.name.to_string(),
        tenant: text(row.tenant.as_ref()),
        correlation_key: text(row.correlation.as_ref()),
        business_key: text(row.business_key.as_ref()),
        sender: row.sender.map(Id::from),
        created: row.created,
        expires: row.expires,
    };
    Ok(Json(find(&caller.engine, &query, search.count_only, view).await?))
}

/// A signal.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewSignal {
    name: String,
    /// What it carries.
    #[serde(default)]
    variables: Variables,
}

/// Sends a signal
///
/// To all instances that wait for it, and to the processes that it starts.
#[utoipa::path(post, path = "/signals", tag = "messages", operation_id = "sendSignal",
    responses((status = 204, description = "It is sent"), Problems))]
async fn signal(caller: Caller, Json(body): Json<NewSignal>) -> Result<StatusCode, Problem> {
    caller.once(|engine| async move { engine.signal(body.name, body.variables).await }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Data that may start processes.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct NewData {
    /// What conditions are asked about, and what starts begins with.
    #[serde(default)]
    variables: Variables,
    /// Whatever starts gets this business key.
    #[serde(default)]
    business_key: Option<String>,
    /// Only processes of this tenant, or of none if it is empty; of all within reach unless it is given.
    #[serde(default)]
    tenant: Option<String>,
    /// Only this version of a process, also if there are newer ones: its key (the newest), `key@version`, `key@tag` or id.
    #[serde(default)]
    definition: Option<String>,
}

/// What data has started.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Begun {
    instances: Vec<Instance>,
}

/// Evaluates the conditions that start processes
///
/// An instance begins at each conditional start event whose condition holds for the variables: of the newest versions, unless one is named.
/// All of them begin together; where a condition cannot be computed, none does. What is suspended is passed over.
#[utoipa::path(post, path = "/conditions", tag = "messages", operation_id = "evaluateConditions",
    responses((status = 200, body = Begun, description = "What has begun; perhaps nothing"), Problems))]
async fn evaluate(caller: Caller, Json(body): Json<NewData>) -> Result<Json<Begun>, Problem> {
    let begun = caller.once(|engine| async move {
        let mut told = engine.evaluate_conditions(body.variables);
        if let Some(key) = body.business_key {
            told = told.business_key(key);
        }
        if let Some(definition) = meant(&engine, body.definition.as_deref(), body.tenant.as_deref()).await? {
            told = told.definition(definition.into());
        }
        if let Some(tenant) = body.tenant {
            told = told.tenant(tenant);
        }
        told.send().await
    });
    let instances = begun.await?.iter().map(|instance| Instance::from(&**instance)).collect();
    Ok(Json(Begun { instances }))
}

words! {
    /// What a subscription is for.
    SubscriptionKind for row::SubscriptionKind {
        /// A message.
        Message,
        /// A signal.
        Signal,
        /// A condition on variables.
        Condition,
    }
}

/// Which subscriptions. All that is given must hold.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub(crate) struct SubscriptionFilter {
    kind: Option<SubscriptionKind>,
    /// Of messages or signals with one of these names.
    #[serde(deserialize_with = "search::some")]
    #[schema(min_items = 1)]
    names: Vec<String>,
    #[serde(deserialize_with = "search::some")]
    #[schema(min_items = 1)]
    instances: Vec<Id>,
    /// Its key (the newest version), `key@version`, `key@tag` or id.
    definition: Option<String>,
    process: Option<String>,
    node: Option<String>,
    /// Whether they start instances.
    starts: Option<bool>,
    business_key: Option<String>,
    tenant: Option<String>,
}

/// A message, signal or condition that is waited for.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Subscription {
    id: Id,
    kind: SubscriptionKind,
    /// The message's or signal's name.
    name: String,
    /// The instance that waits; none if it starts one.
    instance: Option<Id>,
    definition: Id,
    process: String,
    /// The id of the flow node.
    node: String,
    /// It starts an instance.
    starts: bool,
    /// The key that a message must carry.
    correlation_key: Option<String>,
    business_key: Option<String>,
    tenant: Option<String>,
}

/// Searches messages, signals and conditions that are waited for
#[utoipa::path(post, path = "/subscriptions/search", tag = "messages", operation_id = "searchSubscriptions",
    responses((status = 200, body = Found<Subscription>, description = "A page of them"), Problems))]
async fn subscriptions(
    caller: Caller,
    Json(search): Json<Search<SubscriptionFilter, ByAge>>,
) -> Result<Json<Found<Subscription>>, Problem> {
    let search = search.without_variables()?;
    let page = search.paging()?;
    let filter = search.filter.unwrap_or_default();
    let query = SubscriptionQuery {
        kind: filter.kind.map(Into::into),
        names: names(filter.names),
        instances: filter.instances.into_iter().map(Id::key).collect(),
        definition: meant(&caller.engine, filter.definition.as_deref(), filter.tenant.as_deref()).await?,
        process: filter.process.map(Into::into),
        node: filter.node.map(Into::into),
        starts: filter.starts,
        business_key: filter.business_key.map(Into::into),
        tenant: filter.tenant.map(Into::into),
        page,
        ..SubscriptionQuery::default()
    };
    let view = |row: row::Subscription| Subscription {
        id: row.key.into(),
        kind: row.kind.into(),
        name: row.name.to_string(),
        instance: Some(row.instance.into()).filter(|_| !row.starts),
        definition: row.definition.into(),
        process: row.process.to_string(),
        node: row.node.to_string(),
        starts: row.starts,
        correlation_key: text(row.correlation.as_ref()),
        business_key: text(row.business_key.as_ref()),
        tenant: text(row.tenant.as_ref()),
    };
    Ok(Json(find(&caller.engine, &query, search.count_only, view).await?))
}

/// Which timers. All that is given must hold.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub(crate) struct TimerFilter {
    #[serde(deserialize_with = "search::some")]
    #[schema(min_items = 1)]
    ids: Vec<Id>,
    #[serde(deserialize_with = "search::some")]
    #[schema(min_items = 1)]
    instances: Vec<Id>,
    /// Its key (the newest version), `key@version`, `key@tag` or id.
    definition: Option<String>,
    #[schema(value_type = Option<String>, format = DateTime)]
    due_before: Option<Timestamp>,
}

/// A point in time that is waited for.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Timer {
    id: Id,
    instance: Id,
    definition: Id,
    process: String,
    /// The id of the flow node.
    node: String,
    /// When it fires.
    #[schema(value_type = String, format = DateTime)]
    due: Timestamp,
    /// Does not fire while its instance is suspended.
    suspended: bool,
}

/// Searches timers, by when they are due
#[utoipa::path(post, path = "/timers/search", tag = "messages", operation_id = "searchTimers",
    responses((status = 200, body = Found<Timer>, description = "A page of them"), Problems))]
async fn timers(caller: Caller, Json(search): Json<Search<TimerFilter, ByAge>>) -> Result<Json<Found<Timer>>, Problem> {
    let search = search.without_variables()?;
    let page = search.paging()?;
    let filter = search.filter.unwrap_or_default();
    let query = TimerQuery {
        keys: filter.ids.into_iter().map(Id::key).collect(),
        instances: filter.instances.into_iter().map(Id::key).collect(),
        definition: meant(&caller.engine, filter.definition.as_deref(), None).await?,
        due_before: filter.due_before,
        page,
        ..TimerQuery::default()
    };
    let view = |row: row::Timer| Timer {
        id: row.key.into(),
        instance: row.instance.into(),
        definition: row.definition.into(),
        process: row.process.to_string(),
        node: row.node.to_string(),
        due: row.due,
        suspended: row.suspended,
    };
    Ok(Json(find(&caller.engine, &query, search.count_only, view).await?))
}
