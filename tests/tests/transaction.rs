//! Transactions: success, cancel, and hazard.

use potok_tests::scenario;
use serde_json::json;

#[test]
fn transaction_succeeds_like_a_sub_process() {
    scenario("transaction/trip.bpmn")
        .start()
        .complete("hotel")
        .complete("flight")
        .complete_with("pay", json!({"money": true}))
        .waits_at(["pack"])
        .complete("pack")
        .completed();
}

#[test]
fn cancel_ends_what_runs_undoes_what_is_done_and_leaves_by_the_cancel_event() {
    scenario("transaction/trip.bpmn")
        .start()
        .complete("hotel")
        .waits_at(["flight", "pay"])
        .complete_with("pay", json!({"money": false}))
        .waits_at(["cancel_hotel"])
        .complete("cancel_hotel")
        .waits_at(["apologize"])
        .complete("apologize")
        .completed();
}

#[test]
fn cancel_undoes_in_reverse_order() {
    scenario("transaction/trip.bpmn")
        .start()
        .complete("flight")
        .complete("hotel")
        .complete_with("pay", json!({"money": false}))
        .waits_at(["cancel_hotel"])
        .complete("cancel_hotel")
        .waits_at(["cancel_flight"])
        .complete("cancel_flight")
        .waits_at(["apologize"]);
}

#[test]
fn cancel_with_nothing_done_leaves_at_once() {
    scenario("transaction/trip.bpmn").start().complete_with("pay", json!({"money": false})).waits_at(["apologize"]);
}

#[test]
fn hazard_leaves_without_undoing() {
    scenario("transaction/trip.bpmn")
        .start()
        .complete("hotel")
        .error("flight", "strike")
        .waits_at(["handle"])
        .complete("handle")
        .completed()
        .passed("cancel_hotel", 0);
}

#[test]
fn cancel_undoes_sub_processes_too() {
    scenario("transaction/nested.bpmn")
        .start()
        .waits_at(["tear"])
        .complete("tear")
        .completed()
        .passed("failed", 1)
        .passed("end", 0);
}

#[test]
fn transaction_that_succeeded_can_be_undone_later() {
    scenario("transaction/later.bpmn").start().waits_at(["withdraw"]).complete("withdraw").completed().passed("end", 1);
}

#[test]
fn cancelled_instance_of_a_transaction_takes_all_with_it() {
    scenario("transaction/loop.bpmn")
        .start_with(json!({"items": ["a", "b"]}))
        .waits_at(["confirm", "confirm"])
        .complete_nth("confirm", 1, json!({"ok": false}))
        .waits_at(["confirm", "release"])
        .sees("release", "item", "b")
        .complete("release")
        .waits_at(["inform"])
        .complete("inform")
        .completed()
        .trace(
            "start order order begin begin reserve reserve confirm confirm confirmed off release cancelled inform end",
        );
}

#[test]
fn boundary_timer_can_end_a_cancelling_transaction() {
    scenario("transaction/interrupted.bpmn")
        .start()
        .waits_at(["release"])
        .travel("PT1H")
        .completed()
        .passed("too_late", 1)
        .passed("cancelled", 0);
}

#[test]
fn cancel_ends_called_processes() {
    scenario("transaction/called.bpmn")
        .start()
        .complete("decide")
        .completed()
        .passed("failed", 1)
        .instance_of("checking")
        .cancelled();
}

#[test]
fn instances_of_a_transaction_that_succeeded_can_be_undone_after_one_was_cancelled() {
    scenario("transaction/sequential.bpmn")
        .start_with(json!({"items": ["a", "b", "c"]}))
        .complete("reserve")
        .complete_with("reserve", json!({"refused": true}))
        .waits_at(["release"])
        .sees("release", "item", "b")
        .complete("release")
        .waits_at(["release"])
        .sees("release", "item", "a")
        .complete("release")
        .completed()
        .passed("nothing", 1);
}

#[test]
fn cancel_in_an_event_sub_process_cancels_the_transaction_around_it() {
    scenario("transaction/cancel_in_event_sub_process.bpmn")
        .start()
        .complete("hotel")
        .message("refusal", json!({}))
        .waits_at(["flight", "note_reason"])
        .complete("note_reason")
        .waits_at(["cancel_hotel"])
        .complete("cancel_hotel")
        .waits_at(["apologize"])
        .complete("apologize")
        .completed();
}
