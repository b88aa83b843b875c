//! What is wrong with a form (`.form`), and what of it `potok run` does not do.

use std::ops::Range;

use potok_core::diagnostic::{Diagnostic, Severity};
use potok_core::dialect::POTOK_NAMESPACE;
use potok_core::xml::{Document, Span};
use regex::Regex;
use serde_json::Value as Json;

/// The namespace of Camunda 8's extensions.
const ZEEBE: &str = "http://camunda.org/schema/zeebe/1.0";

/// Looks at a form as form-js writes it.
pub(super) fn check(text: &str) -> Vec<Diagnostic> {
    let no_form = |at, message: String| {
        let help = "save it from a form editor; a form is a JSON object with `components`";
        vec![finding(Severity::Error, "form-invalid", None, text, at..at, message, help)]
    };
    let form: Json = match serde_json::from_str(text) {
        Ok(form) => form,
        Err(error) => {
            let before = text.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum::<usize>();
            let at = (before + error.column().saturating_sub(1)).min(text.len());
            let at = (0..=at).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
            return no_form(at, format!("this is no JSON: {error}"));
        }
    };
    let Some(components) = form.get("components").and_then(Json::as_array) else {
        return no_form(0, "this is no form: it has no `components`".to_owned());
    };
    let mut found = Vec::new();
    let mut open: Vec<&Json> = components.iter().rev().collect();
    while let Some(component) = open.pop() {
        let malformed = malformed(component).map(|(message, help)| (Severity::Error, "form-invalid", message, help));
        let not_honoured =
            || not_honoured(component).map(|(message, help)| (Severity::Warning, "form-not-honoured", message, help));
        if let Some((severity, code, message, help)) = malformed.or_else(not_honoured) {
            let id = component.get("id").or_else(|| component.get("key")).and_then(Json::as_str);
            let written = id.map(|id| format!("\"{id}\"")).unwrap_or_default();
            let at = text.find(&written).unwrap_or(0);
            let place = at..at + written.len();
            found.push(finding(severity, code, id, text, place, message, help));
        }
        open.extend(component.get("components").and_then(Json::as_array).into_iter().flatten().rev());
    }
    found
}

/// Looks at the forms that stand in a model of Camunda 8. What is found stands at the tag of its form.
pub(super) fn check_embedded(document: &Document) -> Vec<Diagnostic> {
    let forms = document.elements().filter(|element| element.is(ZEEBE, "userTaskForm"));
    forms
        .flat_map(|form| {
            let id = form.attribute("id").unwrap_or_default();
            check(&form.text()).into_iter().map(move |found| {
                let (line, column) = document.line_column(form.tag_span().start);
                let place = found.element.map(|component| format!(", `{component}`")).unwrap_or_default();
                Diagnostic {
                    element: Some(id.as_ref().into()),
                    span: form.tag_span(),
                    line,
                    column,
                    message: format!("form `{id}`{place}: {}", found.message),
                    ..found
                }
            })
        })
        .collect()
}

/// Looks at the patterns of form fields that the model itself describes.
pub(super) fn check_patterns(document: &Document) -> Vec<Diagnostic> {
    let unreadable = document.elements().filter_map(|element| {
        let pattern = match element.name() {
            "formField" if element.namespace() == POTOK_NAMESPACE => element.attribute("pattern"),
            "constraint" if element.attribute("name").is_some_and(|name| name.trim() == "pattern") => {
                element.attribute("config")
            }
            _ => None,
        };
        let pattern = pattern.filter(|pattern| Regex::new(pattern).is_err())?;
        let field = std::iter::successors(Some(element), |element| element.parent());
        let field = field.into_iter().find(|element| element.name() == "formField")?;
        Some(document.diagnostic(
            "extension-value-invalid",
            Severity::Warning,
            element.index(),
            format!(
                "the pattern `{pattern}` of the field `{}` cannot be read: no answer will do",
                field.attribute("id").unwrap_or_default()
            ),
            READABLE,
        ))
    });
    unreadable.collect()
}

/// How to write a pattern.
const READABLE: &str = "write it without looking ahead or back, and without references to what was found before";

/// What stands in a form without being asked for.
const SHOWN: &[&str] = &[
    "button",
    "columns",
    "default",
    "documentPreview",
    "dynamiclist",
    "expression",
    "group",
    "html",
    "iframe",
    "image",
    "separator",
    "spacer",
    "table",
    "text",
];

/// What is asked for, and put into a variable.
const ASKED: &[&str] = &[
    "checkbox",
    "checklist",
    "datetime",
    "filepicker",
    "number",
    "radio",
    "select",
    "taglist",
    "textarea",
    "textfield",
];

