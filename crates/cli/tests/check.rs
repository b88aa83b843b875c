//! `potok check`.

mod command;

use command::{bpmn, file, potok};

const BROKEN: &str = "tests/bad/broken.bpmn";

#[test]
fn the_customers_processes_are_in_order() {
    let run = potok(&["check", &bpmn("")], "");
    assert_eq!((run.code, run.out.as_str(), run.err.as_str()), (0, "5 files checked: 0 errors, 0 warnings\n", ""));
}

#[test]
fn findings_are_shown_with_their_line() {
    let run = potok(&["check", BROKEN], "");
    assert_eq!(run.code, 1);
    run.says(&[
        "flow-target-unknown",
        "sequence flow `f` ends at `nowhere`, but no flow node has that id",
        "[tests/bad/broken.bpmn:5:5]",
        "5 │     <sequenceFlow id=\"f\" sourceRef=\"начало\" targetRef=\"nowhere\" />",
        "help: ",
        "1 file checked: ",
    ]);
}

#[test]
fn findings_are_listed_for_tools() {
    let run = potok(&["check", BROKEN, "--format", "json"], "");
    let json: serde_json::Value = serde_json::from_str(&run.out).expect("JSON");
    assert_eq!((run.code, &json["files"][0]["file"]), (1, &BROKEN.into()));
    let finding = &json["files"][0]["diagnostics"][0];
    assert_eq!((&finding["line"], &finding["severity"]), (&5.into(), &"error".into()));

    let run = potok(&["check", BROKEN, "--format", "sarif"], "");
    let sarif: serde_json::Value = serde_json::from_str(&run.out).expect("JSON");
    assert_eq!((run.code, &sarif["version"]), (1, &"2.1.0".into()));
    assert_eq!(sarif["runs"][0]["results"][0]["ruleId"], "flow-target-unknown");
}

#[test]
fn a_warning_is_no_failure() {
    let model = "<definitions xmlns=\"http://www.omg.org/spec/BPMN/20100524/MODEL\" targetNamespace=\"x\">\
                 <process id=\"p\" isExecutable=\"false\"><task id=\"t\"/></process></definitions>";
    let run = potok(&["check", &file("warning", "w.bpmn", model)], "");
    assert_eq!(run.code, 0, "{}", run.out);
    run.says(&["1 file checked: 0 errors, "]);
}

#[test]
fn bad_files_are_refused_cleanly() {
    let cases: [(&str, &[u8], &str); 7] = [
        ("empty.bpmn", b"", "xml-"),
        ("binary.bpmn", &[0x7f, b'E', b'L', b'F', 0, 0xc0, 0xff], "xml-"),
        ("latin.bpmn", b"<definitions id=\"\xff\"/>", "is not UTF-8"),
        ("cut.bpmn", "<definitions name=\"Звон".as_bytes(), "xml-malformed"),
        ("bomb.bpmn", b"<!DOCTYPE a [<!ENTITY a \"aa\">]><definitions/>", "xml-"),
        ("broken.dmn", b"<definitions>", "xml-malformed"),
        ("calendar-x.yaml", b"name: x\nzone: Nowhere/At all\n", "calendar"),
    ];
    for (name, content, text) in cases {
        let path = file("bad", name, content);
        let run = potok(&["check", &path], "");
        assert_eq!(run.code, 1, "{name}: {}{}", run.out, run.err);
        assert!(run.out.contains(text) && run.out.contains(name), "{name}:\n{}", run.out);
    }
}

#[test]
fn a_model_in_one_long_line_is_shown_in_part() {
    let mut model = "<definitions xmlns=\"http://www.omg.org/spec/BPMN/20100524/MODEL\"><process id=\"p\">".to_owned();
    for number in 0..500 {
        model += &format!(
            "<task id=\"ж{number}\"/><sequenceFlow id=\"f{number}\" sourceRef=\"ж{number}\" targetRef=\"x\"/>"
        );
    }
    let path = file("long", "line.bpmn", model + "</process></definitions>");
    let run = potok(&["check", &path], "");
    assert_eq!(run.code, 1);
    run.says(&["flow-target-unknown", "line.bpmn:1:", "400 more findings"]);
    assert!(run.out.lines().all(|line| line.chars().count() < 400));
}

#[test]
fn a_file_that_is_not_there_is_told_and_the_others_are_checked() {
    let run = potok(&["check", "tests/none.bpmn", &bpmn("contract.bpmn")], "");
    assert_eq!(run.code, 1);
    assert!(run.err.contains("cannot read tests/none.bpmn"), "{}", run.err);
    run.says(&["1 file checked: 0 errors"]);
}

#[test]
fn what_is_called_is_looked_for_in_all_files() {
    let model = |id: &str, called: &str| {
        format!(
            "<definitions xmlns=\"http://www.omg.org/spec/BPMN/20100524/MODEL\" xmlns:camunda=\"http://camunda.org/schema/1.0/bpmn\">\n\
             <process id=\"{id}\" isExecutable=\"true\">\n<callActivity id=\"call\" calledElement=\"{called}\"/>\n\
             <businessRuleTask id=\"ask\" camunda:decisionRef=\"risk\"/></process></definitions>"
        )
    };
    let one = file("called", "one.bpmn", model("one", "two"));
    let run = potok(&["check", &one], "");
    assert_eq!(run.code, 0, "{}", run.out);
    run.says(&["called-process-unknown", "`two`", "one.bpmn:3:1"]);
    run.says(&["called-decision-unknown", "`risk`", "one.bpmn:4:1"]);

    // Files that are read later count, too, and those of a folder.
    let two = file("called", "two.bpmn", model("two", "=next"));
    let run = potok(&["check", &one, &two], "");
    assert!(!run.out.contains("called-process-unknown"), "{}", run.out);
    let folder = std::path::Path::new(&one).parent().expect("a folder").display().to_string();
    assert!(!potok(&["check", &folder], "").out.contains("called-process-unknown"));
}

#[test]
fn help_and_version_are_there() {
    assert!(potok(&["--version"], "").out.starts_with("potok "));
    potok(&["--help"], "").says(&["Usage: potok", "run", "check", "Examples:"]);
    potok(&["run", "--help"], "").says(&[
        "--process",
        "--answers",
        "--now",
        "--business-key",
        "Examples:",
        "Exit code",
    ]);
    assert_eq!(potok(&[], "").code, 2);
}
