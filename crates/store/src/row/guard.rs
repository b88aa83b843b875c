//! What must be unique outside any instance's log.

use potok_core::Name;
use potok_core::instance::Key;
use potok_core::time::Timestamp;

use crate::cell::{Bytes, codes};
use crate::record::record;

codes! {
    /// What a claim keeps unique.
    ClaimKind {
        /// A business key among the running instances of a process.
        #[default]
        BusinessKey = 0,
        /// A message's id, so that a message given twice is delivered once.
        MessageId = 1,
        /// An idempotency key, with the answer that was given.
        Idempotency = 2,
    }
}

record! {
    /// A value that only one may have.
    pub struct Claim in "claims" by (Name, ClaimKind, Name) {
        /// The tenant; empty if there is none.
        tenant: Name,
        /// What is kept unique.
        kind: ClaimKind,
        /// The value.
        value: Name,
        /// Who has it.
        owner: Key,
        /// What was answered to whoever took it.
        answer: Bytes,
        /// When the value is free again; never by itself if none.
        expires: Option<Timestamp>,
    }
}

record! {
    /// A unit of work that wrote no log row, so that it is known when it is sent again.
    pub(crate) struct Written in "units" by u64 {
        /// The unit.
        unit: u64,
        /// When it was written.
        time: Timestamp,
    }
}
