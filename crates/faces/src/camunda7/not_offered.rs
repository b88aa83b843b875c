//! What Camunda 7 has and this does not: said plainly, never passed over.

use axum::Router;
use axum::routing::any;
use potok::Engine;

use super::answer::Answer;
use super::error::Fault;

/// Resources of which nothing is there.
const RESOURCES: [&str; 8] = [
    "case-definition",
    "case-execution",
    "case-instance",
    "decision-requirements-definition",
    "history/cleanup",
    "history/decision-definition",
    "history/decision-instance",
    "history/decision-requirements-definition",
];

/// Single routes of resources that are there, and what to do instead.
const ROUTES: [(&str, &str); 7] = [
    ("/execution/{id}/create-incident", "incidents of programs' own"),
    ("/history/process-instance/set-removal-time", "another time to live of what has ended"),
    ("/history/batch/cleanable-batch-report", "reports of what is kept"),
    ("/history/batch/cleanable-batch-report/count", "reports of what is kept"),
    ("/history/batch/set-removal-time", "another time to live of what has ended"),
    ("/schema/log", "the history of the database's tables"),
    ("/telemetry/data", "what Camunda tells of its own use"),
];

pub(crate) fn routes() -> Router<Engine> {
    let routes = RESOURCES.into_iter().fold(Router::new(), |routes, name| {
        let refuse = async move || -> Answer { Err(Fault::not_offered(&format!("/{name}"))) };
        routes.route(&format!("/{name}"), any(refuse)).route(&format!("/{name}/{{*rest}}"), any(refuse))
    });
    ROUTES.into_iter().fold(routes, |routes, (path, what)| {
        routes.route(path, any(async move || -> Answer { Err(Fault::not_offered(what)) }))
    })
}
