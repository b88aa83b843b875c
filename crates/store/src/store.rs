//! The store: what the engine asks of a database.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use potok_core::instance::Key;

use crate::cell::{Field, Row};
use crate::clock::Clock;
use crate::database::Database;
use crate::glance::Place;
use crate::memory::Memory;
use crate::narrow::narrow;
use crate::postgres::Postgres;
use crate::record::Record;
use crate::record::sealed::{Cells, Sealed};
use crate::row::{LogPoint, LogRow, Snapshot};
use crate::select::{Filter, Operator, Select};
use crate::sqlite::Sqlite;
use crate::{Cursor, Outcome, Page, Patience, Query, StoreError, Unit};

/// What is durable. Cheap to clone; all clones are the same database.
#[derive(Clone, Debug)]
pub struct Store {
    pub(crate) database: Arc<dyn Database>,
}

impl Store {
    /// Opens a database by a path (SQLite), or by a URL that begins with `sqlite:` or `postgres:`.
    ///
    /// The schema is brought up to date.
    ///
    /// # Errors
    /// If it cannot be opened, is open elsewhere, newer than this program, or another program's.
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        match Place::of(url)? {
            Place::Postgres(url) => Ok(Self::on(Postgres::open(url).await?)),
            Place::Memory => Self::sqlite_in_memory().await,
            Place::File(path) => Self::sqlite(path).await,
        }
    }

    /// Opens an SQLite file, which need not be there yet.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub async fn sqlite(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        Ok(Self::on(Sqlite::open(Some(path.as_ref()), Clock::system()).await?))
    }

    /// An SQLite database in memory.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub async fn sqlite_in_memory() -> Result<Self, StoreError> {
        Ok(Self::on(Sqlite::open(None, Clock::system()).await?))
    }

    /// A database in plain memory, that nothing happens to.
    #[must_use]
    pub fn memory() -> Self {
        Self::on(Memory { data: Arc::default(), clock: Clock::system(), trouble: None })
    }

    pub(crate) fn on(database: impl Database + 'static) -> Self {
        Self { database: Arc::new(database) }
    }

    /// Commits units in one transaction: each whole, or left out alone. The outcomes are in the units' order; a unit may
    /// build on those before it.
    ///
    /// # Errors
    /// If nothing was committed; or, with [`StoreError::OutcomeUnknown`], if that is not known: then the same units
    /// must be sent again with [`Patience::Wait`], and not be stepped anew before that answers.
    pub async fn commit(&self, units: &[Unit], patience: Patience) -> Result<Vec<Outcome>, StoreError> {
        crate::commit::commit(&*self.database, units, patience).await
    }

    /// The row with that primary key.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn get<R: Record>(&self, id: R::Id) -> Result<Option<R>, StoreError> {
        Ok(self.look_up(vec![id.into_cells()]).await?.pop())
    }

    /// All rows of one instance: its tasks, jobs, timers, variables...
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn of_instance<R: Record>(&self, instance: Key) -> Result<Vec<R>, StoreError> {
        self.look_up(vec![vec![instance.to_cell()]]).await
    }

    /// A page of what is searched for.
    ///
    /// # Errors
    /// If the database cannot be read, or the cursor is of another order.
    pub async fn list<Q: Query>(&self, query: &Q) -> Result<Page<Q::Row>, StoreError> {
        let (rows, next) = self.page(query.select()?, query.paging().limit).await?;
        let rows = rows.into_iter().map(Q::Row::from_row).collect::<Result<_, _>>()?;
        Ok(Page { rows, next })
    }

    /// The same of any table.
    async fn page(&self, mut select: Select, limit: Option<usize>) -> Result<(Vec<Row>, Option<Cursor>), StoreError> {
        let order = select.order.clone();
        // One more than asked for tells whether there is another page.
        select.limit = limit.map(|limit| limit.saturating_add(1));
        let mut session = match select.names_rows() {
            true => self.database.look_up().await?,
            false => self.database.read().await?,
        };
        let select = narrow(&mut *session, select).await?;
        let mut rows = session.select(&select).await?;
        let more = limit.is_some_and(|limit| rows.len() > limit);
        rows.truncate(limit.unwrap_or(usize::MAX));
        let next = rows.last().filter(|_| more).map(|row| Cursor::at(select.table, &order, row));
        Ok((rows, next))
    }

    /// How many there are of what is searched for, on all pages.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn count<Q: Query>(&self, query: &Q) -> Result<u64, StoreError> {
        let mut select = query.select()?;
        select.filters.retain(|filter| !matches!(filter, Filter::Beyond(..)));
        let mut session = self.database.read().await?;
        let select = narrow(&mut *session, select).await?;
        session.count(&select).await
    }

    /// The log rows of an instance after that one, oldest first, at most so many.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn history(&self, instance: Key, after: u64, limit: usize) -> Result<Vec<LogRow>, StoreError> {
        let select = Select::from(LogRow::TABLE)
            .filter(Filter::equal("instance", instance.to_cell()))
            .filter(Filter::Compare("seq", Operator::Greater, after.to_cell()))
            .order("seq", false)
            .limit(limit);
        self.rows(&select).await
    }

    /// Whether the logs of instances end with these rows: they do not go on, and have not been removed. 0 stands for a log without rows.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn end_with(&self, ends: &[(Key, u64)]) -> Result<Vec<bool>, StoreError> {
        let next = |(instance, seq): &(Key, u64)| (*instance, seq + 1);
        let keys = ends.iter().filter(|(_, seq)| *seq > 0).copied().chain(ends.iter().map(next));
        let points: Vec<LogPoint> = self.look_up(keys.map(Cells::into_cells).collect()).await?;
        let there: BTreeSet<(Key, u64)> = points.into_iter().map(|point| (point.instance, point.seq)).collect();
        let is_end = |end: &(Key, u64)| (end.1 == 0 || there.contains(end)) && !there.contains(&next(end));
        Ok(ends.iter().map(is_end).collect())
    }

    /// The instances of which the log has a first row, after that one, in the keys' order, at most so many.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn instances_in_log(&self, after: Key, limit: usize) -> Result<Vec<Key>, StoreError> {
        let select = Select::from(LogPoint::TABLE)
            .filter(Filter::equal("seq", 1_u64.to_cell()))
            .filter(Filter::Compare("instance", Operator::Greater, after.to_cell()))
            .order("instance", false)
            .limit(limit);
        Ok(self.rows::<LogPoint>(&select).await?.into_iter().map(|point| point.instance).collect())
    }

    /// The latest snapshot of an instance in which no log row after that one is.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn snapshot(&self, instance: Key, until: u64) -> Result<Option<Snapshot>, StoreError> {
        let until = i64::try_from(until).unwrap_or(i64::MAX);
        let select = Select::from(Snapshot::TABLE)
            .filter(Filter::equal("instance", instance.to_cell()))
            .filter(Filter::Compare("seq", Operator::LessOrEqual, until.to_cell()))
            .order("seq", true)
            .limit(1);
        Ok(self.rows(&select).await?.pop())
    }

    /// Whether other nodes may write to the database, too.
    #[must_use]
    pub fn is_shared(&self) -> bool {
        self.database.is_shared()
    }

    /// Lets go of the database.
    pub async fn close(&self) {
        self.database.close().await;
    }

    async fn look_up<R: Record>(&self, keys: Vec<Row>) -> Result<Vec<R>, StoreError> {
        let select = Select::keys(R::TABLE, keys);
        self.database.look_up().await?.select(&select).await?.into_iter().map(R::from_row).collect()
    }

    pub(crate) async fn rows<R: Record>(&self, select: &Select) -> Result<Vec<R>, StoreError> {
        self.database.read().await?.select(select).await?.into_iter().map(R::from_row).collect()
    }
}
