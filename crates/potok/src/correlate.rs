//! Messages that must find somebody: delivered at once to who waits, or refused. Nothing is kept.

use std::sync::Arc;

use potok_core::Name;
use potok_core::instance::{Key, Owner, ROOT, WaitKind};
use potok_core::routing::{Running, Work, World as _};
use potok_core::step::{Command, Rejection, StartAt, Variables};
use potok_core::value::Value;
use potok_store::query::SubscriptionQuery;
use potok_store::row::{Instance as InstanceRow, Subscription, SubscriptionKind};
use serde::{Deserialize, Serialize};

use crate::attempt::Attempt;
use crate::catalog::Deployed;
use crate::engine::Engine;
use crate::instance::begin;
use crate::transact::TRIES;
use crate::{Action, Error, Instance, InstanceId, IntoVariables, Viewpoint};

/// Who has got a message.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Receiver {
    /// An instance that waited.
    Waiting {
        /// The instance.
        id: InstanceId,
        /// Its tenant.
        tenant: Option<Name>,
    },
    /// An instance that the message started, as it stood then: its sender need not be among those who see it.
    Started(Instance),
}

impl Receiver {
    /// The instance.
    #[must_use]
    pub fn instance_id(&self) -> InstanceId {
        match self {
            Self::Waiting { id, .. } => *id,
            Self::Started(instance) => instance.id(),
        }
    }
}

/// A message about to be correlated. All that is said of the receiver must hold; suspended instances do not receive.
#[derive(Debug)]
#[must_use = "nothing is sent until `send` or `send_to_all`"]
pub struct Correlation<'e> {
    engine: &'e Engine,
    name: Name,
    instance: Option<InstanceId>,
    business_key: Option<Name>,
    tenant: Option<Name>,
    variables: Variables,
    own_variables: Variables,
    starts: Option<bool>,
    payload: Result<Variables, Error>,
    local: Result<Variables, Error>,
}

/// A start event that takes the message.
struct Start {
    deployed: Arc<Deployed>,
    node: Name,
}

