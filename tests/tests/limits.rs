//! What runs without end is stopped by an incident, before it takes all memory.

use potok_tests::model;
use serde_json::json;

/// Start, one repeating activity, end.
fn repeating(activity: &str) -> String {
    format!(
        r#"<process id="p" isExecutable="true">
  <startEvent id="start"/>
  {activity}
  <endEvent id="end"/>
  <sequenceFlow id="f1" sourceRef="start" targetRef="work"/>
  <sequenceFlow id="f2" sourceRef="work" targetRef="end"/>
</process>"#
    )
}

#[test]
fn rounds_of_a_loop_weigh_on_the_budget() {
    let tasks = [
        r#"<task id="work"><standardLoopCharacteristics><loopCondition>true</loopCondition></standardLoopCharacteristics></task>"#,
        r#"<subProcess id="work"><standardLoopCharacteristics><loopCondition>true</loopCondition></standardLoopCharacteristics></subProcess>"#,
        r#"<scriptTask id="work" scriptFormat="feel"><script>1</script><standardLoopCharacteristics><loopCondition>true</loopCondition></standardLoopCharacteristics></scriptTask>"#,
    ];
    for task in tasks {
        model(&repeating(task)).step_budget(500).start().incident("work", "step-budget-exceeded").active();
    }
}

#[test]
fn instances_of_an_activity_in_a_circle_weigh_on_the_budget() {
    let circle = |work: &str| {
        format!(
            r#"<process id="p" isExecutable="true">
  <startEvent id="start"/>
  <exclusiveGateway id="again"/>
  {work}
  <sequenceFlow id="f1" sourceRef="start" targetRef="again"/>
  <sequenceFlow id="f2" sourceRef="again" targetRef="work"/>
  <sequenceFlow id="f3" sourceRef="work" targetRef="again"/>
</process>"#
        )
    };
    let many = "<multiInstanceLoopCharacteristics><loopCardinality>300</loopCardinality>\
                </multiInstanceLoopCharacteristics>";
    model(&circle(&format!(r#"<task id="work">{many}</task>"#)))
        .step_budget(1_000)
        .start()
        .incident("work", "limit-exceeded");
    model(&circle(&format!(r#"<scriptTask id="work" scriptFormat="feel"><script>1</script>{many}</scriptTask>"#)))
        .step_budget(1_000)
        .start()
        .incident("work", "limit-exceeded");
}

#[test]
fn instances_within_instances_weigh_on_the_budget() {
    model(&repeating(
        r#"<subProcess id="work">
    <userTask id="inner"><multiInstanceLoopCharacteristics><loopCardinality>100</loopCardinality></multiInstanceLoopCharacteristics></userTask>
    <multiInstanceLoopCharacteristics><loopCardinality>10</loopCardinality></multiInstanceLoopCharacteristics>
  </subProcess>"#,
    ))
    .step_budget(400)
    .start()
    .incidents("inner", "limit-exceeded", 7)
    .is_at("inner", 307);
}

#[test]
fn a_fork_of_too_many_tokens_is_not_taken() {
    let more: String =
        (0..9).map(|n| format!(r#"<sequenceFlow id="m{n}" sourceRef="work" targetRef="end"/>"#)).collect();
    model(&repeating(&format!(r#"<task id="work" completionQuantity="10000"/>{more}"#)))
        .start()
        .incident("work", "step-budget-exceeded")
        .is_at("work", 1);
}

#[test]
fn a_joining_activity_still_gathers_its_tokens_after_the_budget_was_exceeded() {
    model(
        r#"<process id="p" isExecutable="true">
  <startEvent id="start"/>
  <parallelGateway id="fork"/>
  <userTask id="both" startQuantity="2"/>
  <sequenceFlow id="f0" sourceRef="start" targetRef="fork"/>
  <sequenceFlow id="f1" sourceRef="fork" targetRef="both"/>
  <sequenceFlow id="f2" sourceRef="fork" targetRef="both"/>
</process>"#,
    )
    .step_budget(2)
    .start()
    .incidents("both", "step-budget-exceeded", 2)
    .resolve("both")
    .resolve("both")
    .is_at("both", 1)
    .complete("both")
    .completed();
}

#[test]
fn a_process_that_calls_itself_many_times_at_once_is_stopped_before_each_call_has_called_as_often() {
    model(
        r#"<process id="p" isExecutable="true">
  <startEvent id="start"/>
  <callActivity id="again" calledElement="p">
    <multiInstanceLoopCharacteristics><loopCardinality>100</loopCardinality></multiInstanceLoopCharacteristics>
  </callActivity>
  <sequenceFlow id="f" sourceRef="start" targetRef="again"/>
</process>"#,
    )
    .start()
    .active()
    .has_instances("p", 101)
    .nth_instance_of("p", 100)
    .incidents("again", "call-without-end", 100);
}

#[test]
fn conditions_that_hold_in_a_circle_weigh_on_the_budget() {
    let circle = |condition: &str| {
        model(&format!(
            r#"<process id="p" isExecutable="true">
  <startEvent id="start"/>
  <userTask id="work"/>
  <boundaryEvent id="again" attachedToRef="work" cancelActivity="false">
    <conditionalEventDefinition><condition>{condition}</condition></conditionalEventDefinition>
  </boundaryEvent>
  <sequenceFlow id="f1" sourceRef="start" targetRef="work"/>
  <sequenceFlow id="f2" sourceRef="again" targetRef="work"/>
</process>"#
        ))
    };
    // A round enters the task, opens an event and asks it: none of those before it is asked again.
    circle("x = 0").step_budget(4_000).start_with(json!({"x": 0})).is_at("work", 1_001).active();
}
