//! What every answer tells browsers: not to guess, frame, cache or share what stands in it.

use axum::http::Response;
use axum::http::header::{self, HeaderMap, HeaderName, HeaderValue};

static HEADERS: [(HeaderName, HeaderValue); 5] = [
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin")),
    (
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(
            "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'",
        ),
    ),
    // What stands here is different each time, and nobody else's business.
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
];

/// What only matters to what can be shown as a page, which JSON cannot (OWASP REST Security Cheat Sheet, Security Headers).
static OF_PAGES: [(HeaderName, HeaderValue); 3] = [
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin")),
    (
        HeaderName::from_static("permissions-policy"),
        HeaderValue::from_static("camera=(), geolocation=(), microphone=()"),
    ),
];

/// Adds what an answer does not say itself; by TLS alone, that it always comes so.
pub(crate) fn complete<B>(mut response: Response<B>, is_secure: bool) -> Response<B> {
    let headers = response.headers_mut();
    let of_pages = if is_json(headers) { &OF_PAGES[..0] } else { &OF_PAGES[..] };
    headers.reserve(HEADERS.len() + of_pages.len() + 1);
    for (name, value) in HEADERS.iter().chain(of_pages) {
        headers.entry(name).or_insert_with(|| value.clone());
    }
    if is_secure {
        let year = HeaderValue::from_static("max-age=31536000");
        headers.entry(header::STRICT_TRANSPORT_SECURITY).or_insert(year);
    }
    response
}

fn is_json(headers: &HeaderMap) -> bool {
    headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind == "application/json")
}
