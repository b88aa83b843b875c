//! Workers, and what gets stuck.

use serde_json::{Value, json};

use crate::conversation::{LETTER, Server, row};

async fn fetch(server: &Server) -> Value {
    let fetch = json!({"worker": "w", "topics": ["send-letter"], "limit": 10, "leaseSeconds": 60});
    server.post("/api/v1/jobs/fetch", fetch).await.is(200).json()
}

#[tokio::test]
async fn a_worker_does_a_job() {
    let server = Server::deployed(&[("letter", LETTER)]).await;
    let start = json!({"definition": "letter", "businessKey": "L-1", "variables": {"client": "Anna"}});
    let instance = server.post("/api/v1/instances", start).await.is(201).text("id");
    let jobs = fetch(&server).await;
    let job = &jobs[0];
    assert_eq!(job["variables"], json!({"client": "Anna"}));
    assert_eq!(
        (&job["businessKey"], &job["topic"], &job["retries"]),
        (&json!("L-1"), &json!("send-letter"), &json!(2))
    );
    assert_eq!(fetch(&server).await, json!([]), "nobody else has it");
    let found = json!({"filter": {"worker": "w", "topics": ["send-letter"], "hasRetries": true}});
    let found = server.post("/api/v1/jobs/search", found).await.is(200);
    assert_eq!(found.json()["items"][0]["id"], job["id"]);
    let path = format!("/api/v1/jobs/{}", job["id"].as_str().unwrap());
    let lease = &job["lease"];
    server.post(&format!("{path}/extend"), json!({"lease": lease, "leaseSeconds": 600})).await.is(204);
    server
        .post(&format!("{path}/extend"), json!({"lease": lease, "leaseSeconds": 0}))
        .await
        .problem(400, "body-invalid");
    server.post(&format!("{path}/complete"), json!({"lease": "7"})).await.problem(409, "lease-lost");
    server.post(&format!("{path}/complete"), json!({"lease": lease, "variables": {"sent": true}})).await.is(204);
    server.post(&format!("{path}/complete"), json!({"lease": lease})).await.problem(404, "job-unknown");
    server.get(&format!("/api/v1/instances/{instance}")).await.says(json!({"state": "completed"}));
}

#[tokio::test]
async fn a_job_that_is_given_back_is_another_workers() {
    let server = Server::deployed(&[("letter", LETTER)]).await;
    server.start("letter", json!({})).await;
    let jobs = fetch(&server).await;
    let path = format!("/api/v1/jobs/{}", jobs[0]["id"].as_str().unwrap());
    server.post(&format!("{path}/release"), json!({"lease": jobs[0]["lease"]})).await.is(204);
    let again = fetch(&server).await;
    assert_eq!(again[0]["id"], jobs[0]["id"]);
    assert_ne!(again[0]["lease"], jobs[0]["lease"]);
    server.post(&format!("{path}/release"), json!({"lease": jobs[0]["lease"]})).await.problem(409, "lease-lost");
}

