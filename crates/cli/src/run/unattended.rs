//! Walking through a process with a scenario.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::process::ExitCode;

use potok_core::Name;
use potok_core::instance::State;
use potok_core::step::StartAt;

use super::scenario::{Lined, Scenario, Step};
use super::session::Session;
use super::steps::{Steps, answers, begins, plain};
use super::waiting::outcome;
use crate::failure::Failure;
use crate::harmless::harmless_in_colour;
use crate::report::number;
use crate::style::Style;

/// Runs a process with a scenario's answers.
pub(crate) fn run(session: &mut Session, scenario: &Scenario, business_key: Option<Name>) -> Result<ExitCode, Failure> {
    let result = walk(session, scenario, business_key);
    if session.events.is_none() {
        show(session, result.is_ok())?;
    }
    result.map(|()| ExitCode::SUCCESS)
}

fn walk(session: &mut Session, scenario: &Scenario, business_key: Option<Name>) -> Result<(), Failure> {
    for (kind, given) in &scenario.jobs {
        session.jobs.insert(kind.clone(), plain(given)?);
    }
    hold(session, &scenario.steps);
    // What still runs has been started.
    if session.main.is_none() {
        start(session, scenario, business_key)?;
    }
    let mut steps = Steps::new(session);
    for (index, step) in scenario.steps.iter().enumerate() {
        // What this step is about is not done by itself before it, nor what the next one is about after it.
        hold(steps.session, &scenario.steps[index..]);
        steps.session.settle()?;
        hold(steps.session, &scenario.steps[index + 1..]);
        if let Err(failure) = steps.take(&step.value) {
            let waiting = steps.session.waiting_list(Style::of(&io::stderr()));
            let what = format!("step {}: {}", index + 1, step.value.told());
            return Err(scenario.at(step.line, &what, failure.details(waiting)));
        }
    }
    session.held = None;
    session.settle()?;
    match session.state() {
        State::Completed => Ok(()),
        State::Active | State::Created => {
            let steps = number(scenario.steps.len(), "step");
            let waiting = session.waiting_list(Style::of(&io::stderr()));
            Err(Failure::new(format!("all {steps} are done, but the process has not ended"))
                .details(waiting)
                .help("add steps for what waits, or results under `jobs` for its jobs"))
        }
        ended => Err(Failure::new(outcome(&ended))),
    }
}

/// Jobs that the next step is about wait for it.
fn hold(session: &mut Session, steps: &[Lined<Step>]) {
    let next = steps.iter().map(|step| &step.value).find(|step| !matches!(step, Step::Reach { .. }));
    session.held = next.and_then(Step::holds).map(str::to_owned);
}

fn start(session: &mut Session, scenario: &Scenario, business_key: Option<Name>) -> Result<(), Failure> {
    let line = scenario.start.as_ref().map_or(1, |start| start.line);
    let key = business_key.or_else(|| scenario.business_key.as_deref().map(Name::from));
    let process = session.process.clone();
    if let Some(at) = &scenario.at {
        let brings = scenario.start.as_ref().map(|start| plain(&start.value)).transpose();
        let event = StartAt::Event(at.value.as_str().into());
        return brings
            .and_then(|brings| session.start(event, brings.unwrap_or_default(), key))
            .map_err(|failure| scenario.at(at.line, "at", failure));
    }
    let by_event = scenario.start.is_none() && scenario.steps.first().is_some_and(|step| begins(&process, &step.value));
    if by_event || process.root().starts.is_empty() {
        // A message or signal of the steps starts it.
        return match scenario.start {
            None => Ok(()),
            Some(_) => {
                let failure = Failure::new(format!("process `{}` is not started by a person", process.id()))
                    .help("leave `start` out, and let the first step be the message or signal that starts it; or name its start event with `at`");
                Err(scenario.at(line, "start", failure))
            }
        };
    }
    let given = scenario.start.as_ref().map(|start| start.value.clone()).unwrap_or_default();
    let form = process.start_form();
    let fields = session.fields(form, None);
    answers(session, fields.as_deref(), &given, None)
        .and_then(|variables| {
            let from_form = form.and_then(|form| form.business_key.as_ref()).and_then(|field| {
                let found = variables.iter().find(|(name, _)| name == field);
                found.map(|(_, value)| Name::from(value.to_string()))
            });
            session.start(StartAt::None, variables, key.or(from_form))
        })
        .map_err(|failure| scenario.at(line, "start", failure))
}

/// The trace and the variables.
fn show(session: &Session, held: bool) -> Result<(), Failure> {
    let style = Style::of(&io::stdout());
    let mut text = String::new();
    if !session.trace.is_empty() {
        let _ = writeln!(text, "Passed:\n{}", session.trace_list(style));
    }
    let variables = session.variable_list();
    if !variables.is_empty() {
        let _ = writeln!(text, "Variables:\n{variables}");
    }
    for notice in &session.notices {
        let _ = writeln!(text, "{}", style.unusual(notice));
    }
    if held {
        let now = session.clock.full(session.host.now());
        let _ = writeln!(text, "{}", style.good(&format!("{}, {now}", outcome(&session.state()))));
    }
    io::stdout().write_all(harmless_in_colour(&text).as_bytes())?;
    Ok(())
}
