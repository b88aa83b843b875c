//! snurr: a Rust engine without events, state to save, expressions or user tasks that wait: its tasks and decisions are
//! closures. Single-threaded, as its default is.

use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

use snurr::{Process, ProcessBuilder};

/// A process whose tasks count, and whose exclusive gateway goes back for five rounds.
#[must_use]
pub fn process(file: &Path, tasks: &[String]) -> Option<Process<AtomicU32>> {
    let mut builder = ProcessBuilder::<AtomicU32>::new(file).ok()?;
    for task in tasks {
        builder = builder.task(task, |count| {
            // No other thread counts: this is a plain addition.
            count.store(count.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
            snurr::Task::default()
        });
    }
    let again = |count: &AtomicU32| {
        if count.load(Ordering::Relaxed) < 5 { "flow-3".into() } else { snurr::Exclusive::default() }
    };
    builder.exclusive("decide", again).build().ok()
}

/// Reads a file.
#[must_use]
pub fn reads(file: &Path) -> bool {
    ProcessBuilder::<()>::new(file).is_ok()
}
