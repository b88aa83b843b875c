//! Instances in memory, with time in the caller's hands: what tests, the command line and programs without a database use.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use super::messages::Buffered;
use super::{Message, Request, requests, start_triggers};
use crate::Name;
use crate::expressions::{Binding, Evaluation, Expressions, Variables};
use crate::graph::{Catch, Package, ProcessGraph};
use crate::instance::{Caller, Instance, Key, Wait, WaitKind};
use crate::step::{Command, Context, Events, Rejection, STEP_BUDGET, StartAt, step};
use crate::time::{Timer, Timestamp};
use crate::value::{Value, Zone};

/// Called processes may be nested this deep; deeper is taken for a process that calls itself without end.
const MAXIMUM_CALL_DEPTH: u32 = 200;

/// Messages and signals that follow from each other before anything waits for the outside again; more is taken for instances
/// that answer each other without end.
const MAXIMUM_CHAIN: u32 = 20_000;

/// Messages and signals that one command may cause in all: a conversation that multiplies has no long chain.
const MAXIMUM_CARRIED: u32 = 100_000;

/// Timers that fire at one and the same moment one after the other; more is taken for a loop that takes no time.
const MAXIMUM_TIMERS_AT_ONCE: u32 = 100_000;

/// What is still asked, by whom, and how many messages and signals it follows from.
pub(super) type Agenda = VecDeque<(Key, Request, u32)>;

/// An instance and the process it is of.
#[derive(Debug)]
pub struct Running {
    /// The process.
    pub graph: Arc<ProcessGraph>,
    /// The instance.
    pub instance: Instance,
    /// The instance whose message started it.
    pub started_by: Option<Key>,
    depth: u32,
}

/// What one command did to one instance.
#[derive(Debug)]
pub struct Stepped {
    /// The instance.
    pub instance: Key,
    /// Its process.
    pub graph: Arc<ProcessGraph>,
    /// What happened.
    pub events: Events,
}

/// Something that happened between instances or outside them.
#[derive(Clone, Debug, PartialEq)]
pub enum Notice {
    /// A message that nobody waits for is kept until then.
    MessageKept {
        /// The message.
        message: Message,
        /// When it is dropped.
        until: Timestamp,
    },
    /// A message for a pool without a process: the outside world's.
    MessageSent {
        /// The message.
        message: Message,
    },
    /// A message or signal was not carried any further: instances answer each other without end. The message is kept.
    ChainTooLong {
        /// The instance that threw it.
        from: Key,
        /// Its name.
        name: Option<Name>,
    },
    /// A timer start event could not start its process.
    TimerStartFailed {
        /// The process's id.
        process: Name,
        /// What is wrong.
        message: String,
    },
}

/// How a process is started.
#[derive(Clone, Debug, Default)]
pub struct StartOptions {
    /// Where.
    pub at: StartAt,
    /// Which version.
    pub binding: Binding,
    /// The business key.
    pub business_key: Option<Name>,
    /// The first variables.
    pub variables: Vec<(Name, Value)>,
    /// The user who starts it.
    pub initiator: Option<Name>,
}

/// Where a message went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Correlated {
    /// To an instance that waited.
    Delivered(Key),
    /// It started an instance.
    Started(Key),
    /// One of several start events that must all occur has occurred.
    Noted,
    /// Nobody waits: it is kept for a while.
    Kept,
}

/// Why the runner did not do as asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RunError {
    /// The instance refused the command.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// No such process.
    #[error("no process `{0}` is deployed in the version that is asked for")]
    UnknownProcess(Name),
    /// No such instance.
    #[error("there is no instance {0}")]
    UnknownInstance(Key),
    /// Nothing is waited for under that key.
    #[error("no instance waits for anything under key {0}")]
    UnknownKey(Key),
    /// Several instances wait for the message.
    #[error("{0} subscriptions match the message: narrow it by business key, correlation key or variables")]
    Ambiguous(usize),
    /// Timers set each other off without any time passing.
    #[error("timers fire without end at {0}: a loop takes no time; give its timer a duration, or a way out")]
    EndlessTimers(Timestamp),
}

