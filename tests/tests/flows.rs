//! Sequence flows: conditional, default, forking and merging without gateways, loops of any shape (BPMN 2.0.2 §8.4.13, §13.2.1).

use potok_tests::{model, scenario};
use serde_json::json;

#[test]
fn an_activity_takes_all_flows_whose_condition_holds() {
    scenario("flows/conditional_from_activity.bpmn")
        .start()
        .complete_with("decide", json!({"x": 3}))
        .waits_at(["a", "b"])
        .complete("a")
        .complete("b")
        .completed();
}

#[test]
fn an_activity_takes_its_default_only_alone() {
    scenario("flows/conditional_from_activity.bpmn").start().complete_with("decide", json!({"x": 0})).waits_at(["c"]);
}

#[test]
fn a_flow_without_a_condition_is_always_taken() {
    scenario("flows/conditional_beside_unconditional.bpmn")
        .start()
        .complete_with("decide", json!({"x": 0}))
        .waits_at(["always"]);
    scenario("flows/conditional_beside_unconditional.bpmn")
        .start()
        .complete_with("decide", json!({"x": 2}))
        .waits_at(["always", "sometimes"]);
}

#[test]
fn an_activity_without_a_way_out_is_stuck_after_its_work() {
    scenario("flows/conditional_without_default.bpmn")
        .start()
        .complete_with("decide", json!({"x": 0}))
        .incident("decide", "no-flow-taken")
        .set("x", 2)
        .resolve("decide")
        .waits_at(["a"])
        .passed("decide", 1);
}

#[test]
fn a_condition_that_is_neither_true_nor_false_is_an_incident() {
    scenario("flows/condition_fails.bpmn")
        .start()
        .complete_with("decide", json!({"amount": 7}))
        .incident("decide", "expression-failed")
        .incident_says("amount")
        .set("amount", false)
        .resolve("decide")
        .waits_at(["b"]);
}

#[test]
fn without_gateways_flows_fork_and_do_not_join() {
    scenario("flows/implicit_fork_and_merge.bpmn")
        .start()
        .waits_at(["a", "b"])
        .complete("a")
        .waits_at(["b", "both"])
        .complete("b")
        .waits_at(["both", "both"])
        .complete("both")
        .complete("both")
        .completed()
        .passed("end", 2);
}

#[test]
fn paths_may_end_without_end_events() {
    scenario("flows/no_end_event.bpmn").start().complete("b").active().complete("a").completed().trace("start a b");
}

#[test]
fn loops_may_cross() {
    scenario("flows/loops.bpmn")
        .start()
        .complete("draft")
        .complete_with("review", json!({"verdict": "again"}))
        .complete_with("review", json!({"verdict": "redo"}))
        .complete("draft")
        .complete_with("review", json!({"verdict": "fine"}))
        .complete_with("publish", json!({"seen": false}))
        .complete("draft")
        .complete("review")
        .complete_with("publish", json!({"seen": true}))
        .completed()
        .passed("draft", 3)
        .passed("review", 4)
        .passed("publish", 2);
}

#[test]
fn an_activity_may_follow_itself() {
    scenario("flows/self_loop.bpmn")
        .start()
        .complete_with("work", json!({"more": true}))
        .waits_at(["work"])
        .complete_with("work", json!({"more": false}))
        .completed()
        .trace("start work work end");
}

#[test]
fn a_sub_process_may_follow_itself() {
    scenario("flows/loop_from_sub_process.bpmn")
        .start()
        .complete_with("inside", json!({"more": true}))
        .waits_at(["inside"])
        .complete_with("inside", json!({"more": false}))
        .completed()
        .trace("start round begin inside done round begin inside done end");
}

#[test]
fn an_activity_may_gather_tokens_and_give_several() {
    scenario("flows/quantities.bpmn")
        .start()
        .waits_at(["work"])
        .complete("work")
        .waits_at(["each", "each"])
        .complete("each")
        .complete("each")
        .completed();
}

#[test]
fn an_error_of_a_take_listener_ends_the_fork_with_its_scope() {
    let fork = |listener: &str| {
        format!(
            r#"<error id="E" errorCode="E"/>
<process id="p" isExecutable="true">
  <startEvent id="start"/>
  <subProcess id="inner">
    <startEvent id="begin"/>
    <parallelGateway id="fork"/>
    <userTask id="u1"/>
    <userTask id="u2"/>
    <sequenceFlow id="g1" sourceRef="begin" targetRef="fork"/>
    <sequenceFlow id="g2" sourceRef="fork" targetRef="u1">
      <extensionElements><camunda:executionListener event="take">{listener}</camunda:executionListener></extensionElements>
    </sequenceFlow>
    <sequenceFlow id="g3" sourceRef="fork" targetRef="u2"/>
  </subProcess>
  <boundaryEvent id="failed" attachedToRef="inner"><errorEventDefinition errorRef="E"/></boundaryEvent>
  <userTask id="after"/>
  <endEvent id="end"/>
  <sequenceFlow id="f1" sourceRef="start" targetRef="inner"/>
  <sequenceFlow id="f2" sourceRef="inner" targetRef="end"/>
  <sequenceFlow id="f3" sourceRef="failed" targetRef="after"/>
</process>"#
        )
    };
    let throws = r#"<camunda:script scriptFormat="javascript">throw new BpmnError("E")</camunda:script>"#;
    model(&fork(throws)).start().waits_at(["after"]).complete("after").completed();
}

#[test]
fn a_take_listener_that_fails_holds_up_its_own_flow_only() {
    model(
        r#"<process id="p" isExecutable="true">
  <startEvent id="start"/>
  <parallelGateway id="fork"/>
  <userTask id="u1"/>
  <userTask id="u2"/>
  <sequenceFlow id="f1" sourceRef="start" targetRef="fork"/>
  <sequenceFlow id="f2" sourceRef="fork" targetRef="u1">
    <extensionElements>
      <camunda:executionListener event="take" expression="${execution.setVariable('count', count + 1)}"/>
      <camunda:executionListener event="take" expression="${missing}"/>
    </extensionElements>
  </sequenceFlow>
  <sequenceFlow id="f3" sourceRef="fork" targetRef="u2"/>
</process>"#,
    )
    .start_with(json!({"count": 0}))
    .waits_at(["fork", "u2"])
    .incident("fork", "expression-failed")
    .set("missing", 1)
    .resolve("fork")
    .waits_at(["u1", "u2"])
    .variable("count", 1);
}
