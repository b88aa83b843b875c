//! Methods on values: those of Java's strings, numbers, lists, maps and dates that models use.

use std::sync::Arc;

use jiff::Span;
use potok_core::expressions::EvaluationError;
use potok_core::value::{DateTime, Value, Zone};
use regex::Regex;

use super::coerce::{self, Number, failed, text};

/// The longest text or list that a method may give.
const MAX_LENGTH: usize = 4 * 1024 * 1024;

macro_rules! methods {
    ($($method:ident = $($name:literal)|+, $least:literal..=$most:literal;)+) => {
        /// A method, by what it does.
        #[derive(Clone, Copy, Debug, PartialEq)]
        pub(crate) enum Method { $($method),+ }

        impl Method {
            /// The method of that name with so many arguments; `Err` tells how many it takes.
            pub(crate) fn find(name: &str, arguments: usize) -> Option<Result<Self, (usize, usize)>> {
                match name {
                    $($($name)|+ => Some(if ($least..=$most).contains(&arguments) {
                        Ok(Self::$method)
                    } else {
                        Err(($least, $most))
                    }),)+
                    _ => None,
                }
            }
        }
    };
}

methods! {
    Equals = "equals", 1..=1;
    EqualsIgnoreCase = "equalsIgnoreCase", 1..=1;
    CompareTo = "compareTo", 1..=1;
    Contains = "contains", 1..=1;
    ContainsKey = "containsKey" | "hasProp", 1..=1;
    ContainsValue = "containsValue", 1..=1;
    StartsWith = "startsWith", 1..=1;
    EndsWith = "endsWith", 1..=1;
    Size = "size" | "length", 0..=0;
    IsEmpty = "isEmpty", 0..=0;
    IsBlank = "isBlank", 0..=0;
    IsNull = "isNull", 0..=0;
    IsArray = "isArray", 0..=0;
    IsObject = "isObject", 0..=0;
    IsString = "isString", 0..=0;
    IsNumber = "isNumber", 0..=0;
    IsBoolean = "isBoolean", 0..=0;
    Matches = "matches", 1..=1;
    SubList = "subList", 2..=2;
    ContainsAll = "containsAll", 1..=1;
    Get = "get" | "getEntry", 1..=1;
    GetOrDefault = "getOrDefault", 2..=2;
    Prop = "prop", 1..=1;
    JsonPath = "jsonPath", 1..=1;
    Keys = "keySet" | "fieldNames", 0..=0;
    Values = "values", 0..=0;
    Elements = "elements" | "elementList" | "getResultList", 0..=0;
    FirstResult = "getFirstResult", 0..=0;
    SingleResult = "getSingleResult", 0..=0;
    FirstEntry = "getFirstEntry", 0..=0;
    SingleEntry = "getSingleEntry", 0..=0;
    CollectEntries = "collectEntries", 1..=1;
    Same = "value" | "element" | "toDate" | "toList" | "toDateTime", 0..=0;
    StringValue = "stringValue" | "toString" | "getStringValue", 0..=1;
    NumberValue = "numberValue", 0..=0;
    FractionValue = "doubleValue" | "floatValue", 0..=0;
    IntegerValue = "intValue" | "longValue" | "shortValue", 0..=0;
    BooleanValue = "boolValue" | "booleanValue", 0..=0;
    LowerCase = "toLowerCase", 0..=0;
    UpperCase = "toUpperCase", 0..=0;
    Trim = "trim" | "strip", 0..=0;
    Substring = "substring", 1..=2;
    CharacterAt = "charAt", 1..=1;
    IndexOf = "indexOf", 1..=1;
    LastIndexOf = "lastIndexOf", 1..=1;
    Replace = "replace", 2..=2;
    Concat = "concat", 1..=1;
    Split = "split", 1..=1;
    Milliseconds = "getTime" | "getMillis", 0..=0;
    PlusYears = "plusYears", 1..=1;
    PlusMonths = "plusMonths", 1..=1;
    PlusWeeks = "plusWeeks", 1..=1;
    PlusDays = "plusDays", 1..=1;
    PlusHours = "plusHours", 1..=1;
    PlusMinutes = "plusMinutes", 1..=1;
    PlusSeconds = "plusSeconds", 1..=1;
    MinusYears = "minusYears", 1..=1;
    MinusMonths = "minusMonths", 1..=1;
    MinusWeeks = "minusWeeks", 1..=1;
    MinusDays = "minusDays", 1..=1;
    MinusHours = "minusHours", 1..=1;
    MinusMinutes = "minusMinutes", 1..=1;
    MinusSeconds = "minusSeconds", 1..=1;
    IsBefore = "isBefore" | "before", 1..=1;
    IsAfter = "isAfter" | "after", 1..=1;
    DayOfMonth = "getDayOfMonth", 0..=0;
    MonthOfYear = "getMonthOfYear" | "getMonthValue", 0..=0;
    Year = "getYear", 0..=0;
    DayOfWeek = "getDayOfWeek", 0..=0;
    HourOfDay = "getHourOfDay" | "getHour", 0..=0;
}