#[tokio::test]
async fn a_job_without_tries_left_is_an_incident() {
    let server = Server::deployed(&[("letter", LETTER)]).await;
    let instance = server.start("letter", json!({})).await;
    let jobs = fetch(&server).await;
    let path = format!("/api/v1/jobs/{}", jobs[0]["id"].as_str().unwrap());
    let failure = json!({"lease": jobs[0]["lease"], "message": "no paper", "pauseSeconds": 0});
    server.post(&format!("{path}/fail"), failure).await.is(204);
    let jobs = fetch(&server).await;
    assert_eq!((&jobs[0]["retries"], &jobs[0]["error"]), (&json!(1), &json!("no paper")));
    let failure = json!({"lease": jobs[0]["lease"], "message": "still no paper", "retries": 0});
    server.post(&format!("{path}/fail"), failure).await.is(204);
    assert_eq!(fetch(&server).await, json!([]));

    let open = json!({"filter": {"open": true, "instances": [instance], "processes": ["letter"]}});
    let incidents = server.post("/api/v1/incidents/search", open.clone()).await.is(200).says(json!({"items": [
        {"node": "send", "process": "letter", "instance": instance, "resolved": null},
    ]}));
    let incident = incidents.json()["items"][0]["id"].as_str().unwrap().to_owned();
    assert!(incidents.json()["items"][0]["message"].as_str().unwrap().contains("still no paper"));
    let note = format!("/api/v1/incidents/{incident}/annotation");
    assert_eq!(incidents.json()["items"][0]["annotation"], json!(null));
    server.put(&note, json!({"annotation": "paper is ordered"})).await.is(204);
    let noted = json!({"items": [{"annotation": "paper is ordered"}]});
    server.post("/api/v1/incidents/search", open.clone()).await.says(noted);
    server.put(&note, json!({"annotation": "x".repeat(4001)})).await.problem(413, "store-too-large");
    server.delete(&note).await.is(204);
    server.post("/api/v1/incidents/search", open.clone()).await.says(json!({"items": [{"annotation": null}]}));
    server.poke(&format!("/api/v1/incidents/{incident}/resolve")).await.is(204);
    server.put(&note, json!({"annotation": "over"})).await.problem(404, "incident-unknown");
    server.poke(&format!("/api/v1/incidents/{incident}/resolve")).await.problem(404, "incident-unknown");
    assert_eq!(server.post("/api/v1/incidents/search", open).await.count(), 0);
    assert_eq!(fetch(&server).await[0]["id"], jobs[0]["id"]);
}

#[tokio::test]
async fn a_worker_reports_errors_and_escalations() {
    let nodes = r#"<startEvent id="start"/>
        <serviceTask id="send" potok:job="send-letter"/>
        <endEvent id="end"/>
        <boundaryEvent id="late" attachedToRef="send" cancelActivity="false"><escalationEventDefinition/></boundaryEvent>
        <boundaryEvent id="gone" attachedToRef="send"><errorEventDefinition errorRef="lost"/></boundaryEvent>"#;
    let model = row("letter", nodes).replace(
        "</process>",
        r#"<userTask id="hurry"/><sequenceFlow id="f1" sourceRef="late" targetRef="hurry"/>
           <userTask id="search"/><sequenceFlow id="f2" sourceRef="gone" targetRef="search"/></process>"#,
    );
    let server = Server::new().await;
    server.post("/api/v1/deployments", json!({"files": [{"name": "letter.bpmn", "text": model}]})).await.is(201);
    server.start("letter", json!({})).await;
    let jobs = fetch(&server).await;
    let path = format!("/api/v1/jobs/{}", jobs[0]["id"].as_str().unwrap());
    let open =
        async |node: &str| server.post("/api/v1/tasks/search", json!({"filter": {"nodes": [node]}})).await.count();
    let escalation = json!({"lease": jobs[0]["lease"], "code": "slow", "variables": {"days": 3}});
    server.post(&format!("{path}/escalation"), escalation).await.is(204);
    assert_eq!(open("hurry").await, 1);
    let error = json!({"lease": jobs[0]["lease"], "code": "lost", "message": "gone"});
    server.post(&format!("{path}/error"), error).await.is(204);
    assert_eq!(open("search").await, 1);
}

#[tokio::test]
async fn a_worker_waits_until_there_is_something_to_do() {
    let server = Server::deployed(&[("letter", LETTER)]).await;
    let wait = json!({"worker": "w", "topics": ["send-letter"], "waitSeconds": 30});
    let (fetched, _) = tokio::join!(server.post("/api/v1/jobs/fetch", wait), server.start("letter", json!({})));
    assert_eq!(fetched.is(200).json().as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_worker_asks_for_something() {
    let server = Server::new().await;
    for body in [
        json!({"worker": "w", "topics": []}),
        json!({"worker": "w", "topics": ["a"], "limit": 0}),
        json!({"worker": "w", "topics": ["a"], "waitSeconds": 61}),
        json!({"worker": "w", "topics": ["a"], "leaseSeconds": 0}),
        json!({"worker": "w", "topics": ["a"], "leaseSeconds": 1_000_000}),
        json!({"topics": ["a"]}),
    ] {
        server.post("/api/v1/jobs/fetch", body).await.problem(400, "body-invalid");
    }
}
