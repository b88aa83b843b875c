//! The budget of one evaluation, and the wall around the library.
//!
//! The library has no limits of its own. Where an expression repeats something or lets values grow, its syntax tree is
//! rewritten so that every repetition and every grown value passes [`spend`] or [`tick`]; they unwind out of the library once the
//! budget is used up. Plain conditions are not rewritten and pay nothing.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::{Duration, Instant};

use dsntk_feel::values::Value as FeelValue;
use potok_core::expressions::EvaluationError;

use super::loops;

/// Steps plus elements plus bytes of intermediate values.
const UNITS: u64 = 16 * 1024 * 1024;
/// Time, for what the units do not see.
const TIME: Duration = Duration::from_secs(2);
/// How deep intermediate values may be nested.
const NESTING: usize = 100;

#[derive(Clone, Copy)]
struct Budget {
    units: u64,
    until: Option<Instant>,
}

/// The budget of an evaluation that begins.
const FRESH: Budget = Budget { units: UNITS, until: None };

thread_local! {
    static BUDGET: Cell<Budget> = const { Cell::new(FRESH) };
}

/// What unwinds when the budget is used up; never seen outside this file.
struct Exceeded(&'static str);

/// What an expression fails with by its own will.
struct Failure(String);

/// Ends the evaluation with an error.
pub(crate) fn fail(message: String) -> ! {
    resume_unwind(Box::new(Failure(message)))
}

/// Runs a piece of the library with a fresh budget; panics become errors.
pub(crate) fn contained<T>(run: impl FnOnce() -> T) -> Result<T, EvaluationError> {
    let outer = (BUDGET.replace(FRESH), loops::exchange(Vec::new()));
    let result = catch_unwind(AssertUnwindSafe(run));
    BUDGET.set(outer.0);
    loops::exchange(outer.1);
    result.map_err(|payload| {
        if let Some(Exceeded(what)) = payload.downcast_ref() {
            EvaluationError::Limit(format!("the expression needs too {what}; make it smaller"))
        } else if let Some(Failure(message)) = payload.downcast_ref() {
            EvaluationError::Failed(message.clone())
        } else {
            EvaluationError::Failed("the FEEL library failed on this expression; write it another way".into())
        }
    })
}

/// The depth of syntax trees up to which any thread's stack will do.
const SHALLOW: usize = 60;
/// A stack for the deepest tree that is let through.
const STACK: usize = 64 * 1024 * 1024;

/// Runs what walks a tree of this depth recursively: deep ones, which are rare, on a thread with room for them.
pub(crate) fn roomy<T: Send>(depth: usize, run: impl FnOnce() -> T + Send) -> T {
    if depth <= SHALLOW {
        return run();
    }
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, run);
        match thread.map(std::thread::ScopedJoinHandle::join) {
            Ok(Ok(value)) => value,
            Ok(Err(payload)) => resume_unwind(payload),
            Err(_) => fail("there is no memory for so deep an expression".into()),
        }
    })
}

/// Ends the evaluation: it needs too much of something.
pub(crate) fn exceed(what: &'static str) -> ! {
    resume_unwind(Box::new(Exceeded(what)))
}

/// Takes one step and the value's size from the budget.
pub(crate) fn spend(value: &FeelValue) {
    let Some(size) = size(value, 0) else { exceed("deeply nested values") };
    take(size + 16);
}

/// Takes one step from the budget.
pub(crate) fn tick() {
    take(16);
}

fn take(units: u64) {
    let mut budget = BUDGET.get();
    let Some(left) = budget.units.checked_sub(units) else { exceed("many steps") };
    budget.units = left;
    // The clock is read at every step: what is between two of them may take milliseconds.
    let now = Instant::now();
    if now > *budget.until.get_or_insert(now + TIME) {
        exceed("much time");
    }
    BUDGET.set(budget);
}

fn size(value: &FeelValue, depth: usize) -> Option<u64> {
    if depth > NESTING {
        return None;
    }
    let length = |length: usize| u64::try_from(length).unwrap_or(u64::MAX);
    match value {
        FeelValue::String(text) => Some(length(text.len())),
        FeelValue::List(items) => {
            let mut sum = length(items.len());
            for item in items {
                sum = sum.saturating_add(size(item, depth + 1)?);
            }
            Some(sum)
        }
        FeelValue::Context(context) => {
            let mut sum = length(context.len());
            for (_, item) in context.iter() {
                sum = sum.saturating_add(size(item, depth + 1)?);
            }
            Some(sum)
        }
        _ => Some(1),
    }
}
