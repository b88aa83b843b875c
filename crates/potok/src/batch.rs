//! Batches: one thing done to many instances, little by little, by all nodes, also after a restart.

use potok_core::instance::Key;
use potok_core::routing::Work;
use potok_store::query::{BatchItemQuery, BatchQuery, InstanceQuery, Paging};
use potok_store::row::{Batch as BatchRow, BatchItem, BatchState, ItemState};
use potok_store::{Bytes, Changes, Guard, Page};

use crate::attempt::Attempt;
use crate::background::LEASE;
use crate::engine::{Engine, Inner};
use crate::envelope::Envelope;
use crate::{Action, BatchId, Error, InstanceId, Operation};

/// Instances of one batch that a node takes at once.
const BITE: usize = 64;

/// Instances that are looked up at once.
const PAGE: usize = 1000;

/// How far a batch is.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    row: BatchRow,
    /// What is done; nothing if a newer version of the program asked for it.
    pub operation: Option<Operation>,
    /// Instances on which the work is not done yet.
    pub open: u64,
    /// Instances on which it is done.
    pub done: u64,
    /// Instances on which it could not be done.
    pub failed: u64,
}

impl Batch {
    /// Its id.
    #[must_use]
    pub fn id(&self) -> BatchId {
        BatchId(self.row.key)
    }

    /// All its instances.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.open + self.done + self.failed
    }
}

impl std::ops::Deref for Batch {
    type Target = BatchRow;

    fn deref(&self) -> &BatchRow {
        &self.row
    }
}

/// A batch about to be begun.
#[derive(Debug)]
#[must_use = "nothing is done until `send`"]
pub struct NewBatch<'e> {
    engine: &'e Engine,
    operation: Operation,
    instances: Vec<Key>,
    queries: Vec<InstanceQuery>,
}

impl NewBatch<'_> {
    /// On these instances.
    pub fn instances(mut self, instances: impl IntoIterator<Item = InstanceId>) -> Self {
        self.instances.extend(instances.into_iter().map(|id| id.0));
        self
    }

    /// On those that are found when it is sent.
    pub fn matching(mut self, query: InstanceQuery) -> Self {
        self.queries.push(crate::alone::of_processes(query));
        self
    }

    /// Begins it: it is durable, and goes on in the background.
    ///
    /// # Errors
    /// If it is on more instances than [allowed](crate::Builder::batch_limit), a variable is refused, or the database cannot be
    /// written.
    pub async fn send(self) -> Result<BatchId, Error> {
        let inner = &self.engine.inner;
        let access = self.engine.checked(Action::Batch, &self.operation.name()).await?;
        let tenant = access.home(None)?;
        if let Operation::Migrate { from, .. } = &self.operation
            && !self.engine.admits(&access, *from).await?
        {
            return Err(Error::UnknownProcess(from.to_string().into()));
        }
        inner.check(&self.operation).await?;
        let limit = inner.limits.batch;
        let mut instances = Vec::new();
        if access.is_unlimited() {
            instances = self.instances;
        } else {
            // What cannot be seen is left out, as if it were not there.
            for some in self.instances.chunks(PAGE) {
                let query = InstanceQuery { keys: some.to_vec(), sight: access.sight(), ..InstanceQuery::default() };
                instances.extend(inner.store.list(&query).await?.rows.into_iter().map(|row| row.key));
            }
        }
        for mut query in self.queries {
            query.page.limit.get_or_insert(PAGE);
            access.narrow(&mut query.sight);
            loop {
                let page = inner.store.list(&query).await?;
                instances.extend(page.rows.into_iter().map(|row| row.key));
                match page.next {
                    Some(next) if instances.len() <= limit => query.page.after = Some(next),
                    _ => break,
                }
            }
        }
        instances.sort_unstable();
        instances.dedup();
        if instances.len() > limit {
            return Err(Error::BatchTooLarge { limit });
        }
        self.engine.allowed(Action::Batch, &self.operation.name()).await?;
        let now = inner.clock.now();
        let key = inner.next_key(now);
        let mut changes = Changes::default();
        changes.add(BatchRow {
            key,
            operation: self.operation.encode(),
            author: self.engine.user.clone(),
            tenant: Some(tenant).filter(|tenant| !tenant.is_empty()),
            created: now,
            ..BatchRow::default()
        });
        for instance in instances {
            changes.add(BatchItem { batch: key, instance, ..BatchItem::default() });
        }
        let batch = BatchId(key);
        inner.write_once(None, self.engine.once.as_deref(), changes, &batch).await?;
        inner.batches.notify_one();
        Ok(batch)
    }
}

