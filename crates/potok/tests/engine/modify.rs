//! Modification of running instances.

use potok::row::{InstanceState, TaskState};
use potok::{Role, Value};
use serde_json::json;

use crate::database::{Place, acting, stop};
use crate::model::{approval, file};

crate::on_every_database!(
    a_token_goes_elsewhere,
    what_is_refused_changes_nothing,
    an_instance_of_which_nothing_is_left_is_cancelled,
    what_was_called_ends_with_its_call,
);

/// `call` calls `called`, beside a sub-process with a timer; then `last`.
fn calling() -> String {
    file(
        r#"<process id="calling" isExecutable="true"><startEvent id="start"/><callActivity id="call" calledElement="called"/>
      <userTask id="last"/><subProcess id="sub"><startEvent id="s"/><userTask id="one"/><userTask id="two"/>
        <sequenceFlow id="f1" sourceRef="s" targetRef="one"/><sequenceFlow id="f2" sourceRef="one" targetRef="two"/></subProcess>
      <boundaryEvent id="late" attachedToRef="sub"><timerEventDefinition><timeDuration>PT1H</timeDuration>
      </timerEventDefinition></boundaryEvent>
      <sequenceFlow id="a" sourceRef="start" targetRef="call"/><sequenceFlow id="b" sourceRef="call" targetRef="last"/></process>
    <process id="called" isExecutable="true"><startEvent id="begin"/><userTask id="inner"/>
      <sequenceFlow id="c" sourceRef="begin" targetRef="inner"/></process>"#,
    )
}

async fn a_token_goes_elsewhere(place: Place) {
    let engine = place.with(&[("approval.bpmn", &approval())]).await;
    let case = engine.start("approval").send().await.unwrap();
    let task = engine.tasks().instance(case.id()).list().await.unwrap().remove(0);
    acting(&engine, "olga", Role::Operator)
        .await
        .modify(case.id())
        .cancel_all("approve")
        .start_before("pay")
        .variables(json!({"skipped": true}))
        .local_variables(json!({"mine": 1}))
        .reason("agreed by phone")
        .send()
        .await
        .unwrap();
    assert_eq!(engine.task(task.id()).await.unwrap().state, TaskState::Cancelled);
    let open = engine.tasks().instance(case.id()).list().await.unwrap();
    assert_eq!((open.len(), &*open[0].node), (1, "pay"));
    let instance = engine.instance(case.id());
    assert_eq!(instance.variable("skipped").await.unwrap(), Some(Value::Boolean(true)));
    assert_eq!(instance.variable("mine").await.unwrap(), None);
    let entry = instance.history(1, 1).await.unwrap().remove(0);
    assert_eq!(entry.envelope.by.as_deref(), Some("olga"));
    assert_eq!(entry.envelope.act, Some(potok::Act::Explained { reason: "agreed by phone".into() }));
    engine.complete(open[0].id(), ()).await.unwrap();
    assert_eq!(instance.get().await.unwrap().state, InstanceState::Completed);
    let error = engine.modify(case.id()).start_before("pay").send().await.unwrap_err();
    assert_eq!(error.code(), "instance-not-active");
    stop(&engine).await;
}

async fn what_is_refused_changes_nothing(place: Place) {
    let engine = place.with(&[("approval.bpmn", &approval())]).await;
    let case = engine.start("approval").send().await.unwrap();
    let before = engine.instance(case.id()).state().await.unwrap();
    let modify = || engine.modify(case.id());
    let refused = [
        (modify().cancel_all("approve").start_before("nowhere"), "element-unknown"),
        (modify(), "instructions-missing"),
        (modify().cancel_all("approve").variables(json!({"a": 1})), "instruction-misplaced"),
        (modify().start_before("pay").variables(json!([1])), "variables-no-object"),
        (modify().within(0), "instruction-misplaced"),
        (modify().start_before("pay").within(9), "scope-unknown"),
        (engine.modify(potok_core::instance::Key(7).into()).start_before("pay"), "instance-unknown"),
    ];
    for (modification, code) in refused {
        assert_eq!(modification.send().await.unwrap_err().code(), code);
    }
    assert_eq!(engine.instance(case.id()).state().await.unwrap(), before);
    assert_eq!(engine.instance(case.id()).history(0, 10).await.unwrap().len(), 1);
    stop(&engine).await;
}

async fn an_instance_of_which_nothing_is_left_is_cancelled(place: Place) {
    let engine = place.with(&[("approval.bpmn", &approval())]).await;
    let case = engine.start("approval").send().await.unwrap();
    let task = engine.tasks().instance(case.id()).list().await.unwrap().remove(0);
    engine.instance(case.id()).suspend().await.unwrap();
    engine.modify(case.id()).cancel(task.id()).reason("twice").send().await.unwrap();
    assert_eq!(engine.instance(case.id()).get().await.unwrap().state, InstanceState::Cancelled);
    let reason = Some("twice".into());
    assert_eq!(
        *engine.instance(case.id()).state().await.unwrap().state(),
        potok_core::instance::State::Cancelled { reason }
    );
    stop(&engine).await;
}

async fn what_was_called_ends_with_its_call(place: Place) {
    let engine = place.with(&[("calling.bpmn", &calling())]).await;
    let case = engine.start("calling").send().await.unwrap();
    let inner = engine.tasks().list().await.unwrap().remove(0);
    engine.modify(case.id()).start_before("two").cancel_all("call").send().await.unwrap();
    assert_eq!(engine.instance(inner.instance_id()).get().await.unwrap().state, InstanceState::Cancelled);
    assert_eq!(engine.store().of_instance::<potok::row::Timer>(case.key).await.unwrap().len(), 1);
    let two = engine.tasks().list().await.unwrap();
    assert_eq!((two.len(), &*two[0].node), (1, "two"));
    engine.modify(case.id()).move_one(two[0].id(), "one").send().await.unwrap();
    engine.modify(case.id()).move_all("one", "last").send().await.unwrap();
    assert!(engine.store().of_instance::<potok::row::Timer>(case.key).await.unwrap().is_empty());
    let last = engine.tasks().list().await.unwrap();
    assert_eq!((last.len(), &*last[0].node), (1, "last"));
    stop(&engine).await;
}
