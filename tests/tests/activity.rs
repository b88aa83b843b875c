//! Tasks of every kind.

use potok_tests::scenario;
use serde_json::json;

#[test]
fn abstract_and_manual_tasks_pass() {
    scenario("activity/sequence.bpmn")
        .start()
        .waits_at(["approve"])
        .complete_with("approve", json!({"approved": true}))
        .completed()
        .variable("approved", true)
        .trace("start note approve stamp end");
}
