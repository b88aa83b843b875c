//! `Idempotency-Key`: a call that is sent again is done once, and gets the first answer.

use std::future::Future;

use axum::body::Body;
use axum::extract::Request;
use axum::http::Method;
use axum::http::header::{self, HeaderName};
use potok::{Engine, Error};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};
use utoipa::openapi::path::{ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{OpenApi, Required};

use crate::App;
use crate::body::{media_type, whole};
use crate::caller::{Caller, TENANT};
use crate::problem::Problem;

/// The header that it comes in.
pub(crate) const KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// Characters of a key at most.
const LIMIT: usize = 255;

/// A key, and what it stands for.
#[derive(Clone, Debug)]
pub(crate) struct Once {
    key: String,
    request: String,
}

/// Reads the key of a call that changes something, and tells its request from others.
pub(crate) async fn read(app: &App, request: Request) -> Result<Request, Problem> {
    let key = request.headers().get(KEY);
    let key = key.filter(|_| !matches!(*request.method(), Method::GET | Method::HEAD));
    match key.map(|key| key.to_str().unwrap_or_default().to_owned()) {
        // Few calls have one: what tells requests from others makes no room in the others.
        Some(key) => Box::pin(marked(app, request, key)).await,
        None => Ok(request),
    }
}

/// The request with its key, and what the key stands for.
async fn marked(app: &App, mut request: Request, key: String) -> Result<Request, Problem> {
    if key.is_empty() || key.len() > LIMIT {
        let detail =
            format!("an idempotency key has 1 to {LIMIT} ASCII characters: best a random UUID for each request");
        return Err(Problem::malformed("idempotency-key-invalid", detail));
    }
    let mut hash = Sha256::new();
    hash.update(request.method().as_str());
    hash.update(request.uri().path_and_query().map_or("", |path| path.as_str()));
    if let Some(tenant) = request.headers().get(TENANT) {
        hash.update(tenant.as_bytes());
    }
    request.headers().get_all(header::IF_MATCH).iter().for_each(|tags| hash.update(tags.as_bytes()));
    // Files are not read twice: name, place and key tell them.
    if media_type(request.headers()).eq_ignore_ascii_case("application/json") {
        let (parts, body) = request.into_parts();
        let bytes = whole(Request::from_parts(parts.clone(), body), app).await?;
        hash.update(&bytes);
        request = Request::from_parts(parts, Body::from(bytes));
    }
    let request_hash = hex(&hash.finalize());
    request.extensions_mut().insert(Once { key, request: request_hash });
    Ok(request)
}

/// What changes nothing though it is asked for by a body, apart from all `search...`; and what keeps no answer: secrets, and jobs, which are
/// handed out again.
const TAKE_NONE: [&str; 12] = [
    "askSavedSearch",
    "changePassword",
    "check",
    "evaluateDecision",
    "exportHistory",
    "fetchJobs",
    "getFinishedElements",
    "planMigration",
    "setPassword",
    "setUp",
    "signIn",
    "signOut",
];

/// Says of all operations that take a key that they do.
pub(crate) fn describe(description: &mut OpenApi) {
    // Blanks around it are not part of a header's value (RFC 9110 §5.5).
    let text = ObjectBuilder::new().schema_type(Type::String).pattern(Some(r"^[!-~][\t -~]*$"));
    let schema = text.min_length(Some(1)).max_length(Some(LIMIT)).build();
    let header = ParameterBuilder::new()
        .name(KEY.as_str())
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some("Best a random UUID: sent again with it within a day, the call is done once and answered as the first time."))
        .schema(Some(schema))
        .build();
    for path in description.paths.paths.values_mut() {
        for operation in [&mut path.post, &mut path.put, &mut path.patch, &mut path.delete].into_iter().flatten() {
            let id = operation.operation_id.as_deref().unwrap_or_default();
            if !id.starts_with("search") && !TAKE_NONE.contains(&id) {
                operation.parameters.get_or_insert_default().push(header.clone().into());
            }
        }
    }
}

/// Bytes as hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Caller {
    /// Does what changes something: once, if the caller has given a key. `action` gives what the engine gives it.
    pub(crate) async fn once<T, F>(&self, action: impl FnOnce(Engine) -> F) -> Result<T, Problem>
    where
        T: Serialize + DeserializeOwned,
        F: Future<Output = Result<T, Error>>,
    {
        let done = match &self.once {
            Some(Once { key, request }) => self.engine.once(key.as_str(), request.as_str(), action).await,
            None => action(self.engine.clone()).await,
        };
        Ok(done?)
    }
}
