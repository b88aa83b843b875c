//! What people, workers, messages and clocks do.

use jiff::Span;
use jiff::tz::TimeZone;
use potok_core::Name;
use potok_core::expressions::Binding;
use potok_core::instance::{Key, ROOT, WaitKind};
use potok_core::routing::{Correlated, Message, RunError};
use potok_core::step::{Command, StartAt};
use potok_core::time::Timestamp;
use serde_json::{Value as Json, json};

use super::act::{Act, Done};
use super::{Scenario, value, variables};

impl Scenario {
    /// Acts on all runners, and fails unless they do as asked, or refuse as the scenario says they must.
    #[track_caller]
    fn act(mut self, what: &str, act: &Act) -> Self {
        let result = self.host.act(act);
        match (result, self.refusal.take()) {
            (Err(error), Some(code)) if code_of(&error) == code => {}
            (Err(error), Some(code)) => self.fail(format!("{what} is refused with {}, not {code}", code_of(&error))),
            (Err(error), None) => self.fail(format!("{what}: {error}")),
            (Ok(_), Some(code)) => self.fail(format!("{what} is not refused with {code}")),
            (Ok(done), None) => self.done = done,
        }
        if self.main.is_none() {
            self.main = self.host.first();
            self.focus = self.main;
        }
        self
    }

    #[track_caller]
    pub(super) fn command(self, instance: Key, what: &str, command: Command) -> Self {
        self.act(what, &Act::Command(instance, command))
    }

    #[track_caller]
    fn command_at(self, wait: Key, what: &str, command: Command) -> Self {
        self.act(what, &Act::CommandAt(wait, command))
    }

    /// The next verb must be refused with this code, and change nothing.
    #[must_use]
    pub fn refuses(mut self, code: &str) -> Self {
        self.refusal = Some(code.to_owned());
        self
    }

    /// One step passes so many flow nodes at most.
    #[must_use]
    pub fn step_budget(mut self, budget: u32) -> Self {
        self.host.limit_steps(budget);
        self
    }

    // --- starting

    /// The business key of the instances that are started from here on.
    #[must_use]
    pub fn business_key(mut self, key: &str) -> Self {
        self.options.business_key = Some(key.into());
        self
    }

    /// The user who starts from here on.
    #[must_use]
    pub fn initiator(mut self, user: &str) -> Self {
        self.options.initiator = Some(user.into());
        self
    }

    /// Which process is started from here on.
    #[must_use]
    pub fn process(mut self, id: &str) -> Self {
        self.process = id.into();
        self
    }

    /// Which version is started from here on.
    #[must_use]
    pub fn version(mut self, version: u32) -> Self {
        self.options.binding = Binding::Version(version.to_string().into());
        self
    }

    /// Starts an instance.
    #[track_caller]
    pub fn start(self) -> Self {
        self.start_with(json!({}))
    }

    /// Starts an instance with variables.
    #[track_caller]
    pub fn start_with(mut self, json: Json) -> Self {
        self.options.variables = variables(json);
        let act = Act::Start(self.process.clone(), self.options.clone());
        self.act("start", &act)
    }

    /// Starts an instance of the process of that id.
    #[track_caller]
    pub fn start_process(self, id: &str) -> Self {
        self.process(id).start()
    }

    /// Starts an instance before these elements.
    #[track_caller]
    pub fn start_at<const N: usize>(mut self, elements: [&str; N]) -> Self {
        self.options.at = StartAt::Elements(elements.iter().map(|id| Name::from(*id)).collect());
        self.start()
    }

    // --- people

    /// Completes the oldest user task of an element.
    #[track_caller]
    pub fn complete(self, element: &str) -> Self {
        self.complete_with(element, json!({}))
    }

    /// Completes the oldest user task of an element with variables.
    #[track_caller]
    pub fn complete_with(self, element: &str, json: Json) -> Self {
        let task = self.wait_of(element, "user task", |kind| matches!(kind, WaitKind::UserTask(_)));
        self.command_at(task, element, Command::CompleteUserTask { task, variables: variables(json) })
    }

