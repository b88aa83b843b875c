//! Whether a database is sound: everything derived is derived once more from the log, and compared.

use std::collections::{BTreeMap, BTreeSet};

use potok_core::instance::{Instance, Key, Owner, WaitKind};
use potok_core::step::Events;
use potok_core::time::Timestamp;
use potok_store::query::{IncidentQuery, InstanceQuery, JobQuery, SubscriptionQuery, TaskQuery, TimerQuery};
use potok_store::row::{
    Claim, Incident, Instance as InstanceRow, InstanceState, Job, LogRow, Snapshot, Subscription, Task, TaskVariable,
    Timer, Token, Variable, Work,
};
use potok_store::{Changes, Outcome, Patience, Store, Unit};

use crate::alone::ALONE;
use crate::engine::{Engine, Inner};
use crate::envelope::{Act, Envelope};
use crate::follow::{Apart, Around, follow, hold};
use crate::instance::claim;
use crate::work::Chore;
use crate::{Action, Error, InstanceId};

/// Rows that are read at once.
const PAGE: usize = 1000;

/// Something that is wrong with a database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The instance that it is about.
    pub instance: InstanceId,
    /// What is wrong.
    pub what: String,
    /// It can be derived from the log: [`Engine::mend`] does.
    pub mendable: bool,
}

impl Engine {
    /// Examines the database: every instance's history replays to its snapshots, and everything that is derived from the log is
    /// as the log says. It is exact while nothing else is done; finding nothing is always good news. Rows that an older version did not write, and
    /// that are not caught up on yet, are written first.
    ///
    /// # Errors
    /// If the database cannot be read, or those rows not be written.
    pub async fn examine(&self) -> Result<Vec<Finding>, Error> {
        self.access(Action::LookAfter, &"examine").await?;
        self.inner.examine(false).await
    }

    /// Examines the database, and writes anew what can be derived. Only while nothing else is done: with
    /// [`job_execution(false)`](crate::Builder::job_execution), and nobody else at work.
    ///
    /// # Errors
    /// If the database cannot be read or written.
    pub async fn mend(&self) -> Result<Vec<Finding>, Error> {
        self.access(Action::LookAfter, &"mend").await?;
        self.inner.examine(true).await
    }
}

/// What is derived of one instance.
#[derive(Debug, Default, PartialEq)]
struct Derived {
    instance: Vec<InstanceRow>,
    tasks: Vec<Task>,
    jobs: Vec<Job>,
    timers: Vec<Timer>,
    subscriptions: Vec<Subscription>,
    incidents: Vec<Incident>,
    variables: Vec<Variable>,
    task_variables: Vec<TaskVariable>,
    continuations: Vec<Work>,
    tokens: Vec<Token>,
}

impl Derived {
    async fn read(store: &Store, key: Key) -> Result<Self, Error> {
        let mut derived = Self {
            instance: store.get::<InstanceRow>(key).await?.into_iter().collect(),
            tasks: store.of_instance(key).await?,
            jobs: store.of_instance(key).await?,
            timers: store.of_instance(key).await?,
            subscriptions: store.of_instance(key).await?,
            incidents: store.of_instance(key).await?,
            variables: store.of_instance(key).await?,
            task_variables: store.of_instance(key).await?,
            continuations: store.of_instance(key).await?,
            tokens: store.of_instance(key).await?,
        };
        // Leases are not history.
        for job in &mut derived.jobs {
            (job.worker, job.lease, job.leased_until) = (None, 0, Timestamp::UNIX_EPOCH);
        }
        derived.timers.iter_mut().for_each(|timer| timer.leased_until = Timestamp::UNIX_EPOCH);
        derived.continuations.retain(|work| work.kind == Chore::CONTINUE);
        derived.continuations.iter_mut().for_each(|work| work.leased_until = Timestamp::UNIX_EPOCH);
        derived.tasks.sort_by_key(|row| row.key);
        derived.jobs.sort_by_key(|row| row.key);
        derived.timers.sort_by_key(|row| row.key);
        derived.subscriptions.sort_by_key(|row| row.key);
        derived.incidents.sort_by_key(|row| row.key);
        derived.variables.sort_by(|left, right| left.name.cmp(&right.name));
        derived.task_variables.sort_by(|left, right| (left.task, &left.name).cmp(&(right.task, &right.name)));
        derived.continuations.sort_by_key(|row| row.key);
        derived.tokens.sort_by_key(|row| row.token);
        Ok(derived)
    }

