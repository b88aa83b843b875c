//! One pure function from a command to events.
//!
//! A command is checked first and refused whole; then its token moves, and every token runs on, first in, first out, until
//! all wait.

mod agenda;
mod cancel;
mod command;
mod commands;
mod erase;
mod evaluate;
mod event;
mod flow;
mod home;
mod instruction;
mod keys;
mod lifecycle;
mod local;
mod migrate;
mod modify;
mod policy;
mod retry;
mod scope;
mod start;
mod way_out;

use std::collections::BTreeMap;
use std::time::Duration;

use crate::Name;
use crate::expressions::Expressions;
use crate::graph::ProcessGraph;
use crate::instance::{Instance, Key, Ordinal, Owner, TokenId, WaitId, WaitKind};
use crate::time::Timestamp;
use crate::value::Value;

pub(crate) use command::check_values;
pub use command::{Command, Refusal, Rejection, StartAt, Variables};
pub use erase::erase_from;
pub use event::{Closed, Event, Events, OpenedWait, Ref, Start, ThrownMessage, ThrownSignal};
pub use instruction::{Instruction, Position, Target};
pub use keys::{Counter, Keys};
pub use migrate::MigrateTo;
pub use policy::{DueType, Policies, Policy};

pub(crate) use agenda::{Agenda, Stage};
pub(crate) use evaluate::{Change, Problem, ScopeView, StandingTask, Told, put, truth};
pub(crate) use way_out::WayOut;

/// No wait has been opened whose condition has not been asked.
pub(crate) const UNASKED: Key = Key(u64::MAX);

/// Flow nodes that one step may pass before it is taken for an endless loop.
pub const STEP_BUDGET: u32 = 1_000_000;

/// What the scripts and expressions of all that one command causes may take before they are taken for an endless loop.
pub const SCRIPT_TIME: Duration = Duration::from_secs(10);

/// How many bytes of text, lists and maps all that one command causes may set in variables, collect and throw before it is taken for an
/// endless loop.
pub const DATA_BYTES: usize = 256 * 1024 * 1024;

/// What a thrown message or signal takes from the budget: others must carry it, so that it weighs more than a move.
const THROW_COST: u32 = 50;

/// So many waits are looked at while a token passes a flow node.
const LOOKS: u32 = 8;

/// A fork in an instance with so many tokens is taken for one that multiplies without end: each new token weighs more than a move.
const CROWD: u32 = 10_000;

/// What a token in the crowd takes from the budget.
const CROWD_COST: u32 = 20;

/// What a step needs from outside.
pub struct Context<'a> {
    /// The time of the step.
    pub now: Timestamp,
    /// What evaluates decisions.
    pub expressions: &'a dyn Expressions,
    /// Gives the keys of what is waited for.
    pub keys: &'a dyn Keys,
    /// Flow nodes that the step may pass.
    pub budget: u32,
    /// How long the step's scripts and expressions may take in all, as their evaluator says.
    pub time: Duration,
    /// How long those of the last step took: other steps that follow from the same command have the rest.
    pub took: Duration,
    /// How many bytes of text, lists and maps the step may set in variables, collect and throw.
    pub room: usize,
    /// How many the last step has taken: other steps that follow from the same command have the rest.
    pub written: usize,
    /// What operators have said of savepoints and timers to come.
    pub policies: Option<&'a Policies>,
    agenda: Agenda,
}

impl<'a> Context<'a> {
    /// A context for one or more steps at one moment.
    #[must_use]
    pub fn new(now: Timestamp, expressions: &'a dyn Expressions, keys: &'a dyn Keys) -> Self {
        let (budget, time, room) = (STEP_BUDGET, SCRIPT_TIME, DATA_BYTES);
        let (took, written) = (Duration::ZERO, 0);
        let agenda = Agenda::default();
        Self { now, expressions, keys, budget, time, took, room, written, policies: None, agenda }
    }
}

/// Carries out a command: changes the instance and appends what happened to `events`.
///
/// # Errors
/// If the command does not fit the instance's state; then nothing has changed.
pub fn step(
    graph: &ProcessGraph,
    instance: &mut Instance,
    command: Command,
    context: &mut Context<'_>,
    events: &mut Events,
) -> Result<(), Rejection> {
    // An instance's time never runs backwards, whatever its hosts' clocks say.
    context.now = context.now.max(instance.now);
    (context.took, context.written) = (Duration::ZERO, 0);
    events.now = context.now;
    let mut step = Step::new(graph, instance, context, events);
    step.carry_out(command)?;
    step.run();
    Ok(())
}

/// A step under way.
pub(crate) struct Step<'s, 'c> {
    pub(crate) graph: &'s ProcessGraph,
    pub(crate) instance: &'s mut Instance,
    pub(crate) context: &'s mut Context<'c>,
    pub(crate) events: &'s mut Events,
    pub(crate) budget: u32,
    /// Conditions have to be asked again.
    pub(crate) variables_changed: bool,
    /// The changes since conditions were last asked, if some look at certain ones only.
    pub(crate) changes: Vec<Change>,
    /// How many of them a condition that occurs with each has been asked after, by its wait.
    pub(crate) asked: BTreeMap<Key, usize>,
    /// Waits from this key on have not been asked whether their condition holds.
    pub(crate) unasked: Key,
    /// Waits from this key on are next to be asked whether their condition holds.
    pub(crate) next_condition: Key,
    /// The flow node on which a token has come to its end, the last of all.
    pub(crate) ended_at: Ordinal,
    /// The token that throws what is being caught, and whether it is at its flow node's work.
    pub(crate) thrower: Option<(TokenId, bool)>,
    /// What the listener that is being called is told.
    listening: Option<Told>,
    /// The token whose user task is being completed, and what that was.
    pub(crate) completing: Option<(TokenId, StandingTask)>,
}

