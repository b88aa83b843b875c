//! `ETag` and `If-Match`: what is edited is edited as it was seen (RFC 9110 §8.8.3, §13.1.1). Whether it still is the engine asks, in the
//! unit of work that changes it: of two who have seen the same, one is refused.

use axum::extract::FromRequestParts;
use axum::http::header;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use sha2::{Digest, Sha256};
use utoipa::IntoParams;

use crate::body::Json;
use crate::once::hex;
use crate::problem::Problem;

/// What stands for how something is.
pub(crate) fn tag(of: &impl Serialize) -> String {
    let json = serde_json::to_vec(of).unwrap_or_default();
    format!("\"{}\"", &hex(&Sha256::digest(json))[..16])
}

/// An answer with the tag of what stands in it.
pub(crate) struct Tagged<T>(pub(crate) T);

impl<T: Serialize> IntoResponse for Tagged<T> {
    fn into_response(self) -> Response {
        ([(header::ETAG, tag(&self.0))], Json(self.0)).into_response()
    }
}

/// What the caller takes for how something is.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
pub(crate) struct Expected {
    /// The `ETag` of what is to be changed, as it was seen: if it is another by now, nothing is changed (412). `*` stands for whatever is
    /// there.
    #[param(rename = "if-match", value_type = Option<String>)]
    tags: Option<Vec<String>>,
}

impl<S: Sync> FromRequestParts<S> for Expected {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let mut tags = None;
        // Several lines are one list (RFC 9110 §5.3).
        for line in parts.headers.get_all(header::IF_MATCH) {
            let line = line.to_str().map_err(|_| {
                let detail = "`If-Match` names tags as they stood in `ETag`, or is `*`";
                Problem::malformed("if-match-unreadable", detail)
            })?;
            tags.get_or_insert_with(Vec::new).extend(line.split(',').map(|tag| tag.trim().to_owned()));
        }
        Ok(Self { tags })
    }
}

impl Expected {
    /// Whether that is how it is; `None` if it is not there.
    pub(crate) fn is<T: Serialize>(&self, now: impl FnOnce() -> Option<T>) -> bool {
        let Some(tags) = &self.tags else { return true };
        now().is_some_and(|now| {
            let tag = tag(&now);
            tags.iter().any(|expected| expected == "*" || *expected == tag)
        })
    }
}
