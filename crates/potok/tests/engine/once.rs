//! What is asked for twice and done once.

use std::time::Duration;

use potok::query::InstanceQuery;
use potok::{Delivery, Engine, Instance, TaskId};
use serde_json::json;

use crate::database::{Place, stop};
use crate::model::{approval, row};

crate::on_every_database!(
    a_start_that_is_repeated_starts_once,
    a_task_that_is_completed_again_is_answered_as_the_first_time,
    a_key_stands_for_one_request,
    what_was_refused_is_tried_anew,
    two_at_once_do_it_once,
    who_is_left_with_nothing_to_do_gets_the_first_answer,
    what_is_no_history_is_done_once_too,
    a_job_is_completed_once,
);

async fn order(engine: Engine) -> Result<Instance, potok::Error> {
    engine.start("approval").business_key("17").send().await
}

async fn instances(engine: &Engine) -> u64 {
    engine.count(&InstanceQuery::default()).await.unwrap()
}

async fn a_start_that_is_repeated_starts_once(place: Place) {
    let engine = place.with(&[("approval.bpmn", &approval())]).await;
    let first = engine.once("k", "order 17", order).await.unwrap();
    engine.instance(first.id()).cancel("sold out").await.unwrap();
    let again = engine.once("k", "order 17", order).await.unwrap();
    assert_eq!(again, first);
    assert!(again.is_active(), "it is the first answer");
    assert_eq!(instances(&engine).await, 1);
    let history = engine.instance(first.id()).history(0, 1).await.unwrap();
    assert_eq!(history[0].envelope.key.as_deref(), Some("k"));
    // Others may have the same key.
    let theirs = engine.as_user("anna").once("k", "order 17", order).await.unwrap();
    assert_ne!(theirs.id(), first.id());
    stop(&engine).await;
}

async fn a_task_that_is_completed_again_is_answered_as_the_first_time(place: Place) {
    let engine = place.with(&[("approval.bpmn", &approval())]).await;
    engine.start("approval").send().await.unwrap();
    let task = engine.tasks().list().await.unwrap()[0].id();
    let complete = |engine: Engine| async move { engine.complete(task, ()).await };
    engine.once("k", "complete", complete).await.unwrap();
    engine.once("k", "complete", complete).await.unwrap();
    assert_eq!(engine.complete(task, ()).await.unwrap_err().code(), "task-unknown");
    assert_eq!(engine.tasks().count().await.unwrap(), 1);
    stop(&engine).await;
}

async fn a_key_stands_for_one_request(place: Place) {
    let engine = place.with(&[("approval.bpmn", &approval())]).await;
    engine.once("k", "order 17", order).await.unwrap();
    assert_eq!(engine.once("k", "order 18", order).await.unwrap_err().code(), "idempotency-key-reused");
    assert_eq!(instances(&engine).await, 1);
    stop(&engine).await;
}

async fn what_was_refused_is_tried_anew(place: Place) {
    let engine = place.by_hand().await;
    assert_eq!(engine.once("k", "order 17", order).await.unwrap_err().code(), "process-unknown");
    engine.deployment().file("approval.bpmn", approval()).send().await.unwrap();
    engine.once("k", "order 17", order).await.unwrap();
    assert_eq!(instances(&engine).await, 1);
    stop(&engine).await;
}

async fn two_at_once_do_it_once(place: Place) {
    let engine = place.with(&[("approval.bpmn", &approval())]).await;
    let (one, other) = tokio::join!(engine.once("k", "order", order), engine.once("k", "order", order));
    assert_eq!(one.unwrap(), other.unwrap());
    assert_eq!(instances(&engine).await, 1);
    stop(&engine).await;
}

async fn who_is_left_with_nothing_to_do_gets_the_first_answer(place: Place) {
    let engine = place.with(&[("approval.bpmn", &approval())]).await;
    engine.start("approval").send().await.unwrap();
    let task = engine.tasks().list().await.unwrap()[0].id();
    let complete = |engine: Engine| async move { engine.complete(task, ()).await };
    // Between the look for an answer and the work the same call is made elsewhere.
    let elsewhere = &engine;
    let overtaken = |own: Engine| async move {
        elsewhere.once("k", "complete", complete).await?;
        own.complete(task, ()).await
    };
    engine.once("k", "complete", overtaken).await.unwrap();
    stop(&engine).await;
}

async fn what_is_no_history_is_done_once_too(place: Place) {
    let engine = place.with(&[("approval.bpmn", &approval())]).await;
    let case = order(engine.clone()).await.unwrap().id();
    let write = |engine: Engine| async move { engine.comment(case, "called back").await };
    let first = engine.once("k", "comment", write).await.unwrap();
    assert_eq!(engine.once("k", "comment", write).await.unwrap(), first);
    assert_eq!(engine.comments(case).await.unwrap().len(), 1);

    let anew = |engine: Engine| async move {
        Ok(engine.deployment().file("approval.bpmn", approval()).anew().send().await?.definitions[0].version)
    };
    assert_eq!(engine.once("d", "deploy", anew).await.unwrap(), 2);
    assert_eq!(engine.once("d", "deploy", anew).await.unwrap(), 2);

    let create = |engine: Engine| async move { Ok(engine.create_task("Call back").send().await?.id()) };
    let task: TaskId = engine.once("t", "create", create).await.unwrap();
    assert_eq!(engine.once("t", "create", create).await.unwrap(), task);

    let send = |engine: Engine| async move { engine.message("paid").send().await };
    assert_eq!(engine.once("m", "send", send).await.unwrap(), Delivery::Kept);
    assert_eq!(engine.once("m", "send", send).await.unwrap(), Delivery::Kept);
    stop(&engine).await;
}

async fn a_job_is_completed_once(place: Place) {
    let letter = row(
        "letter",
        "<startEvent id=\"start\"/>\n<serviceTask id=\"send\" potok:job=\"send-letter\"/>\n<endEvent id=\"end\"/>",
    );
    let engine = place.with(&[("letter.bpmn", &letter)]).await;
    let case = engine.start("letter").send().await.unwrap();
    let minute = Duration::from_secs(60);
    let jobs = engine.fetch_jobs("w", &["send-letter".into()], 1, minute, Duration::ZERO).await.unwrap();
    let (job, lease) = (jobs[0].id(), jobs[0].lease);
    assert_eq!(engine.leased_job(job, lease + 1).await.unwrap_err().code(), "lease-lost");
    let complete = |engine: Engine| async move {
        let job = engine.leased_job(job, lease).await?;
        engine.complete_job(&job, json!({"sent": true})).await
    };
    engine.once("k", "complete", complete).await.unwrap();
    engine.once("k", "complete", complete).await.unwrap();
    assert_eq!(engine.leased_job(job, lease).await.unwrap_err().code(), "job-unknown");
    assert!(!engine.instance(case.id()).get().await.unwrap().is_active());
    stop(&engine).await;
}