    /// Gives the oldest user task of an element to somebody.
    #[track_caller]
    pub fn assign(self, element: &str, user: &str) -> Self {
        let task = self.wait_of(element, "user task", |kind| matches!(kind, WaitKind::UserTask(_)));
        self.command_at(task, element, Command::ChangeUserTask { task, assignee: Some(user.into()) })
    }

    /// Nobody has the oldest user task of an element any more.
    #[track_caller]
    pub fn unassign(self, element: &str) -> Self {
        let task = self.wait_of(element, "user task", |kind| matches!(kind, WaitKind::UserTask(_)));
        self.command_at(task, element, Command::ChangeUserTask { task, assignee: None })
    }

    /// Sets variables of the own scope of the oldest user task of an element.
    #[track_caller]
    pub fn set_locally(self, element: &str, json: Json) -> Self {
        self.set_locally_at(element, 0, json)
    }

    /// Sets variables of the own scope of a user task.
    #[track_caller]
    pub fn set_variables_of(self, task: Key, json: Json) -> Self {
        let command = Command::SetTaskVariables { task, variables: Vec::new(), local_variables: variables(json) };
        let key = self.key();
        self.command(key, "set", command)
    }

    /// Sets variables of the own scope of a user task of an element, counted from 0 and the oldest.
    #[track_caller]
    pub fn set_locally_at(self, element: &str, index: usize, json: Json) -> Self {
        let tasks = self.waits_of(element, |kind| matches!(kind, WaitKind::UserTask(_)));
        let Some(task) = tasks.get(index).copied() else {
            self.fail(format!("only {} user tasks wait at `{element}`", tasks.len()))
        };
        let command = Command::SetTaskVariables { task, variables: Vec::new(), local_variables: variables(json) };
        self.command_at(task, element, command)
    }

    /// Completes a user task of an element, counted from 0 and the oldest.
    #[track_caller]
    pub fn complete_nth(self, element: &str, index: usize, json: Json) -> Self {
        let tasks = self.waits_of(element, |kind| matches!(kind, WaitKind::UserTask(_)));
        let Some(task) = tasks.get(index).copied() else {
            self.fail(format!("only {} user tasks wait at `{element}`", tasks.len()))
        };
        self.command_at(task, element, Command::CompleteUserTask { task, variables: variables(json) })
    }

    // --- workers

    #[track_caller]
    fn job_of(&self, element: &str) -> Key {
        self.wait_of(element, "job", |kind| matches!(kind, WaitKind::Job(_)))
    }

    /// Completes the oldest job of an element with variables.
    #[track_caller]
    pub fn job(self, element: &str, json: Json) -> Self {
        let job = self.job_of(element);
        let command = Command::CompleteJob { job, variables: variables(json), local_variables: Vec::new() };
        self.command_at(job, element, command)
    }

    /// Completes a job of an element, counted from 0 and the oldest, with variables.
    #[track_caller]
    pub fn job_nth(self, element: &str, index: usize, json: Json) -> Self {
        let jobs = self.waits_of(element, |kind| matches!(kind, WaitKind::Job(_)));
        let Some(job) = jobs.get(index).copied() else {
            self.fail(format!("only {} jobs wait at `{element}`", jobs.len()))
        };
        let command = Command::CompleteJob { job, variables: variables(json), local_variables: Vec::new() };
        self.command_at(job, element, command)
    }

    /// Completes the oldest job of an element with variables for its own scope only.
    #[track_caller]
    pub fn job_locally(self, element: &str, json: Json) -> Self {
        let job = self.job_of(element);
        let command = Command::CompleteJob { job, variables: Vec::new(), local_variables: variables(json) };
        self.command_at(job, element, command)
    }

    /// Fails the oldest job of an element; it has one try less.
    #[track_caller]
    pub fn fail_job(self, element: &str, message: &str) -> Self {
        let job = self.job_of(element);
        self.command_at(job, element, Command::FailJob { job, retries: None, message: message.into() })
    }

    /// Fails the oldest job of an element; it has so many tries left.
    #[track_caller]
    pub fn fail_job_with_retries(self, element: &str, message: &str, retries: i64) -> Self {
        let job = self.job_of(element);
        self.command_at(job, element, Command::FailJob { job, retries: Some(retries), message: message.into() })
    }

