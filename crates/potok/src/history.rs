//! History as people tell it: what happened on which flow node, when, and who did it.

use std::collections::BTreeMap;

use potok_core::Name;
use potok_core::graph::{NodeKind, ProcessGraph};
use potok_core::instance::{
    Instance as State, Key, NONE, Owner, ROOT, ScopeKind, TokenId, TokenState, WaitKind, WaitType,
};
use potok_core::step::{Closed, Event, Events};
use potok_core::time::Timestamp;
use potok_core::value::Value;
use potok_store::row::{Instance as InstanceRow, InstanceState, LogRow};
use serde::Serialize;

use crate::engine::{Engine, Inner};
use crate::envelope::{Act, Envelope};
use crate::{Action, Case, Error, InstanceId, TaskId};

/// Rows that are read at once.
const PAGE: usize = 1000;

/// Something that happened to an instance.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Happening {
    /// The row of the instance's history, from 1.
    pub seq: u64,
    /// When it happened.
    pub time: Timestamp,
    /// Who did it, as far as it is a person's doing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<Name>,
    /// What happened.
    #[serde(flatten)]
    pub what: What,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "camelCase", rename_all_fields = "camelCase")]
#[non_exhaustive]
pub enum What {
    /// The instance began.
    Started,
    /// A flow node was entered, worked on or left. A repeated activity stands for each of its rounds.
    Element {
        /// The id of the flow node.
        element: Name,
        /// Its name.
        #[serde(skip_serializing_if = "Option::is_none")]
        name: Option<Name>,
        /// A number that all that happens on one visit has in common, counted in the instance from 1.
        visit: u64,
        /// What happened there.
        transition: Transition,
        /// When the visit began.
        since: Timestamp,
        /// The task, if it is a user task.
        #[serde(serialize_with = "as_text", skip_serializing_if = "Option::is_none")]
        task: Option<TaskId>,
        /// The instance that it called, if it is a call activity that has called one.
        #[serde(serialize_with = "as_text", skip_serializing_if = "Option::is_none")]
        called: Option<InstanceId>,
    },
    /// A variable was set.
    VariableSet {
        /// Its name.
        variable: Name,
        /// Its value.
        #[serde(serialize_with = "as_json")]
        value: Value,
        /// The visit whose own it is; none if it is the process's.
        #[serde(skip_serializing_if = "Option::is_none")]
        visit: Option<u64>,
    },
    /// A variable was removed.
    VariableRemoved {
        /// Its name.
        variable: Name,
        /// The visit whose own it was; none if it was the process's.
        #[serde(skip_serializing_if = "Option::is_none")]
        visit: Option<u64>,
    },
    /// What a variable had held was erased: its values before are null.
    VariableErased {
        /// Its name.
        variable: Name,
    },
    /// Something got stuck.
    IncidentRaised {
        /// The id of the flow node.
        element: Name,
        /// What went wrong.
        code: Name,
        /// In words.
        message: Name,
    },
    /// It goes on.
    IncidentResolved {
        /// The id of the flow node.
        element: Name,
    },
    /// The instance went over to another version or process.
    Migrated {
        /// The id of the process that it runs from now on.
        process: Name,
    },
    /// An operator says why what was just told was done.
    Explained {
        /// In the operator's words.
        reason: Name,
    },
    /// Nothing goes on until it is resumed.
    Suspended,
    /// It goes on.
    Resumed,
    /// The instance ended as its model says.
    Completed,
    /// The instance ended by an error that nothing caught.
    Failed {
        /// The error's code.
        code: Name,
    },
    /// The instance was ended from outside.
    Cancelled {
        /// Why.
        #[serde(skip_serializing_if = "Option::is_none")]
        reason: Option<Name>,
    },
}

/// What happens to a visit of a flow node: the transitions of the lifecycle extension of XES (IEEE 1849) that apply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Transition {
    /// A token waits at the savepoint before it.
    Schedule,
    /// It began.
    Start,
    /// Somebody has the task.
    Assign,
    /// Somebody else has the task, or nobody any more.
    Reassign,
    /// It is complete.
    Complete,
    /// It was cancelled.
    AteAbort,
}

