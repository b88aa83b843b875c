//! Forms of fields as HTML, as Camunda's task list puts them on its page.

use std::fmt::Write as _;

use potok_core::dialect::FormField;

/// The pattern of dates.
const DATE: &str = "dd/MM/yyyy";

/// The form.
pub(crate) fn html(fields: &[FormField]) -> String {
    let mut page = Page::default();
    page.line("<form name=\"generatedForm\" role=\"form\">");
    for field in fields {
        page.open("<div class=\"form-group\">");
        if let Some(label) = &field.label {
            page.open(&format!("<label for=\"{}\">", escaped(&field.id)));
            page.text(label);
            page.close("</label>");
        }
        match &*field.kind {
            "enum" => choice(&mut page, field),
            "date" => date(&mut page, field),
            "boolean" => page.inside(&format!("<input{} type=\"checkbox\"{} />", attributes(field), value(field))),
            _ => page.inside(&format!("<input{} type=\"text\"{} />", attributes(field), value(field))),
        }
        complaints(&mut page, field);
        page.close("</div>");
    }
    page.line("</form>");
    page.html
}

/// Lines, each as deep as the elements around it.
#[derive(Default)]
struct Page {
    html: String,
    depth: usize,
}

impl Page {
    fn line(&mut self, line: &str) {
        self.html.extend(std::iter::repeat_n("  ", self.depth));
        self.html.push_str(line);
        self.html.push('\n');
    }

    /// A line inside the element around it.
    fn inside(&mut self, line: &str) {
        self.depth += 1;
        self.line(line);
        self.depth -= 1;
    }

    fn text(&mut self, text: &str) {
        self.inside(&escaped(text));
    }

    fn open(&mut self, tag: &str) {
        self.depth += 1;
        self.line(tag);
    }

    fn close(&mut self, tag: &str) {
        self.line(tag);
        self.depth -= 1;
    }

    fn element(&mut self, (open, close): (&str, &str), text: &str) {
        self.open(open);
        self.text(text);
        self.close(close);
    }
}

/// Text that means nothing else in HTML: Camunda does not escape it.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            other => safe.push(other),
        }
    }
    safe
}

/// An id as a word in the expressions of the page: anything else would be code.
fn word(field: &FormField) -> String {
    field.id.chars().filter(|character| character.is_alphanumeric() || *character == '_').collect()
}

/// The type of the field's variable, in the page's words.
fn kind(field: &FormField) -> String {
    let name = if matches!(&*field.kind, "enum" | "date") { "string" } else { &field.kind };
    let mut letters = name.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// What all fields have in common, with what their values must be.
fn attributes(field: &FormField) -> String {
    let (id, variable) = (escaped(&field.id), escaped(field.variable.as_ref().unwrap_or(&field.id)));
    let mut text = format!(" class=\"form-control\" name=\"{id}\" cam-variable-type=\"{}\"", escaped(&kind(field)));
    let _ = write!(text, " cam-variable-name=\"{variable}\"");
    if !field.writable {
        text.push_str(" disabled");
    }
    if field.required {
        text.push_str(" required");
    }
    for (name, bound) in &field.constraints {
        if let ("min" | "max" | "minlength" | "maxlength", Some(bound)) = (&**name, bound) {
            let _ = write!(text, " {name}=\"{}\"", escaped(bound));
        }
    }
    text
}

fn value(field: &FormField) -> String {
    let default = field.default.as_ref().filter(|default| !default.text.contains("${") && !default.text.contains("#{"));
    default.map(|default| format!(" value=\"{}\"", escaped(&default.text))).unwrap_or_default()
}

fn choice(page: &mut Page, field: &FormField) {
    page.open(&format!("<select{}>", attributes(field)));
    for (id, label) in &field.values {
        page.element((&format!("<option value=\"{}\">", escaped(id)), "</option>"), label);
    }
    page.close("</select>");
}

fn date(page: &mut Page, field: &FormField) {
    let word = word(field);
    page.open("<div class=\"input-group\">");
    if field.writable {
        let popup = format!("uib-datepicker-popup=\"{DATE}\" is-open=\"dateFieldOpened{word}\"");
        page.inside(&format!("<input{} type=\"text\" {popup} />", attributes(field)));
        page.open("<div class=\"input-group-btn\">");
        page.open(&format!("<button type=\"button\" class=\"btn btn-default\" ng-click=\"open{word}($event)\">"));
        page.open("<i class=\"glyphicon glyphicon-calendar\">");
        page.close("</i>");
        page.close("</button>");
        page.close("</div>");
        page.open("<script cam-script type=\"text/form-script\">");
        let opens = "$event.preventDefault(); $event.stopPropagation();";
        page.inside(&format!(
            "$scope.open{word} = function ($event) {{ {opens} $scope.dateFieldOpened{word} = true; }};"
        ));
        page.close("</script>");
    } else {
        page.inside(&format!("<input{} type=\"text\" />", attributes(field)));
    }
    page.close("</div>");
}

/// What the page says when a value will not do.
fn complaints(page: &mut Page, field: &FormField) {
    let at = format!("this.generatedForm.{}", word(field));
    let help = |condition: &str| format!("<div ng-show=\"{at}.$error.{condition}\" class=\"help-block\">");
    page.open(&format!("<div ng-if=\"{at}.$invalid && {at}.$dirty\" class=\"has-error\">"));
    if &*field.kind == "date" {
        page.element((&help(&format!("required && !{at}.$error.date")), "</div>"), "Required field");
        page.open(&help("date"));
        page.inside(&format!("Invalid date format: the date should have the pattern '{DATE}'"));
        page.close("</div>");
    } else {
        page.element((&help("required"), "</div>"), "Required field");
        let allowed = format!("Only a {} value is allowed", kind(field).to_lowercase());
        page.element((&help("camVariableType"), "</div>"), &allowed);
    }
    page.close("</div>");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_model_says_is_no_html() {
        let field = FormField {
            id: "a\"b".into(),
            label: Some("<script>alert('x')</script> & more".into()),
            kind: "date".into(),
            default: None,
            variable: None,
            required: false,
            readable: true,
            writable: true,
            values: Vec::new(),
            date_pattern: None,
            constraints: vec![("min".into(), Some("1\" onfocus=\"alert(1)".into()))],
            bounds_excluded: false,
            properties: Vec::new(),
        };
        let html = html(&[field]);
        assert!(html.contains("&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt; &amp; more"), "{html}");
        assert!(html.contains("min=\"1&quot; onfocus=&quot;alert(1)\""), "{html}");
        assert!(html.contains("$scope.openab = function"), "{html}");
    }
}
