//! Walking through a process with a person.

use std::io;
use std::path::Path;
use std::process::ExitCode;

use potok_core::Name;
use potok_core::graph::{Catch, NodeKind};
use potok_core::instance::{Instance, Key, ScopeId, State, WaitKind};
use potok_core::routing::start_triggers;
use potok_core::step::{Command, StartAt};
use potok_core::value::Value;

use super::exit_code;
use super::field::{Field, Kind};
use super::session::Session;
use super::terminal::{Answer, Stop, Terminal, assignment};
use super::waiting::{Waiting, What, one_line, outcome, shown, title};
use crate::failure::Failure;
use crate::report;

const HELP: &str = "  NUMBER        do that (Enter alone: the first)
  next          travel to the next timer
  wait P1D      let time pass (ISO 8601), or up to a moment: wait 2026-12-01T09:00:00
  set NAME=VALUE  set a variable of the process
  vars          show the variables
  trace         show what was passed so far
  back          leave a question, quit: leave the process";

/// Only that many of the elements passed in one go are named.
const PASSED: usize = 10;

type Variables = Vec<(Name, Value)>;

/// Runs a process with a person's answers.
pub(crate) fn run(
    session: &mut Session,
    terminal: &mut Terminal,
    business_key: Option<Name>,
    warnings: usize,
    file: &Path,
) -> Result<ExitCode, Failure> {
    let mut walk = Walk { session, terminal, shown: 0, told: 0 };
    walk.introduce(warnings, file)?;
    let stopped = match walk.begin(business_key).and_then(|()| walk.go_on()) {
        Ok(()) => None,
        Err(Stop::Failed(failure)) => return Err(failure),
        Err(Stop::Quit | Stop::Back) => Some(()),
    };
    walk.say_goodbye(stopped.is_some())?;
    Ok(exit_code(&walk.session.state()))
}

struct Walk<'a> {
    session: &'a mut Session,
    terminal: &'a mut Terminal,
    /// How much of the trace has been shown.
    shown: usize,
    /// How many notices have been.
    told: usize,
}