impl Transition {
    /// Its name in XES.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Schedule => "schedule",
            Self::Start => "start",
            Self::Assign => "assign",
            Self::Reassign => "reassign",
            Self::Complete => "complete",
            Self::AteAbort => "ate_abort",
        }
    }
}

#[expect(clippy::ref_option, reason = "serde hands fields over so")]
fn as_text<T: std::fmt::Display, S: serde::Serializer>(id: &Option<T>, serializer: S) -> Result<S::Ok, S::Error> {
    match id {
        Some(id) => serializer.collect_str(id),
        None => serializer.serialize_none(),
    }
}

fn as_json<S: serde::Serializer>(value: &Value, serializer: S) -> Result<S::Ok, S::Error> {
    value.to_json().serialize(serializer)
}

impl Case {
    /// What happened to it, the oldest first.
    ///
    /// # Errors
    /// If there is no such instance, or its history cannot be read.
    pub async fn happenings(&self) -> Result<Vec<Happening>, Error> {
        let row = self.get().await?;
        let mut telling = Telling::of(&row);
        let mut all = Vec::new();
        while let Some(some) = telling.next(&self.engine().inner).await? {
            all.extend(some);
        }
        Ok(all)
    }
}

/// How often a flow node was left, and how long that took.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FinishedElement {
    /// The id of the flow node.
    pub node: Name,
    /// How often it was completed.
    pub completed: u64,
    /// How often it was cancelled.
    pub cancelled: u64,
    /// The time that the completed visits took, all together.
    pub taken: jiff::SignedDuration,
}

impl FinishedElement {
    /// The time that a completed visit took on average.
    #[must_use]
    pub fn mean(&self) -> Option<jiff::SignedDuration> {
        let visits = i128::from(self.completed);
        (visits > 0).then(|| jiff::SignedDuration::from_nanos_i128(self.taken.as_nanos() / visits))
    }
}

impl Engine {
    /// How often each flow node was left in the instances that are searched for, and how long that took. Flow nodes of one id are
    /// counted together, whatever their version.
    ///
    /// It is told by the histories of these instances, which are read for it: narrow them by process and time.
    ///
    /// # Errors
    /// If a history cannot be read.
    pub async fn finished(&self, query: &potok_store::query::InstanceQuery) -> Result<Vec<FinishedElement>, Error> {
        let mut finished: BTreeMap<Name, FinishedElement> = BTreeMap::new();
        let mut query = crate::alone::of_processes(query.clone());
        self.access(Action::SeeAll, &"").await?.narrow(&mut query.sight);
        query.page.limit.get_or_insert(PAGE);
        loop {
            let page = self.inner.store.list(&query).await?;
            for row in &page.rows {
                let mut telling = Telling::of(row);
                while let Some(happenings) = telling.next(&self.inner).await? {
                    for Happening { time, what, .. } in happenings {
                        let What::Element { element, transition, since, .. } = what else { continue };
                        let entry = || FinishedElement { node: element.clone(), ..FinishedElement::default() };
                        match transition {
                            Transition::Complete => {
                                let entry = finished.entry(element.clone()).or_insert_with(entry);
                                entry.completed += 1;
                                entry.taken = entry.taken.saturating_add(time.duration_since(since));
                            }
                            Transition::AteAbort => {
                                finished.entry(element.clone()).or_insert_with(entry).cancelled += 1;
                            }
                            _ => {}
                        }
                    }
                }
            }
            match page.next {
                Some(next) => query.page.after = Some(next),
                None => return Ok(finished.into_values().collect()),
            }
        }
    }
}

/// A token on a flow node.
#[derive(Debug)]
struct Visit {
    node: u32,
    number: u64,
    since: Timestamp,
    task: Option<Key>,
    called: Option<InstanceId>,
    assignee: Option<Name>,
    /// It waits at the savepoint before it.
    scheduled: bool,
    /// It is the loop around rounds, which are told instead.
    hidden: bool,
    /// Who has done what completes it.
    by: Option<Name>,
}

