//! Searching for jobs, timers and incidents.

use potok_core::Name;
use potok_core::instance::Key;
use potok_core::time::Timestamp;

use super::sealed::Filters;
use super::sight::Of;
use super::{Gathered, Paging, Query, Sight};
use crate::cell::Field;
use crate::row::{DuePolicy, Incident, Job, Timer, Work};
use crate::select::{Filter, Operator};

/// How jobs are sorted; by age among equals.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum JobOrder {
    /// By age.
    #[default]
    Created,
    /// By when their leases run out.
    LeasedUntil,
    /// By instance.
    Instance,
    /// By definition.
    Definition,
    /// By process.
    Process,
    /// By priority.
    Priority,
    /// By tenant.
    Tenant,
}

/// Jobs, by age unless said otherwise. All filters that are given must hold.
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
    /// Of one of these tenants; an empty name stands for those of none.
    pub tenants: Vec<Name>,
    /// Handed out to this worker.
    pub worker: Option<Name>,
    /// Handed out to this worker, now or last.
    pub last_worker: Option<Name>,
    /// With tries left, or without.
    pub has_retries: Option<bool>,
    /// Suspended with their instances, or not.
    pub suspended: Option<bool>,
    /// At least this urgent.
    pub priority_from: Option<i64>,
    /// At most this urgent.
    pub priority_to: Option<i64>,
    /// How they are sorted.
    pub order: JobOrder,
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
        filters.one_of("tenant", &self.tenants);
        filters.equal("worker", self.worker.as_ref());
        filters.equal("worker", self.last_worker.as_ref());
        filters.equal("suspended", self.suspended.as_ref());
        filters.compare("priority", Operator::GreaterOrEqual, self.priority_from.as_ref());
        filters.compare("priority", Operator::LessOrEqual, self.priority_to.as_ref());
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
        match self.order {
            JobOrder::Created => None,
            JobOrder::LeasedUntil => Some("leased_until"),
            JobOrder::Instance => Some("instance"),
            JobOrder::Definition => Some("definition"),
            JobOrder::Process => Some("process"),
            JobOrder::Priority => Some("priority"),
            JobOrder::Tenant => Some("tenant"),
        }
    }
}

/// Timers, by when they are due. All filters that are given must hold.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TimerQuery {
    /// One of these.
    pub keys: Vec<Key>,
    /// Of this definition.
    pub definition: Option<Key>,
    /// On one of these flow nodes; a boundary event's stand on the event.
    pub nodes: Vec<Name>,
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
        filters.one_of("node", &self.nodes);
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

/// What operators have said of savepoints and timers to come, by flow node. All filters that are given must hold.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DuePolicyQuery {
    /// Of one of these definitions.
    pub definitions: Vec<Key>,
    /// Which page.
    pub page: Paging,
}

impl Query for DuePolicyQuery {
    type Row = DuePolicy;

    fn paging(&self) -> &Paging {
        &self.page
    }
}

impl Filters for DuePolicyQuery {
    fn filters(&self) -> Vec<Filter> {
        let mut filters = Gathered::default();
        filters.one_of("definition", &self.definitions);
        filters.0
    }

    fn order(&self) -> Option<&'static str> {
        Some("node")
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
    /// With none of these codes.
    pub not_codes: Vec<Name>,
    /// With this message.
    pub message: Option<Name>,
    /// With such a message: `%` stands for any text, `_` for one character.
    pub message_like: Option<String>,
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
        if !self.not_codes.is_empty() {
            let codes = self.not_codes.iter().map(Field::to_cell).collect();
            filters.0.push(Filter::Not(Box::new(Filter::In("code", codes))));
        }
        filters.equal("message", self.message.as_ref());
        filters.like("message", self.message_like.as_ref());
        filters.equal("tenant", self.tenant.as_ref());
        self.sight.parts(&mut filters, Of::Part, Vec::new());
        filters.0
    }

    fn order(&self) -> Option<&'static str> {
        None
    }
}
