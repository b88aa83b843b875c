//! A database in memory, and the faults that it can be made to have.
//!
//! One transaction at a time, as in SQLite; what PostgreSQL adds to that (locks that others hold, connections that break,
//! commits whose outcome is unknown) comes from a seed.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use potok_core::time::Timestamp;
use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::StoreError;
use crate::cell::{Cell, Row};
use crate::clock::Clock;
use crate::database::{Database, Session};
use crate::record::{Column, Table};
use crate::select::{Filter, Select, like};
use crate::simulation::Trouble;

/// All rows.
#[derive(Debug, Default)]
pub(crate) struct Data {
    tables: BTreeMap<&'static str, Stored>,
    /// Log rows so far.
    position: i64,
}

#[derive(Debug)]
struct Stored {
    columns: &'static [Column],
    rows: BTreeMap<Row, Row>,
}

/// A node's view of a database in memory.
#[derive(Debug)]
pub(crate) struct Memory {
    pub(crate) data: Arc<Mutex<Data>>,
    pub(crate) clock: Clock,
    pub(crate) trouble: Option<Trouble>,
}

#[async_trait]
impl Database for Memory {
    async fn read(&self) -> Result<Box<dyn Session>, StoreError> {
        self.session(None).await
    }

    async fn write(&self) -> Result<Box<dyn Session>, StoreError> {
        if let Some(trouble) = &self.trouble {
            trouble.pause().await;
        }
        self.session(Some(self.data.clone().lock_owned().await)).await
    }

    fn is_shared(&self) -> bool {
        true
    }

    async fn close(&self) {}
}

impl Memory {
    async fn session(&self, writing: Option<OwnedMutexGuard<Data>>) -> Result<Box<dyn Session>, StoreError> {
        let mut session = MemorySession {
            data: self.data.clone(),
            writing,
            undo: Vec::new(),
            position: None,
            clock: self.clock.clone(),
            trouble: self.trouble.clone(),
            broken: false,
        };
        session.disturb().await?;
        Ok(Box::new(session))
    }
}

struct MemorySession {
    data: Arc<Mutex<Data>>,
    writing: Option<OwnedMutexGuard<Data>>,
    /// What stood before each change, for the way back.
    undo: Vec<(&'static str, Row, Option<Row>)>,
    position: Option<i64>,
    clock: Clock,
    trouble: Option<Trouble>,
    broken: bool,
}

impl Drop for MemorySession {
    fn drop(&mut self) {
        let Some(data) = &mut self.writing else { return };
        if let Some(position) = self.position {
            data.position = position;
        }
        while let Some((table, key, row)) = self.undo.pop() {
            let Some(stored) = data.tables.get_mut(table) else { continue };
            match row {
                Some(row) => stored.rows.insert(key, row),
                None => stored.rows.remove(&key),
            };
        }
    }
}

impl MemorySession {
    /// Lets others go first, and breaks the connection, as the seed says.
    async fn disturb(&mut self) -> Result<(), StoreError> {
        let Some(trouble) = &self.trouble else { return Ok(()) };
        if self.writing.is_none() {
            trouble.pause().await;
        }
        self.broken = self.broken || trouble.breaks();
        if self.broken { Err(StoreError::Unavailable("the connection broke".into())) } else { Ok(()) }
    }

    fn set(&mut self, table: &'static Table, key: Row, row: Option<Row>) {
        let Some(data) = &mut self.writing else { return };
        let stored =
            data.tables.entry(table.name).or_insert_with(|| Stored { columns: table.columns, rows: BTreeMap::new() });
        let before = match row {
            Some(row) => stored.rows.insert(key.clone(), row),
            None => stored.rows.remove(&key),
        };
        self.undo.push((table.name, key, before));
    }

