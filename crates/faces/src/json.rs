//! JSON as an answer.

use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde_json::Value as Json;

/// 200 with JSON.
pub(crate) fn answer(body: &Json) -> Response {
    // Not by `Display`, which takes twice as long. A value can always be written, for its keys are text.
    let text = serde_json::to_string(body).unwrap_or_default();
    ([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], text).into_response()
}
