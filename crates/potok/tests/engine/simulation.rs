//! Nodes on a simulated database, in which connections break, answers are lost, locks are taken by others, and clocks differ. All of it
//! comes from a seed, which is printed when a law is broken: `POTOK_SEED=17` runs that one alone, `POTOK_SEEDS=10000` so many.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use potok::query::{InstanceQuery, MessageQuery};
use potok::row::{Attachment, Comment, InstanceState, TaskState};
use potok::{Clock, Engine, Error, InstanceId, Job, JobId, TaskId};
use potok_core::time::Timestamp;
use potok_store::{Faults, Simulation};
use serde_json::json;

use crate::database::{at, morning};
use crate::model::{file, process};

/// A sale: a person, a called process with a job, a timer, and a message to two other pools, of which one answers.
fn model() -> String {
    let sale = process(
        "sale",
        r#"
        <startEvent id="start"/>
        <userTask id="offer"/>
        <callActivity id="ship" calledElement="shipping"/>
        <intermediateThrowEvent id="ask"><messageEventDefinition messageRef="asked"/></intermediateThrowEvent>
        <intermediateCatchEvent id="hear"><messageEventDefinition messageRef="answered"/></intermediateCatchEvent>
        <intermediateCatchEvent id="rest"><timerEventDefinition><timeDuration>PT10S</timeDuration></timerEventDefinition></intermediateCatchEvent>
        <userTask id="thank" potok:savepoint="before"/>
        <endEvent id="end"/>"#,
    );
    let shipping = process(
        "shipping",
        r#"
        <startEvent id="begin"/>
        <serviceTask id="pack" potok:job="pack" potok:retries="5"/>
        <endEvent id="shipped"/>"#,
    );
    let client = process(
        "client",
        r#"
        <startEvent id="asked_start"><messageEventDefinition messageRef="asked"/></startEvent>
        <userTask id="think"/>
        <intermediateThrowEvent id="answer"><messageEventDefinition messageRef="answered"/></intermediateThrowEvent>
        <endEvent id="client_end"/>"#,
    );
    let ledger = process(
        "ledger",
        r#"
        <startEvent id="booked_start"><messageEventDefinition messageRef="asked"/></startEvent>
        <endEvent id="booked"/>"#,
    );
    file(&format!(
        r#"<message id="asked" name="asked"/><message id="answered" name="answered"/>
        <collaboration id="c"><participant id="p1" processRef="sale"/><participant id="p2" processRef="client"/>
        <participant id="p3" processRef="ledger"/><messageFlow id="m1" sourceRef="ask" targetRef="asked_start"/>
        <messageFlow id="m2" sourceRef="answer" targetRef="hear"/><messageFlow id="m3" sourceRef="ask" targetRef="booked_start"/></collaboration>
        {sale}{shipping}{client}{ledger}"#
    ))
}

/// What was acknowledged, and what must therefore be there.
#[derive(Default)]
struct Acknowledged {
    started: BTreeSet<InstanceId>,
    completed: BTreeMap<TaskId, u32>,
    /// Starts of which nobody knows whether they were done.
    unknown_starts: u32,
}

fn is_trouble(error: &Error) -> bool {
    matches!(error, Error::Store(_) | Error::OutcomeUnknown | Error::Contended(_))
}

async fn node(simulation: &Simulation, seed: u64, clock: Clock, done: Arc<Mutex<BTreeMap<JobId, u32>>>) -> Engine {
    for attempt in 0..100 {
        let done = done.clone();
        let started = Engine::builder()
            .store(simulation.node())
            .seed(seed * 1000 + attempt)
            .clock(clock.clone())
            .job_execution(false)
            .handler("pack", move |job: Job| {
                *done.lock().unwrap().entry(job.id()).or_default() += 1;
                async move { Ok::<_, potok::JobError>(json!({"packed": job.id().to_string()})) }
            })
            .start()
            .await;
        match started {
            Ok(engine) => return engine,
            Err(error) => assert!(is_trouble(&error), "{error}"),
        }
    }
    panic!("no node could be started");
}

/// Does something at random on a node.
async fn act(simulation: &Simulation, engine: &Engine, acknowledged: &mut Acknowledged) {
    match simulation.random(10) {
        0 | 1 => {
            let key = format!("S-{}", simulation.random(1_000_000));
            match engine.start("sale").business_key(key).send().await {
                Ok(case) => assert!(acknowledged.started.insert(case.id()), "two instances have one id"),
                Err(error) => {
                    assert!(is_trouble(&error), "{error}");
                    acknowledged.unknown_starts += 1;
                }
            }
        }
        2..=6 => {
            let tasks = match engine.tasks().list().await {
                Ok(tasks) if !tasks.is_empty() => tasks,
                Ok(_) => return,
                Err(error) => return assert!(is_trouble(&error), "{error}"),
            };
            let task = &tasks[usize::try_from(simulation.random(tasks.len() as u64)).unwrap()];
            match engine.complete(task.id(), json!({"by": "somebody"})).await {
                Ok(()) => *acknowledged.completed.entry(task.id()).or_default() += 1,
                Err(error) => assert!(is_trouble(&error) || matches!(error, Error::UnknownTask(_)), "{error}"),
            }
        }
        7 | 8 => match engine.execute_due().await {
            Ok(_) => {}
            Err(error) => assert!(is_trouble(&error), "{error}"),
        },
        _ => {
            let later = engine.clock().now() + Duration::from_secs(simulation.random(30));
            engine.clock().advance(later);
            simulation.advance(40_000_000);
        }
    }
}

