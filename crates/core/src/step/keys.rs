//! Where a step gets the keys of what is waited for.

use std::cell::Cell;

use crate::instance::Key;

/// Gives keys, each once and each greater than the one before.
pub trait Keys {
    /// The next key.
    fn next(&self) -> Key;
}

/// Keys one after the other, for hosts that have no others to agree with.
#[derive(Debug)]
pub struct Counter(Cell<Key>);

impl Counter {
    /// The key that comes next.
    #[must_use]
    pub fn peek(&self) -> Key {
        self.0.get()
    }
}

impl Default for Counter {
    /// From 1 on: no key is 0.
    fn default() -> Self {
        Self::from(Key(1))
    }
}

impl From<Key> for Counter {
    fn from(first: Key) -> Self {
        Self(Cell::new(first))
    }
}

impl Keys for Counter {
    fn next(&self) -> Key {
        let key = self.0.get();
        self.0.set(Key(key.0 + 1));
        key
    }
}
