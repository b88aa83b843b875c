//! The narrow door to a database: everything that differs between SQLite, PostgreSQL and memory is behind it, and
//! everything that must mean the same on all of them is before it.

use async_trait::async_trait;
use potok_core::instance::Key;
use potok_core::time::Timestamp;
use sqlx::{PgConnection, SqliteConnection};

use crate::StoreError;
use crate::cell::{Cell, Row};
use crate::news::Ear;
use crate::record::{Column, Table};
use crate::select::Select;
use crate::standing::Standing;

/// A database.
#[async_trait]
pub(crate) trait Database: std::fmt::Debug + Send + Sync {
    /// Begins to read. Each statement sees what was committed before it.
    async fn read(&self) -> Result<Box<dyn Session>, StoreError>;
    /// The same, to look up rows by their keys and nothing else.
    async fn look_up(&self) -> Result<Box<dyn Session>, StoreError> {
        self.read().await
    }
    /// Begins a transaction. Dropped, it is undone.
    async fn write(&self) -> Result<Box<dyn Session>, StoreError>;
    /// The same for a single change, which is all that must be whole: where it can, that is a transaction by itself, which is not undone
    /// when this is dropped.
    async fn write_once(&self) -> Result<Box<dyn Session>, StoreError> {
        self.write().await
    }
    /// Begins a transaction that is made in one statement when it is committed, without looking at anything first: it fails if it does not
    /// get the locks of these numbers at once, one of these rows of the log (of any unit, where that is 0) is not there, or one that it
    /// adds is. None where that saves nothing.
    async fn write_at_once(
        &self,
        _numbers: Vec<i64>,
        _standing: Standing,
    ) -> Result<Option<Box<dyn Session>>, StoreError> {
        Ok(None)
    }
    /// Begins a transaction in which a program's own statements have a place, too.
    async fn lend(&self) -> Result<Box<dyn Session>, StoreError> {
        self.write().await
    }
    /// Whether others may write to it, too.
    fn is_shared(&self) -> bool;
    /// Tells all who listen to it.
    async fn tell(&self, _news: &str) -> Result<(), StoreError> {
        Ok(())
    }
    /// Listens to what is told. None where nobody can tell anything.
    async fn listen(&self) -> Result<Option<Box<dyn Ear>>, StoreError> {
        Ok(None)
    }
    /// Lets go of the database.
    async fn close(&self);
}

/// A connection, with a transaction if it is to write.
#[async_trait]
pub(crate) trait Session: Send {
    async fn select(&mut self, select: &Select) -> Result<Vec<Row>, StoreError>;
    async fn count(&mut self, select: &Select) -> Result<u64, StoreError>;
    /// How many rows there are for each of the column's values.
    async fn tally(&mut self, select: &Select, column: &'static Column) -> Result<Vec<(Cell, u64)>, StoreError>;
    /// From here on changes may wait, in any order, until [`Session::flush`]: none of them sees another.
    fn gather(&mut self) {}
    /// Makes the changes that wait.
    async fn flush(&mut self) -> Result<(), StoreError> {
        Ok(())
    }
    /// Adds rows that are not there.
    async fn insert(&mut self, table: &'static Table, rows: &[Row]) -> Result<(), StoreError>;
    /// Adds rows, or replaces those with their primary keys.
    async fn put(&mut self, table: &'static Table, rows: &[Row]) -> Result<(), StoreError>;
    /// Sets columns of rows: each given row is the primary key and then the columns' values.
    async fn update(
        &mut self,
        table: &'static Table,
        columns: &'static [&'static str],
        rows: &[Row],
    ) -> Result<(), StoreError>;
    /// Removes the rows whose primary keys begin like one of the given, which are all equally long.
    async fn delete(&mut self, table: &'static Table, keys: &[Row]) -> Result<(), StoreError>;
    /// Sets columns of the selected rows and gives these rows, passing over those that somebody else is taking.
    async fn take(&mut self, select: &Select, set: &[(&'static str, Cell)]) -> Result<Vec<Row>, StoreError>;
    /// Locks numbers until the transaction ends; says which it got. Waiting, it gets all, if they are sorted.
    async fn lock(&mut self, numbers: &[i64], wait: bool) -> Result<Vec<bool>, StoreError>;
    /// The database's clock.
    async fn now(&mut self) -> Result<Timestamp, StoreError>;
    /// Log rows of transactions with numbers below this one are all there to be read. None where transactions have no
    /// numbers, because there is one at a time.
    async fn horizon(&mut self) -> Result<Option<i64>, StoreError>;
    async fn commit(self: Box<Self>) -> Result<(), StoreError>;
    /// The unit that wrote a log row, or none if there is no such row; as far as that is known without looking.
    fn recall(&self, _instance: Key, _seq: u64) -> Option<Option<u64>> {
        None
    }
    /// The connection, if it is one to SQLite.
    fn sqlite(&mut self) -> Option<&mut SqliteConnection> {
        None
    }
    /// The connection, if it is one to PostgreSQL.
    fn postgres(&mut self) -> Option<&mut PgConnection> {
        None
    }
}
