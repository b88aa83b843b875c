//! Character data: references and line ends (XML 1.0 §2.11, §3.3.3, §4.1).

use std::borrow::Cow;

/// The character that the reference `&name;` stands for, if XML knows it without a DTD.
pub(super) fn reference(name: &str) -> Option<char> {
    let number = match name {
        "lt" => return Some('<'),
        "gt" => return Some('>'),
        "amp" => return Some('&'),
        "apos" => return Some('\''),
        "quot" => return Some('"'),
        _ => name.strip_prefix('#')?,
    };
    let (digits, radix) = match number.strip_prefix('x') {
        Some(digits) => (digits, 16),
        None => (number, 10),
    };
    if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        // `from_str_radix` would also take a sign.
        return None;
    }
    char::from_u32(u32::from_str_radix(digits, radix).ok()?).filter(|character| is_character(*character))
}

/// Whether XML 1.0 allows the character at all.
pub(super) fn is_character(character: char) -> bool {
    !matches!(character, '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}')
}

/// What the text between two tags says.
pub(super) fn decode_text(raw: &str) -> Cow<'_, str> {
    decode(raw, b"&\r", '\n')
}

/// What a CDATA section says.
pub(super) fn decode_cdata(raw: &str) -> Cow<'_, str> {
    decode(raw, b"\r", '\n')
}

/// What an attribute's value says: there, ends of lines and tabs are blanks.
pub(super) fn decode_attribute(raw: &str) -> Cow<'_, str> {
    decode(raw, b"&\r\n\t", ' ')
}

/// Replaces each of the `special` characters, which are ASCII: a reference by its character, white space (also `\r\n`) by `blank`.
fn decode<'t>(raw: &'t str, special: &[u8], blank: char) -> Cow<'t, str> {
    let next_special = |text: &str| text.bytes().position(|byte| special.contains(&byte));
    let Some(first) = next_special(raw) else {
        return Cow::Borrowed(raw);
    };
    let mut decoded = String::with_capacity(raw.len());
    decoded.push_str(&raw[..first]);
    let mut rest = &raw[first..];
    while let Some(character) = rest.chars().next() {
        rest = if character == '&' {
            decode_reference(&mut decoded, &rest[1..])
        } else {
            decoded.push(blank);
            rest.strip_prefix("\r\n").unwrap_or(&rest[1..])
        };
        let plain = next_special(rest).unwrap_or(rest.len());
        decoded.push_str(&rest[..plain]);
        rest = &rest[plain..];
    }
    Cow::Owned(decoded)
}

/// Appends the character of the reference that `rest` begins with (after its `&`), and gives what follows it.
fn decode_reference<'t>(decoded: &mut String, rest: &'t str) -> &'t str {
    if let Some((name, after)) = rest.split_once(';')
        && let Some(character) = reference(name)
    {
        decoded.push(character);
        return after;
    }
    // Does not happen in a document, whose references were all checked when it was read.
    decoded.push('&');
    rest
}

/// The first thing in character data that is no reference though it begins with `&`: its place and text.
pub(super) fn bad_reference(raw: &str) -> Option<(usize, &str)> {
    raw.match_indices('&').find_map(|(start, _)| {
        let rest = &raw[start + 1..];
        let name = rest.split_once(';').map(|(name, _)| name);
        if name.and_then(reference).is_some() {
            return None;
        }
        let end = rest.find(|c: char| !(c.is_alphanumeric() || "#_-.".contains(c))).unwrap_or(rest.len());
        Some((start, &raw[start..=start + end]))
    })
}

/// Writes a value so that it can stand in quotes of that kind and reads back as it is.
pub(super) fn encode_attribute(value: &str, quote: char) -> String {
    let mut encoded = String::with_capacity(value.len());
    for character in value.chars() {
        match character {
            '&' => encoded.push_str("&amp;"),
            '<' => encoded.push_str("&lt;"),
            '"' if quote == '"' => encoded.push_str("&quot;"),
            '\'' if quote == '\'' => encoded.push_str("&apos;"),
            '\n' => encoded.push_str("&#10;"),
            '\r' => encoded.push_str("&#13;"),
            '\t' => encoded.push_str("&#9;"),
            other => encoded.push(other),
        }
    }
    encoded
}
