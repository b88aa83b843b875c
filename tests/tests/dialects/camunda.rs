//! Models of Camunda 7 and its forks.

use potok_core::graph::Package;
use potok_expressions::Evaluator;
use potok_tests::{model, scenario, scenario_of};
use serde_json::json;

#[test]
fn external_tasks_expressions_and_java_become_jobs_and_results() {
    scenario("dialects/camunda_service_tasks.bpmn")
        .initiator("anna")
        .start_with(json!({"amount": 20, "priority": 7}))
        .variable("starter", "anna")
        .job_is("charge", |job| {
            assert_eq!(&*job.kind, "charge-card");
            assert_eq!(job.priority, 7);
            assert_eq!(job.retries, 5);
            assert_eq!(job.retry_cycle.as_deref(), Some("R5/PT10M"));
        })
        .sees("charge", "total", 40)
        .job("charge", json!({"number": "no. 1"}))
        .no_variable("total")
        .variable("receipt", "no. 1")
        .variable("next", 21)
        .job_is("class", |job| assert_eq!(&*job.kind, "java:com.acme.Ship"))
        .job("class", json!({}))
        .job_is("mail", |job| assert_eq!(&*job.kind, "mail"))
        .job("mail", json!({}))
        .job_is("end", |job| assert_eq!(&*job.kind, "notify"))
        .job("end", json!({}))
        .completed()
        .trace("start charge evaluate class mail end");
}

#[test]
fn a_failing_worker_has_its_tries_then_somebody_must_help() {
    let mut scenario = scenario("dialects/camunda_service_tasks.bpmn").start_with(json!({"amount": 20, "priority": 7}));
    for _ in 0..4 {
        scenario = scenario.fail_job("charge", "no line").no_incident();
    }
    scenario
        .fail_job("charge", "no line")
        .incident("charge", "job-failed")
        .incident_says("no line")
        .resolve("charge")
        .no_incident()
        .job_is("charge", |job| assert_eq!(job.retries, 1))
        .job("charge", json!({"number": 1}))
        .waits_at(["class"]);
}

#[test]
fn a_user_task_has_people_dates_a_priority_and_a_form() {
    scenario("dialects/camunda_user_task.bpmn")
        .start_with(json!({"boss": "maria", "groups": ["sales", "board"], "follow": "2026-01-07T09:00:00Z"}))
        .assignee("check", "maria")
        .groups("check", ["sales", "board"])
        .task("check", |task| {
            assert_eq!(task.candidate_users, ["anna", "otto"]);
            assert_eq!(task.due.map(|due| due.to_string()).as_deref(), Some("2026-03-05T12:00:00Z"));
            assert_eq!(task.follow_up.map(|due| due.to_string()).as_deref(), Some("2026-01-07T09:00:00Z"));
            assert_eq!(task.priority, Some(70));
            assert_eq!(task.form_key.as_deref(), Some("embedded:app:check.html"));
        })
        .complete("check")
        .completed();
}

#[test]
fn an_unknown_variable_in_an_expression_is_an_incident() {
    scenario("dialects/camunda_user_task.bpmn").start().incident("check", "expression-failed").incident_says("boss");
}

#[test]
fn mappings_compute_texts_lists_and_maps() {
    scenario("dialects/camunda_mappings.bpmn")
        .start_with(json!({"name": "anna"}))
        .sees("check", "text", "anna asks")
        .sees("check", "list", json!(["one", "anna"]))
        .sees("check", "map", json!({"who": "anna", "of anna": "it"}))
        .complete_with("check", json!({"answer": "yes"}))
        .no_variable("text")
        .variable("verdict", "yes!")
        .sees("deep", "local", "yes!")
        .complete("deep")
        .completed()
        .variable("given", "yes!")
        .no_variable("local");
}

#[test]
fn potential_owners_may_be_computed() {
    scenario("dialects/camunda_performers.bpmn")
        .start_with(json!({"boss": "olga", "team": "sales", "others": {"legal": ["law", "audit"]}}))
        .groups("approve", ["sales", "drivers", "law", "audit"])
        .task("approve", |task| assert_eq!(&*task.candidate_users, ["olga"]))
        .complete("approve")
        .completed();
}

#[test]
fn listeners_evaluate_their_expressions_in_order() {
    scenario("dialects/camunda_listeners.bpmn")
        .start()
        .variables(json!({"started": true, "entered": "work", "created": 1}))
        .complete("work")
        .completed()
        .variables(json!({"done": 2, "left": 3}));
}

#[test]
fn java_listeners_are_jobs_around_the_work() {
    scenario("dialects/camunda_java_listener.bpmn")
        .start()
        .job_is("work", |job| assert_eq!(&*job.kind, "java:com.acme.Before"))
        .job("work", json!({}))
        .complete("work")
        .job_is("work", |job| assert_eq!(&*job.kind, "java:com.acme.After"))
        .job("work", json!({}))
        .completed();
}

#[test]
fn a_process_gives_its_jobs_their_usual_priority() {
    scenario("dialects/camunda_process_priority.bpmn")
        .start()
        .job_is("pay", |job| assert_eq!(job.priority, 40))
        .job("pay", json!({}))
        .job_is("mail", |job| assert_eq!(job.priority, 7));
}

#[test]
fn savepoints_and_timers_are_as_urgent_as_their_element_says_or_their_process() {
    scenario("dialects/camunda_job_priority.bpmn")
        .start_with(json!({"urgency": 12}))
        .has_priority("count", 70)
        .continue_at("count")
        .has_priority("count", 70)
        .continue_at("count")
        .has_priority("work", 8)
        .has_priority("late", 12)
        .has_priority("later", 33)
        .complete("work")
        // Around a multi-instance activity stands what belongs to the process.
        .has_priority("each", 33)
        .continue_at("each")
        .has_priority("each", 70)
        .continue_at("each")
        // Only taskPriority is for workers; what stands for the engine's own work is as urgent as that would be.
        .job_is("pay", |job| assert_eq!(job.priority, 0))
        .job("pay", json!({}))
        .job_is("ship", |job| assert_eq!(job.priority, 70))
        .job("ship", json!({}))
        .job_is("tell", |job| assert_eq!(job.priority, 33));
}

