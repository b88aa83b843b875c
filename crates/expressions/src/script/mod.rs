//! JavaScript for scripts: a fresh small engine for every evaluation, without files, network, clock or randomness.

mod engine;
mod place;
#[cfg(test)]
mod tests;
mod thread;
mod words;

use std::time::Duration;

use potok_core::Name;
use potok_core::expressions::{Assignment, CompileError, CompiledExpression, Evaluation, EvaluationError, Purpose};
use potok_core::value::{DateTime, Value, Zone};
use rquickjs::context::EvalOptions;
use rquickjs::{Array, CatchResultExt, CaughtError, Coerced, Ctx, FromJs, Function};
use serde_json::{Map, json};

use self::engine::{Engine, described, later};
use self::thread::{Answer, Threads};
use crate::timed;
use crate::variables::{is_local, read};

/// How long a script is waited for: its time, and what it may take to notice that it is over.
const PATIENCE: Duration = engine::TIME.saturating_add(Duration::from_millis(500));
/// All scripts' threads: there are only so many processors to lose.
static THREADS: Threads = Threads::new(4);
/// Threads that check syntax: what takes long there ends by itself, and a model that was accepted is never refused for others'.
static CHECKS: Threads = Threads::new(usize::MAX);
const MAX_LENGTH: usize = 256 * 1024;
const GUARDS: &str = include_str!("guards.js");
const WORLD: &str = include_str!("world.js");
const EXECUTION: &str = include_str!("execution.js");
const ERRORS: &str = include_str!("errors.js");
const DATES: &str = include_str!("dates.js");
const OUTWARD: &str = include_str!("outward.js");

/// A script that was found to be JavaScript.
#[derive(Debug)]
pub(crate) struct Script {
    text: Name,
    purpose: Purpose,
    parts: Parts,
}

/// What of its world a script may mean. Making the world is most of a short script's time; what is left out is not
/// there at all, so that no script comes round to it.
#[derive(Clone, Copy, Debug)]
struct Parts {
    execution: bool,
    errors: bool,
    dates: bool,
    arrays: bool,
    guards: bool,
}

/// How a script comes to a built-in function that may take long: by its name, by one that it computes, or by turning
/// an array into text, whose length it must have set before.
const LONG: &str = "Array Iterator JSON Map Reflect Set URI concat copyWithin entries escape fill flat from \
    getOwnProperty getPrototype includes indexOf isWellFormed iterator join keys lastIndexOf length localeCompare \
    normalize pad proto raw repeat replace reverse shift slice sort splice split toLocale toLowerCase toReversed toSorted \
    toSpliced toUpperCase toWellFormed trim unshift values with";

impl Parts {
    fn of(text: &str) -> Self {
        // What computes names and code, or spells them with escapes, may mean anything.
        let any =
            ["eval", "Function", "constructor", "globalThis", "\\u", "\\x"].iter().any(|word| text.contains(word));
        let mentions = |words: &[&str]| any || words.iter().any(|word| text.contains(word));
        let usual = ["getVariable(", "getVariableLocal(", "hasVariable(", "setVariable(", "setVariableLocal("];
        let rare = text.match_indices("execution").any(|(at, word)| {
            let rest = text[at + word.len()..].strip_prefix('.').unwrap_or_default();
            !usual.iter().any(|word| rest.starts_with(word))
        });
        Self {
            execution: any || rare || text.contains("task"),
            errors: mentions(&["BpmnError", "Java", "org"]),
            dates: mentions(&["Date"]),
            arrays: mentions(&["Array", "DataView"]),
            guards: any || computes_names(text) || LONG.split_whitespace().any(|word| text.contains(word)),
        }
    }
}

/// Whether a script asks for a property by other than a short number or a text that stands there: `a[b]`.
fn computes_names(text: &str) -> bool {
    text.match_indices('[').any(|(at, _)| {
        let before = text[..at].trim_end().chars().next_back();
        if !before.is_some_and(|before| before.is_alphanumeric() || "_$)]}.'\"`".contains(before)) {
            return false;
        }
        let inside = text[at + 1..].split(']').next().unwrap_or_default().trim();
        let number = inside.len() <= 6 && inside.bytes().all(|byte| byte.is_ascii_digit());
        let mut parts = inside.split(['"', '\'']);
        let is_text =
            parts.next() == Some("") && parts.next().is_some() && parts.next() == Some("") && parts.next().is_none();
        !number && (!is_text || inside.contains('\\'))
    })
}

