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

#[test]
fn a_boundary_event_has_savepoints_once_it_has_occurred() {
    scenario("savepoints/events.bpmn")
        .start_with(json!({"factor": 2}))
        .message("copy", json!({}))
        .waits_at(["copied", "work"])
        .continue_at("copied")
        .waits_at(["after", "work"])
        .message("letter", json!({"amount": 7}))
        .waits_at(["after", "answered"])
        .set("factor", 3)
        .continue_at("answered")
        .waits_at(["after", "answered"])
        .variable("total", 21)
        .continue_at("answered")
        .waits_at(["after", "after"]);
}

#[test]
fn an_event_sub_process_has_savepoints_where_it_begins_and_where_it_is_over() {
    scenario("savepoints/events.bpmn")
        .start_process("sub_process")
        .message("copy", json!({}))
        .waits_at(["doing", "noted"])
        .continue_at("noted")
        .waits_at(["doing", "noted"])
        .continue_at("noted")
        .waits_at(["doing", "note"])
        .complete("note")
        .waits_at(["doing"])
        .message("letter", json!({}))
        .waits_at(["asked"])
        .continue_at("asked")
        .waits_at(["answer"])
        .complete("answer")
        .waits_at(["answering"])
        .active()
        .continue_at("answering")
        .completed();
}

#[test]
fn links_have_savepoints_at_both_ends() {
    scenario("savepoints/events.bpmn")
        .start_process("link")
        .waits_at(["away"])
        .continue_at("away")
        .waits_at(["away"])
        .continue_at("away")
        .waits_at(["over"])
        .continue_at("over")
        .waits_at(["over"])
        .continue_at("over")
        .waits_at(["last"]);
}

#[test]
fn what_an_event_based_gateway_leads_to_has_savepoints_once_it_has_occurred() {
    scenario("savepoints/events.bpmn")
        .start_process("decided")
        .waits_at(["wait"])
        .continue_at("wait")
        .message("letter", json!({"read": true}))
        .waits_at(["came"])
        .continue_at("came")
        .waits_at(["came"])
        .continue_at("came")
        .waits_at(["then"])
        .variable("read", true);
    scenario("savepoints/events.bpmn")
        .start_process("received")
        .message("letter", json!({"read": true}))
        .waits_at(["answer_came"])
        .continue_at("answer_came")
        .waits_at(["answer_came"])
        .continue_at("answer_came")
        .waits_at(["next"])
        .variable("read", true);
}

#[test]
fn a_complex_gateway_has_a_savepoint_before_each_token_and_after_it_fires() {
    scenario("savepoints/events.bpmn")
        .start_process("complex")
        .waits_at(["any", "any"])
        .continue_at("any")
        // The other token is still to come: the gateway waits for it in its second phase, which has no savepoint.
        .waits_at(["any", "any"])
        .continue_at("any")
        .waits_at(["any", "rest"])
        .continue_at("any")
        .waits_at(["on", "rest"]);
}
