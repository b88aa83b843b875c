//! Databases to test on.

use std::io::Write;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use potok::row::Group;
use potok::{Builder, Clock, Engine, Role};
use potok_core::time::Timestamp;
use potok_store::Simulation;

static COUNT: AtomicU32 = AtomicU32::new(0);

/// A path for a database, removed in the end.
pub(crate) struct File(PathBuf);

impl File {
    pub(crate) fn new() -> Self {
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("potok-engine-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    /// Another file in its folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Where a database is, so that an engine can be started on it again.
pub(crate) enum Place {
    Memory(Simulation),
    File(File),
    Postgres(String),
}

impl Place {
    pub(crate) fn builder(&self) -> Builder {
        match self {
            Self::Memory(simulation) => Engine::builder().store(simulation.node()),
            Self::File(file) => Engine::builder().sqlite(file.0.join("work.db")),
            Self::Postgres(url) => Engine::builder().postgres(url),
        }
    }

    /// An engine whose time stands still, and that does nothing by itself.
    pub(crate) async fn by_hand(&self) -> Engine {
        self.builder().clock(Clock::standing_at(morning())).job_execution(false).start().await.unwrap()
    }

    /// An engine with these files.
    pub(crate) async fn with(&self, files: &[(&str, &str)]) -> Engine {
        let engine = self.by_hand().await;
        deploy(&engine, files).await;
        engine
    }
}

/// Stops an engine, and sees to it that it leaves the database sound.
pub(crate) async fn stop(engine: &Engine) {
    let findings = engine.examine().await.unwrap();
    assert!(findings.is_empty(), "the database is not as the log says: {findings:#?}");
    engine.stop().await;
}

pub(crate) async fn deploy(engine: &Engine, files: &[(&str, &str)]) -> potok::Deployed {
    let mut deployment = engine.deployment();
    for (name, file) in files {
        deployment = deployment.file(*name, file);
    }
    deployment.send().await.unwrap()
}

/// An engine for a user who has a role, by a group of the role's name.
pub(crate) async fn acting(engine: &Engine, user: &str, role: Role) -> Engine {
    let people = engine.people();
    people.put_group(Group { id: role.name().into(), ..Group::default() }).await.unwrap();
    people.grant(role.name(), role).await.unwrap();
    people.add_member(role.name(), user).await.unwrap();
    engine.as_user(user)
}

/// A Monday.
pub(crate) fn morning() -> Timestamp {
    at("2026-01-05T09:00:00Z")
}

pub(crate) fn at(moment: &str) -> Timestamp {
    moment.parse().unwrap()
}

/// A schema of its own on the PostgreSQL server to test on, if there is one.
pub(crate) async fn postgres(test: &str) -> Option<Place> {
    use sqlx::Connection;
    let Some(url) = std::env::var("POTOK_POSTGRES_URL").ok().filter(|url| !url.is_empty()) else {
        assert!(std::env::var("CI").is_err(), "POTOK_POSTGRES_URL must be set in CI, so that nothing is left out");
        // Not by `eprintln!`, which tests that pass do not show.
        let _ = writeln!(std::io::stderr(), "left out, for want of POTOK_POSTGRES_URL: {test}");
        return None;
    };
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let schema = format!("potok_engine_{}_{number}", std::process::id());
    let mut connection = sqlx::PgConnection::connect(&url).await.unwrap();
    let sql = format!("DROP SCHEMA IF EXISTS {schema} CASCADE; CREATE SCHEMA {schema}");
    sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut connection).await.unwrap();
    let separator = if url.contains('?') { '&' } else { '?' };
    Some(Place::Postgres(format!("{url}{separator}options=-csearch_path%3D{schema}")))
}
