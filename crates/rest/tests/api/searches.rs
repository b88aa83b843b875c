//! Searches for tasks that people keep.

use axum::http::Method;
use potok::Role;
use potok::row::SavedSearch;
use serde_json::{Value, json};

use crate::conversation::{APPROVAL, Server};

/// A search of somebody's own.
fn of(owner: &str, query: Value) -> Value {
    json!({"name": "Mine", "owner": owner, "query": query})
}

#[tokio::test]
async fn searches_are_kept_changed_and_forgotten() {
    let server = Server::new().await;
    let query = json!({"filter": {"states": ["open"], "priorityFrom": 60}, "sortBy": "due", "limit": 20});
    let search = json!({"name": "Urgent", "query": query, "properties": {"colour": "#c00", "columns": ["name"]}});
    let made = server.post("/api/v1/searches", search.clone()).await.is(201);
    let path = format!("/api/v1/searches/{}", made.text("id"));
    assert_eq!(made.headers["location"], path);
    server.get(&path).await.is(200).says(search).says(json!({"owner": null, "tenant": null}));
    let other = json!({"name": "Late", "owner": "anna", "query": {"filter": {"dueBefore": "2026-01-05T09:00:00Z"}}});
    server.put(&path, other.clone()).await.is(204);
    let all = server.get("/api/v1/searches").await.is(200).says(json!([other])).json();
    assert_eq!(all[0]["query"], other["query"], "what was kept before is gone");
    assert_eq!(all[0]["properties"], json!({}));
    server.delete(&path).await.is(204);
    assert_eq!(server.get("/api/v1/searches").await.is(200).json(), json!([]));
    server.get(&path).await.problem(404, "search-unknown");
    server.put(&path, other).await.problem(404, "search-unknown");
    server.delete(&path).await.problem(404, "search-unknown");
    server.post(&format!("{path}/tasks"), json!({})).await.problem(404, "search-unknown");
}

#[tokio::test]
async fn a_search_finds_what_whoever_asks_may_see() {
    let server = Server::deployed(&[("approval", APPROVAL)]).await;
    let sara = server.user("sara", &[Role::Supervisor], None).await;
    let (anna, boris) = (server.user("anna", &[], None).await, server.user("boris", &[], None).await);
    let small = anna.start("approval", json!({"amount": 3})).await;
    let large = anna.start("approval", json!({"amount": 5000})).await;
    let query = json!({
        "filter": {"processes": ["approval"], "variables": {"amount": {"gte": 1}}},
        "descending": true,
        "includeVariables": ["amount"],
    });
    let search = json!({"name": "Approvals", "query": query});
    let id = sara.post("/api/v1/searches", search).await.is(201).text("id");
    let path = format!("/api/v1/searches/{id}/tasks");
    let (first, second) = (
        json!({"instance": large, "variables": {"amount": 5000}}),
        json!({"instance": small, "variables": {"amount": 3}}),
    );
    anna.post(&path, json!({})).await.is(200).says(json!({"items": [first, second]}));
    boris.post(&path, json!({})).await.is(200).says(json!({"items": []}));
    // What is asked beside it, and in its place.
    anna.post(&path, json!({"descending": false})).await.is(200).says(json!({"items": [second, first]}));
    let of_one = json!({"filter": {"instances": [small]}});
    anna.post(&path, of_one).await.is(200).says(json!({"items": [second]}));
    let ended = json!({"filter": {"states": ["completed"]}, "countOnly": true});
    anna.post(&path, ended).await.is(200).says(json!({"total": 0}));
    let page = anna.post(&path, json!({"limit": 1})).await.is(200).says(json!({"items": [first]}));
    let rest = anna.post(&path, json!({"cursor": page.text("next")})).await.is(200);
    rest.says(json!({"items": [second]}));
    anna.post(&path, json!({"filter": {"asignee": "anna"}})).await.problem(400, "body-invalid");
}

#[tokio::test]
async fn what_cannot_be_asked_is_not_kept() {
    let server = Server::new().await;
    for (query, place) in [
        (json!({"filter": {"asignee": "anna"}}), "asignee"),
        (json!({"filter": {"priorityFrom": "high"}}), "`filter.priorityFrom`"),
        (json!({"filter": ["anna"]}), "`filter`"),
        (json!({"sortBy": "colour"}), "`sortBy`"),
        (json!({"cursor": "1"}), "`query.cursor`"),
        (json!({"limit": 0}), "`limit`"),
        (json!([]), "`query`"),
        (json!(null), "`query`"),
    ] {
        let refused = server.post("/api/v1/searches", of("anna", query.clone())).await.problem(400, "body-invalid");
        assert!(refused.text("detail").contains(place), "{query}: {}", refused.text("detail"));
    }
    for body in [
        json!({"name": " ", "query": {}}),
        json!({"query": {}}),
        json!({"name": "Mine"}),
        json!({"name": "Mine", "query": {}, "properties": []}),
        json!({"name": "Mine", "query": {}, "resource": "tasks"}),
    ] {
        server.post("/api/v1/searches", body).await.problem(400, "body-invalid");
    }
    let long = json!({"name": "Mine", "query": {}, "properties": {"text": "x".repeat(70_000)}});
    server.post("/api/v1/searches", long).await.problem(413, "store-too-large");
    // What a program has kept beside this API.
    let row = |resource: &str| SavedSearch {
        resource: resource.into(),
        name: "Theirs".into(),
        query: "{\"filter\": {\"assigneeLike\": \"an%\"}}".into(),
        ..SavedSearch::default()
    };
    let path = |row: &SavedSearch| format!("/api/v1/searches/{}", u64::from(row.key));
    let other = path(&server.engine.save_search(row("Task")).await.unwrap());
    server.get(&other).await.problem(404, "search-unknown");
    server.delete(&other).await.problem(404, "search-unknown");
    assert_eq!(server.get("/api/v1/searches").await.json(), json!([]));
    let unreadable = path(&server.engine.save_search(row("tasks")).await.unwrap());
    server.post(&format!("{unreadable}/tasks"), json!({})).await.problem(422, "search-unreadable");
}

