//! The REST APIs that programs for other engines speak already, over an [`Engine`].
//!
//! Each face translates names, types and codes, and does nothing that the engine does not: what is asked of one through a face is the
//! same as if it were asked for directly.

mod acting;
pub mod camunda7;
pub mod flowable;

use axum::Router;
use potok::Engine;

/// All faces, each under the path where its programs look for it: `/engine-rest` and `/external-job-api`.
pub fn router(engine: Engine) -> Router {
    Router::new()
        .nest("/engine-rest", camunda7::router(engine.clone()))
        .nest("/external-job-api", flowable::router(engine))
}
