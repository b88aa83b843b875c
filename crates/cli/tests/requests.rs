//! Requests at random to every route of the native API and of the faces, made of what was answered before and of what nobody expects: nothing
//! breaks, nothing grows, and what others have is left as it is.
//!
//! In CI some thousands; `POTOK_REQUESTS=100000 cargo test --release -p potok-cli --test requests -- --nocapture` makes more of them.
//! `POTOK_SEED` makes those of an earlier run again. What they name of the server's is what it answers then: ids and times are new each time.
#![cfg(target_os = "linux")]

mod command;
mod served;

use std::collections::BTreeMap;
use std::fs::File;
use std::ops::Range;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use command::{file, potok};
use fastrand::Rng;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value, json};
use served::{Caller, ORDER, Server};
use tokio::task::JoinSet;

/// Every route, and what is sent to some.
const ROUTES: &str = include_str!("../../faces/tests/reach/table.txt");
const BODIES: &str = include_str!("../../faces/tests/reach/requests.txt");

/// Those who call at a time.
const CALLERS: u64 = 4;

/// Until a request counts as not answered. The server itself gives up what takes a minute, and says so.
const PATIENCE: Duration = Duration::from_secs(90);

const PASSWORD: &str = "correct horse battery";

/// Kilobytes by which the server may have grown from the middle to the end.
const GROWTH: u64 = 60_000;

/// A method and a path, and a body that fits.
struct Route {
    method: &'static str,
    path: &'static str,
    body: Value,
}

fn routes() -> Vec<Route> {
    let bodies = BODIES.lines().filter(|line| !line.starts_with('#')).filter_map(|line| {
        let (mut words, start) = (line.split(' '), line.find(" {").or(line.find(" ["))?);
        Some((
            (words.next()?, words.next()?),
            serde_json::from_str(&line[start..].replace("\"work\"", "\"incoming-call\"")).ok()?,
        ))
    });
    let bodies: BTreeMap<(&str, &str), Value> = bodies.collect();
    let routes = ROUTES.lines().filter_map(|line| {
        let mut words = line.split_whitespace();
        let (method, path) = (words.next()?, words.next()?);
        let body = bodies.get(&(method, path)).cloned().unwrap_or_else(|| json!({}));
        // Webhooks would call others.
        let is_route = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"].contains(&method) && path.starts_with('/');
        (is_route && (method, path) != ("POST", "/api/v1/webhooks")).then_some(Route { method, path, body })
    });
    routes.collect()
}

/// What is known of the server by what it has answered.
#[derive(Default)]
struct Known {
    names: Vec<String>,
    values: Vec<Value>,
    ids: Vec<Value>,
}

/// Remembers a value, in the end instead of another.
fn keep(values: &mut Vec<Value>, value: &Value, rng: &mut Rng) {
    if values.len() < 2000 {
        values.push(value.clone());
    } else if let Some(other) = rng.choice(values) {
        *other = value.clone();
    }
}

impl Known {
    fn learn(&mut self, answer: &Value, rng: &mut Rng) {
        match answer {
            Value::Object(members) => members.iter().for_each(|(name, value)| {
                if self.names.len() < 2000 && !self.names.contains(name) {
                    self.names.push(name.clone());
                }
                if name == "id" && value.is_string() {
                    keep(&mut self.ids, value, rng);
                }
                self.learn(value, rng);
            }),
            Value::Array(items) => items.iter().take(5).for_each(|item| self.learn(item, rng)),
            // Whoever is asked to set things right must be able to.
            Value::String(text) if text.contains("root") || text.len() > 100 => {}
            value => keep(&mut self.values, value, rng),
        }
    }
}

/// What the askers share.
struct Shared {
    address: Arc<str>,
    /// Of `root`, who asks for nothing, and of those who ask.
    tokens: Mutex<BTreeMap<&'static str, String>>,
}

impl Shared {
    async fn caller(&self, user: &str) -> Caller {
        let token = self.tokens.lock().expect("nobody has panicked").get(user).cloned();
        match token {
            Some(token) => Caller::known(&self.address, format!("Bearer {token}")).await,
            None => Caller::new(&self.address).await,
        }
    }

