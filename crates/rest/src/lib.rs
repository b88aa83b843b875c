//! The REST API of Potok.
//!
//! [`router`] makes an axum router of an engine. It is thin: each handler parses, calls the engine, and answers. What it says of
//! itself is [`openapi`].

mod attachments;
mod audit;
mod batches;
mod body;
mod caller;
mod comments;
mod credentials;
mod definitions;
mod deployments;
mod description;
mod events;
mod guard;
mod headers;
mod health;
mod history;
mod incidents;
mod instances;
mod jobs;
mod later;
mod limit;
mod messages;
mod metrics;
mod oidc;
mod once;
mod operations;
mod pace;
mod people;
mod pieces;
mod policy;
mod problem;
mod reception;
mod roles;
mod routes;
mod search;
mod searches;
mod serve;
mod session;
mod setup;
mod tag;
mod tasks;
mod tenants;
mod timeout;
mod timers;
mod tls;
mod trace;
mod union;
mod value;
mod webhooks;

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::middleware;
use ipnet::IpNet;
use potok::Engine;
use tower::ServiceBuilder;
use tower::util::MapResponseLayer;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityScheme};
use utoipa::{Modify, OpenApi};
use utoipa_axum::router::OpenApiRouter;
use utoipa_swagger_ui::{Config as Page, SwaggerUi};

use crate::later::Later;
use crate::policy::Policy;
use crate::problem::Problem;
use crate::reception::Reception;
use crate::routes::Routes;
use crate::timeout::Bounds;

pub use crate::caller::Refuse;
pub use crate::limit::Rate;
pub use crate::oidc::{Algorithm, Issuer, IssuerError, IssuerSettings, KeySet};
pub use crate::serve::{Stop, serve};
pub use crate::setup::Setup;
pub use crate::tls::Tls;

/// How the API is served.
#[derive(Clone, Debug)]
pub struct Options {
    /// The names and ports under which it may be reached, as they stand in `Host`: requests to others are refused. Under any if there
    /// are none; then everybody signs in.
    pub hosts: Vec<String>,
    /// As long as there are no users, whoever reaches it may do everything: for a server that only the machine itself can reach.
    pub is_open: bool,
    /// It is reached by TLS alone: cookies come back by nothing else, and browsers do not try anything else.
    pub is_secure: bool,
    /// Origins, such as `https://portal.example`, whose pages may use it beside its own.
    pub origins: Vec<String>,
    /// Proxies whose word is taken for who has connected to them, by `X-Forwarded-For`.
    pub proxies: Vec<IpNet>,
    /// How often each caller may call; as often as they like if it is none.
    pub rate: Option<Rate>,
    /// Who else signs people in.
    pub issuer: Option<Arc<Issuer>>,
    /// What the first administrator is made with, if that is done through the API.
    pub setup: Option<Arc<Setup>>,
    /// Bytes of a body at most; attachments have a limit of their own.
    pub body_limit: usize,
    /// How long a call may take until it is given up, and for how long a worker may wait for jobs.
    pub timeout: Duration,
    /// Ends those who wait for jobs or events.
    pub stop: Stop,
}

impl Options {
    /// For a server that only this machine can reach, on a port: open as long as there are no users.
    #[must_use]
    pub fn local(port: u16) -> Self {
        let names = ["127.0.0.1", "localhost", "[::1]"];
        let mut hosts: Vec<String> = names.iter().map(|name| format!("{name}:{port}")).collect();
        if port == 80 {
            hosts.extend(names.map(Into::into));
        }
        Self { hosts, is_open: true, ..Self::remote() }
    }

    /// For a server that other machines can reach, under any name: everybody signs in.
    #[must_use]
    pub fn remote() -> Self {
        let timeout = Duration::from_secs(60);
        Self {
            hosts: Vec::new(),
            is_open: false,
            is_secure: false,
            origins: Vec::new(),
            proxies: Vec::new(),
            rate: None,
            issuer: None,
            setup: None,
            body_limit: 16 << 20,
            timeout,
            stop: Stop::default(),
        }
    }
}

/// What all handlers share, cheap to hand on: each request goes through several hands.
#[derive(Clone, Debug)]
pub(crate) struct App(Arc<Shared>);

#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) engine: Engine,
    pub(crate) policy: Policy,
    pub(crate) setup: Option<Arc<Setup>>,
    pub(crate) timeout: Duration,
    pub(crate) stop: Stop,
    pub(crate) calls: metrics::Calls,
}

impl Deref for App {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Potok",
        description = "A BPMN 2.0 workflow engine. See docs/rest.md.\n\nErrors are `application/problem+json` with a stable `code`. \
            Calls that change something take an `Idempotency-Key`: sent again within a day, they are done once and answered as the \
            first time. Who is in several tenants acts in the one that `Potok-Tenant` names.",
    ),
    tags(
        (name = "deployments", description = "Files that are deployed together, or only checked"),
        (name = "definitions", description = "Versions of processes, decisions, forms and calendars"),
        (name = "instances", description = "Process instances, started, moved and ended"),
        (name = "tasks", description = "User tasks, tasks that belong to no process, and searches for them that are kept"),
        (name = "jobs", description = "Work for workers"),
        (name = "messages", description = "Messages and signals, and what is waited for"),
        (name = "incidents", description = "What is stuck"),
        (name = "history", description = "What happened, and how it was"),
        (name = "batches", description = "One thing done to many instances"),
        (name = "comments", description = "What people write on instances and tasks"),
        (name = "attachments", description = "Files on instances and tasks"),
        (name = "operations", description = "How the server fares"),
        (name = "people", description = "Users, groups, what they may do and sign in by, and what was refused and done"),
        (name = "webhooks", description = "Programs elsewhere that are told what happens"),
    ),
    components(schemas(problem::Said)),
    modifiers(&SignIn),
    security(("password" = []), ("token" = []), ("session" = [], "csrf" = [])),
    external_docs(url = "https://www.rfc-editor.org/rfc/rfc9457", description = "Problem details"),
)]
struct Description;

