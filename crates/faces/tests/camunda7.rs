//! Conversations that were held with a real Camunda 7.24, held with this: it must say the same. See tests/faces/README.md.

#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod conversation;

use conversation::{differences, hold};

/// Holds all conversations of a file; says where they differ.
async fn agrees(name: &str) {
    let mut wrong = Vec::new();
    let conversations = conversation::read("camunda7", name);
    for (title, steps, facts) in &conversations {
        let engine = potok::Engine::builder().sqlite_in_memory().job_execution(false).start().await.unwrap();
        // Whoever talks of people makes some, and from then on everybody signs in, which nobody did when that was recorded.
        let router = if matches!(name, "people" | "tenant") {
            axum::Router::new().nest("/engine-rest", potok_faces::camunda7::router(engine.clone()))
        } else {
            conversation::served(&engine)
        };
        let said = hold(&router, "/engine-rest", steps).await;
        engine.stop().await;
        let differs = differences(steps, facts, &said);
        if !differs.is_empty() {
            wrong.push(format!("== {title}\n{differs}"));
        }
    }
    println!("{name}: {} of {} conversations agree", conversations.len() - wrong.len(), conversations.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

macro_rules! conversations {
    ($($name:ident),* $(,)?) => {
        $(#[tokio::test]
        async fn $name() {
            agrees(stringify!($name)).await;
        })*
    };
}

conversations!(
    attachment,
    batch,
    beside,
    condition,
    decision,
    deployment,
    dialect,
    external_task,
    filter,
    form,
    history,
    job,
    job_definition,
    kept,
    left,
    log,
    message,
    more,
    narrow,
    operate,
    people,
    process_instance,
    submit,
    task,
    tenant,
    typed,
    variables
);
