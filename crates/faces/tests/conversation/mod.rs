//! Conversations: requests in a `.talk` file, and beside it, in a `.json` file, what the real server said. `tests/faces/record.py` writes
//! the latter; what is normalised, and how, it does likewise.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, header};
use potok::Engine;
use potok_rest::Options;
use serde_json::{Map, Value as Json, json};
use tower::ServiceExt as _;

/// One request, and what is kept of its answer.
#[derive(Clone, Debug, Default)]
pub(crate) struct Step {
    method: String,
    path: String,
    body: Option<String>,
    kind: Option<String>,
    /// Of a form: names with text, or with a file.
    parts: Vec<(String, Option<String>, String)>,
    keep: Vec<(String, String)>,
    only_status: bool,
    /// This answers otherwise, for a reason that stands in the file.
    differs: bool,
    folder: PathBuf,
    /// It only prepares what is talked about; its path is the whole one.
    prepares: bool,
}

/// A title, its steps, and what was said to each.
pub(crate) type Conversation = (String, Vec<Step>, Vec<Json>);

pub(crate) fn read(folder: &str, name: &str) -> Vec<Conversation> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/faces").join(folder);
    let text = std::fs::read_to_string(folder.join(format!("{name}.talk"))).unwrap();
    let facts = std::fs::read(folder.join(format!("{name}.json"))).unwrap();
    let facts: Map<String, Json> = serde_json::from_slice(&facts).unwrap();
    let mut found: Vec<Conversation> = Vec::new();
    for line in text.lines() {
        if let Some(title) = line.strip_prefix("== ") {
            let facts = facts.get(title.trim()).unwrap_or_else(|| panic!("`{title}` has not been recorded"));
            found.push((title.trim().to_owned(), Vec::new(), facts.as_array().unwrap().clone()));
        } else if line.trim().is_empty() || line.starts_with('#') {
        } else if let Some(more) = line.strip_prefix(' ') {
            let step = found.last_mut().unwrap().1.last_mut().unwrap();
            let (word, rest) = more.trim().split_once(' ').unwrap_or((more.trim(), ""));
            match word {
                "keep" => {
                    let (name, pointer) = rest.split_once(' ').unwrap();
                    step.keep.push((name.into(), pointer.into()));
                }
                "part" => {
                    let (name, text) = rest.split_once(' ').unwrap_or((rest, ""));
                    step.parts.push((name.into(), None, text.into()));
                }
                "file" => step.parts.push((rest.into(), Some(rest.into()), String::new())),
                "upload" => {
                    let (name, file) = rest.split_once(' ').unwrap();
                    step.parts.push((name.into(), Some(file.into()), String::new()));
                }
                "type" => step.kind = Some(rest.to_owned()).filter(|kind| !kind.is_empty()),
                "body" => step.body = Some(rest.into()),
                "only" => step.only_status = true,
                "differs" => step.differs = true,
                _ => panic!("what is `{line}`?"),
            }
        } else {
            let mut step = Step { folder: folder.clone(), ..step(line) };
            if line.starts_with("deploy ") && folder.ends_with("flowable") {
                (step.path, step.prepares) = ("/engine-rest/deployment/create".into(), true);
            }
            found.last_mut().unwrap().1.push(step);
        }
    }
    found
}

fn step(line: &str) -> Step {
    let mut words = line.splitn(3, ' ');
    let (method, path, body) = (words.next().unwrap(), words.next().unwrap(), words.next());
    if method == "start" {
        let plain: Map<String, Json> = serde_json::from_str(body.unwrap_or("{}")).unwrap();
        let typed = |(name, value): (String, Json)| match value {
            Json::Array(_) | Json::Object(_) => (name, json!({"value": value.to_string(), "type": "Json"})),
            value => (name, json!({"value": value})),
        };
        let variables: Map<String, Json> = plain.into_iter().map(typed).collect();
        let (path, body) =
            (format!("/engine-rest/process-definition/key/{path}/start"), json!({"variables": variables}));
        let kind = Some("application/json".to_owned());
        return Step {
            method: "POST".into(),
            path,
            body: Some(body.to_string()),
            kind,
            prepares: true,
            ..Step::default()
        };
    }
    if method == "deploy" {
        let mut parts = vec![("deployment-name".to_owned(), None, "talk".to_owned())];
        parts.extend(line.split(' ').skip(1).map(|file| (file.to_owned(), Some(file.to_owned()), String::new())));
        return Step { method: "POST".into(), path: "/deployment/create".into(), parts, ..Step::default() };
    }
    let body = body.or(matches!(method, "POST" | "PUT").then_some("")).map(str::to_owned);
    let kind = body.is_some().then(|| "application/json".to_owned());
    Step { method: method.into(), path: path.into(), body, kind, ..Step::default() }
}