/// What to write instead of a method that is not there.
pub(crate) fn instead(name: &str) -> &'static str {
    match name {
        "add" | "addAll" | "put" | "putAll" | "remove" | "clear" => {
            "lists and maps are not changed in place; set the variable anew, e.g. in FEEL with `append(list, item)` or \
             `context put(map, \"key\", value)`"
        }
        "stream" | "map" | "filter" | "forEach" | "collect" => "write a FEEL expression, e.g. `list[item.amount > 5]`",
        "replaceAll" | "replaceFirst" => "patterns are replaced in FEEL: `replace(text, pattern, replacement)`",
        "getClass" | "class" | "forName" | "getRuntime" | "newInstance" => "Java classes are not available",
        "format" => "write the parts side by side: ${a} ${b}",
        _ => {
            "Java objects and beans are not available; call a worker with an external task, or compute it in FEEL or a \
             script"
        }
    }
}

/// Calls a method; the base is not null.
pub(crate) fn call(method: Method, base: &Value, arguments: &[Value]) -> Result<Value, EvaluationError> {
    use Method as M;
    let unfit = || failed(format!("`{method:?}` is not available on a {}", base.kind()));
    let argument = || arguments.first().cloned().unwrap_or_default();
    match (method, base.plain()) {
        (M::Equals, _) => Ok(strictly_equal(base, &argument()).into()),
        (M::EqualsIgnoreCase, Value::String(own)) => {
            Ok((own.to_lowercase() == text(&argument()).to_lowercase()).into())
        }
        (M::CompareTo, _) => {
            let less = coerce::compare(super::node::Comparison::Less, base, &argument())?;
            let equal = coerce::equal(base, &argument())?;
            Ok(Value::Integer(if less { -1 } else { i64::from(!equal) }))
        }
        (M::IsNull, _) => Ok(false.into()),
        (M::IsArray, value) => Ok(matches!(value, Value::List(_)).into()),
        (M::IsObject, value) => Ok(matches!(value, Value::Map(_)).into()),
        (M::IsString, value) => Ok(matches!(value, Value::String(_)).into()),
        (M::IsNumber, value) => Ok(matches!(value, Value::Integer(_) | Value::Number(_)).into()),
        (M::IsBoolean, value) => Ok(matches!(value, Value::Boolean(_)).into()),
        (M::Same, _) => Ok(base.clone()),
        (M::StringValue, Value::DateTime(moment)) if arguments.len() == 1 => format_date(moment, &text(&argument())),
        (M::StringValue, _) if arguments.is_empty() => Ok(text(base).into()),
        (M::NumberValue, Value::String(_) | Value::Integer(_) | Value::Number(_)) => Ok(coerce::number(base)?.value()),
        (M::FractionValue, Value::String(_) | Value::Integer(_) | Value::Number(_)) => {
            Ok(Value::Number(coerce::number(base)?.float()))
        }
        (M::IntegerValue, Value::Integer(_) | Value::Number(_)) => integer(base).map(Value::Integer),
        (M::BooleanValue, Value::Boolean(value)) => Ok((*value).into()),
        (_, Value::String(own)) => on_text(method, own, arguments).ok_or_else(unfit)?,
        (_, Value::List(items)) => on_list(method, items, arguments).ok_or_else(unfit)?,
        (_, Value::Map(entries)) => {
            let key = text(&argument());
            match method {
                M::Get => Ok(entries.get(&*key).cloned().unwrap_or_default()),
                M::GetOrDefault => Ok(entries.get(&*key).or(arguments.get(1)).cloned().unwrap_or_default()),
                M::Prop => entries.get(&*key).cloned().ok_or_else(|| failed(format!("there is no property `{key}`"))),
                M::JsonPath => json_path(base, &key),
                M::ContainsKey => Ok(entries.contains_key(&*key).into()),
                M::ContainsValue => Ok(entries.values().any(|value| strictly_equal(value, &argument())).into()),
                M::Keys => Ok(entries.keys().cloned().map(Value::String).collect()),
                M::Values => Ok(entries.values().cloned().collect()),
                M::Size => Ok(length(entries.len())),
                M::IsEmpty => Ok(entries.is_empty().into()),
                M::FirstEntry | M::SingleEntry => only_entry(base),
                _ => Err(unfit()),
            }
        }
        (_, Value::DateTime(moment)) => on_moment(method, moment, arguments).ok_or_else(unfit)?,
        (_, Value::Date(date)) => {
            let moment = DateTime { local: date.to_datetime(jiff::civil::Time::midnight()), zone: None };
            match on_moment(method, &moment, arguments).ok_or_else(unfit)?? {
                Value::DateTime(moment) => Ok(Value::Date(moment.local.date())),
                other => Ok(other),
            }
        }
        _ => Err(unfit()),
    }
}

