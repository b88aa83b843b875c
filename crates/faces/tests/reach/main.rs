//! What each caller can reach: every route of the native API and of the faces, as the router has them, with every method that it takes.
//!
//! `table.txt` says what is answered; `requests.txt` what is sent where an empty request would not be done. Where the table is meant to
//! change, `POTOK_WRITE_TABLE=1 cargo test -p potok-faces --test reach` writes it anew, and its difference is what to look at.

#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod world;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

use potok::Engine;
use world::{CALLERS, World};

/// What is sent to a route.
#[derive(Clone, Debug, Default)]
struct Sent {
    /// What stands for the parts of the path, where it is not what one would think.
    parts: BTreeMap<String, String>,
    query: String,
    kind: Option<&'static str>,
    body: String,
}

fn file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/reach").join(name)
}

/// The paths of all routes, as the router has them.
async fn paths() -> BTreeSet<String> {
    let engine = Engine::builder().job_execution(false).start().await.unwrap();
    let faces = potok_faces::routers(engine.clone()).map(|(router, _)| router);
    let shown = format!("{:?} {faces:?}", world::router(&engine));
    engine.stop().await;
    let mut paths = BTreeSet::new();
    // Of `paths: {RouteId(0): "/a", RouteId(1): "/b"}`.
    for part in shown.split("RouteId(").skip(1) {
        if let Some(path) = part.split_once("): \"").and_then(|(number, rest)| {
            number.bytes().all(|digit| digit.is_ascii_digit()).then(|| rest.split('"').next()).flatten()
        }) && path != "/"
            && !path.contains("__private")
        {
            paths.insert(path.to_owned());
        }
    }
    paths
}

/// `requests.txt`: a method and a route, then words that stand for parts of the path (`id=$task`), for the query (`?name=a`), or for the
/// body: JSON up to the line's end, `text`, or `form` with a file in it.
fn requests() -> BTreeMap<String, Sent> {
    let text = std::fs::read_to_string(file("requests.txt")).unwrap();
    let mut requests = BTreeMap::new();
    for line in text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#')) {
        let (method, rest) = line.split_once(' ').unwrap();
        let (path, mut rest) = rest.split_once(' ').unwrap_or((rest, ""));
        let mut sent = Sent::default();
        while !rest.is_empty() {
            if rest.starts_with(['{', '[']) {
                sent.kind = Some("application/json");
                sent.body = std::mem::take(&mut rest).to_owned();
                break;
            }
            let (word, others) = rest.split_once(' ').unwrap_or((rest, ""));
            rest = others;
            if let Some(query) = word.strip_prefix('?') {
                sent.query = format!("?{query}");
            } else if let Some((name, value)) = word.split_once('=') {
                sent.parts.insert(name.to_owned(), value.to_owned());
            } else if word == "text" {
                (sent.kind, sent.body) = (Some("text/plain"), "text".into());
            } else if word == "form" {
                sent.kind = Some("multipart/form-data; boundary=x");
                sent.body = "--x\r\nContent-Disposition: form-data; name=\"data\"; filename=\"a.bpmn\"\r\n\
                    Content-Type: text/plain\r\n\r\n<definitions xmlns=\"http://www.omg.org/spec/BPMN/20100524/MODEL\" \
                    targetNamespace=\"t\"><process id=\"p\" isExecutable=\"true\"><startEvent id=\"s\"/></process></definitions>\
                    \r\n--x--\r\n"
                    .into();
            } else {
                panic!("what is `{word}`? {line}");
            }
        }
        requests.insert(format!("{method} {path}"), sent);
    }
    requests
}

/// A path, a body and a query with the ids of what there is.
async fn fill(world: &World, route: &str, sent: &Sent) -> (String, String) {
    let known = |text: &str| {
        let mut text = text.to_owned();
        // Longer names first: one may begin with another.
        for (name, id) in world.ids.iter().rev() {
            text = text.replace(&format!("${name}"), id);
        }
        assert!(!text.contains('$'), "{route}: {text}");
        text
    };
    let mut path = String::new();
    for part in route.split('/').skip(1) {
        let Some(name) = part.strip_prefix('{').map(|name| name.trim_start_matches('*').trim_end_matches('}')) else {
            write!(path, "/{part}").unwrap();
            continue;
        };
        let value = match sent.parts.get(name) {
            Some(value) => known(value),
            None => first(world, &path, name).await,
        };
        write!(path, "/{value}").unwrap();
    }
    (path + known(&sent.query).as_str(), known(&sent.body))
}

