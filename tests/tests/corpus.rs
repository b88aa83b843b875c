//! Models of others and of our own: each is read, and written back byte for byte; an edit of one attribute changes the
//! bytes of that attribute alone.

#![allow(clippy::expect_used)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use potok_core::diagnostic::Diagnostic;
use potok_core::model::{Definitions, FlowNodeKind};
use potok_core::xml::{Document, Element};

fn corpus(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(folder)
}

/// All models in a folder and its folders, sorted.
fn models(folder: &Path) -> Vec<PathBuf> {
    let mut folders = vec![folder.to_owned()];
    let mut models = Vec::new();
    while let Some(folder) = folders.pop() {
        let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        for entry in entries {
            let path = entry.expect("is readable").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "bpmn" || extension == "xml") {
                models.push(path);
            }
        }
    }
    models.sort();
    models
}

/// Edits about twenty elements, one at a time.
fn check_edits(document: &Document, what: &str) {
    let step = (document.len() / 20).max(1) as usize;
    for element in document.elements().step_by(step) {
        match element.attributes().next() {
            Some(attribute) => check_change(document, element, attribute, what),
            None => check_addition(document, element, what),
        }
    }
}

fn check_change(document: &Document, element: Element<'_>, attribute: potok_core::xml::Attribute<'_>, what: &str) {
    let namespace = Some(attribute.namespace()).filter(|namespace| !namespace.is_empty());
    let mut edit = document.edit();
    let value = format!("{}, changed", attribute.value());
    edit.set_attribute(element.index(), namespace, attribute.name(), &value).expect("can be set");
    let edited = edit.to_bytes().expect("can be written");
    let old = attribute.value_span().of(document.text());
    // No encoding takes more than three bytes where UTF-8 takes one (and none of ours more than two).
    check_untouched(document.bytes(), &edited, old.len() * 3, &format!("{what}: {element:?}"));
    let again = Document::parse(&edited).expect("is read again");
    let found = again.element(element.index()).attribute_in(attribute.namespace(), attribute.name());
    assert_eq!(found.as_deref(), Some(&*value), "{what}: {element:?}");
}

fn check_addition(document: &Document, element: Element<'_>, what: &str) {
    let mut edit = document.edit();
    edit.set_attribute(element.index(), None, "added", "1").expect("can be set");
    let edited = edit.to_bytes().expect("can be written");
    check_untouched(document.bytes(), &edited, 0, &format!("{what}: {element:?}"));
    let again = Document::parse(&edited).expect("is read again");
    assert_eq!(again.element(element.index()).attribute("added").as_deref(), Some("1"), "{what}: {element:?}");
}

/// Checks that what stands before and after a change of at most that many bytes is as it was.
fn check_untouched(before: &[u8], after: &[u8], changed: usize, what: &str) {
    let same = |pairs: &mut dyn Iterator<Item = (&u8, &u8)>| pairs.take_while(|(one, other)| one == other).count();
    let start = same(&mut before.iter().zip(after));
    let end = same(&mut before.iter().rev().zip(after.iter().rev()));
    assert!(
        start + end + changed >= before.len(),
        "{what}: only {start} + {end} of {} bytes are the same",
        before.len()
    );
}

/// Reads a model, and writes it back; gives what reading the model found.
fn check(path: &Path) -> Result<(Definitions, Vec<Diagnostic>), Vec<Diagnostic>> {
    let bytes = fs::read(path).expect("is readable");
    let what = path.display().to_string();
    let read = Definitions::read(&bytes);
    if let Ok(document) = Document::parse(&bytes) {
        assert_eq!(document.to_bytes(), bytes, "{what}");
        assert_eq!(document.edit().to_bytes().as_deref(), Ok(&bytes[..]), "{what}");
        check_edits(&document, &what);
    }
    for diagnostic in read.as_ref().map_or_else(|faults| faults, |(_, warnings)| warnings) {
        assert!(!diagnostic.help.is_empty() && diagnostic.line > 0 && diagnostic.column > 0, "{what}: {diagnostic}");
    }
    read
}

#[test]
fn the_interchange_working_groups_models_are_read() {
    let models = models(&corpus("miwg"));
    assert_eq!(models.len(), 21);
    for path in models {
        let (model, _) = check(&path).unwrap_or_else(|faults| panic!("{}: {faults:#?}", path.display()));
        assert!(!model.processes.is_empty(), "{}", path.display());
        for process in &model.processes {
            for flow in &process.sequence_flows {
                assert!(flow.source.target.is_some() && flow.target.target.is_some(), "{}: {flow:?}", path.display());
            }
        }
    }
}

fn wild(name: &str) -> Result<(Definitions, Vec<Diagnostic>), Vec<Diagnostic>> {
    check(&corpus("wild").join(name).with_extension("bpmn"))
}

/// The model in a file that is read without any warning.
fn good(name: &str) -> Definitions {
    let (model, warnings) = wild(name).unwrap_or_else(|faults| panic!("{name}: {faults:#?}"));
    assert_eq!(warnings, [], "{name}");
    model
}

/// The code and line of each finding in a file that is refused.
fn refused(name: &str) -> Vec<(&'static str, u32)> {
    let faults = wild(name).expect_err(name);
    faults.iter().map(|fault| (fault.code, fault.line)).collect()
}

