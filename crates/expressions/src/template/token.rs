//! Words of the language inside `${...}`.

use potok_core::expressions::CompileError;

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Token {
    Identifier(String),
    Text(String),
    Integer(i64),
    Float(f64),
    Symbol(&'static str),
    /// The closing `}`.
    End,
}

const SYMBOLS: [&str; 26] = [
    "&&", "||", "==", "!=", "<=", ">=", "<", ">", "!", "+", "-", "*", "/", "%", "(", ")", "[", "]", ".", ",", "?", ":",
    "=", "{", "^", "~",
];

pub(crate) fn error(message: impl Into<String>, offset: usize) -> CompileError {
    CompileError { message: message.into(), offset: Some(offset) }
}

/// Reads tokens from `start` up to the `}` that closes the expression; gives them with their offsets, and where the
/// text goes on.
pub(crate) fn scan(text: &str, start: usize) -> Result<(Vec<(Token, usize)>, usize), CompileError> {
    let mut tokens = Vec::new();
    let mut at = start;
    loop {
        let rest = &text[at..];
        let Some(character) = rest.chars().next() else {
            let opened = start.saturating_sub(2);
            let mark = text.get(opened..start).unwrap_or("${");
            return Err(error(format!("`{mark}` is not closed with `}}`"), opened));
        };
        let offset = at;
        if character.is_whitespace() {
            at += character.len_utf8();
            continue;
        }
        let token = if character == '}' {
            tokens.push((Token::End, offset));
            return Ok((tokens, at + 1));
        } else if character.is_alphabetic() || matches!(character, '_' | '$') {
            let part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '$');
            let length = rest.find(|c| !part(c)).unwrap_or(rest.len());
            at += length;
            let (name, is_called) = (&rest[..length], rest[length..].starts_with('('));
            // `var:eq(a, 1)` calls a function whose name is an operator elsewhere.
            match &tokens[..] {
                [.., (Token::Identifier(prefix), _), (Token::Symbol(":"), _)] if is_called && is_prefix(prefix) => {
                    Token::Identifier(name.to_owned())
                }
                _ => word(name),
            }
        } else if character.is_ascii_digit()
            || (character == '.' && rest[1..].starts_with(|c: char| c.is_ascii_digit()))
        {
            let (token, length) = number(rest, offset)?;
            at += length;
            token
        } else if matches!(character, '\'' | '"') {
            let (value, length) = string(rest, character, offset)?;
            at += length;
            Token::Text(value)
        } else if let Some(symbol) = SYMBOLS.iter().find(|symbol| rest.starts_with(**symbol)) {
            at += symbol.len();
            Token::Symbol(symbol)
        } else {
            return Err(error(format!("`{character}` has no meaning inside `${{...}}`"), offset));
        };
        tokens.push((token, offset));
    }
}

/// What may stand before the name of a function.
pub(super) fn is_prefix(word: &str) -> bool {
    matches!(word, "variables" | "vars" | "var" | "fn" | "cmmn" | "bpmn" | "date")
}

fn word(word: &str) -> Token {
    Token::Symbol(match word {
        "and" => "&&",
        "or" => "||",
        "not" => "!",
        "eq" => "==",
        "ne" => "!=",
        "lt" => "<",
        "le" => "<=",
        "gt" => ">",
        "ge" => ">=",
        "div" => "/",
        "mod" => "%",
        other => return Token::Identifier(other.to_owned()),
    })
}

fn number(text: &str, offset: usize) -> Result<(Token, usize), CompileError> {
    let bytes = text.as_bytes();
    let digits = |mut at: usize| {
        while bytes.get(at).is_some_and(u8::is_ascii_digit) {
            at += 1;
        }
        at
    };
    let mut at = digits(0);
    let mut float = false;
    if bytes.get(at) == Some(&b'.') && bytes.get(at + 1).is_some_and(u8::is_ascii_digit) {
        float = true;
        at = digits(at + 1);
    } else if bytes.get(at) == Some(&b'.')
        && !text[at + 1..].starts_with(|next: char| next.is_alphabetic() || next == '_')
    {
        // `1.` is a fraction of nothing.
        float = true;
        at += 1;
    }
    if matches!(bytes.get(at), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(at + 1), Some(b'+' | b'-')));
        if bytes.get(at + 1 + sign).is_some_and(u8::is_ascii_digit) {
            float = true;
            at = digits(at + 1 + sign);
        }
    }
    let digits = &text[..at];
    let token = if float {
        digits.parse().ok().filter(|number: &f64| number.is_finite()).map(Token::Float)
    } else {
        digits.parse().ok().map(Token::Integer)
    };
    token.map(|token| (token, at)).ok_or_else(|| error(format!("the number {digits} is too large"), offset))
}

fn string(text: &str, quote: char, offset: usize) -> Result<(String, usize), CompileError> {
    let mut value = String::new();
    let mut characters = text.char_indices().skip(1);
    while let Some((at, character)) = characters.next() {
        if character == quote {
            return Ok((value, at + 1));
        }
        if character == '\\' {
            match characters.next() {
                Some((_, escaped @ ('\\' | '\'' | '"'))) => value.push(escaped),
                Some((_, other)) => value.extend(['\\', other]),
                None => break,
            }
        } else {
            value.push(character);
        }
    }
    Err(error(format!("the text is not closed with {quote}"), offset))
}
