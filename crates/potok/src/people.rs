//! People: users, groups, who is in which, and what that lets them do.

use std::collections::BTreeMap;
use std::fmt::Display;

use potok_core::Name;
use potok_store::query::{
    GrantQuery, GroupQuery, MembershipQuery, Paging, TeamTenancyQuery, TenancyQuery, TenantQuery, UserQuery,
};
use potok_store::row::{Grant, Group, Membership, Password, TeamTenancy, Tenancy, Tenant, User};
use potok_store::{Changes, Guard, Page, Record, Seen};

use crate::administrators::Taken;
use crate::engine::{Engine, Inner};
use crate::transact::TRIES;
use crate::{Action, Error, Role};

/// The group of administrators that are made as such.
const ADMINISTRATORS: &str = "administrators";

/// The people that tasks are for. What stands here is all that an engine knows of them; users who sign in elsewhere may be in
/// groups without being listed here.
#[derive(Clone, Copy, Debug)]
pub struct People<'e> {
    pub(crate) engine: &'e Engine,
}

impl Engine {
    /// Users, groups, who is in which, and what that lets them do.
    #[must_use]
    pub fn people(&self) -> People<'_> {
        People { engine: self }
    }
}

impl People<'_> {
    /// Creates a user, or changes the one with that id.
    ///
    /// # Errors
    /// If that is forbidden, or the database cannot be written.
    pub async fn put_user(&self, user: User) -> Result<(), Error> {
        self.change(Action::ChangePeople, &user.id.clone(), |changes| changes.put(user)).await
    }

    /// Creates a group, or changes the one with that id.
    ///
    /// # Errors
    /// If that is forbidden, or the database cannot be written.
    pub async fn put_group(&self, group: Group) -> Result<(), Error> {
        self.change(Action::ChangePeople, &group.id.clone(), |changes| changes.put(group)).await
    }

    /// Creates a user, or changes the one with that id, if they are what the caller takes them for.
    ///
    /// # Errors
    /// If that is forbidden, or the database cannot be written; and [`Error::UserChanged`] if they are not.
    pub async fn update_user_if(
        &self,
        id: impl Into<Name>,
        is_expected: impl Fn(Option<&User>) -> bool + Send + Sync,
        change: impl Fn(&mut User) + Send + Sync,
    ) -> Result<(), Error> {
        let id = id.into();
        let changed = |seen: Option<&User>| {
            if !is_expected(seen) {
                return Err(Error::UserChanged(id.clone()));
            }
            let mut user = seen.cloned().unwrap_or_else(|| User { id: id.clone(), ..User::default() });
            change(&mut user);
            Ok(user)
        };
        self.update(id.clone(), changed).await
    }

    /// Creates a group, or changes the one with that id, if it is what the caller takes it for.
    ///
    /// # Errors
    /// If that is forbidden, or the database cannot be written; and [`Error::GroupChanged`] if it is not.
    pub async fn update_group_if(
        &self,
        id: impl Into<Name>,
        is_expected: impl Fn(Option<&Group>) -> bool + Send + Sync,
        change: impl Fn(&mut Group) + Send + Sync,
    ) -> Result<(), Error> {
        let id = id.into();
        let changed = |seen: Option<&Group>| {
            if !is_expected(seen) {
                return Err(Error::GroupChanged(id.clone()));
            }
            let mut group = seen.cloned().unwrap_or_else(|| Group { id: id.clone(), ..Group::default() });
            change(&mut group);
            Ok(group)
        };
        self.update(id.clone(), changed).await
    }

    /// Whether there is any user, as it was a few seconds ago at most: before that, nobody can sign in. Of a user who is made here it is
    /// known at once.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn has_users(&self) -> Result<bool, Error> {
        let inner = &self.engine.inner;
        if let Some(has_users) = inner.inhabited.get(&()) {
            return Ok(has_users);
        }
        let generation = inner.inhabited.generation();
        let one = Paging { limit: Some(1), ..Paging::default() };
        let query = UserQuery { page: one, ..UserQuery::default() };
        let has_users = !inner.store.list(&query).await?.rows.is_empty();
        inner.inhabited.remember((), has_users, generation);
        Ok(has_users)
    }

    /// Makes an administrator, in the group `administrators`, which gets the role: the first one, who then makes others.
    ///
    /// # Errors
    /// If that is forbidden, the password is unfit, or the database cannot be written.
    pub async fn add_administrator(&self, id: impl Into<Name>, password: &str) -> Result<(), Error> {
        let id = id.into();
        let inner = &self.engine.inner;
        self.engine.checked(Action::ChangePeople, &id).await?;
        let hash = inner.hashed(password).await?;
        // All of it or nothing: with a user who cannot sign in nobody else could either.
        let mut made = Changes::default();
        if inner.store.get::<User>(id.clone()).await?.is_none() {
            made.put(User { id: id.clone(), ..User::default() });
        }
        if inner.store.get::<Group>(ADMINISTRATORS.into()).await?.is_none() {
            made.put(Group { id: ADMINISTRATORS.into(), ..Group::default() });
        }
        made.put(Grant { team: ADMINISTRATORS.into(), role: Role::Administrator.name().into() });
        made.put(Membership { member: id.clone(), team: ADMINISTRATORS.into() });
        inner.end_sessions(&id, &mut made).await?;
        made.put(Password { member: id.clone(), hash, changed: inner.clock.now() });
        self.change(Action::ChangePeople, &format!("{id} in {ADMINISTRATORS}"), |changes| changes.append(made)).await
    }

    /// A user, if there is one with that id, in a tenant of whoever asks.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn user(&self, id: impl Into<Name>) -> Result<Option<User>, Error> {
        let query = UserQuery { ids: vec![id.into()], ..UserQuery::default() };
        Ok(self.users(&query).await?.rows.pop())
    }

    /// A group, if there is one with that id.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn group(&self, id: impl Into<Name>) -> Result<Option<Group>, Error> {
        let query = GroupQuery { ids: vec![id.into()], ..GroupQuery::default() };
        Ok(self.groups(&query).await?.rows.pop())
    }

    /// Users that are searched for: those of the tenants of whoever asks.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn users(&self, query: &UserQuery) -> Result<Page<User>, Error> {
        self.engine.search(query).await
    }

    /// Groups that are searched for. They belong to all tenants, so that users of one see only those that they are in.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn groups(&self, query: &GroupQuery) -> Result<Page<Group>, Error> {
        self.engine.search(query).await
    }

    /// The ids of the groups that a user is in.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn groups_of(&self, user: impl Into<Name>) -> Result<Vec<Name>, Error> {
        let (user, access) = (user.into(), self.engine.access(Action::SeePeople, &"").await?);
        let is_own = access.user().is_some_and(|(own, _)| *own == user);
        if !is_own && access.keeps_to_some() && self.user(user.clone()).await?.is_none() {
            return Ok(Vec::new());
        }
        Ok(self.engine.standing_of(&user).await?.groups.clone())
    }

    /// The ids of the users in a group; in a tenant, of those that are in it too.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn members_of(&self, group: impl Into<Name>) -> Result<Vec<Name>, Error> {
        let group = group.into();
        let access = self.engine.access(Action::SeePeople, &"").await?;
        if access.keeps_to_some() {
            let users = UserQuery { group: Some(group), ..UserQuery::default() };
            return Ok(self.users(&users).await?.rows.into_iter().map(|row| row.id).collect());
        }
        let query = MembershipQuery { teams: vec![group], ..MembershipQuery::default() };
        Ok(self.engine.inner.store.list(&query).await?.rows.into_iter().map(|row| row.member).collect())
    }

    /// The roles that a user has by their groups.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn roles_of(&self, user: impl Into<Name>) -> Result<Vec<Role>, Error> {
        let (user, access) = (user.into(), self.engine.access(Action::SeePeople, &"").await?);
        let is_own = access.user().is_some_and(|(own, _)| *own == user);
        if !is_own && access.keeps_to_some() && self.user(user.clone()).await?.is_none() {
            return Ok(Vec::new());
        }
        Ok(self.engine.standing_of(&user).await?.roles.clone())
    }

    /// The roles that have been given to a group.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn roles_of_group(&self, group: impl Into<Name>) -> Result<Vec<Role>, Error> {
        let group = group.into();
        self.engine.access(Action::SeePeople, &"").await?;
        if self.group(group.clone()).await?.is_none() {
            return Ok(Vec::new());
        }
        let query = GrantQuery { teams: vec![group], ..GrantQuery::default() };
        let grants = self.engine.inner.store.list(&query).await?.rows;
        Ok(grants.iter().filter_map(|grant| Role::named(&grant.role)).collect())
    }

    /// The tenants that a user is in, as far as whoever asks is in them too. Nobody else than an administrator is in none: who has been
    /// added to none is in that of what belongs to no tenant, which has no name.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn tenants_of(&self, user: impl Into<Name>) -> Result<Vec<Name>, Error> {
        let access = self.engine.access(Action::SeePeople, &"").await?;
        let standing = self.engine.standing_of(&user.into()).await?;
        let tenants = standing.tenants.iter().flatten().filter(|tenant| access.admits(Some(tenant)));
        Ok(tenants.cloned().collect())
    }

    /// Takes a user into a group; nothing changes if they are in it.
    ///
    /// # Errors
    /// If there is no such group, that is forbidden, or the database cannot be written.
    pub async fn add_member(&self, group: impl Into<Name>, user: impl Into<Name>) -> Result<(), Error> {
        let (team, member) = (group.into(), user.into());
        self.check_group(Action::ChangePeople, &team).await?;
        let subject = format!("{member} in {team}");
        self.change(Action::ChangePeople, &subject, |changes| changes.put(Membership { member, team })).await
    }

    /// Takes a user out of a group; nothing changes if they are not in it.
    ///
    /// # Errors
    /// If that is forbidden, a user would so take the last administrator away, an administrator would be in no tenant any more
    /// ([`Error::LastTenant`]), or the database cannot be written.
    pub async fn remove_member(&self, group: impl Into<Name>, user: impl Into<Name>) -> Result<(), Error> {
        let (team, member) = (group.into(), user.into());
        self.engine.checked(Action::ChangePeople, &team).await?;
        self.keep_an_administrator(|own| own.member != member || own.team != team).await?;
        let subject = format!("{member} no longer in {team}");
        let taken = Taken { memberships: vec![(member, team)], ..Taken::default() };
        self.take(Action::ChangePeople, &subject, &taken, Changes::default()).await
    }

    /// Gives the members of a group a role.
    ///
    /// # Errors
    /// If there is no such group, that is forbidden, or the database cannot be written.
    pub async fn grant(&self, group: impl Into<Name>, role: Role) -> Result<(), Error> {
        let team = group.into();
        self.check_group(Action::Grant, &team).await?;
        let subject = format!("{team}: {}", role.name());
        self.change(Action::Grant, &subject, |changes| changes.put(Grant { team, role: role.name().into() })).await
    }

    /// Takes a role from the members of a group; nothing changes if it has not been given to it.
    ///
    /// # Errors
    /// If that is forbidden, a user would so take the last administrator away, or the database cannot be written.
    pub async fn revoke(&self, group: impl Into<Name>, role: Role) -> Result<(), Error> {
        let team = group.into();
        self.engine.checked(Action::Grant, &team).await?;
        self.keep_an_administrator(|own| role != Role::Administrator || own.team != team).await?;
        let subject = format!("{team}: no longer {}", role.name());
        self.change(Action::Grant, &subject, |changes| changes.remove::<Grant>((team, role.name().into()))).await
    }

    /// All tenants that have been given a name, or that users or groups are in, by their ids; those of whoever asks.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn tenants(&self) -> Result<Vec<Tenant>, Error> {
        let access = self.engine.access(Action::SeePeople, &"").await?;
        let store = &self.engine.inner.store;
        let of_users = store.list(&TenancyQuery::default()).await?.rows.into_iter().map(|row| row.tenant);
        let of_teams = store.list(&TeamTenancyQuery::default()).await?.rows.into_iter().map(|row| row.tenant);
        let mut all: BTreeMap<Name, Tenant> = of_users
            .chain(of_teams)
            .map(|id| (id.clone(), Tenant { id, name: None }))
            .filter(|(id, _)| !id.is_empty())
            .collect();
        all.extend(store.list(&TenantQuery::default()).await?.rows.into_iter().map(|row| (row.id.clone(), row)));
        Ok(all.into_values().filter(|tenant| access.admits(Some(&tenant.id))).collect())
    }

    /// Gives a tenant a name. Nothing depends on it: a tenant is there as soon as anything or anybody is in it.
    ///
    /// # Errors
    /// If that is forbidden, or the database cannot be written.
    pub async fn put_tenant(&self, tenant: Tenant) -> Result<(), Error> {
        self.change(Action::ChangeTenants, &tenant.id.clone(), |changes| changes.put(tenant)).await
    }

    /// Takes a tenant's name, and all users and groups out of it. What was deployed and started for it stays.
    ///
    /// # Errors
    /// If that is forbidden, an administrator would be in no tenant any more ([`Error::LastTenant`]), or the database cannot be written.
    pub async fn remove_tenant(&self, id: impl Into<Name>) -> Result<(), Error> {
        let id = id.into();
        self.engine.checked(Action::ChangeTenants, &id).await?;
        let store = &self.engine.inner.store;
        let (of_users, of_teams) = (
            TenancyQuery { tenants: vec![id.clone()], ..TenancyQuery::default() },
            TeamTenancyQuery { tenants: vec![id.clone()], ..TeamTenancyQuery::default() },
        );
        let taken = Taken {
            tenancies: store.list(&of_users).await?.rows.into_iter().map(|row| (row.member, row.tenant)).collect(),
            of_teams: store.list(&of_teams).await?.rows.into_iter().map(|row| (row.team, row.tenant)).collect(),
            ..Taken::default()
        };
        let mut named = Changes::default();
        named.remove::<Tenant>(id.clone());
        self.take(Action::ChangeTenants, &format!("{id} removed"), &taken, named).await
    }

    /// Takes a user into a tenant; an empty name stands for what belongs to none. A user who is in no tenant reaches what belongs to none,
    /// an administrator everything.
    ///
    /// # Errors
    /// If that is forbidden, or the database cannot be written.
    pub async fn add_to_tenant(&self, tenant: impl Into<Name>, user: impl Into<Name>) -> Result<(), Error> {
        let (tenant, member) = (tenant.into(), user.into());
        self.keep_an_administrator(|own| own.member != member).await?;
        let subject = format!("{member} in {tenant}");
        self.change(Action::ChangeTenants, &subject, |changes| changes.put(Tenancy { member, tenant })).await
    }

    /// Takes a user out of a tenant; nothing changes if they are not in it.
    ///
    /// # Errors
    /// If that is forbidden, an administrator would be in no tenant any more ([`Error::LastTenant`]), or the database cannot be written.
    pub async fn remove_from_tenant(&self, tenant: impl Into<Name>, user: impl Into<Name>) -> Result<(), Error> {
        let (tenant, member) = (tenant.into(), user.into());
        let subject = format!("{member} no longer in {tenant}");
        let taken = Taken { tenancies: vec![(member, tenant)], ..Taken::default() };
        self.take(Action::ChangeTenants, &subject, &taken, Changes::default()).await
    }

    /// Takes a group into a tenant, and with it whoever is in the group, now or later; an empty name stands for what belongs to none.
    ///
    /// # Errors
    /// If there is no such group, that is forbidden, or the database cannot be written.
    pub async fn add_group_to_tenant(&self, tenant: impl Into<Name>, group: impl Into<Name>) -> Result<(), Error> {
        let (tenant, team) = (tenant.into(), group.into());
        self.check_group(Action::ChangeTenants, &team).await?;
        let of_team = MembershipQuery { teams: vec![team.clone()], ..MembershipQuery::default() };
        let members = self.engine.inner.store.list(&of_team).await?.rows;
        self.keep_an_administrator(|own| members.iter().all(|row| row.member != own.member)).await?;
        let subject = format!("{team} in {tenant}");
        self.change(Action::ChangeTenants, &subject, |changes| changes.put(TeamTenancy { team, tenant })).await
    }

    /// Takes a group out of a tenant; nothing changes if it is not in it. Its members stay in it as far as they are in it by themselves.
    ///
    /// # Errors
    /// If that is forbidden, an administrator would be in no tenant any more ([`Error::LastTenant`]), or the database cannot be written.
    pub async fn remove_group_from_tenant(&self, tenant: impl Into<Name>, group: impl Into<Name>) -> Result<(), Error> {
        let (tenant, team) = (tenant.into(), group.into());
        let subject = format!("{team} no longer in {tenant}");
        let taken = Taken { of_teams: vec![(team, tenant)], ..Taken::default() };
        self.take(Action::ChangeTenants, &subject, &taken, Changes::default()).await
    }

    /// Removes a user, also from all groups and tenants, with password, sessions and tokens. Tasks keep their assignees.
    ///
    /// # Errors
    /// If that is forbidden, a user would so take the last administrator away, or the database cannot be written.
    pub async fn remove_user(&self, id: impl Into<Name>) -> Result<(), Error> {
        self.remove_user_if(id, |_| true).await
    }

    /// The same, if they are what the caller takes them for.
    ///
    /// # Errors
    /// As [`remove_user`](Self::remove_user); and [`Error::UserChanged`] if they are not.
    pub async fn remove_user_if(
        &self,
        id: impl Into<Name>,
        is_expected: impl Fn(Option<&User>) -> bool + Send + Sync,
    ) -> Result<(), Error> {
        let id = id.into();
        self.engine.checked(Action::ChangePeople, &id).await?;
        self.keep_an_administrator(|own| own.member != id).await?;
        let mut guard = self.as_expected(&id, &is_expected).await?;
        self.engine.allowed(Action::ChangePeople, &format!("{id} removed")).await?;
        let inner = &self.engine.inner;
        for _ in 0..TRIES {
            let gone = self.all_of_user(&id).await?;
            let written = inner.write_once(Some(guard), self.engine.once.as_deref(), gone, &()).await;
            inner.forget_people();
            match written {
                // Somebody has changed them meanwhile: all is looked at anew.
                Err(Error::NothingToDo) => guard = self.as_expected(&id, &is_expected).await?,
                written => return written,
            }
        }
        Err(Error::NothingToDo)
    }

    /// That a user stays what the caller takes them for, and is it now.
    async fn as_expected(
        &self,
        id: &Name,
        is_expected: impl Fn(Option<&User>) -> bool + Send + Sync,
    ) -> Result<Guard, Error> {
        let seen = self.engine.inner.store.get::<User>(id.clone()).await?;
        if !is_expected(seen.as_ref()) {
            return Err(Error::UserChanged(id.clone()));
        }
        Ok(Guard::Seen(Seen::new(id.clone(), seen)))
    }

    /// The removal of all that stands here of a user.
    async fn all_of_user(&self, id: &Name) -> Result<Changes, Error> {
        let inner = &self.engine.inner;
        let mut gone = Changes::default();
        let query = MembershipQuery { members: vec![id.clone()], ..MembershipQuery::default() };
        for row in inner.store.list(&query).await?.rows {
            gone.remove::<Membership>((row.member, row.team));
        }
        let query = TenancyQuery { members: vec![id.clone()], ..TenancyQuery::default() };
        for row in inner.store.list(&query).await?.rows {
            gone.remove::<Tenancy>((row.member, row.tenant));
        }
        inner.end_sessions(id, &mut gone).await?;
        inner.revoke_tokens(id, &mut gone).await?;
        gone.remove::<Password>(id.clone());
        gone.remove::<User>(id.clone());
        Ok(gone)
    }

    /// Removes a group with all memberships and roles, also from all tenants. Tasks keep it as a candidate.
    ///
    /// # Errors
    /// If that is forbidden, a user would so take the last administrator away, an administrator would be in no tenant any more
    /// ([`Error::LastTenant`]), or the database cannot be written.
    pub async fn remove_group(&self, id: impl Into<Name>) -> Result<(), Error> {
        self.remove_group_if(id, |_| true).await
    }

    /// The same, if it is what the caller takes it for.
    ///
    /// # Errors
    /// As [`remove_group`](Self::remove_group); and [`Error::GroupChanged`] if it is not.
    pub async fn remove_group_if(
        &self,
        id: impl Into<Name>,
        is_expected: impl Fn(Option<&Group>) -> bool + Send + Sync,
    ) -> Result<(), Error> {
        let id = id.into();
        let store = &self.engine.inner.store;
        self.engine.checked(Action::ChangePeople, &id).await?;
        self.keep_an_administrator(|own| own.team != id).await?;
        let members = MembershipQuery { teams: vec![id.clone()], ..MembershipQuery::default() };
        let tenants = TeamTenancyQuery { teams: vec![id.clone()], ..TeamTenancyQuery::default() };
        let taken = Taken {
            memberships: store.list(&members).await?.rows.into_iter().map(|row| (row.member, row.team)).collect(),
            of_teams: store.list(&tenants).await?.rows.into_iter().map(|row| (row.team, row.tenant)).collect(),
            team: Some(id.clone()),
            ..Taken::default()
        };
        let mut gone = Changes::default();
        let query = GrantQuery { teams: vec![id.clone()], ..GrantQuery::default() };
        for row in store.list(&query).await?.rows {
            gone.remove::<Grant>((row.team, row.role));
        }
        gone.remove::<Group>(id.clone());
        self.take_if(Action::ChangePeople, &format!("{id} removed"), &taken, gone, is_expected).await
    }

    async fn check_group(&self, action: Action, group: &Name) -> Result<(), Error> {
        self.engine.checked(action, group).await?;
        let found = self.engine.inner.store.get::<Group>(group.clone()).await?;
        found.map(drop).ok_or_else(|| Error::UnknownGroup(group.clone()))
    }

    /// Changes a row, if it can be: what is written has been made of what stood there.
    async fn update<R: Record<Id = Name>>(
        &self,
        id: Name,
        changed: impl Fn(Option<&R>) -> Result<R, Error> + Send + Sync,
    ) -> Result<(), Error> {
        self.engine.access(Action::ChangePeople, &id).await?;
        let inner = &self.engine.inner;
        for _ in 0..TRIES {
            let seen = inner.store.get::<R>(id.clone()).await?;
            let mut changes = Changes::default();
            changes.put(changed(seen.as_ref())?);
            let guard = Guard::Seen(Seen::new(id.clone(), seen));
            let written = inner.write_once(Some(guard), self.engine.once.as_deref(), changes, &()).await;
            inner.forget_people();
            match written {
                // Somebody else was faster: all is looked at anew.
                Err(Error::NothingToDo) => {}
                written => return written,
            }
        }
        Err(Error::NothingToDo)
    }

    async fn change(
        &self,
        action: Action,
        subject: &(dyn Display + Sync),
        change: impl FnOnce(&mut Changes),
    ) -> Result<(), Error> {
        self.engine.access(action, subject).await?;
        let mut changes = Changes::default();
        change(&mut changes);
        let written = self.engine.inner.write_once(None, self.engine.once.as_deref(), changes, &()).await;
        self.engine.inner.forget_people();
        written
    }
}

impl Inner {
    /// Writes who may do what, or what they sign in by; what was known of it is forgotten.
    pub(crate) async fn write_people(&self, changes: Changes) -> Result<(), Error> {
        let written = self.write(changes).await;
        self.forget_people();
        written
    }

    pub(crate) fn forget_people(&self) {
        self.standings.forget();
        self.inhabited.forget();
        self.sessions.forget();
        self.tokens.forget();
        self.passwords.forget();
    }
}
