//! How large and how deep a value may be, so that nothing that walks it, not even dropping it, exhausts the stack.

use super::Value;

/// How many lists and maps may stand inside each other.
pub const MAXIMUM_DEPTH: usize = 128;

/// How many values one value may consist of, counting one that is shared as often as it is written out.
pub const MAXIMUM_PARTS: usize = 1_000_000;

/// How many bytes of text and binary data one value may hold, counted in the same way.
pub const MAXIMUM_BYTES: usize = 64 * 1024 * 1024;

/// How deep and how large a value may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ValueLimits {
    /// How many lists and maps may stand inside each other; [`MAXIMUM_DEPTH`] at most.
    pub depth: usize,
    /// How many bytes of text and binary data it may hold; [`MAXIMUM_BYTES`] at most.
    pub bytes: usize,
}

impl Default for ValueLimits {
    fn default() -> Self {
        Self { depth: MAXIMUM_DEPTH, bytes: MAXIMUM_BYTES }
    }
}

impl ValueLimits {
    /// Checks that a value keeps within them.
    ///
    /// # Errors
    /// If it is nested too deep or has too much in it.
    #[inline]
    pub fn check(self, value: &Value) -> Result<(), ValueError> {
        match value {
            Value::String(_) | Value::List(_) | Value::Map(_) | Value::Bytes(_) | Value::Declared(_) => {
                let Self { depth, bytes } = self;
                Room { depth, parts: MAXIMUM_PARTS, bytes, limits: self }.take(value)
            }
            _ => Ok(()),
        }
    }
}

/// Why a value is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ValueError {
    /// Too many lists and maps inside each other.
    #[error("the value is nested deeper than {limit} levels (flatten it, or keep it as text)")]
    TooDeep {
        /// How many there may be.
        limit: usize,
    },
    /// Too much in it.
    #[error(
        "the value has more than {MAXIMUM_PARTS} parts or {limit} bytes (keep it in a file or database, and only its key \
         here)"
    )]
    TooLarge {
        /// How many bytes it may have.
        limit: usize,
    },
}

impl ValueError {
    /// The stable code.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::TooDeep { .. } => "value-too-deep",
            Self::TooLarge { .. } => "value-too-large",
        }
    }
}

impl Value {
    /// Checks that it keeps within the limits. Whoever makes values out of values, as a mapping does that puts a
    /// variable into a list again and again, asks this before it keeps one.
    ///
    /// # Errors
    /// If it is nested too deep or has too much in it.
    #[inline]
    pub fn check(&self) -> Result<(), ValueError> {
        ValueLimits::default().check(self)
    }

    /// How many bytes it takes, counting what is shared as often as it is written out; those of a plain number or the like are not counted.
    pub(crate) fn bytes(&self) -> usize {
        let limits = ValueLimits { depth: usize::MAX, bytes: usize::MAX };
        let mut room = Room { depth: usize::MAX, parts: usize::MAX, bytes: usize::MAX, limits };
        match self {
            Self::String(text) => text.len(),
            Self::List(_) | Self::Map(_) | Self::Bytes(_) | Self::Declared(_) => match room.take(self) {
                Ok(()) => (usize::MAX - room.parts) * size_of::<Self>() + (usize::MAX - room.bytes),
                Err(_) => usize::MAX,
            },
            _ => 0,
        }
    }
}

/// What a value may still take.
struct Room {
    depth: usize,
    parts: usize,
    bytes: usize,
    /// What it was.
    limits: ValueLimits,
}

impl Room {
    fn too_large(&self) -> ValueError {
        ValueError::TooLarge { limit: self.limits.bytes }
    }

    /// Takes a value as it would be written out. It is never deeper in itself than the limit lets it.
    fn take(&mut self, value: &Value) -> Result<(), ValueError> {
        self.parts = self.parts.checked_sub(1).ok_or(self.too_large())?;
        match value {
            Value::String(text) => self.take_bytes(text.len()),
            Value::Bytes(bytes) => self.take_bytes(bytes.len()),
            Value::List(values) => self.inside(|room| values.iter().try_for_each(|value| room.take(value))),
            Value::Map(entries) => self.inside(|room| {
                entries.iter().try_for_each(|(name, value)| {
                    room.take_bytes(name.len())?;
                    room.take(value)
                })
            }),
            Value::Declared(declared) => self.inside(|room| {
                declared.info.iter().try_for_each(|(name, text)| room.take_bytes(name.len() + text.len()))?;
                room.take(&declared.value)
            }),
            _ => Ok(()),
        }
    }

    fn take_bytes(&mut self, bytes: usize) -> Result<(), ValueError> {
        self.bytes = self.bytes.checked_sub(bytes).ok_or(self.too_large())?;
        Ok(())
    }

    fn inside(&mut self, take: impl FnOnce(&mut Self) -> Result<(), ValueError>) -> Result<(), ValueError> {
        self.depth = self.depth.checked_sub(1).ok_or(ValueError::TooDeep { limit: self.limits.depth })?;
        take(self)?;
        self.depth += 1;
        Ok(())
    }
}
