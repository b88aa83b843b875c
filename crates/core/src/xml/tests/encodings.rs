use super::{parse, refuse};
use crate::xml::{Document, EditError, ElementIndex};

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
    assert_eq!(document.edit().to_bytes().as_deref(), Ok(bytes));
    let mut edit = document.edit();
    edit.set_attribute(ElementIndex(0), None, "n", "maß").expect("can be set");
    let edited = edit.to_bytes().expect("can be written");
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
    assert!(edit.to_bytes().expect("can be written").ends_with(b"<a n='&#1078;&#1091;&#1082;'/>"));
    assert_eq!(edit.apply().expect("is read").root().attribute("n").as_deref(), Some("жук"));
}

/// They write 5C for U+00A5, 7E for U+203E, and full width for half width; what is read again would be another text.
#[test]
fn what_an_encoding_would_say_with_another_character_is_a_reference() {
    for (label, value, written) in [
        ("Shift_JIS", "~\u{a5}\\\u{203e}日", &b"~&#165;\\&#8254;\x93\xfa"[..]),
        ("EUC-JP", "~\u{a5}\u{203e}日", b"~&#165;&#8254;\xc6\xfc"),
        ("ISO-2022-JP", "\u{ff71}\u{ff72}a日", b"&#65393;&#65394;a\x1b$BF|\x1b(B"),
    ] {
        let file = |value: &[u8]| {
            let head = format!("<?xml version='1.0' encoding='{label}'?><a n='");
            [head.as_bytes(), value, b"'/>"].concat()
        };
        let document = Document::parse(&file(b"1")).expect("is read");
        let mut edit = document.edit();
        edit.set_attribute(ElementIndex(0), None, "n", value).expect("can be set");
        assert_eq!(edit.to_bytes(), Ok(file(written)), "{label}");
        assert_eq!(edit.apply().expect("is read").root().attribute("n").as_deref(), Some(value), "{label}");
    }
}

#[test]
fn a_name_that_the_encoding_cannot_say_is_refused() {
    let document = Document::parse(b"<?xml version='1.0' encoding='Shift_JIS'?><a/>").expect("is read");
    let mut edit = document.edit();
    edit.set_attribute(ElementIndex(0), None, "日", "1").expect("can be set");
    assert!(edit.to_bytes().is_ok());
    edit.set_attribute(ElementIndex(0), None, "größe", "1").expect("can be set");
    let error = edit.to_bytes().expect_err("is refused");
    assert_eq!(error, EditError::NameInEncoding { character: 'ö', encoding: "Shift_JIS" });
    assert!(error.to_string().contains("UTF-8"), "{error}");
}

/// In these there are several ways to write one text (U+FFE2 is FA 54 and 81 CA in Shift_JIS): what is not changed stays.
#[test]
fn what_is_not_changed_stays_byte_for_byte_in_encodings_with_several_ways() {
    for (label, name, changed) in [
        ("Shift_JIS", &b"\x83e\xfaT\x81\xca\xed@"[..], &b"\x93\xfa"[..]),
        ("Big5", b"\xa4\xa4\xa1Z\xa2\xcc\xa4Q", b"\xa4\xe9"),
        ("ISO-2022-JP", b"\x1b$BF|\x1b$BK\\\x1b(B", b"\x1b$BF|\x1b(B"),
    ] {
        let file = |values: [&[u8]; 3], added: &str| {
            let [n, m, o] = values;
            let head = format!("<?xml version='1.0' encoding='{label}'?><a n='");
            [head.as_bytes(), n, b"' m='", m, b"' o='", o, b"'", added.as_bytes(), b"/>"].concat()
        };
        let document = Document::parse(&file([name, b"1", name], "")).expect("is read");
        let change = |changes: &[(&str, &str)]| {
            let mut edit = document.edit();
            for (name, value) in changes {
                edit.set_attribute(ElementIndex(0), None, name, value).expect("can be set");
            }
            edit.to_bytes()
        };
        assert_eq!(change(&[("m", "2")]), Ok(file([name, b"2", name], "")), "{label}");
        assert_eq!(change(&[("m", "日")]), Ok(file([name, changed, name], "")), "{label}");
        assert_eq!(change(&[("n", "日"), ("o", "x")]), Ok(file([changed, b"1", b"x"], "")), "{label}");
        let added = " p=\"1\" q=\"2\"";
        assert_eq!(change(&[("p", "1"), ("q", "2")]), Ok(file([name, b"1", name], added)), "{label}");
    }
}

/// The file goes on in JIS X 0201, where 5C is U+00A5; a patch would leave it in ASCII, where it is not.
#[test]
fn a_change_within_a_shift_is_refused() {
    let bytes = b"<?xml version='1.0' encoding='ISO-2022-JP'?>\x1b(J<a n='1' m='\\'/>";
    let document = Document::parse(bytes).expect("is read");
    let mut edit = document.edit();
    edit.set_attribute(ElementIndex(0), None, "n", "日").expect("can be set");
    let error = edit.to_bytes().expect_err("is refused");
    assert_eq!(error, EditError::Encoding("ISO-2022-JP"));
    assert!(error.to_string().contains("UTF-8"), "{error}");
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
    assert_eq!(refuse("<?xml version='1.0' encoding='klingon'?><a/>"), ("xml-encoding-unknown", 1, 31));
    parse("<?xml version='1.0'?><a encoding='klingon'/>");
}

#[test]
fn an_encoding_is_declared_wherever_it_stands_in_the_declaration() {
    let space = " \r\n\t".repeat(5_000);
    for declaration in [
        format!("<?xml{space}version{space}={space}'1.0'{space}encoding{space}={space}'windows-1252'{space}?>"),
        format!("<?xml version='1.0' encoding='windows-1252'{space}standalone{space}={space}'yes'{space}?>"),
    ] {
        let bytes = [declaration.as_bytes(), b"<a n='gr\xF6\xDFe'/>"].concat();
        round_trip(&bytes, "windows-1252");
    }
    let styled = "<?xml-stylesheet href='a' encoding='windows-1252'?><a n='größe'/>";
    round_trip(styled.as_bytes(), "UTF-8");
}

#[test]
fn us_ascii_has_no_other_bytes() {
    for label in ["US-ASCII", "us-ascii", "ascii", "ISO646-US"] {
        let file = |value: &str| format!("<?xml version='1.0' encoding='{label}'?>\n<a n='{value}'/>").into_bytes();
        let document = Document::parse(&file("gr&#246;&#xDF;e")).expect("is read");
        assert_eq!(document.encoding(), "US-ASCII");
        assert_eq!(document.root().attribute("n").as_deref(), Some("größe"));
        let mut edit = document.edit();
        edit.set_attribute(ElementIndex(0), None, "n", "maß").expect("can be set");
        assert_eq!(edit.to_bytes(), Ok(file("ma&#223;")));
        edit.set_attribute(ElementIndex(0), None, "größe", "1").expect("can be set");
        let error = edit.to_bytes().expect_err("is refused");
        assert_eq!(error, EditError::NameInEncoding { character: 'ö', encoding: "US-ASCII" });
        assert_eq!(refuse([&file("gr")[..], b"\xF6"].concat()), ("xml-encoding", 2, 12));
    }
}
