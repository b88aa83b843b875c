//! What is handed out for a while: jobs, due timers, follow-up work. Leases run by the database's clock, and are not history.

use std::time::Duration;

use potok_core::Name;
use potok_core::instance::Key;
use potok_core::time::Timestamp;

use crate::cell::Field;
use crate::query::VariableFilter;
use crate::record::Record;
use crate::record::sealed::{Cells, Sealed as _};
use crate::row::{Instance, Job, Timer, Work};
use crate::select::{Filter, Operator, Select};
use crate::{Store, StoreError};

/// With a topic, the number that is locked to count the jobs that are handed out.
const LOCK: u64 = 0x746f_7069_6373;

/// Which jobs a worker wants, and for how long. All filters that are given must hold.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Wanted {
    /// The kind of work.
    pub topic: Name,
    /// How long the worker has them to itself.
    pub lease: Duration,
    /// Of one of these definitions.
    pub definitions: Vec<Key>,
    /// Of one of these processes.
    pub processes: Vec<Name>,
    /// Of one of these tenants; an empty one for none.
    pub tenants: Vec<Name>,
    /// Of an instance with this business key.
    pub business_key: Option<Name>,
    /// Of an instance with such variables.
    pub variables: Vec<VariableFilter>,
}

impl Wanted {
    /// All jobs of a topic.
    #[must_use]
    pub fn topic(topic: Name, lease: Duration) -> Self {
        Self { topic, lease, ..Self::default() }
    }

    fn is_plain(&self) -> bool {
        *self == Self::topic(self.topic.clone(), self.lease)
    }

    fn filter(&self) -> Filter {
        let mut filters = vec![Filter::equal("topic", self.topic.to_cell())];
        if !self.definitions.is_empty() {
            filters.push(Filter::In("definition", self.definitions.iter().map(Field::to_cell).collect()));
        }
        if !self.processes.is_empty() {
            filters.push(Filter::In("process", self.processes.iter().map(Field::to_cell).collect()));
        }
        if !self.tenants.is_empty() {
            filters.push(Filter::In("tenant", self.tenants.iter().map(Field::to_cell).collect()));
        }
        if let Some(key) = &self.business_key {
            let has_key = vec![Filter::equal("business_key", key.to_cell())];
            filters.push(Filter::Exists(Instance::TABLE, &[("key", "instance")], has_key));
        }
        filters.extend(self.variables.iter().map(|variable| variable.filter(&[("instance", "instance")])));
        Filter::All(filters)
    }
}

/// Which of the jobs that are wanted are handed out first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum First {
    /// The most urgent, the oldest among those.
    #[default]
    Urgent,
    /// The most urgent, the newest among those.
    UrgentNewest,
    /// The oldest, however urgent.
    Oldest,
    /// The newest, however urgent.
    Newest,
}

/// What a worker asks for.
#[derive(Clone, Debug, PartialEq)]
pub struct Fetch {
    /// The worker's name.
    pub worker: Name,
    /// What it does.
    pub wanted: Vec<Wanted>,
    /// How many jobs at most.
    pub limit: usize,
    /// Which of them first.
    pub first: First,
    /// A random number, not 0, that tells this lease from others.
    pub number: u64,
    /// How many jobs of these topics are handed out at a time, to all workers together.
    pub most: Vec<(Name, usize)>,
    /// Only of these tenants; an empty name stands for none.
    pub tenants: Option<Vec<Name>>,
}

impl Store {
    /// Hands out jobs that nobody has.
    ///
    /// `now` is the engine's time, for jobs that are not available yet.
    ///
    /// # Errors
    /// If the database cannot be written.
    pub async fn fetch_jobs(&self, fetch: &Fetch, now: Timestamp) -> Result<Vec<Job>, StoreError> {
        let most = |topic: &Name| fetch.most.iter().find(|(limited, _)| limited == topic).map(|(_, most)| *most);
        let (limited, free): (Vec<&Wanted>, Vec<&Wanted>) =
            fetch.wanted.iter().partition(|wanted| most(&wanted.topic).is_some());
        let mut jobs = Vec::new();
        if !free.is_empty() {
            jobs = self.hand_out(fetch, &free, fetch.limit, None, now).await?;
        }
        for wanted in limited {
            let left = fetch.limit.saturating_sub(jobs.len());
            if left > 0 {
                jobs.extend(self.hand_out(fetch, &[wanted], left, most(&wanted.topic), now).await?);
            }
        }
        Ok(jobs)
    }

