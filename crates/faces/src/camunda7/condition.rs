//! Filters that several resources have in common: by variables.

use potok::query::{Comparison, VariableFilter};
use potok::{Name, Value};

use super::error::Fault;
use super::fields::Fields;
use super::value;

/// A variable that has a value.
pub(crate) fn equals(name: &str, value: &Value) -> VariableFilter {
    VariableFilter { name: name.into(), comparison: Comparison::Equal(value::searched(value)) }
}

/// Conditions on variables: a body's array of `{name, operator, value}`, or a query string's `a_eq_1,b_gt_2`, which compares text.
pub(crate) fn by_variables(fields: &Fields, name: &str) -> Result<Vec<VariableFilter>, Fault> {
    if fields.in_query() {
        let conditions = fields.list(name)?.unwrap_or_default();
        return conditions.iter().map(|condition| by_text(condition)).collect();
    }
    let mut filters = Vec::new();
    for condition in fields.objects(name)? {
        let missing = |what: &str| Fault::invalid(format!("`{name}`: a condition needs `{what}`"));
        let variable = condition.text("name")?.ok_or_else(|| missing("name"))?;
        let operator = condition.text("operator")?.ok_or_else(|| missing("operator"))?;
        let compared = condition.get("value").cloned().unwrap_or_default();
        filters.push(filter(&variable, &operator, &value::read_plain(&variable, &compared)?)?);
    }
    Ok(filters)
}

/// `name_operator_value`.
fn by_text(condition: &str) -> Result<VariableFilter, Fault> {
    let mut parts = condition.splitn(3, '_');
    match (parts.next(), parts.next(), parts.next()) {
        (Some(name), Some(operator), Some(text)) => filter(name, operator, &text.into()),
        _ => {
            Err(Fault::invalid(format!("variable query parameter has to have format KEY_OPERATOR_VALUE: {condition}")))
        }
    }
}

fn filter(name: &str, operator: &str, compared: &Value) -> Result<VariableFilter, Fault> {
    let searched = value::searched(compared);
    let comparison = match operator {
        "eq" => Comparison::Equal(searched),
        "neq" => Comparison::NotEqual(searched),
        "gt" => Comparison::Greater(searched),
        "gteq" => Comparison::GreaterOrEqual(searched),
        "lt" => Comparison::Less(searched),
        "lteq" => Comparison::LessOrEqual(searched),
        "like" => match compared.plain() {
            Value::String(pattern) => Comparison::Like(pattern.to_string()),
            _ => return Err(Fault::invalid(format!("`like` compares `{name}` with text"))),
        },
        other => return Err(Fault::invalid(format!("Invalid variable comparator specified: {other}"))),
    };
    Ok(VariableFilter { name: name.into(), comparison })
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
