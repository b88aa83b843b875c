//! Timers and savepoints.

use std::time::Duration;

use potok::row::InstanceState;

use crate::database::{Place, at, stop};
use crate::model::row;

crate::on_every_database!(
    a_timer_fires_when_it_is_due,
    missed_cycles_fire_each,
    a_timer_starts_a_process,
    a_savepoint_ends_the_unit,
    timers_fire_by_themselves,
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
