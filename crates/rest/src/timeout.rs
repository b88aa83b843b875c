//! How long a call may take, and how large and slow it may come.

use std::time::Duration;

use axum::body::Body;
use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::body::too_large;
use crate::pace::Paced;
use crate::problem::Problem;

/// What a call is held to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// Until it is given up.
    pub(crate) timeout: Duration,
    /// Bytes of its body; attachments have a limit of their own.
    pub(crate) body: usize,
}

/// Gives up what takes too long. What has been asked of the engine may still be done.
pub(crate) async fn in_time<F: Future<Output = Response>>(
    bounds: Bounds,
    request: Request,
    next: impl FnOnce(Request) -> F,
) -> Response {
    let request = request.map(|body| Body::new(Paced::new(body)));
    // A large file may take its time, as long as it comes.
    let route = request.extensions().get::<MatchedPath>();
    if *request.method() == Method::POST && route.is_some_and(|route| route.as_str().ends_with("/attachments")) {
        return next(request).await;
    }
    // What says itself that it is too large is not waited for.
    if announced(request.headers()).is_some_and(|bytes| bytes > bounds.body) {
        return too_large().into_response();
    }
    // Workers may wait as long as that.
    let patience = bounds.timeout + Duration::from_secs(5);
    match tokio::time::timeout(patience, next(request)).await {
        Ok(response) => response,
        Err(_) => {
            let detail = "this took too long and was given up; whether it was done is not known";
            Problem::new(StatusCode::GATEWAY_TIMEOUT, "timeout", detail).into_response()
        }
    }
}

/// How long a body is, as far as its head says.
fn announced(headers: &HeaderMap) -> Option<usize> {
    let length = headers.get(header::CONTENT_LENGTH)?.to_str().ok()?;
    // No machine has as many as cannot be counted.
    Some(length.trim().parse().unwrap_or(usize::MAX))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

    use axum::Router;
    use axum::middleware::{self, Next};
    use axum::routing::post;
    use tokio::time::Instant;
    use tokio_stream::StreamExt as _;
    use tower::ServiceExt as _;

    use super::*;

    fn router() -> Router {
        let read = async |request: Request| match crate::body::whole(request, &()).await {
            Ok(bytes) => bytes.len().to_string().into_response(),
            Err(problem) => problem.into_response(),
        };
        let bounds = Bounds { timeout: Duration::from_secs(60), body: 1 << 20 };
        Router::new().route("/signals", post(read)).route("/tasks/{id}/attachments", post(read)).layer(
            middleware::from_fn(move |request, next: Next| in_time(bounds, request, |request| next.run(request))),
        )
    }

    /// What is answered to a body whose pieces, of so many bytes, come so many seconds apart; and after how many seconds.
    async fn answered(path: &str, pieces: usize, bytes: usize, seconds: u64) -> (u16, u64) {
        let pieces = tokio_stream::iter(0..pieces).then(move |_| async move {
            tokio::time::sleep(Duration::from_secs(seconds)).await;
            Ok::<_, std::io::Error>("x".repeat(bytes))
        });
        let begun = Instant::now();
        let request = Request::post(path).body(Body::from_stream(pieces)).unwrap();
        let status = router().oneshot(request).await.unwrap().status().as_u16();
        (status, begun.elapsed().as_secs())
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_may_be_slow_but_not_stall() {
        // A large file on a slow line.
        assert_eq!(answered("/tasks/5/attachments", 20, 10_000, 19).await, (200, 380));
        assert_eq!(answered("/tasks/5/attachments", 2, 10_000, 21).await, (408, 20));
        // Bytes that only hold the connection.
        assert_eq!(answered("/tasks/5/attachments", 1000, 1, 1).await, (408, 20));
        assert_eq!(answered("/signals", 1000, 1, 1).await, (408, 20));
        assert_eq!(answered("/signals", 2, 10_000, 19).await, (200, 38));
        assert_eq!(answered("/signals", 2, 10_000, 21).await, (408, 20));
        assert_eq!(answered("/signals", 10, 10_000, 19).await, (504, 65));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_too_large_by_its_own_word_is_not_waited_for() {
        for length in ["1048577", "99999999999", "999999999999999999999999"] {
            let never = Body::from_stream(tokio_stream::pending::<Result<&str, std::io::Error>>());
            let request = Request::post("/signals").header("content-length", length).body(never).unwrap();
            let begun = Instant::now();
            assert_eq!(router().oneshot(request).await.unwrap().status(), 413);
            assert_eq!(begun.elapsed(), Duration::ZERO);
        }
    }
}
