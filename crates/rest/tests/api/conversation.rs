//! Who talks with the API, without a network between.

use std::fmt;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, StatusCode};
use axum::response::Response;
use potok::row::{Group, User};
use potok::{Clock, Engine, Role};
use potok_rest::{Options, Stop, router};
use serde_json::{Value, json};
use tower::ServiceExt;

/// A server on a database in memory, whose time stands still, and that does nothing by itself.
pub(crate) struct Server {
    pub(crate) engine: Engine,
    pub(crate) stop: Stop,
    router: Router,
    authorization: Option<String>,
}

/// What was answered.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) bytes: Vec<u8>,
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = String::from_utf8_lossy(&self.bytes);
        f.debug_struct("Answer")
            .field("status", &self.status)
            .field("headers", &self.headers)
            .field("body", &text)
            .finish()
    }
}

impl Server {
    pub(crate) async fn new() -> Self {
        Self::with(&Options::local(8080)).await
    }

    pub(crate) async fn with(options: &Options) -> Self {
        let clock = Clock::standing_at("2026-01-05T09:00:00Z".parse().unwrap());
        let engine = Engine::builder().clock(clock).job_execution(false).start().await.unwrap();
        Self { router: router(engine.clone(), options), stop: options.stop.clone(), engine, authorization: None }
    }

    pub(crate) fn of(engine: Engine, router: Router) -> Self {
        Self { router, stop: Stop::default(), engine, authorization: None }
    }

    /// The same server for a caller who sends that as `Authorization`.
    pub(crate) fn by(&self, authorization: &str) -> Self {
        let authorization = Some(authorization.to_owned());
        Self { engine: self.engine.clone(), stop: self.stop.clone(), router: self.router.clone(), authorization }
    }

    /// What its caller sends as `Authorization`.
    pub(crate) fn authorization(&self) -> &str {
        self.authorization.as_deref().unwrap()
    }

    /// The same server for a user, who is made if need be, with an API token.
    pub(crate) async fn user(&self, name: &str, roles: &[Role], tenant: Option<&str>) -> Self {
        let people = self.engine.people();
        people.put_user(User { id: name.into(), ..User::default() }).await.unwrap();
        for role in roles {
            people.put_group(Group { id: role.name().into(), ..Group::default() }).await.unwrap();
            people.grant(role.name(), *role).await.unwrap();
            people.add_member(role.name(), name).await.unwrap();
        }
        if let Some(tenant) = tenant {
            people.add_to_tenant(tenant, name).await.unwrap();
        }
        let (_, secret) = people.new_token(name, "test").send().await.unwrap();
        self.by(&format!("Bearer {}", secret.reveal()))
    }

    /// With models whose flow nodes follow each other.
    pub(crate) async fn deployed(models: &[(&str, &str)]) -> Self {
        let server = Self::new().await;
        let files: Vec<Value> =
            models.iter().map(|(id, nodes)| json!({"name": format!("{id}.bpmn"), "text": row(id, nodes)})).collect();
        server.post("/api/v1/deployments", json!({"files": files})).await.is(201);
        server
    }

    /// The answer's head; its body may come bit by bit.
    pub(crate) async fn stream(&self, request: Request<Body>) -> Response {
        self.router.clone().oneshot(request).await.unwrap()
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.stream(request).await;
        let (parts, body) = response.into_parts();
        let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap().to_vec();
        Answer { status: parts.status, headers: parts.headers, bytes }
    }

