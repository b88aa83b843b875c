//! Searching: pages of what there is, and counts.

use std::collections::BTreeMap;

use potok_core::Name;
use potok_core::instance::Key;
use potok_core::routing::Running;
use potok_core::step::Variables;
use potok_store::Page;
use potok_store::query::{
    AuditQuery, BatchQuery, DefinitionQuery, DeliveryQuery, DeploymentQuery, GroupQuery, IncidentQuery, InstanceQuery,
    JobQuery, MessageQuery, Query, SubscriptionQuery, TaskQuery, TimerQuery, UserQuery,
};

use crate::access::Access;
use crate::alone::of_processes;
use crate::engine::{Engine, Inner};
use crate::task::Task;
use crate::{Action, Error, InstanceId};

/// What can be searched for through an engine.
pub trait Search: Query + Clone + Sized {
    /// What is asked of the engine by searching for it.
    #[doc(hidden)]
    const ACTION: Action;

    /// Leaves out what its caller did not mean or may not see; says whether anything can be left.
    #[doc(hidden)]
    fn narrow(&mut self, access: &Access) -> bool;

    /// What is found in memory, if that is all there is.
    #[doc(hidden)]
    fn remembered(&self, _: &Engine) -> impl Future<Output = Result<Option<Page<Self::Row>>, Error>> + Send {
        std::future::ready(Ok(None))
    }
}

/// What is narrowed by a method of [`Access`].
macro_rules! narrowed {
    ($($query:ty: $action:ident by $narrow:ident;)*) => {
        $(
            impl Search for $query {
                const ACTION: Action = Action::$action;

                fn narrow(&mut self, access: &Access) -> bool {
                    access.$narrow(&mut self.sight);
                    true
                }
            }
        )*
    };
}

narrowed! {
    AuditQuery: ReadAudit by narrow;
    BatchQuery: SeeBatches by narrow;
    DefinitionQuery: ReadDefinitions by narrow_to_tenants;
    DeploymentQuery: ReadDefinitions by narrow_to_tenants;
    IncidentQuery: SeeInstances by narrow;
    JobQuery: SeeJobs by narrow_to_tenants;
    MessageQuery: SeeAll by narrow;
    SubscriptionQuery: SeeAll by narrow;
    TimerQuery: SeeAll by narrow;
}

impl Search for TaskQuery {
    const ACTION: Action = Action::SeeTasks;

    fn narrow(&mut self, access: &Access) -> bool {
        access.narrow(&mut self.sight);
        true
    }

    async fn remembered(&self, engine: &Engine) -> Result<Option<Page<Self::Row>>, Error> {
        let page = engine.inner.remembered_tasks(self).await?;
        Ok(page.map(|page| Page { rows: page.rows.into_iter().map(Task::into_row).collect(), next: page.next }))
    }
}

impl Search for InstanceQuery {
    const ACTION: Action = Action::SeeInstances;

    fn narrow(&mut self, access: &Access) -> bool {
        *self = of_processes(self.clone());
        access.narrow(&mut self.sight);
        true
    }
}

impl Search for DeliveryQuery {
    const ACTION: Action = Action::SeeWebhooks;

    /// They belong to all tenants, as whoever may see them does.
    fn narrow(&mut self, _: &Access) -> bool {
        true
    }
}

impl Search for UserQuery {
    const ACTION: Action = Action::SeePeople;

    fn narrow(&mut self, access: &Access) -> bool {
        // Who else is in a tenant is not told to others.
        if self.own_tenant.as_ref().is_some_and(|tenant| !access.admits(Some(tenant))) {
            return false;
        }
        if let Some(mut tenants) = access.tenants() {
            if let Some(asked) = &self.tenants {
                tenants.retain(|tenant| asked.contains(tenant));
            }
            self.tenants = Some(tenants);
        }
        self.tenants.as_ref().is_none_or(|tenants| !tenants.is_empty())
    }
}

impl Search for GroupQuery {
    const ACTION: Action = Action::SeePeople;

    /// They belong to all tenants, so that users of one see only those that they are in.
    fn narrow(&mut self, access: &Access) -> bool {
        if self.tenant.as_ref().is_some_and(|tenant| !access.admits(Some(tenant))) {
            return false;
        }
        if !access.keeps_to_some() {
            return true;
        }
        let own = access.user().map_or(&[][..], |(_, groups)| groups);
        let asked = std::mem::take(&mut self.ids);
        self.ids = own.iter().filter(|id| asked.is_empty() || asked.contains(id)).cloned().collect();
        !self.ids.is_empty()
    }
}

impl Engine {
    /// A page of what is searched for, as far as whoever acts may see it, and where the next one begins. What was acknowledged is found.
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
    /// If that is forbidden, the cursor belongs to another list, or the database cannot be read.
    pub async fn search<Q: Search>(&self, query: &Q) -> Result<Page<Q::Row>, Error> {
        match self.narrowed(query).await? {
            Some(query) => match query.remembered(self).await? {
                Some(page) => Ok(page),
                None => Ok(self.inner.store.list(&query).await?),
            },
            None => Ok(Page { rows: Vec::new(), next: None }),
        }
    }

    /// How many there are of what is searched for, on all pages.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn count<Q: Search>(&self, query: &Q) -> Result<u64, Error> {
        match self.narrowed(query).await? {
            Some(query) => Ok(self.inner.store.count(&query).await?),
            None => Ok(0),
        }
    }

    /// A search for what whoever acts may see; none if there can be nothing.
    async fn narrowed<Q: Search>(&self, query: &Q) -> Result<Option<Q>, Error> {
        let access = self.access(Q::ACTION, &"").await?;
        let mut query = query.clone();
        Ok(query.narrow(&access).then_some(query))
    }

    /// The instance in which something waits under a key: a task, a job, a timer, a message or signal; none if nothing does, or the
    /// instance cannot be seen.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn instance_of_wait(&self, wait: Key) -> Result<Option<InstanceId>, Error> {
        let access = self.access(Action::SeeInstances, &wait).await?;
        let Some(instance) = self.inner.instance_of_wait(wait).await? else { return Ok(None) };
        Ok(self.sees(&access, instance).await?.then_some(InstanceId(instance)))
    }

    /// The variables of these names that the processes of instances have, whatever their size; instances that are not there,
    /// or cannot be seen, have none.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn variables_of(
        &self,
        instances: impl IntoIterator<Item = InstanceId>,
        names: &[Name],
    ) -> Result<BTreeMap<InstanceId, Variables>, Error> {
        let access = self.access(Action::SeeInstances, &"").await?;
        let instances = self.in_sight(&access, instances.into_iter().map(|id| id.0).collect()).await?;
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

impl Inner {
    async fn instance_of_wait(&self, wait: Key) -> Result<Option<Key>, Error> {
        let keys = vec![wait];
        let task = self.store.list(&TaskQuery { keys: keys.clone(), ..TaskQuery::default() }).await?.rows.pop();
        if let Some(task) = task {
            return Ok(Some(task.instance));
        }
        let job = self.store.list(&JobQuery { keys: keys.clone(), ..JobQuery::default() }).await?.rows.pop();
        if let Some(job) = job {
            return Ok(Some(job.instance));
        }
        let timer = self.store.list(&TimerQuery { keys: keys.clone(), ..TimerQuery::default() }).await?.rows.pop();
        if let Some(timer) = timer {
            return Ok(Some(timer.instance));
        }
        // What starts instances belongs to none.
        let subscription = SubscriptionQuery { keys, starts: Some(false), ..SubscriptionQuery::default() };
        Ok(self.store.list(&subscription).await?.rows.pop().map(|row| row.instance))
    }
}
