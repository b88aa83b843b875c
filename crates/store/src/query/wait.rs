//! Searching for jobs, timers and incidents.

use potok_core::Name;
use potok_core::instance::Key;
use potok_core::time::Timestamp;

use super::sealed::Filters;
use super::sight::Of;
use super::{Gathered, Paging, Query, Sight};
use crate::cell::Field;
use crate::row::{Incident, Job, Timer, Work};
use crate::select::{Filter, Operator};

/// Jobs, by age. All filters that are given must hold.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct JobQuery {
    /// One of these.
    pub keys: Vec<Key>,
    /// Of this definition.
    pub definition: Option<Key>,
    /// Of one of these instances.
    pub instances: Vec<Key>,
    /// Of one of these processes.
    pub processes: Vec<Name>,
    /// On one of these flow nodes.
    pub nodes: Vec<Name>,
    /// Of one of these kinds of work.
    pub topics: Vec<Name>,
    /// Of this tenant.
    pub tenant: Option<Name>,
    /// Handed out to this worker.
    pub worker: Option<Name>,
    /// With tries left, or without.
    pub has_retries: Option<bool>,
    /// What whoever searches may see.
    pub sight: Sight,
    /// Which page.
    pub page: Paging,
}

impl Query for JobQuery {
    type Row = Job;

    fn paging(&self) -> &Paging {
        &self.page
    }
}

impl Filters for JobQuery {
    fn filters(&self) -> Vec<Filter> {
        let mut filters = Gathered::default();
        filters.one_of("key", &self.keys);
        filters.equal("definition", self.definition.as_ref());
        filters.one_of("instance", &self.instances);
        filters.one_of("process", &self.processes);
        filters.one_of("node", &self.nodes);
        filters.one_of("topic", &self.topics);
        filters.equal("tenant", self.tenant.as_ref());
        filters.equal("worker", self.worker.as_ref());
        if self.worker.is_some() {
            filters.compare("lease", Operator::NotEqual, Some(&0_u64));
        }
        if let Some(has_retries) = self.has_retries {
            let operator = if has_retries { Operator::Greater } else { Operator::LessOrEqual };
            filters.0.push(Filter::Compare("retries", operator, 0_i64.to_cell()));
        }
        self.sight.parts(&mut filters, Of::Part, Vec::new());
        filters.0
    }

    fn order(&self) -> Option<&'static str> {
        None
    }
}

/// Timers, by when they are due. All filters that are given must hold.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TimerQuery {
    /// One of these.
    pub keys: Vec<Key>,
    /// Of this definition.
    pub definition: Option<Key>,
    /// Of one of these instances.
    pub instances: Vec<Key>,
    /// Due before.
    pub due_before: Option<Timestamp>,
    /// What whoever searches may see: only its tenants count here.
    pub sight: Sight,
    /// Which page.
    pub page: Paging,
}

impl Query for TimerQuery {
    type Row = Timer;

    fn paging(&self) -> &Paging {
        &self.page
    }
}

impl Filters for TimerQuery {
    fn filters(&self) -> Vec<Filter> {
        let mut filters = Gathered::default();
        filters.one_of("key", &self.keys);
        filters.equal("definition", self.definition.as_ref());
        filters.one_of("instance", &self.instances);
        filters.between("due", None, self.due_before.as_ref());
        self.sight.tenants_of_instances(&mut filters);
        filters.0
    }

    fn order(&self) -> Option<&'static str> {
        Some("due")
    }
}

/// Follow-up work, by age. All filters that are given must hold.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct WorkQuery {
    /// One of these.
    pub keys: Vec<Key>,
    /// Of one of these instances.
    pub instances: Vec<Key>,
    /// Of one of these kinds.
    pub kinds: Vec<u32>,
    /// Which page.
    pub page: Paging,
}

impl Query for WorkQuery {
    type Row = Work;

    fn paging(&self) -> &Paging {
        &self.page
    }
}

impl Filters for WorkQuery {
    fn filters(&self) -> Vec<Filter> {
        let mut filters = Gathered::default();
        filters.one_of("key", &self.keys);
        filters.one_of("instance", &self.instances);
        filters.one_of("kind", &self.kinds);
        filters.0
    }

    fn order(&self) -> Option<&'static str> {
        None
    }
}

/// Incidents, by age. All filters that are given must hold.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct IncidentQuery {
    /// Still open, or resolved.
    pub open: Option<bool>,
    /// One of these.
    pub keys: Vec<Key>,
    /// Of this definition.
    pub definition: Option<Key>,
    /// Of one of these instances.
    pub instances: Vec<Key>,
    /// Of one of these processes.
    pub processes: Vec<Name>,
    /// On one of these flow nodes.
    pub nodes: Vec<Name>,
    /// With one of these codes.
    pub codes: Vec<Name>,
    /// Of this tenant.
    pub tenant: Option<Name>,
    /// What whoever searches may see.
    pub sight: Sight,
    /// Which page.
    pub page: Paging,
}

impl Query for IncidentQuery {
    type Row = Incident;

    fn paging(&self) -> &Paging {
        &self.page
    }
}

impl Filters for IncidentQuery {
    fn filters(&self) -> Vec<Filter> {
        let mut filters = Gathered::default();
        match self.open {
            Some(true) => filters.0.push(Filter::Code("resolved", i64::MAX)),
            Some(false) => filters.between("resolved", Some(&Timestamp::MIN), None),
            None => {}
        }
        filters.one_of("key", &self.keys);
        filters.equal("definition", self.definition.as_ref());
        filters.one_of("instance", &self.instances);
        filters.one_of("process", &self.processes);
        filters.one_of("node", &self.nodes);
        filters.one_of("code", &self.codes);
        filters.equal("tenant", self.tenant.as_ref());
        self.sight.parts(&mut filters, Of::Part, Vec::new());
        filters.0
    }

    fn order(&self) -> Option<&'static str> {
        None
    }
}
