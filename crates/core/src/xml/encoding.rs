//! Bytes to text and back (XML 1.0 §4.3.3 and appendix F).

use encoding_rs::{Decoder, DecoderResult, Encoding, ISO_2022_JP, UTF_8, UTF_16BE, UTF_16LE};

use super::Span;
use super::parse::Fault;
use super::place::offset;

/// A file's text.
pub(super) struct Decoded {
    /// The text, with the byte order mark if there is one.
    pub(super) text: String,
    /// The bytes, where they are not the text's.
    pub(super) original: Option<Vec<u8>>,
    pub(super) encoding: &'static Encoding,
}

/// Decodes a file. An error comes with the text before it, in which it is to be placed.
pub(super) fn decode(bytes: &[u8]) -> Result<Decoded, (String, Fault)> {
    let before = |fault: &Fault| String::from_utf8_lossy(&bytes[..fault.span.start as usize]).into_owned();
    let encoding = encoding(bytes).map_err(|fault| (before(&fault), fault))?;
    if encoding == UTF_8 {
        return match std::str::from_utf8(bytes) {
            Ok(text) => Ok(Decoded { text: text.to_owned(), original: None, encoding }),
            Err(error) => {
                let good = error.valid_up_to();
                let text = String::from_utf8_lossy(&bytes[..good]).into_owned();
                Err((text, bad_byte(bytes, good, encoding)))
            }
        };
    }
    let mut decoder = encoding.new_decoder_without_bom_handling();
    let mut text = String::new();
    // `None` only where the length would overflow; then the decoder asks for more room and the file is refused.
    text.reserve(decoder.max_utf8_buffer_length_without_replacement(bytes.len()).unwrap_or(0));
    let (result, read) = decoder.decode_to_string_without_replacement(bytes, &mut text, true);
    match result {
        DecoderResult::InputEmpty => Ok(Decoded { text, original: Some(bytes.to_vec()), encoding }),
        DecoderResult::Malformed(length, after) => {
            let place = read.saturating_sub(usize::from(length) + usize::from(after));
            Err((text, bad_byte(bytes, place, encoding)))
        }
        DecoderResult::OutputFull => Err((text, bad_byte(bytes, read, encoding))),
    }
}

/// What a shift in ISO-2022-JP begins with.
const ESCAPE: u8 = 0x1b;

/// Puts replacements into a file's bytes; what stands between them stays byte for byte, for there may be several ways to
/// write one text. `None` where the encoding is in the midst of a
/// shift (ISO-2022-JP) and a replacement would leave it in another.
pub(super) fn splice(
    original: &[u8],
    text: &str,
    encoding: &'static Encoding,
    patches: Vec<(Span, String)>,
) -> Option<Vec<u8>> {
    let mut places = Places { original, decoder: encoding.new_decoder_without_bom_handling(), read: 0, written: 0 };
    let mut edited = Vec::with_capacity(original.len() + 256);
    let mut copied = 0;
    for (Span { start, end }, mut replacement) in patches {
        let first = places.of(start as usize)?;
        let mut last = places.of(end as usize)?;
        if encoding == ISO_2022_JP && original.get(last) == Some(&ESCAPE) {
            // The way back from a shift that is replaced here; it belongs to the character behind it.
            let next = text[end as usize..].chars().next()?;
            replacement.push(next);
            last = places.of(end as usize + next.len_utf8())?;
        }
        edited.extend(original.get(copied..first)?);
        edited.extend(encode(&replacement, encoding));
        copied = last;
    }
    edited.extend(original.get(copied..)?);
    Some(edited)
}

/// Finds the bytes behind places of the text, in ascending order.
struct Places<'b> {
    original: &'b [u8],
    decoder: Decoder,
    /// The bytes of the original that are decoded.
    read: usize,
    /// How long their text is.
    written: usize,
}

impl Places<'_> {
    /// Where the bytes of the text up to there end.
    fn of(&mut self, place: usize) -> Option<usize> {
        let mut character = [0; 16];
        while self.written < place {
            let byte = self.original.get(self.read..=self.read)?;
            let (_, _, written) = self.decoder.decode_to_utf8_without_replacement(byte, &mut character, false);
            self.read += 1;
            self.written += written;
        }
        (self.written == place).then_some(self.read)
    }
}

