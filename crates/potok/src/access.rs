//! Who acts, and what they may do and see. Every public operation asks here, by its row in the [table](crate::Action).

use std::collections::BTreeSet;
use std::fmt::Display;
use std::sync::Arc;

use potok_core::Name;
use potok_core::graph::ProcessGraph;
use potok_core::instance::Key;
use potok_store::query::{
    GrantQuery, InstanceQuery, MembershipQuery, Sight, TaskQuery, TeamTenancyQuery, TenancyQuery, Viewer,
};
use potok_store::row::Instance as InstanceRow;

use crate::engine::{Engine, Inner};
use crate::recent::Recent;
use crate::{Action, Boxed, Error, InstanceId, Right, Role, TaskId};

/// What is known of users' rights.
pub(crate) type Standings = Recent<Member, Arc<Standing>>;

/// A user, with the groups and tenants that another system says they are in.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Member {
    name: Name,
    groups: Vec<Name>,
    tenants: Vec<Name>,
}

/// Where a user stands.
#[derive(Debug, Default)]
pub(crate) struct Standing {
    pub(crate) groups: Vec<Name>,
    pub(crate) roles: Vec<Role>,
    /// The tenants that the user is in; none if in all.
    pub(crate) tenants: Option<Vec<Name>>,
}

/// By what else than a password a user has signed in: a token, or another system.
#[derive(Debug)]
pub(crate) struct Scope {
    /// The token's name, or the system's.
    pub(crate) name: Name,
    /// The roles that it is narrowed to; none if it has all of its user's.
    pub(crate) roles: Option<Vec<Role>>,
    /// Groups that the user is in by its word.
    pub(crate) groups: Vec<Name>,
    /// Tenants that the user is in by its word.
    pub(crate) tenants: Vec<Name>,
}

/// Who acts, as far as it matters for one operation.
#[derive(Clone, Debug, Default)]
pub struct Access {
    /// The user and where they stand; nobody in particular if the program itself.
    user: Option<(Name, Arc<Standing>)>,
    roles: Vec<Role>,
    /// The tenants that it keeps to; none if to no one.
    tenants: Option<Vec<Name>>,
}

impl Access {
    /// Whether nothing is kept from it.
    pub(crate) fn is_unlimited(&self) -> bool {
        self.tenants.is_none() && self.may(Right::View)
    }

    /// Whether it has a right.
    pub(crate) fn may(&self, right: Right) -> bool {
        self.user.is_none() || self.roles.iter().any(|role| role.rights().contains(&right))
    }

    /// The roles of the user, as far as they act in them.
    pub(crate) fn roles(&self) -> &[Role] {
        &self.roles
    }

    /// The user, and the groups that they are in.
    pub(crate) fn user(&self) -> Option<(&Name, &[Name])> {
        self.user.as_ref().map(|(name, standing)| (name, &standing.groups[..]))
    }

    /// Whether what belongs to a tenant, or to none, is within reach.
    pub(crate) fn admits(&self, tenant: Option<&Name>) -> bool {
        let is_it = |own: &Name| own == tenant.map_or("", |tenant| tenant);
        self.tenants.as_ref().is_none_or(|tenants| tenants.iter().any(is_it))
    }

    /// What a search may find.
    pub(crate) fn sight(&self) -> Sight {
        Sight { tenants: self.tenants.clone(), viewer: self.viewer().filter(|_| !self.may(Right::View)) }
    }

    fn viewer(&self) -> Option<Viewer> {
        self.user().map(|(name, groups)| Viewer { name: name.clone(), groups: groups.to_vec() })
    }

    /// Narrows a search to what may be found; where nothing is kept from whoever asks, it stays as it is.
    pub(crate) fn narrow(&self, sight: &mut Sight) {
        if !self.is_unlimited() {
            *sight = self.sight();
        }
    }

    /// Narrows a search for what all users of a tenant may find.
    pub(crate) fn narrow_to_tenants(&self, sight: &mut Sight) {
        if self.tenants.is_some() {
            sight.tenants.clone_from(&self.tenants);
        }
    }

    /// The tenants that a search keeps to.
    pub(crate) fn tenants(&self) -> Option<Vec<Name>> {
        self.tenants.clone()
    }

    /// Whether it keeps to tenants that have names: then groups of others are none of its business.
    pub(crate) fn keeps_to_some(&self) -> bool {
        self.tenants.as_ref().is_some_and(|tenants| tenants.iter().any(|tenant| !tenant.is_empty()))
    }

    /// Whether whoever acts is among those who may start a process.
    pub(crate) fn may_start(&self, process: &ProcessGraph) -> bool {
        let (users, teams) = (process.candidate_starter_users(), process.candidate_starter_groups());
        let Some((user, groups)) = self.user() else { return true };
        let is_open = users.is_empty() && teams.is_empty();
        is_open || self.may(Right::Send) || users.contains(user) || teams.iter().any(|team| groups.contains(team))
    }

