//! Messages, signals and timers.

use axum::http::Method;
use serde_json::json;

use crate::conversation::{Server, row};

const PAYMENT: &str = r#"<startEvent id="start"/>
    <intermediateCatchEvent id="wait"><messageEventDefinition messageRef="paid"/></intermediateCatchEvent>
    <userTask id="thank"/>"#;

#[tokio::test]
async fn a_message_finds_who_waits_or_is_kept() {
    let server = Server::deployed(&[("payment", PAYMENT)]).await;
    let start = json!({"definition": "payment", "businessKey": "17"});
    let instance = server.post("/api/v1/instances", start).await.is(201).text("id");
    let waiting = json!({"filter": {"kind": "message", "names": ["paid"], "starts": false}});
    server.post("/api/v1/subscriptions/search", waiting).await.is(200).says(json!({"items": [
        {"kind": "message", "name": "paid", "instance": instance, "process": "payment", "node": "wait", "businessKey": "17"},
    ]}));
    let other = json!({"name": "paid", "businessKey": "18", "timeToLiveSeconds": 60});
    server.post("/api/v1/messages", other).await.is(200).says(json!({"outcome": "kept", "instance": null}));
    server.post("/api/v1/messages/search", json!({"filter": {"name": "paid"}})).await.is(200).says(json!({"items": [
        {"name": "paid", "businessKey": "18", "expires": "2026-01-05T09:01:00Z"},
    ]}));
    let paid = json!({"name": "paid", "businessKey": "17", "variables": {"sum": 5}, "id": "m1"});
    server
        .post("/api/v1/messages", paid.clone())
        .await
        .is(200)
        .says(json!({"outcome": "delivered", "instance": instance}));
    server.post("/api/v1/messages", paid).await.problem(409, "message-repeated");
    server.get(&format!("/api/v1/instances/{instance}/variables")).await.says(json!({"sum": 5}));
}

#[tokio::test]
async fn a_message_that_several_wait_for_is_refused() {
    let server = Server::deployed(&[("payment", PAYMENT)]).await;
    let anna = server.start("payment", json!({"client": "anna"})).await;
    server.start("payment", json!({"client": "boris"})).await;
    server.post("/api/v1/messages", json!({"name": "paid"})).await.problem(409, "message-ambiguous");
    let narrowed = json!({"name": "paid", "whereVariables": {"client": "anna"}});
    server.post("/api/v1/messages", narrowed).await.is(200).says(json!({"outcome": "delivered", "instance": anna}));
}

#[tokio::test]
async fn a_message_to_all_reaches_all() {
    let starts = r#"<startEvent id="begin"><messageEventDefinition messageRef="paid"/></startEvent>
        <userTask id="book"/>"#;
    let server = Server::deployed(&[("payment", PAYMENT), ("booking", starts)]).await;
    let mut waiting = Vec::new();
    for client in ["anna", "boris", "vera"] {
        waiting.push(server.start("payment", json!({"client": client})).await);
    }
    let of_anna =
        json!({"name": "paid", "whereVariables": {"client": "anna"}, "starts": false, "variables": {"sum": 1}});
    let sent = server.post("/api/v1/messages/all", of_anna).await.is(200).json();
    assert_eq!(sent, json!([{"outcome": "delivered", "instance": waiting[0]}]));
    let to_all = json!({"name": "paid", "variables": {"sum": 5}, "localVariables": {"note": "cash"}});
    let once = [("idempotency-key", "all")];
    let first = server.ask(Method::POST, "/api/v1/messages/all", Some(to_all.clone()), &once).await.is(200).json();
    let first = first.as_array().unwrap();
    for instance in &waiting[1..] {
        assert!(first.contains(&json!({"outcome": "delivered", "instance": instance})), "{first:?}");
        let variables = server.get(&format!("/api/v1/instances/{instance}/variables")).await.is(200).json();
        assert_eq!((&variables["sum"], &variables["note"]), (&json!(5), &json!(null)), "{variables}");
    }
    let started: Vec<_> = first.iter().filter(|sent| sent["outcome"] == "started").collect();
    assert_eq!((first.len(), started.len()), (3, 1), "{first:?}");
    let again = server.ask(Method::POST, "/api/v1/messages/all", Some(to_all.clone()), &once).await.is(200).json();
    assert_eq!(again.as_array().unwrap(), first, "and nothing is started twice");
    let nobody = json!({"name": "paid", "starts": false});
    assert_eq!(server.post("/api/v1/messages/all", nobody).await.is(200).json(), json!([]));
    let kept = json!({"filter": {"name": "paid"}, "countOnly": true});
    server.post("/api/v1/messages/search", kept).await.says(json!({"total": 0}));
    let one = json!({"name": "paid", "instance": waiting[0], "starts": null});
    assert_eq!(server.post("/api/v1/messages/all", one).await.is(200).json(), json!([]));
    server.post("/api/v1/messages/all", json!({"name": "paid", "id": "m1"})).await.problem(400, "body-invalid");
}

