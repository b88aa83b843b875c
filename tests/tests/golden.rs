//! Databases that released versions have written: each later version opens them, finds nothing wrong, and goes on with them.
//!
//! `cargo test -p potok-tests --test golden -- --ignored` writes that of this version, once, before it is released.

use std::path::{Path, PathBuf};
use std::time::Duration;

use potok::query::{IncidentQuery, InstanceQuery};
use potok::row::{Group, InstanceState, User};
use potok::{Clock, DueQuery, Engine, Error, IncidentId, InstanceId, JobFailure};
use potok_core::time::Timestamp;
use serde_json::{Value as Json, json};

const MINUTE: Duration = Duration::from_secs(60);

fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("golden")
}

fn morning() -> Timestamp {
    "2026-01-05T09:00:00Z".parse().expect("a time")
}

/// An engine on a database, where time stands and nothing happens by itself.
async fn engine(path: &Path, now: Timestamp) -> Engine {
    let builder = Engine::builder().sqlite(path).clock(Clock::standing_at(now)).job_execution(false);
    builder.start().await.expect("the database opens")
}

/// What waits in an instance, by flow node and kind, and its variables.
async fn facts(engine: &Engine, instance: InstanceId) -> Result<Json, Error> {
    let case = engine.instance(instance);
    let (row, state) = (case.get().await?, case.state().await?);
    let graph = engine.graph(row.definition_id()).await?.expect("the definition is deployed");
    let mut waits: Vec<String> =
        state.waits().map(|wait| format!("{} at {}", wait.kind.word(), graph.node(wait.node).id)).collect();
    waits.sort();
    let variables: serde_json::Map<_, _> = case
        .variables()
        .await?
        .into_iter()
        .map(|(name, value)| (name.to_string(), serde_json::to_value(value).expect("a value can be written down")))
        .collect();
    let history = case.history(0, 10_000).await?.len();
    Ok(json!({
        "process": &*row.process,
        "businessKey": row.business_key.as_deref(),
        "state": format!("{:?}", row.state),
        "suspended": row.suspended,
        "waits": waits,
        "variables": variables,
        "history": history,
    }))
}

async fn all_facts(engine: &Engine) -> Result<Json, Error> {
    let mut all = Vec::new();
    for instance in engine.instances(&InstanceQuery::default()).await? {
        all.push(facts(engine, instance.id()).await?);
    }
    Ok(Json::Array(all))
}

#[tokio::test]
#[ignore = "writes the database of this version, which is kept from then on"]
async fn write_that_of_this_version() -> Result<(), Error> {
    let path = golden().join(concat!(env!("CARGO_PKG_VERSION"), ".db"));
    assert!(!path.exists(), "{} is kept as it is", path.display());
    let engine = engine(&path, morning()).await;
    engine.deploy_path(golden().join("everything.bpmn")).await?;
    let variables = json!({
        "clients": ["Anna", "Boris"], "total": 5, "nothing": null, "rate": 0.25, "urgent": true, "nested": {"a": [1, {"b": null}]},
        "text": "поток", "long": "x".repeat(2000),
    });
    for key in ["waits", "suspended", "goes on", "ended"] {
        engine.start("everything").business_key(key).variables(variables.clone()).send().await?;
    }
    let of = async |key: &str| {
        let query = InstanceQuery { business_key: Some(key.into()), ..InstanceQuery::default() };
        Ok::<_, Error>(engine.instances(&query).await?.remove(0).id())
    };
    engine.people().put_user(User { id: "anna".into(), ..User::default() }).await?;
    engine.people().put_group(Group { id: "sales".into(), ..Group::default() }).await?;
    engine.people().add_member("sales", "anna").await?;
    for task in engine.tasks().instance(of("goes on").await?).node("approve").list().await? {
        engine.claim(task.id(), "anna").await?;
        engine.comment(task.id(), "seen").await?;
    }
    for task in engine.tasks().node("book_hotel").list().await? {
        engine.complete(task.id(), json!({"hotel": "Moskva"})).await?;
    }
    let failure = JobFailure { message: "no connection".into(), retries: Some(0), ..JobFailure::default() };
    for job in engine.fetch_jobs("worker", &["bill".into()], 10, MINUTE, Duration::ZERO).await? {
        engine.fail_job(&job, &failure).await?;
    }
    engine
        .message("answer")
        .business_key("nobody yet")
        .time_to_live(Duration::from_secs(10 * 365 * 24 * 3600))
        .send()
        .await?;
    engine.instance(of("suspended").await?).suspend().await?;
    engine.instance(of("ended").await?).cancel("not needed").await?;
    let facts = all_facts(&engine).await?;
    assert_eq!(engine.examine().await?, []);
    engine.stop().await;
    std::fs::remove_file(path.with_extension("db.lock")).expect("nobody has it open");
    let text = serde_json::to_string_pretty(&facts).expect("facts can be written down");
    std::fs::write(path.with_extension("json"), text + "\n").expect("the facts are written");
    Ok(())
}

