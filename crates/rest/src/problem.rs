//! Errors, as RFC 9457 has them: `application/problem+json`, with the engine's stable code.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::http::StatusCode;
use axum::http::header::{self, HeaderValue};
use axum::response::{IntoResponse, Response};
use potok::{Error, Fault, Name};
use potok_core::diagnostic::Diagnostic;
use potok_core::step::Rejection;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa::openapi::{ContentBuilder, Ref, RefOr, ResponseBuilder};

use crate::caller::Refuse;

/// Why a call is not done.
#[derive(Clone, Debug)]
pub(crate) struct Problem(Box<Said>);

/// Why a call was not done. Unless it says otherwise, nothing was changed.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub(crate) struct Said {
    /// A URI that stands for the kind of problem: `urn:potok:problem:` and the code.
    #[serde(rename = "type")]
    #[schema(examples("urn:potok:problem:task-unknown"))]
    uri: String,
    /// The status in words.
    title: String,
    /// The status.
    status: u16,
    /// The stable code, for programs.
    code: String,
    /// What is wrong and how to mend it, for people.
    detail: String,
    /// What is wrong with deployed files, where that is the problem.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    diagnostics: Vec<Finding>,
    /// All that is in the way, where there may be several things.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    problems: Vec<String>,
    /// Under this number the server's log says more.
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<String>,
    /// After so many seconds it may go.
    #[serde(skip)]
    after: Option<u64>,
    /// The cookie that is no longer good.
    #[serde(skip)]
    forgotten: Option<&'static str>,
}

/// Something that is wrong or unusual with a file.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Finding {
    /// The name of the file.
    pub(crate) file: String,
    /// The stable code: see docs/diagnostics.md.
    pub(crate) code: String,
    /// `error` or `warning`; only errors keep a file from being deployed.
    pub(crate) severity: Severity,
    /// The element's id.
    pub(crate) element: Option<String>,
    /// The line, from 1.
    pub(crate) line: u32,
    /// The column, from 1.
    pub(crate) column: u32,
    /// What is wrong.
    pub(crate) message: String,
    /// How to mend it.
    pub(crate) help: String,
}

/// How bad a finding is.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Severity {
    /// It can be deployed all the same.
    Warning,
    /// It cannot be deployed.
    Error,
}

impl Finding {
    /// What was found in a file.
    pub(crate) fn all(file: &Name, diagnostics: &[Diagnostic]) -> Vec<Self> {
        diagnostics.iter().map(|diagnostic| Self::of(file, diagnostic)).collect()
    }

    fn of(file: &Name, diagnostic: &Diagnostic) -> Self {
        Self {
            file: file.to_string(),
            code: diagnostic.code.to_string(),
            severity: match diagnostic.severity {
                potok_core::diagnostic::Severity::Warning => Severity::Warning,
                potok_core::diagnostic::Severity::Error => Severity::Error,
            },
            element: diagnostic.element.as_ref().map(ToString::to_string),
            line: diagnostic.line,
            column: diagnostic.column,
            message: diagnostic.message.to_string(),
            help: diagnostic.help.to_string(),
        }
    }
}

impl Problem {
    pub(crate) fn new(status: StatusCode, code: &str, detail: impl Into<String>) -> Self {
        Self(Box::new(Said {
            uri: format!("urn:potok:problem:{code}"),
            title: status.canonical_reason().unwrap_or("Error").into(),
            status: status.as_u16(),
            code: code.into(),
            detail: detail.into(),
            diagnostics: Vec::new(),
            problems: Vec::new(),
            reference: None,
            after: None,
            forgotten: None,
        }))
    }

