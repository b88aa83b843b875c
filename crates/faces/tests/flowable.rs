//! Flowable's external-worker API: who has a job, what it gives, and what is refused. Its own clients stand in tests/clients.

#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod conversation;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::Request;
use potok::Engine;
use potok::query::IncidentQuery;
use serde_json::{Value as Json, json};
use tower::ServiceExt as _;

async fn with_a_job() -> (Engine, Router) {
    let engine = Engine::builder().sqlite_in_memory().job_execution(false).start().await.unwrap();
    let model = include_bytes!("../../../tests/clients/job.bpmn");
    engine.deployment().file("job.bpmn", model).send().await.unwrap();
    engine.start("job").variables(json!({"amount": 5, "list": [1]})).send().await.unwrap();
    let router = Router::new().nest("/external-job-api", potok_faces::flowable::router(engine.clone()));
    (engine, router)
}

async fn ask(router: &Router, method: &str, path: &str, body: Option<Json>) -> (u16, Json) {
    let request = Request::builder().method(method).uri(format!("/external-job-api{path}"));
    let body = body.map(|body| Body::from(body.to_string())).unwrap_or_default();
    let answer = router.clone().oneshot(request.body(body).unwrap()).await.unwrap();
    let status = answer.status().as_u16();
    let bytes = to_bytes(answer.into_body(), usize::MAX).await.unwrap();
    (status, serde_json::from_slice(&bytes).unwrap_or_default())
}

async fn acquire(router: &Router, worker: &str) -> Json {
    let body = json!({"topic": "flow", "lockDuration": "PT1M", "workerId": worker});
    let (status, jobs) = ask(router, "POST", "/acquire/jobs", Some(body)).await;
    assert_eq!(status, 200, "{jobs}");
    jobs
}

#[tokio::test]
async fn a_job_is_acquired_and_completed_by_its_worker() {
    let (engine, router) = with_a_job().await;
    let job = acquire(&router, "w").await[0].take();
    let id = job["id"].as_str().unwrap();
    assert_eq!(
        job["variables"],
        json!([
            {"name": "amount", "type": "integer", "value": 5},
            {"name": "list", "type": "json", "value": [1]},
        ])
    );
    assert_eq!((&job["lockOwner"], &job["elementId"], &job["scopeType"]), (&json!("w"), &json!("work"), &Json::Null));
    assert_eq!(acquire(&router, "v").await, json!([]));
    let complete =
        |worker: &str| Some(json!({"workerId": worker, "variables": [{"name": "n", "type": "long", "value": 7}]}));
    let (status, refused) = ask(&router, "POST", &format!("/acquire/jobs/{id}/complete"), complete("v")).await;
    assert_eq!((status, &refused["message"]), (403, &json!("Forbidden")));
    let (_, page) = ask(&router, "GET", "/jobs?topic=flow", None).await;
    assert_eq!((&page["total"], &page["size"]), (&json!(1), &json!(1)));
    assert_eq!(ask(&router, "GET", &format!("/jobs/{id}"), None).await.1["lockOwner"], "w");
    for (asked, total) in [
        ("locked=true", 1),
        ("unlocked=true", 0),
        ("id=x", 0),
        ("processInstanceId=x", 0),
        ("processDefinitionId=x", 0),
        ("executionId=x", 0),
        ("elementName=x", 0),
        ("withException=true", 0),
        ("exceptionMessage=x", 0),
        ("tenantId=x", 0),
        ("tenantIdLike=x%25", 0),
        ("withoutTenantId=true", 1),
        ("scopeType=cmmn", 0),
        ("sort=createTime&order=desc", 1),
    ] {
        assert_eq!(ask(&router, "GET", &format!("/jobs?{asked}"), None).await.1["total"], total, "{asked}");
    }
    for wrong in ["sort=foo", "order=foo"] {
        assert_eq!(ask(&router, "GET", &format!("/jobs?{wrong}"), None).await.0, 400, "{wrong}");
    }
    assert_eq!(ask(&router, "POST", &format!("/acquire/jobs/{id}/complete"), complete("w")).await.0, 204);
    assert_eq!(ask(&router, "POST", &format!("/acquire/jobs/{id}/complete"), complete("w")).await.0, 404);
    assert_eq!(ask(&router, "GET", &format!("/jobs/{id}"), None).await.0, 404);
    engine.stop().await;
}

#[tokio::test]
async fn a_job_without_tries_left_is_an_incident() {
    let (engine, router) = with_a_job().await;
    let id = acquire(&router, "w").await[0]["id"].as_str().unwrap().to_owned();
    let fail = |retries: i64| {
        Some(json!({"workerId": "w", "errorMessage": "no ink", "retries": retries, "retryTimeout": "PT0S"}))
    };
    assert_eq!(ask(&router, "POST", &format!("/acquire/jobs/{id}/fail"), fail(1)).await.0, 204);
    assert_eq!(acquire(&router, "w").await[0]["exceptionMessage"], "no ink");
    assert_eq!(ask(&router, "POST", &format!("/acquire/jobs/{id}/fail"), fail(0)).await.0, 204);
    assert_eq!(acquire(&router, "w").await, json!([]));
    assert_eq!(engine.incidents(&IncidentQuery::default()).await.unwrap().len(), 1);
    engine.stop().await;
}

