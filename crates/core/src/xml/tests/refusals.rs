use super::{parse, refuse};
use crate::xml::{Document, Limits};

#[test]
fn document_types_are_refused_before_anything_is_expanded() {
    let laughs = "<?xml version='1.0'?>\n<!DOCTYPE a [<!ENTITY b 'bb'><!ENTITY c '&b;&b;'>]>\n<a>&c;</a>";
    assert_eq!(refuse(laughs), ("xml-doctype", 2, 1));
    assert_eq!(refuse("<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>").0, "xml-doctype");
    assert_eq!(refuse("<!DOCTYPE a [").0, "xml-doctype");
    assert_eq!(refuse("<a>&c;</a>"), ("xml-entity-unknown", 1, 4));
    assert_eq!(refuse("<a b='x&y;'/>"), ("xml-entity-unknown", 1, 8));
    assert_eq!(refuse("<a b='a&b'/>"), ("xml-entity-unknown", 1, 8));
    assert_eq!(refuse("<a>&#0;</a>").0, "xml-entity-unknown");
    assert_eq!(refuse("<a>&#xD800;</a>").0, "xml-entity-unknown");
}

#[test]
fn deep_nesting_neither_hangs_nor_overflows() {
    let deep = "<a>".repeat(100_000) + &"</a>".repeat(100_000);
    assert_eq!(refuse(&deep), ("xml-too-deep", 1, 3_001));
    let open = "<a>".repeat(100_000);
    assert_eq!(refuse(&open).0, "xml-too-deep");
}

#[test]
fn limits_are_kept() {
    let limits = Limits { bytes: 10, ..Limits::default() };
    assert!(Document::parse_within(b"<a>12345</a>", &limits).is_err_and(|fault| fault.code == "xml-too-large"));
    assert!(Document::parse_within(b"<a>123</a>", &limits).is_ok());
    let many: String = (0..300).map(|n| format!(" xmlns:p{n}='u{n}'")).collect();
    assert_eq!(refuse(format!("<a{many}/>")).0, "xml-too-many-namespaces");
    let many: String = (0..1_001).map(|n| format!(" a{n}=''")).collect();
    assert_eq!(refuse(format!("<a{many}/>")).0, "xml-too-many-attributes");
    // As siblings they are not in force together.
    let siblings: String = (0..300).map(|n| format!("<p{n}:b xmlns:p{n}='u{n}'/>")).collect();
    assert_eq!(parse(&format!("<a>{siblings}</a>")).len(), 301);
}

#[test]
fn what_is_not_well_formed_is_refused_at_its_place() {
    for (text, line, column) in [
        ("", 1, 1),
        ("hello", 1, 1),
        ("<!-- only -->", 1, 1),
        ("<a>\n<b>\n</a>", 3, 1),
        ("<a>\n  <b>", 2, 3),
        ("<a", 1, 1),
        ("<a b=\"1></a>", 1, 1),
        ("<a/></a>", 1, 5),
        ("<a/><b/>", 1, 5),
        ("<a/>text", 1, 5),
        ("<a b/>", 1, 4),
        ("<a b=c/>", 1, 4),
        ("<a b='1'c='2'/>", 1, 9),
        ("<a b='<'/>", 1, 7),
        ("<a b='1' b='2'/>", 1, 10),
        ("<a xmlns:p='u' xmlns:q='u' p:b='1' q:b='2'/>", 1, 36),
        ("<a xmlns:p='u' xmlns:p='v'/>", 1, 16),
        ("<1a/>", 1, 2),
        ("<a:b:c xmlns:a='u'/>", 1, 2),
        ("<a :b='c'/>", 1, 4),
        ("< a/>", 1, 2),
        ("<a><!-- </a>", 1, 4),
        ("<a><!-- b -- c --></a>", 1, 11),
        ("<a><!-- b ---></a>", 1, 11),
        ("<a>\n b ]]> c</a>", 2, 4),
        ("<a>\u{1}</a>", 1, 4),
        ("<a b='\u{ff0c}'>\u{fffe}</a>", 1, 10),
        (" <?xml version='1.0'?><a/>", 1, 2),
        ("<?xml version='1.0' standalone='maybe'?><a/>", 1, 1),
        ("<a xmlns:xml='u'/>", 1, 15),
        ("<a xmlns:p='http://www.w3.org/XML/1998/namespace'/>", 1, 13),
        ("<a xmlns:xmlns='u'/>", 1, 17),
        ("<a xmlns='http://www.w3.org/2000/xmlns/'/>", 1, 11),
    ] {
        assert_eq!(refuse(text), ("xml-malformed", line, column), "{text}");
    }
    parse("<a><!-- - b - --><!----><![CDATA[]]]]><![CDATA[>]]>]]&gt; ]]</a>");
    let many: String = (0..40).map(|n| format!(" b{n}='1'")).collect();
    assert_eq!(refuse(format!("<a{many} b7='2'/>")).0, "xml-malformed");
}

#[test]
fn prefixes_must_be_declared() {
    assert_eq!(refuse("<a>\n<b:c/></a>"), ("xml-prefix-unbound", 2, 2));
    assert_eq!(refuse("<a b:c='1'/>"), ("xml-prefix-unbound", 1, 4));
    assert_eq!(refuse("<a><b xmlns:p='u'/><p:c/></a>").0, "xml-prefix-unbound", "a declaration ends with its element");
    assert_eq!(parse("<a xml:lang='en'/>").root().attributes().count(), 1);
}

proptest::proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes: Vec<u8>) {
        let _ = Document::parse(&bytes);
    }

    #[test]
    fn arbitrary_markup_never_panics(text in "[<>/a:b='\" !\\[\\]&;#x?-]{0,60}") {
        if let Ok(document) = Document::parse(text.as_bytes()) {
            for element in document.elements() {
                let _ = (element.text(), element.attributes().map(|a| a.value().len()).sum::<usize>());
                let _ = document.line_column(element.span().end);
            }
            assert_eq!(document.to_bytes(), text.as_bytes());
        }
    }
}
