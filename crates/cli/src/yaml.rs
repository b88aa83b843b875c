//! What is wrong with a YAML file, in our words.

use serde_saphyr::{Error, MessageFormatter as _, UserMessageFormatter};

/// What is wrong, without its place.
pub(crate) fn message(error: &Error) -> String {
    match error.without_snippet() {
        Error::Unexpected { expected, .. } => format!("{} must stand here", wanted(expected)),
        Error::DuplicateMappingKey { key: Some(key), .. } => format!("`{key}` stands twice"),
        Error::DuplicateMappingKey { key: None, .. } => "a name stands twice".to_owned(),
        Error::SerdeUnknownField { field, .. } => format!("unknown field `{field}`"),
        Error::MultipleDocuments { .. } => "the file holds several documents, separated by `---`".to_owned(),
        other => UserMessageFormatter.format_message(other).into_owned(),
    }
}

fn wanted(expected: &str) -> &'static str {
    match expected {
        "mapping start" | "empty mapping start" => "names with values (`name: value`)",
        "sequence start" => "a list (`- ...`)",
        "string scalar" => "a text",
        _ => "a value",
    }
}