#[test]
fn what_is_tried_again_is_as_urgent_as_before() {
    scenario_of(&["dialects/camunda_job_priority.bpmn"])
        .start()
        .continue_at("count")
        .continue_at("count")
        .retries_left("count", 2)
        .has_priority("count", 70)
        .set("urgency", "high")
        .continue_at("count")
        .retries_left("count", 1)
        .set("urgency", 5)
        .continue_at("count")
        .has_priority("late", 5);
}

#[test]
fn nobody_can_tell_how_urgent_a_savepoint_or_timer_is() {
    let savepoint = r#"<manualTask id="work" camunda:asyncBefore="true" camunda:jobPriority="${urgency}"/>"#;
    let timer = r#"<intermediateCatchEvent id="work" camunda:jobPriority="${urgency}">
        <timerEventDefinition><timeDuration>PT1H</timeDuration></timerEventDefinition></intermediateCatchEvent>"#;
    for node in [savepoint, timer] {
        let content = format!(
            r#"<process id="p" isExecutable="true" camunda:historyTimeToLive="P30D"><startEvent id="start"/>{node}
            <endEvent id="end"/><sequenceFlow id="f" sourceRef="start" targetRef="work"/>
            <sequenceFlow id="g" sourceRef="work" targetRef="end"/></process>"#
        );
        model(&content)
            .start_with(json!({"urgency": "high"}))
            .incident("work", "expression-failed")
            .incident_says("`${urgency}` gives high, but a priority is a whole number")
            .set("urgency", 7)
            .resolve("work")
            .no_incident()
            .has_priority("work", 7);
    }
}

#[test]
fn a_computed_priority_that_is_no_number_is_an_incident() {
    scenario("dialects/camunda_computed_priority.bpmn")
        .start_with(json!({"priority": "high", "urgency": true}))
        .incident("check", "expression-failed")
        .incident_says("`${priority}` gives high, but a priority is a whole number")
        .set("priority", "7")
        .resolve("check")
        .task("check", |task| assert_eq!(task.priority, Some(7)))
        .complete("check")
        .incident("pay", "expression-failed")
        .incident_says("`${urgency}` gives true")
        .set("urgency", json!(null))
        .resolve("pay")
        .job_is("pay", |job| assert_eq!(job.priority, 0));
}

#[test]
fn listeners_of_an_event_sub_process_are_called_in_their_order() {
    scenario("dialects/camunda_event_sub_process_listeners.bpmn")
        .start_with(json!({"log": ""}))
        .message("order", json!({"subject": "roof"}))
        // They see what came with the event.
        .variable("log", "roof")
        .job_is("beside", |job| assert_eq!(&*job.kind, "java:com.acme.Before"))
        .passed("answer", 0)
        .job("beside", json!({}))
        .variable("log", "roof begun")
        .complete("answer")
        .job_is("beside", |job| assert_eq!(&*job.kind, "java:com.acme.After"))
        .job("beside", json!({}))
        .complete("work")
        .completed();
}

#[test]
fn a_flow_calls_its_listeners_when_it_is_taken() {
    scenario("dialects/camunda_take_listener.bpmn").start().waits_at(["work"]).variable("taken", true);
}

#[test]
fn a_process_calls_its_listeners_when_it_begins_and_ends() {
    scenario("dialects/camunda_process_listeners.bpmn")
        .start()
        .variable("began", true)
        .no_variable("ended")
        .complete("work")
        .completed()
        .variable("ended", true);
}

#[test]
fn listeners_of_events_are_called_when_they_occur() {
    scenario("dialects/camunda_event_listeners.bpmn")
        .start()
        .no_variable("late_started")
        .travel("PT1H")
        .variables(json!({"late_started": true, "late_ended": true}))
        .waits_at(["wait"])
        .no_variable("letter_started")
        .message("letter", json!({}))
        .variables(json!({"letter_started": true, "letter_ended": true}))
        .complete("after")
        .completed()
        .variables(json!({"end_started": true, "end_ended": true}));
    scenario("dialects/camunda_event_listeners.bpmn")
        .start()
        .travel("PT2H")
        .job_is("later", |job| assert_eq!(&*job.kind, "java:com.acme.Before"))
        .travel("PT2H")
        .job("later", json!({}))
        .waits_at(["after"]);
}

#[test]
fn savepoints_stand_before_and_after() {
    scenario("dialects/camunda_async.bpmn")
        .start()
        .waits_at(["start"])
        .continue_at("start")
        .waits_at(["step"])
        .continue_at("step")
        .waits_at(["step"])
        .continue_at("step")
        .waits_at(["split"])
        .continue_at("split")
        .waits_at(["a", "b"])
        .complete("b")
        .waits_at(["a", "end"])
        .continue_at("end")
        .complete("a")
        .continue_at("end")
        .completed()
        .passed("step", 1);
}

#[test]
fn a_loop_has_savepoints_around_the_whole_and_around_each_instance() {
    scenario("dialects/camunda_async_multi_instance.bpmn")
        .start()
        .waits_at(["vote"])
        .continue_at("vote")
        .waits_at(["vote", "vote"])
        .continue_at("vote")
        .continue_at("vote")
        .complete("vote")
        .waits_at(["vote", "vote"])
        .continue_at("vote")
        .waits_at(["vote"])
        .complete("vote")
        .continue_at("vote")
        .waits_at(["vote"])
        .active()
        .continue_at("vote")
        .completed();
}

#[test]
fn an_output_that_fails_is_an_incident_that_keeps_the_work() {
    scenario("dialects/camunda_output_fails.bpmn")
        .start()
        .complete_with("check", json!({"done": true}))
        .incident("check", "expression-failed")
        .incident_says("answer")
        .variable("done", true)
        .set("answer", "yes")
        .resolve("check")
        .completed()
        .variable("verdict", "yes");
}

