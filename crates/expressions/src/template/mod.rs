//! Text with `${...}` or `#{...}` in it, as models for Camunda 7 and Flowable write it: the part of Java's expression
//! language that models use, without Java.

mod coerce;
mod context;
mod evaluate;
mod method;
mod node;
mod parse;
mod token;

#[cfg(test)]
mod tests;

use potok_core::Name;
use potok_core::expressions::{CompileError, CompiledExpression, Evaluation, EvaluationError, Purpose, Quick, Sight};
use potok_core::value::Value;

use node::Node;
use parse::Parser;

/// The longest text that is compiled, in bytes.
const MAX_LENGTH: usize = 256 * 1024;
/// The longest text that an evaluation gives.
const MAX_RESULT: usize = 4 * 1024 * 1024;

/// A compiled text.
#[derive(Debug)]
pub(crate) struct Template {
    parts: Vec<Part>,
    reads: Option<Vec<Name>>,
}

#[derive(Debug)]
enum Part {
    Text(Name),
    Expression(Node),
}

/// Compiles a text. A single `${...}` keeps its value's type, anything else gives text.
pub(crate) fn compile(text: &str, purpose: Purpose) -> Result<Template, CompileError> {
    if text.len() > MAX_LENGTH {
        return Err(token::error(format!("the text is longer than {MAX_LENGTH} bytes"), MAX_LENGTH));
    }
    let mut parts = Vec::new();
    let mut plain = String::new();
    let mut at = 0;
    while let Some(found) = text[at..].find(['$', '#', '\\']) {
        let start = at + found;
        plain.push_str(&text[at..start]);
        let rest = &text[start..];
        if rest.starts_with("\\${") || rest.starts_with("\\#{") {
            plain.push_str(&rest[1..3]);
            at = start + 3;
        } else if rest.starts_with("${") || rest.starts_with("#{") {
            let (tokens, end) = token::scan(text, start + 2)?;
            if !plain.is_empty() {
                parts.push(Part::Text(std::mem::take(&mut plain).into()));
            }
            parts.push(Part::Expression(Parser::parse(text, &tokens, purpose)?));
            at = end;
        } else {
            plain.push_str(&rest[..1]);
            at = start + 1;
        }
    }
    plain.push_str(&text[at..]);
    if !plain.is_empty() || parts.is_empty() {
        parts.push(Part::Text(plain.into()));
    }
    // Line breaks and indentation of the XML around a single expression are not meant.
    let blank = |part: &Part| matches!(part, Part::Text(text) if text.trim().is_empty());
    if parts.iter().filter(|part| !blank(part)).count() == 1
        && parts.iter().any(|part| matches!(part, Part::Expression(_)))
    {
        parts.retain(|part| !blank(part));
    }
    let mut names = Vec::new();
    let known = parts.iter().all(|part| match part {
        Part::Text(_) => true,
        Part::Expression(node) => node.reads(&mut names),
    });
    names.sort();
    names.dedup();
    Ok(Template { parts, reads: known.then_some(names) })
}

impl CompiledExpression for Template {
    fn evaluate(&self, evaluation: &mut Evaluation<'_>) -> Result<Value, EvaluationError> {
        if let [part] = &self.parts[..] {
            return match part {
                Part::Text(text) => Ok(Value::String(text.clone())),
                Part::Expression(node) => node.evaluate(evaluation),
            };
        }
        let mut text = String::new();
        for part in &self.parts {
            match part {
                Part::Text(part) => text.push_str(part),
                Part::Expression(node) => text.push_str(&coerce::text(&node.evaluate(evaluation)?)),
            }
            if text.len() > MAX_RESULT {
                return Err(EvaluationError::Limit("the text becomes too long".into()));
            }
        }
        Ok(text.into())
    }

    fn quick(&self, sight: Sight<'_>) -> Option<Quick> {
        match &self.parts[..] {
            [Part::Expression(node)] => node.quick(sight),
            _ => None,
        }
    }

    fn reads(&self) -> Option<&[Name]> {
        self.reads.as_deref()
    }
}
