//! The same tests on SQLite in a file and in memory, on PostgreSQL, and on plain memory.
//!
//! PostgreSQL is named by `POTOK_POSTGRES_URL`. Without it these tests say that they were left out; with `CI=true` that is
//! a failure.

#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod access;
mod backup;
mod batches;
mod conditions;
mod credentials;
mod database;
mod deployments;
mod doctor;
mod feed;
mod history;
mod jobs;
mod messages;
mod migrate;
mod model;
mod modify;
mod neighbours;
mod once;
mod people;
mod policies;
mod polls;
mod refused;
mod restart;
mod restart_instance;
mod retries;
mod search;
mod simulation;
mod statistics;
mod tasks;
mod tasks_alone;
mod tenants;
mod timers;
mod traces;
mod transaction;
mod webhooks;
mod within;

/// Writes one test for each database.
#[macro_export]
macro_rules! on_every_database {
    ($($name:ident),* $(,)?) => {
        mod memory {
            $(#[tokio::test]
            async fn $name() {
                super::$name($crate::database::Place::Memory(potok_store::Simulation::new(
                    1, potok_store::Faults::default(), potok_core::time::Timestamp::now(),
                ))).await;
            })*
        }
        mod sqlite {
            $(#[tokio::test]
            async fn $name() {
                super::$name($crate::database::Place::File($crate::database::File::new())).await;
            })*
        }
        mod postgres {
            $(#[tokio::test]
            async fn $name() {
                let name = concat!(module_path!(), "::", stringify!($name));
                if let Some(place) = $crate::database::postgres(name).await {
                    super::$name(place).await;
                }
            })*
        }
    };
}