/// The one rule's result of a decision; null if no rule matched.
fn only_result(results: &[Value]) -> Result<Value, EvaluationError> {
    match results {
        [] => Ok(Value::Null),
        [result] => Ok(result.clone()),
        more => Err(failed(format!("the decision gave the results of {} rules, not of one", more.len()))),
    }
}

/// The one output of a rule's result. Which of several is the first a map does not tell.
fn only_entry(result: &Value) -> Result<Value, EvaluationError> {
    let Value::Map(entries) = result.plain() else { return Ok(result.clone()) };
    match entries.len() {
        0 | 1 => Ok(entries.values().next().cloned().unwrap_or_default()),
        more => Err(failed(format!("the decision gave {more} outputs, not one: name the one that is meant"))),
    }
}

/// Calls a method of a null that JSON text holds, which is a value there; none if it has no such method.
pub(crate) fn call_on_json_null(method: Method) -> Option<Value> {
    use Method as M;
    match method {
        M::IsNull => Some(true.into()),
        M::IsArray | M::IsObject | M::IsString | M::IsNumber | M::IsBoolean => Some(false.into()),
        M::Same => Some(Value::Null),
        _ => None,
    }
}

/// Java's `equals`: no conversion, but whole numbers of any width are equal.
fn strictly_equal(left: &Value, right: &Value) -> bool {
    left.loosely_equal(right)
}

fn length(length: usize) -> Value {
    Value::Integer(i64::try_from(length).unwrap_or(i64::MAX))
}

#[expect(clippy::cast_possible_truncation, reason = "Java's intValue cuts the fraction off")]
pub(crate) fn integer(value: &Value) -> Result<i64, EvaluationError> {
    Ok(match coerce::number(value)? {
        Number::Integer(value) => value,
        Number::Float(value) => value as i64,
    })
}

fn position(value: Option<&Value>) -> Result<usize, EvaluationError> {
    let number = integer(value.unwrap_or(&Value::Null))?;
    usize::try_from(number).map_err(|_| failed(format!("{number} is before the beginning; counting begins at 0")))
}

