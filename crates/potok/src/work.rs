//! Follow-up work: rows that are removed in the transaction that does them.

use potok_core::Name;
use potok_core::instance::{Key, Ordinal};
use potok_core::routing::{Brought, Listeners, Noted, StartPoint, StartTimer, TimedStart, World as _, start_triggers};
use potok_core::step::{Command, DueType, StartAt, ThrownSignal};
use potok_store::Guard;
use potok_store::query::{Paging, SubscriptionQuery};
use potok_store::row::{Subscription, SubscriptionKind, Work as WorkRow};
use serde::{Deserialize, Serialize};

use crate::attempt::{After, signal_starts};
use crate::engine::Inner;
use crate::{Boxed, Error};

/// Listeners of a signal that one unit of work takes down.
const PAGE: usize = 500;

/// What kinds of follow-up work there are.
pub(crate) struct Chore;

impl Chore {
    /// A timer starts a process: the row's instance is its definition.
    pub(crate) const START_TIMER: u32 = 1;
    /// An instance goes on behind a savepoint.
    pub(crate) const CONTINUE: u32 = 2;
    /// A signal goes to all who listen.
    pub(crate) const SPREAD: u32 = 3;
    /// A signal goes to an instance.
    pub(crate) const SIGNAL: u32 = 4;
    /// A signal starts a process: the row's instance is its definition.
    pub(crate) const SIGNAL_START: u32 = 5;
    /// One of several definitions of a start event has occurred: the row's instance is its process's definition. Once it has been
    /// looked at it is never due, but taken by the last of them.
    pub(crate) const OCCURRED: u32 = 6;
    /// A timer's start of a process has failed, and is tried again: the row's instance is its definition.
    pub(crate) const START_AGAIN: u32 = 7;
    /// Variables of tasks' own are to be written as rows: left by the migration that made their table.
    pub(crate) const TASK_VARIABLES: u32 = 8;
    /// Savepoints or timers of a flow node are held back from then on, or go on: it belongs to no stream.
    pub(crate) const HOLD: u32 = 9;
}

/// What has occurred of a start event that needs several definitions.
pub(crate) struct Occurred {
    pub(crate) node: Ordinal,
    pub(crate) noted: Noted,
}

impl Occurred {
    pub(crate) fn encode(&self) -> Vec<u8> {
        [&self.node.to_le_bytes()[..], &self.noted.encode()].concat()
    }

    pub(crate) fn decode(row: &WorkRow) -> Option<Self> {
        let (node, noted) = row.payload.split_first_chunk().filter(|_| row.kind == Chore::OCCURRED)?;
        Some(Self { node: u32::from_le_bytes(*node), noted: Noted::decode(noted).ok()? })
    }
}

/// A signal on its way to all who listen.
#[derive(Clone)]
pub(crate) struct Spread {
    /// The instance that threw it.
    pub(crate) from: Option<Key>,
    pub(crate) tenant: Name,
    /// Who began to listen after it was thrown does not hear it.
    pub(crate) before: Key,
    /// Up to there all know.
    pub(crate) after: Option<potok_store::Cursor>,
    /// Instances that have heard it when it was thrown, in the keys' order.
    pub(crate) told: Vec<Key>,
    pub(crate) signal: ThrownSignal,
}

/// All of a [`Spread`] but the signal. What was written before there were instances that had heard it has no last field.
#[derive(Serialize, Deserialize)]
struct Head(Option<Key>, Name, Key, String, #[serde(default)] Vec<Key>);

impl Spread {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let after = self.after.as_ref().map(ToString::to_string).unwrap_or_default();
        let head = Head(self.from, self.tenant.clone(), self.before, after, self.told.clone());
        let head = serde_json::to_vec(&head).unwrap_or_default();
        let length = u32::try_from(head.len()).unwrap_or(0).to_le_bytes();
        [&length[..], &head, &self.signal.encode()].concat()
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let (length, rest) = bytes.split_first_chunk()?;
        let (head, signal) = rest.split_at_checked(usize::try_from(u32::from_le_bytes(*length)).ok()?)?;
        let Head(from, tenant, before, after, told) = serde_json::from_slice(head).ok()?;
        let after = if after.is_empty() { None } else { Some(after.parse().ok()?) };
        Some(Self { from, tenant, before, after, told, signal: ThrownSignal::decode(signal).ok()? })
    }
}

