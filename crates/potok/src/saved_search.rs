//! Searches that people keep, to ask them again: their views of tasks, say.

use potok_core::Name;
use potok_core::instance::Key;
use potok_store::query::SavedSearchQuery;
use potok_store::row::SavedSearch;
use potok_store::{Changes, Guard, Seen, StoreError};

use crate::access::Access;
use crate::engine::Engine;
use crate::transact::TRIES;
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
        Ok(self.inner.store.list(&in_sight(&access)).await?.rows)
    }

    /// One of the searches that [`saved_searches`](Self::saved_searches) gives, by its key.
    ///
    /// # Errors
    /// If there is none with that key, that is forbidden, or the database cannot be read.
    pub async fn saved_search(&self, key: Key) -> Result<SavedSearch, Error> {
        let access = self.access(Action::SeeSearches, &"").await?;
        self.search_in_sight(&access, key).await
    }

    /// Keeps a search, or changes one that is kept: the one whose key it has. Users keep their own; what is everybody's, or another's, takes the
    /// right to give tasks to others.
    ///
    /// # Errors
    /// If that is forbidden, one of its texts is longer than 64 KiB, there is none with its key, its owner keeps as many as
    /// [allowed](crate::Builder::search_limit), or the database cannot be written.
    pub async fn save_search(&self, search: SavedSearch) -> Result<SavedSearch, Error> {
        if search.key != Key::default() {
            return self.save_search_if(search, |_| true).await;
        }
        let access = self.access(Action::SaveSearch, &"").await?;
        self.check_search(&access, &search).await?;
        let tenant = Some(access.home(search.tenant.as_ref())?).filter(|tenant| !tenant.is_empty());
        let search = SavedSearch { key: self.inner.next_key(self.inner.clock.now()), tenant, ..search };
        self.check_room(&search).await?;
        let mut changes = Changes::default();
        changes.put(search.clone());
        self.inner.write_once(None, self.once.as_deref(), changes, &search).await?;
        Ok(search)
    }

    /// Changes a search that is kept, the one whose key it has, if that is what the caller takes it for.
    ///
    /// # Errors
    /// As [`save_search`](Self::save_search) has them; and [`Error::SearchChanged`] if it is not.
    pub async fn save_search_if(
        &self,
        search: SavedSearch,
        is_expected: impl Fn(&SavedSearch) -> bool + Send + Sync,
    ) -> Result<SavedSearch, Error> {
        let access = self.access(Action::SaveSearch, &"").await?;
        self.check_search(&access, &search).await?;
        let key = search.key;
        for _ in 0..TRIES {
            let standing = self.own_search(&access, key).await?;
            if !is_expected(&standing) {
                return Err(Error::SearchChanged(key));
            }
            let search = SavedSearch { tenant: standing.tenant.clone(), ..search.clone() };
            if search.owner != standing.owner {
                self.check_room(&search).await?;
            }
            let mut changes = Changes::default();
            changes.put(search.clone());
            let guard = Guard::Seen(Seen::new(key, Some(standing)));
            match self.inner.write_once(Some(guard), self.once.as_deref(), changes, &search).await {
                // Somebody else was faster: it is looked at anew.
                Err(Error::NothingToDo) => {}
                written => return written.map(|()| search),
            }
        }
        Err(Error::NothingToDo)
    }

    /// Keeps a search no longer.
    ///
    /// # Errors
    /// If there is none with that key, that is forbidden, or the database cannot be written.
    pub async fn forget_search(&self, key: Key) -> Result<(), Error> {
        self.forget_search_if(key, |_| true).await
    }

    /// The same, if it is what the caller takes it for.
    ///
    /// # Errors
    /// As [`forget_search`](Self::forget_search); and [`Error::SearchChanged`] if it is not.
    pub async fn forget_search_if(
        &self,
        key: Key,
        is_expected: impl Fn(&SavedSearch) -> bool + Send + Sync,
    ) -> Result<(), Error> {
        let access = self.access(Action::SaveSearch, &"").await?;
        for _ in 0..TRIES {
            let standing = self.own_search(&access, key).await?;
            if !is_expected(&standing) {
                return Err(Error::SearchChanged(key));
            }
            let mut changes = Changes::default();
            changes.remove::<SavedSearch>(key);
            let guard = Guard::Seen(Seen::new(key, Some(standing)));
            match self.inner.write_once(Some(guard), self.once.as_deref(), changes, &()).await {
                // Somebody else was faster: it is looked at anew.
                Err(Error::NothingToDo) => {}
                written => return written,
            }
        }
        Err(Error::NothingToDo)
    }

    async fn search_in_sight(&self, access: &Access, key: Key) -> Result<SavedSearch, Error> {
        let query = SavedSearchQuery { keys: vec![key], ..in_sight(access) };
        self.inner.store.list(&query).await?.rows.pop().ok_or(Error::UnknownSearch(key))
    }

    /// A search that is kept, for whoever may change it.
    async fn own_search(&self, access: &Access, key: Key) -> Result<SavedSearch, Error> {
        let found = self.search_in_sight(access, key).await?;
        self.check_is_theirs(access, found.owner.as_ref()).await?;
        Ok(found)
    }

    /// One more is not too many for its owner; of those that are everybody's each tenant has its own. Who saves several in the same moment may
    /// get ahead by these: the limit keeps the table small, and need not be exact.
    async fn check_room(&self, search: &SavedSearch) -> Result<(), Error> {
        let mut query =
            SavedSearchQuery { owners: vec![search.owner.clone().unwrap_or_default()], ..SavedSearchQuery::default() };
        if search.owner.is_none() {
            query.sight.tenants = Some(vec![search.tenant.clone().unwrap_or_default()]);
        }
        let limit = self.inner.limits.searches;
        if self.inner.store.count(&query).await? < limit {
            return Ok(());
        }
        Err(Error::TooManySearches { owner: search.owner.clone(), limit })
    }

    /// What is to be kept is neither too long nor somebody else's.
    async fn check_search(&self, access: &Access, search: &SavedSearch) -> Result<(), Error> {
        for text in [&search.name, &search.query, &search.properties] {
            let (size, limit) = (text.len() as u64, LENGTH as u64);
            if size > limit {
                return Err(StoreError::TooLarge { what: "the search", size, limit }.into());
            }
        }
        self.check_is_theirs(access, search.owner.as_ref()).await
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

/// What whoever acts sees of what is kept.
fn in_sight(access: &Access) -> SavedSearchQuery {
    let mut query = SavedSearchQuery::default();
    access.narrow_to_tenants(&mut query.sight);
    if let Some((user, _)) = access.user().filter(|_| !access.may(Right::Assign)) {
        query.owners = vec![Name::new(), user.clone()];
    }
    query
}
