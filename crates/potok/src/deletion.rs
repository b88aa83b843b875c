//! What is removed for good: instances that have ended, deployments, and history that is kept long enough.

use std::collections::BTreeMap;
use std::sync::Arc;

use potok_core::Name;
use potok_core::instance::Key;
use potok_core::step::{DueType, Rejection};
use potok_core::time::Timestamp;
use potok_store::Changes;
use potok_store::query::{DefinitionQuery, Expiry, InstanceQuery, Paging};
use potok_store::row::{
    Attachment, Definition, DefinitionKind, Deployment as DeploymentRow, DuePolicy, Instance as InstanceRow,
    InstanceState, Subscription, Work,
};

use crate::catalog::Deployed;
use crate::deploy::starts;
use crate::engine::{Engine, Inner};
use crate::{Action, Case, DefinitionId, DeploymentId, Error, InstanceId};

/// Instances that are looked up, or cleaned up, at once.
const BITE: usize = 100;

/// Rows of each kind that are swept up at once.
const SWEPT: usize = 1000;

/// The states of what has ended.
const ENDED: [InstanceState; 3] = [InstanceState::Completed, InstanceState::Failed, InstanceState::Cancelled];

impl Case {
    /// Removes it for good once it has ended, with its history, comments and attachments, and with the instances that it called.
    ///
    /// # Errors
    /// If there is no such instance, it or one that it called still runs, or it was itself called by one that is still there.
    pub async fn delete(&self) -> Result<(), Error> {
        self.engine().reach(Action::Delete, self.id()).await?;
        self.remove().await
    }

    pub(crate) async fn remove(&self) -> Result<(), Error> {
        let inner = &self.engine().inner;
        let family = inner.to_be_deleted(self.id().0).await?;
        inner.delete(&family, Changes::default()).await
    }
}

impl Engine {
    /// Removes a deployment on which no instances stand, running or ended: their histories need it. What it was the newest version
    /// of is started by the version before from then on.
    ///
    /// # Errors
    /// If there is no such deployment, instances stand on it, or the database cannot be written.
    pub async fn delete_deployment(&self, deployment: DeploymentId) -> Result<(), Error> {
        self.reach_deployment(Action::DeleteDeployment, deployment).await?;
        self.inner.remove_deployment(deployment).await
    }

    async fn reach_deployment(&self, action: Action, deployment: DeploymentId) -> Result<(), Error> {
        let access = self.checked(action, &deployment).await?;
        if !self.admits_deployment(&access, deployment).await? {
            return Err(Error::UnknownDeployment(deployment));
        }
        self.allowed(action, &deployment).await
    }

    /// Removes a deployment with all instances that stand on it; those that run are cancelled for that reason, which is an incident of whoever
    /// has called them. It takes a while if there are many, and can be repeated if it was interrupted.
    ///
    /// # Errors
    /// If there is no such deployment, or the database cannot be written. In the latter case some instances may have gone already.
    pub async fn delete_deployment_with_instances(
        &self,
        deployment: DeploymentId,
        reason: impl Into<Name>,
    ) -> Result<(), Error> {
        let reason = reason.into();
        self.reach_deployment(Action::DeleteDeploymentWithInstances, deployment).await?;
        let definitions = self.inner.definitions_of(deployment).await?;
        for definition in &definitions {
            self.inner.store.suspend_definition(definition.key, true).await?;
        }
        self.inner.catalog.changed();
        for definition in &definitions {
            self.delete_instances_of(definition.key, &reason).await?;
        }
        self.inner.remove_deployment(deployment).await
    }

    /// Removes one version of something deployed, on which no instances stand, running or ended. What it was the newest version of is started
    /// by the version before from then on; the files of its deployment stay.
    ///
    /// # Errors
    /// If there is no such definition, instances stand on it, or the database cannot be written.
    pub async fn delete_definition(&self, definition: DefinitionId) -> Result<(), Error> {
        self.reach_definition(Action::DeleteDefinition, definition).await?;
        self.inner.remove_definition(definition).await
    }

    /// The same with all instances that stand on it; those that run are cancelled for that reason, which is an incident of whoever has called
    /// them. It takes a while if there are many, and can be repeated if it was interrupted.
    ///
    /// # Errors
    /// If there is no such definition, or the database cannot be written. In the latter case some instances may have gone already.
    pub async fn delete_definition_with_instances(
        &self,
        definition: DefinitionId,
        reason: impl Into<Name>,
    ) -> Result<(), Error> {
        let reason = reason.into();
        self.reach_definition(Action::DeleteDefinitionWithInstances, definition).await?;
        self.inner.store.suspend_definition(definition.0, true).await?;
        self.inner.catalog.changed();
        self.delete_instances_of(definition.0, &reason).await?;
        self.inner.remove_definition(definition).await
    }

