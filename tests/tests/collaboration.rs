//! Message flows between the pools of one file (BPMN 2.0.2 §9.3, §13.5.1).

use potok_tests::scenario;
use serde_json::json;

#[test]
fn a_message_flow_starts_the_other_pool_and_the_answer_comes_back() {
    scenario("collaboration/order_and_answer.bpmn")
        .start()
        .waits_at(["answered"])
        .instance_of("selling")
        .waits_at(["think"])
        .complete("think")
        .completed()
        .main_instance()
        .completed();
}

#[test]
fn each_instance_talks_to_the_one_it_started() {
    scenario("collaboration/order_and_answer.bpmn")
        .start()
        .start()
        .has_instances("selling", 2)
        .nth_instance_of("selling", 1)
        .complete("think")
        .nth_instance_of("buying", 0)
        .waits_at(["answered"])
        .nth_instance_of("buying", 1)
        .completed()
        .nth_instance_of("selling", 0)
        .complete("think")
        .main_instance()
        .completed();
}

#[test]
fn a_started_instance_is_talked_to_by_the_one_that_started_it() {
    scenario("collaboration/there_and_back.bpmn")
        .start_process("selling")
        .start_process("selling")
        .waits_at(["paid"])
        .has_instances("buying", 2)
        .nth_instance_of("buying", 0)
        .complete("earn")
        .completed()
        .nth_instance_of("selling", 0)
        .completed()
        .nth_instance_of("selling", 1)
        .waits_at(["paid"]);
}

#[test]
fn without_kinship_the_same_business_key_decides() {
    scenario("collaboration/same_business_key.bpmn")
        .business_key("case-1")
        .start_process("selling")
        .business_key("case-2")
        .start_process("selling")
        .start_process("buying")
        .complete("decide")
        .nth_instance_of("selling", 0)
        .waits_at(["asked"])
        .nth_instance_of("selling", 1)
        .waits_at(["think"]);
}

#[test]
fn without_a_key_the_only_one_that_waits_gets_it() {
    scenario("collaboration/same_business_key.bpmn")
        .start_process("selling")
        .start_process("buying")
        .complete("decide")
        .instance_of("selling")
        .waits_at(["think"])
        .kept_messages(0);
}

#[test]
fn among_several_that_wait_none_is_guessed() {
    scenario("collaboration/same_business_key.bpmn")
        .start_process("selling")
        .start_process("selling")
        .start_process("buying")
        .complete("decide")
        .nth_instance_of("selling", 0)
        .waits_at(["asked"])
        .nth_instance_of("selling", 1)
        .waits_at(["asked"])
        .kept_messages(1);
}

#[test]
fn what_nobody_waits_for_yet_is_kept_for_an_hour() {
    scenario("collaboration/kept_until_asked_for.bpmn")
        .start_process("buying")
        .completed()
        .kept_messages(1)
        .start_process("selling")
        .travel("PT59M")
        .instance_of("selling")
        .complete("prepare")
        .completed()
        .kept_messages(0);
    scenario("collaboration/kept_until_asked_for.bpmn")
        .start_process("buying")
        .start_process("selling")
        .travel("PT61M")
        .kept_messages(0)
        .instance_of("selling")
        .complete("prepare")
        .waits_at(["told"]);
}

#[test]
fn a_pool_without_a_process_is_the_outside_world() {
    scenario("collaboration/black_box.bpmn")
        .start()
        .sent("report")
        .kept_messages(0)
        .waits_at(["ruled"])
        .message("ruling", json!({"granted": true}))
        .completed()
        .variable("granted", true);
}

#[test]
fn a_flow_to_a_pool_as_a_whole_goes_by_the_messages_name() {
    scenario("collaboration/to_the_pool.bpmn").start().completed().instance_of("selling").waits_at(["think"]);
}

#[test]
fn one_message_starts_the_pool_that_its_flow_leads_to() {
    scenario("collaboration/one_message_to_two_pools.bpmn")
        .start()
        .has_instances("packing", 1)
        .has_instances("selling", 0)
        .complete("think")
        .has_instances("packing", 1)
        .has_instances("selling", 1)
        .completed();
}

#[test]
fn a_message_flow_leads_to_every_kind_of_catching_event() {
    scenario("collaboration/to_every_kind_of_catch.bpmn")
        .start_process("receiving")
        .start_process("sending")
        .instance_of("sending")
        .complete("next")
        .instance_of("receiving")
        .waits_at(["wait"])
        .complete("then")
        .waits_at(["received"])
        .complete("later")
        .waits_at(["rest"])
        .complete("finally")
        .waits_at(["answer", "rest"])
        .instance_of("sending")
        .completed();
}
