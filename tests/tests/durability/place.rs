//! Databases to be killed on.

use std::io::Write;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use potok::sqlx::{self, AssertSqlSafe, Connection as _, PgConnection};
use potok::{Builder, Engine};

static COUNT: AtomicU32 = AtomicU32::new(0);

/// Where a database is. Removed in the end.
pub(crate) enum Place {
    File(PathBuf),
    Postgres(Schema),
}

/// A schema of its own on the PostgreSQL server to test on.
pub(crate) struct Schema {
    server: String,
    name: String,
}

impl Place {
    /// A file in a folder of its own.
    pub(crate) fn file() -> Self {
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("potok-durability-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        Self::File(folder)
    }

    /// A schema on the server that `POTOK_POSTGRES_URL` names, if it does; without, in CI, this fails.
    pub(crate) async fn postgres(test: &str) -> Option<Self> {
        let Some(server) = std::env::var("POTOK_POSTGRES_URL").ok().filter(|url| !url.is_empty()) else {
            assert!(std::env::var("CI").is_err(), "POTOK_POSTGRES_URL must be set in CI, so that nothing is left out");
            // Not by `eprintln!`, which tests that pass do not show.
            let _ = writeln!(std::io::stderr(), "left out, for want of POTOK_POSTGRES_URL: {test}");
            return None;
        };
        Some(Self::on_server(server).await)
    }

    /// A schema on that server.
    pub(crate) async fn on_server(server: String) -> Self {
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let schema = Schema { server, name: format!("potok_durability_{}_{number}", std::process::id()) };
        let name = &schema.name;
        schema.execute(format!("DROP SCHEMA IF EXISTS {name} CASCADE; CREATE SCHEMA {name}")).await;
        Self::Postgres(schema)
    }

    /// Its path or URL.
    pub(crate) fn url(&self) -> String {
        match self {
            Self::File(folder) => folder.join("work.db").display().to_string(),
            Self::Postgres(schema) => schema.url(),
        }
    }

    /// An engine there that does nothing by itself.
    pub(crate) fn by_hand(&self) -> Builder {
        Engine::builder().database(self.url()).job_execution(false).name("witness")
    }

    /// Once the programs on it have been killed: nothing of theirs is under way any more, and their leases have run out.
    pub(crate) async fn come_to_rest(&self) {
        let Self::Postgres(schema) = self else { return };
        schema.wait_until_alone().await;
        let name = &schema.name;
        schema
            .execute(format!("UPDATE {name}.timers SET leased_until = 0; UPDATE {name}.work SET leased_until = 0"))
            .await;
    }
}

impl Schema {
    pub(crate) fn server(&self) -> &str {
        &self.server
    }

    /// Its name, and that of its connections.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Its URL, under a name by which its connections can be found.
    pub(crate) fn url(&self) -> String {
        let separator = if self.server.contains('?') { '&' } else { '?' };
        format!("{}{separator}options=-csearch_path%3D{name}&application_name={name}", self.server, name = self.name)
    }

    async fn execute(&self, sql: String) {
        let mut connection = PgConnection::connect(&self.server).await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await.unwrap();
    }

    /// A killed program's backends may still be at its last statements.
    async fn wait_until_alone(&self) {
        let mut connection = PgConnection::connect(&self.server).await.unwrap();
        let sql = "SELECT count(*) FROM pg_stat_activity WHERE application_name = $1";
        for _ in 0..1000 {
            let others: i64 = sqlx::query_scalar(sql).bind(&self.name).fetch_one(&mut connection).await.unwrap();
            if others == 0 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("the connections of a killed program do not end");
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Self::File(folder) = self {
            let _ = std::fs::remove_dir_all(folder);
        }
    }
}
