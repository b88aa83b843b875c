//! Tasks, and all that is done with them.

use axum::http::Method;
use serde_json::json;

use crate::conversation::{APPROVAL, Server};

#[tokio::test]
async fn a_task_is_claimed_and_completed() {
    let server = Server::deployed(&[("approval", APPROVAL)]).await;
    let instance = server.start("approval", json!({"amount": 1200})).await;
    let task = server.task_of(&instance).await;
    server.get(&format!("/api/v1/tasks/{task}")).await.is(200).says(json!({
        "id": task, "instance": instance, "process": "approval", "node": "approve", "name": "Approve", "assignee": null,
        "candidateGroups": ["sales"], "candidateUsers": [], "delegation": "none", "state": "open", "ended": null,
        "created": "2026-01-05T09:00:00Z",
    }));
    server.post(&format!("/api/v1/tasks/{task}/claim"), json!({"user": "anna"})).await.is(204);
    server.post(&format!("/api/v1/tasks/{task}/claim"), json!({"user": "anna"})).await.is(204);
    server.post(&format!("/api/v1/tasks/{task}/claim"), json!({"user": "boris"})).await.problem(409, "task-claimed");
    server.post(&format!("/api/v1/tasks/{task}/complete"), json!({"variables": {"approved": true}})).await.is(204);
    server.post(&format!("/api/v1/tasks/{task}/complete"), json!({})).await.problem(404, "task-unknown");
    server.get(&format!("/api/v1/tasks/{task}")).await.is(200).says(json!({"state": "completed", "assignee": "anna"}));
    server
        .get(&format!("/api/v1/instances/{instance}/variables"))
        .await
        .is(200)
        .says(json!({"amount": 1200, "approved": true}));
}

#[tokio::test]
async fn a_task_goes_from_hand_to_hand() {
    let server = Server::deployed(&[("approval", APPROVAL)]).await;
    let instance = server.start("approval", json!({})).await;
    let task = format!("/api/v1/tasks/{}", server.task_of(&instance).await);
    server.post(&format!("{task}/assign"), json!({"user": "anna"})).await.is(204);
    server.post(&format!("{task}/delegate"), json!({"user": "boris"})).await.is(204);
    server.get(&task).await.says(json!({"assignee": "boris", "owner": "anna", "delegation": "pending"}));
    server.poke(&format!("{task}/resolve")).await.is(204);
    server.get(&task).await.says(json!({"assignee": "anna", "owner": "anna", "delegation": "resolved"}));
    server.poke(&format!("{task}/unclaim")).await.is(204);
    server.get(&task).await.says(json!({"assignee": null}));
}

#[tokio::test]
async fn a_task_has_the_owner_that_its_model_gives() {
    let nodes = r#"<userTask id="approve" potok:owner="=boss"/>"#;
    let server = Server::deployed(&[("owned", nodes)]).await;
    let instance = server.start("owned", json!({"boss": "maria"})).await;
    let task = format!("/api/v1/tasks/{}", server.task_of(&instance).await);
    server.get(&task).await.is(200).says(json!({"owner": "maria", "assignee": null}));
}

#[tokio::test]
async fn a_task_is_changed_if_it_is_as_it_was_seen() {
    let server = Server::deployed(&[("approval", APPROVAL)]).await;
    let instance = server.start("approval", json!({})).await;
    let task = format!("/api/v1/tasks/{}", server.task_of(&instance).await);
    let tag = server.get(&task).await.is(200).tag();
    let change = json!({"priority": 80, "due": "2026-02-01T12:00:00Z", "candidateUsers": ["vera"]});
    server.ask(Method::PATCH, &task, Some(change.clone()), &[("if-match", &tag)]).await.is(204);
    server.ask(Method::PATCH, &task, Some(change), &[("if-match", &tag)]).await.problem(412, "task-changed");
    server.get(&task).await.says(json!({
        "priority": 80, "due": "2026-02-01T12:00:00Z", "candidateUsers": ["vera"], "candidateGroups": ["sales"],
    }));
    // What is not given stays; null takes away.
    server.patch(&task, json!({"due": null})).await.is(204);
    server.get(&task).await.says(json!({"priority": 80, "due": null}));
    server.patch(&task, json!({"assignee": "anna"})).await.problem(400, "body-invalid");
}

#[tokio::test]
async fn a_task_is_removed_if_it_is_as_it_was_seen() {
    let server = Server::new().await;
    for is_done in [false, true] {
        let id = server.post("/api/v1/tasks", json!({"name": "Call"})).await.is(201).text("id");
        let task = format!("/api/v1/tasks/{id}");
        let remove = async |tag: &str| server.ask(Method::DELETE, &task, None, &[("if-match", tag)]).await;
        let tag = server.get(&task).await.is(200).tag();
        server.patch(&task, json!({"priority": 80})).await.is(204);
        if is_done {
            server.post(&format!("{task}/complete"), json!({})).await.is(204);
        }
        remove(&tag).await.problem(412, "task-changed");
        let state = if is_done { "completed" } else { "open" };
        let now = server.get(&task).await.says(json!({"state": state}));
        remove(&now.tag()).await.is(204);
        server.get(&task).await.problem(404, "task-unknown");
    }
}

