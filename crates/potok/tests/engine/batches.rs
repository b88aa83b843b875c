//! One thing done to many instances.

use potok::query::{BatchQuery, IncidentQuery, InstanceQuery, Paging};
use potok::row::{BatchState, InstanceState};
use potok::{Engine, InstanceId, Operation, Value};

use crate::database::{Place, stop};
use crate::model::{approval, row};

crate::on_every_database!(
    many_are_cancelled_and_deleted,
    what_refuses_is_listed,
    a_batch_is_paused_and_cancelled,
    a_batch_survives_a_restart,
    variables_are_set_and_incidents_retried,
    two_nodes_share_a_batch,
);

async fn started(engine: &Engine, count: usize) -> Vec<InstanceId> {
    let mut ids = Vec::new();
    for _ in 0..count {
        ids.push(engine.start("approval").send().await.unwrap().id());
    }
    ids
}

async fn many_are_cancelled_and_deleted(place: Place) {
    let engine = place.with(&[("approval.bpmn", &approval())]).await;
    started(&engine, 100).await;
    let all = InstanceQuery { processes: vec!["approval".into()], ..InstanceQuery::default() };
    let clerk = engine.as_user("clerk");
    let reason = Some("over".into());
    let batch = clerk.batch(Operation::Cancel { reason }).matching(all.clone()).send().await.unwrap();
    let before = engine.progress(batch).await.unwrap();
    assert_eq!((before.open, before.total(), before.state), (100, 100, BatchState::Running));
    engine.execute_due().await.unwrap();
    engine.execute_due().await.unwrap();
    let after = engine.progress(batch).await.unwrap();
    assert_eq!((after.done, after.failed, after.state), (100, 0, BatchState::Completed));
    let ended = engine.instances(&all).await.unwrap();
    assert!(ended.iter().all(|it| it.state == InstanceState::Cancelled));
    let history = engine.instance(ended[0].id()).history(0, 10).await.unwrap();
    assert_eq!(history.last().unwrap().envelope.by.as_deref(), Some("clerk"));

    let batch = engine.batch(Operation::Delete).matching(all.clone()).send().await.unwrap();
    engine.execute_due().await.unwrap();
    engine.execute_due().await.unwrap();
    assert_eq!(engine.progress(batch).await.unwrap().done, 100);
    assert_eq!(engine.instances(&all).await.unwrap(), []);
    engine.delete_batch(batch).await.unwrap();
    assert_eq!(engine.progress(batch).await.unwrap_err().code(), "batch-unknown");
    assert_eq!(engine.batches(&BatchQuery::default()).await.unwrap().len(), 1);
    stop(&engine).await;
}

async fn what_refuses_is_listed(place: Place) {
    let engine = place.with(&[("approval.bpmn", &approval())]).await;
    let mut ids = started(&engine, 2).await;
    engine.instance(ids[0]).cancel("before").await.unwrap();
    ids.push(potok_core::instance::Key(1).into());
    ids.push(ids[1]);
    let batch = engine.batch(Operation::Suspend).instances(ids.clone()).send().await.unwrap();
    engine.execute_due().await.unwrap();
    engine.execute_due().await.unwrap();
    let progress = engine.progress(batch).await.unwrap();
    assert_eq!((progress.done, progress.failed, progress.state), (1, 2, BatchState::Completed));
    let failures = engine.batch_failures(batch, Paging::default()).await.unwrap().rows;
    let codes: Vec<&str> = failures.iter().filter_map(|it| it.code.as_deref()).collect();
    assert_eq!(codes, ["instance-unknown", "instance-not-active"]);
    assert!(engine.instance(ids[1]).get().await.unwrap().suspended);
    engine.batch(Operation::Resume).instances([ids[1]]).send().await.unwrap();
    engine.execute_due().await.unwrap();
    assert!(!engine.instance(ids[1]).get().await.unwrap().suspended);
    stop(&engine).await;
}

