//! Requests told from each other in logs and traces: an id for each, and the trace that it is part of.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use axum::extract::{MatchedPath, Request};
use axum::http::header::{HeaderMap, HeaderName, HeaderValue};
use axum::response::Response;
use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt as _, TraceFlags, TraceId, TraceState};
use potok::{Engine, TraceContext};
use tracing::Span;
use tracing::field::Empty;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

/// The header that an id comes in, and goes back.
const ID: HeaderName = HeaderName::from_static("x-request-id");

/// The header that a caller's place in a trace comes in (W3C Trace Context §3.2).
const PARENT: HeaderName = HeaderName::from_static("traceparent");

/// Characters of an id at most.
const LIMIT: usize = 128;

/// What a request is part of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Part {
    trace: TraceContext,
    /// The caller has said so.
    is_callers: bool,
}

impl Part {
    /// The engine that acts within it. A caller who says nothing of traces goes on in those of the instances that are touched.
    pub(crate) fn engine(self, engine: &Engine) -> Engine {
        if self.is_callers { engine.traced(self.trace) } else { engine.or_traced(self.trace) }
    }
}

/// A request that is told from others.
pub(crate) struct Followed {
    id: HeaderValue,
    /// What it is answered within.
    pub(crate) span: Span,
    /// Whether somebody records spans.
    is_recorded: bool,
}

impl Followed {
    /// Gives a request an id, unless its caller has, and takes it into the caller's trace; what the engine does for it is part of that.
    pub(crate) fn begin(request: &mut Request) -> Self {
        let id = request.headers().get(ID).filter(|id| is_fit(id)).cloned().unwrap_or_else(new_id);
        let method = request.method().as_str();
        let route = request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str);
        let span = tracing::info_span!(
            "request",
            id = id.to_str().unwrap_or_default(),
            otel.name = %format_args!("{method} {route}"),
            otel.kind = "server",
            otel.status_code = Empty,
            http.request.method = method,
            http.route = route,
            http.response.status_code = Empty,
        );
        let parent = parent(request.headers());
        let own = within(&span, parent);
        if let Some(trace) = own.or(parent) {
            request.extensions_mut().insert(Part { trace, is_callers: parent.is_some() });
        }
        Self { id, span, is_recorded: own.is_some() }
    }

    /// Tells the answer's reader the id.
    pub(crate) fn end(self, response: &mut Response) {
        let Self { id, span, is_recorded } = self;
        let status = response.status();
        // In logs, how it was answered is said below.
        if is_recorded {
            span.record("http.response.status_code", status.as_u16());
            if status.is_server_error() {
                span.record("otel.status_code", "ERROR");
            }
        }
        tracing::debug!(parent: &span, status = status.as_u16(), "answered");
        response.headers_mut().insert(ID, id);
    }
}

/// Ids are for logs: short, and without what would look like something else there.
fn is_fit(id: &HeaderValue) -> bool {
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.:/+=".contains(byte);
    (1..=LIMIT).contains(&id.len()) && id.as_bytes().iter().all(is_plain)
}

/// An id that is no secret, and unlikely to be met twice.
fn new_id() -> HeaderValue {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_micros();
    // Long numbers take long to write.
    let now = u64::try_from(now).unwrap_or_default();
    let id = format!("{now:x}-{:x}", COUNT.fetch_add(1, Ordering::Relaxed));
    HeaderValue::try_from(id).unwrap_or_else(|_| HeaderValue::from_static("none"))
}

/// The caller's place in a trace. More than one says nothing.
fn parent(headers: &HeaderMap) -> Option<TraceContext> {
    let mut given = headers.get_all(PARENT).iter();
    let (Some(given), None) = (given.next(), given.next()) else { return None };
    given.to_str().ok()?.parse().ok()
}

/// The place in a trace of what is done within a span that stands under the caller's; none where nobody records spans.
fn within(span: &Span, parent: Option<TraceContext>) -> Option<TraceContext> {
    if let Some(parent) = parent {
        let remote = SpanContext::new(
            TraceId::from(parent.trace_id()),
            SpanId::from(parent.span_id()),
            TraceFlags::default().with_sampled(parent.is_sampled()),
            true,
            TraceState::NONE,
        );
        let context = opentelemetry::Context::new().with_remote_span_context(remote);
        // Without a layer that records spans there is nothing to set.
        let _ = span.set_parent(context);
    }
    let context = span.context();
    let own = context.span().span_context().clone();
    let (trace, id) = (u128::from_be_bytes(own.trace_id().to_bytes()), u64::from_be_bytes(own.span_id().to_bytes()));
    TraceContext::new(trace, id, own.is_sampled())
}
