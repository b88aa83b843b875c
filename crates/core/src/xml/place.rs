//! Places in a text as people name them: line and column.

use super::Span;

/// Characters are counted up to every block of this many bytes, so that a column costs little even in a file that is
/// one line of a megabyte.
const BLOCK: usize = 4096;

/// Where lines begin.
#[derive(Debug)]
pub(super) struct Lines {
    starts: Vec<u32>,
    /// The number of characters before each block.
    characters: Vec<u32>,
}

impl Lines {
    pub(super) fn new(text: &str) -> Self {
        let bytes = text.as_bytes();
        let mut starts = vec![0];
        for index in memchr::memchr2_iter(b'\n', b'\r', bytes) {
            let ends = bytes[index] == b'\n' || bytes.get(index + 1) != Some(&b'\n');
            if ends {
                starts.push(offset(index + 1));
            }
        }
        let mut characters = vec![0];
        let mut count = 0;
        for block in bytes.chunks(BLOCK) {
            count += characters_in(block);
            characters.push(count);
        }
        Self { starts, characters }
    }

    pub(super) fn line_column(&self, text: &str, offset: u32) -> (u32, u32) {
        let index = self.line_index(offset);
        let start = self.starts[index];
        let mut column = self.characters_before(text, offset) - self.characters_before(text, start);
        if index == 0 && column > 0 && text.starts_with('\u{feff}') {
            // A byte order mark is no character of the line.
            column -= 1;
        }
        (u32::try_from(index + 1).unwrap_or(u32::MAX), column + 1)
    }

    pub(super) fn line<'t>(&self, text: &'t str, offset: u32) -> &'t str {
        let index = self.line_index(offset);
        let end = self.starts.get(index + 1).copied().unwrap_or(u32::try_from(text.len()).unwrap_or(u32::MAX));
        let line = Span { start: self.starts[index], end }.of(text);
        line.trim_end_matches(['\r', '\n']).trim_start_matches('\u{feff}')
    }

    fn line_index(&self, offset: u32) -> usize {
        // The first line begins at 0, so there is always one that begins at or before the offset.
        self.starts.partition_point(|start| *start <= offset).saturating_sub(1)
    }

    fn characters_before(&self, text: &str, offset: u32) -> u32 {
        let offset = (offset as usize).min(text.len());
        let block = offset / BLOCK;
        self.characters[block] + characters_in(&text.as_bytes()[block * BLOCK..offset])
    }
}

/// The number of characters that begin in a piece of UTF-8. Few bytes are counted in one byte, so that the compiler counts many at once.
fn characters_in(bytes: &[u8]) -> u32 {
    let few = |bytes: &[u8]| bytes.iter().map(|byte| u8::from(byte & 0b1100_0000 != 0b1000_0000)).sum::<u8>();
    bytes.chunks(128).map(|bytes| u32::from(few(bytes))).sum()
}

/// A place in a text as the tables keep it. Texts are far smaller than 4 GiB, as [`super::Limits`] are checked first.
pub(super) fn offset(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(u32::MAX)
}
