//! Expressions that cannot be read.

use super::ExpressionKind;
use crate::Name;
use crate::diagnostic::{Diagnostic, Severity};
use crate::expressions::{CompileError, Expressions, Language, Purpose};
use crate::model::{Definitions, Expression, is_flow_node};
use crate::value::Value;
use crate::xml::Element;

/// Why an expression does not compile.
pub(super) enum Fault {
    /// Nobody here knows its language.
    Unknown(Name),
    /// It is none of its language.
    Invalid(CompileError),
}

/// Compiles an expression.
pub(super) fn compiled(
    expression: &Expression,
    purpose: Purpose,
    expressions: &dyn Expressions,
) -> Result<ExpressionKind, Fault> {
    match &expression.language {
        Language::Literal => Ok(ExpressionKind::Literal(Value::String(expression.text.clone()))),
        Language::Other(language) => Err(Fault::Unknown(language.clone())),
        language => {
            let compiled = expressions.compile(language, purpose, &expression.text);
            compiled.map(ExpressionKind::Compiled).map_err(Fault::Invalid)
        }
    }
}

impl Fault {
    /// The finding: about the flow node or flow that the expression is part of, at the expression's own place.
    pub(super) fn diagnostic(
        &self,
        definitions: &Definitions,
        expression: &Expression,
        is_drawing: bool,
    ) -> Diagnostic {
        let element = definitions.document.element(expression.element);
        let located = element.locate(&expression.text);
        let holder = match located.as_ref().and_then(|located| located.attribute) {
            Some(attribute) => {
                let written = attribute.span().of(definitions.document.text());
                written.split('=').next().unwrap_or_default().trim().to_owned()
            }
            None => format!("<{}>", element.name()),
        };
        let shown = shorten(&expression.text);
        let (code, message, help, offset) = match self {
            Self::Unknown(language) => (
                "expression-language-unknown",
                format!("`{shown}` in {holder} is in `{language}`, which this engine does not evaluate"),
                "write it in FEEL, as ${...}, or in JavaScript; or make it a job for a worker",
                0,
            ),
            Self::Invalid(error) => (
                "expression-invalid",
                format!("the expression `{shown}` in {holder} cannot be read: {}", error.message),
                match expression.language {
                    Language::Template if expression.text.contains("${") || expression.text.contains("#{") => {
                        "correct it; docs/expressions.md says what it can be made of"
                    }
                    Language::Template => "write it as ${...}, e.g. ${amount > 100 && approved}",
                    Language::JavaScript => "correct the script; its last expression is its result",
                    _ => "write it in FEEL, e.g. amount > 100 and approved = true; text stands in double quotes",
                },
                error.offset.unwrap_or(0),
            ),
        };
        let severity = if is_drawing { Severity::Warning } else { Severity::Error };
        let mut diagnostic = definitions.diagnostic(code, severity, expression.element, message, help);
        diagnostic.element = owner(element).or(diagnostic.element);
        if let Some(located) = located {
            diagnostic.span = located.span(offset);
            (diagnostic.line, diagnostic.column) = definitions.document.line_column(diagnostic.span.start);
        }
        diagnostic
    }
}

/// The id of the flow node or flow that an element is part of, else of the next element around that has one.
pub(super) fn owner(element: Element<'_>) -> Option<Name> {
    let around = || std::iter::successors(Some(element), |element| element.parent());
    let is_shown = |element: &Element<'_>| is_flow_node(element.name()) || element.name() == "sequenceFlow";
    let id = |element: Element<'_>| element.attribute("id").filter(|id| !id.is_empty()).map(Name::from);
    around().filter(is_shown).find_map(id).or_else(|| around().find_map(id))
}

/// The beginning of a text, on one line.
fn shorten(text: &str) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if text.chars().count() <= 60 { text } else { text.chars().take(57).chain("...".chars()).collect() }
}
