//! Deployments, definitions, decisions and checks.

use axum::http::Method;
use serde_json::json;

use crate::conversation::{APPROVAL, Server, row};

const DISCOUNT: &str = r#"<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="d" name="d" namespace="test">
    <decision id="discount" name="discount"><decisionTable hitPolicy="UNIQUE">
      <input><inputExpression typeRef="number"><text>amount</text></inputExpression></input>
      <output name="percent" typeRef="number"/>
      <rule><inputEntry><text>&lt; 1000</text></inputEntry><outputEntry><text>0</text></outputEntry></rule>
      <rule><inputEntry><text>&gt;= 1000</text></inputEntry><outputEntry><text>5</text></outputEntry></rule>
    </decisionTable></decision></definitions>"#;

#[tokio::test]
async fn files_are_deployed_and_read_back() {
    let server = Server::new().await;
    let model = row("approval", APPROVAL);
    let note = json!({"name": "note.txt", "base64": "aGVsbG8="});
    let files = json!([{"name": "approval.bpmn", "text": model}, {"name": "discount.dmn", "text": DISCOUNT}, note]);
    let deployed = server
        .post("/api/v1/deployments", json!({"name": "spring", "files": files}))
        .await
        .is(201)
        .says(json!({"definitions": [
            {"kind": "process", "key": "approval", "version": 1, "file": "approval.bpmn", "suspended": false, "tenant": null},
            {"kind": "decision", "key": "discount", "version": 1},
        ]}));
    let id = deployed.text("id");
    server.get(&format!("/api/v1/deployments/{id}")).await.is(200).says(json!({
        "id": id, "name": "spring", "deployed": "2026-01-05T09:00:00Z",
        "files": [{"name": "approval.bpmn"}, {"name": "discount.dmn"}, {"name": "note.txt", "size": 5}],
    }));
    let bytes = server.get(&format!("/api/v1/deployments/{id}/files/approval.bpmn")).await.is(200);
    assert_eq!(bytes.bytes, model.as_bytes());
    assert_eq!(bytes.headers["content-type"], "application/octet-stream");
    assert_eq!(server.get(&format!("/api/v1/deployments/{id}/files/note.txt")).await.is(200).bytes, b"hello");
    let found = server.post("/api/v1/deployments/search", json!({"filter": {"name": "spring"}})).await.is(200);
    assert_eq!(found.count(), 1);

    // The same again is no new version.
    let again = json!({"files": [{"name": "approval.bpmn", "text": model}]});
    server.post("/api/v1/deployments", again).await.is(201).says(json!({"id": null, "definitions": [{"version": 1}]}));
    let anew = json!({"files": [{"name": "approval.bpmn", "text": model}], "anew": true});
    server.post("/api/v1/deployments", anew).await.is(201).says(json!({"definitions": [{"version": 2}]}));
}

#[tokio::test]
async fn what_is_refused_says_everything_that_is_wrong() {
    let server = Server::new().await;
    let broken =
        row("broken", "<startEvent id=\"start\"/>\n<userTask id=\"a\"/>").replace("targetRef=\"a\"", "targetRef=\"b\"");
    let refused = json!({"files": [{"name": "broken.bpmn", "text": broken}]});
    let answer = server.post("/api/v1/deployments", refused.clone()).await.problem(422, "deployment-refused");
    let findings = answer.json()["diagnostics"].clone();
    let finding = findings.as_array().unwrap().iter().find(|finding| finding["severity"] == "error").unwrap();
    assert!(finding["line"].as_u64().unwrap() > 0 && !finding["help"].as_str().unwrap().is_empty(), "{finding}");
    // Checked without being deployed, it is the same.
    let checked = server.post("/api/v1/check", refused).await.is(200).json();
    assert_eq!(checked[0]["file"], "broken.bpmn");
    assert_eq!(checked[0]["diagnostics"], answer.json()["diagnostics"]);
    server.post("/api/v1/definitions/search", json!({"countOnly": true})).await.says(json!({"total": 0}));
    // Of several files all that are refused are named.
    let files = json!({"files": [{"name": "broken.bpmn", "text": broken}, {"name": "worse.dmn", "text": "no XML"}]});
    let answer = server.post("/api/v1/deployments", files).await.problem(422, "deployment-refused");
    let findings = answer.json()["diagnostics"].clone();
    for file in ["broken.bpmn", "worse.dmn"] {
        assert!(findings.as_array().unwrap().iter().any(|finding| finding["file"] == file), "{file}: {findings}");
    }

    server.post("/api/v1/deployments", json!({"files": []})).await.problem(422, "deployment-empty");
    for file in [
        json!({"name": "a.bpmn"}),
        json!({"name": "a.bpmn", "base64": "?"}),
        json!({"name": "a", "text": "", "base64": ""}),
    ] {
        server.post("/api/v1/deployments", json!({"files": [file]})).await.problem(400, "body-invalid");
    }
}