    /// In which of its parts two differ.
    fn differences(&self, other: &Self) -> Vec<String> {
        let mut differences = Vec::new();
        let mut compare = |what: &str, here: &dyn std::fmt::Debug, there: &dyn std::fmt::Debug, equal: bool| {
            if !equal {
                differences.push(format!("{what} are {here:?}, by the log {there:?}"));
            }
        };
        compare("its own row is", &self.instance, &other.instance, self.instance == other.instance);
        compare("tasks", &self.tasks, &other.tasks, self.tasks == other.tasks);
        compare("jobs", &self.jobs, &other.jobs, self.jobs == other.jobs);
        compare("timers", &self.timers, &other.timers, self.timers == other.timers);
        compare("subscriptions", &self.subscriptions, &other.subscriptions, self.subscriptions == other.subscriptions);
        compare("incidents", &self.incidents, &other.incidents, self.incidents == other.incidents);
        compare("variables", &self.variables, &other.variables, self.variables == other.variables);
        let (own, by_log) = (&self.task_variables, &other.task_variables);
        compare("variables of tasks' own", own, by_log, own == by_log);
        compare("savepoints", &self.continuations, &other.continuations, self.continuations == other.continuations);
        compare("tokens", &self.tokens, &other.tokens, self.tokens == other.tokens);
        differences
    }

    /// Writes these rows over those that stand.
    fn write_over(self, standing: &Self) -> Changes {
        let mut changes = Changes::default();
        standing.tasks.iter().for_each(|row| changes.remove::<Task>((row.instance, row.key)));
        standing.jobs.iter().for_each(|row| changes.remove::<Job>((row.instance, row.key)));
        standing.timers.iter().for_each(|row| changes.remove::<Timer>((row.instance, row.key)));
        standing.subscriptions.iter().for_each(|row| changes.remove::<Subscription>((row.instance, row.key)));
        standing.incidents.iter().for_each(|row| changes.remove::<Incident>((row.instance, row.key)));
        standing.variables.iter().for_each(|row| changes.remove::<Variable>((row.instance, row.name.clone())));
        standing.tasks.iter().for_each(|row| changes.remove_task_variables(row.instance, row.key));
        standing.task_variables.iter().for_each(|row| changes.remove_task_variables(row.instance, row.task));
        standing.continuations.iter().for_each(|row| changes.remove::<Work>((row.instance, row.key)));
        standing.tokens.iter().for_each(|row| changes.remove::<Token>((row.instance, row.token)));
        self.instance.into_iter().for_each(|row| changes.put(row));
        self.tasks.into_iter().for_each(|row| changes.put_task(row));
        self.jobs.into_iter().for_each(|row| changes.put(row));
        self.timers.into_iter().for_each(|row| changes.put(row));
        self.subscriptions.into_iter().for_each(|row| changes.put(row));
        self.incidents.into_iter().for_each(|row| changes.put(row));
        self.variables.into_iter().for_each(|row| changes.put(row));
        self.task_variables.into_iter().for_each(|row| changes.put(row));
        self.continuations.into_iter().for_each(|row| changes.put(row));
        self.tokens.into_iter().for_each(|row| changes.put(row));
        changes
    }
}

impl Inner {
    async fn examine(&self, mend: bool) -> Result<Vec<Finding>, Error> {
        // That an older version has not written a row is no finding.
        while !self.catch_up_on_task_variables().await? {}
        let mut findings = Vec::new();
        let instances = self.in_log().await?;
        for key in &instances {
            self.examine_instance(*key, mend, &mut findings).await?;
        }
        self.strays(&instances, mend, &mut findings).await?;
        Ok(findings)
    }

    /// The instances that the log speaks of.
    async fn in_log(&self) -> Result<BTreeSet<Key>, Error> {
        let mut instances = BTreeSet::new();
        loop {
            let after = instances.last().copied().unwrap_or_default();
            let page = self.store.instances_in_log(after, PAGE).await?;
            if page.is_empty() {
                return Ok(instances);
            }
            instances.extend(page);
        }
    }

