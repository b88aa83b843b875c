//! A whole program with the engine inside: `cargo run -p potok-examples --example embed`.
//!
//! Run it again, and it goes on with the same file, `orders.db`.

use potok::{Engine, Error, Job, JobError};
use potok_examples::ORDER;
use serde_json::json;

#[tokio::main]
async fn main() -> Result<(), Error> {
    let engine = Engine::builder()
        .sqlite("orders.db")
        .handler("send-letter", |job: Job| async move {
            println!("  a letter goes to {}", job.variable("client"));
            // The job's id stays the same if it is handed out again, so that a mail server can tell.
            Ok::<_, JobError>(json!({"letter": job.id().to_string()}))
        })
        .start()
        .await?;
    engine.deployment().file("order.bpmn", ORDER).send().await?;

    let case =
        engine.start("order").business_key("C-17").variables(json!({"client": "Anna", "amount": 120})).send().await?;
    println!("order {} has begun", case.id());

    for task in engine.tasks().candidate_group("sales").list().await? {
        println!("boris does \"{}\"", task.name.as_deref().unwrap_or_default());
        engine.claim(task.id(), "boris").await?;
        engine.complete(task.id(), json!({"approved": true})).await?;
    }

    let ended = engine.instance(case.id()).ended().await?;
    println!("order {} is {:?}", ended.id(), ended.state);
    for entry in engine.instance(case.id()).history(0, 100).await? {
        println!("  row {} at {}: {} events", entry.seq, entry.time, entry.events.list.len());
    }
    engine.stop().await;
    Ok(())
}
