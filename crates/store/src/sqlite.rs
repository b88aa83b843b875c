//! SQLite: one file, one process, one writer and many readers; or memory, with one connection for all.

use std::borrow::Cow;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use potok_core::instance::Key;
use potok_core::time::Timestamp;
use sqlx::migrate::Migrator;
use sqlx::pool::PoolConnection;
use sqlx::sqlite::{SqliteArguments, SqliteConnectOptions, SqlitePool, SqlitePoolOptions, SqliteRow};
use sqlx::{
    Arguments, AssertSqlSafe, ConnectOptions, Connection, Row as _, Sqlite as Driver, SqliteConnection, Transaction,
};

use crate::StoreError;
use crate::cell::{Cell, Kind, Row};
use crate::clock::Clock;
use crate::database::{Database, Session};
use crate::recent::{Recent, Written};
use crate::record::{Column, Table};
use crate::select::{Filter, Select};
use crate::sql::{Bind, Dialect, Statement};
use crate::writer::{Turn, Writer, WriterSession};

static MIGRATIONS: Migrator = sqlx::migrate!("migrations/sqlite");

/// Marks a file as ours: "Ptok".
const APPLICATION: i64 = 0x5074_6f6b;

/// How long a statement waits for another process, which the lock file keeps out.
pub(crate) const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// What each connection is told.
pub(crate) const PRAGMAS: [(&str, &str); 5] = [
    ("journal_mode", "wal"),
    // Durable also against a loss of power: the log is written through at each commit.
    ("synchronous", "full"),
    ("cache_size", "-65536"),
    ("temp_store", "memory"),
    // Pages that change often are written back once for many commits.
    ("wal_autocheckpoint", "16000"),
];

/// Rows of one statement. More would not be faster, and each number of rows is a statement of its own to keep prepared.
const ROWS: usize = 128;

#[derive(Debug)]
pub(crate) struct Sqlite {
    /// Writes a file; none in memory, where one connection does everything.
    writer: Option<Writer>,
    /// Writes what a program writes itself, at the writer's turn.
    lent: SqlitePool,
    readers: SqlitePool,
    clock: Clock,
    recent: Arc<Recent>,
    /// Held as long as the file is open, so that no second process opens it. Not the database's own file: closing
    /// any handle of that would drop SQLite's locks.
    lock: Mutex<Option<File>>,
}

impl Sqlite {
    /// Opens a file, which need not be there yet; or a database in memory if there is no path.
    pub(crate) async fn open(path: Option<&Path>, clock: Clock) -> Result<Self, StoreError> {
        let lock = path.map(lock).transpose()?;
        let options = SqliteConnectOptions::new()
            .create_if_missing(true)
            .busy_timeout(BUSY_TIMEOUT)
            .statement_cache_capacity(500);
        let options = PRAGMAS.into_iter().fold(options, |options, (name, value)| options.pragma(name, value));
        let options = match path {
            Some(path) => options.filename(path),
            None => options.in_memory(true),
        };
        let pool = || {
            SqlitePoolOptions::new()
                .test_before_acquire(false)
                .idle_timeout(None)
                .max_lifetime(None)
                .acquire_timeout(Duration::from_secs(30))
        };
        if let Some(path) = path.filter(|path| path.exists()) {
            let mut connection = SqliteConnectOptions::new().filename(path).connect().await?;
            check_owner(&mut connection).await?;
            connection.close().await?;
        }
        // SQLite undoes a transaction itself when the disk is full; sqlx then takes the connection for being in one for ever.
        // In memory no disk is full, and a new connection would be a new database.
        let is_file = path.is_some();
        let lent = pool()
            .min_connections(1)
            .max_connections(1)
            .before_acquire(move |connection, _| {
                let is_free = !is_file || !connection.is_in_transaction();
                Box::pin(async move { Ok(is_free) })
            })
            .connect_with(options.clone())
            .await?;
        let mark = AssertSqlSafe(format!("PRAGMA application_id = {APPLICATION}"));
        sqlx::query(mark).execute(&lent).await?;
        MIGRATIONS.run(&lent).await?;
        let readers = match path {
            Some(_) => pool().max_connections(8).connect_lazy_with(options.pragma("query_only", "on")),
            None => lent.clone(),
        };
        let writer = path.map(Writer::open).transpose()?;
        Ok(Self { writer, lent, readers, clock, recent: Arc::default(), lock: Mutex::new(lock) })
    }
}

/// Takes the lock of a database's file.
fn lock(path: &Path) -> Result<File, StoreError> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let name = PathBuf::from(name);
    let failed = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem => {
            StoreError::ReadOnly(format!("{}: {error}", name.display()))
        }
        _ => StoreError::Unavailable(format!("{}: {error}", name.display())),
    };
    let file = File::options().create(true).truncate(false).write(true).open(&name).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => Err(StoreError::InUse(path.to_owned())),
        Err(std::fs::TryLockError::Error(error)) => Err(failed(error)),
    }
}

