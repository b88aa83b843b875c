//! Every rule of structure, each with a model that breaks it.
//!
//! The models stand in `models/invalid`. A comment `<!-- expect: code, code -->` at the end of a line names what is found
//! about the element that begins there; nothing else may be found, so that all that is right in a model is tested too.
#![allow(clippy::expect_used)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use potok_core::diagnostic::{self, Diagnostic, Severity};
use potok_core::expressions::Deployment;
use potok_core::graph::Package;
use potok_core::model::{Definitions, Process};
use potok_expressions::Evaluator;

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
    let (definitions, mut found) = Definitions::read_leniently(bytes).expect("a model that can be read");
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

/// Models in `models/refused` are looked at as they are when they are deployed: by everything that looks at models, each of
/// which tells what it finds, once, however much the others have found.
#[test]
fn a_model_is_refused_with_all_that_is_wrong_with_it() {
    let evaluator = Evaluator::new();
    for path in models("refused") {
        let text = fs::read_to_string(&path).expect("a model");
        let told = Package::from_bpmn(text.as_bytes(), &evaluator).expect_err("a model with errors");
        let lines: Vec<_> = told.iter().map(ToString::to_string).collect();
        let mut found: Vec<_> = told.iter().map(|found| (found.line, found.code.to_owned())).collect();
        found.sort();
        let expected: Vec<_> = expected(&text).into_iter().collect();
        assert_eq!(found, expected, "{}:\n{}", path.display(), lines.join("\n"));
    }
}