fn filled(text: &str, kept: &BTreeMap<String, String>) -> String {
    let mut text = text.to_owned();
    let mut names: Vec<_> = kept.iter().collect();
    names.sort_by_key(|(name, _)| std::cmp::Reverse(name.len()));
    for (name, value) in names {
        text = text.replace(&format!("${name}"), value);
    }
    text
}

/// Under which name it is asked for.
const HOST: &str = "127.0.0.1:8080";

/// The router of `potok serve` on this machine: nobody need sign in, as long as there are no users.
pub(crate) fn served(engine: &Engine) -> Router {
    potok_rest::router_beside(engine.clone(), &Options::local(8080), potok_faces::routers)
}

/// Holds a conversation; gives what was said, as facts.
pub(crate) async fn hold(router: &Router, base: &str, steps: &[Step]) -> Vec<Json> {
    let mut kept = BTreeMap::new();
    let mut said = Vec::new();
    for step in steps {
        let base = if step.prepares { "" } else { base };
        let path = format!("{base}{}", filled(&step.path, &kept));
        let mut request = Request::builder().method(&*step.method).uri(path).header(header::HOST, HOST);
        let mut body = Vec::new();
        if !step.parts.is_empty() {
            request = request.header(header::CONTENT_TYPE, "multipart/form-data; boundary=edge-of-a-part");
            for (name, file, text) in &step.parts {
                let (of, content) = match file {
                    Some(file) => (
                        format!("; filename=\"{file}\"\r\nContent-Type: application/octet-stream"),
                        std::fs::read(step.folder.join("models").join(file)).unwrap(),
                    ),
                    None => (String::new(), filled(text, &kept).into_bytes()),
                };
                body.extend(
                    format!("--edge-of-a-part\r\nContent-Disposition: form-data; name=\"{name}\"{of}\r\n\r\n").bytes(),
                );
                body.extend(content);
                body.extend(b"\r\n");
            }
            body.extend(b"--edge-of-a-part--\r\n");
        } else if let Some(text) = &step.body {
            body = filled(text, &kept).into_bytes();
            if let Some(kind) = &step.kind {
                request = request.header(header::CONTENT_TYPE, kind);
            }
        }
        let answer = router.clone().oneshot(request.body(Body::from(body)).unwrap()).await.unwrap();
        let status = answer.status().as_u16();
        let kind = answer.headers().get(header::CONTENT_TYPE).map(|kind| kind.to_str().unwrap().to_owned());
        let bytes = to_bytes(answer.into_body(), usize::MAX).await.unwrap();
        said.push(fact(step, status, kind, &bytes, &mut kept));
    }
    said
}

fn fact(step: &Step, status: u16, kind: Option<String>, body: &[u8], kept: &mut BTreeMap<String, String>) -> Json {
    if step.prepares {
        assert_eq!(status, 200, "{}", String::from_utf8_lossy(body));
    }
    if step.only_status || step.prepares || body.is_empty() {
        return json!({"status": status});
    }
    if kind.as_deref() != Some("application/json") {
        let text: String = normal_text(&String::from_utf8_lossy(body), kept).chars().take(20_000).collect();
        return json!({"status": status, "type": kind, "text": text});
    }
    let mut value: Json = serde_json::from_slice(body).unwrap();
    for (name, pointer) in &step.keep {
        if let Some(found) = point(&value, pointer) {
            kept.insert(name.clone(), found);
        }
    }
    if status >= 400
        && let Some(members) = value.as_object_mut()
    {
        members.remove(if members.contains_key("exception") { "exception" } else { "message" });
        if let Some(Json::Object(details)) = members.get("details") {
            let files: Vec<String> = details.keys().cloned().collect();
            members.insert("details".into(), json!(files));
        }
    }
    let keeps_order = step.path.contains("sort") || step.body.as_ref().is_some_and(|body| body.contains("sort"));
    json!({"status": status, "type": kind, "body": normal(&value, kept, "", keeps_order)})
}

fn point(value: &Json, pointer: &str) -> Option<String> {
    let mut value = value.clone();
    for part in pointer.split('/').skip(1) {
        value = match (&value, part) {
            (Json::Object(members), "*") => Json::from(members.keys().next()?.as_str()),
            (Json::Object(members), name) => members.get(name)?.clone(),
            (Json::Array(values), index) => values.get(index.parse::<usize>().ok()?)?.clone(),
            _ => return None,
        };
    }
    value.as_str().map(str::to_owned)
}

