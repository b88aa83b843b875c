//! What is asked for wrongly.

use axum::body::Body;
use axum::http::{Method, Request};
use potok_rest::Options;
use serde_json::json;

use crate::conversation::{Answer, Server};

async fn raw(server: &Server, body: impl Into<Body>) -> Answer {
    let request = Request::post("/api/v1/tasks/search").header("host", "localhost:8080");
    server.send(request.header("content-type", "application/json").body(body.into()).unwrap()).await
}

#[tokio::test]
async fn bodies_that_are_no_json() {
    let server = Server::new().await;
    for body in ["", "{", "{\"limit\": 1}}", "\u{1}", "{\"limit\": 1} x"] {
        raw(&server, body).await.problem(400, "body-malformed");
    }
    raw(&server, &b"{\"filter\": \"\xff\"}"[..]).await.problem(400, "body-malformed");
    raw(&server, format!("{{\"filter\": {{\"variables\": {{\"a\": {}", "[".repeat(100_000)))
        .await
        .problem(400, "body-malformed");
    server.poke("/api/v1/tasks/search").await.problem(415, "body-not-json");
}

#[tokio::test]
async fn bodies_of_another_shape() {
    let server = Server::new().await;
    let search = "/api/v1/tasks/search";
    for body in [
        json!([]),
        json!([null, null]),
        json!("x"),
        json!({"limit": "ten"}),
        json!({"limit": 0}),
        json!({"limit": 1001}),
        json!({"limit": -1}),
        json!({"filtr": {}}),
        json!({"filter": {"asignee": "anna"}}),
        json!({"filter": [null, null]}),
        json!({"filter": {"ids": [5]}}),
        json!({"filter": {"ids": ["five"]}}),
        json!({"filter": {"ids": ["+5"]}}),
        json!({"filter": {"ids": ["99999999999999999999"]}}),
        json!({"filter": {"ids": []}}),
        json!({"filter": {"states": []}}),
        json!({"filter": {"dueBefore": "tomorrow"}}),
        json!({"filter": {"variables": {"amount": {"about": 5}}}}),
        json!({"sortBy": "colour"}),
    ] {
        let answer = server.post(search, body.clone()).await.problem(400, "body-invalid");
        assert!(!answer.text("detail").is_empty(), "{body}");
    }
    let wrong = server.post(search, json!({"filter": {"ids": [5]}})).await;
    assert!(wrong.text("detail").contains("filter.ids[0]"), "{wrong:?}");
    // Whoever has nothing to cancel would cancel everything.
    let of_none = json!({"operation": {"type": "cancel"}, "filter": {"processes": ["approval"], "ids": []}});
    server.post("/api/v1/batches", of_none).await.problem(400, "body-invalid");
    let of_none = json!({"operation": {"type": "cancel"}, "instances": [], "filter": {"processes": ["approval"]}});
    let refused = server.post("/api/v1/batches", of_none).await.problem(400, "body-invalid");
    assert!(refused.text("detail").contains("`instances`: an empty list names nothing"), "{refused:?}");
    server.post(search, json!({"cursor": "x"})).await.problem(422, "store-invalid-cursor");
    let included = json!({"includeVariables": ["amount"]});
    server.post("/api/v1/jobs/search", included).await.problem(400, "body-invalid");
}

#[tokio::test]
async fn paths_that_lead_nowhere() {
    let server = Server::new().await;
    for path in ["/nowhere", "/api/v1/nowhere", "/api/v1/tasks/5/nowhere", "/api/v2/tasks/search"] {
        server.get(path).await.problem(404, "route-unknown");
    }
    server.get("/api/v1/tasks/search").await.problem(405, "method-not-allowed");
    let answer = server.get("/api/v1/signals").await.problem(405, "method-not-allowed");
    assert_eq!(answer.headers["allow"], "POST");
    for path in ["/api/v1/tasks/five", "/api/v1/tasks/-5", "/api/v1/tasks/99999999999999999999", "/api/v1/tasks/%ff"] {
        server.get(path).await.problem(400, "path-invalid");
    }
    server.get("/api/v1/tasks/5/variables?local=perhaps").await.problem(400, "query-invalid");
}

