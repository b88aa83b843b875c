//! What `potok serve` says of its work: traces to a collector, and logs for programs.
#![cfg(unix)]

mod command;

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

use command::file;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;
use serde_json::{Value, json};

/// A server that is killed if it has not been stopped.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Reads a message: its head, and as much of a body as that says.
fn read(stream: &mut TcpStream) -> Option<(String, Vec<u8>)> {
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        if line == "\r\n" {
            break;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
        head += &line;
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some((head, body))
}

/// A collector of traces.
fn collector() -> (String, Arc<Mutex<Vec<Span>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("its address"));
    let spans = Arc::new(Mutex::new(Vec::new()));
    let gathered = spans.clone();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            while let Some((head, body)) = read(&mut stream) {
                assert!(head.starts_with("POST /v1/traces "), "{head}");
                let request = ExportTraceServiceRequest::decode(&body[..]).expect("spans");
                let scopes = request.resource_spans.into_iter().flat_map(|resource| resource.scope_spans);
                gathered.lock().expect("spans").extend(scopes.flat_map(|scope| scope.spans));
                stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").expect("answered");
            }
        }
    });
    (url, spans)
}

/// Sends a request, and gives the answer's head and body.
fn post(address: &str, path: &str, body: &Value, headers: &str) -> (String, Value) {
    let mut stream = TcpStream::connect(address).expect("it listens");
    let body = body.to_string();
    let head = format!(
        "POST /api/v1{path} HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n{headers}\r\n",
        body.len()
    );
    stream.write_all((head + &body).as_bytes()).expect("sent");
    let (head, body) = read(&mut stream).expect("an answer");
    (head, serde_json::from_slice(&body).unwrap_or_default())
}

const CALLER: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn a_trace_goes_from_the_caller_through_a_job_to_its_completion() {
    let (url, spans) = collector();
    let models = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/workers/letter.bpmn");
    let db = file(&format!("telemetry-{}", std::process::id()), "any", "").replace("any", "work.db");
    let child = Command::new(env!("CARGO_BIN_EXE_potok"))
        .args(["serve", models, "--listen", "127.0.0.1:0", "--db", &db, "--otlp", &url])
        .args(["--log-format", "json", "--log-level", "debug"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut server = Server(child.expect("the binary starts"));
    let mut log = server.0.stderr.take().expect("its log");
    let log = std::thread::spawn(move || {
        let mut text = String::new();
        log.read_to_string(&mut text).expect("UTF-8");
        text
    });
    let mut lines = BufReader::new(server.0.stdout.take().expect("its output")).lines().map_while(Result::ok);
    let ready = lines.next().expect("it says that it is ready");
    let address = ready.split("http://").nth(1).expect("where it listens").to_owned();

    let start = json!({"definition": "letter", "variables": {"client": "Anna"}});
    let headers = format!("traceparent: {CALLER}\r\nX-Request-Id: call-17\r\n");
    let (head, started) = post(&address, "/instances", &start, &headers);
    assert!(head.contains(" 201 ") && head.to_ascii_lowercase().contains("x-request-id: call-17"), "{head}");
    let (_, jobs) = post(&address, "/jobs/fetch", &json!({"worker": "w", "topics": ["send-letter"]}), "");
    let traceparent = jobs[0]["traceparent"].as_str().expect("the job's trace").to_owned();
    assert!(traceparent.starts_with(&format!("00-{TRACE}-")) && traceparent != CALLER, "{traceparent}");
    let complete = format!("/jobs/{}/complete", jobs[0]["id"].as_str().expect("an id"));
    let headers = format!("traceparent: {traceparent}\r\n");
    let (head, _) = post(&address, &complete, &json!({"lease": jobs[0]["lease"]}), &headers);
    assert!(head.contains(" 204 "), "{head}");
    assert!(Command::new("kill").arg(server.0.id().to_string()).status().expect("told").success());
    assert_eq!(lines.last().as_deref(), Some("stopped"));
    assert!(server.0.wait().expect("it ends").success());

    let spans = spans.lock().expect("spans");
    let named =
        |name: &str| spans.iter().find(|span| span.name == name).unwrap_or_else(|| panic!("{name}: {spans:#?}"));
    let (start, complete) = (named("POST /api/v1/instances"), named("POST /api/v1/jobs/{id}/complete"));
    assert_eq!((hex(&start.trace_id), hex(&start.parent_span_id)), (TRACE.into(), "00f067aa0ba902b7".into()));
    assert_eq!(traceparent, format!("00-{TRACE}-{}-01", hex(&start.span_id)));
    assert_eq!((hex(&complete.trace_id), &complete.parent_span_id), (TRACE.into(), &start.span_id));
    assert_ne!(hex(&named("POST /api/v1/jobs/fetch").trace_id), TRACE);

    let log = log.join().expect("its log");
    let lines: Vec<Value> =
        log.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect();
    let about = |message: &str| lines.iter().find(|line| line["message"] == message).unwrap_or_else(|| panic!("{log}"));
    assert_eq!(about("instance-started")["instance"], started["id"]);
    assert_eq!((&about("instance-started")["trace"], &about("job-completed")["trace"]), (&json!(TRACE), &json!(TRACE)));
    assert_eq!(about("instance-started")["span"]["id"], json!("call-17"));
    assert_eq!(about("job-completed")["job"], jobs[0]["id"]);
}
