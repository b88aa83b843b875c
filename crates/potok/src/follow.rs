//! What follows from a row of the log: one function from events to derived rows.

use std::collections::{BTreeMap, BTreeSet};

use jiff::SignedDuration;
use potok_core::Name;
use potok_core::graph::ProcessGraph;
use potok_core::instance::{Instance, Key, Owner, ROOT, State, TokenId, WaitKind, WaitType};
use potok_core::step::{Closed, DueType, Event, Events, OpenedWait, Policies};
use potok_core::time::Timestamp;
use potok_core::value::Value;
use potok_store::row::{
    Incident, Instance as InstanceRow, InstanceState, Job, Subscription, SubscriptionKind, Task, TaskState, Timer,
    Token, Variable, Work,
};
use potok_store::{Changes, Place};

use crate::alone::ALONE;
use crate::envelope::{Act, Envelope};
use crate::own_variables;
use crate::trace::TraceContext;
use crate::work::Chore;

/// How urgent a task or job is that says nothing of it.
pub(crate) const PRIORITY: i64 = 50;

/// What is the same for all rows of an instance.
pub(crate) struct Around<'a> {
    pub(crate) graph: &'a ProcessGraph,
    pub(crate) definition: Key,
    pub(crate) tenant: &'a Option<Name>,
    pub(crate) suspended: bool,
}

impl Around<'_> {
    /// The id of the process; empty for a task that belongs to none.
    fn process(&self) -> Name {
        if self.definition == ALONE { Name::new() } else { self.graph.id().clone() }
    }
}

/// Changes the derived rows as the events say. The instance is as it was after them.
pub(crate) fn follow(
    changes: &mut Changes,
    around: &Around<'_>,
    instance: &Instance,
    events: &Events,
    envelope: &Envelope,
    apart: &mut Apart,
) {
    let key = instance.key();
    let now = events.now;
    let expires = || match envelope.history_days {
        Some(days) => now.checked_add(SignedDuration::from_hours(days.saturating_mul(24))).ok(),
        None => around.graph.history_ends(now),
    };
    for event in &events.list {
        match *event {
            Event::InstanceStarted { .. } => {
                let begun =
                    InstanceRow { state: InstanceState::Active, ended: None, expires: None, ..row(around, instance) };
                let unique = envelope.act == Some(Act::BusinessKeyClaimed);
                let (initiator, trace) = (envelope.by.clone(), TraceContext::text(envelope.trace));
                changes.add(InstanceRow { initiator, started: now, unique, trace, ..begun });
            }
            Event::WaitOpened { details } => {
                if let Some(wait) = events.waits.get(details as usize) {
                    opened(changes, around, instance, wait, envelope, now);
                }
            }
            Event::WaitClosed { key: wait, kind, reason } => closed(changes, key, wait, kind, reason, now),
            Event::WaitChanged { key: wait, change } => {
                if let Some(kind) = events.changes.get(change as usize)
                    && let Some(wait) = instance.wait(wait)
                {
                    changed(changes, around, instance, (wait.key, wait.node, kind), envelope, now);
                }
            }
            Event::VariableSet { scope: ROOT, variable } => {
                if let Some((name, value)) = events.variables.get(variable as usize) {
                    match searchable(key, name, value) {
                        Some(variable) => changes.set_variable(variable),
                        None => changes.remove::<Variable>((key, name.clone())),
                    }
                }
            }
            Event::VariableRemoved { scope: ROOT, name } => {
                if let Some(Value::String(name)) = events.values.get(name as usize) {
                    changes.remove::<Variable>((key, name.clone()));
                }
            }
            Event::Migrated { .. } => migrated(changes, around, instance),
            Event::InstanceCompleted => changes.end_instance(key, InstanceState::Completed, now, expires()),
            Event::InstanceFailed { .. } => changes.end_instance(key, InstanceState::Failed, now, expires()),
            Event::InstanceCancelled { .. } => changes.end_instance(key, InstanceState::Cancelled, now, expires()),
            _ => {}
        }
    }
    tokens(changes, around.definition, instance, events, &mut apart.tokens);
    own_variables::follow(changes, instance, events, &mut apart.tasks);
}