#[test]
fn prefixes_do_not_matter() {
    for prefix in ["semantic", "bpmn", "none", "bpmn2", "sem", "model", "bpmn20", "ns5", "ns18"] {
        let model = good(&format!("prefix-{prefix}"));
        assert_eq!(model.processes[0].flow_nodes.len(), 3, "{prefix}");
        assert_eq!(model.processes[0].flow_nodes[0].outgoing.len(), 1, "{prefix}");
    }
    assert_eq!(good("prefixes-five").processes[0].flow_nodes.len(), 2);
    assert_eq!(good("namespace-no-uri").processes[0].flow_nodes.len(), 3);
    assert_eq!(refused("prefix-undeclared"), [("xml-prefix-unbound", 6)]);
}

#[test]
fn encodings_do_not_matter() {
    for (name, task) in [
        ("encoding-iso-8859-1", "Preis ½"),
        ("encoding-windows-1252", "Preis – 5 €"),
        ("encoding-none", "Preis – 5 €"),
        ("encoding-utf-8-mark", "Preis – 5 €"),
        ("encoding-utf-16", "Preis – 5 €"),
        ("encoding-utf-16-in-name-only", "Preis – 5 €"),
    ] {
        let model = good(name);
        let names: Vec<_> = model.processes[0].flow_nodes.iter().filter_map(|node| node.name.as_deref()).collect();
        assert_eq!(names, ["Größe prüfen", task], "{name}");
    }
    // In its name, an event has the byte of another encoding.
    assert_eq!(refused("encoding-false-utf-8"), [("xml-encoding", 4)]);
}

#[test]
fn faults_are_named_at_their_place() {
    assert_eq!(refused("ids-duplicate"), [("id-duplicate", 5), ("id-in-diagram-twice", 7)]);
    assert_eq!(refused("document-type"), [("xml-doctype", 2)]);
    assert_eq!(refused("cut-off")[0].0, "xml-malformed");
    let (model, warnings) = wild("elements-unknown").expect("is read");
    let found: Vec<_> = warnings.iter().map(|warning| (warning.code, warning.line)).collect();
    assert_eq!(found, [("element-unknown", 6), ("element-unknown", 7), ("element-unknown", 9)]);
    assert_eq!(model.processes[0].flow_nodes.len(), 2);
}

#[test]
fn references_that_lead_nowhere_are_kept() {
    let model = good("flows-dangling");
    let targets: Vec<_> = model.processes[0].sequence_flows.iter().map(|flow| &*flow.target.text).collect();
    assert_eq!(targets, ["Task_9", "Task_1", ""]);
    let resolved: Vec<_> = model.processes[0].sequence_flows.iter().map(|flow| flow.target.target.is_some()).collect();
    assert_eq!(resolved, [false, true, false]);
}

#[test]
fn flows_are_in_the_order_of_the_document() {
    let model = good("flows-order");
    let gateway = &model.processes[0].flow_nodes[0];
    assert_eq!(gateway.outgoing.iter().map(|flow| flow.0).collect::<Vec<_>>(), [0, 1]);
    let ids: Vec<String> =
        good("flows-without-ids").processes[0].sequence_flows.iter().map(|flow| flow.id.to_string()).collect();
    assert_eq!(ids, ["_5_5", "_7_5"]);
}

#[test]
fn references_may_have_a_prefix() {
    let model = good("references-prefixed");
    let process = &model.processes[0];
    assert!(process.sequence_flows[0].source.target.is_some() && process.sequence_flows[0].target.target.is_some());
    assert!(model.collaborations[0].participants[0].process.as_ref().is_some_and(|process| process.target.is_some()));
    let FlowNodeKind::Event(boundary) = &process.flow_nodes[2].kind else { panic!("the third is an event") };
    let written = format!("{:?}", boundary.definitions);
    assert!(written.contains("ORDER_REJECTED"), "an error's code may stand where its id should: {written}");
}

#[test]
fn a_file_has_any_number_of_processes_and_diagrams() {
    assert_eq!(good("processes-none").processes.len(), 0);
    assert_eq!(good("processes-twelve").processes.len(), 12);
    let model = good("diagram-of-more");
    assert_eq!(model.processes[0].flow_nodes.len(), 3);
    assert_eq!(model.processes[0].is_executable, None);
}

/// Puts all models in the folder that `POTOK_CORPUS` names through the same checks, and says what was found how often.
#[test]
fn any_other_corpus() {
    let Some(folder) = std::env::var_os("POTOK_CORPUS") else {
        return;
    };
    let mut codes: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    let (mut read, mut refused) = (0, 0);
    for path in models(Path::new(&folder)) {
        let found = match check(&path) {
            Ok((_, warnings)) => {
                read += 1;
                warnings
            }
            Err(faults) => {
                refused += 1;
                let first = faults.iter().find(|fault| fault.severity == potok_core::diagnostic::Severity::Error);
                println!("{}: {}", path.display(), first.map(ToString::to_string).unwrap_or_default());
                faults
            }
        };
        for diagnostic in found {
            let severity =
                if diagnostic.severity == potok_core::diagnostic::Severity::Error { "error" } else { "warning" };
            *codes.entry((severity, diagnostic.code)).or_default() += 1;
        }
    }
    println!("{read} read, {refused} refused");
    for ((severity, code), count) in codes {
        println!("{count:6} {severity} {code}");
    }
}
