//! What was acknowledged goes on where it was.

use std::time::Duration;

use potok::query::{Comparison, VariableFilter, VariableValue};
use potok::row::{InstanceState, Work};
use potok::{Clock, Engine, Error};
use potok_core::instance::Key;
use potok_core::time::Timestamp;
use potok_store::{Outcome, Patience, Unit};
use serde_json::json;

use crate::database::{Place, at, deploy, morning, stop};
use crate::model::{approval, file, process, row};

crate::on_every_database!(
    calls_under_way_when_it_stops_are_told_the_truth,
    a_business_key_is_one_running_instances_own,
    an_instance_goes_on_after_a_restart,
    a_long_instance_is_loaded_from_its_snapshot,
    callers_and_called_go_on_after_a_restart,
    many_callers_of_one_instance_at_once,
    two_nodes_do_nothing_twice,
    what_a_version_before_did_not_write_is_written_beside_other_work,
);

async fn an_instance_goes_on_after_a_restart(place: Place) {
    let engine = place.with(&[("approval.bpmn", &approval())]).await;
    let case = engine.start("approval").variables(json!({"amount": 12, "who": "Анна"})).send().await.unwrap();
    let before = engine.instance(case.id()).state().await.unwrap();
    stop(&engine).await;

    let engine = place.by_hand().await;
    assert_eq!(engine.instance(case.id()).state().await.unwrap(), before);
    let task = engine.tasks().list().await.unwrap()[0].id();
    engine.complete(task, ()).await.unwrap();
    let task = engine.tasks().list().await.unwrap()[0].id();
    engine.complete(task, ()).await.unwrap();
    assert_eq!(engine.instance(case.id()).get().await.unwrap().state, InstanceState::Completed);
    stop(&engine).await;
}

async fn a_long_instance_is_loaded_from_its_snapshot(place: Place) {
    let model = file(
        r#"<process id="loop" isExecutable="true"><startEvent id="start"/><userTask id="again"/>
        <sequenceFlow id="f1" sourceRef="start" targetRef="again"/><sequenceFlow id="f2" sourceRef="again" targetRef="again"/></process>"#,
    );
    let engine = place.with(&[("loop.bpmn", &model)]).await;
    let case = engine.start("loop").send().await.unwrap();
    let text = "x".repeat(1000);
    for round in 0..60 {
        let task = engine.tasks().list().await.unwrap()[0].id();
        engine.complete(task, json!({"round": round, "text": text})).await.unwrap();
    }
    let before = engine.instance(case.id()).state().await.unwrap();
    let snapshot = engine.store().snapshot(case.key, u64::MAX).await.unwrap().expect("a snapshot");
    assert!(snapshot.seq > 10 && snapshot.seq <= 61, "{}", snapshot.seq);
    stop(&engine).await;
    let engine = place.by_hand().await;
    assert_eq!(engine.instance(case.id()).state().await.unwrap(), before);
    assert_eq!(engine.instance(case.id()).at(3).await.unwrap().variable("round"), Some(&1.into()));
    stop(&engine).await;
}

fn calling() -> String {
    let outer = process(
        "outer",
        r#"
        <startEvent id="start"/>
        <callActivity id="call" calledElement="inner"/>
        <userTask id="check"/>
        <endEvent id="end"/>"#,
    );
    let inner = process("inner", "<startEvent id=\"begin\"/>\n<userTask id=\"work\"/>\n<endEvent id=\"done\"/>");
    file(&format!("{outer}{inner}"))
}

async fn callers_and_called_go_on_after_a_restart(place: Place) {
    let engine = place.with(&[("calling.bpmn", &calling())]).await;
    let case = engine.start("outer").send().await.unwrap();
    let work = engine.tasks().node("work").list().await.unwrap();
    assert_eq!(work.len(), 1, "one commit starts both");
    assert_ne!(work[0].instance_id(), case.id());
    stop(&engine).await;

    let engine = place.by_hand().await;
    engine.complete(work[0].id(), json!({"result": 7})).await.unwrap();
    let check = engine.tasks().instance(case.id()).list().await.unwrap();
    assert_eq!(check.len(), 1, "the end of the called one goes on with its caller");
    let called = engine.start("outer").send().await.unwrap();
    engine.instance(called.id()).cancel("").await.unwrap();
    assert_eq!(engine.tasks().node("work").count().await.unwrap(), 0, "cancelling the caller cancels what it called");
    stop(&engine).await;
}

async fn many_callers_of_one_instance_at_once(place: Place) {
    let model = row(
        "parallel",
        r#"
        <startEvent id="start"/>
        <userTask id="work"><multiInstanceLoopCharacteristics><loopCardinality>40</loopCardinality></multiInstanceLoopCharacteristics></userTask>
        <endEvent id="end"/>"#,
    );
    let engine = place.with(&[("parallel.bpmn", &model)]).await;
    let case = engine.start("parallel").send().await.unwrap();
    let tasks = engine.tasks().list().await.unwrap();
    assert_eq!(tasks.len(), 40);
    let all: Vec<_> = tasks
        .into_iter()
        .map(|task| {
            let engine = engine.clone();
            tokio::spawn(async move { engine.complete(task.id(), ()).await })
        })
        .collect();
    for done in all {
        done.await.unwrap().unwrap();
    }
    assert_eq!(engine.instance(case.id()).get().await.unwrap().state, InstanceState::Completed);
    let history = engine.instance(case.id()).history(0, 1000).await.unwrap();
    assert_eq!(history.len(), 41);
    stop(&engine).await;
}

