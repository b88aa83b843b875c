//! Instances: started, looked at, ended.

use std::sync::Arc;

use potok_core::Name;
use potok_core::expressions::Binding;
use potok_core::instance::{Instance as State, Key, ROOT, ScopeId};
use potok_core::routing::{Running, Work, World as _};
use potok_core::step::{Command, Events, Rejection, StartAt, Variables};
use potok_core::time::Timestamp;
use potok_core::value::Value;
use potok_store::Guard;
use potok_store::query::{IncidentQuery, InstanceQuery};
use potok_store::row::{
    Claim, ClaimKind, Definition, DefinitionKind, Incident, Instance as InstanceRow, InstanceState,
};
use serde::{Deserialize, Serialize};

use crate::alone::of_processes;
use crate::attempt::{Attempt, Missing};
use crate::catalog::Deployed;
use crate::engine::Engine;
use crate::envelope::{Act, Envelope};
use crate::{Action, DefinitionId, Error, InstanceId, IntoVariables, Right};

/// A process instance, as it was when it was looked at.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Instance {
    row: InstanceRow,
}

impl From<InstanceRow> for Instance {
    fn from(row: InstanceRow) -> Self {
        Self { row }
    }
}

impl std::ops::Deref for Instance {
    type Target = InstanceRow;

    fn deref(&self) -> &InstanceRow {
        &self.row
    }
}

impl Instance {
    /// Its id.
    #[must_use]
    pub fn id(&self) -> InstanceId {
        InstanceId(self.row.key)
    }

    /// The version of its process.
    #[must_use]
    pub fn definition_id(&self) -> DefinitionId {
        DefinitionId(self.row.definition)
    }

    /// Whether it still runs.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.row.state == InstanceState::Active
    }
}

/// An instance about to be started.
#[derive(Debug)]
#[must_use = "nothing is started until `send`"]
pub struct Start<'e> {
    engine: &'e Engine,
    process: Name,
    tenant: Option<Name>,
    binding: Binding,
    definition: Option<Definition>,
    at: StartAt,
    business_key: Option<Name>,
    unique: bool,
    variables: Result<Variables, Error>,
}

impl Start<'_> {
    /// With that business key.
    pub fn business_key(self, key: impl Into<Name>) -> Self {
        Self { business_key: Some(key.into()), ..self }
    }

    /// With that business key, for itself while it runs: among the running instances of the process, in all its versions, that were
    /// started so there is one with it.
    pub fn unique_business_key(self, key: impl Into<Name>) -> Self {
        Self { business_key: Some(key.into()), unique: true, ..self }
    }

    /// With these variables.
    pub fn variables(self, variables: impl IntoVariables) -> Self {
        Self { variables: self.engine.inner.given(variables), ..self }
    }

    /// Of that version.
    pub fn version(self, version: u32) -> Self {
        Self { binding: Binding::Version(version.to_string().into()), ..self }
    }

    /// Of that version, whatever else is said of versions and tenants, as it has just been looked up: whether it is suspended is not looked up
    /// again.
    pub fn definition(self, definition: Definition) -> Self {
        let (process, tenant) = (definition.id.clone(), Some(definition.tenant.clone()));
        Self { process, tenant, definition: Some(definition), ..self }
    }

    /// Of the newest version with that tag.
    pub fn tag(self, tag: impl Into<Name>) -> Self {
        Self { binding: Binding::VersionTag(tag.into()), ..self }
    }

    /// Of that tenant's process.
    pub fn tenant(self, tenant: impl Into<Name>) -> Self {
        Self { tenant: Some(tenant.into()), ..self }
    }

    /// Before these flow nodes rather than at its start events.
    pub fn before(self, elements: impl IntoIterator<Item = impl Into<Name>>) -> Self {
        Self { at: StartAt::Elements(elements.into_iter().map(Into::into).collect()), ..self }
    }

    /// At a start event that has occurred, whatever it waits for.
    pub fn at_event(self, event: impl Into<Name>) -> Self {
        Self { at: StartAt::Event(event.into()), ..self }
    }

    /// There.
    pub fn at(self, at: StartAt) -> Self {
        Self { at, ..self }
    }

    /// Starts it: it has run as far as it can, and that is durable.
    ///
    /// # Errors
    /// If there is no such process, it cannot be started so, its business key is another's, the database cannot be written, or (for an
    /// engine that acts as a user) the process is for others to start, or it is to be started elsewhere than at its beginning.
    pub async fn send(self) -> Result<Instance, Error> {
        let inner = &self.engine.inner;
        let variables = self.variables?;
        let access = self.engine.access(Action::Start, &self.process).await?;
        let tenant = access.home(self.tenant.as_ref())?;
        let found = match self.definition {
            Some(definition) if definition.kind == DefinitionKind::Process => {
                Some(inner.catalog.compiled(definition).await?)
            }
            Some(_) => None,
            None => inner.catalog.find(&tenant, &self.process, &self.binding, None).await?,
        };
        let deployed = found.ok_or_else(|| Error::UnknownProcess(self.process.clone()))?;
        if !access.may_start(&deployed.graph) {
            let how =
                "its model names who may start it, and neither the user nor their groups are among them".to_owned();
            return Err(self.engine.forbidden(Action::Start, &self.process, how).await);
        }
        if matches!(self.at, StartAt::Elements(_) | StartAt::Positions(_)) {
            self.engine.access(Action::StartAnywhere, &self.process).await?;
        }
        let envelope = self.engine.envelope();
        let command = || Command::Start {
            at: self.at.clone(),
            business_key: self.business_key.clone(),
            variables: variables.clone(),
            caller: None,
            started_by: None,
            initiator: envelope.by.clone(),
        };
        self.engine.begin(&deployed, self.unique, None, command).await
    }
}