/// How callers sign in.
struct SignIn;

impl Modify for SignIn {
    fn modify(&self, description: &mut utoipa::openapi::OpenApi) {
        let components = description.components.get_or_insert_default();
        let ways = [("password", HttpAuthScheme::Basic), ("token", HttpAuthScheme::Bearer)];
        for (name, scheme) in ways {
            components.add_security_scheme(name, SecurityScheme::Http(Http::new(scheme)));
        }
        let cookie =
            ApiKeyValue::with_description("potok-session", "What signing in sets; under TLS with `__Host-` before it");
        components.add_security_scheme("session", SecurityScheme::ApiKey(ApiKey::Cookie(cookie)));
        let token =
            ApiKeyValue::with_description(session::CSRF, "The session's `csrfToken`, for what changes something");
        components.add_security_scheme("csrf", SecurityScheme::ApiKey(ApiKey::Header(token)));
    }
}

/// What stands under `/api/v1`.
fn native() -> Routes {
    Routes::new()
        .merge(deployments::routes())
        .merge(definitions::routes())
        .merge(instances::routes())
        .merge(operations::routes())
        .merge(timers::routes())
        .merge(tasks::routes())
        .merge(searches::routes())
        .merge(jobs::routes())
        .merge(messages::routes())
        .merge(incidents::routes())
        .merge(history::routes())
        .merge(events::routes())
        .merge(batches::routes())
        .merge(comments::routes())
        .merge(attachments::routes())
        .merge(people::routes())
        .merge(roles::routes())
        .merge(tenants::routes())
        .merge(credentials::routes())
        .merge(audit::routes())
        .merge(session::routes())
        .merge(setup::routes())
        .merge(webhooks::routes())
        .merge(description::routes())
}

/// What stands beside it, for whoever operates the server.
fn operators() -> Routes {
    health::routes().merge(metrics::routes())
}

/// The API's description, in OpenAPI 3.1.
#[must_use]
pub fn openapi() -> utoipa::openapi::OpenApi {
    let described = OpenApiRouter::with_openapi(Description::openapi())
        .nest("/api/v1", native().described())
        .merge(operators().described());
    let mut description = described.into_openapi();
    once::describe(&mut description);
    union::close(&mut description);
    description
}

/// The API over an engine, with its description under `/api/v1/openapi.json` and a page to try it out under `/docs`.
pub fn router(engine: Engine, options: &Options) -> Router {
    router_beside(engine, options, |_| [])
}

/// The same with other routers beside it, behind the same guards and limits, which are made when somebody asks for what is not the API's:
/// many routes take much memory. Their requests bring the engine that acts for their caller as an extension; whoever is not let in hears so
/// in each router's own words. If what makes them panics, that request is answered with 500, and the next one has them made anew.
pub fn router_beside<R>(
    engine: Engine,
    options: &Options,
    beside: impl Fn(Engine) -> R + Send + Sync + 'static,
) -> Router
where
    R: IntoIterator<Item = (Router, Refuse)>,
{
    let app = App(Arc::new(Shared {
        policy: Policy::new(options, &engine),
        setup: options.setup.clone(),
        timeout: options.timeout,
        stop: options.stop.clone(),
        calls: metrics::Calls::default(),
        engine,
    }));
    let bounds = Bounds { timeout: options.timeout, body: options.body_limit };
    // A name of the machine itself is other servers', too, which may have no certificate.
    let is_secure = options.is_secure && options.hosts.is_empty();
    let cors = (!options.origins.is_empty()).then(|| guard::cors(&options.origins));
    // The first is the outermost. One stack: each layer of the router's own would be one more box around every request.
    let layers = ServiceBuilder::new()
        .layer(MapResponseLayer::new(move |response| headers::complete(response, is_secure)))
        .layer(DefaultBodyLimit::max(options.body_limit))
        .option_layer(cors)
        .layer(Reception { app: app.clone(), bounds });

    let router = native().router("/api/v1").merge(operators().router(""));
    let router = router.merge(SwaggerUi::new("/docs").config(Page::new(["/api/v1/openapi.json"])));
    let router = router.method_not_allowed_fallback(wrong_method).layer(layers.clone()).with_state(app.clone());
    let unmade = Router::new().fallback(unmade).layer(layers.clone());
    let make = move || {
        let mut others = Router::new();
        for (other, refuse) in beside(app.engine.clone()) {
            let signed_in = middleware::from_fn_with_state((app.clone(), refuse), caller::sign_in);
            others = others.merge(other.layer(signed_in));
        }
        others.fallback(unknown_route).method_not_allowed_fallback(wrong_method).layer(layers.clone())
    };
    router.fallback_service(Later::new(make, unmade))
}

async fn unmade() -> Problem {
    Problem::internal("internal", &"the routes beside the API's own could not be made")
}

async fn unknown_route() -> Problem {
    let detail = "there is nothing under this path; /docs lists what there is";
    Problem::new(StatusCode::NOT_FOUND, "route-unknown", detail)
}

async fn wrong_method() -> Problem {
    let detail = "nothing is done with this method here; see the `Allow` header";
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", detail)
}
