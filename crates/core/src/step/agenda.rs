//! What is still to be done in a step: first in, first out, so that branches take turns. In Camunda 7's dialect each branch goes on
//! to its next wait before the next one begins, as there.

use super::{Event, Step};
use crate::behaviour::{complex_gateway, inclusive_gateway, sub_process, user_task};
use crate::dialect::{Dialect, ListenerStage};
use crate::graph::{Arrival, NodeKind};
use crate::instance::{IncidentKind, IncidentStage, Ordinal, ScopeId, TokenId};

/// Where a token goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Has arrived at a flow node.
    Enter,
    /// Its savepoint before the flow node is passed.
    Begin,
    /// Its scope is open: start listeners from this one on, then the work.
    Listen(u32),
    /// Does the flow node's work.
    Execute,
    /// Its user task is about to stand: create listeners from this one on, and those after them.
    Create(u32),
    /// Its user task is about to stand: assignment listeners from this one on, and those after them.
    Assign(u32),
    /// What its event throws, from this one on: what comes before has been waited for.
    Throw(u32),
    /// The work is done: complete listeners from this one on.
    Done(u32),
    /// Its user task is gone: delete listeners from this one on (Flowable).
    Delete(u32),
    /// The work is done, and its listeners have been called.
    Complete,
    /// Output mappings are done: end listeners from this one on.
    Finish(u32),
    /// Is to take its flows out.
    Leave,
    /// Is to take this flow.
    Take(Ordinal),
    /// Is to take the flows out of its complex gateway that is reset.
    Reset,
    /// Its path is at its end.
    End,
}

/// A token at a stage.
#[derive(Clone, Copy, Debug)]
struct Turn {
    /// The token's number below its serial: written and read as one, for the processor waits where two halves that were just written are
    /// read as one.
    token: u64,
    stage: Stage,
}

impl Turn {
    #[inline]
    fn new(token: TokenId, serial: u32, stage: Stage) -> Self {
        Self { token: u64::from(serial) << 32 | u64::from(token), stage }
    }

    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "the two halves")]
    fn token(self) -> (TokenId, u32) {
        (self.token as u32, (self.token >> 32) as u32)
    }
}

/// The agenda, with the scopes whose joins may have to be asked again.
#[derive(Debug, Default)]
pub(crate) struct Agenda {
    /// What stands before `next` is done; branch by branch the last is the next.
    turns: Vec<Turn>,
    next: usize,
    branch_by_branch: bool,
    touched: Vec<ScopeId>,
}

impl Agenda {
    fn push(&mut self, turn: Turn) {
        if self.turns.len() == self.turns.capacity() && self.next > self.turns.len() / 2 {
            // Most of it is done: there is room without growing.
            self.turns.drain(..self.next);
            self.next = 0;
        }
        self.turns.push(turn);
    }

    /// The next of all, in their turn.
    #[inline]
    fn first(&mut self) -> Option<Turn> {
        let turn = *self.turns.get(self.next)?;
        self.next += 1;
        if self.next == self.turns.len() {
            self.turns.clear();
            self.next = 0;
        }
        Some(turn)
    }

    /// What was added from there on comes before all else, in its order.
    fn put_first(&mut self, from: usize) {
        if let Some(added) = self.turns.get_mut(from..) {
            added.reverse();
        }
    }

    /// What was added last comes before what has been added from there on.
    fn bring_forward(&mut self, from: usize) {
        if self.branch_by_branch
            && let Some(added @ [_, _, ..]) = self.turns.get_mut(from..)
        {
            added.rotate_right(1);
        }
    }

    fn is_empty(&self) -> bool {
        self.turns.is_empty()
    }
}

impl Step<'_, '_> {
    /// Puts a token on the agenda.
    #[inline]
    pub(crate) fn schedule(&mut self, token: TokenId, stage: Stage) {
        let Some(serial) = self.instance.tokens.get(token).map(|token| token.serial) else { return };
        self.schedule_serial(token, serial, stage);
    }

    /// Puts a token whose serial is known on the agenda.
    #[inline]
    pub(super) fn schedule_serial(&mut self, token: TokenId, serial: u32, stage: Stage) {
        self.context.agenda.push(Turn::new(token, serial, stage));
    }

    /// Puts a token that has thrown what it throws on the agenda; the agenda had so much on it before. In Camunda 7's dialect it goes on
    /// before whatever has begun by that.
    pub(crate) fn schedule_thrower(&mut self, token: TokenId, before: usize) {
        self.schedule(token, Stage::Complete);
        self.context.agenda.bring_forward(before);
    }

    /// How much is on the agenda.
    pub(crate) fn agenda_length(&self) -> usize {
        self.context.agenda.turns.len()
    }

    /// Nothing else is to be done before what comes next.
    pub(super) fn is_alone(&self) -> bool {
        self.context.agenda.is_empty()
    }

