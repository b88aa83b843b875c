//! Who calls: nobody, somebody with a password, a program with a token; and what that lets them do.

use std::cmp::Reverse;
use std::sync::Arc;

use axum::body::Body;
use axum::http::{Method, Request};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use potok::Role;
use potok_rest::{Options, Setup};
use serde_json::json;

use crate::conversation::{APPROVAL, Server, row};

fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
}

/// Where Olga administers.
async fn administered() -> Server {
    let server = Server::deployed(&[("approval", APPROVAL)]).await;
    server.engine.people().add_administrator("olga", "correct horse battery").await.unwrap();
    server
}

#[tokio::test]
async fn nobody_signs_in_until_there_is_a_user() {
    let server = Server::deployed(&[("approval", APPROVAL)]).await;
    server.start("approval", json!({})).await;
    // What is wrong is never taken for nothing.
    server
        .by(&basic("olga", "correct horse battery"))
        .get("/api/v1/statistics")
        .await
        .problem(401, "not-authenticated");
    server.by("").get("/api/v1/statistics").await.problem(401, "not-authenticated");
    server.engine.people().add_administrator("olga", "correct horse battery").await.unwrap();
    let refused = server.get("/api/v1/statistics").await.problem(401, "not-authenticated");
    let ways = refused.headers["www-authenticate"].to_str().unwrap().to_owned();
    assert!(ways.contains("Basic ") && ways.contains("Bearer "), "{ways}");
}

#[tokio::test]
async fn where_others_can_reach_it_everybody_signs_in() {
    let server = Server::with(&Options::remote()).await;
    server.get("/api/v1/statistics").await.problem(401, "not-authenticated");
    // Open under any name would be open to any page.
    let open = Server::with(&Options { is_open: true, ..Options::remote() }).await;
    open.get("/api/v1/statistics").await.problem(401, "not-authenticated");
    let olga = server.user("olga", &[Role::Administrator], None).await;
    for (host, origin, status) in [
        ("work.example", None, 200),
        ("work.example", Some("https://work.example"), 200),
        ("work.example", Some("https://evil.example"), 403),
        ("work.example", Some("null"), 403),
    ] {
        let mut request = Request::get("/api/v1/statistics").header("host", host);
        request = request.header("authorization", olga.authorization());
        if let Some(origin) = origin {
            request = request.header("origin", origin);
        }
        assert_eq!(server.send(request.body(Body::empty()).unwrap()).await.status, status, "{origin:?}");
    }
}

#[tokio::test]
async fn the_first_administrator_is_made_once_with_the_token_that_was_shown() {
    let setup = Arc::new(Setup::new().unwrap());
    let token = setup.token().reveal().to_owned();
    let server = Server::with(&Options { setup: Some(setup), ..Options::remote() }).await;
    let olga = |token: &str| json!({"token": token, "user": "olga", "password": "correct horse battery"});
    for wrong in ["", "wrong", &token[1..]] {
        server.post("/api/v1/setup", olga(wrong)).await.problem(401, "not-authenticated");
    }
    // It opens nothing else.
    server.get("/api/v1/statistics").await.problem(401, "not-authenticated");
    server.by(&format!("Bearer {token}")).get("/api/v1/statistics").await.problem(401, "not-authenticated");
    let unfit = json!({"token": token, "user": "olga", "password": "short"});
    server.post("/api/v1/setup", unfit).await.problem(422, "password-unfit");
    let nameless = json!({"token": token, "user": " ", "password": "correct horse battery"});
    server.post("/api/v1/setup", nameless).await.problem(400, "body-invalid");
    assert!(!server.engine.people().has_users().await.unwrap(), "what was refused has made nobody");

    let (one, other) = (server.post("/api/v1/setup", olga(&token)), server.post("/api/v1/setup", olga(&token)));
    let (one, other) = tokio::join!(one, other);
    assert_eq!(one.status.as_u16() + other.status.as_u16(), 204 + 409, "{one:?} {other:?}");
    server.post("/api/v1/setup", olga(&token)).await.problem(409, "setup-over");
    let olga = server.by(&basic("olga", "correct horse battery"));
    olga.get("/api/v1/session").await.is(200).says(json!({"user": "olga", "roles": ["participant", "administrator"]}));
    // Nobody is left outside afterwards.
    olga.delete("/api/v1/users/olga").await.problem(409, "administrator-last");
    olga.delete("/api/v1/groups/administrators/members/olga").await.problem(409, "administrator-last");
    olga.delete("/api/v1/groups/administrators").await.problem(409, "administrator-last");
}