/// One instance, by its id.
#[derive(Clone, Debug)]
pub struct Case {
    engine: Engine,
    id: InstanceId,
}

impl Engine {
    /// Begins an instance of a process, of its newest version unless another is asked for.
    pub fn start(&self, process: impl Into<Name>) -> Start<'_> {
        Start {
            engine: self,
            process: process.into(),
            tenant: None,
            binding: Binding::Latest,
            definition: None,
            at: StartAt::None,
            business_key: None,
            unique: false,
            variables: Ok(Variables::new()),
        }
    }

    /// Begins an instance of a version of a process, for an operator's reason.
    pub(crate) async fn begin(
        &self,
        deployed: &Arc<Deployed>,
        unique: bool,
        reason: Option<&Name>,
        command: impl Fn() -> Command + Send + Sync,
    ) -> Result<Instance, Error> {
        let action = |attempt: &mut Attempt<'_>, work: &mut Work| {
            Ok(begin(attempt, work, deployed, command()).inspect(|&key| {
                if unique && let Some(loaded) = attempt.loaded_mut(key) {
                    loaded.unique = true;
                    let business_key = loaded.running.instance.business_key().cloned();
                    let claim = claim(deployed.graph.id(), loaded.tenant.as_ref(), business_key.as_ref(), key);
                    attempt.guards.extend(claim.map(Guard::Claim));
                    attempt.subject = Some(key);
                    attempt.envelope.act = Some(Act::BusinessKeyClaimed);
                }
            }))
        };
        let envelope = self.envelope().because(reason);
        let row = self.inner.transact_and(envelope, action, |attempt, key| attempt.row(key)).await?;
        row.map(|row| Instance { row }).ok_or(Error::NothingToDo)
    }

    /// The instance with that id.
    #[must_use]
    pub fn instance(&self, id: InstanceId) -> Case {
        Case { engine: self.clone(), id }
    }

    /// Instances that are searched for; a user finds those that they may see. [Tasks that belong to no process](Self::create_task) are not among them, unless by their keys
    /// or with `has_process: Some(false)`.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn instances(&self, query: &InstanceQuery) -> Result<Vec<Instance>, Error> {
        let mut query = of_processes(query.clone());
        self.access(Action::SeeInstances, &"").await?.narrow(&mut query.sight);
        let rows = self.inner.store.list(&query).await?.rows;
        Ok(rows.into_iter().map(|row| Instance { row }).collect())
    }

    /// Incidents that are searched for.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn incidents(&self, query: &IncidentQuery) -> Result<Vec<Incident>, Error> {
        let mut query = query.clone();
        self.access(Action::SeeInstances, &"").await?.narrow(&mut query.sight);
        Ok(self.inner.store.list(&query).await?.rows)
    }
}

