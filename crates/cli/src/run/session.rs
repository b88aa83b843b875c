//! A run: where its instances are, and what has been seen of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use potok_core::Name;
use potok_core::dialect::{FieldKind, FormField};
use potok_core::expressions::{Evaluation, Expressions as _, Language, Purpose, Variables};
use potok_core::graph::{Form, NodeKind, ProcessGraph};
use potok_core::instance::{Instance, Key, NONE, ROOT, ScopeId, State, TokenId, WaitKind};
use potok_core::routing::{Notice, StartOptions, contradicts};
use potok_core::step::{Command, StartAt};
use potok_core::time::Timestamp;
use potok_core::value::Value;
use potok_expressions::Evaluator;
use serde::Serialize;
use serde_json::{Map, Value as Json, json};

use super::clock::Clock;
use super::field::{Default, Field};
use super::form_js;
use super::host::Host;
use super::record::{Numbers, values};
use super::waiting::Waiting;
use crate::failure::Failure;

/// So many jobs, timers and savepoints in a row go on by themselves; more are taken for a loop without end.
const BY_ITSELF: usize = 20_000;

/// An element that a token has passed, or stands on.
#[derive(Debug)]
pub(crate) struct Passed {
    pub(crate) instance: Key,
    pub(crate) process: Name,
    pub(crate) element: Name,
    pub(crate) name: Option<Name>,
    /// What kind of gateway it is, if it is one.
    pub(crate) gateway: Option<&'static str>,
    pub(crate) entered: Timestamp,
    pub(crate) left: Option<Timestamp>,
}

/// A run.
pub(crate) struct Session {
    pub(crate) host: Box<dyn Host>,
    pub(crate) process: Arc<ProcessGraph>,
    pub(crate) clock: Clock,
    /// Who starts the process.
    pub(crate) user: Option<Name>,
    /// The instance that the run is about.
    pub(crate) main: Option<Key>,
    pub(crate) trace: Vec<Passed>,
    /// What happened between instances, in words.
    pub(crate) notices: Vec<String>,
    /// What jobs of a type give without being asked.
    pub(crate) jobs: BTreeMap<String, Vec<(Name, Value)>>,
    /// The element or job type whose jobs are not done by themselves for now.
    pub(crate) held: Option<String>,
    /// Events go to the standard output as JSON lines.
    pub(crate) events: Option<Box<dyn std::io::Write>>,
    evaluator: Arc<Evaluator>,
    forms: BTreeMap<String, Vec<Field>>,
    numbers: BTreeMap<Key, Numbers>,
    /// Where in the trace a token stands.
    standing: BTreeMap<(Key, TokenId), usize>,
}

impl Session {
    pub(crate) fn new(
        host: Box<dyn Host>,
        process: Arc<ProcessGraph>,
        clock: Clock,
        evaluator: Arc<Evaluator>,
        forms: BTreeMap<String, Vec<Field>>,
    ) -> Self {
        Self {
            host,
            process,
            clock,
            user: None,
            main: None,
            trace: Vec::new(),
            notices: Vec::new(),
            jobs: BTreeMap::new(),
            held: None,
            events: None,
            evaluator,
            forms,
            numbers: BTreeMap::new(),
            standing: BTreeMap::new(),
        }
    }

    /// Starts the process.
    pub(crate) fn start(
        &mut self,
        at: StartAt,
        variables: Vec<(Name, Value)>,
        business_key: Option<Name>,
    ) -> Result<(), Failure> {
        let id = self.process.id().clone();
        let initiator = self.user.clone();
        let options = StartOptions { at, business_key, variables, initiator, ..StartOptions::default() };
        self.act(|host| host.start(&id, options))
    }

