//! Faces behind the doors of `potok-rest`: who gets in, and what they may do there.

#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use potok::{Engine, Role};
use potok_rest::Options;
use serde_json::{Value, json};
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
    let router = potok_rest::router_beside(engine.clone(), &options, potok_faces::routers);
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

const ORDER: &str = r#"<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:potok="urn:potok:bpmn:1.0" targetNamespace="urn:test">
    <message id="paid" name="paid"/><message id="ordered" name="ordered"/>
    <process id="order" isExecutable="true">
      <startEvent id="start"/><startEvent id="asked"><messageEventDefinition messageRef="ordered"/></startEvent>
      <exclusiveGateway id="either"/><parallelGateway id="fork"/><serviceTask id="pack" potok:job="pack"/><userTask id="check"/>
      <intermediateCatchEvent id="wait"><messageEventDefinition messageRef="paid"/></intermediateCatchEvent>
      <endEvent id="end"/>
      <sequenceFlow id="f" sourceRef="start" targetRef="either"/><sequenceFlow id="g" sourceRef="asked" targetRef="either"/>
      <sequenceFlow id="e" sourceRef="either" targetRef="fork"/>
      <sequenceFlow id="h" sourceRef="fork" targetRef="pack"/><sequenceFlow id="i" sourceRef="fork" targetRef="wait"/>
      <sequenceFlow id="j" sourceRef="fork" targetRef="check"/><sequenceFlow id="k" sourceRef="pack" targetRef="end"/>
      <sequenceFlow id="l" sourceRef="wait" targetRef="end"/><sequenceFlow id="m" sourceRef="check" targetRef="end"/>
    </process></definitions>"#;

/// A router, and a token that has one role alone.
struct Client<'r> {
    router: &'r Router,
    token: String,
}

impl<'r> Client<'r> {
    async fn new(router: &'r Router, engine: &Engine, role: Role) -> Self {
        let people = engine.people();
        let user = format!("a {}", role.name());
        people.put_group(potok::row::Group { id: role.name().into(), ..Default::default() }).await.unwrap();
        people.grant(role.name(), role).await.unwrap();
        people.put_user(potok::row::User { id: user.as_str().into(), ..Default::default() }).await.unwrap();
        people.add_member(role.name(), user.as_str()).await.unwrap();
        let (_, secret) = people.new_token(user.as_str(), "test").role(role).send().await.unwrap();
        Self { router, token: format!("Bearer {}", secret.reveal()) }
    }

    async fn ask(&self, method: &str, path: &str, body: Value) -> (u16, Value) {
        let request = Request::builder().method(method).uri(path).header("host", "127.0.0.1:8080");
        let request = request.header("authorization", &self.token).header("content-type", "application/json");
        let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
        let answer = self.router.clone().oneshot(request.body(body).unwrap()).await.unwrap();
        let status = answer.status().as_u16();
        let bytes = axum::body::to_bytes(answer.into_body(), 1 << 20).await.unwrap();
        (status, serde_json::from_slice(&bytes).unwrap_or_default())
    }
}