    pub(crate) async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
        headers: &[(&str, &str)],
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(path).header("host", "localhost:8080");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(authorization) = &self.authorization {
            request = request.header("authorization", authorization);
        }
        let body = match body {
            Some(json) => {
                request = request.header("content-type", "application/json");
                Body::from(json.to_string())
            }
            None => Body::empty(),
        };
        self.send(request.body(body).unwrap()).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.ask(Method::GET, path, None, &[]).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.ask(Method::POST, path, Some(body), &[]).await
    }

    /// A post without a body.
    pub(crate) async fn poke(&self, path: &str) -> Answer {
        self.ask(Method::POST, path, None, &[]).await
    }

    pub(crate) async fn put(&self, path: &str, body: Value) -> Answer {
        self.ask(Method::PUT, path, Some(body), &[]).await
    }

    pub(crate) async fn patch(&self, path: &str, body: Value) -> Answer {
        self.ask(Method::PATCH, path, Some(body), &[]).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.ask(Method::DELETE, path, None, &[]).await
    }

    /// Starts an instance and gives its id.
    pub(crate) async fn start(&self, definition: &str, variables: Value) -> String {
        let body = json!({"definition": definition, "variables": variables});
        self.post("/api/v1/instances", body).await.is(201).text("id")
    }

    /// The id of the only open task of an instance.
    pub(crate) async fn task_of(&self, instance: &str) -> String {
        let found =
            self.post("/api/v1/tasks/search", json!({"filter": {"instances": [instance]}})).await.is(200).json();
        assert_eq!(found["items"].as_array().unwrap().len(), 1, "{found}");
        found["items"][0]["id"].as_str().unwrap().to_owned()
    }
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// It has this status.
    #[track_caller]
    pub(crate) fn is(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", String::from_utf8_lossy(&self.bytes));
        if status == 204 {
            assert!(self.bytes.is_empty());
        }
        self
    }

    /// What it says has at least these members.
    #[track_caller]
    pub(crate) fn says(self, expected: Value) -> Self {
        let json = self.json();
        assert!(contains(&json, &expected), "{json:#}\n\nwhere this was expected: {expected:#}");
        self
    }

    /// It is a problem with this status and code.
    #[track_caller]
    pub(crate) fn problem(self, status: u16, code: &str) -> Self {
        assert_eq!(self.headers["content-type"], "application/problem+json", "{self:?}");
        self.is(status).says(json!({"status": status, "code": code, "type": format!("urn:potok:problem:{code}")}))
    }

    /// A member that is text.
    #[track_caller]
    pub(crate) fn text(&self, name: &str) -> String {
        self.json()[name].as_str().unwrap_or_else(|| panic!("no text `{name}`: {self:?}")).to_owned()
    }

    /// What stands for how it is.
    #[track_caller]
    pub(crate) fn tag(&self) -> String {
        self.headers["etag"].to_str().unwrap().to_owned()
    }

    /// How many items were found.
    pub(crate) fn count(&self) -> usize {
        self.json()["items"].as_array().unwrap().len()
    }
}

fn contains(json: &Value, expected: &Value) -> bool {
    match (json, expected) {
        (Value::Object(all), Value::Object(some)) => {
            some.iter().all(|(name, value)| all.get(name).is_some_and(|there| contains(there, value)))
        }
        (Value::Array(all), Value::Array(some)) => {
            all.len() == some.len() && all.iter().zip(some).all(|(there, value)| contains(there, value))
        }
        _ => json == expected,
    }
}

/// A model whose flow nodes follow each other: `<startEvent id="..."/>` and so on, each on a line of its own.
pub(crate) fn row(id: &str, nodes: &str) -> String {
    let is_node = |line: &&str| line.starts_with('<') && !line.starts_with("</") && !line.starts_with("<boundaryEvent");
    let ids: Vec<&str> = nodes
        .lines()
        .map(str::trim)
        .filter(is_node)
        .filter_map(|line| line.split("id=\"").nth(1)?.split('"').next())
        .collect();
    let flow =
        |two: &[&str]| format!(r#"<sequenceFlow id="{0}-{1}" sourceRef="{0}" targetRef="{1}"/>"#, two[0], two[1]);
    let flows: String = ids.windows(2).map(flow).collect();
    format!(
        r#"<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:potok="urn:potok:bpmn:1.0"
            xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" targetNamespace="test">
            <message id="paid" name="paid"/><error id="lost" name="lost" errorCode="lost"/>
            <process id="{id}" isExecutable="true">{nodes}{flows}</process></definitions>"#
    )
}

pub(crate) const APPROVAL: &str = r#"<startEvent id="start"/>
    <userTask id="approve" name="Approve" potok:candidateGroups="sales"/>
    <userTask id="pay" name="Pay" potok:assignee="boris"/>
    <endEvent id="end"/>"#;

pub(crate) const LETTER: &str = r#"<startEvent id="start"/>
    <serviceTask id="send" potok:job="send-letter" potok:retries="2"/>
    <endEvent id="end"/>"#;
