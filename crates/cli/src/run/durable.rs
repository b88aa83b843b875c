//! Instances in a database: the engine does what is asked, and what it has written is read again and followed.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use potok::query::InstanceQuery;
use potok::row::{Instance as InstanceRow, InstanceState, LogRow};
use potok::{Clock, DefinitionId, Engine, Error, InstanceId};
use potok_core::Name;
use potok_core::instance::{Instance, Key, Wait, WaitKind};
use potok_core::routing::{Message, Notice, Running, StartOptions, Stepped};
use potok_core::step::{Command, Event, Events};
use potok_core::time::Timestamp;
use potok_core::value::Value;
use tokio::runtime::Runtime;

use super::host::Host;
use crate::failure::Failure;
use crate::folder::{self, Folder};

/// Rows that are read at once.
const PAGE: usize = 1000;

/// Which instance a run is about.
pub(crate) struct Wanted<'a> {
    pub(crate) process: &'a Name,
    pub(crate) business_key: Option<&'a Name>,
    /// A new one, even if one still runs.
    pub(crate) new: bool,
}

/// The instances of a run in a database. Others may be there, too: the run is about the main one, those that it calls or
/// starts, and those of other processes that have started since from outside.
pub(crate) struct Durable {
    runtime: Runtime,
    engine: Engine,
    process: Name,
    /// When the main instance started, or the run began.
    since: Timestamp,
    instances: BTreeMap<Key, Running>,
    /// How much of each instance's history has been read.
    read: BTreeMap<Key, u64>,
    /// Which instance a key belongs to.
    owners: BTreeMap<Key, Key>,
    /// Instances that the run is not about.
    strangers: BTreeSet<Key>,
    log: Vec<Stepped>,
    next_timer: Option<Timestamp>,
}

impl Durable {
    /// Opens a database, deploys a folder to it, and finds the instance to go on with: the newest that still runs. Time never
    /// goes back behind what has happened to that, or to any other that the run is about.
    pub(crate) fn open(
        database: &str,
        now: Timestamp,
        folder: &Folder,
        wanted: &Wanted<'_>,
    ) -> Result<(Self, Option<InstanceRow>), Failure> {
        let runtime = Runtime::new()?;
        let (found, before) = runtime.block_on(async {
            // What time it is to be is known when the instance is.
            let engine = engine(database, Timestamp::UNIX_EPOCH).await?;
            let found = find(&engine, wanted).await;
            engine.stop().await;
            found
        })?;
        let engine = runtime.block_on(engine(database, before.unwrap_or(now)))?;
        let mut durable = Self {
            runtime,
            engine,
            process: wanted.process.clone(),
            since: found.as_ref().map_or(now, |row| row.started),
            instances: BTreeMap::new(),
            read: BTreeMap::new(),
            owners: BTreeMap::new(),
            strangers: BTreeSet::new(),
            log: Vec::new(),
            next_timer: None,
        };
        durable.pass_over(found.as_ref())?;
        if let Some(row) = &found {
            durable.follow(vec![row.key])?;
            if let Some(latest) = durable.instances.values().map(|running| running.instance.now()).max() {
                durable.engine.clock().advance(latest);
            }
        }
        durable.deploy(folder)?;
        durable.look_at_timers()?;
        Ok((durable, found))
    }

    fn deploy(&self, folder: &Folder) -> Result<(), Failure> {
        let mut deployment = self.engine.deployment();
        for file in folder.deployable() {
            let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            deployment = deployment.file(name, folder::read(file)?);
        }
        self.runtime.block_on(deployment.send())?;
        Ok(())
    }

    /// What was there before the main instance is none of the run's. Where time stands still, only the keys tell what came first.
    fn pass_over(&mut self, main: Option<&InstanceRow>) -> Result<(), Failure> {
        let query = InstanceQuery { started_from: Some(self.since), ..InstanceQuery::default() };
        let there = self.runtime.block_on(self.engine.instances(&query))?;
        let is_before = |key: &Key| main.is_none_or(|main| *key < main.key);
        self.strangers = there.iter().map(|row| row.key).filter(is_before).collect();
        Ok(())
    }

