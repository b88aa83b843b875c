//! Faces behind the doors of `potok-rest`: who gets in, and what they may do there.

#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use potok::Engine;
use potok_rest::Options;
use tower::ServiceExt as _;

const DEPLOYED: &str = r#"<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" targetNamespace="urn:test">
    <process id="p" isExecutable="true"><startEvent id="s"/><userTask id="t"/>
    <sequenceFlow id="f" sourceRef="s" targetRef="t"/></process></definitions>"#;

async fn asked(router: &Router, method: &str, path: &str, authorization: Option<&str>) -> StatusCode {
    let mut request = Request::builder().method(method).uri(path).header("host", "127.0.0.1:8080");
    if let Some(authorization) = authorization {
        request = request.header("authorization", authorization);
    }
    router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap().status()
}

#[tokio::test]
async fn who_has_not_signed_in_gets_nothing_and_who_has_what_their_roles_allow() {
    let engine = Engine::builder().sqlite_in_memory().start().await.unwrap();
    engine.deployment().file("p.bpmn", DEPLOYED).send().await.unwrap();
    let case = engine.start("p").send().await.unwrap();
    let options = Options::local(8080);
    let router = potok_rest::router_beside(engine.clone(), &options, potok_faces::routers(engine.clone()));
    let listed = Request::get("/engine-rest/process-instance").header("host", "127.0.0.1:8080");
    let listed = router.clone().oneshot(listed.body(Body::empty()).unwrap()).await.unwrap();
    let listed: serde_json::Value =
        serde_json::from_slice(&axum::body::to_bytes(listed.into_body(), 1 << 20).await.unwrap()).unwrap();
    let id = listed[0]["id"].as_str().unwrap();
    let (one, jobs) = (format!("/engine-rest/process-instance/{id}"), "/external-job-api/jobs");
    for path in [&*one, "/engine-rest/task", jobs] {
        assert_eq!(asked(&router, "GET", path, None).await, StatusCode::OK, "{path}: nobody has to sign in yet");
    }
    let people = engine.people();
    people.add_administrator("olga", "correct horse battery").await.unwrap();
    people.put_user(potok::row::User { id: "petr".into(), ..Default::default() }).await.unwrap();
    people.set_password("petr", "battery staple horse").await.unwrap();
    let olga = format!("Basic {}", STANDARD.encode("olga:correct horse battery"));
    let petr = format!("Basic {}", STANDARD.encode("petr:battery staple horse"));
    for path in [&*one, "/engine-rest/task", "/engine-rest/version", jobs, "/engine-rest/engine/default/task"] {
        assert_eq!(asked(&router, "GET", path, None).await, StatusCode::UNAUTHORIZED, "{path}");
        assert_eq!(asked(&router, "GET", path, Some("Basic wrong")).await, StatusCode::UNAUTHORIZED, "{path}");
        assert_eq!(asked(&router, "GET", path, Some(&olga)).await, StatusCode::OK, "{path}");
    }
    assert_eq!(asked(&router, "GET", &one, Some(&petr)).await, StatusCode::NOT_FOUND, "Petr has no part in it");
    let refused = asked(&router, "GET", jobs, Some(&petr)).await;
    assert!(refused.is_client_error(), "{refused}: Petr does no jobs");
    assert!(!asked(&router, "DELETE", &one, Some(&petr)).await.is_success());
    assert!(engine.instance(case.id()).get().await.unwrap().is_active());
    assert_eq!(asked(&router, "DELETE", &one, Some(&olga)).await, StatusCode::NO_CONTENT);
    engine.stop().await;
}
