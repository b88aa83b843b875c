//! Text of models and values without what a terminal would obey: control characters, and what turns the order of letters round.

use std::borrow::Cow;

/// Each such character becomes as many bytes of another one, so that places stay as they are.
pub(crate) fn harmless(text: &str) -> Cow<'_, str> {
    if text.contains(is_obeyed) { Cow::Owned(text.chars().map(replaced).collect()) } else { Cow::Borrowed(text) }
}

/// The same for text in which colours of our own stand.
pub(crate) fn harmless_in_colour(text: &str) -> Cow<'_, str> {
    if !text.contains(is_obeyed) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        let colour = COLOURS.iter().find(|colour| rest.starts_with(**colour));
        match colour {
            Some(colour) => shown.push_str(colour),
            None => shown.push(replaced(character)),
        }
        rest = &rest[colour.map_or(character.len_utf8(), |colour| colour.len())..];
    }
    Cow::Owned(shown)
}

/// What [`Style`](crate::style::Style) writes.
const COLOURS: &[&str] = &["\x1b[0m", "\x1b[1m", "\x1b[2m", "\x1b[1;31m", "\x1b[32m", "\x1b[33m"];

fn is_obeyed(character: char) -> bool {
    let turns_round =
        matches!(character, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    turns_round || (character.is_control() && !matches!(character, '\n' | '\r' | '\t'))
}

fn replaced(character: char) -> char {
    match character.len_utf8() {
        _ if !is_obeyed(character) => character,
        1 => '?',
        2 => '·',
        _ => char::REPLACEMENT_CHARACTER,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_obeys_is_replaced_byte_for_byte() {
        let text = "a\u{1b}[2Jb\u{9b}c\u{202e}d\u{2069}e\u{200f}\tf\n";
        let shown = harmless(text);
        assert_eq!(shown, "a?[2Jb·c\u{fffd}d\u{fffd}e\u{fffd}\tf\n");
        assert_eq!(shown.len(), text.len());
        assert_eq!(harmless("Приём звонка"), "Приём звонка");
    }

    #[test]
    fn our_own_colours_stay() {
        assert_eq!(harmless_in_colour("\x1b[1;31mbad\x1b[0m \x1b[8mhid\u{85}den"), "\x1b[1;31mbad\x1b[0m ?[8mhid·den");
    }
}
