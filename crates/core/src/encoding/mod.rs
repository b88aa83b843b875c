//! Events and instances as bytes, for a log and its snapshots: compact, with a format number, and read without trust.
//!
//! What is written is declared beside nothing but its number or place, in `event.rs`, `wait.rs`, `instance.rs` and
//! `value.rs`; the order in which Rust declares variants and fields does not matter. Numbers are never used again. Who
//! changes what is written raises [`FORMAT`] and goes on reading what older formats wrote; `golden.txt` holds the
//! bytes of one of each kind, `golden_1.txt` and so on those that were written otherwise before.
//!
//! Small numbers are short (LEB128, signed ones zigzag), and numbers within an instance are written plus one, so that
//! [`NONE`](crate::instance::NONE) is a zero byte. A length is believed only as far as there are bytes for it, values are
//! nested no deeper than [`MAXIMUM_DEPTH`](crate::value::MAXIMUM_DEPTH): damaged bytes cost neither memory nor stack.

mod declare;
mod event;
mod instance;
mod plain;
mod read;
#[cfg(test)]
mod tests;
mod value;
mod wait;

use crate::instance::Instance;
use crate::routing::{Message, Noted, StartTimer, TimedStart};
use crate::step::{Events, ThrownSignal};
use declare::Coded;
use read::Reader;

/// The format that is written: the first byte.
pub const FORMAT: u8 = 3;

/// Why bytes are no events or no instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// A newer version of this program wrote them.
    #[error("the bytes are in format {0}, this program reads up to {FORMAT} (use a newer version of the program)")]
    NewerFormat(u8),
    /// They are not as they were written.
    #[error("the bytes are damaged: at {at} of {length} {found} (restore them from a backup)")]
    Damaged {
        /// How many bytes could be read.
        at: usize,
        /// How many there are.
        length: usize,
        /// What is wrong there.
        found: &'static str,
    },
}

impl DecodeError {
    /// The stable code.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::NewerFormat(_) => "encoding-newer-format",
            Self::Damaged { .. } => "encoding-damaged",
        }
    }
}

impl Events {
    /// The events as bytes, one row of a log.
    ///
    /// ```
    /// use potok_core::step::{Event, Events};
    ///
    /// let mut events = Events::new();
    /// events.list.push(Event::InstanceCompleted);
    /// let bytes = events.encode();
    /// assert_eq!(Events::decode(&bytes)?, events);
    /// assert_eq!(Events::decode(&bytes[..3]).map_err(|error| error.code()), Err("encoding-damaged"));
    /// # Ok::<(), potok_core::encoding::DecodeError>(())
    /// ```
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        encode(self)
    }

    /// The events that [`encode`](Self::encode) wrote.
    ///
    /// # Errors
    /// If a newer version wrote them, or the bytes are damaged.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        decode(bytes)
    }
}

impl Instance {
    /// The instance as bytes, a snapshot.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        encode(self)
    }

    /// The instance that [`encode`](Self::encode) wrote.
    ///
    /// # Errors
    /// If a newer version wrote it, or the bytes are damaged.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        decode(bytes)
    }
}

/// What waits in a database outside any log, as bytes of the same format.
macro_rules! kept {
    ($($type:ident),+ $(,)?) => {
        $(impl $type {
            /// It as bytes, to be kept in a database.
            #[must_use]
            pub fn encode(&self) -> Vec<u8> {
                encode(self)
            }

            /// What [`encode`](Self::encode) wrote.
            ///
            /// # Errors
            /// If a newer version wrote it, or the bytes are damaged.
            pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
                decode(bytes)
            }
        })+
    };
}
kept!(Message, Noted, StartTimer, ThrownSignal, TimedStart);

fn encode<T: Coded>(what: &T) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(128);
    bytes.push(FORMAT);
    what.write(&mut bytes);
    bytes
}

fn decode<T: Coded>(bytes: &[u8]) -> Result<T, DecodeError> {
    let mut reader = Reader::new(bytes);
    match reader.byte()? {
        0 => return Err(reader.damaged("there is no such format")),
        format @ ..=FORMAT => reader.format = format,
        newer => return Err(DecodeError::NewerFormat(newer)),
    }
    let what = T::read(&mut reader)?;
    if reader.left() > 0 {
        return Err(reader.damaged("more follows than there should"));
    }
    Ok(what)
}