fn on_text(method: Method, own: &str, arguments: &[Value]) -> Option<Result<Value, EvaluationError>> {
    use Method as M;
    let other = arguments.first().map(text).unwrap_or_default();
    let place = |found: Option<usize>| match found {
        Some(byte) => length(own[..byte].chars().count()),
        None => Value::Integer(-1),
    };
    Some(Ok(match method {
        M::Contains => own.contains(&*other).into(),
        M::StartsWith => own.starts_with(&*other).into(),
        M::EndsWith => own.ends_with(&*other).into(),
        M::Size => length(own.chars().count()),
        M::IsEmpty => own.is_empty().into(),
        M::IsBlank => own.trim().is_empty().into(),
        M::LowerCase => own.to_lowercase().into(),
        M::UpperCase => own.to_uppercase().into(),
        M::Trim => own.trim().into(),
        M::IndexOf => place(own.find(&*other)),
        M::LastIndexOf => place(own.rfind(&*other)),
        M::Concat => format!("{own}{other}").into(),
        // Java's patterns, but for those that look around or back.
        M::Matches => match Regex::new(&format!("^(?:{other})$")) {
            Ok(pattern) => pattern.is_match(own).into(),
            Err(_) => return Some(Err(failed(format!("`{other}` is no regular expression that is known here")))),
        },
        M::IntegerValue => return Some(coerce::number(&own.into()).map(Number::value)),
        M::Replace => {
            let new = arguments.get(1).map(text).unwrap_or_default();
            let times = if other.is_empty() { own.len() + 1 } else { own.len() / other.len() };
            if own.len().saturating_add(times.saturating_mul(new.len())) > MAX_LENGTH {
                return Some(Err(EvaluationError::Limit("the replaced text would be too long".into())));
            }
            own.replace(&*other, &new).into()
        }
        // Only plain separators: what Java takes as a regular expression is refused.
        M::Split => {
            let separator = match other.strip_prefix('\\') {
                Some(escaped) if escaped.chars().count() == 1 => escaped,
                _ => &other,
            };
            let pattern =
                separator.len() == other.len() && other.contains(['[', '\\', '*', '+', '?', '|', '(', '^', '$']);
            if pattern || separator.is_empty() {
                return Some(Err(failed("only a plain separator can be split at; FEEL's `split` takes patterns")));
            }
            let mut parts: Vec<&str> = own.split(separator).collect();
            while parts.len() > 1 && parts.last().is_some_and(|part| part.is_empty()) {
                parts.pop();
            }
            parts.into_iter().map(Value::from).collect()
        }
        M::Substring | M::CharacterAt => return Some(substring(method, own, arguments)),
        M::Prop | M::JsonPath | M::Elements => {
            return Some(parse_json(own).and_then(|value| match value {
                Value::String(_) => Err(failed(format!("`{method:?}` is not available on a string"))),
                parsed => call(method, &parsed, arguments),
            }));
        }
        _ => return None,
    }))
}

fn substring(method: Method, own: &str, arguments: &[Value]) -> Result<Value, EvaluationError> {
    let start = position(arguments.first())?;
    let count = own.chars().count();
    let end = match (method, arguments.get(1)) {
        (Method::CharacterAt, _) => start.saturating_add(1),
        (_, None) => count,
        (_, end) => position(end)?,
    };
    if start > end || end > count {
        return Err(failed(format!("the text has only {count} characters, not {start} to {end}")));
    }
    Ok(own.chars().skip(start).take(end - start).collect::<String>().into())
}

