//! What only a file can do.

use potok_store::{Store, StoreError};

use crate::database::{File, committed, history, unit};

#[tokio::test]
async fn a_file_is_there_when_it_is_opened_again() {
    let file = File::new();
    let store = Store::open(&file.path().display().to_string()).await.unwrap();
    committed(&store, unit(1, &[(10, 1)])).await;
    store.close().await;
    drop(store);
    let store = Store::open(&format!("sqlite://{}", file.path().display())).await.unwrap();
    assert_eq!(history(&store, 10).await, [(1, 1)]);
}

#[tokio::test]
async fn a_second_process_is_refused() {
    let file = File::new();
    let first = Store::sqlite(file.path()).await.unwrap();
    let error = Store::sqlite(file.path()).await.unwrap_err();
    assert!(matches!(error, StoreError::InUse(_)), "{error}");
    drop(first);
    Store::sqlite(file.path()).await.unwrap();
}

#[tokio::test]
async fn a_newer_schema_is_refused() {
    let file = File::new();
    Store::sqlite(file.path()).await.unwrap().close().await;
    let sql = "INSERT INTO _sqlx_migrations VALUES (9999, 'of the future', 0, true, x'', 0)";
    execute(&file, sql).await;
    let error = Store::sqlite(file.path()).await.unwrap_err();
    assert!(matches!(error, StoreError::NewerSchema(9999)), "{error}");
}

#[tokio::test]
async fn another_programs_file_is_refused_and_left_alone() {
    let file = File::new();
    execute(&file, "CREATE TABLE theirs (id INTEGER)").await;
    let before = std::fs::read(file.path()).unwrap();
    let error = Store::sqlite(file.path()).await.unwrap_err();
    assert!(matches!(error, StoreError::Foreign(_)), "{error}");
    assert!(std::fs::read(file.path()).unwrap() == before, "it was changed");
    std::fs::write(file.path(), b"not a database at all, but long enough to be read as one").unwrap();
    let error = Store::sqlite(file.path()).await.unwrap_err();
    assert!(matches!(error, StoreError::Foreign(_)), "{error}");
}

#[tokio::test]
async fn a_path_that_cannot_be_is_an_error() {
    let file = File::new();
    let error = Store::sqlite(file.path().join("below").join("a-file")).await.unwrap_err();
    assert!(matches!(error, StoreError::Unavailable(_)), "{error}");
    let error = Store::open("mysql://somewhere").await.unwrap_err();
    assert!(matches!(error, StoreError::UnknownUrl(_)), "{error}");
}

async fn execute(file: &File, sql: &'static str) {
    use sqlx::Connection;
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(file.path()).create_if_missing(true);
    let mut connection = sqlx::SqliteConnection::connect_with(&options).await.unwrap();
    sqlx::query(sql).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}
