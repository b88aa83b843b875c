//! Whole instances on one PostgreSQL, beside the engines that people come from: `benches/run engines`.
//!
//! Camunda 7 and Flowable are embedded in small Java programs (`peers/java`), each with a database of its own on the same
//! server; Potok is embedded here. They run in turn, so that none has a better moment than another; the medians count.
//! `POTOK_POSTGRES_URL` names the server, `POTOK_JAVA_PEERS` the folder that `peers/java/build` has filled.

use std::io::{BufRead, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use potok::{Engine, Value};
use potok_benches::models::{self, Language};
use potok_benches::plain::{self, Failure};
use potok_benches::table::{Goal, Row, print};

/// How often each is measured, and for how long.
const TURNS: usize = 5;
const MOMENT: Duration = Duration::from_secs(2);

/// How long the Java programs run before they are measured, for their compiler.
const WARM_UP: Duration = Duration::from_secs(6);

fn main() -> Result<(), Failure> {
    let Ok(url) = std::env::var("POTOK_POSTGRES_URL") else {
        println!("POTOK_POSTGRES_URL names no server: nothing is measured.");
        return Ok(());
    };
    let folder = std::env::temp_dir().join(format!("potok-engines-{}", std::process::id()));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let measured = runtime.block_on(measure(&url, &folder));
    std::fs::remove_dir_all(&folder)?;
    measured
}

/// A process, and the file that it is in.
struct Workload {
    process: &'static str,
    words: &'static str,
    file: String,
}

fn workloads() -> Vec<Workload> {
    let workload = |process: &'static str, words, level: models::Level| {
        let file = level.file().replace("id=\"process\"", &format!("id=\"{process}\""));
        // A cardinality that all of them read.
        Workload { process, words, file: file.replace(">=20<", ">20<") }
    };
    vec![
        workload("seq10", "ten automatic tasks", models::row("task", 10)),
        workload("loop5", "exclusive loop of 5", models::exclusive_loop(Language::Template, 5)),
        workload("par10", "parallel split and join of 10", models::split_and_join("parallelGateway", "task", 10)),
        workload("user3", "three user tasks, each found by a query", models::row("userTask", 3)),
        workload("sub3", "sub-process 3 deep", models::nested(3)),
        workload("multi20", "parallel multi-instance of 20", models::multi_instance("task", 20)),
    ]
}

async fn measure(url: &str, folder: &Path) -> Result<(), Failure> {
    let workloads = workloads();
    let mut peers = Vec::new();
    if let Some(java) = std::env::var_os("POTOK_JAVA_PEERS").map(PathBuf::from) {
        for (name, class, namespace) in [
            ("Camunda 7.24", "Camunda", "http://camunda.org/schema/1.0/bpmn"),
            ("Flowable 7.1", "Flowable", "http://flowable.org/bpmn"),
        ] {
            let models = folder.join(class);
            std::fs::create_dir_all(&models)?;
            for workload in &workloads {
                let file = workload.file.replace("http://camunda.org/schema/1.0/bpmn", namespace);
                std::fs::write(models.join(format!("{}.bpmn", workload.process)), file)?;
            }
            peers.push(Peer::start(
                name,
                class,
                &java,
                &plain::java_database(url, &format!("potok_bench_{}", class.to_lowercase())).await?,
                &models,
            )?);
        }
    } else {
        println!("POTOK_JAVA_PEERS names no folder: Camunda and Flowable are left out.");
    }
    std::fs::create_dir_all(folder)?;
    let schema = plain::postgres_schema().await?.ok_or("no server")?;
    let engine = Engine::builder().postgres(schema).start().await?;
    for workload in &workloads {
        engine.deployment().file(format!("{}.bpmn", workload.process), &workload.file).send().await?;
    }
    let mut rows = Vec::new();
    for threads in [1, 16] {
        for workload in &workloads {
            rows.extend(compare(&engine, &mut peers, workload, threads).await?);
        }
    }
    for clients in [1, 32] {
        let rate = plain::postgres(url, clients, 1).await?;
        println!("plain PostgreSQL, {clients} clients: {rate:.0} single-row commits/s");
    }
    let head = ["workload", "Potok, instances/s", "compared with, instances/s", "ratio", "at least", "aim"];
    print("Whole instances on one PostgreSQL, history full", head, &rows);
    Ok(())
}

