//! The same tests on every database: SQLite in memory and on disk, PostgreSQL, plain memory.
//!
//! PostgreSQL is named by `POTOK_POSTGRES_URL`. Without it these tests say that they were left out; with `CI=true` that is
//! a failure.

#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod backup;
mod commit;
mod database;
mod deployment;
mod feed;

mod lease;
mod postgres;
mod search;
mod simulation;
mod sqlite;

/// Writes one test for each database.
#[macro_export]
macro_rules! on_every_database {
    ($($name:ident),* $(,)?) => {
        mod memory {
            $(#[tokio::test]
            async fn $name() {
                super::$name(potok_store::Store::memory()).await;
            })*
        }
        mod sqlite_in_memory {
            $(#[tokio::test]
            async fn $name() {
                super::$name(potok_store::Store::sqlite_in_memory().await.unwrap()).await;
            })*
        }
        mod sqlite {
            $(#[tokio::test]
            async fn $name() {
                let file = $crate::database::File::new();
                super::$name(potok_store::Store::sqlite(file.path()).await.unwrap()).await;
            })*
        }
        mod postgres {
            $(#[tokio::test]
            async fn $name() {
                let name = concat!(module_path!(), "::", stringify!($name));
                if let Some(store) = $crate::database::postgres(name).await {
                    super::$name(store).await;
                }
            })*
        }
    };
}
