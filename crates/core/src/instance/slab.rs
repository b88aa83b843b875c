//! A table whose rows keep their number and whose freed numbers are used again, last freed first.

use serde::{Deserialize, Serialize};

use super::NONE;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Row<T> {
    Free(u32),
    Used(T),
}

/// Rows addressed by a small number.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Slab<T> {
    rows: Vec<Row<T>>,
    free: u32,
}

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Self { rows: Vec::new(), free: NONE }
    }
}

impl<T> Slab<T> {
    /// The number that the next inserted row gets.
    pub(crate) fn next(&self) -> u32 {
        if self.free == NONE { u32::try_from(self.rows.len()).unwrap_or(NONE) } else { self.free }
    }

    /// Inserts a row; gives its number, which is what [`Slab::next`] said.
    pub(crate) fn insert(&mut self, value: T) -> u32 {
        let id = self.next();
        match self.rows.get_mut(id as usize) {
            Some(row) => {
                if let Row::Free(next) = *row {
                    self.free = next;
                }
                *row = Row::Used(value);
            }
            None => self.rows.push(Row::Used(value)),
        }
        id
    }

    pub(crate) fn remove(&mut self, id: u32) -> Option<T> {
        let row = self.rows.get_mut(id as usize)?;
        if matches!(row, Row::Free(_)) {
            return None;
        }
        let Row::Used(value) = std::mem::replace(row, Row::Free(self.free)) else { return None };
        self.free = id;
        Some(value)
    }

    pub(crate) fn get(&self, id: u32) -> Option<&T> {
        match self.rows.get(id as usize) {
            Some(Row::Used(value)) => Some(value),
            _ => None,
        }
    }

    pub(crate) fn get_mut(&mut self, id: u32) -> Option<&mut T> {
        match self.rows.get_mut(id as usize) {
            Some(Row::Used(value)) => Some(value),
            _ => None,
        }
    }

    /// All rows by number.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, &T)> {
        (0u32..).zip(&self.rows).filter_map(|(id, row)| match row {
            Row::Used(value) => Some((id, value)),
            Row::Free(_) => None,
        })
    }
}
