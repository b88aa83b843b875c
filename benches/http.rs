//! What HTTP costs the server: the processor time that a server's process uses for each call, less what a process uses that does the same
//! embedded. 64 callers start instances and complete their three tasks, each of which they look for first; SQLite, every acknowledged call
//! written through to the disk.
//!
//! The program runs itself twice, as the embedded engine and as the server, so that whoever makes the load is not counted.

use std::io::{self, BufRead as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use potok::query::{Paging, TaskQuery};
use potok::row::TaskState;
use potok::{Engine, TaskId};
use potok_benches::caller::Caller;
use potok_rest::{Options, router};
use serde_json::json;

const MODEL: &str = r#"<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" targetNamespace="bench">
  <process id="three" isExecutable="true">
    <startEvent id="start"/><sequenceFlow id="f1" sourceRef="start" targetRef="a"/>
    <userTask id="a"/><sequenceFlow id="f2" sourceRef="a" targetRef="b"/>
    <userTask id="b"/><sequenceFlow id="f3" sourceRef="b" targetRef="c"/>
    <userTask id="c"/><sequenceFlow id="f4" sourceRef="c" targetRef="end"/><endEvent id="end"/>
  </process>
</definitions>"#;

const CALLERS: u32 = 64;

/// Instances of each caller, and before anything is counted.
const INSTANCES: u32 = 60;
const WARM_UP: u32 = 10;

/// Start, and three times: look for the task, complete it.
const CALLS: u32 = 7;

/// Each way is measured so often, in turn; the medians count.
const ROUNDS: usize = 3;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    match &arguments[..] {
        [mode, database] if mode == "embedded" => serve_embedded(database),
        [mode, database] if mode == "server" => serve_http(database),
        _ => compare(),
    }
}

/// The processor time that this process has used.
fn process_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0))
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime")
}

async fn engine(database: &str) -> Engine {
    let engine = Engine::builder().sqlite(database).no_backups().start().await.expect("an engine");
    engine.deployment().file("three.bpmn", MODEL).send().await.expect("deployed");
    engine
}

/// Answers each line of the input with the processor time used so far, after having done what the line asks for.
fn serve_embedded(database: &str) {
    let runtime = runtime();
    let engine = runtime.block_on(engine(database));
    println!("ready");
    for line in std::io::stdin().lines().map_while(Result::ok) {
        let count: u32 = line.parse().expect("how many instances of each caller");
        runtime.block_on(async {
            let callers = (0..CALLERS).map(|_| {
                let engine = engine.clone();
                tokio::spawn(async move {
                    for _ in 0..count {
                        work(&engine).await.expect("done");
                    }
                })
            });
            for caller in callers.collect::<Vec<_>>() {
                caller.await.expect("a caller");
            }
        });
        println!("{}", process_time().as_nanos());
    }
    runtime.block_on(engine.stop());
}

async fn work(engine: &Engine) -> Result<(), potok::Error> {
    let case = engine.start("three").variables(json!({"amount": 17})).send().await?;
    for _ in 0..3 {
        let open = TaskQuery {
            states: vec![TaskState::Open],
            instances: vec![case.id().0],
            page: Paging { limit: Some(100), ..Paging::default() },
            ..TaskQuery::default()
        };
        let task = engine.search(&open).await?.rows.pop().expect("a task");
        engine.complete(TaskId(task.key), json!({"checked": true})).await?;
    }
    Ok(())
}

fn serve_http(database: &str) {
    let runtime = runtime();
    let engine = runtime.block_on(engine(database));
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).expect("a port");
    let address = listener.local_addr().expect("its address");
    let options = Options::local(address.port());
    let (app, stop) = (router(engine.clone(), &options), options.stop.clone());
    let serving = runtime.spawn(async move { potok_rest::serve(listener, app, None, &stop).await });
    println!("{address}");
    for _ in std::io::stdin().lines().map_while(Result::ok) {
        println!("{}", process_time().as_nanos());
    }
    options.stop.now();
    let _ = runtime.block_on(serving);
    runtime.block_on(engine.stop());
}

/// The same program, in another process.
struct Other {
    child: Child,
    input: Option<ChildStdin>,
    output: io::BufReader<ChildStdout>,
    folder: PathBuf,
}

impl Other {
    fn start(mode: &str, round: usize) -> (Self, String) {
        let folder = std::env::temp_dir().join(format!("potok-bench-http-{}-{mode}-{round}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        let database = folder.join("work.db");
        let mut child = Command::new(std::env::current_exe().expect("this program"))
            .args([Path::new(mode), &database])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("it starts");
        let input = child.stdin.take();
        let output = io::BufReader::new(child.stdout.take().expect("its output"));
        let mut other = Self { child, input, output, folder };
        let ready = other.line();
        (other, ready)
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).expect("a line");
        line.trim_end().to_owned()
    }

    /// The processor time that it has used after it has done that.
    fn ask(&mut self, line: &str) -> Duration {
        writeln!(self.input.as_mut().expect("its input"), "{line}").expect("asked");
        Duration::from_nanos(self.line().parse().expect("nanoseconds"))
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        drop(self.input.take());
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Processor time of a call, in microseconds.
fn of_one_call(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6 / f64::from(CALLERS * INSTANCES * CALLS)
}

fn compare() {
    let (mut embedded, mut http, mut rates) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let (mut other, _) = Other::start("embedded", round);
        let before = other.ask(&WARM_UP.to_string());
        embedded.push(of_one_call(other.ask(&INSTANCES.to_string()) - before));
        drop(other);
        let (mut other, address) = Other::start("server", round);
        load(&address, WARM_UP);
        let (before, begun) = (other.ask(""), Instant::now());
        load(&address, INSTANCES);
        rates.push(f64::from(CALLERS * INSTANCES * CALLS) / begun.elapsed().as_secs_f64());
        http.push(of_one_call(other.ask("") - before));
    }
    let (embedded, http, rate) = (median(embedded), median(http), median(rates));
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    println!(
        "processor time of a call: embedded {embedded:.1} µs, by HTTP {http:.1} µs ({rate:.0} calls/s; load {})",
        load.trim()
    );
    let met = if http - embedded <= 40.0 { "met" } else { "NOT MET" };
    println!("HTTP costs {:.1} µs a call; 40 µs at most: {met}", http - embedded);
}

fn median(mut samples: Vec<f64>) -> f64 {
    samples.sort_by(f64::total_cmp);
    samples[samples.len() / 2]
}

/// Makes the load, in one thread that waits for all connections at once, as load generators do: were there one for each, the server's
/// process would be charged for waking every one of them.
fn load(address: &str, count: u32) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let callers = (0..CALLERS).map(|_| async move {
        let mut caller = Caller::connect(address, "/api/v1").await.expect("it listens");
        for _ in 0..count {
            ask(&mut caller).await.expect("answered");
        }
    });
    runtime.block_on(futures_util::future::join_all(callers));
}

async fn ask(caller: &mut Caller) -> io::Result<()> {
    let order = caller.post("/instances", &json!({"definition": "three", "variables": {"amount": 17}})).await?;
    let open = json!({"filter": {"instances": [order["id"]], "states": ["open"]}});
    for _ in 0..3 {
        let found = caller.post("/tasks/search", &open).await?;
        let task = found["items"][0]["id"].as_str().expect("a task");
        caller.post(&format!("/tasks/{task}/complete"), &json!({"variables": {"checked": true}})).await?;
    }
    Ok(())
}
