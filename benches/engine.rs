//! What the embedded engine does, beside the database's own limit in the same run: `cargo bench -p potok-benches --bench engine`.
//!
//! Every acknowledged call is written through to the disk. A part is chosen by its name: `tasks`, `random`, `automatic`, `latency`,
//! `parallel`, `waiting`; `POTOK_POSTGRES_URL` names a server for the PostgreSQL rows.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use potok::{Engine, TaskId, Value};
use potok_benches::models;
use potok_benches::plain::{self, Failure};
use potok_benches::table::{Goal, Row, print};

/// How long each measurement takes.
const MOMENT: Duration = Duration::from_secs(4);

/// Callers at a time.
const CALLERS: usize = 64;

fn main() -> Result<(), Failure> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(measure())
}

async fn measure() -> Result<(), Failure> {
    let chosen: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let is_chosen = |part: &str| chosen.is_empty() || chosen.iter().any(|name| name == part);
    let folder = Folder::new()?;
    let mut rows = Vec::new();
    let single = plain::sqlite(&folder.0, 1).await?;
    if is_chosen("tasks") {
        let engine = engine(&folder.0.join("tasks.db"), 100_000).await?;
        let rate = three_tasks(&engine).await?;
        let goal = Goal::new("4 x plain SQLite, and 20,000/s", rate >= 4.0 * single && rate >= 20_000.0);
        rows.push(Row {
            workload: "SQLite: start, three user tasks, end; 64 callers".into(),
            potok: format!("{rate:.0} completions/s"),
            peer: format!("plain SQLite, one caller: {single:.0} single-row commits/s"),
            ratio: format!("{:.2} x", rate / single),
            at_least: goal,
            aim: Goal::new("40,000/s", rate >= 40_000.0),
        });
        engine.stop().await;
    }
    if is_chosen("random") {
        let engine = engine(&folder.0.join("random.db"), 100_000).await?;
        let rate = at_random(&engine, 50_000).await?;
        rows.push(Row {
            workload: "SQLite: complete at random among 50,000 waiting".into(),
            potok: format!("{rate:.0} completions/s"),
            peer: "-".into(),
            ratio: "-".into(),
            at_least: Goal::new("5,000/s", rate >= 5_000.0),
            aim: Goal::new("12,000/s", rate >= 12_000.0),
        });
        engine.stop().await;
    }
    if is_chosen("automatic") {
        let engine = engine(&folder.0.join("automatic.db"), 100_000).await?;
        let rate = automatic(&engine).await?;
        rows.push(Row {
            workload: "SQLite: ten automatic tasks, history kept; 64 callers".into(),
            potok: format!("{rate:.0} instances/s"),
            peer: "-".into(),
            ratio: "-".into(),
            at_least: Goal::new("20,000/s", rate >= 20_000.0),
            aim: Goal::new("60,000/s", rate >= 60_000.0),
        });
        engine.stop().await;
    }
    if is_chosen("latency") {
        let engine = engine(&folder.0.join("latency.db"), 100_000).await?;
        let p99 = latency(&engine).await?;
        rows.push(Row {
            workload: "SQLite: p99 of one completion at half the load".into(),
            potok: format!("{p99:.2} ms"),
            peer: "-".into(),
            ratio: "-".into(),
            at_least: Goal::new("20 ms", p99 <= 20.0),
            aim: Goal::new("5 ms", p99 <= 5.0),
        });
        engine.stop().await;
    }
    if is_chosen("parallel") {
        let engine = engine(&folder.0.join("parallel.db"), 100_000).await?;
        let (first, last) = parallel(&engine).await?;
        rows.push(Row {
            workload: "SQLite: 10,000 parallel user tasks of one instance, one after the other".into(),
            potok: format!("first thousand {first:.0}/s, last {last:.0}/s"),
            peer: "-".into(),
            ratio: format!("{:.2} x", last / first),
            at_least: Goal::new("half the rate", last >= first / 2.0),
            aim: Goal::new("flat", last >= first * 0.9),
        });
        engine.stop().await;
    }
    if is_chosen("waiting") {
        rows.extend(waiting(&folder.0.join("waiting.db")).await?);
    }
    if is_chosen("postgres") {
        match plain::postgres_schema().await? {
            Some(url) => {
                let clients = plain::postgres(&url, 32, 1).await?;
                let engine = Engine::builder().postgres(url).start().await?;
                engine.deployment().file("tasks.bpmn", models::row("userTask", 3).file()).send().await?;
                let rate = three_tasks(&engine).await?;
                rows.push(Row {
                    workload: "PostgreSQL: start, three user tasks, end; 64 callers".into(),
                    potok: format!("{rate:.0} completions/s"),
                    peer: format!("plain PostgreSQL, 32 clients: {clients:.0} single-row commits/s"),
                    ratio: format!("{:.2} x", rate / clients),
                    at_least: Goal::new("1 x plain PostgreSQL", rate >= clients),
                    aim: Goal::new("2 x", rate >= 2.0 * clients),
                });
                engine.stop().await;
            }
            None => eprintln!("POTOK_POSTGRES_URL is not set: PostgreSQL is left out"),
        }
    }
    print("The embedded engine", ["workload", "Potok", "compared with", "ratio", "at least", "aim"], &rows);
    Ok(())
}

