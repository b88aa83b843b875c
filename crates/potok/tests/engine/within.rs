//! Handlers within the unit of work that completes their jobs.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use potok::query::{IncidentQuery, InstanceQuery, JobQuery};
use potok::row::{InstanceState, Resource};
use potok::{Clock, Engine, Job, JobError, Transaction, sqlx};
use potok_store::{Outcome, Patience, Unit};
use serde_json::json;

use crate::database::{Place, deploy, morning, stop};
use crate::model::{process, row};

crate::on_every_database!(
    what_it_writes_is_durable_with_its_job,
    what_has_failed_is_undone_and_tried_again,
    one_that_panics_has_failed,
    what_it_gives_that_is_refused_is_a_failure,
    an_error_that_is_caught_keeps_what_was_written,
    what_takes_its_own_job_away_is_undone,
    a_transaction_that_is_kept_is_undone,
    jobs_of_many_instances_are_done_once,
    what_is_compiled_outside_is_not_compiled_anew,
);

/// A process with a job, and another that its handler starts.
fn sale() -> String {
    let sale = row(
        "sale",
        r#"
        <startEvent id="start"/>
        <serviceTask id="book" potok:job="book" potok:retries="2"/>
        <userTask id="thank"/>
        <endEvent id="end"/>"#,
    );
    let refused = r#"<error id="e" errorCode="refused"/>"#;
    let caught = r#"<boundaryEvent id="refused" attachedToRef="book"><errorEventDefinition errorRef="e"/></boundaryEvent>
        <userTask id="regret"/><sequenceFlow id="on" sourceRef="refused" targetRef="regret"/></process>"#;
    let booking = process(
        "booking",
        r#"
        <startEvent id="begun"/>
        <userTask id="check"/>
        <endEvent id="checked"/>"#,
    );
    sale.replacen("<process", &format!("{refused}<process"), 1)
        .replace("</process>", caught)
        .replace("</definitions>", &format!("{booking}</definitions>"))
}

/// Starts a booking, and writes a row of the program's own where there is SQL.
async fn book(job: &Job, transaction: &Transaction) -> Result<(), potok::Error> {
    transaction.engine().start("booking").business_key(job.id().to_string()).send().await?;
    let mut connection = transaction.connection().await?;
    let insert = format!("INSERT INTO bookings VALUES ('{}')", job.id());
    let sql = || sqlx::raw_sql(sqlx::AssertSqlSafe(insert.clone()));
    if let Some(sqlite) = connection.sqlite() {
        sql().execute(sqlite).await.unwrap();
    } else if let Some(postgres) = connection.postgres() {
        sql().execute(postgres).await.unwrap();
    }
    Ok(())
}

/// The rows of the program's own; what was booked, where there is no SQL.
async fn booked(engine: &Engine) -> i64 {
    let begun = engine.transaction().await.unwrap();
    let mut connection = begun.connection().await.unwrap();
    let sql = "SELECT CAST(count(*) AS BIGINT) FROM bookings";
    if let Some(sqlite) = connection.sqlite() {
        return sqlx::query_scalar(sql).fetch_one(sqlite).await.unwrap();
    }
    if let Some(postgres) = connection.postgres() {
        return sqlx::query_scalar(sql).fetch_one(postgres).await.unwrap();
    }
    drop((connection, begun));
    i64::try_from(bookings(engine).await).unwrap()
}

async fn bookings(engine: &Engine) -> usize {
    let query = InstanceQuery { processes: vec!["booking".into()], ..InstanceQuery::default() };
    engine.instances(&query).await.unwrap().len()
}