/// What of an instance has rows that others of its kind do not have.
#[derive(Clone, Debug, Default)]
pub(crate) struct Apart {
    /// The numbers of its tokens. Those that wait at a task or a job have none: that says where they stand.
    tokens: BTreeSet<TokenId>,
    /// Its open tasks that have variables of their own.
    tasks: BTreeSet<Key>,
}

impl Apart {
    pub(crate) fn of(instance: &Instance) -> Self {
        let tokens = instance.tokens().map(|(token, _)| token).filter(|token| stands_apart(instance, *token));
        Self { tokens: tokens.collect(), tasks: own_variables::tasks(instance).map(|(task, _)| task).collect() }
    }
}

fn stands_apart(instance: &Instance, token: TokenId) -> bool {
    !instance.waits_of(token).any(|wait| matches!(wait.kind, WaitKind::UserTask(_) | WaitKind::Job(_)))
}

/// Where the tokens stand that the events have touched.
fn tokens(changes: &mut Changes, definition: Key, instance: &Instance, events: &Events, apart: &mut BTreeSet<TokenId>) {
    // By number: whether it may stand elsewhere than before.
    let mut touched = BTreeMap::new();
    for event in &events.list {
        let (token, has_moved) = match *event {
            Event::TokenCreated { token, .. } | Event::TokenMoved { token, .. } => (token, true),
            Event::TokenConsumed { token, .. }
            | Event::RoundEnded { token, .. }
            | Event::TokenWaited { token }
            | Event::TokenResumed { token }
            | Event::ScopeOpened { token, .. } => (token, false),
            Event::WaitOpened { details } => match events.waits.get(details as usize).map(|wait| wait.owner) {
                Some(Owner::Token(token)) => (token, false),
                _ => continue,
            },
            Event::Migrated { .. } => {
                touched.extend(instance.tokens().map(|(token, _)| (token, true)));
                continue;
            }
            _ => continue,
        };
        *touched.entry(token).or_default() |= has_moved;
    }
    let key = instance.key();
    for (token, has_moved) in touched {
        match instance.token(token).filter(|_| stands_apart(instance, token)) {
            Some(standing) => {
                let row = Token { instance: key, token, definition, node: standing.node };
                if apart.insert(token) {
                    changes.add(row);
                } else if has_moved {
                    changes.put(row);
                }
            }
            None if apart.remove(&token) => changes.remove::<Token>((key, token)),
            None => {}
        }
    }
}

/// All that waits stands on flow nodes of another definition from now on.
fn migrated(changes: &mut Changes, around: &Around<'_>, instance: &Instance) {
    let key = instance.key();
    changes.migrate_instance(key, around.definition, around.process());
    for wait in instance.waits() {
        let Some(node) = around.graph.get_node(wait.node) else { continue };
        let place = || Place {
            definition: around.definition,
            process: around.process(),
            node: node.id.clone(),
            name: node.name.clone(),
            lane: node.details.lane.clone(),
        };
        match &wait.kind {
            WaitKind::UserTask(_) => changes.migrate_task(key, wait.key, &place()),
            WaitKind::Job(_) => changes.migrate_job(key, wait.key, &place()),
            WaitKind::Timer(_) => changes.migrate_timer(key, wait.key, &place()),
            WaitKind::Incident(_) => changes.migrate_incident(key, wait.key, &place()),
            WaitKind::Message(_) | WaitKind::Signal(_) => {
                if let Some(subscription) = subscription(around, instance, (wait.key, wait.node, &wait.kind)) {
                    changes.put(subscription);
                }
            }
            _ => {}
        }
    }
}

