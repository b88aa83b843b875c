//! Savepoints: where the unit of work is cut (`asyncBefore`, `asyncAfter`).

use potok_tests::scenario;
use serde_json::json;

#[test]
fn savepoints_before_and_after_an_activity() {
    scenario("savepoints/before_and_after.bpmn")
        .start()
        .waits_at(["count"])
        .no_variable("counted")
        .continue_at("count")
        .waits_at(["count"])
        .variable("counted", 5)
        .continue_at("count")
        .completed()
        .trace("start count end");
}

#[test]
fn savepoint_holds_only_its_own_branch() {
    scenario("savepoints/in_parallel.bpmn")
        .start()
        .waits_at(["quick", "slow"])
        .complete("quick")
        .waits_at(["slow"])
        .joins(["join"])
        .continue_at("slow")
        .completed();
}

#[test]
fn boundary_events_are_over_at_the_savepoint_after() {
    scenario("savepoints/sub_process.bpmn")
        .start()
        .complete("do")
        .waits_at(["work"])
        .travel("PT2H")
        .waits_at(["work"])
        .continue_at("work")
        .completed()
        .trace("start work begin do done end");
}

#[test]
fn loop_and_each_of_its_rounds_have_savepoints() {
    scenario("savepoints/loop.bpmn")
        .start()
        .waits_at(["sign"])
        .continue_at("sign")
        .waits_at(["sign", "sign"])
        .continue_at("sign")
        .waits_at(["sign"])
        .continue_at("sign")
        .completed();
}

#[test]
fn events_and_gateways_have_savepoints_too() {
    scenario("savepoints/gateway.bpmn")
        .start()
        .waits_at(["start"])
        .continue_at("start")
        .waits_at(["choose"])
        .continue_at("choose")
        .waits_at(["end"])
        .continue_at("end")
        .completed()
        .trace("start choose end");
}

#[test]
fn variables_can_be_mended_at_a_savepoint() {
    scenario("savepoints/before_and_after.bpmn")
        .start_with(json!({"counted": 1}))
        .set("counted", 2)
        .variable("counted", 2)
        .cancel()
        .cancelled();
}
