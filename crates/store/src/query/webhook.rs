//! Searching for webhooks, and for what they have not delivered.

use potok_core::Name;
use potok_core::instance::Key;
use potok_core::time::Timestamp;

use super::sealed::Filters;
use super::{Gathered, Paging, Query};
use crate::row::{Delivery, DeliveryState, Webhook};
use crate::select::{Filter, Operator};

/// Webhooks, by age. All filters that are given must hold.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct WebhookQuery {
    /// One of these.
    pub keys: Vec<Key>,
    /// Which page.
    pub page: Paging,
}

impl Query for WebhookQuery {
    type Row = Webhook;

    fn paging(&self) -> &Paging {
        &self.page
    }
}

impl Filters for WebhookQuery {
    fn filters(&self) -> Vec<Filter> {
        let mut filters = Gathered::default();
        filters.one_of("key", &self.keys);
        filters.0
    }

    fn order(&self) -> Option<&'static str> {
        None
    }
}

/// What webhooks have not delivered, the first due first. All filters that are given must hold.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DeliveryQuery {
    /// One of these.
    pub keys: Vec<Key>,
    /// Of one of these webhooks.
    pub webhooks: Vec<Key>,
    /// In one of these states; in any if none is given.
    pub states: Vec<DeliveryState>,
    /// Of one of these kinds of events.
    pub kinds: Vec<Name>,
    /// Of one of these instances.
    pub instances: Vec<Key>,
    /// Due by then.
    pub due: Option<Timestamp>,
    /// Which page.
    pub page: Paging,
}

impl Query for DeliveryQuery {
    type Row = Delivery;

    fn paging(&self) -> &Paging {
        &self.page
    }
}

impl Filters for DeliveryQuery {
    fn filters(&self) -> Vec<Filter> {
        let mut filters = Gathered::default();
        filters.one_of("key", &self.keys);
        filters.one_of("webhook", &self.webhooks);
        filters.state("state", &self.states);
        filters.one_of("kind", &self.kinds);
        filters.one_of("instance", &self.instances);
        filters.compare("due", Operator::LessOrEqual, self.due.as_ref());
        filters.0
    }

    fn order(&self) -> Option<&'static str> {
        Some("due")
    }
}