    /// Gives those who ask what they need to be let in: they take it from themselves and each other.
    async fn admit(&self) {
        let mut root = self.caller("root").await;
        for user in ["eve", "anna"] {
            root.done("PUT", &format!("/users/{user}"), &json!({"name": user})).await;
            root.done("PUT", &format!("/tenants/wild/members/{user}"), &Value::Null).await;
            let token = root.post("/tokens", &json!({"user": user, "name": "random"})).await;
            let secret = token["secret"].as_str().expect("a secret").to_owned();
            self.tokens.lock().expect("nobody has panicked").insert(user, secret);
        }
        root.done("PUT", "/groups/administrators/members/eve", &Value::Null).await;
    }
}

/// A request about to be sent.
#[derive(Debug, PartialEq)]
struct Asked {
    user: &'static str,
    method: &'static str,
    path: String,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

/// Somebody who asks for anything. What they ask depends on their seed and on what they themselves were answered, and on nobody else.
struct Asker {
    seed: u64,
    known: Known,
    /// That of one request: however much was drawn for those before it, it is the same.
    rng: Rng,
}

impl Asker {
    fn new(seed: u64) -> Self {
        Self { seed, known: Known::default(), rng: Rng::with_seed(seed) }
    }

    /// One of what is known. It is drawn whatever there is, so that nothing that follows depends on that.
    fn one<'a, T>(rng: &mut Rng, of: &'a [T]) -> Option<&'a T> {
        let drawn = rng.usize(..);
        of.get(drawn.checked_rem(of.len())?)
    }

    fn name(&mut self) -> String {
        Self::one(&mut self.rng, &self.known.names).cloned().unwrap_or_else(|| "id".to_owned())
    }

    fn seen(&mut self) -> Value {
        Self::one(&mut self.rng, &self.known.values).cloned().unwrap_or(Value::Null)
    }

    fn id(&mut self) -> Value {
        Self::one(&mut self.rng, &self.known.ids).cloned().unwrap_or(Value::Null)
    }

    /// The request of a number.
    fn request(&mut self, routes: &[Route], number: u64) -> Asked {
        self.rng = Rng::with_seed(Rng::with_seed(self.seed).u64(..).wrapping_add(number));
        let route = self.rng.choice(routes).expect("some");
        let user = match self.rng.u8(..40) {
            0 => "nobody",
            1..6 => "anna",
            _ => "eve",
        };
        let key = self.rng.u8(..30).to_string();
        let (has_key, has_match) = (self.rng.u8(..20) == 0, self.rng.u8(..20) == 0);
        let path = self.address(route);
        let (body, kind) = self.body(route);
        let mut headers = vec![("Content-Type", kind.to_owned())];
        headers.extend(has_key.then_some(("Idempotency-Key", key)));
        headers.extend(has_match.then(|| ("If-Match", "\"1\"".to_owned())));
        Asked { user, method: route.method, path, headers, body }
    }

    /// Puts ids where `$task` stands for one.
    fn fill(&mut self, body: &mut Value) {
        match body {
            Value::Object(members) => members.values_mut().for_each(|value| self.fill(value)),
            Value::Array(items) => items.iter_mut().for_each(|value| self.fill(value)),
            Value::String(text) if text.starts_with('$') => *body = self.id(),
            _ => {}
        }
    }

    /// What nobody expects.
    fn odd(&mut self) -> Value {
        let deep = (0..200).fold(json!(1), |inside, _| json!([inside]));
        let texts = [
            "",
            " ",
            "a\u{0}b",
            "../../etc/passwd",
            "'; DROP TABLE log; --",
            "${1/0}",
            "=1 +",
            "2026-13-45T99:00:00Z",
            "PT-5S",
        ];
        let any = [
            json!(null),
            json!(true),
            json!(-1),
            json!(0.5),
            json!(1e308),
            json!(i64::MIN),
            json!(u64::MAX),
            json!([]),
            json!({}),
            json!("💥".repeat(100)),
            json!("x".repeat(10_000)),
            json!("2026-01-05T09:00:00Z"),
            deep,
        ];
        let odd = any.into_iter().chain(texts.map(Value::from)).collect::<Vec<_>>();
        self.rng.choice(odd).expect("some")
    }

    fn value(&mut self, depth: u8) -> Value {
        match self.rng.u8(..10) {
            0..5 => self.seen(),
            5..7 => self.odd(),
            7 => json!(self.rng.u32(..50)),
            8 if depth < 4 => (0..self.rng.u8(..4)).map(|_| self.value(depth + 1)).collect(),
            9 if depth < 4 => {
                (0..self.rng.u8(..4)).map(|_| (self.name(), self.value(depth + 1))).collect::<Map<_, _>>().into()
            }
            _ => json!("order"),
        }
    }

    /// Changes something, somewhere in a body.
    fn change(&mut self, body: &mut Value) {
        match body {
            Value::Object(members) => {
                let some = self.rng.choice(members.keys().cloned().collect::<Vec<_>>());
                match (some, self.rng.u8(..4)) {
                    (Some(name), 0) => members[&name] = self.value(0),
                    (Some(name), 1) => self.change(&mut members[&name]),
                    (Some(name), 2) if self.rng.u8(..4) == 0 => drop(members.remove(&name)),
                    _ => drop(members.insert(self.name(), self.value(0))),
                }
            }
            Value::Array(items) if self.rng.bool() && !items.is_empty() => {
                let place = self.rng.usize(..items.len());
                self.change(&mut items[place]);
            }
            Value::Array(items) => items.push(self.value(0)),
            other => *other = if self.rng.u8(..4) == 0 { self.value(0) } else { self.seen() },
        }
    }

    /// Parts of a path and a query.
    fn part(&mut self) -> String {
        let part = match self.rng.u8(..10) {
            0..6 => self.id(),
            6..8 => self.seen(),
            8 => json!(self.rng.choice(["order", "incoming-call", "eve", "anna", "wild", "check", "1"])),
            _ => self.odd(),
        };
        let text = part.as_str().map_or_else(|| part.to_string(), str::to_owned);
        utf8_percent_encode(&text[..text.floor_char_boundary(300)], NON_ALPHANUMERIC).to_string()
    }

    fn address(&mut self, route: &Route) -> String {
        let parts =
            route.path.split('/').skip(1).map(|part| if part.starts_with('{') { self.part() } else { part.to_owned() });
        let mut address = parts.fold(String::new(), |path, part| format!("{path}/{part}"));
        let mut sign = '?';
        while self.rng.u8(..3) == 0 {
            address = format!("{address}{sign}{}={}", utf8_percent_encode(&self.name(), NON_ALPHANUMERIC), self.part());
            sign = '&';
        }
        address
    }

    /// A body and its type.
    fn body(&mut self, route: &Route) -> (Vec<u8>, &'static str) {
        let mut body = route.body.clone();
        self.fill(&mut body);
        (0..self.rng.u8(..8).saturating_sub(4)).for_each(|_| self.change(&mut body));
        hurry(&mut body);
        let mut bytes = body.to_string().into_bytes();
        match self.rng.u8(..40) {
            0 => bytes.truncate(self.rng.usize(..bytes.len())),
            1 => bytes = (0..self.rng.usize(..200)).map(|_| self.rng.u8(..)).collect(),
            2 => return (bytes, "text/plain"),
            3 => return (bytes, "multipart/form-data; boundary=x"),
            _ => {}
        }
        (bytes, "application/json")
    }
}