#[test]
fn a_collection_gives_each_instance_its_element() {
    scenario("dialects/camunda_multi_instance.bpmn")
        .start_with(json!({"voters": ["anna", "otto", "maria", "karl"]}))
        .waits_at(["vote", "vote", "vote", "vote"])
        .assignee("vote", "anna")
        .nth_sees("vote", 2, "voter", "maria")
        .nth_sees("vote", 2, "loopCounter", 2)
        .sees("vote", "nrOfInstances", 4)
        .complete("vote")
        .sees("vote", "nrOfCompletedInstances", 1)
        .sees("vote", "nrOfActiveInstances", 3)
        .complete("vote")
        .waits_at(["once"])
        .assignee("once", "anna")
        .complete("once")
        .assignee("once", "otto")
        .complete("once")
        .complete("once")
        .complete("once")
        .completed()
        .no_variable("voter");
}

#[test]
fn a_call_that_hands_over_its_own_variables_hands_over_no_others() {
    scenario("dialects/camunda_call_local.bpmn")
        .start_with(json!({"secret": 5}))
        .nth_instance_of("helper", 0)
        .no_variable("secret")
        .nth_instance_of("helper", 1)
        .variable("mine", "1")
        .no_variable("secret");
}

#[test]
fn what_a_call_maps_locally_is_its_own_and_gone_with_it() {
    // What Camunda 7.24 does.
    scenario("dialects/camunda_call_out_local.bpmn")
        .start_with(json!({"shared": 5, "answer": "old"}))
        .nth_instance_of("helper", 0)
        .variables(json!({"asked": "mine", "shared": null, "seen": "mine"}))
        .complete_with("help", json!({"answer": "new"}))
        .main_instance()
        .variables(json!({"got": "new", "told": "new", "answer": "old", "shared": 5}))
        .no_variable("secret")
        // What stands at the call is set there.
        .no_variable("own")
        .nth_instance_of("helper", 1)
        .complete_with("help", json!({"answer": "newer"}))
        .main_instance()
        .waits_at(["after", "after"])
        .variables(json!({"got_of_all": "newer", "answer": "old"}));
}

#[test]
fn what_is_handed_over_later_wins() {
    // What Camunda 7.24 does.
    scenario("dialects/camunda_call_order.bpmn")
        .start_with(json!({"a": 1, "b": 2}))
        .nth_instance_of("helper", 0)
        .variables(json!({"a": 1, "b": 2, "c": 2}))
        .complete("help")
        .main_instance()
        .variables(json!({"a": 1, "b": 2, "c": 2}))
        .nth_instance_of("helper", 1)
        .variables(json!({"a": 2, "x.y": 1}))
        .no_variable("x")
        .complete_with("help", json!({"b": 3}))
        .main_instance()
        .waits_at(["after"])
        .variables(json!({"a": 3, "b": 3, "u.v": 3}))
        .no_variable("u");
}

#[test]
fn what_throws_goes_on_before_what_begins_by_that() {
    // What Camunda 7.24 does.
    for process in ["escalates", "signals"] {
        scenario("dialects/camunda_thrower_first.bpmn")
            .process(process)
            .start_with(json!({"log": ""}))
            .waits_at([&*format!("{process}_after")])
            .variable("log", "on done after beside then beside then ");
    }
}

#[test]
fn all_else_is_left_before_a_terminate_end_event_is_entered() {
    // What Camunda 7.24 does.
    scenario("dialects/camunda_terminate.bpmn")
        .start_with(json!({"log": ""}))
        .complete("first")
        .waits_at(["after"])
        .variable("log", "inside+ first+ second+ first- second- stop+ stop- inside- ");
}

#[test]
fn what_is_interrupted_is_left_branch_by_branch() {
    scenario("dialects/camunda_way_out_order.bpmn")
        .start_process("branches")
        .set("log", "")
        .message("stop", json!({}))
        .waits_at(["after"])
        .variable("log", "a b join c ");
    scenario("dialects/camunda_way_out_order.bpmn")
        .start_process("rounds")
        .set("log", "")
        .complete_nth("work", 0, json!({}))
        .waits_at(["mend"])
        .variable("log", "A ee S A S be ");
    for (message_first, left) in
        [(true, "first answer second third terminate "), (false, "first second third answer terminate ")]
    {
        let run = scenario("dialects/camunda_way_out_order.bpmn").start_process("terminated").set("log", "");
        let run = if message_first {
            run.message("stop", json!({})).complete("prepare")
        } else {
            run.complete("prepare").message("stop", json!({}))
        };
        run.complete("first").completed().variable("log", left);
    }
}

#[test]
fn what_ends_early_calls_its_end_listeners_and_does_its_outputs() {
    scenario("dialects/camunda_way_out.bpmn")
        .start_with(json!({"log": ""}))
        .complete("fast")
        .waits_at(["vote", "vote", "vote"])
        .variables(json!({"log": "slow stop both ", "half_done": "yes"}))
        .complete("vote")
        .waits_at(["ask"])
        .variables(json!({"log": "slow stop both vote vote vote "}))
        .travel("PT1H")
        .waits_at(["after"])
        .instance_of("asking")
        .cancelled()
        .variables(json!({"log": "find asking ", "tried": "yes"}));
}

#[test]
fn what_comes_with_an_error_that_the_caller_catches_is_set_in_the_called_process() {
    scenario("dialects/camunda_way_out.bpmn")
        .start_with(json!({"log": ""}))
        .complete("fast")
        .complete("vote")
        .instance_of("asking")
        .error_with("find", "bad", json!({"found": 1}))
        .failed("bad")
        .main_instance()
        .waits_at(["after"])
        .variables(json!({"found": 1}));
}

/// Camunda 7.24 hands over what is mapped out, then calls what throws, then the process.
#[test]
fn what_throws_at_the_caller_calls_its_end_listener() {
    for kind in ["error", "escalation"] {
        scenario("dialects/camunda_called_throws.bpmn")
            .process(kind)
            .start_with(json!({"log": ""}))
            .instance_of(&format!("called_{kind}"))
            .complete_with(&format!("look_{kind}"), json!({"log": "look "}))
            .variables(json!({"log": "look throw process "}))
            .main_instance()
            .waits_at([&*format!("mend_{kind}")])
            .variables(json!({"log": "look "}));
    }
}

