//! End events (BPMN 2.0.2 §10.5.3, §13.5.6).

use potok_tests::scenario;
use serde_json::json;

#[test]
fn an_instance_ends_with_its_last_path() {
    scenario("end_events/none.bpmn")
        .start()
        .complete("b")
        .active()
        .complete("a")
        .completed()
        .trace("start split a b second first");
}

#[test]
fn an_end_event_throws_a_message() {
    scenario("end_events/throws.bpmn")
        .start_with(json!({"how": "message"}))
        .completed()
        .has_instances("listener", 1)
        .instance_of("listener")
        .waits_at(["read"]);
}

#[test]
fn an_end_event_throws_a_signal() {
    scenario("end_events/throws.bpmn")
        .start_with(json!({"how": "signal"}))
        .completed()
        .instance_of("listener")
        .waits_at(["listen"]);
}

#[test]
fn a_multiple_end_event_throws_all() {
    scenario("end_events/throws.bpmn").start().completed().has_instances("listener", 2);
}

#[test]
fn terminate_ends_everything() {
    scenario("end_events/terminate.bpmn").start().complete("a").completed().passed("end", 0);
}

#[test]
fn terminate_in_a_sub_process_ends_only_that() {
    scenario("end_events/terminate_in_sub_process.bpmn")
        .start()
        .waits_at(["a", "b", "outside"])
        .complete("a")
        .waits_at(["after", "outside"])
        .complete("after")
        .complete("outside")
        .completed();
}

#[test]
fn terminate_in_one_of_many_instances_ends_only_that_one() {
    scenario("end_events/terminate_one_of_many.bpmn")
        .start()
        .waits_at(["a", "a", "b", "b"])
        .complete("a")
        .waits_at(["a", "b"])
        .complete("a")
        .waits_at(["after"]);
}

#[test]
fn an_error_ends_its_sub_process_and_is_caught() {
    scenario("end_events/error.bpmn")
        .start()
        .complete("a")
        .waits_at(["mend"])
        .complete("mend")
        .completed()
        .trace("start inside begin fork a b failed broken mend end");
}

#[test]
fn an_error_that_nothing_catches_fails_the_instance() {
    scenario("end_events/error_uncaught.bpmn").start().complete("a").failed("broken");
}

#[test]
fn in_camundas_dialect_it_ends_only_its_path() {
    scenario("end_events/error_uncaught_camunda.bpmn").start().complete("a").waits_at(["b"]).complete("b").completed();
}

#[test]
fn an_escalation_is_caught_beside_and_ends_only_its_path() {
    scenario("end_events/escalation.bpmn")
        .start()
        .complete("a")
        .waits_at(["b", "hurry"])
        .complete("b")
        .complete("hurry")
        .completed();
}

#[test]
fn an_escalation_that_nothing_catches_is_an_end_like_any_other() {
    scenario("end_events/escalation_uncaught.bpmn").start().completed().no_incident();
}

#[test]
fn cancel_ends_a_transaction_by_its_cancel_event() {
    scenario("end_events/cancel.bpmn")
        .start()
        .waits_at(["beside", "pay"])
        .complete_with("pay", json!({"paid": false}))
        .waits_at(["apologise"])
        .complete("apologise")
        .completed();
    scenario("end_events/cancel.bpmn")
        .start()
        .complete_with("pay", json!({"paid": true}))
        .complete("confirm")
        .complete("beside")
        .completed()
        .passed("cancelled", 0);
}

#[test]
fn a_compensation_end_event_waits_for_the_handlers() {
    scenario("end_events/compensation.bpmn")
        .start()
        .job("book", json!({}))
        .active()
        .job("unbook", json!({}))
        .completed();
}

#[test]
fn terminate_ends_called_instances_too() {
    scenario("end_events/terminate_ends_calls.bpmn")
        .start()
        .complete("stop")
        .completed()
        .instance_of("helper")
        .cancelled();
}

#[test]
fn everything_is_thrown_whatever_ends_the_thrower() {
    let model = "end_events/all_results.bpmn";
    scenario(model).start_process("p").completed().kept_messages(1);
    scenario(model).start_process("q").waits_at(["mend"]).kept_messages(1);
    scenario(model).start_process("r").waits_at(["hurry"]).kept_messages(1).passed("never", 0);
}

#[test]
fn of_several_escalations_that_interrupt_the_outermost_counts() {
    scenario("end_events/several_escalations.bpmn").start().waits_at(["after_beside", "after_far"]).passed("near", 0);
}

#[test]
fn an_escalation_caught_further_in_keeps_no_error_back() {
    scenario("end_events/escalation_and_error.bpmn").start().waits_at(["after_far"]).passed("near", 0);
}
