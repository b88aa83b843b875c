//! `/users` and `/groups`: the people that tasks are for.

use axum::http::StatusCode;
use potok::query::{GroupQuery, UserQuery};
use potok::{Name, row};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::body::{Json, Path};
use crate::caller::Caller;
use crate::problem::{Problem, Problems};
use crate::routes::{Routes, routes};
use crate::search::{self, Found, Search, find};
use crate::tag::{Expected, Tagged};
use crate::value::{names, text};

pub(crate) fn routes() -> Routes {
    Routes::new()
        .routes(routes!(search_users))
        .routes(routes!(get_user, put_user, delete_user))
        .routes(routes!(groups_of_user))
        .routes(routes!(search_groups))
        .routes(routes!(get_group, put_group, delete_group))
        .routes(routes!(members))
        .routes(routes!(add_member, remove_member))
}

/// Sorted by id, and by nothing else.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum ById {
    /// By id.
    Id,
}

/// Somebody who works on tasks.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct User {
    id: String,
    /// For people.
    name: Option<String>,
    email: Option<String>,
}

impl From<&row::User> for User {
    fn from(row: &row::User) -> Self {
        Self { id: row.id.to_string(), name: text(row.name.as_ref()), email: text(row.email.as_ref()) }
    }
}

/// What is known of a user.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct UserData {
    /// For people.
    name: Option<String>,
    email: Option<String>,
}

/// Which users. All that is given must hold.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub(crate) struct UserFilter {
    #[serde(deserialize_with = "search::some")]
    #[schema(min_items = 1)]
    ids: Vec<String>,
    /// `%` stands for any text, `_` for one character.
    name_like: Option<String>,
    /// In this group.
    group: Option<String>,
}

fn unknown(code: &str, what: &str, id: &str) -> Problem {
    Problem::new(StatusCode::NOT_FOUND, code, format!("there is no {what} `{id}`"))
}

/// Searches users
#[utoipa::path(post, path = "/users/search", tag = "people", operation_id = "searchUsers",
    responses((status = 200, body = Found<User>, description = "A page of them"), Problems))]
async fn search_users(
    caller: Caller,
    Json(search): Json<Search<UserFilter, ById>>,
) -> Result<Json<Found<User>>, Problem> {
    let search = search.without_variables()?;
    let page = search.paging()?;
    let filter = search.filter.unwrap_or_default();
    let query = UserQuery {
        ids: names(filter.ids),
        name_like: filter.name_like,
        group: filter.group.map(Into::into),
        page,
        ..UserQuery::default()
    };
    Ok(Json(find(&caller.engine, &query, search.count_only, |row| User::from(&row)).await?))
}

/// A user
///
/// The `ETag` stands for what can be changed of them.
#[utoipa::path(get, path = "/users/{user}", tag = "people", operation_id = "getUser",
    params(("user" = String, Path, description = "The user's id")),
    responses((status = 200, body = User, description = "The user", headers(("etag" = String))), Problems))]
async fn get_user(caller: Caller, Path(user): Path<String>) -> Result<Tagged<User>, Problem> {
    let found = caller.engine.people().user(user.as_str()).await?;
    Ok(Tagged(User::from(&found.ok_or_else(|| unknown("user-unknown", "user", &user))?)))
}

/// Creates a user, or changes the one with that id
///
/// With `If-Match`, only if there is one, as its caller has seen them.
#[utoipa::path(put, path = "/users/{user}", tag = "people", operation_id = "putUser",
    params(("user" = String, Path, description = "The user's id"), Expected),
    responses((status = 204, description = "The user is there"), Problems))]
async fn put_user(
    caller: Caller,
    Path(user): Path<String>,
    expected: Expected,
    Json(data): Json<UserData>,
) -> Result<StatusCode, Problem> {
    let is_expected = |now: Option<&row::User>| expected.is(|| now.map(User::from));
    let (name, email): (Option<Name>, _) = (data.name.map(Into::into), data.email.map(Name::from));
    let change = |user: &mut row::User| {
        if user.name != name {
            user.family_name = None;
        }
        (user.name, user.email) = (name.clone(), email.clone());
    };
    caller.once(|engine| async move { engine.people().update_user_if(user, is_expected, change).await }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Removes a user, also from all groups
///
/// Tasks keep their assignees. With `If-Match`, only if they are as their caller has seen them.
#[utoipa::path(delete, path = "/users/{user}", tag = "people", operation_id = "deleteUser",
    params(("user" = String, Path, description = "The user's id"), Expected),
    responses((status = 204, description = "The user is gone"), Problems))]
async fn delete_user(caller: Caller, Path(user): Path<String>, expected: Expected) -> Result<StatusCode, Problem> {
    let is_expected = |now: Option<&row::User>| expected.is(|| now.map(User::from));
    caller.once(|engine| async move { engine.people().remove_user_if(user, is_expected).await }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The ids of the groups that a user is in
#[utoipa::path(get, path = "/users/{user}/groups", tag = "people", operation_id = "getGroupsOfUser",
    params(("user" = String, Path, description = "The user's id")),
    responses((status = 200, body = Vec<String>, description = "The ids"), Problems))]
