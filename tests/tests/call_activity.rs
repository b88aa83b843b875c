//! Call activities: another process, or a global task.

use potok_tests::{deployments, scenario, scenario_of};
use serde_json::json;

#[test]
fn called_process_gets_all_variables_and_gives_all_back() {
    scenario("call_activity/simple.bpmn")
        .business_key("C-1")
        .start_with(json!({"amount": 5}))
        .waits_at(["check"])
        .instance_of("checking")
        .waits_at(["look"])
        .variable("amount", 5)
        .complete_with("look", json!({"result": "good"}))
        .completed()
        .main_instance()
        .completed()
        .variable("result", "good")
        .trace("start check end");
}

#[test]
fn error_of_the_called_process_is_caught_at_the_call() {
    scenario("call_activity/simple.bpmn")
        .start()
        .complete_with("look", json!({"result": "bad"}))
        .waits_at(["inform"])
        .instance_of("checking")
        .failed("bad")
        .main_instance()
        .complete("inform")
        .completed();
}

#[test]
fn what_comes_with_an_error_goes_to_the_caller_that_catches_it() {
    scenario("call_activity/simple.bpmn")
        .start()
        .instance_of("checking")
        .error_with("look", "bad", json!({"why": "torn"}))
        .failed("bad")
        .main_instance()
        .waits_at(["inform"])
        .variable("why", "torn");
}

#[test]
fn escalation_of_the_called_process_is_caught_at_the_call_and_both_go_on() {
    scenario("call_activity/simple.bpmn")
        .start()
        .complete_with("look", json!({"result": "unsure"}))
        .waits_at(["assist", "check"])
        .instance_of("checking")
        .waits_at(["look"])
        .complete_with("look", json!({"result": "good"}))
        .main_instance()
        .waits_at(["assist"])
        .complete("assist")
        .completed();
}

#[test]
fn escalation_that_interrupts_the_call_ends_the_called_process_where_it_is_thrown() {
    scenario("call_activity/interrupted_by_escalation.bpmn")
        .start()
        .instance_of("inner")
        .complete_with("look", json!({"hopeless": true}))
        .cancelled()
        .trace("asked look how give_up")
        .instance_of("middle")
        .cancelled()
        .main_instance()
        .waits_at(["clear"]);
}

#[test]
fn escalation_that_does_not_interrupt_an_outer_call_lets_all_go_on() {
    scenario("call_activity/interrupted_by_escalation.bpmn")
        .start()
        .instance_of("inner")
        .complete_with("look", json!({"hopeless": false}))
        .waits_at(["rest"])
        .main_instance()
        .waits_at(["note", "through"]);
}

#[test]
fn boundary_timer_at_the_call_cancels_the_called_process() {
    scenario("call_activity/simple.bpmn").start().travel("PT4H").completed().instance_of("checking").cancelled();
}

#[test]
fn cancelling_the_caller_cancels_the_called_process() {
    scenario("call_activity/simple.bpmn").start().cancel().cancelled().instance_of("checking").cancelled();
}

#[test]
fn cancelled_process_leaves_its_caller_with_an_incident_and_is_called_again() {
    scenario("call_activity/simple.bpmn")
        .start()
        .instance_of("checking")
        .cancel()
        .main_instance()
        .incident("check", "called-process-cancelled")
        .resolve("check")
        .has_instances("checking", 2)
        .complete_with("look", json!({"result": "good"}))
        .completed();
}

#[test]
fn calls_nest() {
    scenario("call_activity/nested.bpmn")
        .start()
        .has_instances("bottom", 1)
        .complete_with("dig", json!({"found": "gold"}))
        .completed()
        .variable("found", "gold");
}

#[test]
fn cancelling_goes_all_the_way_down() {
    scenario("call_activity/nested.bpmn").start().cancel().instance_of("bottom").cancelled();
}

#[test]
fn error_without_a_catcher_is_an_incident_of_the_caller_while_the_rest_goes_on() {
    scenario("call_activity/uncaught.bpmn")
        .start()
        .complete("look")
        .incident("check", "error-uncaught")
        .complete("other")
        .active()
        .resolve("check")
        .no_incident()
        .has_instances("checking", 2)
        .cancel()
        .cancelled();
}

#[test]
fn unknown_process_is_an_incident_until_mended() {
    scenario("call_activity/dynamic.bpmn")
        .start_with(json!({"chosen": "missing"}))
        .incident("check", "called-process-unknown")
        .incident_says("missing")
        .set("chosen", "checking")
        .resolve("check")
        .no_incident()
        .complete("look")
        .completed();
}

#[test]
fn process_that_only_a_message_starts_cannot_be_called() {
    scenario("call_activity/no_none_start.bpmn")
        .start_with(json!({"target": "by_message"}))
        .incident("check", "called-process-not-startable")
        .has_instances("by_message", 0);
}