    /// Gives a message to whoever waits for it, unless what it carries belongs to somebody else.
    pub(crate) fn deliver(&mut self, waiting: &Waiting, variables: Vec<(Name, Value)>) -> Result<(), Failure> {
        let subscription = waiting.key;
        if let Some(running) = self.host.instance(waiting.instance)
            && let Some(wait) = running.instance.wait(subscription)
            && let Some((property, value)) = contradicts(&running.graph, &running.instance, wait, &variables)
        {
            let text =
                format!("the message is for another conversation: its correlation property `{property}` is {value}");
            return Err(Failure::new(text).help("let it carry the key that is waited for, or nothing of the kind"));
        }
        let command = Command::DeliverMessage { subscription, variables };
        self.act(|host| host.command_at(subscription, command))
    }

    /// Does something, and lets everything go on that goes on by itself.
    pub(crate) fn act(&mut self, act: impl FnOnce(&mut dyn Host) -> Result<(), Failure>) -> Result<(), Failure> {
        let result = act(&mut *self.host);
        self.absorb()?;
        result?;
        self.settle()
    }

    /// Goes on with an instance that has run before: what happened until now is known, but not told again.
    pub(crate) fn go_on_with(&mut self, instance: Key) -> Result<(), Failure> {
        self.main = Some(instance);
        let events = self.events.take();
        let absorbed = self.absorb();
        self.events = events;
        absorbed
    }

    /// Lets time pass, with all that happens meanwhile happening at its time.
    pub(crate) fn advance(&mut self, to: Timestamp) -> Result<(), Failure> {
        for _ in 0..BY_ITSELF {
            match self.host.next_timer().filter(|due| *due <= to) {
                Some(due) => self.act(|host| host.advance(due))?,
                None => return self.act(|host| host.advance(to)),
            }
        }
        let now = self.clock.full(self.host.now());
        Err(Failure::new(format!("{BY_ITSELF} timers have fired by {now}: go in shorter steps")))
    }

    /// Savepoints go on, what has failed is tried again, and jobs with a default result are done, until nothing is left of either.
    pub(crate) fn settle(&mut self) -> Result<(), Failure> {
        // What was passed over stays as it is: nobody else acts meanwhile.
        let mut from = Key::default();
        let now = self.host.now();
        let is_due = |kind: &WaitKind| kind.goes_on(now).is_some_and(|due| due <= now);
        let has_failed = |kind: &WaitKind| kind.retry().is_some_and(|retry| retry.failure.is_some());
        for _ in 0..BY_ITSELF {
            let next = self.host.waits_from(from).find_map(|(running, wait)| match &wait.kind {
                kind @ WaitKind::Continuation { .. } if is_due(kind) => {
                    Some((wait.key, Command::Continue { continuation: wait.key }))
                }
                kind @ WaitKind::Timer(_) if has_failed(kind) && is_due(kind) => {
                    Some((wait.key, Command::FireTimer { timer: wait.key }))
                }
                WaitKind::Job(job) if job.retries > 0 => {
                    let variables = self.jobs.get(&*job.kind)?;
                    let held = self.held.as_deref();
                    let element = &running.graph.get_node(wait.node)?.id;
                    if held == Some(&*job.kind) || held == Some(&**element) {
                        return None;
                    }
                    let (job, variables) = (wait.key, variables.clone());
                    Some((job, Command::CompleteJob { job, variables, local_variables: Vec::new() }))
                }
                _ => None,
            });
            let Some((key, command)) = next else { return Ok(()) };
            from = key;
            let result = self.host.command_at(key, command);
            self.absorb()?;
            result?;
        }
        let looping = self.trace.iter().rev().take(5).map(|passed| format!("`{}`", passed.element));
        let looping: Vec<_> = looping.collect();
        Err(Failure::new(format!(
            "after {BY_ITSELF} jobs and savepoints in a row nothing waits yet: the process loops through {}",
            looping.join(", ")
        )))
    }

