//! Inclusive gateways: the join waits for every token that can still arrive (BPMN 2.0.2 §13.4.3).

use potok_tests::{model, scenario};
use serde_json::json;

#[test]
fn all_flows_whose_condition_holds_are_taken() {
    scenario("inclusive_gateway/choice.bpmn")
        .start_with(json!({"x": 3}))
        .waits_at(["a", "b"])
        .complete("a")
        .waits_at(["b"])
        .joins(["join"])
        .complete("b")
        .waits_at(["after"])
        .joins([])
        .complete("after")
        .completed();
}

#[test]
fn a_join_does_not_wait_for_a_branch_not_taken() {
    scenario("inclusive_gateway/choice.bpmn")
        .start_with(json!({"x": 2}))
        .waits_at(["a"])
        .complete("a")
        .waits_at(["after"])
        .passed("join", 1);
}

#[test]
fn the_default_is_taken_only_alone() {
    scenario("inclusive_gateway/choice.bpmn")
        .start_with(json!({"x": 0}))
        .waits_at(["c"])
        .complete("c")
        .waits_at(["after"]);
}

#[test]
fn no_condition_and_no_default_is_an_incident() {
    scenario("inclusive_gateway/without_default.bpmn")
        .start_with(json!({"x": 0}))
        .incident("split", "no-flow-taken")
        .set("x", 2)
        .resolve("split")
        .waits_at(["a"]);
}

#[test]
fn a_token_inside_a_sub_process_can_still_arrive() {
    scenario("inclusive_gateway/sub_process_upstream.bpmn")
        .start()
        .complete("a")
        .waits_at(["deep"])
        .joins(["join"])
        .complete("deep")
        .waits_at(["after"]);
}

#[test]
fn a_boundary_event_that_ends_the_branch_frees_the_join() {
    scenario("inclusive_gateway/boundary_ends_branch.bpmn")
        .start()
        .complete("a")
        .joins(["join"])
        .message("stop", json!({}))
        .waits_at(["after", "elsewhere"])
        .joins([]);
}

#[test]
fn a_join_waits_for_what_comes_by_a_boundary_event() {
    scenario("inclusive_gateway/boundary_leads_to_join.bpmn")
        .start()
        .complete("a")
        .travel("PT1H")
        .waits_at(["hurry"])
        .joins(["join"])
        .complete("hurry")
        .waits_at(["after"])
        .joins([]);
}

#[test]
fn two_joins_in_a_row_fire_one_after_the_other() {
    scenario("inclusive_gateway/two_in_a_row.bpmn")
        .start()
        .complete("c")
        .joins(["second"])
        .complete("a")
        .joins(["first", "second"])
        .complete("b")
        .waits_at(["after"])
        .joins([])
        .complete("after")
        .completed();
}

#[test]
fn the_second_join_waits_for_the_first() {
    scenario("inclusive_gateway/two_in_a_row.bpmn")
        .start()
        .complete("a")
        .complete("c")
        .waits_at(["b"])
        .joins(["first", "second"])
        .complete("b")
        .waits_at(["after"]);
}

#[test]
fn splits_within_splits() {
    scenario("inclusive_gateway/nested.bpmn")
        .start_with(json!({"x": 1, "y": 1}))
        .waits_at(["b", "c"])
        .complete("c")
        .joins(["outer_join"])
        .complete("b")
        .waits_at(["after"])
        .complete("after")
        .completed();
    scenario("inclusive_gateway/nested.bpmn")
        .start_with(json!({"x": 2, "y": 0}))
        .waits_at(["a"])
        .complete("a")
        .waits_at(["after"]);
}

#[test]
fn a_join_in_a_loop_fires_in_each_round() {
    scenario("inclusive_gateway/in_a_loop.bpmn")
        .start_with(json!({"both": true}))
        .complete("a")
        .waits_at(["b"])
        .joins(["join"])
        .complete_with("b", json!({"repeat": true, "both": false}))
        .waits_at(["a"])
        .complete_with("a", json!({"repeat": false}))
        .completed();
}

#[test]
fn the_way_back_to_a_join_is_not_waited_for_through_the_join() {
    scenario("inclusive_gateway/loop_behind_the_join.bpmn")
        .start()
        .joins(["join"])
        .complete("a")
        .waits_at(["check"])
        .joins([])
        .complete_with("check", json!({"redo": true}))
        .waits_at(["check"])
        .joins([])
        .complete_with("check", json!({"redo": false}))
        .completed();
}

