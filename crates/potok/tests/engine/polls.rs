//! Futures that are left alone in the middle.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;

/// Lets a future go on until what it waits for has come that many times, and leaves it there; gives what it gives if it has come to its end
/// before that.
pub(crate) async fn go_on<F: Future>(future: &mut Pin<Box<F>>, mut times: usize) -> Option<F::Output> {
    poll_fn(|context| {
        if times == 0 {
            return Poll::Ready(None);
        }
        times -= 1;
        future.as_mut().poll(context).map(Some)
    })
    .await
}
