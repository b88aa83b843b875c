use super::{activity, event, node, process, read};
use crate::expressions::Language;
use crate::model::{
    ActivityKind, AdHocOrdering, EventDefinition, EventPosition, FlowIndex, FlowNodeKind, Gateway, LaneIndex,
    LoopCharacteristics, MessageFlowEnd, MultiInstanceBehavior, NodeIndex, ProcessIndex, TimerKind,
};
use crate::xml::ElementIndex;

#[test]
fn flow_nodes_of_all_depths_are_in_document_order_with_their_parents() {
    let model = process(
        r#"<startEvent id="s"/>
           <subProcess id="outer"><task id="a"/><transaction id="inner"><task id="b"/></transaction><task id="c"/></subProcess>
           <adHocSubProcess id="free" ordering="Sequential" cancelRemainingInstances="false"><task id="d"/></adHocSubProcess>
           <endEvent id="e"/>"#,
    );
    let nodes = &model.processes[0].flow_nodes;
    let placed: Vec<_> = nodes.iter().map(|n| (&*n.id, n.parent.map(|NodeIndex(p)| &*nodes[p as usize].id))).collect();
    let (outer, inner) = (Some("outer"), Some("inner"));
    let expected = [
        ("s", None),
        ("outer", None),
        ("a", outer),
        ("inner", outer),
        ("b", inner),
        ("c", outer),
        ("free", None),
        ("d", Some("free")),
        ("e", None),
    ];
    assert_eq!(placed, expected);
    assert!(matches!(activity(&model, "inner").kind, ActivityKind::Transaction));
    assert!(matches!(
        activity(&model, "free").kind,
        ActivityKind::AdHocSubProcess { ordering: AdHocOrdering::Sequential, cancel_remaining_instances: false, .. }
    ));
}

#[test]
fn a_thousand_nested_sub_processes_are_read() {
    let depth = 990;
    let open: String = (0..depth).map(|level| format!("<subProcess id=\"s{level}\">")).collect();
    let model = process(&format!("{open}{}", "</subProcess>".repeat(depth)));
    assert_eq!(model.processes[0].flow_nodes.len(), depth);
    assert_eq!(model.processes[0].flow_nodes[depth - 1].parent, Some(NodeIndex(988)));
}

#[test]
fn incoming_and_outgoing_are_those_of_the_flows_in_their_order() {
    let model = process(
        r#"<exclusiveGateway id="g" default="f2"><outgoing>f2</outgoing><outgoing>nothing</outgoing></exclusiveGateway>
           <task id="a"/>
           <sequenceFlow id="f1" sourceRef="g" targetRef="a"><conditionExpression>= x &gt; 1</conditionExpression></sequenceFlow>
           <sequenceFlow id="f2" sourceRef="g" targetRef="a"/>"#,
    );
    let gateway = node(&model, "g");
    assert_eq!(gateway.outgoing, [FlowIndex(0), FlowIndex(1)]);
    assert_eq!(node(&model, "a").incoming, gateway.outgoing);
    assert_eq!(gateway.default_flow.as_ref().unwrap().target, Some(FlowIndex(1)));
    let condition = model.processes[0].sequence_flows[0].condition.as_ref().unwrap();
    assert_eq!((&*condition.text, &condition.language), ("x > 1", &Language::Feel));
}

#[test]
fn gateways() {
    let model = process(
        r#"<parallelGateway id="p1"/><inclusiveGateway id="i"/><eventBasedGateway id="e" instantiate="true" eventGatewayType="Parallel"/>
           <complexGateway id="c"><activationCondition>activationCount > 1</activationCondition></complexGateway>"#,
    );
    let gateway = |id| match &node(&model, id).kind {
        FlowNodeKind::Gateway(gateway) => gateway.clone(),
        other => panic!("{other:?}"),
    };
    assert!(matches!(gateway("p1"), Gateway::Parallel));
    assert!(matches!(gateway("i"), Gateway::Inclusive));
    assert!(matches!(gateway("e"), Gateway::EventBased { instantiate: true, parallel: true }));
    assert!(matches!(gateway("c"), Gateway::Complex { activation_condition: Some(_) }));
}

