//! Node numbers, and what is swept up now and then.

use std::time::Duration;

use potok_core::Name;
use potok_core::time::Timestamp;

use crate::cell::Field;
use crate::keys::AHEAD;
use crate::record::Record;
use crate::record::sealed::{Cells, Sealed};
use crate::row::{
    Audit, BatchItem, Claim, ContentPoint, Job, Message, Node, Session as SessionRow, Timer, Work, Written,
};
use crate::select::{Filter, Operator, Select};
use crate::{Store, StoreError};

/// How many nodes can share a database.
const NUMBERS: u32 = 1024;

/// The number that is locked to choose a node's number.
const LOCK: i64 = 0x6e6f_6465;

/// Units without log rows are known for so long, so that they can be sent again.
const UNITS_KEPT: Duration = Duration::from_secs(24 * 3600);

impl Store {
    /// Leases the lowest free node number. `lease` is a random number that tells this node from whoever has it later.
    ///
    /// # Errors
    /// If all are taken, or the database cannot be written.
    pub async fn join(&self, name: Name, lease: u64, format: u32, duration: Duration) -> Result<Node, StoreError> {
        let mut session = self.database.write().await?;
        session.lock(&[LOCK], true).await?;
        let now = session.now().await?;
        let taken = session.select(&Select::from(Node::TABLE).order("number", false)).await?;
        let taken = taken.into_iter().map(Node::from_row).collect::<Result<Vec<_>, _>>()?;
        let is_free = |number: &u32| !taken.iter().any(|node| node.number == *number && node.leased_until > now);
        let number = (0..NUMBERS).find(is_free).ok_or(StoreError::NoNodeNumber)?;
        let leased_until = crate::lease::after(now, duration);
        let before = taken.iter().find(|node| node.number == number).map_or(0, |node| node.keys);
        let node = Node { number, lease, keys: before, name, format, leased_until };
        // Whoever has the number after a crash begins behind the keys that may be given out before the lease is renewed.
        let marked = Node { keys: before.saturating_add(AHEAD), ..node.clone() };
        session.put(Node::TABLE, &[marked.into_row()]).await?;
        session.commit().await?;
        Ok(node)
    }

    /// Renews the lease of a node number, whose keys have been given out up to there; says whether it is still the caller's. If not,
    /// it must not give out keys. To be called at least every minute.
    ///
    /// # Errors
    /// If the database cannot be written.
    pub async fn renew(&self, node: &Node, given: u64, duration: Duration) -> Result<bool, StoreError> {
        let mut session = self.database.write().await?;
        let until = crate::lease::after(session.now().await?, duration);
        let keys = given.saturating_add(AHEAD);
        let taken = session.take(&own(node), &[("leased_until", until.to_cell()), ("keys", keys.to_cell())]).await?;
        session.commit().await?;
        Ok(!taken.is_empty())
    }

    /// Gives back what whoever had the database before has taken and not done: timers, follow-up work, instances of batches, and the
    /// jobs of that worker.
    /// Only where nobody else can be at work, which is so where a database is not shared.
    ///
    /// # Errors
    /// If the database cannot be written.
    pub async fn release_all(&self, worker: &Name) -> Result<(), StoreError> {
        let mut session = self.database.write().await?;
        let free = ("leased_until", Timestamp::UNIX_EPOCH.to_cell());
        let taken = |table| {
            Select::from(table).filter(Filter::Compare(
                "leased_until",
                Operator::Greater,
                Timestamp::UNIX_EPOCH.to_cell(),
            ))
        };
        let items = taken(BatchItem::TABLE).filter(Filter::Code("state", 0));
        for select in [taken(Timer::TABLE), taken(Work::TABLE), items] {
            session.take(&select, std::slice::from_ref(&free)).await?;
        }
        let jobs = taken(Job::TABLE).filter(Filter::equal("worker", Some(worker.clone()).to_cell()));
        session.take(&jobs, &[("lease", 0_u64.to_cell()), free]).await?;
        session.commit().await
    }

    /// Gives a node number back, whose keys have been given out up to there.
    ///
    /// # Errors
    /// If the database cannot be written.
    pub async fn leave(&self, node: &Node, given: u64) -> Result<(), StoreError> {
        let mut session = self.database.write().await?;
        let over =
            [("leased_until", Timestamp::UNIX_EPOCH.to_cell()), ("lease", 0_u64.to_cell()), ("keys", given.to_cell())];
        session.take(&own(node), &over).await?;
        session.commit().await
    }

    /// The nodes whose leases have not run out.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn nodes(&self) -> Result<Vec<Node>, StoreError> {
        let mut session = self.database.read().await?;
        let now = session.now().await?;
        let alive = Filter::Compare("leased_until", Operator::Greater, now.to_cell());
        let select = Select::from(Node::TABLE).filter(alive).order("number", false);
        session.select(&select).await?.into_iter().map(Node::from_row).collect()
    }

    /// Takes their numbers from nodes whose leases have run out; says how many there were. What they were in the midst of may need
    /// looking after.
    ///
    /// # Errors
    /// If the database cannot be written.
    pub async fn bury(&self) -> Result<usize, StoreError> {
        let mut session = self.database.write().await?;
        session.lock(&[LOCK], true).await?;
        let now = session.now().await?;
        let dead = Select::from(Node::TABLE)
            .filter(Filter::Compare("leased_until", Operator::LessOrEqual, now.to_cell()))
            .filter(Filter::Compare("lease", Operator::NotEqual, 0_u64.to_cell()));
        let buried = session.take(&dead, &[("lease", 0_u64.to_cell())]).await?;
        session.commit().await?;
        Ok(buried.len())
    }

    /// Removes what has expired, a bite at a time: messages that were kept, and sessions that lasted, until
    /// `now`, the engine's time; audit records from before `audited`; and by the database's
    /// clock claims, files that never arrived whole, and marks of units sent long ago. Says how many.
    ///
    /// # Errors
    /// If the database cannot be written.
    pub async fn sweep(&self, now: Timestamp, audited: Timestamp, limit: usize) -> Result<usize, StoreError> {
        let mut session = self.database.write().await?;
        let clock = session.now().await?;
        let long_ago = clock.checked_sub(UNITS_KEPT).unwrap_or(clock);
        let mut swept = 0;
        for (table, column, until) in [
            (Message::TABLE, "expires", now),
            (SessionRow::TABLE, "expires", now),
            (Audit::TABLE, "time", audited),
            (Claim::TABLE, "expires", clock),
            (ContentPoint::TABLE, "expires", clock),
            (Written::TABLE, "time", long_ago),
        ] {
            let expired = Filter::Compare(column, Operator::LessOrEqual, until.to_cell());
            let rows =
                session.take(&Select::from(table).filter(expired).limit(limit), &[(column, until.to_cell())]).await?;
            let keys: Vec<_> = rows.into_iter().map(|row| row[..table.key].to_vec()).collect();
            swept += keys.len();
            if !keys.is_empty() {
                session.delete(table, &keys).await?;
            }
        }
        session.commit().await?;
        Ok(swept)
    }
}

fn own(node: &Node) -> Select {
    Select::keys(Node::TABLE, vec![node.number.into_cells()]).filter(Filter::equal("lease", node.lease.to_cell()))
}