#[tokio::test]
async fn where_somebody_can_sign_in_there_is_nothing_to_set_up() {
    let setup = Arc::new(Setup::new().unwrap());
    let token = setup.token().reveal().to_owned();
    let olga = json!({"token": token, "user": "olga", "password": "correct horse battery"});
    let usual = Server::with(&Options::local(8080)).await;
    usual.post("/api/v1/setup", olga.clone()).await.problem(409, "setup-over");
    // Somebody has been made meanwhile, by whoever has the database.
    let server = Server::with(&Options { setup: Some(setup), ..Options::remote() }).await;
    server.engine.people().add_administrator("root", "correct horse battery").await.unwrap();
    server.post("/api/v1/setup", olga).await.problem(409, "setup-over");
    assert!(server.engine.people().user("olga").await.unwrap().is_none());
}

#[tokio::test]
async fn a_user_signs_in_with_a_password() {
    let server = administered().await;
    let olga = server.by(&basic("olga", "correct horse battery"));
    let instance = olga.start("approval", json!({})).await;
    olga.get(&format!("/api/v1/instances/{instance}")).await.is(200).says(json!({"initiator": "olga"}));
    for wrong in [
        basic("olga", "wrong horse battery"),
        basic("nobody", "correct horse battery"),
        basic("olga", ""),
        "Basic".into(),
        "Basic !".into(),
        format!("Basic {}", STANDARD.encode("olga")),
        "Digest olga".into(),
    ] {
        server.by(&wrong).get("/api/v1/statistics").await.problem(401, "not-authenticated");
    }
    let twice = [("authorization", "Bearer potok_none")];
    olga.ask(Method::GET, "/api/v1/statistics", None, &twice).await.problem(401, "not-authenticated");
}

#[tokio::test]
async fn a_program_signs_in_with_a_token() {
    let server = administered().await;
    let people = server.engine.people();
    let (token, secret) = people.new_token("olga", "reports").role(Role::Viewer).send().await.unwrap();
    let reports = server.by(&format!("Bearer {}", secret.reveal()));
    reports.get("/api/v1/statistics").await.is(200);
    // The scheme's name is written as one likes.
    server.by(&format!("bearer {}", secret.reveal())).get("/api/v1/statistics").await.is(200);
    let start = json!({"definition": "approval"});
    reports.post("/api/v1/instances", start).await.problem(403, "forbidden");
    reports.get("/metrics").await.is(200);
    people.revoke_token(token.id()).await.unwrap();
    reports.get("/api/v1/statistics").await.problem(401, "not-authenticated");
    server.by("Bearer potok_none").get("/api/v1/statistics").await.problem(401, "not-authenticated");
}

#[tokio::test]
async fn a_participant_does_their_work_and_deploys_nothing() {
    let server = administered().await;
    let anna = server.user("anna", &[], None).await;
    let files = json!({"files": [{"name": "other.bpmn", "text": row("other", APPROVAL)}]});
    let refused = anna.post("/api/v1/deployments", files.clone()).await.problem(403, "forbidden");
    let why = refused.text("detail");
    assert!(why.starts_with("anna may not deploy: it takes the role deployer or administrator"), "{why}");
    anna.post("/api/v1/check", files).await.problem(403, "forbidden");
    anna.get("/metrics").await.problem(403, "forbidden");
    anna.post("/api/v1/jobs/search", json!({})).await.problem(403, "forbidden");

    let own = anna.start("approval", json!({"amount": 3})).await;
    let other = server.by(&basic("olga", "correct horse battery")).start("approval", json!({})).await;
    let found = json!({"includeVariables": ["amount"]});
    let found = anna.post("/api/v1/instances/search", found).await.is(200);
    assert_eq!(found.count(), 1);
    found.says(json!({"items": [{"id": own, "variables": {"amount": 3}}]}));
    anna.get(&format!("/api/v1/instances/{other}")).await.problem(404, "instance-unknown");
    anna.get(&format!("/api/v1/instances/{other}/variables")).await.problem(404, "instance-unknown");
    anna.delete(&format!("/api/v1/instances/{own}")).await.problem(403, "forbidden");
}