#[test]
fn events_and_their_definitions() {
    let model = read(
        r#"<message id="m" name="order"/><signal id="s" name="all"/><error id="x" errorCode="E1"/><escalation id="c" escalationCode="C1"/>
           <process id="p">
             <startEvent id="start" isInterrupting="false"><messageEventDefinition messageRef="m"/></startEvent>
             <intermediateCatchEvent id="timer"><timerEventDefinition><timeCycle>R3/PT10H</timeCycle></timerEventDefinition></intermediateCatchEvent>
             <intermediateThrowEvent id="throw"><signalEventDefinition signalRef="s"/></intermediateThrowEvent>
             <subProcess id="sub"/>
             <boundaryEvent id="boundary" attachedToRef="sub" cancelActivity="false"><escalationEventDefinition escalationRef="c"/></boundaryEvent>
             <endEvent id="end"><errorEventDefinition errorRef="x"/></endEvent>
             <endEvent id="plain"/>
             <intermediateCatchEvent id="many" parallelMultiple="true">
               <conditionalEventDefinition><condition>x</condition></conditionalEventDefinition>
               <linkEventDefinition name="L"/>
               <compensateEventDefinition activityRef="sub" waitForCompletion="false"/>
               <cancelEventDefinition/><terminateEventDefinition/>
             </intermediateCatchEvent>
           </process>"#,
    );
    assert!(matches!(event(&model, "start").position, EventPosition::Start { interrupting: false }));
    assert!(matches!(&event(&model, "start").definitions[..],
        [EventDefinition::Message { message: Some(m), .. }] if m.target == Some(0)));
    let EventDefinition::Timer { timer: Some(timer), .. } = &event(&model, "timer").definitions[0] else { panic!() };
    assert_eq!((timer.kind, &*timer.expression.text), (TimerKind::Cycle, "R3/PT10H"));
    assert!(matches!(&event(&model, "throw").definitions[..],
        [EventDefinition::Signal { signal: Some(s), .. }] if s.target == Some(0)));
    let EventPosition::Boundary { attached_to, cancel_activity: false } = &event(&model, "boundary").position else {
        panic!()
    };
    assert_eq!(attached_to.target, Some(NodeIndex(3)));
    assert!(matches!(&event(&model, "end").definitions[..],
        [EventDefinition::Error { error: Some(e), .. }] if e.target == Some(0)));
    assert!(event(&model, "plain").definitions.is_empty());
    assert!(event(&model, "many").parallel_multiple);
    let words: Vec<_> = event(&model, "many").definitions.iter().map(EventDefinition::word).collect();
    assert_eq!(words, ["conditional", "link", "compensation", "cancel", "terminate"]);
    assert!(matches!(&event(&model, "many").definitions[2],
        EventDefinition::Compensation { activity: Some(a), wait_for_completion: false, .. } if a.target == Some(NodeIndex(3))));
    assert_eq!(&*model.messages[0].name.as_ref().unwrap().text, "order");
    assert_eq!(&*model.errors[0].code.as_ref().unwrap().text, "E1");
    assert_eq!(&*model.escalations[0].code.as_ref().unwrap().text, "C1");
}

#[test]
fn lanes_nest_and_nodes_know_the_innermost() {
    let model = process(
        r#"<laneSet id="set">
             <lane id="office" name="Office"><flowNodeRef>a</flowNodeRef><flowNodeRef>b</flowNodeRef>
               <childLaneSet><lane id="back" name="Back"><flowNodeRef> b </flowNodeRef></lane></childLaneSet>
             </lane>
             <lane id="shop"><flowNodeRef>c</flowNodeRef><flowNodeRef>gone</flowNodeRef></lane>
           </laneSet>
           <task id="a"/><task id="b"/>
           <subProcess id="c"><laneSet id="inner"><lane id="desk"><flowNodeRef>d</flowNodeRef></lane></laneSet><task id="d"/></subProcess>"#,
    );
    let lanes = &model.processes[0].lanes;
    let ids: Vec<_> = lanes.iter().map(|lane| (lane.id.as_deref().unwrap(), lane.parent, lane.scope)).collect();
    let expected = [
        ("office", None, None),
        ("back", Some(LaneIndex(0)), None),
        ("shop", None, None),
        ("desk", None, Some(NodeIndex(2))),
    ];
    assert_eq!(ids, expected);
    let lane = |id| node(&model, id).lane;
    assert_eq!([lane("a"), lane("b"), lane("c"), lane("d")], [0, 1, 2, 3].map(|lane| Some(LaneIndex(lane))));
    assert_eq!(lanes[0].group.as_deref(), Some("Office"));
    assert_eq!((&*lanes[2].flow_nodes[1].text, lanes[2].flow_nodes[1].target), ("gone", None));
}

