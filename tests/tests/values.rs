//! Values that are too deep or too large are refused where they come in: a caller's as a command, a computed one as an incident.

use std::sync::Arc;

use potok_core::Name;
use potok_core::graph::Package;
use potok_core::instance::ROOT;
use potok_core::routing::{Message, RunError, Runner, StartOptions};
use potok_core::step::Command;
use potok_core::time::Timestamp;
use potok_core::value::Value;
use potok_expressions::Evaluator;
use potok_tests::{Scenario, model};
use serde_json::json;

/// A task that is done `rounds` times in a loop of flows.
fn again(task: &str, rounds: u32) -> Scenario {
    model(&format!(
        r#"<process id="p" isExecutable="true">
  <startEvent id="start"/>
  <exclusiveGateway id="again"/>
  {task}
  <scriptTask id="count" scriptFormat="feel" potok:resultVariable="n"><script>if n = null then 1 else n + 1</script></scriptTask>
  <exclusiveGateway id="enough" default="back"/>
  <endEvent id="end"/>
  <sequenceFlow id="f1" sourceRef="start" targetRef="again"/>
  <sequenceFlow id="f2" sourceRef="again" targetRef="work"/>
  <sequenceFlow id="f3" sourceRef="work" targetRef="count"/>
  <sequenceFlow id="f4" sourceRef="count" targetRef="enough"/>
  <sequenceFlow id="back" sourceRef="enough" targetRef="again"/>
  <sequenceFlow id="out" sourceRef="enough" targetRef="end"><conditionExpression>${{n >= {rounds}}}</conditionExpression></sequenceFlow>
</process>"#
    ))
}

/// Puts a variable into a list with itself: small in memory, huge when written.
const DOUBLING: &str = r#"<task id="work"><extensionElements><camunda:inputOutput><camunda:outputParameter name="x">
    <camunda:list><camunda:value>${x}</camunda:value><camunda:value>${x}</camunda:value></camunda:list>
  </camunda:outputParameter></camunda:inputOutput></extensionElements></task>"#;

#[test]
fn a_script_that_nests_deeper_and_deeper() {
    let nest =
        r#"<scriptTask id="work" scriptFormat="feel" potok:resultVariable="x"><script>[x]</script></scriptTask>"#;
    again(nest, 100).start().completed();
    again(nest, 1_000)
        .start()
        .incident("work", "limit-exceeded")
        .incident_says("nested")
        .set("x", "short")
        .resolve("work")
        .variable("n", 200)
        .incident("work", "limit-exceeded");
}

#[test]
fn a_mapping_that_doubles() {
    again(DOUBLING, 15).start_with(json!({"x": 1})).completed();
    again(DOUBLING, 60)
        .start_with(json!({"x": 1}))
        .incident("work", "limit-exceeded")
        .incident_says("parts")
        .variable("n", 18);
}

#[test]
fn a_mapping_into_a_part_that_nests() {
    let nest = r#"<scriptTask id="work"><extensionElements><zeebe:script expression="=1" resultVariable="one"/>
      <zeebe:ioMapping><zeebe:output source="=x" target="x.y"/></zeebe:ioMapping></extensionElements></scriptTask>"#;
    again(nest, 1_000)
        .start_with(json!({"x": {"y": 1}}))
        .incident("work", "limit-exceeded")
        .incident_says("nested deeper");
}

#[test]
fn what_all_instances_give_together() {
    let collecting = |size: usize| {
        model(
            r#"<process id="p" isExecutable="true">
  <startEvent id="start"/>
  <scriptTask id="work" scriptFormat="feel" potok:resultVariable="r"><script>list</script>
    <multiInstanceLoopCharacteristics><extensionElements>
      <zeebe:loopCharacteristics inputCollection="=for i in 1..100 return i" outputCollection="all" outputElement="=r"/>
    </extensionElements></multiInstanceLoopCharacteristics>
  </scriptTask>
  <endEvent id="end"/>
  <sequenceFlow id="f1" sourceRef="start" targetRef="work"/>
  <sequenceFlow id="f2" sourceRef="work" targetRef="end"/>
</process>"#,
        )
        .start_with(json!({"list": vec![1; size]}))
    };
    collecting(10).completed().variable("all", json!(vec![vec![1; 10]; 100]));
    collecting(11_000).incident("work", "limit-exceeded").incident_says("parts").no_variable("all").is_at("work", 1);
}

#[test]
fn a_callers_value_is_refused() {
    let text = r#"<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" targetNamespace="t">
  <signal id="s" name="s"/><message id="m" name="m"/>
  <process id="p" isExecutable="true">
    <startEvent id="start"/>
    <userTask id="task"/>
    <boundaryEvent id="b" attachedToRef="task"><signalEventDefinition signalRef="s"/></boundaryEvent>
    <boundaryEvent id="c" attachedToRef="task"><messageEventDefinition messageRef="m"/></boundaryEvent>
    <sequenceFlow id="f" sourceRef="start" targetRef="task"/>
  </process></definitions>"#;
    let evaluator = Arc::new(Evaluator::new());
    let package = Package::from_bpmn(text.as_bytes(), &*evaluator).unwrap();
    let mut runner = Runner::new(evaluator, Timestamp::UNIX_EPOCH);
    runner.deploy(&package);
    let deep = (0..200).fold(Value::Null, |inner, _| Value::from(vec![inner]));
    let variables: Vec<(Name, Value)> = vec![("fine".into(), 1.into()), ("deep".into(), deep)];
    let options = StartOptions { variables: variables.clone(), ..StartOptions::default() };
    let is_refused = |result: Result<(), RunError>| match result {
        Err(RunError::Rejected(rejection)) => {
            assert_eq!(rejection.code(), "value-too-deep");
            assert!(rejection.to_string().contains("`deep`"), "{rejection}");
        }
        other => panic!("{other:?}"),
    };
    is_refused(runner.start("p", options).map(|_| ()));
    let instance = runner.start("p", StartOptions::default()).unwrap();
    let before = runner.instance(instance).unwrap().instance.clone();
    let task = runner.waits().next().unwrap().1.key;
    runner.take_log();
    is_refused(runner.complete_user_task(task, variables.clone()));
    is_refused(runner.command(instance, Command::SetVariables { scope: ROOT, variables: variables.clone() }));
    is_refused(runner.signal("s", &variables));
    is_refused(runner.evaluate_conditions(&variables));
    let message = Message { name: Some("m".into()), payload: variables, ..Message::default() };
    is_refused(runner.correlate(message).map(|_| ()));
    assert!(runner.take_log().is_empty());
    assert!(runner.instance(instance).unwrap().instance == before);
}
