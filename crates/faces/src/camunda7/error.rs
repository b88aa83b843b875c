//! Errors: `{type, message, code}`, with the statuses and types that Camunda 7 gives.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use potok::{Error, RefusedFile};
use potok_core::diagnostic::{Diagnostic, Severity};
use serde_json::{Value as Json, json};

/// Why something was not done.
#[derive(Clone, Debug)]
pub(crate) struct Fault {
    status: StatusCode,
    kind: &'static str,
    message: String,
    /// Null if the REST layer refuses, 0 if the engine does.
    code: Option<i32>,
    /// What else is said, and under which name.
    more: Option<(&'static str, Json)>,
}

impl Fault {
    fn rest(status: StatusCode, kind: &'static str, message: impl Into<String>) -> Self {
        Self { status, kind, message: message.into(), code: None, more: None }
    }

    fn engine(status: StatusCode, kind: &'static str, message: impl Into<String>) -> Self {
        Self { code: Some(0), ..Self::rest(status, kind, message) }
    }

    /// What the caller sent cannot be understood.
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::rest(StatusCode::BAD_REQUEST, "InvalidRequestException", message)
    }

    /// The same, where Camunda takes it for its own trouble.
    pub(crate) fn broken(message: impl Into<String>) -> Self {
        Self::broken_as("InvalidRequestException", message)
    }

    /// The same, in another word.
    pub(crate) fn broken_as(kind: &'static str, message: impl Into<String>) -> Self {
        Self::rest(StatusCode::INTERNAL_SERVER_ERROR, kind, message)
    }

    /// Nothing stands under that id, and the engine says so.
    pub(crate) fn missing_in_engine(message: impl Into<String>) -> Self {
        Self::engine(StatusCode::NOT_FOUND, "InvalidRequestException", message)
    }

    /// Nothing stands under that id.
    pub(crate) fn missing(message: impl Into<String>) -> Self {
        Self::rest(StatusCode::NOT_FOUND, "InvalidRequestException", message)
    }

    /// The engine refuses, and the REST layer has a status of its own for that.
    pub(crate) fn refused(status: StatusCode, message: impl Into<String>) -> Self {
        Self::engine(status, "RestException", message)
    }

    /// What the engine says where the REST layer puts it into words of its own. That whoever asks may not is said as everywhere.
    pub(crate) fn in_words(error: Error, words: impl FnOnce(&Error) -> String) -> Self {
        match error.fault() {
            potok::Fault::Forbidden => error.into(),
            _ => Self::refused(StatusCode::INTERNAL_SERVER_ERROR, words(&error)),
        }
    }

    /// The REST layer refuses by itself, in its other word.
    pub(crate) fn refused_by_rest(status: StatusCode, message: impl Into<String>) -> Self {
        Self::rest(status, "RestException", message)
    }

    /// The REST layer's other word for what it cannot understand.
    pub(crate) fn unsupported(message: impl Into<String>) -> Self {
        Self::rest(StatusCode::BAD_REQUEST, "RestException", message)
    }

    /// The REST layer does not let it happen.
    pub(crate) fn refused_as(status: StatusCode, message: impl Into<String>) -> Self {
        Self::rest(status, "InvalidRequestException", message)
    }

    /// Whoever asks may not.
    pub(crate) fn forbidden(message: impl Into<String>) -> Self {
        Self::engine(StatusCode::FORBIDDEN, "AuthorizationException", message)
    }

    /// The engine refuses, in Camunda's most general word.
    pub(crate) fn failed(message: impl Into<String>) -> Self {
        Self::engine(StatusCode::INTERNAL_SERVER_ERROR, "ProcessEngineException", message)
    }

    /// The same, where Camunda's REST layer passes on what its engine says of the request.
    pub(crate) fn failed_as(kind: &'static str, message: impl Into<String>) -> Self {
        Self::engine(StatusCode::INTERNAL_SERVER_ERROR, kind, message)
    }

    /// The engine refuses the request itself.
    pub(crate) fn bad_request_of(kind: &'static str, message: impl Into<String>) -> Self {
        Self::engine(StatusCode::BAD_REQUEST, kind, message)
    }

    /// Something stands in a query string that is no number.
    pub(crate) fn no_number(name: &str, value: &str) -> Self {
        let message = format!("Query parameter '{name}' must be a number, and is '{value}'");
        Self::rest(StatusCode::NOT_FOUND, "QueryParamException", message)
    }

