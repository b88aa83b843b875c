//! The engine for one run, and what it is limited to.

use std::time::{Duration, Instant};

use potok_core::expressions::EvaluationError;
use rquickjs::context::intrinsic::{Date, Eval, Json, MapSet, Promise, RegExp, RegExpCompiler, TypedArrays};
use rquickjs::{CaughtError, Context, Ctx, Runtime};

use super::thread::too_long;

const MEMORY: usize = 16 * 1024 * 1024;
const STACK: usize = 192 * 1024;
/// How long a script may run.
pub(super) const TIME: Duration = Duration::from_secs(1);

/// Without promises the engine would fail on asynchronous functions in a way that ends the program; with proxies, what
/// was looked at could be another thing a moment later.
type Usual = (Eval, RegExpCompiler, RegExp, Json, MapSet, Promise);
type Whole = (Usual, Date, TypedArrays);

pub(super) struct Engine {
    context: Context,
    until: Instant,
}

impl Engine {
    /// A new one; `whole` with dates and typed arrays.
    pub(super) fn start(whole: bool) -> Result<Self, EvaluationError> {
        let failed = |error: rquickjs::Error| EvaluationError::Failed(format!("the script cannot start: {error}"));
        let runtime = Runtime::new().map_err(failed)?;
        runtime.set_memory_limit(MEMORY);
        runtime.set_max_stack_size(STACK);
        let until = Instant::now() + TIME;
        runtime.set_interrupt_handler(Some(Box::new(move || Instant::now() > until)));
        let context = if whole { Context::custom::<Whole>(&runtime) } else { Context::custom::<Usual>(&runtime) };
        Ok(Self { context: context.map_err(failed)?, until })
    }

    pub(super) fn run<T>(
        &self,
        run: impl for<'js> FnOnce(Ctx<'js>) -> Result<T, EvaluationError>,
    ) -> Result<T, EvaluationError> {
        let outcome = self.context.with(run);
        // The clock is not looked at everywhere: what ends by itself may have come too late, too.
        if Instant::now() > self.until {
            return Err(too_long());
        }
        if outcome.is_ok() && self.context.runtime().is_job_pending() {
            return Err(later());
        }
        match outcome {
            Err(EvaluationError::Failed(message))
                if ["out of memory", "stack size", "stack overflow", "too long"]
                    .iter()
                    .any(|limit| message.contains(limit)) =>
            {
                Err(EvaluationError::Limit(format!("the script needs too much: {message}")))
            }
            other => other,
        }
    }
}

pub(super) fn later() -> EvaluationError {
    EvaluationError::Failed(
        "the script leaves something for later (a promise or an asynchronous function); it must come to its end at \
         once, or be a job for a worker"
            .into(),
    )
}

/// What an exception says, in one line.
pub(super) fn described(error: &CaughtError<'_>) -> String {
    match error {
        CaughtError::Exception(exception) => exception.message().unwrap_or_else(|| "the script failed".to_owned()),
        // Where no memory is left even for an exception, the engine throws null.
        CaughtError::Value(value) if value.is_null() => "out of memory, unless it threw null itself".to_owned(),
        CaughtError::Value(value) => match value.as_string().and_then(|text| text.to_string().ok()) {
            Some(text) => text,
            None => "it threw something that is no error".to_owned(),
        },
        CaughtError::Error(error) => error.to_string(),
    }
}
