//! What was read a moment ago, so that it need not be read for each call.

use std::collections::HashMap;
use std::fmt;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// How long something is believed that others may change: other nodes, or whoever writes the database past the engine.
pub(crate) const BELIEVED: Duration = Duration::from_secs(5);

/// How much is remembered.
const CAPACITY: usize = 10_000;

/// What was read a moment ago. What this engine changes is forgotten at once; what others change is believed for
/// [a few seconds](BELIEVED).
pub(crate) struct Recent<K, V>(Mutex<Held<K, V>>);

struct Held<K, V> {
    values: HashMap<K, (V, Instant)>,
    /// Counts how often it was forgotten, so that what was read before that is not remembered after.
    generation: u64,
}

impl<K, V> Default for Recent<K, V> {
    fn default() -> Self {
        Self(Mutex::new(Held { values: HashMap::new(), generation: 0 }))
    }
}

// What is in it may be what somebody signs in by.
impl<K, V> fmt::Debug for Recent<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Recent")
    }
}

impl<K: Hash + Eq, V: Clone> Recent<K, V> {
    /// What is remembered, if it was read a moment ago.
    pub(crate) fn get<Q: Hash + Eq + ?Sized>(&self, key: &Q) -> Option<V>
    where
        K: std::borrow::Borrow<Q>,
    {
        let held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (value, read) = held.values.get(key)?;
        (read.elapsed() < BELIEVED).then(|| value.clone())
    }

    /// To be asked before reading what is to be remembered.
    pub(crate) fn generation(&self) -> u64 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).generation
    }

    /// Remembers what was read, unless something was forgotten meanwhile.
    pub(crate) fn remember(&self, key: K, value: V, generation: u64) {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if held.generation == generation {
            if held.values.len() >= CAPACITY {
                held.values.clear();
            }
            held.values.insert(key, (value, Instant::now()));
        }
    }

    /// Forgets all.
    pub(crate) fn forget(&self) {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        held.values.clear();
        held.generation += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_was_read_is_believed_for_a_while() {
        let recent: Recent<&str, u32> = Recent::default();
        recent.remember("a", 1, recent.generation());
        assert_eq!(recent.get("a"), Some(1));
        tokio::time::advance(BELIEVED - Duration::from_millis(1)).await;
        assert_eq!(recent.get("a"), Some(1));
        tokio::time::advance(Duration::from_millis(2)).await;
        assert_eq!(recent.get("a"), None);
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_read_before_a_change_is_not_remembered_after_it() {
        let recent: Recent<&str, u32> = Recent::default();
        recent.remember("a", 1, recent.generation());
        let generation = recent.generation();
        recent.forget();
        recent.remember("a", 1, generation);
        assert_eq!(recent.get("a"), None);
        recent.remember("a", 2, recent.generation());
        assert_eq!(recent.get("a"), Some(2));
    }
}
