//! Which of several conversations a message belongs to (BPMN 2.0.2 §8.4.2).

use potok_tests::scenario;
use serde_json::json;

#[test]
fn the_first_message_gives_the_key_that_later_ones_must_have() {
    scenario("correlation/by_key.bpmn")
        .message("order", json!({"number": 1}))
        .message("order", json!({"number": 2}))
        .message_with_properties("payment", json!({"order_number": 2}), json!({"reference": 2}))
        .nth_instance_of("selling", 0)
        .waits_at(["paid"])
        .nth_instance_of("selling", 1)
        .waits_at(["ship"])
        .message_with_properties("payment", json!({"order_number": 3}), json!({}))
        .kept_messages(1)
        .nth_instance_of("selling", 0)
        .waits_at(["paid"]);
}

#[test]
fn the_key_is_read_from_what_a_message_carries() {
    scenario("correlation/by_key.bpmn")
        .message("order", json!({"number": 1}))
        .message("order", json!({"number": 2}))
        .message("payment", json!({"reference": 1}))
        .nth_instance_of("selling", 0)
        .waits_at(["ship"])
        .nth_instance_of("selling", 1)
        .waits_at(["paid"]);
}

#[test]
fn a_subscription_binds_the_key_to_the_processs_own_data() {
    scenario("correlation/by_context.bpmn")
        .start_with(json!({"my_order": 1}))
        .start_with(json!({"my_order": 2}))
        .message("payment", json!({"reference": 2}))
        .nth_instance_of("selling", 0)
        .waits_at(["paid"])
        .nth_instance_of("selling", 1)
        .waits_at(["ship"])
        .message("payment", json!({"reference": 5}))
        .kept_messages(1);
}

#[test]
fn pools_correlate_by_what_they_exchange() {
    scenario("correlation/between_pools.bpmn")
        .process("buying")
        .start_with(json!({"my_number": 1}))
        .start_with(json!({"my_number": 2}))
        .has_instances("selling", 2)
        .nth_instance_of("buying", 1)
        .complete("earn")
        .nth_instance_of("selling", 0)
        .waits_at(["paid"])
        .variable("number", 1)
        .nth_instance_of("selling", 1)
        .waits_at(["ship"]);
}

/// A message is its thrower's one data input, whatever that is called; a path may begin with that name all the same.
#[test]
fn paths_are_read_in_the_one_thing_that_a_message_is() {
    scenario("correlation/structured.bpmn")
        .process("buying")
        .start()
        .has_instances("selling", 2)
        .complete_with("earn", json!({"which": 2}))
        .nth_instance_of("selling", 0)
        .waits_at(["paid"])
        .nth_instance_of("selling", 1)
        .waits_at(["returned"])
        .nth_instance_of("buying", 0)
        .complete("try")
        .nth_instance_of("selling", 1)
        .waits_at(["refund"]);
    // The same from outside, where a variable has the name.
    scenario("correlation/structured.bpmn")
        .message("order", json!({"number": 1}))
        .message("order", json!({"wish": {"number": 2}}))
        .message("payment", json!({"order": {"number": 2}}))
        .nth_instance_of("selling", 0)
        .waits_at(["paid"])
        .nth_instance_of("selling", 1)
        .waits_at(["returned"]);
}

#[test]
fn a_key_that_is_computed_when_the_wait_begins() {
    scenario("correlation/zeebe_key.bpmn")
        .start_with(json!({"order": {"id": "a"}}))
        .start_with(json!({"order": {"id": "b"}}))
        .message_with_key("payment", "b", json!({"paid": 10}))
        .nth_instance_of("selling", 0)
        .waits_at(["paid"])
        .nth_instance_of("selling", 1)
        .waits_at(["ship"])
        .variable("paid", 10);
}

#[test]
fn a_message_without_the_key_is_not_for_it() {
    scenario("correlation/zeebe_key.bpmn")
        .start_with(json!({"order": {"id": "a"}}))
        .early_message("payment", json!({}))
        .message_with_key("payment", "z", json!({}))
        .kept_messages(2)
        .waits_at(["paid"]);
}

