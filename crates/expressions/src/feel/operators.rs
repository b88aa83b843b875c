//! What looks like an operator of other languages, and comparisons that have nothing on their left.
//!
//! FEEL writes tests without a left side, as in `x in (> 5, < 3)` (DMN 1.5 §10.3.1.2, rule 7). The library's parser takes such a test for
//! an operand wherever one may stand, so that it reads `a == 1` as "a equals the test for 1", which never holds.

use potok_core::expressions::CompileError;

use super::token::{Kind, Token, error};

/// Refuses them.
pub(super) fn check(tokens: &[Token]) -> Result<(), CompileError> {
    let mut types = 0_usize;
    let mut before: Option<&Token> = None;
    for (at, token) in tokens.iter().enumerate() {
        if opens_type(tokens, at) {
            types += 1;
        } else if types > 0 && token.kind == Kind::Symbol(">") {
            types -= 1;
            // Closed, it is an operand.
            before = None;
            continue;
        } else if is_comparison(token)
            && let Some(before) = before
        {
            if is_comparison(before) {
                return Err(not_an_operator(tokens, at - 1));
            }
            if joins(before)
                && let Kind::Symbol(symbol) = token.kind
            {
                return Err(error(
                    format!(
                        "`{symbol}` has nothing on its left to compare; repeat it, as in `x > 5 and x < 10` (in a cell write \
                         `[5..10]`, or `< 5, > 10` for either)"
                    ),
                    token.offset,
                ));
            }
        }
        before = Some(token);
    }
    Ok(())
}

fn not_an_operator(tokens: &[Token], first: usize) -> CompileError {
    let mut written = String::new();
    for token in tokens[first..].iter().take_while(|token| is_comparison(token)) {
        if let Kind::Symbol(symbol) = token.kind {
            written.push_str(symbol);
        }
    }
    let meant = match written.as_str() {
        "==" | "===" => "`=`",
        "<>" | "><" | "!==" => "`!=`",
        "=>" | ">==" => "`>=`",
        "=<" | "<==" => "`<=`",
        _ => "one of `=`, `!=`, `<`, `<=`, `>` and `>=`",
    };
    error(format!("`{written}` is no operator of FEEL; write {meant}"), tokens[first].offset)
}

fn is_comparison(token: &Token) -> bool {
    matches!(token.kind, Kind::Symbol("=" | "!=" | "<" | "<=" | ">" | ">="))
}

/// Whether an operand has to follow that no test can be.
fn joins(token: &Token) -> bool {
    match &token.kind {
        Kind::Symbol(symbol) => matches!(*symbol, "+" | "-" | "*" | "/" | "**"),
        Kind::Word(word) => matches!(word.as_str(), "and" | "or"),
        _ => false,
    }
}

/// Whether the types of elements begin here: `list<number>`.
fn opens_type(tokens: &[Token], at: usize) -> bool {
    let kind = |back: usize| at.checked_sub(back).and_then(|at| tokens.get(at)).map(|token| &token.kind);
    let named =
        matches!(kind(1), Some(Kind::Word(word)) if matches!(word.as_str(), "list" | "range" | "context" | "function"));
    let typed = match kind(2) {
        Some(Kind::Word(word)) => word == "of",
        Some(Kind::Symbol(symbol)) => matches!(*symbol, "<" | ":" | "->" | ","),
        _ => false,
    };
    named && typed && tokens[at].kind == Kind::Symbol("<")
}

#[cfg(test)]
mod tests {
    use super::super::token::scan;
    use super::*;

    fn refusal(text: &str) -> Option<String> {
        check(&scan(text).expect("tokens")).err().map(|error| error.message)
    }

    #[test]
    fn operators_of_other_languages_are_named() {
        for (text, written, meant) in [
            ("amount == 100", "`==`", "write `=`"),
            ("status <> \"new\"", "`<>`", "write `!=`"),
            ("n < > 7", "`<>`", "write `!=`"),
            ("n => 7", "`=>`", "write `>=`"),
            ("n =< 7", "`=<`", "write `<=`"),
            ("n >== 7", "`>==`", "write `>=`"),
            ("[1, 2][item === 2]", "`===`", "write `=`"),
            ("if n == 7 then 1 else 2", "`==`", "write `=`"),
            ("n >> 7", "`>>`", "one of"),
            ("n = > 7", "`=>`", "write `>=`"),
        ] {
            let message = refusal(text).unwrap_or_else(|| panic!("`{text}` is taken"));
            assert!(message.contains(written) && message.contains(meant), "{text}: {message}");
        }
    }

    #[test]
    fn comparisons_have_a_left_side() {
        for text in ["n > 5 and < 10", "> 5 or < 3", "1 + > 2", "a and = 1"] {
            let message = refusal(text).unwrap_or_else(|| panic!("`{text}` is taken"));
            assert!(message.contains("nothing on its left"), "{text}: {message}");
        }
    }

    #[test]
    fn tests_and_types_are_none_of_this() {
        for text in [
            "> 5",
            "= 5, != 6",
            "not(> 5)",
            "x in > 5",
            "x in (> 5, < 3)",
            "{r: (> 5)}",
            "[1..5] = (<= 5)",
            "x instance of list<list<number>> = true",
            "x instance of context<a: list<number>, b: range<number>>",
            "a != b and c >= -1",
            "? > 5 or ? < 3",
        ] {
            assert_eq!(refusal(text), None, "{text}");
        }
    }
}
