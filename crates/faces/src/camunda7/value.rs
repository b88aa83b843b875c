//! Values of variables: `{value, type, valueInfo}` both ways.
//!
//! What a caller declares is kept with the value ([`Declared`]) where the plain value would not tell it: `Short`, `Long`, `File`, `Json`,
//! `Xml`, `Object`, and a null that has a type.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::http::StatusCode;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use potok::query::VariableValue;
use potok::{Name, Value};
use potok_core::step::Variables;
use potok_core::value::{DateTime, Declared, Zone};
use serde_json::{Map, Number, Value as Json, json};

use super::date;
use super::error::Fault;
use super::fields::Fields;

/// Characters that a string may have.
const LONGEST: usize = 4000;

/// Under which name a declared value keeps the text that it was made of.
const TEXT: &str = "text";

/// Camunda takes that for its own trouble.
const NO_FILENAME: &str = "a File needs valueInfo.filename";

const TOO_LONG: &str = "text has 4000 characters at most; use Object, Json or File for more";

const JAVA: &str = "application/x-java-serialized-object";
const JSON: &str = "application/json";

/// Variables by name; null and absent are none.
pub(crate) fn variables(fields: &Fields, name: &str) -> Result<Variables, Fault> {
    let mut variables = Variables::new();
    for (name, value) in fields.map(name)? {
        variables.push((name.as_str().into(), read(&name, &value)?));
    }
    Ok(variables)
}

/// The same, where types that there are not have an error of their own.
pub(crate) fn variables_of_known_types(fields: &Fields, name: &str) -> Result<Variables, Fault> {
    let types = fields.map(name)?;
    let unsupported = types.values().find_map(|value| value.get("type")?.as_str().filter(|kind| !is_kind(kind)));
    if let Some(kind) = unsupported {
        return Err(Fault::unsupported(format!("Unsupported value type '{kind}'")));
    }
    variables(fields, name)
}

/// One value.
pub(crate) fn read(name: &str, json: &Json) -> Result<Value, Fault> {
    let fields = match json {
        Json::Null => return Ok(Value::Null),
        json => Fields::of(json)?,
    };
    let value = fields.get("value").cloned().unwrap_or_default();
    let info = fields.map("valueInfo")?;
    if info.get("transient") == Some(&Json::Bool(true)) {
        return Err(Fault::not_offered("a variable that is seen and not kept (valueInfo.transient)"));
    }
    let refused = |what: String| match &*what {
        NO_FILENAME => Fault::broken_as("IllegalArgumentException", what),
        TOO_LONG => Fault::refused(StatusCode::BAD_REQUEST, format!("Cannot put variable {name}: {what}")),
        what => Fault::invalid(format!("Cannot submit variable '{name}': {what}")),
    };
    match fields.text("type")? {
        None => inferred(value).map_err(refused),
        Some(kind) if !is_kind(&kind) => Err(refused(format!("Unsupported value type '{kind}'"))),
        Some(kind) => typed(&kind, value, &info).map_err(refused),
    }
}

/// A null that has a type.
pub(crate) fn null_of(kind: &str) -> Value {
    declared(kind, Value::Null, BTreeMap::new())
}

/// A whole number that is a `Long`.
pub(crate) fn long(number: i64) -> Value {
    declared("Long", number.into(), BTreeMap::new())
}

/// A value that stands for itself, without its type.
pub(crate) fn read_plain(name: &str, json: &Json) -> Result<Value, Fault> {
    inferred(json.clone()).map_err(|what| Fault::invalid(format!("'{name}': {what}")))
}

/// A value without a type.
fn inferred(value: Json) -> Result<Value, String> {
    match value {
        Json::String(text) => string(&text),
        value @ (Json::Array(_) | Json::Object(_)) => Value::from_json(value).map_err(|error| error.to_string()),
        value => Value::from_json(value).map_err(|error| error.to_string()),
    }
}

fn string(text: &str) -> Result<Value, String> {
    if text.chars().count() > LONGEST {
        return Err(TOO_LONG.into());
    }
    Ok(text.into())
}

fn declared(type_name: &str, value: Value, info: BTreeMap<Name, Name>) -> Value {
    Value::Declared(Arc::new(Declared { value, type_name: type_name.into(), info }))
}