/// Who may wait waits for a moment only: so what is not answered has hung.
fn hurry(body: &mut Value) {
    for (name, longest) in [("waitSeconds", 1), ("asyncResponseTimeout", 500)] {
        let Some(wait) = body.get_mut(name) else { continue };
        let asked = wait.as_f64().or_else(|| wait.as_str()?.trim().parse().ok());
        if asked.is_some_and(|asked| asked > f64::from(longest)) {
            *wait = longest.into();
        }
    }
}

/// Sends a request and gives what is answered; nothing if the connection was closed instead.
async fn answered(caller: &mut Caller, asked: &Asked) -> Option<(u16, Value)> {
    let headers: Vec<_> = asked.headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    caller.send(asked.method, &asked.path, &headers, &asked.body).await.ok()?;
    caller.answer().await
}

/// What was answered how often, if nothing went wrong.
async fn asks(shared: Arc<Shared>, mut asker: Asker, numbers: Range<u64>) -> (Asker, BTreeMap<u16, u64>) {
    let routes = routes();
    let mut statuses = BTreeMap::new();
    let mut callers: BTreeMap<&str, Caller> = BTreeMap::new();
    for number in numbers {
        let asked = asker.request(&routes, number);
        let shown = || {
            let body = String::from_utf8_lossy(&asked.body);
            format!("the asker of seed {}, request {number}: {} {} {body}", asker.seed, asked.method, asked.path)
        };
        let (mut caller, is_new) = match callers.remove(asked.user) {
            Some(caller) => (caller, false),
            None => (shared.caller(asked.user).await, true),
        };
        let in_time = async {
            match answered(&mut caller, &asked).await {
                // A connection that nothing came by for a while is closed.
                None if !is_new => {
                    caller = shared.caller(asked.user).await;
                    answered(&mut caller, &asked).await
                }
                answered => answered,
            }
        };
        let answer = tokio::time::timeout(PATIENCE, in_time).await;
        let answer = answer.unwrap_or_else(|_| panic!("no answer within {PATIENCE:?} to {}", shown()));
        let (status, answer) = answer.unwrap_or_else(|| panic!("the connection was closed on {}", shown()));
        // Camunda 7 says 500 of much that is wrong with a request, and so does its face; what is wrong with the server stands in its log.
        let is_native = asked.path.starts_with("/api/");
        assert!(status < 500 || !is_native, "{status} {answer} to {}", shown());
        assert!(status < 500 || status == 501 || answer["message"].is_string(), "{status} {answer} to {}", shown());
        *statuses.entry(status).or_default() += 1;
        if status < 300 {
            asker.known.learn(&answer, &mut asker.rng);
        }
        if status == 401 && asked.user != "nobody" {
            shared.admit().await;
        } else if !caller.is_over {
            callers.insert(asked.user, caller);
        }
    }
    (asker, statuses)
}

