//! A new instance takes the place of one that has ended.

use potok::Value;
use serde_json::json;

use crate::database::{Place, deploy, stop};
use crate::model::{approval, file};

crate::on_every_database!(an_ended_instance_begins_again, a_new_one_begins_inside_of_a_sub_process);

async fn an_ended_instance_begins_again(place: Place) {
    let engine = place.with(&[("approval.bpmn", &approval())]).await;
    let old =
        engine.start("approval").business_key("C-17").variables(json!({"amount": 1, "to": "a"})).send().await.unwrap();
    assert_eq!(engine.restart(old.id()).send().await.unwrap_err().code(), "instance-active");
    engine.instance(old.id()).set_variables(json!({"amount": 2, "late": true})).await.unwrap();
    engine.instance(old.id()).cancel("by mistake").await.unwrap();

    let last =
        engine.restart(old.id()).start_before("pay").variables(json!({"to": "b"})).reason("oops").send().await.unwrap();
    assert_eq!((last.business_key.as_deref(), last.definition), (Some("C-17"), old.definition));
    let tasks = engine.tasks().instance(last.id()).list().await.unwrap();
    assert_eq!((tasks.len(), &*tasks[0].node), (1, "pay"));
    let variables = engine.instance(last.id()).variables().await.unwrap();
    let expected = [("amount", Value::from(2)), ("late", Value::from(true)), ("to", Value::from("b"))];
    assert_eq!(variables, expected.map(|(name, value)| (name.into(), value)));
    let entry = engine.instance(last.id()).history(0, 1).await.unwrap().remove(0);
    assert_eq!(entry.envelope.act, Some(potok::Act::Explained { reason: "oops".into() }));

    deploy(&engine, &[("approval.bpmn", &approval().replace("Approve", "Agree"))]).await;
    let first =
        engine.restart(old.id()).latest_version().initial_variables().without_business_key().send().await.unwrap();
    assert_eq!(first.business_key, None);
    assert_ne!(first.definition, old.definition);
    let tasks = engine.tasks().instance(first.id()).list().await.unwrap();
    assert_eq!((tasks.len(), tasks[0].name.as_deref()), (1, Some("Agree")));
    let variables = engine.instance(first.id()).variables().await.unwrap();
    assert_eq!(
        variables,
        [("amount", Value::from(1)), ("to", Value::from("a"))].map(|(name, value)| (name.into(), value))
    );
    stop(&engine).await;
}

async fn a_new_one_begins_inside_of_a_sub_process(place: Place) {
    let model = file(
        r#"<process id="p" isExecutable="true"><startEvent id="start"/><subProcess id="sub"><startEvent id="s"/><userTask id="one"/>
      <userTask id="two"/><sequenceFlow id="f1" sourceRef="s" targetRef="one"/>
      <sequenceFlow id="f2" sourceRef="one" targetRef="two"/></subProcess><userTask id="last"/>
      <boundaryEvent id="late" attachedToRef="sub"><timerEventDefinition><timeDuration>PT1H</timeDuration>
      </timerEventDefinition></boundaryEvent>
      <sequenceFlow id="a" sourceRef="start" targetRef="sub"/><sequenceFlow id="b" sourceRef="sub" targetRef="last"/></process>"#,
    );
    let engine = place.with(&[("p.bpmn", &model)]).await;
    let old = engine.start("p").send().await.unwrap();
    engine.instance(old.id()).cancel("").await.unwrap();
    let error = engine.restart(old.id()).start_before("two").start_before("nowhere").send().await.unwrap_err();
    assert_eq!(error.code(), "element-unknown");
    let new = engine.restart(old.id()).start_after("one").start_transition("b").send().await.unwrap();
    let tasks = engine.tasks().instance(new.id()).list().await.unwrap();
    let mut nodes: Vec<_> = tasks.iter().map(|task| &*task.node).collect();
    nodes.sort_unstable();
    assert_eq!(nodes, ["last", "two"]);
    assert_eq!(engine.store().of_instance::<potok::row::Timer>(new.key).await.unwrap().len(), 1);
    stop(&engine).await;
}
