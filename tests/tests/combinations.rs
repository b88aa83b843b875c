//! Elements that meet: loops, gateways, scopes and events in and around each other.

use potok_tests::model;
use serde_json::json;

#[test]
fn quantities_count_the_activity_and_not_its_rounds() {
    model(
        r#"<process id="p" isExecutable="true"><startEvent id="start"/>
      <userTask id="t" startQuantity="2" completionQuantity="2"><multiInstanceLoopCharacteristics>
      <loopCardinality>2</loopCardinality></multiInstanceLoopCharacteristics></userTask>
      <parallelGateway id="g"/><userTask id="u"/>
    <sequenceFlow id="a" sourceRef="start" targetRef="g"/>
    <sequenceFlow id="a1" sourceRef="g" targetRef="t"/><sequenceFlow id="a2" sourceRef="g" targetRef="t"/>
    <sequenceFlow id="b" sourceRef="t" targetRef="u"/></process>"#,
    )
    .start()
    .waits_at(["t", "t"])
    .complete("t")
    .complete("t")
    .waits_at(["u", "u"])
    .complete("u")
    .complete("u")
    .completed();
}

#[test]
fn conversation_learns_a_second_property_from_a_later_message() {
    let s = model(
        r#"<message id="order" name="order"/><message id="offer" name="offer"/><message id="paid" name="paid"/>
    <correlationProperty id="number" name="number">
      <correlationPropertyRetrievalExpression messageRef="order"><messagePath>n</messagePath>
      </correlationPropertyRetrievalExpression>
      <correlationPropertyRetrievalExpression messageRef="offer"><messagePath>about.order</messagePath>
      </correlationPropertyRetrievalExpression>
    </correlationProperty>
    <correlationProperty id="invoice" name="invoice">
      <correlationPropertyRetrievalExpression messageRef="offer"><messagePath>invoice</messagePath>
      </correlationPropertyRetrievalExpression>
      <correlationPropertyRetrievalExpression messageRef="paid"><messagePath>invoice</messagePath>
      </correlationPropertyRetrievalExpression>
    </correlationProperty>
    <process id="p" isExecutable="true"><startEvent id="start"><messageEventDefinition messageRef="order"/>
    </startEvent>
    <intermediateCatchEvent id="offered"><messageEventDefinition messageRef="offer"/>
    </intermediateCatchEvent>
    <receiveTask id="pay" messageRef="paid"/><userTask id="u"/>
    <sequenceFlow id="a" sourceRef="start" targetRef="offered"/>
    <sequenceFlow id="b" sourceRef="offered" targetRef="pay"/>
    <sequenceFlow id="c" sourceRef="pay" targetRef="u"/></process>"#,
    );
    s.message("order", json!({"n": 1}))
        .message("order", json!({"n": 2}))
        .message("offer", json!({"about": {"order": 2}, "invoice": "I2"}))
        .nth_instance_of("p", 0)
        .waits_at(["offered"])
        .nth_instance_of("p", 1)
        .waits_at(["pay"])
        .message("offer", json!({"about": {"order": 1}, "invoice": "I1"}))
        .message("paid", json!({"invoice": "I1"}))
        .nth_instance_of("p", 0)
        .waits_at(["u"])
        .nth_instance_of("p", 1)
        .waits_at(["pay"]);
}

#[test]
fn terminate_ends_one_round_in_a_transaction() {
    model(
        r#"<process id="p" isExecutable="true"><startEvent id="start"/>
    <transaction id="tx"><startEvent id="ts"/>
      <subProcess id="mi"><multiInstanceLoopCharacteristics><loopCardinality>2</loopCardinality>
      </multiInstanceLoopCharacteristics>
        <startEvent id="ms"/><parallelGateway id="g"/><userTask id="w"/><userTask id="stop"/>
        <endEvent id="term"><terminateEventDefinition/></endEvent>
        <sequenceFlow id="m1" sourceRef="ms" targetRef="g"/>
        <sequenceFlow id="m2" sourceRef="g" targetRef="w"/>
        <sequenceFlow id="m3" sourceRef="g" targetRef="stop"/>
        <sequenceFlow id="m4" sourceRef="stop" targetRef="term"/>
      </subProcess><endEvent id="te"/>
      <sequenceFlow id="t1" sourceRef="ts" targetRef="mi"/>
      <sequenceFlow id="t2" sourceRef="mi" targetRef="te"/>
    </transaction><userTask id="after"/>
    <sequenceFlow id="a" sourceRef="start" targetRef="tx"/>
    <sequenceFlow id="b" sourceRef="tx" targetRef="after"/></process>"#,
    )
    .start()
    .waits_at(["stop", "stop", "w", "w"])
    .complete("stop")
    .waits_at(["stop", "w"])
    .complete("stop")
    .waits_at(["after"])
    .complete("after")
    .completed();
}