/// A folder on the disk that the build is on, removed in the end.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Result<Self, Failure> {
        let target = std::env::var("CARGO_TARGET_DIR").unwrap_or_else(|_| "target".into());
        let folder = Path::new(&target).join(format!("engine-bench-{}", std::process::id()));
        std::fs::create_dir_all(&folder)?;
        Ok(Self(folder))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

async fn engine(path: &Path, capacity: usize) -> Result<Engine, Failure> {
    let engine = Engine::builder().sqlite(path).instances_in_memory(capacity).start().await?;
    engine.deployment().file("tasks.bpmn", models::row("userTask", 3).file()).send().await?;
    Ok(engine)
}

/// Calls of many callers for a moment; how many there were in a second.
async fn callers<F, R>(count: usize, call: F) -> Result<f64, Failure>
where
    F: Fn(usize) -> R + Send + Sync + 'static,
    R: Future<Output = Result<u64, Failure>> + Send,
{
    let call = Arc::new(call);
    let done = Arc::new(AtomicU64::new(0));
    let begun = Instant::now();
    let callers: Vec<_> = (0..count)
        .map(|caller| {
            let (call, done) = (call.clone(), done.clone());
            tokio::spawn(async move {
                while begun.elapsed() < MOMENT {
                    let calls = call(caller).await?;
                    done.fetch_add(calls, Ordering::Relaxed);
                }
                Ok::<(), Failure>(())
            })
        })
        .collect();
    for caller in callers {
        caller.await??;
    }
    Ok(rate(done.load(Ordering::Relaxed), begun.elapsed()))
}

fn rate(calls: u64, time: Duration) -> f64 {
    f64::from(u32::try_from(calls).unwrap_or(u32::MAX)) / time.as_secs_f64()
}

/// The only open task of an instance, as an embedding program that keeps the state at hand finds it.
async fn task_of(engine: &Engine, case: potok::InstanceId) -> Result<TaskId, Failure> {
    let state = engine.instance(case).state().await?;
    let task = state.waits().next().map(|wait| TaskId(wait.key));
    task.ok_or_else(|| "no task is open".into())
}

async fn three_tasks(engine: &Engine) -> Result<f64, Failure> {
    let engine = engine.clone();
    callers(CALLERS, move |_| {
        let engine = engine.clone();
        async move {
            let case = engine.start("process").send().await?.id();
            for _ in 0..3 {
                engine.complete(task_of(&engine, case).await?, ()).await?;
            }
            Ok(3)
        }
    })
    .await
}

async fn start_many(engine: &Engine, count: usize) -> Result<Vec<TaskId>, Failure> {
    let mut starts = Vec::new();
    for caller in 0..CALLERS {
        let engine = engine.clone();
        let share = count / CALLERS + usize::from(caller < count % CALLERS);
        starts.push(tokio::spawn(async move {
            let mut tasks = Vec::with_capacity(share);
            for number in 0..share {
                let variables = vec![
                    ("number".into(), Value::Integer(i64::try_from(number)?)),
                    ("client".into(), Value::from(format!("client {caller}"))),
                    ("urgent".into(), Value::Boolean(number % 2 == 0)),
                ];
                let case =
                    engine.start("process").business_key(format!("C-{caller}-{number}")).variables(variables).send();
                tasks.push(task_of(&engine, case.await?.id()).await?);
            }
            Ok::<_, Failure>(tasks)
        }));
    }
    let mut tasks = Vec::with_capacity(count);
    for start in starts {
        tasks.extend(start.await??);
    }
    Ok(tasks)
}

async fn at_random(engine: &Engine, count: usize) -> Result<f64, Failure> {
    let mut tasks = start_many(engine, count).await?;
    fastrand::Rng::with_seed(7).shuffle(&mut tasks);
    let begun = Instant::now();
    let mut callers = Vec::new();
    for share in tasks.chunks(count.div_ceil(CALLERS)) {
        let (engine, share) = (engine.clone(), share.to_vec());
        callers.push(tokio::spawn(async move {
            for task in share {
                engine.complete(task, ()).await?;
            }
            Ok::<(), potok::Error>(())
        }));
    }
    for caller in callers {
        caller.await??;
    }
    Ok(rate(count as u64, begun.elapsed()))
}

