//! What every answer tells browsers: not to guess, frame, cache or share what stands in it.

use axum::http::Response;
use axum::http::header::{self, HeaderName, HeaderValue};

static HEADERS: [(HeaderName, HeaderValue); 8] = [
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin")),
    (HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin")),
    (
        HeaderName::from_static("permissions-policy"),
        HeaderValue::from_static("camera=(), geolocation=(), microphone=()"),
    ),
    (
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(
            "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'",
        ),
    ),
    // What stands here is different each time, and nobody else's business.
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
];

/// Adds what an answer does not say itself; by TLS alone, that it always comes so.
pub(crate) fn complete<B>(mut response: Response<B>, is_secure: bool) -> Response<B> {
    let headers = response.headers_mut();
    headers.reserve(HEADERS.len() + 1);
    for (name, value) in &HEADERS {
        headers.entry(name).or_insert_with(|| value.clone());
    }
    if is_secure {
        let year = HeaderValue::from_static("max-age=31536000");
        headers.entry(header::STRICT_TRANSPORT_SECURITY).or_insert(year);
    }
    response
}