    /// The selected rows, whole.
    async fn found(&mut self, select: &Select) -> Result<Vec<Row>, StoreError> {
        self.disturb().await?;
        Ok(match &self.writing {
            Some(data) => data.select(select),
            None => self.data.lock().await.select(select),
        })
    }
}

impl Data {
    fn select(&self, select: &Select) -> Vec<Row> {
        let Some(stored) = self.tables.get(select.table.name) else { return Vec::new() };
        let keys = select.filters.iter().find_map(|filter| match filter {
            Filter::Keys(keys) => Some(keys),
            _ => None,
        });
        let candidates: Vec<&Row> = match keys {
            Some(keys) => keys.iter().flat_map(|key| stored.beginning_with(key)).collect(),
            None => stored.rows.values().collect(),
        };
        let mut found: Vec<&Row> = candidates
            .into_iter()
            .filter(|row| select.filters.iter().all(|filter| self.holds(filter, stored, row)))
            .collect();
        found.sort_by(|left, right| select.compare(|column| stored.place(column), left, right));
        found.into_iter().take(select.limit.unwrap_or(usize::MAX)).cloned().collect()
    }

    // Recursive over filters, which only this crate builds.
    fn holds(&self, filter: &Filter, stored: &Stored, row: &[Cell]) -> bool {
        let cell = |column: &str| stored.place(column).map(|place| &row[place]);
        match filter {
            Filter::Compare(column, operator, value) => {
                cell(column).is_some_and(|cell| operator.holds(cell.cmp(value)))
            }
            Filter::Code(column, code) => cell(column) == Some(&Cell::Integer(*code)),
            Filter::Present(column) => matches!(cell(column), Some(Cell::Text(text)) if !text.is_empty()),
            Filter::In(column, values) => cell(column).is_some_and(|cell| values.contains(cell)),
            // Those rows were looked up.
            Filter::Keys(_) => true,
            Filter::Like(column, pattern) => {
                matches!(cell(column), Some(Cell::Text(text)) if like(pattern, text))
            }
            Filter::Beyond(columns, operator, values) => {
                let cells: Row = columns.iter().filter_map(|column| cell(column).cloned()).collect();
                operator.holds(cells.cmp(values))
            }
            Filter::All(filters) => filters.iter().all(|filter| self.holds(filter, stored, row)),
            Filter::Any(filters) => filters.iter().any(|filter| self.holds(filter, stored, row)),
            Filter::Not(filter) => !self.holds(filter, stored, row),
            Filter::Exists(other, on, filters) => {
                let Some(there) = self.tables.get(other.name) else { return false };
                let values = on.iter().filter_map(|(there, here)| Some((*there, cell(here)?.clone())));
                let on: Vec<(&'static str, Cell)> = values.collect();
                let key = other.keys().iter().map_while(|column| {
                    on.iter().find(|(name, _)| *name == column.name).map(|(_, value)| value.clone())
                });
                let key: Row = key.collect();
                there.beginning_with(&key).any(|row| {
                    on.iter().all(|(column, value)| there.place(column).is_some_and(|place| row[place] == *value))
                        && filters.iter().all(|filter| self.holds(filter, there, row))
                })
            }
        }
    }
}

impl Stored {
    fn place(&self, column: &str) -> Option<usize> {
        self.columns.iter().position(|known| known.name == column)
    }

    fn beginning_with<'a>(&'a self, key: &'a [Cell]) -> impl Iterator<Item = &'a Row> {
        self.rows.range(key.to_vec()..).take_while(move |(found, _)| found.starts_with(key)).map(|(_, row)| row)
    }
}

#[async_trait]
impl Session for MemorySession {
    async fn select(&mut self, select: &Select) -> Result<Vec<Row>, StoreError> {
        // A record may read only some of the columns; those that all have in common come first.
        let columns = select.table.columns.len();
        let mut rows = self.found(select).await?;
        rows.iter_mut().for_each(|row| row.truncate(columns));
        Ok(rows)
    }

    async fn count(&mut self, select: &Select) -> Result<u64, StoreError> {
        let all = Select { order: Vec::new(), limit: None, ..select.clone() };
        Ok(self.found(&all).await?.len() as u64)
    }

