//! Event-based gateways: the first event decides (BPMN 2.0.2 §13.4.4).

use potok_tests::{Scenario, scenario};
use serde_json::json;

fn waiting() -> Scenario {
    scenario("event_based_gateway/first_wins.bpmn").start_with(json!({"level": 0})).waits_at(["wait"])
}

#[test]
fn a_message_decides() {
    waiting()
        .message("answer", json!({"text": "yes"}))
        .waits_at(["a"])
        .variable("text", "yes")
        .complete("a")
        .completed()
        .trace("start wait answer a end");
}

#[test]
fn a_timer_decides() {
    waiting().travel("PT1H").waits_at(["b"]);
}

#[test]
fn a_signal_decides() {
    waiting().signal("alarm").waits_at(["c"]);
}

#[test]
fn a_condition_decides() {
    waiting().set("level", 5).waits_at(["wait"]).set("level", 10).waits_at(["d"]);
}

#[test]
fn a_receive_task_decides() {
    scenario("event_based_gateway/receive_tasks.bpmn")
        .start()
        .waits_at(["wait"])
        .message("money", json!({"paid": 10}))
        .waits_at(["b"])
        .variable("paid", 10)
        .early_message("letter", json!({}))
        .complete("b")
        .completed()
        .trace("start wait money b end");
}

#[test]
fn what_comes_second_finds_nobody() {
    waiting()
        .message("answer", json!({}))
        .signal("alarm")
        .travel("P1D")
        .set("level", 10)
        .early_message("answer", json!({}))
        .waits_at(["a"])
        .complete("a")
        .completed();
}

#[test]
fn in_a_loop_the_clock_starts_anew() {
    scenario("event_based_gateway/in_a_loop.bpmn")
        .start()
        .travel("PT9M")
        .message("ping", json!({}))
        .travel("PT9M")
        .waits_at(["wait"])
        .message("ping", json!({}))
        .travel("PT10M")
        .completed()
        .passed("ping", 2)
        .passed("quiet", 1);
}

#[test]
fn a_condition_that_holds_already_decides_at_once() {
    scenario("event_based_gateway/condition_holds_already.bpmn")
        .start_with(json!({"level": 10}))
        .completed()
        .trace("start wait full end");
}

#[test]
fn an_event_around_it_ends_its_waiting() {
    scenario("event_based_gateway/in_sub_process_with_boundary.bpmn")
        .start()
        .waits_at(["wait"])
        .travel("PT1H")
        .waits_at(["after"])
        .signal("call")
        .early_message("letter", json!({}))
        .waits_at(["after"]);
}

#[test]
fn the_message_that_decides_for_several_receive_tasks_is_the_first_ones() {
    for model in ["event_based_gateway/receive_several.bpmn", "event_based_gateway/receive_in_turn.bpmn"] {
        scenario(model)
            .start_with(json!({"count": 3}))
            .waits_at(["wait"])
            .message("letter", json!({"read": "a"}))
            .message("letter", json!({"read": "b"}))
            .no_variable("texts")
            .message("letter", json!({"read": "c"}))
            .waits_at(["after"])
            .variable("texts", json!(["a", "b", "c"]))
            .early_message("letter", json!({}))
            .complete("after")
            .completed();
    }
}

#[test]
fn the_message_that_decides_for_no_receive_task_is_used_up() {
    scenario("event_based_gateway/receive_several.bpmn")
        .start_with(json!({"count": 0}))
        .message("letter", json!({"read": "a"}))
        .waits_at(["after"])
        .variable("texts", json!([]));
}

#[test]
fn how_many_receive_tasks_there_are_can_be_mended() {
    scenario("event_based_gateway/receive_several.bpmn")
        .start_with(json!({"count": "many"}))
        .message("letter", json!({"read": "a"}))
        .incident("letter", "expression-failed")
        .set("count", 2)
        .resolve("letter")
        .message("letter", json!({"read": "b"}))
        .waits_at(["after"]);
}

#[test]
fn the_message_that_decides_for_a_receive_task_in_a_loop_is_its_first_rounds() {
    scenario("event_based_gateway/receive_until.bpmn")
        .start()
        .message("letter", json!({"last": false}))
        .waits_at(["letter"])
        .message("letter", json!({"last": true}))
        .waits_at(["after"]);
    scenario("event_based_gateway/receive_until.bpmn")
        .start()
        .message("letter", json!({"last": true}))
        .waits_at(["after"]);
}

#[test]
fn outputs_of_the_gateway_and_inputs_of_the_event_are_computed_when_it_is_decided() {
    scenario("event_based_gateway/mappings.bpmn")
        .start_with(json!({"question": "why", "factor": 2}))
        .no_variable("waited_for")
        .message("letter", json!({"amount": 7}))
        .waits_at(["after"])
        // What the gateway has for itself is gone with it.
        .variables(json!({"waited_for": "why?", "total": 14, "asked_there": null}))
        .no_variable("asked");
    scenario("event_based_gateway/mappings.bpmn")
        .start_with(json!({"question": "why", "factor": 2}))
        .travel("PT1H")
        .waits_at(["after"])
        .variable("waited_for", "why?");
}

#[test]
fn what_came_with_the_event_is_kept_until_all_mappings_can_be_computed() {
    scenario("event_based_gateway/mappings.bpmn")
        .start_with(json!({"question": "why", "factor": null}))
        .set("question", json!(null))
        .message("letter", json!({"amount": 7}))
        .incident("answered", "expression-failed")
        .incident_says("outputs of `wait`")
        .resolve("answered")
        .incident("answered", "expression-failed")
        .set("factor", 3)
        .resolve("answered")
        .waits_at(["after"])
        .variable("total", 21);
}
