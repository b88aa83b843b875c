//! Long lists: what is asked for is found on whichever page of the database it stands.

#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, header};
use potok::Engine;
use serde_json::{Value as Json, json};
use tower::ServiceExt as _;

/// More than the database gives at once.
const MANY: usize = 2100;

async fn ask(router: &Router, method: &str, path: &str, body: Option<Json>) -> Json {
    let request = Request::builder().method(method).uri(path).header(header::CONTENT_TYPE, "application/json");
    let body = body.map(|body| Body::from(body.to_string())).unwrap_or_default();
    let answer = router.clone().oneshot(request.body(body).unwrap()).await.unwrap();
    serde_json::from_slice(&to_bytes(answer.into_body(), usize::MAX).await.unwrap()).unwrap()
}

fn names(tasks: &Json) -> Vec<&str> {
    tasks.as_array().unwrap().iter().map(|task| task["name"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn tasks_are_found_on_all_pages() {
    let engine = Engine::builder().sqlite_in_memory().job_execution(false).start().await.unwrap();
    let router = potok_faces::camunda7::router(engine.clone());
    for number in 0..MANY {
        // Every hundredth is about a contract.
        let name = format!("{} {number:04}", if number % 100 == 7 { "Contract" } else { "Letter" });
        engine.create_task(name).priority(i64::try_from(number).unwrap()).send().await.unwrap();
    }
    assert_eq!(ask(&router, "GET", "/task/count", None).await, json!({"count": MANY}));
    assert_eq!(ask(&router, "GET", "/task", None).await.as_array().unwrap().len(), MANY);

    // What the database finds by itself.
    let urgent = ask(&router, "GET", "/task?sortBy=priority&sortOrder=desc&firstResult=1500&maxResults=2", None).await;
    assert_eq!(names(&urgent), ["Letter 0599", "Letter 0598"]);
    assert_eq!(ask(&router, "GET", "/task?firstResult=2099&maxResults=5", None).await.as_array().unwrap().len(), 1);

    // What is looked at, page by page.
    let contracts = "/task?nameLike=contract%25&sortBy=priority&sortOrder=asc&firstResult=19&maxResults=10";
    assert_eq!(names(&ask(&router, "GET", contracts, None).await), ["Contract 1907", "Contract 2007"]);
    assert_eq!(ask(&router, "GET", "/task/count?nameLike=contract%25", None).await, json!({"count": 21}));

    // One of several, found either way.
    let either = json!({"orQueries": [{"name": "contract 2007", "minPriority": 2099}], "sorting": [{"sortBy": "name", "sortOrder": "asc"}]});
    let found = ask(&router, "POST", "/task", Some(either.clone())).await;
    assert_eq!(names(&found), ["Contract 2007", "Letter 2099"]);
    assert_eq!(ask(&router, "POST", "/task/count", Some(either)).await, json!({"count": 2}));

    // Sorted by more than the database sorts by.
    let sorting =
        json!([{"sortBy": "description", "sortOrder": "asc"}, {"sortBy": "nameCaseInsensitive", "sortOrder": "desc"}]);
    let found = ask(&router, "POST", "/task?maxResults=1", Some(json!({"sorting": sorting}))).await;
    assert_eq!(names(&found), ["Letter 2099"]);
    engine.stop().await;
}
