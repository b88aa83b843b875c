//! A server on which there is one of everything, and who calls it.

use std::collections::BTreeMap;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, Response, StatusCode};
use jiff::SignedDuration;
use potok::row::{Group, Tenant, User};
use potok::{Clock, Engine, Role};
use potok_rest::{Options, router_beside};
use potok_store::Store;
use serde_json::{Value, json};
use tower::ServiceExt as _;

/// An instance of it waits for a user, a worker, a message and a timer, and is stuck at another job.
const HOT: &str = r#"<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" targetNamespace="test">
  <process id="hot" isExecutable="true">
    <startEvent id="over"><conditionalEventDefinition><condition>temperature &gt; 100</condition></conditionalEventDefinition></startEvent>
    <userTask id="cool"/>
    <sequenceFlow id="f0" sourceRef="over" targetRef="cool"/>
  </process></definitions>"#;

const WORK: &str = r#"<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:potok="urn:potok:bpmn:1.0"
    xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" targetNamespace="test">
  <message id="paid" name="paid"/><escalation id="late" escalationCode="late"/><error id="lost" errorCode="lost"/>
  <signal id="go" name="go"/>
  <process id="work" isExecutable="true">
    <startEvent id="start"/><parallelGateway id="fork"/>
    <userTask id="approve" potok:assignee="part"/>
    <serviceTask id="send" potok:job="send-letter" potok:retries="2"/>
    <serviceTask id="fails" potok:job="fails" potok:retries="1"/>
    <intermediateCatchEvent id="paid-in"><messageEventDefinition messageRef="paid"/></intermediateCatchEvent>
    <intermediateCatchEvent id="wait"><timerEventDefinition><timeDuration>PT1H</timeDuration></timerEventDefinition></intermediateCatchEvent>
    <adHocSubProcess id="extra"><userTask id="call"/></adHocSubProcess>
    <boundaryEvent id="lost-task" attachedToRef="approve"><errorEventDefinition errorRef="lost"/></boundaryEvent>
    <boundaryEvent id="lost-job" attachedToRef="send"><errorEventDefinition errorRef="lost"/></boundaryEvent>
    <boundaryEvent id="late-task" attachedToRef="approve" cancelActivity="false"><escalationEventDefinition escalationRef="late"/></boundaryEvent>
    <boundaryEvent id="late-job" attachedToRef="send" cancelActivity="false"><escalationEventDefinition escalationRef="late"/></boundaryEvent>
    <endEvent id="end"/>
    <sequenceFlow id="f0" sourceRef="start" targetRef="fork"/>
    <sequenceFlow id="f1" sourceRef="fork" targetRef="approve"/><sequenceFlow id="g1" sourceRef="approve" targetRef="end"/>
    <sequenceFlow id="f2" sourceRef="fork" targetRef="send"/><sequenceFlow id="g2" sourceRef="send" targetRef="end"/>
    <sequenceFlow id="f3" sourceRef="fork" targetRef="paid-in"/><sequenceFlow id="g3" sourceRef="paid-in" targetRef="end"/>
    <sequenceFlow id="f4" sourceRef="fork" targetRef="wait"/><sequenceFlow id="g4" sourceRef="wait" targetRef="end"/>
    <sequenceFlow id="f5" sourceRef="fork" targetRef="fails"/><sequenceFlow id="g5" sourceRef="fails" targetRef="end"/>
    <sequenceFlow id="f6" sourceRef="fork" targetRef="extra"/><sequenceFlow id="g6" sourceRef="extra" targetRef="end"/>
    <sequenceFlow id="h1" sourceRef="lost-task" targetRef="end"/><sequenceFlow id="h2" sourceRef="lost-job" targetRef="end"/>
    <sequenceFlow id="h3" sourceRef="late-task" targetRef="end"/><sequenceFlow id="h4" sourceRef="late-job" targetRef="end"/>
  </process>
</definitions>"#;

const DISH: &str = r#"<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" namespace="test" name="dish" id="d">
  <decision id="dish" name="dish"><variable name="dish"/><literalExpression><text>"stew"</text></literalExpression></decision>
</definitions>"#;

/// Who calls, in the order of the table's columns.
pub(crate) const CALLERS: [(&str, &str); 13] = [
    ("nobody", "has not signed in"),
    ("anna", "a participant, who has no part in anything here"),
    ("part", "a participant, who has started the instance and has its task"),
    ("viewer", "has the role of that name, as the next ones have"),
    ("supervisor", ""),
    ("operator", ""),
    ("deployer", ""),
    ("worker", ""),
    ("administrator", ""),
    ("elsewhere", "has every role, in another tenant"),
    ("expired", "an administrator whose token has expired"),
    ("forged", "a session that nobody has begun"),
    ("no-csrf", "an administrator's session without its token"),
];

/// A server, the headers that each caller sends, and the ids of what there is.
pub(crate) struct World {
    router: Router,
    callers: BTreeMap<&'static str, Vec<(&'static str, String)>>,
    pub(crate) ids: BTreeMap<String, String>,
}

