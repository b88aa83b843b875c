//! Timers: what they say and whether it makes sense where they stand.

use super::events::{Place, place};
use super::findings::Findings;
use super::rule::define;
use super::subject::{Subject, event, label};
use crate::dialect::ListenerStage;
use crate::expressions::Language;
use crate::model::{Event, EventDefinition, EventPosition, FlowNode, TimerDefinition, TimerKind};
use crate::time::Timer;
use crate::xml::ElementIndex;

define! {
    TIMER_WITHOUT_TIME = "timer-without-time", Error, "BPMN 2.0.2 §10.5.5 Table 10.101",
        "A timer has a date, a duration or a cycle.";
    TIMER_SEVERAL_TIMES = "timer-several-times", Error, "BPMN 2.0.2 §10.5.5 Table 10.101",
        "A timer has only one of date, duration and cycle.";
    TIMER_SYNTAX = "timer-syntax", Error, "BPMN 2.0.2 §10.5.5 Table 10.101, ISO 8601",
        "A timer's text is a date, a duration or a cycle as ISO 8601 writes it, or a cron expression.";
    TIMER_CYCLE_ONCE = "timer-cycle-once", Warning, "BPMN 2.0.2 §10.5.5",
        "Only what can occur again has a cycle: start events and boundary events that do not interrupt.";
    TIMER_START_DURATION = "timer-start-duration", Warning, "BPMN 2.0.2 §10.5.2",
        "A timer that starts a process has a date or a cycle.";
}

pub(super) fn check(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    for (_, node) in subject.nodes() {
        listeners(subject, node, findings);
        let Some(event) = event(node) else { continue };
        for definition in &event.definitions {
            let EventDefinition::Timer { element, timer } = definition else { continue };
            several_times(subject, node, *element, findings);
            match timer.as_ref().filter(|timer| !timer.expression.text.trim().is_empty()) {
                None => findings.add(
                    &TIMER_WITHOUT_TIME,
                    *element,
                    format!("the timer of {} does not say when", label(node)),
                    "add a timeDate, timeDuration or timeCycle, e.g. `<timeDuration>PT15M</timeDuration>`",
                ),
                Some(timer) => {
                    syntax(node, timer, findings);
                    repeats(subject, node, event, timer, findings);
                }
            }
        }
    }
}

/// The timers of a user task's listeners on `timeout`.
fn listeners(subject: &Subject<'_>, node: &FlowNode, findings: &mut Findings<'_>) {
    for listener in node.extension.listeners.iter().filter(|listener| listener.stage == ListenerStage::Timeout) {
        let children = subject.definitions.document.element(listener.element).children();
        for definition in children.filter(|child| child.name() == "timerEventDefinition") {
            several_times(subject, node, definition.index(), findings);
        }
        match listener.timer.as_ref().filter(|timer| !timer.expression.text.trim().is_empty()) {
            None => findings.add(
                &TIMER_WITHOUT_TIME,
                listener.element,
                format!("a listener on `timeout` of {} does not say when", label(node)),
                "add a timerEventDefinition with a timeDate, timeDuration or timeCycle to it",
            ),
            Some(timer) => syntax(node, timer, findings),
        }
    }
}

fn several_times(subject: &Subject<'_>, node: &FlowNode, element: ElementIndex, findings: &mut Findings<'_>) {
    let times = subject.definitions.document.element(element).children();
    let mut times = times.filter(|child| matches!(child.name(), "timeDate" | "timeDuration" | "timeCycle"));
    if let Some(second) = times.nth(1) {
        findings.add(
            &TIMER_SEVERAL_TIMES,
            second.index(),
            format!("the timer of {} says twice when: also with a {}", label(node), second.name()),
            "keep one of timeDate, timeDuration and timeCycle",
        );
    }
}

fn syntax(node: &FlowNode, timer: &TimerDefinition, findings: &mut Findings<'_>) {
    if timer.expression.language != Language::Literal {
        return;
    }
    if let Err(error) = Timer::check(timer.kind, timer.expression.text.trim()) {
        findings.add(
            &TIMER_SYNTAX,
            timer.expression.element,
            format!("the timer of {} cannot be read: {}", label(node), error.message),
            error.help,
        );
    }
    if let Some(end) = timer.end.as_ref().filter(|end| end.language == Language::Literal)
        && let Err(error) = Timer::check(TimerKind::Date, end.text.trim())
    {
        let message = format!("the end of the timer of {} cannot be read: {}", label(node), error.message);
        findings.add(&TIMER_SYNTAX, end.element, message, error.help);
    }
}

fn repeats(
    subject: &Subject<'_>,
    node: &FlowNode,
    event: &Event,
    timer: &TimerDefinition,
    findings: &mut Findings<'_>,
) {
    let place = place(subject, node, event);
    let once = match (place, &event.position) {
        (Place::Catch, _) => Some("waits only once"),
        (Place::Boundary, EventPosition::Boundary { cancel_activity: true, .. }) => Some("interrupts its activity"),
        (Place::EventSubProcessStart, EventPosition::Start { interrupting: true }) => Some("interrupts its scope"),
        _ => None,
    };
    if let (TimerKind::Cycle, Some(why)) = (timer.kind, once) {
        findings.add(
            &TIMER_CYCLE_ONCE,
            timer.expression.element,
            format!("the timer of {} is a cycle, but the event {why}: only its first time counts", label(node)),
            "use a timeDuration or timeDate, or let the event not interrupt",
        );
    }
    if (timer.kind, place) == (TimerKind::Duration, Place::ProcessStart) {
        findings.add(
            &TIMER_START_DURATION,
            timer.expression.element,
            format!("the timer of {} is a duration: the process starts once, that long after deployment", label(node)),
            "use a timeDate for one start, or a timeCycle for many",
        );
    }
}
