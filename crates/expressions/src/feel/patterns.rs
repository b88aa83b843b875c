//! `replace` and `split` as the library has them, but every match is a step: to look for all matches may take the square
//! of the text's length.

use std::sync::LazyLock;

use dsntk_feel::values::Value as FeelValue;
use regex::{Captures, Match, Regex};

use super::guard;
use super::natives::null;

/// What a replacement calls a group by.
static GROUP: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new("\\$([1-9][0-9]*)").ok());

/// `replace(input, pattern, replacement)`, or with flags after them.
pub(crate) fn replace(arguments: &[FeelValue]) -> FeelValue {
    let [FeelValue::String(input), FeelValue::String(pattern), FeelValue::String(replacement), flags @ ..] = arguments
    else {
        return null("replace wants strings");
    };
    let pattern = match flags {
        [FeelValue::String(flags)] => flagged(pattern, flags),
        _ => pattern.clone(),
    };
    let (Ok(pattern), Some(group)) = (Regex::new(&pattern), &*GROUP) else {
        return null("the pattern of replace is invalid");
    };
    let replacement = group.replace_all(replacement, "$${${1}}");
    let replaced = pattern.replace_all(input, |captures: &Captures<'_>| {
        guard::tick();
        let mut text = String::new();
        captures.expand(&replacement, &mut text);
        text
    });
    FeelValue::String(replaced.into_owned())
}

/// The pattern with its flags inside; `q` takes it literally, unless a flag other than `i` is there too.
fn flagged(pattern: &str, flags: &str) -> String {
    let literal = flags.contains('q') && !flags.contains(['s', 'm', 'x']);
    let pattern = if literal { regex::escape(pattern) } else { pattern.to_owned() };
    let flags: String = flags.chars().filter(|flag| matches!(flag, 's' | 'm' | 'i' | 'x')).collect();
    if flags.is_empty() { pattern } else { format!("(?{flags}){pattern}") }
}

/// `extract(string, pattern)`: all that matches.
pub(crate) fn extract(arguments: &[FeelValue]) -> FeelValue {
    let [FeelValue::String(text), FeelValue::String(pattern)] = arguments else {
        return null("extract wants strings");
    };
    let Ok(pattern) = Regex::new(pattern) else { return null("the pattern of extract is invalid") };
    let part = |found: Match<'_>| {
        guard::tick();
        FeelValue::String(found.as_str().to_owned())
    };
    FeelValue::List(pattern.find_iter(text).map(part).collect())
}

/// `split(string, delimiter)`.
pub(crate) fn split(arguments: &[FeelValue]) -> FeelValue {
    let [FeelValue::String(text), FeelValue::String(delimiter)] = arguments else {
        return null("split wants strings");
    };
    let Ok(delimiter) = Regex::new(delimiter) else { return null("the delimiter of split is invalid") };
    let part = |part: &str| {
        guard::tick();
        FeelValue::String(part.to_owned())
    };
    FeelValue::List(delimiter.split(text).map(part).collect())
}
