//! Models of Camunda 8.

use potok_tests::{model, scenario};
use serde_json::json;

#[test]
fn tasks_have_types_headers_mappings_and_people() {
    scenario("dialects/zeebe_tasks.bpmn")
        .start_with(json!({"method": "card", "boss": "maria", "order": {"total": 40}}))
        .job_is("pay", |job| {
            assert_eq!(&*job.kind, "pay-card");
            assert_eq!(job.retries, 5);
            assert_eq!(job.headers, [("url".into(), "http://bank.example".into())]);
        })
        .sees("pay", "amount", 40)
        .job("pay", json!({"receipt": {"number": 7}}))
        .variable("order", json!({"total": 40, "receipt": 7}))
        .no_variable("receipt")
        .assignee("check", "maria")
        .groups("check", ["sales", "board"])
        .task("check", |task| {
            assert_eq!(task.due.map(|due| due.to_string()).as_deref(), Some("2026-01-05T11:00:00Z"));
            assert_eq!(task.priority, Some(70));
        })
        .complete("check")
        .variable("more", 41)
        .waits_at(["old_style"])
        .complete("old_style")
        .completed();
}

#[test]
fn a_loop_collects_its_results_in_the_items_order() {
    scenario("dialects/zeebe_multi_instance.bpmn")
        .start_with(json!({"numbers": [2, 3]}))
        .waits_at(["square", "square"])
        .nth_sees("square", 1, "number", 3)
        .nth_sees("square", 1, "loopCounter", 2)
        .job_nth("square", 1, json!({"result": 9}))
        .job("square", json!({"result": 4}))
        .waits_at(["look"])
        .variable("squares", json!([4, 9]))
        .no_variable("result");
}

#[test]
fn a_call_propagates_what_it_says() {
    scenario("dialects/zeebe_call.bpmn")
        .start_with(json!({"amount": 5, "which": "helper"}))
        .instance_of("helper")
        .variable("amount", 5)
        .complete_with("help", json!({"answer": 1}))
        .main_instance()
        .variable("answer", 1)
        .instance_of("helper")
        .variable("sum", 5)
        .no_variable("amount")
        .complete_with("help", json!({"answer": 2, "more": true}))
        .main_instance()
        .completed()
        .variables(json!({"result": 2, "answer": 1}))
        .no_variable("more");
}

#[test]
fn listeners_are_jobs_around_the_work() {
    scenario("dialects/zeebe_listeners.bpmn")
        .start()
        .job_is("pay", |job| assert_eq!(&*job.kind, "before"))
        .job("pay", json!({}))
        .job_is("pay", |job| assert_eq!(&*job.kind, "pay"))
        .job("pay", json!({"paid": true}))
        .job_is("pay", |job| assert_eq!(&*job.kind, "after"))
        .job("pay", json!({}))
        .completed()
        .variable("paid", true);
}

#[test]
fn the_condition_of_a_loop_sees_what_its_rounds_have_given_so_far() {
    scenario("dialects/zeebe_results_so_far.bpmn")
        .start_with(json!({"items": [1, 2, 3]}))
        .job("work", json!({"found": "a"}))
        .no_variable("results")
        .job("work", json!({}))
        .job("work", json!({"found": "c"}))
        .waits_at(["after"])
        .variable("results", json!(["a", null, "c"]));
    scenario("dialects/zeebe_results_so_far.bpmn")
        .start_with(json!({"items": [1, 2, 3]}))
        .job("work", json!({"found": "a"}))
        .job("work", json!({"found": "b"}))
        .waits_at(["after"])
        .variable("results", json!(["a", "b", null]));
}

#[test]
fn listeners_of_an_event_sub_process_are_jobs_around_what_happens_in_it() {
    scenario("dialects/zeebe_event_sub_process_listeners.bpmn")
        .start()
        .message_with_key("order", 1, json!({"size": 2}))
        .passed("answer", 0)
        .job_is("beside", |job| assert_eq!(&*job.kind, "before"))
        .sees("beside", "size", 2)
        .fail_job_with_retries("beside", "not now", 0)
        .incident("beside", "job-failed")
        .resolve("beside")
        .job("beside", json!({"seen": true}))
        .waits_at(["answer", "work"])
        .variables(json!({"size": 2, "seen": true}))
        .complete("answer")
        .job_is("beside", |job| assert_eq!(&*job.kind, "after"))
        .job("beside", json!({}))
        .waits_at(["work"])
        .complete("work")
        .completed();
}

#[test]
fn a_process_ends_whose_event_sub_process_waits_for_its_start_listener() {
    scenario("dialects/zeebe_event_sub_process_listeners.bpmn")
        .start()
        .message_with_key("order", 1, json!({}))
        .complete("work")
        .active()
        .job("beside", json!({}))
        .complete("answer")
        .job("beside", json!({}))
        .completed();
}