#[tokio::test]
async fn what_is_not_there() {
    let server = Server::new().await;
    for (path, code) in [
        ("/api/v1/tasks/5", "task-unknown"),
        ("/api/v1/instances/5", "instance-unknown"),
        ("/api/v1/instances/5/state", "instance-unknown"),
        ("/api/v1/instances/5/state?at=1", "instance-unknown"),
        ("/api/v1/instances/5/history", "instance-unknown"),
        ("/api/v1/instances/5/variables", "instance-unknown"),
        ("/api/v1/instances/5/comments", "instance-unknown"),
        ("/api/v1/tasks/5/comments", "task-unknown"),
        ("/api/v1/instances/5/attachments", "instance-unknown"),
        ("/api/v1/tasks/5/attachments/6", "task-unknown"),
        ("/api/v1/deployments/5", "deployment-unknown"),
        ("/api/v1/deployments/5/files/order.bpmn", "file-unknown"),
        ("/api/v1/definitions/order", "definition-unknown"),
        ("/api/v1/definitions/5/file", "definition-unknown"),
        ("/api/v1/definitions/order/statistics", "definition-unknown"),
        ("/api/v1/definitions/order/start-form", "definition-unknown"),
        ("/api/v1/batches/5", "batch-unknown"),
        ("/api/v1/batches/5/failures", "batch-unknown"),
        ("/api/v1/users/anna", "user-unknown"),
        ("/api/v1/groups/sales", "group-unknown"),
    ] {
        server.get(path).await.problem(404, code);
    }
    for (path, body, code) in [
        ("/api/v1/instances", json!({"definition": "order"}), "process-unknown"),
        ("/api/v1/instances", json!({"definition": "5"}), "definition-unknown"),
        ("/api/v1/instances/5/cancel", json!({}), "instance-unknown"),
        (
            "/api/v1/instances/5/modify",
            json!({"instructions": [{"type": "cancel-all", "element": "a"}]}),
            "instance-unknown",
        ),
        ("/api/v1/instances/5/restart", json!({}), "instance-unknown"),
        ("/api/v1/instances/5/migrate", json!({"to": "order"}), "instance-unknown"),
        ("/api/v1/tasks/5/complete", json!({}), "task-unknown"),
        ("/api/v1/jobs/5/complete", json!({"lease": "1"}), "job-unknown"),
        ("/api/v1/decisions/discount/evaluate", json!({}), "definition-unknown"),
    ] {
        server.post(path, body).await.problem(404, code);
    }
    for path in ["/api/v1/instances/5/suspend", "/api/v1/instances/5/resume"] {
        server.poke(path).await.problem(404, "instance-unknown");
    }
    server.poke("/api/v1/incidents/5/resolve").await.problem(404, "incident-unknown");
    server.poke("/api/v1/batches/5/pause").await.problem(404, "batch-unknown");
    server.delete("/api/v1/instances/5").await.problem(404, "instance-unknown");
    server.delete("/api/v1/deployments/5").await.problem(404, "deployment-unknown");
    server.put("/api/v1/groups/sales/members/anna", json!({})).await.problem(404, "group-unknown");
}

#[tokio::test]
async fn bodies_that_are_too_large() {
    let server = Server::with(&Options { body_limit: 1000, ..Options::local(8080) }).await;
    let large = json!({"definition": "order", "variables": {"text": "x".repeat(1000)}});
    server.post("/api/v1/instances", large.clone()).await.problem(413, "body-too-large");
    let key = [("idempotency-key", "k")];
    server.ask(Method::POST, "/api/v1/instances", Some(large), &key).await.problem(413, "body-too-large");
}

#[tokio::test]
async fn values_that_are_too_deep() {
    let server = Server::deployed(&[("approval", crate::conversation::APPROVAL)]).await;
    let deep = format!("{}{}", "[".repeat(120), "]".repeat(120));
    let body = format!(r#"{{"definition": "approval", "variables": {{"deep": {deep}}}}}"#);
    let request = Request::post("/api/v1/instances").header("host", "localhost:8080");
    let request = request.header("content-type", "application/json").body(Body::from(body)).unwrap();
    let answer = server.send(request).await;
    assert!(matches!(answer.status.as_u16(), 201 | 422), "{answer:?}");
}

#[tokio::test]
async fn nothing_is_told_of_the_database() {
    let server = Server::new().await;
    server.engine.stop().await;
    let answer = server.post("/api/v1/tasks/search", json!({})).await.problem(503, "store-unavailable");
    assert_eq!(answer.text("detail"), "the database cannot do it now; nothing was changed, try again");
    assert_eq!(answer.headers["retry-after"], "1");
}
