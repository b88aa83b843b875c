//! Many at once, and those who mean no good: nothing fails, nothing is lost, nothing grows.
//!
//! In CI at a small scale; `POTOK_LOAD=full cargo test --release -p potok-cli --test load -- --nocapture` at the full one.
#![cfg(target_os = "linux")]

mod command;
mod served;

use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use command::file;
use serde_json::json;
use served::{Caller, ORDER, Server};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// How much of it.
struct Scale {
    polls: usize,
    users: usize,
    orders: usize,
    villains: usize,
    /// Within which ninety-nine of a hundred completions are answered.
    bound: Duration,
    /// Kilobytes by which the server may have grown from the first half to the second.
    growth: u64,
}

impl Scale {
    fn asked() -> Self {
        let (bound, growth) = (Duration::from_millis(50), 20_000);
        if std::env::var("POTOK_LOAD").is_ok_and(|scale| scale == "full") {
            return Self { polls: 2000, users: 200, orders: 20, villains: 50, bound, growth };
        }
        // Without optimisation, and beside other tests.
        Self { polls: 60, users: 8, orders: 4, villains: 8, bound: Duration::from_secs(2), growth }
    }
}

/// A worker that waits for what never comes, until all is over.
async fn polls(address: Arc<str>, number: usize, over: Arc<AtomicBool>) {
    let mut caller = Caller::new(&address).await;
    let topic = format!("nothing-{}", number % 20);
    while !over.load(Ordering::Relaxed) {
        let fetch = json!({"worker": format!("idle-{number}"), "topics": [topic], "waitSeconds": 5});
        assert_eq!(caller.post("/jobs/fetch", &fetch).await, json!([]));
    }
}

/// A worker that packs.
async fn packs(address: Arc<str>, number: usize, over: Arc<AtomicBool>) {
    let mut caller = Caller::new(&address).await;
    while !over.load(Ordering::Relaxed) {
        let fetch = json!({"worker": format!("packer-{number}"), "topics": ["pack"], "limit": 10, "waitSeconds": 2});
        let jobs = caller.post("/jobs/fetch", &fetch).await;
        for job in jobs.as_array().expect("jobs") {
            let path = format!("/jobs/{}/complete", job["id"].as_str().expect("an id"));
            caller.post(&path, &json!({"lease": job["lease"], "variables": {"packed": true}})).await;
        }
    }
}

/// Somebody who starts orders and works on their tasks; gives how long each completion took.
async fn works(address: Arc<str>, orders: usize) -> Vec<Duration> {
    let mut caller = Caller::new(&address).await;
    let mut taken = Vec::new();
    for number in 0..orders {
        let start = json!({"definition": "order", "variables": {"number": number}});
        let order = caller.post("/instances", &start).await["id"].clone();
        for _ in 0..3 {
            let search = json!({"filter": {"instances": [order], "states": ["open"]}});
            let found = caller.post("/tasks/search", &search).await;
            let path = format!("/tasks/{}/complete", found["items"][0]["id"].as_str().expect("a task"));
            let begun = Instant::now();
            caller.post(&path, &json!({"variables": {"checked": true}})).await;
            taken.push(begun.elapsed());
            tokio::time::sleep(Duration::from_millis(fastrand::u64(0..200))).await;
        }
    }
    taken
}

