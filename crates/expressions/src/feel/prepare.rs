//! Cheap first pass over FEEL text: limits, and which words make up one name.
//!
//! FEEL names may hold spaces, so where a name ends depends on what is in scope. Nothing is known about variables when
//! a model is compiled, therefore: words that stand side by side are one name, keywords and symbols end it, and a name
//! with a symbol in it is written in backticks (as other engines have it), or is given as known beforehand.

use potok_core::expressions::CompileError;

use super::depth::depth;
use super::names::{is_keyword, known_phrases};
use super::token::{Kind, Token, error, literal, scan};
use super::{intervals, operators};

/// The longest text that is compiled, in bytes.
pub(crate) const MAX_LENGTH: usize = 32 * 1024;

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

/// Prepares FEEL text for the library's parser. `known` are names that may hold symbols or keywords.
pub(crate) fn prepare(text: &str, known: &[&str]) -> Result<Prepared, CompileError> {
    if text.len() > MAX_LENGTH {
        return Err(error(format!("the expression is longer than {MAX_LENGTH} bytes; split it up"), MAX_LENGTH));
    }
    let tokens = scan(text)?;
    if tokens.is_empty() {
        return Err(error("the expression is empty; write `null` if nothing is meant", 0));
    }
    operators::check(&tokens)?;
    let tokens = intervals::repeat(tokens);
    let depth = depth(&tokens)?;
    Ok(Prepared { depth, ..join(&tokens, known)? })
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