#[test]
fn compensation_sees_the_data_of_each_round() {
    model(
        r#"<process id="p" isExecutable="true"><startEvent id="start"/>
      <subProcess id="mi"><multiInstanceLoopCharacteristics isSequential="true">
      <loopDataInputRef>items</loopDataInputRef><inputDataItem id="item" name="item"/>
      </multiInstanceLoopCharacteristics>
        <startEvent id="ms"/><task id="book"/><boundaryEvent id="c" attachedToRef="book">
        <compensateEventDefinition/></boundaryEvent><userTask id="undo" isForCompensation="true"/>
        <association id="as" sourceRef="c" targetRef="undo" associationDirection="One"/>
        <sequenceFlow id="m1" sourceRef="ms" targetRef="book"/>
      </subProcess><endEvent id="te"><compensateEventDefinition activityRef="mi"/></endEvent>
      <property id="items" name="items"/>
    <sequenceFlow id="a" sourceRef="start" targetRef="mi"/>
    <sequenceFlow id="b" sourceRef="mi" targetRef="te"/></process>"#,
    )
    .start_with(json!({"items": ["a","b"]}))
    .waits_at(["undo"])
    .sees("undo", "item", "b")
    .complete("undo")
    .sees("undo", "item", "a")
    .complete("undo")
    .completed();
}

#[test]
fn parallel_multiple_boundary_event_counts_each_definition_once() {
    model(
        r#"<signal id="s" name="s"/><message id="m" name="m"/><process id="p" isExecutable="true">
      <startEvent id="start"/>
      <userTask id="w"/>
      <boundaryEvent id="b" attachedToRef="w" cancelActivity="false" parallelMultiple="true">
      <signalEventDefinition signalRef="s"/><messageEventDefinition messageRef="m"/></boundaryEvent>
      <userTask id="x"/>
    <sequenceFlow id="a" sourceRef="start" targetRef="w"/>
    <sequenceFlow id="bb" sourceRef="b" targetRef="x"/></process>"#,
    )
    .start()
    .signal("s")
    .waits_at(["w"])
    .signal("s")
    .waits_at(["w"])
    .message("m", json!({}))
    .waits_at(["w", "x"])
    .message("m", json!({}))
    .waits_at(["w", "x"])
    .signal("s")
    .waits_at(["w", "x", "x"]);
}

#[test]
fn inclusive_join_in_a_loop_with_a_boundary_event() {
    model(
        r#"<process id="p" isExecutable="true"><startEvent id="start"/>
      <exclusiveGateway id="again"/><inclusiveGateway id="split" default="d"/><userTask id="a"/>
      <userTask id="b"/>
      <boundaryEvent id="late" attachedToRef="b"><timerEventDefinition><timeDuration>PT1H</timeDuration>
      </timerEventDefinition></boundaryEvent>
      <endEvent id="gone"/>
      <inclusiveGateway id="join"/><exclusiveGateway id="more" default="out"/><userTask id="done"/>
      <sequenceFlow id="f0" sourceRef="start" targetRef="again"/>
      <sequenceFlow id="f1" sourceRef="again" targetRef="split"/>
      <sequenceFlow id="fa" sourceRef="split" targetRef="a"><conditionExpression>true</conditionExpression>
      </sequenceFlow>
      <sequenceFlow id="fb" sourceRef="split" targetRef="b"><conditionExpression>both</conditionExpression>
      </sequenceFlow>
      <sequenceFlow id="d" sourceRef="split" targetRef="join"/>
      <sequenceFlow id="aj" sourceRef="a" targetRef="join"/>
      <sequenceFlow id="bj" sourceRef="b" targetRef="join"/>
      <sequenceFlow id="lg" sourceRef="late" targetRef="gone"/>
      <sequenceFlow id="jm" sourceRef="join" targetRef="more"/>
      <sequenceFlow id="back" sourceRef="more" targetRef="again">
      <conditionExpression>repeat</conditionExpression></sequenceFlow>
      <sequenceFlow id="out" sourceRef="more" targetRef="done"/></process>"#,
    )
    .start_with(json!({"both": true, "repeat": true}))
    .waits_at(["a", "b"])
    .complete("a")
    .joins(["join"])
    .travel("PT1H")
    .waits_at(["a", "b"])
    .complete("b")
    .joins(["join"])
    .complete_with("a", json!({"repeat": false}))
    .waits_at(["done"])
    .complete("done")
    .completed();
}

