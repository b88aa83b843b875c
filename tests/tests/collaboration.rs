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

#[test]
fn each_of_several_messages_goes_along_the_flow_that_carries_it() {
    scenario("collaboration/several_messages.bpmn")
        .start()
        .has_instances("selling", 1)
        .has_instances("caring", 1)
        .complete("think")
        .completed()
        .sent("report")
        .not_sent("praise")
        .kept_messages(0)
        .instance_of("caring")
        .completed()
        .instance_of("selling")
        .waits_at(["sell"]);
}

#[test]
fn a_message_goes_along_each_of_its_flows() {
    scenario("collaboration/to_several_pools.bpmn")
        .start()
        .sent("order")
        .has_instances("selling", 1)
        .has_instances("packing", 1)
        .complete("think")
        .completed()
        .kept_messages(0)
        .instance_of("selling")
        .completed()
        .instance_of("packing")
        .completed();
}

#[test]
fn a_computed_name_chooses_the_flow() {
    scenario("collaboration/by_kind.bpmn")
        .start_with(json!({"kind": "complaint"}))
        .has_instances("selling", 0)
        .has_instances("caring", 1)
        .start_with(json!({"kind": "order"}))
        .has_instances("selling", 1)
        .has_instances("caring", 1)
        .start_with(json!({"kind": "praise"}))
        .has_instances("selling", 1)
        .has_instances("caring", 1)
        .kept_messages(1);
}

#[test]
fn a_message_without_a_name_is_the_one_of_its_flow() {
    scenario("collaboration/by_kind.bpmn")
        .start_with(json!({"kind": "praise"}))
        .complete("think")
        .completed()
        .has_instances("selling", 1)
        .has_instances("caring", 1);
}

#[test]
fn a_message_flow_reaches_the_very_node_that_it_leads_to() {
    scenario("collaboration/to_the_very_node.bpmn")
        .start()
        .complete("think")
        .instance_of("selling")
        .waits_at(["more", "overheard", "work"])
        .main_instance()
        .complete("think_again")
        .instance_of("selling")
        .waits_at(["answer", "more", "overheard", "work"])
        .passed("heard", 0)
        .main_instance()
        .complete("want_more")
        .completed()
        .has_instances("selling", 2);
}

#[test]
fn a_node_that_does_not_wait_leaves_a_message_to_who_waits_for_it_in_the_pool() {
    scenario("collaboration/to_the_very_node.bpmn")
        .start()
        .complete("think")
        .instance_of("selling")
        .complete("work")
        .main_instance()
        .complete("think_again")
        .instance_of("selling")
        .passed("heard", 1)
        .waits_at(["more", "overheard"])
        .main_instance()
        .kept_messages(0);
}

#[test]
fn the_instance_that_waits_where_the_flow_leads_is_meant() {
    scenario("collaboration/to_who_waits_there.bpmn")
        .start_process("reading")
        .complete("prepare")
        .start_process("writing")
        .nth_instance_of("reading", 0)
        .waits_at(["overheard", "read"])
        .start_process("reading")
        .complete("prepare")
        .start_process("writing")
        .nth_instance_of("reading", 0)
        .waits_at(["overheard", "read"])
        .nth_instance_of("reading", 1)
        .waits_at(["overheard", "read"])
        .start_process("writing")
        .kept_messages(1);
}

#[test]
fn what_is_kept_goes_where_its_flow_leads() {
    scenario("collaboration/to_who_waits_there.bpmn")
        .start_process("reading")
        .start_process("writing")
        .kept_messages(1)
        .instance_of("reading")
        .complete("prepare")
        .waits_at(["overheard", "read"])
        .kept_messages(0);
}

#[test]
fn what_is_kept_for_one_node_does_not_hold_up_what_is_kept_for_another() {
    scenario("collaboration/to_who_waits_there.bpmn")
        .start_process("reading")
        .start_process("writing")
        .start_process("writing")
        .kept_messages(2)
        .instance_of("reading")
        .complete("prepare")
        .waits_at(["read"])
        .kept_messages(0);
}

#[test]
fn what_is_kept_goes_to_what_names_no_message_where_its_flow_leads() {
    scenario("collaboration/kept_without_a_name.bpmn")
        .start_process("buying")
        .start_process("selling")
        .kept_messages(1)
        .complete("prepare")
        .completed()
        .kept_messages(0);
}

#[test]
fn each_message_is_for_the_definition_that_names_it() {
    scenario("collaboration/to_several_definitions.bpmn")
        .start()
        .has_instances("selling", 0)
        .complete("choose")
        .has_instances("selling", 1)
        .complete("think")
        .instance_of("selling")
        .waits_at(["continued"])
        .start_process("buying")
        .complete("choose")
        .has_instances("selling", 2)
        .nth_instance_of("buying", 0)
        .complete("think_again")
        .completed()
        .nth_instance_of("selling", 0)
        .completed()
        .nth_instance_of("selling", 1)
        .waits_at(["continued"]);
}