/// A start timer of a deployed process.
struct StartTimer {
    process: Arc<ProcessGraph>,
    node: u32,
    timer: Timer,
}

/// A definition that has occurred of a start event that needs several.
pub(super) struct Noted {
    pub(super) process: Name,
    pub(super) node: u32,
    pub(super) definition: u32,
    pub(super) payload: Vec<(Name, Value)>,
}

/// Instances in memory.
pub struct Runner {
    pub(super) expressions: Arc<dyn Expressions>,
    pub(super) now: Timestamp,
    next_key: Key,
    budget: u32,
    pub(super) processes: BTreeMap<Name, Vec<Arc<ProcessGraph>>>,
    pub(super) instances: BTreeMap<Key, Running>,
    /// Which instance a key belongs to.
    owners: BTreeMap<Key, Key>,
    /// Called instances, by the call.
    called: BTreeMap<Key, Key>,
    timers: BTreeSet<(Timestamp, Key)>,
    due: BTreeMap<Key, Timestamp>,
    start_timers: Vec<StartTimer>,
    pub(super) buffered: Vec<Buffered>,
    pub(super) noted: Vec<Noted>,
    /// How many messages and signals what is worked off now follows from.
    pub(super) chain: u32,
    /// Messages and signals carried in this unit of work.
    carried: u32,
    /// A chain was too long in this unit of work: what is kept stays kept until the next.
    pub(super) stopped: bool,
    log: Vec<Stepped>,
    pub(super) notices: Vec<Notice>,
}

impl Runner {
    /// No processes and no instances, at that time.
    #[must_use]
    pub fn new(expressions: Arc<dyn Expressions>, now: Timestamp) -> Self {
        Self {
            expressions,
            now,
            next_key: Key(1),
            budget: STEP_BUDGET,
            processes: BTreeMap::new(),
            instances: BTreeMap::new(),
            owners: BTreeMap::new(),
            called: BTreeMap::new(),
            timers: BTreeSet::new(),
            due: BTreeMap::new(),
            start_timers: Vec::new(),
            buffered: Vec::new(),
            noted: Vec::new(),
            chain: 0,
            carried: 0,
            stopped: false,
            log: Vec::new(),
            notices: Vec::new(),
        }
    }

    /// Sets how many flow nodes one step may pass before it is taken for an endless loop.
    pub fn limit_steps(&mut self, budget: u32) {
        self.budget = budget;
    }

    /// Deploys all processes of a file; each becomes the newest version of its id.
    pub fn deploy(&mut self, package: &Package) {
        for process in &package.processes {
            self.start_timers.retain(|timer| timer.process.id() != process.id());
            for trigger in start_triggers(process) {
                if let Catch::Timer { kind, expression } = trigger.catch {
                    let value = expression.evaluate(&mut Evaluation::new(&NoVariables, self.now));
                    let timer = value.map_err(|error| error.to_string()).and_then(|value| {
                        Timer::parse(*kind, &value, self.now, &Zone::UTC).map_err(|error| error.to_string())
                    });
                    match timer {
                        Ok(timer) => {
                            self.start_timers.push(StartTimer { process: process.clone(), node: trigger.node, timer });
                        }
                        Err(message) => {
                            self.notices.push(Notice::TimerStartFailed { process: process.id().clone(), message })
                        }
                    }
                }
            }
            self.processes.entry(process.id().clone()).or_default().push(process.clone());
        }
    }

    /// The time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// The newest version of a process.
    #[must_use]
    pub fn process(&self, id: &str) -> Option<&Arc<ProcessGraph>> {
        self.processes.get(id)?.last()
    }

    /// All instances, oldest first.
    pub fn instances(&self) -> impl Iterator<Item = &Running> {
        self.instances.values()
    }

    /// The instance with that key.
    #[must_use]
    pub fn instance(&self, key: Key) -> Option<&Running> {
        self.instances.get(&key)
    }

    /// Puts an instance in the place of the one with its key: tests go on with what was saved and loaded.
    #[doc(hidden)]
    pub fn replace(&mut self, instance: Instance) {
        if let Some(running) = self.instances.get_mut(&instance.key()) {
            running.instance = instance;
        }
    }