async fn simulate(seed: u64) {
    let simulation = Simulation::new(seed, Faults::some(), morning());
    let done = Arc::new(Mutex::new(BTreeMap::new()));
    let early = at("2026-01-05T08:59:57Z");
    let one = node(&simulation, seed, Clock::standing_at(morning()), done.clone()).await;
    let two = node(&simulation, seed + 500_000, Clock::standing_at(early), done.clone()).await;
    while one.deployment().file("sale.bpmn", model()).send().await.is_err() {}

    let mut acknowledged = Acknowledged::default();
    for _ in 0..60 {
        let engine = if simulation.random(2) == 0 { &one } else { &two };
        act(&simulation, engine, &mut acknowledged).await;
    }
    // Calls of both nodes at the same time.
    for _ in 0..10 {
        let mut other = Acknowledged::default();
        tokio::join!(act(&simulation, &one, &mut acknowledged), act(&simulation, &two, &mut other));
        acknowledged.started.extend(other.started);
        acknowledged.unknown_starts += other.unknown_starts;
        for (task, times) in other.completed {
            *acknowledged.completed.entry(task).or_default() += times;
        }
    }
    // Their clocks jumped by hand, faster than they renewed their leases, with which keys are marked as given out.
    let latest = one.clock().now().max(two.clock().now()) + Duration::from_secs(3600);
    drop((one, two));

    // A node to which nothing happens brings everything to its end.
    simulation.advance(3_600_000_000);
    let counted = done.clone();
    let last = Engine::builder()
        .store(simulation.witness())
        .seed(seed + 900_000)
        .clock(Clock::standing_at(latest))
        .job_execution(false)
        .handler("pack", move |job: Job| {
            *counted.lock().unwrap().entry(job.id()).or_default() += 1;
            async {}
        })
        .start()
        .await
        .unwrap();
    let findings = last.examine().await.unwrap();
    assert!(findings.is_empty(), "the database is not as the log says: {findings:#?}");
    for task in acknowledged.completed.keys() {
        assert_eq!(last.task(*task).await.unwrap().state, TaskState::Completed, "an acknowledged completion is lost");
    }
    assert!(acknowledged.completed.values().all(|times| *times == 1), "a task was completed twice");
    let mut now: Timestamp = last.clock().now();
    for _ in 0..200 {
        for task in last.tasks().list().await.unwrap() {
            if let Err(error) = last.complete(task.id(), ()).await {
                let case = last.instance(task.instance_id());
                panic!(
                    "{error}: {task:?} {:?} {:?}",
                    case.state().await,
                    case.history(0, 100).await.unwrap().iter().map(|entry| format!("{entry:?}")).collect::<Vec<_>>()
                );
            }
        }
        now += Duration::from_secs(60);
        last.clock().advance(now);
        simulation.advance(60_000_000);
        last.execute_due().await.unwrap();
        let running = InstanceQuery { states: vec![InstanceState::Active], ..InstanceQuery::default() };
        if last.instances(&running).await.unwrap().is_empty() {
            break;
        }
    }
    let all = last.instances(&InstanceQuery::default()).await.unwrap();
    for instance in &all {
        let state = last.instance(instance.id()).state().await.unwrap();
        let others: Vec<_> = all.iter().filter(|other| other.parent == Some(instance.key)).collect();
        let jobs = last.jobs(&potok::query::JobQuery::default()).await.unwrap();
        assert_eq!(instance.state, InstanceState::Completed, "{state:?} {others:#?} {jobs:#?}");
    }
    let sales: BTreeSet<InstanceId> =
        all.iter().filter(|instance| instance.process == "sale").map(potok::Instance::id).collect();
    assert!(acknowledged.started.is_subset(&sales), "an acknowledged start is lost");
    assert!(sales.len() <= acknowledged.started.len() + acknowledged.unknown_starts as usize, "a start was done twice");
    let of = |process: &str| all.iter().filter(|instance| instance.process == process).count();
    assert_eq!((of("shipping"), of("client")), (sales.len(), sales.len()), "each sale has one shipping and one client");
    assert_eq!(of("ledger"), sales.len(), "each sale is booked once");
    let findings = last.examine().await.unwrap();
    assert!(findings.is_empty(), "in the end the database is not as the log says: {findings:#?}");
}

