//! What one column of one row holds. There are no nulls: absent text is empty, an absent key is 0, an absent time is the
//! end of time, an absent number the least. So every column can be sorted and compared, and means the same in every database.

use std::cmp::Ordering;
use std::sync::Arc;

use potok_core::Name;
use potok_core::instance::Key;
use potok_core::step::DueType;
use potok_core::time::Timestamp;
use serde::{Deserialize, Serialize};

/// Bytes that are shared rather than copied.
pub type Bytes = Arc<[u8]>;

/// The value of one column.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Cell {
    Integer(i64),
    Real(f64),
    Text(Name),
    Bytes(Bytes),
}

/// The type of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Integer,
    Real,
    Text,
    Bytes,
}

/// The values of one row, in the order of its table's columns.
pub(crate) type Row = Vec<Cell>;

impl Ord for Cell {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Integer(left), Self::Integer(right)) => left.cmp(right),
            (Self::Real(left), Self::Real(right)) => left.total_cmp(right),
            (Self::Text(left), Self::Text(right)) => left.cmp(right),
            (Self::Bytes(left), Self::Bytes(right)) => left.cmp(right),
            _ => self.kind().cmp(&other.kind()),
        }
    }
}

impl PartialOrd for Cell {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Cell {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Cell {}

impl Cell {
    pub(crate) fn kind(&self) -> Kind {
        match self {
            Self::Integer(_) => Kind::Integer,
            Self::Real(_) => Kind::Real,
            Self::Text(_) => Kind::Text,
            Self::Bytes(_) => Kind::Bytes,
        }
    }

