//! What the engine does by itself when it is due, done by hand: timers, and instances that go on behind savepoints.

use potok_core::Name;
use potok_core::instance::{Failure, Key, Retry, WaitKind};
use potok_core::routing::{Running, StartTimer, TimedStart, Work, World as _};
use potok_core::step::{Command, DueType, Rejection};
use potok_core::time::Timestamp;
use potok_store::query::{TimerQuery, WorkQuery};
use potok_store::row::{Definition, Instance as InstanceRow, Work as WorkRow};
use potok_store::{Changes, Guard};

use crate::access::Access;
use crate::attempt::Attempt;
use crate::engine::{Engine, Inner};
use crate::envelope::{Act, Envelope};
use crate::follow::hold;
use crate::policy::DueOf;
use crate::work::Chore;
use crate::{Action, DefinitionId, Error, InstanceId, TimerId};

/// Instances whose savepoints are looked up at once.
const AT_ONCE: usize = 1000;

/// What is waited for before something goes on by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DueKind {
    /// A timer of an instance.
    Timer,
    /// A timer that starts instances.
    StartTimer,
    /// The next unit of work: the instance stands at a savepoint.
    Savepoint {
        /// After the activity rather than before.
        after: bool,
    },
}

/// Something that an engine does by itself when it is due.
#[derive(Clone, Debug, PartialEq)]
pub struct Due {
    /// Its key.
    pub key: Key,
    /// What it is.
    pub kind: DueKind,
    /// The instance; none of a timer that starts one.
    pub instance: Option<InstanceId>,
    /// The definition.
    pub definition: DefinitionId,
    /// The id of the process.
    pub process: Name,
    /// The id of the flow node.
    pub node: Name,
    /// When it is due; none if at once.
    pub due: Option<Timestamp>,
    /// Tries left. Without any it is done only by hand; then there is an incident.
    pub retries: i64,
    /// How it failed the last time. All that followed was undone.
    pub failure: Option<Failure>,
    /// How urgent the model says it is: the higher, the more. What is due is done in its turn all the same.
    pub priority: i64,
    /// Nothing happens until the instance or definition is resumed.
    pub suspended: bool,
    /// The tenant.
    pub tenant: Option<Name>,
}

/// Which of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DueQuery {
    /// One of these.
    pub keys: Vec<Key>,
    /// Of one of these instances.
    pub instances: Vec<Key>,
}