    /// Reads what has happened: to the instances that are known, to these, and to those that come from them.
    fn follow(&mut self, mut unread: Vec<Key>) -> Result<(), Failure> {
        let active = self.instances.iter().filter(|(_, running)| running.instance.is_active());
        unread.extend(active.map(|(key, _)| *key));
        let mut happened = Vec::new();
        loop {
            while let Some(key) = unread.pop() {
                for row in self.history(key)? {
                    let stepped = self.apply(key, &row)?;
                    // A called instance has the key of its call.
                    unread.extend(calls(&stepped.events).filter(|key| !self.instances.contains_key(key)));
                    happened.push(((row.transaction, row.position), stepped));
                }
            }
            unread = self.newcomers()?;
            if unread.is_empty() {
                break;
            }
        }
        happened.sort_by_key(|(place, _)| *place);
        self.log.extend(happened.into_iter().map(|(_, stepped)| stepped));
        self.look_at_timers()
    }

    fn look_at_timers(&mut self) -> Result<(), Failure> {
        let next = self.runtime.block_on(self.engine.store().next_due()).map_err(Error::from)?;
        // What is kept for another reason never comes.
        self.next_timer = next.filter(|due| *due < Timestamp::MAX);
        Ok(())
    }

    /// The rows of an instance's history that have not been read yet.
    fn history(&self, key: Key) -> Result<Vec<LogRow>, Failure> {
        let mut after = self.read.get(&key).copied().unwrap_or_default();
        let mut all: Vec<LogRow> = Vec::new();
        loop {
            let page = self.runtime.block_on(self.engine.store().history(key, after, PAGE)).map_err(Error::from)?;
            let is_last = page.len() < PAGE;
            all.extend(page);
            match all.last() {
                Some(last) if !is_last => after = last.seq,
                _ => return Ok(all),
            }
        }
    }

    fn apply(&mut self, key: Key, row: &LogRow) -> Result<Stepped, Failure> {
        let events = decode(row)?;
        let running = match self.instances.entry(key) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => {
                let graph = self.runtime.block_on(self.engine.graph(DefinitionId(row.definition)))?;
                let graph = graph.ok_or_else(|| Failure::new(format!("the model of instance {key} is gone")))?;
                entry.insert(Running { graph, instance: Instance::new(key) })
            }
        };
        for event in &events.list {
            running.instance.apply(*event, &events);
            match *event {
                Event::Migrated { .. } => {
                    let graph = self.runtime.block_on(self.engine.graph(DefinitionId(row.definition)))?;
                    running.graph =
                        graph.ok_or_else(|| Failure::new(format!("the model of instance {key} is gone")))?;
                }
                Event::WaitOpened { details } => {
                    self.owners.extend(events.waits.get(details as usize).map(|wait| (wait.key, key)));
                }
                Event::WaitClosed { key, .. } => {
                    self.owners.remove(&key);
                }
                _ => {}
            }
        }
        self.read.insert(key, row.seq);
        Ok(Stepped { instance: key, graph: running.graph.clone(), events })
    }

    /// Instances that have not been read yet and that the run is about.
    fn newcomers(&mut self) -> Result<Vec<Key>, Failure> {
        let query = InstanceQuery { started_from: Some(self.since), ..InstanceQuery::default() };
        let mut found = Vec::new();
        for row in self.runtime.block_on(self.engine.instances(&query))? {
            let key = row.key;
            if self.instances.contains_key(&key) || self.strangers.contains(&key) {
                continue;
            }
            let mut instance = Instance::new(key);
            for row in self.runtime.block_on(self.engine.store().history(key, 0, 1)).map_err(Error::from)? {
                let events = decode(&row)?;
                events.list.iter().for_each(|event| instance.apply(*event, &events));
            }
            match instance.caller().map(|caller| caller.instance).or(instance.started_by()) {
                Some(from) if self.instances.contains_key(&from) || found.contains(&from) => found.push(key),
                // Whoever it comes from may be about to be read.
                Some(from) if !self.strangers.contains(&from) => {}
                None if row.process != self.process || self.instances.is_empty() => found.push(key),
                _ => {
                    self.strangers.insert(key);
                }
            }
        }
        Ok(found)
    }

    /// Lets the engine do something, and reads what came of it.
    fn act<T>(&mut self, act: impl AsyncFnOnce(&Engine) -> Result<T, Error>) -> Result<T, Failure> {
        let done = self.runtime.block_on(act(&self.engine));
        self.follow(Vec::new())?;
        Ok(done?)
    }
}

