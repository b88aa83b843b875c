//! What happened to instances, how they were and are, and what that amounts to.

use axum::http::header;
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use potok::{Case, Format};
use potok_core::graph::ProcessGraph;
use potok_core::instance::{NONE, Phase, ScopeKind, State, TokenState};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::body::{Json, Path, Query};
use crate::caller::Caller;
use crate::instances::InstanceFilter;
use crate::pieces;
use crate::problem::{Problem, Problems};
use crate::routes::{Routes, routes};
use crate::value::{Id, Variables};

pub(crate) fn routes() -> Routes {
    Routes::new()
        .routes(routes!(state))
        .routes(routes!(history))
        .routes(routes!(finished))
        .routes(routes!(export))
        .routes(routes!(clean_up))
}

/// Which moment.
#[derive(Clone, Copy, Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(crate) struct Moment {
    /// After this row of its history (see `seq` there), rather than now.
    at: Option<u64>,
}

/// How an instance is or was.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct InstanceSnapshot {
    /// Whether it runs.
    active: bool,
    /// The version of its process at that moment.
    definition: Id,
    tokens: Vec<Token>,
    scopes: Vec<Scope>,
    waits: Vec<Wait>,
}

/// Where something goes on.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Token {
    /// Its number, never used again: for modifications.
    token: u32,
    /// The id of the flow node that it stands on.
    node: String,
    /// The scope that it belongs to.
    scope: u32,
    /// The scope that its flow node has opened for it.
    inside: Option<u32>,
    /// It is in the queue of a join.
    joining: bool,
}

/// What a scope is for.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Kind {
    /// The process itself.
    Process,
    /// One activity.
    Activity,
    /// A loop around its rounds.
    Loop,
}

/// Where variables live, and tokens.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Scope {
    /// Its number: for modifications.
    scope: u32,
    kind: Kind,
    /// The id of the flow node that it belongs to; none for the process itself.
    node: Option<String>,
    /// The scope around it.
    parent: Option<u32>,
    /// It is complete, and kept because it may still be compensated.
    kept: bool,
    variables: Variables,
}

/// Something that is waited for.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Wait {
    /// Under this id: that of a task, job, timer, incident and so on.
    id: Id,
    /// `user task`, `job`, `timer`, `message`, `signal`, `condition`, `call`, `continuation`, `ad-hoc`, `compensation` or `incident`.
    kind: String,
    /// The id of the flow node.
    node: String,
}

/// The state of an instance, now or in the past
///
/// Its tokens, scopes with their variables, and what it waits for.
#[utoipa::path(get, path = "/instances/{id}/state", tag = "history", operation_id = "getInstanceState",
    params(("id" = Id, Path, description = "Its id"), Moment),
    responses((status = 200, body = InstanceSnapshot, description = "How it is or was"), Problems))]
async fn state(
    caller: Caller,
    Path(id): Path<Id>,
    Query(Moment { at }): Query<Moment>,
) -> Result<Json<InstanceSnapshot>, Problem> {
    let case = caller.engine.instance(id.into());
    let (state, definition) = match at {
        Some(seq) => (case.at(seq).await?, definition_at(&case, seq).await?),
        None => (case.state().await?, case.get().await?.definition_id()),
    };
    let graph = caller.engine.graph(definition).await?.ok_or(potok::Error::UnknownDefinition(definition))?;
    Ok(Json(shown(&state, &graph, definition.into())))
}

/// Which definition an instance was of after a row of its history.
async fn definition_at(case: &Case, seq: u64) -> Result<potok::DefinitionId, Problem> {
    let row = case.history(seq.saturating_sub(1), 1).await?.pop();
    match row {
        Some(entry) => Ok(entry.definition),
        None => Ok(case.get().await?.definition_id()),
    }
}

fn shown(state: &potok_core::instance::Instance, graph: &ProcessGraph, definition: Id) -> InstanceSnapshot {
    let ids: Vec<String> = graph.nodes().map(|node| node.id.to_string()).collect();
    let id = |ordinal: u32| usize::try_from(ordinal).ok().and_then(|place| ids.get(place)).cloned();
    let number = |number: u32| Some(number).filter(|number| *number != NONE);
    InstanceSnapshot {
        active: matches!(state.state(), State::Active),
        definition,
        tokens: state
            .tokens()
            .map(|(_, token)| Token {
                token: token.serial,
                node: id(token.node).unwrap_or_default(),
                scope: token.scope,
                inside: number(token.inside),
                joining: matches!(token.state, TokenState::Joined { .. }),
            })
            .collect(),
        scopes: state
            .scopes()
            .map(|(number_of, scope)| Scope {
                scope: number_of,
                kind: match scope.kind {
                    ScopeKind::Process => Kind::Process,
                    ScopeKind::Activity => Kind::Activity,
                    ScopeKind::Loop => Kind::Loop,
                },
                node: id(scope.node),
                parent: number(scope.parent),
                kept: scope.phase == Phase::Kept,
                variables: scope.variables().into(),
            })
            .collect(),
        waits: state
            .waits()
            .map(|wait| Wait {
                id: wait.key.into(),
                kind: wait.kind.word().to_owned(),
                node: id(wait.node).unwrap_or_default(),
            })
            .collect(),
    }
}

