//! Prints the bytes that a waiting instance with three variables takes: those that were asked for, those by which the
//! process has grown, and those of the instance packed for a rest. A program of its own, because counting slows everything else down.

use std::alloc::System;

use potok_benches::{host::Host, models};
use potok_core::Name;
use potok_core::step::Counter;
use potok_core::value::Value;
use potok_expressions::Evaluator;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const INSTANCES: u32 = 100_000;

fn main() -> Result<(), String> {
    let expressions = Evaluator::new();
    let keys = Counter::default();
    let mut host = Host::new(&models::row("userTask", 3).file(), &expressions, &keys)?;
    let mut instances = Vec::with_capacity(INSTANCES as usize);
    drop(host.start(Vec::new()));
    let (region, resident) = (Region::new(ALLOCATOR), resident());
    for number in 0..INSTANCES {
        // Names and texts of their own, as they come from outside.
        let customer: Name = format!("customer {number}").into();
        instances.push(host.start(vec![
            ("customer".into(), Value::String(customer)),
            ("amount".into(), Value::Integer(number.into())),
            ("urgent".into(), Value::Boolean(true)),
        ]));
    }
    let change = region.change();
    let asked = change.bytes_allocated - change.bytes_deallocated;
    let own = INSTANCES as usize * size_of::<potok_core::instance::Instance>();
    let grown = self::resident().saturating_sub(resident);
    let packed: usize = instances.iter().map(|instance| instance.encode().len()).sum();
    let each = |bytes: usize| bytes / INSTANCES as usize;
    println!("{} {} {}", each(asked + own), each(grown), each(packed));
    Ok(())
}

/// Bytes of this process in memory; 0 where the system does not tell.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").trim().parse::<usize>().map_or(0, |kilobytes| kilobytes * 1024)
}
