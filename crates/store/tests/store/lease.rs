//! Jobs, timers and work that are handed out for a while.

use std::time::Duration;

use potok_core::instance::Key;
use potok_store::row::{BatchItem, Job, Timer, Work};
use potok_store::{Fetch, Guard, Outcome, Store, Unit};

use crate::database::{at, commit, committed, unit};

crate::on_every_database!(
    a_job_is_handed_to_one_worker_within_its_lease,
    the_most_urgent_and_the_oldest_come_first,
    what_is_not_ready_is_not_handed_out,
    a_late_worker_is_refused_once_another_has_the_job,
    due_timers_are_handed_out_once,
    follow_up_work_is_handed_out_once,
    what_somebody_left_undone_is_given_back,
);

const HOUR: Duration = Duration::from_secs(3600);

fn fetch(number: u64, limit: usize, lease: Duration) -> Fetch {
    let topics = vec!["mail".into(), "print".into()];
    Fetch { worker: format!("worker {number}").into(), topics, limit, lease, number, most: Vec::new(), tenants: None }
}

fn job(key: u64) -> Job {
    Job { instance: Key(10), key: Key(key), topic: "mail".into(), retries: 3, ..Job::default() }
}

async fn with_jobs(store: &Store, jobs: &[Job]) {
    let mut unit = unit(1, &[(10, 1)]);
    jobs.iter().for_each(|job| unit.changes.add(job.clone()));
    committed(store, unit).await;
}

async fn keys(store: &Store, fetch: Fetch) -> Vec<u64> {
    let jobs = store.fetch_jobs(&fetch, at(100)).await.unwrap();
    assert!(jobs.iter().all(|job| job.lease == fetch.number && job.worker.as_deref() == Some(&*fetch.worker)));
    jobs.into_iter().map(|job| job.key.into()).collect()
}

async fn a_job_is_handed_to_one_worker_within_its_lease(store: Store) {
    with_jobs(&store, &[job(1), job(2), job(3)]).await;
    assert_eq!(keys(&store, fetch(1, 2, HOUR)).await, [1, 2]);
    assert_eq!(keys(&store, fetch(2, 5, HOUR)).await, [3]);
    assert_eq!(keys(&store, fetch(3, 5, HOUR)).await, [0; 0]);
    assert!(store.release_job(Key(10), Key(2), 1).await.unwrap());
    assert!(!store.release_job(Key(10), Key(2), 1).await.unwrap(), "it has been given back");
    assert!(!store.release_job(Key(10), Key(3), 1).await.unwrap(), "it is somebody else's");
    assert_eq!(keys(&store, fetch(4, 5, Duration::ZERO)).await, [2]);
    assert_eq!(keys(&store, fetch(5, 5, Duration::ZERO)).await, [2], "the lease has run out");
    assert!(store.extend_job(Key(10), Key(2), 5, HOUR).await.unwrap());
    assert!(!store.extend_job(Key(10), Key(2), 4, HOUR).await.unwrap());
    assert_eq!(keys(&store, fetch(6, 5, HOUR)).await, [0; 0]);
}

async fn what_somebody_left_undone_is_given_back(store: Store) {
    with_jobs(&store, &[job(1)]).await;
    let mut unit = unit(2, &[(10, 2)]);
    unit.changes.add(Timer { instance: Key(10), key: Key(4), due: at(10), ..Timer::default() });
    unit.changes.add(Work { instance: Key(10), key: Key(5), due: at(10), ..Work::default() });
    unit.changes.add(BatchItem { batch: Key(6), instance: Key(10), ..BatchItem::default() });
    committed(&store, unit).await;
    assert_eq!(store.take_batch_items(Key(6), 5, HOUR).await.unwrap().len(), 1);
    assert_eq!(keys(&store, fetch(1, 5, HOUR)).await, [1]);
    assert_eq!(store.take_timers(at(20), 5, HOUR).await.unwrap().len(), 1);
    assert_eq!(store.take_work(at(20), 5, HOUR).await.unwrap().len(), 1);
    assert_eq!(store.take_batch_items(Key(6), 5, HOUR).await.unwrap().len(), 0);
    store.release_all(&"worker 2".into()).await.unwrap();
    assert_eq!(keys(&store, fetch(2, 5, HOUR)).await, [0; 0], "another worker may still be at it");
    store.release_all(&"worker 1".into()).await.unwrap();
    assert_eq!(store.take_batch_items(Key(6), 5, HOUR).await.unwrap().len(), 1);
    assert_eq!(keys(&store, fetch(2, 5, HOUR)).await, [1]);
    assert_eq!(store.take_timers(at(20), 5, HOUR).await.unwrap().len(), 1);
    assert_eq!(store.take_work(at(20), 5, HOUR).await.unwrap().len(), 1);
}