#[test]
fn a_called_process_hands_over_what_it_has_when_it_fails() {
    scenario("dialects/camunda_call_outcome.bpmn")
        .start()
        .instance_of("checking")
        .complete_with("look", json!({"found": 1, "notes": ["?"]}))
        .failed("bad")
        .main_instance()
        .waits_at(["inform"])
        .variables(json!({"result": 1, "score": 11, "count": 1}));
}

#[test]
fn a_called_process_hands_over_what_it_has_when_it_escalates_and_once_more_when_it_ends() {
    scenario("dialects/camunda_call_outcome.bpmn")
        .start()
        .instance_of("checking")
        .complete_with("look", json!({"found": 5, "notes": []}))
        .main_instance()
        .waits_at(["assist", "check"])
        .variables(json!({"result": 5, "score": 15}))
        .instance_of("checking")
        .complete_with("think", json!({"found": 6}))
        .main_instance()
        .variables(json!({"result": 6, "score": 16}));
}

#[test]
fn a_mapping_that_fails_as_the_called_process_fails_is_an_incident() {
    scenario("dialects/camunda_call_outcome.bpmn")
        .start()
        .instance_of("checking")
        .complete_with("look", json!({"found": 1, "notes": null}))
        .failed("bad")
        .main_instance()
        .incident("check", "expression-failed");
}

#[test]
fn what_stands_at_a_call_sees_the_callers_variables() {
    scenario("dialects/camunda_call_caller.bpmn")
        .start_with(json!({"x": 1}))
        .instance_of("helper")
        .complete_with("help", json!({"x": 2, "notes": ["a"]}))
        .main_instance()
        .waits_at(["between"])
        .variables(json!({"x": 100, "result": 2, "count": 3, "seen": 1, "inner": false, "out": 100}))
        .set("x", 1)
        .complete("between")
        .nth_instance_of("helper", 1)
        .complete_with("help", json!({"x": 2}))
        .main_instance()
        .variable("result", 2)
        .waits_at(["each"])
        .nth_instance_of("helper", 2)
        .complete_with("help", json!({"x": 3}))
        .main_instance()
        .waits_at(["after"])
        .variables(json!({"x": 1, "result": 3}));
}

#[test]
fn a_mapping_that_fails_as_the_called_process_completes_is_tried_again_without_another_call() {
    scenario("dialects/camunda_call_caller.bpmn")
        .start_with(json!({"x": 1}))
        .instance_of("helper")
        .complete_with("help", json!({"x": 2}))
        .completed()
        .main_instance()
        .incident("ask", "expression-failed")
        .no_variable("seen")
        .set("notes", json!(["mended"]))
        .resolve("ask")
        .waits_at(["between"])
        .variables(json!({"result": 2, "count": 3}))
        .has_instances("helper", 1);
}

#[test]
fn a_call_hands_over_what_it_says() {
    scenario("dialects/camunda_call.bpmn")
        .business_key("case-1")
        .start_with(json!({"amount": 5, "which": "helper"}))
        .instance_of("helper")
        .variable("amount", 5)
        .has_business_key("case-1")
        .complete_with("help", json!({"answer": 1, "extra": true}))
        .main_instance()
        .variables(json!({"answer": 1, "extra": true}))
        .instance_of("helper")
        .variables(json!({"sum": 5, "twice": 10}))
        .no_variable("amount")
        .no_business_key()
        .complete_with("help", json!({"answer": 2, "more": true}))
        .main_instance()
        .variables(json!({"result": 2, "answer": 1}))
        .no_variable("more")
        .instance_of("helper")
        .no_variable("amount")
        .complete_with("help", json!({"answer": 3}))
        .main_instance()
        .completed()
        .variable("answer", 1);
}

#[test]
fn a_call_chooses_the_version() {
    scenario_of(&[
        "dialects/camunda_call_version.bpmn",
        "dialects/camunda_helper_1.bpmn",
        "dialects/camunda_helper_2.bpmn",
    ])
    .start()
    .complete("first_version")
    .waits_at(["tagged"])
    .complete("first_version")
    .waits_at(["latest"])
    .complete("second_version")
    .completed();
}

#[test]
fn a_process_that_is_not_deployed_cannot_be_called() {
    scenario("dialects/camunda_call_version.bpmn")
        .start()
        .incident("fixed", "called-process-unknown")
        .incident_says("helper");
}

#[test]
fn a_workers_error_gives_its_code_and_message() {
    scenario("dialects/camunda_errors.bpmn")
        .start()
        .error_with("pay", "poor", json!({"balance": 0}))
        .waits_at(["mend"])
        .variables(json!({"code": "poor", "balance": 0}));
}

#[test]
fn a_workers_uncaught_error_ends_its_scope_as_if_it_were_done() {
    scenario("dialects/camunda_errors.bpmn")
        .start()
        .job("pay", json!({}))
        .error("book", "full")
        .waits_at(["after"])
        .no_incident()
        .passed("never", 0);
}

/// As Camunda 7.24 does it.
#[test]
fn what_throws_an_uncaught_error_calls_its_end_listeners() {
    scenario("dialects/camunda_uncaught_error.bpmn")
        .start()
        .error("work", "broken")
        .waits_at(["after"])
        .variable("left", true);
}

#[test]
fn an_error_carries_its_message() {
    scenario("dialects/camunda_error_message.bpmn")
        .start_with(json!({"place": "hall"}))
        .waits_at(["mend"])
        .variables(json!({"code": "broken", "text": "it broke at hall"}));
}

#[test]
fn an_escalation_gives_its_code() {
    scenario("dialects/camunda_escalation.bpmn").start().waits_at(["deep", "hurry"]).variable("code", "late");
}