    /// Adds a number that tells the cell from others, for locks.
    pub(crate) fn mix(&self, hash: u64) -> u64 {
        let mix = |hash: u64, bytes: &[u8]| {
            // FNV-1a: stable across versions and nodes, which Rust's own hasher is not.
            bytes.iter().fold(hash, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
        };
        match self {
            Self::Integer(value) => mix(hash, &value.to_le_bytes()),
            Self::Real(value) => mix(hash, &value.to_le_bytes()),
            Self::Text(value) => mix(mix(hash, value.as_bytes()), &[0xff]),
            Self::Bytes(value) => mix(mix(hash, value), &[0xff]),
        }
    }
}

/// A Rust type that one column holds.
pub(crate) trait Field: Sized {
    const KIND: Kind;
    fn to_cell(&self) -> Cell;
    fn from_cell(cell: Cell) -> Option<Self>;
}

impl Field for i64 {
    const KIND: Kind = Kind::Integer;
    fn to_cell(&self) -> Cell {
        Cell::Integer(*self)
    }
    fn from_cell(cell: Cell) -> Option<Self> {
        match cell {
            Cell::Integer(value) => Some(value),
            _ => None,
        }
    }
}

/// Absent is the least there is.
impl Field for Option<i64> {
    const KIND: Kind = Kind::Integer;
    fn to_cell(&self) -> Cell {
        Cell::Integer(self.unwrap_or(i64::MIN))
    }
    fn from_cell(cell: Cell) -> Option<Self> {
        i64::from_cell(cell).map(|value| (value != i64::MIN).then_some(value))
    }
}

/// By number: the numbers are in databases, and never change.
impl Field for DueType {
    const KIND: Kind = Kind::Integer;
    fn to_cell(&self) -> Cell {
        Cell::Integer(match self {
            Self::Before => 0,
            Self::After => 1,
            Self::Timer => 2,
        })
    }
    fn from_cell(cell: Cell) -> Option<Self> {
        match i64::from_cell(cell)? {
            0 => Some(Self::Before),
            1 => Some(Self::After),
            2 => Some(Self::Timer),
            _ => None,
        }
    }
}

impl Field for u64 {
    const KIND: Kind = Kind::Integer;
    fn to_cell(&self) -> Cell {
        Cell::Integer(self.cast_signed())
    }
    fn from_cell(cell: Cell) -> Option<Self> {
        i64::from_cell(cell).map(i64::cast_unsigned)
    }
}

impl Field for u32 {
    const KIND: Kind = Kind::Integer;
    fn to_cell(&self) -> Cell {
        Cell::Integer(i64::from(*self))
    }
    fn from_cell(cell: Cell) -> Option<Self> {
        i64::from_cell(cell)?.try_into().ok()
    }
}

impl Field for bool {
    const KIND: Kind = Kind::Integer;
    fn to_cell(&self) -> Cell {
        Cell::Integer(i64::from(*self))
    }
    fn from_cell(cell: Cell) -> Option<Self> {
        i64::from_cell(cell).map(|value| value != 0)
    }
}

impl Field for f64 {
    const KIND: Kind = Kind::Real;
    fn to_cell(&self) -> Cell {
        Cell::Real(*self)
    }
    fn from_cell(cell: Cell) -> Option<Self> {
        match cell {
            Cell::Real(value) => Some(value),
            _ => None,
        }
    }
}

impl Field for Key {
    const KIND: Kind = Kind::Integer;
    fn to_cell(&self) -> Cell {
        u64::from(*self).to_cell()
    }
    fn from_cell(cell: Cell) -> Option<Self> {
        u64::from_cell(cell).map(Key)
    }
}

impl Field for Option<Key> {
    const KIND: Kind = Kind::Integer;
    fn to_cell(&self) -> Cell {
        self.unwrap_or_default().to_cell()
    }
    fn from_cell(cell: Cell) -> Option<Self> {
        Key::from_cell(cell).map(|key| (key != Key::default()).then_some(key))
    }
}

impl Field for Timestamp {
    const KIND: Kind = Kind::Integer;
    fn to_cell(&self) -> Cell {
        Cell::Integer(self.as_microsecond())
    }
    fn from_cell(cell: Cell) -> Option<Self> {
        moment(i64::from_cell(cell)?)
    }
}

/// A moment by its microseconds. The last one of all, which stands for never, has more of them than jiff reads.
fn moment(microseconds: i64) -> Option<Timestamp> {
    let is_last = microseconds == Timestamp::MAX.as_microsecond();
    if is_last { Some(Timestamp::MAX) } else { Timestamp::from_microsecond(microseconds).ok() }
}

impl Field for Option<Timestamp> {
    const KIND: Kind = Kind::Integer;
    fn to_cell(&self) -> Cell {
        Cell::Integer(self.map_or(i64::MAX, Timestamp::as_microsecond))
    }
    fn from_cell(cell: Cell) -> Option<Self> {
        match i64::from_cell(cell)? {
            i64::MAX => Some(None),
            time => moment(time).map(Some),
        }
    }
}

impl Field for Name {
    const KIND: Kind = Kind::Text;
    fn to_cell(&self) -> Cell {
        // PostgreSQL's text cannot hold it, and one value must not fail the commit of many.
        Cell::Text(if self.contains('\0') { self.replace("\0", "\u{fffd}") } else { self.clone() })
    }
    fn from_cell(cell: Cell) -> Option<Self> {
        match cell {
            Cell::Text(value) => Some(value),
            _ => None,
        }
    }
}

impl Field for Option<Name> {
    const KIND: Kind = Kind::Text;
    fn to_cell(&self) -> Cell {
        self.clone().unwrap_or_default().to_cell()
    }
    fn from_cell(cell: Cell) -> Option<Self> {
        Name::from_cell(cell).map(|name| (!name.is_empty()).then_some(name))
    }
}

impl Field for Vec<Name> {
    const KIND: Kind = Kind::Text;
    fn to_cell(&self) -> Cell {
        let names: Vec<&str> = self.iter().map(|name| &**name).collect();
        Cell::Text(if names.is_empty() { "".into() } else { serde_json::Value::from(names).to_string().into() })
    }
    fn from_cell(cell: Cell) -> Option<Self> {
        let text = Name::from_cell(cell)?;
        if text.is_empty() { Some(Self::new()) } else { serde_json::from_str(&text).ok() }
    }
}

impl Field for Bytes {
    const KIND: Kind = Kind::Bytes;
    fn to_cell(&self) -> Cell {
        Cell::Bytes(self.clone())
    }
    fn from_cell(cell: Cell) -> Option<Self> {
        match cell {
            Cell::Bytes(value) => Some(value),
            _ => None,
        }
    }
}

/// Declares an enum that one column holds by number. The numbers are in databases: they never change.
macro_rules! codes {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $code:literal,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name { $($(#[$doc])* $variant = $code,)* }

        impl $crate::cell::Field for $name {
            const KIND: $crate::cell::Kind = $crate::cell::Kind::Integer;
            fn to_cell(&self) -> $crate::cell::Cell {
                $crate::cell::Cell::Integer(*self as i64)
            }
            fn from_cell(cell: $crate::cell::Cell) -> Option<Self> {
                match i64::from_cell(cell)? {
                    $($code => Some(Self::$variant),)*
                    _ => None,
                }
            }
        }
    };
}
pub(crate) use codes;
