//! Built-in functions that the library has, but not as the standard wants them (DMN 1.5 §10.3.4). All are pure.

use std::cmp::Ordering;

use dsntk_feel::Name as FeelName;
use dsntk_feel::values::Value as FeelValue;
use dsntk_feel_evaluator::evaluate_equals;

use super::guard;
use super::natives::null;

/// The largest of a list's values: numbers, text, dates, times, moments or durations.
pub(crate) fn max(arguments: &[FeelValue]) -> FeelValue {
    extreme(&arguments[0], Ordering::Greater)
}

/// The least of a list's values.
pub(crate) fn min(arguments: &[FeelValue]) -> FeelValue {
    extreme(&arguments[0], Ordering::Less)
}

fn extreme(list: &FeelValue, wanted: Ordering) -> FeelValue {
    let FeelValue::List(items) = list else { return list.clone() };
    let mut found: Option<&FeelValue> = None;
    for item in items {
        match found.map(|found| compare(item, found)) {
            Some(None) => return null("min and max want values that can be compared with each other"),
            Some(Some(ordering)) if ordering != wanted => {}
            _ => found = Some(item),
        }
    }
    match found {
        Some(found) if compare(found, found).is_some() => found.clone(),
        _ => null("min and max want values that can be compared"),
    }
}

fn compare(left: &FeelValue, right: &FeelValue) -> Option<Ordering> {
    use FeelValue as V;
    match (left, right) {
        (V::Number(left), V::Number(right)) => left.partial_cmp(right),
        (V::String(left), V::String(right)) => Some(left.cmp(right)),
        (V::Date(left), V::Date(right)) => Some(left.cmp(right)),
        (V::Time(left), V::Time(right)) => left.partial_cmp(right),
        (V::DateTime(_), V::DateTime(_)) => {
            match (
                super::natives::moment(std::slice::from_ref(left)),
                super::natives::moment(std::slice::from_ref(right)),
            ) {
                (V::DateTime(left), V::DateTime(right)) => left.partial_cmp(&right),
                _ => None,
            }
        }
        (V::DaysAndTimeDuration(left), V::DaysAndTimeDuration(right)) => left.partial_cmp(right),
        (V::YearsAndMonthsDuration(left), V::YearsAndMonthsDuration(right)) => left.partial_cmp(right),
        _ => None,
    }
}

/// Whether any of a list's values is true (DMN 1.5 §10.3.4.4); null where that is not known.
pub(crate) fn any(arguments: &[FeelValue]) -> FeelValue {
    decided(&arguments[0], true)
}

/// Whether all of them are.
pub(crate) fn all(arguments: &[FeelValue]) -> FeelValue {
    decided(&arguments[0], false)
}

/// One value decides, wherever it stands; the library asks the first that it does not know.
fn decided(list: &FeelValue, decisive: bool) -> FeelValue {
    let items = match list {
        FeelValue::List(items) => &items[..],
        FeelValue::Null(_) => return null("any and all want a list"),
        single => std::slice::from_ref(single),
    };
    if items.iter().any(|item| matches!(item, FeelValue::Boolean(value) if *value == decisive)) {
        return FeelValue::Boolean(decisive);
    }
    if items.iter().all(|item| matches!(item, FeelValue::Boolean(_))) {
        return FeelValue::Boolean(!decisive);
    }
    null("any and all want a list of booleans")
}

/// A number written with a point, if anything.
pub(crate) fn number(arguments: &[FeelValue]) -> FeelValue {
    match &arguments[0] {
        FeelValue::String(text) => match text.trim().parse() {
            Ok(number) => FeelValue::Number(number),
            Err(_) => null("the text is no number"),
        },
        number @ FeelValue::Number(_) => number.clone(),
        _ => null("number wants a string"),
    }
}

/// A single value counts as a list of one (DMN 1.5 §10.3.2.9.4).
pub(crate) fn list_contains(arguments: &[FeelValue]) -> FeelValue {
    let wanted = &arguments[1];
    match &arguments[0] {
        FeelValue::List(items) => FeelValue::Boolean(items.iter().any(|item| {
            guard::spend(item);
            evaluate_equals(item, wanted)
        })),
        FeelValue::Null(_) => null("list contains wants a list"),
        single => FeelValue::Boolean(evaluate_equals(single, wanted)),
    }
}

/// An entry by its name, or by the names on the way to it.
pub(crate) fn get_value(arguments: &[FeelValue]) -> FeelValue {
    let path = match &arguments[1] {
        FeelValue::List(names) => &names[..],
        name => std::slice::from_ref(name),
    };
    let mut value = &arguments[0];
    for name in path {
        let entry = match (value, name) {
            (FeelValue::Context(context), FeelValue::String(name)) => context.get_entry(&FeelName::from(name.as_str())),
            _ => return null("get value wants a context and a name or a list of names"),
        };
        match entry {
            Some(entry) => value = entry,
            None => return null("there is no such entry"),
        }
    }
    value.clone()
}