fn malformed(component: &Json) -> Option<(String, &'static str)> {
    let word = |name: &str| component.get(name).and_then(Json::as_str).filter(|text| !text.trim().is_empty());
    match (word("type"), word("key")) {
        (None, _) => Some(("a component without a `type`".to_owned(), "say what it is, e.g. \"type\": \"textfield\"")),
        (Some(kind), None) if ASKED.contains(&kind) => Some((
            format!("a {kind} without a `key`: no variable takes what people give"),
            "give it a key, the name of its variable",
        )),
        _ => None,
    }
}

fn not_honoured(component: &Json) -> Option<(String, &'static str)> {
    let word = |name: &str| component.get(name).and_then(Json::as_str).filter(|text| !text.trim().is_empty());
    let pattern = component.get("validate").and_then(|validate| validate.get("pattern")).and_then(Json::as_str);
    match (word("type")?, word("path")) {
        ("dynamiclist", _) => Some((
            "a dynamic list is not asked for: its fields are asked once, as if they stood alone".to_owned(),
            "ask for the list in a field of its own, as JSON",
        )),
        ("expression", _) => Some((
            "the value of an expression field is not computed".to_owned(),
            "compute it with an output mapping of the task",
        )),
        (_, Some(path)) => Some((
            format!("the path `{path}` has no effect: the fields inside are variables by their keys alone"),
            "leave the path empty, and put the variables together with an output mapping of the task",
        )),
        (kind, _) if !ASKED.contains(&kind) && !SHOWN.contains(&kind) => Some((
            format!("a component of the type `{kind}` is not known: it is not asked for"),
            "check the spelling; a part of a type of your own is for your own form viewer",
        )),
        _ if pattern.is_some_and(|pattern| Regex::new(pattern).is_err()) => {
            Some((format!("the pattern `{}` cannot be read: no answer will do", pattern.unwrap_or_default()), READABLE))
        }
        _ => None,
    }
}

fn finding(
    severity: Severity,
    code: &'static str,
    element: Option<&str>,
    text: &str,
    place: Range<usize>,
    message: String,
    help: &str,
) -> Diagnostic {
    let before = &text[..place.start];
    let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count();
    Diagnostic {
        code,
        severity,
        element: element.map(Into::into),
        span: Span { start: number(place.start), end: number(place.end) },
        line: number(before.matches('\n').count() + 1),
        column: number(column + 1),
        message,
        help: help.into(),
    }
}

#[cfg(test)]
mod tests {
    use potok_core::xml::Document;

    use super::{check, check_patterns};

    fn codes(text: &str) -> Vec<(&'static str, u32)> {
        check(text).iter().map(|found| (found.code, found.line)).collect()
    }

    #[test]
    fn what_is_no_form_is_an_error() {
        assert_eq!(codes("{\n"), [("form-invalid", 2)]);
        assert_eq!(codes("{}"), [("form-invalid", 1)]);
        assert_eq!(codes(r#"{"components": [{"type": "textfield", "key": "a"}]}"#), []);
    }

    #[test]
    fn a_component_says_what_it_is_and_where_its_value_goes() {
        let form = r#"{"components": [
            {"id": "a", "key": "a"},
            {"id": "b", "type": "textfield"},
            {"id": "c", "type": "textfeld", "key": "c"},
            {"id": "d", "type": "text"}]}"#;
        assert_eq!(codes(form), [("form-invalid", 2), ("form-invalid", 3), ("form-not-honoured", 4)]);
    }

    #[test]
    fn what_is_not_done_is_told_where_it_stands() {
        let form = r#"{"components": [
            {"type": "group", "id": "g", "path": "order", "components": [
                {"type": "textfield", "key": "a", "validate": {"pattern": "(?=x)"}}]},
            {"type": "dynamiclist", "id": "d", "path": "lines", "components": []},
            {"type": "expression", "key": "e"}]}"#;
        assert_eq!(codes(form), [2, 3, 4, 5].map(|line| ("form-not-honoured", line)));
    }

    #[test]
    fn a_pattern_of_a_field_in_the_model_can_be_read() {
        let model = r#"<definitions xmlns:potok="urn:potok:bpmn:1.0" xmlns:camunda="http://camunda.org/schema/1.0/bpmn">
            <potok:formField id="a" pattern="("/>
            <potok:formField id="b" pattern="^[A-Z]+$"/>
            <camunda:formField id="c"><camunda:validation>
                <camunda:constraint name="pattern" config="(?=x)"/>
                <camunda:constraint name="minlength" config="("/></camunda:validation></camunda:formField></definitions>"#;
        let found = check_patterns(&Document::parse(model.as_bytes()).expect("XML"));
        let found: Vec<_> = found.iter().map(|found| (found.code, found.line, &*found.message)).collect();
        let message = |pattern: &str, field: &str| {
            format!("the pattern `{pattern}` of the field `{field}` cannot be read: no answer will do")
        };
        assert_eq!(
            found,
            [
                ("extension-value-invalid", 2, &*message("(", "a")),
                ("extension-value-invalid", 5, &*message("(?=x)", "c"))
            ]
        );
    }
}
