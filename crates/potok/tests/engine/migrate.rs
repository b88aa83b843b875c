//! Running instances go over to another version of their process.

use potok::row::{InstanceState, Job as JobRow, Subscription, TaskState, Timer};
use potok::{DefinitionId, Engine, Role};
use potok_core::step::Rejection;
use serde_json::json;

use crate::database::{Place, acting, deploy, stop};
use crate::model::file;

crate::on_every_database!(
    a_task_keeps_its_identity,
    what_waits_outside_follows,
    what_is_refused_changes_nothing,
    history_and_snapshots_reach_across,
    a_called_instance_finds_its_caller,
);

/// Two tasks in a row, with a job beside them and events at the first.
fn old() -> String {
    file(
        r#"<message id="m" name="m"/><process id="p" isExecutable="true"><startEvent id="start"/><parallelGateway id="fork"/>
      <userTask id="check" name="Check" potok:candidateGroups="sales"/><serviceTask id="send" potok:job="mail"/><userTask id="pay"/>
      <boundaryEvent id="late" attachedToRef="check"><timerEventDefinition><timeDuration>PT1H</timeDuration></timerEventDefinition>
      </boundaryEvent><receiveTask id="wait" messageRef="m"/>
      <sequenceFlow id="a" sourceRef="start" targetRef="fork"/><sequenceFlow id="b" sourceRef="fork" targetRef="check"/>
      <sequenceFlow id="c" sourceRef="fork" targetRef="send"/><sequenceFlow id="d" sourceRef="check" targetRef="pay"/>
      <sequenceFlow id="e" sourceRef="fork" targetRef="wait"/></process>"#,
    )
}

/// The first task has another name and id, another event, and stands further behind in the file.
fn new() -> String {
    file(
        r#"<message id="m" name="m"/><process id="p" isExecutable="true"><startEvent id="start"/><userTask id="pay"/>
      <parallelGateway id="fork"/><serviceTask id="send" potok:job="letter"/><receiveTask id="await" messageRef="m"/>
      <userTask id="review" name="Review"/>
      <boundaryEvent id="stop" attachedToRef="review"><messageEventDefinition messageRef="m"/></boundaryEvent>
      <sequenceFlow id="a" sourceRef="start" targetRef="fork"/><sequenceFlow id="b" sourceRef="fork" targetRef="review"/>
      <sequenceFlow id="c" sourceRef="fork" targetRef="send"/><sequenceFlow id="d" sourceRef="review" targetRef="pay"/>
      <sequenceFlow id="e" sourceRef="fork" targetRef="await"/></process>"#,
    )
}

async fn two_versions(engine: &Engine) -> (DefinitionId, DefinitionId) {
    let one = deploy(engine, &[("p.bpmn", &old())]).await.definitions[0].key;
    let other = deploy(engine, &[("p.bpmn", &new())]).await.definitions[0].key;
    (one.into(), other.into())
}

async fn a_task_keeps_its_identity(place: Place) {
    let engine = place.by_hand().await;
    let (one, other) = two_versions(&engine).await;
    let case = engine.start("p").version(1).variables(json!({"a": 1})).send().await.unwrap();
    let task = engine.tasks().instance(case.id()).list().await.unwrap().remove(0);
    engine.claim(task.id(), "anna").await.unwrap();
    let plan = engine.migration_plan(one, other).await.unwrap();
    assert_eq!(plan.mappings().map(|(id, _)| &**id).collect::<Vec<_>>(), ["fork", "pay", "send", "start"]);
    let plan = plan.map("check", "review").map("wait", "await").variables(json!({"b": 2})).unwrap();
    assert_eq!((plan.from(), plan.to(), plan.check()), (one, other, vec![]));
    acting(&engine, "olga", Role::Operator).await.migrate(case.id(), &plan).reason("new rules").send().await.unwrap();

    let migrated = engine.task(task.id()).await.unwrap();
    assert_eq!((&*migrated.node, migrated.name.as_deref()), ("review", Some("Review")));
    assert_eq!((migrated.assignee.as_deref(), migrated.state), (Some("anna"), TaskState::Open));
    assert_eq!(migrated.candidate_groups, ["sales"]);
    assert_eq!(DefinitionId(migrated.definition), other);
    let instance = engine.instance(case.id()).get().await.unwrap();
    assert_eq!(instance.definition_id(), other);
    assert_eq!(engine.instance(case.id()).variable("b").await.unwrap(), Some(2.into()));
    let entry = engine.instance(case.id()).history(2, 1).await.unwrap().remove(0);
    assert_eq!(entry.envelope.by.as_deref(), Some("olga"));
    assert_eq!(entry.envelope.act, Some(potok::Act::Explained { reason: "new rules".into() }));
    engine.complete(task.id(), ()).await.unwrap();
    let pay = engine.tasks().instance(case.id()).list().await.unwrap();
    assert_eq!((pay.len(), &*pay[0].node), (1, "pay"));
    stop(&engine).await;
}