#[test]
fn conditions_are_expressions() {
    let file = "dialects/camunda_conditions.bpmn";
    scenario(file).start_with(json!({"amount": 200, "customer": {"vip": true}, "name": ""})).waits_at(["a"]);
    scenario(file).start_with(json!({"amount": 50, "customer": {}, "name": "x"})).waits_at(["b"]);
    scenario(file).start_with(json!({"amount": 50, "customer": {}, "name": ""})).waits_at(["c"]);
}

#[test]
fn a_signal_carries_what_its_throw_maps() {
    scenario("dialects/camunda_signal_payload.bpmn")
        .start_with(json!({"place": "hall", "level": 2}))
        .completed()
        .instance_of("brigade")
        .variables(json!({"where": "hall", "severity": 3}))
        .no_variable("place");
}

#[test]
fn a_signal_carries_all_that_its_thrower_sees() {
    scenario("dialects/camunda_signal_all.bpmn")
        .start_with(json!({"place": "cellar", "level": 2}))
        .completed()
        .instance_of("brigade")
        .variables(json!({"place": "cellar", "level": 3}));
}

#[test]
fn an_expression_does_what_a_thrown_message_would() {
    scenario("dialects/camunda_throw_expression.bpmn")
        .start_with(json!({"name": "anna", "amount": 1}))
        .waits_at(["wait"])
        .variable("told", "anna!")
        .variable("next", 2)
        .complete("wait")
        .completed()
        .variable("last", 3);
    scenario("dialects/camunda_throw_expression.bpmn")
        .start_with(json!({"name": "anna"}))
        .incident("count", "expression-failed")
        .incident_says("amount");
}

/// As Camunda 7.24 does it.
#[test]
fn an_event_based_gateway_is_left_when_an_event_has_occurred() {
    scenario("dialects/camunda_gateway_listeners.bpmn")
        .start_with(json!({"log": ""}))
        .message("news", json!({}))
        .waits_at(["after"])
        .variable("log", " gateway+ gateway- news+ news-");
}

#[test]
fn an_end_listener_of_a_gateway_that_fails_is_told_by_the_event() {
    scenario("dialects/camunda_gateway_listeners.bpmn")
        .start_with(json!({"log": ""}))
        .set("log", 5)
        .message("news", json!({}))
        .incident("news", "expression-failed")
        .incident_says("`gateway`")
        .set("log", "")
        .resolve("news")
        .waits_at(["after"])
        .variable("log", " news+ news-");
}

/// As Camunda 7.24 does it.
#[test]
fn what_a_signal_interrupts_with_its_thrower_calls_the_throwers_end_listeners() {
    scenario("dialects/camunda_interrupting_signal.bpmn")
        .start_with(json!({"log": ""}))
        .waits_at(["after"])
        .variable("log", " throw- inside-");
}

/// As Camunda 7.24 does it: a throwing link event is no activity there.
#[test]
fn a_throwing_link_event_calls_no_listeners() {
    scenario("dialects/camunda_link_listeners.bpmn")
        .start_with(json!({"log": ""}))
        .waits_at(["after"])
        .no_variable("put")
        .variable("log", " back+ back-");
}

#[test]
fn timers_are_expressions() {
    scenario("dialects/camunda_timers.bpmn")
        .start_with(json!({"patience": "PT2H", "day": "2026-01-07T09:00:00Z"}))
        .travel("PT2H")
        .waits_at(["until"])
        .travel_to("2026-01-07T09:00:00Z")
        .waits_at(["after"]);
}

#[test]
fn a_script_gives_its_result() {
    scenario("dialects/camunda_script.bpmn").start_with(json!({"a": 2, "b": 3})).variable("sum", 5);
}

/// As Camunda 7.24 does it: an expression without a result empties the variable.
#[test]
fn a_script_without_a_result_leaves_what_its_variable_held() {
    scenario("dialects/camunda_script_without_result.bpmn")
        .start_with(json!({"kept": 5, "emptied": 5}))
        .waits_at(["after"])
        .variables(json!({"kept": 5, "emptied": null}))
        .no_variable("none");
}

/// As Camunda 7.24 does it.
#[test]
fn what_waits_listens_or_maps_has_variables_of_its_own() {
    scenario("dialects/camunda_local.bpmn")
        .process("own")
        .start_with(json!({"v": "outer", "seen": "", "had": ""}))
        .waits_at(["receive"])
        .sees("receive", "v", "receive")
        .variable("v", "outer")
        .message("go", json!({}))
        .waits_at(["catch"])
        .message("go", json!({}))
        .job("external", json!({}))
        .waits_at(["call"])
        .nth_instance_of("helper", 0)
        .complete("help")
        .main_instance()
        .waits_at(["bounded"])
        .sees("bounded", "v", "bounded")
        .complete("bounded")
        .waits_at(["timed"])
        .variables(json!({"out": "scripted twice", "v": "outer"}))
        .complete("timed")
        .message("go", json!({}))
        .waits_at(["after"])
        .variables(json!({
            "v": "outer",
            "seen": "receive catch external call bounded scripted twice timed gateway ",
            "had": "--------",
        }));
}

/// As Camunda 7.24 does it.
#[test]
fn what_is_interrupted_had_variables_of_its_own() {
    let interrupted = scenario("dialects/camunda_local.bpmn")
        .process("own")
        .start_with(json!({"v": "outer", "seen": "", "had": ""}))
        .message("go", json!({}))
        .message("go", json!({}))
        .job("external", json!({}))
        .nth_instance_of("helper", 0)
        .complete("help")
        .main_instance();
    interrupted
        .message("stop", json!({}))
        .waits_at(["after"])
        .variables(json!({"v": "outer", "seen": "receive catch external call bounded "}));
}

/// As Camunda 7.24 does it.
#[test]
fn a_plain_task_has_the_variables_around_it_for_its_own() {
    scenario("dialects/camunda_local.bpmn")
        .process("around")
        .start_with(json!({"v": "outer", "seen": "", "had": ""}))
        .waits_at(["plain"])
        .variable("v", "plain")
        .complete("plain")
        .waits_at(["after_plain"])
        .variables(json!({"v": "plain", "seen": "plain ", "had": "+"}));
}

