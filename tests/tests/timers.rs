//! Timers: dates, durations, cycles and cron patterns (BPMN 2.0.2 Table 10.101).

#![allow(clippy::expect_used)]

use potok_core::graph::Package;
use potok_core::instance::{Instance, Key, WaitKind};
use potok_core::step::{Command, Context, Counter, Events, StartAt, step};
use potok_core::time::Timestamp;
use potok_expressions::Evaluator;
use potok_tests::scenario;
use serde_json::json;

#[test]
fn durations_are_counted_on_the_calendar() {
    scenario("timers/durations.bpmn")
        .start()
        .travel("PT10M")
        .waits_at(["days", "months", "weeks"])
        .travel_to("2026-01-06T09:00:00Z")
        .waits_at(["months", "weeks"])
        .travel_to("2026-01-19T09:00:00Z")
        .waits_at(["months"])
        .travel_to("2026-02-05T08:59:59Z")
        .waits_at(["months"])
        .travel_to("2026-02-05T09:00:00Z")
        .completed();
}

#[test]
fn a_timer_may_be_computed() {
    scenario("timers/from_variables.bpmn")
        .start_with(json!({"deadline": "2026-01-06T12:00:00+03:00", "pause": "PT2H"}))
        .travel("PT2H")
        .waits_at(["until"])
        .travel_to("2026-01-06T08:59:00Z")
        .waits_at(["until"])
        .travel_to("2026-01-06T09:00:00Z")
        .completed();
}

#[test]
fn a_timer_that_cannot_be_read_is_an_incident() {
    scenario("timers/unreadable.bpmn")
        .start_with(json!({"pause": "soon"}))
        .waits_at(["other", "pause"])
        .incident("pause", "expression-failed")
        .incident_says("soon")
        .set("pause", "PT1H")
        .resolve("pause")
        .no_incident()
        .travel("PT1H")
        .waits_at(["other"]);
}

#[test]
fn cycles_of_every_kind_go_on_beside_an_activity() {
    scenario("timers/cycles_beside.bpmn")
        .start()
        .travel("PT30M")
        .passed("a", 3)
        .passed("b", 0)
        .travel("PT30M")
        .passed("a", 3)
        .passed("b", 1)
        .travel_to("2026-01-05T12:00:00Z")
        .passed("b", 3)
        .passed("c", 1)
        .travel_to("2026-01-05T13:00:00Z")
        .passed("c", 2)
        .travel_to("2026-01-06T09:00:00Z")
        .passed("a", 3)
        .passed("b", 24)
        .passed("c", 2)
        .passed("d", 1)
        .complete("work")
        .completed();
}

#[test]
fn after_a_weeks_sleep_each_missed_occurrence_fires_once() {
    scenario("timers/cycles_beside.bpmn")
        .start()
        .travel("P7D")
        .passed("a", 3)
        .passed("b", 7 * 24)
        .passed("c", 2)
        .passed("d", 7)
        .travel("PT1H")
        .passed("b", 7 * 24 + 1)
        .passed("d", 7);
}

#[test]
fn timers_start_event_sub_processes() {
    scenario("timers/event_sub_process.bpmn")
        .start()
        .travel("P1D")
        .passed("mail", 1)
        .waits_at(["work"])
        .travel("P2D")
        .passed("mail", 3)
        .travel("P4D")
        .waits_at(["explain"])
        .travel("P4D")
        .waits_at(["explain"])
        .complete("explain")
        .completed();
}

#[test]
fn who_completes_in_time_is_not_bothered() {
    scenario("timers/race_with_completion.bpmn")
        .start()
        .travel("PT59M")
        .complete("work")
        .completed()
        .travel("PT1H")
        .trace("start work end");
}

#[test]
fn who_completes_too_late_finds_the_task_gone() {
    scenario("timers/race_with_completion.bpmn")
        .start()
        .travel("PT1H")
        .is_at("work", 0)
        .waits_at(["hurry"])
        .complete("hurry")
        .completed();
}

