//! One thing done to many instances.

use potok::query::{BatchQuery, IncidentQuery, InstanceQuery, JobQuery, Paging};
use potok::row::{BatchState, InstanceState};
use potok::{Act, DueQuery, Engine, InstanceId, Modification, Operation, Restart, Role, Value};
use serde_json::json;

use crate::database::{Place, acting, deploy, morning, stop};
use crate::model::{approval, row};

crate::on_every_database!(
    many_are_cancelled_and_deleted,
    what_refuses_is_listed,
    a_batch_is_paused_and_cancelled,
    a_batch_survives_a_restart,
    variables_are_set_and_incidents_retried,
    two_nodes_share_a_batch,
    many_are_modified_after_a_restart,
    many_go_over_to_a_new_version,
    many_begin_again,
    what_fits_no_instance_is_refused_at_once,
    values_are_set_however_deep_they_are,
    jobs_get_tries,
    timers_get_tries_and_messages_are_delivered,
);

async fn timers_get_tries_and_messages_are_delivered(place: Place) {
    let paid = row(
        "paid",
        r#"
        <startEvent id="start"/>
        <receiveTask id="wait" messageRef="money"/>
        <intermediateCatchEvent id="rest"><timerEventDefinition><timeDuration>PT1H</timeDuration></timerEventDefinition></intermediateCatchEvent>
        <endEvent id="end"/>"#,
    )
    .replace("<process", r#"<message id="money" name="money"/><process"#);
    let engine = place.with(&[("paid.bpmn", &paid)]).await;
    let mut ids = Vec::new();
    for _ in 0..2 {
        ids.push(engine.start("paid").send().await.unwrap().id());
    }
    let deliver = Operation::Deliver { message: "money".into(), variables: vec![("amount".into(), 3.into())] };
    let batch = async |operation: Operation, instances: Vec<InstanceId>| {
        let batch = engine.batch(operation).instances(instances).send().await.unwrap();
        engine.execute_due().await.unwrap();
        engine.execute_due().await.unwrap();
        let progress = engine.progress(batch).await.unwrap();
        (progress.done, progress.failed)
    };
    assert_eq!(batch(deliver.clone(), ids.clone()).await, (2, 0));
    assert_eq!(engine.instance(ids[0]).variable("amount").await.unwrap(), Some(3.into()));
    assert_eq!(batch(deliver, ids.clone()).await, (0, 2), "nobody waits for it any more");

    let timers = engine.due(&DueQuery::default()).await.unwrap();
    let (due, chosen) = (morning(), vec![timers[0].key]);
    let tries = |retries| Operation::SetTimerRetries { timers: chosen.clone(), retries, due: Some(due) };
    assert_eq!(batch(tries(0), ids.clone()).await, (2, 0));
    assert_eq!(engine.incidents(&open_incidents()).await.unwrap().len(), 1);
    assert_eq!(batch(tries(7), ids).await, (2, 0));
    assert!(engine.incidents(&open_incidents()).await.unwrap().is_empty());
    for timer in engine.due(&DueQuery::default()).await.unwrap() {
        let is_chosen = chosen.contains(&timer.key);
        assert_eq!((timer.retries == 7, timer.due == Some(due)), (is_chosen, is_chosen));
    }
    stop(&engine).await;
}

fn open_incidents() -> IncidentQuery {
    IncidentQuery { open: Some(true), ..IncidentQuery::default() }
}

async fn jobs_get_tries(place: Place) {
    let letter = row(
        "letter",
        r#"
        <startEvent id="start"/>
        <serviceTask id="send" potok:job="send-letter"/>
        <endEvent id="end"/>"#,
    );
    let engine = place.with(&[("letter.bpmn", &letter)]).await;
    for _ in 0..3 {
        engine.start("letter").send().await.unwrap();
    }
    let jobs = engine.jobs(&JobQuery::default()).await.unwrap();
    let chosen = vec![jobs[0].key, jobs[1].key];
    let operation = Operation::SetJobRetries { jobs: chosen.clone(), retries: 7 };
    let instances = jobs.iter().map(|job| InstanceId(job.instance));
    let batch = engine.batch(operation).instances(instances).send().await.unwrap();
    engine.execute_due().await.unwrap();
    engine.execute_due().await.unwrap();
    assert_eq!(engine.progress(batch).await.unwrap().done, 3);
    for job in engine.jobs(&JobQuery::default()).await.unwrap() {
        assert_eq!((job.retries == 7, job.counted), (chosen.contains(&job.key), chosen.contains(&job.key)));
    }
    stop(&engine).await;
}

async fn started(engine: &Engine, count: usize) -> Vec<InstanceId> {
    let mut ids = Vec::new();
    for _ in 0..count {
        ids.push(engine.start("approval").send().await.unwrap().id());
    }
    ids
}

async fn values_are_set_however_deep_they_are(place: Place) {
    let engine = place.with(&[("approval.bpmn", &approval())]).await;
    let ids = started(&engine, 1).await;
    let deep = (0..100).fold(Value::from(1), |inner, _| Value::from(vec![inner]));
    let operation = Operation::SetVariables(vec![("deep".into(), deep.clone())]);
    let batch = engine.batch(operation).instances(ids.clone()).send().await.unwrap();
    engine.execute_due().await.unwrap();
    engine.execute_due().await.unwrap();
    assert_eq!(engine.progress(batch).await.unwrap().done, 1);
    let variables = engine.instance(ids[0]).variables().await.unwrap();
    assert!(variables.iter().any(|(name, value)| &**name == "deep" && *value == deep));
    stop(&engine).await;
}

async fn many_are_cancelled_and_deleted(place: Place) {
    let engine = place.with(&[("approval.bpmn", &approval())]).await;
    started(&engine, 100).await;
    let all = InstanceQuery { processes: vec!["approval".into()], ..InstanceQuery::default() };
    let clerk = acting(&engine, "clerk", Role::Operator).await;
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

/// Does all that a batch has to do; gives how many instances it has done, and the codes of those that failed.
async fn done(engine: &Engine, batch: potok::BatchId) -> (u64, Vec<String>) {
    engine.execute_due().await.unwrap();
    engine.execute_due().await.unwrap();
    let progress = engine.progress(batch).await.unwrap();
    assert_eq!(progress.state, BatchState::Completed);
    let failures = engine.batch_failures(batch, Paging::default()).await.unwrap().rows;
    (progress.done, failures.iter().map(|it| it.code.as_deref().unwrap_or_default().to_owned()).collect())
}

/// The flow nodes of all open tasks.
async fn open(engine: &Engine) -> Vec<String> {
    let mut nodes: Vec<_> = engine
        .tasks()
        .list()
        .await
        .unwrap()
        .iter()
        .map(|task| task.name.clone().unwrap_or_default().to_string())
        .collect();
    nodes.sort_unstable();
    nodes
}

async fn many_are_modified_after_a_restart(place: Place) {
    let engine = place.with(&[("approval.bpmn", &approval())]).await;
    let ids = started(&engine, 3).await;
    let first = engine.tasks().instance(ids[0]).list().await.unwrap().remove(0);
    engine.complete(first.id(), ()).await.unwrap();
    let skip = Modification::new().move_all("approve", "pay").variables(json!({"skipped": true, "on": [1, "2"]}));
    let skip = skip.reason("on holiday").operation().unwrap();
    let batch =
        acting(&engine, "olga", Role::Operator).await.batch(skip.clone()).instances(ids.clone()).send().await.unwrap();
    assert_eq!(engine.progress(batch).await.unwrap().operation, Some(skip));
    stop(&engine).await;

    let engine = place.by_hand().await;
    assert_eq!(done(&engine, batch).await, (2, vec!["token-missing".into()]));
    assert_eq!(open(&engine).await, ["Pay", "Pay", "Pay"]);
    assert_eq!(engine.instance(ids[2]).variable("skipped").await.unwrap(), Some(true.into()));
    let entry = engine.instance(ids[2]).history(1, 1).await.unwrap().remove(0);
    assert_eq!(entry.envelope.by.as_deref(), Some("olga"));
    assert_eq!(entry.envelope.act, Some(Act::Explained { reason: "on holiday".into() }));
    let emptied = Modification::new().move_all("approve", "pay").variables(json!({"skipped": null, "on": null}));
    let emptied = emptied.reason("on holiday").operation().unwrap();
    assert_eq!(engine.progress(batch).await.unwrap().operation, Some(emptied), "values are not kept with it");
    stop(&engine).await;
}

async fn many_go_over_to_a_new_version(place: Place) {
    let engine = place.by_hand().await;
    let old = deploy(&engine, &[("approval.bpmn", &approval())]).await.definitions[0].key.into();
    let ids = started(&engine, 3).await;
    let renamed = approval().replace("\"approve\"", "\"agree\"").replace("Approve", "Agree");
    let new = deploy(&engine, &[("approval.bpmn", &renamed)]).await.definitions[0].key.into();
    let newer = engine.start("approval").send().await.unwrap().id();
    let plan = engine.migration_plan(old, new).await.unwrap().map("approve", "agree");
    let operation = plan.operation(Some("new rules".into()));
    let batch = engine.batch(operation.clone()).instances(ids.clone()).instances([newer]).send().await.unwrap();
    assert_eq!(engine.progress(batch).await.unwrap().operation, Some(operation));
    assert_eq!(done(&engine, batch).await, (3, vec!["instance-other-definition".into()]));
    assert_eq!(open(&engine).await, ["Agree"; 4]);
    for id in ids {
        assert_eq!(engine.instance(id).get().await.unwrap().definition_id(), new);
        let entry = engine.instance(id).history(1, 1).await.unwrap().remove(0);
        assert_eq!(entry.envelope.act, Some(Act::Explained { reason: "new rules".into() }));
    }
    stop(&engine).await;
}

async fn many_begin_again(place: Place) {
    let engine = place.with(&[("approval.bpmn", &approval())]).await;
    let mut ids = Vec::new();
    for number in 0..3 {
        let start = engine.start("approval").business_key(format!("C-{number}")).variables(json!({"number": number}));
        ids.push(start.send().await.unwrap().id());
    }
    for id in &ids[..2] {
        engine.instance(*id).cancel("by mistake").await.unwrap();
    }
    let again = Restart::new().start_before("pay").variables(json!({"again": true})).reason("it was a mistake");
    let again = again.operation().unwrap();
    let batch =
        acting(&engine, "olga", Role::Operator).await.batch(again.clone()).instances(ids.clone()).send().await.unwrap();
    assert_eq!(engine.progress(batch).await.unwrap().operation, Some(again));
    assert_eq!(done(&engine, batch).await, (2, vec!["instance-active".into()]));
    assert_eq!(open(&engine).await, ["Approve", "Pay", "Pay"]);
    let active = InstanceQuery { states: vec![InstanceState::Active], ..InstanceQuery::default() };
    let active = engine.instances(&active).await.unwrap();
    let mut keys: Vec<_> = active.iter().map(|it| it.business_key.clone().unwrap_or_default()).collect();
    keys.sort_unstable();
    assert_eq!(keys, ["C-0", "C-1", "C-2"]);
    for new in active.iter().filter(|it| !ids.contains(&it.id())) {
        let case = engine.instance(new.id());
        assert_eq!(case.variable("again").await.unwrap(), Some(true.into()));
        assert!(case.variable("number").await.unwrap().is_some(), "it has the old one's variables");
        let entry = case.history(0, 1).await.unwrap().remove(0);
        assert_eq!(entry.envelope.by.as_deref(), Some("olga"));
        assert_eq!(entry.envelope.act, Some(Act::Explained { reason: "it was a mistake".into() }));
    }
    let emptied = Restart::new().start_before("pay").variables(json!({"again": null})).reason("it was a mistake");
    assert_eq!(engine.progress(batch).await.unwrap().operation, Some(emptied.operation().unwrap()));
    stop(&engine).await;
}

async fn what_fits_no_instance_is_refused_at_once(place: Place) {
    let engine = place.by_hand().await;
    let old = deploy(&engine, &[("approval.bpmn", &approval())]).await.definitions[0].key.into();
    let changed = approval().replace("Approve", "Agree");
    let new = deploy(&engine, &[("approval.bpmn", &changed)]).await.definitions[0].key.into();
    let plan = engine.migration_plan(old, new).await.unwrap().map("approve", "nowhere");
    let error = engine.batch(plan.operation(None)).send().await.unwrap_err();
    assert_eq!(error.code(), "migration-impossible");
    let error = Modification::new().cancel_all("approve").variables(json!({"a": 1})).operation().unwrap_err();
    assert_eq!(error.code(), "instruction-misplaced");
    let error = Restart::new().variables(json!(7)).operation().unwrap_err();
    assert_eq!(error.code(), "variables-no-object");
    assert_eq!(engine.batches(&BatchQuery::default()).await.unwrap(), []);
    stop(&engine).await;
}
