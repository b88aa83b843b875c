//! What can be said of a database before it is opened: nothing of it is changed, and it need not be there.

use std::path::Path;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _};

use crate::sqlite::{BUSY_TIMEOUT, check_owner};
use crate::{Store, StoreError};

/// For how long a server may not answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// What a path or URL names.
pub(crate) enum Place<'u> {
    Postgres(&'u str),
    File(&'u Path),
    Memory,
}

impl<'u> Place<'u> {
    pub(crate) fn of(url: &'u str) -> Result<Self, StoreError> {
        if url.starts_with("postgres:") || url.starts_with("postgresql:") {
            return Ok(Self::Postgres(url));
        }
        let path = url.strip_prefix("sqlite:").map(|path| path.strip_prefix("//").unwrap_or(path));
        match path.unwrap_or(url) {
            ":memory:" => Ok(Self::Memory),
            path => match path.split_once("://") {
                // The rest may have a password.
                Some((scheme, _)) => Err(StoreError::UnknownUrl(format!("{scheme}://"))),
                None => Ok(Self::File(Path::new(path))),
            },
        }
    }
}

impl Store {
    /// Whether a path or URL can be that of a database: of a kind that there is, in a folder that there is. Nothing is opened.
    ///
    /// # Errors
    /// If it cannot.
    pub fn check_url(url: &str) -> Result<(), StoreError> {
        match Place::of(url)? {
            Place::Postgres(url) => Ok(url.parse::<PgConnectOptions>().map(drop)?),
            Place::Memory => Ok(()),
            Place::File(path) => {
                let cannot_be = |why| Err(StoreError::Unavailable(format!("{}: {why}", path.display())));
                let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
                match () {
                    () if path.file_name().is_none() || path.is_dir() => cannot_be("a file is meant"),
                    () if !folder.is_dir() => cannot_be("its folder is not there"),
                    () => Ok(()),
                }
            }
        }
    }

    /// Whether there is any user in a database; nothing if it is not there yet. Nothing of it is changed, not even its schema.
    ///
    /// # Errors
    /// If it cannot be read, or is another program's.
    pub async fn has_users(url: &str) -> Result<Option<bool>, StoreError> {
        const ANYBODY: &str = "SELECT count(*) FROM (SELECT id FROM users LIMIT 1) AS anybody";
        let users: i64 = match Place::of(url)? {
            Place::Memory => return Ok(None),
            Place::File(path) if !path.is_file() => return Ok(None),
            Place::File(path) => {
                let mut log = path.as_os_str().to_owned();
                log.push("-wal");
                // Without a log there is nothing that another process is in the midst of, and SQLite need not make one to read.
                let is_at_rest = std::fs::metadata(log).map_or(true, |log| log.len() == 0);
                let options = SqliteConnectOptions::new().filename(path).read_only(true).immutable(is_at_rest);
                let mut connection = options.busy_timeout(BUSY_TIMEOUT).connect().await?;
                check_owner(&mut connection).await?;
                let table = "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'users'";
                if sqlx::query_scalar::<_, i64>(table).fetch_one(&mut connection).await? == 0 {
                    return Ok(Some(false));
                }
                let users = sqlx::query_scalar(ANYBODY).fetch_one(&mut connection).await?;
                connection.close().await?;
                users
            }
            Place::Postgres(url) => {
                let pool = PgPoolOptions::new().max_connections(1).acquire_timeout(PATIENCE);
                let pool = pool.connect_with(url.parse()?).await?;
                let table = "SELECT to_regclass('users') IS NOT NULL";
                if !sqlx::query_scalar::<_, bool>(table).fetch_one(&pool).await? {
                    return Ok(Some(false));
                }
                let users = sqlx::query_scalar(ANYBODY).fetch_one(&pool).await?;
                pool.close().await;
                users
            }
        };
        Ok(Some(users > 0))
    }
}
