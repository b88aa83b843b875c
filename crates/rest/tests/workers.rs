//! The workers of `examples/workers`, against a server that listens; and connections that take their time.

#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use potok::query::IncidentQuery;
use potok::row::InstanceState;
use potok::{Engine, InstanceId};
use potok_rest::{Options, Stop, router, serve};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

const MINUTE: Duration = Duration::from_secs(60);

struct Server {
    engine: Engine,
    address: SocketAddr,
    stop: Stop,
    running: JoinHandle<std::io::Result<()>>,
}

impl Server {
    async fn new() -> Self {
        let engine = Engine::builder().sqlite_in_memory().start().await.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let options = Options::local(address.port());
        let (stop, app) = (options.stop.clone(), router(engine.clone(), &options));
        let told = stop.clone();
        let running = tokio::spawn(async move { serve(listener, app, None, &told).await });
        Self { engine, address, stop, running }
    }

    async fn stop(self) {
        self.stop.now();
        tokio::time::timeout(MINUTE, self.running).await.unwrap().unwrap().unwrap();
        self.engine.stop().await;
    }

    async fn ended(&self, instance: InstanceId) -> InstanceState {
        let case = self.engine.instance(instance);
        tokio::time::timeout(MINUTE, case.ended()).await.unwrap().unwrap().state
    }
}

/// A program that ends with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/workers")
}

async fn sends_letters(interpreter: &str, program: &str) {
    if Command::new(interpreter).arg("--version").stdout(Stdio::null()).status().is_err() {
        let _ = writeln!(std::io::stderr(), "left out, for want of {interpreter}: {program}");
        return;
    }
    let text = std::fs::read_to_string(examples().join(program)).unwrap();
    assert!(text.lines().count() < 40, "it is to be short");
    let server = Server::new().await;
    server.engine.deploy_path(examples().join("letter.bpmn")).await.unwrap();
    let url = format!("http://{}", server.address);
    let worker = Command::new(interpreter).arg(examples().join(program)).arg(url).stdout(Stdio::null()).spawn();
    let worker = Running(worker.unwrap());
    let letter = server.engine.start("letter").variables(json!({"client": "Anna"})).send().await.unwrap().id();
    assert_eq!(server.ended(letter).await, InstanceState::Completed);
    let variables = server.engine.instance(letter).variables().await.unwrap();
    assert!(variables.iter().any(|(name, value)| name == "sent" && *value == true.into()), "{variables:?}");

    // What a worker cannot do is tried again, and then known.
    let nobody = server.engine.start("letter").send().await.unwrap().id();
    let jobs = potok::query::JobQuery { instances: vec![nobody.0], ..Default::default() };
    let failed = async {
        let end = server.engine.feed_end().await.unwrap();
        let mut after = end;
        while server.engine.jobs(&jobs).await.unwrap().iter().all(|job| job.error.is_none()) {
            after = server.engine.feed(after, 100, Duration::from_secs(1)).await.unwrap().end;
        }
    };
    tokio::time::timeout(MINUTE, failed).await.unwrap();
    assert_eq!(server.engine.count(&IncidentQuery::default()).await.unwrap(), 0, "it has another try");
    drop(worker);
    server.stop().await;
}

#[tokio::test]
async fn a_worker_in_python_sends_letters() {
    sends_letters("python3", "worker.py").await;
}

#[tokio::test]
async fn a_worker_in_javascript_sends_letters() {
    sends_letters("node", "worker.mjs").await;
}

#[tokio::test]
async fn a_call_that_runs_comes_to_its_end_when_the_server_stops() {
    let server = Server::new().await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let body = r#"{"worker": "w", "topics": ["send-letter"], "waitSeconds": 60}"#;
    let head = format!(
        "POST /api/v1/jobs/fetch HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        server.address,
        body.len()
    );
    stream.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
    // It has arrived once another call is answered that came after it on this machine.
    let mut other = TcpStream::connect(server.address).await.unwrap();
    let ask = format!("GET /healthz HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", server.address);
    other.write_all(ask.as_bytes()).await.unwrap();
    let mut answer = String::new();
    other.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 204"), "{answer}");
    server.stop().await;
    let mut answer = String::new();
    tokio::time::timeout(MINUTE, stream.read_to_string(&mut answer)).await.unwrap().unwrap();
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("[]"), "{answer}");
}

#[tokio::test]
async fn what_is_no_http_is_refused_and_nobody_else_is_held_up() {
    let server = Server::new().await;
    let mut silent = Vec::new();
    for _ in 0..50 {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        stream.write_all(b"GET /heal").await.unwrap();
        silent.push(stream);
    }
    for sent in [&b"\x16\x03\x01\x02\x00\x01"[..], b"GET / HTTP/9.9\r\n\r\n", b"G\0T / HTTP/1.1\r\n\r\n"] {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        stream.write_all(sent).await.unwrap();
        let mut answer = Vec::new();
        let _ = tokio::time::timeout(MINUTE, stream.read_to_end(&mut answer)).await.unwrap();
        assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.1 400"), "{}", String::from_utf8_lossy(&answer));
    }
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let ask = format!("GET /readyz HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", server.address);
    stream.write_all(ask.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 204"), "{answer}");
    drop(silent);
    server.stop().await;
}