impl<'s, 'c> Step<'s, 'c> {
    fn new(
        graph: &'s ProcessGraph,
        instance: &'s mut Instance,
        context: &'s mut Context<'c>,
        events: &'s mut Events,
    ) -> Self {
        let budget = context.budget;
        Self {
            graph,
            instance,
            context,
            events,
            budget,
            variables_changed: false,
            changes: Vec::new(),
            asked: BTreeMap::new(),
            unasked: UNASKED,
            next_condition: UNASKED,
            ended_at: 0,
            thrower: None,
            listening: None,
            completing: None,
        }
    }

    /// Records a fact and folds it into the instance.
    #[inline(always)]
    pub(crate) fn emit(&mut self, event: Event) {
        self.instance.apply(event, self.events);
        self.events.list.push(event);
    }

    /// Puts a value beside the events.
    pub(crate) fn keep(&mut self, value: Value) -> Ref {
        self.charge_data(value.bytes());
        let index = self.events.values.len();
        self.events.values.push(value);
        index_of(index)
    }

    /// Puts variables beside the events, as one map.
    pub(crate) fn keep_map(&mut self, variables: Variables) -> Ref {
        self.keep(Value::Map(variables.into_iter().collect::<BTreeMap<_, _>>().into()))
    }

    /// Something is thrown that others must carry, in so many ways, with this.
    pub(crate) fn charge_throw(&mut self, payload: &[(Name, Value)], ways: usize) {
        let ways = u32::try_from(ways).unwrap_or(u32::MAX);
        self.budget = self.budget.saturating_sub(THROW_COST.saturating_mul(ways));
        self.charge_data(payload.iter().map(|(_, value)| value.bytes()).sum());
    }

    /// An evaluation took so long. What has no time left passes no more flow nodes: so only who counts those asks for it.
    #[cold]
    pub(crate) fn charge_time(&mut self, took: Duration) {
        self.context.took = self.context.took.saturating_add(took);
        if self.is_out_of_time() {
            self.budget = 0;
        }
    }

    /// Whether scripts and expressions have used up their time.
    pub(crate) fn is_out_of_time(&self) -> bool {
        self.context.took > self.context.time
    }

    /// Something of so many bytes is recorded. What has no room left passes no more flow nodes.
    #[inline]
    pub(crate) fn charge_data(&mut self, bytes: usize) {
        self.context.written = self.context.written.saturating_add(bytes);
        if self.is_out_of_room() {
            self.budget = 0;
        }
    }

    /// Whether more was recorded than there is room for.
    pub(crate) fn is_out_of_room(&self) -> bool {
        self.context.written > self.context.room
    }

    /// Everything that is waited for is looked through.
    pub(crate) fn charge_look(&mut self) {
        self.budget = self.budget.saturating_sub(self.instance.waits.count() / LOOKS);
    }

    /// A fork or an event makes a token. Its number tells how many there are: those that are free are used first.
    pub(crate) fn charge_token(&mut self, token: TokenId) {
        if token > CROWD {
            self.budget = self.budget.saturating_sub(CROWD_COST);
        }
    }

    /// Whether the budget lets so many more tokens be made at once.
    pub(crate) fn affords_tokens(&self, tokens: u32) -> bool {
        tokens <= CROWD || tokens.saturating_mul(CROWD_COST) <= self.budget
    }

    /// Opens a wait; gives its key.
    pub(crate) fn open(&mut self, owner: Owner, node: Ordinal, definition: u32, kind: WaitKind) -> Key {
        let key = self.context.keys.next();
        self.unasked = self.unasked.min(key);
        self.next_condition = self.next_condition.min(key);
        let details = index_of(self.events.waits.len());
        self.events.waits.push(OpenedWait { key, owner, node, definition, kind });
        self.emit(Event::WaitOpened { details });
        key
    }

    /// What was waited for under a number is over.
    pub(crate) fn close(&mut self, wait: WaitId, reason: Closed) {
        if let Some((key, kind)) = self.instance.waits.get(wait).map(|wait| (wait.key, wait.kind.of_type())) {
            self.emit(Event::WaitClosed { key, kind, reason });
        }
    }

    /// What is waited for under a number has changed.
    pub(crate) fn change(&mut self, wait: WaitId, kind: WaitKind) {
        if let Some(key) = self.instance.waits.get(wait).map(|wait| wait.key) {
            let change = index_of(self.events.changes.len());
            self.events.changes.push(kind);
            self.emit(Event::WaitChanged { key, change });
        }
    }

    /// Whether a token is still the one it was: its number may have been used again.
    #[inline]
    pub(crate) fn is_alive(&self, token: TokenId, serial: u32) -> bool {
        self.instance.tokens.get(token).is_some_and(|token| token.serial == serial)
    }

    /// A token waits for something.
    pub(crate) fn wait(&mut self, token: TokenId, kind: WaitKind) -> Key {
        self.wait_of(token, 0, kind)
    }

    /// A token waits for something that this one of its event's definitions asks for.
    pub(crate) fn wait_of(&mut self, token: TokenId, definition: u32, kind: WaitKind) -> Key {
        let node = self.node_of(token);
        self.emit(Event::TokenWaited { token });
        self.open(Owner::Token(token), node, definition, kind)
    }

    /// The flow node that a token stands on.
    #[inline]
    pub(crate) fn node_of(&self, token: TokenId) -> Ordinal {
        self.instance.tokens.get(token).map_or(crate::instance::NONE, |token| token.node)
    }
}

/// Tables never grow to four billion rows: memory ends before.
pub(crate) fn index_of(index: usize) -> Ref {
    u32::try_from(index).unwrap_or(crate::instance::NONE)
}