    /// All that instances wait for, oldest first: (instance, wait).
    pub fn waits(&self) -> impl Iterator<Item = (&Running, &Wait)> {
        self.owners.iter().filter_map(|(key, instance)| {
            let running = self.instances.get(instance)?;
            Some((running, running.instance.wait(*key)?))
        })
    }

    /// What happened since this was last asked.
    pub fn take_log(&mut self) -> Vec<Stepped> {
        std::mem::take(&mut self.log)
    }

    /// What happened between instances since this was last asked.
    pub fn take_notices(&mut self) -> Vec<Notice> {
        std::mem::take(&mut self.notices)
    }

    /// Messages that nobody waits for yet.
    pub fn kept_messages(&self) -> impl Iterator<Item = &Message> {
        self.buffered.iter().map(|buffered| &buffered.message)
    }

    /// Starts an instance of a process.
    ///
    /// # Errors
    /// If there is no such process, or it cannot be started there.
    pub fn start(&mut self, process: &str, options: StartOptions) -> Result<Key, RunError> {
        let graph = self.bound(process, &options.binding);
        let graph = graph.ok_or_else(|| RunError::UnknownProcess(process.into()))?;
        self.start_graph(graph, options)
    }

    fn start_graph(&mut self, graph: Arc<ProcessGraph>, options: StartOptions) -> Result<Key, RunError> {
        let mut agenda = Agenda::new();
        let key = self.begin(graph, options, None, &mut agenda)?;
        self.work_off(agenda);
        Ok(key)
    }

    /// Begins an instance that was not called.
    pub(super) fn begin(
        &mut self,
        graph: Arc<ProcessGraph>,
        options: StartOptions,
        started_by: Option<Key>,
        agenda: &mut Agenda,
    ) -> Result<Key, RunError> {
        let key = self.take_key();
        self.instances.insert(key, Running { graph, instance: Instance::new(key), started_by, depth: 0 });
        let command = Command::Start {
            at: options.at,
            business_key: options.business_key,
            variables: options.variables,
            caller: None,
            initiator: options.initiator,
        };
        match self.one(key, command, agenda) {
            Ok(()) => Ok(key),
            Err(error) => {
                self.instances.remove(&key);
                Err(error)
            }
        }
    }

    fn take_key(&mut self) -> Key {
        let key = self.next_key;
        self.next_key = Key(key.0 + 1);
        key
    }

    /// The version that a binding means. (Processes deployed together are versions of the same number here.)
    fn bound(&self, process: &str, binding: &Binding) -> Option<Arc<ProcessGraph>> {
        let versions = self.processes.get(process)?;
        match binding {
            Binding::Latest | Binding::Deployment => versions.last().cloned(),
            Binding::Version(version) => versions.get(version.trim().parse::<usize>().ok()?.checked_sub(1)?).cloned(),
            Binding::VersionTag(tag) => {
                versions.iter().rev().find(|process| process.version_tag() == Some(tag)).cloned()
            }
        }
    }

    /// Gives an instance a command, and works off what that asks of others.
    ///
    /// # Errors
    /// If there is no such instance, or it refuses.
    pub fn command(&mut self, instance: Key, command: Command) -> Result<(), RunError> {
        let mut agenda = Agenda::new();
        self.one(instance, command, &mut agenda)?;
        self.work_off(agenda);
        Ok(())
    }

    /// Answers requests, in order, until nothing is left.
    pub(super) fn work_off(&mut self, mut agenda: Agenda) {
        while let Some((from, request, chain)) = agenda.pop_front() {
            self.chain = chain;
            self.answer(from, request, &mut agenda);
        }
        self.chain = 0;
        self.carried = 0;
        self.stopped = false;
    }

    /// The instance that waits under a key.
    pub(super) fn owner(&self, key: Key) -> Option<Key> {
        self.owners.get(&key).copied()
    }

    /// Gives the instance that waits under a key a command.
    ///
    /// # Errors
    /// If nobody waits under that key, or the instance refuses.
    pub fn command_at(&mut self, key: Key, command: Command) -> Result<(), RunError> {
        let instance = self.owners.get(&key).copied().ok_or(RunError::UnknownKey(key))?;
        self.command(instance, command)
    }