/// Tells an instance's history, a page of its log at a time.
#[derive(Debug)]
pub(crate) struct Telling {
    state: State,
    seq: u64,
    visits: BTreeMap<TokenId, Visit>,
    entered: u64,
    told: Vec<Happening>,
    over: bool,
}

/// A row of the log, and what is the same for all of its events.
struct Row<'a> {
    row: &'a LogRow,
    graph: &'a ProcessGraph,
    by: Option<Name>,
}

impl Telling {
    pub(crate) fn of(row: &InstanceRow) -> Self {
        Self { state: State::new(row.key), seq: 0, visits: BTreeMap::new(), entered: 0, told: Vec::new(), over: false }
    }

    /// What happened next; nothing after the end.
    pub(crate) async fn next(&mut self, engine: &Inner) -> Result<Option<Vec<Happening>>, Error> {
        if self.over {
            return Ok(None);
        }
        let instance = self.state.key();
        let damaged = |error| Error::Damaged { instance: InstanceId(instance), error };
        let rows = engine.store.history(instance, self.seq, PAGE).await?;
        self.over = rows.len() < PAGE;
        for row in &rows {
            let events = Events::decode(&row.events).map_err(damaged)?;
            let deployed = engine.catalog.get(row.definition).await?;
            let deployed = deployed.ok_or(Error::UnknownDefinition(row.definition.into()))?;
            let envelope = Envelope::decode(&row.envelope);
            let row = Row { row, graph: &deployed.graph, by: envelope.by.clone() };
            for (index, event) in events.list.iter().enumerate() {
                self.note(&row, &events, &events.list[index..]);
                self.state.apply(*event, &events);
                if matches!(event, Event::Migrated { .. }) {
                    self.migrated(&row);
                }
            }
            if let Some(act) = envelope.act {
                self.act(&row, act);
            }
            self.seq = row.row.seq;
        }
        Ok(Some(std::mem::take(&mut self.told)))
    }

    fn tell(&mut self, row: &Row<'_>, by: Option<Name>, what: What) {
        self.told.push(Happening { seq: row.row.seq, time: row.row.time, by, what });
    }

    /// Notes the first of the events that come, before it is applied.
    fn note(&mut self, row: &Row<'_>, events: &Events, coming: &[Event]) {
        let by = row.by.clone();
        match *coming {
            [Event::InstanceStarted { .. }, ..] => self.tell(row, by, What::Started),
            [Event::TokenCreated { token, scope, node }, ref rest @ ..]
                if !rest.first().is_some_and(|next| self.is_fork(*next, token, scope, node)) =>
            {
                self.enter(row, token, node);
            }
            [Event::TokenMoved { token, node, .. }, ..] => {
                self.leave(row, token, Transition::Complete);
                self.enter(row, token, node);
            }
            [Event::TokenConsumed { token, cancelled }, ..] => {
                self.leave(row, token, if cancelled { Transition::AteAbort } else { Transition::Complete });
            }
            [Event::RoundEnded { token, .. }, ..] => self.leave(row, token, Transition::Complete),
            [Event::ScopeOpened { kind: ScopeKind::Loop, .. }, Event::LoopStarted { total: 0, .. }, ..] => {}
            [Event::ScopeOpened { kind: ScopeKind::Loop, token, .. }, ..] => self.hide(row, token),
            [Event::WaitOpened { details }, ..] => {
                if let Some(wait) = events.waits.get(details as usize) {
                    self.opened(row, wait);
                }
            }
            [Event::WaitClosed { key, kind, reason }, ..] => self.closed(row, (key, kind), reason),
            [Event::VariableSet { scope, variable }, ..] => {
                if let Some((variable, value)) = events.variables.get(variable as usize).cloned() {
                    let visit = self.visit_of(scope);
                    self.tell(row, by, What::VariableSet { variable, value, visit });
                }
            }
            [Event::VariableRemoved { scope, name }, ..] => {
                if let Some(Value::String(variable)) = events.values.get(name as usize).cloned() {
                    let visit = self.visit_of(scope);
                    self.tell(row, by, What::VariableRemoved { variable, visit });
                }
            }
            [Event::InstanceCompleted, ..] => self.tell(row, None, What::Completed),
            [Event::InstanceFailed { code, .. }, ..] => {
                let code = text(events, code).unwrap_or_default();
                self.tell(row, None, What::Failed { code });
            }
            [Event::InstanceCancelled { reason }, ..] => {
                let reason = text(events, reason);
                self.tell(row, by, What::Cancelled { reason });
            }
            _ => {}
        }
    }

