//! Modifications, migrations, restarts and batches.

use serde_json::{Value, json};

use crate::conversation::{APPROVAL, Server, row};

#[tokio::test]
async fn an_instance_is_modified() {
    let server = Server::deployed(&[("approval", APPROVAL)]).await;
    let id = server.start("approval", json!({})).await;
    let modify = format!("/api/v1/instances/{id}/modify");
    let change = json!({"reason": "The inspector is ill.", "instructions": [
        {"type": "cancel-all", "element": "approve"},
        {"type": "start-before", "element": "pay", "variables": {"approved": false}},
    ]});
    server.post(&modify, change).await.is(204);
    let task = server.task_of(&id).await;
    server.get(&format!("/api/v1/tasks/{task}")).await.says(json!({"node": "pay"}));
    server.get(&format!("/api/v1/instances/{id}/variables")).await.says(json!({"approved": false}));
    let back = json!({"instructions": [{"type": "move-wait", "wait": task, "to": "approve"}]});
    server.post(&modify, back).await.is(204);
    server.post(&modify, json!({"instructions": [{"type": "move-all", "from": "approve", "to": "pay"}]})).await.is(204);
    let state = server.get(&format!("/api/v1/instances/{id}/state")).await.json();
    let token = state["tokens"][0]["token"].clone();
    let more = json!({"instructions": [
        {"type": "start-after", "element": "approve"}, {"type": "start-on", "flow": "start-approve"},
        {"type": "cancel-token", "token": token},
    ]});
    server.post(&modify, more).await.is(204);
    server.post("/api/v1/tasks/search", json!({"countOnly": true})).await.says(json!({"total": 2}));

    let unknown = json!({"instructions": [{"type": "start-before", "element": "nowhere"}]});
    server.post(&modify, unknown).await.problem(422, "element-unknown");
    server.post(&modify, json!({"instructions": []})).await.problem(422, "instructions-missing");
    server.post(&modify, json!({"instructions": [{"type": "jump"}]})).await.problem(400, "body-invalid");
    let local = json!({"type": "start-before", "element": "nowhere", "localVariables": {"a": 1}});
    server.post(&modify, json!({"instructions": [local]})).await.problem(422, "element-unknown");
    let misspelt = json!({"type": "start-before", "element": "nowhere", "local_variables": {"a": 1}});
    server.post(&modify, json!({"instructions": [misspelt]})).await.problem(400, "body-invalid");
    let scope = json!({"instructions": [{"type": "cancel-scope", "scope": 99}]});
    server.post(&modify, scope).await.problem(404, "scope-unknown");
    let wait = json!({"instructions": [{"type": "cancel-wait", "wait": "5"}]});
    server.post(&modify, wait).await.problem(404, "key-unknown");
}

async fn next_version(server: &Server) {
    let model = row("approval", &APPROVAL.replace("\"pay\"", "\"invoice\""));
    server.post("/api/v1/deployments", json!({"files": [{"name": "approval.bpmn", "text": model}]})).await.is(201);
}

#[tokio::test]
async fn an_instance_goes_over_to_the_next_version() {
    let server = Server::deployed(&[("approval", APPROVAL)]).await;
    let id = server.start("approval", json!({})).await;
    next_version(&server).await;
    let plan = json!({"from": "approval@1", "to": "approval@2"});
    let plan = server.post("/api/v1/migrations/plan", plan).await.is(200).json();
    assert_eq!(plan["mappings"]["approve"], "approve");
    assert_eq!((plan["mappings"].get("pay"), &plan["problems"]), (None, &json!([])));
    let wrong = json!({"from": "approval@1", "to": "approval@2", "mappings": {"pay": "nowhere"}});
    let wrong = server.post("/api/v1/migrations/plan", wrong.clone()).await.is(200).json();
    assert_eq!(wrong["problems"].as_array().unwrap().len(), 1);
    server.post("/api/v1/migrations/plan", json!({"to": "approval"})).await.problem(400, "body-invalid");

    let migrate = format!("/api/v1/instances/{id}/migrate");
    let wrong = json!({"to": "approval", "mappings": {"approve": null}});
    let refused = server.post(&migrate, wrong).await.problem(422, "migration-impossible");
    assert!(!refused.json()["problems"].as_array().unwrap().is_empty());
    server
        .post(&migrate, json!({"to": "approval@2", "mappings": {"pay": "invoice"}, "reason": "The rules changed."}))
        .await
        .is(204);
    let newest = server.get("/api/v1/definitions/approval").await.text("id");
    server.get(&format!("/api/v1/instances/{id}")).await.says(json!({"definition": newest}));
    server
        .get(&format!("/api/v1/instances/{id}/state?at=1"))
        .await
        .is(200)
        .says(json!({"tokens": [{"node": "approve"}]}));
}

