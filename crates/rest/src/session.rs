//! `/session`: people sign in, are known again by a cookie, and sign out.
//!
//! The cookie is sent by the browser whichever page asks, so that what changes something also takes a token that only the server's own
//! pages can read: it follows from the session's secret, so that each node knows it without keeping it.

use axum::extract::State;
use axum::http::header::{self, HeaderMap, HeaderValue};
use axum::http::request::Parts;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use potok::{Engine, Role, Secret};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

use crate::App;
use crate::body::Json;
use crate::caller::{Caller, Credentials};
use crate::problem::{Problem, Problems};
use crate::routes::{Routes, routes};
use crate::value::text;

/// The header that brings the token back.
pub(crate) const CSRF: &str = "x-csrf-token";

/// The cookie. Under TLS it has a prefix by which browsers take it from no other host and no plain connection (RFC 6265bis §4.1.3.2).
const PLAIN: &str = "potok-session";
const SECURE: &str = "__Host-potok-session";

/// Seconds for which browsers keep it: as long as a session can last.
const LONGEST: u32 = 7 * 24 * 60 * 60;

pub(crate) fn routes() -> Routes {
    Routes::new().routes(routes!(sign_in, who, sign_out)).routes(routes!(change_password))
}

/// Who signs in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SignIn {
    /// The user's id.
    user: String,
    password: String,
}

/// An old password, and a new one.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct NewPassword {
    /// The one that is good now.
    old: String,
    /// At least 8 characters.
    new: String,
}

/// Who calls, and what they may.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Session {
    /// The user's id; null where nobody needs to sign in.
    user: Option<String>,
    /// For people.
    name: Option<String>,
    /// The groups that the user is in.
    groups: Vec<String>,
    /// The roles that come of them, as far as the caller's token has them.
    #[schema(value_type = Vec<String>)]
    roles: Vec<Role>,
    /// The tenants that the caller reaches; null if all.
    tenants: Option<Vec<String>>,
    /// To be sent as `X-CSRF-Token` with each call that changes something; null unless the caller has signed in by a session.
    csrf_token: Option<String>,
}

impl Session {
    async fn of(engine: &Engine, secret: Option<&str>) -> Result<Self, Problem> {
        let who = engine.whoami().await?;
        let known = match &who.user {
            Some(user) => engine.people().user(user.clone()).await?,
            None => None,
        };
        let names = |names: Vec<potok::Name>| names.iter().map(ToString::to_string).collect::<Vec<_>>();
        Ok(Self {
            user: text(who.user.as_ref()),
            name: known.and_then(|user| text(user.name.as_ref())),
            groups: names(who.groups),
            roles: who.roles,
            tenants: who.tenants.map(names),
            csrf_token: secret.map(csrf),
        })
    }
}

/// Signs in: begins a session
///
/// The answer sets a cookie that scripts cannot read. The session ends when it has not been used for twelve hours, after seven days, when
/// somebody signs out, and with the password. Who has given wrong passwords several times has to wait.
#[utoipa::path(post, path = "/session", tag = "people", operation_id = "signIn", security(()),
    responses((status = 200, body = Session, description = "Who has signed in"), Problems))]
async fn sign_in(State(app): State<App>, parts: Parts, Json(given): Json<SignIn>) -> Result<Response, Problem> {
    let credentials = Credentials::of(&app, &parts)?;
    credentials.count(&app, None)?;
    let signed_in = credentials.outside(&app).sign_in(given.user, &given.password).await?;
    if let Some((_, before)) = secret(&parts.headers) {
        // The browser forgets it now.
        signed_in.engine.sign_out(before).await?;
    }
    let session = Session::of(&signed_in.engine, Some(signed_in.secret.reveal())).await?;
    Ok(([(header::SET_COOKIE, begun(&app, &parts.headers, &signed_in.secret)?)], Json(session)).into_response())
}

/// Who calls, and what they may
#[utoipa::path(get, path = "/session", tag = "people", operation_id = "getSession",
    responses((status = 200, body = Session, description = "The caller"), Problems))]
