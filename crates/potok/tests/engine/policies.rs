//! What operators say of savepoints and timers to come, and of those that are there.

use potok::{DefinitionId, Due, DueKind, DueOf, DueQuery, DueType, Engine, TimerId};
use potok_store::{Outcome, Patience, Unit};
use serde_json::json;

use crate::database::{Place, at, stop};
use crate::model::{file, process, row};

crate::on_every_database!(
    savepoints_to_come_are_held_back,
    timers_that_are_there_are_held_back_too,
    they_are_held_back_later,
    they_are_as_urgent_as_operators_say,
    a_timer_that_starts_a_process_is_held_back,
    what_is_forgotten_is_never_due,
    a_boundary_timer_that_is_forgotten_leaves_its_activity,
    a_timer_is_computed_once_more,
    policies_go_with_their_definition,
    what_stands_elsewhere_is_not_read,
    a_start_that_failed_is_held_back_too,
);

/// A user task after a timer of as long as a variable says, behind a savepoint.
fn later() -> String {
    row(
        "wait",
        r#"
        <startEvent id="start"/>
        <task id="soon" potok:savepoint="before"/>
        <intermediateCatchEvent id="later"><timerEventDefinition><timeDuration>=pause</timeDuration></timerEventDefinition></intermediateCatchEvent>
        <userTask id="work"/>
        <endEvent id="end"/>"#,
    )
}

async fn start(engine: &Engine) -> potok::InstanceId {
    engine.start("wait").variables(json!({"pause": "PT2H"})).send().await.unwrap().id()
}

async fn of(engine: &Engine, node: &str, kind: DueType) -> DueOf {
    let definition = engine.definitions(&potok::query::DefinitionQuery::default()).await.unwrap().remove(0);
    DueOf { definition: DefinitionId(definition.key), node: node.into(), kind }
}

async fn all(engine: &Engine) -> Vec<Due> {
    engine.due(&DueQuery::default()).await.unwrap()
}

async fn held(engine: &Engine) -> Vec<bool> {
    all(engine).await.iter().map(|due| due.suspended).collect()
}

async fn savepoints_to_come_are_held_back(place: Place) {
    let engine = place.with(&[("wait.bpmn", &later())]).await;
    let soon = of(&engine, "soon", DueType::Before).await;
    start(&engine).await;
    engine.hold_due(&soon, true, false, None).await.unwrap();
    start(&engine).await;
    assert_eq!(held(&engine).await, [false, true], "those that are there go on");
    let policy = engine.due_policies(&[soon.definition]).await.unwrap().remove(0);
    assert_eq!((&*policy.node, policy.held, policy.priority), ("soon", true, None));
    assert_eq!(engine.examine().await.unwrap(), [], "what is derived follows from the log");
    assert_eq!(engine.execute_due().await.unwrap(), 1);
    stop(&engine).await;
    let engine = place.by_hand().await;
    start(&engine).await;
    assert_eq!(held(&engine).await, [true, false, true], "a savepoint, the timer of the first, and another savepoint");
    engine.hold_due(&soon, false, false, None).await.unwrap();
    assert_eq!(held(&engine).await, [true, false, true], "what is held back stays so");
    assert_eq!(engine.due_policies(&[soon.definition]).await.unwrap(), []);
    start(&engine).await;
    assert_eq!(engine.execute_due().await.unwrap(), 1);
    assert_eq!(engine.examine().await.unwrap(), []);
    let nowhere = DueOf { node: "nowhere".into(), ..soon };
    assert_eq!(engine.hold_due(&nowhere, true, false, None).await.unwrap_err().code(), "element-unknown");
    stop(&engine).await;
}

async fn timers_that_are_there_are_held_back_too(place: Place) {
    let engine = place.with(&[("wait.bpmn", &later())]).await;
    let timer = of(&engine, "later", DueType::Timer).await;
    start(&engine).await;
    engine.execute_due().await.unwrap();
    start(&engine).await;
    engine.hold_due(&timer, true, true, None).await.unwrap();
    assert_eq!(held(&engine).await.iter().filter(|held| **held).count(), 1, "savepoints are no timers");
    engine.execute_due().await.unwrap();
    assert_eq!(held(&engine).await, [true, true]);
    engine.clock().advance(at("2026-01-06T09:00:00Z"));
    assert_eq!(engine.execute_due().await.unwrap(), 0);
    engine.hold_due(&timer, false, true, None).await.unwrap();
    assert_eq!(engine.execute_due().await.unwrap(), 2);
    assert_eq!(engine.tasks().count().await.unwrap(), 2);
    assert_eq!(engine.examine().await.unwrap(), []);
    stop(&engine).await;
}

