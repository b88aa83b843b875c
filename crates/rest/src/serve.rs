//! Connections: taken, kept from taking too long, and brought to their end.

use std::future::Future;
use std::io;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tower::ServiceExt as _;

/// For how long the head of a request may take, so that nobody holds connections with next to nothing.
const HEAD: Duration = Duration::from_secs(15);

/// For how long handlers that run may take once the server is to stop.
const FAREWELL: Duration = Duration::from_secs(20);

/// Serves a router until `stop` is over; then takes no more connections, and lets the handlers that run come to their end.
///
/// # Errors
/// If the listener cannot take connections.
pub async fn serve(listener: TcpListener, router: Router, stop: impl Future<Output = ()>) -> io::Result<()> {
    let mut stop = std::pin::pin!(stop);
    let connections = GracefulShutdown::new();
    loop {
        let taken = tokio::select! {
            taken = listener.accept() => taken,
            () = &mut stop => break,
        };
        let stream = match taken {
            Ok((stream, _)) => stream,
            Err(error) => {
                // Too many files are open, or the other side has gone.
                tracing::warn!(%error, "a connection was not taken");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        // Answers are written whole: to wait for more would only hold them up.
        let _ = stream.set_nodelay(true);
        let service = router.clone().map_request(|request: hyper::Request<Incoming>| request.map(Body::new));
        let mut http = http1::Builder::new();
        let connection = http
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD)
            .serve_connection(TokioIo::new(stream), TowerToHyperService::new(service));
        let watched = connections.watch(connection);
        tokio::spawn(async move {
            // Whoever hangs up in the middle has had enough.
            if let Err(error) = watched.await {
                tracing::debug!(%error, "a connection broke off");
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
