//! Databases to test on, and rows to put there.

use std::io::Write;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use potok_core::instance::Key;
use potok_core::time::Timestamp;
use potok_store::row::LogRow;
use potok_store::{Outcome, Patience, Store, Unit};

static COUNT: AtomicU32 = AtomicU32::new(0);

/// A path for a database, removed in the end.
pub(crate) struct File(PathBuf);

impl File {
    pub(crate) fn new() -> Self {
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("potok-store-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.0.join("work.db")
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// The PostgreSQL server to test on, if there is one.
pub(crate) fn postgres_url(test: &str) -> Option<String> {
    let url = std::env::var("POTOK_POSTGRES_URL").ok().filter(|url| !url.is_empty());
    if url.is_none() {
        assert!(std::env::var("CI").is_err(), "POTOK_POSTGRES_URL must be set in CI, so that nothing is left out");
        // Not by `eprintln!`, which tests that pass do not show.
        let _ = writeln!(std::io::stderr(), "left out, for want of POTOK_POSTGRES_URL: {test}");
    }
    url
}

/// A schema of its own on that server.
pub(crate) async fn postgres_schema(url: &str) -> String {
    use sqlx::Connection;
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let schema = format!("potok_{}_{number}", std::process::id());
    let mut connection = sqlx::PgConnection::connect(url).await.unwrap();
    let sql = format!("DROP SCHEMA IF EXISTS {schema} CASCADE; CREATE SCHEMA {schema}");
    sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut connection).await.unwrap();
    let separator = if url.contains('?') { '&' } else { '?' };
    format!("{url}{separator}options=-csearch_path%3D{schema}")
}

/// A new database there.
pub(crate) async fn postgres(test: &str) -> Option<Store> {
    let url = postgres_url(test)?;
    Some(Store::open(&postgres_schema(&url).await).await.unwrap())
}

/// So many seconds after the epoch.
pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).unwrap()
}

pub(crate) fn log(instance: u64, seq: u64) -> LogRow {
    LogRow {
        instance: Key(instance),
        seq,
        time: at(seq.cast_signed()),
        definition: Key(1),
        format: 1,
        events: format!("events {seq}").into_bytes().into(),
        envelope: (*b"envelope").into(),
        ..LogRow::default()
    }
}

/// A unit with a row of each of the instances.
pub(crate) fn unit(id: u64, rows: &[(u64, u64)]) -> Unit {
    Unit { id, log: rows.iter().map(|(instance, seq)| log(*instance, *seq)).collect(), ..Unit::default() }
}

pub(crate) async fn commit(store: &Store, units: &[Unit]) -> Vec<Outcome> {
    store.commit(units, Patience::Try).await.unwrap()
}

pub(crate) async fn committed(store: &Store, unit: Unit) {
    assert_eq!(commit(store, &[unit]).await, [Outcome::Committed]);
}

/// The places of an instance's log rows, and who wrote them.
pub(crate) async fn history(store: &Store, instance: u64) -> Vec<(u64, u64)> {
    let rows = store.history(Key(instance), 0, 1000).await.unwrap();
    rows.iter().map(|row| (row.seq, row.unit)).collect()
}