impl Correlation<'_> {
    /// Only to this instance.
    pub fn instance(self, instance: InstanceId) -> Self {
        Self { instance: Some(instance), ..self }
    }

    /// Only to an instance with this business key; a process that it starts gets it.
    pub fn business_key(self, key: impl Into<Name>) -> Self {
        Self { business_key: Some(key.into()), ..self }
    }

    /// Only to instances and processes of this tenant; an empty one for none.
    pub fn tenant(self, tenant: impl Into<Name>) -> Self {
        Self { tenant: Some(tenant.into()), ..self }
    }

    /// Only to an instance whose variable has this value. Processes that it starts have none yet, and need not.
    pub fn where_variable(mut self, name: impl Into<Name>, value: impl Into<Value>) -> Self {
        self.variables.push((name.into(), value.into()));
        self
    }

    /// Only where what waits has this variable of its own.
    pub fn where_own_variable(mut self, name: impl Into<Name>, value: impl Into<Value>) -> Self {
        self.own_variables.push((name.into(), value.into()));
        self
    }

    /// Only to instances that wait, or only to processes that it starts.
    pub fn starts(self, starts: bool) -> Self {
        Self { starts: Some(starts), ..self }
    }

    /// With what it carries.
    pub fn variables(self, variables: impl IntoVariables) -> Self {
        Self { payload: self.engine.inner.given(variables), ..self }
    }

    /// With what it carries for the event or receive task alone that waits for it: gone once that has been left. Where there is none, as in a
    /// process that it starts, they are as all others.
    pub fn local_variables(self, variables: impl IntoVariables) -> Self {
        Self { local: self.engine.inner.given(variables), ..self }
    }

    /// Delivers it to the one who waits, or else starts the one process that begins with it.
    ///
    /// # Errors
    /// If nobody takes it, or several do.
    pub async fn send(mut self) -> Result<Receiver, Error> {
        self.keep_to_tenants().await?;
        let mut receivers = self.deliver(true).await?;
        receivers.pop().ok_or(Error::NobodyWaits(self.name))
    }

    /// Delivers it to all who wait, and starts all processes that begin with it, in one unit of work; they may be none.
    ///
    /// # Errors
    /// If one of them cannot take it, or the database cannot be written.
    pub async fn send_to_all(mut self) -> Result<Vec<Receiver>, Error> {
        self.keep_to_tenants().await?;
        self.deliver(false).await
    }

    /// Whoever may not send to all tenants sends to one of theirs.
    async fn keep_to_tenants(&mut self) -> Result<(), Error> {
        let access = self.engine.access(Action::Send, &self.name).await?;
        if access.tenants().is_some() {
            self.tenant = Some(access.home(self.tenant.as_ref())?);
        }
        Ok(())
    }

    async fn deliver(&self, to_one: bool) -> Result<Vec<Receiver>, Error> {
        let payload = self.payload.as_ref().map_err(Clone::clone)?;
        let local = self.local.as_ref().map_err(Clone::clone)?;
        let all = || payload.iter().chain(local).cloned().collect::<Variables>();
        let mut tries = 0;
        loop {
            tries += 1;
            let waiting = if self.starts == Some(true) { Vec::new() } else { self.waiting().await? };
            let skips_starts = self.starts == Some(false) || self.instance.is_some() || (to_one && !waiting.is_empty());
            let starts = if skips_starts { Vec::new() } else { self.starting().await? };
            let count = waiting.len() + starts.len();
            match count {
                0 if to_one => return Err(Error::NobodyWaits(self.name.clone())),
                0 => return Ok(Vec::new()),
                several if to_one && several > 1 => return Err(Error::Ambiguous(several)),
                _ => {}
            }
            let envelope = self.engine.envelope();
            let action = |attempt: &mut Attempt<'_>, work: &mut Work| {
                let mut started = Vec::with_capacity(starts.len());
                // All are looked up before the first one is changed.
                for row in &waiting {
                    if attempt.instance(row.instance)?.is_none() {
                        return Ok(Err(Rejection::NotActive(row.instance).into()));
                    }
                }
                for row in &waiting {
                    let is_apart =
                        !local.is_empty() && attempt.instance(row.instance)?.is_some_and(|it| stands(it, row.key));
                    let variables = if is_apart { payload.clone() } else { all() };
                    if is_apart {
                        let own = Command::SetTaskVariables {
                            task: row.key,
                            variables: Variables::new(),
                            local_variables: local.clone(),
                        };
                        match attempt.step(row.instance, own) {
                            Ok(requests) => work.ask(row.instance, requests),
                            Err(rejection) => return Ok(Err(rejection.into())),
                        }
                    }
                    let command = Command::DeliverMessage { subscription: row.key, variables };
                    match attempt.step(row.instance, command) {
                        Ok(requests) => work.ask(row.instance, requests),
                        Err(rejection) => return Ok(Err(rejection.into())),
                    }
                }
                for start in &starts {
                    let command = Command::Start {
                        at: StartAt::Event(start.node.clone()),
                        business_key: self.business_key.clone(),
                        variables: all(),
                        caller: None,
                        started_by: None,
                        initiator: attempt.envelope.by.clone(),
                    };
                    match begin(attempt, work, &start.deployed, command) {
                        Ok(key) => started.push(key),
                        Err(error) => return Ok(Err(error)),
                    }
                }
                Ok(Ok(started))
            };
            let receivers = |attempt: &Attempt<'_>, started: Vec<Key>| {
                let waited =
                    waiting.iter().map(|row| Receiver::Waiting { id: row.instance.into(), tenant: row.tenant.clone() });
                let started = started.into_iter().filter_map(|key| Some(Receiver::Started(attempt.row(key)?.into())));
                waited.chain(started).collect::<Vec<_>>()
            };
            match self.engine.inner.transact_and(envelope, action, receivers).await {
                // Who was found to wait has gone on before it was given the message.
                Err(Error::Rejected(Rejection::Unknown(_) | Rejection::NotActive(_))) if tries < TRIES => {}
                done => return done,
            }
        }
    }

    /// Who waits for it.
    async fn waiting(&self) -> Result<Vec<Subscription>, Error> {
        let query = SubscriptionQuery {
            kind: Some(SubscriptionKind::Message),
            names: vec![self.name.clone()],
            starts: Some(false),
            instances: self.instance.map(|id| id.0).into_iter().collect(),
            business_key: self.business_key.clone(),
            tenant: self.tenant.clone(),
            ..SubscriptionQuery::default()
        };
        let inner = &self.engine.inner;
        let mut waiting = Vec::new();
        for row in inner.store.list(&query).await?.rows {
            let takes = |running: Option<&Running>| {
                let instance = &running?.instance;
                let wait = instance.wait(row.key).filter(|wait| matches!(wait.kind, WaitKind::Message(_)))?;
                let has =
                    |(name, value): &(Name, Value)| instance.variable(name).is_some_and(|found| same(found, value));
                let around = instance.scope_of(wait);
                let scope = instance.scope(around)?;
                // What stands in a scope among others has none of its own, and the process is never a flow node's own.
                let is_own = !matches!(wait.owner, Owner::Token(token) if around == ROOT || token != scope.owner);
                let has_own = |(name, value): &(Name, Value)| {
                    is_own && scope.variable(name).is_some_and(|found| same(found, value))
                };
                Some(self.variables.iter().all(has) && self.own_variables.iter().all(has_own))
            };
            if inner.look(row.instance, takes).await? != Some(true) {
                continue;
            }
            let is_suspended = inner.store.get::<InstanceRow>(row.instance).await?.is_some_and(|row| row.suspended);
            if !is_suspended {
                waiting.push(row);
            }
        }
        Ok(waiting)
    }

    /// The start events that take it, of the newest versions.
    async fn starting(&self) -> Result<Vec<Start>, Error> {
        let query = SubscriptionQuery {
            kind: Some(SubscriptionKind::Message),
            names: vec![self.name.clone()],
            starts: Some(true),
            tenant: self.tenant.clone(),
            ..SubscriptionQuery::default()
        };
        let inner = &self.engine.inner;
        let mut starts = Vec::new();
        for row in inner.store.list(&query).await?.rows {
            let Some(deployed) = inner.catalog.current(row.instance).await? else { continue };
            if !deployed.definition.suspended {
                starts.push(Start { deployed, node: row.node });
            }
        }
        Ok(starts)
    }
}

