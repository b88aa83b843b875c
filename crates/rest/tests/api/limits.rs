//! How often callers may call, which pages elsewhere may, and in which tenant.

use axum::http::Method;
use potok::Role;
use potok_rest::{Options, Rate};
use serde_json::{Value, json};

use crate::conversation::{APPROVAL, LETTER, Server, row};

#[tokio::test]
async fn each_caller_may_call_so_often() {
    let rate = Rate { per_minute: 6.try_into().unwrap(), burst: 3.try_into().unwrap() };
    let server = Server::with(&Options { rate: Some(rate), ..Options::local(8080) }).await;
    let olga = server.user("olga", &[Role::Administrator], None).await;
    let anna = server.user("anna", &[Role::Viewer], None).await;
    for _ in 0..3 {
        olga.get("/api/v1/statistics").await.is(200);
    }
    let refused = olga.get("/api/v1/statistics").await.problem(429, "calls-too-many");
    assert_eq!(refused.headers["retry-after"], "10");
    assert!(refused.text("detail").contains("6 calls a minute, 3 at once"));
    // Another one has calls of their own, as has another token of the same user, and whoever has not signed in.
    anna.get("/api/v1/statistics").await.is(200);
    let (_, secret) = server.engine.people().new_token("olga", "reports").send().await.unwrap();
    server.by(&format!("Bearer {}", secret.reveal())).get("/api/v1/statistics").await.is(200);
    for _ in 0..3 {
        server.by("Bearer potok_forged").get("/api/v1/statistics").await.problem(401, "not-authenticated");
    }
    server.by("Bearer potok_forged").get("/api/v1/statistics").await.problem(429, "calls-too-many");
    let sign_in = json!({"user": "olga", "password": "correct horse battery"});
    server.post("/api/v1/session", sign_in).await.problem(429, "calls-too-many");
    server.get("/healthz").await.is(204);
    server.engine.clock().advance("2026-01-05T09:00:10Z".parse().unwrap());
    olga.get("/api/v1/statistics").await.is(200);
    olga.get("/api/v1/statistics").await.problem(429, "calls-too-many");
}

#[tokio::test]
async fn pages_elsewhere_may_only_where_they_are_named() {
    let origins = vec!["https://portal.example".to_owned()];
    let server = Server::with(&Options { origins, ..Options::local(8080) }).await;
    let portal = ("origin", "https://portal.example");
    let cross = ("sec-fetch-site", "cross-site");
    let answer = server.ask(Method::GET, "/api/v1/statistics", None, &[portal, cross]).await.is(200);
    assert_eq!(answer.headers["access-control-allow-origin"], "https://portal.example");
    assert_eq!(answer.headers["access-control-allow-credentials"], "true");
    assert!(answer.headers["vary"].to_str().unwrap().contains("origin"));
    let asked = [portal, ("access-control-request-method", "POST"), ("access-control-request-headers", "x-csrf-token")];
    let preflight = server.ask(Method::OPTIONS, "/api/v1/instances", None, &asked).await;
    assert!(preflight.status.is_success());
    let allowed = preflight.headers["access-control-allow-headers"].to_str().unwrap();
    assert!(allowed.contains("x-csrf-token") && allowed.contains("potok-tenant"), "{allowed}");
    for origin in ["https://evil.example", "https://portal.example.evil.example", "http://portal.example", "null"] {
        let answer = server.ask(Method::GET, "/api/v1/statistics", None, &[("origin", origin), cross]).await;
        assert!(!answer.headers.contains_key("access-control-allow-origin"));
        answer.problem(403, "origin-refused");
    }
    let answer = Server::new().await.get("/api/v1/statistics").await;
    assert!(!answer.headers.contains_key("access-control-allow-origin"));
}

#[tokio::test]
async fn who_is_in_several_tenants_names_one() {
    let server = Server::new().await;
    server.engine.people().add_administrator("root", "correct horse battery").await.unwrap();
    let deployer = server.user("dora", &[Role::Deployer, Role::Operator], Some("acme")).await;
    server.engine.people().add_to_tenant("болт", "dora").await.unwrap();
    let files = json!({"files": [
        {"name": "own.bpmn", "text": row("own", APPROVAL)},
        {"name": "letter.bpmn", "text": row("letter", LETTER)},
    ]});
    let ask = |method: Method, path: &'static str, body: Value, tenant: Option<&'static str>| {
        let headers: Vec<(&str, &str)> = tenant.map(|tenant| ("potok-tenant", tenant)).into_iter().collect();
        let deployer = &deployer;
        async move { deployer.ask(method, path, Some(body), &headers).await }
    };
    let (post, signal) = (Method::POST, json!({"name": "go"}));
    let task = json!({"name": "Call back"});
    for (path, body) in [
        ("/api/v1/deployments", files.clone()),
        ("/api/v1/signals", signal.clone()),
        ("/api/v1/messages", json!({"name": "paid"})),
        ("/api/v1/tasks", task.clone()),
    ] {
        ask(post.clone(), path, body, None).await.problem(422, "tenant-needed");
    }
    // In UTF-8, percent-encoded: a browser sends nothing else.
    for (tenant, name) in [("acme", "acme"), ("%D0%B1%D0%BE%D0%BB%D1%82", "болт")] {
        ask(post.clone(), "/api/v1/deployments", files.clone(), Some(tenant)).await.is(201);
        let start = json!({"definition": "own"});
        ask(post.clone(), "/api/v1/instances", start, Some(tenant)).await.is(201).says(json!({"tenant": name}));
        let sent = ask(post.clone(), "/api/v1/signals", signal.clone(), Some(tenant)).await;
        assert!(sent.status.is_success(), "{sent:?}");
        let found = json!({"countOnly": true});
        ask(post.clone(), "/api/v1/instances/search", found, Some(tenant)).await.is(200).says(json!({"total": 1}));
    }
    ask(post.clone(), "/api/v1/instances/search", json!({"countOnly": true}), None).await.says(json!({"total": 2}));
    ask(post.clone(), "/api/v1/signals", signal.clone(), Some("other")).await.problem(403, "tenant-foreign");
    ask(post.clone(), "/api/v1/signals", signal.clone(), Some("%ff")).await.problem(400, "tenant-unreadable");
    // A token that keeps to one tenant is not led out of it.
    let (_, secret) = server.engine.people().new_token("dora", "acme only").tenant("acme").send().await.unwrap();
    let token = server.by(&format!("Bearer {}", secret.reveal()));
    let other = [("potok-tenant", "%D0%B1%D0%BE%D0%BB%D1%82")];
    token.ask(post, "/api/v1/signals", Some(signal), &other).await.problem(403, "tenant-foreign");
}
