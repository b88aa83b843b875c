//! Finding who waits for a message, and messages that nobody waited for.

use potok_core::Name;
use potok_core::instance::Key;
use potok_core::time::Timestamp;

use super::sealed::Filters;
use super::{Gathered, Paging, Query, Sight};
use crate::cell::Field;
use crate::row::{Message, Subscription, SubscriptionKind};
use crate::select::{Filter, Operator};

/// Subscriptions, the oldest first. All filters that are given must hold.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SubscriptionQuery {
    /// One of these.
    pub keys: Vec<Key>,
    /// For a message, a signal or a condition.
    pub kind: Option<SubscriptionKind>,
    /// With one of these names.
    pub names: Vec<Name>,
    /// Of one of these instances.
    pub instances: Vec<Key>,
    /// Of this definition.
    pub definition: Option<Key>,
    /// Of this process.
    pub process: Option<Name>,
    /// On this flow node.
    pub node: Option<Name>,
    /// Whether they start instances.
    pub starts: Option<bool>,
    /// That take a message with this correlation key: those that ask for it, and those that ask for none.
    pub takes: Option<Name>,
    /// Whose correlation key is this.
    pub correlation: Option<Name>,
    /// Whose instance has this business key.
    pub business_key: Option<Name>,
    /// Of this tenant.
    pub tenant: Option<Name>,
    /// What whoever searches may see: only its tenants count here.
    pub sight: Sight,
    /// Which page.
    pub page: Paging,
}

impl Query for SubscriptionQuery {
    type Row = Subscription;

    fn paging(&self) -> &Paging {
        &self.page
    }
}

impl Filters for SubscriptionQuery {
    fn filters(&self) -> Vec<Filter> {
        let mut filters = Gathered::default();
        filters.one_of("key", &self.keys);
        filters.equal("kind", self.kind.as_ref());
        filters.one_of("name", &self.names);
        filters.one_of("instance", &self.instances);
        filters.equal("definition", self.definition.as_ref());
        filters.equal("process", self.process.as_ref());
        filters.equal("node", self.node.as_ref());
        filters.equal("starts", self.starts.as_ref());
        if let Some(correlation) = &self.takes {
            filters.0.push(Filter::In("correlation", vec![None::<Name>.to_cell(), correlation.to_cell()]));
        }
        filters.equal("correlation", self.correlation.as_ref());
        filters.equal("business_key", self.business_key.as_ref());
        filters.equal("tenant", self.tenant.as_ref());
        self.sight.tenants(&mut filters);
        filters.0
    }

    fn order(&self) -> Option<&'static str> {
        None
    }
}

/// Kept messages, the oldest first. All filters that are given must hold.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MessageQuery {
    /// With this name.
    pub name: Option<Name>,
    /// That carry this correlation key, or none.
    pub for_correlation: Option<Name>,
    /// For this business key, or for none in particular.
    pub for_business_key: Option<Name>,
    /// Of this tenant.
    pub tenant: Option<Name>,
    /// Still kept at that time.
    pub kept_at: Option<Timestamp>,
    /// What whoever searches may see: only its tenants count here.
    pub sight: Sight,
    /// Which page.
    pub page: Paging,
}

impl Query for MessageQuery {
    type Row = Message;

    fn paging(&self) -> &Paging {
        &self.page
    }
}

impl Filters for MessageQuery {
    fn filters(&self) -> Vec<Filter> {
        let mut filters = Gathered::default();
        filters.equal("name", self.name.as_ref());
        for (column, value) in [("correlation", &self.for_correlation), ("business_key", &self.for_business_key)] {
            let values = value.as_ref().map(|value| vec![None::<Name>.to_cell(), value.to_cell()]);
            filters.0.extend(values.map(|values| Filter::In(column, values)));
        }
        filters.equal("tenant", self.tenant.as_ref());
        self.sight.tenants(&mut filters);
        filters.compare("expires", Operator::Greater, self.kept_at.as_ref());
        filters.0
    }

    fn order(&self) -> Option<&'static str> {
        None
    }
}
