//! Doing what waits, with a person's answers.

use potok_core::Name;
use potok_core::graph::NodeKind;
use potok_core::instance::Key;
use potok_core::step::Command;

use super::interactive::{Variables, Walk};
use super::terminal::{Answer, Stop};
use super::waiting::{Waiting, What, shown, title};
use crate::failure::Failure;

impl Walk<'_> {
    /// Does one of the things that wait.
    pub(super) fn attend(&mut self, waiting: &Waiting) -> Result<(), Stop> {
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
                Ok(self.session.act(|host| host.command_at(key, command))?)
            }
            What::AdHoc => self.ad_hoc(waiting),
            What::Message => {
                self.terminal.say(&format!("{heading}: what the message carries, as name=value (Enter: nothing)"))?;
                let variables = self.variables()?;
                Ok(self.session.deliver(waiting, variables)?)
            }
            What::Signal => {
                self.terminal.say(&format!("{heading}: what the signal carries, as name=value (Enter: nothing)"))?;
                let variables = self.variables()?;
                let name = waiting.name.clone().unwrap_or_default();
                Ok(self.session.act(|host| host.signal(&name, &variables))?)
            }
            What::Timer => {
                let running = self.session.host.instance(waiting.instance);
                let now = self.session.host.now();
                let wait = running.and_then(|running| running.instance.wait(key));
                let due = wait.and_then(|wait| wait.kind.goes_on(now)).unwrap_or(now);
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
        Ok(self.session.act(|host| host.complete_user_task(task, variables))?)
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
                Ok(self.session.act(|host| host.complete_job(job, variables))?)
            }
            Answer::Other(trouble) => self.report(waiting.key, trouble),
        }
    }

    fn report(&mut self, wait: Key, trouble: Trouble) -> Result<(), Stop> {
        let command = match trouble {
            Trouble::Error { code, message } => Command::ThrowError { wait, code, message, variables: Vec::new() },
            Trouble::Failure(message) => Command::FailJob { job: wait, retries: None, message },
        };
        Ok(self.session.act(|host| host.command_at(wait, command))?)
    }

    /// The variables in a job's own scope.
    fn inputs(&self, waiting: &Waiting) -> Variables {
        let Some(running) = self.session.host.instance(waiting.instance) else { return Vec::new() };
        let Some(wait) = running.instance.wait(waiting.key) else { return Vec::new() };
        let scope = running.instance.scope(running.instance.scope_of(wait));
        scope.filter(|scope| scope.node == waiting.node).map_or(Vec::new(), |scope| scope.variables().to_vec())
    }

    fn ad_hoc(&mut self, waiting: &Waiting) -> Result<(), Stop> {
        let key = waiting.key;
        let Some(running) = self.session.host.instance(waiting.instance) else { return Ok(()) };
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
            match self.session.act(|host| host.command_at(key, command)) {
                Err(Failure::Told { message, .. }) => self.complain(&message)?,
                other => return Ok(other?),
            }
        }
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
