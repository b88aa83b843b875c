//! What only a file can do.

use potok_store::row::LogRow;
use potok_store::{Patience, Store, StoreError, Unit};

use crate::database::{File, committed, history, log, unit};

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
async fn a_disk_that_is_full_is_an_error_until_there_is_room() {
    let file = File::new();
    let store = Store::sqlite(file.path()).await.unwrap();
    committed(&store, unit(1, &[(10, 1)])).await;
    let large = |id| {
        let row = LogRow { events: vec![7; 100_000].into(), ..log(10, id) };
        Unit { id, log: vec![row], ..Unit::default() }
    };
    for _ in 0..3 {
        let transaction = store.begin().await.unwrap();
        let mut connection = transaction.connection().await.unwrap();
        // No more than there are.
        sqlx::query("PRAGMA max_page_count = 1").execute(connection.sqlite().unwrap()).await.unwrap();
        drop(connection);
        let error = transaction.store().commit(&[large(2)], Patience::Try).await.unwrap_err();
        assert!(matches!(error, StoreError::Full(_)), "{error}");
        drop(transaction);
        assert_eq!(history(&store, 10).await, [(1, 1)]);
    }
    committed(&store, large(2)).await;
    let transaction = store.begin().await.unwrap();
    committed(transaction.store(), large(3)).await;
    transaction.commit().await.unwrap();
    assert_eq!(history(&store, 10).await, [(1, 1), (2, 2), (3, 3)]);
    store.close().await;
    let store = Store::sqlite(file.path()).await.unwrap();
    assert_eq!(history(&store, 10).await, [(1, 1), (2, 2), (3, 3)]);
}

#[tokio::test]
async fn a_file_that_may_not_be_written_is_an_error() {
    let file = File::new();
    Store::sqlite(file.path()).await.unwrap().close().await;
    let mut permissions = std::fs::metadata(file.path()).unwrap().permissions();
    permissions.set_readonly(true);
    std::fs::set_permissions(file.path(), permissions).unwrap();
    let is_bound = std::fs::File::options().write(true).open(file.path()).is_err();
    // Nothing is read-only to a superuser.
    if is_bound {
        let error = Store::sqlite(file.path()).await.unwrap_err();
        assert!(matches!(error, StoreError::ReadOnly(_)), "{error}");
    }
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
