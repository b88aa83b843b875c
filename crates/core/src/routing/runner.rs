//! Instances in memory, with time in the caller's hands: what tests, the command line and programs without a database use.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use super::undo::Before;
use super::{
    Brought, Correlated, Message, Noted, Notice, RunError, Running, StartOptions, StartTimer, Stepped, TimedStart,
    Work, World,
};
use crate::Name;
use crate::expressions::Expressions;
use crate::graph::ProcessGraph;
use crate::instance::{Instance, Key, Ordinal, Wait};
use crate::step::{Command, Counter, DATA_BYTES, SCRIPT_TIME, STEP_BUDGET};
use crate::time::Timestamp;
use crate::value::Value;

/// A message that nobody waits for yet.
#[derive(Clone)]
pub(super) struct Buffered {
    pub(super) message: Message,
    pub(super) from: Option<Key>,
    pub(super) until: Timestamp,
}

/// Instances in memory.
pub struct Runner {
    pub(super) expressions: Arc<dyn Expressions>,
    pub(super) now: Timestamp,
    pub(super) keys: Counter,
    pub(super) budget: u32,
    time: Duration,
    /// What the scripts and expressions of this unit of work may still take.
    pub(super) time_left: Duration,
    /// How many bytes may still be set in variables.
    pub(super) room: usize,
    pub(super) processes: BTreeMap<Name, Vec<Arc<ProcessGraph>>>,
    pub(super) instances: BTreeMap<Key, Running>,
    /// Which instance a key belongs to.
    pub(super) owners: BTreeMap<Key, Key>,
    pub(super) timers: BTreeSet<(Timestamp, Key)>,
    pub(super) due: BTreeMap<Key, Timestamp>,
    pub(super) start_timers: Vec<(Arc<ProcessGraph>, StartTimer)>,
    /// Starts by timers that have failed, and when they are tried again.
    pub(super) starts_again: Vec<(Timestamp, Arc<ProcessGraph>, TimedStart)>,
    pub(super) buffered: Vec<Buffered>,
    /// What has occurred of start events that need several definitions, by process and flow node.
    pub(super) noted: BTreeMap<(Name, Ordinal), Vec<Noted>>,
    pub(super) log: Vec<Stepped>,
    pub(super) notices: Vec<Notice>,
    /// How everything was before a unit of work that is undone if it fails.
    pub(super) before: Option<Before>,
}

impl Runner {
    /// No processes and no instances, at that time.
    #[must_use]
    pub fn new(expressions: Arc<dyn Expressions>, now: Timestamp) -> Self {
        Self {
            expressions,
            now,
            keys: Counter::default(),
            budget: STEP_BUDGET,
            time: SCRIPT_TIME,
            time_left: SCRIPT_TIME,
            room: DATA_BYTES,
            processes: BTreeMap::new(),
            instances: BTreeMap::new(),
            owners: BTreeMap::new(),
            timers: BTreeSet::new(),
            due: BTreeMap::new(),
            start_timers: Vec::new(),
            starts_again: Vec::new(),
            buffered: Vec::new(),
            noted: BTreeMap::new(),
            log: Vec::new(),
            notices: Vec::new(),
            before: None,
        }
    }

    /// Sets how many flow nodes one step may pass before it is taken for an endless loop.
    pub fn limit_steps(&mut self, budget: u32) {
        self.budget = budget;
    }

    /// Sets how long the scripts and expressions of all that one command causes may take before they are taken for an endless loop.
    pub fn limit_time(&mut self, time: Duration) {
        (self.time, self.time_left) = (time, time);
    }

    /// Sends a message from outside: to the one subscription that takes it, else it starts a process, else it is kept for an
    /// hour.
    ///
    /// # Errors
    /// If several subscriptions take it, or one of its values is too large.
    pub fn correlate(&mut self, message: Message) -> Result<Correlated, RunError> {
        let mut work = Work::new();
        let Ok(correlated) = work.correlate(self, &message);
        self.work_off(work);
        correlated
    }

    /// Sends a signal from outside: to everybody who listens, and to processes that it starts.
    ///
    /// # Errors
    /// If one of its values is too large.
    pub fn signal(&mut self, name: &str, payload: &[(Name, Value)]) -> Result<(), RunError> {
        let mut work = Work::new();
        let Ok(told) = work.signal(self, &name.into(), payload);
        self.work_off(work);
        told
    }

    /// Tells the processes with conditional start events of data from outside: those whose condition holds start with it.
    ///
    /// # Errors
    /// If one of the values is too large, or a condition cannot be computed: then nothing starts.
    pub fn evaluate_conditions(&mut self, variables: &[(Name, Value)]) -> Result<(), RunError> {
        let data = Brought { payload: variables.to_vec(), ..Brought::default() };
        let mut work = Work::new();
        let newest = self.processes.values().filter_map(|versions| versions.last());
        let mut time = self.time;
        work.evaluate_conditions(newest, &data, self.now, &mut time)?;
        self.time_left = time;
        self.work_off(work);
        Ok(())
    }

    /// The time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.now
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
        self.waits_from(Key::default())
    }

    /// All that instances wait for under this key and newer ones, oldest first.
    pub fn waits_from(&self, key: Key) -> impl Iterator<Item = (&Running, &Wait)> {
        self.owners.range(key..).filter_map(|(key, instance)| {
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
        let graph = self.bound(process, &options.binding, None);
        let graph = graph.ok_or_else(|| RunError::UnknownProcess(process.into()))?;
        self.start_graph(graph, options)
    }

    pub(super) fn start_graph(&mut self, graph: Arc<ProcessGraph>, options: StartOptions) -> Result<Key, RunError> {
        let command = Command::Start {
            at: options.at,
            business_key: options.business_key,
            variables: options.variables,
            caller: None,
            started_by: None,
            initiator: options.initiator,
        };
        let mut work = Work::new();
        let (key, requests) = self.begin(None, graph, command)?;
        work.ask(key, requests);
        self.work_off(work);
        Ok(key)
    }

    /// Gives an instance a command, and works off what that asks of others. What follows a savepoint or timer is undone where its
    /// dialect tries that again; then the instance only remembers that it failed.
    ///
    /// # Errors
    /// If there is no such instance, or it refuses.
    pub fn command(&mut self, instance: Key, command: Command) -> Result<(), RunError> {
        let running = self.instances.get(&instance).ok_or(RunError::UnknownInstance(instance))?;
        match command.tries(&running.graph) {
            Some(wait) => match self.unless_it_fails(|runner| runner.carry_out(instance, command))? {
                Some(failure) => self.carry_out(instance, Command::FailTry { wait, failure }),
                None => Ok(()),
            },
            None => self.carry_out(instance, command),
        }
    }

    pub(super) fn carry_out(&mut self, instance: Key, command: Command) -> Result<(), RunError> {
        let mut work = Work::new();
        work.ask(instance, self.step(instance, command)?);
        self.work_off(work);
        Ok(())
    }

    /// Answers requests, in order, until nothing is left.
    pub(super) fn work_off(&mut self, mut work: Work) {
        let Ok(()) = work.run(self);
        (self.time_left, self.room) = (self.time, DATA_BYTES);
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
}
