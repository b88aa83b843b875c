//! What is remembered for a while, and may be lost at any time.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use potok_core::instance::Key;

/// What is remembered of tasks or jobs, by their keys. It is forgotten half at a time, and first what nobody has asked for: were all of it
/// forgotten at once, all would ask the database at once.
#[derive(Debug)]
pub(crate) struct Remembered<T>(Mutex<Generations<T>>);

#[derive(Debug)]
struct Generations<T> {
    /// What has come or was asked for lately.
    young: HashMap<Key, T>,
    /// What was young before that, and is forgotten next.
    old: HashMap<Key, T>,
}

impl<T> Default for Remembered<T> {
    fn default() -> Self {
        Self(Mutex::new(Generations { young: HashMap::new(), old: HashMap::new() }))
    }
}

impl<T: Clone> Remembered<T> {
    /// How many of them are remembered at most.
    const MOST: usize = 10_000;

    fn all(&self) -> MutexGuard<'_, Generations<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is remembered under a key; it stays longer for having been asked for.
    pub(crate) fn get(&self, key: Key) -> Option<T> {
        let mut all = self.all();
        if let Some(what) = all.young.get(&key) {
            return Some(what.clone());
        }
        let what = all.old.remove(&key)?;
        let forgotten = all.put(key, what.clone(), Self::MOST / 2);
        drop(all);
        drop(forgotten);
        Some(what)
    }

    pub(crate) fn put(&self, key: Key, what: T) {
        let mut all = self.all();
        all.old.remove(&key);
        let forgotten = all.put(key, what, Self::MOST / 2);
        drop(all);
        drop(forgotten);
    }

    pub(crate) fn forget(&self, key: Key) {
        let mut all = self.all();
        all.young.remove(&key);
        all.old.remove(&key);
    }
}

impl<T> Generations<T> {
    /// Gives what is forgotten for it, to be dropped when nobody waits for that.
    #[must_use]
    fn put(&mut self, key: Key, what: T, most: usize) -> HashMap<Key, T> {
        let is_full = self.young.len() >= most && !self.young.contains_key(&key);
        let forgotten = match is_full {
            true => std::mem::replace(&mut self.old, std::mem::take(&mut self.young)),
            false => HashMap::new(),
        };
        self.young.insert(key, what);
        forgotten
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOST: usize = Remembered::<usize>::MOST;

    fn key(number: usize) -> Key {
        Key(number as u64)
    }

    #[test]
    fn what_came_lately_outlives_what_came_long_ago() {
        let remembered = Remembered::default();
        for number in 1..=5 * MOST {
            remembered.put(key(number), number);
            let all = remembered.all();
            assert!(all.young.len() + all.old.len() <= MOST, "after {number}");
            // All of them need not be looked at each time.
            let lately = (number.saturating_sub(MOST / 2) + 1..=number).step_by(499);
            for one in lately {
                assert!(all.young.contains_key(&key(one)) || all.old.contains_key(&key(one)), "{one} after {number}");
            }
        }
    }

    #[test]
    fn what_is_asked_for_is_not_forgotten() {
        let remembered = Remembered::default();
        remembered.put(key(0), 0);
        for number in 1..=3 * MOST {
            remembered.put(key(number), number);
            if number.is_multiple_of(1000) {
                assert_eq!(remembered.get(key(0)), Some(0), "after {number}");
            }
        }
        assert_eq!(remembered.get(key(1)), None);
    }

    #[test]
    fn what_is_forgotten_or_replaced_does_not_come_back() {
        let remembered = Remembered::default();
        for number in 1..=MOST / 2 + 1 {
            remembered.put(key(number), number);
        }
        // The first ones are about to be forgotten.
        remembered.put(key(1), 7);
        remembered.forget(key(2));
        assert_eq!((remembered.get(key(1)), remembered.get(key(2)), remembered.get(key(3))), (Some(7), None, Some(3)));
        remembered.forget(key(1));
        assert_eq!(remembered.get(key(1)), None);
    }
}
