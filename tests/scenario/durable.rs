//! Does on a database what the runners do in memory, and holds against each other what has become of the instances.
//!
//! Keys are others there. Which one is which follows from where they stand: both ways give the same instances, apart from keys.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU32, Ordering};

use potok::query::InstanceQuery;
use potok::sqlx::{AssertSqlSafe, Connection, PgConnection, raw_sql};
use potok::{Builder, Clock, Engine, Error, InstanceId, Name, TaskId};
use potok_core::expressions::Binding;
use potok_core::instance::{Instance, Key, WaitKind};
use potok_core::routing::{Message, RunError, Runner, StartOptions};
use potok_core::step::{Command, Instruction, Target};
use potok_core::time::Timestamp;
use potok_store::{Faults, Simulation};
use serde_json::Value as Json;
use tokio::runtime::Runtime;

use super::act::{Act, Done};
use super::verbs::code_of;

/// So many instances are too many.
const CROWD: usize = 1000;

/// An engine that follows a scenario, as long as it can.
pub(super) struct Durable {
    runtime: Runtime,
    /// None once something was done that an engine is not asked for: from then on nobody follows.
    engine: Option<Engine>,
    /// Its keys by the runner's.
    keys: BTreeMap<Key, Key>,
}

impl Durable {
    /// Deploys files, deployment by deployment.
    #[track_caller]
    pub(super) fn new(deployments: &[Vec<(String, String)>], now: Timestamp) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let engine = runtime.block_on(async {
            let engine = database(now).await.clock(Clock::standing_at(now)).job_execution(false).start().await?;
            for files in deployments {
                let mut deployment = engine.deployment().anew();
                for (name, text) in files {
                    let name = if name.contains('.') { name.clone() } else { format!("{name}.bpmn") };
                    deployment = deployment.file(name, text);
                }
                deployment.send().await?;
            }
            Ok::<_, Error>(engine)
        });
        let engine = engine.unwrap_or_else(|error| panic!("an engine does not start with these models: {error}"));
        Self { runtime, engine: Some(engine), keys: BTreeMap::new() }
    }

    /// From here on nobody follows.
    pub(super) fn leave(&mut self) {
        self.engine = None;
    }

    /// Does what the runner has done, too.
    #[track_caller]
    pub(super) fn follow(&mut self, act: &Act, expected: &Result<Done, RunError>, runner: &Runner) {
        let Some(engine) = &self.engine else { return };
        // An engine goes on with endless timers for ever, a bite at a time; of crowds plain memory looks through all, again and again.
        if matches!(expected, Err(RunError::EndlessTimers(_))) || runner.instances().nth(CROWD).is_some() {
            return self.leave();
        }
        let Some(done) = self.runtime.block_on(perform(engine, act, &self.keys)) else { return self.leave() };
        let (done, expected) = (done.map_err(|error| error.code()), expected.as_ref().map_err(code_of));
        assert_eq!(done.err(), expected.err(), "on a database something else comes of {act:?}");
        let instances = self.runtime.block_on(instances(engine)).expect("what is in the database can be read");
        self.compare(runner, &instances);
    }

    /// Holds all instances against each other.
    #[track_caller]
    fn compare(&mut self, runner: &Runner, durable: &[Instance]) {
        let of_runner: Vec<&Instance> = runner.instances().map(|running| &running.instance).collect();
        assert_eq!(durable.len(), of_runner.len(), "on a database there are more instances, or fewer");
        let known: BTreeMap<Key, &Instance> = durable.iter().map(|instance| (instance.key(), instance)).collect();
        // Both count in the order in which instances begin.
        let paired: BTreeSet<Key> = self.keys.values().copied().collect();
        let mut new = durable.iter().filter(|there| !paired.contains(&there.key()));
        for instance in of_runner {
            let there = match self.keys.get(&instance.key()) {
                Some(key) => known.get(key).copied(),
                // A called instance may have been paired by its call meanwhile.
                None => new.find(|there| self.keys.values().all(|paired| *paired != there.key())),
            };
            let Some(there) = there else { panic!("instance {} is not in the database", instance.key()) };
            self.keys.insert(instance.key(), there.key());
            for (wait, other) in instance.waits().zip(there.waits()) {
                self.keys.insert(wait.key, other.key);
            }
            let mut differences = Vec::new();
            differ(&json(instance), &json(there), &self.keys, "", &mut differences);
            assert!(
                differences.is_empty(),
                "on a database instance {} is another:\n{}",
                instance.key(),
                differences.join("\n")
            );
        }
    }
}