impl Host for Durable {
    fn now(&self) -> Timestamp {
        self.engine.clock().now()
    }

    fn next_timer(&self) -> Option<Timestamp> {
        self.next_timer
    }

    fn instances(&self) -> Box<dyn Iterator<Item = &Running> + '_> {
        Box::new(self.instances.values())
    }

    fn instance(&self, key: Key) -> Option<&Running> {
        self.instances.get(&key)
    }

    fn waits_from(&self, key: Key) -> Box<dyn Iterator<Item = (&Running, &Wait)> + '_> {
        Box::new(self.owners.range(key..).filter_map(|(key, instance)| {
            let running = self.instances.get(instance)?;
            Some((running, running.instance.wait(*key)?))
        }))
    }

    fn start(&mut self, process: &str, options: StartOptions) -> Result<(), Failure> {
        let StartOptions { at, business_key, variables, initiator, .. } = options;
        self.act(async |engine| {
            let engine = initiator.map_or_else(|| engine.clone(), |user| engine.as_user(user));
            let mut start = engine.start(process).variables(variables).at(at);
            if let Some(key) = business_key {
                start = start.business_key(key);
            }
            start.send().await
        })?;
        Ok(())
    }

    fn command(&mut self, instance: Key, command: Command) -> Result<(), Failure> {
        self.act(async |engine| engine.instance(InstanceId(instance)).command(command).await)
    }

    fn command_at(&mut self, key: Key, command: Command) -> Result<(), Failure> {
        let unknown = || Failure::new(format!("nothing waits under key {key} any more"));
        let instance = self.owners.get(&key).copied().ok_or_else(unknown)?;
        self.command(instance, command)
    }

    fn correlate(&mut self, message: Message) -> Result<(), Failure> {
        self.act(async |engine| {
            let mut sending = engine.message(message.name.unwrap_or_default()).variables(message.payload);
            if let Some(key) = message.correlation_key {
                sending = sending.correlation_key(key);
            }
            sending.send().await
        })?;
        Ok(())
    }

    fn signal(&mut self, name: &str, variables: &[(Name, Value)]) -> Result<(), Failure> {
        let variables = variables.to_vec();
        self.act(async |engine| engine.signal(name, variables).await)
    }

    fn advance(&mut self, to: Timestamp) -> Result<(), Failure> {
        self.engine.clock().advance(to);
        self.act(async |engine| engine.execute_due().await)?;
        Ok(())
    }

    fn take_log(&mut self) -> Vec<Stepped> {
        std::mem::take(&mut self.log)
    }

    /// What becomes of messages stands in the database.
    fn take_notices(&mut self) -> Vec<Notice> {
        Vec::new()
    }
}

impl Drop for Durable {
    fn drop(&mut self) {
        self.runtime.block_on(self.engine.stop());
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::new(error.to_string())
    }
}

async fn engine(database: &str, now: Timestamp) -> Result<Engine, Error> {
    let clock = Clock::standing_at(now);
    Engine::builder().database(database).clock(clock).job_execution(false).no_backups().name("potok run").start().await
}

/// The instance that is wanted, and its time.
async fn find(engine: &Engine, wanted: &Wanted<'_>) -> Result<(Option<InstanceRow>, Option<Timestamp>), Error> {
    if wanted.new {
        return Ok((None, None));
    }
    let query = InstanceQuery {
        states: vec![InstanceState::Active],
        processes: vec![wanted.process.clone()],
        business_key: wanted.business_key.cloned(),
        ..InstanceQuery::default()
    };
    let running = engine.instances(&query).await?;
    let Some(newest) = running.iter().max_by_key(|row| (row.started, row.key)) else { return Ok((None, None)) };
    let time = engine.instance(newest.id()).state().await?.now();
    Ok((Some((**newest).clone()), Some(time)))
}

fn decode(row: &LogRow) -> Result<Events, Failure> {
    let damaged = |error| Failure::from(Error::Damaged { instance: InstanceId(row.instance), error });
    Events::decode(&row.events).map_err(damaged)
}

/// The calls that begin with events.
fn calls(events: &Events) -> impl Iterator<Item = Key> {
    let opened = events.waits.iter().filter(|wait| matches!(wait.kind, WaitKind::Call(_)));
    opened.map(|wait| wait.key)
}
