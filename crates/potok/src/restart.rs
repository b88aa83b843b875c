//! Restart: a new instance takes the place of one that has ended.

use std::collections::BTreeMap;

use potok_core::Name;
use potok_core::expressions::Binding;
use potok_core::instance::ROOT;
use potok_core::step::{Command, Event, Events, Position, StartAt, Variables};

use crate::engine::Engine;
use crate::{DefinitionId, Error, Instance, InstanceId, IntoVariables};

/// A new instance in the place of one that has ended. See `docs/operations.md`.
#[derive(Debug)]
#[must_use = "nothing is started until `send`"]
pub struct Restart<'e> {
    engine: &'e Engine,
    of: InstanceId,
    positions: Vec<Position>,
    latest: bool,
    initial: bool,
    business_key: bool,
    variables: Result<Variables, Error>,
    reason: Option<Name>,
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
    pub fn restart(&self, of: InstanceId) -> Restart<'_> {
        Restart {
            engine: self,
            of,
            positions: Vec::new(),
            latest: false,
            initial: false,
            business_key: true,
            variables: Ok(Variables::new()),
            reason: None,
        }
    }
}

impl Restart<'_> {
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
        self.positions.push(position);
        self
    }

    /// Of the newest version of the process.
    pub fn latest_version(self) -> Self {
        Self { latest: true, ..self }
    }

    /// With the variables with which the old one was started.
    pub fn initial_variables(self) -> Self {
        Self { initial: true, ..self }
    }

    /// Without the old one's business key.
    pub fn without_business_key(self) -> Self {
        Self { business_key: false, ..self }
    }

    /// With these variables, too; of two of one name these count.
    pub fn variables(self, variables: impl IntoVariables) -> Self {
        Self { variables: variables.into_variables(), ..self }
    }

    /// Why: it stands in the new one's history.
    pub fn reason(self, reason: impl Into<Name>) -> Self {
        Self { reason: Some(reason.into()), ..self }
    }

    /// Starts it.
    ///
    /// # Errors
    /// If there is no such instance, it still runs, or no token can begin where it should.
    pub async fn send(self) -> Result<Instance, Error> {
        let given = self.variables?;
        let case = self.engine.instance(self.of);
        let old = case.get().await?;
        if old.is_active() {
            return Err(Error::InstanceActive(self.of));
        }
        let kept = if self.initial {
            let first = case.history(0, 1).await?;
            first.first().map(|row| initial(&row.events)).unwrap_or_default()
        } else {
            case.variables().await?
        };
        let all: BTreeMap<Name, _> = kept.into_iter().chain(given).collect();
        let variables: Variables = all.into_iter().collect();
        let deployed = if self.latest {
            let tenant = old.tenant.clone().unwrap_or_default();
            let found = self.engine.inner.catalog.find(&tenant, &old.process, &Binding::Latest, None).await?;
            found.ok_or_else(|| Error::UnknownProcess(old.process.clone()))?
        } else {
            self.engine.process_of(DefinitionId(old.definition)).await?
        };
        let business_key = old.business_key.clone().filter(|_| self.business_key);
        let at = if self.positions.is_empty() { StartAt::None } else { StartAt::Positions(self.positions) };
        let command = || Command::Start {
            at: at.clone(),
            business_key: business_key.clone(),
            variables: variables.clone(),
            caller: None,
            started_by: None,
            initiator: self.engine.user.clone(),
        };
        self.engine.begin(&deployed, false, self.reason.as_ref(), command).await
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
