//! Findings as SARIF 2.1.0, which code hosts and editors show beside the file.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::json::word;
use super::{Diagnostic, rule};

/// The findings about one file as a SARIF log with one run. `file` is shown as its address: a relative path or a URI.
#[must_use]
pub fn sarif(file: &str, diagnostics: &[Diagnostic]) -> Value {
    sarif_of_files([(file, diagnostics, true)])
}

/// The findings about several files as a SARIF log with one run. Beside each file stands whether it is in UTF-8: in others
/// the places of findings are no bytes of the file, and only lines and columns are given.
#[must_use]
pub fn sarif_of_files<'a>(files: impl IntoIterator<Item = (&'a str, &'a [Diagnostic], bool)>) -> Value {
    let mut rules = Vec::new();
    let mut indices = BTreeMap::new();
    let mut results = Vec::new();
    for (file, diagnostics, in_bytes) in files {
        for diagnostic in diagnostics {
            let index = *indices.entry(diagnostic.code).or_insert_with(|| {
                rules.push(described(diagnostic.code));
                rules.len() - 1
            });
            results.push(result(&uri(file), diagnostic, index, in_bytes));
        }
    }
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": { "name": "potok", "version": env!("CARGO_PKG_VERSION"), "rules": rules } },
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    })
}

fn described(code: &str) -> Value {
    match rule(code) {
        Some(rule) => json!({
            "id": code,
            "shortDescription": { "text": rule.summary },
            "help": { "text": rule.source },
            "defaultConfiguration": { "level": word(rule.severity) },
        }),
        None => json!({ "id": code }),
    }
}

fn result(uri: &str, diagnostic: &Diagnostic, rule_index: usize, in_bytes: bool) -> Value {
    let mut region = json!({ "startLine": diagnostic.line, "startColumn": diagnostic.column });
    if in_bytes {
        region["byteOffset"] = diagnostic.span.start.into();
        region["byteLength"] = diagnostic.span.end.saturating_sub(diagnostic.span.start).into();
    }
    let mut location = json!({
        "physicalLocation": {
            "artifactLocation": { "uri": uri },
            "region": region,
        },
    });
    if let Some(element) = &diagnostic.element {
        location["logicalLocations"] = json!([{ "name": &**element, "kind": "element" }]);
    }
    json!({
        "ruleId": diagnostic.code,
        "ruleIndex": rule_index,
        "level": word(diagnostic.severity),
        "message": { "text": format!("{}. To mend it: {}.", diagnostic.message, diagnostic.help) },
        "locations": [location],
    })
}

/// A path as a URI reference: `/` between its parts, and what a URI cannot hold as percent codes.
fn uri(path: &str) -> String {
    let mut uri = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'\\' => uri.push('/'),
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'/' | b'-' | b'.' | b'_' | b'~' | b':' => {
                uri.push(char::from(byte))
            }
            _ => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    uri
}
