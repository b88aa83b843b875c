//! Migration: running instances go over to another version of their process, or to another process.

use std::sync::Arc;

use potok_core::Name;
use potok_core::instance::ROOT;
use potok_core::migration::{Mapping, MigrationPlan as Plan, MigrationProblem};
use potok_core::routing::{Work, World as _};
use potok_core::step::{Command, MigrateTo, Variables};
use potok_store::row::{Definition, DefinitionKind};

use crate::attempt::{Attempt, Missing};
use crate::catalog::Deployed;
use crate::engine::{Engine, Inner};
use crate::{Action, DefinitionId, Error, InstanceId, IntoVariables, Operation};

/// How instances of one definition go over to another: which flow node becomes which. See `docs/operations.md`.
#[derive(Clone, Debug)]
pub struct MigrationPlan {
    from: Arc<Deployed>,
    to: Arc<Deployed>,
    plan: Plan,
    variables: Variables,
}

impl MigrationPlan {
    /// The definition that instances come from.
    #[must_use]
    pub fn from(&self) -> DefinitionId {
        DefinitionId(self.from.definition.key)
    }

    /// The definition that they go to.
    #[must_use]
    pub fn to(&self) -> DefinitionId {
        DefinitionId(self.to.definition.key)
    }

    /// One flow node becomes another, by their ids.
    #[must_use]
    pub fn map(self, source: impl Into<Name>, target: impl Into<Name>) -> Self {
        Self { plan: self.plan.map(source, target), ..self }
    }

    /// A flow node becomes none: what is an event there is no longer waited for; else nothing may stand there.
    #[must_use]
    pub fn leave_out(self, source: &str) -> Self {
        Self { plan: self.plan.leave_out(source), ..self }
    }

    /// What a mapped event waits for is computed anew: its timer, message or signal.
    #[must_use]
    pub fn update_event_trigger(self, source: &str) -> Self {
        Self { plan: self.plan.update_event_trigger(source), ..self }
    }

    /// The same for all mapped events.
    #[must_use]
    pub fn update_event_triggers(self) -> Self {
        Self { plan: self.plan.update_event_triggers(), ..self }
    }

    /// With these variables of the process itself; of two of one name these count.
    ///
    /// # Errors
    /// If they are none.
    pub fn variables(self, variables: impl IntoVariables) -> Result<Self, Error> {
        Ok(Self { variables: variables.into_variables()?, ..self })
    }

    /// All mappings, by the id of what is mapped.
    pub fn mappings(&self) -> impl Iterator<Item = (&Name, &Mapping)> {
        self.plan.mappings()
    }

    /// All that is wrong with it, whatever the instance.
    #[must_use]
    pub fn check(&self) -> Vec<MigrationProblem> {
        self.plan.check(&self.from.graph, &self.to.graph)
    }

    /// It as what a [batch](Engine::batch) does, for a reason if there is one.
    #[must_use]
    pub fn operation(&self, reason: Option<Name>) -> Operation {
        let (plan, variables) = (self.plan.clone(), self.variables.clone());
        Operation::Migrate { from: self.from(), to: self.to(), plan, variables, reason }
    }
}

/// An instance about to be migrated.
#[derive(Debug)]
#[must_use = "nothing is migrated until `send`"]
pub struct Migrating<'e> {
    engine: &'e Engine,
    instance: InstanceId,
    plan: MigrationPlan,
    reason: Option<Name>,
}

impl Engine {
    /// A plan for instances of one definition to go over to another. It maps all flow nodes that have the same id in both, and fit.
    ///
    /// # Errors
    /// If one of the two is no deployed process, or they belong to different tenants.
    pub async fn migration_plan(&self, from: DefinitionId, to: DefinitionId) -> Result<MigrationPlan, Error> {
        let access = self.access(Action::ReadDefinitions, &from).await?;
        if !self.admits(&access, from).await? {
            return Err(Error::UnknownProcess(from.to_string().into()));
        }
        let generated = self.inner.migration_plan(from, to, Plan::new()).await?;
        let plan = Plan::generate(&generated.from.graph, &generated.to.graph);
        Ok(MigrationPlan { plan, ..generated })
    }

