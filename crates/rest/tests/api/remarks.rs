//! Comments and attachments.

use axum::body::Body;
use axum::http::{Method, Request};
use serde_json::json;

use crate::conversation::{APPROVAL, Answer, Server};

#[tokio::test]
async fn comments_are_written_on_instances_and_tasks() {
    let server = Server::deployed(&[("approval", APPROVAL)]).await;
    let id = server.start("approval", json!({})).await;
    let task = server.task_of(&id).await;
    let (of_instance, of_task) = (format!("/api/v1/instances/{id}/comments"), format!("/api/v1/tasks/{task}/comments"));
    let first = server.post(&of_instance, json!({"text": "called back"})).await.is(201);
    first.json();
    let first = first.says(json!({"text": "called back", "instance": id, "task": null})).text("id");
    let second = server.post(&of_task, json!({"text": "too expensive"})).await.is(201).text("id");
    server.get(&of_instance).await.is(200).says(json!([{"id": first}, {"id": second, "task": task}]));
    server.get(&of_task).await.is(200).says(json!([{"id": second}]));
    server.post(&of_task, json!({"text": "x".repeat(65 * 1024)})).await.problem(413, "store-too-large");
    server.delete(&format!("{of_task}/{second}")).await.is(204);
    server.delete(&format!("{of_task}/{second}")).await.is(204);
    server.delete(&format!("{of_instance}/{first}")).await.is(204);
    assert_eq!(server.get(&of_instance).await.json(), json!([]));
}

#[tokio::test]
async fn a_comment_is_changed_by_whoever_wrote_it_and_operators() {
    let server = Server::deployed(&[("approval", APPROVAL)]).await;
    let anna = server.user("anna", &[], None).await;
    let olga = server.user("olga", &[potok::Role::Administrator], None).await;
    let id = anna.start("approval", json!({})).await;
    let task = olga.task_of(&id).await;
    for of in [format!("/api/v1/instances/{id}"), format!("/api/v1/tasks/{task}")] {
        let author = if of.contains("tasks") { &olga } else { &anna };
        let comment = author.post(&format!("{of}/comments"), json!({"text": "called bakc"})).await.is(201).text("id");
        let path = format!("{of}/comments/{comment}");
        let tag = author.get(&path).await.is(200).says(json!({"id": comment, "text": "called bakc"})).tag();
        let put = async |text: &str, headers: &[(&str, &str)]| {
            author.ask(Method::PUT, &path, Some(json!({"text": text})), headers).await
        };
        let once = [("if-match", &*tag), ("idempotency-key", &*path)];
        put("called back", &once).await.is(204);
        put("called back", &once).await.is(204);
        put("no", &[("if-match", &tag)]).await.problem(412, "comment-changed");
        author.get(&path).await.says(json!({"text": "called back"}));
        author.put(&path, json!({"text": "x".repeat(65 * 1024)})).await.problem(413, "store-too-large");
        author.ask(Method::DELETE, &path, None, &[("if-match", &tag)]).await.problem(412, "comment-changed");
        let tag = author.get(&path).await.tag();
        author.ask(Method::DELETE, &path, None, &[("if-match", &tag)]).await.is(204);
        author.delete(&path).await.is(204);
        author.get(&path).await.problem(404, "comment-unknown");
        put("again", &[]).await.problem(404, "comment-unknown");
    }
    let theirs = anna.post(&format!("/api/v1/instances/{id}/comments"), json!({"text": "mine"})).await.text("id");
    let path = format!("/api/v1/instances/{id}/comments/{theirs}");
    let vera = server.user("vera", &[potok::Role::Supervisor], None).await;
    vera.put(&path, json!({"text": "ours"})).await.problem(403, "forbidden");
    vera.get(&path).await.says(json!({"text": "mine"}));
    let otto = server.user("otto", &[potok::Role::Operator], None).await;
    otto.put(&path, json!({"text": "as it is"})).await.is(204);
    anna.get(&path).await.says(json!({"author": "anna", "text": "as it is"}));
    let elsewhere = format!("/api/v1/tasks/{task}/comments/{theirs}");
    olga.get(&elsewhere).await.problem(404, "comment-unknown");
}

