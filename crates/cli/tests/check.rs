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
    let gone = potok(&["check", "nowhere.bpmn", "--format", "json"], "");
    let unreadable: serde_json::Value = serde_json::from_str(&gone.out).expect("JSON");
    assert!(unreadable["unreadable"][0].as_str().is_some_and(|text| text.contains("nowhere.bpmn")), "{unreadable}");
    let finding = &json["files"][0]["diagnostics"][0];
    assert_eq!((&finding["line"], &finding["severity"]), (&5.into(), &"error".into()));

    let run = potok(&["check", BROKEN, "--format", "sarif"], "");
    let sarif: serde_json::Value = serde_json::from_str(&run.out).expect("JSON");
    assert_eq!((run.code, &sarif["version"]), (1, &"2.1.0".into()));
    assert_eq!(sarif["runs"][0]["results"][0]["ruleId"], "flow-target-unknown");
    let gone = potok(&["check", "nowhere.bpmn", "--format", "sarif"], "");
    let sarif: serde_json::Value = serde_json::from_str(&gone.out).expect("JSON");
    let told = &sarif["runs"][0]["invocations"][0];
    let text = &told["toolExecutionNotifications"][0]["message"]["text"];
    assert_eq!(told["executionSuccessful"], false);
    assert!(text.as_str().is_some_and(|text| text.contains("nowhere.bpmn")), "{sarif}");
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
fn an_expression_that_cannot_be_read_is_shown_where_it_stands() {
    let model = "<definitions xmlns=\"http://www.omg.org/spec/BPMN/20100524/MODEL\" xmlns:potok=\"urn:potok:bpmn:1.0\">\n\
                 <process id=\"p\" isExecutable=\"true\">\n<userTask id=\"t\" potok:assignee=\"=1 +\"/>\n\
                 <boundaryEvent id=\"b\" attachedToRef=\"t\"><timerEventDefinition id=\"d\">\n<timeDate>${1 +}</timeDate>\
                 </timerEventDefinition></boundaryEvent></process></definitions>";
    let path = file("expression", "e.bpmn", model);
    let run = potok(&["check", &path, "--format", "json"], "");
    let json: serde_json::Value = serde_json::from_str(&run.out).expect("JSON");
    let found = json["files"][0]["diagnostics"].as_array().expect("findings");
    let found: Vec<_> = found.iter().filter(|one| one["code"] == "expression-invalid").collect();
    assert_eq!((&found[0]["element"], &found[0]["line"]), (&"t".into(), &3.into()), "{}", run.out);
    assert!(found[0]["message"].as_str().is_some_and(|message| message.contains("in potok:assignee")), "{}", run.out);
    assert_eq!(found[0]["column"], 35, "{}", run.out);
    assert_eq!((&found[1]["element"], &found[1]["line"]), (&"b".into(), &5.into()), "{}", run.out);
    assert!(found[1]["message"].as_str().is_some_and(|message| message.contains("in <timeDate>")), "{}", run.out);
}

#[test]
fn what_hosts_compute_is_read_too() {
    let model = "<definitions xmlns=\"http://www.omg.org/spec/BPMN/20100524/MODEL\" xmlns:potok=\"urn:potok:bpmn:1.0\">\n\
                 <process id=\"p\" isExecutable=\"true\"><userTask id=\"t\" potok:owner=\"=1 +\"><extensionElements>\n\
                 <potok:formField id=\"f\" default=\"${1 +\"/></extensionElements></userTask></process></definitions>";
    let run = potok(&["check", &file("hosts", "h.bpmn", model)], "");
    assert_eq!(run.code, 1);
    run.says(&["in potok:owner", "h.bpmn:2:", "in default", "h.bpmn:3:"]);
}

#[test]
fn two_files_with_one_process_are_told() {
    let model = "<definitions xmlns=\"http://www.omg.org/spec/BPMN/20100524/MODEL\">\n<process id=\"p\" isExecutable=\"true\">\
                 <task id=\"t\"/></process></definitions>";
    let (one, two) = (file("twice", "one.bpmn", model), file("twice", "two.bpmn", model));
    let run = potok(&["check", &one, &two], "");
    assert_eq!(run.code, 0, "{}", run.out);
    run.says(&["process-in-two-files", "one.bpmn:2:1", "process-in-two-files", "two.bpmn:2:1"]);
    assert!(!potok(&["check", &one], "").out.contains("process-in-two-files"));
    let run = potok(&["run", &one], "\n");
    assert!(run.err.contains("two.bpmn has a process `p` too"), "{}", run.err);
}

