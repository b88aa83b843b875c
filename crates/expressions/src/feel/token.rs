//! Tokens of FEEL text, read and written.

use potok_core::expressions::CompileError;

/// What a token is.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind {
    Word(String),
    Number(String),
    Text(String),
    Quoted(String),
    Symbol(&'static str),
}

/// A token, and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) offset: usize,
}

const SYMBOLS: [&str; 24] = [
    "..", "**", "!=", "<=", ">=", "->", "<", ">", "=", "+", "-", "*", "/", "(", ")", "[", "]", "{", "}", ",", ":", ".",
    "@", "?",
];

pub(crate) fn error(message: impl Into<String>, offset: usize) -> CompileError {
    CompileError { message: message.into(), offset: Some(offset) }
}

/// DMN 1.3 §10.3.1.2, rule 28, without `?`, which is a word of its own here.
fn word_start(character: char) -> bool {
    matches!(character, 'A'..='Z' | '_' | 'a'..='z' | '\u{C0}'..='\u{D6}' | '\u{D8}'..='\u{F6}' | '\u{F8}'..='\u{2FF}'
        | '\u{370}'..='\u{37D}' | '\u{37F}'..='\u{1FFF}' | '\u{200C}'..='\u{200D}' | '\u{2070}'..='\u{218F}'
        | '\u{2C00}'..='\u{2FEF}' | '\u{3001}'..='\u{D7FF}' | '\u{F900}'..='\u{FDCF}' | '\u{FDF0}'..='\u{FEFE}'
        | '\u{FF00}'..='\u{FFFD}' | '\u{10000}'..='\u{EFFFF}')
}

fn word_part(character: char) -> bool {
    word_start(character)
        || character.is_ascii_digit()
        || matches!(character, '\u{B7}' | '\u{300}'..='\u{36F}' | '\u{203F}'..='\u{2040}')
}

/// Takes text apart; comments are left out.
pub(super) fn scan(text: &str) -> Result<Vec<Token>, CompileError> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(character) = text[at..].chars().next() {
        let rest = &text[at..];
        let offset = at;
        if character.is_whitespace() || matches!(character, '\u{FEFF}' | '\u{200B}' | '\u{180E}') {
            at += character.len_utf8();
            continue;
        }
        if rest.starts_with("//") {
            at += rest.find('\n').unwrap_or(rest.len());
            continue;
        }
        if let Some(comment) = rest.strip_prefix("/*") {
            let end = comment.find("*/").ok_or_else(|| error("the comment is not closed with `*/`", offset))?;
            at += end + 4;
            continue;
        }
        let (kind, length) = if word_start(character) {
            let length = rest.find(|next| !word_part(next)).unwrap_or(rest.len());
            (Kind::Word(rest[..length].to_owned()), length)
        } else if character.is_ascii_digit()
            || (character == '.' && rest[1..].starts_with(|c: char| c.is_ascii_digit()))
        {
            let length = number_length(rest);
            (Kind::Number(rest[..length].to_owned()), length)
        } else if character == '"' {
            let (value, length) = string(rest, offset)?;
            (Kind::Text(value), length)
        } else if character == '`' {
            let end = rest[1..].find('`').ok_or_else(|| error("the name is not closed with a backtick", offset))?;
            let name = rest[1..=end].trim();
            if name.is_empty() {
                return Err(error("there is no name between the backticks", offset));
            }
            (Kind::Quoted(name.to_owned()), end + 2)
        } else if let Some(symbol) = SYMBOLS.iter().find(|symbol| rest.starts_with(**symbol)) {
            (Kind::Symbol(symbol), symbol.len())
        } else if character == '\'' {
            return Err(error("text is written in double quotes in FEEL: \"...\"", offset));
        } else {
            let help = match character {
                '&' => "and is written `and`",
                '|' => "or is written `or`",
                '!' => "not is written `not(...)`, not equal `!=`",
                '%' => "the remainder is `modulo(a, b)`",
                _ => "write names with such characters in backticks",
            };
            return Err(error(format!("`{character}` has no meaning in FEEL here; {help}"), offset));
        };
        tokens.push(Token { kind, offset });
        at += length;
    }
    Ok(tokens)
}

