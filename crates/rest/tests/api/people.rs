//! Users and groups.

use axum::http::Method;
use potok::Role;
use serde_json::{Value, json};

use crate::conversation::Server;

#[tokio::test]
async fn users_and_groups_come_and_go() {
    let server = Server::new().await.user("olga", &[Role::Administrator], None).await;
    server.put("/api/v1/users/anna", json!({"name": "Anna"})).await.is(204);
    server.put("/api/v1/users/anna", json!({"name": "Anna K.", "email": "anna@example.org"})).await.is(204);
    let anna = server.get("/api/v1/users/anna").await.is(200).json();
    assert_eq!(anna, json!({"id": "anna", "name": "Anna K.", "email": "anna@example.org"}), "and nothing secret");
    server.put("/api/v1/groups/sales", json!({"name": "Sales"})).await.is(204);
    server.get("/api/v1/groups/sales").await.is(200).says(json!({"id": "sales", "name": "Sales"}));
    server.put("/api/v1/groups/sales/members/anna", json!({})).await.is(204);
    server.put("/api/v1/groups/sales/members/anna", json!({})).await.is(204);
    assert_eq!(server.get("/api/v1/users/anna/groups").await.is(200).json(), json!(["sales"]));
    assert_eq!(server.get("/api/v1/groups/sales/members").await.is(200).json(), json!(["anna"]));
    let found = json!({"filter": {"group": "sales", "nameLike": "Anna%"}, "sortBy": "id"});
    assert_eq!(server.post("/api/v1/users/search", found).await.is(200).count(), 1);
    let found = json!({"filter": {"member": "anna"}});
    assert_eq!(server.post("/api/v1/groups/search", found).await.is(200).count(), 1);
    server.delete("/api/v1/groups/sales/members/anna").await.is(204);
    assert_eq!(server.get("/api/v1/groups/sales/members").await.is(200).json(), json!([]));
    server.delete("/api/v1/users/anna").await.is(204);
    server.get("/api/v1/users/anna").await.problem(404, "user-unknown");
    server.delete("/api/v1/groups/sales").await.is(204);
    server.get("/api/v1/groups/sales").await.problem(404, "group-unknown");
}

#[tokio::test]
async fn users_and_groups_are_changed_if_they_are_as_they_were_seen() {
    let server = Server::new().await.user("olga", &[Role::Administrator], None).await;
    for (path, first, second, code) in [
        ("/api/v1/users/anna", json!({"name": "Anna"}), json!({"email": "anna@example.org"}), "user-changed"),
        ("/api/v1/groups/sales", json!({"name": "Sales"}), json!({"name": "Orders"}), "group-changed"),
    ] {
        let put = async |body: &Value, tag: &str| {
            server.ask(Method::PUT, path, Some(body.clone()), &[("if-match", tag)]).await
        };
        put(&first, "*").await.problem(412, code);
        server.get(path).await.is(404);
        server.put(path, first.clone()).await.is(204);
        let tag = server.get(path).await.is(200).tag();
        put(&second, &tag).await.is(204);
        put(&first, &tag).await.problem(412, code);
        let now = server.get(path).await.says(second.clone());
        put(&first, &now.tag()).await.is(204);
        put(&second, "*").await.is(204);
        server.delete(path).await.is(204);
        put(&second, &now.tag()).await.problem(412, code);
    }
}

#[tokio::test]
async fn users_and_groups_are_removed_if_they_are_as_they_were_seen() {
    let server = Server::new().await.user("olga", &[Role::Administrator], None).await;
    for (path, code) in [("/api/v1/users/anna", "user-changed"), ("/api/v1/groups/sales", "group-changed")] {
        let remove = async |tag: &str| server.ask(Method::DELETE, path, None, &[("if-match", tag)]).await;
        remove("*").await.problem(412, code);
        server.put(path, json!({"name": "first"})).await.is(204);
        let tag = server.get(path).await.tag();
        server.put(path, json!({"name": "second"})).await.is(204);
        remove(&tag).await.problem(412, code);
        let now = server.get(path).await.is(200);
        remove(&now.tag()).await.is(204);
        server.get(path).await.is(404);
        server.delete(path).await.is(204);
    }
}

#[tokio::test]
async fn of_two_who_have_seen_the_same_one_changes_it() {
    let server = Server::new().await.user("olga", &[Role::Administrator], None).await;
    server.put("/api/v1/users/anna", json!({"name": "Anna"})).await.is(204);
    let tag = server.get("/api/v1/users/anna").await.tag();
    let change = async |name: &str| {
        let body = Some(json!({"name": name}));
        server.ask(Method::PUT, "/api/v1/users/anna", body, &[("if-match", &tag)]).await.status.as_u16()
    };
    let (one, other) = tokio::join!(change("Anna K."), change("Anna L."));
    assert_eq!([one.min(other), one.max(other)], [204, 412]);
}

