//! Routes with what is said of them. A server needs the handlers from its start; what is said of them it needs when somebody asks, and to make
//! that takes as much memory as all else that a server at rest needs.

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::handler::Handler;
use axum::routing::MethodRouter;
use utoipa::Path;
use utoipa_axum::PathItemExt as _;
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouter};

use crate::App;

/// Describes the handlers of one path.
type Describe = fn() -> UtoipaMethodRouter<App>;

/// Handlers of one path, under the methods that their `utoipa::path` names.
macro_rules! routes {
    ($first:ident $(, $other:ident)*) => {
        utoipa_axum::paste! {{
            use $crate::routes::on;
            let path = <[<__path_ $first>] as utoipa::Path>::path();
            let handlers = on::<[<__path_ $first>], _>(axum::routing::MethodRouter::new(), $first);
            $(let handlers = on::<[<__path_ $other>], _>(handlers, $other);)*
            (path, handlers, || utoipa_axum::routes!($first $(, $other)*))
        }}
    };
}

pub(crate) use routes;

/// Adds a handler under the methods that its description names.
pub(crate) fn on<P: Path, T: 'static>(handlers: MethodRouter<App>, handler: impl Handler<T, App>) -> MethodRouter<App> {
    P::methods().iter().fold(handlers, |handlers, method| handlers.on(method.to_method_filter(), handler.clone()))
}

/// Some routes.
#[derive(Default)]
pub(crate) struct Routes(Vec<Route>);

/// A path, its handlers, and what is said of them.
type Route = (String, MethodRouter<App>, Describe);

impl Routes {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    pub(crate) fn routes(mut self, route: Route) -> Self {
        self.0.push(route);
        self
    }

    pub(crate) fn merge(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    /// What bodies are held to instead of what others are.
    pub(crate) fn body_limit(self, limit: DefaultBodyLimit) -> Self {
        let limited = |(path, handlers, describe): Route| (path, handlers.layer(limit), describe);
        Self(self.0.into_iter().map(limited).collect())
    }

    /// The handlers, under a prefix. A router that is nested would write the address of each request anew.
    pub(crate) fn router(self, prefix: &str) -> Router<App> {
        self.0
            .into_iter()
            .fold(Router::new(), |router, (path, handlers, _)| router.route(&format!("{prefix}{path}"), handlers))
    }

    /// What is said of them.
    pub(crate) fn described(&self) -> OpenApiRouter<App> {
        self.0.iter().fold(OpenApiRouter::new(), |all, (.., describe)| all.routes(describe()))
    }
}