impl Walk<'_> {
    fn introduce(&mut self, warnings: usize, file: &Path) -> io::Result<()> {
        let style = self.terminal.style;
        let process = &self.session.process;
        let title = title(process.id(), process.name().map(|name| &**name));
        let now = self.session.clock.full(self.session.runner.now());
        self.terminal.say(&format!("{}, {now}", style.strong(&title)))?;
        if warnings > 0 {
            let found = report::number(warnings, "warning");
            self.terminal.say(&style.faint(&format!("{found} (`potok check {}` shows them)", file.display())))?;
        }
        Ok(())
    }

    /// Starts the process: with its start form, or with an event that the user chooses.
    fn begin(&mut self, business_key: Option<Name>) -> Result<(), Stop> {
        loop {
            match self.try_to_begin(business_key.clone()) {
                Err(Stop::Back) => {}
                other => return other,
            }
        }
    }

    fn try_to_begin(&mut self, business_key: Option<Name>) -> Result<(), Stop> {
        let process = self.session.process.clone();
        if !process.root().starts.is_empty() {
            let form = process.start_form();
            let variables = match self.session.fields(form, None) {
                Some(fields) => {
                    self.terminal.say("\nStart form:")?;
                    self.fill_in(&fields, None)?
                }
                None => {
                    self.terminal.say("\nVariables to start with, as name=value (Enter: none):")?;
                    self.variables()?
                }
            };
            let from_form = form.and_then(|form| form.business_key.as_ref()).and_then(|field| {
                let found = variables.iter().find(|(name, _)| name == field);
                found.map(|(_, value)| Name::from(value.to_string()))
            });
            return Ok(self.session.start(StartAt::None, variables, business_key.or(from_form))?);
        }
        let mut triggers: Vec<(Name, String)> = Vec::new();
        for trigger in start_triggers(&process) {
            let node = process.node(trigger.node);
            let what = match trigger.catch {
                Catch::Message { .. } => "message",
                Catch::Timer { .. } => "timer",
                Catch::Signal { .. } => "signal",
                Catch::Condition { .. } => "condition",
                _ => "event",
            };
            if triggers.last().is_none_or(|(id, _)| *id != node.id) {
                triggers.push((node.id.clone(), format!("{what:<9} {}", title(&node.id, node.name.as_deref()))));
            }
        }
        if triggers.is_empty() {
            return Err(Failure::new(format!("process `{}` has nothing that could start it", process.id())).into());
        }
        self.terminal.say("\nThe process is started by:")?;
        for (number, (_, text)) in (1..).zip(&triggers) {
            self.terminal.say(&format!("{number:3}. {text}"))?;
        }
        let index = self.choose(triggers.len())?;
        let (element, _) = triggers.swap_remove(index);
        self.terminal.say("What it brings, as name=value (Enter: nothing):")?;
        let variables = self.variables()?;
        Ok(self.session.start(StartAt::Event(element), variables, business_key)?)
    }

    /// A number from 1 to the count, as an index; Enter is the first.
    fn choose(&mut self, count: usize) -> Result<usize, Stop> {
        loop {
            let answer = self.terminal.ask("Which? [1] ")?;
            if answer.is_empty() {
                return Ok(0);
            }
            match answer.parse::<usize>() {
                Ok(number) if (1..=count).contains(&number) => return Ok(number - 1),
                _ => self.complain(&format!("a number from 1 to {count}"))?,
            }
        }
    }

    fn go_on(&mut self) -> Result<(), Stop> {
        // After `back` there is always a choice.
        let mut choose = false;
        loop {
            self.show_news()?;
            if !self.session.is_active() {
                return Ok(());
            }
            let waiting = self.session.waiting();
            let is_work = |waiting: &Waiting| matches!(waiting.what, What::Task | What::Job);
            let result = match &waiting[..] {
                [only] if is_work(only) && !choose => self.attend(only),
                _ => self.menu(&waiting),
            };
            choose = false;
            match result {
                Ok(()) => {}
                Err(Stop::Back) => choose = true,
                Err(Stop::Failed(failure @ Failure::Told { .. })) => {
                    if let Failure::Told { message, help, .. } = failure {
                        self.complain(&message)?;
                        if let Some(help) = help {
                            self.complain(&help)?;
                        }
                    }
                    choose = true;
                }
                Err(stop) => return Err(stop),
            }
        }
    }

    /// What was passed since the last time.
    fn show_news(&mut self) -> io::Result<()> {
        let news = &self.session.trace[self.shown..];
        if let Some(last) = news.last() {
            let mut names: Vec<String> = news
                .iter()
                .map(|passed| passed.name.as_deref().map(one_line).filter(|name| !name.is_empty()))
                .zip(news)
                .map(|(name, passed)| name.unwrap_or_else(|| passed.element.to_string()))
                .collect();
            if names.len() > PASSED {
                let more = names.len() - PASSED + 1;
                names.splice(PASSED / 2..PASSED / 2 + more, [format!("... {more} more ...")]);
            }
            let time = self.session.clock.time(last.entered);
            let line = format!("\n{time}  {}", names.join(" > "));
            self.terminal.say(&self.terminal.style.faint(&line))?;
            self.shown = self.session.trace.len();
        }
        for notice in &self.session.notices[self.told..] {
            self.terminal.say(&self.terminal.style.unusual(notice))?;
        }
        self.told = self.session.notices.len();
        Ok(())
    }

    fn menu(&mut self, waiting: &[Waiting]) -> Result<(), Stop> {
        let style = self.terminal.style;
        let now = self.session.clock.full(self.session.runner.now());
        self.terminal.say(&format!("\n{now}, waiting:"))?;
        let mut choices = Vec::new();
        for waiting in waiting {
            let number = (waiting.what != What::Else).then(|| {
                choices.push(waiting);
                choices.len()
            });
            self.terminal.say(&waiting.show(style, number))?;
        }
        loop {
            let answer = self.terminal.ask("What next? [1; ? for help] ")?;
            let (word, rest) = answer.split_once(char::is_whitespace).unwrap_or((&answer, ""));
            match word {
                "?" | "help" => self.terminal.say(HELP)?,
                "vars" => self.terminal.say(&self.session.variable_list())?,
                "trace" => self.terminal.say(&self.session.trace_list(style))?,
                "next" => match self.session.runner.next_timer() {
                    Some(due) => return Ok(self.session.advance(due)?),
                    None => self.complain("no timer is set")?,
                },
                "wait" => {
                    let (now, clock) = (self.session.runner.now(), self.session.clock.clone());
                    let moment = match clock.after(now, rest) {
                        Ok(moment) => moment,
                        Err(failure) => clock.read(rest).map_err(|_| failure)?.0,
                    };
                    if moment < now {
                        return Err(Failure::new("time goes only forward").into());
                    }
                    return Ok(self.session.advance(moment)?);
                }
                "set" => match (assignment(rest), self.session.main) {
                    (Some(variable), Some(main)) => return Ok(self.session.set(main, vec![variable])?),
                    _ => self.complain("write set NAME=VALUE")?,
                },
                "" if !choices.is_empty() => return self.attend(choices[0]),
                word => match word.parse::<usize>().ok().and_then(|number| choices.get(number.checked_sub(1)?)) {
                    Some(chosen) => return self.attend(chosen),
                    None => self.complain("neither a number of the list nor a command; ? shows the commands")?,
                },
            }
        }
    }

    /// Does one of the things that wait.
    fn attend(&mut self, waiting: &Waiting) -> Result<(), Stop> {
        let heading = self.terminal.style.strong(waiting.title());
        let key = waiting.key;
        match waiting.what {
            What::Task => {
                self.terminal.say(&waiting.show(self.terminal.style, None))?;
                self.task(waiting)
            }
            What::Job => {
                self.terminal.say(&waiting.show(self.terminal.style, None))?;
                self.job(waiting)
            }
            What::Incident => {
                self.terminal.say(&waiting.show(self.terminal.style, None))?;
                self.terminal.say("  Variables to mend it with, as name=value (Enter: try again):")?;
                let variables = self.variables()?;
                if !variables.is_empty() {
                    self.session.set(waiting.instance, variables)?;
                }
                let command = Command::ResolveIncident { incident: key };
                Ok(self.session.act(|runner| runner.command_at(key, command))?)
            }
            What::AdHoc => self.ad_hoc(waiting),
            What::Message => {
                self.terminal.say(&format!("{heading}: what the message carries, as name=value (Enter: nothing)"))?;
                let variables = self.variables()?;
                let command = Command::DeliverMessage { subscription: key, variables };
                Ok(self.session.act(|runner| runner.command_at(key, command))?)
            }
            What::Signal => {
                self.terminal.say(&format!("{heading}: what the signal carries, as name=value (Enter: nothing)"))?;
                let variables = self.variables()?;
                let name = waiting.name.clone().unwrap_or_default();
                Ok(self.session.act(|runner| {
                    runner.signal(&name, &variables);
                    Ok(())
                })?)
            }
            What::Timer => {
                let running = self.session.runner.instance(waiting.instance);
                let due = match running.and_then(|running| running.instance.wait(key)).map(|wait| &wait.kind) {
                    Some(WaitKind::Timer(timer)) => timer.timer.due,
                    _ => self.session.runner.now(),
                };
                Ok(self.session.advance(due)?)
            }
            What::Else => Ok(()),
        }
    }

    fn task(&mut self, waiting: &Waiting) -> Result<(), Stop> {
        let fields = self.fields_of(waiting);
        let variables = match fields {
            Some(fields) => {
                let scope = self.scope_of(waiting);
                self.fill_in(&fields, scope)?
            }
            None => {
                self.terminal.say("  No form. Variables as name=value (Enter: complete the task; error CODE):")?;
                match self.terminal.ask_variables("  > ", |line| trouble(line, false))? {
                    Answer::Variables(variables) => variables,
                    Answer::Other(trouble) => return self.report(waiting.key, trouble),
                }
            }
        };
        let task = waiting.key;
        Ok(self.session.act(|runner| runner.complete_user_task(task, variables))?)
    }

    fn job(&mut self, waiting: &Waiting) -> Result<(), Stop> {
        let inputs = self.inputs(waiting);
        if !inputs.is_empty() {
            let inputs: Vec<_> = inputs.iter().map(|(name, value)| format!("{name} = {}", shown(value))).collect();
            self.terminal.say(&format!("  given: {}", inputs.join(", ")))?;
        }
        self.terminal.say("  Its result as name=value (Enter: done; or error CODE [TEXT], fail TEXT):")?;
        match self.terminal.ask_variables("  > ", |line| trouble(line, true))? {
            Answer::Variables(variables) => {
                let job = waiting.key;
                Ok(self.session.act(|runner| runner.complete_job(job, variables))?)
            }
            Answer::Other(trouble) => self.report(waiting.key, trouble),
        }
    }

    fn report(&mut self, wait: Key, trouble: Trouble) -> Result<(), Stop> {
        let command = match trouble {
            Trouble::Error { code, message } => Command::ThrowError { wait, code, message, variables: Vec::new() },
            Trouble::Failure(message) => Command::FailJob { job: wait, retries: None, message },
        };
        Ok(self.session.act(|runner| runner.command_at(wait, command))?)
    }

    /// The variables in a job's own scope.
    fn inputs(&self, waiting: &Waiting) -> Variables {
        let Some(running) = self.session.runner.instance(waiting.instance) else { return Vec::new() };
        let Some(wait) = running.instance.wait(waiting.key) else { return Vec::new() };
        let scope = running.instance.scope(running.instance.scope_of(wait));
        scope.filter(|scope| scope.node == waiting.node).map_or(Vec::new(), |scope| scope.variables().to_vec())
    }

    fn ad_hoc(&mut self, waiting: &Waiting) -> Result<(), Stop> {
        let key = waiting.key;
        let Some(running) = self.session.runner.instance(waiting.instance) else { return Ok(()) };
        let graph = running.graph.clone();
        let NodeKind::AdHoc(ad_hoc) = &graph.node(waiting.node).kind else { return Ok(()) };
        let starts: Vec<_> = ad_hoc.container.starts.iter().map(|start| graph.node(*start)).collect();
        self.terminal.say(&format!("{}: what to begin?", waiting.title()))?;
        for (number, node) in (1..).zip(&starts) {
            self.terminal.say(&format!("{number:3}. {}", title(&node.id, node.name.as_deref())))?;
        }
        loop {
            let answer = self.terminal.ask("  Numbers or ids, with commas between; done ends it: ")?;
            let command = if answer == "done" {
                Command::CompleteAdHoc { ad_hoc: key }
            } else {
                let parts = answer.split(',').map(str::trim).filter(|part| !part.is_empty());
                let elements = parts.map(|part| {
                    let by_number = part.parse::<usize>().ok().and_then(|number| starts.get(number.checked_sub(1)?));
                    by_number.map_or_else(|| Name::from(part), |node| node.id.clone())
                });
                Command::ActivateAdHoc { ad_hoc: key, elements: elements.collect() }
            };
            match self.session.act(|runner| runner.command_at(key, command)) {
                Err(Failure::Told { message, .. }) => self.complain(&message)?,
                other => return Ok(other?),
            }
        }
    }

    fn fields_of(&self, waiting: &Waiting) -> Option<Vec<Field>> {
        let running = self.session.runner.instance(waiting.instance)?;
        let form = running.graph.get_node(waiting.node)?.details.form.as_deref();
        let key = match &running.instance.wait(waiting.key)?.kind {
            WaitKind::UserTask(task) => task.form_key.clone(),
            _ => None,
        };
        self.session.fields(form, key.as_deref())
    }

    fn scope_of(&self, waiting: &Waiting) -> Option<(Key, ScopeId)> {
        let running = self.session.runner.instance(waiting.instance)?;
        let wait = running.instance.wait(waiting.key)?;
        Some((waiting.instance, running.instance.scope_of(wait)))
    }

    /// Asks for a form's fields.
    fn fill_in(&mut self, fields: &[Field], scope: Option<(Key, ScopeId)>) -> Result<Variables, Stop> {
        let mut variables = Vec::new();
        for field in fields {
            let first = {
                let seen = scope.and_then(|(instance, scope)| {
                    let running = self.session.runner.instance(instance)?;
                    Some((&running.instance as &Instance, scope))
                });
                self.session.first_value(field, seen)
            };
            if !field.writable {
                let value = first.as_ref().map_or_else(|| "-".to_owned(), |value| field.show(value));
                self.terminal.say(&format!("  {}: {value}", field.label))?;
            } else if let Some(value) = self.ask_field(field, first)? {
                variables.push((field.variable.clone(), value));
            }
        }
        Ok(variables)
    }

    fn ask_field(&mut self, field: &Field, first: Option<Value>) -> Result<Option<Value>, Stop> {
        let hint = match (field.hint(), field.required) {
            ("", true) => " (required)".to_owned(),
            ("", false) => String::new(),
            (hint, true) => format!(" ({hint}; required)"),
            (hint, false) => format!(" ({hint})"),
        };
        let default = first.as_ref().map(|value| format!(" [{}]", field.show(value))).unwrap_or_default();
        let mut prompt = format!("  {}{hint}{default}: ", one_line(&field.label));
        if matches!(field.kind, Kind::Choice | Kind::Choices) {
            self.terminal.say(&format!("  {}{hint}", one_line(&field.label)))?;
            for (number, (value, label)) in (1..).zip(&field.choices) {
                let value = value.to_string();
                let label = if *label == value { label.clone() } else { format!("{label} ({value})") };
                self.terminal.say(&format!("  {number:3}. {label}"))?;
            }
            prompt = format!(" {default} > ");
        }
        loop {
            let answer = self.terminal.ask(&prompt)?;
            if answer.is_empty() {
                match &first {
                    Some(value) => return Ok(Some(value.clone())),
                    None if field.required => {
                        self.complain("an answer is required (quit leaves the process)")?;
                        continue;
                    }
                    None => return Ok(None),
                }
            }
            match field.parse(&answer) {
                Ok(value) => return Ok(Some(value)),
                Err(message) => self.complain(&message)?,
            }
        }
    }

    fn variables(&mut self) -> Result<Variables, Stop> {
        let nothing_else = |_: &str| Err::<(), _>("write name=value, or all variables as a JSON object".to_owned());
        match self.terminal.ask_variables("  > ", nothing_else)? {
            Answer::Variables(variables) => Ok(variables),
            Answer::Other(()) => Ok(Vec::new()),
        }
    }

    fn complain(&mut self, message: &str) -> io::Result<()> {
        let message = self.terminal.style.unusual(message);
        self.terminal.say(&format!("    {message}"))
    }

    fn say_goodbye(&mut self, stopped: bool) -> io::Result<()> {
        let (style, state) = (self.terminal.style, self.session.state());
        if stopped {
            let waiting = self.session.waiting_list(style);
            self.terminal.say(&format!("\nLeft before the end; {waiting}"))?;
        }
        if !self.session.trace.is_empty() {
            self.terminal.say(&format!("\nPassed:\n{}", self.session.trace_list(style)))?;
        }
        let variables = self.session.variable_list();
        if !variables.is_empty() {
            self.terminal.say(&format!("\nVariables:\n{variables}"))?;
        }
        let outcome = format!("{}, {}", outcome(&state), self.session.clock.full(self.session.runner.now()));
        let outcome = match state {
            State::Completed => style.good(&outcome),
            State::Failed { .. } | State::Cancelled { .. } => style.bad(&outcome),
            State::Created | State::Active => style.unusual(&outcome),
        };
        self.terminal.say(&format!("\n{outcome}"))
    }
}

/// What a worker or person reports instead of a result.
enum Trouble {
    Error { code: Name, message: Option<Name> },
    Failure(Name),
}

fn trouble(line: &str, is_job: bool) -> Result<Trouble, String> {
    let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let rest = rest.trim();
    match word {
        "error" if !rest.is_empty() => {
            let (code, message) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
            let message = Some(message.trim()).filter(|message| !message.is_empty());
            Ok(Trouble::Error { code: code.into(), message: message.map(Into::into) })
        }
        "fail" if is_job => Ok(Trouble::Failure(if rest.is_empty() { "failed" } else { rest }.into())),
        _ if is_job => Err("write name=value, a JSON object, error CODE [TEXT] or fail TEXT".to_owned()),
        _ => Err("write name=value, a JSON object or error CODE".to_owned()),
    }
}