impl Inner {
    /// Does follow-up work, if nobody has done it yet. What it leads to is left to the caller.
    pub(crate) fn do_chore<'a>(&'a self, work: &'a WorkRow) -> Boxed<'a, Result<After, Error>> {
        Box::pin(async move {
            let guard = Guard::Work { instance: work.instance, work: work.key };
            match work.kind {
                Chore::START_TIMER | Chore::START_AGAIN => self.start_by_timer(work, &guard).await,
                Chore::CONTINUE => {
                    self.transact_once(&guard, |attempt, asked| {
                        if attempt.instance(work.instance)?.is_some() {
                            // It was taken in the moment in which the instance was suspended.
                            if attempt.loaded(work.instance).is_some_and(|loaded| loaded.suspended) {
                                return Ok(false);
                            }
                            if let Ok(requests) =
                                attempt.step(work.instance, Command::Continue { continuation: work.key })
                            {
                                asked.ask(work.instance, requests);
                            }
                        }
                        Ok(true)
                    })
                    .await
                }
                Chore::SPREAD => self.spread(work, &guard).await,
                Chore::SIGNAL => {
                    let Ok(ThrownSignal { name, payload, .. }) = ThrownSignal::decode(&work.payload) else {
                        return self.drop_chore(&guard).await;
                    };
                    let command = || Command::DeliverSignal { name: name.clone(), variables: payload.clone() };
                    self.give_once(&guard, work.instance, command).await
                }
                Chore::SIGNAL_START => self.start_by_signal(work, &guard).await,
                Chore::OCCURRED => self.start_by_several(work, &guard).await,
                Chore::HOLD => self.hold_later(work, &guard).await,
                // A newer version's work is left to it.
                _ => Ok(After::default()),
            }
        })
    }

    /// Gives an instance a command; one that does not wait for it any more has no need of it.
    async fn give_once(
        &self,
        guard: &Guard,
        instance: Key,
        command: impl Fn() -> Command + Send + Sync,
    ) -> Result<After, Error> {
        self.transact_once(guard, |attempt, work| {
            if attempt.instance(instance)?.is_some()
                && let Ok(requests) = attempt.step(instance, command())
            {
                work.ask(instance, requests);
            }
            Ok(true)
        })
        .await
    }

    async fn drop_chore(&self, guard: &Guard) -> Result<After, Error> {
        self.transact_once(guard, |_, _| Ok(true)).await
    }

    async fn start_by_timer(&self, row: &WorkRow, guard: &Guard) -> Result<After, Error> {
        let Some(deployed) = self.catalog.current(row.instance).await? else { return self.drop_chore(guard).await };
        let graph = &deployed.graph;
        let mut one_of_several = None;
        let (start, next) = match row.kind {
            Chore::START_AGAIN => (TimedStart::decode(&row.payload), None),
            _ => match StartTimer::decode(&row.payload) {
                Ok(timer) => {
                    one_of_several = timer.one_of_several(graph);
                    (Ok(TimedStart::of(graph, timer.node, self.clock.now())), timer.next())
                }
                Err(error) => (Err(error), None),
            },
        };
        let Ok(start) = start else { return self.drop_chore(guard).await };
        let policy = self.catalog.policies(row.instance).map(|all| all.of(&graph.node(start.node).id, DueType::Timer));
        let holds = policy.is_some_and(|policy| policy.held);
        self.transact_once(guard, |attempt, work| {
            attempt.known(deployed.clone());
            if let Some(next) = &next {
                let next = attempt.later(row.instance, Chore::START_TIMER, next.timer.due, next.encode());
                if holds {
                    attempt.changes.suspend_work(next.instance, next.key, true);
                }
            }
            if deployed.definition.suspended {
                return Ok(true);
            }
            if let Some(point) = &one_of_several {
                work.trigger(attempt, point, &Brought::default())?;
                return Ok(true);
            }
            if let Some(failure) = attempt.failure().cloned() {
                attempt.has_undone(failure.clone());
                let again = start.failed(failure, attempt.now);
                let due = again.retry.due.unwrap_or(attempt.now);
                let again = attempt.later(row.instance, Chore::START_AGAIN, due, again.encode());
                // What was held back, and is done by hand, stays so.
                if holds || row.suspended {
                    attempt.changes.suspend_work(again.instance, again.key, true);
                }
                return Ok(true);
            }
            let command = Command::Start {
                at: StartAt::Event(graph.node(start.node).id.clone()),
                business_key: None,
                variables: Vec::new(),
                caller: None,
                started_by: None,
                initiator: None,
            };
            if start.is_undone(graph) {
                attempt.undoes((row.instance, row.key));
            }
            if let Ok((key, requests)) = attempt.begin(None, graph.clone(), command) {
                work.ask(key, requests);
            }
            Ok(true)
        })
        .await
    }

