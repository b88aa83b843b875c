//! Who calls: the one place that turns a request into an engine that acts for its caller.

use axum::extract::{FromRequestParts, Request, State};
use axum::http::header::{self, HeaderMap};
use axum::http::request::Parts;
use axum::http::{Method, StatusCode, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use potok::{Engine, Error};

use crate::App;
use crate::once::Once;
use crate::problem::Problem;

/// The engine as its caller may use it.
pub(crate) struct Caller {
    pub(crate) engine: Engine,
    /// What the caller wants to be done once, however often it is sent.
    pub(crate) once: Option<Once>,
}

impl FromRequestParts<App> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        Ok(Self { engine: acting(app, &parts.headers).await?, once: parts.extensions.get().cloned() })
    }
}

/// The engine that acts for whoever has sent these headers: HTTP Basic with a user's password, or an API token. What is asked as
/// nobody, whoever works on the machine may do as long as there are no users.
pub(crate) async fn acting(app: &App, headers: &HeaderMap) -> Result<Engine, Problem> {
    let mut given = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(given), None) = (given.next(), given.next()) else {
        let is_open = app.is_open && !headers.contains_key(header::AUTHORIZATION);
        if is_open && !app.engine.people().has_users().await? {
            return Ok(app.engine.clone());
        }
        return Err(Error::NotAuthenticated.into());
    };
    let Some((scheme, secret)) = given.to_str().ok().and_then(|given| given.trim().split_once(' ')) else {
        return Err(Error::NotAuthenticated.into());
    };
    let secret = secret.trim();
    if scheme.eq_ignore_ascii_case("bearer") {
        return Ok(app.engine.with_token(secret).await?);
    }
    if scheme.eq_ignore_ascii_case("basic")
        && let Ok(pair) = STANDARD.decode(secret)
        && let Some((user, password)) = std::str::from_utf8(&pair).ok().and_then(|pair| pair.split_once(':'))
    {
        return Ok(app.engine.with_password(user, password).await?);
    }
    Err(Error::NotAuthenticated.into())
}

/// Lets in whoever signs in, and puts the engine that acts for them to the request. Where nobody need sign in it does not matter how somebody
/// tries to: some programs for other engines cannot but send a user.
pub(crate) async fn sign_in(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let acting = match acting(&app, request.headers()).await {
        Err(_) if app.is_open && app.engine.people().has_users().await.is_ok_and(|has_users| !has_users) => {
            Ok(app.engine.clone())
        }
        acting => acting,
    };
    match acting {
        Ok(engine) => {
            request.extensions_mut().insert(engine);
            next.run(request).await
        }
        Err(problem) => problem.into_response(),
    }
}

/// Which pages may talk to this server: those that the server itself serves. Programs say nothing of pages.
///
/// A page elsewhere makes its reader's browser send requests here, too, with the password that it remembers: its `Origin` gives it away. With a name that is
/// made to point to this machine (DNS rebinding) it would even be of the same origin: then its `Host` is another's.
pub(crate) async fn guard(State(app): State<App>, request: Request, next: Next) -> Response {
    match check(&app.hosts, request.uri(), request.headers(), request.method()) {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    }
}

fn check(hosts: &[String], uri: &Uri, headers: &HeaderMap, method: &Method) -> Result<(), Problem> {
    let text = |name: header::HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    let refused = |code, detail: &str| Err(Problem::new(StatusCode::FORBIDDEN, code, detail));
    let mut named = headers.get_all(header::HOST).iter();
    let host = match (uri.authority(), named.next(), named.next()) {
        (_, _, Some(_)) => None,
        (Some(authority), _, None) => Some(authority.as_str()),
        (None, host, None) => host.and_then(|host| host.to_str().ok()),
    };
    // A server under any name is its own origin under the one that it is asked by.
    let is_ours = |authority: &str| match hosts {
        [] => host.is_some_and(|host| host.eq_ignore_ascii_case(authority)),
        hosts => hosts.iter().any(|host| host.eq_ignore_ascii_case(authority)),
    };
    if !host.is_some_and(is_ours) {
        return refused("host-refused", "this server answers only to the names of the machine that it runs on");
    }
    if let Some(origin) = text(header::ORIGIN) {
        let authority = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
        if !authority.is_some_and(is_ours) {
            return refused("origin-refused", "pages of other origins may not use this server");
        }
    }
    // Browsers say themselves whether a page of another site asks; a link that somebody follows may only read.
    let site = headers.get("sec-fetch-site").map(|value| value.to_str().unwrap_or_default());
    let is_link = headers.get("sec-fetch-mode").is_some_and(|mode| mode == "navigate") && method == Method::GET;
    match site {
        None | Some("same-origin" | "none") => Ok(()),
        Some(_) if is_link => Ok(()),
        Some(_) => refused("origin-refused", "pages of other origins may not use this server"),
    }
}