#[tokio::test]
async fn definitions_are_named_by_key_version_tag_or_id() {
    let server = Server::new().await;
    let first = row("approval", APPROVAL);
    let tagged = first.replace(
        "isExecutable",
        r#"xmlns:camunda="http://camunda.org/schema/1.0/bpmn" camunda:versionTag="spring" isExecutable"#,
    );
    for text in [&first, &tagged, &first] {
        server.post("/api/v1/deployments", json!({"files": [{"name": "approval.bpmn", "text": text}]})).await.is(201);
    }
    let newest = server.get("/api/v1/definitions/approval").await.is(200).says(json!({"version": 3, "tag": null}));
    server.get("/api/v1/definitions/approval@1").await.is(200).says(json!({"version": 1}));
    server.get("/api/v1/definitions/approval@spring").await.is(200).says(json!({"version": 2, "tag": "spring"}));
    let id = newest.text("id");
    assert_eq!(server.get(&format!("/api/v1/definitions/{id}")).await.is(200).json(), newest.json());
    assert_eq!(server.get("/api/v1/definitions/approval@spring/file").await.is(200).bytes, tagged.as_bytes());
    server.get("/api/v1/definitions/approval?kind=decision").await.problem(404, "definition-unknown");
    server.get("/api/v1/definitions/approval?tenant=acme").await.problem(404, "definition-unknown");

    for (selector, version) in [("approval", 3), ("approval@1", 1), ("approval@spring", 2), (&*id, 3)] {
        let started = server.post("/api/v1/instances", json!({"definition": selector})).await.is(201);
        let definition = started.text("definition");
        server.get(&format!("/api/v1/definitions/{definition}")).await.says(json!({"version": version}));
    }
    let found = json!({"filter": {"keys": ["approval"], "kind": "process"}, "descending": true});
    server.post("/api/v1/definitions/search", found).await.is(200).says(json!({
        "items": [{"version": 3}, {"version": 2}, {"version": 1}],
    }));
}

#[tokio::test]
async fn a_suspended_definition_starts_nothing() {
    let server = Server::deployed(&[("approval", APPROVAL)]).await;
    server.poke("/api/v1/definitions/approval/suspend").await.is(204);
    server.get("/api/v1/definitions/approval").await.says(json!({"suspended": true}));
    let start = json!({"definition": "approval"});
    server.post("/api/v1/instances", start.clone()).await.problem(409, "process-suspended");
    server.poke("/api/v1/definitions/approval/resume").await.is(204);
    server.post("/api/v1/instances", start).await.is(201);
}

#[tokio::test]
async fn a_deployment_goes_with_its_instances_if_asked() {
    let server = Server::deployed(&[("approval", APPROVAL)]).await;
    let instance = server.start("approval", json!({})).await;
    let deployment = server.get("/api/v1/definitions/approval").await.text("deployment");
    let path = format!("/api/v1/deployments/{deployment}");
    server.delete(&path).await.problem(409, "deployment-in-use");
    server.delete(&format!("{path}?withInstances=true&reason=wrong")).await.is(204);
    server.get(&format!("/api/v1/instances/{instance}")).await.problem(404, "instance-unknown");
    server.get("/api/v1/definitions/approval").await.problem(404, "definition-unknown");
}

