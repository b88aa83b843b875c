//! What batches do to each of their instances.

use std::sync::Arc;

use potok_core::Name;
use potok_core::instance::{Key, ROOT, WaitKind};
use potok_core::migration::MigrationPlan as Plan;
use potok_core::routing::{Work, World as _};
use potok_core::step::{Command, Instruction, Rejection, Variables};
use potok_core::time::Timestamp;
use potok_core::value::Value;
use potok_store::{Bytes, Changes};
use serde::{Deserialize, Serialize};

use crate::attempt::{Attempt, Missing};
use crate::catalog::Deployed;
use crate::engine::Inner;
use crate::held::set_retries;
use crate::instance::{begin, give, set_suspended};
use crate::migrate::migrate;
use crate::{DefinitionId, Error, InstanceId, JobId, MigrationPlan, RestartPlan};

/// What a batch does to each of its instances.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum Operation {
    /// Ends it from outside.
    Cancel {
        /// Why.
        reason: Option<Name>,
    },
    /// Lets nothing go on in it until it is resumed.
    Suspend,
    /// Lets it go on.
    Resume,
    /// Sets variables of the process itself. Once the batch has ended, only their names are kept with it.
    SetVariables(Variables),
    /// Tries again what is stuck.
    RetryIncidents,
    /// Says how many tries those of its jobs have left that are among these: none is an incident, and some resolve that.
    SetJobRetries {
        /// Jobs, whichever instances they are of.
        jobs: Vec<Key>,
        /// Tries left.
        retries: u32,
    },
    /// Says how many tries those of its savepoints and timers have left that are among these: none is an incident, and some resolve that. Of
    /// its incidents that are among them, those are tried again for which there are some.
    SetTimerRetries {
        /// Savepoints, timers and incidents, whichever instances they are of.
        timers: Vec<Key>,
        /// Tries left.
        retries: u32,
        /// When they are due from now on; when they are anyway if nothing is said.
        due: Option<Timestamp>,
    },
    /// Gives it a message that it waits for; an instance that does not refuses.
    Deliver {
        /// The message's name.
        message: Name,
        /// What it carries. Once the batch has ended, only their names are kept with it.
        variables: Variables,
    },
    /// Removes it for good once it has ended, with those that it called.
    Delete,
    /// Starts and cancels tokens in it: see [`Modification::operation`](crate::Modification::operation).
    Modify {
        /// What is carried out, in this order.
        instructions: Vec<Instruction>,
        /// Why.
        reason: Option<Name>,
    },
    /// Lets it go over to another definition: see [`MigrationPlan::operation`].
    Migrate {
        /// The definition that it comes from; an instance of another refuses.
        from: DefinitionId,
        /// The definition that it goes to.
        to: DefinitionId,
        /// Which flow node becomes which.
        plan: Plan,
        /// Variables of the process itself that it gets there. Once the batch has ended, only their names are kept with it.
        #[serde(default)]
        variables: Variables,
        /// Why.
        reason: Option<Name>,
    },
    /// Starts a new instance in its place once it has ended: see [`Restart::operation`](crate::Restart::operation).
    Restart(RestartPlan),
}

impl Operation {
    /// What it is, in a word.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Cancel { .. } => "cancel",
            Self::Suspend => "suspend",
            Self::Resume => "resume",
            Self::SetVariables(_) => "set variables",
            Self::RetryIncidents => "retry incidents",
            Self::SetJobRetries { .. } | Self::SetTimerRetries { .. } => "set retries",
            Self::Deliver { .. } => "deliver message",
            Self::Delete => "delete",
            Self::Modify { .. } => "modify",
            Self::Migrate { .. } => "migrate",
            Self::Restart(_) => "restart",
        }
    }

    pub(crate) fn encode(&self) -> Bytes {
        // Names and values are always JSON.
        serde_json::to_vec(self).unwrap_or_default().into()
    }

    /// What [`encode`](Self::encode) wrote; nothing if a newer version did.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        // As deep as the values that were let in, which is deeper than serde_json goes unasked.
        let mut deserializer = serde_json::Deserializer::from_slice(bytes);
        deserializer.disable_recursion_limit();
        serde::Deserialize::deserialize(&mut deserializer).ok()
    }

    /// Without the values that are in it.
    pub(crate) fn emptied(mut self) -> Self {
        for variables in self.variables_mut() {
            variables.iter_mut().for_each(|(_, value)| *value = Value::Null);
        }
        self
    }

    fn variables_mut(&mut self) -> Vec<&mut Variables> {
        match self {
            Self::SetVariables(variables)
            | Self::Deliver { variables, .. }
            | Self::Migrate { variables, .. }
            | Self::Restart(RestartPlan { variables, .. }) => vec![variables],
            Self::Modify { instructions, .. } => instructions.iter_mut().flat_map(of_instruction).collect(),
            _ => Vec::new(),
        }
    }

    /// Why, for the histories of the instances. Why one was cancelled stands there without it.
    pub(crate) fn reason(&self) -> Option<&Name> {
        match self {
            Self::Modify { reason, .. } | Self::Migrate { reason, .. } | Self::Restart(RestartPlan { reason, .. }) => {
                reason.as_ref()
            }
            _ => None,
        }
    }
}

