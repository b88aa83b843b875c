//! What waits, in words.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use potok_core::Name;
use potok_core::graph::{FlowNode, ProcessGraph};
use potok_core::instance::{Instance, Key, Ordinal, ROOT, State, TokenState, UserTaskWait, Wait, WaitKind};
use potok_core::value::Value;

use super::session::Session;
use crate::report::number;
use crate::style::Style;

/// Of a longer trace only so many elements at its beginning, and so many at its end, are listed.
const TRACE: (usize, usize) = (150, 50);

/// So many of the things that wait are listed.
pub(crate) const LISTED: usize = 100;

/// What kind of thing waits, in the order in which it is listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum What {
    Task,
    Job,
    Incident,
    AdHoc,
    Message,
    Signal,
    Timer,
    /// Nothing that could be chosen.
    Else,
}

/// Something that waits.
#[derive(Clone, Debug)]
pub(crate) struct Waiting {
    pub(crate) what: What,
    pub(crate) key: Key,
    pub(crate) instance: Key,
    pub(crate) node: Ordinal,
    pub(crate) element: Name,
    /// A message's, signal's or job type's name.
    pub(crate) name: Option<Name>,
    /// The kind of waiting.
    word: &'static str,
    /// What it is.
    title: String,
    /// More about it.
    details: String,
}

impl Waiting {
    /// One line, or two if it does not fit in one.
    pub(crate) fn show(&self, style: Style, number: Option<usize>) -> String {
        let number = number.map_or_else(|| "    ".to_owned(), |number| format!("{number:3}."));
        let mut line = format!("{number} {:<9} {}", self.word, style.strong(&self.title));
        if !self.details.is_empty() {
            let long = self.title.chars().count() + self.details.chars().count() > 85;
            let gap = if long { format!("\n{:15}", "") } else { "  ".to_owned() };
            let _ = write!(line, "{gap}{}", style.faint(&self.details));
        }
        line
    }

    pub(crate) fn title(&self) -> &str {
        &self.title
    }
}

/// `Name (id)`, or the id alone.
pub(crate) fn title(id: &str, name: Option<&str>) -> String {
    match name.map(str::trim) {
        Some(name) if !name.is_empty() && name != id => format!("{} ({id})", one_line(name)),
        _ => id.to_owned(),
    }
}

/// How many of a list's lines are left out.
pub(crate) fn more(all: usize) -> Option<String> {
    let more = all.checked_sub(LISTED).filter(|more| *more > 0)?;
    Some(format!("     ... {more} more wait ...\n"))
}

/// A name that a modeler broke into lines, in one.
pub(crate) fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

impl Session {
    /// Everything that waits: what people can do first, and the oldest first.
    pub(crate) fn waiting(&self) -> Vec<Waiting> {
        let several = self.of_several();
        let mut all: Vec<_> = self
            .host
            .waits_from(Key::default())
            .filter_map(|(running, wait)| self.describe(&running.graph, &running.instance, wait, &several))
            .collect();
        all.sort_by_key(|waiting| (waiting.what, waiting.key));
        all
    }

    /// The oldest thing of a kind that waits at an element, or under a name.
    pub(crate) fn oldest(&self, what: What, name: &str) -> Option<Waiting> {
        let mut waits = self.host.waits_from(Key::default());
        let (running, wait) = waits.find(|(running, wait)| {
            let (found, named) = kind(wait);
            let is_there = || running.graph.get_node(wait.node).is_some_and(|node| &*node.id == name);
            found == Some(what) && (named.is_some_and(|named| &**named == name) || is_there())
        })?;
        self.describe(&running.graph, &running.instance, wait, &self.of_several())
    }

    /// The processes of which several instances run.
    fn of_several(&self) -> BTreeSet<&Name> {
        let mut seen = BTreeSet::new();
        self.host.instances().map(|running| running.graph.id()).filter(|process| !seen.insert(*process)).collect()
    }

