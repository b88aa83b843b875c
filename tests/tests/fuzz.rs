//! Broken models: whatever bytes come, reading gives a model or diagnostics, and whatever runs, runs without panic, with
//! events that fold to the instance. `POTOK_FUZZ_ROUNDS=1000000 cargo test --release -p potok-tests --test fuzz` digs
//! deeper; `POTOK_FUZZ_SEED` starts elsewhere, and `POTOK_FUZZ_FILE` tries
//! one file again.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use potok_core::graph::Package;
use potok_core::instance::{Instance, Key, TokenState, WaitKind};
use potok_core::routing::{Message, Runner, StartOptions, start_triggers};
use potok_core::step::{Command, StartAt};
use potok_core::time::Timestamp;
use potok_expressions::Evaluator;

/// xorshift64*: the same rounds from the same seed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let sides = u64::try_from(sides.max(1)).unwrap();
        usize::try_from(self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) % sides).unwrap()
    }
}

fn number(variable: &str, default: u64) -> u64 {
    std::env::var(variable).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// Every model of the tests.
fn seeds() -> Vec<Vec<u8>> {
    let mut folders: Vec<PathBuf> = ["models", "corpus", "../bpmn"]
        .iter()
        .map(|folder| Path::new(env!("CARGO_MANIFEST_DIR")).join(folder))
        .collect();
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "bpmn")
                // Two processes that answer each other until they are stopped: seconds for each round.
                && !path.ends_with("endless_answers.bpmn")
            {
                files.push(path);
            }
        }
    }
    files.sort();
    files.iter().map(|file| fs::read(file).unwrap()).collect()
}

/// Breaks a model: bytes, or whole tags and attributes, so that it often stays readable.
fn broken(seed: &[u8], other: &[u8], dice: &mut Dice) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    for _ in 0..=dice.roll(4) {
        if bytes.is_empty() {
            return bytes;
        }
        let at = dice.roll(bytes.len());
        let tags: Vec<usize> = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'<').map(|(i, _)| i).collect();
        let tag = |dice: &mut Dice| tags.get(dice.roll(tags.len())).copied().unwrap_or(0);
        match dice.roll(9) {
            0 => bytes[at] = u8::try_from(dice.roll(256)).unwrap(),
            1 => bytes.truncate(at),
            2 => {
                let (from, to) = (tag(dice), tag(dice));
                let piece = bytes[from.min(to)..from.max(to)].to_vec();
                let place = tag(dice);
                bytes.splice(place..place, piece);
            }
            3 => {
                let (from, to) = (tag(dice), tag(dice));
                bytes.drain(from.min(to)..from.max(to));
            }
            4 | 5 => swap_values(&mut bytes, dice),
            6 => {
                let from = dice.roll(other.len());
                let to = (from + dice.roll(200)).min(other.len());
                bytes.splice(at..at, other[from..to].iter().copied());
            }
            7 => rename(&mut bytes, dice),
            _ => {
                bytes.remove(at);
            }
        }
        bytes.truncate(200_000);
    }
    bytes
}

/// Exchanges the values of two attributes: references that point elsewhere, ids that stand twice.
fn swap_values(bytes: &mut Vec<u8>, dice: &mut Dice) {
    let quotes: Vec<usize> = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'"').map(|(i, _)| i).collect();
    if quotes.len() < 4 {
        return;
    }
    let pick = |dice: &mut Dice| {
        let index = dice.roll(quotes.len() / 2) * 2;
        (quotes[index] + 1, quotes[index + 1])
    };
    let (a, b) = (pick(dice), pick(dice));
    let value = bytes[b.0..b.1].to_vec();
    bytes.splice(a.0..a.1, value);
}

/// Makes one element another.
fn rename(bytes: &mut Vec<u8>, dice: &mut Dice) {
    const WORDS: [&str; 14] = [
        "userTask",
        "subProcess",
        "parallelGateway",
        "inclusiveGateway",
        "complexGateway",
        "eventBasedGateway",
        "callActivity",
        "transaction",
        "adHocSubProcess",
        "endEvent",
        "startEvent",
        "boundaryEvent",
        "terminateEventDefinition",
        "compensateEventDefinition",
    ];
    let text = String::from_utf8_lossy(bytes).into_owned();
    let (from, to) = (WORDS[dice.roll(WORDS.len())], WORDS[dice.roll(WORDS.len())]);
    *bytes = text.replace(from, to).into_bytes();
}

