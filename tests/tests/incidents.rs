//! Incidents: a token is stuck, the rest goes on, and once mended it goes on, too.

use std::sync::Arc;

use potok_core::graph::Package;
use potok_core::instance::WaitKind;
use potok_core::routing::{Runner, StartOptions};
use potok_core::time::Timestamp;
use potok_expressions::Evaluator;
use potok_tests::scenario;
use serde_json::json;

#[test]
fn no_flow_to_take() {
    scenario("incidents/no_flow.bpmn")
        .start_with(json!({"amount": 50}))
        .incident("choose", "no-flow-taken")
        .waits_at(["choose", "other"])
        .complete("other")
        .active()
        .resolve("choose")
        .incident("choose", "no-flow-taken")
        .set("amount", 500)
        .resolve("choose")
        .completed()
        .trace("start split choose other end large end");
}

#[test]
fn condition_that_is_neither_true_nor_false() {
    scenario("incidents/condition.bpmn")
        .start_with(json!({"approved": 5}))
        .incident("choose", "expression-failed")
        .incident_says("not true or false")
        .set("approved", true)
        .resolve("choose")
        .completed()
        .trace("start choose yes end");
}

#[test]
fn condition_without_its_variable_does_not_hold() {
    scenario("incidents/condition.bpmn").start().completed().trace("start choose no end");
}

#[test]
fn job_that_has_no_tries_left() {
    scenario("incidents/work.bpmn")
        .start()
        .fail_job("pay", "no connection")
        .no_incident()
        .fail_job("pay", "still none")
        .incident("pay", "job-failed")
        .incident_says("still none")
        .complete("other")
        .resolve("pay")
        .no_incident()
        .job_is("pay", |job| assert_eq!(job.retries, 1))
        .fail_job("pay", "again")
        .incident("pay", "job-failed")
        .resolve("pay")
        .job("pay", json!({}))
        .completed();
}

#[test]
fn job_that_is_done_although_it_had_failed() {
    scenario("incidents/work.bpmn")
        .start()
        .fail_job_with_retries("pay", "no connection", 0)
        .incident("pay", "job-failed")
        .job("pay", json!({}))
        .no_incident()
        .waits_at(["other"]);
}

#[test]
fn error_of_a_worker_that_nothing_catches() {
    scenario("incidents/work.bpmn")
        .start()
        .error("pay", "no-money")
        .incident("pay", "error-uncaught")
        .incident_says("no-money")
        .complete("other")
        .active()
        .resolve("pay")
        .job("pay", json!({}))
        .completed();
}

#[test]
fn output_that_fails_does_not_do_the_work_again() {
    scenario("incidents/output.bpmn")
        .start()
        .job("pay", json!({"amount": 5}))
        .incident("pay", "expression-failed")
        .set_at("pay", "surcharge", 1)
        .resolve("pay")
        .completed()
        .variable("sum", 6);
}

#[test]
fn input_that_fails_begins_the_activity_anew() {
    scenario("incidents/input.bpmn")
        .start()
        .incident("pay", "expression-failed")
        .travel("PT2H")
        .incident("pay", "expression-failed")
        .set("order", json!({"deadline": "2026-03-01"}))
        .resolve("pay")
        .waits_at(["pay"])
        .sees("pay", "due", "2026-03-01")
        .travel("PT1H")
        .completed()
        .passed("late", 1);
}

#[test]
fn timer_that_cannot_be_read() {
    scenario("incidents/timer.bpmn")
        .start_with(json!({"pause": "a while"}))
        .incident("wait", "expression-failed")
        .set("pause", "PT5M")
        .resolve("wait")
        .no_incident()
        .travel("PT5M")
        .completed();
}

#[test]
fn incident_inside_an_activity_ends_with_it() {
    scenario("incidents/inside.bpmn")
        .start()
        .fail_job("do", "broken")
        .incident("do", "job-failed")
        .travel("PT1H")
        .no_incident()
        .waits_at(["hurry"])
        .complete("hurry")
        .completed();
}

#[test]
fn rounds_are_stuck_one_by_one() {
    scenario("incidents/round.bpmn")
        .start_with(json!({"tries": 1}))
        .fail_job("do", "broken")
        .incident("do", "job-failed")
        .job("do", json!({}))
        .no_incident()
        .fail_job("do", "broken")
        .resolve("do")
        .job("do", json!({}))
        .completed();
}

#[test]
fn endless_loop_is_stopped_and_goes_on_once_its_condition_is_mended() {
    scenario("incidents/endless.bpmn")
        .step_budget(1000)
        .start()
        .active()
        .incident_says("endless")
        .set("stopped", true)
        .resolve("choose")
        .completed();
}

#[test]
fn completion_condition_of_an_ad_hoc_sub_process() {
    scenario("incidents/ad_hoc.bpmn")
        .start_with(json!({"enough": 5}))
        .activate("research", ["read"])
        .complete("read")
        .incident("research", "expression-failed")
        .set("enough", true)
        .resolve("research")
        .completed();
}

#[test]
fn condition_of_a_loop() {
    scenario("incidents/loop_condition.bpmn")
        .start()
        .complete_with("try", json!({"again": "perhaps"}))
        .incident("try", "expression-failed")
        .set("again", true)
        .resolve("try")
        .waits_at(["try"])
        .complete_with("try", json!({"again": false}))
        .completed()
        .trace("start try try end");
}

