//! Testing a process without any I/O: the core alone, with time in the test's hands.
//! `cargo run -p potok-examples --example testing`, or `cargo test -p potok-examples --examples`.

use std::sync::Arc;

use potok_core::graph::Package;
use potok_core::instance::WaitKind;
use potok_core::routing::{Runner, StartOptions};
use potok_core::time::Timestamp;
use potok_expressions::Evaluator;

/// An offer that lapses after three days.
const OFFER: &str = r#"<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" targetNamespace="urn:shop">
  <process id="offer" isExecutable="true">
    <startEvent id="made"/>
    <userTask id="answer"/>
    <boundaryEvent id="lapses" attachedToRef="answer">
      <timerEventDefinition><timeDuration>P3D</timeDuration></timerEventDefinition>
    </boundaryEvent>
    <endEvent id="answered"/>
    <userTask id="call_client"/>
    <endEvent id="called"/>
    <sequenceFlow id="f1" sourceRef="made" targetRef="answer"/>
    <sequenceFlow id="f2" sourceRef="answer" targetRef="answered"/>
    <sequenceFlow id="f3" sourceRef="lapses" targetRef="call_client"/>
    <sequenceFlow id="f4" sourceRef="call_client" targetRef="called"/>
  </process>
</definitions>"#;

type Failure = Box<dyn std::error::Error>;

fn runner(now: Timestamp) -> Result<Runner, Failure> {
    let evaluator = Arc::new(Evaluator::new());
    let package = Package::from_bpmn(OFFER.as_bytes(), &*evaluator)
        .map_err(|problems| problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))?;
    let mut runner = Runner::new(evaluator, now);
    runner.deploy(&package);
    runner.start("offer", StartOptions::default())?;
    Ok(runner)
}

/// The flow nodes at which people are waited for.
fn tasks(runner: &Runner) -> Vec<String> {
    let waits = runner.waits().filter(|(_, wait)| matches!(wait.kind, WaitKind::UserTask(_)));
    waits.map(|(running, wait)| running.graph.node(wait.node).id.to_string()).collect()
}

fn main() -> Result<(), Failure> {
    let mut runner = runner("2026-01-05T09:00:00Z".parse()?)?;
    println!("on Monday: {:?}", tasks(&runner));
    runner.advance("2026-01-08T09:00:00Z".parse()?)?;
    println!("on Thursday: {:?}", tasks(&runner));
    Ok(())
}

#[test]
fn an_offer_lapses_after_three_days() -> Result<(), Failure> {
    let mut runner = runner("2026-01-05T09:00:00Z".parse()?)?;
    runner.advance("2026-01-08T08:59:59Z".parse()?)?;
    assert_eq!(tasks(&runner), ["answer"]);
    runner.advance("2026-01-08T09:00:00Z".parse()?)?;
    assert_eq!(tasks(&runner), ["call_client"]);
    Ok(())
}
