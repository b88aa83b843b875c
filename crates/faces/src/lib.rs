//! The REST APIs that programs for other engines speak already, over an [`Engine`].
//!
//! Each face translates names, types and codes, and does nothing that the engine does not: what is asked of one through a face is the
//! same as if it were asked for directly.

mod acting;
pub mod camunda7;
pub mod flowable;
mod json;

use axum::Router;
use axum::http::StatusCode;
use axum::response::Response;
use potok::Engine;

/// How a face says why a request is not let in: by status, a stable code, and what is wrong.
pub type Refuse = fn(StatusCode, &str, &str) -> Response;

/// All faces, each under the path where its programs look for it, `/engine-rest` and `/external-job-api`, and with its words for whoever is
/// not let in.
pub fn routers(engine: Engine) -> [(Router, Refuse); 2] {
    let camunda7 = Router::new().nest("/engine-rest", camunda7::router(engine.clone()));
    let flowable = Router::new().nest("/external-job-api", flowable::router(engine));
    [(camunda7, camunda7::refuse), (flowable, flowable::refuse)]
}