    /// One of several definitions of a start event has occurred: perhaps the last that was missing.
    async fn start_by_several(&self, row: &WorkRow, guard: &Guard) -> Result<After, Error> {
        let (Some(deployed), Some(occurred)) = (self.catalog.get(row.instance).await?, Occurred::decode(row)) else {
            return self.drop_chore(guard).await;
        };
        let Occurred { node, noted } = occurred;
        let mut triggers = start_triggers(&deployed.graph);
        let trigger = triggers.find(|trigger| (trigger.node, trigger.definition) == (node, noted.definition));
        let Some(trigger) = trigger else { return self.drop_chore(guard).await };
        let point = StartPoint::of(&deployed.graph, &trigger);
        let brought = Brought { payload: noted.payload, ..Brought::default() };
        self.transact_once(guard, |attempt, work| {
            attempt.known(deployed.clone());
            attempt.looks_at(row.key);
            work.trigger(attempt, &point, &brought)?;
            Ok(true)
        })
        .await
    }

    /// Takes down a page of those who listen, each as work of its own.
    async fn spread(&self, row: &WorkRow, guard: &Guard) -> Result<After, Error> {
        let Some(spread) = Spread::decode(&row.payload) else { return self.drop_chore(guard).await };
        let query = SubscriptionQuery {
            kind: Some(SubscriptionKind::Signal),
            names: vec![spread.signal.name.clone()],
            tenant: Some(spread.tenant.clone()),
            page: Paging { after: spread.after.clone(), limit: Some(PAGE), ..Paging::default() },
            ..SubscriptionQuery::default()
        };
        let page = self.store.list(&query).await?;
        let has_heard = |key: Key| Some(key) == spread.from || spread.told.binary_search(&key).is_ok();
        let listens = |row: &&Subscription| row.key < spread.before && (row.starts || !has_heard(row.instance));
        let mut listeners: Vec<(Key, bool)> =
            page.rows.iter().filter(listens).map(|row| (row.instance, row.starts)).collect();
        listeners.sort_unstable();
        listeners.dedup();
        let next = page.next.map(|after| Spread { after: Some(after), ..spread.clone() });
        let told = std::sync::Mutex::new(Vec::new());
        let told_later = self.transact_once(guard, |attempt, _| {
            let mut rows = Vec::new();
            for (instance, starts) in &listeners {
                let (kind, payload) = match starts {
                    true => (Chore::SIGNAL_START, spread.encode()),
                    false => (Chore::SIGNAL, spread.signal.encode()),
                };
                rows.push(attempt.later(*instance, kind, attempt.now, payload));
            }
            if let Some(next) = &next {
                rows.push(attempt.later(Key(0), Chore::SPREAD, attempt.now, next.encode()));
            }
            *told.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = rows;
            Ok(true)
        });
        let mut after = told_later.await?;
        let told = told.into_inner().unwrap_or_default();
        // As long as they are few, whoever sent the signal sees what came of it.
        if told.len() <= PAGE / 5 {
            after.spread.extend(told);
        }
        Ok(after)
    }

    async fn start_by_signal(&self, row: &WorkRow, guard: &Guard) -> Result<After, Error> {
        let decoded = Spread::decode(&row.payload);
        let (Some(deployed), Some(Spread { from, signal, .. })) = (self.catalog.current(row.instance).await?, decoded)
        else {
            return self.drop_chore(guard).await;
        };
        let points = signal_starts(&deployed.graph, &signal.name);
        self.transact_once(guard, |attempt, work| {
            attempt.known(deployed.clone());
            if !deployed.definition.suspended {
                let listeners = Listeners { instances: Vec::new(), starts: points.clone() };
                work.tell(&signal.name, &signal.payload, from, listeners);
            }
            Ok(true)
        })
        .await
    }
}
