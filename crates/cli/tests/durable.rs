//! `potok run --db`: what was done stays done, whatever becomes of the process.

mod command;

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::process::{Command, Stdio};

use command::{file, potok};

const NOW: &str = "2026-11-24T10:15:00Z";

const OUTER: &str = r#"<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" targetNamespace="test">
  <process id="outer" isExecutable="true">
    <startEvent id="begin"/><userTask id="first"/>
    <intermediateCatchEvent id="pause"><timerEventDefinition><timeDuration>P1D</timeDuration></timerEventDefinition></intermediateCatchEvent>
    <callActivity id="call" calledElement="inner"/><userTask id="last"/><endEvent id="end"/>
    <sequenceFlow id="f1" sourceRef="begin" targetRef="first"/><sequenceFlow id="f2" sourceRef="first" targetRef="pause"/>
    <sequenceFlow id="f3" sourceRef="pause" targetRef="call"/><sequenceFlow id="f4" sourceRef="call" targetRef="last"/>
    <sequenceFlow id="f5" sourceRef="last" targetRef="end"/>
  </process>
</definitions>"#;

const INNER: &str = r#"<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" targetNamespace="test">
  <process id="inner" isExecutable="true">
    <startEvent id="inner-begin"/><userTask id="inner-work"/><endEvent id="inner-end"/>
    <sequenceFlow id="g1" sourceRef="inner-begin" targetRef="inner-work"/>
    <sequenceFlow id="g2" sourceRef="inner-work" targetRef="inner-end"/>
  </process>
</definitions>"#;

/// A model that calls another, and a database that is not there yet.
fn model(folder: &str) -> (String, String) {
    file(folder, "inner.bpmn", INNER);
    let model = file(folder, "outer.bpmn", OUTER);
    let database = file(folder, "work.db", "");
    let folder = std::path::Path::new(&database).parent().expect("a folder");
    for entry in std::fs::read_dir(folder).expect("the folder").flatten() {
        if entry.file_name().to_string_lossy().starts_with("work.db") {
            if entry.path().is_dir() {
                std::fs::remove_dir_all(entry.path())
            } else {
                std::fs::remove_file(entry.path())
            }
            .expect("it can be removed");
        }
    }
    (model, database)
}

/// Types into a run until it says something, then kills it.
fn killed(arguments: &[&str], typed: &str, at: &str) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_potok"))
        .args(arguments)
        .env_remove("TERM")
        .env("TZ", "UTC")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    let mut input = child.stdin.take().expect("its input");
    input.write_all(typed.as_bytes()).expect("it reads");
    let (mut output, mut said) = (child.stdout.take().expect("its output"), Vec::new());
    let mut byte = [0];
    while !String::from_utf8_lossy(&said).contains(at) {
        assert_eq!(output.read(&mut byte).expect("it writes"), 1, "{}", String::from_utf8_lossy(&said));
        said.push(byte[0]);
    }
    child.kill().expect("it is killed");
    child.wait().expect("it ends");
}

/// What was passed and what the variables are, without the times at which it was looked.
fn passed(output: &command::Output) -> &str {
    &output.out[output.out.find("Passed:").expect("what was passed")..]
}

#[test]
fn a_run_that_is_killed_goes_on_where_it_was() {
    let typed = ["\n", "a=1\n\n", "next\n", "1\nb=2\n\n", "c=3\n\n"];
    let (model_file, database) = model("durable-whole");
    let whole = potok(&["run", &model_file, "--now", NOW, "--db", &database], &typed.concat());
    assert_eq!(whole.code, 0, "{whole:?}");
    let (model_file, _) = model("durable-memory");
    let memory = potok(&["run", &model_file, "--now", NOW], &typed.concat());
    // Within one commit the log is in the order of the instances.
    let lines = |output: &command::Output| passed(output).lines().map(str::to_owned).collect::<BTreeSet<_>>();
    assert_eq!(lines(&whole), lines(&memory), "in a database it is the same");

    let (model_file, database) = model("durable-killed");
    let arguments = ["run", &model_file, "--now", NOW, "--db", &database];
    killed(&arguments, &typed[..2].concat(), "What next?");
    killed(&arguments, typed[2], "inner-work");
    let left = potok(&arguments, typed[3]);
    assert_eq!(left.code, 2, "{left:?}");
    assert!(left.err.contains("of Tue 24 Nov 2026 10:15 goes on"), "{}", left.err);
    let rest = potok(&["run", &model_file, "--db", &database, "--now", NOW], typed[4]);
    assert_eq!(rest.code, 0, "{rest:?}");
    assert_eq!(lines(&rest), lines(&whole), "it ends as one run");
    let again = potok(&arguments, "");
    assert!(!again.err.contains("goes on"), "what has ended does not go on: {}", again.err);
}

#[test]
fn a_scenario_takes_the_steps_that_are_left() {
    let (model, database) = model("durable-scenario");
    let first = file("durable-scenario", "first.answers.yaml", "steps: [{complete: first}]");
    let rest = "steps: [{wait: next-timer}, {complete: inner-work}, {complete: last}]";
    let rest = file("durable-scenario", "rest.answers.yaml", rest);
    let run = |answers: &str| potok(&["run", &model, "--now", NOW, "--db", &database, "--answers", answers], "");
    let half = run(&first);
    assert_eq!(half.code, 1, "{half:?}");
    let whole = run(&rest);
    assert_eq!(whole.code, 0, "{whole:?}");
    whole.says(&[
        "10:15  first",
        "Wed 25 Nov 2026",
        "inner-work",
        "last",
        "the process has ended, Wed 25 Nov 2026 10:15",
    ]);
}