async fn automatic(engine: &Engine) -> Result<f64, Failure> {
    engine.deployment().file("row.bpmn", models::row("task", 10).file()).anew().send().await?;
    let engine = engine.clone();
    callers(CALLERS, move |_| {
        let engine = engine.clone();
        async move {
            engine.start("process").send().await?;
            Ok(1)
        }
    })
    .await
}

/// The 99th of a hundred completions, in milliseconds, with half as many callers as saturate the engine.
async fn latency(engine: &Engine) -> Result<f64, Failure> {
    let times = Arc::new(std::sync::Mutex::new(Vec::new()));
    let (engine, taken) = (engine.clone(), times.clone());
    callers(CALLERS / 2, move |_| {
        let (engine, times) = (engine.clone(), taken.clone());
        async move {
            let case = engine.start("process").send().await?.id();
            for _ in 0..3 {
                let task = task_of(&engine, case).await?;
                let begun = Instant::now();
                engine.complete(task, ()).await?;
                times.lock().map_err(|_| "poisoned")?.push(begun.elapsed());
            }
            Ok(3)
        }
    })
    .await?;
    let mut times = times.lock().map_err(|_| "poisoned")?.clone();
    times.sort_unstable();
    let p99 = times.get(times.len() * 99 / 100).copied().unwrap_or_default();
    Ok(p99.as_secs_f64() * 1000.0)
}

/// How fast the first and the last thousand of ten thousand tasks of one instance are completed.
async fn parallel(engine: &Engine) -> Result<(f64, f64), Failure> {
    engine.deployment().file("many.bpmn", models::multi_instance("userTask", 10_000).file()).anew().send().await?;
    let case = engine.start("process").send().await?.id();
    let state = engine.instance(case).state().await?;
    let tasks: Vec<TaskId> = state.waits().map(|wait| TaskId(wait.key)).collect();
    let mut rates = Vec::new();
    for thousand in tasks.chunks(1000) {
        let begun = Instant::now();
        for task in thousand {
            engine.complete(*task, ()).await?;
        }
        rates.push(rate(1000, begun.elapsed()));
    }
    match (rates.first(), rates.last()) {
        (Some(first), Some(last)) => Ok((*first, *last)),
        _ => Err("no tasks".into()),
    }
}

/// A million waiting instances with three variables: what they take, and what opening and a page of tasks costs among them.
async fn waiting(path: &Path) -> Result<Vec<Row>, Failure> {
    let count = std::env::var("POTOK_WAITING").ok().and_then(|text| text.parse().ok()).unwrap_or(1_000_000_usize);
    let first = engine(path, 1_000).await?;
    start_many(&first, count).await?;
    first.stop().await;
    drop(first);
    let bytes =
        f64::from(u32::try_from(std::fs::metadata(path)?.len() / 1000)?) * 1000.0 / f64::from(u32::try_from(count)?);
    let begun = Instant::now();
    let engine = Engine::builder().sqlite(path).instances_in_memory(1_000).start().await?;
    let opened = begun.elapsed().as_secs_f64();
    let resident = plain::resident_megabytes();
    let mut pages = Vec::new();
    for _ in 0..20 {
        let begun = Instant::now();
        assert_eq!(engine.tasks().descending().limit(50).list().await?.len(), 50);
        pages.push(begun.elapsed());
    }
    pages.sort_unstable();
    let page = pages[pages.len() / 2].as_secs_f64() * 1000.0;
    engine.stop().await;
    let row = |workload: &str, potok: String, at_least: Goal, aim: Goal| Row {
        workload: format!("SQLite: {count} waiting instances, three variables: {workload}"),
        potok,
        peer: "-".into(),
        ratio: "-".into(),
        at_least,
        aim,
    };
    Ok(vec![
        row(
            "disk",
            format!("{bytes:.0} bytes each"),
            Goal::new("1.5 KB", bytes <= 1500.0),
            Goal::new("700", bytes <= 700.0),
        ),
        row(
            "time to open",
            format!("{opened:.3} s"),
            Goal::new("1 s", opened <= 1.0),
            Goal::new("0.1 s", opened <= 0.1),
        ),
        row(
            "resident",
            format!("{resident:.0} MB"),
            Goal::new("200 MB", resident <= 200.0),
            Goal::new("60 MB", resident <= 60.0),
        ),
        row(
            "a page of 50 tasks",
            format!("{page:.2} ms"),
            Goal::new("10 ms", page <= 10.0),
            Goal::new("2 ms", page <= 2.0),
        ),
    ])
}
