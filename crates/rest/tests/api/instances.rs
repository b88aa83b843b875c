//! Instances, their state and their history.

use axum::http::Method;
use serde_json::json;

use crate::conversation::{APPROVAL, LETTER, Server};

#[tokio::test]
async fn an_instance_is_started_looked_at_and_cancelled() {
    let server = Server::deployed(&[("approval", APPROVAL)]).await;
    let started = server
        .post(
            "/api/v1/instances",
            json!({"definition": "approval", "businessKey": "C-17", "variables": {"amount": 12}}),
        )
        .await
        .is(201)
        .says(json!({
            "process": "approval", "businessKey": "C-17", "state": "active", "suspended": false, "parent": null,
            "started": "2026-01-05T09:00:00Z", "ended": null,
        }));
    let id = started.text("id");
    let instance = format!("/api/v1/instances/{id}");
    assert_eq!(started.headers["location"], instance);
    assert_eq!(server.get(&instance).await.is(200).json(), started.json());
    server.patch(&format!("{instance}/variables"), json!({"amount": 13, "client": {"name": "Anna"}})).await.is(204);
    server.get(&format!("{instance}/variables")).await.is(200).says(json!({"amount": 13, "client": {"name": "Anna"}}));
    server.delete(&instance).await.problem(409, "instance-runs");
    server.post(&format!("{instance}/cancel"), json!({"reason": "sold out"})).await.is(204);
    server.post(&format!("{instance}/cancel"), json!({})).await.problem(409, "instance-not-active");
    server.get(&instance).await.says(json!({"state": "cancelled", "ended": "2026-01-05T09:00:00Z"}));
    server.delete(&instance).await.is(204);
    server.get(&instance).await.problem(404, "instance-unknown");
}

#[tokio::test]
async fn a_business_key_may_be_an_instances_own() {
    let server = Server::deployed(&[("approval", APPROVAL)]).await;
    let start = json!({"definition": "approval", "businessKey": "C-17", "uniqueBusinessKey": true});
    server.post("/api/v1/instances", start.clone()).await.is(201);
    server.post("/api/v1/instances", start).await.problem(409, "business-key-taken");
    let without = json!({"definition": "approval", "uniqueBusinessKey": true});
    server.post("/api/v1/instances", without).await.problem(400, "body-invalid");
}

#[tokio::test]
async fn an_instance_starts_elsewhere() {
    let server = Server::deployed(&[("approval", APPROVAL)]).await;
    let start = json!({"definition": "approval", "startBefore": ["pay"]});
    let id = server.post("/api/v1/instances", start).await.is(201).text("id");
    let task = server.task_of(&id).await;
    server.get(&format!("/api/v1/tasks/{task}")).await.says(json!({"node": "pay"}));
    let event = json!({"definition": "approval", "startEvent": "start"});
    server.post("/api/v1/instances", event).await.is(201);
    let nowhere = json!({"definition": "approval", "startBefore": ["nowhere"]});
    server.post("/api/v1/instances", nowhere).await.problem(422, "element-unknown");
    let both = json!({"definition": "approval", "startBefore": ["pay"], "startEvent": "start"});
    server.post("/api/v1/instances", both).await.problem(400, "body-invalid");
}

#[tokio::test]
async fn who_starts_an_instance_may_wait_for_its_end() {
    let nodes = r#"<startEvent id="start"/>
        <scriptTask id="sum" scriptFormat="feel" potok:resultVariable="total"><script>amount + 1</script></scriptTask>
        <endEvent id="end"/>"#;
    let server = Server::deployed(&[("addition", nodes)]).await;
    let start = json!({"definition": "addition", "variables": {"amount": 1}, "waitSeconds": 30});
    let ended = server.post("/api/v1/instances", start).await.is(201);
    ended.says(json!({"state": "completed", "variables": {"amount": 1, "total": 2}}));
}