/// An attribute's value with character references for what the encoding cannot say. Some encodings write for a character
/// another that looks like it (U+00A5 as 5C in Shift_JIS): what counts is what is read again.
pub(super) fn sayable(value: String, encoding: &'static Encoding) -> String {
    if unsayable(&value, encoding).is_none() {
        return value;
    }
    let mut said = String::with_capacity(value.len() + 16);
    for character in value.chars() {
        if unsayable(character.encode_utf8(&mut [0; 4]), encoding).is_some() {
            said += &format!("&#{};", u32::from(character));
        } else {
            said.push(character);
        }
    }
    said
}

/// The first character of a text that is another, or is none, when it is read again.
pub(super) fn unsayable(text: &str, encoding: &'static Encoding) -> Option<char> {
    let bytes = encode(text, encoding);
    let read = encoding.decode_without_bom_handling(&bytes).0;
    let mut again = read.chars();
    text.chars().find(|character| again.next() != Some(*character)).or_else(|| again.next())
}

fn encode(text: &str, encoding: &'static Encoding) -> Vec<u8> {
    if encoding == UTF_16LE {
        text.encode_utf16().flat_map(u16::to_le_bytes).collect()
    } else if encoding == UTF_16BE {
        text.encode_utf16().flat_map(u16::to_be_bytes).collect()
    } else {
        encoding.encode(text).0.into_owned()
    }
}

fn encoding(bytes: &[u8]) -> Result<&'static Encoding, Fault> {
    if let Some((encoding, _)) = Encoding::for_bom(bytes) {
        return Ok(encoding);
    }
    match bytes {
        [b'<', 0, ..] => return Ok(UTF_16LE),
        [0, b'<', ..] => return Ok(UTF_16BE),
        _ => {}
    }
    let Some((start, label)) = declared(bytes) else {
        return Ok(UTF_8);
    };
    match Encoding::for_label_no_replacement(label) {
        // The declaration could be read byte by byte, so it is not UTF-16 whatever it says: programs that build XML in
        // a UTF-16 string and save it as UTF-8 write that.
        Some(encoding) if encoding == UTF_16LE || encoding == UTF_16BE => Ok(UTF_8),
        Some(encoding) => Ok(encoding),
        None => {
            let label_text = String::from_utf8_lossy(label);
            Err(Fault {
                code: "xml-encoding-unknown",
                span: Span { start: offset(start), end: offset(start + label.len()) },
                message: format!("the encoding `{label_text}` is not known"),
                help: "save the file as UTF-8 and declare `encoding=\"UTF-8\"`".into(),
            })
        }
    }
}

/// The encoding that the XML declaration names, and its place.
fn declared(bytes: &[u8]) -> Option<(usize, &[u8])> {
    // Declarations are short; what is longer is none.
    let head = &bytes[..bytes.len().min(512)];
    if !head.starts_with(b"<?xml") {
        return None;
    }
    let head = &head[..head.windows(2).position(|pair| pair == b"?>")?];
    let word = b"encoding";
    let after = head.windows(word.len()).position(|window| window == word)? + word.len();
    let quote = after + head[after..].iter().position(|byte| matches!(byte, b'"' | b'\''))?;
    let length = head[quote + 1..].iter().position(|byte| *byte == head[quote])?;
    Some((quote + 1, &head[quote + 1..quote + 1 + length]))
}

fn bad_byte(bytes: &[u8], place: usize, encoding: &'static Encoding) -> Fault {
    let what = match bytes.get(place) {
        Some(byte) => format!("the byte 0x{byte:02X} at offset {place} is not {}", encoding.name()),
        None => format!("the file ends in the middle of a {} character", encoding.name()),
    };
    let help = if encoding == UTF_8 {
        "save the file as UTF-8, or declare the encoding that it is in, e.g. `encoding=\"windows-1252\"`".into()
    } else {
        format!("save the file as UTF-8, or make sure that it is {} throughout", encoding.name())
    };
    Fault {
        code: "xml-encoding",
        span: Span { start: offset(place), end: offset((place + 1).min(bytes.len())) },
        message: what,
        help,
    }
}
