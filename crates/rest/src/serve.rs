//! Connections: taken, kept from taking too long, and brought to their end.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tower::ServiceExt as _;

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

/// Serves a router until it is to stop; then takes no more connections, and lets the handlers that run come to their end.
///
/// # Errors
/// If the listener cannot take connections.
pub async fn serve(listener: TcpListener, router: Router, stop: &Stop) -> io::Result<()> {
    let connections = GracefulShutdown::new();
    loop {
        let taken = tokio::select! {
            taken = listener.accept() => taken,
            () = stop.told() => break,
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