    async fn examine_instance(&self, key: Key, mend: bool, findings: &mut Vec<Finding>) -> Result<(), Error> {
        let mut find =
            |what: String, mendable: bool| findings.push(Finding { instance: InstanceId(key), what, mendable });
        let mirror = Store::memory();
        let mut instance = Instance::new(key);
        let (mut suspended, mut apart) = (false, Apart::default());
        let snapshots: BTreeMap<u64, Snapshot> =
            self.store.of_instance::<Snapshot>(key).await?.into_iter().map(|row| (row.seq, row)).collect();
        let mut seq = 0;
        loop {
            let rows = self.store.history(key, seq, PAGE).await?;
            if rows.is_empty() {
                break;
            }
            for row in rows {
                if row.seq != seq + 1 {
                    find(format!("row {} of its history is missing", seq + 1), false);
                    return Ok(());
                }
                seq = row.seq;
                match self.mirror(&mirror, &mut instance, &row, (&mut suspended, &mut apart)).await {
                    Ok(()) => {}
                    Err(Error::Store(error)) => return Err(Error::Store(error)),
                    Err(error) => {
                        find(format!("row {seq} of its history: {error}"), false);
                        return Ok(());
                    }
                }
                if let Some(snapshot) = snapshots.get(&seq)
                    && Instance::decode(&snapshot.bytes).as_ref() != Ok(&instance)
                {
                    find(format!("its snapshot {seq} is not what its history replays to"), true);
                    if mend {
                        let bytes = instance.encode().into();
                        self.put(|changes| changes.put(Snapshot { bytes, ..snapshot.clone() })).await?;
                    }
                }
            }
        }
        let (standing, derived) = (Derived::read(&self.store, key).await?, Derived::read(&mirror, key).await?);
        let differences = standing.differences(&derived);
        for difference in &differences {
            find(difference.clone(), true);
        }
        for task in &derived.tasks {
            let is_open = task.state == potok_store::row::TaskState::Open;
            let waits = instance.wait(task.key).is_some_and(|wait| matches!(wait.kind, WaitKind::UserTask(_)));
            if is_open != waits {
                find(format!("task {} is open, but nothing waits for it, or the other way round", task.key), false);
            }
        }
        if !stand_once(&instance, &derived.tokens) {
            find("its tokens stand elsewhere than its history says".into(), false);
        }
        if let Some(row) = derived.instance.first().filter(|row| row.unique)
            && let Some(claim) = claim(&row.process, row.tenant.as_ref(), row.business_key.as_ref(), key)
        {
            let id = (claim.tenant.clone(), claim.kind, claim.value.clone());
            let owner = self.store.get::<Claim>(id.clone()).await?.map(|claim| claim.owner);
            let runs = row.state == InstanceState::Active;
            if runs != (owner == Some(key)) {
                find("its business key is not its own while it runs, or still is after that".into(), true);
                if mend {
                    self.put(|changes| if runs { changes.put(claim) } else { changes.remove::<Claim>(id) }).await?;
                }
            }
        }
        if mend && !differences.is_empty() {
            self.put(|changes| changes.append(derived.write_over(&standing))).await?;
        }
        Ok(())
    }

    /// Does to a mirror what a row of the log did.
    async fn mirror(
        &self,
        mirror: &Store,
        instance: &mut Instance,
        row: &LogRow,
        (suspended, apart): (&mut bool, &mut Apart),
    ) -> Result<(), Error> {
        let damaged = |error| Error::Damaged { instance: InstanceId(row.instance), error };
        let events = Events::decode(&row.events).map_err(damaged)?;
        let envelope = Envelope::decode(&row.envelope);
        let deployed = self.catalog.get(row.definition).await?;
        let deployed = deployed.ok_or_else(|| Error::UnknownProcess(row.definition.to_string().into()))?;
        for event in &events.list {
            instance.apply(*event, &events);
        }
        let tenant = match (&envelope.act, row.definition) {
            // A task that belongs to no process says itself whose it is.
            (Some(Act::TaskCreated { tenant, .. }), _) => tenant.clone(),
            (_, ALONE) => mirror.get::<InstanceRow>(row.instance).await?.and_then(|row| row.tenant),
            _ => Some(deployed.definition.tenant.clone()).filter(|tenant| !tenant.is_empty()),
        };
        let around =
            Around { graph: &deployed.graph, definition: row.definition, tenant: &tenant, suspended: *suspended };
        let mut changes = Changes::default();
        if let Some(Act::TaskChanged { task, assignment }) = &envelope.act
            && let Some(standing) = mirror.get::<Task>((row.instance, *task)).await?
        {
            // Before what its listeners led to, which may have ended it.
            changes.put_task(assignment.clone().of_task(Task { changed: Some(row.time), ..standing }));
        }
        follow(&mut changes, &around, instance, &events, &envelope, apart);
        match envelope.act {
            Some(Act::Suspended | Act::Resumed) => {
                *suspended = envelope.act == Some(Act::Suspended);
                let rows = crate::attempt::Rows::read(mirror, row.instance).await?;
                rows.suspend(&mut changes, *suspended);
            }
            Some(Act::TimerSuspended { timer, suspended }) => {
                if let Some(wait) = instance.wait(timer) {
                    hold(&mut changes, (row.instance, timer), &wait.kind, suspended);
                }
            }
            Some(Act::IncidentAnnotated { incident, annotation }) => {
                changes.annotate_incident(row.instance, incident, annotation.as_ref());
            }
            Some(
                Act::TaskCreated { .. }
                | Act::TaskChanged { .. }
                | Act::JobFailed { .. }
                | Act::JobPrioritised { .. }
                | Act::TimerRescheduled { .. }
                | Act::BusinessKeyClaimed
                | Act::VariableErased { .. }
                | Act::Explained { .. },
            )
            | None => {}
        }
        write(mirror, changes, self.random()).await
    }