    #[track_caller]
    fn work_of(&self, element: &str) -> Key {
        self.wait_of(element, "user task or job", |kind| matches!(kind, WaitKind::Job(_) | WaitKind::UserTask(_)))
    }

    /// The oldest user task or job of an element reports a BPMN error.
    #[track_caller]
    pub fn error(self, element: &str, code: &str) -> Self {
        self.error_with(element, code, json!({}))
    }

    /// The oldest user task or job of an element reports a BPMN error with variables.
    #[track_caller]
    pub fn error_with(self, element: &str, code: &str, json: Json) -> Self {
        let wait = self.work_of(element);
        let command = Command::ThrowError { wait, code: code.into(), message: None, variables: variables(json) };
        self.command_at(wait, element, command)
    }

    /// The oldest user task or job of an element reports a BPMN escalation.
    #[track_caller]
    pub fn escalate(self, element: &str, code: &str) -> Self {
        let wait = self.work_of(element);
        self.command_at(wait, element, Command::ThrowEscalation { wait, code: code.into(), variables: Vec::new() })
    }

    // --- messages and signals

    /// Sends a message from outside.
    #[track_caller]
    pub fn message(self, name: &str, json: Json) -> Self {
        self.send(Message { name: Some(name.into()), payload: variables(json), ..Message::default() })
    }

    /// Sends a message with a correlation key.
    #[track_caller]
    pub fn message_with_key(self, name: &str, key: impl Into<Json>, json: Json) -> Self {
        let correlation_key = Some(value(key.into()));
        self.send(Message { name: Some(name.into()), correlation_key, payload: variables(json), ..Message::default() })
    }

    /// Sends a message to the instance with a business key.
    #[track_caller]
    pub fn message_for(self, name: &str, business_key: &str, json: Json) -> Self {
        let business_key = Some(business_key.into());
        self.send(Message { name: Some(name.into()), business_key, payload: variables(json), ..Message::default() })
    }

    /// Sends a message with values of correlation properties.
    #[track_caller]
    pub fn message_with_properties(self, name: &str, properties: Json, json: Json) -> Self {
        let properties = variables(properties);
        self.send(Message { name: Some(name.into()), properties, payload: variables(json), ..Message::default() })
    }

    /// Sends a message, whatever it is addressed by.
    #[track_caller]
    pub fn send(self, message: Message) -> Self {
        self.act("message", &Act::Message(message))
    }

    /// Sends a message that nobody waits for yet.
    #[track_caller]
    pub fn early_message(self, name: &str, json: Json) -> Self {
        let message = Message { name: Some(name.into()), payload: variables(json), ..Message::default() };
        let sent = self.act("early message", &Act::Message(message));
        match sent.done {
            Done::Correlated(Correlated::Kept) => sent,
            other => sent.fail(format!("the message is not kept, but {other:?}")),
        }
    }

    /// Sends a signal from outside.
    #[track_caller]
    pub fn signal(self, name: &str) -> Self {
        self.signal_with(name, json!({}))
    }

    /// Sends a signal with variables from outside.
    #[track_caller]
    pub fn signal_with(self, name: &str, json: Json) -> Self {
        self.act("signal", &Act::Signal(name.into(), variables(json)))
    }

    /// Tells conditional start events of data from outside.
    #[track_caller]
    pub fn data(self, json: Json) -> Self {
        self.act("data", &Act::Data(variables(json)))
    }

    // --- time

    /// Lets time pass, e.g. `PT1H` or `P1D`; what is due on the way happens.
    #[track_caller]
    pub fn travel(self, span: &str) -> Self {
        let now = self.host.runner.now().to_zoned_datetime(TimeZone::UTC);
        let to = span.parse::<Span>().and_then(|span| now.checked_add(span));
        match to {
            Ok(to) => self.advance(to.timestamp()),
            Err(error) => self.fail(format!("{span}: {error}")),
        }
    }

    /// Lets time pass until then, e.g. `2026-01-06T09:00:00Z`.
    #[track_caller]
    pub fn travel_to(self, moment: &str) -> Self {
        match moment.parse() {
            Ok(moment) => self.advance(moment),
            Err(error) => self.fail(format!("{moment}: {error}")),
        }
    }

