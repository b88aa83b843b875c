//! Other nodes on the database: what happens is told between them, so that nobody has to wait until they look by themselves. What is
//! told may be lost: then they do look.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{PoisonError, Weak};
use std::time::Duration;

use crate::Error;
use crate::engine::Inner;
use crate::wake::News;

/// What happens in such a time is told together: under load that is much, and what is told costs the same.
const BREATH: Duration = Duration::from_millis(20);

/// How long it waits after the database could not be reached.
const AFTER_TROUBLE: Duration = Duration::from_secs(1);

/// Whether there are any.
#[derive(Debug, Default)]
pub(crate) struct Neighbours(AtomicBool);

/// Hears what other nodes tell.
pub(crate) async fn hear(inner: Weak<Inner>) {
    loop {
        let Some(engine) = inner.upgrade() else { return };
        match engine.listen().await {
            Ok(()) => return,
            Err(error) => tracing::warn!(%error, "until the database is there again no other node is heard"),
        }
        tokio::time::sleep(AFTER_TROUBLE).await;
    }
}

/// Tells other nodes what happens on this one; a node that does what is due by itself needs no help with that.
pub(crate) async fn tell(inner: Weak<Inner>, executes: bool) {
    let alone = if executes { News::DUE } else { News::default() };
    loop {
        let Some(engine) = inner.upgrade() else { return };
        let news = engine.wake.untold().await.without(alone);
        if news != News::default()
            && engine.neighbours.0.load(Ordering::Acquire)
            && let Err(error) = engine.tell(news).await
        {
            tracing::debug!(%error, "other nodes will see by themselves what has happened");
        }
        tokio::time::sleep(BREATH).await;
    }
}

impl Inner {
    /// Looks whether there are other nodes.
    pub(crate) async fn look_for_neighbours(&self) -> Result<(), Error> {
        let there = self.store.nodes().await?.len() > 1;
        self.neighbours.0.store(there, Ordering::Release);
        Ok(())
    }

    /// Listens until the database is lost; not at all where nobody can tell anything.
    async fn listen(&self) -> Result<(), Error> {
        let Some(mut listener) = self.store.listen().await? else { return Ok(()) };
        self.look_for_neighbours().await?;
        // Who is there knows of this node from now on.
        self.tell(News::default()).await?;
        self.wake.hear(News::ALL);
        loop {
            match listener.hear().await? {
                Some(told) => self.heard(&told),
                // Something may have been missed.
                None => self.wake.hear(News::ALL),
            }
        }
    }

    fn heard(&self, told: &str) {
        let Some((number, news)) = told.split_once(' ') else { return };
        let (Ok(number), Ok(news)) = (number.parse::<u32>(), news.parse()) else { return };
        if number != self.number() {
            self.neighbours.0.store(true, Ordering::Release);
            self.wake.hear(News(news));
        }
    }

    async fn tell(&self, News(news): News) -> Result<(), Error> {
        Ok(self.store.tell(&format!("{} {news}", self.number())).await?)
    }

    fn number(&self) -> u32 {
        self.node.lock().unwrap_or_else(PoisonError::into_inner).number
    }
}
