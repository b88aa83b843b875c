//! No filter that Camunda 7.24 has is passed over in silence: it narrows its list, or is refused. `tests/faces/camunda7/filters.json` says
//! which filters each list has there, as the classes of its REST API are annotated.

#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

use std::collections::BTreeMap;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode, header};
use potok::Engine;
use potok::row::SavedSearch;
use serde_json::{Value as Json, json};
use tower::ServiceExt as _;

/// What narrows nothing when it is asked for `x`: what is not `x` is all there is.
const OTHERS: [&str; 9] = [
    "assigneeNotIn",
    "nameNotEqual",
    "nameNotLike",
    "processDefinitionKeyNotIn",
    "processInstanceIdNotIn",
    "taskDefinitionKeyNotIn",
    // These only say how other filters are meant.
    "includeAssignedTasks",
    "variableNamesIgnoreCase",
    "variableValuesIgnoreCase",
];

async fn ask(router: &Router, method: &str, path: &str, body: Option<Json>) -> (StatusCode, Json) {
    let request = Request::builder().method(method).uri(path).header(header::CONTENT_TYPE, "application/json");
    let body = body.map(|body| Body::from(body.to_string())).unwrap_or_default();
    let answer = router.clone().oneshot(request.body(body).unwrap()).await.unwrap();
    let status = answer.status();
    (status, serde_json::from_slice(&to_bytes(answer.into_body(), usize::MAX).await.unwrap()).unwrap_or_default())
}

/// Something in every list.
async fn world() -> (Engine, Router) {
    let engine = Engine::builder().sqlite_in_memory().job_execution(false).start().await.unwrap();
    let models: [(&str, &[u8]); 2] = [
        ("everything.bpmn", include_bytes!("../../../tests/faces/camunda7/models/everything.bpmn")),
        ("discount.dmn", include_bytes!("../../../tests/faces/camunda7/models/discount.dmn")),
    ];
    for (name, model) in models {
        engine.deployment().file(name, model).send().await.unwrap();
    }
    let router = potok_faces::camunda7::router(engine.clone());
    let started = json!({"businessKey": "k", "variables": {"a": {"value": "A"}}});
    let (status, _) = ask(&router, "POST", "/process-definition/key/everything/start", Some(started)).await;
    assert_eq!(status, StatusCode::OK);
    let fetch = json!({"workerId": "w", "maxTasks": 1, "topics": [{"topicName": "print", "lockDuration": 60000}]});
    let (_, fetched) = ask(&router, "POST", "/external-task/fetchAndLock", Some(fetch)).await;
    let id = fetched[0]["id"].as_str().unwrap();
    let failure = json!({"workerId": "w", "errorMessage": "no ink", "retries": 0});
    ask(&router, "POST", &format!("/external-task/{id}/failure"), Some(failure)).await;
    let (_, tasks) = ask(&router, "GET", "/task", None).await;
    let task = tasks[0]["id"].as_str().unwrap();
    ask(&router, "POST", &format!("/task/{task}/assignee"), Some(json!({"userId": "anna"}))).await;
    ask(&router, "POST", "/filter/create", Some(json!({"resourceType": "Task", "name": "all", "query": {}}))).await;
    ask(
        &router,
        "POST",
        "/user/create",
        Some(json!({"profile": {"id": "anna"}, "credentials": {"password": "correct horse"}})),
    )
    .await;
    ask(&router, "POST", "/group/create", Some(json!({"id": "clerks", "name": "Clerks"}))).await;
    (engine, router)
}

#[tokio::test]
async fn a_filter_narrows_or_is_refused() {
    let filters: BTreeMap<String, Vec<String>> =
        serde_json::from_slice(include_bytes!("../../../tests/faces/camunda7/filters.json")).unwrap();
    let (engine, router) = world().await;
    let mut ignored = Vec::new();
    for (path, names) in &filters {
        let (status, all) = ask(&router, "GET", path, None).await;
        assert_eq!(status, StatusCode::OK, "{path}");
        // Nobody has worked on a batch, and what the program does itself is no user's operation.
        if !["/batch", "/batch/statistics", "/history/batch", "/history/user-operation"].contains(&&**path) {
            assert_ne!(all, json!([]), "{path} must not be empty, or nothing is tried");
        }
        for name in names.iter().filter(|name| !OTHERS.contains(&&***name)) {
            let (status, found) = ask(&router, "GET", &format!("{path}?{name}=x"), None).await;
            let says_so = status != StatusCode::NOT_IMPLEMENTED
                || found["message"].as_str().is_some_and(|message| message.contains(name.as_str()));
            assert!(says_so, "{path}?{name}: {found}");
            if status == StatusCode::OK && found == all && all != json!([]) {
                ignored.push(format!("{path}?{name}"));
            }
        }
    }
    assert!(ignored.is_empty(), "passed over: {ignored:#?}");
    engine.stop().await;
}

#[tokio::test]
async fn what_is_no_filter_is_passed_over() {
    let (engine, router) = world().await;
    let (status, found) = ask(&router, "GET", "/task?nmae=x", None).await;
    assert_eq!((status, found.as_array().unwrap().len()), (StatusCode::OK, 1), "as Camunda does");
    let none = json!({"orQueries": [{"caseInstanceId": "x"}]});
    assert_eq!(ask(&router, "POST", "/task", Some(none)).await.1, json!([]));
    let one = json!({"orQueries": [{"caseInstanceId": "x", "name": "Check"}, {}], "caseInstanceVariables": []});
    assert_eq!(ask(&router, "POST", "/task", Some(one)).await.1.as_array().unwrap().len(), 1);
    assert_eq!(ask(&router, "GET", "/user?potentialStarter=x", None).await.0, StatusCode::NOT_IMPLEMENTED);
    engine.stop().await;
}

#[tokio::test]
async fn searches_in_the_words_of_another_api_are_no_filters() {
    let (engine, router) = world().await;
    let other =
        SavedSearch { resource: "tasks".into(), name: "theirs".into(), query: "{}".into(), ..SavedSearch::default() };
    let other = u64::from(engine.save_search(other).await.unwrap().key);
    let (_, all) = ask(&router, "GET", "/filter", None).await;
    assert_eq!(all.as_array().unwrap().len(), 1);
    let bits = other | 1 << 63;
    let id = format!("00000000-0000-8000-{:04x}-{:012x}", bits >> 48, bits & 0xffff_ffff_ffff);
    for (method, path) in [("GET", ""), ("GET", "/list"), ("GET", "/count"), ("DELETE", "")] {
        let (status, _) = ask(&router, method, &format!("/filter/{id}{path}"), None).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{method} {path}");
    }
    assert_eq!(engine.saved_searches().await.unwrap().len(), 2);
    engine.stop().await;
}