async fn they_are_held_back_later(place: Place) {
    let engine = place.with(&[("wait.bpmn", &later())]).await;
    let timer = of(&engine, "later", DueType::Timer).await;
    start(&engine).await;
    engine.execute_due().await.unwrap();
    engine.hold_due(&timer, true, true, Some(at("2026-01-05T10:00:00Z"))).await.unwrap();
    engine.execute_due().await.unwrap();
    assert_eq!(held(&engine).await, [false]);
    engine.clock().advance(at("2026-01-05T10:00:00Z"));
    engine.execute_due().await.unwrap();
    assert_eq!(held(&engine).await, [true]);
    assert!(engine.due_policies(&[timer.definition]).await.unwrap()[0].held);
    stop(&engine).await;
}

async fn they_are_as_urgent_as_operators_say(place: Place) {
    let engine = place.with(&[("wait.bpmn", &later())]).await;
    let soon = of(&engine, "soon", DueType::Before).await;
    let urgency = async || all(&engine).await.iter().map(|due| due.priority).collect::<Vec<_>>();
    start(&engine).await;
    engine.set_due_priority(&soon, Some(7), false).await.unwrap();
    start(&engine).await;
    assert_eq!(urgency().await, [0, 7]);
    engine.set_due_priority(&soon, Some(-9), true).await.unwrap();
    assert_eq!(urgency().await, [-9, -9]);
    engine.set_due_priority(&soon, None, true).await.unwrap();
    start(&engine).await;
    assert_eq!(urgency().await, [-9, -9, 0], "what is there keeps what it has");
    assert_eq!(engine.examine().await.unwrap(), []);
    stop(&engine).await;
}

async fn a_timer_that_starts_a_process_is_held_back(place: Place) {
    let model = row(
        "daily",
        r#"
        <startEvent id="morning"><timerEventDefinition><timeCycle>R/P1D</timeCycle></timerEventDefinition></startEvent>
        <userTask id="work"/>
        <endEvent id="end"/>"#,
    );
    let engine = place.with(&[("daily.bpmn", &model)]).await;
    let morning = of(&engine, "morning", DueType::Timer).await;
    engine.hold_due(&morning, true, true, None).await.unwrap();
    assert_eq!(held(&engine).await, [true]);
    engine.clock().advance(at("2026-01-06T12:00:00Z"));
    assert_eq!(engine.execute_due().await.unwrap(), 0);
    let start = all(&engine).await.remove(0);
    engine.execute(&start).await.unwrap();
    assert_eq!(engine.tasks().count().await.unwrap(), 1, "by hand it is done all the same");
    assert_eq!(held(&engine).await, [true], "and so is the next");
    engine.hold_due(&morning, false, true, None).await.unwrap();
    engine.clock().advance(at("2026-01-07T12:00:00Z"));
    engine.execute_due().await.unwrap();
    assert!(engine.tasks().count().await.unwrap() > 1);
    let start = all(&engine).await.remove(0);
    engine.suspend_timer(TimerId(start.key), true).await.unwrap();
    assert_eq!(held(&engine).await, [true]);
    engine.set_due_priority(&morning, Some(3), false).await.unwrap();
    assert_eq!(all(&engine).await[0].priority, 3);
    stop(&engine).await;
}

