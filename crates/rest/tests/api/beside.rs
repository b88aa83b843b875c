//! Other APIs beside this one.

use std::sync::atomic::{AtomicBool, Ordering};

use axum::Router;
use axum::http::StatusCode;
use axum::response::IntoResponse as _;
use axum::routing::get;
use potok::Engine;
use potok_rest::{Options, Refuse, router_beside};

use crate::conversation::Server;

#[tokio::test]
async fn what_cannot_be_made_is_tried_anew() {
    let is_broken = AtomicBool::new(true);
    let refuse: Refuse = |status: StatusCode, _, _| status.into_response();
    let beside = move |_: Engine| {
        assert!(!is_broken.swap(false, Ordering::Relaxed), "it cannot be made yet");
        [(Router::new().route("/other", get(async || "made")), refuse)]
    };
    let engine = Engine::builder().job_execution(false).start().await.unwrap();
    let server = Server::of(engine.clone(), router_beside(engine, &Options::local(8080), beside));
    server.get("/api/v1/statistics").await.is(200);
    let broken = server.get("/other").await.problem(500, "internal");
    assert_eq!(broken.headers["x-content-type-options"], "nosniff");
    assert_eq!(server.get("/other").await.is(200).bytes, b"made");
    server.get("/elsewhere").await.problem(404, "route-unknown");
}
