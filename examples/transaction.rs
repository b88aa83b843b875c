//! The program's own rows and the engine's work in one transaction: both are durable, or neither.
//! `cargo run -p potok-examples --example transaction`

use potok::Engine;
use potok::sqlx;
use potok_examples::ORDER;

type Failure = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let engine = Engine::builder().sqlite_in_memory().start().await?;
    engine.deployment().file("order.bpmn", ORDER).send().await?;

    // Both.
    let transaction = engine.transaction().await?;
    {
        let mut connection = transaction.connection().await?;
        let database = connection.sqlite().ok_or("the engine is on SQLite")?;
        sqlx::query("CREATE TABLE orders (number TEXT, instance TEXT)").execute(database).await?;
    }
    let case = transaction.engine().start("order").business_key("C-17").send().await?;
    {
        let mut connection = transaction.connection().await?;
        let database = connection.sqlite().ok_or("the engine is on SQLite")?;
        let insert = sqlx::query("INSERT INTO orders VALUES (?, ?)").bind("C-17").bind(case.id().to_string());
        insert.execute(database).await?;
    }
    transaction.commit().await?;
    println!("committed: {} open task(s)", engine.tasks().instance(case.id()).count().await?);

    // Neither: a transaction that is dropped is undone.
    let transaction = engine.transaction().await?;
    transaction.engine().start("order").business_key("C-18").send().await?;
    drop(transaction);
    println!("undone: {} open task(s) in all", engine.tasks().count().await?);
    engine.stop().await;
    Ok(())
}
