//! The ends of logs that were written last: where one process alone writes, they need not be read.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use potok_core::instance::Key;

use crate::StoreError;
use crate::cell::Row;
use crate::record::sealed::Sealed as _;
use crate::record::{Record as _, Table};
use crate::row::{LogPoint, LogRow};

/// Instances that are remembered. Beyond, all are forgotten and learned again.
const CAPACITY: usize = 200_000;

/// Log rows written in a transaction that has not ended: instance, place, unit.
#[derive(Debug, Default)]
pub(crate) struct Written(Vec<(Key, u64, u64)>);

impl Written {
    /// Notes rows that are being added to a table, if it is the log.
    pub(crate) fn note(&mut self, table: &Table, rows: &[Row]) -> Result<(), StoreError> {
        if table.name != LogRow::TABLE.name {
            return Ok(());
        }
        for row in rows {
            let point = LogPoint::from_row(row[..LogPoint::TABLE.columns.len()].to_vec())?;
            self.0.push((point.instance, point.seq, point.unit));
        }
        Ok(())
    }
}

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
    pub(crate) fn learn(&self, rows: Written) {
        let mut ends = self.ends.lock().unwrap_or_else(PoisonError::into_inner);
        if ends.len() > CAPACITY {
            ends.clear();
        }
        for (instance, seq, unit) in rows.0 {
            let end = ends.entry(instance).or_default();
            *end = (*end).max((seq, unit));
        }
    }

    /// Rows are being taken away from a table.
    pub(crate) fn removes(&self, table: &Table) {
        if table.name == LogRow::TABLE.name {
            self.forget();
        }
    }

    /// Forgets everything: what became of a commit is not known, or rows were taken away.
    pub(crate) fn forget(&self) {
        self.ends.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}
