//! The steps of a scenario, one by one.

use std::collections::BTreeMap;

use potok_core::Name;
use potok_core::diagnostic::similar;
use potok_core::graph::{Catch, ProcessGraph};
use potok_core::instance::{Instance, ScopeId, WaitKind};
use potok_core::routing::{Message, is_key, matches, start_triggers};
use potok_core::step::Command;
use potok_core::value::Value;

use super::field::Field;
use super::scenario::{Given, Step};
use super::session::Session;
use super::waiting::{Waiting, What};
use crate::failure::Failure;

type Variables = Vec<(Name, Value)>;

/// A scenario on its way.
pub(crate) struct Steps<'a> {
    pub(crate) session: &'a mut Session,
    /// How often steps have said already that an element was reached.
    reached: BTreeMap<String, usize>,
}

impl<'a> Steps<'a> {
    pub(crate) fn new(session: &'a mut Session) -> Self {
        Self { session, reached: BTreeMap::new() }
    }

    /// Takes one step.
    pub(crate) fn take(&mut self, step: &Step) -> Result<(), Failure> {
        match step {
            Step::Complete { task, with } => {
                let waiting = self.find(What::Task, task, "task")?;
                let variables = self.task_answers(&waiting, with)?;
                self.session.act(|host| host.complete_user_task(waiting.key, variables))
            }
            Step::Job { job, result } => {
                let key = self.find(What::Job, job, "job")?.key;
                let variables = plain(result)?;
                self.session.act(|host| host.complete_job(key, variables))
            }
            Step::Error { work, code, reason, with } => {
                let found = self.find(What::Job, work, "job or task");
                let wait = found.or_else(|failure| self.find(What::Task, work, "task").map_err(|_| failure))?.key;
                let message = reason.as_deref().map(Into::into);
                let command =
                    Command::ThrowError { wait, code: code.as_str().into(), message, variables: plain(with)? };
                self.session.act(|host| host.command_at(wait, command))
            }
            Step::Fail { job, reason, retries } => {
                let job = self.find(What::Job, job, "job")?.key;
                let message = reason.as_deref().unwrap_or("failed").into();
                let command = Command::FailJob { job, retries: Some(*retries), message };
                self.session.act(|host| host.command_at(job, command))
            }
            Step::Message { name, key, with } => self.message(name, key.as_ref(), with),
            Step::Signal { name, with } => self.signal(name, with),
            Step::Wait { until } => self.wait(until),
            Step::Reach { element } => self.reach(element),
            Step::Set { variables } => {
                let main = self.session.main.ok_or_else(|| Failure::new("the process has not started"))?;
                self.session.set(main, plain(variables)?)
            }
            Step::Retry { element } => {
                let incident = self.find(What::Incident, element, "incident")?.key;
                self.session.act(|host| host.command_at(incident, Command::ResolveIncident { incident }))
            }
            Step::Activate { ad_hoc, elements } => {
                let ad_hoc = self.find(What::AdHoc, ad_hoc, "ad-hoc sub-process")?.key;
                let elements = elements.iter().map(|element| element.as_str().into()).collect();
                let command = Command::ActivateAdHoc { ad_hoc, elements };
                self.session.act(|host| host.command_at(ad_hoc, command))
            }
            Step::Finish { ad_hoc } => {
                let ad_hoc = self.find(What::AdHoc, ad_hoc, "ad-hoc sub-process")?.key;
                self.session.act(|host| host.command_at(ad_hoc, Command::CompleteAdHoc { ad_hoc }))
            }
        }
    }

    /// The oldest thing of a kind that waits at an element, or under a name.
    fn find(&self, what: What, name: &str, word: &str) -> Result<Waiting, Failure> {
        let found = self.session.oldest(what, name);
        found.ok_or_else(|| self.not_waiting(&self.session.waiting(), what, name, word))
    }

