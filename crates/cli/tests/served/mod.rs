//! `potok serve`, and those who call it.

use std::io::{BufRead as _, BufReader as Lines};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;

/// An order goes through three hands and is packed by a program.
pub(crate) const ORDER: &str = r#"<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:potok="urn:potok:bpmn:1.0" targetNamespace="load">
  <process id="order" isExecutable="true">
    <startEvent id="start"/><sequenceFlow id="f1" sourceRef="start" targetRef="check"/>
    <userTask id="check"/><sequenceFlow id="f2" sourceRef="check" targetRef="approve"/>
    <userTask id="approve"/><sequenceFlow id="f3" sourceRef="approve" targetRef="pay"/>
    <userTask id="pay"/><sequenceFlow id="f4" sourceRef="pay" targetRef="pack"/>
    <serviceTask id="pack" potok:job="pack"/><sequenceFlow id="f5" sourceRef="pack" targetRef="end"/>
    <endEvent id="end"/>
  </process>
</definitions>"#;

/// A server that is killed if it has not been stopped.
pub(crate) struct Server {
    pub(crate) child: Child,
    pub(crate) address: String,
}

impl Server {
    pub(crate) fn start(db: &str, models: &str, log: impl Into<Stdio>) -> Self {
        let child = Command::new(env!("CARGO_BIN_EXE_potok"))
            .args(["serve", models, "--listen", "127.0.0.1:0", "--db", db])
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn();
        let mut child = child.expect("the binary starts");
        let mut lines = Lines::new(child.stdout.take().expect("its output")).lines().map_while(Result::ok);
        let ready = lines.next().expect("it says that it is ready");
        let address = ready.split("http://").nth(1).expect("where it listens").to_owned();
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, address }
    }

    /// Kilobytes that it has in memory.
    pub(crate) fn resident(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("it runs");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("its memory");
        line.trim().trim_end_matches(" kB").parse().expect("a number")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A connection that is kept.
pub(crate) struct Caller {
    pub(crate) stream: BufReader<TcpStream>,
    /// Nothing more can be asked by it: the server has said so, or still answers.
    pub(crate) is_over: bool,
    address: Arc<str>,
    /// What stands in `Authorization`.
    sign_in: Option<String>,
}

impl Caller {
    pub(crate) async fn new(address: &Arc<str>) -> Self {
        let stream = TcpStream::connect(&**address).await.expect("it takes connections");
        Self { stream: BufReader::new(stream), is_over: false, address: address.clone(), sign_in: None }
    }

    /// One who signs in by a password or a token.
    #[allow(dead_code, reason = "not every test file asks this")]
    pub(crate) async fn known(address: &Arc<str>, sign_in: String) -> Self {
        Self { sign_in: Some(sign_in), ..Self::new(address).await }
    }

    /// Sends a request, and gives the status and what is answered.
    async fn call(&mut self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        self.send(method, path, &[("Content-Type", "application/json")], body.as_bytes()).await.expect("sent");
        self.answer().await.expect("an answer")
    }

    pub(crate) async fn send(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> std::io::Result<()> {
        let mut head =
            format!("{method} {path} HTTP/1.1\r\nHost: {}\r\nContent-Length: {}\r\n", self.address, body.len());
        let sign_in = self.sign_in.as_deref().map(|sign_in| ("Authorization", sign_in));
        for (name, value) in headers.iter().copied().chain(sign_in) {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        self.stream.get_mut().write_all(&[head.as_bytes(), b"\r\n", body].concat()).await
    }

    /// Does what is answered with nothing.
    #[allow(dead_code, reason = "not every test file asks this")]
    pub(crate) async fn done(&mut self, method: &str, path: &str, body: &Value) {
        let (status, answer) = self.call(method, &format!("/api/v1{path}"), body).await;
        assert!((200..300).contains(&status), "{method} {path}: {status} {answer}");
    }

    pub(crate) async fn post(&mut self, path: &str, body: &Value) -> Value {
        let (status, answer) = self.call("POST", &format!("/api/v1{path}"), body).await;
        assert!((200..300).contains(&status), "{path}: {status} {answer}");
        answer
    }

    /// What is answered; nothing if the connection is closed. Of what is told as it happens that it begins is all there is to wait for.
    pub(crate) async fn answer(&mut self) -> Option<(u16, Value)> {
        let mut status = 0;
        let mut length = 0;
        let (mut is_chunked, mut is_feed) = (false, false);
        loop {
            let line = self.line().await?.to_ascii_lowercase();
            if line.is_empty() {
                break;
            }
            if let Some(rest) = line.strip_prefix("http/1.1 ") {
                status = rest.get(..3)?.parse().ok()?;
            } else if let Some(value) = line.strip_prefix("content-length:") {
                length = value.trim().parse().ok()?;
            }
            is_chunked |= line == "transfer-encoding: chunked";
            is_feed |= line == "content-type: text/event-stream";
            self.is_over |= line == "connection: close";
        }
        if is_feed {
            self.is_over = true;
            return Some((status, Value::Null));
        }
        let body = if is_chunked { self.chunks().await? } else { self.bytes(length).await? };
        Some((status, serde_json::from_slice(&body).unwrap_or(Value::Null)))
    }

    async fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        let read = self.stream.read_line(&mut line).await.ok()?;
        (read > 0).then(|| line.trim_end().to_owned())
    }

    async fn bytes(&mut self, length: usize) -> Option<Vec<u8>> {
        let mut bytes = vec![0; length];
        self.stream.read_exact(&mut bytes).await.ok()?;
        Some(bytes)
    }

    async fn chunks(&mut self) -> Option<Vec<u8>> {
        let mut whole = Vec::new();
        loop {
            let length = usize::from_str_radix(&self.line().await?, 16).ok()?;
            whole.extend(self.bytes(length).await?);
            self.line().await?;
            if length == 0 {
                return Some(whole);
            }
        }
    }
}