/// One workload with so many callers: a row for each peer.
async fn compare(
    engine: &Engine,
    peers: &mut [Peer],
    workload: &Workload,
    threads: usize,
) -> Result<Vec<Row>, Failure> {
    for peer in &mut *peers {
        peer.run(workload.process, threads, WARM_UP)?;
    }
    let mut own = Vec::new();
    let mut others = vec![Vec::new(); peers.len()];
    for _ in 0..TURNS {
        own.push(run(engine, workload.process, threads).await?);
        for (peer, figures) in peers.iter_mut().zip(&mut others) {
            figures.push(peer.run(workload.process, threads, MOMENT)?);
        }
    }
    let words = |figures: Figures| match workload.process {
        "user3" => format!("{:.0} (a completion: p99 {:.1} ms)", figures.rate, figures.p99),
        _ => format!("{:.0}", figures.rate),
    };
    let own = median(own);
    Ok(peers
        .iter()
        .zip(others)
        .map(|(peer, figures)| {
            let figures = median(figures);
            let ratio = own.rate / figures.rate;
            Row {
                workload: format!("{}; {threads} at a time", workload.words),
                potok: words(own),
                peer: format!("{} {}", peer.name, words(figures)),
                ratio: format!("{ratio:.1} x"),
                at_least: Goal::new("20 x", ratio >= 20.0),
                aim: Goal::new("100 x", ratio >= 100.0),
            }
        })
        .collect())
}

/// What one turn gives.
#[derive(Clone, Copy, Debug)]
struct Figures {
    /// Instances a second.
    rate: f64,
    /// The 99th of a hundred completions of a task, in milliseconds.
    p99: f64,
}

fn median(mut figures: Vec<Figures>) -> Figures {
    figures.sort_by(|one, other| one.rate.total_cmp(&other.rate));
    figures[figures.len() / 2]
}

/// An engine in a Java program.
struct Peer {
    name: &'static str,
    program: Child,
    questions: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Peer {
    fn start(name: &'static str, class: &str, java: &Path, url: &str, models: &Path) -> Result<Self, Failure> {
        let home = java.join(class.to_lowercase());
        let path = format!("{}:{}/*", home.display(), home.join("lib").display());
        let mut program = Command::new("java")
            .args(["-Xmx1g", "-cp", &path, class, url])
            .arg(models)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let questions = program.stdin.take().ok_or("no standard input")?;
        let answers = BufReader::new(program.stdout.take().ok_or("no standard output")?);
        let mut peer = Self { name, program, questions, answers };
        while peer.line()? != "ready" {}
        Ok(peer)
    }

    fn line(&mut self) -> Result<String, Failure> {
        let mut line = String::new();
        if self.answers.read_line(&mut line)? == 0 {
            return Err(format!("{} has ended", self.name).into());
        }
        Ok(line.trim().to_owned())
    }

    fn run(&mut self, process: &str, threads: usize, time: Duration) -> Result<Figures, Failure> {
        writeln!(self.questions, "{process} {threads} {}", time.as_secs_f64())?;
        let line = self.line()?;
        let (rate, p99) = line.split_once(' ').ok_or_else(|| format!("{} says: {line}", self.name))?;
        Ok(Figures { rate: rate.parse()?, p99: p99.parse()? })
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}

/// Runs instances on the embedded engine for a moment.
async fn run(engine: &Engine, process: &'static str, callers: usize) -> Result<Figures, Failure> {
    let times = Arc::new(Mutex::new(Vec::new()));
    let done = Arc::new(AtomicU64::new(0));
    let begun = Instant::now();
    let tasks: Vec<_> = (0..callers)
        .map(|_| {
            let (engine, times, done) = (engine.clone(), times.clone(), done.clone());
            tokio::spawn(async move {
                while begun.elapsed() < MOMENT {
                    let taken = whole_instance(&engine, process).await?;
                    times.lock().map_err(|_| "poisoned")?.extend(taken);
                    done.fetch_add(1, Ordering::Relaxed);
                }
                Ok::<(), Failure>(())
            })
        })
        .collect();
    for task in tasks {
        task.await??;
    }
    let rate = f64::from(u32::try_from(done.load(Ordering::Relaxed))?) / begun.elapsed().as_secs_f64();
    let mut times = times.lock().map_err(|_| "poisoned")?.clone();
    times.sort_unstable();
    let p99 = times.get(times.len() * 99 / 100).map_or(0.0, |time: &Duration| time.as_secs_f64() * 1000.0);
    Ok(Figures { rate, p99 })
}

/// Starts an instance and completes its tasks, each found by a query; gives how long each completion took.
async fn whole_instance(engine: &Engine, process: &'static str) -> Result<Vec<Duration>, Failure> {
    let case = engine.start(process).variables(vec![("count".into(), Value::Integer(0))]).send().await?.id();
    let mut taken = Vec::new();
    if process != "user3" {
        return Ok(taken);
    }
    while let Some(task) = engine.tasks().instance(case).list().await?.pop() {
        let begun = Instant::now();
        engine.complete(task.id(), ()).await?;
        taken.push(begun.elapsed());
    }
    Ok(taken)
}
