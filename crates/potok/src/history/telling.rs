//! A history told: the log of an instance, event by event.

use std::collections::BTreeMap;

use potok_core::Name;
use potok_core::graph::{NodeKind, ProcessGraph};
use potok_core::instance::{
    Instance as State, Key, NONE, Owner, ROOT, ScopeKind, TokenId, TokenState, WaitKind, WaitType,
};
use potok_core::step::{Closed, Event, Events};
use potok_core::time::Timestamp;
use potok_core::value::Value;
use potok_store::row::{Instance as InstanceRow, LogRow};

use super::{Happening, PAGE, Transition, What};
use crate::engine::Inner;
use crate::envelope::{Act, Envelope};
use crate::{Error, InstanceId, TaskId};

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
            | Act::IncidentAnnotated { .. }
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
