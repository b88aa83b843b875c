//! Pages of a list, and the cursors between them.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use crate::StoreError;
use crate::cell::{Cell, Row};
use crate::record::Table;

/// Which page of a list.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Paging {
    /// The last first.
    pub descending: bool,
    /// Goes on where another page ended.
    pub after: Option<Cursor>,
    /// How many at most; all if none.
    pub limit: Option<usize>,
}

/// A page of a list.
#[derive(Clone, Debug, PartialEq)]
pub struct Page<T> {
    /// What is on it.
    pub rows: Vec<T>,
    /// Where the next one begins, if there is one. Rows that come and go meanwhile shift nothing.
    pub next: Option<Cursor>,
}

/// Where a page ended: text that only the store understands, of a list of the same rows in the same order.
#[derive(Clone, Debug, PartialEq)]
pub struct Cursor {
    /// Which list it is of.
    list: u32,
    /// What its last row has in the columns that it is sorted by.
    place: Row,
}

impl Cursor {
    pub(crate) fn at(table: &Table, order: &[(&'static str, bool)], row: &[Cell]) -> Self {
        let places = order.iter().filter_map(|(column, _)| Some(table.column(column)?.0));
        Self { list: list(table, order), place: places.map(|place| row[place].clone()).collect() }
    }

    /// Its values, if it is of rows of that table in that order.
    pub(crate) fn cells(&self, table: &Table, order: &[(&'static str, bool)]) -> Option<Row> {
        let fits = |(cell, (column, _)): (&Cell, &(&str, bool))| {
            table.column(column).is_some_and(|(_, column)| column.kind == cell.kind())
        };
        let is_of_it = self.list == list(table, order) && self.place.len() == order.len();
        (is_of_it && self.place.iter().zip(order).all(fits)).then(|| self.place.clone())
    }
}

/// A number for the rows of a table in an order, the same in every program: nodes go on with each other's pages.
fn list(table: &Table, order: &[(&'static str, bool)]) -> u32 {
    let mut hash = Sha256::new();
    hash.update(table.name);
    for (column, descending) in order {
        hash.update([0, u8::from(*descending)]);
        hash.update(column);
    }
    hash.finalize().iter().take(4).fold(0, |number, byte| number << 8 | u32::from(*byte))
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let json = serde_json::to_vec(&(self.list, &self.place)).map_err(|_| fmt::Error)?;
        f.write_str(&URL_SAFE_NO_PAD.encode(json))
    }
}

impl FromStr for Cursor {
    type Err = StoreError;

    fn from_str(text: &str) -> Result<Self, StoreError> {
        let json = URL_SAFE_NO_PAD.decode(text).map_err(|_| StoreError::InvalidCursor)?;
        let (list, place) = serde_json::from_slice(&json).map_err(|_| StoreError::InvalidCursor)?;
        Ok(Self { list, place })
    }
}