/// An engine that does nothing by itself, whose handler does that after it has booked.
async fn with<F, R>(place: &Place, then: F) -> Engine
where
    F: Fn(Job, Arc<Transaction>) -> R + Send + Sync + Clone + 'static,
    R: Future<Output = Result<serde_json::Value, JobError>> + Send + 'static,
{
    let handler = move |job: Job, transaction: Arc<Transaction>| {
        let then = then.clone();
        async move {
            book(&job, &transaction).await?;
            then(job, transaction).await
        }
    };
    let builder = place.builder().clock(Clock::standing_at(morning())).job_execution(false);
    let engine = builder.variable_limit(1000).handler_in_transaction("book", handler).start().await.unwrap();
    deploy(&engine, &[("sale.bpmn", &sale())]).await;
    let begun = engine.transaction().await.unwrap();
    let mut connection = begun.connection().await.unwrap();
    let table = "CREATE TABLE bookings (job TEXT)";
    if let Some(sqlite) = connection.sqlite() {
        sqlx::raw_sql(table).execute(sqlite).await.unwrap();
    } else if let Some(postgres) = connection.postgres() {
        sqlx::raw_sql(table).execute(postgres).await.unwrap();
    }
    drop(connection);
    begun.commit().await.unwrap();
    engine
}

/// It has failed with that message, nothing of it is left, and the second time is the last.
async fn fails(engine: &Engine, message: &str) {
    engine.start("sale").send().await.unwrap();
    for left in [1, 0] {
        engine.execute_due().await.unwrap();
        let job = engine.jobs(&JobQuery::default()).await.unwrap().remove(0);
        let error = job.error.clone().unwrap_or_default();
        assert!(error.contains(message), "{error}");
        assert_eq!((job.retries, job.lease), (left, 0));
        assert_eq!((booked(engine).await, bookings(engine).await), (0, 0));
        engine.clock().advance(engine.clock().now() + Duration::from_secs(60));
    }
    assert_eq!(engine.execute_due().await.unwrap(), 0);
    let incidents = engine.incidents(&IncidentQuery::default()).await.unwrap();
    assert_eq!((incidents.len(), &*incidents[0].code), (1, "job-failed"));
    assert_eq!(engine.tasks().count().await.unwrap(), 0);
}

async fn what_it_writes_is_durable_with_its_job(place: Place) {
    let engine = with(&place, async |job: Job, _| Ok(json!({"booked": job.id().to_string()}))).await;
    let case = engine.start("sale").send().await.unwrap();
    engine.execute_due().await.unwrap();
    assert_eq!(engine.tasks().node("thank").count().await.unwrap(), 1);
    assert!(engine.instance(case.id()).variable("booked").await.unwrap().is_some());
    assert_eq!((booked(&engine).await, bookings(&engine).await), (1, 1));
    // The engine goes on with what the transaction has left.
    for task in engine.tasks().list().await.unwrap() {
        engine.complete(task.id(), ()).await.unwrap();
    }
    let running = InstanceQuery { states: vec![InstanceState::Active], ..InstanceQuery::default() };
    assert_eq!(engine.instances(&running).await.unwrap(), []);
    stop(&engine).await;
}

async fn what_has_failed_is_undone_and_tried_again(place: Place) {
    let tries = Arc::new(AtomicU32::new(0));
    let tried = tries.clone();
    let engine = with(&place, move |_, _| {
        let first = tried.fetch_add(1, Ordering::SeqCst) == 0;
        async move { if first { Err(JobError::failed("no ink")) } else { Ok(json!({})) } }
    })
    .await;
    engine.start("sale").send().await.unwrap();
    engine.execute_due().await.unwrap();
    let job = engine.jobs(&JobQuery::default()).await.unwrap().remove(0);
    assert_eq!((job.retries, job.error.as_deref(), job.lease), (1, Some("no ink"), 0));
    assert_eq!((booked(&engine).await, bookings(&engine).await), (0, 0));
    assert_eq!(engine.execute_due().await.unwrap(), 0, "not before the pause is over");
    engine.clock().advance(morning() + Duration::from_secs(60));
    engine.execute_due().await.unwrap();
    assert_eq!((booked(&engine).await, bookings(&engine).await), (1, 1));
    assert_eq!(engine.tasks().node("thank").count().await.unwrap(), 1);
    assert_eq!(tries.load(Ordering::SeqCst), 2);
    stop(&engine).await;
}

async fn one_that_panics_has_failed(place: Place) {
    let engine = with(&place, async |_, _| panic!("out of paper")).await;
    fails(&engine, "the handler panicked: out of paper").await;
    stop(&engine).await;
}

async fn what_it_gives_that_is_refused_is_a_failure(place: Place) {
    let engine = with(&place, async |_, _| Ok(json!({"big": "x".repeat(2000)}))).await;
    fails(&engine, "big").await;
    stop(&engine).await;
}