impl Case {
    pub(crate) fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> InstanceId {
        self.id
    }

    /// What is known of it.
    ///
    /// # Errors
    /// If there is no such instance.
    pub async fn get(&self) -> Result<Instance, Error> {
        self.engine.reach(Action::SeeInstances, self.id).await?;
        self.row().await
    }

    pub(crate) async fn row(&self) -> Result<Instance, Error> {
        let row = self.engine.inner.store.get::<InstanceRow>(self.id.0).await?;
        row.map(|row| Instance { row }).ok_or(Error::UnknownInstance(self.id))
    }

    /// Its state: tokens, scopes, variables, what it waits for.
    ///
    /// # Errors
    /// If there is no such instance.
    pub async fn state(&self) -> Result<State, Error> {
        self.engine.reach(Action::SeeInstances, self.id).await?;
        let state = |running: Option<&Running>| running.map(|running| running.instance.clone());
        self.engine.inner.look(self.id.0, state).await?.ok_or(Error::UnknownInstance(self.id))
    }

    /// Its state as it was after that row of its history, from 1: travel in time.
    ///
    /// # Errors
    /// If there is no such instance.
    pub async fn at(&self, seq: u64) -> Result<State, Error> {
        self.engine.reach(Action::SeeInstances, self.id).await?;
        let (state, _) = self.engine.inner.replay(self.id.0, seq).await?.ok_or(Error::UnknownInstance(self.id))?;
        Ok(state)
    }

    /// A variable of the process itself.
    ///
    /// # Errors
    /// If there is no such instance.
    pub async fn variable(&self, name: &str) -> Result<Option<Value>, Error> {
        Ok(self.state().await?.variable(name).cloned())
    }

    /// The variables of the process itself, in the names' order.
    ///
    /// # Errors
    /// If there is no such instance.
    pub async fn variables(&self) -> Result<Variables, Error> {
        Ok(self.state().await?.variables().to_vec())
    }

    /// Sets variables of the process itself.
    ///
    /// # Errors
    /// If there is no such instance, or it has ended.
    pub async fn set_variables(&self, variables: impl IntoVariables) -> Result<(), Error> {
        self.set_variables_in(ROOT, variables).await
    }