#[test]
fn a_kept_message_with_a_key_waits_for_its_instance() {
    scenario("correlation/zeebe_key.bpmn")
        .message_with_key("payment", "b", json!({}))
        .start_with(json!({"order": {"id": "a"}}))
        .waits_at(["paid"])
        .start_with(json!({"order": {"id": "b"}}))
        .nth_instance_of("selling", 1)
        .waits_at(["ship"]);
}

#[test]
fn a_thrown_message_carries_its_key() {
    scenario("correlation/potok_key.bpmn")
        .process("selling")
        .start_with(json!({"number": 1}))
        .start_with(json!({"number": 2}))
        .process("buying")
        .start_with(json!({"number": 2}))
        .nth_instance_of("selling", 0)
        .waits_at(["paid"])
        .nth_instance_of("selling", 1)
        .waits_at(["ship"]);
}

#[test]
fn who_expects_that_very_key_comes_before_who_expects_any() {
    scenario("correlation/by_key.bpmn")
        .start_at(["paid"])
        .message("order", json!({"number": 1}))
        .message("payment", json!({"reference": 1}))
        .nth_instance_of("selling", 0)
        .waits_at(["paid"])
        .nth_instance_of("selling", 1)
        .waits_at(["ship"])
        .message("payment", json!({"reference": 2}))
        .nth_instance_of("selling", 0)
        .waits_at(["ship"]);
}

#[test]
fn a_key_without_a_value_is_an_incident() {
    scenario("correlation/zeebe_key.bpmn")
        .start()
        .incident("paid", "expression-failed")
        .incident_says("order.id")
        .set("order", json!({"id": "a"}))
        .resolve("paid")
        .message_with_key("payment", "a", json!({}))
        .waits_at(["ship"]);
}

#[test]
fn a_subscription_without_data_yet_takes_any_message() {
    scenario("correlation/by_context.bpmn").start().message("payment", json!({"reference": 7})).waits_at(["ship"]);
}

#[test]
fn a_subscription_follows_the_data_that_it_is_bound_to() {
    scenario("correlation/by_context.bpmn")
        .start()
        .set("my_order", 5)
        .message("payment", json!({"reference": 7}))
        .kept_messages(1)
        .waits_at(["paid"])
        .set("my_order", 7)
        .kept_messages(0)
        .waits_at(["ship"]);
}

#[test]
fn what_a_message_carries_tells_to_which_of_its_throwers_conversations_it_belongs() {
    scenario("correlation/several_conversations.bpmn")
        .process("buying")
        .start()
        .has_instances("selling", 2)
        .kept_messages(0)
        .nth_instance_of("selling", 0)
        .waits_at(["paid"])
        .variable("number", 1)
        .nth_instance_of("selling", 1)
        .waits_at(["ship"])
        .variable("reference", 2)
        .nth_instance_of("buying", 0)
        .complete("earn")
        .kept_messages(0)
        .nth_instance_of("selling", 0)
        .waits_at(["ship"])
        .variable("reference", 1);
}

/// The first message of each conversation initializes its key, and a later one must have the key of one of them.
#[test]
fn who_takes_part_in_several_conversations_gets_the_replies_of_each() {
    scenario("correlation/several_replies.bpmn")
        .start()
        .waits_at(["offered_first", "consider"])
        .message("offer", json!({"reference": 2, "offer": 20}))
        .kept_messages(1)
        .complete("consider")
        .kept_messages(0)
        .waits_at(["offered_then"])
        .message("offer", json!({"reference": 3, "offer": 30}))
        .kept_messages(1)
        .message("offer", json!({"reference": 1, "offer": 10}))
        .waits_at(["billed_first"]);
}

/// Keys that become known later belong to the conversation whose message has carried them.
#[test]
fn each_conversation_has_keys_of_its_own() {
    scenario("correlation/several_replies.bpmn")
        .start()
        .complete("consider")
        .message("offer", json!({"reference": 1, "offer": 10}))
        .message("offer", json!({"reference": 1, "offer": 20}))
        .kept_messages(1)
        .message("offer", json!({"reference": 2, "offer": 20}))
        .waits_at(["billed_first"])
        .message("bill", json!({"offer": 30}))
        .kept_messages(2)
        .message("bill", json!({"offer": 20}))
        .waits_at(["billed_then"])
        .message("bill", json!({"offer": 10}))
        .completed();
}