#[tokio::test]
async fn an_instance_that_has_ended_is_started_again() {
    let server = Server::deployed(&[("approval", APPROVAL)]).await;
    let id = server.start("approval", json!({"amount": 5})).await;
    let restart = format!("/api/v1/instances/{id}/restart");
    server.post(&restart, json!({})).await.problem(409, "instance-active");
    server.post(&format!("/api/v1/instances/{id}/cancel"), json!({})).await.is(204);
    let again = json!({"startBefore": ["pay"], "variables": {"again": true}, "reason": "The bank had refused it."});
    let again = server.post(&restart, again).await.is(201).text("id");
    server.get(&format!("/api/v1/instances/{again}/variables")).await.says(json!({"amount": 5, "again": true}));
    let task = server.task_of(&again).await;
    server.get(&format!("/api/v1/tasks/{task}")).await.says(json!({"node": "pay"}));
    server
        .post(&restart, json!({"latestVersion": true, "initialVariables": true, "withoutBusinessKey": true}))
        .await
        .is(201);
}

#[tokio::test]
async fn one_thing_is_done_to_many() {
    let server = Server::deployed(&[("approval", APPROVAL)]).await;
    let ids: Vec<String> =
        [server.start("approval", json!({})).await, server.start("approval", json!({})).await].into();
    next_version(&server).await;
    let operations = [
        json!({"type": "set-variables", "variables": {"seen": true}}),
        json!({"type": "suspend"}),
        json!({"type": "resume"}),
        json!({"type": "retry-incidents"}),
        json!({"type": "migrate", "from": "approval@1", "to": "approval@2"}),
        json!({"type": "modify", "instructions": [{"type": "move-all", "from": "approve", "to": "invoice"}]}),
        json!({"type": "cancel", "reason": "sold out"}),
        json!({"type": "restart", "startBefore": ["approve"]}),
        json!({"type": "delete"}),
    ];
    for operation in operations {
        let batch = json!({"operation": operation, "instances": ids});
        let begun = server.post("/api/v1/batches", batch).await.is(201);
        let path = begun.headers["location"].to_str().unwrap().to_owned();
        server.engine.execute_due().await.unwrap();
        let done = json!({"state": "completed", "progress": {"open": 0, "done": 2, "failed": 0}});
        let answer = server.get(&path).await.is(200);
        assert!(answer.json()["progress"] == done["progress"], "{operation}: {}", answer.json());
        answer.says(done);
    }
    assert_eq!(server.post("/api/v1/batches/search", json!({"filter": {"states": ["completed"]}})).await.count(), 9);
    for id in ids {
        server.get(&format!("/api/v1/instances/{id}")).await.problem(404, "instance-unknown");
    }
}

