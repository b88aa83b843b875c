//! The table of waits. Most instances wait for one thing, or a few: only those with more pay for an index by key.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use super::{Key, Slab, Wait, WaitId, WaitKind};

/// As many are looked through one by one.
const FEW: u32 = 8;

/// All waits of an instance, by number and by key.
#[expect(clippy::box_collection, reason = "hardly any instance has these, and every instance has room for them")]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Waits {
    rows: Slab<Wait>,
    count: u32,
    /// By key, once there were more than a few, until there are none.
    index: Option<Box<BTreeMap<Key, WaitId>>>,
    /// Waits for conditions by key, to be asked again after variables changed; none if there are none.
    conditions: Option<Box<BTreeMap<Key, WaitId>>>,
}

impl Waits {
    /// The rows, and whether there is an index: all else follows from them.
    pub(crate) fn parts(&self) -> (&Slab<Wait>, bool) {
        (&self.rows, self.index.is_some())
    }

    pub(crate) fn from_parts(rows: Slab<Wait>, indexed: bool) -> Self {
        let index = indexed.then(|| Box::new(rows.iter().map(|(id, wait)| (wait.key, id)).collect()));
        let conditions = rows.iter().filter(|(_, wait)| matches!(wait.kind, WaitKind::Condition { .. }));
        let conditions: BTreeMap<_, _> = conditions.map(|(id, wait)| (wait.key, id)).collect();
        let conditions = (!conditions.is_empty()).then(|| Box::new(conditions));
        let count = rows.iter().fold(0, |count, _| count + 1);
        Self { rows, count, index, conditions }
    }

    /// The number that the next inserted wait gets.
    pub(crate) fn next(&self) -> WaitId {
        self.rows.next()
    }

    /// How many there are.
    pub(crate) fn count(&self) -> u32 {
        self.count
    }

    pub(crate) fn get(&self, id: WaitId) -> Option<&Wait> {
        self.rows.get(id)
    }

    pub(crate) fn get_mut(&mut self, id: WaitId) -> Option<&mut Wait> {
        self.rows.get_mut(id)
    }

    /// All waits, to be changed; not their keys, nor what conditions are.
    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Wait> {
        self.rows.iter_mut()
    }

    /// The number of the wait with that key.
    pub(crate) fn find(&self, key: Key) -> Option<WaitId> {
        match &self.index {
            Some(index) => index.get(&key).copied(),
            None => self.rows.iter().find(|(_, wait)| wait.key == key).map(|(id, _)| id),
        }
    }

    /// All waits, oldest key first.
    pub(crate) fn by_key(&self) -> impl Iterator<Item = &Wait> {
        let mut few = SmallVec::<[&Wait; FEW as usize]>::new();
        if self.index.is_none() {
            few.extend(self.rows.iter().map(|(_, wait)| wait));
            few.sort_unstable_by_key(|wait| wait.key);
        }
        let many = self.index.iter().flat_map(|index| index.values().filter_map(|id| self.rows.get(*id)));
        few.into_iter().chain(many)
    }

    /// The oldest wait for a condition whose key is not below the given one.
    pub(crate) fn condition_from(&self, key: Key) -> Option<(Key, WaitId)> {
        self.conditions.as_ref()?.range(key..).next().map(|(key, id)| (*key, *id))
    }

    pub(crate) fn insert(&mut self, wait: Wait) {
        let (key, is_condition) = (wait.key, matches!(wait.kind, WaitKind::Condition { .. }));
        let id = self.rows.insert(wait);
        self.count += 1;
        match &mut self.index {
            Some(index) => {
                index.insert(key, id);
            }
            None if self.count > FEW => {
                self.index = Some(Box::new(self.rows.iter().map(|(id, wait)| (wait.key, id)).collect()));
            }
            None => {}
        }
        if is_condition {
            self.conditions.get_or_insert_default().insert(key, id);
        }
    }

    pub(crate) fn remove(&mut self, key: Key) -> Option<(WaitId, Wait)> {
        let id = self.find(key)?;
        let wait = self.rows.remove(id)?;
        if let Some(index) = &mut self.index {
            index.remove(&key);
        }
        if let Some(conditions) = &mut self.conditions {
            conditions.remove(&key);
            if conditions.is_empty() {
                self.conditions = None;
            }
        }
        self.count -= 1;
        if self.count == 0 && self.index.is_some() {
            // A crowd has left: so does the room that it took.
            (self.rows, self.index) = (Slab::default(), None);
        }
        Some((id, wait))
    }
}