async fn an_error_that_is_caught_keeps_what_was_written(place: Place) {
    let engine = with(&place, async |_, _| Err(JobError::bpmn("refused"))).await;
    engine.start("sale").send().await.unwrap();
    engine.execute_due().await.unwrap();
    assert_eq!(engine.tasks().node("regret").count().await.unwrap(), 1);
    assert_eq!((booked(&engine).await, bookings(&engine).await), (1, 1));
    stop(&engine).await;
}

async fn what_takes_its_own_job_away_is_undone(place: Place) {
    let cancels = async |job: Job, transaction: Arc<Transaction>| {
        transaction.engine().instance(job.instance_id()).cancel("not wanted").await?;
        Ok(json!({}))
    };
    let engine = with(&place, cancels).await;
    fails(&engine, "job").await;
    stop(&engine).await;
}

async fn a_transaction_that_is_kept_is_undone(place: Place) {
    let kept = Arc::new(std::sync::Mutex::new(None));
    let keep = kept.clone();
    let engine = with(&place, move |_, transaction: Arc<Transaction>| {
        let keep = keep.clone();
        async move {
            // In the hands of something that lets go of it when the handler has ended.
            *keep.lock().unwrap() = Some(transaction);
            tokio::spawn(async move {
                while Arc::strong_count(keep.lock().unwrap().as_ref().unwrap()) > 1 {
                    tokio::task::yield_now().await;
                }
                keep.lock().unwrap().take();
            });
            Ok(json!({}))
        }
    })
    .await;
    fails(&engine, "has kept its transaction").await;
    stop(&engine).await;
}

async fn jobs_of_many_instances_are_done_once(place: Place) {
    let engine = with(&place, async |_, _| Ok(json!({}))).await;
    let database =
        place.builder().handler_in_transaction("book", |job: Job, transaction: Arc<Transaction>| async move {
            book(&job, &transaction).await
        });
    for _ in 0..20 {
        engine.start("sale").send().await.unwrap();
    }
    engine.stop().await;
    let engine = database.start().await.unwrap();
    let done = async {
        while engine.tasks().node("thank").count().await.unwrap() < 20 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), done).await.unwrap();
    assert_eq!((booked(&engine).await, bookings(&engine).await), (20, 20));
    stop(&engine).await;
}

async fn what_is_compiled_outside_is_not_compiled_anew(place: Place) {
    let model = row(
        "order",
        r#"
        <startEvent id="start"/>
        <serviceTask id="sum" potok:job="sum"/>
        <businessRuleTask id="rate" potok:decision="discount" potok:resultVariable="discount"/>
        <userTask id="thank"/>
        <endEvent id="end"/>"#,
    );
    let decision = r#"<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="d" name="Discounts" namespace="shop">
        <decision id="discount" name="Discount"><literalExpression><text>amount / 20</text></literalExpression></decision></definitions>"#;
    let sum = async |_: Job, _: Arc<Transaction>| Ok::<_, JobError>(json!({"amount": 100}));
    let builder = place.builder().clock(Clock::standing_at(morning())).job_execution(false);
    let engine = builder.handler_in_transaction("sum", sum).start().await.unwrap();
    let deployed = deploy(&engine, &[("order.bpmn", &model), ("discount.dmn", decision)]).await;
    let case = engine.start("order").send().await.unwrap();
    // Whoever read the files now would find none.
    let mut unit = Unit { id: 7, ..Unit::default() };
    for file in ["order.bpmn", "discount.dmn"] {
        unit.changes.remove::<Resource>((deployed.id.unwrap().0, file.into()));
    }
    assert_eq!(engine.store().commit(&[unit], Patience::Wait).await.unwrap(), [Outcome::Committed]);
    engine.execute_due().await.unwrap();
    assert_eq!(engine.incidents(&IncidentQuery::default()).await.unwrap(), []);
    assert_eq!(engine.tasks().node("thank").count().await.unwrap(), 1);
    assert_eq!(engine.instance(case.id()).variable("discount").await.unwrap().unwrap().as_f64(), Some(5.0));
    stop(&engine).await;
}
