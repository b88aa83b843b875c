//! A handler that fails, is tried again with a pause, runs out of tries and becomes an incident, which somebody resolves.
//! `cargo run -p potok-examples --example retry`

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use potok::query::IncidentQuery;
use potok::{Engine, Error, IncidentId, Job, JobError, JobFailure};
use potok_examples::ORDER;
use serde_json::json;

#[tokio::main]
async fn main() -> Result<(), Error> {
    let printer_works = Arc::new(AtomicBool::new(false));
    let printer = printer_works.clone();
    let engine = Engine::builder()
        .handler("send-letter", move |job: Job| {
            let works = printer.load(Ordering::SeqCst);
            async move {
                if works {
                    return Ok(json!({"sent": true}));
                }
                println!("  the printer does not answer; tries left: {}", job.retries - 1);
                let pause = Some(Duration::from_millis(100));
                Err(JobError::Failed(JobFailure {
                    message: "no printer".into(),
                    retries: None,
                    pause,
                    ..JobFailure::default()
                }))
            }
        })
        .start()
        .await?;
    engine.deployment().file("order.bpmn", ORDER).send().await?;
    let case = engine.start("order").send().await?;
    for task in engine.tasks().list().await? {
        engine.complete(task.id(), ()).await?;
    }

    let incident = loop {
        if let Some(incident) = engine.incidents(&IncidentQuery::default()).await?.pop() {
            break incident;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    println!("incident `{}` at `{}`: {}", incident.code, incident.node, incident.message);

    printer_works.store(true, Ordering::SeqCst);
    println!("the printer is mended");
    engine.resolve_incident(IncidentId(incident.key)).await?;
    let ended = engine.instance(case.id()).ended().await?;
    println!("the order is {:?}", ended.state);
    engine.stop().await;
    Ok(())
}