#[tokio::test]
async fn what_is_kept_elsewhere_is_attached_by_its_address() {
    let server = Server::deployed(&[("approval", APPROVAL)]).await;
    let id = server.start("approval", json!({})).await;
    let task = server.task_of(&id).await;
    let plan = json!({
        "name": "plan.pdf", "url": "https://files.example/plan.pdf", "description": "the plan", "mediaType": "application/pdf",
    });
    for of in [format!("/api/v1/tasks/{task}"), format!("/api/v1/instances/{id}")] {
        let path = format!("{of}/attachments");
        let once = [("idempotency-key", &*path)];
        let link = format!("{path}/link");
        let attached = server.ask(Method::POST, &link, Some(plan.clone()), &once).await.is(201);
        let attached = attached.says(plan.clone()).says(json!({"size": 0, "sha256": null}));
        let again = server.ask(Method::POST, &link, Some(plan.clone()), &once).await.is(201);
        assert_eq!(again.json(), attached.json());
        let file = attached.text("id");
        let all = server.get(&path).await.is(200).json();
        assert!(all.as_array().unwrap().contains(&attached.json()), "{all}");
        server.get(&format!("{path}/{file}")).await.problem(404, "attachment-elsewhere");
        for wrong in ["javascript:alert(1)", "javascript://x/%0aalert(1)", "plan.pdf", "file:///etc/passwd", ""] {
            let body = json!({"name": "plan.pdf", "url": wrong});
            server.post(&link, body).await.problem(400, "body-invalid");
        }
        server.post(&link, json!({"name": "", "url": plan["url"]})).await.problem(400, "body-invalid");
        server.delete(&format!("{path}/{file}")).await.is(204);
        assert_eq!(server.get(&path).await.json(), json!([]));
    }
    server.post("/api/v1/tasks/5/attachments/link", plan).await.problem(404, "task-unknown");
}

async fn attach(server: &Server, path: &str, kind: &str, bytes: Vec<u8>) -> Answer {
    let request = Request::post(path).header("host", "localhost:8080").header("content-type", kind);
    server.send(request.body(Body::from(bytes)).unwrap()).await
}

#[tokio::test]
async fn files_come_and_go_byte_for_byte() {
    let server = Server::deployed(&[("approval", APPROVAL)]).await;
    let id = server.start("approval", json!({})).await;
    let task = server.task_of(&id).await;
    let large: Vec<u8> = (0..3_000_000_u32).map(|number| number.to_le_bytes()[0]).collect();
    let path = format!("/api/v1/instances/{id}/attachments");
    let attached = attach(&server, &format!("{path}?name=scan.pdf"), "application/pdf", large.clone()).await.is(201);
    let file = attached
        .says(json!({"name": "scan.pdf", "mediaType": "application/pdf", "size": 3_000_000, "task": null}))
        .text("id");
    let read = server.get(&format!("{path}/{file}")).await.is(200);
    assert!(read.bytes == large);
    assert_eq!(read.headers["content-length"], "3000000");
    assert_eq!(read.headers["content-type"], "application/octet-stream", "no browser takes it for a page");
    assert_eq!(read.headers["content-disposition"], "attachment");

    let of_task = format!("/api/v1/tasks/{task}/attachments");
    let page = attach(&server, &format!("{of_task}?name=page.html"), "text/html", b"<script>".to_vec()).await.is(201);
    let page = page.text("id");
    server.get(&of_task).await.is(200).says(json!([{"id": page, "task": task}]));
    server.get(&path).await.is(200).says(json!([{"id": file}, {"id": page}]));
    assert_eq!(
        server.get(&format!("{of_task}/{page}")).await.is(200).headers["content-type"],
        "application/octet-stream"
    );
    server.get(&format!("{of_task}/{file}")).await.problem(404, "attachment-unknown");
    server.delete(&format!("{of_task}/{page}")).await.is(204);
    server.delete(&format!("{path}/{file}")).await.is(204);
    assert_eq!(server.get(&path).await.json(), json!([]));
    attach(&server, &path, "text/plain", Vec::new()).await.problem(400, "query-invalid");
}
