//! History: told, exported, erased, deleted.

use std::time::Duration;

use potok::query::{DefinitionQuery, IncidentQuery, InstanceQuery, MessageQuery};
use potok::{Engine, Format, Happening, Role, Value, What};
use serde_json::json;

use crate::database::{Place, acting, at, deploy, morning, stop};
use crate::model::{approval, file, process, row};

crate::on_every_database!(
    what_happened_is_told,
    history_is_exported,
    a_variable_is_erased,
    a_call_names_what_it_has_called,
    ended_instances_are_deleted,
    a_deployment_is_deleted,
    what_others_call_is_deleted,
    one_version_is_deleted,
    variables_of_activities_are_told_as_such,
    history_is_cleaned_up,
);

const HOUR: Duration = Duration::from_secs(3600);

fn transitions(happenings: &[Happening]) -> Vec<String> {
    let told = happenings.iter().filter_map(|it| match &it.what {
        What::Element { element, transition, .. } => {
            let by = it.by.as_ref().map(|by| format!(" {by}")).unwrap_or_default();
            Some(format!("{element} {}{by}", transition.word()))
        }
        _ => None,
    });
    told.collect()
}

/// A loop of two rounds, behind a fork that joins.
fn rounds() -> String {
    file(
        r#"<process id="rounds" isExecutable="true">
             <startEvent id="start"/>
             <parallelGateway id="fork"/>
             <userTask id="each">
               <multiInstanceLoopCharacteristics isSequential="true">
                 <loopCardinality>2</loopCardinality>
               </multiInstanceLoopCharacteristics>
             </userTask>
             <task id="note"/>
             <parallelGateway id="join"/>
             <endEvent id="end"/>
             <sequenceFlow id="a" sourceRef="start" targetRef="fork"/>
             <sequenceFlow id="b" sourceRef="fork" targetRef="each"/>
             <sequenceFlow id="c" sourceRef="fork" targetRef="note"/>
             <sequenceFlow id="d" sourceRef="each" targetRef="join"/>
             <sequenceFlow id="e" sourceRef="note" targetRef="join"/>
             <sequenceFlow id="f" sourceRef="join" targetRef="end"/>
           </process>"#,
    )
}

async fn what_happened_is_told(place: Place) {
    let engine = place.with(&[("approval.bpmn", &approval()), ("rounds.bpmn", &rounds())]).await;
    let clara = engine.as_user("clara");
    let case = clara.start("approval").send().await.unwrap();
    let task = engine.tasks().instance(case.id()).list().await.unwrap().remove(0);
    engine.claim(task.id(), "anna").await.unwrap();
    engine.clock().advance(morning() + HOUR);
    engine.complete(task.id(), json!({"amount": 3})).await.unwrap();
    engine.instance(case.id()).cancel("no money").await.unwrap();
    let told = engine.instance(case.id()).happenings().await.unwrap();
    let expected = [
        "start start",
        "start complete clara",
        "approve start",
        "approve assign anna",
        "approve complete anna",
        "pay start",
        "pay assign boris",
        "pay ate_abort",
    ];
    assert_eq!(transitions(&told), expected);
    assert!(matches!(&told.last().unwrap().what, What::Cancelled { reason: Some(reason) } if *reason == "no money"));
    assert!(told.iter().any(|it| matches!(&it.what, What::VariableSet { variable, .. } if *variable == "amount")));

    let case = engine.start("rounds").send().await.unwrap();
    for _ in 0..2 {
        let task = engine.tasks().instance(case.id()).list().await.unwrap().remove(0);
        engine.complete(task.id(), ()).await.unwrap();
    }
    let told = transitions(&engine.instance(case.id()).happenings().await.unwrap());
    let count = |what: &str| told.iter().filter(|it| *it == what).count();
    assert_eq!((count("each start"), count("each complete")), (2, 2), "{told:?}");
    assert_eq!((count("fork start"), count("fork complete"), count("end complete")), (1, 1, 1), "{told:?}");

    let all = InstanceQuery { processes: vec!["approval".into()], ..InstanceQuery::default() };
    let finished = engine.finished(&all).await.unwrap();
    let approve = finished.iter().find(|it| it.node == "approve").unwrap();
    assert_eq!((approve.completed, approve.cancelled), (1, 0));
    assert_eq!(approve.mean(), Some(jiff::SignedDuration::from_hours(1)));
    assert_eq!(finished.iter().find(|it| it.node == "pay").unwrap().cancelled, 1);
    stop(&engine).await;
}

async fn exported(engine: &Engine, query: InstanceQuery, format: Format) -> String {
    let mut export = engine.export(query).format(format);
    let mut text = String::new();
    while let Some(chunk) = export.chunk().await.unwrap() {
        text.push_str(&chunk);
    }
    text
}

