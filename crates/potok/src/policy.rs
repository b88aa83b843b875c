//! What operators say of a flow node's savepoints and timers: of those to come, and of those that are there.

use std::collections::HashMap;
use std::sync::Arc;

use potok_core::Name;
use potok_core::instance::Key;
use potok_core::step::{DueType, Policies, Policy, Rejection};
use potok_core::time::Timestamp;
use potok_store::query::DuePolicyQuery;
use potok_store::row::{DuePolicy, Work as WorkRow};
use potok_store::{Changes, Guard, Seen};
use serde::{Deserialize, Serialize};

use crate::access::Access;
use crate::attempt::After;
use crate::engine::{Engine, Inner};
use crate::envelope::Envelope;
use crate::transact::TRIES;
use crate::work::Chore;
use crate::{Action, DefinitionId, Due, DueKind, Error, TimerId};

/// The savepoints or timers of a flow node, as a version of its process has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DueOf {
    /// The version.
    pub definition: DefinitionId,
    /// The id of the flow node.
    pub node: Name,
    /// Which of them.
    pub kind: DueType,
}

impl DueOf {
    /// Whether something that is done when it is due is one of them.
    #[must_use]
    pub fn is(&self, due: &Due) -> bool {
        self.definition == due.definition && self.node == due.node && self.kind == due.kind.of_type()
    }
}

impl DueKind {
    /// Which of those of its flow node.
    #[must_use]
    pub fn of_type(self) -> DueType {
        match self {
            Self::Timer | Self::StartTimer => DueType::Timer,
            Self::Savepoint { after: false } => DueType::Before,
            Self::Savepoint { after: true } => DueType::After,
        }
    }
}

/// What is to be held back later, or to go on.
#[derive(Serialize, Deserialize)]
struct Later {
    definition: Key,
    node: Name,
    kind: u8,
    held: bool,
    existing: bool,
}

impl Later {
    fn of(&self) -> Option<DueOf> {
        let kind =
            [DueType::Before, DueType::After, DueType::Timer].into_iter().find(|kind| *kind as u8 == self.kind)?;
        Some(DueOf { definition: self.definition.into(), node: self.node.clone(), kind })
    }
}

