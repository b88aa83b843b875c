//! Lanes: who a user task belongs to.

use potok_tests::scenario;
use serde_json::json;

#[test]
fn task_without_an_assignment_belongs_to_its_innermost_lane() {
    scenario("lanes/nested.bpmn")
        .start()
        .groups("register", ["Office"])
        .complete("register")
        .groups("check", ["Legal"])
        .complete("check")
        .groups("sign", ["heads"])
        .complete("sign")
        .groups("own", [])
        .assignee("own", "anna")
        .complete("own")
        .groups("fetch", ["Store, cellar"])
        .complete("fetch")
        .completed();
}

#[test]
fn task_in_a_sub_process_belongs_to_the_lane_of_that_unless_it_has_one_inside() {
    scenario("lanes/sub_process.bpmn")
        .start()
        .groups("write", ["Desk"])
        .complete("write")
        .groups("read", ["Office"])
        .complete("read")
        .completed();
}

#[test]
fn task_in_a_lane_without_a_name_belongs_to_the_lane_around_it() {
    scenario("lanes/unnamed.bpmn")
        .start()
        .groups("call", ["Office"])
        .complete("call")
        .groups("write", ["Office"])
        .complete("write")
        .groups("fetch", ["Store"])
        .complete("fetch")
        .completed();
}

#[test]
fn lanes_assign_nothing_in_a_foreign_dialect() {
    scenario("lanes/camunda.bpmn")
        .start()
        .groups("write", [])
        .complete("write")
        .groups("read", [])
        .complete("read")
        .completed();
}

#[test]
fn an_assignment_to_nobody_leaves_the_task_to_the_lane() {
    for nobody in [json!(null), json!("")] {
        scenario("lanes/nobody.bpmn")
            .start_with(json!({"manager": nobody, "readers": []}))
            .groups("write", ["Desk, front"])
            .complete("write")
            .groups("read", ["Desk, front"]);
    }
    scenario("lanes/nobody.bpmn")
        .start_with(json!({"manager": "anna", "readers": ["ivan"]}))
        .groups("write", [])
        .assignee("write", "anna")
        .complete("write")
        .groups("read", []);
}