/// Runs a simulation with each seed, so many unless it is said how many.
fn with_each_seed<F: Future<Output = ()>>(count: u64, simulate: impl Fn(u64) -> F) {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let seeds = match number("POTOK_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("POTOK_SEEDS").unwrap_or(count),
    };
    for seed in seeds {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| runtime.block_on(simulate(seed))));
        assert!(result.is_ok(), "broken with POTOK_SEED={seed}");
    }
}

#[test]
fn nothing_is_lost_and_nothing_done_twice() {
    with_each_seed(100, simulate);
}

/// An instance takes a message, or goes on without it, in the very moment in which another throws it.
async fn throw_while_the_taker_moves_on(seed: u64) {
    let listener = process(
        "listener",
        r#"
        <startEvent id="start"/>
        <userTask id="wait"/>
        <endEvent id="end"/>"#,
    );
    let told = r#"<boundaryEvent id="told" attachedToRef="wait"><messageEventDefinition messageRef="news"/></boundaryEvent>
        <userTask id="read"/><sequenceFlow id="on" sourceRef="told" targetRef="read"/>"#;
    let listener = listener.replace("</process>", &format!("{told}</process>"));
    let thrower = process(
        "thrower",
        r#"
        <startEvent id="begun"/>
        <endEvent id="tell"><messageEventDefinition messageRef="news"/></endEvent>"#,
    );
    let model = file(&[r#"<message id="news" name="news"/>"#, &listener, &thrower].concat());
    let simulation = Simulation::new(seed, Faults { pauses: 3, ..Faults::default() }, morning());
    let node = async |seed| {
        let builder = Engine::builder().store(simulation.node()).seed(seed).clock(Clock::standing_at(morning()));
        builder.job_execution(false).start().await.unwrap()
    };
    let nodes = [node(seed * 1000).await, node(seed * 1000 + 1).await];
    nodes[0].deployment().file("news.bpmn", model).send().await.unwrap();
    let any = || &nodes[usize::try_from(simulation.random(2)).unwrap()];
    let mut thrown = 0;
    for _ in 0..20 {
        any().start("listener").send().await.unwrap();
        // It may have taken what was kept.
        let Some(wait) = any().tasks().node("wait").list().await.unwrap().pop() else { continue };
        thrown += 1;
        let (moving, throwing) = (any(), any());
        let (moved, told) =
            tokio::join!(moving.complete(wait.id(), ()), async { throwing.start("thrower").send().await });
        told.unwrap();
        let read = nodes[0].tasks().node("read").count().await.unwrap();
        let kept = nodes[0].count(&MessageQuery::default()).await.unwrap();
        assert_eq!(read + kept, thrown, "a message is lost or doubled");
        if let Err(error) = moved {
            assert!(matches!(error, Error::UnknownTask(_)), "{error}");
        }
    }
    let findings = nodes[1].examine().await.unwrap();
    assert!(findings.is_empty(), "the database is not as the log says: {findings:#?}");
}

#[test]
fn a_message_whose_taker_moves_on_is_kept() {
    with_each_seed(100, throw_while_the_taker_moves_on);
}

/// Somebody writes to an instance that has ended in the very moment in which another removes it for good.
async fn remark_while_it_is_removed(seed: u64) {
    let short = process(
        "short",
        r#"
        <startEvent id="start"/>
        <endEvent id="end"/>"#,
    );
    let simulation = Simulation::new(seed, Faults { pauses: 5, busy: 50, ..Faults::default() }, morning());
    let node = async |seed| {
        let builder = Engine::builder().store(simulation.node()).seed(seed).clock(Clock::standing_at(morning()));
        builder.job_execution(false).start().await.unwrap()
    };
    let nodes = [node(seed * 1000).await, node(seed * 1000 + 1).await];
    nodes[0].deployment().file("short.bpmn", file(&short)).send().await.unwrap();
    let store = simulation.witness();
    for round in 0..10_u8 {
        let [removing, writing] = if simulation.random(2) == 0 { [0, 1] } else { [1, 1] }.map(|node| &nodes[node]);
        let case = removing.start("short").send().await.unwrap().id();
        let attach = async {
            let mut file = writing.attach(case, "late.txt").await?;
            file.write(&[round, 1, 2]).await?;
            file.finish().await.map(|attachment| Some(attachment.content.clone()))
        };
        let link = async { writing.attach_link(case, "late", "https://example.org", None, None).await };
        let ended = removing.instance(case);
        let (comment, attached, linked, removed) =
            tokio::join!(writing.comment(case, "too late"), attach, link, ended.delete());
        removed.unwrap();
        let refused = [comment.map(drop).err(), linked.map(drop).err(), attached.as_ref().err().cloned()];
        for error in refused.into_iter().flatten() {
            assert!(matches!(error, Error::UnknownInstance(_)), "{error}");
        }
        assert_eq!(store.of_instance::<Comment>(case.0).await.unwrap(), []);
        assert_eq!(store.of_instance::<Attachment>(case.0).await.unwrap(), []);
        if let Ok(Some(content)) = attached {
            assert_eq!(store.chunk(&content, 0).await.unwrap(), None);
        }
    }
}

#[test]
fn nothing_is_left_of_what_is_removed_for_good() {
    with_each_seed(100, remark_while_it_is_removed);
}

/// Listeners of a signal that are more than a few, so that they hear it in units of work that follow.
const MANY: usize = 120;

/// A crowd that listens, begun by one command, and who throws the signal.
fn crowd() -> String {
    let listener = process(
        "listener",
        r#"
        <startEvent id="listener_start"/>
        <userTask id="stay"/>"#,
    );
    let when = r#"<subProcess id="when" triggeredByEvent="true">
        <startEvent id="heard" isInterrupting="false"><signalEventDefinition signalRef="alarm"/></startEvent>
        <userTask id="leave"/>
        <sequenceFlow id="told" sourceRef="heard" targetRef="leave"/></subProcess>"#;
    let listener = listener.replace("</process>", &format!("{when}</process>"));
    let crowd = format!(
        r#"<process id="crowd" isExecutable="true"><startEvent id="crowd_start"/>
        <callActivity id="call" calledElement="listener"><multiInstanceLoopCharacteristics>
            <loopCardinality>{MANY}</loopCardinality></multiInstanceLoopCharacteristics></callActivity>
        <sequenceFlow id="crowd_flow" sourceRef="crowd_start" targetRef="call"/></process>"#
    );
    let begun = process(
        "begun",
        r#"
        <startEvent id="alarmed"><signalEventDefinition signalRef="alarm"/></startEvent>
        <userTask id="rescue"/>"#,
    );
    let thrower = process(
        "thrower",
        r#"
        <startEvent id="thrower_start"/>
        <endEvent id="shout"><signalEventDefinition signalRef="alarm"/></endEvent>"#,
    );
    file(&[r#"<signal id="alarm" name="alarm"/>"#, &listener, &crowd, &begun, &thrower].concat())
}

/// Nodes die while a signal is on its way to many.
async fn die_while_a_signal_is_on_its_way(seed: u64) {
    let simulation = Simulation::new(seed, Faults::some(), morning());
    let start = async |number: u64, store, now| {
        let builder = Engine::builder().store(store).seed(seed * 1000 + number).clock(Clock::standing_at(now));
        builder.job_execution(false).start().await
    };
    // Its clock is ahead of the others'.
    let ahead = start(0, simulation.witness(), at("2026-01-05T09:00:03Z")).await.unwrap();
    ahead.deployment().file("crowd.bpmn", crowd()).send().await.unwrap();
    ahead.start("crowd").send().await.unwrap();
    for number in 1..=3 {
        let Ok(node) = start(number, simulation.node(), morning()).await else { continue };
        let work = async {
            // Whether it has become durable is seen in the end.
            let _ = node.start("thrower").send().await;
            while let Ok(1..) | Err(_) = node.execute_due().await {}
        };
        let dies = async {
            for _ in 0..simulation.random(3000) {
                tokio::task::yield_now().await;
            }
        };
        tokio::select! { () = work => {}, () = dies => {} }
        drop(node);
        simulation.advance(60_000_000);
    }
    // What the dead had taken is free again.
    ahead.clock().advance(at("2026-01-05T10:00:00Z"));
    ahead.execute_due().await.unwrap();
    let throwers = InstanceQuery { processes: vec!["thrower".into()], ..InstanceQuery::default() };
    let thrown = usize::try_from(ahead.count(&throwers).await.unwrap()).unwrap();
    let mut heard: BTreeMap<InstanceId, usize> = BTreeMap::new();
    for task in ahead.tasks().node("leave").list().await.unwrap() {
        *heard.entry(task.instance_id()).or_default() += 1;
    }
    assert_eq!(heard.len(), if thrown > 0 { MANY } else { 0 }, "somebody does not hear it");
    assert!(heard.values().all(|times| *times == thrown), "thrown {thrown} times, heard {heard:?}");
    assert_eq!(ahead.tasks().node("rescue").count().await.unwrap(), thrown as u64);
    let findings = ahead.examine().await.unwrap();
    assert!(findings.is_empty(), "the database is not as the log says: {findings:#?}");
}

#[test]
fn a_signal_on_its_way_to_many_is_heard_once_by_each() {
    with_each_seed(20, die_while_a_signal_is_on_its_way);
}