#[test]
fn places_in_bytes_are_given_only_where_they_are_bytes_of_the_file() {
    let model = "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>\n<definitions xmlns=\"http://www.omg.org/spec/BPMN/20100524/MODEL\" \
                 name=\"\u{e9}\"><process id=\"p\"><serviceTask id=\"t\"/></process></definitions>";
    let latin: Vec<u8> = model.chars().map(|character| u8::try_from(character).expect("Latin-1")).collect();
    let listed = |path: &str, format: &str| -> serde_json::Value {
        serde_json::from_str(&potok(&["check", path, "--format", format], "").out).expect("JSON")
    };
    let path = file("latin", "l.bpmn", latin);
    let finding = &listed(&path, "json")["files"][0]["diagnostics"][0];
    assert!(finding["line"] == 2 && finding.get("start").is_none(), "{finding}");
    let region = |path: &str| {
        listed(path, "sarif")["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["region"].clone()
    };
    assert!(region(&path)["startLine"] == 2 && region(&path).get("byteOffset").is_none());
    assert!(region(&file("latin", "u.bpmn", model.replace("ISO-8859-1", "UTF-8"))).get("byteOffset").is_some());
}

#[test]
fn nothing_to_check_is_a_mistake() {
    let folder = file("nothing", "readme.txt", "");
    let folder = std::path::Path::new(&folder).parent().expect("a folder").display().to_string();
    let run = potok(&["check", &folder], "");
    assert_eq!(run.code, 1);
    assert!(run.err.contains("has nothing to check"), "{}", run.err);
}

#[test]
fn a_broken_decision_is_not_looked_for_elsewhere() {
    let model = "<definitions xmlns=\"http://www.omg.org/spec/BPMN/20100524/MODEL\" xmlns:potok=\"urn:potok:bpmn:1.0\">\n\
                 <process id=\"p\" isExecutable=\"true\"><businessRuleTask id=\"t\" potok:decision=\"risk\"/></process></definitions>";
    let table = "<definitions xmlns=\"https://www.omg.org/spec/DMN/20191111/MODEL/\" id=\"d\" name=\"d\" namespace=\"n\">\
                 <decision id=\"risk\" name=\"risk\"/></definitions>";
    let run = potok(&["check", &file("risk", "m.bpmn", model), &file("risk", "t.dmn", table)], "");
    run.says(&["decision-logic-missing"]);
    assert!(!run.out.contains("called-decision-unknown"), "{}", run.out);
}

#[test]
fn forms_are_checked_too() {
    let run = potok(&["check", &file("forms", "broken.form", "{")], "");
    assert_eq!(run.code, 1);
    run.says(&["form-invalid"]);
    let form = "{\"components\": [{\"type\": \"dynamiclist\", \"id\": \"d\", \"path\": \"lines\"}]}";
    let run = potok(&["check", &file("forms", "list.form", form)], "");
    assert_eq!(run.code, 0);
    run.says(&["form-not-honoured"]);
}

#[test]
fn forms_in_models_are_checked_too() {
    let model = |form: &str| {
        format!(
            "<definitions xmlns=\"http://www.omg.org/spec/BPMN/20100524/MODEL\" \
             xmlns:zeebe=\"http://camunda.org/schema/zeebe/1.0\">\n<process id=\"p\" isExecutable=\"true\">\n\
             <extensionElements>\n<zeebe:userTaskForm id=\"f\">{form}</zeebe:userTaskForm></extensionElements>\n\
             <userTask id=\"t\"><extensionElements><zeebe:formDefinition formKey=\"camunda-forms:bpmn:f\"/>\
             </extensionElements></userTask></process></definitions>"
        )
    };
    let check = |name: &str, form: &str| potok(&["check", &file("forms-in-models", name, model(form))], "");
    check("broken.bpmn", "{").says(&["form-invalid", "form `f`: this is no JSON", ":4:"]);
    let keyless = "{\"components\": [{\"type\": \"number\", \"id\": \"sum\"}]}";
    check("keyless.bpmn", keyless).says(&["form-invalid", "form `f`, `sum`: a number without a `key`"]);
    let right = check("right.bpmn", "{\"components\": [{\"type\": \"number\", \"key\": \"sum\"}]}");
    assert!(!right.out.contains("form-"), "{}", right.out);
}

#[test]
fn tries_count_for_jobs_and_behind_savepoints() {
    let check = |name: &str, format: &str| {
        let model = format!(
            "<definitions xmlns=\"http://www.omg.org/spec/BPMN/20100524/MODEL\" \
             xmlns:camunda=\"http://camunda.org/schema/1.0/bpmn\"><process id=\"p\" isExecutable=\"true\">\
             <scriptTask id=\"t\" scriptFormat=\"{format}\" camunda:asyncBefore=\"true\"><extensionElements>\
             <camunda:failedJobRetryTimeCycle>R3/PT1M</camunda:failedJobRetryTimeCycle></extensionElements>\
             <script>1 + 1</script></scriptTask></process></definitions>"
        );
        potok(&["check", &file("tries", name, &model)], "").out
    };
    let (evaluated, job) = (check("evaluated.bpmn", "javascript"), check("job.bpmn", "groovy"));
    assert!(!evaluated.contains("extension-ignored"), "{evaluated}");
    assert!(!job.contains("extension-ignored"), "{job}");
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

#[test]
fn a_hostile_file_does_not_command_the_terminal() {
    let output = potok(&["check", &file("hostile", "escape.bpmn", "<a b=\"\u{1b}[31mhi\u{7}")], "");
    assert_eq!(output.code, 1, "{output:?}");
    assert!(
        format!("{}{}", output.out, output.err).chars().all(|character| character == '\n' || !character.is_control()),
        "{output:?}"
    );
}

#[test]
fn what_turns_letters_round_is_not_shown() {
    let model = "<definitions xmlns=\"http://www.omg.org/spec/BPMN/20100524/MODEL\"><process id=\"p\">\
        <serviceTask id=\"a\" name=\"pay\u{202e}\u{9b}2J\u{2069}\"/></process></definitions>";
    let output = potok(&["check", &file("hostile", "turned.bpmn", model)], "");
    assert!(output.out.contains("pay\u{fffd}·2J\u{fffd}"), "{output:?}");
    assert!(!output.out.contains(['\u{202e}', '\u{9b}', '\u{2069}']), "{output:?}");
}
