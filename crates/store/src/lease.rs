//! What is handed out for a while: jobs, due timers, follow-up work. Leases run by the database's clock, and are not history.

use std::time::Duration;

use potok_core::Name;
use potok_core::instance::Key;
use potok_core::time::Timestamp;

use crate::cell::{Cell, Field};
use crate::record::Record;
use crate::record::sealed::{Cells, Sealed as _};
use crate::row::{Job, Timer, Work};
use crate::select::{Filter, Operator, Select};
use crate::{Store, StoreError};

/// With a topic, the number that is locked to count the jobs that are handed out.
const LOCK: u64 = 0x746f_7069_6373;

/// What a worker asks for.
#[derive(Clone, Debug, PartialEq)]
pub struct Fetch {
    /// The worker's name.
    pub worker: Name,
    /// The kinds of work that it does.
    pub topics: Vec<Name>,
    /// How many jobs at most.
    pub limit: usize,
    /// How long it has them to itself.
    pub lease: Duration,
    /// A random number, not 0, that tells this lease from others.
    pub number: u64,
    /// How many jobs of these topics are handed out at a time, to all workers together.
    pub most: Vec<(Name, usize)>,
    /// Only of these tenants; an empty name stands for none.
    pub tenants: Option<Vec<Name>>,
}

impl Store {
    /// Hands out jobs that nobody has, the most urgent first, the oldest first among those.
    ///
    /// `now` is the engine's time, for jobs that are not available yet.
    ///
    /// # Errors
    /// If the database cannot be written.
    pub async fn fetch_jobs(&self, fetch: &Fetch, now: Timestamp) -> Result<Vec<Job>, StoreError> {
        let set = [("worker", fetch.worker.to_cell()), ("lease", fetch.number.to_cell())];
        let most = |topic: &Name| fetch.most.iter().find(|(limited, _)| limited == topic).map(|(_, most)| *most);
        let (limited, free): (Vec<&Name>, Vec<&Name>) = fetch.topics.iter().partition(|topic| most(topic).is_some());
        let mut jobs = Vec::new();
        if !free.is_empty() {
            jobs = self.take(available(&free, now, fetch).limit(fetch.limit), &set, fetch.lease).await?;
        }
        for topic in limited {
            let left = fetch.limit.saturating_sub(jobs.len());
            if left > 0 {
                jobs.extend(self.fetch_limited((topic, most(topic).unwrap_or(left)), left, now, (&set, fetch)).await?);
            }
        }
        Ok(jobs)
    }

