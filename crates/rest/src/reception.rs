//! What every request goes through before its route answers, and every answer after that.

use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use tower::{Layer, Service};
use tracing::Instrument as _;

use crate::App;
use crate::guard::guard;
use crate::metrics::Counted;
use crate::once;
use crate::problem::Problem;
use crate::timeout::{Bounds, in_time};
use crate::trace::Followed;

/// The layer. By hand: a function that axum makes a layer of takes each request apart and together again, and has more boxes made for it.
#[derive(Clone)]
pub(crate) struct Reception {
    pub(crate) app: App,
    pub(crate) bounds: Bounds,
}

impl<S> Layer<S> for Reception {
    type Service = Received<S>;

    fn layer(&self, route: S) -> Received<S> {
        Received { reception: self.clone(), route }
    }
}

/// A route behind it.
#[derive(Clone)]
pub(crate) struct Received<S> {
    reception: Reception,
    route: S,
}

impl<S> Service<Request> for Received<S>
where
    S: Service<Request, Response = Response, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.route.poll_ready(context)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        // The one that is ready is the one to be called.
        let next = self.route.clone();
        let mut route = mem::replace(&mut self.route, next);
        let reception = self.reception.clone();
        Box::pin(async move { Ok(reception.receive(request, |request| route.call(request)).await) })
    }
}

impl Reception {
    async fn receive<F>(&self, mut request: Request, next: impl FnOnce(Request) -> F) -> Response
    where
        F: Future<Output = Result<Response, Infallible>>,
    {
        let app = &self.app;
        let followed = Followed::begin(&mut request);
        let counted = Counted::begin(&request);
        let told = async |request| match once::read(app, request).await {
            Ok(request) => next(request).await.unwrap_or_else(|never| match never {}),
            Err(problem) => problem.into_response(),
        };
        let guarded = |request| guard(app, request, told);
        let bounded = in_time(self.bounds, request, guarded).instrument(followed.span.clone());
        let mut response = unpanicked(pin!(bounded)).await;
        counted.note(app, &response);
        followed.end(&mut response);
        response
    }
}

/// What is answered, whatever happens.
async fn unpanicked(mut answered: Pin<&mut impl Future<Output = Response>>) -> Response {
    poll_fn(|context| match catch_unwind(AssertUnwindSafe(|| answered.as_mut().poll(context))) {
        Ok(answer) => answer,
        Err(what) => Poll::Ready(panicked(what)),
    })
    .await
}

#[expect(clippy::needless_pass_by_value, reason = "what was panicked with is given so")]
fn panicked(what: Box<dyn std::any::Any + Send>) -> Response {
    let text = what.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| what.downcast_ref::<&str>().copied()).unwrap_or("a panic");
    Problem::internal("internal", &text).into_response()
}
