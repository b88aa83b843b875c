//! Exclusive gateways (BPMN 2.0.2 §13.4.2).

use potok_tests::scenario;
use serde_json::json;

#[test]
fn the_first_condition_that_holds_is_taken() {
    scenario("exclusive_gateway/choice.bpmn")
        .start_with(json!({"amount": 5}))
        .waits_at(["small"])
        .complete("small")
        .completed()
        .trace("start choose small merge end");
}

#[test]
fn conditions_are_asked_in_the_order_of_the_model() {
    scenario("exclusive_gateway/choice.bpmn").start_with(json!({"amount": 50})).waits_at(["middle"]);
}

#[test]
fn the_default_is_taken_when_no_condition_holds() {
    scenario("exclusive_gateway/choice.bpmn")
        .start_with(json!({"amount": 500}))
        .waits_at(["large"])
        .complete("large")
        .completed()
        .trace("start choose large merge end");
}

#[test]
fn a_condition_on_nothing_does_not_hold() {
    scenario("exclusive_gateway/choice.bpmn").start().waits_at(["large"]).no_incident();
}

#[test]
fn without_a_way_out_the_token_is_stuck_and_the_rest_goes_on() {
    scenario("exclusive_gateway/without_default.bpmn")
        .start()
        .waits_at(["choose", "other"])
        .incident("choose", "no-flow-taken")
        .incident_says("`choose`")
        .complete("other")
        .active()
        .set("approved", true)
        .resolve("choose")
        .waits_at(["yes"])
        .no_incident()
        .complete("yes")
        .completed();
}

#[test]
fn resolving_without_mending_gets_stuck_again() {
    scenario("exclusive_gateway/without_default.bpmn").start().resolve("choose").incident("choose", "no-flow-taken");
}

#[test]
fn a_merge_lets_each_token_through() {
    scenario("exclusive_gateway/merge_passes_each.bpmn")
        .start()
        .waits_at(["work", "work", "work"])
        .passed("merge", 3)
        .complete("work")
        .complete("work")
        .complete("work")
        .completed();
}

#[test]
fn one_gateway_merges_and_chooses() {
    scenario("exclusive_gateway/merge_and_choose.bpmn")
        .start_with(json!({"level": 9}))
        .waits_at(["high", "high"])
        .passed("both", 2);
}

#[test]
fn a_loop_of_gateways_goes_round_until_its_condition_fails() {
    scenario("exclusive_gateway/loop.bpmn")
        .start_with(json!({"n": 0}))
        .completed()
        .variable("n", 5)
        .passed("count", 5)
        .passed("again", 5);
}

#[test]
fn a_gateway_has_savepoints_and_outputs_as_other_flow_nodes_have() {
    for (way, task) in [("left", "left"), ("other", "right")] {
        scenario("exclusive_gateway/surrounded.bpmn")
            .start_with(json!({"way": way}))
            .waits_at(["choose"])
            .no_variable("chosen")
            .continue_at("choose")
            .waits_at(["choose"])
            .variable("chosen", way)
            .continue_at("choose")
            .waits_at([task]);
    }
}
