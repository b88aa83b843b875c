//! What is wrong with a form (`.form`), and what of it `potok run` does not do.

use std::ops::Range;

use potok_core::diagnostic::{Diagnostic, Severity};
use potok_core::xml::Span;
use regex::Regex;
use serde_json::Value as Json;

/// Looks at a form as form-js writes it.
pub(super) fn check(text: &str) -> Vec<Diagnostic> {
    let invalid = |at, message: String| {
        let help = "save it from a form editor; a form is a JSON object with `components`";
        vec![finding(Severity::Error, "form-invalid", None, text, at..at, message, help)]
    };
    let form: Json = match serde_json::from_str(text) {
        Ok(form) => form,
        Err(error) => {
            let before = text.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum::<usize>();
            let at = (before + error.column().saturating_sub(1)).min(text.len());
            let at = (0..=at).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
            return invalid(at, format!("this is no JSON: {error}"));
        }
    };
    let Some(components) = form.get("components").and_then(Json::as_array) else {
        return invalid(0, "this is no form: it has no `components`".to_owned());
    };
    let mut found = Vec::new();
    let mut open: Vec<&Json> = components.iter().rev().collect();
    while let Some(component) = open.pop() {
        if let Some((message, help)) = not_honoured(component) {
            let id = component.get("id").or_else(|| component.get("key")).and_then(Json::as_str);
            let written = id.map(|id| format!("\"{id}\"")).unwrap_or_default();
            let at = text.find(&written).unwrap_or(0);
            let place = at..at + written.len();
            found.push(finding(Severity::Warning, "form-not-honoured", id, text, place, message, help));
        }
        open.extend(component.get("components").and_then(Json::as_array).into_iter().flatten().rev());
    }
    found
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
        _ if pattern.is_some_and(|pattern| Regex::new(pattern).is_err()) => Some((
            format!("the pattern `{}` cannot be read: no answer will do", pattern.unwrap_or_default()),
            "write it without looking ahead or back, and without references to what was found before",
        )),
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
    use super::check;

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
    fn what_is_not_done_is_told_where_it_stands() {
        let form = r#"{"components": [
            {"type": "group", "id": "g", "path": "order", "components": [
                {"type": "textfield", "key": "a", "validate": {"pattern": "(?=x)"}}]},
            {"type": "dynamiclist", "id": "d", "path": "lines", "components": []},
            {"type": "expression", "key": "e"}]}"#;
        assert_eq!(codes(form), [2, 3, 4, 5].map(|line| ("form-not-honoured", line)));
    }
}