    /// Completes a user task.
    ///
    /// # Errors
    /// If there is no such task.
    pub fn complete_user_task(&mut self, task: Key, variables: Vec<(Name, Value)>) -> Result<(), RunError> {
        self.command_at(task, Command::CompleteUserTask { task, variables })
    }

    /// Completes a job.
    ///
    /// # Errors
    /// If there is no such job.
    pub fn complete_job(&mut self, job: Key, variables: Vec<(Name, Value)>) -> Result<(), RunError> {
        self.command_at(job, Command::CompleteJob { job, variables, local_variables: Vec::new() })
    }

    pub(super) fn one(&mut self, key: Key, command: Command, agenda: &mut Agenda) -> Result<(), RunError> {
        let running = self.instances.get_mut(&key).ok_or(RunError::UnknownInstance(key))?;
        let mut events = Events::new();
        let mut context = Context::new(self.now, &*self.expressions, self.next_key);
        context.budget = self.budget;
        step(&running.graph, &mut running.instance, command, &mut context, &mut events)?;
        self.next_key = context.next_key;
        let asked = requests(&running.graph, &running.instance, &events);
        agenda.extend(asked.into_iter().map(|request| (key, request, self.chain)));
        let graph = running.graph.clone();
        self.index(key, &events);
        self.log.push(Stepped { instance: key, graph, events });
        Ok(())
    }

    /// Keeps the indices of keys and timers in step with the events.
    fn index(&mut self, instance: Key, events: &Events) {
        use crate::step::Event;
        for event in &events.list {
            match *event {
                Event::WaitOpened { details } => {
                    if let Some(wait) = events.waits.get(details as usize) {
                        self.owners.insert(wait.key, instance);
                    }
                }
                Event::WaitClosed { key, .. } => {
                    self.owners.remove(&key);
                }
                _ => {}
            }
        }
        // Timers: what is due now, as far as the events speak of it.
        let Some(running) = self.instances.get(&instance) else { return };
        for event in &events.list {
            let key = match *event {
                Event::WaitOpened { details } => events.waits[details as usize].key,
                Event::WaitClosed { key, .. } | Event::WaitChanged { key, .. } => key,
                _ => continue,
            };
            if let Some(due) = self.due.remove(&key) {
                self.timers.remove(&(due, key));
            }
            if let Some(WaitKind::Timer(timer)) = running.instance.wait(key).map(|wait| &wait.kind) {
                self.timers.insert((timer.timer.due, key));
                self.due.insert(key, timer.timer.due);
            }
        }
    }

    fn answer(&mut self, from: Key, request: Request, agenda: &mut Agenda) {
        // A request to what is gone by now is dropped: its answer is no longer waited for.
        match request {
            Request::Call { call, process, binding, business_key, variables, catches } => {
                let caller = Caller { call, catches };
                self.call(caller, &process, &binding, business_key, variables, agenda);
            }
            Request::CancelCall { call } => {
                if let Some(called) = self.called.remove(&call) {
                    let reason = Some("the call was cancelled".into());
                    let _ = self.one(called, Command::Cancel { reason }, agenda);
                }
            }
            Request::Returned { call, variables } => {
                self.called.remove(&call);
                self.reply(call, Command::CompleteCall { call, variables }, agenda);
            }
            Request::Failed { call, code, message } => {
                self.called.remove(&call);
                self.reply(call, Command::FailCall { call, code, message }, agenda);
            }
            Request::Abandoned { call } => {
                if self.called.remove(&call).is_some() {
                    let message = "the called instance was cancelled; retry to call the process again".into();
                    self.reply(call, Command::RefuseCall { call, message }, agenda);
                }
            }
            Request::Escalated { call, code } => self.reply(call, Command::EscalateCall { call, code }, agenda),
            Request::Message { message, target } => self.route_message(from, message, target, agenda),
            Request::Signal(signal) => {
                if self.goes_on(from, Some(&signal.name)) {
                    self.spread_signal(Some(from), &signal.name, &signal.payload, agenda);
                }
            }
            Request::Subscribed { subscription } => self.deliver_kept(subscription, agenda),
        }
    }

