//! The inside of a start tag: names, values and their places.

use super::parse::Fault;
use super::place::offset;
use super::{Span, text};

/// One attribute as written.
pub(super) struct RawAttribute {
    /// The name with its prefix.
    pub(super) qualified: Span,
    /// The first byte of the local name.
    pub(super) local: u32,
    /// The value between its quotes.
    pub(super) value: Span,
    /// Whether the value says just what is written: it holds no reference, and no white space but spaces.
    pub(super) is_literal: bool,
}

/// Goes through the attributes of one start tag.
pub(super) struct RawAttributes<'t> {
    text: &'t str,
    /// Where we are.
    place: usize,
    /// One past the tag's last attribute.
    end: usize,
}

impl<'t> RawAttributes<'t> {
    /// The attributes between two places of the text: the end of the element's name and the end of the tag.
    pub(super) fn new(text: &'t str, place: usize, end: usize) -> Self {
        Self { text, place, end }
    }

    /// The next attribute.
    pub(super) fn next(&mut self) -> Result<Option<RawAttribute>, Fault> {
        let bytes = &self.text.as_bytes()[..self.end];
        let start = skip_blanks(bytes, self.place);
        if start == bytes.len() {
            return Ok(None);
        }
        if start == self.place {
            return Err(malformed(start, start + 1, "there is no blank before this attribute", "put a blank here"));
        }
        let QualifiedName { span: qualified, local } = QualifiedName::read(self.text, start, self.end)?;
        let name_end = qualified.end as usize;
        let equals = skip_blanks(bytes, name_end);
        if bytes.get(equals) != Some(&b'=') {
            let message = format!("the attribute `{}` has no value", qualified.of(self.text));
            return Err(malformed(start, name_end, message, "write it as `name=\"value\"`"));
        }
        let quote = skip_blanks(bytes, equals + 1);
        let Some(mark @ (b'"' | b'\'')) = bytes.get(quote).copied() else {
            let message = format!("the value of `{}` is not in quotes", qualified.of(self.text));
            return Err(malformed(start, quote, message, "write it as `name=\"value\"`"));
        };
        let (value_end, is_literal) = self.value_end(quote + 1, mark, qualified)?;
        self.place = value_end + 1;
        let value = Span { start: offset(quote + 1), end: offset(value_end) };
        Ok(Some(RawAttribute { qualified, local, value, is_literal }))
    }

    /// Finds the closing quote, and checks what stands before it; also gives whether that says just what is written.
    fn value_end(&self, start: usize, mark: u8, name: Span) -> Result<(usize, bool), Fault> {
        let bytes = &self.text.as_bytes()[..self.end];
        let (mut has_reference, mut has_blanks) = (false, false);
        let mut place = start;
        while let Some(passed) = bytes[place..].iter().position(|byte| is_special_in_value(*byte)) {
            place += passed;
            match bytes[place] {
                byte if byte == mark => {
                    if has_reference {
                        check_references(self.text, start, place)?;
                    }
                    return Ok((place, !has_reference && !has_blanks));
                }
                b'&' => has_reference = true,
                b'<' => {
                    let message = format!("there is a `<` in the value of `{}`", name.of(self.text));
                    return Err(malformed(place, place + 1, message, "write it as `&lt;`, or close the quotes before"));
                }
                b'\t' | b'\r' | b'\n' => has_blanks = true,
                _ => {}
            }
            place += 1;
        }
        let message = format!("the value of `{}` is not closed", name.of(self.text));
        Err(malformed(start, self.end, message, "put a quote at its end"))
    }
}

/// The name of an element or attribute, as written.
pub(super) struct QualifiedName {
    /// With its prefix.
    pub(super) span: Span,
    /// The first byte of the local part.
    pub(super) local: u32,
}