#[tokio::test]
async fn a_batch_is_held_back_given_up_and_forgotten() {
    let server = Server::deployed(&[("approval", APPROVAL)]).await;
    server.start("approval", json!({})).await;
    let begin = |operation: Value| json!({"operation": operation, "filter": {"processes": ["approval"]}});
    let batch = server.post("/api/v1/batches", begin(json!({"type": "delete"}))).await.is(201).text("id");
    let path = format!("/api/v1/batches/{batch}");
    server.poke(&format!("{path}/pause")).await.is(204);
    server.poke(&format!("{path}/pause")).await.problem(409, "batch-state");
    server.get(&path).await.says(json!({"state": "paused", "progress": {"open": 1}}));
    server.poke(&format!("{path}/resume")).await.is(204);
    // What runs is not deleted: that is said, and holds up nobody.
    server.engine.execute_due().await.unwrap();
    server.get(&path).await.says(json!({"state": "completed", "progress": {"failed": 1}}));
    let failures = server.get(&format!("{path}/failures")).await.is(200);
    failures.says(json!({"items": [{"code": "instance-runs"}]}));
    server.delete(&path).await.is(204);
    server.get(&path).await.problem(404, "batch-unknown");

    let batch = server.post("/api/v1/batches", begin(json!({"type": "suspend"}))).await.is(201).text("id");
    server.poke(&format!("/api/v1/batches/{batch}/cancel")).await.is(204);
    server.get(&format!("/api/v1/batches/{batch}")).await.says(json!({"state": "cancelled"}));
    server.post("/api/v1/batches", json!({"operation": {"type": "suspend"}})).await.problem(400, "body-invalid");
    server
        .post("/api/v1/batches", json!({"operation": {"type": "dance"}, "filter": {}}))
        .await
        .problem(400, "body-invalid");
}

#[tokio::test]
async fn what_is_due_is_seen_to_by_hand() {
    let nodes = r#"<startEvent id="start"/>
        <intermediateCatchEvent id="rest"><timerEventDefinition><timeDuration>PT1H</timeDuration></timerEventDefinition></intermediateCatchEvent>
        <userTask id="look"/>"#;
    let server = Server::deployed(&[("pause", nodes)]).await;
    let instance = server.start("pause", json!({})).await;
    let due = format!("/api/v1/instances/{instance}/due");
    let found = server.get(&due).await.is(200).json();
    assert_eq!(found.as_array().unwrap().len(), 1);
    let (id, first) = (found[0]["id"].as_str().unwrap(), &found[0]);
    assert_eq!((&first["kind"], &first["node"], &first["retries"]), (&json!("timer"), &json!("rest"), &json!(3)));
    assert_eq!(first["due"], "2026-01-05T10:00:00Z");
    let timer = |verb: &str| format!("/api/v1/timers/{id}/{verb}");
    server.post(&timer("reschedule"), json!({"due": "2026-01-06T10:00:00Z"})).await.is(204);
    server.post(&timer("priority"), json!({"priority": 7})).await.is(204);
    server.post(&timer("retries"), json!({"retries": 5})).await.is(204);
    server.poke(&timer("suspend")).await.is(204);
    let now = server.get(&due).await.json()[0].clone();
    assert_eq!(
        (&now["due"], &now["priority"], &now["retries"], &now["suspended"]),
        (&json!("2026-01-06T10:00:00Z"), &json!(7), &json!(5), &json!(true))
    );
    server.poke(&timer("resume")).await.is(204);
    server.poke(&timer("execute")).await.is(204);
    server.task_of(&instance).await;
    assert_eq!(server.get(&due).await.json(), json!([]));
    for verb in ["suspend", "resume", "execute"] {
        server.poke(&timer(verb)).await.problem(404, "timer-unknown");
    }
    server.post(&timer("retries"), json!({"retries": 5})).await.problem(404, "timer-unknown");
    server.get("/api/v1/instances/5/due").await.problem(404, "instance-unknown");
}

