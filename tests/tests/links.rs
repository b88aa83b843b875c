//! Link events: a flow that is not drawn (BPMN 2.0.2 §10.5.5).

use potok_tests::{model, scenario};
use serde_json::json;

#[test]
fn several_throws_lead_to_one_catch() {
    scenario("links/several_throws.bpmn")
        .start_with(json!({"way": "a"}))
        .complete("a")
        .waits_at(["after"])
        .complete("after")
        .completed()
        .trace("start choose a from_a over after end");
    scenario("links/several_throws.bpmn").start().complete("b").waits_at(["after"]).passed("from_b", 1);
}

#[test]
fn links_of_one_name_stay_within_their_sub_process() {
    scenario("links/in_sub_process.bpmn")
        .start()
        .waits_at(["deep"])
        .complete("deep")
        .waits_at(["after"])
        .complete("after")
        .completed()
        .trace("start inside begin away back deep done jump landed after end");
}

#[test]
fn a_link_may_lead_back() {
    scenario("links/loop.bpmn")
        .start()
        .complete_with("work", json!({"more": true}))
        .waits_at(["work"])
        .complete_with("work", json!({"more": false}))
        .completed()
        .trace("start work again back here work again end");
}

#[test]
fn mappings_of_a_throwing_link_are_computed() {
    model(
        r#"<process id="p" isExecutable="true">
  <startEvent id="start"/>
  <intermediateThrowEvent id="away">
    <extensionElements>
      <potok:input target="twice" source="=2 * amount"/>
      <potok:output target="total" source="=twice + 1"/>
    </extensionElements>
    <linkEventDefinition id="l1" name="over"/>
  </intermediateThrowEvent>
  <intermediateCatchEvent id="over"><linkEventDefinition id="l2" name="over"/></intermediateCatchEvent>
  <userTask id="after"/>
  <sequenceFlow id="f0" sourceRef="start" targetRef="away"/>
  <sequenceFlow id="f1" sourceRef="over" targetRef="after"/>
</process>"#,
    )
    .start_with(json!({"amount": 3}))
    .waits_at(["after"])
    .variable("total", 7)
    .no_variable("twice");
}
