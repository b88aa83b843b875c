//! Jobs, by handlers and by workers elsewhere.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use potok::query::{IncidentQuery, JobQuery};
use potok::row::InstanceState;
use potok::{
    Clock, Engine, First, IncidentId, Job, JobError, JobFailure, Name, Value, Wanted, WorkEntry, WorkEvent, WorkKind,
};
use serde_json::json;
use tokio::sync::Notify;

use crate::database::{Place, deploy, morning, stop};
use crate::model::row;

crate::on_every_database!(
    a_topic_is_limited_for_all_nodes,
    a_handler_does_a_job,
    a_worker_does_a_job,
    a_worker_gets_only_what_is_mapped,
    a_worker_is_known_by_its_name,
    what_was_handed_out_here_is_completed_once,
    tries_left_are_set_by_hand,
    a_job_becomes_more_urgent,
    what_became_of_jobs_is_told,
    a_job_that_fails_is_tried_again_and_becomes_an_incident,
    a_handler_that_panics_has_failed,
    an_error_of_a_job_is_caught,
    a_lease_that_has_run_out_is_lost,
    what_a_handler_gives_after_its_lease_has_gone_is_refused,
    stopping_waits_for_a_slow_handler,
    handlers_go_on_after_a_restart,
    each_job_finds_one_of_many_who_wait,
);

const MINUTE: Duration = Duration::from_secs(60);

fn letter() -> String {
    row(
        "letter",
        r#"
        <startEvent id="start"/>
        <serviceTask id="send" potok:job="send-letter" potok:retries="2"/>
        <endEvent id="end"/>"#,
    )
}

async fn a_handler_does_a_job(place: Place) {
    let engine = place
        .builder()
        .handler("send-letter", |job: Job| async move {
            Ok::<_, JobError>(json!({"sent": format!("{} to {}", job.id(), job.variable("client").as_str().unwrap())}))
        })
        .start()
        .await
        .unwrap();
    deploy(&engine, &[("letter.bpmn", &letter())]).await;
    let case = engine.start("letter").variables(json!({"client": "Anna"})).send().await.unwrap();
    let ended =
        tokio::time::timeout(MINUTE, async { engine.instance(case.id()).ended().await }).await.unwrap().unwrap();
    assert_eq!(ended.state, InstanceState::Completed);
    let sent = engine.instance(case.id()).variable("sent").await.unwrap().unwrap();
    assert!(sent.as_str().unwrap().ends_with(" to Anna"), "{sent}");
    stop(&engine).await;
}