fn typed(kind: &str, value: Json, info: &Map<String, Json>) -> Result<Value, String> {
    let lower = kind.to_ascii_lowercase();
    let name = canonical(&lower);
    // What a form sends of a field that is left empty.
    let is_empty =
        value.as_str() == Some("") && !matches!(name, "String" | "Json" | "Xml" | "Object" | "Bytes" | "File");
    if (value.is_null() || is_empty) && !matches!(name, "Null" | "File" | "Object") {
        return Ok(declared(name, Value::Null, BTreeMap::new()));
    }
    let mismatch = |value: &Json| format!("{value} is no value of type {name}");
    let said = |key: &str| info.get(key).and_then(Json::as_str).map(Name::from);
    match name {
        "Null" if value.is_null() => Ok(Value::Null),
        "Null" => Err(mismatch(&value)),
        "Boolean" => match &value {
            Json::Bool(flag) => Ok((*flag).into()),
            Json::String(text) if text.eq_ignore_ascii_case("true") => Ok(true.into()),
            Json::String(text) if text.eq_ignore_ascii_case("false") => Ok(false.into()),
            other => Err(mismatch(other)),
        },
        "Short" => whole(&value, i16::MIN.into(), i16::MAX.into())
            .map(|number| declared(name, number.into(), BTreeMap::new()))
            .ok_or_else(|| mismatch(&value)),
        "Integer" => whole(&value, i32::MIN.into(), i32::MAX.into()).map(Value::from).ok_or_else(|| mismatch(&value)),
        "Long" => whole(&value, i64::MIN, i64::MAX)
            .map(|number| declared(name, number.into(), BTreeMap::new()))
            .ok_or_else(|| mismatch(&value)),
        "Double" => match &value {
            Json::Number(number) => number.as_f64().map(Value::from),
            Json::String(text) => text.trim().parse::<f64>().ok().filter(|number| number.is_finite()).map(Value::from),
            _ => None,
        }
        .ok_or_else(|| mismatch(&value)),
        "String" => match &value {
            Json::String(text) => string(text),
            Json::Number(_) | Json::Bool(_) => string(&value.to_string()),
            other => Err(mismatch(other)),
        },
        "Date" => {
            let local = value.as_str().and_then(date::parse_date).ok_or_else(|| mismatch(&value))?;
            Ok(DateTime { local, zone: Some(Zone::UTC) }.into())
        }
        "Bytes" => Ok(Value::Bytes(decoded(&value).ok_or_else(|| mismatch(&value))?.into())),
        "File" => {
            let bytes = if value.is_null() { Some(Vec::new()) } else { decoded(&value) };
            let bytes = bytes.ok_or_else(|| mismatch(&value))?;
            let filename = said("filename").ok_or(NO_FILENAME)?;
            let mut info = BTreeMap::from([(Name::from("filename"), filename)]);
            info.extend(["mimeType", "encoding"].into_iter().filter_map(|key| Some((key.into(), said(key)?))));
            Ok(declared(name, Value::Bytes(bytes.into()), info))
        }
        "Object" => {
            let format = said("serializationDataFormat");
            let mut info = BTreeMap::new();
            info.extend(said("objectTypeName").map(|class| (Name::from("objectTypeName"), class)));
            info.extend(format.clone().map(|format| (Name::from("serializationDataFormat"), format)));
            text_of(name, value, info, format.as_deref() == Some(JSON))
        }
        "Json" => match value {
            Json::String(_) => text_of(name, value, BTreeMap::new(), true),
            other => Err(mismatch(&other)),
        },
        _ => match value {
            Json::String(_) => text_of(name, value, BTreeMap::new(), false),
            other => Err(mismatch(&other)),
        },
    }
}

/// A value that comes as text, which is kept beside what it says if it is JSON.
fn text_of(kind: &str, value: Json, mut info: BTreeMap<Name, Name>, is_json: bool) -> Result<Value, String> {
    let text = match value {
        Json::Null => return Ok(declared(kind, Value::Null, info)),
        Json::String(text) => text,
        // Camunda is pickier: it takes only text.
        other => other.to_string(),
    };
    let said =
        if is_json { serde_json::from_str(&text).ok().and_then(|json| Value::from_json(json).ok()) } else { None };
    match said {
        Some(value) => {
            info.insert(TEXT.into(), text.into());
            Ok(declared(kind, value, info))
        }
        None => Ok(declared(kind, Value::String(text.into()), info)),
    }
}

/// A value that was sent as a file.
pub(crate) fn of_file(
    kind: &str,
    filename: Option<String>,
    media_type: Option<String>,
    content: &[u8],
) -> Result<Value, String> {
    match &*kind.to_ascii_lowercase() {
        "bytes" => Ok(Value::Bytes(content.into())),
        "file" => {
            let mut info = BTreeMap::from([(Name::from("filename"), Name::from(filename.unwrap_or_default()))]);
            // `text/plain; charset=utf-8`
            let (media_type, encoding) = match media_type.as_deref().map(|text| text.split_once(';')) {
                Some(Some((media_type, rest))) => {
                    (Some(media_type.trim().to_owned()), rest.trim().strip_prefix("charset=").map(str::to_owned))
                }
                _ => (media_type, None),
            };
            let media_type = media_type.unwrap_or_else(|| "application/octet-stream".into());
            info.insert("mimeType".into(), media_type.into());
            info.extend(encoding.map(|encoding| (Name::from("encoding"), encoding.into())));
            Ok(declared("File", Value::Bytes(content.into()), info))
        }
        _ => Err(format!("'{kind}' cannot be sent as a file; Bytes and File can")),
    }
}

