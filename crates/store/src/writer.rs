//! SQLite's writer: the one connection by which the store itself writes a file.
//!
//! A commit is some dozen short statements. sqlx hands each to a thread of the connection's own and waits for the answer, which would
//! take longer than the statements do. This connection works where it is called, in memory as a rule; only what is written
//! through to the disk is handed to a thread that may wait for that.

use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use potok_core::instance::Key;
use potok_core::time::Timestamp;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, ToSql};
use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::StoreError;
use crate::cell::{Cell, Kind, Row};
use crate::clock::Clock;
use crate::database::Session;
use crate::recent::{Recent, Written};
use crate::record::{Column, Table};
use crate::select::Select;
use crate::sql::{Bind, Dialect, Statement};
use crate::sqlite::{self, BUSY_TIMEOUT, PRAGMAS};

/// How long whoever wants to write waits for the one who does: a program's own transaction, perhaps.
const PATIENCE: Duration = Duration::from_secs(30);

/// Statements that are kept prepared.
const PREPARED: usize = 500;

#[derive(Debug)]
pub(crate) struct Writer(Arc<Mutex<Option<Connection>>>);

/// The right to write, whether by this connection or by another.
pub(crate) type Turn = OwnedMutexGuard<Option<Connection>>;

impl Writer {
    pub(crate) fn open(path: &Path) -> Result<Self, StoreError> {
        let connection = Connection::open(path)?;
        connection.busy_timeout(BUSY_TIMEOUT)?;
        for (name, value) in PRAGMAS {
            connection.pragma_update(None, name, value)?;
        }
        connection.set_prepared_statement_cache_capacity(PREPARED);
        Ok(Self(Arc::new(Mutex::new(Some(connection)))))
    }

    /// Waits until nobody else writes.
    pub(crate) async fn turn(&self) -> Result<Turn, StoreError> {
        let turn = tokio::time::timeout(PATIENCE, self.0.clone().lock_owned()).await;
        turn.map_err(|_| StoreError::Unavailable(format!("somebody has been writing for {} s", PATIENCE.as_secs())))
    }

    /// Lets go of the file, once nobody writes.
    pub(crate) async fn close(&self) {
        self.0.lock().await.take();
    }
}

/// A transaction of the [`Writer`].
pub(crate) struct WriterSession {
    /// Gone only when the transaction has ended.
    turn: Option<Turn>,
    clock: Clock,
    recent: Arc<Recent>,
    written: Written,
}

impl Drop for WriterSession {
    fn drop(&mut self) {
        if let Ok(connection) = self.connection() {
            // If it cannot be undone now, whoever begins the next one must.
            let _ = connection.execute_batch("ROLLBACK");
        }
    }
}

impl WriterSession {
    pub(crate) fn begin(turn: Turn, clock: Clock, recent: Arc<Recent>) -> Result<Self, StoreError> {
        let connection = turn.as_ref().ok_or_else(closed)?;
        if !connection.is_autocommit() {
            connection.execute_batch("ROLLBACK")?;
        }
        connection.execute_batch("BEGIN IMMEDIATE")?;
        Ok(Self { turn: Some(turn), clock, recent, written: Written::default() })
    }

    fn connection(&self) -> Result<&Connection, StoreError> {
        self.turn.as_deref().and_then(Option::as_ref).ok_or_else(closed)
    }

    /// Runs the same statement for each row.
    fn each(&self, text: &str, rows: &[Row]) -> Result<(), StoreError> {
        let mut prepared = self.connection()?.prepare_cached(text)?;
        for row in rows {
            for (index, cell) in row.iter().enumerate() {
                prepared.raw_bind_parameter(index + 1, cell)?;
            }
            prepared.raw_execute()?;
        }
        Ok(())
    }

    fn insert_each(&self, verb: &str, table: &Table, rows: &[Row]) -> Result<(), StoreError> {
        let mut text = format!("{verb} INTO \"{}\" (", table.name);
        list(&mut text, table.written(), ", ", |column, _| format!("\"{}\"", column.name));
        text.push_str(") VALUES (");
        list(&mut text, table.written(), ", ", |_, _| "?".into());
        text.push(')');
        self.each(&text, rows)
    }

    fn fetch(&self, statement: Statement, table: &Table) -> Result<Vec<Row>, StoreError> {
        let mut prepared = self.connection()?.prepare_cached(&statement.text)?;
        bind(&mut prepared, &statement.binds)?;
        let mut rows = prepared.raw_query();
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            found.push(decode(row, table.columns)?);
        }
        Ok(found)
    }
}

fn closed() -> StoreError {
    StoreError::Unavailable("the database has been closed".into())
}

/// Adds a list to a statement's text.
fn list(text: &mut String, columns: &[Column], separator: &str, item: impl Fn(&Column, usize) -> String) {
    for (index, column) in columns.iter().enumerate() {
        let _ = write!(text, "{}{}", if index == 0 { "" } else { separator }, item(column, index));
    }
}

/// The condition that the first columns are the first parameters.
fn keyed(text: &mut String, columns: &[Column]) {
    text.push_str(" WHERE ");
    list(text, columns, " AND ", |column, index| format!("\"{}\" = ?{}", column.name, index + 1));
}

impl ToSql for Cell {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Integer(value) => ValueRef::Integer(*value),
            Self::Real(value) => ValueRef::Real(*value),
            Self::Text(value) => ValueRef::Text(value.as_bytes()),
            Self::Bytes(value) => ValueRef::Blob(value),
        }))
    }
}