fn on_list(method: Method, items: &Arc<Vec<Value>>, arguments: &[Value]) -> Option<Result<Value, EvaluationError>> {
    use Method as M;
    let wanted = arguments.first();
    let place = |found: Option<usize>| found.map_or(Value::Integer(-1), length);
    let equals = |item: &Value| strictly_equal(item, wanted.unwrap_or(&Value::Null));
    Some(Ok(match method {
        M::Contains => items.iter().any(equals).into(),
        M::Size => length(items.len()),
        M::IsEmpty => items.is_empty().into(),
        M::IndexOf => place(items.iter().position(equals)),
        M::LastIndexOf => place(items.iter().rposition(equals)),
        M::Elements => Value::List(items.clone()),
        M::FirstResult => items.first().cloned().unwrap_or_default(),
        M::SingleResult => return Some(only_result(items)),
        M::SingleEntry => return Some(only_result(items).and_then(|result| only_entry(&result))),
        M::CollectEntries => {
            let name = wanted.map(text).unwrap_or_default();
            items.iter().filter_map(|result| result.field(&name)).cloned().collect()
        }
        M::ContainsAll => {
            let all = wanted.and_then(Value::as_list)?;
            all.iter().all(|wanted| items.iter().any(|item| strictly_equal(item, wanted))).into()
        }
        M::SubList => {
            let part = position(wanted).and_then(|start| Ok((start, position(arguments.get(1))?)));
            return Some(part.and_then(|(start, end)| {
                let missing = || failed(format!("the list has {} elements, not {start} to {end}", items.len()));
                items.get(start..end).map(|part| part.to_vec().into()).ok_or_else(missing)
            }));
        }
        M::JsonPath => return Some(json_path(&Value::List(items.clone()), &wanted.map(text).unwrap_or_default())),
        M::Get => {
            return Some(position(wanted).and_then(|index| {
                let missing = || failed(format!("the list has {} elements, none at {index}", items.len()));
                items.get(index).cloned().ok_or_else(missing)
            }));
        }
        _ => return None,
    }))
}

fn on_moment(method: Method, moment: &DateTime, arguments: &[Value]) -> Option<Result<Value, EvaluationError>> {
    use Method as M;
    let local = moment.local;
    let plus = |sign: i64, unit: fn(Span, i64) -> Result<Span, jiff::Error>| {
        let count = integer(arguments.first().unwrap_or(&Value::Null))?;
        shift(moment, sign.checked_mul(count).and_then(|count| unit(Span::new(), count).ok()))
    };
    let before = |left: &DateTime, right: &Value| match right.plain() {
        Value::DateTime(right) => instant(left).zip(instant(right)).map(|(left, right)| left < right),
        _ => None,
    };
    let other = arguments.first();
    Some(match method {
        M::PlusYears => plus(1, Span::try_years),
        M::PlusMonths => plus(1, Span::try_months),
        M::PlusWeeks => plus(1, Span::try_weeks),
        M::PlusDays => plus(1, Span::try_days),
        M::PlusHours => plus(1, Span::try_hours),
        M::PlusMinutes => plus(1, Span::try_minutes),
        M::PlusSeconds => plus(1, Span::try_seconds),
        M::MinusYears => plus(-1, Span::try_years),
        M::MinusMonths => plus(-1, Span::try_months),
        M::MinusWeeks => plus(-1, Span::try_weeks),
        M::MinusDays => plus(-1, Span::try_days),
        M::MinusHours => plus(-1, Span::try_hours),
        M::MinusMinutes => plus(-1, Span::try_minutes),
        M::MinusSeconds => plus(-1, Span::try_seconds),
        M::IsBefore => before(moment, other?).map(Value::Boolean).ok_or_else(|| failed("two moments are compared")),
        M::IsAfter => match other?.plain() {
            Value::DateTime(right) => before(right, &moment.clone().into()).map(Value::Boolean),
            _ => None,
        }
        .ok_or_else(|| failed("two moments are compared")),
        M::Milliseconds => instant(moment)
            .map(|instant| Value::Integer(instant.as_millisecond()))
            .ok_or_else(|| failed("the moment is out of range")),
        M::DayOfMonth => Ok(Value::Integer(local.day().into())),
        M::MonthOfYear => Ok(Value::Integer(local.month().into())),
        M::Year => Ok(Value::Integer(local.year().into())),
        M::DayOfWeek => Ok(Value::Integer(local.weekday().to_monday_one_offset().into())),
        M::HourOfDay => Ok(Value::Integer(local.hour().into())),
        _ => return None,
    })
}

fn instant(moment: &DateTime) -> Option<jiff::Timestamp> {
    moment.timestamp(&Zone::UTC).ok()
}

