//! Conditional events occur when their condition begins to hold (BPMN 2.0.2 §10.5.4).

use potok_tests::scenario;
use serde_json::json;

#[test]
fn an_event_waits_until_its_condition_holds() {
    scenario("conditional/catch.bpmn")
        .start_with(json!({"temperature": 20}))
        .waits_at(["hot", "set"])
        .complete_with("set", json!({"temperature": 50}))
        .waits_at(["hot"])
        .set("temperature", 150)
        .waits_at(["cool"]);
}

#[test]
fn what_a_task_gives_is_looked_at() {
    scenario("conditional/catch.bpmn").start().complete_with("set", json!({"temperature": 150})).waits_at(["cool"]);
}

#[test]
fn a_condition_that_holds_already_occurs_at_once() {
    scenario("conditional/catch.bpmn").start_with(json!({"temperature": 150})).waits_at(["cool", "set"]);
    scenario("conditional/interrupting.bpmn").start_with(json!({"temperature": 150})).waits_at(["cool"]);
}

#[test]
fn a_condition_interrupts() {
    scenario("conditional/interrupting.bpmn")
        .start()
        .set("temperature", 100)
        .waits_at(["work"])
        .set("temperature", 101)
        .waits_at(["cool"])
        .set("temperature", 102)
        .waits_at(["cool"]);
}

#[test]
fn a_condition_sees_the_variables_of_its_activity() {
    scenario("conditional/local_variable.bpmn")
        .start_with(json!({"start_level": 1}))
        .set("level", 10)
        .waits_at(["deep"])
        .set_at("deep", "level", 10)
        .waits_at(["after"]);
}

#[test]
fn an_event_sub_process_begins_each_time_anew() {
    scenario("conditional/event_sub_process.bpmn")
        .start()
        .set("temperature", 101)
        .waits_at(["cool", "work"])
        .set("temperature", 102)
        .waits_at(["cool", "work"])
        .set("temperature", 20)
        .set("temperature", 101)
        .waits_at(["cool", "cool", "work"])
        .complete("work")
        .complete("cool")
        .complete("cool")
        .completed();
}

#[test]
fn a_condition_that_cannot_be_evaluated_is_an_incident() {
    scenario("conditional/unreadable.bpmn")
        .start_with(json!({"temperature": 5}))
        .waits_at(["hot", "other"])
        .incident("hot", "expression-failed")
        .set("temperature", false)
        .resolve("hot")
        .no_incident()
        .waits_at(["hot", "other"])
        .set("temperature", true)
        .waits_at(["other"]);
}

#[test]
fn condition_is_asked_only_after_changes_of_the_variable_that_it_names() {
    scenario("conditional/of_variable.bpmn")
        .start_with(json!({"temperature": 20}))
        .set("temperature", 200)
        .waits_at(["work"])
        .set("alarm", true)
        .completed()
        .trace("start work hot too_hot");
}

#[test]
fn condition_with_a_filter_is_asked_when_it_begins_to_wait() {
    scenario("conditional/of_variable.bpmn").start_with(json!({"temperature": 200})).completed().passed("hot", 1);
}

#[test]
fn condition_is_asked_only_after_changes_of_its_kind() {
    scenario("conditional/of_update.bpmn")
        .start()
        .set("temperature", 200)
        .waits_at(["work"])
        .set("temperature", 210)
        .completed()
        .passed("hot", 1);
    scenario("conditional/zeebe_filter.bpmn")
        .start_with(json!({"temperature": 20, "alarm": false}))
        .set("temperature", 200)
        .set("alarm", true)
        .waits_at(["work"])
        .set("door", "open")
        .completed()
        .passed("hot", 1);
}