/// What a part of a path stands for by itself.
async fn first(world: &World, collection: &str, name: &str) -> String {
    let own = |name: &str| world.ids[name].clone();
    let is_of_task = collection.contains("/tasks/");
    match (name, collection) {
        ("key", "/engine-rest/decision-definition/key") => "dish".into(),
        ("definition", _) | ("key", _) => "work".into(),
        ("decision", _) => "dish".into(),
        ("user", _) => "eve".into(),
        ("group", _) => "heads".into(),
        ("attachment", _) => own(if is_of_task { "file-task" } else { "file-instance" }),
        ("comment", _) if collection.starts_with("/api") => {
            own(if is_of_task { "comment-task" } else { "comment-instance" })
        }
        ("id", "/api/v1/instances") => own("instance"),
        ("id", "/api/v1/tasks") => own("task"),
        ("id", "/api/v1/searches") => own("search"),
        ("id", "/api/v1/jobs") => own("job-send-letter"),
        ("id", "/api/v1/timers") => own("timer"),
        ("id", "/api/v1/tokens") => own("token"),
        ("role", _) => "viewer".into(),
        ("id", "/api/v1/batches") => own("batch"),
        ("id", "/api/v1/webhooks") => own("webhook"),
        ("id", "/api/v1/deployments") => own("unused"),
        ("id", "/api/v1/incidents") => own("incident"),
        ("id", "/engine-rest/process-instance" | "/engine-rest/history/process-instance") => own("uuid-instance"),
        ("id", "/engine-rest/task") => own("uuid-task"),
        ("id", "/engine-rest/external-task") => own("uuid-job-send-letter"),
        ("id", "/engine-rest/incident") => own("uuid-incident"),
        ("id", "/engine-rest/deployment") => own("uuid-unused"),
        ("id", "/engine-rest/execution") => own("execution"),
        ("id", "/external-job-api/jobs" | "/external-job-api/acquire/jobs" | "/external-job-api/unacquire/jobs") => {
            own("uuid-job-send-letter")
        }
        ("name", _) if collection.contains("messageSubscriptions") => "paid".into(),
        ("name", _) => "amount".into(),
        // One that nobody's rights depend on.
        ("tenant", "/api/v1/tenants") | ("id", "/engine-rest/tenant") => "spare".into(),
        ("tenant", _) => "elsewhere".into(),
        ("rest", _) => "x".into(),
        _ => match world.first("GET", collection).await {
            Some(found) => found["id"].as_str().unwrap_or("5").to_owned(),
            None => "5".into(),
        },
    }
}

/// What is answered by one route and method.
struct Row {
    route: String,
    /// To each caller, in their order.
    statuses: Vec<u16>,
}

impl Row {
    /// Whether somebody gets what they ask for, or is told that there is no such thing yet.
    fn says_something(&self) -> bool {
        self.statuses.iter().any(|status| *status < 400 || *status == 501)
    }
}

