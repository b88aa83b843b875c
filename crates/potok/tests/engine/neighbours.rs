//! Nodes on one PostgreSQL: what happens on one wakes those who wait on another, long before they would look by themselves.

use std::time::{Duration, Instant};

use potok::query::JobQuery;
use potok::{Act, Engine, TaskId};
use potok_core::time::Timestamp;
use potok_store::{Faults, Simulation};

use crate::database::{Place, deploy, postgres, stop};
use crate::model::{approval, row};
use crate::polls::go_on;

crate::on_every_database!(what_another_does_while_an_instance_is_loaded_is_not_missed);

/// Half of what is waited for takes at most so long; whoever only looks every half second needs 250 ms.
const SOON: Duration = Duration::from_millis(100);

const HOUR: Duration = Duration::from_secs(3600);

fn model() -> String {
    row(
        "work",
        r#"
        <startEvent id="start"/>
        <userTask id="ask"/>
        <serviceTask id="mail" potok:job="mail"/>
        <intermediateCatchEvent id="rest"><timerEventDefinition><timeDuration>PT0.01S</timeDuration></timerEventDefinition></intermediateCatchEvent>
        <userTask id="read"/>
        <endEvent id="end"/>"#,
    )
}

/// Half of them took no longer.
fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

/// How long a worker who waits on one node needs to get the jobs that tasks completed on another lead to.
async fn time_to_jobs(one: &Engine, other: &Engine, count: usize) -> Vec<Duration> {
    let topics = ["mail".into()];
    let mut times = Vec::new();
    for _ in 0..count {
        let case = one.start("work").send().await.unwrap();
        let ask = one.tasks().instance(case.id()).list().await.unwrap().remove(0);
        let waiting = other.fetch_jobs("w", &topics, 1, HOUR, Duration::from_secs(10));
        let working = async {
            one.complete(ask.id(), ()).await.unwrap();
            Instant::now()
        };
        let (jobs, created) = tokio::join!(waiting, working);
        times.push(created.elapsed());
        other.complete_job(&jobs.unwrap()[0], ()).await.unwrap();
    }
    times
}

/// Two nodes, of which the first leaves what is due to the second; each has heard of the other.
async fn nodes(test: &str) -> Option<(Place, Engine, Engine)> {
    let place = postgres(test).await?;
    let one = place.builder().job_execution(false).start().await.unwrap();
    let other = place.builder().start().await.unwrap();
    deploy(&one, &[("work.bpmn", &model())]).await;
    until_they_hear(&one, &other).await;
    Some((place, one, other))
}

