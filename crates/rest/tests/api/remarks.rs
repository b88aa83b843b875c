//! Comments and attachments.

use axum::body::Body;
use axum::http::Request;
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
