//! `/authorization/check`: whether who asks may do something. Rights come with the roles of groups here, so that there are no single
//! authorizations to be listed or given.

use axum::Router;
use axum::http::StatusCode;
use axum::routing::{any, get};
use potok::{Engine, Name, Right};
use serde_json::json;

use super::answer::{Answer, json as answer};
use super::error::Fault;
use super::fields::InQuery;
use crate::acting::Acting;

pub(crate) fn routes() -> Router<Engine> {
    let refuse = async || -> Answer { Err(Fault::not_offered("single authorizations; roles are given to groups")) };
    Router::new()
        .route("/authorization", any(refuse))
        .route("/authorization/count", any(refuse))
        .route("/authorization/create", any(refuse))
        .route("/authorization/check", get(check))
        .route("/authorization/{id}", any(refuse))
}

/// The right that a permission comes down to. What single tasks and instances allow their people is not asked here, as in Camunda.
fn right(kind: i64, permission: &str, resource: Option<&Name>) -> Right {
    let is_read = permission.starts_with("READ");
    match (kind, permission) {
        // Applications.
        (0, _) => match resource.map(|name| &**name) {
            Some("admin") => Right::Administer,
            Some("cockpit") => Right::View,
            _ => Right::Read,
        },
        // Users, groups, memberships, authorizations, tenants and their members.
        (1..=4 | 11 | 12, _) if is_read => Right::Read,
        // Processes and decisions.
        (6 | 10, "READ") => Right::Read,
        (6 | 8, "CREATE" | "CREATE_INSTANCE") => Right::Start,
        (10, "CREATE_INSTANCE") => Right::Read,
        (6, "TASK_ASSIGN" | "UPDATE_TASK") | (7, "TASK_ASSIGN" | "UPDATE") => Right::Assign,
        (7, "TASK_WORK" | "UPDATE_VARIABLE") => Right::Work,
        (7, "CREATE") => Right::Work,
        (6..=8 | 18 | 19, _) if is_read => Right::View,
        (6..=8 | 13 | 18 | 19, _) => Right::Operate,
        // Deployments, and what is drawn of decisions.
        (9 | 14, _) if is_read => Right::Read,
        (9, _) => Right::Deploy,
        // The log of user operations.
        (17, _) => Right::Audit,
        _ => Right::Administer,
    }
}

async fn check(Acting(engine): Acting, InQuery(fields): InQuery) -> Answer {
    if engine.user().is_none() {
        let message = "You must be authenticated in order to use this resource.";
        return Err(Fault::refused_as(StatusCode::UNAUTHORIZED, message));
    }
    let needed = |name: &str| Fault::invalid(format!("Query parameter '{name}' cannot be null"));
    let permission = fields.text("permissionName")?.ok_or_else(|| needed("permissionName"))?;
    let kind = fields.number("resourceType")?.ok_or_else(|| needed("resourceType"))?;
    let name = fields.text("resourceName")?.ok_or_else(|| needed("resourceName"))?;
    let resource = fields.text("resourceId")?;
    // Who else may what is not theirs to know.
    let engine = match fields.text("userId")? {
        Some(user) if Some(&user) != engine.user() => {
            if !engine.may(Right::Administer).await? {
                let message = "asking for somebody else takes the role administrator";
                return Err(Fault::forbidden(message));
            }
            engine.as_user(user)
        }
        _ => engine,
    };
    let is_authorized = engine.may(right(kind, &permission, resource.as_ref())).await?;
    Ok(answer(&json!({
        "permissionName": permission,
        "resourceName": name,
        "resourceId": resource,
        "isAuthorized": is_authorized,
    })))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_permission_comes_down_to_a_right() {
        let admin = Name::from("admin");
        assert_eq!(right(0, "ACCESS", Some(&admin)), Right::Administer);
        assert_eq!(right(0, "ACCESS", Some(&"tasklist".into())), Right::Read);
        assert_eq!(right(1, "READ", None), Right::Read);
        assert_eq!(right(1, "CREATE", None), Right::Administer);
        assert_eq!(right(6, "CREATE_INSTANCE", None), Right::Start);
        assert_eq!(right(6, "DELETE_INSTANCE", None), Right::Operate);
        assert_eq!(right(8, "READ", None), Right::View);
        assert_eq!(right(9, "CREATE", None), Right::Deploy);
        assert_eq!(right(17, "READ", None), Right::Audit);
    }
}