async fn what_is_forgotten_is_never_due(place: Place) {
    let engine = place.with(&[("wait.bpmn", &later())]).await;
    let case = start(&engine).await;
    let savepoint = all(&engine).await.remove(0);
    engine.forget_due(&savepoint).await.unwrap();
    assert_eq!(all(&engine).await, []);
    assert_eq!(engine.execute_due().await.unwrap(), 0);
    assert_eq!(engine.forget_due(&savepoint).await.unwrap_err().code(), "timer-unknown");
    assert_eq!(engine.examine().await.unwrap(), [], "what is derived follows from the log");
    stop(&engine).await;
    let engine = place.by_hand().await;
    engine.modify(case).cancel_all("soon").start_before("later").send().await.unwrap();
    let timer = all(&engine).await.remove(0);
    assert_eq!(timer.kind, DueKind::Timer);
    engine.forget_due(&timer).await.unwrap();
    engine.clock().advance(at("2026-01-06T12:00:00Z"));
    assert_eq!(engine.execute_due().await.unwrap(), 0);
    engine.instance(case).cancel("").await.unwrap();
    assert_eq!(engine.examine().await.unwrap(), []);
    stop(&engine).await;
}

async fn a_boundary_timer_that_is_forgotten_leaves_its_activity(place: Place) {
    let model = row(
        "ask",
        r#"
        <startEvent id="start"/>
        <userTask id="work"/>
        <endEvent id="end"/>
        <boundaryEvent id="late" attachedToRef="work"><timerEventDefinition><timeDuration>PT2H</timeDuration></timerEventDefinition></boundaryEvent>"#,
    )
    .replace("</process>", r#"<endEvent id="given_up"/><sequenceFlow id="f9" sourceRef="late" targetRef="given_up"/></process>"#);
    let engine = place.with(&[("ask.bpmn", &model)]).await;
    engine.start("ask").send().await.unwrap();
    engine.forget_due(&all(&engine).await[0]).await.unwrap();
    engine.clock().advance(at("2026-01-06T12:00:00Z"));
    assert_eq!(engine.execute_due().await.unwrap(), 0);
    let task = engine.tasks().list().await.unwrap().remove(0);
    engine.complete(task.id(), ()).await.unwrap();
    assert_eq!(engine.examine().await.unwrap(), []);
    stop(&engine).await;
}

async fn a_timer_is_computed_once_more(place: Place) {
    let engine = place.with(&[("wait.bpmn", &later())]).await;
    let case = start(&engine).await;
    let savepoint = all(&engine).await.remove(0);
    assert_eq!(engine.recalculate(TimerId(savepoint.key), None).await.unwrap_err().code(), "key-wrong-kind");
    engine.execute_due().await.unwrap();
    let timer = TimerId(all(&engine).await[0].key);
    engine.instance(case).set_variables(json!({"pause": "PT5H"})).await.unwrap();
    engine.clock().advance(at("2026-01-05T10:00:00Z"));
    engine.recalculate(timer, None).await.unwrap();
    assert_eq!(all(&engine).await[0].due, Some(at("2026-01-05T14:00:00Z")), "since it began to be waited for");
    engine.recalculate(timer, Some(engine.clock().now())).await.unwrap();
    assert_eq!(all(&engine).await[0].due, Some(at("2026-01-05T15:00:00Z")));
    engine.instance(case).set_variables(json!({"pause": "many"})).await.unwrap();
    let failed = engine.recalculate(timer, None).await.unwrap_err();
    assert_eq!(failed.code(), "evaluation-failed", "{failed}");
    assert_eq!(all(&engine).await[0].due, Some(at("2026-01-05T15:00:00Z")), "nothing is changed then");
    assert_eq!(engine.examine().await.unwrap(), []);
    stop(&engine).await;
}

async fn policies_go_with_their_definition(place: Place) {
    let engine = place.with(&[("wait.bpmn", &later())]).await;
    let soon = of(&engine, "soon", DueType::Before).await;
    engine.hold_due(&soon, true, false, None).await.unwrap();
    engine.deployment().file("wait.bpmn", later().as_str()).anew().send().await.unwrap();
    start(&engine).await;
    assert_eq!(held(&engine).await, [false], "another version has none");
    engine.delete_definition(soon.definition).await.unwrap();
    assert_eq!(engine.due_policies(&[soon.definition]).await.unwrap(), []);
    stop(&engine).await;
}

async fn what_stands_elsewhere_is_not_read(place: Place) {
    let other = later().replace(r#""wait""#, r#""other""#);
    let engine = place.with(&[("wait.bpmn", &later()), ("other.bpmn", &other)]).await;
    let wait = engine.definitions(&potok::query::DefinitionQuery::default()).await.unwrap();
    let wait = DefinitionId(wait.iter().find(|definition| &*definition.id == "wait").unwrap().key);
    let of = |node: &str, kind| DueOf { definition: wait, node: node.into(), kind };
    // One of each at its timer, and one at its savepoint.
    let mut elsewhere = Vec::new();
    for _ in 0..2 {
        engine.execute_due().await.unwrap();
        start(&engine).await;
        let case = engine.start("other").variables(json!({"pause": "PT2H"})).send().await.unwrap();
        elsewhere.push(case.key);
    }
    let mut unit = Unit { id: 7, ..Unit::default() };
    for instance in elsewhere {
        unit.changes.rewrite_log(instance, 1, 1, [255_u8; 9].as_slice().into());
    }
    assert_eq!(engine.store().commit(&[unit], Patience::Wait).await.unwrap(), [Outcome::Committed]);
    engine.stop().await;
    // Whoever read the instances of the other process now would be told that they are damaged.
    let engine = place.by_hand().await;
    let all = engine.due(&DueQuery::default()).await;
    assert!(matches!(all, Err(potok::Error::Damaged { .. })), "{all:?}");
    engine.hold_due(&of("soon", DueType::Before), true, true, None).await.unwrap();
    engine.hold_due(&of("later", DueType::Timer), true, true, None).await.unwrap();
    engine.hold_due(&of("soon", DueType::After), true, true, None).await.unwrap();
    engine.set_due_priority(&of("later", DueType::Timer), Some(7), true).await.unwrap();
    let query = potok::query::InstanceQuery { definition: Some(wait.0), ..Default::default() };
    let instances = engine.instances(&query).await.unwrap().iter().map(|row| row.key).collect();
    let due = engine.due(&DueQuery { instances, ..DueQuery::default() }).await.unwrap();
    let mut stand: Vec<_> = due.iter().map(|due| (&*due.node, due.suspended, due.priority)).collect();
    stand.sort_unstable();
    assert_eq!(stand, [("later", true, 7), ("soon", true, 0)]);
    engine.stop().await;
}

/// A process that a timer starts once, and cannot go on.
fn stuck() -> String {
    let process = process(
        "stuck",
        r#"
        <startEvent id="start">
          <extensionElements><camunda:failedJobRetryTimeCycle>PT1M,PT5M</camunda:failedJobRetryTimeCycle></extensionElements>
          <timerEventDefinition><timeDuration>PT1H</timeDuration></timerEventDefinition>
        </startEvent>
        <serviceTask id="add" camunda:expression="${x + 1}" camunda:resultVariable="sum"/>
        <endEvent id="end"/>"#,
    );
    file(&process).replace("<definitions ", r#"<definitions xmlns:camunda="http://camunda.org/schema/1.0/bpmn" "#)
}

async fn a_start_that_failed_is_held_back_too(place: Place) {
    let engine = place.with(&[("stuck.bpmn", &stuck())]).await;
    let start = of(&engine, "start", DueType::Timer).await;
    let tries = async || all(&engine).await.iter().map(|due| (due.retries, due.suspended)).collect::<Vec<_>>();
    engine.clock().advance(at("2026-01-05T10:00:00Z"));
    engine.execute_due().await.unwrap();
    assert_eq!(tries().await, [(2, false)], "it is tried again");
    engine.hold_due(&start, true, true, None).await.unwrap();
    assert_eq!(tries().await, [(2, true)], "which is there already");
    engine.clock().advance(at("2026-01-05T12:00:00Z"));
    assert_eq!(engine.execute_due().await.unwrap(), 0);
    assert_eq!(engine.execute(&all(&engine).await[0]).await.unwrap_err().code(), "stuck");
    assert_eq!(tries().await, [(1, true)], "what is still to come stays so");
    assert_eq!(engine.execute_due().await.unwrap(), 0);
    engine.hold_due(&start, false, true, None).await.unwrap();
    assert_eq!(tries().await, [(1, false)]);
    // One by one, too.
    engine.suspend_timer(TimerId(all(&engine).await[0].key), true).await.unwrap();
    assert_eq!(tries().await, [(1, true)]);
    assert_eq!(engine.execute_due().await.unwrap(), 0);
    stop(&engine).await;
}
