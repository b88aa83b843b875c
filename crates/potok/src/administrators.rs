//! What never becomes of administrators by what is taken away: that there is none, or that one of a tenant becomes one of all.

use std::collections::BTreeSet;
use std::fmt::Display;

use potok_core::Name;
use potok_store::query::{GrantQuery, MembershipQuery, TeamTenancyQuery, TenancyQuery, UserQuery};
use potok_store::row::{Group, Membership, TeamTenancy, Tenancy};
use potok_store::{Changes, Guard, Record, Seen};

use crate::people::People;
use crate::transact::TRIES;
use crate::{Action, Error, Role};

/// What is to be taken away of who is in which group and tenant.
#[derive(Debug, Default)]
pub(crate) struct Taken {
    /// Users out of groups.
    pub(crate) memberships: Vec<(Name, Name)>,
    /// Users out of tenants.
    pub(crate) tenancies: Vec<(Name, Name)>,
    /// Groups out of tenants.
    pub(crate) of_teams: Vec<(Name, Name)>,
    /// A group, with its roles.
    pub(crate) team: Option<Name>,
}

impl Taken {
    /// Takes users and groups out of what they are in.
    fn remove(&self, changes: &mut Changes) {
        self.memberships.iter().cloned().for_each(|key| changes.remove::<Membership>(key));
        self.tenancies.iter().cloned().for_each(|key| changes.remove::<Tenancy>(key));
        self.of_teams.iter().cloned().for_each(|key| changes.remove::<TeamTenancy>(key));
    }

    fn leaves_member(&self, row: &Membership) -> bool {
        !self.memberships.iter().any(|(member, team)| (member, team) == (&row.member, &row.team))
    }

    fn leaves(&self, row: &Tenancy) -> bool {
        !self.tenancies.iter().any(|(member, tenant)| (member, tenant) == (&row.member, &row.tenant))
    }

    fn leaves_team(&self, row: &TeamTenancy) -> bool {
        !self.of_teams.iter().any(|(team, tenant)| (team, tenant) == (&row.team, &row.tenant))
    }
}