impl Engine {
    /// Does one thing to many instances, as work in the background that all nodes share and that survives a restart. Each instance
    /// is a unit of work of its own: those that refuse are listed with the reason, and hold up none of the others.
    ///
    /// ```
    /// # use potok::{Engine, Operation, query::InstanceQuery};
    /// # tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap().block_on(async {
    /// # let engine = Engine::builder().start().await?;
    /// let orders = InstanceQuery { processes: vec!["order".into()], ..InstanceQuery::default() };
    /// let batch = engine.batch(Operation::Cancel { reason: Some("sold out".into()) }).matching(orders).send().await?;
    /// let progress = engine.progress(batch).await?;
    /// assert_eq!(progress.total(), 0);
    /// # engine.stop().await;
    /// # Ok::<(), potok::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn batch(&self, operation: Operation) -> NewBatch<'_> {
        NewBatch { engine: self, operation, instances: Vec::new(), queries: Vec::new() }
    }

    /// How far a batch is.
    ///
    /// # Errors
    /// If there is no such batch.
    pub async fn progress(&self, batch: BatchId) -> Result<Batch, Error> {
        let row = self.reach_batch(Action::SeeBatches, batch).await?;
        self.inner.progress(row).await
    }

    async fn reach_batch(&self, action: Action, batch: BatchId) -> Result<BatchRow, Error> {
        let access = self.checked(action, &batch).await?;
        let row = self.inner.store.get::<BatchRow>(batch.0).await?;
        let row = row.filter(|row| access.admits(row.tenant.as_ref())).ok_or(Error::UnknownBatch(batch))?;
        self.allowed(action, &batch).await?;
        Ok(row)
    }

    /// Batches that are searched for, with how far they are.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn batches(&self, query: &BatchQuery) -> Result<Vec<Batch>, Error> {
        let mut batches = Vec::new();
        let mut query = query.clone();
        self.access(Action::SeeBatches, &"").await?.narrow(&mut query.sight);
        for row in self.inner.store.list(&query).await?.rows {
            batches.push(self.inner.progress(row).await?);
        }
        Ok(batches)
    }

    /// The instances on which a batch could not do its work, with the reasons.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn batch_failures(&self, batch: BatchId, page: Paging) -> Result<Page<BatchItem>, Error> {
        self.reach_batch(Action::SeeBatches, batch).await?;
        let query = BatchItemQuery { batch: Some(batch.0), states: vec![ItemState::Failed], page };
        Ok(self.inner.store.list(&query).await?)
    }

    /// Holds a batch back until it is resumed. What nodes are in the midst of, they still do.
    ///
    /// # Errors
    /// If there is no such batch, or it does not run.
    pub async fn pause_batch(&self, batch: BatchId) -> Result<(), Error> {
        self.change_batch(batch, BatchState::Running, BatchState::Paused).await
    }

    /// Lets a batch go on.
    ///
    /// # Errors
    /// If there is no such batch, or it is not paused.
    pub async fn resume_batch(&self, batch: BatchId) -> Result<(), Error> {
        self.change_batch(batch, BatchState::Paused, BatchState::Running).await
    }

    /// Gives a batch up: what is not done yet is not done any more.
    ///
    /// # Errors
    /// If there is no such batch, or it has ended.
    pub async fn cancel_batch(&self, batch: BatchId) -> Result<(), Error> {
        match self.change_batch(batch, BatchState::Running, BatchState::Cancelled).await {
            Err(Error::BatchState { state: BatchState::Paused, .. }) => {
                self.change_batch(batch, BatchState::Paused, BatchState::Cancelled).await
            }
            done => done,
        }
    }

    /// Forgets a batch that has ended, and what became of its instances.
    ///
    /// # Errors
    /// If there is no such batch, or it has not ended.
    pub async fn delete_batch(&self, batch: BatchId) -> Result<(), Error> {
        let row = self.reach_batch(Action::Batch, batch).await?;
        if matches!(row.state, BatchState::Running | BatchState::Paused) {
            return Err(Error::BatchState { batch, state: row.state });
        }
        let mut changes = Changes::default();
        changes.remove_of::<BatchItem>(batch.0);
        changes.remove::<BatchRow>(batch.0);
        self.inner.write_once(None, self.once.as_deref(), changes, &()).await
    }

    async fn change_batch(&self, batch: BatchId, from: BatchState, to: BatchState) -> Result<(), Error> {
        let row = self.reach_batch(Action::Batch, batch).await?;
        let (ended, operation) = match to {
            BatchState::Cancelled | BatchState::Completed => (Some(self.inner.clock.now()), emptied(&row)),
            BatchState::Running | BatchState::Paused => (None, None),
        };
        if !self.inner.store.change_batch(batch.0, (from, to), ended, operation).await? {
            return Err(Error::BatchState { batch, state: row.state });
        }
        self.inner.batches.notify_one();
        Ok(())
    }
}

