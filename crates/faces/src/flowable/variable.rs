//! Variables as Flowable's workers write them: a list of `{name, type, value}`.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil;
use potok::{Name, Value};
use potok_core::step::Variables;
use potok_core::value::{DateTime, Declared, Zone};
use serde_json::{Value as Json, json};

/// The variables in a body; null is none.
pub(crate) fn read(json: &Json) -> Result<Variables, String> {
    let list = match json {
        Json::Null => return Ok(Variables::new()),
        Json::Array(list) => list,
        other => return Err(format!("`variables` must be a list, and is {other}")),
    };
    let mut variables = Variables::new();
    for variable in list {
        let name = variable.get("name").and_then(Json::as_str).filter(|name| !name.is_empty());
        let name = name.ok_or("a variable needs a name")?;
        let kind = variable.get("type").and_then(Json::as_str);
        let value = variable.get("value").cloned().unwrap_or_default();
        let value = typed(kind, value).map_err(|what| format!("variable `{name}`: {what}"))?;
        variables.push((name.into(), value));
    }
    Ok(variables)
}

fn typed(kind: Option<&str>, value: Json) -> Result<Value, String> {
    let plain = |value: Json| Value::from_json(value).map_err(|error| error.to_string());
    let Some(kind) = kind.filter(|_| !value.is_null()) else { return plain(value) };
    let wrong = |value: &Json| format!("{value} is no {kind}");
    let within = |value: Json, least: i64, most: i64| {
        let number = value.as_i64().filter(|number| (least..=most).contains(number));
        number.ok_or_else(|| wrong(&value))
    };
    match kind {
        "string" => value.as_str().map(Value::from).ok_or_else(|| wrong(&value)),
        "boolean" => value.as_bool().map(Value::from).ok_or_else(|| wrong(&value)),
        "integer" => within(value, i32::MIN.into(), i32::MAX.into()).map(Value::from),
        "short" => within(value, i16::MIN.into(), i16::MAX.into()).map(|number| declared("Short", number)),
        "long" => within(value, i64::MIN, i64::MAX).map(|number| declared("Long", number)),
        "double" => value.as_f64().map(Value::from).ok_or_else(|| wrong(&value)),
        "date" | "instant" => {
            let moment = value.as_str().and_then(|text| text.parse::<Timestamp>().ok());
            moment.map(Value::from).ok_or_else(|| wrong(&value))
        }
        "localDate" => {
            let date = value.as_str().and_then(|text| text.parse::<civil::Date>().ok());
            date.map(Value::Date).ok_or_else(|| wrong(&value))
        }
        "localDateTime" => {
            let local = value.as_str().and_then(|text| text.parse::<civil::DateTime>().ok());
            local.map(|local| DateTime { local, zone: None }.into()).ok_or_else(|| wrong(&value))
        }
        "json" => plain(value),
        _ => Err(format!("there is no type `{kind}`")),
    }
}

/// A number with a type, under the name that all faces know it by.
fn declared(kind: &str, number: i64) -> Value {
    Value::Declared(Arc::new(Declared { value: number.into(), type_name: kind.into(), info: BTreeMap::new() }))
}

/// Variables as a list.
pub(crate) fn write(variables: &[(Name, Value)]) -> Json {
    variables
        .iter()
        .map(|(name, value)| {
            let (kind, shown) = shown(value);
            json!({"name": &**name, "type": kind, "value": shown})
        })
        .collect()
}

fn shown(value: &Value) -> (Option<String>, Json) {
    let kind = match value {
        Value::Null => None,
        Value::Boolean(_) => Some("boolean"),
        Value::Integer(number) if i32::try_from(*number).is_ok() => Some("integer"),
        Value::Integer(_) => Some("long"),
        Value::Number(_) => Some("double"),
        Value::String(_) | Value::Time(_) | Value::Duration(_) | Value::Bytes(_) => Some("string"),
        Value::Date(_) => Some("localDate"),
        Value::DateTime(moment) if moment.zone.is_none() => Some("localDateTime"),
        Value::DateTime(moment) => {
            let moment = moment.timestamp(&Zone::UTC).map(|moment| moment.to_string());
            return (Some("date".into()), moment.map_or_else(|_| value.to_json(), Json::String));
        }
        Value::List(_) | Value::Map(_) => Some("json"),
        Value::Declared(declared) if matches!(&*declared.type_name, "Short" | "Long") => {
            return (Some(declared.type_name.to_ascii_lowercase().to_string()), value.to_json());
        }
        Value::Declared(declared) => return shown(&declared.value),
    };
    (kind.map(str::to_owned), value.to_json())
}