    /// Why nothing is found under a name.
    fn not_waiting(&self, all: &[Waiting], what: What, name: &str, word: &str) -> Failure {
        let failure = Failure::new(format!("no {word} `{name}` waits"));
        if let Some(other) = all.iter().find(|waiting| &*waiting.element == name) {
            return match other.what {
                What::Task => failure.help(format!("`{name}` is a user task: write `complete: {name}`")),
                What::Job => failure.help(format!("`{name}` waits for a job: write `job: {name}`")),
                What::Incident => failure.help(format!("`{name}` is stuck: mend it and write `retry: {name}`")),
                What::Timer => failure.help(format!("`{name}` waits for a timer: write `wait: next-timer`")),
                What::Message => {
                    let message = other.name.as_deref().unwrap_or(name);
                    failure.help(format!("`{name}` waits for a message: write `message: {message}`"))
                }
                _ => failure,
            };
        }
        let passed = self.session.trace.iter().filter(|passed| &*passed.element == name).count();
        if passed > 0 {
            let by_itself = what == What::Job && self.session.jobs.keys().next().is_some();
            let hint = if by_itself { "; its type stands under `jobs`, so that it was done by itself" } else { "" };
            return failure.help(format!("a token was there already{hint}"));
        }
        let names = all.iter().filter(|waiting| waiting.what == what);
        let mut names: Vec<String> = names
            .flat_map(|waiting| [Some(&waiting.element), waiting.name.as_ref()])
            .flatten()
            .map(ToString::to_string)
            .collect();
        let is_known = self.elements().iter().any(|id| **id == *name);
        if !is_known {
            names.extend(self.elements().iter().map(ToString::to_string));
        }
        match similar(name, names.iter().map(String::as_str)) {
            Some(meant) if !is_known => failure.help(format!("did you mean `{meant}`?")),
            _ if is_known => failure.help(format!("no token has come to `{name}` yet")),
            _ => failure,
        }
    }

    /// The ids of all elements of the processes that run.
    fn elements(&self) -> Vec<Name> {
        let running = self.session.host.instances().map(|running| &running.graph);
        running.chain([&self.session.process]).flat_map(|graph| graph.nodes()).map(|node| node.id.clone()).collect()
    }

    fn task_answers(&self, waiting: &Waiting, with: &Given) -> Result<Variables, Failure> {
        let running = self.session.host.instance(waiting.instance);
        let Some((running, wait)) = running.and_then(|running| Some((running, running.instance.wait(waiting.key)?)))
        else {
            return plain(with);
        };
        let form = running.graph.get_node(wait.node).and_then(|node| node.details.form.as_deref());
        let key = match &wait.kind {
            WaitKind::UserTask(task) => task.form_key.as_deref(),
            _ => None,
        };
        let fields = self.session.fields(form, key);
        let seen = Some((&running.instance, running.instance.scope_of(wait)));
        answers(self.session, fields.as_deref(), with, seen)
    }

