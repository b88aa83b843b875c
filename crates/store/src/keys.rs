//! 64-bit keys: sortable by time, unique without coordination.

use std::sync::atomic::{AtomicU64, Ordering};

use potok_core::instance::Key;
use potok_core::time::Timestamp;

use crate::row::Node;

/// Keys of one node: 41 bits of milliseconds since 2025, 12 bits of counter, 10 bits of the node's number.
///
/// More keys of a millisecond than the counter holds run into the time: no key is given twice. Nor do keys follow the time
/// beyond what is marked as given out with the node's lease: a clock that is set by hand may run ahead of that by years, and
/// whoever has the number after a crash could give the same keys at the same time.
#[derive(Debug)]
pub struct Keys {
    node: u64,
    /// The next time and counter.
    next: AtomicU64,
    /// Up to there they are marked as given out.
    marked: AtomicU64,
}

impl Keys {
    /// The keys of a node that has just been joined.
    #[must_use]
    pub fn of(node: &Node) -> Self {
        Self {
            node: u64::from(node.number) % (1 << NODE_BITS),
            next: AtomicU64::new(node.keys),
            marked: AtomicU64::new(node.keys.saturating_add(AHEAD)),
        }
    }

    /// Notes that the node's lease has been renewed with keys given out up to there.
    pub fn renewed(&self, given: u64) {
        self.marked.fetch_max(given.saturating_add(AHEAD), Ordering::Relaxed);
    }

    /// Up to where they have been given out: what is to be written with the node's lease.
    #[must_use]
    pub fn given(&self, now: Timestamp) -> u64 {
        self.next.load(Ordering::Relaxed).max(earliest(now))
    }

    /// When a key was given out, as far as it tells.
    #[must_use]
    pub fn time_of(key: Key) -> Timestamp {
        let milliseconds = u64::from(key) >> (NODE_BITS + COUNTER_BITS);
        let milliseconds = i64::try_from(milliseconds).unwrap_or_default().saturating_add(EPOCH);
        Timestamp::from_millisecond(milliseconds).unwrap_or_default()
    }

    /// The next key.
    pub fn next(&self, now: Timestamp) -> Key {
        let earliest =
            Some(earliest(now)).filter(|earliest| *earliest < self.marked.load(Ordering::Relaxed)).unwrap_or(0);
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
        let keys = |number, given| {
            let keys = Keys::of(&Node { number, keys: given, ..Node::default() });
            keys.renewed(keys.given(now));
            keys
        };
        let (first, second) = (keys(1, 0), keys(2, 0));
        let a = u64::from(first.next(now));
        let many: Vec<u64> = (0..10_000).map(|_| u64::from(first.next(now))).collect();
        assert!(many.windows(2).all(|two| two[0] < two[1]) && a < many[0], "more than fit into a millisecond");
        let c = u64::from(second.next(now));
        assert_eq!((a % 1024, c % 1024), (1, 2), "the node stands last");
        assert_eq!(Keys::time_of(Key(a)), now);
        let later = Timestamp::from_millisecond(EPOCH + 5_000).unwrap();
        let last = u64::from(first.next(later));
        assert!(last > many[9_999]);
        assert!(u64::from(first.next(now)) > last, "a clock that runs backwards gives no key twice");
        let again = keys(1, first.given(now));
        assert!(u64::from(again.next(now)) > last + 1024, "nor does whoever has the number next");
    }

    #[test]
    fn a_clock_that_leaps_ahead_takes_no_keys_along_that_are_not_marked() {
        let now = Timestamp::from_millisecond(EPOCH + 5).unwrap();
        let node = Node { number: 1, ..Node::default() };
        let keys = Keys::of(&node);
        let marked = keys.given(now);
        keys.renewed(marked);
        let a_year_later = Timestamp::from_millisecond(EPOCH + 365 * 24 * 3_600_000).unwrap();
        let given: Vec<Key> = (0..3).map(|_| keys.next(a_year_later)).collect();
        // It crashes; the next one is by the same clock.
        let next = Keys::of(&Node { keys: marked + AHEAD, ..node });
        assert!(next.next(a_year_later) > given[2]);
        next.renewed(next.given(a_year_later));
        let by_time = next.next(a_year_later);
        assert_eq!(u64::from(by_time) >> (NODE_BITS + COUNTER_BITS), 365 * 24 * 3_600_000, "{by_time}");
    }
}
