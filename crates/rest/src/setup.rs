//! `/setup`: the first administrator of a server that others can reach, made by whoever has the token that it has shown.

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::request::Parts;
use potok::query::{Paging, UserQuery};
use potok::{Error, Secret};
use serde::Deserialize;
use subtle::ConstantTimeEq as _;
use tokio::sync::Mutex;
use utoipa::ToSchema;

use crate::App;
use crate::body::Json;
use crate::caller::Credentials;
use crate::problem::{Problem, Problems};
use crate::routes::{Routes, routes};

pub(crate) fn routes() -> Routes {
    Routes::new().routes(routes!(set_up))
}

/// A token by which the first administrator is made through the API: good once, and only as long as there is no user. It is kept nowhere,
/// and ends with the server.
#[derive(Debug)]
pub struct Setup {
    token: Secret,
    is_over: Mutex<bool>,
}

impl Setup {
    /// With a new token.
    ///
    /// # Errors
    /// If the operating system gives no random numbers.
    pub fn new() -> Result<Self, Error> {
        Ok(Self { token: Secret::new()?, is_over: Mutex::new(false) })
    }

    /// The token, to be shown to whoever looks after the server.
    #[must_use]
    pub fn token(&self) -> &Secret {
        &self.token
    }
}

/// Who administers from now on.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct FirstAdministrator {
    /// What the server has shown when it started.
    token: String,
    /// The name to sign in with.
    #[schema(min_length = 1)]
    user: String,
    /// Eight characters at least.
    #[schema(min_length = 8)]
    password: String,
}

/// Makes the first administrator, with the token that the server has shown
///
/// Only a server that others can reach has one, if it was told so and nobody could sign in when it started; and it is good once.
#[utoipa::path(post, path = "/setup", tag = "people", operation_id = "setUp", security(()),
    responses((status = 204, description = "The user can sign in, and may everything"), Problems))]
async fn set_up(
    State(app): State<App>,
    parts: Parts,
    Json(given): Json<FirstAdministrator>,
) -> Result<StatusCode, Problem> {
    Credentials::of(&app, &parts)?.count(&app, None)?;
    let over = || {
        let detail = "there is nothing to set up: somebody can sign in already, or nobody need";
        Problem::new(StatusCode::CONFLICT, "setup-over", detail)
    };
    let setup = app.setup.as_ref().ok_or_else(over)?;
    // One after the other, so that it is good once.
    let mut is_over = setup.is_over.lock().await;
    if *is_over {
        return Err(over());
    }
    if !bool::from(given.token.as_bytes().ct_eq(setup.token.reveal().as_bytes())) {
        return Err(Error::NotAuthenticated.into());
    }
    if given.user.trim().is_empty() {
        return Err(Problem::malformed("body-invalid", "`user`: a user has a name"));
    }
    let people = app.engine.people();
    // As it is now: another node, or whoever has the database, may have made one.
    let one = UserQuery { page: Paging { limit: Some(1), ..Paging::default() }, ..UserQuery::default() };
    if people.users(&one).await?.rows.is_empty() {
        people.add_administrator(given.user, &given.password).await?;
        *is_over = true;
        Ok(StatusCode::NO_CONTENT)
    } else {
        *is_over = true;
        Err(over())
    }
}
