//! What is searched for, named, asked and only checked.

use potok::query::{Comparison, InstanceQuery, JobQuery, Paging, VariableFilter, VariableValue};
use potok::row::DefinitionKind;
use potok::{Assignment, Selector};
use serde_json::json;

use crate::database::{Place, deploy, stop};
use crate::model::{approval, row};

crate::on_every_database!(
    pages_and_counts,
    tasks_are_found_by_their_own_variables,
    what_is_kept_of_tasks_own_variables_is_erased,
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

fn own(name: &str, value: VariableValue) -> VariableFilter {
    VariableFilter { name: name.into(), comparison: Comparison::Equal(value) }
}

/// A task for each client, who is a variable of its own, and one with what its model computes.
fn visits() -> String {
    let visits = row(
        "visits",
        r#"
        <startEvent id="start"/>
        <userTask id="visit" potok:assignee="anna"/>
        <userTask id="report"/>
        <endEvent id="end"/>"#,
    );
    let each = r#"<userTask id="visit"><multiInstanceLoopCharacteristics camunda:collection="clients"
        camunda:elementVariable="client"/></userTask>"#;
    visits
        .replacen("<definitions", r#"<definitions xmlns:camunda="http://camunda.org/schema/1.0/bpmn""#, 1)
        .replace(r#"<userTask id="visit" potok:assignee="anna"/>"#, each)
}

async fn tasks_are_found_by_their_own_variables(place: Place) {
    let engine = place.with(&[("visits.bpmn", &visits())]).await;
    let clients = json!({"clients": ["Anna", "Boris", "Clara"], "client": "nobody"});
    let case = engine.start("visits").variables(clients).send().await.unwrap();
    let found = async |name: &str, value: VariableValue| {
        let tasks = engine.tasks().own_variable(own(name, value)).list().await.unwrap();
        tasks.iter().map(|task| task.id()).collect::<Vec<_>>()
    };
    let text = |text: &str| VariableValue::Text(text.into());
    let boris = found("client", text("Boris")).await;
    assert_eq!((boris.len(), found("client", text("nobody")).await.len()), (1, 0));
    let boris = boris[0];
    assert_eq!(engine.tasks().own_variable(own("client", text("Anna"))).count().await.unwrap(), 1);

    let draft = json!({"draft": "Dear Boris", "page": 3, "big": "x".repeat(300)});
    engine.set_local_task_variables(boris, draft).await.unwrap();
    assert_eq!(found("draft", text("Dear Boris")).await, [boris]);
    let more = VariableFilter { name: "page".into(), comparison: Comparison::Greater(VariableValue::Number(2.0)) };
    let both = engine.tasks().own_variable(more).own_variable(own("client", text("Boris")));
    assert_eq!(both.list().await.unwrap()[0].id(), boris);
    assert!(found("big", text(&"x".repeat(300))).await.is_empty(), "too large to be searched");
    engine.set_local_task_variables(boris, json!({"draft": "Dear Mr. Boris", "page": "three"})).await.unwrap();
    assert!(found("draft", text("Dear Boris")).await.is_empty());
    assert!(found("page", VariableValue::Number(3.0)).await.is_empty());
    assert_eq!(found("page", text("three")).await, [boris]);
    assert_eq!(engine.instance(case.id()).variable("draft").await.unwrap(), None);
    assert_eq!(engine.examine().await.unwrap(), []);

    // An engine that has it not in memory goes on with it.
    engine.stop().await;
    let engine = place.by_hand().await;
    engine.complete(boris, ()).await.unwrap();
    let ended = engine.tasks().and_ended().own_variable(own("draft", text("Dear Mr. Boris")));
    assert_eq!(ended.count().await.unwrap(), 0, "they have ended with the task");
    assert_eq!(engine.tasks().own_variable(own("client", text("Clara"))).count().await.unwrap(), 1);
    engine.instance(case.id()).cancel("no time").await.unwrap();
    assert_eq!(engine.tasks().and_ended().own_variable(own("client", text("Clara"))).count().await.unwrap(), 0);
    engine.instance(case.id()).delete().await.unwrap();
    stop(&engine).await;
}

async fn what_is_kept_of_tasks_own_variables_is_erased(place: Place) {
    let engine = place.with(&[("visits.bpmn", &visits())]).await;
    let case = engine.start("visits").variables(json!({"clients": ["Anna"]})).send().await.unwrap();
    let task = engine.tasks().list().await.unwrap()[0].id();
    engine.set_local_task_variables(task, json!({"note": "Anna"})).await.unwrap();
    let named = |name: &str| own(name, VariableValue::Text("Anna".into()));
    assert_eq!(engine.tasks().own_variable(named("client")).own_variable(named("note")).count().await.unwrap(), 1);
    engine.instance(case.id()).erase_variable("note").await.unwrap();
    assert_eq!(engine.tasks().own_variable(named("note")).count().await.unwrap(), 0);
    assert_eq!(engine.tasks().own_variable(own("note", VariableValue::Null)).count().await.unwrap(), 1);
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