#[test]
fn activities_repeat() {
    let model = process(
        r#"<task id="a" startQuantity="2" completionQuantity="3" isForCompensation="true">
             <standardLoopCharacteristics testBefore="true" loopMaximum="5"><loopCondition>x</loopCondition></standardLoopCharacteristics>
           </task>
           <task id="b">
             <multiInstanceLoopCharacteristics isSequential="true" behavior="One">
               <loopCardinality>3</loopCardinality>
               <loopDataInputRef>t:list</loopDataInputRef><loopDataOutputRef>results</loopDataOutputRef>
               <inputDataItem id="i1" name="item"/><outputDataItem id="o1"/>
               <completionCondition>done</completionCondition>
             </multiInstanceLoopCharacteristics>
           </task>"#,
    );
    let a = activity(&model, "a");
    assert!(a.is_for_compensation);
    assert_eq!((a.start_quantity, a.completion_quantity), (2, 3));
    let Some(LoopCharacteristics::Standard(standard)) = &a.loop_characteristics else { panic!() };
    assert_eq!((standard.test_before, standard.maximum, standard.condition.is_some()), (true, Some(5), true));
    let Some(LoopCharacteristics::MultiInstance(many)) = &activity(&model, "b").loop_characteristics else { panic!() };
    assert!(many.is_sequential);
    assert_eq!(many.behavior, MultiInstanceBehavior::One);
    assert_eq!(&*many.cardinality.as_ref().unwrap().text, "3");
    assert_eq!((many.data_input.as_deref(), many.data_output.as_deref()), (Some("list"), Some("results")));
    let (input, output) = (many.input_item.as_ref().unwrap(), many.output_item.as_ref().unwrap());
    assert_eq!((&*input.id, input.name.as_deref()), ("i1", Some("item")));
    assert_eq!((&*output.id, output.name.as_deref()), ("o1", None));
    assert_eq!(&*many.completion_condition.as_ref().unwrap().text, "done");
}

#[test]
fn tasks_know_messages_operations_scripts_and_performers() {
    let model = read(
        r#"<message id="m"/><error id="e"/>
           <interface id="i" name="Shop"><operation id="o0"/><operation id="o" name="buy"><inMessageRef>t:m</inMessageRef><errorRef>e</errorRef></operation></interface>
           <globalScriptTask id="g" scriptLanguage="text/javascript"><script>1</script></globalScriptTask>
           <process id="p" isExecutable="true">
             <serviceTask id="service" operationRef="o"/>
             <receiveTask id="receive" messageRef="m" instantiate="true"/>
             <scriptTask id="script" scriptFormat="javascript"><script> a = 1 </script></scriptTask>
             <callActivity id="call" calledElement="t:other"/>
             <userTask id="user">
               <potentialOwner><resourceAssignmentExpression><formalExpression>group(a)</formalExpression></resourceAssignmentExpression></potentialOwner>
               <humanPerformer><resourceRef>somebody</resourceRef></humanPerformer>
             </userTask>
           </process>"#,
    );
    let ActivityKind::ServiceTask { operation: Some(operation) } = &activity(&model, "service").kind else { panic!() };
    let operation = operation.target.unwrap();
    let operation = &model.interfaces[operation.interface].operations[operation.operation];
    assert_eq!(operation.name.as_deref(), Some("buy"));
    assert_eq!(operation.in_message.as_ref().unwrap().target, Some(0));
    assert_eq!(operation.errors[0].target, Some(0));
    assert!(matches!(&activity(&model, "receive").kind,
        ActivityKind::ReceiveTask { message: Some(m), instantiate: true, .. } if m.target == Some(0)));
    let ActivityKind::ScriptTask { format, script: Some(script) } = &activity(&model, "script").kind else { panic!() };
    assert_eq!((format.as_deref(), &script.language), (Some("javascript"), &Language::JavaScript));
    let ActivityKind::CallActivity { called_element: Some(called) } = &activity(&model, "call").kind else { panic!() };
    assert_eq!(&*called.text, "other");
    let performers = &activity(&model, "user").performers;
    assert_eq!(performers.len(), 1);
    assert!(performers[0].potential_owner);
    assert!(matches!(&model.global_tasks[0].kind, ActivityKind::ScriptTask { script: Some(_), .. }));
    assert_eq!(model.processes[0].is_executable, Some(true));
}

