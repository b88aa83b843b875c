//! What only a server can do.

use potok_core::instance::Key;
use potok_store::{Guard, Outcome, Patience, StoreError};

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

/// Commits are made without a look at the log where that is enough: they find out by themselves what is not as they take it to be.
#[tokio::test]
async fn a_commit_that_does_not_look_holds_up_nobody() {
    let Some(store) = postgres("postgres::a_commit_that_does_not_look_holds_up_nobody").await else { return };
    committed(&store, unit(1, &[(10, 1), (11, 1)])).await;
    let lent = store.begin().await.unwrap();
    lent.store().commit(&[unit(2, &[(10, 2)])], Patience::Try).await.unwrap();
    let both = [unit(3, &[(10, 2)]), unit(4, &[(11, 2)])];
    let outcomes = store.commit(&both, Patience::Try).await.unwrap();
    assert_eq!(outcomes, [Outcome::Busy, Outcome::Committed], "a row that is not committed yet may be one or none");
    lent.commit().await.unwrap();
    let outcomes = store.commit(&both[..1], Patience::Try).await.unwrap();
    assert_eq!(outcomes, [Outcome::Conflict(Key(10))]);

    let on = |instance, seq, of, id| {
        let mut stepped = unit(id, &[(instance, seq + 1)]);
        stepped.guards.push(Guard::Row { instance: Key(instance), seq, unit: of });
        stepped
    };
    committed(&store, on(10, 2, 2, 5)).await;
    let missed = Outcome::Missed { guard: 0, standing: None };
    assert_eq!(store.commit(&[on(11, 2, 3, 6)], Patience::Try).await.unwrap(), [missed], "another unit wrote it");
    let chain = [on(11, 2, 4, 7), on(11, 3, 7, 8), unit(9, &[(12, 1), (12, 2)])];
    assert_eq!(store.commit(&chain, Patience::Try).await.unwrap(), vec![Outcome::Committed; 3]);
    assert_eq!(history(&store, 11).await, [(1, 1), (2, 4), (3, 7), (4, 8)]);
    assert_eq!(history(&store, 10).await, [(1, 1), (2, 2), (3, 5)]);
}