async fn what_waits_outside_follows(place: Place) {
    let engine = place.by_hand().await;
    let (one, other) = two_versions(&engine).await;
    let case = engine.start("p").version(1).send().await.unwrap();
    let job = engine.store().of_instance::<JobRow>(case.key).await.unwrap().remove(0);
    assert_eq!(engine.store().of_instance::<Timer>(case.key).await.unwrap().len(), 1);
    let plan = engine.migration_plan(one, other).await.unwrap().map("check", "review").map("wait", "await");
    engine.migrate(case.id(), &plan).send().await.unwrap();

    assert!(engine.store().of_instance::<Timer>(case.key).await.unwrap().is_empty());
    let subscriptions = engine.store().of_instance::<Subscription>(case.key).await.unwrap();
    let mut nodes: Vec<_> = subscriptions.iter().map(|row| &*row.node).collect();
    nodes.sort_unstable();
    assert_eq!(nodes, ["await", "stop"]);
    let migrated = engine.store().of_instance::<JobRow>(case.key).await.unwrap().remove(0);
    // What it is for stays as it was.
    assert_eq!(migrated, JobRow { definition: other.0, ..job });
    // A second migration, to where it is already, is refused.
    let again = engine.migrate(case.id(), &plan).send().await.unwrap_err();
    assert_eq!(again.code(), "instance-other-definition");
    stop(&engine).await;
}

async fn what_is_refused_changes_nothing(place: Place) {
    let engine = place.by_hand().await;
    let (one, other) = two_versions(&engine).await;
    let case = engine.start("p").version(1).send().await.unwrap();
    let before = engine.instance(case.id()).state().await.unwrap();
    let plan = engine.migration_plan(one, other).await.unwrap();
    let error = engine.migrate(case.id(), &plan).send().await.unwrap_err();
    assert_eq!(error.code(), "migration-impossible");
    let potok::Error::Rejected(Rejection::Migration(problems)) = error else { panic!("{error:?}") };
    let found: Vec<_> = problems.iter().map(|problem| (&*problem.from, problem.kind.code())).collect();
    assert_eq!(found, [("check", "migration-not-mapped"), ("wait", "migration-not-mapped")]);
    assert_eq!(plan.clone().map("check", "send").check()[0].kind.code(), "migration-kind-differs");
    assert_eq!(engine.instance(case.id()).state().await.unwrap(), before);
    let unknown = engine.migration_plan(one, case.key.into()).await.unwrap_err();
    assert_eq!(unknown.code(), "process-unknown");
    let nobody = engine.migrate(one.0.into(), &plan).send().await.unwrap_err();
    assert_eq!(nobody.code(), "instance-unknown");
    engine.instance(case.id()).cancel("").await.unwrap();
    assert_eq!(engine.migrate(case.id(), &plan).send().await.unwrap_err().code(), "instance-not-active");
    stop(&engine).await;
}

async fn history_and_snapshots_reach_across(place: Place) {
    let engine = place.by_hand().await;
    let (one, other) = two_versions(&engine).await;
    let case = engine.start("p").version(1).send().await.unwrap();
    // Enough for a snapshot before and after.
    let large = "x".repeat(20_000);
    engine.instance(case.id()).set_variables(json!({"large": large})).await.unwrap();
    let before = engine.instance(case.id()).state().await.unwrap();
    let plan = engine.migration_plan(one, other).await.unwrap().map("check", "review").map("wait", "await");
    engine.migrate(case.id(), &plan).send().await.unwrap();
    engine.instance(case.id()).set_variables(json!({"large": "y".repeat(60_000)})).await.unwrap();
    let after = engine.instance(case.id()).state().await.unwrap();
    assert!(engine.store().of_instance::<potok::row::Snapshot>(case.key).await.unwrap().len() > 1);
    stop(&engine).await;

    let engine = place.by_hand().await;
    assert_eq!(engine.instance(case.id()).state().await.unwrap(), after);
    assert_eq!(engine.instance(case.id()).at(2).await.unwrap(), before);
    let task = engine.tasks().instance(case.id()).list().await.unwrap().remove(0);
    engine.complete(task.id(), ()).await.unwrap();
    let pay = engine.tasks().instance(case.id()).list().await.unwrap().remove(0);
    assert_eq!((&*pay.node, DefinitionId(pay.definition)), ("pay", other));
    stop(&engine).await;
}

async fn a_called_instance_finds_its_caller(place: Place) {
    let engine = place.by_hand().await;
    let model = |id: &str| {
        file(&format!(
            r#"<process id="outer" isExecutable="true"><startEvent id="s"/><callActivity id="{id}" calledElement="inner"/>
        <userTask id="then"/><sequenceFlow id="a" sourceRef="s" targetRef="{id}"/>
        <sequenceFlow id="b" sourceRef="{id}" targetRef="then"/></process>
        <process id="inner" isExecutable="true"><startEvent id="s2"/><userTask id="task"/>
        <sequenceFlow id="c" sourceRef="s2" targetRef="task"/></process>"#
        ))
    };
    let one = deploy(&engine, &[("p.bpmn", &model("call"))]).await.definitions;
    let case = engine.start("outer").send().await.unwrap();
    let other = deploy(&engine, &[("p.bpmn", &model("ask"))]).await.definitions;
    let task = engine.tasks().list().await.unwrap().remove(0);
    for (one, other) in one.iter().zip(&other) {
        let plan = engine.migration_plan(one.key.into(), other.key.into()).await.unwrap();
        let plan = if &*one.id == "outer" { plan.map("call", "ask") } else { plan };
        let instance = if &*one.id == "outer" { case.id() } else { task.instance_id() };
        engine.migrate(instance, &plan).send().await.unwrap();
    }
    engine.complete(task.id(), ()).await.unwrap();
    assert_eq!(engine.instance(task.instance_id()).get().await.unwrap().state, InstanceState::Completed);
    assert_eq!(&*engine.tasks().list().await.unwrap()[0].node, "then");
    stop(&engine).await;
}