    /// Rows of instances that the log does not know.
    async fn strays(&self, known: &BTreeSet<Key>, mend: bool, findings: &mut Vec<Finding>) -> Result<(), Error> {
        let mut strays: Vec<(&str, Key, Key)> = Vec::new();
        let is_stray = |key: &Key| !known.contains(key);
        for row in self.store.list(&InstanceQuery::default()).await?.rows {
            strays.extend(is_stray(&row.key).then_some(("instance", row.key, row.key)));
        }
        for row in self.store.list(&TaskQuery::default()).await?.rows {
            strays.extend(is_stray(&row.instance).then_some(("task", row.instance, row.key)));
        }
        for row in self.store.list(&JobQuery::default()).await?.rows {
            strays.extend(is_stray(&row.instance).then_some(("job", row.instance, row.key)));
        }
        for row in self.store.list(&TimerQuery::default()).await?.rows {
            strays.extend(is_stray(&row.instance).then_some(("timer", row.instance, row.key)));
        }
        for row in self.store.list(&IncidentQuery::default()).await?.rows {
            strays.extend(is_stray(&row.instance).then_some(("incident", row.instance, row.key)));
        }
        let waiting = SubscriptionQuery { starts: Some(false), ..SubscriptionQuery::default() };
        for row in self.store.list(&waiting).await?.rows {
            strays.extend(is_stray(&row.instance).then_some(("subscription", row.instance, row.key)));
        }
        let mut parts: Vec<(&str, Key)> = Vec::new();
        let mut find = |what, instances: Vec<Key>| {
            parts.extend(instances.into_iter().filter(is_stray).map(|instance| (what, instance)));
        };
        find("variables", self.store.instances_with::<Variable>().await?);
        find("variables of tasks' own", self.store.instances_with::<TaskVariable>().await?);
        find("tokens", self.store.instances_with::<Token>().await?);
        find("snapshots", self.store.instances_with::<Snapshot>().await?);
        for (what, instance) in &parts {
            let what = format!("{what} belong to an instance that the log does not know");
            findings.push(Finding { instance: InstanceId(*instance), what, mendable: true });
        }
        for (what, instance, key) in &strays {
            let what = format!("{what} {key} belongs to an instance that the log does not know");
            findings.push(Finding { instance: InstanceId(*instance), what, mendable: true });
        }
        if mend && (!strays.is_empty() || !parts.is_empty()) {
            self.put(|changes| {
                for (what, instance, key) in strays {
                    match what {
                        "instance" => changes.remove::<InstanceRow>(key),
                        "task" => changes.remove::<Task>((instance, key)),
                        "job" => changes.remove::<Job>((instance, key)),
                        "timer" => changes.remove::<Timer>((instance, key)),
                        "incident" => changes.remove::<Incident>((instance, key)),
                        _ => changes.remove::<Subscription>((instance, key)),
                    }
                }
                for (what, instance) in parts {
                    match what {
                        "variables" => changes.remove_of::<Variable>(instance),
                        "tokens" => changes.remove_of::<Token>(instance),
                        "snapshots" => changes.remove_of::<Snapshot>(instance),
                        _ => changes.remove_of::<TaskVariable>(instance),
                    }
                }
            })
            .await?;
        }
        Ok(())
    }

    async fn put(&self, change: impl FnOnce(&mut Changes)) -> Result<(), Error> {
        let mut changes = Changes::default();
        change(&mut changes);
        write(&self.store, changes, self.random()).await
    }
}

/// Whether each token has a row for where it stands, or waits there at one task or job.
fn stand_once(instance: &Instance, rows: &[Token]) -> bool {
    let at_work = instance.waits().filter_map(|wait| match (wait.owner, &wait.kind) {
        (Owner::Token(token), WaitKind::UserTask(_) | WaitKind::Job(_)) => Some((token, wait.node)),
        _ => None,
    });
    let mut standing_on: Vec<(u32, u32)> = rows.iter().map(|row| (row.token, row.node)).chain(at_work).collect();
    standing_on.sort_unstable();
    instance.tokens().map(|(number, token)| (number, token.node)).eq(standing_on)
}

async fn write(store: &Store, changes: Changes, id: u64) -> Result<(), Error> {
    let unit = Unit { id, changes, ..Unit::default() };
    match store.commit(&[unit], Patience::Wait).await?.pop() {
        Some(Outcome::Committed) => Ok(()),
        _ => Err(Error::NothingToDo),
    }
}
