//! `potok export`.

mod command;

use command::{bpmn, file, potok};

#[test]
fn history_is_written_as_json_lines_and_xes() {
    let database = file("export", "empty", "");
    let database = database.replace("empty", &format!("work-{}.db", std::process::id()));
    let missing = potok(&["export", "--db", &database], "");
    assert_eq!(missing.code, 1);
    assert!(missing.err.contains("there is no database"), "{}", missing.err);
    let answers = bpmn("incoming-call.answers.yaml");
    let run = potok(&["run", &bpmn("incoming-call.bpmn"), "--answers", &answers, "--db", &database], "");
    assert_eq!(run.code, 0, "{}", run.err);
    let lines = potok(&["export", "--db", &database], "");
    assert_eq!(lines.code, 0, "{}", lines.err);
    let first: serde_json::Value = serde_json::from_str(lines.out.lines().next().expect("a line")).expect("JSON");
    assert_eq!(first["event"], "started");
    let xes = potok(&["export", "--db", &database, "--format", "xes"], "");
    assert!(xes.out.starts_with("<?xml") && xes.out.contains("<trace>") && xes.out.ends_with("</log>\n"));
    let none = potok(&["export", "--db", &database, "--process", "no-such-process"], "");
    assert_eq!((none.code, none.out.as_str()), (0, ""));
}
