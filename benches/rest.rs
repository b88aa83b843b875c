//! Camunda 7's REST API, as Potok and as Camunda 7 itself answer it: `benches/run rest`.
//!
//! Both are programs of their own on the same PostgreSQL server, and get the same calls in turn; the medians count.
//! `POTOK_POSTGRES_URL` names the server, `POTOK_PROGRAM` the program `potok`, `POTOK_JAVA_PEERS` the folder that
//! `peers/java/build` has filled; without it Potok is measured alone.

use std::cell::Cell;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use potok_benches::caller::Caller;
use potok_benches::plain::{self, Failure};
use potok_benches::table::{Goal, Row, print};
use reqwest::Client;
use reqwest::multipart::{Form, Part};
use serde_json::json;

/// How often each is measured, and for how long.
const TURNS: usize = 5;
const MOMENT: Duration = Duration::from_secs(3);

/// How long both run before they are measured, for Java's compiler.
const WARM_UP: Duration = Duration::from_secs(10);

/// Workers that take twenty tasks at a time.
const WORKERS: usize = 8;

/// People who start instances and complete their tasks.
const PEOPLE: usize = 16;

/// Instances that always have a task for a worker.
const ENDLESS: usize = 1000;

fn main() -> Result<(), Failure> {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let (Some(url), Some(potok)) = (variable("POTOK_POSTGRES_URL"), variable("POTOK_PROGRAM")) else {
        println!("POTOK_POSTGRES_URL or POTOK_PROGRAM is not said: nothing is measured.");
        return Ok(());
    };
    let java = variable("POTOK_JAVA_PEERS");
    if java.is_none() {
        println!("POTOK_JAVA_PEERS names no folder: Camunda is left out.");
    }
    let java = java.as_deref().map(Path::new);
    // One thread for all callers, as load generators do.
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(measure(&url, &potok, java))
}

async fn measure(url: &str, potok: &str, java: Option<&Path>) -> Result<(), Failure> {
    let own = potok_server(potok).await?;
    let other = match java {
        Some(java) => Some(camunda_server(url, java).await?),
        None => None,
    };
    let servers = || [Some(&own), other.as_ref()].into_iter().flatten();
    for server in servers() {
        server.deploy().await?;
        let mut caller = server.caller().await?;
        for _ in 0..ENDLESS {
            caller.post("/process-definition/key/endless/start", &json!({})).await?;
        }
    }
    let mut rows = Vec::new();
    for workload in [Workload::Workers, Workload::People] {
        for server in servers() {
            server.run(workload, WARM_UP).await?;
        }
        let (mut mine, mut theirs) = (Vec::new(), Vec::new());
        for _ in 0..TURNS {
            mine.push(own.run(workload, MOMENT).await?);
            if let Some(other) = &other {
                theirs.push(other.run(workload, MOMENT).await?);
            }
        }
        let mine = median(mine);
        let theirs = (!theirs.is_empty()).then(|| median(theirs));
        let ratio = theirs.map(|theirs| mine / theirs);
        rows.push(Row {
            workload: workload.words().into(),
            potok: format!("{mine:.0} completions/s"),
            peer: theirs.map_or("-".into(), |theirs| format!("Camunda 7.24 {theirs:.0} completions/s")),
            ratio: ratio.map_or("-".into(), |ratio| format!("{ratio:.1} x")),
            at_least: ratio.map_or_else(Goal::default, |ratio| Goal::new("10 x", ratio >= 10.0)),
            aim: Goal::default(),
        });
    }
    let head = ["workload", "Potok", "compared with", "ratio", "at least", "aim"];
    print("Camunda 7's REST API, both on one PostgreSQL", head, &rows);
    Ok(())
}

async fn potok_server(program: &str) -> Result<Server, Failure> {
    let database = plain::postgres_schema().await?.ok_or("no server")?;
    let mut command = Command::new(program);
    let port = free_port()?;
    command.args(["serve", "--listen", &format!("127.0.0.1:{port}"), "--db", &database]);
    Server::start(command, port).await
}

async fn camunda_server(url: &str, java: &Path) -> Result<Server, Failure> {
    let port = free_port()?;
    let home = java.join("camunda-rest");
    let mut command = Command::new("java");
    let path = format!("{}:{}/*", home.display(), home.join("lib").display());
    let database = plain::java_database(url, "potok_bench_camunda_rest").await?;
    command.args(["-Xmx1g", "-cp", &path, "CamundaRest", &port.to_string(), &database]);
    Server::start(command, port).await
}

fn median(mut rates: Vec<f64>) -> f64 {
    rates.sort_by(f64::total_cmp);
    rates[rates.len() / 2]
}

fn free_port() -> Result<u16, Failure> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

#[derive(Clone, Copy)]
enum Workload {
    Workers,
    People,
}