pub(crate) fn router(engine: &Engine) -> Router {
    router_beside(engine.clone(), &Options::local(8080), potok_faces::routers)
}

impl World {
    pub(crate) async fn new() -> Self {
        let clock = Clock::standing_at("2026-01-05T09:00:00Z".parse().unwrap());
        // The quickest one to make: it is made anew whenever something has been done.
        let engine = Engine::builder().store(Store::memory()).clock(clock).job_execution(false).start().await.unwrap();
        let callers = callers(&engine).await;
        let mut world = Self { router: router(&engine), callers, ids: BTreeMap::new() };
        world.fill().await;
        world
    }

    async fn fill(&mut self) {
        let (work, hot) = (json!({"name": "work.bpmn", "text": WORK}), json!({"name": "hot.bpmn", "text": HOT}));
        let files = json!({"files": [work, hot, {"name": "dish.dmn", "text": DISH}]});
        self.keep("deployment", "/api/v1/deployments", files).await;
        let unused = json!({"files": [{"name": "unused.bpmn", "text": WORK.replace("id=\"work\"", "id=\"unused\"")}]});
        self.keep("unused", "/api/v1/deployments", unused).await;
        let theirs = json!({"files": [work, hot]});
        self.tell("elsewhere", "/api/v1/deployments", theirs).await;
        let start = json!({"definition": "work", "variables": {"amount": 3}});
        let started = self.tell("part", "/api/v1/instances", start.clone()).await;
        let instance = self.note("instance", &started);
        self.keep("ended", "/api/v1/instances", start.clone()).await;
        let ended = format!("/api/v1/instances/{}/cancel", self.ids["ended"]);
        self.tell("administrator", &ended, json!({"reason": "over"})).await;

        let mine = json!({"filter": {"instances": [instance], "nodes": ["approve"]}});
        self.find("task", "/api/v1/tasks/search", mine).await;
        self.keep("alone", "/api/v1/tasks", json!({"name": "Call back"})).await;
        self.keep("search", "/api/v1/searches", json!({"name": "All", "query": {}})).await;
        for topic in ["send-letter", "fails"] {
            let fetch = json!({"worker": "w", "topics": [topic], "limit": 9, "leaseSeconds": 3600});
            let fetched = self.tell("administrator", "/api/v1/jobs/fetch", fetch).await;
            let job = &fetched[0];
            self.note(&format!("job-{topic}"), job);
            self.ids.insert(format!("lease-{topic}"), job["lease"].as_str().unwrap().to_owned());
        }
        let failed = json!({"lease": self.ids["lease-fails"], "message": "no", "retries": 0});
        let path = format!("/api/v1/jobs/{}/fail", self.ids["job-fails"]);
        self.tell("administrator", &path, failed).await;
        let path = format!("/api/v1/instances/{instance}/state");
        let state = self.ask("administrator", "GET", &path, (None, String::new())).await;
        let state: Value = serde_json::from_slice(&to_bytes(state.into_body(), usize::MAX).await.unwrap()).unwrap();
        let ad_hoc = state["waits"].as_array().unwrap().iter().find(|wait| wait["kind"] == "ad-hoc").unwrap();
        self.note("ad-hoc", ad_hoc);
        self.find("timer", "/api/v1/timers/search", json!({})).await;
        self.keep("token", "/api/v1/tokens", json!({"user": "eve", "name": "reports"})).await;
        self.find("incident", "/api/v1/incidents/search", json!({})).await;
        self.find("record", "/api/v1/audit/search", json!({})).await;
        let batch = json!({"operation": {"type": "cancel"}, "instances": [instance]});
        self.keep("webhook", "/api/v1/webhooks", json!({"url": "https://example.com/potok"})).await;
        for (name, state) in [("batch", None), ("batch-paused", Some("pause")), ("batch-over", Some("cancel"))] {
            self.keep(name, "/api/v1/batches", batch.clone()).await;
            if let Some(state) = state {
                let path = format!("/api/v1/batches/{}/{state}", self.ids[name]);
                self.tell("administrator", &path, json!({})).await;
            }
        }
        for (name, of) in
            [("instance", format!("instances/{instance}")), ("task", format!("tasks/{}", self.ids["task"]))]
        {
            self.keep(&format!("comment-{name}"), &format!("/api/v1/{of}/comments"), json!({"text": "so?"})).await;
            self.keep(&format!("file-{name}"), &format!("/api/v1/{of}/attachments?name=a.txt"), json!({})).await;
        }
        // As Camunda 7's clients know them.
        let keys: Vec<_> =
            self.ids.iter().filter_map(|(name, id)| Some((name.clone(), id.parse::<u64>().ok()?))).collect();
        for (name, key) in keys {
            let bits = key | 1 << 63;
            let id = format!("00000000-0000-8000-{:04x}-{:012x}", bits >> 48, bits & 0xffff_ffff_ffff);
            self.ids.insert(format!("uuid-{name}"), id);
        }
        let waits = self.first("GET", "/engine-rest/event-subscription").await.unwrap();
        self.ids.insert("execution".into(), waits["executionId"].as_str().unwrap().to_owned());
        for key in ["unused", "work"] {
            let found = self.first("GET", &format!("/engine-rest/process-definition?key={key}")).await.unwrap();
            self.ids.insert(format!("definition-{key}"), found["id"].as_str().unwrap().to_owned());
        }
        let all = json!({"resourceType": "Task", "name": "All"});
        self.tell("administrator", "/engine-rest/filter/create", all).await;
    }

