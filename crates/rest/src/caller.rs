//! Who calls: the one place that turns a request into an engine that acts for its caller.

use std::time::Duration;

use axum::extract::{FromRequestParts, Request, State};
use axum::http::header::{self, HeaderMap, HeaderName};
use axum::http::request::Parts;
use axum::http::{Extensions, Method, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode;
use potok::{Engine, Error, Name};
use subtle::ConstantTimeEq as _;

use crate::App;
use crate::limit::Counted;
use crate::oidc;
use crate::once::Once;
use crate::problem::Problem;
use crate::session::{self, CSRF};
use crate::trace::Part;

/// The tenant that a caller who is in several acts in.
pub(crate) const TENANT: HeaderName = HeaderName::from_static("potok-tenant");

/// The engine as its caller may use it.
pub(crate) struct Caller {
    pub(crate) engine: Engine,
    pub(crate) credentials: Credentials,
    /// What the caller wants to be done once, however often it is sent.
    pub(crate) once: Option<Once>,
}

impl FromRequestParts<App> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let (engine, credentials) = admit(app, parts).await?;
        let engine = traced(engine, &parts.extensions);
        Ok(Self { engine, credentials, once: parts.extensions.get().cloned() })
    }
}

/// What a caller gives to be known by, and in which tenant they act. It is not shown: secrets are in it.
#[derive(Clone)]
pub(crate) struct Credentials {
    given: Given,
    tenant: Option<Name>,
    source: Option<Name>,
}

#[derive(Clone)]
enum Given {
    /// Nothing: whoever works on the machine, as long as there are no users.
    Nothing,
    /// HTTP Basic.
    Password { user: Name, password: String },
    /// `Authorization: Bearer`: an API token, or what an issuer has signed.
    Token(String),
    /// The secret in the cookie of that name.
    Session { cookie: &'static str, secret: String },
    /// Nothing that makes sense.
    Unreadable,
}

impl Credentials {
    pub(crate) fn of(app: &App, parts: &Parts) -> Result<Self, Problem> {
        let given = match (authorization(&parts.headers), session::secret(&parts.headers)) {
            (Given::Nothing, Some((cookie, secret))) => Given::Session { cookie, secret: secret.to_owned() },
            (given, _) => given,
        };
        Ok(Self { given, tenant: tenant(&parts.headers)?, source: app.policy.source(parts) })
    }

    /// The secret of the session, if that is how they are known.
    pub(crate) fn session(&self) -> Option<&str> {
        match &self.given {
            Given::Session { secret, .. } => Some(secret),
            _ => None,
        }
    }

    /// The engine for whoever has not signed in yet.
    pub(crate) fn outside(&self, app: &App) -> Engine {
        let engine = match &self.tenant {
            Some(tenant) => app.engine.as_tenant(tenant.clone()),
            None => app.engine.clone(),
        };
        match &self.source {
            Some(source) => engine.called_from(source.clone()),
            None => engine,
        }
    }

    /// The engine that acts for whoever has given these.
    pub(crate) async fn engine(&self, app: &App) -> Result<Engine, Problem> {
        let engine = self.outside(app);
        match &self.given {
            Given::Nothing if app.policy.is_open && !app.engine.people().has_users().await? => Ok(engine),
            Given::Nothing | Given::Unreadable => Err(Error::NotAuthenticated.into()),
            Given::Password { user, password } => Ok(engine.with_password(user.clone(), password).await?),
            Given::Token(token) => match &app.policy.issuer {
                Some(issuer) if oidc::is_jwt(token) => {
                    Ok(engine.with_identity(issuer.identity(token, app.engine.clock().now()).await?))
                }
                _ => Ok(engine.with_token(token).await?),
            },
            Given::Session { cookie, secret } => match engine.with_session(secret).await {
                // A browser would send it with each request as long as it has it, also where nobody needs to sign in.
                Err(Error::NotAuthenticated) => Err(Problem::from(Error::NotAuthenticated).forgetting(cookie)),
                signed_in => Ok(signed_in?),
            },
        }
    }

