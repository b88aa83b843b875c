//! A table of the program's own, written in one transaction with the engine's work.

use potok::sqlx::{self, AssertSqlSafe};
use potok::{Engine, Error, StoreError, TaskId, Transaction};

const CREATE: &str = "CREATE TABLE IF NOT EXISTS ledger (task BIGINT NOT NULL)";

/// Makes the table, if it is not there.
pub(crate) async fn create(engine: &Engine) -> Result<(), Error> {
    let transaction = engine.transaction().await?;
    execute(&transaction, CREATE.into()).await?;
    transaction.commit().await
}

/// Completes a task and enters it, both or neither.
pub(crate) async fn complete(engine: &Engine, task: TaskId) -> Result<(), Error> {
    let transaction = engine.transaction().await?;
    transaction.engine().complete(task, ()).await?;
    execute(&transaction, format!("INSERT INTO ledger VALUES ({task})")).await?;
    transaction.commit().await
}

/// The tasks that were entered, in order.
pub(crate) async fn tasks(engine: &Engine) -> Vec<TaskId> {
    let transaction = engine.transaction().await.expect("a transaction");
    let mut connection = transaction.connection().await.expect("its connection");
    let sql = "SELECT task FROM ledger ORDER BY task";
    let rows: Result<Vec<i64>, _> = if let Some(sqlite) = connection.sqlite() {
        sqlx::query_scalar(sql).fetch_all(sqlite).await
    } else {
        sqlx::query_scalar(sql).fetch_all(connection.postgres().expect("a database")).await
    };
    rows.expect("the ledger").into_iter().map(|task| TaskId(potok_core::instance::Key(task.cast_unsigned()))).collect()
}

async fn execute(transaction: &Transaction, sql: String) -> Result<(), Error> {
    let mut connection = transaction.connection().await?;
    let done = if let Some(sqlite) = connection.sqlite() {
        sqlx::query(AssertSqlSafe(sql)).execute(sqlite).await.map(drop)
    } else if let Some(postgres) = connection.postgres() {
        sqlx::query(AssertSqlSafe(sql)).execute(postgres).await.map(drop)
    } else {
        Ok(())
    };
    done.map_err(|error| StoreError::from(error).into())
}
