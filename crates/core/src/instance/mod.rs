//! The state of one process instance: scopes, tokens, waits and variables.
//!
//! Only [`apply`](Instance::apply) changes it. Tokens of a scope, waits of an owner and tokens queued at a join are
//! doubly linked through the tables, so that every change costs the same however many there are.

mod apply;
mod conversation;
mod join;
mod migrate;
mod retry;
mod scope;
mod slab;
mod token;
mod wait;
mod waits;

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::time::Timestamp;
use crate::{Name, value::Value};

pub(crate) use join::{Join, Queue};
pub use retry::{Failure, Retry, TRIES};
pub(crate) use scope::More;
pub use scope::{Completed, LoopState, Phase, Scope, ScopeKind};
pub(crate) use slab::{Row, Slab};
pub use token::{Token, TokenState};
pub use wait::{
    CallWait, Caller, Caught, CompensationWait, IncidentKind, IncidentStage, IncidentWait, JobWait, MessageWait,
    OccurredWait, Owner, SignalWait, TimerWait, UserTaskWait, Wait, WaitKind, WaitType,
};
pub(crate) use waits::Waits;

/// Number of a token within its instance; used again after the token is gone.
pub type TokenId = u32;
/// Number of a scope within its instance; used again after the scope is gone.
pub type ScopeId = u32;
/// Number of a wait within its instance; used again after the wait is over.
pub type WaitId = u32;
/// Ordinal of a flow node or sequence flow in its process graph.
pub type Ordinal = u32;

/// No token, scope, wait, flow node or flow.
pub const NONE: u32 = u32::MAX;

/// The scope of the process itself.
pub const ROOT: ScopeId = 0;

/// What is addressed from outside: an instance, task, job, timer, subscription, call or incident. Sortable by time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(from = "u64", into = "u64")]
#[repr(Rust, packed(4))] // so that an event that carries a key stays small
pub struct Key(pub u64);

impl From<u64> for Key {
    fn from(key: u64) -> Self {
        Self(key)
    }
}

impl From<Key> for u64 {
    fn from(key: Key) -> Self {
        key.0
    }
}

impl std::fmt::Display for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        { self.0 }.fmt(f)
    }
}

/// Whether an instance still runs, and if not, how it ended.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub enum State {
    /// Not started yet: no event has been applied.
    #[default]
    Created,
    /// Running.
    Active,
    /// Ended as its model says.
    Completed,
    /// Ended by an error that nothing caught.
    Failed {
        /// The error's code.
        code: Name,
        /// The error's message.
        message: Option<Name>,
    },
    /// Ended from outside.
    Cancelled {
        /// Why.
        reason: Option<Name>,
    },
}

/// One process instance.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Instance {
    pub(crate) key: Key,
    pub(crate) state: State,
    pub(crate) business_key: Option<Name>,
    /// The call that started this instance.
    pub(crate) caller: Option<Box<Caller>>,
    /// The instance whose message or signal started this one; 0 if none.
    pub(crate) started_by: Key,
    /// What the first token was born on has been caught already.
    pub(crate) caught: bool,
    /// The instance's own latest time; a step never goes back behind it.
    pub(crate) now: Timestamp,
    pub(crate) scopes: Slab<Scope>,
    pub(crate) tokens: Slab<Token>,
    pub(crate) waits: Waits,
    /// Tokens created so far; gives every token a number that is never used again.
    pub(crate) created: u32,
    /// Joins that hold tokens, or wait for reset, and look upstream.
    pub(crate) upstream_joins: u32,
    /// What conversations this instance is part of: correlation property to value (see [`conversation`]).
    pub(crate) correlation: Vec<(Name, Value)>,
}

impl Instance {
    /// An instance that has not started: the start of every fold over events.
    #[must_use]
    pub fn new(key: Key) -> Self {
        Self { key, ..Self::default() }
    }

    /// Its key.
    #[must_use]
    pub fn key(&self) -> Key {
        self.key
    }

    /// Whether it still runs, and if not, how it ended.
    #[must_use]
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Whether it still runs.
    #[must_use]
    pub fn is_active(&self) -> bool {
        matches!(self.state, State::Active)
    }

    /// Its business key.
    #[must_use]
    pub fn business_key(&self) -> Option<&Name> {
        self.business_key.as_ref()
    }

    /// The call that started it, if it was called.
    #[must_use]
    pub fn caller(&self) -> Option<&Caller> {
        self.caller.as_deref()
    }

    /// The instance whose message or signal started it.
    #[must_use]
    pub fn started_by(&self) -> Option<Key> {
        (self.started_by != Key(0)).then_some(self.started_by)
    }

    /// The time of its latest step.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// The values of the correlation properties that its messages have carried, conversation after conversation.
    #[must_use]
    pub fn correlation(&self) -> &[(Name, Value)] {
        &self.correlation
    }