#[test]
fn data_flows_between_objects_stores_and_activities() {
    let model = read(
        r#"<itemDefinition id="item" structureRef="xsd:string" isCollection="true"/><dataStore id="store" name="Archive"/>
           <process id="p">
             <ioSpecification><dataInput id="in" name="order"/><dataInput id="more"/><dataOutput id="out"/><inputSet><dataInputRefs>in</dataInputRefs><dataInputRefs>more</dataInputRefs><optionalInputRefs>more</optionalInputRefs></inputSet><outputSet/></ioSpecification>
             <property id="prop" name="total"/>
             <dataObject id="object" name="Order" itemSubjectRef="item"/>
             <dataObjectReference id="objectRef" dataObjectRef="object"/>
             <dataStoreReference id="storeRef" dataStoreRef="store"/>
             <task id="a">
               <property id="own"/>
               <dataInputAssociation><sourceRef>objectRef</sourceRef><targetRef>x</targetRef><transformation>y</transformation>
                 <assignment><from>1</from><to>z</to></assignment></dataInputAssociation>
               <dataOutputAssociation><targetRef>storeRef</targetRef></dataOutputAssociation>
             </task>
             <endEvent id="e"><dataInput id="ein" name="result"/><dataInputAssociation><sourceRef>object</sourceRef><targetRef>ein</targetRef></dataInputAssociation></endEvent>
           </process>"#,
    );
    let process = &model.processes[0];
    assert_eq!(process.data_objects[0].item.as_ref().unwrap().target, Some(0));
    assert_eq!(process.data_object_references[0].data_object.as_ref().unwrap().target, Some(0));
    assert_eq!(process.data_store_references[0].data_store.as_ref().unwrap().target, Some(0));
    assert_eq!(process.properties[0].name.as_deref(), Some("total"));
    let io = process.io.as_ref().unwrap();
    assert_eq!((io.inputs[0].name.as_deref(), &*io.outputs[0].id, &*io.input_sets[0][0]), (Some("order"), "out", "in"));
    let a = activity(&model, "a");
    assert_eq!((&*a.data_inputs[0].sources[0], a.data_inputs[0].target.as_deref()), ("objectRef", Some("x")));
    assert!(a.data_inputs[0].transformation.is_some());
    assert_eq!(&*a.data_inputs[0].assignments[0].to.text, "z");
    assert_eq!(a.data_outputs[0].target.as_deref(), Some("storeRef"));
    assert_eq!(&*a.properties[0].id, "own");
    let end = event(&model, "e");
    assert_eq!((end.data_inputs[0].name.as_deref(), end.data_associations.len()), (Some("result"), 1));
}

#[test]
fn collaborations_connect_processes() {
    let model = read(
        r#"<message id="m"/>
           <correlationProperty id="cp"><correlationPropertyRetrievalExpression messageRef="m"><messagePath>order.id</messagePath></correlationPropertyRetrievalExpression></correlationProperty>
           <collaboration id="c">
             <participant id="us" processRef="t:p"/><participant id="them" name="Customer"/>
             <messageFlow id="mf" sourceRef="them" targetRef="s" messageRef="m"/>
             <correlationKey id="key"><correlationPropertyRef>cp</correlationPropertyRef></correlationKey>
           </collaboration>
           <process id="p"><startEvent id="s"/>
             <correlationSubscription correlationKeyRef="key"><correlationPropertyBinding correlationPropertyRef="cp"><dataPath>id</dataPath></correlationPropertyBinding></correlationSubscription>
           </process>"#,
    );
    let collaboration = &model.collaborations[0];
    assert_eq!(collaboration.participants[0].process.as_ref().unwrap().target, Some(ProcessIndex(0)));
    assert!(collaboration.participants[1].process.is_none());
    let flow = &collaboration.message_flows[0];
    assert_eq!(flow.source.target, Some(MessageFlowEnd::Participant(1)));
    assert_eq!(flow.target.target, Some(MessageFlowEnd::FlowNode(ProcessIndex(0), NodeIndex(0))));
    assert_eq!(collaboration.correlation_keys[0].properties[0].target, Some(0));
    assert_eq!(&*model.correlation_properties[0].retrievals[0].path.as_ref().unwrap().text, "order.id");
    let subscription = &model.processes[0].correlation_subscriptions[0];
    assert_eq!(subscription.key.as_deref(), Some("key"));
    assert_eq!(subscription.bindings[0].property.as_ref().unwrap().target, Some(0));
}

#[test]
fn associations_lead_to_compensation_handlers_but_not_to_texts() {
    let model = process(
        r#"<task id="a"/><boundaryEvent id="b" attachedToRef="a"><compensateEventDefinition/></boundaryEvent>
           <task id="undo" isForCompensation="true"/>
           <association id="x" sourceRef="b" targetRef="undo" associationDirection="One"/>
           <textAnnotation id="t"><text>a <b>note</b></text></textAnnotation>
           <association id="y" sourceRef="a" targetRef="t"/>
           <association id="z" sourceRef="b" targetRef="gone"/>"#,
    );
    let associations = &model.processes[0].associations;
    let ends: Vec<_> = associations.iter().map(|a| (a.source.target, a.target.target)).collect();
    assert_eq!(ends, [(Some(NodeIndex(1)), Some(NodeIndex(2))), (Some(NodeIndex(1)), None)]);
}

#[test]
fn elements_know_their_place() {
    let model = process("\n  <task id='a'/>");
    assert_eq!(model.location(node(&model, "a").element), (2, 3));
    assert_eq!(model.location(ElementIndex(0)), (1, 1));
}
