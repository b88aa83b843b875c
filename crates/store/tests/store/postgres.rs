//! What only a server can do.

use potok_core::instance::Key;
use potok_store::row::{LogRow, User};
use potok_store::{Changes, Guard, Outcome, Patience, Position, Store, StoreError, Unit};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use crate::database::{committed, history, postgres, postgres_schema, postgres_url, unit};

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

#[tokio::test]
async fn whether_there_are_users_is_seen_without_changing_anything() {
    let Some(url) = postgres_url("postgres::whether_there_are_users_is_seen_without_changing_anything") else { return };
    let url = postgres_schema(&url).await;
    assert_eq!(Store::has_users(&url).await.unwrap(), Some(false));
    let mut connection = PgConnection::connect(&url).await.unwrap();
    let there = "SELECT count(*) FROM pg_class WHERE relnamespace = current_schema()::regnamespace";
    assert_eq!(sqlx::query_scalar::<_, i64>(there).fetch_one(&mut connection).await.unwrap(), 0);
    let store = Store::open(&url).await.unwrap();
    assert_eq!(Store::has_users(&url).await.unwrap(), Some(false));
    let mut changes = Changes::default();
    changes.put(User { id: "anna".into(), ..User::default() });
    committed(&store, Unit { id: 1, changes, ..Unit::default() }).await;
    assert_eq!(Store::has_users(&url).await.unwrap(), Some(true));
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

/// A unit that removes an instance for good.
fn removal(id: u64, instance: u64) -> Unit {
    let mut changes = Changes::default();
    changes.remove_instance(Key(instance));
    Unit { id, changes, ..Unit::default() }
}

#[tokio::test]
async fn what_is_being_removed_for_good_is_not_written_to() {
    let Some(store) = postgres("postgres::what_is_being_removed_for_good_is_not_written_to").await else { return };
    committed(&store, unit(1, &[(10, 1), (11, 1)])).await;
    let removing = store.begin().await.unwrap();
    removing.store().commit(&[removal(2, 10)], Patience::Try).await.unwrap();
    let both = [unit(3, &[(10, 2)]), unit(4, &[(11, 2)])];
    assert_eq!(store.commit(&both, Patience::Try).await.unwrap(), [Outcome::Busy, Outcome::Committed]);
    removing.commit().await.unwrap();
    assert_eq!(store.commit(&both[..1], Patience::Try).await.unwrap(), [Outcome::Conflict(Key(10))]);
    assert_eq!(history(&store, 10).await, []);
}

/// Whoever commits in one statement has begun it when an instance is removed, and gets its locks afterwards.
#[tokio::test]
async fn what_is_removed_for_good_in_that_very_moment_is_not_written_to() {
    let name = "postgres::what_is_removed_for_good_in_that_very_moment_is_not_written_to";
    let Some(url) = postgres_url(name) else { return };
    let url = postgres_schema(&url).await;
    let store = Store::open(&url).await.unwrap();
    committed(&store, unit(1, &[(10, 1)])).await;
    let mut gate = PgConnection::connect(&url).await.unwrap();
    let function = "CREATE FUNCTION pg_try_advisory_xact_lock(n bigint) RETURNS boolean LANGUAGE plpgsql AS $$
        BEGIN
            PERFORM pg_catalog.pg_advisory_xact_lock_shared(4711, 1);
            RETURN pg_catalog.pg_try_advisory_xact_lock(n);
        END $$";
    sqlx::raw_sql(function).execute(&mut gate).await.unwrap();
    sqlx::raw_sql("SELECT pg_advisory_lock(4711, 1)").execute(&mut gate).await.unwrap();
    // Where functions of the schema go before the server's own.
    let slow = Store::open(&format!("{url}%2Cpg_catalog")).await.unwrap();
    let writing = tokio::spawn(async move { slow.commit(&[unit(2, &[(10, 2)])], Patience::Try).await.unwrap() });
    let waits = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid = 4711 AND NOT granted";
    while sqlx::query_scalar::<_, i64>(AssertSqlSafe(waits)).fetch_one(&mut gate).await.unwrap() == 0 {}
    committed(&store, removal(3, 10)).await;
    sqlx::raw_sql("SELECT pg_advisory_unlock(4711, 1)").execute(&mut gate).await.unwrap();
    assert_eq!(writing.await.unwrap(), [Outcome::Conflict(Key(10))]);
    assert_eq!(history(&store, 10).await, []);
}

/// By dump and restore, onto a server that has not counted so many transactions.
#[tokio::test]
async fn a_database_from_another_server_goes_on_with_its_feed() {
    let Some(url) = postgres_url("postgres::a_database_from_another_server_goes_on_with_its_feed") else { return };
    let url = postgres_schema(&url).await;
    let mut store = Store::open(&url).await.unwrap();
    let last = |rows: &[LogRow]| rows.last().map(Position::from).unwrap();
    let read = async |store: &Store, after: Position| {
        for _ in 0..100_000 {
            // Transactions of other tests hold it back, too.
            let rows = store.feed(after, 10).await.unwrap();
            if !rows.is_empty() {
                return rows;
            }
            tokio::task::yield_now().await;
        }
        Vec::new()
    };
    for server in 1..=2_u64 {
        committed(&store, unit(server * 10, &[(server, 1), (9, server * 2 - 1)])).await;
        committed(&store, removal(server * 10 + 1, server)).await;
        store.close().await;
        // As if that had been far more.
        let mut connection = PgConnection::connect(&url).await.unwrap();
        let far = "UPDATE log SET \"transaction\" = \"transaction\" + 1000000; \
                   SELECT setval('removals', pg_sequence_last_value('removals') + 1000000)";
        sqlx::raw_sql(far).execute(&mut connection).await.unwrap();

        store = Store::open(&url).await.unwrap();
        let rows = read(&store, Position::default()).await;
        assert_eq!(rows.len() as u64, server * 2 - 1, "what was written there");
        let place = last(&rows);
        assert_eq!(store.feed_end().await.unwrap(), place);
        committed(&store, unit(server * 10 + 2, &[(9, server * 2)])).await;
        let rows = read(&store, place).await;
        assert_eq!(rows.iter().map(|row| (row.instance, row.seq)).collect::<Vec<_>>(), [(Key(9), server * 2)]);
        assert_eq!(store.feed(last(&rows), 10).await.unwrap(), []);
        let sql = "SELECT pg_sequence_last_value('removals')";
        assert_eq!(sqlx::query_scalar::<_, i64>(sql).fetch_one(&mut connection).await.unwrap(), 0);
    }
}
