//! The ends of logs that were written last: where one process alone writes, they need not be read.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use potok_core::instance::Key;

/// Instances that are remembered. Beyond, all are forgotten and learned again.
const CAPACITY: usize = 200_000;

/// The last row of each instance's log and the unit that wrote it.
#[derive(Debug, Default)]
pub(crate) struct Recent {
    ends: Mutex<HashMap<Key, (u64, u64)>>,
}

impl Recent {
    /// The unit that wrote a row, or none if there is no such row; as far as it is remembered.
    pub(crate) fn recall(&self, instance: Key, seq: u64) -> Option<Option<u64>> {
        let (last, unit) = *self.ends.lock().unwrap_or_else(PoisonError::into_inner).get(&instance)?;
        match seq.cmp(&last) {
            std::cmp::Ordering::Less => None,
            std::cmp::Ordering::Equal => Some(Some(unit)),
            std::cmp::Ordering::Greater => Some(None),
        }
    }

    /// Remembers rows that have become durable.
    pub(crate) fn learn(&self, rows: Vec<(Key, u64, u64)>) {
        let mut ends = self.ends.lock().unwrap_or_else(PoisonError::into_inner);
        if ends.len() > CAPACITY {
            ends.clear();
        }
        for (instance, seq, unit) in rows {
            let end = ends.entry(instance).or_default();
            *end = (*end).max((seq, unit));
        }
    }

    /// Forgets everything: what became of a commit is not known, or rows were taken away.
    pub(crate) fn forget(&self) {
        self.ends.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}