    /// Lets an instance go over to another definition, all of it or nothing. Its tasks, jobs, timers and calls stay what they are,
    /// also while it is suspended.
    ///
    /// ```no_run
    /// # async fn example(
    /// #     engine: potok::Engine, instance: potok::InstanceId, old: potok::DefinitionId, new: potok::DefinitionId,
    /// # ) -> Result<(), potok::Error> {
    /// let plan = engine.migration_plan(old, new).await?.map("check", "review").update_event_triggers();
    /// engine.migrate(instance, &plan).reason("The new rules hold for all.").send().await
    /// # }
    /// ```
    pub fn migrate(&self, instance: InstanceId, plan: &MigrationPlan) -> Migrating<'_> {
        Migrating { engine: self, instance, plan: plan.clone(), reason: None }
    }
}

impl Migrating<'_> {
    /// Why: it stands in the history.
    pub fn reason(self, reason: impl Into<Name>) -> Self {
        Self { reason: Some(reason.into()), ..self }
    }

    /// Migrates it.
    ///
    /// # Errors
    /// If there is no such instance, it has ended, it runs another definition than the plan is for, or it cannot go over:
    /// [`Rejection::Migration`](potok_core::step::Rejection::Migration) holds every reason.
    pub async fn send(self) -> Result<(), Error> {
        let Self { engine, instance, plan, reason } = self;
        engine.inner.check_given(&plan.variables)?;
        engine.reach(Action::Migrate, instance).await?;
        let envelope = engine.envelope().because(reason.as_ref());
        engine.inner.transact(envelope, |attempt, work| migrate(attempt, work, instance, &plan)).await
    }
}

/// Lets an instance go over; the operator's reason is about it.
pub(crate) fn migrate(
    attempt: &mut Attempt<'_>,
    work: &mut Work,
    instance: InstanceId,
    plan: &MigrationPlan,
) -> Result<Result<(), Error>, Missing> {
    let key = instance.0;
    if attempt.instance(key)?.is_none() {
        return Ok(Err(Error::UnknownInstance(instance)));
    }
    attempt.subject = Some(key).filter(|_| attempt.envelope.act.is_some());
    let Some(loaded) = attempt.loaded(key) else { return Ok(Err(Error::UnknownInstance(instance))) };
    if loaded.definition != plan.from.definition.key {
        let (runs, expected) = (DefinitionId(loaded.definition), plan.from());
        return Ok(Err(Error::OtherDefinition { instance, runs, expected }));
    }
    let command = Command::Migrate { to: MigrateTo(plan.to.graph.clone()), plan: plan.plan.clone() };
    attempt.known(plan.to.clone());
    let set = Command::SetVariables { scope: ROOT, variables: plan.variables.clone() };
    for command in [command].into_iter().chain((!plan.variables.is_empty()).then_some(set)) {
        match attempt.step(key, command) {
            Ok(requests) => work.ask(key, requests),
            Err(rejection) => return Ok(Err(rejection.into())),
        }
    }
    Ok(Ok(()))
}

impl Inner {
    /// A plan between two definitions that are deployed.
    pub(crate) async fn migration_plan(
        &self,
        from: DefinitionId,
        to: DefinitionId,
        plan: Plan,
    ) -> Result<MigrationPlan, Error> {
        let (from, to) = (self.process_of(from).await?, self.process_of(to).await?);
        if from.definition.tenant != to.definition.tenant {
            return Err(Error::UnknownProcess(to.definition.id.clone()));
        }
        Ok(MigrationPlan { from, to, plan, variables: Variables::new() })
    }

    /// The version of a process with that id.
    pub(crate) async fn process_of(&self, id: DefinitionId) -> Result<Arc<Deployed>, Error> {
        let unknown = || Error::UnknownProcess(id.to_string().into());
        let definition = self.store.get::<Definition>(id.0).await?.ok_or_else(unknown)?;
        if definition.kind != DefinitionKind::Process {
            return Err(unknown());
        }
        self.catalog.get(id.0).await?.ok_or_else(unknown)
    }
}
