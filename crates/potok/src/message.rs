//! Messages and signals from outside.

use std::time::Duration;

use potok_core::Name;
use potok_core::routing::{Correlated, Message, Work};
use potok_core::step::{Rejection, Variables};
use potok_core::time::Timestamp;
use potok_core::value::Value;
use potok_store::Guard;
use potok_store::row::{Claim, ClaimKind};
use serde::{Deserialize, Serialize};

use crate::attempt::Attempt;
use crate::engine::Engine;
use crate::transact::TRIES;
use crate::{Action, Error, InstanceId, IntoVariables};

/// How long a message is kept that nobody waits for, and how long its id is known.
const TIME_TO_LIVE: Duration = Duration::from_secs(3600);

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Delivery {
    /// An instance that waited has it.
    Delivered(InstanceId),
    /// It started an instance.
    Started(InstanceId),
    /// It is one of several events that a process starts with; others are still to come.
    Noted,
    /// Nobody waits for it: it is kept for a while.
    Kept,
}

impl Delivery {
    fn of(correlated: Correlated) -> Self {
        match correlated {
            Correlated::Delivered(key) => Self::Delivered(InstanceId(key)),
            Correlated::Started(key) => Self::Started(InstanceId(key)),
            Correlated::Noted => Self::Noted,
            Correlated::Kept => Self::Kept,
        }
    }
}

/// A message about to be sent.
#[derive(Debug)]
#[must_use = "nothing is sent until `send`"]
pub struct Sending<'e> {
    engine: &'e Engine,
    message: Message,
    payload: Result<Variables, Error>,
    tenant: Option<Name>,
    id: Option<Name>,
    time_to_live: Duration,
}

impl Sending<'_> {
    /// Only to an instance with this business key; a process that it starts gets it.
    pub fn business_key(mut self, key: impl Into<Name>) -> Self {
        self.message.business_key = Some(key.into());
        self
    }

    /// With the key that subscriptions with a key must have.
    pub fn correlation_key(mut self, key: impl Into<Value>) -> Self {
        self.message.correlation_key = Some(key.into());
        self
    }

    /// With the value of a correlation property.
    pub fn property(mut self, name: impl Into<Name>, value: impl Into<Value>) -> Self {
        self.message.properties.push((name.into(), value.into()));
        self
    }

    /// Only to an instance whose variable has this value.
    pub fn where_variable(mut self, name: impl Into<Name>, value: impl Into<Value>) -> Self {
        self.message.variables.push((name.into(), value.into()));
        self
    }

    /// To that tenant's instances and processes; to those of none unless this is set, or the engine keeps to one.
    pub fn tenant(mut self, tenant: impl Into<Name>) -> Self {
        self.tenant = Some(tenant.into());
        self
    }

    /// With what it carries.
    pub fn variables(mut self, variables: impl IntoVariables) -> Self {
        self.payload = self.engine.inner.given(variables);
        self
    }

    /// With an id: a message that is sent twice is delivered once.
    pub fn id(mut self, id: impl Into<Name>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// Kept for so long if nobody waits for it; an hour unless this is set.
    pub fn time_to_live(mut self, time: Duration) -> Self {
        self.time_to_live = time;
        self
    }

    /// Sends it: to the one subscription that takes it, else it starts a process, else it is kept.
    ///
    /// # Errors
    /// If several subscriptions take it, or its id has been given before.
    pub async fn send(mut self) -> Result<Delivery, Error> {
        self.message.payload = self.payload?;
        let name = self.message.name.clone().unwrap_or_default();
        let tenant = self.engine.access(Action::Send, &name).await?.home(self.tenant.as_ref())?;
        let (message, inner) = (&self.message, &self.engine.inner);
        let action = |attempt: &mut Attempt<'_>, work: &mut Work| {
            let until = attempt.now.checked_add(self.time_to_live).unwrap_or(Timestamp::MAX);
            attempt.keep_until(until);
            attempt.within(&tenant);
            let correlated = work.correlate(attempt, message)?;
            if let Some(id) = &self.id {
                // By the database's clock, not the engine's.
                let known = Timestamp::now().checked_add(self.time_to_live.max(TIME_TO_LIVE));
                attempt.guards.push(Guard::Claim(Claim {
                    tenant: tenant.clone(),
                    kind: ClaimKind::MessageId,
                    value: id.clone(),
                    expires: known.ok(),
                    ..Claim::default()
                }));
            }
            Ok(correlated.map_err(Error::from))
        };
        let mut tries = 0;
        loop {
            tries += 1;
            match inner.transact_and(self.engine.envelope(), action, |_, correlated| Delivery::of(correlated)).await {
                // The caller named no instance: who was found to wait has gone on, or ended, before it was given the message.
                Err(Error::Rejected(Rejection::Unknown(_) | Rejection::NotActive(_))) if tries < TRIES => {}
                delivered => break delivered,
            }
        }
    }
}

impl Engine {
    /// A message from outside.
    pub fn message(&self, name: impl Into<Name>) -> Sending<'_> {
        Sending {
            engine: self,
            message: Message { name: Some(name.into()), ..Message::default() },
            payload: Ok(Variables::new()),
            tenant: None,
            id: None,
            time_to_live: TIME_TO_LIVE,
        }
    }

    /// Sends a signal within a tenant (see [`as_tenant`](Self::as_tenant); to what belongs to none unless the engine keeps to one): to all instances that wait for it, and to the processes that it starts. Once this returns it is durable, and if
    /// they are few (100 subscriptions at most) all have it; if they are more, each has it soon, and once.
    ///
    /// # Errors
    /// If the database cannot be written, or the variables are none, or too large.
    pub async fn signal(&self, name: impl Into<Name>, variables: impl IntoVariables) -> Result<(), Error> {
        let (name, variables) = (name.into(), self.inner.given(variables)?);
        let tenant = self.access(Action::Send, &name).await?.home(None)?;
        let sent = self.inner.transact(self.envelope(), |attempt, work| {
            attempt.within(&tenant);
            Ok(work.signal(attempt, &name, &variables)?.map_err(Error::from))
        });
        sent.await
    }
}
