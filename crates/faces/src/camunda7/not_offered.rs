//! What Camunda 7 has and this does not: said plainly, never passed over.

use axum::Router;
use axum::routing::any;
use potok::Engine;

use super::answer::Answer;
use super::error::Fault;

pub(crate) fn routes() -> Router<Engine> {
    let resources = [
        "authorization",
        "batch",
        "case-definition",
        "case-execution",
        "case-instance",
        "condition",
        "decision-definition",
        "decision-requirements-definition",
        "filter",
        "group",
        "identity",
        "job-definition",
        "message-async",
        "metrics",
        "migration",
        "modification",
        "schema",
        "telemetry",
        "tenant",
        "user",
    ];
    resources.into_iter().fold(Router::new(), |routes, name| {
        let refuse = async move || -> Answer { Err(Fault::not_offered(&format!("/{name}"))) };
        routes.route(&format!("/{name}"), any(refuse)).route(&format!("/{name}/{{*rest}}"), any(refuse))
    })
}
