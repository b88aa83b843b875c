#![allow(clippy::expect_used, clippy::unwrap_used)]

mod edits;
mod encodings;
mod reading;
mod refusals;

use super::Document;

fn parse(text: &str) -> Document {
    Document::parse(text.as_bytes()).unwrap_or_else(|fault| panic!("{fault}\n{text}"))
}

/// The code, line and column of the fault.
fn refuse(bytes: impl AsRef<[u8]>) -> (&'static str, u32, u32) {
    let fault = Document::parse(bytes.as_ref()).expect_err("is refused");
    assert!(!fault.help.is_empty(), "every fault says how to mend it: {fault}");
    (fault.code, fault.line, fault.column)
}