/// Refuses another program's database, before anything is written to it.
pub(crate) async fn check_owner(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    let number = async |connection: &mut SqliteConnection, sql: &'static str| {
        sqlx::query_scalar::<_, i64>(sql).fetch_one(connection).await
    };
    let application = number(connection, "PRAGMA application_id").await?;
    let tables = number(connection, "SELECT count(*) FROM sqlite_schema").await?;
    if application != APPLICATION && (application != 0 || tables > 0) {
        return Err(StoreError::Foreign("the file was written by another program; choose another path".into()));
    }
    Ok(())
}

#[async_trait]
impl Database for Sqlite {
    async fn read(&self) -> Result<Box<dyn Session>, StoreError> {
        let link = Link::Reading(self.readers.acquire().await?);
        Ok(Box::new(self.session(link)))
    }

    async fn write(&self) -> Result<Box<dyn Session>, StoreError> {
        match &self.writer {
            Some(writer) => {
                let turn = writer.turn().await?;
                Ok(Box::new(WriterSession::begin(turn, self.clock.clone(), self.recent.clone())?))
            }
            None => self.lend().await,
        }
    }

    async fn lend(&self) -> Result<Box<dyn Session>, StoreError> {
        let turn = match &self.writer {
            Some(writer) => Some(writer.turn().await?),
            None => None,
        };
        let link = Link::Writing(self.lent.begin_with("BEGIN IMMEDIATE").await?, turn);
        Ok(Box::new(self.session(link)))
    }

    fn is_shared(&self) -> bool {
        false
    }

    async fn close(&self) {
        self.readers.close().await;
        self.lent.close().await;
        if let Some(writer) = &self.writer {
            writer.close().await;
        }
        // Only now may another process have the file.
        drop(self.lock.lock().unwrap_or_else(PoisonError::into_inner).take());
    }
}

impl Sqlite {
    fn session(&self, link: Link) -> SqliteSession {
        SqliteSession { link, clock: self.clock.clone(), recent: self.recent.clone(), written: Written::default() }
    }
}

enum Link {
    Reading(PoolConnection<Driver>),
    /// With the right to write, where that is somebody else's, too.
    Writing(Transaction<'static, Driver>, Option<Turn>),
}

struct SqliteSession {
    link: Link,
    clock: Clock,
    recent: Arc<Recent>,
    written: Written,
}

impl SqliteSession {
    fn connection(&mut self) -> &mut SqliteConnection {
        match &mut self.link {
            Link::Reading(connection) => connection,
            Link::Writing(transaction, _) => transaction,
        }
    }

    async fn execute(&mut self, statement: Statement) -> Result<(), StoreError> {
        let arguments = arguments(statement.binds)?;
        sqlx::query_with(AssertSqlSafe(statement.text), arguments).execute(self.connection()).await?;
        Ok(())
    }

    async fn fetch(&mut self, statement: Statement, table: &'static Table) -> Result<Vec<Row>, StoreError> {
        let arguments = arguments(statement.binds)?;
        let query = sqlx::query_with(AssertSqlSafe(statement.text), arguments);
        query.fetch_all(self.connection()).await?.iter().map(|row| decode(row, table.columns)).collect()
    }
}

fn arguments(binds: Vec<Bind>) -> Result<SqliteArguments, StoreError> {
    let mut arguments = SqliteArguments::default();
    for bind in binds {
        match bind {
            Bind::One(Cell::Integer(value)) => arguments.add(value),
            Bind::One(Cell::Real(value)) => arguments.add(value),
            Bind::One(Cell::Text(value)) => arguments.add(Arc::<str>::from(&*value)),
            Bind::One(Cell::Bytes(value)) => arguments.add(value),
            Bind::Many(..) => Err("SQLite has no arrays".into()),
        }
        .map_err(sqlx::Error::Encode)?;
    }
    Ok(arguments)
}

fn decode(row: &SqliteRow, columns: &[Column]) -> Result<Row, StoreError> {
    let cell = |(index, column): (usize, &Column)| {
        Ok(match column.kind {
            Kind::Integer => Cell::Integer(row.try_get(index)?),
            Kind::Real => Cell::Real(row.try_get(index)?),
            Kind::Text => Cell::Text(row.try_get::<&str, _>(index)?.into()),
            Kind::Bytes => Cell::Bytes(row.try_get::<&[u8], _>(index)?.into()),
        })
    };
    columns.iter().enumerate().map(cell).collect()
}

/// Rows in statements of [`ROWS`], then of half as many and so on down to 16, then the rest: few different texts, and few statements.
fn portions(rows: &[Row]) -> impl Iterator<Item = &[Row]> {
    let mut rest = rows;
    std::iter::from_fn(move || {
        let size = [ROWS, 64, 32, 16].into_iter().find(|size| rest.len() >= *size).unwrap_or(rest.len());
        let (portion, after) = rest.split_at(size);
        rest = after;
        (!portion.is_empty()).then_some(portion)
    })
}

/// A search, in parts with few keys each.
pub(crate) fn parts(select: &Select) -> Vec<Cow<'_, Select>> {
    let keys = select.filters.iter().position(|filter| matches!(filter, Filter::Keys(_)));
    let (Some(index), None) = (keys, select.limit) else { return vec![Cow::Borrowed(select)] };
    let Filter::Keys(keys) = &select.filters[index] else { return Vec::new() };
    let part = |keys: &[Row]| {
        let mut part = select.clone();
        part.filters[index] = Filter::Keys(keys.to_vec());
        Cow::Owned(part)
    };
    portions(keys).map(part).collect()
}

