//! Answers that are made piece by piece, each by a task of its own.

use std::future::Future;
use std::io;

use axum::body::{Body, Bytes};
use potok::Error;
use tokio::sync::mpsc::{Sender, channel};
use tokio::task::JoinHandle;
use tokio_stream::StreamExt as _;
use tokio_stream::wrappers::ReceiverStream;

use crate::problem::Problem;

/// A body of what is sent as it is made. What goes wrong before the first piece is answered; what goes wrong later breaks the answer off, which
/// would look whole if it just ended.
pub(crate) async fn body<F>(make: impl FnOnce(Sender<Bytes>) -> F) -> Result<Body, Problem>
where
    F: Future<Output = Result<(), Error>> + Send + 'static,
{
    let (sender, mut pieces) = channel(1);
    let making = tokio::spawn(make(sender));
    let Some(first) = pieces.recv().await else {
        return end(making).await.map(|()| Body::empty());
    };
    let pieces = tokio_stream::once(first).chain(ReceiverStream::new(pieces)).filter(|piece| !piece.is_empty()).map(Ok);
    Ok(Body::from_stream(pieces.chain(tokio_stream::once(making).then(broken).filter_map(|broken| broken))))
}

/// How it has ended.
async fn end(making: JoinHandle<Result<(), Error>>) -> Result<(), Problem> {
    match making.await {
        Ok(made) => Ok(made?),
        Err(panicked) => Err(Problem::internal("internal", &panicked)),
    }
}

/// What stands at the end of an answer that breaks off: that it does is all that its reader can be told by now.
async fn broken(making: JoinHandle<Result<(), Error>>) -> Option<io::Result<Bytes>> {
    match making.await {
        Ok(Ok(())) => return None,
        Ok(Err(error)) => tracing::error!(%error, "an answer broke off"),
        Err(panicked) => tracing::error!(error = %panicked, "an answer broke off"),
    }
    Some(Err(io::Error::other("the answer broke off")))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

    use axum::body::to_bytes;
    use axum::response::IntoResponse as _;

    use super::*;

    /// What is read of a body of pieces after which it ends so.
    async fn read(pieces: &'static [&'static str], end: fn() -> Result<(), Error>) -> Result<Option<Bytes>, u16> {
        let make = move |sender: Sender<Bytes>| async move {
            for piece in pieces {
                sender.send(Bytes::from_static(piece.as_bytes())).await.unwrap();
            }
            end()
        };
        let body = body(make).await.map_err(|problem| problem.into_response().status().as_u16())?;
        Ok(to_bytes(body, usize::MAX).await.ok())
    }

    fn panics() -> Result<(), Error> {
        panic!("something is wrong")
    }

    #[tokio::test]
    async fn what_does_not_come_to_its_end_breaks_off() {
        assert_eq!(read(&["", "a", "b"], || Ok(())).await, Ok(Some("ab".into())));
        assert_eq!(read(&[], || Ok(())).await, Ok(Some("".into())));
        assert_eq!(read(&["", "a"], || Err(Error::NothingToDo)).await, Ok(None));
        assert_eq!(read(&["", "a"], panics).await, Ok(None));
        assert_eq!(read(&[], || Err(Error::NothingToDo)).await, Err(409));
        assert_eq!(read(&[], panics).await, Err(500));
    }
}