#[tokio::test]
async fn a_suspended_instance_waits() {
    let server = Server::deployed(&[("approval", APPROVAL)]).await;
    let id = server.start("approval", json!({})).await;
    let task = server.task_of(&id).await;
    server.poke(&format!("/api/v1/instances/{id}/suspend")).await.is(204);
    server.post(&format!("/api/v1/tasks/{task}/complete"), json!({})).await.problem(409, "instance-suspended");
    let found = json!({"filter": {"suspended": true}});
    assert_eq!(server.post("/api/v1/instances/search", found).await.count(), 1);
    server.poke(&format!("/api/v1/instances/{id}/resume")).await.is(204);
    server.post(&format!("/api/v1/tasks/{task}/complete"), json!({})).await.is(204);
}

#[tokio::test]
async fn instances_are_searched_with_their_variables() {
    let server = Server::deployed(&[("approval", APPROVAL), ("letter", LETTER)]).await;
    for (definition, key) in [("approval", "b"), ("approval", "a"), ("letter", "c")] {
        let start = json!({"definition": definition, "businessKey": key, "variables": {"key": key}});
        server.post("/api/v1/instances", start).await.is(201);
    }
    let search = "/api/v1/instances/search";
    let sorted =
        json!({"sortBy": "business-key", "filter": {"processes": ["approval"]}, "includeVariables": ["key", "x"]});
    server.post(search, sorted).await.is(200).says(json!({"items": [
        {"businessKey": "a", "variables": {"key": "a"}}, {"businessKey": "b", "variables": {"key": "b"}},
    ]}));
    let found = async |filter: serde_json::Value| server.post(search, json!({"filter": filter})).await.is(200).count();
    assert_eq!(found(json!({"businessKey": "c"})).await, 1);
    assert_eq!(found(json!({"businessKeyLike": "%"})).await, 3);
    assert_eq!(found(json!({"states": ["active"]})).await, 3);
    assert_eq!(found(json!({"states": ["failed", "completed"]})).await, 0);
    assert_eq!(found(json!({"called": true})).await, 0);
    assert_eq!(found(json!({"startedBefore": "2026-01-05T09:00:00Z"})).await, 0);
    assert_eq!(found(json!({"startedFrom": "2026-01-05T09:00:00Z"})).await, 3);
    server.post(search, json!({"countOnly": true, "limit": 1})).await.says(json!({"items": [], "total": 3}));
}

#[tokio::test]
async fn the_past_can_be_seen() {
    let server = Server::deployed(&[("approval", APPROVAL)]).await;
    let id = server.start("approval", json!({"amount": 1})).await;
    let task = server.task_of(&id).await;
    server.post(&format!("/api/v1/tasks/{task}/complete"), json!({"variables": {"amount": 2}})).await.is(204);
    let state = format!("/api/v1/instances/{id}/state");
    server.get(&state).await.is(200).says(json!({
        "active": true, "tokens": [{"node": "pay", "scope": 0, "inside": null, "joining": false}],
        "scopes": [{"scope": 0, "kind": "process", "node": null, "parent": null, "variables": {"amount": 2}}],
        "waits": [{"kind": "user task", "node": "pay"}],
    }));
    server.get(&format!("{state}?at=1")).await.is(200).says(json!({
        "tokens": [{"node": "approve"}], "scopes": [{"variables": {"amount": 1}}], "waits": [{"id": task, "node": "approve"}],
    }));
    let history = server.get(&format!("/api/v1/instances/{id}/history")).await.is(200).json();
    let history = history.as_array().unwrap();
    assert_eq!(history[0]["event"], "started");
    assert!(history.iter().any(|one| one["element"] == "approve" || one["node"] == "approve"), "{history:?}");
    assert_eq!(history.last().unwrap()["seq"], 2);
    let elements = json!({"filter": {"processes": ["approval"]}});
    let elements = server.post("/api/v1/history/elements", elements).await.is(200).json();
    assert!(
        elements.as_array().unwrap().iter().any(|one| one["node"] == "approve" && one["completed"] == 1),
        "{elements}"
    );
}

