//! Functions that FEEL has elsewhere and the library has not. All are pure.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use dsntk_feel::closure::Closure;
use dsntk_feel::context::FeelContext;
use dsntk_feel::values::Value as FeelValue;
use dsntk_feel::{Evaluator, FeelScope, FeelType, FunctionBody, Name as FeelName};
use dsntk_feel_temporal::{FeelDate, FeelDateTime, FeelTime, FeelZone};
use potok_core::value::Value;

use super::rewrite::{ADD, EQUAL, FITS, HAS_ENTRY, MOMENT, SPEND, SUBTRACT, UNEQUAL};
use super::{convert, corrected, equality, guard, loops, moments, patterns, unary};
use crate::calendars;

/// What a function computes from its arguments.
pub(crate) type Body = Box<dyn Fn(&[FeelValue]) -> FeelValue + Send + Sync>;

/// A function's name and its parameters' names.
pub(crate) type Signature = (&'static str, &'static [&'static str]);

type Pure = fn(&[FeelValue]) -> FeelValue;

const SIGNATURES: &[(Signature, Pure)] = &[
    (("get or else", &["value", "default"]), get_or_else),
    (("assert", &["value", "condition"]), assert),
    (("assert", &["value", "condition", "cause"]), assert),
    (("trim", &["string"]), trim),
    (("is blank", &["string"]), is_blank),
    (("is empty", &["list"]), is_empty),
    (("to base64", &["value"]), to_base64),
    (("partition", &["list", "size"]), partition),
    (("cycle", &["interval"]), cycle),
    (("cycle", &["repetitions", "interval"]), cycle),
    (("duplicate values", &["list"]), duplicate_values),
    (("string join", &["list", "delimiter", "prefix", "suffix"]), string_join),
    (("extract", &["string", "pattern"]), patterns::extract),
    (("to json", &["value"]), to_json),
    (("from json", &["value"]), from_json),
    (("distinct values", &["list"]), distinct_values),
    (("last day of month", &["date"]), last_day_of_month),
    (("max", &["list"]), corrected::max),
    (("min", &["list"]), corrected::min),
    (("any", &["list"]), corrected::any),
    (("all", &["list"]), corrected::all),
    (("number", &["from"]), corrected::number),
    (("replace", &["input", "pattern", "replacement"]), patterns::replace),
    (("replace", &["input", "pattern", "replacement", "flags"]), patterns::replace),
    (("split", &["string", "delimiter"]), patterns::split),
    (("list contains", &["list", "element"]), corrected::list_contains),
    (("get value", &["m", "key"]), corrected::get_value),
    ((SPEND, &["value"]), spend),
    ((loops::BEGIN, &[]), loops::begin),
    ((loops::PUT, &["result"]), loops::put),
    ((loops::COLLECTED, &["begun", "done"]), loops::collected),
    ((loops::SEEK_TRUE, &["condition"]), loops::seek_true),
    ((loops::SEEK_FALSE, &["condition"]), loops::seek_false),
    ((loops::SOME, &["begun", "done"]), loops::some),
    ((loops::EVERY, &["begun", "done"]), loops::every),
    ((loops::EARLIER, &[]), loops::earlier),
    ((loops::INTERVAL, &["start", "end"]), loops::interval),
    ((loops::RANGE, &["start", "end"]), loops::range),
    ((MOMENT, &["value"]), moment),
    ((EQUAL, &["left", "right"]), equality::equal),
    ((UNEQUAL, &["left", "right"]), equality::unequal),
    ((ADD, &["left", "right"]), moments::add),
    ((SUBTRACT, &["left", "right"]), moments::subtract),
    ((HAS_ENTRY, &["context", "entry"]), has_entry),
    ((FITS, &["input", "value"]), unary::fits),
];

static NATIVES: LazyLock<HashMap<String, FeelValue>> = LazyLock::new(|| {
    SIGNATURES
        .iter()
        .map(|((name, parameters), body)| {
            let key = if name.starts_with('\u{1}') { (*name).to_owned() } else { key(name, parameters.len()) };
            (key, function(parameters, Box::new(body)))
        })
        .collect()
});

/// The name that a function of so many parameters is called by in the rewritten tree.
pub(crate) fn key(name: &str, arity: usize) -> String {
    format!("\u{1}{name}/{arity}")
}

fn signatures() -> impl Iterator<Item = Signature> {
    SIGNATURES.iter().map(|(signature, _)| *signature).chain(calendars::SIGNATURES.iter().copied())
}

/// Whether a function of this name exists, with however many parameters.
pub(crate) fn is_native(name: &str) -> bool {
    matches!(name, "now" | "today" | "is defined") || signatures().any(|(known, _)| known == name)
}

/// Whether there is a function by this key.
pub(crate) fn exists(wanted: &str) -> bool {
    signatures().any(|(name, parameters)| key(name, parameters.len()) == wanted)
}

/// How many parameters the functions of this name take, for messages.
pub(crate) fn arities(name: &str) -> String {
    let arities: Vec<String> =
        signatures().filter(|(known, _)| *known == name).map(|(_, parameters)| parameters.len().to_string()).collect();
    arities.join(" or ")
}

/// A function of this module, ready for the library's scope.
pub(crate) fn get(key: &str) -> Option<FeelValue> {
    NATIVES.get(key).cloned()
}

/// Wraps Rust code as a function of the library.
pub(crate) fn function(parameters: &[&str], body: Body) -> FeelValue {
    let names: Vec<FeelName> = parameters.iter().map(|name| FeelName::from(*name)).collect();
    let typed = names.iter().map(|name| (name.clone(), FeelType::Any)).collect();
    let evaluator: Evaluator = Box::new(move |scope: &FeelScope| {
        let arguments: Vec<FeelValue> =
            names.iter().map(|name| scope.get_value(name).unwrap_or(FeelValue::Null(None))).collect();
        body(&arguments)
    });
    let body = FunctionBody::LiteralExpression(Arc::new(evaluator));
    FeelValue::FunctionDefinition(typed, body, false, Closure::default(), FeelContext::default(), FeelType::Any)
}

/// Null with the reason, as the library does it.
pub(crate) fn null(reason: &str) -> FeelValue {
    FeelValue::Null(Some(reason.to_owned()))
}

fn get_or_else(arguments: &[FeelValue]) -> FeelValue {
    if arguments[0].is_null() { arguments[1].clone() } else { arguments[0].clone() }
}

fn assert(arguments: &[FeelValue]) -> FeelValue {
    if arguments[1].is_true() {
        return arguments[0].clone();
    }
    match arguments.get(2) {
        Some(FeelValue::String(cause)) => guard::fail(cause.clone()),
        _ => guard::fail("an assertion of the expression does not hold".into()),
    }
}

/// A timer's cycle as ISO 8601 writes it; without end where the repetitions are null.
fn cycle(arguments: &[FeelValue]) -> FeelValue {
    let (repetitions, interval) = match arguments {
        [interval] => (&FeelValue::Null(None), interval),
        [repetitions, interval, ..] => (repetitions, interval),
        [] => return null("a cycle has an interval"),
    };
    let times = match repetitions {
        FeelValue::Number(times) => times.to_string(),
        FeelValue::Null(_) => String::new(),
        _ => return null("how often a cycle repeats is a number"),
    };
    match interval {
        FeelValue::DaysAndTimeDuration(length) => FeelValue::String(format!("R{times}/{length}")),
        FeelValue::YearsAndMonthsDuration(length) => FeelValue::String(format!("R{times}/{length}")),
        _ => null("the interval of a cycle is a duration"),
    }
}

fn trim(arguments: &[FeelValue]) -> FeelValue {
    match &arguments[0] {
        FeelValue::String(text) => FeelValue::String(text.trim().to_owned()),
        _ => null("trim wants a string"),
    }
}

fn is_blank(arguments: &[FeelValue]) -> FeelValue {
    match &arguments[0] {
        FeelValue::String(text) => FeelValue::Boolean(text.trim().is_empty()),
        _ => null("is blank wants a string"),
    }
}

fn is_empty(arguments: &[FeelValue]) -> FeelValue {
    match &arguments[0] {
        FeelValue::List(items) => FeelValue::Boolean(items.is_empty()),
        FeelValue::String(text) => FeelValue::Boolean(text.is_empty()),
        FeelValue::Context(context) => FeelValue::Boolean(context.is_empty()),
        _ => null("is empty wants a list"),
    }
}

fn to_base64(arguments: &[FeelValue]) -> FeelValue {
    match &arguments[0] {
        FeelValue::String(text) => FeelValue::String(convert::base64(text.as_bytes())),
        _ => null("to base64 wants a string"),
    }
}

fn partition(arguments: &[FeelValue]) -> FeelValue {
    match (&arguments[0], &arguments[1]) {
        (FeelValue::List(items), FeelValue::Number(size)) => match usize::try_from(*size) {
            Ok(size) if size > 0 => {
                FeelValue::List(items.chunks(size).map(|chunk| FeelValue::List(chunk.to_vec())).collect())
            }
            _ => null("partition wants a size above zero"),
        },
        _ => null("partition wants a list and a size"),
    }
}

fn duplicate_values(arguments: &[FeelValue]) -> FeelValue {
    let FeelValue::List(items) = &arguments[0] else { return null("duplicate values wants a list") };
    let equal = dsntk_feel_evaluator::evaluate_equals;
    let mut duplicates: Vec<FeelValue> = Vec::new();
    for (at, item) in items.iter().enumerate() {
        guard::spend(item);
        // In the order in which each stands first.
        if items[at + 1..].iter().any(|later| equal(later, item)) && !duplicates.iter().any(|known| equal(known, item))
        {
            duplicates.push(item.clone());
        }
    }
    FeelValue::List(duplicates)
}

/// What is joined, between a prefix and a suffix.
fn string_join(arguments: &[FeelValue]) -> FeelValue {
    let (FeelValue::List(items), delimiter, FeelValue::String(prefix), FeelValue::String(suffix)) =
        (&arguments[0], &arguments[1], &arguments[2], &arguments[3])
    else {
        return null("string join wants a list, a delimiter, a prefix and a suffix");
    };
    let delimiter = match delimiter {
        FeelValue::String(delimiter) => delimiter,
        FeelValue::Null(_) => "",
        _ => return null("the delimiter of string join is a string"),
    };
    let mut joined = Vec::with_capacity(items.len());
    for item in items {
        guard::spend(item);
        match item {
            FeelValue::String(text) => joined.push(text.as_str()),
            FeelValue::Null(_) => {}
            _ => return null("string join wants strings"),
        }
    }
    FeelValue::String(format!("{prefix}{}{suffix}", joined.join(delimiter)))
}

fn to_json(arguments: &[FeelValue]) -> FeelValue {
    guard::spend(&arguments[0]);
    match convert::outward(arguments[0].clone()) {
        Ok(value) => FeelValue::String(value.to_json().to_string()),
        Err(_) => null("the value cannot be written as JSON"),
    }
}

fn from_json(arguments: &[FeelValue]) -> FeelValue {
    let FeelValue::String(text) = &arguments[0] else { return null("from json wants a string") };
    let value = serde_json::from_str(text).ok().and_then(|json| Value::from_json(json).ok());
    match value.and_then(|value| super::inward(&value).ok()) {
        Some(value) => {
            guard::spend(&value);
            value
        }
        None => null("the string is no JSON"),
    }
}

fn distinct_values(arguments: &[FeelValue]) -> FeelValue {
    let FeelValue::List(items) = &arguments[0] else { return null("distinct values wants a list") };
    let mut distinct: Vec<FeelValue> = Vec::new();
    for item in items {
        guard::spend(item);
        if !distinct.iter().any(|known| dsntk_feel_evaluator::evaluate_equals(known, item)) {
            distinct.push(item.clone());
        }
    }
    FeelValue::List(distinct)
}

fn last_day_of_month(arguments: &[FeelValue]) -> FeelValue {
    let date = match &arguments[0] {
        FeelValue::Date(date) => date.clone(),
        FeelValue::DateTime(moment) => moment.date(),
        _ => return null("last day of month wants a date"),
    };
    let last = (28..=31).rev().find_map(|day| FeelDate::new(date.year(), date.month(), day));
    last.map_or_else(|| null("no such month"), FeelValue::Date)
}

fn spend(arguments: &[FeelValue]) -> FeelValue {
    guard::spend(&arguments[0]);
    arguments[0].clone()
}

/// The same moment, or time of day, in UTC: the library compares dates and clocks before it looks at zones.
pub(crate) fn moment(arguments: &[FeelValue]) -> FeelValue {
    let moment = match &arguments[0] {
        FeelValue::DateTime(moment) => moment,
        FeelValue::Time(time) => return FeelValue::Time(in_utc(time).unwrap_or_else(|| time.clone())),
        other => return other.clone(),
    };
    match convert::from_date_time(moment).ok().and_then(|value| convert::instant(&value)) {
        Some(instant) => convert::moment(instant),
        // Outside of what the calendar library knows: at least without reading the machine's zone.
        None => FeelValue::DateTime(FeelDateTime::new(
            moment.date(),
            FeelTime::utc(moment.hour(), moment.minute(), moment.second(), 0),
        )),
    }
}

/// A time with an offset in UTC, where that is on the same day.
fn in_utc(time: &FeelTime) -> Option<FeelTime> {
    let FeelZone::Offset(offset) = time.zone() else { return None };
    let seconds = i32::from(time.hour()) * 3_600 + i32::from(time.minute()) * 60 + i32::from(time.second()) - offset;
    let part = |value: i32| u8::try_from(value).ok();
    FeelTime::utc_opt(part(seconds.div_euclid(3_600))?, part(seconds / 60 % 60)?, part(seconds % 60)?, time.nanos())
}

fn has_entry(arguments: &[FeelValue]) -> FeelValue {
    match (&arguments[0], &arguments[1]) {
        (FeelValue::Context(context), FeelValue::String(entry)) => {
            FeelValue::Boolean(context.contains_entry(&FeelName::from(entry.as_str())))
        }
        _ => FeelValue::Boolean(false),
    }
}
