//! What makes no sense, or is too large: it is refused for itself, and says how to mend it.

use std::time::Duration;

use futures_util::future::join_all;
use potok::query::{InstanceQuery, TaskQuery};
use potok::row::{Group, Tenant};
use potok::{Clock, DefinitionId, DueOf, DueType, Engine, Error, InstanceId, JobError, Name, Operation, Role, TaskId};
use potok_core::instance::Key;
use serde_json::json;

use crate::database::{Place, deploy, morning, stop};
use crate::model::{approval, row};

crate::on_every_database!(
    what_is_too_long_to_be_found_by_is_refused_alone,
    what_people_are_found_by_is_not_too_long_either,
    variables_keep_within_the_limits_of_the_engine,
    text_with_zeros_is_taken_everywhere,
    who_waits_for_ever_gets_what_comes,
    what_is_not_there_or_has_ended_is_said,
    all_who_look_for_the_same_at_once_find_it,
);

const MINUTE: Duration = Duration::from_secs(60);

/// Text that no database can make shorter.
fn noise(length: usize) -> String {
    let mut state = 1_u64;
    let mut next = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        char::from(b'0' + u8::try_from((state >> 33) % 64).unwrap())
    };
    (0..length).map(|_| next()).collect()
}

/// A process that waits for a message with a key that its data gives.
fn letter() -> String {
    let model = row(
        "letter",
        r#"
        <startEvent id="start"/>
        <serviceTask id="send" potok:job="send"/>
        <receiveTask id="wait" messageRef="answer"/>
        <endEvent id="end"/>"#,
    );
    model.replacen("<process", r#"<message id="answer" name="answer"/><process"#, 1)
}

async fn what_is_too_long_to_be_found_by_is_refused_alone(place: Place) {
    let engine = place.with(&[("approval.bpmn", &approval())]).await;
    let long = noise(4000);
    let (bad, good, other) = tokio::join!(
        async { engine.start("approval").business_key(&*long).send().await },
        async { engine.start("approval").business_key("C-17").send().await },
        async { engine.start("approval").business_key(noise(2000)).send().await },
    );
    assert_eq!(bad.unwrap_err().code(), "store-too-large");
    let case = good.unwrap();
    other.unwrap();
    assert_eq!(engine.count(&InstanceQuery::default()).await.unwrap(), 2);
    let task = engine.tasks().instance(case.id()).list().await.unwrap()[0].id();
    assert_eq!(engine.claim(task, &*long).await.unwrap_err().code(), "store-too-large");
    let unique = engine.start("approval").unique_business_key(&*long).send().await;
    assert_eq!(unique.unwrap_err().code(), "store-too-large");
    assert_eq!(engine.message(&*long).send().await.unwrap_err().code(), "store-too-large");
    assert_eq!(engine.message("m").id(&*long).send().await.unwrap_err().code(), "store-too-large");
    engine.claim(task, "anna").await.unwrap();
    stop(&engine).await;
}

async fn variables_keep_within_the_limits_of_the_engine(place: Place) {
    let builder = place.builder().clock(Clock::standing_at(morning())).job_execution(false);
    let builder = builder.handler("send", async |_| Ok::<_, JobError>(json!({"text": "x".repeat(2000)})));
    let engine = builder.variable_limit(1000).variable_depth(3).start().await.unwrap();
    deploy(&engine, &[("approval.bpmn", &approval()), ("letter.bpmn", &letter())]).await;
    let case = engine.start("approval").variables(json!({"fits": [[["x".repeat(900)]]]})).send().await.unwrap();
    let task = engine.tasks().list().await.unwrap()[0].id();
    for (given, code) in
        [(json!({"a": "x".repeat(1001)}), "value-too-large"), (json!({"a": [[[[1]]]]}), "value-too-deep")]
    {
        let refused = [
            engine.start("approval").variables(given.clone()).send().await.err(),
            engine.complete(task, given.clone()).await.err(),
            engine.set_local_task_variables(task, given.clone()).await.err(),
            engine.instance(case.id()).set_variables(given.clone()).await.err(),
            engine.instance(case.id()).set_variables_if(|_| true, given.clone()).await.err(),
            engine.message("m").variables(given.clone()).send().await.err(),
            engine.correlate("m").variables(given.clone()).send().await.err(),
            engine.signal("s", given.clone()).await.err(),
            engine.create_task("t").variables(given.clone()).send().await.err(),
            engine.modify(case.id()).start_before("pay").variables(given.clone()).send().await.err(),
        ];
        for error in refused {
            let error = error.unwrap();
            assert_eq!(error.code(), code, "{error}");
            assert!(
                error.to_string().contains(if code == "value-too-deep" { "3 levels" } else { "1000 bytes" }),
                "{error}"
            );
        }
        let variables = vec![("a".into(), potok::Value::from_json(given["a"].clone()).unwrap())];
        let batch = engine.batch(Operation::SetVariables(variables)).instances([case.id()]).send().await;
        assert_eq!(batch.unwrap_err().code(), code);
    }
    engine.start("letter").send().await.unwrap();
    engine.execute_due().await.unwrap();
    let job = engine.jobs(&potok::query::JobQuery::default()).await.unwrap().remove(0);
    assert!(job.error.as_deref().unwrap_or_default().contains("1000 bytes"), "{:?}", job.error);
    assert_eq!(job.lease, 0, "it has failed, and nobody has it");
    engine.complete(task, json!({"a": "x".repeat(1000)})).await.unwrap();
    stop(&engine).await;
}

async fn text_with_zeros_is_taken_everywhere(place: Place) {
    let engine = place.with(&[("approval.bpmn", &approval())]).await;
    let zero = "a\0b";
    let started = engine.start("approval").business_key(zero).variables(json!({zero: zero, "list": [zero]}));
    let case = started.send().await.unwrap();
    let task = engine.tasks().instance(case.id()).list().await.unwrap()[0].id();
    engine.claim(task, zero).await.unwrap();
    engine.comment(task, zero).await.unwrap();
    engine.message(zero).business_key(zero).id(zero).send().await.unwrap();
    let like = TaskQuery { name_like: Some(format!("{zero}\\")), ..TaskQuery::default() };
    assert_eq!(engine.count(&like).await.unwrap(), 0);
    engine.instance(case.id()).cancel(zero).await.unwrap();
    stop(&engine).await;
}

async fn who_waits_for_ever_gets_what_comes(place: Place) {
    let engine = place.with(&[("letter.bpmn", &letter())]).await;
    let waiting = engine.clone();
    let topics = [Name::from("send")];
    let job = tokio::spawn(async move { waiting.fetch_jobs("w", &topics, 1, Duration::MAX, Duration::MAX).await });
    let waiting = engine.clone();
    let news = tokio::spawn(async move { waiting.feed(potok::Position::default(), 10, Duration::MAX).await });
    engine.start("letter").send().await.unwrap();
    let job = tokio::time::timeout(MINUTE, job).await.unwrap().unwrap().unwrap().remove(0);
    assert!(!tokio::time::timeout(MINUTE, news).await.unwrap().unwrap().unwrap().news.is_empty());
    engine.complete_job(&job, ()).await.unwrap();
    stop(&engine).await;
}

async fn what_is_not_there_or_has_ended_is_said(place: Place) {
    let engine: Engine = place.with(&[("approval.bpmn", &approval())]).await;
    let nobody = InstanceId(Key(5));
    let codes =
        |errors: Vec<Result<(), Error>>| errors.into_iter().map(|error| error.unwrap_err().code()).collect::<Vec<_>>();
    let of = async |id: InstanceId| {
        let case = engine.instance(id);
        codes(vec![
            case.cancel("x").await,
            case.set_variables(json!({"a": 1})).await,
            case.suspend().await,
            case.resume().await,
            engine.modify(id).start_before("pay").send().await,
        ])
    };
    assert_eq!(of(nobody).await, vec!["instance-unknown"; 5]);
    let case = engine.start("approval").send().await.unwrap().id();
    let task = engine.tasks().list().await.unwrap()[0].id();
    engine.instance(case).cancel("x").await.unwrap();
    assert_eq!(of(case).await, vec!["instance-not-active"; 5]);
    let of = async |task: TaskId| {
        codes(vec![
            engine.complete(task, ()).await,
            engine.claim(task, "anna").await,
            engine.unclaim(task).await,
            engine.throw_task_error(task, "e", None, ()).await,
        ])
    };
    assert_eq!(of(TaskId(Key(5))).await, vec!["task-unknown"; 4]);
    assert_eq!(of(task).await, vec!["task-unknown"; 4]);
    assert_eq!(engine.start("approval").variables(json!([1])).send().await.unwrap_err().code(), "variables-no-object");
    stop(&engine).await;
}

/// Where nodes share a database, those who look at the same moment are looked up together.
async fn all_who_look_for_the_same_at_once_find_it(place: Place) {
    let engine = place.by_hand().await;
    deploy(&engine, &[("approval.bpmn", &approval()), ("letter.bpmn", &letter())]).await;
    engine.start("approval").send().await.unwrap();
    engine.start("letter").send().await.unwrap();
    let task = engine.tasks().list().await.unwrap()[0].id();
    for found in join_all((0..8).map(|_| engine.task(task))).await {
        assert_eq!(found.unwrap().id(), task);
    }
    let job = engine.fetch_jobs("w", &["send".into()], 1, MINUTE, Duration::ZERO).await.unwrap().remove(0);
    for found in join_all((0..8).map(|_| engine.leased_job(job.id(), job.lease))).await {
        assert_eq!(found.unwrap().id(), job.id());
    }
    stop(&engine).await;
}

async fn what_people_are_found_by_is_not_too_long_either(place: Place) {
    let engine = place.with(&[("approval.bpmn", &approval())]).await;
    let long = noise(4000);
    let people = engine.people();
    let group = noise(2595);
    for id in ["sales", &*group] {
        people.put_group(Group { id: id.into(), ..Group::default() }).await.unwrap();
    }
    let refused = [
        people.put_tenant(Tenant { id: (&*long).into(), name: None }).await,
        people.add_to_tenant(&*long, "anna").await,
        people.add_to_tenant("north", &*long).await,
        people.add_group_to_tenant(&*long, "sales").await,
        // Together they are.
        people.add_group_to_tenant("northwest", &*group).await,
        people.grant(&*group, Role::Administrator).await,
    ];
    for (place, refused) in refused.into_iter().enumerate() {
        assert_eq!(refused.unwrap_err().code(), "store-too-large", "{place}");
    }
    // Beside them others get in.
    let (bad, good) = tokio::join!(
        people.put_tenant(Tenant { id: (&*long).into(), name: None }),
        people.grant("sales", Role::Viewer)
    );
    assert_eq!(bad.unwrap_err().code(), "store-too-large");
    good.unwrap();
    let node = format!("n{}", noise(3000).replace(|letter: char| !letter.is_ascii_alphanumeric(), "x"));
    let model = row("far", &format!("<startEvent id=\"s\"/>\n<userTask id=\"{node}\"/>\n<endEvent id=\"e\"/>"));
    let deployed = deploy(&engine, &[("far.bpmn", &model)]).await;
    let definition = DefinitionId(deployed.definition("far").unwrap().key);
    let of = DueOf { definition, node: (&*node).into(), kind: DueType::Before };
    assert_eq!(engine.hold_due(&of, true, false, None).await.unwrap_err().code(), "store-too-large");
    stop(&engine).await;
}
