//! Webhooks, as whoever looks after them sees them.

use potok::Role;
use serde_json::{Value, json};

use crate::conversation::{LETTER, Server};

#[tokio::test]
async fn webhooks_are_made_shown_and_removed() {
    let server = Server::deployed(&[("letter", LETTER)]).await;
    let hook = json!({"url": "https://localhost:9/hook", "events": ["instance-started"], "processes": ["letter"]});
    let made = server.post("/api/v1/webhooks", hook.clone()).await.is(201);
    let id = made.text("id");
    assert_eq!(made.headers["location"], format!("/api/v1/webhooks/{id}"));
    let secret = made.text("secret");
    assert!(secret.starts_with("whsec_"), "{secret}");
    let shown = server.get(&format!("/api/v1/webhooks/{id}")).await.is(200);
    assert!(!String::from_utf8_lossy(&shown.bytes).contains(&secret[6..]));
    shown.says(json!({"url": "https://localhost:9/hook", "events": ["instance-started"], "author": null}));
    let found = server.post("/api/v1/webhooks/search", json!({"filter": {"ids": [id]}})).await.is(200).json();
    assert_eq!(found["items"][0]["id"], json!(id));
    server.post("/api/v1/webhooks/search", json!({"countOnly": true})).await.says(json!({"total": 1}));

    server.start("letter", json!({})).await;
    server.engine.execute_due().await.unwrap();
    let search = json!({"filter": {"webhooks": [id], "states": ["waiting"], "kinds": ["instance-started"]}});
    let found = server.post("/api/v1/webhooks/deliveries/search", search).await.is(200).json();
    let delivery: &Value = &found["items"][0];
    assert_eq!((&delivery["webhook"], &delivery["tries"]), (&json!(id), &json!(1)));
    assert!(delivery["error"].as_str().unwrap().contains("no public address"), "{delivery}");
    let path = format!("/api/v1/webhooks/deliveries/{}", delivery["id"].as_str().unwrap());
    server.post(&format!("{path}/retry"), json!({})).await.is(204);
    server.ask(axum::http::Method::DELETE, &path, None, &[]).await.is(204);
    server.ask(axum::http::Method::DELETE, &path, None, &[]).await.problem(404, "delivery-unknown");

    let path = format!("/api/v1/webhooks/{id}");
    server.ask(axum::http::Method::DELETE, &path, None, &[]).await.is(204);
    server.get(&path).await.problem(404, "webhook-unknown");
}

#[tokio::test]
async fn a_webhook_that_cannot_be_is_refused() {
    let server = Server::new().await;
    for url in ["http://example.com", "https://169.254.169.254/", "https://[::1]/", "", "nowhere"] {
        server.post("/api/v1/webhooks", json!({"url": url})).await.problem(422, "webhook-address");
    }
    let unknown = json!({"url": "https://example.com", "events": ["everything"]});
    server.post("/api/v1/webhooks", unknown).await.problem(422, "event-unknown");
    server
        .post("/api/v1/webhooks", json!({"url": "https://example.com", "secret": "mine"}))
        .await
        .problem(400, "body-invalid");
}

#[tokio::test]
async fn a_call_that_is_repeated_makes_one_webhook() {
    let server = Server::new().await;
    let hook = json!({"url": "https://example.com/hook"});
    let key = [("idempotency-key", "hook-1")];
    let make = || server.ask(axum::http::Method::POST, "/api/v1/webhooks", Some(hook.clone()), &key);
    let first = make().await.is(201).json();
    assert_eq!(make().await.is(201).json(), first);
    server.post("/api/v1/webhooks/search", json!({"countOnly": true})).await.says(json!({"total": 1}));
}

#[tokio::test]
async fn only_administrators_look_after_webhooks() {
    let server = Server::new().await;
    let operator = server.user("oleg", &[Role::Operator], None).await;
    operator.post("/api/v1/webhooks", json!({"url": "https://example.com"})).await.problem(403, "forbidden");
    operator.post("/api/v1/webhooks/search", json!({})).await.problem(403, "forbidden");
    operator.post("/api/v1/webhooks/deliveries/search", json!({})).await.problem(403, "forbidden");
    let administrator = server.user("olga", &[Role::Administrator], None).await;
    administrator.post("/api/v1/webhooks", json!({"url": "https://example.com"})).await.is(201);
}