#[tokio::test]
async fn a_decision_is_asked() {
    let server = Server::new().await;
    let files = json!({"files": [{"name": "discount.dmn", "text": DISCOUNT}]});
    server.post("/api/v1/deployments", files).await.is(201);
    let ask = json!({"variables": {"amount": 1200}});
    server.post("/api/v1/decisions/discount/evaluate", ask.clone()).await.is(200).says(json!({"result": 5}));
    server.post("/api/v1/decisions/discount@1/evaluate", ask.clone()).await.is(200).says(json!({"result": 5}));
    server.post("/api/v1/decisions/discount@2/evaluate", ask).await.problem(404, "definition-unknown");
}

#[tokio::test]
async fn a_start_form_is_shown() {
    let nodes = r#"<startEvent id="start" xmlns:camunda="http://camunda.org/schema/1.0/bpmn" camunda:formKey="order-form"/>
        <userTask id="approve"/>"#;
    let server = Server::deployed(&[("order", nodes), ("approval", APPROVAL)]).await;
    server.get("/api/v1/definitions/order/start-form").await.is(200).says(json!({"key": "order-form", "form": null}));
    server.get("/api/v1/definitions/approval/start-form").await.problem(404, "form-unknown");
}

#[tokio::test]
async fn a_start_form_is_of_the_version_that_its_model_names() {
    let by = |binding: &str| {
        format!(
            r#"<startEvent id="start" xmlns:zeebe="http://camunda.org/schema/zeebe/1.0"><extensionElements>
                <zeebe:formDefinition formId="letter" {binding}/></extensionElements></startEvent>
            <task id="task"/>"#
        )
    };
    let form = |draft: u32, more: &str| format!(r#"{{"id": "letter", "components": [], "draft": {draft}{more}}}"#);
    let server = Server::new().await;
    let deploy = async |files: &[(&str, String)]| {
        let files: Vec<_> = files.iter().map(|(name, text)| json!({"name": name, "text": text})).collect();
        server.post("/api/v1/deployments", json!({"files": files})).await.is(201);
    };
    deploy(&[("letter.form", form(1, r#", "versionTag": "spring""#))]).await;
    deploy(&[
        ("letter.form", form(2, "")),
        ("tagged.bpmn", row("tagged", &by(r#"bindingType="versionTag" versionTag="spring""#))),
        ("together.bpmn", row("together", &by(r#"bindingType="deployment""#))),
        ("newest.bpmn", row("newest", &by(""))),
        ("missing.bpmn", row("missing", &by(r#"bindingType="versionTag" versionTag="winter""#))),
    ])
    .await;
    deploy(&[("letter.form", form(3, ""))]).await;
    for (process, draft) in [("tagged", 1), ("together", 2), ("newest", 3)] {
        let shown = server.get(&format!("/api/v1/definitions/{process}/start-form")).await;
        shown.is(200).says(json!({"form": {"draft": draft}}));
    }
    server.get("/api/v1/definitions/missing/start-form").await.problem(404, "definition-unknown");
}

#[tokio::test]
async fn what_stands_where_is_counted() {
    let server = Server::deployed(&[("approval", APPROVAL)]).await;
    for _ in 0..3 {
        server.start("approval", json!({})).await;
    }
    let counted = server.get("/api/v1/definitions/approval/statistics").await.is(200).json();
    assert_eq!(
        counted,
        json!([{"node": "approve", "tokens": 3, "tasks": 3, "jobs": 0, "timers": 0, "subscriptions": 0, "incidents": 0}])
    );
    let all = server.get("/api/v1/statistics").await.is(200).json();
    assert_eq!((&all[0]["instances"], &all[0]["incidents"]), (&json!(3), &json!(0)));
    let head = server.ask(Method::HEAD, "/api/v1/statistics", None, &[]).await.is(200);
    assert!(head.bytes.is_empty());
}