#[test]
fn task_listeners_are_jobs_around_the_task() {
    scenario("dialects/zeebe_task_listeners.bpmn")
        .start()
        .job_is("work", |job| assert_eq!(&*job.kind, "created"))
        .job("work", json!({}))
        .complete_with("work", json!({"done": true}))
        .job_is("work", |job| assert_eq!(&*job.kind, "completed"))
        .active()
        .job("work", json!({}))
        .completed()
        .variable("done", true);
}

#[test]
fn a_workers_listener_on_assigning_or_updating_follows_the_change() {
    scenario("dialects/zeebe_task_changes.bpmn")
        .start()
        .has_waits("work", "job", 0)
        .assign("work", "anna")
        .assignee("work", "anna")
        .has_waits("work", "job", 2)
        .job_is("work", |job| assert_eq!(&*job.kind, "updated"))
        .job("work", json!({"updated": true}))
        .job_is("work", |job| assert_eq!(&*job.kind, "assigned"))
        .job("work", json!({"assigned": true}))
        .waits_at(["work"])
        .assignee("work", "anna")
        .variables(json!({"updated": true, "assigned": true}))
        .set_locally("work", json!({"note": "urgent"}))
        .job_is("work", |job| assert_eq!(&*job.kind, "updated"))
        .sees("work", "note", "urgent")
        // It cannot refuse what has been done: a job that fails is an incident, and the task goes on.
        .fail_job_with_retries("work", "not now", 0)
        .incident("work", "job-failed")
        .unassign("work")
        .has_waits("work", "job", 3)
        .complete("work")
        .completed();
}

#[test]
fn events_have_keys_mappings_and_jobs() {
    let file = "dialects/zeebe_events.bpmn";
    scenario(file)
        .start_with(json!({"order": 1}))
        .message_with_key("stop", 2, json!({}))
        .waits_at(["work"])
        .message_with_key("stop", 1, json!({}))
        .completed();
    scenario(file)
        .start_with(json!({"order": 1}))
        .error_with("work", "broken", json!({"reason": "rust", "more": 1}))
        .waits_at(["mend"])
        .variable("why", "rust")
        .no_variable("more");
    scenario(file)
        .start_with(json!({"order": 1}))
        .job("work", json!({}))
        .job_is("tell", |job| assert_eq!(&*job.kind, "tell"))
        .job("tell", json!({}))
        .completed();
}

#[test]
fn a_receive_task_correlates_by_its_key() {
    scenario("dialects/zeebe_correlation.bpmn")
        .start_with(json!({"order": 1}))
        .message_with_key("payment", 2, json!({}))
        .waits_at(["paid"])
        .message_with_key("payment", 1, json!({"amount": 10}))
        .completed()
        .variable("amount", 10);
}

#[test]
fn a_workers_uncaught_error_is_an_incident() {
    scenario("dialects/zeebe_uncaught_error.bpmn")
        .start()
        .error("pay", "poor")
        .incident("pay", "error-uncaught")
        .incident_says("poor")
        .resolve("pay")
        .job("pay", json!({}))
        .completed();
}

/// Its clients send texts only.
#[test]
fn a_key_that_is_a_number_is_met_by_its_text() {
    for (number, text) in [(json!(7), "7"), (json!(7.0), "7"), (json!(7.5), "7.5")] {
        scenario("dialects/zeebe_correlation.bpmn")
            .start_with(json!({"order": number}))
            .message_with_key("payment", "8", json!({}))
            .waits_at(["paid"])
            .message_with_key("payment", text, json!({}))
            .completed();
    }
}

/// An empty name would reach nobody.
#[test]
fn a_computed_name_that_is_none_is_an_incident() {
    for work in [
        r#"<serviceTask id="work"><extensionElements><zeebe:taskDefinition type="=missing"/></extensionElements></serviceTask>"#,
        r#"<serviceTask id="work"><extensionElements><zeebe:taskDefinition type="a" retries="=missing"/></extensionElements></serviceTask>"#,
        r#"<receiveTask id="work" messageRef="message"><extensionElements><zeebe:x/></extensionElements></receiveTask>"#,
        r#"<intermediateThrowEvent id="work"><signalEventDefinition signalRef="signal"/></intermediateThrowEvent>"#,
        r#"<intermediateThrowEvent id="work"><escalationEventDefinition escalationRef="escalation"/></intermediateThrowEvent>"#,
    ] {
        model(&format!(
            r#"<message id="message" name="=missing"><extensionElements><zeebe:subscription correlationKey="=1"/></extensionElements></message>
            <signal id="signal" name="=missing"/><escalation id="escalation" escalationCode="=missing"/>
            <process id="p" isExecutable="true"><startEvent id="start"/>{work}
            <sequenceFlow id="f1" sourceRef="start" targetRef="work"/></process>"#
        ))
        .start()
        .incident("work", "expression-failed");
    }
}
