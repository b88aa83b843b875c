//! Searches that people keep, to ask them again: their views of tasks, say.

use potok_core::Name;
use potok_core::instance::Key;
use potok_store::query::SavedSearchQuery;
use potok_store::row::SavedSearch;
use potok_store::{Changes, StoreError};

use crate::access::Access;
use crate::engine::Engine;
use crate::{Action, Error, Right, Role};

/// Bytes of each of a search's texts.
const LENGTH: usize = 64 * 1024;

impl Engine {
    /// The searches that are kept for everybody and those that whoever acts keeps; for whoever may give tasks to others all of them.
    ///
    /// # Errors
    /// If that is forbidden, or the database cannot be read.
    pub async fn saved_searches(&self) -> Result<Vec<SavedSearch>, Error> {
        let access = self.access(Action::SeeSearches, &"").await?;
        let mut query = SavedSearchQuery::default();
        access.narrow_to_tenants(&mut query.sight);
        if let Some((user, _)) = access.user().filter(|_| !access.may(Right::Assign)) {
            query.owners = vec![Name::new(), user.clone()];
        }
        Ok(self.inner.store.list(&query).await?.rows)
    }

    /// Keeps a search, or changes one that is kept: the one whose key it has. Users keep their own; what is everybody's, or another's, takes the
    /// right to give tasks to others.
    ///
    /// # Errors
    /// If that is forbidden, one of its texts is longer than 64 KiB, there is none with its key, or the database cannot be written.
    pub async fn save_search(&self, search: SavedSearch) -> Result<SavedSearch, Error> {
        let access = self.access(Action::SaveSearch, &"").await?;
        for text in [&search.name, &search.query, &search.properties] {
            let (size, limit) = (text.len() as u64, LENGTH as u64);
            if size > limit {
                return Err(StoreError::TooLarge { what: "the search", size, limit }.into());
            }
        }
        self.check_is_theirs(&access, search.owner.as_ref()).await?;
        let search = if search.key == Key::default() {
            let tenant = Some(access.home(search.tenant.as_ref())?).filter(|tenant| !tenant.is_empty());
            SavedSearch { key: self.inner.next_key(self.inner.clock.now()), tenant, ..search }
        } else {
            let standing = self.saved_search(&access, search.key).await?;
            SavedSearch { tenant: standing.tenant, ..search }
        };
        let mut changes = Changes::default();
        changes.put(search.clone());
        self.inner.write(changes).await?;
        Ok(search)
    }

    /// Keeps a search no longer.
    ///
    /// # Errors
    /// If there is none with that key, that is forbidden, or the database cannot be written.
    pub async fn forget_search(&self, key: Key) -> Result<(), Error> {
        let access = self.access(Action::SaveSearch, &"").await?;
        self.saved_search(&access, key).await?;
        let mut changes = Changes::default();
        changes.remove::<SavedSearch>(key);
        self.inner.write(changes).await
    }

    /// A search that is kept, for whoever may change it.
    async fn saved_search(&self, access: &Access, key: Key) -> Result<SavedSearch, Error> {
        let found = self.saved_searches().await?.into_iter().find(|search| search.key == key);
        let found = found.ok_or(Error::UnknownSearch(key))?;
        self.check_is_theirs(access, found.owner.as_ref()).await?;
        Ok(found)
    }

    async fn check_is_theirs(&self, access: &Access, owner: Option<&Name>) -> Result<(), Error> {
        match access.user() {
            Some((user, _)) if owner != Some(user) && !access.may(Right::Assign) => {
                let how = format!("it is not their own; that takes the role {}", Role::Supervisor.name());
                Err(self.forbidden(Action::SaveSearch, &"", how).await)
            }
            _ => Ok(()),
        }
    }
}