/// As Camunda 7.24 does it.
#[test]
fn what_a_task_listener_sets_locally_is_the_tasks() {
    let listened = || scenario("dialects/camunda_local.bpmn").process("of_tasks").start_with(json!({"v": "outer"}));
    listened()
        .sees("listened", "v", "mine")
        .complete("listened")
        .waits_at(["deleted"])
        .variables(json!({"v": "outer", "seen": "mine"}))
        .message("stop", json!({}))
        .waits_at(["last"])
        .variable("v", "outer");
    listened().message("stop", json!({})).waits_at(["last"]).variable("v", "outer");
    listened().cancel().cancelled().variable("v", "outer");
}

/// There a branch has variables of its own until it joins.
#[test]
fn what_a_branch_sets_locally_is_warned_of() {
    let text = include_str!("../../models/dialects/camunda_local_in_branch.bpmn");
    let package = Package::from_bpmn(text.as_bytes(), &Evaluator::new()).expect("a model that is deployed");
    let found: Vec<_> = package.warnings.iter().map(|warning| (warning.line, warning.code)).collect();
    let marked = text.lines().zip(1..).filter(|(line, _)| line.contains("expect: local-variable-shared"));
    assert_eq!(found, marked.map(|(_, number)| (number, "local-variable-shared")).collect::<Vec<_>>());
    let elements: Vec<_> = package.warnings.iter().filter_map(|warning| warning.element.as_deref()).collect();
    assert_eq!(elements, ["scripted", "listened", "beside", "inner_join"]);
}

/// Camunda 7 skips them; a handler is an activity as any other (BPMN 2.0.2 §10.7, §13.5.5).
#[test]
fn a_compensation_handler_does_its_output_mappings() {
    scenario("dialects/camunda_compensation_output.bpmn")
        .start()
        .complete("book")
        .waits_at(["after"])
        .variables(json!({"fee": 102, "owed": 103}));
}

#[test]
fn a_messages_name_is_an_expression() {
    scenario("dialects/camunda_message_names.bpmn")
        .start_with(json!({"number": 1}))
        .start_with(json!({"number": 2}))
        .message("answer-2", json!({}))
        .waits_at(["wait"])
        .nth_instance_of("camunda_message_names", 1)
        .waits_at(["after"]);
}

#[test]
fn an_error_of_one_instance_ends_them_all() {
    scenario("dialects/camunda_boundary_and_multi_instance.bpmn")
        .start_with(json!({"cards": ["a", "b", "c"]}))
        .job("pay", json!({}))
        .error("pay", "poor")
        .waits_at(["mend"])
        .complete("mend")
        .completed();
    // Nothing catches this one, so it counts as done.
    scenario("dialects/camunda_boundary_and_multi_instance.bpmn")
        .start_with(json!({"cards": ["a", "b"]}))
        .error("pay", "other")
        .waits_at(["pay"])
        .job("pay", json!({}))
        .completed();
}

#[test]
fn its_forks_use_their_own_namespace() {
    scenario("dialects/operaton.bpmn").start_with(json!({"boss": "maria"})).assignee("work", "maria");
}

#[test]
fn what_is_declared_without_a_code_catches_everything() {
    let model = "dialects/camunda_without_code.bpmn";
    scenario(model).start().error("pay", "poor").waits_at(["mend"]);
    scenario(model).start().job("pay", json!({})).waits_at(["after", "hurry"]);
}

#[test]
fn a_call_of_a_bean_becomes_a_job() {
    scenario("dialects/camunda_bean.bpmn")
        .start()
        .job_is("call", |job| assert_eq!((&*job.kind, job.retries), ("java:payments.book", 5)))
        .job("call", json!({}))
        .completed();
}

#[test]
fn what_the_engine_gives_to_expressions_is_asked_and_no_job() {
    let asking = |expression: &str| {
        format!(
            r#"<process id="p" isExecutable="true">
              <startEvent id="start"/>
              <serviceTask id="ask" camunda:expression="{expression}" camunda:resultVariable="answer"/>
              <sequenceFlow id="f1" sourceRef="start" targetRef="ask"/>
            </process>"#
        )
    };
    for (expression, answer) in [
        ("${execution.hasVariables()}", json!(true)),
        ("${execution.variableNames.size()}", json!(1)),
        ("${name.matches('a.*')}", json!(true)),
    ] {
        model(&asking(expression)).start_with(json!({"name": "anna"})).completed().variable("answer", answer);
    }
    for expression in ["${execution.isCanceled()}", "${task.setName('x')}"] {
        let file = format!(
            r#"<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL"
              xmlns:camunda="http://camunda.org/schema/1.0/bpmn">{}</definitions>"#,
            asking(expression)
        );
        let problems = Package::from_bpmn(file.as_bytes(), &Evaluator::new()).expect_err(expression);
        assert!(problems.iter().any(|problem| problem.code == "expression-invalid"), "{expression}: {problems:?}");
    }
}

#[test]
fn output_mappings_come_after_the_end_listeners() {
    scenario("dialects/camunda_interrupted.bpmn")
        .start_with(json!({"left": ""}))
        .complete("pack")
        .waits_at(["send"])
        .variables(json!({"ordered": "1 of 2: pack order", "packed": "2", "left": " pack order"}))
        .job("send", json!({}))
        .incident("send", "expression-failed")
        .set("number", 5)
        .resolve("send")
        .completed()
        .variables(json!({"parcel": 5, "left": " pack order send"}));
}

#[test]
fn what_a_boundary_event_ends_still_does_its_outputs_and_end_listeners() {
    scenario("dialects/camunda_interrupted.bpmn")
        .start_with(json!({"left": ""}))
        .message("stop", json!({}))
        .waits_at(["send"])
        .variables(json!({"ordered": "1 of 2: pack order", "packed": "2", "left": " pack order"}))
        .error_with("send", "broken", json!({"number": 5}))
        .waits_at(["call", "call"])
        .variable("parcel", 5)
        .variable("left", " pack order send");
}

