//! What is asked for twice and done once: the answer is kept with what was done, in the same transaction.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use potok_core::Name;
use potok_core::time::Timestamp;
use potok_store::row::{Claim, ClaimKind};
use potok_store::{Changes, Guard};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::Error;
use crate::engine::Engine;

/// For how long an answer is kept.
const KEPT: Duration = Duration::from_secs(24 * 3600);

/// A key under which something is done once.
#[derive(Debug)]
pub(crate) struct Once {
    key: Name,
    /// Who asks, and the key: others may take the same one.
    value: Name,
    /// What is asked for.
    request: Name,
    /// A unit of work has taken the key. What the same call does beside it needs no other.
    taken: AtomicBool,
}

impl PartialEq for Once {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl Once {
    pub(crate) fn key(&self) -> &Name {
        &self.key
    }

    /// That the key is taken, with what is answered; nothing if an earlier unit of the same call has taken it.
    pub(crate) fn guard(&self, answer: &impl Serialize) -> Option<Guard> {
        if self.taken.load(Ordering::Acquire) {
            return None;
        }
        Some(Guard::Claim(Claim {
            kind: ClaimKind::Idempotency,
            value: self.value.clone(),
            // Names, numbers and times are always JSON.
            answer: serde_json::to_vec(&(&self.request, answer)).unwrap_or_default().into(),
            // By the database's clock, not the engine's.
            expires: Timestamp::now().checked_add(KEPT).ok(),
            ..Claim::default()
        }))
    }

    /// A unit with the guard is durable.
    pub(crate) fn take(&self) {
        self.taken.store(true, Ordering::Release);
    }

    /// What was answered.
    fn answer<T: DeserializeOwned>(&self, claim: &Claim) -> Result<T, Error> {
        let (request, answer): (Name, serde_json::Value) =
            serde_json::from_slice(&claim.answer).map_err(|_| Error::KeyReused(self.key.clone()))?;
        if request != self.request {
            return Err(Error::KeyReused(self.key.clone()));
        }
        // Another kind of answer was to another request.
        serde_json::from_value(answer).map_err(|_| Error::KeyReused(self.key.clone()))
    }
}

impl Engine {
    /// Does something once, however often it is asked for under a key: whoever asks again within a day gets the first answer, also
    /// after a crash. `request` tells what is asked for: the same key for something else is refused. What was refused is tried anew.
    ///
    /// `action` gets the engine to do it with, and gives what the engine gives it: the id of a task that it creates, an instance that it
    /// starts. What it does to instances, tasks, jobs, comments, people and batches is durable together
    /// with the key; what it does otherwise (to deployments and attachments) is so a moment earlier.
    ///
    /// ```
    /// # use potok::Engine;
    /// # tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap().block_on(async {
    /// # let engine = Engine::builder().start().await?;
    /// # let model = br#"<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" targetNamespace="shop">
    /// #   <process id="order" isExecutable="true"><startEvent id="start"/><userTask id="check"/>
    /// #   <sequenceFlow id="f" sourceRef="start" targetRef="check"/></process></definitions>"#;
    /// # engine.deployment().file("order.bpmn", model).send().await?;
    /// let order = |engine: Engine| async move { engine.start("order").business_key("17").send().await };
    /// let first = engine.once("a1b2", "order 17", order).await?;
    /// assert_eq!(engine.once("a1b2", "order 17", order).await?, first);
    /// # engine.stop().await;
    /// # Ok::<(), potok::Error>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// As the action's; and [`Error::KeyReused`] if the key was given for something else.
    pub async fn once<T, F>(
        &self,
        key: impl Into<Name>,
        request: impl Into<Name>,
        action: impl FnOnce(Self) -> F,
    ) -> Result<T, Error>
    where
        T: Serialize + DeserializeOwned,
        F: Future<Output = Result<T, Error>>,
    {
        let (key, request) = (key.into(), request.into());
        let value = format!("{}\n{key}", self.user.as_deref().unwrap_or_default()).into();
        let once = Arc::new(Once { key, value, request, taken: AtomicBool::new(false) });
        if let Some(claim) = self.claim_of(&once).await? {
            return once.answer(&claim);
        }
        let done = action(Self { once: Some(once.clone()), ..self.clone() }).await;
        let value = match done {
            Ok(value) if once.taken.load(Ordering::Acquire) => return Ok(value),
            Ok(value) => value,
            Err(Error::Repeated) => return self.first_answer(&once).await,
            // The key is this call's, and it has failed after a part of it.
            Err(error) if once.taken.load(Ordering::Acquire) => return Err(error),
            // Whoever has asked at the same time may have been faster, so that nothing was left to do.
            Err(error) => {
                let claim = self.claim_of(&once).await?;
                return claim.map_or(Err(error), |claim| once.answer(&claim));
            }
        };
        let kept = self.inner.write_once(None, Some(&once), Changes::default(), &value).await;
        match kept {
            Err(Error::Repeated) => self.first_answer(&once).await,
            kept => kept.map(|()| value),
        }
    }

    /// Whoever has asked at the same time was faster.
    async fn first_answer<T: DeserializeOwned>(&self, once: &Once) -> Result<T, Error> {
        let claim = self.claim_of(once).await?;
        once.answer(&claim.ok_or(Error::Repeated)?)
    }

    async fn claim_of(&self, once: &Once) -> Result<Option<Claim>, Error> {
        let id = (Name::new(), ClaimKind::Idempotency, once.value.clone());
        let claim = self.inner.store.get::<Claim>(id).await?;
        Ok(claim.filter(|claim| claim.expires.is_none_or(|expires| expires > Timestamp::now())))
    }
}
