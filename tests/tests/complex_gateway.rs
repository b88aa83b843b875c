//! Complex gateways: start at the activation condition, then wait for the rest and reset (BPMN 2.0.2 §13.4.5).

use potok_tests::{model, scenario};
use serde_json::json;

#[test]
fn a_discriminator_goes_on_with_the_first_of_three() {
    scenario("complex_gateway/discriminator.bpmn")
        .start()
        .complete("b")
        .waits_at(["a", "after", "c"])
        .complete("after")
        .complete("a")
        .active()
        .complete("c")
        .completed()
        .passed("after", 1);
}

#[test]
fn two_of_three_go_on_and_the_rest_comes_out_by_another_flow() {
    scenario("complex_gateway/two_of_three.bpmn")
        .start()
        .complete("a")
        .waits_at(["b", "c"])
        .complete("c")
        .waits_at(["after", "b"])
        .complete("b")
        .waits_at(["after", "rest"])
        .complete("after")
        .complete("rest")
        .completed();
}

#[test]
fn the_rest_comes_out_by_the_default_flow_if_no_condition_holds() {
    scenario("complex_gateway/default_at_reset.bpmn")
        .start()
        .complete("a")
        .complete("c")
        .waits_at(["after", "b"])
        .complete("b")
        .waits_at(["after", "rest"])
        .complete("after")
        .complete("rest")
        .completed();
}

#[test]
fn the_condition_sees_which_flows_have_tokens() {
    scenario("complex_gateway/named_flows.bpmn").start().complete("boss").waits_at(["after", "anna", "otto"]);
    scenario("complex_gateway/named_flows.bpmn")
        .start()
        .complete("anna")
        .waits_at(["boss", "otto"])
        .complete("otto")
        .waits_at(["after", "boss"]);
}

#[test]
fn a_gateway_in_a_loop_starts_again_after_its_reset() {
    scenario("complex_gateway/in_a_loop.bpmn")
        .start()
        .complete("a")
        .waits_at(["b", "decide"])
        .complete("b")
        .waits_at(["decide"])
        .complete_with("decide", json!({"redo": true}))
        .waits_at(["a", "b"])
        .complete("b")
        .waits_at(["a", "decide"])
        .complete("a")
        .complete_with("decide", json!({"redo": false}))
        .completed();
}

#[test]
fn tokens_of_the_next_round_are_kept_for_it() {
    // The loop comes back before the second branch of the first round has arrived.
    scenario("complex_gateway/in_a_loop.bpmn")
        .start()
        .complete("a")
        .complete_with("decide", json!({"redo": true}))
        .waits_at(["a", "b", "b"])
        .complete("b")
        .waits_at(["a", "b"])
        .complete("b")
        .waits_at(["a", "decide"])
        .complete("a")
        .complete_with("decide", json!({"redo": false}))
        .completed();
}

#[test]
fn a_rest_that_cannot_come_any_more_resets_the_gateway() {
    scenario("complex_gateway/rest_cannot_come.bpmn")
        .start()
        .complete("a")
        .waits_at(["after", "b"])
        .message("stop", json!({}))
        .waits_at(["after", "rest"])
        .complete("after")
        .complete("rest")
        .completed();
}

#[test]
fn as_a_split_it_takes_the_flows_whose_condition_holds_once() {
    scenario("complex_gateway/as_a_split.bpmn").start_with(json!({"x": 3})).waits_at(["a", "b"]);
    scenario("complex_gateway/as_a_split.bpmn").start_with(json!({"x": 0})).waits_at(["c"]).complete("c").completed();
}

#[test]
fn a_condition_that_fails_is_an_incident_that_can_be_resolved() {
    scenario("complex_gateway/condition_from_data.bpmn")
        .start()
        .complete("a")
        .incident("enough", "expression-failed")
        .set("needed", 2)
        .resolve("enough")
        .no_incident()
        .waits_at(["b"])
        .complete("b")
        .waits_at(["after"])
        .complete("after")
        .completed();
}

#[test]
fn what_came_too_early_for_the_reset_starts_the_next_round() {
    scenario("complex_gateway/in_a_loop.bpmn")
        .start()
        .complete("a")
        .complete_with("decide", json!({"redo": true}))
        .complete("a")
        .waits_at(["b", "b"])
        .joins(["first"])
        .complete_with("b", json!({"redo": false}))
        .waits_at(["b", "decide"])
        .joins([])
        .complete("b")
        .complete("decide")
        .completed();
}

/// A complex gateway that fires with the first token; the other token never comes to it, for `go` is false.
fn left_waiting(more: &str) -> String {
    format!(
        r#"
    <startEvent id="s"/>
    <parallelGateway id="fork"/>
    <exclusiveGateway id="choose"/>
    <complexGateway id="first"><activationCondition>activationCount >= 1</activationCondition></complexGateway>
    <endEvent id="e1"/>
    <endEvent id="e3"/>
    <sequenceFlow id="g1" sourceRef="s" targetRef="fork"/>
    <sequenceFlow id="g2" sourceRef="fork" targetRef="first"/>
    <sequenceFlow id="g3" sourceRef="fork" targetRef="choose"/>
    <sequenceFlow id="g4" sourceRef="choose" targetRef="first"><conditionExpression>go</conditionExpression></sequenceFlow>
    <sequenceFlow id="g5" sourceRef="choose" targetRef="e3"><conditionExpression>not(go)</conditionExpression></sequenceFlow>
    {more}"#
    )
}

