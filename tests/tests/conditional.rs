//! Conditional events occur when their condition begins to hold (BPMN 2.0.2 §10.5.4).

use potok_tests::{Scenario, model, scenario};
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

#[test]
fn camunda_lets_an_event_that_stays_occur_with_each_change_while_it_holds() {
    // What Camunda 7.24 counts for the same commands.
    let passed = |scenario: Scenario, counts: [usize; 4]| {
        let events = ["any", "of_x", "created", "updated"];
        events.into_iter().zip(counts).fold(scenario, |scenario, (event, count)| scenario.passed(event, count))
    };
    let mut scenario = passed(scenario("conditional/each_change.bpmn").start_with(json!({"x": 1})), [0, 0, 0, 0]);
    for (name, value, counts) in [
        ("x", 5, [1, 1, 0, 1]),
        ("x", 5, [2, 2, 0, 2]),
        ("x", 6, [3, 3, 0, 3]),
        ("y", 1, [4, 3, 1, 3]),
        ("y", 2, [5, 3, 1, 4]),
        ("x", 1, [5, 3, 1, 4]),
        ("x", 7, [6, 4, 1, 5]),
    ] {
        scenario = passed(scenario.set(name, value), counts);
    }
    scenario.complete("work").completed();
}

#[test]
fn camunda_asks_once_when_an_event_begins_to_wait() {
    scenario("conditional/each_change.bpmn")
        .start_with(json!({"x": 5}))
        .passed("any", 1)
        .passed("of_x", 1)
        .set("y", 1)
        .passed("any", 2)
        .passed("of_x", 1);
}

#[test]
fn elsewhere_an_event_that_stays_occurs_when_its_condition_begins_to_hold() {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/models/conditional/each_change.bpmn"));
    let text = text.unwrap_or_default();
    let (_, process) = text.split_once("<process").unwrap_or_default();
    let (process, _) = process.split_once("</definitions>").unwrap_or_default();
    let standard = process.replace(r#" camunda:assignee="anna""#, "");
    let standard = standard.replace(r#" camunda:variableName="x""#, "");
    let standard = standard.replace(r#" camunda:variableEvents="create""#, "");
    let standard = standard.replace(r#" camunda:variableEvents="update""#, "");
    model(&format!("<process{standard}"))
        .start_with(json!({"x": 1}))
        .set("x", 5)
        .set("x", 6)
        .set("y", 1)
        .passed("any", 1)
        .set("x", 1)
        .set("x", 7)
        .passed("any", 2)
        .passed("updated", 2);
}

#[test]
fn an_event_that_changes_what_it_looks_at_weighs_on_the_budget() {
    model(
        r#"<process id="p" isExecutable="true">
  <startEvent id="start"/>
  <userTask id="work"/>
  <boundaryEvent id="grows" attachedToRef="work" cancelActivity="false">
    <extensionElements>
      <camunda:executionListener event="end" expression="${execution.setVariable('x', x + 1)}"/>
    </extensionElements>
    <conditionalEventDefinition><condition>${x > 3}</condition></conditionalEventDefinition>
  </boundaryEvent>
  <sequenceFlow id="f" sourceRef="start" targetRef="work"/>
</process>"#,
    )
    .step_budget(100)
    .start_with(json!({"x": 4}))
    .incident("grows", "step-budget-exceeded")
    .active();
}

#[test]
fn camunda_asks_when_variables_are_set() {
    // What Camunda 7.24 does.
    scenario("conditional/when_set.bpmn")
        .process("own")
        .start_with(json!({"x": 0}))
        .complete_with("work", json!({"x": 4}))
        .waits_at(["after"]);
    scenario("conditional/when_set.bpmn")
        .process("own")
        .start_with(json!({"x": 0}))
        .complete_with("work", json!({"x": 5}))
        .waits_at(["was_five"]);
    scenario("conditional/when_set.bpmn")
        .process("race")
        .start_with(json!({"n": 0}))
        .complete_with("count", json!({"n": 5}))
        .waits_at(["was_many"]);
}

#[test]
fn elsewhere_work_is_complete_with_what_it_gives() {
    scenario("conditional/interrupting.bpmn").start().complete_with("work", json!({"temperature": 101})).completed();
}

#[test]
fn events_that_undo_each_others_condition_come_to_rest() {
    let handler = |id: &str, seen: u32, set: u32| {
        format!(
            r#"<subProcess id="when_{id}" triggeredByEvent="true">
    <startEvent id="{id}" isInterrupting="false"><conditionalEventDefinition><condition>k = {seen}</condition></conditionalEventDefinition></startEvent>
    <scriptTask id="set_{id}" scriptFormat="feel" potok:resultVariable="k"><script>{set}</script></scriptTask>
    <sequenceFlow id="flow_{id}" sourceRef="{id}" targetRef="set_{id}"/>
  </subProcess>"#
        )
    };
    // The second is not asked before the first has changed `k` again: it has not been seen not to hold, and so does not begin to.
    model(&format!(
        r#"<process id="p" isExecutable="true">
  <startEvent id="start"/>
  <userTask id="work"/>
  <sequenceFlow id="f" sourceRef="start" targetRef="work"/>
  {}{}
</process>"#,
        handler("one", 1, 2),
        handler("two", 2, 1)
    ))
    .start_with(json!({"k": 0}))
    .set("k", 1)
    .waits_at(["work"])
    .no_incident()
    .variable("k", 2)
    .passed("one", 2)
    .passed("two", 1)
    .complete("work")
    .completed();
}