pub(crate) fn of_instruction(instruction: &mut Instruction) -> Vec<&mut Variables> {
    match instruction {
        Instruction::Start { variables, local_variables, .. }
        | Instruction::Move { variables, local_variables, .. } => {
            vec![variables, local_variables]
        }
        Instruction::Cancel(_) => Vec::new(),
    }
}

/// An operation on one instance, with all that must be looked up before.
pub(crate) enum Deed {
    Command(Command),
    Suspend(bool),
    RetryIncidents,
    SetJobRetries(Vec<Key>, u32),
    SetTimerRetries(Vec<Key>, u32, Option<Timestamp>),
    Deliver(Name, Variables),
    Migrate(MigrationPlan),
    Begin(Arc<Deployed>, Command),
    /// These instances, with all that belongs to them.
    Delete(Vec<Key>, Changes),
}

impl Deed {
    /// Does it in a unit of work.
    pub(crate) fn on(
        &self,
        instance: InstanceId,
        attempt: &mut Attempt<'_>,
        work: &mut Work,
    ) -> Result<Result<(), Error>, Missing> {
        match self {
            Self::Command(command) => give(attempt, work, instance, command.clone()),
            Self::Suspend(suspended) => set_suspended(attempt, instance.0, *suspended),
            Self::RetryIncidents => retry(attempt, work, instance.0, |_| true),
            Self::SetTimerRetries(timers, retries, due) => {
                set_timer_retries(attempt, work, instance.0, (timers.as_slice(), *retries, *due))
            }
            Self::Deliver(message, variables) => deliver(attempt, work, instance, message, variables),
            Self::SetJobRetries(jobs, retries) => {
                let own = attempt.rows(instance.0)?;
                let own: Vec<JobId> =
                    jobs.iter().filter(|key| own.job(**key).is_some()).map(|key| JobId(*key)).collect();
                for job in own {
                    if let Err(error) = set_retries(attempt, work, (instance.0, job), *retries)? {
                        return Ok(Err(error));
                    }
                }
                Ok(Ok(()))
            }
            Self::Migrate(plan) => migrate(attempt, work, instance, plan),
            Self::Begin(deployed, command) => Ok(begin(attempt, work, deployed, command.clone()).map(|_| ())),
            Self::Delete(_, removal) => {
                attempt.changes.append(removal.clone());
                Ok(Ok(()))
            }
        }
    }
}

impl Inner {
    /// Refuses what can be done to no instance whatever.
    pub(crate) async fn check(&self, operation: &Operation) -> Result<(), Error> {
        for variables in operation.clone().variables_mut() {
            self.check_given(variables)?;
        }
        if let Operation::Migrate { from, to, plan, .. } = operation {
            let problems = self.migration_plan(*from, *to, plan.clone()).await?.check();
            if !problems.is_empty() {
                return Err(Rejection::Migration(problems).into());
            }
        }
        Ok(())
    }

