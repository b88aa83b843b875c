//! 64-bit keys: sortable by time, unique without coordination.

use std::sync::atomic::{AtomicU64, Ordering};

use potok_core::instance::Key;
use potok_core::time::Timestamp;

/// Keys of one node: 41 bits of milliseconds since 2025, 12 bits of counter, 10 bits of the node's number.
///
/// The node stands last, so that a step may take as many keys in a row as it needs: one after the other they are
/// [`Keys::STEP`] apart, run from the counter into the time, and never meet another node's.
#[derive(Debug)]
pub struct Keys {
    node: u64,
    /// The next time and counter.
    next: AtomicU64,
}

impl Keys {
    /// From a key to the next one of the same node.
    pub const STEP: u64 = 1 << NODE_BITS;

    /// The keys of a node.
    #[must_use]
    pub fn new(node: u32) -> Self {
        Self { node: u64::from(node) % Self::STEP, next: AtomicU64::new(0) }
    }

    /// Reserves keys; gives the first. The others follow at [`Keys::STEP`].
    pub fn reserve(&self, count: u64, now: Timestamp) -> Key {
        let milliseconds = u64::try_from(now.as_millisecond() - EPOCH).unwrap_or(0) & ((1 << TIME_BITS) - 1);
        let earliest = (milliseconds << COUNTER_BITS).max(1);
        let after = |next: u64| next.max(earliest).wrapping_add(count);
        let next = self.next.update(Ordering::Relaxed, Ordering::Relaxed, after).max(earliest);
        Key(next << NODE_BITS | self.node)
    }
}

const TIME_BITS: u32 = 41;
const COUNTER_BITS: u32 = 12;
const NODE_BITS: u32 = 10;

/// 2025-01-01T00:00:00Z.
const EPOCH: i64 = 1_735_689_600_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_grow_with_time_and_never_meet() {
        let now = Timestamp::from_millisecond(EPOCH + 5).unwrap();
        let (first, second) = (Keys::new(1), Keys::new(2));
        let a = u64::from(first.reserve(10_000, now));
        let b = u64::from(first.reserve(1, now));
        let c = u64::from(second.reserve(1, now));
        assert_eq!(b, a + 10_000 * Keys::STEP);
        assert_eq!(a % Keys::STEP, 1);
        assert_eq!(c % Keys::STEP, 2);
        let later = Timestamp::from_millisecond(EPOCH + 5_000).unwrap();
        assert!(u64::from(first.reserve(1, later)) > b);
        assert!(u64::from(first.reserve(1, now)) > b, "a clock that runs backwards gives no key twice");
    }
}