impl Engine {
    /// What is done when it is due, the oldest first.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn due(&self, query: &DueQuery) -> Result<Vec<Due>, Error> {
        let access = self.access(Action::SeeAll, &"").await?;
        self.inner.due(query, &access).await
    }

    /// Lets a timer be due at another time, or a savepoint, which goes on at once if nobody says otherwise. A timer that repeats is
    /// due after that as it would have been.
    ///
    /// # Errors
    /// If there is no such timer or savepoint of an instance.
    pub async fn reschedule(&self, timer: TimerId, due: Timestamp) -> Result<(), Error> {
        let instance = self.instance_of_timer(Action::Reschedule, timer).await?;
        let (of, command) = ((instance, timer), || Command::ChangeTimer { timer: timer.0, due });
        self.inner.change_due(&self.envelope(), of, command, Act::TimerRescheduled { timer: timer.0 }).await?;
        self.inner.wake.due();
        Ok(())
    }

    /// Lets a timer be due when its event says by the data as they are now, counted from a moment: that in which it began to be waited
    /// for, if none is said.
    ///
    /// # Errors
    /// If there is no such timer of an instance, it is none of an event, or what its event says cannot be computed.
    pub async fn recalculate(&self, timer: TimerId, from: Option<Timestamp>) -> Result<(), Error> {
        let instance = self.instance_of_timer(Action::Reschedule, timer).await?;
        let from = from.unwrap_or_else(|| timer.created());
        let (of, command) = ((instance, timer), || Command::RecalculateTimer { timer: timer.0, from });
        self.inner.change_due(&self.envelope(), of, command, Act::TimerRescheduled { timer: timer.0 }).await?;
        self.inner.wake.due();
        Ok(())
    }

    /// Lets a savepoint or timer never be due: a boundary event does not occur any more, a process is not started any more by it, and a
    /// token that waits for nothing else stays until it is [moved or cancelled](Engine::modify).
    ///
    /// # Errors
    /// If it is not waited for.
    pub async fn forget_due(&self, due: &Due) -> Result<(), Error> {
        let (key, unknown) = (due.key, || Error::UnknownTimer(TimerId(due.key)));
        let access = match due.instance {
            Some(instance) => match self.reach(Action::ForgetDue, instance).await {
                Err(Error::UnknownInstance(_)) => return Err(unknown()),
                access => access?,
            },
            None => self.access(Action::ForgetDue, &TimerId(key)).await?,
        };
        if !access.admits(due.tenant.as_ref()) {
            return Err(unknown());
        }
        match due.instance {
            Some(instance) => match self.instance(instance).give(|| Command::Forget { wait: key }).await {
                Err(Error::Rejected(Rejection::Unknown(_) | Rejection::NotActive(_) | Rejection::WrongKind { .. })) => {
                    Err(unknown())
                }
                done => done,
            },
            None => {
                let guard = Guard::Work { instance: due.definition.0, work: key };
                let gone = self.inner.transact_guarded(self.envelope(), &guard, |_, _| Ok(Ok(()))).await?;
                gone.ok_or_else(unknown)
            }
        }
    }

    /// Makes a savepoint or timer more urgent, or less. It is shown; what is due is done in its turn.
    ///
    /// # Errors
    /// If there is no such timer or savepoint of an instance.
    pub async fn set_timer_priority(&self, timer: TimerId, priority: i64) -> Result<(), Error> {
        let instance = self.instance_of_timer(Action::SetRetries, timer).await?;
        self.inner.prioritise((instance, timer), priority, &self.envelope()).await
    }

    /// Holds a timer or savepoint back, or lets it go on; it goes on with its instance, too, once that is resumed. A timer that starts
    /// instances does not by itself.
    ///
    /// # Errors
    /// If there is no such timer or savepoint.
    pub async fn suspend_timer(&self, timer: TimerId, suspended: bool) -> Result<(), Error> {
        self.checked(Action::Reschedule, &timer).await?;
        let kinds = vec![Chore::START_TIMER, Chore::START_AGAIN];
        let starts = WorkQuery { keys: vec![timer.0], kinds, ..WorkQuery::default() };
        if let Some(start) = self.inner.store.list(&starts).await?.rows.pop() {
            let access = self.access(Action::Reschedule, &timer).await?;
            if !self.admits(&access, start.instance.into()).await? {
                return Err(Error::UnknownTimer(timer));
            }
            self.inner.hold_start((start.instance, timer), suspended).await?;
        } else {
            let instance = self.instance_of_timer(Action::Reschedule, timer).await?;
            self.inner.hold_timer((instance, timer), suspended, &self.envelope()).await?;
        }
        self.inner.wake.due();
        Ok(())
    }

    async fn instance_of_timer(&self, action: Action, timer: TimerId) -> Result<Key, Error> {
        self.checked(action, &timer).await?;
        let timers = TimerQuery { keys: vec![timer.0], ..TimerQuery::default() };
        let mut instance = self.inner.store.list(&timers).await?.rows.pop().map(|row| row.instance);
        if instance.is_none() {
            let savepoints = WorkQuery { keys: vec![timer.0], kinds: vec![Chore::CONTINUE], ..WorkQuery::default() };
            instance = self.inner.store.list(&savepoints).await?.rows.pop().map(|row| row.instance);
        }
        let instance = instance.ok_or(Error::UnknownTimer(timer))?;
        match self.reach(action, instance.into()).await {
            Ok(_) => Ok(instance),
            Err(Error::UnknownInstance(_)) => Err(Error::UnknownTimer(timer)),
            Err(error) => Err(error),
        }
    }

    /// Does it now, whether it is due or not, and also if its instance is suspended, or it has no tries left.
    ///
    /// # Errors
    /// If somebody has done it, or it fails and is undone (in Camunda 7's and Flowable's dialects; it has one try less then).
    pub async fn execute(&self, due: &Due) -> Result<(), Error> {
        let (key, instance) = (due.key, due.instance.map(|id| id.0));
        let access = match due.instance {
            Some(instance) => self.reach(Action::Execute, instance).await?,
            None => self.access(Action::Execute, &TimerId(key)).await?,
        };
        if !access.admits(due.tenant.as_ref()) {
            return Err(Error::UnknownTimer(TimerId(key)));
        }
        match (due.kind, instance) {
            (DueKind::Timer, Some(instance)) => {
                let fired = self.inner.transact(self.envelope(), |attempt, work| {
                    let is_timer = attempt.instance(instance)?.is_some_and(|running| {
                        running.instance.wait(key).is_some_and(|wait| matches!(wait.kind, WaitKind::Timer(_)))
                    });
                    if !is_timer {
                        return Ok(Err(Error::UnknownTimer(TimerId(key))));
                    }
                    match attempt.step(instance, Command::FireTimer { timer: key }) {
                        Ok(requests) => work.ask(instance, requests),
                        Err(rejection) => return Ok(Err(rejection.into())),
                    }
                    Ok(Ok(attempt.failure().cloned()))
                });
                fired.await?.map_or(Ok(()), |failure| Err(failure.into()))
            }
            (DueKind::Savepoint { .. }, Some(instance)) => {
                let guard = Guard::Work { instance, work: key };
                let done = self.inner.transact_guarded(self.envelope(), &guard, |attempt, work| {
                    if attempt.instance(instance)?.is_none() {
                        return Ok(Err(Error::UnknownTimer(TimerId(key))));
                    }
                    match attempt.step(instance, Command::Continue { continuation: key }) {
                        Ok(requests) => work.ask(instance, requests),
                        Err(Rejection::Unknown(_) | Rejection::NotActive(_)) => {
                            return Ok(Err(Error::UnknownTimer(TimerId(key))));
                        }
                        Err(rejection) => return Ok(Err(rejection.into())),
                    }
                    Ok(Ok(attempt.failure().cloned()))
                });
                let failure = done.await?.ok_or(Error::UnknownTimer(TimerId(key)))?;
                failure.map_or(Ok(()), |failure| Err(failure.into()))
            }
            _ => match self.inner.store.get::<WorkRow>((due.definition.0, key)).await? {
                Some(row) => {
                    let mut after = self.inner.do_chore(&row).await?;
                    let failed = after.failed.take();
                    self.inner.afterwards(after).await;
                    failed.map_or(Ok(()), |failure| Err(failure.into()))
                }
                None => Err(Error::UnknownTimer(TimerId(key))),
            },
        }
    }

    /// Says how many tries a savepoint or timer of an instance has left: none is an incident, and some resolve that. It stays due
    /// when it is.
    ///
    /// # Errors
    /// If it is not waited for.
    pub async fn set_retries(&self, instance: InstanceId, timer: TimerId, retries: u32) -> Result<(), Error> {
        self.reach(Action::SetRetries, instance).await?;
        match self.instance(instance).give(|| Command::SetRetries { wait: timer.0, retries }).await {
            Err(Error::Rejected(Rejection::Unknown(_) | Rejection::NotActive(_) | Rejection::WrongKind { .. })) => {
                Err(Error::UnknownTimer(timer))
            }
            done => done,
        }
    }
}