    /// Looks up all that an operation needs.
    pub(crate) async fn deed(
        &self,
        operation: &Operation,
        instance: InstanceId,
        author: Option<&Name>,
    ) -> Result<Deed, Error> {
        Ok(match operation {
            Operation::Cancel { reason } => Deed::Command(Command::Cancel { reason: reason.clone() }),
            Operation::SetVariables(variables) => {
                Deed::Command(Command::SetVariables { scope: ROOT, variables: variables.clone() })
            }
            Operation::Modify { instructions, reason } => {
                Deed::Command(Command::Modify { instructions: instructions.clone(), reason: reason.clone() })
            }
            Operation::Suspend => Deed::Suspend(true),
            Operation::Resume => Deed::Suspend(false),
            Operation::RetryIncidents => Deed::RetryIncidents,
            Operation::SetJobRetries { jobs, retries } => Deed::SetJobRetries(jobs.clone(), *retries),
            Operation::SetTimerRetries { timers, retries, due } => {
                Deed::SetTimerRetries(timers.clone(), *retries, *due)
            }
            Operation::Deliver { message, variables } => Deed::Deliver(message.clone(), variables.clone()),
            Operation::Migrate { from, to, plan, variables, .. } => {
                let plan = self.migration_plan(*from, *to, plan.clone()).await?;
                Deed::Migrate(plan.variables(variables.clone())?)
            }
            Operation::Restart(plan) => {
                let (deployed, command) = self.restart(instance, plan, author.cloned()).await?;
                Deed::Begin(deployed, command)
            }
            Operation::Delete => {
                let family = self.to_be_deleted(instance.0).await?;
                let removal = self.removal(&family).await?;
                Deed::Delete(family, removal)
            }
        })
    }

    /// What comes after a deed that is durable.
    pub(crate) async fn after(&self, deed: &Deed) -> Result<(), Error> {
        match deed {
            Deed::Delete(family, _) => self.removed(family).await?,
            Deed::Suspend(false) | Deed::SetJobRetries(..) | Deed::SetTimerRetries(..) => self.wake.all(),
            _ => {}
        }
        Ok(())
    }
}

/// Resolves what is stuck now and is meant; what gets stuck again stays so.
fn retry(
    attempt: &mut Attempt<'_>,
    work: &mut Work,
    key: Key,
    is_meant: impl Fn(Key) -> bool,
) -> Result<Result<(), Error>, Missing> {
    let Some(running) = attempt.instance(key)? else {
        return Ok(Err(Error::UnknownInstance(InstanceId(key))));
    };
    if !running.instance.is_active() {
        return Ok(Err(Rejection::NotActive(key).into()));
    }
    let stuck = running.instance.waits().filter(|wait| matches!(wait.kind, WaitKind::Incident(_)));
    let stuck: Vec<Key> = stuck.map(|wait| wait.key).filter(|key| is_meant(*key)).collect();
    for incident in stuck {
        match attempt.step(key, Command::ResolveIncident { incident }) {
            Ok(requests) => work.ask(key, requests),
            // It went with another.
            Err(Rejection::Unknown(_) | Rejection::NotActive(_)) => {}
            Err(rejection) => return Ok(Err(rejection.into())),
        }
    }
    Ok(Ok(()))
}

/// Says how many tries some savepoints and timers have left, and when they are due; what has been done meanwhile is left alone.
fn set_timer_retries(
    attempt: &mut Attempt<'_>,
    work: &mut Work,
    key: Key,
    (timers, retries, due): (&[Key], u32, Option<Timestamp>),
) -> Result<Result<(), Error>, Missing> {
    let Some(running) = attempt.instance(key)? else {
        return Ok(Err(Error::UnknownInstance(InstanceId(key))));
    };
    let is_tried = |kind: &WaitKind| matches!(kind, WaitKind::Timer(_) | WaitKind::Continuation { .. });
    let own = running.instance.waits().filter(|wait| timers.contains(&wait.key) && is_tried(&wait.kind));
    let own: Vec<Key> = own.map(|wait| wait.key).collect();
    for wait in own {
        let change = due.map(|due| Command::ChangeTimer { timer: wait, due });
        for command in [Command::SetRetries { wait, retries }].into_iter().chain(change) {
            match attempt.step(key, command) {
                Ok(requests) => work.ask(key, requests),
                Err(rejection) => return Ok(Err(rejection.into())),
            }
        }
    }
    if retries == 0 { Ok(Ok(())) } else { retry(attempt, work, key, |incident| timers.contains(&incident)) }
}

/// Gives an instance a message that it waits for.
fn deliver(
    attempt: &mut Attempt<'_>,
    work: &mut Work,
    instance: InstanceId,
    message: &Name,
    variables: &Variables,
) -> Result<Result<(), Error>, Missing> {
    let Some(running) = attempt.instance(instance.0)? else { return Ok(Err(Error::UnknownInstance(instance))) };
    let takes = |kind: &WaitKind| matches!(kind, WaitKind::Message(own) if own.name == *message);
    let Some(subscription) = running.instance.waits().find(|wait| takes(&wait.kind)).map(|wait| wait.key) else {
        return Ok(Err(Error::NobodyWaits(message.clone())));
    };
    give(attempt, work, instance, Command::DeliverMessage { subscription, variables: variables.clone() })
}
