//! `/identity`: whose password is right, and who is in which groups.

use axum::Router;
use axum::routing::{get, post};
use potok::query::{GroupQuery, UserQuery};
use potok::{Engine, Error};
use serde_json::{Value as Json, json};

use super::answer::{Answer, json as answer};
use super::error::Fault;
use super::fields::{InBody, InQuery};
use super::user::first_name;
use crate::acting::Acting;

pub(crate) fn routes() -> Router<Engine> {
    Router::new()
        .route("/identity/groups", get(groups))
        .route("/identity/verify", post(verify))
        .route("/identity/password-policy", get(password_policy).post(check_password))
}

/// The one rule there is.
fn length() -> Json {
    json!({"placeholder": "PASSWORD_POLICY_LENGTH", "parameter": {"minLength": potok::SHORTEST_PASSWORD.to_string()}})
}

async fn password_policy(Acting(_): Acting) -> Answer {
    Ok(answer(&json!({"rules": [length()]})))
}

async fn check_password(Acting(_): Acting, InBody(fields): InBody) -> Answer {
    let password = fields.text("password")?.ok_or_else(|| Fault::invalid("`password` is needed"))?;
    let is_fit = password.chars().count() >= potok::SHORTEST_PASSWORD;
    let mut rule = length();
    rule["valid"] = is_fit.into();
    Ok(answer(&json!({"rules": [rule], "valid": is_fit})))
}

/// The groups that a user is in, and who else is in those.
async fn groups(Acting(engine): Acting, InQuery(fields): InQuery) -> Answer {
    let user = fields.text("userId")?.ok_or_else(|| Fault::invalid("No user id was supplied"))?;
    let people = engine.people();
    let groups = people.groups(&GroupQuery { member: Some(user.clone()), ..GroupQuery::default() }).await?.rows;
    let mut others: Vec<Json> = Vec::new();
    for group in &groups {
        let members = UserQuery { group: Some(group.id.clone()), ..UserQuery::default() };
        for other in people.users(&members).await?.rows {
            let shown = json!({
                "id": &*other.id,
                "firstName": first_name(&other),
                "lastName": other.family_name.as_deref(),
                "displayName": other.name.as_deref().unwrap_or(&other.id),
            });
            if other.id != user && !others.contains(&shown) {
                others.push(shown);
            }
        }
    }
    let groups: Vec<Json> =
        groups.iter().map(|group| json!({"id": &*group.id, "name": group.name.as_deref()})).collect();
    Ok(answer(&json!({"groups": groups, "groupUsers": others})))
}

async fn verify(Acting(engine): Acting, InBody(fields): InBody) -> Answer {
    let (Some(user), Some(password)) = (fields.text("username")?, fields.text("password")?) else {
        return Err(Fault::invalid("Username and password are required"));
    };
    let is_right = match engine.with_password(user.clone(), &password).await {
        Ok(_) => true,
        Err(Error::NotAuthenticated) => false,
        Err(error) => return Err(error.into()),
    };
    Ok(answer(&json!({"authenticatedUser": user, "groups": null, "tenants": null, "authenticated": is_right})))
}
