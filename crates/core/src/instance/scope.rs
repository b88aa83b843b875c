//! Scopes: the process itself, sub-processes, loops and their rounds, and activities with variables of their own.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use smallvec::SmallVec;

use super::join;
use super::{Join, NONE, Ordinal, ScopeId, TokenId, WaitId};
use crate::{Name, value::Value};

/// As many variables are looked through one by one.
const FEW: usize = 8;

/// What a scope is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ScopeKind {
    /// The process itself.
    Process,
    /// One activity: its local variables and, in a sub-process, its tokens.
    Activity,
    /// A loop around an activity: its rounds are tokens in this scope.
    Loop,
}

/// The phases a scope lives in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Phase {
    /// Running.
    Active,
    /// An ad-hoc sub-process whose completion condition held: no new work begins.
    Ending,
    /// A transaction being cancelled: what it did is undone, then its cancel boundary event is taken.
    Cancelling,
    /// Completed, and kept with its variables because a compensation handler can still reach it.
    Kept,
    /// What was done in it is being undone.
    Compensating,
}

/// An activity that has completed and can be compensated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Completed {
    /// The activity.
    pub node: Ordinal,
    /// Its scope, if that was kept; else [`NONE`].
    pub scope: ScopeId,
    /// How many tokens had been created in the instance then.
    pub after: u32,
}

/// Counters of a loop.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LoopState {
    /// Rounds that there will be; for a standard loop [`NONE`].
    pub total: u32,
    /// Rounds begun.
    pub started: u32,
    /// Rounds completed.
    pub completed: u32,
    /// Rounds ended without completing.
    pub terminated: u32,
    /// The items, one for each round, if the loop runs over a collection.
    pub items: Value,
    /// What the rounds left, by round.
    pub results: Vec<Value>,
}

impl LoopState {
    /// Rounds running now.
    #[must_use]
    pub fn active(&self) -> u32 {
        self.started.saturating_sub(self.completed).saturating_sub(self.terminated)
    }
}

/// A scope.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Scope {
    /// What it is for.
    pub kind: ScopeKind,
    /// Its phase.
    pub phase: Phase,
    /// The flow node that it belongs to; [`NONE`] for the process itself.
    pub node: Ordinal,
    /// The token on that flow node; [`NONE`] for the process itself and for a kept scope.
    pub owner: TokenId,
    /// The scope around it.
    pub parent: ScopeId,
    /// Which round of a loop it is, counted as the model's dialect counts; [`NONE`] if none.
    pub round: u32,
    /// Tokens in it, also those at joins.
    pub token_count: u32,
    pub(crate) first_token: TokenId,
    pub(crate) last_token: TokenId,
    pub(crate) first_wait: WaitId,
    pub(crate) variables: Vec<(Name, Value)>,
    pub(crate) more: Option<Box<More>>,
}

/// What only some scopes have.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct More {
    pub(crate) completed: Vec<Completed>,
    pub(crate) joins: SmallVec<[Join; 1]>,
    pub(crate) repeat: Option<LoopState>,
}

impl Scope {
    pub(crate) fn new(kind: ScopeKind, node: Ordinal, owner: TokenId, parent: ScopeId, round: u32) -> Self {
        Self {
            kind,
            phase: Phase::Active,
            node,
            owner,
            parent,
            round,
            token_count: 0,
            first_token: NONE,
            last_token: NONE,
            first_wait: NONE,
            variables: Vec::new(),
            more: None,
        }
    }

    /// Its own variable of that name.
    #[must_use]
    #[inline(always)]
    pub fn variable(&self, name: &str) -> Option<&Value> {
        self.position(name).map(|index| &self.variables[index].1)
    }

    #[inline(always)]
    fn position(&self, name: &str) -> Option<usize> {
        if self.variables.len() <= FEW {
            // Lengths differ more often than not: cheaper than to search by order.
            return self.variables.iter().position(|(other, _)| same(other, name));
        }
        self.variables.binary_search_by(|(other, _)| (**other).cmp(name)).ok()
    }

    /// Its own variables, in the names' order.
    #[must_use]
    pub fn variables(&self) -> &[(Name, Value)] {
        &self.variables
    }