#[tokio::test]
async fn what_is_taken_for_how_it_is_may_be_several_tags_or_anything() {
    let server = Server::deployed(&[("approval", APPROVAL)]).await;
    let instance = server.start("approval", json!({})).await;
    let task = format!("/api/v1/tasks/{}", server.task_of(&instance).await);
    let tag = server.get(&task).await.tag();
    let patch =
        async |headers: &[(&str, &str)]| server.ask(Method::PATCH, &task, Some(json!({"priority": 50})), headers).await;
    patch(&[("if-match", &format!("\"1\", {tag}"))]).await.is(204);
    patch(&[("if-match", "\"1\""), ("if-match", &tag)]).await.is(204);
    patch(&[("if-match", "*")]).await.is(204);
    patch(&[("if-match", "\"1\"")]).await.problem(412, "task-changed");
    patch(&[("if-match", &format!("W/{tag}"))]).await.problem(412, "task-changed");
    patch(&[("if-match", "")]).await.problem(412, "task-changed");
    patch(&[("if-match", "\"\u{e9}\"")]).await.problem(400, "if-match-unreadable");
}

#[tokio::test]
async fn variables_of_a_task_are_set_if_they_are_as_they_were_seen() {
    let server = Server::deployed(&[("approval", APPROVAL)]).await;
    let instance = server.start("approval", json!({"amount": 1})).await;
    let seen = format!("/api/v1/tasks/{}/variables", server.task_of(&instance).await);
    let own = format!("{seen}?local=true");
    let set = async |path: &str, body, tag: &str| server.ask(Method::PATCH, path, body, &[("if-match", tag)]).await;
    let (tag, of_own) = (server.get(&seen).await.tag(), server.get(&own).await.tag());
    set(&seen, Some(json!({"amount": 2})), &tag).await.is(204);
    set(&seen, Some(json!({"amount": 3})), &tag).await.problem(412, "variables-changed");
    // Its own are as they were; what it sees is not any more when they change.
    let tag = server.get(&seen).await.tag();
    set(&own, Some(json!({"draft": "Dear Anna"})), &of_own).await.is(204);
    set(&own, Some(json!({"draft": "Dear Boris"})), &of_own).await.problem(412, "variables-changed");
    set(&seen, Some(json!({"amount": 3})), &tag).await.problem(412, "variables-changed");
    assert_eq!(server.get(&seen).await.json(), json!({"amount": 2, "draft": "Dear Anna"}));
}

#[tokio::test]
async fn a_task_has_variables_of_its_own() {
    let server = Server::deployed(&[("approval", APPROVAL)]).await;
    let instance = server.start("approval", json!({"amount": 1})).await;
    let variables = format!("/api/v1/tasks/{}/variables", server.task_of(&instance).await);
    server.patch(&variables, json!({"amount": 2})).await.is(204);
    server.patch(&format!("{variables}?local=true"), json!({"draft": "Dear Anna"})).await.is(204);
    assert_eq!(server.get(&variables).await.is(200).json(), json!({"amount": 2, "draft": "Dear Anna"}));
    assert_eq!(server.get(&format!("{variables}?local=true")).await.is(200).json(), json!({"draft": "Dear Anna"}));
    server.get("/api/v1/tasks/5/variables").await.problem(404, "task-unknown");
}

#[tokio::test]
async fn an_error_is_caught_on_the_boundary() {
    let nodes = r#"<startEvent id="start"/>
        <userTask id="look"/>
        <endEvent id="end"/>
        <boundaryEvent id="gone" attachedToRef="look"><errorEventDefinition errorRef="lost"/></boundaryEvent>"#;
    let server = Server::new().await;
    let model = crate::conversation::row("search", nodes).replace(
        "</process>",
        r#"<userTask id="replace"/><sequenceFlow id="f" sourceRef="gone" targetRef="replace"/></process>"#,
    );
    server.post("/api/v1/deployments", json!({"files": [{"name": "search.bpmn", "text": model}]})).await.is(201);
    let instance = server.start("search", json!({})).await;
    let task = server.task_of(&instance).await;
    let error = json!({"code": "lost", "message": "nowhere to be found", "variables": {"looked": 3}});
    server.post(&format!("/api/v1/tasks/{task}/error"), error).await.is(204);
    let next = server.task_of(&instance).await;
    server.get(&format!("/api/v1/tasks/{next}")).await.says(json!({"node": "replace"}));
}