    /// Takes down what has happened.
    fn absorb(&mut self) -> Result<(), Failure> {
        for stepped in self.host.take_log() {
            let (instance, graph, now) = (stepped.instance, stepped.graph, stepped.events.now);
            if self.main.is_none() && graph.id() == self.process.id() {
                self.main = Some(instance);
            }
            let numbers = self.numbers.entry(instance).or_default();
            for event in &stepped.events.list {
                let record = numbers.record(&graph, &stepped.events, *event);
                let node = record.node.and_then(|node| graph.get_node(node));
                if let Some(out) = &mut self.events {
                    let line = Line {
                        time: now.to_string(),
                        instance: Some(instance.to_string()),
                        process: Some(graph.id()),
                        event: record.event,
                        element: node.map(|node| &*node.id),
                        // A task's name may be computed: people see that one.
                        name: node.and_then(|node| node.name.as_deref()).filter(|_| !record.more.contains_key("name")),
                        more: record.more,
                    };
                    line.write(out)?;
                }
                if let Some(place) = record.left.and_then(|token| self.standing.remove(&(instance, token))) {
                    self.trace[place].left = Some(now);
                }
                if let (Some(token), Some(node)) = (record.entered, node) {
                    self.standing.insert((instance, token), self.trace.len());
                    self.trace.push(Passed {
                        instance,
                        process: graph.id().clone(),
                        element: node.id.clone(),
                        name: node.name.clone().filter(|name| !name.trim().is_empty()),
                        gateway: gateway(&node.kind),
                        entered: now,
                        left: None,
                    });
                }
            }
        }
        for notice in self.host.take_notices() {
            self.notice(&notice)?;
        }
        if let Some(out) = &mut self.events {
            out.flush()?;
        }
        Ok(())
    }

    fn notice(&mut self, notice: &Notice) -> Result<(), Failure> {
        let named = |name: &Option<Name>| name.as_deref().unwrap_or("without a name").to_owned();
        let (event, more, words) = match notice {
            Notice::MessageKept { from, message, until } => (
                "message-kept",
                json!({
                    "message": message.name.as_deref(), "payload": values(&message.payload), "until": until.to_string(),
                }),
                match from {
                    Some(from) => format!(
                        "nobody but instance {from}, which threw it, could wait for message {}: it is kept for others until {until}",
                        named(&message.name)
                    ),
                    None => format!("nobody waits for message {}: it is kept until {until}", named(&message.name)),
                },
            ),
            Notice::MessageSent { message } => {
                let to = message.target.as_ref().and_then(|target| target.participant.as_deref());
                (
                    "message-sent",
                    json!({
                        "message": message.name.as_deref(), "payload": values(&message.payload), "participant": to,
                    }),
                    format!("message {} goes out to {}", named(&message.name), to.unwrap_or("the world")),
                )
            }
            Notice::ChainTooLong { from, name } => (
                "chain-too-long",
                json!({ "message": name.as_deref(), "from": from.to_string() }),
                format!(
                    "{} from instance {from} was not carried any further: instances answer each other without end",
                    named(name)
                ),
            ),
            Notice::TimerStartFailed { process, message } => (
                "timer-start-failed",
                json!({ "process": process.as_ref(), "message": message }),
                format!("process `{process}` cannot be started by its timer: {message}"),
            ),
        };
        if let Some(out) = &mut self.events {
            let more = match more {
                Json::Object(more) => more,
                _ => Map::new(),
            };
            let time = self.host.now().to_string();
            Line { time, instance: None, process: None, event, element: None, name: None, more }.write(out)?;
        }
        self.notices.push(words);
        Ok(())
    }

    /// The instance that the run is about.
    pub(crate) fn main_instance(&self) -> Option<&Instance> {
        self.host.instance(self.main?).map(|running| &running.instance)
    }

    /// How the run's own instance stands.
    pub(crate) fn state(&self) -> State {
        self.main_instance().map_or(State::Created, |instance| instance.state().clone())
    }

    /// Whether any instance still runs.
    pub(crate) fn is_active(&self) -> bool {
        self.host.instances().any(|running| running.instance.is_active())
    }