impl People<'_> {
    /// No user takes the last administrator away: nobody could give that back, and where the last user goes, a server may let in whoever
    /// comes. The program itself may: whoever runs it has the database. `stays` says whether a membership goes on.
    pub(crate) async fn keep_an_administrator(&self, stays: impl Fn(&Membership) -> bool) -> Result<(), Error> {
        if self.engine.user.is_none() {
            return Ok(());
        }
        let store = &self.engine.inner.store;
        let roles = vec![Role::Administrator.name().into()];
        let grants = store.list(&GrantQuery { roles, ..GrantQuery::default() }).await?.rows;
        let teams: Vec<Name> = grants.into_iter().map(|row| row.team).collect();
        if teams.is_empty() {
            return Ok(());
        }
        let mut own = store.list(&MembershipQuery { teams, ..MembershipQuery::default() }).await?.rows;
        let ids = own.iter().map(|row| row.member.clone()).collect();
        let known = store.list(&UserQuery { ids, ..UserQuery::default() }).await?.rows;
        own.retain(|row| known.iter().any(|user| user.id == row.member));
        // Those of a tenant see to nobody.
        let kept_in = self.kept_in_tenants(own.iter().map(|row| row.member.clone()).collect()).await?;
        own.retain(|row| !kept_in.contains(&row.member));
        if own.is_empty() || own.iter().any(stays) { Ok(()) } else { Err(Error::LastAdministrator) }
    }

    /// Those of the users who are in a tenant, by themselves or by a group.
    async fn kept_in_tenants(&self, members: Vec<Name>) -> Result<BTreeSet<Name>, Error> {
        if members.is_empty() {
            return Ok(BTreeSet::new());
        }
        let store = &self.engine.inner.store;
        let alone = TenancyQuery { members: members.clone(), ..TenancyQuery::default() };
        let mut kept: BTreeSet<Name> = store.list(&alone).await?.rows.into_iter().map(|row| row.member).collect();
        let groups = store.list(&MembershipQuery { members, ..MembershipQuery::default() }).await?.rows;
        let teams: Vec<Name> = groups.iter().map(|row| row.team.clone()).collect();
        if !teams.is_empty() {
            let by_group = store.list(&TeamTenancyQuery { teams, ..TeamTenancyQuery::default() }).await?.rows;
            let is_in_one = |row: &&Membership| by_group.iter().any(|tenancy| tenancy.team == row.team);
            kept.extend(groups.iter().filter(is_in_one).map(|row| row.member.clone()));
        }
        Ok(kept)
    }

    /// Takes something away, and changes what goes with it.
    pub(crate) async fn take(
        &self,
        action: Action,
        subject: &(dyn Display + Sync),
        taken: &Taken,
        beside: Changes,
    ) -> Result<(), Error> {
        self.take_if(action, subject, taken, beside, |_| true).await
    }

    /// The same, if a group that goes is what the caller takes it for.
    pub(crate) async fn take_if(
        &self,
        action: Action,
        subject: &(dyn Display + Sync),
        taken: &Taken,
        beside: Changes,
        is_expected: impl Fn(Option<&Group>) -> bool + Send + Sync,
    ) -> Result<(), Error> {
        self.engine.checked(action, subject).await?;
        let mut guards = self.guards(taken, &is_expected).await?;
        self.engine.allowed(action, subject).await?;
        let inner = &self.engine.inner;
        for _ in 0..TRIES {
            let mut changes = beside.clone();
            taken.remove(&mut changes);
            let written = inner.write_once(guards, self.engine.once.as_deref(), changes, &()).await;
            inner.forget_people();
            match written {
                // What was to keep somebody within their tenants is being taken away, too, or the group changed: all is looked at anew.
                Err(Error::NothingToDo) => guards = self.guards(taken, &is_expected).await?,
                written => return written,
            }
        }
        Err(Error::NothingToDo)
    }

    /// Guards for what must stay as it is until all is written.
    async fn guards(
        &self,
        taken: &Taken,
        is_expected: impl Fn(Option<&Group>) -> bool + Send + Sync,
    ) -> Result<Vec<Guard>, Error> {
        let mut guards = self.keep_within_tenants(taken).await?;
        if let Some(team) = &taken.team {
            let seen = self.engine.inner.store.get::<Group>(team.clone()).await?;
            if !is_expected(seen.as_ref()) {
                return Err(Error::GroupChanged(team.clone()));
            }
            guards.push(Guard::Seen(Seen::new(team.clone(), seen)));
        }
        Ok(guards)
    }

    /// Nobody becomes administrator of all by what is taken from them: who was one of some tenants and is in none any more would be. Whoever means
    /// that gives the role to who is in none. What keeps them within tenants must stay until all is written.
    async fn keep_within_tenants(&self, taken: &Taken) -> Result<Vec<Guard>, Error> {
        let store = &self.engine.inner.store;
        let roles = vec![Role::Administrator.name().into()];
        let grants = store.list(&GrantQuery { roles, ..GrantQuery::default() }).await?.rows;
        let teams: Vec<Name> =
            grants.into_iter().map(|row| row.team).filter(|team| taken.team.as_ref() != Some(team)).collect();
        if teams.is_empty() {
            return Ok(Vec::new());
        }
        let query = MembershipQuery { teams: teams.clone(), ..MembershipQuery::default() };
        let members = store.list(&query).await?.rows.into_iter().filter(|row| taken.leaves_member(row));
        let members: BTreeSet<Name> = members.map(|row| row.member).collect();
        let (mut groups, mut own) = (Vec::new(), Vec::new());
        if !members.is_empty() {
            let members: Vec<Name> = members.iter().cloned().collect();
            own = store.list(&TenancyQuery { members: members.clone(), ..TenancyQuery::default() }).await?.rows;
            groups = store.list(&MembershipQuery { members, ..MembershipQuery::default() }).await?.rows;
        }
        let all = teams.iter().chain(groups.iter().map(|row| &row.team)).cloned().collect();
        let of_teams = store.list(&TeamTenancyQuery { teams: all, ..TeamTenancyQuery::default() }).await?.rows;
        let of_team = |team: Name| of_teams.iter().filter(move |row| row.team == team);
        let mut guards = Vec::new();
        for user in members {
            // Each way in which the user is in a tenant: what it stands on, and whether it stays.
            let alone = own.iter().filter(|row| row.member == user);
            let alone =
                alone.map(|row| (vec![is_there((row.member.clone(), row.tenant.clone()), row)], taken.leaves(row)));
            let by_groups = groups.iter().filter(|row| row.member == user).flat_map(|group| {
                of_team(group.team.clone()).map(|row| {
                    let member = is_there((group.member.clone(), group.team.clone()), group);
                    let stays = taken.leaves_member(group) && taken.leaves_team(row);
                    (vec![member, is_there((row.team.clone(), row.tenant.clone()), row)], stays)
                })
            });
            guards.extend(kept(alone.chain(by_groups), || format!("user `{user}`"))?);
        }
        // Who signs in elsewhere is in groups that are not known here.
        for team in teams {
            let ways = of_team(team.clone())
                .map(|row| (vec![is_there((row.team.clone(), row.tenant.clone()), row)], taken.leaves_team(row)));
            guards.extend(kept(ways, || format!("group `{team}`"))?);
        }
        Ok(guards)
    }
}

/// That a row is there.
fn is_there<R: Record + Clone>(id: R::Id, row: &R) -> Guard {
    Guard::Seen(Seen::new(id, Some(row.clone())))
}

/// What must stay so that somebody stays in a tenant: nothing if none of it is taken away.
fn kept(ways: impl Iterator<Item = (Vec<Guard>, bool)>, who: impl Fn() -> String) -> Result<Vec<Guard>, Error> {
    let (stays, taken): (Vec<_>, Vec<_>) = ways.partition(|(_, stays)| *stays);
    match stays.into_iter().next() {
        _ if taken.is_empty() => Ok(Vec::new()),
        Some((guards, _)) => Ok(guards),
        None => Err(Error::LastTenant(who().into())),
    }
}
