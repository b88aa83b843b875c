//! Multi-instance activities.

use potok_tests::{model, scenario};
use serde_json::json;

#[test]
fn parallel_instances_complete_in_any_order() {
    scenario("loops/parallel.bpmn")
        .start()
        .waits_at(["sign", "sign", "sign"])
        .nth_sees("sign", 2, "loopCounter", 3)
        .complete_nth("sign", 1, json!({}))
        .waits_at(["sign", "sign"])
        .sees("sign", "numberOfInstances", 3)
        .sees("sign", "numberOfActiveInstances", 2)
        .sees("sign", "numberOfCompletedInstances", 1)
        .complete_nth("sign", 1, json!({}))
        .complete("sign")
        .completed()
        .trace("start sign sign sign end");
}

#[test]
fn number_of_instances_is_whole() {
    let counted = |count: serde_json::Value| {
        model(
            r#"<process id="p" isExecutable="true">
              <startEvent id="start"/>
              <userTask id="sign"><multiInstanceLoopCharacteristics><loopCardinality>count</loopCardinality>
              </multiInstanceLoopCharacteristics></userTask>
              <sequenceFlow id="f1" sourceRef="start" targetRef="sign"/>
            </process>"#,
        )
        .start_with(json!({"count": count}))
    };
    counted(json!(2.0)).waits_at(["sign", "sign"]);
    counted(json!("2")).waits_at(["sign", "sign"]);
    for count in [json!(1.5), json!(-1), json!(null), json!([1, 2]), json!("two")] {
        counted(count).incident("sign", "expression-failed").incident_says("not a whole number of at least 0");
    }
}

#[test]
fn sequential_instances_follow_each_other() {
    scenario("loops/sequential.bpmn")
        .start_with(json!({"count": 2}))
        .waits_at(["sign"])
        .sees("sign", "loopCounter", 1)
        .complete("sign")
        .sees("sign", "loopCounter", 2)
        .complete("sign")
        .completed();
}

#[test]
fn number_of_instances_may_be_none() {
    scenario("loops/sequential.bpmn").start_with(json!({"count": 0})).completed().trace("start sign end");
}

#[test]
fn number_of_instances_that_is_none_is_an_incident_until_mended() {
    scenario("loops/sequential.bpmn")
        .start_with(json!({"count": -1}))
        .incident("sign", "expression-failed")
        .set("count", 1)
        .resolve("sign")
        .waits_at(["sign"])
        .complete("sign")
        .completed();
}

#[test]
fn results_stand_in_the_order_of_the_items() {
    scenario("loops/collection.bpmn")
        .start_with(json!({"reviewers": ["anna", "boris", "clara"]}))
        .nth_sees("review", 0, "reviewer", "anna")
        .nth_sees("review", 2, "reviewer", "clara")
        .complete_nth("review", 2, json!({"verdict": "third"}))
        .complete_nth("review", 0, json!({"verdict": "first"}))
        .complete_nth("review", 0, json!({"verdict": "second"}))
        .completed()
        .variable("verdicts", json!(["first", "second", "third"]))
        .no_variable("reviewer");
}

#[test]
fn empty_collection_passes_and_gives_an_empty_list() {
    scenario("loops/collection.bpmn")
        .start_with(json!({"reviewers": []}))
        .completed()
        .variable("verdicts", json!([]))
        .trace("start review end");
}

#[test]
fn collection_that_is_no_list_is_an_incident_until_mended() {
    scenario("loops/collection.bpmn")
        .start_with(json!({"reviewers": 5}))
        .incident("review", "expression-failed")
        .set("reviewers", json!(["anna"]))
        .resolve("review")
        .sees("review", "reviewer", "anna")
        .complete_with("review", json!({"verdict": "good"}))
        .completed()
        .variable("verdicts", json!(["good"]));
}

#[test]
fn loop_data_of_plain_bpmn() {
    scenario("loops/data.bpmn")
        .start_with(json!({"orders": [{"id": 1}, {"id": 2}]}))
        .nth_sees("pay", 0, "order", json!({"id": 1}))
        .nth_sees("pay", 1, "order", json!({"id": 2}))
        .job("pay", json!({"receipt": "R1"}))
        .job("pay", json!({"receipt": "R2"}))
        .completed()
        .variable("receipts", json!(["R1", "R2"]))
        .no_variable("receipt");
}

#[test]
fn completion_condition_cancels_the_others() {
    scenario("loops/enough.bpmn")
        .start_with(json!({"voters": ["a", "b", "c", "d"]}))
        .complete_nth("vote", 1, json!({"vote": "yes"}))
        .waits_at(["vote", "vote", "vote"])
        .complete_nth("vote", 2, json!({"vote": "no"}))
        .completed()
        .variable("votes", json!([null, "yes", null, "no"]))
        .trace("start vote vote vote vote end");
}

