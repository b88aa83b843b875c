//! Findings shown with the line of source that they are about.

use std::fmt;
use std::io::{self, Write};

use miette::{
    GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteError, MietteSpanContents, SourceCode, SourceSpan,
    SpanContents,
};
use potok_core::diagnostic::{Diagnostic, Severity};

use crate::harmless::harmless;
use crate::style::Style;

/// This many findings of one file are shown; tools get all.
const SHOWN: usize = 100;
/// Of a longer line only this much is shown before, of and after the finding, in bytes.
const LINE: usize = 100;

/// How many findings are errors and how many warnings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Count {
    pub(crate) errors: usize,
    pub(crate) warnings: usize,
}

impl Count {
    pub(crate) fn of(diagnostics: &[Diagnostic]) -> Self {
        let errors = diagnostics.iter().filter(|diagnostic| diagnostic.severity == Severity::Error).count();
        Self { errors, warnings: diagnostics.len() - errors }
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.errors += other.errors;
        self.warnings += other.warnings;
    }
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {}", number(self.errors, "error"), number(self.warnings, "warning"))
    }
}

/// `1 file`, `2 files`.
pub(crate) fn number(count: usize, word: &str) -> String {
    format!("{count} {word}{}", if count == 1 { "" } else { "s" })
}

/// Shows findings of one file, whose text is given.
pub(crate) fn show(
    out: &mut impl Write,
    style: Style,
    file: &str,
    text: &str,
    diagnostics: &[Diagnostic],
) -> io::Result<()> {
    let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    let theme = match (style.has_colours(), dumb) {
        (true, _) => GraphicalTheme::unicode(),
        (false, false) => GraphicalTheme::unicode_nocolor(),
        (false, true) => GraphicalTheme::none(),
    };
    let handler = GraphicalReportHandler::new_themed(theme).with_links(false).with_context_lines(0).with_width(110);
    let text = &*harmless(text);
    for diagnostic in diagnostics.iter().take(SHOWN) {
        let mut rendered = String::new();
        let excerpt = Excerpt { file, text, diagnostic };
        match handler.render_report(&mut rendered, &Shown { diagnostic, excerpt }) {
            Ok(()) => writeln!(out, "{}\n", rendered.trim_end())?,
            Err(_) => writeln!(out, "{file}:{}", harmless(&diagnostic.to_string()))?,
        }
    }
    if diagnostics.len() > SHOWN {
        let more = number(diagnostics.len() - SHOWN, "more finding");
        writeln!(out, "{file}: {more} (`--format json` lists all)")?;
    }
    Ok(())
}

/// A finding as miette shows it.
struct Shown<'a> {
    diagnostic: &'a Diagnostic,
    excerpt: Excerpt<'a>,
}

impl fmt::Debug for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.diagnostic.fmt(f)
    }
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&harmless(&self.diagnostic.message))
    }
}

impl std::error::Error for Shown<'_> {}

impl miette::Diagnostic for Shown<'_> {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        let Diagnostic { code, line, column, .. } = self.diagnostic;
        // Without a source miette shows no place.
        Some(match self.excerpt.text {
            "" => Box::new(format!("{code} [{}:{line}:{column}]", self.excerpt.file)),
            _ => Box::new(*code),
        })
    }

    fn severity(&self) -> Option<miette::Severity> {
        Some(match self.diagnostic.severity {
            Severity::Error => miette::Severity::Error,
            Severity::Warning => miette::Severity::Warning,
        })
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(harmless(&self.diagnostic.help)))
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        (!self.excerpt.text.is_empty()).then_some(&self.excerpt as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let (start, end) = self.excerpt.marked();
        let label = self.diagnostic.element.as_ref().map(|element| harmless(element.as_ref()).into_owned());
        Some(Box::new(std::iter::once(LabeledSpan::new(label, start, end - start))))
    }
}

/// The part of the text that a finding is about.
struct Excerpt<'a> {
    file: &'a str,
    text: &'a str,
    diagnostic: &'a Diagnostic,
}

impl Excerpt<'_> {
    /// What is underlined: the finding's span, but not beyond the end of its first line.
    fn marked(&self) -> (usize, usize) {
        let span = self.diagnostic.span;
        let start = self.boundary((span.start as usize).min(self.text.len()));
        let end = self.boundary((span.end as usize).clamp(start, self.text.len()));
        let line_end = self.text[start..end].find(['\n', '\r']).map_or(end, |length| start + length);
        (start, line_end.min(self.boundary(start + LINE)))
    }

    /// The nearest place at or before this one where a character begins.
    fn boundary(&self, place: usize) -> usize {
        let place = place.min(self.text.len());
        (0..=place).rev().find(|place| self.text.is_char_boundary(*place)).unwrap_or(0)
    }

    /// The line around the finding, shortened on both sides.
    fn window(&self) -> (usize, usize) {
        let (start, end) = self.marked();
        let earliest = self.boundary(start.saturating_sub(LINE));
        let latest = self.boundary(end + LINE);
        let from = self.text[earliest..start].rfind(['\n', '\r']).map_or(earliest, |place| earliest + place + 1);
        let to = self.text[end..latest].find(['\n', '\r']).map_or(latest, |length| end + length);
        (from, to)
    }
}

impl SourceCode for Excerpt<'_> {
    fn read_span<'a>(
        &'a self,
        _: &SourceSpan,
        _: usize,
        _: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let (from, to) = self.window();
        // miette counts from 0. What it shows as the place is the finding's, wherever the excerpt begins.
        let line = (self.diagnostic.line as usize).saturating_sub(1);
        let column = (self.diagnostic.column as usize).saturating_sub(1);
        Ok(Box::new(MietteSpanContents::new_named(
            self.file.to_owned(),
            &self.text.as_bytes()[from..to],
            SourceSpan::new(from.into(), to - from),
            line,
            column,
            1,
        )))
    }
}
