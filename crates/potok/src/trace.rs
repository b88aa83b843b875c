//! Traces: what belongs together of what several programs do, by W3C Trace Context.

use std::fmt;
use std::str::FromStr;

use potok_core::Name;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A place in a trace: what a `traceparent` header of [W3C Trace Context](https://www.w3.org/TR/trace-context/) says.
///
/// ```
/// use potok::TraceContext;
///
/// let trace: TraceContext = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".parse().unwrap();
/// assert!(trace.is_sampled());
/// assert_eq!(trace.to_string(), "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
/// assert!("00-0-0-01".parse::<TraceContext>().is_err());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TraceContext {
    trace: u128,
    span: u64,
    flags: u8,
}

/// That a text is no `traceparent`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a traceparent is `00-`, 32 hexadecimal digits, `-`, 16 of them, `-`, and two of them; ids are not zero")]
pub struct NoTraceContext;

impl TraceContext {
    /// The place of a span in a trace; none if one of both is 0, which stands for none.
    #[must_use]
    pub fn new(trace: u128, span: u64, is_sampled: bool) -> Option<Self> {
        (trace != 0 && span != 0).then_some(Self { trace, span, flags: u8::from(is_sampled) })
    }

    /// The trace.
    #[must_use]
    pub fn trace_id(self) -> u128 {
        self.trace
    }

    /// The span in it under which others stand that come of it.
    #[must_use]
    pub fn span_id(self) -> u64 {
        self.span
    }

    /// Whether those before have recorded it.
    #[must_use]
    pub fn is_sampled(self) -> bool {
        self.flags & 1 != 0
    }

    /// As rows have it.
    pub(crate) fn text(trace: Option<Self>) -> Option<Name> {
        trace.map(|trace| trace.to_string().into())
    }

    /// As rows had it.
    pub(crate) fn of_row(text: Option<&Name>) -> Option<Self> {
        text?.parse().ok()
    }
}

impl fmt::Display for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{:032x}-{:016x}-{:02x}", self.trace, self.span, self.flags)
    }
}

impl FromStr for TraceContext {
    type Err = NoTraceContext;

    /// Of versions to come, what the first one has of it is read (section 3.2.4 of the recommendation).
    fn from_str(text: &str) -> Result<Self, NoTraceContext> {
        let is_lower = |digits: &str| digits.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'));
        let mut parts = text.split('-');
        let mut part = |length: usize| {
            parts.next().filter(|digits| digits.len() == length && is_lower(digits)).ok_or(NoTraceContext)
        };
        let (version, trace, span, flags) = (part(2)?, part(32)?, part(16)?, part(2)?);
        if version == "ff" || (version == "00" && parts.next().is_some()) {
            return Err(NoTraceContext);
        }
        let trace = u128::from_str_radix(trace, 16).map_err(|_| NoTraceContext)?;
        let span = u64::from_str_radix(span, 16).map_err(|_| NoTraceContext)?;
        let flags = u8::from_str_radix(flags, 16).map_err(|_| NoTraceContext)?;
        Self::new(trace, span, flags & 1 != 0).ok_or(NoTraceContext)
    }
}

impl Serialize for TraceContext {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for TraceContext {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::TraceContext;

    #[test]
    fn what_is_no_traceparent_is_refused() {
        let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
        for (text, is_right) in [
            (format!("00-{trace}-00f067aa0ba902b7-00"), true),
            (format!("cc-{trace}-00f067aa0ba902b7-01-what-will-come"), true),
            (format!("00-{trace}-00f067aa0ba902b7-01-more"), false),
            (format!("ff-{trace}-00f067aa0ba902b7-01"), false),
            (format!("00-{}-00f067aa0ba902b7-01", trace.to_uppercase()), false),
            (format!("00-{}-00f067aa0ba902b7-01", "0".repeat(32)), false),
            (format!("00-{trace}-0000000000000000-01"), false),
            (format!("00-{trace}-+0f067aa0ba902b7-01"), false),
            (format!("00-{trace}-00f067aa0ba902b7"), false),
            (String::new(), false),
        ] {
            assert_eq!(text.parse::<TraceContext>().is_ok(), is_right, "{text}");
        }
    }
}