    /// Hands out jobs; of a topic of which only so many are handed out at a time, whoever counts them locks it.
    async fn hand_out(
        &self,
        fetch: &Fetch,
        wanted: &[&Wanted],
        limit: usize,
        most: Option<usize>,
        now: Timestamp,
    ) -> Result<Vec<Job>, StoreError> {
        let longest = wanted.iter().map(|wanted| wanted.lease).max().unwrap_or_default();
        let are_alike = most.is_none() && wanted.iter().all(|wanted| wanted.lease == longest);
        let mut session = match are_alike {
            true => self.database.write_once().await?,
            false => self.database.write().await?,
        };
        let mut limit = limit;
        if let (Some(most), [Wanted { topic, .. }]) = (most, wanted) {
            session.lock(&[topic.to_cell().mix(LOCK).cast_signed()], true).await?;
            let clock = session.now().await?;
            let handed_out = Select::from(Job::TABLE)
                .filter(Filter::equal("topic", topic.to_cell()))
                .filter(Filter::Compare("lease", Operator::NotEqual, 0_u64.to_cell()))
                .filter(Filter::Compare("leased_until", Operator::Greater, clock.to_cell()));
            let out = usize::try_from(session.count(&handed_out).await?).unwrap_or(usize::MAX);
            limit = most.saturating_sub(out).min(limit);
            if limit == 0 {
                return Ok(Vec::new());
            }
        }
        let clock = session.now().await?;
        let free = Filter::Compare("leased_until", Operator::LessOrEqual, clock.to_cell());
        let select = available(wanted, now, fetch).filter(free).limit(limit);
        let set = [
            ("worker", fetch.worker.to_cell()),
            ("lease", fetch.number.to_cell()),
            ("leased_until", after(clock, longest).to_cell()),
        ];
        let mut rows = session.take(&select, &set).await?;
        let place = |column: &str| select.table.column(column).map(|(place, _)| place);
        rows.sort_by(|left, right| select.compare(place, left, right));
        let mut jobs = rows.into_iter().map(Job::from_row).collect::<Result<Vec<_>, _>>()?;
        for Wanted { topic, lease, .. } in wanted.iter().filter(|wanted| wanted.lease < longest) {
            let until = after(clock, *lease);
            let mut keys = Vec::new();
            for job in jobs.iter_mut().filter(|job| job.topic == *topic) {
                job.leased_until = until;
                keys.push((job.instance, job.key).into_cells());
            }
            if !keys.is_empty() {
                session.take(&Select::keys(Job::TABLE, keys), &[("leased_until", until.to_cell())]).await?;
            }
        }
        session.commit().await.map_err(of_lease)?;
        Ok(jobs)
    }

