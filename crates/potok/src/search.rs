//! Searching: pages of what there is, and counts.

use std::collections::{BTreeMap, BTreeSet};

use potok_core::Name;
use potok_core::instance::Key;
use potok_core::routing::Running;
use potok_core::step::Variables;
use potok_store::Page;
use potok_store::query::{
    BatchQuery, DefinitionQuery, DeploymentQuery, GroupQuery, IncidentQuery, InstanceQuery, JobQuery, MessageQuery,
    Query, SubscriptionQuery, TaskQuery, TimerQuery, UserQuery,
};

use crate::alone::of_processes;
use crate::engine::Engine;
use crate::{Error, InstanceId};

/// What can be searched for through an engine.
pub trait Search: Query + Clone + Sized {
    /// The same, without what its caller did not mean or may not see.
    #[doc(hidden)]
    #[must_use]
    fn narrowed(&self) -> Self {
        self.clone()
    }
}

impl Search for InstanceQuery {
    fn narrowed(&self) -> Self {
        of_processes(self.clone())
    }
}

impl Search for BatchQuery {}
impl Search for DefinitionQuery {}
impl Search for DeploymentQuery {}
impl Search for GroupQuery {}
impl Search for IncidentQuery {}
impl Search for JobQuery {}
impl Search for MessageQuery {}
impl Search for SubscriptionQuery {}
impl Search for TaskQuery {}
impl Search for TimerQuery {}
impl Search for UserQuery {}

impl Engine {
    /// A page of what is searched for, and where the next one begins. What was acknowledged is found.
    ///
    /// ```
    /// # use potok::{Engine, query::{InstanceQuery, Paging}};
    /// # tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap().block_on(async {
    /// # let engine = Engine::builder().start().await?;
    /// let mut orders = InstanceQuery { processes: vec!["order".into()], ..InstanceQuery::default() };
    /// orders.page = Paging { limit: Some(100), ..Paging::default() };
    /// let page = engine.search(&orders).await?;
    /// assert_eq!(page.rows.len() as u64, engine.count(&orders).await?);
    /// # engine.stop().await;
    /// # Ok::<(), potok::Error>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// If the cursor belongs to another list, or the database cannot be read.
    pub async fn search<Q: Search>(&self, query: &Q) -> Result<Page<Q::Row>, Error> {
        Ok(self.inner.store.list(&query.narrowed()).await?)
    }

    /// How many there are of what is searched for, on all pages.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn count<Q: Search>(&self, query: &Q) -> Result<u64, Error> {
        Ok(self.inner.store.count(&query.narrowed()).await?)
    }

    /// The variables of these names that the processes of instances have, whatever their size; instances that are not there have none.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn variables_of(
        &self,
        instances: impl IntoIterator<Item = InstanceId>,
        names: &[Name],
    ) -> Result<BTreeMap<InstanceId, Variables>, Error> {
        let instances: BTreeSet<Key> = instances.into_iter().map(|id| id.0).collect();
        let mut found = BTreeMap::new();
        for key in instances {
            let chosen = |running: Option<&Running>| {
                let instance = &running?.instance;
                let value = |name: &Name| Some((name.clone(), instance.variable(name)?.clone()));
                Some(names.iter().filter_map(value).collect())
            };
            if let Some(variables) = self.inner.look(key, chosen).await? {
                found.insert(InstanceId(key), variables);
            }
        }
        Ok(found)
    }
}