/// What `POTOK_SCENARIOS` names: `memory` unless it is set, `sqlite`, or `postgres`, where `POTOK_POSTGRES_URL` says.
async fn database(now: Timestamp) -> Builder {
    match std::env::var("POTOK_SCENARIOS").as_deref() {
        Err(_) | Ok("memory") => Engine::builder().store(Simulation::new(1, Faults::default(), now).node()),
        Ok("sqlite") => Engine::builder().sqlite_in_memory(),
        Ok("postgres") => Engine::builder().postgres(schema().await),
        Ok(other) => panic!("POTOK_SCENARIOS is `{other}`, but must be `memory`, `sqlite` or `postgres`"),
    }
}

/// A schema of its own on the server to test on.
async fn schema() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let url = std::env::var("POTOK_POSTGRES_URL").expect("POTOK_POSTGRES_URL says where PostgreSQL is");
    let schema = format!("potok_scenario_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    let sql = format!("DROP SCHEMA IF EXISTS {schema} CASCADE; CREATE SCHEMA {schema}");
    let mut connection = PgConnection::connect(&url).await.expect("PostgreSQL can be reached");
    raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await.expect("a schema can be made");
    let separator = if url.contains('?') { '&' } else { '?' };
    format!("{url}{separator}options=-csearch_path%3D{schema}")
}

impl Drop for Durable {
    fn drop(&mut self) {
        let Some(engine) = self.engine.take().filter(|_| !std::thread::panicking()) else { return };
        let findings = self.runtime.block_on(engine.examine()).expect("the database can be examined");
        assert!(findings.is_empty(), "the database is not as its log says: {findings:#?}");
        self.runtime.block_on(engine.stop());
    }
}

/// Does it on an engine; none if an engine is not asked for such a thing.
async fn perform(engine: &Engine, act: &Act, keys: &BTreeMap<Key, Key>) -> Option<Result<(), Error>> {
    let other = |key: Key| keys.get(&key).copied().unwrap_or(key);
    Some(match act {
        Act::Start(process, options) => return start(engine, process, options).await,
        Act::Command(instance, command) => {
            engine.instance(InstanceId(other(*instance))).command(translated(command, other)?).await
        }
        Act::CommandAt(wait, Command::ChangeUserTask { assignee, .. }) => {
            let task = TaskId(other(*wait));
            match assignee {
                Some(user) => engine.assign(task, user.clone()).await,
                None => engine.unclaim(task).await,
            }
        }
        Act::CommandAt(wait, command) => {
            let instances = instances(engine).await.ok()?;
            let instance = instances.iter().find(|instance| instance.wait(other(*wait)).is_some())?;
            engine.instance(InstanceId(instance.key())).command(translated(command, other)?).await
        }
        Act::Message(message) => return send(engine, message).await,
        Act::Signal(name, payload) => engine.signal(name.clone(), payload.clone()).await,
        Act::Data(data) => engine.evaluate_conditions(data.clone()).send().await.map(drop),
        Act::Advance(to) => return advance(engine, *to).await,
    })
}

async fn start(engine: &Engine, process: &Name, options: &StartOptions) -> Option<Result<(), Error>> {
    if options.initiator.is_some() {
        return None;
    }
    let mut start = engine.start(process.clone()).at(options.at.clone()).variables(options.variables.clone());
    if let Some(key) = &options.business_key {
        start = start.business_key(key.clone());
    }
    start = match &options.binding {
        Binding::Latest => start,
        Binding::Version(version) => start.version(version.parse().ok()?),
        Binding::VersionTag(tag) => start.tag(tag.clone()),
        Binding::Deployment => return None,
    };
    Some(start.send().await.map(drop))
}

async fn send(engine: &Engine, message: &Message) -> Option<Result<(), Error>> {
    let Message { name, target: None, correlation_key, properties, business_key, variables, payload } = message else {
        return None;
    };
    let mut sending = engine.message(name.clone()?).variables(payload.clone());
    if let Some(key) = correlation_key {
        sending = sending.correlation_key(key.clone());
    }
    if let Some(key) = business_key {
        sending = sending.business_key(key.clone());
    }
    for (name, value) in properties {
        sending = sending.property(name.clone(), value.clone());
    }
    for (name, value) in variables {
        sending = sending.where_variable(name.clone(), value.clone());
    }
    Some(sending.send().await.map(drop))
}