#[tokio::test]
async fn a_task_that_belongs_to_no_process() {
    let server = Server::new().await;
    let created = server
        .post(
            "/api/v1/tasks",
            json!({
                "name": "Call back", "description": "She asked for the number.", "candidateGroups": ["sales"],
                "candidateUsers": ["vera"], "owner": "anna", "priority": 70, "due": "2026-02-01T12:00:00Z",
                "followUp": "2026-01-20T12:00:00Z", "form": "call", "variables": {"phone": "+7 8442 000000"},
            }),
        )
        .await
        .is(201);
    let id = created.text("id");
    assert_eq!(created.headers["location"], format!("/api/v1/tasks/{id}"));
    let task = format!("/api/v1/tasks/{id}");
    server.get(&task).await.says(json!({
        "process": null, "name": "Call back", "description": "She asked for the number.", "priority": 70, "form": "call",
        "followUp": "2026-01-20T12:00:00Z",
    }));
    server.post("/api/v1/instances/search", json!({})).await.is(200).says(json!({"items": []}));
    server.post(&format!("{task}/cancel"), json!({"reason": "sorted out"})).await.is(204);
    server.get(&task).await.says(json!({"state": "cancelled"}));
    server.delete(&task).await.is(204);
    server.get(&task).await.problem(404, "task-unknown");
}

#[tokio::test]
async fn a_task_of_a_process_is_not_cancelled_by_itself() {
    let server = Server::deployed(&[("approval", APPROVAL)]).await;
    let instance = server.start("approval", json!({})).await;
    let task = server.task_of(&instance).await;
    server.post(&format!("/api/v1/tasks/{task}/cancel"), json!({})).await.problem(409, "task-of-process");
    server.delete(&format!("/api/v1/tasks/{task}")).await.problem(409, "task-of-process");
}

#[tokio::test]
async fn a_search_does_not_go_on_where_another_ended() {
    let server = Server::deployed(&[("approval", APPROVAL)]).await;
    for _ in 0..3 {
        server.start("approval", json!({})).await;
    }
    let search = "/api/v1/tasks/search";
    for order in [json!({}), json!({"descending": true}), json!({"sortBy": "priority"}), json!({"sortBy": "name"})] {
        let of = |other: &serde_json::Value| {
            let mut of = other.clone();
            of["limit"] = json!(1);
            of
        };
        let next = server.post(search, of(&order)).await.is(200).text("next");
        let on = |other: &serde_json::Value| {
            let mut on = of(other);
            on["cursor"] = json!(next);
            on
        };
        server.post(search, on(&order)).await.is(200);
        for other in [json!({}), json!({"descending": true}), json!({"sortBy": "priority"}), json!({"sortBy": "name"})]
        {
            if other != order {
                server.post(search, on(&other)).await.problem(422, "store-invalid-cursor");
            }
        }
        if order.get("sortBy").is_none() {
            server.post("/api/v1/instances/search", on(&order)).await.problem(422, "store-invalid-cursor");
        }
    }
}

#[tokio::test]
async fn tasks_are_searched_sorted_and_paged() {
    let server = Server::deployed(&[("approval", APPROVAL)]).await;
    let long = "x".repeat(1000);
    for amount in [300, 100, 200] {
        let instance = server.start("approval", json!({"amount": amount, "client": "Anna", "long": long})).await;
        let task = server.task_of(&instance).await;
        server.patch(&format!("/api/v1/tasks/{task}"), json!({"priority": amount})).await.is(204);
    }
    let search = "/api/v1/tasks/search";
    let first =
        json!({"sortBy": "priority", "descending": true, "limit": 2, "includeVariables": ["amount", "long", "none"]});
    let page = server.post(search, first.clone()).await.is(200);
    page.json();
    let page = page.says(json!({"items": [
        {"priority": 300, "variables": {"amount": 300, "long": long}},
        {"priority": 200, "variables": {"amount": 200, "long": long}},
    ]}));
    let mut second = first;
    second["cursor"] = json!(page.text("next"));
    let last = server.post(search, second).await.is(200).says(json!({"items": [{"priority": 100}]}));
    assert!(last.json().get("next").is_none());

    let found = async |filter: serde_json::Value| server.post(search, json!({"filter": filter})).await.is(200).count();
    assert_eq!(found(json!({"variables": {"amount": 200}})).await, 1);
    assert_eq!(found(json!({"variables": {"amount": {"gte": 200}, "client": "Anna"}})).await, 2);
    assert_eq!(found(json!({"variables": {"amount": {"gt": 100, "lt": 300}}})).await, 1);
    assert_eq!(found(json!({"variables": {"client": {"like": "An%"}}})).await, 3);
    assert_eq!(found(json!({"variables": {"client": {"in": ["Boris", "Vera"]}}})).await, 0);
    assert_eq!(found(json!({"variables": {"client": {"neq": "Boris"}}})).await, 3);
    assert_eq!(found(json!({"candidateGroups": ["sales"], "assigned": false})).await, 3);
    assert_eq!(found(json!({"candidateUsers": ["sales"]})).await, 0);
    assert_eq!(found(json!({"states": ["completed"]})).await, 0);
    assert_eq!(found(json!({"nodes": ["approve"], "processes": ["approval"], "priorityFrom": 200})).await, 2);
    let counted = server.post(search, json!({"countOnly": true})).await.is(200).json();
    assert_eq!(counted, json!({"items": [], "total": 3}));
}
