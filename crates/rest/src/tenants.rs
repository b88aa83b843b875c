//! `/tenants`: who is kept apart from whom.

use axum::http::StatusCode;
use potok::row;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::body::{Json, Path};
use crate::caller::Caller;
use crate::problem::{Problem, Problems};
use crate::routes::{Routes, routes};
use crate::value::text;

pub(crate) fn routes() -> Routes {
    Routes::new()
        .routes(routes!(list))
        .routes(routes!(put, delete))
        .routes(routes!(add_member, remove_member))
        .routes(routes!(add_group, remove_group))
        .routes(routes!(of_user))
}

/// What belongs together, and is out of others' reach.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Tenant {
    id: String,
    /// For people.
    name: Option<String>,
}

/// What is known of a tenant.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct TenantData {
    /// For people.
    name: Option<String>,
}

/// The tenants that have a name, or users or groups
#[utoipa::path(get, path = "/tenants", tag = "people", operation_id = "getTenants",
    responses((status = 200, body = Vec<Tenant>, description = "Those within the caller's reach"), Problems))]
async fn list(caller: Caller) -> Result<Json<Vec<Tenant>>, Problem> {
    let tenants = caller.engine.people().tenants().await?;
    let shown = tenants.iter().map(|row| Tenant { id: row.id.to_string(), name: text(row.name.as_ref()) });
    Ok(Json(shown.collect()))
}

/// Gives a tenant a name
///
/// Nothing depends on it: a tenant is there as soon as anything or anybody is in it.
#[utoipa::path(put, path = "/tenants/{tenant}", tag = "people", operation_id = "putTenant",
    params(("tenant" = String, Path, description = "The tenant's id")),
    responses((status = 204, description = "It has it"), Problems))]
async fn put(caller: Caller, Path(tenant): Path<String>, Json(data): Json<TenantData>) -> Result<StatusCode, Problem> {
    let tenant = row::Tenant { id: tenant.into(), name: data.name.map(Into::into) };
    caller.once(|engine| async move { engine.people().put_tenant(tenant).await }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Takes a tenant's name, and all users and groups out of it
///
/// What was deployed and started for it stays.
#[utoipa::path(delete, path = "/tenants/{tenant}", tag = "people", operation_id = "deleteTenant",
    params(("tenant" = String, Path, description = "The tenant's id")),
    responses((status = 204, description = "Nobody is in it"), Problems))]
async fn delete(caller: Caller, Path(tenant): Path<String>) -> Result<StatusCode, Problem> {
    caller.once(|engine| async move { engine.people().remove_tenant(tenant).await }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Takes a user into a tenant
#[utoipa::path(put, path = "/tenants/{tenant}/members/{user}", tag = "people", operation_id = "addToTenant",
    params(("tenant" = String, Path), ("user" = String, Path)),
    responses((status = 204, description = "The user is in it"), Problems))]
async fn add_member(caller: Caller, Path((tenant, user)): Path<(String, String)>) -> Result<StatusCode, Problem> {
    caller.once(|engine| async move { engine.people().add_to_tenant(tenant, user).await }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Takes a user out of a tenant
#[utoipa::path(delete, path = "/tenants/{tenant}/members/{user}", tag = "people", operation_id = "removeFromTenant",
    params(("tenant" = String, Path), ("user" = String, Path)),
    responses((status = 204, description = "The user is not in it"), Problems))]
async fn remove_member(caller: Caller, Path((tenant, user)): Path<(String, String)>) -> Result<StatusCode, Problem> {
    caller.once(|engine| async move { engine.people().remove_from_tenant(tenant, user).await }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Takes a group into a tenant
///
/// And with it whoever is in the group, now or later.
#[utoipa::path(put, path = "/tenants/{tenant}/groups/{group}", tag = "people", operation_id = "addGroupToTenant",
    params(("tenant" = String, Path), ("group" = String, Path)),
    responses((status = 204, description = "The group is in it"), Problems))]
async fn add_group(caller: Caller, Path((tenant, group)): Path<(String, String)>) -> Result<StatusCode, Problem> {
    caller.once(|engine| async move { engine.people().add_group_to_tenant(tenant, group).await }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Takes a group out of a tenant
///
/// Its members stay in the tenant as far as they are in it by themselves.
#[utoipa::path(delete, path = "/tenants/{tenant}/groups/{group}", tag = "people", operation_id = "removeGroupFromTenant",
    params(("tenant" = String, Path), ("group" = String, Path)),
    responses((status = 204, description = "The group is not in it"), Problems))]
async fn remove_group(caller: Caller, Path((tenant, group)): Path<(String, String)>) -> Result<StatusCode, Problem> {
    caller.once(|engine| async move { engine.people().remove_group_from_tenant(tenant, group).await }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The ids of the tenants that a user is in
#[utoipa::path(get, path = "/users/{user}/tenants", tag = "people", operation_id = "getTenantsOfUser",
    params(("user" = String, Path, description = "The user's id")),
    responses((status = 200, body = Vec<String>, description = "Those within the caller's reach"), Problems))]
async fn of_user(caller: Caller, Path(user): Path<String>) -> Result<Json<Vec<String>>, Problem> {
    let tenants = caller.engine.people().tenants_of(user).await?;
    Ok(Json(tenants.iter().map(ToString::to_string).collect()))
}