fn normal(value: &Json, kept: &BTreeMap<String, String>, name: &str, keeps_order: bool) -> Json {
    let is_empty =
        matches!(value, Json::Null) || value.as_str() == Some("") || value.as_array().is_some_and(Vec::is_empty);
    if matches!(name, "executionId" | "activityInstanceId" | "executionIds" | "hostname") && !is_empty {
        return "<id>".into();
    }
    let takes = matches!(name, "durationInMillis" | "duration" | "minimum" | "maximum" | "average" | "period");
    if takes && !is_empty {
        return "<time>".into();
    }
    if matches!(name, "exceptionMessage" | "jobExceptionMessage" | "failures") && !is_empty {
        return "<text>".into();
    }
    match value {
        Json::String(text) => normal_text(text, kept).into(),
        Json::Object(members) => {
            // What the engine says itself; what a worker says is told again as it is.
            let is_own = members.get("incidentType").is_some_and(|kind| kind == "failedJob");
            let normal = |(name, inner): (&String, &Json)| {
                let said = name == "incidentMessage" && is_own && inner.is_string();
                let inner = if said { "<text>".into() } else { normal(inner, kept, name, false) };
                (normal_text(name, kept), inner)
            };
            Json::Object(members.iter().map(normal).collect())
        }
        Json::Array(values) => {
            let mut values: Vec<Json> = values.iter().map(|inner| normal(inner, kept, "", false)).collect();
            if !keeps_order {
                values.sort_by_key(python_text);
            }
            Json::Array(values)
        }
        other => other.clone(),
    }
}

/// JSON as Python writes it, so that both sort alike.
fn python_text(value: &Json) -> String {
    match value {
        Json::Array(values) => format!("[{}]", values.iter().map(python_text).collect::<Vec<_>>().join(", ")),
        Json::Object(members) => {
            let members = members.iter().map(|(name, inner)| format!("{}: {}", json!(name), python_text(inner)));
            format!("{{{}}}", members.collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    }
}

fn normal_text(text: &str, kept: &BTreeMap<String, String>) -> String {
    if let Some((name, _)) = kept.iter().find(|(_, value)| *value == text) {
        return format!("${name}");
    }
    let without_base = text.find("://").filter(|_| text.starts_with("http")).and_then(|start| {
        let path = &text[start + 3..];
        let path = &path[path.find('/')?..];
        path.strip_prefix("/engine-rest").or_else(|| path.starts_with("/external-job-api/").then_some(path))
    });
    let text = without_base.unwrap_or(text);
    let mut normal = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        if let Some(after) = uuid(rest) {
            normal.push_str("<id>");
            rest = after;
        } else if let Some(after) = now(rest) {
            normal.push_str("<date>");
            rest = after;
        } else {
            normal.push(first);
            rest = &rest[first.len_utf8()..];
        }
    }
    normal
}

/// What follows a UUID.
fn uuid(text: &str) -> Option<&str> {
    let is_in_place = |(index, byte): (usize, u8)| match index {
        8 | 13 | 18 | 23 => byte == b'-',
        _ => byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte),
    };
    let head = text.get(..36)?;
    head.bytes().enumerate().all(is_in_place).then(|| &text[36..])
}

/// What follows a date of these days.
fn now(text: &str) -> Option<&str> {
    let is_now = ["2025", "2026", "2027"].iter().any(|year| text.starts_with(year));
    let shapes = ["dddd-dd-ddTdd:dd:dd.ddd+0000", "dddd-dd-ddTdd:dd:dd.dddZ"];
    let fits = |(byte, shape): (u8, u8)| if shape == b'd' { byte.is_ascii_digit() } else { byte == shape };
    let shape = shapes
        .iter()
        .filter(|_| is_now)
        .find(|shape| text.get(..shape.len()).is_some_and(|head| head.bytes().zip(shape.bytes()).all(fits)))?;
    Some(&text[shape.len()..])
}

/// Where what was said is not what the real server said.
pub(crate) fn differences(steps: &[Step], facts: &[Json], said: &[Json]) -> String {
    let mut all = String::new();
    for ((step, fact), said) in steps.iter().zip(facts).zip(said) {
        if step.differs {
            assert_ne!(fact, said, "{} {} does not differ any more", step.method, step.path);
        } else if fact != said {
            let body = step.body.as_deref().unwrap_or_default();
            writeln!(all, "  {} {} {body}", step.method, step.path).unwrap();
            differ(&mut all, "", fact, said);
        }
    }
    all
}

fn differ(all: &mut String, place: &str, fact: &Json, said: &Json) {
    match (fact, said) {
        (Json::Object(fact), Json::Object(said)) => {
            let names: std::collections::BTreeSet<&String> = fact.keys().chain(said.keys()).collect();
            for name in names {
                let absent = Json::from("(absent)");
                let (fact, said) = (fact.get(name).unwrap_or(&absent), said.get(name).unwrap_or(&absent));
                if fact != said {
                    differ(all, &format!("{place}/{name}"), fact, said);
                }
            }
        }
        (Json::Array(fact), Json::Array(said)) if fact.len() == said.len() => {
            for (index, (fact, said)) in fact.iter().zip(said).enumerate().filter(|(_, (fact, said))| fact != said) {
                differ(all, &format!("{place}/{index}"), fact, said);
            }
        }
        (fact, said) => writeln!(all, "    {place}: {fact}, and here {said}").unwrap(),
    }
}