#[test]
fn what_was_deployed_before_there_was_a_rule_goes_on() {
    let evaluator = Evaluator::new();
    let read = |name: &str| {
        let path = models("refused").into_iter().find(|path| path.ends_with(name)).expect("a model of that name");
        Package::deployed(&fs::read(path).expect("a model"), &evaluator, Deployment::default())
    };
    assert_eq!(read("camunda_7.bpmn").expect("a package").processes.len(), 1);
    let codes: BTreeSet<_> = read("every_pass.bpmn").expect_err("expressions").iter().map(|found| found.code).collect();
    assert_eq!(codes, BTreeSet::from(["expression-invalid"]));
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
            let runs = |process: &Process| process.is_executable == Some(true);
            let is_drawing = !definitions.processes.iter().all(runs);
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
fn a_file_with_an_id_given_twice_is_checked_all_the_same() {
    let text = r#"<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL">
        <process id="p" isExecutable="true">
          <userTask id="p"/>
          <serviceTask id="a"/>
        </process>
      </definitions>"#;
    let codes: Vec<_> = diagnostic::check_file(text.as_bytes()).iter().map(|finding| finding.code).collect();
    assert_eq!(codes, ["id-duplicate", "service-task-without-work"]);
}

#[test]
fn an_id_given_twice_means_what_a_reference_wants() {
    let text = r#"<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" id="d">
        <error id="end"/><error id="a" errorCode="A"/>
        <process id="p" isExecutable="true">
          <startEvent id="s"/><exclusiveGateway id="choice" default="d"/><task id="a"/>
          <endEvent id="end"/><endEvent id="failed"><errorEventDefinition errorRef="a"/></endEvent>
          <sequenceFlow id="s_choice" sourceRef="s" targetRef="choice"/>
          <sequenceFlow id="choice_a" sourceRef="choice" targetRef="a"><conditionExpression>x</conditionExpression></sequenceFlow>
          <sequenceFlow id="d" sourceRef="choice" targetRef="end"/>
          <sequenceFlow id="a_failed" sourceRef="a" targetRef="failed"/>
        </process>
      </definitions>"#;
    let found = diagnostic::check_file(text.as_bytes());
    let told: Vec<_> = found.iter().map(|finding| (finding.code, finding.element.as_deref())).collect();
    let twice = |id| ("id-duplicate", Some(id));
    assert_eq!(told, [twice("a"), twice("end"), twice("d")]);
}

#[test]
fn a_word_in_a_message_has_its_own_article() {
    let text = r#"<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL">
        <process id="p" isExecutable="true">
          <startEvent id="s"><errorEventDefinition/></startEvent>
          <startEvent id="t"><cancelEventDefinition/></startEvent>
        </process>
      </definitions>"#;
    let found = diagnostic::check_file(text.as_bytes());
    let messages: Vec<_> =
        found.iter().map(|found| &*found.message).filter(|text| text.contains("definition,")).collect();
    assert_eq!(
        messages,
        [
            "start event `s` has an error definition, which cannot stand at the start of a process",
            "start event `t` has a cancel definition, which cannot stand at the start of a process",
        ]
    );
}

#[test]
fn what_is_no_xml_is_one_finding() {
    assert_eq!(diagnostic::check_file(b"<definitions").len(), 1);
}

#[test]
fn findings_as_json_and_sarif_keep_code_place_and_element() {
    let text = r#"<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL">
        <process id="p" isExecutable="true">
          <serviceTask id="a"/>
        </process>
      </definitions>"#;
    let findings = diagnostic::check_file(text.as_bytes());
    let json = diagnostic::json(findings.first().expect("a finding"));
    assert_eq!(json["code"], "service-task-without-work");
    assert_eq!(json["severity"], "error");
    assert_eq!((&json["line"], &json["column"]), (&3.into(), &11.into()));
    assert_eq!(json["element"], "a");

    let sarif = diagnostic::sarif("models/приём звонка.bpmn", &findings);
    let run = &sarif["runs"][0];
    assert_eq!(sarif["version"], "2.1.0");
    assert_eq!(run["tool"]["driver"]["rules"][0]["id"], "service-task-without-work");
    let result = &run["results"][0];
    assert_eq!((&result["ruleIndex"], &result["level"]), (&0.into(), &"error".into()));
    let place = &result["locations"][0]["physicalLocation"];
    let uri = place["artifactLocation"]["uri"].as_str().expect("an address");
    assert!(uri.is_ascii() && uri.starts_with("models/%D0%BF") && uri.contains("%20"), "{uri}");
    assert_eq!(place["region"]["startLine"], 3);
    assert_eq!(result["locations"][0]["logicalLocations"][0]["name"], "a");
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

/// A process of so many user tasks in a row, inside so many sub-processes.
fn large(tasks: usize, depth: usize) -> String {
    let mut text = String::from(
        r#"<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL"><process id="p" isExecutable="true">"#,
    );
    for level in 0..depth {
        text += &format!(r#"<subProcess id="sub{level}">"#);
    }
    for task in 0..tasks {
        text += &format!(
            r#"<userTask id="t{task}"/><sequenceFlow id="f{task}" sourceRef="t{task}" targetRef="t{}"/>"#,
            task + 1
        );
    }
    text += &format!(r#"<userTask id="t{tasks}"/>"#);
    text += &"</subProcess>".repeat(depth);
    text + "</process></definitions>"
}

#[test]
fn large_and_deep_models_are_checked() {
    assert_eq!(diagnostic::check_file(large(20_000, 0).as_bytes()), []);
    assert_eq!(diagnostic::check_file(large(1, 900).as_bytes()), []);
}

#[test]
fn every_code_is_in_the_documentation() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace");
    let page = fs::read_to_string(root.join("docs/diagnostics.md")).expect("docs/diagnostics.md");
    for rule in diagnostic::rules() {
        let row = format!("| `{}` |", rule.code);
        assert!(page.contains(&row), "{row} {}", rule.summary);
    }
    // Codes of reading are named where they are found: the first words of the calls that report them.
    let mut folders = vec![
        root.join("crates/core/src/xml"),
        root.join("crates/core/src/model"),
        root.join("crates/core/src/dialect"),
        root.join("crates/core/src/graph"),
        root.join("crates/core/src/diagnostic"),
        root.join("crates/expressions/src/decision"),
        root.join("crates/cli/src/check"),
    ];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder of sources") {
            let path = entry.expect("an entry").path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if path.is_dir() {
                folders.extend((name != "tests").then_some(path));
            } else if !name.ends_with("tests.rs") {
                for code in codes_in(&fs::read_to_string(&path).expect("a source")) {
                    assert!(page.contains(&format!("| `{code}` |")), "{code} of {}", path.display());
                }
            }
        }
    }
}

/// The texts in a source that look like codes of reading.
fn codes_in(source: &str) -> Vec<&str> {
    let subjects = [
        "xml",
        "element",
        "id",
        "attribute",
        "extension",
        "event",
        "job",
        "root",
        "file",
        "expression",
        "decision",
        "called",
        "process",
        "form",
    ];
    // Words that are no codes: values and names that begin like one.
    let others = ["event-based", "form-js"];
    let is_code = |text: &str| {
        !others.contains(&text)
            && text.split_once('-').is_some_and(|(subject, _)| subjects.contains(&subject))
            && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-')
    };
    source.split('"').skip(1).step_by(2).filter(|text| is_code(text)).collect()
}