    /// The same, and more of it.
    pub(crate) fn with(self, name: &'static str, more: Json) -> Self {
        Self { more: Some((name, more)), ..self }
    }

    /// What is wrong, in words.
    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    /// There is no such route.
    pub(crate) fn unknown_route() -> Self {
        Self::rest(StatusCode::NOT_FOUND, "NotFoundException", "HTTP 404 Not Found")
    }

    /// There is such a route, but not for this method.
    pub(crate) fn wrong_method() -> Self {
        Self::rest(StatusCode::METHOD_NOT_ALLOWED, "NotAllowedException", "HTTP 405 Method Not Allowed")
    }

    /// What would be answered is of no kind that the caller takes.
    pub(crate) fn not_acceptable() -> Self {
        Self::rest(StatusCode::NOT_ACCEPTABLE, "NotAcceptableException", "HTTP 406 Not Acceptable")
    }

    /// The body is of a kind that is not understood here.
    pub(crate) fn wrong_media_type() -> Self {
        let message = "HTTP 415 Unsupported Media Type";
        Self::rest(StatusCode::UNSUPPORTED_MEDIA_TYPE, "NotSupportedException", message)
    }

    /// Camunda 7 has it, and this does not.
    pub(crate) fn not_offered(what: &str) -> Self {
        let message = format!("{what} is not offered by Potok; see docs/camunda7.md");
        Self::rest(StatusCode::NOT_IMPLEMENTED, "NotImplementedException", message)
    }
}

/// What the engine says where a route has no words of its own for it.
impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        let message = error.to_string();
        match error {
            Error::Refused(refused) => {
                let of = |file: &RefusedFile, severity| {
                    let findings = file.diagnostics.iter().filter(move |finding| finding.severity == severity);
                    findings.map(problem).collect::<Vec<_>>()
                };
                let told = |file: &RefusedFile| {
                    let told = json!({"errors": of(file, Severity::Error), "warnings": of(file, Severity::Warning)});
                    (file.file.to_string(), told)
                };
                let details = Json::Object(refused.iter().map(told).collect());
                // Programs look for Camunda's own codes in its messages.
                let own = refused.iter().flat_map(|file| &file.diagnostics).find_map(own_words);
                let message = format!("{}{message}", own.map(|words| format!("{words}: ")).unwrap_or_default());
                Self::engine(StatusCode::BAD_REQUEST, "ParseException", message).with("details", details)
            }
            Error::Variable { .. } | Error::NoVariables | Error::UnfitPassword { .. } | Error::TenantNeeded => {
                Self::invalid(message)
            }
            Error::LastAdministrator | Error::LastTenant(_) => Self::bad_request_of("BadUserRequestException", message),
            Error::TaskClaimed { .. } => Self::failed_as("TaskAlreadyClaimedException", message),
            Error::Forbidden { .. } | Error::ForeignTenant(_) => Self::forbidden(message),
            Error::Contended(_) | Error::Store(_) | Error::Stopped | Error::OutcomeUnknown => {
                tracing::warn!(%message, "a call failed");
                Self::failed(message)
            }
            _ => Self::failed(message),
        }
    }
}

/// What Camunda says of a finding, where it has a code of its own for what is an error here.
fn own_words(finding: &Diagnostic) -> Option<&'static str> {
    let is_endless = finding.severity == Severity::Error && finding.code == "history-without-end";
    is_endless.then_some("ENGINE-12018 History Time To Live (TTL) cannot be null")
}

/// A finding in a model. Camunda writes the first letter of `еlementIds` in Cyrillic.
fn problem(finding: &Diagnostic) -> Json {
    let element = finding.element.as_deref();
    json!({
        "message": own_words(finding).map_or_else(|| finding.to_string(), |words| format!("{words}: {finding}")),
        "line": finding.line,
        "column": finding.column,
        "mainElementId": element,
        "\u{435}lementIds": element.into_iter().collect::<Vec<_>>(),
    })
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        let mut body = json!({"type": self.kind, "message": self.message, "code": self.code});
        if let Some((name, more)) = self.more {
            body[name] = more;
        }
        (self.status, [(header::CONTENT_TYPE, "application/json")], body.to_string()).into_response()
    }
}
