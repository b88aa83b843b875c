//! `/events`: what happens, as it happens (server-sent events), for whoever listens; it goes on where a listener has left off.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use potok::{Engine, Name, News, Occurrence, Position};
use potok_core::instance::Key;
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use utoipa::{IntoParams, ToSchema};

use crate::App;
use crate::body::Query;
use crate::caller::{Caller, Credentials};
use crate::problem::{Problem, Problems};
use crate::routes::{Routes, routes};
use crate::search::meant;
use crate::value::{Id, text};

/// Rows of the log that are read at once.
const PAGE: usize = 100;

/// How long it waits at a time.
const BREATH: Duration = Duration::from_secs(1);

pub(crate) fn routes() -> Routes {
    Routes::new().routes(routes!(events))
}

/// What a listener wants to hear of. All that is given must hold.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(crate) struct Interest {
    /// Only of this instance.
    instance: Option<Id>,
    /// Only of instances of this definition: by its key (the version that is the newest now), `key@version`, `key@tag` or id.
    definition: Option<String>,
    /// Only of instances of this process.
    process: Option<String>,
    /// Only of tasks that this user has, or may claim.
    user: Option<String>,
    /// From there on, as `Last-Event-ID`; from now on unless one of them is given.
    after: Option<String>,
}

/// Something that has happened.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Told {
    instance: Id,
    definition: Id,
    /// The id of its process; none if it is a task that belongs to no process.
    process: Option<String>,
    /// The row of the instance's history.
    seq: u64,
    #[schema(value_type = String, format = DateTime)]
    time: Timestamp,
    /// Who asked for it.
    by: Option<String>,
    /// What happened, in a word: `instance-started`, `task-created`, `job-failed`, `incident-raised` and so on.
    event: String,
    /// What there is to say of it: `task`, `job`, `incident`, `node`, `topic`, `assignee`, `code`, `name`...
    #[serde(flatten)]
    #[schema(value_type = std::collections::BTreeMap<String, serde_json::Value>)]
    details: serde_json::Map<String, serde_json::Value>,
}

/// Tells what happens, as it happens
///
/// Server-sent events: each is of the type that its `event` says, and its data is a JSON object. Whoever comes back with the
/// `Last-Event-ID` of the last one misses nothing; what one command did may then be told again.
#[utoipa::path(get, path = "/events", tag = "history", operation_id = "followEvents",
    params(Interest, ("last-event-id" = Option<String>, Header, description = "The `id` of the last event that was heard")),
    responses((status = 200, body = Told, content_type = "text/event-stream", description = "What happens"), Problems))]
async fn events(
    caller: Caller,
    State(app): State<App>,
    headers: HeaderMap,
    Query(interest): Query<Interest>,
) -> Result<Response, Problem> {
    let last = headers.get("last-event-id").and_then(|last| last.to_str().ok());
    let after = match last.or(interest.after.as_deref()) {
        Some(text) => text.parse::<Position>().map_err(potok::Error::from)?,
        None => caller.engine.feed_end().await?,
    };
    let definition = meant(&caller.engine, interest.definition.as_deref(), None).await?;
    let (sender, receiver) = mpsc::channel(PAGE);
    tokio::spawn(follow(app, caller.credentials, interest, definition, after, sender));
    let stream = Sse::new(ReceiverStream::new(receiver)).keep_alive(KeepAlive::default());
    // Proxies are not to gather them.
    Ok(([("x-accel-buffering", "no")], stream).into_response())
}

async fn follow(
    app: App,
    credentials: Credentials,
    interest: Interest,
    definition: Option<Key>,
    mut after: Position,
    sender: mpsc::Sender<Result<Event, Infallible>>,
) {
    // Where it begins, so that whoever is cut off before the first event can come back, too.
    let begin = Event::default().id(after.to_string()).comment("from here on");
    if sender.send(Ok(begin)).await.is_err() {
        return;
    }
    while !app.stop.is_told() && !sender.is_closed() {
        // Whoever can no longer sign in hears no more.
        let Ok(engine) = credentials.engine(&app).await else { return };
        let feed = match engine.feed(after, PAGE, BREATH).await {
            Ok(feed) => feed,
            Err(error) => {
                // The listener comes back.
                tracing::warn!(%error, "the feed broke off");
                return;
            }
        };
        after = feed.end;
        for one in feed.news {
            let told = match tell(&engine, &interest, definition, &one).await {
                Ok(told) => told,
                Err(error) => {
                    tracing::warn!(%error, "the feed broke off");
                    return;
                }
            };
            let count = told.len();
            for (place, told) in told.into_iter().enumerate() {
                let mut event =
                    Event::default().event(&told.event).data(serde_json::to_string(&told).unwrap_or_default());
                // Only the last one of a row: whoever is cut off before it hears all of them again.
                if place + 1 == count {
                    event = event.id(one.position.to_string());
                }
                if sender.send(Ok(event)).await.is_err() {
                    return;
                }
            }
        }
    }
}

/// What of a row of the log a listener wants to hear.
async fn tell(
    engine: &Engine,
    interest: &Interest,
    definition: Option<Key>,
    news: &News,
) -> Result<Vec<Told>, potok::Error> {
    let fits = interest.instance.is_none_or(|id| id == news.instance.into())
        && definition.is_none_or(|key| key == news.definition.into())
        && interest.process.as_ref().is_none_or(|process| news.process.as_deref() == Some(process));
    if !fits {
        return Ok(Vec::new());
    }
    let mut told = Vec::new();
    for event in &news.events {
        if let Some(user) = &interest.user
            && !concerns(engine, user, event).await?
        {
            continue;
        }
        let Ok(serde_json::Value::Object(mut details)) = serde_json::to_value(event) else { continue };
        let word = details.remove("event").and_then(|word| word.as_str().map(str::to_owned)).unwrap_or_default();
        told.push(Told {
            instance: news.instance.into(),
            definition: news.definition.into(),
            process: text(news.process.as_ref()),
            seq: news.seq,
            time: news.time,
            by: text(news.by.as_ref()),
            event: word,
            details,
        });
    }
    Ok(told)
}

/// Whether something is about a task that a user has, or may claim.
async fn concerns(engine: &Engine, user: &str, event: &Occurrence) -> Result<bool, potok::Error> {
    let Some(task) = event.task() else { return Ok(false) };
    let task = match engine.task(task).await {
        Ok(task) => task,
        Err(error) if error.fault() == potok::Fault::Unknown => return Ok(false),
        Err(error) => return Err(error),
    };
    let is_user = |name: &Name| name == user;
    if task.assignee.as_ref().or(task.owner.as_ref()).is_some_and(is_user) || task.candidate_users.iter().any(is_user) {
        return Ok(true);
    }
    if task.assignee.is_some() || task.candidate_groups.is_empty() {
        return Ok(task.assignee.is_none() && task.candidate_users.is_empty());
    }
    let groups = engine.people().groups_of(user).await?;
    Ok(task.candidate_groups.iter().any(|group| groups.contains(group)))
}