    /// Remembers that joins in a scope may have become free. A join that looks upstream touches its scope itself when its first
    /// token comes.
    #[inline]
    pub(crate) fn touch(&mut self, scope: ScopeId) {
        if self.instance.upstream_joins > 0 && self.context.agenda.touched.last() != Some(&scope) {
            self.context.agenda.touched.push(scope);
        }
    }

    /// Runs every token to its next wait.
    pub(super) fn run(&mut self) {
        self.context.agenda.branch_by_branch = self.graph.dialect() == Dialect::Camunda;
        loop {
            if self.context.agenda.branch_by_branch {
                self.run_branch_by_branch();
            } else {
                while let Some(turn) = self.context.agenda.first() {
                    self.go_on(turn);
                }
            }
            if !self.fire_a_join() && !self.trigger_a_condition() {
                break;
            }
        }
    }

    fn run_branch_by_branch(&mut self) {
        self.context.agenda.put_first(0);
        while let Some(turn) = self.context.agenda.turns.pop() {
            let there = self.context.agenda.turns.len();
            self.go_on(turn);
            self.context.agenda.put_first(there);
        }
    }

    #[inline(always)]
    fn go_on(&mut self, turn: Turn) {
        let (token, serial) = turn.token();
        // The token may have been cancelled, and its number used again, while it stood on the agenda.
        let Some(node) = self.instance.tokens.get(token).filter(|at| at.serial == serial).map(|at| at.node) else {
            return;
        };
        // What is most common is asked first.
        if turn.stage == Stage::Enter && self.budget > 0 {
            self.budget -= 1;
            return match self.graph.arrival(node) {
                Arrival::Pass(way) => self.go_straight(token, way),
                Arrival::Open => sub_process::open(self, token, node),
                _ => self.enter(token, node),
            };
        }
        match turn.stage {
            // Whatever runs in a circle comes by one of these two; a round has been charged for when it was born.
            Stage::Enter => self.out_of_budget(token, IncidentStage::Arrive),
            Stage::Begin if self.budget == 0 => self.out_of_budget(token, IncidentStage::Enter),
            Stage::Begin => self.begin(token, node),
            Stage::Listen(listener) => self.listen(token, listener),
            Stage::Execute => self.execute(token, node),
            Stage::Create(listener) => user_task::announce(self, token, ListenerStage::Create, listener),
            Stage::Assign(listener) => user_task::announce(self, token, ListenerStage::Assignment, listener),
            Stage::Throw(next) => self.throw_on(token, node, next),
            Stage::Done(listener) => self.done(token, listener),
            Stage::Delete(listener) => self.deleted(token, listener),
            Stage::Complete => self.complete(token),
            Stage::Finish(listener) => self.finish(token, listener),
            Stage::Leave => self.leave_node(token, node),
            Stage::Take(flow) => {
                self.go_by(token, flow, 0);
            }
            Stage::Reset => complex_gateway::go_out(self, token, false),
            Stage::End => self.end_path(token),
        }
    }

    #[cold]
    pub(crate) fn out_of_budget(&mut self, token: TokenId, stage: IncidentStage) {
        let passed = if self.is_out_of_time() {
            "scripts and expressions took too much time"
        } else if self.is_out_of_room() {
            "too much data was computed"
        } else {
            "too many flow nodes were passed"
        };
        let message = format!(
            "{passed} without a wait state: the process runs in an endless loop; mend its conditions, or put a savepoint, \
             timer or task into the loop"
        );
        self.incident(token, IncidentKind::StepBudget, &message, stage);
    }

    /// Asks the joins that look upstream, of the scopes in which something has moved, whether they are free now; in
    /// document order. Each firing is drained before the next is asked.
    fn fire_a_join(&mut self) -> bool {
        if self.instance.upstream_joins == 0 {
            self.context.agenda.touched.clear();
            return false;
        }
        self.context.agenda.touched.sort_unstable();
        self.context.agenda.touched.dedup();
        while let Some(scope) = self.context.agenda.touched.last().copied() {
            let joins = self.instance.scopes.get(scope).map_or(&[][..], |scope| scope.joins());
            let joins: Vec<_> = joins.iter().filter(|join| join.upstream).map(|join| join.node).collect();
            for node in joins {
                let fired = match &self.graph.node(node).kind {
                    NodeKind::InclusiveGateway(upstream) => inclusive_gateway::ask(self, scope, node, upstream),
                    NodeKind::ComplexGateway(gateway) => complex_gateway::ask(self, scope, node, gateway),
                    _ => false,
                };
                if fired {
                    return true;
                }
            }
            // Nothing in this scope is free; firing elsewhere touches it again if that changes.
            self.context.agenda.touched.retain(|touched| *touched != scope);
        }
        false
    }

    /// A token leaves a queue and goes on.
    pub(crate) fn resume(&mut self, token: TokenId, stage: Stage) {
        if let Some(serial) = self.instance.resumed(token) {
            self.events.list.push(Event::TokenResumed { token });
            self.schedule_serial(token, serial, stage);
        }
    }
}
