//! A router that is made when it is first asked.

use std::convert::Infallible;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use axum::Router;
use axum::extract::Request;
use axum::response::Response;
use axum::routing::future::RouteFuture;
use tower::Service;

#[derive(Clone)]
pub(crate) struct Later(Arc<Making>);

struct Making {
    made: OnceLock<Router>,
    make: Box<dyn Fn() -> Router + Send + Sync>,
    /// What answers when it cannot be made.
    instead: Router,
}

impl Later {
    pub(crate) fn new(make: impl Fn() -> Router + Send + Sync + 'static, instead: Router) -> Self {
        Self(Arc::new(Making { made: OnceLock::new(), make: Box::new(make), instead }))
    }

    fn router(&self) -> &Router {
        let Making { made, make, instead } = &*self.0;
        // Whoever asks next tries anew.
        made.get().unwrap_or_else(|| catch_unwind(AssertUnwindSafe(|| made.get_or_init(make))).unwrap_or(instead))
    }
}

impl Service<Request> for Later {
    type Response = Response;
    type Error = Infallible;
    type Future = RouteFuture<Infallible>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        self.router().clone().call(request)
    }
}
