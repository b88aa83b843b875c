//! Request ids, traces, and what is counted.

use axum::http::Method;
use serde_json::json;

use crate::conversation::{LETTER, Server};

const CALLER: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

#[tokio::test]
async fn each_request_has_an_id() {
    let server = Server::new().await;
    let id = |answer: crate::conversation::Answer| answer.headers["x-request-id"].to_str().unwrap().to_owned();
    let (first, second) = (id(server.get("/healthz").await), id(server.get("/nowhere").await));
    assert!(!first.is_empty() && first != second, "{first} {second}");
    let ask = async |given: &str| id(server.ask(Method::GET, "/healthz", None, &[("x-request-id", given)]).await);
    assert_eq!(ask("order/17-a.b:c").await, "order/17-a.b:c");
    for unfit in ["", "two words", "a\"b", &"x".repeat(129)] {
        assert_ne!(ask(unfit).await, unfit);
    }
}

#[tokio::test]
async fn the_callers_trace_goes_on_to_workers() {
    let server = Server::deployed(&[("letter", LETTER)]).await;
    let fetch = async || {
        let fetch = json!({"worker": "w", "topics": ["send-letter"]});
        server.post("/api/v1/jobs/fetch", fetch).await.is(200).json()[0]["traceparent"].clone()
    };
    let start = json!({"definition": "letter"});
    let traced = [("traceparent", CALLER)];
    server.ask(Method::POST, "/api/v1/instances", Some(start.clone()), &traced).await.is(201);
    assert_eq!(fetch().await, json!(CALLER));
    server.post("/api/v1/instances", start.clone()).await.is(201);
    assert_eq!(fetch().await, json!(null));
    for wrong in ["00-0-0-0", "nothing", &CALLER.to_uppercase()] {
        server.ask(Method::POST, "/api/v1/instances", Some(start.clone()), &[("traceparent", wrong)]).await.is(201);
        assert_eq!(fetch().await, json!(null), "{wrong}");
    }
}

#[tokio::test]
async fn jobs_are_counted_by_topic() {
    let server = Server::deployed(&[("letter", LETTER)]).await;
    for _ in 0..3 {
        server.start("letter", json!({})).await;
    }
    let fetch = json!({"worker": "w", "topics": ["send-letter"], "limit": 2});
    let jobs = server.post("/api/v1/jobs/fetch", fetch).await.is(200).json();
    let fail = json!({"lease": jobs[0]["lease"], "message": "no paper", "retries": 0});
    server.post(&format!("/api/v1/jobs/{}/fail", jobs[0]["id"].as_str().unwrap()), fail).await.is(204);
    let metrics = String::from_utf8(server.get("/metrics").await.is(200).bytes).unwrap();
    for state in ["waiting", "locked", "failed"] {
        let line = format!("potok_jobs{{topic=\"send-letter\",state=\"{state}\"}} 1\n");
        assert!(metrics.contains(&line), "{line}{metrics}");
    }
    // Whoever asks again at once is told the same, and nothing is counted for it.
    server.start("letter", json!({})).await;
    let again = String::from_utf8(server.get("/metrics").await.is(200).bytes).unwrap();
    assert!(again.contains("potok_jobs{topic=\"send-letter\",state=\"waiting\"} 1\n"), "{again}");
}
