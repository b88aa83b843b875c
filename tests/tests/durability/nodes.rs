//! Several nodes on one PostgreSQL: engines of this process and of others, one of which is killed.

use std::time::Duration;

use potok::query::InstanceQuery;
use potok::row::InstanceState;
use potok::{Engine, Error, TaskId};
use potok_tests::load::Account;
use tokio::task::JoinSet;

use crate::kills::Program;
use crate::place::Place;
use crate::within::{Within, settle};

#[tokio::test(flavor = "multi_thread")]
async fn four_nodes_do_nothing_twice_and_go_on_when_one_is_killed() {
    let Some(place) = Place::postgres("four_nodes_do_nothing_twice_and_go_on_when_one_is_killed").await else { return };
    let engine = place.by_hand().start().await.unwrap();
    Account::prepare(&engine).await;
    engine.stop().await;
    let mut account = Account::default();
    let mut killed = Program::start(&place, "killed", 1);
    let mut other = Program::start(&place, "other", 2);
    let (one, two) = (Within::start(&place, "one", 3).await, Within::start(&place, "two", 4).await);
    killed.wait_until_ready();
    other.wait_until_ready();
    killed.listen(20);
    killed.kill(&mut account);
    one.go_on(30).await;
    two.go_on(30).await;
    other.kill(&mut account);
    one.stop(&mut account).await;
    two.stop(&mut account).await;
    settle(&place, &mut account).await;
    assert!(account.trouble.is_empty(), "{:?}", account.trouble);
}

const CALLED: usize = 1000;

/// A process that calls as many others at once.
const CALLING: &str = r#"<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" targetNamespace="called">
  <process id="many" isExecutable="true">
    <startEvent id="start"/>
    <callActivity id="call" calledElement="called">
      <multiInstanceLoopCharacteristics><loopCardinality>1000</loopCardinality></multiInstanceLoopCharacteristics>
    </callActivity>
    <endEvent id="end"/>
    <sequenceFlow id="f1" sourceRef="start" targetRef="call"/>
    <sequenceFlow id="f2" sourceRef="call" targetRef="end"/>
  </process>
  <process id="called" isExecutable="true">
    <startEvent id="begin"/><userTask id="work"/><endEvent id="done"/>
    <sequenceFlow id="g1" sourceRef="begin" targetRef="work"/>
    <sequenceFlow id="g2" sourceRef="work" targetRef="done"/>
  </process>
</definitions>"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_called_instances_end_at_once_on_all_nodes() {
    let Some(place) = Place::postgres("a_thousand_called_instances_end_at_once_on_all_nodes").await else { return };
    let mut nodes = Vec::new();
    for _ in 0..4 {
        nodes.push(place.by_hand().start().await.unwrap());
    }
    nodes[0].deployment().file("called.bpmn", CALLING).send().await.unwrap();
    let case = nodes[0].start("many").send().await.unwrap();
    let tasks: Vec<TaskId> = nodes[0].tasks().node("work").list().await.unwrap().iter().map(potok::Task::id).collect();
    assert_eq!(tasks.len(), CALLED);
    let started = std::time::Instant::now();
    let mut callers = JoinSet::new();
    for (place, task) in tasks.into_iter().enumerate() {
        callers.spawn(complete(nodes[place % nodes.len()].clone(), task));
    }
    while let Some(done) = callers.join_next().await {
        done.unwrap();
    }
    eprintln!("{CALLED} called instances ended in {:?}", started.elapsed());
    let ended = tokio::time::timeout(Duration::from_secs(60), async {
        // Whatever was left to be done later.
        while nodes[1].instance(case.id()).get().await.unwrap().is_active() {
            nodes[1].execute_due().await.unwrap();
        }
    });
    ended.await.unwrap();
    let completed = InstanceQuery { states: vec![InstanceState::Completed], ..InstanceQuery::default() };
    assert_eq!(nodes[2].instances(&completed).await.unwrap().len(), CALLED + 1);
    assert_eq!(nodes[3].examine().await.unwrap(), []);
    for node in nodes {
        node.stop().await;
    }
}

/// Completes a task, however many others write the calling instance.
async fn complete(engine: Engine, task: TaskId) {
    loop {
        match engine.complete(task, ()).await {
            Ok(()) => return,
            Err(Error::Contended(_)) => {}
            Err(error) => panic!("{error}"),
        }
    }
}