#[test]
fn completion_condition_ends_a_sequence() {
    scenario("loops/sequential_enough.bpmn")
        .start_with(json!({"people": ["a", "b", "c"], "accepted": false}))
        .complete("ask")
        .sees("ask", "person", "b")
        .complete_with("ask", json!({"accepted": true}))
        .completed()
        .trace("start ask ask end");
}

#[test]
fn instances_nest() {
    scenario("loops/nested.bpmn")
        .start_with(json!({"book": [[1, 2], [], [3]]}))
        .waits_at(["read", "read"])
        .nth_sees("read", 1, "page", 2)
        .complete("read")
        .complete("read")
        .waits_at(["read"])
        .sees("read", "page", 3)
        .sees("read", "loopCounter", 1)
        .complete("read")
        .completed()
        .passed("open", 3);
}

#[test]
fn boundary_event_of_the_activity_ends_all_instances() {
    scenario("loops/boundary.bpmn")
        .start_with(json!({"parcels": ["a", "b", "c"]}))
        .complete("drive")
        .travel("PT30M")
        .waits_at(["call", "drive", "drive"])
        .travel("PT30M")
        .waits_at(["call", "wait"])
        .complete("wait")
        .complete("call")
        .completed();
}

#[test]
fn error_of_one_instance_ends_all() {
    scenario("loops/error.bpmn")
        .start()
        .job("check", json!({}))
        .error("check", "broken")
        .waits_at(["repair"])
        .complete("repair")
        .completed();
}

#[test]
fn each_instance_has_its_own_data_and_event_sub_processes() {
    scenario("loops/local.bpmn")
        .start_with(json!({"items": ["a", "b"]}))
        .complete_with("write", json!({"note": "for a"}))
        .complete_with("write", json!({"note": "for b"}))
        .nth_sees("read", 0, "note", "for a")
        .nth_sees("read", 1, "note", "for b")
        .no_variable("note")
        .signal("alarm")
        .waits_at(["react", "react", "read", "read"])
        .nth_sees("react", 1, "item", "b")
        .complete("read")
        .complete("read")
        .complete("react")
        .waits_at(["react"])
        .complete("react")
        .completed();
}

#[test]
fn behavior_none_throws_on_each_completion() {
    scenario("loops/none_behavior.bpmn")
        .start()
        .complete("sign")
        .passed("count", 1)
        .complete("sign")
        .complete("sign")
        .completed()
        .passed("count", 3);
}

#[test]
fn behavior_one_throws_on_the_first_completion() {
    scenario("loops/one_behavior.bpmn")
        .start()
        .complete("sign")
        .complete("sign")
        .complete("sign")
        .completed()
        .passed("count", 1);
}

#[test]
fn event_of_behavior_one_can_end_the_activity() {
    scenario("loops/one_behavior_interrupting.bpmn")
        .start()
        .complete_nth("sign", 1, json!({}))
        .waits_at(["thank"])
        .complete("thank")
        .completed();
}

#[test]
fn a_behavior_throws_its_own_event_of_two() {
    for (behavior, times) in [("None", 2), ("One", 0), ("All", 0)] {
        model(&format!(
            r#"<signal id="each" name="each"/><signal id="first" name="first"/>
  <signalEventDefinition id="on_each" signalRef="each"/><signalEventDefinition id="on_first" signalRef="first"/>
  <process id="p" isExecutable="true">
    <startEvent id="start"/>
    <userTask id="sign">
      <multiInstanceLoopCharacteristics behavior="{behavior}" noneBehaviorEventRef="on_each" oneBehaviorEventRef="on_first">
        <loopCardinality>2</loopCardinality>
      </multiInstanceLoopCharacteristics>
    </userTask>
    <boundaryEvent id="one" attachedToRef="sign" cancelActivity="false"><signalEventDefinition signalRef="each"/></boundaryEvent>
    <endEvent id="end"/>
    <sequenceFlow id="f1" sourceRef="start" targetRef="sign"/>
    <sequenceFlow id="f2" sourceRef="sign" targetRef="end"/>
    <sequenceFlow id="f3" sourceRef="one" targetRef="end"/>
  </process>"#
        ))
        .start()
        .complete("sign")
        .complete("sign")
        .completed()
        .passed("one", times);
    }
}

