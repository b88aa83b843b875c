//! Answers. Their content type is exactly `application/json`: with a charset behind it Camunda's JavaScript client takes the body for bytes.

use std::cmp::Ordering;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use potok::Name;
use serde_json::{Value as Json, json};

use super::error::Fault;
use super::fields::Fields;
use super::value;
pub(crate) use crate::json::answer as json;

/// What a route gives.
pub(crate) type Answer = Result<Response, Fault>;

/// 204.
pub(crate) fn nothing() -> Response {
    StatusCode::NO_CONTENT.into_response()
}

/// `{"count": 7}`.
pub(crate) fn count(count: u64) -> Response {
    json(&json!({"count": count}))
}

/// 200 with plain text.
pub(crate) fn text(text: String) -> Response {
    ([(header::CONTENT_TYPE, "text/plain")], text).into_response()
}

/// 200 with bytes. Somebody has left them here under a type of their choice: a browser that shows them takes them for a page of nobody's.
pub(crate) fn bytes(media_type: &str, bytes: Vec<u8>) -> Response {
    let alone = HeaderValue::from_static("sandbox; default-src 'none'");
    let mut response = ([(header::CONTENT_TYPE, media_type.to_owned())], bytes).into_response();
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, alone);
    response
}

/// 200 with a file to be saved under its name: as it is for readers of Latin-1, and as RFC 8187 writes it for all others.
pub(crate) fn file(media_type: &str, content: Vec<u8>, name: &str) -> Response {
    let mut response = bytes(media_type, content);
    let mut disposition = b"attachment; filename=\"".to_vec();
    disposition.extend(name.chars().map(|character| match character {
        '"' => b'\'',
        '\\' => b'_',
        other if other.is_control() => b'_',
        other => u8::try_from(other).unwrap_or(b'?'),
    }));
    disposition.extend(b"\"; filename*=UTF-8''");
    for byte in name.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'-' | b'_' | b'*' => disposition.push(byte),
            other => disposition.extend(format!("%{other:02X}").into_bytes()),
        }
    }
    if let Ok(disposition) = HeaderValue::from_bytes(&disposition) {
        response.headers_mut().insert(header::CONTENT_DISPOSITION, disposition);
    }
    response
}

/// What a list is sorted by.
pub(crate) struct By {
    pub(crate) name: String,
    /// Whether the last comes first.
    pub(crate) descending: bool,
    /// Which variable, where it is one.
    pub(crate) variable: Option<Variable>,
}

/// A variable that a list is sorted by, as far as its values are of one type.
pub(crate) struct Variable {
    pub(crate) name: Name,
    pub(crate) kind: Name,
}

/// What a list is sorted by first, then, and so on.
pub(crate) type Order = Vec<By>;

/// `sortBy` and `sortOrder`, or a body's `sorting`, which may name variables, too.
pub(crate) fn order(fields: &Fields, known: &[&str], variables: &[&str]) -> Result<Order, Fault> {
    let one = |fields: &Fields| {
        let (by, direction) = (fields.text("sortBy")?, fields.text("sortOrder")?);
        match (by, direction) {
            (None, None) => Ok(None),
            (Some(by), Some(direction)) => {
                let is_variable = !fields.in_query() && variables.contains(&&*by);
                if !known.contains(&&*by) && !is_variable {
                    let message = format!("sortBy `{by}` is unknown; there are {}", known.join(", "));
                    let known_by_body = !fields.in_query();
                    return Err(if known_by_body {
                        Fault::bad_request_of("NotValidException", message)
                    } else {
                        Fault::invalid(message)
                    });
                }
                let descending = match &*direction {
                    "asc" => false,
                    "desc" => true,
                    other => return Err(Fault::invalid(format!("sortOrder must be asc or desc, and is `{other}`"))),
                };
                let variable = if is_variable { Some(variable(fields)?) } else { None };
                Ok(Some(By { name: by.to_string(), descending, variable }))
            }
            // In a body what it cannot be sorted by is passed over until it is said which way.
            (Some(by), None) if !fields.in_query() && !known.contains(&&*by) && !variables.contains(&&*by) => Ok(None),
            _ => {
                let message = "sortBy and sortOrder belong together: only one of them is given";
                Err(match fields.in_query() {
                    true => Fault::invalid(message),
                    false => Fault::bad_request_of("NotValidException", message),
                })
            }
        }
    };
    let mut order: Order = one(fields)?.into_iter().collect();
    for each in fields.objects("sorting")? {
        order.extend(one(&each)?);
    }
    Ok(order)
}

/// The variable that something is sorted by: `parameters` name it and its type.
fn variable(fields: &Fields) -> Result<Variable, Fault> {
    let parameters = Fields::of(&Json::Object(fields.map("parameters")?))?;
    let needed = |name: &str, word: &str| {
        let missing =
            || Fault::failed_as("NullValueException", format!("{word} is null: `parameters` must say `{name}`"));
        parameters.text(name)?.ok_or_else(missing)
    };
    let (name, kind) = (needed("variable", "variableName")?, needed("type", "valueType")?);
    let Some(kind) = value::is_kind(&kind).then(|| value::canonical(&kind.to_lowercase())) else {
        return Err(Fault::failed_as("NullValueException", format!("valueType is null: there is no type `{kind}`")));
    };
    match kind {
        "Bytes" | "File" | "Json" | "Null" | "Object" | "Xml" => {
            Err(Fault::failed(format!("Cannot order by variables of type {}", kind.to_lowercase())))
        }
        kind => Ok(Variable { name, kind: kind.into() }),
    }
}

/// Sorts rows: `compare` says how two of them stand by a name.
pub(crate) fn sort<T>(rows: &mut [T], order: &Order, compare: impl Fn(&str, &T, &T) -> Ordering) {
    rows.sort_by(|left, right| in_order(order, |_, by| compare(&by.name, left, right)));
}

/// How two things stand by all that they are sorted by.
pub(crate) fn in_order(order: &Order, compare: impl Fn(usize, &By) -> Ordering) -> Ordering {
    let orderings = order.iter().enumerate().map(|(at, by)| {
        let ordering = compare(at, by);
        if by.descending { ordering.reverse() } else { ordering }
    });
    orderings.fold(Ordering::Equal, Ordering::then)
}