    /// Whether a message or signal is carried further, or follows from too many.
    pub(super) fn goes_on(&mut self, from: Key, name: Option<&Name>) -> bool {
        self.chain += 1;
        self.carried += 1;
        if self.chain <= MAXIMUM_CHAIN && self.carried <= MAXIMUM_CARRIED {
            return true;
        }
        self.stopped = true;
        self.notices.push(Notice::ChainTooLong { from, name: name.cloned() });
        false
    }

    fn reply(&mut self, call: Key, command: Command, agenda: &mut Agenda) {
        if let Some(caller) = self.owners.get(&call).copied() {
            let _ = self.one(caller, command, agenda);
        }
    }

    fn call(
        &mut self,
        caller: Caller,
        process: &Name,
        binding: &Binding,
        business_key: Option<Name>,
        variables: Vec<(Name, Value)>,
        agenda: &mut Agenda,
    ) {
        let call = caller.call;
        let Some(calling) = self.owners.get(&call).copied() else { return };
        let depth = self.instances.get(&calling).map_or(0, |running| running.depth);
        let refuse = |message: String| Command::RefuseCall { call, message: message.into() };
        let Some(graph) = self.bound(process, binding) else {
            let message =
                format!("no process `{process}` is deployed in the version that is asked for; deploy it and retry");
            return self.reply(call, refuse(message), agenda);
        };
        if depth >= MAXIMUM_CALL_DEPTH {
            let message = format!(
                "`{process}` is called {MAXIMUM_CALL_DEPTH} levels deep: it calls itself without end; mend its conditions"
            );
            return self.reply(call, refuse(message), agenda);
        }
        let key = self.take_key();
        self.instances.insert(key, Running { graph, instance: Instance::new(key), started_by: None, depth: depth + 1 });
        self.called.insert(call, key);
        let command =
            Command::Start { at: StartAt::None, business_key, variables, caller: Some(caller), initiator: None };
        if let Err(error) = self.one(key, command, agenda) {
            self.instances.remove(&key);
            self.called.remove(&call);
            self.reply(call, refuse(error.to_string()), agenda);
        }
    }

    /// When the next timer is due.
    #[must_use]
    pub fn next_timer(&self) -> Option<Timestamp> {
        let waiting = self.timers.iter().next().map(|(due, _)| *due);
        let starting = self.start_timers.iter().map(|timer| timer.timer.due).min();
        waiting.into_iter().chain(starting).min()
    }

    /// Lets time pass: timers fire in the order in which they are due, each at its time.
    ///
    /// # Errors
    /// If timers set each other off without time passing.
    pub fn advance(&mut self, to: Timestamp) -> Result<(), RunError> {
        let mut at_once = 0;
        while let Some(due) = self.next_timer().filter(|due| *due <= to) {
            at_once = if due <= self.now { at_once + 1 } else { 0 };
            if at_once > MAXIMUM_TIMERS_AT_ONCE {
                return Err(RunError::EndlessTimers(self.now));
            }
            self.now = self.now.max(due);
            self.drop_expired();
            match self.timers.iter().next().copied() {
                Some((at, timer)) if at <= due => {
                    self.command_at(timer, Command::FireTimer { timer })?;
                }
                _ => self.fire_start_timer(due)?,
            }
        }
        self.now = self.now.max(to);
        self.drop_expired();
        Ok(())
    }

    fn fire_start_timer(&mut self, due: Timestamp) -> Result<(), RunError> {
        let Some(index) = self.start_timers.iter().position(|timer| timer.timer.due <= due) else { return Ok(()) };
        let timer = &mut self.start_timers[index];
        let (process, node) = (timer.process.clone(), timer.node);
        match timer.timer.next_due(timer.timer.due) {
            Some(next) => timer.timer = next,
            None => {
                self.start_timers.remove(index);
            }
        }
        let at = StartAt::Event(process.node(node).id.clone());
        self.start_graph(process, StartOptions { at, ..StartOptions::default() })?;
        Ok(())
    }
}

struct NoVariables;

impl Variables for NoVariables {
    fn get(&self, _: &str) -> Option<std::borrow::Cow<'_, Value>> {
        None
    }

    fn names(&self) -> Vec<Name> {
        Vec::new()
    }
}
