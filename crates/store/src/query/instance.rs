//! Searching for instances.

use potok_core::Name;
use potok_core::instance::Key;
use potok_core::time::Timestamp;

use super::sealed::Filters;
use super::sight::Of;
use super::{Gathered, IncidentQuery, Paging, Query, Sight, VariableFilter};
use crate::cell::Field;
use crate::record::Record;
use crate::row::{Incident, Instance, InstanceState};
use crate::select::{Filter, Operator};

/// How instances are sorted; by age among equals.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum InstanceOrder {
    /// By age.
    #[default]
    Started,
    /// By business key.
    BusinessKey,
    /// By when they ended; running ones last.
    Ended,
    /// By process.
    Process,
    /// By definition.
    Definition,
    /// By tenant.
    Tenant,
}

/// How long the history of ended instances is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expiry {
    /// Until before then, as their models say.
    Before(Timestamp),
    /// Their models say nothing.
    Never,
}

/// Instances. All filters that are given must hold.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct InstanceQuery {
    /// In one of these states; in any if none is given.
    pub states: Vec<InstanceState>,
    /// One of these.
    pub keys: Vec<Key>,
    /// Of one of these processes.
    pub processes: Vec<Name>,
    /// Of any process, or of none: tasks that belong to no process are instances of none.
    pub has_process: Option<bool>,
    /// Of none of these processes.
    pub not_processes: Vec<Name>,
    /// Of this definition.
    pub definition: Option<Key>,
    /// Of one of these definitions.
    pub definitions: Vec<Key>,
    /// Of this tenant.
    pub tenant: Option<Name>,
    /// Of one of these tenants; an empty name stands for those of none.
    pub tenants: Vec<Name>,
    /// With this business key.
    pub business_key: Option<Name>,
    /// With one of these business keys.
    pub business_keys: Vec<Name>,
    /// Started by this user.
    pub initiator: Option<Name>,
    /// With such a business key: `%` stands for any text, `_` for one character.
    pub business_key_like: Option<String>,
    /// Called by this instance.
    pub parent: Option<Key>,
    /// Called by another, or not.
    pub called: Option<bool>,
    /// Suspended, or not.
    pub suspended: Option<bool>,
    /// Started from then on.
    pub started_from: Option<Timestamp>,
    /// Started before.
    pub started_before: Option<Timestamp>,
    /// Ended from then on.
    pub ended_from: Option<Timestamp>,
    /// Ended before.
    pub ended_before: Option<Timestamp>,
    /// How long their models say that their history is kept.
    pub expires: Option<Expiry>,
    /// Stuck somewhere, by an incident for which this holds.
    pub incident: Option<IncidentQuery>,
    /// With such variables.
    pub variables: Vec<VariableFilter>,
    /// For which at least one of each of these holds, by its filters alone.
    pub either: Vec<Vec<InstanceQuery>>,
    /// How they are sorted.
    pub order: InstanceOrder,
    /// What whoever searches may see.
    pub sight: Sight,
    /// Which page.
    pub page: Paging,
}

impl Query for InstanceQuery {
    type Row = Instance;

    fn paging(&self) -> &Paging {
        &self.page
    }
}

impl Filters for InstanceQuery {
    fn filters(&self) -> Vec<Filter> {
        let mut filters = Gathered::default();
        filters.state("state", &self.states);
        filters.one_of("key", &self.keys);
        filters.one_of("process", &self.processes);
        filters.is_there("process", self.has_process);
        if !self.not_processes.is_empty() {
            let processes = self.not_processes.iter().map(Field::to_cell).collect();
            filters.0.push(Filter::Not(Box::new(Filter::In("process", processes))));
        }
        filters.equal("definition", self.definition.as_ref());
        filters.one_of("definition", &self.definitions);
        filters.equal("tenant", self.tenant.as_ref());
        filters.one_of("tenant", &self.tenants);
        filters.equal("business_key", self.business_key.as_ref());
        filters.one_of("business_key", &self.business_keys);
        filters.equal("initiator", self.initiator.as_ref());
        filters.like("business_key", self.business_key_like.as_ref());
        filters.equal("parent", self.parent.as_ref());
        if let Some(called) = self.called {
            let operator = if called { Operator::NotEqual } else { Operator::Equal };
            filters.compare("parent", operator, Some(&None::<Key>));
        }
        match self.expires {
            Some(Expiry::Before(time)) => filters.between("expires", None, Some(&time)),
            Some(Expiry::Never) => filters.compare("expires", Operator::Equal, Some(&None::<Timestamp>)),
            None => {}
        }
        filters.equal("suspended", self.suspended.as_ref());
        filters.between("started", self.started_from.as_ref(), self.started_before.as_ref());
        filters.between("ended", self.ended_from.as_ref(), self.ended_before.as_ref());
        filters.0.extend(self.variables.iter().map(|variable| variable.filter(&[("instance", "key")])));
        if let Some(incident) = &self.incident {
            filters.0.push(Filter::Exists(Incident::TABLE, &[("instance", "key")], incident.filters()));
        }
        filters.0.extend(
            self.either.iter().map(|any| Filter::Any(any.iter().map(|query| Filter::All(query.filters())).collect())),
        );
        self.sight.parts(&mut filters, Of::Instance, Vec::new());
        filters.0
    }

    fn order(&self) -> Option<&'static str> {
        match self.order {
            InstanceOrder::Started => None,
            InstanceOrder::BusinessKey => Some("business_key"),
            InstanceOrder::Ended => Some("ended"),
            InstanceOrder::Process => Some("process"),
            InstanceOrder::Definition => Some("definition"),
            InstanceOrder::Tenant => Some("tenant"),
        }
    }
}
