//! Filters that several resources have in common: by variables.

use potok::query::{Comparison, VariableFilter};
use potok::{Name, Value};
use potok_core::value::{DateTime, Zone};

use super::error::Fault;
use super::fields::Fields;
use super::{date, value};

/// A variable that has a value.
pub(crate) fn equals(name: &str, value: &Value) -> VariableFilter {
    VariableFilter { name: name.into(), comparison: Comparison::Equal(value::searched(value)) }
}

/// Conditions on variables: a body's array of `{name, operator, value}`, or a query string's `a_eq_1,b_gt_2`, which compares text.
#[derive(Clone, Debug, Default)]
pub(crate) struct Conditions {
    all: Vec<Condition>,
    /// Case of names does not matter.
    any_name: bool,
    /// Case of values does not matter.
    any_value: bool,
}

/// A condition, or that a pattern is not matched.
#[derive(Clone, Debug)]
struct Condition {
    filter: VariableFilter,
    is_not: bool,
}

/// A refusal by the engine, given its type.
type Refused = fn(&'static str, String) -> Fault;

impl Conditions {
    /// Those that stand under a name.
    pub(crate) fn of(fields: &Fields, name: &str) -> Result<Self, Fault> {
        let conditions = Self::read(fields, name, |_, message| Fault::bad_request_of("NotValidException", message))?;
        match conditions.all.iter().any(|condition| condition.is_not) {
            true => Err(Fault::invalid("Invalid variable comparator specified: notLike")),
            false => Ok(conditions),
        }
    }

    /// The same of a task, of which it can be asked, too, that a pattern is not matched.
    pub(crate) fn of_task(fields: &Fields, name: &str) -> Result<Self, Fault> {
        Self::read(fields, name, Fault::failed_as)
    }

    /// `refused` is how it is said that a condition makes no sense.
    fn read(fields: &Fields, name: &str, refused: Refused) -> Result<Self, Fault> {
        let (any_name, any_value) =
            (fields.is_set("variableNamesIgnoreCase")?, fields.is_set("variableValuesIgnoreCase")?);
        let mut all = Vec::new();
        if fields.in_query() {
            for condition in fields.list(name)?.unwrap_or_default() {
                all.push(by_text(&condition, refused)?);
            }
            return Ok(Self { all, any_name, any_value });
        }
        for condition in fields.objects(name)? {
            let missing = |what: &str| format!("`{name}`: a condition needs `{what}`");
            let operator = condition.text("operator")?.ok_or_else(|| Fault::invalid(missing("operator")))?;
            let variable = condition.text("name")?;
            let variable = variable.ok_or_else(|| refused("NullValueException", missing("name")))?;
            let compared = condition.get("value").cloned().unwrap_or_default();
            all.push(self::condition(&variable, &operator, &value::read_plain(&variable, &compared)?, refused)?);
        }
        Ok(Self { all, any_name, any_value })
    }

    /// Whether there are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// What the database compares by itself; the rest is [to be looked at](Self::need_a_look).
    pub(crate) fn in_database(&self) -> Vec<VariableFilter> {
        match self.need_a_look() {
            true => Vec::new(),
            false => self.all.iter().map(|condition| condition.filter.clone()).collect(),
        }
    }

    /// Whether variables must be looked at one by one: the database minds case, and knows no pattern that is not matched.
    pub(crate) fn need_a_look(&self) -> bool {
        !self.all.is_empty() && (self.any_name || self.any_value || self.all.iter().any(|condition| condition.is_not))
    }

    /// Whether each holds for one of some variables.
    pub(crate) fn hold(&self, variables: &[(Name, Value)]) -> bool {
        self.all.iter().all(|condition| variables.iter().any(|(name, value)| self.holds_for(condition, name, value)))
    }

    /// Whether all of them are on a variable of that name, and hold for its value.
    pub(crate) fn hold_for(&self, name: &Name, value: &Value) -> bool {
        self.all.iter().all(|condition| self.holds_for(condition, name, value))
    }

    fn is_named(&self, Condition { filter, .. }: &Condition, name: &Name) -> bool {
        filter.name == *name || (self.any_name && filter.name.to_lowercase() == name.to_lowercase())
    }

    fn holds_for(&self, condition: &Condition, name: &Name, value: &Value) -> bool {
        let comparison = &condition.filter.comparison;
        let holds = match (self.any_value, value.plain()) {
            (true, Value::String(text)) => holds(&folded(comparison), &Value::String(text.to_lowercase())),
            (true, other) => holds(&folded(comparison), other),
            (false, _) => holds(comparison, value),
        };
        let is_text = matches!(value.plain(), Value::String(_));
        self.is_named(condition, name) && if condition.is_not { is_text && !holds } else { holds }
    }
}

/// A comparison with text in small letters.
fn folded(comparison: &Comparison) -> Comparison {
    use potok::query::VariableValue as Searched;
    let fold = |value: &Searched| match value {
        Searched::Text(text) => Searched::Text(text.to_lowercase()),
        other => other.clone(),
    };
    match comparison {
        Comparison::Equal(with) => Comparison::Equal(fold(with)),
        Comparison::NotEqual(with) => Comparison::NotEqual(fold(with)),
        Comparison::Like(pattern) => Comparison::Like(pattern.to_lowercase()),
        other => other.clone(),
    }
}

/// `name_operator_value`.
fn by_text(condition: &str, refused: Refused) -> Result<Condition, Fault> {
    let mut parts = condition.splitn(3, '_');
    match (parts.next(), parts.next(), parts.next()) {
        (Some(name), Some(operator), Some(text)) => self::condition(name, operator, &text.into(), refused),
        _ => {
            Err(Fault::invalid(format!("variable query parameter has to have format KEY_OPERATOR_VALUE: {condition}")))
        }
    }
}

fn condition(name: &str, operator: &str, compared: &Value, refused: Refused) -> Result<Condition, Fault> {
    // What looks like a date is compared with dates.
    let date = match compared.plain() {
        Value::String(text) => date::parse_date(text).map(|local| DateTime { local, zone: Some(Zone::UTC) }.into()),
        _ => None,
    };
    let compared = date.as_ref().unwrap_or(compared);
    if matches!(compared.plain(), Value::List(_) | Value::Map(_)) {
        return Err(Fault::failed(format!("a condition on `{name}` compares it with a list or map, which cannot be")));
    }
    let is_ordered = matches!(operator, "gt" | "gteq" | "lt" | "lteq");
    if is_ordered && matches!(compared.plain(), Value::Null | Value::Boolean(_)) {
        let message = format!("'{operator}' compares `{name}` with null or a boolean: these have no order");
        return Err(refused("ProcessEngineException", message));
    }
    let searched = value::searched(compared);
    let comparison = match operator {
        "eq" => Comparison::Equal(searched),
        "neq" => Comparison::NotEqual(searched),
        "gt" => Comparison::Greater(searched),
        "gteq" => Comparison::GreaterOrEqual(searched),
        "lt" => Comparison::Less(searched),
        "lteq" => Comparison::LessOrEqual(searched),
        "like" | "notLike" => match compared.plain() {
            Value::String(pattern) => Comparison::Like(pattern.to_string()),
            // Nothing that is no text is like any.
            Value::Integer(_) | Value::Number(_) | Value::Boolean(_) => Comparison::In(Vec::new()),
            _ => return Err(Fault::invalid(format!("`{operator}` compares `{name}` with text"))),
        },
        other => return Err(Fault::invalid(format!("Invalid variable comparator specified: {other}"))),
    };
    let filter = VariableFilter { name: name.into(), comparison };
    Ok(Condition { filter, is_not: operator == "notLike" })
}

/// Whether something is what is asked for, if anything is.
pub(crate) fn is(asked: Option<&Name>, own: Option<&str>) -> bool {
    asked.is_none_or(|asked| own == Some(asked))
}

/// Whether text is like a pattern: `%` stands for any text, `_` for one character.
pub(crate) fn like(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    // The last `%` seen and where the text stood: on a mismatch it takes one character more.
    let (mut part, mut at, mut retry) = (0, 0, None);
    while at < text.len() {
        match pattern.get(part) {
            Some('%') => {
                retry = Some((part, at));
                part += 1;
            }
            Some(other) if *other == '_' || *other == text[at] => {
                part += 1;
                at += 1;
            }
            _ => match retry {
                Some((percent, from)) => {
                    retry = Some((percent, from + 1));
                    (part, at) = (percent + 1, from + 1);
                }
                None => return false,
            },
        }
    }
    pattern[part..].iter().all(|left| *left == '%')
}

/// Whether a comparison holds for a value.
pub(crate) fn holds(comparison: &Comparison, found: &Value) -> bool {
    use potok::query::VariableValue as Searched;
    let own = value::searched(found);
    let ordering = |with: &Searched| match (&own, with) {
        (Searched::Number(own), Searched::Number(with)) => own.partial_cmp(with),
        (Searched::Text(own), Searched::Text(with)) => Some(own.cmp(with)),
        _ => None,
    };
    match comparison {
        Comparison::Equal(with) => own == *with,
        Comparison::NotEqual(with) => own != *with,
        Comparison::Less(with) => ordering(with).is_some_and(std::cmp::Ordering::is_lt),
        Comparison::LessOrEqual(with) => ordering(with).is_some_and(std::cmp::Ordering::is_le),
        Comparison::Greater(with) => ordering(with).is_some_and(std::cmp::Ordering::is_gt),
        Comparison::GreaterOrEqual(with) => ordering(with).is_some_and(std::cmp::Ordering::is_ge),
        Comparison::Like(pattern) => matches!(&own, Searched::Text(own) if like(pattern, own)),
        Comparison::In(values) => values.contains(&own),
    }
}
