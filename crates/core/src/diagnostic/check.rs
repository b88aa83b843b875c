//! The check as a whole.

use super::findings::Findings;
use super::subject::{Subject, World};
use super::{
    Diagnostic, activities, boundary, collaboration, compensation, conditions, correlation, data, event_gateways,
    events, flows, gateways, lanes, links, loops, processes, reachability, references, starts, sub_processes, timers,
    triggers,
};
use crate::model::{Definitions, ProcessIndex};

/// Checks a model against BPMN's structural rules, and lists everything that is found in document order.
///
/// A model with an [error](super::Severity::Error) is refused at deployment. A process with `isExecutable="false"` is a
/// drawing: what would be an error in it is a warning. The time is near-linear in the size of the model.
#[must_use]
pub fn check(definitions: &Definitions) -> Vec<Diagnostic> {
    let world = World::new(definitions);
    let mut findings = Findings::new(definitions);
    let drawing_only = definitions.processes.iter().all(|process| process.is_executable == Some(false));
    findings.look_at_drawing(drawing_only);
    processes::none_at_all(&world, &mut findings);
    references::check(&world, &mut findings);
    collaboration::check(&world, &mut findings);
    correlation::declared(&world, &mut findings);
    triggers::declared(&world, &mut findings);
    activities::global_tasks(&world, &mut findings);
    starts::message_starts(&world, &mut findings);
    for (index, process) in (0..).map(ProcessIndex).zip(&definitions.processes) {
        findings.look_at_drawing(process.is_executable == Some(false));
        let subject = Subject::new(&world, index, process);
        for rules in PROCESS_RULES {
            rules(&subject, &mut findings);
        }
    }
    findings.in_document_order()
}

/// What every process is checked against.
const PROCESS_RULES: &[fn(&Subject<'_>, &mut Findings<'_>)] = &[
    processes::check,
    flows::check,
    conditions::check,
    reachability::check,
    events::check,
    starts::check,
    boundary::check,
    triggers::check,
    timers::check,
    links::check,
    compensation::check,
    gateways::check,
    event_gateways::check,
    activities::check,
    loops::check,
    sub_processes::check,
    data::check,
    lanes::check,
    correlation::check,
];