#[async_trait]
impl Session for SqliteSession {
    async fn select(&mut self, select: &Select) -> Result<Vec<Row>, StoreError> {
        let mut found = Vec::new();
        for part in parts(select) {
            found.extend(self.fetch(Statement::select(Dialect::Sqlite, &part), select.table).await?);
        }
        Ok(found)
    }

    async fn count(&mut self, select: &Select) -> Result<u64, StoreError> {
        let statement = Statement::count(Dialect::Sqlite, select);
        let arguments = arguments(statement.binds)?;
        let query = sqlx::query_scalar_with::<_, i64, _>(AssertSqlSafe(statement.text), arguments);
        Ok(query.fetch_one(self.connection()).await?.cast_unsigned())
    }

    async fn tally(&mut self, select: &Select, column: &'static Column) -> Result<Vec<(Cell, u64)>, StoreError> {
        let statement = Statement::tally(Dialect::Sqlite, select, column);
        let arguments = arguments(statement.binds)?;
        let query = sqlx::query_with(AssertSqlSafe(statement.text), arguments);
        let rows = query.fetch_all(self.connection()).await?;
        let counted = |row: &_| {
            let cells = decode(row, std::slice::from_ref(column))?;
            Ok(cells.into_iter().next().zip(Some(row.try_get::<i64, _>(1)?.cast_unsigned())))
        };
        Ok(rows.iter().map(counted).collect::<Result<Vec<_>, StoreError>>()?.into_iter().flatten().collect())
    }

    async fn insert(&mut self, table: &'static Table, rows: &[Row]) -> Result<(), StoreError> {
        self.written.note(table, rows)?;
        for rows in portions(rows) {
            self.execute(Statement::insert(Dialect::Sqlite, table, rows, false)).await?;
        }
        Ok(())
    }

    async fn put(&mut self, table: &'static Table, rows: &[Row]) -> Result<(), StoreError> {
        for rows in portions(rows) {
            self.execute(Statement::insert(Dialect::Sqlite, table, rows, true)).await?;
        }
        Ok(())
    }

    async fn update(
        &mut self,
        table: &'static Table,
        columns: &'static [&'static str],
        rows: &[Row],
    ) -> Result<(), StoreError> {
        let columns: Vec<&Column> = columns.iter().filter_map(|name| Some(table.column(name)?.1)).collect();
        for rows in portions(rows) {
            self.execute(Statement::update(Dialect::Sqlite, table, &columns, rows)).await?;
        }
        Ok(())
    }

    async fn delete(&mut self, table: &'static Table, keys: &[Row]) -> Result<(), StoreError> {
        self.recent.removes(table);
        for keys in portions(keys) {
            self.execute(Statement::delete(Dialect::Sqlite, table, keys)).await?;
        }
        Ok(())
    }

    async fn take(&mut self, select: &Select, set: &[(&'static str, Cell)]) -> Result<Vec<Row>, StoreError> {
        self.fetch(Statement::take(Dialect::Sqlite, select, set), select.table).await
    }

    async fn lock(&mut self, numbers: &[i64], _wait: bool) -> Result<Vec<bool>, StoreError> {
        // There is one writer, and this is its transaction.
        Ok(vec![true; numbers.len()])
    }

    async fn now(&mut self) -> Result<Timestamp, StoreError> {
        Ok(self.clock.now())
    }

    fn sqlite(&mut self) -> Option<&mut SqliteConnection> {
        Some(self.connection())
    }

    async fn horizon(&mut self) -> Result<Option<i64>, StoreError> {
        Ok(None)
    }

    async fn commit(self: Box<Self>) -> Result<(), StoreError> {
        match self.link {
            Link::Reading(_) => Ok(()),
            Link::Writing(transaction, _turn) => match transaction.commit().await {
                Ok(()) => {
                    self.recent.learn(self.written);
                    Ok(())
                }
                Err(error) => {
                    self.recent.forget();
                    let code = error.as_database_error().and_then(|error| error.code()?.parse().ok());
                    Err(StoreError::of_commit(code, error.to_string()))
                }
            },
        }
    }

    fn recall(&self, instance: Key, seq: u64) -> Option<Option<u64>> {
        self.recent.recall(instance, seq)
    }
}