#[tokio::test]
async fn history_is_exported() {
    let server = Server::deployed(&[("approval", APPROVAL)]).await;
    let id = server.start("approval", json!({})).await;
    let lines = server.post("/api/v1/history/export", json!({})).await.is(200);
    let text = String::from_utf8(lines.bytes).unwrap();
    assert!(text.lines().count() > 1 && text.contains(&id), "{text}");
    let xes = server.post("/api/v1/history/export", json!({"format": "xes"})).await.is(200);
    assert!(String::from_utf8(xes.bytes).unwrap().contains("<log"));
    let none = json!({"before": "2026-01-01T00:00:00Z"});
    let none = server.post("/api/v1/history/export", none).await.is(200);
    assert!(!String::from_utf8(none.bytes).unwrap().contains("approve"));
}

#[tokio::test]
async fn what_a_variable_has_held_is_erased() {
    let server = Server::deployed(&[("approval", APPROVAL)]).await;
    let id = server.start("approval", json!({"phone": "+7 8442 000000"})).await;
    server.poke(&format!("/api/v1/instances/{id}/variables/phone/erase")).await.is(204);
    server
        .get(&format!("/api/v1/instances/{id}/state?at=1"))
        .await
        .says(json!({"scopes": [{"variables": {"phone": null}}]}));
}

#[tokio::test]
async fn activities_of_an_ad_hoc_sub_process_begin() {
    let nodes = r#"<startEvent id="start"/>
        <adHocSubProcess id="as-needed"><task id="inner-call"/><userTask id="write"/></adHocSubProcess>
        <endEvent id="end"/>"#;
    let server = Server::deployed(&[("care", nodes)]).await;
    let id = server.start("care", json!({})).await;
    let state = server.get(&format!("/api/v1/instances/{id}/state")).await.is(200).json();
    let wait = state["waits"].as_array().unwrap().iter().find(|wait| wait["kind"] == "ad-hoc").unwrap()["id"].clone();
    let activate = format!("/api/v1/instances/{id}/activate");
    server.post(&activate, json!({"wait": wait, "elements": ["write"]})).await.is(204);
    let task = server.task_of(&id).await;
    server.get(&format!("/api/v1/tasks/{task}")).await.says(json!({"node": "write"}));
    server.post(&activate, json!({"wait": wait, "elements": ["nowhere"]})).await.problem(422, "element-unknown");
}

#[tokio::test]
async fn variables_are_set_if_they_are_as_they_were_seen() {
    let server = Server::deployed(&[("approval", APPROVAL)]).await;
    let variables = format!("/api/v1/instances/{}/variables", server.start("approval", json!({"amount": 1})).await);
    let set = async |body, tag: &str| server.ask(Method::PATCH, &variables, Some(body), &[("if-match", tag)]).await;
    let tag = server.get(&variables).await.is(200).tag();
    set(json!({"amount": 2}), &tag).await.is(204);
    set(json!({"client": "Anna"}), &tag).await.problem(412, "variables-changed");
    let now = server.get(&variables).await;
    assert_eq!(now.json(), json!({"amount": 2}));
    set(json!({"client": "Anna"}), &now.tag()).await.is(204);
    assert_eq!(server.get(&variables).await.json(), json!({"amount": 2, "client": "Anna"}));
    let client = format!("{variables}/client");
    let remove = async |tag: &str| server.ask(Method::DELETE, &client, None, &[("if-match", tag)]).await;
    remove(&tag).await.problem(412, "variables-changed");
    let now = server.get(&variables).await.says(json!({"client": "Anna"}));
    remove(&now.tag()).await.is(204);
    assert_eq!(server.get(&variables).await.json(), json!({"amount": 2}));
}
