//! Which pages may talk to this server: those that it serves itself, and those whose origins it is told of. Programs say nothing of pages.

use std::time::Duration;

use axum::extract::Request;
use axum::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use axum::http::{Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use tower_http::cors::{AllowOrigin, CorsLayer};

use crate::App;
use crate::caller::TENANT;
use crate::once::KEY;
use crate::problem::Problem;
use crate::session::CSRF;

/// What browsers say of who asks (Fetch Metadata Request Headers §2).
const DEST: HeaderName = HeaderName::from_static("sec-fetch-dest");
const MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");
const SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// A page elsewhere makes its reader's browser send requests here, too, with the password or session that it remembers: its `Origin` gives
/// it away. With a name that is made to point to this machine (DNS rebinding) it would even be of the same origin: then its `Host` is
/// another's.
pub(crate) async fn guard<F: Future<Output = Response>>(
    app: &App,
    request: Request,
    next: impl FnOnce(Request) -> F,
) -> Response {
    let policy = &app.policy;
    if let Err(problem) = check(&policy.hosts, &policy.origins, request.uri(), request.headers(), request.method()) {
        return problem.into_response();
    }
    let is_script = request.headers().get(DEST).is_some_and(|dest| dest == "empty");
    let mut response = next(request).await;
    if is_script && response.status() == StatusCode::UNAUTHORIZED {
        // A browser would ask for a password itself, over the page that has a form for it.
        response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"Potok\""));
    }
    response
}

/// Tells browsers which pages of other origins may read what is answered: none, unless there are some.
pub(crate) fn cors(origins: &[String]) -> CorsLayer {
    let origins = origins.iter().filter_map(|origin| HeaderValue::from_str(origin).ok());
    let names = |names: &[&'static str]| -> Vec<HeaderName> {
        names.iter().map(|name| HeaderName::from_static(name)).collect()
    };
    CorsLayer::new()
        .allow_origin(AllowOrigin::list(origins))
        .allow_credentials(true)
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE])
        .allow_headers(
            [header::AUTHORIZATION, header::CONTENT_TYPE, header::IF_MATCH, KEY, TENANT]
                .into_iter()
                .chain(names(&["last-event-id", "traceparent", "tracestate", "x-request-id", CSRF]))
                .collect::<Vec<_>>(),
        )
        .expose_headers(names(&["content-disposition", "etag", "location", "retry-after", "x-request-id"]))
        .max_age(Duration::from_secs(600))
}

fn check(hosts: &[String], origins: &[String], uri: &Uri, headers: &HeaderMap, method: &Method) -> Result<(), Problem> {
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
        if origins.iter().any(|known| known == origin) {
            return Ok(());
        }
        let authority = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
        if !authority.is_some_and(is_ours) {
            return refused("origin-refused", "pages of other origins may not use this server");
        }
    }
    // Browsers say themselves whether a page of another site asks; a link that somebody follows may only read.
    let site = headers.get(SITE).map(|value| value.to_str().unwrap_or_default());
    let is_link = headers.get(MODE).is_some_and(|mode| mode == "navigate") && method == Method::GET;
    match site {
        None | Some("same-origin" | "none") => Ok(()),
        Some(_) if is_link => Ok(()),
        Some(_) => refused("origin-refused", "pages of other origins may not use this server"),
    }
}