#[tokio::test]
async fn a_timer_is_counted_anew() {
    let nodes = r#"<startEvent id="start"/>
        <intermediateCatchEvent id="rest"><timerEventDefinition><timeDuration>${pause}</timeDuration></timerEventDefinition></intermediateCatchEvent>
        <userTask id="look"/>"#;
    let server = Server::deployed(&[("pause", nodes)]).await;
    let instance = server.start("pause", json!({"pause": "PT1H"})).await;
    let due = format!("/api/v1/instances/{instance}/due");
    let found = server.get(&due).await.is(200).says(json!([{"due": "2026-01-05T10:00:00Z"}])).json();
    let path = format!("/api/v1/timers/{}/recalculate", found[0]["id"].as_str().unwrap());
    let pause = async |pause: &str| {
        let path = format!("/api/v1/instances/{instance}/variables");
        server.patch(&path, json!({"pause": pause})).await.is(204);
    };
    pause("PT5H").await;
    server.post(&path, json!({})).await.is(204);
    server.get(&due).await.says(json!([{"due": "2026-01-05T14:00:00Z"}]));
    server.post(&path, json!({"from": "2026-01-06T09:00:00Z"})).await.is(204);
    server.get(&due).await.says(json!([{"due": "2026-01-06T14:00:00Z"}]));
    pause("many").await;
    server.post(&path, json!({})).await.problem(409, "evaluation-failed");
    server.get(&due).await.says(json!([{"due": "2026-01-06T14:00:00Z"}]));
    server.post("/api/v1/timers/5/recalculate", json!({})).await.problem(404, "timer-unknown");
}

#[tokio::test]
async fn history_is_kept_as_long_as_is_said_and_cleaned_up() {
    let server = Server::deployed(&[("approval", APPROVAL)]).await;
    let olga = server.user("olga", &[potok::Role::Administrator], None).await;
    let otto = server.user("otto", &[potok::Role::Operator], None).await;
    let path = "/api/v1/definitions/approval/history-time-to-live";
    let end = async || {
        let id = olga.start("approval", json!({})).await;
        olga.post(&format!("/api/v1/instances/{id}/cancel"), json!({})).await.is(204);
        format!("/api/v1/instances/{id}")
    };
    otto.get("/api/v1/definitions/approval").await.says(json!({"historyTimeToLive": null}));
    let before = end().await;
    otto.put(path, json!({"historyTimeToLive": 1})).await.is(204);
    otto.get("/api/v1/definitions/approval").await.is(200).says(json!({"historyTimeToLive": 1}));
    let short = end().await;
    otto.delete(path).await.is(204);
    otto.get("/api/v1/definitions/approval@1").await.says(json!({"historyTimeToLive": null}));
    let after = end().await;
    server.engine.clock().advance("2026-01-06T09:00:01Z".parse().unwrap());
    otto.poke("/api/v1/history/clean-up").await.problem(403, "forbidden");
    olga.poke("/api/v1/history/clean-up").await.is(200).says(json!({"instances": 1}));
    olga.poke("/api/v1/history/clean-up").await.is(200).says(json!({"instances": 0}));
    olga.get(&short).await.problem(404, "instance-unknown");
    for kept in [&before, &after] {
        olga.get(kept).await.is(200);
    }
    otto.put(path, json!({})).await.problem(400, "body-invalid");
    otto.put(path, json!({"historyTimeToLive": -1})).await.problem(400, "body-invalid");
    let unknown = "/api/v1/definitions/nothing/history-time-to-live";
    otto.put(unknown, json!({"historyTimeToLive": 1})).await.problem(404, "definition-unknown");
}

