//! Users and groups.

use potok::Role;
use serde_json::json;

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