/// An instance's own row as it is now, apart from who started it, when, and whether its business key is its own.
pub(crate) fn row(around: &Around<'_>, instance: &Instance) -> InstanceRow {
    let state = match instance.state() {
        State::Created | State::Active => InstanceState::Active,
        State::Completed => InstanceState::Completed,
        State::Failed { .. } => InstanceState::Failed,
        State::Cancelled { .. } => InstanceState::Cancelled,
    };
    InstanceRow {
        key: instance.key(),
        definition: around.definition,
        process: around.process(),
        business_key: instance.business_key().cloned(),
        tenant: around.tenant.clone(),
        parent: instance.caller().map(|caller| caller.instance),
        initiator: None,
        trace: None,
        started: instance.now(),
        state,
        suspended: around.suspended,
        unique: false,
        ended: (state != InstanceState::Active).then_some(instance.now()),
        expires: if state == InstanceState::Active { None } else { around.graph.history_ends(instance.now()) },
    }
}

fn opened(
    changes: &mut Changes,
    around: &Around<'_>,
    instance: &Instance,
    wait: &OpenedWait,
    envelope: &Envelope,
    now: Timestamp,
) {
    let (key, graph) = (instance.key(), around.graph);
    let Some(node) = graph.get_node(wait.node) else { return };
    match &wait.kind {
        WaitKind::UserTask(task) => changes.add_task(described(
            envelope,
            Task {
                instance: key,
                key: wait.key,
                definition: around.definition,
                process: around.process(),
                node: node.id.clone(),
                name: task.name.clone().or_else(|| node.name.clone()),
                assignee: task.assignee.clone(),
                owner: task.owner.clone(),
                candidate_users: task.candidate_users.clone(),
                candidate_groups: task.candidate_groups.clone(),
                priority: task.priority.unwrap_or(PRIORITY),
                due: task.due,
                follow_up: task.follow_up,
                form: task.form_key.clone(),
                lane: node.details.lane.clone(),
                tenant: around.tenant.clone(),
                created: now,
                ..Task::default()
            },
        )),
        WaitKind::Call(_)
        | WaitKind::Condition { .. }
        | WaitKind::AdHoc
        | WaitKind::Compensation(_)
        | WaitKind::Occurred(_) => {}
        WaitKind::Continuation { .. } => {
            let savepoint = savepoint(around, key, (wait.key, &wait.kind), now);
            changes.add(Work { suspended: savepoint.suspended || envelope.held.contains(&wait.key), ..savepoint });
        }
        WaitKind::Incident(incident) => changes.add(Incident {
            instance: key,
            key: wait.key,
            definition: around.definition,
            process: around.process(),
            node: node.id.clone(),
            code: incident.kind.code().into(),
            message: incident.message.clone(),
            tenant: around.tenant.clone(),
            raised: now,
            resolved: None,
            annotation: None,
        }),
        WaitKind::Job(_) => {
            if let Some(job) = job(around, key, (wait.key, wait.node, &wait.kind), now) {
                changes.add(Job { trace: TraceContext::text(envelope.trace), ..job });
            }
        }
        WaitKind::Timer(_) => {
            if let Some(timer) = timer(around, key, (wait.key, wait.node, &wait.kind)) {
                changes.add(Timer { suspended: timer.suspended || envelope.held.contains(&wait.key), ..timer });
            }
        }
        WaitKind::Message(_) | WaitKind::Signal(_) => {
            if let Some(subscription) = subscription(around, instance, (wait.key, wait.node, &wait.kind)) {
                changes.add(subscription);
            }
        }
    }
}

/// A task as whoever created it has said, if it belongs to no process.
fn described(envelope: &Envelope, task: Task) -> Task {
    match &envelope.act {
        Some(Act::TaskCreated { name, description, form, assignment, .. }) => {
            let (name, description, form) = (Some(name.clone()), description.clone(), form.clone());
            assignment.clone().of_task(Task { name, description, form, ..task })
        }
        _ => task,
    }
}

