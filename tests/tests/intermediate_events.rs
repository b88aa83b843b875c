//! Intermediate events in the flow (BPMN 2.0.2 §10.5.4, §13.5.2).

use potok_tests::scenario;
use serde_json::json;

#[test]
fn a_none_event_is_passed() {
    scenario("intermediate_events/none.bpmn").start().completed().trace("start milestone end");
}

#[test]
fn each_kind_waits_for_its_own() {
    scenario("intermediate_events/catch_each.bpmn")
        .start_with(json!({"level": 0}))
        .waits_at(["call", "full", "later", "letter", "tick", "tomorrow"])
        .message("letter", json!({"text": "hello"}))
        .waits_at(["call", "full", "later", "tick", "tomorrow"])
        .signal("call")
        .waits_at(["full", "later", "tick", "tomorrow"])
        .travel("PT1H")
        .waits_at(["full", "tick", "tomorrow"])
        .travel("PT1H")
        .waits_at(["full", "tomorrow"])
        .set("level", 10)
        .waits_at(["tomorrow"])
        .travel_to("2026-01-06T00:00:00Z")
        .completed()
        .variable("text", "hello");
}

#[test]
fn the_first_of_several_triggers_is_enough() {
    scenario("intermediate_events/multiple_catch.bpmn")
        .start()
        .signal("call")
        .waits_at(["after"])
        .early_message("letter", json!({}))
        .travel("PT1H")
        .waits_at(["after"])
        .passed("after", 1);
    scenario("intermediate_events/multiple_catch.bpmn").start().travel("PT1H").waits_at(["after"]);
    scenario("intermediate_events/multiple_catch.bpmn").start().message("letter", json!({})).waits_at(["after"]);
}

#[test]
fn a_parallel_multiple_event_needs_all_triggers() {
    scenario("intermediate_events/parallel_multiple_catch.bpmn")
        .start()
        .message("letter", json!({"text": "hello"}))
        .waits_at(["all"])
        .travel("PT1H")
        .signal("alarm")
        .waits_at(["all"])
        .signal_with("call", json!({"number": 5}))
        .waits_at(["after"])
        .variables(json!({"text": "hello", "number": 5}));
}

#[test]
fn a_trigger_that_comes_twice_counts_once() {
    scenario("intermediate_events/parallel_multiple_catch.bpmn")
        .start()
        .signal("call")
        .signal("call")
        .travel("PT1H")
        .waits_at(["all"])
        .message("letter", json!({}))
        .waits_at(["after"]);
}

#[test]
fn throwing_does_not_wait_for_anybody() {
    scenario("intermediate_events/throw_each.bpmn")
        .start()
        .completed()
        .kept_messages(1)
        .trace("start send call raise several nothing end");
}

#[test]
fn a_thrown_signal_may_end_its_own_thrower() {
    scenario("intermediate_events/throw_ends_its_own_scope.bpmn")
        .start()
        .waits_at(["after"])
        .complete("after")
        .completed()
        .trace("start inside begin call called after end");
}

#[test]
fn a_date_in_the_past_is_due_at_once() {
    scenario("intermediate_events/timer_in_the_past.bpmn")
        .start()
        .waits_at(["past"])
        .travel("PT0S")
        .waits_at(["after"]);
}