    fn describe(
        &self,
        graph: &ProcessGraph,
        instance: &Instance,
        wait: &Wait,
        several: &BTreeSet<&Name>,
    ) -> Option<Waiting> {
        let node = graph.get_node(wait.node)?;
        let now = self.host.now();
        let mut details = Vec::new();
        let (what, name) = kind(wait);
        match &wait.kind {
            WaitKind::UserTask(task) => self.assigned(task, node, &mut details),
            WaitKind::Job(job) => {
                details.push(format!("type {}", job.kind));
                details.extend(job.headers.iter().map(|(name, value)| format!("{name} = {value}")));
                if job.retries < 1 {
                    details.push("no tries left".to_owned());
                }
            }
            WaitKind::Incident(incident) => details.push(incident.message.to_string()),
            WaitKind::Message(message) => {
                details.push(format!("message {}", message.name));
                details.extend(message.correlation_key.as_ref().map(|key| format!("key {key}")));
                details.extend(message.properties.iter().map(|(name, value)| format!("{name} {value}")));
            }
            WaitKind::Signal(signal) => details.push(format!("signal {}", signal.name)),
            WaitKind::Timer(_) | WaitKind::Continuation { .. } => {
                let at = wait.kind.goes_on(now).map(|due| format!("at {}", self.clock.short(due, now)));
                details.extend(at);
                let failure = wait.kind.retry().and_then(|retry| retry.failure.as_ref());
                details.extend(failure.map(|failure| format!("tried again, for {}", failure.message)));
            }
            WaitKind::Call(call) => details.push(format!("process {}", call.process)),
            WaitKind::AdHoc | WaitKind::Condition { .. } | WaitKind::Compensation(_) | WaitKind::Occurred(_) => {}
        }
        let what = what?;
        details.extend(round(instance, wait));
        if Some(instance.key()) != self.main {
            // `it-request`, or `it-request 7` where several instances of a process run.
            let number = if several.contains(graph.id()) { format!(" {}", instance.key()) } else { String::new() };
            details.push(format!("in {}{number}", graph.id()));
        }
        Some(Waiting {
            what,
            key: wait.key,
            instance: instance.key(),
            node: wait.node,
            element: node.id.clone(),
            name: name.cloned(),
            word: match what {
                What::Task => "task",
                _ => wait.kind.word(),
            },
            title: title(&node.id, computed_name(wait).or(node.name.as_deref())),
            details: details.join("; "),
        })
    }

    fn assigned(&self, task: &UserTaskWait, node: &FlowNode, details: &mut Vec<String>) {
        let listed = |names: &[Name]| names.iter().map(|name| &**name).collect::<Vec<_>>().join(", ");
        if let Some(assignee) = &task.assignee {
            details.push(format!("for {assignee}"));
        } else {
            if !task.candidate_users.is_empty() {
                details.push(format!("for one of {}", listed(&task.candidate_users)));
            }
            if !task.candidate_groups.is_empty() {
                details.push(format!("group {}", listed(&task.candidate_groups)));
            }
        }
        if let Some(lane) = &node.details.lane {
            details.push(format!("lane {}", one_line(lane)));
        }
        details.extend(task.due.map(|due| format!("due {}", self.clock.short(due, self.host.now()))));
    }

    /// The list of what waits.
    pub(crate) fn waiting_list(&self, style: Style) -> String {
        let waiting = self.waiting();
        if waiting.is_empty() {
            return match self.state() {
                State::Created => "nothing waits: the process has not started".to_owned(),
                State::Active => self.deadlock(),
                ended => format!("nothing waits: {}", outcome(&ended)),
            };
        }
        let mut text = format!("waiting at {}:\n", self.clock.full(self.host.now()));
        for waiting in waiting.iter().take(LISTED) {
            let _ = writeln!(text, "{}", waiting.show(style, None));
        }
        text.extend(more(waiting.len()));
        text
    }

    /// Where tokens stand for ever, now that nothing waits for anything that could still happen.
    pub(crate) fn deadlock(&self) -> String {
        let mut text = "nothing waits".to_owned();
        for running in self.host.instances().filter(|running| running.instance.is_active()) {
            let mut standing: BTreeMap<Ordinal, Vec<u32>> = BTreeMap::new();
            for (_, token) in running.instance.tokens() {
                if let TokenState::Joined { position } = token.state {
                    standing.entry(token.node).or_default().push(position);
                }
            }
            for (ordinal, positions) in standing {
                let Some(node) = running.graph.get_node(ordinal) else { continue };
                let flows = running.graph.flows().iter().filter(|flow| flow.target == ordinal);
                let missing: Vec<&str> =
                    flows.filter(|flow| !positions.contains(&flow.position)).map(|flow| &*flow.id).collect();
                let (number, title) = (number(positions.len(), "token"), title(&node.id, node.name.as_deref()));
                let _ = match &missing[..] {
                    // There, it does not count by which flow a token comes.
                    _ if node.details.start_quantity > 1 => {
                        write!(text, "; {number} at {title}, where {} are needed", node.details.start_quantity)
                    }
                    [] => write!(text, "; {number} at {title}"),
                    missing => write!(text, "; {number} at {title}, where none has come by {}", missing.join(", ")),
                };
            }
        }
        text
    }

