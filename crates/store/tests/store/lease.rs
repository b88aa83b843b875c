//! Jobs, timers and work that are handed out for a while.

use std::time::Duration;

use potok_core::instance::Key;
use potok_store::query::{Comparison, VariableFilter, VariableValue};
use potok_store::row::{BatchItem, Instance, Job, Timer, Variable, Work};
use potok_store::{Fetch, First, Guard, Outcome, Store, Unit, Wanted};

use crate::database::{at, commit, committed, unit};

crate::on_every_database!(
    a_job_is_handed_to_one_worker_within_its_lease,
    the_most_urgent_and_the_oldest_come_first,
    a_worker_says_which_jobs_of_which_topic_and_for_how_long,
    a_worker_asks_for_one_job,
    what_is_not_ready_is_not_handed_out,
    a_late_worker_is_refused_once_another_has_the_job,
    due_timers_are_handed_out_once,
    follow_up_work_is_handed_out_once,
    what_somebody_left_undone_is_given_back,
);

const HOUR: Duration = Duration::from_secs(3600);

fn fetch(number: u64, limit: usize, lease: Duration) -> Fetch {
    let wanted = ["mail", "print"].map(|topic| Wanted::topic(topic.into(), lease)).into();
    Fetch {
        worker: format!("worker {number}").into(),
        wanted,
        limit,
        first: First::Urgent,
        number,
        most: Vec::new(),
        tenants: None,
    }
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

async fn a_worker_says_which_jobs_of_which_topic_and_for_how_long(store: Store) {
    let mut unit = unit(1, &[(10, 1), (20, 1)]);
    unit.changes.add(Instance { key: Key(10), business_key: Some("C-1".into()), ..Instance::default() });
    unit.changes.add(Instance { key: Key(20), ..Instance::default() });
    unit.changes.add(Variable::number(Key(20), "amount".into(), 7.0));
    let print = |key| Job { topic: "print".into(), ..job(key) };
    unit.changes.add(Job { priority: 5, process: "order".into(), tenant: Some("north".into()), ..job(1) });
    unit.changes.add(Job { instance: Key(20), definition: Key(5), ..job(2) });
    unit.changes.add(print(3));
    unit.changes.add(Job { instance: Key(20), priority: 9, ..print(4) });
    committed(&store, unit).await;
    let mail = Wanted::topic("mail".into(), Duration::ZERO);
    let asked = async |wanted: Wanted| keys(&store, Fetch { wanted: vec![wanted], ..fetch(1, 9, HOUR) }).await;
    assert_eq!(asked(Wanted { business_key: Some("C-1".into()), ..mail.clone() }).await, [1]);
    assert_eq!(asked(Wanted { processes: vec!["order".into()], ..mail.clone() }).await, [1]);
    assert_eq!(asked(Wanted { tenants: vec!["north".into()], ..mail.clone() }).await, [1]);
    assert_eq!(asked(Wanted { tenants: vec!["".into()], ..mail.clone() }).await, [2]);
    assert_eq!(asked(Wanted { definitions: vec![Key(5)], ..mail.clone() }).await, [2]);
    let equal = Comparison::Equal(VariableValue::Number(7.0));
    let variables = vec![VariableFilter { name: "amount".into(), comparison: equal }];
    assert_eq!(asked(Wanted { variables: variables.clone(), ..mail.clone() }).await, [2]);
    for (first, order) in [
        (First::Urgent, [4, 1, 2, 3]),
        (First::UrgentNewest, [4, 1, 3, 2]),
        (First::Oldest, [1, 2, 3, 4]),
        (First::Newest, [4, 3, 2, 1]),
    ] {
        assert_eq!(keys(&store, Fetch { first, ..fetch(2, 9, Duration::ZERO) }).await, order);
    }
    let both = vec![Wanted { variables, ..mail }, Wanted::topic("print".into(), HOUR)];
    assert_eq!(keys(&store, Fetch { wanted: both, ..fetch(3, 9, HOUR) }).await, [4, 2, 3]);
    assert_eq!(keys(&store, fetch(4, 9, HOUR)).await, [1, 2], "each topic has its own lease");
}

async fn a_worker_asks_for_one_job(store: Store) {
    with_jobs(&store, &[job(1), Job { retries: 0, ..job(2) }]).await;
    let ask = async |job, worker: &str, number| {
        store.lease_job((Key(10), Key(job)), &worker.into(), number, HOUR).await.unwrap()
    };
    assert!(ask(2, "anna", 1).await, "tries left do not matter");
    assert!(ask(1, "anna", 2).await);
    assert!(!ask(1, "boris", 3).await, "another has it");
    assert!(ask(1, "anna", 4).await, "its own worker has it for longer");
    assert!(!ask(3, "anna", 5).await, "there is none");
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