#[test]
fn instances_of_a_parallel_instantiating_gateway_are_told_apart() {
    model(
        r#"<message id="m1" name="m1"/><message id="m2" name="m2"/><correlationProperty id="n" name="n">
      <correlationPropertyRetrievalExpression messageRef="m1"><messagePath>n</messagePath>
      </correlationPropertyRetrievalExpression>
      <correlationPropertyRetrievalExpression messageRef="m2"><messagePath>n</messagePath>
      </correlationPropertyRetrievalExpression></correlationProperty>
      <process id="p" isExecutable="true">
      <eventBasedGateway id="g" instantiate="true" eventGatewayType="Parallel"/>
      <intermediateCatchEvent id="a"><messageEventDefinition messageRef="m1"/></intermediateCatchEvent>
      <intermediateCatchEvent id="b"><messageEventDefinition messageRef="m2"/></intermediateCatchEvent>
      <parallelGateway id="j"/><userTask id="u"/>
      <sequenceFlow id="f1" sourceRef="g" targetRef="a"/><sequenceFlow id="f2" sourceRef="g" targetRef="b"/>
      <sequenceFlow id="f3" sourceRef="a" targetRef="j"/><sequenceFlow id="f4" sourceRef="b" targetRef="j"/>
      <sequenceFlow id="f5" sourceRef="j" targetRef="u"/></process>"#,
    )
    .message("m1", json!({"n": 1}))
    .message("m2", json!({"n": 2}))
    .has_instances("p", 2)
    .message("m1", json!({"n": 2}))
    .has_instances("p", 2)
    .nth_instance_of("p", 1)
    .waits_at(["u"])
    .nth_instance_of("p", 0)
    .waits_at(["b"])
    .message("m2", json!({"n": 1}))
    .has_instances("p", 2)
    .waits_at(["u"]);
}

#[test]
fn sequential_ad_hoc_sub_process_ends_by_its_condition() {
    model(
        r#"<process id="p" isExecutable="true"><startEvent id="start"/>
      <adHocSubProcess id="ah" ordering="Sequential" cancelRemainingInstances="false"><userTask id="a"/>
      <userTask id="b"/><completionCondition>enough</completionCondition></adHocSubProcess>
      <userTask id="u"/>
      <sequenceFlow id="f1" sourceRef="start" targetRef="ah"/>
      <sequenceFlow id="f2" sourceRef="ah" targetRef="u"/></process>"#,
    )
    .start_with(json!({"enough": false}))
    .activate("ah", ["a"])
    .refuses("ad-hoc-busy")
    .activate("ah", ["b"])
    .complete("a")
    .activate("ah", ["b"])
    .complete_with("b", json!({"enough": true}))
    .waits_at(["u"]);
}

#[test]
fn event_of_rounds_interrupts_their_activity() {
    model(
        r#"<signal id="half" name="half"/><process id="p" isExecutable="true"><startEvent id="start"/>
      <userTask id="t"><multiInstanceLoopCharacteristics behavior="Complex">
      <loopCardinality>3</loopCardinality>
        <complexBehaviorDefinition><condition>numberOfCompletedInstances = 2</condition><event id="ev">
        <signalEventDefinition signalRef="half"/></event></complexBehaviorDefinition>
        </multiInstanceLoopCharacteristics></userTask>
      <boundaryEvent id="b" attachedToRef="t"><signalEventDefinition signalRef="half"/></boundaryEvent>
      <userTask id="u"/><endEvent id="e"/>
      <sequenceFlow id="f1" sourceRef="start" targetRef="t"/>
      <sequenceFlow id="f2" sourceRef="t" targetRef="e"/><sequenceFlow id="f3" sourceRef="b" targetRef="u"/>
      </process>"#,
    )
    .start()
    .complete("t")
    .waits_at(["t", "t"])
    .complete("t")
    .waits_at(["u"])
    .complete("u")
    .completed();
}

#[test]
fn event_sub_process_that_the_last_end_event_starts_holds_its_scope() {
    model(
        r#"<signal id="s" name="s"/><process id="p" isExecutable="true"><startEvent id="start"/>
      <subProcess id="sub"><startEvent id="ss"/><userTask id="w"/><endEvent id="se">
      <signalEventDefinition signalRef="s"/></endEvent>
      <sequenceFlow id="s1" sourceRef="ss" targetRef="w"/>
      <sequenceFlow id="s2" sourceRef="w" targetRef="se"/>
      <subProcess id="es" triggeredByEvent="true"><startEvent id="on" isInterrupting="false">
      <signalEventDefinition signalRef="s"/></startEvent><userTask id="x"/>
      <sequenceFlow id="e1" sourceRef="on" targetRef="x"/></subProcess></subProcess><userTask id="u"/>
      <sequenceFlow id="f1" sourceRef="start" targetRef="sub"/>
      <sequenceFlow id="f2" sourceRef="sub" targetRef="u"/></process>"#,
    )
    .start()
    .complete("w")
    .waits_at(["x"])
    .complete("x")
    .waits_at(["u"]);
}