    /// The same, if they are all what its caller takes them for.
    ///
    /// # Errors
    /// As [`set_variables`](Self::set_variables); and [`Error::VariablesChanged`] if they are not.
    pub async fn set_variables_if(
        &self,
        is_expected: impl Fn(&[(Name, Value)]) -> bool + Send + Sync,
        variables: impl IntoVariables,
    ) -> Result<(), Error> {
        let variables = self.engine.inner.given(variables)?;
        self.engine.reach(Action::SetVariables, self.id).await?;
        let set = |attempt: &mut Attempt<'_>, work: &mut Work| {
            let running = attempt.instance(self.id.0)?;
            if running.is_some_and(|running| !is_expected(running.instance.variables())) {
                return Ok(Err(Error::VariablesChanged(self.id)));
            }
            give(attempt, work, self.id, Command::SetVariables { scope: ROOT, variables: variables.clone() })
        };
        self.engine.inner.transact(self.engine.envelope(), set).await
    }

    /// Sets variables of a scope.
    ///
    /// # Errors
    /// If there is no such instance or scope, or it has ended.
    pub async fn set_variables_in(&self, scope: ScopeId, variables: impl IntoVariables) -> Result<(), Error> {
        let variables = self.engine.inner.given(variables)?;
        self.engine.reach(Action::SetVariables, self.id).await?;
        self.give(|| Command::SetVariables { scope, variables: variables.clone() }).await
    }

    /// Ends it from outside.
    ///
    /// # Errors
    /// If there is no such instance, or it has ended.
    pub async fn cancel(&self, reason: impl Into<Name>) -> Result<(), Error> {
        self.engine.reach(Action::Cancel, self.id).await?;
        self.end(reason.into()).await
    }

    pub(crate) async fn end(&self, reason: Name) -> Result<(), Error> {
        let reason = Some(reason).filter(|reason| !reason.is_empty());
        self.give(|| Command::Cancel { reason: reason.clone() }).await
    }

    /// Begins activities of an ad-hoc sub-process that waits under that key.
    ///
    /// # Errors
    /// If nothing like that waits, it may not begin now, or (for an engine that acts as a user) the user has no part in the instance.
    pub async fn activate(
        &self,
        ad_hoc: potok_core::instance::Key,
        elements: impl IntoIterator<Item = impl Into<Name>>,
    ) -> Result<(), Error> {
        let elements: Vec<Name> = elements.into_iter().map(Into::into).collect();
        let access = self.engine.reach(Action::ActivateAdHoc, self.id).await?;
        if !access.may(Right::Operate) && !self.engine.has_part(&access, self.id).await? {
            let how = "that is for those who have a part in it, and for operators".to_owned();
            return Err(self.engine.forbidden(Action::ActivateAdHoc, &self.id, how).await);
        }
        self.give(|| Command::ActivateAdHoc { ad_hoc, elements: elements.clone() }).await
    }

    /// Lets nothing go on in it until it is resumed: no timer fires, no job is handed out, no task is completed.
    ///
    /// # Errors
    /// If there is no such instance, or it has ended.
    pub async fn suspend(&self) -> Result<(), Error> {
        self.set_suspended(true).await
    }

    /// Lets it go on.
    ///
    /// # Errors
    /// If there is no such instance, or it has ended.
    pub async fn resume(&self) -> Result<(), Error> {
        self.set_suspended(false).await
    }

    async fn set_suspended(&self, suspended: bool) -> Result<(), Error> {
        self.engine.reach(Action::Suspend, self.id).await?;
        let (key, envelope) = (self.id.0, self.engine.envelope());
        self.engine.inner.transact(envelope, |attempt, _| set_suspended(attempt, key, suspended)).await?;
        self.engine.inner.wake.all();
        Ok(())
    }

    /// Its history after that row, the oldest first: what happened, when, and who asked for it.
    ///
    /// # Errors
    /// If there is no such instance, or what stands there cannot be read.
    pub async fn history(&self, after: u64, limit: usize) -> Result<Vec<Entry>, Error> {
        self.engine.reach(Action::SeeInstances, self.id).await?;
        let rows = self.engine.inner.store.history(self.id.0, after, limit).await?;
        if rows.is_empty() && after == 0 {
            return Err(Error::UnknownInstance(self.id));
        }
        let entry = |row: potok_store::row::LogRow| {
            let events = Events::decode(&row.events).map_err(|error| Error::Damaged { instance: self.id, error })?;
            let definition = DefinitionId(row.definition);
            Ok(Entry { seq: row.seq, time: row.time, definition, envelope: Envelope::decode(&row.envelope), events })
        };
        rows.into_iter().map(entry).collect()
    }

    /// Waits until it has ended.
    ///
    /// # Errors
    /// If there is no such instance.
    pub async fn ended(&self) -> Result<Instance, Error> {
        loop {
            let ended = self.engine.inner.wake.until_ended();
            let instance = self.get().await?;
            if !instance.is_active() {
                return Ok(instance);
            }
            tokio::select! {
                () = ended => {}
                // Another node may end it, and not be heard.
                () = tokio::time::sleep(std::time::Duration::from_millis(500)) => {}
            }
        }
    }

    /// Gives it a command of the core, whoever has the task or job that it is about: for tools with which people intervene.
    ///
    /// # Errors
    /// If there is no such instance, it is suspended, or it refuses.
    pub async fn command(&self, command: Command) -> Result<(), Error> {
        if let Some(graph) = command.graph_after() {
            // Which definition it is, the engine must know: see `Engine::migrate`.
            return Err(Error::UnknownProcess(graph.id().clone()));
        }
        self.engine.reach(Action::Command, self.id).await?;
        self.give(|| command.clone()).await
    }

    /// Gives it a command.
    ///
    /// # Errors
    /// If there is no such instance, it is suspended, or it refuses.
    pub(crate) async fn give(&self, command: impl Fn() -> Command + Send + Sync) -> Result<(), Error> {
        self.give_because(None, command).await
    }

    /// Gives it a command, for an operator's reason.
    pub(crate) async fn give_because(
        &self,
        reason: Option<&Name>,
        command: impl Fn() -> Command + Send + Sync,
    ) -> Result<(), Error> {
        let given = self
            .engine
            .inner
            .transact(self.engine.envelope().because(reason), |attempt, work| give(attempt, work, self.id, command()));
        given.await
    }
}