#[test]
fn an_error_of_a_round_that_nothing_catches_ends_the_round_in_camunda() {
    model(
        r#"<error id="full" errorCode="full"/><errorEventDefinition id="on_each" errorRef="full"/>
  <process id="p" isExecutable="true" camunda:historyTimeToLive="P1D" xmlns:camunda="http://camunda.org/schema/1.0/bpmn">
    <startEvent id="start"/>
    <userTask id="sign" camunda:assignee="ada">
      <multiInstanceLoopCharacteristics behavior="None" noneBehaviorEventRef="on_each">
        <loopCardinality>2</loopCardinality>
      </multiInstanceLoopCharacteristics>
    </userTask>
    <endEvent id="end"/>
    <sequenceFlow id="f1" sourceRef="start" targetRef="sign"/>
    <sequenceFlow id="f2" sourceRef="sign" targetRef="end"/>
  </process>"#,
    )
    .start()
    .complete("sign")
    .waits_at(["sign"])
    .complete("sign")
    .completed();
}

#[test]
fn behavior_complex_throws_where_its_condition_holds() {
    scenario("loops/complex_behavior.bpmn")
        .start()
        .complete("sign")
        .passed("note", 0)
        .complete("sign")
        .passed("note", 1)
        .complete("sign")
        .complete("sign")
        .completed()
        .passed("note", 1);
}

#[test]
fn instances_of_zeebe() {
    scenario("loops/zeebe.bpmn")
        .start_with(json!({"numbers": [1, 2]}))
        .nth_sees("double", 1, "number", 2)
        .job("double", json!({"result": 2}))
        .job("double", json!({"result": 4}))
        .completed()
        .variable("doubles", json!([2, 4]))
        .no_variable("result");
}

#[test]
fn instances_of_camunda_are_counted_from_zero() {
    scenario("loops/camunda.bpmn")
        .start_with(json!({"people": ["a", "b"]}))
        .nth_sees("ask", 0, "loopCounter", 0)
        .nth_sees("ask", 1, "loopCounter", 1)
        .nth_sees("ask", 1, "nrOfInstances", 2)
        .nth_sees("ask", 1, "person", "b")
        .complete("ask")
        .complete("ask")
        .completed();
}

#[test]
fn each_instance_calls_a_process() {
    scenario("loops/called.bpmn")
        .start_with(json!({"names": ["a", "b"]}))
        .has_instances("checking", 2)
        .nth_instance_of("checking", 1)
        .sees("look", "name", "b")
        .complete_with("look", json!({"result": "B"}))
        .completed()
        .nth_instance_of("checking", 0)
        .complete_with("look", json!({"result": "A"}))
        .main_instance()
        .completed()
        .variable("results", json!(["A", "B"]));
}

#[test]
fn each_message_completes_one_instance() {
    scenario("loops/messages.bpmn")
        .start()
        .waits_at(["collect", "collect"])
        .message("offer", json!({"price": 5}))
        .waits_at(["collect"])
        .message("offer", json!({"price": 7}))
        .completed()
        .variable("offers", json!([5, 7]));
}

#[test]
fn messages_are_kept_for_later_instances() {
    scenario("loops/sequential_messages.bpmn")
        .start()
        .message("offer", json!({}))
        .message("offer", json!({}))
        .completed()
        .kept_messages(0);
}

#[test]
fn automatic_instances_run_at_once() {
    let numbers: Vec<_> = (1..=200).collect();
    scenario("loops/automatic.bpmn").start_with(json!({"numbers": numbers})).completed().variable("total", 2_686_700);
}

#[test]
fn each_instance_of_an_ad_hoc_sub_process_is_begun_of_its_own() {
    scenario("loops/ad_hoc.bpmn")
        .start_with(json!({"patients": ["a", "b"]}))
        .waits_at(["visit", "visit"])
        .activate("visit", ["examine"])
        .waits_at(["examine", "visit"])
        .sees("examine", "patient", "a")
        .complete("examine")
        .waits_at(["visit"])
        .activate("visit", ["examine"])
        .sees("examine", "patient", "b")
        .complete("examine")
        .completed();
}

#[test]
fn error_of_a_called_process_cancels_the_other_calls() {
    scenario("loops/called_error.bpmn")
        .start()
        .nth_instance_of("checking", 1)
        .complete("look")
        .failed("bad")
        .nth_instance_of("checking", 0)
        .cancelled()
        .nth_instance_of("checking", 2)
        .cancelled()
        .main_instance()
        .completed();
}

#[test]
fn escalation_of_an_instance_reaches_the_boundary() {
    scenario("loops/escalation.bpmn")
        .start()
        .waits_at(["assist", "do"])
        .complete("do")
        .waits_at(["assist", "assist", "do"])
        .complete("do")
        .complete("assist")
        .complete("assist")
        .completed();
}

#[test]
fn results_go_to_the_data_around() {
    scenario("loops/own_collection.bpmn")
        .start()
        .complete_with("ask", json!({"answer": 1}))
        .complete_with("ask", json!({"answer": 2}))
        .sees("read", "results", json!([1, 2]))
        .no_variable("results");
}

