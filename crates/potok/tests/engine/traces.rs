//! Traces: what belongs together of what several programs do goes on in instances, jobs and what comes of them.

use std::time::Duration;

use potok::{Engine, InstanceId, TraceContext};

use crate::database::{Place, stop};
use crate::model::row;

crate::on_every_database!(
    a_trace_goes_from_the_start_through_jobs,
    what_the_engine_does_by_itself_goes_on_in_the_trace,
    a_trace_that_is_only_offered_begins_where_there_is_none,
);

const MINUTE: Duration = Duration::from_secs(60);

fn trace(number: u64) -> TraceContext {
    TraceContext::new(u128::from(number) << 64 | 1, number, true).unwrap()
}

fn letters() -> String {
    row(
        "letters",
        r#"
        <startEvent id="start"/>
        <serviceTask id="write" potok:job="write"/>
        <serviceTask id="send" potok:job="send"/>
        <endEvent id="end"/>"#,
    )
}

/// The traces of an instance's history.
async fn traces(engine: &Engine, instance: InstanceId) -> Vec<Option<TraceContext>> {
    let rows = engine.instance(instance).history(0, 100).await.unwrap();
    rows.into_iter().map(|entry| entry.envelope.trace).collect()
}

async fn job(engine: &Engine, topic: &str) -> potok::Job {
    engine.fetch_jobs("w", &[topic.into()], 1, MINUTE, Duration::ZERO).await.unwrap().pop().unwrap()
}

async fn a_trace_goes_from_the_start_through_jobs(place: Place) {
    let engine = place.with(&[("letters.bpmn", &letters())]).await;
    let case = engine.traced(trace(1)).start("letters").send().await.unwrap();
    let write = job(&engine, "write").await;
    assert_eq!(write.trace(), Some(trace(1)));
    // A worker that says nothing of traces goes on in the job's.
    engine.complete_job(&write, ()).await.unwrap();
    let send = job(&engine, "send").await;
    assert_eq!(send.trace(), Some(trace(1)));
    // One that does has a span of its own in it.
    engine.traced(trace(2)).complete_job(&send, ()).await.unwrap();
    assert_eq!(traces(&engine, case.id()).await, [Some(trace(1)), Some(trace(1)), Some(trace(2))]);
    stop(&engine).await;
}

async fn what_the_engine_does_by_itself_goes_on_in_the_trace(place: Place) {
    let model = row(
        "later",
        r#"
        <startEvent id="start"/>
        <intermediateCatchEvent id="wait"><timerEventDefinition><timeDuration>PT1H</timeDuration></timerEventDefinition></intermediateCatchEvent>
        <serviceTask id="send" potok:job="send"/>
        <endEvent id="end"/>"#,
    );
    let engine = place.with(&[("later.bpmn", &model)]).await;
    let case = engine.traced(trace(3)).start("later").send().await.unwrap();
    engine.stop().await;
    // Another engine reads it from the database.
    let engine = place.by_hand().await;
    engine.clock().advance(engine.clock().now() + Duration::from_secs(3600));
    engine.execute_due().await.unwrap();
    assert_eq!(job(&engine, "send").await.trace(), Some(trace(3)));
    assert_eq!(traces(&engine, case.id()).await, [Some(trace(3)), Some(trace(3))]);
    stop(&engine).await;
}

async fn a_trace_that_is_only_offered_begins_where_there_is_none(place: Place) {
    let engine = place.with(&[("letters.bpmn", &letters())]).await;
    let case = engine.or_traced(trace(4)).start("letters").send().await.unwrap();
    let write = job(&engine, "write").await;
    assert_eq!(write.trace(), Some(trace(4)));
    engine.or_traced(trace(5)).complete_job(&write, ()).await.unwrap();
    assert_eq!(job(&engine, "send").await.trace(), Some(trace(4)));
    assert_eq!(traces(&engine, case.id()).await, [Some(trace(4)), Some(trace(4))]);
    let untraced = engine.start("letters").send().await.unwrap();
    assert_eq!(traces(&engine, untraced.id()).await, [None]);
    stop(&engine).await;
}