/// A moment some time later or earlier: days on the calendar, hours by the clock.
fn shift(moment: &DateTime, span: Option<Span>) -> Result<Value, EvaluationError> {
    let far = || failed("the moment is too far away");
    let span = span.ok_or_else(far)?;
    let Some(zone) = &moment.zone else {
        let local = moment.local.checked_add(span).map_err(|_| far())?;
        return Ok(DateTime { local, zone: None }.into());
    };
    let rules = zone.rules().map_err(|error| failed(error.to_string()))?;
    let start = rules.to_timestamp(moment.local).map_err(|_| far())?.to_zoned_datetime(rules);
    let local = start.checked_add(span).map_err(|_| far())?.datetime();
    Ok(DateTime { local, zone: Some(zone.clone()) }.into())
}

/// `toString('yyyy-MM-dd')`, for the letters of numbers.
fn format_date(moment: &DateTime, pattern: &str) -> Result<Value, EvaluationError> {
    let local = moment.local;
    let mut written = String::new();
    let mut rest = pattern;
    while let Some(letter) = rest.chars().next() {
        let run = rest.find(|other| other != letter).unwrap_or(rest.len());
        let number: i64 = match letter {
            'y' | 'Y' if run == 2 => i64::from(local.year()) % 100,
            'y' | 'Y' => local.year().into(),
            'M' if run <= 2 => local.month().into(),
            'd' => local.day().into(),
            'H' => local.hour().into(),
            'm' => local.minute().into(),
            's' => local.second().into(),
            'S' => i64::from(local.subsec_nanosecond()) / 1_000_000,
            '\'' => {
                let quoted = rest[1..].find('\'').ok_or_else(|| failed("a quote in the date pattern is not closed"))?;
                written.push_str(&rest[1..=quoted]);
                rest = &rest[quoted + 2..];
                continue;
            }
            letter if letter.is_alphabetic() => {
                return Err(failed(format!("`{letter}` in a date pattern is not available; y M d H m s S are")));
            }
            other => {
                written.push(other);
                rest = &rest[other.len_utf8()..];
                continue;
            }
        };
        let width = run.min(9);
        written.push_str(&format!("{number:0width$}"));
        rest = &rest[run..];
    }
    Ok(written.into())
}

/// JSON text as a value.
pub(crate) fn parse_json(json: &str) -> Result<Value, EvaluationError> {
    if json.len() > MAX_LENGTH {
        return Err(EvaluationError::Limit("the JSON text is too long".into()));
    }
    let parsed = serde_json::from_str(json).map_err(|error| failed(format!("the text is no JSON: {error}")))?;
    Value::from_json(parsed).map_err(|error| failed(error.to_string()))
}

/// The plain paths of JSONPath: `$.order.lines[0].name`.
fn json_path(base: &Value, path: &str) -> Result<Value, EvaluationError> {
    let unfit = || failed(format!("`{path}` is more than a plain path such as $.order.lines[0].name; use FEEL"));
    let mut rest = path.strip_prefix('$').ok_or_else(unfit)?;
    let mut value = base.clone();
    while !rest.is_empty() {
        let (next, step) = if let Some(inner) = rest.strip_prefix('[') {
            let (index, after) = inner.split_once(']').ok_or_else(unfit)?;
            rest = after;
            match index.parse::<usize>() {
                Ok(place) => (value.as_list().and_then(|items| items.get(place)).cloned(), index),
                Err(_) => {
                    let name = index.trim_matches(['\'', '"']);
                    if name.len() + 2 != index.len() {
                        return Err(unfit());
                    }
                    (value.field(name).cloned(), name)
                }
            }
        } else {
            let inner = rest.strip_prefix('.').ok_or_else(unfit)?;
            let end = inner.find(['.', '[']).unwrap_or(inner.len());
            let name = &inner[..end];
            if name.is_empty() || name == "*" {
                return Err(unfit());
            }
            rest = &inner[end..];
            (value.field(name).cloned(), name)
        };
        value = next.ok_or_else(|| failed(format!("there is nothing at `{step}` of {path}")))?;
    }
    Ok(value)
}
