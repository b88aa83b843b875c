//! Models of Flowable and Activiti.

use potok_tests::{scenario, scenario_of};
use serde_json::json;

#[test]
fn tasks_are_jobs_people_and_expressions() {
    scenario("dialects/flowable_tasks.bpmn")
        .initiator("anna")
        .start_with(json!({"amount": 20, "deadline": "2026-01-08T09:00:00Z", "boss": "maria"}))
        .job_is("pay", |job| assert_eq!(&*job.kind, "pay"))
        .job("pay", json!({}))
        .assignee("check", "anna")
        .groups("check", ["sales"])
        .task("check", |task| {
            assert_eq!(task.due.map(|due| due.to_string()).as_deref(), Some("2026-01-08T09:00:00Z"));
            assert_eq!(task.form_key.as_deref(), Some("checkForm"));
            assert_eq!(task.owner.as_deref(), Some("maria"));
        })
        .complete("check")
        .completed()
        .variable("next", 21)
        .passed("skipped", 1);
}

#[test]
fn activiti_speaks_the_same() {
    scenario("dialects/activiti.bpmn")
        .initiator("anna")
        .start_with(json!({"amount": 20}))
        .assignee("work", "anna")
        .groups("work", ["sales"])
        .complete("work")
        .completed()
        .variable("next", 21);
}

#[test]
fn a_loop_gives_elements_and_places() {
    scenario("dialects/flowable_multi_instance.bpmn")
        .start_with(json!({"voters": ["anna", "otto"]}))
        .nth_sees("vote", 1, "voter", "otto")
        .nth_sees("vote", 1, "place", 1)
        .nth_sees("vote", 1, "loopCounter", 1)
        .complete("vote")
        .complete("vote")
        .completed();
}

#[test]
fn a_call_inherits_variables_where_it_says() {
    scenario("dialects/flowable_call.bpmn")
        .start_with(json!({"amount": 5}))
        .instance_of("helper")
        .variable("amount", 5)
        .has_business_key("5")
        .complete_with("help", json!({"answer": 1}))
        .main_instance()
        .completed()
        .variable("result", 1)
        .no_variable("answer");
}

#[test]
fn a_signal_may_stay_in_its_instance() {
    scenario("dialects/flowable_signal_scope.bpmn")
        .start()
        .start()
        .complete("ready")
        .completed()
        .nth_instance_of("main", 1)
        .waits_at(["heard", "ready"]);
}

#[test]
fn an_asynchronous_task_is_a_savepoint() {
    scenario("dialects/flowable_async.bpmn")
        .start()
        .waits_at(["step"])
        .continue_at("step")
        .waits_at(["work"])
        .complete("work")
        .completed();
}

#[test]
fn messages_signals_and_tasks_may_have_computed_names() {
    scenario("dialects/flowable_names.bpmn")
        .start_with(json!({"number": 7}))
        .early_message("letter", json!({}))
        .message("letter7", json!({}))
        .signal("call7")
        .task("look", |task| assert_eq!(task.name.as_deref(), Some("Look at 7")))
        .complete("look")
        .completed();
}

#[test]
fn a_cycle_may_have_an_end() {
    scenario("dialects/flowable_cycle_end.bpmn")
        .start_with(json!({"until": "2026-01-05T11:30:00Z"}))
        .travel("PT8H")
        .passed("reminded", 2)
        .travel("P9D")
        .passed("reminded", 2)
        .passed("reported", 3)
        .complete("work")
        .completed();
    scenario("dialects/flowable_cycle_end.bpmn")
        .start_with(json!({"until": "2026-01-05T09:30:00Z"}))
        .incident_says("before it is due for the first time")
        .set("until", serde_json::Value::Null)
        .resolve("work")
        .travel("PT8H")
        .passed("reminded", 8);
}

#[test]
fn a_call_tells_which_instance_it_has_started() {
    let called = scenario("dialects/flowable_call.bpmn").start_with(json!({"amount": 5}));
    let id = called.key_of("called").to_string();
    called.variable("helperId", id).instance_of("helper").no_variable("helperId").complete("help");
}

#[test]
fn variables_of_an_error_may_be_local() {
    scenario("dialects/flowable_local_error.bpmn")
        .start_with(json!({"code": "none"}))
        .error("work", "E1")
        .sees("mend", "code", "E1")
        .variable("code", "none")
        .complete("mend")
        .completed()
        .variable("code", "none");
}

#[test]
fn what_stands_at_a_call_sees_the_callers_variables() {
    scenario("dialects/flowable_call_caller.bpmn")
        .start_with(json!({"x": 1}))
        .instance_of("helper")
        .complete_with("help", json!({"x": 2, "notes": ["a"]}))
        .main_instance()
        .waits_at(["between"])
        .variables(json!({"x": 100, "result": 2, "count": 3, "seen": 1, "inner": false}))
        .set("x", 1)
        .complete("between")
        .nth_instance_of("helper", 1)
        .complete_with("help", json!({"x": 2}))
        .nth_instance_of("helper", 2)
        .complete_with("help", json!({"x": 3}))
        .main_instance()
        .waits_at(["after"])
        .variables(json!({"x": 1, "result": 3}));
}

#[test]
fn the_name_of_what_is_handed_over_may_be_computed() {
    let called = scenario("dialects/flowable_names_computed.bpmn").start_with(json!({"amount": 5, "kind": "gold"}));
    called
        .instance_of("helper")
        .variables(json!({"gold": 5}))
        .complete_with("help", json!({"answer": 1, "name": "result"}))
        .main_instance()
        .completed()
        .variables(json!({"amount": 5, "kind": "gold", "result": 1}));
    scenario("dialects/flowable_names_computed.bpmn")
        .start_with(json!({"amount": 5, "kind": ""}))
        .incident("call", "expression-failed")
        .incident_says("gives no name of a variable")
        .set("kind", "gold")
        .resolve("call")
        .instance_of("helper")
        .waits_at(["help"]);
}

