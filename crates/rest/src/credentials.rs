//! `/tokens`, `/users/{user}/password`, `/users/{user}/sessions`: what people and programs sign in by, as administrators see to it.

use std::sync::OnceLock;

use axum::http::StatusCode;
use jiff::Timestamp;
use potok::ApiTokenId;
use potok::query::ApiTokenQuery;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::body::{Json, Path};
use crate::caller::Caller;
use crate::problem::{Problem, Problems};
use crate::roles::Role;
use crate::routes::{Routes, routes};
use crate::search::{self, ByAge, Found, Search};
use crate::value::{Id, names, text};

pub(crate) fn routes() -> Routes {
    Routes::new()
        .routes(routes!(create))
        .routes(routes!(search))
        .routes(routes!(revoke))
        .routes(routes!(set_password, remove_password))
        .routes(routes!(end_sessions))
}

/// What a program is to sign in by.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewToken {
    /// As whom.
    user: String,
    /// What it is for.
    name: String,
    /// With no more than these roles, and only as far as its user has them; with all of the user's unless some are given.
    #[serde(default)]
    roles: Vec<Role>,
    /// Keeps to that tenant.
    #[serde(default)]
    tenant: Option<String>,
    /// Ends by itself then.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    expires: Option<Timestamp>,
}

/// A token that has been made.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct CreatedToken {
    id: Id,
    /// What is sent as `Authorization: Bearer`. It is kept nowhere: null if the call was repeated under its `Idempotency-Key`.
    secret: Option<String>,
}

/// Makes a token by which a program signs in
///
/// Users make tokens for themselves, though not with a token; for others it takes an administrator.
#[utoipa::path(post, path = "/tokens", tag = "people", operation_id = "createToken",
    responses((status = 201, body = CreatedToken, description = "It is good"), Problems))]
async fn create(caller: Caller, Json(body): Json<NewToken>) -> Result<(StatusCode, Json<CreatedToken>), Problem> {
    let made = OnceLock::new();
    let create = |engine: potok::Engine| {
        let made = &made;
        async move {
            let mut new = engine.people().new_token(body.user, body.name);
            for role in body.roles {
                new = new.role(role.into());
            }
            if let Some(tenant) = body.tenant {
                new = new.tenant(tenant);
            }
            if let Some(expires) = body.expires {
                new = new.expires(expires);
            }
            let (token, secret) = new.send().await?;
            // Not into the answer that is kept for whoever asks again.
            let _ = made.set(secret.reveal().to_owned());
            Ok(token.id())
        }
    };
    let id: ApiTokenId = caller.once(create).await?;
    Ok((StatusCode::CREATED, Json(CreatedToken { id: id.into(), secret: made.into_inner() })))
}

/// What a program signs in by, without its secret.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct ApiToken {
    id: Id,
    /// As whom.
    user: String,
    /// What it is for.
    name: String,
    /// The roles that it keeps to; null if it has all of its user's.
    roles: Option<Vec<Role>>,
    /// The tenant that it keeps to.
    tenant: Option<String>,
    /// Who made it.
    author: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    created: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    expires: Option<Timestamp>,
    /// When it was used last, within ten minutes.
    #[schema(value_type = Option<String>, format = DateTime)]
    used: Option<Timestamp>,
}

impl From<&potok::ApiToken> for ApiToken {
    fn from(token: &potok::ApiToken) -> Self {
        Self {
            id: token.id().into(),
            user: token.member.to_string(),
            name: token.name.to_string(),
            roles: token.scope().map(|roles| roles.into_iter().map(Into::into).collect()),
            tenant: text(token.tenant.as_ref()),
            author: text(token.author.as_ref()),
            created: token.created,
            expires: token.expires,
            used: token.used,
        }
    }
}

/// Which tokens. All that is given must hold.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct TokenFilter {
    #[serde(deserialize_with = "search::some")]
    #[schema(min_items = 1)]
    ids: Vec<Id>,
    /// Of one of these users; who is no administrator names themselves.
    #[serde(deserialize_with = "search::some")]
    #[schema(min_items = 1)]
    users: Vec<String>,
}

/// Searches tokens
#[utoipa::path(post, path = "/tokens/search", tag = "people", operation_id = "searchTokens",
    responses((status = 200, body = Found<ApiToken>, description = "A page of them"), Problems))]
async fn search(
    caller: Caller,
    Json(search): Json<Search<TokenFilter, ByAge>>,
) -> Result<Json<Found<ApiToken>>, Problem> {
    let search = search.without_variables()?;
    let page = search.paging()?;
    let filter = search.filter.unwrap_or_default();
    let keys = filter.ids.into_iter().map(Id::key).collect();
    let query = ApiTokenQuery { keys, members: names(filter.users), ..ApiTokenQuery::default() };
    if search.count_only {
        let all = caller.engine.people().tokens(&query).await?;
        return Ok(Json(Found::count(all.rows.len() as u64)));
    }
    let page = caller.engine.people().tokens(&ApiTokenQuery { page, ..query }).await?;
    Ok(Json(Found::page(page, |row| ApiToken::from(&row))))
}

/// Revokes a token
///
/// Nobody signs in by it any more: on this node at once, on others within five seconds.
#[utoipa::path(delete, path = "/tokens/{id}", tag = "people", operation_id = "revokeToken",
    params(("id" = Id, Path, description = "Its id")),
    responses((status = 204, description = "It is gone"), Problems))]
async fn revoke(caller: Caller, Path(id): Path<Id>) -> Result<StatusCode, Problem> {
    caller.once(|engine| async move { engine.people().revoke_token(id.into()).await }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Password {
    /// At least 8 characters, at most 1,024 bytes.
    password: String,
}

/// Sets a user's password, which ends the user's sessions
#[utoipa::path(put, path = "/users/{user}/password", tag = "people", operation_id = "setPassword",
    params(("user" = String, Path, description = "The user's id")),
    responses((status = 204, description = "It is good, and only that"), Problems))]
async fn set_password(
    caller: Caller,
    Path(user): Path<String>,
    Json(body): Json<Password>,
) -> Result<StatusCode, Problem> {
    // To set it twice is to set it once; and nothing by which it could be guessed is kept.
    caller.engine.people().set_password(user, &body.password).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Takes a user's password away, and ends the user's sessions
///
/// Tokens go on being good.
#[utoipa::path(delete, path = "/users/{user}/password", tag = "people", operation_id = "removePassword",
    params(("user" = String, Path, description = "The user's id")),
    responses((status = 204, description = "The user has none"), Problems))]
async fn remove_password(caller: Caller, Path(user): Path<String>) -> Result<StatusCode, Problem> {
    caller.once(|engine| async move { engine.people().remove_password(user).await }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Ends all sessions of a user
#[utoipa::path(delete, path = "/users/{user}/sessions", tag = "people", operation_id = "endSessions",
    params(("user" = String, Path, description = "The user's id")),
    responses((status = 204, description = "The user signs in anew"), Problems))]
async fn end_sessions(caller: Caller, Path(user): Path<String>) -> Result<StatusCode, Problem> {
    caller.once(|engine| async move { engine.people().end_sessions(user).await }).await?;
    Ok(StatusCode::NO_CONTENT)
}
