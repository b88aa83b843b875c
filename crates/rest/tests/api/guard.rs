//! Pages elsewhere cannot reach a server that is open to the machine's user.

use axum::http::Method;
use potok_rest::Options;
use serde_json::json;

use crate::conversation::Server;
use axum::body::Body;
use axum::http::Request;

async fn asked(headers: &[(&str, &str)]) -> u16 {
    let server = Server::new().await;
    let mut request = Request::builder().uri("/api/v1/statistics");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    server.send(request.body(Body::empty()).unwrap()).await.status.as_u16()
}

#[tokio::test]
async fn the_server_answers_to_its_own_names_only() {
    for host in ["localhost:8080", "127.0.0.1:8080", "[::1]:8080", "LOCALHOST:8080"] {
        assert_eq!(asked(&[("host", host)]).await, 200, "{host}");
    }
    // A name that an attacker makes to point to this machine; another port; no name, or several.
    for host in [
        "evil.example:8080",
        "localhost",
        "localhost:80",
        "localhost.evil.example:8080",
        "",
        "127.0.0.1:8080@evil.example",
    ] {
        assert_eq!(asked(&[("host", host)]).await, 403, "{host}");
    }
    assert_eq!(asked(&[]).await, 403);
    assert_eq!(asked(&[("host", "localhost:8080"), ("host", "evil.example")]).await, 403);
}

#[tokio::test]
async fn pages_of_other_origins_are_refused() {
    let host = ("host", "localhost:8080");
    for origin in ["http://localhost:8080", "http://127.0.0.1:8080"] {
        assert_eq!(asked(&[host, ("origin", origin)]).await, 200, "{origin}");
    }
    for origin in ["https://evil.example", "http://localhost:3000", "http://localhost", "null", "", "file://"] {
        assert_eq!(asked(&[host, ("origin", origin)]).await, 403, "{origin}");
    }
    assert_eq!(asked(&[host, ("sec-fetch-site", "same-origin")]).await, 200);
    assert_eq!(asked(&[host, ("sec-fetch-site", "none")]).await, 200);
    for site in ["cross-site", "same-site"] {
        assert_eq!(asked(&[host, ("sec-fetch-site", site), ("sec-fetch-mode", "no-cors")]).await, 403, "{site}");
    }
    assert_eq!(asked(&[host, ("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate")]).await, 200, "a link");
}

#[tokio::test]
async fn a_form_of_a_page_elsewhere_changes_nothing() {
    let server = Server::new().await;
    // Old browsers say nothing of the origin; then only these content types get through without being asked for.
    for kind in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"] {
        let request = Request::post("/api/v1/signals").header("host", "localhost:8080").header("content-type", kind);
        let answer = server.send(request.body(Body::from(json!({"name": "go"}).to_string())).unwrap()).await;
        answer.problem(415, "body-not-json");
    }
    let preflight = [("origin", "https://evil.example"), ("access-control-request-method", "POST")];
    let answer = server.ask(Method::OPTIONS, "/api/v1/signals", None, &preflight).await.problem(403, "origin-refused");
    assert!(!answer.headers.contains_key("access-control-allow-origin"));
}

#[tokio::test]
async fn pages_of_an_origin_that_is_told_of_may_send_traces_and_read_ids() {
    let origins = vec!["https://portal.example".into()];
    let server = Server::with(&Options { origins, ..Options::local(8080) }).await;
    for asked in ["traceparent", "tracestate", "x-request-id", "if-match", "idempotency-key"] {
        let preflight = [
            ("origin", "https://portal.example"),
            ("access-control-request-method", "POST"),
            ("access-control-request-headers", asked),
        ];
        let answer = server.ask(Method::OPTIONS, "/api/v1/signals", None, &preflight).await.is(200);
        let allowed = answer.headers["access-control-allow-headers"].to_str().unwrap();
        assert!(allowed.split(',').any(|name| name == asked), "{asked}: {allowed}");
    }
    let answer = server.ask(Method::GET, "/api/v1/statistics", None, &[("origin", "https://portal.example")]).await;
    assert!(answer.headers["access-control-expose-headers"].to_str().unwrap().contains("x-request-id"));
}

#[tokio::test]
async fn answers_are_neither_guessed_at_nor_framed_nor_kept() {
    let server = Server::new().await;
    for path in ["/api/v1/statistics", "/api/v1/nowhere"] {
        let answer = server.get(path).await;
        assert_eq!(answer.headers["x-content-type-options"], "nosniff");
        assert_eq!(answer.headers["x-frame-options"], "DENY");
        assert_eq!(answer.headers["cache-control"], "no-store");
        assert!(answer.headers["content-security-policy"].to_str().unwrap().contains("frame-ancestors 'none'"));
    }
}