#[test]
fn decision_that_is_not_deployed() {
    scenario("incidents/decision.bpmn")
        .start_with(json!({"rules": "risk"}))
        .incident("decide", "expression-failed")
        .incident_says("risk")
        .resolve("decide")
        .incident("decide", "expression-failed");
}

#[test]
fn instance_with_incidents_can_be_cancelled() {
    scenario("incidents/no_flow.bpmn").start_with(json!({"amount": 50})).cancel().cancelled();
}

#[test]
fn boundary_timer_that_cannot_be_read_holds_its_activity() {
    scenario("incidents/boundary_timer.bpmn")
        .start_with(json!({"limit": "soon"}))
        .incident("work", "expression-failed")
        .set("limit", "PT1H")
        .resolve("work")
        .no_incident()
        .travel("PT1H")
        .completed()
        .passed("late", 1);
}

#[test]
fn timer_of_an_event_sub_process_that_cannot_be_read_holds_the_sub_process() {
    scenario("incidents/event_sub_process_timer.bpmn")
        .start_with(json!({"limit": "soon"}))
        .incident("work", "expression-failed")
        .set("limit", "PT1H")
        .resolve("work")
        .waits_at(["do"])
        .travel("PT1H")
        .waits_at(["close"])
        .complete("close")
        .completed();
}

#[test]
fn event_sub_process_is_stuck_beside_the_work() {
    scenario("incidents/in_event_sub_process.bpmn")
        .start()
        .message("question", json!({}))
        .incident("choose", "no-flow-taken")
        .complete("work")
        .active()
        .set("kind", "no")
        .resolve("choose")
        .completed();
}

#[test]
fn completion_condition_of_instances() {
    scenario("incidents/completion_condition.bpmn")
        .start()
        .complete_with("vote", json!({"enough": 5}))
        .incident("vote", "expression-failed")
        .waits_at(["vote", "vote", "vote"])
        .set("enough", false)
        .resolve("vote")
        .waits_at(["vote", "vote"])
        .complete_with("vote", json!({"enough": true}))
        .completed();
}

#[test]
fn process_that_cannot_set_its_timer_waits_to_be_mended() {
    scenario("incidents/process_timer.bpmn")
        .start_with(json!({"limit": "soon"}))
        .waits_at(["start"])
        .incident("start", "expression-failed")
        .resolve("start")
        .incident("start", "expression-failed")
        .set("limit", "PT1H")
        .resolve("start")
        .waits_at(["do"])
        .travel("PT1H")
        .waits_at(["close"])
        .complete("close")
        .completed()
        .trace("start do ending deadline close");
}

#[test]
fn event_sub_process_that_cannot_set_its_timer_waits_to_be_mended() {
    scenario("incidents/event_sub_process_opens.bpmn")
        .start()
        .message("question", json!({"limit": "soon", "text": "why?"}))
        .waits_at(["asked", "do"])
        .variable("text", "why?")
        .set("limit", "PT1H")
        .resolve("asked")
        .waits_at(["answer", "do"])
        .travel("PT1H")
        .waits_at(["close", "do"]);
}

#[test]
fn message_that_started_a_process_is_not_asked_for_again() {
    scenario("incidents/message_start.bpmn")
        .message("order", json!({"limit": "soon"}))
        .incident("receive", "expression-failed")
        .set("limit", "PT1H")
        .resolve("receive")
        .waits_at(["do"])
        .complete("do")
        .completed();
}

#[test]
fn tokens_that_multiply_without_end_are_stopped_before_there_are_too_many() {
    let model = include_bytes!("../models/incidents/doubling.bpmn");
    let evaluator = Arc::new(Evaluator::new());
    let package = Package::from_bpmn(model, &*evaluator).expect("a model that can run");
    let mut runner = Runner::new(evaluator, Timestamp::UNIX_EPOCH);
    runner.deploy(&package);
    let key = runner.start("doubling", StartOptions::default()).expect("it starts");
    let instance = &runner.instance(key).expect("it runs").instance;
    assert!(instance.is_active());
    assert!(instance.tokens().count() < 100_000, "{} tokens", instance.tokens().count());
    assert!(instance.waits().all(|wait| matches!(&wait.kind, WaitKind::Incident(_))));
}

#[test]
fn every_code_of_an_incident_is_explained() {
    let source = include_str!("../../crates/core/src/instance/wait.rs");
    let explained = include_str!("../../docs/incidents.md");
    let (_, source) = source.split_once("impl IncidentKind").expect("the codes");
    let (source, _) = source.split_once("\n}").expect("an end");
    let codes: Vec<_> = source.split("=> \"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert!(codes.len() > 5, "{codes:?}");
    for code in codes {
        assert!(explained.contains(&format!("| `{code}` |")), "docs/incidents.md does not explain `{code}`");
    }
}

#[test]
fn activity_whose_work_is_stuck_still_has_its_boundary_events() {
    scenario("incidents/call_with_timer.bpmn")
        .start()
        .incident("call", "called-process-unknown")
        .travel("PT1H")
        .no_incident()
        .completed()
        .trace("start call late too_late");
    scenario("incidents/call_with_timer.bpmn")
        .start()
        .resolve("call")
        .incident("call", "called-process-unknown")
        .travel("PT1H")
        .completed()
        .passed("late", 1);
}