#[tokio::test]
async fn what_another_tenant_has_is_not_there() {
    let server = administered().await;
    let acme = server.user("anna", &[Role::Deployer, Role::Operator], Some("acme")).await;
    let bolt = server.user("boris", &[Role::Deployer, Role::Operator], Some("bolt")).await;
    let files = json!({"files": [{"name": "own.bpmn", "text": row("own", APPROVAL)}]});
    let deployment = acme.post("/api/v1/deployments", files).await.is(201).text("id");
    let instance = acme.start("own", json!({})).await;
    let task = acme.task_of(&instance).await;
    acme.get(&format!("/api/v1/instances/{instance}")).await.is(200).says(json!({"tenant": "acme"}));
    for (path, code) in [
        (format!("/api/v1/instances/{instance}"), "instance-unknown"),
        (format!("/api/v1/instances/{instance}/history"), "instance-unknown"),
        (format!("/api/v1/tasks/{task}"), "task-unknown"),
        (format!("/api/v1/deployments/{deployment}"), "deployment-unknown"),
        ("/api/v1/definitions/own".into(), "definition-unknown"),
    ] {
        acme.get(&path).await.is(200);
        bolt.get(&path).await.problem(404, code);
    }
    for what in ["instances", "tasks", "definitions", "deployments", "incidents", "jobs"] {
        let found = bolt.post(&format!("/api/v1/{what}/search"), json!({"countOnly": true})).await.is(200);
        found.says(json!({"total": 0}));
    }
    bolt.poke(&format!("/api/v1/instances/{instance}/suspend")).await.problem(404, "instance-unknown");
}

#[tokio::test]
async fn whoever_has_lost_their_token_hears_no_more() {
    let server = administered().await;
    let people = server.engine.people();
    let (token, secret) = people.new_token("olga", "listens").send().await.unwrap();
    let request = Request::get("/api/v1/events").header("host", "localhost:8080");
    let request = request.header("authorization", format!("Bearer {}", secret.reveal()));
    let response = server.stream(request.body(Body::empty()).unwrap()).await;
    assert_eq!(response.status(), 200);
    people.revoke_token(token.id()).await.unwrap();
    let heard = axum::body::to_bytes(response.into_body(), usize::MAX);
    tokio::time::timeout(std::time::Duration::from_secs(30), heard).await.unwrap().unwrap();
}

#[tokio::test]
async fn without_signing_in_nothing_is_told_but_that_the_server_runs() {
    let server = administered().await;
    let description = serde_json::to_value(potok_rest::openapi()).unwrap();
    let mut tried = 0;
    for (path, operations) in description["paths"].as_object().unwrap() {
        if path == "/api/v1/openapi.json" {
            continue;
        }
        let is_free = ["/healthz", "/readyz"].contains(&path.as_str());
        let place = path.split('/').map(|part| if part.starts_with('{') { "5" } else { part });
        let place = place.collect::<Vec<_>>().join("/");
        for method in operations.as_object().unwrap().keys() {
            let Ok(method) = Method::from_bytes(method.to_uppercase().as_bytes()) else { continue };
            let answer = server.ask(method.clone(), &place, None, &[]).await;
            if is_free {
                answer.is(204);
            } else if ["/api/v1/session", "/api/v1/setup"].contains(&path.as_str()) && method == Method::POST {
                // How one signs in, and comes to be able to.
                answer.problem(415, "body-not-json");
            } else {
                answer.problem(401, "not-authenticated");
            }
            tried += 1;
        }
    }
    assert!(tried > 60, "{tried}");
    server.get("/api/v1/openapi.json").await.is(200);
    server.get("/docs/").await.is(200);
}

