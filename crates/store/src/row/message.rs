//! What is left to do: messages that nobody waits for yet, and follow-up work.

use potok_core::Name;
use potok_core::instance::Key;
use potok_core::time::Timestamp;

use crate::cell::Bytes;
use crate::record::record;

record! {
    /// A message that is kept until somebody waits for it.
    pub struct Message in "messages" by Key {
        /// Its key.
        key: Key,
        /// The tenant.
        tenant: Option<Name>,
        /// Its name.
        name: Name,
        /// The key that it carries, as text.
        correlation: Option<Name>,
        /// The business key that it is for.
        business_key: Option<Name>,
        /// The instance that threw it, which never gets its own.
        sender: Option<Key>,
        /// All of it, as the engine encodes it.
        payload: Bytes,
        /// When it was kept.
        created: Timestamp,
        /// When it is dropped.
        expires: Timestamp,
    }
}

record! {
    /// Follow-up work: removed in the transaction that does it.
    pub struct Work in "work" by (Key, Key) {
        /// The instance that it is for.
        instance: Key,
        /// Its key.
        key: Key,
        /// What kind of work it is; the engine's numbers.
        kind: u32,
        /// Not before.
        due: Timestamp,
        /// What to do, as the engine encodes it.
        payload: Bytes,
        /// Not done by itself until it or its instance is resumed.
        suspended: bool,
        /// A node does it and has until then.
        leased_until: Timestamp,
    }
}
