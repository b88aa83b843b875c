//! What nodes on one database tell each other. Nothing of it is kept.

use async_trait::async_trait;

use crate::{Store, StoreError};

/// A connection that hears what is told.
#[async_trait]
pub(crate) trait Ear: Send {
    async fn hear(&mut self) -> Result<Option<String>, StoreError>;
}

/// Hears what nodes tell each other, from when it began to listen.
#[allow(missing_debug_implementations, reason = "a connection has nothing to show")]
pub struct Listener(pub(crate) Box<dyn Ear>);

impl Listener {
    /// Waits for what is told next; nothing if the connection was lost and is there again, so that something may have been missed.
    /// Whoever gives up waiting may miss something, too.
    ///
    /// # Errors
    /// If the connection is lost and cannot be made again.
    pub async fn hear(&mut self) -> Result<Option<String>, StoreError> {
        self.0.hear().await
    }
}

impl Store {
    /// Tells all who listen to the database, the caller too, if it does. Whoever does not listen in that moment misses it.
    ///
    /// # Errors
    /// If the database cannot be reached.
    pub async fn tell(&self, news: &str) -> Result<(), StoreError> {
        self.database.tell(news).await
    }

    /// Listens to what nodes tell each other; nothing if they cannot on this database.
    ///
    /// # Errors
    /// If the database cannot be reached.
    pub async fn listen(&self) -> Result<Option<Listener>, StoreError> {
        Ok(self.database.listen().await?.map(Listener))
    }
}
