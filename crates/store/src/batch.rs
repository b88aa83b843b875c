//! Batches: which instances are worked on next, and how far it is.

use std::time::Duration;

use potok_core::instance::Key;
use potok_core::time::Timestamp;

use crate::cell::{Bytes, Field};
use crate::query::BatchItemQuery;
use crate::record::Record;
use crate::record::sealed::Cells;
use crate::row::{Batch, BatchItem, BatchState, ItemState};
use crate::select::{Filter, Select};
use crate::{Store, StoreError};

impl Store {
    /// Hands out instances of a batch on which nobody is at work, the oldest first.
    ///
    /// # Errors
    /// If the database cannot be written.
    pub async fn take_batch_items(
        &self,
        batch: Key,
        limit: usize,
        lease: Duration,
    ) -> Result<Vec<BatchItem>, StoreError> {
        let select = Select::from(BatchItem::TABLE)
            .filter(Filter::equal("batch", batch.to_cell()))
            .filter(Filter::Code("state", 0))
            .order("instance", false)
            .limit(limit);
        self.take(select, &[], lease).await
    }

    /// How many instances of a batch are in which state.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn batch_progress(&self, batch: Key) -> Result<Vec<(ItemState, u64)>, StoreError> {
        self.tally(&BatchItemQuery { batch: Some(batch), ..BatchItemQuery::default() }, "state").await
    }

    /// Takes a batch from one state into another, if it is still in that; says whether. `operation` replaces what it did.
    ///
    /// # Errors
    /// If the database cannot be written.
    pub async fn change_batch(
        &self,
        batch: Key,
        (from, to): (BatchState, BatchState),
        ended: Option<Timestamp>,
        operation: Option<Bytes>,
    ) -> Result<bool, StoreError> {
        let mut session = self.database.write().await?;
        let select =
            Select::keys(Batch::TABLE, vec![batch.into_cells()]).filter(Filter::equal("state", from.to_cell()));
        let mut set = vec![("state", to.to_cell()), ("ended", ended.to_cell())];
        set.extend(operation.map(|operation| ("operation", operation.to_cell())));
        let changed = session.take(&select, &set).await?;
        session.commit().await?;
        Ok(!changed.is_empty())
    }
}
