//! Two engines on one PostgreSQL share the work, and none is done twice:
//! `DATABASE_URL=postgres://user@host/database cargo run -p potok-examples --example two_nodes`

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use potok::{Engine, Job};
use potok_examples::ORDER;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Orders that are worked off.
const ORDERS: u32 = 50;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let url = std::env::var("DATABASE_URL").map_err(|_| "set DATABASE_URL to a PostgreSQL database")?;
    let letters = [Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0))];
    let mut nodes = Vec::new();
    for (number, letters) in letters.iter().enumerate() {
        let letters = letters.clone();
        let node =
            Engine::builder().postgres(&url).name(format!("node-{number}")).handler("send-letter", move |_: Job| {
                letters.fetch_add(1, Ordering::SeqCst);
                async {}
            });
        nodes.push(node.start().await?);
    }
    let [first, second] = nodes.as_slice() else { return Err("two nodes".into()) };
    first.deployment().file("order.bpmn", ORDER).send().await?;

    let mut cases = Vec::new();
    for _ in 0..ORDERS {
        cases.push(first.start("order").send().await?.id());
    }
    // Both try to complete every task: each is completed once.
    let complete_all = |node: Engine| async move {
        let mut done = 0;
        for task in node.tasks().process("order").list().await? {
            match node.complete(task.id(), ()).await {
                Ok(()) => done += 1,
                Err(potok::Error::UnknownTask(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok::<u32, potok::Error>(done)
    };
    let (one, two) = tokio::try_join!(complete_all(first.clone()), complete_all(second.clone()))?;
    println!("tasks completed: {one} by the first node, {two} by the second, {} in all", one + two);
    for case in cases {
        second.instance(case).ended().await?;
    }
    let sent: Vec<u32> = letters.iter().map(|letters| letters.load(Ordering::SeqCst)).collect();
    println!("letters sent: {} by the first node, {} by the second", sent[0], sent[1]);
    for node in nodes {
        node.stop().await;
    }
    Ok(())
}
