//! `some x in 1..3 satisfies ...`: the library's parser knows intervals without brackets in `for` alone, the standard in quantifiers, too
//! (DMN 1.5 §10.3.1.2, rules 50 and 51). A `for` that only repeats them gives their elements.

use super::token::{Kind, Token};

/// What an element is called between the two.
const ELEMENT: &str = "_element";

/// A quantifier whose lists are being named.
struct Quantifier {
    depth: i32,
    /// Where the list at hand begins, and whether it is an interval.
    list: Option<(usize, bool)>,
}

/// Puts a `for` around each interval that a quantifier goes through.
pub(super) fn repeat(tokens: Vec<Token>) -> Vec<Token> {
    let is = |token: &Token, wanted: &str| matches!(&token.kind, Kind::Word(word) if word == wanted);
    if !tokens.iter().any(|token| is(token, "some") || is(token, "every")) {
        return tokens;
    }
    let mut written: Vec<Token> = Vec::with_capacity(tokens.len());
    let mut open: Vec<Quantifier> = Vec::new();
    let mut depth = 0;
    for token in tokens {
        match &token.kind {
            Kind::Symbol("(" | "[" | "{") => depth += 1,
            Kind::Symbol(")" | "]" | "}") => depth -= 1,
            _ => {}
        }
        let ends = is(&token, "satisfies");
        if let Some(quantifier) = open.last_mut().filter(|quantifier| quantifier.depth == depth) {
            match (&token.kind, quantifier.list) {
                (Kind::Word(word), None) if word == "in" => quantifier.list = Some((written.len() + 1, false)),
                // A `for` has intervals, and commas, of its own.
                (_, Some((from, _))) if written.get(from).is_some_and(|first| is(first, "for")) => {}
                (Kind::Symbol(".."), Some((from, _))) => quantifier.list = Some((from, true)),
                (kind, Some((from, is_interval))) if ends || *kind == Kind::Symbol(",") => {
                    quantifier.list = None;
                    if is_interval {
                        surround(&mut written, from, token.offset);
                    }
                }
                _ => {}
            }
        }
        if is(&token, "some") || is(&token, "every") {
            open.push(Quantifier { depth, list: None });
        } else if ends {
            open.pop();
        }
        written.push(token);
    }
    written
}

fn surround(written: &mut Vec<Token>, from: usize, offset: usize) {
    let token = |kind| Token { kind, offset };
    let word = |text: &str| token(Kind::Word(text.to_owned()));
    let before = [token(Kind::Symbol("(")), word("for"), word(ELEMENT), word("in")];
    written.splice(from..from, before);
    written.extend([word("return"), word(ELEMENT), token(Kind::Symbol(")"))]);
}