async fn two_nodes_do_nothing_twice(place: Place) {
    if matches!(place, Place::File(_)) {
        let engine = place.by_hand().await;
        let second = place.builder().start().await;
        assert!(
            matches!(second, Err(Error::Store(error)) if error.code() == "store-in-use"),
            "one process for each file"
        );
        return stop(&engine).await;
    }
    let one = place.with(&[("approval.bpmn", &approval())]).await;
    let two = place.builder().clock(Clock::standing_at(at("2026-01-05T08:59:58Z"))).start().await.unwrap();
    for _ in 0..10 {
        one.start("approval").send().await.unwrap();
    }
    assert!(morning() > two.clock().now());
    for round in 0..2 {
        let tasks = one.tasks().list().await.unwrap();
        assert_eq!(tasks.len(), 10, "round {round}");
        let both = tasks.iter().flat_map(|task| [(one.clone(), task.id()), (two.clone(), task.id())]);
        let all: Vec<_> =
            both.map(|(engine, task)| tokio::spawn(async move { engine.complete(task, ()).await })).collect();
        let mut done = 0;
        for completed in all {
            match completed.await.unwrap() {
                Ok(()) => done += 1,
                Err(error) => assert_eq!(error.code(), "task-unknown", "{error}"),
            }
        }
        assert_eq!(done, 10, "round {round}");
    }
    assert_eq!(one.tasks().count().await.unwrap(), 0);
    deploy(&two, &[("approval.bpmn", &approval())]).await;
    stop(&one).await;
    stop(&two).await;
}

async fn calls_under_way_when_it_stops_are_told_the_truth(place: Place) {
    let mut engine = place.with(&[("approval.bpmn", &approval())]).await;
    let (mut done, mut undone) = (Vec::new(), Vec::new());
    for round in 0..20 {
        let calls: Vec<_> = (0..20)
            .map(|call| {
                let (engine, key) = (engine.clone(), format!("{round}-{call}"));
                tokio::spawn(async move {
                    let started = engine.start("approval").business_key(&*key).send().await;
                    (key, started.map(|_| ()))
                })
            })
            .collect();
        // In the midst of a commit, sooner or later.
        tokio::time::sleep(Duration::from_micros(round * 500)).await;
        engine.stop().await;
        for call in calls {
            match call.await.unwrap() {
                (key, Ok(())) => done.push(key),
                (_, Err(Error::OutcomeUnknown)) => {}
                (key, Err(_)) => undone.push(key),
            }
        }
        engine = place.by_hand().await;
    }
    let all = engine.instances(&potok::query::InstanceQuery::default()).await.unwrap();
    let keys: Vec<String> = all.iter().map(|instance| instance.business_key.as_deref().unwrap().to_owned()).collect();
    assert!(done.iter().all(|key| keys.contains(key)), "what was acknowledged is there");
    assert!(!undone.iter().any(|key| keys.contains(key)), "what was refused is not");
    stop(&engine).await;
}

async fn a_business_key_is_one_running_instances_own(place: Place) {
    let engine = place.with(&[("approval.bpmn", &approval())]).await;
    let start = |engine: &Engine| {
        let engine = engine.clone();
        async move { engine.start("approval").unique_business_key("C-17").send().await }
    };
    let case = start(&engine).await.unwrap();
    assert!(case.unique);
    let refused = start(&engine).await.unwrap_err();
    let taken =
        matches!(&refused, Error::BusinessKeyTaken { key, instance } if *key == "C-17" && *instance == case.id());
    assert!(taken, "{refused}");
    // Who does not ask for it does not meet it.
    engine.start("approval").business_key("C-17").send().await.unwrap();
    stop(&engine).await;
    let engine = place.by_hand().await;
    assert_eq!(start(&engine).await.unwrap_err().code(), "business-key-taken");
    engine.instance(case.id()).cancel("over").await.unwrap();
    let (left, right) = tokio::join!(start(&engine), start(&engine));
    assert!(left.is_ok() != right.is_ok(), "one of two at once");
    stop(&engine).await;
}

async fn what_a_version_before_did_not_write_is_written_beside_other_work(place: Place) {
    let engine = place.with(&[("approval.bpmn", &approval())]).await;
    let draft = VariableFilter { name: "draft".into(), comparison: Comparison::Equal(VariableValue::Number(7.0)) };
    let found = async |engine: &Engine| engine.tasks().own_variable(draft.clone()).count().await.unwrap();
    let mut unit = Unit { id: 7, ..Unit::default() };
    for _ in 0..3 {
        let case = engine.start("approval").send().await.unwrap();
        let task = engine.tasks().instance(case.id()).list().await.unwrap()[0].id();
        engine.set_local_task_variables(task, json!({"draft": 7})).await.unwrap();
        unit.changes.remove_task_variables(case.key, task.0);
    }
    assert_eq!(found(&engine).await, 3);
    // As the migration leaves it.
    let left = Work { kind: 8, due: Timestamp::UNIX_EPOCH, suspended: true, ..Work::default() };
    unit.changes.add(left);
    assert_eq!(engine.store().commit(&[unit], Patience::Wait).await.unwrap(), [Outcome::Committed]);
    assert_eq!(found(&engine).await, 0);
    engine.stop().await;
    let engine = place.by_hand().await;
    let is_left = async || engine.store().get::<Work>((Key::default(), Key::default())).await.unwrap().is_some();
    if let Place::Memory(_) = place {
        // Where nobody waits for a disk, what runs behind the engine has not had its turn yet.
        assert!(is_left().await, "the start does not wait for it");
    }
    assert_eq!(engine.examine().await.unwrap(), [], "whoever examines all of it does");
    assert_eq!((found(&engine).await, is_left().await), (3, false));
    stop(&engine).await;
}