/// What takes more than a participant is, and what more than an operator is.
const FOR_OPERATORS: [&str; 15] = [
    "POST /batches/search",
    "GET /batches/{id}",
    "GET /batches/{id}/failures",
    "GET /definitions/{definition}/statistics",
    "POST /jobs/search",
    "POST /messages/search",
    "GET /statistics",
    "POST /subscriptions/search",
    "POST /timers/search",
    "GET /metrics",
    "DELETE /batches/{id}",
    "DELETE /definitions/{definition}/history-time-to-live",
    "DELETE /incidents/{id}/annotation",
    "DELETE /instances/{id}",
    "DELETE /instances/{id}/variables/{name}",
];
const FOR_ADMINISTRATORS: [&str; 19] = [
    "POST /audit/search",
    "POST /tokens/search",
    "POST /webhooks/deliveries/search",
    "POST /webhooks/search",
    "GET /webhooks/{id}",
    "DELETE /audit/{id}/annotation",
    "DELETE /definitions/{definition}",
    "DELETE /deployments/{id}",
    "DELETE /groups/{group}",
    "DELETE /groups/{group}/members/{user}",
    "DELETE /tenants/{tenant}",
    "DELETE /tenants/{tenant}/groups/{group}",
    "DELETE /tenants/{tenant}/members/{user}",
    "DELETE /tokens/{id}",
    "DELETE /users/{user}",
    "DELETE /users/{user}/password",
    "DELETE /users/{user}/sessions",
    "DELETE /webhooks/deliveries/{id}",
    "DELETE /webhooks/{id}",
];

#[tokio::test]
async fn what_a_participant_may_not_ask_for_an_operator_may() {
    let server = administered().await;
    let root = server.user("root", &[Role::Administrator], None).await;
    let otto = server.user("otto", &[Role::Operator], None).await;
    let anna = server.user("anna", &[], None).await;
    let description = serde_json::to_value(potok_rest::openapi()).unwrap();
    let mut asked = Vec::new();
    for (path, operations) in description["paths"].as_object().unwrap() {
        let place = path.split('/').map(|part| match part {
            "{definition}" => "approval@1",
            part if part.starts_with('{') => "5",
            part => part,
        });
        let place = place.collect::<Vec<_>>().join("/");
        let has = |method: &str| operations.get(method).is_some();
        // What streams goes on for ever.
        let is_look = has("get") && !path.ends_with("/events");
        for (is_there, method, body) in [
            (is_look, Method::GET, None),
            (has("post") && path.ends_with("/search"), Method::POST, Some(json!({}))),
            (has("delete"), Method::DELETE, None),
        ] {
            if is_there {
                let what = format!("{method} {}", path.trim_start_matches("/api/v1"));
                asked.push((what, method, place.clone(), body));
            }
        }
    }
    assert!(asked.len() > 40, "{}", asked.len());
    // What is looked at is removed last, what stands under something before that itself, and by whoever may everything.
    asked.sort_by_key(|(_, method, place, _)| (method == Method::DELETE).then(|| Reverse(place.split('/').count())));
    let mut rows = Vec::new();
    for (what, method, place, body) in asked {
        let mut answers = Vec::new();
        for caller in [&anna, &otto, &root] {
            answers.push(caller.ask(method.clone(), &place, body.clone(), &[]).await);
        }
        let shown = || format!("{what}: {answers:#?}");
        assert!(answers.iter().all(|answer| answer.status != 401 && !answer.status.is_server_error()), "{}", shown());
        let may: Vec<bool> = answers.iter().map(|answer| answer.status != 403).collect();
        let expected = match &*what {
            what if FOR_OPERATORS.contains(&what) => [false, true, true],
            what if FOR_ADMINISTRATORS.contains(&what) => [false, false, true],
            _ => [true; 3],
        };
        assert_eq!(may, expected, "{}", shown());
        rows.push(what);
    }
    let gone: Vec<_> =
        FOR_OPERATORS.iter().chain(&FOR_ADMINISTRATORS).filter(|row| !rows.iter().any(|it| it == *row)).collect();
    assert!(gone.is_empty(), "these are not there: {gone:?}");
}
