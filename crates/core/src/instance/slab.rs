//! A table whose rows keep their number and whose freed numbers are used again, last freed first.

use std::iter;

use serde::{Deserialize, Serialize};

use super::NONE;

/// A row of a table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Row<T> {
    /// With the row that was freed before it.
    Free(u32),
    Used(T),
}

/// Rows addressed by a small number. The first stands in the table itself, for most instances have one token in one
/// scope and wait for one thing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Slab<T> {
    pub(crate) first: Row<T>,
    pub(crate) rest: Vec<Row<T>>,
    pub(crate) free: u32,
}

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Self { first: Row::Free(NONE), rest: Vec::new(), free: 0 }
    }
}

impl<T> Slab<T> {
    /// The number that the next inserted row gets.
    #[inline]
    pub(crate) fn next(&self) -> u32 {
        if self.free == NONE { u32::try_from(self.rest.len() + 1).unwrap_or(NONE) } else { self.free }
    }

    /// Makes room for as many more rows.
    pub(crate) fn reserve(&mut self, rows: u32) {
        self.rest.reserve(rows as usize);
    }

    /// Inserts a row; gives its number, which is what [`Slab::next`] said.
    pub(crate) fn insert(&mut self, value: T) -> u32 {
        let id = self.next();
        self.insert_next(id, || value);
        id
    }

    /// Inserts a row whose number [`Slab::next`] has said. It is made where it stays, for the processor waits where parts that were just
    /// written are moved as one.
    #[inline(always)]
    pub(crate) fn insert_next(&mut self, id: u32, value: impl FnOnce() -> T) {
        match self.row_mut(id) {
            Some(row) => {
                if let Row::Free(next) = *row {
                    *row = Row::Used(value());
                    self.free = next;
                }
            }
            None => self.rest.extend(iter::once_with(|| Row::Used(value()))),
        }
    }

    pub(crate) fn remove(&mut self, id: u32) -> Option<T> {
        let free = self.free;
        let row = self.row_mut(id).filter(|row| matches!(row, Row::Used(_)))?;
        let Row::Used(value) = std::mem::replace(row, Row::Free(free)) else { return None };
        self.free = id;
        Some(value)
    }

    /// Frees a row without moving what it holds; gives what is told of it.
    #[inline(always)]
    pub(crate) fn release<R>(&mut self, id: u32, told: impl FnOnce(&T) -> R) -> Option<R> {
        let free = self.free;
        let row = self.row_mut(id)?;
        let Row::Used(value) = row else { return None };
        let told = told(value);
        *row = Row::Free(free);
        self.free = id;
        Some(told)
    }

    #[inline]
    pub(crate) fn get(&self, id: u32) -> Option<&T> {
        let row = if id == 0 { &self.first } else { self.rest.get(id as usize - 1)? };
        match row {
            Row::Used(value) => Some(value),
            Row::Free(_) => None,
        }
    }

    #[inline]
    pub(crate) fn get_mut(&mut self, id: u32) -> Option<&mut T> {
        match self.row_mut(id)? {
            Row::Used(value) => Some(value),
            Row::Free(_) => None,
        }
    }

    #[inline]
    fn row_mut(&mut self, id: u32) -> Option<&mut Row<T>> {
        if id == 0 { Some(&mut self.first) } else { self.rest.get_mut(id as usize - 1) }
    }

    /// All rows by number.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, &T)> {
        (0u32..).zip(iter::once(&self.first).chain(&self.rest)).filter_map(|(id, row)| match row {
            Row::Used(value) => Some((id, value)),
            Row::Free(_) => None,
        })
    }

    /// All rows by number, to be changed.
    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        iter::once(&mut self.first).chain(&mut self.rest).filter_map(|row| match row {
            Row::Used(value) => Some(value),
            Row::Free(_) => None,
        })
    }
}