#[test]
fn global_tasks_are_done_in_the_caller() {
    scenario("call_activity/global.bpmn")
        .start_with(json!({"amount": 4}))
        .groups("approve", ["bosses"])
        .complete("approve")
        .completed()
        .variable("total", 8);
}

#[test]
fn process_that_calls_itself_without_end_is_stopped() {
    scenario("call_activity/endless.bpmn")
        .start()
        .active()
        .has_instances("endless", 201)
        .instance_of("endless")
        .incident("again", "call-without-end")
        .incident_says("without end")
        .main_instance()
        .cancel()
        .instance_of("endless")
        .cancelled();
}

#[test]
fn call_of_zeebe_passes_only_what_is_mapped() {
    scenario("call_activity/zeebe.bpmn")
        .start_with(json!({"order": {"id": 7}}))
        .instance_of("checking")
        .variable("number", 7)
        .no_variable("order")
        .complete_with("look", json!({"result": "good", "other": 1}))
        .main_instance()
        .completed()
        .variable("verdict", "good")
        .no_variable("other")
        .no_variable("result");
}

#[test]
fn call_of_camunda_passes_only_what_is_mapped() {
    scenario("call_activity/camunda.bpmn")
        .start_with(json!({"amount": 3, "other": 1}))
        .instance_of("checking")
        .variable("price", 3)
        .no_variable("other")
        .complete_with("look", json!({"result": "good"}))
        .main_instance()
        .completed()
        .variable("verdict", "good")
        .no_variable("result");
}

#[test]
fn version_that_is_called_can_be_chosen() {
    scenario_of(&["call_activity/versions.bpmn", "call_activity/version_1.bpmn", "call_activity/version_2.bpmn"])
        .start()
        .complete("look_new")
        .complete("look_old")
        .complete("look_old")
        .completed();
}

#[test]
fn called_process_inherits_the_business_key_or_gets_its_own() {
    scenario("call_activity/simple.bpmn").business_key("C-1").start().instance_of("checking").has_business_key("C-1");
    scenario("call_activity/camunda.bpmn")
        .business_key("C-1")
        .start_with(json!({"amount": 1}))
        .instance_of("checking")
        .has_business_key("K-7");
}

#[test]
fn global_user_task_belongs_to_the_lane_of_its_call() {
    scenario("call_activity/in_lane.bpmn").start().groups("approve", ["Office"]).complete("approve").completed();
}

#[test]
fn output_that_fails_does_not_call_again() {
    scenario("call_activity/output_fails.bpmn")
        .start()
        .complete_with("look", json!({"result": {"verdict": "good"}}))
        .incident("check", "expression-failed")
        .set("suffix", "!")
        .resolve("check")
        .completed()
        .has_instances("checking", 1)
        .variable("verdict", "good!")
        .no_variable("result");
}

#[test]
fn version_that_is_called_may_be_computed() {
    let files = ["version_of_variable", "version_1", "version_2"].map(|file| format!("call_activity/{file}.bpmn"));
    let run = || scenario_of(&files.each_ref().map(String::as_str));
    run()
        .start_with(json!({"version": 1, "tag": "old"}))
        .complete("look_old")
        .instance_of("version_of_variable")
        .waits_at(["tagged"]);
    run().start_with(json!({"version": "2", "tag": "old"})).complete("look_new").complete("look_old").completed();
    run()
        .start_with(json!({"version": null}))
        .incident("numbered", "expression-failed")
        .incident_says("no value")
        .set("version", 2)
        .resolve("numbered")
        .complete("look_new")
        .main_instance()
        .incident("tagged", "expression-failed");
}

#[test]
fn call_of_the_same_deployment_is_not_for_a_newer_version() {
    deployments(&[&["call_activity/together.bpmn", "call_activity/version_1.bpmn"], &["call_activity/version_2.bpmn"]])
        .start()
        .complete("look_old")
        .complete("look_new")
        .completed();
}

#[test]
fn call_of_the_same_deployment_does_not_find_another_one() {
    deployments(&[&["call_activity/together.bpmn"], &["call_activity/version_2.bpmn"]])
        .start()
        .incident("ours", "called-process-unknown")
        .incident_says("checking");
}

/// As in Camunda 7.24: what the called process has not is null, whatever its caller has.
#[test]
fn what_a_called_process_has_not_is_not_taken_from_its_caller() {
    scenario("call_activity/out_of_nothing.bpmn")
        .process("out_of_nothing")
        .start_with(json!({"a": 1, "r": 5}))
        .waits_at(["look"])
        .variable("result", json!(null))
        .variable("has", false)
        .variable("sum", 11);
}

#[test]
fn the_collections_of_a_multi_instance_call_are_its_own() {
    scenario("call_activity/collection.bpmn")
        .process("p")
        .start_with(json!({"amounts": [10, 20]}))
        .completed()
        .variables(json!({"amounts": [10, 20], "taxes": [2, 4], "again": [2, 4]}));
}
