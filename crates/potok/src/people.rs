//! People: users, groups, and who is in which.

use potok_core::Name;
use potok_store::query::{GroupQuery, MembershipQuery, UserQuery};
use potok_store::row::{Group, Membership, User};
use potok_store::{Changes, Page};

use crate::Error;
use crate::engine::Engine;

/// The people that tasks are for. What stands here is all that an engine knows of them; users who sign in elsewhere may be in
/// groups without being listed here.
#[derive(Clone, Copy, Debug)]
pub struct People<'e> {
    engine: &'e Engine,
}

impl Engine {
    /// Users, groups, and who is in which.
    #[must_use]
    pub fn people(&self) -> People<'_> {
        People { engine: self }
    }

    /// The groups that a user is in.
    pub(crate) async fn groups_of(&self, user: &Name) -> Result<Vec<Name>, Error> {
        let query = MembershipQuery { members: vec![user.clone()], ..MembershipQuery::default() };
        Ok(self.inner.store.list(&query).await?.rows.into_iter().map(|row| row.team).collect())
    }
}

impl People<'_> {
    /// Creates a user, or changes the one with that id.
    ///
    /// # Errors
    /// If the database cannot be written.
    pub async fn put_user(&self, user: User) -> Result<(), Error> {
        self.change(|changes| changes.put(user)).await
    }

    /// Creates a group, or changes the one with that id.
    ///
    /// # Errors
    /// If the database cannot be written.
    pub async fn put_group(&self, group: Group) -> Result<(), Error> {
        self.change(|changes| changes.put(group)).await
    }

    /// A user, if there is one with that id.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn user(&self, id: impl Into<Name>) -> Result<Option<User>, Error> {
        Ok(self.engine.inner.store.get(id.into()).await?)
    }

    /// A group, if there is one with that id.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn group(&self, id: impl Into<Name>) -> Result<Option<Group>, Error> {
        Ok(self.engine.inner.store.get(id.into()).await?)
    }

    /// Users that are searched for.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn users(&self, query: &UserQuery) -> Result<Page<User>, Error> {
        Ok(self.engine.inner.store.list(query).await?)
    }

    /// Groups that are searched for.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn groups(&self, query: &GroupQuery) -> Result<Page<Group>, Error> {
        Ok(self.engine.inner.store.list(query).await?)
    }

    /// The ids of the groups that a user is in.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn groups_of(&self, user: impl Into<Name>) -> Result<Vec<Name>, Error> {
        self.engine.groups_of(&user.into()).await
    }

    /// The ids of the users in a group.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn members_of(&self, group: impl Into<Name>) -> Result<Vec<Name>, Error> {
        let query = MembershipQuery { teams: vec![group.into()], ..MembershipQuery::default() };
        Ok(self.engine.inner.store.list(&query).await?.rows.into_iter().map(|row| row.member).collect())
    }

    /// Takes a user into a group; nothing changes if they are in it.
    ///
    /// # Errors
    /// If there is no such group, or the database cannot be written.
    pub async fn add_member(&self, group: impl Into<Name>, user: impl Into<Name>) -> Result<(), Error> {
        let (team, member) = (group.into(), user.into());
        if self.group(team.clone()).await?.is_none() {
            return Err(Error::UnknownGroup(team));
        }
        self.change(|changes| changes.put(Membership { member, team })).await
    }

    /// Takes a user out of a group; nothing changes if they are not in it.
    ///
    /// # Errors
    /// If the database cannot be written.
    pub async fn remove_member(&self, group: impl Into<Name>, user: impl Into<Name>) -> Result<(), Error> {
        let id = (user.into(), group.into());
        self.change(|changes| changes.remove::<Membership>(id)).await
    }

    /// Removes a user, also from all groups. Tasks keep their assignees.
    ///
    /// # Errors
    /// If the database cannot be written.
    pub async fn remove_user(&self, id: impl Into<Name>) -> Result<(), Error> {
        let id = id.into();
        let groups = self.groups_of(id.clone()).await?;
        self.change(|changes| {
            groups.into_iter().for_each(|team| changes.remove::<Membership>((id.clone(), team)));
            changes.remove::<User>(id);
        })
        .await
    }

    /// Removes a group with all memberships. Tasks keep it as a candidate.
    ///
    /// # Errors
    /// If the database cannot be written.
    pub async fn remove_group(&self, id: impl Into<Name>) -> Result<(), Error> {
        let id = id.into();
        let members = self.members_of(id.clone()).await?;
        self.change(|changes| {
            members.into_iter().for_each(|member| changes.remove::<Membership>((member, id.clone())));
            changes.remove::<Group>(id);
        })
        .await
    }

    async fn change(&self, change: impl FnOnce(&mut Changes)) -> Result<(), Error> {
        let mut changes = Changes::default();
        change(&mut changes);
        self.engine.inner.write_once(self.engine.once.as_deref(), changes, &()).await
    }
}