    /// The elements passed, with times.
    pub(crate) fn trace_list(&self, style: Style) -> String {
        let mut text = String::new();
        let mut day = String::new();
        let end = self.trace.len().saturating_sub(TRACE.1);
        for (index, passed) in self.trace.iter().enumerate() {
            if (TRACE.0..end).contains(&index) {
                if index == TRACE.0 {
                    let more = end - index;
                    let _ = writeln!(text, "  ... {more} more moves are left out (`--format json` tells all) ...");
                }
                continue;
            }
            let today = self.clock.day(passed.entered);
            if today != day {
                let _ = writeln!(text, "  {}", style.strong(&today));
                day = today;
            }
            let stayed = match passed.left {
                Some(left) if left == passed.entered => String::new(),
                Some(left) => format!("until {}", self.clock.short(left, passed.entered)),
                None => "stands here".to_owned(),
            };
            let other = (Some(passed.instance) != self.main).then(|| format!("in {}", passed.process));
            let more: Vec<_> = Some(stayed).into_iter().chain(other).filter(|text| !text.is_empty()).collect();
            let name = passed.name.as_deref().or(passed.gateway);
            let (time, title) = (self.clock.time(passed.entered), title(&passed.element, name));
            let line = format!("  {time}  {title}  {}", style.faint(&more.join("; ")));
            let _ = writeln!(text, "{}", line.trim_end());
        }
        text
    }

    /// The variables of the run's own instance.
    pub(crate) fn variable_list(&self) -> String {
        let mut text = String::new();
        let variables = self.main_instance().map_or(&[][..], Instance::variables);
        let width = variables.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0).min(30);
        for (name, value) in variables {
            let _ = writeln!(text, "  {name:width$} = {}", shown(value));
        }
        text
    }
}

/// A value, with text in quotation marks so that `"5"` and `5` look different.
pub(crate) fn shown(value: &Value) -> String {
    match value.plain() {
        Value::String(text) => format!("{text:?}"),
        other => other.to_string(),
    }
}

/// How an instance ended.
pub(crate) fn outcome(state: &State) -> String {
    match state {
        State::Created => "the process has not started".to_owned(),
        State::Active => "the process has not ended".to_owned(),
        State::Completed => "the process has ended".to_owned(),
        State::Failed { code, message } => {
            let message = message.as_ref().map(|message| format!(": {message}")).unwrap_or_default();
            format!("the process has failed with error {code}{message}")
        }
        State::Cancelled { reason } => {
            let reason = reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
            format!("the process was cancelled{reason}")
        }
    }
}

/// What kind of thing waits, if it is listed at all, and under which name.
fn kind(wait: &Wait) -> (Option<What>, Option<&Name>) {
    match &wait.kind {
        WaitKind::UserTask(_) => (Some(What::Task), None),
        WaitKind::Job(job) => (Some(What::Job), Some(&job.kind)),
        WaitKind::Incident(_) => (Some(What::Incident), None),
        WaitKind::AdHoc => (Some(What::AdHoc), None),
        WaitKind::Message(message) => (Some(What::Message), Some(&message.name)),
        WaitKind::Signal(signal) => (Some(What::Signal), Some(&signal.name)),
        // What has no tries left goes on no more: there is an incident beside it.
        kind if kind.retry().is_some_and(|retry| retry.left == 0) => (None, None),
        WaitKind::Timer(_) => (Some(What::Timer), None),
        kind @ WaitKind::Continuation { .. } if kind.retry().is_some_and(|retry| retry.due.is_some()) => {
            (Some(What::Timer), None)
        }
        WaitKind::Condition { .. } => (Some(What::Else), None),
        WaitKind::Call(call) => (Some(What::Else), Some(&call.process)),
        WaitKind::Continuation { .. } | WaitKind::Compensation(_) | WaitKind::Occurred(_) => (None, None),
    }
}

/// The name of a user task where it is computed.
fn computed_name(wait: &Wait) -> Option<&str> {
    match &wait.kind {
        WaitKind::UserTask(task) => task.name.as_deref(),
        _ => None,
    }
}

/// Which round of a loop a wait is in.
fn round(instance: &Instance, wait: &Wait) -> Option<String> {
    let scope = instance.scope_of(wait);
    if scope == ROOT {
        return None;
    }
    let counter = instance.visible(scope, "loopCounter")?;
    Some(format!("round {counter}"))
}
