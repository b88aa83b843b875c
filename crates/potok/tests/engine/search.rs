//! What is searched for, named, asked and only checked.

use potok::query::{InstanceQuery, JobQuery, Paging};
use potok::row::DefinitionKind;
use potok::{Assignment, Selector};
use serde_json::json;

use crate::database::{Place, deploy, stop};
use crate::model::{approval, row};

crate::on_every_database!(
    pages_and_counts,
    definitions_are_named,
    a_decision_is_asked_without_a_process,
    files_are_checked_without_being_deployed,
    a_task_that_has_changed_is_not_changed,
);

async fn pages_and_counts(place: Place) {
    let engine = place.with(&[("approval.bpmn", &approval())]).await;
    let long = "x".repeat(1000);
    for number in 0..3 {
        engine.start("approval").variables(json!({"number": number, "long": long})).send().await.unwrap();
    }
    engine.create_task("Call back").send().await.unwrap();
    let page = Paging { limit: Some(2), ..Paging::default() };
    let mut query = InstanceQuery { page, ..InstanceQuery::default() };
    let first = engine.search(&query).await.unwrap();
    assert_eq!(first.rows.len(), 2);
    query.page.after = first.next;
    let second = engine.search(&query).await.unwrap();
    assert_eq!((second.rows.len(), second.next), (1, None));
    assert_eq!(engine.count(&InstanceQuery::default()).await.unwrap(), 3, "a task of no process is no instance");
    assert_eq!(engine.count(&JobQuery::default()).await.unwrap(), 0);

    let ids = first.rows.iter().map(|row| row.key.into());
    let found = engine.variables_of(ids, &["long".into(), "missing".into()]).await.unwrap();
    assert_eq!(found.len(), 2);
    assert!(found.values().all(|variables| variables == &[("long".into(), long.as_str().into())]));
    stop(&engine).await;
}

async fn definitions_are_named(place: Place) {
    let engine = place.with(&[("approval.bpmn", &approval())]).await;
    let tagged = approval().replace(
        "isExecutable",
        r#"xmlns:camunda="http://camunda.org/schema/1.0/bpmn" camunda:versionTag="spring" isExecutable"#,
    );
    deploy(&engine, &[("approval.bpmn", &tagged)]).await;
    deploy(&engine, &[("approval.bpmn", &approval())]).await;
    let found = |text: &str| {
        let (engine, selector) = (engine.clone(), text.parse::<Selector>().unwrap());
        async move { engine.definition(DefinitionKind::Process, "", &selector).await }
    };
    let newest = found("approval").await.unwrap();
    assert_eq!(newest.version, 3);
    assert_eq!(found("approval@1").await.unwrap().version, 1);
    assert_eq!(found("approval@spring").await.unwrap().version, 2);
    assert_eq!(found(&newest.key.to_string()).await.unwrap(), newest);
    for missing in ["aproval", "approval@4", "approval@autumn", "5", ""] {
        assert_eq!(found(missing).await.unwrap_err().code(), "definition-unknown");
    }
    stop(&engine).await;
}

async fn a_decision_is_asked_without_a_process(place: Place) {
    let decision = r#"<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="d" name="d" namespace="test">
        <decision id="discount" name="discount"><decisionTable hitPolicy="UNIQUE">
          <input><inputExpression typeRef="number"><text>amount</text></inputExpression></input>
          <output name="percent" typeRef="number"/>
          <rule><inputEntry><text>&lt; 1000</text></inputEntry><outputEntry><text>0</text></outputEntry></rule>
          <rule><inputEntry><text>&gt;= 1000</text></inputEntry><outputEntry><text>5</text></outputEntry></rule>
        </decisionTable></decision></definitions>"#;
    let engine = place.with(&[("discount.dmn", decision)]).await;
    deploy(&engine, &[("discount.dmn", &decision.replace(">5<", ">7<"))]).await;
    let decide = |selector: &str| {
        let (engine, selector) = (engine.clone(), selector.parse::<Selector>().unwrap());
        async move { engine.decide("", &selector, json!({"amount": 1200})).await.map(|value| value.to_json()) }
    };
    assert_eq!(decide("discount").await.unwrap(), json!(7));
    assert_eq!(decide("discount@1").await.unwrap(), json!(5));
    let evaluated = engine.evaluate("", &"discount".parse().unwrap(), json!({"amount": 1200})).await.unwrap();
    assert_eq!(evaluated.rules.len(), 1, "one rule counts");
    assert_eq!(decide("rebate").await.unwrap_err().code(), "definition-unknown");
    stop(&engine).await;
}

async fn files_are_checked_without_being_deployed(place: Place) {
    let engine = place.by_hand().await;
    let broken =
        row("broken", "<startEvent id=\"start\"/>\n<userTask id=\"a\"/>").replace("targetRef=\"a\"", "targetRef=\"b\"");
    let files = vec![("approval.bpmn".into(), approval().into_bytes()), ("broken.bpmn".into(), broken.into_bytes())];
    let checked = engine.check(files).await.unwrap();
    assert!(checked[0].diagnostics.is_empty());
    assert!(!checked[1].diagnostics.is_empty());
    assert!(engine.definitions(&potok::query::DefinitionQuery::default()).await.unwrap().is_empty());
    stop(&engine).await;
}

async fn a_task_that_has_changed_is_not_changed(place: Place) {
    let engine = place.with(&[("approval.bpmn", &approval())]).await;
    engine.start("approval").send().await.unwrap();
    let task = engine.tasks().list().await.unwrap().remove(0);
    let seen = Assignment::of(&task);
    let raise = |assignment: &mut Assignment| assignment.priority += 1;
    engine.update_task_if(task.id(), |now| *now == seen, raise).await.unwrap();
    let refused = engine.update_task_if(task.id(), |now| *now == seen, raise).await;
    assert_eq!(refused.unwrap_err().code(), "task-changed");
    assert_eq!(engine.task(task.id()).await.unwrap().priority, seen.priority + 1);
    stop(&engine).await;
}
