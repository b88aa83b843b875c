//! Every rule of structure, each with a model that breaks it.
//!
//! The models stand in `models/invalid`. A comment `<!-- expect: code, code -->` at the end of a line names what is found
//! about the element that begins there; nothing else may be found, so that all that is right in a model is tested too.
#![allow(clippy::expect_used)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use potok_core::diagnostic::{self, Diagnostic, Severity};
use potok_core::model::Definitions;

/// A code and the line where it is found.
type Finding = (u32, String);

fn models(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("models").join(folder);
    let entries = fs::read_dir(&folder).expect("the folder of models");
    let mut files: Vec<_> = entries.map(|entry| entry.expect("an entry of the folder").path()).collect();
    files.sort();
    files
}

fn check(bytes: &[u8]) -> Vec<Diagnostic> {
    let (definitions, mut found) = Definitions::read(bytes).expect("a model that can be read");
    found.extend(diagnostic::check(&definitions));
    found
}

fn expected(text: &str) -> BTreeSet<Finding> {
    let mut expected = BTreeSet::new();
    for (line, number) in text.lines().zip(1..) {
        let Some((_, comment)) = line.split_once("<!-- expect: ") else { continue };
        let (codes, _) = comment.split_once(" -->").expect("the comment's end on the same line");
        expected.extend(codes.split(", ").map(|code| (number, code.to_owned())));
    }
    expected
}

fn found(diagnostics: &[Diagnostic]) -> BTreeSet<Finding> {
    diagnostics.iter().map(|diagnostic| (diagnostic.line, diagnostic.code.to_owned())).collect()
}

#[test]
fn invalid_models_have_exactly_the_expected_findings() {
    let mut failures = Vec::new();
    for path in models("invalid") {
        let text = fs::read_to_string(&path).expect("a model");
        let diagnostics = check(text.as_bytes());
        let (expected, found) = (expected(&text), found(&diagnostics));
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        for (line, code) in expected.difference(&found) {
            failures.push(format!("{name}:{line}: {code} is not found"));
        }
        for diagnostic in &diagnostics {
            if !expected.contains(&(diagnostic.line, diagnostic.code.to_owned())) {
                failures.push(format!("{name}:{diagnostic} is not expected"));
            }
        }
    }
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
}

#[test]
fn valid_models_have_no_findings() {
    for path in models("valid") {
        let diagnostics = check(&fs::read(&path).expect("a model"));
        let lines: Vec<_> = diagnostics.iter().map(ToString::to_string).collect();
        assert!(diagnostics.is_empty(), "{}:\n{}", path.display(), lines.join("\n"));
    }
}

#[test]
fn every_rule_is_broken_by_a_model() {
    let texts: Vec<_> = models("invalid").iter().map(|path| fs::read_to_string(path).expect("a model")).collect();
    let broken: BTreeSet<_> = texts.iter().flat_map(|text| expected(text)).map(|(_, code)| code).collect();
    let untested: Vec<_> =
        diagnostic::rules().filter(|rule| !broken.contains(rule.code)).map(|rule| rule.code).collect();
    assert!(untested.is_empty(), "{untested:?}");
}

#[test]
fn findings_name_their_rule_s_severity() {
    for path in models("invalid") {
        let bytes = fs::read(&path).expect("a model");
        let (definitions, _) = Definitions::read(&bytes).expect("a model that can be read");
        for diagnostic in diagnostic::check(&definitions) {
            let rule = diagnostic::rule(diagnostic.code).expect("a rule for each code");
            let is_drawing = definitions.processes.iter().any(|process| process.is_executable == Some(false));
            assert!(diagnostic.severity == rule.severity || is_drawing, "{}: {diagnostic}", path.display());
        }
    }
}

#[test]
fn what_is_wrong_in_a_drawing_is_a_warning() {
    for path in models("invalid") {
        let text = fs::read_to_string(&path).expect("a model");
        let drawing = text.replace("isExecutable=\"true\"", "isExecutable=\"false\"");
        let errors: Vec<_> =
            check(drawing.as_bytes()).into_iter().filter(|one| one.severity == Severity::Error).collect();
        assert!(errors.is_empty(), "{}: {errors:?}", path.display());
    }
}

#[test]
fn findings_are_in_document_order_and_the_same_each_time() {
    for path in models("invalid") {
        let bytes = fs::read(&path).expect("a model");
        let (definitions, _) = Definitions::read(&bytes).expect("a model that can be read");
        let findings = diagnostic::check(&definitions);
        assert!(findings.is_sorted_by_key(|finding| finding.span.start), "{}", path.display());
        assert_eq!(findings, diagnostic::check(&definitions), "{}", path.display());
    }
}