async fn who(caller: Caller) -> Result<Json<Session>, Problem> {
    Ok(Json(Session::of(&caller.engine, caller.credentials.session()).await?))
}

/// Signs out: ends the session
#[utoipa::path(delete, path = "/session", tag = "people", operation_id = "signOut",
    responses((status = 204, description = "The session has ended"), Problems))]
async fn sign_out(caller: Caller, headers: HeaderMap) -> Result<Response, Problem> {
    let Some(secret) = caller.credentials.session() else {
        let detail = "the caller has not signed in by a session, but by what is sent with each request";
        return Err(Problem::new(StatusCode::CONFLICT, "session-missing", detail));
    };
    caller.engine.sign_out(secret).await?;
    let mut response = StatusCode::NO_CONTENT.into_response();
    if let Some((cookie, _)) = self::secret(&headers) {
        response.headers_mut().insert(header::SET_COOKIE, ended(cookie));
    }
    Ok(response)
}

/// Changes one's own password, which ends one's other sessions
#[utoipa::path(put, path = "/session/password", tag = "people", operation_id = "changePassword",
    responses((status = 200, body = Session, description = "The new one is good, and only that"), Problems))]
async fn change_password(
    caller: Caller,
    State(app): State<App>,
    headers: HeaderMap,
    Json(given): Json<NewPassword>,
) -> Result<Response, Problem> {
    let Some(user) = caller.engine.user().cloned() else {
        let detail = "nobody has signed in, so that there is no password to change";
        return Err(Problem::new(StatusCode::CONFLICT, "session-missing", detail));
    };
    let engine = caller.credentials.outside(&app);
    engine.change_password(user.clone(), &given.old, &given.new).await?;
    if caller.credentials.session().is_none() {
        return Ok(Json(Session::of(&caller.engine, None).await?).into_response());
    }
    // Whoever changes it stays signed in, under a secret that is new, too.
    let signed_in = engine.sign_in(user, &given.new).await?;
    let session = Session::of(&signed_in.engine, Some(signed_in.secret.reveal())).await?;
    Ok(([(header::SET_COOKIE, begun(&app, &headers, &signed_in.secret)?)], Json(session)).into_response())
}

/// The secret in the cookie, with the cookie's name.
pub(crate) fn secret(headers: &HeaderMap) -> Option<(&'static str, &str)> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    let cookies: Vec<_> =
        lines.flat_map(|line| line.split(';')).filter_map(|cookie| cookie.trim().split_once('=')).collect();
    [SECURE, PLAIN].into_iter().find_map(|name| {
        let (_, secret) = cookies.iter().find(|(known, _)| *known == name)?;
        Some((name, *secret))
    })
}

/// The token that shows that a page of ours asks. It says nothing about the secret that it follows from.
pub(crate) fn csrf(secret: &str) -> String {
    let mut hash = Sha256::new();
    hash.update("potok csrf ");
    hash.update(secret);
    URL_SAFE_NO_PAD.encode(hash.finalize())
}

/// The cookie of a session that has begun. That a page has come by TLS its browser says, also where a proxy ends it.
fn begun(app: &App, headers: &HeaderMap, secret: &Secret) -> Result<HeaderValue, Problem> {
    let origin = headers.get(header::ORIGIN).and_then(|origin| origin.to_str().ok()?.parse::<Uri>().ok());
    let is_secure = app.policy.is_secure || origin.is_some_and(|origin| origin.scheme_str() == Some("https"));
    let (name, secure) = if is_secure { (SECURE, "; Secure") } else { (PLAIN, "") };
    let secret = secret.reveal();
    let cookie = format!("{name}={secret}; Path=/; Max-Age={LONGEST}; HttpOnly; SameSite=Lax{secure}");
    let mut cookie = HeaderValue::from_str(&cookie).map_err(|error| Problem::internal("cookie-unwritable", &error))?;
    cookie.set_sensitive(true);
    Ok(cookie)
}

/// What makes a browser forget the cookie.
pub(crate) fn ended(cookie: &str) -> HeaderValue {
    HeaderValue::from_static(match cookie {
        SECURE => "__Host-potok-session=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax; Secure",
        _ => "potok-session=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax",
    })
}
