//! What runs without end is stopped by an incident, before it takes all memory.

use std::sync::Arc;
use std::time::Duration;

use potok_core::Name;
use potok_core::expressions::{
    Binding, CompileError, CompiledExpression, Decided, Deployment, Evaluation, EvaluationError, Expressions, Language,
    Purpose,
};
use potok_core::graph::Package;
use potok_core::instance::{IncidentWait, Key, WaitKind};
use potok_core::routing::{Runner, StartOptions};
use potok_core::step::Command;
use potok_core::value::Value;
use potok_expressions::Evaluator;
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

/// Says of each script that it takes four seconds.
struct Slow(Evaluator);

#[derive(Debug)]
struct SlowScript(Arc<dyn CompiledExpression>);

impl CompiledExpression for SlowScript {
    fn evaluate(&self, evaluation: &mut Evaluation<'_>) -> Result<Value, EvaluationError> {
        evaluation.took += Duration::from_secs(4);
        self.0.evaluate(evaluation)
    }

    fn reads(&self) -> Option<&[Name]> {
        self.0.reads()
    }
}

impl Expressions for Slow {
    fn compile(
        &self,
        language: &Language,
        purpose: Purpose,
        text: &str,
    ) -> Result<Arc<dyn CompiledExpression>, CompileError> {
        let compiled = self.0.compile(language, purpose, text)?;
        Ok(if purpose == Purpose::Script { Arc::new(SlowScript(compiled)) } else { compiled })
    }

    fn decide(
        &self,
        decision: &str,
        binding: &Binding,
        deployment: Deployment,
        evaluation: &mut Evaluation<'_>,
    ) -> Result<Decided, EvaluationError> {
        self.0.decide(decision, binding, deployment, evaluation)
    }
}

/// Counts up in a circle until it is told to stop.
const COUNTING: &str = r#"<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" id="definitions"
  targetNamespace="urn:test" xmlns:potok="urn:potok:bpmn:1.0"
  expressionLanguage="https://www.omg.org/spec/DMN/20191111/FEEL/">
  <process id="p" isExecutable="true">
    <startEvent id="start"/>
    <exclusiveGateway id="again"/>
    <scriptTask id="count" scriptFormat="feel" potok:resultVariable="counted"><script>counted + 1</script></scriptTask>
    <exclusiveGateway id="choose" default="on"/>
    <endEvent id="end"/>
    <sequenceFlow id="f1" sourceRef="start" targetRef="again"/>
    <sequenceFlow id="f2" sourceRef="again" targetRef="count"/>
    <sequenceFlow id="f3" sourceRef="count" targetRef="choose"/>
    <sequenceFlow id="on" sourceRef="choose" targetRef="again"/>
    <sequenceFlow id="off" sourceRef="choose" targetRef="end"><conditionExpression>stop = true</conditionExpression></sequenceFlow>
  </process>
</definitions>"#;

/// Where the instance counts, and what it is stuck with.
#[track_caller]
fn stuck(runner: &Runner, instance: Key) -> (Value, Key, IncidentWait) {
    let instance = &runner.instance(instance).expect("it runs").instance;
    let counted = instance.variables().iter().find(|(name, _)| &**name == "counted").expect("it counts").1.clone();
    let mut incidents = instance.waits().filter_map(|wait| match &wait.kind {
        WaitKind::Incident(incident) => Some((wait.key, (**incident).clone())),
        _ => None,
    });
    let (key, incident) = incidents.next().expect("it is stuck");
    assert_eq!(incidents.next(), None);
    (counted, key, incident)
}

#[test]
fn an_endless_loop_over_slow_scripts_is_stopped_by_their_time() {
    let expressions = Arc::new(Slow(Evaluator::new()));
    let package = Package::from_bpmn(COUNTING.as_bytes(), &*expressions).expect("a model");
    let mut runner = Runner::new(expressions, "2026-01-05T09:00:00Z".parse().expect("a time"));
    runner.deploy(&package);
    let variables = vec![("counted".into(), 0.into()), ("stop".into(), false.into())];
    let instance = runner.start("p", StartOptions { variables, ..StartOptions::default() }).expect("it starts");
    let (counted, key, incident) = stuck(&runner, instance);
    assert_eq!((counted, incident.kind.code()), (3.into(), "step-budget-exceeded"));
    assert!(incident.message.contains("took too much time"), "{}", incident.message);
    // Each command has its own time.
    runner.command(instance, Command::ResolveIncident { incident: key }).expect("it is tried again");
    assert_eq!(stuck(&runner, instance).0, 6.into());
    runner.limit_time(Duration::from_secs(13));
    let (_, key, _) = stuck(&runner, instance);
    runner.command(instance, Command::ResolveIncident { incident: key }).expect("it is tried again");
    let (counted, key, _) = stuck(&runner, instance);
    assert_eq!(counted, 10.into());
    let stop = vec![("stop".into(), true.into())];
    runner.command(instance, Command::SetVariables { scope: 0, variables: stop }).expect("it is told to stop");
    runner.command(instance, Command::ResolveIncident { incident: key }).expect("it goes on");
    assert!(!runner.instance(instance).expect("it is remembered").instance.is_active());
}