#[tokio::test]
async fn jobs_are_given_back() {
    let (engine, router) = with_a_job().await;
    let id = acquire(&router, "w").await[0]["id"].as_str().unwrap().to_owned();
    assert_eq!(ask(&router, "POST", &format!("/unacquire/jobs/{id}"), Some(json!({"workerId": "v"}))).await.0, 403);
    assert_eq!(ask(&router, "POST", &format!("/unacquire/jobs/{id}"), Some(json!({"workerId": "w"}))).await.0, 204);
    assert_eq!(acquire(&router, "v").await[0]["id"], id);
    assert_eq!(ask(&router, "POST", "/unacquire/jobs", Some(json!({"workerId": "v"}))).await.0, 204);
    assert_eq!(acquire(&router, "w").await[0]["id"], id);
    let error = json!({"workerId": "w", "errorCode": "BAD"});
    assert_eq!(ask(&router, "POST", &format!("/acquire/jobs/{id}/bpmnError"), Some(error)).await.0, 204);
    assert_eq!(engine.tasks().node("mendJob").count().await.unwrap(), 1);
    engine.stop().await;
}

const CHOSEN: &str = r#"<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:flowable="http://flowable.org/bpmn"
    targetNamespace="urn:test"><process id="chosen" isExecutable="true"><startEvent id="s"/>
    <serviceTask id="work" name="Do work" flowable:type="external-worker" flowable:topic="chosen"><extensionElements>
      <flowable:externalWorkerInParameter source="a" target="b"/></extensionElements></serviceTask>
    <sequenceFlow id="f" sourceRef="s" targetRef="work"/></process></definitions>"#;

#[tokio::test]
async fn a_worker_is_given_what_the_model_says() {
    let (engine, router) = with_a_job().await;
    engine.deployment().file("chosen.bpmn", CHOSEN).send().await.unwrap();
    engine.start("chosen").variables(json!({"a": 5, "secret": 1})).send().await.unwrap();
    let body = json!({"topic": "chosen", "lockDuration": "PT1M", "workerId": "w"});
    let (_, jobs) = ask(&router, "POST", "/acquire/jobs", Some(body)).await;
    assert_eq!(jobs[0]["variables"], json!([{"name": "b", "type": "integer", "value": 5}]));
    assert_eq!(jobs[0]["elementName"], "Do work");
    assert_eq!(ask(&router, "GET", "/jobs?elementName=Do%20work", None).await.1["total"], 1);
    engine.stop().await;
}

#[tokio::test]
async fn what_is_wrong_is_refused_and_changes_nothing() {
    let (engine, router) = with_a_job().await;
    for body in [
        json!({"lockDuration": "PT1M", "workerId": "w"}),
        json!({"topic": "flow", "workerId": "w"}),
        json!({"topic": "flow", "lockDuration": "PT1M"}),
        json!({"topic": "flow", "lockDuration": "soon", "workerId": "w"}),
        json!({"topic": "flow", "lockDuration": "PT1M", "workerId": "w", "numberOfTasks": 0}),
        json!({"topic": "", "lockDuration": "PT1M", "workerId": "w"}),
        json!({"topic": 5, "lockDuration": "PT1M", "workerId": "w"}),
        json!([]),
    ] {
        assert_eq!(ask(&router, "POST", "/acquire/jobs", Some(body.clone())).await.0, 400, "{body}");
    }
    let id = acquire(&router, "w").await[0]["id"].as_str().unwrap().to_owned();
    for variables in [json!([{"value": 1}]), json!({"a": 1}), json!([{"name": "a", "type": "integer", "value": "x"}])] {
        let body = json!({"workerId": "w", "variables": variables});
        assert_eq!(ask(&router, "POST", &format!("/acquire/jobs/{id}/complete"), Some(body)).await.0, 400);
    }
    let terminate = Some(json!({"workerId": "w"}));
    assert_eq!(ask(&router, "POST", &format!("/acquire/jobs/{id}/cmmnTerminate"), terminate).await.0, 400);
    assert_eq!(ask(&router, "GET", "/jobs/nothing", None).await.0, 404);
    assert_eq!(ask(&router, "GET", "/nothing", None).await.0, 404);
    assert_eq!(ask(&router, "DELETE", "/jobs", None).await.0, 405);
    assert_eq!(ask(&router, "GET", &format!("/jobs/{id}"), None).await.1["lockOwner"], "w");
    engine.stop().await;
}

/// Conversations that were held with a real Flowable 7.1, held with this. See tests/faces/README.md.
#[tokio::test]
async fn it_says_what_flowable_says() {
    let mut wrong = Vec::new();
    for (title, steps, facts) in &conversation::read("flowable", "jobs") {
        let engine = Engine::builder().sqlite_in_memory().job_execution(false).start().await.unwrap();
        let router = conversation::served(&engine);
        let said = conversation::hold(&router, "/external-job-api", steps).await;
        engine.stop().await;
        let differs = conversation::differences(steps, facts, &said);
        if !differs.is_empty() {
            wrong.push(format!("== {title}\n{differs}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
