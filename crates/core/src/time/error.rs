//! What can be wrong with a text or value that should mean a time.

/// A date, time, duration, cycle or zone that cannot be understood or computed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message} ({help})")]
pub struct TimeError {
    /// The stable code, e.g. `timer-cycle-invalid`.
    pub code: &'static str,
    /// What is wrong.
    pub message: String,
    /// How to mend it.
    pub help: String,
}

impl TimeError {
    pub(crate) fn new(code: &'static str, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { code, message: message.into(), help: help.into() }
    }

    /// The instant lies outside the years that can be computed with (-9999 to 9999).
    pub(crate) fn out_of_range(what: &str) -> Self {
        Self::new("time-out-of-range", format!("{what} lies beyond the year 9999"), "use a shorter time")
    }
}
