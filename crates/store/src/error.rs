//! What can go wrong with a database.

use std::path::PathBuf;

/// Trouble with the database, never with what it was asked to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The database does not answer, or answered that it cannot now. Nothing was changed.
    #[error("the database cannot be reached: {0}; nothing was changed, try again")]
    Unavailable(String),
    /// The answer to a commit was lost. Sending the very same units again, waiting, tells, and does
    /// what was not done.
    #[error("the database was lost in the middle of a commit: {0}; send the same units again, and wait")]
    OutcomeUnknown(String),
    /// No space is left.
    #[error("the database's disk is full: {0}; nothing was changed, make room and try again")]
    Full(String),
    /// The database may not be written.
    #[error("the database cannot be written: {0}; check its permissions")]
    ReadOnly(String),
    /// Another process has this SQLite file open.
    #[error("{} is open in another process; stop that one, or use PostgreSQL for several", .0.display())]
    InUse(PathBuf),
    /// The database was written by a newer version of this program.
    #[error(
        "the database has schema version {0}, which is newer than this program; use a newer version of the program"
    )]
    NewerSchema(i64),
    /// The database belongs to another program, or somebody has changed its schema.
    #[error("this is not a Potok database: {0}")]
    Foreign(String),
    /// A row cannot be read.
    #[error("column `{column}` of table `{table}` holds what this version cannot read; run `potok doctor`")]
    Damaged {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
    },
    /// The file is damaged.
    #[error("the database file is damaged: {0}; restore a backup")]
    Corrupt(String),
    /// A copy is not made of this kind of database, or not there.
    #[error("{0}")]
    NoCopy(String),
    /// Something larger than is allowed.
    #[error("{what} has {size} bytes, allowed are {limit}; make it smaller, or raise the limit")]
    TooLarge {
        /// What it is.
        what: &'static str,
        /// Its size.
        size: u64,
        /// The limit.
        limit: u64,
    },
    /// All 1024 node numbers are taken.
    #[error("all 1024 node numbers are leased; stop a node, or wait until the leases of dead ones have run out")]
    NoNodeNumber,
    /// A cursor that is not one, or not of this order.
    #[error("the cursor does not belong to this list; begin with the first page again")]
    InvalidCursor,
    /// The URL names no database that there is.
    #[error("`{0}` is neither a path nor a URL that begins with sqlite: or postgres:")]
    UnknownUrl(String),
    /// The database refused a statement.
    #[error("the database refused a statement: {0}")]
    Refused(String),
}

impl StoreError {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unavailable(_) => "store-unavailable",
            Self::OutcomeUnknown(_) => "store-outcome-unknown",
            Self::Full(_) => "store-full",
            Self::ReadOnly(_) => "store-read-only",
            Self::InUse(_) => "store-in-use",
            Self::NewerSchema(_) => "store-newer-schema",
            Self::Foreign(_) => "store-foreign",
            Self::Damaged { .. } => "store-damaged",
            Self::Corrupt(_) => "store-corrupt",
            Self::NoCopy(_) => "store-no-copy",
            Self::TooLarge { .. } => "store-too-large",
            Self::NoNodeNumber => "store-no-node-number",
            Self::InvalidCursor => "store-invalid-cursor",
            Self::UnknownUrl(_) => "store-unknown-url",
            Self::Refused(_) => "store-refused",
        }
    }

    /// An error of SQLite by its extended result code, in whose low byte is the primary one.
    fn of_sqlite(code: i32, text: String) -> Self {
        // The file ends before a page that it is to have.
        const SHORT_READ: i32 = 522;
        match code & 0xff {
            _ if code == SHORT_READ => Self::Corrupt(text),
            13 => Self::Full(text),
            8 => Self::ReadOnly(text),
            5 | 6 | 10 | 14 => Self::Unavailable(text),
            11 => Self::Corrupt(text),
            26 => Self::Foreign(text),
            _ => Self::Refused(text),
        }
    }

    /// An error of SQLite's COMMIT. It is certain that nothing was committed if the row that ends it in the write-ahead log could not be
    /// written; after any other failure, e.g. to write it through to the disk, that is not certain.
    pub(crate) fn of_commit(code: Option<i32>, text: String) -> Self {
        const FULL: i32 = 13;
        const WRITE_FAILED: i32 = 778;
        match code {
            Some(code @ (FULL | WRITE_FAILED)) => Self::of_sqlite(code, text),
            _ => Self::OutcomeUnknown(text),
        }
    }

    /// An error of a statement of PostgreSQL that is a transaction of its own. It is certain that nothing was committed if the server says
    /// what is wrong with it; not if the server or the connection went away.
    pub(crate) fn of_transaction(error: sqlx::Error) -> Self {
        let code = error.as_database_error().and_then(|error| error.code());
        match code.as_deref() {
            Some(code) if !["08", "57"].iter().any(|class| code.starts_with(class)) => error.into(),
            _ => Self::OutcomeUnknown(error.to_string()),
        }
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        let text = error.to_string();
        match error {
            rusqlite::Error::SqliteFailure(failure, _) => Self::of_sqlite(failure.extended_code, text),
            _ => Self::Refused(text),
        }
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        let text = error.to_string();
        let sqlx::Error::Database(database) = &error else {
            return match error {
                sqlx::Error::Io(_)
                | sqlx::Error::Tls(_)
                | sqlx::Error::Protocol(_)
                | sqlx::Error::PoolTimedOut
                | sqlx::Error::PoolClosed
                | sqlx::Error::WorkerCrashed => Self::Unavailable(text),
                _ => Self::Refused(text),
            };
        };
        // SQLite gives result codes as numbers; PostgreSQL gives SQLSTATEs.
        match database.code().as_deref() {
            Some(code) if code.len() < 5 => Self::of_sqlite(code.parse().unwrap_or(0), text),
            Some("53100") => Self::Full(text),
            Some("25006") => Self::ReadOnly(text),
            Some(code) if ["08", "40", "53", "55", "57"].iter().any(|class| code.starts_with(class)) => {
                Self::Unavailable(text)
            }
            _ => Self::Refused(text),
        }
    }
}

impl From<sqlx::migrate::MigrateError> for StoreError {
    fn from(error: sqlx::migrate::MigrateError) -> Self {
        use sqlx::migrate::MigrateError;
        match error {
            MigrateError::VersionMissing(version) => Self::NewerSchema(version),
            MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => error.into(),
            other => Self::Foreign(other.to_string()),
        }
    }
}
