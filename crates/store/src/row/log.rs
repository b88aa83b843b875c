//! The log: the truth that everything else is derived from.

use potok_core::instance::Key;
use potok_core::time::Timestamp;

use crate::cell::Bytes;
use crate::record::record;

record! {
    /// What one command did to one instance.
    pub struct LogRow in "log" by (Key, u64), generated 2 {
        /// The instance.
        instance: Key,
        /// Its place in the instance's history, from 1. It enters only where the one before stands.
        seq: u64,
        /// The unit of work that wrote it: a random number, so that a unit sent again is known.
        unit: u64,
        /// When it happened.
        time: Timestamp,
        /// The definition that the events' ordinals count in.
        definition: Key,
        /// The version of the encoding of `events` and `envelope`.
        format: u32,
        /// The events, as the core encodes them.
        events: Bytes,
        /// Who asked for it, and with what trace and idempotency key.
        envelope: Bytes,
        /// Its place among all rows of its transaction and others; filled in by the database.
        position: i64,
        /// The number of its transaction, where several run at once; filled in by the database.
        transaction: i64,
    }
}

record! {
    /// Where a log row stands, and who wrote it.
    pub(crate) struct LogPoint in "log" by (Key, u64) {
        /// The instance.
        instance: Key,
        /// Its place.
        seq: u64,
        /// The unit of work.
        unit: u64,
    }
}

record! {
    /// An instance as it was after a log row, so that loading need not read all before.
    pub struct Snapshot in "snapshots" by (Key, u64) {
        /// The instance.
        instance: Key,
        /// The last log row in it.
        seq: u64,
        /// The definition that its ordinals count in.
        definition: Key,
        /// The version of the encoding.
        format: u32,
        /// The instance, as the core encodes it.
        bytes: Bytes,
    }
}
