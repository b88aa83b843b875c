//! Camunda 7's REST API, as version 7.24 answers. See `docs/camunda7.md`.

mod answer;
mod attachment;
mod authorization;
mod batch;
mod comment;
pub(crate) mod condition;
mod date;
mod decision_definition;
mod definition_query;
mod deployment;
mod error;
mod execution;
mod expression;
mod external_task;
mod external_task_query;
mod fields;
mod filter;
mod form;
mod group;
mod history;
pub(crate) mod id;
mod identity;
mod identity_link;
mod incident;
mod job;
mod job_definition;
mod link;
mod list;
mod message;
mod metrics;
mod migration;
mod model;
mod not_offered;
mod process_definition;
mod process_instance;
mod process_instance_query;
mod rendered_form;
mod restart;
mod start;
mod submission;
mod task;
mod task_query;
mod tenant;
mod tree;
mod user;
mod value;
mod variable_instance;
mod variables;
mod which;

use axum::Router;
use axum::extract::Request;
use axum::http::{Method, StatusCode, header};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use potok::Engine;
use serde_json::json;
use tower::ServiceExt as _;

use answer::{Answer, json as answer};
use error::Fault;

/// The version that this says it is: what its answers were compared with.
const VERSION: &str = "7.24.0";

/// The routes, to be nested under `/engine-rest`.
pub fn router(engine: Engine) -> Router {
    let routes = Router::new()
        .route("/version", axum::routing::get(version))
        .route("/engine", axum::routing::get(engines))
        .merge(attachment::routes())
        .merge(authorization::routes())
        .merge(batch::routes())
        .merge(decision_definition::routes())
        .merge(deployment::routes())
        .merge(execution::routes())
        .merge(external_task::routes())
        .merge(filter::routes())
        .merge(group::routes())
        .merge(history::routes())
        .merge(identity::routes())
        .merge(incident::routes())
        .merge(job::routes())
        .merge(job_definition::routes())
        .merge(message::routes())
        .merge(metrics::routes())
        .merge(migration::routes())
        .merge(not_offered::routes())
        .merge(process_definition::routes())
        .merge(process_instance::routes())
        .merge(restart::routes())
        .merge(start::routes())
        .merge(task::routes())
        .merge(tenant::routes())
        .merge(user::routes())
        .merge(variable_instance::routes())
        .method_not_allowed_fallback(async || Fault::wrong_method().into_response())
        .with_state(engine);
    let own = routes.clone();
    let all = Router::new().nest("/engine/default", own).merge(routes);
    let known = all.clone().fallback(async || Fault::unknown_route().into_response());
    all.fallback(move |request: Request| without_last_slash(known, request)).layer(from_fn(accepted))
}

/// A path means the same with a slash behind it.
async fn without_last_slash(known: Router, mut request: Request) -> Response {
    let uri = request.uri();
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    let path = uri.path().strip_suffix('/').filter(|path| !path.is_empty());
    match path.and_then(|path| format!("{path}{query}").parse().ok()) {
        Some(uri) => *request.uri_mut() = uri,
        None => return Fault::unknown_route().into_response(),
    }
    // A router never fails.
    known.oneshot(request).await.into_response()
}

/// Routes that give something else than JSON.
const OF_OTHER_TYPES: [&str; 9] = [
    "/data",
    "/deployed-form",
    "/deployed-start-form",
    "/diagram",
    "/error-details",
    "/errorDetails",
    "/process-instance/report",
    "/rendered-form",
    "/stacktrace",
];

/// Whoever asks for something and does not take JSON is given nothing. (What is done is done: many of those routes answer nothing.)
async fn accepted(request: Request, next: Next) -> Response {
    let accept = request.headers().get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let mut types = accept.flat_map(|value| value.split(',')).map(|range| range.split(';').next().unwrap_or_default());
    let is_taken = |range: &str| {
        ["", "*/*", "application/*", "application/json", "application/hal+json"]
            .iter()
            .any(|known| range.trim().eq_ignore_ascii_case(known))
    };
    let path = request.uri().path();
    let gives_json = request.method() == Method::GET && !OF_OTHER_TYPES.iter().any(|end| path.ends_with(end));
    if gives_json && types.next().is_some_and(|first| !is_taken(first) && !types.any(is_taken)) {
        return Fault::not_acceptable().into_response();
    }
    next.run(request).await
}

/// Why a request is not let in.
pub fn refuse(status: StatusCode, _code: &str, detail: &str) -> Response {
    Fault::refused_by_rest(status, detail).into_response()
}

async fn version() -> Answer {
    Ok(answer(&json!({"version": VERSION})))
}

async fn engines() -> Answer {
    Ok(answer(&json!([{"name": "default"}])))
}
