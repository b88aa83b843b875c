//! How something is asked for: what the caller takes as an answer.

#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use potok::Engine;
use tower::ServiceExt as _;

/// As a real Camunda 7.24 answers.
#[tokio::test]
async fn whoever_does_not_take_json_is_given_none() {
    let engine = Engine::builder().sqlite_in_memory().job_execution(false).start().await.unwrap();
    let router = potok_faces::camunda7::router(engine.clone());
    let ask = async |method: &str, path: &str, accept: &str| {
        let request = Request::builder().method(method).uri(path).header(header::ACCEPT, accept);
        let request = request.header(header::CONTENT_TYPE, "application/json");
        let body = Body::from(if method == "GET" { "" } else { "{}" });
        router.clone().oneshot(request.body(body).unwrap()).await.unwrap().status()
    };
    for accept in ["text/html", "text/plain", "garbage", "image/png, text/html;q=0.5"] {
        assert_eq!(ask("GET", "/task", accept).await, StatusCode::NOT_ACCEPTABLE, "{accept}");
    }
    // It answers nothing.
    assert_eq!(ask("POST", "/task/create", "text/html").await, StatusCode::NO_CONTENT);
    for accept in [
        "",
        "*/*",
        "application/*",
        "text/html, */*;q=0.1",
        "Application/JSON; charset=utf-8",
        "text/html,application/json",
    ] {
        assert_eq!(ask("GET", "/version", accept).await, StatusCode::OK, "{accept}");
    }
    // What is no JSON anyway is not asked for as such.
    assert_eq!(ask("GET", "/job/nothing/stacktrace", "text/plain").await, StatusCode::NOT_FOUND);
    engine.stop().await;
}