#[tokio::test]
async fn a_search_is_changed_if_it_is_as_it_was_seen() {
    let server = Server::new().await;
    let id = server.post("/api/v1/searches", of("anna", json!({}))).await.is(201).text("id");
    let path = format!("/api/v1/searches/{id}");
    let put = async |limit: u64, tag: &str| {
        let body = of("anna", json!({"limit": limit}));
        server.ask(Method::PUT, &path, Some(body), &[("if-match", tag)]).await
    };
    let tag = server.get(&path).await.is(200).tag();
    put(5, &tag).await.is(204);
    put(6, &tag).await.problem(412, "search-changed");
    server.get(&path).await.says(json!({"query": {"limit": 5}}));
    put(7, "*").await.is(204);
    let tag = server.get(&path).await.tag();
    let (one, other) = tokio::join!(put(8, &tag), put(9, &tag));
    let (one, other) = (one.status.as_u16(), other.status.as_u16());
    assert_eq!([one.min(other), one.max(other)], [204, 412]);
    let delete = async |tag: &str| server.ask(Method::DELETE, &path, None, &[("if-match", tag)]).await;
    delete(&tag).await.problem(412, "search-changed");
    let tag = server.get(&path).await.is(200).tag();
    delete(&tag).await.is(204);
    put(5, "*").await.problem(404, "search-unknown");
}

#[tokio::test]
async fn everybody_keeps_their_own_searches() {
    let server = Server::new().await;
    let sara = server.user("sara", &[Role::Supervisor], None).await;
    let (anna, boris) = (server.user("anna", &[], None).await, server.user("boris", &[], None).await);
    let own = anna.post("/api/v1/searches", of("anna", json!({}))).await.is(201).text("id");
    let all = json!({"name": "All", "query": {}});
    anna.post("/api/v1/searches", all.clone()).await.problem(403, "forbidden");
    anna.post("/api/v1/searches", of("boris", json!({}))).await.problem(403, "forbidden");
    let all = sara.post("/api/v1/searches", all).await.is(201).text("id");
    for (caller, seen) in [(&anna, vec![&own, &all]), (&boris, vec![&all]), (&sara, vec![&own, &all])] {
        let seen: Vec<_> = seen.into_iter().map(|id| json!({"id": id})).collect();
        caller.get("/api/v1/searches").await.is(200).says(json!(seen));
    }
    let (own, all) = (format!("/api/v1/searches/{own}"), format!("/api/v1/searches/{all}"));
    boris.get(&own).await.problem(404, "search-unknown");
    boris.put(&own, of("boris", json!({}))).await.problem(404, "search-unknown");
    boris.delete(&own).await.problem(404, "search-unknown");
    boris.put(&all, of("boris", json!({}))).await.problem(403, "forbidden");
    boris.delete(&all).await.problem(403, "forbidden");
    sara.put(&own, of("boris", json!({}))).await.is(204);
    anna.get(&own).await.problem(404, "search-unknown");
    boris.delete(&own).await.is(204);

    let elsewhere = server.user("eve", &[Role::Supervisor], Some("acme")).await;
    assert_eq!(elsewhere.get("/api/v1/searches").await.is(200).json(), json!([]));
    elsewhere.get(&all).await.problem(404, "search-unknown");
}

#[tokio::test]
async fn a_call_that_is_repeated_keeps_one_search() {
    let server = Server::new().await;
    let key = [("idempotency-key", "search-1")];
    let make = || server.ask(Method::POST, "/api/v1/searches", Some(of("anna", json!({}))), &key);
    let first = make().await.is(201).json();
    assert_eq!(make().await.is(201).json(), first);
    assert_eq!(server.get("/api/v1/searches").await.json().as_array().unwrap().len(), 1);
    let path = format!("/api/v1/searches/{}", first["id"].as_str().unwrap());
    let remove = || server.ask(Method::DELETE, &path, None, &[("idempotency-key", "search-2")]);
    remove().await.is(204);
    remove().await.is(204);
}
