//! Searching for people and groups.

use potok_core::Name;

use super::sealed::Filters;
use super::{Gathered, Paging, Query};
use crate::cell::Field;
use crate::record::Record;
use crate::row::{Group, Membership, TeamTenancy, Tenancy, User};
use crate::select::Filter;

/// Users, by id. All filters that are given must hold.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct UserQuery {
    /// One of these.
    pub ids: Vec<Name>,
    /// With such a name: `%` stands for any text, `_` for one character.
    pub name_like: Option<String>,
    /// In this group.
    pub group: Option<Name>,
    /// Of one of these tenants, also by their groups; an empty name stands for those of none.
    pub tenants: Option<Vec<Name>>,
    /// Of this tenant, whatever their groups are in.
    pub own_tenant: Option<Name>,
    /// Which page.
    pub page: Paging,
}

impl Query for UserQuery {
    type Row = User;

    fn paging(&self) -> &Paging {
        &self.page
    }
}

impl Filters for UserQuery {
    fn filters(&self) -> Vec<Filter> {
        let mut filters = Gathered::default();
        filters.one_of("id", &self.ids);
        filters.like("name", self.name_like.as_ref());
        filters.0.extend(self.group.as_ref().map(|group| {
            Filter::Exists(Membership::TABLE, &[("member", "id")], vec![Filter::equal("team", group.to_cell())])
        }));
        filters.0.extend(self.own_tenant.as_ref().map(|tenant| {
            Filter::Exists(Tenancy::TABLE, &[("member", "id")], vec![Filter::equal("tenant", tenant.to_cell())])
        }));
        if let Some(tenants) = &self.tenants {
            let of = |filters: Vec<Filter>| {
                let of_team = Filter::Exists(TeamTenancy::TABLE, &[("team", "team")], filters.clone());
                let by_team = Filter::Exists(Membership::TABLE, &[("member", "id")], vec![of_team]);
                Filter::Any(vec![Filter::Exists(Tenancy::TABLE, &[("member", "id")], filters), by_team])
            };
            let mut any = vec![of(vec![Filter::In("tenant", tenants.iter().map(Field::to_cell).collect())])];
            if tenants.iter().any(|tenant| tenant.is_empty()) {
                any.push(Filter::Not(Box::new(of(Vec::new()))));
            }
            filters.0.push(Filter::Any(any));
        }
        filters.0
    }

    fn order(&self) -> Option<&'static str> {
        None
    }
}

/// Memberships, by user and group. All filters that are given must hold.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MembershipQuery {
    /// Of one of these users.
    pub members: Vec<Name>,
    /// In one of these groups.
    pub teams: Vec<Name>,
    /// Which page.
    pub page: Paging,
}

impl Query for MembershipQuery {
    type Row = Membership;

    fn paging(&self) -> &Paging {
        &self.page
    }
}

impl Filters for MembershipQuery {
    fn filters(&self) -> Vec<Filter> {
        let mut filters = Gathered::default();
        filters.one_of("member", &self.members);
        filters.one_of("team", &self.teams);
        filters.0
    }

    fn order(&self) -> Option<&'static str> {
        Some("member")
    }
}

/// Groups, by id. All filters that are given must hold.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GroupQuery {
    /// One of these.
    pub ids: Vec<Name>,
    /// That this user is in.
    pub member: Option<Name>,
    /// Of this tenant.
    pub tenant: Option<Name>,
    /// Which page.
    pub page: Paging,
}

impl Query for GroupQuery {
    type Row = Group;

    fn paging(&self) -> &Paging {
        &self.page
    }
}

impl Filters for GroupQuery {
    fn filters(&self) -> Vec<Filter> {
        let mut filters = Gathered::default();
        filters.one_of("id", &self.ids);
        filters.0.extend(self.member.as_ref().map(|member| {
            Filter::Exists(Membership::TABLE, &[("team", "id")], vec![Filter::equal("member", member.to_cell())])
        }));
        filters.0.extend(self.tenant.as_ref().map(|tenant| {
            Filter::Exists(TeamTenancy::TABLE, &[("team", "id")], vec![Filter::equal("tenant", tenant.to_cell())])
        }));
        filters.0
    }

    fn order(&self) -> Option<&'static str> {
        None
    }
}