    /// How many jobs of these topics there are that could be handed out, by topic. Topics without any are left out.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn available_jobs(&self, topics: &[Name], now: Timestamp) -> Result<Vec<(Name, u64)>, StoreError> {
        let clock = self.database.read().await?.now().await?;
        let select = could_be_handed_out(Select::from(Job::TABLE), now)
            .filter(Filter::In("topic", topics.iter().map(Field::to_cell).collect()))
            .filter(Filter::Compare("leased_until", Operator::LessOrEqual, clock.to_cell()));
        self.tally_selected(&select, "topic").await
    }

    /// Hands a job out to a worker that asks for this one, whatever its topic and tries left: if nobody has it, or the worker has it
    /// already.
    ///
    /// # Errors
    /// If the database cannot be written.
    pub async fn lease_job(
        &self,
        (instance, job): (Key, Key),
        worker: &Name,
        number: u64,
        lease: Duration,
    ) -> Result<bool, StoreError> {
        let mut session = self.database.write_once().await?;
        let clock = session.now().await?;
        let is_free = Filter::Any(vec![
            Filter::Compare("leased_until", Operator::LessOrEqual, clock.to_cell()),
            Filter::equal("worker", worker.to_cell()),
        ]);
        let select = Select::keys(Job::TABLE, vec![(instance, job).into_cells()]).filter(is_free);
        let until = after(clock, lease);
        let set = [("worker", worker.to_cell()), ("lease", number.to_cell()), ("leased_until", until.to_cell())];
        let taken = session.take(&select, &set).await?;
        session.commit().await.map_err(of_lease)?;
        Ok(!taken.is_empty())
    }

    /// Takes a job out of the hands of whoever has it.
    ///
    /// # Errors
    /// If the database cannot be written.
    pub async fn free_job(&self, (instance, job): (Key, Key)) -> Result<(), StoreError> {
        let mut session = self.database.write_once().await?;
        let select = Select::keys(Job::TABLE, vec![(instance, job).into_cells()]);
        let free = ("leased_until", Timestamp::UNIX_EPOCH.to_cell());
        let set = [("worker", None::<Name>.to_cell()), ("lease", 0_u64.to_cell()), free];
        session.take(&select, &set).await?;
        session.commit().await.map_err(of_lease)
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
                .filter(Filter::Code("suspended", 0))
                .filter(Filter::Compare("leased_until", Operator::LessOrEqual, now.to_cell()))
                .order("due", false)
                .order("key", false)
                .limit(1)
        };
        let timer = session.select(&next(Timer::TABLE)).await?.pop();
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
            .filter(Filter::Code("suspended", 0))
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
        let mut session = self.database.write_once().await?;
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
        let mut session = self.database.write_once().await?;
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
        let mut session = self.database.write_once().await?;
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

/// Jobs that can be handed out by then.
fn available(wanted: &[&Wanted], now: Timestamp, fetch: &Fetch) -> Select {
    let topics = if wanted.iter().all(|wanted| wanted.is_plain()) {
        Filter::In("topic", wanted.iter().map(|wanted| wanted.topic.to_cell()).collect())
    } else {
        Filter::Any(wanted.iter().map(|wanted| wanted.filter()).collect())
    };
    let mut select = Select::from(Job::TABLE);
    let tenants = fetch.tenants.as_ref();
    select.filters.extend(tenants.map(|of| Filter::In("tenant", of.iter().map(Field::to_cell).collect())));
    let select = could_be_handed_out(select.filter(topics), now);
    match fetch.first {
        First::Urgent => select.order("priority", true).order("key", false),
        First::UrgentNewest => select.order("priority", true).order("key", true),
        First::Oldest => select.order("key", false),
        First::Newest => select.order("key", true),
    }
}

fn could_be_handed_out(jobs: Select, now: Timestamp) -> Select {
    jobs.filter(Filter::Code("suspended", 0))
        .filter(Filter::Compare("retries", Operator::Greater, 0_i64.to_cell()))
        .filter(Filter::Compare("available", Operator::LessOrEqual, now.to_cell()))
}

fn leased(instance: Key, job: Key, lease: u64) -> Select {
    Select::keys(Job::TABLE, vec![(instance, job).into_cells()]).filter(Filter::equal("lease", lease.to_cell()))
}

pub(crate) fn after(now: Timestamp, duration: Duration) -> Timestamp {
    now.checked_add(duration).unwrap_or(Timestamp::MAX)
}

/// Of a lease nobody need know whether its commit went through: it runs out by itself, and can be asked for again.
pub(crate) fn of_lease(error: StoreError) -> StoreError {
    match error {
        StoreError::OutcomeUnknown(text) => StoreError::Unavailable(text),
        error => error,
    }
}
