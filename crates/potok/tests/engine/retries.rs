//! What fails behind a savepoint or timer is undone, and tried again.

use std::time::Duration;

use potok::query::IncidentQuery;
use potok::{DueKind, DueQuery, Engine, IncidentId, InstanceId, TimerId};
use serde_json::json;

use crate::database::{Place, at, deploy, stop};
use crate::model::{file, process, row};

crate::on_every_database!(
    what_fails_is_tried_as_often_as_its_model_says,
    a_try_by_hand_says_why_it_fails,
    somebody_says_how_many_tries_are_left,
    a_start_by_a_timer_is_tried_again,
    a_step_of_slow_scripts_is_stopped,
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
    engine.set_timer_priority(TimerId(due.key), 40).await.unwrap();
    let urgent = engine.due(&DueQuery::default()).await.unwrap().remove(0);
    assert_eq!((urgent.priority, urgent.retries), (40, 0));
    engine.set_retries(case.id(), TimerId(due.key), 5).await.unwrap();
    assert!(incidents(&engine).await.is_empty());
    assert_eq!(engine.execute_due().await.unwrap(), 1);
    assert_eq!(tries(&engine).await.0, 4);
    let unknown = engine.set_retries(case.id(), TimerId(case.id().0), 1).await;
    assert_eq!(unknown.unwrap_err().code(), "timer-unknown");
    let unknown = engine.set_timer_priority(TimerId(case.id().0), 1).await;
    assert_eq!(unknown.unwrap_err().code(), "timer-unknown");
    let nowhere = engine.set_retries(InstanceId(due.key), TimerId(due.key), 1).await;
    assert_eq!(nowhere.unwrap_err().code(), "instance-unknown");
    stop(&engine).await;
}

/// A process that a timer starts, in which a sum needs a variable that is not there.
fn daily() -> String {
    let process = process(
        "daily",
        r#"
        <startEvent id="start">
          <extensionElements><camunda:failedJobRetryTimeCycle>PT1M,PT5M</camunda:failedJobRetryTimeCycle></extensionElements>
          <timerEventDefinition><timeCycle>R2/P1D</timeCycle></timerEventDefinition>
        </startEvent>
        <serviceTask id="add" camunda:expression="${x + 1}" camunda:resultVariable="sum"/>
        <userTask id="work"/>
        <endEvent id="end"/>"#,
    );
    file(&process).replace("<definitions ", r#"<definitions xmlns:camunda="http://camunda.org/schema/1.0/bpmn" "#)
}

async fn a_start_by_a_timer_is_tried_again(place: Place) {
    let engine = place.with(&[("daily.bpmn", &daily())]).await;
    engine.clock().advance(at("2026-01-06T09:00:00Z"));
    assert_eq!(engine.execute_due().await.unwrap(), 1);
    assert_eq!(engine.instances(&Default::default()).await.unwrap().len(), 0, "nothing is left of it");
    stop(&engine).await;

    let engine = place.by_hand().await;
    let all = async || {
        let due = engine.due(&DueQuery::default()).await.unwrap();
        due.into_iter()
            .map(|due| (due.kind, due.node.to_string(), due.retries, due.due.unwrap().to_string(), due.failure))
    };
    let mut due: Vec<_> = all().await.collect();
    due.sort_by_key(|(.., retries, _, _)| *retries);
    let [again, next] = &due[..] else { panic!("{due:?}") };
    let (kind, node, retries, when, failure) = again;
    assert_eq!((*kind, &**node, *retries, &**when), (DueKind::StartTimer, "start", 2, "2026-01-06T09:01:00Z"));
    assert_eq!(failure.as_ref().map(|failure| &*failure.element), Some("add"));
    assert_eq!((next.2, &*next.3, &next.4), (3, "2026-01-07T09:00:00Z", &None), "the cycle goes on beside it");

    // By hand before it is due: the second try.
    let mut again = engine.due(&DueQuery::default()).await.unwrap();
    again.retain(|due| due.failure.is_some());
    assert_eq!(engine.execute(&again[0]).await.unwrap_err().code(), "stuck");
    assert_eq!(engine.execute_due().await.unwrap(), 0);
    assert!(engine.examine().await.unwrap().is_empty());

    // The last one stands, for everybody to see.
    engine.clock().advance(at("2026-01-06T09:06:00Z"));
    assert_eq!(engine.execute_due().await.unwrap(), 1);
    let case = engine.instances(&Default::default()).await.unwrap().remove(0);
    let open = IncidentQuery { open: Some(true), ..IncidentQuery::default() };
    let incident = engine.incidents(&open).await.unwrap().remove(0);
    assert_eq!((&*incident.code, &*incident.node), ("expression-failed", "add"));
    engine.instance(case.id()).set_variables(json!({"x": 1})).await.unwrap();
    engine.resolve_incident(IncidentId(incident.key)).await.unwrap();
    assert_eq!(engine.tasks().node("work").count().await.unwrap(), 1);
    assert_eq!(all().await.count(), 1);
    stop(&engine).await;
}

async fn a_step_of_slow_scripts_is_stopped(place: Place) {
    let slow = row(
        "slow",
        r#"
        <startEvent id="start"/>
        <scriptTask id="first" scriptFormat="javascript"><script>1</script></scriptTask>
        <scriptTask id="second" scriptFormat="javascript"><script>2</script></scriptTask>
        <userTask id="work"/>
        <endEvent id="end"/>"#,
    );
    let engine = place.builder().script_time(Duration::from_nanos(1)).job_execution(false).start().await.unwrap();
    deploy(&engine, &[("slow.bpmn", &slow)]).await;
    engine.start("slow").send().await.unwrap();
    let open = IncidentQuery { open: Some(true), ..IncidentQuery::default() };
    let stuck = async || engine.incidents(&open).await.unwrap().remove(0);
    let incident = stuck().await;
    assert_eq!((&*incident.code, &*incident.node), ("step-budget-exceeded", "second"));
    engine.resolve_incident(IncidentId(incident.key)).await.unwrap();
    let incident = stuck().await;
    assert_eq!((&*incident.code, &*incident.node), ("step-budget-exceeded", "work"), "each step has a time of its own");
    engine.resolve_incident(IncidentId(incident.key)).await.unwrap();
    assert_eq!(engine.tasks().node("work").count().await.unwrap(), 1);
    stop(&engine).await;
}