/// Lets time pass, from timer to timer; savepoints, which an engine executes then, wait in a runner until they are told to go on.
async fn advance(engine: &Engine, to: Timestamp) -> Option<Result<(), Error>> {
    loop {
        let instances = instances(engine).await.ok()?;
        let mut waits = instances.iter().flat_map(Instance::waits);
        let is_fresh = |kind: &WaitKind| kind.retry().is_none_or(|retry| retry.failure.is_none());
        if waits.any(|wait| matches!(wait.kind, WaitKind::Continuation { .. }) && is_fresh(&wait.kind)) {
            return None;
        }
        let next = engine.store().next_due().await.ok()?.filter(|due| *due <= to);
        engine.clock().advance(next.unwrap_or(to));
        match engine.execute_due().await {
            Ok(_) if next.is_none() => return Some(Ok(())),
            Ok(_) => {}
            Err(error) => return Some(Err(error)),
        }
    }
}

/// All instances, the oldest first.
async fn instances(engine: &Engine) -> Result<Vec<Instance>, Error> {
    let mut instances = Vec::new();
    for row in engine.instances(&InstanceQuery::default()).await? {
        instances.push(engine.instance(row.id()).state().await?);
    }
    instances.sort_by_key(Instance::key);
    Ok(instances)
}

/// A command with other keys.
fn translated(command: &Command, other: impl Fn(Key) -> Key) -> Option<Command> {
    let mut command = command.clone();
    let key = match &mut command {
        Command::CompleteUserTask { task: key, .. }
        | Command::SetTaskVariables { task: key, .. }
        | Command::ChangeUserTask { task: key, .. }
        | Command::CompleteJob { job: key, .. }
        | Command::FailJob { job: key, .. }
        | Command::ThrowError { wait: key, .. }
        | Command::ThrowEscalation { wait: key, .. }
        | Command::Continue { continuation: key }
        | Command::SetRetries { wait: key, .. }
        | Command::ActivateAdHoc { ad_hoc: key, .. }
        | Command::CompleteAdHoc { ad_hoc: key }
        | Command::ResolveIncident { incident: key } => Some(key),
        Command::SetVariables { .. } | Command::Cancel { .. } => None,
        Command::Modify { instructions, .. } => {
            for instruction in instructions {
                if let Instruction::Cancel(Target::Wait(key)) | Instruction::Move { from: Target::Wait(key), .. } =
                    instruction
                {
                    *key = other(*key);
                }
            }
            None
        }
        _ => return None,
    };
    if let Some(key) = key {
        *key = other(*key);
    }
    Some(command)
}

fn json(instance: &Instance) -> Json {
    serde_json::to_value(instance).expect("an instance can be written down")
}

/// Where an instance is another one in the database, apart from its keys, also where expressions have made texts of them.
fn differ(expected: &Json, found: &Json, keys: &BTreeMap<Key, Key>, path: &str, differences: &mut Vec<String>) {
    let is_key = |expected: Option<u64>, found: Option<u64>| {
        expected.zip(found).is_some_and(|(expected, found)| keys.get(&Key(expected)) == Some(&Key(found)))
    };
    let number = |text: &str| text.parse().ok();
    match (expected, found) {
        (Json::Number(one), Json::Number(other)) if one == other || is_key(one.as_u64(), other.as_u64()) => {}
        (Json::String(one), Json::String(other)) if one == other || is_key(number(one), number(other)) => {}
        (Json::Array(one), Json::Array(other)) if one.len() == other.len() => {
            for (index, (one, other)) in one.iter().zip(other).enumerate() {
                differ(one, other, keys, &format!("{path}/{index}"), differences);
            }
        }
        (Json::Object(one), Json::Object(other)) if one.len() == other.len() => {
            for (name, one) in one {
                let other = other.get(name).or_else(|| {
                    let key = keys.get(&Key(number(name)?))?;
                    other.get(&key.to_string())
                });
                differ(one, other.unwrap_or(&Json::Null), keys, &format!("{path}/{name}"), differences);
            }
        }
        (one, other) if one == other => {}
        (one, other) => differences.push(format!("{path}: {other}, not {one}")),
    }
}
