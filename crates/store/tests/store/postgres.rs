//! What only a server can do.

use potok_store::{Patience, StoreError};

use crate::database::{committed, history, postgres, unit};

/// As the server does with a node that is gone without a word: not in a minute, but at once.
#[tokio::test]
async fn the_server_ends_a_transaction_that_rests_too_long() {
    let Some(store) = postgres("postgres::the_server_ends_a_transaction_that_rests_too_long").await else { return };
    committed(&store, unit(1, &[(10, 1)])).await;
    let gone = store.begin().await.unwrap();
    let mut connection = gone.connection().await.unwrap();
    let session = connection.postgres().unwrap();
    let limit: String =
        sqlx::query_scalar("SHOW idle_in_transaction_session_timeout").fetch_one(&mut *session).await.unwrap();
    assert_eq!(limit, "1min");
    sqlx::query("SET idle_in_transaction_session_timeout = '10ms'").execute(session).await.unwrap();
    drop(connection);
    gone.store().commit(&[unit(2, &[(10, 2)])], Patience::Try).await.unwrap();
    // It has the instance's lock, until the server ends it: then this goes on.
    store.commit(&[unit(3, &[(10, 2)])], Patience::Wait).await.unwrap();
    let error = gone.commit().await.unwrap_err();
    assert!(matches!(error, StoreError::OutcomeUnknown(_)), "{error}");
    assert_eq!(history(&store, 10).await, [(1, 1), (2, 3)]);
}
