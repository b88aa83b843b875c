//! Searching for batches, and for what has become of them.

use potok_core::instance::Key;

use super::sealed::Filters;
use super::{Gathered, Paging, Query, Sight};
use crate::row::{Batch, BatchItem, BatchState, ItemState};
use crate::select::Filter;

/// Batches, by age. All filters that are given must hold.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BatchQuery {
    /// In one of these states; in any if none is given.
    pub states: Vec<BatchState>,
    /// What whoever searches may see.
    pub sight: Sight,
    /// Which page.
    pub page: Paging,
}

impl Query for BatchQuery {
    type Row = Batch;

    fn paging(&self) -> &Paging {
        &self.page
    }
}

impl Filters for BatchQuery {
    fn filters(&self) -> Vec<Filter> {
        let mut filters = Gathered::default();
        filters.state("state", &self.states);
        self.sight.tenants(&mut filters);
        filters.0
    }

    fn order(&self) -> Option<&'static str> {
        None
    }
}

/// The instances of batches, by age. All filters that are given must hold.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BatchItemQuery {
    /// Of this batch.
    pub batch: Option<Key>,
    /// In one of these states; in any if none is given.
    pub states: Vec<ItemState>,
    /// Which page.
    pub page: Paging,
}

impl Query for BatchItemQuery {
    type Row = BatchItem;

    fn paging(&self) -> &Paging {
        &self.page
    }
}

impl Filters for BatchItemQuery {
    fn filters(&self) -> Vec<Filter> {
        let mut filters = Gathered::default();
        filters.equal("batch", self.batch.as_ref());
        filters.state("state", &self.states);
        filters.0
    }

    fn order(&self) -> Option<&'static str> {
        None
    }
}