    /// Lets time pass until the next timer fires.
    #[track_caller]
    pub fn to_next_timer(self) -> Self {
        match self.host.runner.next_timer() {
            Some(due) => self.advance(due),
            None => self.fail("no timer is set"),
        }
    }

    #[track_caller]
    fn advance(self, to: Timestamp) -> Self {
        self.act("time", &Act::Advance(to))
    }

    // --- operators

    /// Goes on from the savepoint of an element.
    #[track_caller]
    pub fn continue_at(self, element: &str) -> Self {
        let continuation = self.wait_of(element, "continuation", |kind| matches!(kind, WaitKind::Continuation { .. }));
        self.command_at(continuation, element, Command::Continue { continuation })
    }

    /// Says how many tries the oldest savepoint or timer of an element has left.
    #[track_caller]
    pub fn set_retries(self, element: &str, retries: u32) -> Self {
        let wait = self.wait_of(element, "savepoint or timer", is_tried);
        self.command_at(wait, element, Command::SetRetries { wait, retries })
    }

    /// Resolves the oldest incident of an element.
    #[track_caller]
    pub fn resolve(self, element: &str) -> Self {
        let incident = self.wait_of(element, "incident", |kind| matches!(kind, WaitKind::Incident(_)));
        self.command_at(incident, element, Command::ResolveIncident { incident })
    }

    /// Sets a variable of the process.
    #[track_caller]
    pub fn set(self, name: &str, json: impl Into<Json>) -> Self {
        let (key, variables) = (self.key(), vec![(name.into(), value(json.into()))]);
        self.command(key, name, Command::SetVariables { scope: ROOT, variables })
    }

    /// Sets a variable of the scope in which the oldest wait of an element sees its variables.
    #[track_caller]
    pub fn set_at(self, element: &str, name: &str, json: impl Into<Json>) -> Self {
        let wait = self.wait_of(element, "token", |_| true);
        let owner = self.host.runner.waits().find(|(_, found)| found.key == wait);
        let Some((instance, scope)) =
            owner.map(|(running, wait)| (running.instance.key(), running.instance.scope_of(wait)))
        else {
            self.fail(format!("nothing waits at `{element}`"))
        };
        let variables = vec![(name.into(), value(json.into()))];
        self.command(instance, name, Command::SetVariables { scope, variables })
    }

    /// Cancels the instance.
    #[track_caller]
    pub fn cancel(self) -> Self {
        let key = self.key();
        self.command(key, "cancel", Command::Cancel { reason: None })
    }

    #[track_caller]
    fn ad_hoc_of(&self, element: &str) -> Key {
        self.wait_of(element, "ad-hoc sub-process", |kind| matches!(kind, WaitKind::AdHoc))
    }

    /// Begins activities of an ad-hoc sub-process.
    #[track_caller]
    pub fn activate<const N: usize>(self, element: &str, activities: [&str; N]) -> Self {
        let ad_hoc = self.ad_hoc_of(element);
        let elements = activities.iter().map(|id| Name::from(*id)).collect();
        self.command_at(ad_hoc, element, Command::ActivateAdHoc { ad_hoc, elements })
    }

    /// Ends an ad-hoc sub-process.
    #[track_caller]
    pub fn complete_ad_hoc(self, element: &str) -> Self {
        let ad_hoc = self.ad_hoc_of(element);
        self.command_at(ad_hoc, element, Command::CompleteAdHoc { ad_hoc })
    }
}

/// Whether it is a savepoint or timer.
pub(super) fn is_tried(kind: &WaitKind) -> bool {
    matches!(kind, WaitKind::Timer(_) | WaitKind::Continuation { .. })
}

pub(super) fn code_of(error: &RunError) -> &'static str {
    match error {
        RunError::Rejected(rejection) => rejection.code(),
        RunError::UnknownProcess(_) => "process-unknown",
        RunError::UnknownInstance(_) => "instance-unknown",
        RunError::UnknownKey(_) => "key-unknown",
        RunError::Ambiguous(_) => "message-ambiguous",
        RunError::ConditionFailed { .. } => "condition-failed",
        RunError::EndlessTimers(_) => "timers-endless",
    }
}