    /// What has completed in it and can be compensated, oldest first.
    #[must_use]
    pub fn completed(&self) -> &[Completed] {
        self.more.as_ref().map_or(&[], |more| &more.completed)
    }

    /// Its joins that hold tokens or wait for reset, in document order.
    #[inline]
    pub(crate) fn joins(&self) -> &[Join] {
        self.more.as_ref().map_or(&[], |more| &more.joins)
    }

    /// The counters, if it is a loop.
    #[must_use]
    pub fn repeat(&self) -> Option<&LoopState> {
        self.more.as_ref()?.repeat.as_ref()
    }

    #[inline]
    pub(crate) fn join_mut(&mut self, node: Ordinal) -> Option<&mut Join> {
        let joins = &mut self.more.as_mut()?.joins;
        join::place(joins, node).ok().map(|index| &mut joins[index])
    }

    #[inline]
    pub(crate) fn repeat_mut(&mut self) -> Option<&mut LoopState> {
        self.more.as_mut()?.repeat.as_mut()
    }

    #[inline(always)]
    pub(crate) fn more_mut(&mut self) -> &mut More {
        self.more.get_or_insert_with(more)
    }

    #[inline]
    pub(crate) fn set(&mut self, name: &Name, value: &Value) {
        match (self.position(name).map(|index| &mut self.variables[index].1), value) {
            // What counts is written where it stands.
            (Some(Value::Integer(count)), Value::Integer(new)) => *count = *new,
            _ => self.put(name, value),
        }
    }

    #[inline(never)]
    fn put(&mut self, name: &Name, value: &Value) {
        match self.position(name) {
            Some(index) => self.variables[index].1.clone_from(value),
            None => {
                let index = self.variables.partition_point(|(other, _)| **other < **name);
                self.variables.insert(index, (name.clone(), value.clone()));
            }
        }
    }

    pub(crate) fn unset(&mut self, name: &str) {
        if let Some(index) = self.position(name) {
            self.variables.remove(index);
        }
    }

    /// A variable, or a counter.
    #[inline(always)]
    pub(crate) fn lookup(&self, name: &str) -> Option<Cow<'_, Value>> {
        match self.variable(name) {
            Some(value) => Some(Cow::Borrowed(value)),
            None if self.may_count() => self.counter(name).map(Cow::Owned),
            None => None,
        }
    }

    /// Whether it may have counters.
    #[inline]
    pub(super) fn may_count(&self) -> bool {
        self.round != NONE || self.more.is_some()
    }

    /// One of the counters that BPMN gives loops (BPMN 2.0.2 Table 10.30), also under Camunda's names.
    #[inline(never)]
    pub(super) fn counter(&self, name: &str) -> Option<Value> {
        if self.round != NONE && name == "loopCounter" {
            return Some(Value::Integer(self.round.into()));
        }
        let repeat = self.repeat()?;
        let count = match name {
            "numberOfInstances" | "nrOfInstances" if repeat.total != NONE => repeat.total,
            "numberOfActiveInstances" | "nrOfActiveInstances" => repeat.active(),
            "numberOfCompletedInstances" | "nrOfCompletedInstances" => repeat.completed,
            "numberOfTerminatedInstances" => repeat.terminated,
            "loopCounter" => repeat.started,
            _ => return None,
        };
        Some(Value::Integer(count.into()))
    }
}

#[cold]
fn more() -> Box<More> {
    Box::default()
}

/// Whether two names are the same: found out without a call, which takes longer than the few letters that names have.
#[inline]
fn same(left: &str, right: &str) -> bool {
    let (left, right) = (left.as_bytes(), right.as_bytes());
    if left.len() != right.len() {
        return false;
    }
    if let (Some(left_end), Some(right_end)) = (left.last_chunk::<8>(), right.last_chunk::<8>()) {
        let (left, right) = (left.as_chunks::<8>().0, right.as_chunks::<8>().0);
        return left_end == right_end && left.iter().zip(right).all(|(left, right)| left == right);
    }
    if let (Some(left_end), Some(right_end)) = (left.last_chunk::<4>(), right.last_chunk::<4>()) {
        return left_end == right_end && left.first_chunk::<4>() == right.first_chunk::<4>();
    }
    left.iter().zip(right).all(|(left, right)| left == right)
}