    /// Counts a call of whoever gave these.
    pub(crate) fn count(&self, app: &App, engine: Option<&Engine>) -> Result<(), Problem> {
        let Some(limiter) = &app.policy.limiter else { return Ok(()) };
        let caller = match engine.and_then(|engine| Some((engine.user()?.clone(), engine.token_name().cloned()))) {
            Some((user, token)) => Counted::User(user, token),
            None => Counted::Source(self.source.clone()),
        };
        limiter.count(&caller).map_err(|wait| {
            let allowed = limiter.allowed();
            let wait = wait.max(Duration::from_secs(1));
            let detail = format!("this caller has {allowed}; wait {} seconds, and ask less often", wait.as_secs());
            Problem::new(StatusCode::TOO_MANY_REQUESTS, "calls-too-many", detail).after(wait)
        })
    }
}

/// Lets a request in, or says why not. What its body says has not been read then.
pub(crate) async fn admit(app: &App, parts: &Parts) -> Result<(Engine, Credentials), Problem> {
    let credentials = Credentials::of(app, parts)?;
    let engine = match credentials.engine(app).await {
        Ok(engine) => engine,
        Err(problem) => {
            credentials.count(app, None)?;
            return Err(problem);
        }
    };
    // Whatever page makes a browser send its cookies, only one of ours can have read the token.
    if let Some(secret) = credentials.session()
        && !matches!(parts.method, Method::GET | Method::HEAD | Method::OPTIONS)
    {
        let given = parts.headers.get(CSRF).map_or(&[][..], |token| token.as_bytes());
        if !bool::from(given.ct_eq(session::csrf(secret).as_bytes())) {
            let detail =
                "whoever is signed in by a session sends its `csrfToken` (see GET /api/v1/session) as `X-CSRF-Token`";
            return Err(Problem::new(StatusCode::FORBIDDEN, "csrf-token-wrong", detail));
        }
    }
    credentials.count(app, Some(&engine))?;
    Ok((engine, credentials))
}

/// What stands in `Authorization`.
fn authorization(headers: &HeaderMap) -> Given {
    let mut given = headers.get_all(header::AUTHORIZATION).iter();
    let given = match (given.next(), given.next()) {
        (None, _) => return Given::Nothing,
        (Some(given), None) => given,
        (Some(_), Some(_)) => return Given::Unreadable,
    };
    let Some((scheme, secret)) = given.to_str().ok().and_then(|given| given.trim().split_once(' ')) else {
        return Given::Unreadable;
    };
    let secret = secret.trim();
    if scheme.eq_ignore_ascii_case("bearer") {
        return Given::Token(secret.to_owned());
    }
    if scheme.eq_ignore_ascii_case("basic")
        && let Ok(pair) = STANDARD.decode(secret)
        && let Some((user, password)) = std::str::from_utf8(&pair).ok().and_then(|pair| pair.split_once(':'))
    {
        return Given::Password { user: user.into(), password: password.to_owned() };
    }
    Given::Unreadable
}

/// The tenant that is named, in UTF-8 or percent-encoded.
fn tenant(headers: &HeaderMap) -> Result<Option<Name>, Problem> {
    let mut named = headers.get_all(TENANT).iter();
    let named = match (named.next(), named.next()) {
        (None, _) => return Ok(None),
        (Some(named), None) => percent_decode(named.as_bytes()).decode_utf8().ok(),
        (Some(_), Some(_)) => None,
    };
    let named = named.ok_or_else(|| {
        let detail = "`Potok-Tenant` names one tenant: in ASCII, or UTF-8 that is percent-encoded";
        Problem::malformed("tenant-unreadable", detail)
    })?;
    Ok(Some(named.as_ref().into()))
}

/// The engine within the trace that a request is part of.
fn traced(engine: Engine, extensions: &Extensions) -> Engine {
    match extensions.get::<Part>() {
        Some(part) => part.engine(&engine),
        None => engine,
    }
}

/// How a router that stands beside this one says why a request is not let in.
pub type Refuse = fn(StatusCode, &str, &str) -> Response;

/// Lets in whoever signs in, and puts the engine that acts for them to the request. Where nobody need sign in it does not matter how somebody
/// tries to: some programs for other engines cannot but send a user.
pub(crate) async fn sign_in(State((app, refuse)): State<(App, Refuse)>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    if app.policy.is_open && app.engine.people().has_users().await.is_ok_and(|has_users| !has_users) {
        parts.headers.remove(header::AUTHORIZATION);
    }
    match admit(&app, &parts).await {
        Ok((engine, _)) => {
            let engine = traced(engine, &parts.extensions);
            parts.extensions.insert(engine);
            next.run(Request::from_parts(parts, body)).await
        }
        Err(problem) => problem.into_response_by(refuse),
    }
}