fn bind(prepared: &mut rusqlite::Statement<'_>, binds: &[Bind]) -> Result<(), StoreError> {
    for (index, bind) in binds.iter().enumerate() {
        match bind {
            Bind::One(cell) => prepared.raw_bind_parameter(index + 1, cell)?,
            Bind::Many(..) => return Err(StoreError::Refused("SQLite has no arrays".into())),
        }
    }
    Ok(())
}

fn decode(row: &rusqlite::Row<'_>, columns: &[Column]) -> Result<Row, StoreError> {
    let cell = |(index, column): (usize, &Column)| {
        let value = row.get_ref(index)?;
        Ok(match column.kind {
            Kind::Integer => Cell::Integer(value.as_i64().map_err(rusqlite::Error::from)?),
            Kind::Real => Cell::Real(value.as_f64().map_err(rusqlite::Error::from)?),
            Kind::Text => Cell::Text(value.as_str().map_err(rusqlite::Error::from)?.into()),
            Kind::Bytes => Cell::Bytes(value.as_blob().map_err(rusqlite::Error::from)?.into()),
        })
    };
    columns.iter().enumerate().map(cell).collect()
}

#[async_trait]
impl Session for WriterSession {
    async fn select(&mut self, select: &Select) -> Result<Vec<Row>, StoreError> {
        let mut found = Vec::new();
        for part in sqlite::parts(select) {
            found.extend(self.fetch(Statement::select(Dialect::Sqlite, &part), select.table)?);
        }
        Ok(found)
    }

    async fn count(&mut self, select: &Select) -> Result<u64, StoreError> {
        let statement = Statement::count(Dialect::Sqlite, select);
        let mut prepared = self.connection()?.prepare_cached(&statement.text)?;
        bind(&mut prepared, &statement.binds)?;
        let mut rows = prepared.raw_query();
        let count: i64 = rows.next()?.map_or(Ok(0), |row| row.get(0))?;
        Ok(count.cast_unsigned())
    }

    async fn tally(&mut self, select: &Select, column: &'static Column) -> Result<Vec<(Cell, u64)>, StoreError> {
        let statement = Statement::tally(Dialect::Sqlite, select, column);
        let mut prepared = self.connection()?.prepare_cached(&statement.text)?;
        bind(&mut prepared, &statement.binds)?;
        let mut rows = prepared.raw_query();
        let mut counts = Vec::new();
        while let Some(row) = rows.next()? {
            let value = decode(row, std::slice::from_ref(column))?.into_iter().next();
            counts.extend(value.zip(Some(row.get::<_, i64>(1)?.cast_unsigned())));
        }
        Ok(counts)
    }

    async fn insert(&mut self, table: &'static Table, rows: &[Row]) -> Result<(), StoreError> {
        self.written.note(table, rows)?;
        self.insert_each("INSERT", table, rows)
    }

    async fn put(&mut self, table: &'static Table, rows: &[Row]) -> Result<(), StoreError> {
        self.insert_each("INSERT OR REPLACE", table, rows)
    }

    async fn update(
        &mut self,
        table: &'static Table,
        columns: &'static [&'static str],
        rows: &[Row],
    ) -> Result<(), StoreError> {
        let mut text = format!("UPDATE \"{}\" SET ", table.name);
        for (index, column) in columns.iter().enumerate() {
            let separator = if index == 0 { "" } else { ", " };
            let _ = write!(text, "{separator}\"{column}\" = ?{}", table.key + index + 1);
        }
        keyed(&mut text, table.keys());
        self.each(&text, rows)
    }

    async fn delete(&mut self, table: &'static Table, keys: &[Row]) -> Result<(), StoreError> {
        self.recent.removes(table);
        let mut text = format!("DELETE FROM \"{}\"", table.name);
        keyed(&mut text, &table.columns[..keys.first().map_or(0, Vec::len)]);
        self.each(&text, keys)
    }

    async fn take(&mut self, select: &Select, set: &[(&'static str, Cell)]) -> Result<Vec<Row>, StoreError> {
        self.fetch(Statement::take(Dialect::Sqlite, select, set), select.table)
    }

    async fn lock(&mut self, numbers: &[i64], _wait: bool) -> Result<Vec<bool>, StoreError> {
        // There is one writer, and it is this one's turn.
        Ok(vec![true; numbers.len()])
    }

    async fn now(&mut self) -> Result<Timestamp, StoreError> {
        Ok(self.clock.now())
    }

    async fn horizon(&mut self) -> Result<Option<i64>, StoreError> {
        Ok(None)
    }

    async fn commit(mut self: Box<Self>) -> Result<(), StoreError> {
        let turn = self.turn.take().ok_or_else(closed)?;
        let (recent, written) = (self.recent.clone(), std::mem::take(&mut self.written));
        // Whoever stops waiting for it does not stop it.
        let committing = tokio::task::spawn_blocking(move || {
            let connection = turn.as_ref().ok_or_else(closed)?;
            let Err(error) = connection.execute_batch("COMMIT") else {
                recent.learn(written);
                return Ok(());
            };
            recent.forget();
            // Whoever has the next turn may write by another connection. It may have been undone already.
            let _ = connection.execute_batch("ROLLBACK");
            let code = error.sqlite_error().map(|failure| failure.extended_code);
            Err(StoreError::of_commit(code, error.to_string()))
        });
        committing.await.unwrap_or_else(|error| Err(StoreError::OutcomeUnknown(error.to_string())))
    }

    fn recall(&self, instance: Key, seq: u64) -> Option<Option<u64>> {
        self.recent.recall(instance, seq)
    }
}
