//! What fails behind a savepoint or timer is undone, and tried again.

use potok::query::IncidentQuery;
use potok::{DueKind, DueQuery, Engine, IncidentId, InstanceId, TimerId};
use serde_json::json;

use crate::database::{Place, at, stop};
use crate::model::{file, process};

crate::on_every_database!(
    what_fails_is_tried_as_often_as_its_model_says,
    a_try_by_hand_says_why_it_fails,
    somebody_says_how_many_tries_are_left,
);

/// A savepoint behind which a variable is set, a process is called, and a sum needs the variable `x`.
fn model() -> String {
    let called = process(
        "called",
        r#"
        <startEvent id="begin"/>
        <serviceTask id="add" camunda:expression="${x + 1}" camunda:resultVariable="sum"/>
        <endEvent id="done"/>"#,
    );
    let calling = process(
        "calling",
        r#"
        <startEvent id="start"/>
        <serviceTask id="count" camunda:asyncBefore="true" camunda:expression="${1}" camunda:resultVariable="counted">
          <extensionElements><camunda:failedJobRetryTimeCycle>PT1M,PT5M</camunda:failedJobRetryTimeCycle></extensionElements>
        </serviceTask>
        <callActivity id="call" calledElement="called"><extensionElements><camunda:in variables="all"/></extensionElements></callActivity>
        <userTask id="work"/>
        <endEvent id="end"/>"#,
    );
    let camunda = r#"<definitions xmlns:camunda="http://camunda.org/schema/1.0/bpmn" "#;
    file(&format!("{calling}{called}")).replace("<definitions ", camunda)
}

async fn incidents(engine: &Engine) -> Vec<IncidentId> {
    let open = IncidentQuery { open: Some(true), ..IncidentQuery::default() };
    let incidents = engine.incidents(&open).await.unwrap();
    assert!(incidents.iter().all(|row| (&*row.code, &*row.node) == ("retries-exhausted", "count")), "{incidents:?}");
    incidents.iter().map(|row| IncidentId(row.key)).collect()
}

/// Tries left, and when the next one is due.
async fn tries(engine: &Engine) -> (i64, Option<String>) {
    let due = engine.due(&DueQuery::default()).await.unwrap().remove(0);
    assert_eq!(due.kind, DueKind::Savepoint { after: false });
    (due.retries, due.due.map(|due| due.to_string()))
}

async fn what_fails_is_tried_as_often_as_its_model_says(place: Place) {
    let engine = place.with(&[("calling.bpmn", &model())]).await;
    let case = engine.start("calling").send().await.unwrap();
    assert_eq!(tries(&engine).await, (3, None));
    assert_eq!(engine.execute_due().await.unwrap(), 1);
    assert_eq!(tries(&engine).await, (2, Some("2026-01-05T09:01:00Z".into())));
    assert_eq!(engine.instance(case.id()).state().await.unwrap().variables(), []);
    assert_eq!(engine.instances(&Default::default()).await.unwrap().len(), 1, "none is called");
    assert_eq!(engine.execute_due().await.unwrap(), 0);
    stop(&engine).await;

    let engine = place.by_hand().await;
    engine.clock().advance(at("2026-01-05T09:01:00Z"));
    assert_eq!(engine.execute_due().await.unwrap(), 1);
    assert_eq!(tries(&engine).await, (1, Some("2026-01-05T09:06:00Z".into())));
    engine.clock().advance(at("2026-01-06T09:06:00Z"));
    assert_eq!(engine.execute_due().await.unwrap(), 1);
    assert_eq!(tries(&engine).await.0, 0);
    let incident = incidents(&engine).await[0];
    engine.clock().advance(at("2026-01-07T09:06:00Z"));
    assert_eq!(engine.execute_due().await.unwrap(), 0, "it has no tries left");
    assert!(engine.examine().await.unwrap().is_empty());

    engine.instance(case.id()).set_variables(json!({"x": 1})).await.unwrap();
    engine.resolve_incident(incident).await.unwrap();
    assert_eq!(engine.execute_due().await.unwrap(), 1);
    assert_eq!(engine.tasks().node("work").count().await.unwrap(), 1);
    assert!(incidents(&engine).await.is_empty());
    assert!(engine.examine().await.unwrap().is_empty());
    stop(&engine).await;
}

async fn a_try_by_hand_says_why_it_fails(place: Place) {
    let engine = place.with(&[("calling.bpmn", &model())]).await;
    let case = engine.start("calling").send().await.unwrap();
    for left in [2, 1, 0, 0] {
        let due = engine.due(&DueQuery::default()).await.unwrap().remove(0);
        assert_eq!(engine.execute(&due).await.unwrap_err().code(), "stuck");
        let due = engine.due(&DueQuery::default()).await.unwrap().remove(0);
        let failure = due.failure.unwrap();
        assert_eq!((due.retries, failure.kind.code(), &*failure.element), (left, "expression-failed", "add"));
        assert_eq!(incidents(&engine).await.len(), usize::from(left == 0));
    }
    engine.instance(case.id()).set_variables(json!({"x": 1})).await.unwrap();
    let due = engine.due(&DueQuery::default()).await.unwrap().remove(0);
    engine.execute(&due).await.unwrap();
    assert_eq!(engine.execute(&due).await.unwrap_err().code(), "timer-unknown");
    assert!(incidents(&engine).await.is_empty());
    stop(&engine).await;
}

async fn somebody_says_how_many_tries_are_left(place: Place) {
    let engine = place.with(&[("calling.bpmn", &model())]).await;
    let case = engine.start("calling").send().await.unwrap();
    let due = engine.due(&DueQuery::default()).await.unwrap().remove(0);
    engine.set_retries(case.id(), TimerId(due.key), 0).await.unwrap();
    assert_eq!(incidents(&engine).await.len(), 1);
    assert_eq!(engine.execute_due().await.unwrap(), 0);
    engine.set_retries(case.id(), TimerId(due.key), 5).await.unwrap();
    assert!(incidents(&engine).await.is_empty());
    assert_eq!(engine.execute_due().await.unwrap(), 1);
    assert_eq!(tries(&engine).await.0, 4);
    let unknown = engine.set_retries(case.id(), TimerId(case.id().0), 1).await;
    assert_eq!(unknown.unwrap_err().code(), "timer-unknown");
    let nowhere = engine.set_retries(InstanceId(due.key), TimerId(due.key), 1).await;
    assert_eq!(nowhere.unwrap_err().code(), "instance-unknown");
    stop(&engine).await;
}
