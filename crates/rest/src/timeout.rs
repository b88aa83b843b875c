//! How long a call may take.

use std::time::Duration;

use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tower_http::timeout::TimeoutBody;

use crate::problem::Problem;

/// How long a body may stall until it is given up.
const STALLED: Duration = Duration::from_secs(30);

/// Gives up what takes too long. What has been asked of the engine may still be done.
pub(crate) async fn in_time(State(timeout): State<Duration>, request: Request, next: Next) -> Response {
    let request = request.map(|body| Body::new(TimeoutBody::new(STALLED, body)));
    // A large file may take its time, as long as it comes.
    let route = request.extensions().get::<MatchedPath>();
    if *request.method() == Method::POST && route.is_some_and(|route| route.as_str().ends_with("/attachments")) {
        return next.run(request).await;
    }
    // Workers may wait as long as that.
    let patience = timeout + Duration::from_secs(5);
    match tokio::time::timeout(patience, next.run(request)).await {
        Ok(response) => response,
        Err(_) => {
            let detail = "this took too long and was given up; whether it was done is not known";
            Problem::new(StatusCode::GATEWAY_TIMEOUT, "timeout", detail).into_response()
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

    use axum::Router;
    use axum::middleware;
    use axum::routing::post;
    use tokio_stream::StreamExt as _;
    use tower::ServiceExt as _;

    use super::*;

    /// What is answered to a body whose pieces come so many seconds apart.
    async fn answered(path: &str, pieces: usize, seconds: u64) -> StatusCode {
        let read = async |request: Request| match crate::body::whole(request, &()).await {
            Ok(bytes) => bytes.len().to_string().into_response(),
            Err(problem) => problem.into_response(),
        };
        let router = Router::new().route("/signals", post(read)).route("/tasks/{id}/attachments", post(read));
        let router = router.layer(middleware::from_fn_with_state(Duration::from_secs(60), in_time));
        let pieces = tokio_stream::iter(0..pieces).then(move |_| async move {
            tokio::time::sleep(Duration::from_secs(seconds)).await;
            Ok::<_, std::io::Error>("piece")
        });
        let request = Request::post(path).body(Body::from_stream(pieces)).unwrap();
        router.oneshot(request).await.unwrap().status()
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_may_be_slow_but_not_stall() {
        assert_eq!(answered("/tasks/5/attachments", 10, 25).await, 200);
        assert_eq!(answered("/tasks/5/attachments", 2, 31).await, 400);
        assert_eq!(answered("/signals", 2, 25).await, 200);
        assert_eq!(answered("/signals", 2, 31).await, 400);
        assert_eq!(answered("/signals", 10, 25).await, 504);
    }
}
