//! What has been deployed: definitions and files, found, read, suspended.

use std::collections::BTreeMap;
use std::sync::Arc;

use potok_core::Name;
use potok_core::graph::ProcessGraph;
use potok_store::query::DefinitionQuery;
use potok_store::row::{Definition, DefinitionKind, Deployment as DeploymentRow, Resource};

use crate::access::Access;
use crate::alone::ALONE;
use crate::engine::Engine;
use crate::{Action, DefinitionId, DeploymentId, Error, Right};

impl Engine {
    /// The names of the files of a deployment.
    ///
    /// # Errors
    /// If there is no such deployment, or the database cannot be read.
    pub async fn resources(&self, deployment: DeploymentId) -> Result<Vec<Resource>, Error> {
        let access = self.access(Action::ReadDefinitions, &deployment).await?;
        if !self.admits_deployment(&access, deployment).await? {
            return Err(Error::UnknownDeployment(deployment));
        }
        let resources: Vec<Resource> = self.inner.store.of_instance(deployment.0).await?;
        if resources.is_empty() { Err(Error::UnknownDeployment(deployment)) } else { Ok(resources) }
    }

    /// Definitions that are searched for.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn definitions(&self, query: &DefinitionQuery) -> Result<Vec<Definition>, Error> {
        let mut query = query.clone();
        self.access(Action::ReadDefinitions, &"").await?.narrow_to_tenants(&mut query.sight);
        Ok(self.inner.store.list(&query).await?.rows)
    }

    /// Versions of processes by their keys, as they were deployed: whether one is suspended may have changed since. Those that run here
    /// are not asked of the database.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn versions(
        &self,
        definitions: impl IntoIterator<Item = DefinitionId>,
    ) -> Result<Vec<Definition>, Error> {
        let access = self.access(Action::ReadDefinitions, &"").await?;
        let (mut versions, mut keys) = (Vec::new(), Vec::new());
        for DefinitionId(key) in definitions {
            match self.inner.catalog.cached(key) {
                // What tasks of no process belong to is nobody's to see.
                _ if key == ALONE => {}
                Some(deployed) => versions.push(deployed.definition.clone()),
                None => keys.push(key),
            }
        }
        versions.retain(|definition| access.admits(Some(&definition.tenant)));
        if !keys.is_empty() {
            let mut query = DefinitionQuery { keys, ..DefinitionQuery::default() };
            access.narrow_to_tenants(&mut query.sight);
            versions.extend(self.inner.store.list(&query).await?.rows);
        }
        Ok(versions)
    }

    /// The newest versions of the processes that may be started by whoever acts, by their ids. Those that start by messages, signals or
    /// timers only are among them.
    ///
    /// # Errors
    /// If the database cannot be read, or this version of the program refuses a model.
    pub async fn startable(&self) -> Result<Vec<Definition>, Error> {
        let access = self.access(Action::ReadDefinitions, &"").await?;
        if !access.may(Right::Start) {
            return Ok(Vec::new());
        }
        let mut query = DefinitionQuery { kind: Some(DefinitionKind::Process), ..DefinitionQuery::default() };
        access.narrow_to_tenants(&mut query.sight);
        let all = self.inner.store.list(&query).await?.rows;
        let mut newest: BTreeMap<(Name, Name), Definition> = BTreeMap::new();
        for definition in all {
            let of = (definition.id.clone(), definition.tenant.clone());
            if newest.get(&of).is_none_or(|other| other.version < definition.version) {
                newest.insert(of, definition);
            }
        }
        let mut startable = Vec::new();
        for definition in newest.into_values() {
            let deployed = self.inner.catalog.get(definition.key).await?;
            if !definition.suspended && deployed.is_some_and(|deployed| access.may_start(&deployed.graph)) {
                startable.push(definition);
            }
        }
        Ok(startable)
    }

    /// Whether a version belongs to a tenant of whoever acts.
    pub(crate) async fn admits(&self, access: &Access, definition: DefinitionId) -> Result<bool, Error> {
        if access.tenants().is_none() {
            return Ok(true);
        }
        let row = self.inner.store.get::<Definition>(definition.0).await?;
        Ok(row.is_some_and(|row| access.admits(Some(&row.tenant))))
    }

    /// Whether a deployment belongs to a tenant of whoever acts.
    pub(crate) async fn admits_deployment(&self, access: &Access, deployment: DeploymentId) -> Result<bool, Error> {
        if access.tenants().is_none() {
            return Ok(true);
        }
        let row = self.inner.store.get::<DeploymentRow>(deployment.0).await?;
        Ok(row.is_some_and(|row| access.admits(row.tenant.as_ref())))
    }

    /// A version of a process, as it runs; nothing if there is no such version.
    ///
    /// # Errors
    /// If the database cannot be read, or this version of the program refuses the model.
    pub async fn graph(&self, definition: DefinitionId) -> Result<Option<Arc<ProcessGraph>>, Error> {
        let access = self.access(Action::ReadDefinitions, &definition).await?;
        if !self.admits(&access, definition).await? {
            return Ok(None);
        }
        Ok(self.inner.catalog.get(definition.0).await?.map(|deployed| deployed.graph.clone()))
    }

    /// The bytes of a deployed file, as they were deployed.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn resource(&self, deployment: DeploymentId, file: &str) -> Result<Option<Vec<u8>>, Error> {
        let access = self.access(Action::ReadDefinitions, &deployment).await?;
        if !self.admits_deployment(&access, deployment).await? {
            return Ok(None);
        }
        Ok(self.inner.store.resource(deployment.0, &file.into()).await?)
    }

    /// Starts no more instances of a definition until it is resumed; says whether there is one.
    ///
    /// # Errors
    /// If the database cannot be written.
    pub async fn suspend_definition(&self, definition: DefinitionId) -> Result<bool, Error> {
        self.set_suspended(definition, true).await
    }

    /// Lets instances of a definition be started again; says whether there is one.
    ///
    /// # Errors
    /// If the database cannot be written.
    pub async fn resume_definition(&self, definition: DefinitionId) -> Result<bool, Error> {
        self.set_suspended(definition, false).await
    }

    /// Keeps the histories of instances of a definition that end from now on for so many days, or as its model says (`None`); says
    /// whether there is one. Other nodes on the same database hear of it within seconds.
    ///
    /// # Errors
    /// If that is forbidden, or the database cannot be written.
    pub async fn keep_history(&self, definition: DefinitionId, days: Option<u32>) -> Result<bool, Error> {
        let access = self.checked(Action::KeepHistory, &definition).await?;
        if !self.admits(&access, definition).await? {
            return Ok(false);
        }
        self.allowed(Action::KeepHistory, &definition).await?;
        let found = self.inner.store.keep_history(definition.0, days.map(i64::from)).await;
        self.inner.catalog.changed();
        self.inner.catalog.learn().await?;
        Ok(found?)
    }

    async fn set_suspended(&self, definition: DefinitionId, suspended: bool) -> Result<bool, Error> {
        let access = self.checked(Action::SuspendDefinition, &definition).await?;
        if !self.admits(&access, definition).await? {
            return Ok(false);
        }
        self.allowed(Action::SuspendDefinition, &definition).await?;
        let found = self.inner.store.suspend_definition(definition.0, suspended).await;
        self.inner.catalog.changed();
        Ok(found?)
    }
}
