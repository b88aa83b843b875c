//! Units of work: what commits together or not at all.

use potok_core::Name;
use potok_core::instance::Key;

use crate::cell::Row;
use crate::record::sealed::Cells as _;
use crate::record::{Record, Table};
use crate::row::{Claim, LogRow};
use crate::{Changes, StoreError};

/// What one command does, with all that it reaches: commits whole or not at all.
#[derive(Clone, Debug, Default)]
pub struct Unit {
    /// A random number, so that a unit that is sent again after an unknown outcome is not done twice.
    pub id: u64,
    /// The log rows, in the order in which they happened. Their `unit` is filled in.
    pub log: Vec<LogRow>,
    /// What must hold outside the logs.
    pub guards: Vec<Guard>,
    /// What follows from the log rows.
    pub changes: Changes,
}

impl Unit {
    /// Checks that all by which rows are found is short enough to be found by, on every database alike: a row that one of them refuses would
    /// take the other units of its moment along.
    ///
    /// # Errors
    /// If something is too long.
    pub fn check(&self) -> Result<(), StoreError> {
        let claims = self.guards.iter().filter_map(|guard| match guard {
            Guard::Claim(claim) => Some(claim),
            _ => None,
        });
        for claim in claims {
            within("what is claimed", claim.tenant.len() + claim.value.len())?;
        }
        self.changes.check()
    }
}

/// Bytes by which a row may be found. PostgreSQL's indexes take no more than some 2,700.
const FINDABLE: usize = 2600;

pub(crate) fn within(what: &'static str, size: usize) -> Result<(), StoreError> {
    let limit = FINDABLE as u64;
    if size > FINDABLE { Err(StoreError::TooLarge { what, size: size as u64, limit }) } else { Ok(()) }
}

/// What must hold outside an instance's log; if it does not, the unit is left out.
#[derive(Clone, Debug, PartialEq)]
pub enum Guard {
    /// Nobody has the value: from now on it is taken. Given back with `changes.remove::<Claim>(...)`.
    Claim(Claim),
    /// The job is still under this lease.
    Lease {
        /// The job's instance.
        instance: Key,
        /// The job.
        job: Key,
        /// The lease's number.
        lease: u64,
    },
    /// The task is open, and this is who has it.
    Assignee {
        /// The task's instance.
        instance: Key,
        /// The task.
        task: Key,
        /// Who has it.
        assignee: Option<Name>,
    },
    /// The follow-up work is still to be done; it is removed.
    Work {
        /// The work's instance.
        instance: Key,
        /// The work.
        work: Key,
    },
    /// The batch has not done its work on the instance. The unit writes what has become of it.
    BatchItem {
        /// The batch.
        batch: Key,
        /// The instance.
        instance: Key,
    },
    /// That row of an instance's log was written by that unit: what the unit was stepped on while it was not durable yet.
    Row {
        /// The instance.
        instance: Key,
        /// The row's place.
        seq: u64,
        /// The unit that is to have written it.
        unit: u64,
    },
    /// The kept message has not been taken; it is removed.
    Message(Key),
    /// The row is as it was seen.
    Seen(Seen),
}

/// A row that is edited, as it was seen before: a user, a group, who is in which, a comment, a search that is kept, or what is said of what is
/// to be due.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    pub(crate) table: &'static Table,
    pub(crate) key: Row,
    /// None if it was not there.
    pub(crate) row: Option<Row>,
}

impl Seen {
    /// That row; `None` if it was not there.
    #[must_use]
    pub fn new<R: Record>(id: R::Id, row: Option<R>) -> Self {
        debug_assert!(Changes::EDITED.contains(&R::TABLE.name), "whoever writes rows of {} locks them", R::TABLE.name);
        Self { table: R::TABLE, key: id.into_cells(), row: row.map(R::into_row) }
    }
}

/// What became of a unit.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// It is durable; also if it had been before and was sent again.
    Committed,
    /// The instance's log goes on from elsewhere: somebody else was faster, or the row before did not get in. Step again
    /// from fresh state.
    Conflict(Key),
    /// A guard did not hold.
    Missed {
        /// Which of the unit's guards.
        guard: usize,
        /// If it was a claim: the one that stands.
        standing: Option<Box<Claim>>,
    },
    /// Another node is writing what this one would. Try again; after some losses with [`Patience::Wait`]. It says nothing
    /// about an earlier try whose outcome is unknown.
    Busy,
}

/// What to do about units that need what another node is writing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Patience {
    /// They are left out, so that they do not hold up the others.
    #[default]
    Try,
    /// They wait. For few units, best one.
    Wait,
}