    /// Hands out jobs of a topic of which so many are handed out at a time. Whoever counts them locks the topic.
    async fn fetch_limited(
        &self,
        (topic, most): (&Name, usize),
        limit: usize,
        now: Timestamp,
        (set, fetch): (&[(&'static str, Cell)], &Fetch),
    ) -> Result<Vec<Job>, StoreError> {
        let mut session = self.database.write().await?;
        session.lock(&[topic.to_cell().mix(LOCK).cast_signed()], true).await?;
        let clock = session.now().await?;
        let handed_out = Select::from(Job::TABLE)
            .filter(Filter::equal("topic", topic.to_cell()))
            .filter(Filter::Compare("lease", Operator::NotEqual, 0_u64.to_cell()))
            .filter(Filter::Compare("leased_until", Operator::Greater, clock.to_cell()));
        let out = usize::try_from(session.count(&handed_out).await?).unwrap_or(usize::MAX);
        let left = most.saturating_sub(out).min(limit);
        if left == 0 {
            return Ok(Vec::new());
        }
        let free = Filter::Compare("leased_until", Operator::LessOrEqual, clock.to_cell());
        let select = available(&[topic], now, fetch).filter(free).limit(left);
        let mut set = set.to_vec();
        set.push(("leased_until", after(clock, fetch.lease).to_cell()));
        let mut rows = session.take(&select, &set).await?;
        session.commit().await.map_err(of_lease)?;
        let place = |column: &str| select.table.column(column).map(|(place, _)| place);
        rows.sort_by(|left, right| select.compare(place, left, right));
        rows.into_iter().map(Job::from_row).collect()
    }

    /// Hands out timers that are due, the longest due first, so that one node fires each.
    ///
    /// # Errors
    /// If the database cannot be written.
    pub async fn take_timers(&self, now: Timestamp, limit: usize, lease: Duration) -> Result<Vec<Timer>, StoreError> {
        let select = Select::from(Timer::TABLE)
            .filter(Filter::Code("suspended", 0))
            .filter(Filter::Compare("due", Operator::LessOrEqual, now.to_cell()))
            .order("due", false)
            .order("key", false)
            .limit(limit);
        self.take(select, &[], lease).await
    }

    /// When the next timer fires or the next follow-up work is to be done, of what nobody has taken.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn next_due(&self) -> Result<Option<Timestamp>, StoreError> {
        let mut session = self.database.read().await?;
        let now = session.now().await?;
        let next = |table| {
            Select::from(table)
                .filter(Filter::Compare("leased_until", Operator::LessOrEqual, now.to_cell()))
                .order("due", false)
                .order("key", false)
                .limit(1)
        };
        let timer = session.select(&next(Timer::TABLE).filter(Filter::Code("suspended", 0))).await?.pop();
        let work = session.select(&next(Work::TABLE)).await?.pop();
        let timer = timer.map(Timer::from_row).transpose()?.map(|timer| timer.due);
        let work = work.map(Work::from_row).transpose()?.map(|work| work.due);
        Ok(timer.into_iter().chain(work).min())
    }

    /// Hands out follow-up work, the oldest first.
    ///
    /// # Errors
    /// If the database cannot be written.
    pub async fn take_work(&self, now: Timestamp, limit: usize, lease: Duration) -> Result<Vec<Work>, StoreError> {
        let select = Select::from(Work::TABLE)
            .filter(Filter::Compare("due", Operator::LessOrEqual, now.to_cell()))
            .order("due", false)
            .order("key", false)
            .limit(limit);
        self.take(select, &[], lease).await
    }

    /// Gives a worker more time for a job; says whether the lease is still its own.
    ///
    /// # Errors
    /// If the database cannot be written.
    pub async fn extend_job(
        &self,
        instance: Key,
        job: Key,
        lease: u64,
        duration: Duration,
    ) -> Result<bool, StoreError> {
        let mut session = self.database.write().await?;
        let until = after(session.now().await?, duration);
        let taken = session.take(&leased(instance, job, lease), &[("leased_until", until.to_cell())]).await?;
        session.commit().await.map_err(of_lease)?;
        Ok(!taken.is_empty())
    }

    /// Gives a job back undone; says whether the lease was still the caller's.
    ///
    /// # Errors
    /// If the database cannot be written.
    pub async fn release_job(&self, instance: Key, job: Key, lease: u64) -> Result<bool, StoreError> {
        let mut session = self.database.write().await?;
        let set = [("lease", 0_u64.to_cell()), ("leased_until", Timestamp::UNIX_EPOCH.to_cell())];
        let taken = session.take(&leased(instance, job, lease), &set).await?;
        session.commit().await.map_err(of_lease)?;
        Ok(!taken.is_empty())
    }

    pub(crate) async fn take<R: Record>(
        &self,
        select: Select,
        set: &[(&'static str, crate::cell::Cell)],
        lease: Duration,
    ) -> Result<Vec<R>, StoreError> {
        let mut session = self.database.write().await?;
        let now = session.now().await?;
        let select = select.filter(Filter::Compare("leased_until", Operator::LessOrEqual, now.to_cell()));
        let mut set = set.to_vec();
        set.push(("leased_until", after(now, lease).to_cell()));
        let mut rows = session.take(&select, &set).await?;
        session.commit().await.map_err(of_lease)?;
        let place = |column: &str| select.table.column(column).map(|(place, _)| place);
        rows.sort_by(|left, right| select.compare(place, left, right));
        rows.into_iter().map(R::from_row).collect()
    }
}

/// Jobs that can be handed out by then, the most urgent first.
fn available(topics: &[&Name], now: Timestamp, fetch: &Fetch) -> Select {
    let mut select = Select::from(Job::TABLE);
    let tenants = fetch.tenants.as_ref();
    select.filters.extend(tenants.map(|of| Filter::In("tenant", of.iter().map(Field::to_cell).collect())));
    select
        .filter(Filter::In("topic", topics.iter().map(|topic| topic.to_cell()).collect()))
        .filter(Filter::Code("suspended", 0))
        .filter(Filter::Compare("retries", Operator::Greater, 0_i64.to_cell()))
        .filter(Filter::Compare("available", Operator::LessOrEqual, now.to_cell()))
        .order("priority", true)
        .order("key", false)
}

fn leased(instance: Key, job: Key, lease: u64) -> Select {
    Select::keys(Job::TABLE, vec![(instance, job).into_cells()]).filter(Filter::equal("lease", lease.to_cell()))
}

pub(crate) fn after(now: Timestamp, duration: Duration) -> Timestamp {
    now.checked_add(duration).unwrap_or(Timestamp::MAX)
}

/// Of a lease nobody need know whether its commit went through: it runs out by itself, and can be asked for again.
fn of_lease(error: StoreError) -> StoreError {
    match error {
        StoreError::OutcomeUnknown(text) => StoreError::Unavailable(text),
        error => error,
    }
}
