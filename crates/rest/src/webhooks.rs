//! `/webhooks`: who is told by HTTP what happens.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use potok::query::{DeliveryQuery, WebhookQuery};
use potok::{WebhookId, row};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::body::{Json, Path};
use crate::caller::Caller;
use crate::problem::{Problem, Problems};
use crate::routes::{Routes, routes};
use crate::search::{self, ByAge, Found, Search, find};
use crate::value::{Id, names, text, words};

pub(crate) fn routes() -> Routes {
    Routes::new()
        .routes(routes!(create))
        .routes(routes!(search))
        .routes(routes!(get, delete))
        .routes(routes!(search_deliveries))
        .routes(routes!(retry))
        .routes(routes!(discard))
}

/// Somebody to be told what happens.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewWebhook {
    /// Where they are told, by HTTPS. It must be a public address, unless the server is told otherwise.
    #[schema(examples("https://example.com/potok"))]
    url: String,
    /// Only events of these kinds, such as `instance-completed`, `task-created`, `job-failed`, `incident-raised`; all if there are none.
    #[serde(default)]
    events: Vec<String>,
    /// Only what happens in these processes; in all if there are none.
    #[serde(default)]
    processes: Vec<String>,
    /// Only what belongs to this tenant.
    #[serde(default)]
    tenant: Option<String>,
}

/// A webhook that was made.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct CreatedWebhook {
    id: Id,
    /// What messages are signed with, as Standard Webhooks has it. It cannot be had again.
    secret: String,
}

impl IntoResponse for CreatedWebhook {
    fn into_response(self) -> Response {
        let location = format!("/api/v1/webhooks/{}", self.id);
        (StatusCode::CREATED, [(header::LOCATION, location)], Json(self)).into_response()
    }
}

/// Who is told what happens.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Webhook {
    id: Id,
    url: String,
    events: Vec<String>,
    processes: Vec<String>,
    tenant: Option<String>,
    /// Who asked for it.
    author: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    created: Timestamp,
}

impl From<&potok::Webhook> for Webhook {
    fn from(row: &potok::Webhook) -> Self {
        Self {
            id: row.id().into(),
            url: row.url.to_string(),
            events: row.events.iter().map(ToString::to_string).collect(),
            processes: row.processes.iter().map(ToString::to_string).collect(),
            tenant: text(row.tenant.as_ref()),
            author: text(row.author.as_ref()),
            created: row.created,
        }
    }
}

/// Tells a program elsewhere what happens from now on
///
/// By a `POST` for each event, at least once, and until it answers with a status of 2xx: signed, with an id that stays the same, as Standard
/// Webhooks (https://www.standardwebhooks.com) has it. After ten tries in two and a half days an event is given up, and kept.
#[utoipa::path(post, path = "/webhooks", tag = "webhooks", operation_id = "createWebhook",
    responses((status = 201, body = CreatedWebhook, description = "It is told"), Problems))]
async fn create(caller: Caller, Json(body): Json<NewWebhook>) -> Result<CreatedWebhook, Problem> {
    let create = |engine: potok::Engine| async move {
        let mut new = engine.webhook(body.url);
        for event in body.events {
            new = new.event(event);
        }
        for process in body.processes {
            new = new.process(process);
        }
        if let Some(tenant) = body.tenant {
            new = new.tenant(tenant);
        }
        let (webhook, secret) = new.send().await?;
        Ok((webhook.id(), secret.reveal().to_owned()))
    };
    let (id, secret): (WebhookId, String) = caller.once(create).await?;
    Ok(CreatedWebhook { id: id.into(), secret })
}

/// Which webhooks.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct WebhookFilter {
    #[serde(deserialize_with = "search::some")]
    #[schema(min_items = 1)]
    ids: Vec<Id>,
}

/// Searches webhooks
#[utoipa::path(post, path = "/webhooks/search", tag = "webhooks", operation_id = "searchWebhooks",
    responses((status = 200, body = Found<Webhook>, description = "A page of them"), Problems))]
async fn search(
    caller: Caller,
    Json(search): Json<Search<WebhookFilter, ByAge>>,
) -> Result<Json<Found<Webhook>>, Problem> {
    let search = search.without_variables()?;
    let page = search.paging()?;
    let keys: Vec<_> = search.filter.unwrap_or_default().ids.into_iter().map(Id::key).collect();
    if search.count_only {
        let all = caller.engine.webhooks(&WebhookQuery { keys, ..WebhookQuery::default() }).await?;
        return Ok(Json(Found::count(all.rows.len() as u64)));
    }
    let page = caller.engine.webhooks(&WebhookQuery { keys, page }).await?;
    Ok(Json(Found::page(page, |row| Webhook::from(&row))))
}

/// A webhook
#[utoipa::path(get, path = "/webhooks/{id}", tag = "webhooks", operation_id = "getWebhook",
    params(("id" = Id, Path, description = "Its id")),
    responses((status = 200, body = Webhook, description = "The webhook"), Problems))]