/// Lets them go on until the one hears the other, or should have.
async fn until_they_hear(one: &Engine, other: &Engine) {
    for _ in 0..20 {
        if time_to_jobs(one, other, 1).await[0] < SOON {
            return;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_gets_a_job_of_another_node_at_once() {
    let name = "neighbours::a_worker_gets_a_job_of_another_node_at_once";
    let Some((place, one, other)) = nodes(name).await else { return };
    let times = time_to_jobs(&one, &other, 21).await;
    assert!(median(times.clone()) < SOON, "{times:?}");

    // Also after nobody could be heard for a while.
    cut(&place).await;
    until_they_hear(&one, &other).await;
    let times = time_to_jobs(&one, &other, 21).await;
    assert!(median(times.clone()) < SOON, "after the connections were cut: {times:?}");
    assert_eq!(other.jobs(&JobQuery::default()).await.unwrap().len(), 0);
    one.stop().await;
    other.stop().await;
}

/// Cuts the connections by which the nodes hear each other.
async fn cut(place: &Place) {
    use potok::sqlx::{self, Connection};
    let Place::Postgres(url) = place else { return };
    let mut connection = sqlx::PgConnection::connect(url).await.unwrap();
    let sql = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE query LIKE \
               'LISTEN \"potok_' || current_schema()::regnamespace::oid || '\"%'";
    let count: i64 = sqlx::query_scalar(sql).fetch_one(&mut connection).await.unwrap();
    assert_eq!(count, 2, "each node listens");
}

#[tokio::test(flavor = "multi_thread")]
async fn timers_and_ends_of_another_node_are_noticed_at_once() {
    let name = "neighbours::timers_and_ends_of_another_node_are_noticed_at_once";
    let Some((_place, one, other)) = nodes(name).await else { return };
    let (mut fired, mut ended) = (Vec::new(), Vec::new());
    for _ in 0..21 {
        let case = one.start("work").send().await.unwrap();
        one.complete(task(&one, &case, "ask").await, ()).await.unwrap();
        let job = one.fetch_jobs("w", &["mail".into()], 1, HOUR, Duration::ZERO).await.unwrap().remove(0);
        // The first node fires no timers; the second is told of this one.
        one.complete_job(&job, ()).await.unwrap();
        let since = Instant::now();
        while one.tasks().instance(case.id()).node("read").count().await.unwrap() == 0 {}
        fired.push(since.elapsed());

        let read = task(&one, &case, "read").await;
        let working = async {
            one.complete(read, ()).await.unwrap();
            Instant::now()
        };
        let over = other.instance(case.id());
        let over = async {
            over.ended().await.unwrap();
            Instant::now()
        };
        let (done, over) = tokio::join!(working, over);
        ended.push(over.saturating_duration_since(done));
    }
    for times in [fired, ended] {
        assert!(median(times.clone()) < SOON, "{times:?}");
    }
    one.stop().await;
    other.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_remembered_of_tasks_and_jobs_is_what_another_node_has_left_of_it() {
    let name = "neighbours::what_is_remembered_of_tasks_and_jobs_is_what_another_node_has_left_of_it";
    let Some((_place, one, other)) = nodes(name).await else { return };
    let tasks = async |case: &potok::Instance| one.tasks().instance(case.id()).list().await.unwrap();
    let case = one.start("work").send().await.unwrap();
    let seen = tasks(&case).await;
    assert_eq!(seen, other.tasks().instance(case.id()).list().await.unwrap());
    assert_eq!(one.are_suspended(&seen).await.unwrap(), [false]);

    other.instance(case.id()).suspend().await.unwrap();
    let seen = tasks(&case).await;
    assert_eq!(one.are_suspended(&seen).await.unwrap(), [true]);
    other.instance(case.id()).resume().await.unwrap();
    other.assign(seen[0].id(), "anna").await.unwrap();
    let seen = tasks(&case).await;
    assert_eq!(seen[0].assignee.as_deref(), Some("anna"));
    assert_eq!(one.are_suspended(&seen).await.unwrap(), [false]);
    other.complete(seen[0].id(), ()).await.unwrap();
    assert!(tasks(&case).await.is_empty());

    let job = one.fetch_jobs("w", &["mail".into()], 1, HOUR, Duration::ZERO).await.unwrap().remove(0);
    other.free_job(job.id()).await.unwrap();
    let again = other.fetch_jobs("w", &["mail".into()], 1, HOUR, Duration::ZERO).await.unwrap().remove(0);
    assert_eq!(job.id(), again.id());
    assert!(!one.complete_as_handed_out(job.id(), "w", (), ()).await.unwrap(), "by its old lease");
    assert!(other.complete_as_handed_out(job.id(), "w", (), ()).await.unwrap());

    // An instance of which nothing is left.
    let case = one.start("work").send().await.unwrap();
    assert_eq!(tasks(&case).await.len(), 1);
    other.instance(case.id()).cancel("").await.unwrap();
    other.instance(case.id()).delete().await.unwrap();
    assert!(tasks(&case).await.is_empty());
    one.stop().await;
    other.stop().await;
}

async fn task(engine: &Engine, case: &potok::Instance, node: &str) -> TaskId {
    engine.tasks().instance(case.id()).node(node).list().await.unwrap().remove(0).id()
}

async fn what_another_does_while_an_instance_is_loaded_is_not_missed(place: Place) {
    let place = match place {
        // Others may go first at each call.
        Place::Memory(_) => {
            Place::Memory(Simulation::new(7, Faults { pauses: 3, ..Faults::default() }, Timestamp::now()))
        }
        // Only one node has a file.
        Place::File(_) => return,
        place => place,
    };
    let one = place.with(&[("approval.bpmn", &approval())]).await;
    let other = place.by_hand().await;
    let mut in_time = 0;
    for times in 0..40 {
        let case = other.start("approval").send().await.unwrap();
        let task = other.tasks().instance(case.id()).list().await.unwrap()[0].id();
        let mut completing = Box::pin(one.complete(task, ()));
        let early = go_on(&mut completing, times).await;
        other.instance(case.id()).suspend().await.unwrap();
        let completed = match early {
            Some(completed) => completed,
            None => completing.await,
        };
        let last = other.instance(case.id()).history(0, 100).await.unwrap().pop().unwrap();
        assert_eq!(last.envelope.act, Some(Act::Suspended), "after {times} times: {completed:?}");
        match completed {
            Ok(()) => in_time += 1,
            Err(error) => assert_eq!(error.code(), "instance-suspended", "after {times} times: {error}"),
        }
    }
    assert!(in_time < 40, "some come too late");
    stop(&one).await;
    stop(&other).await;
}