/// Checks a script's syntax.
pub(crate) fn compile(text: &str, purpose: Purpose) -> Result<Script, CompileError> {
    let error = |message: String| CompileError { message, offset: None };
    if text.len() > MAX_LENGTH {
        return Err(error(format!("the script is longer than {MAX_LENGTH} bytes")));
    }
    let text = Name::from(text);
    let checked = text.clone();
    CHECKS
        .run(PATIENCE, move || Engine::start(false)?.run(|context| check(&context, &checked)))
        .map_err(|failure| error(failure.to_string()))?;
    if let Some((offset, word)) = words::unknown(&text) {
        let message = format!(
            "`execution.{word}` is not available; there are getVariable, setVariable and their like, \
             getProcessInstanceId, getProcessBusinessKey, getCurrentActivityId, getCurrentActivityName and getEventName"
        );
        return Err(CompileError { message, offset: Some(offset) });
    }
    if let Some((offset, word)) = words::of_decision(&text) {
        let message = format!(
            "`decisionResult.{word}` is not available in scripts, for which the result is a list of maps: write \
             decisionResult[0].name, or an expression `${{decisionResult.{word}(...)}}`"
        );
        return Err(CompileError { message, offset: Some(offset) });
    }
    let parts = Parts::of(&text);
    Ok(Script { text, purpose, parts })
}

fn check(context: &Ctx<'_>, text: &str) -> Answer {
    let failed = |error: &CaughtError<'_>| {
        let told = described(error);
        let hint = if told == NO_RETURN { ": a script's result is the value of its last expression" } else { "" };
        EvaluationError::Failed(format!("{told}{hint}"))
    };
    // As a function, which may begin with "use strict", and as it is run, where nothing can be returned.
    let checker = context.eval::<Function<'_>, _>("(text) => { new Function(text); }").catch(context);
    checker.and_then(|checker| checker.call::<_, ()>((text,)).catch(context)).map_err(|error| failed(&error))?;
    let whole = format!("throw {UNTOUCHED};{text}");
    match context.eval_with_options::<rquickjs::Value<'_>, _>(whole, options()).catch(context) {
        Err(error) if !matches!(&error, CaughtError::Value(thrown) if thrown.as_int() == Some(UNTOUCHED)) => {
            Err(failed(&error))
        }
        _ => Ok(serde_json::Value::Null),
    }
}

/// What a script that is only read throws before it begins.
const UNTOUCHED: i32 = 1;
/// What the engine says of a `return` at the top.
const NO_RETURN: &str = "return not in a function";

/// How scripts are run.
fn options() -> EvalOptions {
    let mut options = EvalOptions::default();
    options.strict = false;
    options.filename = Some(place::SCRIPT.to_owned());
    options
}

impl CompiledExpression for Script {
    fn evaluate(&self, evaluation: &mut Evaluation<'_>) -> Result<Value, EvaluationError> {
        timed(evaluation, |evaluation| self.evaluate_on(&THREADS, evaluation))
    }

    fn reads(&self) -> Option<&[Name]> {
        None
    }
}

/// What marks a moment in the input.
const DATE: &str = "{\"$date\":";

impl Script {
    fn evaluate_on(&self, threads: &Threads, evaluation: &mut Evaluation<'_>) -> Result<Value, EvaluationError> {
        let input = self.input(evaluation);
        let dates = self.parts.dates || input.contains(DATE);
        let run = Run {
            text: self.text.clone(),
            parts: self.parts,
            stores: self.purpose == Purpose::StoringScript,
            input,
            now: dates.then(|| evaluation.now.as_millisecond()),
        };
        let mut output = threads.run(PATIENCE, move || run.answer())?;
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

    /// What the prelude is given: only the variables that the script may mean.
    fn input(&self, evaluation: &Evaluation<'_>) -> String {
        let text = &*self.text;
        let any = text.contains("getVariables")
            || text.match_indices("Variable").any(|(at, word)| {
                let rest = text[at + word.len()..].trim_start_matches("Local").trim_start();
                !rest.strip_prefix('(').is_some_and(names_it)
            })
            || text.contains("eval(");
        let names = evaluation.variables.names();
        let names = names.into_iter().chain(evaluation.assigned.iter().map(|assignment| assignment.name.clone()));
        let mut variables = Map::new();
        let mut own = Vec::new();
        for name in names.filter(|name| any || text.contains(&**name)) {
            if let Some(value) = read(evaluation, &name) {
                if is_local(evaluation, &name) {
                    own.push(name.to_string());
                }
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
                "taskName": execution.task_name.as_deref(),
                "assignee": execution.assignee.as_deref(),
                "event": execution.event,
            })
        });
        json!({
            "own": (own.len() < variables.len()).then_some(own),
            "variables": variables,
            "facts": facts,
            "mayset": self.purpose.sets_variables(),
            "stores": self.purpose == Purpose::StoringScript,
        })
        .to_string()
    }
}

/// Whether an argument list begins with a name as it stands, not one that is put together.
fn names_it(arguments: &str) -> bool {
    let arguments = arguments.trim_start();
    let quote = arguments.chars().next().filter(|quote| matches!(quote, '"' | '\''));
    let behind = quote.and_then(|quote| arguments[1..].split_once(quote));
    behind.is_some_and(|(name, rest)| !name.contains('\\') && rest.trim_start().starts_with([')', ',']))
}

/// One run of a script: all that its thread needs to know.
struct Run {
    text: Name,
    parts: Parts,
    /// Whether its top-level variables are kept.
    stores: bool,
    input: String,
    /// The step's time in milliseconds, where the script may mean dates.
    now: Option<i64>,
}

