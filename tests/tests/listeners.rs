//! Listeners: what is called at an element's stages.

use potok_tests::scenario;
use serde_json::json;

#[test]
fn listeners_are_jobs_before_and_after_the_work() {
    scenario("listeners/zeebe.bpmn")
        .start()
        .job_is("ship", |job| assert_eq!(&*job.kind, "reserve"))
        .job("ship", json!({"reserved": 1}))
        .job_is("ship", |job| assert_eq!(&*job.kind, "log"))
        .job("ship", json!({}))
        .job_is("ship", |job| assert_eq!(&*job.kind, "ship"))
        .job("ship", json!({}))
        .job_is("ship", |job| assert_eq!((&*job.kind, job.retries), ("bill", 1)))
        .job("ship", json!({}))
        .completed()
        .variable("reserved", 1)
        .trace("start ship end");
}

#[test]
fn listener_that_fails_is_an_incident_and_is_called_again() {
    scenario("listeners/zeebe.bpmn")
        .start()
        .job("ship", json!({}))
        .job("ship", json!({}))
        .job("ship", json!({}))
        .fail_job("ship", "no ink")
        .incident("ship", "job-failed")
        .resolve("ship")
        .job_is("ship", |job| assert_eq!(&*job.kind, "bill"))
        .job("ship", json!({}))
        .completed();
}

#[test]
fn task_listeners_are_called_before_the_task_stands_and_before_it_is_done() {
    scenario("listeners/task.bpmn")
        .start()
        .job_is("approve", |job| assert_eq!(&*job.kind, "notify"))
        .job("approve", json!({}))
        .complete_with("approve", json!({"approved": true}))
        .job_is("approve", |job| assert_eq!(&*job.kind, "archive"))
        .variable("approved", true)
        .job("approve", json!({}))
        .completed();
}

#[test]
fn listeners_of_a_sub_process_frame_it() {
    scenario("listeners/sub_process.bpmn")
        .start()
        .job_is("work", |job| assert_eq!(&*job.kind, "open"))
        .passed("do", 0)
        .job("work", json!({}))
        .passed("do", 1)
        .job_is("work", |job| assert_eq!(&*job.kind, "close"))
        .job("work", json!({}))
        .completed();
}

#[test]
fn listeners_of_camunda_run_in_their_order() {
    scenario("listeners/camunda.bpmn")
        .start()
        .variables(json!({"taken": true, "log": "start create assignment"}))
        .complete("approve")
        .completed()
        .variable("log", "start create assignment complete end");
}

#[test]
fn delete_listeners_run_when_the_task_is_interrupted() {
    scenario("listeners/camunda.bpmn")
        .start()
        .travel("PT1H")
        .completed()
        // In the order of Camunda 7.24: what is interrupted calls its end listeners, then its task is gone.
        .variable("log", "start create assignment end delete");
}

#[test]
fn end_listener_of_the_process_that_fails_holds_its_end() {
    scenario("listeners/process_end.bpmn")
        .start_with(json!({"log": "began"}))
        .active()
        .incident("end", "expression-failed")
        .resolve("end")
        .incident("end", "expression-failed")
        .set("suffix", " second")
        .resolve("end")
        .completed()
        .variable("log", "began first second last");
}

#[test]
fn listeners_that_have_run_are_not_called_again_when_the_next_one_fails() {
    scenario("listeners/fails.bpmn")
        .start()
        .incident("work", "expression-failed")
        .set("first", " 1")
        .resolve("work")
        .complete("work")
        .incident("work", "expression-failed")
        .set("second", " 2")
        .resolve("work")
        .incident("work", "expression-failed")
        .set("third", " 3")
        .resolve("work")
        .completed()
        .variable("log", "start 1 complete 2 end 3");
}

#[test]
fn activity_with_a_listener_that_failed_still_has_its_boundary_events() {
    scenario("listeners/fails.bpmn")
        .start()
        .set("first", " 1")
        .resolve("work")
        .complete("work")
        .incident("work", "expression-failed")
        .travel("PT1H")
        .no_incident()
        .completed()
        .trace("start work late too_late");
}

#[test]
fn loop_that_cannot_tell_whether_it_goes_on_does_not_call_its_end_listeners_again() {
    scenario("listeners/loop.bpmn")
        .start_with(json!({"tries": 0}))
        .complete("try")
        .incident("try", "expression-failed")
        .resolve("try")
        .set("again", true)
        .resolve("try")
        .complete_with("try", json!({"again": false}))
        .completed()
        .variable("tries", 2);
}

#[test]
fn start_listeners_of_a_receive_task_that_starts_the_process() {
    scenario("listeners/instantiating.bpmn")
        .message("order", json!({}))
        .job_is("take", |job| assert_eq!(&*job.kind, "greet"))
        .fail_job_with_retries("take", "nobody there", 0)
        .incident("take", "job-failed")
        .resolve("take")
        .job("take", json!({}))
        .job_is("take", |job| assert_eq!(&*job.kind, "thank"))
        .job("take", json!({}))
        .waits_at(["work"])
        .message_with_key("alarm", "house", json!({}))
        .job_is("alarmed", |job| assert_eq!(&*job.kind, "ring"))
        .job("alarmed", json!({}))
        .waits_at(["work"])
        .passed("rung", 1);
}

#[test]
fn start_listeners_of_events_after_a_gateway_that_starts_the_process() {
    scenario("listeners/instantiating.bpmn")
        .message("call", json!({}))
        .job_is("called", |job| assert_eq!(&*job.kind, "greet"))
        .job_is("written", |job| assert_eq!(&*job.kind, "open"))
        .job("written", json!({}))
        .job("called", json!({}))
        .waits_at(["work", "written"])
        .message("letter", json!({}))
        .waits_at(["work", "work"]);
}