    /// The visit that a scope belongs to; none if it is the process's.
    fn visit_of(&self, scope: u32) -> Option<u64> {
        let scope = self.state.scope(scope).filter(|_| scope != ROOT)?;
        self.visits.get(&scope.owner).map(|visit| visit.number)
    }

    /// What is visited stands in another process from now on.
    fn migrated(&mut self, row: &Row<'_>) {
        for (token, visit) in &mut self.visits {
            if let Some(token) = self.state.token(*token) {
                visit.node = token.node;
            }
        }
        self.tell(row, row.by.clone(), What::Migrated { process: row.graph.id().clone() });
    }

    /// Whether a token is made to take another flow out of the flow node that its twin leaves: it does not enter that node.
    fn is_fork(&self, next: Event, token: TokenId, scope: u32, node: u32) -> bool {
        matches!(next, Event::TokenMoved { token: moved, flow, .. } if moved == token && flow != NONE)
            && self
                .state
                .tokens()
                .any(|(_, other)| other.scope == scope && other.node == node && other.state == TokenState::Moving)
    }

    fn enter(&mut self, row: &Row<'_>, token: TokenId, node: u32) {
        self.entered += 1;
        let is_start = row.graph.get_node(node).is_some_and(|node| matches!(node.kind, NodeKind::StartEvent(_)));
        let visit = Visit {
            node,
            number: self.entered,
            since: row.row.time,
            task: None,
            called: None,
            assignee: None,
            scheduled: false,
            hidden: false,
            by: row.by.clone().filter(|_| is_start),
        };
        self.visits.insert(token, visit);
        self.pass(row, token, Transition::Start, None);
    }

    fn leave(&mut self, row: &Row<'_>, token: TokenId, transition: Transition) {
        let by = self.visits.get(&token).and_then(|visit| visit.by.clone());
        self.pass(row, token, transition, by);
        self.visits.remove(&token);
    }

    fn pass(&mut self, row: &Row<'_>, token: TokenId, transition: Transition, by: Option<Name>) {
        let Some(visit) = self.visits.get(&token).filter(|visit| !visit.hidden) else { return };
        let Some(node) = row.graph.get_node(visit.node) else { return };
        let what = What::Element {
            element: node.id.clone(),
            name: node.name.clone(),
            visit: visit.number,
            transition,
            since: visit.since,
            task: visit.task.map(TaskId),
            called: visit.called,
        };
        self.tell(row, by, what);
    }

    /// What was entered turns out to be a loop: its rounds are told, not the loop around them.
    fn hide(&mut self, row: &Row<'_>, token: TokenId) {
        let Some(visit) = self.visits.get_mut(&token) else { return };
        let began = |it: &Happening| {
            it.seq == row.row.seq && matches!(&it.what, What::Element { visit: number, .. } if *number == visit.number)
        };
        if let Some(index) = self.told.iter().rposition(began) {
            self.told.remove(index);
            visit.hidden = true;
        }
    }

