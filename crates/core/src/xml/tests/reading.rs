use super::parse;
use crate::xml::ElementIndex;

#[test]
fn names_and_namespaces_come_from_uris_not_prefixes() {
    let document = parse(
        r#"<a:r xmlns:a="one" xmlns:b="one" xmlns="two" x="1" b:x="2" a:y="3"><b:c/><d/><e xmlns=""/><f xmlns:a="three"><a:g/></f><a:h/></a:r>"#,
    );
    let root = document.root();
    assert_eq!((root.namespace(), root.name()), ("one", "r"));
    assert_eq!(root.attribute("x").as_deref(), Some("1"), "an unprefixed attribute is in no namespace");
    assert_eq!(root.attribute_in("one", "x").as_deref(), Some("2"));
    assert_eq!(root.attribute_in("one", "y").as_deref(), Some("3"));
    assert_eq!(root.attribute("y"), None);
    assert_eq!(root.attribute("xmlns"), None, "a declaration is no attribute");
    assert_eq!(root.attributes().count(), 3);
    let names: Vec<_> = document.elements().map(|e| (e.namespace(), e.name())).collect();
    let expected = [("one", "r"), ("one", "c"), ("two", "d"), ("", "e"), ("two", "f"), ("three", "g"), ("one", "h")];
    assert_eq!(names, expected);
}

#[test]
fn the_tree_is_walked_by_children_and_parents() {
    let document = parse("<a><b><c/><d><e/></d></b><f/></a>");
    let names = |element: crate::xml::Element<'_>| element.children().map(|c| c.name().to_owned()).collect::<String>();
    let root = document.root();
    assert_eq!(names(root), "bf");
    let b = root.children().next().unwrap();
    assert_eq!(names(b), "cd");
    assert_eq!(b.descendants().map(|e| e.name()).collect::<String>(), "cde");
    let e = document.element(ElementIndex(4));
    assert_eq!((e.name(), names(e).as_str()), ("e", ""));
    assert_eq!(e.parent().unwrap().parent(), Some(b));
    assert_eq!(root.parent(), None);
}

#[test]
fn text_is_the_direct_character_data_alone() {
    let document = parse("<a> 1 &lt;<!-- <b> no -->2<b>no</b><![CDATA[<3&amp;>]]><?p no?>&#x34;\r\n5<c/>6</a>");
    assert_eq!(document.root().text(), " 1 <2<3&amp;>4\n56");
    let plain = parse("<a>${x}</a>");
    assert!(matches!(plain.root().text(), std::borrow::Cow::Borrowed("${x}")), "plain text is not copied");
    assert_eq!(parse("<a/>").root().text(), "");
    assert_eq!(parse("<a><!--></a>--></a>").root().text(), "");
}

#[test]
fn attribute_values_are_normalized_and_decoded() {
    let document = parse("<a b='&quot;&amp;lt;\r\n\tx&#10;&#x1F600;' c=\"it's\" />");
    assert_eq!(document.root().attribute("b").as_deref(), Some("\"&lt;  x\n\u{1F600}"));
    assert_eq!(document.root().attribute("c").as_deref(), Some("it's"));
}

#[test]
fn spans_cover_what_is_written() {
    let text = "<a>\n  <b c = 'd'>x</b >\n</a>";
    let document = parse(text);
    let b = document.root().children().next().unwrap();
    assert_eq!(b.span().of(text), "<b c = 'd'>x</b >");
    assert_eq!(b.tag_span().of(text), "<b c = 'd'>");
    let c = b.attributes().next().unwrap();
    assert_eq!((c.span().of(text), c.value_span().of(text)), ("c = 'd'", "d"));
    assert_eq!(document.root().span().of(text), text);
}

#[test]
fn columns_count_characters_and_lines_end_in_three_ways() {
    let text = "\u{feff}<a>\r\n  <!-- жук --><b/>\r<c/>\n<d/></a>";
    let document = parse(text);
    let places: Vec<_> = document.elements().map(|e| document.line_column(e.span().start)).collect();
    assert_eq!(places, [(1, 1), (2, 15), (3, 1), (4, 1)]);
    let b = document.element(ElementIndex(1));
    assert_eq!(document.source_line(b.span().start), "  <!-- жук --><b/>");
    assert_eq!(document.source_line(0), "<a>");
}

#[test]
fn a_column_far_into_one_long_line_is_right() {
    let text = format!("<a>{}<b/></a>", "ж".repeat(20_000));
    let document = parse(&text);
    assert_eq!(document.line_column(document.element(ElementIndex(1)).span().start), (1, 20_004));
    assert_eq!(document.line_column(u32::MAX).0, 1);
}

#[test]
fn a_thousand_levels_are_read() {
    let text = "<a>".repeat(1_000) + &"</a>".repeat(1_000);
    assert_eq!(parse(&text).len(), 1_000);
}
