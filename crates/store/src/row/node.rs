//! The nodes that share a database.

use potok_core::Name;
use potok_core::time::Timestamp;

use crate::record::record;

record! {
    /// A running program, and the number that its keys carry.
    pub struct Node in "nodes" by u32 {
        /// Its number, below 1024.
        number: u32,
        /// A random number that tells it from whoever had the number before; 0 if nobody has it.
        lease: u64,
        /// All keys with the number may have been given out up to this one, in the order of [`Keys`](crate::Keys).
        keys: u64,
        /// Its name, for people.
        name: Name,
        /// The newest encoding that it reads; new ones are written once no older node is registered.
        format: u32,
        /// When its lease runs out.
        leased_until: Timestamp,
    }
}