    /// The answer to a caller, who must be let in.
    async fn tell(&self, caller: &str, path: &str, body: Value) -> Value {
        let body = (Some("application/json"), body.to_string());
        let response = self.ask(caller, "POST", path, body).await;
        let status = response.status();
        let bytes = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        assert!(status.is_success(), "{path}: {status} {}", String::from_utf8_lossy(&bytes));
        serde_json::from_slice(&bytes).unwrap_or_default()
    }

    /// What the list under a path begins with, for an administrator.
    pub(crate) async fn first(&self, method: &str, path: &str) -> Option<Value> {
        let body = if method == "POST" { (Some("application/json"), "{}".to_owned()) } else { (None, String::new()) };
        let response = self.ask("administrator", method, path, body).await;
        let bytes = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        let found: Value = serde_json::from_slice(&bytes).ok()?;
        found.as_array().or(found["items"].as_array())?.first().cloned()
    }

    fn note(&mut self, name: &str, said: &Value) -> String {
        let id = said["id"].as_str().unwrap_or_else(|| panic!("{name}: {said}")).to_owned();
        self.ids.insert(name.to_owned(), id.clone());
        id
    }

    async fn keep(&mut self, name: &str, path: &str, body: Value) {
        let said = self.tell("administrator", path, body).await;
        self.note(name, &said);
    }

    async fn find(&mut self, name: &str, path: &str, body: Value) {
        let said = self.tell("administrator", path, body).await;
        self.note(name, &said["items"][0]);
    }

    /// The head of what is answered to a caller.
    pub(crate) async fn ask(
        &self,
        caller: &str,
        method: &str,
        path: &str,
        (kind, body): (Option<&str>, String),
    ) -> Response<Body> {
        let mut request = Request::builder().method(method).uri(path).header("host", "localhost:8080");
        if let Some(kind) = kind {
            request = request.header("content-type", kind);
        }
        for (name, value) in &self.callers[caller] {
            request = request.header(*name, value);
        }
        self.router.clone().oneshot(request.body(Body::from(body)).unwrap()).await.unwrap()
    }

    /// The methods of a route: whoever asks with one that there is not is told which there are.
    pub(crate) async fn methods(&self, path: &str) -> Vec<String> {
        let response = self.ask("administrator", "TRACE", path, (None, String::new())).await;
        if response.status() != StatusCode::METHOD_NOT_ALLOWED {
            return vec!["ANY".into()];
        }
        let allowed = response.headers()["allow"].to_str().unwrap();
        allowed.split(',').map(|method| method.trim().to_owned()).filter(|method| method != "HEAD").collect()
    }
}

async fn callers(engine: &Engine) -> BTreeMap<&'static str, Vec<(&'static str, String)>> {
    let people = engine.people();
    for role in Role::ALL {
        people.put_group(Group { id: role.name().into(), ..Group::default() }).await.unwrap();
        people.grant(role.name(), role).await.unwrap();
    }
    people.put_group(Group { id: "heads".into(), ..Group::default() }).await.unwrap();
    people.put_user(User { id: "eve".into(), ..User::default() }).await.unwrap();
    people.add_member("heads", "eve").await.unwrap();
    let mut callers = BTreeMap::new();
    for (name, _) in CALLERS {
        people.put_user(User { id: name.into(), ..User::default() }).await.unwrap();
        let roles: &[Role] = match (name, Role::named(name)) {
            (_, Some(role)) => &[role],
            ("elsewhere", _) => &Role::ALL,
            ("expired" | "no-csrf", _) => &[Role::Administrator],
            _ => &[],
        };
        for role in roles {
            people.add_member(role.name(), name).await.unwrap();
        }
        let headers = match name {
            "nobody" => Vec::new(),
            "forged" => vec![("cookie", "potok-session=forged".to_owned()), ("x-csrf-token", "forged".to_owned())],
            "no-csrf" => {
                let session = engine.as_user(name).begin_session().await.unwrap();
                vec![("cookie", format!("potok-session={}", session.secret.reveal()))]
            }
            _ => {
                let mut token = people.new_token(name, "test");
                let end = engine.clock().now() + SignedDuration::from_millis(1);
                if name == "expired" {
                    token = token.expires(end);
                }
                let (_, secret) = token.send().await.unwrap();
                if name == "expired" {
                    engine.clock().advance(end);
                }
                vec![("authorization", format!("Bearer {}", secret.reveal()))]
            }
        };
        callers.insert(name, headers);
    }
    people.add_to_tenant("elsewhere", "elsewhere").await.unwrap();
    people.put_tenant(Tenant { id: "spare".into(), name: None }).await.unwrap();
    callers
}