async fn groups_of_user(caller: Caller, Path(user): Path<String>) -> Result<Json<Vec<String>>, Problem> {
    let groups = caller.engine.people().groups_of(user).await?;
    Ok(Json(groups.iter().map(ToString::to_string).collect()))
}

/// People who may claim the same tasks.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Group {
    id: String,
    /// For people.
    name: Option<String>,
}

impl From<&row::Group> for Group {
    fn from(row: &row::Group) -> Self {
        Self { id: row.id.to_string(), name: text(row.name.as_ref()) }
    }
}

/// What is known of a group.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct GroupData {
    /// For people.
    name: Option<String>,
}

/// Which groups. All that is given must hold.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct GroupFilter {
    #[serde(deserialize_with = "search::some")]
    #[schema(min_items = 1)]
    ids: Vec<String>,
    /// That this user is in.
    member: Option<String>,
    /// In this tenant.
    tenant: Option<String>,
}

/// Searches groups
#[utoipa::path(post, path = "/groups/search", tag = "people", operation_id = "searchGroups",
    responses((status = 200, body = Found<Group>, description = "A page of them"), Problems))]
async fn search_groups(
    caller: Caller,
    Json(search): Json<Search<GroupFilter, ById>>,
) -> Result<Json<Found<Group>>, Problem> {
    let search = search.without_variables()?;
    let page = search.paging()?;
    let filter = search.filter.unwrap_or_default();
    let query = GroupQuery {
        ids: names(filter.ids),
        member: filter.member.map(Into::into),
        tenant: filter.tenant.map(Into::into),
        page,
    };
    Ok(Json(find(&caller.engine, &query, search.count_only, |row| Group::from(&row)).await?))
}

/// A group
///
/// Its `ETag` stands for what can be changed of it.
#[utoipa::path(get, path = "/groups/{group}", tag = "people", operation_id = "getGroup",
    params(("group" = String, Path, description = "The group's id")),
    responses((status = 200, body = Group, description = "The group", headers(("etag" = String))), Problems))]
async fn get_group(caller: Caller, Path(group): Path<String>) -> Result<Tagged<Group>, Problem> {
    let found = caller.engine.people().group(group.as_str()).await?;
    Ok(Tagged(Group::from(&found.ok_or_else(|| unknown("group-unknown", "group", &group))?)))
}

/// Creates a group, or changes the one with that id
///
/// With `If-Match`, only if there is one, as its caller has seen it.
#[utoipa::path(put, path = "/groups/{group}", tag = "people", operation_id = "putGroup",
    params(("group" = String, Path, description = "The group's id"), Expected),
    responses((status = 204, description = "The group is there"), Problems))]
async fn put_group(
    caller: Caller,
    Path(group): Path<String>,
    expected: Expected,
    Json(data): Json<GroupData>,
) -> Result<StatusCode, Problem> {
    let is_expected = |now: Option<&row::Group>| expected.is(|| now.map(Group::from));
    let name = data.name.map(Name::from);
    let change = |group: &mut row::Group| group.name.clone_from(&name);
    caller.once(|engine| async move { engine.people().update_group_if(group, is_expected, change).await }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Removes a group with all memberships
///
/// Tasks keep it as a candidate. With `If-Match`, only if it is as its caller has seen it.
#[utoipa::path(delete, path = "/groups/{group}", tag = "people", operation_id = "deleteGroup",
    params(("group" = String, Path, description = "The group's id"), Expected),
    responses((status = 204, description = "The group is gone"), Problems))]
async fn delete_group(caller: Caller, Path(group): Path<String>, expected: Expected) -> Result<StatusCode, Problem> {
    let is_expected = |now: Option<&row::Group>| expected.is(|| now.map(Group::from));
    caller.once(|engine| async move { engine.people().remove_group_if(group, is_expected).await }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The ids of the users in a group
#[utoipa::path(get, path = "/groups/{group}/members", tag = "people", operation_id = "getMembers",
    params(("group" = String, Path, description = "The group's id")),
    responses((status = 200, body = Vec<String>, description = "The ids"), Problems))]
async fn members(caller: Caller, Path(group): Path<String>) -> Result<Json<Vec<String>>, Problem> {
    let members = caller.engine.people().members_of(group).await?;
    Ok(Json(members.iter().map(ToString::to_string).collect()))
}

/// Takes a user into a group
#[utoipa::path(put, path = "/groups/{group}/members/{user}", tag = "people", operation_id = "addMember",
    params(("group" = String, Path), ("user" = String, Path)),
    responses((status = 204, description = "The user is in it"), Problems))]
async fn add_member(caller: Caller, Path((group, user)): Path<(String, String)>) -> Result<StatusCode, Problem> {
    caller.once(|engine| async move { engine.people().add_member(group, user).await }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Takes a user out of a group
#[utoipa::path(delete, path = "/groups/{group}/members/{user}", tag = "people", operation_id = "removeMember",
    params(("group" = String, Path), ("user" = String, Path)),
    responses((status = 204, description = "The user is not in it"), Problems))]
async fn remove_member(caller: Caller, Path((group, user)): Path<(String, String)>) -> Result<StatusCode, Problem> {
    caller.once(|engine| async move { engine.people().remove_member(group, user).await }).await?;
    Ok(StatusCode::NO_CONTENT)
}
