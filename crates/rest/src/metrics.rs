//! `/metrics`: how the server fares, in the text format of Prometheus.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::{MatchedPath, Request, State};
use axum::http::{Method, header};
use axum::response::{IntoResponse, Response};
use potok::query::{
    BatchQuery, DeliveryQuery, IncidentQuery, InstanceQuery, JobQuery, MessageQuery, TaskQuery, TimerQuery,
};
use potok::row::{BatchState, DeliveryState, InstanceState, TaskState};
use potok::{Commits, Engine, Error, Right};

use crate::App;
use crate::caller::Caller;
use crate::problem::{Problem, Problems};
use crate::routes::{Routes, routes};

/// Upper bounds of the histogram, in seconds.
const BOUNDS: [f64; 10] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1.0, 5.0];

pub(crate) fn routes() -> Routes {
    Routes::new().routes(routes!(metrics))
}

/// The calls that were answered, by their methods and routes.
#[derive(Debug, Default)]
pub(crate) struct Calls(Mutex<BTreeMap<&'static str, BTreeMap<String, Answered>>>);

/// The calls of one route.
#[derive(Debug, Default)]
struct Answered {
    /// By status.
    statuses: BTreeMap<u16, u64>,
    /// How many took as long as each bound, and no less.
    buckets: [u64; BOUNDS.len()],
    count: u64,
    taken: Duration,
}

impl Answered {
    fn note(&mut self, status: u16, taken: Duration) {
        *self.statuses.entry(status).or_default() += 1;
        self.count += 1;
        self.taken += taken;
        let seconds = taken.as_secs_f64();
        for (bucket, bound) in self.buckets.iter_mut().zip(BOUNDS) {
            *bucket += u64::from(seconds <= bound);
        }
    }
}

impl Calls {
    fn note(&self, method: &'static str, route: &str, status: u16, taken: Duration) {
        let mut calls = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let of_method = calls.entry(method).or_default();
        match of_method.get_mut(route) {
            Some(answered) => answered.note(status, taken),
            None => of_method.entry(route.to_owned()).or_default().note(status, taken),
        }
    }

    fn write(&self, text: &mut String) {
        let calls = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let calls = || calls.iter().flat_map(|(method, of)| of.iter().map(move |(route, of)| (method, route, of)));
        head(text, "potok_http_requests_total", "counter", "Calls that were answered");
        for (method, route, answered) in calls() {
            for (status, count) in &answered.statuses {
                let labels = format!("method=\"{method}\",route=\"{route}\",status=\"{status}\"");
                let _ = writeln!(text, "potok_http_requests_total{{{labels}}} {count}");
            }
        }
        let name = "potok_http_request_duration_seconds";
        head(text, name, "histogram", "How long it took to answer, without what is streamed after the head");
        for (method, route, answered) in calls() {
            let labels = format!("method=\"{method}\",route=\"{route}\"");
            for (bucket, bound) in answered.buckets.iter().zip(BOUNDS) {
                let _ = writeln!(text, "{name}_bucket{{{labels},le=\"{bound}\"}} {bucket}");
            }
            let _ = writeln!(text, "{name}_bucket{{{labels},le=\"+Inf\"}} {}", answered.count);
            let _ = writeln!(text, "{name}_sum{{{labels}}} {}", answered.taken.as_secs_f64());
            let _ = writeln!(text, "{name}_count{{{labels}}} {}", answered.count);
        }
    }
}

fn head(text: &mut String, name: &str, kind: &str, help: &str) {
    let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
}

/// A call that is counted under its route.
pub(crate) struct Counted {
    begun: Instant,
    method: &'static str,
    route: Option<MatchedPath>,
}

impl Counted {
    pub(crate) fn begin(request: &Request) -> Self {
        // Whatever else is sent as a method is no label: there is no end to it.
        let method = match *request.method() {
            Method::GET => "GET",
            Method::POST => "POST",
            Method::PUT => "PUT",
            Method::PATCH => "PATCH",
            Method::DELETE => "DELETE",
            _ => "other",
        };
        Self { begun: Instant::now(), method, route: request.extensions().get::<MatchedPath>().cloned() }
    }

    pub(crate) fn note(&self, app: &App, response: &Response) {
        let route = self.route.as_ref().map_or("none", MatchedPath::as_str);
        app.calls.note(self.method, route, response.status().as_u16(), self.begun.elapsed());
    }
}

/// How the server fares, for Prometheus
#[utoipa::path(get, path = "/metrics", tag = "operations", operation_id = "getMetrics",
    responses((status = 200, body = String, content_type = "text/plain", description = "The metrics"), Problems))]
