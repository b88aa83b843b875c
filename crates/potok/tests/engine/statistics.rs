//! How much stands where.

use potok::query::TaskQuery;
use potok::{ElementStatistics, Engine, JobFailure};
use serde_json::json;

use crate::database::{Place, deploy, stop};
use crate::model::{approval, file, process};

crate::on_every_database!(tokens_are_counted_where_they_stand, versions_are_counted_apart);

/// A parallel gateway before a task with a deadline, a call, a condition and a job; what leaves them joins.
fn crossroads() -> String {
    let flows = ["task", "call", "condition", "job"].map(|node| {
        format!(
            r#"<sequenceFlow id="to-{node}" sourceRef="fork" targetRef="{node}"/>
               <sequenceFlow id="from-{node}" sourceRef="{node}" targetRef="join"/>"#
        )
    });
    let called = process(
        "called",
        r#"
        <startEvent id="begin"/>
        <receiveTask id="wait" messageRef="news"/>
        <endEvent id="done"/>"#,
    );
    file(&format!(
        r#"<message id="news" name="news"/>
           <process id="crossroads" isExecutable="true">
             <startEvent id="start"/>
             <sequenceFlow id="to-fork" sourceRef="start" targetRef="fork"/>
             <parallelGateway id="fork"/>
             <userTask id="task"/>
             <boundaryEvent id="late" attachedToRef="task">
               <timerEventDefinition><timeDuration>PT1H</timeDuration></timerEventDefinition>
             </boundaryEvent>
             <callActivity id="call" calledElement="called"/>
             <intermediateCatchEvent id="condition">
               <conditionalEventDefinition><condition>=go</condition></conditionalEventDefinition>
             </intermediateCatchEvent>
             <serviceTask id="job" potok:job="work"/>
             <parallelGateway id="join"/>
             <endEvent id="end"/>
             <endEvent id="too-late"/>
             <sequenceFlow id="finish" sourceRef="join" targetRef="end"/>
             <sequenceFlow id="deadline" sourceRef="late" targetRef="too-late"/>
             {}
           </process>{}"#,
        flows.concat(),
        called,
    ))
}

async fn tokens(engine: &Engine, process: &str) -> Vec<(String, u64)> {
    let elements = statistics(engine, process).await;
    elements.into_iter().filter(|it| it.tokens > 0).map(|it| (it.node.to_string(), it.tokens)).collect()
}

async fn statistics(engine: &Engine, process: &str) -> Vec<ElementStatistics> {
    let definitions = engine.definitions(&potok::query::DefinitionQuery::default()).await.unwrap();
    let definition = definitions.iter().rfind(|definition| definition.id == process).unwrap();
    engine.statistics(definition.key.into()).await.unwrap()
}

fn counted<'n>(tokens: impl IntoIterator<Item = (&'n str, u64)>) -> Vec<(String, u64)> {
    tokens.into_iter().map(|(node, tokens)| (node.to_owned(), tokens)).collect()
}

async fn tokens_are_counted_where_they_stand(place: Place) {
    let engine = place.with(&[("crossroads.bpmn", &crossroads())]).await;
    for _ in 0..3 {
        engine.start("crossroads").variables(json!({"go": false})).send().await.unwrap();
    }
    let all = [("task", 3), ("call", 3), ("condition", 3), ("job", 3)];
    assert_eq!(tokens(&engine, "crossroads").await, counted(all));
    assert_eq!(tokens(&engine, "called").await, counted([("wait", 3)]));

    let task = engine.tasks().list().await.unwrap().remove(0);
    engine.complete(task.id(), ()).await.unwrap();
    let joined = [("task", 2), ("call", 3), ("condition", 3), ("job", 3), ("join", 1)];
    assert_eq!(tokens(&engine, "crossroads").await, counted(joined));
    let elements = statistics(&engine, "crossroads").await;
    let of = |node: &str| elements.iter().find(|it| it.node == node).unwrap();
    assert_eq!((of("task").tasks, of("task").timers, of("late").timers, of("job").jobs), (2, 0, 2, 3));
    assert_eq!(statistics(&engine, "called").await[0].subscriptions, 3);
    let minute = std::time::Duration::from_secs(60);
    let job = engine.fetch_jobs("anna", &["work".into()], 1, minute, minute).await.unwrap().remove(0);
    let failure = JobFailure { message: "broken".into(), retries: Some(0), ..JobFailure::default() };
    engine.fail_job(&job, &failure).await.unwrap();
    let elements = statistics(&engine, "crossroads").await;
    let of = |node: &str| elements.iter().find(|it| it.node == node).unwrap();
    assert_eq!((of("job").tokens, of("job").incidents), (3, 1));
    for case in engine.instances(&potok::query::InstanceQuery::default()).await.unwrap() {
        if case.is_active() && case.parent.is_none() {
            engine.instance(case.id()).cancel("enough").await.unwrap();
        }
    }
    assert_eq!(statistics(&engine, "crossroads").await, []);
    assert_eq!(statistics(&engine, "called").await, []);
    assert_eq!(engine.definition_statistics().await.unwrap(), []);
    stop(&engine).await;
}

async fn versions_are_counted_apart(place: Place) {
    let engine = place.with(&[("approval.bpmn", &approval())]).await;
    engine.start("approval").send().await.unwrap();
    deploy(&engine, &[("approval.bpmn", &approval().replace("Approve", "Say yes"))]).await;
    for _ in 0..2 {
        engine.start("approval").send().await.unwrap();
    }
    let counts: Vec<u64> = engine.definition_statistics().await.unwrap().iter().map(|it| it.instances).collect();
    assert_eq!(counts, [1, 2]);
    assert_eq!(tokens(&engine, "approval").await, counted([("approve", 2)]));
    let tasks = engine.store().count_by_node(&TaskQuery::default()).await.unwrap();
    assert_eq!(tasks, [("approve".into(), 3)]);
    let unknown = engine.statistics(potok::DefinitionId(potok_core::instance::Key(99))).await.unwrap_err();
    assert_eq!(unknown.code(), "definition-unknown");
    stop(&engine).await;
}
