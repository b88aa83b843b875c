//! Parallel gateways (BPMN 2.0.2 §13.4.1).

use potok_tests::scenario;
use serde_json::json;

#[test]
fn a_join_waits_for_both_branches() {
    scenario("parallel_gateway/fork_and_join.bpmn")
        .start()
        .waits_at(["approve", "pay"])
        .complete("approve")
        .waits_at(["pay"])
        .joins(["join"])
        .complete("pay")
        .completed()
        .trace("start split approve pay join join end");
}

#[test]
fn two_tokens_of_one_branch_do_not_fire_the_join() {
    scenario("parallel_gateway/two_tokens_of_one_branch.bpmn")
        .start()
        .complete("first")
        .complete("second")
        .waits_at(["other"])
        .joins(["join", "join"])
        .complete("other")
        .joins(["join"])
        .waits_at([])
        .passed("end", 1)
        .active();
}

#[test]
fn one_gateway_joins_and_forks() {
    scenario("parallel_gateway/fork_and_join_in_one.bpmn")
        .start()
        .waits_at(["a", "b"])
        .complete("b")
        .complete("a")
        .waits_at(["c", "d"])
        .complete("c")
        .complete("d")
        .completed();
}

#[test]
fn a_join_behind_a_choice_waits_for_ever() {
    scenario("parallel_gateway/unbalanced.bpmn")
        .start_with(json!({"way": "a"}))
        .complete("a")
        .joins(["join"])
        .waits_at([])
        .active();
}

#[test]
fn a_join_fires_again_in_the_next_round() {
    scenario("parallel_gateway/join_in_a_loop.bpmn")
        .start()
        .complete("a")
        .complete_with("b", json!({"again": true}))
        .waits_at(["a", "b"])
        .complete("b")
        .joins(["join"])
        .complete_with("a", json!({"again": false}))
        .completed();
}

#[test]
fn joins_of_different_rounds_do_not_mix() {
    scenario("parallel_gateway/join_in_sub_process.bpmn")
        .start()
        .waits_at(["a", "a", "b", "b"])
        .complete_nth("a", 0, json!({}))
        .complete_nth("a", 0, json!({}))
        .joins(["join", "join"])
        .complete("b")
        .joins(["join"])
        .active()
        .complete("b")
        .completed();
}

#[test]
fn two_flows_between_the_same_gateways_are_two_flows() {
    scenario("parallel_gateway/two_ways_from_one_source.bpmn").start().waits_at(["work"]).joins([]);
}

#[test]
fn a_join_fires_once_for_each_pair() {
    scenario("parallel_gateway/three_of_many_rounds.bpmn")
        .start()
        .waits_at(["a", "a", "b", "b"])
        .complete("a")
        .complete("a")
        .joins(["join", "join"])
        .complete("b")
        .joins(["join"])
        .passed("end", 1)
        .complete("b")
        .completed()
        .passed("end", 2);
}
