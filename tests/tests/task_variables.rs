//! Variables of a user task's own.

use potok_tests::{model, versions};
use serde_json::json;

const SIMPLE: &str = r#"<process id="p" isExecutable="true">
  <startEvent id="start"/><userTask id="check"/><userTask id="after"/>
  <sequenceFlow id="f1" sourceRef="start" targetRef="check"/><sequenceFlow id="f2" sourceRef="check" targetRef="after"/>
</process>"#;

#[test]
fn they_go_with_the_task() {
    model(SIMPLE)
        .start_with(json!({"a": 1}))
        .set_locally("check", json!({"note": "draft"}))
        .sees("check", "note", "draft")
        .sees("check", "a", 1)
        .no_variable("note")
        .complete_with("check", json!({"b": 2}))
        .waits_at(["after"])
        .sees("after", "note", json!(null))
        .variables(json!({"a": 1, "b": 2}));
}

#[test]
fn they_stand_before_those_around() {
    model(SIMPLE)
        .start_with(json!({"a": 1}))
        .set_locally("check", json!({"a": 5}))
        .sees("check", "a", 5)
        .variable("a", 1)
        .set_locally("check", json!({"a": 6}))
        .sees("check", "a", 6)
        // What the task gives is for what comes after it.
        .complete_with("check", json!({"a": 7}))
        .variable("a", 7);
}

#[test]
fn what_a_task_gives_is_not_lost_with_a_draft_of_it() {
    let with = |more: &str| {
        SIMPLE.replace(
            r#"<userTask id="check"/>"#,
            &format!(r#"<userTask id="check"><extensionElements>{more}</extensionElements></userTask>"#),
        )
    };
    let simple = |more: &str| {
        let text = with(more);
        model(&text.replace("<process ", r#"<process xmlns:camunda="http://camunda.org/schema/1.0/bpmn" "#))
            .start()
            .set_locally("check", json!({"note": "draft"}))
            .complete_with("check", json!({"note": "fine"}))
    };
    simple("").variables(json!({"note": "fine"}));
    // An output sees what was given, not the draft.
    simple(r#"<camunda:inputOutput><camunda:outputParameter name="result">${note}</camunda:outputParameter></camunda:inputOutput>"#)
        .variables(json!({"note": "fine", "result": "fine"}));
    // What the model itself gives the task is changed there.
    simple(
        r#"<camunda:inputOutput><camunda:inputParameter name="note">first</camunda:inputParameter>
        <camunda:outputParameter name="result">${note}</camunda:outputParameter></camunda:inputOutput>"#,
    )
    .variables(json!({"result": "fine"}));
}

#[test]
fn they_go_when_it_is_cancelled() {
    model(SIMPLE).start().set_locally("check", json!({"note": 1})).cancel().cancelled().no_variable("note");
}

#[test]
fn only_a_task_that_waits_has_them() {
    let s = model(SIMPLE).start();
    let task = s.key_of("check");
    s.complete("check").refuses("key-unknown").set_variables_of(task, json!({"note": 1})).waits_at(["after"]);
}

#[test]
fn outputs_and_listeners_see_them() {
    model(
        r#"<process id="p" isExecutable="true" xmlns:camunda="http://camunda.org/schema/1.0/bpmn">
          <startEvent id="start"/>
          <userTask id="check"><extensionElements>
            <camunda:executionListener event="end" expression="${execution.setVariable('heard', note)}"/>
            <camunda:inputOutput><camunda:outputParameter name="result">${note}</camunda:outputParameter></camunda:inputOutput>
          </extensionElements></userTask>
          <userTask id="after"/>
          <sequenceFlow id="f1" sourceRef="start" targetRef="check"/>
          <sequenceFlow id="f2" sourceRef="check" targetRef="after"/>
        </process>"#,
    )
    .start()
    .set_locally("check", json!({"note": "fine"}))
    .complete("check")
    .waits_at(["after"])
    .variables(json!({"heard": "fine", "result": "fine"}));
}

#[test]
fn a_boundary_event_sees_them_and_lets_them_go() {
    model(
        r#"<process id="p" isExecutable="true">
          <startEvent id="start"/><userTask id="check"/><userTask id="after"/><userTask id="rescue"/>
          <boundaryEvent id="bad" attachedToRef="check"><conditionalEventDefinition>
            <condition>= level > 3</condition></conditionalEventDefinition></boundaryEvent>
          <sequenceFlow id="f1" sourceRef="start" targetRef="check"/>
          <sequenceFlow id="f2" sourceRef="check" targetRef="after"/>
          <sequenceFlow id="f3" sourceRef="bad" targetRef="rescue"/>
        </process>"#,
    )
    .start()
    .set_locally("check", json!({"level": 2}))
    .waits_at(["check"])
    .set_locally("check", json!({"level": 4}))
    .waits_at(["rescue"])
    .no_variable("level")
    .complete("rescue")
    .completed();
}

#[test]
fn each_round_has_its_own() {
    model(
        r#"<process id="p" isExecutable="true">
          <startEvent id="start"/>
          <userTask id="vote"><multiInstanceLoopCharacteristics>
            <loopCardinality>= 2</loopCardinality></multiInstanceLoopCharacteristics></userTask>
          <endEvent id="end"/>
          <sequenceFlow id="f1" sourceRef="start" targetRef="vote"/>
          <sequenceFlow id="f2" sourceRef="vote" targetRef="end"/>
        </process>"#,
    )
    .start()
    .set_locally_at("vote", 1, json!({"draft": "yes"}))
    .nth_sees("vote", 0, "draft", json!(null))
    .nth_sees("vote", 1, "draft", "yes")
    .complete_nth("vote", 1, json!({}))
    .complete("vote")
    .completed()
    .no_variable("draft");
}

#[test]
fn what_compensates_the_task_sees_them() {
    model(
        r#"<process id="p" isExecutable="true">
          <startEvent id="start"/><userTask id="book"/>
          <boundaryEvent id="undo" attachedToRef="book"><compensateEventDefinition/></boundaryEvent>
          <userTask id="release" isForCompensation="true"/>
          <endEvent id="end"><compensateEventDefinition/></endEvent>
          <sequenceFlow id="f1" sourceRef="start" targetRef="book"/>
          <sequenceFlow id="f2" sourceRef="book" targetRef="end"/>
          <association id="a1" sourceRef="undo" targetRef="release" associationDirection="One"/>
        </process>"#,
    )
    .start()
    .set_locally("book", json!({"seat": "12A"}))
    .complete("book")
    .sees("release", "seat", "12A")
    .complete("release")
    .completed();
}

#[test]
fn they_go_with_it_to_another_version() {
    let new = SIMPLE.replace("<startEvent", "<dataObject id=\"d\"/><startEvent");
    versions(&[SIMPLE, &new])
        .version(1)
        .start()
        .set_locally("check", json!({"note": "draft"}))
        .migrate(|plan| plan)
        .sees("check", "note", "draft")
        .complete("check")
        .no_variable("note");
}
