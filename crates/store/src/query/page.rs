//! Pages of a list, and the cursors between them.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::StoreError;
use crate::cell::{Cell, Kind, Row};
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

/// Where a page ended: text that only the store understands.
#[derive(Clone, Debug, PartialEq)]
pub struct Cursor(Row);

impl Cursor {
    pub(crate) fn at(table: &Table, order: &[(&'static str, bool)], row: &[Cell]) -> Self {
        let places = order.iter().filter_map(|(column, _)| Some(table.column(column)?.0));
        Self(places.map(|place| row[place].clone()).collect())
    }

    /// Its values, if they are of those kinds.
    pub(crate) fn cells(&self, kinds: &[Kind]) -> Option<Row> {
        let fits = |(cell, kind): (&Cell, &Kind)| cell.kind() == *kind;
        (self.0.len() == kinds.len() && self.0.iter().zip(kinds).all(fits)).then(|| self.0.clone())
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let json = serde_json::to_vec(&self.0).map_err(|_| fmt::Error)?;
        f.write_str(&URL_SAFE_NO_PAD.encode(json))
    }
}

impl FromStr for Cursor {
    type Err = StoreError;

    fn from_str(text: &str) -> Result<Self, StoreError> {
        let json = URL_SAFE_NO_PAD.decode(text).map_err(|_| StoreError::InvalidCursor)?;
        Ok(Self(serde_json::from_slice(&json).map_err(|_| StoreError::InvalidCursor)?))
    }
}
