//! Definitions are named by one selector, in filters as everywhere: by key, `key@version`, `key@tag` or id.

use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use potok::Role;
use serde_json::{Value, json};
use tokio_stream::StreamExt as _;

use crate::conversation::{APPROVAL, Server, row};

/// A task, a job, a timer and a message that is waited for, side by side.
const ORDER: &str = r#"<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:potok="urn:potok:bpmn:1.0"
    xmlns:camunda="http://camunda.org/schema/1.0/bpmn" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" targetNamespace="test">
    <message id="paid" name="paid"/>
    <process id="order" isExecutable="true" camunda:versionTag="spring">
        <startEvent id="start"/>
        <userTask id="check"/><sequenceFlow id="a" sourceRef="start" targetRef="check"/>
        <serviceTask id="send" potok:job="send-letter"/><sequenceFlow id="b" sourceRef="start" targetRef="send"/>
        <intermediateCatchEvent id="rest"><timerEventDefinition>
            <timeDuration xsi:type="tFormalExpression">PT1H</timeDuration>
        </timerEventDefinition></intermediateCatchEvent><sequenceFlow id="c" sourceRef="start" targetRef="rest"/>
        <intermediateCatchEvent id="wait"><messageEventDefinition messageRef="paid"/></intermediateCatchEvent>
        <sequenceFlow id="d" sourceRef="start" targetRef="wait"/>
    </process></definitions>"#;

/// Deploys a version and gives its id.
async fn deploy(server: &Server, text: &str) -> String {
    let files = json!({"files": [{"name": "order.bpmn", "text": text}]});
    let deployed = server.post("/api/v1/deployments", files).await.is(201).json();
    deployed["definitions"][0]["id"].as_str().unwrap().to_owned()
}

/// With an instance of each of two versions, of which the first alone has the tag `spring`; and their ids.
async fn two_versions() -> (Server, String, [String; 2]) {
    let server = Server::new().await;
    let mut instances = Vec::new();
    let first = deploy(&server, ORDER).await;
    instances.push(server.start("order", json!({})).await);
    deploy(&server, &ORDER.replace("spring", "summer")).await;
    instances.push(server.start("order", json!({})).await);
    let jobs = json!({"worker": "w", "topics": ["send-letter"], "limit": 2});
    for job in server.post("/api/v1/jobs/fetch", jobs).await.is(200).json().as_array().unwrap() {
        let failed = json!({"lease": job["lease"], "message": "no paper", "retries": 0});
        server.post(&format!("/api/v1/jobs/{}/fail", job["id"].as_str().unwrap()), failed).await.is(204);
    }
    (server, first, instances.try_into().unwrap())
}

#[tokio::test]
async fn filters_take_what_names_a_definition() {
    let (server, first, instances) = two_versions().await;
    for what in ["instances", "tasks", "jobs", "incidents", "timers", "subscriptions"] {
        let path = format!("/api/v1/{what}/search");
        let member = if what == "instances" { "id" } else { "instance" };
        for (selector, instance) in [
            ("order", &instances[1]),
            ("order@1", &instances[0]),
            ("order@2", &instances[1]),
            ("order@spring", &instances[0]),
            (&*first, &instances[0]),
        ] {
            let found = server.post(&path, json!({"filter": {"definition": selector}})).await.is(200);
            assert_eq!(found.count(), 1, "{what} of {selector}: {found:?}");
            assert_eq!(found.json()["items"][0][member], json!(instance), "{what} of {selector}");
        }
        for unknown in ["nothing", "order@3", "order@winter", "7", ""] {
            let filter = json!({"filter": {"definition": unknown}});
            server.post(&path, filter).await.problem(404, "definition-unknown");
        }
    }
}

#[tokio::test]
async fn what_is_done_and_told_by_a_filter_takes_it_too() {
    let (server, _, instances) = two_versions().await;
    let of_first = json!({"definition": "order@1"});
    let exported = server.post("/api/v1/history/export", json!({"filter": of_first})).await.is(200);
    let exported = String::from_utf8(exported.bytes).unwrap();
    assert!(exported.contains(&instances[0]) && !exported.contains(&instances[1]), "{exported}");
    let kept = json!({"name": "Newest", "query": {"filter": {"definition": "order"}}});
    let kept = server.post("/api/v1/searches", kept).await.is(201).text("id");
    let ask = format!("/api/v1/searches/{kept}/tasks");
    server.post(&ask, json!({})).await.is(200).says(json!({"items": [{"instance": instances[1]}]}));

    let batch = json!({"operation": {"type": "cancel"}, "filter": of_first});
    server.post("/api/v1/batches", batch).await.is(201);
    server.engine.execute_due().await.unwrap();
    for (instance, state) in instances.iter().zip(["cancelled", "active"]) {
        server.get(&format!("/api/v1/instances/{instance}")).await.says(json!({"state": state}));
    }
    let finished = server.post("/api/v1/history/elements", json!({"filter": of_first})).await.is(200).json();
    assert!(finished.as_array().unwrap().iter().any(|node| node["node"] == "check" && node["cancelled"] == 1));
    for (path, body) in [
        ("history/export", json!({"filter": {"definition": "order@3"}})),
        ("history/elements", json!({"filter": {"definition": "order@3"}})),
        ("batches", json!({"operation": {"type": "cancel"}, "filter": {"definition": "order@3"}})),
        ("conditions", json!({"definition": "order@3"})),
    ] {
        server.post(&format!("/api/v1/{path}"), body).await.problem(404, "definition-unknown");
    }
}

#[tokio::test]
async fn a_key_means_what_the_tenant_has() {
    let server = Server::new().await;
    let root = server.user("root", &[Role::Administrator], None).await;
    let acme = server.user("anna", &[Role::Operator, Role::Deployer], Some("acme")).await;
    for caller in [&root, &acme] {
        deploy(caller, &row("order", APPROVAL)).await;
        caller.start("order", json!({})).await;
    }
    let tenants = async |caller: &Server, filter: Value| {
        let found = caller.post("/api/v1/instances/search", json!({"filter": filter})).await.is(200).json();
        found["items"].as_array().unwrap().iter().map(|item| item["tenant"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(tenants(&root, json!({"definition": "order"})).await, [json!(null)]);
    assert_eq!(tenants(&root, json!({"definition": "order", "tenant": "acme"})).await, [json!("acme")]);
    assert_eq!(tenants(&acme, json!({"definition": "order"})).await, [json!("acme")]);
    let theirs = json!({"filter": {"definition": "order", "tenant": "bolt"}});
    acme.post("/api/v1/instances/search", theirs).await.problem(403, "tenant-foreign");
}

#[tokio::test]
async fn events_are_told_of_what_a_selector_names() {
    let (server, _, instances) = two_versions().await;
    let ask = async |selector: &str| {
        let request = Request::get(format!("/api/v1/events?after=0-0&definition={selector}"));
        server.stream(request.header("host", "localhost:8080").body(Body::empty()).unwrap()).await
    };
    assert_eq!(ask("order@3").await.status(), 404);
    for (selector, instance) in [("order", &instances[1]), ("order@spring", &instances[0])] {
        let mut told = ask(selector).await.into_body().into_data_stream();
        let mut text = String::new();
        // The first event, and all of it.
        while !text.split_once("data:").is_some_and(|(_, data)| data.contains("\n\n")) {
            let piece = tokio::time::timeout(Duration::from_secs(30), told.next()).await.unwrap().unwrap().unwrap();
            text += std::str::from_utf8(&piece).unwrap();
        }
        assert!(text.contains(&format!(r#""instance":"{instance}""#)), "{selector}: {text}");
    }
}