    /// The tenant of something new: the one that is named, else the only one there is.
    pub(crate) fn home(&self, named: Option<&Name>) -> Result<Name, Error> {
        match (named, self.tenants.as_deref()) {
            (Some(tenant), _) if self.admits(Some(tenant)) => Ok(tenant.clone()),
            (Some(tenant), _) => Err(Error::ForeignTenant(tenant.clone())),
            (None, None) => Ok(Name::new()),
            (None, Some([tenant])) => Ok(tenant.clone()),
            (None, Some(_)) => Err(Error::TenantNeeded),
        }
    }
}

impl Engine {
    /// The same engine for one tenant: it reaches, finds and creates only what belongs to that tenant. An empty name stands for what belongs
    /// to none. For a user it must be one of the user's [tenants](crate::People::add_to_tenant).
    #[must_use]
    pub fn as_tenant(&self, tenant: impl Into<Name>) -> Self {
        Self { tenant: Some(tenant.into()), ..self.clone() }
    }

    /// The user that it acts as; none if it acts as the program itself.
    #[must_use]
    pub fn user(&self) -> Option<&Name> {
        self.user.as_ref()
    }

    /// Whether it has a right, as far as groups and roles say: what is asked for may still be somebody else's.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn may(&self, right: Right) -> Result<bool, Error> {
        Ok(self.standing().await?.may(right))
    }

    /// Who acts, if they may do that at all; and writes it down, if that is called for.
    pub(crate) async fn access(&self, action: Action, subject: &(dyn Display + Sync)) -> Result<Access, Error> {
        let access = self.checked(action, subject).await?;
        self.allowed(action, subject).await?;
        Ok(access)
    }

    /// The same for what is done to an instance: that it cannot be seen is as if it were not there.
    pub(crate) async fn reach(&self, action: Action, instance: InstanceId) -> Result<Access, Error> {
        let access = self.checked(action, &instance).await?;
        if !self.sees(&access, instance.0).await? {
            if self.inner.store.get::<InstanceRow>(instance.0).await?.is_some() {
                self.refused(action, &instance, "out of sight").await;
            }
            return Err(Error::UnknownInstance(instance));
        }
        self.allowed(action, &instance).await?;
        Ok(access)
    }

    /// Whether an instance can be seen. Of one that is not there that is so too, where nothing is kept from whoever asks.
    pub(crate) async fn sees(&self, access: &Access, instance: Key) -> Result<bool, Error> {
        if access.is_unlimited() {
            return Ok(true);
        }
        let query = InstanceQuery { keys: vec![instance], sight: access.sight(), ..InstanceQuery::default() };
        Ok(self.inner.store.count(&query).await? > 0)
    }

    /// Those of some instances that can be seen.
    pub(crate) async fn in_sight(&self, access: &Access, instances: BTreeSet<Key>) -> Result<BTreeSet<Key>, Error> {
        if access.is_unlimited() || instances.is_empty() {
            return Ok(instances);
        }
        let keys = instances.into_iter().collect();
        let query = InstanceQuery { keys, sight: access.sight(), ..InstanceQuery::default() };
        Ok(self.inner.store.list(&query).await?.rows.into_iter().map(|row| row.key).collect())
    }

    /// Whether the user has a part in an instance, whatever else they may see.
    pub(crate) async fn has_part(&self, access: &Access, instance: InstanceId) -> Result<bool, Error> {
        let sight = Sight { viewer: access.viewer(), ..access.sight() };
        let query = InstanceQuery { keys: vec![instance.0], sight, ..InstanceQuery::default() };
        Ok(self.inner.store.count(&query).await? > 0)
    }

    /// Somebody may not do that with a task: what is said of it, if they can see it, and if not. It is written down.
    pub(crate) async fn kept_from(&self, action: Action, access: &Access, task: TaskId, error: Error) -> Error {
        self.refused(action, &task, "not theirs").await;
        let query = TaskQuery { keys: vec![task.0], sight: access.sight(), ..TaskQuery::default() };
        match self.inner.store.count(&query).await {
            Ok(0) => Error::UnknownTask(task),
            Ok(_) => error,
            Err(error) => error.into(),
        }
    }

    /// Who acts, if they may do that at all.
    pub(crate) async fn checked(&self, action: Action, subject: &(dyn Display + Sync)) -> Result<Access, Error> {
        let access = self.standing().await?;
        if let (Some(tenant), Some(tenants)) = (&self.tenant, &access.tenants)
            && tenants.is_empty()
        {
            self.refused(action, subject, "another tenant").await;
            return Err(Error::ForeignTenant(tenant.clone()));
        }
        let right = action.right();
        if !access.may(right) {
            let roles: Vec<&str> = right.roles().map(Role::name).collect();
            let how = format!(
                "it takes the role {}; an administrator gives it to one of the user's groups",
                roles.join(" or ")
            );
            return Err(self.forbidden(action, subject, how).await);
        }
        if right == Right::Administer && access.tenants.is_some() {
            let how = "it concerns all tenants, and takes an administrator who is in none in particular".to_owned();
            return Err(self.forbidden(action, subject, how).await);
        }
        Ok(access)
    }

    pub(crate) async fn forbidden(&self, action: Action, subject: &(dyn Display + Sync), how: String) -> Error {
        self.refused(action, subject, &how).await;
        let user = self.user.clone().or_else(|| self.tenant.clone()).unwrap_or_default();
        Error::Forbidden { user, what: action.name().to_owned(), how }
    }

    /// Where whoever acts stands.
    pub(crate) async fn standing(&self) -> Result<Access, Error> {
        let Some(user) = &self.user else {
            return Ok(Access { tenants: self.tenant.clone().map(|tenant| vec![tenant]), ..Access::default() });
        };
        let standing = self.standing_of(user).await?;
        let has = |role: &Role| standing.roles.contains(role) || standing.roles.contains(&Role::Administrator);
        let roles = match self.scope.as_ref().and_then(|scope| scope.roles.as_ref()) {
            Some(scope) => scope.iter().copied().filter(has).collect(),
            None => standing.roles.clone(),
        };
        let tenants = match (&self.tenant, &standing.tenants) {
            (Some(tenant), Some(own)) => Some(own.iter().filter(|own| *own == tenant).cloned().collect()),
            (Some(tenant), None) => Some(vec![tenant.clone()]),
            (None, own) => own.clone(),
        };
        Ok(Access { user: Some((user.clone(), standing)), roles, tenants })
    }

    /// A user, with what is said of them elsewhere if it is them who act.
    pub(crate) fn member(&self, user: &Name) -> Member {
        let said = self.scope.as_ref().filter(|_| self.user.as_ref() == Some(user));
        let (groups, tenants) = said.map(|scope| (scope.groups.clone(), scope.tenants.clone())).unwrap_or_default();
        Member { name: user.clone(), groups, tenants }
    }

    /// Where a user stands, as it was a few seconds ago at most.
    pub(crate) async fn standing_of(&self, user: &Name) -> Result<Arc<Standing>, Error> {
        self.inner.standing_of(self.member(user)).await
    }
}