impl QualifiedName {
    /// The name that begins at a place of a start tag; it ends at a blank, an equals sign, a quote, or where the tag does.
    pub(super) fn read(text: &str, start: usize, tag_end: usize) -> Result<Self, Fault> {
        let bytes = &text.as_bytes()[..tag_end];
        let length = |bytes: &[u8]| bytes.iter().position(|byte| !is_in_name(*byte)).unwrap_or(bytes.len());
        let (mut local, mut end) = (start, start + length(&bytes[start..]));
        let mut is_formed = begins_name(bytes, start);
        if bytes.get(end) == Some(&b':') {
            local = end + 1;
            end = local + length(&bytes[local..]);
            is_formed &= begins_name(bytes, local);
        }
        if is_formed && bytes.get(end).is_none_or(|byte| ends_name(*byte)) {
            return Ok(Self { span: Span { start: offset(start), end: offset(end) }, local: offset(local) });
        }
        let rest = bytes[start..].iter().position(|byte| ends_name(*byte));
        let end = rest.map_or(bytes.len(), |rest| start + rest);
        let message = format!("`{}` is not a name", text.get(start..end).unwrap_or_default());
        Err(malformed(start, end, message, "names begin with a letter and have at most one colon"))
    }
}

/// Whether a text can be a name without a prefix. (Not every forbidden character is looked for, only those that would
/// be read differently elsewhere.)
pub(crate) fn is_name(text: &str) -> bool {
    begins_name(text.as_bytes(), 0) && text.bytes().all(is_in_name)
}

/// What a byte can be, as bits: start tags are most of a model's text, and asking this table is quicker than comparing.
const CLASSES: [u8; 256] = {
    let mut classes = [0; 256];
    let mut byte = 0u8;
    loop {
        let mut class = 0;
        if byte.is_ascii_alphabetic() || byte == b'_' || byte >= 0x80 {
            class |= BEGINS_NAME | IN_NAME;
        }
        if byte.is_ascii_digit() || byte == b'-' || byte == b'.' {
            class |= IN_NAME;
        }
        if matches!(byte, b'=' | b'"' | b'\'' | b' ' | b'\t' | b'\r' | b'\n') {
            class |= ENDS_NAME;
        }
        if matches!(byte, b'&' | b'<' | b'"' | b'\'' | b'\t' | b'\r' | b'\n') {
            class |= SPECIAL_IN_VALUE;
        }
        classes[byte as usize] = class;
        if byte == u8::MAX {
            break;
        }
        byte += 1;
    }
    classes
};

const BEGINS_NAME: u8 = 1;
const IN_NAME: u8 = 2;
/// An attribute's name ends before it.
const ENDS_NAME: u8 = 4;
/// It may end an attribute's value, or stand for something else than itself there.
const SPECIAL_IN_VALUE: u8 = 8;

fn begins_name(bytes: &[u8], place: usize) -> bool {
    bytes.get(place).is_some_and(|byte| CLASSES[usize::from(*byte)] & BEGINS_NAME != 0)
}

fn is_in_name(byte: u8) -> bool {
    CLASSES[usize::from(byte)] & IN_NAME != 0
}

fn ends_name(byte: u8) -> bool {
    CLASSES[usize::from(byte)] & ENDS_NAME != 0
}

fn is_special_in_value(byte: u8) -> bool {
    CLASSES[usize::from(byte)] & SPECIAL_IN_VALUE != 0
}

/// Checks that every `&` between two places begins a reference that means something without a DTD.
pub(super) fn check_references(text: &str, start: usize, end: usize) -> Result<(), Fault> {
    match text::bad_reference(&text[start..end]) {
        None => Ok(()),
        Some((place, reference)) => {
            let place = start + place;
            Err(Fault {
                code: "xml-entity-unknown",
                span: Span { start: offset(place), end: offset(place + reference.len()) },
                message: format!("`{reference}` is no character reference"),
                help: "write `&amp;` for the character `&`; only `&lt; &gt; &amp; &apos; &quot;` and numbers are known"
                    .into(),
            })
        }
    }
}

pub(super) fn malformed(start: usize, end: usize, message: impl Into<String>, help: impl Into<String>) -> Fault {
    Fault {
        code: "xml-malformed",
        span: Span { start: offset(start), end: offset(end) },
        message: message.into(),
        help: help.into(),
    }
}

fn skip_blanks(bytes: &[u8], place: usize) -> usize {
    let blanks = bytes[place..].iter().position(|byte| !matches!(byte, b' ' | b'\t' | b'\r' | b'\n'));
    blanks.map_or(bytes.len(), |blanks| place + blanks)
}