    fn message(&mut self, name: &str, key: Option<&serde_json::Value>, with: &Given) -> Result<(), Failure> {
        let variables = plain(with)?;
        let key = key.cloned().map(Value::from_json).transpose().map_err(|error| Failure::new(error.to_string()))?;
        let all = self.session.waiting();
        let mut found: Vec<&Waiting> = all
            .iter()
            .filter(|waiting| waiting.what == What::Message)
            .filter(|waiting| waiting.name.as_deref() == Some(name) || &*waiting.element == name)
            .filter(|waiting| key.as_ref().is_none_or(|key| self.has_key(waiting, key)))
            .collect();
        // Within one instance the oldest takes it.
        found.dedup_by_key(|waiting| waiting.instance);
        if found.len() > 1 {
            // What the message carries may say which conversation it belongs to.
            let meant: Vec<&Waiting> =
                found.iter().copied().filter(|waiting| self.is_for(waiting, &variables)).collect();
            found = if meant.is_empty() { found } else { meant };
        }
        match &found[..] {
            [waiting] => self.session.deliver(waiting, variables),
            [] if self.starts(name) => {
                let message =
                    Message { name: Some(name.into()), correlation_key: key, payload: variables, ..Message::default() };
                self.session.act(|host| host.correlate(message))
            }
            [] => {
                let failure = self.not_waiting(&all, What::Message, name, "message");
                Err(match key {
                    Some(key) if all.iter().any(|waiting| waiting.name.as_deref() == Some(name)) => {
                        failure.help(format!("the message is waited for, but not with key `{key}`"))
                    }
                    _ => failure,
                })
            }
            several => {
                let keys = several.iter().filter_map(|waiting| self.key_of(waiting)).map(Value::to_string);
                let keys = keys.collect::<Vec<_>>().join(", ");
                Err(Failure::new(format!("{} instances wait for message `{name}`", several.len()))
                    .help(format!("say which with `key:`, one of: {keys}")))
            }
        }
    }

    /// Whether a message that carries these variables belongs to a conversation that is waited for.
    fn is_for(&self, waiting: &Waiting, variables: &Variables) -> bool {
        let running = self.session.host.instance(waiting.instance);
        let wait = running.and_then(|running| Some((running, running.instance.wait(waiting.key)?)));
        wait.is_some_and(|(running, wait)| {
            let WaitKind::Message(subscription) = &wait.kind else { return false };
            let message = Message {
                name: Some(subscription.name.clone()),
                correlation_key: subscription.correlation_key.clone(),
                payload: variables.clone(),
                ..Message::default()
            };
            matches(&running.graph, &running.instance, wait, &message)
        })
    }

    fn has_key(&self, waiting: &Waiting, key: &Value) -> bool {
        let dialect = self.session.host.instance(waiting.instance).map(|running| running.graph.dialect());
        let (Some(expected), Some(dialect)) = (self.key_of(waiting), dialect) else { return false };
        is_key(dialect, key, expected)
    }

    fn key_of(&self, waiting: &Waiting) -> Option<&Value> {
        match &self.session.host.instance(waiting.instance)?.instance.wait(waiting.key)?.kind {
            WaitKind::Message(message) => {
                // What has one correlation property is told apart by that.
                let property = || match &message.properties[..] {
                    [(_, value)] => Some(value),
                    _ => None,
                };
                message.correlation_key.as_ref().or_else(property)
            }
            _ => None,
        }
    }

    /// Whether a message starts a process: the one that is run, or one that already ran.
    fn starts(&self, name: &str) -> bool {
        let mut graphs = self.session.host.instances().map(|running| &running.graph).chain([&self.session.process]);
        graphs.any(|graph| message_starts(graph, name))
    }

    fn signal(&mut self, name: &str, with: &Given) -> Result<(), Failure> {
        let variables = plain(with)?;
        let all = self.session.waiting();
        let waits = all.iter().any(|waiting| waiting.what == What::Signal && waiting.name.as_deref() == Some(name));
        let starts = signal_starts(&self.session.process, name);
        if !waits && !starts {
            return Err(self.not_waiting(&all, What::Signal, name, "signal"));
        }
        self.session.act(|host| host.signal(name, &variables))
    }

    fn wait(&mut self, until: &str) -> Result<(), Failure> {
        let now = self.session.host.now();
        if until == "next-timer" {
            let due = self.session.host.next_timer().ok_or_else(|| Failure::new("no timer is set"))?;
            return self.session.advance(due);
        }
        let moment = match self.session.clock.after(now, until) {
            Ok(moment) => moment,
            Err(failure) => match self.session.clock.read(until) {
                Ok((moment, _)) if moment >= now => moment,
                Ok(_) => {
                    let now = self.session.clock.full(now);
                    return Err(Failure::new(format!("it is later already: {now}")).help("time goes only forward"));
                }
                Err(_) => {
                    return Err(failure.help("write next-timer, a duration like PT2H or P1D, or a point in time"));
                }
            },
        };
        self.session.advance(moment)
    }

