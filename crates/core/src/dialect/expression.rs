//! Which language an expression is written in.

use super::{Dialect, Reader};
use crate::Name;
use crate::expressions::Language;
use crate::model::Expression;
use crate::xml::{Element, ElementIndex};

/// What an expression is for. It decides how text without any mark of a language is understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ExpressionUse {
    /// Decides a way: unmarked text is FEEL (in Camunda 7's and Flowable's dialects it stays theirs).
    Condition,
    /// Gives a value: unmarked text is the value.
    Value,
    /// Gives a point in time, a duration or a cycle: unmarked text is the value.
    Timer,
    /// Is a piece of program: unmarked text is FEEL (in Camunda 7's and Flowable's dialects it stays theirs).
    Script,
    /// Names a message, signal, error or escalation: unmarked text is the name.
    Name,
}

impl<'d> Reader<'d> {
    /// Reads the expression that is an element's text: a formal expression, or a script. Only the expression's own
    /// `language` (for scripts: `scriptFormat`) counts, never one that is declared for the whole file.
    #[must_use]
    pub fn expression(&self, element: Element<'d>, usage: ExpressionUse) -> Expression {
        let text = element.text();
        let mut language = element.attribute("language").filter(|language| !language.trim().is_empty());
        if usage == ExpressionUse::Script {
            language = language.or_else(|| element.attribute("scriptFormat"));
            if language.is_none() && element.name() == "script" {
                language = element.parent().and_then(|task| task.attribute("scriptFormat"));
            }
            return self.classify(element.index(), &text, language.as_deref(), usage);
        }
        self.classify(element.index(), text.trim(), language.as_deref(), usage)
    }

    /// Reads the expression that is an attribute's value; an absent attribute gives an empty literal.
    #[must_use]
    pub fn attribute_expression(&self, element: Element<'d>, attribute: &str, usage: ExpressionUse) -> Expression {
        let text = element.attribute(attribute).unwrap_or_default();
        self.classify(element.index(), &text, None, usage)
    }

    /// A text that stands in an attribute of a dialect.
    pub(super) fn text_expression(&self, element: Element<'d>, text: &str, usage: ExpressionUse) -> Expression {
        self.classify(element.index(), text, None, usage)
    }

    /// A script that stands in an extension element.
    pub(super) fn script(&self, element: Element<'d>, text: &str, language: Option<&str>) -> Expression {
        self.classify(element.index(), text, language, ExpressionUse::Script)
    }

    /// A text that gives a value.
    pub(super) fn value(&self, element: Element<'d>, text: &str) -> Expression {
        self.classify(element.index(), text, None, ExpressionUse::Value)
    }

    fn classify(&self, element: ElementIndex, text: &str, language: Option<&str>, usage: ExpressionUse) -> Expression {
        let language = language.map(str::trim).filter(|language| !language.is_empty());
        let language = match language {
            Some(language) => known(language),
            None => guess(text, usage, self.dialect()),
        };
        let text = match language {
            // `=` is Camunda 8's mark of FEEL; no FEEL expression begins with it.
            Language::Feel => {
                let text = text.trim();
                text.strip_prefix('=').map_or(text, str::trim_start)
            }
            _ => text,
        };
        Expression { text: Name::from(text), language, element }
    }
}

/// A text that is a value whatever it looks like.
pub(super) fn literal(element: Element<'_>, text: &str) -> Expression {
    Expression { text: Name::from(text), language: Language::Literal, element: element.index() }
}

/// The language that a model names, by a URI or a word.
fn known(language: &str) -> Language {
    let lower = language.to_ascii_lowercase();
    if lower.contains("feel") {
        return Language::Feel;
    }
    if lower.ends_with("juel") || lower == "http://java.sun.com/products/el" {
        return Language::Template;
    }
    let java_script = lower.contains("javascript")
        || lower.contains("ecmascript")
        || matches!(lower.as_str(), "js" | "node" | "nodejs" | "graal.js" | "nashorn");
    if java_script { Language::JavaScript } else { Language::Other(Name::from(language)) }
}

/// The language of a text that names none.
fn guess(text: &str, usage: ExpressionUse, dialect: Dialect) -> Language {
    if text.trim_start().starts_with('=') {
        return Language::Feel;
    }
    if text.contains("${") || text.contains("#{") {
        return Language::Template;
    }
    match usage {
        ExpressionUse::Value | ExpressionUse::Timer | ExpressionUse::Name => Language::Literal,
        ExpressionUse::Condition | ExpressionUse::Script => match dialect {
            // There an unmarked condition is a text, which is neither true nor false: it must fail here as it does
            // there; and a script without a format is one of their expressions.
            Dialect::Camunda | Dialect::Flowable => Language::Template,
            Dialect::Standard | Dialect::Zeebe => Language::Feel,
        },
    }
}
