//! `/groups/{group}/roles`: what the members of a group may do.

use axum::http::StatusCode;

use crate::body::{Json, Path};
use crate::caller::Caller;
use crate::problem::{Problem, Problems};
use crate::routes::{Routes, routes};
use crate::value::words;

pub(crate) fn routes() -> Routes {
    Routes::new().routes(routes!(roles_of_group)).routes(routes!(grant, revoke)).routes(routes!(roles_of_user))
}

words! {
    /// What the members of a group may do. Everybody is a participant.
    Role for potok::Role {
        /// Starts what is open to them, works on their tasks, and sees what they have a part in.
        Participant,
        /// Sees everything, and changes nothing.
        Viewer,
        /// Sees everything, and gives tasks to whom they want.
        Supervisor,
        /// Sees everything, and intervenes where something is stuck or has gone wrong.
        Operator,
        /// Deploys.
        Deployer,
        /// Does jobs, starts processes, sends messages and signals.
        Worker,
        /// May everything.
        Administrator,
    }
}

/// The roles that a user has by their groups
#[utoipa::path(get, path = "/users/{user}/roles", tag = "people", operation_id = "getRolesOfUser",
    params(("user" = String, Path, description = "The user's id")),
    responses((status = 200, body = Vec<Role>, description = "The roles"), Problems))]
async fn roles_of_user(caller: Caller, Path(user): Path<String>) -> Result<Json<Vec<Role>>, Problem> {
    let roles = caller.engine.people().roles_of(user).await?;
    Ok(Json(roles.into_iter().map(Into::into).collect()))
}

/// The roles that have been given to a group
#[utoipa::path(get, path = "/groups/{group}/roles", tag = "people", operation_id = "getRoles",
    params(("group" = String, Path, description = "The group's id")),
    responses((status = 200, body = Vec<Role>, description = "The roles"), Problems))]
async fn roles_of_group(caller: Caller, Path(group): Path<String>) -> Result<Json<Vec<Role>>, Problem> {
    let roles = caller.engine.people().roles_of_group(group).await?;
    Ok(Json(roles.into_iter().map(Into::into).collect()))
}

/// Gives the members of a group a role
#[utoipa::path(put, path = "/groups/{group}/roles/{role}", tag = "people", operation_id = "grantRole",
    params(("group" = String, Path), ("role" = Role, Path)),
    responses((status = 204, description = "They have it"), Problems))]
async fn grant(caller: Caller, Path((group, role)): Path<(String, Role)>) -> Result<StatusCode, Problem> {
    caller.once(|engine| async move { engine.people().grant(group, role.into()).await }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Takes a role from the members of a group
#[utoipa::path(delete, path = "/groups/{group}/roles/{role}", tag = "people", operation_id = "revokeRole",
    params(("group" = String, Path), ("role" = Role, Path)),
    responses((status = 204, description = "They have it no longer, unless by another group"), Problems))]
async fn revoke(caller: Caller, Path((group, role)): Path<(String, Role)>) -> Result<StatusCode, Problem> {
    caller.once(|engine| async move { engine.people().revoke(group, role.into()).await }).await?;
    Ok(StatusCode::NO_CONTENT)
}
