//! Searching for who may do what, what they sign in by, and what was refused or done.

use potok_core::Name;
use potok_core::instance::Key;
use potok_core::time::Timestamp;

use super::sealed::Filters;
use super::{Gathered, Paging, Query, Sight};
use crate::cell::Bytes;
use crate::row::{ApiToken, Audit, Grant, Session, TeamTenancy, Tenancy, Tenant};
use crate::select::Filter;

/// Roles of groups, by group and role. All filters that are given must hold.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GrantQuery {
    /// Of one of these groups.
    pub teams: Vec<Name>,
    /// One of these roles.
    pub roles: Vec<Name>,
    /// Which page.
    pub page: Paging,
}

impl Query for GrantQuery {
    type Row = Grant;

    fn paging(&self) -> &Paging {
        &self.page
    }
}

impl Filters for GrantQuery {
    fn filters(&self) -> Vec<Filter> {
        let mut filters = Gathered::default();
        filters.one_of("team", &self.teams);
        filters.one_of("role", &self.roles);
        filters.0
    }

    fn order(&self) -> Option<&'static str> {
        Some("team")
    }
}

/// Tenants that somebody has given a name, by id. All filters that are given must hold.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TenantQuery {
    /// One of these.
    pub ids: Vec<Name>,
    /// Which page.
    pub page: Paging,
}

impl Query for TenantQuery {
    type Row = Tenant;

    fn paging(&self) -> &Paging {
        &self.page
    }
}

impl Filters for TenantQuery {
    fn filters(&self) -> Vec<Filter> {
        let mut filters = Gathered::default();
        filters.one_of("id", &self.ids);
        filters.0
    }

    fn order(&self) -> Option<&'static str> {
        None
    }
}

/// Users of tenants, by user and tenant. All filters that are given must hold.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TenancyQuery {
    /// Of one of these users.
    pub members: Vec<Name>,
    /// Of one of these tenants.
    pub tenants: Vec<Name>,
    /// Which page.
    pub page: Paging,
}

impl Query for TenancyQuery {
    type Row = Tenancy;

    fn paging(&self) -> &Paging {
        &self.page
    }
}

impl Filters for TenancyQuery {
    fn filters(&self) -> Vec<Filter> {
        let mut filters = Gathered::default();
        filters.one_of("member", &self.members);
        filters.one_of("tenant", &self.tenants);
        filters.0
    }

    fn order(&self) -> Option<&'static str> {
        Some("member")
    }
}

/// Groups of tenants, by group and tenant. All filters that are given must hold.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TeamTenancyQuery {
    /// Of one of these groups.
    pub teams: Vec<Name>,
    /// Of one of these tenants.
    pub tenants: Vec<Name>,
    /// Which page.
    pub page: Paging,
}

impl Query for TeamTenancyQuery {
    type Row = TeamTenancy;

    fn paging(&self) -> &Paging {
        &self.page
    }
}

impl Filters for TeamTenancyQuery {
    fn filters(&self) -> Vec<Filter> {
        let mut filters = Gathered::default();
        filters.one_of("team", &self.teams);
        filters.one_of("tenant", &self.tenants);
        filters.0
    }

    fn order(&self) -> Option<&'static str> {
        Some("team")
    }
}

/// Sessions, the first to end first. All filters that are given must hold.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SessionQuery {
    /// Of one of these users.
    pub members: Vec<Name>,
    /// Which page.
    pub page: Paging,
}

impl Query for SessionQuery {
    type Row = Session;

    fn paging(&self) -> &Paging {
        &self.page
    }
}

impl Filters for SessionQuery {
    fn filters(&self) -> Vec<Filter> {
        let mut filters = Gathered::default();
        filters.one_of("member", &self.members);
        filters.0
    }

    fn order(&self) -> Option<&'static str> {
        Some("expires")
    }
}

/// API tokens, by age. All filters that are given must hold.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ApiTokenQuery {
    /// One of these.
    pub keys: Vec<Key>,
    /// With one of these, as they are kept.
    pub secrets: Vec<Bytes>,
    /// Of one of these users.
    pub members: Vec<Name>,
    /// Which page.
    pub page: Paging,
}

impl Query for ApiTokenQuery {
    type Row = ApiToken;

    fn paging(&self) -> &Paging {
        &self.page
    }
}

impl Filters for ApiTokenQuery {
    fn filters(&self) -> Vec<Filter> {
        let mut filters = Gathered::default();
        filters.one_of("key", &self.keys);
        filters.one_of("secret", &self.secrets);
        filters.one_of("member", &self.members);
        filters.0
    }

    fn order(&self) -> Option<&'static str> {
        None
    }
}

/// What was refused or done, by age. All filters that are given must hold.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AuditQuery {
    /// One of these.
    pub keys: Vec<Key>,
    /// Asked for by one of these users.
    pub authors: Vec<Name>,
    /// One of these actions.
    pub actions: Vec<Name>,
    /// Asked of one of these.
    pub subjects: Vec<Name>,
    /// Allowed, or refused.
    pub allowed: Option<bool>,
    /// From then on.
    pub from: Option<Timestamp>,
    /// Before.
    pub before: Option<Timestamp>,
    /// What whoever searches may see.
    pub sight: Sight,
    /// Which page.
    pub page: Paging,
}

impl Query for AuditQuery {
    type Row = Audit;

    fn paging(&self) -> &Paging {
        &self.page
    }
}

impl Filters for AuditQuery {
    fn filters(&self) -> Vec<Filter> {
        let mut filters = Gathered::default();
        filters.one_of("key", &self.keys);
        filters.one_of("author", &self.authors);
        filters.one_of("action", &self.actions);
        filters.one_of("subject", &self.subjects);
        filters.equal("allowed", self.allowed.as_ref());
        filters.between("time", self.from.as_ref(), self.before.as_ref());
        self.sight.tenants(&mut filters);
        filters.0
    }

    fn order(&self) -> Option<&'static str> {
        None
    }
}
