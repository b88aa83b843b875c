//! A table of the program's own, written in one transaction with the engine's work.

use potok::sqlx::{self, AssertSqlSafe};
use potok::{Engine, Error, JobId, StoreError, TaskId, Transaction};
use potok_core::instance::Key;

const CREATE: [&str; 2] = [
    "CREATE TABLE IF NOT EXISTS ledger (task BIGINT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS bookings (job BIGINT NOT NULL)",
];

/// Makes the tables, if they are not there.
pub(crate) async fn create(engine: &Engine) -> Result<(), Error> {
    let transaction = engine.transaction().await?;
    for table in CREATE {
        execute(&transaction, table.into()).await?;
    }
    transaction.commit().await
}

/// Books within a job's transaction.
pub(crate) async fn book(transaction: &Transaction, job: JobId) -> Result<(), Error> {
    execute(transaction, format!("INSERT INTO bookings VALUES ({job})")).await
}

/// The jobs that were booked, in order.
pub(crate) async fn booked(engine: &Engine) -> Vec<JobId> {
    keys(engine, "SELECT job FROM bookings ORDER BY job").await.into_iter().map(JobId).collect()
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
    keys(engine, "SELECT task FROM ledger ORDER BY task").await.into_iter().map(TaskId).collect()
}

async fn keys(engine: &Engine, sql: &'static str) -> Vec<Key> {
    let transaction = engine.transaction().await.expect("a transaction");
    let mut connection = transaction.connection().await.expect("its connection");
    let rows: Result<Vec<i64>, _> = if let Some(sqlite) = connection.sqlite() {
        sqlx::query_scalar(sql).fetch_all(sqlite).await
    } else {
        sqlx::query_scalar(sql).fetch_all(connection.postgres().expect("a database")).await
    };
    rows.expect("the ledger").into_iter().map(|key| Key(key.cast_unsigned())).collect()
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
