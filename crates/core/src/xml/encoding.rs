//! Bytes to text and back (XML 1.0 §4.3.3 and appendix F).

use encoding_rs::{Decoder, DecoderResult, Encoding, ISO_2022_JP, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

use super::Span;
use super::parse::Fault;
use super::place::offset;

/// What a file's bytes mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Charset {
    encoding: &'static Encoding,
    /// Only its first 128 characters: US-ASCII, which is windows-1252 to the library.
    ascii: bool,
}

impl Charset {
    /// Its name.
    pub(super) fn name(self) -> &'static str {
        if self.ascii { "US-ASCII" } else { self.encoding.name() }
    }
}

impl From<&'static Encoding> for Charset {
    fn from(encoding: &'static Encoding) -> Self {
        Self { encoding, ascii: false }
    }
}

/// A file's text.
pub(super) struct Decoded {
    /// The text, with the byte order mark if there is one.
    pub(super) text: String,
    /// The bytes, where they are not the text's.
    pub(super) original: Option<Vec<u8>>,
    pub(super) charset: Charset,
}

/// Decodes a file. An error comes with the text before it, in which it is to be placed.
pub(super) fn decode(bytes: &[u8]) -> Result<Decoded, (String, Fault)> {
    let before = |fault: &Fault| String::from_utf8_lossy(&bytes[..fault.span.start as usize]).into_owned();
    let charset = charset(bytes).map_err(|fault| (before(&fault), fault))?;
    let encoding = charset.encoding;
    if charset.ascii
        && let Some(place) = bytes.iter().position(|byte| !byte.is_ascii())
    {
        let fault = bad_byte(bytes, place, charset);
        return Err((before(&fault), fault));
    }
    if encoding == UTF_8 {
        return match std::str::from_utf8(bytes) {
            Ok(text) => Ok(Decoded { text: text.to_owned(), original: None, charset }),
            Err(error) => {
                let good = error.valid_up_to();
                let text = String::from_utf8_lossy(&bytes[..good]).into_owned();
                Err((text, bad_byte(bytes, good, charset)))
            }
        };
    }
    let mut decoder = encoding.new_decoder_without_bom_handling();
    let mut text = String::new();
    // `None` only where the length would overflow; then the decoder asks for more room and the file is refused.
    text.reserve(decoder.max_utf8_buffer_length_without_replacement(bytes.len()).unwrap_or(0));
    let (result, read) = decoder.decode_to_string_without_replacement(bytes, &mut text, true);
    match result {
        DecoderResult::InputEmpty => Ok(Decoded { text, original: Some(bytes.to_vec()), charset }),
        DecoderResult::Malformed(length, after) => {
            let place = read.saturating_sub(usize::from(length) + usize::from(after));
            Err((text, bad_byte(bytes, place, charset)))
        }
        DecoderResult::OutputFull => Err((text, bad_byte(bytes, read, charset))),
    }
}

/// What a shift in ISO-2022-JP begins with.
const ESCAPE: u8 = 0x1b;

/// Puts replacements into a file's bytes; what stands between them stays byte for byte, for there may be several ways to
/// write one text. `None` where the encoding is in the midst of a
/// shift (ISO-2022-JP) and a replacement would leave it in another.
pub(super) fn splice(original: &[u8], text: &str, charset: Charset, patches: Vec<(Span, String)>) -> Option<Vec<u8>> {
    let encoding = charset.encoding;
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
pub(super) fn sayable(value: String, charset: Charset) -> String {
    if unsayable(&value, charset).is_none() {
        return value;
    }
    let mut said = String::with_capacity(value.len() + 16);
    for character in value.chars() {
        if unsayable(character.encode_utf8(&mut [0; 4]), charset).is_some() {
            said += &format!("&#{};", u32::from(character));
        } else {
            said.push(character);
        }
    }
    said
}

/// The first character of a text that is another, or is none, when it is read again.
pub(super) fn unsayable(text: &str, charset: Charset) -> Option<char> {
    if charset.ascii {
        return text.chars().find(|character| !character.is_ascii());
    }
    let encoding = charset.encoding;
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

fn charset(bytes: &[u8]) -> Result<Charset, Fault> {
    if let Some((encoding, _)) = Encoding::for_bom(bytes) {
        return Ok(encoding.into());
    }
    match bytes {
        [b'<', 0, ..] => return Ok(UTF_16LE.into()),
        [0, b'<', ..] => return Ok(UTF_16BE.into()),
        _ => {}
    }
    let Some((start, label)) = declared(bytes) else {
        return Ok(UTF_8.into());
    };
    if ASCII.iter().any(|name| label.trim_ascii().eq_ignore_ascii_case(name)) {
        return Ok(Charset { encoding: WINDOWS_1252, ascii: true });
    }
    match Encoding::for_label_no_replacement(label) {
        // The declaration could be read byte by byte, so it is not UTF-16 whatever it says: programs that build XML in
        // a UTF-16 string and save it as UTF-8 write that.
        Some(encoding) if encoding == UTF_16LE || encoding == UTF_16BE => Ok(UTF_8.into()),
        Some(encoding) => Ok(encoding.into()),
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

/// The usual names of US-ASCII.
const ASCII: [&[u8]; 4] = [b"us-ascii", b"ascii", b"iso646-us", b"ansi_x3.4-1968"];

/// The encoding that the XML declaration names, and its place.
fn declared(bytes: &[u8]) -> Option<(usize, &[u8])> {
    // Not `<?xml-stylesheet ...?>`.
    if !bytes.starts_with(b"<?xml") || !bytes.get(5)?.is_ascii_whitespace() {
        return None;
    }
    let head = &bytes[..bytes.windows(2).position(|pair| pair == b"?>")?];
    let word = b"encoding";
    let after = head.windows(word.len()).position(|window| window == word)? + word.len();
    let quote = after + head[after..].iter().position(|byte| matches!(byte, b'"' | b'\''))?;
    let length = head[quote + 1..].iter().position(|byte| *byte == head[quote])?;
    Some((quote + 1, &head[quote + 1..quote + 1 + length]))
}

fn bad_byte(bytes: &[u8], place: usize, charset: Charset) -> Fault {
    let what = match bytes.get(place) {
        Some(byte) => format!("the byte 0x{byte:02X} at offset {place} is not {}", charset.name()),
        None => format!("the file ends in the middle of a {} character", charset.name()),
    };
    let help = if charset.encoding == UTF_8 {
        "save the file as UTF-8, or declare the encoding that it is in, e.g. `encoding=\"windows-1252\"`".into()
    } else {
        format!("save the file as UTF-8, or make sure that it is {} throughout", charset.name())
    };
    Fault {
        code: "xml-encoding",
        span: Span { start: offset(place), end: offset((place + 1).min(bytes.len())) },
        message: what,
        help,
    }
}
