//! Timers and savepoints.

use std::time::Duration;

use potok::row::InstanceState;
use potok::{DueKind, DueQuery, TimerId, WorkEvent, WorkKind};

use crate::database::{Place, at, stop};
use crate::model::row;

crate::on_every_database!(
    a_timer_fires_when_it_is_due,
    missed_cycles_fire_each,
    a_timer_starts_a_process,
    a_savepoint_ends_the_unit,
    timers_fire_by_themselves,
    what_is_due_is_done_by_hand,
    a_timer_is_due_at_another_time,
    a_timer_is_held_back,
    a_savepoint_is_held_back,
    a_savepoint_is_put_off,
    a_suspended_instance_stays_at_its_savepoint,
    what_became_of_timers_and_savepoints_is_told,
    what_is_due_is_as_urgent_as_its_model_says,
);

async fn a_timer_fires_when_it_is_due(place: Place) {
    let model = row(
        "wait",
        r#"
        <startEvent id="start"/>
        <intermediateCatchEvent id="later"><timerEventDefinition><timeDuration>PT2H</timeDuration></timerEventDefinition></intermediateCatchEvent>
        <userTask id="work"/>
        <endEvent id="end"/>"#,
    );
    let engine = place.with(&[("wait.bpmn", &model)]).await;
    engine.start("wait").send().await.unwrap();
    engine.clock().advance(at("2026-01-05T10:59:59Z"));
    assert_eq!(engine.execute_due().await.unwrap(), 0);
    engine.clock().advance(at("2026-01-05T11:00:00Z"));
    assert_eq!(engine.execute_due().await.unwrap(), 1);
    assert_eq!(engine.tasks().node("work").count().await.unwrap(), 1);
    stop(&engine).await;
}

