//! Who calls: the one place that turns a request into an engine that acts for its caller.

use axum::extract::{FromRequestParts, Request, State};
use axum::http::header::{self, HeaderMap};
use axum::http::request::Parts;
use axum::http::{Method, StatusCode, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use potok::Engine;

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
        Ok(Self { engine: app.engine.clone(), once: parts.extensions.get().cloned() })
    }
}

/// Who may talk to this server without having signed in: programs on the same machine, and the pages that the server itself
/// serves.
///
/// A page elsewhere makes its reader's browser send requests to `localhost`, too: its `Origin` gives it away. With a name that is
/// made to point to this machine (DNS rebinding) it would even be of the same origin: then its `Host` is another's.
pub(crate) async fn guard(State(app): State<App>, request: Request, next: Next) -> Response {
    match check(&app.hosts, request.uri(), request.headers(), request.method()) {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    }
}

fn check(hosts: &[String], uri: &Uri, headers: &HeaderMap, method: &Method) -> Result<(), Problem> {
    let is_ours = |authority: &str| hosts.iter().any(|host| host.eq_ignore_ascii_case(authority));
    let text = |name: header::HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    let refused = |code, detail: &str| Err(Problem::new(StatusCode::FORBIDDEN, code, detail));
    let mut named = headers.get_all(header::HOST).iter();
    let host = match (uri.authority(), named.next(), named.next()) {
        (_, _, Some(_)) => None,
        (Some(authority), _, None) => Some(authority.as_str()),
        (None, host, None) => host.and_then(|host| host.to_str().ok()),
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
