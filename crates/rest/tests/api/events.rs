//! What happens, told as it happens; and how the server fares.

use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use potok::Role;
use serde_json::{Value, json};
use tokio_stream::StreamExt as _;

use crate::conversation::{APPROVAL, LETTER, Server};

/// One that listens.
struct Listener(axum::body::BodyDataStream, String);

/// An event: its id, type and data.
#[derive(Debug)]
struct Heard {
    id: Option<String>,
    event: String,
    data: Value,
}

impl Listener {
    async fn new(server: &Server, query: &str, last: Option<&str>) -> Self {
        let request = Request::get(format!("/api/v1/events{query}")).header("host", "localhost:8080");
        let request = last.into_iter().fold(request, |request, last| request.header("last-event-id", last));
        let response = server.stream(request.body(Body::empty()).unwrap()).await;
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        let mut listener = Self(response.into_body().into_data_stream(), String::new());
        // Whoever listens hears at once from where on.
        listener.block().await;
        listener
    }

    async fn block(&mut self) -> String {
        loop {
            if let Some((block, rest)) = self.1.split_once("\n\n") {
                let (block, rest) = (block.to_owned(), rest.to_owned());
                self.1 = rest;
                return block;
            }
            let piece = tokio::time::timeout(Duration::from_secs(30), self.0.next()).await.unwrap().unwrap().unwrap();
            self.1 += std::str::from_utf8(&piece).unwrap();
        }
    }

    async fn next(&mut self) -> Heard {
        let block = self.block().await;
        let field =
            |name: &str| block.lines().find_map(|line| line.strip_prefix(name)).map(|text| text.trim().to_owned());
        let data = serde_json::from_str(&field("data:").unwrap()).unwrap();
        Heard { id: field("id:"), event: field("event:").unwrap(), data }
    }

    /// The next events' types.
    async fn words(&mut self, count: usize) -> Vec<String> {
        let mut words = Vec::new();
        for _ in 0..count {
            words.push(self.next().await.event);
        }
        words
    }
}

#[tokio::test]
async fn what_happens_is_told() {
    let server = Server::deployed(&[("approval", APPROVAL)]).await;
    let mut listener = Listener::new(&server, "", None).await;
    let start = json!({"definition": "approval", "businessKey": "17"});
    let instance = server.post("/api/v1/instances", start).await.is(201).text("id");
    let started = listener.next().await;
    assert_eq!(started.event, "instance-started");
    assert_eq!((&started.data["instance"], &started.data["businessKey"]), (&json!(instance), &json!("17")));
    assert_eq!(started.data["process"], "approval");
    assert_eq!(started.id, None, "only the last event of a row can be gone on behind");
    let created = listener.next().await;
    let task = server.task_of(&instance).await;
    assert_eq!((&created.data["task"], &created.data["node"]), (&json!(task), &json!("approve")));
    assert!(created.id.is_some());
    server.post(&format!("/api/v1/tasks/{task}/claim"), json!({"user": "anna"})).await.is(204);
    let changed = listener.next().await;
    assert_eq!((&*changed.event, &changed.data["assignee"]), ("task-changed", &json!("anna")));
    server.post(&format!("/api/v1/tasks/{task}/complete"), json!({"variables": {"ok": true}})).await.is(204);
    assert_eq!(listener.words(3).await, ["task-completed", "variable-set", "task-created"]);
    server.poke(&format!("/api/v1/instances/{instance}/suspend")).await.is(204);
    server.poke(&format!("/api/v1/instances/{instance}/resume")).await.is(204);
    server.post(&format!("/api/v1/instances/{instance}/cancel"), json!({})).await.is(204);
    let words = listener.words(4).await;
    assert_eq!(words[..2], ["instance-suspended", "instance-resumed"]);
    assert!(words.contains(&"task-cancelled".into()) && words.contains(&"instance-cancelled".into()), "{words:?}");
}

#[tokio::test]
async fn whoever_comes_back_misses_nothing() {
    let server = Server::deployed(&[("approval", APPROVAL)]).await;
    let mut listener = Listener::new(&server, "", None).await;
    server.start("approval", json!({})).await;
    listener.next().await;
    let last = listener.next().await.id.unwrap();
    drop(listener);
    let instance = server.start("approval", json!({})).await;
    let mut again = Listener::new(&server, "", Some(&last)).await;
    let heard = again.next().await;
    assert_eq!((&*heard.event, &heard.data["instance"]), ("instance-started", &json!(instance)));
    let mut by_query = Listener::new(&server, &format!("?after={last}"), None).await;
    assert_eq!(by_query.next().await.data, heard.data);
    let mut from_the_first_day = Listener::new(&server, "?after=0-0", None).await;
    assert_ne!(from_the_first_day.next().await.data["instance"], json!(instance));
    server.get("/api/v1/events?after=x").await.problem(422, "store-invalid-cursor");
}

