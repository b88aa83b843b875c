//! What everything else is made of.

use std::collections::BTreeMap;
use std::sync::Arc;

use smallvec::SmallVec;

use super::DecodeError;
use super::declare::Coded;
use super::read::Reader;
use crate::Name;
use crate::instance::Key;
use crate::time::Timestamp;

/// At most as many items have room made for them before they are read.
const ROOM: usize = 256;

/// Writes a number, seven bits in each byte, the lowest first.
#[inline]
pub(super) fn write_number(mut number: u64, to: &mut Vec<u8>) {
    loop {
        let [low, ..] = number.to_le_bytes();
        number >>= 7;
        if number == 0 {
            return to.push(low & 0x7f);
        }
        to.push(low | 0x80);
    }
}

fn write_count(count: usize, to: &mut Vec<u8>) {
    write_number(count as u64, to);
}

/// Writes bytes and how many they are.
pub(super) fn write_bytes(bytes: &[u8], to: &mut Vec<u8>) {
    write_count(bytes.len(), to);
    to.extend_from_slice(bytes);
}

impl Coded for bool {
    fn write(&self, to: &mut Vec<u8>) {
        to.push(u8::from(*self));
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, DecodeError> {
        match from.byte()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(from.damaged("neither yes nor no")),
        }
    }
}

/// Plus one, for the largest is [`NONE`](crate::instance::NONE).
impl Coded for u32 {
    #[inline]
    fn write(&self, to: &mut Vec<u8>) {
        write_number(self.wrapping_add(1).into(), to);
    }

    #[inline]
    fn read(from: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let number = from.number()?;
        Self::try_from(number).map(|number| number.wrapping_sub(1)).map_err(|_| from.damaged("a number is too large"))
    }
}

impl Coded for i64 {
    fn write(&self, to: &mut Vec<u8>) {
        write_number(((self << 1) ^ (self >> 63)).cast_unsigned(), to);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let number = from.number()?;
        Ok((number >> 1).cast_signed() ^ -(number & 1).cast_signed())
    }
}

impl Coded for i32 {
    fn write(&self, to: &mut Vec<u8>) {
        i64::from(*self).write(to);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Self::try_from(i64::read(from)?).map_err(|_| from.damaged("a number is too large"))
    }
}

/// Eight bytes: keys use nearly all of their bits.
impl Coded for Key {
    fn write(&self, to: &mut Vec<u8>) {
        to.extend_from_slice(&u64::from(*self).to_le_bytes());
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self(u64::from_le_bytes(from.array()?)))
    }
}

impl Coded for Timestamp {
    fn write(&self, to: &mut Vec<u8>) {
        self.as_second().write(to);
        self.subsec_nanosecond().write(to);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let (second, nanosecond) = (i64::read(from)?, i32::read(from)?);
        Self::new(second, nanosecond).map_err(|_| from.damaged("there is no such time"))
    }
}

impl Coded for Name {
    fn write(&self, to: &mut Vec<u8>) {
        write_bytes(self.as_bytes(), to);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let length = from.length()?;
        let bytes = from.bytes(length)?;
        std::str::from_utf8(bytes).map(Self::from).map_err(|_| from.damaged("a text is not UTF-8"))
    }
}

impl<T: Coded> Coded for Option<T> {
    fn write(&self, to: &mut Vec<u8>) {
        self.is_some().write(to);
        if let Some(inner) = self {
            inner.write(to);
        }
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(if bool::read(from)? { Some(T::read(from)?) } else { None })
    }
}

impl<T: Coded> Coded for Box<T> {
    fn write(&self, to: &mut Vec<u8>) {
        T::write(self, to);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, DecodeError> {
        T::read(from).map(Self::new)
    }
}

impl<T: Coded> Coded for Arc<T> {
    fn write(&self, to: &mut Vec<u8>) {
        T::write(self, to);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, DecodeError> {
        T::read(from).map(Self::new)
    }
}

impl<A: Coded, B: Coded> Coded for (A, B) {
    fn write(&self, to: &mut Vec<u8>) {
        self.0.write(to);
        self.1.write(to);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok((A::read(from)?, B::read(from)?))
    }
}

impl<T: Coded> Coded for Vec<T> {
    fn write(&self, to: &mut Vec<u8>) {
        write_count(self.len(), to);
        self.iter().for_each(|item| item.write(to));
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let count = from.count()?;
        let mut items = Self::with_capacity(count.min(ROOM));
        for _ in 0..count {
            items.push(from.item()?);
        }
        Ok(items)
    }
}

impl<T: Coded> Coded for SmallVec<[T; 1]> {
    fn write(&self, to: &mut Vec<u8>) {
        write_count(self.len(), to);
        self.iter().for_each(|item| item.write(to));
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Vec::read(from).map(Self::from_vec)
    }
}

impl<V: Coded> Coded for BTreeMap<Name, V> {
    fn write(&self, to: &mut Vec<u8>) {
        write_count(self.len(), to);
        for (name, value) in self {
            name.write(to);
            value.write(to);
        }
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let mut entries = Self::new();
        for _ in 0..from.count()? {
            let (name, value) = from.item()?;
            entries.insert(name, value);
        }
        Ok(entries)
    }
}