async fn metrics(caller: Caller, State(app): State<App>) -> Result<Response, Problem> {
    let mut text = String::new();
    for (name, help, value) in gauges(&caller.engine).await? {
        head(&mut text, name, "gauge", help);
        let _ = writeln!(text, "{name} {value}");
    }
    topics(&caller.engine, &mut text).await?;
    // What the whole server does is nothing for who keeps to some tenants.
    if let Some(so_far) = caller.engine.commits().await? {
        commits(so_far, &mut text);
        app.calls.write(&mut text);
    }
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text).into_response())
}

/// Jobs by topic: counted now and then, however often that is asked for.
async fn topics(engine: &Engine, text: &mut String) -> Result<(), Error> {
    let topics = engine.jobs_by_topic().await?;
    head(
        text,
        "potok_jobs",
        "gauge",
        "Jobs by topic: waiting for a worker, locked by one, or failed, without tries left",
    );
    for of in &topics {
        let topic = of.topic.as_str().replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
        for (state, count) in [("waiting", of.waiting), ("locked", of.locked), ("failed", of.failed)] {
            let _ = writeln!(text, "potok_jobs{{topic=\"{topic}\",state=\"{state}\"}} {count}");
        }
    }
    Ok(())
}

/// What has come of commands, and how the database takes it.
fn commits(so_far: Commits, text: &mut String) {
    for (name, kind, help, value) in [
        ("potok_commands_total", "counter", "Commands that became durable", so_far.durable),
        ("potok_commands_lost_total", "counter", "Tries of commands that others were faster than", so_far.lost),
        ("potok_commands_waiting", "gauge", "Commands that wait for the database", so_far.waiting),
        ("potok_database_errors_total", "counter", "Transactions that the database could not do", so_far.failed),
    ] {
        head(text, name, kind, help);
        let _ = writeln!(text, "{name} {value}");
    }
    let name = "potok_database_commit_seconds";
    head(text, name, "summary", "How long transactions took, each with the commands of a moment");
    let _ = writeln!(text, "{name}_sum {}\n{name}_count {}", so_far.taken.as_secs_f64(), so_far.transactions);
}

async fn gauges(engine: &Engine) -> Result<Vec<(&'static str, &'static str, u64)>, Error> {
    let running = InstanceQuery { states: vec![InstanceState::Active], ..InstanceQuery::default() };
    let tasks = TaskQuery { states: vec![TaskState::Open], ..TaskQuery::default() };
    let to_do = JobQuery { has_retries: Some(true), ..JobQuery::default() };
    let given_up = JobQuery { has_retries: Some(false), ..JobQuery::default() };
    let late = TimerQuery { due_before: Some(engine.clock().now()), ..TimerQuery::default() };
    let stuck = IncidentQuery { open: Some(true), ..IncidentQuery::default() };
    let kept = MessageQuery { kept_at: Some(engine.clock().now()), ..MessageQuery::default() };
    let at_work = BatchQuery { states: vec![BatchState::Running], ..BatchQuery::default() };
    let mut gauges = vec![
        ("potok_instances_running", "Instances that run", engine.count(&running).await?),
        ("potok_tasks_open", "Tasks that are open", engine.count(&tasks).await?),
        ("potok_jobs_to_do", "Jobs with tries left, handed out or not", engine.count(&to_do).await?),
        ("potok_jobs_given_up", "Jobs without tries left", engine.count(&given_up).await?),
        ("potok_timers_late", "Timers that are due and have not fired", engine.count(&late).await?),
        ("potok_incidents_open", "Incidents that are open", engine.count(&stuck).await?),
        ("potok_messages_kept", "Messages that nobody waits for yet", engine.count(&kept).await?),
    ];
    // Webhooks are all tenants', too.
    if engine.may(Right::Administer).await? && engine.whoami().await?.tenants.is_none() {
        let dead = DeliveryQuery { states: vec![DeliveryState::Dead], ..DeliveryQuery::default() };
        gauges.push((
            "potok_webhook_deliveries_dead",
            "Events that webhooks were not told",
            engine.count(&dead).await?,
        ));
    }
    // Batches are the operators' business; who only watches gets the rest.
    if engine.may(Right::Operate).await? {
        gauges.push(("potok_batches_running", "Batches at work", engine.count(&at_work).await?));
    }
    Ok(gauges)
}