fn closed(changes: &mut Changes, instance: Key, wait: Key, kind: WaitType, reason: Closed, now: Timestamp) {
    let row = (instance, wait);
    match kind {
        WaitType::UserTask => {
            let state = match reason {
                Closed::Completed => TaskState::Completed,
                Closed::Cancelled => TaskState::Cancelled,
            };
            changes.end_task(instance, wait, state, now);
        }
        WaitType::Job => changes.remove::<Job>(row),
        WaitType::Timer => changes.remove::<Timer>(row),
        WaitType::Message | WaitType::Signal => changes.remove::<Subscription>(row),
        WaitType::Continuation => changes.remove::<Work>(row),
        WaitType::Incident => changes.resolve_incident(instance, wait, now),
        WaitType::Condition | WaitType::Call | WaitType::AdHoc | WaitType::Compensation | WaitType::Occurred => {}
    }
}

/// A wait: its key, its flow node, and what it is for.
type Waiting<'a> = (Key, u32, &'a WaitKind);

fn changed(
    changes: &mut Changes,
    around: &Around<'_>,
    instance: &Instance,
    wait: Waiting<'_>,
    envelope: &Envelope,
    now: Timestamp,
) {
    let key = instance.key();
    match wait.2 {
        WaitKind::Job(job) if envelope.act == Some(Act::JobPrioritised { job: wait.0 }) => {
            changes.set_job_priority(key, wait.0, job.priority);
        }
        WaitKind::Job(_) => {
            if let Some(mut job) = job(around, key, wait, now) {
                if let Some(Act::JobFailed { job: failed, error, details, worker, available }) = &envelope.act
                    && *failed == wait.0
                {
                    job.error = Some(error.clone());
                    job.details.clone_from(details);
                    job.worker.clone_from(worker);
                    job.available = *available;
                }
                changes.put(Job { counted: true, trace: TraceContext::text(envelope.trace), ..job });
            }
        }
        WaitKind::Continuation { .. } if is_put_off(envelope, wait.0) => {
            changes.reschedule_work(key, wait.0, wait.2.goes_on(now).unwrap_or(Timestamp::MAX));
        }
        // A try has taken it.
        WaitKind::Continuation { .. } => changes.put(savepoint(around, key, (wait.0, wait.2), now)),
        WaitKind::Timer(timer) => {
            changes.reschedule_timer(key, wait.0, wait.2.goes_on(timer.timer.due).unwrap_or(Timestamp::MAX));
        }
        WaitKind::Message(_) | WaitKind::Signal(_) => {
            if let Some(subscription) = subscription(around, instance, wait) {
                changes.put(subscription);
            }
        }
        _ => {}
    }
}

fn job(around: &Around<'_>, instance: Key, (key, node, kind): Waiting<'_>, now: Timestamp) -> Option<Job> {
    let WaitKind::Job(job) = kind else { return None };
    Some(Job {
        instance,
        key,
        definition: around.definition,
        process: around.process(),
        node: around.graph.get_node(node)?.id.clone(),
        topic: job.kind.clone(),
        tenant: around.tenant.clone(),
        priority: job.priority,
        retries: job.retries,
        error: None,
        details: None,
        counted: false,
        suspended: around.suspended,
        available: now,
        worker: None,
        lease: 0,
        leased_until: Timestamp::UNIX_EPOCH,
        trace: None,
    })
}

/// Whether somebody has only said when, or how urgently, something goes on.
fn is_put_off(envelope: &Envelope, wait: Key) -> bool {
    match envelope.act {
        Some(Act::TimerRescheduled { timer: it } | Act::JobPrioritised { job: it }) => it == wait,
        _ => false,
    }
}