impl Engine {
    /// What operators have said of savepoints and timers to come of versions of processes.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn due_policies(&self, definitions: &[DefinitionId]) -> Result<Vec<DuePolicy>, Error> {
        let access = self.access(Action::ReadDefinitions, &"").await?;
        if definitions.is_empty() {
            return Ok(Vec::new());
        }
        let definitions = definitions.iter().map(|definition| definition.0).collect();
        let query = DuePolicyQuery { definitions, ..DuePolicyQuery::default() };
        let mut found = Vec::new();
        for policy in self.inner.store.list(&query).await?.rows {
            found.extend(self.admits(&access, policy.definition.into()).await?.then_some(policy));
        }
        Ok(found)
    }

    /// Holds savepoints or timers back that come to be on a flow node from now on, or lets them go on; with `existing` also those that are
    /// there. Later, if a moment is said. Other nodes on the same database hear of it within seconds.
    ///
    /// # Errors
    /// If there is no such flow node, that is forbidden, or the database cannot be written.
    pub async fn hold_due(&self, of: &DueOf, held: bool, existing: bool, from: Option<Timestamp>) -> Result<(), Error> {
        let access = self.of_policy(Action::HoldDue, of).await?;
        match from {
            Some(from) => {
                let DueOf { definition, node, kind } = of.clone();
                let later = Later { definition: definition.0, node, kind: kind as u8, held, existing };
                let payload = serde_json::to_vec(&later).unwrap_or_default().into();
                let (key, kind) = (self.inner.next_key(self.inner.clock.now()), Chore::HOLD);
                let mut changes = Changes::default();
                // It belongs to no stream: another version takes the work of the one before away.
                changes.add(WorkRow { instance: Key(0), key, kind, due: from, payload, ..WorkRow::default() });
                self.inner.write(changes).await?;
            }
            None => self.inner.hold_due(of, held, existing, &self.envelope(), &access).await?,
        }
        self.inner.wake.due();
        Ok(())
    }

    /// Says how urgent savepoints or timers are that come to be on a flow node from now on, rather than as the model says (`None`); with
    /// `existing` also those that are there.
    ///
    /// # Errors
    /// If there is no such flow node, that is forbidden, or the database cannot be written.
    pub async fn set_due_priority(&self, of: &DueOf, priority: Option<i64>, existing: bool) -> Result<(), Error> {
        let access = self.of_policy(Action::PrioritiseDue, of).await?;
        let inner = &self.inner;
        inner.set_policy(of, |policy| Policy { priority, ..policy }).await?;
        if let Some(priority) = priority.filter(|_| existing) {
            for due in inner.due_of(of, &access).await? {
                // What starts instances is as urgent as the policy says anyway.
                let Some(instance) = due.instance else { continue };
                match inner.prioritise((instance.0, TimerId(due.key)), priority, &self.envelope()).await {
                    // It has been done meanwhile.
                    Ok(()) | Err(Error::UnknownTimer(_)) => {}
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(())
    }

    async fn of_policy(&self, action: Action, of: &DueOf) -> Result<Access, Error> {
        let access = self.checked(action, &of.definition).await?;
        let unknown = || Error::UnknownDefinition(of.definition);
        if !self.admits(&access, of.definition).await? {
            return Err(unknown());
        }
        let deployed = self.inner.catalog.get(of.definition.0).await?.ok_or_else(unknown)?;
        if deployed.graph.find(&of.node).is_none() {
            let (process, element) = (deployed.graph.id().clone(), of.node.clone());
            return Err(Rejection::UnknownElement { process, element, needed: "could be waited at" }.into());
        }
        self.access(action, &format!("{} {}", of.definition, of.node)).await
    }
}

impl Inner {
    async fn hold_due(
        &self,
        of: &DueOf,
        held: bool,
        existing: bool,
        envelope: &Envelope,
        access: &Access,
    ) -> Result<(), Error> {
        self.set_policy(of, |policy| Policy { held, ..policy }).await?;
        if existing {
            for due in self.due_of(of, access).await? {
                let timer = TimerId(due.key);
                let done = match due.instance {
                    Some(instance) => self.hold_timer((instance.0, timer), held, envelope).await,
                    None => self.hold_start((due.definition.0, timer), held).await,
                };
                match done {
                    // It has been done meanwhile.
                    Ok(()) | Err(Error::UnknownTimer(_)) => {}
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(())
    }

    /// What was to be held back later.
    pub(crate) async fn hold_later(&self, work: &WorkRow, guard: &Guard) -> Result<After, Error> {
        let later = serde_json::from_slice::<Later>(&work.payload).ok();
        if let Some((later, of)) = later.and_then(|later| later.of().map(|of| (later, of)))
            && self.catalog.get(later.definition).await?.is_some()
        {
            // To do it twice is to do it once.
            match self.hold_due(&of, later.held, later.existing, &Envelope::default(), &Access::default()).await {
                // It holds for what is to come; to say so again and again would undo what somebody says meanwhile.
                Err(error @ (Error::Damaged { .. } | Error::Unusable { .. })) => {
                    tracing::error!(definition = %of.definition, node = %of.node, %error, "not all that is there could be held back or let go on");
                }
                done => done?,
            }
            self.wake.due();
        }
        self.transact_once(guard, |_, _| Ok(true)).await
    }

    async fn set_policy(&self, of: &DueOf, change: impl Fn(Policy) -> Policy) -> Result<(), Error> {
        let (definition, node, kind) = (of.definition.0, of.node.clone(), of.kind);
        let id = (definition, node.clone(), kind);
        for _ in 0..TRIES {
            let seen = self.store.get::<DuePolicy>(id.clone()).await?;
            let before = seen.as_ref().map(|row| Policy { held: row.held, priority: row.priority }).unwrap_or_default();
            let mut changes = Changes::default();
            match change(before) {
                after if after == before => break,
                after if after == Policy::default() => changes.remove::<DuePolicy>(id.clone()),
                Policy { held, priority } => {
                    changes.put(DuePolicy { definition, node: node.clone(), kind, held, priority });
                }
            }
            let guard = Guard::Seen(Seen::new(id.clone(), seen));
            match self.write_once(Some(guard), None, changes, &()).await {
                // Somebody else was faster.
                Err(Error::NothingToDo) => {}
                written => {
                    self.catalog.learn().await?;
                    return written;
                }
            }
        }
        self.catalog.learn().await
    }
}

/// What holds for savepoints and timers to come, by definition.
pub(crate) type AllPolicies = HashMap<Key, Arc<Policies>>;

/// The policies that rows say.
pub(crate) fn gathered(rows: Vec<DuePolicy>) -> AllPolicies {
    let mut all: HashMap<Key, Policies> = HashMap::new();
    for DuePolicy { definition, node, kind, held, priority } in rows {
        all.entry(definition).or_default().set(node, kind, Policy { held, priority });
    }
    all.into_iter().map(|(definition, policies)| (definition, Arc::new(policies))).collect()
}
