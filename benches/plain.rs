//! The databases by themselves: what the engine's figures stand beside.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection};

/// What goes wrong with a database.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// How long each measurement takes.
const MOMENT: Duration = Duration::from_secs(2);

/// Rows that plain SQLite writes in a second, so many with each statement and commit, written through to the disk.
///
/// # Errors
/// If SQLite fails.
pub async fn sqlite(folder: &Path, rows: u32) -> Result<f64, Failure> {
    let mut connection = SqliteConnectOptions::new()
        .filename(folder.join(format!("plain-{rows}.db")))
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .connect()
        .await?;
    sqlx::query("CREATE TABLE plain (id INTEGER PRIMARY KEY, bytes BLOB)").execute(&mut connection).await?;
    let sql = format!("INSERT INTO plain (bytes) VALUES {}", vec!["(?)"; rows as usize].join(", "));
    let (start, mut count) = (Instant::now(), 0_u32);
    while start.elapsed() < MOMENT {
        let mut query = sqlx::query(AssertSqlSafe(sql.clone()));
        for _ in 0..rows {
            query = query.bind(vec![7_u8; 500]);
        }
        query.execute(&mut connection).await?;
        count += rows;
    }
    Ok(f64::from(count) / start.elapsed().as_secs_f64())
}

/// An empty schema on the PostgreSQL server that `POTOK_POSTGRES_URL` names, with a table `plain`; none if it names none.
///
/// # Errors
/// If the server cannot be reached.
pub async fn postgres_schema() -> Result<Option<String>, Failure> {
    let Some(url) = std::env::var("POTOK_POSTGRES_URL").ok().filter(|url| !url.is_empty()) else { return Ok(None) };
    let mut connection = PgConnection::connect(&url).await?;
    let schema = "DROP SCHEMA IF EXISTS potok_bench CASCADE; CREATE SCHEMA potok_bench; \
                  DROP SCHEMA IF EXISTS potok_plain CASCADE; CREATE SCHEMA potok_plain; \
                  CREATE TABLE potok_plain.plain (id bigint PRIMARY KEY, bytes bytea)";
    sqlx::raw_sql(schema).execute(&mut connection).await?;
    let separator = if url.contains('?') { '&' } else { '?' };
    Ok(Some(format!("{url}{separator}options=-csearch_path%3Dpotok_bench")))
}

/// An empty database for a peer in Java on the server of this URL, as JDBC names it.
///
/// # Errors
/// If the server cannot be reached, or the URL is not of the form `postgres://user@host:port/database`.
pub async fn java_database(url: &str, name: &str) -> Result<String, Failure> {
    let mut connection = PgConnection::connect(url).await?;
    for statement in [format!("DROP DATABASE IF EXISTS {name}"), format!("CREATE DATABASE {name}")] {
        sqlx::query(AssertSqlSafe(statement)).execute(&mut connection).await?;
    }
    let place = url.strip_prefix("postgres://").and_then(|rest| rest.split_once('@'));
    let (user, server) = place.ok_or("the URL must be of the form postgres://user@host:port/database")?;
    let server = server.split('/').next().unwrap_or(server);
    Ok(match user.split_once(':') {
        Some((user, password)) => format!("jdbc:postgresql://{server}/{name}?user={user}&password={password}"),
        None => format!("jdbc:postgresql://{server}/{name}?user={user}"),
    })
}

/// Rows that plain PostgreSQL writes in a second, so many with each statement and commit, for that many clients.
///
/// # Errors
/// If the server fails.
pub async fn postgres(url: &str, clients: u32, rows: u32) -> Result<f64, Failure> {
    let next = Arc::new(AtomicI64::new(0));
    let start = Instant::now();
    let mut all = tokio::task::JoinSet::new();
    for _ in 0..clients {
        let (url, next) = (url.to_owned(), next.clone());
        all.spawn(async move {
            let mut connection = PgConnection::connect(&url).await?;
            while start.elapsed() < MOMENT {
                let first = next.fetch_add(i64::from(rows), Ordering::Relaxed);
                let ids: Vec<i64> = (first..first + i64::from(rows)).collect();
                sqlx::query("INSERT INTO potok_plain.plain SELECT * FROM unnest($1::bigint[], $2::bytea[])")
                    .bind(ids)
                    .bind(vec![vec![7_u8; 500]; rows as usize])
                    .execute(&mut connection)
                    .await?;
            }
            Ok::<(), Failure>(())
        });
    }
    while let Some(client) = all.join_next().await {
        client??;
    }
    let written = u32::try_from(next.load(Ordering::Relaxed))?;
    let mut connection = PgConnection::connect(url).await?;
    sqlx::raw_sql("TRUNCATE potok_plain.plain").execute(&mut connection).await?;
    Ok(f64::from(written) / start.elapsed().as_secs_f64())
}

/// Megabytes that this process has in memory.
#[must_use]
pub fn resident_megabytes() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").trim().parse::<f64>().map_or(0.0, |kilobytes| kilobytes / 1024.0)
}