fn whole(value: &Json, least: i64, most: i64) -> Option<i64> {
    let number = match value {
        Json::Number(number) => number.as_i64(),
        Json::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    number.filter(|number| (least..=most).contains(number))
}

fn decoded(value: &Json) -> Option<Vec<u8>> {
    // Java's decoder passes over line breaks.
    let text: String = value.as_str()?.split_ascii_whitespace().collect();
    STANDARD.decode(text).ok()
}

const KINDS: [(&str, &str); 13] = [
    ("null", "Null"),
    ("boolean", "Boolean"),
    ("short", "Short"),
    ("integer", "Integer"),
    ("long", "Long"),
    ("double", "Double"),
    ("string", "String"),
    ("date", "Date"),
    ("bytes", "Bytes"),
    ("file", "File"),
    ("json", "Json"),
    ("xml", "Xml"),
    ("object", "Object"),
];

/// Whether there is such a type: its first letter may be small.
pub(crate) fn is_kind(kind: &str) -> bool {
    KINDS.iter().any(|(lower, name)| kind == *lower || kind == *name)
}

/// A type as it is shown.
pub(crate) fn canonical(lower: &str) -> &'static str {
    KINDS.iter().find(|(known, _)| *known == lower).map_or("Object", |(_, name)| name)
}

/// The word for a value's type.
pub(crate) fn kind(value: &Value) -> String {
    match value {
        Value::Null => "Null",
        Value::Boolean(_) => "Boolean",
        Value::Integer(number) if i32::try_from(*number).is_ok() => "Integer",
        Value::Integer(_) => "Long",
        Value::Number(_) => "Double",
        Value::String(_) | Value::Time(_) | Value::Duration(_) | Value::Date(_) => "String",
        Value::DateTime(_) => "Date",
        Value::Bytes(_) => "Bytes",
        Value::List(_) | Value::Map(_) => "Object",
        Value::Declared(declared) => return declared.type_name.to_string(),
    }
    .into()
}

/// A value as Camunda shows it. What is kept as text is shown as JSON if it is to be deserialised.
pub(crate) fn write(value: &Value, deserialise: bool) -> Json {
    let (shown, info) = match value {
        Value::List(_) => (value.to_json(), object("java.util.ArrayList")),
        Value::Map(_) => (value.to_json(), object("java.util.LinkedHashMap")),
        Value::Declared(declared) => of_declared(declared, deserialise),
        value => (plain(value), json!({})),
    };
    json!({"type": kind(value), "value": shown, "valueInfo": info})
}

/// A value as Camunda shows it among others: without bytes.
pub(crate) fn write_listed(value: &Value, deserialise: bool) -> Json {
    let mut shown = write(value, deserialise);
    if matches!(value, Value::Bytes(_)) {
        shown["value"] = Json::Null;
    }
    shown
}

fn object(class: &str) -> Json {
    json!({"objectTypeName": class, "serializationDataFormat": JAVA})
}

fn plain(value: &Value) -> Json {
    match value {
        Value::DateTime(moment) => match moment.timestamp(&Zone::UTC) {
            Ok(moment) => Json::String(date::date(moment)),
            Err(_) => Json::String(date::of_date(moment.local)),
        },
        Value::Number(number) => Number::from_f64(*number).map_or(Json::Null, Json::Number),
        value => value.to_json(),
    }
}

fn of_declared(declared: &Declared, deserialise: bool) -> (Json, Json) {
    let info: Map<String, Json> = declared
        .info
        .iter()
        .filter(|(key, _)| *key != TEXT)
        .map(|(key, value)| (key.to_string(), Json::from(&**value)))
        .collect();
    let text = declared.info.get(TEXT).map(|text| Json::from(&**text));
    let shown = match &*declared.type_name {
        "File" => Json::Null,
        "Object" if deserialise => plain(&declared.value),
        _ => text.unwrap_or_else(|| plain(&declared.value)),
    };
    (shown, Json::Object(info))
}

/// Variables as Camunda shows them.
pub(crate) fn map(variables: &[(Name, Value)], deserialise: bool) -> Json {
    Json::Object(variables.iter().map(|(name, value)| (name.to_string(), write(value, deserialise))).collect())
}

/// The bytes of a value that is binary, with their media type.
pub(crate) fn binary(value: &Value) -> Option<(String, Option<&Name>, Vec<u8>)> {
    let octets = "application/octet-stream";
    match value {
        Value::Bytes(bytes) => Some((octets.into(), None, bytes.to_vec())),
        Value::Declared(declared) => {
            let Value::Bytes(bytes) = &declared.value else { return None };
            let media_type = declared.info.get("mimeType").map_or(octets, |media_type| media_type);
            let media_type = match declared.info.get("encoding") {
                Some(encoding) => format!("{media_type};charset={encoding}"),
                None => media_type.to_owned(),
            };
            Some((media_type, declared.info.get("filename"), bytes.to_vec()))
        }
        _ => None,
    }
}

/// What a value is searched by.
pub(crate) fn searched(value: &Value) -> VariableValue {
    match value.plain() {
        Value::Null => VariableValue::Null,
        Value::Boolean(flag) => VariableValue::Boolean(*flag),
        #[expect(clippy::cast_precision_loss, reason = "numbers are searched by as floating point")]
        Value::Integer(number) => VariableValue::Number(*number as f64),
        Value::Number(number) => VariableValue::Number(*number),
        other => match other.to_json() {
            Json::String(text) => VariableValue::Text(text.into()),
            other => VariableValue::Text(other.to_string().into()),
        },
    }
}
