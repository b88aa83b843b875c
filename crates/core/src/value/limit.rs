//! How large and how deep a value may be, so that nothing that walks it, not even dropping it, exhausts the stack.

use super::Value;

/// How many lists and maps may stand inside each other.
pub const MAXIMUM_DEPTH: usize = 128;

/// How many values one value may consist of, counting one that is shared as often as it is written out.
pub const MAXIMUM_PARTS: usize = 1_000_000;

/// Why a value is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ValueError {
    /// Too many lists and maps inside each other.
    #[error("the value is nested deeper than {MAXIMUM_DEPTH} levels (flatten it, or keep it as text)")]
    TooDeep,
    /// Too many values in it.
    #[error("the value has more than {MAXIMUM_PARTS} parts (keep it in a file or database, and only its key here)")]
    TooLarge,
}

impl ValueError {
    /// The stable code.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::TooDeep => "value-too-deep",
            Self::TooLarge => "value-too-large",
        }
    }
}

impl Value {
    /// Checks that it keeps within the limits. Whoever makes values out of values, as a script does that puts a
    /// variable into a list again and again, asks this before it keeps one.
    ///
    /// # Errors
    /// If it is nested too deep or has too many parts.
    pub fn check(&self) -> Result<(), ValueError> {
        let mut open = vec![(self, 0)];
        let mut parts = 0_usize;
        while let Some((value, depth)) = open.pop() {
            parts += 1;
            if depth > MAXIMUM_DEPTH {
                return Err(ValueError::TooDeep);
            }
            let inner = match value {
                Self::List(values) => values.len(),
                Self::Map(entries) => entries.len(),
                Self::Declared(_) => 1,
                _ => continue,
            };
            if inner.saturating_add(parts).saturating_add(open.len()) > MAXIMUM_PARTS {
                return Err(ValueError::TooLarge);
            }
            match value {
                Self::List(values) => open.extend(values.iter().map(|value| (value, depth + 1))),
                Self::Map(entries) => open.extend(entries.values().map(|value| (value, depth + 1))),
                Self::Declared(declared) => open.push((&declared.value, depth + 1)),
                _ => {}
            }
        }
        Ok(())
    }
}