/// What goes on behind a savepoint; never by itself once it has no tries left.
fn savepoint(around: &Around<'_>, instance: Key, (key, kind): (Key, &WaitKind), now: Timestamp) -> Work {
    let due = kind.goes_on(now).unwrap_or(Timestamp::MAX);
    Work { instance, key, kind: Chore::CONTINUE, due, suspended: around.suspended, ..Work::default() }
}

/// Holds a timer or savepoint back by itself, or no longer; says whether it is one.
pub(crate) fn hold(changes: &mut Changes, (instance, wait): (Key, Key), kind: &WaitKind, suspended: bool) -> bool {
    match kind {
        WaitKind::Timer(_) => changes.suspend_timer(instance, wait, suspended),
        WaitKind::Continuation { .. } => changes.suspend_work(instance, wait, suspended),
        _ => return false,
    }
    true
}

/// Those of the savepoints and timers that come to be which operators have said to hold back.
pub(crate) fn held_back(policies: &Policies, graph: &ProcessGraph, events: &Events) -> Vec<Key> {
    let is_held = |wait: &&OpenedWait| {
        let kind = DueType::of(&wait.kind);
        kind.zip(graph.get_node(wait.node)).is_some_and(|(kind, node)| policies.of(&node.id, kind).held)
    };
    events.waits.iter().filter(is_held).map(|wait| wait.key).collect()
}

/// A timer, which never fires by itself once it has no tries left.
fn timer(around: &Around<'_>, instance: Key, (key, node, kind): Waiting<'_>) -> Option<Timer> {
    let WaitKind::Timer(timer) = kind else { return None };
    let due = kind.goes_on(timer.timer.due).unwrap_or(Timestamp::MAX);
    Some(Timer {
        instance,
        key,
        definition: around.definition,
        process: around.process(),
        node: around.graph.get_node(node)?.id.clone(),
        due,
        suspended: around.suspended,
        leased_until: Timestamp::UNIX_EPOCH,
    })
}

fn subscription(around: &Around<'_>, instance: &Instance, (key, node, kind): Waiting<'_>) -> Option<Subscription> {
    let (kind, name, correlation) = match kind {
        WaitKind::Message(message) => {
            let correlation = message.correlation_key.as_ref().and_then(correlation);
            (SubscriptionKind::Message, message.name.clone(), correlation)
        }
        WaitKind::Signal(signal) => (SubscriptionKind::Signal, signal.name.clone(), None),
        _ => return None,
    };
    Some(Subscription {
        instance: instance.key(),
        key,
        definition: around.definition,
        kind,
        starts: false,
        name,
        correlation,
        business_key: instance.business_key().cloned(),
        tenant: around.tenant.clone(),
        started_by: instance.started_by(),
        process: around.process(),
        node: around.graph.get_node(node)?.id.clone(),
    })
}

/// A correlation key as text, the same for all values that are loosely equal. Lists and maps have none: they are compared
/// themselves.
pub(crate) fn correlation(value: &Value) -> Option<Name> {
    match value.plain() {
        Value::List(_) | Value::Map(_) | Value::DateTime(_) => None,
        Value::Number(_) => Some(match value.as_i64() {
            Some(whole) => whole.to_string().into(),
            None => value.to_string().into(),
        }),
        plain => Some(plain.to_string().into()),
    }
}

/// A variable as it is searched for; lists, maps and bytes are not.
pub(crate) fn searchable(instance: Key, name: &Name, value: &Value) -> Option<Variable> {
    let name = name.clone();
    Some(match value.plain() {
        Value::Null => Variable::null(instance, name),
        Value::Boolean(value) => Variable::boolean(instance, name, *value),
        Value::Integer(_) | Value::Number(_) => Variable::number(instance, name, value.as_f64().unwrap_or(0.0)),
        Value::List(_) | Value::Map(_) | Value::Bytes(_) | Value::Declared(_) => return None,
        plain => Variable::text(instance, name, plain.to_string().into()),
    })
}
