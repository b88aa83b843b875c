//! Bytes to a flat tree of elements, with the place of each; and back, byte for byte.

/// A range of bytes in the file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Span {
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

/// An element's place in the document's table, in document order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ElementIndex(pub u32);

/// A file, read.
#[derive(Debug)]
pub struct Document {}