#[tokio::test]
async fn a_program_with_the_role_worker_alone_does_all_that_workers_do() {
    let engine = Engine::builder().sqlite_in_memory().job_execution(false).start().await.unwrap();
    engine.deployment().file("order.bpmn", ORDER).send().await.unwrap();
    let router = potok_rest::router_beside(engine.clone(), &Options::local(8080), potok_faces::routers);
    let worker = Client::new(&router, &engine, Role::Worker).await;
    let (status, started) =
        worker.ask("POST", "/engine-rest/process-definition/key/order/start", json!({"businessKey": "A"})).await;
    assert_eq!((status, &started["businessKey"], &started["ended"]), (200, &json!("A"), &json!(false)), "{started}");
    let message = json!({"messageName": "paid", "businessKey": "A", "resultEnabled": true});
    let (status, told) = worker.ask("POST", "/engine-rest/message", message).await;
    assert_eq!((status, &told[0]["execution"]["processInstanceId"]), (200, &started["id"]), "{told}");
    let message = json!({"messageName": "ordered", "businessKey": "B", "resultEnabled": true});
    let (status, told) = worker.ask("POST", "/engine-rest/message", message).await;
    assert_eq!((status, &told[0]["processInstance"]["businessKey"]), (200, &json!("B")), "{told}");
    let message = json!({"messageName": "paid", "resultEnabled": true, "variablesInResultEnabled": true});
    let (status, told) = worker.ask("POST", "/engine-rest/message", message).await;
    assert_eq!(status, 403, "what instances hold is not a worker's to see, and nothing is sent: {told}");

    let fetch = json!({"workerId": "w", "maxTasks": 1, "topics": [{"topicName": "pack", "lockDuration": 60000}]});
    let (_, fetched) = worker.ask("POST", "/engine-rest/external-task/fetchAndLock", fetch).await;
    let (_, listed) = worker.ask("GET", "/engine-rest/external-task?locked=true", Value::Null).await;
    assert_eq!((&listed[0]["id"], &listed[0]["businessKey"]), (&fetched[0]["id"], &json!("A")), "{listed}");
    let one = format!("/engine-rest/external-task/{}", fetched[0]["id"].as_str().unwrap());
    assert_eq!(worker.ask("GET", &one, Value::Null).await.1["workerId"], "w");
    assert_eq!(worker.ask("GET", "/engine-rest/external-task/count", Value::Null).await.1["count"], 2);
    assert_eq!(worker.ask("POST", "/external-job-api/unacquire/jobs", json!({"workerId": "w"})).await.0, 204);
    assert_eq!(worker.ask("GET", &one, Value::Null).await.1["workerId"], Value::Null);

    let (viewer, operator) =
        (Client::new(&router, &engine, Role::Viewer).await, Client::new(&router, &engine, Role::Operator).await);
    assert_eq!(viewer.ask("GET", &one, Value::Null).await.0, 200);
    let retries = json!({"retries": 2, "externalTaskIds": [fetched[0]["id"]]});
    for (client, status) in [(&viewer, 403), (&worker, 403), (&operator, 204)] {
        assert_eq!(client.ask("PUT", "/engine-rest/external-task/retries", retries.clone()).await.0, status);
    }
    let (_, tasks) = viewer.ask("GET", "/engine-rest/task", Value::Null).await;
    let complete = format!("/engine-rest/task/{}/complete", tasks[0]["id"].as_str().unwrap());
    let (status, refused) = viewer.ask("POST", &complete, json!({})).await;
    assert_eq!((status, &refused["type"]), (403, &json!("AuthorizationException")), "{refused}");
    engine.stop().await;
}

#[tokio::test]
async fn where_it_is_enforced_a_process_without_a_time_to_live_is_refused_as_by_camunda() {
    let builder = Engine::builder().sqlite_in_memory().job_execution(false);
    let engine = builder.enforce_history_time_to_live(true).start().await.unwrap();
    let router = potok_faces::camunda7::router(engine.clone());
    let deployed = async |model: &str| {
        let form = format!(
            "--x\r\nContent-Disposition: form-data; name=\"data\"; filename=\"p.bpmn\"\r\n\
             Content-Type: text/plain\r\n\r\n{model}\r\n--x--\r\n"
        );
        let request = Request::post("/deployment/create").header("content-type", "multipart/form-data; boundary=x");
        let answer = router.clone().oneshot(request.body(Body::from(form)).unwrap()).await.unwrap();
        let status = answer.status().as_u16();
        let bytes = axum::body::to_bytes(answer.into_body(), 1 << 20).await.unwrap();
        (status, serde_json::from_slice::<Value>(&bytes).unwrap())
    };
    let (status, refused) = deployed(DEPLOYED).await;
    assert_eq!((status, &refused["type"], &refused["code"]), (400, &json!("ParseException"), &json!(0)), "{refused}");
    let error = &refused["details"]["p.bpmn"]["errors"][0];
    assert_eq!((&error["line"], &error["mainElementId"]), (&json!(2), &json!("p")), "{refused}");
    for message in [&refused["message"], &error["message"]] {
        assert!(message.as_str().unwrap().starts_with("ENGINE-12018 "), "{refused}");
    }
    let kept = "<process xmlns:camunda=\"http://camunda.org/schema/1.0/bpmn\" camunda:historyTimeToLive=\"P30D\"";
    assert_eq!(deployed(&DEPLOYED.replace("<process", kept)).await.0, 200);
    engine.stop().await;
}
