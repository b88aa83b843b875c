//! What Camunda 7 has and this does not: said plainly, never passed over.

use axum::Router;
use axum::routing::any;
use potok::Engine;

use super::answer::Answer;
use super::error::Fault;

/// Resources of which nothing is there.
const RESOURCES: [&str; 15] = [
    "case-definition",
    "case-execution",
    "case-instance",
    "decision-requirements-definition",
    "history/cleanup",
    "history/decision-definition",
    "history/decision-instance",
    "history/decision-requirements-definition",
    "history/detail",
    "history/identity-link-log",
    "history/process-definition",
    "metrics",
    "migration",
    "telemetry",
    "tenant",
];

/// Single routes of resources that are there, and what to do instead.
const ROUTES: [(&str, &str); 28] = [
    ("/execution/{id}/create-incident", "incidents of programs' own"),
    ("/history/process-instance/report", "reports"),
    ("/history/process-instance/set-removal-time", "another time to live of what has ended"),
    (
        "/history/process-instance/{id}/variable-instances",
        "deleting variables of the past; erase them by the native API",
    ),
    ("/history/batch/cleanable-batch-report", "reports of what is kept"),
    ("/history/batch/cleanable-batch-report/count", "reports of what is kept"),
    ("/history/batch/set-removal-time", "another time to live of what has ended"),
    ("/history/task/report", "reports"),
    ("/incident/{id}/annotation", "annotations of incidents"),
    ("/job/{id}/priority", "priorities of timers and savepoints"),
    ("/message-async", "messages to many in a batch; correlate with `all`"),
    (
        "/process-definition/{id}/history-time-to-live",
        "another historyTimeToLive of what is deployed; deploy a version that says so",
    ),
    (
        "/process-definition/key/{key}/history-time-to-live",
        "another historyTimeToLive of what is deployed; deploy a version that says so",
    ),
    (
        "/process-definition/key/{key}/tenant-id/{tenant}/history-time-to-live",
        "another historyTimeToLive of what is deployed; deploy a version that says so",
    ),
    ("/process-definition/{id}/restart", "starting ended instances again; the native API does"),
    ("/process-definition/{id}/restart-async", "starting ended instances again; the native API does, in batches, too"),
    ("/process-definition/key/{key}/delete", "this form of it; see DELETE /process-definition/key/{key}"),
    (
        "/process-definition/key/{key}/tenant-id/{tenant}/delete",
        "this form of it; see DELETE /process-definition/key/{key}/tenant-id/{tenant}",
    ),
    ("/process-definition/key/{key}/restart", "starting ended instances again; the native API does"),
    (
        "/process-definition/key/{key}/restart-async",
        "starting ended instances again; the native API does, in batches, too",
    ),
    ("/process-definition/key/{key}/tenant-id/{tenant}/restart", "starting ended instances again; the native API does"),
    (
        "/process-definition/key/{key}/tenant-id/{tenant}/restart-async",
        "starting ended instances again; the native API does, in batches, too",
    ),
    (
        "/process-instance/delete-historic-query-based",
        "this form of it; see /process-instance/delete with historicProcessInstanceQuery",
    ),
    ("/process-instance/job-retries-historic-query-based", "this form of it; see /process-instance/job-retries"),
    ("/process-instance/message-async", "messages to many in a batch; correlate with `all`"),
    ("/process-instance/{id}/modification-async", "this form of it; see /modification/executeAsync"),
    ("/schema/log", "the history of the database's tables"),
    ("/identity/password-policy", "rules for passwords; they have eight characters at least"),
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
