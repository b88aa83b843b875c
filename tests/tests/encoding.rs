//! Bytes that are not as they were written: reading them gives an error, or something that can be written again. It never
//! panics, and takes memory only in proportion to the bytes.
#![allow(missing_docs, clippy::unwrap_used)]

use std::alloc::System;
use std::sync::Arc;

use potok_core::encoding::{DecodeError, FORMAT};
use potok_core::graph::Package;
use potok_core::instance::Instance;
use potok_core::routing::{Runner, StartOptions};
use potok_core::step::Events;
use potok_core::time::Timestamp;
use potok_expressions::Evaluator;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// What some bytes may cost in memory for each of them, and beside that.
const FACTOR: usize = 256;
const BESIDE: usize = 64 * 1024;

/// xorshift64*: the same rounds from the same seed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        usize::try_from(self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) % u64::try_from(sides.max(1)).unwrap()).unwrap()
    }
}

/// Events and instances of all models of some kinds of elements.
fn written() -> (Vec<Vec<u8>>, Vec<Vec<u8>>) {
    let models = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("models");
    let evaluator = Arc::new(Evaluator::new());
    let (mut rows, mut snapshots) = (Vec::new(), Vec::new());
    for folder in
        ["activity", "boundary_events", "compensation", "data", "event_sub_process", "incidents", "messages", "timers"]
    {
        let Ok(files) = std::fs::read_dir(models.join(folder)) else { continue };
        let mut files: Vec<_> = files.map(|file| file.unwrap().path()).collect();
        files.sort();
        for file in files {
            let Ok(package) = Package::from_bpmn(&std::fs::read(&file).unwrap(), &*evaluator) else { continue };
            let mut runner = Runner::new(evaluator.clone(), Timestamp::UNIX_EPOCH);
            runner.deploy(&package);
            for process in &package.processes {
                let items = vec!["a".into(), 1.into(), 1.5.into()];
                let variables = vec![("items".into(), items.into()), ("name".into(), "a rather long text".into())];
                let options = StartOptions { variables, ..StartOptions::default() };
                let _ = runner.start(process.id(), options);
            }
            rows.extend(runner.take_log().iter().map(|stepped| stepped.events.encode()));
            snapshots.extend(runner.instances().map(|running| running.instance.encode()));
        }
    }
    (rows, snapshots)
}

fn broken(seed: &[u8], dice: &mut Dice) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    for _ in 0..=dice.roll(3) {
        let at = dice.roll(bytes.len() - 1) + 1;
        let byte = u8::try_from(dice.roll(256)).unwrap();
        match dice.roll(5) {
            0 => bytes.truncate(at + 1),
            1 => bytes.insert(at, byte),
            // A length of gigabytes.
            2 => drop(bytes.splice(at..at, [0xff, 0xff, 0xff, 0xff, 0x0f])),
            3 => bytes[at] = byte,
            _ => bytes[at] ^= 1 << dice.roll(8),
        }
    }
    bytes
}

/// Reads, and says what it took.
fn costs<T>(bytes: &[u8], read: fn(&[u8]) -> Result<T, DecodeError>) -> (Result<T, DecodeError>, usize) {
    let region = Region::new(ALLOCATOR);
    let result = read(bytes);
    (result, region.change().bytes_allocated)
}

fn survives<T: PartialEq + std::fmt::Debug>(
    seeds: &[Vec<u8>],
    read: fn(&[u8]) -> Result<T, DecodeError>,
    write: fn(&T) -> Vec<u8>,
) {
    let mut dice = Dice(0x5eed);
    let mut refused = 0;
    let rounds = 30_000;
    for _ in 0..rounds {
        let bytes = broken(&seeds[dice.roll(seeds.len())], &mut dice);
        let (result, cost) = costs(&bytes, read);
        assert!(cost <= FACTOR * bytes.len() + BESIDE, "{} bytes took {cost}: {bytes:02x?}", bytes.len());
        match result {
            Ok(what) => assert_eq!(read(&write(&what)), Ok(what)),
            Err(error) => {
                refused += 1;
                assert!(["encoding-damaged", "encoding-newer-format"].contains(&error.code()));
            }
        }
    }
    assert!(refused > rounds / 10, "the bytes were hardly broken: {refused} refused");
}

// One test: what it counts is what all threads take.
#[test]
fn damaged_bytes_cost_neither_a_panic_nor_memory() {
    let (rows, snapshots) = written();
    assert!(rows.len() > 20 && snapshots.len() > 20, "{} {}", rows.len(), snapshots.len());
    survives(&rows, Events::decode, Events::encode);
    survives(&snapshots, Instance::decode, Instance::encode);

    // Lists in lists, each of which claims as many items as there are bytes: its values would be 128 times as large.
    let mut hostile = vec![FORMAT, 0, 0, 0, 0, 0, 1];
    hostile.extend([9, 0xff, 0xff, 0x03].repeat(100));
    hostile.resize(100_000, 0);
    let (result, cost) = costs(&hostile, Events::decode);
    assert_eq!(result.map_err(DecodeError::code), Err("encoding-damaged"));
    assert!(cost < 64 * hostile.len(), "{cost}");
}