fn operation(row: &BatchRow) -> Option<Operation> {
    Operation::decode(&row.operation)
}

fn emptied(row: &BatchRow) -> Option<Bytes> {
    operation(row).map(|operation| operation.emptied().encode())
}

impl Inner {
    async fn progress(&self, row: BatchRow) -> Result<Batch, Error> {
        let (mut open, mut done, mut failed) = (0, 0, 0);
        for (state, count) in self.store.batch_progress(row.key).await? {
            match state {
                ItemState::Open => open = count,
                ItemState::Done => done = count,
                ItemState::Failed => failed = count,
            }
        }
        Ok(Batch { operation: operation(&row), row, open, done, failed })
    }

    /// Does once some of the work of all batches that run; says on how many instances.
    pub(crate) async fn execute_batches(&self) -> Result<usize, Error> {
        let running = BatchQuery { states: vec![BatchState::Running], ..BatchQuery::default() };
        let mut worked = 0;
        for row in self.store.list(&running).await?.rows {
            // A newer version's work is left to it.
            let Some(operation) = operation(&row) else { continue };
            let items = self.store.take_batch_items(row.key, BITE, LEASE).await?;
            if items.is_empty() {
                self.complete_batch(&row).await?;
            }
            for item in items {
                worked += 1;
                if let Err(error) = self.work_on(&row, &operation, &item).await {
                    tracing::warn!(%error, instance = %InstanceId(item.instance), "a batch tries this instance again");
                }
            }
        }
        Ok(worked)
    }

    async fn complete_batch(&self, row: &BatchRow) -> Result<(), Error> {
        if self.progress(row.clone()).await?.open == 0 {
            let (states, now) = ((BatchState::Running, BatchState::Completed), self.clock.now());
            self.store.change_batch(row.key, states, Some(now), emptied(row)).await?;
        }
        Ok(())
    }

    /// Does a batch's work on one instance, if nobody has done it; whatever refuses it stands in the item.
    async fn work_on(&self, batch: &BatchRow, operation: &Operation, item: &BatchItem) -> Result<(), Error> {
        let guard = Guard::BatchItem { batch: item.batch, instance: item.instance };
        match self.operate(batch, operation, item, &guard).await {
            Ok(()) => Ok(()),
            Err(error) if error.is_passing() => Err(error),
            Err(error) => {
                let (code, message) = (Some(error.code().into()), Some(error.to_string().into()));
                let failed = BatchItem { state: ItemState::Failed, code, message, ..item.clone() };
                self.transact_once(&guard, |attempt, _| {
                    attempt.changes.put(failed.clone());
                    Ok(true)
                })
                .await
                .map(drop)
            }
        }
    }

    async fn operate(
        &self,
        batch: &BatchRow,
        operation: &Operation,
        item: &BatchItem,
        guard: &Guard,
    ) -> Result<(), Error> {
        let done = BatchItem { state: ItemState::Done, ..item.clone() };
        let instance = InstanceId(item.instance);
        let deed = self.deed(operation, instance, batch.author.as_ref()).await?;
        let envelope = Envelope { by: batch.author.clone(), ..Envelope::default() }.because(operation.reason());
        let action = |attempt: &mut Attempt<'_>, work: &mut Work| {
            let asked = deed.on(instance, attempt, work)?;
            Ok(asked.map(|()| attempt.changes.put(done.clone())))
        };
        self.transact_guarded(envelope, guard, action).await?;
        self.after(&deed).await
    }
}