#[test]
fn a_receive_task_that_is_begun_by_hand_waits_for_its_message() {
    scenario("listeners/instantiating.bpmn")
        .start_at(["take"])
        .job_is("take", |job| assert_eq!(&*job.kind, "greet"))
        .job("take", json!({}))
        .waits_at(["take"])
        .message("order", json!({}))
        .job_is("take", |job| assert_eq!(&*job.kind, "thank"));
}

#[test]
fn a_script_of_a_task_listener_asks_the_task() {
    scenario("listeners/task_script.bpmn")
        .start_with(json!({"who": "anna"}))
        .variable("told", "anna Approve anna")
        .variable("asked", "anna")
        .assignee("approve", "anna");
}

#[test]
fn listeners_of_a_task_are_told_its_name_as_people_see_it() {
    scenario("listeners/task_name.bpmn")
        .start_with(json!({"number": 3}))
        .variable("drawn", "Check ${number}")
        .variable("created", "Check 3")
        .set("number", json!(4))
        .complete("check")
        .completed()
        .variable("completed", "Check 3, Check 3");
    scenario("listeners/task_name.bpmn")
        .start_with(json!({"number": 3}))
        .set("number", json!(4))
        .travel("P1D")
        .completed()
        .variable("deleted", "Check 3");
}

#[test]
fn listeners_follow_who_has_a_task() {
    scenario("listeners/task_followed.bpmn")
        .start_with(json!({"who": null, "log": ""}))
        .variable("log", " create:-")
        .assign("approve", "bob")
        .variable("log", " create:- update:bob assignment:bob")
        .set("log", json!(""))
        .set_locally("approve", json!({"draft": 1}))
        .variable("log", " update:bob")
        .set("log", json!(""))
        .unassign("approve")
        .variable("log", " update:- assignment:-")
        .assign("approve", "eve")
        .set("log", json!(""))
        .complete("approve")
        .completed()
        .variable("log", " complete:eve");
}

#[test]
fn a_task_that_the_model_assigns_is_announced_so() {
    scenario("listeners/task_followed.bpmn")
        .start_with(json!({"who": "anna", "log": ""}))
        .variable("log", " create:anna assignment:anna")
        .complete("approve")
        .variable("log", " create:anna assignment:anna complete:anna");
}

#[test]
fn listeners_on_timeout_are_called_while_the_task_stands() {
    scenario("listeners/task_followed.bpmn")
        .start_with(json!({"who": "anna", "log": ""}))
        .set("log", json!(""))
        .travel("PT6M")
        .waits_at(["approve"])
        .variable("log", " reminded:anna")
        .assign("approve", "bob")
        .set("log", json!(""))
        .travel("PT1H")
        .variable("log", " again:bob")
        .travel("PT1H")
        .variable("log", " again:bob again:bob")
        .travel("PT3H")
        .variable("log", " again:bob again:bob")
        .travel("P1D")
        .completed()
        .variable("log", " again:bob again:bob delete:bob");
}

#[test]
fn a_task_that_is_done_is_not_reminded_of() {
    scenario("listeners/task_followed.bpmn")
        .start_with(json!({"who": "anna", "log": ""}))
        .set("log", json!(""))
        .complete("approve")
        .completed()
        .travel("P2D")
        .variable("log", " complete:anna");
}

#[test]
fn workers_follow_a_task_without_keeping_it() {
    scenario("listeners/task_followed_by_workers.bpmn")
        .start()
        .assign("approve", "bob")
        .travel("PT5M")
        .waits_at(["approve"])
        .job_is("approve", |job| assert_eq!(&*job.kind, "java:org.example.Audit"))
        .fail_job_with_retries("approve", "no connection", 0)
        .incident("approve", "job-failed")
        .job("approve", json!({"audited": true}))
        .variable("audited", true)
        .job_is("approve", |job| assert_eq!(&*job.kind, "java:org.example.Mail"))
        .complete("approve")
        .completed();
}

#[test]
fn a_listener_that_fails_while_the_task_stands_is_called_again() {
    scenario("listeners/task_followed_fails.bpmn")
        .start()
        .assign("approve", "bob")
        .incident("approve", "expression-failed")
        .set("missing", json!(1))
        .resolve("approve")
        .variable("count", 2)
        .waits_at(["approve"])
        .complete("approve")
        .completed();
}

#[test]
fn a_listener_that_throws_an_error_ends_the_task() {
    scenario("listeners/task_followed_fails.bpmn")
        .start_with(json!({"missing": 1}))
        .assign("approve", "eve")
        .waits_at(["ask_again"])
        .complete("ask_again")
        .completed();
}

#[test]
fn listeners_of_an_event_sub_process_frame_it() {
    scenario("listeners/event_sub_process.bpmn")
        .start_with(json!({"reason": "alarm"}))
        .signal("call")
        .variable("begun", "alarm")
        .waits_at(["answer_it", "work"])
        .complete_with("answer_it", json!({"answer": "yes"}))
        .variable("ended", "yes")
        .waits_at(["work"])
        .complete("work")
        .completed();
}

#[test]
fn listeners_of_an_event_sub_process_that_fail_are_called_again() {
    scenario("listeners/event_sub_process.bpmn")
        .start()
        .signal("call")
        .incident("beside", "expression-failed")
        .set("reason", "alarm")
        .resolve("beside")
        .variable("begun", "alarm")
        .complete("answer_it")
        .incident("beside", "expression-failed")
        .set("answer", "no")
        .resolve("beside")
        .variable("ended", "no")
        .complete("work")
        .completed();
}
