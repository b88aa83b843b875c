use super::{parse, refuse};
use crate::xml::{Document, ElementIndex};

fn utf16(text: &str, little: bool) -> Vec<u8> {
    let unit = |unit: u16| if little { unit.to_le_bytes() } else { unit.to_be_bytes() };
    text.encode_utf16().flat_map(unit).collect()
}

/// Reads, writes back, and edits one attribute; gives the edited file.
fn round_trip(bytes: &[u8], encoding: &str) -> Vec<u8> {
    let document = Document::parse(bytes).expect("is read");
    assert_eq!(document.encoding(), encoding);
    assert_eq!(document.root().attribute("n").as_deref(), Some("größe"));
    assert_eq!(document.bytes(), bytes);
    assert_eq!(document.edit().to_bytes(), bytes);
    let mut edit = document.edit();
    edit.set_attribute(ElementIndex(0), None, "n", "maß").expect("can be set");
    let edited = edit.to_bytes();
    let again = Document::parse(&edited).expect("is read again");
    assert_eq!(again.root().attribute("n").as_deref(), Some("maß"));
    assert_eq!(again.encoding(), encoding);
    edited
}

#[test]
fn utf_8_with_and_without_a_mark() {
    round_trip("<a n='größe'/>".as_bytes(), "UTF-8");
    let edited = round_trip("\u{feff}<?xml version='1.0' encoding='utf-8'?><a n='größe'/>".as_bytes(), "UTF-8");
    assert_eq!(edited, "\u{feff}<?xml version='1.0' encoding='utf-8'?><a n='maß'/>".as_bytes());
}

#[test]
fn utf_16_of_both_orders() {
    for mark in ["\u{feff}", ""] {
        for (little, name) in [(true, "UTF-16LE"), (false, "UTF-16BE")] {
            let text = |n: &str| format!("{mark}<?xml version='1.0' encoding='UTF-16'?>\r\n<a n='{n}'>\u{1F600}</a>");
            let edited = round_trip(&utf16(&text("größe"), little), name);
            assert_eq!(edited, utf16(&text("maß"), little));
        }
    }
}

#[test]
fn utf_16_by_declaration_alone_is_utf_8() {
    round_trip("<?xml version=\"1.0\" encoding=\"utf-16\"?><a n='größe'/>".as_bytes(), "UTF-8");
}

#[test]
fn legacy_encodings_by_declaration() {
    for label in ["ISO-8859-1", "iso-8859-1", "windows-1252", "latin1"] {
        let mut bytes = format!("<?xml version='1.0' encoding=\"{label}\" standalone='no'?><a n='gr").into_bytes();
        bytes.extend(b"\xF6\xDFe'/>\x93");
        bytes.truncate(bytes.len() - 1);
        let edited = round_trip(&bytes, "windows-1252");
        assert!(edited.ends_with(b"<a n='ma\xDF'/>"));
    }
}

#[test]
fn what_the_encoding_cannot_say_is_written_as_a_reference() {
    let bytes = b"<?xml version='1.0' encoding='windows-1252'?><a n='\x80'/>";
    let document = Document::parse(bytes).expect("is read");
    assert_eq!(document.root().attribute("n").as_deref(), Some("€"));
    let mut edit = document.edit();
    edit.set_attribute(ElementIndex(0), None, "n", "жук").expect("can be set");
    assert!(edit.to_bytes().ends_with(b"<a n='&#1078;&#1091;&#1082;'/>"));
    assert_eq!(edit.apply().expect("is read").root().attribute("n").as_deref(), Some("жук"));
}

#[test]
fn a_byte_that_does_not_fit_is_named_with_its_place() {
    let mut bytes = "<?xml version='1.0' encoding='UTF-8'?>\n<a n='ж".as_bytes().to_vec();
    bytes.extend(b"gr\xF6\xDFe'/>");
    let fault = Document::parse(&bytes).expect_err("is refused");
    assert_eq!((fault.code, fault.line, fault.column), ("xml-encoding", 2, 10));
    assert!(fault.message.contains("0xF6"), "{fault}");
    assert_eq!(bytes[fault.span.start as usize], 0xF6);

    let mut halved = utf16("\u{feff}<a>\n</a>", true);
    halved.pop();
    assert_eq!(refuse(&halved).0, "xml-encoding");
}

#[test]
fn unknown_encodings_are_refused() {
    assert_eq!(refuse("<?xml version='1.0' encoding='klingon'?><a/>").0, "xml-encoding-unknown");
    parse("<?xml version='1.0'?><a encoding='klingon'/>");
}
