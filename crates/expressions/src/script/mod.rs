//! JavaScript for scripts: a fresh small engine for every evaluation, without files, network, clock or randomness.

#[cfg(test)]
mod tests;

use std::cell::Cell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use potok_core::Name;
use potok_core::expressions::{Assignment, CompileError, CompiledExpression, Evaluation, EvaluationError, Purpose};
use potok_core::value::{DateTime, Value, Zone};
use rquickjs::context::intrinsic::{Date, Eval, Json, MapSet, Proxy, RegExp, RegExpCompiler, TypedArrays};
use rquickjs::{CatchResultExt, CaughtError, Context, Ctx, Function, Object, Runtime};
use serde_json::{Map, json};

use crate::variables::read;

const MEMORY: usize = 16 * 1024 * 1024;
const STACK: usize = 192 * 1024;
const TIME: Duration = Duration::from_secs(1);
const MAX_LENGTH: usize = 256 * 1024;
const PRELUDE: &str = include_str!("prelude.js");

type Intrinsics = (Date, Eval, RegExpCompiler, RegExp, Json, Proxy, MapSet, TypedArrays);

/// A script that was found to be JavaScript.
#[derive(Debug)]
pub(crate) struct Script {
    text: Name,
    purpose: Purpose,
}

/// Checks a script's syntax.
pub(crate) fn compile(text: &str, purpose: Purpose) -> Result<Script, CompileError> {
    let error = |message: String| CompileError { message, offset: None };
    if text.len() > MAX_LENGTH {
        return Err(error(format!("the script is longer than {MAX_LENGTH} bytes")));
    }
    let check = |context: Ctx<'_>| -> Result<(), String> {
        let checker: Function<'_> =
            context.eval("(text) => { new Function(text); }").map_err(|error| error.to_string())?;
        checker.call((text,)).catch(&context).map_err(|error: CaughtError<'_>| described(&error))
    };
    Engine::start()
        .and_then(|engine| engine.run(|context| check(context).map_err(EvaluationError::Failed)))
        .map_err(|failure| error(failure.to_string()))?;
    Ok(Script { text: text.into(), purpose })
}

/// What an exception says, in one line.
fn described(error: &CaughtError<'_>) -> String {
    match error {
        CaughtError::Exception(exception) => exception.message().unwrap_or_else(|| "the script failed".to_owned()),
        // Where no memory is left even for an exception, the engine throws null.
        CaughtError::Value(value) if value.is_null() => "out of memory".to_owned(),
        CaughtError::Value(value) => match value.as_string().and_then(|text| text.to_string().ok()) {
            Some(text) => text,
            None => "it threw something that is no error".to_owned(),
        },
        CaughtError::Error(error) => error.to_string(),
    }
}

struct Engine {
    context: Context,
    interrupted: Rc<Cell<bool>>,
}

impl Engine {
    fn start() -> Result<Self, EvaluationError> {
        let failed = |error: rquickjs::Error| EvaluationError::Failed(format!("the script cannot start: {error}"));
        let runtime = Runtime::new().map_err(failed)?;
        runtime.set_memory_limit(MEMORY);
        runtime.set_max_stack_size(STACK);
        let interrupted = Rc::new(Cell::new(false));
        let (until, flag) = (Instant::now() + TIME, interrupted.clone());
        runtime.set_interrupt_handler(Some(Box::new(move || {
            flag.set(flag.get() || Instant::now() > until);
            flag.get()
        })));
        Ok(Self { context: Context::custom::<Intrinsics>(&runtime).map_err(failed)?, interrupted })
    }