    async fn tally(&mut self, select: &Select, column: &'static Column) -> Result<Vec<(Cell, u64)>, StoreError> {
        let all = Select { order: Vec::new(), limit: None, ..select.clone() };
        let mut counts = BTreeMap::new();
        for row in self.found(&all).await? {
            if let Some((place, _)) = select.table.column(column.name) {
                *counts.entry(row[place].clone()).or_default() += 1;
            }
        }
        Ok(counts.into_iter().collect())
    }

    async fn insert(&mut self, table: &'static Table, rows: &[Row]) -> Result<(), StoreError> {
        self.disturb().await?;
        for row in rows {
            let key = row[..table.key].to_vec();
            let mut row = row.clone();
            let Some(data) = &mut self.writing else { continue };
            if data.tables.get(table.name).is_some_and(|stored| stored.rows.contains_key(&key)) {
                return Err(StoreError::Refused(format!("table {} has row {key:?} already", table.name)));
            }
            if table.generated > 0 {
                self.position.get_or_insert(data.position);
                data.position += 1;
                row.extend([Cell::Integer(data.position), Cell::Integer(0)]);
            }
            self.set(table, key, Some(row));
        }
        Ok(())
    }

    async fn put(&mut self, table: &'static Table, rows: &[Row]) -> Result<(), StoreError> {
        self.disturb().await?;
        for row in rows {
            self.set(table, row[..table.key].to_vec(), Some(row.clone()));
        }
        Ok(())
    }

    async fn update(
        &mut self,
        table: &'static Table,
        columns: &'static [&'static str],
        rows: &[Row],
    ) -> Result<(), StoreError> {
        self.disturb().await?;
        for change in rows {
            let (key, values) = change.split_at(table.key);
            let Some(data) = &self.writing else { continue };
            let Some(stored) = data.tables.get(table.name) else { continue };
            let Some(mut row) = stored.rows.get(key).cloned() else { continue };
            for (column, value) in columns.iter().zip(values) {
                if let Some(place) = stored.place(column) {
                    row[place] = value.clone();
                }
            }
            self.set(table, key.to_vec(), Some(row));
        }
        Ok(())
    }

    async fn delete(&mut self, table: &'static Table, keys: &[Row]) -> Result<(), StoreError> {
        self.disturb().await?;
        for key in keys {
            let Some(data) = &self.writing else { continue };
            let Some(stored) = data.tables.get(table.name) else { continue };
            let gone: Vec<Row> = stored.beginning_with(key).map(|row| row[..table.key].to_vec()).collect();
            gone.into_iter().for_each(|key| self.set(table, key, None));
        }
        Ok(())
    }

    async fn take(&mut self, select: &Select, set: &[(&'static str, Cell)]) -> Result<Vec<Row>, StoreError> {
        let mut rows = self.found(select).await?;
        for row in &mut rows {
            for (column, value) in set {
                if let Some((place, _)) = select.table.column(column) {
                    row[place] = value.clone();
                }
            }
            self.set(select.table, row[..select.table.key].to_vec(), Some(row.clone()));
        }
        Ok(rows)
    }

    async fn lock(&mut self, numbers: &[i64], wait: bool) -> Result<Vec<bool>, StoreError> {
        self.disturb().await?;
        let busy = |_: &i64| !wait && self.trouble.as_ref().is_some_and(Trouble::is_busy);
        Ok(numbers.iter().map(|number| !busy(number)).collect())
    }

    async fn now(&mut self) -> Result<Timestamp, StoreError> {
        Ok(self.clock.now())
    }

    async fn horizon(&mut self) -> Result<Option<i64>, StoreError> {
        Ok(None)
    }

    async fn commit(mut self: Box<Self>) -> Result<(), StoreError> {
        let lost = |when| StoreError::OutcomeUnknown(format!("the connection broke {when} the commit"));
        if self.broken || self.trouble.as_ref().is_some_and(Trouble::loses_before_commit) {
            return Err(lost("before"));
        }
        self.undo.clear();
        self.position = None;
        self.writing = None;
        match &self.trouble {
            Some(trouble) if trouble.loses_after_commit() => Err(lost("after")),
            _ => Ok(()),
        }
    }
}