/// Tries some routes with all their methods as every caller.
async fn tried(paths: Vec<String>, requests: Arc<BTreeMap<String, Sent>>) -> Vec<Row> {
    let mut world = World::new().await;
    let mut rows = Vec::new();
    for path in &paths {
        let (place, _) = fill(&world, path, &Sent::default()).await;
        let methods = world.methods(&place).await;
        for method in &methods {
            let route = format!("{method} {path}");
            let sent = match requests.get(&route) {
                Some(sent) => sent.clone(),
                // What a search finds by itself, and what is done without a word.
                None if method == "POST" || method == "PUT" => {
                    Sent { kind: Some("application/json"), body: "{}".into(), ..Sent::default() }
                }
                None => Sent::default(),
            };
            let verb = if method == "ANY" { "GET" } else { method };
            let mut statuses = Vec::new();
            let (mut place, mut body) = fill(&world, path, &sent).await;
            for (caller, _) in CALLERS {
                let status = world.ask(caller, verb, &place, (sent.kind, body.clone())).await.status();
                statuses.push(status.as_u16());
                // Searches change nothing; in Camunda's API they are a POST beside a GET.
                let is_look = verb == "GET"
                    || path.ends_with("/search")
                    || path.ends_with("/count")
                    || (status == 200 && verb == "POST" && methods.iter().any(|other| other == "GET"));
                // Wrong passwords are counted.
                if !is_look && (status.is_success() || path.contains("/session")) {
                    world = World::new().await;
                    (place, body) = fill(&world, path, &sent).await;
                }
            }
            rows.push(Row { route, statuses });
        }
    }
    rows
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_reaches_what_the_table_says() {
    let (requests, paths) = (Arc::new(requests()), paths().await);
    assert!(paths.len() > 150, "the router is read wrongly: {paths:?}");
    // Under the name of an engine there is the same once more.
    let (again, paths): (Vec<_>, Vec<_>) = paths.into_iter().partition(|path| path.starts_with(AGAIN));
    let world = World::new().await;
    for path in again {
        assert!(paths.contains(&path.replacen(AGAIN, "/engine-rest/", 1)), "{path}");
        let answer = world.ask("nobody", "GET", &path.replace(['{', '}', '*'], ""), (None, String::new())).await;
        assert_eq!(answer.status(), 401, "{path}");
    }
    let parts: Vec<_> = paths
        .chunks(paths.len().div_ceil(4))
        .map(|some| tokio::spawn(tried(some.to_vec(), requests.clone())))
        .collect();
    let mut rows = Vec::new();
    for part in parts {
        rows.extend(part.await.unwrap());
    }
    let used: BTreeSet<_> = rows.iter().map(|row| &row.route).collect();
    let forgotten: Vec<_> = requests.keys().filter(|route| !used.contains(route)).collect();
    assert!(forgotten.is_empty(), "requests.txt has routes that there are not: {forgotten:?}");

    let table = table(&rows);
    if std::env::var_os("POTOK_WRITE_TABLE").is_some() {
        std::fs::write(file("table.txt"), &table).unwrap();
    }
    let written = std::fs::read_to_string(file("table.txt")).unwrap();
    let differ: Vec<_> = table.lines().filter(|line| !written.lines().any(|other| other == *line)).collect();
    let gone: Vec<_> = written.lines().filter(|line| !table.lines().any(|other| other == *line)).collect();
    assert!(table == written, "now so:\n{}\n\nin table.txt so:\n{}", differ.join("\n"), gone.join("\n"));
}

/// Where Camunda 7 has the same under the engine's name.
const AGAIN: &str = "/engine-rest/engine/default/";

/// The whole table, to be read.
fn table(rows: &[Row]) -> String {
    let width = rows.iter().map(|row| row.route.len()).max().unwrap_or_default();
    let mut text = String::from(
        "What each caller is answered, for every route and method. Written by a test: see main.rs.\n\n\
         2xx  it is done                 403  the caller may not do that, or the session's token is missing\n\
         401  nobody knows the caller    404  it is not there for the caller (Camunda 7 also says 400 or 500)\n\
         501  Camunda 7 has it, and this has not\n\n",
    );
    for (number, (caller, who)) in CALLERS.iter().enumerate() {
        writeln!(text, "{}", format!("{:>2}  {caller:<14}{who}", number + 1).trim_end()).unwrap();
    }
    let head: String = (1..=CALLERS.len()).map(|number| format!(" {number:>3}")).collect();
    writeln!(text, "\n{:width$}{head}", "").unwrap();
    for row in rows {
        let statuses: String = row.statuses.iter().map(|status| format!(" {status}")).collect();
        writeln!(text, "{:width$}{statuses}", row.route).unwrap();
    }
    text += "\nWhat is tried on these is done for nobody, so that they say no more than who is kept out:\n";
    for row in rows.iter().filter(|row| !row.says_something()) {
        writeln!(text, "{}", row.route).unwrap();
    }
    text
}