#[test]
fn what_an_event_sub_process_ends_still_does_its_outputs_and_end_listeners() {
    scenario("dialects/camunda_interrupted.bpmn")
        .start_with(json!({"left": ""}))
        .message("recall", json!({}))
        .waits_at(["excuse"])
        .variables(json!({"ordered": "1 of 2: pack order", "packed": "2", "left": " pack order"}));
    scenario("dialects/camunda_interrupted.bpmn")
        .start_with(json!({"left": "", "number": 1}))
        .complete("pack")
        .error("send", "broken")
        .complete("call")
        .variable("left", " pack order send call")
        .message("recall", json!({}))
        .waits_at(["excuse"])
        .variable("left", " pack order send call call");
}

#[test]
fn an_output_that_fails_on_the_way_out_is_told_by_what_interrupts() {
    scenario("dialects/camunda_interrupted.bpmn")
        .start_with(json!({"left": ""}))
        .complete("pack")
        .message("stop", json!({}))
        .incident("send_stopped", "expression-failed")
        .incident_says("`send` was interrupted")
        .set("parcel", 7)
        .resolve("send_stopped")
        .no_incident()
        .waits_at(["call", "call"])
        .passed("send_stopped", 1);
}

/// Camunda 7.24: conditions are asked when a variable is set, before the activity that sets it is complete.
#[test]
fn a_condition_sees_what_an_activity_sets_before_it_completes() {
    for process in ["script", "service", "receive", "call"] {
        let scenario =
            scenario("dialects/camunda_conditions_at_once.bpmn").process(process).start_with(json!({"x": 1}));
        let scenario = match process {
            "receive" => scenario.message("changed", json!({"x": 5})),
            _ => scenario,
        };
        scenario.waits_at([&*format!("otherwise_{process}")]);
    }
    scenario("dialects/camunda_conditions_at_once.bpmn")
        .process("event_sub_process")
        .start_with(json!({"x": 1}))
        .waits_at(["handle"])
        .no_variable("done");
}

