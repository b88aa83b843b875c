use super::parse;
use crate::xml::{EditError, ElementIndex};

const ROOT: ElementIndex = ElementIndex(0);

/// The text after setting one attribute of the root.
fn set(text: &str, namespace: Option<&str>, name: &str, value: &str) -> String {
    let document = parse(text);
    let mut edit = document.edit();
    edit.set_attribute(ROOT, namespace, name, value).expect("can be set");
    let edited = String::from_utf8(edit.to_bytes().expect("can be written")).expect("is UTF-8");
    let read = parse(&edited).root().attribute_in(namespace.unwrap_or_default(), name).map(|v| v.into_owned());
    assert_eq!(read.as_deref(), Some(value), "{edited}");
    edited
}

#[test]
fn a_value_is_replaced_in_its_quotes() {
    assert_eq!(
        set("<a  b = 'x'\n c=\"y\" />", None, "b", "it's \"<&\n"),
        "<a  b = 'it&apos;s \"&lt;&amp;&#10;'\n c=\"y\" />"
    );
}

#[test]
fn an_attribute_is_added_after_the_last() {
    assert_eq!(set("<a>x</a>", None, "b", "1"), "<a b=\"1\">x</a>");
    assert_eq!(set("<a c='2' \n/>", None, "b", "1"), "<a c='2' b=\"1\" \n/>");
}

#[test]
fn a_namespace_gets_the_prefix_that_it_has() {
    assert_eq!(set("<a xmlns:p='u' p:c=''/>", Some("u"), "c", "1"), "<a xmlns:p='u' p:c='1'/>");
    assert_eq!(set("<a xmlns:p='u'/>", Some("u"), "c", "1"), "<a xmlns:p='u' p:c=\"1\"/>");
    let of_default = set("<a xmlns='u'/>", Some("u"), "c", "1");
    assert_eq!(of_default, "<a xmlns='u' xmlns:u=\"u\" u:c=\"1\"/>", "attributes have no default namespace");
    let declared = set("<a xmlns:zeebe='v'/>", Some("http://camunda.org/schema/zeebe/1.0"), "c", "1");
    assert_eq!(declared, "<a xmlns:zeebe='v' xmlns:zeebe2=\"http://camunda.org/schema/zeebe/1.0\" zeebe2:c=\"1\"/>");
}

#[test]
fn a_prefix_with_another_meaning_inside_is_not_used() {
    let document = parse("<a xmlns:p='u'><b xmlns:p='v'/></a>");
    let mut edit = document.edit();
    edit.set_attribute(ElementIndex(1), Some("u"), "c", "1").expect("can be set");
    let edited = edit.apply().expect("is read");
    assert_eq!(edited.element(ElementIndex(1)).attribute_in("u", "c").as_deref(), Some("1"));
}

#[test]
fn several_changes_are_made_at_once() {
    let document = parse("<a b='1' c='2'><d e='3'/></a>");
    let mut edit = document.edit();
    edit.set_attribute(ElementIndex(1), None, "e", "first").expect("can be set");
    edit.set_attribute(ElementIndex(1), None, "e", "4").expect("can be set");
    edit.set_attribute(ROOT, Some("x/n"), "g", "5").expect("can be set");
    edit.set_attribute(ROOT, Some("x/n"), "f", "6").expect("can be set");
    edit.set_attribute(ROOT, Some("y/n"), "f", "7").expect("can be set");
    edit.remove_attribute(ROOT, None, "c").expect("can be removed");
    edit.remove_attribute(ROOT, None, "nothing").expect("changes nothing");
    assert_eq!(
        String::from_utf8(edit.to_bytes().expect("can be written")).expect("is UTF-8"),
        "<a b='1' xmlns:n=\"x/n\" n:f=\"6\" n:g=\"5\" xmlns:n2=\"y/n\" n2:f=\"7\"><d e='4'/></a>"
    );
}

#[test]
fn what_cannot_be_written_is_refused() {
    let document = parse("<a/>");
    let mut edit = document.edit();
    assert_eq!(edit.set_attribute(ElementIndex(1), None, "b", "").err(), Some(EditError::Element(ElementIndex(1))));
    assert_eq!(edit.set_attribute(ROOT, None, "b c", "").err(), Some(EditError::Name("b c".into())));
    assert_eq!(edit.set_attribute(ROOT, None, "xmlns", "").err(), Some(EditError::Name("xmlns".into())));
    assert_eq!(edit.set_attribute(ROOT, None, "b", "\0").err(), Some(EditError::Character('\0')));
    assert_eq!(edit.to_bytes().as_deref(), Ok(&b"<a/>"[..]));
}

proptest::proptest! {
    #[test]
    fn any_value_reads_back(value in "[ -~\\n\\t\\r\u{80}-\u{2000}]{0,20}", name in "[a-z]{1,3}", namespace in "[a-c/]{0,3}") {
        let namespace = (!namespace.is_empty()).then_some(namespace.as_str());
        set("<a b='1' xmlns:c='c'\n  c:d=\"2\">text</a>", namespace, &name, &value);
    }
}