impl Inner {
    async fn standing_of(&self, member: Member) -> Result<Arc<Standing>, Error> {
        if let Some(standing) = self.standings.get(&member) {
            return Ok(standing);
        }
        self.look_up_standing(member).await
    }

    fn look_up_standing(&self, member: Member) -> Boxed<'_, Result<Arc<Standing>, Error>> {
        Box::pin(async move {
            let generation = self.standings.generation();
            let user = &member.name;
            let groups = MembershipQuery { members: vec![user.clone()], ..MembershipQuery::default() };
            let mut groups: Vec<Name> = self.store.list(&groups).await?.rows.into_iter().map(|row| row.team).collect();
            groups.extend(member.groups.iter().cloned());
            groups.sort_unstable();
            groups.dedup();
            let mut roles = vec![Role::Participant];
            let tenants = TenancyQuery { members: vec![user.clone()], ..TenancyQuery::default() };
            let mut tenants: Vec<Name> =
                self.store.list(&tenants).await?.rows.into_iter().map(|row| row.tenant).collect();
            if !groups.is_empty() {
                let of_groups = TeamTenancyQuery { teams: groups.clone(), ..TeamTenancyQuery::default() };
                tenants.extend(self.store.list(&of_groups).await?.rows.into_iter().map(|row| row.tenant));
                let grants = GrantQuery { teams: groups.clone(), ..GrantQuery::default() };
                // A role that a newer version knows says nothing here.
                roles.extend(self.store.list(&grants).await?.rows.iter().filter_map(|row| Role::named(&row.role)));
                roles.sort_unstable();
                roles.dedup();
            }
            tenants.extend(member.tenants.iter().cloned());
            tenants.sort_unstable();
            tenants.dedup();
            let tenants = match &tenants[..] {
                [] if roles.contains(&Role::Administrator) => None,
                [] => Some(vec![Name::new()]),
                _ => Some(tenants),
            };
            let standing = Arc::new(Standing { groups, roles, tenants });
            self.standings.remember(member, standing.clone(), generation);
            Ok(standing)
        })
    }
}
