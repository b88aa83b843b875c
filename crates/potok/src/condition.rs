//! Conditional start events: told of data from outside.

use std::sync::Arc;

use potok_core::Name;
use potok_core::routing::{Brought, Work, start_triggers};
use potok_core::step::Variables;
use potok_store::query::SubscriptionQuery;
use potok_store::row::{Definition, DefinitionKind, SubscriptionKind};

use crate::access::Access;
use crate::attempt::Attempt;
use crate::catalog::Deployed;
use crate::engine::Engine;
use crate::{Action, DefinitionId, Error, Instance, IntoVariables};

/// Data that conditional start events are about to be told of.
#[derive(Debug)]
#[must_use = "nobody is told until `send`"]
pub struct ConditionEvaluation<'e> {
    engine: &'e Engine,
    variables: Result<Variables, Error>,
    business_key: Option<Name>,
    tenant: Option<Name>,
    definition: Option<DefinitionId>,
}

impl ConditionEvaluation<'_> {
    /// Whatever starts gets this business key.
    pub fn business_key(self, key: impl Into<Name>) -> Self {
        Self { business_key: Some(key.into()), ..self }
    }

    /// Only processes of this tenant; an empty one for none.
    pub fn tenant(self, tenant: impl Into<Name>) -> Self {
        Self { tenant: Some(tenant.into()), ..self }
    }

    /// Only this version of a process, also if there are newer ones, whatever its tenant.
    pub fn definition(self, definition: DefinitionId) -> Self {
        Self { definition: Some(definition), ..self }
    }

    /// Starts an instance at each conditional start event whose condition holds for the variables, all in one unit of work; they may be
    /// none. Processes that are suspended are passed over.
    ///
    /// # Errors
    /// If no process has a conditional start event, a condition cannot be computed (then nothing starts), or the database cannot be
    /// written.
    pub async fn send(self) -> Result<Vec<Instance>, Error> {
        let access = self.engine.access(Action::Send, &"conditions").await?;
        let asked = match self.definition {
            Some(definition) => self.version(&access, definition).await?,
            None => self.newest(&access).await?,
        };
        let (payload, business_key) = (self.variables?, self.business_key);
        let action = |attempt: &mut Attempt<'_>, work: &mut Work| {
            let open = asked.iter().filter(|deployed| !deployed.definition.suspended);
            open.clone().for_each(|deployed| attempt.known(deployed.clone()));
            let data = Brought {
                payload: payload.clone(),
                business_key: business_key.clone(),
                started_by: None,
                initiator: attempt.envelope.by.clone(),
            };
            let processes = open.map(|deployed| &deployed.graph);
            Ok(work.evaluate_conditions(processes, &data, attempt.now, &mut attempt.time).map_err(Error::from))
        };
        let begun = |attempt: &Attempt<'_>, ()| attempt.begun().map(Instance::from).collect::<Vec<_>>();
        self.engine.inner.transact_and(self.engine.envelope(), action, begun).await
    }

    /// The newest versions with conditional start events, in the order in which they were deployed. Whoever may not see all tenants means
    /// one of theirs.
    async fn newest(&self, access: &Access) -> Result<Vec<Arc<Deployed>>, Error> {
        let tenant = match access.tenants() {
            Some(_) => Some(access.home(self.tenant.as_ref())?),
            None => self.tenant.clone(),
        };
        let query = SubscriptionQuery {
            kind: Some(SubscriptionKind::Condition),
            starts: Some(true),
            tenant,
            ..SubscriptionQuery::default()
        };
        let inner = &self.engine.inner;
        let mut definitions: Vec<_> =
            inner.store.list(&query).await?.rows.into_iter().map(|row| row.instance).collect();
        definitions.dedup();
        if definitions.is_empty() {
            return Err(Error::NoConditions);
        }
        let mut newest = Vec::with_capacity(definitions.len());
        for definition in definitions {
            newest.extend(inner.catalog.current(definition).await?);
        }
        Ok(newest)
    }

    async fn version(&self, access: &Access, definition: DefinitionId) -> Result<Vec<Arc<Deployed>>, Error> {
        let unknown = || Error::UnknownDefinition(definition);
        let inner = &self.engine.inner;
        let row = inner.store.get::<Definition>(definition.0).await?;
        row.filter(|row| row.kind == DefinitionKind::Process && access.admits(Some(&row.tenant)))
            .ok_or_else(unknown)?;
        let deployed = inner.catalog.current(definition.0).await?.ok_or_else(unknown)?;
        let has_some = start_triggers(&deployed.graph).any(|trigger| trigger.is_condition());
        if has_some { Ok(vec![deployed]) } else { Err(Error::NoConditions) }
    }
}

impl Engine {
    /// Data from outside that may start processes: instances of those begin that have a conditional start event whose condition holds for
    /// these variables.
    ///
    /// ```
    /// # async fn example(engine: potok::Engine) -> Result<(), potok::Error> {
    /// use serde_json::json;
    ///
    /// let started = engine.evaluate_conditions(json!({"temperature": 110})).business_key("boiler-3").send().await?;
    /// println!("{} processes have begun", started.len());
    /// # Ok(())
    /// # }
    /// ```
    pub fn evaluate_conditions(&self, variables: impl IntoVariables) -> ConditionEvaluation<'_> {
        ConditionEvaluation {
            engine: self,
            variables: self.inner.given(variables),
            business_key: None,
            tenant: None,
            definition: None,
        }
    }
}
