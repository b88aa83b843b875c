//! Connections: taken, kept from taking too long, and brought to their end.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tower::ServiceExt as _;

use crate::Tls;

/// For how long the head of a request may take, so that nobody holds connections with next to nothing.
const HEAD: Duration = Duration::from_secs(15);

/// For how long handlers that run may take once the server is to stop.
const FAREWELL: Duration = Duration::from_secs(20);

/// That a server is to stop: told once, and heard by all who wait for something.
#[derive(Clone, Debug)]
pub struct Stop(Arc<watch::Sender<bool>>);

impl Default for Stop {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(false)))
    }
}

impl Stop {
    /// Stops.
    pub fn now(&self) {
        self.0.send_replace(true);
    }

    /// Whether it has been told.
    #[must_use]
    pub fn is_told(&self) -> bool {
        *self.0.borrow()
    }

    /// Waits until it is told.
    pub async fn told(&self) {
        // Whoever tells is as long there as this.
        let _ = self.0.subscribe().wait_for(|told| *told).await;
    }
}

/// Serves a router, by TLS if there is a certificate, until it is to stop; then takes no more connections, and lets the handlers that run come to their end.
///
/// # Errors
/// If the listener cannot take connections.
pub async fn serve(listener: TcpListener, router: Router, tls: Option<&Tls>, stop: &Stop) -> io::Result<()> {
    let connections = GracefulShutdown::new();
    loop {
        let taken = tokio::select! {
            taken = listener.accept() => taken,
            () = stop.told() => break,
        };
        let (stream, peer) = match taken {
            Ok(taken) => taken,
            Err(error) => {
                // Too many files are open, or the other side has gone.
                tracing::warn!(%error, "a connection was not taken");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        // Answers are written whole: to wait for more would only hold them up.
        let _ = stream.set_nodelay(true);
        let service = router.clone().map_request(move |request: hyper::Request<Incoming>| {
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(ConnectInfo(peer));
            request
        });
        let (tls, watcher) = (tls.cloned(), connections.watcher());
        tokio::spawn(async move {
            // Whoever hangs up in the middle has had enough.
            let Some(tls) = tls else {
                return talk(TokioIo::new(stream), service, watcher).await;
            };
            match tokio::time::timeout(HEAD, tls.acceptor.accept(stream)).await {
                Ok(Ok(stream)) => talk(TokioIo::new(stream), service, watcher).await,
                Ok(Err(error)) => tracing::debug!(%error, "a connection without TLS"),
                Err(_) => tracing::debug!("a connection that took too long to begin TLS"),
            }
        });
    }
    drop(listener);
    tokio::select! {
        () = connections.shutdown() => {}
        () = tokio::time::sleep(FAREWELL) => tracing::warn!("some calls took too long and are cut off"),
    }
    Ok(())
}

/// Answers what comes by one connection.
async fn talk<I, S>(stream: I, service: S, watcher: Watcher)
where
    I: hyper::rt::Read + hyper::rt::Write + Unpin + Send + 'static,
    S: tower::Service<hyper::Request<Incoming>, Response = axum::response::Response, Error = Infallible>
        + Clone
        + Send
        + 'static,
    S::Future: Send + 'static,
{
    let mut http = http1::Builder::new();
    let connection = http
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .serve_connection(stream, TowerToHyperService::new(service));
    if let Err(error) = watcher.watch(connection).await {
        tracing::debug!(%error, "a connection broke off");
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

    use axum::extract::Request;
    use axum::middleware::{self, Next};
    use axum::response::IntoResponse as _;
    use axum::routing::post;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::time::Instant;

    use super::*;
    use crate::timeout::{Bounds, in_time};

    /// What is answered to whoever sends this and nothing more, until the connection is closed; and after how long that is.
    async fn answered(sent: &str) -> (String, Duration) {
        let read = async |request: Request| crate::body::whole(request, &()).await.into_response();
        let bounds = Bounds { timeout: Duration::from_secs(60), body: 1 << 20 };
        let router = Router::new().route("/reads", post(read)).route("/deaf", post(async || "nothing was read")).layer(
            middleware::from_fn(move |request, next: Next| in_time(bounds, request, |request| next.run(request))),
        );
        let service = router.map_request(|request: hyper::Request<Incoming>| request.map(Body::new));
        let (mut client, server) = tokio::io::duplex(1 << 16);
        let (connections, begun) = (GracefulShutdown::new(), Instant::now());
        let talking = tokio::spawn(talk(TokioIo::new(server), service, connections.watcher()));
        client.write_all(sent.as_bytes()).await.unwrap();
        let mut answer = String::new();
        client.read_to_string(&mut answer).await.unwrap();
        talking.await.unwrap();
        (answer, begun.elapsed())
    }

    #[tokio::test(start_paused = true)]
    async fn who_stalls_is_hung_up_on() {
        for (path, length, status, seconds) in [
            ("/reads", "99999999999", 413, 0),
            ("/reads", "99", 408, 20),
            // Who is answered before they have sent all is not listened to any longer.
            ("/deaf", "99", 200, 0),
            ("/none", "99", 404, 0),
        ] {
            let sent = format!("POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n{{");
            let (answer, taken) = answered(&sent).await;
            assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{path}: {answer}");
            assert_eq!(taken.as_secs(), seconds, "{path}: {taken:?}");
        }
        let (answer, taken) = answered("POST /reads HT").await;
        assert!(taken <= HEAD, "{answer} {taken:?}");
    }
}