#[test]
fn each_token_has_instances_of_its_own() {
    scenario("loops/two_tokens.bpmn")
        .start()
        .waits_at(["sign", "sign", "sign", "sign"])
        .complete_nth("sign", 2, json!({}))
        .complete_nth("sign", 2, json!({}))
        .waits_at(["sign", "sign"])
        .passed("end", 1)
        .complete("sign")
        .complete("sign")
        .completed()
        .passed("end", 2);
}

#[test]
fn a_compensation_thrown_by_a_round_undoes_what_was_done_before_the_loop() {
    model(
        r#"<compensateEventDefinition id="undo_all"/>
<process id="p" isExecutable="true">
  <startEvent id="start"/>
  <task id="book"/>
  <boundaryEvent id="booked" attachedToRef="book"><compensateEventDefinition/></boundaryEvent>
  <userTask id="unbook" isForCompensation="true"/>
  <association id="a" sourceRef="booked" targetRef="unbook" associationDirection="One"/>
  <userTask id="vote">
    <multiInstanceLoopCharacteristics behavior="None" noneBehaviorEventRef="undo_all">
      <loopCardinality>2</loopCardinality>
    </multiInstanceLoopCharacteristics>
  </userTask>
  <endEvent id="end"/>
  <sequenceFlow id="f1" sourceRef="start" targetRef="book"/>
  <sequenceFlow id="f2" sourceRef="book" targetRef="vote"/>
  <sequenceFlow id="f3" sourceRef="vote" targetRef="end"/>
</process>"#,
    )
    .start()
    .waits_at(["vote", "vote"])
    .complete("vote")
    .waits_at(["unbook", "vote"])
    .complete("unbook")
    .waits_at(["vote"])
    .complete("vote")
    .completed()
    .passed("unbook", 1);
}

#[test]
fn events_of_a_round_that_is_stuck_are_not_thrown_twice() {
    let stuck = model(
        r#"<signal id="one" name="one"/><signal id="two" name="two-${suffix}"/>
  <process id="p" isExecutable="true">
    <startEvent id="start"/>
    <task id="work"><multiInstanceLoopCharacteristics isSequential="true" behavior="Complex">
      <loopCardinality>1</loopCardinality>
      <complexBehaviorDefinition><condition>true</condition><event id="first"><signalEventDefinition signalRef="one"/></event></complexBehaviorDefinition>
      <complexBehaviorDefinition><condition>true</condition><event id="second"><signalEventDefinition signalRef="two"/></event></complexBehaviorDefinition>
    </multiInstanceLoopCharacteristics></task>
    <boundaryEvent id="on_one" attachedToRef="work" cancelActivity="false"><signalEventDefinition signalRef="one"/></boundaryEvent>
    <endEvent id="end"/>
    <sequenceFlow id="f1" sourceRef="start" targetRef="work"/>
    <sequenceFlow id="f2" sourceRef="work" targetRef="end"/>
    <sequenceFlow id="f3" sourceRef="on_one" targetRef="end"/>
  </process>"#,
    );
    stuck
        .start()
        .incident("work", "expression-failed")
        .passed("on_one", 1)
        .resolve("work")
        .incident("work", "expression-failed")
        .passed("on_one", 1)
        .set("suffix", "b")
        .resolve("work")
        .completed()
        .passed("on_one", 1);
}

#[test]
fn assignments_and_transformations_compute_what_a_loop_reads_and_writes() {
    scenario("loops/data_transformation.bpmn")
        .start()
        .sees("count", "shelf", "a")
        .complete_with("count", json!({"counted": 3}))
        .sees("count", "shelf", "b")
        .complete_with("count", json!({"counted": 4}))
        .completed()
        .variable("total", 7)
        .no_variable("counts");
}

#[test]
fn all_associations_and_assignments_of_the_loops_data_count() {
    scenario("loops/data_assignments.bpmn")
        .start_with(json!({"upstairs": ["a"], "downstairs": ["b"], "report": {"by": "anna"}}))
        .sees("count", "shelf", "a")
        .complete_with("count", json!({"counted": 3}))
        .sees("count", "shelf", "b")
        .complete_with("count", json!({"counted": 4}))
        .completed()
        .variable("total", 7)
        .variable("report", json!({"by": "anna", "counts": [3, 4], "most": 4}))
        .variable("kept", json!([3, 4]))
        .no_variable("counts")
        .no_variable("shelves");
}

#[test]
fn items_are_associated_with_inputs_and_outputs_of_each_round() {
    scenario("loops/data_items.bpmn")
        .start_with(json!({"amounts": [7, 8]}))
        .nth_sees("check", 0, "amount", 7)
        .nth_sees("check", 1, "amount", 8)
        .complete_nth("check", 1, json!({"answer": 2}))
        .complete_with("check", json!({"answer": 1}))
        .completed()
        .variables(json!({"amounts": [7, 8], "checked": [1, 2], "doubled": [2, 4]}));
}