#[test]
fn instances_that_call_each_other_have_one_time_together() {
    let expressions = Arc::new(Slow(Evaluator::new()));
    let calling = COUNTING
        .replace(
            "<exclusiveGateway id=\"again\"/>",
            "<exclusiveGateway id=\"again\"/><callActivity id=\"call\" calledElement=\"p\"/>",
        )
        .replace("sourceRef=\"choose\" targetRef=\"again\"", "sourceRef=\"choose\" targetRef=\"call\"");
    let package = Package::from_bpmn(calling.as_bytes(), &*expressions).expect("a model");
    let mut runner = Runner::new(expressions, "2026-01-05T09:00:00Z".parse().expect("a time"));
    runner.deploy(&package);
    let variables = vec![("counted".into(), 0.into()), ("stop".into(), false.into())];
    runner.start("p", StartOptions { variables, ..StartOptions::default() }).expect("it starts");
    let last = runner.instances().last().expect("it runs").instance.key();
    let (counted, _, incident) = stuck(&runner, last);
    assert_eq!((counted, incident.kind.code()), (3.into(), "step-budget-exceeded"));
    assert_eq!(runner.instances().count(), 3);
}

#[test]
fn scripts_and_what_computes_with_much_say_how_long_they_take() {
    let evaluator = Evaluator::new();
    let took = |language, text: &str| {
        let compiled = evaluator.compile(&language, Purpose::Script, text).expect("a script");
        let mut evaluation = Evaluation::new(&Nothing, "2026-01-05T09:00:00Z".parse().expect("a time"));
        compiled.evaluate(&mut evaluation).expect("a value");
        evaluation.took
    };
    assert!(took(Language::JavaScript, "let sum = 0; for (let i = 0; i < 1000; i++) sum += i; sum") > Duration::ZERO);
    assert!(took(Language::Feel, "sum(for i in 1..100 return i * i)") > Duration::ZERO);
    // What takes next to nothing is not worth a look at the clock.
    assert_eq!(took(Language::Feel, "1 + 2"), Duration::ZERO);
}

struct Nothing;

impl potok_core::expressions::Variables for Nothing {
    fn get(&self, _: &str) -> Option<std::borrow::Cow<'_, Value>> {
        None
    }

    fn names(&self) -> Vec<Name> {
        Vec::new()
    }
}

#[test]
fn an_endless_loop_that_lets_a_text_grow_is_stopped_before_it_takes_all_memory() {
    let expressions = Arc::new(Evaluator::new());
    let growing = COUNTING.replace("counted + 1", "counted + &quot;more&quot;");
    let package = Package::from_bpmn(growing.as_bytes(), &*expressions).expect("a model");
    let mut runner = Runner::new(expressions, "2026-01-05T09:00:00Z".parse().expect("a time"));
    runner.deploy(&package);
    let text = Value::String("x".repeat(16 * 1024 * 1024).into());
    let variables = vec![("counted".into(), text), ("stop".into(), false.into())];
    let instance = runner.start("p", StartOptions { variables, ..StartOptions::default() }).expect("it starts");
    // With what it started with, 256 MiB.
    let length = |counted: &Value| counted.as_str().map(str::len);
    let (counted, key, incident) = stuck(&runner, instance);
    assert_eq!((length(&counted), incident.kind.code()), (Some(16 * 1024 * 1024 + 15 * 4), "step-budget-exceeded"));
    assert!(incident.message.contains("too much data was computed"), "{}", incident.message);
    // Each command has its own room.
    let stop = vec![("stop".into(), true.into())];
    runner.command(instance, Command::SetVariables { scope: 0, variables: stop }).expect("it is told to stop");
    runner.command(instance, Command::ResolveIncident { incident: key }).expect("it goes on");
    assert!(!runner.instance(instance).expect("it is remembered").instance.is_active());
}
