//! How high the syntax tree of a text may become, told before it is parsed.

use potok_core::expressions::CompileError;

use super::names::is_keyword;
use super::token::{Kind, Token, error};

/// The greatest nesting, operators included, that is compiled. The library walks its tree recursively.
pub(crate) const MAX_DEPTH: usize = 500;

/// An upper bound of the syntax tree's height: operators and keywords of one comma-separated piece may all stand below
/// each other, and below them the deepest bracket.
pub(super) fn depth(tokens: &[Token]) -> Result<usize, CompileError> {
    #[derive(Default)]
    struct Group {
        operators: usize,
        inner: usize,
        deepest: usize,
        range: bool,
        loops: usize,
    }
    let too_deep = |offset| error("the expression is nested too deeply or has too many operators; split it up", offset);
    let mut groups = vec![Group::default()];
    let mut depth = 0;
    for (at, token) in tokens.iter().enumerate() {
        let Some(group) = groups.last_mut() else {
            return Err(error("a bracket is closed that was not opened", token.offset));
        };
        let before = at.checked_sub(1).and_then(|before| tokens.get(before));
        // Brackets of ranges may be turned round: `]1..5[`.
        let bracket = match &token.kind {
            Kind::Symbol("]") if !before.is_some_and(may_close) => "[",
            Kind::Symbol("[") if group.range && !tokens.get(at + 1).is_some_and(starts_operand) => "]",
            Kind::Symbol(symbol) => symbol,
            _ => "",
        };
        group.range |= bracket == "..";
        match &token.kind {
            Kind::Symbol(_) if matches!(bracket, "(" | "[" | "{") => groups.push(Group::default()),
            Kind::Symbol(_) if matches!(bracket, ")" | "]" | "}") => {
                let height = group.deepest.max(group.operators + group.inner) + 1;
                groups.pop();
                let Some(outer) = groups.last_mut() else {
                    return Err(error("a bracket is closed that was not opened", token.offset));
                };
                // Brackets may also follow each other: `f(1)(2)`, `a[1][2]`.
                outer.operators += 1;
                outer.inner = outer.inner.max(height);
            }
            // The lists of a loop are gone through one in another.
            Kind::Symbol(",") if group.loops > 0 => group.operators += 1,
            Kind::Symbol(",") => {
                group.deepest = group.deepest.max(group.operators + group.inner);
                group.operators = 0;
                group.inner = 0;
            }
            Kind::Symbol(":") => {}
            Kind::Symbol(_) => group.operators += 1,
            Kind::Word(word) if is_keyword(word) => {
                match word.as_str() {
                    "for" | "some" | "every" => group.loops += 1,
                    "return" | "satisfies" => group.loops = group.loops.saturating_sub(1),
                    _ => {}
                }
                group.operators += 1;
            }
            _ => {}
        }
        let open = groups.len();
        if let Some(group) = groups.last() {
            depth = depth.max(open + group.operators.max(group.deepest) + group.inner);
        }
        if depth > MAX_DEPTH {
            return Err(too_deep(token.offset));
        }
    }
    if groups.len() > 1 {
        return Err(error("a bracket is not closed", tokens.last().map_or(0, |token| token.offset)));
    }
    Ok(depth)
}

/// Whether a closing bracket may follow: an operand ends here, or the brackets are empty.
fn may_close(token: &Token) -> bool {
    match &token.kind {
        Kind::Word(word) => !is_keyword(word) || matches!(word.as_str(), "true" | "false" | "null"),
        Kind::Symbol(symbol) => matches!(*symbol, ")" | "]" | "}" | "?" | "[" | ".."),
        _ => true,
    }
}

/// Whether an operand may begin with this token.
fn starts_operand(token: &Token) -> bool {
    match &token.kind {
        Kind::Word(word) => !matches!(word.as_str(), "and" | "or" | "in" | "then" | "else" | "return" | "satisfies"),
        Kind::Symbol(symbol) => matches!(*symbol, "(" | "[" | "{" | "-" | "?" | "@"),
        _ => true,
    }
}