    async fn reach_definition(&self, action: Action, definition: DefinitionId) -> Result<(), Error> {
        let access = self.checked(action, &definition).await?;
        if !self.admits(&access, definition).await? || self.inner.store.get::<Definition>(definition.0).await?.is_none()
        {
            return Err(Error::UnknownDefinition(definition));
        }
        self.allowed(action, &definition).await
    }

    async fn delete_instances_of(&self, definition: Key, reason: &Name) -> Result<(), Error> {
        // Who waits for one of them gets stuck, whatever is wanted otherwise.
        let engine = Self { unstuck: false, ..self.clone() };
        // Those that were called go with their callers, where these are of the same definition.
        for called in [false, true] {
            loop {
                let query = InstanceQuery {
                    definition: Some(definition),
                    called: Some(called),
                    page: Paging { limit: Some(BITE), ..Paging::default() },
                    ..InstanceQuery::default()
                };
                let rows = self.inner.store.list(&query).await?.rows;
                if rows.is_empty() {
                    break;
                }
                for row in rows {
                    match engine.instance(InstanceId(row.key)).end(reason.clone()).await {
                        Ok(()) | Err(Error::Rejected(Rejection::NotActive(_))) => {}
                        // It went with its caller.
                        Err(Error::UnknownInstance(_)) => continue,
                        Err(error) => return Err(error),
                    }
                    let ended = self.inner.store.get::<InstanceRow>(row.key).await?;
                    let Some(ended) = ended else { continue };
                    let family = self.inner.family_of(ended).await?;
                    self.inner.delete(&family, Changes::default()).await?;
                }
            }
        }
        Ok(())
    }

    /// Removes some of the history that has been kept long enough: as long as its process says (`historyTimeToLive`), else as
    /// long as [the engine's default](crate::Builder::history_time_to_live); nothing that runs. Says how many instances went.
    /// The engine does so by itself every few minutes.
    ///
    /// # Errors
    /// If the database cannot be read or written.
    pub async fn clean_up(&self) -> Result<usize, Error> {
        self.access(Action::LookAfter, &"").await?;
        self.inner.sweep().await?;
        self.inner.clean_up().await
    }
}

impl Inner {
    /// An instance that has ended, and those that it called.
    pub(crate) async fn to_be_deleted(&self, key: Key) -> Result<Vec<Key>, Error> {
        let row = self.store.get::<InstanceRow>(key).await?.ok_or(Error::UnknownInstance(InstanceId(key)))?;
        if let Some(caller) = row.parent
            && self.store.get::<InstanceRow>(caller).await?.is_some()
        {
            return Err(Error::InstanceCalled { instance: InstanceId(key), caller: InstanceId(caller) });
        }
        self.family_of(row).await
    }

    /// An instance, and those that it called; none of them may run any more.
    async fn family_of(&self, row: InstanceRow) -> Result<Vec<Key>, Error> {
        let mut family = vec![row];
        let mut next = 0;
        while let Some(row) = family.get(next) {
            if row.state == InstanceState::Active {
                return Err(Error::InstanceRuns(InstanceId(row.key)));
            }
            let called = InstanceQuery { parent: Some(row.key), ..InstanceQuery::default() };
            family.extend(self.store.list(&called).await?.rows);
            next += 1;
        }
        Ok(family.into_iter().map(|row| row.key).collect())
    }

    /// What removes instances from the database.
    pub(crate) async fn removal(&self, family: &[Key]) -> Result<Changes, Error> {
        self.remove_attachments(family).await?;
        let mut changes = Changes::default();
        family.iter().for_each(|key| changes.remove_instance(*key));
        Ok(changes)
    }

    /// Instances have been removed from the database.
    pub(crate) async fn removed(&self, family: &[Key]) -> Result<(), Error> {
        family.iter().for_each(|key| self.cache.forget(*key));
        // What was attached while they were being removed. Nothing more will be.
        self.remove_attachments(family).await
    }

    async fn remove_attachments(&self, family: &[Key]) -> Result<(), Error> {
        for key in family {
            for attachment in self.store.of_instance::<Attachment>(*key).await? {
                self.store.remove_attachment(*key, attachment.key).await?;
            }
        }
        Ok(())
    }

    async fn delete(&self, family: &[Key], mut changes: Changes) -> Result<(), Error> {
        changes.append(self.removal(family).await?);
        self.write(changes).await?;
        self.removed(family).await
    }

    async fn definitions_of(&self, deployment: DeploymentId) -> Result<Vec<Definition>, Error> {
        if self.store.get::<DeploymentRow>(deployment.0).await?.is_none() {
            return Err(Error::UnknownDeployment(deployment));
        }
        let query = DefinitionQuery { deployment: Some(deployment.0), ..DefinitionQuery::default() };
        Ok(self.store.list(&query).await?.rows)
    }

