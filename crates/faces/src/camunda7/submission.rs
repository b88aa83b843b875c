//! What is submitted with a form of fields: held against the fields' constraints, it becomes what they hold.

use jiff::Timestamp;
use potok::{Name, Value};
use potok_core::dialect::FormField;
use potok_core::step::Variables;
use potok_core::value::{DateTime, Zone};

use super::error::Fault;
use super::{expression, value};

/// Why a form is not submitted.
pub(crate) enum Unfit {
    /// A value breaks what its field asks for.
    Breaks(String),
    /// Text stands where a number is needed, which Camunda passes on as it finds it.
    NoNumber(String),
    /// The model asks for what is not offered.
    NotOffered(String),
}

impl Unfit {
    /// The same, in the words of a route.
    pub(crate) fn into_fault(self, refused: impl FnOnce(&str) -> Fault) -> Fault {
        match self {
            Self::Breaks(why) => refused(&why),
            Self::NoNumber(text) => {
                Fault::broken_as("NumberFormatException", format!("For input string: \"{text}\": write a whole number"))
            }
            Self::NotOffered(what) => Fault::not_offered(&what),
        }
    }
}

/// What a form gives: its fields one after the other, then what is no field of it. `seen` are the variables around it.
pub(crate) fn variables(
    fields: &[FormField],
    mut given: Variables,
    seen: &[(Name, Value)],
) -> Result<Variables, Unfit> {
    let mut all = Variables::new();
    for field in fields {
        let at = given.iter().position(|(name, _)| *name == field.id);
        let value = at.map(|at| given.remove(at).1);
        let is_null = value.as_ref().is_none_or(|value| value.is_null());
        if is_null && field.required && value_of(seen, field).is_none_or(Value::is_null) && !has_default(field) {
            return Err(breaks(field, "it is required"));
        }
        check(field, value.as_ref().filter(|value| !value.is_null()))?;
        let held = match value {
            Some(value) => Some(held(field, &value)?),
            None => default(field, seen)?,
        };
        let name = field.variable.as_ref().unwrap_or(&field.id);
        all.extend(held.map(|value| (name.clone(), value)));
    }
    all.extend(given);
    Ok(all)
}

/// Only fields of the older kind, without constraints, may leave a required value to their default.
fn has_default(field: &FormField) -> bool {
    field.default.is_some() && !field.constraints.iter().any(|(name, _)| &**name == "required")
}

fn value_of<'a>(seen: &'a [(Name, Value)], field: &FormField) -> Option<&'a Value> {
    seen.iter().find(|(name, _)| *name == field.id).map(|(_, value)| value)
}

fn breaks(field: &FormField, why: &str) -> Unfit {
    Unfit::Breaks(format!("the field `{}` does not fit: {why}", field.id))
}

/// Holds a value against a field's constraints; null breaks none of these.
fn check(field: &FormField, value: Option<&Value>) -> Result<(), Unfit> {
    if let Some((_, config)) = field.constraints.iter().find(|(name, _)| &**name == "validator") {
        let config = config.as_deref().unwrap_or_default();
        return Err(Unfit::NotOffered(format!("the validator `{config}` of the form field `{}`", field.id)));
    }
    let Some(value) = value else { return Ok(()) };
    if !field.writable {
        return Err(breaks(field, "it is only to be read"));
    }
    if field.required && matches!(value.plain(), Value::String(text) if text.is_empty()) {
        return Err(breaks(field, "it is required"));
    }
    for (name, config) in &field.constraints {
        let config = config.as_deref().unwrap_or_default();
        match &**name {
            "min" | "max" => {
                let Ok(limit) = config.trim().parse::<f64>() else {
                    return Err(breaks(field, &format!("the model's {name} `{config}` is no number")));
                };
                let number = number(value).ok_or_else(|| breaks(field, &format!("{name} is asked of numbers only")))?;
                if &**name == "min" && number < limit {
                    return Err(breaks(field, &format!("it must be {config} at least")));
                }
                // Camunda takes the maximum itself for too much.
                if &**name == "max" && number >= limit {
                    return Err(breaks(field, &format!("it must be less than {config}")));
                }
            }
            "minlength" | "maxlength" => {
                let Ok(limit) = config.trim().parse::<usize>() else {
                    return Err(breaks(field, &format!("the model's {name} `{config}` is no number")));
                };
                let Value::String(text) = value.plain() else {
                    return Err(breaks(field, &format!("{name} is asked of text only")));
                };
                let length = text.encode_utf16().count();
                if &**name == "minlength" && length < limit {
                    return Err(breaks(field, &format!("it must have {config} characters at least")));
                }
                if &**name == "maxlength" && length > limit {
                    return Err(breaks(field, &format!("it must have {config} characters at most")));
                }
            }
            _ => {}
        }
    }
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "limits are compared as floating point")]
fn number(value: &Value) -> Option<f64> {
    match value.plain() {
        Value::Integer(number) => Some(*number as f64),
        Value::Number(number) => Some(*number),
        _ => None,
    }
}

/// The value that a field holds then.
fn held(field: &FormField, value: &Value) -> Result<Value, Unfit> {
    let (plain, kind) = (value.plain(), &*field.kind);
    let typed = match kind {
        "string" => "String",
        "long" => "Long",
        "boolean" => "Boolean",
        "date" => "Date",
        "enum" => "String",
        _ => return Ok(value.clone()),
    };
    let wrong = || breaks(field, &format!("{plain} is no value of type {kind}"));
    match (kind, plain) {
        (_, Value::Null) => Ok(value::null_of(typed)),
        ("string", Value::String(_)) => Ok(value.clone()),
        ("string", other) => Ok(Value::String(other.to_string().into())),
        ("long", Value::Integer(number)) => Ok(value::long(*number)),
        ("long", Value::String(_) | Value::Number(_)) => {
            let text = plain.to_string();
            text.parse().map(value::long).map_err(|_| Unfit::NoNumber(text))
        }
        ("boolean", Value::Boolean(_)) => Ok(value.clone()),
        ("boolean", Value::String(text)) => Ok(text.eq_ignore_ascii_case("true").into()),
        ("date", Value::DateTime(_)) => Ok(value.clone()),
        ("date", Value::String(text)) if text.trim().is_empty() => Ok(value::null_of(typed)),
        ("date", Value::String(text)) => field.date_by_pattern(text.trim()).map(moment).ok_or_else(wrong),
        ("enum", Value::String(text)) if field.values.is_empty() || field.values.iter().any(|(id, _)| id == text) => {
            Ok(value.clone())
        }
        _ => Err(wrong()),
    }
}

/// What a field gives that was not filled in.
fn default(field: &FormField, seen: &[(Name, Value)]) -> Result<Option<Value>, Unfit> {
    let Some(default) = &field.default else { return Ok(None) };
    let value = if expression::is_computed(&default.text) {
        expression::evaluate(&default.text, seen, Timestamp::now()).map_err(|why| breaks(field, &why))?
    } else {
        Value::String(default.text.clone())
    };
    held(field, &value).map(Some)
}

/// Camunda's dates have a time.
fn moment(value: Value) -> Value {
    match value {
        Value::Date(date) => DateTime { local: date.at(0, 0, 0, 0), zone: Some(Zone::UTC) }.into(),
        other => other,
    }
}
