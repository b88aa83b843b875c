//! Restart: a new instance takes the place of one that has ended.

use std::collections::BTreeMap;
use std::sync::Arc;

use potok_core::Name;
use potok_core::expressions::Binding;
use potok_core::instance::ROOT;
use potok_core::routing::Running;
use potok_core::step::{Command, Event, Events, Position, StartAt, Variables};
use potok_store::row::{Instance as InstanceRow, InstanceState};
use serde::{Deserialize, Serialize};

use crate::catalog::Deployed;
use crate::engine::{Engine, Inner};
use crate::{Action, Case, DefinitionId, Error, Instance, InstanceId, IntoVariables, Operation};

/// A new instance in the place of one that has ended, or with [`Restart::new`] of each of many in a [batch](Engine::batch). See
/// `docs/operations.md`.
#[derive(Debug, Default)]
#[must_use = "nothing is started until `send`"]
pub struct Restart<Of = ()> {
    of: Of,
    plan: RestartPlan,
    error: Option<Error>,
}

/// How a new instance takes the place of one that has ended.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct RestartPlan {
    /// Where it begins; at its start events if nowhere else.
    pub positions: Vec<Position>,
    /// Whether it is of the newest version rather than of the old one's.
    pub latest_version: bool,
    /// Whether it gets the variables with which the old one was started, rather than those that this had in the end.
    pub initial_variables: bool,
    /// Whether it goes without the old one's business key.
    pub without_business_key: bool,
    /// What it gets beside them.
    pub variables: Variables,
    /// Why.
    pub reason: Option<Name>,
}

impl Engine {
    /// Starts a new instance in the place of one that has ended: of the same version, with its business key and with the
    /// variables of the process as they were in the end, unless other things are asked for.
    ///
    /// ```no_run
    /// # async fn example(engine: potok::Engine, ended: potok::InstanceId) -> Result<(), potok::Error> {
    /// let again = engine.restart(ended).start_before("pay").reason("The bank had refused it.").send().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn restart(&self, of: InstanceId) -> Restart<Case> {
        Restart { of: self.instance(of), plan: RestartPlan::default(), error: None }
    }
}

impl Restart {
    /// The same for each instance of a batch.
    ///
    /// ```no_run
    /// # async fn example(engine: potok::Engine, failed: potok::query::InstanceQuery) -> Result<(), potok::Error> {
    /// use potok::Restart;
    ///
    /// let again = Restart::new().latest_version().reason("The bank is there again.");
    /// engine.batch(again.operation()?).matching(failed).send().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn new() -> Self {
        Self::default()
    }

    /// It as what a batch does.
    ///
    /// # Errors
    /// If variables were given that are none.
    pub fn operation(self) -> Result<Operation, Error> {
        self.error.map_or(Ok(Operation::Restart(self.plan)), Err)
    }
}

impl<Of> Restart<Of> {
    /// A token begins before a flow node. Without any place, the new instance begins at its start events.
    pub fn start_before(self, element: impl Into<Name>) -> Self {
        self.at(Position::Before(element.into()))
    }

    /// A token begins after a flow node: it leaves by its flows out.
    pub fn start_after(self, element: impl Into<Name>) -> Self {
        self.at(Position::After(element.into()))
    }

    /// A token begins on a sequence flow.
    pub fn start_transition(self, flow: impl Into<Name>) -> Self {
        self.at(Position::On(flow.into()))
    }

    fn at(mut self, position: Position) -> Self {
        self.plan.positions.push(position);
        self
    }

    /// Of the newest version of the process.
    pub fn latest_version(mut self) -> Self {
        self.plan.latest_version = true;
        self
    }

    /// With the variables with which the old one was started.
    pub fn initial_variables(mut self) -> Self {
        self.plan.initial_variables = true;
        self
    }

    /// Without the old one's business key.
    pub fn without_business_key(mut self) -> Self {
        self.plan.without_business_key = true;
        self
    }

    /// With these variables, too; of two of one name these count.
    pub fn variables(mut self, variables: impl IntoVariables) -> Self {
        match variables.into_variables() {
            Ok(variables) => self.plan.variables = variables,
            Err(error) => self.error = Some(error),
        }
        self
    }

    /// Why: it stands in the new one's history.
    pub fn reason(mut self, reason: impl Into<Name>) -> Self {
        self.plan.reason = Some(reason.into());
        self
    }
}

impl Restart<Case> {
    /// Starts it.
    ///
    /// # Errors
    /// If there is no such instance, it still runs, or no token can begin where it should.
    pub async fn send(self) -> Result<Instance, Error> {
        if let Some(error) = self.error {
            return Err(error);
        }
        let engine = self.of.engine();
        engine.inner.check_given(&self.plan.variables)?;
        engine.reach(Action::Restart, self.of.id()).await?;
        let (deployed, command) = engine.inner.restart(self.of.id(), &self.plan, engine.user.clone()).await?;
        engine.begin(&deployed, false, self.plan.reason.as_ref(), || command.clone()).await
    }
}

impl Inner {
    /// What starts the new instance, and of which version.
    pub(crate) async fn restart(
        &self,
        of: InstanceId,
        plan: &RestartPlan,
        initiator: Option<Name>,
    ) -> Result<(Arc<Deployed>, Command), Error> {
        let old = self.store.get::<InstanceRow>(of.0).await?.ok_or(Error::UnknownInstance(of))?;
        if old.state == InstanceState::Active {
            return Err(Error::InstanceActive(of));
        }
        let kept = if plan.initial_variables {
            let first = self.store.history(of.0, 0, 1).await?.pop().ok_or(Error::UnknownInstance(of))?;
            let events = Events::decode(&first.events).map_err(|error| Error::Damaged { instance: of, error })?;
            initial(&events)
        } else {
            let variables = |running: Option<&Running>| running.map(|running| running.instance.variables().to_vec());
            self.look(of.0, variables).await?.ok_or(Error::UnknownInstance(of))?
        };
        let all: BTreeMap<Name, _> = kept.into_iter().chain(plan.variables.iter().cloned()).collect();
        let deployed = if plan.latest_version {
            let tenant = old.tenant.clone().unwrap_or_default();
            let found = self.catalog.find(&tenant, &old.process, &Binding::Latest, None).await?;
            found.ok_or_else(|| Error::UnknownProcess(old.process.clone()))?
        } else {
            self.process_of(DefinitionId(old.definition)).await?
        };
        let at = match &plan.positions[..] {
            [] => StartAt::None,
            positions => StartAt::Positions(positions.to_vec()),
        };
        let command = Command::Start {
            at,
            business_key: old.business_key.filter(|_| !plan.without_business_key),
            variables: all.into_iter().collect(),
            caller: None,
            started_by: None,
            initiator,
        };
        Ok((deployed, command))
    }
}

/// The variables of the process that were set before its first token was born.
fn initial(events: &Events) -> Variables {
    let before = events.list.iter().take_while(|event| !matches!(event, Event::TokenCreated { .. }));
    let set = before.filter_map(|event| match *event {
        Event::VariableSet { scope: ROOT, variable } => events.variables.get(variable as usize).cloned(),
        _ => None,
    });
    set.collect()
}
