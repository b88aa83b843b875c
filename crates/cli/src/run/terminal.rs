//! Questions and answers, line by line.

use std::io::{self, BufRead as _, IsTerminal as _, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver};

use potok_core::Name;
use potok_core::value::Value;
use serde_json::Value as Json;

use crate::failure::Failure;
use crate::harmless::harmless_in_colour;
use crate::style::Style;

const HELP: &str = "  back          leave this question, for what else waits and other commands
  quit          leave the process";

/// Why a question was not answered.
#[derive(Debug)]
pub(crate) enum Stop {
    /// The user has had enough, or there is no more input.
    Quit,
    /// The user wants to choose something else.
    Back,
    /// It went wrong.
    Failed(Failure),
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self::Failed(error.into())
    }
}

/// Where questions are asked.
pub(crate) struct Terminal {
    /// Lines as they are typed; none for Ctrl-C.
    input: Receiver<Option<Vec<u8>>>,
    output: Box<dyn Write>,
    pub(crate) style: Style,
    /// What is typed does not appear by itself, so that a line must be ended for the user.
    silent: bool,
}

impl Terminal {
    /// Reads from the standard input; writes to the standard output, or to the error output where that is for events.
    pub(crate) fn new(events_on_output: bool) -> Self {
        let (output, style): (Box<dyn Write>, _) = if events_on_output {
            (Box::new(io::stderr()), Style::of(&io::stderr()))
        } else {
            (Box::new(io::stdout()), Style::of(&io::stdout()))
        };
        Self { input: lines(), output, style, silent: !io::stdin().is_terminal() }
    }

    /// Writes a line, or several.
    pub(crate) fn say(&mut self, text: &str) -> io::Result<()> {
        writeln!(self.output, "{}", harmless_in_colour(text.trim_end()))
    }

    /// Asks for a line, without the spaces around it. `?` is answered here.
    pub(crate) fn ask(&mut self, prompt: &str) -> Result<String, Stop> {
        loop {
            match self.ask_command(prompt)?.as_str() {
                "?" => self.say(HELP)?,
                line => return Ok(line.to_owned()),
            }
        }
    }

    /// Asks for a line that may be `?`.
    pub(crate) fn ask_command(&mut self, prompt: &str) -> Result<String, Stop> {
        write!(self.output, "{}", harmless_in_colour(prompt))?;
        self.output.flush()?;
        let line = self.input.recv().ok().flatten().unwrap_or_default();
        if self.silent || line.is_empty() {
            writeln!(self.output)?;
        }
        if line.is_empty() {
            return Err(Stop::Quit);
        }
        let line = String::from_utf8_lossy(&line);
        match line.trim() {
            "quit" | "exit" => Err(Stop::Quit),
            "back" => Err(Stop::Back),
            line => Ok(line.to_owned()),
        }
    }

    /// Asks for variables, one a line, up to an empty line. A line in JSON is all of them. Other lines are given to
    /// `other`, which takes them or says what is wrong.
    pub(crate) fn ask_variables<T>(
        &mut self,
        prompt: &str,
        mut other: impl FnMut(&str) -> Result<T, String>,
    ) -> Result<Answer<T>, Stop> {
        let mut variables: Vec<(Name, Value)> = Vec::new();
        loop {
            let line = self.ask(prompt)?;
            if line.is_empty() {
                return Ok(Answer::Variables(variables));
            }
            let understood = if line.starts_with('{') {
                match object(&line) {
                    Ok(all) => {
                        variables.extend(all);
                        return Ok(Answer::Variables(variables));
                    }
                    Err(message) => Err(message),
                }
            } else {
                match assignment(&line) {
                    Some(variable) => variable.map(|variable| variables.push(variable)),
                    None => match other(&line) {
                        Ok(other) => return Ok(Answer::Other(other)),
                        Err(message) => Err(message),
                    },
                }
            };
            if let Err(message) = understood {
                let message = self.style.unusual(&message);
                self.say(&format!("    {message}"))?;
            }
        }
    }
}

/// What was answered where variables were asked for.
pub(crate) enum Answer<T> {
    Variables(Vec<(Name, Value)>),
    Other(T),
}

/// `name=value`; the value is JSON, or else text, of which a second `name=` is no part unless it stands in quotes.
pub(crate) fn assignment(line: &str) -> Option<Result<(Name, Value), String>> {
    let (name, value) = line.split_once('=')?;
    let (name, value) = (name.trim(), value.trim());
    if !is_name(name) {
        return None;
    }
    let json = serde_json::from_str::<Json>(value).ok();
    if let Some(value) = json.and_then(|json| Value::from_json(json).ok()) {
        return Some(Ok((name.into(), value)));
    }
    let mut words = value.split_whitespace().skip(1).filter_map(|word| word.split_once('='));
    Some(match words.find(|(word, _)| is_name(word)) {
        Some((second, _)) => {
            Err(format!("write `{second}=` on a line of its own; if it is part of the text, put the text in quotes"))
        }
        None => Ok((name.into(), value.into())),
    })
}

fn is_name(name: &str) -> bool {
    !name.is_empty()
        && name.chars().all(|character| character.is_alphanumeric() || "_-.".contains(character))
        && !name.starts_with(|character: char| character.is_ascii_digit())
}

/// Reads the standard input line by line, in a thread of its own, so that Ctrl-C can end a question: what was passed so far
/// is shown then. A second Ctrl-C ends the program.
fn lines() -> Receiver<Option<Vec<u8>>> {
    let (typed, input) = mpsc::sync_channel(1);
    let (interrupted, pressed) = (typed.clone(), AtomicBool::new(false));
    let on_interrupt = move || {
        if pressed.swap(true, Ordering::Relaxed) || interrupted.try_send(None).is_err() {
            std::process::exit(130);
        }
    };
    if io::stdin().is_terminal() {
        // Where there are no such signals nothing is lost.
        let _ = ctrlc::set_handler(on_interrupt);
    }
    std::thread::spawn(move || {
        let mut stdin = io::stdin().lock();
        loop {
            let mut line = Vec::new();
            let is_over = !matches!(stdin.read_until(b'\n', &mut line), Ok(read) if read > 0);
            if typed.send(Some(line)).is_err() || is_over {
                return;
            }
        }
    });
    input
}

fn object(text: &str) -> Result<Vec<(Name, Value)>, String> {
    let json: Json = serde_json::from_str(text).map_err(|error| format!("this is no JSON: {error}"))?;
    let Json::Object(entries) = json else { return Err("variables are a JSON object".to_owned()) };
    entries
        .into_iter()
        .map(|(name, value)| Ok((name.into(), Value::from_json(value).map_err(|error| error.to_string())?)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_json_or_else_text() {
        assert_eq!(assignment("amount = 12"), Some(Ok(("amount".into(), Value::Integer(12)))));
        assert_eq!(assignment("number=\"12\""), Some(Ok(("number".into(), "12".into()))));
        assert_eq!(assignment("имя=Анна Петровна"), Some(Ok(("имя".into(), "Анна Петровна".into()))));
        assert_eq!(assignment("fail a=b"), None);
    }

    #[test]
    fn two_variables_on_a_line_are_not_one_text() {
        assert!(
            assignment("days=5 approved=true").is_some_and(|read| read.is_err_and(|it| it.contains("`approved=`")))
        );
        assert_eq!(assignment("note=\"see a=b\""), Some(Ok(("note".into(), "see a=b".into()))));
        assert_eq!(assignment("rule=a > 1, b == 2"), Some(Ok(("rule".into(), "a > 1, b == 2".into()))));
    }
}