#[tokio::test]
async fn what_a_released_version_wrote_goes_on() -> Result<(), Error> {
    let files = std::fs::read_dir(golden()).expect("the folder").map(|file| file.expect("a file").path());
    let databases: Vec<_> = files.filter(|path| path.extension().is_some_and(|end| end == "db")).collect();
    assert!(!databases.is_empty(), "no database is kept");
    for path in databases {
        let copy = std::env::temp_dir().join(format!(
            "potok-golden-{}-{}",
            std::process::id(),
            path.file_name().unwrap_or_default().display()
        ));
        std::fs::copy(&path, &copy).expect("a copy");
        let engine = engine(&copy, morning()).await;
        let expected = std::fs::read(path.with_extension("json")).expect("its facts");
        let expected: Json = serde_json::from_slice(&expected).expect("facts");
        assert_eq!(all_facts(&engine).await?, expected, "{} is read otherwise", path.display());
        assert_eq!(engine.examine().await?, [], "{}", path.display());
        end_all(&engine).await?;
        assert_eq!(engine.examine().await?, [], "{} once all has ended", path.display());
        engine.stop().await;
        std::fs::remove_file(&copy).expect("the copy can be removed");
    }
    Ok(())
}

/// Does whatever waits, until every instance has ended.
async fn end_all(engine: &Engine) -> Result<(), Error> {
    for instance in engine.instances(&InstanceQuery::default()).await? {
        if instance.is_active() {
            if instance.suspended {
                engine.instance(instance.id()).resume().await?;
            }
            engine.instance(instance.id()).set_variables(json!({"missing": 1, "total": 50})).await?;
        }
    }
    engine.signal("alarm", ()).await?;
    engine.clock().advance("2026-01-06T10:00:00Z".parse().expect("a time"));
    let open = InstanceQuery { states: vec![InstanceState::Active], ..InstanceQuery::default() };
    for _ in 0..100 {
        for due in engine.due(&DueQuery::default()).await? {
            engine.execute(&due).await?;
        }
        let incidents = engine.incidents(&IncidentQuery::default()).await?;
        for incident in incidents.iter().filter(|incident| incident.resolved.is_none()) {
            engine.resolve_incident(IncidentId(incident.key)).await?;
        }
        for job in engine.fetch_jobs("worker", &["ship".into(), "bill".into()], 10, MINUTE, Duration::ZERO).await? {
            engine.complete_job(&job, ()).await?;
        }
        for task in engine.tasks().list().await? {
            engine.complete(task.id(), ()).await?;
        }
        let instances = engine.instances(&open).await?;
        if instances.is_empty() {
            return Ok(());
        }
        for instance in instances {
            if let Some(key) = &instance.business_key {
                engine.message("answer").business_key(key.clone()).send().await?;
            }
        }
    }
    panic!("the instances do not come to their end");
}