    async fn remove_deployment(&self, deployment: DeploymentId) -> Result<(), Error> {
        loop {
            let definitions = self.definitions_of(deployment).await?;
            let mut instances = 0;
            let mut before = BTreeMap::new();
            for definition in &definitions {
                let of = InstanceQuery { definition: Some(definition.key), ..InstanceQuery::default() };
                instances += self.store.count(&of).await?;
                before.extend(self.newest_beside(definition, |other| other.deployment != deployment.0).await?);
            }
            if instances > 0 {
                return Err(Error::DeploymentInUse { deployment, instances });
            }
            let follows = self.follows(before);
            let removed = self.store.remove_deployment(deployment.0, follows).await?;
            if removed {
                self.catalog.forget(&definitions.iter().map(|definition| definition.key).collect::<Vec<_>>());
                self.catalog.discover().await?;
                self.wake.due();
                return Ok(());
            }
        }
    }

    async fn remove_definition(&self, definition: DefinitionId) -> Result<(), Error> {
        loop {
            let Some(row) = self.store.get::<Definition>(definition.0).await? else {
                return Err(Error::UnknownDefinition(definition));
            };
            let of = InstanceQuery { definition: Some(row.key), ..InstanceQuery::default() };
            let instances = self.store.count(&of).await?;
            if instances > 0 {
                return Err(Error::DefinitionInUse { definition, instances });
            }
            let before = self.newest_beside(&row, |other| other.key != row.key).await?;
            let follows = self.follows(before.into_iter().collect());
            if self.store.remove_definition(row.key, follows).await? {
                self.catalog.forget(&[row.key]);
                self.catalog.discover().await?;
                self.wake.due();
                return Ok(());
            }
        }
    }

    /// The newest version of a process, among those of which that is so, with what it was compiled to.
    async fn newest_beside(
        &self,
        definition: &Definition,
        stays: impl Fn(&Definition) -> bool,
    ) -> Result<Option<(Key, Option<Arc<Deployed>>)>, Error> {
        let versions = DefinitionQuery {
            kind: Some(definition.kind),
            ids: vec![definition.id.clone()],
            tenant: Some(definition.tenant.clone()),
            ..DefinitionQuery::default()
        };
        let versions = self.store.list(&versions).await?.rows;
        let newest = versions.into_iter().filter(|other| stays(other)).max_by_key(|other| other.version);
        match newest.filter(|newest| newest.kind == DefinitionKind::Process) {
            Some(newest) => Ok(Some((newest.key, self.catalog.get(newest.key).await?))),
            None => Ok(None),
        }
    }

    /// What changes with the removal of a definition: it starts nothing any more, and the version before it does again, if that is
    /// still the one that was looked up.
    fn follows(
        &self,
        before: BTreeMap<Key, Option<Arc<Deployed>>>,
    ) -> impl Fn(&Definition, Option<Option<&Definition>>) -> Option<Changes> + Send {
        let now = self.clock.now();
        move |definition, newest| {
            let mut changes = Changes::default();
            changes.remove_of::<Subscription>(definition.key);
            changes.remove_of::<Work>(definition.key);
            changes.remove_of::<DuePolicy>(definition.key);
            if let Some(Some(newest)) = newest
                && definition.kind == DefinitionKind::Process
            {
                // If it is another by now, somebody has deployed meanwhile.
                let deployed = before.get(&newest.key)?.as_ref()?;
                let policies = self.catalog.policies(newest.key);
                let is_held = |node: &Name| {
                    policies.as_ref().map(|all| all.of(node, DueType::Timer)).is_some_and(|policy| policy.held)
                };
                starts(&mut changes, newest, &deployed.graph, now, &|| self.next_key(now), &is_held);
            }
            Some(changes)
        }
    }

    /// Removes what has expired and is no instance's history.
    pub(crate) async fn sweep(&self) -> Result<(), Error> {
        let now = self.clock.now();
        let audited = now.checked_sub(self.limits.audit).unwrap_or(Timestamp::MIN);
        self.store.sweep(now, audited, SWEPT).await?;
        Ok(())
    }

    pub(crate) async fn clean_up(&self) -> Result<usize, Error> {
        let now = self.clock.now();
        let due = |expires, ended_before| InstanceQuery {
            states: ENDED.to_vec(),
            called: Some(false),
            expires: Some(expires),
            ended_before,
            page: Paging { limit: Some(BITE), ..Paging::default() },
            ..InstanceQuery::default()
        };
        let mut queries = vec![due(Expiry::Before(now), None)];
        if let Some(default) = self.limits.history
            && let Ok(before) = now.checked_sub(default)
        {
            queries.push(due(Expiry::Never, Some(before)));
        }
        let mut cleaned = 0;
        for query in queries {
            for row in self.store.list(&query).await?.rows {
                match self.to_be_deleted(row.key).await {
                    Ok(family) => self.delete(&family, Changes::default()).await?,
                    // One that it called goes on alone, or another node was faster.
                    Err(Error::InstanceRuns(_) | Error::UnknownInstance(_)) => continue,
                    Err(error) => return Err(error),
                }
                cleaned += 1;
            }
        }
        Ok(cleaned)
    }
}
