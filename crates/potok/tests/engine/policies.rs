//! What operators say of savepoints and timers to come, and of those that are there.

use potok::{DefinitionId, Due, DueKind, DueOf, DueQuery, DueType, Engine, TimerId};
use serde_json::json;

use crate::database::{Place, at, stop};
use crate::model::row;

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
