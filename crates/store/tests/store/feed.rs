//! The feed of all log rows.

use potok_store::{Position, Store};

use crate::database::{commit, committed, postgres_schema, postgres_url, unit};

crate::on_every_database!(a_reader_who_remembers_its_place_gets_each_row_once);

async fn read(store: &Store, after: &mut Position) -> Vec<(u64, u64)> {
    let mut found = Vec::new();
    loop {
        let rows = store.feed(*after, 2).await.unwrap();
        let Some(last) = rows.last() else { return found };
        *after = Position::from(last);
        found.extend(rows.iter().map(|row| (u64::from(row.instance), row.seq)));
    }
}

/// Reads until so many rows have come: on PostgreSQL, transactions of other tests hold the feed back, too.
async fn read_some(store: &Store, after: &mut Position, count: usize) -> Vec<(u64, u64)> {
    let mut found = Vec::new();
    for _ in 0..100_000 {
        found.extend(read(store, after).await);
        if found.len() >= count {
            break;
        }
        tokio::task::yield_now().await;
    }
    found
}

async fn a_reader_who_remembers_its_place_gets_each_row_once(store: Store) {
    let mut place = Position::default();
    assert_eq!(read(&store, &mut place).await, []);
    commit(&store, &[unit(1, &[(20, 1), (10, 1)]), unit(2, &[(20, 2)])]).await;
    assert_eq!(read_some(&store, &mut place, 3).await, [(20, 1), (10, 1), (20, 2)]);
    committed(&store, unit(3, &[(10, 2)])).await;
    assert_eq!(read_some(&store, &mut place, 1).await, [(10, 2)]);
    assert_eq!(read(&store, &mut place).await, []);
    assert_eq!(read_some(&store, &mut Position::default(), 4).await.len(), 4);
}

#[tokio::test]
async fn a_late_commit_is_not_skipped() {
    use sqlx::Connection;
    let Some(url) = postgres_url("a_late_commit_is_not_skipped") else { return };
    let url = postgres_schema(&url).await;
    let store = Store::open(&url).await.unwrap();
    let mut other = sqlx::PgConnection::connect(&url).await.unwrap();
    let mut place = Position::default();
    committed(&store, unit(1, &[(10, 1)])).await;
    assert_eq!(read_some(&store, &mut place, 1).await, [(10, 1)]);
    // It takes the earlier place, and commits later.
    let mut slow = other.begin().await.unwrap();
    sqlx::query(
        "INSERT INTO log (instance, seq, unit, time, definition, format, events, envelope) \
         VALUES (11, 1, 2, 0, 0, 0, '', '')",
    )
    .execute(&mut *slow)
    .await
    .unwrap();
    committed(&store, unit(3, &[(12, 1)])).await;
    assert_eq!(read(&store, &mut place).await, [], "it waits for the transaction that is open");
    slow.commit().await.unwrap();
    assert_eq!(read_some(&store, &mut place, 2).await, [(11, 1), (12, 1)]);
}
