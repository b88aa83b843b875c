//! The engine that acts for whoever sends a request.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use potok::Engine;

/// The engine that whoever lets requests in has put to them, as their caller may use it; without one, the router's own. As in the engines
/// whose APIs these are, what cannot go on is not done at all.
pub(crate) struct Acting(pub(crate) Engine);

impl FromRequestParts<Engine> for Acting {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, engine: &Engine) -> Result<Self, Infallible> {
        Ok(Self(parts.extensions.get::<Engine>().unwrap_or(engine).without_incidents()))
    }
}
