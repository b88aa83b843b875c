//! `/api/v1/openapi.json`: what the API says of itself. It is made when somebody asks for it first: a server that is asked only to work need
//! not keep it in memory.

use std::sync::OnceLock;

use axum::body::Bytes;
use axum::http::header;
use axum::response::{IntoResponse, Response};

use crate::problem::{Problem, Problems};
use crate::routes::{Routes, routes};

static DESCRIPTION: OnceLock<Bytes> = OnceLock::new();

pub(crate) fn routes() -> Routes {
    Routes::new().routes(routes!(description))
}

/// This description
#[utoipa::path(get, path = "/openapi.json", tag = "operations", operation_id = "getDescription",
    security(()),
    responses((status = 200, body = serde_json::Value, description = "The API, as OpenAPI 3.1 has it"), Problems))]
async fn description() -> Result<Response, Problem> {
    let bytes = match DESCRIPTION.get() {
        Some(bytes) => bytes.clone(),
        None => {
            let made = crate::openapi().to_json().map_err(|error| Problem::internal("answer-unwritable", &error))?;
            DESCRIPTION.get_or_init(|| made.into()).clone()
        }
    };
    Ok(([(header::CONTENT_TYPE, "application/json")], bytes).into_response())
}