#[tokio::test]
async fn variables_are_set_in_the_scope_that_is_named() {
    let nodes = r#"<startEvent id="start"/>
        <subProcess id="inner"><startEvent id="begin"/><userTask id="look"/>
        <sequenceFlow id="f" sourceRef="begin" targetRef="look"/></subProcess>"#;
    // The helper that connects flow nodes knows no nesting.
    let model = format!(
        r#"<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" targetNamespace="test">
        <process id="nested" isExecutable="true">{nodes}<sequenceFlow id="g" sourceRef="start" targetRef="inner"/></process></definitions>"#
    );
    let server = Server::new().await;
    server.post("/api/v1/deployments", json!({"files": [{"name": "nested.bpmn", "text": model}]})).await.is(201);
    let id = server.start("nested", json!({"amount": 1})).await;
    let state = async || server.get(&format!("/api/v1/instances/{id}/state")).await.is(200).json();
    let inner = state().await["scopes"].as_array().unwrap().iter().find(|scope| scope["node"] == "inner").cloned();
    let inner = inner.unwrap()["scope"].as_u64().unwrap();
    let path = |scope: u64| format!("/api/v1/instances/{id}/scopes/{scope}/variables");
    server.patch(&path(inner), json!({"amount": 2})).await.is(204);
    server.patch(&path(0), json!({"client": "Anna"})).await.is(204);
    let seen = state().await;
    let variables = |scope: u64| {
        let scopes = seen["scopes"].as_array().unwrap();
        scopes.iter().find(|found| found["scope"] == scope).unwrap()["variables"].clone()
    };
    assert_eq!((variables(inner), variables(0)), (json!({"amount": 2}), json!({"amount": 1, "client": "Anna"})));
    server.patch(&path(99), json!({"amount": 3})).await.problem(404, "scope-unknown");
    server.patch("/api/v1/instances/5/scopes/0/variables", json!({})).await.problem(404, "instance-unknown");
}

#[tokio::test]
async fn a_job_is_given_tries_and_made_urgent() {
    let server = Server::deployed(&[("letter", crate::conversation::LETTER)]).await;
    server.start("letter", json!({})).await;
    let search = || server.post("/api/v1/jobs/search", json!({}));
    let id = search().await.json()["items"][0]["id"].as_str().unwrap().to_owned();
    server.post(&format!("/api/v1/jobs/{id}/retries"), json!({"retries": 0})).await.is(204);
    server.post(&format!("/api/v1/jobs/{id}/priority"), json!({"priority": 90})).await.is(204);
    search().await.says(json!({"items": [{"retries": 0, "priority": 90}]}));
    server.post("/api/v1/incidents/search", json!({"countOnly": true})).await.says(json!({"total": 1}));
    server.post(&format!("/api/v1/jobs/{id}/retries"), json!({"retries": 2})).await.is(204);
    let open = json!({"filter": {"open": true}, "countOnly": true});
    server.post("/api/v1/incidents/search", open).await.says(json!({"total": 0}));
    server.post("/api/v1/jobs/5/retries", json!({"retries": 2})).await.problem(404, "job-unknown");
}

#[tokio::test]
async fn a_version_is_removed_with_or_without_its_instances() {
    let server = Server::deployed(&[("approval", APPROVAL)]).await;
    next_version(&server).await;
    let startable = server.get("/api/v1/startable").await.is(200).json();
    assert_eq!((&startable[0]["key"], &startable[0]["version"]), (&json!("approval"), &json!(2)));
    server.start("approval", json!({})).await;
    server.delete("/api/v1/definitions/approval@2").await.problem(409, "definition-in-use");
    server.delete("/api/v1/definitions/approval@1").await.is(204);
    server.delete("/api/v1/definitions/approval?withInstances=true").await.problem(400, "version-unsaid");
    server.delete("/api/v1/definitions/approval@2?withInstances=true&reason=wrong").await.is(204);
    server.get("/api/v1/definitions/approval").await.problem(404, "definition-unknown");
    server.post("/api/v1/instances/search", json!({"countOnly": true})).await.says(json!({"total": 0}));
}

#[tokio::test]
async fn a_variable_is_removed() {
    let server = Server::deployed(&[("approval", APPROVAL)]).await;
    let variables = format!(
        "/api/v1/instances/{}/variables",
        server.start("approval", json!({"amount": 1, "client": "Anna"})).await
    );
    for _ in 0..2 {
        server.delete(&format!("{variables}/client")).await.is(204);
    }
    assert_eq!(server.get(&variables).await.json(), json!({"amount": 1}));
}