/// Something that happened to an instance.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Happening {
    /// The row of its history, from 1.
    seq: u64,
    #[schema(value_type = String, format = DateTime)]
    time: Timestamp,
    /// Who did it, as far as it is a person's doing.
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<String>,
    /// What happened, in a word: `started`, `visited`, `variableSet`, `incidentRaised`, `completed` and so on.
    event: String,
    /// What there is to say of it.
    #[serde(flatten)]
    #[schema(value_type = std::collections::BTreeMap<String, serde_json::Value>)]
    details: serde_json::Map<String, serde_json::Value>,
}

/// What happened to an instance, the oldest first
///
/// Told by flow node: entered, worked on, left; with variables, incidents, and what people did.
#[utoipa::path(get, path = "/instances/{id}/history", tag = "history", operation_id = "getInstanceHistory",
    params(("id" = Id, Path, description = "Its id")),
    responses((status = 200, body = Vec<Happening>, description = "What happened"), Problems))]
async fn history(caller: Caller, Path(id): Path<Id>) -> Result<Json<Vec<Happening>>, Problem> {
    let told = caller.engine.instance(id.into()).happenings().await?;
    let shown =
        told.iter().map(|happening| serde_json::to_value(happening).and_then(serde_json::from_value::<Happening>));
    let shown = shown.collect::<Result<Vec<_>, _>>();
    Ok(Json(shown.map_err(|error| Problem::internal("answer-unwritable", &error))?))
}

/// Which instances.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct OfInstances {
    #[serde(default)]
    filter: Option<InstanceFilter>,
}

/// How often a flow node was left, and how long that took.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FinishedElement {
    /// The id of the flow node.
    node: String,
    /// How often it was completed.
    completed: u64,
    /// How often it was cancelled.
    cancelled: u64,
    /// The time that a completed visit took on average, in seconds.
    mean_seconds: Option<f64>,
}

/// How often each flow node was left in instances, and how long that took
///
/// It is told by the histories of these instances, which are read for it: narrow them by process and time.
#[utoipa::path(post, path = "/history/elements", tag = "history", operation_id = "getFinishedElements",
    responses((status = 200, body = Vec<FinishedElement>, description = "By flow node"), Problems))]
async fn finished(caller: Caller, Json(body): Json<OfInstances>) -> Result<Json<Vec<FinishedElement>>, Problem> {
    let query = body.filter.unwrap_or_default().query(&caller.engine).await?;
    let elements = caller.engine.finished(&query).await?;
    let shown = elements.iter().map(|element| FinishedElement {
        node: element.node.to_string(),
        completed: element.completed,
        cancelled: element.cancelled,
        mean_seconds: element.mean().map(|mean| mean.as_secs_f64()),
    });
    Ok(Json(shown.collect()))
}

/// What was cleaned up.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub(crate) struct Cleaned {
    /// How many instances went, beside those that they had called.
    instances: usize,
}

/// Removes some of the history that has been kept long enough
///
/// As long as its process says, else as the server does; nothing that runs. The server does so by itself every few minutes. Where 100 or more
/// have gone there may be more.
#[utoipa::path(post, path = "/history/clean-up", tag = "history", operation_id = "cleanUpHistory",
    responses((status = 200, body = Cleaned, description = "What has gone; perhaps nothing"), Problems))]
async fn clean_up(caller: Caller) -> Result<Json<Cleaned>, Problem> {
    let instances = caller.once(|engine| async move { engine.clean_up().await }).await?;
    Ok(Json(Cleaned { instances }))
}

/// Which history, and how it is written.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ToExport {
    #[serde(default)]
    filter: Option<InstanceFilter>,
    #[serde(default)]
    format: ExportFormat,
    /// Only what happened from then on.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    from: Option<Timestamp>,
    /// Only what happened before.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    before: Option<Timestamp>,
}

/// How history is written.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum ExportFormat {
    /// A JSON object on each line.
    #[default]
    Lines,
    /// XES 2.0 (IEEE 1849).
    Xes,
}

/// Writes the history of instances for other programs, bit by bit
#[utoipa::path(post, path = "/history/export", tag = "history", operation_id = "exportHistory",
    responses((status = 200, body = String, content_type = "text/plain", description = "JSON lines, or XES"), Problems))]
async fn export(caller: Caller, Json(body): Json<ToExport>) -> Result<Response, Problem> {
    let body = pieces::body(|sender| async move {
        let query = body.filter.unwrap_or_default().query(&caller.engine).await?;
        let format = match body.format {
            ExportFormat::Lines => Format::default(),
            ExportFormat::Xes => Format::Xes,
        };
        let mut export = caller.engine.export(query).format(format);
        if let Some(from) = body.from {
            export = export.from(from);
        }
        if let Some(before) = body.before {
            export = export.before(before);
        }
        while let Some(piece) = export.chunk().await? {
            if sender.send(piece.into()).await.is_err() {
                break;
            }
        }
        Ok(())
    });
    Ok(([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], body.await?).into_response())
}