    /// The fields of a form; none if it is not described anywhere.
    pub(crate) fn fields(&self, form: Option<&Form>, form_key: Option<&str>) -> Option<Vec<Field>> {
        let form = form?;
        if !form.fields.is_empty() {
            return Some(form.fields.iter().filter_map(Field::from_model).collect());
        }
        if let Some(Ok(form)) = form.embedded.as_deref().map(form_js::read) {
            return Some(form.fields);
        }
        let literal = |expression: &Option<potok_core::graph::Expression>| {
            expression.as_ref().and_then(|expression| expression.as_literal()).map(Value::to_string)
        };
        let names = [literal(&form.reference), form_key.map(str::to_owned), literal(&form.key)];
        names.iter().flatten().find_map(|name| {
            let file = name.rsplit([':', '/']).next().unwrap_or(name);
            self.forms.get(name.as_str()).or_else(|| self.forms.get(file)).cloned()
        })
    }

    /// What a field holds before anything is typed: the variable as it stands, else the field's default.
    pub(crate) fn first_value(&self, field: &Field, instance: Option<(&Instance, ScopeId)>) -> Option<Value> {
        let view = Seen(instance);
        if let Some(value) = view.get(&field.variable).filter(|value| *value.plain() != Value::Null) {
            return Some(value.into_owned());
        }
        match &field.default {
            Default::Nothing => None,
            Default::Value(value) => Some(value.clone()),
            Default::Model(model) => {
                let expression = model.default.as_ref()?;
                if expression.language == Language::Literal {
                    return of_model(model, &expression.text).and_then(|value| field.within(value).ok());
                }
                let compiled =
                    self.evaluator.compile(&expression.language, Purpose::Expression, &expression.text).ok()?;
                let value = compiled.evaluate(&mut Evaluation::new(&view, self.host.now())).ok()?;
                match value.plain() {
                    Value::Null => None,
                    Value::String(text) => of_model(model, text).and_then(|value| field.within(value).ok()),
                    _ => Some(value),
                }
            }
        }
    }

    /// Sets variables of an instance's process.
    pub(crate) fn set(&mut self, instance: Key, variables: Vec<(Name, Value)>) -> Result<(), Failure> {
        self.act(|host| host.command(instance, Command::SetVariables { scope: ROOT, variables }))
    }
}

/// The value that a text in the model is for a field. Camunda 7 and Flowable take for false what is not `true`.
fn of_model(field: &FormField, text: &str) -> Option<Value> {
    let is_false = field.holds() == FieldKind::Boolean && field.date_pattern.is_some();
    field.value_of(text).ok().or_else(|| is_false.then(|| false.into()))
}

/// What a gateway is called that has no name.
fn gateway(kind: &NodeKind) -> Option<&'static str> {
    match kind {
        NodeKind::ExclusiveGateway => Some("exclusive gateway"),
        NodeKind::ParallelGateway => Some("parallel gateway"),
        NodeKind::InclusiveGateway(_) => Some("inclusive gateway"),
        NodeKind::ComplexGateway(_) => Some("complex gateway"),
        NodeKind::EventBasedGateway { .. } => Some("event-based gateway"),
        _ => None,
    }
}

/// An event as a line of JSON.
#[derive(Serialize)]
struct Line<'a> {
    time: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    instance: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    process: Option<&'a str>,
    event: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    element: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(flatten)]
    more: Map<String, Json>,
}

impl Line<'_> {
    fn write(&self, out: &mut dyn std::io::Write) -> Result<(), Failure> {
        let line = serde_json::to_string(self).map_err(|error| Failure::new(error.to_string()))?;
        Ok(writeln!(out, "{line}")?)
    }
}

/// The variables that a form sees.
struct Seen<'a>(Option<(&'a Instance, ScopeId)>);

impl Variables for Seen<'_> {
    fn get(&self, name: &str) -> Option<std::borrow::Cow<'_, Value>> {
        self.0.and_then(|(instance, scope)| instance.visible(scope, name))
    }

    fn names(&self) -> Vec<Name> {
        let Some((instance, mut scope)) = self.0 else { return Vec::new() };
        let mut names = Vec::new();
        while scope != NONE
            && let Some(found) = instance.scope(scope)
        {
            names.extend(found.variables().iter().map(|(name, _)| name.clone()));
            scope = found.parent;
        }
        names.sort();
        names.dedup();
        names
    }
}
