//! Reading bytes that nobody vouches for.

use super::declare::Coded;
use super::{DecodeError, FORMAT};
use crate::value::MAXIMUM_DEPTH;

/// Bytes, and how far they were read.
pub(super) struct Reader<'b> {
    /// The format in which they were written.
    pub(super) format: u8,
    bytes: &'b [u8],
    at: usize,
    /// Items of open lists that are still to come, of at least one byte each.
    owed: usize,
    /// Values around what is read.
    depth: usize,
}

impl<'b> Reader<'b> {
    pub(super) fn new(bytes: &'b [u8]) -> Self {
        Self { format: FORMAT, bytes, at: 0, owed: 0, depth: 0 }
    }

    /// How many bytes are left.
    pub(super) fn left(&self) -> usize {
        self.bytes.len() - self.at
    }

    pub(super) fn damaged(&self, found: &'static str) -> DecodeError {
        DecodeError::Damaged { at: self.at, length: self.bytes.len(), found }
    }

    #[inline]
    pub(super) fn byte(&mut self) -> Result<u8, DecodeError> {
        let byte = *self.bytes.get(self.at).ok_or_else(|| self.damaged("they end too early"))?;
        self.at += 1;
        Ok(byte)
    }

    pub(super) fn bytes(&mut self, count: usize) -> Result<&'b [u8], DecodeError> {
        let end = self.at.checked_add(count).filter(|end| *end <= self.bytes.len());
        let end = end.ok_or_else(|| self.damaged("they end too early"))?;
        let bytes = &self.bytes[self.at..end];
        self.at = end;
        Ok(bytes)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let mut array = [0; N];
        array.copy_from_slice(self.bytes(N)?);
        Ok(array)
    }

    /// A number, seven bits in each byte, the lowest first.
    #[inline]
    pub(super) fn number(&mut self) -> Result<u64, DecodeError> {
        let mut number = 0;
        for shift in (0..u64::BITS).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if bits << shift >> shift != bits {
                break;
            }
            number |= bits << shift;
            if byte < 0x80 {
                return Ok(number);
            }
        }
        Err(self.damaged("a number is too large"))
    }

    /// How many bytes follow.
    pub(super) fn length(&mut self) -> Result<usize, DecodeError> {
        let length = self.number()?;
        usize::try_from(length).map_err(|_| self.damaged("they end too early"))
    }

    /// How many items follow, each of which takes at least one byte and is read by [`item`](Self::item).
    pub(super) fn count(&mut self) -> Result<usize, DecodeError> {
        let count = self.length()?;
        if count > self.left().saturating_sub(self.owed) {
            return Err(self.damaged("they end too early"));
        }
        self.owed += count;
        Ok(count)
    }

    /// One of the items that were counted.
    #[inline]
    pub(super) fn item<T: Coded>(&mut self) -> Result<T, DecodeError> {
        self.owed = self.owed.saturating_sub(1);
        T::read(self)
    }

    /// A value inside a value.
    pub(super) fn inside<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, DecodeError>,
    ) -> Result<T, DecodeError> {
        if self.depth == MAXIMUM_DEPTH {
            return Err(self.damaged("a value is nested too deep"));
        }
        self.depth += 1;
        let read = read(self)?;
        self.depth -= 1;
        Ok(read)
    }
}
