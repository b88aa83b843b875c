//! Instances in memory, with time in the caller's hands: what tests, the command line and programs without a database use.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use super::clock::StartTimer;
use super::messages::Buffered;
use super::{Message, Notice, Request, RunError, StartOptions, Stepped, requests};
use crate::Name;
use crate::expressions::Expressions;
use crate::graph::ProcessGraph;
use crate::instance::{Instance, Key, Wait};
use crate::step::{Command, Context, Events, STEP_BUDGET, step};
use crate::time::Timestamp;
use crate::value::Value;

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
    /// How many calls stand around it.
    pub(super) depth: u32,
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
    pub(super) owners: BTreeMap<Key, Key>,
    /// Called instances, by the call.
    pub(super) called: BTreeMap<Key, Key>,
    pub(super) timers: BTreeSet<(Timestamp, Key)>,
    pub(super) due: BTreeMap<Key, Timestamp>,
    pub(super) start_timers: Vec<StartTimer>,
    pub(super) buffered: Vec<Buffered>,
    pub(super) noted: Vec<Noted>,
    /// How many messages and signals what is worked off now follows from.
    pub(super) chain: u32,
    /// Messages and signals carried in this unit of work.
    pub(super) carried: u32,
    /// Called instances started in this unit of work.
    pub(super) calls: u32,
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
            calls: 0,
            stopped: false,
            log: Vec::new(),
            notices: Vec::new(),
        }
    }

    /// Sets how many flow nodes one step may pass before it is taken for an endless loop.
    pub fn limit_steps(&mut self, budget: u32) {
        self.budget = budget;
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
        let graph = self.bound(process, &options.binding, None);
        let graph = graph.ok_or_else(|| RunError::UnknownProcess(process.into()))?;
        self.start_graph(graph, options)
    }

    pub(super) fn start_graph(&mut self, graph: Arc<ProcessGraph>, options: StartOptions) -> Result<Key, RunError> {
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

    pub(super) fn take_key(&mut self) -> Key {
        let key = self.next_key;
        self.next_key = Key(key.0 + 1);
        key
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
        self.calls = 0;
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
}
