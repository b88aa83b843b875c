//! Copies of a database, made while it is at work; and databases made of copies.

use std::path::{Path, PathBuf};

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, SqliteConnection};

use crate::sqlite::check_owner;
use crate::{Store, StoreError};

const POSTGRES: &str = "a copy of a PostgreSQL database is made by its own tools, also while it is at work: \
                        `pg_dump --format=custom --file=work.dump URL`, and `pg_restore --dbname=URL work.dump` into an empty database";

impl Store {
    /// Makes a copy of the database in a file that is not there yet: as it is at one moment, while others go on. The copy is durable
    /// once this returns.
    ///
    /// # Errors
    /// If the database is not an SQLite file, the copy is there or cannot be written, or the database is damaged.
    pub async fn back_up(&self, to: impl AsRef<Path>) -> Result<(), StoreError> {
        let mut session = self.database.read().await?;
        let Some(connection) = session.sqlite() else { return Err(StoreError::NoCopy(POSTGRES.into())) };
        let file = file(connection).await?;
        let file = file.ok_or(StoreError::NoCopy("a database in memory is not copied; use one in a file".into()))?;
        // Those who read may not write, not even a copy.
        drop(session);
        Self::back_up_file(file, to).await
    }

    /// The SQLite file that the database is; nothing if it is another database.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn file(&self) -> Result<Option<PathBuf>, StoreError> {
        match self.database.read().await?.sqlite() {
            Some(connection) => file(connection).await,
            None => Ok(None),
        }
    }

    /// Makes a copy of an SQLite file, also one that another process has open.
    ///
    /// # Errors
    /// As [`Store::back_up`], or if it is not a Potok database.
    pub async fn back_up_file(from: impl AsRef<Path>, to: impl AsRef<Path>) -> Result<(), StoreError> {
        let mut connection = open(from.as_ref()).await?;
        copy(&mut connection, to.as_ref(), async |_| Ok(())).await?;
        Ok(connection.close().await?)
    }

    /// Makes a database of a copy, in a file that is not there yet. What others had in their hands when the copy was made (jobs, timers,
    /// numbers of nodes) is in nobody's.
    ///
    /// # Errors
    /// As [`Store::back_up_file`].
    pub async fn restore(copy_of: impl AsRef<Path>, to: impl AsRef<Path>) -> Result<(), StoreError> {
        let mut connection = open(copy_of.as_ref()).await?;
        copy(&mut connection, to.as_ref(), release).await?;
        Ok(connection.close().await?)
    }
}

/// The file that a connection leads to; nothing if the database is in memory.
async fn file(connection: &mut SqliteConnection) -> Result<Option<PathBuf>, StoreError> {
    let sql = "SELECT file FROM pragma_database_list WHERE name = 'main'";
    let file: String = sqlx::query_scalar(sql).fetch_one(connection).await?;
    Ok(Some(file).filter(|file| !file.is_empty()).map(PathBuf::from))
}

/// Opens a file beside whoever has it open: SQLite's own locks keep readers and writers apart.
async fn open(path: &Path) -> Result<SqliteConnection, StoreError> {
    if !path.is_file() {
        return Err(StoreError::NoCopy(format!("there is no database {}", path.display())));
    }
    let mut connection = SqliteConnectOptions::new().filename(path).connect().await?;
    check_owner(&mut connection).await?;
    Ok(connection)
}

/// Copies what a connection leads to, under another name at first: so that a copy which is there is whole.
async fn copy(
    from: &mut SqliteConnection,
    to: &Path,
    change: impl AsyncFnOnce(&mut SqliteConnection) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    for path in [to.to_owned(), beside(to, "-wal")] {
        if path.exists() {
            return Err(StoreError::NoCopy(format!("{} is there already; nothing is written over", path.display())));
        }
    }
    let part = beside(to, ".part");
    let failed = |error: std::io::Error| StoreError::Unavailable(format!("{}: {error}", part.display()));
    // Of a copy that was interrupted.
    match std::fs::remove_file(&part) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(failed(error)),
        _ => {}
    }
    let quoted = part.display().to_string().replace('\'', "''");
    sqlx::query(AssertSqlSafe(format!("VACUUM INTO '{quoted}'"))).execute(from).await?;
    let mut copy = SqliteConnectOptions::new().filename(&part).connect().await?;
    let found: String = sqlx::query_scalar("PRAGMA quick_check(1)").fetch_one(&mut copy).await?;
    if found != "ok" {
        return Err(StoreError::Corrupt(found));
    }
    change(&mut copy).await?;
    copy.close().await?;
    // Only what is on the disk gets its name. Windows flushes only what is opened to be written.
    std::fs::File::options().write(true).open(&part).and_then(|file| file.sync_all()).map_err(failed)?;
    std::fs::rename(&part, to).map_err(failed)?;
    let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    match std::fs::File::open(folder) {
        Ok(folder) => folder.sync_all().map_err(failed),
        // Not every system lets a folder be opened.
        Err(_) => Ok(()),
    }
}

/// Takes everything out of everybody's hands, whatever of it the copy's version knows. Nodes' keys stay marked as given out, so that none is
/// given again.
async fn release(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    let sql = "SELECT t.name, c.name FROM sqlite_schema AS t JOIN pragma_table_info(t.name) AS c \
               WHERE t.type = 'table' AND c.name IN ('lease', 'leased_until')";
    let leases: Vec<(String, String)> = sqlx::query_as(sql).fetch_all(&mut *connection).await?;
    let mut transaction = connection.begin().await?;
    for (table, column) in leases {
        let sql = AssertSqlSafe(format!(r#"UPDATE "{table}" SET "{column}" = 0"#));
        sqlx::query(sql).execute(&mut *transaction).await?;
    }
    Ok(transaction.commit().await?)
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}
