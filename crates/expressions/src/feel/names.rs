//! The words that FEEL reserves, and the names that it brings along.

use std::sync::LazyLock;

/// Whether a word ends a name.
pub(crate) fn is_keyword(word: &str) -> bool {
    matches!(
        word,
        "and"
            | "or"
            | "in"
            | "between"
            | "if"
            | "then"
            | "else"
            | "for"
            | "return"
            | "some"
            | "every"
            | "satisfies"
            | "instance"
            | "of"
            | "function"
            | "external"
            | "true"
            | "false"
            | "null"
    )
}

/// Whether a name is one word that is no keyword.
pub(crate) fn is_word(name: &str) -> bool {
    let mut characters = name.chars();
    characters.next().is_some_and(|first| first.is_alphabetic() || first == '_')
        && characters.all(|character| character.is_alphanumeric() || character == '_')
        && !is_keyword(name)
}

/// Names with a keyword in them, longest first; `true` for names of types.
pub(crate) fn known_phrases() -> &'static [(Vec<&'static str>, bool)] {
    static PHRASES: LazyLock<Vec<(Vec<&'static str>, bool)>> = LazyLock::new(|| {
        let names = [
            ("years and months duration", true),
            ("days and time duration", true),
            ("date and time", true),
            ("working hours between", false),
            ("day of week", false),
            ("day of year", false),
            ("month of year", false),
            ("week of year", false),
            ("index of", false),
            ("get or else", false),
            ("last day of month", false),
        ];
        names.iter().map(|(name, is_type)| (name.split(' ').collect(), *is_type)).collect()
    });
    &PHRASES
}
