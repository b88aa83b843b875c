//! Searching for searches that people keep.

use potok_core::Name;
use potok_core::instance::Key;

use super::sealed::Filters;
use super::{Gathered, Paging, Query, Sight};
use crate::cell::Field;
use crate::row::SavedSearch;
use crate::select::Filter;

/// Searches that people keep, by age. All filters that are given must hold.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SavedSearchQuery {
    /// One of these.
    pub keys: Vec<Key>,
    /// Of one of these users; an empty name stands for those that are everybody's.
    pub owners: Vec<Name>,
    /// What whoever searches may see: only its tenants count here.
    pub sight: Sight,
    /// Which page.
    pub page: Paging,
}

impl Query for SavedSearchQuery {
    type Row = SavedSearch;

    fn paging(&self) -> &Paging {
        &self.page
    }
}

impl Filters for SavedSearchQuery {
    fn filters(&self) -> Vec<Filter> {
        let mut filters = Gathered::default();
        filters.one_of("key", &self.keys);
        if !self.owners.is_empty() {
            filters.0.push(Filter::In("owner", self.owners.iter().map(Field::to_cell).collect()));
        }
        self.sight.tenants(&mut filters);
        filters.0
    }

    fn order(&self) -> Option<&'static str> {
        None
    }
}