#[tokio::test]
async fn a_signal_reaches_all() {
    let nodes = r#"<startEvent id="start"/>
        <intermediateCatchEvent id="wait"><signalEventDefinition signalRef="go"/></intermediateCatchEvent>
        <userTask id="run"/>"#;
    let model = row("runner", nodes).replace("<process", r#"<signal id="go" name="go"/><process"#);
    let server = Server::new().await;
    server.post("/api/v1/deployments", json!({"files": [{"name": "runner.bpmn", "text": model}]})).await.is(201);
    for _ in 0..3 {
        server.start("runner", json!({})).await;
    }
    server.post("/api/v1/signals", json!({"name": "go", "variables": {"speed": 5}})).await.is(204);
    server.post("/api/v1/tasks/search", json!({"countOnly": true})).await.says(json!({"total": 3}));
}

#[tokio::test]
async fn data_starts_where_a_condition_holds() {
    let hot = |limit: u32| {
        format!(
            r#"<startEvent id="over"><conditionalEventDefinition><condition>temperature &gt; {limit}</condition></conditionalEventDefinition></startEvent>
            <userTask id="cool"/>"#
        )
    };
    let server = Server::new().await;
    let data = |temperature: i32| json!({"variables": {"temperature": temperature}, "businessKey": "boiler-3"});
    server.post("/api/v1/conditions", data(110)).await.problem(404, "condition-unexpected");
    let deploy = async |text: String| {
        let answer =
            server.post("/api/v1/deployments", json!({"files": [{"name": "hot.bpmn", "text": text}]})).await.is(201);
        answer.json()["definitions"][0]["id"].clone()
    };
    let first = deploy(row("hot", &hot(100))).await;
    server.post("/api/v1/conditions", data(90)).await.is(200).says(json!({"instances": []}));
    let begun =
        json!({"instances": [{"process": "hot", "definition": first, "businessKey": "boiler-3", "state": "active"}]});
    server.post("/api/v1/conditions", data(110)).await.is(200).says(begun.clone());
    deploy(row("hot", &hot(200))).await;
    server.post("/api/v1/conditions", data(110)).await.is(200).says(json!({"instances": []}));
    let named = json!({"variables": {"temperature": 110}, "businessKey": "boiler-3", "definition": first});
    server.post("/api/v1/conditions", named).await.is(200).says(begun);
    let of_none = json!({"variables": {"temperature": 210}, "tenant": ""});
    server.post("/api/v1/conditions", of_none).await.is(200).says(json!({"instances": [{"tenant": null}]}));
    let elsewhere = json!({"variables": {"temperature": 210}, "tenant": "acme"});
    server.post("/api/v1/conditions", elsewhere).await.problem(404, "condition-unexpected");
    let unknown = json!({"definition": "7"});
    server.post("/api/v1/conditions", unknown).await.problem(404, "definition-unknown");
    server.post("/api/v1/conditions", json!({"name": "temperature"})).await.problem(400, "body-invalid");
    server.post("/api/v1/tasks/search", json!({"countOnly": true})).await.says(json!({"total": 3}));
    deploy(row("hot", &hot(200).replace("temperature &gt; 200", "temperature"))).await;
    server.post("/api/v1/conditions", data(110)).await.problem(422, "condition-failed");
}

#[tokio::test]
async fn timers_are_listed() {
    let nodes = r#"<startEvent id="start"/>
        <intermediateCatchEvent id="wait"><timerEventDefinition><timeDuration>PT1H</timeDuration></timerEventDefinition></intermediateCatchEvent>
        <endEvent id="end"/>"#;
    let nodes = &nodes.replace("<timeDuration>", r#"<timeDuration xsi:type="tFormalExpression">"#);
    let server = Server::deployed(&[("sleep", nodes)]).await;
    let instance = server.start("sleep", json!({})).await;
    let found = json!({"filter": {"instances": [instance], "dueBefore": "2026-01-06T00:00:00Z"}});
    server.post("/api/v1/timers/search", found).await.is(200).says(json!({"items": [
        {"instance": instance, "process": "sleep", "node": "wait", "due": "2026-01-05T10:00:00Z", "suspended": false},
    ]}));
}