#[tokio::test]
async fn one_hears_of_what_one_asks_for() {
    let server = Server::deployed(&[("approval", APPROVAL), ("letter", LETTER)]).await;
    server.put("/api/v1/groups/sales", json!({})).await.is(204);
    server.put("/api/v1/groups/sales/members/anna", json!({})).await.is(204);
    let first = server.start("approval", json!({})).await;
    let mut of_instance = Listener::new(&server, &format!("?instance={first}"), None).await;
    let mut of_process = Listener::new(&server, "?process=letter", None).await;
    let mut of_anna = Listener::new(&server, "?user=anna", None).await;
    let mut of_boris = Listener::new(&server, "?user=boris", None).await;
    let second = server.start("approval", json!({})).await;
    server.start("letter", json!({})).await;
    let task = server.task_of(&first).await;
    server.post(&format!("/api/v1/tasks/{task}/complete"), json!({})).await.is(204);
    assert_eq!(of_instance.words(2).await, ["task-completed", "task-created"]);
    assert_eq!(of_process.words(2).await, ["instance-started", "job-created"]);
    let heard = of_anna.next().await;
    assert_eq!((&*heard.event, &heard.data["instance"]), ("task-created", &json!(second)));
    assert_eq!(of_anna.words(1).await, ["task-completed"]);
    let heard = of_boris.next().await;
    assert_eq!((&*heard.event, &heard.data["node"]), ("task-created", &json!("pay")));
}

#[tokio::test]
async fn a_server_that_stops_lets_its_listeners_go() {
    let server = Server::new().await;
    let request = Request::get("/api/v1/events").header("host", "localhost:8080").body(Body::empty()).unwrap();
    let response = server.stream(request).await;
    server.stop.now();
    let all = axum::body::to_bytes(response.into_body(), usize::MAX);
    tokio::time::timeout(Duration::from_secs(30), all).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_server_that_stops_answers_who_waits_for_the_end_of_an_instance() {
    let server = Server::deployed(&[("approval", APPROVAL)]).await;
    server.stop.now();
    let start = json!({"definition": "approval", "waitSeconds": 60});
    let started = tokio::time::timeout(Duration::from_secs(30), server.post("/api/v1/instances", start)).await;
    started.unwrap().is(201).says(json!({"state": "active"}));
}

#[tokio::test]
async fn the_server_says_how_it_fares() {
    let server = Server::deployed(&[("approval", APPROVAL), ("letter", LETTER)]).await;
    server.get("/healthz").await.is(204);
    server.get("/readyz").await.is(204);
    let instance = server.start("approval", json!({})).await;
    server.start("letter", json!({})).await;
    server.get(&format!("/api/v1/instances/{instance}")).await.is(200);
    server.get("/api/v1/instances/5").await.problem(404, "instance-unknown");
    server.get("/nowhere/5").await.problem(404, "route-unknown");
    let metrics = server.get("/metrics").await.is(200);
    assert!(metrics.headers["content-type"].to_str().unwrap().starts_with("text/plain; version=0.0.4"));
    let text = String::from_utf8(metrics.bytes).unwrap();
    for line in [
        "potok_instances_running 2",
        "potok_tasks_open 1",
        "potok_jobs_to_do 1",
        "potok_timers_late 0",
        "potok_incidents_open 0",
        "potok_commands_total 2",
        "potok_commands_waiting 0",
        "potok_database_errors_total 0",
        r#"potok_http_requests_total{method="GET",route="/api/v1/instances/{id}",status="200"} 1"#,
        r#"potok_http_requests_total{method="GET",route="/api/v1/instances/{id}",status="404"} 1"#,
        r#"potok_http_requests_total{method="GET",route="none",status="404"} 1"#,
        r#"potok_http_request_duration_seconds_count{method="GET",route="/api/v1/instances/{id}"} 2"#,
    ] {
        assert!(text.lines().any(|there| there == line), "{line}\n\n{text}");
    }
    // What the whole server does is nothing for who keeps to a tenant.
    let root = server.user("root", &[Role::Administrator], None).await;
    let otto = server.user("otto", &[Role::Administrator], Some("acme")).await;
    let walter = server.user("walter", &[Role::Viewer], Some("acme")).await;
    for (caller, instances, sees) in [(&root, 2, true), (&otto, 0, false), (&walter, 0, false)] {
        let text = String::from_utf8(caller.get("/metrics").await.is(200).bytes).unwrap();
        assert!(text.contains(&format!("potok_instances_running {instances}\n")), "{text}");
        for whole in ["potok_commands_total", "potok_database_commit_seconds", "potok_http_requests_total"] {
            assert_eq!(text.contains(whole), sees, "{whole}");
        }
    }
    server.engine.stop().await;
    server.get("/readyz").await.problem(503, "store-unavailable");
    server.get("/healthz").await.is(204);
}