/// The length of a number, which never swallows the first dot of `1..5`.
fn number_length(text: &str) -> usize {
    let bytes = text.as_bytes();
    let digits = |mut at: usize| {
        while bytes.get(at).is_some_and(u8::is_ascii_digit) {
            at += 1;
        }
        at
    };
    let mut at = digits(0);
    if bytes.get(at) == Some(&b'.') && bytes.get(at + 1).is_some_and(u8::is_ascii_digit) {
        at = digits(at + 1);
    }
    if matches!(bytes.get(at), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(at + 1), Some(b'+' | b'-')));
        if bytes.get(at + 1 + sign).is_some_and(u8::is_ascii_digit) {
            at = digits(at + 1 + sign);
        }
    }
    at
}

/// A string literal's value and its length in the text.
fn string(text: &str, offset: usize) -> Result<(String, usize), CompileError> {
    let unclosed = || error("the text is not closed with `\"`", offset);
    let mut value = String::new();
    let mut at = 1;
    loop {
        let character = text[at..].chars().next().ok_or_else(unclosed)?;
        at += character.len_utf8();
        match character {
            '"' => return Ok((value, at)),
            '\\' => {
                let escape = text[at..].chars().next().ok_or_else(unclosed)?;
                at += escape.len_utf8();
                match escape {
                    '"' | '\\' | '\'' => value.push(escape),
                    'n' => value.push('\n'),
                    'r' => value.push('\r'),
                    't' => value.push('\t'),
                    'u' => {
                        let mut code = hexadecimal(text, &mut at, 4, offset)?;
                        if (0xD800..0xDC00).contains(&code) && text[at..].starts_with("\\u") {
                            let mut after = at + 2;
                            let low = hexadecimal(text, &mut after, 4, offset)?;
                            if (0xDC00..0xE000).contains(&low) {
                                code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
                                at = after;
                            }
                        }
                        value.push(character_of(code, offset)?);
                    }
                    'U' => {
                        let code = hexadecimal(text, &mut at, 6, offset)?;
                        value.push(character_of(code, offset)?);
                    }
                    // A backslash before anything else stands for itself, as in regular expressions.
                    other => {
                        value.push('\\');
                        value.push(other);
                    }
                }
            }
            other => value.push(other),
        }
    }
}

fn hexadecimal(text: &str, at: &mut usize, digits: usize, offset: usize) -> Result<u32, CompileError> {
    let code = text
        .get(*at..*at + digits)
        .filter(|code| code.bytes().all(|byte| byte.is_ascii_hexdigit()))
        .and_then(|code| u32::from_str_radix(code, 16).ok())
        .ok_or_else(|| error(format!("the escape in this text wants {digits} hexadecimal digits"), offset))?;
    *at += digits;
    Ok(code)
}

fn character_of(code: u32, offset: usize) -> Result<char, CompileError> {
    char::from_u32(code).ok_or_else(|| error("the escape in this text stands for no character", offset))
}

/// Text as a FEEL literal that the library's lexer accepts.
pub(crate) fn literal(text: &str) -> String {
    let mut literal = String::with_capacity(text.len() + 2);
    literal.push('"');
    for character in text.chars() {
        match character {
            '"' => literal.push_str("\\\""),
            '\\' => literal.push_str("\\\\"),
            '\n' => literal.push_str("\\n"),
            '\r' => literal.push_str("\\r"),
            '\t' => literal.push_str("\\t"),
            '\u{0B}' => literal.push_str("\\u000B"),
            '\u{0C}' => literal.push_str("\\u000C"),
            other => literal.push(other),
        }
    }
    literal.push('"');
    literal
}
