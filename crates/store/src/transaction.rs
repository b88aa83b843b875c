//! A transaction that a program shares with the store: what both write is durable together, or not at all.

use std::sync::Arc;

use async_trait::async_trait;
use potok_core::time::Timestamp;
use sqlx::{PgConnection, SqliteConnection};
use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::cell::{Cell, Row};
use crate::database::{Database, Session};
use crate::record::{Column, Table};
use crate::select::Select;
use crate::{Store, StoreError};

/// The one session of a transaction, until it is committed or undone.
type Shared = Arc<Mutex<Option<Box<dyn Session>>>>;

/// A transaction that has begun. Dropped, it is undone.
pub struct Transaction {
    store: Store,
    session: Shared,
}

impl std::fmt::Debug for Transaction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Transaction").finish_non_exhaustive()
    }
}

/// A transaction's connection, for the program's own statements.
#[allow(missing_debug_implementations, reason = "a connection has nothing to show")]
pub struct Connection(OwnedMutexGuard<Option<Box<dyn Session>>>);

impl Store {
    /// Begins a transaction. On SQLite nobody else writes until it has ended.
    ///
    /// # Errors
    /// If the database cannot be written.
    pub async fn begin(&self) -> Result<Transaction, StoreError> {
        let session: Shared = Arc::new(Mutex::new(Some(self.database.lend().await?)));
        let within = Within { session: session.clone(), is_shared: self.is_shared() };
        Ok(Transaction { store: Self::on(within), session })
    }
}

impl Transaction {
    /// The store within the transaction: reads see what was written in it, and its commits become durable with it.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The connection, for the program's own statements; to be let go of before the store is used again.
    ///
    /// # Errors
    /// If the transaction has ended.
    pub async fn connection(&self) -> Result<Connection, StoreError> {
        Ok(Connection(taken(&self.session).await?))
    }

    /// Makes everything durable.
    ///
    /// # Errors
    /// If it was not; or, with [`StoreError::OutcomeUnknown`], if that is not known.
    pub async fn commit(self) -> Result<(), StoreError> {
        match self.session.lock().await.take() {
            Some(session) => session.commit().await,
            None => Err(ended()),
        }
    }
}

impl Connection {
    /// To SQLite, if that is the database.
    pub fn sqlite(&mut self) -> Option<&mut SqliteConnection> {
        self.0.as_mut()?.sqlite()
    }

    /// To PostgreSQL, if that is the database.
    pub fn postgres(&mut self) -> Option<&mut PgConnection> {
        self.0.as_mut()?.postgres()
    }
}

fn ended() -> StoreError {
    StoreError::Unavailable("the transaction has ended".into())
}

async fn taken(session: &Shared) -> Result<OwnedMutexGuard<Option<Box<dyn Session>>>, StoreError> {
    let session = session.clone().lock_owned().await;
    if session.is_some() { Ok(session) } else { Err(ended()) }
}

/// The database as it is within a transaction.
#[derive(Clone)]
struct Within {
    session: Shared,
    is_shared: bool,
}

impl std::fmt::Debug for Within {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Within")
    }
}

#[async_trait]
impl Database for Within {
    async fn read(&self) -> Result<Box<dyn Session>, StoreError> {
        Ok(Box::new(Borrowed(taken(&self.session).await?)))
    }

    async fn write(&self) -> Result<Box<dyn Session>, StoreError> {
        self.read().await
    }

    fn is_shared(&self) -> bool {
        self.is_shared
    }

    async fn close(&self) {}
}

/// The transaction's session, borrowed for one call. Its commit is the transaction's.
struct Borrowed(OwnedMutexGuard<Option<Box<dyn Session>>>);

impl Borrowed {
    fn session(&mut self) -> Result<&mut dyn Session, StoreError> {
        match self.0.as_mut() {
            Some(session) => Ok(&mut **session),
            None => Err(ended()),
        }
    }
}

#[async_trait]
impl Session for Borrowed {
    async fn select(&mut self, select: &Select) -> Result<Vec<Row>, StoreError> {
        self.session()?.select(select).await
    }

    async fn count(&mut self, select: &Select) -> Result<u64, StoreError> {
        self.session()?.count(select).await
    }

    async fn tally(&mut self, select: &Select, column: &'static Column) -> Result<Vec<(Cell, u64)>, StoreError> {
        self.session()?.tally(select, column).await
    }

    fn gather(&mut self) {
        if let Ok(session) = self.session() {
            session.gather();
        }
    }

    async fn flush(&mut self) -> Result<(), StoreError> {
        self.session()?.flush().await
    }

    async fn insert(&mut self, table: &'static Table, rows: &[Row]) -> Result<(), StoreError> {
        self.session()?.insert(table, rows).await
    }

    async fn put(&mut self, table: &'static Table, rows: &[Row]) -> Result<(), StoreError> {
        self.session()?.put(table, rows).await
    }

    async fn update(
        &mut self,
        table: &'static Table,
        columns: &'static [&'static str],
        rows: &[Row],
    ) -> Result<(), StoreError> {
        self.session()?.update(table, columns, rows).await
    }

    async fn delete(&mut self, table: &'static Table, keys: &[Row]) -> Result<(), StoreError> {
        self.session()?.delete(table, keys).await
    }

    async fn take(&mut self, select: &Select, set: &[(&'static str, Cell)]) -> Result<Vec<Row>, StoreError> {
        self.session()?.take(select, set).await
    }

    async fn lock(&mut self, numbers: &[i64], wait: bool) -> Result<Vec<bool>, StoreError> {
        self.session()?.lock(numbers, wait).await
    }

    async fn now(&mut self) -> Result<Timestamp, StoreError> {
        self.session()?.now().await
    }

    async fn horizon(&mut self) -> Result<Option<i64>, StoreError> {
        self.session()?.horizon().await
    }

    async fn commit(self: Box<Self>) -> Result<(), StoreError> {
        Ok(())
    }
}
