//! Bodies must come at some pace, however large they are.

use std::fmt;
use std::future::Future as _;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes};
use hyper::body::{Frame, SizeHint};
use tokio::time::{Instant, Sleep, sleep};

/// For how long a body may keep its reader waiting, and what each byte adds to that: 500 bytes a second are enough to go on for ever, and
/// whoever sends fewer is cut off after twenty seconds, as by Apache's `RequestReadTimeout body=20,MinRate=500`.
const PATIENCE: Duration = Duration::from_secs(20);
const OF_A_BYTE: Duration = Duration::from_millis(2);

/// A body that breaks off when it comes too slowly. Only the time in which somebody waits for it counts.
pub(crate) struct Paced {
    body: Body,
    patience: Duration,
    waiting: Option<Pin<Box<Sleep>>>,
}

impl Paced {
    pub(crate) fn new(body: Body) -> Self {
        Self { body, patience: PATIENCE, waiting: None }
    }
}

/// The body came too slowly.
#[derive(Debug)]
pub(crate) struct TooSlow;

impl fmt::Display for TooSlow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the body came too slowly")
    }
}

impl std::error::Error for TooSlow {}

impl TooSlow {
    /// Whether that is what an error comes from.
    pub(crate) fn is_behind(error: &(dyn std::error::Error + 'static)) -> bool {
        let mut next = Some(error);
        while let Some(error) = next {
            if error.is::<Self>() {
                return true;
            }
            next = error.source();
        }
        false
    }
}

impl hyper::body::Body for Paced {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let own = self.get_mut();
        let come = Pin::new(&mut own.body).poll_frame(context);
        let Poll::Ready(come) = come else {
            let waiting = own.waiting.get_or_insert_with(|| Box::pin(sleep(own.patience)));
            return waiting.as_mut().poll(context).map(|()| Some(Err(axum::Error::new(TooSlow))));
        };
        if let Some(waiting) = own.waiting.take() {
            own.patience = waiting.deadline().saturating_duration_since(Instant::now());
        }
        if let Some(Ok(frame)) = &come {
            let bytes = frame.data_ref().map_or(0, Bytes::len);
            let more = OF_A_BYTE.saturating_mul(u32::try_from(bytes).unwrap_or(u32::MAX));
            own.patience = own.patience.saturating_add(more).min(PATIENCE);
        }
        Poll::Ready(come)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