/// Whether a token stands on the flow node itself that waits.
fn stands(Running { instance, .. }: &Running, wait: Key) -> bool {
    instance.wait(wait).is_some_and(|wait| match wait.owner {
        Owner::Token(token) => instance.token(token).is_some_and(|token| token.node == wait.node),
        _ => false,
    })
}

/// The same value, of the same declared type if both have one.
fn same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Declared(left), Value::Declared(right)) => {
            left.type_name == right.type_name && left.value.loosely_equal(&right.value)
        }
        (Value::Declared(_), _) | (_, Value::Declared(_)) => false,
        _ => left == right,
    }
}

impl Engine {
    /// A message that must find somebody now. Unlike [`message`](Self::message) it is never kept.
    ///
    /// ```
    /// # async fn example(engine: potok::Engine) -> Result<(), potok::Error> {
    /// use serde_json::json;
    ///
    /// let receiver = engine.correlate("payment").business_key("C-17").variables(json!({"amount": 12})).send().await?;
    /// println!("{} has it", receiver.instance_id());
    /// # Ok(())
    /// # }
    /// ```
    pub fn correlate(&self, name: impl Into<Name>) -> Correlation<'_> {
        Correlation {
            engine: self,
            name: name.into(),
            instance: None,
            business_key: None,
            tenant: None,
            variables: Variables::new(),
            own_variables: Variables::new(),
            starts: None,
            payload: Ok(Variables::new()),
            local: Ok(Variables::new()),
        }
    }

    /// Gives the message that one certain subscription waits for to it, whoever else waits for the same.
    ///
    /// # Errors
    /// If nothing waits there for that message.
    pub async fn deliver_message(
        &self,
        instance: InstanceId,
        from: Viewpoint,
        name: &str,
        variables: impl IntoVariables,
    ) -> Result<(), Error> {
        let variables = self.inner.given(variables)?;
        self.reach(Action::Send, instance).await?;
        let found = |running: Option<&Running>| {
            let state = &running?.instance;
            let takes = |wait: &&potok_core::instance::Wait| match &wait.kind {
                WaitKind::Message(message) => &*message.name == name && from.is_at(state, wait),
                _ => false,
            };
            state.waits().find(takes).map(|wait| wait.key)
        };
        let subscription = self.inner.look(instance.0, found).await?.ok_or_else(|| Error::NobodyWaits(name.into()))?;
        let command = || Command::DeliverMessage { subscription, variables: variables.clone() };
        match self.instance(instance).give(command).await {
            Err(Error::Rejected(Rejection::Unknown(_) | Rejection::NotActive(_))) => {
                Err(Error::NobodyWaits(name.into()))
            }
            done => done,
        }
    }
}