impl Inner {
    /// Gives an instance a command about one of its savepoints or timers.
    async fn change_due(
        &self,
        envelope: &Envelope,
        (instance, timer): (Key, TimerId),
        command: impl Fn() -> Command + Send + Sync,
        act: Act,
    ) -> Result<(), Error> {
        let change = |attempt: &mut Attempt<'_>, work: &mut Work| {
            if attempt.instance(instance)?.is_none() {
                return Ok(Err(Error::UnknownTimer(timer)));
            }
            match attempt.step(instance, command()) {
                Ok(requests) => work.ask(instance, requests),
                Err(Rejection::Unknown(_) | Rejection::NotActive(_)) => return Ok(Err(Error::UnknownTimer(timer))),
                Err(rejection) => return Ok(Err(rejection.into())),
            }
            (attempt.subject, attempt.envelope.act) = (Some(instance), Some(act.clone()));
            Ok(Ok(()))
        };
        self.transact(envelope.clone(), change).await
    }

    pub(crate) async fn prioritise(
        &self,
        (instance, timer): (Key, TimerId),
        priority: i64,
        envelope: &Envelope,
    ) -> Result<(), Error> {
        let command = || Command::ChangePriority { wait: timer.0, priority };
        self.change_due(envelope, (instance, timer), command, Act::JobPrioritised { job: timer.0 }).await
    }

    pub(crate) async fn hold_timer(
        &self,
        (instance, timer): (Key, TimerId),
        suspended: bool,
        envelope: &Envelope,
    ) -> Result<(), Error> {
        let change = |attempt: &mut Attempt<'_>, _: &mut Work| {
            let running = attempt.instance(instance)?;
            let kind = running.and_then(|running| Some(running.instance.wait(timer.0)?.kind.clone()));
            let held = kind.is_some_and(|kind| hold(&mut attempt.changes, (instance, timer.0), &kind, suspended));
            if !held {
                return Ok(Err(Error::UnknownTimer(timer)));
            }
            attempt.subject = Some(instance);
            attempt.envelope.act = Some(Act::TimerSuspended { timer: timer.0, suspended });
            Ok(Ok(()))
        };
        self.transact(envelope.clone(), change).await
    }

    /// The same of a timer that starts instances of a definition.
    pub(crate) async fn hold_start(&self, (definition, timer): (Key, TimerId), suspended: bool) -> Result<(), Error> {
        let mut changes = Changes::default();
        changes.suspend_work(definition, timer.0, suspended);
        self.write(changes).await
    }

    /// What is done when it is due, the oldest first, as far as it is within reach.
    pub(crate) async fn due(&self, query: &DueQuery, access: &Access) -> Result<Vec<Due>, Error> {
        let DueQuery { keys, instances } = query.clone();
        let timers = TimerQuery { keys: keys.clone(), instances: instances.clone(), ..TimerQuery::default() };
        let kinds = vec![Chore::START_TIMER, Chore::START_AGAIN, Chore::CONTINUE];
        let work = WorkQuery { keys, instances, kinds, ..WorkQuery::default() };
        let mut all = self.timers(&timers).await?;
        all.extend(self.work(&work).await?);
        all.retain(|due| access.admits(due.tenant.as_ref()));
        all.sort_by_key(|due| due.key);
        Ok(all)
    }

    /// The savepoints or timers of a flow node that are there, the oldest first, as far as they are within reach.
    pub(crate) async fn due_of(&self, of: &DueOf, access: &Access) -> Result<Vec<Due>, Error> {
        let definition = of.definition.0;
        let mut all = match of.kind {
            DueType::Timer => {
                let nodes = vec![of.node.clone()];
                let timers = TimerQuery { definition: Some(definition), nodes, ..TimerQuery::default() };
                let kinds = vec![Chore::START_TIMER, Chore::START_AGAIN];
                let starts = WorkQuery { instances: vec![definition], kinds, ..WorkQuery::default() };
                let mut all = self.timers(&timers).await?;
                all.extend(self.work(&starts).await?);
                all
            }
            DueType::Before | DueType::After => {
                let deployed = self.catalog.get(definition).await?;
                let node = deployed.and_then(|deployed| deployed.graph.find(&of.node));
                let on = match node {
                    Some(node) => self.store.instances_on(definition, node).await?,
                    None => Vec::new(),
                };
                let mut all = Vec::new();
                for instances in on.chunks(AT_ONCE) {
                    let (instances, kinds) = (instances.to_vec(), vec![Chore::CONTINUE]);
                    all.extend(self.work(&WorkQuery { instances, kinds, ..WorkQuery::default() }).await?);
                }
                all
            }
        };
        all.retain(|due| of.is(due) && access.admits(due.tenant.as_ref()));
        all.sort_by_key(|due| due.key);
        Ok(all)
    }

    async fn timers(&self, query: &TimerQuery) -> Result<Vec<Due>, Error> {
        let mut all = Vec::new();
        for row in self.store.list(query).await?.rows {
            let due = self.of_instance(row.instance, row.key).await?;
            // It can be held back by itself.
            all.extend(due.map(|due| Due { suspended: row.suspended, ..due }));
        }
        Ok(all)
    }

    /// Savepoints, and what starts instances.
    async fn work(&self, query: &WorkQuery) -> Result<Vec<Due>, Error> {
        let mut all = Vec::new();
        for row in self.store.list(query).await?.rows {
            all.extend(if row.kind == Chore::CONTINUE {
                let due = self.of_instance(row.instance, row.key).await?;
                due.map(|due| Due { suspended: row.suspended, ..due })
            } else {
                self.starts(row).await?
            });
        }
        Ok(all)
    }

    /// A savepoint or timer of an instance.
    async fn of_instance(&self, instance: Key, key: Key) -> Result<Option<Due>, Error> {
        let state = |running: Option<&Running>| {
            let Running { graph, instance } = running?;
            let wait = instance.wait(key)?;
            let retry = wait.kind.retry().map(|retry| (**retry).clone()).unwrap_or_default();
            let (kind, due) = match &wait.kind {
                WaitKind::Timer(timer) => (DueKind::Timer, Some(retry.due.unwrap_or(timer.timer.due))),
                WaitKind::Continuation { after, .. } => (DueKind::Savepoint { after: *after }, retry.due),
                _ => return None,
            };
            Some((graph.get_node(wait.node)?.id.clone(), kind, due, retry))
        };
        let Some((node, kind, due, Retry { left, failure, priority, .. })) = self.look(instance, state).await? else {
            return Ok(None);
        };
        let Some(row) = self.store.get::<InstanceRow>(instance).await? else { return Ok(None) };
        Ok(Some(Due {
            key,
            kind,
            instance: Some(instance.into()),
            definition: row.definition.into(),
            process: row.process,
            node,
            due,
            retries: left,
            failure,
            priority,
            suspended: row.suspended,
            tenant: row.tenant,
        }))
    }

    async fn starts(&self, row: WorkRow) -> Result<Option<Due>, Error> {
        let Some(definition) = self.store.get::<Definition>(row.instance).await? else { return Ok(None) };
        let graph = self.catalog.get(row.instance).await?.map(|deployed| deployed.graph.clone());
        let again = TimedStart::decode(&row.payload).ok().filter(|_| row.kind == Chore::START_AGAIN);
        let node = match &again {
            Some(start) => Some(start.node),
            None => StartTimer::decode(&row.payload).ok().map(|start| start.node),
        };
        let found = node.and_then(|node| Some((node, graph.as_ref()?)));
        let id = found.and_then(|(node, graph)| Some(graph.get_node(node)?.id.clone())).unwrap_or_default();
        // There is no instance yet in which it could be computed.
        let said = self.catalog.policies(row.instance).and_then(|all| all.of(&id, DueType::Timer).priority);
        let own = || found.and_then(|(node, graph)| graph.own_priority(node, false)?.text.trim().parse().ok());
        let priority = said.or_else(own);
        let Retry { left, failure, .. } = again.map(|start| start.retry).unwrap_or_default();
        Ok(Some(Due {
            key: row.key,
            kind: DueKind::StartTimer,
            instance: None,
            definition: row.instance.into(),
            process: definition.id,
            node: id,
            due: Some(row.due),
            retries: left,
            failure,
            priority: priority.unwrap_or(0),
            suspended: definition.suspended || row.suspended,
            tenant: Some(definition.tenant).filter(|tenant| !tenant.is_empty()),
        }))
    }
}
