//! Answers. Their content type is exactly `application/json`: with a charset behind it Camunda's JavaScript client takes the body for bytes.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value as Json, json};

use super::error::Fault;
use super::fields::Fields;

/// What a route gives.
pub(crate) type Answer = Result<Response, Fault>;

/// 200 with JSON.
pub(crate) fn json(body: &Json) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], body.to_string()).into_response()
}

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

/// 200 with bytes.
pub(crate) fn bytes(media_type: &str, bytes: Vec<u8>) -> Response {
    ([(header::CONTENT_TYPE, media_type.to_owned())], bytes).into_response()
}

/// What a list is sorted by, and whether the last comes first.
pub(crate) type Order = Vec<(String, bool)>;

/// `sortBy` and `sortOrder`, or a body's `sorting`.
pub(crate) fn order(fields: &Fields, known: &[&str]) -> Result<Order, Fault> {
    let one = |fields: &Fields| {
        let (by, direction) = (fields.text("sortBy")?, fields.text("sortOrder")?);
        match (by, direction) {
            (None, None) => Ok(None),
            (Some(by), Some(direction)) => {
                if !known.contains(&&*by) {
                    let message = format!("sortBy `{by}` is unknown; there are {}", known.join(", "));
                    let known_by_body = !fields.in_query();
                    return Err(if known_by_body {
                        Fault::bad_request_of("NotValidException", message)
                    } else {
                        Fault::invalid(message)
                    });
                }
                match &*direction {
                    "asc" => Ok(Some((by.to_string(), false))),
                    "desc" => Ok(Some((by.to_string(), true))),
                    other => Err(Fault::invalid(format!("sortOrder must be asc or desc, and is `{other}`"))),
                }
            }
            _ => Err(Fault::invalid("sortBy and sortOrder belong together: only one of them is given")),
        }
    };
    let mut order: Order = one(fields)?.into_iter().collect();
    for each in fields.objects("sorting")? {
        order.extend(one(&each)?);
    }
    Ok(order)
}

/// Sorts rows: `compare` says how two of them stand by a name.
pub(crate) fn sort<T>(rows: &mut [T], order: &Order, compare: impl Fn(&str, &T, &T) -> std::cmp::Ordering) {
    rows.sort_by(|left, right| {
        let orderings = order.iter().map(|(by, descending)| {
            let ordering = compare(by, left, right);
            if *descending { ordering.reverse() } else { ordering }
        });
        orderings.fold(std::cmp::Ordering::Equal, std::cmp::Ordering::then)
    });
}