/// A process in this dialect.
fn camunda(content: &str) -> potok_tests::Scenario {
    model(&format!(r#"<process id="p" isExecutable="true" camunda:historyTimeToLive="P1D">{content}</process>"#))
}

/// Camunda 7.24 refuses both.
#[test]
fn a_condition_that_is_neither_true_nor_false_is_an_incident() {
    for value in [json!(null), json!("true")] {
        camunda(
            r#"<startEvent id="start"/><exclusiveGateway id="choose" default="otherwise"/><userTask id="a"/><userTask id="b"/>
            <sequenceFlow id="f1" sourceRef="start" targetRef="choose"/>
            <sequenceFlow id="f2" sourceRef="choose" targetRef="a"><conditionExpression>${yes}</conditionExpression></sequenceFlow>
            <sequenceFlow id="otherwise" sourceRef="choose" targetRef="b"/>"#,
        )
        .start_with(json!({"yes": value}))
        .incident("choose", "expression-failed")
        .set("yes", true)
        .resolve("choose")
        .waits_at(["a"]);
    }
}

/// As Camunda 7.24 does it.
#[test]
fn a_branch_goes_on_to_its_next_wait_before_the_next_one_begins() {
    camunda(
        r#"<startEvent id="start"/><parallelGateway id="fork"/>
        <scriptTask id="one" scriptFormat="feel" camunda:resultVariable="x"><script>1</script></scriptTask>
        <scriptTask id="two" scriptFormat="feel" camunda:resultVariable="x"><script>2</script></scriptTask>
        <scriptTask id="look" scriptFormat="feel" camunda:resultVariable="y"><script>x</script></scriptTask>
        <userTask id="wait"/>
        <sequenceFlow id="f1" sourceRef="start" targetRef="fork"/><sequenceFlow id="f2" sourceRef="fork" targetRef="one"/>
        <sequenceFlow id="f3" sourceRef="one" targetRef="two"/><sequenceFlow id="f4" sourceRef="two" targetRef="wait"/>
        <sequenceFlow id="f5" sourceRef="fork" targetRef="look"/>"#,
    )
    .start()
    .waits_at(["wait"])
    .variables(json!({"x": 2, "y": 2}));
}

/// Camunda 7.24 calls them once for each token that has come.
#[test]
fn a_join_calls_its_end_listeners_for_each_token() {
    camunda(
        r#"<startEvent id="start"/><parallelGateway id="fork"/><userTask id="a"/><userTask id="b"/><userTask id="after"/>
        <parallelGateway id="join"><extensionElements>
        <camunda:executionListener event="end" expression="${execution.setVariable('log', log.concat('left '))}"/>
        </extensionElements></parallelGateway>
        <sequenceFlow id="f1" sourceRef="start" targetRef="fork"/><sequenceFlow id="f2" sourceRef="fork" targetRef="a"/>
        <sequenceFlow id="f3" sourceRef="fork" targetRef="b"/><sequenceFlow id="f4" sourceRef="a" targetRef="join"/>
        <sequenceFlow id="f5" sourceRef="b" targetRef="join"/><sequenceFlow id="f6" sourceRef="join" targetRef="after"/>"#,
    )
    .start_with(json!({"log": ""}))
    .complete("b")
    .variable("log", "")
    .complete("a")
    .waits_at(["after"])
    .variable("log", "left left ");
}

#[test]
fn scripts_and_called_processes_know_the_counters_of_loops() {
    camunda(
        r#"<startEvent id="start"/>
        <scriptTask id="count" scriptFormat="javascript" camunda:resultVariable="sum">
          <multiInstanceLoopCharacteristics isSequential="true"><loopCardinality>2</loopCardinality></multiInstanceLoopCharacteristics>
          <script>execution.getVariable("loop" + "Counter") + nrOfInstances</script></scriptTask>
        <callActivity id="call" calledElement="q"><extensionElements><camunda:in variables="all"/></extensionElements>
          <multiInstanceLoopCharacteristics><loopCardinality>2</loopCardinality></multiInstanceLoopCharacteristics></callActivity>
        <sequenceFlow id="f1" sourceRef="start" targetRef="count"/><sequenceFlow id="f2" sourceRef="count" targetRef="call"/></process>
        <process id="q" isExecutable="true" camunda:historyTimeToLive="P1D"><startEvent id="asked"/><userTask id="work"/>
        <sequenceFlow id="f3" sourceRef="asked" targetRef="work"/>"#,
    )
    .start()
    .variables(json!({"sum": 3}))
    .nth_instance_of("q", 1)
    .variables(json!({"sum": 3, "loopCounter": 1, "nrOfInstances": 2, "nrOfActiveInstances": 2, "nrOfCompletedInstances": 0}));
}

#[test]
fn counters_of_a_loop_do_not_come_back_from_what_it_calls() {
    camunda(
        r#"<startEvent id="start"/><callActivity id="call" calledElement="q"><extensionElements>
        <camunda:in variables="all"/><camunda:out variables="all"/></extensionElements>
        <multiInstanceLoopCharacteristics isSequential="true"><loopCardinality>2</loopCardinality>
        </multiInstanceLoopCharacteristics></callActivity><userTask id="after"/>
        <sequenceFlow id="f1" sourceRef="start" targetRef="call"/><sequenceFlow id="f2" sourceRef="call" targetRef="after"/></process>
        <process id="q" isExecutable="true" camunda:historyTimeToLive="P1D"><startEvent id="asked"/>
        <scriptTask id="work" scriptFormat="feel" camunda:resultVariable="seen"><script>loopCounter</script></scriptTask>
        <sequenceFlow id="f3" sourceRef="asked" targetRef="work"/>"#,
    )
    .start()
    .waits_at(["after"])
    .variable("seen", 1)
    .no_variable("loopCounter")
    .no_variable("nrOfInstances")
    .no_variable("nrOfActiveInstances")
    .no_variable("nrOfCompletedInstances");
}

#[test]
fn what_an_event_beside_an_activity_brings_is_the_activitys_own_variable() {
    camunda(
        r#"<startEvent id="start"/><userTask id="work"><extensionElements><camunda:inputOutput>
        <camunda:inputParameter name="a">${a}</camunda:inputParameter>
        <camunda:outputParameter name="c">${a + 1}</camunda:outputParameter></camunda:inputOutput></extensionElements></userTask>
        <boundaryEvent id="news" attachedToRef="work" cancelActivity="false"><messageEventDefinition messageRef="m"/></boundaryEvent>
        <userTask id="read"/><userTask id="after"/><sequenceFlow id="f1" sourceRef="start" targetRef="work"/>
        <sequenceFlow id="f2" sourceRef="work" targetRef="after"/><sequenceFlow id="f3" sourceRef="news" targetRef="read"/></process>
        <message id="m" name="news"/><process id="other" isExecutable="false">"#,
    )
    .start_with(json!({"a": 1}))
    .message("news", json!({"a": 9}))
    .waits_at(["read", "work"])
    .variable("a", 1)
    .complete("work")
    .variables(json!({"a": 1, "c": 10}));
}

#[test]
fn what_is_thrown_where_a_task_is_left_is_not_caught_at_its_boundary() {
    camunda(
        r#"<startEvent id="start"/><userTask id="work"/><userTask id="after"/><userTask id="mend"/>
        <boundaryEvent id="caught" attachedToRef="work"><errorEventDefinition/></boundaryEvent>
        <sequenceFlow id="f1" sourceRef="start" targetRef="work"/>
        <sequenceFlow id="f2" sourceRef="work" targetRef="after">
          <conditionExpression language="javascript">if (bad) throw new BpmnError("bad"); true</conditionExpression></sequenceFlow>
        <sequenceFlow id="f3" sourceRef="caught" targetRef="mend"/>"#,
    )
    .start()
    .complete_with("work", json!({"bad": true}))
    .incident("work", "error-uncaught")
    .set("bad", false)
    .resolve("work")
    .waits_at(["after"]);
}

/// As 7.24: the service task is at its work when its own condition interrupts it.
#[test]
fn what_its_own_work_interrupts_calls_its_end_listeners_and_does_its_outputs() {
    camunda(
        r#"<startEvent id="start"/><userTask id="after"/><userTask id="interrupted"/>
        <serviceTask id="work" camunda:expression="${execution.setVariable('y', 2)}"><extensionElements>
          <camunda:executionListener event="end" expression="${execution.setVariable('ended', true)}"/>
          <camunda:inputOutput><camunda:outputParameter name="out">${y}</camunda:outputParameter></camunda:inputOutput>
        </extensionElements></serviceTask>
        <boundaryEvent id="changed" attachedToRef="work"><conditionalEventDefinition><condition>${y == 2}</condition></conditionalEventDefinition></boundaryEvent>
        <sequenceFlow id="f1" sourceRef="start" targetRef="work"/>
        <sequenceFlow id="f2" sourceRef="work" targetRef="after"/>
        <sequenceFlow id="f3" sourceRef="changed" targetRef="interrupted"/>"#,
    )
    .start_with(json!({"y": 1}))
    .waits_at(["interrupted"])
    .variables(json!({"y": 2, "ended": true, "out": 2}));
}

/// As 7.24: of rounds that follow one another one counts as active also when it has just ended.
#[test]
fn of_rounds_one_after_the_other_one_is_active() {
    camunda(
        r#"<startEvent id="start"/><userTask id="after"/>
        <userTask id="work"><multiInstanceLoopCharacteristics isSequential="true"><loopCardinality>3</loopCardinality>
          <completionCondition>${nrOfActiveInstances == 1}</completionCondition></multiInstanceLoopCharacteristics></userTask>
        <sequenceFlow id="f1" sourceRef="start" targetRef="work"/>
        <sequenceFlow id="f2" sourceRef="work" targetRef="after"/>"#,
    )
    .start()
    .complete("work")
    .waits_at(["after"]);
}
