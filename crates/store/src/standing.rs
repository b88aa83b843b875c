//! What must stand in the database so that units of work get in as they are: the rows that they go on from, and what their guards say.

use std::collections::{BTreeMap, BTreeSet};

use potok_core::instance::Key;

use crate::cell::{Cell, Field as _, Row};
use crate::record::{Record as _, Table};
use crate::row::{BatchItem, ItemState, Job, LogPoint, Message, Task, TaskState, Work};
use crate::{Guard, Unit};

/// Rows that must be there.
#[derive(Debug, Default)]
pub(crate) struct Standing {
    /// Of the log; of any unit where that is 0.
    pub(crate) log: Vec<LogPoint>,
    /// Of other tables.
    pub(crate) held: Vec<Held>,
}

/// Rows of a table of which these columns hold these values.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) table: &'static Table,
    pub(crate) columns: &'static [&'static str],
    pub(crate) rows: Vec<Row>,
}

impl Held {
    /// Their primary keys.
    fn keys(&self) -> BTreeSet<&[Cell]> {
        self.rows.iter().map(|row| &row[..self.table.key]).collect()
    }
}

const JOB: usize = 0;
const TASK: usize = 1;
const WORK: usize = 2;
const MESSAGE: usize = 3;
const ITEM: usize = 4;

impl Standing {
    /// The rows of a table that are held, if they are those with these keys: whoever takes them away sees to it that they are there.
    pub(crate) fn release(&mut self, table: &Table, keys: &[Row]) -> Option<Held> {
        let taken: BTreeSet<&[Cell]> = keys.iter().map(Vec::as_slice).collect();
        let place = self.held.iter().position(|held| held.table.name == table.name && held.keys() == taken)?;
        Some(self.held.swap_remove(place))
    }

    /// What all these units depend on; nothing if that is more than rows that are there, or if they get in each other's way.
    pub(crate) fn of(units: &[Unit]) -> Option<Self> {
        let mut standing: BTreeMap<(Key, u64), u64> = BTreeMap::new();
        let mut added: BTreeMap<(Key, u64), u64> = BTreeMap::new();
        let mut held = [
            (Job::TABLE, &["instance", "key", "lease"][..]),
            (Task::TABLE, &["instance", "key", "assignee", "state"]),
            (Work::TABLE, &["instance", "key"]),
            (Message::TABLE, &["key"]),
            (BatchItem::TABLE, &["batch", "instance", "state"]),
        ]
        .map(|(table, columns)| Held { table, columns, rows: Vec::new() });
        let mut taken = BTreeSet::new();
        for unit in units {
            if unit.log.is_empty() || unit.changes.removed().next().is_some() {
                return None;
            }
            for guard in &unit.guards {
                let (table, id, row) = match guard {
                    Guard::Row { instance, seq, unit } => {
                        let by = match added.get(&(*instance, *seq)) {
                            Some(by) => *by,
                            None => *standing
                                .entry((*instance, *seq))
                                .and_modify(|by| *by = (*by).max(*unit))
                                .or_insert(*unit),
                        };
                        if by != *unit {
                            return None;
                        }
                        continue;
                    }
                    // It must not be there, or have expired.
                    Guard::Claim(_) => return None,
                    // That may be nothing.
                    Guard::Seen(_) => return None,
                    Guard::Lease { instance, job, lease } => {
                        (JOB, (*instance, *job), vec![instance.to_cell(), job.to_cell(), lease.to_cell()])
                    }
                    Guard::Assignee { instance, task, assignee } => {
                        let row =
                            vec![instance.to_cell(), task.to_cell(), assignee.to_cell(), TaskState::Open.to_cell()];
                        (TASK, (*instance, *task), row)
                    }
                    Guard::Work { instance, work } => {
                        (WORK, (*instance, *work), vec![instance.to_cell(), work.to_cell()])
                    }
                    Guard::Message(key) => (MESSAGE, (*key, *key), vec![key.to_cell()]),
                    Guard::BatchItem { batch, instance } => {
                        let row = vec![batch.to_cell(), instance.to_cell(), ItemState::Open.to_cell()];
                        (ITEM, (*batch, *instance), row)
                    }
                };
                // What one of them takes the next has not got.
                if !taken.insert((table, id)) {
                    return None;
                }
                held[table].rows.push(row);
            }
            for row in &unit.log {
                let before = (row.instance, row.seq.saturating_sub(1));
                if row.seq > 1 && !added.contains_key(&before) {
                    standing.entry(before).or_insert(0);
                }
                if added.insert((row.instance, row.seq), unit.id).is_some() {
                    return None;
                }
            }
        }
        let point = |((instance, seq), unit)| LogPoint { instance, seq, unit };
        let held = held.into_iter().filter(|held| !held.rows.is_empty()).collect();
        Some(Self { log: standing.into_iter().map(point).collect(), held })
    }
}