    fn reach(&mut self, element: &str) -> Result<(), Failure> {
        let passed = self.session.trace.iter().filter(|passed| &*passed.element == element).count();
        let said = self.reached.entry(element.to_owned()).or_default();
        if passed > *said {
            *said = passed;
            return Ok(());
        }
        let again = if *said > 0 { " again" } else { "" };
        let failure = Failure::new(format!("no token has come to `{element}`{again}"));
        let ids = self.elements();
        if ids.iter().any(|id| **id == *element) {
            return Err(failure);
        }
        let meant = similar(element, ids.iter().map(|id| &**id)).map(|meant| format!("; did you mean `{meant}`?"));
        Err(failure.help(format!("the process has no element `{element}`{}", meant.unwrap_or_default())))
    }
}

/// Variables as a file gives them.
pub(crate) fn plain(given: &Given) -> Result<Variables, Failure> {
    let value = |(name, json): (&String, &serde_json::Value)| match Value::from_json(json.clone()) {
        Ok(value) => Ok((Name::from(name.as_str()), value)),
        Err(error) => Err(Failure::new(format!("`{name}`: {error}"))),
    };
    given.iter().map(value).collect()
}

/// A form's answers as a file gives them: checked as a person's are, with what was not given as it stands in the form.
pub(crate) fn answers(
    session: &Session,
    fields: Option<&[Field]>,
    given: &Given,
    seen: Option<(&Instance, ScopeId)>,
) -> Result<Variables, Failure> {
    let Some(fields) = fields else { return plain(given) };
    let mut variables = Vec::new();
    for field in fields.iter().filter(|field| field.writable) {
        let value = match given.get(&*field.variable) {
            Some(json) => {
                let wrong = |message: String| Failure::new(format!("field `{}`: {message}", field.variable));
                Some(field.accept(json).map_err(wrong)?)
            }
            None => session.first_value(field, seen),
        };
        match value {
            Some(value) => variables.push((field.variable.clone(), value)),
            None if field.required => {
                return Err(Failure::new(format!(
                    "the required field `{}` ({}) is not given",
                    field.variable, field.label
                ))
                .help(format!("add `{}: ...` to its answers", field.variable)));
            }
            None => {}
        }
    }
    let known = || fields.iter().filter(|field| field.writable).map(|field| &*field.variable);
    if let Some(unknown) = given.keys().find(|name| !known().any(|other| other == name.as_str())) {
        let meant = similar(unknown, known()).map(|meant| format!("did you mean `{meant}`? "));
        return Err(Failure::new(format!("the form has no field `{unknown}`")).help(format!(
            "{}its fields: {}",
            meant.unwrap_or_default(),
            known().collect::<Vec<_>>().join(", ")
        )));
    }
    Ok(variables)
}

/// Whether a process has a start event that this step is about.
pub(crate) fn begins(graph: &ProcessGraph, step: &Step) -> bool {
    match step {
        Step::Message { name, .. } => message_starts(graph, name),
        Step::Signal { name, .. } => signal_starts(graph, name),
        _ => false,
    }
}

fn message_starts(graph: &ProcessGraph, name: &str) -> bool {
    start_triggers(graph).any(|trigger| match trigger.catch {
        Catch::Message { name: Some(expression), .. } => expression.as_literal() == Some(&Value::from(name)),
        Catch::Message { name: None, .. } => &*graph.node(trigger.node).id == name,
        _ => false,
    })
}

fn signal_starts(graph: &ProcessGraph, name: &str) -> bool {
    start_triggers(graph).any(|trigger| match trigger.catch {
        Catch::Signal { name: caught } => caught.as_literal() == Some(&Value::from(name)),
        _ => false,
    })
}
