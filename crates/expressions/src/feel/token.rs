//! Cheap first pass over FEEL text: tokens, limits, and which words make up one name.
//!
//! FEEL names may hold spaces, so where a name ends depends on what is in scope. Nothing is known about variables when
//! a model is compiled, therefore: words that stand side by side are one name, keywords and symbols end it, and a name
//! with a symbol in it is written in backticks (as other engines have it), or is given as known beforehand.

use potok_core::expressions::CompileError;

use super::names::{is_keyword, known_phrases};

/// The longest text that is compiled, in bytes.
pub(crate) const MAX_LENGTH: usize = 32 * 1024;
/// The greatest nesting, operators included, that is compiled. The library walks its tree recursively.
pub(crate) const MAX_DEPTH: usize = 500;

/// Text ready for the library, and the names in it.
#[derive(Debug, Default)]
pub(crate) struct Prepared {
    /// The text with single spaces, without comments.
    pub(crate) text: String,
    /// All names that the parser must know.
    pub(crate) names: Vec<String>,
    /// Names that FEEL cannot spell, by the name that stands for them.
    pub(crate) aliases: Vec<(String, String)>,
    /// No branch of the syntax tree is longer.
    pub(crate) depth: usize,
}

#[derive(Clone, Debug, PartialEq)]
enum Kind {
    Word(String),
    Number(String),
    Text(String),
    Quoted(String),
    Symbol(&'static str),
}

#[derive(Clone, Debug)]
struct Token {
    kind: Kind,
    offset: usize,
}

const SYMBOLS: [&str; 24] = [
    "..", "**", "!=", "<=", ">=", "->", "<", ">", "=", "+", "-", "*", "/", "(", ")", "[", "]", "{", "}", ",", ":", ".",
    "@", "?",
];

pub(crate) fn error(message: impl Into<String>, offset: usize) -> CompileError {
    CompileError { message: message.into(), offset: Some(offset) }
}

/// Prepares FEEL text for the library's parser. `known` are names that may hold symbols or keywords.
pub(crate) fn prepare(text: &str, known: &[&str]) -> Result<Prepared, CompileError> {
    if text.len() > MAX_LENGTH {
        return Err(error(format!("the expression is longer than {MAX_LENGTH} bytes; split it up"), MAX_LENGTH));
    }
    let tokens = scan(text)?;
    if tokens.is_empty() {
        return Err(error("the expression is empty; write `null` if nothing is meant", 0));
    }
    let depth = depth(&tokens)?;
    Ok(Prepared { depth, ..join(&tokens, known)? })
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

fn scan(text: &str) -> Result<Vec<Token>, CompileError> {
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
            return Err(error(
                format!("`{character}` has no meaning in FEEL here; write names with such characters in backticks"),
                offset,
            ));
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

/// An upper bound of the syntax tree's height: operators and keywords of one comma-separated piece may all stand below
/// each other, and below them the deepest bracket.
fn depth(tokens: &[Token]) -> Result<usize, CompileError> {
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

/// Joins words to names and writes the text anew.
fn join(tokens: &[Token], known: &[&str]) -> Result<Prepared, CompileError> {
    let mut known: Vec<(Vec<Kind>, &str)> = known
        .iter()
        .filter_map(|name| Some((scan(name).ok()?.into_iter().map(|token| token.kind).collect(), *name)))
        .filter(|(kinds, _): &(Vec<Kind>, &str)| !kinds.is_empty())
        .collect();
    known.sort_by_key(|(kinds, _)| std::cmp::Reverse(kinds.len()));

    let mut prepared = Prepared::default();
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        let after_dot = at > 0 && tokens[at - 1].kind == Kind::Symbol(".");
        if let Some((kinds, name)) = known.iter().find(|(kinds, _)| starts_with(&tokens[at..], kinds)) {
            let plain = kinds.iter().all(|kind| matches!(kind, Kind::Word(word) if !is_keyword(word)));
            // A longer run of words is another name.
            let ends = !plain
                || !matches!(tokens.get(at + kinds.len()), Some(Token { kind: Kind::Word(word), .. }) if !is_keyword(word));
            if ends {
                prepared.name(name, plain || after_dot);
                at += kinds.len();
                continue;
            }
        }
        match &token.kind {
            Kind::Word(word) => {
                let length = phrase_length(tokens, at).unwrap_or_else(|| name_length(tokens, at));
                if length == 0 {
                    prepared.push(word);
                    at += 1;
                } else {
                    let name = words(&tokens[at..at + length]);
                    prepared.name(&name, true);
                    at += length;
                }
                continue;
            }
            Kind::Quoted(name) => prepared.name(name, after_dot),
            Kind::Number(number) => prepared.push(number),
            Kind::Text(text) => prepared.push(&literal(text)),
            Kind::Symbol(symbol) => {
                if *symbol == "?" {
                    prepared.name("?", true);
                } else {
                    prepared.push(symbol);
                }
            }
        }
        at += 1;
    }
    Ok(prepared)
}

impl Prepared {
    fn push(&mut self, text: &str) {
        if !self.text.is_empty() {
            self.text.push(' ');
        }
        self.text.push_str(text);
    }

    fn name(&mut self, name: &str, plain: bool) {
        if plain {
            self.push(name);
            if !self.names.iter().any(|known| known == name) {
                self.names.push(name.to_owned());
            }
            return;
        }
        let alias = match self.aliases.iter().find(|(_, original)| original == name) {
            Some((alias, _)) => alias.clone(),
            None => {
                let alias = format!("_alias_{}_", self.aliases.len());
                self.aliases.push((alias.clone(), name.to_owned()));
                self.names.push(alias.clone());
                alias
            }
        };
        self.push(&alias);
    }
}

fn starts_with(tokens: &[Token], kinds: &[Kind]) -> bool {
    tokens.len() >= kinds.len() && tokens.iter().zip(kinds).all(|(token, kind)| token.kind == *kind)
}

fn words(tokens: &[Token]) -> String {
    let parts: Vec<&str> = tokens
        .iter()
        .filter_map(|token| match &token.kind {
            Kind::Word(word) | Kind::Number(word) => Some(word.as_str()),
            _ => None,
        })
        .collect();
    parts.join(" ")
}

/// The length of a built-in function's or type's name that holds a keyword, e.g. `date and time(`.
fn phrase_length(tokens: &[Token], at: usize) -> Option<usize> {
    known_phrases().iter().find_map(|(phrase, is_type)| {
        let length = phrase.len();
        let matches = tokens.len() >= at + length
            && phrase.iter().zip(&tokens[at..]).all(|(word, token)| matches!(&token.kind, Kind::Word(w) if w == word));
        let called = matches!(tokens.get(at + length), Some(Token { kind: Kind::Symbol("("), .. }));
        let typed = *is_type
            && at > 0
            && match &tokens[at - 1].kind {
                Kind::Word(word) => word == "of",
                Kind::Symbol(symbol) => matches!(*symbol, "<" | ":" | "->"),
                _ => false,
            };
        (matches && (called || typed)).then_some(length)
    })
}

/// How many tokens from here make up one name; 0 if a keyword stands here.
fn name_length(tokens: &[Token], at: usize) -> usize {
    let mut length = 0;
    for token in &tokens[at..] {
        match &token.kind {
            Kind::Word(word) if is_keyword(word) => break,
            Kind::Word(_) => length += 1,
            Kind::Number(number) if length > 0 && number.bytes().all(|byte| byte.is_ascii_digit()) => length += 1,
            _ => break,
        }
    }
    length
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

#[cfg(test)]
mod tests {
    use super::*;

    fn text(feel: &str) -> String {
        prepare(feel, &[]).expect("FEEL").text
    }

    #[test]
    fn words_side_by_side_are_one_name() {
        let prepared = prepare("Сумма   заявки>100 and region = \"юг\"", &[]).expect("FEEL");
        assert_eq!(prepared.text, "Сумма заявки > 100 and region = \"юг\"");
        assert_eq!(prepared.names, ["Сумма заявки", "region"]);
    }

    #[test]
    fn keywords_need_no_space() {
        assert_eq!(text("if(a)then(b)else(c)"), "if ( a ) then ( b ) else ( c )");
        assert_eq!(text("[1..5]"), "[ 1 .. 5 ]");
        assert_eq!(text("a-b // rest"), "a - b");
    }

    #[test]
    fn built_in_names_may_hold_keywords() {
        assert_eq!(prepare("date and time(x)", &[]).expect("FEEL").names, ["date and time", "x"]);
        assert_eq!(prepare("date and time", &[]).expect("FEEL").names, ["date", "time"]);
    }

    #[test]
    fn known_names_and_backticks_may_hold_symbols() {
        let prepared = prepare("Pre-bureau risk + `a-b`", &["Pre-bureau risk"]).expect("FEEL");
        assert_eq!(prepared.text, "_alias_0_ + _alias_1_");
        assert_eq!(prepared.aliases[0].1, "Pre-bureau risk");
        assert_eq!(prepared.aliases[1].1, "a-b");
    }

    #[test]
    fn escapes_are_read_here() {
        assert_eq!(text(r#""\uD83D\uDC0E\d""#), "\"🐎\\\\d\"");
        assert!(prepare(r#""\uD83D ""#, &[]).is_err());
    }

    #[test]
    fn depth_is_limited_before_parsing() {
        for bad in ["[".repeat(5_000), format!("{}1", "1+".repeat(3_000)), format!("a{}", "[1]".repeat(1_000))] {
            let message = prepare(&bad, &[]).expect_err("limit").message;
            assert!(message.contains("nested too deeply"), "{message}");
        }
        let long_list = format!("[{}1]", "1,".repeat(5_000));
        assert!(prepare(&long_list, &[]).is_ok());
    }
}
