//! Requests taken apart: bodies, paths and queries, with a problem for each way to get them wrong.

use std::fmt;
use std::marker::PhantomData;

use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, FromRequestParts, Request, rejection::BytesRejection};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeOwned, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use crate::pace::TooSlow;
use crate::problem::Problem;

/// A JSON body, both ways.
pub(crate) struct Json<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        // Nothing else: a form or plain text is what pages elsewhere can send without being asked.
        if !media_type(request.headers()).eq_ignore_ascii_case("application/json") {
            let detail = "the body must be JSON: send `Content-Type: application/json`";
            return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "body-not-json", detail));
        }
        let bytes = whole(request, state).await?;
        let Object(value) = serde_json::from_slice(&bytes).map_err(|_| invalid::<T>(&bytes))?;
        Ok(Self(value))
    }
}

/// What is wrong with a body that could not be read, and where. Most can: whoever reads them does not keep account of where it stands.
fn invalid<T: DeserializeOwned>(bytes: &[u8]) -> Problem {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let read = serde_path_to_error::deserialize::<_, Object<T>>(&mut deserializer);
    let (path, error) = match read.map(|_| deserializer.end()) {
        Err(error) => (error.path().to_string(), error.into_inner()),
        Ok(Err(error)) => (".".to_owned(), error),
        Ok(Ok(())) => return Problem::internal("internal", &"a body can be read the second time only"),
    };
    match error.classify() {
        serde_json::error::Category::Data if path != "." => {
            Problem::malformed("body-invalid", format!("`{path}`: {error}"))
        }
        serde_json::error::Category::Data => Problem::malformed("body-invalid", error.to_string()),
        _ => Problem::malformed("body-malformed", format!("the body is no JSON: {error}")),
    }
}

/// A JSON object, and nothing but one: serde takes its members from a list, too, in their order.
pub(crate) struct Object<T>(pub(crate) T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Members<T> {
            type Value = T;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<T, A::Error> {
                T::deserialize(MapAccessDeserializer::new(members))
            }
        }

        deserializer.deserialize_map(Members(PhantomData)).map(Self)
    }
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        match serde_json::to_vec(&self.0) {
            // The body by itself: bytes would be given a type of their own first.
            Ok(body) => ([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], Body::from(body))
                .into_response(),
            Err(error) => Problem::internal("answer-unwritable", &error).into_response(),
        }
    }
}

/// The media type of a body, without its parameters; empty if there is none.
pub(crate) fn media_type(headers: &HeaderMap) -> &str {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    kind.split(';').next().unwrap_or_default().trim()
}

/// The bytes of a body, as far as it is not too large.
pub(crate) async fn whole<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, Problem> {
    Bytes::from_request(request, state).await.map_err(|rejection| match rejection {
        BytesRejection::FailedToBufferBody(error) if error.status() == StatusCode::PAYLOAD_TOO_LARGE => too_large(),
        rejection if TooSlow::is_behind(&rejection) => {
            let detail = "the body came too slowly, so that its sender was taken for one that had gone";
            Problem::new(StatusCode::REQUEST_TIMEOUT, "body-too-slow", detail)
        }
        _ => Problem::malformed("body-incomplete", "the body did not arrive whole"),
    })
}

pub(crate) fn too_large() -> Problem {
    let detail =
        "the body is larger than this server takes; attach large files, and raise `body-limit` for large models";
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "body-too-large", detail)
}

/// What stands in a path.
pub(crate) struct Path<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match axum::extract::Path::from_request_parts(parts, state).await {
            Ok(axum::extract::Path(value)) => Ok(Self(value)),
            Err(rejection) => Err(Problem::malformed("path-invalid", rejection.body_text())),
        }
    }
}

/// What stands behind a path's question mark.
pub(crate) struct Query<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match axum::extract::Query::from_request_parts(parts, state).await {
            Ok(axum::extract::Query(value)) => Ok(Self(value)),
            Err(rejection) => Err(Problem::malformed("query-invalid", rejection.body_text())),
        }
    }
}