#[tokio::test]
async fn what_the_members_of_a_group_may_is_said_by_roles() {
    let server = Server::new().await.user("olga", &[Role::Administrator], None).await;
    let vera = server.user("vera", &[], None).await;
    server.put("/api/v1/groups/heads", json!({})).await.is(204);
    server.put("/api/v1/groups/heads/members/vera", json!({})).await.is(204);
    vera.get("/api/v1/statistics").await.problem(403, "forbidden");
    server.put("/api/v1/groups/heads/roles/supervisor", json!({})).await.is(204);
    vera.get("/api/v1/statistics").await.is(200);
    assert_eq!(vera.get("/api/v1/groups/heads/roles").await.is(200).json(), json!(["supervisor"]));
    assert_eq!(vera.get("/api/v1/users/vera/roles").await.is(200).json(), json!(["participant", "supervisor"]));
    vera.put("/api/v1/groups/heads/roles/administrator", json!({})).await.problem(403, "forbidden");
    server.delete("/api/v1/groups/heads/roles/supervisor").await.is(204);
    vera.get("/api/v1/statistics").await.problem(403, "forbidden");
    server.put("/api/v1/groups/heads/roles/king", json!({})).await.problem(400, "path-invalid");
    server.put("/api/v1/groups/nobody/roles/viewer", json!({})).await.problem(404, "group-unknown");
    server.delete("/api/v1/groups/administrator/roles/administrator").await.problem(409, "administrator-last");
}

#[tokio::test]
async fn administrators_see_to_what_people_and_programs_sign_in_by() {
    let server = Server::new().await.user("olga", &[Role::Administrator], None).await;
    server.put("/api/v1/users/vera", json!({})).await.is(204);
    let password = json!({"password": "correct horse battery"});
    server.put("/api/v1/users/vera/password", json!({"password": "short"})).await.problem(422, "password-unfit");
    server.put("/api/v1/users/nobody/password", password.clone()).await.problem(404, "user-unknown");
    server.put("/api/v1/users/vera/password", password).await.is(204);
    let vera = server.by("Basic dmVyYTpjb3JyZWN0IGhvcnNlIGJhdHRlcnk=");
    vera.get("/api/v1/session").await.is(200).says(json!({"user": "vera"}));
    vera.put("/api/v1/users/olga/password", json!({"password": "battery staple"})).await.problem(403, "forbidden");

    // Everybody makes tokens for themselves.
    let new = json!({"user": "vera", "name": "reports", "roles": ["participant"], "expires": "2026-02-01T00:00:00Z"});
    let once = [("idempotency-key", "t")];
    let made = vera.ask(Method::POST, "/api/v1/tokens", Some(new.clone()), &once).await.is(201);
    let again = vera.ask(Method::POST, "/api/v1/tokens", Some(new), &once).await.is(201);
    again.says(json!({"id": made.text("id"), "secret": null}));
    vera.post("/api/v1/tokens", json!({"user": "olga", "name": "root"})).await.problem(403, "forbidden");
    for past in ["2026-01-05T09:00:00Z", "2026-01-05T08:59:00Z"] {
        let dead = json!({"user": "vera", "name": "reports", "expires": past});
        vera.post("/api/v1/tokens", dead).await.problem(422, "token-expired");
    }
    let program = server.by(&format!("Bearer {}", made.text("secret")));
    program.get("/api/v1/session").await.is(200).says(json!({"user": "vera"}));
    program.post("/api/v1/tokens", json!({"user": "vera", "name": "longer"})).await.problem(403, "forbidden");
    let own = json!({"filter": {"users": ["vera"]}});
    let found = vera.post("/api/v1/tokens/search", own.clone()).await.is(200);
    found.says(json!({"items": [{
        "user": "vera", "name": "reports", "roles": ["participant"], "tenant": null, "author": "vera",
        "created": "2026-01-05T09:00:00Z", "expires": "2026-02-01T00:00:00Z", "used": "2026-01-05T09:00:00Z",
    }]}));
    vera.post("/api/v1/tokens/search", json!({})).await.problem(403, "forbidden");
    server.post("/api/v1/tokens/search", json!({"countOnly": true})).await.is(200).says(json!({"total": 2}));
    vera.delete(&format!("/api/v1/tokens/{}", made.text("id"))).await.is(204);
    program.get("/api/v1/session").await.problem(401, "not-authenticated");
    server.delete(&format!("/api/v1/tokens/{}", made.text("id"))).await.problem(404, "token-unknown");

    let session = server.engine.sign_in("vera", "correct horse battery").await.unwrap();
    server.delete("/api/v1/users/vera/sessions").await.is(204);
    assert!(server.engine.with_session(session.secret.reveal()).await.is_err());
    server.delete("/api/v1/users/vera/password").await.is(204);
    vera.get("/api/v1/session").await.problem(401, "not-authenticated");
}