impl Workload {
    fn words(self) -> &'static str {
        match self {
            Self::Workers => "fetch and lock 20, complete each; 8 workers",
            Self::People => "start, find and complete three user tasks; 16 at a time",
        }
    }
}

/// A program that answers under `/engine-rest`.
struct Server {
    program: Child,
    address: String,
    client: Client,
}

impl Server {
    async fn start(mut command: Command, port: u16) -> Result<Self, Failure> {
        let program = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
        let address = format!("127.0.0.1:{port}");
        let server = Self { program, address, client: Client::new() };
        let begun = Instant::now();
        while server.client.get(server.url("/version")).send().await.is_err() {
            if begun.elapsed() > Duration::from_secs(120) {
                return Err(format!("{} does not answer", server.address).into());
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        Ok(server)
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}/engine-rest{path}", self.address)
    }

    async fn deploy(&self) -> Result<(), Failure> {
        let form = Form::new()
            .text("deployment-name", "bench")
            .part("endless", Part::text(ENDLESS_MODEL).file_name("endless.bpmn"))
            .part("people", Part::text(PEOPLE_MODEL).file_name("people.bpmn"));
        let answer = self.client.post(self.url("/deployment/create")).multipart(form).send().await?;
        answer.error_for_status()?;
        Ok(())
    }

    async fn caller(&self) -> Result<Caller, Failure> {
        Ok(Caller::connect(&self.address, "/engine-rest").await?)
    }

    /// Completions a second.
    async fn run(&self, workload: Workload, time: Duration) -> Result<f64, Failure> {
        let callers = match workload {
            Workload::Workers => WORKERS,
            Workload::People => PEOPLE,
        };
        let done = Cell::new(0_u32);
        let begun = Instant::now();
        let calls = (0..callers).map(|number| {
            let done = &done;
            async move {
                let mut caller = self.caller().await?;
                while begun.elapsed() < time {
                    match workload {
                        Workload::Workers => take(&mut caller, number, done).await?,
                        Workload::People => whole_instance(&mut caller, done).await?,
                    }
                }
                Ok::<(), Failure>(())
            }
        });
        futures_util::future::try_join_all(calls).await?;
        Ok(f64::from(done.get()) / begun.elapsed().as_secs_f64())
    }
}

/// A worker takes twenty tasks, and completes each.
async fn take(caller: &mut Caller, number: usize, done: &Cell<u32>) -> Result<(), Failure> {
    let worker = format!("worker {number}");
    let topics = json!([{"topicName": "work", "lockDuration": 60_000}]);
    let fetch = json!({"workerId": worker, "maxTasks": 20, "usePriority": false, "topics": topics});
    let tasks = caller.post("/external-task/fetchAndLock", &fetch).await?;
    for task in tasks.as_array().into_iter().flatten() {
        let path = format!("/external-task/{}/complete", task["id"].as_str().unwrap_or_default());
        caller.post(&path, &json!({"workerId": worker})).await?;
        done.update(|done| done + 1);
    }
    Ok(())
}

/// Somebody starts an instance, and finds and completes its tasks.
async fn whole_instance(caller: &mut Caller, done: &Cell<u32>) -> Result<(), Failure> {
    let instance = caller.post("/process-definition/key/people/start", &json!({})).await?;
    let id = instance["id"].as_str().unwrap_or_default();
    for _ in 0..3 {
        let tasks = caller.get(&format!("/task?processInstanceId={id}")).await?;
        let task = tasks[0]["id"].as_str().ok_or("no task is open")?;
        caller.post(&format!("/task/{task}/complete"), &json!({})).await?;
        done.update(|done| done + 1);
    }
    Ok(())
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}

const ENDLESS_MODEL: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:camunda="http://camunda.org/schema/1.0/bpmn" id="definitions" targetNamespace="http://example.com/bench">
  <process id="endless" isExecutable="true">
    <startEvent id="start" />
    <exclusiveGateway id="again" />
    <serviceTask id="work" camunda:type="external" camunda:topic="work" />
    <sequenceFlow id="begin" sourceRef="start" targetRef="again" />
    <sequenceFlow id="next" sourceRef="again" targetRef="work" />
    <sequenceFlow id="back" sourceRef="work" targetRef="again" />
  </process>
</definitions>
"#;

const PEOPLE_MODEL: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:camunda="http://camunda.org/schema/1.0/bpmn" id="definitions" targetNamespace="http://example.com/bench">
  <process id="people" isExecutable="true">
    <startEvent id="start" />
    <userTask id="one" />
    <userTask id="two" />
    <userTask id="three" />
    <endEvent id="end" />
    <sequenceFlow id="to_one" sourceRef="start" targetRef="one" />
    <sequenceFlow id="to_two" sourceRef="one" targetRef="two" />
    <sequenceFlow id="to_three" sourceRef="two" targetRef="three" />
    <sequenceFlow id="to_end" sourceRef="three" targetRef="end" />
  </process>
</definitions>
"#;