impl Run {
    fn answer(&self) -> Answer {
        Engine::start(self.now.is_some() || self.parts.arrays)?.run(|context| self.within(&context))
    }

    /// Runs the script in its own world; gives its result and what it assigned.
    fn within<'js>(&self, context: &Ctx<'js>) -> Answer {
        let assigned = self.world(context).catch(context).map_err(|error| failure(context, error))?;
        let result = context
            .eval_with_options::<rquickjs::Value<'_>, _>(&*self.text, options())
            .catch(context)
            .map_err(|error| self.failure(context, error))?;
        if result.is_promise() {
            return Err(later());
        }
        if self.stores {
            let store = assigned.as_object().get::<_, Function<'js>>("store").catch(context);
            store.and_then(|store| store.call::<_, ()>(()).catch(context)).map_err(|error| failure(context, error))?;
        }
        if assigned.is_empty()
            && let Some(result) = plain(&result)
        {
            return Ok(json!({ "result": result }));
        }
        let output: String = context
            .eval::<Function<'_>, _>(OUTWARD)
            .and_then(|outward| outward.call((result, assigned)))
            .catch(context)
            .map_err(|error| failure(context, error))?;
        serde_json::from_str(&output)
            .map_err(|error| EvaluationError::Failed(format!("the script's result is unusable: {error}")))
    }

    /// What the script threw, and where, if that does not tell it itself.
    fn failure<'js>(&self, context: &Ctx<'js>, error: CaughtError<'js>) -> EvaluationError {
        let call = match &error {
            CaughtError::Exception(exception) if exception.message().as_deref() == Some("not a function") => {
                exception.stack().and_then(|stack| place::call(&self.text, &stack).map(str::to_owned))
            }
            _ => None,
        };
        match (failure(context, error), call) {
            (EvaluationError::Failed(told), Some(call)) => EvaluationError::Failed(format!("{told}: `{call}`")),
            (failure, _) => failure,
        }
    }

    /// Makes what the script finds; gives the list that its assignments come to.
    fn world<'js>(&self, context: &Ctx<'js>) -> rquickjs::Result<Array<'js>> {
        let part = |text: &str| context.eval::<Function<'js>, _>(text);
        let alive: Option<Function<'js>> = match self.now {
            Some(now) => Some(part(DATES)?.call((now,))?),
            None => None,
        };
        if self.parts.errors {
            part(ERRORS)?.call::<_, ()>(())?;
        }
        let input = context.json_parse(&*self.input)?;
        if let Some(input) = input.as_object()
            && self.parts.execution
        {
            input.set("whole", part(EXECUTION)?)?;
        }
        let assigned = part(WORLD)?.call((input, alive))?;
        if self.parts.guards {
            part(GUARDS)?.call::<_, ()>(())?;
        }
        Ok(assigned)
    }
}

/// A value that is no object, and that JSON can say.
fn plain(value: &rquickjs::Value<'_>) -> Option<serde_json::Value> {
    if value.is_undefined() || value.is_null() {
        return Some(serde_json::Value::Null);
    }
    let float = || value.as_float().filter(|number| number.is_finite()).map(Into::into);
    let number = || value.as_int().map(Into::into).or_else(float);
    let text = || value.as_string().and_then(|text| text.to_string().ok()).map(Into::into);
    value.as_bool().map(Into::into).or_else(number).or_else(text)
}

/// What was thrown.
fn failure<'js>(context: &Ctx<'js>, error: CaughtError<'js>) -> EvaluationError {
    let told = match error {
        CaughtError::Exception(exception) => {
            let code = exception.get::<_, Option<Coerced<String>>>("bpmnErrorCode").ok().flatten();
            let message = exception.message();
            if let Some(Coerced(code)) = code {
                let message = message.filter(|message| !message.is_empty());
                return EvaluationError::BpmnError { code: (&*code).into(), message };
            }
            let shown = Coerced::<String>::from_js(context, exception.into_value());
            shown.map_or_else(|_| message.unwrap_or_default(), |shown| shown.0)
        }
        error => described(&error),
    };
    EvaluationError::Failed(format!("the script failed: {told}"))
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

/// Moments come as `{"$date": milliseconds}`, whole numbers as integers, long ones as `{"$integer": "digits"}`.
fn dated(value: Value) -> Value {
    match &value {
        Value::Map(entries) => {
            let only = |name| entries.get(name).filter(|_| entries.len() == 1);
            let moment = only("$date").and_then(Value::as_i64);
            let moment = moment.and_then(|moment| jiff::Timestamp::from_millisecond(moment).ok());
            let integer = || only("$integer").and_then(Value::as_str).and_then(|digits| digits.parse().ok());
            match moment.map(|moment| DateTime::utc(moment).into()).or_else(|| integer().map(Value::Integer)) {
                Some(value) => value,
                None => entries.iter().map(|(name, value)| (name.clone(), dated(value.clone()))).collect(),
            }
        }
        Value::List(items) => items.iter().cloned().map(dated).collect(),
        Value::Number(_) => value.as_i64().map_or(value, Value::Integer),
        _ => value,
    }
}
