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
    let nobody = format!("Basic {}", STANDARD.encode("demo:demo"));
    assert_eq!(asked(&router, "GET", "/engine-rest/task", Some(&nobody)).await, StatusCode::OK, "some always sign in");
    let native = asked(&router, "GET", "/api/v1/users/demo", Some(&nobody)).await;
    assert_eq!(native, StatusCode::UNAUTHORIZED, "of the native API nobody does that by mistake");
    let people = engine.people();
    people.add_administrator("olga", "correct horse battery").await.unwrap();
    people.put_user(potok::row::User { id: "petr".into(), ..Default::default() }).await.unwrap();
    people.set_password("petr", "battery staple horse").await.unwrap();
    let olga = format!("Basic {}", STANDARD.encode("olga:correct horse battery"));
    let petr = format!("Basic {}", STANDARD.encode("petr:battery staple horse"));
    assert_eq!(asked(&router, "GET", "/engine-rest/task", Some(&nobody)).await, StatusCode::UNAUTHORIZED);
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
    let may = async |who: Option<&str>, query: &str| {
        let path = format!("/engine-rest/authorization/check?{query}");
        let mut request = Request::get(path).header("host", "127.0.0.1:8080");
        if let Some(who) = who {
            request = request.header("authorization", who);
        }
        let answer = router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        let bytes = axum::body::to_bytes(answer.into_body(), 1 << 20).await.unwrap();
        serde_json::from_slice::<serde_json::Value>(&bytes).unwrap()["isAuthorized"].as_bool()
    };
    let delete = "permissionName=DELETE&resourceName=Process%20Instance&resourceType=8";
    assert_eq!((may(Some(&olga), delete).await, may(Some(&petr), delete).await), (Some(true), Some(false)));
    assert_eq!(may(Some(&olga), &format!("{delete}&userId=petr")).await, Some(false));
    assert_eq!(may(Some(&petr), &format!("{delete}&userId=olga")).await, None, "that is not his to know");
    assert_eq!(asked(&router, "DELETE", &one, Some(&olga)).await, StatusCode::NO_CONTENT);
    let operations = "/engine-rest/history/user-operation";
    assert_eq!(asked(&router, "GET", operations, Some(&petr)).await, StatusCode::FORBIDDEN, "it is the audit");
    let told = Request::get(format!("{operations}?operationType=Delete&entityType=ProcessInstance"));
    let told = told.header("host", "127.0.0.1:8080").header("authorization", &olga).body(Body::empty()).unwrap();
    let told = router.clone().oneshot(told).await.unwrap();
    let told: serde_json::Value =
        serde_json::from_slice(&axum::body::to_bytes(told.into_body(), 1 << 20).await.unwrap()).unwrap();
    assert_eq!(told.as_array().unwrap().len(), 1, "{told}");
    assert_eq!((&told[0]["userId"], &told[0]["processInstanceId"]), (&"olga".into(), &id.into()));
    engine.stop().await;
}