async fn get(caller: Caller, Path(id): Path<Id>) -> Result<Json<Webhook>, Problem> {
    let query = WebhookQuery { keys: vec![id.key()], ..WebhookQuery::default() };
    let found = caller.engine.webhooks(&query).await?.rows.pop();
    Ok(Json(Webhook::from(&found.ok_or(potok::Error::UnknownWebhook(id.into()))?)))
}

/// Tells a webhook nothing more, and forgets what it has not been told
#[utoipa::path(delete, path = "/webhooks/{id}", tag = "webhooks", operation_id = "deleteWebhook",
    params(("id" = Id, Path, description = "Its id")),
    responses((status = 204, description = "It is gone"), Problems))]
async fn delete(caller: Caller, Path(id): Path<Id>) -> Result<StatusCode, Problem> {
    caller.once(|engine| async move { engine.remove_webhook(id.into()).await }).await?;
    Ok(StatusCode::NO_CONTENT)
}

words! {
    /// Whether a webhook will be told something.
    DeliveryState for row::DeliveryState {
        /// It will.
        Waiting,
        /// It was tried often enough.
        Dead,
    }
}

/// An event that a webhook has not been told yet.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Delivery {
    id: Id,
    webhook: Id,
    /// The event's id, as `webhook-id` has it.
    event: String,
    /// The kind of event.
    kind: String,
    /// The instance that it happened to.
    instance: Id,
    /// When it happened.
    #[schema(value_type = String, format = DateTime)]
    created: Timestamp,
    state: DeliveryState,
    /// How often it has been tried.
    tries: i64,
    /// When it is tried next.
    #[schema(value_type = String, format = DateTime)]
    due: Timestamp,
    /// What went wrong at the last try.
    error: Option<String>,
}

impl From<row::Delivery> for Delivery {
    fn from(row: row::Delivery) -> Self {
        Self {
            id: row.key.into(),
            webhook: row.webhook.into(),
            event: row.event.to_string(),
            kind: row.kind.to_string(),
            instance: row.instance.into(),
            created: row.created,
            state: row.state.into(),
            tries: row.tries,
            due: row.due,
            error: text(row.error.as_ref()),
        }
    }
}

/// Which deliveries. All that is given must hold.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct DeliveryFilter {
    #[serde(deserialize_with = "search::some")]
    #[schema(min_items = 1)]
    webhooks: Vec<Id>,
    /// In one of these states.
    #[serde(deserialize_with = "search::some")]
    #[schema(min_items = 1)]
    states: Vec<DeliveryState>,
    /// Of one of these kinds of events.
    #[serde(deserialize_with = "search::some")]
    #[schema(min_items = 1)]
    kinds: Vec<String>,
    #[serde(deserialize_with = "search::some")]
    #[schema(min_items = 1)]
    instances: Vec<Id>,
}

/// Sorted by when they are due, and by nothing else.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum ByDue {
    /// By when they are due.
    Due,
}

/// Searches what webhooks have not been told
#[utoipa::path(post, path = "/webhooks/deliveries/search", tag = "webhooks", operation_id = "searchDeliveries",
    responses((status = 200, body = Found<Delivery>, description = "A page of them"), Problems))]
async fn search_deliveries(
    caller: Caller,
    Json(search): Json<Search<DeliveryFilter, ByDue>>,
) -> Result<Json<Found<Delivery>>, Problem> {
    let search = search.without_variables()?;
    let page = search.paging()?;
    let filter = search.filter.unwrap_or_default();
    let query = DeliveryQuery {
        webhooks: filter.webhooks.into_iter().map(Id::key).collect(),
        states: filter.states.into_iter().map(Into::into).collect(),
        kinds: names(filter.kinds),
        instances: filter.instances.into_iter().map(Id::key).collect(),
        page,
        ..DeliveryQuery::default()
    };
    Ok(Json(find(&caller.engine, &query, search.count_only, Delivery::from).await?))
}

/// Tries again now to tell a webhook something
///
/// Also what was given up, with as many tries as in the beginning.
#[utoipa::path(post, path = "/webhooks/deliveries/{id}/retry", tag = "webhooks", operation_id = "retryDelivery",
    params(("id" = Id, Path, description = "Its id")),
    responses((status = 204, description = "It is tried"), Problems))]
async fn retry(caller: Caller, Path(id): Path<Id>) -> Result<StatusCode, Problem> {
    caller.once(|engine| async move { engine.retry_delivery(id.into()).await }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Gives up for good to tell a webhook something
#[utoipa::path(delete, path = "/webhooks/deliveries/{id}", tag = "webhooks", operation_id = "discardDelivery",
    params(("id" = Id, Path, description = "Its id")),
    responses((status = 204, description = "It is gone"), Problems))]
async fn discard(caller: Caller, Path(id): Path<Id>) -> Result<StatusCode, Problem> {
    caller.once(|engine| async move { engine.discard_delivery(id.into()).await }).await?;
    Ok(StatusCode::NO_CONTENT)
}