    fn opened(&mut self, row: &Row<'_>, wait: &potok_core::step::OpenedWait) {
        if let WaitKind::Incident(incident) = &wait.kind {
            let element = row.graph.get_node(wait.node).map(|node| node.id.clone()).unwrap_or_default();
            let code = incident.kind.code().into();
            let message = incident.message.clone();
            return self.tell(row, None, What::IncidentRaised { element, code, message });
        }
        let Owner::Token(token) = wait.owner else { return };
        let Some(visit) = self.visits.get_mut(&token) else { return };
        match &wait.kind {
            WaitKind::Continuation { after: false, .. } => {
                visit.scheduled = true;
                let number = visit.number;
                let start = self.told.iter_mut().rev().find_map(|it| match &mut it.what {
                    What::Element { visit, transition, .. } if *visit == number => Some(transition),
                    _ => None,
                });
                if let Some(start) = start {
                    *start = Transition::Schedule;
                }
            }
            WaitKind::UserTask(task) => {
                visit.task = Some(wait.key);
                visit.assignee.clone_from(&task.assignee);
                if let Some(assignee) = task.assignee.clone() {
                    self.pass(row, token, Transition::Assign, Some(assignee));
                }
            }
            // The call's key is that of the instance that it calls.
            WaitKind::Call(_) => {
                visit.called = Some(InstanceId(wait.key));
                let (number, instance) = (visit.number, visit.called);
                let start = self.told.iter_mut().rev().find_map(|it| match &mut it.what {
                    What::Element { visit, called, .. } if *visit == number => Some(called),
                    _ => None,
                });
                if let Some(called) = start {
                    *called = instance;
                }
            }
            _ => {}
        }
    }

    fn closed(&mut self, row: &Row<'_>, (key, kind): (Key, WaitType), reason: Closed) {
        let Some(wait) = self.state.wait(key) else { return };
        let (owner, node) = (wait.owner, wait.node);
        if kind == WaitType::Incident {
            let element = row.graph.get_node(node).map(|node| node.id.clone()).unwrap_or_default();
            return self.tell(row, row.by.clone(), What::IncidentResolved { element });
        }
        let Owner::Token(token) = owner else { return };
        let Some(visit) = self.visits.get_mut(&token).filter(|_| reason == Closed::Completed) else { return };
        match kind {
            WaitType::UserTask => visit.by = row.by.clone().or_else(|| visit.assignee.clone()),
            WaitType::Job if visit.node == node => visit.by.clone_from(&row.by),
            WaitType::Continuation if visit.scheduled => {
                (visit.scheduled, visit.since) = (false, row.row.time);
                self.pass(row, token, Transition::Start, None);
            }
            _ => {}
        }
    }

    /// What is no event of the process.
    fn act(&mut self, row: &Row<'_>, act: Act) {
        let by = row.by.clone();
        match act {
            Act::TaskChanged { task, assignment } => {
                let found = self.visits.iter_mut().find(|(_, visit)| visit.task == Some(task));
                if let Some((token, visit)) = found
                    && visit.assignee != assignment.assignee
                {
                    let token = *token;
                    let before = std::mem::replace(&mut visit.assignee, assignment.assignee.clone());
                    let transition = if before.is_none() { Transition::Assign } else { Transition::Reassign };
                    self.pass(row, token, transition, assignment.assignee);
                }
            }
            Act::TaskCreated { assignment, .. } => {
                let found = self.visits.iter_mut().find(|(_, visit)| visit.task.is_some());
                if let Some((token, visit)) = found
                    && assignment.assignee.is_some()
                {
                    let token = *token;
                    visit.assignee.clone_from(&assignment.assignee);
                    self.pass(row, token, Transition::Assign, assignment.assignee);
                }
            }
            Act::JobFailed { .. }
            | Act::JobPrioritised { .. }
            | Act::TimerRescheduled { .. }
            | Act::TimerSuspended { .. }
            | Act::BusinessKeyClaimed => {}
            Act::VariableErased { name } => self.tell(row, by, What::VariableErased { variable: name }),
            Act::Explained { reason } => self.tell(row, by, What::Explained { reason }),
            Act::Suspended => self.tell(row, by, What::Suspended),
            Act::Resumed => self.tell(row, by, What::Resumed),
        }
    }
}

fn text(events: &Events, index: u32) -> Option<Name> {
    match events.values.get(index as usize) {
        Some(Value::String(text)) => Some(text.clone()),
        _ => None,
    }
}

/// Whether an instance runs, in a word.
pub(crate) fn word(state: InstanceState) -> &'static str {
    match state {
        InstanceState::Active => "active",
        InstanceState::Completed => "completed",
        InstanceState::Failed => "failed",
        InstanceState::Cancelled => "cancelled",
    }
}
