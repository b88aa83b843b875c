//! `/healthz` and `/readyz`: whether the server runs, and whether it can do anything.

use axum::extract::State;
use axum::http::StatusCode;
use potok::query::{DeploymentQuery, Paging};

use crate::App;
use crate::problem::{Problem, Problems};
use crate::routes::{Routes, routes};

pub(crate) fn routes() -> Routes {
    Routes::new().routes(routes!(healthy)).routes(routes!(ready))
}

/// Whether the server runs
#[utoipa::path(get, path = "/healthz", tag = "operations", operation_id = "isHealthy", security(()),
    responses((status = 204, description = "It runs"), Problems))]
async fn healthy() -> StatusCode {
    StatusCode::NO_CONTENT
}

/// Whether the server can do anything: it reaches its database
#[utoipa::path(get, path = "/readyz", tag = "operations", operation_id = "isReady", security(()),
    responses((status = 204, description = "It can"), Problems))]
async fn ready(State(app): State<App>) -> Result<StatusCode, Problem> {
    let one = Paging { limit: Some(1), ..Paging::default() };
    app.engine.search(&DeploymentQuery { page: one, ..DeploymentQuery::default() }).await?;
    Ok(StatusCode::NO_CONTENT)
}
