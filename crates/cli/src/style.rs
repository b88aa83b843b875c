//! Colours, where the terminal has them.

use std::io::IsTerminal;

/// Whether to colour.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Style {
    colours: bool,
}

impl Style {
    /// Colours on a terminal, unless it is dumb or the user does not want them (<https://no-color.org>).
    pub(crate) fn of(stream: &impl IsTerminal) -> Self {
        let unwanted = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        Self { colours: stream.is_terminal() && !unwanted && !dumb }
    }

    pub(crate) fn has_colours(self) -> bool {
        self.colours
    }

    fn code(self, code: &str, text: &str) -> String {
        if self.colours { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }

    pub(crate) fn strong(self, text: &str) -> String {
        self.code("1", text)
    }

    pub(crate) fn faint(self, text: &str) -> String {
        self.code("2", text)
    }

    pub(crate) fn bad(self, text: &str) -> String {
        self.code("1;31", text)
    }

    pub(crate) fn good(self, text: &str) -> String {
        self.code("32", text)
    }

    pub(crate) fn unusual(self, text: &str) -> String {
        self.code("33", text)
    }
}