#[test]
fn one_is_started_beside_another_if_asked() {
    let (model, database) = model("durable-new");
    let run = |more: &[&str], typed: &str| {
        potok(&[&["run", &model, "--now", NOW, "--db", &database][..], more].concat(), typed)
    };
    assert_eq!(run(&["--business-key", "A"], "\n").code, 2);
    let other = run(&["--business-key", "B"], "\n");
    assert!(!other.err.contains("goes on"), "{}", other.err);
    assert!(run(&["--business-key", "A"], "").err.contains("(A) of "));
    let new = run(&["--new"], "\nquit\n");
    assert!(!new.err.contains("goes on"), "{}", new.err);
}

/// Time stands still between the runs: what started first is told by nothing else.
#[test]
fn a_run_is_about_no_instance_of_an_earlier_one() {
    let (model, database) = model("durable-again");
    let run = |key: &str, answers: &str| {
        let answers = file("durable-again", &format!("{key}.answers.yaml"), answers);
        potok(
            &["run", &model, "--now", NOW, "--db", &database, "--new", "--business-key", key, "--answers", &answers],
            "",
        )
    };
    let all =
        "steps: [{complete: first, with: {of: MINE}}, {wait: next-timer}, {complete: inner-work}, {complete: last}]";
    assert_eq!(run("A", "steps: []").code, 1);
    for key in ["B", "C"] {
        let whole = run(key, &all.replace("MINE", key));
        assert_eq!(whole.code, 0, "{whole:?}");
        assert!(whole.out.contains(&format!("of = \"{key}\"")), "{}", whole.out);
        assert_eq!(whole.out.matches("inner-begin").count(), 1, "{}", whole.out);
    }
    let first = file("durable-again", "rest.answers.yaml", all);
    let rest = potok(&["run", &model, "--now", NOW, "--db", &database, "--business-key", "A", "--answers", &first], "");
    assert_eq!(rest.code, 0, "{rest:?}");
    assert_eq!(rest.out.matches("inner-begin").count(), 1, "{}", rest.out);
}

#[test]
fn a_timer_that_starts_the_process_is_seen() {
    let (model, database) = model("starts");
    let timed = OUTER.replace(
        r#"<startEvent id="begin"/>"#,
        r#"<startEvent id="begin"><timerEventDefinition><timeDuration>PT1H</timeDuration></timerEventDefinition></startEvent>"#,
    );
    std::fs::write(&model, timed).expect("the model is written");
    let answers = "steps:\n  - wait: next-timer\n  - complete: first\n  - wait: next-timer\n  - complete: inner-work\n  - complete: last\n";
    let answers = file("starts", "starts.answers.yaml", answers);
    let run = potok(&["run", &model, "--db", &database, "--now", NOW, "--answers", &answers], "");
    assert_eq!(run.code, 0, "{}", run.err);
    run.says(&["11:15  begin", "the process has ended, Wed 25 Nov 2026 11:15"]);
}

#[test]
fn time_does_not_go_back_behind_what_called_processes_have_lived() {
    let (model, database) = model("durable-called");
    let parts = r#"<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" targetNamespace="t">
      <process id="parent" isExecutable="true">
        <startEvent id="begin"/><callActivity id="call" calledElement="child"/><userTask id="after"/><endEvent id="end"/>
        <sequenceFlow id="f1" sourceRef="begin" targetRef="call"/>
        <sequenceFlow id="f2" sourceRef="call" targetRef="after"/>
        <sequenceFlow id="f3" sourceRef="after" targetRef="end"/>
      </process>
      <process id="child" isExecutable="true">
        <startEvent id="starts"/>
        <intermediateCatchEvent id="week"><timerEventDefinition><timeDuration>P7D</timeDuration></timerEventDefinition></intermediateCatchEvent>
        <userTask id="work"/><endEvent id="done"/>
        <sequenceFlow id="c1" sourceRef="starts" targetRef="week"/>
        <sequenceFlow id="c2" sourceRef="week" targetRef="work"/>
        <sequenceFlow id="c3" sourceRef="work" targetRef="done"/>
      </process></definitions>"#;
    std::fs::write(&model, parts).expect("the model is written");
    let run = |name: &str, steps: &str| {
        let answers = file("durable-called", name, steps);
        potok(&["run", &model, "--now", NOW, "--db", &database, "--answers", &answers], "")
    };
    let half = run("first.answers.yaml", "steps: [{wait: next-timer}]");
    assert_eq!(half.code, 1, "{half:?}");
    let whole = run("rest.answers.yaml", "steps: [{complete: work}, {complete: after}]");
    assert_eq!(whole.code, 0, "{whole:?}");
    whole.says(&["Tue 1 Dec 2026", "10:15  work", "the process has ended, Tue 1 Dec 2026 10:15"]);
    assert!(!whole.out.contains("Tue 24 Nov 2026\n10:15  after"), "{}", whole.out);
}