async fn a_batch_is_paused_and_cancelled(place: Place) {
    let engine = place.with(&[("approval.bpmn", &approval())]).await;
    let ids = started(&engine, 3).await;
    let batch = engine.batch(Operation::Suspend).instances(ids).send().await.unwrap();
    engine.pause_batch(batch).await.unwrap();
    assert_eq!(engine.execute_due().await.unwrap(), 0);
    assert_eq!(engine.pause_batch(batch).await.unwrap_err().code(), "batch-state");
    assert_eq!(engine.delete_batch(batch).await.unwrap_err().code(), "batch-state");
    engine.resume_batch(batch).await.unwrap();
    assert_eq!(engine.execute_due().await.unwrap(), 3);
    let ids = started(&engine, 2).await;
    let batch = engine.batch(Operation::Suspend).instances(ids).send().await.unwrap();
    engine.pause_batch(batch).await.unwrap();
    engine.cancel_batch(batch).await.unwrap();
    assert_eq!(engine.execute_due().await.unwrap(), 0);
    let progress = engine.progress(batch).await.unwrap();
    assert_eq!((progress.open, progress.state), (2, BatchState::Cancelled));
    assert_eq!(engine.resume_batch(batch).await.unwrap_err().code(), "batch-state");
    stop(&engine).await;
}

async fn a_batch_survives_a_restart(place: Place) {
    let engine = place.with(&[("approval.bpmn", &approval())]).await;
    let ids = started(&engine, 3).await;
    let variables = vec![("client".into(), Value::from("Anna"))];
    let batch = engine.batch(Operation::SetVariables(variables)).instances(ids.clone()).send().await.unwrap();
    stop(&engine).await;
    let engine = place.by_hand().await;
    engine.execute_due().await.unwrap();
    engine.execute_due().await.unwrap();
    let progress = engine.progress(batch).await.unwrap();
    assert_eq!((progress.done, progress.state), (3, BatchState::Completed));
    assert_eq!(engine.instance(ids[2]).variable("client").await.unwrap(), Some("Anna".into()));
    let kept = vec![("client".into(), Value::Null)];
    assert_eq!(progress.operation, Some(Operation::SetVariables(kept)), "values are not kept with it");
    stop(&engine).await;
}

async fn variables_are_set_and_incidents_retried(place: Place) {
    let stuck = row(
        "stuck",
        r#"
        <startEvent id="start"/>
        <scriptTask id="compute" scriptFormat="application/x-juel"><script>${amount + 1}</script></scriptTask>
        <userTask id="look"/>
        <endEvent id="end"/>"#,
    );
    let engine = place.with(&[("stuck.bpmn", &stuck)]).await;
    for _ in 0..3 {
        engine.start("stuck").send().await.unwrap();
    }
    let open = IncidentQuery { open: Some(true), ..IncidentQuery::default() };
    assert_eq!(engine.incidents(&open).await.unwrap().len(), 3);
    let all = InstanceQuery::default;
    let variables = vec![("amount".into(), Value::from(1))];
    engine.batch(Operation::SetVariables(variables)).matching(all()).send().await.unwrap();
    engine.execute_due().await.unwrap();
    engine.batch(Operation::RetryIncidents).matching(all()).send().await.unwrap();
    engine.execute_due().await.unwrap();
    assert_eq!(engine.incidents(&open).await.unwrap(), []);
    assert_eq!(engine.tasks().list().await.unwrap().len(), 3);
    stop(&engine).await;
}

async fn two_nodes_share_a_batch(place: Place) {
    if matches!(place, Place::File(_)) {
        // An SQLite file has one process.
        return;
    }
    let engine = place.with(&[("approval.bpmn", &approval())]).await;
    let other = place.by_hand().await;
    let ids = started(&engine, 150).await;
    let variables = vec![("touched".into(), Value::from(true))];
    let batch = engine.batch(Operation::SetVariables(variables)).instances(ids.clone()).send().await.unwrap();
    let (here, there) = tokio::join!(engine.execute_due(), other.execute_due());
    assert_eq!(here.unwrap() + there.unwrap(), 150);
    assert_eq!(engine.progress(batch).await.unwrap().done, 150);
    for id in ids {
        assert_eq!(engine.instance(id).history(0, 10).await.unwrap().len(), 2, "none is touched twice");
    }
    other.stop().await;
    stop(&engine).await;
}
