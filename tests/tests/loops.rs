//! Standard loops.

use potok_tests::scenario;
use serde_json::json;

#[test]
fn loop_tests_after_each_round() {
    scenario("loops/until.bpmn")
        .start_with(json!({"count": 0}))
        .completed()
        .variable("count", 3)
        .passed("increment", 3);
}

#[test]
fn loop_that_tests_after_runs_at_least_once() {
    scenario("loops/until.bpmn")
        .start_with(json!({"count": 7}))
        .completed()
        .variable("count", 8)
        .passed("increment", 1);
}

#[test]
fn loop_that_tests_before_may_not_run_at_all() {
    scenario("loops/while.bpmn")
        .start_with(json!({"count": 7}))
        .completed()
        .variable("count", 7)
        .trace("start increment end");
}

#[test]
fn loop_that_tests_before_runs_while_its_condition_holds() {
    scenario("loops/while.bpmn")
        .start_with(json!({"count": 1}))
        .completed()
        .variable("count", 3)
        .trace("start increment increment end");
}

#[test]
fn loop_ends_at_its_maximum() {
    scenario("loops/maximum.bpmn")
        .start_with(json!({"again": true}))
        .sees("try", "loopCounter", 1)
        .complete("try")
        .sees("try", "loopCounter", 2)
        .complete("try")
        .sees("try", "loopCounter", 3)
        .complete("try")
        .completed()
        .trace("start try try try end");
}

#[test]
fn loop_ends_before_its_maximum_when_its_condition_does_not_hold() {
    scenario("loops/maximum.bpmn").start().complete_with("try", json!({"again": false})).completed();
}

#[test]
fn long_loop_of_scripts_runs_in_one_step() {
    scenario("loops/maximum.bpmn").start_with(json!({"again": true})).cancel().cancelled();
    scenario("loops/until.bpmn").start_with(json!({"count": -500})).completed().passed("increment", 503);
}

#[test]
fn sub_process_loops_and_its_boundary_timer_counts_for_all_rounds() {
    let scenario = scenario("loops/sub_process.bpmn")
        .start()
        .complete("write")
        .complete_with("review", json!({"accepted": false}))
        .waits_at(["write"])
        .travel("PT7H")
        .complete("write")
        .complete_with("review", json!({"accepted": false}))
        .waits_at(["write"]);
    scenario.travel("PT1H").waits_at(["hurry"]).complete("hurry").completed();
}

#[test]
fn sub_process_loops_until_accepted() {
    scenario("loops/sub_process.bpmn")
        .start()
        .complete("write")
        .complete_with("review", json!({"accepted": false}))
        .complete("write")
        .complete_with("review", json!({"accepted": true}))
        .completed()
        .trace("start round begin write review done round begin write review done end");
}

#[test]
fn counter_of_a_loop_that_tests_before_begins_at_none() {
    scenario("loops/while_counter.bpmn").start().completed().trace("start again again again end");
}

#[test]
fn boundary_event_ends_a_loop_that_has_no_end() {
    scenario("loops/interrupted.bpmn")
        .start()
        .complete("try")
        .complete("try")
        .message("stop", json!({}))
        .completed()
        .trace("start try try try stopped given_up");
}