    /// All tokens, by number.
    pub fn tokens(&self) -> impl Iterator<Item = (TokenId, &Token)> {
        self.tokens.iter()
    }

    /// The token of that number.
    #[must_use]
    pub fn token(&self, id: TokenId) -> Option<&Token> {
        self.tokens.get(id)
    }

    /// All scopes, by number.
    pub fn scopes(&self) -> impl Iterator<Item = (ScopeId, &Scope)> {
        self.scopes.iter()
    }

    /// The scope of that number.
    #[must_use]
    pub fn scope(&self, id: ScopeId) -> Option<&Scope> {
        self.scopes.get(id)
    }

    /// All that the instance waits for, oldest key first.
    pub fn waits(&self) -> impl Iterator<Item = &Wait> {
        self.waits.by_key()
    }

    /// What is waited for under that key.
    #[must_use]
    pub fn wait(&self, key: Key) -> Option<&Wait> {
        self.waits.get(self.waits.find(key)?)
    }

    /// What a token waits for, with the boundary events of its activity.
    pub fn waits_of(&self, token: TokenId) -> impl Iterator<Item = &Wait> {
        let first = self.tokens.get(token).and_then(|token| self.waits.get(token.first_wait));
        std::iter::successors(first, |wait| self.waits.get(wait.next))
    }

    /// A variable of the process itself.
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<&Value> {
        self.scopes.get(ROOT)?.variable(name)
    }

    /// The variables of the process itself, in the names' order.
    #[must_use]
    pub fn variables(&self) -> &[(Name, Value)] {
        self.scopes.get(ROOT).map_or(&[], Scope::variables)
    }

    /// The scope in which the flow node of a wait sees its variables.
    #[must_use]
    pub fn scope_of(&self, wait: &Wait) -> ScopeId {
        match wait.owner {
            Owner::Scope(scope) => scope,
            Owner::Token(token) => self.tokens.get(token).map_or(ROOT, Token::variable_scope),
        }
    }

    /// The innermost variable of that name in sight of a scope, also of its counters while it loops.
    #[must_use]
    #[inline(always)]
    pub fn visible(&self, scope: ScopeId, name: &str) -> Option<Cow<'_, Value>> {
        let mut scope = self.scopes.get(scope)?;
        loop {
            if let Some(value) = scope.lookup(name) {
                return Some(value);
            }
            scope = self.scopes.get(scope.parent)?;
        }
    }

    /// All variables in sight of a scope, in the names' order: of several of one name the innermost, and these
    /// [counters](crate::dialect::Dialect::counters) of the loops around it.
    #[must_use]
    pub fn all_visible(&self, scope: ScopeId, counters: &[&str]) -> Vec<(Name, Value)> {
        let mut all = BTreeMap::new();
        for scope in self.scope_chain(scope) {
            for (name, value) in scope.variables() {
                all.entry(name.clone()).or_insert_with(|| value.clone());
            }
            let counted = counters.iter().filter_map(|name| Some((Name::from(*name), scope.counter(name)?)));
            counted.for_each(|(name, count)| {
                all.entry(name).or_insert(count);
            });
        }
        all.into_iter().collect()
    }

    /// The innermost variable of that name in sight of a scope, if it is not a counter.
    #[inline]
    pub(crate) fn lend(&self, scope: ScopeId, name: &str) -> Option<&Value> {
        let mut scope = self.scopes.get(scope)?;
        loop {
            if let Some(value) = scope.variable(name) {
                return Some(value);
            }
            if scope.may_count() && scope.counter(name).is_some() {
                return None;
            }
            scope = self.scopes.get(scope.parent)?;
        }
    }

    /// Whether that name means a counter of a loop in a scope.
    pub(crate) fn is_counter(&self, scope: ScopeId, name: &str) -> bool {
        matches!(self.visible(scope, name), Some(Cow::Owned(_)))
    }

    /// The join of a flow node in a scope, if tokens wait there.
    #[inline]
    pub(crate) fn join(&self, scope: ScopeId, node: Ordinal) -> Option<&Join> {
        let joins = self.scopes.get(scope)?.joins();
        join::place(joins, node).ok().map(|index| &joins[index])
    }

    /// The scope of a sub-process around a scope, or of the process itself for [`NONE`].
    pub(crate) fn scope_around(&self, mut scope: ScopeId, node: Ordinal) -> ScopeId {
        while let Some(here) = self.scopes.get(scope) {
            if here.node == node && here.kind == ScopeKind::Activity {
                return scope;
            }
            scope = here.parent;
        }
        ROOT
    }

    /// The scopes from the given one outwards.
    pub(crate) fn scope_chain(&self, scope: ScopeId) -> impl Iterator<Item = &Scope> {
        std::iter::successors(self.scopes.get(scope), |scope| self.scopes.get(scope.parent))
    }
}