#[test]
fn what_rounds_give_is_aggregated_also_by_expressions() {
    scenario("dialects/flowable_aggregation.bpmn")
        .start_with(json!({"items": [1, 2]}))
        .complete("work")
        .complete("work")
        .completed()
        .variable("results", json!([{"item": 1, "double": 2}, {"item": 2, "double": 4}]));
}

#[test]
fn what_rounds_set_stays_with_them_where_it_is_aggregated() {
    scenario("dialects/flowable_aggregation_apart.bpmn")
        .start_with(json!({"items": ["p", "q"], "note": "outside"}))
        .complete_with("work", json!({"ok": 1, "note": "first", "other": 1}))
        .no_variable("ok")
        .complete_with("work", json!({"ok": 2, "note": "second"}))
        .variable("results", json!([{"ok": 1}, {"ok": 2}]))
        // Also in a sub-process and from a called process, whatever sets it, and where there is a variable of that name outside.
        .complete_with("inner", json!({"ok": 3}))
        .complete_with("inner", json!({"ok": 4}))
        .variable("inside", json!([{"ok": 3, "seen": "p"}, {"ok": 4, "seen": "q"}]))
        .variable("called", json!([{"ok": 5}, {"ok": 5}]))
        .variable("note", "outside")
        .no_variable("ok")
        .no_variable("other")
        .no_variable("seen")
        .no_variable("scripted")
        .completed();
}

#[test]
fn a_round_that_has_not_completed_leaves_no_gap_in_an_aggregation() {
    scenario("dialects/flowable_aggregation_until.bpmn")
        .start_with(json!({"items": [1, 2, 3]}))
        .complete("work")
        .complete("work")
        .completed()
        .variable("results", json!([{"item": 1, "double": 2}, {"item": 2, "double": 4}]));
}

#[test]
fn what_a_script_declares_at_its_top_is_stored() {
    scenario("dialects/flowable_stored_variables.bpmn")
        .start_with(json!({"amount": 2}))
        .waits_at(["after"])
        .variables(json!({"amount": 7, "total": 5, "bare": "bare"}))
        .no_variable("between")
        .no_variable("inside")
        .no_variable("double");
}

#[test]
fn a_throwing_link_event_calls_its_listeners() {
    scenario("dialects/flowable_link_listeners.bpmn")
        .start_with(json!({"log": ""}))
        .waits_at(["after"])
        .variable("log", " away+ away- back+ back-");
}

#[test]
fn a_call_by_the_id_of_a_definition_calls_that_version() {
    scenario_of(&[
        "dialects/flowable_call_by_id.bpmn",
        "dialects/camunda_helper_1.bpmn",
        "dialects/camunda_helper_2.bpmn",
    ])
    .start()
    .complete("first_version")
    .completed();
}

#[test]
fn a_flows_skip_expression_stands_for_its_condition() {
    let file = "dialects/flowable_skipped_flow.bpmn";
    scenario(file).start_with(json!({"trusted": true})).waits_at(["unchecked"]);
    scenario(file).start_with(json!({"trusted": false})).complete("checked").waits_at(["only"]);
}

#[test]
fn what_terminates_all_ends_whatever_has_called_it_and_all_that_they_have_called() {
    let run = scenario("dialects/flowable_terminate_all.bpmn")
        .start()
        .travel("PT1H")
        .waits_at(["after", "beside", "call"])
        .nth_instance_of("inner", 0)
        .complete_with("decide", json!({"mild": true}))
        .completed()
        .instance_of("middle")
        .active()
        .nth_instance_of("inner", 1)
        .complete_with("decide", json!({"mild": false}))
        .completed();
    run.instance_of("middle").completed().instance_of("other").cancelled().main_instance().completed();
}

#[test]
fn what_terminates_all_without_a_caller_ends_only_its_own_instance() {
    scenario("dialects/flowable_terminate_all.bpmn")
        .start()
        .start_process("inner")
        .instance_of("inner")
        .complete_with("decide", json!({"mild": false}))
        .completed()
        .main_instance()
        .active();
}

#[test]
fn data_objects_begin_with_values_of_their_types() {
    scenario("dialects/flowable_data_objects.bpmn")
        .start()
        .completed()
        .variables(
            json!({"whole": 100, "flag": true, "fraction": 1.5, "long": 7, "text": "${1 + 1}", "json": {"a": [1]}}),
        )
        .variable("next", 101)
        .variable("is_empty", true)
        .variable("moment", json!("2026-01-01T10:00:00"));
}

#[test]
fn task_listeners_are_called_in_the_order_of_flowable() {
    let file = "dialects/flowable_task_listeners.bpmn";
    scenario(file)
        .start_with(json!({"log": "", "who": "anna"}))
        .variable("log", "start assignment create ")
        .complete("work")
        .variable("log", "start assignment create complete delete end ");
    // Nobody has it, and it is interrupted.
    scenario(file)
        .start_with(json!({"log": "", "who": null}))
        .variable("log", "start create ")
        .travel("PT1H")
        .variable("log", "start create delete ");
}

#[test]
fn a_delete_listener_that_fails_does_not_repeat_the_others() {
    scenario("dialects/flowable_task_listeners.bpmn")
        .start_with(json!({"log": "", "who": "anna", "completed": 0}))
        .complete("careless")
        .incident("careless", "expression-failed")
        .set("reason", "done")
        .resolve("careless")
        .variables(json!({"completed": 1, "told": "done"}))
        .waits_at(["work"]);
}