/// What stands in a request, but for what was taken from answers.
fn outline(asked: &Asked) -> (&'static str, &'static str, usize) {
    (asked.user, asked.method, asked.headers.len())
}

#[test]
fn one_seed_brings_the_same_requests_back() {
    let routes = routes();
    let ask = |seed, first: u64, more: usize| {
        let mut asker = Asker::new(seed);
        let ask = |number| {
            let asked = asker.request(&routes, number);
            // In another run ids are others, and there may be more of them.
            let answer =
                json!({"id": (first + number).to_string(), "name": "Anna", "more": vec![json!({"id": "5"}); more]});
            asker.known.learn(&answer, &mut asker.rng);
            asked
        };
        (0..300).map(ask).collect::<Vec<_>>()
    };
    let asked = ask(5, 1000, 1);
    assert_eq!(asked, ask(5, 1000, 1));
    assert_ne!(asked, ask(6, 1000, 1));
    let other = ask(5, 2_000_000, 3);
    assert_ne!(asked, other);
    assert!(asked.iter().zip(&other).all(|(asked, other)| outline(asked) == outline(other)));
    assert!(asked.iter().zip(&other).filter(|(asked, other)| asked.path == other.path).count() > 100);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_at_random_break_nothing_and_touch_nobody_elses_work() {
    let count = std::env::var("POTOK_REQUESTS").map_or(4000, |count| count.parse().expect("a number"));
    let seed =
        std::env::var("POTOK_SEED").map_or_else(|_| fastrand::u64(..1 << 32), |seed| seed.parse().expect("a number"));
    println!("POTOK_SEED={seed}");
    let folder = format!("requests-{}", std::process::id());
    let model = file(&folder, "order.bpmn", ORDER);
    let db = model.replace("order.bpmn", "work.db");
    let log = model.replace("order.bpmn", "log");
    let added = potok(&["user", "add", "root", "--admin", "--password-stdin", "--db", &db], PASSWORD);
    assert_eq!(added.code, 0, "{}", added.err);
    let mut server = Server::start(&db, &model, File::create(&log).expect("a file"));
    let address: Arc<str> = server.address.as_str().into();
    let sign_in = format!("Basic {}", STANDARD.encode(format!("root:{PASSWORD}")));
    let mut root = Caller::known(&address, sign_in).await;
    let token = root.post("/tokens", &json!({"user": "root", "name": "order"})).await;
    let tokens = BTreeMap::from([("root", token["secret"].as_str().expect("a secret").to_owned())]);
    let shared = Arc::new(Shared { address, tokens: Mutex::new(tokens) });
    shared.admit().await;
    let mut orders = Vec::new();
    for number in 0..20 {
        let start = json!({"definition": "order", "variables": {"number": number}});
        orders.push(root.post("/instances", &start).await["id"].clone());
    }
    let mut eve = shared.caller("eve").await;
    let files = ["incoming-call.bpmn", "contract.bpmn", "it-request.bpmn"]
        .map(|name| json!({"name": name, "text": std::fs::read_to_string(command::bpmn(name)).expect("a model")}));
    let deployed = eve.post("/deployments", &json!({"files": files})).await;
    let mut askers: Vec<Asker> = (0..CALLERS).map(|number| Asker::new(seed.wrapping_add(number))).collect();
    askers.iter_mut().for_each(|asker| asker.known.learn(&deployed, &mut asker.rng));

    let mut statuses: BTreeMap<u16, u64> = BTreeMap::new();
    let mut resident = Vec::new();
    let each = count / CALLERS / 2;
    for half in 0..2 {
        let mut asking = JoinSet::new();
        for asker in askers.drain(..) {
            asking.spawn(asks(shared.clone(), asker, half * each..(half + 1) * each));
        }
        for (asker, of_asker) in asking.join_all().await {
            askers.push(asker);
            of_asker.into_iter().for_each(|(status, count)| *statuses.entry(status).or_default() += count);
        }
        resident.push(server.resident());
    }
    println!("{statuses:?}; resident {resident:?} kB");
    let done: u64 = statuses.range(200..300).map(|(_, count)| count).sum();
    assert!(done > count / 8, "most was refused: {statuses:?}");

    let mut root = shared.caller("root").await;
    for order in &orders {
        for node in ["check", "approve", "pay"] {
            let open = json!({"filter": {"instances": [order], "states": ["open"]}});
            let task = root.post("/tasks/search", &open).await["items"][0].clone();
            assert_eq!(task["node"], json!(node), "{order}");
            root.done("POST", &format!("/tasks/{}/complete", task["id"].as_str().expect("an id")), &json!({})).await;
        }
    }
    let fetch = json!({"worker": "packer", "topics": ["pack"], "limit": 1000});
    let jobs = root.post("/jobs/fetch", &fetch).await;
    let packed = jobs.as_array().expect("jobs").iter().filter(|job| orders.contains(&job["instance"])).count();
    assert_eq!(packed, orders.len());
    drop((root, eve));
    // SIGTERM: it ends by itself.
    let told = std::process::Command::new("kill").arg(server.child.id().to_string()).status();
    assert!(told.expect("`kill` runs").success());
    assert!(server.child.wait().expect("it ends").success());
    let log = std::fs::read_to_string(log).expect("the log");
    let wrong: Vec<&str> = log.lines().filter(|line| line.contains("ERROR") || line.contains("panicked")).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    let sound = potok(&["doctor", "--db", &db], "");
    assert_eq!(sound.code, 0, "{}{}", sound.out, sound.err);
    assert!(resident[1] < resident[0] + GROWTH, "the server grew: {resident:?} kB");
}