/// Flowable's `doNotIncludeVariables`.
async fn a_worker_gets_only_what_is_mapped(place: Place) {
    let engine = place.builder().start().await.unwrap();
    let model = row(
        "pay",
        r#"
        <startEvent id="start"/>
        <serviceTask id="send" flowable:type="external-worker" flowable:topic="send" flowable:doNotIncludeVariables="true">
          <extensionElements><flowable:externalWorkerInParameter source="sum" target="amount"/></extensionElements>
        </serviceTask>
        <serviceTask id="note" flowable:type="external-worker" flowable:topic="note" flowable:doNotIncludeVariables="true"/>
        <endEvent id="end"/>"#,
    );
    let model = model.replacen("<definitions", r#"<definitions xmlns:flowable="http://flowable.org/bpmn""#, 1);
    deploy(&engine, &[("pay.bpmn", &model)]).await;
    engine.start("pay").variables(json!({"sum": 5, "secret": "x"})).send().await.unwrap();
    let names = |job: &Job| job.variables().iter().map(|(name, _)| name.to_string()).collect::<Vec<_>>();
    let sent = engine.fetch_jobs("w", &["send".into()], 1, MINUTE, Duration::ZERO).await.unwrap().remove(0);
    assert_eq!(names(&sent), ["amount"]);
    engine.complete_job(&sent, ()).await.unwrap();
    let noted = engine.fetch_jobs("w", &["note".into()], 1, MINUTE, Duration::ZERO).await.unwrap().remove(0);
    assert!(names(&noted).is_empty());
    stop(&engine).await;
}

async fn a_worker_is_known_by_its_name(place: Place) {
    let engine = place.with(&[("letter.bpmn", &letter())]).await;
    let case = engine.start("letter").variables(json!({"client": "Anna"})).send().await.unwrap();
    let wanted = Wanted { processes: vec!["letter".into()], ..Wanted::topic("send-letter".into(), MINUTE) };
    let fetched = engine.fetch_wanted("w", vec![wanted.clone()], First::Newest, 1, Duration::ZERO).await.unwrap();
    let id = fetched[0].id();
    assert_eq!(engine.job_of(id, "v").await.unwrap_err().code(), "lease-lost");
    assert_eq!(engine.lease_job(id, "v", MINUTE).await.unwrap_err().code(), "lease-lost");
    engine.lease_job(id, "w", MINUTE).await.unwrap();
    assert_eq!(engine.complete_job(&fetched[0], ()).await.unwrap_err().code(), "lease-lost", "by its old lease");

    let job = engine.job_of(id, "w").await.unwrap();
    let failure = JobFailure {
        message: "no paper".into(),
        details: Some("tray 1".into()),
        retries: Some(5),
        pause: Some(Duration::ZERO),
    };
    engine.fail_job_with(&job, &failure, json!({"tray": 1}), json!({"local": true})).await.unwrap();
    let job = engine.job(id).await.unwrap();
    assert_eq!((job.worker.as_deref(), job.details.as_deref(), job.retries), (Some("w"), Some("tray 1"), 5));
    assert_eq!(engine.job_of(id, "w").await.unwrap_err().code(), "lease-lost", "nobody has it");
    let variable = engine.instance(case.id()).variable("tray").await.unwrap();
    assert_eq!(
        (variable, engine.instance(case.id()).variable("local").await.unwrap()),
        (Some(Value::Integer(1)), None)
    );

    engine.lease_job(id, "v", MINUTE).await.unwrap();
    engine.free_job(id).await.unwrap();
    assert_eq!(engine.job(id).await.unwrap().worker, None);
    let again = engine.fetch_wanted("w", vec![wanted], First::Oldest, 1, Duration::ZERO).await.unwrap();
    engine.complete_job_with(&again[0], json!({"sent": true}), ()).await.unwrap();
    assert_eq!(engine.job(id).await.unwrap_err().code(), "job-unknown");
    stop(&engine).await;
}

async fn what_was_handed_out_here_is_completed_once(place: Place) {
    let engine = place.with(&[("letter.bpmn", &letter())]).await;
    let complete = async |job: &Job, worker: &str| {
        engine.complete_as_handed_out(job.id(), worker, json!({"by": worker}), ()).await.unwrap()
    };
    let mut cases = Vec::new();
    for _ in 0..4 {
        cases.push(engine.start("letter").send().await.unwrap());
    }
    let jobs = engine.fetch_jobs("w", &["send-letter".into()], 4, MINUTE, Duration::ZERO).await.unwrap();
    assert!(!complete(&jobs[0], "v").await, "another worker's");
    assert!(complete(&jobs[0], "w").await);
    assert!(!complete(&jobs[0], "w").await, "it is done");
    let by = engine.instance(jobs[0].instance_id()).variable("by").await.unwrap();
    assert_eq!(by, Some(Value::String("w".into())));

    engine.free_job(jobs[1].id()).await.unwrap();
    assert!(!complete(&jobs[1], "w").await, "nobody has it");
    engine.lease_job(jobs[1].id(), "v", MINUTE).await.unwrap();
    assert!(!complete(&jobs[1], "w").await, "another worker has it");

    let suspended = engine.instance(jobs[2].instance_id());
    suspended.suspend().await.unwrap();
    assert!(!complete(&jobs[2], "w").await);
    suspended.resume().await.unwrap();
    let job = engine.job_of(jobs[2].id(), "w").await.unwrap();
    engine.complete_job(&job, ()).await.unwrap();

    engine.fail_job(&jobs[3], &JobFailure { pause: Some(Duration::ZERO), ..JobFailure::default() }).await.unwrap();
    assert!(!complete(&jobs[3], "w").await, "it has been given back");
    let again = engine.fetch_jobs("w", &["send-letter".into()], 4, MINUTE, Duration::ZERO).await.unwrap();
    assert_eq!(again.iter().map(Job::id).collect::<Vec<_>>(), [jobs[3].id()]);
    assert!(complete(&jobs[3], "w").await);
    for case in &cases {
        let open = case.id() == jobs[1].instance_id();
        assert_eq!(engine.instance(case.id()).get().await.unwrap().is_active(), open);
    }
    stop(&engine).await;
}

async fn tries_left_are_set_by_hand(place: Place) {
    let engine = place.with(&[("letter.bpmn", &letter())]).await;
    engine.start("letter").send().await.unwrap();
    let job = engine.fetch_jobs("w", &["send-letter".into()], 1, MINUTE, Duration::ZERO).await.unwrap().remove(0);
    assert!(!job.counted);
    let open = IncidentQuery { open: Some(true), ..IncidentQuery::default() };
    engine.set_job_retries(job.id(), 0).await.unwrap();
    assert_eq!(engine.incidents(&open).await.unwrap().len(), 1);
    engine.set_job_retries(job.id(), 4).await.unwrap();
    assert!(engine.incidents(&open).await.unwrap().is_empty());
    let row = engine.job(job.id()).await.unwrap();
    assert_eq!((row.retries, row.counted, row.lease), (4, true, job.lease), "it is still the worker's");
    engine.complete_job(&job, ()).await.unwrap();
    assert_eq!(engine.set_job_retries(job.id(), 1).await.unwrap_err().code(), "job-unknown");
    stop(&engine).await;
}

async fn a_job_becomes_more_urgent(place: Place) {
    let engine = place.with(&[("letter.bpmn", &letter())]).await;
    engine.start("letter").send().await.unwrap();
    let second = engine.start("letter").send().await.unwrap();
    let jobs = engine.jobs(&JobQuery::default()).await.unwrap();
    let urgent = jobs.iter().find(|job| job.instance == second.key).unwrap().key.into();
    engine.set_job_priority(urgent, 99).await.unwrap();
    let job = engine.fetch_jobs("w", &["send-letter".into()], 1, MINUTE, Duration::ZERO).await.unwrap().remove(0);
    assert_eq!((job.id(), job.priority, job.counted), (urgent, 99, false));
    engine.set_job_priority(urgent, 1).await.unwrap();
    let row = engine.job(urgent).await.unwrap();
    assert_eq!((row.priority, row.lease), (1, job.lease), "it is still the worker's");
    let failure = JobFailure { message: "no ink".into(), retries: Some(1), ..JobFailure::default() };
    engine.fail_job(&job, &failure).await.unwrap();
    assert_eq!(engine.job(urgent).await.unwrap().priority, 1, "also after a failure");
    assert_eq!(engine.examine().await.unwrap(), [], "what is derived follows from the log");
    assert_eq!(
        engine.set_job_priority(potok::JobId(potok_core::instance::Key(5)), 1).await.unwrap_err().code(),
        "job-unknown"
    );
    stop(&engine).await;
}

async fn what_became_of_jobs_is_told(place: Place) {
    let engine = place.with(&[("letter.bpmn", &letter())]).await;
    let case = engine.start("letter").send().await.unwrap();
    let topics = ["send-letter".into()];
    let job = engine.fetch_jobs("w", &topics, 1, MINUTE, Duration::ZERO).await.unwrap().remove(0);
    let (message, details) = (Name::from("no ink"), Some(Name::from("tray 1")));
    let failure = JobFailure { message, details, retries: Some(1), pause: Some(Duration::ZERO) };
    engine.fail_job(&job, &failure).await.unwrap();
    let job = engine.fetch_jobs("v", &topics, 1, MINUTE, Duration::ZERO).await.unwrap().remove(0);
    engine.complete_job(&job, ()).await.unwrap();
    let told = engine.instance(case.id()).work_log().await.unwrap();
    assert!(told.iter().all(|entry| entry.key == job.key && entry.node == job.node));
    let known = |entry: &WorkEntry| matches!(&entry.kind, WorkKind::Job { counted: true, retries: 1, .. });
    let told: Vec<_> = told.iter().map(|entry| (known(entry), entry.event.clone())).collect();
    let failed = WorkEvent::Failed { message: failure.message, details: failure.details, worker: Some("w".into()) };
    assert_eq!(told, [(false, WorkEvent::Opened), (false, failed), (true, WorkEvent::Completed)]);
    stop(&engine).await;
}

async fn a_worker_does_a_job(place: Place) {
    let engine = place.with(&[("letter.bpmn", &letter())]).await;
    let none = engine.fetch_jobs("w", &["send-letter".into()], 10, MINUTE, Duration::ZERO).await.unwrap();
    assert!(none.is_empty());
    let case = engine.start("letter").business_key("C-1").variables(json!({"client": "Anna"})).send().await.unwrap();
    let jobs = engine.fetch_jobs("w", &["send-letter".into()], 10, MINUTE, Duration::ZERO).await.unwrap();
    assert_eq!((jobs.len(), jobs[0].business_key().map(|key| &**key)), (1, Some("C-1")));
    assert_eq!(jobs[0].variable("client"), json!("Anna"));
    let others = engine.fetch_jobs("v", &["send-letter".into()], 10, MINUTE, Duration::ZERO).await.unwrap();
    assert!(others.is_empty(), "it is in a worker's hands");
    engine.release_job(&jobs[0]).await.unwrap();
    assert_eq!(engine.complete_job(&jobs[0], ()).await.unwrap_err().code(), "lease-lost");
    let jobs = engine.fetch_jobs("v", &["send-letter".into()], 10, MINUTE, Duration::ZERO).await.unwrap();
    engine.extend_job(&jobs[0], MINUTE).await.unwrap();
    engine.complete_job(&jobs[0], json!({"sent": true})).await.unwrap();
    assert_eq!(engine.instance(case.id()).get().await.unwrap().state, InstanceState::Completed);
    assert_eq!(engine.complete_job(&jobs[0], ()).await.unwrap_err().code(), "job-unknown");
    stop(&engine).await;
}

async fn a_job_that_fails_is_tried_again_and_becomes_an_incident(place: Place) {
    let engine = place.with(&[("letter.bpmn", &letter())]).await;
    let case = engine.start("letter").send().await.unwrap();
    let topics = ["send-letter".into()];
    let job = engine.fetch_jobs("w", &topics, 1, MINUTE, Duration::ZERO).await.unwrap().remove(0);
    let failure = JobFailure { message: "no paper".into(), pause: Some(MINUTE), ..JobFailure::default() };
    engine.fail_job(&job, &failure).await.unwrap();
    let later = engine.fetch_jobs("w", &topics, 1, MINUTE, Duration::ZERO).await.unwrap();
    assert!(later.is_empty(), "not before a minute has passed");
    engine.clock().advance(morning() + MINUTE);
    let job = engine.fetch_jobs("w", &topics, 1, MINUTE, Duration::ZERO).await.unwrap().remove(0);
    assert_eq!((job.retries, job.error.as_deref()), (1, Some("no paper")));
    engine.fail_job(&job, &JobFailure { message: "no ink".into(), ..JobFailure::default() }).await.unwrap();

    let incidents = engine.incidents(&IncidentQuery::default()).await.unwrap();
    assert_eq!((incidents.len(), &*incidents[0].code), (1, "job-failed"));
    engine.clock().advance(morning() + 10 * MINUTE);
    assert!(engine.fetch_jobs("w", &topics, 1, MINUTE, Duration::ZERO).await.unwrap().is_empty(), "no tries left");
    engine.resolve_incident(IncidentId(incidents[0].key)).await.unwrap();
    let job = engine.fetch_jobs("w", &topics, 1, MINUTE, Duration::ZERO).await.unwrap().remove(0);
    engine.complete_job(&job, ()).await.unwrap();
    assert_eq!(engine.instance(case.id()).get().await.unwrap().state, InstanceState::Completed);
    assert_eq!(engine.resolve_incident(IncidentId(incidents[0].key)).await.unwrap_err().code(), "incident-unknown");
    stop(&engine).await;
}

async fn a_handler_that_panics_has_failed(place: Place) {
    let tries = Arc::new(AtomicU32::new(0));
    let counted = tries.clone();
    let engine = place
        .builder()
        .job_execution(false)
        .handler("send-letter", move |_: Job| {
            let tries = counted.clone();
            async move {
                assert!(tries.fetch_add(1, Ordering::SeqCst) > 0, "the printer burns");
            }
        })
        .clock(potok::Clock::standing_at(morning()))
        .start()
        .await
        .unwrap();
    deploy(&engine, &[("letter.bpmn", &letter())]).await;
    let case = engine.start("letter").send().await.unwrap();
    engine.execute_due().await.unwrap();
    let jobs = engine.jobs(&potok::query::JobQuery::default()).await.unwrap();
    assert!(jobs[0].error.as_deref().unwrap().contains("the printer burns"), "{:?}", jobs[0].error);
    engine.clock().advance(morning() + MINUTE);
    engine.execute_due().await.unwrap();
    assert_eq!(tries.load(Ordering::SeqCst), 2);
    assert_eq!(engine.instance(case.id()).get().await.unwrap().state, InstanceState::Completed);
    stop(&engine).await;
}

async fn an_error_of_a_job_is_caught(place: Place) {
    let model = row(
        "letter",
        r#"
        <startEvent id="start"/>
        <serviceTask id="send" potok:job="send-letter"/>
        <endEvent id="end"/>
        <boundaryEvent id="returned" attachedToRef="send"><errorEventDefinition errorRef="returned_error"/></boundaryEvent>"#,
    )
    .replace(
        "<process",
        r#"<error id="returned_error" errorCode="RETURNED"/><process"#,
    )
    .replace(
        "</process>",
        r#"<userTask id="ask"/><sequenceFlow id="f9" sourceRef="returned" targetRef="ask"/></process>"#,
    );
    let engine = place.with(&[("letter.bpmn", &model)]).await;
    engine.start("letter").send().await.unwrap();
    let job = engine.fetch_jobs("w", &["send-letter".into()], 1, MINUTE, Duration::ZERO).await.unwrap().remove(0);
    engine.throw_job_error(&job, "RETURNED", None, json!({"address": "unknown"})).await.unwrap();
    let task = engine.tasks().node("ask").list().await.unwrap().remove(0);
    assert_eq!(engine.task_variables(task.id()).await.unwrap(), [("address".into(), Value::from("unknown"))]);
    stop(&engine).await;
}

async fn a_lease_that_has_run_out_is_lost(place: Place) {
    let engine = place.with(&[("letter.bpmn", &letter())]).await;
    engine.start("letter").send().await.unwrap();
    let topics = ["send-letter".into()];
    let slow = engine.fetch_jobs("slow", &topics, 1, Duration::ZERO, Duration::ZERO).await.unwrap().remove(0);
    let quick = engine.fetch_jobs("quick", &topics, 1, MINUTE, Duration::ZERO).await.unwrap().remove(0);
    assert_eq!(slow.id(), quick.id(), "the same key, so that a worker can tell");
    assert_eq!(engine.complete_job(&slow, ()).await.unwrap_err().code(), "lease-lost");
    engine.complete_job(&quick, ()).await.unwrap();
    stop(&engine).await;
}

async fn what_a_handler_gives_after_its_lease_has_gone_is_refused(place: Place) {
    let (begun, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (tell, wait) = (begun.clone(), go_on.clone());
    let engine = place
        .builder()
        .job_execution(false)
        .job_lease(Duration::ZERO)
        .concurrency(1)
        .handler("send-letter", move |_: Job| {
            let (tell, wait) = (tell.clone(), wait.clone());
            async move {
                tell.notify_one();
                wait.notified().await;
                Ok::<_, JobError>(json!({"sent": "by the slow one"}))
            }
        })
        .start()
        .await
        .unwrap();
    deploy(&engine, &[("letter.bpmn", &letter())]).await;
    let case = engine.start("letter").send().await.unwrap();
    let slow = tokio::spawn({
        let engine = engine.clone();
        async move { engine.execute_due().await }
    });
    begun.notified().await;
    let topics = ["send-letter".into()];
    let quick = engine.fetch_jobs("quick", &topics, 1, MINUTE, Duration::ZERO).await.unwrap().remove(0);
    engine.complete_job(&quick, json!({"sent": "by the quick one"})).await.unwrap();
    go_on.notify_one();
    slow.await.unwrap().unwrap();
    assert_eq!(engine.instance(case.id()).get().await.unwrap().state, InstanceState::Completed);
    let sent = engine.instance(case.id()).variable("sent").await.unwrap().unwrap();
    assert_eq!(sent.as_str(), Some("by the quick one"));
    assert_eq!(engine.instance(case.id()).history(0, 10).await.unwrap().len(), 2, "its start, and one result");
    stop(&engine).await;
}

async fn stopping_waits_for_a_slow_handler(place: Place) {
    let (begun, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (tell, wait) = (begun.clone(), go_on.clone());
    let engine = place
        .builder()
        .handler("send-letter", move |_: Job| {
            let (tell, wait) = (tell.clone(), wait.clone());
            async move {
                tell.notify_one();
                wait.notified().await;
            }
        })
        .start()
        .await
        .unwrap();
    deploy(&engine, &[("letter.bpmn", &letter())]).await;
    let case = engine.start("letter").send().await.unwrap();
    begun.notified().await;
    let stopping = tokio::spawn({
        let engine = engine.clone();
        async move { engine.stop().await }
    });
    tokio::task::yield_now().await;
    assert!(!stopping.is_finished());
    go_on.notify_one();
    stopping.await.unwrap();
    let engine = place.by_hand().await;
    assert_eq!(engine.instance(case.id()).get().await.unwrap().state, InstanceState::Completed);
    stop(&engine).await;
}

async fn handlers_go_on_after_a_restart(place: Place) {
    let engine = place.with(&[("letter.bpmn", &letter())]).await;
    let case = engine.start("letter").send().await.unwrap();
    stop(&engine).await;
    let engine = place.builder().handler("send-letter", |_: Job| async {}).start().await.unwrap();
    let ended =
        tokio::time::timeout(MINUTE, async { engine.instance(case.id()).ended().await }).await.unwrap().unwrap();
    assert_eq!(ended.state, InstanceState::Completed);
    stop(&engine).await;
}

async fn a_topic_is_limited_for_all_nodes(place: Place) {
    let limited =
        || place.builder().clock(Clock::standing_at(morning())).job_execution(false).topic_limit("send-letter", 3);
    let engine = limited().start().await.unwrap();
    deploy(&engine, &[("letter.bpmn", &letter())]).await;
    for _ in 0..5 {
        engine.start("letter").send().await.unwrap();
    }
    let topics = ["other".into(), "send-letter".into()];
    let fetch = |engine: &Engine, limit| {
        let (engine, topics) = (engine.clone(), topics.clone());
        async move { engine.fetch_jobs("w", &topics, limit, MINUTE, Duration::ZERO).await.unwrap() }
    };
    let first = fetch(&engine, 2).await;
    assert_eq!(first.len(), 2);
    let second = match place {
        // An SQLite file has one process.
        Place::File(_) => fetch(&engine, 10).await,
        _ => {
            let other = limited().start().await.unwrap();
            let jobs = fetch(&other, 10).await;
            other.stop().await;
            jobs
        }
    };
    assert_eq!(second.len(), 1, "three at a time, whoever has them");
    assert!(fetch(&engine, 10).await.is_empty());
    engine.complete_job(&first[0], ()).await.unwrap();
    engine.release_job(&first[1]).await.unwrap();
    assert_eq!(fetch(&engine, 10).await.len(), 2);
    stop(&engine).await;
}

async fn each_job_finds_one_of_many_who_wait(place: Place) {
    let engine = place.builder().start().await.unwrap();
    deploy(&engine, &[("letter.bpmn", &letter())]).await;
    let mut waiting = tokio::task::JoinSet::new();
    for number in 0..40 {
        let engine = engine.clone();
        // Some wait for what never comes.
        let topics = if number % 2 == 0 { ["send-letter".into()] } else { ["nothing".into()] };
        waiting
            .spawn(async move { engine.fetch_jobs(format!("w{number}"), &topics, 1, MINUTE, MINUTE).await.unwrap() });
    }
    let mut found = std::collections::BTreeSet::new();
    for _ in 0..5 {
        let case = engine.start("letter").send().await.unwrap();
        let jobs = tokio::time::timeout(MINUTE, waiting.join_next()).await.unwrap().unwrap().unwrap();
        assert_eq!((jobs.len(), jobs[0].instance_id()), (1, case.id()));
        assert!(found.insert(jobs[0].id()), "it is handed out once");
        engine.complete_job(&jobs[0], ()).await.unwrap();
    }
    assert_eq!(waiting.len(), 35, "nobody was let go with nothing");
    waiting.shutdown().await;
    stop(&engine).await;
}