/// Gives an instance a command; the operator's reason is about it.
pub(crate) fn give(
    attempt: &mut Attempt<'_>,
    work: &mut Work,
    instance: InstanceId,
    command: Command,
) -> Result<Result<(), Error>, Missing> {
    let key = instance.0;
    if attempt.instance(key)?.is_none() {
        return Ok(Err(Error::UnknownInstance(instance)));
    }
    attempt.subject = Some(key).filter(|_| attempt.envelope.act.is_some());
    Ok(attempt.step(key, command).map_err(Error::from).map(|requests| work.ask(key, requests)))
}

/// Begins an instance of a version of a process; the operator's reason is about it.
pub(crate) fn begin(
    attempt: &mut Attempt<'_>,
    work: &mut Work,
    deployed: &Arc<Deployed>,
    command: Command,
) -> Result<Key, Error> {
    if deployed.definition.suspended {
        return Err(Error::ProcessSuspended(deployed.definition.id.clone()));
    }
    attempt.known(deployed.clone());
    let (key, requests) = attempt.begin(None, deployed.graph.clone(), command)?;
    attempt.subject = Some(key).filter(|_| attempt.envelope.act.is_some());
    work.ask(key, requests);
    Ok(key)
}

/// That a business key is an instance's own among those of its process.
pub(crate) fn claim(process: &str, tenant: Option<&Name>, business_key: Option<&Name>, owner: Key) -> Option<Claim> {
    let value = format!("{process}\n{}", business_key?).into();
    let tenant = tenant.cloned().unwrap_or_default();
    Some(Claim { tenant, kind: ClaimKind::BusinessKey, value, owner, ..Claim::default() })
}

/// Suspends an instance, or lets it go on.
pub(crate) fn set_suspended(
    attempt: &mut Attempt<'_>,
    key: Key,
    suspended: bool,
) -> Result<Result<(), Error>, Missing> {
    let rows = attempt.rows(key)?.clone();
    let Some(loaded) = attempt.loaded_mut(key) else { return Ok(Err(Error::UnknownInstance(InstanceId(key)))) };
    if !loaded.running.instance.is_active() {
        return Ok(Err(Rejection::NotActive(key).into()));
    }
    loaded.suspended = suspended;
    rows.suspend(&mut attempt.changes, suspended);
    attempt.subject = Some(key);
    attempt.envelope.act = Some(if suspended { Act::Suspended } else { Act::Resumed });
    Ok(Ok(()))
}

/// One row of an instance's history.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Its place, from 1.
    pub seq: u64,
    /// When it happened.
    pub time: Timestamp,
    /// The definition that it was of, in which the events' ordinals count.
    pub definition: DefinitionId,
    /// Who asked for it, and what it did that is no event.
    pub envelope: Envelope,
    /// What happened.
    pub events: Events,
}