/// Somebody who means no good: begins and does not end, sends too much, or what is nothing.
async fn does_harm(address: Arc<str>, number: usize, over: Arc<AtomicBool>) {
    let head = format!("POST /api/v1/instances HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\n");
    while !over.load(Ordering::Relaxed) {
        let mut caller = Caller::new(&address).await;
        let stream = caller.stream.get_mut();
        let expected: &[u16] = match number % 5 {
            // A byte at a time: the server hangs up sooner or later.
            0 => {
                for byte in head.bytes().take(40) {
                    if over.load(Ordering::Relaxed) || stream.write_all(&[byte]).await.is_err() {
                        break;
                    }
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
                continue;
            }
            1 => {
                let _ = stream.write_all(format!("{head}Content-Length: 99999999999\r\n\r\n{{").as_bytes()).await;
                &[413, 400]
            }
            2 => {
                let _ = stream.write_all(format!("{head}Content-Length: 9\r\n\r\n{{\"a\": [[[").as_bytes()).await;
                &[400]
            }
            3 => {
                let bytes: Vec<u8> = (0..200).map(|_| fastrand::u8(..)).collect();
                let _ = stream.write_all(&bytes).await;
                let _ = stream.write_all(b"\r\n\r\n").await;
                &[400]
            }
            // It says more than it sends, and goes.
            _ => {
                let _ = stream.write_all(format!("{head}Content-Length: 100\r\n\r\n{{\"definition\"").as_bytes()).await;
                continue;
            }
        };
        let answer = tokio::time::timeout(Duration::from_secs(2), caller.answer()).await;
        if let Ok(Some((status, body))) = answer {
            assert!(expected.contains(&status), "{number}: {status} {body}");
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// All users at once; gives how long completions took.
async fn rush(address: &Arc<str>, scale: &Scale) -> Vec<Duration> {
    let mut users = JoinSet::new();
    for _ in 0..scale.users {
        users.spawn(works(address.clone(), scale.orders));
    }
    users.join_all().await.into_iter().flatten().collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_at_once_are_served_and_nothing_is_lost() {
    let scale = Scale::asked();
    let folder = format!("load-{}", std::process::id());
    let model = file(&folder, "order.bpmn", ORDER);
    let server = Server::start(&model.replace("order.bpmn", "work.db"), &model, Stdio::inherit());
    let address: Arc<str> = server.address.as_str().into();
    let over = Arc::new(AtomicBool::new(false));
    let mut others = JoinSet::new();
    for number in 0..scale.polls {
        others.spawn(polls(address.clone(), number, over.clone()));
    }
    for number in 0..4 {
        others.spawn(packs(address.clone(), number, over.clone()));
    }
    for number in 0..scale.villains {
        others.spawn(does_harm(address.clone(), number, over.clone()));
    }

    let mut taken = rush(&address, &scale).await;
    let between = server.resident();
    taken.extend(rush(&address, &scale).await);
    let after = server.resident();

    let mut caller = Caller::new(&address).await;
    let orders = 2 * scale.users * scale.orders;
    let completed = json!({"filter": {"states": ["completed"], "processes": ["order"]}, "countOnly": true});
    let done = async {
        while caller.post("/instances/search", &completed).await["total"] != json!(orders) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), done).await.expect("every order is packed in the end");
    over.store(true, Ordering::Relaxed);
    while let Some(ended) = others.join_next().await {
        ended.expect("nobody was refused what is right, nor served what is wrong");
    }
    // A connection that nobody uses for a while is closed.
    let mut caller = Caller::new(&address).await;
    let incidents = json!({"filter": {"open": true}, "countOnly": true});
    assert_eq!(caller.post("/incidents/search", &incidents).await["total"], json!(0));

    taken.sort_unstable();
    let p99 = taken[taken.len() * 99 / 100];
    let (median, most) = (taken[taken.len() / 2], taken[taken.len() - 1]);
    println!(
        "{} completions beside {} polls: median {median:.1?}, p99 {p99:.1?}, at most {most:.1?}; resident {between} kB, then {after} kB",
        taken.len(),
        scale.polls
    );
    let metrics = metrics(&address).await;
    let failed: Vec<&str> = metrics.lines().filter(|line| line.contains("status=\"5")).collect();
    assert!(failed.is_empty(), "{failed:?}");
    assert!(p99 < scale.bound, "ninety-nine of a hundred completions within {p99:?}");
    assert!(after < between + scale.growth, "the server grew from {between} to {after} kB");
}

async fn metrics(address: &str) -> String {
    let mut stream = TcpStream::connect(address).await.expect("it takes connections");
    let request = format!("GET /metrics HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.expect("sent");
    let mut text = String::new();
    stream.read_to_string(&mut text).await.expect("metrics");
    text
}
