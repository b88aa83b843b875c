//! Searching for deployments and definitions.

use potok_core::Name;
use potok_core::instance::Key;

use super::sealed::Filters;
use super::{Gathered, Paging, Query, Sight};
use crate::cell::Field;
use crate::row::{Definition, DefinitionKind, Deployment};
use crate::select::{Filter, Operator};

/// Definitions, by age. All filters that are given must hold.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DefinitionQuery {
    /// What they are.
    pub kind: Option<DefinitionKind>,
    /// One of these.
    pub keys: Vec<Key>,
    /// With one of these ids.
    pub ids: Vec<Name>,
    /// Of this tenant; empty for none.
    pub tenant: Option<Name>,
    /// Of this deployment.
    pub deployment: Option<Key>,
    /// With this tag.
    pub tag: Option<Name>,
    /// With such a name: `%` stands for any text, `_` for one character.
    pub name_like: Option<String>,
    /// Suspended, or not.
    pub suspended: Option<bool>,
    /// Those of which operators have said how long what has ended of them is kept.
    pub has_history_days: bool,
    /// What whoever searches may see.
    pub sight: Sight,
    /// Which page.
    pub page: Paging,
}

impl Query for DefinitionQuery {
    type Row = Definition;

    fn paging(&self) -> &Paging {
        &self.page
    }
}

impl Filters for DefinitionQuery {
    fn filters(&self) -> Vec<Filter> {
        let mut filters = Gathered::default();
        filters.equal("kind", self.kind.as_ref());
        filters.one_of("key", &self.keys);
        filters.one_of("id", &self.ids);
        filters.equal("tenant", self.tenant.as_ref());
        filters.equal("deployment", self.deployment.as_ref());
        filters.equal("tag", self.tag.as_ref());
        filters.like("name", self.name_like.as_ref());
        filters.equal("suspended", self.suspended.as_ref());
        if self.has_history_days {
            filters.0.push(Filter::Compare("history_days", Operator::Greater, None::<i64>.to_cell()));
        }
        self.sight.tenants(&mut filters);
        filters.0
    }

    fn order(&self) -> Option<&'static str> {
        None
    }
}

/// Deployments, by age. All filters that are given must hold.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DeploymentQuery {
    /// One of these.
    pub keys: Vec<Key>,
    /// With this name.
    pub name: Option<Name>,
    /// Of this tenant.
    pub tenant: Option<Name>,
    /// What whoever searches may see.
    pub sight: Sight,
    /// Which page.
    pub page: Paging,
}

impl Query for DeploymentQuery {
    type Row = Deployment;

    fn paging(&self) -> &Paging {
        &self.page
    }
}

impl Filters for DeploymentQuery {
    fn filters(&self) -> Vec<Filter> {
        let mut filters = Gathered::default();
        filters.one_of("key", &self.keys);
        filters.equal("name", self.name.as_ref());
        filters.equal("tenant", self.tenant.as_ref());
        self.sight.tenants(&mut filters);
        filters.0
    }

    fn order(&self) -> Option<&'static str> {
        None
    }
}
