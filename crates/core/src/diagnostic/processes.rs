//! Processes as a whole.

use super::findings::Findings;
use super::rule::define;
use super::subject::{Subject, World};
use crate::dialect::Dialect;

define! {
    NO_PROCESS = "no-process", Warning, "BPMN 2.0.2 §10.2",
        "A file has a process.";
    NOT_EXECUTABLE = "process-not-executable", Warning, "BPMN 2.0.2 §10.2.1",
        "A process that is to run has isExecutable=\"true\".";
    PUBLIC = "process-public", Warning, "BPMN 2.0.2 §10.2.1 Table 10.1",
        "A process that is to run is private: a public one shows only what others see of it.";
    WITHOUT_NODES = "process-without-nodes", Error, "BPMN 2.0.2 §10.2",
        "A process that is to run has flow nodes (a warning without isExecutable=\"true\").";
    HISTORY_WITHOUT_END = "history-without-end", Warning, "Camunda 7.20",
        "A process of Camunda 7 says how long the history of its instances is kept.";
}

pub(super) fn check(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    let process = subject.process;
    let owner = subject.scope_label(None);
    if process.is_executable == Some(false) {
        findings.add(
            &NOT_EXECUTABLE,
            process.element,
            format!("{owner} has isExecutable=\"false\": it is a drawing and cannot be started"),
            "set isExecutable=\"true\" if it is to run",
        );
    }
    let kind = subject.definitions.document.element(process.element).attribute("processType");
    if process.is_executable == Some(true) && kind.is_some_and(|kind| kind.trim() == "Public") {
        findings.add(
            &PUBLIC,
            process.element,
            format!("{owner} has isExecutable=\"true\" and processType=\"Public\"; it runs all the same"),
            "set processType=\"Private\", or isExecutable=\"false\" if it only shows what others see",
        );
    }
    if process.flow_nodes.is_empty() {
        // Some modelers write an empty process beside each black box; only one that is said to run is refused.
        findings.look_at_drawing(process.is_executable != Some(true));
        findings.add(
            &WITHOUT_NODES,
            process.element,
            format!("{owner} has no flow nodes"),
            "draw the process, or remove it and the processRef of its pool, which is a black box then",
        );
        findings.look_at_drawing(process.is_executable == Some(false));
    }
    let is_camunda = subject.definitions.dialect == Dialect::Camunda;
    if is_camunda && process.is_executable != Some(false) && process.extension.history_time_to_live.is_none() {
        findings.add(
            &HISTORY_WITHOUT_END,
            process.element,
            format!(
                "{owner} does not say how long the history of its instances is kept: Camunda 7 refuses it, here it is kept as \
                 long as the engine says, else for ever"
            ),
            "set camunda:historyTimeToLive: days, or a duration such as P180D",
        );
    }
}

pub(super) fn none_at_all(world: &World<'_>, findings: &mut Findings<'_>) {
    if world.definitions.processes.is_empty() {
        let root = world.definitions.document.root().index();
        findings.add(
            &NO_PROCESS,
            root,
            "the file has no process".to_owned(),
            "draw a process; there is nothing to run",
        );
    }
}