#[test]
fn timers_due_together_fire_in_the_order_in_which_they_were_set() {
    scenario("timers/two_at_once.bpmn")
        .start_with(json!({"trail": 1}))
        .travel("PT1H")
        .completed()
        .variable("trail", 20);
}

#[test]
fn a_loop_that_takes_no_time_is_told() {
    scenario("timers/endless.bpmn").start().refuses("timers-endless").travel("PT1H");
}

#[test]
fn each_round_has_a_timer_of_its_own() {
    scenario("timers/of_each_round.bpmn")
        .start_with(json!({"pauses": ["PT3H", "PT1H"]}))
        .travel("PT1H")
        .waits_at(["after", "wait"])
        .sees("after", "pause", "PT1H")
        .travel("PT2H")
        .waits_at(["after", "after"]);
}

#[test]
fn an_unreadable_timer_beside_an_activity_keeps_it_from_beginning() {
    scenario("timers/unreadable_beside.bpmn")
        .start_with(json!({"patience": "long"}))
        .incident("work", "expression-failed")
        .early_message("letter", json!({}))
        .travel("PT1H")
        .set("patience", "PT1H")
        .resolve("work")
        .no_incident()
        .waits_at(["work"])
        .travel("PT1H")
        .waits_at(["hurry"]);
}

#[test]
fn an_unreadable_timer_of_an_event_sub_process_is_set_once_mended() {
    scenario("timers/unreadable_event_sub_process.bpmn")
        .start_with(json!({"patience": "long"}))
        .incident("start", "expression-failed")
        .set("patience", "P1D")
        .resolve("start")
        .no_incident()
        .waits_at(["work"])
        .message("question", json!({}))
        .waits_at(["answer", "work"])
        .travel("P1D")
        .waits_at(["explain"]);
    scenario("timers/unreadable_in_sub_process.bpmn")
        .start_with(json!({"patience": "long"}))
        .incident("inside", "expression-failed")
        .set("patience", "P1D")
        .resolve("inside")
        .waits_at(["work"])
        .travel("P1D")
        .waits_at(["explain"]);
}

/// What a host does that has slept: it fires the timer late, at its own present time.
#[test]
fn a_host_that_slept_a_week_fires_each_missed_occurrence_once() {
    let evaluator = Evaluator::new();
    let model = include_bytes!("../models/boundary_events/on_multi_instance.bpmn");
    let package = Package::from_bpmn(model, &evaluator).expect("a model that can run");
    let graph = &package.processes[0];
    let monday: Timestamp = "2026-01-05T09:00:00Z".parse().expect("a moment");
    let week_later: Timestamp = "2026-01-12T09:30:00Z".parse().expect("a moment");
    let mut instance = Instance::new(Key(1));
    let mut events = Events::new();
    let start = Command::Start {
        at: StartAt::None,
        business_key: None,
        variables: Vec::new(),
        caller: None,
        started_by: None,
        initiator: None,
    };
    let keys = Counter::from(Key(2));
    step(graph, &mut instance, start, &mut Context::new(monday, &evaluator, &keys), &mut events).expect("a start");
    let due = |instance: &Instance| {
        instance.waits().find_map(|wait| match &wait.kind {
            WaitKind::Timer(timer) => Some((wait.key, timer.timer.due)),
            _ => None,
        })
    };
    let mut fired = 0;
    while let Some((timer, _)) = due(&instance).filter(|(_, due)| *due <= week_later) {
        let mut context = Context::new(week_later, &evaluator, &keys);
        step(graph, &mut instance, Command::FireTimer { timer }, &mut context, &mut events).expect("a timer");
        fired += 1;
    }
    assert_eq!(fired, 7 * 24, "every hour of a week");
    let next = due(&instance).map(|(_, due)| due.to_string());
    assert_eq!(next.as_deref(), Some("2026-01-12T10:00:00Z"), "late firing delays nothing");
}
