//! Copies, and databases made of them.

use std::time::Duration;

use potok_core::instance::Key;
use potok_store::row::Job;
use potok_store::{Fetch, First, Store, StoreError, Wanted};

use crate::database::{File, at, committed, history, unit};

#[tokio::test]
async fn a_copy_is_what_was_there_at_one_moment() {
    let file = File::new();
    let store = Store::sqlite(file.path()).await.unwrap();
    committed(&store, unit(1, &[(10, 1)])).await;
    let (within, beside) = (file.path().with_extension("one"), file.path().with_extension("two"));
    store.back_up(&within).await.unwrap();
    // As another process does.
    Store::back_up_file(file.path(), &beside).await.unwrap();
    committed(&store, unit(2, &[(10, 2)])).await;
    for copy in [within, beside] {
        let copied = Store::sqlite(&copy).await.unwrap();
        assert_eq!(history(&copied, 10).await, [(1, 1)]);
        committed(&copied, unit(3, &[(10, 2)])).await;
        copied.close().await;
        let error = store.back_up(&copy).await.unwrap_err();
        assert!(matches!(error, StoreError::NoCopy(_)), "{error}");
        let copied = Store::sqlite(&copy).await.unwrap();
        assert_eq!(history(&copied, 10).await, [(1, 1), (2, 3)], "nothing is written over");
    }
    assert_eq!(history(&store, 10).await, [(1, 1), (2, 2)]);
}

#[tokio::test]
async fn what_is_restored_is_in_nobodys_hands() {
    let file = File::new();
    let store = Store::sqlite(file.path()).await.unwrap();
    let hour = Duration::from_secs(3600);
    let node = store.join("one".into(), 7, 1, hour).await.unwrap();
    let mut unit = unit(1, &[(10, 1)]);
    unit.changes.add(Job { instance: Key(10), key: Key(1), topic: "mail".into(), retries: 3, ..Job::default() });
    committed(&store, unit).await;
    let fetch = Fetch {
        worker: "w".into(),
        wanted: vec![Wanted::topic("mail".into(), hour)],
        limit: 1,
        first: First::Urgent,
        number: 5,
        most: Vec::new(),
        tenants: None,
    };
    assert_eq!(store.fetch_jobs(&fetch, at(1)).await.unwrap().len(), 1);
    let (copy, restored) = (file.path().with_extension("copy"), file.path().with_extension("restored"));
    store.back_up(&copy).await.unwrap();
    Store::restore(&copy, &restored).await.unwrap();
    let error = Store::restore(&copy, &restored).await.unwrap_err();
    assert!(matches!(error, StoreError::NoCopy(_)), "{error}");
    let restored = Store::sqlite(&restored).await.unwrap();
    assert_eq!(restored.fetch_jobs(&fetch, at(1)).await.unwrap().len(), 1);
    let next = restored.join("two".into(), 8, 1, hour).await.unwrap();
    assert_eq!(next.number, node.number, "its lease is over");
    assert!(next.keys > node.keys, "behind all keys that the first may have given out");
}

#[tokio::test]
async fn what_cannot_be_copied_is_an_error() {
    let file = File::new();
    let copy = file.path().with_extension("copy");
    let error = Store::back_up_file(file.path(), &copy).await.unwrap_err();
    assert!(matches!(error, StoreError::NoCopy(_)), "{error}");
    std::fs::write(file.path(), b"not a database at all, but long enough to be read as one").unwrap();
    let error = Store::back_up_file(file.path(), &copy).await.unwrap_err();
    assert!(matches!(error, StoreError::Foreign(_)), "{error}");
    for memory in [Store::memory(), Store::sqlite_in_memory().await.unwrap()] {
        let error = memory.back_up(&copy).await.unwrap_err();
        assert!(matches!(error, StoreError::NoCopy(_)), "{error}");
    }
    assert!(!copy.exists());
}

#[tokio::test]
async fn a_damaged_file_is_not_copied() {
    let file = File::new();
    let store = Store::sqlite(file.path()).await.unwrap();
    for id in 1..200 {
        committed(&store, unit(id, &[(id, 1)])).await;
    }
    store.close().await;
    let mut bytes = std::fs::read(file.path()).unwrap();
    let middle = bytes.len() / 8;
    bytes[4096..4096 + middle].fill(0xa5);
    std::fs::write(file.path(), bytes).unwrap();
    let copy = file.path().with_extension("copy");
    let error = Store::back_up_file(file.path(), &copy).await.unwrap_err();
    assert!(matches!(error, StoreError::Corrupt(_)), "{error}");
    assert!(!copy.exists());
}