#[test]
fn a_branch_that_ends_before_the_join_frees_it() {
    scenario("inclusive_gateway/branch_ends_early.bpmn")
        .start()
        .complete("a")
        .joins(["join"])
        .complete_with("b", json!({"come": false}))
        .waits_at(["after"]);
}

#[test]
fn a_branch_may_come_by_a_link() {
    scenario("inclusive_gateway/link_upstream.bpmn")
        .start()
        .complete("a")
        .joins(["join"])
        .complete("b")
        .waits_at(["after"])
        .passed("back", 1);
}

#[test]
fn tokens_at_a_parallel_join_can_still_arrive() {
    scenario("inclusive_gateway/parallel_join_upstream.bpmn")
        .start()
        .complete("c")
        .complete("a")
        .joins(["both", "join"])
        .complete("b")
        .waits_at(["after"])
        .joins([]);
}

#[test]
fn one_token_of_each_flow_is_taken() {
    scenario("inclusive_gateway/two_tokens_on_one_flow.bpmn")
        .start()
        .joins(["join", "join"])
        .complete("a")
        .waits_at(["after", "after"])
        .complete("after")
        .complete("after")
        .completed();
}

#[test]
fn calls_and_rounds_upstream_are_waited_for() {
    scenario("inclusive_gateway/call_and_rounds_upstream.bpmn")
        .start()
        .complete("a")
        .complete("each")
        .joins(["join"])
        .complete("help")
        .joins(["join", "join"])
        .complete("each")
        .joins([])
        .waits_at(["after"]);
}

#[test]
fn a_join_looks_only_at_its_own_round_of_a_sub_process() {
    scenario("inclusive_gateway/in_sub_process.bpmn")
        .start_with(json!({"both": true}))
        .complete("outside")
        .waits_at(["a", "a", "b", "b"])
        .complete("a")
        .complete("b")
        .waits_at(["a", "after", "b"])
        .complete("b")
        .joins(["join"])
        .complete("a")
        .waits_at(["after", "after"]);
}

#[test]
fn a_token_that_may_also_come_by_a_flow_that_has_one_is_not_waited_for() {
    scenario("inclusive_gateway/token_can_reach_both.bpmn").start().complete("a").waits_at(["after", "b"]).joins([]);
}

#[test]
fn a_stuck_token_is_waited_for() {
    scenario("inclusive_gateway/incident_upstream.bpmn")
        .start()
        .complete("a")
        .joins(["join"])
        .set("come", true)
        .resolve("choose")
        .waits_at(["after"]);
}

#[test]
fn one_gateway_joins_and_splits() {
    scenario("inclusive_gateway/joins_and_splits.bpmn")
        .start_with(json!({"x": 2}))
        .complete("a")
        .complete("b")
        .waits_at(["c", "d"])
        .complete("c")
        .complete("d")
        .completed()
        .passed("end", 1);
}

#[test]
fn a_way_out_of_a_boundary_event_to_a_filled_flow_lets_nobody_off() {
    scenario("inclusive_gateway/retry.bpmn")
        .start()
        .complete("a")
        .waits_at(["b"])
        .joins(["join"])
        .complete("b")
        .waits_at(["after"])
        .complete("after")
        .completed();
    // The second try waits for itself, too: one token of each flow goes on.
    scenario("inclusive_gateway/retry.bpmn")
        .start()
        .complete("a")
        .travel("PT1H")
        .waits_at(["a", "b"])
        .complete("b")
        .waits_at(["a", "after"]);
}

#[test]
fn a_token_at_the_savepoint_before_a_join_is_waited_for() {
    model(
        r#"<process id="p" isExecutable="true">
  <startEvent id="start"/>
  <inclusiveGateway id="fork"/>
  <task id="a"/>
  <userTask id="b"/>
  <inclusiveGateway id="join" potok:savepoint="both"/>
  <userTask id="after"/>
  <sequenceFlow id="f0" sourceRef="start" targetRef="fork"/>
  <sequenceFlow id="f1" sourceRef="fork" targetRef="a"/>
  <sequenceFlow id="f2" sourceRef="fork" targetRef="b"/>
  <sequenceFlow id="f3" sourceRef="a" targetRef="join"/>
  <sequenceFlow id="f4" sourceRef="b" targetRef="join"/>
  <sequenceFlow id="f5" sourceRef="join" targetRef="after"/>
</process>"#,
    )
    .start()
    .complete("b")
    .waits_at(["join", "join"])
    .continue_at("join")
    .waits_at(["join"])
    .joins(["join"])
    .continue_at("join")
    .waits_at(["join"])
    .joins([])
    .continue_at("join")
    .waits_at(["after"]);
}