/// Runs a model with commands by chance.
fn run(package: &Package, evaluator: &Arc<Evaluator>, dice: &mut Dice) {
    let mut runner = Runner::new(evaluator.clone(), Timestamp::UNIX_EPOCH);
    runner.deploy(package);
    let mut mirrors: std::collections::BTreeMap<Key, Instance> = std::collections::BTreeMap::new();
    for graph in &package.processes {
        let _ = runner.start(graph.id(), StartOptions::default());
        if let Some(trigger) = start_triggers(graph).next() {
            let at = StartAt::Event(graph.node(trigger.node).id.clone());
            let _ = runner.start(graph.id(), StartOptions { at, ..StartOptions::default() });
        }
    }
    for _ in 0..40 {
        let log = runner.take_log();
        if log.len() > 1_000 {
            return; // Two processes that talk without end: the runner stops them, but we have seen enough.
        }
        for stepped in log {
            let mirror = mirrors.entry(stepped.instance).or_insert_with(|| Instance::new(stepped.instance));
            for event in &stepped.events.list {
                mirror.apply(*event, &stepped.events);
            }
        }
        for running in runner.instances() {
            let instance = &running.instance;
            assert_eq!(mirrors.get(&instance.key()), Some(instance), "folding the events gives the instance");
            assert!(instance.tokens().all(|(_, token)| token.state != TokenState::Moving), "every token rests");
            if !instance.is_active() {
                assert_eq!(instance.waits().count(), 0, "an instance that has ended waits for nothing");
            }
        }
        let waits: Vec<_> = runner.waits().map(|(running, wait)| (running.instance.key(), wait.clone())).collect();
        if waits.is_empty() || waits.len() > 2_000 {
            break;
        }
        let (instance, wait) = &waits[dice.roll(waits.len())];
        let key = wait.key;
        let variables = vec![("x".into(), i64::try_from(dice.roll(3)).unwrap().into())];
        let command = match &wait.kind {
            WaitKind::UserTask(_) => match dice.roll(5) {
                0 => Command::ThrowError { wait: key, code: "error".into(), message: None, variables },
                1 => Command::ThrowEscalation { wait: key, code: "escalation".into(), variables },
                2 => Command::SetTaskVariables { task: key, variables: Vec::new(), local_variables: variables },
                _ => Command::CompleteUserTask { task: key, variables },
            },
            WaitKind::Job(_) => match dice.roll(4) {
                0 => Command::FailJob { job: key, retries: Some(0), message: "no".into() },
                1 => Command::ThrowError { wait: key, code: "error".into(), message: None, variables },
                _ => Command::CompleteJob { job: key, variables, local_variables: Vec::new() },
            },
            WaitKind::Timer(_) => Command::FireTimer { timer: key },
            WaitKind::Message(message) => {
                let message = Message { name: Some(message.name.clone()), ..Message::default() };
                let _ = runner.correlate(message);
                Command::DeliverMessage { subscription: key, variables }
            }
            WaitKind::Signal(signal) => {
                let _ = runner.signal(&signal.name, &variables);
                continue;
            }
            WaitKind::Condition { .. } => Command::SetVariables { scope: 0, variables },
            WaitKind::Call(_) => Command::CompleteCall { call: key, variables },
            WaitKind::Continuation { .. } => Command::Continue { continuation: key },
            WaitKind::AdHoc => Command::CompleteAdHoc { ad_hoc: key },
            WaitKind::Compensation(_) if dice.roll(3) == 0 => Command::Cancel { reason: None },
            WaitKind::Compensation(_) | WaitKind::Occurred(_) => continue,
            WaitKind::Incident(_) => Command::ResolveIncident { incident: key },
        };
        let _ = runner.command(*instance, command);
    }
}

#[test]
fn nothing_that_is_read_or_run_panics() {
    let seeds = seeds();
    assert!(seeds.len() > 50, "the models are there");
    let rounds = number("POTOK_FUZZ_ROUNDS", 1_500);
    let seed = number("POTOK_FUZZ_SEED", 1);
    let evaluator = Arc::new(Evaluator::new());
    let mut ran = 0;
    for round in 0..rounds {
        let mut dice = Dice(seed.wrapping_add(round).wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
        let model = if let Ok(file) = std::env::var("POTOK_FUZZ_FILE") {
            fs::read(file).unwrap()
        } else {
            broken(&seeds[dice.roll(seeds.len())], &seeds[dice.roll(seeds.len())], &mut dice)
        };
        let keep = std::env::temp_dir().join(format!("potok-fuzz-{}.bpmn", std::process::id()));
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            if let Ok(package) = Package::from_bpmn(&model, &*evaluator) {
                run(&package, &evaluator, &mut dice);
                return 1;
            }
            0
        }));
        match outcome {
            Ok(runs) => ran += runs,
            Err(panic) => {
                fs::write(&keep, &model).unwrap();
                eprintln!("round {round} of seed {seed} panicked; the model is in {}", keep.display());
                std::panic::resume_unwind(panic);
            }
        }
    }
    assert!(ran * 20 > rounds, "enough of the broken models still run: {ran} of {rounds}");
}
