//! What is durable in Potok.
//!
//! The log is the truth: one row for each command of each instance. All other rows follow from it and are written in the
//! same transaction. A [`Unit`] of work commits whole or not at all, and [`Store::commit`] takes many units of a moment in
//! one transaction. The bytes in log rows and snapshots are the core's: the store keeps them and never looks inside.
//!
//! One [`Store`] type stands before three databases: SQLite, PostgreSQL, and memory, which a [`Simulation`] can make fail
//! in all the ways that networks and machines do. Everything that must mean the same on all of them is written once, before
//! the narrow door that they differ behind.
//!
//! ```
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! use potok_core::instance::Key;
//! use potok_store::row::LogRow;
//! use potok_store::{Outcome, Patience, Store, Unit};
//!
//! let store = Store::open(":memory:").await?;
//! let row = LogRow { instance: Key(7), seq: 1, events: (*b"what happened").into(), ..LogRow::default() };
//! let unit = Unit { id: 4711, log: vec![row], ..Unit::default() };
//! assert_eq!(store.commit(&[unit], Patience::Try).await?, [Outcome::Committed]);
//! assert_eq!(store.history(Key(7), 0, 100).await?.len(), 1);
//! # Ok::<(), potok_store::StoreError>(())
//! # }).unwrap();
//! ```

mod backup;
mod batch;
mod cell;
mod change;
mod clock;
mod commit;
mod content;
mod database;
mod deploy;
mod error;
mod feed;
mod glance;
mod keys;
mod lease;
mod memory;
mod narrow;
mod news;
mod node;
mod postgres;
pub mod query;
mod recent;
mod record;
pub mod row;
mod select;
mod simulation;
mod sql;
mod sqlite;
mod standing;
mod store;
mod tally;
mod transaction;
mod unit;
mod webhook;
mod writer;

pub use cell::Bytes;
pub use change::{Changes, Place};
pub use content::{Upload, digest};
pub use deploy::Version;
pub use error::StoreError;
pub use feed::Position;
pub use keys::Keys;
pub use lease::{Fetch, First, Wanted};
pub use news::Listener;
pub use query::{Cursor, Page, Paging, Query};
pub use record::{Identity, Record};
pub use simulation::{Faults, Simulation};
/// The drivers of a [`Connection`]'s statements.
pub use sqlx;
pub use store::Store;
pub use transaction::{Connection, Transaction};
pub use unit::{Guard, Outcome, Patience, Seen, Unit};
