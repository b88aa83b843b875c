//! 64-bit keys: sortable by time, unique without coordination.

use std::sync::atomic::{AtomicU64, Ordering};

use potok_core::instance::Key;
use potok_core::time::Timestamp;

use crate::row::Node;

/// Keys of one node: 41 bits of milliseconds since 2025, 12 bits of counter, 10 bits of the node's number.
///
/// More keys of a millisecond than the counter holds run into the time: no key is given twice.
#[derive(Debug)]
pub struct Keys {
    node: u64,
    /// The next time and counter.
    next: AtomicU64,
}

impl Keys {
    /// The keys of a node that has just been joined.
    #[must_use]
    pub fn of(node: &Node) -> Self {
        Self { node: u64::from(node.number) % (1 << NODE_BITS), next: AtomicU64::new(node.keys) }
    }

    /// Up to where they have been given out: what is to be written with the node's lease.
    #[must_use]
    pub fn given(&self, now: Timestamp) -> u64 {
        self.next.load(Ordering::Relaxed).max(earliest(now))
    }

    /// The next key.
    pub fn next(&self, now: Timestamp) -> Key {
        let earliest = earliest(now);
        let after = |next: u64| next.max(earliest) + 1;
        let next = self.next.update(Ordering::Relaxed, Ordering::Relaxed, after).max(earliest);
        Key(next << NODE_BITS | self.node)
    }
}

/// The first key of that time.
fn earliest(now: Timestamp) -> u64 {
    let milliseconds = u64::try_from(now.as_millisecond() - EPOCH).unwrap_or(0) & ((1 << TIME_BITS) - 1);
    (milliseconds << COUNTER_BITS).max(1)
}

const TIME_BITS: u32 = 41;
const COUNTER_BITS: u32 = 12;
const NODE_BITS: u32 = 10;

/// How far ahead keys are marked as given out with each renewal of a lease: whoever takes over the number of a node that crashed
/// begins behind them.
pub(crate) const AHEAD: u64 = (2 * 60 * 1000) << COUNTER_BITS;

/// 2025-01-01T00:00:00Z.
const EPOCH: i64 = 1_735_689_600_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_grow_with_time_and_never_meet() {
        let now = Timestamp::from_millisecond(EPOCH + 5).unwrap();
        let keys = |number, keys| Keys::of(&Node { number, keys, ..Node::default() });
        let (first, second) = (keys(1, 0), keys(2, 0));
        let a = u64::from(first.next(now));
        let many: Vec<u64> = (0..10_000).map(|_| u64::from(first.next(now))).collect();
        assert!(many.windows(2).all(|two| two[0] < two[1]) && a < many[0], "more than fit into a millisecond");
        let c = u64::from(second.next(now));
        assert_eq!((a % 1024, c % 1024), (1, 2), "the node stands last");
        let later = Timestamp::from_millisecond(EPOCH + 5_000).unwrap();
        let last = u64::from(first.next(later));
        assert!(last > many[9_999]);
        assert!(u64::from(first.next(now)) > last, "a clock that runs backwards gives no key twice");
        let again = keys(1, first.given(now));
        assert!(u64::from(again.next(now)) > last + 1024, "nor does whoever has the number next");
    }
}
