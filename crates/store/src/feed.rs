//! The feed: all log rows, in an order in which none is ever skipped.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::cell::Field;
use crate::record::Record;
use crate::record::sealed::{Cells, Sealed};
use crate::row::LogRow;
use crate::select::{Filter, Operator, Select};
use crate::{Store, StoreError};

/// A place in the feed: whoever remembers it misses nothing and gets nothing twice.
///
/// Positions are given out when rows are written, but rows can be read when their transactions end. So transactions are
/// ordered first, and a reader stops at the oldest one that is still open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Position {
    transaction: i64,
    position: i64,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.transaction, self.position)
    }
}

impl FromStr for Position {
    type Err = StoreError;

    fn from_str(text: &str) -> Result<Self, StoreError> {
        let parsed = text.split_once('-').and_then(|(transaction, position)| {
            Some(Self { transaction: transaction.parse().ok()?, position: position.parse().ok()? })
        });
        parsed.ok_or(StoreError::InvalidCursor)
    }
}

impl From<&LogRow> for Position {
    fn from(row: &LogRow) -> Self {
        Self { transaction: row.transaction, position: row.position }
    }
}

impl Store {
    /// Log rows of all instances after a place, at most so many. Without rows, nothing has happened since.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn feed(&self, after: Position, limit: usize) -> Result<Vec<LogRow>, StoreError> {
        let mut session = self.database.read().await?;
        let select = Select::from(LogRow::TABLE).limit(limit);
        let select = match session.horizon().await? {
            Some(horizon) => {
                let place = (after.transaction, after.position).into_cells();
                select
                    .filter(Filter::Beyond(vec!["transaction", "position"], Operator::Greater, place))
                    .filter(Filter::Compare("transaction", Operator::Less, horizon.to_cell()))
                    .order("transaction", false)
            }
            None => select.filter(Filter::Compare("position", Operator::Greater, after.position.to_cell())),
        };
        let select = select.order("position", false);
        session.select(&select).await?.into_iter().map(LogRow::from_row).collect()
    }

    /// Where the feed ends now: what is written from now on comes after it.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn feed_end(&self) -> Result<Position, StoreError> {
        let mut session = self.database.read().await?;
        let select = Select::from(LogRow::TABLE).limit(1);
        let select = match session.horizon().await? {
            Some(horizon) => select
                .filter(Filter::Compare("transaction", Operator::Less, horizon.to_cell()))
                .order("transaction", true),
            None => select,
        };
        let last = session.select(&select.order("position", true)).await?.pop();
        Ok(last.map(LogRow::from_row).transpose()?.map(|row| Position::from(&row)).unwrap_or_default())
    }
}