    fn run<T>(&self, run: impl for<'js> FnOnce(Ctx<'js>) -> Result<T, EvaluationError>) -> Result<T, EvaluationError> {
        let outcome = self.context.with(run);
        match outcome {
            Err(EvaluationError::Failed(_)) if self.interrupted.get() => {
                Err(EvaluationError::Limit("the script runs longer than a second; make it shorter".into()))
            }
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

impl CompiledExpression for Script {
    fn evaluate(&self, evaluation: &mut Evaluation<'_>) -> Result<Value, EvaluationError> {
        let input = self.input(evaluation);
        let engine = Engine::start()?;
        let output = engine.run(|context| run(&context, &input, &self.text))?;
        let mut output: serde_json::Value = serde_json::from_str(&output)
            .map_err(|error| EvaluationError::Failed(format!("the script's result is unusable: {error}")))?;
        if let Some(code) = output["code"].as_str() {
            let message = output["message"].as_str().filter(|message| !message.is_empty()).map(str::to_owned);
            return Err(EvaluationError::BpmnError { code: code.into(), message });
        }
        if let serde_json::Value::Array(assigned) = output["assigned"].take() {
            for mut assignment in assigned {
                let name = assignment[0].as_str().unwrap_or_default().into();
                let local = assignment[2].as_bool().unwrap_or_default();
                let value = outward(assignment[1].take())?;
                evaluation.assigned.push(Assignment { name, value, local });
            }
        }
        outward(output["result"].take())
    }

    fn reads(&self) -> Option<&[Name]> {
        None
    }
}

/// Runs the script; gives what the prelude makes of its result.
fn run(context: &Ctx<'_>, input: &str, text: &str) -> Result<String, EvaluationError> {
    let failed = |error: &CaughtError<'_>| EvaluationError::Failed(format!("the script failed: {}", described(error)));
    let prelude: Function<'_> = context.eval(PRELUDE).catch(context).map_err(|error| failed(&error))?;
    let ends: Object<'_> = prelude.call((input,)).catch(context).map_err(|error| failed(&error))?;
    let end = |name: &str| ends.get::<_, Function<'_>>(name).catch(context).map_err(|error| failed(&error));
    let (done, threw) = (end("done")?, end("failed")?);
    let mut options = rquickjs::context::EvalOptions::default();
    options.strict = false;
    let outcome: rquickjs::Result<rquickjs::Value<'_>> = context.eval_with_options(text, options);
    match outcome.catch(context) {
        Ok(result) => done.call((result,)).catch(context).map_err(|error| failed(&error)),
        Err(CaughtError::Exception(exception)) => {
            let message = exception.message();
            let told: String = threw
                .call((exception,))
                .map_err(|_| EvaluationError::Failed(format!("the script failed: {}", message.unwrap_or_default())))?;
            if told.starts_with("{\"code\"") {
                return Ok(told);
            }
            let failure = serde_json::from_str::<serde_json::Value>(&told).unwrap_or_default();
            let failure = failure["failure"].as_str().unwrap_or_default().to_owned();
            Err(EvaluationError::Failed(format!("the script failed: {failure}")))
        }
        Err(error) => Err(failed(&error)),
    }
}

impl Script {
    /// What the prelude is given: only the variables that the script may mean.
    fn input(&self, evaluation: &Evaluation<'_>) -> String {
        let text = &*self.text;
        let any = text.contains("getVariables")
            || text.match_indices("Variable").any(|(at, word)| {
                let rest = text[at + word.len()..].trim_start_matches("Local").trim_start();
                !rest.strip_prefix('(').is_some_and(|rest| rest.trim_start().starts_with(['"', '\'']))
            })
            || text.contains("eval(");
        let names = evaluation.variables.names();
        let names = names.into_iter().chain(evaluation.assigned.iter().map(|assignment| assignment.name.clone()));
        let mut variables = Map::new();
        for name in names.filter(|name| any || text.contains(&**name)) {
            if let Some(value) = read(evaluation, &name) {
                variables.insert(name.to_string(), inward(&value));
            }
        }
        let facts = evaluation.variables.execution().map(|execution| {
            json!({
                "instance": &*execution.instance,
                "businessKey": execution.business_key.as_deref(),
                "process": &*execution.process,
                "element": &*execution.element,
                "elementName": execution.element_name.as_deref(),
            })
        });
        json!({
            "variables": variables,
            "facts": facts,
            "now": evaluation.now.as_millisecond(),
            "mayset": self.purpose == Purpose::Script,
        })
        .to_string()
    }
}

fn inward(value: &Value) -> serde_json::Value {
    match value.plain() {
        Value::DateTime(moment) => match moment.timestamp(&Zone::UTC) {
            Ok(instant) => json!({ "$date": instant.as_millisecond() }),
            Err(_) => value.to_json(),
        },
        Value::List(items) => items.iter().map(inward).collect(),
        Value::Map(entries) => {
            entries.iter().map(|(name, value)| (name.to_string(), inward(value))).collect::<Map<_, _>>().into()
        }
        _ => value.to_json(),
    }
}

fn outward(json: serde_json::Value) -> Result<Value, EvaluationError> {
    let value = Value::from_json(json).map_err(|error| EvaluationError::Failed(error.to_string()))?;
    Ok(dated(value))
}

/// Moments come as `{"$date": milliseconds}`, whole numbers as integers.
fn dated(value: Value) -> Value {
    match &value {
        Value::Map(entries) => {
            let moment = match (entries.len(), entries.get("$date")) {
                (1, Some(date)) => date.as_i64().and_then(|date| jiff::Timestamp::from_millisecond(date).ok()),
                _ => None,
            };
            match moment {
                Some(moment) => DateTime::utc(moment).into(),
                None => entries.iter().map(|(name, value)| (name.clone(), dated(value.clone()))).collect(),
            }
        }
        Value::List(items) => items.iter().cloned().map(dated).collect(),
        Value::Number(_) => value.as_i64().map_or(value, Value::Integer),
        _ => value,
    }
}