    /// The request is none that makes sense.
    pub(crate) fn malformed(code: &str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, detail)
    }

    /// It may go in a second.
    pub(crate) fn again(self) -> Self {
        self.after(Duration::from_secs(1))
    }

    /// It may go after that, rounded up to seconds.
    pub(crate) fn after(mut self, wait: Duration) -> Self {
        self.0.after = Some(wait.as_secs() + u64::from(wait.subsec_nanos() > 0));
        self
    }

    /// That cookie is no longer good.
    pub(crate) fn forgetting(mut self, cookie: &'static str) -> Self {
        self.0.forgotten = Some(cookie);
        self
    }

    /// Something is wrong on our side: what exactly is nobody's business but the log's.
    pub(crate) fn internal(code: &str, error: &dyn std::fmt::Display) -> Self {
        let reference = reference();
        tracing::error!(reference, code, %error, "a request failed");
        let detail = format!("something is wrong with the server; its log says more under {reference}");
        let mut problem = Self::new(StatusCode::INTERNAL_SERVER_ERROR, code, detail);
        problem.0.reference = Some(reference);
        problem
    }
}

/// A number for the log, unlikely to be met twice.
fn reference() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let now = jiff::Timestamp::now().as_microsecond();
    format!("{now:x}-{:x}", COUNT.fetch_add(1, Ordering::Relaxed))
}

/// The one place that says which status stands for what.
fn status(fault: Fault) -> StatusCode {
    match fault {
        Fault::Invalid => StatusCode::UNPROCESSABLE_ENTITY,
        Fault::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Fault::Unknown => StatusCode::NOT_FOUND,
        Fault::Unauthenticated => StatusCode::UNAUTHORIZED,
        Fault::TooMany => StatusCode::TOO_MANY_REQUESTS,
        Fault::Forbidden => StatusCode::FORBIDDEN,
        Fault::Conflict => StatusCode::CONFLICT,
        Fault::Changed => StatusCode::PRECONDITION_FAILED,
        Fault::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        Fault::Uncertain => StatusCode::GATEWAY_TIMEOUT,
        Fault::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let (fault, code) = (error.fault(), error.code());
        // What a database says is for its administrator.
        match (&error, fault) {
            (_, Fault::Internal) => return Self::internal(code, &error),
            (Error::Store(_), Fault::Unavailable) => {
                tracing::warn!(code, %error, "the database cannot do it now");
                let detail = "the database cannot do it now; nothing was changed, try again";
                return Self::new(status(fault), code, detail).again();
            }
            _ => {}
        }
        let mut problem = Self::new(status(fault), code, error.to_string());
        match error {
            Error::Refused(refused) => {
                problem.0.diagnostics =
                    refused.iter().flat_map(|file| Finding::all(&file.file, &file.diagnostics)).collect();
            }
            Error::Rejected(Rejection::Migration(problems)) => {
                problem.0.problems = problems.iter().map(ToString::to_string).collect();
            }
            Error::TooManyAttempts { wait } => problem = problem.after(wait),
            _ if fault == Fault::Unavailable => problem = problem.again(),
            _ => {}
        }
        problem
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = serde_json::to_vec(&self.0).unwrap_or_default();
        self.head((status, [(header::CONTENT_TYPE, "application/problem+json")], body).into_response())
    }
}

impl Problem {
    /// The answer in another API's words.
    pub(crate) fn into_response_by(self, refuse: Refuse) -> Response {
        let status = StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        self.head(refuse(status, &self.0.code, &self.0.detail))
    }

    /// What stands in the head of each answer.
    fn head(&self, mut response: Response) -> Response {
        let status = response.status();
        if let Some(seconds) = self.0.after {
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        if let Some(cookie) = self.0.forgotten {
            response.headers_mut().insert(header::SET_COOKIE, crate::session::ended(cookie));
        }
        if status == StatusCode::UNAUTHORIZED {
            // Browsers ask for user and password then; programs may also give a token.
            let ways = "Basic realm=\"Potok\", charset=\"UTF-8\", Bearer realm=\"Potok\"";
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(ways));
        }
        response
    }
}

/// What all calls may answer instead.
pub(crate) struct Problems;

impl utoipa::IntoResponses for Problems {
    fn responses() -> std::collections::BTreeMap<String, RefOr<utoipa::openapi::Response>> {
        let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
        let response = ResponseBuilder::new()
            .description("Why it was not done")
            .content("application/problem+json", content)
            .build();
        [("default".into(), response.into())].into()
    }
}
