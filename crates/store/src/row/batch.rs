//! Batches: one thing to be done to many instances, little by little.

use potok_core::Name;
use potok_core::instance::Key;
use potok_core::time::Timestamp;

use crate::cell::{Bytes, codes};
use crate::record::record;

codes! {
    /// How far a batch is.
    BatchState {
        /// At work.
        #[default]
        Running = 0,
        /// Held back until it is resumed.
        Paused = 1,
        /// Given up: what was done stays done.
        Cancelled = 2,
        /// Nothing is left to do.
        Completed = 3,
    }
}

record! {
    /// A batch.
    pub struct Batch in "batches" by Key {
        /// Its key.
        key: Key,
        /// How far it is.
        state: BatchState,
        /// What is done, as the engine encodes it.
        operation: Bytes,
        /// Who asked for it.
        author: Option<Name>,
        /// The tenant that it was asked for within.
        tenant: Option<Name>,
        /// When.
        created: Timestamp,
        /// When it was completed or cancelled.
        ended: Option<Timestamp>,
    }
}

codes! {
    /// Whether a batch has done its work on one instance.
    ItemState {
        /// Not yet.
        #[default]
        Open = 0,
        /// Done.
        Done = 1,
        /// It could not be done.
        Failed = 2,
    }
}

record! {
    /// One instance of a batch.
    pub struct BatchItem in "batch_items" by (Key, Key) {
        /// The batch.
        batch: Key,
        /// The instance.
        instance: Key,
        /// Whether it is done.
        state: ItemState,
        /// The stable code of what went wrong.
        code: Option<Name>,
        /// What went wrong, in words.
        message: Option<Name>,
        /// A node is at it and has until then.
        leased_until: Timestamp,
    }
}