const PLAIN_WAY: &str = r#"<sequenceFlow id="g6" sourceRef="first" targetRef="e1"/>"#;
const WAY_OF_RESET: &str = r#"
    <endEvent id="e2"/>
    <sequenceFlow id="g6" sourceRef="first" targetRef="e1"><conditionExpression>waitingForStart</conditionExpression></sequenceFlow>
    <sequenceFlow id="g7" sourceRef="first" targetRef="e2"><conditionExpression>not(waitingForStart)</conditionExpression></sequenceFlow>"#;

#[test]
fn a_sub_process_whose_last_gateway_is_reset_completes_once() {
    for way in [PLAIN_WAY, WAY_OF_RESET] {
        let inside = left_waiting(way);
        model(&format!(
            r#"<process id="p" isExecutable="true">
  <startEvent id="start"/>
  <subProcess id="inner">{inside}</subProcess>
  <boundaryEvent id="late" attachedToRef="inner"><timerEventDefinition><timeDuration>PT9H</timeDuration></timerEventDefinition></boundaryEvent>
  <userTask id="u1"/>
  <userTask id="u2"/>
  <endEvent id="end"/>
  <endEvent id="too_late"/>
  <sequenceFlow id="f1" sourceRef="start" targetRef="inner"/>
  <sequenceFlow id="f2" sourceRef="inner" targetRef="u1"/>
  <sequenceFlow id="f3" sourceRef="u1" targetRef="u2"/>
  <sequenceFlow id="f4" sourceRef="u2" targetRef="end"/>
  <sequenceFlow id="f5" sourceRef="late" targetRef="too_late"/>
</process>"#
        ))
        .start_with(json!({"go": false}))
        .waits_at(["u1"])
        .complete("u1")
        .waits_at(["u2"])
        .complete("u2")
        .completed()
        .passed("u2", 1);
    }
}

#[test]
fn a_process_whose_last_gateway_is_reset_completes_once() {
    for way in [PLAIN_WAY, WAY_OF_RESET] {
        model(&format!(r#"<process id="p" isExecutable="true">{}</process>"#, left_waiting(way)))
            .start_with(json!({"go": false}))
            .completed();
    }
}

#[test]
fn a_failing_condition_after_the_reset_is_asked_again_as_after_the_reset() {
    let way = r#"
    <userTask id="rest"/>
    <sequenceFlow id="g6" sourceRef="first" targetRef="e1"><conditionExpression>waitingForStart</conditionExpression></sequenceFlow>
    <sequenceFlow id="g7" sourceRef="first" targetRef="rest"><conditionExpression>if waitingForStart then false else ready</conditionExpression></sequenceFlow>"#;
    model(&format!(r#"<process id="p" isExecutable="true">{}</process>"#, left_waiting(way)))
        .start_with(json!({"go": false, "ready": 7}))
        .incident("first", "expression-failed")
        .set("ready", true)
        .resolve("first")
        .waits_at(["rest"])
        .complete("rest")
        .completed();
}

#[test]
fn a_way_out_of_a_boundary_event_to_a_filled_flow_does_not_reset_the_gateway() {
    scenario("complex_gateway/retry.bpmn")
        .start()
        .complete("a")
        .waits_at(["after", "b"])
        .complete("after")
        .waits_at(["b"])
        .complete("b")
        .completed()
        .passed("after", 1);
}

#[test]
fn outputs_are_computed_when_the_gateway_fires_and_not_again_when_it_is_reset() {
    model(
        r#"<process id="p" isExecutable="true">
  <startEvent id="start"/>
  <parallelGateway id="fork"/>
  <userTask id="a"/>
  <userTask id="b"/>
  <complexGateway id="first">
    <extensionElements><potok:output target="fired" source="=fired + 1"/></extensionElements>
    <activationCondition>activationCount >= 1</activationCondition>
  </complexGateway>
  <userTask id="rest"/>
  <endEvent id="end"/>
  <sequenceFlow id="f0" sourceRef="start" targetRef="fork"/>
  <sequenceFlow id="f1" sourceRef="fork" targetRef="a"/>
  <sequenceFlow id="f2" sourceRef="fork" targetRef="b"/>
  <sequenceFlow id="f3" sourceRef="a" targetRef="first"/>
  <sequenceFlow id="f4" sourceRef="b" targetRef="first"/>
  <sequenceFlow id="f5" sourceRef="first" targetRef="end"/>
  <sequenceFlow id="f6" sourceRef="first" targetRef="rest"><conditionExpression>not(waitingForStart)</conditionExpression></sequenceFlow>
</process>"#,
    )
    .start_with(json!({"fired": 0}))
    .complete("a")
    .waits_at(["b"])
    .variable("fired", 1)
    .complete("b")
    .waits_at(["rest"])
    .variable("fired", 1)
    .complete("rest")
    .completed();
}
