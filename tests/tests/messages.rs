//! Messages by name, kept and taken (BPMN 2.0.2 §10.5.1).

use potok_tests::scenario;
use serde_json::json;

#[test]
fn a_message_goes_to_who_waits_for_it() {
    scenario("messages/catch.bpmn")
        .start()
        .waits_at(["wait"])
        .message("order", json!({"item": "bread"}))
        .waits_at(["after"])
        .variable("item", "bread")
        .complete("after")
        .completed();
}

#[test]
fn a_message_that_comes_early_is_kept_and_taken() {
    scenario("messages/catch.bpmn")
        .early_message("order", json!({"item": "bread"}))
        .kept_messages(1)
        .start()
        .waits_at(["after"])
        .variable("item", "bread")
        .kept_messages(0);
}

#[test]
fn a_kept_message_is_taken_once_the_oldest_first() {
    scenario("messages/catch.bpmn")
        .early_message("order", json!({"item": "bread"}))
        .early_message("order", json!({"item": "salt"}))
        .start()
        .variable("item", "bread")
        .start()
        .nth_instance_of("catch", 1)
        .variable("item", "salt")
        .start()
        .nth_instance_of("catch", 2)
        .waits_at(["wait"]);
}

#[test]
fn a_kept_message_expires_after_an_hour() {
    scenario("messages/catch.bpmn")
        .early_message("order", json!({}))
        .travel("PT60M")
        .kept_messages(0)
        .start()
        .waits_at(["wait"]);
}

#[test]
fn several_instances_that_wait_are_ambiguous() {
    scenario("messages/catch.bpmn")
        .start()
        .start()
        .refuses("message-ambiguous")
        .message("order", json!({}))
        .waits_at(["wait"]);
}

#[test]
fn a_business_key_chooses_among_them() {
    scenario("messages/catch.bpmn")
        .business_key("one")
        .start()
        .business_key("two")
        .start()
        .message_for("order", "two", json!({}))
        .waits_at(["wait"])
        .nth_instance_of("catch", 1)
        .waits_at(["after"]);
}

#[test]
fn values_of_variables_choose_among_them() {
    let message = potok_core::routing::Message {
        name: Some("order".into()),
        variables: vec![("number".into(), 2.into())],
        ..Default::default()
    };
    scenario("messages/catch.bpmn")
        .start_with(json!({"number": 1}))
        .start_with(json!({"number": 2}))
        .send(message)
        .waits_at(["wait"])
        .nth_instance_of("catch", 1)
        .waits_at(["after"]);
}

#[test]
fn within_one_instance_the_oldest_takes_it() {
    scenario("messages/two_waits.bpmn")
        .start()
        .message("order", json!({}))
        .waits_at(["one", "second"])
        .message("order", json!({}))
        .waits_at(["one", "two"]);
}

#[test]
fn one_message_passes_one_of_two_waits_in_a_row() {
    scenario("messages/take_twice.bpmn")
        .start()
        .message("order", json!({}))
        .waits_at(["second"])
        .message("order", json!({}))
        .completed();
}

#[test]
fn each_round_waits_for_a_message_of_its_own() {
    scenario("messages/in_each_round.bpmn")
        .start()
        .message("order", json!({}))
        .waits_at(["after", "wait"])
        .message("order", json!({}))
        .waits_at(["after", "after"]);
}

#[test]
fn who_waits_comes_before_what_could_start() {
    scenario("messages/start_or_wait.bpmn")
        .message("hello", json!({}))
        .message("order", json!({}))
        .waits_at(["after"])
        .has_instances("other", 0)
        .message("order", json!({}))
        .has_instances("other", 1);
}

#[test]
fn a_thrown_message_finds_another_process_by_its_name() {
    scenario("messages/throw_by_name.bpmn")
        .start_process("listener")
        .start_process("sender")
        .instance_of("listener")
        .waits_at(["read"])
        .instance_of("sender")
        .completed();
}

#[test]
fn a_thrown_message_does_not_come_back_to_its_thrower() {
    scenario("messages/no_message_to_itself.bpmn").start().waits_at(["told"]).kept_messages(1);
}

#[test]
fn a_key_of_its_own_tells_the_rounds_apart() {
    scenario("messages/key_of_each_round.bpmn")
        .start_with(json!({"orders": ["x", "y", "z"]}))
        .waits_at(["paid", "paid", "paid"])
        .message_with_key("payment", "y", json!({"amount": 10}))
        .waits_at(["paid", "paid", "ship"])
        .sees("ship", "order", "y")
        .message_with_key("payment", "x", json!({}))
        .waits_at(["paid", "ship", "ship"]);
}

#[test]
fn instances_that_answer_each_other_without_end_are_stopped() {
    scenario("messages/endless_answers.bpmn").start_process("ping").stopped("ping").active();
}

#[test]
fn a_process_that_starts_itself_without_end_is_stopped() {
    scenario("messages/starts_itself.bpmn").message("head", json!({})).completed().stopped("head");
}

#[test]
fn a_business_key_is_given_to_what_a_message_starts() {
    scenario("messages/start_with_key.bpmn")
        .message_for("order", "case-1", json!({}))
        .waits_at(["deliver"])
        .has_business_key("case-1");
}
