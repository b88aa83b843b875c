//! The check as a whole.

use super::findings::Findings;
use super::subject::{Subject, World};
use super::{
    Diagnostic, activities, attributes, boundary, collaboration, compensation, conditions, correlation, data,
    declarations, event_gateways, events, flow_lists, flows, gateways, io, lanes, links, loops, places, processes,
    reachability, references, schema, starts, structures, sub_processes, timers, triggers,
};
use crate::model::{Definitions, ProcessIndex};
use crate::xml::ElementIndex;

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
    declarations::check(&world, &mut findings);
    collaboration::check(&world, &mut findings);
    correlation::declared(&world, &mut findings);
    triggers::declared(&world, &mut findings);
    activities::global_tasks(&world, &mut findings);
    starts::message_starts(&world, &mut findings);
    elements(&world, drawing_only, &mut findings);
    for (index, process) in (0..).map(ProcessIndex).zip(&definitions.processes) {
        findings.look_at_drawing(process.is_executable == Some(false));
        let subject = Subject::new(&world, index, process);
        for rules in PROCESS_RULES {
            rules(&subject, &mut findings);
        }
    }
    findings.in_document_order()
}

/// What holds for every element, wherever it stands.
fn elements(world: &World<'_>, drawing_only: bool, findings: &mut Findings<'_>) {
    let mut process_end = ElementIndex(0);
    let dialect = world.definitions.dialect;
    for (element, known) in world.all_elements() {
        if element.index() >= process_end {
            let is_process = element.name() == "process";
            let is_drawing =
                is_process && element.attribute("isExecutable").is_some_and(|value| value.trim() == "false");
            findings.look_at_drawing(is_drawing || drawing_only);
            process_end = if is_process { element.end() } else { process_end };
        }
        places::check(element, known, findings);
        schema::check(world, element, known, findings);
        attributes::check(element, known, dialect, findings);
        references::check(world, element, known, findings);
        structures::check(world, element, findings);
        io::check(world, element, known, findings);
    }
}

/// Reads and checks a file, and lists everything that is found in document order: also what is wrong with its structure
/// when something in it could not be read.
#[must_use]
pub fn check_file(bytes: &[u8]) -> Vec<Diagnostic> {
    match Definitions::read_leniently(bytes) {
        Ok((definitions, mut found)) => {
            found.extend(check(&definitions));
            found.sort_by_key(|diagnostic| diagnostic.span.start);
            found
        }
        Err(fault) => vec![fault],
    }
}

/// What every process is checked against.
const PROCESS_RULES: &[fn(&Subject<'_>, &mut Findings<'_>)] = &[
    processes::check,
    flows::check,
    flow_lists::check,
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
