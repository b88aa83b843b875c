//! Calls that are sent again.

use axum::http::Method;
use serde_json::{Value, json};

use crate::conversation::{APPROVAL, Answer, Server};

async fn post(server: &Server, path: &str, body: Value, key: &str) -> Answer {
    server.ask(Method::POST, path, Some(body), &[("idempotency-key", key)]).await
}

#[tokio::test]
async fn a_call_that_is_sent_again_is_done_once() {
    let server = Server::deployed(&[("approval", APPROVAL)]).await;
    let start = json!({"definition": "approval"});
    let first = post(&server, "/api/v1/instances", start.clone(), "k").await.is(201);
    let instance = first.text("id");
    let task = server.task_of(&instance).await;
    let complete = format!("/api/v1/tasks/{task}/complete");
    for _ in 0..3 {
        post(&server, &complete, json!({"variables": {"ok": true}}), "c").await.is(204);
    }
    server.post(&format!("/api/v1/instances/{instance}/cancel"), json!({})).await.is(204);
    let again = post(&server, "/api/v1/instances", start.clone(), "k").await.is(201);
    assert_eq!(again.json(), first.json(), "it is the first answer, whatever has become of it");
    assert_eq!(again.headers["location"], first.headers["location"]);
    server.post("/api/v1/instances/search", json!({"countOnly": true})).await.says(json!({"total": 1}));
    // Another key, another instance.
    let other = post(&server, "/api/v1/instances", start, "k2").await.is(201);
    assert_ne!(other.text("id"), instance);
}

#[tokio::test]
async fn a_key_stands_for_one_request() {
    let server = Server::deployed(&[("approval", APPROVAL)]).await;
    let start = |variables: Value| json!({"definition": "approval", "variables": variables});
    let instance = post(&server, "/api/v1/instances", start(json!({"a": 1})), "k").await.is(201).text("id");
    let reused = "idempotency-key-reused";
    post(&server, "/api/v1/instances", start(json!({"a": 2})), "k").await.problem(422, reused);
    let cancel = format!("/api/v1/instances/{instance}/cancel");
    post(&server, &cancel, json!({}), "k").await.problem(422, reused);
    post(&server, &cancel, json!({}), "").await.problem(400, "idempotency-key-invalid");
    post(&server, &cancel, json!({}), &"k".repeat(256)).await.problem(400, "idempotency-key-invalid");
    // What was refused is tried anew.
    let unknown = json!({"definition": "order"});
    post(&server, "/api/v1/instances", unknown.clone(), "r").await.problem(404, "process-unknown");
    post(&server, "/api/v1/instances", unknown, "r").await.problem(404, "process-unknown");
    post(&server, "/api/v1/instances", start(json!({})), "r").await.is(201);
}

#[tokio::test]
async fn everything_that_creates_something_does_so_once() {
    let hot = r#"<startEvent id="over"><conditionalEventDefinition><condition>temperature &gt; 100</condition></conditionalEventDefinition></startEvent>
        <userTask id="cool"/>"#;
    let server = Server::deployed(&[("approval", APPROVAL), ("hot", hot)]).await;
    let instance = server.start("approval", json!({})).await;
    let approval = crate::conversation::row("approval", APPROVAL);
    for (path, body, status) in [
        ("/api/v1/tasks".to_owned(), json!({"name": "Call back"}), 201),
        (format!("/api/v1/instances/{instance}/comments"), json!({"text": "called back"}), 201),
        ("/api/v1/messages".to_owned(), json!({"name": "paid"}), 200),
        ("/api/v1/conditions".to_owned(), json!({"variables": {"temperature": 110}}), 200),
        ("/api/v1/batches".to_owned(), json!({"operation": {"type": "suspend"}, "instances": [instance]}), 201),
        (
            "/api/v1/deployments".to_owned(),
            json!({"anew": true, "files": [{"name": "approval.bpmn", "text": approval}]}),
            201,
        ),
    ] {
        let first = post(&server, &path, body.clone(), &path).await.is(status);
        let again = post(&server, &path, body, &path).await.is(status);
        assert_eq!(again.json(), first.json(), "{path}");
    }
    server.post("/api/v1/messages/search", json!({"countOnly": true})).await.says(json!({"total": 1}));
    server.post("/api/v1/batches/search", json!({"countOnly": true})).await.says(json!({"total": 1}));
    let hot = json!({"filter": {"processes": ["hot"]}, "countOnly": true});
    server.post("/api/v1/instances/search", hot).await.says(json!({"total": 1}));
    server.get("/api/v1/definitions/approval").await.says(json!({"version": 2}));
    let task = server.post("/api/v1/tasks/search", json!({"filter": {"hasProcess": false}})).await;
    assert_eq!(task.count(), 1);
}