#[tokio::test]
async fn tenants_have_names_and_users() {
    let server = Server::new().await.user("olga", &[Role::Administrator], None).await;
    let vera = server.user("vera", &[], None).await;
    server.put("/api/v1/tenants/acme", json!({"name": "ACME Inc."})).await.is(204);
    server.put("/api/v1/tenants/acme/members/vera", json!({})).await.is(204);
    server.put("/api/v1/tenants/%D0%B1%D0%BE%D0%BB%D1%82/members/boris", json!({})).await.is(204);
    let all = json!([{"id": "acme", "name": "ACME Inc."}, {"id": "болт", "name": null}]);
    assert_eq!(server.get("/api/v1/tenants").await.is(200).json(), all);
    assert_eq!(vera.get("/api/v1/tenants").await.is(200).json(), json!([{"id": "acme", "name": "ACME Inc."}]));
    assert_eq!(vera.get("/api/v1/users/vera/tenants").await.is(200).json(), json!(["acme"]));
    vera.put("/api/v1/tenants/acme/members/boris", json!({})).await.problem(403, "forbidden");
    server.delete("/api/v1/tenants/acme/members/vera").await.is(204);
    assert_eq!(server.get("/api/v1/users/vera/tenants").await.is(200).json(), json!([""]));
    server.delete("/api/v1/tenants/acme").await.is(204);
    assert_eq!(server.get("/api/v1/tenants").await.json(), json!([{"id": "болт", "name": null}]));
}

#[tokio::test]
async fn a_group_takes_its_members_into_a_tenant() {
    let server = Server::new().await.user("olga", &[Role::Administrator], None).await;
    let vera = server.user("vera", &[], None).await;
    server.put("/api/v1/groups/buyers", json!({"name": "Buyers"})).await.is(204);
    server.put("/api/v1/groups/buyers/members/vera", json!({})).await.is(204);
    let path = "/api/v1/tenants/acme/groups/buyers";
    vera.put(path, json!({})).await.problem(403, "forbidden");
    server.put("/api/v1/tenants/acme/groups/nobody", json!({})).await.problem(404, "group-unknown");
    server.put(path, json!({})).await.is(204);
    server.put(path, json!({})).await.is(204);
    assert_eq!(vera.get("/api/v1/tenants").await.is(200).json(), json!([{"id": "acme", "name": null}]));
    let found = json!({"filter": {"tenant": "acme"}});
    server.post("/api/v1/groups/search", found.clone()).await.is(200).says(json!({"items": [{"id": "buyers"}]}));
    // Whoever comes later, too.
    let boris = server.user("boris", &[], None).await;
    assert_eq!(boris.get("/api/v1/tenants").await.is(200).json(), json!([]));
    server.put("/api/v1/groups/buyers/members/boris", json!({})).await.is(204);
    assert_eq!(boris.get("/api/v1/tenants").await.is(200).json(), json!([{"id": "acme", "name": null}]));
    vera.delete(path).await.problem(403, "forbidden");
    server.delete(path).await.is(204);
    server.delete(path).await.is(204);
    assert_eq!(vera.get("/api/v1/tenants").await.is(200).json(), json!([]));
    assert_eq!(server.post("/api/v1/groups/search", found).await.is(200).count(), 0);
    // Nobody is left outside.
    server.put("/api/v1/tenants/acme/groups/administrator", json!({})).await.problem(409, "administrator-last");
}

#[tokio::test]
async fn what_was_refused_and_done_is_found() {
    let server = Server::new().await.user("olga", &[Role::Administrator], None).await;
    let vera = server.user("vera", &[], None).await;
    server.put("/api/v1/users/boris", json!({})).await.is(204);
    vera.put("/api/v1/users/boris", json!({"name": "B."})).await.problem(403, "forbidden");
    let changes = json!({"filter": {"actions": ["change people"], "subjects": ["boris"]}});
    server.post("/api/v1/audit/search", changes).await.is(200).says(json!({"items": [
        {"user": "olga", "token": "test", "subject": "boris", "allowed": true, "time": "2026-01-05T09:00:00Z"},
        {"user": "vera", "token": "test", "subject": "boris", "allowed": false},
    ]}));
    let refused = json!({"filter": {"users": ["vera"], "allowed": false}, "countOnly": true});
    server.post("/api/v1/audit/search", refused).await.is(200).says(json!({"total": 1}));
    vera.post("/api/v1/audit/search", json!({})).await.problem(403, "forbidden");

    let record = json!({"filter": {"users": ["vera"], "allowed": false, "subjects": ["boris"]}});
    let found = server.post("/api/v1/audit/search", record.clone()).await.is(200).json();
    let note = format!("/api/v1/audit/{}/annotation", found["items"][0]["id"].as_str().unwrap());
    vera.put(&note, json!({"annotation": "never mind"})).await.problem(403, "forbidden");
    server.put(&note, json!({"annotation": "asked about it"})).await.is(204);
    let noted = server.post("/api/v1/audit/search", record.clone()).await;
    noted.says(json!({"items": [{"allowed": false, "annotation": "asked about it"}]}));
    server.put(&note, json!({"annotation": "x".repeat(4001)})).await.problem(413, "store-too-large");
    server.delete(&note).await.is(204);
    server.post("/api/v1/audit/search", record).await.says(json!({"items": [{"annotation": null}]}));
    server.put("/api/v1/audit/5/annotation", json!({"annotation": "?"})).await.problem(404, "record-unknown");
}