async fn missed_cycles_fire_each(place: Place) {
    let model = row(
        "remind",
        r#"
        <startEvent id="start"/>
        <userTask id="sign"/>
        <endEvent id="end"/>
        <boundaryEvent id="weekly" attachedToRef="sign" cancelActivity="false"><timerEventDefinition><timeCycle>R/P7D</timeCycle></timerEventDefinition></boundaryEvent>"#,
    )
    .replace("</process>", r#"<userTask id="call"/><sequenceFlow id="f9" sourceRef="weekly" targetRef="call"/></process>"#);
    let engine = place.with(&[("remind.bpmn", &model)]).await;
    engine.start("remind").send().await.unwrap();
    stop(&engine).await;
    let engine = place.by_hand().await;
    engine.clock().advance(at("2026-01-27T09:00:00Z"));
    engine.execute_due().await.unwrap();
    assert_eq!(engine.tasks().node("call").count().await.unwrap(), 3, "none is left out, none fires twice");
    assert_eq!(engine.execute_due().await.unwrap(), 0);
    stop(&engine).await;
}

async fn a_timer_starts_a_process(place: Place) {
    let model = row(
        "daily",
        r#"
        <startEvent id="start"><timerEventDefinition><timeCycle>R2/P1D</timeCycle></timerEventDefinition></startEvent>
        <userTask id="report"/>
        <endEvent id="end"/>"#,
    );
    let engine = place.with(&[("daily.bpmn", &model)]).await;
    assert_eq!(engine.execute_due().await.unwrap(), 0);
    engine.clock().advance(at("2026-01-06T09:00:00Z"));
    engine.execute_due().await.unwrap();
    assert_eq!(engine.tasks().count().await.unwrap(), 1);
    engine.clock().advance(at("2026-02-06T09:00:00Z"));
    engine.execute_due().await.unwrap();
    assert_eq!(engine.tasks().count().await.unwrap(), 2);
    stop(&engine).await;
}

async fn a_savepoint_ends_the_unit(place: Place) {
    let model = row(
        "saved",
        r#"
        <startEvent id="start"/>
        <task id="first"/>
        <task id="second" potok:savepoint="before"/>
        <endEvent id="end"/>"#,
    );
    let engine = place.with(&[("saved.bpmn", &model)]).await;
    let case = engine.start("saved").send().await.unwrap();
    assert!(case.is_active());
    assert_eq!(engine.execute_due().await.unwrap(), 1);
    assert_eq!(engine.instance(case.id()).get().await.unwrap().state, InstanceState::Completed);
    assert_eq!(engine.execute_due().await.unwrap(), 0);
    stop(&engine).await;
}

async fn timers_fire_by_themselves(place: Place) {
    let model = row(
        "blink",
        r#"
        <startEvent id="start"/>
        <intermediateCatchEvent id="later"><timerEventDefinition><timeDuration>PT0.2S</timeDuration></timerEventDefinition></intermediateCatchEvent>
        <task id="saved" potok:savepoint="before"/>
        <endEvent id="end"/>"#,
    );
    let engine = place.builder().start().await.unwrap();
    crate::database::deploy(&engine, &[("blink.bpmn", &model)]).await;
    let case = engine.start("blink").send().await.unwrap();
    let ended = tokio::time::timeout(Duration::from_secs(60), async { engine.instance(case.id()).ended().await });
    assert_eq!(ended.await.unwrap().unwrap().state, InstanceState::Completed);
    stop(&engine).await;
}

async fn what_is_due_is_done_by_hand(place: Place) {
    let model = row(
        "wait",
        r#"
        <startEvent id="start"><timerEventDefinition><timeCycle>R/P1D</timeCycle></timerEventDefinition></startEvent>
        <userTask id="soon" potok:savepoint="before"/>
        <intermediateCatchEvent id="later"><timerEventDefinition><timeDuration>PT2H</timeDuration></timerEventDefinition></intermediateCatchEvent>
        <endEvent id="end"/>"#,
    );
    let engine = place.with(&[("wait.bpmn", &model)]).await;
    let only = async || {
        let mut all = engine.due(&DueQuery::default()).await.unwrap();
        all.retain(|due| due.kind != DueKind::StartTimer);
        assert_eq!(all.len(), 1, "{all:?}");
        all.remove(0)
    };
    let start = engine.due(&DueQuery::default()).await.unwrap().remove(0);
    assert_eq!((start.kind, &*start.node, start.instance), (DueKind::StartTimer, "start", None));
    engine.execute(&start).await.unwrap();
    assert_eq!(engine.execute(&start).await.unwrap_err().code(), "timer-unknown", "the next one has a key of its own");

    let savepoint = only().await;
    assert_eq!((savepoint.kind, &*savepoint.node), (DueKind::Savepoint { after: false }, "soon"));
    engine.execute(&savepoint).await.unwrap();
    assert_eq!(engine.execute(&savepoint).await.unwrap_err().code(), "timer-unknown");
    let task = engine.tasks().node("soon").list().await.unwrap().remove(0);
    engine.complete(task.id(), ()).await.unwrap();

    let timer = only().await;
    assert_eq!((timer.kind, &*timer.node, timer.due), (DueKind::Timer, "later", Some(at("2026-01-05T11:00:00Z"))));
    engine.execute(&timer).await.unwrap();
    assert_eq!(engine.execute(&timer).await.unwrap_err().code(), "timer-unknown");
    let query = DueQuery { instances: vec![timer.instance.unwrap().0], ..DueQuery::default() };
    assert!(engine.due(&query).await.unwrap().is_empty(), "it has ended");
    stop(&engine).await;
}

/// A user task after a timer of two hours, behind a savepoint.
fn later() -> String {
    row(
        "wait",
        r#"
        <startEvent id="start"/>
        <task id="soon" potok:savepoint="before"/>
        <intermediateCatchEvent id="later"><timerEventDefinition><timeDuration>PT2H</timeDuration></timerEventDefinition></intermediateCatchEvent>
        <userTask id="work"/>
        <endEvent id="end"/>"#,
    )
}

/// The timer of an instance that has gone beyond its savepoint.
async fn timer(engine: &potok::Engine) -> potok::Due {
    let savepoint = engine.due(&DueQuery::default()).await.unwrap().remove(0);
    engine.execute(&savepoint).await.unwrap();
    engine.due(&DueQuery::default()).await.unwrap().remove(0)
}

async fn a_timer_is_due_at_another_time(place: Place) {
    let engine = place.with(&[("wait.bpmn", &later())]).await;
    engine.start("wait").send().await.unwrap();
    let due = timer(&engine).await;
    let timer = TimerId(due.key);
    engine.reschedule(timer, at("2026-01-05T09:30:00Z")).await.unwrap();
    assert_eq!(engine.due(&DueQuery::default()).await.unwrap()[0].due, Some(at("2026-01-05T09:30:00Z")));
    assert_eq!(engine.examine().await.unwrap(), [], "what is derived follows from the log");
    engine.clock().advance(at("2026-01-05T09:31:00Z"));
    engine.execute_due().await.unwrap();
    assert_eq!(engine.tasks().node("work").count().await.unwrap(), 1);
    let gone = engine.reschedule(timer, at("2026-01-05T10:00:00Z")).await.unwrap_err();
    assert_eq!(gone.code(), "timer-unknown");
    stop(&engine).await;
}

async fn a_timer_is_held_back(place: Place) {
    let engine = place.with(&[("wait.bpmn", &later())]).await;
    let case = engine.start("wait").send().await.unwrap();
    let due = timer(&engine).await;
    let timer = TimerId(due.key);
    engine.suspend_timer(timer, true).await.unwrap();
    assert!(engine.due(&DueQuery::default()).await.unwrap()[0].suspended);
    assert!(!engine.instance(case.id()).get().await.unwrap().suspended, "only the timer is");
    assert_eq!(engine.examine().await.unwrap(), [], "what is derived follows from the log");
    engine.clock().advance(at("2026-01-05T12:00:00Z"));
    engine.execute_due().await.unwrap();
    assert_eq!(engine.tasks().count().await.unwrap(), 0);
    // It goes on with its instance, too.
    engine.instance(case.id()).suspend().await.unwrap();
    engine.instance(case.id()).resume().await.unwrap();
    engine.execute_due().await.unwrap();
    assert_eq!(engine.tasks().count().await.unwrap(), 1);
    assert_eq!(engine.suspend_timer(timer, false).await.unwrap_err().code(), "timer-unknown");
    stop(&engine).await;
}

/// What waits at the savepoint of the one instance.
async fn savepoint(engine: &potok::Engine) -> potok::Due {
    let due = engine.due(&DueQuery::default()).await.unwrap().remove(0);
    assert_eq!(due.kind, DueKind::Savepoint { after: false });
    due
}

async fn a_savepoint_is_held_back(place: Place) {
    let engine = place.with(&[("wait.bpmn", &later())]).await;
    let case = engine.start("wait").send().await.unwrap();
    let key = TimerId(savepoint(&engine).await.key);
    engine.suspend_timer(key, true).await.unwrap();
    assert!(savepoint(&engine).await.suspended);
    assert!(!engine.instance(case.id()).get().await.unwrap().suspended, "only the savepoint is");
    assert_eq!(engine.examine().await.unwrap(), [], "what is derived follows from the log");
    assert_eq!(engine.execute_due().await.unwrap(), 0);
    engine.reschedule(key, engine.clock().now()).await.unwrap();
    engine.set_timer_priority(key, 7).await.unwrap();
    assert!(savepoint(&engine).await.suspended, "it is held back, whatever else is said of it");
    assert_eq!(engine.examine().await.unwrap(), [], "what is derived follows from the log");
    assert_eq!(engine.execute_due().await.unwrap(), 0);
    engine.suspend_timer(key, false).await.unwrap();
    assert!(!savepoint(&engine).await.suspended);
    assert_eq!(engine.execute_due().await.unwrap(), 1);
    assert_eq!(engine.suspend_timer(key, true).await.unwrap_err().code(), "timer-unknown");
    stop(&engine).await;
}

async fn a_savepoint_is_put_off(place: Place) {
    let engine = place.with(&[("wait.bpmn", &later())]).await;
    engine.start("wait").send().await.unwrap();
    let key = TimerId(savepoint(&engine).await.key);
    engine.reschedule(key, at("2026-01-05T10:00:00Z")).await.unwrap();
    assert_eq!(savepoint(&engine).await.due, Some(at("2026-01-05T10:00:00Z")));
    assert_eq!(engine.examine().await.unwrap(), [], "what is derived follows from the log");
    assert_eq!(engine.execute_due().await.unwrap(), 0);
    engine.clock().advance(at("2026-01-05T10:00:00Z"));
    assert_eq!(engine.execute_due().await.unwrap(), 1);
    assert_eq!(engine.reschedule(key, at("2026-01-05T11:00:00Z")).await.unwrap_err().code(), "timer-unknown");
    stop(&engine).await;
}

async fn a_suspended_instance_stays_at_its_savepoint(place: Place) {
    let engine = place.with(&[("wait.bpmn", &later())]).await;
    let case = engine.start("wait").send().await.unwrap();
    engine.instance(case.id()).suspend().await.unwrap();
    assert!(savepoint(&engine).await.suspended);
    assert_eq!(engine.execute_due().await.unwrap(), 0);
    assert_eq!(engine.examine().await.unwrap(), [], "what is derived follows from the log");
    engine.instance(case.id()).resume().await.unwrap();
    assert_eq!(engine.execute_due().await.unwrap(), 1);
    stop(&engine).await;
}

async fn what_became_of_timers_and_savepoints_is_told(place: Place) {
    let engine = place.with(&[("wait.bpmn", &later())]).await;
    let case = engine.start("wait").send().await.unwrap();
    let due = timer(&engine).await;
    engine.reschedule(TimerId(due.key), at("2026-01-05T09:30:00Z")).await.unwrap();
    engine.execute(&due).await.unwrap();
    let told = engine.instance(case.id()).work_log().await.unwrap();
    let told: Vec<_> = told.iter().map(|entry| (&*entry.node, &entry.kind, &entry.event)).collect();
    let expected = [
        ("soon", WorkKind::Savepoint { after: false, due: None, retries: 3, priority: 0 }, WorkEvent::Opened),
        ("soon", WorkKind::Savepoint { after: false, due: None, retries: 3, priority: 0 }, WorkEvent::Completed),
        ("later", WorkKind::Timer { due: at("2026-01-05T11:00:00Z"), retries: 3, priority: 0 }, WorkEvent::Opened),
        ("later", WorkKind::Timer { due: at("2026-01-05T09:30:00Z"), retries: 3, priority: 0 }, WorkEvent::Completed),
    ];
    let expected: Vec<_> = expected.iter().map(|(node, kind, event)| (*node, kind, event)).collect();
    assert_eq!(told, expected);
    let unknown = engine.instance(potok::InstanceId(potok_core::instance::Key(5))).work_log().await.unwrap_err();
    assert_eq!(unknown.code(), "instance-unknown");
    stop(&engine).await;
}

async fn what_is_due_is_as_urgent_as_its_model_says(place: Place) {
    let model = |id: &str, nodes: &str| {
        let model = row(id, nodes).replace("<process ", r#"<process camunda:historyTimeToLive="P30D" "#);
        model.replace("<definitions ", r#"<definitions xmlns:camunda="http://camunda.org/schema/1.0/bpmn" "#)
    };
    let daily = model(
        "daily",
        r#"
        <startEvent id="morning" camunda:jobPriority="44"><timerEventDefinition><timeCycle>R/P1D</timeCycle></timerEventDefinition></startEvent>
        <userTask id="work"/>
        <endEvent id="end"/>"#,
    );
    let urgent = model(
        "urgent",
        r#"
        <startEvent id="start"/>
        <task id="soon" camunda:asyncBefore="true" camunda:jobPriority="${7}"/>
        <endEvent id="end"/>"#,
    );
    let engine = place.with(&[("daily.bpmn", &daily), ("urgent.bpmn", &urgent)]).await;
    let case = engine.start("urgent").send().await.unwrap();
    let due = engine.due(&DueQuery::default()).await.unwrap();
    let due: Vec<_> = due.iter().map(|due| (&*due.node, due.priority)).collect();
    assert_eq!(due, [("morning", 44), ("soon", 7)]);
    let told = engine.instance(case.id()).work_log().await.unwrap();
    assert!(matches!(told[0].kind, WorkKind::Savepoint { priority: 7, .. }), "{told:?}");
    stop(&engine).await;
}