async fn history_is_exported(place: Place) {
    let engine = place.with(&[("approval.bpmn", &approval())]).await;
    for key in ["A & \"B\" <1>", "C-2"] {
        engine.start("approval").business_key(key).send().await.unwrap();
    }
    let lines = exported(&engine, InstanceQuery::default(), Format::JsonLines).await;
    let lines: Vec<serde_json::Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines[0]["event"], "started");
    assert_eq!(lines[0]["businessKey"], "A & \"B\" <1>");
    let entered = lines.iter().find(|line| line["element"] == "approve").unwrap();
    assert_eq!((&entered["transition"], &entered["name"]), (&json!("start"), &json!("Approve")));
    assert!(entered["instance"].is_string(), "64 bits are too many for JavaScript's numbers");

    let one = InstanceQuery { business_key: Some("A & \"B\" <1>".into()), ..InstanceQuery::default() };
    let xes = exported(&engine, one, Format::Xes).await;
    assert_eq!(xes.matches("<trace>").count(), 1);
    assert!(xes.contains(r#"<string key="concept:name" value="A &amp; &quot;B&quot; &lt;1&gt;"/>"#), "{xes}");
    assert!(xes.contains(r#"<string key="concept:name" value="Approve"/>"#), "{xes}");
    assert!(xes.contains(r#"<date key="time:timestamp" value="2026-01-05T09:00:00Z"/>"#), "{xes}");
    assert!(xes.trim_end().ends_with("</log>"));
    potok_core::xml::Document::parse(xes.as_bytes()).unwrap();

    let mut later = engine.export(InstanceQuery::default()).from(at("2026-01-06T00:00:00Z"));
    // That it is allowed is said before all histories have been read in vain.
    assert_eq!(later.chunk().await.unwrap(), Some(String::new()));
    assert_eq!(later.chunk().await.unwrap(), None);
    stop(&engine).await;
}

async fn a_variable_is_erased(place: Place) {
    let model = file(&process(
        "letter",
        r#"
        <startEvent id="start"/>
        <userTask id="write"/>
        <userTask id="post"/>
        <endEvent id="end"/>"#,
    ));
    let engine = place.with(&[("letter.bpmn", &model)]).await;
    // So large that a snapshot is written.
    let secret = json!({"client": "Anna Secret".repeat(3000), "amount": 3});
    let case = engine.start("letter").business_key("C-1").variables(secret).send().await.unwrap();
    let task = engine.tasks().list().await.unwrap().remove(0);
    engine.complete(task.id(), json!({"client": "Anna Secret-Smith"})).await.unwrap();
    engine.message("note").business_key("C-1").variables(json!({"client": "Anna Secret"})).send().await.unwrap();

    let by = acting(&engine, "officer", Role::Operator).await;
    let letters = InstanceQuery { business_key: Some("C-1".into()), ..InstanceQuery::default() };
    assert_eq!(by.erase_variable(&letters, "client").await.unwrap(), 1);

    let id = case.id();
    assert_eq!(engine.instance(id).variable("client").await.unwrap(), Some(Value::Null));
    assert_eq!(engine.instance(id).variable("amount").await.unwrap(), Some(Value::from(3)));
    assert_eq!(engine.instance(id).at(1).await.unwrap().variable("client"), Some(&Value::Null));
    let holds = |bytes: &[u8]| bytes.windows(6).any(|part| part == b"Secret");
    let history = engine.store().history(case.key, 0, 100).await.unwrap();
    assert!(history.iter().all(|row| !holds(&row.events)));
    let snapshots = engine.store().of_instance::<potok::row::Snapshot>(case.key).await.unwrap();
    assert!(!snapshots.is_empty() && snapshots.iter().all(|row| !holds(&row.bytes)));
    let kept = engine.store().list(&MessageQuery::default()).await.unwrap().rows;
    assert!(kept.len() == 1 && !holds(&kept[0].payload));
    let told = engine.instance(id).happenings().await.unwrap();
    let last = told.last().unwrap();
    assert_eq!(
        (&last.what, last.by.as_deref()),
        (&What::VariableErased { variable: "client".into() }, Some("officer"))
    );

    // It goes on, also with what another engine reads from the database.
    let task = engine.tasks().list().await.unwrap().remove(0);
    engine.complete(task.id(), ()).await.unwrap();
    engine.instance(id).erase_variable("amount").await.unwrap();
    assert_eq!(engine.instance(id).variable("amount").await.unwrap(), Some(Value::Null), "of an ended instance, too");
    stop(&engine).await;
}

fn caller() -> String {
    let caller = r#"
        <startEvent id="start"/>
        <callActivity id="call" calledElement="approval"/>
        <userTask id="last"/>
        <endEvent id="end"/>"#;
    row("caller", caller)
}

async fn a_call_names_what_it_has_called(place: Place) {
    let engine = place.with(&[("approval.bpmn", &approval()), ("caller.bpmn", &caller())]).await;
    let case = engine.start("caller").send().await.unwrap();
    let of = InstanceQuery { parent: Some(case.key), ..InstanceQuery::default() };
    let expected = engine.instances(&of).await.unwrap()[0].id();
    let happenings = engine.instance(case.id()).happenings().await.unwrap();
    let told = happenings.iter().filter_map(|it| match &it.what {
        What::Element { element, called, .. } => Some((&**element, *called)),
        _ => None,
    });
    let told: Vec<_> = told.collect();
    assert_eq!(told, [("start", None), ("start", None), ("call", Some(expected))]);
    stop(&engine).await;
}

async fn ended_instances_are_deleted(place: Place) {
    let engine = place.with(&[("approval.bpmn", &approval()), ("caller.bpmn", &caller())]).await;
    let case = engine.start("caller").send().await.unwrap();
    let called = InstanceQuery { parent: Some(case.key), ..InstanceQuery::default() };
    let called = engine.instances(&called).await.unwrap().remove(0);
    engine.comment(called.id(), "a note").await.unwrap();
    let mut attaching = engine.attach(called.id(), "note.txt").await.unwrap();
    attaching.write(b"text").await.unwrap();
    let attachment = attaching.finish().await.unwrap();
    assert_eq!(engine.instance(case.id()).delete().await.unwrap_err().code(), "instance-runs");
    engine.instance(case.id()).cancel("over").await.unwrap();
    assert_eq!(engine.instance(called.id()).delete().await.unwrap_err().code(), "instance-called");
    engine.instance(case.id()).delete().await.unwrap();
    for id in [case.id(), called.id()] {
        assert_eq!(engine.instance(id).get().await.unwrap_err().code(), "instance-unknown");
        assert!(engine.store().history(id.0, 0, 10).await.unwrap().is_empty());
        assert_eq!(engine.instance(id).delete().await.unwrap_err().code(), "instance-unknown");
    }
    assert!(engine.store().of_instance::<potok::row::Comment>(called.key).await.unwrap().is_empty());
    assert_eq!(engine.read_attachment(&attachment).chunk().await.unwrap(), None);
    assert!(engine.tasks().list().await.unwrap().is_empty());
    stop(&engine).await;
}

async fn a_deployment_is_deleted(place: Place) {
    let started = row(
        "started",
        r#"
        <startEvent id="start"><signalEventDefinition signalRef="go"/></startEvent>
        <userTask id="work"/>
        <endEvent id="end"/>"#,
    )
    .replace("<process", r#"<signal id="go" name="go"/><process"#);
    let engine = place.with(&[("started.bpmn", &started)]).await;
    let second = deploy(
        &engine,
        &[(
            "started.bpmn",
            &started.replace("\"work\"", "\"toil\"").replace("-work", "-toil").replace("work-", "toil-"),
        )],
    )
    .await;
    let second = second.id.unwrap();
    let signal = |engine: &Engine| {
        let engine = engine.clone();
        async move { engine.signal("go", ()).await.unwrap() }
    };
    signal(&engine).await;
    assert_eq!(engine.tasks().list().await.unwrap()[0].node, "toil");
    assert_eq!(engine.delete_deployment(second).await.unwrap_err().code(), "deployment-in-use");
    engine.delete_deployment_with_instances(second, "withdrawn").await.unwrap();
    assert!(engine.tasks().list().await.unwrap().is_empty());
    assert_eq!(engine.delete_deployment(second).await.unwrap_err().code(), "deployment-unknown");
    // The version before is the newest again.
    signal(&engine).await;
    assert_eq!(engine.tasks().list().await.unwrap()[0].node, "work");
    stop(&engine).await;
}

async fn what_others_call_is_deleted(place: Place) {
    let engine = place.with(&[("caller.bpmn", &caller())]).await;
    let deployment = deploy(&engine, &[("approval.bpmn", &approval())]).await.id.unwrap();
    let waits = engine.start("caller").send().await.unwrap();
    let ended = engine.start("caller").send().await.unwrap();
    engine.instance(ended.id()).cancel("over").await.unwrap();
    engine.delete_deployment_with_instances(deployment, "withdrawn").await.unwrap();
    let left: Vec<_> = engine.instances(&InstanceQuery::default()).await.unwrap().iter().map(|row| row.key).collect();
    assert_eq!(left, [waits.key, ended.key]);
    let stuck = async || {
        let open = IncidentQuery { open: Some(true), ..IncidentQuery::default() };
        let incident = engine.incidents(&open).await.unwrap().remove(0);
        assert_eq!((incident.instance, &*incident.node), (waits.key, "call"));
        (incident.code.to_string(), incident.key)
    };
    let (code, incident) = stuck().await;
    assert_eq!(code, "called-process-cancelled", "who waits is told");
    engine.resolve_incident(incident.into()).await.unwrap();
    assert_eq!(stuck().await.0, "called-process-unknown", "there is nothing to be called any more");
    engine.instance(waits.id()).cancel("over").await.unwrap();
    engine.instance(waits.id()).delete().await.unwrap();
    stop(&engine).await;
}

async fn one_version_is_deleted(place: Place) {
    let engine = place.with(&[("approval.bpmn", &approval()), ("caller.bpmn", &caller())]).await;
    let all = async || {
        engine
            .definitions(&DefinitionQuery { ids: vec!["approval".into()], ..DefinitionQuery::default() })
            .await
            .unwrap()
    };
    let first = all().await.remove(0);
    deploy(
        &engine,
        &[(
            "approval.bpmn",
            &approval().replace("\"pay\"", "\"pays\"").replace("-pay", "-pays").replace("pay-", "pays-"),
        )],
    )
    .await;
    let second = all().await.into_iter().find(|row| row.version == 2).unwrap();
    let case = engine.start("approval").send().await.unwrap();
    let in_use = engine.delete_definition(second.key.into()).await.unwrap_err();
    assert_eq!(in_use.code(), "definition-in-use");
    engine.delete_definition_with_instances(second.key.into(), "withdrawn").await.unwrap();
    assert_eq!(engine.instance(case.id()).get().await.unwrap_err().code(), "instance-unknown");
    assert_eq!(all().await, std::slice::from_ref(&first));
    let case = engine.start("approval").send().await.unwrap();
    assert_eq!(case.definition, first.key, "the version before is the newest again");
    engine.instance(case.id()).cancel("over").await.unwrap();
    engine.instance(case.id()).delete().await.unwrap();
    engine.delete_definition(first.key.into()).await.unwrap();
    assert_eq!(engine.start("approval").send().await.unwrap_err().code(), "process-unknown");
    assert_eq!(engine.delete_definition(first.key.into()).await.unwrap_err().code(), "definition-unknown");
    assert_eq!(
        engine.definitions(&DefinitionQuery::default()).await.unwrap().len(),
        1,
        "what was deployed with it stays"
    );
    stop(&engine).await;
}

async fn variables_of_activities_are_told_as_such(place: Place) {
    let engine = place.with(&[("approval.bpmn", &approval())]).await;
    let case = engine.start("approval").variables(json!({"amount": 1})).send().await.unwrap();
    let task = engine.tasks().instance(case.id()).list().await.unwrap().remove(0);
    engine.set_local_task_variables(task.id(), json!({"draft": "Dear"})).await.unwrap();
    let told = engine.instance(case.id()).happenings().await.unwrap();
    let visit = told.iter().find_map(|it| match &it.what {
        What::Element { element, visit, .. } if *element == "approve" => Some(*visit),
        _ => None,
    });
    let of = |name: &str| {
        told.iter().find_map(|it| match &it.what {
            What::VariableSet { variable, visit, .. } if *variable == name => Some(*visit),
            _ => None,
        })
    };
    assert_eq!((of("amount"), of("draft")), (Some(None), Some(visit)));
    stop(&engine).await;
}

async fn history_is_cleaned_up(place: Place) {
    let brief = approval().replace("id=\"approval\"", "id=\"brief\" potok:historyTimeToLive=\"P10D\"");
    let engine = place.builder().clock(potok::Clock::standing_at(morning())).job_execution(false);
    let engine = engine.history_time_to_live(30 * 24 * HOUR).start().await.unwrap();
    deploy(&engine, &[("approval.bpmn", &approval()), ("brief.bpmn", &brief), ("caller.bpmn", &caller())]).await;
    let running = engine.start("brief").send().await.unwrap();
    for process in ["approval", "brief", "caller"] {
        let case = engine.start(process).send().await.unwrap();
        engine.instance(case.id()).cancel("over").await.unwrap();
    }
    let count = |engine: &Engine| {
        let engine = engine.clone();
        async move { engine.instances(&InstanceQuery::default()).await.unwrap().len() }
    };
    assert_eq!(count(&engine).await, 5);
    assert_eq!(engine.clean_up().await.unwrap(), 0);
    engine.clock().advance(at("2026-01-16T00:00:00Z"));
    assert_eq!(engine.clean_up().await.unwrap(), 1, "as its model says");
    engine.clock().advance(at("2026-03-01T00:00:00Z"));
    assert_eq!(engine.clean_up().await.unwrap(), 2, "by the engine's default, the called one with its caller");
    assert_eq!(count(&engine).await, 1);
    assert!(engine.instance(running.id()).get().await.unwrap().is_active());
    stop(&engine).await;
}