async fn the_most_urgent_and_the_oldest_come_first(store: Store) {
    with_jobs(&store, &[job(1), Job { priority: 9, topic: "print".into(), ..job(2) }, job(3), job(4)]).await;
    assert_eq!(keys(&store, fetch(1, 3, HOUR)).await, [2, 1, 3]);
}

async fn what_is_not_ready_is_not_handed_out(store: Store) {
    let jobs = [
        Job { topic: "other".into(), ..job(1) },
        Job { suspended: true, ..job(2) },
        Job { retries: 0, ..job(3) },
        Job { available: at(101), ..job(4) },
        Job { available: at(100), ..job(5) },
    ];
    with_jobs(&store, &jobs).await;
    assert_eq!(keys(&store, fetch(1, 9, HOUR)).await, [5]);
}

async fn a_late_worker_is_refused_once_another_has_the_job(store: Store) {
    with_jobs(&store, &[job(1)]).await;
    let completing = |id, lease| {
        let guard = Guard::Lease { instance: Key(10), job: Key(1), lease };
        let mut unit = Unit { guards: vec![guard], ..unit(id, &[(10, 2)]) };
        unit.changes.remove::<Job>((Key(10), Key(1)));
        unit
    };
    assert_eq!(keys(&store, fetch(7, 9, Duration::ZERO)).await, [1]);
    assert_eq!(keys(&store, fetch(8, 9, Duration::ZERO)).await, [1]);
    let missed = Outcome::Missed { guard: 0, standing: None };
    let outcomes = commit(&store, &[completing(2, 7), completing(3, 8), completing(4, 8)]).await;
    assert_eq!(outcomes, [missed, Outcome::Committed, Outcome::Conflict(Key(10))]);
    assert_eq!(keys(&store, fetch(9, 9, HOUR)).await, [0; 0]);
}

async fn due_timers_are_handed_out_once(store: Store) {
    let timer = |key, due| Timer { instance: Key(10), key: Key(key), due: at(due), ..Timer::default() };
    let mut unit = unit(1, &[(10, 1)]);
    unit.changes.add(timer(1, 30));
    unit.changes.add(timer(2, 20));
    unit.changes.add(timer(3, 40));
    unit.changes.add(Timer { suspended: true, ..timer(4, 10) });
    committed(&store, unit).await;
    assert_eq!(store.next_due().await.unwrap(), Some(at(20)));
    let due: Vec<Key> = store.take_timers(at(30), 9, HOUR).await.unwrap().iter().map(|timer| timer.key).collect();
    assert_eq!(due, [Key(2), Key(1)]);
    assert_eq!(store.take_timers(at(30), 9, HOUR).await.unwrap(), []);
    assert_eq!(store.take_timers(at(40), 9, HOUR).await.unwrap().len(), 1);
}

async fn follow_up_work_is_handed_out_once(store: Store) {
    let mut unit = unit(1, &[(10, 1)]);
    for (key, due) in [(1, 5), (2, 1), (3, 200)] {
        unit.changes.add(Work { instance: Key(10), key: Key(key), due: at(due), ..Work::default() });
    }
    committed(&store, unit).await;
    let taken: Vec<Key> = store.take_work(at(100), 9, HOUR).await.unwrap().iter().map(|work| work.key).collect();
    assert_eq!(taken, [Key(2), Key(1)]);
    assert_eq!(store.take_work(at(100), 9, HOUR).await.unwrap(), []);
}
