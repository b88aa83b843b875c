//! Walking through a process with a person.

use std::io;
use std::path::Path;
use std::process::ExitCode;

use potok_core::Name;
use potok_core::graph::Catch;
use potok_core::instance::State;
use potok_core::routing::start_triggers;
use potok_core::step::StartAt;
use potok_core::value::Value;

use super::exit_code;
use super::session::Session;
use super::terminal::{Answer, Stop, Terminal, assignment};
use super::waiting::{LISTED, Waiting, What, more, one_line, outcome, title};
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

pub(super) type Variables = Vec<(Name, Value)>;

/// Runs a process with a person's answers.
pub(crate) fn run(
    session: &mut Session,
    terminal: &mut Terminal,
    business_key: Option<Name>,
    warnings: usize,
    file: &Path,
) -> Result<ExitCode, Failure> {
    let shown = session.trace.len();
    let mut walk = Walk { session, terminal, shown, told: 0 };
    walk.introduce(warnings, file)?;
    let begun = if walk.session.main.is_some() { Ok(()) } else { walk.begin(business_key) };
    let stopped = match begun.and_then(|()| walk.go_on()) {
        Ok(()) => None,
        Err(Stop::Failed(failure)) => return Err(failure),
        Err(Stop::Quit | Stop::Back) => Some(()),
    };
    walk.say_goodbye(stopped.is_some())?;
    Ok(exit_code(&walk.session.state()))
}

/// A walk through a process.
pub(super) struct Walk<'a> {
    pub(super) session: &'a mut Session,
    pub(super) terminal: &'a mut Terminal,
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
        let now = self.session.clock.full(self.session.host.now());
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
            // Gateways without a name, mostly joins, say nothing here.
            let told = news.iter().filter(|passed| passed.name.is_some() || passed.gateway.is_none());
            let mut names: Vec<String> =
                told.map(|passed| one_line(passed.name.as_ref().unwrap_or(&passed.element))).collect();
            if names.len() > PASSED {
                let more = names.len() - PASSED + 1;
                names.splice(PASSED / 2..PASSED / 2 + more, [format!("... {more} more ...")]);
            }
            if !names.is_empty() {
                let time = self.session.clock.time(last.entered);
                let line = format!("\n{time}  {}", names.join(" > "));
                self.terminal.say(&self.terminal.style.faint(&line))?;
            }
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
        let now = self.session.clock.full(self.session.host.now());
        self.terminal.say(&format!("\n{now}, waiting:"))?;
        let mut choices = Vec::new();
        for (index, waiting) in waiting.iter().enumerate() {
            let number = (waiting.what != What::Else).then(|| {
                choices.push(waiting);
                choices.len()
            });
            if index < LISTED {
                self.terminal.say(&waiting.show(style, number))?;
            }
        }
        if let Some(more) = more(waiting.len()) {
            self.terminal.say(more.trim_end())?;
        }
        let question = if choices.is_empty() {
            let deadlock = self.session.deadlock();
            self.terminal.say(&format!("     {deadlock}"))?;
            "What next? [? for help] "
        } else {
            "What next? [1; ? for help] "
        };
        loop {
            let answer = self.terminal.ask_command(question)?;
            let (word, rest) = answer.split_once(char::is_whitespace).unwrap_or((&answer, ""));
            match word {
                "?" | "help" => self.terminal.say(HELP)?,
                "vars" => self.terminal.say(&self.session.variable_list())?,
                "trace" => self.terminal.say(&self.session.trace_list(style))?,
                "next" => match self.session.host.next_timer() {
                    Some(due) => return Ok(self.session.advance(due)?),
                    None => self.complain("no timer is set")?,
                },
                "wait" => {
                    let (now, clock) = (self.session.host.now(), self.session.clock.clone());
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
                    (Some(Ok(variable)), Some(main)) => return Ok(self.session.set(main, vec![variable])?),
                    (Some(Err(message)), _) => self.complain(&message)?,
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

    pub(super) fn variables(&mut self) -> Result<Variables, Stop> {
        let nothing_else = |_: &str| Err::<(), _>("write name=value, or all variables as a JSON object".to_owned());
        match self.terminal.ask_variables("  > ", nothing_else)? {
            Answer::Variables(variables) => Ok(variables),
            Answer::Other(()) => Ok(Vec::new()),
        }
    }

    pub(super) fn complain(&mut self, message: &str) -> io::Result<()> {
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
        let outcome = format!("{}, {}", outcome(&state), self.session.clock.full(self.session.host.now()));
        let outcome = match state {
            State::Completed => style.good(&outcome),
            State::Failed { .. } | State::Cancelled { .. } => style.bad(&outcome),
            State::Created | State::Active => style.unusual(&outcome),
        };
        self.terminal.say(&format!("\n{outcome}"))
    }
}
